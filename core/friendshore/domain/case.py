"""What a planner's case says. What is in the case, and nothing else, decides the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from .base import Fault, Fitting, Number, Record, Tables, days_in_order
from .change import Change
from .evidence import Confidence
from .facts import ChainEntry, Price, Status
from .fitting import apart, circles, half_assumed, named_twice, off_the_plan, ranked
from .stages import Stage
from .time import Horizon
from .use import Fact
from .values import (
    Currency,
    EndUse,
    Fraction,
    Ident,
    Kilograms,
    LabelOrBlank,
    Money,
    Months,
    NonNegative,
    Resolution,
    Site,
    SiteOrBlank,
)

CAPACITY_COUNTS: dict[Status, Decimal] = {
    Status.OPERATING: Decimal(1),
    Status.RAMPING: Decimal("0.8"),
    Status.COMMISSIONING: Decimal("0.5"),
    Status.CONSTRUCTION: Decimal(0),
    Status.ANNOUNCED: Decimal(0),
    Status.IDLE: Decimal(0),
    Status.SUPERSEDED: Decimal(0),
    Status.EVENT: Decimal(0),
}
"""What a capacity of each status counts for, unless the case says otherwise. `superseded` and `event` never count."""


class Accept(Record):
    """What the case takes as given."""

    confidence: Confidence = Confidence.VERIFIED
    """Least confidence of a capacity, price or chain entry that counts."""
    rule_status: tuple[str, ...] = ("enacted",)
    """Phases that apply."""
    unproven: bool = False
    """Whether an unproven verdict is let pass."""
    proven: tuple[str, ...] = ()
    """Offers whose unproven origins are let pass, as if the proof had been brought."""
    capacity: dict[Status, Fraction] = Field(default_factory=dict)
    """What a status counts for, where it differs from the default."""

    def counts(self, status: Status) -> Decimal:
        """The share of a capacity of this status that counts."""
        if status in (Status.SUPERSEDED, Status.EVENT):
            return Decimal(0)
        return self.capacity.get(status, CAPACITY_COUNTS[status])


class OfferAssumption(Fitting):
    """A figure that the case gives to a lead, or puts in the place of a published one."""

    id: str
    """The offer."""
    capacity: Kilograms | None = None
    """Kilograms a year, from `start` on."""
    start: date | None = Field(default=None, alias="from")
    price: Price | None = None
    substance: str = ""
    """What `capacity` and `price` are of, where the case names a substance; empty: the basis of what it delivers."""
    chain: tuple[ChainEntry, ...] = ()
    """Entries that take the place of the offer's own at the same stage."""
    why: str = ""

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Nothing that is assumed."""
        if given.get("capacity") is None and given.get("price") is None and not given.get("chain"):
            wanted = ("capacity", "price", "chain")
            yield Fault("", "nothing is assumed of the offer", "a capacity, a price or a chain", turns_on=wanted)


class Assume(Fitting):
    """What the case assumes; printed in every output."""

    lead_time: Months = Decimal(0)
    """Months from order to delivery where an offer gives none."""
    freight: Money | None = None
    """Money per kilogram on a move across a border that has no freight of its own, in the case's currency."""
    holding: NonNegative | None = None
    """Money per kilogram and year for stock, as a share of the material's benchmark or dearest price."""
    priority: tuple[str, ...] = ("defense",)
    """End uses in order of priority, where the case gives a shortage no price; those not named come last, all alike."""
    licence: dict[str, str] = Field(default_factory=dict)
    """End use -> `granted`: licences that are taken as given."""
    offer: tuple[OfferAssumption, ...] = ()

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Licences that are half assumed."""
        return half_assumed(given)


class DemandSpec(Fitting):
    """A demand: a material for an end use at a place."""

    id: LabelOrBlank = ""
    """Name; `material/end_use/place` where left out."""
    material: str
    end_use: EndUse
    place: SiteOrBlank = ""
    """Empty: the case's place."""
    buyer: str = ""
    per_year: Kilograms | None = None
    """Kilograms a year at a steady rate, over the days it is wanted."""
    quantities: tuple[Kilograms, ...] = ()
    """Or kilograms in each period."""
    start: date | None = Field(default=None, alias="from")
    """First day it is wanted."""
    end: date | None = Field(default=None, alias="until")
    later: int = 0
    """Months by which all of it is wanted later than the above says, in whole periods; what would be wanted after the plan is wanted
    in its last period."""
    shortage_price: Money | None = None
    """Money per kilogram not delivered, in the case's currency; None: by priority of the end use, ten times the dearest landed offer
    or benchmark of what competes with it, or more."""
    substance: str = ""
    """What its kilograms are of, where the case names a substance (`5 t WO3`); empty: the material's basis."""
    facts: tuple[tuple[str, Fact], ...] = ()
    """What is stated of the item: every other key of the demand."""
    why: str = ""
    """Where the figure comes from."""

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A quantity that is not said, or said twice, and a last day before the first."""
        stated = [name for name in ("per_year", "quantities") if given.get(name) not in (None, ())]
        expected = "exactly one of per_year, quantity and quantities"
        if not stated:
            message = "the demand says no quantity"
            yield Fault("", message, expected, turns_on=("per_year", "quantity", "quantities"))
        elif len(stated) > 1:
            yield Fault("quantities", "the demand says its quantity twice", expected)
        yield from days_in_order(given)


class StockSpec(Record):
    """Stock in hand at the start, with its own chain."""

    id: str = ""
    material: str
    place: SiteOrBlank = ""
    quantity: Kilograms
    substance: str = ""
    """What `quantity` is of, where the case names a substance (`5 t WO3`); empty: the material's basis."""
    acquired: date | None = None
    chain: tuple[ChainEntry, ...] = ()
    why: str = ""


class OrderSpec(Fitting):
    """An order already placed: paid for, and on its way."""

    id: LabelOrBlank = ""
    """Name; `order-1:offer` and so on where left out."""
    offer: str
    quantity: Kilograms
    """Units of the offer."""
    substance: str = ""
    """What `quantity` is of, where the case names a substance; empty: the basis of what the offer delivers."""
    arrives: date
    ordered: date | None = None
    place: SiteOrBlank = ""
    why: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """An arrival before the order."""
        return days_in_order(given, "ordered", "arrives")


class IncumbentSpec(Record):
    """What is bought today: qualified already, and what churn is measured against."""

    offer: str
    per_year: Kilograms
    """Units a year."""
    substance: str = ""
    """What `per_year` is of, where the case names a substance; empty: the basis of what the offer delivers."""
    why: str = ""


class Minimise(StrEnum):
    """What a level makes as small as the levels before it allow."""

    SHORTAGE = "shortage"
    """Priced shortage."""
    COST = "cost"
    """The whole objective: money spent, penalties and priced shortage."""
    SPEND = "spend"
    """Money spent alone."""
    CONCENTRATION = "concentration"
    """Kilograms bought from whoever most is bought from, added up over materials and stretches of time."""


class Level(Fitting):
    """One of several lexicographic objectives: each is made as small as those before it allow."""

    minimise: Minimise
    of: tuple[str, ...] = ()
    """For `shortage`: the end uses, materials or demands meant. For `concentration`: materials or elements. None: all."""
    by: Literal["country", "supplier", "parent", "facility"] = "country"
    """For `concentration`: who is counted."""
    stage: Stage | None = None
    """For `concentration` by country: where this stage was performed, in contained element; None: where it is bought."""
    per: Literal["period", "year", "horizon"] = "year"
    """For `concentration`: over which stretch the largest is found."""
    within: Fraction = Decimal(0)
    """Share by which later levels may make it worse, in every independent part of the case."""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """What says nothing of what is made small; a value at its default says nothing either way."""
        return ranked(given)


class LicenceSpec(Fitting):
    """An export licence in hand: bounded in quantity and dates."""

    id: str = ""
    rule: str
    """The export control it answers."""
    exporter: str = ""
    """Facility or country it is for; empty: any."""
    quantity: Kilograms | None = None
    """Kilograms moved under it; None: not limited."""
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="until")
    why: str = ""

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A last day before the first."""
        return days_in_order(given)


class WaiverSpec(Fitting):
    """A waiver of one rule, bounded in quantity and dates."""

    id: str = ""
    rule: str
    demand: str = ""
    """Demand or material it is for; empty: any."""
    quantity: Kilograms
    """Kilograms delivered under it."""
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="until")
    under: str = ""
    """Which of the waivers that the rule's law knows; empty: the usual one."""
    why: str = ""

    model_config = {**Record.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A last day before the first."""
        return days_in_order(given)


class StoreSpec(Fitting):
    """How a material is held at a place."""

    material: str
    place: SiteOrBlank = ""
    holding: Money | None = None
    """Money per kilogram and year, in the case's currency."""
    limit: Kilograms | None = None
    """Most kilograms held at the end of a period; 0: it cannot be held."""
    loss: NonNegative = Decimal(0)
    """Share of what is held that is lost in a year, from 0 to 1."""
    substance: str = ""
    """What its kilograms are of, where the case names a substance (`5 t WO3`); empty: the material's basis."""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """More lost than is held."""
        loss = given.get("loss", 0)
        if loss > 1:
            message = f"{loss * 100:f} % a year is more than is held"
            yield Fault("loss", message, "0 to 100 % a year", "write what is lost in a year")


class FrozenPrices(Record):
    """Money that a case derives from its dearest offers, as it comes out before any change."""

    shortage: dict[str, Number] = Field(default_factory=dict)
    """Demand -> money per kilogram short."""
    stores: tuple[StoreSpec, ...] = ()
    """What holding costs, per kilogram of the material's basis."""


class Scenario(Record):
    """A named list of changes."""

    name: Ident
    title: str = ""
    inherits: tuple[str, ...] = ()
    """Scenarios whose changes come first."""
    change: tuple[Change, ...] = ()


class Overlap(Fitting):
    """Facilities of different catalogs that look like one: whether they are, and whose record then counts."""

    facilities: tuple[str, ...]
    """`catalog:facility`, two or more."""
    keep: str = ""
    """The one whose country, place, company and capacity count for all; empty: they are distinct."""
    offers: Literal["all", "kept"] = "kept"
    """Which offers stay: those of all, drawing on the one capacity, or those of the one kept."""
    why: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Names of no facility of a catalog, two of one catalog, and one kept that is none of them."""
        return apart(given)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Those whose record does not count."""
        return tuple(name for name in self.facilities if name != self.keep) if self.keep else ()


class Case(Tables, Fitting):
    """All that decides a result, beside the catalogs and packs it names."""

    name: Ident
    horizon: Horizon
    currency: Currency = "USD"
    place: Site
    """Where demand lies unless it says otherwise."""
    discount: Fraction = Decimal(0)
    """Share a year by which later money counts less."""
    resolution: Resolution = Decimal("0.001")
    """Kilograms to which purchases are rounded."""
    catalogs: tuple[str, ...] = ()
    """Names of installed catalogs, or folders (they hold a `/` or `.`)."""
    packs: tuple[str, ...] = ()
    """Names of installed rule packs, or folders."""
    blocked: tuple[str, ...] = ()
    """Plugins that count as not installed: distributions, entry points or packages; with `:name`, one thing of a plugin."""
    accept: Accept = Accept()
    assume: Assume = Assume()
    demands: tuple[DemandSpec, ...] = ()
    stocks: tuple[StockSpec, ...] = ()
    orders: tuple[OrderSpec, ...] = ()
    incumbents: tuple[IncumbentSpec, ...] = ()
    licences: tuple[LicenceSpec, ...] = ()
    waivers: tuple[WaiverSpec, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    objectives: tuple[Level, ...] = ()
    """Lexicographic objectives; none: cost alone. What they leave open is settled by cost."""
    rules: tuple[dict[str, Any], ...] = ()
    """Rules of any kind, as data; the registry makes them into rules."""
    scenarios: tuple[Scenario, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    """What is known of facilities that more than one catalog describes."""
    frozen: FrozenPrices | None = None
    """What shortages and holding cost where the case does not say, taken from the case before its scenario and every other change;
    None: nothing was changed, so that they follow from the facts as they stand."""
    folder: Path | None = Field(default=None, exclude=True)
    """Where the case file lies, for the folders it names."""
    file: Path | None = Field(default=None, exclude=True)
    """The case file, for messages; None: it was made in memory."""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Names given twice; dates and lists that do not fit the periods."""
        yield from named_twice(given)
        yield from off_the_plan(given)
        yield from circles(given.get("scenarios", ()))
