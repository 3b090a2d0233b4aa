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

from .events import Event, EventOccurrence, OccurrenceKey, RiskScenario, event_scopes, facts_after, lost_routes
from .losses import OfferMoves, moves_on_route, orders_of
from .twostage import RecourseProgram, ScenarioBranch, SecondStage

OutletKey = tuple[str, int, tuple[str, ...]]
Label = tuple[Hashable, ...]
"""Purpose of a compliance class, equal in all scenarios with the same purpose."""
Key = tuple[Hashable, ...]
"""Subject of a column, equal in all scenarios."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Compliance classes that every problem distinguishes before the actual one is known."""

    base: Problem
    labels: tuple[Label, ...]
    own_class_by_label: tuple[Mapping[Hashable, int], ...]
    """For each problem, label -> its own class that contains it. Classes without a counterpart are missing."""
    split: bool

    def translated_key(self, key: Key, number: int) -> Key | None:
        """Return a subject with the classes of another problem. None if it doesn't have them."""
        translated_key = list(key)
        for position in _LABELS.get(str(key[0]), ()):
            if key[position] is not None:
                label = self.own_class_by_label[number].get(key[position])
                if label is None:
                    return None
                translated_key[position] = label
        return tuple(translated_key)


_LABELS: Mapping[str, tuple[int, ...]] = {"buy": (6,), "make": (3,), "lend": (4, 5), "hold": (2,), "deliver": (3,)}


def align_classes(problems: Sequence[Problem]) -> Alignment:
    """Return the compliance classes of the first problem, split by the distinctions of all problems.

    Co-products, and rules that watch stock, keep the classes whole. No early decisions are then possible for a class that differs between problems.
    """
    if all(can_split_classes(problem) for problem in problems):
        return _split(problems)
    labels = [[_whole_class_label(problem, each) for each in problem.compliance_classes] for problem in problems]
    own: tuple[Mapping[Hashable, int], ...] = tuple(
        {each: index for index, each in enumerate(class_labels)} for class_labels in labels
    )
    return Alignment(problems[0], tuple(labels[0]), own, split=False)


def _classes_by_outlet(problem: Problem) -> dict[OutletKey, frozenset[int]]:
    classes_by_outlet: dict[OutletKey, set[int]] = {}
    for compliance_class in problem.compliance_classes:
        for outlet in compliance_class.outlets:
            classes_by_outlet.setdefault(_outlet_key(problem, outlet), set()).add(compliance_class.index)
    return {outlet: frozenset(classes) for outlet, classes in classes_by_outlet.items()}


def _outlet_key(problem: Problem, outlet: Outlet) -> OutletKey:
    return problem.demands[outlet.demand].id, outlet.period, outlet.waivers


def can_split_classes(problem: Problem) -> bool:
    has_several_outputs = any(
        not problem.offers[arc.offer].has_one_output for arc in problem.network.arcs if arc.offer >= 0
    )
    return not (has_several_outputs or any(rule.watches_stock for rule in problem.rules))


def _whole_class_label(problem: Problem, compliance_class: ComplianceClass) -> Label:
    outlets = tuple(sorted(_outlet_key(problem, outlet) for outlet in compliance_class.outlets))
    if outlets:
        return outlets, _order_periods(compliance_class), compliance_class.ends
    return (
        "inputs of several",
        compliance_class.index,
        tuple(sorted(compliance_class.nodes)),
        tuple(sorted(compliance_class.blocked)),
        compliance_class.ends,
    )


def _order_periods(compliance_class: ComplianceClass) -> tuple[int, ...] | None:
    return None if compliance_class.order_periods is None else tuple(sorted(compliance_class.order_periods))


def _split(problems: Sequence[Problem]) -> Alignment:
    classes_by_outlet, base = [_classes_by_outlet(problem) for problem in problems], problems[0]
    class_sets_by_outlet = {
        outlet: tuple(class_sets.get(outlet, frozenset()) for class_sets in classes_by_outlet)
        for outlet in classes_by_outlet[0]
    }
    number_by_group: dict[tuple[frozenset[int], ...], int] = {}
    for served_by in (class_sets_by_outlet[name] for name in sorted(class_sets_by_outlet)):
        number_by_group.setdefault(served_by, len(number_by_group))
    classes: list[ComplianceClass] = []
    labels: list[Label] = []
    own_classes: list[dict[Hashable, int]] = [{} for _ in problems]
    for compliance_class in base.compliance_classes:
        outlets_by_group: dict[int, list[Outlet]] = {}
        for outlet in compliance_class.outlets:
            outlets_by_group.setdefault(number_by_group[class_sets_by_outlet[_outlet_key(base, outlet)]], []).append(
                outlet
            )
        for number, outlets in sorted(outlets_by_group.items()):
            ends = {final_node(base.demands[outlet.demand].use) for outlet in outlets}
            nodes = set().union(*(base.network.reach(end)[1] for end in ends))
            label = number, _order_periods(compliance_class)
            classes.append(replace(compliance_class, index=len(classes), outlets=outlets, nodes=nodes))
            labels.append(label)
            for problem, class_by_label, candidates in zip(
                problems, own_classes, class_sets_by_outlet[_outlet_key(base, outlets[0])], strict=True
            ):
                matches = [
                    candidate
                    for candidate in candidates
                    if _order_periods(problem.compliance_classes[candidate]) == label[1]
                ]
                if len(matches) == 1:
                    class_by_label[label] = matches[0]
    split = len(classes) > len(base.compliance_classes)
    return Alignment(
        replace(base, compliance_classes=tuple(classes)) if split else base, tuple(labels), tuple(own_classes), split
    )


@dataclass(frozen=True, slots=True)
class EarlyDecisions:
    """Decisions before a period in a program."""

    keys: dict[Key, int]
    late_keys: frozenset[Key]
    """Orders of goods without inputs and without a license that arrive from the period on. The law of a scenario may prohibit them by then."""


def early_decisions(program: Program, labels: Sequence[Hashable], period: int) -> EarlyDecisions:
    """Return the decisions before a period: orders, production, loans, stock, deliveries, and leftovers of lots in earlier periods, and onboarding."""
    column_by_order = dict(_order_columns(program, labels, period))
    keys = {key: column for key, (column, _) in column_by_order.items()}
    keys |= dict(_production_columns(program, labels, period))
    keys |= dict(_stock_columns(program, labels, period))
    return EarlyDecisions(keys, frozenset(key for key, (_, is_late) in column_by_order.items() if is_late))


def _order_columns(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, tuple[int, bool]]]:
    problem, columns = program.problem, program.columns
    moves, arcs, offers = problem.moves, problem.network.arcs, problem.offers
    for position in np.flatnonzero(moves.ordered[columns.buy_move] < period).tolist():
        move = int(columns.buy_move[position])
        ordered, delivered = int(moves.ordered[move]), int(moves.delivered[move])
        arc = arcs[int(moves.arc[move])]
        licenses = columns.buy_licenses.get(position, ())
        is_without_inputs = arc.offer < 0 or not offers[arc.offer].offer.inputs
        label = labels[int(columns.buy_compliance_class[position])]
        key = ("buy", arc.lot >= 0, arc.name, arc.node, ordered, delivered, label, licenses)
        yield key, (int(columns.buy[position]), delivered >= period and is_without_inputs and not licenses)


def _production_columns(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    offers, columns = program.problem.offers, program.columns
    for (offer, class_index, t), column in columns.make.items():
        if t < period:
            yield ("make", offers[offer].offer.id, t, labels[class_index] if class_index >= 0 else None), column
    for (offer, output, t, giver, taker), column in columns.transfer.items():
        if t < period:
            yield ("lend", offers[offer].offer.id, output, t, labels[giver], labels[taker]), column
    for kind, table in (("lots", columns.lot), ("order", columns.order)):
        for (offer, t), column in table.items():
            if t < period:
                yield (kind, offers[offer].offer.id, t), column
    for offer, column in columns.onboard.items():
        if offers[offer].onboarding:
            yield ("onboard", offers[offer].offer.id), column


def _stock_columns(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    problem, columns = program.problem, program.columns
    for (node, class_index), first_column in columns.stock.items():
        for t in range(period):
            yield ("hold", problem.network.nodes[node], labels[class_index], t), first_column + t
    for column, (demand, t, class_index, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        if t < period:
            yield ("deliver", problem.demands[demand].id, t, labels[class_index], waivers), column
    for lot, column in columns.rest.items():
        if problem.lots[lot].period < period:
            yield ("left", problem.lots[lot].id), column


EventKey = tuple[OccurrenceKey, ...]
"""Events that affect a part, as they happen. Empty if there are none."""


@dataclass(frozen=True, slots=True, eq=False)
class PartStage:
    """A part of the case after some events. Early columns are decided before these are known, and late columns after."""

    event_key: EventKey
    program: Program
    early_columns: Ints
    """Early columns, as positions in the program. Each is repeated for every column of the first stage that it sums."""
    first: Ints
    """Their columns of the first stage."""
    late_columns: Ints
    undecided: Ints
    lost_moves: tuple[tuple[OfferMoves, range], ...] = ()
    """Moves on lost routes, and the periods without orders on them."""

    def values(self, x: Floats, late_values: Floats) -> Floats:
        values = np.zeros(len(self.program.linear.cost))
        np.add.at(values, self.early_columns, x[self.first])
        values[self.late_columns] = late_values
        return values


@dataclass(frozen=True, slots=True, eq=False)
class RiskPart:
    """Connected materials, with all their possible outcomes."""

    members: Members
    rules: frozenset[str]
    stages: tuple[PartStage, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StagedCase:
    """A case as a two-stage program."""

    parts: tuple[RiskPart, ...]
    program: RecourseProgram
    keys: tuple[Key, ...]
    period: int
    events_by_part: tuple[frozenset[str], ...]
    stage_by_key: tuple[Mapping[EventKey, int], ...]

    def branches(self, scenarios: Sequence[RiskScenario]) -> tuple[ScenarioBranch, ...]:
        """Return the second stages of some scenarios, whose combinations must all be known."""
        return tuple(
            ScenarioBranch(
                float(scenario.probability),
                tuple(
                    stage_by_key[_event_key(scenario.events, event_names)]
                    for stage_by_key, event_names in zip(self.stage_by_key, self.events_by_part, strict=True)
                ),
            )
            for scenario in scenarios
        )

    def of(self, scenarios: Sequence[RiskScenario]) -> RecourseProgram:
        return self.program.only(self.branches(scenarios))


def stage_case(
    session: Session,
    events: Sequence[Event],
    scenarios: Sequence[RiskScenario],
    day: date,
    others: Sequence[RiskScenario] = (),
) -> StagedCase:
    """Return the two-stage program of a case. Every affected part has a second stage for each combination of its events. There are no branches yet.

    `others` are scenarios for pricing only. Their facts, which need the most memory, aren't stored.

    Raises InputError if an event refers to something unknown, or the case ranks objectives.
    """
    if session.problem.objectives:
        raise InputError("`risk` doesn't support ranked objectives", column="objective", code="FS982")
    period = session.problem.case.horizon.find(day)
    assert period is not None
    parts = session.parts
    scope_by_event = event_scopes(session, events, day)
    groups = impact(parts, [change for scope in scope_by_event.values() for change in scope.changes])
    staging = _StageBuilder(period)
    stage_by_key: list[dict[EventKey, int]] = []
    for group in groups:
        event_names = frozenset(name for name, scope in scope_by_event.items() if scope.members & group.members)
        inputs = parts.part(group.members, group.rules)
        planned_keys = {(): (), **{_event_key(scenario.events, event_names): scenario.events for scenario in scenarios}}
        combinations = {**planned_keys, **{_event_key(other.events, event_names): other.events for other in others}}
        stage_by_key.append(
            staging.add(group.members, group.rules, inputs, combinations, event_names, len(planned_keys))
        )
    events_by_part = tuple(staging.events_by_part)
    return StagedCase(
        tuple(staging.parts), staging.program(), tuple(staging.keys), period, events_by_part, tuple(stage_by_key)
    )


def _event_key(events: Sequence[EventOccurrence], event_names: frozenset[str]) -> EventKey:
    return tuple(occurrence.key for occurrence in events if occurrence.event.name in event_names)


class _StageBuilder:
    def __init__(self, period: int) -> None:
        self.period = period
        self.parts: list[RiskPart] = []
        self.seconds: list[SecondStage] = []
        self.events_by_part: list[frozenset[str]] = []
        self.keys: dict[Key, int] = {}
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.integer: list[bool] = []
        self.rows: list[tuple[Ints, Floats, float, float]] = []

    def add(
        self,
        members: Members,
        rules: frozenset[str],
        inputs: Inputs,
        combinations: dict[EventKey, tuple[EventOccurrence, ...]],
        event_names: frozenset[str],
        planned_count: int,
    ) -> dict[EventKey, int]:
        """Add a part, and return combination of events -> number of the second stage. The first `planned_count` combinations are planned for."""
        base = inputs.problem()
        inputs = inputs.freeze(base) if inputs.case.frozen is None else inputs
        problems = [self._problem(inputs, base, events, event_names) for events in combinations.values()]
        max_demands = _max_demands(problems)
        horizon = base.case.horizon
        lost_moves = [
            tuple((moves_on_route(route, problem), periods) for route, periods in lost_routes(events, horizon))
            for problem, events in zip(problems, combinations.values(), strict=True)
        ]
        programs = [
            _compiled(problem, max_demands, self.period, part_lost_moves)
            for problem, part_lost_moves in zip(problems, lost_moves, strict=True)
        ]
        alignment = align_classes(problems)
        finest = compile_program(alignment.base, max_demands, known=self.period) if alignment.split else programs[0]
        shared, undecided = self._add_first_stage(alignment, finest, programs)
        if any(undecided) and not all(can_split_classes(problem) for problem in problems):
            raise _class_conflict(problems[0], event_names)
        stage_inputs = zip(combinations, programs, shared, undecided, lost_moves, strict=True)
        stages = [
            _part_stage(event_key, program, pairs, undecided_columns, part_lost_moves)
            for event_key, program, pairs, undecided_columns, part_lost_moves in stage_inputs
        ]
        number = len(self.seconds)
        self.seconds += [_second_stage(stage, len(self.lower)) for stage in stages]
        self.parts.append(
            RiskPart(members, rules, tuple(stages[:planned_count]), tuple(range(number, number + planned_count)))
        )
        self.events_by_part.append(event_names)
        return dict(zip(combinations, range(number, number + len(stages)), strict=True))

    @staticmethod
    def _problem(
        inputs: Inputs, base: Problem, events: Sequence[EventOccurrence], event_names: frozenset[str]
    ) -> Problem:
        occurrences = [occurrence for occurrence in events if occurrence.event.name in event_names]
        return facts_after(inputs, base, occurrences).problem() if occurrences else base

    def _add_first_stage(
        self, alignment: Alignment, finest: Program, programs: Sequence[Program]
    ) -> tuple[list[list[tuple[int, int]]], list[list[int]]]:
        """Add columns of the first stage. Return for each program its pairs of own and first-stage columns, and its columns that stay undecided.

        Early decisions are those that exist in every scenario, and orders that can arrive without events but not after some of them. The latter are then
        neither delivered nor paid for. Decisions that don't exist in every scenario aren't made early.
        """
        decisions = early_decisions(finest, alignment.labels, self.period)
        columns_by_key = [
            early_decisions(program, range(len(program.problem.compliance_classes)), self.period).keys
            for program in programs
        ]
        pairs_by_program: list[list[tuple[int, int]]] = [[] for _ in programs]
        first_stage_column: dict[int, int] = {}
        for key, column in decisions.keys.items():
            translated_keys = [alignment.translated_key(key, number) for number in range(len(programs))]
            columns = [
                None if name is None else columns_of.get(name)
                for name, columns_of in zip(translated_keys, columns_by_key, strict=True)
            ]
            is_prohibited_later = key in decisions.late_keys and columns[0] is not None and None not in translated_keys
            if None in columns and not is_prohibited_later:
                continue
            first_column = self.keys[len(self.parts), *key] = first_stage_column[column] = len(self.lower)
            program_columns = [
                (program.linear, position)
                for program, position in zip(programs, columns, strict=True)
                if position is not None
            ]
            self.lower.append(max(float(linear.lower[position]) for linear, position in program_columns))
            self.upper.append(min(float(linear.upper[position]) for linear, position in program_columns))
            self.integer.append(any(bool(linear.integer[position]) for linear, position in program_columns))
            for pairs, own_column in zip(pairs_by_program, columns, strict=True):
                if own_column is not None:
                    pairs.append((own_column, first_column))
        if alignment.split:
            self._add_class_balances(finest, first_stage_column, set(decisions.keys.values()))
        mapped = [{column for column, _ in pairs} for pairs in pairs_by_program]
        return pairs_by_program, [
            sorted(set(columns_of.values()) - mapped_columns)
            for columns_of, mapped_columns in zip(columns_by_key, mapped, strict=True)
        ]

    def _add_class_balances(self, finest: Program, first_stage_column: dict[int, int], before: set[int]) -> None:
        linear = finest.linear
        for row in range(linear.entries.shape[0]):
            entry_slice = slice(int(linear.entries.indptr[row]), int(linear.entries.indptr[row + 1]))
            columns, data = linear.entries.indices[entry_slice].tolist(), linear.entries.data[entry_slice]
            if not columns or not before.issuperset(columns):
                continue
            kept_positions = [position for position, column in enumerate(columns) if column in first_stage_column]
            if kept_positions:
                first_columns = np.array(
                    [first_stage_column[columns[position]] for position in kept_positions], dtype=np.intp
                )
                bounds = float(linear.row_lower[row]), float(linear.row_upper[row])
                self.rows.append((first_columns, data[kept_positions], *bounds))

    def program(self) -> RecourseProgram:
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


def _compiled(
    problem: Problem, max_demands: Sequence[Demand], known: int, lost_moves: Sequence[tuple[OfferMoves, range]]
) -> Program:
    program = compile_program(problem, max_demands, known=known)
    if not lost_moves:
        return program
    upper = program.linear.upper.copy()
    for moves, periods in lost_moves:
        upper[orders_of(program, moves, periods)] = 0.0
    return replace(program, linear=replace(program.linear, upper=upper))


def _class_conflict(problem: Problem, events: AbstractSet[str]) -> InputError:
    materials = sorted({demand.use.material.id for demand in problem.demands})
    return InputError(
        "purchases before the date can't be assigned to uses, because an event makes the law distinguish them, and co-products or rules of kind `cover` keep "
        "compliance classes whole",
        column="plugin.friendshore-risk.event",
        found=f"{', '.join(sorted(events))}, for {', '.join(materials)}",
        expected="events that don't change which uses the law distinguishes for these materials",
        fix="delete the rule or the event, or compare the outcomes with `friendshore compare --change`",
        code="FS980",
    )


def _max_demands(problems: Sequence[Problem]) -> list[Demand]:
    """Return the maximum demand of the problems, because the actual amount isn't known before the day."""
    demands_by_problem = zip(*(problem.demands for problem in problems), strict=True)
    return [
        replace(
            same_demands[0], quantity=tuple(map(max, *(demand.quantity for demand in (*same_demands, same_demands[0]))))
        )
        for same_demands in demands_by_problem
    ]


def _part_stage(
    event_key: EventKey,
    program: Program,
    pairs: Sequence[tuple[int, int]],
    undecided: Sequence[int],
    lost_moves: tuple[tuple[OfferMoves, range], ...],
) -> PartStage:
    early_columns = np.array([column for column, _ in pairs], dtype=np.intp)
    first = np.array([first_column for _, first_column in pairs], dtype=np.intp)
    late_columns = np.setdiff1d(np.arange(len(program.linear.cost)), early_columns)
    return PartStage(
        event_key, program, early_columns, first, late_columns, np.array(undecided, dtype=np.intp), lost_moves
    )


def _widened(stage: SecondStage, count: int) -> SecondStage:
    technology = replace(stage.technology, shape=(stage.technology.shape[0], count))
    return replace(stage, technology=technology, before=np.pad(stage.before, (0, count - len(stage.before))))


def _second_stage(stage: PartStage, count: int) -> SecondStage:
    linear = stage.program.linear
    upper = linear.upper.copy()
    upper[stage.undecided] = 0.0
    entries = linear.entries
    late_position = np.full(len(linear.cost), -1)
    late_position[stage.late_columns] = np.arange(len(stage.late_columns))
    rows, is_late = entries.rows, late_position[entries.indices] >= 0
    order = np.argsort(stage.early_columns, kind="stable")
    starts = np.searchsorted(stage.early_columns[order], np.arange(len(linear.cost) + 1))
    (early_entries,) = np.nonzero(~is_late)
    repeats = np.diff(starts)[entries.indices[early_entries]]
    positions = np.repeat(starts[entries.indices[early_entries]] - np.cumsum(repeats) + repeats, repeats) + np.arange(
        repeats.sum()
    )
    technology = (
        np.repeat(rows[early_entries], repeats),
        stage.first[order][positions],
        np.repeat(entries.data[early_entries], repeats),
    )
    sum_rows = _sum_rows(stage, linear, entries.shape[0])
    before = np.zeros(count)
    np.add.at(before, stage.first, linear.cost[stage.early_columns])
    shape = entries.shape[0] + len(sum_rows[3])
    return SecondStage(
        cost=linear.cost[stage.late_columns],
        lower=linear.lower[stage.late_columns],
        upper=upper[stage.late_columns],
        integer=linear.integer[stage.late_columns],
        technology=Entries.summed(
            np.concatenate([technology[0], sum_rows[0]]),
            np.concatenate([technology[1], sum_rows[1]]),
            np.concatenate([technology[2], sum_rows[2]]),
            (shape, count),
        ),
        recourse=Entries.summed(
            rows[is_late],
            late_position[entries.indices[is_late]],
            entries.data[is_late],
            (shape, len(stage.late_columns)),
        ),
        row_lower=np.concatenate([linear.row_lower, np.full(len(sum_rows[3]), -np.inf)]),
        row_upper=np.concatenate([linear.row_upper, sum_rows[3]]),
        before=before,
        constant=linear.constant,
    )


def _sum_rows(stage: PartStage, linear: Linear, rows: int) -> tuple[Ints, Ints, Floats, Floats]:
    """Return the rows that bound the sum of several first-stage columns by the upper bound of their common column."""
    columns, repeats = np.unique(stage.early_columns, return_counts=True)
    shared_columns = columns[(repeats > 1) & np.isfinite(linear.upper[columns])]
    is_shared = np.isin(stage.early_columns, shared_columns)
    row_numbers = rows + np.searchsorted(shared_columns, stage.early_columns[is_shared])
    return row_numbers, stage.first[is_shared], np.ones(int(is_shared.sum())), linear.upper[shared_columns]
