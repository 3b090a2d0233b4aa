"""Break-even price of an offer: the root of V(p) = V(without it).

V(p) is the minimum objective when all prices of the offer are p times today's. As the minimum of many plans' costs, each linear in p, it is
concave and nondecreasing. Each step from below goes to the price at which the last plan breaks even with the cheapest plan without the offer. A
step never decreases the price, and never exceeds the root. Since each step finds another plan, the search reaches the root after finitely many
steps. (Newton's method on a concave function. For ratios of money to kilograms: Dinkelbach, On nonlinear fractional programming, Management
Science 13, 1967, 492-498.)

The cost of a plan at another price is computed from the facts at that price, not extrapolated. If its kilograms were rounded, the step is checked
slightly below. If plans' costs or limits aren't linear in the price, the search uses bisection instead.
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
"""Maximum number of steps."""
_SHARE = Decimal("1e-9")
"""Money below the resolution of solvers, as a share of the objective."""
_DOUBLED = 40
"""Maximum number of times to double a price in search of one at which an offer isn't bought."""


Outcome = Literal["price", "no price", "any price", "paid", "outranked", "ranked", "conflict", "not found"]


class BreakEven(Record):
    """Highest price at which an offer is worth buying. Factors apply to all prices of the offer, whenever it is ordered."""

    outcome: Outcome
    """`no price`: not bought even for free. `any price`: the rules require it at any cost. `paid`: its price is below zero, and the search covers only
    prices above zero. `outranked`: an objective ranked before cost is better with it, at any cost. `ranked`: the case ranks objectives, and cost alone
    doesn't decide. `conflict`: rules conflict, with or without it. `not found`: a limit ended the search before it was known to be bought at all."""
    factor: Number | None = None
    """Multiple of today's price. Below it, the offer is in every cheapest plan. Above it, no plan with the offer is cheaper than without it."""
    low: Number | None = None
    """Price factor below which the offer is provably bought."""
    high: Number | None = None
    """Price factor above which the offer is provably not bought. None if unknown."""
    proved: bool = False
    """True if both are the factor itself: plans below and at it are proved cheapest, to a cent or a millionth."""
    price: Number | None = None
    """Money per unit of the offer in the case's currency at that factor, in the first period in which it can be ordered."""
    last_price: Number | None = None
    """Price at that factor in the last such period. None if it doesn't differ."""
    today: Number | None = None
    """Today's price in the first of these periods."""
    assumed: bool = False
    """True if `today` is a price that was stated only for this question."""
    premium: Number | None = None
    """Break-even premium over the benchmark, as a share. None if the offer isn't priced by a benchmark."""
    units: Number = Decimal(0)
    """Kilograms of all its outputs that the cheapest plan buys slightly below that price."""
    most_saved: Number | None = None
    """Maximum saving from the offer: if it were free."""
    solves: int = 0
    """Number of prices tried."""


@dataclass(slots=True, eq=False)
class _Search:
    """Search for the break-even price of an offer, over the facts after some changes."""

    session: Session
    offer: str
    base: tuple[Change, ...]
    without: Answer
    low: Decimal | None = None
    """Largest price factor tried at which the offer is provably bought."""
    high: Decimal | None = None
    """Smallest price factor tried at which the offer is provably not bought."""
    at_low: Answer | None = None
    tried: dict[Decimal, Answer] = field(default_factory=dict)

    def at(self, factor: Decimal) -> Answer:
        """Return the cheapest plan at a factor, and update the bounds."""
        if factor not in self.tried:
            price = Change(price=f"offer:{self.offer}", factor=factor)
            self.tried[factor] = self.session.what_if(*self.base, price)
        found = self.tried[factor]
        if objective(found) < bound(self.without) - self.slack:
            if self.low is None or factor >= self.low:
                self.low, self.at_low = factor, found
        elif bound(found) >= objective(self.without) - self.slack:
            self.high = factor if self.high is None else min(self.high, factor)
        return found

    @property
    def slack(self) -> Decimal:
        """Difference in money below which two plans count as equal."""
        return max(CENT / 10, _SHARE * abs(self.without.cost.objective))

    def breaks_even(self, found: Answer, factor: Decimal) -> Decimal | None:
        """Return the factor at which a plan costs as much as the cheapest plan without the offer. None if there is none."""
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
    """Return the highest price at which an offer is worth buying.

    Shortage penalties and holding costs don't change, even if the case derives them from the offer's price.

    Args:
        session: A solved case.
        offer: An offer that can be bought.
        changes: Further changes, such as those that let the offer count at all.

    Raises:
        InputError: If the offer, or a change, names nothing in the case.
        SolverError: If a solver breaks down.
        VerificationError: If a plan is invalid.
    """
    base = tuple(changes)
    asked = [change.amount for change in base if change.amount is not None]
    if any(f.offer.id == offer and f.offer.paid for f in session.problem.offers) or any(amount < 0 for amount in asked):
        return BreakEven(outcome="paid")
    bare = without(session, offer, base)
    if any(part.plan.infeasible for part in bare.after):
        today = session.what_if(*base, Change(price=f"offer:{offer}", factor=Decimal(1)))
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
    """Return the effect of levels ranked before cost. None if they don't decide, so that cost decides between plans of equal value.

    None requires that no level before cost depends on a price, and that every level is proved.
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
    """Return True if a step may exceed the root, because it was computed from a rounded plan.

    The search then has a higher lower bound, from which the next step is more accurate. If it doesn't, the reason isn't rounding.
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
    today = search.session.what_if(*search.base, Change(price=f"offer:{search.offer}", factor=Decimal(1)))
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
    """Return the cheapest plan without an offer. An offer that counts stays with a quantity of 0, so that rules can refer to it. A lead is removed."""
    if any(facts.offer.id == offer for facts in session.problem.offers):
        return session.what_if(*changes, rules=[Pin(id=f"nothing of {offer}", offer=offer, at_most=Decimal(0))])
    return session.what_if(*changes, Change(remove=f"offer:{offer}"))


def objective(answer: Answer) -> Decimal:
    """Return the increase in the objective of the parts that an answer affects, as the solver found it."""
    return sum(
        (a.plan.objective - b.plan.objective for a, b in zip(answer.after, answer.before, strict=True)), Decimal(0)
    )


def bound(answer: Answer) -> Decimal:
    """Return the lower bound on the objective of these parts, less their objective before."""
    return sum((a.plan.bound - b.plan.objective for a, b in zip(answer.after, answer.before, strict=True)), Decimal(0))


def buys(part: PartPlan, offer: str) -> bool:
    """Return True if a plan buys anything from an offer."""
    return any(entry.offer == offer and entry.quantity for entry in part.plan.purchases)


def part_kg(part: PartPlan, offer: str) -> Decimal:
    """Return the kilograms that a plan buys from an offer."""
    return sum((entry.quantity for entry in part.plan.purchases if entry.offer == offer), Decimal(0))
