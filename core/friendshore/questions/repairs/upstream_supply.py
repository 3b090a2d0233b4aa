"""What lies upstream of some demands: the facts that levers for them are found in."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from ...domain.base import exact
from ...domain.facts import Facility, Offer
from ...problem import Problem
from ...problem.demands import round_to
from ...problem.network import final_node
from .levers import LeverBounds, Need


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
    makers: dict[str, list[tuple[Offer, Decimal]]] = {}
    for offer in problem.merged.offers.values():
        for line in offer.outputs if offer.inputs else ():
            makers.setdefault(line.material, []).append((offer, line.per_unit))
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


def as_decimal(value: Fraction) -> Decimal:
    """A fraction as a stored number."""
    return exact(Decimal(value.numerator) / Decimal(value.denominator))
