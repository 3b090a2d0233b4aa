"""Money that is due on all that is ordered of an offer, whatever it is bought for: what of it counts for some purchases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from ..domain.facts import Place
from ..domain.use import Chained
from ..errors import Diagnostic, InputError
from ..rules.terms import DiscountsTerm, FixedTerm, OnboardingTerm, Term, UntakenTerm
from .network import Arc, Network
from .offers import OfferFacts
from .trade import Trade

if TYPE_CHECKING:
    from ..rules.terms import Index, Weights

Count = Callable[[Chained, Place], Decimal | int]
"""What a kilogram of a purchase counts."""


class Dues:
    """Onboarding, what price schedules add or take off, what terms of trade make due at once, and take-or-pay."""

    def __init__(self, network: Network, counted: Sequence[OfferFacts], trade: Trade) -> None:
        self._counted, self._trade = counted, trade
        bound = {offer for spans in (trade.price_spans, trade.term_spans) for span in spans for offer in span.offers}
        bound |= {commitment.offer for commitment in trade.commitments}
        self._arcs: dict[int, list[Arc]] = {offer: [] for offer in bound}
        """Of every offer that anything of this bears on, but onboarding."""
        for arc in network.arcs:
            if arc.offer in bound:
                self._arcs[arc.offer].append(arc)

    def terms(self, count: Count, most: Sequence[float], asked: Collection[int]) -> list[Term]:
        """What is due in the periods asked for: `count` is what a kilogram of a purchase counts, `most` the most that one of each offer does."""
        found: list[Term] = []
        if 0 in asked:
            once = [(i, share) for i, share in enumerate(most) if self._counted[i].onboarding]
            found.append(OnboardingTerm(*_weighted(once)))
        if self._trade.price_spans:
            found.append(DiscountsTerm(*_weighted(self._settled(count, asked))))
        if self._trade.term_spans:
            found.append(FixedTerm(*_weighted(self._fixed(count, asked))))
        if self._trade.commitments:
            found.append(UntakenTerm(*_weighted(self._untaken(count, asked))))
        return found

    def refuse(self, offers: Collection[int]) -> None:
        """Refuses to count by end use what some offers cost whatever they are bought for.

        Raises:
            InputError: if any of them costs something so.
        """
        trade, counted = self._trade, self._counted
        bound: list[tuple[str, Iterable[int]]] = [
            ("onboarding", (i for i in offers if counted[i].onboarding)),
            ("price schedules", (i for span in trade.price_spans for i in span.offers)),
            ("terms of trade", (i for span in trade.term_spans if span.fixed for i in span.offers)),
            ("take-or-pay", (commitment.offer for commitment in trade.commitments)),
            ("runs", (i for i in offers if not counted[i].single and not counted[i].offer.inputs)),
        ]
        found = {(counted[i].offer.id, what): None for what, some in bound for i in some if i in offers}
        if found:
            raise InputError(
                Diagnostic(
                    f"money on `{name}` is not spent for one end use or another: its {what} cost the same whatever is bought for which",
                    expected="no `end_uses`, or materials of which no offer has such costs",
                    fix="leave `end_uses` away, or name other `materials`",
                )
                for name, what in found
            )

    def _settled(self, count: Count, asked: Collection[int]) -> Iterable[tuple[int, float]]:
        """Price spans settled in some periods, each by the least that an arc of its offers counts."""
        for position, span in enumerate(self._trade.price_spans):
            if span.settled in asked:
                yield position, min(_counts(count, (arc for offer in span.offers for arc in self._arcs[offer])))

    def _fixed(self, count: Count, asked: Collection[int]) -> Iterable[tuple[int, float]]:
        """Term spans with money due in some periods, each by the most that an arc of its offers counts."""
        for position, span in enumerate(self._trade.term_spans):
            if span.fixed and span.due in asked:
                arcs = (arc for offer in span.offers for arc in self._arcs[offer] if span.goes(arc.node[1]))
                yield position, max(_counts(count, arcs), default=0.0)

    def _untaken(self, count: Count, asked: Collection[int]) -> Iterable[tuple[int, float]]:
        """Commitments due in some periods, each by the most that an arc of its offer counts."""
        for position, commitment in enumerate(self._trade.commitments):
            if commitment.due in asked:
                yield position, max(_counts(count, self._arcs[commitment.offer]))


def _counts(count: Count, arcs: Iterable[Arc]) -> Iterable[float]:
    return (float(count(arc.chained, arc.move.to)) for arc in arcs)


def _weighted(found: Iterable[tuple[int, float]]) -> tuple[Index, Weights]:
    """Positions with their weights, those without any left out."""
    kept = [(position, weight) for position, weight in found if weight]
    return np.array([p for p, _ in kept], dtype=np.intp), np.array([w for _, w in kept], dtype=np.float64)
