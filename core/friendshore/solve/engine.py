"""Engines: their interface, their answers, and the order in which they are called until one gives an answer.

friendshore includes GLOP, HiGHS, and SCIP (`ENGINES`). Any function with the signature of `Engine` can be added:

    friendshore.plan(case, engines=ENGINES.after(mine))

Each engine fails on some programs, such as those with a row violated by its own tolerance or with numbers of very different size. The next engine
then takes another path through the same numbers. An infeasible linear program needs the agreement of two engines.
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

    def cancelled(self) -> bool:
        if self._cancel is not None and self._cancel.is_set():
            self.interrupted = True
        return self.interrupted

    is_set = cancelled  # so that a watch can end another one

    def within(self, seconds: float) -> Watch:
        remaining = self.seconds_left()
        return Watch(seconds if remaining is None else min(remaining, seconds), self)

    def share(self, share: float) -> Watch:
        seconds = self.seconds_left()
        return self if seconds is None else self.within(share * seconds)

    def seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def stopped(self) -> bool:
        if self.cancelled():
            return True
        seconds = self.seconds_left()
        return seconds is not None and seconds <= 0.0


def is_open(value: float, bound: float) -> bool:
    """Return True if a plan of this value is too far from the bound to be called the cheapest."""
    return value - bound > float(OPTIMAL_GAP) * abs(value) + float(OPTIMAL_MONEY)


class UnboundedError(SolverError):
    """Cost without a minimum: an error in the program, except for parts whose costs a price reduces."""


class BreakdownError(SolverError):
    """An engine gave no reliable answer, so that the next one is called (`Engines`)."""


class SolverOutcome(Enum):
    """Outcome of one run of a solver."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    NOTHING = "nothing"
    """Stopped by a limit, without a plan."""
    INFEASIBLE = "infeasible"
    UNCONFIRMED = "unconfirmed"
    """Optimal according to one search, without confirmation within the limits."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class LevelResult:
    """Result of one of several ranked objectives."""

    least: float
    """Smallest value found, given the levels before it."""
    bound: float
    most: float
    """Maximum value that later levels must keep."""


class LinkingMethod(StrEnum):
    """Method for the linking constraints of a component."""

    LEFT_OUT = "left out"
    """The cheapest plans of the parts satisfy them."""
    PRICED = "priced"
    """Their prices gave both the plan and its proof."""
    JOINT = "joint"


@dataclass(frozen=True, slots=True, eq=False)
class LinkedSolution:
    """Solution of a component whose parts are joined by a few rows."""

    rows: Ints
    parts: int
    method: LinkingMethod


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
    """Result of each ranked objective."""
    out_of_time: bool = False
    """True if the time limit or the user ended it."""
    joined: LinkedSolution | None = None
    confirmed_by: frozenset[Confirmation] = frozenset()
    """Confirmations of the optimum of a program with integer variables. Empty in an engine's own answer."""
    solver: str = ""


NOTHING = SolverAnswer(SolverOutcome.NOTHING)
_PROOF_RANKS = [SolverOutcome.OPTIMAL, SolverOutcome.UNCONFIRMED]


def worst_outcome(answers: Iterable[SolverAnswer]) -> SolverOutcome:
    """Return the outcome of a plan whose parts all have one: optimal only if every part is."""
    ranks = [_PROOF_RANKS.index(a.outcome) if a.outcome in _PROOF_RANKS else len(_PROOF_RANKS) for a in answers]
    return [*_PROOF_RANKS, SolverOutcome.FEASIBLE][max(ranks, default=0)]


def cheapest(*answers: SolverAnswer) -> SolverAnswer:
    """Return the answer with the cheapest plan, the first of several. Without a plan, the cost is infinite."""
    return min(answers, key=lambda answer: answer.objective)


def never() -> bool:
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
    """Cost of a plan that ends the search."""
    tight: bool = False
    """True to satisfy rows as closely as the engine can, which takes longer."""
    path: int = 0
    """Number of the search on the same program. A second opinion takes another seed and the solver's usual tolerances."""
    stopped: Callable[[], bool] = never
    """Function that returns True if the user asked to stop. The search then ends within a tenth of a second, possibly without an answer."""


TO_THE_END = Ask()


class Engine(Protocol):
    """Solver of programs."""

    def __call__(self, linear: Linear, ask: Ask, hint: Floats | None = None, /) -> SolverAnswer:
        """Return the best plan found, with the lower bound on all plans and the duals that certify it, if any.

        The program is scaled. Engines may ignore integrality if no column is integer, and the hint, a known feasible plan.

        Raises:
            BreakdownError: If there is no reliable answer.
            UnboundedError: If the cost has no minimum.
        """


# Time limit of each second opinion: this number of seconds, or this multiple of the first search's time if that is longer.
# The limit is far above the usual time of opinions, so that the clock rarely decides the confirmation of an optimum. It never changes the plan.
PATIENCE_SECONDS, PATIENCE = 60.0, 3.0


class Opinion(Protocol):
    """Second opinion that hasn't been requested yet."""

    def __call__(self, *, hint: Floats | None = None) -> SolverAnswer: ...


@dataclass(frozen=True, slots=True)
class Engines:
    """Engines in the order in which they are called."""

    simplex: tuple[Engine, ...]
    """Engines for linear programs."""
    tree: tuple[Engine, ...]
    """Engines for programs with integer variables, and for linear ones so large that HiGHS is faster."""
    second: tuple[Engine, ...] = ()
    """Engines for second opinions on an optimum of a program with integer variables. Without any, only a bound can confirm it."""
    stopped: Callable[[], bool] = never
    """Function that returns True if the user asked to stop. All later answers are then empty."""

    def after(self, first: Engine) -> Engines:
        """Return these engines after another one."""
        return replace(self, simplex=(first, *self.simplex), tree=(first, *self.tree))

    def linear(self, linear: Linear, seconds: float | None = None) -> SolverAnswer:
        """Return the optimum of a linear program, ignoring integrality. Raises `UnboundedError`."""
        return _first_reliable(self.simplex, linear, Ask(seconds, stopped=self.stopped), required_agreement=2)

    def search(self, linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
        """Return the best plan within the limits of `ask`, of a program with integer variables or of a large linear one."""
        ask = replace(ask, stopped=self.stopped)
        return _first_reliable(self.tree, linear, ask, hint=hint, required_agreement=1 if linear.integer.any() else 2)

    def opinions(self, linear: Linear, watch: Watch, gap: float, first_seconds: float = 0.0) -> Iterator[Opinion]:
        """Yield second opinions, each by another engine or on another path, until the watch stops. One much longer than `first_seconds` is stopped."""
        for path, engine in enumerate(self.second, 1):
            if watch.stopped():
                return
            opinion_watch = watch.within(max(PATIENCE_SECONDS, PATIENCE * first_seconds))
            ask = Ask(opinion_watch.seconds_left(), gap, path=path, stopped=self.stopped)
            yield partial(_first_reliable, (engine,), linear, ask, required_agreement=1)


def _first_reliable(
    engines: tuple[Engine, ...], linear: Linear, ask: Ask, *, hint: Floats | None = None, required_agreement: int
) -> SolverAnswer:
    started, infeasible_count = time.monotonic(), 0
    for engine in engines:
        if ask.stopped():
            return NOTHING
        seconds = None if ask.seconds is None else max(0.0, ask.seconds - (time.monotonic() - started))
        try:
            answer = engine(linear, replace(ask, seconds=seconds), hint)
        except BreakdownError:
            continue
        if answer.outcome is SolverOutcome.INFEASIBLE:
            infeasible_count += 1
            if infeasible_count >= required_agreement:
                return answer
        elif answer.x is not None or not infeasible_count:
            return answer
    return SolverAnswer(SolverOutcome.INFEASIBLE if infeasible_count else SolverOutcome.BROKEN)
