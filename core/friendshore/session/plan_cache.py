"""Plans of parts of a case that a session keeps for later questions."""

from __future__ import annotations

from ..domain.change import Change
from ..domain.runtime import SESSION_BYTES, Recent
from ..problem.parts import Members
from ..verify import VerifiedPlan
from .answer import PartPlan

PlanKey = tuple[Members, frozenset[str], tuple[Change, ...], tuple[str, ...]]
"""Materials, limit rules, changes, and further rules of a plan of parts."""
_CELL_BYTES, _ENTRY_BYTES = 600, 1_300
"""About what a plan takes in memory for each period of a supply arc, and for each purchase, stock, delivery or shortage. Measured on four
cases, where the sum was right to a quarter."""


class PlanCache:
    """Plans by what they are plans of. Safe to use from several threads."""

    def __init__(self, most: int = SESSION_BYTES // 4) -> None:
        """Makes it empty. Plans after changes may take about `most` bytes; the least recently used are dropped."""
        self._own: dict[PlanKey, PartPlan] = {}
        """Plans of single parts as they are: most questions compare with them, and together they are no more than the case."""
        self._changed: Recent[PlanKey, PartPlan] = Recent(most)

    def get(self, key: PlanKey) -> PartPlan | None:
        """Return a plan; None if it is not kept."""
        return self._own.get(key) or self._changed.get(key)

    def keep(self, key: PlanKey, plan: PartPlan, *, own: bool) -> None:
        """Keep a plan: for good if it is the `own` plan of a single part of the case."""
        if own:
            self._own[key] = plan
        else:
            self._changed.keep(key, plan, _bytes(plan.verified))


def _bytes(verified: VerifiedPlan) -> int:
    """Return about what a plan takes in memory, with its facts and its proof."""
    problem, plan = verified.problem, verified.plan
    entries = (plan.purchases, plan.makes, plan.transfers, plan.stocks, plan.deliveries, plan.shorts)
    cells = len(problem.network.arcs) * problem.case.horizon.count
    return cells * _CELL_BYTES + sum(map(len, entries)) * _ENTRY_BYTES
