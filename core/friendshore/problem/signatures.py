"""What a delivery may be made of, and is counted as: deliveries of the same signature are of one compliance class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from ..rules.base import Rule
from .network import Node

Cell = tuple[int, int]
"""An arc and an arrival period."""
Permits = tuple[tuple[str, ...], ...]
"""Licences a move needs: of every inner tuple, one must be drawn on."""
Surcharges = tuple[tuple[int, int, Decimal], ...]
"""Charges of a move (arc, order period) where they depend on the use."""


@dataclass(frozen=True, slots=True)
class CountedUses:
    """End uses that limits count by themselves: each has compliance classes of its own, so that what is bought is for it or is not."""

    named: frozenset[str]

    @staticmethod
    def of(rules: Iterable[Rule]) -> CountedUses:
        """Those that some rules count."""
        return CountedUses(frozenset().union(*(rule.counted_end_uses for rule in rules)))

    def ends(self, end_use: str) -> frozenset[str]:
        """What a delivery for an end use is counted as: that use, an empty name for all others; nothing where none is counted."""
        return frozenset({end_use if end_use in self.named else ""} if self.named else ())


@dataclass(frozen=True, slots=True)
class Signature:
    """What forbids and charges on the way to a delivery, and what it is counted as."""

    blocked: frozenset[int]
    blocked_cells: frozenset[Cell]
    permits: tuple[tuple[Cell, Permits], ...]
    surcharges: Surcharges | None
    final: Node | None
    order_periods: frozenset[int] | None
    ends: frozenset[str]
    free_of: frozenset[str] = frozenset()
    """Rules whose tainted offers are forbidden."""

    def same_law(self, other: Signature) -> bool:
        """Whether nothing but end uses tells them apart."""
        return replace(self, ends=other.ends) == other


def meet(one: Signature, other: Signature) -> Signature | None:
    """What forbids all that either of them forbids; None where they ask for different licences, or charge differently."""
    together, ends = (one, other), one.ends | other.ends
    if one.same_law(other):
        return replace(one, ends=ends)
    if one.surcharges != other.surcharges:
        return None
    blocked = frozenset().union(*(terms.blocked for terms in together))
    cells = frozenset().union(*(terms.blocked_cells for terms in together))
    permits: dict[Cell, Permits] = {}
    for terms in together:
        for cell, licences in terms.permits:
            if permits.setdefault(cell, licences) != licences:
                return None
    return Signature(
        blocked=blocked,
        blocked_cells=frozenset(c for c in cells if c[0] not in blocked),
        permits=tuple(sorted((c, p) for c, p in permits.items() if c[0] not in blocked and c not in cells)),
        surcharges=one.surcharges,
        final=None,
        order_periods=None,
        ends=ends,
        free_of=one.free_of | other.free_of,
    )


def meets(of: Sequence[Signature]) -> list[Signature]:
    """What forbids all that any of two or more of them forbids, each once: pairs first, then each meet with each of them again."""
    found: dict[Signature, None] = {}
    latest = [terms for one, other in combinations(of, 2) if (terms := meet(one, other)) is not None]
    while latest:
        new = [terms for terms in dict.fromkeys(latest) if terms not in found]
        found.update(dict.fromkeys(new))
        latest = [terms for one in new for other in of if (terms := meet(one, other)) is not None]
    return list(found)
