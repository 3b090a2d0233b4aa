"""What no set of levers can do: a bound from below on what is short, by one program in which every lever is at its bound.

What a set of levers lacks is taken away from this program: what a plant makes only by a lever, what a lever puts in stock, what is
delivered under its waiver, how far a limit is loosened, and what may be bought only once an origin is proved or a licence granted. Since a step only ever allows more,
every plan of the set itself is then still one of this program, integer variables left aside: where it leaves something short, so does the
set. The duals say more: levers of whose absence no dual speaks could be added without a change, so that one solve shows of a large set
that it does not repair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from math import inf, isnan
from typing import Protocol

import numpy as np

from friendshore.errors import InputError
from friendshore.problem import Problem
from friendshore.problem.inputs import Inputs
from friendshore.program import Choices, Program
from friendshore.program.matrix import Floats, Ints, Linear
from friendshore.solve import SolverAnswer, SolverOutcome

from .closings import apart
from .lever_facts import ALLOWS, MAKES, Delays, LeverFacts
from .lever_program import LeverProgram
from .levers import Amounts, LeverKind, Members


class Relaxation:
    """Bounds on what some demands are short of, with levers used."""

    def __init__(
        self,
        facts: LeverFacts,
        demands: Collection[str],
        laid_out: Callable[[Inputs, Problem], tuple[Program, Linear, Ints]],
    ) -> None:
        """Nothing is laid out yet.

        Args:
            facts: all levers, and the facts without them.
            demands: those that are to be served.
            laid_out: the program of some facts, as it is asked for the least shortage, with the columns of what is short.
        """
        self.facts = facts
        self.demands = demands
        self._laid_out = laid_out
        self._worlds: dict[Delays, LeverProgram | None] = {}

    def refuted(self, amounts: Amounts) -> bool:
        """Whether the demands are surely short of something with so much of some levers."""
        return self._speaking(amounts) is not None

    def _speaking(self, amounts: Amounts) -> Members | None:
        world = self._world(amounts)
        return None if world is None else world.refutes(amounts)

    def widened(self, members: Members, delays: Callable[[Members], Sequence[Amounts]], far: bool) -> Members | None:
        """A set of levers that holds some, and surely does not repair; None if that is not known even of these.

        Args:
            members: the levers that it is to hold.
            delays: all that demand may be wanted later with a set of levers.
            far: whether it is to be as large as may be.
        """
        speaking: set[int] = set(self.facts.moving - members)
        for later in delays(members):
            active = self._speaking(self._free(members, later))
            if active is None:
                return None
            speaking |= active
        rest = self.facts.all - members
        found = self.facts.all - (speaking - members)
        doubtful = 0

        def holds(some: Members) -> bool:
            nonlocal doubtful
            tried = delays(some)
            for later in (*tried[doubtful:], *tried[:doubtful]):  # first the one that was no proof the last time
                if not self.refuted(self._free(some, later)):
                    doubtful = tried.index(later)
                    return False
            return True

        if found != members and not holds(found):
            found = members
        if far and holds(found | self.facts.allowing):
            found |= self.facts.allowing
        for lever in sorted(rest - found, key=lambda i: (i not in self.facts.allowing, i)) if far else ():
            if holds(found | {lever}):
                found |= {lever}
        return found

    def _free(self, members: Iterable[int], later: Amounts) -> Amounts:
        return {**{i: self.facts.levers[i].most for i in members}, **later}

    def _world(self, amounts: Amounts) -> LeverProgram | None:
        """The program of all levers, with demand wanted as much later as is asked; None if together they make none."""
        later = tuple((i, tuple(amounts[i])) for i in sorted(self.facts.moving & amounts.keys()) if any(amounts[i]))
        if later not in self._worlds:
            free = {i: lever.most for i, lever in enumerate(self.facts.levers) if i not in self.facts.moving}
            try:
                inputs = self.facts.inputs.after(self.facts.changes({**free, **dict(later)}))
                problem = apart(inputs.problem(), self.demands)
            except InputError:
                self._worlds[later] = None
            else:
                self._worlds[later] = LeverProgram(self.facts, *self._laid_out(inputs, problem), later=later)
        return self._worlds[later]

    def of_set(
        self, amounts: Amounts, program: Program, linear: Linear, short: Ints, search: SetSearch
    ) -> SetProgram | None:
        """The program of so much of some levers, to be asked about less of them; None where that is more than other ends of rows."""
        told = MAKES | ALLOWS | {LeverKind.STOCK, LeverKind.LATER, LeverKind.LOOSEN}
        if any(self.facts.levers[i].most and self.facts.levers[i].kind not in told for i in amounts):
            return None
        world = LeverProgram(self.facts, program, linear, short, amounts)
        return None if world.loose else SetProgram(world, program, search)


class SetSearch(Protocol):
    """Compares what is short at least in a program with integer variables with what is enough (`solve.compared`)."""

    def __call__(self, linear: Linear, enough: float, start: Floats | None, /, *, sure: bool) -> SolverAnswer:
        """Return the answer, searched from the choices of a plan. A second solver confirms it if it has to be `sure`."""


class SetProgram:
    """The program of a set of levers, in which their amounts are nothing but ends of rows."""

    def __init__(self, world: LeverProgram, program: Program, search: SetSearch) -> None:
        """No plan is known yet."""
        self._world, self._program, self._search = world, program, search
        self._plan: Floats | None = None
        """The last plan that was searched for."""

    @property
    def integer(self) -> bool:
        """Whether it has integer variables."""
        return bool(self._world.integer.any())

    @property
    def choices(self) -> Choices:
        """What the last plan makes of its choices."""
        if self._plan is None:
            return {}
        place = self._world.place
        choices = self._program.choices(np.where(place >= 0, self._plan[place], np.nan))
        return {choice: value for choice, value in choices.items() if not isnan(value)}

    def within(self, amounts: Amounts, enough: float) -> bool:
        """Whether the demands can be short of no more than is enough.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        if self.short(amounts)[0] > enough:
            return False
        if not self.integer or self.short_as_chosen(amounts)[0] <= enough:
            return True
        return self._searched(amounts, enough, sure=True).objective <= enough

    def look_for_plan(self, amounts: Amounts, enough: float) -> None:
        """Search for a plan that is short of little: it proves nothing, but later questions begin from its choices.

        Raises:
            SearchEndedError: if no more is to be solved.
        """
        if self.short_as_chosen(amounts)[0] > enough:
            self._searched(amounts, enough, sure=False)

    def _searched(self, amounts: Amounts, enough: float, *, sure: bool) -> SolverAnswer:
        world = self._world
        linear = replace(world.linear, integer=world.integer, row_upper=world.ends_of_rows(amounts))
        answer = self._search(linear, enough, self._plan, sure=sure)
        self._plan = answer.x if answer.x is not None else self._plan
        return answer

    def short(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """Kilograms that the demands are short of at best, integer variables left aside, and by how much that surely falls no faster with `more`;
        infinite where it is not found.
        """
        world = self._world
        return self._optimum(amounts, more, world.linear.lower, world.linear.upper)

    def short_as_chosen(self, amounts: Amounts, more: Amounts | None = None) -> tuple[float, float]:
        """The same with the choices of the last plan; infinite without one."""
        if self._plan is None:
            return inf, 0.0
        world = self._world
        whole = np.clip(np.round(self._plan), world.linear.lower, world.linear.upper)
        lower = np.where(world.integer, whole, world.linear.lower)
        return self._optimum(amounts, more, lower, np.where(world.integer, whole, world.linear.upper))

    def _optimum(self, amounts: Amounts, more: Amounts | None, lower: Floats, upper: Floats) -> tuple[float, float]:
        world = self._world
        row_upper = world.ends_of_rows(amounts)
        answer = world.optimum(upper, row_upper, lower)
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.duals is None:
            return inf, 0.0
        if more is None:
            return answer.objective, 0.0
        before, after, duals = (
            row_upper[world.first :],
            world.ends_of_rows(more)[world.first :],
            answer.duals[world.first :],
        )
        moved = (after != before) & (duals != 0)  # an end may be infinite
        return answer.objective, float(duals[moved] @ (after[moved] - before[moved]))
