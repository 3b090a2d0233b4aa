"""Checks of the causes of shortages that a run states, as far as the facts can contradict them without another plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..domain.base import exact
from ..domain.unmet import RunConflict, RunRestriction, RunShortage, RunSupplyCause
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.parts import Members, Parts
from .causes import Causes, competing
from .restricted import arcs_to, first_delivery, having, name_of
from .restrictions import Restriction, Upstream


def causes_as_told(
    inputs: Inputs, problem: Problem, rows: Iterable[RunShortage], conflicts: Sequence[RunConflict]
) -> Causes:
    """Return the causes that a run states, which take further plans to find, without those that the facts contradict."""
    periods = {period.label: period.index for period in problem.case.horizon.periods}
    told = [row for row in rows if row.causes and row.period in periods]
    if not told:
        return {}
    facts = _Facts(inputs, problem, conflicts)
    return {
        (row.demand, periods[row.period]): tuple(cause for cause in row.causes if facts.allow(cause, row))
        for row in told
    }


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a case, and what may keep supply from its demands."""

    materials: Members
    restrictions: frozenset[Restriction]
    verdicts: tuple[tuple[str, str, bool], ...]
    """Rule and offer of each verdict that forbids, and whether a proof would reverse it."""
    inputs: frozenset[str]


class _Facts:
    """The facts that a cause must agree with."""

    def __init__(self, inputs: Inputs, problem: Problem, conflicts: Sequence[RunConflict]) -> None:
        self.problem, self.conflicts = problem, conflicts
        ranked = (row for objective in problem.objectives for row in objective.rows)
        self.parts = Parts(inputs, problem, problem.limit_rows, ranked)
        self.demands = {demand.id: demand for demand in problem.demands}
        self.groups = competing(problem)
        self.ranked = [each.level.minimise.value for each in problem.objectives if not each.implied]
        self.names = {rule.id for rule in problem.rules} | {lot.id for lot in problem.lots} | self.demands.keys()
        self.names |= problem.merged.offers.keys() | problem.merged.materials.keys() | set(self.ranked)
        self.names |= {name for conflict in conflicts for name in conflict.rules}
        self._parts: dict[int, _Part] = {}

    def allow(self, cause: RunSupplyCause, row: RunShortage) -> bool:
        """Return True if a cause names only what is in the facts, and each of its restrictions can cause the shortage."""
        named = {name for each in cause.restrictions for name in (*each.names, *each.offers)}
        served = cause.served_kg
        if row.demand not in self.demands or not named <= self.names:
            return False
        if served is not None and not 0 < served <= row.quantity_kg + self._rounding(row):
            return False
        # What an offer without a known capacity could do isn't among the facts.
        leads = any(each.kind == "no offer" for each in cause.restrictions)
        return leads or all(self._bears(each, row) for each in cause.restrictions)

    def _rounding(self, row: RunShortage) -> Decimal:
        """Return twice the kilograms that rounding may explain: in the shortage, and in what is served."""
        return 2 * (2 * self.problem.case.resolution + row.wanted_kg / 10**6)

    def _number(self, demand: str) -> int:
        return self.parts.of_material[self.demands[demand].use.material.id]

    def _part(self, number: int) -> _Part:
        if number not in self._parts:
            uses = dict.fromkeys(demand.use for demand in self.problem.demands if self._number(demand.id) == number)
            upstream = Upstream(self.problem, list(uses))
            feeds = (self.problem.network.feeds.get(offer, ()) for offer in upstream.offers)
            self._parts[number] = _Part(
                materials=self.parts.members[number],
                restrictions=frozenset(upstream.restrictions()),
                verdicts=tuple(upstream.verdicts()),
                inputs=frozenset(material for feed in feeds for material, _ in feed),
            )
        return self._parts[number]

    def _bears(self, each: RunRestriction, row: RunShortage) -> bool:
        """Return True if a restriction can cause the shortage of a demand."""
        problem, group, number = self.problem, self.groups[row.demand], self._number(row.demand)
        part, arcs, names = self._part(number), arcs_to(problem, group), set(each.names)
        if not set(each.offers) <= {name_of(problem, arc) for arc in arcs}:
            return False
        match each.kind:
            case "limit":
                return bool(names) and all(self.parts.counted.get(name, set()) & part.materials for name in names)
            case "law":
                barred = {offer for rule, offer, _ in part.verdicts if rule in names}
                laws = {Restriction("law", (name,)) for name in names}
                return bool(names) and laws <= part.restrictions and set(each.offers) <= barred
            case "proof":
                unproven = {offer for _, offer, provable in part.verdicts if provable}
                return bool(unproven) and names <= unproven
            case "inputs":
                return bool(names) and names <= part.inputs
            case "competition":
                others = self.demands.keys() - group
                return names <= others and all(self._number(name) == number for name in names)
            case "price":
                prices = zip(problem.demands, problem.shortage_price, strict=True)
                own = {exact(price) for demand, price in prices if demand.id in group}
                return each.currency == problem.case.currency and each.shortage_price in own
            case "rank":
                return bool(self.ranked) and each.names == self.ranked
            case "conflict":
                return any(row.demand in found.demands and names == set(found.rules) for found in self.conflicts)
            case "rounding":
                return row.quantity_kg <= self._rounding(row)
            case "lead time" | "date" | "capacity" | "storage" | "terms":
                first = first_delivery(problem, row.demand, names) if each.kind in ("lead time", "date") else ""
                known = names <= having(each.kind, problem, arcs)
                return known and Restriction(each.kind) in part.restrictions and each.first == first
            case _:
                return True
