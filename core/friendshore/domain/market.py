"""Published prices, exchange rates and conversion factors: what offers and amounts refer to."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated

from .base import Fault, Fitting, Given, Record
from .evidence import Cited, Evidence
from .values import Currency, ExchangeRate, Ident, Incoterm, MoneyPerKilogram, Part, ident
from .written import Written


class BenchmarkPrice(Record):
    """A published price of a material on a date."""

    id: Annotated[Ident, Written("gallium-rotterdam")]
    """Benchmark; rows of several dates make a series."""
    material: Annotated[str, Written("gallium-metal-4n", sort=ident)]
    """What is priced."""
    date: Annotated[datetime.date, Written("2026-06-30")]
    """Day of the price."""
    amount: Annotated[MoneyPerKilogram, Written("1000 USD/mtu", "price")]
    """Money per mass."""
    currency: Currency
    place: Annotated[str, Written("Rotterdam")] = ""
    """Where it is quoted."""
    incoterm: Annotated[Incoterm, Written("CIF")] = ""
    """Incoterms 2020."""
    source: Cited = ""


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
        """A currency exchanged for itself."""
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
