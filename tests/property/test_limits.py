"""Limits of every kind, with all that may be said of whom they count, against brute force."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st

from friendshore.errors import InputError
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule

from .compare import agrees, planned
from .oracle import optimum
from .random_cases.limits import budgets_by_use, by_order, deliveries, limits, of_end_uses, of_one_site
from .settings import examples
from .strategies import Tiny, tiny_cases


def unless_refused(tiny: Tiny, rules: Sequence[Rule]) -> Recommendation:
    """The plan of a case, unless a rule pins an offer that does not count: it is refused, and another case is drawn."""
    try:
        return planned(tiny.case, [tiny.catalog], rules)
    except InputError as error:
        assume("pins an offer that does not count" not in str(error))
        raise


@examples(120)
@given(st.data())
def test_plan_under_a_limit_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """No supply tree, binary pattern or mix that keeps the limit is cheaper than the plan, and the plan is one of them."""
    tiny = data.draw(tiny_cases())
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    rules = (*others, data.draw(limits(tiny.catalog.offers)))
    found = unless_refused(tiny, rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], rules))


@examples(120)
@given(st.data())
def test_plan_under_a_limit_by_end_use_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """What is bought for an end use is a matter of where it ends: the plan is as cheap as the cheapest mix of trees that end in uses."""
    tiny = data.draw(tiny_cases())
    # Runs of several goods for several uses at once are worked out by hand.
    assume(all(len(offer.outputs) == 1 or not offer.inputs for offer in tiny.catalog.offers))
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    rules = (*others, data.draw(limits(tiny.catalog.offers).flatmap(of_end_uses)))
    found = unless_refused(tiny, rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], rules))


@examples(120)
@given(st.data())
def test_plan_under_a_limit_at_some_places_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """What is delivered elsewhere, or demanded there, does not count."""
    tiny = data.draw(tiny_cases())
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    limit = data.draw(limits(tiny.catalog.offers).filter(lambda rule: rule.kind != "pin").flatmap(of_one_site))
    found = planned(tiny.case, [tiny.catalog], (*others, limit))
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], (*others, limit)))


@examples(120)
@given(st.data())
def test_plan_under_a_limit_on_orders_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """What counts in a period, or year, is what is ordered in it, whenever it arrives."""
    tiny = data.draw(tiny_cases())
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    limit = by_order(data.draw(limits(tiny.catalog.offers).filter(lambda rule: rule.kind != "min-suppliers")))
    found = unless_refused(tiny, (*others, limit))
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], (*others, limit)))


@examples(60)
@given(st.data())
def test_plan_under_a_budget_of_an_end_use_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """Money that is spent for an end use is price, freight and charges of what ends in it; where some cannot be told apart, it is refused."""
    tiny = data.draw(tiny_cases())
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    rules = (*others, data.draw(budgets_by_use()))
    try:
        found = planned(tiny.case, [tiny.catalog], rules)
    except InputError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert "is not spent for one end use or another" in told
        return
    assume(all(len(offer.outputs) == 1 for offer in tiny.catalog.offers))
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], rules))


@examples(120)
@given(st.data())
def test_plan_that_must_deliver_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """What must be delivered is, at the least cost; where that cannot be, or not with the other rules, nothing is planned."""
    tiny = data.draw(tiny_cases())
    rules = (*tiny.rules, data.draw(deliveries()))
    found = planned(tiny.case, [tiny.catalog], rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], rules))
