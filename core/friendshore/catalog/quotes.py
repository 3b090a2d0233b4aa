"""Quotations: prices of offers for orders within some dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ..domain.base import exact
from ..domain.facts import Offer, Quote
from ..domain.fitting import PRICED_TWICE, quoted_twice
from ..reading.csvfile import Table, TableRow
from ..reading.entry import WRITTEN
from . import columns
from .state import CatalogReading, pick


def with_quotes(reading: CatalogReading, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The offers of the catalog, each with its quotations in order of time."""
    table = reading.table(columns.QUOTES)
    own = {row.values["id"]: row for row in reading.table(columns.OFFERS).rows if "id" in row.values}
    found: dict[str, list[tuple[Quote, TableRow]]] = {}
    for row in table.unique("offer", "from", "until"):
        source = reading.source(table, row)
        known = reading.refers(table, row, "offer", own, "offer", "add it to offers.csv")
        quote = _quote(reading, table, row, source)
        if known and {"price", "benchmark"} & own[row.values["offer"]].values.keys():
            table.entry(row).tell([PRICED_TWICE], {"quotes": "offer"})
        elif known and quote is not None and not row.bad:
            found.setdefault(row.values["offer"], []).append((quote, row))
    reading.table(columns.OFFERS).let_go()
    kept = {name: _in_order(table, quotes) for name, quotes in found.items()}
    return tuple(offer.model_copy(update={"quotes": kept[offer.id]}) if offer.id in kept else offer for offer in offers)


def _quote(reading: CatalogReading, table: Table, row: TableRow, source: str) -> Quote | None:
    """The quotation of a row; None if its price cannot be read, or not be converted."""
    given = row.values.get("price")
    delivered = reading.known.offers.get(row.values.get("offer", ""), ())
    if given is not None and given.substance and len(delivered) > 1:
        table.problem(row, "price", "the offer has several outputs", expected="money per unit of run, like `9 USD/kg`")
        return None
    material = reading.known.materials.get(delivered[0]) if len(delivered) == 1 else None
    price = reading.unit_price(table, row, "price", material)
    given = pick(row, start="from", end="until") | {"source": source}
    if price is None:
        row.bad |= {"price"}
    else:
        given |= {"amount": exact(price.amount), "currency": price.currency}
    return table.made(row, Quote, given, {**WRITTEN, "amount": "price"})


def _in_order(table: Table, quotes: list[tuple[Quote, TableRow]]) -> tuple[Quote, ...]:
    """Quotations of one offer; which of two holds on a day must not be open."""
    quotes.sort(key=lambda pair: pair[0].start or date.min)
    for position, fault in quoted_twice([quote for quote, _ in quotes]):
        table.entry(quotes[position][1]).tell([fault], {"quotes": "from"})
    return tuple(quote for quote, _ in quotes)
