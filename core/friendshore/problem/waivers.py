"""Which waivers a delivery may draw on: those sets that some chain needs, and no others.

With n waivers there are 2^n sets. But a kilogram needs its own alone: one for each rule in force that forbids a step of the chain it
came by, and more would only be used up for nothing. What is made of several inputs may be thought of as made in parts, each of one
chain. So the sets are found by walking up the chains, and there are no more of them than chains that break different rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from ..domain.case import WaiverSpec
from .network import Network, Node

Broken = Mapping[int, frozenset[int]]
"""Arc -> rules in force that forbid it."""


def waiver_id(waiver: WaiverSpec) -> str:
    """Name of a waiver: its own, or its rule's and demand's."""
    return waiver.id or f"waiver:{waiver.rule}:{waiver.demand or '*'}"


def rules_to_waive(
    network: Network, reach: frozenset[int], final: Node, broken: Broken, waivable: frozenset[int]
) -> frozenset[frozenset[int]]:
    """Every set of rules such that some chain breaks just these.

    Args:
        network: offers and lots, and what they are made of.
        reach: arcs up the chain.
        final: where the chains end.
        broken: what each arc breaks; nothing where it is not in it.
        waivable: rules that there is a waiver of; a chain that breaks another one is none.
    """
    none: frozenset[int] = frozenset()
    open_ = [index for index in sorted(reach) if broken.get(index, none) <= waivable]
    found: dict[Node, set[frozenset[int]]] = {}
    grown = True
    while grown:  # until no chain is new: chains may come back to where they began, sets of rules are finitely many
        grown = False
        for index in open_:
            arc = network.arcs[index]
            sets = {broken.get(index, none)}
            for feed in network.feeds.get(arc.offer, ()):
                sets = {some | more for some in sets for more in found.get(feed, ())}
            known = found.setdefault(arc.node, set())
            if not sets <= known:
                known |= sets
                grown = True
    return frozenset(found.get(final, ()))


def sets_of_waivers(waivers: Iterable[WaiverSpec], wanted: Iterable[frozenset[str]]) -> list[tuple[WaiverSpec, ...]]:
    """One waiver for each rule of a set, in every way, for each set that is wanted; small sets first, and none of them before all."""
    of_rule: dict[str, list[WaiverSpec]] = {}
    for waiver in sorted(waivers, key=waiver_id):
        of_rule.setdefault(waiver.rule, []).append(waiver)
    drawn = {
        tuple(sorted(some, key=waiver_id)) for rules in wanted for some in product(*(of_rule[r] for r in sorted(rules)))
    }
    return sorted({(), *drawn}, key=lambda some: (len(some), [waiver_id(waiver) for waiver in some]))
