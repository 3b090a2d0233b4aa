"""What bears on orders beyond a price for each unit: capacity, price schedules, terms of trade and take-or-pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.case import Case
from .capacity import Capacities, Pool
from .commitments import Commitment, resolve_commitments
from .merged import Merged
from .moves import Moves
from .network import Network
from .offers import Assumption, OfferFacts
from .schedules import PriceSpan, resolve_schedules
from .subjects import Sellers
from .terms import TermSpan, resolve_terms


@dataclass(frozen=True, slots=True)
class Trade:
    """All that bears on the orders of offers that can reach a demand."""

    pools: tuple[Pool, ...]
    price_spans: tuple[PriceSpan, ...]
    """Price schedules, one entry a span."""
    term_spans: tuple[TermSpan, ...]
    """Terms of trade, one entry a span."""
    commitments: tuple[Commitment, ...]
    """Take-or-pay, one entry a year of an offer."""


def resolve_trade(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], network: Network, moves: Moves
) -> tuple[Trade, list[Assumption]]:
    """All of it in the case's currency, with what is assumed.

    Raises:
        InputError: for terms that contradict each other, leave something open, or name a currency without a rate.
    """
    reached = sorted({arc.offer for arc in network.arcs if arc.offer >= 0})
    pools = _pools(merged, case, counted, reached)
    sellers = Sellers(merged, counted, reached)
    price_spans, assumed = resolve_schedules(merged, case, counted, sellers)
    term_spans, also_assumed = resolve_terms(merged, case, counted, sellers, pools)
    commitments = resolve_commitments(case, counted, network, moves)
    return Trade(pools, price_spans, term_spans, commitments), assumed + also_assumed


def _pools(merged: Merged, case: Case, counted: Sequence[OfferFacts], reached: Sequence[int]) -> tuple[Pool, ...]:
    users: dict[str, list[int]] = {}
    for index in reached:
        for name in counted[index].pools:
            users.setdefault(name, []).append(index)
    capacities = Capacities(merged, case)
    return tuple(Pool(name, capacities.of(merged.facilities[name]), tuple(users[name])) for name in sorted(users))
