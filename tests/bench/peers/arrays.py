"""Raw `highspy`: the program as compressed columns, passed in one call."""

from __future__ import annotations

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ..answer import Answer, Stop
from ..coefficients import Coefficients, Steps
from ..instances import Floats, Ints


def run(data: Coefficients, stop: Stop, solve: bool = True) -> Answer:
    answer = Answer()
    with answer.phase("build"):
        solver = highspy.Highs()
        for name, value in options(stop).items():
            solver.setOptionValue(name, value)
        program = _Arrays(data)
        solver.passModel(program.model())
    answer.notes = {"columns": program.columns, "rows": program.rows, "nonzeros": program.nonzeros}
    if not solve:
        return answer
    with answer.phase("solve"):
        solver.run()
        column_values = np.asarray(solver.getSolution().col_value)
    read(solver, answer, data.mixed, len(column_values) > 0)
    return answer


def options(stop: Stop) -> dict[str, float | bool]:
    """Return the options of HiGHS."""
    values: dict[str, float | bool] = {"output_flag": False, "threads": 1, "mip_rel_gap": stop.gap}
    if stop.seconds is not None:
        values["time_limit"] = float(stop.seconds)
    return values


def read(solver: highspy.Highs, answer: Answer, mixed: bool, has_plan: bool) -> None:
    """Copy objective, bound, and status from HiGHS to the answer."""
    info = solver.getInfo()
    answer.status = solver.modelStatusToString(solver.getModelStatus())
    if has_plan and abs(info.objective_function_value) < highspy.kHighsInf:
        answer.objective = info.objective_function_value
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = info.mip_dual_bound if mixed else info.objective_function_value if optimal else -np.inf
    answer.bound = float(bound) if np.isfinite(bound) else None


class ProgramBuilder:
    """A program that grows by blocks of columns and rows."""

    def __init__(self) -> None:
        self.columns = self.rows = self.nonzeros = 0
        self.cost: list[Floats] = []
        self.upper: list[Floats] = []
        self.whole: list[Ints] = []
        self.bounds: list[tuple[Floats, Floats]] = []
        self.entries: list[tuple[Ints, Ints, Floats]] = []

    def model(self) -> highspy.HighsLp:
        model = highspy.HighsLp()
        row, column, value = (np.concatenate([entry[i] for entry in self.entries]) for i in range(3))
        matrix = sp.csc_matrix((value, (row, column)), shape=(self.rows, self.columns))
        self.nonzeros = matrix.nnz
        model.num_col_, model.num_row_ = self.columns, self.rows
        model.col_cost_, model.col_upper_ = np.concatenate(self.cost), np.concatenate(self.upper)
        model.col_lower_ = np.zeros(self.columns)
        model.row_lower_, model.row_upper_ = (np.concatenate([ends[i] for ends in self.bounds]) for i in range(2))
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
        model.a_matrix_.value_ = matrix.data
        if self.whole:
            kinds = [highspy.HighsVarType.kContinuous] * self.columns
            for position in np.concatenate(self.whole).tolist():
                kinds[position] = highspy.HighsVarType.kInteger
            model.integrality_ = kinds
        return model

    def add_columns(self, cost: Floats, upper: ArrayLike = np.inf, whole: bool = False) -> Ints:
        """Add columns from 0 to `upper`, and return their positions in the shape of `cost`."""
        positions = np.arange(self.columns, self.columns + cost.size).reshape(cost.shape)
        self.columns += cost.size
        self.cost.append(cost.ravel())
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=float), cost.shape).ravel())
        if whole:
            self.whole.append(positions.ravel())
        return positions

    def add_rows(self, shape: tuple[int, ...], lower: ArrayLike, upper: ArrayLike) -> Ints:
        """Add rows, and return their positions in a shape."""
        count = int(np.prod(shape))
        positions = np.arange(self.rows, self.rows + count).reshape(shape)
        self.rows += count
        low, high = (np.broadcast_to(np.asarray(side, dtype=float), shape).ravel() for side in (lower, upper))
        self.bounds.append((low, high))
        return positions

    def add_entries(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Add coefficients, with broadcasting."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=float))
        self.entries.append((row.ravel(), column.ravel(), value.ravel()))


class _Arrays(ProgramBuilder):
    def __init__(self, data: Coefficients) -> None:
        super().__init__()
        self.data = data
        buy = self.add_columns(data.price)
        stock = self.add_columns(data.holding_cost)
        short = self.add_columns(data.shortage_cost, data.demand)
        net_demand = data.demand.copy()
        net_demand[:, 0] -= data.opening
        balance = self.add_rows(net_demand.shape, net_demand, net_demand)
        self.add_entries(balance[data.material], buy, 1.0)
        self.add_entries(balance, stock, -1.0)
        self.add_entries(balance[:, 1:], stock[:, :-1], 1.0)
        self.add_entries(balance, short, 1.0)
        room = self.add_rows(data.capacity.shape, -np.inf, data.capacity)
        self.add_entries(room[data.facility], buy, data.capacity_use[:, None])
        if data.share is not None:
            self._shares(buy, data.share)
        self._orders(buy)
        use = self._onboarding(buy)
        if data.steps is not None:
            self._tiers(buy, data.steps)
        if data.budget is not None:
            self._budget(buy, stock, use, data.budget)

    def _shares(self, buy: Ints, share: float) -> None:
        """Limit the purchases of each material from each country to a share of all."""
        data, months = self.data, buy.shape[1]
        pairs, own = np.unique(np.stack([data.material, data.country]), axis=1, return_inverse=True)
        rows = self.add_rows((pairs.shape[1], months), -np.inf, 0.0)
        self.add_entries(rows[own.ravel()], buy, 1.0)
        pair, offer = np.nonzero(pairs[0][:, None] == data.material[None, :])
        self.add_entries(rows[pair], buy[offer], -share)

    def _orders(self, buy: Ints) -> None:
        data, offers = self.data, self.data.ordering
        if not len(offers):
            return
        order = self.add_columns(np.zeros((len(offers), buy.shape[1])), 1.0, whole=True)
        low, high = self.add_rows(order.shape, 0.0, np.inf), self.add_rows(order.shape, -np.inf, 0.0)
        self.add_entries([low, high], buy[offers], 1.0)
        self.add_entries(low, order, -data.least[offers][:, None])
        self.add_entries(high, order, -data.most[offers])

    def _onboarding(self, buy: Ints) -> Ints:
        data, offers = self.data, self.data.boarding
        use = self.add_columns(data.onboarding[offers], 1.0, whole=True)
        rows = self.add_rows((len(offers), buy.shape[1]), -np.inf, 0.0)
        self.add_entries(rows, buy[offers], 1.0)
        self.add_entries(rows, use[:, None], -data.most[offers])
        return use

    def _tiers(self, buy: Ints, steps: Steps) -> None:
        width = steps.width
        tier = self.add_columns(np.repeat(steps.saving[:, None, :], width.shape[1], axis=1), width)
        reach = self.add_columns(np.zeros(width[:, :, 1:].shape), 1.0, whole=True)
        total = self.add_rows(width.shape[:2], 0.0, 0.0)
        self.add_entries(total[:, self.data.year], buy[steps.offer], 1.0)
        self.add_entries(total[:, :, None], tier, -1.0)
        full, opened = self.add_rows(reach.shape, 0.0, np.inf), self.add_rows(reach.shape, -np.inf, 0.0)
        self.add_entries(full, tier[:, :, :-1], 1.0)
        self.add_entries(full, reach, -width[:, :, :-1])
        self.add_entries(opened, tier[:, :, 1:], 1.0)
        self.add_entries(opened, reach, -width[:, :, 1:])

    def _budget(self, buy: Ints, stock: Ints, use: Ints, budget: float) -> None:
        """Limit the spend of each year. Onboarding is paid in the first."""
        data = self.data
        rows = self.add_rows((int(data.year[-1]) + 1,), -np.inf, budget)
        self.add_entries(rows[data.year], buy, data.purchase_spend)
        self.add_entries(rows[data.year], stock, data.stock_spend)
        self.add_entries(rows[0], use, data.onboarding[data.boarding])
