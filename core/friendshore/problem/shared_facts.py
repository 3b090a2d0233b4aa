"""What no rule has to do with: offers, demands, lots and ways; made once for all problems of a session that have them in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from ..domain.case import Case
from ..domain.facts import Catalog
from .capacity import Capacities
from .demands import Demand, Lot, resolve_demands, resolve_lots
from .kept import Kept
from .merged import Merged, merge
from .network import Network, StatedInputs, build_network, check_loops, final_node
from .offers import Assumption, Lead, OfferFacts, resolve_offers

T = TypeVar("T")
_Basis = Callable[[str, str], Decimal]
Resolved = tuple[Sequence[OfferFacts], Sequence[Lead], Sequence[Assumption]]


class SharedFacts:
    """Facts of a case and its catalogs. Each is made of no more of the case than it may turn on: what else changes leaves it as it is."""

    def __init__(self, case: Case, catalogs: Sequence[Catalog], kept: Kept | None) -> None:
        """Puts the catalogs side by side.

        Raises:
            InputError: if the same id is defined differently in two of them, naming both.
        """
        self.case = case
        self.kept = kept
        self.catalogs = catalogs
        # Offers and ways know nothing of what is wanted, nor of the law and what of it is waived.
        bare = {"demands": (), "waivers": (), "licences": (), "packs": (), "scenarios": (), "frozen": None}
        self._bare = case.but(**bare) if kept is not None else case
        self._bearing = [self._bare.__dict__[name] for name in type(case).model_fields]
        self.merged: Merged = self._once("merged", catalogs, lambda: merge(catalogs, self._bare))

    def offers(self) -> Resolved:
        """Offers that count, leads, and what is assumed of them."""
        return self._once("offers", (self.merged,), self._offers)

    def capacities(self) -> Capacities:
        """What facilities can make."""
        # Offers have no part in it: one that is taken away leaves it as it is.
        of = [part for c in self.catalogs for part in (c.name, c.requires, c.facilities, c.sources)]
        return self._once("capacities", of, lambda: Capacities(self.merged, self._bare))

    def demands(self, basis: _Basis) -> Sequence[Demand]:
        """All demands."""

        def made() -> Sequence[Demand]:
            found = resolve_demands(self.merged, self.case, basis)
            kept = self.kept
            return found if kept is None else [replace(demand, use=kept.same(demand.use)) for demand in found]

        case = self.case
        of = (self.merged, case.demands, case.place, case.horizon, case.resolution)
        return made() if self.kept is None else self.kept.fact("demands", of, made)

    def lots(self, basis: _Basis) -> Sequence[Lot]:
        """Stock in hand, and orders placed."""

        def made() -> Sequence[Lot]:
            found = resolve_lots(self.merged, self._bare, basis)
            kept = self.kept
            if kept is None:
                return found
            same = kept.same
            return [
                replace(lot, chained=same(lot.chained), chain=tuple((same(one), at) for one, at in lot.chain))
                for lot in found
            ]

        return self._once("lots", (self.merged,), made)

    def network(self, offers: Sequence[OfferFacts], lots: Sequence[Lot], demands: Sequence[Demand]) -> Network:
        """The part of the world that can serve the demands.

        Raises:
            InputError: for recipes that together make something of nothing.
        """

        def made() -> Network:
            check_loops(offers)
            network = build_network(offers, lots, demands, self.merged, self._bare)
            kept = self.kept
            if kept is None:
                return network
            same = kept.same

            def shared(stated: StatedInputs | None) -> StatedInputs | None:
                if stated is None:
                    return None
                return stated._replace(chain=tuple((one, same(move)) for one, move in stated.chain))

            arcs = [replace(arc, move=same(arc.move), stated=shared(arc.stated)) for arc in network.arcs]
            return replace(network, arcs=tuple(arcs))

        finals = frozenset(final_node(demand.use) for demand in demands)
        return self._once(f"network {sorted(finals)}", (self.merged, offers, lots), made)

    def _offers(self) -> Resolved:
        counted, leads, assumptions = resolve_offers(self.merged, self._bare)
        kept = self.kept
        if kept is not None:
            counted = [facts._replace(chained=tuple(map(kept.same, facts.chained))) for facts in counted]
        return counted, leads, assumptions

    def _once(self, what: str, of: Sequence[object], make: Callable[[], T]) -> T:
        """What follows from some objects and from what of the case bears on it."""
        return make() if self.kept is None else self.kept.fact(what, (*of, *self._bearing), make)
