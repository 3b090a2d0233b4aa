"""What must change a plan in a way that is known beforehand: larger quantities, one thing split in two, an edit made in another way."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.building import schedule, tier

from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.change import Change
from friendshore.domain.facts import Offer
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, plan

from .bills import World, worlds
from .compare import RELATIVE, rounding
from .scaling import scaled, sized_cases
from .settings import examples
from .strategies import Tiny

UNSPLIT = ("min_order", "lot", "max_lots", "onboarding", "qualification", "take_or_pay")
"""Terms of an offer that two halves of it would not keep together."""


def outcome(case: Case, *changes: Change, **more: Any) -> Recommendation | None:
    """The plan of a case, by itself or of some catalogs and rules; None where its facts make no sense together."""
    try:
        return plan(case, changes=changes, registry=Registry.of(), workers=1, strict_limits=True, **more)
    except InputError:
        return None


def of_tiny(tiny: Tiny, *changes: Change) -> Recommendation | None:
    """The plan of a tiny case."""
    return outcome(tiny.case, *changes, catalogs=[tiny.catalog], rules=tiny.rules)


def costs_as_much(
    tiny: Tiny, first: Recommendation | None, second: Recommendation | None, factor: int = 1, more_rounded: int = 0
) -> None:
    """Asserts that the second plan is as good as the first, that of a case, and costs `factor` times as much.

    `more_rounded` is the number of quantities that only one of them rounds.
    """
    assert (first is None) == (second is None)
    if first is None or second is None:
        return
    assert second.status is first.status
    if first.status is PlanStatus.INFEASIBLE:
        return
    one, other = (float(found.plan.plan.objective) for found in (first, second))
    allowed = RELATIVE * max(1.0, abs(other)) + factor * rounding(tiny.case, [tiny.catalog], first, more_rounded)
    assert abs(other - factor * one) <= allowed, f"{other}, not {factor * one}"


def but(tiny: Tiny, case: Any = None, catalog: Any = None) -> Tiny:
    """The same case with other values of its fields, or of its catalog's."""
    return Tiny(tiny.case.model_copy(update=case or {}), tiny.catalog.model_copy(update=catalog or {}), tiny.rules)


def instead(records: Sequence[Any], old: Any, *new: Any) -> tuple[Any, ...]:
    """The records with others in place of one."""
    return tuple(each for one in records for each in (new if one is old else (one,)))


def times(demand: DemandSpec, factor: Decimal) -> dict[str, Any]:
    """What a demand wants, times a factor."""
    return {
        "per_year": demand.per_year and demand.per_year * factor,
        "quantities": tuple(quantity * factor for quantity in demand.quantities),
    }


@examples(300)
@given(sized_cases(), st.sampled_from((100, 1000)))
def test_so_many_times_as_much_costs_so_many_times_as_much(tiny: Tiny, factor: int) -> None:
    """Nothing depends on the size of numbers: neither rounding to a gram, nor tolerances, nor the thresholds of price schedules."""
    costs_as_much(tiny, of_tiny(tiny), of_tiny(scaled(tiny, factor)), factor)


ON_THE_EDGE = World(
    prices=(1, 3, 1), wanted=(3,), shortage=40, holding=0, interest=Decimal(0), most=8, least=3, kept=(True, False),
    schedules=(
        schedule("buy-metal", tier(0, discount=0.1), tier(3, discount=0.25, lump=5)),
        schedule("Acme", tier(0, discount=0.1), tier(3, discount=0.25), of="supplier"),
    ),
)  # fmt: skip
"""The least order is where a dearer tier of the offer begins, and a cheaper one of its supplier: no plan is on both sides of it."""


@examples(300)
@given(worlds() | worlds(gaps=True), st.sampled_from((1000, 20_000)))
@example(ON_THE_EDGE, 20_000)
def test_price_schedules_of_so_many_times_as_much_cost_so_many_times_as_much(world: World, factor: int) -> None:
    """Orders that stay just below a dearer tier stay there, whatever they weigh, and those that just reach a cheaper one reach it."""
    tiny = Tiny(*world.facts(), ())
    first = of_tiny(tiny)
    # For each purchase that counts, a plan stays a whole step below a more expensive tier, and not half a step.
    counted = 2 * tiny.case.horizon.count * len(tiny.catalog.offers) if tiny.catalog.schedules else 0
    costs_as_much(tiny, first, of_tiny(scaled(tiny, factor)), factor, counted)


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_an_offer_split_in_two_costs_as_much(tiny: Tiny, order: Random) -> None:
    """Two halves of an offer that nothing else names, of one plant, each with half of what it may give."""
    plain = [o for o in _unnamed(tiny) if not any(getattr(o, term) for term in UNSPLIT)]
    assume(plain)
    chosen = order.choice(plain)
    most = {name: value for name in ("max_order", "max_per_year", "total") if (value := getattr(chosen, name))}
    half = {name: value / 2 for name, value in most.items()}
    halves = (chosen.but(**half, id=f"{chosen.id}-{name}") for name in "ab")
    split = but(tiny, catalog={"offers": instead(tiny.catalog.offers, chosen, *halves)})
    costs_as_much(tiny, of_tiny(tiny), of_tiny(split))


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_a_demand_split_in_two_costs_as_much(tiny: Tiny, order: Random) -> None:
    """Two halves of a demand that no waiver names."""
    named = {waiver.demand for waiver in tiny.case.waivers}
    plain = [one for one in tiny.case.demands if one.id not in named]
    assume(plain)
    chosen = order.choice(plain)
    halves = (chosen.but(**times(chosen, Decimal("0.5")), id=f"{chosen.id}-{half}") for half in "ab")
    split = but(tiny, case={"demands": instead(tiny.case.demands, chosen, *halves)})
    costs_as_much(tiny, of_tiny(tiny), of_tiny(split), more_rounded=2 * tiny.case.horizon.count)


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_a_change_costs_what_the_edited_case_costs(tiny: Tiny, order: Random) -> None:
    """A price, a capacity, a quantity or the loss of an offer: told as a change, or written into the records."""
    tiny = but(tiny, case={"assume": tiny.case.assume.but(holding=Decimal(0))})
    change, edited = order.choice((priced, _enlarged, _wanted, _lost))(tiny, order)
    costs_as_much(tiny, of_tiny(edited), of_tiny(tiny, change))


def _unnamed(tiny: Tiny) -> list[Offer]:
    """Offers that nothing else names."""
    named = {getattr(rule, "offer", "") for rule in tiny.rules} | {one.offer for one in tiny.case.orders}
    named |= {terms.id for terms in (*tiny.catalog.terms, *tiny.catalog.schedules) if terms.of == "offer"}
    return [one for one in tiny.catalog.offers if one.id not in named]


def priced(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    """Return a change of the price of some offer, and the case with that price."""
    offers = [one for one in tiny.catalog.offers if one.price is not None]
    assume(offers)
    chosen, amount = order.choice(offers), Decimal(order.randrange(1, 90))
    other = chosen.but(price=chosen.price.but(amount=amount, currency="USD"))
    change = Change(price=f"offer:{chosen.id}", amount=amount, currency="USD")
    return change, but(tiny, catalog={"offers": instead(tiny.catalog.offers, chosen, other)})


def _enlarged(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    chosen, per_year = order.choice(tiny.catalog.facilities), Decimal(order.randrange(10, 50_000))
    steps = tuple(step.but(per_year=per_year) for step in chosen.capacity)
    facilities = instead(tiny.catalog.facilities, chosen, chosen.but(capacity=steps))
    return Change(capacity=chosen.id, per_year=per_year), but(tiny, catalog={"facilities": facilities})


def _wanted(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    chosen, factor = order.choice(tiny.case.demands), Decimal(order.choice(("0", "0.5", "1.5", "3")))
    assume(factor or not chosen.per_year)
    demands = instead(tiny.case.demands, chosen, chosen.model_copy(update=times(chosen, factor)))
    return Change(demand=f"demand:{chosen.id}", factor=factor), but(tiny, case={"demands": demands})


def _lost(tiny: Tiny, order: Random) -> tuple[Change, Tiny]:
    offers = _unnamed(tiny)
    assume(len(offers) > 1)
    chosen = order.choice(offers)
    kept = instead(tiny.catalog.offers, chosen)
    return Change(remove=f"offer:{chosen.id}"), but(tiny, catalog={"offers": kept})
