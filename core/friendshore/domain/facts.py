"""Facts of catalogs: materials, places, facilities, and offers with their chains and lanes, and columns that plugins declare.

All masses are kilograms in the material's own basis, all prices money per such kilogram.
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

from .base import Fault, Fitting, Given, Record, Tables, Words, days_in_order, exact, grouped
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
    """What values a fact takes, and as what rules read them."""

    TEXT = "text"
    """Any text: `str`."""
    NUMBER = "number"
    """A plain number, in the unit of the column: `Decimal`."""
    SHARE = "share"
    """`65 %` or `0.65`, from 0 to 1: `Decimal`."""
    YES_NO = "yes or no"
    """`bool`."""
    DATE = "date"
    """`date`."""
    COUNTRY = "country"
    """ISO 3166 alpha-2 code, also written by its name: `str`."""
    WORDS = "words"
    """Words set apart by `;`: `frozenset[str]`."""


class FactColumn(Fitting):
    """A column of `offers.csv`, `facilities.csv` or `lanes.csv` of any catalog, as the manifest of a plugin declares it."""

    type: FactSort = FactSort.TEXT
    """What its values are."""
    unit: str = ""
    """What numbers are in, like `kg CO2e/kg`; a cell may state it after the number."""
    meaning: Annotated[str, Field(min_length=1)]
    """What it means, in a planner's words."""
    example: str = ""
    """A value as it would be written."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        if given.get("unit") and given.get("type") is not FactSort.NUMBER:
            yield Fault(
                "unit", "only a number has a unit", "no unit", 'write `type = "number"`, or delete it', ("type",)
            )


class StatedFact(Fitting):
    """One fact that a catalog states of an offer, a facility or a lane in a column that a plugin declares."""

    name: ColumnName
    """The column."""
    type: FactSort = FactSort.TEXT
    unit: str = ""
    """What a number is in."""
    value: str
    """As text: `yes` or `no`, a plain number, a day like `2027-01-31`, words set apart by `;`."""

    @classmethod
    def of(cls, name: str, column: FactColumn, value: FactValue) -> StatedFact:
        """A fact of its value, as a column has it."""
        return cls(name=name, type=column.type, unit=column.unit, value=_fact_text(value))

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        sort, text = given.get("type", FactSort.TEXT), given.get("value", "")
        try:
            fine = _fact_text(_read_fact(sort, text)) == text != ""
        except (LookupError, ValueError, ArithmeticError):
            fine = False
        if not fine:
            yield Fault("value", f"is no {sort}", f"a {sort} as it is written once read", "", ("type",))

    @property
    def read(self) -> FactValue:
        """Its value."""
        return _read_fact(self.type, self.value)


class Stating(Fitting):
    """What catalogs state facts of: an offer, a facility or a lane."""

    facts: tuple[StatedFact, ...] = ()
    """What is stated in columns that plugins declare, sorted by name."""

    def fact(self, name: str, sort: type[V]) -> V | None:
        """A fact by the name of its column; None: it is not stated, and so unknown.

        Args:
            name: the column.
            sort: what its values are: `str`, `Decimal`, `bool`, `date` or `frozenset`.

        Raises:
            TypeError: if the column has other values.
        """
        found = next((one for one in self.facts if one.name == name), None)
        if found is None:
            return None
        value: Any = found.read
        if type(value) is not sort:
            raise TypeError(f"`{name}` holds {found.type}, and no {sort.__name__}")
        read: V = value
        return read


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
    """How real a capacity is."""

    OPERATING = "operating"
    RAMPING = "ramping"
    COMMISSIONING = "commissioning"
    CONSTRUCTION = "construction"
    ANNOUNCED = "announced"
    IDLE = "idle"
    SUPERSEDED = "superseded"
    EVENT = "event"


class Feed(StrEnum):
    """What a chain starts from."""

    PRIMARY = "primary"
    RECYCLED = "recycled"


class Material(Record):
    """A tradeable form."""

    id: Annotated[Ident, Written("tungsten-apt")]
    """Name, like `gallium-metal-4n`."""
    name: Annotated[str, Written("ammonium paratungstate")] = ""
    """What people call it."""
    element: Annotated[Element, Written("W")] = ""
    """Element it is wanted for: a symbol, or a group such as `NdPr`."""
    form: Annotated[Form, Written("oxide")] = ""
    """What it comes as: concentrate, oxide, metal, alloy, powder, magnet or the like."""
    grade: Annotated[str, Written("88.5 % WO3")] = ""
    """Purity or specification."""
    basis: Annotated[str, Written("WO3")] = "gross"
    """What its kilograms weigh: `gross` (if blank), or the substance counted."""
    content: Annotated[Part | None, Written("0.793")] = None
    """Kilograms of the element in a kilogram of the basis; blank: by the factors.

    Once read: None where unknown."""
    hs: Annotated[HsCode, Written("2841.80")] = ""
    """HS or national tariff code.

    An attribute, never what a rule of origin turns on alone."""
    stages: Annotated[StagesInOrder, Written("mined;refined")] = ()
    """The stages its chain must have."""
    tags: Annotated[Words, Written("tungsten")] = frozenset()
    """Words by which rules select it."""
    source: Evidence = ""


class Place(Record):
    """Where a material is held and used: a country, or a site in one."""

    id: str
    """A country code, or the site's name."""
    country: str
    """ISO 3166 alpha-2."""
    operator: str = ""
    """Who runs the site, set apart by `;` where there are several; empty for a country."""


class CapacityStep(Record):
    """A facility's capacity from a date on, until the next step."""

    start: Annotated[date | None, Written("2027-07-01", "from")] = None
    """First day; blank: since ever."""
    per_year: Annotated[KilogramsPerYear | None, Written("3300 t WO3/year", sort=UNLIMITED)]
    """Mass per time.

    In the basis of what the facility makes; None: unlimited."""
    status: Annotated[Status, Written("operating")]
    """How real it is.

    The case says what each status counts for."""
    source: Cited = ""


class Facility(Stating):
    """A place that makes or holds things."""

    id: Annotated[str, Written("acme-smelter", sort=ident)]
    """Name by which offers refer to it."""
    name: Annotated[str, Written("Acme smelter")] = ""
    """What people call it."""
    operator: Annotated[str, Written("Acme Metals")] = ""
    """Company that runs it: the supplier."""
    parent: Annotated[str, Written("Acme Group")] = ""
    """Company that owns the operator."""
    country: Annotated[Country, Written("AU")]
    """Where it lies: ISO 3166 code or English name."""
    place: Annotated[SiteOrBlank, Written("wagerup")] = ""
    """Site where its inputs must be delivered; blank: its country."""
    within: Annotated[str, Names("facility"), Written(sort=ident)] = ""
    """Facility whose capacity it shares: the plant of a line, the country total of a plant."""
    capacity: tuple[CapacityStep, ...] = ()
    """Dated steps in order; empty: nobody published it."""
    note: Note = ""
    source: Evidence = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        country, place = given.get("country"), given.get("place")
        if country and place and len(place) == 2 and place != country:
            yield Fault("place", f"the facility lies in {country}", fix="name a site, or leave it blank")
        starts = [step.start for step in given.get("capacity", ())]
        for earlier, later in pairwise(sorted(start or date.min for start in starts)):
            if earlier == later:
                day = "since ever" if earlier == date.min else f"from {earlier}"
                yield Fault("capacity", f"there are two capacities {day}", fix="delete one of the two")

    @property
    def supplier(self) -> str:
        """Who sells from here."""
        return self.operator or self.name or self.id

    @property
    def owner(self) -> str:
        """The parent company, or the supplier where none is known."""
        return self.parent or self.supplier


class ChainEntry(Fitting):
    """One stage (or step of one) that an offer performs itself."""

    stage: Annotated[Step, Written("refined")]
    """A stage that the material must have, or a step of one."""
    countries: Annotated[CountryCodes, Written("AU;JP")] = frozenset()
    """All countries it may have happened in; `EU` stands for its members, with what is part of them and has a code of its own."""
    complete: Annotated[bool, Written("yes")] = False
    """Whether the list is known to be complete; blank: no."""
    feed: Annotated[Feed, Written("primary")] = Feed.PRIMARY
    """Primary or recycled feed; blank: primary, of `collection` recycled."""
    source: Cited = ""

    @model_validator(mode="before")
    @classmethod
    def _collected_is_scrap(cls, data: object) -> object:
        if isinstance(data, Mapping) and "feed" not in data and data.get("stage") == COLLECTION:
            return {**data, "feed": Feed.RECYCLED}
        return data

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        recycled = given.get("feed", Feed.PRIMARY) is Feed.RECYCLED
        if given.get("stage") == COLLECTION and given.get("feed", Feed.RECYCLED) is not Feed.RECYCLED:
            message = "what is collected is scrap, and no primary feed"
            fix = "name the step `mining` or `concentration` where the feed comes out of the ground"
            yield Fault("feed", message, "recycled, or blank", fix)
        if given.get("complete") and not given.get("countries") and not recycled:
            message = "the list of countries is said to be complete but is empty"
            fix = "list the countries, or leave `complete` out"
            yield Fault("complete", message, "the countries", fix, ("countries", "feed"))

    @cached_property
    def main_stage(self) -> Stage:
        """The stage it belongs to where a rule does not say otherwise."""
        return stage_of(self.stage)

    @property
    def recycled(self) -> bool:
        """True if it is done to scrap, so that it is not the first time that the metal goes through the stage."""
        return self.feed is Feed.RECYCLED

    @property
    def unmined(self) -> bool:
        """True if it stands in the place of the mine and tells where scrap was collected, not where its metal was mined."""
        return self.recycled and self.main_stage is Stage.MINED


class RecipeLine(Record):
    """Kilograms of a material taken or given per unit of an offer."""

    material: Annotated[str, Names("material"), Written("ndpr-oxide", sort=ident)]
    """What is taken or given."""
    per_unit: Annotated[PerUnit, Written("1.2")]
    """Kilograms of its basis per unit."""
    source: Annotated[str, Names("source"), Written("acme-report-2026")] = ""
    """Evidence; may be blank only for an output of 1."""


class Lane(Stating):
    """A way an offer may be moved, what it costs and how long it takes from a date on; an offer with lanes moves by them alone."""

    to: Annotated[Site, Names("place"), Written("US")]
    """Country, or site of a facility."""
    start: Annotated[date | None, Written("2027-07-01", "from")] = None
    """First day of orders with this lead time, and of arrivals at this freight, until the next row of the same offer and place; blank: since ever."""
    freight: Annotated[MoneyPerKilogram | None, Written("2 USD/kg")] = None
    """Cost of moving; blank: nothing is added."""
    currency: CurrencyOrBlank = ""
    lead_time: Annotated[Months | None, Written("45 days")] = None
    """From order to delivery; blank: the offer's."""
    source: Evidence = ""


class Offer(Stating):
    """A proposal to deliver a material, or several in fixed proportions, from a facility."""

    id: Annotated[str, Written("acme-gallium", sort=ident)]
    """Name by which cases, recipes, chains and lanes refer to it."""
    facility: Annotated[str, Names("facility"), Written("acme-smelter", sort=ident)]
    """Facility it comes from."""
    outputs: tuple[RecipeLine, ...]
    """What one unit gives. One line with `per_unit` 1: the unit is a kilogram of that material."""
    inputs: tuple[RecipeLine, ...] = ()
    """What one unit takes, at the facility's place. None: a source."""
    price: Annotated[Price | None, BESIDE] = None
    """None: nobody published one, and it is not offered (unless it has `quotes`)."""
    quotes: tuple[Quote, ...] = ()
    """Dated prices in order; where there are any, it may be ordered only while one of them is valid."""
    start: Annotated[date | None, Written("2027-01-01", "from")] = None
    """First day on which it may be ordered."""
    end: Annotated[date | None, Written("2030-12-31", "until")] = None
    """Last day on which it may be ordered."""
    min_order: Annotated[Kilograms | None, Written("500 kg")] = None
    """Least ordered in one period, if anything is.

    Units, over all places; semi-continuous: zero, or at least this."""
    max_order: Annotated[Kilograms | None, Written("5 t")] = None
    """Most ordered in one period."""
    lot: Annotated[Kilograms | None, Written("250 kg")] = None
    """What is ordered in one period is a whole multiple of this; blank: any quantity."""
    max_lots: Annotated[Lots | None, Written("8")] = None
    """Most lots ordered in one period."""
    max_per_year: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """Most a year from this offer, beside its facility's capacity; it counts without one, by the offer's `source`."""
    total: Annotated[Kilograms | None, Written("12 t")] = None
    """Most over the whole plan: a stock in hand, a parcel; it counts without a capacity, by the offer's `source`."""
    onboarding: Annotated[Money | None, Written("250000 USD")] = None
    """One-off cost of using it at all; `[[incumbent]]` offers have paid it."""
    onboarding_currency: CurrencyOrBlank = ""
    qualification: Annotated[Months | None, Written("9 months")] = None
    """From the start of the plan to the first order; blank: none. `[[incumbent]]` offers are qualified already."""
    take_or_pay: Annotated[KilogramsPerYear | None, Written("10 t/year")] = None
    """Paid for, taken or not, if it is used at all."""
    take_or_pay_share: Annotated[Fraction, Written("60 %")] = Decimal(1)
    """Share of the price due on what is not taken; blank: all of it."""
    lead_time: Annotated[Months | None, Written("1 quarter")] = None
    """From order to delivery; blank: the case's."""
    capacity_use: Annotated[NonNegative, Written("1")] = Decimal(1)
    """Kilograms of the facility's capacity a unit takes; blank: 1."""
    customs_origin: Annotated[CountryOrBlank, Written("AU")] = ""
    """Origin for customs; blank: country of the last stage performed."""
    chain: tuple[ChainEntry, ...] = ()
    """The stages it performs itself."""
    lanes: tuple[Lane, ...] = ()
    """Where it may be moved; none: to any place that uses its material."""
    note: Note = ""
    source: Annotated[str, Names("source"), Written("acme-report-2026")] = ""
    """Evidence of its existence and quantities."""
    catalog: str = ""
    """The catalog it comes from."""

    @property
    def prices(self) -> tuple[Price | Quote, ...]:
        """All that it is quoted at."""
        return (*self.quotes, *([self.price] if self.price is not None else []))

    @property
    def paid(self) -> bool:
        """True if it is ever paid to whoever takes it: a price below zero."""
        return any(map(_is_paid, self.prices))

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        yield from days_in_order(given)
        yield from _order_terms(given)
        price = given.get("price")
        if not given.get("outputs", True):
            yield Fault("outputs", "the offer delivers nothing", "one line or more", "name the material")
        quotes = given.get("quotes", ())
        if quotes and price is not None:
            yield PRICED_TWICE
        yield from paid_without_end(given)
        yield from _quoted_twice(quotes)
        yield from _open_lanes(given.get("lanes", ()))


PRICED_TWICE = Fault(
    "quotes",
    "the offer has a price of its own as well",
    "a price, or quotations",
    "leave out its price and benchmark, or its quotations",
)
"""An offer with a price and with quotations."""


def _quoted_twice(quotes: Sequence[Quote]) -> Iterator[Fault]:
    """Yield a fault for each quotation that is valid on a day of the one before it: which is the price must not be open."""
    order = sorted(range(len(quotes)), key=lambda i: quotes[i].start or date.min)
    for i, j in pairwise(order):
        before = Span(start=quotes[i].start, end=quotes[i].end)
        if before.meets(Span(start=quotes[j].start, end=quotes[j].end)):
            message, fix = (
                f"on some days the quotation of {before} holds as well",
                "let one end before the other begins",
            )
            yield Fault("start", message, "one price for a day", fix, entry=("quotes", j))


def _open_lanes(lanes: Sequence[Lane]) -> Iterator[Fault]:
    """Yield a fault for each lane without a row since ever: what is paid, and how long it takes, must not be open."""
    for to, rows in grouped((lane.to, position) for position, lane in enumerate(lanes)).items():
        starts = [start for row in rows if (start := lanes[row].start) is not None]
        if len(starts) == len(rows):
            message = f"nothing says what the lane to {to} costs, or takes, before {min(starts)}"
            yield Fault(
                "start", message, "a row without `from`", "leave `from` blank in one row", entry=("lanes", rows[0])
            )


_ENDS = ("max_order", "max_per_year", "total")
"""Fields that limit the quantity ordered of an offer."""


def _is_paid(price: Price | Quote | None) -> bool:
    """Return True if a price is below zero."""
    return price is not None and price.amount is not None and price.amount < 0


def paid_without_end(given: Given) -> Iterator[Fault]:
    """Yield faults of a price below zero without a limit, or with take-or-pay: a plan would order without end, or earn by taking nothing."""
    paid = [number for number, quote in enumerate(given.get("quotes", ())) if _is_paid(quote)]
    own = _is_paid(given.get("price"))
    if (own or paid) and all(given.get(name) is None for name in (*_ENDS, "max_lots")):
        fault = Fault(
            "price",
            "the price is below zero, and the offer does not limit what is ordered: a plan would buy without end",
            f"one of {', '.join(_ENDS)}",
            "state how much of it is given away",
            (*_ENDS, "max_lots"),
        )
        yield from [fault] if own else []
        yield from (replace(fault, field="amount", entry=("quotes", number)) for number in paid)
    if (own or paid) and given.get("take_or_pay") is not None:
        message = "nothing is owed for what is not taken at a price below zero"
        yield Fault("take_or_pay", message, "blank", "leave it out", ("price",))


def _order_terms(given: Given) -> Iterator[Fault]:
    """Least, most and lots of an order that no order meets, and shares of what is not asked for."""
    least, most, lot, count = (given.get(name) for name in ("min_order", "max_order", "lot", "max_lots"))
    if least is not None and most is not None and least > most:
        yield Fault("min_order", "is more than max_order", "", "exchange the two, or mend one")
    if lot is not None and not lot:
        yield Fault("lot", "a lot of nothing", "a mass above 0", "leave it blank for any quantity")
    if count is not None and lot is None:
        fix = "give `lot`, or `max_order` in place of this"
        yield Fault("max_lots", "there is no lot to count", "", fix, ("lot",))
    if lot and count is not None and least is not None and least > lot * count:
        yield Fault("min_order", "is more than `max_lots` lots", "", "mend one of the three")
    if given.get("take_or_pay_share", 1) != 1 and given.get("take_or_pay") is None:
        fix = "give `take_or_pay`, or leave it blank"
        yield Fault("take_or_pay_share", "a share of no take-or-pay", "", fix, ("take_or_pay",))


class Catalog(Tables):
    """A named set of facts with its own licence and date."""

    name: Annotated[Ident, Written("world")]
    """Name by which cases and other catalogs refer to it."""
    title: Annotated[str, Written("Facilities of the world")] = ""
    """One line."""
    licence: Annotated[str, Written("CC-BY-4.0")] = ""
    """Licence of the data."""
    as_of: Annotated[date | None, Written("2026-09-30")] = None
    """Day on which the facts were last looked at."""
    requires: Annotated[tuple[str, ...], Written(["materials"], sort=tuple[Ident, ...])] = ()
    """Catalogs whose materials, prices, rates and factors this one refers to. They are read along, without their facilities and offers."""
    note: Note = ""
    distribution: str = ""
    """Plugin distribution and version it came with; empty for one beside the case."""
    digest: str = ""
    """SHA-256 of its parsed, sorted facts."""
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
