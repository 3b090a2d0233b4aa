"""Whether prices are of the order of what is paid elsewhere: a price a tonne taken for one a kilogram is off by a thousand."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from friendshore.domain.facts import Catalog, Material, Offer
from friendshore.domain.market import BenchmarkPrice
from friendshore.errors import Diagnostic
from friendshore.problem.merged import exchange


def line_of(file: Path, column: str, value: str, **also: str) -> int | None:
    """Line of the first row of a table that has a value in a column, and others in `also`; None if there is none, or no such table."""
    wanted = {column: value, **also}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            return next((rows.line_num for row in rows if _has(row, wanted)), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _has(row: Mapping[str, str | None], wanted: Mapping[str, str]) -> bool:
    return all((row.get(column) or "").strip() == value for column, value in wanted.items())


def in_row(
    file: Path, of: str, name: str, message: str, column: str, found: str = "", expected: str = "", fix: str = ""
) -> Diagnostic:
    """What is said of the row of a table whose column `of` holds a name."""
    return Diagnostic(message, str(file), line_of(file, of, name), column, found, expected, fix)


SAME = Decimal(30)
"""How many times dearer than the dearest benchmark of the material, or cheaper than the cheapest, a price may be."""
KIN = Decimal(300)
"""The same against benchmarks of another material of the element, a kilogram of the element compared: an oxide and a magnet."""
_THOUSAND = (Decimal(200), Decimal(5000))


def off_the_mark(catalog: Catalog, others: Sequence[Catalog], folder: Path) -> Iterator[Diagnostic]:
    """Quoted prices far from all that is known of what they buy, in benchmarks of the catalog and `others`.

    Prices of offers with inputs are looked at for being too high only.
    """
    known = _Known([*others, catalog])
    for offer in catalog.offers:
        price = offer.price
        if price is not None and price.amount is not None and len(offer.outputs) == 1:
            per_kg = price.amount / offer.outputs[0].per_unit
            yield from _compared(known, offer, per_kg, price.currency, folder)
    for benchmark in catalog.prices:
        low, high, bound = known.band(benchmark.material, benchmark.currency, benchmark)
        ratio = _ratio(benchmark.amount, low, high, bound)
        if ratio is not None:
            money = (benchmark.amount, benchmark.currency)
            yield _problem("benchmark", benchmark.id, money, (low, high), ratio, folder / "prices.csv")


def _compared(known: _Known, offer: Offer, per_kg: Decimal, currency: str, folder: Path) -> Iterator[Diagnostic]:
    low, high, bound = known.band(offer.outputs[0].material, currency)
    ratio = _ratio(per_kg, low, high, bound)
    if ratio is None or (offer.inputs and ratio < 1):
        return
    yield _problem("offer", offer.id, (per_kg, currency), (low, high), ratio, folder / "offers.csv")


def _problem(
    what: str,
    name: str,
    money: tuple[Decimal, str],
    band: tuple[Decimal | None, Decimal | None],
    ratio: Decimal,
    file: Path,
) -> Diagnostic:
    (low, high), (amount, currency) = band, money
    times = ratio if ratio > 1 else 1 / ratio
    much = f"{times:,.0f} times {'dearer' if ratio > 1 else 'cheaper'} than any benchmark of it"
    thousand = _THOUSAND[0] < times < _THOUSAND[1]
    units = ("tonne", "kilogram") if ratio > 1 else ("kilogram", "tonne")
    fix = f"money per {units[0]} written as money per {units[1]}?"
    found = f"{amount:,.6g} {currency}/kg"
    expected = f"about {low:,.6g}{'' if low == high else f' to {high:,.6g}'} {currency}/kg"
    fix = fix if thousand else "look the figure and its unit up again"
    return in_row(file, "id", name, f"the price of {what} `{name}` is {much}", "price", found, expected, fix)


def _ratio(amount: Decimal, low: Decimal | None, high: Decimal | None, bound: Decimal) -> Decimal | None:
    """How many times above the highest, or which part of the lowest; None where it is within the bound, or nothing is known."""
    if low is None or high is None or not amount:
        return None
    if amount > bound * high:
        return amount / high
    return amount / low if amount * bound < low else None


class _Known:
    """Benchmark prices of several catalogs, to be compared with."""

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        self._materials: dict[str, Material] = {m.id: m for c in catalogs for m in c.materials}
        self._prices = [price for c in catalogs for price in c.prices]
        self._rates = tuple(rate for c in catalogs for rate in c.rates)

    def band(
        self, material: str, currency: str, but: BenchmarkPrice | None = None
    ) -> tuple[Decimal | None, Decimal | None, Decimal]:
        """Lowest and highest benchmark of a material, per kilogram and in a currency, and how far off a price may be.

        Where there is none of the material itself, benchmarks of others of its element are taken by content. The series of `but`
        is left out.
        """
        series = but.id if but else None
        prices = [price for price in self._prices if price.id != series]
        same = [self._in(price, currency) for price in prices if price.material == material]
        if found := [amount for amount in same if amount is not None]:
            return min(found), max(found), SAME
        sold = self._materials.get(material)
        kin = [self._kin(price, sold, currency) for price in prices] if sold else []
        if found := [amount for amount in kin if amount is not None]:
            return min(found), max(found), KIN
        return None, None, KIN

    def _in(self, price: BenchmarkPrice, currency: str) -> Decimal | None:
        rate = exchange(self._rates, price.currency, currency, price.date)
        return None if rate is None else price.amount * rate

    def _kin(self, price: BenchmarkPrice, sold: Material, currency: str) -> Decimal | None:
        priced = self._materials.get(price.material)
        if priced is None or not sold.element or priced.element != sold.element:
            return None
        if not priced.content or not sold.content:
            return None
        amount = self._in(price, currency)
        return None if amount is None else amount / priced.content * sold.content
