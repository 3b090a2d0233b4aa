"""Compliance classes that are the same in every scenario, and keys of decisions before the scenario is known.

The law may differ between scenarios, and with it the uses that no rule distinguishes. Purchases before the day are assigned to uses that no rule of
any scenario distinguishes, because their permitted uses aren't known yet. From the day on, stock can serve all uses that the rules of the actual
scenario don't distinguish.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.compliance_classes import ComplianceClass, Outlet
from friendshore.problem.demands import Demand
from friendshore.problem.inputs import Inputs
from friendshore.problem.network import final_node
from friendshore.problem.parts import Members, impact
from friendshore.program import Program
from friendshore.program.compile import compile_program
from friendshore.program.matrix import Entries, Floats, Ints, Linear
from friendshore.session import Session

from .events import Begun, Event, RiskScenario, Told, facts_after, lost_routes, touched
from .losses import Moved, moves_on, orders_of
from .twostage import RecourseProgram, ScenarioBranch, SecondStage

Served = tuple[str, int, tuple[str, ...]]
"""Demand, period, and waivers of an outlet."""
Label = tuple[Hashable, ...]
"""Purpose of a compliance class, equal in all scenarios with the same purpose."""
Key = tuple[Hashable, ...]
"""Subject of a column, equal in all scenarios."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Compliance classes that must be distinguished before the actual problem is known."""

    base: Problem
    """The first of the problems, with these classes."""
    labels: tuple[Label, ...]
    """Purpose of each class."""
    own: tuple[Mapping[Hashable, int], ...]
    """For each problem, class -> its own class that contains it. Classes without a counterpart are missing."""
    split: bool
    """True if they are finer than those of the first problem."""

    def translated(self, key: Key, number: int) -> Key | None:
        """Return a subject with the classes of another problem. None if it doesn't have them."""
        found = list(key)
        for place in _LABELS.get(str(key[0]), ()):
            if key[place] is not None:
                label = self.own[number].get(key[place])
                if label is None:
                    return None
                found[place] = label
        return tuple(found)


_LABELS: Mapping[str, tuple[int, ...]] = {"buy": (6,), "make": (3,), "lend": (4, 5), "hold": (2,), "deliver": (3,)}
"""Positions of compliance classes in the subject of a column."""


def aligned(problems: Sequence[Problem]) -> Alignment:
    """Return the compliance classes of the first problem, split by the distinctions of all problems.

    Co-products, and rules that watch stock, keep the classes whole. No early decisions are then possible for a class that differs between problems.
    """
    if all(may_be_split(problem) for problem in problems):
        return _split(problems)
    labels = [[_as_it_is(problem, one) for one in problem.compliance_classes] for problem in problems]
    own: tuple[Mapping[Hashable, int], ...] = tuple({one: at for at, one in enumerate(some)} for some in labels)
    return Alignment(problems[0], tuple(labels[0]), own, split=False)


def _served(problem: Problem) -> dict[Served, frozenset[int]]:
    """Return outlet -> the classes that serve it."""
    found: dict[Served, set[int]] = {}
    for one in problem.compliance_classes:
        for outlet in one.outlets:
            found.setdefault(_named(problem, outlet), set()).add(one.index)
    return {outlet: frozenset(classes) for outlet, classes in found.items()}


def _named(problem: Problem, outlet: Outlet) -> Served:
    return problem.demands[outlet.demand].id, outlet.period, outlet.waivers


def may_be_split(problem: Problem) -> bool:
    """Return True if classes can be split, which gives a finer description of the same flow."""
    several = any(not problem.offers[arc.offer].single for arc in problem.network.arcs if arc.offer >= 0)
    return not (several or any(rule.watches_stock for rule in problem.rules))


def _as_it_is(problem: Problem, one: ComplianceClass) -> Label:
    outlets = tuple(sorted(_named(problem, outlet) for outlet in one.outlets))
    if outlets:
        return outlets, _order_periods(one), one.ends
    return "inputs of several", one.index, tuple(sorted(one.nodes)), tuple(sorted(one.blocked)), one.ends


def _order_periods(one: ComplianceClass) -> tuple[int, ...] | None:
    return None if one.order_periods is None else tuple(sorted(one.order_periods))


def _split(problems: Sequence[Problem]) -> Alignment:
    """Return the classes, with outlets together if the same classes serve them in every problem."""
    served, base = [_served(problem) for problem in problems], problems[0]
    groups = {outlet: tuple(one.get(outlet, frozenset()) for one in served) for outlet in served[0]}
    numbers: dict[tuple[frozenset[int], ...], int] = {}
    for served_by in (groups[name] for name in sorted(groups)):
        numbers.setdefault(served_by, len(numbers))
    classes: list[ComplianceClass] = []
    labels: list[Label] = []
    own: list[dict[Hashable, int]] = [{} for _ in problems]
    for one in base.compliance_classes:
        by_group: dict[int, list[Outlet]] = {}
        for outlet in one.outlets:
            by_group.setdefault(numbers[groups[_named(base, outlet)]], []).append(outlet)
        for number, outlets in sorted(by_group.items()):
            ends = {final_node(base.demands[outlet.demand].use) for outlet in outlets}
            nodes = set().union(*(base.network.reach(end)[1] for end in ends))
            label = number, _order_periods(one)
            classes.append(replace(one, index=len(classes), outlets=outlets, nodes=nodes))
            labels.append(label)
            for problem, found, of_group in zip(problems, own, groups[_named(base, outlets[0])], strict=True):
                alike = [c for c in of_group if _order_periods(problem.compliance_classes[c]) == label[1]]
                if len(alike) == 1:
                    found[label] = alike[0]
    split = len(classes) > len(base.compliance_classes)
    return Alignment(
        replace(base, compliance_classes=tuple(classes)) if split else base, tuple(labels), tuple(own), split
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions before a period in a program."""

    keys: dict[Key, int]
    """Subject of a column -> the column."""
    late: frozenset[Key]
    """Orders of goods without inputs and without a license that arrive from the period on. The law of a scenario may bar them by then."""


def decided_before(program: Program, labels: Sequence[Hashable], period: int) -> Decided:
    """Return the decisions before a period: orders, production, loans, stock, deliveries, and leftovers of lots in earlier periods, and onboarding.

    `labels` are the purposes of its compliance classes.
    """
    orders = dict(_orders(program, labels, period))
    keys = {key: column for key, (column, _) in orders.items()}
    keys |= dict(_made(program, labels, period))
    keys |= dict(_kept(program, labels, period))
    return Decided(keys, frozenset(key for key, (_, late) in orders.items() if late))


def _orders(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, tuple[int, bool]]]:
    """Yield the purchases: subject, column, and True if it arrives late."""
    problem, columns = program.problem, program.columns
    moves, arcs, offers = problem.moves, problem.network.arcs, problem.offers
    for place in np.flatnonzero(moves.ordered[columns.buy_move] < period).tolist():
        move = int(columns.buy_move[place])
        ordered, delivered = int(moves.ordered[move]), int(moves.delivered[move])
        arc = arcs[int(moves.arc[move])]
        licences = columns.buy_licences[place]
        bought = arc.offer < 0 or not offers[arc.offer].offer.inputs
        label = labels[int(columns.buy_compliance_class[place])]
        key = ("buy", arc.lot >= 0, arc.name, arc.node, ordered, delivered, label, licences)
        yield key, (int(columns.buy[place]), delivered >= period and bought and not licences)


def _made(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    """Yield production, loans, orders, and onboarding."""
    offers, columns = program.problem.offers, program.columns
    for (offer, one, t), column in columns.make.items():
        if t < period:
            yield ("make", offers[offer].offer.id, t, labels[one] if one >= 0 else None), column
    for (offer, output, t, giver, taker), column in columns.transfer.items():
        if t < period:
            yield ("lend", offers[offer].offer.id, output, t, labels[giver], labels[taker]), column
    for what, table in (("lots", columns.lot), ("order", columns.order)):
        for (offer, t), column in table.items():
            if t < period:
                yield (what, offers[offer].offer.id, t), column
    for offer, column in columns.onboard.items():
        if offers[offer].onboarding:
            yield ("onboard", offers[offer].offer.id), column


def _kept(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    """Yield stock, deliveries, and leftovers of lots."""
    problem, columns = program.problem, program.columns
    for (node, one), first in columns.stock.items():
        for t in range(period):
            yield ("hold", problem.network.nodes[node], labels[one], t), first + t
    for column, (demand, t, one, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        if t < period:
            yield ("deliver", problem.demands[demand].id, t, labels[one], waivers), column
    for lot, column in columns.rest.items():
        if problem.lots[lot].period < period:
            yield ("left", problem.lots[lot].id), column


Happened = tuple[Told, ...]
"""Events that affect a part, as they happen. Empty if there are none."""


@dataclass(frozen=True, slots=True, eq=False)
class PartStage:
    """A part of the case after some events. Early columns are decided before these are known, and late columns after."""

    happened: Happened
    program: Program
    own: Ints
    """Early columns, as positions in the program. Each is repeated for every column of the first stage that it sums."""
    first: Ints
    """The corresponding columns of the first stage."""
    free: Ints
    """Late columns."""
    undecided: Ints
    """Late columns that would be early, but don't exist in every scenario. They are 0."""
    lost: tuple[tuple[Moved, range], ...] = ()
    """Moves on lost routes, and the periods without orders on them."""

    def values(self, x: Floats, after: Floats) -> Floats:
        """Return the values of all columns of the program."""
        found = np.zeros(len(self.program.linear.cost))
        np.add.at(found, self.own, x[self.first])
        found[self.free] = after
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RiskPart:
    """Connected materials, with all their possible outcomes."""

    members: Members
    rules: frozenset[str]
    """Limit rules that connect them through events."""
    stages: tuple[PartStage, ...]
    """Stages of the planned scenarios. The first has no events."""
    numbers: tuple[int, ...]
    """Number of each stage in the two-stage program."""


@dataclass(frozen=True, slots=True, eq=False)
class StagedCase:
    """A case as a two-stage program."""

    parts: tuple[RiskPart, ...]
    program: RecourseProgram
    keys: tuple[Key, ...]
    """Subject of each column of the first stage."""
    period: int
    """First period in which the scenario is known."""
    bearing: tuple[frozenset[str], ...]
    """Events that affect each part."""
    places: tuple[Mapping[Happened, int], ...]
    """For each part, combination of events -> number of the second stage."""

    def branches(self, scenarios: Sequence[RiskScenario]) -> tuple[ScenarioBranch, ...]:
        """Return the second stages of some scenarios, whose combinations must all be known."""
        return tuple(
            ScenarioBranch(
                float(scenario.probability),
                tuple(of[_told(scenario.events, bears)] for of, bears in zip(self.places, self.bearing, strict=True)),
            )
            for scenario in scenarios
        )

    def of(self, scenarios: Sequence[RiskScenario]) -> RecourseProgram:
        """Return the program with the same decisions for some of the scenarios."""
        return self.program.only(self.branches(scenarios))


def staged(
    session: Session,
    events: Sequence[Event],
    scenarios: Sequence[RiskScenario],
    day: date,
    others: Sequence[RiskScenario] = (),
) -> StagedCase:
    """Return the two-stage program of a case. Every affected part has a second stage for each combination of its events. There are no branches yet.

    Args:
        session: The case.
        events: Possible events.
        scenarios: Scenarios to plan for.
        day: Day on which the scenario becomes known.
        others: Scenarios for pricing only. Their facts, which need the most memory, aren't stored.

    Raises:
        InputError: If an event refers to something unknown, or the case ranks objectives.
        PluginError: If a plugin's rule raises.
    """
    if session.problem.objectives:
        raise InputError("risk is told for cost alone, and the case ranks objectives", column="objective")
    period = session.problem.case.horizon.find(day)
    assert period is not None
    parts = session.parts
    of_event = touched(session, events, day)
    groups = impact(parts, [change for one in of_event.values() for change in one.changes])
    staging = _Staging(period)
    places: list[dict[Happened, int]] = []
    for group in groups:
        bears = frozenset(name for name, one in of_event.items() if one.members & group.members)
        inputs = parts.part(group.members, group.rules)
        planned = {(): (), **{_told(one.events, bears): one.events for one in scenarios}}
        combinations = {**planned, **{_told(one.events, bears): one.events for one in others}}
        places.append(staging.add(group.members, group.rules, inputs, combinations, bears, len(planned)))
    bearing_on = tuple(staging.bearing)
    return StagedCase(tuple(staging.parts), staging.program(), tuple(staging.keys), period, bearing_on, tuple(places))


def _told(events: Sequence[Begun], bears: frozenset[str]) -> Happened:
    return tuple(one.told for one in events if one.event.name in bears)


class _Staging:
    def __init__(self, period: int) -> None:
        self.period = period
        self.parts: list[RiskPart] = []
        self.seconds: list[SecondStage] = []
        self.bearing: list[frozenset[str]] = []
        self.keys: dict[Key, int] = {}
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.integer: list[bool] = []
        self.rows: list[tuple[Ints, Floats, float, float]] = []
        """Rows of the first stage: columns, coefficients, and bounds."""

    def add(
        self,
        members: Members,
        rules: frozenset[str],
        inputs: Inputs,
        combinations: dict[Happened, tuple[Begun, ...]],
        bears: frozenset[str],
        planned: int,
    ) -> dict[Happened, int]:
        """Add a part, and return combination of events -> number of the second stage. The first `planned` combinations are planned for."""
        base = inputs.problem()
        inputs = inputs.freeze(base) if inputs.case.frozen is None else inputs
        problems = [self._problem(inputs, base, events, bears) for events in combinations.values()]
        most = _most_wanted(problems)
        horizon = base.case.horizon
        lost = [
            tuple((moves_on(route, problem), periods) for route, periods in lost_routes(events, horizon))
            for problem, events in zip(problems, combinations.values(), strict=True)
        ]
        programs = [_compiled(p, most, self.period, gone) for p, gone in zip(problems, lost, strict=True)]
        alignment = aligned(problems)
        finest = compile_program(alignment.base, most, known=self.period) if alignment.split else programs[0]
        shared, undecided = self._shared(alignment, finest, programs)
        if any(undecided) and not all(may_be_split(problem) for problem in problems):
            raise _cannot_be_set_aside(problems[0], bears)
        told = zip(combinations, programs, shared, undecided, lost, strict=True)
        stages = [_stage(happened, program, of, rest, gone) for happened, program, of, rest, gone in told]
        number = len(self.seconds)
        self.seconds += [_second(stage, len(self.lower)) for stage in stages]
        self.parts.append(RiskPart(members, rules, tuple(stages[:planned]), tuple(range(number, number + planned))))
        self.bearing.append(bears)
        return dict(zip(combinations, range(number, number + len(stages)), strict=True))

    @staticmethod
    def _problem(inputs: Inputs, base: Problem, events: Sequence[Begun], bears: frozenset[str]) -> Problem:
        some = [one for one in events if one.event.name in bears]
        return facts_after(inputs, base, some).problem() if some else base

    def _shared(
        self, alignment: Alignment, finest: Program, programs: Sequence[Program]
    ) -> tuple[list[list[tuple[int, int]]], list[list[int]]]:
        """Add columns of the first stage. Return for each program its pairs of own and first-stage columns, and its columns that stay undecided.

        Early decisions are those that exist in every scenario, and orders that can arrive without events but not after some of them. The latter
        aren't
        delivered then, and aren't paid for. Decisions that don't exist in every scenario aren't made early.
        """
        decided = decided_before(finest, alignment.labels, self.period)
        known = [
            decided_before(program, range(len(program.problem.compliance_classes)), self.period).keys
            for program in programs
        ]
        found: list[list[tuple[int, int]]] = [[] for _ in programs]
        place: dict[int, int] = {}
        for key, column in decided.keys.items():
            names = [alignment.translated(key, number) for number in range(len(programs))]
            columns = [None if name is None else of.get(name) for name, of in zip(names, known, strict=True)]
            barred = key in decided.late and columns[0] is not None and None not in names
            if None in columns and not barred:
                continue
            own = self.keys[len(self.parts), *key] = place[column] = len(self.lower)
            there = [(p.linear, c) for p, c in zip(programs, columns, strict=True) if c is not None]
            self.lower.append(max(float(linear.lower[c]) for linear, c in there))
            self.upper.append(min(float(linear.upper[c]) for linear, c in there))
            self.integer.append(any(bool(linear.integer[c]) for linear, c in there))
            for pairs, of_program in zip(found, columns, strict=True):
                if of_program is not None:
                    pairs.append((of_program, own))
        if alignment.split:
            self._keep_apart(finest, place, set(decided.keys.values()))
        mapped = [{column for column, _ in pairs} for pairs in found]
        return found, [sorted(set(of.values()) - own) for of, own in zip(known, mapped, strict=True)]

    def _keep_apart(self, finest: Program, place: dict[int, int], before: set[int]) -> None:
        """Add rows for the balance of early decisions in each of the finest classes."""
        linear = finest.linear
        for row in range(linear.entries.shape[0]):
            within = slice(int(linear.entries.indptr[row]), int(linear.entries.indptr[row + 1]))
            columns, data = linear.entries.indices[within].tolist(), linear.entries.data[within]
            if not columns or not before.issuperset(columns):
                continue
            kept = [at for at, column in enumerate(columns) if column in place]
            if kept:
                of_first = np.array([place[columns[at]] for at in kept], dtype=np.intp)
                ends = float(linear.row_lower[row]), float(linear.row_upper[row])
                self.rows.append((of_first, data[kept], *ends))

    def program(self) -> RecourseProgram:
        """Return the two-stage program without branches."""
        count = len(self.lower)
        sizes = [len(columns) for columns, _, _, _ in self.rows]
        empty = np.empty(0)
        entries = Entries(
            np.concatenate([empty, *(data for _, data, _, _ in self.rows)]),
            np.concatenate([empty.astype(np.intp), *(columns for columns, _, _, _ in self.rows)]),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp),
            (len(self.rows), count),
        )
        first = Linear(
            cost=np.zeros(count),
            lower=np.array(self.lower),
            upper=np.array(self.upper),
            integer=np.array(self.integer, dtype=bool),
            entries=entries,
            row_lower=np.array([low for _, _, low, _ in self.rows]),
            row_upper=np.array([high for _, _, _, high in self.rows]),
        )
        return RecourseProgram(first, tuple(_widened(stage, count) for stage in self.seconds), ())


def _compiled(problem: Problem, most: Sequence[Demand], known: int, lost: Sequence[tuple[Moved, range]]) -> Program:
    """Return the program of a problem with demand known from a period on, and without orders on lost routes."""
    program = compile_program(problem, most, known=known)
    if not lost:
        return program
    upper = program.linear.upper.copy()
    for moves, periods in lost:
        upper[orders_of(program, moves, periods)] = 0.0
    return replace(program, linear=replace(program.linear, upper=upper))


def _cannot_be_set_aside(problem: Problem, events: AbstractSet[str]) -> InputError:
    """Return the error that early purchases can't be assigned to uses."""
    wanted = sorted({demand.use.material.id for demand in problem.demands})
    return InputError(
        "what is bought before the day cannot be set aside for uses that some event lets law tell apart: co-products, or rules of kind `cover`, keep "
        "compliance classes whole",
        column="plugin.friendshore-risk.event",
        found=f"{', '.join(sorted(events))}, for {', '.join(wanted)}",
        expected="events that leave alone what law tells apart there",
        fix="leave out the rule, or the event that changes law, or ask about each with `friendshore compare --change`",
    )


def _most_wanted(problems: Sequence[Problem]) -> list[Demand]:
    """Return the maximum demand of the problems, because the actual amount isn't known before the day."""
    every = zip(*(problem.demands for problem in problems), strict=True)
    return [replace(some[0], quantity=tuple(map(max, *(one.quantity for one in (*some, some[0]))))) for some in every]


def _stage(
    happened: Happened,
    program: Program,
    pairs: Sequence[tuple[int, int]],
    undecided: Sequence[int],
    lost: tuple[tuple[Moved, range], ...],
) -> PartStage:
    """Return the stage of a program. Its early columns are those of the first stage, and missing ones stay undecided."""
    own = np.array([column for column, _ in pairs], dtype=np.intp)
    first = np.array([place for _, place in pairs], dtype=np.intp)
    free = np.setdiff1d(np.arange(len(program.linear.cost)), own)
    return PartStage(happened, program, own, first, free, np.array(undecided, dtype=np.intp), lost)


def _widened(stage: SecondStage, count: int) -> SecondStage:
    """Return the stage for a first stage with more columns."""
    technology = replace(stage.technology, shape=(stage.technology.shape[0], count))
    return replace(stage, technology=technology, before=np.pad(stage.before, (0, count - len(stage.before))))


def _second(stage: PartStage, count: int) -> SecondStage:
    """Return the program of a part as a second stage, with early and late columns separated."""
    linear = stage.program.linear
    upper = linear.upper.copy()
    upper[stage.undecided] = 0.0
    entries = linear.entries
    after = np.full(len(linear.cost), -1)
    after[stage.free] = np.arange(len(stage.free))
    rows, free = entries.rows, after[entries.indices] >= 0
    order = np.argsort(stage.own, kind="stable")
    starts = np.searchsorted(stage.own[order], np.arange(len(linear.cost) + 1))
    (decided,) = np.nonzero(~free)
    times = np.diff(starts)[entries.indices[decided]]
    at = np.repeat(starts[entries.indices[decided]] - np.cumsum(times) + times, times) + np.arange(times.sum())
    technology = (np.repeat(rows[decided], times), stage.first[order][at], np.repeat(entries.data[decided], times))
    more = _together(stage, linear, entries.shape[0])
    before = np.zeros(count)
    np.add.at(before, stage.first, linear.cost[stage.own])
    shape = entries.shape[0] + len(more[3])
    return SecondStage(
        cost=linear.cost[stage.free],
        lower=linear.lower[stage.free],
        upper=upper[stage.free],
        integer=linear.integer[stage.free],
        technology=Entries.summed(
            np.concatenate([technology[0], more[0]]),
            np.concatenate([technology[1], more[1]]),
            np.concatenate([technology[2], more[2]]),
            (shape, count),
        ),
        recourse=Entries.summed(rows[free], after[entries.indices[free]], entries.data[free], (shape, len(stage.free))),
        row_lower=np.concatenate([linear.row_lower, np.full(len(more[3]), -np.inf)]),
        row_upper=np.concatenate([linear.row_upper, more[3]]),
        before=before,
        constant=linear.constant,
    )


def _together(stage: PartStage, linear: Linear, rows: int) -> tuple[Ints, Ints, Floats, Floats]:
    """Return the rows that bound the sum of several first-stage columns by the upper bound of their common column."""
    columns, times = np.unique(stage.own, return_counts=True)
    several = columns[(times > 1) & np.isfinite(linear.upper[columns])]
    held = np.isin(stage.own, several)
    row = rows + np.searchsorted(several, stage.own[held])
    return row, stage.first[held], np.ones(int(held.sum())), linear.upper[several]
