"""GLOP, for linear programs, through the helper of OR-Tools' model builder.

Measured traps, each with a test:
- The helper's own HiGHS prints a banner, loses its incumbent at a time limit and flips the sign of duals: only GLOP is
  used through the helper.
- The helper calls a program infeasible whose cost has no least value.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread
from typing import Any

import numpy as np
from ortools.linear_solver.python import model_builder_helper as helper

from ...errors import Diagnostic
from ...program.matrix import Floats, Linear
from ..engine import TO_THE_END, Ask, BreakdownError, SolverAnswer, SolverOutcome, never

_LARGE = 50_000
"""Entries of a program from which on it may take longer than a user who has had enough should wait."""


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, _hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    """Solves a linear program with GLOP, integrality left aside; it takes no hint.

    Raises:
        BreakdownError: if GLOP comes to no answer, or cannot tell a program without any plan from one without least cost.
    """
    solver = helper.ModelSolverHelper("glop")
    solver.set_solver_specific_parameters(
        f"primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9 use_preprocessing: {presolve}".lower()
    )
    if ask.seconds is not None:
        solver.set_time_limit_in_seconds(ask.seconds)
    with _heard(solver, ask.stopped) if ask.stopped is not never and linear.entries.nnz >= _LARGE else nullcontext():
        solver.solve(_model(linear))
    status = solver.status()
    if status == helper.SolveStatus.OPTIMAL:
        x = np.clip(np.asarray(solver.variable_values()), linear.lower, linear.upper)
        objective = float(linear.cost @ x) + linear.constant
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.asarray(solver.dual_values()))
    if status == helper.SolveStatus.INFEASIBLE and not _may_fall_for_ever(linear):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if status == helper.SolveStatus.FEASIBLE and solver.has_solution():
        x = np.clip(np.asarray(solver.variable_values()), linear.lower, linear.upper)
        return SolverAnswer(SolverOutcome.FEASIBLE, x, float(linear.cost @ x) + linear.constant)
    if status in (helper.SolveStatus.NOT_SOLVED, helper.SolveStatus.CANCELLED_BY_USER) and (
        ask.seconds is not None or ask.stopped()
    ):
        return SolverAnswer(SolverOutcome.NOTHING)
    raise BreakdownError(Diagnostic(f"GLOP came to no answer: {status.name}", fix="please report this case"))


def _model(linear: Linear) -> helper.ModelBuilderHelper:
    """The program as the helper keeps it, entry by entry: all at once it takes nothing but a matrix of scipy's, which is slow to import."""
    model, entries = helper.ModelBuilderHelper(), linear.entries
    columns, rows = range(len(linear.cost)), range(entries.shape[0])
    add_columns: Any = model.add_var_array_with_bounds  # its stubs name a dtype where numpy has a shape
    add_columns(linear.lower, linear.upper, np.zeros(len(columns), dtype=bool), "")
    model.set_objective_coefficients(list(columns), linear.cost.tolist())
    for row, lower, upper in zip(rows, linear.row_lower.tolist(), linear.row_upper.tolist(), strict=True):
        model.add_linear_constraint()
        model.set_constraint_lower_bound(row, lower)
        model.set_constraint_upper_bound(row, upper)
    places = entries.rows.tolist(), entries.indices.tolist(), entries.data.tolist()
    deque(map(model.add_term_to_constraint, *places), maxlen=0)
    return model


@contextmanager
def _heard(solver: helper.ModelSolverHelper, stopped: Callable[[], bool]) -> Iterator[None]:
    """While GLOP searches, a thread beside it that ends the search as soon as it is to stop."""
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            if stopped():
                solver.interrupt_solve()
                return

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _may_fall_for_ever(linear: Linear) -> bool:
    """Whether the cost might have no least value: the helper calls such a program infeasible, HiGHS by its name."""
    ends = np.where(linear.cost < 0, linear.upper, linear.lower)
    return bool(np.isinf(ends[linear.cost != 0]).any())
