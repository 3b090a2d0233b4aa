"""Holding a plan of friendshore against the oracle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pytest
from tests.building import planned

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import PlanStatus
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.verify.second_derivation import check_figures_again

from .oracle import optimum
from .patterns import Answer
from .strategies import Tiny
from .worked import cases

RELATIVE = 2e-6
"""The gap that is asked for (1e-6), and as much again for the solvers' tolerances."""


@cache
def planned_once(name: str) -> Recommendation:
    """The plan of a worked case, which several tests look at: made once in a process."""
    return WORKED[name].planned()


WORKED = {worked.name: worked for worked in cases()}
each_worked = pytest.mark.parametrize("worked", WORKED)


def allowed(session: Session, value: float) -> float:
    """Money by which two plans of the same least cost may differ: tolerances of the solver, and rounding to the gram."""
    pieces = len(session.verified.plan.purchases) + len(session.verified.plan.shorts) + 20
    return 4 * RELATIVE * max(1.0, abs(value)) + float(session.problem.case.resolution) * pieces * 1300


def rounding(case: Case, catalogs: Sequence[Catalog], found: Recommendation, more: int = 0) -> float:
    """Money that rounding to the resolution may move: each purchase, delivery, lot and unit made by half of it, at the dearest price
    of anything there is; and as much may be short, at what a shortage is counted at, stated or not. `more` quantities are rounded in another plan.
    """
    prices = [float(o.price.amount or 0) for c in catalogs for o in c.offers if o.price is not None]
    prices += [float(q.amount) for c in catalogs for o in c.offers for q in o.quotes]
    shortage = max(map(float, found.plan.problem.shortage_price), default=0.0)
    done = found.plan.plan
    pieces = len(done.purchases) + len(done.makes) + len(done.lots) + len(done.deliveries) + 1 + more
    return 0.5 * float(case.resolution) * pieces * max(10 * max(prices, default=0.0), shortage)


def agrees(case: Case, catalogs: Sequence[Catalog], found: Recommendation, answer: Answer) -> None:
    """Asserts that a plan is as cheap as the oracle's, by its own account and by the verifier's, and that no figure comes out otherwise the second time."""
    assert check_figures_again(found.plan.ledger, found.plan.costing) == []
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


def as_cheap_as_brute_force(tiny: Tiny, rules: Sequence[Rule] | None = None) -> tuple[Recommendation, Answer]:
    """Asserts that no supply tree, binary pattern or mix is cheaper than the plan of a tiny case, and that the plan is one of them."""
    rules = tiny.rules if rules is None else rules
    found, answer = planned(tiny.case, tiny.catalog, *rules), optimum(tiny.case, [tiny.catalog], rules)
    agrees(tiny.case, [tiny.catalog], found, answer)
    return found, answer
