"""Answers of a session, its plan cache, and plans carried over to other facts."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ..domain.base import exact
from ..domain.change import Change
from ..domain.plan import Cost, Infeasible, Plan, PlanStatus
from ..domain.runtime import SESSION_BYTES, SizeLimitedCache
from ..problem import Problem
from ..problem.compliance_classes import ComplianceClass
from ..problem.parts import Members
from ..program.matrix import Mask
from ..rules.base import Rule
from ..verify import VerifiedPlan, examine

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, eq=False)
class PartPlan:
    """Verified plan of some parts of a case."""

    members: Members
    """Materials of these parts."""
    verified: VerifiedPlan

    @property
    def plan(self) -> Plan:
        return self.verified.plan


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Effect of some changes on a plan."""

    changes: tuple[Change, ...]
    imposed: tuple[Rule, ...]
    """Rules in addition to those of the case."""
    before: tuple[PartPlan, ...]
    """Plans of the affected parts before the changes."""
    after: tuple[PartPlan, ...]
    """Plans of the same parts after the changes."""
    cost: Cost
    """Cost of the whole case after the changes."""
    rise: Cost
    """Exact increase of the cost, by item."""
    levels: tuple[Decimal, ...]
    """Value of each ranked objective after the changes, in the whole case."""
    infeasible: tuple[Infeasible, ...]
    """Conflicts after the changes, in the whole case. Costs then exclude their materials."""
    solved: int
    """Number of components that were solved for the answer."""
    reused: int
    """Number of components of the affected parts whose solution was known."""

    @property
    def rise_shown(self) -> Cost:
        """Increase of the cost without residues of rounding."""
        return self.cost.rise_from(self.cost.minus(self.rise))

    @property
    def rise_between(self) -> tuple[Decimal, Decimal]:
        """Proved minimum and maximum increase of the optimum. With ranked objectives, it is unbounded unless all plans are proved optimal."""
        ranked = any(part.plan.levels for part in (*self.before, *self.after))
        if ranked and any(p.plan.status is not PlanStatus.OPTIMAL for p in (*self.before, *self.after)):
            return Decimal("-Infinity"), Decimal("Infinity")
        low = sum((a.plan.bound - b.plan.objective for b, a in self._pairs), Decimal(0))
        high = sum((a.plan.objective - b.plan.bound for b, a in self._pairs), Decimal(0))
        return exact(low), exact(high)

    def to_frame(self) -> pandas.DataFrame:
        """Return the purchases before and after in the affected parts, with a row for each material, offer, and place of delivery.

        The columns are `material`, `offer`, `place`; `before_kg`, `after_kg`, `change_kg`; and `before_cost`, `after_cost`, `change_cost` (price,
        charges, and freight in the case's currency, undiscounted).
        """
        import pandas

        before, after = _bought_by_offer(self.before), _bought_by_offer(self.after)
        zero = (Decimal(0), Decimal(0))
        rows = []
        for key in sorted({*before, *after}):
            (kg, cost), (kg_after, cost_after) = before.get(key, zero), after.get(key, zero)
            figures = (kg, kg_after, kg_after - kg, cost, cost_after, cost_after - cost)
            rows.append((*key, *map(float, figures)))
        names = [f"{moment}_{measure}" for measure in ("kg", "cost") for moment in ("before", "after", "change")]
        return pandas.DataFrame(rows, columns=["material", "offer", "place", *names])

    @property
    def _pairs(self) -> list[tuple[PartPlan, PartPlan]]:
        return list(zip(self.before, self.after, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class ConnectedPart:
    """Part of the case that is connected to a material."""

    materials: frozenset[str]
    """Demanded materials, including the material itself."""
    spent: Decimal
    """Present value of the money spent on it in the cheapest plan, without penalties."""
    columns: Mask
    """Its columns in the program of its part."""


@dataclass(frozen=True, slots=True, eq=False)
class Extreme:
    """Minimum or maximum of a sum over purchases among plans that cost little more than the cheapest."""

    value: Decimal
    """Value in the plan found, before rounding."""
    bound: Decimal
    """Lower bound of a minimum, or upper bound of a maximum, among plans that cost no more."""
    part: PartPlan


def _bought_by_offer(parts: Iterable[PartPlan]) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    totals: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in (line for part in parts for line in part.verified.lines):
        key = (line.material, line.name, line.place)
        kilograms, money = totals.get(key, (Decimal(0), Decimal(0)))
        totals[key] = kilograms + line.quantity, money + line.total
    return totals


PlanKey = tuple[Members, frozenset[str], tuple[Change, ...], tuple[str, ...]]
"""Materials, limit rules, changes, and further rules of a plan of some parts."""
# Approximate memory of a plan, for each period of an arc and for each entry. Measured on four cases, with an error of the sum below a quarter.
_CELL_BYTES, _ENTRY_BYTES = 600, 1_300


class PlanCache:
    """Thread-safe cache of plans."""

    def __init__(self, max_bytes: int = SESSION_BYTES // 4) -> None:
        """Create a cache whose plans after changes take at most about `max_bytes`. The least recently used are dropped."""
        # Plans of single unchanged parts. Most questions compare with them, and together they are no larger than the case.
        self._unchanged: dict[PlanKey, PartPlan] = {}
        self._changed: SizeLimitedCache[PlanKey, PartPlan] = SizeLimitedCache(max_bytes)

    def get(self, key: PlanKey) -> PartPlan | None:
        return self._unchanged.get(key) or self._changed.get(key)

    def keep(self, key: PlanKey, plan: PartPlan, *, own: bool) -> None:
        """Add a plan. With `own`, it is the plan of a single unchanged part and is never dropped."""
        if own:
            self._unchanged[key] = plan
        else:
            self._changed.keep(key, plan, _size_in_bytes(plan.verified))


def _size_in_bytes(verified: VerifiedPlan) -> int:
    problem, plan = verified.problem, verified.plan
    entries = (plan.purchases, plan.makes, plan.transfers, plan.stocks, plan.deliveries, plan.shorts)
    cells = len(problem.network.arcs) * problem.case.horizon.count
    return cells * _CELL_BYTES + sum(map(len, entries)) * _ENTRY_BYTES


_DeliveryKey = tuple[str, int, frozenset[str]]
"""Demand, delivery period, and waivers of a delivery."""


def carried(
    before: VerifiedPlan, members: Members, problem: Problem, cheapest: Plan, max_objective: Decimal
) -> VerifiedPlan | None:
    """Return a plan's part on the facts of `problem`, with the status and bounds of `cheapest`. None if it is invalid or costs more than `max_objective`."""
    if before.plan.infeasible or cheapest.infeasible:
        return None
    offers, demands = {facts.offer.id for facts in problem.offers}, {demand.id for demand in problem.demands}
    try:
        plan = before.plan.within(members, offers, demands).relabeled(_new_labels(before.problem, problem))
    except KeyError:  # the part uses a class that serves no delivery of `problem`
        return None
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
    return verified if verified is not None and verified.cost.objective <= max_objective else None


def _new_labels(old_problem: Problem, new_problem: Problem) -> dict[str, str]:
    """Return old compliance class -> new class that serves the same deliveries, in order. Classes without one are left out.

    A rule about one material may renumber all classes.
    """
    demands = {demand.id for demand in new_problem.demands}
    unmatched = defaultdict[frozenset[_DeliveryKey], deque[str]](deque)
    for compliance_class in new_problem.compliance_classes:
        unmatched[_delivery_keys(new_problem, compliance_class, demands)].append(compliance_class.label)
    new_label = {}
    for compliance_class in old_problem.compliance_classes:
        same_deliveries = unmatched[_delivery_keys(old_problem, compliance_class, demands)]
        if same_deliveries:
            new_label[compliance_class.label] = same_deliveries.popleft()
    return new_label


def _delivery_keys(
    problem: Problem, compliance_class: ComplianceClass, demands: Collection[str]
) -> frozenset[_DeliveryKey]:
    outlets = ((problem.demands[outlet.demand].id, outlet) for outlet in compliance_class.outlets)
    return frozenset((name, outlet.period, frozenset(outlet.waivers)) for name, outlet in outlets if name in demands)
