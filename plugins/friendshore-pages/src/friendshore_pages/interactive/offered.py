"""All that a page can do with a case: its programs, its levers, and what is left out, with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from friendshore.errors import InputError

from .levers import PageLever, losses, of_offers, wanted
from .trying import Effect, LeverTrial, PageProgram, laid, most

if TYPE_CHECKING:
    from friendshore.session import ChangedPart, PartLayout, PartPlan, Session

MOST_CHOICES = 400
"""Integer decisions of a part of a case up to which a page searches it: as many as `plan` lets HiGHS search as one program."""
MOST_NUMBERS = 90_000
"""Coefficients and columns of all programs that levers make, together: a page stays small enough to be sent by mail."""


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """What a page holds."""

    plans: tuple[PartPlan, ...]
    """The plan of each part of the case."""
    programs: tuple[PageProgram, ...]
    """Those of the parts as they are, then those that levers make of them."""
    levers: tuple[PageLever, ...]
    touches: tuple[tuple[int, ...], ...]
    """Parts that each lever bears on, by number."""
    makes: Mapping[int, tuple[int, ...]]
    """Lever -> the programs that it puts in the place of others, by number."""
    left_out: tuple[tuple[str, str], ...]
    """What cannot be changed in the page, and why, each kind of reason together."""


@dataclass(slots=True)
class _Found:
    """What has been found of one lever so far."""

    touches: tuple[int, ...]
    parts: tuple[ChangedPart, ...]
    effects: dict[int, Effect]
    programs: list[int]
    why: str = ""
    """Why it is left out."""


NOT_EXACT = "what they do to the program is not in proportion"
TOO_HARD = "they bear on a part of the case with more integer decisions than a page can search"
TOO_MUCH = "the programs that they make would make the page too large"


def why_not(session: Session) -> str:
    """Why no page can plan a case anew; empty: one can."""
    if session.problem.objectives or session.problem.case.objectives:
        return "the case ranks objectives: a page makes one as small as it can"
    if session.solution.conflicts:
        return "the hard rules of the case conflict: a page leaves none out"
    return ""


def offered(session: Session, told: Callable[[int, int], None]) -> Offered:
    """Tries out everything that a page could change; `told` hears how many trials are done, of how many."""
    return _Offer(session, told).offered()


class _Offer:
    def __init__(self, session: Session, told: Callable[[int, int], None]) -> None:
        self.session, self.told = session, told
        self.parts = session.parts_after()
        self.number = {part.materials: number for number, part in enumerate(self.parts)}
        self.of_material = {name: number for number, part in enumerate(self.parts) for name in part.materials}
        self.layouts = [laid(part) for part in self.parts]
        self.room = MOST_NUMBERS
        self.made: list[tuple[ChangedPart, PartLayout]] = []
        self.levers: list[PageLever] = []
        self.found: dict[int, _Found] = {}
        self.done = 0
        self.ahead = 0

    def offered(self) -> Offered:
        self.levers = [one for one in wanted(self.session, self._bought(self.layouts)) if one.kind != "remove"]
        for number, lever in enumerate(self.levers):
            found = self._touched(lever)
            if found is not None:
                self.found[number] = found
        whole = {number: found for number, found in self.found.items() if not self.levers[number].sized}
        self.ahead = len(whole) + PER_PROGRAM * len(self.parts)
        for number in whole:
            self._try_done(number)
            self._tell()
        programs = [self._program(number) for number in range(len(self.parts))]
        self.ahead += PER_PROGRAM * len(self.made)
        programs += [self._variant(part, layout) for part, layout in self.made]
        return self._put_together(programs)

    def _tell(self, more: int = 1) -> None:
        self.done += more
        self.told(self.done, max(self.done, self.ahead))

    def _touched(self, lever: PageLever) -> _Found | None:
        """What a lever bears on; None: nothing."""
        try:
            parts = self.session.parts_after(lever.at(Decimal(2)))
        except InputError:
            return None
        touches = sorted({self.of_material[name] for part in parts for name in part.materials})
        if not parts:
            return None
        hard = any(not _can_be_searched(self.layouts[number]) for number in touches)
        return _Found(tuple(touches), parts, {}, [], TOO_HARD if hard else "")

    def _try_done(self, number: int) -> None:
        """A lever that is done or not: what it does to each part, or the program that it makes of it."""
        found = self.found[number]
        for part in () if found.why else found.parts:
            base = self.number.get(part.materials)
            if base is not None:
                effect = self._trial(base, {number: self.levers[number]}).done(number)
                if effect is not None:
                    found.effects[base] = effect
                    continue
            layout = None if self.levers[number].kind == "later" else self._laid(part)
            if layout is None:
                found.why = NOT_EXACT
                return
            size = len(layout.linear.cost) + layout.linear.entries.nnz
            if not _can_be_searched(layout) or size > self.room:
                found.why = TOO_MUCH if _can_be_searched(layout) else TOO_HARD
                return
            self.room -= size
            found.programs.append(len(self.parts) + len(self.made))
            self.made.append((part, layout))

    def _laid(self, part: ChangedPart) -> PartLayout | None:
        try:
            return laid(part)
        except InputError:
            return None

    def _trial(self, base: int, levers: Mapping[int, PageLever]) -> LeverTrial:
        return LeverTrial(self.session, self.parts[base], self.layouts[base], levers)

    def _program(self, base: int) -> PageProgram:
        """A part as it is, with what all levers do to it."""
        sized = self._sized({base})
        trial = self._trial(base, sized)
        effects = trial.sized() if _can_be_searched(self.layouts[base]) else {}
        for number in sized:
            if number not in effects:
                self.found[number].why = self.found[number].why or NOT_EXACT
        whole = {
            number: found.effects[base]
            for number, found in self.found.items()
            if not found.why and base in found.effects
        }
        self._tell(PER_PROGRAM // 2)
        all_of_it = effects | whole
        trial.levers = {number: self.levers[number] for number in all_of_it}
        apart, alone = trial.apart(all_of_it)
        self._tell(PER_PROGRAM - PER_PROGRAM // 2)
        return PageProgram((base,), self.layouts[base], most(self.layouts[base]), all_of_it, apart, alone)

    def _variant(self, part: ChangedPart, layout: PartLayout) -> PageProgram:
        """A part after a lever that makes another program of it, with what prices, capacities and demand do to that."""
        covers = {self.of_material[name] for name in part.materials}
        trial = LeverTrial(self.session, part, layout, self._sized(covers))
        effects = trial.sized()
        apart, alone = trial.apart(effects)
        self._tell(PER_PROGRAM)
        return PageProgram(tuple(sorted(covers)), layout, most(layout), effects, apart, alone)

    def _sized(self, covers: set[int]) -> dict[int, PageLever]:
        return {
            number: self.levers[number]
            for number, found in self.found.items()
            if self.levers[number].sized and not found.why and covers.intersection(found.touches)
        }

    def _put_together(self, programs: Sequence[PageProgram]) -> Offered:
        """Levers that do nothing are dropped, the rest numbered anew, with losses after them."""
        kept = [number for number, found in self.found.items() if not found.why and self._acts(number, programs)]
        order = {number: position for position, number in enumerate(kept)}
        used = {program: position for position, program in enumerate(self._used(kept))}
        renumbered = [
            replace(
                programs[old],
                effects={order[n]: e for n, e in programs[old].effects.items() if n in order},
                apart=tuple((order[a], order[b]) for a, b in programs[old].apart if a in order and b in order),
            )
            for old in used
        ]
        gone = list(self._losses([program.layout for program in renumbered]))
        touched = [tuple(sorted({self.of_material[name] for name in self._materials(one)})) for one in gone]
        left = [
            (f"{self.levers[n].kind} {self.levers[n].name}", found.why) for n, found in self.found.items() if found.why
        ]
        return Offered(
            tuple(self.session.part_plan(part.materials) for part in self.parts),
            tuple(renumbered),
            (*(self.levers[number] for number in kept), *gone),
            (*(self.found[number].touches for number in kept), *touched),
            {order[n]: tuple(used[old] for old in self.found[n].programs) for n in kept if self.found[n].programs},
            tuple(dict.fromkeys(left)),
        )

    def _acts(self, number: int, programs: Sequence[PageProgram]) -> bool:
        found = self.found[number]
        return bool(found.programs) or any(number in p.effects and len(p.effects[number].positions) for p in programs)

    def _used(self, kept: Sequence[int]) -> Iterator[int]:
        yield from range(len(self.parts))
        for number in kept:
            yield from self.found[number].programs

    def _bought(self, layouts: Sequence[PartLayout]) -> frozenset[str]:
        return frozenset(c.name for layout in layouts for c in layout.columns if c.kind in ("bought", "made"))

    def _losses(self, layouts: Sequence[PartLayout]) -> Iterator[PageLever]:
        """Losses of offers that are bought nowhere else than in programs of the page, and have to be paid for in no case."""
        bought = self._bought(layouts)
        paid = {
            self.session.problem.offers[commitment.offer].offer.id for commitment in self.session.problem.commitments
        }
        for lever in losses(self.session, bought):
            if not paid.intersection(lever.offers):
                known = of_offers(lever, bought)
                if self._keeps_limits(known):
                    yield known

    def _keeps_limits(self, lever: PageLever) -> bool:
        """Whether limit rules ask for the same without some offers: then to buy nothing of these is all that their loss does."""
        for number, part in enumerate(self.parts):
            if part.materials.isdisjoint(self._materials(lever)) or not any(_limits(self.layouts[number])):
                continue
            try:
                after = [
                    one.layout() for one in self.session.parts_after(lever.at()) if one.materials == part.materials
                ]
            except InputError:
                return False
            if [_limits(layout) for layout in after] != [_limits(self.layouts[number])]:
                return False
        return True

    def _materials(self, lever: PageLever) -> Iterator[str]:
        taken = frozenset(lever.offers)
        for catalog in self.session.inputs.catalogs:
            for offer in catalog.offers:
                if offer.id in taken:
                    yield from (line.material for line in offer.outputs if line.material in self.of_material)


PER_PROGRAM = 8
"""What a program counts for among trials, for the bar."""


def _can_be_searched(layout: PartLayout) -> bool:
    return not layout.ranked and int(layout.linear.integer.sum()) <= MOST_CHOICES


def _limits(layout: PartLayout) -> Counter[tuple[str, float, float]]:
    """What limit rules ask for in figures: owner, least and most of rows of which one is not zero."""
    linear, rows = layout.linear, len(layout.linear.row_lower)
    ends = [*(first for first, _ in layout.owners[1:]), rows]
    found: Counter[tuple[str, float, float]] = Counter()
    for (first, owner), last in zip(layout.owners, ends, strict=True):
        if owner.startswith("rule "):
            found.update(
                (owner, low, high)
                for low, high in zip(
                    linear.row_lower[first:last].tolist(), linear.row_upper[first:last].tolist(), strict=True
                )
                if any(end and isfinite(end) for end in (low, high))
            )
    return found
