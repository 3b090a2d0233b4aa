"""Small linear programs whose solutions are only proposals: the caller checks them by its own arithmetic.

Plans are made by `friendshore.solve`. This is for the layers below it: a check of recipes, and the verification of arrivals, which must not know the
solver that made the plan.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_TOLERANCE = 1e-10


class QuietHighs(highspy.Highs):
    """HiGHS without the banner that it otherwise prints when callbacks are enabled."""

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name
        self.silent()
        super().enableCallbacks()


def proposed_minimum(cost: Floats, rows: Floats, row_upper: Floats, upper: float) -> Floats | None:
    """Minimize `cost @ x` subject to `rows @ x <= row_upper` and `0 <= x <= upper`. `rows` is dense. None if HiGHS returns no optimum."""
    row_count, column_count = rows.shape
    row, column = np.nonzero(rows)
    solver = QuietHighs()
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        solver.setOptionValue(name, _TOLERANCE)
    solver.setOptionValue("threads", 1)
    solver.passModel(
        column_count,
        row_count,
        len(row),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        np.zeros(column_count),
        np.full(column_count, upper),
        np.full(row_count, -np.inf),
        row_upper,
        np.searchsorted(row, np.arange(row_count + 1)).astype(np.int32),
        column.astype(np.int32),
        rows[row, column],
        np.zeros(column_count, dtype=np.int32),
    )
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(solver.getSolution().col_value)
