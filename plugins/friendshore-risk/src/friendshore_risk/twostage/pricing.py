"""Second stages asked again and again, for other decisions before them: what each comes to, and a plane that it never falls below."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from friendshore.program.matrix import Entries, Floats, Linear
from friendshore.solve import Reasked, SolverOutcome

from .program import SecondStage, second_stage_at

TOLERANCE = 1e-9
"""Of the engine, as a share of the largest cost: by so much less than nothing a column without an end may seem to cost at its optimum."""


@dataclass(frozen=True, slots=True, eq=False)
class PricedStage:
    """What follows decisions in a second stage."""

    values: Floats | None
    """Of its columns; None: it cannot follow."""
    cost: float
    """All that it comes to; infinite if it cannot follow."""
    constant: float
    """After any decisions x it comes to `constant + slope @ x` at least; where it cannot follow these, that is by how much rows are missed at least."""
    slope: Floats


class StagePricer:
    """Second stages without integer columns, of which those with the same coefficients are one program to the engine: it goes on from its last basis."""

    def __init__(self, stages: Sequence[SecondStage]) -> None:
        """Nothing is asked yet."""
        self.stages = stages
        known: dict[bytes, _Alike] = {}
        self._alike = [known.setdefault(_digest(stage.recourse), _Alike(stage.recourse)) for stage in stages]
        self._technology = [stage.technology.transposed() for stage in stages]

    def at(self, number: int, x: Floats) -> PricedStage | None:
        """What follows decisions in one of them; None: the engine does not say, or not what proves it."""
        stage, alike = self.stages[number], self._alike[number]
        linear = second_stage_at(stage, x)
        answer = alike.best.optimum(linear)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            answer = alike.missed.optimum(_elastic(linear))
            if answer.duals is None:
                return None
            plane = self._plane(number, np.zeros(len(stage.cost)), answer.duals.clip(-1.0, 1.0))
            missed = plane is not None and plane[0] + float(plane[1] @ x) > TOLERANCE
            return PricedStage(None, np.inf, *plane) if plane is not None and missed else None
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or answer.duals is None:
            return None
        plane = self._plane(number, stage.cost, answer.duals)
        if plane is None:
            return None
        cost = float(stage.before @ x + stage.cost @ answer.x) + stage.constant
        return PricedStage(answer.x, cost, plane[0] + stage.constant, plane[1] + stage.before)

    def _plane(self, number: int, cost: Floats, duals: Floats) -> tuple[float, Floats] | None:
        """What the cost of a second stage's own columns cannot fall below, by weak duality: any multipliers of its rows prove as much.

        `sum over rows of y+ (low - T x) - y- (high - T x)`, and for each column the lower of `(cost - W'y) z` at its ends: all of it but `-(T'y) x` is the constant.
        None: a column without an end costs less than nothing, so that these multipliers prove nothing.
        """
        stage = self.stages[number]
        low, high = np.isfinite(stage.row_lower), np.isfinite(stage.row_upper)
        duals = np.where((duals > 0) & ~low | (duals < 0) & ~high, 0.0, duals)
        ends = np.where(duals > 0, np.where(low, stage.row_lower, 0.0), np.where(high, stage.row_upper, 0.0))
        reduced = cost - self._alike[number].transposed @ duals
        at = np.where(reduced > 0, stage.lower, stage.upper)
        endless = ~np.isfinite(at)
        if endless.any():
            if (abs(reduced[endless]) > TOLERANCE * max(1.0, float(abs(cost).max(initial=0.0)))).any():
                return None
            at = np.where(endless, 0.0, at)
        return float(duals @ ends + reduced @ at), -(self._technology[number] @ duals)


class _Alike:
    """Programs of the same coefficients."""

    def __init__(self, entries: Entries) -> None:
        self.best, self.missed = Reasked(), Reasked()
        self.transposed = entries.transposed()


def _digest(entries: Entries) -> bytes:
    parts = (np.array(entries.shape), entries.data, entries.indices, entries.indptr)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()


def _elastic(linear: Linear) -> Linear:
    """By how much rows have to be missed, all together: a column each for what is too little and for what is too much."""
    rows, columns = linear.entries.shape
    every = np.arange(rows)
    old = linear.entries
    entries = Entries.summed(
        np.concatenate([old.rows, every, every]),
        np.concatenate([old.indices, columns + every, columns + rows + every]),
        np.concatenate([old.data, np.ones(rows), -np.ones(rows)]),
        (rows, columns + 2 * rows),
    )
    return replace(
        linear,
        cost=np.concatenate([np.zeros(columns), np.ones(2 * rows)]),
        lower=np.concatenate([linear.lower, np.zeros(2 * rows)]),
        upper=np.concatenate([linear.upper, np.full(2 * rows, np.inf)]),
        integer=np.zeros(columns + 2 * rows, dtype=bool),
        entries=entries,
    )
