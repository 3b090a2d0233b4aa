"""A claim's program, part by part: what each costs at least, proved, the bound of all together, and the plan that their best plans make."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..program.matrix import Floats, Linear
from ..solve import Progress, Watch, split
from .claims import Aim
from .tree import CLOSE, Tree


class ClaimParts:
    """The independent parts of a claim's program."""

    def __init__(self, aim: Aim) -> None:
        self.linear, self.parts = aim.linear, split(aim.linear)
        self._floors = np.array([_floor(part.linear) for part in self.parts])
        self._most = float(aim.value + aim.slack) - self.linear.constant

    def most(self, number: int) -> float:
        """What a part may cost in a plan that is worth looking at: what all others cost at least is left for it."""
        others = float(self._floors.sum() - self._floors[number]) if np.isfinite(self._floors).all() else -np.inf
        return self._most - others

    def sum(self, bounds: Sequence[Fraction | None]) -> Fraction | None:
        """The bound of all, from those of the parts; None: nothing is known."""
        known = [bound for bound in bounds if bound is not None]
        return Fraction(repr(self.linear.constant)) + sum(known, Fraction(0)) if len(known) == len(bounds) else None


class ProofSearch(ClaimParts):
    """The parts of one program, each with its leaves."""

    def __init__(self, aim: Aim, watch: Watch, progress: Progress | None, x: Floats | None = None) -> None:
        """Looks for the best bound; what `watch` leaves no time for counts with what every column costs at least.

        Args:
            aim: the claim.
            watch: says when to stop.
            progress: told how far it is.
            x: the plan, as values of all columns, if it is known: no leaf is looked at any more that costs as much as it does.
        """
        super().__init__(aim)
        started = time.monotonic()
        ends = [None if x is None else _end(part.linear, x[part.columns]) for part in self.parts]
        self.trees: list[Tree] = []
        for number, part in enumerate(self.parts):
            self.trees.append(Tree(part.linear, self.most(number), watch, ends[number]))
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)
        enough = Fraction(aim.value) - CLOSE * abs(Fraction(aim.value))
        for number, (tree, end) in enumerate(zip(self.trees, ends, strict=True)):
            bound = self.bound
            if bound is None or bound >= enough:
                break
            assert tree.bound is not None
            tree.grow(tree.bound + enough - bound if end is None else end)
            if progress is not None:
                progress(number, len(self.parts), time.monotonic() - started)

    @property
    def bound(self) -> Fraction | None:
        """No plan that costs no more than this one costs less; None: nothing is known."""
        return self.sum([tree.bound for tree in self.trees])

    def best(self) -> Floats | None:
        """The cheapest plan seen, as values of all columns; None where one of the parts has none."""
        x = np.zeros(len(self.linear.cost))
        for part, tree in zip(self.parts, self.trees, strict=True):
            if tree.best is None:
                return None
            x[part.columns] = tree.best[1]
        return x


def _end(linear: Linear, x: Floats) -> Fraction:
    """What a plan costs in a part, but for the solver's tolerance."""
    value = Fraction(float(linear.cost @ x))
    return value - CLOSE * max(abs(value), Fraction(1))


def _floor(linear: Linear) -> float:
    """A bound that needs no solver: every column at the end that costs least."""
    used = linear.cost != 0
    ends = np.where(linear.cost < 0, linear.upper, linear.lower)[used]
    return float(linear.cost[used] @ ends)
