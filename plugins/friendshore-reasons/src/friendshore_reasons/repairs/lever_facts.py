"""Levers as bounds on what they can do need them: what each is about, and the facts with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from math import inf

import numpy as np

from friendshore.domain.base import grouped
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.capacity import Capacities, accepted_steps
from friendshore.problem.impact import impact
from friendshore.problem.inputs import Inputs
from friendshore.problem.judging import waiver_id
from friendshore.problem.merged import merge
from friendshore.program.matrix import Floats, Linear
from friendshore.session import Session
from friendshore.solve import Reasked, SolverAnswer

from .levers import Amounts, Lever, LeverKind, Members, Need

MAKES = frozenset({LeverKind.PLANNED, LeverKind.EARLIER, LeverKind.CAPACITY, LeverKind.LEAD})
"""Levers that let a plant make more."""
ALLOWS = frozenset({LeverKind.WAIVER, LeverKind.LICENCE})
"""Levers that let what is bought pass a rule, whatever its offer."""
Delays = tuple[tuple[int, tuple[Decimal, ...]], ...]
"""Levers that let demand be wanted later, by their places, with their amounts."""


class LeverFacts:
    """All levers of some demands, and the facts without them."""

    def __init__(self, inputs: Inputs, levers: Sequence[Lever], sure: float, heard: Callable[[], None]) -> None:
        """Nothing is made of them yet.

        Args:
            inputs: the facts without any lever.
            levers: all levers.
            sure: kilograms short by which a set is refuted: more than a solver may be out by.
            heard: called before each solve; what it raises ends the search.
        """
        self.inputs = inputs
        self.levers = levers
        self.all: Members = frozenset(range(len(levers)))
        self.sure = sure
        self.solved = 0
        """How many programs have been solved."""
        self._heard = heard
        self._allowed: dict[tuple[Members, Delays], Problem | None] = {}
        self._uncharged = replace(inputs, rules=tuple(rule for rule in inputs.rules if rule.verbs != {"charge"}))
        """The facts without rules that only charge: what is allowed does not depend on them."""
        self.base = inputs.problem()
        """The facts without any lever, resolved."""
        self.proofs = {levers[i].subjects[0]: i for i in self._of({LeverKind.PROOF})}
        """Offer -> the lever that proves its origin."""
        self.allowing = frozenset(self._of(ALLOWS))
        self.moving = frozenset(self._of({LeverKind.LATER}))
        self.making = grouped((levers[i].subjects[0], i) for i in self._of(MAKES))
        """Facility -> levers that let it make more."""
        self._capacity: dict[tuple[str, tuple[tuple[int, tuple[Decimal, ...]], ...]], Floats] = {}

    def _of(self, kinds: Iterable[LeverKind]) -> list[int]:
        return [i for i, lever in enumerate(self.levers) if lever.kind in kinds]

    def allowed(self, members: Members, later: Delays) -> Problem | None:
        """The facts with no proof, of all waivers and licences some, and demand wanted so much later."""
        if (members, later) not in self._allowed:
            none = self.allowing | self.moving | frozenset(self.proofs.values())
            free = {i: self.levers[i].most for i in (self.all - none) | members}
            try:
                inputs = self._uncharged.after(self.changes({**free, **dict(later)}))
                self._allowed[members, later] = inputs.problem()
            except InputError:  # together they make no case
                self._allowed[members, later] = None
        return self._allowed[members, later]

    def changes(self, amounts: Amounts) -> list[Change]:
        """The changes that so much of some levers comes to."""
        return [change for i in sorted(amounts) for change in self.levers[i].make(amounts[i])]

    def names_of_waivers(self, members: Members) -> dict[str, int]:
        """Waivers that some levers bring, by their names -> the lever."""
        own, after = self._brought(members, LeverKind.WAIVER)
        return {waiver_id(w): i for w, i in zip(after.waivers[len(self.inputs.case.waivers) :], own, strict=True)}

    def names_of_stocks(self, members: Members) -> dict[str, int]:
        """Stocks that some levers bring, by their names -> the lever."""
        own, after = self._brought(members, LeverKind.STOCK)
        return {lot.id: i for lot, i in zip(after.stocks[len(self.inputs.case.stocks) :], own, strict=True)}

    def _brought(self, members: Members, kind: LeverKind) -> tuple[list[int], Case]:
        own = [i for i in self._of({kind}) if i in members]
        return own, self.inputs.after(self.changes({i: self.levers[i].most for i in own})).case

    def optimum(self, program: Reasked, linear: Linear) -> SolverAnswer:
        """The optimum of a linear program, counted."""
        self._heard()
        self.solved += 1
        return program.optimum(linear)

    def capacity(self, facility: str, amounts: Amounts) -> Floats:
        """Kilograms that a facility can make in each period with so much of the levers that are about it; infinite: unlimited."""
        own = tuple((i, tuple(amounts[i])) for i in self.making[facility] if i in amounts)
        if (facility, own) not in self._capacity:
            after = self.inputs.after(self.changes(dict(own)))
            merged = merge(after.catalogs, after.case) if own else self.base.merged
            steps = accepted_steps(merged.facilities[facility], merged, after.case)
            most = Capacities(merged, after.case).of(facility) if steps else [Decimal(0)] * after.case.horizon.count
            self._capacity[facility, own] = np.array([inf if each is None else float(each) for each in most])
        return self._capacity[facility, own]


def facts_about(session: Session, need: Need, changes: Sequence[Change]) -> Inputs:
    """The facts, before some changes, of all parts that some demands or conflicting rules have to do with after them."""
    about = {d.use.material.id for d in session.problem.demands if d.id in need.demands} | need.materials
    part_of = session.parts.of_material
    own = {session.parts.members[part_of[name]] for name in about if name in part_of}
    parts = [part for part in impact(session.parts, changes) if about & part.members]
    members = frozenset().union(*own, *(part.members for part in parts))
    return session.parts.part(members, frozenset().union(*(part.rules for part in parts)))


def weighed(inputs: Inputs, changes: Sequence[Change]) -> Inputs:
    """The same facts without rules that bear on nothing: those that find nothing against any offer with all levers used, and, where no
    limit asks for money, those that only charge. What can be served does not depend on them.
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
