"""Every complete supply tree of a tiny case.

A tree is one kilogram of a material at a place, used there in one period, with its whole history: the offer it was bought
from, when it was ordered and when it came, and one tree for each input of that offer, used in the period of the order; or
the lot it was taken from. An offer with several inputs is listed with every combination of the histories of its inputs,
so that a tree is a *linear* recipe: any mixed plan is a sum of trees, since a flow in which kilograms of each input are
drawn in fixed proportion can always be split into portions with one history an input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import product

from friendshore.domain.facts import Offer

from .world import Lot, World


@dataclass(frozen=True)
class Tree:
    """A kilogram of material with its history."""

    material: str
    place: str
    used: int
    """Period in which it is used; the number of periods if it is kept to the end."""
    arrives: int
    ordered: int = -1
    offer: str = ""
    inputs: tuple[Tree, ...] = ()
    lot: str = ""
    licenses: tuple[str, ...] = ()
    """Export licenses under which it is moved here."""

    def nodes(self) -> Iterator[Tree]:
        """This kilogram and everything that went into it."""
        yield self
        for tree in self.inputs:
            yield from tree.nodes()


class Forest:
    """Lists the trees of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.trees = cache(self._trees)

    def _trees(self, material: str, place: str, used: int, by: date = date.max) -> tuple[Tree, ...]:
        """Every history of a kilogram of `material` used at `place` in period `used`, and there by a day of it."""
        return tuple(self._from_lots(material, place, used, by)) + tuple(self._from_offers(material, place, used, by))

    def _from_lots(self, material: str, place: str, used: int, by: date) -> Iterator[Tree]:
        for lot in self.world.lots:
            in_time = lot.there < used or (lot.there == used and (lot.arrives is None or lot.arrives <= by))
            if (lot.material, lot.place) == (material, place) and in_time:
                yield Tree(material, place, used, lot.there, lot=lot.id)

    def _from_offers(self, material: str, place: str, used: int, by: date) -> Iterator[Tree]:
        world = self.world
        for offer in world.offers.values():
            route = world.routes(offer, place)
            if route is None or material not in [line.material for line in offer.outputs]:
                continue
            for ordered, arrives in enumerate(route[0]):
                if arrives > min(used, world.count - 1) or not world.orderable(offer, ordered):
                    continue
                if arrives == used and world.way(offer, place, ordered).day > by:
                    continue
                placed = self._placed(offer, place, ordered) if offer.inputs else date.max
                pools = [self.trees(line.material, world.site(offer), ordered, placed) for line in offer.inputs]
                for inputs in product(*pools):
                    yield Tree(material, place, used, arrives, ordered, offer.id, inputs)

    def _placed(self, offer: Offer, place: str, period: int) -> date:
        """The last day on which an order may be placed; of several outputs, the first of those of all ways that they may go."""
        if len(offer.outputs) == 1:
            return self.world.way(offer, place, period).order_by
        outputs = {line.material for line in offer.outputs}
        places = {to for end in self.world.nodes() for material, to in self.leading_to(*end) if material in outputs}
        ways = [self.world.way(offer, to, period) for to in places if self.world.routes(offer, to) is not None]
        return min(way.order_by for way in ways if way.arrives < self.world.count)

    def leading_to(self, material: str, place: str) -> set[tuple[str, str]]:
        """The material and place itself, and every input's, all the way up."""
        found = {(material, place)}
        while True:
            makers = [o for o in self.world.offers.values() if o.inputs and self._goes(o, found)]
            more = {(line.material, self.world.site(o)) for o in makers for line in o.inputs} - found
            if not more:
                return found
            found |= more

    def _goes(self, offer: Offer, places: set[tuple[str, str]]) -> bool:
        outputs = {line.material for line in offer.outputs}
        return any(m in outputs and self.world.routes(offer, place) is not None for m, place in places)

    def lot(self, tree: Tree) -> Lot:
        """The lot a tree begins with."""
        return next(lot for lot in self.world.lots if lot.id == tree.lot)
