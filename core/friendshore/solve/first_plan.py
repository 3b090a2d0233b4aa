"""A first plan of a program with integer variables, and what of the program plans no dearer than it can hold.

A shortage costs so much that an engine which looks for plans among all columns finds those that leave demand short, and gets away from them slowly. So:

1. the linear relaxation: a bound for all plans, and what each column costs at its prices;
2. continuous columns that it leaves at nothing, and that cost more than the whole of it several times over, are closed: a plan is found by an engine
   that looks for any, whatever it costs, and bettered in a search of that restricted program;
3. the plan bounds every column: none that costs no more holds more of it than the room between bound and plan pays for, at the column's cost or at its
   reduced cost (reduced-cost fixing: Dantzig, Fulkerson and Johnson, Solution of a large-scale traveling-salesman problem, Operations Research 2, 1954;
   Savelsbergh, Preprocessing and probing techniques for mixed integer programming problems, ORSA Journal on Computing 6, 1994).

The restricted program gives a plan and proves nothing. The bounds of the third step hold for every plan that is no dearer, so that the search of the
whole, which follows, proves what it would without them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, Mask, continuous
from .engine import Ask, Engines, SolverAnswer, SolverOutcome, Watch

CHOICES = 30
"""With fewer integer variables than this the whole is searched at once."""
LARGE = 50_000
"""With more entries than this HiGHS solves the relaxation sooner than GLOP."""
DEAR = 4.0
"""A column that costs so many times the whole relaxation, taken as far as it goes, is left out of the first plan."""
ANY_NODES = 100
"""Nodes of the search for any plan."""
BETTER_NODES = 50
"""Nodes of the search that betters it."""
SHARE = 0.25
"""Share of the time left that it may take."""
LEAST_SECONDS = 1.0
"""Seconds for the relaxation, and for any plan, however little time is left."""
LEAST_ROOM = 1e-3
"""Share of a continuous column's range that is left to it: a solver's presolve may take less for nothing at all."""
USED = 1e-9
"""A column below this counts as nothing."""
ROUNDED = 1e-6
"""Share of the room that is added to it, for what engines round."""


def first_plan(linear: Linear, engines: Engines, watch: Watch, gap: float) -> tuple[SolverAnswer, Linear]:
    """The best plan found before the whole is searched, with a bound for the whole; and the program that is left to search.

    Nothing, and the program as it is, where there are few choices or nothing is dear. A relaxation without a plan says that there is none at all.
    """
    nothing = SolverAnswer(SolverOutcome.NOTHING)
    if np.count_nonzero(linear.integer) < CHOICES:
        return nothing, linear
    relaxation, seconds = continuous(linear), _seconds(watch)
    large = linear.entries.nnz > LARGE
    relaxed = engines.search(relaxation, Ask(seconds)) if large else engines.linear(relaxation, seconds)
    if relaxed.outcome is SolverOutcome.INFEASIBLE:
        return relaxed, linear
    if relaxed.outcome is not SolverOutcome.OPTIMAL or relaxed.x is None or relaxed.duals is None:
        return nothing, linear
    bound = _proved(linear, relaxed.duals)
    dear = _dear(linear, relaxed)
    if not dear.any():
        return replace(nothing, bound=bound), linear
    found = _within(replace(linear, upper=np.where(dear, 0.0, linear.upper)), engines, watch, gap)
    if found.x is None:
        return replace(nothing, bound=bound), linear
    value = float(linear.cost @ found.x) + linear.constant
    best = SolverAnswer(SolverOutcome.FEASIBLE, found.x, value, min(bound, value))
    return best, narrowed(linear, relaxed.duals, value)


def _seconds(watch: Watch, share: float = 1.0) -> float | None:
    left = watch.left()
    return None if left is None else max(LEAST_SECONDS, share * left)


def _dear(linear: Linear, relaxed: SolverAnswer) -> Mask:
    """Continuous columns that cost very much, and that the relaxation does without: shortages where capacity suffices."""
    assert relaxed.x is not None
    most = linear.cost * np.where(np.isfinite(linear.upper), linear.upper, 0.0)
    dear: Mask = ~linear.integer & (linear.lower <= 0) & (relaxed.x <= USED) & (most > DEAR * abs(relaxed.objective))
    return dear


def _within(restricted: Linear, engines: Engines, watch: Watch, gap: float) -> SolverAnswer:
    """A plan of the restricted program: any, then a better one."""
    free = replace(restricted, cost=np.zeros(len(restricted.cost)), constant=0.0)
    some = engines.search(free, Ask(_seconds(watch), nodes=ANY_NODES))
    if some.x is None or watch.stopped():
        return some
    ask = Ask(_seconds(watch, SHARE), gap, nodes=BETTER_NODES)
    better = engines.search(restricted, ask, some.x)
    return (
        better if better.x is not None and better.objective <= restricted.cost @ some.x + restricted.constant else some
    )


def _proved(linear: Linear, duals: Floats) -> float:
    """What no plan falls below, by these duals: each row and column at the end that is cheapest at them."""
    reduced = linear.cost - linear.matrix.T @ duals
    rows = np.where(duals > 0, linear.row_lower, linear.row_upper)[duals != 0]
    ends = np.where(reduced > 0, linear.lower, linear.upper)[reduced != 0]
    with np.errstate(invalid="ignore"):
        found = float(duals[duals != 0] @ rows) + float(reduced[reduced != 0] @ ends) + linear.constant
    return found if np.isfinite(found) else -np.inf


def narrowed(linear: Linear, duals: Floats, most: float) -> Linear:
    """The same program with the bounds of columns that all plans keep which cost no more than `most`."""
    upper, lower = linear.upper.copy(), linear.lower.copy()
    for price in (np.zeros(len(duals)), duals):
        room = most - _proved(linear, price)
        if not np.isfinite(room):
            continue
        room = max(0.0, room) * (1 + ROUNDED) + 1e-9 * max(1.0, abs(most))
        reduced = linear.cost - linear.matrix.T @ price
        reach = np.divide(room, np.abs(reduced), out=np.full(len(reduced), np.inf), where=np.abs(reduced) > USED)
        least = LEAST_ROOM * (linear.upper - linear.lower)
        reach = np.where(linear.integer, np.floor(reach + ROUNDED), np.maximum(reach, least))
        falls = (reduced < 0) & np.isfinite(linear.upper)
        upper = np.where(reduced > 0, np.minimum(upper, linear.lower + reach), upper)
        lower[falls] = np.maximum(lower[falls], linear.upper[falls] - reach[falls])
    return replace(linear, lower=lower, upper=upper)
