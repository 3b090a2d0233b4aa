"""A plan carried over to other facts, or to some parts of the same facts, where it still holds and is as cheap as any."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from decimal import Decimal

from ..domain.plan import Plan
from ..problem import Problem
from ..problem.compliance_classes import ComplianceClass
from ..problem.parts import Members
from ..verify import VerifiedPlan, examine

_Served = tuple[str, int, frozenset[str]]
"""A demand, the period of a delivery, and the waivers that it draws on."""


def carried(
    before: VerifiedPlan, members: Members, problem: Problem, cheapest: Plan, most: Decimal
) -> VerifiedPlan | None:
    """Return what a plan does for some materials, verified on the facts of `problem`; None if it doesn't hold there or costs more than `most`.

    Status, bound, and ranked objectives are those of `cheapest`, a plan of `problem`.
    """
    if before.plan.infeasible or cheapest.infeasible:
        return None
    offers, demands = {facts.offer.id for facts in problem.offers}, {demand.id for demand in problem.demands}
    plan = before.plan.within(members, offers, demands).relabelled(_labels(before.problem, problem))
    verified, _ = examine(
        problem,
        plan.but(
            status=cheapest.status,
            confirmed_by=cheapest.confirmed_by,
            objective=cheapest.objective,
            bound=cheapest.bound,
            levels=cheapest.levels,
        ),
    )
    return verified if verified is not None and verified.cost.objective <= most else None


def _labels(was: Problem, now: Problem) -> dict[str, str]:
    """Return the compliance class of one case for each of another: the one that serves the same deliveries.

    Classes are numbered by need: a rule about one material renames those of the others. Of several that serve the same deliveries,
    the order counts. Whether a plan holds with these classes is for the verifier to say.
    """
    demands = {demand.id for demand in now.demands}
    waiting = defaultdict[frozenset[_Served], deque[str]](deque)
    for each in now.compliance_classes:
        waiting[_served(now, each, demands)].append(each.label)
    found = {}
    for each in was.compliance_classes:
        alike = waiting[_served(was, each, demands)]
        found[each.label] = alike.popleft() if alike else f"{each.label}, which is gone"
    return found


def _served(problem: Problem, each: ComplianceClass, demands: Collection[str]) -> frozenset[_Served]:
    """Return the deliveries to some demands that a compliance class serves."""
    named = ((problem.demands[outlet.demand].id, outlet) for outlet in each.outlets)
    return frozenset((name, outlet.period, frozenset(outlet.waivers)) for name, outlet in named if name in demands)
