"""Quotations: prices of offers for orders within some dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from ..domain.base import exact
from ..domain.facts import Offer, Quote
from ..domain.time import Span
from ..reading.csvfile import Row, Table
from . import columns
from .state import Reading
from .subjects import check_dates


def with_quotes(reading: Reading, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The offers of the catalog, each with its quotations in order of time."""
    table = reading.table(columns.QUOTES)
    own = {row.values["id"]: row for row in reading.table(columns.OFFERS).rows if "id" in row.values}
    found: dict[str, list[tuple[Quote, Row]]] = {}
    for row in table.unique("offer", "from", "until"):
        source = reading.source(table, row)
        known = reading.refers(table, row, "offer", own, "offer", "add it to offers.csv")
        check_dates(table, row)
        quote = _quote(reading, table, row, source)
        if known and {"price", "benchmark"} & own[row.values["offer"]].values.keys():
            table.problem(
                row,
                "offer",
                "the offer has a price in offers.csv as well",
                expected="a price there, or quotations here",
                fix="leave its price and benchmark blank, or delete its quotations",
            )
        elif known and quote is not None and not row.bad:
            found.setdefault(row.values["offer"], []).append((quote, row))
    kept = {name: _in_order(table, quotes) for name, quotes in found.items()}
    return tuple(offer.model_copy(update={"quotes": kept[offer.id]}) if offer.id in kept else offer for offer in offers)


def _quote(reading: Reading, table: Table, row: Row, source: str) -> Quote | None:
    """The quotation of a row; None if its price cannot be read, or not be converted."""
    given = row.values.get("price")
    delivered = reading.known.offers.get(row.values.get("offer", ""), ())
    if given is not None and given.substance and len(delivered) > 1:
        table.problem(row, "price", "the offer has several outputs", expected="money per unit of run, like `9 USD/kg`")
        return None
    material = reading.known.materials.get(delivered[0]) if len(delivered) == 1 else None
    price = reading.unit_price(table, row, "price", material)
    if price is None:
        return None
    return Quote(
        start=row.values.get("from"),
        end=row.values.get("until"),
        amount=exact(price.amount),
        currency=price.currency,
        source=source,
    )


def _in_order(table: Table, quotes: list[tuple[Quote, Row]]) -> tuple[Quote, ...]:
    """Quotations of one offer; which of two holds on a day must not be open."""
    quotes.sort(key=lambda pair: pair[0].start or date.min)
    for (first, first_row), (second, row) in pairwise(quotes):
        if Span(start=first.start, end=first.end).meets(Span(start=second.start, end=second.end)):
            table.problem(
                row,
                "from",
                f"on some days the quotation in line {first_row.line} holds as well",
                expected="one price for a day",
                fix="let one end before the other begins",
            )
    return tuple(quote for quote, _ in quotes)
