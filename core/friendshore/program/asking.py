"""Questions asked of a program: its columns by what they are about, and how far a plan is from another one.

Kilograms moved between two plans are the sum of `|bought - bought before|` over everything that can be bought: a material of an offer for a place,
by period of delivery. Compliance classes split a purchase only on paper, so they are summed over. An absolute value is two columns,
`bought - more + less = before` with `more, less >= 0` and the cost `more + less`, of which an optimum uses one at most
(Charnes, Cooper, Ferguson, Optimal estimation of executive compensation by linear programming, Management Science 1, 1955,
138-151; goal programming).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..problem.offers import OfferFacts
from .compile import Program
from .matrix import Entries, Floats, Ints, with_differences
from .objectives import Goal

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
    goals = [replace(goal, cost=_wider(goal.cost, columns)) for goal in ranked]
    for number in range(len(before)):
        cost = np.zeros(columns)
        cost[first + 2 * count * number : first + 2 * count * (number + 1)] = 1.0
        goals.append(Goal(cost, 0.0, whole=False))
    owners = [*program.owners, (program.linear.entries.shape[0], "kilograms moved")]
    return replace(program, linear=linear, goals=tuple(goals), owners=owners)


def _wider(values: Floats, columns: int) -> Floats:
    return np.concatenate([values, np.zeros(columns - len(values))])
