"""A problem with its program and answers: solved once, asked many times."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from .domain.plan import Infeasible, Plan
from .problem import Problem
from .problem.limiting import materials_of
from .program import Program, compile_program
from .program.decode import decode
from .solve import NO_LIMITS, Cancel, Limits, Progress, Solution, least, solve
from .solve.run import Conflict
from .verify import VerifiedPlan, verify


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A solved and verified problem that further questions can be put to."""

    problem: Problem
    program: Program
    solution: Solution
    verified: VerifiedPlan
    limits: Limits
    cancel: Cancel | None
    opened: float
    """When the search began, by the monotonic clock: a time limit is one for everything."""

    @staticmethod
    def open(
        problem: Problem, limits: Limits = NO_LIMITS, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Session:
        """Compiles, solves and verifies.

        Raises:
            SolverError: if a solver breaks down.
            VerificationError: if the plan does not hold: a bug of ours, never passed on as a plan.
            PluginError: if a plugin's rule raises.
        """
        opened = time.monotonic()
        program = compile_program(problem)
        solution = solve(program, limits, progress, cancel)
        verified = verify(problem, plan_of(program, solution))
        return Session(problem, program, solution, verified, limits, cancel, opened)

    def least_short(self, demand: int) -> float | None:
        """Kilograms that a demand is short of over the plan at best, whatever it costs others; None if not found in time."""
        count = self.problem.case.horizon.count
        first = self.program.columns.short + demand * count
        return least(self.program, np.arange(first, first + count), self._left(), self.cancel)

    def _left(self) -> Limits:
        """The limits, with what is left of the time."""
        if self.limits.seconds is None:
            return self.limits
        return replace(self.limits, seconds=max(0.0, self.limits.seconds - (time.monotonic() - self.opened)))


def plan_of(program: Program, solution: Solution) -> Plan:
    """The plan that a solution describes."""
    conflicts = [_infeasible(program, conflict) for conflict in solution.conflicts]
    return decode(program, solution.x, solution.status, solution.objective, solution.bound, conflicts)


def _infeasible(program: Program, conflict: Conflict) -> Infeasible:
    problem, columns = program.problem, program.columns
    within = set(conflict.columns.tolist())
    materials = {
        problem.network.arcs[int(problem.moves.arc[move])].node[0]
        for column, move in zip(columns.buy, columns.buy_move, strict=True)
        if column in within
    }
    count = problem.case.horizon.count
    short = {d for d in range(len(problem.demands)) for t in range(count) if columns.short + d * count + t in within}
    materials |= {problem.demands[d].use.material.id for d in short}
    materials |= {problem.lots[lot].material for lot, column in columns.rest.items() if column in within}
    by_row = dict(zip(program.limits.program_rows, program.limits.rows, strict=True))
    for row in by_row.keys() & set(conflict.rows):
        materials |= materials_of(problem, by_row[row][1])
    return Infeasible(
        materials=tuple(sorted(materials)),
        demands=tuple(problem.demands[d].id for d in sorted(short)),
        rules=conflict.owners,
    )
