"""The small cases of the model reference: the plans are what their pages say."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Recommendation, Registry
from friendshore.domain.run import RunPurchase
from friendshore.recommend.check import check

DOCS = Path(__file__).parents[2] / "docs"
OBJECTIVE = {
    "stock": {"": "444,567.90", "by-delivery": "546,000.00", "cover": "606,833.36", "left-at-the-end": "568,000.00"},
    "limits": {
        "": "6,720,000.00", "bloc": "7,270,000.00", "parent": "26,660,000.00", "soft": "7,020,000.00", "split": "6,860,000.00",
        "for-defense": "6,840,000.00", "one-each": "6,800,000.00", "one-place": "6,800,000.00", "keep": "7,300,000.00",
        "quota": "7,180,000.00",
    },
    "money": {"": "6,686,115.70", "steady": "6,826,985.26", "tight": "6,953,826.66", "overdraft": "6,882,479.35"},
    "recipes": {"": "6,101,250.00", "no-stand-in": "6,231,250.00", "no-recycling": "6,270,000.00"},
}  # fmt: skip
"""Case -> scenario -> objective."""
PAGE = {"recipes": "stock"}
"""Case -> page that shows it, if the page has another name."""
ORDERS = {
    "": ("spot 2027-Q1 1000; mill 2027-Q2 800; forge 2027-Q3 900; forge 2027-Q4 900", "7,000 | 8,646.58 | 108,942.47"),
    "no-forge": ("mill 2027-Q1 2000; mill 2027-Q3 1600", "10,000 | 0.00 | 124,575.34"),
    "no-mill": ("spot 2027-Q1 1200; depot 2027-Q2 600; forge 2027-Q3 900; forge 2027-Q4 900", "2,000 | 8,646.58 | 114,134.25"),
    "half-more": (
        "spot 2027-Q1 1200; depot 2027-Q1 150; mill 2027-Q2 1600; forge 2027-Q3 1212.329; forge 2027-Q4 1212.329; depot 2027-Q4 25.342",
        "7,000 | 1,150.68 | 153,221.93",
    ),
}  # fmt: skip
"""Scenario -> orders of antimony; fixed costs, what was paid for and not taken, and money spent."""
TIERS = {
    "": (
        "anvil 2027 900; anvil 2028 900",
        {"anvil-gallium 2027": 40000, "anvil-gallium 2028": 40000, "Anvil horizon": 148320},
        "968,618.18",
    ),
    "no-anvil-germanium": (
        "anvil 2027 900; anvil 2028 1023.077",
        {
            "anvil-gallium 2027": 40000,
            "anvil-gallium 2028": Decimal("52307.7"),
            "Anvil horizon": Decimal("120000.0048"),
        },
        "761,706.32",
    ),
    "no-anvil-gallium": (
        "bauxite 2027 1000; bauxite 2028 800",
        {"bauxite-gallium 2027": 60000, "bauxite-gallium 2028": 0, "Anvil horizon": 0},
        "1,096,000.00",
    ),
}
"""Scenario -> orders of gallium, settlements, and money spent."""


def planned(name: str, scenario: str = "") -> Recommendation:
    """Return the plan of a small case."""
    case = friendshore.load_case(DOCS / "cases" / "small" / name)
    found = friendshore.plan(case, registry=Registry.of(), scenario=scenario or ())
    assert found.status.value == "optimal"
    assert found.verified
    return found


def row_of(name: str, scenario: str) -> str:
    """Return the row of a scenario on the page of a case, after the line that names the case."""
    page = (DOCS / "reference" / "model" / f"{PAGE.get(name, name)}.md").read_text(encoding="utf-8")
    first = f"| `{scenario}`" if scenario else "| (none)"
    section = page.partition(f"docs/cases/small/{name}`")[2].partition("\n## ")[0]
    (row,) = [row for row in section.splitlines() if row.startswith(first)]
    return row


def orders(purchases: Iterable[RunPurchase]) -> set[str]:
    """Return purchases as texts: the offer without its material, the period of the order, and kilograms."""
    return {f"{p.offer.rpartition('-')[0]} {p.ordered} {float(p.quantity_kg):.10g}" for p in purchases}


@pytest.mark.parametrize(("name", "scenario"), [(name, scenario) for name in OBJECTIVE for scenario in OBJECTIVE[name]])
def test_the_page_tells_what_the_plan_costs(name: str, scenario: str) -> None:
    """The objective stands in the row of the scenario."""
    told = OBJECTIVE[name][scenario]
    assert f"{planned(name, scenario).cost.objective:,.2f}" == told
    assert told in row_of(name, scenario)


def test_what_is_bought_before_the_ban_is_lost_in_part() -> None:
    """Defense orders what is left of it by the year of delivery; the 4 t in hand may be used for either."""
    bought = sum(float(p.quantity_kg) for p in planned("stock").run.purchases if p.ordered == "2026")
    assert bought + 4000 == pytest.approx(10_000 + 5000 + 5000 / 0.9 + 5000 / 0.81, abs=0.003)


def test_cover_counts_each_kilogram_once() -> None:
    """Stock for defense covers its 73 days, stock for both the 73 days of both."""
    limits = {limit.label: float(limit.value) for limit in planned("stock", "cover").run.limits}
    assert limits["antimony US for defense 2027"] == pytest.approx(5000 * 73 / 366, abs=0.01)
    assert limits["antimony US for civil + defense 2027"] == pytest.approx(15000 * 73 / 366, abs=0.01)


def test_swarf_goes_round() -> None:
    """A quarter of the magnets' mass is swarf, a quarter of which is oxide again."""
    bought = {p.offer: float(p.quantity_kg) for p in planned("recipes").run.purchases if p.material != "swarf"}
    assert bought["swarf-oxide"] == pytest.approx(0.25 * 0.25 * 100_000)
    assert bought["metal-of-mixed"] == pytest.approx(0.2 * 40_000)


@pytest.mark.parametrize("scenario", ORDERS)
def test_the_page_tells_what_order_terms_give(scenario: str) -> None:
    """Orders and money of each scenario."""
    found, (bought, told) = planned("orders", scenario), ORDERS[scenario]
    assert orders(found.run.purchases) == set(bought.split("; "))
    assert f"{found.cost.fixed:,.0f} | {found.cost.untaken:,.2f} | {found.cost.total:,.2f}" == told
    assert row_of("orders", scenario).endswith(f"| {told} |")


def test_the_check_names_dates_within_a_period() -> None:
    """A quotation for part of a quarter isn't counted on; terms for part of one hold for all of it."""
    told = " ".join(str(one) for one in check(DOCS / "cases" / "small" / "orders", Registry.of()).suggestions)
    assert "2027-06-16 falls within 2027-Q2: a quotation of `spot-antimony` ends" in told
    assert "2027-12-01 falls within 2027-Q4: terms of offer mill-antimony end: they apply for the whole period" in told


@pytest.mark.parametrize("scenario", TIERS)
def test_the_page_tells_what_price_schedules_give(scenario: str) -> None:
    """Orders, settlements, and money of each scenario."""
    found, (bought, settled, told) = planned("tiers", scenario), TIERS[scenario]
    assert orders(p for p in found.run.purchases if p.material == "gallium") == set(bought.split("; "))
    assert {f"{d.schedule.partition(' ')[2]} {d.span}": d.discount for d in found.run.discounts} == settled
    assert f"{found.cost.total:,.2f}" == told
    assert row_of("tiers", scenario).endswith(f"| {told} |")


@pytest.mark.parametrize("ranked", range(4))
def test_the_page_tells_what_each_ranking_gives(ranked: int) -> None:
    """Shortage of defense, objective, and kilograms from the largest country."""
    case = friendshore.load_case(DOCS / "cases" / "small" / "objectives")
    found = friendshore.plan(case.but(objectives=case.objectives[:ranked]), registry=Registry.of())
    assert found.status.value == "optimal"
    short = sum((d.short_kg * d.shortage_price for d in found.run.demands if d.end_use == "defense"), Decimal(0))
    largest = max(purchase.quantity_kg for purchase in found.run.purchases)
    page = (DOCS / "reference" / "model" / "limits.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {ranked}: ")]
    assert row.endswith(f"| {short:,.2f} | {found.cost.objective:,.2f} | {largest:,.3f} kg |")


def test_the_run_says_what_each_rank_costs() -> None:
    """The differences of the rows of that table."""
    told = [(level.minimize, level.reduction, level.objective_increase) for level in planned("objectives").run.levels]
    assert told == [
        ("shortage", 4_400_000, 400_000),
        ("cost", None, None),
        ("concentration", 736, 368_000),
        ("cost", None, None),
    ]
