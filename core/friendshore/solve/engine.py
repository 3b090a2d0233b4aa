"""Engines: their interface, their answers, and the order in which they are called until one gives an answer.

An engine solves a program within limits, from a hint, and rates its answer: `engine(program, limits, hint)` returns an answer with a plan, a
bound, and a certificate. friendshore includes GLOP, HiGHS, and SCIP (`ENGINES`). Any function with the same signature can be added:

    friendshore.plan(case, engines=ENGINES.after(mine))

Each engine fails on some programs, such as those with a row violated by its own tolerance or with numbers of very different size. The next engine, or
the same with or without its presolve, takes another path through the same numbers. An infeasible linear program needs the agreement of
two engines. If all fail, the outcome is `SolverOutcome.BROKEN`, and the caller continues with its other results.

Each engine's library is loaded on first use. Most plans need only GLOP, and a certificate's proof needs none.
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
    """User's request to stop, such as a `threading.Event`."""

    def is_set(self) -> bool: ...


class Watch:
    """Time limit and interruption of a solve. All its searches share it and check it between their steps."""

    def __init__(self, seconds: float | None = None, cancel: Cancel | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._cancel = cancel
        self.interrupted = False
        """True if a request to stop was seen."""

    def cancelled(self) -> bool:
        """Return True if the user asked to stop."""
        if self._cancel is not None and self._cancel.is_set():
            self.interrupted = True
        return self.interrupted

    is_set = cancelled  # so that a watch can end another one

    def within(self, seconds: float) -> Watch:
        """Return a watch that stops with this one, or after some seconds."""
        left = self.left()
        return Watch(seconds if left is None else min(left, seconds), self)

    def share(self, part: float) -> Watch:
        """Return a watch that stops after a share of the time left. This one if there is no time limit."""
        left = self.left()
        return self if left is None else self.within(part * left)

    def left(self) -> float | None:
        """Return the seconds left. None if there is no limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def stopped(self) -> bool:
        if self.cancelled():
            return True
        left = self.left()
        return left is not None and left <= 0.0


def is_open(value: float, bound: float) -> bool:
    """Return True if a plan of this value is too far from the bound to be called the cheapest."""
    return value - bound > float(OPTIMAL_GAP) * abs(value) + float(OPTIMAL_MONEY)


class UnboundedError(SolverError):
    """The cost has no minimum. This is an error in the program, except for parts whose costs a price reduces."""


class BreakdownError(SolverError):
    """An engine gave no reliable answer, so that the next one is called (`Engines`)."""


class SolverOutcome(Enum):
    """How one run of a solver ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """Stopped by a limit, with a plan."""
    NOTHING = "nothing"
    """Stopped by a limit, without a plan."""
    INFEASIBLE = "infeasible"
    UNCONFIRMED = "unconfirmed"
    """Optimal according to one run of one solver, without confirmation within the limits."""
    BROKEN = "broken"
    """No engine gave a reliable answer."""


@dataclass(frozen=True, slots=True)
class LevelResult:
    """Result of one of several ranked objectives."""

    least: float
    """Smallest value found, given the levels before it."""
    bound: float
    """Lower bound on this level among plans that keep the levels before it."""
    most: float
    """Maximum value that later levels must keep."""


class LinkingMethod(StrEnum):
    """Method for the linking constraints of a component."""

    LEFT_OUT = "left out"
    """The cheapest plans of the parts satisfy them without further work."""
    PRICED = "priced"
    """Their prices gave both the plan and its proof."""
    JOINT = "joint"
    """The parts were solved as one in the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """Solution of a component whose parts are joined by a few rows."""

    rows: Ints
    """Its linking constraints."""
    parts: int
    """Number of parts without them."""
    how: LinkingMethod


@dataclass(frozen=True, slots=True, eq=False)
class SolverAnswer:
    """Result of a solver."""

    outcome: SolverOutcome
    x: Floats | None = None
    objective: float = float("inf")
    bound: float = float("-inf")
    duals: Floats | None = None
    """Increase of the objective per unit of a binding row's bound. Only for an optimal linear program."""
    levels: tuple[LevelResult, ...] = ()
    """Result of each level, for a component with ranked objectives."""
    out_of_time: bool = False
    """True if the time limit or the user ended it."""
    joined: Linked | None = None
    """Method, if a few rows join parts that could otherwise be solved apart."""
    confirmed_by: frozenset[Confirmation] = frozenset()
    """Confirmations of the optimum of a program with integer variables. Empty in an engine's own answer."""
    solver: str = ""
    """Solver that an engine ran. Empty if unknown."""


NOTHING = SolverAnswer(SolverOutcome.NOTHING)
_BY_PROOF = [SolverOutcome.OPTIMAL, SolverOutcome.UNCONFIRMED]


def worst_outcome(answers: Iterable[SolverAnswer]) -> SolverOutcome:
    """Return the outcome of a plan whose parts all have a plan: optimal only if every part is."""
    ranks = [_BY_PROOF.index(a.outcome) if a.outcome in _BY_PROOF else len(_BY_PROOF) for a in answers]
    return [*_BY_PROOF, SolverOutcome.FEASIBLE][max(ranks, default=0)]


def never() -> bool:
    """Return False: the search never stops early."""
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """Limits and precision of the search of a program."""

    seconds: float | None = None
    gap: float = 0.0
    """Relative distance from the bound at which a plan is good enough."""
    nodes: int | None = None
    """Maximum nodes of the search tree. Unlike time, this limit doesn't depend on the clock."""
    enough: float | None = None
    """Cost of a plan that ends the search. It doesn't depend on the clock either."""
    tight: bool = False
    """True to satisfy rows as closely as the engine can, which takes longer."""
    path: int = 0
    """Number of the search on the same program. A second opinion takes another path: another seed and the solver's usual tolerances."""
    stopped: Callable[[], bool] = never
    """Function that returns True if the user asked to stop. The search then ends within a tenth of a second, possibly without an answer."""


TO_THE_END = Ask()
"""Search until the optimum is proved."""


class Engine(Protocol):
    """Solver of programs."""

    def __call__(self, linear: Linear, ask: Ask, hint: Floats | None = None, /) -> SolverAnswer:
        """Return the best plan found, with the lower bound on all plans and the duals that certify it, if any.

        Args:
            linear: The program, scaled. Integrality may be ignored if no column is integer.
            ask: Limits and precision of the search.
            hint: Known feasible plan to start from. Engines may ignore it.

        Raises:
            BreakdownError: If there is no reliable answer.
            UnboundedError: If the cost has no minimum.
        """


PATIENCE_SECONDS, PATIENCE = 60.0, 3.0
"""Time limit of each second opinion: this number of seconds, or this multiple of the first search's time if that is longer.

Another solver may need hours for a program that the first one solves in seconds. The limit is far above the usual time of opinions. So the clock
rarely decides the confirmation of an optimum, and it never changes the plan of a confirmed optimum.
"""


class Opinion(Protocol):
    """Second opinion that hasn't been requested yet."""

    def __call__(self, *, hint: Floats | None = None) -> SolverAnswer:
        """Return the answer, searched from a known plan."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Engines in the order in which they are called."""

    simplex: tuple[Engine, ...]
    """Engines for linear programs."""
    tree: tuple[Engine, ...]
    """Engines for programs with integer variables, and for linear ones so large that HiGHS is faster."""
    second: tuple[Engine, ...] = ()
    """Engines for second opinions on the optimum of a program with integer variables. Without any, only a bound can confirm it."""
    stopped: Callable[[], bool] = never
    """Function that returns True if the user asked to stop. All later answers are then empty."""

    def after(self, first: Engine) -> Engines:
        """Return these engines after another one: they are called if it fails."""
        return replace(self, simplex=(first, *self.simplex), tree=(first, *self.tree))

    def linear(self, linear: Linear, seconds: float | None = None) -> SolverAnswer:
        """Return the optimum of a linear program, ignoring integrality.

        Raises:
            UnboundedError: If its cost has no minimum.
        """
        return _asked(self.simplex, linear, Ask(seconds, stopped=self.stopped), agreed=2)

    def search(self, linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
        """Return the best plan of a program with integer variables, or of a large linear one, within the limits of `ask`.

        Raises:
            UnboundedError: If its cost has no minimum.
        """
        ask = replace(ask, stopped=self.stopped)
        return _asked(self.tree, linear, ask, hint=hint, agreed=1 if linear.integer.any() else 2)

    def opinions(self, linear: Linear, watch: Watch, gap: float, searched: float = 0.0) -> Iterator[Opinion]:
        """Yield second opinions on a program with integer variables, each by another engine or on another path, until the watch stops.

        Args:
            searched: Seconds of the first search. An opinion that takes much longer is stopped.
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
    """Return the first reliable answer. Infeasibility needs `agreed` engines."""
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
