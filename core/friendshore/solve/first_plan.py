"""First plan of a program with integer variables, and bounds on the columns of all plans that are no more expensive.

A shortage costs so much that an engine searching all columns first finds plans with shortages, and improves them slowly. The steps are:

1. For a large program, find a plan from its relaxation with all links of a choice in one row, which takes a fraction of the time (`with_joined_links`).
   If its choices open capacities, prices replace steps 2 and 3 (`subgradient`).
2. Solve the linear relaxation. It gives a bound for all plans, the reduced cost of each column, and a plan by rounding (`rounded_plan`).
3. If that plan uses columns that are zero in the relaxation and cost several times all of it, close these columns and search for any plan.
4. Bound every column by the gap between bound and plan, divided by its cost or its reduced cost (reduced-cost fixing: Dantzig, Fulkerson and Johnson,
   Operations Research 2, 1954; Savelsbergh, ORSA Journal on Computing 6, 1994). A column is closed if its bound is below one step (`column_steps`).
   Rows that then leave no choice become tight (`with_tight_rows`).
5. If expensive columns stay open, the program is large, or the requested gap is wide, search between the plan and the relaxation for a better one (RENS: Berthold, Mathematical
   Programming Computation 6, 2014; RINS: Danna, Rothberg and Le Pape, Mathematical Programming 102, 2005). Then bound the columns again.

Restricted programs prove nothing. The bounds are valid for every plan that is no more expensive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..program.matrix import Entries, Floats, Linear, Mask, continuous, with_rows
from .engine import NOTHING, Ask, Engines, SolverAnswer, SolverOutcome, Watch, cheapest, never
from .forcing import (
    SLACK,
    dual_bound,
    links,
    with_count_rows,
    with_cover_rows,
    with_finite_bounds,
    with_tight_rows,
)
from .subgradient import CLOSE, best_plan_by_prices, subgradient_prices


def fix(linear: Linear, is_fixed: Mask, x: Floats) -> Linear:
    values = np.round(x)
    return replace(
        linear,
        lower=np.where(is_fixed, values, linear.lower),
        upper=np.where(is_fixed, values, linear.upper),
        integer=linear.integer & ~is_fixed,
    )


def without_singleton_rows(linear: Linear) -> Linear:
    """Return the program with bounds instead of rows with one free column, such as links of a decided choice. A simplex is then many times as fast."""
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    row_count, is_free = len(linear.row_lower), (linear.lower < linear.upper)[column]
    has_single_free = np.bincount(row[is_free], minlength=row_count) == 1
    in_singleton = is_free & has_single_free[row]
    fixed_sum = np.bincount(row[~is_free], (value * linear.lower[column])[~is_free], minlength=row_count)
    rows, columns, values = row[in_singleton], column[in_singleton], value[in_singleton]
    limits = np.stack([linear.row_lower[rows] - fixed_sum[rows], linear.row_upper[rows] - fixed_sum[rows]]) / values
    lower, upper = linear.lower.copy(), linear.upper.copy()
    np.maximum.at(lower, columns, limits.min(axis=0))
    np.minimum.at(upper, columns, limits.max(axis=0))
    if (lower > upper).any():  # an engine decides whether this is rounding or infeasibility
        return linear
    return replace(linear.of_rows(~has_single_free), lower=lower, upper=upper)


def reoptimized(linear: Linear, engines: Engines, answer: SolverAnswer) -> SolverAnswer:
    """Round the choices exactly and solve the rest again."""
    assert answer.x is not None
    unstoppable_engines = replace(engines, stopped=never)  # even a plan of a stopped search must be integer
    answer_exact = unstoppable_engines.linear(without_singleton_rows(fix(linear, linear.integer, answer.x)))
    if answer_exact.x is None:
        return answer
    return replace(answer, x=answer_exact.x, objective=answer_exact.objective, duals=None)


ROUNDS = 5
SLOPES = 6
# Distance from an integer within which a choice counts as integer.
WHOLE = 1e-6
# Minimum seconds for a linear program, even if less time is left.
MIN_SECONDS = 1.0


def slope_scaled_plan(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return the best plan found from a relaxed one by slope scaling. `NOTHING` if no plan satisfies the rows.

    A relaxation pays only a part of a fixed cost. Slope scaling charges the full cost over the capacity last used, and solves again (Kim and
    Pardalos, A solution approach to the fixed charge network flow problem using a dynamic slope scaling procedure, Operations Research Letters 24, 1999).
    """
    scalable = linear.integer & ~_locked_columns(linear) & (linear.cost > 0)
    best, x, cost = rounded_plan(linear, relaxed, engines, watch), relaxed, linear.cost.copy()
    for _ in range(SLOPES if scalable.any() else 0):
        if watch.stopped():
            break
        used = scalable & (x > WHOLE)
        cost[used] = linear.cost[used] * np.ceil(x[used] - WHOLE) / x[used]
        answer = engines.linear(replace(continuous(linear), cost=cost), lp_seconds(watch))
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
            break
        x = answer.x
        if linear.value(np.where(scalable, np.ceil(x - WHOLE), x)) < best.objective:
            best = cheapest(best, rounded_plan(linear, x, engines, watch))
    return best


def rounded_plan(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return a plan from a relaxed one, by diving. `NOTHING` if there is none. After the watch has stopped, it still solves up to two linear programs.

    Choices that violate no row when they rise are rounded up (rounding by locks: Achterberg, Constraint integer programming, 2007). Others are
    rounded up where possible, else dropped, and the rest is solved again. So other orders replace one below its minimum.
    """
    remaining, x = fix(linear, linear.integer & ~_locked_columns(linear), np.ceil(relaxed - WHOLE)), relaxed
    for round_number in range(ROUNDS + 1):
        if not remaining.integer.any():
            break
        answer = engines.linear(remaining)
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
            return NOTHING
        x = answer.x
        rounded_up, max_x = np.ceil(x - WHOLE), max_values(remaining, x)
        can_rise = remaining.integer & (max_x >= rounded_up - WHOLE)
        undecided = remaining.integer & ~can_rise
        if round_number == ROUNDS or watch.stopped() or not undecided.any():
            remaining = fix(remaining, remaining.integer, np.where(can_rise, rounded_up, np.floor(x)))
            break
        lower = np.where(can_rise, rounded_up, remaining.lower)
        upper = np.where(undecided, np.floor(x), remaining.upper)
        remaining = replace(remaining, lower=lower, upper=upper, integer=remaining.integer & (lower < upper))
    answer = engines.linear(remaining)
    if answer.outcome is not SolverOutcome.OPTIMAL:
        return NOTHING
    return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)


def with_joined_links(linear: Linear) -> Linear:
    """Return the program with all links `x <= u y` of a binary variable in one row: fewer rows, a weaker relaxation, the same plans."""
    entries = linear.entries
    flow_entry, choice_entry = links(linear)
    choice, flow = entries.indices[choice_entry], entries.indices[flow_entry]
    binary = linear.integer[choice] & (linear.lower[choice] >= 0) & (linear.upper[choice] <= 1)
    is_joined = (
        binary
        & ~linear.integer[flow]
        & (linear.lower[flow] >= 0)
        & np.isneginf(linear.row_lower[entries.rows[flow_entry]])
    )
    flow_entry = flow_entry[is_joined]
    choice_entry = choice_entry[is_joined]
    choice = choice[is_joined]
    flow = flow[is_joined]
    max_flow = -entries.data[choice_entry] / entries.data[flow_entry]
    upper = linear.upper.copy()
    np.minimum.at(upper, flow, max_flow * linear.upper[choice])
    is_kept = np.ones(entries.shape[0], dtype=bool)
    is_kept[entries.rows[flow_entry]] = False
    remaining = replace(linear.of_rows(is_kept), upper=upper)
    choices, row_of_link = np.unique(choice, return_inverse=True)
    if not len(choices):
        return remaining
    joined = Entries.summed(
        np.concatenate([row_of_link, row_of_link]),
        np.concatenate([flow, choice]),
        np.concatenate([np.ones(len(flow)), -max_flow]),
        (len(choices), entries.shape[1]),
    )
    row_ends = joined.indptr[1:-1]
    return with_rows(remaining, np.split(joined.indices, row_ends), np.split(joined.data, row_ends), -np.inf, 0.0)


def lp_seconds(watch: Watch, share: float = 1.0) -> float | None:
    """Return a share of the time left, but at least the minimum for a linear program. None if there is no limit."""
    seconds = watch.seconds_left()
    return None if seconds is None else max(MIN_SECONDS, share * seconds)


def _locked_columns(linear: Linear) -> Mask:
    row, value = linear.entries.rows, linear.entries.data
    may_violate = (np.isfinite(linear.row_upper)[row] & (value > 0)) | (
        np.isfinite(linear.row_lower)[row] & (value < 0)
    )
    is_locked = np.zeros(len(linear.cost), dtype=bool)
    is_locked[linear.entries.indices[may_violate]] = True
    return is_locked


def max_values(linear: Linear, x: Floats) -> Floats:
    """Return the maximum of each column with all others unchanged."""
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    activity = entries @ x
    room = np.where(value > 0, linear.row_upper[row] - activity[row], activity[row] - linear.row_lower[row])
    max_rise = linear.upper - x
    np.minimum.at(max_rise, column, np.maximum(room, 0.0) / np.abs(value))
    return x + max_rise


def with_free_choices(linear: Linear, x: Floats) -> Floats:
    """Return a plan of the relaxation with all choices rounded up that can rise at no cost, without violating a row."""
    rounded_up = np.ceil(x - WHOLE)
    is_fractional = linear.integer & (np.abs(x - np.round(x)) > WHOLE)
    is_free = is_fractional & (max_values(linear, x) >= rounded_up - WHOLE) & (linear.cost <= 0)
    x_rounded = np.where(is_free, rounded_up, x)
    # Two choices may share a row.
    return x_rounded if is_free.any() and _satisfies_rows(linear, x_rounded) else x


def _satisfies_rows(linear: Linear, x: Floats) -> bool:
    activity = linear.entries @ x
    tolerance = WHOLE * np.maximum(1.0, np.abs(activity))
    return bool((activity >= linear.row_lower - tolerance).all() and (activity <= linear.row_upper + tolerance).all())


Steps = Callable[[], Floats | float]
"""Function that computes the step of each column in some cheapest plan (`forcing.column_steps`)."""


def no_steps() -> float:
    return 0.0


# Minimum number of integer variables for a first plan, unless the program is large.
CHOICES = 30
# Number of entries above which HiGHS solves the relaxation faster than GLOP, and a plan is made before it.
LARGE = 50_000
# Multiple of the relaxation's cost. Columns whose maximum costs more are left out of the first plan.
EXPENSIVE = 4.0
ANY_NODES = 100
BETTER_NODES = 50
# Shares of the time left for the search that improves the first plan: after the relaxation, and after prices, whose plan is far from the optimum.
SHARE, SHARE_AFTER_PRICES = 0.25, 0.5
# Minimum share of a continuous column's range that remains. A solver's presolve may treat less as zero.
MIN_RANGE = 1e-3
# Value below which a column counts as zero.
USED = 1e-9
# Share of the rounds of prices. A choice made in fewer is left out of the search that follows, and one left out in fewer is made.
RARE = 0.02
# Share of the gap added to it, for the rounding of engines.
GAP_ROUNDING = 1e-6
# Largest requested gap at which branch and bound goes on to EXACT_GAP. That takes hardly a node more, and the plan then doesn't depend on the start.
# With a wider one, a search near the relaxation is mostly enough.
FINE_GAP, EXACT_GAP = 1e-6, 1e-9


def first_plan(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    steps: Steps = no_steps,
    row_factors: Floats | float = 1.0,
    start: Floats | None = None,
    relaxed: SolverAnswer | None = None,
) -> tuple[SolverAnswer, Linear]:
    """Return the best plan found before the whole is searched, with a bound for the whole, and the program that is left to search.

    With few choices, return `NOTHING` and the program unchanged. An infeasible relaxation proves that there is no plan.
    """
    best = NOTHING
    large = linear.entries.nnz > LARGE
    if not large and np.count_nonzero(linear.integer) < CHOICES:
        return best, linear
    if large:
        best = _plan_with_joined_links(linear, engines, watch)
        if best.outcome is SolverOutcome.INFEASIBLE:
            return best, linear
        priced = None if best.x is None else _plan_from_prices(linear, engines, watch, gap, best, steps, row_factors)
        if priced is not None and priced[0].objective - priced[0].bound <= CLOSE * abs(priced[0].objective):
            return priced
        best = best if priced is None else priced[0]
    proved_bound = best.bound
    relaxed = _relaxed(linear, engines, watch) if relaxed is None else relaxed
    if relaxed.outcome is SolverOutcome.INFEASIBLE:
        return relaxed, linear
    if relaxed.outcome is not SolverOutcome.OPTIMAL or relaxed.x is None or relaxed.duals is None:
        return best, linear
    best, closed_columns = _plan_from_relaxation(linear, relaxed, best, start, engines, watch)
    if best.x is None:
        bound = max(proved_bound, dual_bound(with_finite_bounds(linear, np.inf), relaxed.duals))
        return replace(best, bound=bound), linear
    value, step = linear.value(best.x), steps()
    bounded = with_finite_bounds(linear, value)
    bound = max(proved_bound, dual_bound(bounded, relaxed.duals))
    remaining = with_tight_rows(with_narrow_bounds(bounded, relaxed.duals, value, step))
    # For a small program without expensive columns, the search of the whole is as good, unless the requested gap is wide.
    is_worth_searching = large or _expensive_columns(replace(linear, upper=remaining.upper), relaxed).any()
    if (is_worth_searching or gap > FINE_GAP) and value - bound > gap * abs(value) and not watch.stopped():
        x = relaxed.x if is_worth_searching else with_free_choices(linear, relaxed.x)
        # A plan that any search found may have little in common with the relaxation.
        restricted = (
            _between_plans(remaining, best.x, x)
            if closed_columns is None
            else _without_columns(remaining, closed_columns)
        )
        enough = bound + gap * abs(bound) if gap > FINE_GAP else None
        improved = engines.search(restricted, Ask(lp_seconds(watch, SHARE), gap, BETTER_NODES, enough), best.x)
        if improved.x is not None and linear.value(improved.x) < value:
            best, value = improved, linear.value(improved.x)
            remaining = with_tight_rows(with_narrow_bounds(bounded, relaxed.duals, value, step))
    return SolverAnswer(SolverOutcome.FEASIBLE, best.x, value, min(bound, value)), with_cover_rows(
        remaining, row_factors
    )


def _relaxed(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    relaxation, seconds = continuous(linear), lp_seconds(watch)
    if linear.entries.nnz > LARGE:
        return engines.search(relaxation, Ask(seconds))
    return engines.linear(relaxation, seconds)


def _plan_from_relaxation(
    linear: Linear, relaxed: SolverAnswer, best: SolverAnswer, start: Floats | None, engines: Engines, watch: Watch
) -> tuple[SolverAnswer, Mask | None]:
    """Return the best plan that the relaxation leads to, and the expensive columns if a plan without them was searched."""
    assert relaxed.x is not None
    plan_like_start = NOTHING if start is None else plan_with_choices(linear, start, engines, watch)
    best = cheapest(best, plan_like_start)
    start_gap = plan_like_start.objective - relaxed.objective
    if plan_like_start.x is None or start_gap > CLOSE * abs(plan_like_start.objective):
        best = cheapest(best, rounded_plan(linear, relaxed.x, engines, watch))
    is_expensive = _expensive_columns(linear, relaxed)
    if not is_expensive.any() or not (best.x is None or (best.x[is_expensive] > USED).any()):
        return best, None
    return cheapest(best, any_plan(_without_columns(linear, is_expensive), engines, watch)), is_expensive


def plan_with_choices(linear: Linear, start: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    is_known = linear.integer & np.isfinite(start)
    choices = np.clip(np.where(is_known, start, 0.0), linear.lower, linear.upper)
    remaining = fix(linear, is_known, choices)
    answer = engines.linear(without_singleton_rows(continuous(remaining)))
    if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
        return NOTHING
    if remaining.integer.any():
        return rounded_plan(remaining, answer.x, engines, watch)
    return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)


def any_plan(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return some plan, whatever its choices cost. If there is none, return the outcome of the search."""
    without_cost = replace(linear, cost=np.zeros(len(linear.cost)), constant=0.0)
    answer = engines.search(without_cost, Ask(lp_seconds(watch), nodes=ANY_NODES))
    if answer.x is None:
        return SolverAnswer(answer.outcome)
    return replace(reoptimized(linear, engines, answer), outcome=SolverOutcome.FEASIBLE, bound=-np.inf)


def _plan_with_joined_links(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    joined = with_joined_links(linear)
    relaxed_answer = engines.linear(joined, lp_seconds(watch))
    if relaxed_answer.outcome is SolverOutcome.OPTIMAL and relaxed_answer.x is not None:
        bound = -np.inf if relaxed_answer.duals is None else dual_bound(joined, relaxed_answer.duals)
        return replace(slope_scaled_plan(joined, relaxed_answer.x, engines, watch), bound=bound)
    return relaxed_answer if relaxed_answer.outcome is SolverOutcome.INFEASIBLE else NOTHING


def _plan_from_prices(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    best: SolverAnswer,
    steps: Steps,
    row_factors: Floats | float,
) -> tuple[SolverAnswer, Linear] | None:
    with_counts = with_count_rows(linear, row_factors)
    prices = subgradient_prices(with_counts, best.objective, watch)
    if prices is None or prices.x is None or prices.duals is None:
        return None
    bound = dual_bound(with_counts, prices.duals)
    if bound <= best.bound:
        return None
    value, step = best.objective, steps()
    remaining = with_tight_rows(with_narrow_bounds(with_counts, prices.duals, value, step))
    nearest = np.round(prices.x)
    choices = np.where(linear.integer & (np.abs(prices.x - nearest) < RARE), nearest, prices.x)
    for by_slopes in (True, False):
        if value - bound <= gap * abs(value) or watch.stopped():
            break
        neighborhood = _between_plans(remaining, choices, choices)
        improved = (
            slope_scaled_plan(with_joined_links(neighborhood), choices, engines, watch)
            if by_slopes
            else _plan_from_branching(remaining, neighborhood, best, engines, watch, gap)
        )
        bound = max(bound, improved.bound)
        if improved.x is not None and linear.value(improved.x) < value:
            best, value = improved, linear.value(improved.x)
            remaining = with_tight_rows(with_narrow_bounds(with_counts, prices.duals, value, step))
    return SolverAnswer(SolverOutcome.FEASIBLE, best.x, value, min(bound, value)), with_cover_rows(
        remaining, row_factors
    )


def _plan_from_branching(
    linear: Linear, neighborhood: Linear, best: SolverAnswer, engines: Engines, watch: Watch, gap: float
) -> SolverAnswer:
    """Branch with bounds of prices. If that doesn't close the gap, search the neighborhood, which proves no bound."""
    solve = partial(made_choices, engines, watch)
    answer = best_plan_by_prices(linear, best.objective, branching_gap(gap), watch, solve)
    if answer is not None:
        best = answer if answer.x is not None else replace(best, bound=answer.bound)
        if best.objective - best.bound <= gap * abs(best.objective) or watch.stopped():
            return best
    ask = Ask(lp_seconds(watch, SHARE_AFTER_PRICES), gap, nodes=BETTER_NODES)
    return replace(cheapest(best, engines.search(neighborhood, ask, best.x)), bound=best.bound)


def branching_gap(gap: float) -> float:
    """Return the gap to which branch and bound goes on, for a requested gap."""
    return EXACT_GAP if gap <= FINE_GAP else gap


def made_choices(engines: Engines, watch: Watch, linear: Linear) -> SolverAnswer:
    """Return the optimum of a program whose choices are made, with the bound that duals prove."""
    remaining = without_singleton_rows(continuous(linear))
    answer = engines.linear(remaining, lp_seconds(watch))
    return answer if answer.duals is None else replace(answer, bound=dual_bound(remaining, answer.duals))


def _between_plans(linear: Linear, x: Floats, other_x: Floats) -> Linear:
    lower = np.where(linear.integer, np.floor(np.minimum(x, other_x) + GAP_ROUNDING), linear.lower)
    upper = np.where(linear.integer, np.ceil(np.maximum(x, other_x) - GAP_ROUNDING), linear.upper)
    return replace(linear, lower=lower, upper=upper)


def _without_columns(linear: Linear, columns: Mask) -> Linear:
    return replace(linear, upper=np.where(columns, 0.0, linear.upper))


def _expensive_columns(linear: Linear, relaxed: SolverAnswer) -> Mask:
    """Return very expensive continuous columns that are zero in the relaxation: shortages despite sufficient capacity."""
    assert relaxed.x is not None
    upper = np.minimum(linear.upper, _linked_bounds(linear))
    max_cost = linear.cost * np.where(np.isfinite(upper), upper, 0.0)
    is_expensive: Mask = (
        ~linear.integer & (linear.lower <= 0) & (relaxed.x <= USED) & (max_cost > EXPENSIVE * abs(relaxed.objective))
    )
    return is_expensive


def _linked_bounds(linear: Linear) -> Floats:
    entries, upper_bounds = linear.entries, np.full(len(linear.cost), np.inf)
    flow_entry, choice_entry = links(linear)
    is_bounded = np.isfinite(linear.upper[entries.indices[choice_entry]])
    flow_entry, choice_entry = flow_entry[is_bounded], choice_entry[is_bounded]
    max_flow = -entries.data[choice_entry] * linear.upper[entries.indices[choice_entry]] / entries.data[flow_entry]
    np.minimum.at(upper_bounds, entries.indices[flow_entry], max_flow)
    return upper_bounds


def with_narrow_bounds(linear: Linear, duals: Floats, max_cost: float, step: Floats | float = 0.0) -> Linear:
    """Return the program with column bounds that are valid for all plans that cost at most `max_cost` and keep the known steps."""
    upper, lower = linear.upper.copy(), linear.lower.copy()
    min_reach = np.where(linear.integer, 0.0, MIN_RANGE * (linear.upper - linear.lower))
    step_of_column = np.where(linear.integer, 1.0, step)
    for row_prices in (np.zeros(len(duals)), duals):
        gap = max_cost - dual_bound(linear, row_prices)
        if not np.isfinite(gap):
            continue
        gap = max(0.0, gap) * (1 + GAP_ROUNDING) + 1e-9 * max(1.0, abs(max_cost))
        reduced = linear.reduced(row_prices)
        reach = np.divide(gap, np.abs(reduced), out=np.full(len(reduced), np.inf), where=np.abs(reduced) > USED)
        is_closed = reach < step_of_column * (1 - SLACK)
        reach = np.where(
            linear.integer, np.floor(reach + GAP_ROUNDING), np.where(is_closed, 0.0, np.maximum(reach, min_reach))
        )
        falls_from_upper = (reduced < 0) & np.isfinite(linear.upper)
        upper = np.where(reduced > 0, np.minimum(upper, linear.lower + reach), upper)
        lower[falls_from_upper] = np.maximum(
            lower[falls_from_upper], linear.upper[falls_from_upper] - reach[falls_from_upper]
        )
    return replace(linear, lower=lower, upper=upper)
