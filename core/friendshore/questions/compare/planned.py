"""What a comparison takes of a plan: money, kilograms by line, shortage by material."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from ...domain.base import exact
from ...domain.plan import Cost, PlanStatus
from ...program.asking import Line
from ...session import PartPlan
from .nearest import bought_of
from .records import MaterialLine, MixLine

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class PlanSummary:
    """A plan, or what some parts of a case come to in it."""

    part: PartPlan
    cost: Cost
    objective: Decimal
    """As the solver found it."""
    bound: Decimal
    proved: bool
    """Whether the plan is proved cheapest, every ranked level included."""
    ranked: bool
    conflicts: tuple[tuple[str, ...], ...]
    """Sets of rules that cannot hold together."""
    bought: Mapping[Line, Decimal] = field(default_factory=dict)
    short: Mapping[str, Decimal] = field(default_factory=dict)
    """Material -> kilograms short."""
    facility: Mapping[str, str] = field(default_factory=dict)
    """Offer -> its facility."""

    @staticmethod
    def of(part: PartPlan) -> PlanSummary:
        """What a comparison takes of a verified plan."""
        plan, problem = part.plan, part.verified.problem
        bought = bought_of(plan)
        material = {demand.id: demand.use.material.id for demand in problem.demands}
        short: defaultdict[str, Decimal] = defaultdict(Decimal)
        for each in plan.shorts:
            short[material[each.demand]] += each.quantity
        names = {name for name, *_ in bought}
        return PlanSummary(
            part=part,
            cost=part.verified.cost,
            objective=plan.objective,
            bound=plan.bound,
            proved=plan.status is PlanStatus.OPTIMAL,
            ranked=bool(plan.levels),
            conflicts=tuple(one.rules for one in plan.infeasible),
            bought=bought,
            short=dict(short),
            facility={f.offer.id: f.offer.facility for f in problem.offers if f.offer.id in names},
        )

    def beyond(self, materials: Iterable[str], parts: Sequence[PlanSummary] = ()) -> PlanSummary:
        """The same without what it buys and is short of some materials, and without the conflicts of some parts.

        Its money is all of it still.
        """
        gone, told = set(materials), {rules for part in parts for rules in part.conflicts}
        return replace(
            self,
            conflicts=tuple(rules for rules in self.conflicts if rules not in told),
            bought={line: kg for line, kg in self.bought.items() if line[1] not in gone},
            short={name: kg for name, kg in self.short.items() if name not in gone},
        )

    def over_the_plan(self) -> PlanSummary:
        """The same with what is bought added up over all periods."""
        bought: defaultdict[Line, Decimal] = defaultdict(Decimal)
        for (offer, material, place, _), kilograms in self.bought.items():
            bought[offer, material, place, 0] += kilograms
        return replace(self, bought=dict(bought))


def together(plans: Iterable[PlanSummary]) -> tuple[dict[Line, Decimal], dict[str, Decimal], dict[str, str]]:
    """What several parts buy and are short of, and the facilities bought from."""
    bought: defaultdict[Line, Decimal] = defaultdict(Decimal)
    short: defaultdict[str, Decimal] = defaultdict(Decimal)
    facility: dict[str, str] = {}
    for plan in plans:
        for line, kilograms in plan.bought.items():
            bought[line] += kilograms
        for name, kilograms in plan.short.items():
            short[name] += kilograms
        facility |= plan.facility
    return dict(bought), dict(short), facility


def rise_between(pairs: Iterable[tuple[PlanSummary, PlanSummary]]) -> tuple[Decimal, Decimal]:
    """What the least objective surely rises by from the first of each pair to the second, at least and at most.

    Nothing is sure where rules conflict, nor where the case ranks objectives and not every level is proved.
    """
    low = high = NOTHING
    for before, after in pairs:
        both = (before, after)
        if any(plan.conflicts or (plan.ranked and not plan.proved) for plan in both):
            return Decimal("-Infinity"), Decimal("Infinity")
        low += after.bound - before.objective
        high += after.objective - before.bound
    return low, high


def mix_lines(
    before: Mapping[Line, Decimal], after: Mapping[Line, Decimal], names: Mapping[str, str], resolution: Decimal
) -> list[MixLine]:
    """Every offer, material and place that either buys from, in order.

    Args:
        before: what the first buys.
        after: what the second buys.
        names: facility of every offer.
        resolution: kilograms to which purchases are rounded: two roundings apart, a purchase has not moved.
    """
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for line in sorted({*before, *after}):
        was, now = before.get(line, NOTHING), after.get(line, NOTHING)
        moved = abs(now - was) if abs(now - was) > 2 * resolution else NOTHING
        sums = found.setdefault((line[1], line[0], line[2]), [NOTHING] * 3)
        for at, kilograms in enumerate((was, now, moved)):
            sums[at] += kilograms
    return [
        MixLine(
            offer=offer,
            facility=names[offer],
            material=material,
            place=place,
            before_kg=was,
            after_kg=now,
            moved_kg=moved,
        )
        for (material, offer, place), (was, now, moved) in sorted(found.items())
    ]


def material_lines(
    mix: Iterable[MixLine], before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> list[MaterialLine]:
    """Every material that either buys or is short of, in order."""
    sums: dict[str, list[Decimal]] = {name: [NOTHING] * 3 for name in (*before, *after)}
    for line in mix:
        each = sums.setdefault(line.material, [NOTHING] * 3)
        for at, kilograms in enumerate((line.before_kg, line.after_kg, line.moved_kg)):
            each[at] += kilograms
    return [
        MaterialLine(
            material=name,
            before_kg=exact(was),
            after_kg=exact(now),
            moved_kg=exact(moved),
            short_before_kg=before.get(name, NOTHING),
            short_after_kg=after.get(name, NOTHING),
        )
        for name, (was, now, moved) in sorted(sums.items())
    ]
