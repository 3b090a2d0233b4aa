"""What catalogs hold: materials, places, facilities, offers and their chains, prices, rates and factors.

All masses are kilograms in the material's own basis, all prices money per such kilogram.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from pydantic import model_validator

from .base import Number, Record, Tables, Words
from .evidence import Source
from .stages import COLLECTION, Stage, stage_of
from .terms import Terms
from .tiers import PriceSchedule


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

    id: str
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
    content: Number | None = None
    """Kilograms of `element` per kilogram of basis; None where unknown."""
    hs: str = ""
    """HS or national tariff code, digits and dots; an attribute, never what a rule of origin turns on alone."""
    stages: tuple[Stage, ...] = ()
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
    per_year: Number | None
    """Kilograms a year, in the basis of what the facility makes; None: unlimited."""
    status: Status
    """How real it is; the case says what each status counts for."""
    source: str = ""


class Facility(Record):
    """A place that makes or holds things."""

    id: str
    name: str = ""
    operator: str = ""
    """The company that runs it: the supplier."""
    parent: str = ""
    """The company that owns the operator."""
    country: str
    """ISO 3166 alpha-2."""
    place: str = ""
    """Where its inputs must be delivered: its country unless it is a site of its own."""
    within: str = ""
    """The facility whose capacity it shares: a line in a plant, a plant in a country's total."""
    capacity: tuple[CapacityStep, ...] = ()
    """Dated steps in order; empty: nobody published it."""
    note: str = ""
    source: str = ""

    @property
    def supplier(self) -> str:
        """Who sells from here."""
        return self.operator or self.name or self.id

    @property
    def owner(self) -> str:
        """The parent company, or the supplier where none is known."""
        return self.parent or self.supplier


class ChainEntry(Record):
    """One stage (or step of one) that an offer performs itself."""

    stage: str
    """A stage, or a finer step of one."""
    countries: Words = frozenset()
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

    @model_validator(mode="after")
    def _scrap_is_no_primary_feed(self) -> Self:
        if self.stage == COLLECTION and self.feed is not Feed.RECYCLED:
            raise ValueError(f"`{COLLECTION}` is of scrap: its feed is recycled")
        return self

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
    per_unit: Number
    source: str = ""


class Price(Record):
    """Money per unit of an offer: quoted, or a benchmark and a premium on it."""

    amount: Number | None = None
    """Quoted price per kilogram."""
    currency: str = ""
    """ISO 4217, of `amount`."""
    benchmark: str = ""
    """Benchmark it follows where no price is quoted."""
    premium: Number = Decimal(0)
    """Share of the benchmark on top of it; an assumption unless `source` says otherwise."""
    source: str = ""


class Quote(Record):
    """A price of an offer for orders within some dates: a quotation with its validity."""

    start: datetime.date | None = None
    """First day; None: since ever."""
    end: datetime.date | None = None
    """Last day; None: for good."""
    amount: Number
    """Money per unit."""
    currency: str
    source: str = ""


class Lane(Record):
    """A way an offer may be moved; an offer with lanes moves by them alone."""

    to: str
    """Place it leads to."""
    freight: Number | None = None
    """Money per kilogram moved; None: not published, nothing is added."""
    currency: str = ""
    lead_time: Number | None = None
    """Months from order to delivery; None: the offer's own."""
    source: str = ""


class Offer(Record):
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
    min_order: Number | None = None
    """Least units of one order (all that is ordered in one period, over places); zero or at least this."""
    max_order: Number | None = None
    """Most units ordered in one period."""
    lot: Number | None = None
    """What is ordered in one period, over places, is a whole multiple of this; None: any quantity."""
    max_lots: int | None = None
    """Most lots ordered in one period."""
    max_per_year: Number | None = None
    """Most units a year from this offer alone, beside its facility's capacity."""
    total: Number | None = None
    """Most units over the whole plan: a stock in hand, a trader's parcel."""
    onboarding: Number | None = None
    """One-off cost of using it at all, unless it is an incumbent."""
    onboarding_currency: str = ""
    qualification: Number | None = None
    """Months from the start of the plan before it may first be ordered from, unless it is an incumbent."""
    take_or_pay: Number | None = None
    """Units a year that are paid for if it is used at all, taken or not."""
    take_or_pay_share: Number = Decimal(1)
    """Share of the price that is due on what is not taken, from 0 to 1."""
    lead_time: Number | None = None
    """Months from order to delivery; None: the case's assumption."""
    capacity_use: Number = Decimal(1)
    """Kilograms of its facility's capacity that one unit takes."""
    customs_origin: str = ""
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


class BenchmarkPrice(Record):
    """A published price of a material on a date."""

    id: str
    """The benchmark it belongs to; rows of several dates make one series."""
    material: str
    date: datetime.date
    amount: Number
    """Money per kilogram of the material's basis."""
    currency: str
    place: str = ""
    """Where it is quoted, like `Rotterdam` or `FOB China`."""
    incoterm: str = ""
    """Incoterms 2020."""
    source: str = ""


class Rate(Record):
    """An exchange rate from a date on: one unit of `currency` is `rate` of `to`."""

    currency: str
    to: str
    rate: Number
    start: datetime.date
    source: str = ""


class Factor(Record):
    """Kilograms of an element in a kilogram of a compound or material."""

    element: str
    compound: str
    kg_per_kg: Number
    source: str = ""


class Catalog(Tables):
    """A named set of facts with its own licence and date."""

    name: str
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
