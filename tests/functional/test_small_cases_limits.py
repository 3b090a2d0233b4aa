"""The small cases on stock, limits, recipes and money: each plan costs what its reference page says."""

from __future__ import annotations

from pathlib import Path

import pytest

import friendshore
from friendshore import Recommendation, Registry

DOCS = Path(__file__).parents[2] / "docs"
TOLD = {
    "stock": {
        "": "444,567.90",
        "by-delivery": "546,000.00",
        "cover": "606,833.36",
        "left-at-the-end": "568,000.00",
    },
    "limits": {
        "": "6,720,000.00",
        "bloc": "7,270,000.00",
        "parent": "26,660,000.00",
        "soft": "7,020,000.00",
        "split": "6,860,000.00",
        "for-defense": "6,840,000.00",
        "one-each": "6,800,000.00",
        "one-place": "6,800,000.00",
        "keep": "7,300,000.00",
        "quota": "7,180,000.00",
    },
    "money": {"": "6,686,115.70", "steady": "6,826,985.26", "tight": "6,953,826.66", "overdraft": "6,882,479.35"},
    "recipes": {"": "6,101,250.00", "no-stand-in": "6,231,250.00", "no-recycling": "6,270,000.00"},
}
"""Case -> scenario -> objective."""


def plan(name: str, scenario: str) -> Recommendation:
    """The plan of a small case."""
    case = friendshore.load_case(DOCS / "cases" / "small" / name)
    return friendshore.plan(case, registry=Registry.of(), scenario=scenario or ())


@pytest.mark.parametrize(("name", "scenario"), [(name, scenario) for name in TOLD for scenario in TOLD[name]])
def test_the_page_tells_what_the_plan_costs(name: str, scenario: str) -> None:
    """The objective is the page's, in the row of the scenario."""
    told = TOLD[name][scenario]
    page = (DOCS / "reference" / "model" / f"{name}.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith(f"| `{scenario}`" if scenario else "| (none)")]
    found = plan(name, scenario)
    assert found.status.value == "optimal"
    assert found.verified
    assert [told in row for row in rows] == [True]
    assert f"{found.cost.objective:,.2f}" == told


def test_what_is_bought_before_the_ban_is_lost_in_part() -> None:
    """What defence orders is what is left of it by the year of its delivery, as the page says; the 4 t in hand may be used for either."""
    bought = sum(float(p.quantity_kg) for p in plan("stock", "").run.purchases if p.ordered == "2026")
    assert bought + 4000 == pytest.approx(10_000 + 5000 + 5000 / 0.9 + 5000 / 0.81, abs=0.003)


def test_cover_counts_each_kilogram_once() -> None:
    """Stock for defence covers its 73 days, stock for both the 73 days of both."""
    limits = {limit.label: float(limit.value) for limit in plan("stock", "cover").run.limits}
    assert limits["antimony US for defense 2027"] == pytest.approx(5000 * 73 / 366, abs=0.01)
    assert limits["antimony US for civil + defense 2027"] == pytest.approx(15000 * 73 / 366, abs=0.01)


def test_swarf_goes_round() -> None:
    """A quarter of the magnets' mass is swarf, a quarter of which is oxide again."""
    bought = {p.offer: float(p.quantity_kg) for p in plan("recipes", "").run.purchases if p.material != "swarf"}
    assert bought["swarf-oxide"] == pytest.approx(0.25 * 0.25 * 100_000)
    assert bought["metal-of-mixed"] == pytest.approx(0.2 * 40_000)
