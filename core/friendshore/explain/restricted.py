"""Details of the restrictions of a cause: the offers that would deliver more without it, and the cost of the next kilogram."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial

from ..domain.base import exact
from ..domain.unmet import CauseKind, RunRestriction
from ..problem import Problem
from ..problem.compliance_classes import ComplianceClass
from ..problem.network import Arc, final_node
from .eligibility import May, first_arrivals
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
        upstream = {name_of(problem, arc) for arc in arcs_to(problem, self.group)}
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

    def _of_offers(self, kind: CauseKind, problem: Problem, more: Sequence[str], removed: Removed) -> RunRestriction:
        """Return a restriction that offers have, with those of them that would deliver more without it."""
        if kind == "no offer":
            lacking = {lead.id for lead in leads(self.replans.problem)}
            names = [name for name in more if name in lacking]
            reasons = [why for lead in self.replans.problem.leads if lead.offer.id in names for why in lead.reasons]
            return RunRestriction(kind=kind, names=names, reasons=list(dict.fromkeys(reasons)))
        arcs = arcs_to(problem, self.group)
        named = self.replans.over_capacity(removed) if kind == "capacity" else having(kind, problem, arcs)
        names = [name for name in more if name in named]
        return RunRestriction(kind=kind, names=names)

    def dated(
        self, found: Sequence[RunRestriction], removed: Collection[Restriction], demand: str
    ) -> list[RunRestriction]:
        """Return the restrictions of a cause with the period in which a demand can get what they keep from it."""
        problem = self._problem(removed)
        return [
            each.but(first=first_delivery(problem, demand, each.names)) if each.kind in ("lead time", "date") else each
            for each in found
        ]

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


def arcs_to(problem: Problem, demands: Collection[str]) -> list[Arc]:
    """Return everything upstream of some demands."""
    nodes = {final_node(demand.use) for demand in problem.demands if demand.id in demands}
    reach = frozenset[int]().union(*(problem.network.reach(node)[0] for node in nodes))
    return [problem.network.arcs[index] for index in sorted(reach)]


def having(kind: CauseKind, problem: Problem, arcs: Sequence[Arc]) -> set[str]:
    """Return the offers and lots along some arcs that have a restriction."""
    offers = {problem.offers[arc.offer].offer.id: problem.offers[arc.offer] for arc in arcs if arc.offer >= 0}
    pools = {pool.facility: pool.capacity for pool in problem.pools}
    match kind:
        case "lead time":
            return {name_of(problem, arc) for arc in arcs if arc.offer >= 0 and any(arc.lags)}
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
            return {name_of(problem, arc) for arc in arcs}


def first_delivery(problem: Problem, demand: str, names: Collection[str]) -> str:
    """Return the label of the first period in which a demand can get what some offers or lots give, through makers too.

    A maker's good arrives after its inputs; those that are among the names count before all others. Of what is never lawful for the demand, and of
    plants that never run, the period in which it would arrive otherwise.
    """
    arcs = arcs_to(problem, (demand,))
    (number,) = (number for number, one in enumerate(problem.demands) if one.id == demand)
    finals = {final_node(problem.demands[number].use)}
    own = {arc.index for arc in arcs if name_of(problem, arc) in names}
    last = [arc for arc in arcs if arc.node in finals]
    last = [arc for arc in last if arc.index in own or _feeds_of(problem, arc) & own]
    capacity = {pool.facility: pool.capacity for pool in problem.pools}
    serving = [
        (each, min(outlet.period for outlet in each.outlets if outlet.demand == number))
        for each in problem.compliance_classes
        if any(outlet.demand == number for outlet in each.outlets)
    ]
    ways: list[tuple[May, int]] = [(partial(_may, problem, capacity, each), wanted) for each, wanted in serving]
    for some in (ways, [(partial(_may, problem, capacity, None), 0)], [(partial(_may, problem, {}, None), 0)]):
        found = []
        for may, wanted in some:
            first = first_arrivals(problem, arcs, may, own)
            found += [max(first[arc.index], wanted) for arc in last if arc.index in first]
        if found:
            return problem.case.horizon.label(min(found))
    return ""


def _may(
    problem: Problem,
    capacity: Mapping[str, Sequence[Decimal | None]],
    uses: ComplianceClass | None,
    arc: Arc,
    ordered: int,
    arrival: int,
) -> bool:
    """Return True if all plants of an arc's offer run when it is ordered, and a compliance class admits what arrives."""
    pools = problem.offers[arc.offer].pools if arc.offer >= 0 else ()
    runs = all(capacity[name][ordered] != 0 for name in pools if name in capacity)
    return runs and (uses is None or uses.admits(arc.index, arrival))


def _feeds_of(problem: Problem, arc: Arc) -> frozenset[int]:
    """Return all arcs up the chains of what an arc's offer takes in."""
    feeds = problem.network.feeds.get(arc.offer, ())
    return frozenset[int]().union(*(problem.network.reach(feed)[0] for feed in feeds))


def name_of(problem: Problem, arc: Arc) -> str:
    """Return the offer or the lot that an arc is of."""
    return arc.chained.offer.id if arc.lot < 0 else problem.lots[arc.lot].id
