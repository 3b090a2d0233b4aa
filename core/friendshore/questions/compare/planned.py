"""What a comparison takes of a plan: money, kilograms by line, shortage by material.

Of all cheapest plans it takes the one that is nearest to another plan: then it shows no kilogram that moved for no reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from ...domain.base import exact, totals
from ...domain.plan import Cost, Plan, PlanStatus
from ...errors import NoPlanError
from ...explain import DependentSums, material_dependence, sum_of
from ...explain.results import CENT, SHARE_PROVED
from ...program import compile_program
from ...session import PartPlan, Session
from ...session.answer import carried
from ...session.layout import Line, least_moved
from ...solve import solve
from ...solve.solving import plan_of
from ...verify import examine
from .records import DependenceLine, MaterialLine, MixLine


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """A cheapest plan that is as near to another plan as any."""

    part: PartPlan
    proved: bool
    """Whether no cheapest plan moves fewer kilograms."""


def bought_of(plan: Plan) -> dict[Line, Decimal]:
    """Kilograms that a plan buys, by offer, material, place and period of delivery."""
    return totals(((p.offer, p.material, p.place, p.delivered), p.quantity) for p in plan.purchases)


def nearest(session: Session, cheapest: PartPlan, *before: PartPlan) -> Nearest:
    """Of all plans of some parts that cost no more, the one that moves the fewest kilograms, verified.

    It stays near to the first plan `before`; the others settle what that leaves open. Ranked objectives and cost stay what they are;
    `friendshore.program.limits` says what counts as moved. Where a limit ends the search before such a plan is as cheap as the one given,
    or no engine comes to one that holds, it is the one given.
    """
    problem, was = cheapest.verified.problem, before[0]
    if not was.plan.infeasible and was.members == cheapest.members:
        most = cheapest.verified.cost.objective + CENT
        same = carried(was.verified, was.members, problem, cheapest.plan, most)
        if same is not None:
            return Nearest(PartPlan(cheapest.members, same), proved=True)
    program = compile_program(problem)
    wanted = least_moved(program, *({line: float(kg) for line, kg in bought_of(one.plan).items()} for one in before))
    if cheapest.plan.infeasible or wanted is program:  # what cannot be planned, or buys nothing, moves nothing
        return Nearest(cheapest, proved=True)
    try:
        solution = solve(wanted, session.limits, None, session.cancel, session.answers)
    except NoPlanError:
        return Nearest(cheapest, proved=False)
    ranked, moved = solution.levels[: len(program.goals)], solution.levels[-len(before) :]
    x = solution.x[: len(program.linear.cost)]
    plan = plan_of(program, replace(solution, x=x, levels=ranked))
    if plan.objective > cheapest.plan.objective + max(CENT, SHARE_PROVED * abs(cheapest.plan.objective)):
        return Nearest(cheapest, proved=False)
    bound = min(max(plan.bound, cheapest.plan.bound), plan.objective)
    plan = plan.but(status=cheapest.plan.status, bound=bound)
    proved = all(one.least - one.bound <= float(SHARE_PROVED) * max(1.0, one.least) for one in moved)
    verified, _ = examine(problem, plan)
    return (
        Nearest(cheapest, proved=False) if verified is None else Nearest(PartPlan(cheapest.members, verified), proved)
    )


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
    wanted: frozenset[str] = frozenset()
    """Materials of which anything is demanded."""
    dependence: Mapping[str, DependentSums] = field(default_factory=dict)
    """Material -> cash for its purchases, by dependence on the countries of concern of the case."""

    @staticmethod
    def of(part: PartPlan) -> PlanSummary:
        """What a comparison takes of a verified plan."""
        plan, problem = part.plan, part.verified.problem
        bought = bought_of(plan)
        material = {demand.id: demand.use.material.id for demand in problem.demands}
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
            short=totals((material[short.demand], short.quantity) for short in plan.shorts),
            facility={f.offer.id: f.offer.facility for f in problem.offers if f.offer.id in names},
            wanted=frozenset(demand.use.material.id for demand in problem.demands if any(demand.quantity)),
            dependence=material_dependence(part.verified, problem.case.concern.countries),
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
            wanted=self.wanted - gone,
            dependence={name: sums for name, sums in self.dependence.items() if name not in gone},
        )

    def over_the_plan(self) -> PlanSummary:
        """The same with what is bought added up over all periods."""
        return replace(self, bought=totals(((*line[:3], 0), kilograms) for line, kilograms in self.bought.items()))


def together(plans: Sequence[PlanSummary]) -> tuple[dict[Line, Decimal], dict[str, Decimal], dict[str, str]]:
    """What several parts buy and are short of, and the facilities bought from."""
    bought = totals(entry for plan in plans for entry in plan.bought.items())
    short = totals(entry for plan in plans for entry in plan.short.items())
    return bought, short, {offer: name for plan in plans for offer, name in plan.facility.items()}


def dependence_lines(before: Sequence[PlanSummary], after: Sequence[PlanSummary]) -> list[DependenceLine]:
    """Return the dependence of all purchases in both plans, and of each material that either buys."""
    was, now = ({name: sums for plan in plans for name, sums in plan.dependence.items()} for plans in (before, after))
    lines = [_dependence_line("", sum_of(was.values()), sum_of(now.values()))]
    nothing = DependentSums()
    lines += [_dependence_line(name, was.get(name, nothing), now.get(name, nothing)) for name in sorted({*was, *now})]
    return lines


def _dependence_line(material: str, before: DependentSums, after: DependentSums) -> DependenceLine:
    return DependenceLine(
        material=material,
        paid_before=exact(before.cash),
        paid_after=exact(after.cash),
        concern_before=exact(before.of_concern),
        concern_after=exact(after.of_concern),
        share_before=exact(before.share),
        share_after=exact(after.share),
    )


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
    """Every offer, material and place that either buys from, in order, with the name of the facility.

    Purchases are rounded to `resolution` kilograms: two roundings apart, one has not moved.
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


def wanted_in_one(before: Iterable[PlanSummary], after: Iterable[PlanSummary]) -> dict[str, Literal["new", "removed"]]:
    """Return the materials that only one of two plans is asked for."""
    was, now = (frozenset[str]().union(*(plan.wanted for plan in plans)) for plans in (before, after))
    found: dict[str, Literal["new", "removed"]] = {}
    for name in was ^ now:
        found[name] = "new" if name in now else "removed"
    return found


def material_lines(
    mix: Iterable[MixLine],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    in_one: Mapping[str, Literal["new", "removed"]] = MappingProxyType({}),
) -> list[MaterialLine]:
    """Every material that either buys or is short of, in order; `in_one` are those that only one of them is asked for."""
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
            wanted=in_one.get(name, "both"),
        )
        for name, (was, now, moved) in sorted(sums.items())
    ]
