"""What a shortage costs where a tiny case does not say, worked out from the records alone."""

from __future__ import annotations

from friendshore.domain.case import DemandSpec
from friendshore.domain.facts import Offer

from .law import Law
from .world import World

Node = tuple[str, str]


class Priced:
    """Ten times the dearest landed kilogram of all that shares inputs or a stated capacity with the good, on the way to any demand;
    ten times more for defense where others want something too.
    """

    def __init__(self, world: World, law: Law) -> None:
        self.world, self.law = world, law
        self.offers: dict[str, Offer] = {}
        """Those that reach a demand."""
        self.nodes = world.nodes()
        for material, place in self.nodes:  # grows while it is read
            for offer in world.offers.values():
                if world.routes(offer, place) is not None and material in [line.material for line in offer.outputs]:
                    self.offers[offer.id] = offer
                    feeds = [(line.material, world.site(offer)) for line in offer.inputs]
                    self.nodes += [feed for feed in dict.fromkeys(feeds) if feed not in self.nodes]

    def short(self, demand: DemandSpec) -> float:
        """Money for a kilogram short."""
        rivals = self._rivals(demand.material)
        others = {d.end_use for d in self.world.demands.values()} - {"defense"}
        factor = 100 if demand.end_use == "defense" and others else 10
        return factor * max(self._dearest(*node) for node in self.nodes if node[0] in rivals)

    def _rivals(self, material: str) -> set[str]:
        """The material, and step by step all that has to do with it."""
        found, before = {material}, set[str]()
        bonds = [{line.material for line in (*o.inputs, *o.outputs)} for o in self.offers.values()]
        for site in self.world.facilities.values():
            if site.capacity:
                here = [o for o in self.offers.values() if site.id in self._around(o.facility)]
                bonds.append({line.material for o in here for line in (*o.inputs, *o.outputs)})
        while found != before:
            before = set(found)
            for bond in bonds:
                found |= bond if bond & found else set()
        return found

    def _around(self, name: str) -> list[str]:
        found = []
        while name in self.world.facilities:
            found.append(name)
            name = self.world.facilities[name].within
        return found

    def _dearest(self, material: str, place: str) -> float:
        """The dearest landed cost of any offer of a material at a place in any period, or its benchmark."""
        world = self.world
        found = [float(b.amount) for b in world.benchmarks if b.material == material]
        for offer in self.offers.values():
            route = world.routes(offer, place)
            if route is None or material not in [line.material for line in offer.outputs]:
                continue
            mass = sum(float(line.per_unit) for line in offer.outputs)
            for ordered, arrives in enumerate(route[0]):
                inside = arrives < world.count
                duty = self.law.duty(offer.id, material, place, ordered, arrives) if inside else 0.0
                found.append(world.price(offer, ordered) / mass + max(route[1]) + duty)
        return max(found, default=0.0)
