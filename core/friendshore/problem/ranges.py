"""Prices at the ends of the ranges that are given for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeVar

from ..domain.case import Case
from ..domain.market import BenchmarkPrice, Price, Quote
from .merged import Merged
from .offers import OfferFacts, OfferReader
from .rates import Paths

P = TypeVar("P", Price, Quote, BenchmarkPrice)
End = Literal["low", "high"]
"""An end of a range."""


def has_range(facts: OfferFacts, merged: Merged) -> bool:
    """Whether a price of an offer, or the benchmark that it follows, has a range."""
    price = facts.offer.price
    rows = merged.prices.get(price.benchmark, ()) if price is not None else ()
    return any(one.low is not None for one in (*facts.offer.prices, *rows))


def prices_at(end: End, offers: Sequence[OfferFacts], merged: Merged, case: Case) -> dict[str, Sequence[Decimal]]:
    """Offer -> its price in each period with every price at an end of its range, in the case's currency."""
    rows = {name: tuple([_at(row, end) for row in rows]) for name, rows in merged.prices.items()}
    shifted = replace(merged, prices=rows)
    paths = Paths(shifted, case)
    found = {}
    for facts in offers:
        offer = facts.offer
        price = None if offer.price is None else _at(offer.price, end)
        moved = offer.but(price=price, quotes=tuple(_at(quote, end) for quote in offer.quotes))
        prices = OfferReader(shifted, paths, case, moved, None).prices()
        if prices is not None:
            found[offer.id] = prices
    return found


def _at(price: P, end: End) -> P:
    """A price at the end of its range; itself where it has none."""
    stated = price.low if end == "low" else price.high
    return price if stated is None else price.but(amount=stated)
