"""Lots and terms of trade as the oracle reads them: integer variables, and choices of ordering anything at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from friendshore.domain.facts import Offer
from friendshore.domain.terms import Terms

from .patterns import Amount, Bound, Choice, Column
from .world import World, days, within


@dataclass
class Orders:
    """What order terms add to a world's linear programs."""

    columns: list[Column] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)


def read_orders(world: World, amounts: Iterable[Amount], nodes: set[tuple[str, str]]) -> Orders:
    """Lots, terms of trade and take-or-pay, given every amount that supply trees come to, and all materials and places they pass."""
    found = Orders()
    moved = sorted({a for a in amounts if a[0] == "moved"}, key=repr)
    for offer in world.offers.values():
        _lots(world, offer, found)
        _take_or_pay(world, offer, nodes, found)
    for number, terms in enumerate(world.terms):
        for periods in _spans(world, terms):
            _span(world, number, terms, periods, moved, found)
    return found


def may_force(world: World) -> bool:
    """Whether some order must be larger than its need."""
    return any(o.min_order or o.lot or o.take_or_pay for o in world.offers.values()) or any(
        terms.least for terms in world.terms
    )


def setups(world: World, facility: str, period: int) -> dict[Amount, float]:
    """What set-ups may take of a facility's capacity in a period."""
    found: dict[Amount, float] = {}
    for number, terms in enumerate(world.terms):
        if terms.setup_use:
            site = world.offers[terms.id].facility if terms.of == "offer" else terms.id
            if world.shares(site, facility):
                found["setup", number, period] = 1.0
    return found


def _lots(world: World, offer: Offer, found: Orders) -> None:
    if offer.lot is None:
        return
    for period in range(world.count):
        lots: Amount = ("lots", offer.id, period)
        found.columns.append(Column(0.0, {lots: 1.0}, whole=True))
        found.bounds.append(Bound({("units", offer.id, period): 1.0, lots: -float(offer.lot)}, 0.0, 0.0))
        if offer.max_lots is not None:
            found.bounds.append(Bound({lots: 1.0}, at_most=float(offer.max_lots)))


def _take_or_pay(world: World, offer: Offer, nodes: set[tuple[str, str]], found: Orders) -> None:
    """If an offer is used, what is not taken of a year's quantity is paid for at the price of its last open period."""
    if not offer.take_or_pay:
        return
    made = {line.material for line in offer.outputs}
    ways = [r[0] for material, place in nodes if material in made and (r := world.routes(offer, place)) is not None]
    usable = [t for t in range(world.count) if any(arrivals[t] < world.count for arrivals in ways)]
    on: list[Bound] = []
    for periods in world.stretches("year", (t for t in usable if world.orderable(offer, t))):
        last = periods[-1]
        due: Amount = ("untaken", offer.id, last)
        cost = float(offer.take_or_pay_share) * world.price(offer, last)
        found.columns.append(Column(cost * world.discount(last), {due: 1.0}))
        quantity = float(offer.take_or_pay) * sum(world.years[t] for t in periods)
        on.append(Bound({due: 1.0} | {("units", offer.id, t): 1.0 for t in periods}, at_least=quantity))
    units = {("units", offer.id, t): 1.0 for t in range(world.count)}
    if on:
        found.choices.append(Choice(f"{offer.id} taken", (Bound(units, at_most=0.0),), tuple(on)))


def _spans(world: World, terms: Terms) -> list[list[int]]:
    """Periods of each stretch over which terms hold, those that have a day within the dates."""
    held = [any(within(day, terms.start, terms.end) for day in days(*span)) for span in world.spans]
    return world.stretches(terms.per, (period for period, holds in enumerate(held) if holds))


def _about(world: World, terms: Terms, offer: Offer) -> bool:
    facility = world.facilities[offer.facility]
    meant = {
        "offer": offer.id == terms.id,
        "facility": world.shares(facility.id, terms.id),
        "supplier": world.operator(facility) == terms.id,
    }[terms.of]
    return meant and (not terms.materials or {line.material for line in offer.outputs} <= terms.materials)


def _span(world: World, number: int, terms: Terms, periods: list[int], moved: Iterable[Amount], found: Orders) -> None:
    offers = {o.id for o in world.offers.values() if _about(world, terms, o)}
    ordered: dict[Amount, float] = {("units", name, t): 1.0 for name in offers for t in periods}
    if terms.places:
        ordered = {a: 1.0 for a in moved if a[1] in offers and a[3] in terms.places and a[4] in periods}
    if not ordered:
        return
    if terms.most is not None:
        found.bounds.append(Bound(ordered, at_most=float(terms.most)))
    on: list[Bound] = []
    if terms.fixed:
        fixed: Amount = ("fixed", number, periods[0])
        found.columns.append(Column(world.discount(periods[0]), {fixed: 1.0}))
        on.append(Bound({fixed: 1.0}, at_least=float(terms.fixed)))
    if terms.setup_use:
        taken: Amount = ("setup", number, periods[0])
        found.columns.append(Column(0.0, {taken: 1.0}))
        on.append(Bound({taken: 1.0}, at_least=float(terms.setup_use)))
    if terms.least:
        on.append(Bound(ordered, at_least=float(terms.least)))
    if on:
        found.choices.append(Choice(f"terms {number} in {periods}", (Bound(ordered, at_most=0.0),), tuple(on)))
