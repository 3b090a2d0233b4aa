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
    """Plans of the same parts after the changes, each with its own proof."""
    cost: Cost
    """Cost of the whole case after the changes."""
    rise: Cost
    """Increase of the cost, by item."""
    levels: tuple[Decimal, ...]
    """Value of each ranked objective after the changes, in the whole case."""
    infeasible: tuple[Infeasible, ...]
    """Conflicts after the changes, in the whole case. Costs then exclude their materials."""
    solved: int
    """Number of components that were solved for the answer."""
    reused: int
    """Number of components of the affected parts whose solution was known."""

    @property
    def rise_between(self) -> tuple[Decimal, Decimal]:
        """Proved minimum and maximum increase of the optimal objective. They are equal if both plans are proved optimal.

        With ranked objectives, the increase is unbounded unless all plans are proved optimal. A better plan in an earlier level may cost more or less.
        """
        ranked = any(part.plan.levels for part in (*self.before, *self.after))
        if ranked and any(p.plan.status is not PlanStatus.OPTIMAL for p in (*self.before, *self.after)):
            return Decimal("-Infinity"), Decimal("Infinity")
        low = sum((a.plan.bound - b.plan.objective for b, a in self._pairs), Decimal(0))
        high = sum((a.plan.objective - b.plan.bound for b, a in self._pairs), Decimal(0))
        return exact(low), exact(high)

    def to_frame(self) -> pandas.DataFrame:
        """Return the purchases before and after in the affected parts, with a row for each material, offer, and place of delivery.

        The columns are `material`, `offer`, `place`; `before_kg`, `after_kg`, `change_kg` (kilograms over the plan); and `before_cost`, `after_cost`,
        `change_cost` (price, charges, and freight in the case's currency, undiscounted).
        """
        import pandas

        before, after = _bought(self.before), _bought(self.after)
        nothing = (Decimal(0), Decimal(0))
        rows = []
        for key in sorted({*before, *after}):
            (kg, cost), (kg_after, cost_after) = before.get(key, nothing), after.get(key, nothing)
            figures = (kg, kg_after, kg_after - kg, cost, cost_after, cost_after - cost)
            rows.append((*key, *map(float, figures)))
        names = [f"{when}_{what}" for what in ("kg", "cost") for when in ("before", "after", "change")]
        return pandas.DataFrame(rows, columns=["material", "offer", "place", *names])

    @property
    def _pairs(self) -> list[tuple[PartPlan, PartPlan]]:
        return list(zip(self.before, self.after, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Together:
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
    """Bound on the value among plans that cost no more: a lower bound of a minimum, or an upper bound of a maximum."""
    part: PartPlan
    """Plan with this value."""


def _bought(parts: Iterable[PartPlan]) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    """Return material, offer, and place -> kilograms and money over the plan."""
    found: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in (line for part in parts for line in part.verified.lines):
        key = (line.material, line.name, line.place)
        kilograms, money = found.get(key, (Decimal(0), Decimal(0)))
        found[key] = kilograms + line.quantity, money + line.total
    return found


PlanKey = tuple[Members, frozenset[str], tuple[Change, ...], tuple[str, ...]]
"""Materials, limit rules, changes, and further rules of a plan of some parts."""
_CELL_BYTES, _ENTRY_BYTES = 600, 1_300
"""Approximate memory of a plan, for each period of an arc and for each entry. Measured on four cases, with an error of the sum below a quarter."""


class PlanCache:
    """Thread-safe cache of plans."""

    def __init__(self, most: int = SESSION_BYTES // 4) -> None:
        """Create an empty cache. Plans after changes may take about `most` bytes. The least recently used are dropped."""
        self._own: dict[PlanKey, PartPlan] = {}
        """Plans of single unchanged parts. Most questions compare with them, and together they are no larger than the case."""
        self._changed: SizeLimitedCache[PlanKey, PartPlan] = SizeLimitedCache(most)

    def get(self, key: PlanKey) -> PartPlan | None:
        return self._own.get(key) or self._changed.get(key)

    def keep(self, key: PlanKey, plan: PartPlan, *, own: bool) -> None:
        """Add a plan. With `own`, it is the plan of a single unchanged part and is never dropped."""
        if own:
            self._own[key] = plan
        else:
            self._changed.keep(key, plan, _bytes(plan.verified))


def _bytes(verified: VerifiedPlan) -> int:
    """Return the approximate memory of a plan, with its facts and its proof."""
    problem, plan = verified.problem, verified.plan
    entries = (plan.purchases, plan.makes, plan.transfers, plan.stocks, plan.deliveries, plan.shorts)
    cells = len(problem.network.arcs) * problem.case.horizon.count
    return cells * _CELL_BYTES + sum(map(len, entries)) * _ENTRY_BYTES


_Served = tuple[str, int, frozenset[str]]
"""Demand, delivery period, and waivers of a delivery."""


def carried(
    before: VerifiedPlan, members: Members, problem: Problem, cheapest: Plan, most: Decimal
) -> VerifiedPlan | None:
    """Return a plan's part for some materials, verified on the facts of `problem`. None if it fails or costs more than `most`.

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
    """Return old compliance class -> new class that serves the same deliveries.

    Classes are numbered by need, so a rule about one material renames those of others. Classes that serve the same deliveries are matched in order. The
    verifier checks that the plan is valid with the new classes.
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
    named = ((problem.demands[outlet.demand].id, outlet) for outlet in each.outlets)
    return frozenset((name, outlet.period, frozenset(outlet.waivers)) for name, outlet in named if name in demands)
