"""Bettering a plan part by part: the choices of a few neighbouring parts are opened, those of all others stay.

Large-neighbourhood search (Shaw, Using constraint programming and local search methods to solve vehicle routing problems,
CP 1998), with a search of its own for every neighbourhood (Danna, Rothberg and Le Pape, Mathematical Programming 102, 2005).
Several disjoint neighbourhoods are searched at once; their number does not depend on the machine, and none is ended by the
clock unless the whole search is, so that the same program gives the same plan everywhere. Nothing here proves anything: only
the plan comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Ints, Linear, Mask
from .engines import Ask, SolverAnswer, SolverOutcome
from .linking import Joint
from .mip import NOTHING, fix, in_slices
from .retries import Engines
from .watch import Watch

AT_ONCE = 4
"""Neighbourhoods searched from the same plan."""
NODES = 200
"""Most nodes of one search."""
SIZES = (8, 12, 16)
"""Parts in a neighbourhood; the next size is taken when a pass over all parts at one brought nothing."""
GAP = 5e-4
"""Relative gap at which the search of a neighbourhood ends."""
BETTER = 1e-7
"""Share of the objective by which a plan must be cheaper to count as better."""


class Neighbourhoods:
    """A plan of a program whose parts share something, and the ways in which parts are neighbours."""

    def __init__(self, linear: Linear, joint: Joint, engines: Engines, watch: Watch, workers: int) -> None:
        self.linear, self.engines, self.watch, self.workers = linear, engines, watch, workers
        self.part = np.full(len(linear.cost), -1)
        for number, part in enumerate(joint.parts):
            self.part[part.columns] = number
        self.near = _near(joint, self.part)
        self.dice = np.random.default_rng(0)
        self.sizes = [size for size in SIZES if size < len(self.near)] or [len(self.near)]
        self.size = 0
        self.idle = 0
        """Searches since the last better plan."""

    @property
    def exhausted(self) -> bool:
        """Whether a whole pass at every size brought nothing."""
        return self.size == len(self.sizes)

    def round(self, best: SolverAnswer, whole: Mask) -> SolverAnswer:
        """The best of a plan and of what a few searches make of it; only the columns of `whole` need be whole."""
        assert best.x is not None
        groups = self._groups(self.sizes[self.size])
        programs = [self._opened(best.x, whole, group) for group in groups]
        with ThreadPoolExecutor(self.workers) as pool:
            found = list(pool.map(lambda program: in_slices(program, self.engines, self.watch, GAP, NODES), programs))
        enough = best.objective - BETTER * abs(best.objective)
        better = [i for i, answer in enumerate(found) if answer.x is not None and answer.objective < enough]
        self._note(len(groups), bool(better))
        if not better:
            return best
        one = min((found[i] for i in better), key=lambda answer: answer.objective)
        if len(better) > 1:
            together = self._together(best.x, whole, [(groups[i], found[i]) for i in better])
            one = min(one, together, key=lambda answer: answer.objective)
        return SolverAnswer(SolverOutcome.FEASIBLE, one.x, one.objective, best.bound)

    def _note(self, searches: int, better: bool) -> None:
        self.idle = 0 if better else self.idle + searches
        if self.idle * self.sizes[self.size] >= 2 * len(self.near):
            self.size, self.idle = self.size + 1, 0

    def _groups(self, size: int) -> list[Ints]:
        """Disjoint groups of neighbours, each around a part drawn at random."""
        left = np.ones(len(self.near), dtype=bool)
        groups = []
        for _ in range(AT_ONCE):
            if left.sum() < size:
                break
            group = [int(self.dice.choice(np.flatnonzero(left)))]
            left[group] = False
            while len(group) < size:
                weight = np.where(left, 1e-9 + self.near[group].sum(axis=0), 0.0) * self.dice.random(len(left))
                group.append(int(weight.argmax()))
                left[group[-1]] = False
            groups.append(np.array(group))
        return groups

    def _opened(self, x: Floats, whole: Mask, group: Ints) -> Linear:
        """The program with all choices as they are but those of some parts."""
        fixed = whole & (self.part >= 0) & ~np.isin(self.part, group)
        return fix(replace(self.linear, integer=whole), fixed, x)

    def _together(self, x: Floats, whole: Mask, found: Sequence[tuple[Ints, SolverAnswer]]) -> SolverAnswer:
        """The choices of several searches at once, where they are available."""
        mixed = x.copy()
        for group, answer in found:
            assert answer.x is not None
            own = np.isin(self.part, group)
            mixed[own] = answer.x[own]
        fixed = fix(replace(self.linear, integer=whole), whole & (self.part >= 0), mixed)
        return self.engines.search(fixed, Ask(self.watch.left())) if not self.watch.stopped() else NOTHING


def _near(joint: Joint, part: Ints) -> Floats:
    """How many of the linking constraints each two parts share."""
    rows = joint.linear.matrix[joint.rows].tocoo()
    touched = np.zeros((len(joint.rows), len(joint.parts)))
    known = part[rows.col] >= 0
    touched[rows.row[known], part[rows.col[known]]] = 1.0
    near: Floats = touched.T @ touched
    return near
