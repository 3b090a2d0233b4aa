"""Published problems in textbook formulations for raw HiGHS: weak (one link per choice) and strong (one link per flow).

Location (Krarup and Pruzan, The simple plant location problem, European Journal of Operational Research 12, 1983): site i opened y,
share x of customer j's demand served from it.

    weak    sum_j demand_j x_ij <= min(capacity_i, all demand) y_i
    strong  the same, and x_ij <= y_i; opened capacity covers all demand

Lots (Krarup and Bilde, Plant location, set covering and economic lot size, 1977): set-up y of product p in period t.

    weak    made_pt <= min(capacity left by the set-up, demand still to come) y_pt; stock carries over
    strong  the share of the demand of period u that is made in t, w_ptu <= y_pt
"""

from __future__ import annotations

import highspy
import numpy as np

from ..answer import Answer, Stop
from ..instances import Floats, Ints
from ..peers.arrays import ProgramBuilder, options, read
from .neutral import Location, Lots, Problem


def run(problem: Problem, stop: Stop, strong: bool) -> Answer:
    """Solve a problem with HiGHS alone, on one thread."""
    answer = Answer()
    with answer.phase("build"):
        program = ProgramBuilder()
        if isinstance(problem, Location):
            _location(program, problem, strong)
        elif strong:
            _lots_strong(program, problem)
        else:
            _lots_weak(program, problem)
        solver = highspy.Highs()
        for name, value in options(stop).items():
            solver.setOptionValue(name, value)
        solver.passModel(program.model())
    with answer.phase("solve"):
        solver.run()
    read(solver, answer, mixed=True, has_plan=len(solver.getSolution().col_value) > 0)
    return answer


def _location(program: ProgramBuilder, problem: Location, strong: bool) -> None:
    opened = program.add_columns(problem.fixed, 1.0, whole=True)
    served = program.add_columns(problem.cost, 1.0, whole=problem.single)
    all_demand = problem.demand.sum()
    program.add_entries(program.add_rows(problem.demand.shape, 1.0, 1.0)[None, :], served, 1.0)
    max_served = np.minimum(problem.capacity, all_demand)
    joint = not strong or bool(np.isfinite(problem.capacity).any())
    if joint:
        rows = program.add_rows(opened.shape, -np.inf, 0.0)
        program.add_entries(rows[:, None], served, problem.demand)
        program.add_entries(rows, opened, -max_served)
    if strong:
        rows = program.add_rows(served.shape, -np.inf, 0.0)
        program.add_entries(rows, served, 1.0)
        program.add_entries(rows, opened[:, None], -1.0)
    if strong and joint:
        program.add_entries(program.add_rows((1,), all_demand, np.inf), opened, max_served)


def _lots_weak(program: ProgramBuilder, problem: Lots) -> None:
    periods = problem.demand.shape[1]
    setup = program.add_columns(np.tile(problem.setup[:, None], periods), 1.0, whole=True)
    produced = program.add_columns(np.zeros(problem.demand.shape))
    stock = program.add_columns(np.tile(problem.holding[:, None], periods))
    balance = program.add_rows(produced.shape, problem.demand, problem.demand)
    program.add_entries(balance, produced, 1.0)
    program.add_entries(balance, stock, -1.0)
    program.add_entries(balance[:, 1:], stock[:, :-1], 1.0)
    rows = program.add_rows(produced.shape, -np.inf, 0.0)
    to_come = np.cumsum(problem.demand[:, ::-1], axis=1)[:, ::-1]
    program.add_entries(rows, produced, 1.0)
    program.add_entries(rows, setup, -np.minimum(to_come, (problem.capacity - problem.setup_use)[:, None]))
    _machine(program, problem, setup, produced, 1.0)


def _lots_strong(program: ProgramBuilder, problem: Lots) -> None:
    periods = problem.demand.shape[1]
    setup = program.add_columns(np.tile(problem.setup[:, None], periods), 1.0, whole=True)
    production_period, needed = np.triu_indices(periods)
    quantity = problem.demand[:, needed]
    share = program.add_columns(problem.holding[:, None] * quantity * (needed - production_period), 1.0)
    has_demand = np.where(problem.demand > 0, 1.0, 0.0)
    program.add_entries(
        program.add_rows(has_demand.shape, has_demand, has_demand)[:, needed], share, has_demand[:, needed]
    )
    rows = program.add_rows(share.shape, -np.inf, 0.0)
    program.add_entries(rows, share, 1.0)
    program.add_entries(rows, setup[:, production_period], -1.0)
    _machine(program, problem, setup, share, quantity, production_period)


def _machine(
    program: ProgramBuilder,
    problem: Lots,
    setup: Ints,
    produced: Ints,
    quantity: Floats | float,
    period: Ints | None = None,
) -> None:
    """Limit production and setups in each period by its capacity."""
    rows = program.add_rows(problem.demand.shape[1:], -np.inf, problem.capacity)
    program.add_entries(rows if period is None else rows[period], produced, quantity)
    program.add_entries(rows, setup, problem.setup_use[:, None])
