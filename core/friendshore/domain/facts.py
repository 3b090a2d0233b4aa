"""What catalogs hold: materials, places, facilities, offers and their chains, prices, rates and factors.

All masses are kilograms in the material's own basis, all prices money per such kilogram.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import model_validator

from .base import Fault, Fitting, Record, Tables, Words, days_in_order
from .evidence import Source
from .fitting import PRICED_TWICE, lying, order_terms, quoted_twice
from .stages import COLLECTION, Stage, stage_of
from .terms import Terms
from .tiers import PriceSchedule
from .values import (
    Country,
    CountryCodes,
    CountryOrBlank,
    Currency,
    CurrencyOrBlank,
    ExchangeRate,
    Fraction,
    HsCode,
    Ident,
    Incoterm,
    Kilograms,
    Lots,
    Money,
    Months,
    NonNegative,
    Part,
    PerUnit,
    Premium,
    Site,
    SiteOrBlank,
    StagesInOrder,
    Step,
)


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

    id: Ident
    """Name, like `gallium-metal-4n`."""
    name: str = ""
    """What people call it."""
    element: str = ""
    """The element it is wanted for: a symbol, or a group such as `NdPr`."""
    form: str = ""
    """concentrate, oxide, metal, alloy, powder, magnet, …"""
    grade: str = ""
    """Purity or specification."""
    basis: str = "gross"
    """What its kilograms weigh: `gross`, or the substance counted (`Ga`, `WO3`, `Dy2O3`)."""
    content: Part | None = None
    """Kilograms of `element` per kilogram of basis; None where unknown."""
    hs: HsCode = ""
    """HS or national tariff code, digits and dots; an attribute, never what a rule of origin turns on alone."""
    stages: StagesInOrder = ()
    """The stages its chain must have, in order."""
    tags: Words = frozenset()
    """Words by which rules select it, like `rare-earth` or `contains-dy`."""
    source: str = ""


class Place(Record):
    """Where a material is held and used: a country, or a site in one."""

    id: str
    """A country code, or the site's name."""
    country: str
    """ISO 3166 alpha-2."""
    operator: str = ""
    """Who runs the site; empty for a country."""


class CapacityStep(Record):
    """A facility's capacity from a date on, until the next step."""

    start: datetime.date | None = None
    """First day; None: since ever."""
    per_year: Kilograms | None
    """Kilograms a year, in the basis of what the facility makes; None: unlimited."""
    status: Status
    """How real it is; the case says what each status counts for."""
    source: str = ""


class Facility(Fitting):
    """A place that makes or holds things."""

    id: str
    name: str = ""
    operator: str = ""
    """The company that runs it: the supplier."""
    parent: str = ""
    """The company that owns the operator."""
    country: Country
    """ISO 3166 alpha-2."""
    place: SiteOrBlank = ""
    """Where its inputs must be delivered: its country unless it is a site of its own."""
    within: str = ""
    """The facility whose capacity it shares: a line in a plant, a plant in a country's total."""
    capacity: tuple[CapacityStep, ...] = ()
    """Dated steps in order; empty: nobody published it."""
    note: str = ""
    source: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A code of another country for a site, and steps of capacity that begin on one day."""
        return lying(given)

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

    stage: Step
    """A stage, or a finer step of one."""
    countries: CountryCodes = frozenset()
    """The countries it may have happened in."""
    complete: bool = False
    """Whether the list is known to be complete."""
    feed: Feed = Feed.PRIMARY
    """Primary or recycled feed; of `collection` always recycled."""
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _collected_is_scrap(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "feed" not in data and data.get("stage") == COLLECTION:
            return {**data, "feed": Feed.RECYCLED}
        return data

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Scrap that is called primary; no country in a list that is said to hold them all, unless it is of scrap."""
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
        """Whether it is done to scrap, so that it is not the first time that the metal goes through the stage."""
        return self.feed is Feed.RECYCLED

    @property
    def unmined(self) -> bool:
        """Whether it stands in the place of the mine and tells where scrap was collected, not where its metal was mined."""
        return self.recycled and self.main_stage is Stage.MINED


class RecipeLine(Record):
    """Kilograms of a material taken or given per unit of an offer."""

    material: str
    per_unit: PerUnit
    source: str = ""


class Price(Fitting):
    """Money per unit of an offer: quoted, or a benchmark and a premium on it."""

    amount: Money | None = None
    """Quoted price per kilogram."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of `amount`."""
    benchmark: str = ""
    """Benchmark it follows where no price is quoted."""
    premium: Premium = Decimal(0)
    """Share of the benchmark on top of it; an assumption unless `source` says otherwise."""
    source: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Two prices in one, a premium on nothing, and an amount of no currency."""
        amount, benchmark = given.get("amount"), given.get("benchmark")
        if given.get("premium") and not benchmark:
            yield Fault("premium", "a premium on no benchmark", fix="name the benchmark", turns_on=("benchmark",))
        if amount is not None and benchmark:
            yield Fault("amount", "a price and a benchmark are both given", "one of the two", "delete one")
        if amount is not None and not given.get("currency"):
            yield Fault("currency", "the price has no currency", "a currency by its ISO 4217 code, like USD")


class Quote(Fitting):
    """A price of an offer for orders within some dates: a quotation with its validity."""

    start: datetime.date | None = None
    """First day; None: since ever."""
    end: datetime.date | None = None
    """Last day; None: for good."""
    amount: Money
    """Money per unit."""
    currency: Currency
    source: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A last day before the first."""
        return days_in_order(given)


class Lane(Record):
    """A way an offer may be moved; an offer with lanes moves by them alone."""

    to: Site
    """Place it leads to."""
    freight: Money | None = None
    """Money per kilogram moved; None: not published, nothing is added."""
    currency: CurrencyOrBlank = ""
    lead_time: Months | None = None
    """Months from order to delivery; None: the offer's own."""
    source: str = ""


class Offer(Fitting):
    """A proposal to deliver a material, or several in fixed proportions, from a facility."""

    id: str
    facility: str
    outputs: tuple[RecipeLine, ...]
    """What one unit gives. One line with `per_unit` 1: the unit is a kilogram of that material."""
    inputs: tuple[RecipeLine, ...] = ()
    """What one unit takes, at the facility's place. None: a source."""
    price: Price | None = None
    """None: nobody published one, and it is not offered (unless it has `quotes`)."""
    quotes: tuple[Quote, ...] = ()
    """Dated prices in order; where there are any, it may be ordered only while one of them is valid."""
    start: datetime.date | None = None
    """First day on which it may be ordered."""
    end: datetime.date | None = None
    """Last day on which it may be ordered."""
    min_order: Kilograms | None = None
    """Least units of one order (all that is ordered in one period, over places); semi-continuous: zero, or at least this."""
    max_order: Kilograms | None = None
    """Most units ordered in one period."""
    lot: Kilograms | None = None
    """What is ordered in one period, over places, is a whole multiple of this; None: any quantity."""
    max_lots: Lots | None = None
    """Most lots ordered in one period."""
    max_per_year: Kilograms | None = None
    """Most units a year from this offer alone, beside its facility's capacity."""
    total: Kilograms | None = None
    """Most units over the whole plan: a stock in hand, a trader's parcel."""
    onboarding: Money | None = None
    """One-off cost of using it at all, unless it is an incumbent."""
    onboarding_currency: CurrencyOrBlank = ""
    qualification: Months | None = None
    """Months from the start of the plan before it may first be ordered from, unless it is an incumbent."""
    take_or_pay: Kilograms | None = None
    """Units a year that are paid for if it is used at all, taken or not."""
    take_or_pay_share: Fraction = Decimal(1)
    """Share of the price that is due on what is not taken, from 0 to 1."""
    lead_time: Months | None = None
    """Months from order to delivery; None: the case's assumption."""
    capacity_use: NonNegative = Decimal(1)
    """Kilograms of its facility's capacity that one unit takes."""
    customs_origin: CountryOrBlank = ""
    """Country of origin for customs where it is not that of the last stage performed."""
    chain: tuple[ChainEntry, ...] = ()
    """The stages it performs itself."""
    lanes: tuple[Lane, ...] = ()
    """Where it may be moved; none: to any place that uses its material."""
    note: str = ""
    source: str = ""
    """Evidence of its quantities."""
    catalog: str = ""
    """The catalog it comes from."""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Dates and terms of an order that do not fit one another."""
        yield from days_in_order(given)
        yield from order_terms(given)
        if not given.get("outputs", True):
            yield Fault("outputs", "the offer delivers nothing", "one line or more", "name the material")
        quotes = given.get("quotes", ())
        if quotes and given.get("price") is not None:
            yield PRICED_TWICE
        for _, fault in quoted_twice(quotes):
            yield fault


class BenchmarkPrice(Record):
    """A published price of a material on a date."""

    id: Ident
    """The benchmark it belongs to; rows of several dates make one series."""
    material: str
    date: datetime.date
    amount: Money
    """Money per kilogram of the material's basis."""
    currency: Currency
    place: str = ""
    """Where it is quoted, like `Rotterdam` or `FOB China`."""
    incoterm: Incoterm = ""
    """Incoterms 2020."""
    source: str = ""


class Rate(Fitting):
    """An exchange rate from a date on: one unit of `currency` is `rate` of `to`."""

    currency: Currency
    to: Currency
    rate: ExchangeRate
    start: datetime.date
    source: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A currency exchanged for itself."""
        if given.get("currency") and given.get("currency") == given.get("to"):
            yield Fault("to", "a currency is not exchanged for itself", fix="name two currencies")


class Factor(Record):
    """Kilograms of an element in a kilogram of a compound or material."""

    element: str
    compound: str
    kg_per_kg: Part
    source: str = ""


class Catalog(Tables):
    """A named set of facts with its own licence and date."""

    name: Ident
    title: str = ""
    licence: str = ""
    as_of: datetime.date | None = None
    requires: tuple[str, ...] = ()
    """Catalogs whose materials, prices, rates and factors it refers to."""
    note: str = ""
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
