"""What an engine is, what it is asked and what it answers; and engines asked in turn, until one comes to an answer.

An engine solves a program within limits, from a hint, and says how good its answer is: `engine(program, limits, hint)` gives an answer with a plan, a
bound and what certifies that. GLOP, HiGHS and SCIP are those that friendshore brings (`ENGINES`); whatever has the same signature is one more:

    friendshore.plan(case, engines=ENGINES.after(mine))

Each engine gives up on some program: at a row missed by its own tolerance, at numbers far apart. None is given up for the tolerances of one
engine: the next, or the same with or without its presolve, goes another way through the same numbers. That a linear program has no plan at all is
believed once two of them say so. Where every one gives up, the answer says that (`SolverOutcome.BROKEN`), and whoever asked goes on with what
is known beside it.

Each engine's library is loaded when the engine is first asked. Most plans need only GLOP, and a certificate's proof needs none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import partial
from typing import Protocol

from ..domain.plan import OPTIMAL_GAP, OPTIMAL_MONEY, Confirmation
from ..errors import SolverError
from ..program.matrix import Floats, Ints, Linear


class Cancel(Protocol):
    """Anything that can say that the user has had enough: a `threading.Event` does."""

    def is_set(self) -> bool: ...


class Watch:
    """Shared by all searches of one solve; asked between the steps of each."""

    def __init__(self, seconds: float | None = None, cancel: Cancel | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._cancel = cancel
        self.interrupted = False
        """Whether the user has been heard."""

    def cancelled(self) -> bool:
        """Return True if the user has had enough."""
        if self._cancel is not None and self._cancel.is_set():
            self.interrupted = True
        return self.interrupted

    is_set = cancelled  # so that a watch can end another one

    def within(self, seconds: float) -> Watch:
        """Return a watch that stops with this one, or after some seconds."""
        left = self.left()
        return Watch(seconds if left is None else min(left, seconds), self)

    def share(self, part: float) -> Watch:
        """Return a watch that stops once a part of the time left is over; this one without a time limit."""
        left = self.left()
        return self if left is None else self.within(part * left)

    def left(self) -> float | None:
        """Seconds until the time is up; None: there is no such limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def stopped(self) -> bool:
        """Return True if to stop now."""
        if self.cancelled():
            return True
        left = self.left()
        return left is not None and left <= 0.0


def is_open(value: float, bound: float) -> bool:
    """Return True if a plan of this value lies too far from the bound to be called the cheapest."""
    return value - bound > float(OPTIMAL_GAP) * abs(value) + float(OPTIMAL_MONEY)


class UnboundedError(SolverError):
    """The cost has no least value: a mistake of the program, but for parts whose costs are lowered by a price."""


class BreakdownError(SolverError):
    """An engine came to no answer that can be relied on: another one is asked (`Engines`)."""


class SolverOutcome(Enum):
    """How one run of a solver ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """Stopped by a limit, with a plan."""
    NOTHING = "nothing"
    """Stopped by a limit, without a plan."""
    INFEASIBLE = "infeasible"
    UNCONFIRMED = "unconfirmed"
    """Optimal according to one run of one solver, which nothing confirmed within the limits."""
    BROKEN = "broken"
    """No engine came to an answer that can be relied on."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one of several ranked objectives comes to when its turn is over."""

    least: float
    """As small as the levels before it allow, as far as was found."""
    bound: float
    """No plan that keeps the levels before it comes to less."""
    most: float
    """What later levels may make of it."""


class LinkingMethod(StrEnum):
    """How the linking constraints of a component were dealt with."""

    LEFT_OUT = "left out"
    """They hold by themselves in the cheapest plans of the parts."""
    PRICED = "priced"
    """Their prices gave both the plan and its proof."""
    JOINT = "joint"
    """All was solved as one in the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """How a component that a few rows join was solved."""

    rows: Ints
    """The linking constraints of it."""
    parts: int
    """How many parts it has without them."""
    how: LinkingMethod


@dataclass(frozen=True, slots=True, eq=False)
class SolverAnswer:
    """What a solver found."""

    outcome: SolverOutcome
    x: Floats | None = None
    objective: float = float("inf")
    bound: float = float("-inf")
    duals: Floats | None = None
    """By how much the objective rises with the end of a row that binds; of an optimal linear program only."""
    levels: tuple[Reached, ...] = ()
    """Of a component with ranked objectives: what each of them comes to."""
    out_of_time: bool = False
    """True if the clock ended it, or the user."""
    joined: Linked | None = None
    """How it was found, where a few rows join parts that could else be solved apart."""
    confirmed_by: frozenset[Confirmation] = frozenset()
    """What confirms the optimum of a program with integer variables. An engine's own answer has none."""
    solver: str = ""
    """The solver that an engine ran. Empty: unknown."""


NOTHING = SolverAnswer(SolverOutcome.NOTHING)
_BY_PROOF = [SolverOutcome.OPTIMAL, SolverOutcome.UNCONFIRMED]


def worst_outcome(answers: Iterable[SolverAnswer]) -> SolverOutcome:
    """Return how well a plan is proved whose parts all have a plan: optimal only if every part is."""
    ranks = [_BY_PROOF.index(a.outcome) if a.outcome in _BY_PROOF else len(_BY_PROOF) for a in answers]
    return [*_BY_PROOF, SolverOutcome.FEASIBLE][max(ranks, default=0)]


def never() -> bool:
    """Nobody ends the search."""
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """How long and how closely a program is searched."""

    seconds: float | None = None
    """Time for it."""
    gap: float = 0.0
    """Relative distance from the bound at which a plan is good enough."""
    nodes: int | None = None
    """Nodes of the search tree after which it ends: a limit that does not depend on the clock."""
    enough: float | None = None
    """Cost of a plan that ends the search, likewise."""
    tight: bool = False
    """True if rows are held as closely as the engine can, which takes longer."""
    path: int = 0
    """Number of the search on the same program. A second opinion takes another path: another seed and the solver's usual tolerances."""
    stopped: Callable[[], bool] = never
    """True if the user has had enough: the search then ends within a tenth of a second, without an answer."""


TO_THE_END = Ask()
"""Until it is proved."""


class Engine(Protocol):
    """What solves a program."""

    def __call__(self, linear: Linear, ask: Ask, hint: Floats | None = None, /) -> SolverAnswer:
        """The best plan found, with the bound that no plan falls below and the duals that certify it, where there are any.

        Args:
            linear: the program, scaled; integrality may be left aside where no column is integer.
            ask: how long and how closely it is searched.
            hint: a plan that is known to hold, to start from; an engine that takes none leaves it aside.

        Raises:
            BreakdownError: if it comes to no answer that can be relied on.
            UnboundedError: if the cost has no least value.
        """


PATIENCE_SECONDS, PATIENCE = 60.0, 3.0
"""Time limit of each second opinion: this number of seconds, or this multiple of the first search's time if that is longer.

Another solver may need hours for a program that the first one solves in seconds. The limit is far above what opinions usually take, so the clock
hardly ever decides what confirms an optimum, and it never changes the plan of an optimum that is confirmed."""


class Opinion(Protocol):
    """A second opinion that is still to be asked for."""

    def __call__(self, *, hint: Floats | None = None) -> SolverAnswer:
        """Return the answer, searched from a plan that is known."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Engines in the order in which they are asked."""

    simplex: tuple[Engine, ...]
    """For linear programs."""
    tree: tuple[Engine, ...]
    """For programs with integer variables, and linear ones so large that HiGHS is quicker."""
    second: tuple[Engine, ...] = ()
    """For second opinions on the optimum of a program with integer variables. Without any, only a bound can confirm it."""
    stopped: Callable[[], bool] = never
    """True if the user has had enough: whatever is asked then, the answer is that nothing was found."""

    def after(self, first: Engine) -> Engines:
        """The same, asked where another one gives up."""
        return replace(self, simplex=(first, *self.simplex), tree=(first, *self.tree))

    def linear(self, linear: Linear, seconds: float | None = None) -> SolverAnswer:
        """The optimum of a linear program, integrality left aside.

        Raises:
            UnboundedError: if its cost has no least value.
        """
        return _asked(self.simplex, linear, Ask(seconds, stopped=self.stopped), agreed=2)

    def search(self, linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
        """The best plan of a program with integer variables, or of a large linear one, as far as is asked.

        Raises:
            UnboundedError: if its cost has no least value.
        """
        ask = replace(ask, stopped=self.stopped)
        return _asked(self.tree, linear, ask, hint=hint, agreed=1 if linear.integer.any() else 2)

    def opinions(self, linear: Linear, watch: Watch, gap: float, searched: float = 0.0) -> Iterator[Opinion]:
        """Yield second opinions on a program with integer variables, each by another engine or on another path, until the watch stops.

        Args:
            searched: Seconds that the first search took. An opinion that takes much longer is given up.
        """
        for path, engine in enumerate(self.second, 1):
            if watch.stopped():
                return
            within = watch.within(max(PATIENCE_SECONDS, PATIENCE * searched))
            ask = Ask(within.left(), gap, path=path, stopped=self.stopped)
            yield partial(_asked, (engine,), linear, ask, agreed=1)


def _asked(
    engines: tuple[Engine, ...], linear: Linear, ask: Ask, *, hint: Floats | None = None, agreed: int
) -> SolverAnswer:
    """The first answer that can be relied on; that there is no plan, once so many engines agree."""
    began, denied = time.monotonic(), 0
    for engine in engines:
        if ask.stopped():
            return NOTHING
        left = None if ask.seconds is None else max(0.0, ask.seconds - (time.monotonic() - began))
        try:
            answer = engine(linear, replace(ask, seconds=left), hint)
        except BreakdownError:
            continue
        if answer.outcome is SolverOutcome.INFEASIBLE:
            denied += 1
            if denied >= agreed:
                return answer
        elif answer.x is not None or not denied:
            return answer
    return SolverAnswer(SolverOutcome.INFEASIBLE if denied else SolverOutcome.BROKEN)
