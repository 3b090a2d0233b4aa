"""Quotations: prices of offers for orders within some dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from ..domain.facts import Offer, Quote
from ..domain.fitting import PRICED_TWICE, quoted_twice
from ..reading.csvfile import Table, TableRow
from . import columns
from .state import CatalogReading
from .subjects import one_output


def with_quotes(reading: CatalogReading, offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """The offers of the catalog, each with its quotations in order of time."""
    table = reading.table(columns.QUOTES)
    own = {row.values["id"]: row for row in reading.table(columns.OFFERS).rows if "id" in row.values}
    found: dict[str, list[tuple[Quote, TableRow]]] = {}
    for row in table.unique("offer", "from", "until"):
        known = reading.refers(table, row, "offer", own, "offer", "add it to offers.csv")
        name = row.values.get("offer", "")
        delivered = [m for m in map(reading.known.materials.get, reading.known.offers.get(name, ())) if m is not None]
        quote = table.made(row, Quote, reading.given(table, row, Quote, partial(one_output, table, row, delivered)))
        if known and {"price", "benchmark"} & (own[name].values.keys() | own[name].bad):
            table.entry(row).tell([PRICED_TWICE], {"quotes": "offer"})
        elif known and quote is not None:
            found.setdefault(name, []).append((quote, row))
    reading.table(columns.OFFERS).let_go()
    kept = {name: _in_order(table, quotes) for name, quotes in found.items()}
    return tuple(offer.model_copy(update={"quotes": kept[offer.id]}) if offer.id in kept else offer for offer in offers)


def _in_order(table: Table, quotes: list[tuple[Quote, TableRow]]) -> tuple[Quote, ...]:
    """Quotations of one offer; which of two holds on a day must not be open."""
    quotes.sort(key=lambda pair: pair[0].start or date.min)
    for position, fault in quoted_twice([quote for quote, _ in quotes]):
        table.entry(quotes[position][1]).tell([fault], {"quotes": "from"})
    return tuple(quote for quote, _ in quotes)
