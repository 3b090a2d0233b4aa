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
import scipy.sparse as sp
from numpy.typing import NDArray

from ..answer import Answer, Stop
from ..instances import Floats, Ints
from ..peers.arrays import options, read
from .neutral import Location, Lots, Problem

Entries = list[tuple[Ints, Ints, Floats]]


def run(problem: Problem, stop: Stop, strong: bool) -> Answer:
    """What HiGHS makes of it alone, on one thread."""
    answer = Answer()
    with answer.phase("build"):
        program = _Rows()
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


class _Rows:
    """Columns and rows in the making."""

    def __init__(self) -> None:
        self.cost: list[Floats] = []
        self.whole: list[NDArray[np.bool_]] = []
        self.entries: Entries = []
        self.ends: list[tuple[Floats, Floats]] = []
        self.columns = self.rows = 0

    def new(self, cost: Floats, *, whole: bool = False, upper: float = 1.0) -> Ints:
        """Columns in the shape of their cost, from 0 to `upper`."""
        found = np.arange(self.columns, self.columns + cost.size).reshape(cost.shape)
        self.columns += cost.size
        self.cost.append(np.stack([cost.ravel(), np.full(cost.size, upper)]))
        self.whole.append(np.full(cost.size, whole))
        return found

    def need(self, lower: Floats, upper: Floats) -> Ints:
        """Rows in the shape of their ends."""
        low, high = np.broadcast_arrays(lower, upper)
        found = np.arange(self.rows, self.rows + low.size).reshape(low.shape)
        self.rows += low.size
        self.ends.append((low.ravel(), high.ravel()))
        return found

    def put(self, rows: Ints, columns: Ints, values: Floats | float) -> None:
        """Coefficients; shapes are spread."""
        row, column, value = np.broadcast_arrays(rows, columns, values)
        self.entries.append((row.ravel(), column.ravel(), value.ravel()))

    def model(self) -> highspy.HighsLp:
        """The whole program."""
        row, column, value = (np.concatenate([entry[i] for entry in self.entries]) for i in range(3))
        matrix = sp.csc_matrix((value, (row, column)), shape=(self.rows, self.columns))
        money = np.concatenate(self.cost, axis=1)
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.columns, self.rows
        model.col_cost_, model.col_lower_, model.col_upper_ = money[0], np.zeros(self.columns), money[1]
        model.row_lower_, model.row_upper_ = (np.concatenate([end[i] for end in self.ends]) for i in range(2))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = (
            matrix.indptr,
            matrix.indices,
            matrix.data,
        )
        model.integrality_ = [kinds[int(whole)] for whole in np.concatenate(self.whole)]
        return model


def _location(program: _Rows, problem: Location, strong: bool) -> None:
    opened = program.new(problem.fixed, whole=True)
    served = program.new(problem.cost, whole=problem.single)
    all_demand = problem.demand.sum()
    one, nothing = np.ones(len(problem.demand)), np.zeros(len(opened))
    program.put(program.need(one, one)[None, :], served, 1.0)
    most = np.minimum(problem.capacity, all_demand)
    joint = not strong or bool(np.isfinite(problem.capacity).any())
    if joint:
        rows = program.need(nothing - np.inf, nothing)
        program.put(rows[:, None], served, problem.demand)
        program.put(rows, opened, -most)
    if strong:
        rows = program.need(np.full(served.shape, -np.inf), np.zeros(served.shape))
        program.put(rows, served, 1.0)
        program.put(rows, opened[:, None], -1.0)
    if strong and joint:
        program.put(program.need(np.full(1, all_demand), np.full(1, np.inf)), opened, most)


def _lots_weak(program: _Rows, problem: Lots) -> None:
    products, periods = problem.demand.shape
    setup = program.new(np.tile(problem.setup[:, None], periods), whole=True)
    made = program.new(np.zeros((products, periods)), upper=np.inf)
    stock = program.new(np.tile(problem.holding[:, None], periods), upper=np.inf)
    balance = program.need(problem.demand, problem.demand)
    program.put(balance, made, 1.0)
    program.put(balance, stock, -1.0)
    program.put(balance[:, 1:], stock[:, :-1], 1.0)
    rows = program.need(np.full(made.shape, -np.inf), np.zeros(made.shape))
    to_come = np.cumsum(problem.demand[:, ::-1], axis=1)[:, ::-1]
    program.put(rows, made, 1.0)
    program.put(rows, setup, -np.minimum(to_come, (problem.capacity - problem.taken)[:, None]))
    _machine(program, problem, setup, made, 1.0)


def _lots_strong(program: _Rows, problem: Lots) -> None:
    periods = problem.demand.shape[1]
    setup = program.new(np.tile(problem.setup[:, None], periods), whole=True)
    made_in, needed = np.triu_indices(periods)
    quantity = problem.demand[:, needed]
    share = program.new(problem.holding[:, None] * quantity * (needed - made_in))
    some = np.where(problem.demand > 0, 1.0, 0.0)
    program.put(program.need(some, some)[:, needed], share, some[:, needed])
    rows = program.need(np.full(share.shape, -np.inf), np.zeros(share.shape))
    program.put(rows, share, 1.0)
    program.put(rows, setup[:, made_in], -1.0)
    _machine(program, problem, setup, share, quantity, made_in)


def _machine(
    program: _Rows, problem: Lots, setup: Ints, made: Ints, quantity: Floats | float, period: Ints | None = None
) -> None:
    """What is made and set up in a period takes no more than its capacity."""
    periods = problem.demand.shape[1]
    rows = program.need(np.full(periods, -np.inf), np.full(periods, problem.capacity))
    program.put(rows if period is None else rows[period], made, quantity)
    program.put(rows, setup, problem.taken[:, None])
