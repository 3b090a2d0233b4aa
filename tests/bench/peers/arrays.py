"""Raw `highspy`: the program as compressed columns, handed over in one call."""

from __future__ import annotations

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ..answer import Answer, Stop
from ..instances import Floats, Ints
from ..plain import Plain, Steps


def run(plain: Plain, stop: Stop, solve: bool = True) -> Answer:
    """Builds the arrays, passes them to HiGHS, and solves."""
    answer = Answer()
    with answer.phase("build"):
        solver = highspy.Highs()
        for name, value in options(stop).items():
            solver.setOptionValue(name, value)
        program = _Arrays(plain)
        solver.passModel(program.model())
    answer.notes = {"columns": program.columns, "rows": program.rows, "nonzeros": program.nonzeros}
    if not solve:
        return answer
    with answer.phase("solve"):
        solver.run()
        found = np.asarray(solver.getSolution().col_value)
    read(solver, answer, plain.mixed, len(found) > 0)
    return answer


def options(stop: Stop) -> dict[str, float | bool]:
    """How HiGHS is told to go about it, by whoever calls it."""
    told: dict[str, float | bool] = {"output_flag": False, "threads": 1, "mip_rel_gap": stop.gap}
    if stop.seconds is not None:
        told["time_limit"] = float(stop.seconds)
    return told


def read(solver: highspy.Highs, answer: Answer, mixed: bool, found: bool) -> None:
    """Takes objective, bound and status from HiGHS."""
    info = solver.getInfo()
    answer.status = solver.modelStatusToString(solver.getModelStatus())
    if found and abs(info.objective_function_value) < highspy.kHighsInf:
        answer.objective = info.objective_function_value
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = info.mip_dual_bound if mixed else info.objective_function_value if optimal else -np.inf
    answer.bound = float(bound) if np.isfinite(bound) else None


class Rows:
    """Columns and rows in the making, block by block."""

    def __init__(self) -> None:
        self.columns = self.rows = self.nonzeros = 0
        self.cost: list[Floats] = []
        self.upper: list[Floats] = []
        self.whole: list[Ints] = []
        self.bounds: list[tuple[Floats, Floats]] = []
        self.entries: list[tuple[Ints, Ints, Floats]] = []

    def model(self) -> highspy.HighsLp:
        """The whole program."""
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

    def new(self, cost: Floats, upper: ArrayLike = np.inf, whole: bool = False) -> Ints:
        """Columns in the shape of `cost`, from 0 on."""
        positions = np.arange(self.columns, self.columns + cost.size).reshape(cost.shape)
        self.columns += cost.size
        self.cost.append(cost.ravel())
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=float), cost.shape).ravel())
        if whole:
            self.whole.append(positions.ravel())
        return positions

    def need(self, shape: tuple[int, ...], lower: ArrayLike, upper: ArrayLike) -> Ints:
        """Rows in some shape."""
        count = int(np.prod(shape))
        positions = np.arange(self.rows, self.rows + count).reshape(shape)
        self.rows += count
        low, high = (np.broadcast_to(np.asarray(side, dtype=float), shape).ravel() for side in (lower, upper))
        self.bounds.append((low, high))
        return positions

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Coefficients; shapes are spread."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=float))
        self.entries.append((row.ravel(), column.ravel(), value.ravel()))


class _Arrays(Rows):
    """The textbook program of an instance."""

    def __init__(self, plain: Plain) -> None:
        super().__init__()
        self.plain = plain
        buy = self.new(plain.price)
        stock = self.new(plain.held)
        short = self.new(plain.missed, plain.demand)
        wanted = plain.demand.copy()
        wanted[:, 0] -= plain.opening
        balance = self.need(wanted.shape, wanted, wanted)
        self.put(balance[plain.material], buy, 1.0)
        self.put(balance, stock, -1.0)
        self.put(balance[:, 1:], stock[:, :-1], 1.0)
        self.put(balance, short, 1.0)
        room = self.need(plain.capacity.shape, -np.inf, plain.capacity)
        self.put(room[plain.facility], buy, plain.capacity_use[:, None])
        if plain.share is not None:
            self._shares(buy, plain.share)
        self._orders(buy)
        use = self._onboarding(buy)
        if plain.steps is not None:
            self._tiers(buy, plain.steps)
        if plain.budget is not None:
            self._budget(buy, stock, use, plain.budget)

    def _shares(self, buy: Ints, share: float) -> None:
        """Every pair of a material and a country that offers it: its own purchases less the share of all."""
        plain, months = self.plain, buy.shape[1]
        pairs, own = np.unique(np.stack([plain.material, plain.country]), axis=1, return_inverse=True)
        rows = self.need((pairs.shape[1], months), -np.inf, 0.0)
        self.put(rows[own.ravel()], buy, 1.0)
        pair, offer = np.nonzero(pairs[0][:, None] == plain.material[None, :])
        self.put(rows[pair], buy[offer], -share)

    def _orders(self, buy: Ints) -> None:
        plain, some = self.plain, self.plain.ordering
        if not len(some):
            return
        order = self.new(np.zeros((len(some), buy.shape[1])), 1.0, whole=True)
        low, high = self.need(order.shape, 0.0, np.inf), self.need(order.shape, -np.inf, 0.0)
        self.put([low, high], buy[some], 1.0)
        self.put(low, order, -plain.least[some][:, None])
        self.put(high, order, -plain.most[some])

    def _onboarding(self, buy: Ints) -> Ints:
        plain, some = self.plain, self.plain.boarding
        use = self.new(plain.onboarding[some], 1.0, whole=True)
        rows = self.need((len(some), buy.shape[1]), -np.inf, 0.0)
        self.put(rows, buy[some], 1.0)
        self.put(rows, use[:, None], -plain.most[some])
        return use

    def _tiers(self, buy: Ints, steps: Steps) -> None:
        width = steps.width
        tier = self.new(np.repeat(steps.saving[:, None, :], width.shape[1], axis=1), width)
        reach = self.new(np.zeros(width[:, :, 1:].shape), 1.0, whole=True)
        total = self.need(width.shape[:2], 0.0, 0.0)
        self.put(total[:, self.plain.year], buy[steps.offer], 1.0)
        self.put(total[:, :, None], tier, -1.0)
        full, opened = self.need(reach.shape, 0.0, np.inf), self.need(reach.shape, -np.inf, 0.0)
        self.put(full, tier[:, :, :-1], 1.0)
        self.put(full, reach, -width[:, :, :-1])
        self.put(opened, tier[:, :, 1:], 1.0)
        self.put(opened, reach, -width[:, :, 1:])

    def _budget(self, buy: Ints, stock: Ints, use: Ints, budget: float) -> None:
        """Onboarding is paid at the start of the plan, so in its first year."""
        plain = self.plain
        rows = self.need((int(plain.year[-1]) + 1,), -np.inf, budget)
        self.put(rows[plain.year], buy, plain.spent)
        self.put(rows[plain.year], stock, plain.kept)
        self.put(rows[0], use, plain.onboarding[plain.boarding])
