"""Consequences of a program's rows: columns forced to a bound, and quantities that are whole multiples of a step.

A row that its columns can only just fill fixes them at their bounds (a forcing row: Brearley, Mitra and Williams, Analysis of mathematical programming
problems prior to applying the simplex algorithm, Mathematical Programming 8, 1975). A row that one source alone must fill, because of a packing row,
also fixes its columns. If no shortage is possible, `sum of x[i] = D`, `x[i] <= D u[i]` and `sum of u[i] <= 1` imply `sum of u[i] = 1` and
`x[i] = D u[i]`. Capacities are then knapsacks of binary variables, `sum of D[j] u[i,j] <= K[i] y[i]`, from which an engine derives covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..program.matrix import Entries, Floats, Ints, Linear, Mask, with_rows
from .components import labels

# Share of a sum that doubles may have rounded up.
ROUNDING = 1e-12
# Minimum excess for a row to be worth its numbers, as a share of the largest capacity.
MIN_EXCESS = 1e-3


# Rounds in which bounds of columns are derived, each from those before.
BOUND_ROUNDS = 10
BOUND_ROUNDING = 1e-9
# Minimum derived bound. The program's bound hardly needs a smaller one, and a solver's presolve may treat it as zero.
MIN_BOUND = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Linked:
    """Columns that are zero unless their binary variable is 1, where a packing row allows only one such variable."""

    binary: Ints
    """Binary variable of each column. -1 if none."""
    max_value: Floats
    row: Ints
    packing: Ints


def with_finite_bounds(linear: Linear, max_cost: float) -> Linear:
    """Return the program with finite upper bounds, so that a reduced cost of -1e-16 doesn't leave it without a bound. Plans above `max_cost` may be lost."""
    if np.isfinite(linear.upper).all():
        return linear
    with_cost = np.flatnonzero(linear.cost)
    if np.isfinite(max_cost) and len(with_cost):
        with_cost_row = with_rows(linear, [with_cost], [linear.cost[with_cost]], -np.inf, max_cost - linear.constant)
    else:
        with_cost_row = linear
    upper = linear.upper
    for _ in range(BOUND_ROUNDS):
        tighter = np.minimum(upper, _derived_bounds(replace(with_cost_row, upper=upper)))
        if np.isfinite(tighter).all() or np.array_equal(tighter, upper):
            upper = tighter
            break
        upper = tighter
    return replace(linear, upper=upper)


def _derived_bounds(linear: Linear) -> Floats:
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    row_count, upper_bounds = len(linear.row_lower), np.full(len(linear.cost), np.inf)
    is_unbounded = np.isinf(linear.upper)[column]
    for sign, limit in ((1.0, linear.row_upper), (-1.0, -linear.row_lower)):
        # The row is `sum of signed x <= limit`. The other columns at their minimum leave most to the column.
        signed = sign * value
        min_value = signed * np.where(signed > 0, linear.lower[column], linear.upper[column])
        is_infinite = np.isinf(min_value)
        min_sum = np.bincount(row[~is_infinite], min_value[~is_infinite], minlength=row_count)
        infinite_count = np.bincount(row[is_infinite], minlength=row_count)
        gives_bound = is_unbounded & (signed > 0) & np.isfinite(limit)[row] & (infinite_count[row] == 0)
        bounded = column[gives_bound]
        bounds = (limit[row] - min_sum[row] + np.where(is_infinite, 0.0, min_value))[gives_bound] / signed[gives_bound]
        np.minimum.at(upper_bounds, bounded, np.maximum(bounds, linear.lower[bounded]))
    return np.maximum(upper_bounds * (1 + BOUND_ROUNDING), MIN_BOUND)


def dual_bound(linear: Linear, duals: Floats) -> float:
    """Return the lower bound on all plans from these duals: each row and column is at its cheapest bound."""
    reduced = linear.reduced(duals)
    row_bounds = np.where(duals > 0, linear.row_lower, linear.row_upper)[duals != 0]
    column_bounds = np.where(reduced > 0, linear.lower, linear.upper)[reduced != 0]
    with np.errstate(invalid="ignore"):
        bound = float(duals[duals != 0] @ row_bounds) + float(reduced[reduced != 0] @ column_bounds) + linear.constant
    return bound if np.isfinite(bound) else -np.inf


def without_closed_columns(linear: Linear) -> tuple[Linear, Ints]:
    """Return the program without columns that are zero, directly or by a link, nor links of such columns. Also return the columns left."""
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    flow_entry, choice_entry = links(linear)
    flow, upper = column[flow_entry], linear.upper.copy()
    max_flow = -value[choice_entry] / value[flow_entry] * upper[column[choice_entry]]
    np.minimum.at(upper, flow, np.maximum(max_flow, linear.lower[flow]))
    is_open = (upper != 0) | (linear.lower != 0)
    is_kept, open_columns = np.ones(len(linear.row_lower), dtype=bool), np.flatnonzero(is_open)
    is_satisfied = (
        ~is_open[flow] & (linear.lower[column[choice_entry]] >= 0) & np.isneginf(linear.row_lower[row[flow_entry]])
    )
    is_kept[row[flow_entry[is_satisfied]]] = False
    return Linear(
        linear.cost[open_columns],
        linear.lower[open_columns],
        upper[open_columns],
        linear.integer[open_columns],
        linear.entries.within(open_columns)[is_kept],
        linear.row_lower[is_kept],
        linear.row_upper[is_kept],
        linear.constant,
    ), open_columns


def with_tight_rows(linear: Linear) -> Linear:
    """Return the program with lower bounds of rows that follow from its rows. Both have the same plans."""
    ends = _with_forcing_rows(linear, _no_links(linear))
    return replace(linear, row_lower=_with_forcing_rows(ends, _links_in_packings(ends)).row_lower)


def with_cover_rows(linear: Linear, row_factors: Floats | float = 1.0) -> Linear:
    """Return the program with one more row for each group of several capacities: the chosen ones satisfy the need there.

    This is the surrogate knapsack of capacitated location (Cornuejols, Sridharan and Thizy, European Journal of Operational Research 50, 1991). No engine
    sums that many rows to find its covers. A capacity is a row `sum of c[j] x[j] <= sum of K[i] y[i]` of several flows and of choices. A need is a row of
    flows alone. `row_factors` give a flow the same unit in all its rows.
    """
    column, value = linear.entries.indices, linear.entries.data
    tightened = _with_forcing_rows(linear, _no_links(linear))
    max_value = value * np.where(value > 0, tightened.upper[column], tightened.lower[column])
    for group in _capacity_groups(linear, row_factors, max_value):
        unit = float(2.0 ** np.round(np.log2(group.capacity.max())))
        min_sum = group.needed * (1 - ROUNDING) / unit
        linear = with_rows(linear, [group.choice], [group.capacity / unit], min_sum, np.inf)
    return linear


def with_count_rows(linear: Linear, row_factors: Floats | float = 1.0) -> Linear:
    """Return the program with one more row for each group of several capacities: a minimum number of choices, or a shortage.

    With the need `D`, and `n` the minimum number of capacities that satisfy it, `sum of y[i] + s / f >= n`. Here `s` is the shortage, and `f` the need
    above the largest `n - 1` capacities. For equal capacities that is mixed-integer rounding of the row of `with_cover_rows` (Nemhauser and Wolsey,
    Integer and Combinatorial Optimization, 1988, section II.1.7). No relaxation satisfies it already.
    """
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    # The served quantity is the need minus the shortage.
    is_served = (value < 0) & np.isfinite(linear.upper[column])
    max_value = value * np.where(is_served, linear.upper[column], linear.lower[column])
    for group in _capacity_groups(linear, row_factors, max_value):
        needed, sizes = group.needed * (1 - ROUNDING), np.sort(group.capacity)[::-1]
        largest_sum = np.append(0.0, np.cumsum(sizes))
        min_count = int(np.searchsorted(largest_sum, needed))
        excess = needed - largest_sum[min_count - 1]
        binary = (linear.lower[group.choice] >= 0).all() and (linear.upper[group.choice] <= 1).all()
        if not binary or min_count > len(sizes) or excess < MIN_EXCESS * sizes[0]:
            continue
        may_be_short = group.other_entries & (is_served | (value > 0))
        coefficients = group.weight[row[may_be_short]] * value[may_be_short] / excess
        short_columns = column[may_be_short]
        shortage_coefficients = np.bincount(short_columns, coefficients, minlength=len(linear.cost))
        other_columns = np.flatnonzero(shortage_coefficients)
        min_sum = min_count + float(
            (coefficients * np.where(coefficients < 0, linear.upper[short_columns], linear.lower[short_columns])).sum()
        )
        values: Floats = np.concatenate([np.ones(len(group.choice)), shortage_coefficients[other_columns]])
        linear = with_rows(linear, [np.append(group.choice, other_columns)], [values], min_sum, np.inf)
    return linear


@dataclass(frozen=True, slots=True, eq=False)
class _CapacityGroup:
    choice: Ints
    capacity: Floats
    needed: float
    weight: Floats
    other_entries: Mask
    """Coefficients in these rows of columns other than flows with a capacity."""


def _capacity_groups(linear: Linear, row_factors: Floats | float, max_value: Floats) -> Iterator[_CapacityGroup]:
    row_count, column_count = linear.entries.shape
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    is_choice = linear.integer[column] & (value < 0)
    is_flow = ~linear.integer[column] & (value > 0) & (linear.lower[column] >= 0)
    is_capacity = _rows_with_all(row_count, row, is_choice | is_flow) & (linear.row_upper == 0)
    is_capacity &= (np.bincount(row[is_choice], minlength=row_count) > 0) & (
        np.bincount(row[is_flow], minlength=row_count) > 1
    )
    is_limited = is_flow & is_capacity[row]
    capacity_of, use = np.full(column_count, -1), np.ones(column_count)
    capacity_of[column[is_limited]], use[column[is_limited]] = (
        row[is_limited],
        value[is_limited],
    )  # one of the capacities that a flow takes is enough
    fills_need = is_flow & (capacity_of[column] >= 0) & ~is_capacity[row]
    need = linear.row_lower - np.bincount(row[~fills_need], max_value[~fills_need], minlength=row_count)
    in_need = (
        fills_need & (_rows_with_all(row_count, row, ~linear.integer[column]) & np.isfinite(need) & (need > 0))[row]
    )
    weight = np.zeros(row_count)
    weight[row[in_need]] = row_factors if isinstance(row_factors, float) else row_factors[row[in_need]]
    total_by_flow = np.bincount(column[in_need], (weight[row] * value)[in_need], minlength=column_count)
    factor, with_need = np.zeros(row_count), total_by_flow > 0
    np.maximum.at(factor, capacity_of[with_need], (total_by_flow / use)[with_need])
    in_group = in_need | (is_limited & (factor[row] > 0))
    group_of_row = labels(Entries.summed(row[in_group], column[in_group], value[in_group], linear.entries.shape))[1]
    for group in np.unique(group_of_row[weight > 0]).tolist():
        choice_entries = is_choice & ((factor > 0) & (group_of_row == group))[row]
        need_rows = (weight > 0) & (group_of_row == group)
        cover_coefficients = np.bincount(
            column[choice_entries], -(value * factor[row])[choice_entries], minlength=column_count
        ).astype(np.float64)
        choices, row_weights = np.flatnonzero(cover_coefficients), np.where(need_rows, weight, 0.0)
        min_sum = float(weight[need_rows] @ need[need_rows])
        yield _CapacityGroup(choices, cover_coefficients[choices], min_sum, row_weights, ~fills_need & need_rows[row])


def _no_links(linear: Linear) -> _Linked:
    no_columns = np.full(len(linear.cost), -1)
    return _Linked(no_columns, np.zeros(len(no_columns)), no_columns, no_columns)


def _links_in_packings(linear: Linear) -> _Linked:
    entries = linear.entries
    row_count, column_count = entries.shape
    row, column, value = entries.rows, entries.indices, entries.data
    binary = linear.integer & (linear.lower >= 0) & (linear.upper <= 1)
    is_packing = _rows_with_all(row_count, row, binary[column] & (value == linear.row_upper[row]) & (value > 0))
    packing = np.full(column_count, -1)
    in_packing = is_packing[row]
    packing[column[in_packing]] = row[in_packing]
    is_switch = binary[column] & (packing[column] >= 0) & (value < 0)
    is_flow = ~linear.integer[column] & (value > 0) & (linear.lower[column] == 0)
    flow_entry, choice_entry = links(linear)
    is_linked = is_flow[flow_entry] & is_switch[choice_entry]
    flow_entry, choice_entry = flow_entry[is_linked], choice_entry[is_linked]
    linked = _Linked(np.full(column_count, -1), np.zeros(column_count), np.full(column_count, -1), packing)
    linked.binary[column[flow_entry]] = column[choice_entry]
    linked.max_value[column[flow_entry]] = -value[choice_entry] / value[flow_entry]
    linked.row[column[flow_entry]] = row[flow_entry]
    return linked


def links(linear: Linear) -> tuple[Ints, Ints]:
    """Return the rows `a x <= b u` of two columns, in order: the positions of their coefficients `a` and `-b`, where `a` and `b` are positive."""
    entries = linear.entries
    first = entries.indptr[:-1][(np.diff(entries.indptr) == 2) & (linear.row_upper == 0)]
    first_is_positive = entries.data[first] > 0
    positive, negative = np.where(first_is_positive, first, first + 1), np.where(first_is_positive, first + 1, first)
    has_signs = (entries.data[positive] > 0) & (entries.data[negative] < 0)
    return positive[has_signs], negative[has_signs]


def _with_forcing_rows(linear: Linear, linked: _Linked) -> Linear:
    row_count = linear.entries.shape[0]
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    is_linked = (linked.binary[column] >= 0) & (value > 0)
    bound = np.where(value > 0, linear.upper[column], linear.lower[column])
    max_sum = np.bincount(row[~is_linked], (value * bound)[~is_linked], minlength=row_count)
    pair = row * len(linear.cost) + linked.binary[column]
    pairs, pair_of_entry = np.unique(pair[is_linked], return_inverse=True)
    by_binary = np.bincount(pair_of_entry, (value * linked.max_value[column])[is_linked], minlength=len(pairs))
    row_of_pair, binary = np.divmod(pairs, len(linear.cost))
    row_packings, row_packing_of_pair = np.unique(row_of_pair * row_count + linked.packing[binary], return_inverse=True)
    max_by_packing = np.zeros(len(row_packings))
    np.maximum.at(max_by_packing, row_packing_of_pair, by_binary)
    np.add.at(max_sum, row_packings // row_count, max_by_packing)
    is_full = np.isfinite(linear.row_lower) & (max_sum == linear.row_lower)
    lower, upper, row_lower = linear.lower.copy(), linear.upper.copy(), linear.row_lower.copy()
    is_forced = is_full[row] & ~is_linked & ~linear.integer[column]
    at_upper, at_lower = column[is_forced & (value > 0)], column[is_forced & (value < 0)]
    lower[at_upper], upper[at_lower] = upper[at_upper], lower[at_lower]
    row_lower[linked.row[column[is_full[row] & is_linked]]] = 0.0
    forced_packings = (row_packings % row_count)[is_full[row_packings // row_count] & (max_by_packing > 0)]
    row_lower[forced_packings] = linear.row_upper[forced_packings]
    return replace(linear, lower=lower, upper=upper, row_lower=row_lower)


def _rows_with_all(row_count: int, row: Ints, is_satisfied: Mask) -> Mask:
    satisfies_all: Mask = np.bincount(row, minlength=row_count) > 0
    satisfies_all[row[~is_satisfied]] = False
    return satisfies_all


# Unit of steps in kilograms. A step is a whole multiple of it.
GRAIN = 1e-3
# Maximum bound in grains that is read. A double must resolve a small part of a grain.
MAX_GRAINS = 2.0**40
# Tolerance of multiples for the rounding of doubles, as a share of a grain and of a step.
SLACK = 1e-3


def column_steps(linear: Linear) -> Floats:
    """Return the step of each column in some cheapest plan. 0 if unknown. For any choices of such a plan, one with the same choices keeps the steps.

    A program with fixed choices may be a network: each column is in at most two rows, with opposite signs. Its vertices are whole multiples of every
    step that divides all bounds (total unimodularity: Heller and Tompkins, An extension of a theorem of Dantzig's, and Hoffman and Kruskal, Integral
    boundary points of convex polyhedra, both in Linear Inequalities and Related Systems, Annals of Mathematics Studies 38, 1956). If demands and
    capacities are whole tonnes, a shortage is 0 or at least a tonne, so a bound below a tonne closes its column.
    """
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    is_free = ~linear.integer[column]
    free_count = np.bincount(row[is_free], minlength=entries.shape[0])
    group_of_column, is_network = _networks(linear, np.flatnonzero(free_count > 1))
    any_column, scale = np.zeros(len(free_count), dtype=np.intp), np.ones(len(free_count))
    any_column[row[is_free]], scale[row[is_free]] = column[is_free], np.abs(value[is_free])
    rows, has_fixed_choice = np.flatnonzero(free_count), ~is_free & (free_count[row] > 0)
    bounds = [
        *(
            (group_of_column[any_column[rows]], bound[rows] / scale[rows])
            for bound in (linear.row_lower, linear.row_upper)
        ),
        (group_of_column[any_column[row[has_fixed_choice]]], value[has_fixed_choice] / scale[row[has_fixed_choice]]),
        *((group_of_column[~linear.integer], bound[~linear.integer]) for bound in (linear.lower, linear.upper)),
    ]
    grains = np.zeros(len(group_of_column), dtype=np.int64)
    for groups, bound in bounds:
        is_finite = np.isfinite(bound)
        in_grains = bound[is_finite] / GRAIN
        nearest = np.rint(in_grains)
        is_whole = (np.abs(in_grains) <= MAX_GRAINS) & (np.abs(in_grains - nearest) <= SLACK)
        is_network[groups[is_finite][~is_whole]] = False
        np.gcd.at(grains, groups[is_finite][is_whole], np.abs(nearest[is_whole]).astype(np.int64))
    steps: Floats = np.where(linear.integer | ~is_network[group_of_column], 0.0, grains[group_of_column] * GRAIN)
    return steps


def _networks(linear: Linear, rows: Ints) -> tuple[Ints, Mask]:
    """Return the group of each column once all choices are fixed, and True for each group that is a network. `rows` have several continuous columns."""
    row_entries, shape = linear.entries[rows], (len(rows), len(linear.cost))
    is_free = ~linear.integer[row_entries.indices]
    entries = Entries.summed(row_entries.rows[is_free], row_entries.indices[is_free], row_entries.data[is_free], shape)
    entries = entries[_distinct_rows(entries)]
    group_of_column, group_of_row = labels(entries)
    by_column = entries.transposed()
    row, column, value = by_column.indices, by_column.rows, by_column.data
    rows_of_column = np.diff(by_column.indptr)
    is_network = np.ones(shape[1], dtype=bool)
    is_network[group_of_column[column[np.abs(value) != 1.0]]] = False
    is_network[group_of_column[(rows_of_column > 2) | ~np.isfinite(linear.lower)]] = False
    is_second = np.append(False, column[1:] == column[:-1]) if len(column) else np.zeros(0, dtype=bool)
    # Each row is there twice, once with each sign. A column connects rows that must have the same sign. A row connected to its own opposite is in no
    # network.
    sign = (value > 0) ^ is_second
    doubled_rows_and_columns = (
        np.concatenate([2 * row + sign, 2 * row + ~sign]),
        np.concatenate([2 * column, 2 * column + 1]),
    )
    doubled = Entries.summed(*doubled_rows_and_columns, np.ones(2 * len(row)), (2 * entries.shape[0], 2 * shape[1]))
    doubled_labels = labels(doubled)[1]
    is_network[
        group_of_column[
            np.flatnonzero(np.isin(group_of_column, group_of_row[doubled_labels[0::2] == doubled_labels[1::2]]))
        ]
    ] = False
    return group_of_column, is_network


def _distinct_rows(entries: Entries) -> Ints:
    first_rows: dict[tuple[bytes, bytes], int] = {}
    for row in range(entries.shape[0]):
        span = slice(entries.indptr[row], entries.indptr[row + 1])
        data = entries.data[span]
        first_rows.setdefault((entries.indices[span].tobytes(), (data / data[0]).tobytes()), row)
    return np.array(sorted(first_rows.values()), dtype=np.intp)
