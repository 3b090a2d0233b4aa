"""Holding a plan of friendshore against the oracle."""

from __future__ import annotations

import math
from collections.abc import Sequence

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, plan
from friendshore.rules.base import Rule

from .patterns import Answer
from .worked import Worked

RELATIVE = 2e-6
"""The gap that is asked for (1e-6), and as much again for the solvers' tolerances."""


def planned(case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule]) -> Recommendation:
    """The plan of a case with its catalogs and rules given in memory; nothing that is installed plays a part."""
    return plan(case, catalogs=catalogs, rules=rules, registry=Registry.of(), workers=1)


def planned_once(worked: Worked) -> Recommendation:
    """The plan of a worked case, which several tests look at: made once in a process."""
    if worked.name not in _PLANS:
        _PLANS[worked.name] = planned(worked.case, [worked.catalog], worked.rules)
    return _PLANS[worked.name]


_PLANS: dict[str, Recommendation] = {}


def rounding(case: Case, catalogs: Sequence[Catalog], found: Recommendation) -> float:
    """Money that rounding to the resolution may move: each purchase, delivery, lot and unit made by half of it, at the dearest price
    of anything there is; and as much may be short, at what a shortage is counted at, stated or not.
    """
    prices = [float(o.price.amount or 0) for c in catalogs for o in c.offers if o.price is not None]
    prices += [float(q.amount) for c in catalogs for o in c.offers for q in o.quotes]
    shortage = max(map(float, found.plan.problem.shortage_price), default=0.0)
    done = found.plan.plan
    pieces = len(done.purchases) + len(done.makes) + len(done.lots) + len(done.deliveries) + 1
    return 0.5 * float(case.resolution) * pieces * max(10 * max(prices, default=0.0), shortage)


def agrees(case: Case, catalogs: Sequence[Catalog], found: Recommendation, answer: Answer) -> None:
    """Asserts that a plan is as cheap as the oracle's, by its own account and by the verifier's."""
    if math.isinf(answer.objective):
        assert found.status is PlanStatus.INFEASIBLE
        return
    assert found.status is PlanStatus.OPTIMAL
    assert found.verified
    allowed = RELATIVE * max(1.0, abs(answer.objective))
    solved, bound = float(found.plan.plan.objective), float(found.plan.plan.bound)
    assert abs(solved - answer.objective) <= allowed, f"plan {solved}, oracle {answer.objective}"
    assert bound <= answer.objective + allowed, f"bound {bound} above the optimum {answer.objective}"
    spent = float(found.cost.objective)
    assert abs(spent - answer.objective) <= allowed + rounding(case, catalogs, found), f"verified {spent}"
