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
from ...explain.pieces import Changes, Piece, Pieces
from ...explain.results import CENT, SHARE_PROVED, Counted, Effort, between, names_of
from ...problem.changes import scenario_changes
from ...program import compile_program
from ...recommend import PlanSource, session_of
from ...rules.amend import with_bills
from ...session import PartPlan, Session
from ...session.answer import carried
from ...session.decided import days_of, foreseen, keep_decisions, reject_impossible_orders
from ...session.layout import Line, least_moved
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

    The steps lead from the first to the second, one change at a time. First, changes that the second lacks are undone, the last first. Then those
    that the first lacks are made, in order. Among the cheapest plans, each step takes the one that moves the fewest kilograms from the first plan.
    Distance to the previous step's plan breaks ties.

    Args:
        source: A recommendation, a session, or a case.
        before: Changes of the first plan. Empty means the case as it is.
        after: Changes of the second plan.
        names: Names of the two plans.
        decided_before: Date before which both plans keep the orders of the case's own plan. None means that plans know all changes from the start,
            including those that take effect later.
        progress: Called with the number of finished steps, the total, and seconds.

    Raises:
        InputError: For a change of something unknown, or one that removes a decided order.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
        PluginError: If a plugin's rule raises.
    """
    session = session_of(source)
    session = _with_new_materials(session, (*before, *after))
    later = foreseen(session, days_of(session, (*before, *after)))
    if decided_before is not None:
        session, later = keep_decisions(session, decided_before), None
    counted, way = Counted(session, progress), _way(tuple(before), tuple(after))
    walk = _Walk(session, [one.changes for one in way])
    states: list[_State] = []
    for number, one in enumerate(way, 1):
        counted.questions += 1
        session.go_on(number - 1, len(way), "plans")
        states.append(walk.state(one.changes, states))
        counted.told(number, len(way))
    reject_impossible_orders(session, (rules for state in states for plan in state.plans for rules in plan.conflicts))
    steps = [walk.step(one, was, now) for one, was, now in zip(way[1:], states, states[1:], strict=False)]
    found = walk.comparison(names, states[0], states[-1], steps, counted.effort)
    mix = [line for step in steps for line in step.mix]
    known = found.names.joined(names_of(session.problem, (line.offer for line in mix)))
    return found.but(decided_before=decided_before, foreseen=later, names=known)


def _with_new_materials(session: Session, changes: Changes) -> Session:
    """Return a session that also has the materials and places of all new demands, with zero demand where the plan lacks them."""
    began, case, merged = monotonic(), session.problem.case, session.problem.merged
    places = {case.place, *(demand.use.place.id for demand in session.problem.demands)}
    nothing = {
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
    if not nothing:
        return session
    inputs = replace(
        session.inputs, case=session.inputs.case.but(demands=(*session.inputs.case.demands, *nothing.values()))
    )
    return session.beside(inputs, compile_program(inputs.problem()), began)


def scenario_walk(
    session: Session, names: Sequence[str], changes: Sequence[Change] = ()
) -> tuple[Changes, Changes, tuple[str, str]]:
    """Return the changes of the first and of the second plan, and their names: one scenario against the case as it is, or two scenarios.

    Further changes apply to the last. With them, there may be no scenario.

    Raises:
        InputError: For an unknown scenario, or one that inherits itself.
    """
    case = session.inputs.case
    first, last = list(names[:-1]), list(names[-1:])
    before, after = (f"{case.name} with scenario {one[0]}" if one else f"{case.name} as it is" for one in (first, last))
    if changes:
        after = f"{after}, changed" if last else f"{case.name} changed"
    return scenario_changes(case, first), (*scenario_changes(case, last), *changes), (before, after)


def compare_plans(before: PlanSource, after: PlanSource, *, names: tuple[str, str] = ("before", "after")) -> Comparison:
    """Compare the plans of two cases side by side, and the facts of the cases.

    Among plans of the second case with equal cost, it takes the one that moves the fewest kilograms from the first. If the two have different
    periods, kilograms aren't compared by period, and nothing counts as moved.

    Args:
        before: A recommendation, a session, or a case.
        after: Another one.
        names: Names of the two plans.

    Raises:
        InputError: If they use different currencies.
        SolverError: If a solver fails.
        VerificationError: If a plan fails verification.
        PluginError: If a plugin's rule raises.
    """
    one, other = session_of(before), session_of(after)
    currencies = (one.problem.case.currency, other.problem.case.currency)
    if currencies[0] != currencies[1]:
        raise InputError(
            "money in two currencies cannot be set against each other",
            found=" and ".join(currencies),
            fix="state both cases in one `currency`",
        )
    counted = Counted(other)
    counted.questions = 1
    first, whole = (PlanSummary.of(PartPlan(frozenset(), session.verified)) for session in (one, other))
    cost, last, proved = other.verified.cost, [whole], True
    alike = one.problem.case.horizon == other.problem.case.horizon
    if not alike:
        first, last = first.over_the_plan(), [whole.over_the_plan()]
    elif not whole.conflicts:
        cheapest = [other.part_plan(members) for members in other.parts.members]
        found = [nearest(other, part, PartPlan(part.members, one.verified)) for part in cheapest]
        proved = all(each.proved for each in found)
        parts = [PlanSummary.of(each.part) for each in found]
        for part, was in zip(parts, cheapest, strict=True):
            cost = cost.plus(part.cost.minus(was.verified.cost))
        last = [whole.beyond(frozenset().union(*other.parts.members)), *parts]
    answer = _side_by_side(
        one, names, (first.cost, cost), ([first], last), [(first, whole)], alike and proved, counted.effort, alike,
        facts=differing(one.inputs, other.inputs),
    )  # fmt: skip
    known = names_of(other.problem, (line.offer for line in answer.mix))
    return answer.but(names=answer.names.joined(known))


@dataclass(frozen=True, slots=True)
class _Stop:
    """A stop between two plans: the changes in force, and the effect of the last ones."""

    changes: Changes
    undoes: Changes = ()
    does: Changes = ()

    @property
    def title(self) -> str:
        words = [f"no longer: {change.told}" for change in self.undoes] + [change.told for change in self.does]
        return "; ".join(words) or "the same changes in another order"


def _way(before: Changes, after: Changes) -> list[_Stop]:
    """Return all stops from the first list of changes to the second."""
    kept: list[Change] = []
    left = list(after)
    for change in before:
        if change in left:
            left.remove(change)
            kept.append(change)
    stops, now = [_Stop(before)], list(before)
    extra = list(before)
    for change in kept:
        extra.remove(change)
    for change in reversed(extra):
        at = len(now) - 1 - now[::-1].index(change)
        now = [*now[:at], *now[at + 1 :]]
        stops.append(_Stop(tuple(now), undoes=(change,)))
    made = [False] * len(after)
    for change in kept:
        made[next(i for i, one in enumerate(after) if one == change and not made[i])] = True
    for i, change in enumerate(after):
        if not made[i]:
            made[i] = True
            stops.append(_Stop(tuple(c for c, done in zip(after, made, strict=True) if done), does=(change,)))
    if stops[-1].changes != after:
        stops.append(_Stop(after))
    return stops


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The plan at a stop, by piece."""

    bearing: tuple[Changes, ...]
    plans: tuple[PlanSummary, ...]
    proved: bool


class _Walk:
    """Plans of the pieces of a case under successive lists of changes."""

    def __init__(self, session: Session, lists: Sequence[Changes]) -> None:
        self.session = session
        self.pieces = Pieces(session, lists)
        self.base = tuple(PlanSummary.of(self.pieces.plan(piece, ())) for piece in self.pieces.all)
        whole = PlanSummary.of(PartPlan(frozenset(), session.verified))
        touched = frozenset().union(*(piece.members for piece in self.pieces.all))
        self.rest = whole.beyond(touched, self.base)

    def state(self, changes: Changes, before: Sequence[_State]) -> _State:
        """Return every piece after some changes, planned near to the first plan and then to the previous one."""
        bearing = tuple(self.pieces.bearing(piece, changes) for piece in self.pieces.all)
        plans, proved = [], True
        for at, piece in enumerate(self.pieces.all):
            if not before:
                plans.append(PlanSummary.of(self.pieces.plan(piece, bearing[at])))
            elif bearing[at] == before[-1].bearing[at]:
                plans.append(before[-1].plans[at])
                proved = proved and before[-1].proved
            else:
                plan, sure = self._near(
                    piece, bearing[at], [state.plans[at] for state in (before[0], *before[1:][-1:])]
                )
                plans.append(plan)
                proved = proved and sure
        return _State(bearing, tuple(plans), proved)

    def _near(self, piece: Piece, changes: Changes, before: Sequence[PlanSummary]) -> tuple[PlanSummary, bool]:
        found = nearest(self.session, self.pieces.plan(piece, changes), *(plan.part for plan in before))
        return PlanSummary.of(found.part), found.proved

    def cost(self, state: _State) -> Cost:
        """Return the cost of the whole case."""
        cost = self.session.verified.cost
        for base, plan in zip(self.base, state.plans, strict=True):
            cost = cost.plus(plan.cost.minus(base.cost))
        return cost

    def step(self, stop: _Stop, was: _State, now: _State) -> Step:
        """Return the effect of a stop on the plan of the previous one."""
        differ = [(b, a) for b, a in zip(was.plans, now.plans, strict=True) if b is not a]
        rise = self.cost(now).minus(self.cost(was))
        before, short_before, names = together([b for b, _ in differ])
        after, short_after, more = together([a for _, a in differ])
        case = self.session.problem.case
        mix = [line for line in _mix_lines(before, after, names | more, case.resolution) if line.moved_kg]
        in_one = _wanted_in_one(was.plans, now.plans)
        materials = _material_lines(mix, short_before, short_after, in_one)
        rounding = case.resolution * case.horizon.count
        return Step(
            title=stop.title,
            undoes=stop.undoes,
            does=stop.does,
            difference=between(rise.objective, *rise_between(differ), self.cost(now).objective),
            rise=rise,
            materials=tuple(m for m in materials if m.moved_kg or abs(m.short_after_kg - m.short_before_kg) > rounding),
            mix=tuple(mix),
            conflict=tuple(sorted({*_conflict(now.plans)} - {*_conflict(was.plans)})),
        )

    def comparison(
        self, names: tuple[str, str], first: _State, last: _State, steps: Sequence[Step], effort: Effort
    ) -> Comparison:
        """Return both ends side by side, with the steps between them."""
        pairs = [(b, a) for b, a in zip(first.plans, last.plans, strict=True) if b is not a]
        return _side_by_side(
            self.session, names, (self.cost(first), self.cost(last)),
            ([self.rest, *first.plans], [self.rest, *last.plans]), pairs, last.proved, effort, alike=True, steps=steps,
        )  # fmt: skip


def _side_by_side(
    session: Session,
    names: tuple[str, str],
    costs: tuple[Cost, Cost],
    plans: tuple[Sequence[PlanSummary], Sequence[PlanSummary]],
    pairs: Sequence[tuple[PlanSummary, PlanSummary]],
    proved: bool,
    effort: Effort,
    alike: bool,
    steps: Sequence[Step] = (),
    facts: Sequence[FactLine] = (),
) -> Comparison:
    (before, short_before, known), (after, short_after, more) = together(plans[0]), together(plans[1])
    mix = _mix_lines(before, after, known | more, session.problem.case.resolution)
    low, high = rise_between(pairs)
    materials = tuple(_material_lines(mix, short_before, short_after, _wanted_in_one(*plans)))
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
        moved_kg={line.material: line.moved_kg for line in materials if line.moved_kg} if alike else None,
        least_moved=proved,
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
    """A cheapest plan with minimal distance to another plan."""

    part: PartPlan
    proved: bool
    """True if no cheapest plan moves fewer kilograms."""


def _bought_of(plan: Plan) -> dict[Line, Decimal]:
    """Return the kilograms that a plan buys, by offer, material, place, and period of delivery."""
    return totals(((p.offer, p.material, p.place, p.delivered), p.quantity) for p in plan.purchases)


def nearest(session: Session, cheapest: PartPlan, *before: PartPlan) -> Nearest:
    """Return the verified plan of some parts that moves the fewest kilograms without costing more.

    Distance to the first plan in `before` comes first. The others break ties. Ranked objectives and cost are preserved.
    `friendshore.session.layout` defines what counts as moved. Returns `cheapest` itself if a limit ends the search before a plan of its cost, or no
    engine finds a plan that passes verification.
    """
    problem, was = cheapest.verified.problem, before[0]
    if not was.plan.infeasible and was.members == cheapest.members:
        most = cheapest.verified.cost.objective + CENT
        same = carried(was.verified, was.members, problem, cheapest.plan, most)
        if same is not None:
            return Nearest(PartPlan(cheapest.members, same), proved=True)
    program = compile_program(problem)
    wanted = least_moved(program, *({line: float(kg) for line, kg in _bought_of(one.plan).items()} for one in before))
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
    """Summary of a plan, or of its share in some parts of a case."""

    part: PartPlan
    cost: Cost
    objective: Decimal
    """Objective as found by the solver."""
    bound: Decimal
    proved: bool
    """True if the plan is proved cheapest, with every ranked level."""
    ranked: bool
    conflicts: tuple[tuple[str, ...], ...]
    """Sets of conflicting rules."""
    bought: Mapping[Line, Decimal] = field(default_factory=dict)
    short: Mapping[str, Decimal] = field(default_factory=dict)
    """Material -> kilograms of shortage."""
    facility: Mapping[str, str] = field(default_factory=dict)
    """Offer -> its facility."""
    wanted: frozenset[str] = frozenset()
    """Materials with a demand."""
    dependence: Mapping[str, DependentSums] = field(default_factory=dict)
    """Material -> cash for its purchases, by dependence on the case's countries of concern."""

    @staticmethod
    def of(part: PartPlan) -> PlanSummary:
        """Return the summary of a verified plan."""
        plan, problem = part.plan, part.verified.problem
        bought = _bought_of(plan)
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
        """Return the summary without purchases and shortages of some materials, and without the conflicts of some parts.

        Its money remains complete.
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
        """Return the summary with purchases summed over all periods."""
        return replace(self, bought=totals(((*line[:3], 0), kilograms) for line, kilograms in self.bought.items()))


def together(plans: Sequence[PlanSummary]) -> tuple[dict[Line, Decimal], dict[str, Decimal], dict[str, str]]:
    """Return the purchases and shortages of several parts, and the facilities bought from."""
    bought = totals(entry for plan in plans for entry in plan.bought.items())
    short = totals(entry for plan in plans for entry in plan.short.items())
    return bought, short, {offer: name for plan in plans for offer, name in plan.facility.items()}


def _dependence_lines(before: Sequence[PlanSummary], after: Sequence[PlanSummary]) -> list[DependenceLine]:
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
    """Return proved bounds on the rise of the minimum objective from the first to the second plan, summed over the pairs.

    They are infinite if rules conflict, or if the case ranks objectives and a level isn't proved.
    """
    low = high = NOTHING
    for before, after in pairs:
        both = (before, after)
        if any(plan.conflicts or (plan.ranked and not plan.proved) for plan in both):
            return Decimal("-Infinity"), Decimal("Infinity")
        low += after.bound - before.objective
        high += after.objective - before.bound
    return low, high


def _mix_lines(
    before: Mapping[Line, Decimal], after: Mapping[Line, Decimal], names: Mapping[str, str], resolution: Decimal
) -> list[MixLine]:
    """Return every offer, material, and place with purchases in either plan, in order, with the name of the facility.

    Purchases are rounded to `resolution` kilograms, so differences up to two resolutions don't count as moved.
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


def _wanted_in_one(before: Iterable[PlanSummary], after: Iterable[PlanSummary]) -> dict[str, Literal["new", "removed"]]:
    """Return the materials that only one of two plans must supply."""
    was, now = (frozenset[str]().union(*(plan.wanted for plan in plans)) for plans in (before, after))
    found: dict[str, Literal["new", "removed"]] = {}
    for name in was ^ now:
        found[name] = "new" if name in now else "removed"
    return found


def _material_lines(
    mix: Iterable[MixLine],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    in_one: Mapping[str, Literal["new", "removed"]] = MappingProxyType({}),
) -> list[MaterialLine]:
    """Return every material with purchases or a shortage in either plan, in order. `in_one` are those with demand in only one plan."""
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
