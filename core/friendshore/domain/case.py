"""A planner's case, with its assumptions. Only the case and the catalogs and packs that it names determine the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from .base import CheckedRecord, Dated, Fault, FieldValues, Number, Record, Tables, date_order_faults, range_faults
from .change import Change
from .countries import COVERED_NATIONS
from .evidence import Confidence, Why
from .facts import ChainEntry, Price, Status
from .naming import Alias, Names
from .stages import Stage
from .suggest import did_you_mean
from .time import From, Horizon, Span, Until
from .use import Fact
from .values import (
    Amount,
    CountryCodes,
    Currency,
    EndUse,
    Fraction,
    Ident,
    Kilograms,
    KilogramsPerYear,
    LabelOrBlank,
    MoneyPerKilogram,
    MoneyPerKilogramYear,
    Months,
    Resolution,
    Site,
    SiteOrBlank,
    YearlyShare,
    ident,
    label,
)
from .written import BESIDE, Written

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
"""Default share of a capacity that counts, by status. `superseded` and `event` never count."""


class Accept(Record):
    """Evidence and rules that the case accepts."""

    confidence: Annotated[Confidence, Written("verified")] = Confidence.VERIFIED
    """Minimum confidence of a capacity, price, or chain entry. Defaults to verified."""
    rule_status: Annotated[tuple[str, ...], Written(["enacted"])] = ("enacted",)
    """Statuses of rules that apply. Defaults to enacted only."""
    unproven: Annotated[bool, Written(False)] = False
    """True to accept an unproven verdict. Defaults to no."""
    proven: Annotated[tuple[str, ...], Names("offer")] = ()
    """Offers whose unproven origins are accepted, as if proved."""
    end_uses: Annotated[tuple[EndUse, ...], Written(["lamps"])] = ()
    """End uses of your own that no rule names. Rules for `defense` or another end use don't apply to them."""
    oldest_price: Annotated[Months | None, Written("180 days")] = None
    """Maximum age of a price or freight on the day of planning. Blank means no limit.

    Older ones, and those without a date or with a future date, are used with a warning. `--strict` refuses them. A month is 365/12 days.
    """
    capacity: dict[Status, Fraction] = Field(default_factory=dict)
    """Share of a capacity that counts, by status, if other than the default."""

    @property
    def oldest_price_days(self) -> int | None:
        return None if self.oldest_price is None else round(self.oldest_price * 365 / 12)

    def counts(self, status: Status) -> Decimal:
        if status in (Status.SUPERSEDED, Status.EVENT):
            return Decimal(0)
        return self.capacity.get(status, CAPACITY_COUNTS[status])


class Concern(Record):
    """Countries on which the case should not depend."""

    countries: Annotated[CountryCodes, Written(["CN", "RU"])] = COVERED_NATIONS
    """Countries of concern. Blank: the covered nations of 10 USC 4872 (China with Hong Kong and Macau, Iran, North Korea, and Russia)."""


class OfferAssumption(CheckedRecord):
    """A figure that the case gives to a lead, or in place of a published one."""

    id: Annotated[str, Names("offer"), Written("acme-gallium", sort=ident)]
    """Offer."""
    capacity: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """Mass per time, from `start`."""
    start: Annotated[date | None, Written("2027-07-01")] = Field(default=None, alias="from")
    """First day of the capacity. Blank means always."""
    price: Annotated[Price | None, BESIDE] = None
    substance: str = ""
    """Substance of `capacity` and `price`, if the case names one. Empty means the basis of the offer's good."""
    chain: tuple[ChainEntry, ...] = ()
    """Entries that replace the offer's own at the same stage."""
    why: Why = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        if values.get("capacity") is None and values.get("price") is None and not values.get("chain"):
            expected, keys = "a capacity, a price, or a chain", ("capacity", "price", "chain")
            yield Fault("", "the offer has no assumption", expected, depends_on=keys, code="FS028")


class Assume(CheckedRecord):
    """Assumptions of the case, printed in every output."""

    lead_time: Annotated[Months, Written("1 quarter")] = Decimal(0)
    """Lead time of offers without one. Defaults to 0."""
    safety_lead: Annotated[Months, Written("14 days")] = Decimal(0)
    """Time by which every purchase is ordered earlier than its lead time requires. Defaults to 0.

    Added to the lead time before rounding up to whole periods.
    """
    freight: Annotated[MoneyPerKilogram | None, Written("2 USD/kg")] = None
    """Freight across a border where none is given, in the case's currency."""
    holding: Annotated[YearlyShare | None, Written("5%/year")] = None
    """Yearly cost of holding stock, as a share of the material's benchmark or most expensive price."""
    priority: Annotated[tuple[EndUse, ...], Written(["defense", "civil"])] = ("defense",)
    """End uses in order of their shortage penalty, where no `shortage_price` is given. End uses not named come last, all alike. Defaults to `["defense"]`; `[]` means no priority."""
    license: dict[str, str] = Field(default_factory=dict)
    """End use -> `granted`: licenses that are assumed."""
    offer: tuple[OfferAssumption, ...] = ()

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        for end_use, state in values.get("license", {}).items():
            if state != "granted":
                message, fix = "a license is either assumed or not", 'write "granted", or delete the line'
                yield Fault(f"license.{end_use}", message, '"granted"', fix, ("license",), code="FS003")


MaterialName = Annotated[
    str, Names("material"), Written("gallium-metal-4n", sort=ident, meaning="Material of a catalog.")
]
OfferName = Annotated[str, Names("offer"), Written("acme-gallium", sort=ident, meaning="The offer.")]
RuleName = Annotated[str, Written("cn-gallium-license", sort=ident, meaning="Id of the rule.")]
PlaceOrCases = Annotated[SiteOrBlank, Written("US", meaning="Country, or site of a facility; blank: the case's place.")]


class DemandSpec(CheckedRecord):
    """A demand: a material for an end use at a place."""

    id: Annotated[LabelOrBlank, Written("gallium-radar")] = ""
    """Name. Defaults to material/end_use/place."""
    material: MaterialName
    end_use: Annotated[EndUse, Written("defense")]
    """`defense`, `civil`, an end use of a rule, or one that `end_uses` of [accept] lists."""
    place: PlaceOrCases = ""
    buyer: Annotated[str, Written("Acme Aerospace")] = ""
    """Buyer, for rules that name buyers."""
    per_year: Annotated[KilogramsPerYear | None, Written("2 t/year")] = None
    """Steady rate on the days with demand."""
    low: Annotated[KilogramsPerYear | None, Written("1.6 t/year", "per_year_low")] = None
    """Low end of the rate's range, shown but not used in planning."""
    high: Annotated[KilogramsPerYear | None, Written("2.5 t/year", "per_year_high")] = None
    """High end of the rate's range, shown but not used in planning."""
    quantities: Annotated[tuple[Kilograms, ...], Written(["500 kg", "0", "1 t"])] = ()
    """Mass for each period of the plan."""
    start: From = None
    end: Until = None
    later: int = 0
    """Delay of the whole demand in months, in whole periods. Demand after the plan moves to its last period."""
    shortage_price: Annotated[MoneyPerKilogram | None, Written("5000 USD/kg")] = None
    """Penalty for a shortage, in the case's currency.

    By default it depends on the end use's priority: at least ten times the most expensive landed offer or benchmark of the material's competitors.
    """
    substance: str = ""
    """Substance of its kilograms, if the case names one (`5 t WO3`). Empty means the material's basis."""
    facts: tuple[tuple[str, Fact], ...] = ()
    """Facts of the item: every other key of the demand."""
    why: Why = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        stated = [name for name in ("per_year", "quantities") if values.get(name) not in (None, ())]
        expected = "exactly one of per_year, quantity, and quantities"
        if not stated:
            message, keys = "the demand has no quantity", ("per_year", "quantity", "quantities")
            yield Fault("", message, expected, depends_on=keys, code="FS028")
        elif len(stated) > 1:
            message = "the demand states its quantity more than once"
            yield Fault("quantities", message, expected, "delete all but one", code="FS027")
        yield from range_faults(values, "per_year", "low", "high")
        yield from date_order_faults(values)


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


def _confirmation_faults(values: FieldValues) -> Iterator[Fault]:
    """Yield a fault if a document confirms no inputs, or has no name or date."""
    required = ("inputs", "confirmed_by", "confirmed_on")
    stated = [name for name in required if values.get(name)]
    if not values.get("confirmed_by") and not values.get("confirmed_on"):
        return
    for name in required:
        if name not in stated:
            message = f"`{' and '.join(stated)}` without `{name}` proves nothing"
            fix = "state the inputs, and the document and date of the supplier's confirmation"
            yield Fault(name, message, ", ".join(required), fix, tuple(stated), code="FS026")


class StockSpec(CheckedRecord):
    """Stock on hand at the start, with its own chain or that of the offer it was bought from."""

    id: Annotated[str, Written("gallium-vault", sort=label)] = ""
    """Name. Defaults to a number, like `stock-1`."""
    material: MaterialName
    place: PlaceOrCases = ""
    quantity: Annotated[Kilograms, Written("800 kg")]
    """Mass."""
    substance: str = ""
    """Substance of `quantity`, if the case names one (`5 t WO3`). Empty means the material's basis."""
    acquired: Annotated[date | None, Written("2024-05-01")] = None
    """Date of acquisition."""
    offer: Annotated[str, Names("offer"), Written("acme-gallium", sort=ident)] = ""
    """Offer that it was bought from: rules judge it by this offer's chain, evidence, and facility. Blank means by its own `chain`."""
    inputs: InputOffers = ()
    confirmed_by: ConfirmedBy = ""
    confirmed_on: ConfirmedOn = None
    chain: tuple[ChainEntry, ...] = ()
    why: Why = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from _confirmation_faults(values)
        if values.get("inputs") and not values.get("offer"):
            message, fix = "the inputs are given without the offer", "add `offer`, or use `chain` instead"
            yield Fault("inputs", message, "an `offer`", fix, ("offer",), code="FS026")
        if values.get("offer") and values.get("chain"):
            message, fix = "an offer and a chain are both given", "delete `offer` or `chain`"
            yield Fault("chain", message, "one of the two", fix, ("offer",), code="FS027")


class OrderSpec(CheckedRecord):
    """An order already placed and paid for."""

    id: Annotated[LabelOrBlank, Written("gallium-on-the-water")] = ""
    """Name. Defaults to a number among the orders of its offer by arrival, like `order-1:offer`."""
    offer: OfferName
    quantity: Annotated[Kilograms, Written("500 kg")]
    """Mass in units of the offer."""
    substance: str = ""
    """Substance of `quantity`, if the case names one. Empty means the basis of the offer's good."""
    arrives: Annotated[date, Written("2026-12-01")]
    """Arrival date."""
    ordered: Annotated[date | None, Written("2026-06-01")] = None
    """Order date."""
    place: PlaceOrCases = ""
    inputs: InputOffers = ()
    confirmed_by: ConfirmedBy = ""
    confirmed_on: ConfirmedOn = None
    why: Why = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from _confirmation_faults(values)
        yield from date_order_faults(values, "ordered", "arrives")


class IncumbentSpec(Record):
    """Today's purchases: suppliers that are qualified already, and the baseline of churn."""

    offer: OfferName
    per_year: Annotated[KilogramsPerYear, Written("2 t/year")]
    """Today's purchases in units of the offer."""
    substance: str = ""
    """Substance of `per_year`, if the case names one. Empty means the basis of the offer's good."""
    why: Why = ""


class Minimize(StrEnum):
    """Quantity that a level minimizes."""

    SHORTAGE = "shortage"
    """Shortage at its penalty."""
    COST = "cost"
    """The whole objective: spending, penalties, and shortage at its penalty."""
    SPEND = "spend"
    """Spending alone."""
    CONCENTRATION = "concentration"
    """Kilograms from the largest seller, summed over materials and times."""


class Level(CheckedRecord):
    """A lexicographic objective, minimized subject to the earlier ones."""

    minimize: Annotated[Minimize, Written("shortage")]
    """`shortage` (at its penalty), `cost` (spending, penalties, and shortage), `spend` (spending alone), or `concentration` (kilograms from the largest seller)."""
    of: Annotated[tuple[str, ...], Names("material"), Names("demand"), Written(["defense"])] = ()
    """For shortage: end uses, materials, or demands. For concentration: materials or elements. Blank means all."""
    by: Annotated[Literal["country", "supplier", "parent", "facility"], Written("supplier")] = "country"
    """For concentration: counted entities. Defaults to country."""
    stage: Annotated[Stage | None, Written("refined")] = None
    """For concentration by country: the stage whose countries count, in contained element. Blank means the country of the seller's site."""
    per: Annotated[Literal["period", "year", "horizon"], Written("horizon")] = "year"
    """For concentration: time over which the largest is found. Defaults to year."""
    within: Annotated[Fraction, Written("2%")] = Decimal(0)
    """Share by which later objectives may make it worse, in every independent part of the case. Defaults to 0."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        minimize = values.get("minimize")
        counted = minimize == "concentration"
        usual = {"by": "country", "stage": None, "per": "year"}
        for name in () if counted or minimize is None else usual:
            if values.get(name, usual[name]) != usual[name]:
                message, expected = f"has no effect on `{minimize}`", "only with `concentration`"
                yield Fault(name, message, expected, "delete the line", code="FS029")
        if values.get("of") and minimize in ("cost", "spend"):
            message, expected = f"`{minimize}` always covers the whole plan", "only with `shortage` or `concentration`"
            yield Fault("of", message, expected, "delete the line", code="FS029")
        if counted and values.get("stage") is not None and values.get("by", "country") != "country":
            message, fix = "a stage can be counted only by country", 'delete `stage`, or write `by = "country"`'
            yield Fault("stage", message, 'by = "country"', fix, ("by",), code="FS029")


class LicenseSpec(Dated):
    """An export license, limited in quantity and dates."""

    id: Annotated[str, Written("license-2026-17", sort=label)] = ""
    """Name. Defaults to rule/exporter."""
    rule: RuleName
    exporter: Annotated[str, Names("facility"), Written("CN")] = ""
    """Facility or country of export. Blank means any."""
    quantity: Annotated[Kilograms | None, Written("2 t")] = None
    """Mass moved under it. Blank means unlimited."""
    start: From = None
    end: Until = None
    why: Why = ""


class WaiverSpec(Dated):
    """A waiver of one rule, limited in quantity and dates."""

    id: Annotated[str, Written("waiver-1", sort=label)] = ""
    """Name. Defaults to rule/demand."""
    rule: RuleName
    demand: Annotated[str, Names("material"), Names("demand"), Written("ndfeb-magnet/defense/US")] = ""
    """Demand or material. Blank means any."""
    quantity: Annotated[Kilograms, Written("300 kg")]
    """Mass delivered under it."""
    start: From = None
    end: Until = None
    under: Annotated[str, Written("national-security", sort=label)] = ""
    """Waiver of the rule's law. Blank means the usual one. The law may limit its duration."""
    why: Why = ""


class CarryoverSpec(Record):
    """Amount that a limit counts from before the plan. `friendshore case roll` writes it, so that the same year isn't counted from 0 twice."""

    rule: RuleName
    row: Annotated[str, Written("tungsten-powder Acme 2027")]
    """Row of the limit, by its label in the run."""
    used: Annotated[Amount, Written(3000)]
    """Amount already counted, in the row's own unit: kilograms, or money in the case's currency.

    In a share of purchases, deliveries by others count below 0.
    """
    allowed: Annotated[Amount, Written(3500)] = Decimal(0)
    """Amount that the row allowed or required for demand before the plan. Defaults to 0.

    A share of yearly demand has one; an amount of money doesn't.
    """
    why: Why = ""


class StoreSpec(CheckedRecord):
    """Storage of a material at a place, always or on some days. The last day of a period decides."""

    material: MaterialName
    place: PlaceOrCases = ""
    holding: Annotated[MoneyPerKilogramYear | None, Written("1 USD/kg/year")] = None
    """Cost of holding, in the case's currency."""
    limit: Annotated[Kilograms | None, Written("5 t")] = None
    """Maximum stock at the end of a period. 0 means no storage."""
    loss: Annotated[YearlyShare, Written("2%/year")] = Decimal(0)
    """Share of the stock that is lost per year; at most 100%."""
    start: From = None
    end: Until = None
    substance: str = ""
    """Substance of its kilograms, if the case names one (`5 t WO3`). Empty means the material's basis."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        loss = values.get("loss", 0)
        if loss > 1:
            message, fix = (
                f"the loss of {loss * 100:f}% a year exceeds the stock",
                "write the loss per year, like 2%/year",
            )
            yield Fault("loss", message, "0 to 100% a year", fix, code="FS013")
        yield from date_order_faults(values)

    def applies_on(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


class FrozenPrices(Record):
    """Money that a case derives from its most expensive offers, fixed before any change."""

    shortage: dict[str, Number] = Field(default_factory=dict)
    """Demand -> penalty per kilogram of shortage."""
    stores: tuple[StoreSpec, ...] = ()
    """Holding costs per kilogram of the material's basis."""


class Scenario(Record):
    """A named list of changes."""

    name: Annotated[Ident, Written("bill-passes")]
    """Name, for `--scenario`."""
    title: Annotated[str, Written("The bill passes")] = ""
    """One line."""
    inherits: Annotated[tuple[str, ...], Written(["base"], sort=tuple[Ident, ...])] = ()
    """Scenarios whose changes come first."""
    change: tuple[Change, ...] = ()


class Overlap(CheckedRecord):
    """Facilities of different catalogs that look alike: whether they are the same, and which record counts."""

    facilities: Annotated[tuple[str, ...], Names("facility of a catalog"), Written(["acme:smelter", "desk:acme-1"])]
    """`catalog:facility`, two or more, from different catalogs."""
    keep: Annotated[str, Names("facility of a catalog"), Written("acme:smelter")] = ""
    """Facility whose country, place, company, and capacity count for all; the others are left out.

    Empty if they are distinct.
    """
    offers: Annotated[Literal["all", "kept"], Written("all")] = "kept"
    """With `keep`: `all` offers stay and share the capacity, or only those of the facility that is `kept`."""
    why: Why = ""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        facilities, keep = values.get("facilities", ()), values.get("keep", "")
        for name in (*facilities, *filter(None, (keep,))):
            if name.count(":") != 1 or not all(name.split(":")):
                message = f"`{name}` doesn't name a catalog and a facility"
                yield Fault("facilities", message, "`catalog:facility`, like `desk:acme-1`", code="FS011")
        catalogs = {name.partition(":")[0] for name in facilities}
        if len(catalogs) < max(2, len(facilities)):
            yield Fault(
                "facilities",
                "the facilities of an overlap must be in different catalogs",
                "two or more, each in another catalog",
                "for the lines of one plant, use `within` in the catalog",
                code="FS038",
            )
        if keep and keep not in facilities:
            message = "the facility to keep isn't one of the facilities"
            yield Fault("keep", message, "one of " + ", ".join(facilities), code="FS003")

    @property
    def dropped(self) -> tuple[str, ...]:
        """Facilities whose record doesn't count."""
        return tuple(name for name in self.facilities if name != self.keep) if self.keep else ()


class Case(Tables, CheckedRecord):
    """Everything that determines a result, apart from the catalogs and packs that it names."""

    name: Annotated[Ident, Written("us-2027")]
    """Name of the case."""
    title: Annotated[str, Written("Critical materials for the United States")] = ""
    """Title of reports. Defaults to the name."""
    horizon: Annotated[Horizon, BESIDE]
    currency: Annotated[Currency, Written("USD")] = "USD"
    """Currency of all money in the result. Defaults to USD."""
    place: Annotated[Site, Written("US")]
    """Default place of demand."""
    discount: Annotated[Fraction, Written("8%")] = Decimal(0)
    """Yearly discount rate. Defaults to 0."""
    resolution: Annotated[Resolution, Written("1 g")] = Decimal("0.001")
    """Mass to which purchases are rounded, finer than the demand. Defaults to 1 g."""
    catalogs: Annotated[tuple[str, ...], Written(["world", "./mine"])] = ()
    """Names of installed catalogs, folders next to the case, or arguments of a plugin's reader.

    Folders contain a `/` or `.`. A reader is named before a colon: `acme-erp:suppliers`.
    """
    packs: Annotated[tuple[str, ...], Written(["us-10usc4872"])] = ()
    """Names of installed rule packs, or folders next to the case."""
    blocked: Annotated[tuple[str, ...], Written(["acme-rules", "built-in:tariff"], "block")] = ()
    """Plugins that count as not installed: distributions or entry points, with `:name` for one thing of a plugin. Friendshore's own kinds of rules are `built-in`."""
    accept: Accept = Field(default_factory=Accept)
    assume: Assume = Field(default_factory=Assume)
    concern: Concern = Field(default_factory=Concern)
    demands: tuple[DemandSpec, ...] = ()
    demand_from: str = ""
    """Plugin's reader and its argument for more demands, like `acme-erp:orders-2027`. Empty if none."""
    stocks: tuple[StockSpec, ...] = ()
    orders: tuple[OrderSpec, ...] = ()
    incumbents: tuple[IncumbentSpec, ...] = ()
    licenses: tuple[LicenseSpec, ...] = ()
    waivers: tuple[WaiverSpec, ...] = ()
    stores: tuple[StoreSpec, ...] = ()
    carryovers: tuple[CarryoverSpec, ...] = ()
    objectives: tuple[Level, ...] = ()
    """Lexicographic objectives; cost breaks ties. Empty means cost alone."""
    rules: tuple[dict[str, Any], ...] = ()
    """Rules of any kind, as data from which the registry creates them."""
    scenarios: tuple[Scenario, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    """Decisions on facilities that several catalogs describe."""
    frozen: FrozenPrices | None = None
    """Default shortage penalties and holding costs, from the case before its scenario and other changes. None without changes: they then follow from the facts."""
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of plugins by name, as written. The registry validates them with the plugins' models."""
    settings_from: dict[str, dict[str, Path]] = Field(default_factory=dict, exclude=True)
    """Plugin and key of its settings -> folder for paths under the key, if other than the case's."""
    followed: tuple[Alias, ...] = Field(default=(), exclude=True)
    """Renamed ids that were replaced in it."""
    folder: Path | None = Field(default=None, exclude=True)
    """Folder of the case file."""
    file: Path | None = Field(default=None, exclude=True)
    """The case file, for messages. None for a case in memory."""

    @cached_property
    def stock_names(self) -> tuple[str, ...]:
        """Name of each stock. Default numbers don't depend on the order of rows, and never equal a stated name."""
        reserved = {*(stock.id for stock in self.stocks), *(order.id for order in self.orders)}
        return numbered([(stock.id, "stock-{}", (stock.model_dump_json(),)) for stock in self.stocks], reserved)

    @cached_property
    def order_names(self) -> tuple[str, ...]:
        """Name of each placed order. Default numbers, per offer, don't depend on the order of rows."""
        return numbered(
            [(order.id, f"order-{{}}:{order.offer}", (order.arrives, order.model_dump_json())) for order in self.orders]
        )

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from _duplicate_names(values)
        yield from _overlapping_stores(values)
        yield from _horizon_faults_of_records(values)
        yield from _inheritance_faults(values.get("scenarios", ()))


def numbered(rows: Sequence[tuple[str, str, tuple[Any, ...]]], reserved: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of rows. Rows without one are numbered from 1 within their pattern, in the order of their keys.

    Args:
        rows: Name, pattern if the name is empty, and sort key of each.
        reserved: Names that must not result.
    """
    names = [name for name, _, _ in rows]
    counts: Counter[str] = Counter()
    for row in sorted((i for i, name in enumerate(names) if not name), key=lambda i: rows[i][2]):
        pattern = rows[row][1]
        counts[pattern] = next(n for n in count(counts[pattern] + 1) if pattern.format(n) not in reserved)
        names[row] = pattern.format(counts[pattern])
    return tuple(names)


def _duplicate_names(values: FieldValues) -> Iterator[Fault]:
    place = values.get("place", "")
    for field, (column, name_of) in _NAMES.items():
        seen: set[object] = set()
        for number, entry in enumerate(values.get(field, ())):
            name = name_of(entry, place)
            if name and name in seen:
                message, fix = f"`{name}` is the name of another one too", f"give each its own `{column}`"
                yield Fault(column, message, "different names", fix, entry=(field, number), code="FS024")
            seen.add(name)
    first_overlaps: dict[str, int] = {}
    for number, overlap in enumerate(values.get("overlaps", ())):
        for facility in overlap.facilities if overlap.keep else ():
            if first_overlaps.setdefault(facility, number) != number:
                message, fix = f"`{facility}` is in two overlaps", "put all of its facilities in one [[overlap]]"
                yield Fault("facilities", message, "", fix, entry=("overlaps", number), code="FS038")


def _overlapping_stores(values: FieldValues) -> Iterator[Fault]:
    seen: dict[tuple[str, str], list[Span]] = {}
    for number, store in enumerate(values.get("stores", ())):
        name = (store.material, store.place or values.get("place", ""))
        span = Span(start=store.start, end=store.end)
        if any(span.meets(other) for other in seen.get(name, ())):
            message, fix = f"two stores `{'/'.join(name)}` have days in common", "give each its own `place` or days"
            expected = "another place, or days that don't overlap"
            yield Fault("place", message, expected, fix, entry=("stores", number), code="FS025")
        seen.setdefault(name, []).append(span)


def _rule_id(rule: Mapping[str, object], _: str) -> str:
    name = rule.get("id")
    return name if isinstance(name, str) else ""  # any other id is reported when the rule is read by its kind


def _own(field: str) -> Callable[[Any, str], object]:
    return lambda entry, _: getattr(entry, field)


_NAMES: Mapping[str, tuple[str, Callable[[Any, str], object]]] = {
    "demands": ("id", lambda d, place: d.id or f"{d.material}/{d.end_use}/{d.place or place}"),
    "stocks": ("id", _own("id")),
    "orders": ("id", _own("id")),
    "incumbents": ("offer", _own("offer")),
    "licenses": ("id", _own("id")),
    "waivers": ("id", _own("id")),
    "carryovers": ("row", lambda c, _: f"{c.rule}: {c.row}"),
    "scenarios": ("name", _own("name")),
    "rules": ("id", _rule_id),
}
"""Field of a case -> the field that identifies its records, and a function that returns all names of one."""


def _horizon_faults_of_records(values: FieldValues) -> Iterator[Fault]:
    horizon = values.get("horizon")
    if horizon is None:
        return
    for field in ("demands", "stocks", "orders"):
        for number, record in enumerate(values.get(field, ())):
            yield from (replace(fault, entry=(field, number)) for fault in horizon_faults(vars(record), horizon))


def horizon_faults(values: FieldValues, horizon: Horizon) -> Iterator[Fault]:
    """Yield faults of one demand, stock, or order that doesn't fit the periods of the plan."""
    count = len(values.get("quantities", ()))
    if count and count != horizon.count:
        message, expected = f"the list has {count} masses", f"{horizon.count}, one for each period"
        yield Fault("quantities", message, expected, code="FS036")
    acquired, arrives = values.get("acquired"), values.get("arrives")
    if acquired is not None and acquired > horizon.start:
        message, fix = (
            f"the stock was acquired after the plan's start ({horizon.start})",
            "write it as [[order]] instead",
        )
        yield Fault("acquired", message, f"{horizon.start} or earlier", fix, code="FS035")
    if arrives is not None and horizon.find(arrives) is None:
        early = arrives < horizon.start
        message = f"the order arrives {'before the plan starts' if early else 'after the plan ends'}"
        fix = "write it as [[stock]] instead" if early else "plan more `periods`, or delete the order"
        yield Fault("arrives", message, f"a date in {horizon.span}", fix, code="FS035")


def _inheritance_faults(scenarios: Sequence[Scenario]) -> Iterator[Fault]:
    parents = {scenario.name: scenario.inherits for scenario in scenarios}
    for number, scenario in enumerate(scenarios):
        entry = ("scenarios", number)
        for parent in scenario.inherits:
            if parent not in parents:
                # A scenario can't inherit from itself.
                message, fix = (
                    f"no scenario is named `{parent}`",
                    did_you_mean(parent, parents.keys() - {scenario.name}),
                )
                expected = "the name of a scenario of the case"
                yield Fault("inherits", message, expected, fix, entry=entry, code="FS037")
        reached: set[str] = set()
        waiting = list(scenario.inherits)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += parents.get(name, ())
        if scenario.name in reached:
            fix = "delete one of the names from `inherits`"
            yield Fault("inherits", "the scenario inherits from itself", "", fix, entry=entry, code="FS037")
