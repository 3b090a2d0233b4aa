"""Which stock may serve which coming demand: rows that hold exactly if all of it can be served at once.

Stock of a material at a place may be delivered to a demand of a later period if it was bought for the compliance class of that
delivery, or for one at least as strict. Several demands draw on the same stock, so that it is not enough that each finds its
quantity. By Gale's theorem on supply and demand (Hall's condition for quantities) all can be served at once if and only if,
for every set of demands, the stock that may serve any of them comes to what they want. Only sets that are all that some union
of such stocks can serve matter: for compliance classes each stricter than the next, one set for each of them.

Source: D. Gale, A theorem on flows in networks, Pacific Journal of Mathematics 7 (1957), 1073-1082.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..errors import InputError
from .compliance_classes import ComplianceClass, Outlet
from .demands import Demand
from .network import Network, Node, final_node

MOST_SETS = 200
"""So many sets of compliance classes at one place are told apart; a case with more is refused rather than watched in part."""

Wanted = tuple[int, int, Decimal]
"""Position of a demand, period of the delivery, kilograms."""


def servers(
    compliance_classes: Sequence[ComplianceClass], network: Network, node: Node, by: int
) -> dict[int, frozenset[int]]:
    """For every compliance class, all whose stock at `node` at the end of period `by` may be delivered for it."""
    arcs, nodes = network.reach(node)
    here = [compliance_class for compliance_class in compliance_classes if node in compliance_class.nodes]
    return {
        own.index: frozenset(
            other.index for other in here if other is own or other.at_least_as_strict(own, arcs, nodes, by)
        )
        for own in here
    }


def open_to_stricter(
    compliance_classes: Sequence[ComplianceClass], network: Network, demands: Sequence[Demand]
) -> None:
    """Lets stock of a stricter compliance class be delivered for every looser one.

    Without a rule that watches stock this changes nothing: what is delivered for a looser compliance class can be bought for it
    in the first place. With one, the same kilogram may cover the stricter use in one period and serve the looser in the next.
    """
    more: list[tuple[ComplianceClass, Outlet]] = []
    for own in compliance_classes:
        for outlet in own.outlets:
            node = final_node(demands[outlet.demand].use)
            if not outlet.waivers:
                may = servers(compliance_classes, network, node, outlet.period)[own.index] - {own.index}
                more += [(compliance_classes[index], outlet) for index in sorted(may)]
    for compliance_class, outlet in more:
        if outlet not in compliance_class.outlets:
            compliance_class.outlets.append(outlet)


def own_compliance_classes(compliance_classes: Iterable[ComplianceClass]) -> dict[tuple[int, int], frozenset[int]]:
    """Demand and period -> the compliance classes for which it is delivered to without a waiver."""
    found: dict[tuple[int, int], set[int]] = {}
    for compliance_class in compliance_classes:
        for outlet in compliance_class.outlets:
            if not outlet.waivers:
                found.setdefault((outlet.demand, outlet.period), set()).add(compliance_class.index)
    return {cell: frozenset(indices) for cell, indices in found.items()}


def stock_cover_cuts(
    wanted: Iterable[Wanted], own: dict[tuple[int, int], frozenset[int]], serving: dict[int, frozenset[int]]
) -> list[tuple[frozenset[int], Decimal]]:
    """Sets of compliance classes, each with what their stock together must come to, for all that is wanted from the stock of a material at a place.

    `own` and `serving` are as from `own_compliance_classes` and `servers`.

    Raises:
        InputError: if there are more sets than are told apart.
    """
    needs: dict[frozenset[int], Decimal] = {}
    for demand, period, quantity in wanted:
        may = frozenset[int]().union(*(serving[index] for index in own.get((demand, period), ())))
        needs[may] = needs.get(may, Decimal(0)) + quantity
    sets: set[frozenset[int]] = set()
    for may in needs:
        sets |= {may} | {may | other for other in sets}
        if len(sets) > MOST_SETS:
            raise InputError(
                "the demands for one material at one place may be served from too many different stocks to watch their cover",
                found=f"more than {MOST_SETS} sets of compliance classes",
                fix="name fewer `end_uses` in each rule on cover",
            )
    found = [(may, sum((q for inner, q in needs.items() if inner <= may), Decimal(0))) for may in sets]
    return sorted(((may, need) for may, need in found if need), key=lambda shelf: (len(shelf[0]), sorted(shelf[0])))
