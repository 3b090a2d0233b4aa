"""What a planner's case says. What is in the case, and nothing else, decides the result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from .assumptions import Accept, Assume, Concern
from .base import Dated, Fault, Fitting, Given, Number, Record, Tables, days_in_order
from .change import Change
from .evidence import Why
from .facts import ChainEntry
from .fitting import apart, circles, named_twice, off_the_plan, ranked, stored_twice
from .naming import Alias, Names, numbered
from .ranges import outside
from .stages import Stage
from .time import From, Horizon, Until
from .use import Fact
from .values import (
    Amount,
    Currency,
    EndUse,
    Fraction,
    Ident,
    Kilograms,
    KilogramsPerYear,
    LabelOrBlank,
    MoneyPerKilogram,
    MoneyPerKilogramYear,
    Resolution,
    Site,
    SiteOrBlank,
    YearlyShare,
    ident,
    label,
)
from .written import BESIDE, Written

MaterialName = Annotated[
    str, Names("material"), Written("gallium-metal-4n", sort=ident, meaning="Material of a catalog.")
]
OfferName = Annotated[str, Names("offer"), Written("acme-gallium", sort=ident, meaning="The offer.")]
RuleName = Annotated[str, Written("cn-gallium-licence", sort=ident, meaning="Id of the rule.")]
PlaceOrCases = Annotated[SiteOrBlank, Written("US", meaning="Country, or site of a facility; blank: the case's place.")]


class DemandSpec(Fitting):
    """A demand: a material for an end use at a place."""

    id: Annotated[LabelOrBlank, Written("gallium-radar")] = ""
    """Name; blank: material/end_use/place."""
    material: MaterialName
    end_use: Annotated[EndUse, Written("defense")]
    """`defense`, `civil`, or a word of your own."""
    place: PlaceOrCases = ""
    buyer: Annotated[str, Written("Acme Aerospace")] = ""
    """Who buys, where a rule names buyers."""
    per_year: Annotated[KilogramsPerYear | None, Written("2 t/year")] = None
    """Steady rate.

    Over the days it is wanted."""
    low: Annotated[KilogramsPerYear | None, Written("1.6 t/year", "per_year_low")] = None
    """Low end of the rate's range, where one is given; shown, and never planned with."""
    high: Annotated[KilogramsPerYear | None, Written("2.5 t/year", "per_year_high")] = None
    """High end of it."""
    quantities: Annotated[tuple[Kilograms, ...], Written(["500 kg", "0", "1 t"])] = ()
    """A mass for each period of the plan."""
    start: From = None
    end: Until = None
    later: int = 0
    """Months by which all of it is wanted later than the above says, in whole periods; what would be wanted after the plan is wanted
    in its last period."""
    shortage_price: Annotated[MoneyPerKilogram | None, Written("5000 USD/kg")] = None
    """Price of what is not delivered, in the case's currency.

    None: by priority of the end use, ten times the dearest landed offer or benchmark of what competes with it, or more."""
    substance: str = ""
    """What its kilograms are of, where the case names a substance (`5 t WO3`); empty: the material's basis."""
    facts: tuple[tuple[str, Fact], ...] = ()
    """What is stated of the item: every other key of the demand."""
    why: Why = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A quantity that is not said, or said twice, and a last day before the first."""
        stated = [name for name in ("per_year", "quantities") if given.get(name) not in (None, ())]
        expected = "exactly one of per_year, quantity and quantities"
        if not stated:
            message = "the demand says no quantity"
            yield Fault("", message, expected, turns_on=("per_year", "quantity", "quantities"))
        elif len(stated) > 1:
            yield Fault("quantities", "the demand says its quantity twice", expected)
        yield from outside(given, "per_year", "low", "high")
        yield from days_in_order(given)


InputOffers = Annotated[
    tuple[str, ...],
    Names("offer"),
    Written(
        ["acme-oxide"],
        sort=tuple[Ident, ...],
        meaning="Offers that its inputs come from, up the whole chain. Without `confirmed_by` they count against it, and prove nothing. Blank: unknown.",
    ),
]
ConfirmedBy = Annotated[
    str, Written("AB-4711", meaning="Document in which the supplier confirms `inputs`. Blank: unconfirmed.")
]
ConfirmedOn = Annotated[date | None, Written("2026-11-05", meaning="Date of this document.")]


def _confirmed(given: Given) -> Iterator[Fault]:
    """Yield a fault if a document confirms no inputs, or has no name or date."""
    needed = ("inputs", "confirmed_by", "confirmed_on")
    stated = [name for name in needed if given.get(name)]
    if not given.get("confirmed_by") and not given.get("confirmed_on"):
        return
    for name in needed:
        if name not in stated:
            message = f"`{' and '.join(stated)}` without `{name}` proves nothing"
            fix = "state the inputs, and the document and date by which the supplier confirms them"
            yield Fault(name, message, ", ".join(needed), fix, turns_on=tuple(stated))


class StockSpec(Fitting):
    """Stock in hand at the start, with its own chain, or with that of the offer that it was bought from."""

    id: Annotated[str, Written("gallium-vault", sort=label)] = ""
    """Name; blank: a number.

    As `stock-1`."""
    material: MaterialName
    place: PlaceOrCases = ""
    quantity: Annotated[Kilograms, Written("800 kg")]
    """How much."""
    substance: str = ""
    """What `quantity` is of, where the case names a substance (`5 t WO3`); empty: the material's basis."""
    acquired: Annotated[date | None, Written("2024-05-01")] = None
    """When it was acquired."""
    offer: Annotated[str, Names("offer"), Written("acme-gallium", sort=ident)] = ""
    """Offer that it was bought from: rules judge it by the chain, evidence, and facility of this offer. Blank: by its own `chain`."""
    inputs: InputOffers = ()
    confirmed_by: ConfirmedBy = ""
    confirmed_on: ConfirmedOn = None
    chain: tuple[ChainEntry, ...] = ()
    why: Why = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Two chains for one stock, inputs of no offer, and inputs that no document confirms."""
        yield from _confirmed(given)
        if given.get("inputs") and not given.get("offer"):
            message, fix = (
                "the inputs of goods are given without the offer that made them",
                "add `offer`, or state `chain`",
            )
            yield Fault("inputs", message, "an `offer`", fix, turns_on=("offer",))
        if given.get("offer") and given.get("chain"):
            message, fix = "the chain of the offer and another one are both given", "delete `offer` or `chain`"
            yield Fault("chain", message, "one of the two", fix, turns_on=("offer",))


class OrderSpec(Fitting):
    """An order already placed: paid for, and on its way."""

    id: Annotated[LabelOrBlank, Written("gallium-on-the-water")] = ""
    """Name; blank: by its place among the orders of its offer, by day of arrival, and the offer.

    As `order-1:offer`."""
    offer: OfferName
    quantity: Annotated[Kilograms, Written("500 kg")]
    """How much.

    In units of the offer."""
    substance: str = ""
    """What `quantity` is of, where the case names a substance; empty: the basis of what the offer delivers."""
    arrives: Annotated[date, Written("2026-12-01")]
    """Day of arrival."""
    ordered: Annotated[date | None, Written("2026-06-01")] = None
    """Day of the order."""
    place: PlaceOrCases = ""
    inputs: InputOffers = ()
    confirmed_by: ConfirmedBy = ""
    confirmed_on: ConfirmedOn = None
    why: Why = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """An arrival before the order, and inputs that no document confirms."""
        yield from _confirmed(given)
        yield from days_in_order(given, "ordered", "arrives")


class IncumbentSpec(Record):
    """What is bought today: qualified already, and what churn is measured against."""

    offer: OfferName
    per_year: Annotated[KilogramsPerYear, Written("2 t/year")]
    """What is bought of it today.

    In units of the offer."""
    substance: str = ""
    """What `per_year` is of, where the case names a substance; empty: the basis of what the offer delivers."""
    why: Why = ""


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

    minimise: Annotated[Minimise, Written("shortage")]
    """`shortage` (at its price), `cost` (money spent, penalties and priced shortage), `spend` (money spent alone) or
    `concentration` (kilograms from whoever most is bought from)."""
    of: Annotated[tuple[str, ...], Names("material"), Names("demand"), Written(["defense"])] = ()
    """Of shortage: end uses, materials or demands. Of concentration: materials or elements. Blank: all."""
    by: Annotated[Literal["country", "supplier", "parent", "facility"], Written("supplier")] = "country"
    """Of concentration: who is counted; blank: country."""
    stage: Annotated[Stage | None, Written("refined")] = None
    """Of concentration by country: where this stage was performed, in contained element; blank: where it is bought."""
    per: Annotated[Literal["period", "year", "horizon"], Written("horizon")] = "year"
    """Of concentration: over which stretch the largest is found; blank: year."""
    within: Annotated[Fraction, Written("2 %")] = Decimal(0)
    """Share by which later objectives may make it worse; blank: 0.

    In every independent part of the case."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """What says nothing of what is made small; a value at its default says nothing either way."""
        return ranked(given)


class LicenceSpec(Dated):
    """An export licence in hand: bounded in quantity and dates."""

    id: Annotated[str, Written("licence-2026-17", sort=label)] = ""
    """Name; blank: rule/exporter."""
    rule: RuleName
    exporter: Annotated[str, Names("facility"), Written("CN")] = ""
    """Facility or country it is for; blank: any."""
    quantity: Annotated[Kilograms | None, Written("2 t")] = None
    """Mass moved under it; blank: not limited."""
    start: From = None
    end: Until = None
    why: Why = ""


class WaiverSpec(Dated):
    """A waiver of one rule, bounded in quantity and dates."""

    id: Annotated[str, Written("waiver-1", sort=label)] = ""
    """Name; blank: rule/demand."""
    rule: RuleName
    demand: Annotated[str, Names("material"), Names("demand"), Written("ndfeb-magnet/defense/US")] = ""
    """Demand or material it is for; blank: any."""
    quantity: Annotated[Kilograms, Written("300 kg")]
    """Mass delivered under it."""
    start: From = None
    end: Until = None
    under: Annotated[str, Written("national-security", sort=label)] = ""
    """Which of the waivers that the rule's law knows; blank: the usual one. The law may bound how long it runs."""
    why: Why = ""


class CarryoverSpec(Record):
    """What a limit counts of the time before the plan. `friendshore case roll` writes it, so that the same year isn't counted from 0 twice."""

    rule: RuleName
    row: Annotated[str, Written("tungsten-powder Acme 2027")]
    """Row of the limit, by its label in the run."""
    used: Annotated[Amount, Written(3000)]
    """Amount that the row counts already, in its own unit: kilograms, or money in the case's currency.

    In a share of purchases, what others delivered counts below 0."""
    allowed: Annotated[Amount, Written(3500)] = Decimal(0)
    """Amount that the row allowed, or asked for, of what was wanted before the plan; blank: 0.

    A share of what is wanted in a year allows it; an amount of money doesn't."""
    why: Why = ""


class StoreSpec(Fitting):
    """How a material is held at a place, for good or on some days: a period is held by what holds on its last day."""

    material: MaterialName
    place: PlaceOrCases = ""
    holding: Annotated[MoneyPerKilogramYear | None, Written("1 USD/kg/year")] = None
    """Cost of holding, in the case's currency."""
    limit: Annotated[Kilograms | None, Written("5 t")] = None
    """Most held at the end of a period; 0: it cannot be held."""
    loss: Annotated[YearlyShare, Written("2 %/year")] = Decimal(0)
    """Share of what is held that is lost; at most 100 % a year."""
    start: From = None
    end: Until = None
    substance: str = ""
    """What its kilograms are of, where the case names a substance (`5 t WO3`); empty: the material's basis."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """More lost than is held."""
        loss = given.get("loss", 0)
        if loss > 1:
            message = f"{loss * 100:f} % a year is more than is held"
            yield Fault("loss", message, "0 to 100 % a year", "write what is lost in a year")
        yield from days_in_order(given)

    def holds_on(self, day: date) -> bool:
        """Whether it is about a day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


class FrozenPrices(Record):
    """Money that a case derives from its dearest offers, as it comes out before any change."""

    shortage: dict[str, Number] = Field(default_factory=dict)
    """Demand -> money per kilogram short."""
    stores: tuple[StoreSpec, ...] = ()
    """What holding costs, per kilogram of the material's basis."""


class Scenario(Record):
    """A named list of changes."""

    name: Annotated[Ident, Written("bill-passes")]
    """Name, for `--scenario`."""
    title: Annotated[str, Written("The bill passes")] = ""
    """One line."""
    inherits: Annotated[tuple[str, ...], Written(["base"], sort=tuple[Ident, ...])] = ()
    """Scenarios whose changes come first."""
    change: tuple[Change, ...] = ()


class Overlap(Fitting):
    """Facilities of different catalogs that look like one: whether they are, and whose record then counts."""

    facilities: Annotated[tuple[str, ...], Names("facility of a catalog"), Written(["acme:smelter", "desk:acme-1"])]
    """`catalog:facility`, two or more, each of a catalog of its own."""
    keep: Annotated[str, Names("facility of a catalog"), Written("acme:smelter")] = ""
    """The one whose country, place, company and capacity count for all; the others are left out.

    Empty: they are distinct."""
    offers: Annotated[Literal["all", "kept"], Written("all")] = "kept"
    """With `keep`: `all` offers stay, and draw on the one capacity, or only those of the facility that is `kept`."""
    why: Why = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Names of no facility of a catalog, two of one catalog, and one kept that is none of them."""
        return apart(given)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Those whose record does not count."""
        return tuple(name for name in self.facilities if name != self.keep) if self.keep else ()


class Case(Tables, Fitting):
    """All that decides a result, beside the catalogs and packs it names."""

    name: Annotated[Ident, Written("us-2027")]
    """Name of the case."""
    horizon: Annotated[Horizon, BESIDE]
    currency: Annotated[Currency, Written("USD")] = "USD"
    """Currency of all money in the result; blank: USD."""
    place: Annotated[Site, Written("US")]
    """Where demand lies unless it says otherwise."""
    discount: Annotated[Fraction, Written("8 %")] = Decimal(0)
    """Share a year by which later money counts less; blank: 0."""
    resolution: Annotated[Resolution, Written("1 g")] = Decimal("0.001")
    """Mass to which purchases are rounded, finer than what is wanted; blank: 1 g."""
    catalogs: Annotated[tuple[str, ...], Written(["world", "./mine"])] = ()
    """Names of installed catalogs, folders beside the case, or what a reader of a plugin is to read.

    Folders hold a `/` or `.`; a reader is named before a colon: `acme-erp:suppliers`."""
    packs: Annotated[tuple[str, ...], Written(["us-10usc4872"])] = ()
    """Names of installed rule packs, or folders beside the case."""
    blocked: Annotated[tuple[str, ...], Written(["acme-rules", "built-in:tariff"], "block")] = ()
    """Plugins that count as not installed: distributions or entry points, with `:name` for one thing of a plugin; friendshore's own
    kinds of rules are `built-in`."""
    accept: Accept = Field(default_factory=Accept)
    assume: Assume = Field(default_factory=Assume)
    concern: Concern = Field(default_factory=Concern)
    demands: tuple[DemandSpec, ...] = ()
    demand_from: str = ""
    """Reader of a plugin, and what it is asked for, that some of the demands come from: `acme-erp:orders-2027`; empty: none does."""
    stocks: tuple[StockSpec, ...] = ()
    orders: tuple[OrderSpec, ...] = ()
    incumbents: tuple[IncumbentSpec, ...] = ()
    licences: tuple[LicenceSpec, ...] = ()
    waivers: tuple[WaiverSpec, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    carryovers: tuple[CarryoverSpec, ...] = ()
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
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What is set for plugins, by their names, as it is written; the registry checks it against the model of each."""
    settings_from: dict[str, dict[str, Path]] = Field(default_factory=dict, exclude=True)
    """Plugin and key of its settings -> folder from which paths under the key start, where that is not the folder of the case."""
    followed: tuple[Alias, ...] = Field(default=(), exclude=True)
    """By what names in it were replaced by those of today."""
    folder: Path | None = Field(default=None, exclude=True)
    """Where the case file lies, for the folders it names."""
    file: Path | None = Field(default=None, exclude=True)
    """The case file, for messages; None: it was made in memory."""

    @cached_property
    def stock_names(self) -> tuple[str, ...]:
        """Name of each stock; the numbers of those without one do not depend on the order of rows, and spell no stated name."""
        taken = {*(stock.id for stock in self.stocks), *(order.id for order in self.orders)}
        return numbered([(stock.id, "stock-{}", (stock.model_dump_json(),)) for stock in self.stocks], taken)

    @cached_property
    def order_names(self) -> tuple[str, ...]:
        """Name of each order already placed; the numbers of those without one, for each offer, do not depend on the order of rows."""
        return numbered(
            [(order.id, f"order-{{}}:{order.offer}", (order.arrives, order.model_dump_json())) for order in self.orders]
        )

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Names given twice; dates and lists that do not fit the periods."""
        yield from named_twice(given)
        yield from stored_twice(given)
        yield from off_the_plan(given)
        yield from circles(given.get("scenarios", ()))
