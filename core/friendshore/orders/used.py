"""What is left of each lot on a day: what was there or has arrived, less what the plan uses before that day, or as it was counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from ..domain.base import grouped, totals
from ..problem.demands import round_to
from ..problem.network import Node
from ..verify import VerifiedPlan
from .sheet import PlacedLine

_NOTHING = Decimal(0)


@dataclass(slots=True)
class RolledLot:
    """Stock in hand at the start of the old plan, or an order that arrived before the day of the new one."""

    name: str
    node: Node
    quantity: Decimal
    """Kilograms of the material's basis that were there, or arrived."""
    since: date
    """First day of the plan, or day of arrival: what came first is used first."""
    received: bool
    by_class: dict[str, Decimal] = field(default_factory=dict)
    """Kilograms that the plan sets aside for each compliance class."""
    used: Decimal = _NOTHING
    counted: Decimal | None = None
    """Kilograms that a stock count found. None if it wasn't counted."""

    @property
    def left(self) -> Decimal:
        """Kilograms on the day of the new plan."""
        return self.quantity - self.used


@dataclass(frozen=True, slots=True)
class NodeTotal:
    """A material at a place: opening stock and what was received, less what was used, is the new stock."""

    material: str
    place: str
    opening: Decimal
    received: Decimal
    used: Decimal
    uncovered: Decimal
    """Kilograms that the plan uses before the day, and that neither stock nor received orders cover. They are not in `used`."""
    left: Decimal
    basis: str
    """`assumed` from the plan's use, `counted`, or `counted in part`."""


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """Quantities that a plan takes out of stock before a day."""

    node: Node
    requirement: str
    period: int
    quantity: Decimal


def planned_use(verified: VerifiedPlan, day: date, placed: Iterable[PlacedLine]) -> list[PlannedUse]:
    """Return what a plan uses before a day: deliveries to demands, and inputs of the orders that were placed.

    Use is even over the days of a period on which it is wanted, as in the plan itself. Inputs are taken when their maker's order is placed, in
    proportion to what the maker has confirmed; an order that wasn't placed takes none.
    """
    problem, found = verified.problem, list[PlannedUse]()
    periods, resolution = problem.case.horizon.periods, problem.case.resolution
    for delivery, position in verified.ledger.deliveries:
        period, demand = periods[delivery.period], problem.demands[position]
        share = Fraction(int(period.end < day))
        if period.start < day <= period.end:
            share = 1 - demand.share_from(period, day)
        quantity = round_to(Fraction(delivery.quantity) * share, resolution)
        if quantity:
            node = (demand.use.material.id, demand.use.place.id)
            found.append(PlannedUse(node, delivery.requirement, delivery.period, quantity))
    planned = verified.ledger.units()
    ordered = _ordered(placed)
    bought = totals(((one.offer, one.ordered, one.requirement), one.quantity) for one in verified.plan.purchases)
    for node, requirement, at, taken, offer in verified.ledger.draws():
        facts = problem.offers[offer]
        name, whole = facts.offer.id, planned[offer, at]
        if facts.single:
            share = ordered.get((name, at, requirement), Fraction(0)) / Fraction(bought[name, at, requirement])
        else:
            share = ordered.get((name, at, ""), Fraction(0)) / Fraction(whole)
        quantity = round_to(Fraction(taken) * share, resolution)
        if quantity:
            found.append(PlannedUse(node, requirement, at, quantity))
    return sorted(found, key=lambda one: (one.node, one.period, one.requirement))


def _ordered(placed: Iterable[PlacedLine]) -> dict[tuple[str, int, str], Fraction]:
    """Return what was ordered by offer, period, and compliance class; what is made in runs of several goods has none."""
    found: defaultdict[tuple[str, int, str], Fraction] = defaultdict(Fraction)
    for one in placed:
        line = one.line
        if line.placed is not None:
            continue
        if line.gives:
            found[line.offer, line.ordered, ""] += Fraction(one.quantity)
            continue
        for classes in line.by_class.values():
            for requirement, quantity in classes.items():
                found[line.offer, line.ordered, requirement] += (
                    Fraction(one.quantity) * Fraction(quantity) / Fraction(line.quantity)
                )
    return found


def take_out(
    lots: Sequence[RolledLot], uses: Iterable[PlannedUse], from_classes: Mapping[tuple[str, str], set[str]]
) -> dict[Node, Decimal]:
    """Take planned use out of the lots that the plan sets aside for it, first in, first out, and return what they don't cover.

    Args:
        lots: Stock and received orders; their `used` is added to.
        uses: What the plan takes.
        from_classes: Material and compliance class -> other classes whose goods may serve it, by the plan's transfers.
    """
    at = grouped((lot.node, lot) for lot in sorted(lots, key=lambda one: (one.since, one.name)))
    aside = {lot.name: dict(lot.by_class) for lot in lots}
    uncovered: defaultdict[Node, Decimal] = defaultdict(Decimal)
    for use in uses:
        rest = use.quantity
        for requirement in (use.requirement, *sorted(from_classes.get((use.node[0], use.requirement), ()))):
            for lot in at.get(use.node, ()):
                part = min(rest, aside[lot.name].get(requirement, _NOTHING), lot.left)
                if part > 0:
                    rest -= part
                    lot.used += part
                    aside[lot.name][requirement] -= part
        if rest:
            uncovered[use.node] += rest
    return dict(uncovered)


def node_totals(lots: Iterable[RolledLot], uncovered: Mapping[Node, Decimal]) -> Iterator[NodeTotal]:
    """Yield the sums of each material and place, in order."""
    by_node = grouped((lot.node, lot) for lot in lots)
    for node in sorted({*by_node, *uncovered}):
        own = by_node.get(node, [])
        counted = sum(1 for lot in own if lot.counted is not None)
        yield NodeTotal(
            material=node[0],
            place=node[1],
            opening=_sum(lot.quantity for lot in own if not lot.received),
            received=_sum(lot.quantity for lot in own if lot.received),
            used=_sum(lot.used for lot in own),
            uncovered=uncovered.get(node, _NOTHING),
            left=_sum(lot.left for lot in own),
            basis="assumed" if not counted else "counted" if counted == len(own) else "counted in part",
        )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _NOTHING)
