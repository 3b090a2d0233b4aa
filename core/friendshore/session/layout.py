"""Layouts of programs for questions: the program of a part as data, columns by subject, and distances between plans.

The kilograms moved between two plans are the sum of `|bought - bought before|` over material, offer, place, and period of delivery. Each absolute
value has two columns: `bought - more + less = before` with `more, less >= 0` and the cost `more + less` (Charnes, Cooper, Ferguson, Optimal estimation
of executive compensation by linear programming, Management Science 1, 1955, 138-151).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Literal, NamedTuple

import numpy as np

from ..domain.change import Change
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.offers import OfferFacts
from ..problem.parts import Members
from ..program import Program, compile_program
from ..program.bounds import Bounds
from ..program.limits import Goal, LimitRows
from ..program.matrix import Entries, Floats, Ints, Linear, with_differences


class ColumnMeaning(NamedTuple):
    """Meaning of a column. It is unique within a program."""

    kind: Literal["bought", "set aside", "made", "lent", "held", "delivered", "used", "short", "missed", "other"]
    """Quantity that the column counts.

    - bought: kilograms from an offer
    - set aside: kilograms from a stock lot
    - made: units of an offer with several outputs
    - lent: kilograms of such an output, lent by one compliance class to another
    - held: kilograms in stock
    - delivered: kilograms to a demand
    - used: kilograms of a delivery from a day with an arrival within the period to the next such day
    - short: kilograms of shortage
    - missed: violation of a soft limit
    - other: choices, and columns of rules and order terms
    """
    name: str
    """Offer, lot, or demand. Empty for stock. For missed limits and other columns, their order among themselves."""
    material: str = ""
    """Material, of all kinds except made, missed, and other."""
    place: str = ""
    """Place of arrival or stock. For deliveries, the waivers. For used kilograms, the day."""
    ordered: int = -1
    """Period of the order or production. -1 if there is none."""
    period: int = -1
    """Period of arrival, stock (at its end), delivery, use, or shortage."""
    compliance_class: int = -1
    """Number of the compliance class. -1 means any."""
    other_class: int = -1
    """Number of the class that it is lent to."""


@dataclass(frozen=True, slots=True, eq=False)
class PartLayout:
    """Program of a part of a case. Its cost is money, discounted to the start of the plan."""

    linear: Linear
    columns: tuple[ColumnMeaning, ...]
    """Meaning of each column."""
    owners: tuple[tuple[int, str], ...]
    """First row of each block of rows, and the rule or part of the model that it comes from."""
    ranked: int
    """Number of ranked objectives. If there are any, the cheapest solution isn't the plan."""
    bounds: Bounds
    """Basis of the columns' upper bounds and of the links of choices."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangedPart:
    """A part of a case after changes, independent of everything outside it."""

    materials: Members
    """All materials that are bought, made, or demanded in it."""
    changes: tuple[Change, ...]
    """Changes that apply to it, with bills expanded."""
    inputs: Inputs

    def what_if(self, *changes: Change) -> ChangedPart:
        """Return the part after further changes of its prices, capacities, and demands that affect no other part."""
        return ChangedPart(self.materials, (*self.changes, *changes), self.inputs.after(changes))

    @property
    def demands(self) -> tuple[str, ...]:
        return tuple(demand.id for demand in self.inputs.problem().demands)

    def layout(self, up_to: Decimal = Decimal(1)) -> PartLayout:
        """Return the program, with bounds on purchases and choices that are valid for demands and capacities up to `up_to` times larger."""
        problem = self.inputs.problem()
        return _layout(problem, self._bounds(problem, up_to))

    def layout_within(self, other: PartLayout) -> PartLayout:
        """Return the program with the bounds of another layout with the same columns, if valid (`stays_within`)."""
        problem = self.inputs.problem()
        return _layout(
            problem,
            other.bounds if _have_same_moves(problem, other.bounds.problem) else self._bounds(problem, Decimal(1)),
        )

    def stays_within(self, other: PartLayout, up_to: Decimal) -> bool:
        """Return True if the bounds of a layout are valid for this part with any of its demands and capacities up to `up_to` times larger."""
        problem = self.inputs.problem()
        if not _have_same_moves(problem, other.bounds.problem):
            return False
        return other.bounds.cover(self._bounds(problem, up_to), bool(other.linear.integer.any()))

    def _bounds(self, problem: Problem, up_to: Decimal) -> Bounds:
        """Return the bounds for multiplied demands and capacities, or the original ones if the program would otherwise have other columns."""
        larger = problem if up_to == 1 else self.inputs.after([*_multiplied(problem, up_to)]).problem()
        chosen = larger if _have_same_moves(problem, larger) else problem
        return Bounds.of(chosen, LimitRows(chosen.limit_rows).may_exceed_need)


def _multiplied(problem: Problem, factor: Decimal) -> Iterator[Change]:
    for material in sorted({demand.spec.material for demand in problem.demands}):
        yield Change(demand=f"material:{material}", factor=factor)
    for pool in problem.pools:
        if any(capacity is not None for capacity in pool.capacity):
            yield Change(capacity=pool.facility, factor=factor)


def _layout(problem: Problem, bounds: Bounds) -> PartLayout:
    program = compile_program(problem, bounds=bounds)
    return PartLayout(program.linear, _columns(program), tuple(program.owners), len(program.goals), bounds)


def _columns(program: Program) -> tuple[ColumnMeaning, ...]:
    meanings: list[ColumnMeaning | None] = [None] * len(program.linear.cost)
    for column, meaning in _meanings(program):
        meanings[column] = meaning
    numbers = count()
    return tuple([ColumnMeaning("other", str(next(numbers))) if meaning is None else meaning for meaning in meanings])


def _meanings(program: Program) -> Iterator[tuple[int, ColumnMeaning]]:
    problem, columns, periods = program.problem, program.columns, program.problem.case.horizon.count
    offers = [facts.offer for facts in problem.offers]
    arcs = problem.network.arcs
    moves = problem.moves
    buy_columns = (
        array.tolist()
        for array in (
            columns.buy,
            moves.arc[columns.buy_move],
            moves.ordered[columns.buy_move],
            moves.delivered[columns.buy_move],
            columns.buy_compliance_class,
        )
    )
    for column, arc, ordered, delivered, class_index in zip(*buy_columns, strict=True):
        lot, (material, place) = arcs[arc].lot, arcs[arc].node
        if lot < 0:
            name = offers[arcs[arc].offer].id
            yield column, ColumnMeaning("bought", name, material, place, ordered, delivered, class_index)
        else:
            yield column, ColumnMeaning("set aside", problem.lots[lot].id, material, place, -1, delivered, class_index)
    for (offer, class_index, t), column in columns.make.items():
        yield column, ColumnMeaning("made", offers[offer].id, ordered=t, compliance_class=class_index)
    for (offer, output, t, from_class, to_class), column in columns.transfer.items():
        material = offers[offer].outputs[output].material
        yield column, ColumnMeaning("lent", offers[offer].id, material, "", t, -1, from_class, to_class)
    for (node, class_index), first_column in columns.stock.items():
        for t in range(periods):
            yield first_column + t, ColumnMeaning("held", "", *problem.network.nodes[node], -1, t, class_index)
    for number, (_, column, _) in enumerate(program.limits.misses):
        yield column, ColumnMeaning("missed", str(number))
    demand_materials = [(demand.id, demand.use.material.id) for demand in problem.demands]
    for column, (demand, t, class_index, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        name, material = demand_materials[demand]
        yield column, ColumnMeaning("delivered", name, material, " ".join(waivers), -1, t, class_index)
    for (demand, class_index, t, day), column in columns.late.items():
        name, material = demand_materials[demand]
        yield column, ColumnMeaning("used", name, material, str(day), -1, t, class_index)
    for first_column, (name, material) in zip(
        range(columns.short, len(demand_materials) * periods + columns.short, periods), demand_materials, strict=True
    ):
        for t in range(periods):
            yield first_column + t, ColumnMeaning("short", name, material, period=t)


def _have_same_moves(problem: Problem, other: Problem) -> bool:
    return _move_keys(problem) == _move_keys(other)


def _move_keys(problem: Problem) -> tuple[object, ...]:
    arcs, moves = problem.network.arcs, problem.moves
    return (
        [facts.offer.id for facts in problem.offers],
        [lot.id for lot in problem.lots],
        [(arc.offer, arc.output, arc.lot, arc.node) for arc in arcs],
        *(array.tolist() for array in (moves.arc, moves.ordered, moves.delivered)),
    )


PurchaseWeight = Callable[[OfferFacts, str, int], float]
"""Weight of one unit purchased, given the offer's facts and the place and period of delivery."""


def weights(program: Program, weigh: PurchaseWeight, output: str = "") -> Floats:
    """Return the weight of a unit of each column that buys from an offer, or with `output` just those of one material. 0 for stock and open orders."""
    problem, columns = program.problem, program.columns
    moves, weights_by_column = problem.moves, np.zeros(len(columns.buy))
    for position, move in enumerate(columns.buy_move.tolist()):
        arc = problem.network.arcs[int(moves.arc[move])]
        if arc.offer >= 0 and output in ("", arc.node[0]):
            weights_by_column[position] = weigh(problem.offers[arc.offer], arc.node[1], int(moves.delivered[move]))
    return weights_by_column


def columns_about(program: Program, material: str) -> Ints:
    columns, problem = program.columns, program.problem
    arcs = problem.network.arcs
    buys_material = [arcs[arc].node[0] == material for arc in problem.moves.arc[columns.buy_move].tolist()]
    shortage_columns = program.short_of({demand.id for demand in problem.demands if demand.use.material.id == material})
    return np.concatenate([columns.buy[np.array(buys_material, dtype=bool)], shortage_columns])


PurchaseLine = tuple[str, str, str, int]
"""Subject of a purchased quantity: offer, material, place, and period of delivery."""


def purchase_lines(program: Program) -> list[PurchaseLine]:
    """Return the line of every column that buys, in order. Stock and open orders have an empty offer."""
    problem, lines = program.problem, []
    moves = problem.moves
    for move in program.columns.buy_move.tolist():
        arc = problem.network.arcs[int(moves.arc[move])]
        name = problem.offers[arc.offer].offer.id if arc.offer >= 0 else ""
        lines.append((name, *arc.node, int(moves.delivered[move])))
    return lines


def with_least_movement(program: Program, *before: Mapping[PurchaseLine, float]) -> Program:
    """Return the program with further goals: to move the fewest kilograms from each of the purchases in `before`, in order."""
    linear, first_column = program.linear, len(program.linear.cost)
    lines = purchase_lines(program)
    position = {line: number for number, line in enumerate(sorted({line for line in lines if line[0]}))}
    line_and_column = [
        (position[line], int(column)) for line, column in zip(lines, program.columns.buy, strict=True) if line[0]
    ]
    if not line_and_column:
        return program
    count = len(position)
    line_of, column = np.array(line_and_column, dtype=np.intp).T
    for purchases in before:
        sums = Entries.summed(line_of, column, np.ones(len(line_and_column)), (count, len(linear.cost)))
        linear = with_differences(linear, sums, np.array([purchases.get(line, 0.0) for line in position]))
    columns = len(linear.cost)
    ranked = program.goals or (Goal(program.linear.cost, 0.0, is_whole_objective=True),)
    goals = [replace(goal, cost=np.pad(goal.cost, (0, columns - len(goal.cost)))) for goal in ranked]
    for level in range(len(before)):
        cost = np.zeros(columns)
        cost[first_column + 2 * count * level : first_column + 2 * count * (level + 1)] = 1.0
        goals.append(Goal(cost, 0.0, is_whole_objective=False))
    owners = [*program.owners, (program.linear.entries.shape[0], "kilograms moved")]
    return replace(program, linear=linear, goals=tuple(goals), owners=owners)
