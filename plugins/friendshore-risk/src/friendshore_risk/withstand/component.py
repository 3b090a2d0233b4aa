"""One independent part of a case and the losses that touch it: how many of them together can be withstood, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from friendshore.program.matrix import Floats, Ints
from friendshore.solve import SolverAnswer, SolverOutcome

from .generation import Generated, Missed, Solver, generate
from .robust import RobustProgram, RobustScenario

Losses = frozenset[int]
"""Losses that come together."""
NOTHING: Losses = frozenset()
_USED = 1e-9
"""Kilograms up to which a column counts as not used."""
AT_ONCE = 4
"""Combinations of losses that the master takes up in one round."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What follows some losses."""

    losses: Losses
    value: float
    """What is minimised: what is missing, or what all comes to; infinite: nothing can follow."""
    x: Floats | None
    """Values of all columns."""
    hit: Losses
    """Losses that would take something away that is used in it. Any others may come as well, and it still follows."""
    known: bool = True
    """Whether it is proved best; else a limit ended its search."""


class Branching:
    """The best answers to combinations of losses, each found once, and only where no answer to fewer losses does.

    More losses never help. So if what follows some losses uses nothing that others would take away, it is also the best that follows them all.
    """

    def __init__(self, answer: Callable[[Losses], Followed]) -> None:
        self._answer = answer
        self._known: dict[Losses, Followed] = {}

    def of(self, losses: Losses) -> Followed:
        """What follows some losses at best."""
        taken = NOTHING
        while True:
            found = self._at(taken)
            more = losses & found.hit - taken
            if not more:
                return found
            taken |= {min(more)}

    def reached(self, most: int) -> Iterator[Followed]:
        """An answer for every combination of at most so many losses: whatever comes, one of these follows it at best."""
        level = [NOTHING]
        for size in range(most + 1):
            found = [self._at(losses) for losses in level]
            yield from found
            if size < most:
                more = {one.losses | {loss} for one in found for loss in one.hit - one.losses}
                level = sorted(more, key=sorted)

    @property
    def known(self) -> list[Followed]:
        """All that was found, fewer losses first."""
        return sorted(self._known.values(), key=lambda one: (len(one.losses), sorted(one.losses)))

    @property
    def settled(self) -> bool:
        """Whether all that was found is proved best."""
        return all(found.known for found in self._known.values())

    def _at(self, losses: Losses) -> Followed:
        if losses not in self._known:
            self._known[losses] = self._answer(losses)
        return self._known[losses]


@dataclass(eq=False)
class RobustComponent:
    """An independent part of the program."""

    robust: RobustProgram
    columns: Ints
    """Its columns in the program of the part of the case that it belongs to, those of what is missing last."""
    demands: Ints
    """Demands of that part whose missing kilograms are those columns, by position."""
    closed: Mapping[int, Ints]
    """Loss -> own columns that it closes."""
    gone: Mapping[int, Ints]
    """Loss -> own columns decided before it of which nothing arrives after all."""
    solve: Solver
    settle: Solver
    """As `solve`, as closely as an answer can be proved: for what turns on what is missing at the least."""
    tolerance: float
    stopped: Callable[[], bool]
    unavoidable: Branching = field(init=False)
    """The least that is missing after each combination of losses, whatever is decided before."""

    def __post_init__(self) -> None:
        self.unavoidable = Branching(self._least_excess)

    def withstanding(self, most: int, begin: Sequence[Losses]) -> Generated[Losses] | None:
        """The cheapest plan after which any `most` losses leave nothing missing but what no plan avoids; None: not found."""
        adversary = _Any(self, most)
        return generate(
            self.robust,
            adversary,
            self.solve,
            begin,
            tolerance=self.tolerance,
            at_once=AT_ONCE,
            stopped=self.stopped,
        )

    def following(self, found: Generated[Losses]) -> Branching:
        """The cheapest that follows losses under a plan that withstands them."""
        seconds = dict(zip(found.keys, found.seconds, strict=True))

        def answer(losses: Losses) -> Followed:
            scenario = self.scenario(losses).with_more(found.regret + self.tolerance)
            after = self.solve(self.robust.after(found.x, scenario))
            if after.x is None and losses in seconds:
                x = seconds[losses]
                after = SolverAnswer(SolverOutcome.OPTIMAL, x[self.robust.free], float(self.robust.linear.cost @ x))
            if after.outcome is SolverOutcome.INFEASIBLE and np.isfinite(
                scenario.allowed
            ):  # for the solver's tolerance
                after = self.settle(self.robust.after(found.x, self.bare(losses), least=True))
            return self._followed(losses, found.x, after)

        return Branching(answer)

    def scenario(self, losses: Losses) -> RobustScenario:
        """The scenario of some losses, with what no plan avoids allowed to be missing."""
        return replace(self.bare(losses), allowed=self.unavoidable.of(losses).value)

    def bare(self, losses: Collection[int]) -> RobustScenario:
        """The scenario of some losses: what they take away is closed, and what is missing is taken up."""
        linear = self.robust.linear
        upper = linear.upper.copy()
        upper[self.robust.excess] = np.inf
        for loss in losses:
            upper[self.closed[loss]] = 0.0
        gone = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *(self.gone[loss] for loss in losses)]))
        return RobustScenario(upper, linear.row_lower, linear.row_upper, gone=gone)

    def missing(self, x: Floats) -> Branching:
        """The least that is missing after losses where all before them is as in `x`."""

        def answer(losses: Losses) -> Followed:
            return self._followed(losses, x, self.settle(self.robust.after(x, self.bare(losses), least=True)))

        return Branching(answer)

    def _least_excess(self, losses: Losses) -> Followed:
        answer = self.settle(self.robust.least_excess(self.bare(losses)))
        x = None if answer.x is None else self.robust.second(answer.x, 0, self.bare(losses))
        return self._made(losses, answer, x)

    def _followed(self, losses: Losses, x: Floats, answer: SolverAnswer) -> Followed:
        completed = None if answer.x is None else self.robust.completed(x, answer.x, self.bare(losses))
        return self._made(losses, answer, completed)

    def _made(self, losses: Losses, answer: SolverAnswer, x: Floats | None) -> Followed:
        if x is None:
            return Followed(losses, np.inf, None, NOTHING, answer.outcome is SolverOutcome.INFEASIBLE)
        used = x > _USED
        hit = frozenset(loss for loss in self.closed if used[self.closed[loss]].any() or used[self.gone[loss]].any())
        return Followed(losses, answer.objective, x, hit, answer.outcome is SolverOutcome.OPTIMAL)


class _Any:
    """The adversary who takes away any losses up to a number."""

    def __init__(self, component: RobustComponent, most: int) -> None:
        self.component, self.most = component, most

    def scenario(self, key: Losses) -> RobustScenario:
        return self.component.scenario(key)

    def worst(self, x: Floats, accounted: float, regret: float) -> list[Missed[Losses]]:
        found = []
        for one in self.component.missing(x).reached(self.most):
            if one.value > self.component.tolerance:
                unavoidable = self.component.unavoidable.of(one.losses).value
                if np.isfinite(unavoidable):
                    found.append(Missed(one.losses, one.value - unavoidable - regret))
        return sorted(found, key=lambda each: (-round(each.miss, 3), sorted(each.key)))
