"""Consequences of a program's rows: columns forced to a bound, and quantities that are whole multiples of a step.

A row that its columns can only just fill fixes them at their bounds (a forcing row: Brearley, Mitra and Williams, Analysis of mathematical programming
problems prior to applying the simplex algorithm, Mathematical Programming 8, 1975). A row that one source alone must fill, because of a packing row,
also fixes its columns. If no shortage is possible, `sum of x[i] = D`, `x[i] <= D u[i]` and `sum of u[i] <= 1` imply `sum of u[i] = 1` and
`x[i] = D u[i]`. Capacities are then knapsacks of binary variables, `sum of D[j] u[i,j] <= K[i] y[i]`, from which an engine derives covers.

Open capacities must satisfy all need. The rows of capacities and of needs sum to `sum of K[i] y[i] >= sum of D[j]` (`covered`). This is the surrogate
knapsack of capacitated location (Cornuejols, Sridharan and Thizy, A comparison of heuristics and relaxations for the capacitated plant location
problem, European Journal of Operational Research 50, 1991). The relaxation already satisfies it, but no engine sums that many rows to find its covers.

A program with fixed choices is linear. The rest may be a network: each column is in at most two rows, with opposite signs. Its vertices are then whole
multiples of every step that divides all bounds of rows and columns (total unimodularity: Heller and Tompkins, An
extension of a theorem of Dantzig's, and Hoffman and Kruskal, Integral boundary points of convex polyhedra, both in Linear Inequalities and Related
Systems, Annals of Mathematics Studies 38, 1956). If demands and capacities are whole tonnes, then a shortage is semi-continuous: 0, or at least
a tonne. So a bound below a tonne closes its column (`steps`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..program.matrix import Entries, Floats, Ints, Linear, Mask, with_rows
from .components import labels

ROUNDING = 1e-12
"""Share of a sum that doubles may have rounded up."""
LEAST_OVER = 1e-3
"""Minimum excess for a row to be worth its numbers, as a share of the largest capacity."""


ENDS = 10
"""Rounds in which bounds of columns are derived, each from those before."""
END_ROUNDING = 1e-9
"""Share of a bound added to it, for the rounding of doubles."""
LEAST_END = 1e-3
"""Minimum derived bound. The program's bound hardly needs a smaller one, and a solver's presolve may treat it as zero."""


@dataclass(frozen=True, slots=True, eq=False)
class _Linked:
    """Columns that are zero unless their binary variable is 1, where a packing row allows only one such variable."""

    binary: Ints
    """Binary variable of each column. -1 if none."""
    most: Floats
    """Maximum of the column if it is 1."""
    row: Ints
    """Row that links the column to it."""
    packing: Ints
    """Packing row of the binary variables."""


def ended(linear: Linear, most: float) -> Linear:
    """Return the program with finite upper bounds for columns that have none, derived from its rows and the maximum cost of a plan.

    Without a bound, a reduced cost of -1e-16 instead of 0 leaves a column, and with it the whole program, without any bound.

    Args:
        linear: The program.
        most: Maximum cost of a plan. More expensive plans may be lost.
    """
    if np.isfinite(linear.upper).all():
        return linear
    paid = np.flatnonzero(linear.cost)
    if np.isfinite(most) and len(paid):
        priced = with_rows(linear, [paid], [linear.cost[paid]], -np.inf, most - linear.constant)
    else:
        priced = linear
    upper = linear.upper
    for _ in range(ENDS):
        found = np.minimum(upper, _ends(replace(priced, upper=upper)))
        if np.isfinite(found).all() or np.array_equal(found, upper):
            upper = found
            break
        upper = found
    return replace(linear, upper=upper)


def _ends(linear: Linear) -> Floats:
    """Return the bound that rows give a column without an upper bound, with all others at their most generous bounds. Infinite if no row gives one."""
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    rows, ends = len(linear.row_lower), np.full(len(linear.cost), np.inf)
    endless = np.isinf(linear.upper)[column]
    for sign, end in ((1.0, linear.row_upper), (-1.0, -linear.row_lower)):
        # The row as `sum of signed x <= end`: the smallest that the others can make of it leaves most to the column.
        signed = sign * value
        least = signed * np.where(signed > 0, linear.lower[column], linear.upper[column])
        unknown = np.isinf(least)
        known = np.bincount(row[~unknown], least[~unknown], minlength=rows)
        open_ = np.bincount(row[unknown], minlength=rows)
        fits = endless & (signed > 0) & np.isfinite(end)[row] & (open_[row] == 0)
        of, left = column[fits], (end[row] - known[row] + np.where(unknown, 0.0, least))[fits] / signed[fits]
        np.minimum.at(ends, of, np.maximum(left, linear.lower[of]))
    return np.maximum(ends * (1 + END_ROUNDING), LEAST_END)


def forced(linear: Linear) -> Linear:
    """Return the program with lower bounds of rows that follow from its rows. Both have the same plans.

    Columns fixed at a bound are left to presolve.
    """
    ends = _filled(linear, _unlinked(linear))
    return replace(linear, row_lower=_filled(ends, _linked(ends)).row_lower)


def covered(linear: Linear, counted: Floats | float = 1.0) -> Linear:
    """Return the program with one more row for each group of several capacities: the chosen ones satisfy the need there.

    Args:
        linear: The program. A capacity is a row `sum of c[j] x[j] <= sum of K[i] y[i]` of several flows and of choices. A need is a row of flows alone.
        counted: Factors of its rows that give a flow the same unit in all of them.
    """
    column, value = linear.entries.indices, linear.entries.data
    ends = _filled(linear, _unlinked(linear))
    most = value * np.where(value > 0, ends.upper[column], ends.lower[column])
    for piece in _held(linear, counted, most):
        unit = float(2.0 ** np.round(np.log2(piece.capacity.max())))
        least = piece.needed * (1 - ROUNDING) / unit
        linear = with_rows(linear, [piece.choice], [piece.capacity / unit], least, np.inf)
    return linear


def numbered(linear: Linear, counted: Floats | float = 1.0) -> Linear:
    """Return the program with one more row for each group of several capacities: a minimum number of choices, or a shortage.

    With the need `D`, and `n` the minimum number of capacities that satisfy it, `sum of y[i] + s / f >= n`. Here `s` is the shortage, and `f` the need above the
    largest `n - 1` capacities. Each capacity is at least `f`. For equal capacities that is mixed-integer rounding of the row of `covered` (Nemhauser and
    Wolsey, Integer and Combinatorial Optimization, 1988, section II.1.7). No relaxation satisfies it already.

    Args:
        linear: The program.
        counted: As for `covered`.
    """
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    # What is served is all that is asked for, less what is left short.
    served = (value < 0) & np.isfinite(linear.upper[column])
    best = value * np.where(served, linear.upper[column], linear.lower[column])
    for piece in _held(linear, counted, best):
        needed, sizes = piece.needed * (1 - ROUNDING), np.sort(piece.capacity)[::-1]
        held = np.append(0.0, np.cumsum(sizes))
        fewest = int(np.searchsorted(held, needed))
        over = needed - held[fewest - 1]
        binary = (linear.lower[piece.choice] >= 0).all() and (linear.upper[piece.choice] <= 1).all()
        if not binary or fewest > len(sizes) or over < LEAST_OVER * sizes[0]:
            continue
        short = piece.beside & (served | (value > 0))
        each, of = piece.weight[row[short]] * value[short] / over, column[short]
        missed = np.bincount(of, each, minlength=len(linear.cost))
        others = np.flatnonzero(missed)
        least = fewest + float((each * np.where(each < 0, linear.upper[of], linear.lower[of])).sum())
        values: Floats = np.concatenate([np.ones(len(piece.choice)), missed[others]])
        linear = with_rows(linear, [np.append(piece.choice, others)], [values], least, np.inf)
    return linear


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Capacities, and the need that they serve."""

    choice: Ints
    """Choices that open them."""
    capacity: Floats
    """Size of each capacity."""
    needed: float
    weight: Floats
    """Weight of each row of a need. 0 for all others."""
    beside: Mask
    """Coefficients in these rows of columns other than flows with a capacity."""


def _held(linear: Linear, counted: Floats | float, most: Floats) -> Iterator[_Piece]:
    """Yield groups of several capacities.

    Args:
        linear: The program.
        counted: As for `covered`.
        most: Maximum contribution of each coefficient of a column without a capacity, in the row of a need.
    """
    rows, columns = linear.entries.shape
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    chosen = linear.integer[column] & (value < 0)
    flow = ~linear.integer[column] & (value > 0) & (linear.lower[column] >= 0)
    capacity = _all(rows, row, chosen | flow) & (linear.row_upper == 0)
    capacity &= (np.bincount(row[chosen], minlength=rows) > 0) & (np.bincount(row[flow], minlength=rows) > 1)
    held = flow & capacity[row]
    of, use = np.full(columns, -1), np.ones(columns)
    of[column[held]], use[column[held]] = row[held], value[held]  # one of the capacities that a flow takes is enough
    taking = flow & (of[column] >= 0) & ~capacity[row]
    need = linear.row_lower - np.bincount(row[~taking], most[~taking], minlength=rows)
    brought = taking & (_all(rows, row, ~linear.integer[column]) & np.isfinite(need) & (need > 0))[row]
    weight = np.zeros(rows)
    weight[row[brought]] = counted if isinstance(counted, float) else counted[row[brought]]
    in_all = np.bincount(column[brought], (weight[row] * value)[brought], minlength=columns)
    each, used = np.zeros(rows), in_all > 0
    np.maximum.at(each, of[used], (in_all / use)[used])
    within = brought | (held & (each[row] > 0))
    piece = labels(Entries.summed(row[within], column[within], value[within], linear.entries.shape))[1]
    for one in np.unique(piece[weight > 0]).tolist():
        here, needed = chosen & ((each > 0) & (piece == one))[row], (weight > 0) & (piece == one)
        cover = np.bincount(column[here], -(value * each[row])[here], minlength=columns).astype(np.float64)
        opened, counts = np.flatnonzero(cover), np.where(needed, weight, 0.0)
        least = float(weight[needed] @ need[needed])
        yield _Piece(opened, cover[opened], least, counts, ~taking & needed[row])


def _unlinked(linear: Linear) -> _Linked:
    none = np.full(len(linear.cost), -1)
    return _Linked(none, np.zeros(len(none)), none, none)


def _linked(linear: Linear) -> _Linked:
    entries = linear.entries
    rows, count = entries.shape
    row, column, value = entries.rows, entries.indices, entries.data
    binary = linear.integer & (linear.lower >= 0) & (linear.upper <= 1)
    packs = _all(rows, row, binary[column] & (value == linear.row_upper[row]) & (value > 0))
    packing = np.full(count, -1)
    inside = packs[row]
    packing[column[inside]] = row[inside]
    switch = binary[column] & (packing[column] >= 0) & (value < 0)
    flow = ~linear.integer[column] & (value > 0) & (linear.lower[column] == 0)
    own, other = links(linear)
    fits = flow[own] & switch[other]
    own, other = own[fits], other[fits]
    found = _Linked(np.full(count, -1), np.zeros(count), np.full(count, -1), packing)
    found.binary[column[own]] = column[other]
    found.most[column[own]] = -value[other] / value[own]
    found.row[column[own]] = row[own]
    return found


def links(linear: Linear) -> tuple[Ints, Ints]:
    """Return the rows `a x <= b u` of two columns, in order: the positions of their coefficients `a` and `-b`, where `a` and `b` are positive."""
    entries = linear.entries
    first = entries.indptr[:-1][(np.diff(entries.indptr) == 2) & (linear.row_upper == 0)]
    rising = entries.data[first] > 0
    own, other = np.where(rising, first, first + 1), np.where(rising, first + 1, first)
    fits = (entries.data[own] > 0) & (entries.data[other] < 0)
    return own[fits], other[fits]


def _filled(linear: Linear, linked: _Linked) -> Linear:
    """Tighten the bounds in rows that their columns only just fill."""
    rows = linear.entries.shape[0]
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    grouped = (linked.binary[column] >= 0) & (value > 0)
    end = np.where(value > 0, linear.upper[column], linear.lower[column])
    most = np.bincount(row[~grouped], (value * end)[~grouped], minlength=rows)
    pair = row * len(linear.cost) + linked.binary[column]
    one, of_one = np.unique(pair[grouped], return_inverse=True)
    by_binary = np.bincount(of_one, (value * linked.most[column])[grouped], minlength=len(one))
    at, binary = np.divmod(one, len(linear.cost))
    pack, of_pack = np.unique(at * rows + linked.packing[binary], return_inverse=True)
    best = np.zeros(len(pack))
    np.maximum.at(best, of_pack, by_binary)
    np.add.at(most, pack // rows, best)
    full = np.isfinite(linear.row_lower) & (most == linear.row_lower)
    lower, upper, row_lower = linear.lower.copy(), linear.upper.copy(), linear.row_lower.copy()
    held = full[row] & ~grouped & ~linear.integer[column]
    rises, falls = column[held & (value > 0)], column[held & (value < 0)]
    lower[rises], upper[falls] = upper[rises], lower[falls]
    row_lower[linked.row[column[full[row] & grouped]]] = 0.0
    chosen = (pack % rows)[full[pack // rows] & (best > 0)]
    row_lower[chosen] = linear.row_upper[chosen]
    return replace(linear, lower=lower, upper=upper, row_lower=row_lower)


def _all(rows: int, row: Ints, holds: Mask) -> Mask:
    """Return the rows with entries that all satisfy a condition."""
    found: Mask = np.bincount(row, minlength=rows) > 0
    found[row[~holds]] = False
    return found


GRAIN = 1e-3
"""Unit of steps in kilograms. A step is a whole multiple of it."""
MOST_GRAINS = 2.0**40
"""Maximum bound in grains that is read. A double must resolve a small part of a grain."""
SLACK = 1e-3
"""Tolerance of multiples for the rounding of doubles, as a share of a grain and of a step."""


def steps(linear: Linear) -> Floats:
    """Return the step of each column in some cheapest plan. 0 if unknown.

    For any choices of such a plan, there is one with the same choices that keeps the steps.
    """
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    free = ~linear.integer[column]
    in_row = np.bincount(row[free], minlength=entries.shape[0])
    piece, fits = _networks(linear, np.flatnonzero(in_row > 1))
    one, size = np.zeros(len(in_row), dtype=np.intp), np.ones(len(in_row))
    one[row[free]], size[row[free]] = column[free], np.abs(value[free])
    rows, moved = np.flatnonzero(in_row), ~free & (in_row[row] > 0)
    ends = [
        *((piece[one[rows]], end[rows] / size[rows]) for end in (linear.row_lower, linear.row_upper)),
        (piece[one[row[moved]]], value[moved] / size[row[moved]]),
        *((piece[~linear.integer], end[~linear.integer]) for end in (linear.lower, linear.upper)),
    ]
    grains = np.zeros(len(piece), dtype=np.int64)
    for of, end in ends:
        given = np.isfinite(end)
        found = end[given] / GRAIN
        whole = np.rint(found)
        read = (np.abs(found) <= MOST_GRAINS) & (np.abs(found - whole) <= SLACK)
        fits[of[given][~read]] = False
        np.gcd.at(grains, of[given][read], np.abs(whole[read]).astype(np.int64))
    step: Floats = np.where(linear.integer | ~fits[piece], 0.0, grains[piece] * GRAIN)
    return step


def _networks(linear: Linear, rows: Ints) -> tuple[Ints, Mask]:
    """Return the group of each column once all choices are fixed, and True for each group that is a network.

    Args:
        linear: The program.
        rows: Rows of several continuous columns. Duplicates count once. Rows of one column are bounds of it.
    """
    given, shape = linear.entries[rows], (len(rows), len(linear.cost))
    free = ~linear.integer[given.indices]
    entries = Entries.summed(given.rows[free], given.indices[free], given.data[free], shape)
    entries = entries[_once(entries)]
    piece, of_row = labels(entries)
    by_column = entries.transposed()
    row, column, value = by_column.indices, by_column.rows, by_column.data
    times = np.diff(by_column.indptr)
    fits = np.ones(shape[1], dtype=bool)
    fits[piece[column[np.abs(value) != 1.0]]] = False
    fits[piece[(times > 2) | ~np.isfinite(linear.lower)]] = False
    second = np.append(False, column[1:] == column[:-1]) if len(column) else np.zeros(0, dtype=bool)
    # Each row stands twice, with either sign; each column joins what must have the same sign. A row that meets its own opposite fits nowhere.
    sign = (value > 0) ^ second
    twice = np.concatenate([2 * row + sign, 2 * row + ~sign]), np.concatenate([2 * column, 2 * column + 1])
    doubled = Entries.summed(*twice, np.ones(2 * len(row)), (2 * entries.shape[0], 2 * shape[1]))
    found = labels(doubled)[1]
    fits[piece[np.flatnonzero(np.isin(piece, of_row[found[0::2] == found[1::2]]))]] = False
    return piece, fits


def _once(entries: Entries) -> Ints:
    """Return the rows without duplicates, including those with the opposite sign."""
    known: dict[tuple[bytes, bytes], int] = {}
    for number in range(entries.shape[0]):
        span = slice(entries.indptr[number], entries.indptr[number + 1])
        data = entries.data[span]
        known.setdefault((entries.indices[span].tobytes(), (data / data[0]).tobytes()), number)
    return np.array(sorted(known.values()), dtype=np.intp)
