"""A claim's program, part by part: the bound of all parts together, and the plan that their best plans make."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np

from ..program.matrix import Floats, Linear
from ..solve import Progress, Watch, split
from .aims import Aim
from .tree import CLOSE, Tree


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
