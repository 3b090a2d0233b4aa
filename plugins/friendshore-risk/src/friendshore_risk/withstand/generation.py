"""Column-and-constraint generation: the master, what it is not yet prepared for, and the bounds by iteration."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from friendshore.program.matrix import Floats, Linear
from friendshore.solve import SolverAnswer, SolverOutcome

from .robust import RobustProgram, RobustScenario

Key = TypeVar("Key", bound=Hashable)
Solver = Callable[[Linear], SolverAnswer]
"""What solves a program."""
MOST_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Missed(Generic[Key]):
    """A scenario that a first stage answers worse than the master accounts for."""

    key: Key
    miss: float
    """By how much: money in the worst scenario, or what is missing beyond what is allowed; infinite: nothing can follow."""


class Adversary(Protocol[Key]):
    """Who knows all scenarios, and finds those that a first stage answers worst."""

    def scenario(self, key: Key) -> RobustScenario:
        """What happens, and how much may then be missing."""

    def worst(self, x: Floats, accounted: float, regret: float) -> Sequence[Missed[Key]]:
        """Those that are answered worse than is accounted for, the worst first; none: none is.

        Args:
            x: values of all columns, those after the scenario as planned.
            accounted: what the master says that what follows costs in the worst scenario.
            regret: how much more than a scenario allows may be missing.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Generated(Generic[Key]):
    """The cheapest first stage for all scenarios."""

    x: Floats
    """Values of the columns as planned."""
    keys: tuple[Key, ...]
    """The scenarios that the master came to hold: no others are needed to prove the bound."""
    seconds: tuple[Floats, ...]
    """Values of all columns after each of these."""
    objective: float
    bound: float
    """No first stage costs less."""
    regret: float
    """By how much more than a scenario allows is missing in the worst one, at the least."""
    bounds: tuple[tuple[float, float], ...]
    """By iteration: no first stage costs less than the first, and one is known that costs the second."""
    proved: bool
    """Whether all scenarios are answered; else the search was ended."""


@dataclass(slots=True)
class _State(Generic[Key]):
    keys: list[Key]
    regret: float
    known: float
    bounds: list[tuple[float, float]]


def generate(
    robust: RobustProgram,
    adversary: Adversary[Key],
    solve: Solver,
    begin: Sequence[Key] = (),
    *,
    tolerance: float,
    at_once: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> Generated[Key] | None:
    """The cheapest first stage after which every scenario can be answered; None where there is none at all, or it was not found in time.

    Args:
        robust: the program.
        adversary: who finds what a first stage is not prepared for.
        solve: what solves a program.
        begin: scenarios that the master holds from the start.
        tolerance: a miss up to this is the solver's.
        at_once: most scenarios that are added in one round.
        stopped: whether to end the search.

    Raises:
        SolverError: if a solver breaks down.
    """
    state: _State[Key] = _State(list(begin), 0.0, float("inf"), [])
    best: Generated[Key] | None = None
    for _ in range(MOST_ROUNDS):
        if stopped():
            break
        answer = _master(robust, adversary, solve, state, tolerance)
        if answer is None or answer.x is None:
            return best
        found = answer.x[: len(robust.linear.cost)]
        accounted = float(answer.x[-1]) if robust.worst else 0.0
        missed = [one for one in adversary.worst(found, accounted, state.regret) if one.key not in state.keys]
        worst = max((one.miss for one in missed), default=0.0)
        if robust.worst:
            state.known = min(state.known, answer.objective + max(worst, 0.0))
        state.bounds.append((answer.bound, state.known if robust.worst else answer.objective))
        done = worst <= tolerance
        best = Generated(
            found,
            tuple(state.keys),
            tuple(robust.second(answer.x, number, adversary.scenario(key)) for number, key in enumerate(state.keys)),
            answer.objective,
            answer.bound,
            state.regret,
            tuple(state.bounds),
            done,
        )
        if done:
            return best
        state.keys += [one.key for one in missed[:at_once] if one.miss > tolerance]
    return best


def _master(
    robust: RobustProgram, adversary: Adversary[Key], solve: Solver, state: _State[Key], tolerance: float
) -> SolverAnswer | None:
    """The master's optimum; where no first stage answers what it holds, more may be missing, and no more than has to."""
    answer = solve(robust.master(_allowing(adversary, state)))
    if answer.outcome is not SolverOutcome.INFEASIBLE or not len(robust.excess):
        return answer
    more = solve(robust.least_regret(_allowing(adversary, state)))
    if more.x is None:
        return None
    state.regret += max(float(more.x[-1]), 0.0) + tolerance / 2
    return solve(robust.master(_allowing(adversary, state)))


def _allowing(adversary: Adversary[Key], state: _State[Key]) -> list[RobustScenario]:
    return [adversary.scenario(key).with_more(state.regret) for key in state.keys]


def bounded_by(
    robust: RobustProgram,
    scenario: Callable[[Key], RobustScenario],
    solve: Solver,
    keys: Sequence[Key],
    tolerance: float,
) -> tuple[float, float]:
    """What no first stage costs less than that answers some scenarios, and by how much more than each allows has to be missing in the worst."""
    regret = 0.0
    answer = solve(robust.master([scenario(key) for key in keys]))
    if answer.outcome is SolverOutcome.INFEASIBLE and len(robust.excess):
        more = solve(robust.least_regret([scenario(key) for key in keys]))
        regret = max(more.bound, 0.0) + tolerance / 2
        answer = solve(robust.master([scenario(key).with_more(regret) for key in keys]))
    return answer.bound, regret


class ListedScenarios:
    """The adversary who looks at every one of some scenarios: the vertices of a polyhedron of what may happen, for one.

    What is minimised is a convex function of what happens where that stands on the right-hand sides of rows alone, so that its largest value is at a vertex.
    """

    def __init__(self, robust: RobustProgram, scenarios: Sequence[RobustScenario], solve: Solver) -> None:
        self.robust, self.scenarios, self.solve = robust, scenarios, solve

    def scenario(self, key: int) -> RobustScenario:
        """One of them, by its position."""
        return self.scenarios[key]

    def worst(self, x: Floats, accounted: float, regret: float) -> list[Missed[int]]:
        """Those after which what follows costs more than is accounted for, or nothing can follow at all, the dearest first."""
        first = float(self.robust.linear.cost @ np.where(self.robust.shared, x, 0.0)) + self.robust.linear.constant
        found = []
        for number, scenario in enumerate(self.scenarios):
            answer = self.solve(self.robust.after(x, scenario.with_more(regret)))
            cost = float("inf") if answer.x is None else answer.objective - first
            found.append(Missed(number, cost - accounted))
        return sorted(found, key=lambda each: (-each.miss, each.key))
