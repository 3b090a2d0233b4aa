"""Columns of a program by what they are about: for questions that are asked of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..problem.offers import OfferFacts
from .compile import Program
from .matrix import Floats, Ints

Weigh = Callable[[OfferFacts, str, int], float]
"""What a unit of a purchase counts: the offer's facts, place of delivery, period of delivery."""


def weights(program: Program, weigh: Weigh, output: str = "") -> Floats:
    """What a unit of each column that buys counts; stock and orders placed are no purchases.

    Args:
        program: the program.
        weigh: what a unit of a purchase counts.
        output: only purchases of this material count; empty: of any.
    """
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
