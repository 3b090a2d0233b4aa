"""A claim's program, part by part: what each costs at least, proved, the bound of all together, and the plan that their best plans make.

The bound of a part is that of its linear relaxation, raised by branching where columns are integer (`Tree`). Best first: the leaf with the lowest
bound is split until it is a plan, or a limit ends it. Each leaf has multipliers of its own, and its bound is worked out in exact fractions
(`exact`); that a leaf holds no plan at all is shown likewise (Farkas), by multipliers that prove a cost above zero where nothing costs
anything. Land and Doig, Econometrica 28, 1960, 497-520.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import heappop, heappush

import numpy as np

from ..program.matrix import Entries, Floats, Linear, Mask
from ..solve import Progress, SolverAnswer, SolverOutcome, Watch, relaxation, split
from .claims import Aim
from .exact import ExactProgram, reach

NODES = 1000
"""Relaxations solved for one program: a limit that does not depend on the clock."""
WHOLE = 1e-9
"""By how much an integer column may miss a whole number."""
CLOSE = Fraction(1, 10**9)
"""Share of its cost by which the cheapest plan of a program may lie above the bound, and the search be done."""


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    bound: Fraction
    lower: Floats
    upper: Floats
    x: Floats | None
    """The plan of its relaxation; None: it is not known."""


class Tree:
    """A program split into leaves, each with a proved bound."""

    def __init__(self, linear: Linear, most: float, watch: Watch) -> None:
        """Begins with the program as one leaf.

        Args:
            linear: the program.
            most: what is proved is about plans that cost no more.
            watch: says when to stop.
        """
        self.linear, self.watch = linear, watch
        self.exact = ExactProgram(linear)
        self.nodes = 0
        self.best: tuple[float, Floats] | None = None
        """The cheapest plan seen on the way, with its cost; not proved to hold."""
        self._leaves: list[tuple[Fraction, int, _Leaf]] = []
        self._unknown = False
        """Whether some leaf was left out because nothing is known of what it costs."""
        self._look(linear.lower, np.minimum(linear.upper, reach(linear, most)), None)

    @property
    def bound(self) -> Fraction | None:
        """No plan that costs no more than `most` costs less; None: nothing is known."""
        return self._leaves[0][0] if self._leaves and not self._unknown else None

    @property
    def empty(self) -> bool:
        """Whether it is proved that no plan keeps the rows."""
        return not self._leaves and not self._unknown

    @property
    def done(self) -> bool:
        """Whether the cheapest plan seen costs what the bound says, but for the solver's tolerance."""
        if self.best is None or self.bound is None:
            return False
        best = Fraction(self.best[0])
        return best - self.bound <= CLOSE * max(abs(best), Fraction(1))

    def grow(self, enough: Fraction) -> None:
        """Raises the bound until it is enough, a plan is reached or a limit ends it."""
        while self._leaves and not self.done and self._leaves[0][0] < enough:
            leaf = self._leaves[0][2]
            column = None if leaf.x is None else self._fractional(leaf.x)
            if column is None or self.nodes >= NODES or self.watch.stopped():
                return
            heappop(self._leaves)
            self._split(leaf, column)

    def _split(self, leaf: _Leaf, column: int) -> None:
        assert leaf.x is not None
        below, above = leaf.upper.copy(), leaf.lower.copy()
        below[column] = np.floor(leaf.x[column])
        above[column] = below[column] + 1
        self._look(leaf.lower, below, leaf.bound)
        self._look(above, leaf.upper, leaf.bound)

    def _look(self, lower: Floats, upper: Floats, known: Fraction | None) -> None:
        """Adds a leaf, unless it is proved to hold no plan, or nothing is known of what it costs."""
        self.nodes += 1
        step = replace(self.linear, lower=lower, upper=np.where(self._whole_end(upper), upper, self.linear.upper))
        answer = relaxation(step, self.watch)
        if answer.outcome is SolverOutcome.INFEASIBLE and self._empty(step, lower, upper):
            return
        duals = answer.duals if answer.duals is not None else np.zeros(len(self.linear.row_lower))
        bound = self.exact.bound(duals, lower, upper)
        bounds = [one for one in (bound, known) if one is not None]
        if not bounds:
            self._unknown = True
            return
        x = answer.x if answer.outcome is SolverOutcome.OPTIMAL else None
        self._keep(step, answer)
        heappush(self._leaves, (max(bounds), self.nodes, _Leaf(max(bounds), lower, upper, x)))

    def _whole_end(self, upper: Floats) -> Mask:
        """Columns whose upper end the branching has set: others keep their own in what is solved."""
        whole: Mask = self.linear.integer & np.isfinite(upper)
        return whole

    def _keep(self, step: Linear, answer: SolverAnswer) -> None:
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or self._fractional(answer.x) is not None:
            return
        value = float(step.cost @ answer.x) + step.constant
        if self.best is None or value < self.best[0]:
            self.best = value, answer.x

    def _fractional(self, x: Floats) -> int | None:
        """The integer column that lies farthest from a whole number; None: all are whole."""
        off = np.where(self.linear.integer, np.abs(x - np.round(x)), 0.0)
        column = int(off.argmax()) if len(off) else 0
        return column if len(off) and off[column] > WHOLE else None

    def _empty(self, step: Linear, lower: Floats, upper: Floats) -> bool:
        """Whether it is proved that no plan keeps the rows."""
        import scipy.sparse as sp  # slow to import, and seldom needed

        rows, columns = step.entries.shape
        miss = sp.eye(rows, format="csr")
        ones = np.ones(2 * rows)
        elastic = Linear(
            cost=np.concatenate([np.zeros(columns), ones]),
            lower=np.concatenate([step.lower, 0 * ones]),
            upper=np.concatenate([step.upper, ones * np.inf]),
            integer=np.zeros(columns + 2 * rows, dtype=bool),
            entries=Entries.of(sp.hstack([step.matrix, miss, -miss])),
            row_lower=step.row_lower,
            row_upper=step.row_upper,
        )
        duals = relaxation(elastic, self.watch).duals
        if duals is None:
            return False
        bound = self.exact.bound(duals, lower, upper, costs=False)
        return bound is not None and bound > 0


class ProofSearch:
    """The parts of one program, each with its leaves."""

    def __init__(self, aim: Aim, watch: Watch, progress: Progress | None) -> None:
        """Looks for the best bound; what `watch` leaves no time for counts with what every column costs at least."""
        self.linear, self.parts = aim.linear, split(aim.linear)
        started = time.monotonic()
        floors = np.array([_floor(part.linear) for part in self.parts])
        most = float(aim.value + aim.slack) - self.linear.constant
        self.trees: list[Tree] = []
        for number, part in enumerate(self.parts):
            others = float(floors.sum() - floors[number]) if np.isfinite(floors).all() else -np.inf
            self.trees.append(Tree(part.linear, most - others, watch))
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)
        enough = Fraction(aim.value) - CLOSE * abs(Fraction(aim.value))
        for number, tree in enumerate(self.trees):
            bound = self.bound
            if bound is None or bound >= enough:
                break
            assert tree.bound is not None
            tree.grow(tree.bound + enough - bound)
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)

    @property
    def bound(self) -> Fraction | None:
        """No plan that costs no more than this one costs less; None: nothing is known."""
        bounds = [tree.bound for tree in self.trees]
        known = [bound for bound in bounds if bound is not None]
        if len(known) < len(bounds):
            return None
        return Fraction(repr(self.linear.constant)) + sum(known, Fraction(0))

    def best(self) -> Floats | None:
        """The cheapest plan seen, as values of all columns; None where one of the parts has none."""
        x = np.zeros(len(self.linear.cost))
        for part, tree in zip(self.parts, self.trees, strict=True):
            if tree.best is None:
                return None
            x[part.columns] = tree.best[1]
        return x


def _floor(linear: Linear) -> float:
    """A bound that needs no solver: every column at the end that costs least."""
    used = linear.cost != 0
    ends = np.where(linear.cost < 0, linear.upper, linear.lower)[used]
    return float(linear.cost[used] @ ends)
