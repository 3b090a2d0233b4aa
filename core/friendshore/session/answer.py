"""Answers of a session: plans of parts of a case, the plans that it keeps, and plans carried over to other facts."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from ..domain.base import exact
from ..domain.change import Change
from ..domain.plan import Cost, Infeasible, Plan, PlanStatus
from ..domain.runtime import SESSION_BYTES, Recent
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
    """The verified plan of some parts of a case."""

    members: Members
    """Materials of these parts."""
    verified: VerifiedPlan

    @property
    def plan(self) -> Plan:
        """The plan, with its bound."""
        return self.verified.plan


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What some changes do to a plan."""

    changes: tuple[Change, ...]
    imposed: tuple[Rule, ...]
    """Rules that hold in addition to those of the case."""
    before: tuple[PartPlan, ...]
    """The parts that the changes touch, as they were."""
    after: tuple[PartPlan, ...]
    """The same parts after the changes, each with its own proof."""
    cost: Cost
    """Of the whole case after the changes."""
    rise: Cost
    """What that is more than before, line by line."""
    levels: tuple[Decimal, ...]
    """What each objective that the case ranks comes to after the changes, in the whole case."""
    infeasible: tuple[Infeasible, ...]
    """What cannot be planned after the changes, in the whole case; its costs are then those of the rest."""
    solved: int
    """Components that had to be solved for it."""
    reused: int
    """Components of the touched parts whose answer was known."""

    @property
    def rise_between(self) -> tuple[Decimal, Decimal]:
        """What the least objective surely rises by, at least and at most: one number where both plans are proved cheapest.

        Where the case ranks objectives, nothing is sure of cost unless every level is proved: a better plan in a level before it
        may cost more or less.
        """
        ranked = any(part.plan.levels for part in (*self.before, *self.after))
        if ranked and any(p.plan.status is not PlanStatus.OPTIMAL for p in (*self.before, *self.after)):
            return Decimal("-Infinity"), Decimal("Infinity")
        low = sum((a.plan.bound - b.plan.objective for b, a in self._pairs), Decimal(0))
        high = sum((a.plan.objective - b.plan.bound for b, a in self._pairs), Decimal(0))
        return exact(low), exact(high)

    def to_frame(self) -> pandas.DataFrame:
        """What is bought before and after in the parts that the changes touch, one row a material, offer and place of delivery.

        Columns `material`, `offer`, `place`; `before_kg`, `after_kg` and `change_kg`, kilograms over the plan; `before_cost`, `after_cost`
        and `change_cost`, price, charges and freight in the case's currency, not discounted.
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
    """What hangs together with a material."""

    materials: frozenset[str]
    """Demanded materials, itself included."""
    spent: Decimal
    """Present value of the money that it spends in the cheapest plan, without penalties."""
    columns: Mask
    """Columns of the program of its part."""


@dataclass(frozen=True, slots=True, eq=False)
class Extreme:
    """How small or large a sum over purchases can be in a plan that costs little more than the cheapest."""

    value: Decimal
    """What it comes to in the plan found, before rounding."""
    bound: Decimal
    """No plan that costs no more comes to less (or, of the largest, to more)."""
    part: PartPlan
    """That plan."""


def _bought(parts: Iterable[PartPlan]) -> dict[tuple[str, str, str], tuple[Decimal, Decimal]]:
    """Material, offer and place -> kilograms and money over the plan."""
    found: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in (line for part in parts for line in part.verified.lines):
        key = (line.material, line.name, line.place)
        kilograms, money = found.get(key, (Decimal(0), Decimal(0)))
        found[key] = kilograms + line.quantity, money + line.total
    return found


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
    named = ((problem.demands[outlet.demand].id, outlet) for outlet in each.outlets)
    return frozenset((name, outlet.period, frozenset(outlet.waivers)) for name, outlet in named if name in demands)
