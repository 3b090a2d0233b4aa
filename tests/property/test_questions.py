"""What is asked of offers, held against brute force: the break-even price, what using one costs, how large its share can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from friendshore.domain.change import Change
from friendshore.explain.break_even import break_even_price
from friendshore.explain.eligibility import Eligibilities
from friendshore.problem.changes import apply_changes
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Pin
from friendshore.session import Session

from .compare import RELATIVE
from .oracle import Oracle, optimum
from .patterns import Amount, Bound, Column, Enumeration
from .settings import examples
from .strategies import Tiny, tiny_cases
from .world import World

NEAR = Decimal("0.003")
"""How far from the break-even price brute force is asked, as a share of it."""


def opened(tiny: Tiny) -> Session:
    """The case, solved; left out where rules conflict."""
    session = tiny.session()
    assume(not session.verified.plan.infeasible)
    return session


def dearest(tiny: Tiny) -> float:
    """The most that a kilogram of anything costs."""
    prices = [float(o.price.amount or 0) for o in tiny.catalog.offers if o.price]
    return max([*prices, *(float(d.shortage_price or 0) for d in tiny.case.demands)])


def slack(tiny: Tiny, objective: float) -> float:
    """Money that rounding and the solvers' tolerances may move."""
    return RELATIVE * max(1.0, abs(objective)) + float(tiny.case.resolution) * 40 * dearest(tiny)


def brute(tiny: Tiny, *changes: Change, rules: Sequence[Rule] = ()) -> float:
    """The least objective after some changes, by brute force."""
    case, catalogs, kept = apply_changes(changes, tiny.case, (tiny.catalog,), tiny.rules)
    return optimum(case, catalogs, (*kept, *rules)).objective


@examples(40)
@given(tiny_cases(), st.data())
def test_an_offer_enters_below_its_price_and_not_above(tiny: Tiny, data: st.DataObject) -> None:
    """A little cheaper, brute force finds a plan that is cheaper than any without the offer; a little dearer, none."""
    tiny = tiny.priced()
    session = opened(tiny)
    offers = [facts.offer.id for facts in session.problem.offers if any(facts.price)]
    assume(offers)
    offer = data.draw(st.sampled_from(offers))
    found = break_even_price(session, offer)
    without = brute(tiny, rules=[Pin(id="without", offer=offer, at_most=Decimal(0))])
    allowed = slack(tiny, without if math.isfinite(without) else 0.0)

    def at(factor: Decimal) -> float:
        return brute(tiny, Change(price=offer, factor=factor))

    if found.outcome == "any price":
        assert math.isinf(without)
    elif found.outcome == "no price":
        assert at(Decimal(0)) >= without - allowed
    else:
        assert found.outcome == "price"
        assert found.factor is not None
        assert found.high is None or at(found.high * (1 + NEAR)) >= without - allowed
        assert found.low is not None
        assert at(found.low * (1 - NEAR)) < without
        if found.max_saving is not None:
            assert abs(float(found.max_saving) - (without - at(Decimal(0)))) <= 2 * allowed


@examples(40)
@given(tiny_cases())
def test_using_an_offer_costs_what_the_case_costs_with_that_rule(tiny: Tiny) -> None:
    """For every offer that can be used, the case planned by brute force with so much of it pinned is as much dearer."""
    tiny = tiny.priced()
    session = opened(tiny)
    before = brute(tiny)
    found = alternatives(session, within=Decimal(0))
    for one in found.offers:
        if one.rise is None:
            continue
        places = tuple(Eligibilities(session.problem).places[one.material])
        pin = Pin(id="use", offer=one.offer, material=one.material, places=places, at_least=one.used_from_kg)
        with_it = brute(tiny, rules=[pin])
        assert abs(float(one.rise.value) - (with_it - before)) <= 2 * slack(tiny, with_it)
        assert one.rise.low is not None
        assert float(one.rise.low) >= -2 * slack(tiny, with_it)


class Weighed(Oracle):
    """The oracle asked for the largest or smallest sum of purchases within a budget, in place of the least cost."""

    def _surplus_may_help(self) -> bool:
        return True  # what is bought beyond need is a plan as well

    def extreme(self, weights: dict[Amount, float], most: float, *, largest: bool) -> float:
        """The largest or smallest weighted sum of amounts in a plan that costs no more than so much."""
        choices, counts, bounds = self.laid_out()
        assume(all(math.isinf(count.penalty) for count in counts))
        sign = -1.0 if largest else 1.0
        sums = [sum(weights.get(a, 0.0) * x for a, x in c.amounts.items()) for c in self.columns]
        columns = [
            Column(sign * value, {**c.amounts, ("cost",): c.cost}, c.whole)
            for value, c in zip(sums, self.columns, strict=True)
        ]
        budget = Bound({("cost",): 1.0}, at_most=most)
        return sign * Enumeration(columns, [*bounds, budget]).optimum(choices, counts).objective


@examples(15)
@given(tiny_cases(), st.sampled_from(("0", "0.01", "0.2")), st.data())
def test_shares_are_those_of_all_plans_nearly_as_cheap(tiny: Tiny, within: str, data: st.DataObject) -> None:
    """The least and the most that brute force finds of an offer, in plans no dearer, are the ends of its interval."""
    tiny = tiny.priced()
    plain = [len(offer.outputs) == 1 and not offer.inputs for offer in tiny.catalog.offers]
    assume(all(plain))  # else brute force takes hours
    session = opened(tiny)
    found = [one for one in alternatives(session, within=Decimal(within)).offers if one.used_from_kg]
    assume(found)
    one = data.draw(st.sampled_from(found))
    least = brute(tiny)
    spent = float(session.verified.cost.total)
    if abs(float(session.connected_part(one.material).spent) - spent) > slack(tiny, spent):
        return  # part of the case hangs together with nothing else, and may be no dearer on its own account
    most = least + float(within) * abs(spent)
    world = World(tiny.case, (tiny.catalog,), tiny.rules)
    weights: dict[Amount, float] = {("units", one.offer, t): 1.0 for t in range(tiny.case.horizon.count)}
    standings = Eligibilities(session.problem)
    position = next(i for i, facts in enumerate(session.problem.offers) if facts.offer.id == one.offer)
    reach = float(standings.by_offer[position, one.material].reachable)
    wanted = float(standings.demand_kg[one.material])
    assert one.share is not None
    ends = ((one.share.min, one.share.min_bound), (one.share.max, one.share.max_bound))
    for largest, figures in enumerate(ends):
        # Where two offers cost nearly the same, a hair of money is many kilograms: between two budgets a hair apart.
        budgets = [most + apart * max(1.0, abs(least)) for apart in (1e-8, 1e-5)]
        kilograms = [Weighed(world).extreme(weights, budget, largest=bool(largest)) for budget in budgets]
        low, high = sorted(min(amount, reach) / wanted for amount in kilograms)
        assert all(low - 1e-4 <= float(figure) <= high + 1e-4 for figure in figures)
