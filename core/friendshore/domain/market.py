"""Published prices, exchange rates, and conversion factors: oxide to metal, compound to compound, and content of an ore."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from .base import CheckedRecord, Dated, Fault, FieldValues, Record, range_faults
from .evidence import Cited, Evidence
from .naming import Names
from .values import (
    Currency,
    CurrencyOrBlank,
    ExchangeRate,
    Ident,
    Incoterm,
    MoneyPerKilogram,
    Part,
    Premium,
    SignedMoneyPerKilogram,
    ident,
)
from .written import Written


class BenchmarkPrice(CheckedRecord):
    """A published price of a material on a date."""

    id: Annotated[Ident, Written("gallium-rotterdam")]
    """Benchmark. Rows of several dates form a series."""
    material: Annotated[str, Names("material"), Written("gallium-metal-4n", sort=ident)]
    """Priced material."""
    date: Annotated[datetime.date, Written("2026-06-30")]
    """Day of the price."""
    amount: Annotated[MoneyPerKilogram, Written("1000 USD/mtu", "price")]
    """Money per mass."""
    low: Annotated[MoneyPerKilogram | None, Written("950 USD/mtu", "price_low")] = None
    """Low end of the price's range, if given. Shown, but not used for planning."""
    high: Annotated[MoneyPerKilogram | None, Written("1050 USD/mtu", "price_high")] = None
    """High end of the range."""
    currency: Currency
    place: Annotated[str, Written("Rotterdam")] = ""
    """Place of the quotation."""
    incoterm: Annotated[Incoterm, Written("CIF")] = ""
    """Incoterms 2020."""
    source: Cited = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from range_faults(values, "amount", "low", "high")


class Price(CheckedRecord):
    """Money per unit of an offer: a quoted price, or a benchmark with a premium."""

    amount: Annotated[SignedMoneyPerKilogram | None, Written("580 USD/kg", "price")] = None
    """Quoted price. Exclusive with `benchmark`. Below zero, the buyer is paid."""
    low: Annotated[SignedMoneyPerKilogram | None, Written("550 USD/kg", "price_low")] = None
    """Low end of the price's range, if given. Shown, but not used for planning."""
    high: Annotated[SignedMoneyPerKilogram | None, Written("620 USD/kg", "price_high")] = None
    """High end of the range."""
    currency: CurrencyOrBlank = ""
    """Currency of `amount` and its range (ISO 4217)."""
    benchmark: Annotated[str, Names("benchmark"), Written("gallium-rotterdam", sort=ident)] = ""
    """Benchmark of `prices.csv` that the price follows."""
    premium: Annotated[Premium, Written("25%")] = Decimal(0)
    """Share on top of the benchmark. Blank means none.

    An assumption unless `source` says otherwise."""
    source: Annotated[str, Names("source"), Written("acme-list-2026", "price_source")] = ""
    """Evidence of the price. Blank means `source`."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        amount, benchmark = values.get("amount"), values.get("benchmark")
        if values.get("premium") and not benchmark:
            fix = "add the benchmark, like `gallium-rotterdam`, or delete the premium"
            yield Fault("premium", "the premium has no benchmark", "", fix, ("benchmark",), code="FS026")
        if amount is not None and benchmark:
            fix = "delete the price or the benchmark"
            yield Fault("amount", "a price and a benchmark are both given", "one of the two", fix, code="FS027")
        if amount is not None and not values.get("currency"):
            expected = "an ISO 4217 currency code, like USD"
            yield Fault("currency", "the price has no currency", expected, code="FS026")
        yield from range_faults(values, "amount", "low", "high")


class Quote(Dated):
    """A price of an offer for orders within some dates: a quotation with its validity."""

    start: Annotated[datetime.date | None, Written("2026-10-01", "from")] = None
    """First day. Blank means from the beginning."""
    end: Annotated[datetime.date | None, Written("2027-03-31", "until")] = None
    """Last day. Blank means no end."""
    amount: Annotated[SignedMoneyPerKilogram, Written("560 USD/kg", "price")]
    """Money per mass, or per unit of run. Below zero, the buyer is paid."""
    low: Annotated[SignedMoneyPerKilogram | None, Written("550 USD/kg", "price_low")] = None
    """Low end of the price's range, if given. Shown, but not used for planning."""
    high: Annotated[SignedMoneyPerKilogram | None, Written("620 USD/kg", "price_high")] = None
    """High end of the range."""
    currency: Currency
    source: Cited = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from super().faults(values)
        yield from range_faults(values, "amount", "low", "high")


class Rate(CheckedRecord):
    """An exchange rate from a date on: one unit of `currency` equals `rate` units of `to`."""

    currency: Annotated[Currency, Written("EUR")]
    """Currency to convert from."""
    to: Annotated[Currency, Written("USD")]
    """Currency to convert to."""
    rate: Annotated[ExchangeRate, Written("1.12")]
    """Units of `to` for one of `currency`."""
    start: Annotated[datetime.date, Written("2026-07-01", "from")]
    """First day."""
    source: Evidence = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        if values.get("currency") and values.get("currency") == values.get("to"):
            yield Fault("to", "both currencies are the same", fix="write two different currencies", code="FS012")


class Factor(Record):
    """Kilograms of an element in a kilogram of a compound or material."""

    element: Annotated[str, Written("W")]
    """Element, or a compound that another row converts further."""
    compound: Annotated[str, Written("WO3")]
    """Formula, or id of a material (then for its goods as they are)."""
    kg_per_kg: Annotated[Part, Written("0.793")]
    """Kilograms of the element in a kilogram of the compound."""
    source: Cited = ""
