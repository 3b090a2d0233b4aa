"""Published prices, exchange rates, and conversion factors between substances: oxide to metal, compound to compound, content of an ore."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from .base import Dated, Fault, Fitting, Given, Record, outside
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


class BenchmarkPrice(Fitting):
    """A published price of a material on a date."""

    id: Annotated[Ident, Written("gallium-rotterdam")]
    """Benchmark; rows of several dates make a series."""
    material: Annotated[str, Names("material"), Written("gallium-metal-4n", sort=ident)]
    """What is priced."""
    date: Annotated[datetime.date, Written("2026-06-30")]
    """Day of the price."""
    amount: Annotated[MoneyPerKilogram, Written("1000 USD/mtu", "price")]
    """Money per mass."""
    low: Annotated[MoneyPerKilogram | None, Written("950 USD/mtu", "price_low")] = None
    """Low end of the price's range, where one is given; shown, and never planned with."""
    high: Annotated[MoneyPerKilogram | None, Written("1050 USD/mtu", "price_high")] = None
    """High end of it."""
    currency: Currency
    place: Annotated[str, Written("Rotterdam")] = ""
    """Where it is quoted."""
    incoterm: Annotated[Incoterm, Written("CIF")] = ""
    """Incoterms 2020."""
    source: Cited = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        yield from outside(given, "amount", "low", "high")


class Price(Fitting):
    """Money per unit of an offer: quoted, or a benchmark and a premium on it."""

    amount: Annotated[SignedMoneyPerKilogram | None, Written("580 USD/kg", "price")] = None
    """Quoted price; not together with `benchmark`. Below zero: paid to whoever takes it."""
    low: Annotated[SignedMoneyPerKilogram | None, Written("550 USD/kg", "price_low")] = None
    """Low end of the price's range, where one is given; shown, and never planned with."""
    high: Annotated[SignedMoneyPerKilogram | None, Written("620 USD/kg", "price_high")] = None
    """High end of it."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of `amount` and its range."""
    benchmark: Annotated[str, Names("benchmark"), Written("gallium-rotterdam", sort=ident)] = ""
    """Benchmark of `prices.csv` that the price follows."""
    premium: Annotated[Premium, Written("25 %")] = Decimal(0)
    """Share on top of the benchmark; blank: none.

    An assumption unless `source` says otherwise."""
    source: Annotated[str, Names("source"), Written("acme-list-2026", "price_source")] = ""
    """Evidence of the price; blank: `source`."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        amount, benchmark = given.get("amount"), given.get("benchmark")
        if given.get("premium") and not benchmark:
            yield Fault("premium", "a premium on no benchmark", fix="name the benchmark", turns_on=("benchmark",))
        if amount is not None and benchmark:
            yield Fault("amount", "a price and a benchmark are both given", "one of the two", "delete one")
        if amount is not None and not given.get("currency"):
            yield Fault("currency", "the price has no currency", "a currency by its ISO 4217 code, like USD")
        yield from outside(given, "amount", "low", "high")


class Quote(Dated):
    """A price of an offer for orders within some dates: a quotation with its validity."""

    start: Annotated[datetime.date | None, Written("2026-10-01", "from")] = None
    """First day; blank: since ever."""
    end: Annotated[datetime.date | None, Written("2027-03-31", "until")] = None
    """Last day; blank: for good."""
    amount: Annotated[SignedMoneyPerKilogram, Written("560 USD/kg", "price")]
    """Money per mass, or per unit of run. Below zero: paid to whoever takes it."""
    low: Annotated[SignedMoneyPerKilogram | None, Written("550 USD/kg", "price_low")] = None
    """Low end of the price's range, where one is given; shown, and never planned with."""
    high: Annotated[SignedMoneyPerKilogram | None, Written("620 USD/kg", "price_high")] = None
    """High end of it."""
    currency: Currency
    source: Cited = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        yield from super().faults(given)
        yield from outside(given, "amount", "low", "high")


class Rate(Fitting):
    """An exchange rate from a date on: one unit of `currency` is `rate` of `to`."""

    currency: Annotated[Currency, Written("EUR")]
    """What is exchanged."""
    to: Annotated[Currency, Written("USD")]
    """What for."""
    rate: Annotated[ExchangeRate, Written("1.12")]
    """Units of `to` for one of `currency`."""
    start: Annotated[datetime.date, Written("2026-07-01", "from")]
    """First day."""
    source: Evidence = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        if given.get("currency") and given.get("currency") == given.get("to"):
            yield Fault("to", "a currency is not exchanged for itself", fix="name two currencies")


class Factor(Record):
    """Kilograms of an element in a kilogram of a compound or material."""

    element: Annotated[str, Written("W")]
    """Element, or a compound that another row leads on from."""
    compound: Annotated[str, Written("WO3")]
    """Formula, or id of a material (then of its goods as they are)."""
    kg_per_kg: Annotated[Part, Written("0.793")]
    """Kilograms of the element in a kilogram of the compound."""
    source: Cited = ""
