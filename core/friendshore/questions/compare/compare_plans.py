"""Comparison of two plans: the steps between them, each with the cheapest plan nearest to that of the previous step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from time import monotonic
from types import MappingProxyType
from typing import Literal

from ...domain.base import exact, totals
from ...domain.case import DemandSpec
from ...domain.change import Change
from ...domain.plan import Cost, Plan, PlanStatus
from ...errors import InputError, NoPlanError
from ...explain import DependentSums, material_dependence, sum_of
from ...explain.pieces import Changes, Pieces
from ...explain.results import CENT, SHARE_PROVED, Effort, QuestionCounter, between, names_of
from ...problem.changes import scenario_changes
from ...program import compile_program
from ...recommend import PlanSource, session_of
from ...rules.amend import with_bills
from ...session import PartPlan, Session
from ...session.answer import carried
from ...session.decided import days_of, first_foreseen_day, keep_decisions, reject_impossible_orders
from ...session.layout import PurchaseLine, with_least_movement
from ...solve import Progress, solve
from ...solve.solving import plan_of
from ...verify import examine
from .comparison import Comparison, DependenceLine, FactLine, MaterialLine, MixLine, Step, differing


def compare(
    source: PlanSource,
    before: Sequence[Change],
    after: Sequence[Change],
    *,
    names: tuple[str, str] = ("before", "after"),
    decided_before: date | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compare the plans after two lists of changes to one case, with every step between them.

    Each step makes or undoes one change, and takes the cheapest plan nearest to the first plan.

    Args:
        source: A recommendation, a session, or a case.
        before: Changes of the first plan. Empty means the case as it is.
        after: Changes of the second plan.
        names: Names of the two plans.
        decided_before: Date before which both plans keep the orders of the case's own plan. None means that plans know all changes from the start.
        progress: Called with the number of finished steps, the total, and seconds.

    Raises:
        InputError: For a change of something unknown, or one that removes a decided order.
    """
    session = session_of(source)
    session = _with_new_materials(session, (*before, *after))
    foreseen_day = first_foreseen_day(session, days_of(session, (*before, *after)))
    if decided_before is not None:
        session, foreseen_day = keep_decisions(session, decided_before), None
    counter, waypoints = QuestionCounter(session, progress), _waypoints_between(tuple(before), tuple(after))
    walk = _Walk(session, [waypoint.changes for waypoint in waypoints])
    states: list[_State] = []
    for number, waypoint in enumerate(waypoints, 1):
        counter.questions += 1
        session.raise_if_stopped(number - 1, len(waypoints), "plans")
        states.append(walk.state(waypoint.changes, states))
        counter.report_progress(number, len(waypoints))
    reject_impossible_orders(session, (rules for state in states for plan in state.plans for rules in plan.conflicts))
    steps = [
        walk.step(waypoint, previous, current)
        for waypoint, previous, current in zip(waypoints[1:], states, states[1:], strict=False)
    ]
    comparison = walk.comparison(names, states[0], states[-1], steps, counter.effort)
    mix = [line for step in steps for line in step.mix]
    all_names = comparison.names.joined(names_of(session.problem, (line.offer for line in mix)))
    return comparison.but(decided_before=decided_before, foreseen=foreseen_day, names=all_names)


def _with_new_materials(session: Session, changes: Changes) -> Session:
    """Add the materials and places of new demands, with zero demand where the plan lacks them."""
    start, case, merged = monotonic(), session.problem.case, session.problem.merged
    places = {case.place, *(demand.use.place.id for demand in session.problem.demands)}
    new_demands = {
        (change.want, change.place): DemandSpec(
            id=f"new/{change.want}/{change.place or case.place}",
            material=change.want,
            end_use=change.end_use,
            place=change.place,
            quantities=(Decimal(0),) * case.horizon.count,
            shortage_price=change.shortage_price,
        )
        for change in with_bills(changes, session.inputs.bills)
        if change.want in merged.materials and merged.is_place(change.place or case.place)
        if change.want not in session.parts.of_material or (change.place or case.place) not in places
    }
    if not new_demands:
        return session
    inputs = replace(
        session.inputs, case=session.inputs.case.but(demands=(*session.inputs.case.demands, *new_demands.values()))
    )
    return session.with_inputs(inputs, compile_program(inputs.problem()), start)


def scenario_walk(
    session: Session, names: Sequence[str], changes: Sequence[Change] = ()
) -> tuple[Changes, Changes, tuple[str, str]]:
    """Return the changes and names of both plans: a scenario against the case, or two scenarios. Further changes apply to the second plan."""
    case = session.inputs.case
    first, last = list(names[:-1]), list(names[-1:])
    before, after = (
        f"{case.name} with scenario {scenarios[0]}" if scenarios else f"{case.name} as it is"
        for scenarios in (first, last)
    )
    if changes:
        after = f"{after}, changed" if last else f"{case.name} changed"
    return scenario_changes(case, first), (*scenario_changes(case, last), *changes), (before, after)


def compare_plans(before: PlanSource, after: PlanSource, *, names: tuple[str, str] = ("before", "after")) -> Comparison:
    """Compare the plans and facts of two cases, with the second's cheapest plan nearest to the first. Different currencies raise an `InputError`."""
    first_session, second_session = session_of(before), session_of(after)
    currencies = (first_session.problem.case.currency, second_session.problem.case.currency)
    if currencies[0] != currencies[1]:
        raise InputError(
            "the cases use different currencies",
            found=" and ".join(currencies),
            fix="use the same `currency` in both cases",
            code="FS521",
        )
    counter = QuestionCounter(second_session)
    counter.questions = 1
    first, whole = (
        PlanSummary.of(PartPlan(frozenset(), session.verified)) for session in (first_session, second_session)
    )
    cost, last, proved = second_session.verified.cost, [whole], True
    same_horizon = first_session.problem.case.horizon == second_session.problem.case.horizon
    if not same_horizon:
        first, last = first.over_the_plan(), [whole.over_the_plan()]
    elif not whole.conflicts:
        cheapest = [second_session.part_plan(members) for members in second_session.parts.members]
        nearest_plans = [
            nearest(second_session, part, PartPlan(part.members, first_session.verified)) for part in cheapest
        ]
        proved = all(plan.proved for plan in nearest_plans)
        parts = [PlanSummary.of(plan.part) for plan in nearest_plans]
        for part, unmoved in zip(parts, cheapest, strict=True):
            cost = cost.plus(part.cost.minus(unmoved.verified.cost))
        last = [whole.without(frozenset().union(*second_session.parts.members)), *parts]
    answer = _side_by_side(
        first_session, names, (first.cost, cost), ([first], last), [(first, whole)], same_horizon and proved, counter.effort, same_horizon,
        facts=differing(first_session.inputs, second_session.inputs),
    )  # fmt: skip
    all_names = names_of(second_session.problem, (line.offer for line in answer.mix))
    return answer.but(names=answer.names.joined(all_names))


@dataclass(frozen=True, slots=True)
class _Waypoint:
    changes: Changes
    undoes: Changes = ()
    does: Changes = ()

    @property
    def title(self) -> str:
        words = [f"no longer: {change.text}" for change in self.undoes] + [change.text for change in self.does]
        return "; ".join(words) or "the same changes in another order"


def _waypoints_between(before: Changes, after: Changes) -> list[_Waypoint]:
    common: list[Change] = []
    unmatched = list(after)
    for change in before:
        if change in unmatched:
            unmatched.remove(change)
            common.append(change)
    waypoints, current = [_Waypoint(before)], list(before)
    to_undo = list(before)
    for change in common:
        to_undo.remove(change)
    for change in reversed(to_undo):
        index = len(current) - 1 - current[::-1].index(change)
        current = [*current[:index], *current[index + 1 :]]
        waypoints.append(_Waypoint(tuple(current), undoes=(change,)))
    is_applied = [False] * len(after)
    for change in common:
        is_applied[next(i for i, other in enumerate(after) if other == change and not is_applied[i])] = True
    for i, change in enumerate(after):
        if not is_applied[i]:
            is_applied[i] = True
            waypoints.append(
                _Waypoint(tuple(c for c, done in zip(after, is_applied, strict=True) if done), does=(change,))
            )
    if waypoints[-1].changes != after:
        waypoints.append(_Waypoint(after))
    return waypoints


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    changes_by_piece: tuple[Changes, ...]
    plans: tuple[PlanSummary, ...]
    proved: bool


class _Walk:
    def __init__(self, session: Session, change_lists: Sequence[Changes]) -> None:
        self.session = session
        self.pieces = Pieces(session, change_lists)
        self.base = tuple(PlanSummary.of(self.pieces.plan(piece, ())) for piece in self.pieces.all)
        whole = PlanSummary.of(PartPlan(frozenset(), session.verified))
        affected = frozenset().union(*(piece.members for piece in self.pieces.all))
        self.rest = whole.without(affected, self.base)

    def state(self, changes: Changes, before: Sequence[_State]) -> _State:
        """Plan every piece after some changes, near to the first plan and then to the previous one."""
        changes_by_piece = tuple(self.pieces.changes_for(piece, changes) for piece in self.pieces.all)
        plans, proved = [], True
        for number, piece in enumerate(self.pieces.all):
            if not before:
                plans.append(PlanSummary.of(self.pieces.plan(piece, changes_by_piece[number])))
            elif changes_by_piece[number] == before[-1].changes_by_piece[number]:
                plans.append(before[-1].plans[number])
                proved = proved and before[-1].proved
            else:
                plans_before = [state.plans[number].part for state in (before[0], *before[1:][-1:])]
                result = nearest(self.session, self.pieces.plan(piece, changes_by_piece[number]), *plans_before)
                plans.append(PlanSummary.of(result.part))
                proved = proved and result.proved
        return _State(changes_by_piece, tuple(plans), proved)

    def cost(self, state: _State) -> Cost:
        cost = self.session.verified.cost
        for base, plan in zip(self.base, state.plans, strict=True):
            cost = cost.plus(plan.cost.minus(base.cost))
        return cost

    def step(self, waypoint: _Waypoint, state_before: _State, state_after: _State) -> Step:
        different = [
            (old, new) for old, new in zip(state_before.plans, state_after.plans, strict=True) if old is not new
        ]
        rise = self.cost(state_after).rise_from(self.cost(state_before))
        before, short_before, names = sum_plans([old for old, _ in different])
        after, short_after, more_names = sum_plans([new for _, new in different])
        case = self.session.problem.case
        mix = [line for line in _mix_lines(before, after, names | more_names, case.resolution) if line.moved_kg]
        new_or_removed = _new_or_removed_materials(state_before.plans, state_after.plans)
        materials = _material_lines(mix, short_before, short_after, new_or_removed)
        rounding = case.resolution * case.horizon.count
        return Step(
            title=waypoint.title,
            ended_changes=waypoint.undoes,
            started_changes=waypoint.does,
            difference=between(rise.objective, *rise_between(different), self.cost(state_after).objective),
            rise=rise,
            materials=tuple(m for m in materials if m.moved_kg or abs(m.short_after_kg - m.short_before_kg) > rounding),
            mix=tuple(mix),
            conflict=tuple(sorted({*_conflict(state_after.plans)} - {*_conflict(state_before.plans)})),
        )

    def comparison(
        self, names: tuple[str, str], first: _State, last: _State, steps: Sequence[Step], effort: Effort
    ) -> Comparison:
        pairs = [(old, new) for old, new in zip(first.plans, last.plans, strict=True) if old is not new]
        return _side_by_side(
            self.session, names, (self.cost(first), self.cost(last)),
            ([self.rest, *first.plans], [self.rest, *last.plans]), pairs, last.proved, effort, same_periods=True, steps=steps,
        )  # fmt: skip


def _side_by_side(
    session: Session,
    names: tuple[str, str],
    costs: tuple[Cost, Cost],
    plans: tuple[Sequence[PlanSummary], Sequence[PlanSummary]],
    pairs: Sequence[tuple[PlanSummary, PlanSummary]],
    proved: bool,
    effort: Effort,
    same_periods: bool,
    steps: Sequence[Step] = (),
    facts: Sequence[FactLine] = (),
) -> Comparison:
    (before, short_before, facilities), (after, short_after, more_facilities) = sum_plans(plans[0]), sum_plans(plans[1])
    mix = _mix_lines(before, after, facilities | more_facilities, session.problem.case.resolution)
    low, high = rise_between(pairs)
    materials = tuple(_material_lines(mix, short_before, short_after, _new_or_removed_materials(*plans)))
    return Comparison(
        before=names[0],
        after=names[1],
        currency=session.problem.case.currency,
        cost_before=costs[0],
        cost_after=costs[1],
        difference=between(costs[1].objective - costs[0].objective, low, high, costs[1].objective),
        materials=materials,
        mix=tuple(mix),
        names=names_of(session.problem, (line.offer for line in mix)),
        dependence=tuple(_dependence_lines(*plans)),
        moved_kg={line.material: line.moved_kg for line in materials if line.moved_kg} if same_periods else None,
        min_moved_proved=proved,
        steps=tuple(steps),
        facts=tuple(facts),
        conflict_before=_conflict(plans[0]),
        conflict_after=_conflict(plans[1]),
        ranked=any(plan.ranked for plan in (*plans[0], *plans[1])),
        effort=effort,
    )


def _conflict(plans: Sequence[PlanSummary]) -> tuple[str, ...]:
    return tuple(sorted({rule for plan in plans for rules in plan.conflicts for rule in rules}))


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Cheapest plan with minimal distance to another plan."""

    part: PartPlan
    proved: bool


def _bought_kg(plan: Plan) -> dict[PurchaseLine, Decimal]:
    return totals(((p.offer, p.material, p.place, p.delivered), p.quantity) for p in plan.purchases)


def nearest(session: Session, cheapest: PartPlan, *before: PartPlan) -> Nearest:
    """Return the verified plan that moves the fewest kilograms from those in `before`, in this order, at no higher cost. `cheapest` if none is found."""
    problem, first = cheapest.verified.problem, before[0]
    if not first.plan.infeasible and first.members == cheapest.members:
        max_cost = cheapest.verified.cost.objective + CENT
        carried_over = carried(first.verified, first.members, problem, cheapest.plan, max_cost)
        if carried_over is not None:
            return Nearest(PartPlan(cheapest.members, carried_over), proved=True)
    program = compile_program(problem)
    with_goals = with_least_movement(
        program, *({line: float(kg) for line, kg in _bought_kg(other.plan).items()} for other in before)
    )
    if cheapest.plan.infeasible or with_goals is program:  # no plan, or no purchases, means no moves
        return Nearest(cheapest, proved=True)
    try:
        solution = solve(with_goals, session.limits, None, session.cancel, session.answers)
    except NoPlanError:
        return Nearest(cheapest, proved=False)
    ranked, moved = solution.levels[: len(program.goals)], solution.levels[-len(before) :]
    x = solution.x[: len(program.linear.cost)]
    plan = plan_of(program, replace(solution, x=x, levels=ranked))
    if plan.objective > cheapest.plan.objective + max(CENT, SHARE_PROVED * abs(cheapest.plan.objective)):
        return Nearest(cheapest, proved=False)
    bound = min(max(plan.bound, cheapest.plan.bound), plan.objective)
    plan = plan.but(status=cheapest.plan.status, bound=bound)
    proved = all(level.least - level.bound <= float(SHARE_PROVED) * max(1.0, level.least) for level in moved)
    verified, _ = examine(problem, plan)
    return (
        Nearest(cheapest, proved=False) if verified is None else Nearest(PartPlan(cheapest.members, verified), proved)
    )


NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, eq=False)
class PlanSummary:
    """Summary of a plan, or of its share in some parts of a case."""

    part: PartPlan
    cost: Cost
    objective: Decimal
    bound: Decimal
    proved: bool
    """True if the plan is proved cheapest, with every ranked level."""
    ranked: bool
    conflicts: tuple[tuple[str, ...], ...]
    bought: Mapping[PurchaseLine, Decimal] = field(default_factory=dict)
    short: Mapping[str, Decimal] = field(default_factory=dict)
    """Material -> kilograms of shortage."""
    facility: Mapping[str, str] = field(default_factory=dict)
    demanded: frozenset[str] = frozenset()
    dependence: Mapping[str, DependentSums] = field(default_factory=dict)
    """Material -> cash for its purchases, by dependence on the case's countries of concern."""

    @staticmethod
    def of(part: PartPlan) -> PlanSummary:
        plan, problem = part.plan, part.verified.problem
        bought = _bought_kg(plan)
        material = {demand.id: demand.use.material.id for demand in problem.demands}
        names = {name for name, *_ in bought}
        return PlanSummary(
            part=part,
            cost=part.verified.cost,
            objective=plan.objective,
            bound=plan.bound,
            proved=plan.status is PlanStatus.OPTIMAL,
            ranked=bool(plan.levels),
            conflicts=tuple(conflict.rules for conflict in plan.infeasible),
            bought=bought,
            short=totals((material[short.demand], short.quantity) for short in plan.shorts),
            facility={facts.offer.id: facts.offer.facility for facts in problem.offers if facts.offer.id in names},
            demanded=frozenset(demand.use.material.id for demand in problem.demands if any(demand.quantity)),
            dependence=material_dependence(part.verified, problem.case.concern.countries),
        )

    def without(self, materials: Iterable[str], parts: Sequence[PlanSummary] = ()) -> PlanSummary:
        """Omit some materials, and the conflicts of some parts. The money remains complete."""
        omitted, omitted_conflicts = set(materials), {rules for part in parts for rules in part.conflicts}
        return replace(
            self,
            conflicts=tuple(rules for rules in self.conflicts if rules not in omitted_conflicts),
            bought={line: kg for line, kg in self.bought.items() if line[1] not in omitted},
            short={name: kg for name, kg in self.short.items() if name not in omitted},
            demanded=self.demanded - omitted,
            dependence={name: sums for name, sums in self.dependence.items() if name not in omitted},
        )

    def over_the_plan(self) -> PlanSummary:
        return replace(self, bought=totals(((*line[:3], 0), kilograms) for line, kilograms in self.bought.items()))


def sum_plans(plans: Sequence[PlanSummary]) -> tuple[dict[PurchaseLine, Decimal], dict[str, Decimal], dict[str, str]]:
    bought = totals(entry for plan in plans for entry in plan.bought.items())
    short = totals(entry for plan in plans for entry in plan.short.items())
    return bought, short, {offer: name for plan in plans for offer, name in plan.facility.items()}


def _dependence_lines(before: Sequence[PlanSummary], after: Sequence[PlanSummary]) -> list[DependenceLine]:
    sums_before, sums_after = (
        {name: sums for plan in plans for name, sums in plan.dependence.items()} for plans in (before, after)
    )
    lines = [_dependence_line("", sum_of(sums_before.values()), sum_of(sums_after.values()))]
    nothing = DependentSums()
    lines += [
        _dependence_line(name, sums_before.get(name, nothing), sums_after.get(name, nothing))
        for name in sorted({*sums_before, *sums_after})
    ]
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
    """Return proved bounds on the rise of the minimum objective over the pairs. Infinite if rules conflict or a level isn't proved."""
    low = high = NOTHING
    for before, after in pairs:
        both = (before, after)
        if any(plan.conflicts or (plan.ranked and not plan.proved) for plan in both):
            return Decimal("-Infinity"), Decimal("Infinity")
        low += after.bound - before.objective
        high += after.objective - before.bound
    return low, high


def _mix_lines(
    before: Mapping[PurchaseLine, Decimal],
    after: Mapping[PurchaseLine, Decimal],
    names: Mapping[str, str],
    resolution: Decimal,
) -> list[MixLine]:
    sums_by_supply: dict[tuple[str, str, str], list[Decimal]] = {}
    for line in sorted({*before, *after}):
        kg_before, kg_after = before.get(line, NOTHING), after.get(line, NOTHING)
        moved = abs(kg_after - kg_before) if abs(kg_after - kg_before) > 2 * resolution else NOTHING
        sums = sums_by_supply.setdefault((line[1], line[0], line[2]), [NOTHING] * 3)
        for number, kilograms in enumerate((kg_before, kg_after, moved)):
            sums[number] += kilograms
    return [
        MixLine(
            offer=offer,
            facility=names[offer],
            material=material,
            place=place,
            before_kg=kg_before,
            after_kg=kg_after,
            moved_kg=moved,
        )
        for (material, offer, place), (kg_before, kg_after, moved) in sorted(sums_by_supply.items())
    ]


def _new_or_removed_materials(
    before: Iterable[PlanSummary], after: Iterable[PlanSummary]
) -> dict[str, Literal["new", "removed"]]:
    demanded_before, demanded_after = (
        frozenset[str]().union(*(plan.demanded for plan in plans)) for plans in (before, after)
    )
    by_material: dict[str, Literal["new", "removed"]] = {}
    for name in demanded_before ^ demanded_after:
        by_material[name] = "new" if name in demanded_after else "removed"
    return by_material


def _material_lines(
    mix: Iterable[MixLine],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    new_or_removed: Mapping[str, Literal["new", "removed"]] = MappingProxyType({}),
) -> list[MaterialLine]:
    sums: dict[str, list[Decimal]] = {name: [NOTHING] * 3 for name in (*before, *after)}
    for line in mix:
        material_sums = sums.setdefault(line.material, [NOTHING] * 3)
        for number, kilograms in enumerate((line.before_kg, line.after_kg, line.moved_kg)):
            material_sums[number] += kilograms
    return [
        MaterialLine(
            material=name,
            before_kg=exact(kg_before),
            after_kg=exact(kg_after),
            moved_kg=exact(moved),
            short_before_kg=before.get(name, NOTHING),
            short_after_kg=after.get(name, NOTHING),
            wanted=new_or_removed.get(name, "both"),
        )
        for name, (kg_before, kg_after, moved) in sorted(sums.items())
    ]
