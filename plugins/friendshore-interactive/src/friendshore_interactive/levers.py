"""What can be changed in a page, and by how much each change moves each number of the program: only where that is exact.

A lever is tried out: the case is changed and laid out anew, at three sizes of the change. Where the program has the same columns and rows each time, and every
number of it moves in proportion to the size, a page can do the same by adding to these numbers. All else is left out. PageLevers that move the same number may
not add up (a price, and the duty that is a share of it): all are tried out together too, and those that do not add up are kept from being used together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.plugins.running import resting
from friendshore.program import Program, compile_program
from friendshore.program.bounds import capacities
from friendshore.program.matrix import Linear

if TYPE_CHECKING:
    from friendshore.problem.inputs import Inputs

Floats: TypeAlias = NDArray[np.float64]
ALL = frozenset(("price", "capacity", "demand", "remove", "disable"))
"""Kinds of levers, as a change names them."""
FEW = frozenset(("demand", "remove"))
"""Those that are offered where a rule is switched off that decides what can be bought at all: to try out all takes too long."""
SIZES = (Decimal("0.5"), Decimal(2))
"""Factors at which it is looked whether numbers move in proportion."""
FINE = Decimal(1000)
"""Factor at which it is looked by how much, where numbers are rounded."""
OFF = 1e-9
"""By how much of the size of a number two layouts may differ: capacities and quantities are rounded to the resolution of the case."""


@dataclass(frozen=True, slots=True, eq=False)
class PageLever:
    """One thing that can be changed."""

    kind: str
    name: str
    """Of an offer, a facility, a demand or a rule."""
    title: str
    positions: NDArray[np.intp]
    """Numbers of the program that it moves, by their place in `numbers`."""
    slopes: Floats
    """By how much for every 100 % more; of a rule, when it is switched off."""
    step: float
    """Of demand: what is wanted is rounded to so many kilograms, and so is what is added; 0: nothing is rounded."""
    columns: NDArray[np.intp]
    """Of what is taken away: columns that become zero."""

    @property
    def has_size(self) -> bool:
        """Whether it is a factor; else it is done or not."""
        return self.kind in ("price", "capacity", "demand")

    def moves(self, factor: Decimal, count: int) -> Floats:
        """What it adds to each of all `count` numbers."""
        found = np.zeros(count)
        by = self.slopes * float(factor - 1) if self.has_size else self.slopes
        if self.step:
            by = (np.rint(self.slopes * float(factor) / self.step) - np.rint(self.slopes / self.step)) * self.step
        found[self.positions] = by
        return found

    def change(self, factor: Decimal) -> Change:
        """What a case file would say."""
        word = {"price": "offer:", "remove": "offer:", "demand": "demand:"}.get(self.kind, "")
        size = {"factor": factor} if self.has_size else {}
        return Change.model_validate({self.kind: f"{word}{self.name}", **size})


@dataclass(frozen=True, slots=True, eq=False)
class PageLevers:
    """All levers of a case."""

    program: Program
    linear: Linear
    """The program without the upper ends that only follow from what is wanted: they would not move in proportion to it."""
    levers: tuple[PageLever, ...]
    apart: tuple[tuple[int, int], ...]
    """Pairs of levers that do not add up."""
    left_out: tuple[str, ...]
    """What cannot be changed exactly."""


def numbers(linear: Linear) -> Floats:
    """All numbers of a program in one array: costs, lower and upper ends of columns, of rows, and coefficients."""
    return np.concatenate(
        [linear.cost, linear.lower, linear.upper, linear.row_lower, linear.row_upper, linear.entries.data]
    )


def find_levers(
    inputs: Inputs, program: Program, kinds: Collection[str], told: Callable[[int, int], None]
) -> PageLevers:
    """The levers of some kinds of a case and its program; `told` hears how many have been tried out, of how many."""
    linear = _loose(program)
    base = numbers(linear)
    wanted = [one for one in _wanted(program) if one[0] in kinds]
    levers: list[PageLever] = []
    left_out: list[str] = []
    for position, (kind, name, title) in enumerate(wanted):
        told(position, len(wanted))
        lever = _removal(program, name, title) if kind == "remove" else _tried(inputs, program, base, kind, name, title)
        if lever is None:
            left_out.append(f"{kind} {name}")
        elif len(lever.positions) or len(lever.columns):
            levers.append(lever)
    told(len(wanted), len(wanted))
    apart = _apart(inputs, program, base, levers)
    return PageLevers(program, linear, tuple(levers), tuple(apart), tuple(left_out))


def why_not(program: Program) -> str:
    """Why no page can settle a case exactly; empty: one can."""
    if program.linear.integer.any():
        return (
            "the case has integer decisions (onboarding, lots, orders, one supplier): a page cannot settle them exactly"
        )
    if program.goals:
        return "the case ranks objectives: a page has one"
    return ""


def _wanted(program: Program) -> Iterator[tuple[str, str, str]]:
    """Kind, name and title of all that is tried out."""
    problem = program.problem
    bought = sorted(
        {problem.network.arcs[arc].offer for arc in problem.moves.arc[program.columns.buy_move].tolist()} - {-1}
    )
    offers = [problem.offers[position].offer for position in bought]
    for offer in offers:
        facility = problem.merged.facilities[offer.facility]
        title = f"{offer.id} ({facility.name or facility.id}, {facility.country})"
        yield "price", offer.id, title
        yield "remove", offer.id, title
    for name in sorted({offer.facility for offer in offers}):
        facility = problem.merged.facilities[name]
        yield "capacity", name, f"{name} ({facility.name or name}, {facility.country})"
    for demand in problem.demands:
        yield "demand", demand.id, demand.id
    for rule in problem.rules:
        yield "disable", rule.id, f"{rule.id} ({rule.title})" if rule.title else rule.id


def _loose(program: Program) -> Linear:
    """The program with the upper ends that offers and facilities set to what is bought and made, and no others."""
    columns, linear = program.columns, program.linear
    units, moved = capacities(program.problem)
    upper = linear.upper.copy()
    upper[columns.buy] = moved[columns.buy_move]
    for (offer, _, period), column in columns.make.items():
        upper[column] = units[offer, period]
    return replace(linear, upper=upper)


def _laid_out(inputs: Inputs, changes: Sequence[Change]) -> Program:
    with resting():
        return compile_program(inputs.after(changes).problem())


def _alike(one: Program, other: Program) -> bool:
    """Whether two programs have the same columns and rows, for the same things."""
    a, b = one.linear, other.linear
    return (
        a.entries.shape == b.entries.shape
        and one.owners == other.owners
        and np.array_equal(a.entries.indices, b.entries.indices)
        and np.array_equal(a.entries.indptr, b.entries.indptr)
        and np.array_equal(one.columns.buy_move, other.columns.buy_move)
        and np.array_equal(one.columns.buy_compliance_class, other.columns.buy_compliance_class)
        and one.columns.deliver_key == other.columns.deliver_key
        and not b.integer.any()
    )


def _tried(inputs: Inputs, program: Program, base: Floats, kind: str, name: str, title: str) -> PageLever | None:
    """The lever, if what it does is exact; None: it is not."""
    none = np.empty(0, dtype=np.intp)
    step = float(program.problem.case.resolution) if kind == "demand" else 0.0
    one = PageLever(kind, name, title, none, np.empty(0), step, none)

    def moved(factor: Decimal) -> Floats | None:
        try:
            changed = _laid_out(inputs, [one.change(factor)])
        except InputError:
            return None
        return _difference(numbers(_loose(changed)), base) if _alike(program, changed) else None

    largest = FINE if step else SIZES[-1]
    by = moved(largest)
    if by is None:
        return None
    positions = np.flatnonzero(by)
    slopes = by[positions] / float(largest - 1) if one.has_size else by[positions]
    if not np.isfinite(slopes).all():
        return None
    if step:  # what is wanted itself, to which what is wanted of others may be added
        slopes = (by[positions] + np.rint(slopes / step) * step) / float(largest)
    lever = replace(one, positions=positions, slopes=slopes)
    for factor in SIZES if one.has_size else ():
        exactly = moved(factor)
        if exactly is None or _off(exactly, lever.moves(factor, len(base)), base):
            return None
    return lever


def _off(one: Floats, other: Floats, base: Floats) -> bool:
    """Whether two ways to move the numbers differ."""
    size = np.maximum(1, np.abs(np.where(np.isfinite(base), base, 0)))
    return bool(np.any(np.abs(one - other) > OFF * size))


def _difference(other: Floats, base: Floats) -> Floats:
    """What is added to each number; two infinite ends are alike."""
    same = other == base
    found = np.zeros(len(base))
    found[~same] = other[~same] - base[~same]
    return found


def _removal(program: Program, name: str, title: str) -> PageLever:
    """Taking an offer away: nothing is bought or made of it."""
    problem, columns = program.problem, program.columns
    offer = next(position for position, facts in enumerate(problem.offers) if facts.offer.id == name)
    of = np.array([arc.offer for arc in problem.network.arcs], dtype=np.intp)[problem.moves.arc[columns.buy_move]]
    made = [column for (maker, _, _), column in columns.make.items() if maker == offer]
    own = np.concatenate([columns.buy[of == offer], np.array(made, dtype=np.intp)])
    return PageLever("remove", name, title, np.empty(0, dtype=np.intp), np.empty(0), 0.0, own)


def _apart(inputs: Inputs, program: Program, base: Floats, levers: Sequence[PageLever]) -> Iterator[tuple[int, int]]:
    """Pairs of levers that move a number together by something else than what both move it by alone."""
    named = {(lever.kind, lever.name): number for number, lever in enumerate(levers)}
    for (kind, name), number in named.items():
        if kind == "remove" and ("price", name) in named:
            yield named["price", name], number  # what is gone has no price
    touching: dict[int, list[int]] = {}
    for number, lever in enumerate(levers):
        for position in lever.positions.tolist():
            touching.setdefault(position, []).append(number)
    pairs = {(a, b) for movers in touching.values() for i, a in enumerate(movers) for b in movers[i + 1 :]}
    for a, b in sorted(pairs):
        both = [levers[a].change(Decimal(2)), levers[b].change(Decimal(2))]
        together = levers[a].moves(Decimal(2), len(base)) + levers[b].moves(Decimal(2), len(base))
        changed = _laid_out(inputs, both)
        if not _alike(program, changed) or _off(_difference(numbers(_loose(changed)), base), together, base):
            yield a, b
