"""What a material is made of, and what that is made of: where each input comes from, as far back as it is bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...domain.base import grouped, totals
from ...domain.run import Run, RunPurchase

BACK = 3
"""How many times one thing may be made of another in one picture."""


@dataclass(frozen=True, slots=True)
class Input:
    """One material on its way into another: who sells it to which places, and who takes how much of it there."""

    material: str
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
    """The inputs of a material, those furthest back first; none where nothing is made of anything, in a circle, or too far back to draw."""
    drawn = grouped((one.offer, one) for one in run.draws)
    bought = grouped((one.material, one) for one in run.purchases)
    depths = _depths(material, bought, {offer: {one.material for one in some} for offer, some in drawn.items()})
    if len(depths) < 2:
        return []
    wanted: dict[str, dict[tuple[str, str], Decimal]] = {}
    found: list[Input] = []
    for name in sorted(depths, key=lambda name: (depths[name], name)):
        places = {place for place, _ in wanted.get(name, {})}
        here = [one for one in bought.get(name, []) if name == material or one.place in places]
        for offer in dict.fromkeys(one.offer for one in here):
            for draw in drawn.get(offer, ()):
                taken = wanted.setdefault(draw.material, {})
                taken[draw.place, offer] = taken.get((draw.place, offer), Decimal(0)) + draw.quantity_kg
        if name != material:
            found.append(_input(run, name, here, bought.get(name, []), wanted[name]))
    return found[::-1]


def _input(
    run: Run,
    name: str,
    here: Sequence[RunPurchase],
    every: Sequence[RunPurchase],
    draws: Mapping[tuple[str, str], Decimal],
) -> Input:
    sellers, places = {one.offer for one in here}, {place for place, _ in draws}
    elsewhere = totals(
        (one.offer, one.quantity_kg) for one in every if one.offer in sellers and one.place not in places
    )
    lots = totals((lot.place, lot.quantity_kg) for lot in run.lots if lot.material == name and lot.place in places)
    return Input(name, tuple(here), elsewhere, lots, draws)


def _depths(
    material: str, bought: Mapping[str, Sequence[RunPurchase]], takes: Mapping[str, set[str]]
) -> dict[str, int]:
    """How far back each input is at most; nothing where one is too far, as in a circle."""
    depths, now = {material: 0}, {material}
    for depth in range(1, BACK + 2):
        now = {name for one in now for buy in bought.get(one, ()) for name in takes.get(buy.offer, ())}
        if not now:
            return depths
        depths |= dict.fromkeys(now, depth)
    return {}
