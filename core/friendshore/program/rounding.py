"""Rounding that keeps what orders are made for: whole lots, and the tier of a price schedule that they were to reach."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from ..domain.base import exact
from ..problem.decimal_arrays import Whole, kept_doubles
from ..problem.demands import round_to
from .compile import Program
from .matrix import Floats


def within_tiers(program: Program, x: Floats) -> Floats:
    """Round a few orders the other way, so that each price schedule stays in the tier that the solver chose.

    The solver's choice is read from its switches. The quantity cannot tell it: a plan that stays just below a dearer tier, and one that
    just reaches a cheaper one, both lie within the solver's tolerance of the threshold.
    """
    found = x.copy()
    reached: dict[int, int] = {}
    for (number, tier), column in program.columns.tier_reached.items():
        if x[column] > 0.5:
            reached[number] = tier
    for number, columns in program.columns.priced.items():
        span, tier = program.problem.price_spans[number], reached.get(number, 0)
        if span.jumps:
            dearer = (number, tier) in program.columns.below_dearer
            _keep_tier(program, span.tiers[tier].least, span.tiers[tier + 1].least if dearer else None, columns, found)
    return found


def to_steps(x: Floats, step: Decimal) -> Whole:
    """Quantities as whole numbers of steps: each the nearest to the number as it is written, half to even.

    In doubles first; decimals decide where these lie so near to the middle of two steps that they may err.
    """
    near = x / float(step)
    found = np.rint(near)
    middling = np.abs(near - np.floor(near) - 0.5) < 1e-6 + 1e-14 * np.abs(near)
    for position in np.flatnonzero(middling).tolist():
        found[position] = float(round_to(Decimal(repr(float(x[position]))), step) / step)
    return kept_doubles(found)


def in_whole_lots(program: Program, x: Floats) -> dict[int, Decimal]:
    """Quantities of the columns that buy in lots, so that every order is a whole number of them, to the last digit.

    Each is rounded down to the resolution, and those are made larger that lost most by it: none is a step off.
    """
    found: dict[int, Decimal] = {}
    step = program.problem.case.resolution
    for (offer, t), column in program.columns.lot.items():
        lot = program.problem.offers[offer].offer.lot
        assert lot is not None
        planned = {c: Decimal(repr(float(x[c]))) for c in program.units[offer, t]}
        parts = {c: (units / step).to_integral_value(ROUND_FLOOR) * step for c, units in planned.items()}
        missing = exact(lot * round(float(x[column]))) - sum(parts.values(), Decimal(0))
        for c in sorted(parts, key=lambda c: (parts[c] - planned[c], c)):
            more = min(missing, step)
            if missing > 0:
                parts[c] += more
                missing -= more
        largest = max(parts, key=lambda c: parts[c])
        parts[largest] += missing
        found |= parts
    return found


def _keep_tier(
    program: Program, least: Decimal, below: Decimal | None, columns: Mapping[int, Decimal], x: Floats
) -> None:
    """Round orders up until they reach `least`, or down until they are below `below`; an order at one of its bounds stays."""
    step = program.problem.case.resolution
    planned = {column: Decimal(repr(float(x[column]))) for column in columns}
    rounded = {column: round_to(kilograms, step) for column, kilograms in planned.items()}
    measured = sum((weight * rounded[column] for column, weight in columns.items()), Decimal(0))
    if measured < least:
        for column in sorted(columns, key=lambda c: (rounded[c] - planned[c], c)):
            larger = float(rounded[column] + step)
            if measured < least and rounded[column] > 0 and larger <= program.linear.upper[column]:
                x[column] = larger
                measured += columns[column] * step
    elif below is not None:
        for column in sorted(columns, key=lambda c: (planned[c] - rounded[c], c)):
            if measured >= below and rounded[column] >= step:
                x[column] = float(rounded[column] - step)
                measured -= columns[column] * step
