"""Facts of catalogs: materials, places, facilities, and offers with their chains and lanes, and columns that plugins declare. All masses are
kilograms in the material's own basis. All prices are money per such kilogram.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from .base import CheckedRecord, Fault, FieldValues, Record, Tables, Words, date_order_faults, exact, grouped
from .elements import Element, Form
from .evidence import Cited, Evidence, Note, Source
from .market import BenchmarkPrice, Factor, Rate
from .market import Price as Price  # noqa: PLC0414 - offers are imported with their prices
from .market import Quote as Quote  # noqa: PLC0414
from .naming import Alias, Names
from .quantities import UNLIMITED
from .stages import COLLECTION, Stage, stage_of
from .terms import PriceSchedule, Terms
from .time import Span
from .values import (
    Country,
    CountryCodes,
    CountryOrBlank,
    CurrencyOrBlank,
    Fraction,
    HsCode,
    Ident,
    Kilograms,
    KilogramsPerYear,
    Lots,
    Money,
    MoneyPerKilogram,
    Months,
    NonNegative,
    Part,
    PerUnit,
    Site,
    SiteOrBlank,
    StagesInOrder,
    Step,
    ident,
)
from .written import BESIDE, Written

FactValue = str | Decimal | bool | date | frozenset[str]
V = TypeVar("V", str, Decimal, bool, date, frozenset[str])
FactTable = Literal["offers", "facilities", "lanes"]
"""Tables that may have columns of facts."""
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


class FactSort(StrEnum):
    """Type of a fact's values, in files and in rules."""

    TEXT = "text"
    """Any text: `str`."""
    NUMBER = "number"
    """A plain number, in the unit of the column: `Decimal`."""
    SHARE = "share"
    """`65%` or `0.65`, from 0 to 1: `Decimal`."""
    YES_NO = "yes or no"
    """`bool`."""
    DATE = "date"
    """`date`."""
    COUNTRY = "country"
    """ISO 3166 alpha-2 code, also written by its name: `str`."""
    WORDS = "words"
    """Words separated by `;`: `frozenset[str]`."""


class FactColumn(CheckedRecord):
    """A column of `offers.csv`, `facilities.csv`, or `lanes.csv` of any catalog, declared in the manifest of a plugin."""

    type: FactSort = FactSort.TEXT
    """Type of its values."""
    unit: str = ""
    """Unit of numbers, like `kg CO2e/kg`. A cell may state it after the number."""
    meaning: Annotated[str, Field(min_length=1)]
    """Meaning, in a planner's words."""
    example: str = ""
    """An example of a value, as it would be written."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        if values.get("unit") and values.get("type") is not FactSort.NUMBER:
            fix = 'write `type = "number"`, or delete the unit'
            yield Fault("unit", "only a number can have a unit", "no unit", fix, ("type",), code="FS029")


class StatedFact(CheckedRecord):
    """A fact about an offer, a facility, or a lane, in a column that a plugin declares."""

    name: ColumnName
    """Name of the column."""
    type: FactSort = FactSort.TEXT
    unit: str = ""
    """Unit of a number."""
    value: str
    """Value as text: `yes` or `no`, a plain number, a day like `2027-01-31`, or words separated by `;`."""

    @classmethod
    def of(cls, name: str, column: FactColumn, value: FactValue) -> StatedFact:
        return cls(name=name, type=column.type, unit=column.unit, value=_fact_text(value))

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        sort, text = values.get("type", FactSort.TEXT), values.get("value", "")
        try:
            is_valid = _fact_text(_read_fact(sort, text)) == text != ""
        except (LookupError, ValueError, ArithmeticError):
            is_valid = False
        if not is_valid:
            yield Fault("value", f"isn't a valid value of type `{sort}`", "", "", ("type",), code="FS011")

    @property
    def read(self) -> FactValue:
        return _read_fact(self.type, self.value)


class WithFacts(CheckedRecord):
    """An offer, a facility, or a lane with facts in columns that plugins declare."""

    facts: tuple[StatedFact, ...] = ()
    """Facts in columns that plugins declare, sorted by name."""

    def fact(self, name: str, sort: type[V]) -> V | None:
        """Return the fact in a column, or None if it isn't stated. Raise TypeError if its values aren't of type `sort`."""
        fact = next((fact for fact in self.facts if fact.name == name), None)
        if fact is None:
            return None
        value: Any = fact.read
        if type(value) is not sort:
            raise TypeError(f"`{name}` contains values of type {fact.type}, not {sort.__name__}")
        typed: V = value
        return typed


class DeclaredColumn(Record):
    """A column of facts that a plugin declares."""

    table: FactTable
    name: str
    column: FactColumn


def _read_fact(sort: FactSort, text: str) -> FactValue:
    if sort in (FactSort.NUMBER, FactSort.SHARE):
        return exact(text)
    if sort is FactSort.YES_NO:
        return {"yes": True, "no": False}[text]
    if sort is FactSort.DATE:
        return date.fromisoformat(text)
    return frozenset(text.split(";")) if sort is FactSort.WORDS else text


def _fact_text(value: FactValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return ";".join(sorted(value)) if isinstance(value, frozenset) else value


class Status(StrEnum):
    """Status of a capacity."""

    OPERATING = "operating"
    RAMPING = "ramping"
    COMMISSIONING = "commissioning"
    CONSTRUCTION = "construction"
    ANNOUNCED = "announced"
    IDLE = "idle"
    SUPERSEDED = "superseded"
    EVENT = "event"


class Feed(StrEnum):
    """Feed at the start of a chain."""

    PRIMARY = "primary"
    RECYCLED = "recycled"


class Material(Record):
    """A tradeable form."""

    id: Annotated[Ident, Written("tungsten-apt")]
    """Name, like `gallium-metal-4n`."""
    name: Annotated[str, Written("ammonium paratungstate")] = ""
    """Name in common use."""
    element: Annotated[Element, Written("W")] = ""
    """Element that it is bought for: a symbol, or a group such as `NdPr`."""
    form: Annotated[Form, Written("oxide")] = ""
    """Form: concentrate, oxide, metal, alloy, powder, magnet, or the like."""
    grade: Annotated[str, Written("88.5% WO3")] = ""
    """Purity or specification."""
    basis: Annotated[str, Written("WO3")] = "gross"
    """Basis of its kilograms: `gross` (also if blank), or the substance counted."""
    content: Annotated[Part | None, Written("0.793")] = None
    """Kilograms of the element per kilogram of the basis. Blank means by the conversion factors.

    After reading, None if unknown."""
    hs: Annotated[HsCode, Written("2841.80")] = ""
    """HS or national tariff code.

    No rule of origin depends on it alone."""
    stages: Annotated[StagesInOrder, Written("mined;refined")] = ()
    """Stages that its chain must have."""
    tags: Annotated[Words, Written("tungsten")] = frozenset()
    """Words by which rules select it."""
    source: Evidence = ""


class Place(Record):
    """A country or site where a material is stored and used."""

    id: str
    """Country code, or name of the site."""
    country: str
    """ISO 3166 alpha-2 code."""
    operator: str = ""
    """Operators of the site, separated by `;`. Empty for a country."""


class CapacityStep(Record):
    """A facility's capacity from a date on, until the next step."""

    start: Annotated[date | None, Written("2027-07-01", "from")] = None
    """First day. Blank means from the beginning."""
    per_year: Annotated[KilogramsPerYear | None, Written("3300 t WO3/year", sort=UNLIMITED)]
    """Mass per time.

    In the basis of the facility's product. None means unlimited."""
    status: Annotated[Status, Written("operating")]
    """Status of the capacity.

    The case states the share at which each status counts."""
    source: Cited = ""


class Owner(Record):
    """An owner of a facility."""

    owner: Annotated[str, Written("Acme Group")]
    """Company, state, or person that owns the facility, directly or through other companies."""
    country: Annotated[CountryOrBlank, Written("CN")] = ""
    """Country of the owner. Blank if no source gives it."""
    share: Annotated[Fraction | None, Written("41.65%")] = None
    """Share of the facility. Blank means unknown."""
    as_of: Annotated[date | None, Written("2026-06-30")] = None
    """Day for which the source states it."""
    source: Cited = ""


class Facility(WithFacts):
    """A place that makes or stores goods."""

    id: Annotated[str, Written("acme-smelter", sort=ident)]
    """Name by which offers refer to it."""
    name: Annotated[str, Written("Acme smelter")] = ""
    """Name in common use."""
    operator: Annotated[str, Written("Acme Metals")] = ""
    """Company that operates it: the supplier."""
    parent: Annotated[str, Written("Acme Group")] = ""
    """Company that owns the operator."""
    country: Annotated[Country, Written("AU")]
    """Location, as ISO 3166 code or English name."""
    place: Annotated[SiteOrBlank, Written("wagerup")] = ""
    """Site where its inputs and demand at the site must be delivered. Blank means its country."""
    within: Annotated[str, Names("facility"), Written(sort=ident)] = ""
    """Facility whose capacity it shares, such as the plant of a line or the country total of a plant."""
    capacity: tuple[CapacityStep, ...] = ()
    """Dated capacities in order. Empty if no source gives a capacity."""
    owners: tuple[Owner, ...] = ()
    """Known owners, sorted by name. Empty if no source names one. The list may be incomplete."""
    note: Note = ""
    source: Evidence = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        country, place = values.get("country"), values.get("place")
        if country and place and len(place) == 2 and place != country:
            message, fix = f"the facility is in {country}", "write the name of a site, or leave the cell blank"
            yield Fault("place", message, fix=fix, code="FS012")
        starts = [step.start for step in values.get("capacity", ())]
        for earlier, later in pairwise(sorted(start or date.min for start in starts)):
            if earlier == later:
                message = f"two capacities start {'at the beginning' if earlier == date.min else f'on {earlier}'}"
                yield Fault("capacity", message, fix="delete one of them, or change its date", code="FS025")

    @property
    def supplier(self) -> str:
        return self.operator or self.name or self.id

    @property
    def owner(self) -> str:
        return self.parent or self.supplier


class ChainEntry(CheckedRecord):
    """A stage, or a step of one, that an offer performs itself."""

    stage: Annotated[Step, Written("refined")]
    """A stage that the material must have, or a step of one."""
    countries: Annotated[CountryCodes, Written("AU;JP")] = frozenset()
    """All countries where it may have happened. `EU` means its members, including their parts with country codes of their own."""
    complete: Annotated[bool, Written("yes")] = False
    """True if the list is known to be complete. Blank means no."""
    feed: Annotated[Feed, Written("primary")] = Feed.PRIMARY
    """Primary or recycled feed. Blank means primary, or recycled for `collection`."""
    element: Annotated[Element, Written("Co")] = ""
    """Other element whose stage this is, such as the cobalt of a samarium-cobalt magnet. Blank means the elements that the material is named after."""
    source: Cited = ""

    @model_validator(mode="before")
    @classmethod
    def _collected_is_scrap(cls, data: object) -> object:
        if isinstance(data, Mapping) and "feed" not in data and data.get("stage") == COLLECTION:
            return {**data, "feed": Feed.RECYCLED}
        return data

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        recycled = values.get("feed", Feed.PRIMARY) is Feed.RECYCLED
        if values.get("stage") == COLLECTION and values.get("feed", Feed.RECYCLED) is not Feed.RECYCLED:
            message, fix = "collected scrap can't be primary feed", "for ore, name the step `mining` or `concentration`"
            yield Fault("feed", message, "recycled, or blank", fix, code="FS012")
        if values.get("complete") and not values.get("countries") and not recycled:
            message, fix = "a complete list of countries can't be empty", "list the countries, or delete `complete`"
            yield Fault("complete", message, "the countries", fix, ("countries", "feed"), code="FS026")
        if values.get("element") and values.get("stage") and stage_of(str(values["stage"])).rank >= Stage.MELTED.rank:
            message, fix = "the elements are one alloy from melting on", "leave the element blank"
            yield Fault("element", message, "blank", fix, ("stage",), code="FS012")

    @cached_property
    def main_stage(self) -> Stage:
        """Stage that it belongs to, unless a rule says otherwise."""
        return stage_of(self.stage)

    @property
    def recycled(self) -> bool:
        """True if it is done to scrap, so that the metal went through the stage before."""
        return self.feed is Feed.RECYCLED

    @property
    def unmined(self) -> bool:
        """True if it replaces the mine and names where scrap was collected, not where its metal was mined."""
        return self.recycled and self.main_stage is Stage.MINED


class RecipeLine(Record):
    """Kilograms of a material taken or given per unit of an offer."""

    material: Annotated[str, Names("material"), Written("ndpr-oxide", sort=ident)]
    """Material taken or given."""
    per_unit: Annotated[PerUnit, Written("1.2")]
    """Kilograms of its basis per unit."""
    source: Annotated[str, Names("source"), Written("acme-report-2026")] = ""
    """Evidence. May be blank only for an output of 1."""


class Lane(WithFacts):
    """A destination of an offer, with its freight and lead time from a date on. An offer with lanes moves only by them."""

    to: Annotated[Site, Names("place"), Written("US")]
    """Country, or site of a facility."""
    start: Annotated[date | None, Written("2027-07-01", "from")] = None
    """First day of orders with this lead time, and of arrivals at this freight, until the next row for the same place. Blank means from the beginning."""
    freight: Annotated[MoneyPerKilogram | None, Written("2 USD/kg")] = None
    """Freight cost. Blank means none."""
    currency: CurrencyOrBlank = ""
    lead_time: Annotated[Months | None, Written("45 days")] = None
    """Time from order to delivery. Blank means the offer's."""
    source: Evidence = ""


class Offer(WithFacts):
    """A proposal to deliver a material, or several in fixed proportions, from a facility."""

    id: Annotated[str, Written("acme-gallium", sort=ident)]
    """Name by which cases, recipes, chains, and lanes refer to it."""
    facility: Annotated[str, Names("facility"), Written("acme-smelter", sort=ident)]
    """Facility that delivers it."""
    outputs: tuple[RecipeLine, ...]
    """Goods that one unit gives. If the only line has `per_unit` 1, the unit is a kilogram of that material."""
    inputs: tuple[RecipeLine, ...] = ()
    """Goods that one unit takes, at the facility's place. Empty for a source."""
    price: Annotated[Price | None, BESIDE] = None
    """List price. None if no source gives one. The offer can then be bought only with `quotes`."""
    quotes: tuple[Quote, ...] = ()
    """Dated prices in order. An offer with quotations can be ordered only while one of them is valid."""
    start: Annotated[date | None, Written("2027-01-01", "from")] = None
    """First day of orders."""
    end: Annotated[date | None, Written("2030-12-31", "until")] = None
    """Last day of orders."""
    min_order: Annotated[Kilograms | None, Written("500 kg")] = None
    """Minimum order in one period, if anything is ordered.

    In units, over all places. Semi-continuous: zero, or at least this."""
    max_order: Annotated[Kilograms | None, Written("5 t")] = None
    """Maximum order in one period."""
    lot: Annotated[Kilograms | None, Written("250 kg")] = None
    """Lot size: the order in one period is a multiple of it. Blank means any quantity."""
    max_lots: Annotated[Lots | None, Written("8")] = None
    """Maximum number of lots ordered in one period."""
    max_per_year: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """Maximum per year from this offer, besides its facility's capacity. Valid without a known capacity, by the offer's `source`."""
    total: Annotated[Kilograms | None, Written("12 t")] = None
    """Maximum over the whole plan, such as a stock in hand or a parcel. Valid without a known capacity, by the offer's `source`."""
    onboarding: Annotated[Money | None, Written("250000 USD")] = None
    """One-off cost of the first use. `[[incumbent]]` offers have paid it."""
    onboarding_currency: CurrencyOrBlank = ""
    qualification: Annotated[Months | None, Written("9 months")] = None
    """Time from the start of the plan to the first order. Blank means none. `[[incumbent]]` offers are qualified already."""
    take_or_pay: Annotated[KilogramsPerYear | None, Written("10 t/year")] = None
    """Quantity to pay for, taken or not, if the offer is used at all."""
    take_or_pay_share: Annotated[Fraction, Written("60%")] = Decimal(1)
    """Share of the price due on the quantity that isn't taken. Blank means all of it."""
    lead_time: Annotated[Months | None, Written("1 quarter")] = None
    """Time from order to delivery. Blank means the case's."""
    capacity_use: Annotated[NonNegative, Written("1")] = Decimal(1)
    """Kilograms of the facility's capacity per unit. Blank means 1."""
    customs_origin: Annotated[CountryOrBlank, Written("AU")] = ""
    """Origin for customs. Blank means the country of the last stage performed."""
    chain: tuple[ChainEntry, ...] = ()
    """Stages that it performs itself."""
    lanes: tuple[Lane, ...] = ()
    """Destinations. Empty means any place that uses its material."""
    note: Note = ""
    source: Annotated[str, Names("source"), Written("acme-report-2026")] = ""
    """Evidence of its existence and quantities."""
    catalog: str = ""
    """Name of its catalog."""

    @property
    def prices(self) -> tuple[Price | Quote, ...]:
        return (*self.quotes, *([self.price] if self.price is not None else []))

    @property
    def has_negative_price(self) -> bool:
        """True if one of its prices is below zero."""
        return any(map(_is_negative, self.prices))

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from date_order_faults(values)
        yield from _order_term_faults(values)
        price = values.get("price")
        if not values.get("outputs", True):
            fix = "name the material"
            yield Fault("outputs", "the offer has no output", "one or more materials", fix, code="FS028")
        quotes = values.get("quotes", ())
        if quotes and price is not None:
            yield TWO_PRICES_FAULT
        yield from negative_price_faults(values)
        yield from _quote_overlap_faults(quotes)
        yield from _undated_row_faults(values.get("lanes", ()))


TWO_PRICES_FAULT = Fault(
    "quotes",
    "the offer also has a list price",
    "a price, or quotations",
    "delete its price and benchmark, or its quotations",
    code="FS027",
)


def _quote_overlap_faults(quotes: Sequence[Quote]) -> Iterator[Fault]:
    order = sorted(range(len(quotes)), key=lambda i: quotes[i].start or date.min)
    for i, j in pairwise(order):
        before = Span(start=quotes[i].start, end=quotes[i].end)
        if before.meets(Span(start=quotes[j].start, end=quotes[j].end)):
            message, fix = f"the quotation of {before} has days in common", "end one before the other starts"
            yield Fault("start", message, "one price for each day", fix, entry=("quotes", j), code="FS025")


def _undated_row_faults(lanes: Sequence[Lane]) -> Iterator[Fault]:
    """Without an undated row, the earlier freight and lead time of a lane would be unknown."""
    for to, rows in grouped((lane.to, position) for position, lane in enumerate(lanes)).items():
        starts = [start for row in rows if (start := lanes[row].start) is not None]
        if len(starts) == len(rows):
            message = f"the lane to {to} has no freight and lead time before {min(starts)}"
            fix = "leave `from` blank in one row"
            yield Fault("start", message, "a row without `from`", fix, entry=("lanes", rows[0]), code="FS026")


_ORDER_LIMITS = ("max_order", "max_per_year", "total")


def _is_negative(price: Price | Quote | None) -> bool:
    return price is not None and price.amount is not None and price.amount < 0


def negative_price_faults(values: FieldValues) -> Iterator[Fault]:
    """Yield faults of a price below zero without a limit on orders, or with take-or-pay: a plan would buy without end, or earn by taking nothing."""
    paid_quotes = [number for number, quote in enumerate(values.get("quotes", ())) if _is_negative(quote)]
    has_paid_price = _is_negative(values.get("price"))
    if not (has_paid_price or paid_quotes):
        return
    if all(values.get(name) is None for name in (*_ORDER_LIMITS, "max_lots")):
        fault = Fault(
            "price",
            "the price is below zero and orders are unlimited, so a plan would buy without end",
            f"one of {', '.join(_ORDER_LIMITS)}",
            "state the quantity that the supplier gives away",
            (*_ORDER_LIMITS, "max_lots"),
            code="FS033",
        )
        yield from [fault] if has_paid_price else []
        yield from (replace(fault, field="amount", entry=("quotes", number)) for number in paid_quotes)
    if values.get("take_or_pay") is not None:
        message = "take-or-pay has no meaning at a price below zero"
        yield Fault("take_or_pay", message, "blank", "delete it", ("price",), code="FS029")


def _order_term_faults(values: FieldValues) -> Iterator[Fault]:
    min_order, max_order, lot, max_lots = (values.get(name) for name in ("min_order", "max_order", "lot", "max_lots"))
    if min_order is not None and max_order is not None and min_order > max_order:
        yield Fault("min_order", "is more than `max_order`", "", "swap the two, or correct one", code="FS021")
    if lot is not None and not lot:
        yield Fault("lot", "the lot is 0", "a mass above 0", "leave it blank to allow any quantity", code="FS013")
    if max_lots is not None and lot is None:
        fix = "add `lot`, or write `max_order` instead"
        yield Fault("max_lots", "the offer has no lot size", "", fix, ("lot",), code="FS026")
    if lot and max_lots is not None and min_order is not None and min_order > lot * max_lots:
        yield Fault("min_order", "is more than `max_lots` lots", "", "correct one of the three", code="FS021")
    if values.get("take_or_pay_share", 1) != 1 and values.get("take_or_pay") is None:
        fix = "add `take_or_pay`, or leave the share blank"
        yield Fault("take_or_pay_share", "the offer has no take-or-pay", "", fix, ("take_or_pay",), code="FS026")


class Catalog(Tables):
    """A named set of facts with its own license and date."""

    name: Annotated[Ident, Written("world")]
    """Name by which cases and other catalogs refer to it."""
    title: Annotated[str, Written("Facilities of the world")] = ""
    """Title, in one line."""
    license: Annotated[str, Written("CC-BY-4.0")] = ""
    """License of the data."""
    as_of: Annotated[date | None, Written("2026-09-30")] = None
    """Date of the last review of the facts."""
    requires: Annotated[tuple[str, ...], Written(["materials"], sort=tuple[Ident, ...])] = ()
    """Catalogs whose materials, prices, rates, and factors this one refers to. They are read too, without their facilities and offers."""
    note: Note = ""
    distribution: str = ""
    """Plugin distribution and version that contains it. Empty for a catalog beside the case."""
    digest: str = ""
    """SHA-256 hash of its parsed, sorted facts."""
    materials: tuple[Material, ...] = ()
    facilities: tuple[Facility, ...] = ()
    offers: tuple[Offer, ...] = ()
    schedules: tuple[PriceSchedule, ...] = ()
    terms: tuple[Terms, ...] = ()
    prices: tuple[BenchmarkPrice, ...] = ()
    rates: tuple[Rate, ...] = ()
    factors: tuple[Factor, ...] = ()
    sources: tuple[Source, ...] = ()
    aliases: tuple[Alias, ...] = ()
    """Ids that it no longer uses."""
