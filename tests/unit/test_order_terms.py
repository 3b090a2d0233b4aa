"""Lots and terms of trade: how they are read, what they make of a plan, and what the verifier says of one that breaks them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.catalog import read_catalog
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.market import Rate
from friendshore.domain.plan import Plan, Purchase
from friendshore.errors import InputError, VerificationError
from friendshore.recommend import Recommendation
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
        next(t for t in read_catalog(GOOD).terms if t.id == name) for name in ("powder", "Lynas", "powder-works")
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
        (",ore,,,year,500,,,,,,paper", "fixed", "cannot be read"),
        (",ore,,,year,,,,,,,paper", "fixed", "say nothing"),
        (",ore,,,year,,5 t,4 t,,,,paper", "least", "more than `most`"),
        (",ore,,,year,,,,1 t,,,paper", "setup_use", "not for a year"),
        ("supplier,Almonty,,,period,,,,1 t,,,paper", "setup_use", "no capacity"),
        ("facility,circuit,,,year,,5 t Dy,,,,,paper", "least", "several materials"),
        (",ore,,,year,5 USD,,,,2027-02-01,2027-01-01,paper", "until", "is before"),
        (",ore,,,year,5 USD,,,,,,", "source", "needed"),
        (",ore,,,week,5 USD,,,,,,paper", "per", "cannot be read"),
    ],
)
def test_a_mistake_is_told_at_its_cell(tmp_path: Path, row: str, column: str, words: str) -> None:
    """Each mistake of a row is told at its column, with what was expected or how to mend it."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "small"))
    (folder / "terms.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    problems = refused(read_catalog, folder)
    assert [(p.column, p.row) for p in problems] == [(column, 2)]
    (problem,) = problems
    assert words in problem.message
    assert problem.expected or problem.fix


@pytest.mark.parametrize(
    "figures",
    [{}, {"fixed": -1}, {"least": 5, "most": 4}, {"setup_use": 5, "per": "year"}, {"setup_use": 5, "of": "supplier"}],
)
def test_a_record_refuses_what_is_no_terms(figures: dict[str, Any]) -> None:
    """Terms given in memory are held to the same."""
    with pytest.raises(ValueError, match=r"terms|zero or more|is more than|set-up|set up"):
        terms("cn-metal", **figures)


# -------------------------------------------------------------------------------------------------------------------- lots


def test_what_is_beyond_need_of_a_whole_lot_falls_on_stock() -> None:
    """100 kg wanted, sold by 45: three lots are bought, and 35 kg kept."""
    found = planned(case(CIVIL, stores=(store("metal", 1),)), changed(metals(), "cn-metal", lot=45))
    assert bought(found) == {"cn-metal": 135}
    assert [float(s.quantity) for s in found.plan.plan.stocks] == [35]


def test_what_lots_leave_open_is_bought_elsewhere_where_that_is_cheaper() -> None:
    """Two lots and 10 kg from Australia at 50 cost less than a third lot at 10."""
    found = planned(case(CIVIL, stores=(store("metal", 9),)), changed(metals(), "cn-metal", lot=45, max_lots=2))
    assert bought(found) == {"cn-metal": 90, "au-metal": 10}


def test_an_order_is_whole_lots_to_the_last_digit() -> None:
    """A lot of 100 lb is no whole number of grams; the sum over two uses and two places is a whole number of lots all the same."""
    pounds = Decimal("45.359237")
    wanted = [
        demand("metal", "civil", 70, 31),
        demand("metal", "defense", 55, 17),
        demand("metal", "civil", 33.3, 20, place="JP", id="japan"),
    ]
    facts = changed(metals(), "cn-metal", lot=pounds)
    found = planned(case(*wanted, stores=(store("metal", 1), store("metal", 1, "JP"))), facts, apart())
    for t in (0, 1):
        units = sum(
            (p.quantity for p in found.plan.plan.purchases if p.ordered == t and p.offer == "cn-metal"), Decimal(0)
        )
        assert units
        assert units % pounds == 0
    assert len({(p.place, p.requirement) for p in found.plan.plan.purchases}) > 2


def apart() -> Any:
    """A ban that makes defence a compliance class of its own."""
    return ban("mined", countries="AU", start=None)


# ------------------------------------------------------------------------------------------------------------------- terms


def test_a_fixed_cost_is_due_in_the_first_period_of_its_span() -> None:
    """200 once for both years counts whole, however late the order; 200 a year counts what money of that year does."""
    wanted = demand("metal", "civil", 0, 100)
    for per, fixed in (("horizon", 200.0), ("year", 160.0), ("period", 160.0)):
        found = planned(
            case(wanted, discount="0.25", stores=(store("metal", 100),)), metals(terms("cn-metal", per=per, fixed=200))
        )
        assert ordered(found) == {("cn-metal", "2027"): 100}
        assert float(found.cost.fixed) == fixed
        assert float(found.cost.total) == 800 + fixed


def test_the_terms_of_a_facility_bear_on_what_lies_within_it() -> None:
    """One fixed cost for a works and its line."""
    sites = [facility("works", "AU"), facility("line", "AU", within="works")]
    sold = [source("AU", 10, plant="works"), source("AU", 5, "salt", plant="line")]
    facts = catalog(*sites, *sold, terms("works", of="facility", per="year", fixed=300))
    found = planned(case(CIVIL, demand("salt", "civil", 20)), facts)
    assert found.cost.fixed == 300


def test_terms_may_be_about_some_places_alone() -> None:
    """No more than 30 kg a year to the United States; Japan has what it wants."""
    facts = metals(terms("cn-metal", places=["US"], most=30))
    found = planned(case(CIVIL, demand("metal", "civil", 50, place="JP", id="japan")), facts)
    assert bought(found) == {"cn-metal": 80, "au-metal": 70}


def test_terms_of_places_are_refused_where_a_run_goes_to_none() -> None:
    """A run of several outputs is for no one place."""
    run = source("AU", 60, name="au-run", outputs=lines(metal=1, salt=3))
    with pytest.raises(InputError, match="for which place is a run"):
        planned(case(CIVIL), metals(run, terms("au", of="facility", places=["US"], fixed=5)))


def test_money_of_terms_needs_a_rate() -> None:
    """A fixed cost in a currency without a rate is refused; with one it is converted on the first day of the span."""
    facts = metals(terms("cn-metal", fixed=100, currency="EUR"))
    with pytest.raises(InputError, match="no exchange rate from EUR to USD"):
        planned(case(CIVIL), facts)
    rate = Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1), source=SOURCE)
    assert planned(case(CIVIL), facts.but(rates=(rate,))).cost.fixed == 120


def test_terms_hold_in_a_period_that_has_a_day_of_theirs() -> None:
    """From July on there is a fixed cost: the whole year has it."""
    facts = metals(terms("cn-metal", fixed=100, start=date(2026, 7, 1), end=date(2026, 12, 31)))
    found = planned(case(demand("metal", "civil", 100, 100), stores=(store("metal", 100),)), facts)
    assert found.cost.fixed == 100


def test_a_set_up_takes_capacity() -> None:
    """Of 100 kg a year, a campaign takes 30: 70 are left, and a second campaign leaves 40."""
    limited = metals(source("CN", 3, "salt"), terms("cn", of="facility", materials=["metal"], setup_use=30), cn=100)
    assert bought(planned(case(CIVIL), limited)) == {"cn-metal": 70, "au-metal": 30}
    both = limited.but(terms=(*limited.terms, terms("cn-salt", setup_use=30)))
    found = planned(case(CIVIL, demand("salt", "civil", 20)), both)
    assert bought(found) == {"cn-metal": 20, "cn-salt": 20, "au-metal": 80}


def test_a_budget_counts_fixed_costs_when_they_are_due() -> None:
    """1,000 of metal and 100 for the order: too much for a budget of 1,099, so that the last is short."""
    facts = metals(terms("cn-metal", fixed=100))
    assert planned(case(CIVIL), facts, rule(Budget, amount=1100)).cost.shortage == 0
    assert planned(case(CIVIL), facts, rule(Budget, amount=1099)).cost.shortage > 0


def test_assumed_terms_count_and_are_said() -> None:
    """What makes things dearer counts on any evidence."""
    found = planned(case(CIVIL), metals(terms("cn-metal", fixed=100, source=GUESS)))
    assert found.cost.fixed == 100
    assert told(found, "cn-metal") == "terms of offer cn-metal (per period) are assumed"


def test_a_change_keeps_terms() -> None:
    """A dearer offer still has its fixed cost, and the terms of a part that is solved again are those of the whole."""
    found = planned(
        case(CIVIL, demand("salt", "civil", 20)), metals(source("CN", 3, "salt"), terms("cn-metal", fixed=100))
    )
    answer = found.session.after(Change(price="cn-metal", factor=Decimal(2)))
    assert answer.cost.fixed == 100
    assert answer.rise.total == 1000


def lot_sizes(wanted: list[int], fixed: int, holding: int) -> Recommendation:
    """Wagner and Whitin's problem: orders of any size at a fixed cost, holding for each period in stock, no shortage."""
    sites, sold = [facility("cn", "CN")], [source("CN", 0)]
    given = case(demand("metal", "civil", *wanted, price=100_000), stores=(store("metal", holding),), length="year")
    return planned(given, catalog(*sites, *sold, terms("cn-metal", fixed=fixed)))


def test_a_fixed_cost_and_holding_make_dynamic_lot_sizing() -> None:
    """Snyder and Shen's example 3.9: 90, 120, 80, 70 a period, 500 an order, 2 to hold: orders in 1 and 3, for 1,380."""
    found = lot_sizes([90, 120, 80, 70], 500, 2)
    assert float(found.objective) == pytest.approx(1380)
    assert {t: q for (_, t), q in ordered(found).items()} == {"2026": 210, "2028": 150}


# ------------------------------------------------------------------------------------------------------------ verification


def facts() -> Catalog:
    """Chinese metal in lots of 25, at most four, with a fixed cost, between 50 and 100, 20 of 120 kg of capacity to set up."""
    rows = terms("cn-metal", fixed=40, least=50, most=100, setup_use=20)
    return changed(metals(rows, cn=120), "cn-metal", lot=25, max_lots=4)


def resized(plan: Plan, quantity: float) -> Plan:
    """The plan with another quantity of Chinese metal, and what that leaves of stock and shortage."""
    kilograms = Decimal(str(quantity))

    def other(purchase: Purchase) -> Purchase:
        return purchase.but(quantity=kilograms) if purchase.offer == "cn-metal" else purchase

    return plan.but(purchases=tuple(map(other, plan.purchases)))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda plan: resized(plan, 110), "no whole number of lots"),
        (lambda plan: resized(plan, 99.999), "no whole number of lots"),
        (lambda plan: resized(plan, 125), "more lots are ordered"),
        (lambda plan: resized(plan, 125), "more is ordered under the terms of offer cn-metal in 2026"),
        (lambda plan: resized(plan, 125), "more is taken from `cn` in 2026 than its capacity"),
        (lambda plan: resized(plan, 25), "less is ordered under the terms of offer cn-metal in 2026"),
        (lambda plan: plan.but(objective=plan.objective - 40, bound=Decimal(0)), "objective is not"),
    ],
)  # fmt: skip
def test_the_verifier_names_what_is_not_so(tamper: Callable[[Plan], Plan], words: str) -> None:
    """Lots, quantities, capacity with its set-up, and fixed money are each derived again."""
    found = planned(case(CIVIL), facts())
    assert bought(found) == {"cn-metal": 100}
    with pytest.raises(VerificationError) as caught:
        verify(found.plan.problem, tamper(found.plan.plan))
    assert words in str(caught.value)


# ------------------------------------------------------------------------------------ qualification, take-or-pay, quotations


def test_an_offer_is_not_ordered_before_it_is_qualified() -> None:
    """Nine months from the start of the plan are a year of waiting; an incumbent waits for nothing, and pays no onboarding."""
    years = demand("metal", "civil", 100, 100)
    facts = changed(metals(), "cn-metal", qualification=9, onboarding=700, onboarding_currency="USD")
    later = planned(case(years), facts)
    assert ordered(later) == {("au-metal", "2026"): 100, ("cn-metal", "2027"): 100}
    assert later.cost.onboarding == 700
    today = planned(case(years, incumbents=[{"offer": "cn-metal", "per_year": 50}]), facts)
    assert bought(today) == {"cn-metal": 200}
    assert today.cost.onboarding == 0


def committed(**more: Any) -> Catalog:
    """Chinese metal: 80 a year are paid for, at three quarters of the price."""
    return changed(metals(), "cn-metal", **{"take_or_pay": 80, "take_or_pay_share": "0.75", **more})


def test_what_is_not_taken_is_paid_for() -> None:
    """100 in the first year, 20 in the second: 60 not taken at 7.50, in the last period of the year."""
    found = planned(case(demand("metal", "civil", 100, 20), discount="0.25", stores=(store("metal", 90),)), committed())
    assert ordered(found) == {("cn-metal", "2026"): 100, ("cn-metal", "2027"): 20}
    assert float(found.cost.untaken) == 60 * 7.5 * 0.8
    assert found.cost.nominal == 1200 + 450


def test_an_offer_that_is_not_used_is_not_paid_for() -> None:
    """Where it is dearer to be committed than to buy elsewhere, nothing is due."""
    found = planned(case(demand("metal", "civil", 10, 10)), committed(take_or_pay=200))
    assert bought(found) == {"au-metal": 20}
    assert found.cost.untaken == 0


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


def quotes(*rows: tuple[str | None, str | None, float]) -> list[dict[str, Any]]:
    """Quotations in dollars."""
    return [{"start": a, "end": b, "amount": p, "currency": "USD", "source": SOURCE} for a, b, p in rows]


def quoted(*rows: tuple[str | None, str | None, float]) -> Catalog:
    """Chinese metal by quotations."""
    return changed(metals(), "cn-metal", price=None, quotes=quotes(*rows))


def test_a_quotation_holds_only_in_periods_that_it_covers() -> None:
    """10 in 2026; 12 for all of 2027 but a day: not offered in that, and bought ahead."""
    years = case(demand("metal", "civil", 100, 100), stores=(store("metal", 45),))
    whole = planned(years, quoted((None, "2026-12-31", 10), ("2027-01-01", None, 12)))
    assert ordered(whole) == {("cn-metal", "2026"): 100, ("cn-metal", "2027"): 100}
    assert whole.cost.price == 2200
    part = planned(years, quoted((None, "2026-12-31", 10), ("2027-01-02", None, 12)))
    assert ordered(part) == {("cn-metal", "2026"): 100, ("au-metal", "2027"): 100}


def test_an_offer_without_a_quotation_for_a_whole_period_is_a_lead() -> None:
    """It is shown, never counted, and the reason said."""
    found = planned(case(CIVIL), quoted(("2026-03-01", None, 10)))
    assert bought(found) == {"au-metal": 100}
    assert [lead.reasons for lead in found.run.leads] == [["no quotation holds throughout a period of the plan"]]


def test_two_quotations_for_a_day_are_refused() -> None:
    """Given in memory as well as in a file."""
    with pytest.raises(ValidationError, match=r"on some days the quotation of .* holds as well"):
        planned(case(CIVIL), quoted((None, None, 10), ("2026-01-01", None, 12)))


def test_a_guessed_quotation_is_said() -> None:
    """It counts as an assumed price does."""
    rows = [{"amount": 10, "currency": "USD", "source": GUESS}]
    found = planned(case(CIVIL), changed(metals(), "cn-metal", price=None, quotes=rows))
    assert told(found, "cn-metal") == "price 10 USD/kg is assumed: guessed"


def test_a_change_of_price_moves_quotations() -> None:
    """Asked of the session, and of the case after the change."""
    facts = quoted((None, "2026-12-31", 10))
    answer = planned(case(CIVIL), facts).session.after(Change(price="cn-metal", factor=Decimal(3)))
    assert answer.cost.price == 3000


def test_a_budget_counts_what_is_paid_for_and_not_taken() -> None:
    """70 kg and 10 kg not taken at 7.50 come to 775: a budget of 774 leaves something short, or is kept elsewhere."""
    wanted = case(demand("metal", "civil", 70))
    assert planned(wanted, committed(), rule(Budget, amount=775)).cost.shortage == 0
    assert planned(wanted, committed(), rule(Budget, amount=774)).cost.objective > 775


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (lambda plan: plan.but(objective=plan.objective - 450), "objective is not"),
        (lambda plan: moved(plan, 0), "is ordered when it is not offered"),
    ],
)
def test_the_verifier_counts_commitments_and_dates_again(tamper: Callable[[Plan], Plan], words: str) -> None:
    """What is due on what is not taken, and when orders may be placed."""
    facts = committed(qualification=12)
    found = planned(case(demand("metal", "civil", 0, 20), stores=(store("metal", 1),)), facts)
    assert found.cost.untaken == 450
    with pytest.raises(VerificationError) as caught:
        verify(found.plan.problem, tamper(found.plan.plan))
    assert words in str(caught.value)


def moved(plan: Plan, period: int) -> Plan:
    """The plan with every purchase ordered and delivered in a period."""
    when = {"ordered": period, "delivered": period}
    return plan.but(purchases=tuple(p.model_copy(update=when) for p in plan.purchases))
