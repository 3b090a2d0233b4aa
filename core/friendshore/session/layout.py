"""Programs of a case, or of a part of it, for questions: laid out as data, their columns by subject, and the distance between plans.

A question of a plugin tries changes on a layout, or gives it to a solver of its own.

Kilograms moved between two plans are the sum of `|bought - bought before|` over everything that can be bought: a material of an offer for a place,
by period of delivery. Compliance classes split a purchase only on paper, so they are summed over. An absolute value is two columns,
`bought - more + less = before` with `more, less >= 0` and the cost `more + less`, of which an optimum uses one at most
(Charnes, Cooper, Ferguson, Optimal estimation of executive compensation by linear programming, Management Science 1, 1955,
138-151; goal programming).
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
    """What a column of a program is: no two columns of one program are the same."""

    kind: Literal["bought", "set aside", "made", "lent", "held", "delivered", "used", "short", "other"]
    """Kilograms bought of an offer, or set aside of a lot; units made of an offer that gives several goods at once, and what of these one compliance
    class lends another; kilograms held in stock, delivered to a demand, used of a delivery from a day on which something arrives within its period to the next
    such day, or short. Other: choices, and what rules and terms count by columns of their own.
    """
    name: str
    """The offer, the lot or the demand; of stock: empty; of others: their order among themselves."""
    material: str = ""
    """Of what is bought, set aside, lent, held, delivered, used and short."""
    place: str = ""
    """Where it arrives or is held; of a delivery: the waivers that it is under; of what is used: the day."""
    ordered: int = -1
    """Period of the order, or in which units are made; -1: nothing is ordered."""
    period: int = -1
    """Period in which it arrives, is held at its end, delivered, used or short."""
    compliance_class: int = -1
    """For which compliance class, by number; -1: for any."""
    other_class: int = -1
    """To which it is lent."""


@dataclass(frozen=True, slots=True, eq=False)
class PartLayout:
    """The program of a part of a case. Its cost is money, discounted to the start of the plan."""

    linear: Linear
    """minimise `cost @ x + constant` subject to `row_lower <= entries @ x <= row_upper`, `lower <= x <= upper`, some x whole."""
    columns: tuple[LaidColumn, ...]
    """What each column is."""
    owners: tuple[tuple[int, str], ...]
    """First row of each block of rows, and the rule or part of the model that asks for it."""
    ranked: int
    """Objectives that the case ranks: with any, the cheapest solution is not the plan."""
    bounds: Bounds
    """What upper ends of columns and the links of choices follow from."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangedPart:
    """A part of a case after changes: nothing outside it has to do with them."""

    materials: Members
    """All that are bought, made or wanted in it."""
    changes: tuple[Change, ...]
    """Those of the changes that bear on it, bills spelt out."""
    inputs: Inputs
    """Its facts after them."""

    def after(self, *changes: Change) -> ChangedPart:
        """The same part after further changes of its prices, capacities and demands, which touch no other part.

        Raises:
            InputError: for every change that names nothing in it.
        """
        return ChangedPart(self.materials, (*self.changes, *changes), self.inputs.after(changes))

    @property
    def demands(self) -> tuple[str, ...]:
        """The demands that it serves."""
        return tuple(demand.id for demand in self.inputs.problem().demands)

    def layout(self, up_to: Decimal = Decimal(1)) -> PartLayout:
        """Its program.

        Args:
            up_to: what is bought, and what choices allow, is bounded by what demand and capacities can need and give. The bounds hold also where any
                of these are multiplied, as long as none is by more than this. The larger, the weaker the program: 1 is what is solved for a plan.

        Raises:
            InputError: with all that does not fit together after the changes.
            PluginError: if a plugin's rule raises.
        """
        problem = self.inputs.problem()
        return _laid(problem, self._bounds(problem, up_to))

    def layout_within(self, other: PartLayout) -> PartLayout:
        """Its program with the bounds of another of the same columns, so that the two differ in what the facts differ in and in nothing else. Whether
        these bounds hold for it as well, `stays_within` says.

        Raises:
            InputError: with all that does not fit together after the changes.
            PluginError: if a plugin's rule raises.
        """
        problem = self.inputs.problem()
        return _laid(
            problem, other.bounds if _alike(problem, other.bounds.problem) else self._bounds(problem, Decimal(1))
        )

    def stays_within(self, other: PartLayout, up_to: Decimal) -> bool:
        """Return True if the bounds of a layout hold for this part too, where any demands and capacities of it are up to so many times what they are."""
        problem = self.inputs.problem()
        if not _alike(problem, other.bounds.problem):
            return False
        return other.bounds.hold_all_of(self._bounds(problem, up_to), bool(other.linear.integer.any()))

    def _bounds(self, problem: Problem, up_to: Decimal) -> Bounds:
        """Of the same facts with every demand and capacity multiplied; of these as they are if they then make another program."""
        larger = problem if up_to == 1 else self.inputs.after([*_multiplied(problem, up_to)]).problem()
        chosen = larger if _alike(problem, larger) else problem
        return Bounds.of(chosen, LimitRows(chosen.limit_rows).forces)


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
    """Return True if the same can be bought on the same days, along the same ways."""
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
"""What a unit of a purchase counts: the offer's facts, place of delivery, period of delivery."""


def weights(program: Program, weigh: Weigh, output: str = "") -> Floats:
    """What a unit of each column that buys counts (only of `output`, if that is given); stock and orders placed are no purchases."""
    problem, columns = program.problem, program.columns
    moves, found = problem.moves, np.zeros(len(columns.buy))
    for position, move in enumerate(columns.buy_move.tolist()):
        arc = problem.network.arcs[int(moves.arc[move])]
        if arc.offer >= 0 and output in ("", arc.node[0]):
            found[position] = weigh(problem.offers[arc.offer], arc.node[1], int(moves.delivered[move]))
    return found


def about(program: Program, material: str) -> Ints:
    """Columns that buy a material, and those of its shortage."""
    columns, problem = program.columns, program.problem
    arcs = problem.network.arcs
    bought = [arcs[arc].node[0] == material for arc in problem.moves.arc[columns.buy_move].tolist()]
    short = program.short_of({demand.id for demand in problem.demands if demand.use.material.id == material})
    return np.concatenate([columns.buy[np.array(bought, dtype=bool)], short])


Line = tuple[str, str, str, int]
"""What kilograms are told apart by: offer, material, place, period of delivery."""


def lines_of(program: Program) -> list[Line]:
    """The line of every column that buys from an offer, in order; stock in hand and orders placed are no purchases, and have none."""
    problem, found = program.problem, []
    moves = problem.moves
    for move in program.columns.buy_move.tolist():
        arc = problem.network.arcs[int(moves.arc[move])]
        name = problem.offers[arc.offer].offer.id if arc.offer >= 0 else ""
        found.append((name, *arc.node, int(moves.delivered[move])))
    return found


def least_moved(program: Program, *before: Mapping[Line, float]) -> Program:
    """The same program that, once all it ranks and cost are as small as they can be, moves the fewest kilograms.

    `before` are kilograms bought in the plan it is to stay near to, then in others that settle what that leaves open. What the
    program cannot buy at all is left out: it is gone in any plan.
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
