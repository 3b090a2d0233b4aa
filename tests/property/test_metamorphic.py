"""What must change a plan in a way that is known beforehand: larger quantities, one thing split in two, an edit made in another way."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.building import schedule, tier

from friendshore.case import load_case
from friendshore.domain.change import Change
from friendshore.domain.facts import Offer
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, gather, plan
from friendshore.workbook import case_tables, case_workbook, edits_of

from .bills import World
from .compare import RELATIVE, rounding
from .disk import write, write_case
from .scaling import scaled, sized_cases
from .settings import examples
from .strategies import Tiny
from .test_records import as_files_say
from .test_tiers import gapped, worlds

UNSPLIT = ("min_order", "lot", "max_lots", "onboarding", "qualification", "take_or_pay")
"""Terms of an offer that two halves of it would not keep together."""


def outcome(tiny: Tiny, *changes: Change) -> Recommendation | None:
    """The plan of a case; None where its facts make no sense together."""
    try:
        return plan(
            tiny.case, catalogs=[tiny.catalog], rules=tiny.rules, changes=changes, registry=Registry.of(), workers=1
        )
    except InputError:
        return None


def costs_as_much(tiny: Tiny, first: Recommendation | None, second: Recommendation | None, factor: int = 1) -> None:
    """Asserts that the second plan is as good as the first, that of a case, and costs so many times as much."""
    assert (first is None) == (second is None)
    if first is None or second is None:
        return
    assert second.status is first.status
    if first.status is PlanStatus.INFEASIBLE:
        return
    one, other = (float(found.plan.plan.objective) for found in (first, second))
    allowed = RELATIVE * max(1.0, abs(other)) + factor * rounding(tiny.case, [tiny.catalog], first)
    assert abs(other - factor * one) <= allowed, f"{other}, not {factor * one}"


def but(tiny: Tiny, case: Any = None, catalog: Any = None) -> Tiny:
    """The same case with other values of its fields, or of its catalog's."""
    return Tiny(tiny.case.model_copy(update=case or {}), tiny.catalog.model_copy(update=catalog or {}), tiny.rules)


@examples(300)
@given(sized_cases(), st.sampled_from((100, 1000)))
def test_so_many_times_as_much_costs_so_many_times_as_much(tiny: Tiny, factor: int) -> None:
    """Nothing depends on the size of numbers: neither rounding to a gram, nor tolerances, nor the thresholds of price schedules."""
    costs_as_much(tiny, outcome(tiny), outcome(scaled(tiny, factor)), factor)


ON_THE_EDGE = World(
    prices=(1, 3, 1),
    wanted=(3,),
    shortage=40,
    holding=0,
    interest=Decimal(0),
    most=8,
    least=3,
    kept=(True, False),
    schedules=(
        schedule("buy-metal", tier(0, discount=0.1), tier(3, discount=0.25, lump=5)),
        schedule("Acme", tier(0, discount=0.1), tier(3, discount=0.25), of="supplier"),
    ),
)
"""The least order is where a dearer tier of the offer begins, and a cheaper one of its supplier: no plan is on both sides of it."""


@examples(300)
@given(st.one_of(worlds(), gapped()), st.sampled_from((1000, 20_000)))
@example(ON_THE_EDGE, 20_000)
def test_price_schedules_of_so_many_times_as_much_cost_so_many_times_as_much(world: World, factor: int) -> None:
    """Orders that stay just below a dearer tier stay there, whatever they weigh, and those that just reach a cheaper one reach it."""
    tiny = Tiny(*world.facts(), ())
    costs_as_much(tiny, outcome(tiny), outcome(scaled(tiny, factor)), factor)


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_an_offer_split_in_two_costs_as_much(tiny: Tiny, order: Random) -> None:
    """Two halves of an offer that nothing else names, of one plant, each with half of what it may give."""
    named = {terms.id for terms in (*tiny.catalog.terms, *tiny.catalog.schedules) if terms.of == "offer"}
    named |= {getattr(rule, "offer", "") for rule in tiny.rules} | {one.offer for one in tiny.case.orders}
    plain = [o for o in tiny.catalog.offers if o.id not in named and not any(getattr(o, term) for term in UNSPLIT)]
    assume(plain)
    chosen = order.choice(plain)
    halves = _halves(chosen, ("max_order", "max_per_year", "total"))
    offers = tuple(half for one in tiny.catalog.offers for half in (halves if one is chosen else (one,)))
    costs_as_much(tiny, outcome(tiny), outcome(but(tiny, catalog={"offers": offers})))


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_a_demand_split_in_two_costs_as_much(tiny: Tiny, order: Random) -> None:
    """Two halves of a demand that no waiver names."""
    named = {waiver.demand for waiver in tiny.case.waivers}
    plain = [one for one in tiny.case.demands if one.id not in named]
    assume(plain)
    chosen = order.choice(plain)
    fields = {
        "per_year": chosen.per_year and chosen.per_year / 2,
        "quantities": tuple(q / 2 for q in chosen.quantities),
    }
    halves = tuple(chosen.but(**fields, id=f"{chosen.id}-{half}") for half in "ab")
    demands = tuple(half for one in tiny.case.demands for half in (halves if one is chosen else (one,)))
    costs_as_much(tiny, outcome(tiny), outcome(but(tiny, case={"demands": demands})))


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_a_change_costs_what_the_edited_case_costs(tiny: Tiny, order: Random) -> None:
    """A price, a capacity, a quantity or the loss of an offer: told as a change, or written into the records."""
    tiny = but(tiny, case={"assume": tiny.case.assume.but(holding=Decimal(0))})
    change, edited = order.choice((_priced, _enlarged, _wanted, _lost))(tiny, order)
    costs_as_much(tiny, outcome(edited), outcome(tiny, change))


def _priced(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    offers = [one for one in tiny.catalog.offers if one.price is not None]
    assume(offers)
    chosen, amount = order.choice(offers), Decimal(order.randrange(1, 90))
    price = chosen.price.but(amount=amount, currency="USD")
    change = Change(price=f"offer:{chosen.id}", amount=amount, currency="USD")
    return change, _with_offer(tiny, chosen, chosen.but(price=price))


def _enlarged(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    chosen, per_year = order.choice(tiny.catalog.facilities), Decimal(order.randrange(10, 50_000))
    steps = tuple(step.but(per_year=per_year) for step in chosen.capacity)
    other = chosen.but(capacity=steps)
    facilities = tuple(other if one is chosen else one for one in tiny.catalog.facilities)
    return Change(capacity=chosen.id, per_year=per_year), but(tiny, catalog={"facilities": facilities})


def _wanted(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    chosen, factor = order.choice(tiny.case.demands), Decimal(order.choice(("0", "0.5", "1.5", "3")))
    fields = {
        "per_year": chosen.per_year and chosen.per_year * factor,
        "quantities": tuple(quantity * factor for quantity in chosen.quantities),
    }
    assume(factor or not chosen.per_year)
    demands = tuple(one.model_copy(update=fields) if one is chosen else one for one in tiny.case.demands)
    return Change(demand=f"demand:{chosen.id}", factor=factor), but(tiny, case={"demands": demands})


def _lost(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    named = {getattr(rule, "offer", "") for rule in tiny.rules} | {one.offer for one in tiny.case.orders}
    named |= {terms.id for terms in (*tiny.catalog.terms, *tiny.catalog.schedules) if terms.of == "offer"}
    offers = [one for one in tiny.catalog.offers if one.id not in named]
    assume(len(offers) > 1)
    chosen = order.choice(offers)
    kept = tuple(one for one in tiny.catalog.offers if one is not chosen)
    return Change(remove=f"offer:{chosen.id}"), but(tiny, catalog={"offers": kept})


def _with_offer(tiny: Tiny, old: Offer, new: Offer) -> Tiny:
    return but(tiny, catalog={"offers": tuple(new if one is old else one for one in tiny.catalog.offers)})


def _halves(offer: Offer, fields: Sequence[str]) -> tuple[Offer, Offer]:
    update = {name: getattr(offer, name) / 2 for name in fields if getattr(offer, name) is not None}
    first, second = (offer.but(**update, id=f"{offer.id}-{half}") for half in "ab")
    return first, second


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_an_edit_in_the_workbook_of_a_case_costs_what_the_edited_files_cost(tiny: Tiny, order: Random) -> None:
    """Unedited, the workbook comes to no change; with another price it comes to a scenario, which costs what the edited files cost."""
    tiny = Tiny(as_files_say(tiny), tiny.catalog, tiny.rules)
    _, edited = _priced(tiny, order)
    changed = next(
        (old, new) for old, new in zip(tiny.catalog.offers, edited.catalog.offers, strict=True) if old is not new
    )
    with tempfile.TemporaryDirectory() as scratch:
        case, other = (_in_files(one, Path(scratch, name)) for one, name in ((tiny, "a"), (edited, "b")))
        first, second = load_case(case), load_case(other)
        book, gathered = Path(scratch, "case.xlsx"), gather(first, Registry.of())
        try:
            tables = case_tables(gathered)
        except InputError:
            return  # facts that make no sense together have no workbook
        book.write_bytes(case_workbook(tables, "case.xlsx"))
        assert edits_of(book, gathered, "mine").scenario.change == ()
        _edit_price(book, changed[1])
        changes = edits_of(book, gathered, "mine").scenario.change
        plans = [_planned(first, *changes), _planned(second)]
    costs_as_much(edited, plans[1], plans[0])


def _in_files(tiny: Tiny, folder: Path) -> Path:
    folder.mkdir()
    write(tiny.catalog, folder / "tiny", "kg", Random(4))
    return write_case(tiny.case, tiny.rules, folder, "tiny")


def _planned(case: Any, *changes: Change) -> Recommendation | None:
    try:
        return plan(case, changes=changes, registry=Registry.of(), workers=1)
    except InputError:
        return None


def _edit_price(book: Path, offer: Offer) -> None:
    from openpyxl import load_workbook

    sheets = load_workbook(book)
    heads = {str(head.value).partition(" [")[0]: head.column for head in sheets["offers"][1]}
    rows = range(2, sheets["offers"].max_row + 1)
    row = next(row for row in rows if sheets["offers"].cell(row, heads["id"]).value == offer.id)
    sheets["offers"].cell(row, heads["price"]).value = f"{offer.price.amount} USD/kg"
    sheets.save(book)
