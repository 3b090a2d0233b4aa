"""Rounding that keeps what orders are made for: whole lots, and the tier of a price schedule that they were to reach."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import numpy as np

from ..domain.base import exact
from ..problem.demands import round_to
from ..problem.fixed_point import Whole, kept_doubles
from ..problem.schedules import PriceSpan
from .compile import Program
from .matrix import Floats

_NEARLY = Decimal("1e-7")
"""Of where a tier begins: by so much the solver may stay below it and mean to reach it."""


def up_to_thresholds(program: Program, x: Floats) -> Floats:
    """The same values, a few orders rounded up, those first that rounding to the nearest step would make smaller by most.

    As many as keep a price schedule in the tier that it reaches before rounding; an order at its upper bound stays.
    """
    found = x.copy()
    for number, columns in program.columns.priced.items():
        span = program.problem.price_spans[number]
        if span.jumps:
            _round_up(program, span, columns, found)
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


def _round_up(program: Program, span: PriceSpan, columns: dict[int, Decimal], x: Floats) -> None:
    step = program.problem.case.resolution
    planned = {column: Decimal(repr(float(x[column]))) for column in columns}
    rounded = {column: round_to(kilograms, step) for column, kilograms in planned.items()}
    meant = sum((weight * planned[column] for column, weight in columns.items()), Decimal(0)) * (1 + _NEARLY)
    missing = max(tier.least for tier in span.tiers if tier.least <= meant)
    missing -= sum((weight * rounded[column] for column, weight in columns.items()), Decimal(0))
    for column in sorted(columns, key=lambda c: (rounded[c] - planned[c], c)):
        if missing <= 0:
            return
        larger = float(rounded[column] + step)
        if rounded[column] > 0 and larger <= program.linear.upper[column]:
            x[column] = larger
            missing -= columns[column] * step
