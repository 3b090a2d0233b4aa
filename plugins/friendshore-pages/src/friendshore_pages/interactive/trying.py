"""What each lever does to the numbers of a program: tried out, and offered only where that is exact.

A program is laid out anew after a change. Where it keeps its columns and rows, and its numbers move in proportion to the change, a page can do the same by
adding to these numbers. Levers of one kind are tried out together, each by a factor of its own: two layouts tell by the ratio in which a number moves which of
them moves it, and how fast; two more, at other factors, must come to what that predicts. Where they do not, the levers are tried by halves, down to one alone.
In the end all are tried together, and those that do not add up are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from friendshore.errors import InputError

from .levers import SIZED, PageLever

if TYPE_CHECKING:
    from friendshore.domain.change import Change
    from friendshore.session import ChangedPart, PartLayout, Session

Floats: TypeAlias = NDArray[np.float64]
SIZES = (Decimal("0.5"), Decimal(2))
"""Factors at which it is looked whether numbers move in proportion."""
LEAST = Decimal("0.01")
"""The smallest factor of what is wanted and made: of nothing at all follow other programs."""
FINE = Decimal(1000)
"""How many times as much is looked at where numbers are rounded."""
OFF = 1e-9
"""By how much of the size of a number two layouts may differ: capacities and quantities are rounded to the resolution of the case."""
LARGEST = Decimal(1000)
"""Up to how many times a price may be raised, and a quantity where nothing is whole."""
WHOLE = Decimal(4)
"""The same of quantities where there are choices: what these allow has to hold for all of it, and the more that is, the longer they are searched."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a lever does to the numbers of one program."""

    positions: NDArray[np.intp]
    """Numbers that it moves, by their place in `numbers`."""
    slopes: Floats
    """By how much for every 100 % more; of what is done or not: by how much when it is done."""
    sized: bool
    step: float = 0.0
    """Of demand: what is wanted is rounded to so many kilograms, and so is what is added; 0: nothing is rounded."""

    def moves(self, factor: Decimal, count: int) -> Floats:
        """What it adds to each of all `count` numbers."""
        found = np.zeros(count)
        by = self.slopes * float(factor - 1) if self.sized else self.slopes
        if self.step:
            by = (np.rint(self.slopes * float(factor) / self.step) - np.rint(self.slopes / self.step)) * self.step
        found[self.positions] = by
        return found


@dataclass(frozen=True, slots=True, eq=False)
class PageProgram:
    """A part of a case, as it is or after something that makes another program of it."""

    covers: tuple[int, ...]
    """Parts of the case that it stands for, by number."""
    layout: PartLayout
    most: Decimal
    """Up to how many times as much may be wanted and made for its bounds to hold."""
    effects: Mapping[int, Effect]
    """What each lever that was tried out and is exact does to it, by the lever's number; losses take columns away, and are not among them."""
    apart: tuple[tuple[int, int], ...]
    """Pairs of levers that do not add up."""
    alone: bool
    """Whether no two levers may be taken together, since what does not add up was not found."""


def numbers(layout: PartLayout) -> Floats:
    """All numbers of a program in one array: costs, lower and upper ends of columns, of rows, and coefficients."""
    linear = layout.linear
    ends = linear.lower, linear.upper, linear.row_lower, linear.row_upper
    return np.concatenate([linear.cost, *ends, linear.entries.data])


def most(layout: PartLayout) -> Decimal:
    """Up to how many times as much may be asked of a program."""
    return WHOLE if layout.linear.integer.any() else LARGEST


def laid(part: ChangedPart) -> PartLayout:
    """A part as a page holds it: its bounds hold for all that can be asked."""
    wide = part.layout(LARGEST)
    return wide if not wide.linear.integer.any() else part.layout(WHOLE)


class LeverTrial:
    """A program, laid out again after changes."""

    def __init__(
        self, session: Session, part: ChangedPart, layout: PartLayout, levers: Mapping[int, PageLever]
    ) -> None:
        """`levers` are those that may move numbers of it, by their number."""
        self.session, self.part, self.layout = session, part, layout
        self.within: tuple[Change, ...] = part.changes
        self.levers = levers
        self.base = numbers(layout)
        self.places = {column: number for number, column in enumerate(layout.columns)}
        self.step = float(session.problem.case.resolution)

    def sized(self) -> dict[int, Effect]:
        """What the levers do that multiply something, as far as that is exact."""
        found: dict[int, Effect] = {}
        for kind in SIZED:
            found |= self._together([number for number, lever in self.levers.items() if lever.kind == kind], kind)
        return found

    def done(self, number: int) -> Effect | None:
        """What a lever does that is done or not; None: it makes another program, or asks for more than the bounds allow."""
        change = self.levers[number].at()
        by = self.moved([change])
        if by is None or not np.isfinite(by).all():
            return None
        positions = np.flatnonzero(by)
        if len(positions) and not self._stays_within([change]):
            return None
        return Effect(positions, by[positions], sized=False)

    def moved(self, changes: Sequence[Change]) -> Floats | None:
        """By how much changes move each number; None: they make another program, or no case at all."""
        part = self._after(changes)
        if part is None:
            return None
        try:
            layout = part.layout_within(self.layout)
        except InputError:
            return None
        return self._difference(layout)

    def apart(self, effects: Mapping[int, Effect]) -> tuple[tuple[tuple[int, int], ...], bool]:
        """Pairs of levers that move a number together by something else than what both move it by alone; and whether something else is wrong."""
        acting = [number for number, effect in effects.items() if len(effect.positions)]
        touching: dict[int, list[int]] = {}
        for number in acting:
            for position in effects[number].positions.tolist():
                touching.setdefault(position, []).append(number)
        doubtful: set[int] = set()
        for some in self._rounds(acting):
            off = self._unexplained(some, effects)
            doubtful.update(touching if off is None else off.tolist())
        movers = (touching.get(position, []) for position in sorted(doubtful))
        pairs = {(a, b) for some in movers for i, a in enumerate(some) for b in some[i + 1 :] if not self._same(a, b)}
        found = {pair for pair in sorted(pairs) if not self._adds_up(pair, effects)}
        # What is left together, whichever of the two of a pair is given up, has to add up.
        for order in (acting, acting[::-1]) if doubtful else ():
            kept: list[int] = []
            for number in order:
                if not any(self._same(number, o) or (number, o) in found or (o, number) in found for o in kept):
                    kept.append(number)
            if not self._adds_up(kept, effects):
                return tuple(sorted(found)), True
        return tuple(sorted(found)), False

    def _same(self, one: int, other: int) -> bool:
        """Whether two levers are two choices of one thing, of which only one is ever taken."""
        a, b = self.levers[one], self.levers[other]
        return (a.kind, a.name) == (b.kind, b.name)

    def _rounds(self, some: Sequence[int]) -> Iterator[list[int]]:
        """All levers, as often as it takes for each choice to be among them, one choice of each thing at a time."""
        choices: dict[tuple[str, str], list[int]] = {}
        for number in some:
            choices.setdefault((self.levers[number].kind, self.levers[number].name), []).append(number)
        for turn in range(max(map(len, choices.values()), default=0)):
            yield [own[min(turn, len(own) - 1)] for own in choices.values()]

    def _adds_up(self, some: Iterable[int], effects: Mapping[int, Effect]) -> bool:
        off = self._unexplained(list(some), effects)
        return off is not None and not len(off)

    def _unexplained(self, some: Sequence[int], effects: Mapping[int, Effect]) -> NDArray[np.intp] | None:
        """Numbers that some levers move together by something else than their sum; None: together they make another program."""
        # Factors of no pattern, so that two mistakes do not make up for each other.
        factors = {n: (Decimal(i * 37 % 89 + 17) / 41).quantize(Decimal("0.001")) for i, n in enumerate(some, 1)}
        by = self.moved([self.levers[number].at(factor) for number, factor in factors.items()])
        if by is None:
            return None
        return np.flatnonzero(self._off(by, self._sum(factors, effects)))

    def _together(self, some: Sequence[int], kind: str) -> dict[int, Effect]:
        """What some levers of a kind do; those are left out that are not exact."""
        if not some:
            return {}
        found = self._explained(some, kind)
        if found is not None:
            return found
        if len(some) == 1:
            return {}
        half = len(some) // 2
        return self._together(some[:half], kind) | self._together(some[half:], kind)

    def _explained(self, some: Sequence[int], kind: str) -> dict[int, Effect] | None:
        """What some levers do, if each moves numbers of its own, in proportion."""
        step = self.step if kind == "demand" else 0.0
        size = FINE if step else Decimal(1)
        ramp = [(Decimal(i) / len(some)).quantize(Decimal("0.0001")) for i in range(len(some))]
        factors = [
            {n: size * (2 + x) for n, x in zip(some, ramp, strict=True)},
            {n: size * (3 - x) for n, x in zip(some, ramp, strict=True)},
        ]
        one, other = (self._at(each) for each in factors)
        if one is None or other is None or not (np.isfinite(one).all() and np.isfinite(other).all()):
            return None
        moved = np.flatnonzero((one != 0) | (other != 0))
        if not other[moved].all():
            return None
        by = [np.array([float(each[n] - 1) for n in some]) for each in factors]
        who = np.abs(one[moved, None] / other[moved, None] - by[0] / by[1]).argmin(axis=1)
        effects = {}
        for i, number in enumerate(some):
            positions = moved[who == i]
            slopes = one[positions] / by[0][i]
            if step:  # what is wanted itself, to which what is wanted of others may be added
                slopes = (one[positions] + np.rint(slopes / step) * step) / float(factors[0][number])
            effects[number] = Effect(positions, slopes, sized=True, step=step)
        tests = [{n: SIZES[(i + turn) % 2] for i, n in enumerate(some)} for turn in range(2)]
        tests.append(dict.fromkeys(some, Decimal(0) if kind == "price" else LEAST))
        # Bounds follow from prices where tiers are worth reaching; below zero, whose sign no factor changes, they have a limit of their own.
        ends = (Decimal(0), LARGEST) if kind == "price" and self.layout.linear.integer.any() else ()
        if not all(self._stays_within([self.levers[number].at(end) for number in some]) for end in ends):
            return None
        return effects if all(self._predicted(each, effects) for each in tests) else None

    def _predicted(self, factors: Mapping[int, Decimal], effects: Mapping[int, Effect]) -> bool:
        by = self._at(factors)
        return by is not None and not self._off(by, self._sum(factors, effects)).any()

    def _at(self, factors: Mapping[int, Decimal]) -> Floats | None:
        return self.moved([self.levers[number].at(factor) for number, factor in factors.items()])

    def _sum(self, factors: Mapping[int, Decimal], effects: Mapping[int, Effect]) -> Floats:
        found = np.zeros(len(self.base))
        for number, factor in factors.items():
            found += effects[number].moves(factor, len(self.base))
        return found

    def _off(self, one: Floats, other: Floats) -> NDArray[np.bool_]:
        """Where two ways to move the numbers differ."""
        size = np.maximum(1, np.abs(np.where(np.isfinite(self.base), self.base, 0)))
        found: NDArray[np.bool_] = ~(np.abs(one - other) <= OFF * size)
        return found

    def _stays_within(self, changes: Sequence[Change]) -> bool:
        part = self._after(changes)
        return part is not None and part.stays_within(self.layout, most(self.layout))

    def _after(self, changes: Sequence[Change]) -> ChangedPart | None:
        """This part of the case after changes; None: with these there is no such part."""
        try:
            if all(change.subject in SIZED and change.delay is None for change in changes):
                return self.part.after(*changes)  # which bear on it, and on it alone
            parts = self.session.parts_after(*self.within, *changes)
        except InputError:
            return None
        return next((part for part in parts if part.materials == self.part.materials), None)

    def _difference(self, other: PartLayout) -> Floats | None:
        """What is added to each number in the other program, which may lack columns: these are closed. None: it has other rows or columns."""
        one, two = self.layout.linear, other.linear
        if other.columns == self.layout.columns:
            kept = np.arange(len(one.cost))
        else:
            places = [self.places.get(column, -1) for column in other.columns]
            kept = np.array(places, dtype=np.intp)
            if (kept < 0).any() or (np.diff(kept) <= 0).any():
                return None
        within = np.zeros(len(one.cost), dtype=bool)
        within[kept] = True
        entries = within[one.entries.indices]
        rows = np.repeat(np.arange(len(one.row_lower)), np.diff(one.entries.indptr))[entries]
        if (
            other.owners != self.layout.owners
            or len(two.row_lower) != len(one.row_lower)
            or not np.array_equal(two.integer, one.integer[kept])
            or not np.array_equal(kept[two.entries.indices], one.entries.indices[entries])
            or not np.array_equal(np.repeat(np.arange(len(two.row_lower)), np.diff(two.entries.indptr)), rows)
        ):
            return None
        after = self.base.copy()
        columns, ends = len(one.cost), 3 * len(one.cost) + 2 * len(one.row_lower)
        for number, values in enumerate((two.cost, two.lower, two.upper)):
            after[number * columns + kept] = values
        after[2 * columns + np.flatnonzero(~within)] = 0.0
        after[3 * columns : ends] = np.concatenate([two.row_lower, two.row_upper])
        after[ends + np.flatnonzero(entries)] = two.entries.data
        same = after == self.base
        found = np.zeros(len(after))
        found[~same] = after[~same] - self.base[~same]
        return found
