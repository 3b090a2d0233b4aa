"""A plan's entries matched with the facts they speak of; what matches nothing is a finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..domain.plan import Delivery, LotUse, Make, Plan, Purchase, Transfer
from ..problem import Problem
from ..problem.network import Arc, Node
from .columns import Bought, Ints, PurchaseColumns, in_columns, in_lots


@dataclass(slots=True)
class Matched:
    """The entries that match, each with the position of what it is about."""

    purchases: Sequence[Purchase] = ()
    arcs: Ints = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    """The arc of each purchase."""
    columns: PurchaseColumns | None = None
    """The purchases as columns, where all were taken at once."""
    lots: list[LotUse] = field(default_factory=list)
    """Lots set aside."""
    lot_arcs: list[int] = field(default_factory=list)
    """The arc of each of them."""
    makes: list[tuple[Make, int]] = field(default_factory=list)
    """With their offers."""
    transfers: list[tuple[Transfer, int]] = field(default_factory=list)
    """With their offers."""
    deliveries: list[tuple[Delivery, int]] = field(default_factory=list)
    """With their demands."""


def match(problem: Problem, plan: Plan, find: Callable[..., None]) -> Matched:
    """The entries of a plan that match; `find` is told what matches nothing, or has a quantity that cannot be."""
    matcher = _Matcher(problem, find)
    if not matcher.all_purchases(plan):
        matcher.one_by_one(plan)
    for lot in plan.lots:
        matcher.lot(lot)
    matcher.others(plan)
    return matcher.found


class _Matcher:
    def __init__(self, problem: Problem, find: Callable[..., None]) -> None:
        self.problem = problem
        self.find = find
        self.found = Matched()
        self.offers = {facts.offer.id: i for i, facts in enumerate(problem.offers)}
        self.demands: dict[str, int] = {demand.id: i for i, demand in enumerate(problem.demands)}
        self.lots = {lot.id: i for i, lot in enumerate(problem.lots)}

    @cached_property
    def arcs(self) -> dict[tuple[int, int, Node], Arc]:
        """Arcs by offer, lot and where they lead."""
        return {(arc.offer, arc.lot, arc.node): arc for arc in self.problem.network.arcs}

    def all_purchases(self, plan: Plan) -> bool:
        """Takes all purchases at once if there is nothing to find; else none."""
        known = {(a.chained.offer.id, *a.node): a.index for a in self.problem.network.arcs if a.lot < 0}
        table = in_columns(plan.purchases, self.problem.case.resolution)
        arc = np.array([known.get(line, -1) for line in table.lines], dtype=np.intp)[table.line]
        if (arc < 0).any():
            return False
        columns = PurchaseColumns.of(self.problem, (table, arc))
        if not (columns.counts > 0).all() or not _in_steps(columns, self.problem):
            return False
        periods = self.problem.case.horizon.count
        if columns.ordered.min(initial=0) < 0 or columns.ordered.max(initial=0) >= periods:
            return False
        move = self.problem.moves.slots[columns.arc, columns.ordered]
        if (move < 0).any() or (self.problem.moves.delivered[move] != columns.delivered).any():
            return False
        self.found.purchases, self.found.arcs, self.found.columns = plan.purchases, arc, columns
        return True

    def one_by_one(self, plan: Plan) -> None:
        """Takes purchases one after the other, for all that is to be found in each."""
        taken = [(purchase, self.purchase(purchase)) for purchase in plan.purchases]
        self.found.purchases = [purchase for purchase, arc in taken if arc is not None]
        self.found.arcs = np.array([arc for _, arc in taken if arc is not None], dtype=np.intp)

    def purchase(self, purchase: Purchase) -> int | None:
        """The arc of a purchase; None if it cannot be taken."""
        offer = self.offers.get(purchase.offer)
        if offer is None:
            self._unknown("offer", purchase.offer)
            return None
        arc = self.arcs.get((offer, -1, (purchase.material, purchase.place)))
        if arc is None:
            self.find(f"offer `{purchase.offer}` cannot bring {purchase.material} to {purchase.place}")
            return None
        item = Bought(purchase, arc)
        horizon = self.problem.case.horizon
        if not 0 <= purchase.ordered <= purchase.delivered < horizon.count:
            self.find(f"{item} lies outside the plan")
            return None
        arrival = arc.arrival(purchase.ordered)
        if purchase.delivered != arrival:
            self.find(
                f"{item} arrives in {horizon.label(purchase.delivered)}",
                expected=f"{horizon.label(arrival)}, {arc.lags[purchase.ordered]} periods after the order",
            )
        if self.problem.offers[offer].most[purchase.ordered] == 0:
            self.find(f"{item} is ordered when it is not offered")
        return arc.index if self._positive(item) else None

    def lot(self, lot: LotUse) -> None:
        """Takes a lot set aside."""
        position = self.lots.get(lot.lot)
        if position is None:
            self._unknown("lot", lot.lot)
            return
        facts = self.problem.lots[position]
        arc = self.arcs[-1, position, (facts.material, facts.place.id)]
        item = Bought(lot, arc)
        if (lot.material, lot.place, lot.period) != (facts.material, facts.place.id, facts.period):
            self.find(f"{item} is not what the case holds", expected=f"{facts.material} at {facts.place.id}")
            return
        if self._positive(item):
            self.found.lots.append(lot)
            self.found.lot_arcs.append(arc.index)

    def others(self, plan: Plan) -> None:
        """Takes runs, transfers and deliveries."""
        for make in plan.makes:
            if make.offer not in self.offers:
                self._unknown("offer", make.offer)
            else:
                self.found.makes.append((make, self.offers[make.offer]))
        for transfer in plan.transfers:
            if transfer.offer not in self.offers:
                self._unknown("offer", transfer.offer)
            else:
                self.found.transfers.append((transfer, self.offers[transfer.offer]))
        for delivery in plan.deliveries:
            if delivery.demand not in self.demands:
                self._unknown("demand", delivery.demand)
            else:
                self.found.deliveries.append((delivery, self.demands[delivery.demand]))

    def _unknown(self, what: str, name: str) -> None:
        self.find(f"{what} `{name}` does not count in this case: it is unknown, or only a lead")

    def _positive(self, item: Bought) -> bool:
        """Whether a quantity is one that can be."""
        resolution = self.problem.case.resolution
        # As fractions: the remainder of decimals has no more digits than their context.
        off_step = Fraction(item.entry.quantity) % Fraction(resolution) and not in_lots(self.problem, item.arc.offer)
        if item.entry.quantity > 0 and not off_step:
            return True
        self.find(
            f"{item} has a quantity of {item.entry.quantity} kg", expected=f"a positive multiple of {resolution} kg"
        )
        return False


def _in_steps(columns: PurchaseColumns, problem: Problem) -> bool:
    """Whether every quantity that is no part of a lot is a multiple of the resolution."""
    step = problem.case.resolution / columns.unit
    whole_steps = columns.counts[columns.roundings == 1]
    return step == int(step) and not np.any(whole_steps % int(step))
