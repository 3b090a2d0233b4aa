"""Tie-breaking: of all cheapest plans, the steadiest one, and of these the one that orders latest.

It replaces the plan of each component that is proved optimal by another optimum of the same program. Integer variables and missed soft limits keep
their values. These are minimized in turn, each as far as the levels before it allow:

1. the sum of `|q(t) - q(t-1)|` over all offers, where `q(t)` is the quantity ordered in period t;
2. how early orders are placed, in kilograms times periods;
3. a sum with arbitrary weights that depend on nothing but the column, so that the same facts give the same plan.

Each level keeps the levels before it by complementary slackness. Given optimal duals, a plan is optimal exactly if each column with a reduced cost is
at its bound, and each row with a dual is too (Bertsimas and Tsitsiklis, Introduction to Linear Optimization, 1997, theorem 4.5). So these columns are
fixed, and these rows become equations. The program that is left is small, and no tolerance lets costs rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..program import Program
from ..program.matrix import Entries, Floats, Ints, Linear, Mask, capped, with_differences
from .answer_cache import AnswerCache, digest
from .components import split
from .engine import Cancel, SolverAnswer, SolverOutcome, Watch, is_open
from .lexicographic import goals_within
from .linking import Joint, joint_of
from .polishing import fix
from .run import Limits, Solution
from .scaling import scaled
from .search import Search

NOISE = 1e-8
"""A reduced cost counts as 0 below this share of the terms that it sums and of the usual cost. A dual counts as 0 if it adds no more than that to the
reduced cost of any column."""
AT_END = 1e-7
"""By how much a value may differ from a bound that it is at, as a share of the value or of 1."""

GRAIN = 1e-3
"""Values are rounded to this share of the case's resolution, so that the solver's last digits don't decide how they are rounded to the resolution."""


def steadiest(
    program: Program, solution: Solution, limits: Limits, cancel: Cancel | None, answers: AnswerCache
) -> Solution:
    """Return the steadiest solution that costs as much as a given one."""
    if solution.proved is None:
        return solution
    search = Search(Watch(limits.left(), cancel), limits.gap, 1, answers, limits.engines)
    x, proved = solution.x, solution.proved
    line, periods = _order_lines(program)
    missed = np.zeros(len(x), dtype=bool)
    missed[[column for _, column, _ in program.limits.misses]] = True
    best, tie_broken = x.copy(), np.zeros(len(x), dtype=bool)
    exchangeable = np.zeros(len(x), dtype=bool)
    unit = float(program.problem.case.resolution)
    for part in split(program.linear):
        if search.watch.stopped():
            break
        of = part.columns
        if not proved[of[0]]:
            continue
        held = missed[of]
        linear = fix(part.linear, part.linear.integer, x[of])
        linear = replace(linear, lower=np.where(held, x[of], linear.lower), upper=np.where(held, x[of], linear.upper))
        ranked = [(goal.cost, goal.within) for _, goal in goals_within(program.goals, of)]
        face = _cheapest(linear, x[of], ranked or [(linear.cost, 0.0)], search)
        if face is not None and (found := _steadied(face, x[of], line[of], periods, of, search)) is not None:
            best[of], tie_broken[of] = found, True
            exchangeable[of] = _exchangeable(face, found, np.where(line[of] < 0, -1, line[of] // periods), unit, search)
    best = np.where(tie_broken, np.round(best / (unit * GRAIN)) * (unit * GRAIN), best)
    return replace(solution, x=best, tie_broken=tie_broken, exchangeable=exchangeable)


def _order_lines(program: Program) -> tuple[Ints, int]:
    """Return what each column orders, as `offer * periods + period of order` or -1, and the number of periods."""
    problem, columns = program.problem, program.columns
    periods = problem.case.horizon.count
    line = np.full(len(program.linear.cost), -1, dtype=np.intp)
    offer_of = np.array([arc.offer for arc in problem.network.arcs], dtype=np.intp)
    offer, ordered = offer_of[problem.moves.arc[columns.buy_move]], problem.moves.ordered[columns.buy_move]
    line[columns.buy] = np.where(offer >= 0, offer * periods + ordered, -1)
    return line, periods


def _cheapest(linear: Linear, x: Floats, ranked: Sequence[tuple[Floats, float]], search: Search) -> Linear | None:
    """Return the program of all plans that are as good as an optimal one; None if it can't be proved."""
    for cost, within in ranked:
        level = replace(linear, cost=cost, constant=0.0)
        if within:  # later ranks had leave to make this one worse by some; tie-breaking has not
            linear = capped(linear, cost, float(cost @ x))
            continue
        duals = _duals(level, float(cost @ x), search)
        if duals is None:
            return None
        linear = _face(level, x, duals)
    return linear


def _duals(linear: Linear, cost: float, search: Search) -> Floats | None:
    """Return duals that prove that no plan costs less than `cost`; None if none are found."""
    known = search.known.peek(digest(linear))
    if known is not None and known.duals is not None:
        return known.duals
    joint = joint_of(linear)
    if joint is not None and (duals := _duals_apart(joint, cost, search)) is not None:
        return duals
    answer = search.alone(linear) if joint is None else search.large(linear, -np.inf)
    if answer.outcome is not SolverOutcome.OPTIMAL or is_open(cost, answer.objective):
        return None
    return _of_rows(linear, answer)


def _of_rows(linear: Linear, answer: SolverAnswer) -> Floats | None:
    """Return the duals of an optimum; None if the engine gives none. A program without rows is solved without an engine."""
    return answer.duals if linear.entries.shape[0] else np.zeros(0)


def _duals_apart(joint: Joint, cost: float, search: Search) -> Floats | None:
    """Return the duals of the parts if they prove the whole, which they do where the linking constraints cost nothing."""
    linear, duals = joint.linear, np.zeros(joint.linear.entries.shape[0])
    cheapest = np.where(linear.cost < 0, linear.upper, linear.lower)
    least = float(linear.cost[joint.loose] @ cheapest[joint.loose])
    for part in joint.parts:
        answer = search.alone(part.linear)
        if answer.duals is None:
            return None
        duals[part.rows] = answer.duals
        least += answer.objective
    return None if is_open(cost, least) else duals


def _face(linear: Linear, x: Floats, duals: Floats) -> Linear:
    """Return the same program without the plans that are not optimal. `x` is one that is, and `duals` prove it."""
    near_one, scale = scaled(linear)  # as the solver sees it: what is noise doesn't depend on units
    entries, prices = near_one.entries, duals * scale.rows / scale.money
    rows, columns = entries.rows, entries.indices
    terms = entries.data * prices[rows]
    reduced = near_one.cost - np.bincount(columns, terms, minlength=len(x))
    noise = NOISE * (1.0 + np.abs(near_one.cost) + np.bincount(columns, np.abs(terms), minlength=len(x)))
    at = np.where(reduced > 0, linear.lower, linear.upper)
    fixed = (np.abs(reduced) > noise) & _equal(x, at)
    priced = np.zeros(len(duals), dtype=bool)
    priced[rows[np.abs(terms) > noise[columns]]] = True
    end = np.where(duals > 0, linear.row_lower, linear.row_upper)
    priced &= _equal(linear.entries @ x, end)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        row_lower=np.where(priced, end, linear.row_lower),
        row_upper=np.where(priced, end, linear.row_upper),
    )


def _equal(values: Floats, ends: Floats) -> Mask:
    """Return where values are at finite ends, but for the solver's tolerance. A dual that says otherwise is noise."""
    found: Mask = np.abs(values - ends) <= AT_END * np.maximum(1.0, np.abs(values))
    return found


def _steadied(face: Linear, x: Floats, line: Ints, periods: int, columns: Ints, search: Search) -> Floats | None:
    """Return the steadiest plan of a program in which all plans cost the same; None if it can't be found.

    Args:
        line: What each column orders, as in `_order_lines`.
        columns: Position of each column in the whole program.
    """
    loose = face.lower < face.upper
    found, free = np.where(loose, x, face.lower), np.flatnonzero(loose)
    rest, changes = _with_changes(_without_fixed(face, found, free), found, free, line, periods)
    early = np.where(line[free] >= 0, periods - line[free] % periods, 0)
    costs = np.zeros((3, len(free) + 2 * changes))
    costs[0, len(free) :] = 1.0
    costs[1, : len(free)], costs[2, : len(free)] = early, _arbitrary(columns[free])
    for cost in costs[costs.any(axis=1)]:
        level = replace(rest, cost=cost)
        answer = search.alone(level)
        duals = _of_rows(level, answer)
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or duals is None:
            return None
        rest, found[free] = _face(level, answer.x, duals), answer.x[: len(free)]
    return found


def _exchangeable(face: Linear, x: Floats, offer: Ints, unit: float, search: Search) -> Mask:
    """Return the columns of offers that another plan of the same cost buys more or less of than `x`, in all periods together.

    Offers that `x` doesn't buy are bought as much as possible, until no other one is bought. Then sums with arbitrary weights move what is bought.

    Args:
        offer: Offer of each column that orders. -1 for others.
        unit: Kilograms that count as a difference.
    """
    none = np.zeros(len(x), dtype=bool)
    free = np.flatnonzero(face.lower < face.upper)
    moving = np.flatnonzero(np.bincount(offer[free][offer[free] >= 0]))
    if len(moving) < 2:
        return none
    rest, orders = _without_fixed(face, x, free), offer >= 0
    before = np.bincount(offer[orders], x[orders], minlength=int(moving[-1]) + 1)
    least, most = before.copy(), before.copy()

    def plan_most(weights: Floats) -> bool:
        """Note the plan of the same cost that buys most, by weights of offers."""
        wanted = np.where(orders[free], -weights[offer[free]], 0.0)
        answer = search.alone(replace(rest, cost=wanted))
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None:
            return False
        other = x.copy()
        other[free] = answer.x
        sums = np.bincount(offer[orders], other[orders], minlength=len(before))
        np.minimum(least, sums, out=least)
        np.maximum(most, sums, out=most)
        return True

    weights = np.zeros(len(before))
    while True:
        unseen = moving[most[moving] <= unit]
        weights[:] = 0.0
        weights[unseen] = 1.0
        if not len(unseen) or not plan_most(weights) or (most[unseen] <= unit).all():
            break
    weights[:] = 0.0
    weights[moving] = _arbitrary(moving)
    if plan_most(weights):
        plan_most(-weights)
    moved = most - least > 2 * unit
    return np.where(orders, moved[offer], False) if len(moved) else none


def _without_fixed(linear: Linear, x: Floats, free: Ints) -> Linear:
    """Return the program of the free columns. The others have the values `x`."""
    entries = linear.entries
    position = np.full(len(x), -1, dtype=np.intp)
    position[free] = np.arange(len(free))
    of, rows = position[entries.indices], entries.rows
    kept = of >= 0
    rest = np.bincount(rows[~kept], (entries.data * x[entries.indices])[~kept], minlength=entries.shape[0])
    left = np.bincount(rows[kept], minlength=entries.shape[0]) > 0
    number = np.cumsum(left) - 1
    return Linear(
        cost=np.zeros(len(free)),
        lower=linear.lower[free],
        upper=linear.upper[free],
        integer=np.zeros(len(free), dtype=bool),
        entries=Entries.summed(number[rows[kept]], of[kept], entries.data[kept], (int(left.sum()), len(free))),
        row_lower=(linear.row_lower - rest)[left],
        row_upper=(linear.row_upper - rest)[left],
    )


def _with_changes(linear: Linear, x: Floats, free: Ints, line: Ints, periods: int) -> tuple[Linear, int]:
    """Add two columns and a row for each change from one period to the next: by how much more, and how much less, is ordered.

    A change counts only if the offer can be ordered in both periods, and if it depends on a free column. `x` has the values of the fixed columns.
    """
    orders = np.flatnonzero(line >= 0)
    lines, number = np.unique(line[orders], return_inverse=True)
    of = np.full(len(line), -1)
    of[orders] = number
    changing = np.bincount(of[free] + 1, minlength=len(lines) + 1)[1:] > 0
    second = 1 + np.flatnonzero((np.diff(lines) == 1) & (lines[1:] % periods != 0) & (changing[1:] | changing[:-1]))
    count = len(second)
    row = np.full(len(lines) + 2, -1)
    row[second] = np.arange(count)
    into, out = np.flatnonzero(row[of[free]] >= 0), np.flatnonzero(row[of[free] + 1] >= 0)
    change = Entries.summed(
        np.concatenate([row[of[free[into]]], row[of[free[out]] + 1]]),
        np.concatenate([into, out]),
        np.repeat([1.0, -1.0], [len(into), len(out)]),
        (count, len(free)),
    )
    loose = np.zeros(len(line), dtype=bool)
    loose[free] = True
    fixed = orders[~loose[orders]]
    before = np.bincount(of[fixed], x[fixed], minlength=len(lines)).astype(np.float64, copy=False)
    end = before[second - 1] - before[second]
    return with_differences(linear, change, end), count


def _arbitrary(columns: Ints) -> Floats:
    """Return a number from 1 to 2 for each column, by SplitMix64 (Steele, Lea, and Flood, OOPSLA 2014, 453-472)."""
    with np.errstate(over="ignore"):
        bits = (columns.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Floats = 1.0 + (bits ^ (bits >> np.uint64(31))).astype(np.float64) / 2.0**64
    return mixed
