"""Levers: the steps that a repair can take, with their bounds, and the facts with some of them.

A lever only ever allows more than the case does, and is found in the facts upstream of demands. No code here depends on a kind of rule. The bounds
limit a repair, but don't say that it is likely.

`Lattice` finds all minimal sets of levers that suffice, where adding levers never undoes that. Every set that doesn't suffice is grown to a
largest such set. The levers outside of it are a cut: every set that suffices contains one of them. Sets that hit every known cut are tried
smallest first, so a set that suffices is minimal. This is the enumeration of minimal sets over the map of tried sets (MARCO). The map is
kept as cuts, which give its smallest hitting sets (Reiter).

- MARCO: Liffiton, Previti, Malik and Marques-Silva, Fast, flexible MUS enumeration, Constraints 21, 2016, 223-250
- Reiter, A theory of diagnosis from first principles, Artificial Intelligence 32, 1987, 57-95
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import inf

import numpy as np

from friendshore.domain.base import Number, Record, grouped
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.quantities import parse_number
from friendshore.domain.runtime import cached_method
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.capacity import Capacities, accepted_steps
from friendshore.problem.inputs import Inputs
from friendshore.problem.law import waiver_id
from friendshore.problem.merged import merge
from friendshore.problem.parts import impact
from friendshore.program.matrix import Floats, Linear
from friendshore.session import Session
from friendshore.solve import SolverAnswer, WarmStartedSolver


class LeverKind(StrEnum):
    """Kind of a lever. Repairs prefer to use less of earlier kinds: first the user's own wishes, then law and rules, then the actions of others."""

    LATER = "later"
    """Demand is wanted later."""
    WAIVER = "waiver"
    LOOSEN = "loosen"
    """The bounds of a limit are relaxed."""
    LICENCE = "licence"
    PROOF = "proof"
    TERM = "term"
    """A term of trade no longer applies."""
    STOCK = "stock"
    PLANNED = "planned"
    """A plant that is not yet running counts in full from its stated date."""
    EARLIER = "earlier"
    """A plant starts earlier than stated."""
    CAPACITY = "capacity"
    """A plant has more capacity."""
    LEAD = "lead"
    """A capacity without sufficient evidence counts."""


class LeverBounds(Record):
    """Bounds of levers."""

    capacity: Number = Decimal(1)
    """Share by which a capacity may grow."""
    later: int = 4
    """Periods by which demand may be delayed, and by which a plant may start earlier."""
    stock: Number = Decimal(1)
    """Additional initial stock, in years of the short demands at their peak."""
    lead: Number = Decimal(2)
    """Output of a plant of unknown capacity, as a share of the peak of the short demands."""


def stated_bounds(words: Iterable[str]) -> LeverBounds:
    """Return bounds as a user states them, like `stock=2`, with defaults for the others.

    Raises:
        InputError: For an unknown bound, or a value that isn't a number of zero or more.
    """
    names = ", ".join(LeverBounds.model_fields)
    stated: dict[str, Decimal] = {}
    for word in words:
        name, _, number = word.partition("=")
        trouble = Diagnostic(
            "this bounds nothing",
            column="bound",
            found=word,
            expected=f"NAME=NUMBER, the name one of {names}, like `stock=2`",
        )
        try:
            value = parse_number(number)
        except ValueError:
            raise InputError(trouble) from None
        if name not in LeverBounds.model_fields or value < 0 or (name == "later" and value != int(value)):
            raise InputError(trouble)
        stated[name] = value
    return LeverBounds.model_validate(stated)


@dataclass(frozen=True, slots=True, eq=False)
class Lever:
    """One decision, with its bounds."""

    kind: LeverKind
    subjects: tuple[str, ...]
    """Ids of its subjects: a rule, an offer, a facility, a material, or a demand for each amount."""
    make: Callable[[Sequence[Decimal]], tuple[Change, ...]]
    """Function from amounts to changes."""
    most: tuple[Decimal, ...] = ()
    """Bounds of its amounts. Empty for a yes-no decision."""
    unit: str = ""
    """`kg`, `kg/year`, `months`, or empty for a limit's own unit or a factor."""
    step: Decimal = Decimal(0)
    """Step: amounts are whole multiples of it."""
    of: str = ""
    """Its purpose: a demand or an exporter."""
    name: str = ""
    """Its subject in words."""
    note: str = ""
    """Note: the clause, the missing proof, or today's status."""
    today: Decimal | None = None
    """Value without the lever, if it raises a capacity or moves a share."""
    base: Decimal = Decimal(0)
    """Kilograms that the share refers to, negative for a minimum share. The smallest if several differ."""
    since: date | None = None
    """First day of a waiver whose law bounds how long it runs."""
    until: date | None = None

    @property
    def one_by_one(self) -> bool:
        """True if its few amounts are tried one after another. A larger amount need not be better."""
        return self.unit == "months"


@dataclass(frozen=True, slots=True)
class Need:
    """Demands to serve together."""

    demands: tuple[str, ...]
    short: Mapping[str, tuple[Decimal, ...]]
    """Demand -> kilograms short in each period. All of a demand if its rules conflict."""
    rules: frozenset[str] = frozenset()
    """Rules that conflict and should be satisfied together. The demands may then be short."""
    materials: frozenset[str] = frozenset()
    """Materials of conflicting rules."""

    @property
    def kilograms(self) -> Decimal:
        return sum((sum(by_period, Decimal(0)) for by_period in self.short.values()), Decimal(0))


def yes_no(kind: LeverKind, subject: str, change: Change, name: str = "", of: str = "", note: str = "") -> Lever:
    """Return a lever without an amount."""
    return Lever(kind, (subject,), lambda _: (change,), name=name or subject, of=of, note=note)


Members = frozenset[int]
"""Positions of levers."""
Amounts = Mapping[int, tuple[Decimal, ...]]
"""Position of a lever -> its amounts, empty for a yes-no decision."""


class Lattice:
    """The sets of `count` levers, and known facts about them."""

    def __init__(
        self,
        count: int,
        does: Callable[[Members], bool],
        widened: Callable[[Members, bool], Members | None] = lambda _, __: None,
    ) -> None:
        """Start without known sets.

        Args:
            count: Number of levers.
            does: Function that returns True if a set suffices. Then every larger set must suffice too.
            widened: Function that returns a larger set that is known not to suffice, as large as possible if its argument is True. None means that
                the set is unknown and has to be tried.
        """
        self.all: Members = frozenset(range(count))
        self._asked = does
        self._widened = widened
        self._doing: list[Members] = []
        self._not: list[Members] = []
        """Largest sets known not to suffice."""
        self.searched = -1
        """All minimal sets of up to this size have been found. -1 if nothing is known."""
        self._wide: list[Members] = []
        """Those sets that don't need to grow."""

    def does(self, members: Members, far: bool = True) -> bool:
        """Return True if a set suffices, from known sets or else by a trial. With `far`, a cut may be needed if it doesn't."""
        if any(known <= members for known in self._doing):
            return True
        if any(members <= known for known in self._not):
            return False
        wide = self._widened(members, far)
        if wide is not None:
            self._not.append(wide)
            self._wide += [wide] if far else []
            return False
        found = self._asked(members)
        (self._doing if found else self._not).append(members)
        return found

    def minimal(self, most: int) -> Iterator[Members]:
        """Yield every minimal set of at most `most` levers that suffices, smaller ones first, in canonical order."""
        if not self.does(self.all):
            return
        cuts: list[list[int]] = []
        found: list[Members] = []
        for size in range(most + 1):
            yield from self._of_size(frozenset(), frozenset(), size, cuts, found, last=size == most)
            self.searched = size

    def _of_size(
        self, chosen: Members, passed: Members, size: int, cuts: list[list[int]], found: list[Members], last: bool
    ) -> Iterator[Members]:
        """Yield minimal sets of at most `size` levers that contain all of `chosen` and none of `passed`."""
        while True:
            if any(known <= chosen for known in found):
                return
            cut = next((cut for cut in cuts if chosen.isdisjoint(cut)), None)
            if cut is not None:
                break
            if self.does(chosen, far=len(chosen) < size or not last):
                found.append(chosen)
                yield chosen
                return
            if len(chosen) == size:  # grown in the next round, if there is one: the largest sets need not be
                return
            wide = max((known for known in self._wide if chosen <= known), key=len, default=None)
            largest = self._grown(chosen, sorted(self.all - chosen)) if wide is None else wide
            cuts.append(sorted(self.all - largest))
        if len(chosen) == size:
            return
        for position, lever in enumerate(cut):
            if lever not in passed:
                yield from self._of_size(chosen | {lever}, passed | set(cut[:position]), size, cuts, found, last)

    def _grown(self, members: Members, others: list[int]) -> Members:
        """Return a set that doesn't suffice with as many of `others` as possible. Halves are tried as a whole first."""
        if not others:
            return members
        if not self.does(members | frozenset(others)):
            return members | frozenset(others)
        if len(others) == 1:
            return members
        half = len(others) // 2
        return self._grown(self._grown(members, others[:half]), others[half:])


MAKES = frozenset({LeverKind.PLANNED, LeverKind.EARLIER, LeverKind.CAPACITY, LeverKind.LEAD})
"""Levers that increase the output of a plant."""
ALLOWS = frozenset({LeverKind.WAIVER, LeverKind.LICENCE})
"""Levers that let purchases from any offer pass a rule."""
Delays = tuple[tuple[int, tuple[Decimal, ...]], ...]
"""Positions of levers that delay demand, with their amounts."""


class LeverFacts:
    """All levers of some demands, and the facts without them."""

    def __init__(self, inputs: Inputs, levers: Sequence[Lever], sure: float, heard: Callable[[], None]) -> None:
        """Start with the facts without levers.

        Args:
            inputs: Facts without levers.
            levers: All levers.
            sure: Kilograms short that refute a set, more than the error of a solver.
            heard: Function called before each solve. An exception in it ends the search.
        """
        self.inputs = inputs
        self.levers = levers
        self.all: Members = frozenset(range(len(levers)))
        self.sure = sure
        self.solved = 0
        """Number of solved programs."""
        self._heard = heard
        self._uncharged = replace(inputs, rules=tuple(rule for rule in inputs.rules if rule.verbs != {"charge"}))
        """Facts without rules that only charge, since these don't affect what is allowed."""
        self.base = inputs.problem()
        """Facts without levers, resolved."""
        self.proofs = {levers[i].subjects[0]: i for i in self._of({LeverKind.PROOF})}
        """Offer -> the lever that proves its origin."""
        self.allowing = frozenset(self._of(ALLOWS))
        self.moving = frozenset(self._of({LeverKind.LATER}))
        self.making = grouped((levers[i].subjects[0], i) for i in self._of(MAKES))
        """Facility -> levers that increase its output."""

    def _of(self, kinds: Iterable[LeverKind]) -> list[int]:
        return [i for i, lever in enumerate(self.levers) if lever.kind in kinds]

    @cached_method
    def allowed(self, members: Members, later: Delays) -> Problem | None:
        """Return the facts without proofs, with some of all waivers and licenses, and with delayed demand. None if they don't form a valid case."""
        none = self.allowing | self.moving | frozenset(self.proofs.values())
        free = {i: self.levers[i].most for i in (self.all - none) | members}
        try:
            return self._uncharged.after(self.changes({**free, **dict(later)})).problem()
        except InputError:
            return None

    def changes(self, amounts: Amounts) -> list[Change]:
        """Return the changes for amounts of levers."""
        return [change for i in sorted(amounts) for change in self.levers[i].make(amounts[i])]

    def names_of_waivers(self, members: Members) -> dict[str, int]:
        """Return the waivers of some levers, by name."""
        own, after = self._brought(members, LeverKind.WAIVER)
        return {waiver_id(w): i for w, i in zip(after.waivers[len(self.inputs.case.waivers) :], own, strict=True)}

    def names_of_stocks(self, members: Members) -> dict[str, int]:
        """Return the stocks of some levers, by name."""
        own, after = self._brought(members, LeverKind.STOCK)
        return {lot.id: i for lot, i in zip(after.stocks[len(self.inputs.case.stocks) :], own, strict=True)}

    def _brought(self, members: Members, kind: LeverKind) -> tuple[list[int], Case]:
        own = [i for i in self._of({kind}) if i in members]
        return own, self.inputs.after(self.changes({i: self.levers[i].most for i in own})).case

    def optimum(self, program: WarmStartedSolver, linear: Linear) -> SolverAnswer:
        """Solve a linear program and count it."""
        self._heard()
        self.solved += 1
        return program.optimum(linear)

    def capacity(self, facility: str, amounts: Amounts) -> Floats:
        """Return the kilograms that a facility can make in each period with amounts of its levers. Infinite if unlimited."""
        return self._capacity(facility, tuple((i, tuple(amounts[i])) for i in self.making[facility] if i in amounts))

    @cached_method
    def _capacity(self, facility: str, own: Delays) -> Floats:
        after = self.inputs.after(self.changes(dict(own)))
        merged = merge(after.catalogs, after.case) if own else self.base.merged
        steps = accepted_steps(merged.facilities[facility], merged, after.case)
        most = Capacities(merged, after.case).of(facility) if steps else [Decimal(0)] * after.case.horizon.count
        return np.array([inf if each is None else float(each) for each in most])


def facts_about(session: Session, need: Need, changes: Sequence[Change]) -> Inputs:
    """Return the facts before some changes of all parts that some demands or conflicting rules are in after them."""
    about = {d.use.material.id for d in session.problem.demands if d.id in need.demands} | need.materials
    part_of = session.parts.of_material
    own = {session.parts.members[part_of[name]] for name in about if name in part_of}
    parts = [part for part in impact(session.parts, changes) if about & part.members]
    members = frozenset().union(*own, *(part.members for part in parts))
    return session.parts.part(members, frozenset().union(*(part.rules for part in parts)))


def weighed(inputs: Inputs, changes: Sequence[Change]) -> Inputs:
    """Return the facts without rules that have no effect on possible supply.

    These are rules that prohibit no offer with all levers used. If no limit counts money, they include rules that only charge.
    """
    world = inputs.after(changes).problem()
    judgements = world.judgements.values()
    silent = {
        rule.id
        for number, rule in enumerate(world.rules)
        if rule.verbs == {"judge"} and not any(number in j.chain or number in j.trade for j in judgements)
    }
    if all(term.unit != "money" for _, row in world.limit_rows for term in row.asked):
        silent |= {rule.id for rule in world.rules if rule.verbs == {"charge"}}
    return replace(inputs, rules=tuple(rule for rule in inputs.rules if rule.id not in silent))
