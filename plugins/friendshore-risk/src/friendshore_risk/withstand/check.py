"""Does a plan follow losses under another one? Judged on verified plans and the facts alone: neither solver nor program is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from friendshore.domain.base import totals
from friendshore.domain.change import Change
from friendshore.domain.plan import Plan
from friendshore.problem import Problem
from friendshore.problem.parts import Members
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.verify import VerifiedPlan, bearing

from .losses import PossibleLoss
from .program import LossDay

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class FollowsJudge:
    """What is decided before losses in one part of a case, and what may then be short."""

    problem: Problem
    day: LossDay
    first: Plan
    """The plan that is followed until they come."""
    onboarded: Collection[str]
    """Offers that are ready to be used, bought of or not."""
    short_today: Mapping[str, Decimal]
    """Demand -> kilograms that it is short of as things are."""

    @property
    def slack(self) -> Decimal:
        """Kilograms that rounding explains: one step of the resolution a period."""
        return self.problem.case.resolution * self.problem.case.horizon.count

    def faults(self, after: Plan) -> list[str]:
        """Why a verified plan cannot follow losses under the first one, whatever is lost; what it leaves short is no fault."""
        found = []
        came, ordered = _orders(after, 0, self.day.comes), _orders(self.first, 0, self.day.comes)
        if self._differs({key: amount for key, amount in ordered.items() if key not in self.dropped(after)}, came):
            found.append("it orders something else before the loss")
        planned, then = (_orders(plan, self.day.comes, self.day.reacts) for plan in (self.first, after))
        if any(kilograms > planned.get(key, _NONE) + self.slack for key, kilograms in then.items()):
            found.append("it orders more than was planned before there is time to react")
        new = {purchase.offer for purchase in after.purchases} - set(self.onboarded)
        if any(facts.onboarding and facts.offer.id in new for facts in self.problem.offers):
            found.append("it uses an offer that is not onboarded")
        return found

    def dropped(self, after: Plan) -> frozenset[_Order]:
        """What the first plan orders before the losses, and would arrive after they come, and is not ordered in this one: only a rule can bar it."""
        late = {key for key, arrives in _arrivals(self.first).items() if key[4] < self.day.comes <= arrives}
        return frozenset(late - _orders(after).keys())

    def lawful(self, after: VerifiedPlan, rules: Collection[Rule]) -> bool:
        """Whether some rules, as they then apply, find against nothing that a plan buys: each is asked about every purchase."""
        return not bearing(after, tuple(rules)) if rules else True

    def orders(self, after: Plan) -> frozenset[tuple[str, str]]:
        """Offers of which a plan orders anything from the day on, each with the place that it is for: none may be lost."""
        return frozenset((p.offer, p.place) for p in after.purchases if p.ordered >= self.day.comes)

    def missing(self, after: Plan) -> dict[str, Decimal]:
        """Demand -> kilograms by which it is short of more than as things are."""
        found = {
            name: kilograms - self.short_today.get(name, _NONE) for name, kilograms in after.short_by_demand.items()
        }
        return {name: kilograms for name, kilograms in found.items() if kilograms > self.slack}

    def _differs(self, one: Mapping[_Order, Decimal], other: Mapping[_Order, Decimal]) -> bool:
        return any(abs(one.get(key, _NONE) - other.get(key, _NONE)) > self.slack for key in one.keys() | other.keys())


_Order = tuple[str, str, str, str, int]
"""Offer, material, place, compliance class, period of the order."""


def _arrivals(plan: Plan) -> dict[_Order, int]:
    """The period in which each order arrives, the last one where parts of it arrive apart."""
    found: dict[_Order, int] = {}
    for p in plan.purchases:
        key = (p.offer, p.material, p.place, p.requirement, p.ordered)
        found[key] = max(p.delivered, found.get(key, p.delivered))
    return found


def rules_then(session: Session, members: Members, losses: Sequence[PossibleLoss], day: LossDay) -> dict[int, Rule]:
    """The rules that come to apply with losses, as they do from then on, by the position of the loss; those that bear on a part of the case alone."""
    inputs = session.parts.part(members)
    start = session.problem.case.horizon.periods[day.comes].start
    found = {}
    for number, loss in enumerate(losses):
        if any(rule.id == loss.rule for rule in inputs.rules):
            after = inputs.after((Change(enable=loss.rule, start=start),))
            found[number] = next(rule for rule in after.rules if rule.id == loss.rule)
    return found


def _orders(plan: Plan, first: int = 0, last: int | None = None) -> dict[_Order, Decimal]:
    """Kilograms ordered in periods from one up to, not including, another, and units made of offers with several goods."""
    bought = [((p.offer, p.material, p.place, p.requirement, p.ordered), p.quantity) for p in plan.purchases]
    made = [((m.offer, "", "", m.requirement, m.period), m.units) for m in plan.makes]
    within = [(key, amount) for key, amount in (*bought, *made) if first <= key[4] and (last is None or key[4] < last)]
    return totals(within)
