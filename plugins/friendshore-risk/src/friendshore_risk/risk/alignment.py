"""Compliance classes told so finely that they are the same whatever happens, and names of what is decided before it is known.

Law may differ from one scenario to the next, and with it which uses no rule can tell apart. What is bought before the day is set aside for uses that
no rule of any scenario tells apart: nobody can know yet which of them a kilogram may serve. From the day on what is there may serve all uses that the
rules of the scenario that came do not tell apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from friendshore.problem import Problem
from friendshore.problem.compliance_classes import ComplianceClass, Outlet
from friendshore.problem.network import final_node
from friendshore.program import Program

Served = tuple[str, int, tuple[str, ...]]
"""Demand, period and waivers of an outlet."""
Label = tuple[Hashable, ...]
"""What a compliance class is for, the same in every scenario in which it is for the same."""
Key = tuple[Hashable, ...]
"""What a column is about, the same in every scenario."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Compliance classes as they have to be told apart before it is known which of several problems it is."""

    base: Problem
    """The first of the problems, with such classes."""
    labels: tuple[Label, ...]
    """What each of them is for."""
    own: tuple[Mapping[Hashable, int], ...]
    """Of each problem, the class of its own that such a class is a part of; one that it has no class for is missing."""
    split: bool
    """Whether they are finer than those of the first problem."""

    def translated(self, key: Key, number: int) -> Key | None:
        """What something is about in the classes of a problem of some number; None: it has none of them."""
        found = list(key)
        for place in _LABELS.get(str(key[0]), ()):
            if key[place] is not None:
                label = self.own[number].get(key[place])
                if label is None:
                    return None
                found[place] = label
        return tuple(found)


_LABELS: Mapping[str, tuple[int, ...]] = {"buy": (6,), "make": (3,), "lend": (4, 5), "hold": (2,), "deliver": (3,)}
"""Where in what a column is about its compliance classes stand."""


def aligned(problems: Sequence[Problem]) -> Alignment:
    """Compliance classes of the first problem, split by what any of them tells apart.

    Where co-products, or rules that watch stock, bear on the classes they are left as they are; for one that is not for the same in every problem
    nothing is decided before it is known which problem it is.
    """
    if all(may_be_split(problem) for problem in problems):
        return _split(problems)
    labels = [[_as_it_is(problem, one) for one in problem.compliance_classes] for problem in problems]
    own: tuple[Mapping[Hashable, int], ...] = tuple({one: at for at, one in enumerate(some)} for some in labels)
    return Alignment(problems[0], tuple(labels[0]), own, split=False)


def _served(problem: Problem) -> dict[Served, frozenset[int]]:
    """Outlet -> the classes that serve it."""
    found: dict[Served, set[int]] = {}
    for one in problem.compliance_classes:
        for outlet in one.outlets:
            found.setdefault(_named(problem, outlet), set()).add(one.index)
    return {outlet: frozenset(classes) for outlet, classes in found.items()}


def _named(problem: Problem, outlet: Outlet) -> Served:
    return problem.demands[outlet.demand].id, outlet.period, outlet.waivers


def may_be_split(problem: Problem) -> bool:
    """Whether classes can be split: it is then the same flow, told more finely."""
    several = any(not problem.offers[arc.offer].single for arc in problem.network.arcs if arc.offer >= 0)
    return not (several or any(rule.watches_stock for rule in problem.rules))


def _as_it_is(problem: Problem, one: ComplianceClass) -> Label:
    outlets = tuple(sorted(_named(problem, outlet) for outlet in one.outlets))
    if outlets:
        return outlets, _order_periods(one), one.ends
    return "inputs of several", one.index, tuple(sorted(one.nodes)), tuple(sorted(one.blocked)), one.ends


def _order_periods(one: ComplianceClass) -> tuple[int, ...] | None:
    return None if one.order_periods is None else tuple(sorted(one.order_periods))


def _split(problems: Sequence[Problem]) -> Alignment:
    """Outlets that every problem serves by the same of its classes stay together."""
    served, base = [_served(problem) for problem in problems], problems[0]
    groups = {outlet: tuple(one.get(outlet, frozenset()) for one in served) for outlet in served[0]}
    numbers: dict[tuple[frozenset[int], ...], int] = {}
    for served_by in (groups[name] for name in sorted(groups)):
        numbers.setdefault(served_by, len(numbers))
    classes: list[ComplianceClass] = []
    labels: list[Label] = []
    own: list[dict[Hashable, int]] = [{} for _ in problems]
    for one in base.compliance_classes:
        by_group: dict[int, list[Outlet]] = {}
        for outlet in one.outlets:
            by_group.setdefault(numbers[groups[_named(base, outlet)]], []).append(outlet)
        for number, outlets in sorted(by_group.items()):
            ends = {final_node(base.demands[outlet.demand].use) for outlet in outlets}
            nodes = set().union(*(base.network.reach(end)[1] for end in ends))
            label = number, _order_periods(one)
            classes.append(replace(one, index=len(classes), outlets=outlets, nodes=nodes))
            labels.append(label)
            for problem, found, of_group in zip(problems, own, groups[_named(base, outlets[0])], strict=True):
                alike = [c for c in of_group if _order_periods(problem.compliance_classes[c]) == label[1]]
                if len(alike) == 1:
                    found[label] = alike[0]
    split = len(classes) > len(base.compliance_classes)
    return Alignment(
        replace(base, compliance_classes=tuple(classes)) if split else base, tuple(labels), tuple(own), split
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """What is decided before a period in a program."""

    keys: dict[Key, int]
    """What each column is about -> the column."""
    late: frozenset[Key]
    """Orders of what is bought as such, without a licence, that arrive only from the period on: the law of a scenario may bar them by then."""


def decided_before(program: Program, labels: Sequence[Hashable], period: int) -> Decided:
    """What is decided before a period: orders, what is made, lent, held, delivered and left of lots in periods before it, and who is onboarded at all.

    `labels` are what its compliance classes are called.
    """
    orders = dict(_orders(program, labels, period))
    keys = {key: column for key, (column, _) in orders.items()}
    keys |= dict(_made(program, labels, period))
    keys |= dict(_kept(program, labels, period))
    return Decided(keys, frozenset(key for key, (_, late) in orders.items() if late))


def _orders(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, tuple[int, bool]]]:
    """Purchases: what each is about, its column, and whether it arrives late."""
    problem, columns = program.problem, program.columns
    moves, arcs, offers = problem.moves, problem.network.arcs, problem.offers
    for place in np.flatnonzero(moves.ordered[columns.buy_move] < period).tolist():
        move = int(columns.buy_move[place])
        ordered, delivered = int(moves.ordered[move]), int(moves.delivered[move])
        arc = arcs[int(moves.arc[move])]
        seller = problem.lots[arc.lot].id if arc.lot >= 0 else offers[arc.offer].offer.id
        licences = columns.buy_licences[place]
        bought = arc.offer < 0 or not offers[arc.offer].offer.inputs
        label = labels[int(columns.buy_compliance_class[place])]
        key = ("buy", arc.lot >= 0, seller, arc.node, ordered, delivered, label, licences)
        yield key, (int(columns.buy[place]), delivered >= period and bought and not licences)


def _made(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    """What is made, lent and ordered at all, and who is onboarded."""
    offers, columns = program.problem.offers, program.columns
    for (offer, one, t), column in columns.make.items():
        if t < period:
            yield ("make", offers[offer].offer.id, t, labels[one] if one >= 0 else None), column
    for (offer, output, t, giver, taker), column in columns.transfer.items():
        if t < period:
            yield ("lend", offers[offer].offer.id, output, t, labels[giver], labels[taker]), column
    for what, table in (("lots", columns.lot), ("order", columns.order)):
        for (offer, t), column in table.items():
            if t < period:
                yield (what, offers[offer].offer.id, t), column
    for offer, column in columns.onboard.items():
        if offers[offer].onboarding:
            yield ("onboard", offers[offer].offer.id), column


def _kept(program: Program, labels: Sequence[Hashable], period: int) -> Iterator[tuple[Key, int]]:
    """What is held, delivered and left of lots."""
    problem, columns = program.problem, program.columns
    for (node, one), first in columns.stock.items():
        for t in range(period):
            yield ("hold", problem.network.nodes[node], labels[one], t), first + t
    for column, (demand, t, one, waivers) in zip(columns.deliver, columns.deliver_key, strict=True):
        if t < period:
            yield ("deliver", problem.demands[demand].id, t, labels[one], waivers), column
    for lot, column in columns.rest.items():
        if problem.lots[lot].period < period:
            yield ("left", problem.lots[lot].id), column
