"""What a material is made of, and what that is made of: where each input comes from, as far back as it is bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from friendshore.domain.base import grouped, totals
from friendshore.domain.run import Run, RunPurchase

BACK = 3
"""How many times one thing may be made of another in one picture."""


@dataclass(frozen=True, slots=True)
class Input:
    """One material on its way into another: who sells it to which places, and who takes how much of it there."""

    material: str
    back: int
    """How many times, at most, something is made of something between it and what arrives at users."""
    purchases: tuple[RunPurchase, ...]
    """Those that come to a place from which it is taken."""
    elsewhere: Mapping[str, Decimal]
    """Offer -> kilograms that it makes and brings to other places."""
    lots: Mapping[str, Decimal]
    """Place -> kilograms that were in hand, or on order."""
    draws: Mapping[tuple[str, str], Decimal]
    """Place and the offer that takes it -> kilograms."""

    @property
    def left(self) -> dict[str, Decimal]:
        """Place -> kilograms that others take there, that are left or lost."""
        there = totals((one.place, one.quantity_kg) for one in self.purchases)
        for place, kilograms in self.lots.items():
            there[place] = there.get(place, Decimal(0)) + kilograms
        gone = totals((place, kilograms) for (place, _), kilograms in self.draws.items())
        return {place: kilograms - gone.get(place, Decimal(0)) for place, kilograms in there.items()}


def inputs_of(run: Run, material: str) -> list[Input]:
    """The inputs of a material, those furthest back first; where they go round, each is followed once."""
    drawn = grouped((one.offer, one) for one in run.draws)
    bought = grouped((one.material, one) for one in run.purchases)
    takes = {
        name: sorted({draw.material for one in some for draw in drawn.get(one.offer, ())})
        for name, some in bought.items()
    }
    depths = _depths(material, takes)
    wanted: dict[str, dict[tuple[str, str], Decimal]] = {}
    found: list[Input] = []
    seen: set[str] = set()
    for name in sorted(depths, key=lambda name: (depths[name], name)):
        places = {place for place, _ in wanted.get(name, {})}
        here = [one for one in bought.get(name, []) if name == material or one.place in places]
        makers = {one.offer: None for one in here if one.offer not in seen}
        seen |= makers.keys()
        for draw in (draw for offer in makers for draw in drawn.get(offer, ())):
            if depths.get(draw.material, 0) > depths[name]:
                taken = wanted.setdefault(draw.material, {})
                taken[draw.place, draw.offer] = taken.get((draw.place, draw.offer), Decimal(0)) + draw.quantity_kg
        if name in wanted:
            found.append(_input(run, name, depths[name], here, bought.get(name, []), wanted[name]))
    return sorted(found, key=lambda one: (-one.back, one.material))


def _input(
    run: Run,
    name: str,
    back: int,
    here: Sequence[RunPurchase],
    every: Sequence[RunPurchase],
    draws: Mapping[tuple[str, str], Decimal],
) -> Input:
    sellers, places = {one.offer for one in here}, {place for place, _ in draws}
    elsewhere = totals(
        (one.offer, one.quantity_kg) for one in every if one.offer in sellers and one.place not in places
    )
    lots = totals((lot.place, lot.quantity_kg) for lot in run.lots if lot.material == name and lot.place in places)
    return Input(name, back, tuple(here), elsewhere, lots, draws)


def _depths(material: str, takes: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How far back each input is at most, no further than `BACK`; what goes round is left where it was met first."""
    order: list[str] = []
    left: dict[str, Iterator[str]] = {}
    path = [material]
    while path:
        to_go = left.setdefault(path[-1], iter(takes.get(path[-1], ())))
        further = next((name for name in to_go if name not in left), None)
        if further is None:
            order.append(path.pop())
        else:
            path.append(further)
    place = {name: number for number, name in enumerate(reversed(order))}
    depths = {material: 0}
    for name in reversed(order):
        for each in takes.get(name, ()):
            if place[each] > place[name]:
                depths[each] = max(depths.get(each, 0), depths[name] + 1)
    return {name: depth for name, depth in depths.items() if depth <= BACK}
