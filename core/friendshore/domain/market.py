"""Published prices, exchange rates, and conversion factors between substances: oxide to metal, compound to compound, content of an ore."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from .base import Dated, Fault, Fitting, Given, Record, exact, outside
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

if TYPE_CHECKING:
    from .facts import Material


class BenchmarkPrice(Fitting):
    """A published price of a material on a date."""

    id: Annotated[Ident, Written("gallium-rotterdam")]
    """Benchmark; rows of several dates make a series."""
    material: Annotated[str, Written("gallium-metal-4n", sort=ident)]
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
    source: Annotated[str, Written("acme-list-2026", "price_source")] = ""
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


GROSS = "gross"
"""The basis of a material that is weighed as it is."""

_SAME = Decimal("1e-9")


class Factors:
    """Conversion factors by substance.

    Args:
        factors: kilograms of an element in a kilogram of a compound or material. The element of one row may be the
            compound of another (WO3 in a concentrate, W in WO3): such rows are chained.
    """

    def __init__(self, factors: Iterable[Factor] = ()) -> None:
        self._rows: dict[str, dict[str, Decimal]] = {}
        self._contents: dict[str, dict[str, Decimal]] = {}
        for factor in factors:
            self.add(factor)

    def add(self, factor: Factor) -> None:
        """Take one more row in."""
        self._rows.setdefault(factor.compound, {})[factor.element] = factor.kg_per_kg
        self._contents.clear()

    def contents(self, substance: str) -> Mapping[str, Decimal]:
        """Kilograms of every substance known to be in a kilogram of `substance`, itself included."""
        if substance not in self._contents:
            found = {substance: Decimal(1)}
            open_ = [substance]
            while open_:
                whole = open_.pop()
                for part, share in sorted(self._rows.get(whole, {}).items()):
                    if part not in found:
                        found[part] = found[whole] * share
                        open_.append(part)
            self._contents[substance] = found
        return self._contents[substance]

    def compounds(self, element: str) -> list[str]:
        """Return the compounds that have a row for an element, sorted."""
        return sorted(compound for compound, parts in self._rows.items() if element in parts)


_METALLIC = frozenset(("metal", "sponge", "powder", "ferroalloy", "alloy", "magnet"))
"""Forms that trade weighs as they are, or by the element."""


def equal_weights(material: Material, factors: Factors) -> dict[str, Decimal]:
    """Return the kilograms of other substances that equal one kilogram of a material's basis: its element, its oxide, and what it is sold as.

    Empty for metals and goods that are weighed as they are: their weight has one meaning.
    """
    if material.basis == GROSS or not material.element or material.form in _METALLIC:
        return {}
    oxide = re.compile(rf"{re.escape(material.element)}\d*O\d*")
    compounds = factors.compounds(material.element)
    named = [each for each in compounds if each in (material.form, material.form.upper())]
    named += [each for each in compounds if oxide.fullmatch(each) and each not in named]
    weights = {each: basis_factor(material, each, factors) for each in (*named, material.element)}
    return {each: exact(1 / weight) for each, weight in weights.items() if weight and each != material.basis}


def _basis_name(material: Material) -> str:
    return material.id if material.basis == GROSS else material.basis


def _basis_contents(material: Material, factors: Factors) -> Mapping[str, Decimal]:
    contents = factors.contents(_basis_name(material))
    if material.content is not None and material.element:
        return {**contents, material.element: material.content}
    return contents


def basis_factor(material: Material, substance: str, factors: Factors | Iterable[Factor]) -> Decimal | None:
    """Kilograms of the material's basis that go with one kilogram of `substance`; None where no factor is known: `missing_factor` says which row
    to add. It is not rounded, so that what is computed with it rounds once.

    `substance` is an element, a compound, the material's own id or `gross` (the goods as they are); empty means the basis
    itself. A price per kilogram of `substance` is divided by this.
    """
    if substance in ("", material.basis, _basis_name(material)):
        return Decimal(1)
    if not isinstance(factors, Factors):
        factors = Factors(factors)
    of_basis = _basis_contents(material, factors)
    of_substance = factors.contents(material.id if substance == GROSS else substance)
    common = [part for part in of_basis if part in of_substance and of_basis[part]]
    if not common:
        return None
    ratios = {part: of_substance[part] / of_basis[part] for part in common}
    for part in (material.basis, substance, material.element):
        if part in ratios:
            return ratios[part]
    low, high = min(ratios.values()), max(ratios.values())
    return low if high - low <= _SAME * high else None


def missing_factor(material: Material, substance: str, factors: Factors) -> tuple[str, str]:
    """Element and compound of the factor row whose absence makes `basis_factor` None."""
    element = material.element or "?"
    named = material.id if substance == GROSS else substance
    if element != named and element not in factors.contents(named):
        return element, named
    return element, _basis_name(material)


def content_of(material: Material, factors: Factors) -> Decimal | None:
    """Kilograms of the material's element in a kilogram of its basis: as stated, or worked out; None where unknown."""
    if material.content is not None or not material.element:
        return material.content
    found = factors.contents(_basis_name(material)).get(material.element)
    return None if found is None else exact(found)


def weighed(material: Material) -> str:
    """Return what a kilogram of a material is a kilogram of, in words."""
    return "the goods as they are" if material.basis == GROSS else f"{material.basis} in it"
