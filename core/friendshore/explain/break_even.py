"""The break-even price of an offer: the root of V(p) = V(without it).

V(p), the least objective when all prices of the offer are p times today's, is the least of many plans' costs, each of which is linear
in p: it is concave and never falls. From below, each step goes to the price at which the plan just found breaks even with the cheapest
plan without the offer: no smaller than the step before and no larger than the root, and in finitely many steps the root itself, since
each step meets another plan. (Newton's method on a concave function; of ratios of money to kilograms, Dinkelbach, On nonlinear
fractional programming, Management Science 13, 1967, 492-498.) What a plan costs at another price is not extrapolated but read off the
facts at that price; where its kilograms were rounded, the step is checked from just below. Where plans' costs or what rules allow are not linear in the price, the steps halve the interval instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ..domain.base import Number, Record, exact
from ..domain.case import Minimise
from ..domain.change import Change
from ..domain.plan import PlanStatus
from ..errors import VerificationError
from ..rules.kinds.limits import Pin
from ..session import Answer, PartPlan, Session
from .results import CENT, SHARE_PROVED

STEPS = 60
"""Prices that are tried at most."""
_SHARE = Decimal("1e-9")
"""Money that no solver tells apart from nothing, as a share of the objective."""
_DOUBLED = 40
"""How often a price may be doubled in search of one at which an offer is not bought."""


Outcome = Literal["price", "no price", "any price", "paid", "outranked", "ranked", "conflict", "not found"]


class BreakEven(Record):
    """Up to which price an offer is worth buying. Factors are on all prices of the offer, whenever it is ordered."""

    outcome: Outcome
    """`no price`: not even for nothing. `any price`: the rules ask for it, whatever it costs. `paid`: its price is below zero, and a price is looked
    for above that only. `outranked`: what
    ranks before cost is better with it, whatever it costs. `ranked`: the case ranks objectives,
    and cost alone does not say what is bought. `conflict`: rules cannot hold together, with or without it. `not found`: a limit ended the search before it was known to be bought at all."""
    factor: Number | None = None
    """Times today's price; below it the offer is in every cheapest plan, above it in none that is cheaper than without it."""
    low: Number | None = None
    """It is surely bought below this factor."""
    high: Number | None = None
    """It is surely not bought above this factor; None: not known."""
    proved: bool = False
    """Whether both are the factor itself: plans below and at it are proved cheapest, to a cent or a millionth."""
    price: Number | None = None
    """Money per unit of the offer in the case's currency at that factor, in the first period in which it may be ordered."""
    last_price: Number | None = None
    """The same in the last such period, where prices differ."""
    today: Number | None = None
    """Today's price in the first of these periods."""
    assumed: bool = False
    """Whether `today` is a price that was stated only to ask about it."""
    premium: Number | None = None
    """For an offer priced by a benchmark: share on top of it that the price comes to."""
    units: Number = Decimal(0)
    """Kilograms of all its outputs that the cheapest plan buys just below that price."""
    most_saved: Number | None = None
    """What the offer saves at most: given for nothing."""
    solves: int = 0
    """Prices tried."""


@dataclass(slots=True, eq=False)
class _Search:
    """Search for the price of one offer, over the facts after some changes."""

    session: Session
    offer: str
    base: tuple[Change, ...]
    without: Answer
    low: Decimal | None = None
    """Largest factor tried at which it is surely bought."""
    high: Decimal | None = None
    """Smallest factor tried at which it surely does not."""
    at_low: Answer | None = None
    tried: dict[Decimal, Answer] = field(default_factory=dict)

    def at(self, factor: Decimal) -> Answer:
        """Return the cheapest plan at a factor, and note what it proves."""
        if factor not in self.tried:
            price = Change(price=f"offer:{self.offer}", factor=factor)
            self.tried[factor] = self.session.after(*self.base, price)
        found = self.tried[factor]
        if objective(found) < bound(self.without) - self.slack:
            if self.low is None or factor >= self.low:
                self.low, self.at_low = factor, found
        elif bound(found) >= objective(self.without) - self.slack:
            self.high = factor if self.high is None else min(self.high, factor)
        return found

    @property
    def slack(self) -> Decimal:
        """Money below which two plans count as equal."""
        return max(CENT / 10, _SHARE * abs(self.without.cost.objective))

    def breaks_even(self, found: Answer, factor: Decimal) -> Decimal | None:
        """Return the factor at which a plan found at another factor costs what the cheapest plan without the offer costs, or None."""
        part = next((part for part in found.after if buys(part, self.offer)), None)
        if part is None:
            return None
        gap = objective(self.without) - objective(found)
        here = self._cost(part, factor)
        other = max(factor * 2, Decimal(1))
        for _ in range(STEPS):
            there = self._cost(part, other)
            if here is None or there is None or there == here:
                return None
            step = exact(factor + gap * (other - factor) / (there - here))
            if abs(there - here - gap) <= self.slack or step == other:
                return step
            other = step
        return None

    def rounding(self, found: Answer) -> Decimal:
        """Return the share by which rounding may have changed the quantity that a plan buys of the offer."""
        bought = [
            e.quantity for part in found.after for e in part.plan.purchases if e.offer == self.offer and e.quantity
        ]
        total = sum(bought, Decimal(0))
        resolution = self.session.inputs.case.resolution
        return exact(2 * resolution * (len(bought) + 1) / total) if total else Decimal(1)

    def _cost(self, part: PartPlan, factor: Decimal) -> Decimal | None:
        """Return the cost of a plan at a factor. None if rules on money then prohibit it."""
        try:
            cost = self.session.repriced(part, *self.base, Change(price=f"offer:{self.offer}", factor=factor))
        except VerificationError:
            return None
        return cost.objective


def break_even_price(session: Session, offer: str, changes: Sequence[Change] = ()) -> BreakEven:
    """Up to which price an offer that counts is worth buying.

    What shortage and holding cost stays what it is, also where the case derives it from the offer's price.

    Args:
        session: a solved case.
        offer: an offer of it.
        changes: what is to hold beside, for instance what lets the offer count at all.

    Raises:
        InputError: if the offer, or a change, names nothing in the case.
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
    """
    base = tuple(changes)
    asked = [change.amount for change in base if change.amount is not None]
    if any(f.offer.id == offer and f.offer.paid for f in session.problem.offers) or any(amount < 0 for amount in asked):
        return BreakEven(outcome="paid")
    bare = without(session, offer, base)
    if any(part.plan.infeasible for part in bare.after):
        today = session.after(*base, Change(price=f"offer:{offer}", factor=Decimal(1)))
        lost = any(part.plan.infeasible for part in today.after)
        return BreakEven(outcome="conflict" if lost else "any price")
    search = _Search(session, offer, base, bare)
    free = search.at(Decimal(0))
    saved = exact(objective(bare) - objective(free))
    outcome: Outcome | None = None
    if session.problem.objectives:
        outcome = _ranked(search)
        if outcome is not None:
            return BreakEven(outcome=outcome, solves=len(search.tried))
    if search.low is None:
        proved = search.high is not None
        outcome = "no price" if proved else "not found"
        return BreakEven(outcome=outcome, high=search.high, proved=proved, most_saved=saved, solves=len(search.tried))
    factor = _climb(search)
    return _told(search, factor, saved)


def _ranked(search: _Search) -> Outcome | None:
    """What ranks before cost says of an offer; None: nothing, so that cost decides between plans that are as good in all of that.

    That holds only where no level before cost depends on a price, and every level is proved.
    """
    levels = [objective.level.minimise for objective in search.session.problem.objectives]
    free = search.at(Decimal(0))
    parts = [*search.without.after, *free.after]
    if levels.index(Minimise.COST) < len(levels) - 1 or Minimise.SPEND in levels:
        return "ranked"
    if any(part.plan.status is not PlanStatus.OPTIMAL for part in parts):
        return "ranked"
    pairs = zip(_reached(free.after), _reached(search.without.after), strict=True)
    better = any(without - with_it > SHARE_PROVED * (1 + abs(without)) for with_it, without in pairs)
    return "outranked" if better else None


def _reached(parts: Sequence[PartPlan]) -> list[Decimal]:
    """Return the least value of each level before cost, summed over the parts."""
    columns = zip(*([level.least for level in part.plan.levels[:-1]] for part in parts), strict=True)
    return [sum(values, Decimal(0)) for values in columns]


def _climb(search: _Search) -> Decimal | None:
    """Return the root, starting from the larger of zero and today's price. None if only an interval is known."""
    search.at(Decimal(1))
    for _ in range(STEPS):
        assert search.low is not None and search.at_low is not None
        low = search.low
        step = search.breaks_even(search.at_low, low)
        if step is None or step <= low:
            return _halve(search)
        found = search.at(step)
        if objective(found) >= objective(search.without) - search.slack:
            if not _overshot(search, step):
                return step
            if search.low == low:
                return _halve(search)
        elif search.low == low:
            return step  # what is left is less than what is proved of either plan
    return None


def _overshot(search: _Search, step: Decimal) -> bool:
    """Whether a step at which the offer is bought no longer may lie above the root, because the plan it was read off is rounded.

    If it may, the search has come nearer from below, from where the next step is that much more exact; or it has not, and
    rounding is not why.
    """
    low, at_low = search.low, search.at_low
    assert low is not None and at_low is not None
    gap = objective(search.without) - objective(at_low)
    share = search.rounding(at_low)
    while share < 1:
        near = exact(step - (step - low) * share)
        if step - near <= SHARE_PROVED * step or gap * share <= search.slack:
            return False  # to a millionth, or to what no solver tells apart, it is the root
        search.at(near)
        if search.low != low:
            return True
        share *= 4
    return True


def _halve(search: _Search) -> Decimal | None:
    """Bisect if plans can't be priced again. Return the root once the ends of the interval are a millionth apart."""
    assert search.low is not None
    doubled = max(search.low, Decimal(1))
    bought = True
    for _ in range(_DOUBLED):
        # Where it is not bought, and the solver's gap leaves that unproved, the gap is no smaller at a larger price.
        if search.high is not None or not bought:
            break
        doubled *= 2
        bought = any(buys(part, search.offer) for part in search.at(doubled).after)
    if search.high is None:
        return None
    for _ in range(STEPS):
        if search.high - search.low <= SHARE_PROVED * search.high:
            return exact(search.high)
        middle, before = exact((search.low + search.high) / 2), (search.low, search.high)
        search.at(middle)
        if (search.low, search.high) == before:
            return None
    return None


def _told(search: _Search, factor: Decimal | None, saved: Decimal) -> BreakEven:
    """Return the root in money, with its proof."""
    low, high = search.low, search.high
    assert low is not None and search.at_low is not None
    open_still = objective(search.without) - bound(search.without)
    if factor is not None and open_still <= search.slack and factor > low:
        low = factor  # the plan found below it is cheaper than any without the offer up to there
    if factor is not None and high is not None and high <= factor:
        high = factor
    proved = factor is not None and high is not None and high - low <= SHARE_PROVED * high
    at = factor if factor is not None else low
    entering = BreakEven(
        outcome="price",
        factor=at,
        low=low,
        high=high,
        proved=proved,
        units=sum((part_kg(part, search.offer) for part in search.at_low.after), Decimal(0)),
        most_saved=saved,
        solves=len(search.tried),
    )
    return _priced(search, entering, at)


def _priced(search: _Search, entering: BreakEven, factor: Decimal) -> BreakEven:
    """Return the prices in the case's currency."""
    today = search.session.after(*search.base, Change(price=f"offer:{search.offer}", factor=Decimal(1)))
    offers = (facts for part in today.after for facts in part.verified.problem.offers)
    facts = next(facts for facts in offers if facts.offer.id == search.offer)
    open_in = [t for t, most in enumerate(facts.most) if most != 0] or [0]
    first, last = facts.price[open_in[0]], facts.price[open_in[-1]]
    by_benchmark = facts.offer.price is not None and facts.offer.price.amount is None and not facts.offer.quotes
    premium = exact((1 + facts.offer.price.premium) * factor - 1) if by_benchmark and facts.offer.price else None
    more = {
        "price": exact(first * factor),
        "last_price": exact(last * factor) if last != first else None,
        "today": first,
        "assumed": any(change.amount is not None for change in search.base),
        "premium": premium,
    }
    return entering.but(**more)


def without(session: Session, offer: str, changes: Sequence[Change] = ()) -> Answer:
    """The cheapest plan without an offer. Nothing is bought of one that counts, so that rules that name it still find it; a lead is
    taken away.
    """
    if any(facts.offer.id == offer for facts in session.problem.offers):
        return session.after(*changes, rules=[Pin(id=f"nothing of {offer}", offer=offer, at_most=Decimal(0))])
    return session.after(*changes, Change(remove=f"offer:{offer}"))


def objective(answer: Answer) -> Decimal:
    """What the parts that an answer touches come to, as the solver found them, above what they came to before."""
    return sum(
        (a.plan.objective - b.plan.objective for a, b in zip(answer.after, answer.before, strict=True)), Decimal(0)
    )


def bound(answer: Answer) -> Decimal:
    """What they come to at least."""
    return sum((a.plan.bound - b.plan.objective for a, b in zip(answer.after, answer.before, strict=True)), Decimal(0))


def buys(part: PartPlan, offer: str) -> bool:
    """Whether the plan of some parts buys anything of an offer."""
    return any(entry.offer == offer and entry.quantity for entry in part.plan.purchases)


def part_kg(part: PartPlan, offer: str) -> Decimal:
    """Kilograms of all that the plan of some parts buys of an offer."""
    return sum((entry.quantity for entry in part.plan.purchases if entry.offer == offer), Decimal(0))
