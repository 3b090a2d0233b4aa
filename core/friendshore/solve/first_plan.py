"""A first plan of a program with integer variables, and what of the program plans no dearer than it can hold.

A shortage costs so much that an engine which looks for plans among all columns finds those that leave demand short, and gets away from them slowly. So:

1. of a large program first a plan from its relaxation with all links of a choice in one row, which takes a fraction of the time (`summed`); and where its
   choices open capacities, prices in place of 2 and 3 (`subgradient`), which go on with 4;
2. the linear relaxation: a bound for all plans, what each column costs at its prices, and a plan rounded from it (`rounded`);
3. where that uses columns which the relaxation leaves at nothing, and which cost more than the whole of it several times over, these are closed: a plan
   is found by an engine that looks for any, whatever it costs;
4. the plan bounds every column: none that costs no more holds more of it than the room between bound and plan pays for, at the column's cost or at its
   reduced cost (reduced-cost fixing: Dantzig, Fulkerson and Johnson, Solution of a large-scale traveling-salesman problem, Operations Research 2, 1954;
   Savelsbergh, Preprocessing and probing techniques for mixed integer programming problems, ORSA Journal on Computing 6, 1994). A column that keeps to a
   step (`steps`) is closed where that pays for less than a step, and rows that then leave no choice say so (`forced`);
5. where that does not close what is dear, and of a large program, the plan is bettered in a search of what lies between it and the relaxation (RENS:
   Berthold, Mathematical Programming Computation 6, 2014; RINS: Danna, Rothberg and Le Pape, Mathematical Programming 102, 2005), and bounds the columns
   again.

A choice that only opens what it stands for, and breaks no row when it rises, is made wherever the relaxation makes a part of it (rounding by locks:
Achterberg, Constraint integer programming, 2007). All others are dived for (`rounded`): those that can be made whole as things stand are made, those that
cannot are given up, and what is left is solved again. So an order below its minimum is given up, and what it brought goes to others.

A relaxation pays a part of a fixed cost for a part of what the choice could open, which makes little used choices too cheap. Slope scaling lets each
pay as much for what it opened last as the whole choice costs, and solves again (Kim and Pardalos, A solution approach to the fixed charge network
flow problem using a dynamic slope scaling procedure, Operations Research Letters 24, 1999). With all links of a choice in one row (`summed`) that takes
a fraction of a second where the relaxation of the program itself takes many.

Restricted programs give plans and prove nothing. The bounds hold for every plan that is no dearer, so that the search of the
whole, which follows, proves what it would without them.
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
    """Some integer variables fixed at what they are in a plan."""
    at = np.round(x)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        integer=linear.integer & ~fixed,
    )


def settled_rows(linear: Linear) -> Linear:
    """The same program without rows in which all columns but one are fixed: they are ends of that column.

    So are all links of a choice that is made or left out: a simplex is then many times as quick.
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
    """The same choices made exactly whole, and the rest solved again for them."""
    assert answer.x is not None
    settled = replace(engines, stopped=never)  # a plan that a stopped search leaves behind is whole too
    exact = settled.linear(settled_rows(fix(linear, linear.integer, answer.x)))
    if exact.x is None:
        return answer
    return replace(answer, x=exact.x, objective=exact.objective, duals=None)


ROUNDS = 5
"""Times that choices are given up before the rest is."""
SLOPES = 6
"""Times that slopes are scaled."""
WHOLE = 1e-6
"""A choice that is so near to a whole number counts as it."""
LEAST_SECONDS = 1.0
"""Seconds for a linear program, however little time is left."""


def sloped(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """The best of the plans that a relaxed one leads to as slopes are scaled; nothing where none keeps the rows."""
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
    """A plan that a relaxed one leads to; nothing where it leads to none. Once the watch has stopped it takes two linear programs more."""
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
    """The same program with all links `x <= u y` of a binary variable in one row: fewer rows, a weaker relaxation, the same plans."""
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
    """Share of the time left, or what a linear program gets however little it is; None: there is no limit."""
    left = watch.left()
    return None if left is None else max(LEAST_SECONDS, share * left)


def _held(linear: Linear) -> Mask:
    """Columns that may break a row when they rise."""
    row, value = linear.entries.rows, linear.entries.data
    breaks = (np.isfinite(linear.row_upper)[row] & (value > 0)) | (np.isfinite(linear.row_lower)[row] & (value < 0))
    held = np.zeros(len(linear.cost), dtype=bool)
    held[linear.entries.indices[breaks]] = True
    return held


def raised(linear: Linear, x: Floats) -> Floats:
    """What each column can rise to with all others as they are."""
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    comes_to = entries @ x
    room = np.where(value > 0, linear.row_upper[row] - comes_to[row], comes_to[row] - linear.row_lower[row])
    most = linear.upper - x
    np.minimum.at(most, column, np.maximum(room, 0.0) / np.abs(value))
    return x + most


Steps = Callable[[], Floats | float]
"""What a step of each column is in some cheapest plan (`forcing.steps`), worked out when it is asked for."""


def unknown() -> float:
    """No column has a step that is known."""
    return 0.0


CHOICES = 30
"""With fewer integer variables than this the whole is searched at once, unless it is large."""
LARGE = 50_000
"""With more entries than this HiGHS solves the relaxation sooner than GLOP, and a plan is made before it."""
DEAR = 4.0
"""A column that costs so many times the whole relaxation, taken as far as it goes, is left out of the first plan."""
ANY_NODES = 100
"""Nodes of the search for any plan."""
BETTER_NODES = 50
"""Nodes of the search that betters it."""
SHARE = 0.25
"""Share of the time left that it may take."""
CLOSE = 0.02
"""Prices and their plan take the place of the relaxation where they lie no farther apart than this share of the plan."""
HALF = 0.5
"""Share of it that the search takes which follows prices: what is known before it is far from the optimum."""
LEAST_ROOM = 1e-3
"""Share of a continuous column's range that is left to it: a solver's presolve may take less for nothing at all."""
USED = 1e-9
"""A column below this counts as nothing."""
SELDOM = 0.02
"""A choice that is made in fewer rounds of prices than this share, or left out of fewer, is not made, or made, in the search that follows them."""
ROUNDED = 1e-6
"""Share of the room that is added to it, for what engines round."""


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
    """The best plan found before the whole is searched, with a bound for the whole; and the program that is left to search.

    Nothing, and the program as it is, where there are few choices. A relaxation without a plan says that there is none at all.

    Args:
        start: a plan of a program much like it, of which the choices count; not a number for those that are not known.
        relaxed: the answer of its linear relaxation, if it is known.
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
    """Return the cheapest plan that makes the choices of another; nothing if there is none."""
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
    """Return some plan, whatever its choices cost; without one, how the search for it ended."""
    free = replace(linear, cost=np.zeros(len(linear.cost)), constant=0.0)
    found = engines.search(free, Ask(seconds_of(watch), nodes=ANY_NODES))
    if found.x is None:
        return SolverAnswer(found.outcome)
    return replace(polished(linear, engines, found), outcome=SolverOutcome.FEASIBLE, bound=-np.inf)


def _without_links(linear: Linear, engines: Engines, watch: Watch) -> SolverAnswer:
    """A plan and a bound from the relaxation with all links of a choice in one row; nothing where that comes to none in time."""
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
    """What a first plan is, from prices in place of the relaxation; None where these prove no more than is known."""
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
    """The program with its integer variables between what they are in a plan and what they are in a relaxed one."""
    lower = np.where(linear.integer, np.floor(np.minimum(one, other) + ROUNDED), linear.lower)
    upper = np.where(linear.integer, np.ceil(np.maximum(one, other) - ROUNDED), linear.upper)
    return replace(linear, lower=lower, upper=upper)


def _closed(linear: Linear, columns: Mask) -> Linear:
    return replace(linear, upper=np.where(columns, 0.0, linear.upper))


def _dear(linear: Linear, relaxed: SolverAnswer) -> Mask:
    """Continuous columns that cost very much, and that the relaxation does without: shortages where capacity suffices."""
    assert relaxed.x is not None
    upper = np.minimum(linear.upper, _linked_ends(linear))
    most = linear.cost * np.where(np.isfinite(upper), upper, 0.0)
    dear: Mask = ~linear.integer & (linear.lower <= 0) & (relaxed.x <= USED) & (most > DEAR * abs(relaxed.objective))
    return dear


def _linked_ends(linear: Linear) -> Floats:
    """What links `x <= D u` leave of each column at most; infinite where it has none."""
    entries, ends = linear.entries, np.full(len(linear.cost), np.inf)
    own, other = links(linear)
    fits = np.isfinite(linear.upper[entries.indices[other]])
    own, other = own[fits], other[fits]
    most = -entries.data[other] * linear.upper[entries.indices[other]] / entries.data[own]
    np.minimum.at(ends, entries.indices[own], most)
    return ends


def proved(linear: Linear, duals: Floats) -> float:
    """What no plan falls below, by these duals: each row and column at the end that is cheapest at them."""
    reduced = linear.reduced(duals)
    rows = np.where(duals > 0, linear.row_lower, linear.row_upper)[duals != 0]
    ends = np.where(reduced > 0, linear.lower, linear.upper)[reduced != 0]
    with np.errstate(invalid="ignore"):
        found = float(duals[duals != 0] @ rows) + float(reduced[reduced != 0] @ ends) + linear.constant
    return found if np.isfinite(found) else -np.inf


def narrowed(linear: Linear, duals: Floats, most: float, step: Floats | float = 0.0) -> Linear:
    """The same program with the bounds of columns that all plans keep which cost no more than `most`, and keep to the steps that are known."""
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
