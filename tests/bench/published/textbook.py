"""Published problems as textbooks write them, for raw HiGHS: with one link a choice, and with a link a flow.

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
from ..peers.arrays import Rows, options, read
from .neutral import Location, Lots, Problem


def run(problem: Problem, stop: Stop, strong: bool) -> Answer:
    """What HiGHS makes of it alone, on one thread."""
    answer = Answer()
    with answer.phase("build"):
        program = Rows()
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
    read(solver, answer, mixed=True, found=len(solver.getSolution().col_value) > 0)
    return answer


def _location(program: Rows, problem: Location, strong: bool) -> None:
    opened = program.new(problem.fixed, 1.0, whole=True)
    served = program.new(problem.cost, 1.0, whole=problem.single)
    all_demand = problem.demand.sum()
    program.put(program.need(problem.demand.shape, 1.0, 1.0)[None, :], served, 1.0)
    most = np.minimum(problem.capacity, all_demand)
    joint = not strong or bool(np.isfinite(problem.capacity).any())
    if joint:
        rows = program.need(opened.shape, -np.inf, 0.0)
        program.put(rows[:, None], served, problem.demand)
        program.put(rows, opened, -most)
    if strong:
        rows = program.need(served.shape, -np.inf, 0.0)
        program.put(rows, served, 1.0)
        program.put(rows, opened[:, None], -1.0)
    if strong and joint:
        program.put(program.need((1,), all_demand, np.inf), opened, most)


def _lots_weak(program: Rows, problem: Lots) -> None:
    periods = problem.demand.shape[1]
    setup = program.new(np.tile(problem.setup[:, None], periods), 1.0, whole=True)
    made = program.new(np.zeros(problem.demand.shape))
    stock = program.new(np.tile(problem.holding[:, None], periods))
    balance = program.need(made.shape, problem.demand, problem.demand)
    program.put(balance, made, 1.0)
    program.put(balance, stock, -1.0)
    program.put(balance[:, 1:], stock[:, :-1], 1.0)
    rows = program.need(made.shape, -np.inf, 0.0)
    to_come = np.cumsum(problem.demand[:, ::-1], axis=1)[:, ::-1]
    program.put(rows, made, 1.0)
    program.put(rows, setup, -np.minimum(to_come, (problem.capacity - problem.taken)[:, None]))
    _machine(program, problem, setup, made, 1.0)


def _lots_strong(program: Rows, problem: Lots) -> None:
    periods = problem.demand.shape[1]
    setup = program.new(np.tile(problem.setup[:, None], periods), 1.0, whole=True)
    made_in, needed = np.triu_indices(periods)
    quantity = problem.demand[:, needed]
    share = program.new(problem.holding[:, None] * quantity * (needed - made_in), 1.0)
    some = np.where(problem.demand > 0, 1.0, 0.0)
    program.put(program.need(some.shape, some, some)[:, needed], share, some[:, needed])
    rows = program.need(share.shape, -np.inf, 0.0)
    program.put(rows, share, 1.0)
    program.put(rows, setup[:, made_in], -1.0)
    _machine(program, problem, setup, share, quantity, made_in)


def _machine(
    program: Rows, problem: Lots, setup: Ints, made: Ints, quantity: Floats | float, period: Ints | None = None
) -> None:
    """What is made and set up in a period takes no more than its capacity."""
    rows = program.need(problem.demand.shape[1:], -np.inf, problem.capacity)
    program.put(rows if period is None else rows[period], made, quantity)
    program.put(rows, setup, problem.taken[:, None])
