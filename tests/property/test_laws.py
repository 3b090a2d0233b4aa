"""The two laws on what is minimised: rules never make it cheaper, offers never dearer."""

from __future__ import annotations

import math

from hypothesis import given

from friendshore.domain.facts import Offer
from friendshore.domain.plan import PlanStatus
from friendshore.rules.base import Rule

from .compare import RELATIVE, planned
from .settings import examples
from .strategies import Tiny, more_offers, more_rules, tiny_cases


def objective(tiny: Tiny, *more: Rule) -> float:
    """What a case comes to; infinite if its rules cannot hold together."""
    found = planned(tiny.case, [tiny.catalog], (*tiny.rules, *more))
    return math.inf if found.status is PlanStatus.INFEASIBLE else float(found.plan.plan.objective)


def allowed(amount: float) -> float:
    """What two solves of the same may differ by."""
    return 2 * RELATIVE * max(1.0, amount) if math.isfinite(amount) else 0.0


@examples(120)
@given(tiny_cases(), more_rules())
def test_one_more_rule_never_lowers_the_objective(tiny: Tiny, rule: Rule) -> None:
    """A forbid, a limit or a charge beside the rules of a case leaves its objective as it is, or raises it."""
    tiny = tiny.priced()
    before = objective(tiny)
    assert objective(tiny, rule) >= before - allowed(before)


@examples(120)
@given(tiny_cases(), more_offers())
def test_one_more_offer_never_raises_the_objective(tiny: Tiny, offer: Offer) -> None:
    """An offer beside those of a case, all else unchanged, leaves its objective as it is, or lowers it."""
    tiny = tiny.priced()
    before = objective(tiny)
    catalog = tiny.catalog.model_copy(update={"offers": (*tiny.catalog.offers, offer)})
    assert objective(Tiny(tiny.case, catalog, tiny.rules)) <= before + allowed(before)
