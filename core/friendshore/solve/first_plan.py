"""First plan of a program with integer variables, and bounds on the columns of all plans that are no more expensive.

A shortage costs so much that an engine searching all columns first finds plans with shortages, and improves them slowly. The steps are:

1. For a large program, find a plan from its relaxation with all links of a choice in one row, which takes a fraction of the time (`summed`). If its
   choices open capacities, prices replace steps 2 and 3 (`subgradient`), followed by step 4.
2. Solve the linear relaxation. It gives a bound for all plans, the reduced cost of each column, and a plan by rounding (`rounded`).
3. If that plan uses columns that are zero in the relaxation and cost several times all of it, close these columns. An engine
   then searches for any plan, whatever its cost.
4. Bound every column by the gap between bound and plan, divided by its cost or its reduced cost. Cheaper plans satisfy these bounds (reduced-cost
   fixing: Dantzig, Fulkerson and Johnson, Solution of a large-scale traveling-salesman problem, Operations Research 2, 1954; Savelsbergh,
   Preprocessing and probing techniques for mixed integer programming problems, ORSA Journal on Computing 6, 1994). A column with a step (`steps`)
   is closed if its bound is below one step. Rows that then leave no choice become tight (`forced`).
5. If expensive columns stay open, or the program is large, search between the plan and the relaxation for a better one (RENS: Berthold, Mathematical
   Programming Computation 6, 2014; RINS: Danna, Rothberg and Le Pape, Mathematical Programming 102, 2005). Then bound the columns again.

Some choices only open capacity and violate no row when they rise. They are made if the relaxation makes a part of them (rounding by locks:
Achterberg, Constraint integer programming, 2007). All others are found by diving (`rounded`): those that can be rounded up are made, those that
can't are dropped, and the rest is solved again. So an order below its minimum is dropped, and other orders replace it.

A relaxation pays only a part of a fixed cost for a part of the capacity, which makes choices with little use too cheap. Slope scaling charges the
full cost over the capacity last used, and solves again (Kim and Pardalos, A solution approach to the fixed charge network flow problem using a
dynamic slope scaling procedure, Operations Research Letters 24, 1999). With all links of a choice in one row (`summed`), that takes a fraction of a
second. The relaxation of the program itself takes many seconds.

Restricted programs give plans and prove nothing. The bounds are valid for every plan that is no more expensive. So the later search of the whole
proves as much as without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..program.matrix import Entries, Floats, Linear, Mask, continuous, with_rows
from .engine import NOTHING, Ask, Engines, SolverAnswer, SolverOutcome, Watch, never
from .forcing import SLACK, covered, ended, forced, links, numbered
from .subgradient import estimated


def fix(linear: Linear, fixed: Mask, x: Floats) -> Linear:
    """Fix some variables at their rounded values in a plan."""
    at = np.round(x)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        integer=linear.integer & ~fixed,
    )


def settled_rows(linear: Linear) -> Linear:
    """Return the program without rows in which all columns but one are fixed. They become bounds of that column.

    This includes all links of a decided choice. A simplex is then many times as fast.
    """
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    rows, free = len(linear.row_lower), (linear.lower < linear.upper)[column]
    alone = np.bincount(row[free], minlength=rows) == 1
    there = free & alone[row]
    rest = np.bincount(row[~free], (value * linear.lower[column])[~free], minlength=rows)
    at, of, by = row[there], column[there], value[there]
    ends = np.stack([linear.row_lower[at] - rest[at], linear.row_upper[at] - rest[at]]) / by
    lower, upper = linear.lower.copy(), linear.upper.copy()
    np.maximum.at(lower, of, ends.min(axis=0))
    np.minimum.at(upper, of, ends.max(axis=0))
    if (lower > upper).any():  # by rounding, or because nothing keeps the rows: an engine says which
        return linear
    return replace(linear.of_rows(~alone), lower=lower, upper=upper)


def polished(linear: Linear, engines: Engines, answer: SolverAnswer) -> SolverAnswer:
    """Round the choices exactly and solve the rest again."""
    assert answer.x is not None
    settled = replace(engines, stopped=never)  # a plan that a stopped search leaves behind is whole too
    exact = settled.linear(settled_rows(fix(linear, linear.integer, answer.x)))
    if exact.x is None:
        return answer
    return replace(answer, x=exact.x, objective=exact.objective, duals=None)


ROUNDS = 5
"""Rounds in which choices are dropped, before the rest is fixed."""
SLOPES = 6
"""Rounds of slope scaling."""
WHOLE = 1e-6
"""Distance from an integer within which a choice counts as integer."""
LEAST_SECONDS = 1.0
"""Minimum seconds for a linear program, even if less time is left."""


def sloped(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return the best plan found from a relaxed one by slope scaling. `NOTHING` if no plan satisfies the rows."""
    scaled = linear.integer & ~_held(linear) & (linear.cost > 0)
    best, x, cost = rounded(linear, relaxed, engines, watch), relaxed, linear.cost.copy()
    for _ in range(SLOPES if scaled.any() else 0):
        if watch.stopped():
            break
        paid = scaled & (x > WHOLE)
        cost[paid] = linear.cost[paid] * np.ceil(x[paid] - WHOLE) / x[paid]
        found = engines.linear(replace(continuous(linear), cost=cost), seconds_of(watch))
        if found.outcome is not SolverOutcome.OPTIMAL or found.x is None:
            break
        x = found.x
        if linear.value(np.where(scaled, np.ceil(x - WHOLE), x)) < best.objective:
            best = min(best, rounded(linear, x, engines, watch), key=lambda answer: answer.objective)
    return best


def rounded(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return a plan from a relaxed one. `NOTHING` if there is none. After the watch has stopped, it still solves up to two linear programs."""
    left, x = fix(linear, linear.integer & ~_held(linear), np.ceil(relaxed - WHOLE)), relaxed
    for number in range(ROUNDS + 1):
        if not left.integer.any():
            break
        found = engines.linear(left)
        if found.outcome is not SolverOutcome.OPTIMAL or found.x is None:
            return NOTHING
        x = found.x
        whole, most = np.ceil(x - WHOLE), raised(left, x)
        full = left.integer & (most >= whole - WHOLE)
        open_ = left.integer & ~full
        if number == ROUNDS or watch.stopped() or not open_.any():
            left = fix(left, left.integer, np.where(full, whole, np.floor(x)))
            break
        lower = np.where(full, whole, left.lower)
        upper = np.where(open_, np.floor(x), left.upper)
        left = replace(left, lower=lower, upper=upper, integer=left.integer & (lower < upper))
    found = engines.linear(left)
    if found.outcome is not SolverOutcome.OPTIMAL:
        return NOTHING
    return replace(found, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)


def summed(linear: Linear) -> Linear:
    """Return the program with all links `x <= u y` of a binary variable in one row: fewer rows, a weaker relaxation, the same plans."""
    entries = linear.entries
    own, other = links(linear)
    choice, flow = entries.indices[other], entries.indices[own]
    binary = linear.integer[choice] & (linear.lower[choice] >= 0) & (linear.upper[choice] <= 1)
    fits = binary & ~linear.integer[flow] & (linear.lower[flow] >= 0) & np.isneginf(linear.row_lower[entries.rows[own]])
    own, other, choice, flow = own[fits], other[fits], choice[fits], flow[fits]
    most = -entries.data[other] / entries.data[own]
    upper = linear.upper.copy()
    np.minimum.at(upper, flow, most * linear.upper[choice])
    kept = np.ones(entries.shape[0], dtype=bool)
    kept[entries.rows[own]] = False
    left = replace(linear.of_rows(kept), upper=upper)
    made, row = np.unique(choice, return_inverse=True)
    if not len(made):
        return left
    joint = Entries.summed(
        np.concatenate([row, row]),
        np.concatenate([flow, choice]),
        np.concatenate([np.ones(len(flow)), -most]),
        (len(made), entries.shape[1]),
    )
    ends = joint.indptr[1:-1]
    return with_rows(left, np.split(joint.indices, ends), np.split(joint.data, ends), -np.inf, 0.0)


def seconds_of(watch: Watch, share: float = 1.0) -> float | None:
    """Return a share of the time left, but at least the minimum for a linear program. None if there is no limit."""
    left = watch.left()
    return None if left is None else max(LEAST_SECONDS, share * left)


def _held(linear: Linear) -> Mask:
    """Return the columns that may violate a row when they rise."""
    row, value = linear.entries.rows, linear.entries.data
    breaks = (np.isfinite(linear.row_upper)[row] & (value > 0)) | (np.isfinite(linear.row_lower)[row] & (value < 0))
    held = np.zeros(len(linear.cost), dtype=bool)
    held[linear.entries.indices[breaks]] = True
    return held


def raised(linear: Linear, x: Floats) -> Floats:
    """Return the maximum of each column with all others unchanged."""
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    comes_to = entries @ x
    room = np.where(value > 0, linear.row_upper[row] - comes_to[row], comes_to[row] - linear.row_lower[row])
    most = linear.upper - x
    np.minimum.at(most, column, np.maximum(room, 0.0) / np.abs(value))
    return x + most


Steps = Callable[[], Floats | float]
"""Function that computes the step of each column in some cheapest plan (`forcing.steps`)."""


def unknown() -> float:
    """Return 0: no column has a known step."""
    return 0.0


CHOICES = 30
"""Minimum number of integer variables for a first plan, unless the program is large."""
LARGE = 50_000
"""Number of entries above which HiGHS solves the relaxation faster than GLOP, and a plan is made before it."""
DEAR = 4.0
"""Multiple of the relaxation's cost. Columns whose maximum costs more are left out of the first plan."""
ANY_NODES = 100
"""Nodes of the search for any plan."""
BETTER_NODES = 50
"""Nodes of the search that improves it."""
SHARE = 0.25
"""Share of the time left for that search."""
CLOSE = 0.02
"""Maximum gap between prices and their plan, as a share of the plan, at which they replace the relaxation."""
HALF = 0.5
"""Share of the time left for the search after prices, because the plan before it is far from the optimum."""
LEAST_ROOM = 1e-3
"""Minimum share of a continuous column's range that remains. A solver's presolve may treat less as zero."""
USED = 1e-9
"""Value below which a column counts as zero."""
SELDOM = 0.02
"""Share of the rounds of prices. A choice made in fewer is left out of the search that follows, and one left out in fewer is made."""
ROUNDED = 1e-6
"""Share of the gap added to it, for the rounding of engines."""


def first_plan(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    steps: Steps = unknown,
    counted: Floats | float = 1.0,
    start: Floats | None = None,
    relaxed: SolverAnswer | None = None,
) -> tuple[SolverAnswer, Linear]:
    """Return the best plan found before the whole is searched, with a bound for the whole, and the program that is left to search.

    With few choices, return `NOTHING` and the program unchanged. An infeasible relaxation proves that there is no plan.

    Args:
        start: Plan of a similar program, whose choices are a starting point. NaN for unknown ones.
        relaxed: Answer of its linear relaxation, if known.
    """
    found = NOTHING
    large = linear.entries.nnz > LARGE
    if not large and np.count_nonzero(linear.integer) < CHOICES:
        return found, linear
    if large:
        found = _without_links(linear, engines, watch)
        if found.outcome is SolverOutcome.INFEASIBLE:
            return found, linear
        priced = None if found.x is None else _priced(linear, engines, watch, gap, found, steps, counted)
        if priced is not None and priced[0].objective - priced[0].bound <= CLOSE * abs(priced[0].objective):
            return priced
        found = found if priced is None else priced[0]
    known = found.bound
    relaxed = _relaxed(linear, engines, watch) if relaxed is None else relaxed
    if relaxed.outcome is SolverOutcome.INFEASIBLE:
        return relaxed, linear
    if relaxed.outcome is not SolverOutcome.OPTIMAL or relaxed.x is None or relaxed.duals is None:
        return found, linear
    alike = NOTHING if start is None else same_choices(linear, start, engines, watch)
    found = min(found, alike, key=lambda answer: answer.objective)
    if alike.x is None or alike.objective - relaxed.objective > CLOSE * abs(alike.objective):
        found = min(found, rounded(linear, relaxed.x, engines, watch), key=lambda answer: answer.objective)
    dear = _dear(linear, relaxed)
    scarce = dear.any() and (found.x is None or (found.x[dear] > USED).any())
    if scarce:
        found = min(found, any_plan(_closed(linear, dear), engines, watch), key=lambda answer: answer.objective)
    if found.x is None:
        return replace(found, bound=max(known, proved(ended(linear, np.inf), relaxed.duals))), linear
    value, step = linear.value(found.x), steps()
    bounded = ended(linear, value)
    bound = max(known, proved(bounded, relaxed.duals))
    left = forced(narrowed(bounded, relaxed.duals, value, step))
    # Of a small program in which nothing dear is left the search of the whole comes as far by itself.
    worth = large or _dear(replace(linear, upper=left.upper), relaxed).any()
    if worth and value - bound > gap * abs(value) and not watch.stopped():
        # A plan that any search found may have little in common with the relaxation.
        between = _closed(left, dear) if scarce else _near(left, found.x, relaxed.x)
        better = engines.search(between, Ask(seconds_of(watch, SHARE), gap, nodes=BETTER_NODES), found.x)
        if better.x is not None and linear.value(better.x) < value:
            found, value = better, linear.value(better.x)
            left = forced(narrowed(bounded, relaxed.duals, value, step))
    return SolverAnswer(SolverOutcome.FEASIBLE, found.x, value, min(bound, value)), covered(left, counted)


def _relaxed(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    relaxation, seconds = continuous(linear), seconds_of(watch)
    if linear.entries.nnz > LARGE:
        return engines.search(relaxation, Ask(seconds))
    return engines.linear(relaxation, seconds)


def same_choices(linear: Linear, start: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return the cheapest plan with the choices of another. `NOTHING` if there is none."""
    known = linear.integer & np.isfinite(start)
    at = np.clip(np.where(known, start, 0.0), linear.lower, linear.upper)
    left = fix(linear, known, at)
    found = engines.linear(settled_rows(continuous(left)))
    if found.outcome is not SolverOutcome.OPTIMAL or found.x is None:
        return NOTHING
    if left.integer.any():
        return rounded(left, found.x, engines, watch)
    return replace(found, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)


def any_plan(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return some plan, whatever its choices cost. If there is none, return the outcome of the search."""
    free = replace(linear, cost=np.zeros(len(linear.cost)), constant=0.0)
    found = engines.search(free, Ask(seconds_of(watch), nodes=ANY_NODES))
    if found.x is None:
        return SolverAnswer(found.outcome)
    return replace(polished(linear, engines, found), outcome=SolverOutcome.FEASIBLE, bound=-np.inf)


def _without_links(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return a plan and a bound from the relaxation with all links of a choice in one row. `NOTHING` if there is none in time."""
    joint = summed(linear)
    relaxed = engines.linear(joint, seconds_of(watch))
    if relaxed.outcome is SolverOutcome.OPTIMAL and relaxed.x is not None:
        bound = -np.inf if relaxed.duals is None else proved(joint, relaxed.duals)
        return replace(sloped(joint, relaxed.x, engines, watch), bound=bound)
    return relaxed if relaxed.outcome is SolverOutcome.INFEASIBLE else NOTHING


def _priced(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    found: SolverAnswer,
    steps: Steps,
    counted: Floats | float,
) -> tuple[SolverAnswer, Linear] | None:
    """Return the first plan from prices instead of the relaxation. None if these prove no better bound."""
    counts = numbered(linear, counted)
    prices = estimated(counts, found.objective, watch)
    if prices is None or prices.x is None or prices.duals is None:
        return None
    bound = proved(counts, prices.duals)
    if bound <= found.bound:
        return None
    value, step = found.objective, steps()
    left = forced(narrowed(counts, prices.duals, value, step))
    whole = np.round(prices.x)
    made = np.where(linear.integer & (np.abs(prices.x - whole) < SELDOM), whole, prices.x)
    for slopes in (True, False):
        if value - bound <= gap * abs(value) or watch.stopped():
            break
        near, ask = _near(left, made, made), Ask(seconds_of(watch, HALF), gap, nodes=BETTER_NODES)
        better = sloped(summed(near), made, engines, watch) if slopes else engines.search(near, ask, found.x)
        if better.x is not None and linear.value(better.x) < value:
            found, value = better, linear.value(better.x)
            left = forced(narrowed(counts, prices.duals, value, step))
    return SolverAnswer(SolverOutcome.FEASIBLE, found.x, value, min(bound, value)), covered(left, counted)


def _near(linear: Linear, one: Floats, other: Floats) -> Linear:
    """Limit the integer variables to the range between two plans."""
    lower = np.where(linear.integer, np.floor(np.minimum(one, other) + ROUNDED), linear.lower)
    upper = np.where(linear.integer, np.ceil(np.maximum(one, other) - ROUNDED), linear.upper)
    return replace(linear, lower=lower, upper=upper)


def _closed(linear: Linear, columns: Mask) -> Linear:
    return replace(linear, upper=np.where(columns, 0.0, linear.upper))


def _dear(linear: Linear, relaxed: SolverAnswer) -> Mask:
    """Return very expensive continuous columns that are zero in the relaxation: shortages despite sufficient capacity."""
    assert relaxed.x is not None
    upper = np.minimum(linear.upper, _linked_ends(linear))
    most = linear.cost * np.where(np.isfinite(upper), upper, 0.0)
    dear: Mask = ~linear.integer & (linear.lower <= 0) & (relaxed.x <= USED) & (most > DEAR * abs(relaxed.objective))
    return dear


def _linked_ends(linear: Linear) -> Floats:
    """Return the upper bound of each column from links `x <= D u`. Infinite if it has none."""
    entries, ends = linear.entries, np.full(len(linear.cost), np.inf)
    own, other = links(linear)
    fits = np.isfinite(linear.upper[entries.indices[other]])
    own, other = own[fits], other[fits]
    most = -entries.data[other] * linear.upper[entries.indices[other]] / entries.data[own]
    np.minimum.at(ends, entries.indices[own], most)
    return ends


def proved(linear: Linear, duals: Floats) -> float:
    """Return the lower bound on all plans from these duals: each row and column is at its cheapest bound."""
    reduced = linear.reduced(duals)
    rows = np.where(duals > 0, linear.row_lower, linear.row_upper)[duals != 0]
    ends = np.where(reduced > 0, linear.lower, linear.upper)[reduced != 0]
    with np.errstate(invalid="ignore"):
        found = float(duals[duals != 0] @ rows) + float(reduced[reduced != 0] @ ends) + linear.constant
    return found if np.isfinite(found) else -np.inf


def narrowed(linear: Linear, duals: Floats, most: float, step: Floats | float = 0.0) -> Linear:
    """Return the program with column bounds that are valid for all plans that cost at most `most` and keep the known steps."""
    upper, lower = linear.upper.copy(), linear.lower.copy()
    least = np.where(linear.integer, 0.0, LEAST_ROOM * (linear.upper - linear.lower))
    each = np.where(linear.integer, 1.0, step)
    for price in (np.zeros(len(duals)), duals):
        room = most - proved(linear, price)
        if not np.isfinite(room):
            continue
        room = max(0.0, room) * (1 + ROUNDED) + 1e-9 * max(1.0, abs(most))
        reduced = linear.reduced(price)
        reach = np.divide(room, np.abs(reduced), out=np.full(len(reduced), np.inf), where=np.abs(reduced) > USED)
        closed = reach < each * (1 - SLACK)
        reach = np.where(linear.integer, np.floor(reach + ROUNDED), np.where(closed, 0.0, np.maximum(reach, least)))
        falls = (reduced < 0) & np.isfinite(linear.upper)
        upper = np.where(reduced > 0, np.minimum(upper, linear.lower + reach), upper)
        lower[falls] = np.maximum(lower[falls], linear.upper[falls] - reach[falls])
    return replace(linear, lower=lower, upper=upper)
