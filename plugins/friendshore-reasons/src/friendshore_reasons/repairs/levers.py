"""Levers: the steps that a repair can take, with their bounds, and the facts with some of them."""

# A lever only ever allows more than the case does, and is found in the facts upstream of demands. No code here depends on a kind of rule. The bounds
# limit a repair, but don't say that it is likely.
#
# `Lattice` finds all minimal sets of levers that suffice, where adding levers never undoes that. Every set that doesn't suffice is grown to a largest such
# set. The levers outside of it are a cut: every set that suffices contains one of them. Sets that hit every known cut are tried smallest first, so a set
# that suffices is minimal. This is the enumeration of minimal sets over the map of tried sets (MARCO), kept as cuts (Reiter).
#
# - MARCO: Liffiton, Previti, Malik and Marques-Silva, Fast, flexible MUS enumeration, Constraints 21, 2016, 223-250
# - Reiter, A theory of diagnosis from first principles, Artificial Intelligence 32, 1987, 57-95

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
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
    """Kind of a lever. Repairs prefer earlier kinds: first the user's own wishes, then law and rules, then the actions of others."""

    LATER = "later"
    WAIVER = "waiver"
    LOOSEN = "loosen"
    LICENSE = "license"
    PROOF = "proof"
    TERM = "term"
    STOCK = "stock"
    PLANNED = "planned"
    """A plant that is not yet running counts in full from its stated date."""
    EARLIER = "earlier"
    CAPACITY = "capacity"
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


def stated_bounds(texts: Iterable[str]) -> LeverBounds:
    """Parse bounds such as `stock=2`, with defaults for the others. Raises InputError for a bad one."""
    names = ", ".join(LeverBounds.model_fields)
    bounds: dict[str, Decimal] = {}
    for text in texts:
        name, _, number = text.partition("=")
        problem = Diagnostic(
            f"`{text}` isn't a bound",
            column="bound",
            found=text,
            expected=f"NAME=NUMBER, where NAME is one of {names}",
            fix="write, for example, `--bound stock=2`",
            code="FS926",
        )
        try:
            value = parse_number(number)
        except ValueError:
            raise InputError(problem) from None
        if name not in LeverBounds.model_fields or value < 0 or (name == "later" and value != int(value)):
            raise InputError(problem)
        bounds[name] = value
    return LeverBounds.model_validate(bounds)


@dataclass(frozen=True, slots=True, eq=False)
class Lever:
    """One decision, with its bounds."""

    kind: LeverKind
    subjects: tuple[str, ...]
    """Ids of its subjects: a rule, an offer, a facility, a material, or a demand for each amount."""
    changes: Callable[[Sequence[Decimal]], tuple[Change, ...]]
    """Changes for some amounts."""
    max_amounts: tuple[Decimal, ...] = ()
    """Bounds of its amounts. Empty for a yes-no decision."""
    unit: str = ""
    """`kg`, `kg/year`, `months`, or empty for a limit's own unit or a factor."""
    step: Decimal = Decimal(0)
    """Amounts are whole multiples of it."""
    of: str = ""
    """Its purpose: a demand or an exporter."""
    name: str = ""
    note: str = ""
    """The clause, the missing proof, or today's status."""
    today: Decimal | None = None
    """Value without the lever, if it raises a capacity or moves a share."""
    base: Decimal = Decimal(0)
    """Kilograms that the share refers to, negative for a minimum share. The smallest if several differ."""
    since: date | None = None
    """First day of a waiver whose law bounds how long it runs."""
    until: date | None = None

    @property
    def tried_one_by_one(self) -> bool:
        """True if its few amounts are tried one after another, because a larger amount need not be better."""
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

    @property
    def kilograms(self) -> Decimal:
        return sum((sum(by_period, Decimal(0)) for by_period in self.short.values()), Decimal(0))


def yes_no(kind: LeverKind, subject: str, change: Change, name: str = "", of: str = "", note: str = "") -> Lever:
    return Lever(kind, (subject,), lambda _: (change,), name=name or subject, of=of, note=note)


Members = frozenset[int]
Amounts = Mapping[int, tuple[Decimal, ...]]
"""Position of a lever -> its amounts, empty for a yes-no decision."""


class Lattice:
    """The sets of some levers, and which of them are known to suffice."""

    def __init__(
        self,
        count: int,
        suffices: Callable[[Members], bool],
        widened: Callable[[Members, bool], Members | None] = lambda _, __: None,
    ) -> None:
        """Start without known sets. If a set suffices, every larger one must too.

        `widened` returns a larger set that is known not to suffice (as large as possible if its argument is True), or None if the set has to be tried.
        """
        self.all: Members = frozenset(range(count))
        self._suffices = suffices
        self._widened = widened
        self._sufficient: list[Members] = []
        self._insufficient: list[Members] = []
        """Largest sets known not to suffice."""
        self.searched = -1
        """All minimal sets of up to this size are known. -1 if nothing is known."""
        self._maximal: list[Members] = []
        """Sets of `_insufficient` that don't need to grow."""

    def suffices(self, members: Members, grow: bool = True) -> bool:
        """Return True if a set suffices, from known sets or else by a trial. With `grow`, a cut may be needed if it doesn't."""
        if any(other <= members for other in self._sufficient):
            return True
        if any(members <= other for other in self._insufficient):
            return False
        insufficient = self._widened(members, grow)
        if insufficient is not None:
            self._insufficient.append(insufficient)
            self._maximal += [insufficient] if grow else []
            return False
        suffices = self._suffices(members)
        (self._sufficient if suffices else self._insufficient).append(members)
        return suffices

    def minimal(self, max_size: int) -> Iterator[Members]:
        """Yield every minimal set of at most `max_size` levers that suffices, smaller ones first, in canonical order."""
        if not self.suffices(self.all):
            return
        cuts: list[list[int]] = []
        minimal_sets: list[Members] = []
        for size in range(max_size + 1):
            yield from self._sets_of_size(frozenset(), frozenset(), size, cuts, minimal_sets, is_last=size == max_size)
            self.searched = size

    def _sets_of_size(
        self,
        chosen: Members,
        excluded: Members,
        size: int,
        cuts: list[list[int]],
        minimal_sets: list[Members],
        is_last: bool,
    ) -> Iterator[Members]:
        while True:
            if any(other <= chosen for other in minimal_sets):
                return
            cut = next((cut for cut in cuts if chosen.isdisjoint(cut)), None)
            if cut is not None:
                break
            if self.suffices(chosen, grow=len(chosen) < size or not is_last):
                minimal_sets.append(chosen)
                yield chosen
                return
            if len(chosen) == size:  # grown in the next round, if there is one: the largest sets need not be
                return
            insufficient = max((other for other in self._maximal if chosen <= other), key=len, default=None)
            largest = self._grown(chosen, sorted(self.all - chosen)) if insufficient is None else insufficient
            cuts.append(sorted(self.all - largest))
        if len(chosen) == size:
            return
        for position, lever in enumerate(cut):
            if lever not in excluded:
                yield from self._sets_of_size(
                    chosen | {lever}, excluded | set(cut[:position]), size, cuts, minimal_sets, is_last
                )

    def _grown(self, members: Members, others: list[int]) -> Members:
        if not others:
            return members
        if not self.suffices(members | frozenset(others)):
            return members | frozenset(others)
        if len(others) == 1:
            return members
        half = len(others) // 2
        return self._grown(self._grown(members, others[:half]), others[half:])


OUTPUT_KINDS = frozenset({LeverKind.PLANNED, LeverKind.EARLIER, LeverKind.CAPACITY, LeverKind.LEAD})
"""Levers that increase the output of a plant."""
PERMIT_KINDS = frozenset({LeverKind.WAIVER, LeverKind.LICENSE})
"""Levers that let purchases from any offer pass a rule."""
Delays = tuple[tuple[int, tuple[Decimal, ...]], ...]


class LeverFacts:
    """All levers of some demands, and the facts without them."""

    def __init__(
        self, inputs: Inputs, levers: Sequence[Lever], refuting_kg: float, on_solve: Callable[[], None]
    ) -> None:
        """Start with the facts without levers. A shortage above `refuting_kg` refutes a set. An exception in `on_solve` ends the search."""
        self.inputs = inputs
        self.levers = levers
        self.all: Members = frozenset(range(len(levers)))
        self.refuting_kg = refuting_kg
        self.solved = 0
        self._on_solve = on_solve
        self.base = inputs.problem()
        self.proofs = {levers[i].subjects[0]: i for i in self._positions({LeverKind.PROOF})}
        """Offer -> the lever that proves its origin."""
        self.permits = frozenset(self._positions(PERMIT_KINDS))
        self.delaying = frozenset(self._positions({LeverKind.LATER}))
        self.output_levers = grouped((levers[i].subjects[0], i) for i in self._positions(OUTPUT_KINDS))
        """Facility -> levers that increase its output."""

    def _positions(self, kinds: Iterable[LeverKind]) -> list[int]:
        return [i for i, lever in enumerate(self.levers) if lever.kind in kinds]

    @cached_method
    def allowed(self, members: Members, delays: Delays) -> Problem | None:
        """Return the facts without proofs, with some of all waivers and licenses, and with delayed demand. None if they aren't a valid case."""
        amounts = {i: self.levers[i].max_amounts for i in members}
        try:
            return self._unrestrictive.after(self.changes({**amounts, **dict(delays)})).problem()
        except InputError:
            return None

    @cached_property
    def _unrestrictive(self) -> Inputs:
        """Facts with all levers that neither permit, prove, nor delay, so that all of `allowed` share their offers. Rules that only charge are left out."""
        restrictive = self.permits | self.delaying | frozenset(self.proofs.values())
        uncharged = replace(self.inputs, rules=tuple(rule for rule in self.inputs.rules if rule.verbs != {"charge"}))
        return uncharged.after(self.changes({i: self.levers[i].max_amounts for i in self.all - restrictive}))

    @cached_property
    def undelayed(self) -> Inputs:
        """Facts with all levers but delays, at their bounds."""
        return self.inputs.after(self.changes({i: self.levers[i].max_amounts for i in self.all - self.delaying}))

    def changes(self, amounts: Amounts) -> list[Change]:
        return [change for i in sorted(amounts) for change in self.levers[i].changes(amounts[i])]

    def lever_by_waiver(self, members: Members) -> dict[str, int]:
        positions, case = self._inputs_with(members, LeverKind.WAIVER)
        return {waiver_id(w): i for w, i in zip(case.waivers[len(self.inputs.case.waivers) :], positions, strict=True)}

    def lever_by_stock(self, members: Members) -> dict[str, int]:
        positions, case = self._inputs_with(members, LeverKind.STOCK)
        return {lot.id: i for lot, i in zip(case.stocks[len(self.inputs.case.stocks) :], positions, strict=True)}

    def _inputs_with(self, members: Members, kind: LeverKind) -> tuple[list[int], Case]:
        positions = [i for i in self._positions({kind}) if i in members]
        return positions, self.inputs.after(self.changes({i: self.levers[i].max_amounts for i in positions})).case

    def optimum(self, program: WarmStartedSolver, linear: Linear) -> SolverAnswer:
        self._on_solve()
        self.solved += 1
        return program.optimum(linear)

    def capacity(self, facility: str, amounts: Amounts) -> Floats:
        return self._capacity(
            facility, tuple((i, tuple(amounts[i])) for i in self.output_levers[facility] if i in amounts)
        )

    @cached_method
    def _capacity(self, facility: str, amounts: Delays) -> Floats:
        inputs = self.inputs.after(self.changes(dict(amounts)))
        merged = merge(inputs.catalogs, inputs.case) if amounts else self.base.merged
        steps = accepted_steps(merged.facilities[facility], merged, inputs.case)
        limits = Capacities(merged, inputs.case).of(facility) if steps else [Decimal(0)] * inputs.case.horizon.count
        return np.array([inf if limit is None else float(limit) for limit in limits])


def affected_facts(session: Session, need: Need, changes: Sequence[Change]) -> Inputs:
    """Return the facts, without the changes, of all parts that some demands or conflicting rules are in after them."""
    materials = {d.use.material.id for d in session.problem.demands if d.id in need.demands} | need.materials
    part_of = session.parts.of_material
    own_parts = {session.parts.members[part_of[name]] for name in materials if name in part_of}
    parts = [part for part in impact(session.parts, changes) if materials & part.members]
    members = frozenset().union(*own_parts, *(part.members for part in parts))
    return session.parts.part(members, frozenset().union(*(part.rules for part in parts)))


def without_irrelevant_rules(inputs: Inputs, changes: Sequence[Change]) -> Inputs:
    """Return the facts without rules that prohibit nothing even with all levers used, and without charges unless a limit counts money."""
    changed = inputs.after(changes).problem()
    judgements = changed.judgements.values()
    irrelevant = {
        rule.id
        for number, rule in enumerate(changed.rules)
        if rule.verbs == {"judge"}
        and not any(number in judgement.chain or number in judgement.trade for judgement in judgements)
    }
    if all(term.unit != "money" for _, row in changed.limit_rows for term in row.all_terms):
        irrelevant |= {rule.id for rule in changed.rules if rule.verbs == {"charge"}}
    return replace(inputs, rules=tuple(rule for rule in inputs.rules if rule.id not in irrelevant))
