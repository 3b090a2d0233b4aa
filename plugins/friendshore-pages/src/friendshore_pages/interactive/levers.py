"""Levers of a page: the changes that they make, their effects on the numbers of a program, and the selection for a page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from friendshore.domain.change import Change
from friendshore.domain.time import add_months
from friendshore.errors import InputError

if TYPE_CHECKING:
    from friendshore.domain.facts import Facility
    from friendshore.session import ChangedPart, PartLayout, PartPlan, Session


SIZED = ("price", "capacity", "demand")
"""Kinds of levers that multiply a number."""
DELAYS = (6, 12, 24)
"""Delays of capacities and demands in months."""
MOVES = (12, 24)
"""Delays of rules in months."""


@dataclass(frozen=True, slots=True)
class PageLever:
    """A possible change of the case."""

    kind: str
    """Kind.

    `price`, `capacity`, and `demand` multiply. `delay`, `later`, and `move` choose among dates. `remove` takes offers away from a period on.
    `disable` and `enable` switch rules.
    """
    name: str
    """Name of an offer, facility, demand, or rule. For a loss, the subject as in a change."""
    title: str
    change: Change
    """The change as in a case file, without the factor."""
    choice: str = ""
    """Selected date. Empty for other kinds."""
    offers: tuple[str, ...] = ()
    """Offers that it takes away."""

    @property
    def sized(self) -> bool:
        """True if it is a factor. False if it is a switch."""
        return self.kind in SIZED

    def at(self, factor: Decimal = Decimal(1), start: date | None = None) -> Change:
        """Return the change of the case, for a loss from the given date on."""
        if self.sized:
            return self.change.but(factor=factor)
        return self.change if start is None or self.kind != "remove" else self.change.but(start=start)

    @property
    def words(self) -> str:
        """The change as in `--change`, without the factor and the first day."""
        return in_words(self.change, *(("factor",) if self.sized else ()))


def in_words(change: Change, *without: str) -> str:
    """Return a change as in `--change`, without some of its keys."""

    def told(value: object) -> str:
        some = sorted(map(str, value)) if isinstance(value, frozenset | list) else [str(value)]
        return ";".join(some)

    words = {key: value for key, value in change.as_written("").items() if key not in (*without, "why")}
    return ", ".join(f"{key}={told(value)}" for key, value in words.items())


def wanted(session: Session, offers: frozenset[str]) -> list[PageLever]:
    """Return all levers to try, in the page's order. `offers` are those that a plan can buy."""
    return [*_amounts(session, offers), *_delays(session), *_losses(session, offers), *_rules(session)]


def losses(session: Session, offers: frozenset[str]) -> list[PageLever]:
    """Return the losses of single offers, and of suppliers, owners, countries, and catalogs with all their offers."""
    return list(_losses(session, offers))


def _amounts(session: Session, offers: frozenset[str]) -> Iterator[PageLever]:
    facilities = session.problem.merged.facilities
    known = [facts.offer for facts in session.problem.offers if facts.offer.id in offers]
    for offer in known:
        yield PageLever("price", offer.id, _at(facilities[offer.facility]), _sized(price=f"offer:{offer.id}"))
    for name in sorted({offer.facility for offer in known}):
        yield PageLever("capacity", name, _at(facilities[name]), _sized(capacity=name))
    for demand in session.problem.demands:
        yield PageLever("demand", demand.id, demand.use.material.id, _sized(demand=f"demand:{demand.id}"))


def _sized(**subject: str) -> Change:
    return Change.model_validate({**subject, "factor": 1})


def _delays(session: Session) -> Iterator[PageLever]:
    case = session.problem.case
    first = case.horizon.start
    for facility in sorted(session.problem.merged.facilities.values(), key=lambda facility: facility.id):
        if any(step.start is not None and add_months(step.start, 24) > first for step in facility.capacity):
            for months in DELAYS:
                change = Change(capacity=facility.id, delay=Decimal(months))
                yield PageLever("delay", facility.id, _at(facility), change, _later(months))
    for demand in session.problem.demands:
        for months in DELAYS:
            change = Change(demand=f"demand:{demand.id}", delay=Decimal(months))
            yield PageLever("later", demand.id, demand.use.material.id, change, _later(months))


def _later(months: int) -> str:
    return f"{months} months later"


def _losses(session: Session, offers: frozenset[str]) -> Iterator[PageLever]:
    facilities = session.problem.merged.facilities
    groups: dict[str, list[str]] = defaultdict(list)
    for catalog in session.inputs.catalogs:
        for offer in catalog.offers:
            if offer.id not in offers:
                continue
            facility = facilities[offer.facility]
            yield PageLever("remove", offer.id, _at(facility), Change(remove=f"offer:{offer.id}"), offers=(offer.id,))
            for kind, name in (
                ("country", facility.country),
                ("supplier", facility.supplier),
                ("parent", facility.owner),
                ("catalog", offer.catalog),
            ):
                if name:
                    groups[f"{kind}:{name}"].append(offer.id)
    told: set[tuple[str, ...]] = set()
    for name, taken in sorted(groups.items()):
        kind = name.partition(":")[0]
        if kind == "parent" and tuple(taken) in told:
            continue  # the same as its supplier
        told.add(tuple(taken))
        title = f"{len(taken)} offer{'s' if len(taken) > 1 else ''}"
        yield PageLever("remove", name, title, Change(remove=name), offers=tuple(taken))


def _rules(session: Session) -> Iterator[PageLever]:
    horizon = session.problem.case.horizon
    held = frozenset(session.problem.case.accept.rule_status)
    for rule in session.problem.rules:
        title = rule.title or rule.citation
        spans = [phase for phase in rule.phases if phase.span.meets(horizon.span)]
        if any(phase.status in held for phase in spans):
            yield PageLever("disable", rule.id, title, Change(disable=rule.id))
        if any(phase.status in ("pending", "unknown") and phase.status not in held for phase in spans):
            yield PageLever("enable", rule.id, title, Change(enable=rule.id))
        begins = [phase.start for phase in spans if phase.status in held and phase.start is not None]
        if begins and min(begins) > horizon.start:
            for months in MOVES:
                day = add_months(min(begins), months)
                yield PageLever("move", rule.id, title, Change(move=rule.id, start=day), f"from {day}")
    for bill in session.inputs.bills:
        yield PageLever("enable", bill.id, bill.title, Change(enable=bill.id))


def _at(facility: Facility) -> str:
    return f"{facility.name or facility.id}, {facility.country}"


def of_offers(lever: PageLever, offers: frozenset[str]) -> PageLever:
    """Return the lever with only those of its offers that exist."""
    return replace(lever, offers=tuple(name for name in lever.offers if name in offers))


Floats: TypeAlias = NDArray[np.float64]
SIZES = (Decimal("0.5"), Decimal(2))
"""Factors for testing whether numbers change in proportion."""
LEAST = Decimal("0.01")
"""Minimum factor of demand and capacity, because a factor of 0 leads to a different program."""
FINE = Decimal(1000)
"""Multiple at which rounded numbers are tested."""
OFF = 1e-9
"""Maximum relative difference between two layouts, because capacities and quantities are rounded to the resolution of the case."""
LARGEST = Decimal(1000)
"""Maximum factor of a price, and of a quantity in programs without integers."""
WHOLE = Decimal(4)
"""Maximum factor of a quantity in programs with integers. Their bounds must allow for all of it, and larger bounds take longer to search."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """Effect of a lever on the numbers of one program."""

    positions: NDArray[np.intp]
    """Numbers that it changes, as positions in `numbers`."""
    slopes: Floats
    """Change of each number for an increase of 100 %, or for a switch, its change when switched."""
    sized: bool
    step: float = 0.0
    """Rounding step of a demand and of its change, in kilograms. 0 means no rounding."""

    def moves(self, factor: Decimal, count: int) -> Floats:
        """Return the change of each of all `count` numbers."""
        found = np.zeros(count)
        by = self.slopes * float(factor - 1) if self.sized else self.slopes
        if self.step:
            by = (np.rint(self.slopes * float(factor) / self.step) - np.rint(self.slopes / self.step)) * self.step
        found[self.positions] = by
        return found


@dataclass(frozen=True, slots=True, eq=False)
class PageProgram:
    """A part of a case as it is, or after a lever that leads to a different program."""

    covers: tuple[int, ...]
    """Numbers of the parts of the case that it represents."""
    layout: PartLayout
    most: Decimal
    """Maximum factor of demand and capacity within which its bounds are valid."""
    effects: Mapping[int, Effect]
    """Number of a lever -> its effect, for each tested and exact lever. Losses remove columns and aren't included."""
    apart: tuple[tuple[int, int], ...]
    """Pairs of levers whose effects don't add up."""
    alone: bool
    """True if levers can't be combined, because the cause of a deviation wasn't found."""


def numbers(layout: PartLayout) -> Floats:
    """Return all numbers of a program in one array: costs, lower and upper bounds of columns and of rows, and coefficients."""
    linear = layout.linear
    ends = linear.lower, linear.upper, linear.row_lower, linear.row_upper
    return np.concatenate([linear.cost, *ends, linear.entries.data])


def most(layout: PartLayout) -> Decimal:
    """Return the maximum factor of quantities for a program."""
    return WHOLE if layout.linear.integer.any() else LARGEST


def laid(part: ChangedPart) -> PartLayout:
    """Return the layout of a part for a page, with bounds that are valid for all levers."""
    wide = part.layout(LARGEST)
    return wide if not wide.linear.integer.any() else part.layout(WHOLE)


class LeverTrial:
    """Test of levers on a program by laying it out again after changes."""

    def __init__(
        self, session: Session, part: ChangedPart, layout: PartLayout, levers: Mapping[int, PageLever]
    ) -> None:
        """Create the test. `levers` maps numbers to the levers that may change the program."""
        self.session, self.part, self.layout = session, part, layout
        self.within: tuple[Change, ...] = part.changes
        self.levers = levers
        self.base = numbers(layout)
        self.places = {column: number for number, column in enumerate(layout.columns)}
        self.step = float(session.problem.case.resolution)

    def sized(self) -> dict[int, Effect]:
        """Return the effects of the levers that multiply, if exact."""
        found: dict[int, Effect] = {}
        for kind in SIZED:
            found |= self._together([number for number, lever in self.levers.items() if lever.kind == kind], kind)
        return found

    def done(self, number: int) -> Effect | None:
        """Return the effect of a switch. None if it leads to a different program, or exceeds the bounds."""
        change = self.levers[number].at()
        by = self.moved([change])
        if by is None or not np.isfinite(by).all():
            return None
        positions = np.flatnonzero(by)
        if len(positions) and not self._stays_within([change]):
            return None
        return Effect(positions, by[positions], sized=False)

    def moved(self, changes: Sequence[Change]) -> Floats | None:
        """Return the change of each number. None if the changes lead to a different program, or an invalid case."""
        part = self._after(changes)
        if part is None:
            return None
        try:
            layout = part.layout_within(self.layout)
        except InputError:
            return None
        return self._difference(layout)

    def apart(self, effects: Mapping[int, Effect]) -> tuple[tuple[tuple[int, int], ...], bool]:
        """Return the pairs of levers whose combined effect differs from the sum of their effects, and True if there are other deviations."""
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
        """Return True if two levers are alternatives, of which only one applies at a time."""
        a, b = self.levers[one], self.levers[other]
        return (a.kind, a.name) == (b.kind, b.name)

    def _rounds(self, some: Sequence[int]) -> Iterator[list[int]]:
        """Yield all levers with one choice of each subject at a time, until each choice has been included."""
        choices: dict[tuple[str, str], list[int]] = {}
        for number in some:
            choices.setdefault((self.levers[number].kind, self.levers[number].name), []).append(number)
        for turn in range(max(map(len, choices.values()), default=0)):
            yield [own[min(turn, len(own) - 1)] for own in choices.values()]

    def _adds_up(self, some: Iterable[int], effects: Mapping[int, Effect]) -> bool:
        off = self._unexplained(list(some), effects)
        return off is not None and not len(off)

    def _unexplained(self, some: Sequence[int], effects: Mapping[int, Effect]) -> NDArray[np.intp] | None:
        """Return the numbers that some levers together change by more or less than the sum. None if together they lead to a different program."""
        # Factors of no pattern, so that two mistakes do not make up for each other.
        factors = {n: (Decimal(i * 37 % 89 + 17) / 41).quantize(Decimal("0.001")) for i, n in enumerate(some, 1)}
        by = self.moved([self.levers[number].at(factor) for number, factor in factors.items()])
        if by is None:
            return None
        return np.flatnonzero(self._off(by, self._sum(factors, effects)))

    def _together(self, some: Sequence[int], kind: str) -> dict[int, Effect]:
        """Return the effects of some levers of a kind, without inexact ones."""
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
        """Return the effects of some levers. None unless each changes its own numbers, in proportion."""
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
        """Return True for the numbers in which two changes differ."""
        size = np.maximum(1, np.abs(np.where(np.isfinite(self.base), self.base, 0)))
        found: NDArray[np.bool_] = ~(np.abs(one - other) <= OFF * size)
        return found

    def _stays_within(self, changes: Sequence[Change]) -> bool:
        part = self._after(changes)
        return part is not None and part.stays_within(self.layout, most(self.layout))

    def _after(self, changes: Sequence[Change]) -> ChangedPart | None:
        """Return this part of the case after changes. None if it no longer exists."""
        try:
            if all(change.subject in SIZED and change.delay is None for change in changes):
                return self.part.what_if(*changes)  # which bear on it, and on it alone
            parts = self.session.parts_after(*self.within, *changes)
        except InputError:
            return None
        return next((part for part in parts if part.materials == self.part.materials), None)

    def _difference(self, other: PartLayout) -> Floats | None:
        """Return the change of each number in the other program, with missing columns closed. None if it has other rows or columns."""
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


MOST_CHOICES = 400
"""Maximum number of integer decisions in a part that a page searches: the same as `plan` lets HiGHS search in one program."""
MOST_NUMBERS = 90_000
"""Maximum total of coefficients and columns in all programs that levers create, so that a page can be sent by mail."""


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """Contents of a page."""

    plans: tuple[PartPlan, ...]
    """Plan of each part of the case."""
    programs: tuple[PageProgram, ...]
    """Programs of the parts as they are, then those that levers create."""
    levers: tuple[PageLever, ...]
    touches: tuple[tuple[int, ...], ...]
    """Numbers of the parts that each lever affects."""
    makes: Mapping[int, tuple[int, ...]]
    """Lever -> numbers of the programs that replace others."""
    left_out: tuple[tuple[str, str], ...]
    """Changes that the page can't make, with the reason."""


@dataclass(slots=True)
class _Found:
    """Results for one lever so far."""

    touches: tuple[int, ...]
    parts: tuple[ChangedPart, ...]
    effects: dict[int, Effect]
    programs: list[int]
    why: str = ""
    """Reason for leaving it out. Empty if it is included."""


NOT_EXACT = "what they do to the program is not in proportion"
TOO_HARD = "they bear on a part of the case with more integer decisions than a page can search"
TOO_MUCH = "the programs that they make would make the page too large"


def why_not(session: Session) -> str:
    """Return the reason why a case can't have a page. Empty if it can."""
    if session.problem.objectives or session.problem.case.objectives:
        return "the case ranks objectives: a page makes one as small as it can"
    if session.solution.conflicts:
        return "the hard rules of the case conflict: a page leaves none out"
    return ""


def offered(session: Session, told: Callable[[int, int], None]) -> Offered:
    """Test everything that a page may change. `told` is called with completed and all tests."""
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
        """Return the parts that a lever affects. None if there are none."""
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
        """Test a switch: record its effect on each part, or the program that it leads to."""
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
        """Return a part as it is, with the effects of all levers."""
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
        """Return a part after a lever that leads to a different program, with the effects of prices, capacities, and demand."""
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
        """Return the page's contents: remove levers without effect, renumber the others, and append losses."""
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
        """Yield the losses of offers that are bought only in programs of the page, and that require no payments."""
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
        """Return True if limit rules stay the same without some offers. Buying none of these is then the only effect of their loss."""
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
"""Weight of a program in the progress."""


def _can_be_searched(layout: PartLayout) -> bool:
    return not layout.ranked and int(layout.linear.integer.sum()) <= MOST_CHOICES


def _limits(layout: PartLayout) -> Counter[tuple[str, float, float]]:
    """Return the nonzero limits of rules: owner, lower, and upper bound."""
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
