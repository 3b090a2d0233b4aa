"""What bears on orders beyond a price for each unit: capacity, price schedules, terms of trade and take-or-pay.

Take-or-pay is what is due on what is not taken of an offer that is used, year by year.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ..domain.base import exact
from ..domain.case import Case
from ..domain.time import stretches
from .capacity import Capacities, Pool, as_decimal
from .merged import Merged
from .moves import Moves
from .network import Network
from .offers import Assumption, OfferFacts
from .schedules import PriceSpan, resolve_schedules
from .subjects import Sellers
from .terms import TermSpan, resolve_terms


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an offer, if it is used at all, is paid for in a year, taken or not."""

    offer: int
    label: str
    """The calendar year."""
    periods: tuple[int, ...]
    """Order periods of the year in which it may be ordered."""
    quantity: Decimal
    """Units paid for, whatever is taken."""
    rate: Decimal
    """Money due on a unit that is not taken, in the case's currency."""

    @property
    def due(self) -> int:
        """Period in which what is not taken is paid."""
        return self.periods[-1]


def resolve_commitments(
    case: Case, counted: Sequence[OfferFacts], network: Network, moves: Moves
) -> tuple[Commitment, ...]:
    """Every year of every offer with take-or-pay, over the periods in which an order can be placed and still arrives."""
    binding = {index for index, facts in enumerate(counted) if facts.offer.take_or_pay}
    found = []
    for index, open_in in sorted(_open_periods(binding, network, moves).items()):
        facts = counted[index]
        periods = [period for period in case.horizon.periods if period.index in open_in]
        for label, indices in stretches(periods, "year"):
            years = sum((case.horizon.periods[t].years for t in indices), Fraction(0))
            quantity = as_decimal(Fraction(facts.offer.take_or_pay or 0) * years)
            rate = exact(facts.offer.take_or_pay_share * facts.price[indices[-1]])
            if quantity and rate:
                found.append(Commitment(index, label, indices, quantity, rate))
    return tuple(found)


def _open_periods(offers: Collection[int], network: Network, moves: Moves) -> dict[int, set[int]]:
    """Periods in which some offers have a move."""
    found: dict[int, set[int]] = {}
    for arc in network.arcs if offers else ():
        if arc.offer in offers:
            ordered = moves.ordered[moves.first[arc.index] : moves.first[arc.index + 1]]
            found.setdefault(arc.offer, set()).update(ordered.tolist())
    return found


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
