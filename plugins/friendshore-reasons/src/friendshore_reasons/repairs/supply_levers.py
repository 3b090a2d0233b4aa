"""Levers of supply, found in what lies upstream of demands: stock, plants that do not run yet, more capacity, and plants of which no
capacity is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change
from friendshore.domain.facts import CapacityStep, Facility, Status
from friendshore.domain.time import add_months
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.demands import round_to
from friendshore.problem.network import final_node

from .levers import Lever, LeverBounds, LeverKind, Need, yes_no


class UpstreamSupply:
    """Some demands, and what lies upstream of them."""

    def __init__(self, problem: Problem, need: Need, bounds: LeverBounds) -> None:
        self.problem = problem
        self.need = need
        self.bounds = bounds
        self.case = problem.case
        self.demands = [d for d in problem.demands if d.id in need.demands]
        self.per_kg = _per_kg(problem, {d.use.material.id for d in self.demands})
        """Material upstream -> the most kilograms that one of a demand may need of it."""
        periods = self.case.horizon.periods
        self.peak = sum(
            (max(Fraction(q) / p.years for q, p in zip(d.quantity, periods, strict=True)) for d in self.demands),
            Fraction(0),
        )
        """Kilograms a year that the demands want at their peaks."""

    def plants(self) -> list[Facility]:
        """Facilities whose capacity bears on what lies upstream, in order of ids."""
        reach: set[int] = set()
        for demand in self.demands:
            reach |= self.problem.network.reach(final_node(demand.use))[0]
        arcs = self.problem.network.arcs
        offers = {arcs[index].offer for index in reach} - {-1}
        names = {name for offer in offers for name in self.problem.offers[offer].pools}
        return [self.problem.merged.facilities[name] for name in sorted(names)]

    def whole(self, amount: Decimal) -> Decimal:
        """An amount in whole steps of the resolution, at least one."""
        return max(round_to(amount, self.case.resolution), self.case.resolution)


def _per_kg(problem: Problem, materials: Iterable[str]) -> dict[str, Decimal]:
    """Materials upstream of some, leads included, each with the most kilograms that a kilogram of those may need of it."""
    made = [offer for offer in problem.merged.offers.values() if offer.inputs]
    makers = grouped((line.material, (offer, line.per_unit)) for offer in made for line in offer.outputs)
    found = dict.fromkeys(sorted(materials), Decimal(1))
    waiting = list(found)
    while waiting:
        material = waiting.pop(0)
        for offer, given in makers.get(material, ()):
            for line in offer.inputs:
                needed = exact(found[material] * line.per_unit / given)
                if line.material not in found:  # of several ways the first, which is the shortest: enough for a bound
                    found[line.material] = needed
                    waiting.append(line.material)
    return found


def leads(up: UpstreamSupply) -> list[Lever]:
    """Capacities of plants of which none is published, or none that the case accepts."""
    found: dict[str, Decimal] = {}
    counted = {facts.offer.id for facts in up.problem.offers}
    running = {facts.facility.id for facts in up.problem.offers}
    facilities = up.problem.merged.facilities
    for lead in up.problem.merged.offers.values():
        if lead.id in counted or (lead.price is None and not lead.quotes):
            continue
        needed = [up.per_kg[o.material] / o.per_unit for o in lead.outputs if o.material in up.per_kg]
        if needed and up.bounds.lead and lead.facility not in running:
            most = exact(max(needed) * as_decimal(up.peak) * up.bounds.lead * lead.capacity_use)
            found[lead.facility] = max(found.get(lead.facility, Decimal(0)), up.whole(most))
    return [_lead(up, facilities[name], most) for name, most in sorted(found.items())]


def planned(up: UpstreamSupply) -> list[Lever]:
    """Plants that are not running yet: taken to run, and to start earlier."""
    found = []
    span = up.case.horizon.span
    assert span.start is not None and span.end is not None
    for facility in up.plants():
        steps = [s for s in facility.capacity if s.start is None or s.start <= span.end]
        waiting = [s for s in steps if up.case.accept.counts(s.status) < 1]
        words = ", ".join(dict.fromkeys(s.status.value for s in waiting))
        if waiting and all(s.status not in (Status.SUPERSEDED, Status.EVENT) for s in waiting):
            change = Change(capacity=facility.id, status=Status.OPERATING)
            found.append(yes_no(LeverKind.PLANNED, facility.id, change, _named(facility), note=words))
        if up.bounds.later and steps and steps[0].start is not None and steps[0].start > span.start:
            found.append(_earlier(up, facility, steps[0], steps[0].start))
    return found


def stocks(up: UpstreamSupply) -> list[Lever]:
    """More of every material that is used at the case's place, from the start."""
    place = up.problem.merged.place(up.case.place)
    found = []
    for material, per_kg in sorted(up.per_kg.items()):
        if not up.bounds.stock or (material, place.id) not in up.problem.network.nodes:
            continue
        most = up.whole(exact(per_kg * as_decimal(up.peak) * up.bounds.stock))
        found.append(_stock(up, material, place.country, most))
    return found


def capacities(up: UpstreamSupply) -> list[Lever]:
    """More capacity at every plant that has a limited one."""
    return [
        _more(up, facility)
        for facility in up.plants()
        if up.bounds.capacity and all(step.per_year is not None for step in facility.capacity)
    ]


def _lead(up: UpstreamSupply, facility: Facility, most: Decimal) -> Lever:
    idle = facility.capacity and any(up.case.accept.counts(s.status) < 1 for s in facility.capacity)

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_stated(facility, amounts[0], Status.OPERATING if idle else None),)

    return Lever(LeverKind.LEAD, (facility.id,), make, (most,), "kg/year", up.case.resolution, name=_named(facility))


def _earlier(up: UpstreamSupply, facility: Facility, step: CapacityStep, first: date) -> Lever:
    """What the plant is to make at first, made by so many months before."""
    length = up.case.horizon.length.months

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        if not amounts[0]:
            return ()
        days = {"from": add_months(first, -int(amounts[0])), "until": first - timedelta(days=1)}
        made = {"capacity": facility.id, "per_year": step.per_year, "status": Status.OPERATING}
        return (Change.model_validate({**made, **days}),)

    most = (Decimal(up.bounds.later * length),)
    unit, apart = "months", Decimal(length)
    return Lever(
        LeverKind.EARLIER, (facility.id,), make, most, unit, apart, name=_named(facility), note=first.isoformat()
    )


def _stock(up: UpstreamSupply, material: str, country: str, most: Decimal) -> Lever:
    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change(stock=material, quantity=amounts[0], countries=frozenset({country})),)

    return Lever(LeverKind.STOCK, (material,), make, (most,), "kg", up.case.resolution, of=country, name=material)


def _more(up: UpstreamSupply, facility: Facility) -> Lever:
    """One yearly figure is raised as such; one that changes over the years, or of which the case accepts only a part, is multiplied."""
    accepted = accepted_steps(facility, up.problem.merged, up.case)
    rates = {step.per_year or Decimal(0) for step in facility.capacity}
    resolution = up.case.resolution
    if len(rates) > 1 or len(accepted) < len(facility.capacity):

        def multiply(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
            return (Change(capacity=facility.id, factor=1 + amounts[0]),)

        most, step = up.bounds.capacity, Decimal("0.0001")
        return Lever(LeverKind.CAPACITY, (facility.id,), multiply, (most,), "", step, name=_named(facility))
    (rate,) = rates

    def raise_to(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_stated(facility, rate + amounts[0], None),)

    more = up.whole(exact(rate * up.bounds.capacity))
    return Lever(
        LeverKind.CAPACITY,
        (facility.id,),
        raise_to,
        (more,),
        "kg/year",
        resolution,
        name=_named(facility),
        today=rate,
    )


def _stated(facility: Facility, per_year: Decimal, status: Status | None) -> Change:
    """A capacity from the day on from which there is one, or from ever."""
    first = facility.capacity[0].start if facility.capacity else None
    return Change.model_validate({"capacity": facility.id, "per_year": per_year, "status": status, "from": first})


def _named(facility: Facility) -> str:
    return f"{facility.name or facility.id} ({facility.country})"
