"""What may be bought only once an origin is proved, a rule waived or an export licensed: columns that are closed where none of it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from friendshore.domain.base import grouped
from friendshore.problem import Problem
from friendshore.problem.compliance_classes import ComplianceClass
from friendshore.problem.network import Arc, final_node
from friendshore.program import Program
from friendshore.program.matrix import Mask

_Outlet = tuple[str, int, frozenset[str | int]]
"""Demand, period, and waivers: by their levers, or else by name."""


def apart(problem: Problem, demands: Collection[str]) -> Problem:
    """The same facts with compliance classes of their own for some demands, where no rule counts by these: what may end in them can then be told
    apart from what may end in others. It is the same flow, told more finely.
    """
    classes = problem.compliance_classes
    several = any(not problem.offers[arc.offer].single for arc in problem.network.arcs if arc.offer >= 0)
    if several or any(one.ends or one.free_of for one in classes) or any(rule.watches_stock for rule in problem.rules):
        return problem
    found: list[ComplianceClass] = []
    for one in classes:
        named = ((problem.demands[o.demand].id, o) for o in one.outlets)
        for outlets in grouped((name if name in demands else "", o) for name, o in named).values():
            ends = {final_node(problem.demands[o.demand].use) for o in outlets}
            nodes = set().union(*(problem.network.reach(end)[1] for end in ends))
            found.append(replace(one, index=len(found), outlets=list(outlets), nodes=nodes))
    return replace(problem, compliance_classes=tuple(found))


class Closings:
    """The columns of a program that buy, and what other facts say that they may end in."""

    def __init__(self, program: Program, levers: Mapping[str, int]) -> None:
        """Of a program, with the levers that bring waivers."""
        self.problem = program.problem
        self._columns = program.columns
        self._levers = levers
        self._count = self.problem.case.horizon.count
        moves = self.problem.moves
        self.arc = moves.arc[self._columns.buy_move]
        """The arc of every column that buys."""
        self._delivered = moves.delivered[self._columns.buy_move]

    def none(self) -> Mask:
        """Nothing is closed."""
        found: Mask = np.zeros(len(self.arc), dtype=bool)
        return found

    def shut(self, problem: Problem, levers: Mapping[str, int]) -> Mask:
        """Columns that buy what may end in nothing by other facts, with the levers that bring waivers to those; none where co-products are lent."""
        if self._columns.transfer:
            return self.none()
        known = {_named(problem, arc): arc.index for arc in problem.network.arcs}
        there = np.array([known.get(_named(self.problem, arc), -1) for arc in self.problem.network.arcs], dtype=np.intp)
        opened = self._opened(problem, levers)
        arc, shut = there[self.arc], self.none()
        for number, one in enumerate(self.problem.compliance_classes):
            keys = list(_outlets(self.problem, one, self._levers))
            if not keys or not all(key in opened for key in keys):
                continue
            open_: Mask = np.logical_or.reduce([opened[key] for key in keys])
            of = self._columns.buy_compliance_class == number
            shut |= of & (arc >= 0) & ~open_[arc, self._delivered]
        return shut

    def _opened(self, problem: Problem, levers: Mapping[str, int]) -> dict[_Outlet, Mask]:
        """What of every arc, in every period of arrival, may end in each outlet of this program, as other facts admit it.

        An outlet of these stands for the same one, with the same waivers; where that is not needed here, for those with fewer.
        """
        own: dict[tuple[str, int], set[frozenset[str | int]]] = {}
        for one in self.problem.compliance_classes:
            for demand, period, waivers in _outlets(self.problem, one, self._levers):
                own.setdefault((demand, period), set()).add(waivers)
        opened: dict[_Outlet, Mask] = {}
        for one in problem.compliance_classes:
            admits = _admits(one, len(problem.network.arcs), self._count)
            for demand, period, waivers in _outlets(problem, one, levers):
                here = own.get((demand, period), set())
                fewer = {waivers} & here or {some for some in here if some <= waivers} or here
                for key in [(demand, period, some) for some in fewer]:
                    opened[key] = opened[key] | admits if key in opened else admits
        closed: Mask = np.zeros((len(problem.network.arcs), self._count), dtype=bool)
        told = {(demand, period) for demand, period, _ in opened}
        for (demand, period), here in own.items():
            for some in here if (demand, period) in told else ():
                opened.setdefault((demand, period, some), closed)
        return opened


def _outlets(problem: Problem, one: ComplianceClass, levers: Mapping[str, int]) -> Iterator[_Outlet]:
    """The outlets of a compliance class, with waivers that levers bring told by these."""
    for outlet in one.outlets:
        waivers = frozenset(levers.get(name, name) for name in outlet.waivers)
        yield problem.demands[outlet.demand].id, outlet.period, waivers


def _named(problem: Problem, arc: Arc) -> tuple[object, ...]:
    """What tells an arc from others of the same facts, and of other facts with other levers."""
    if arc.lot >= 0:
        return ("lot", problem.lots[arc.lot].id, arc.node)
    return ("offer", arc.chained.offer.id, arc.output, arc.node)


def _admits(one: ComplianceClass, arcs: int, count: int) -> Mask:
    """Which arcs a compliance class admits in which period of arrival."""
    found: Mask = np.ones((arcs, count), dtype=bool)
    found[sorted(one.blocked)] = False
    for arc, arrival in one.blocked_cells:
        found[arc, arrival] = False
    return found
