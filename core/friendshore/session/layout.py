"""Layouts of programs for questions: the program of a part as data, columns by subject, and distances between plans.

A plugin's question can try changes on a layout, or pass it to its own solver.

The kilograms moved between two plans are the sum of `|bought - bought before|` over material, offer, place, and period of delivery. Compliance
classes split purchases only on paper, so they are added up first. An absolute value needs two columns: `bought - more + less = before` with `more, less >= 0`
and the cost `more + less`. An optimum uses at most one of them (Charnes, Cooper, Ferguson, Optimal estimation of executive compensation by linear
programming, Management Science 1, 1955, 138-151; goal programming).
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


class LaidColumn(NamedTuple):
    """Meaning of a column. It is unique within a program."""

    kind: Literal["bought", "set aside", "made", "lent", "held", "delivered", "used", "short", "other"]
    """Quantity that the column counts.

    - bought: kilograms from an offer
    - set aside: kilograms from a stock lot
    - made: units of an offer with several outputs
    - lent: kilograms of such an output, lent by one compliance class to another
    - held: kilograms in stock
    - delivered: kilograms to a demand
    - used: kilograms of a delivery from a day with an arrival within the period to the next such day
    - short: kilograms of shortage
    - other: choices, and columns of rules and order terms
    """
    name: str
    """Offer, lot, or demand. Empty for stock. For other columns, their order among themselves."""
    material: str = ""
    """Material, of all kinds except made and other."""
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
    """Minimize `cost @ x + constant` subject to `row_lower <= entries @ x <= row_upper`, `lower <= x <= upper`, with some x integer."""
    columns: tuple[LaidColumn, ...]
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
    """Facts after the changes."""

    def after(self, *changes: Change) -> ChangedPart:
        """Return the part after further changes of its prices, capacities, and demands that affect no other part.

        Raises:
            InputError: For every change without a match in it.
        """
        return ChangedPart(self.materials, (*self.changes, *changes), self.inputs.after(changes))

    @property
    def demands(self) -> tuple[str, ...]:
        """Ids of its demands."""
        return tuple(demand.id for demand in self.inputs.problem().demands)

    def layout(self, up_to: Decimal = Decimal(1)) -> PartLayout:
        """Return the program.

        Args:
            up_to: Largest factor of demands and capacities for which the bounds on purchases and choices remain valid. The larger, the weaker the
                program. Plans use 1.

        Raises:
            InputError: With all inconsistencies after the changes.
            PluginError: If a plugin's rule raises.
        """
        problem = self.inputs.problem()
        return _laid(problem, self._bounds(problem, up_to))

    def layout_within(self, other: PartLayout) -> PartLayout:
        """Return the program with the bounds of another layout with the same columns, so that the two differ only in facts.

        `stays_within` checks that these bounds are valid for it.

        Raises:
            InputError: With all inconsistencies after the changes.
            PluginError: If a plugin's rule raises.
        """
        problem = self.inputs.problem()
        return _laid(
            problem, other.bounds if _alike(problem, other.bounds.problem) else self._bounds(problem, Decimal(1))
        )

    def stays_within(self, other: PartLayout, up_to: Decimal) -> bool:
        """Return True if the bounds of a layout are valid for this part, even if any of its demands and capacities are multiplied by up to `up_to`."""
        problem = self.inputs.problem()
        if not _alike(problem, other.bounds.problem):
            return False
        return other.bounds.cover(self._bounds(problem, up_to), bool(other.linear.integer.any()))

    def _bounds(self, problem: Problem, up_to: Decimal) -> Bounds:
        """Return the bounds for multiplied demands and capacities, or for the original ones if the program would otherwise have other columns."""
        larger = problem if up_to == 1 else self.inputs.after([*_multiplied(problem, up_to)]).problem()
        chosen = larger if _alike(problem, larger) else problem
        return Bounds.of(chosen, LimitRows(chosen.limit_rows).may_exceed_need)


def _multiplied(problem: Problem, factor: Decimal) -> Iterator[Change]:
    for material in sorted({demand.spec.material for demand in problem.demands}):
        yield Change(demand=f"material:{material}", factor=factor)
    for pool in problem.pools:
        if any(capacity is not None for capacity in pool.capacity):
            yield Change(capacity=pool.facility, factor=factor)


def _laid(problem: Problem, bounds: Bounds) -> PartLayout:
    program = compile_program(problem, bounds=bounds)
    return PartLayout(program.linear, _columns(program), tuple(program.owners), len(program.goals), bounds)


def _columns(program: Program) -> tuple[LaidColumn, ...]:
    found: list[LaidColumn | None] = [None] * len(program.linear.cost)
    for column, what in _named(program):
        found[column] = what
    rest = count()
    return tuple([LaidColumn("other", str(next(rest))) if what is None else what for what in found])


def _named(program: Program) -> Iterator[tuple[int, LaidColumn]]:
    problem, columns, periods = program.problem, program.columns, program.problem.case.horizon.count
    offers = [facts.offer for facts in problem.offers]
    arcs = problem.network.arcs
    moves = problem.moves
    bought = (
        array.tolist()
        for array in (
            columns.buy,
            moves.arc[columns.buy_move],
            moves.ordered[columns.buy_move],
            moves.delivered[columns.buy_move],
            columns.buy_compliance_class,
        )
    )
    for column, arc, ordered, delivered, of in zip(*bought, strict=True):
        lot, (material, place) = arcs[arc].lot, arcs[arc].node
        if lot < 0:
            name = offers[arcs[arc].offer].id
            yield column, LaidColumn("bought", name, material, place, ordered, delivered, of)
        else:
            yield column, LaidColumn("set aside", problem.lots[lot].id, material, place, -1, delivered, of)
    for (offer, of, t), column in columns.make.items():
        yield column, LaidColumn("made", offers[offer].id, ordered=t, compliance_class=of)
    for (offer, output, t, giver, taker), column in columns.transfer.items():
        material = offers[offer].outputs[output].material
        yield column, LaidColumn("lent", offers[offer].id, material, "", t, -1, giver, taker)
    for (node, of), first in columns.stock.items():
        for t in range(periods):
            yield first + t, LaidColumn("held", "", *problem.network.nodes[node], -1, t, of)
    wanted = [(demand.id, demand.use.material.id) for demand in problem.demands]
    for column, (demand, t, of, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        name, material = wanted[demand]
        yield column, LaidColumn("delivered", name, material, " ".join(waivers), -1, t, of)
    for (demand, of, t, day), column in columns.late.items():
        name, material = wanted[demand]
        yield column, LaidColumn("used", name, material, str(day), -1, t, of)
    for first, (name, material) in zip(
        range(columns.short, len(wanted) * periods + columns.short, periods), wanted, strict=True
    ):
        for t in range(periods):
            yield first + t, LaidColumn("short", name, material, period=t)


def _alike(one: Problem, other: Problem) -> bool:
    """Return True if two problems have the same possible purchases, on the same days and routes."""
    return _ways(one) == _ways(other)


def _ways(problem: Problem) -> tuple[object, ...]:
    arcs, moves = problem.network.arcs, problem.moves
    return (
        [facts.offer.id for facts in problem.offers],
        [lot.id for lot in problem.lots],
        [(arc.offer, arc.output, arc.lot, arc.node) for arc in arcs],
        *(array.tolist() for array in (moves.arc, moves.ordered, moves.delivered)),
    )


Weigh = Callable[[OfferFacts, str, int], float]
"""Weight of one unit purchased, given the offer's facts and the place and period of delivery."""


def weights(program: Program, weigh: Weigh, output: str = "") -> Floats:
    """Return the weight of a unit of each column that buys from an offer, or with `output` just those of one material. Stock and open orders are 0."""
    problem, columns = program.problem, program.columns
    moves, found = problem.moves, np.zeros(len(columns.buy))
    for position, move in enumerate(columns.buy_move.tolist()):
        arc = problem.network.arcs[int(moves.arc[move])]
        if arc.offer >= 0 and output in ("", arc.node[0]):
            found[position] = weigh(problem.offers[arc.offer], arc.node[1], int(moves.delivered[move]))
    return found


def about(program: Program, material: str) -> Ints:
    """Return the columns that buy a material, and those of its shortage."""
    columns, problem = program.columns, program.problem
    arcs = problem.network.arcs
    bought = [arcs[arc].node[0] == material for arc in problem.moves.arc[columns.buy_move].tolist()]
    short = program.short_of({demand.id for demand in problem.demands if demand.use.material.id == material})
    return np.concatenate([columns.buy[np.array(bought, dtype=bool)], short])


Line = tuple[str, str, str, int]
"""Subject of a purchased quantity: offer, material, place, and period of delivery."""


def lines_of(program: Program) -> list[Line]:
    """Return the line of every column that buys, in order. Stock and open orders have an empty offer."""
    problem, found = program.problem, []
    moves = problem.moves
    for move in program.columns.buy_move.tolist():
        arc = problem.network.arcs[int(moves.arc[move])]
        name = problem.offers[arc.offer].offer.id if arc.offer >= 0 else ""
        found.append((name, *arc.node, int(moves.delivered[move])))
    return found


def least_moved(program: Program, *before: Mapping[Line, float]) -> Program:
    """Return the program with a further goal after its ranked objectives and cost: move the fewest kilograms.

    `before` are the purchases of the plan to stay close to, followed by those of plans that decide among equally close ones. Lines that the program can't
    buy are left out, since no plan contains them.
    """
    linear, first = program.linear, len(program.linear.cost)
    lines = lines_of(program)
    position = {line: number for number, line in enumerate(sorted({line for line in lines if line[0]}))}
    bought = [(position[line], int(column)) for line, column in zip(lines, program.columns.buy, strict=True) if line[0]]
    if not bought:
        return program
    count = len(position)
    line_of, column = np.array(bought, dtype=np.intp).T
    for one in before:
        sums = Entries.summed(line_of, column, np.ones(len(bought)), (count, len(linear.cost)))
        linear = with_differences(linear, sums, np.array([one.get(line, 0.0) for line in position]))
    columns = len(linear.cost)
    ranked = program.goals or (Goal(program.linear.cost, 0.0, whole=True),)
    goals = [replace(goal, cost=np.pad(goal.cost, (0, columns - len(goal.cost)))) for goal in ranked]
    for number in range(len(before)):
        cost = np.zeros(columns)
        cost[first + 2 * count * number : first + 2 * count * (number + 1)] = 1.0
        goals.append(Goal(cost, 0.0, whole=False))
    owners = [*program.owners, (program.linear.entries.shape[0], "kilograms moved")]
    return replace(program, linear=linear, goals=tuple(goals), owners=owners)
