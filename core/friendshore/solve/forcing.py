"""Consequences of a program's rows: columns that they force to an end, and quantities that are whole multiples of a step.

A row that its columns can only just fill holds them at their ends (a forcing row: Brearley, Mitra and Williams, Analysis of mathematical programming
problems prior to applying the simplex algorithm, Mathematical Programming 8, 1975). So does one of which a packing row lets one source alone fill it:
where nothing may be short, `sum of x[i] = D`, `x[i] <= D u[i]` and `sum of u[i] <= 1` leave `sum of u[i] = 1` and `x[i] = D u[i]`. Capacities are then
knapsacks of binary variables, `sum of D[j] u[i,j] <= K[i] y[i]`, of which an engine takes covers.

What is opened has to hold all that is needed: rows of capacities and of needs, added up, leave `sum of K[i] y[i] >= sum of D[j]` (`covered`), the surrogate
knapsack of capacitated location (Cornuejols, Sridharan and Thizy, A comparison of heuristics and relaxations for the capacitated plant location
problem, European Journal of Operational Research 50, 1991). The relaxation keeps it already, but no engine adds up so many rows to find its covers.

With its choices made a program is linear. Where what is left of it is a network, each column in two rows at most, in one with one sign and in the other
with the other, its corners are whole multiples of every step of which all ends of rows and columns are (total unimodularity: Heller and Tompkins, An
extension of a theorem of Dantzig's, and Hoffman and Kruskal, Integral boundary points of convex polyhedra, both in Linear Inequalities and Related
Systems, Annals of Mathematics Studies 38, 1956). If demands and capacities are whole tonnes, then a shortage is a tonne at least, or none at all, and a
bound below a tonne closes its column (`steps`).
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
"""Share of the largest capacity that has to be over for a row to be worth its numbers."""


ENDS = 10
"""Rounds in which ends of columns are worked out, each from those before."""
END_ROUNDING = 1e-9
"""Share of an end that is added to it, for what doubles round."""
LEAST_END = 1e-3
"""A smaller end is not written down: the bound hardly needs it, and a solver's presolve may take it for nothing at all."""


@dataclass(frozen=True, slots=True, eq=False)
class _Linked:
    """Columns that are nothing unless a binary variable is 1 of which a row lets one alone be."""

    binary: Ints
    """The binary variable of each column; -1: none."""
    most: Floats
    """What the column comes to at most if it is 1."""
    row: Ints
    """The row that says so."""
    packing: Ints
    """The row of the binary variables."""


def ended(linear: Linear, most: float) -> Linear:
    """The same program with upper ends of columns that have none, as far as its rows, or what a plan may cost, leave them one.

    Without an end, a reduced cost of -1e-16 instead of 0 leaves a column, and with it the whole program, without any bound.

    Args:
        linear: the program.
        most: what a plan may cost. Plans that cost more may be lost.
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
    """What each row leaves of a column that has no upper end, all others at the ends that leave most; infinite where none says anything."""
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
    """The same program with lower ends of rows that follow from its rows; every plan of the one is a plan of the other.

    Columns that are held at an end are left to presolve.
    """
    ends = _filled(linear, _unlinked(linear))
    return replace(linear, row_lower=_filled(ends, _linked(ends)).row_lower)


def covered(linear: Linear, counted: Floats | float = 1.0) -> Linear:
    """The same program with a row more for each piece of several capacities: those that are chosen hold what is needed there.

    Args:
        linear: the program; a capacity is a row `sum of c[j] x[j] <= sum of K[i] y[i]` of several flows and of choices, a need a row of flows alone.
        counted: what to multiply its rows by so that a flow counts in all of them alike.
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
    """The same program with a row more for each piece of several capacities: so many choices are made at least, or something is left short.

    With `D` needed, and `n` the fewest of the capacities that hold it, `sum of y[i] + s / f >= n`, where `s` is what is left short, and `f` what is over the
    largest `n - 1` capacities: each of these holds `f` at least. Of equal capacities that is mixed-integer rounding of what `covered` says (Nemhauser and
    Wolsey, Integer and Combinatorial Optimization, 1988, section II.1.7), and no relaxation keeps it already.

    Args:
        linear: the program.
        counted: as of `covered`.
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
    """Capacities, and what is needed of them."""

    choice: Ints
    """The choices that open them."""
    capacity: Floats
    """What each holds."""
    needed: float
    """What is needed of them."""
    weight: Floats
    """What each row of a need counts in that; 0 for all others."""
    beside: Mask
    """Coefficients, in these rows, of other columns than flows that take a capacity."""


def _held(linear: Linear, counted: Floats | float, most: Floats) -> Iterator[_Piece]:
    """Pieces of several capacities.

    Args:
        linear: the program.
        counted: as of `covered`.
        most: what each coefficient of a column that takes no capacity comes to at most, in the row of a need.
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
    """Rows `a x <= b u` of two columns, in their order: the positions of their coefficients `a` and `-b`; `a` and `b` are above zero."""
    entries = linear.entries
    first = entries.indptr[:-1][(np.diff(entries.indptr) == 2) & (linear.row_upper == 0)]
    rising = entries.data[first] > 0
    own, other = np.where(rising, first, first + 1), np.where(rising, first + 1, first)
    fits = (entries.data[own] > 0) & (entries.data[other] < 0)
    return own[fits], other[fits]


def _filled(linear: Linear, linked: _Linked) -> Linear:
    """With each row taken into account that its columns only just fill."""
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
    """Rows with entries of which all hold."""
    found: Mask = np.bincount(row, minlength=rows) > 0
    found[row[~holds]] = False
    return found


GRAIN = 1e-3
"""Kilograms: a step is a whole multiple of it."""
MOST_GRAINS = 2.0**40
"""Larger ends are not read: a double has to tell a small part of a grain."""
SLACK = 1e-3
"""Share of a grain, and of a step, by which a number may miss a multiple: what doubles round."""


def steps(linear: Linear) -> Floats:
    """The step of each column in some cheapest plan; 0: none is known.

    Whatever choices such a plan makes, there is one that makes the same and keeps to the steps.
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
    """The piece that each column belongs to once all choices are made, and which pieces are networks.

    Args:
        linear: the program.
        rows: those of several continuous columns; one that repeats another counts once, and rows of one column are ends of it.
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
    """Rows without those that repeat another, with either sign."""
    known: dict[tuple[bytes, bytes], int] = {}
    for number in range(entries.shape[0]):
        span = slice(entries.indptr[number], entries.indptr[number + 1])
        data = entries.data[span]
        known.setdefault((entries.indices[span].tobytes(), (data / data[0]).tobytes()), number)
    return np.array(sorted(known.values()), dtype=np.intp)
