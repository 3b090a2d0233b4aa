"""Lots and terms of trade: how they are read, what they make of a plan, and what the verifier says of one that breaks them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.catalog import load_catalog
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.market import Rate
from friendshore.domain.plan import Plan, Purchase
from friendshore.errors import InputError, VerificationError
from friendshore.rules.kinds.limits import Budget
from friendshore.verify import verify

from ..building import (
    GUESS,
    SOURCE,
    ban,
    bought,
    case,
    catalog,
    changed,
    demand,
    facility,
    lines,
    metals,
    ordered,
    planned,
    refused,
    rule,
    source,
    store,
    terms,
    told,
)

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
HEADER = "of,id,materials,places,per,fixed,least,most,setup_use,from,until,source\n"
CIVIL = demand("metal", "civil", 100)


# ---------------------------------------------------------------------------------------------------------------- reading


def test_rows_become_terms_in_kilograms_and_money() -> None:
    """Masses of a substance are those of the material's basis; what is blank is not said."""
    powder, lynas, works = (
        next(t for t in load_catalog(GOOD).terms if t.id == name) for name in ("powder", "Lynas", "powder-works")
    )
    assert (powder.of, powder.per, powder.fixed, powder.currency) == ("offer", "period", 2000, "USD")
    assert (powder.least, powder.most, powder.setup_use) == (1000, None, 500)
    assert (lynas.materials, lynas.start, lynas.fixed) == ({"dy-oxide", "ndpr-oxide"}, date(2027, 1, 1), 9000)
    assert works.places == {"US", "towanda"}
    assert works.most == 100_000  # 10,000 mtu of 10 kg WO3, in kilograms of WO3


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (",ores,,,year,5 USD,,,,,,paper", "id", "no such offer"),
        ("supplier,Linas,,,year,5 USD,,,,,,paper", "id", "no such supplier"),
        (",ore,tin,,year,5 USD,,,,,,paper", "materials", "no such material"),
        (",ore,,atlantis,year,5 USD,,,,,,paper", "places", "no such place"),
        (",ore,,,year,500,,,,,,paper", "fixed", "FS011"),
        (",ore,,,year,,,,,,,paper", "fixed", "FS028"),
        (",ore,,,year,,5 t,4 t,,,,paper", "least", "FS021"),
        (",ore,,,year,,,,1 t,,,paper", "setup_use", "FS029"),
        ("supplier,Almonty,,,period,,,,1 t,,,paper", "setup_use", "FS029"),
        ("facility,circuit,,,year,,5 t Dy,,,,,paper", "least", "several materials"),
        (",ore,,,year,5 USD,,,,2027-02-01,2027-01-01,paper", "until", "FS020"),
        (",ore,,,year,5 USD,,,,,,", "source", "FS004"),
        (",ore,,,week,5 USD,,,,,,paper", "per", "FS003"),
    ],
)
def test_a_mistake_is_told_at_its_cell(tmp_path: Path, row: str, column: str, words: str) -> None:
    """Each mistake of a row is told at its column, with what was expected or how to mend it."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "small"))
    (folder / "terms.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    problems = refused(load_catalog, folder)
    assert [(p.column, p.row) for p in problems] == [(column, 2)]
    (problem,) = problems
    assert words in str(problem)
    assert problem.expected or problem.fix


@pytest.mark.parametrize(
    "figures",
    [{}, {"fixed": -1}, {"least": 5, "most": 4}, {"setup_use": 5, "per": "year"}, {"setup_use": 5, "of": "supplier"}],
)
def test_a_record_refuses_what_is_no_terms(figures: dict[str, Any]) -> None:
    """Terms given in memory are held to the same."""
    with pytest.raises(ValueError, match=r"FS021|FS028|FS029|zero or more"):
        terms("cn-metal", **figures)


# -------------------------------------------------------------------------------------------------------------------- lots


def test_an_order_is_whole_lots_to_the_last_digit() -> None:
    """A lot of 100 lb is no whole number of grams; the sum over two uses and two places is a whole number of lots all the same."""
    pounds = Decimal("45.359237")
    wanted = [
        demand("metal", "civil", 70, 31), demand("metal", "defense", 55, 17), demand("metal", "civil", 33.3, 20, place="JP", id="japan"),
    ]  # fmt: skip
    given = case(*wanted, stores=(store("metal", 1), store("metal", 1, "JP")))
    apart = ban("mined", countries="AU", start=None)  # makes defense a compliance class of its own
    found = planned(given, changed(metals(), "cn-metal", lot=pounds), apart).plan.plan.purchases
    for t in (0, 1):
        units = sum((p.quantity for p in found if p.ordered == t and p.offer == "cn-metal"), Decimal(0))
        assert (bool(units), units % pounds) == (True, 0)
    assert len({(p.place, p.compliance_class) for p in found}) > 2


# ------------------------------------------------------------------------------------------------------------------- terms


def quotes(*rows: tuple[str | None, str | None, float]) -> list[dict[str, Any]]:
    """Quotations in dollars."""
    return [{"start": a, "end": b, "amount": p, "currency": "USD", "source": SOURCE} for a, b, p in rows]


def chinese(*more: Any, **update: Any) -> Catalog:
    """The metals with the Chinese offer changed."""
    return changed(metals(*more), "cn-metal", **update)


def quoted(*rows: tuple[str | None, str | None, float]) -> Catalog:
    """Chinese metal by quotations."""
    return chinese(price=None, quotes=quotes(*rows))


def committed(**more: Any) -> Catalog:
    """Chinese metal: 80 a year are paid for, at three quarters of the price."""
    return chinese(**{"take_or_pay": 80, "take_or_pay_share": "0.75", **more})


SALT = demand("salt", "civil", 20)
JAPAN = demand("metal", "civil", 50, place="JP", id="japan")
YEARS = demand("metal", "civil", 100, 100)
LATE = demand("metal", "civil", 0, 100)
DISCOUNTED: dict[str, Any] = {"discount": "0.25", "stores": (store("metal", 100),)}
KEPT: dict[str, Any] = {"stores": (store("metal", 45),)}
CAMPAIGN = terms("cn", of="facility", materials=["metal"], setup_use=30)
WORKS = catalog(
    facility("works", "AU"), facility("line", "AU", within="works"), source("AU", 10, plant="works"), source("AU", 5, "salt", plant="line"),
    terms("works", of="facility", per="year", fixed=300),
)  # fmt: skip
INCUMBENT = [{"offer": "cn-metal", "per_year": 50}]
QUALIFIED = chinese(qualification=9, onboarding=700, onboarding_currency="USD")


def row(name: str, given: Case, facts: Catalog, kilograms: dict[str, float], **cost: float) -> Any:
    """Kilograms by country and year of order, and parts of the cost."""
    return pytest.param(given, facts, kilograms, cost, id=name)


def late(per: str) -> Catalog:
    """Chinese metal with a fixed cost of 200."""
    return metals(terms("cn-metal", per=per, fixed=200))


SECOND_HALF = terms("cn-metal", fixed=100, start=date(2026, 7, 1), end=date(2026, 12, 31))
PLAN = [
    row("what is beyond need of whole lots is kept", case(CIVIL, stores=(store("metal", 1),)), chinese(lot=45), {"cn-2026": 135}, holding=35),
    row("or bought elsewhere where that is cheaper", case(CIVIL, stores=(store("metal", 9),)), chinese(lot=45, max_lots=2),
        {"cn-2026": 90, "au-2026": 10}),
    row("once, counts whole however late the order", case(LATE, **DISCOUNTED), late("horizon"), {"cn-2027": 100}, fixed=200, total=1000),
    row("a year, counts as money of that year", case(LATE, **DISCOUNTED), late("year"), {"cn-2027": 100}, fixed=160, total=960),
    row("a period alike", case(LATE, **DISCOUNTED), late("period"), {"cn-2027": 100}, fixed=160, total=960),
    row("terms of a facility bear on what lies within it", case(CIVIL, SALT), WORKS, {"au-2026": 120}, fixed=300),
    row("of some places alone", case(CIVIL, JAPAN), metals(terms("cn-metal", places=["US"], most=30)), {"cn-2026": 80, "au-2026": 70}),
    row("in a period that has a day of theirs", case(YEARS, stores=(store("metal", 100),)), metals(SECOND_HALF), {"cn-2026": 100, "cn-2027": 100},
        fixed=100),
    row("a set-up takes capacity", case(CIVIL), metals(source("CN", 3, "salt"), CAMPAIGN, cn=100), {"cn-2026": 70, "au-2026": 30}),
    row("each of two set-ups does", case(CIVIL, SALT), metals(source("CN", 3, "salt"), CAMPAIGN, terms("cn-salt", setup_use=30), cn=100),
        {"cn-2026": 40, "au-2026": 80}),
    row("not ordered before it is qualified", case(YEARS), QUALIFIED, {"au-2026": 100, "cn-2027": 100}, onboarding=700),
    row("an incumbent waits for nothing", case(YEARS, incumbents=INCUMBENT), QUALIFIED, {"cn-2026": 100, "cn-2027": 100}, onboarding=0),
    # 60 not taken at 7.50, in the last period of the year.
    row("what is not taken is paid for", case(demand("metal", "civil", 100, 20), discount="0.25", stores=(store("metal", 90),)), committed(),
        {"cn-2026": 100, "cn-2027": 20}, untaken=60 * 7.5 * 0.8, nominal=1200 + 450),
    row("what is not used is not", case(demand("metal", "civil", 10, 10)), committed(take_or_pay=200), {"au-2026": 10, "au-2027": 10}, untaken=0),
    row("quoted for whole periods", case(YEARS, **KEPT), quoted((None, "2026-12-31", 10), ("2027-01-01", None, 12)),
        {"cn-2026": 100, "cn-2027": 100}, price=2200),
    row("not offered in a period that lacks a day", case(YEARS, **KEPT), quoted((None, "2026-12-31", 10), ("2027-01-02", None, 12)),
        {"cn-2026": 100, "au-2027": 100}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "facts", "kilograms", "cost"), PLAN)
def test_terms_of_a_plan(given: Case, facts: Catalog, kilograms: dict[str, float], cost: dict[str, float]) -> None:
    """Kilograms by country and year of order, and parts of the cost."""
    found = planned(given, facts)
    sums: Counter[str] = Counter()
    for (name, period), quantity in ordered(found).items():
        sums[f"{name[:2]}-{period}"] += quantity
    assert sums == kilograms
    assert {part: float(getattr(found.cost, part)) for part in cost} == pytest.approx(cost)


def test_terms_of_places_are_refused_where_a_run_goes_to_none() -> None:
    """A run of several outputs is for no one place."""
    run = source("AU", 60, name="au-run", outputs=lines(metal=1, salt=3))
    with pytest.raises(InputError, match="FS264"):
        planned(case(CIVIL), metals(run, terms("au", of="facility", places=["US"], fixed=5)))


def test_money_of_terms_needs_a_rate() -> None:
    """A fixed cost in a currency without a rate is refused; with one it is converted on the first day of the span."""
    facts = metals(terms("cn-metal", fixed=100, currency="EUR"))
    with pytest.raises(InputError, match="FS251"):
        planned(case(CIVIL), facts)
    rate = Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1), source=SOURCE)
    assert planned(case(CIVIL), facts.but(rates=(rate,))).cost.fixed == 120


@pytest.mark.parametrize(
    ("wanted", "facts", "amount"),
    [
        pytest.param(100, metals(terms("cn-metal", fixed=100)), 1100, id="1,000 of metal and 100 for the order"),
        pytest.param(70, committed(), 775, id="70 kg, and 10 kg not taken at 7.50"),
    ],
)
def test_a_budget_counts_money_of_terms(wanted: float, facts: Catalog, amount: int) -> None:
    """A dollar less is too little: something is short, or the budget is kept elsewhere."""
    given = case(demand("metal", "civil", wanted))
    assert planned(given, facts, rule(Budget, amount=amount)).cost.objective == amount
    assert planned(given, facts, rule(Budget, amount=amount - 1)).cost.objective > amount


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (metals(terms("cn-metal", fixed=100, source=GUESS)), "terms of offer cn-metal (per period) are assumed"),
        (chinese(price=None, quotes=[{"amount": 11, "currency": "USD", "source": GUESS}]), "price 11 USD/kg is assumed: guessed"),
    ],
)  # fmt: skip
def test_assumed_terms_count_and_are_said(facts: Catalog, said: str) -> None:
    """What makes things dearer counts on any evidence."""
    found = planned(case(CIVIL), facts)
    assert (found.cost.total, told(found, "cn-metal")) == (1100, said)


def test_a_change_keeps_terms_and_moves_quotations() -> None:
    """A dearer offer still has its fixed cost, and the terms of a part that is solved again are those of the whole."""
    dearer = Change(price="cn-metal", factor=Decimal(2))
    facts = metals(source("CN", 3, "salt"), terms("cn-metal", fixed=100))
    answer = planned(case(CIVIL, SALT), facts).session.what_if(dearer)
    assert (answer.cost.fixed, answer.rise.total) == (100, 1000)
    assert planned(case(CIVIL), quoted((None, "2026-12-31", 10))).session.what_if(dearer).cost.price == 2000


def test_a_fixed_cost_and_holding_make_dynamic_lot_sizing() -> None:
    """Snyder and Shen's example 3.9: 90, 120, 80, 70 a period, 500 an order, 2 to hold: orders in 1 and 3, for 1,380."""
    wanted = demand("metal", "civil", 90, 120, 80, 70, price=100_000)
    found = planned(case(wanted, stores=(store("metal", 2),)), catalog(source("CN", 0), terms("cn-metal", fixed=500)))
    assert float(found.objective) == pytest.approx(1380)
    assert {t: q for (_, t), q in ordered(found).items()} == {"2026": 210, "2028": 150}


# ------------------------------------------------------------------------------------------------------------ verification


def resized(quantity: float) -> Callable[[Plan], Plan]:
    """Another quantity of Chinese metal."""

    def other(purchase: Purchase) -> Purchase:
        return purchase.but(quantity=Decimal(str(quantity))) if purchase.offer == "cn-metal" else purchase

    return lambda plan: plan.but(purchases=tuple(map(other, plan.purchases)))


def moved(plan: Plan) -> Plan:
    """Every purchase ordered and delivered in the first period."""
    when = {"ordered": 0, "delivered": 0}
    return plan.but(purchases=tuple(p.model_copy(update=when) for p in plan.purchases))


# Lots of 25, at most four, with a fixed cost, between 50 and 100, 20 of 120 kg of capacity to set up.
IN_LOTS = changed(
    metals(terms("cn-metal", fixed=40, least=50, most=100, setup_use=20), cn=120), "cn-metal", lot=25, max_lots=4
)
SOON = case(CIVIL)
LATER = case(demand("metal", "civil", 0, 20), stores=(store("metal", 1),))


@pytest.mark.parametrize(
    ("given", "facts", "tamper", "words"),
    [
        (SOON, IN_LOTS, resized(110), "FS632 the orders from `cn-metal` in 2026"),
        (SOON, IN_LOTS, resized(99.999), "FS632 the orders from `cn-metal` in 2026"),
        (SOON, IN_LOTS, resized(125), "FS632 more lots are ordered"),
        (SOON, IN_LOTS, resized(125), "FS632 more is ordered under the terms of offer cn-metal in 2026"),
        (SOON, IN_LOTS, resized(125), "FS627 more is taken from `cn` in 2026 than its capacity"),
        (SOON, IN_LOTS, resized(25), "FS632 less is ordered under the terms of offer cn-metal in 2026"),
        (SOON, IN_LOTS, lambda plan: plan.but(objective=plan.objective - 40, bound=Decimal(0)), "FS634 the plan's objective"),
        (LATER, committed(qualification=12), lambda plan: plan.but(objective=plan.objective - 450), "FS634 the plan's objective"),
        (LATER, committed(qualification=12), moved, "FS624 cn-metal to US"),
    ],
)  # fmt: skip
def test_the_verifier_names_what_is_wrong(
    given: Case, facts: Catalog, tamper: Callable[[Plan], Plan], words: str
) -> None:
    """Lots, quantities, capacity with its set-up, fixed money, commitments, and days of order are each derived again."""
    found = planned(given, facts)
    assert found.cost.total == (1040 if given is SOON else 200 + 450)
    with pytest.raises(VerificationError) as caught:
        verify(found.plan.problem, tamper(found.plan.plan))
    assert words in str(caught.value)


# ------------------------------------------------------------------------------------ qualification, take-or-pay, quotations


def test_a_commitment_counts_the_days_on_which_orders_can_be_placed() -> None:
    """Offered from July on, two quarters: half of the year's quantity."""
    quarters = demand("metal", "civil", 0, 0, 10, 0)
    found = planned(case(quarters, length="quarter"), committed(start=date(2026, 7, 1)))
    days = Decimal(31 + 31 + 30 + 31 + 30 + 31)
    assert float(found.cost.untaken) == pytest.approx(float((80 * days / 365 - 10) * Decimal("7.5")))


def test_more_than_is_needed_is_taken_where_that_is_cheaper_than_paying_for_it() -> None:
    """10 in the first quarter, 20 in the second, at which what is not taken is paid: all of it is taken in the first."""
    rows = quotes((None, "2026-03-31", 10), ("2026-04-01", None, 20))
    facts = committed(take_or_pay_share=1, price=None, quotes=rows)
    found = planned(case(demand("metal", "civil", 20, 0), length="quarter"), facts)
    quantity = 80 * (31 + 28 + 31 + 30 + 31 + 30) / 365
    assert ordered(found)["cn-metal", "2026-Q1"] == pytest.approx(quantity, abs=0.001)
    assert float(found.cost.total) == pytest.approx(10 * quantity, abs=0.02)


def test_an_offer_without_a_quotation_for_a_whole_period_is_a_lead() -> None:
    """It is shown, never counted, and the reason said."""
    found = planned(case(CIVIL), quoted(("2026-03-01", None, 10)))
    assert bought(found) == {"au-metal": 100}
    assert [lead.reasons for lead in found.run.leads] == [["no quotation is valid throughout a period of the plan"]]


def test_two_quotations_for_a_day_are_refused() -> None:
    """Given in memory as well as in a file."""
    with pytest.raises(ValidationError, match="FS025"):
        planned(case(CIVIL), quoted((None, None, 10), ("2026-01-01", None, 12)))
