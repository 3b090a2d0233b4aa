"""Break-even price of an offer: the root of V(p) = V(without it).

V(p) is the minimum objective when all prices of the offer are p times today's. As the minimum of many plans' costs, each linear in p, it is
concave and nondecreasing. Each step from below goes to the price at which the last plan breaks even with the cheapest plan without the offer. It
never exceeds the root, and reaches it after finitely many plans (Newton's method on a concave function. For ratios of money to kilograms: Dinkelbach,
On nonlinear fractional programming, Management Science 13, 1967, 492-498).

The cost of a plan at another price is computed from the facts at that price, not extrapolated. If its kilograms were rounded, the step is checked
slightly below. If plans' costs or limits aren't linear in the price, the search uses bisection instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ..domain.base import Number, Record, exact
from ..domain.case import Minimize
from ..domain.change import Change
from ..domain.plan import PlanStatus
from ..errors import VerificationError
from ..rules.kinds.limits import Pin
from ..session import Answer, PartPlan, Session
from .results import CENT, SHARE_PROVED

STEPS = 60
_SOLVER_PRECISION = Decimal("1e-9")  # share of the objective
_MAX_DOUBLINGS = 40


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
    current_price: Number | None = None
    """Today's price in the first of these periods."""
    assumed: bool = False
    """True if `current_price` was stated only for this question."""
    premium: Number | None = None
    """Break-even premium over the benchmark, as a share. None if the offer isn't priced by a benchmark."""
    units: Number = Decimal(0)
    """Kilograms of all its outputs that the cheapest plan buys slightly below that price."""
    max_saving: Number | None = None
    """Maximum saving from the offer: if it were free."""
    solves: int = 0


@dataclass(slots=True, eq=False)
class _Search:
    session: Session
    offer: str
    base: tuple[Change, ...]
    without: Answer
    low: Decimal | None = None
    high: Decimal | None = None
    at_low: Answer | None = None
    answers: dict[Decimal, Answer] = field(default_factory=dict)

    def answer_at(self, factor: Decimal) -> Answer:
        if factor not in self.answers:
            price = Change(price=f"offer:{self.offer}", factor=factor)
            self.answers[factor] = self.session.what_if(*self.base, price)
        answer = self.answers[factor]
        if objective(answer) < bound(self.without) - self.slack:
            if self.low is None or factor >= self.low:
                self.low, self.at_low = factor, answer
        elif bound(answer) >= objective(self.without) - self.slack:
            self.high = factor if self.high is None else min(self.high, factor)
        return answer

    @property
    def slack(self) -> Decimal:
        return max(CENT / 10, _SOLVER_PRECISION * abs(self.without.cost.objective))

    def breaks_even(self, answer: Answer, factor: Decimal) -> Decimal | None:
        """Return the price factor at which a plan costs as much as the cheapest plan without the offer. None if there is none."""
        part = next((part for part in answer.after if buys(part, self.offer)), None)
        if part is None:
            return None
        gap = objective(self.without) - objective(answer)
        cost = self._cost(part, factor)
        other = max(factor * 2, Decimal(1))
        for _ in range(STEPS):
            other_cost = self._cost(part, other)
            if cost is None or other_cost is None or other_cost == cost:
                return None
            root = exact(factor + gap * (other - factor) / (other_cost - cost))
            if abs(other_cost - cost - gap) <= self.slack or root == other:
                return root
            other = root
        return None

    def rounding(self, answer: Answer) -> Decimal:
        """Return the share by which rounding may have changed the bought quantity."""
        bought = [
            purchase.quantity
            for part in answer.after
            for purchase in part.plan.purchases
            if purchase.offer == self.offer and purchase.quantity
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
    """Return the highest price at which an offer is worth buying, after further changes, such as those that let it count at all.

    Shortage penalties and holding costs don't change, even if the case derives them from the offer's price. An unknown name raises an `InputError`.
    """
    base = tuple(changes)
    amounts = [change.amount for change in base if change.amount is not None]
    if any(facts.offer.id == offer and facts.offer.has_negative_price for facts in session.problem.offers) or any(
        amount < 0 for amount in amounts
    ):
        return BreakEven(outcome="paid")
    plan_without = without(session, offer, base)
    if any(part.plan.infeasible for part in plan_without.after):
        at_today = session.what_if(*base, Change(price=f"offer:{offer}", factor=Decimal(1)))
        is_infeasible = any(part.plan.infeasible for part in at_today.after)
        return BreakEven(outcome="conflict" if is_infeasible else "any price")
    search = _Search(session, offer, base, plan_without)
    free = search.answer_at(Decimal(0))
    max_saving = exact(objective(plan_without) - objective(free))
    outcome: Outcome | None = None
    if session.problem.objectives:
        outcome = _ranked(search)
        if outcome is not None:
            return BreakEven(outcome=outcome, solves=len(search.answers))
    if search.low is None:
        proved = search.high is not None
        outcome = "no price" if proved else "not found"
        return BreakEven(
            outcome=outcome, high=search.high, proved=proved, max_saving=max_saving, solves=len(search.answers)
        )
    factor = _climb(search)
    return _result(search, factor, max_saving)


def _ranked(search: _Search) -> Outcome | None:
    """Return the effect of levels ranked before cost. None if no such level depends on a price and all are proved, so that cost decides."""
    levels = [objective.level.minimize for objective in search.session.problem.objectives]
    free = search.answer_at(Decimal(0))
    parts = [*search.without.after, *free.after]
    if levels.index(Minimize.COST) < len(levels) - 1 or Minimize.SPEND in levels:
        return "ranked"
    if any(part.plan.status is not PlanStatus.OPTIMAL for part in parts):
        return "ranked"
    pairs = zip(_level_minima(free.after), _level_minima(search.without.after), strict=True)
    is_better = any(without - with_it > SHARE_PROVED * (1 + abs(without)) for with_it, without in pairs)
    return "outranked" if is_better else None


def _level_minima(parts: Sequence[PartPlan]) -> list[Decimal]:
    columns = zip(*([level.best_value for level in part.plan.levels[:-1]] for part in parts), strict=True)
    return [sum(values, Decimal(0)) for values in columns]


def _climb(search: _Search) -> Decimal | None:
    """Return the root, starting from the larger of zero and today's price. None if only an interval is known."""
    search.answer_at(Decimal(1))
    for _ in range(STEPS):
        assert search.low is not None and search.at_low is not None
        start = search.low
        step = search.breaks_even(search.at_low, start)
        if step is None or step <= start:
            return _bisect(search)
        answer = search.answer_at(step)
        if objective(answer) >= objective(search.without) - search.slack:
            if not _has_overshot(search, step):
                return step
            if search.low == start:
                return _bisect(search)
        elif search.low == start:
            return step  # the remaining difference is smaller than the proved gaps
    return None


def _has_overshot(search: _Search, step: Decimal) -> bool:
    """Return True if a step may exceed the root, because it was computed from a rounded plan."""
    low, at_low = search.low, search.at_low
    assert low is not None and at_low is not None
    gap = objective(search.without) - objective(at_low)
    share = search.rounding(at_low)
    while share < 1:
        nearby = exact(step - (step - low) * share)
        if step - nearby <= SHARE_PROVED * step or gap * share <= search.slack:
            return False  # it is the root to a millionth, or to the precision of solvers
        search.answer_at(nearby)
        if search.low != low:
            return True
        share *= 4
    return True


def _bisect(search: _Search) -> Decimal | None:
    """Bisect if plans can't be priced again. None if the interval stays wider than a millionth."""
    assert search.low is not None
    factor = max(search.low, Decimal(1))
    is_bought = True
    for _ in range(_MAX_DOUBLINGS):
        # If the solver's gap leaves it unproved that the offer isn't bought, a larger price doesn't help.
        if search.high is not None or not is_bought:
            break
        factor *= 2
        is_bought = any(buys(part, search.offer) for part in search.answer_at(factor).after)
    if search.high is None:
        return None
    for _ in range(STEPS):
        if search.high - search.low <= SHARE_PROVED * search.high:
            return exact(search.high)
        middle, before = exact((search.low + search.high) / 2), (search.low, search.high)
        search.answer_at(middle)
        if (search.low, search.high) == before:
            return None
    return None


def _result(search: _Search, factor: Decimal | None, max_saving: Decimal) -> BreakEven:
    low, high = search.low, search.high
    assert low is not None and search.at_low is not None
    gap = objective(search.without) - bound(search.without)
    if factor is not None and gap <= search.slack and factor > low:
        low = factor  # up to this factor, the plan with the offer is cheaper than any plan without it
    if factor is not None and high is not None and high <= factor:
        high = factor
    proved = factor is not None and high is not None and high - low <= SHARE_PROVED * high
    known_factor = factor if factor is not None else low
    break_even = BreakEven(
        outcome="price",
        factor=known_factor,
        low=low,
        high=high,
        proved=proved,
        units=sum((part_kg(part, search.offer) for part in search.at_low.after), Decimal(0)),
        max_saving=max_saving,
        solves=len(search.answers),
    )
    return _with_prices(search, break_even, known_factor)


def _with_prices(search: _Search, result: BreakEven, factor: Decimal) -> BreakEven:
    today = search.session.what_if(*search.base, Change(price=f"offer:{search.offer}", factor=Decimal(1)))
    offers = (facts for part in today.after for facts in part.verified.problem.offers)
    facts = next(facts for facts in offers if facts.offer.id == search.offer)
    open_periods = [t for t, most in enumerate(facts.max_units) if most != 0] or [0]
    first, last = facts.price[open_periods[0]], facts.price[open_periods[-1]]
    by_benchmark = facts.offer.price is not None and facts.offer.price.amount is None and not facts.offer.quotes
    premium = exact((1 + facts.offer.price.premium) * factor - 1) if by_benchmark and facts.offer.price else None
    prices = {
        "price": exact(first * factor),
        "last_price": exact(last * factor) if last != first else None,
        "current_price": first,
        "assumed": any(change.amount is not None for change in search.base),
        "premium": premium,
    }
    return result.but(**prices)


def without(session: Session, offer: str, changes: Sequence[Change] = ()) -> Answer:
    """Return the cheapest plan without an offer. An offer that counts stays with a quantity of 0, so that rules can refer to it. A lead is removed."""
    if any(facts.offer.id == offer for facts in session.problem.offers):
        return session.what_if(*changes, rules=[Pin(id=f"nothing of {offer}", offer=offer, at_most=Decimal(0))])
    return session.what_if(*changes, Change(remove=f"offer:{offer}"))


def objective(answer: Answer) -> Decimal:
    """Return the increase in the objective of the affected parts."""
    return sum(
        (
            after.plan.objective - before.plan.objective
            for after, before in zip(answer.after, answer.before, strict=True)
        ),
        Decimal(0),
    )


def bound(answer: Answer) -> Decimal:
    return sum(
        (after.plan.bound - before.plan.objective for after, before in zip(answer.after, answer.before, strict=True)),
        Decimal(0),
    )


def buys(part: PartPlan, offer: str) -> bool:
    return any(entry.offer == offer and entry.quantity for entry in part.plan.purchases)


def part_kg(part: PartPlan, offer: str) -> Decimal:
    return sum((entry.quantity for entry in part.plan.purchases if entry.offer == offer), Decimal(0))
