"""What each restriction of a cause is about: the offers that would deliver more without it, and the cost of the next kilogram."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..domain.base import exact
from ..domain.unmet import CauseKind, RunRestriction
from ..problem import Problem
from ..problem.network import Arc, final_node
from .replans import Cell, PartReplans
from .restrictions import Removed, Restriction, forbidden_by, leads, unproven_offers


class RestrictionDetails:
    """Descriptions of restrictions of demands that compete for the same supply."""

    def __init__(self, replans: PartReplans, group: tuple[str, ...]) -> None:
        self.replans, self.group = replans, group

    def of(self, removed: Sequence[Restriction], served: Mapping[Cell, float]) -> list[RunRestriction]:
        """Return the restrictions of a cause.

        Args:
            removed: The restrictions.
            served: Kilograms that the plan without them serves.
        """
        problem = self._problem(removed)
        before, after = self.replans.supply(), self.replans.supply(frozenset(removed))
        upstream = {_name(problem, arc) for arc in self._arcs(problem)}
        more = [name for name in after if name in upstream and after[name] > before.get(name, 0.0) * (1 + 1e-6) + 1e-6]
        more.sort(key=lambda name: (before.get(name, 0.0) - after[name], name))
        found = []
        for each in removed:
            if each.kind == "price":
                found.append(self._price(frozenset(removed) - {each}, served))
            elif each.kind == "competition":
                found.append(RunRestriction(kind="competition", names=self._losers(frozenset(removed))))
            elif each.kind == "law":
                barred = forbidden_by(problem, each.names[0])
                offers = [name for name in more if name in barred]
                found.append(RunRestriction(kind="law", names=list(each.names), offers=offers))
            elif each.kind in ("limit", "inputs"):
                found.append(RunRestriction(kind=each.kind, names=list(each.names), offers=more))
            else:
                found.append(self._of_offers(each.kind, problem, more, frozenset(removed)))
        return found

    def _problem(self, removed: Collection[Restriction]) -> Problem:
        """Return the facts, with leads that count if they do without the restrictions."""
        return self.replans.counted if any(each.kind == "no offer" for each in removed) else self.replans.problem

    def _arcs(self, problem: Problem) -> list[Arc]:
        nodes = {final_node(demand.use) for demand in problem.demands if demand.id in self.group}
        reach = frozenset[int]().union(*(problem.network.reach(node)[0] for node in nodes))
        return [problem.network.arcs[index] for index in sorted(reach)]

    def _of_offers(self, kind: CauseKind, problem: Problem, more: Sequence[str], removed: Removed) -> RunRestriction:
        """Return a restriction that offers have, with those of them that would deliver more without it."""
        if kind == "no offer":
            lacking = {lead.id for lead in leads(self.replans.problem)}
            names = [name for name in more if name in lacking]
            reasons = [why for lead in self.replans.problem.leads if lead.offer.id in names for why in lead.reasons]
            return RunRestriction(kind=kind, names=names, reasons=list(dict.fromkeys(reasons)))
        having = self.replans.over_capacity(removed) if kind == "capacity" else self._having(kind, problem)
        names = [name for name in more if name in having]
        first = self._first(problem, names) if kind in ("lead time", "date") else ""
        return RunRestriction(kind=kind, names=names, first=first)

    def _having(self, kind: CauseKind, problem: Problem) -> set[str]:
        """Return the offers and lots that a restriction is about."""
        arcs = self._arcs(problem)
        offers = {problem.offers[arc.offer].offer.id: problem.offers[arc.offer] for arc in arcs if arc.offer >= 0}
        pools = {pool.facility: pool.capacity for pool in problem.pools}
        match kind:
            case "lead time":
                return {_name(problem, arc) for arc in arcs if arc.offer >= 0 and any(arc.lags)}
            case "date":
                late = {lot.id for lot in problem.lots if lot.period > 0}
                return late | {
                    name
                    for name, facts in offers.items()
                    if 0 in facts.most or any(0 in pools.get(pool, ()) for pool in facts.pools)
                }
            case "proof":
                return unproven_offers(problem)
            case _:
                return {_name(problem, arc) for arc in arcs}

    def _first(self, problem: Problem, names: Collection[str]) -> str:
        """Return the label of the first period in which some offers or lots can deliver; of plants that never run, if they did."""
        periods = [lot.period for lot in problem.lots if lot.id in names]
        idle: list[int] = []
        moves = problem.moves
        capacity = {pool.facility: pool.capacity for pool in problem.pools}
        for arc in self._arcs(problem):
            if arc.offer >= 0 and _name(problem, arc) in names:
                pools = [capacity[name] for name in problem.offers[arc.offer].pools if name in capacity]
                for move in range(int(moves.first[arc.index]), int(moves.first[arc.index + 1])):
                    runs = all(pool[int(moves.ordered[move])] != 0 for pool in pools)
                    (periods if runs else idle).append(int(moves.delivered[move]))
        found = periods or idle
        return problem.case.horizon.label(min(found)) if found else ""

    def _losers(self, removed: frozenset[Restriction]) -> list[str]:
        """Return the demands that would be short of more."""
        after = self.replans.replan(removed)
        assert after is not None
        before = self.replans.before
        short = after.short(before)
        return sorted(
            {
                cell[0]
                for cell, kilograms in short.items()
                if cell[0] not in self.group and kilograms > before[cell] + self.replans.tolerance(cell)
            }
        )

    def _price(self, removed: frozenset[Restriction], served: Mapping[Cell, float]) -> RunRestriction:
        """Return the price as a restriction, with the cost of the next kilogram, or the objectives that are ranked first."""
        problem = self.replans.problem
        if problem.objectives:
            ranked = [objective.level.minimise.value for objective in problem.objectives if not objective.implied]
            return RunRestriction(kind="rank", names=ranked)
        names = {name for name, _ in served}
        prices = zip(problem.demands, problem.shortage_price, strict=True)
        price = min(price for demand, price in prices if demand.id in names)
        cost = self.replans.marginal_cost(removed, self.group, served)
        marginal_cost = price if cost is None else exact(cost)
        currency = problem.case.currency
        return RunRestriction(kind="price", marginal_cost=marginal_cost, shortage_price=price, currency=currency)


def _name(problem: Problem, arc: Arc) -> str:
    return arc.chained.offer.id if arc.lot < 0 else problem.lots[arc.lot].id
