"""What it is worth to plan for what may happen, and what it would be worth to know.

With RP the least expected cost of deciding before anybody knows, WS the expected cost of whoever knows before he decides, and EEV the expected cost of
whoever decides as if the expected values were certain: EVPI = RP - WS, VSS = EEV - RP (Birge and Louveaux 2011, ch. 4).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from friendshore.program.matrix import Entries, Floats

from .measures import RiskMeasure
from .program import RecourseProgram, ScenarioBranch, SecondStage, extensive_form
from .solving import Solver, best_seconds, stage_costs

EXPECTED = RiskMeasure()


def evaluated(program: RecourseProgram, x: Floats, solver: Solver) -> Floats:
    """What every branch comes to once `x` is decided, what that costs whatever happens included; infinite where nothing can follow."""
    seconds = [
        own if own is not None else np.full(len(stage.cost), np.nan)
        for own, stage in zip(best_seconds(program, x, solver), program.stages, strict=True)
    ]
    decided = float(program.first.cost @ x) + program.first.constant
    found: Floats = program.costs(stage_costs(program, x, seconds)) + decided
    return found


def wait_and_see(program: RecourseProgram, solver: Solver) -> Floats:
    """What every branch comes to for whoever knows of it before he decides anything; infinite where there is no plan."""
    found = []
    for branch in program.branches:
        alone = program.only([replace(branch, probability=1.0)])
        answer = solver(extensive_form(alone, EXPECTED).linear)
        found.append(np.inf if answer.x is None else answer.objective)
    return np.array(found)


def expected_value_of(program: RecourseProgram) -> RecourseProgram:
    """The same with one branch, in which every number is its expected value.

    Raises:
        ValueError: if second stages differ in their rows or columns, so that there is no such thing.
    """
    shapes = {(stage.technology.shape, stage.recourse.shape) for stage in program.stages}
    if len(shapes) != 1:
        raise ValueError("second stages that differ in rows or columns have no expected value")
    weights, stages = program.weights / program.weights.sum(), program.stages

    def mean(arrays: list[Floats]) -> Floats:
        held = np.array(arrays)
        alike = (held == held[0]).all(axis=0)  # infinite ends among them
        found: Floats = np.where(alike, held[0], weights @ np.where(alike, 0.0, held))
        return found

    def mixed(several: list[Entries]) -> Entries:
        return Entries.summed(
            np.concatenate([one.rows for one in several]),
            np.concatenate([one.indices for one in several]),
            np.concatenate([w * one.data for w, one in zip(weights, several, strict=True)]),
            several[0].shape,
        )

    stage = SecondStage(
        cost=mean([one.cost for one in stages]),
        lower=mean([one.lower for one in stages]),
        upper=mean([one.upper for one in stages]),
        integer=stages[0].integer,
        technology=mixed([one.technology for one in stages]),
        recourse=mixed([one.recourse for one in stages]),
        row_lower=mean([one.row_lower for one in stages]),
        row_upper=mean([one.row_upper for one in stages]),
        before=mean([one.before for one in stages]),
        constant=float(weights @ np.array([one.constant for one in stages])),
    )
    return RecourseProgram(program.first, (stage,), (ScenarioBranch(1.0, (0,)),))
