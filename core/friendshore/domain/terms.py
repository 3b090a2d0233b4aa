"""Terms of trade and price schedules: costs, limits, and prices that depend on the quantity ordered."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Annotated, Literal

from .base import CheckedRecord, Dated, Fault, FieldValues, grouped
from .evidence import Cited
from .naming import Names
from .time import Span
from .values import CurrencyOrBlank, Discount, Idents, Kilograms, Money, MoneyPerKilogram, NonNegative, Sites
from .written import Written

SPANS = {"period": "per period", "year": "per year", "horizon": "over the plan"}
"""Spans over which purchases are summed, in words."""


class OrderCondition(Dated):
    """A term of all orders, or of a part of them, from an offer, a facility, or a supplier."""

    of: Annotated[Literal["offer", "facility", "supplier"], Written("supplier", needed=False)]
    """Type of the id. Blank means an offer."""
    id: Annotated[str, Written("Acme")]
    """Offer, facility (with those within it), or supplier, of this catalog or one it requires."""
    materials: Annotated[Idents, Names("material"), Written("dy-oxide;tb-oxide")] = frozenset()
    """Materials that it covers. Blank means all.

    For an offer with several outputs, the runs are counted, and only if all its outputs are covered."""
    per: Annotated[Literal["period", "year", "horizon"], Written("year")]
    """Span over which orders are summed: a period, a calendar year, or the whole plan."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day of the orders that it covers."""
    end: Annotated[datetime.date | None, Written("2029-12-31", "until")] = None
    """Last day."""
    source: Cited = ""

    @property
    def name(self) -> str:
        materials = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{materials}"

    @property
    def order(self) -> tuple[str, ...]:
        return (self.of, self.id, self.model_dump_json())


FIGURES = ("fixed", "least", "most", "setup_use")


class Terms(OrderCondition):
    """Costs and limits of orders from an offer, a facility, or a supplier, for all its deliveries or a part of them. A period is included if any of
    its days is within the dates. Terms demand money and quantities, so ordering in a period that begins before them must not avoid them.
    """

    places: Annotated[Sites, Names("place"), Written("US;JP")] = frozenset()
    """Places of delivery that it covers. Blank means all."""
    fixed: Annotated[Money | None, Written("12000 USD")] = None
    """Fixed cost, due in the first period of every span in which anything is ordered."""
    currency: CurrencyOrBlank = ""
    """Currency of `fixed` (ISO 4217)."""
    least: Annotated[Kilograms | None, Written("2 t")] = None
    """Minimum order in a span, if anything is ordered."""
    most: Annotated[Kilograms | None, Written("40 t")] = None
    """Maximum order in a span."""
    setup_use: Annotated[Kilograms | None, Written("500 kg")] = None
    """Capacity of the facility that any order in a period takes, whatever its size. Only with `per` = `period`."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day. A period counts if any of its days is within the dates."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from super().faults(values)
        minimum, maximum = values.get("least"), values.get("most")
        if all(values.get(name) is None for name in FIGURES):
            expected, fix = f"one of {', '.join(FIGURES)}", "fill one in, or delete the row"
            yield Fault("fixed", "the terms have no effect", expected, fix, depends_on=FIGURES, code="FS028")
        if minimum is not None and maximum is not None and minimum > maximum:
            yield Fault("least", "is more than `most`", "", "swap the two, or correct one", code="FS021")
        if values.get("setup_use") is None:
            return
        if values.get("of") == "supplier":
            message, fix = "a supplier has no capacity", "write `of` = offer or facility, and its id"
            yield Fault("setup_use", message, "", fix, code="FS029")
        if values.get("per", "period") != "period":
            message = f"a set-up is per period, not per {values['per']}"
            yield Fault("setup_use", message, "per = period", "write the set-up in a separate row", code="FS029")

    @property
    def name(self) -> str:
        return super().name + (f" to {', '.join(sorted(self.places))}" if self.places else "")

    @property
    def switches(self) -> bool:
        """True if they apply as soon as anything is ordered, whatever the quantity."""
        return bool(self.fixed or self.least or self.setup_use)


class TierKind(StrEnum):
    """Quantity to which a tier's terms apply."""

    INCREMENTAL = "incremental"
    """Only the quantity within the tier."""
    ALL_UNITS = "all-units"
    """The whole quantity, once the tier is reached."""


class Tier(CheckedRecord):
    """Terms from a quantity on."""

    least: Annotated[NonNegative, Written("10 t", sort="mass or money")]
    """Start of the tier, included: a mass, or money at list prices. The first tier of a schedule starts at 0.

    In units, or in money if the schedule measures money."""
    most: Annotated[NonNegative | None, Written("40 t", sort="mass or money")] = None
    """End of the tier, in the unit of `least`. Blank means the start of the next tier. Quantities between two tiers can't be bought.

    In the last tier, nothing above its end can be bought. 0 in the first tier means nothing, or a quantity that reaches the second."""
    price: Annotated[MoneyPerKilogram | None, Written("520 USD/kg")] = None
    """Price in the tier, instead of the list price.

    In the schedule's currency. Without a price or a discount, the list price applies."""
    discount: Annotated[Discount | None, Written("5%")] = None
    """Share off the list price, instead of `price`. Below 0 is a surcharge."""
    lump: Annotated[Money, Written("10000 USD")] = Decimal(0)
    """Lump sum, due once in a span that ends in this tier. Blank means none.

    Only if anything is bought in the span."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        if values.get("most") is not None and values["most"] < values.get("least", 0):
            fix = "swap the two, or correct one"
            yield Fault("most", "the tier ends below its start", "`least` or more", fix, code="FS021")
        if values.get("price") is not None and values.get("discount") is not None:
            message, fix = "a price and a discount are both given", "delete one"
            yield Fault("discount", message, "one of the two", fix, code="FS027")


class PriceSchedule(OrderCondition):
    """Prices by the quantity bought, settled against list prices in the last period of the span. A period counts if all of it is within the dates."""

    materials: Annotated[Idents, Names("material"), Written("dy-oxide;tb-oxide")] = frozenset()
    """Materials that are summed. Blank means all."""
    kind: Annotated[TierKind, Written("all-units")]
    """`incremental`: a tier's terms apply to the quantity within it. `all-units`: to the whole quantity, once it is reached."""
    measure: Literal["quantity", "money"] = "quantity"
    """Measure of the tiers: units (kilograms), or undiscounted money at list prices."""
    currency: CurrencyOrBlank = ""
    """Currency of prices, lumps, and thresholds in money (ISO 4217). Empty means the case's."""
    tiers: tuple[Tier, ...]
    """Tiers in order of `least`."""

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        yield from super().faults(values)
        tiers = values.get("tiers")
        if tiers is None:
            return
        if not tiers or tiers[0].least:
            field, entry = ("least", ("tiers", 0)) if tiers else ("tiers", None)
            message, fix = "the first tier doesn't start at 0", "add a row with `least` 0"
            yield Fault(field, message, "", fix, entry=entry, code="FS034")
        for number, (tier, next_tier) in enumerate(pairwise(tiers)):
            if tier.least >= next_tier.least:
                message, fix = "two tiers start at the same quantity", "state all tiers in one substance"
                yield Fault("least", message, "", fix, entry=("tiers", number), code="FS034")
            elif tier.most is not None and tier.most > next_tier.least:
                message, fix = "the tier ends above the start of the next", "leave `most` blank if there is no gap"
                expected = f"at most {next_tier.least.normalize():f}"
                yield Fault("most", message, expected, fix, entry=("tiers", number), code="FS034")
        for number, tier in enumerate(tiers if values.get("measure") == "money" else ()):
            if tier.price is not None:
                message = "a tier that starts at an amount of money can't have a price per kilogram"
                expected = "a discount, or thresholds that are masses"
                yield Fault("price", message, expected, entry=("tiers", number), code="FS034")

    def overlaps(self, other: PriceSchedule) -> bool:
        same_party = (self.of, self.id) == (other.of, other.id)
        share_materials = not self.materials or not other.materials or bool(self.materials & other.materials)
        share_days = Span(start=self.start, end=self.end).meets(Span(start=other.start, end=other.end))
        return same_party and share_materials and share_days


def overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[tuple[int, int]]:
    """Yield the positions of two schedules that may apply to the same purchase."""
    by_party = grouped(((schedule.of, schedule.id), position) for position, schedule in enumerate(schedules))
    for first, second in (pair for group in by_party.values() for pair in combinations(group, 2)):
        if schedules[first].overlaps(schedules[second]):
            yield first, second


def overlap_fault(schedule: PriceSchedule) -> Fault:
    return Fault(
        "id",
        f"another price schedule of {schedule.of} `{schedule.id}` applies to the same purchases",
        "one schedule for each purchase from an offer, facility, or supplier",
        "delete one, or separate their materials or dates",
        code="FS025",
    )
