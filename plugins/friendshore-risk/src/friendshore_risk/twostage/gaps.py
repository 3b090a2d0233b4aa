"""How good a plan is that was made for a sample: what it costs more than the best plan, from samples that had no part in making it.

W. K. Mak, D. P. Morton and R. K. Wood, Monte Carlo bounding techniques for determining solution quality in stochastic programs, Operations Research
Letters 24 (1999): of independent samples, the best plan of each costs in it no more than any plan does, the true best one among them, so that on
average it costs too little. What a plan costs more than that is, on average, no less than what it costs more than the best plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from friendshore.program.matrix import Floats

from .measures import RiskMeasure
from .program import RecourseProgram
from .solving import Solver, solve_recourse
from .values import evaluated


@dataclass(frozen=True, slots=True)
class GapInterval:
    """What independent samples say of a plan."""

    batches: int
    gap: float
    """What the plan costs more than the best plan of each batch, on average."""
    most: float
    """It costs no more than so much more than the best plan, with the confidence asked for."""
    low: float
    high: float
    """Between these the least cost lies, with the confidence asked for."""


def gap_interval(
    x: Floats,
    batches: Sequence[RecourseProgram],
    measure: RiskMeasure,
    solver: Solver,
    confidence: float = 0.95,
    apart: Solver | None = None,
) -> GapInterval | None:
    """How good decisions are; None: some batch was not solved.

    Args:
        x: the decisions, made without these batches.
        batches: independent samples, two or more: programs of the same first stage.
        measure: what is minimised.
        solver: what solves them.
        confidence: with which it is to hold.
        apart: what prices the decisions in second stages; None: `solver`.
    """
    plans, least, gaps = [], [], []
    for batch in batches:
        best = solve_recourse(batch, measure, solver)
        if best is None:
            return None
        plan = measure.of(evaluated(batch, x, apart or solver), batch.probabilities)
        plans.append(plan)
        least.append(best.bound)
        gaps.append(max(0.0, plan - best.bound))
    spread = sqrt(len(batches))
    one, both = _quantile(confidence, len(batches) - 1), _quantile((1 + confidence) / 2, len(batches) - 1)

    def mean(values: Sequence[float], times: float) -> float:
        return float(np.mean(values)) + times * float(np.std(values, ddof=1)) / spread

    return GapInterval(
        len(batches), mean(gaps, 0.0), mean(gaps, one), min(mean(least, -both), mean(plans, both)), mean(plans, both)
    )


def _quantile(confidence: float, freedom: int) -> float:
    """Of Student's t."""
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, confidence))
