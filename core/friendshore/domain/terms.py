"""Terms of trade and price schedules: costs, limits, and prices that depend on the quantity ordered."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Annotated, Literal

from .base import CheckedRecord, Dated, Fault, Given, grouped
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
        """Name for messages and tables."""
        about = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{about}"

    @property
    def order(self) -> tuple[str, ...]:
        """Sort key: the party, then all other fields."""
        return (self.of, self.id, self.model_dump_json())


FIGURES = ("fixed", "least", "most", "setup_use")
"""Fields of terms that have an effect."""


class Terms(OrderCondition):
    """Costs and limits of orders from an offer, a facility, or a supplier, for all its deliveries or a part of them.

    A period is included if any of its days is within the dates. Terms demand money and quantities, so ordering in a period that begins before them
    must not avoid them.
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
    def faults(cls, given: Given) -> Iterator[Fault]:
        yield from super().faults(given)
        least, most = given.get("least"), given.get("most")
        if all(given.get(name) is None for name in FIGURES):
            yield Fault(
                "fixed",
                "the terms say nothing",
                f"one of {', '.join(FIGURES)}",
                "fill one in, or delete the row",
                depends_on=FIGURES,
            )
        if least is not None and most is not None and least > most:
            yield Fault("least", "is more than `most`", "", "exchange the two, or mend one")
        if given.get("setup_use") is None:
            return
        if given.get("of") == "supplier":
            yield Fault("setup_use", "a supplier has no capacity to set up", "", "name an offer or a facility")
        if given.get("per", "period") != "period":
            message = f"a set-up is for a period, not for a {given['per']}"
            yield Fault("setup_use", message, "per = period", "write the set-up in a row of its own")

    @property
    def name(self) -> str:
        to = f" to {', '.join(sorted(self.places))}" if self.places else ""
        return super().name + to

    @property
    def switches(self) -> bool:
        """True if they have an effect as soon as anything is ordered."""
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
    discount: Annotated[Discount | None, Written("5 %")] = None
    """Share off the list price, instead of `price`. Below 0 is a surcharge."""
    lump: Annotated[Money, Written("10000 USD")] = Decimal(0)
    """Lump sum, due once in a span that ends in this tier. Blank means none.

    Only if anything is bought in the span."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        if given.get("most") is not None and given["most"] < given.get("least", 0):
            yield Fault(
                "most", "the tier ends before it begins", "no less than `least`", "exchange the two, or mend one"
            )
        if given.get("price") is not None and given.get("discount") is not None:
            yield Fault("discount", "a price and a discount are both given", "one of the two")


class PriceSchedule(OrderCondition):
    """Prices that fall (or rise) with the quantity bought from an offer, a facility, or a supplier.

    Every order is paid at its list price (the offer's own in the period of the order). The difference is settled in the last period of the span. A
    period counts if all of it is within the dates.
    """

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
    def faults(cls, given: Given) -> Iterator[Fault]:
        yield from super().faults(given)
        tiers = given.get("tiers")
        if tiers is None:
            return
        if not tiers or tiers[0].least:
            message, fix = "the first tier of the schedule does not begin at 0", "add a row with `least` 0"
            yield Fault("least", message, "", fix, entry=("tiers", 0)) if tiers else Fault("tiers", message, "", fix)
        for number, (tier, above) in enumerate(pairwise(tiers)):
            if tier.least >= above.least:
                message, fix = "the schedule's tiers are not apart", "give all in one substance"
                yield Fault("least", message, "", fix, entry=("tiers", number))
            elif tier.most is not None and tier.most > above.least:
                message, fix = "the tier ends above where the next begins", "leave `most` blank where there is no gap"
                yield Fault("most", message, f"at most {above.least.normalize():f}", fix, entry=("tiers", number))
        for number, tier in enumerate(tiers if given.get("measure") == "money" else ()):
            if tier.price is not None:
                message = "a tier that begins at an amount of money cannot name a price for units"
                yield Fault("price", message, "a discount, or thresholds that are masses", entry=("tiers", number))

    def overlaps(self, other: PriceSchedule) -> bool:
        """Return True if both cover the same party, and may apply to the same purchase."""
        same = (self.of, self.id) == (other.of, other.id)
        alike = not self.materials or not other.materials or bool(self.materials & other.materials)
        dates = Span(start=self.start, end=self.end).meets(Span(start=other.start, end=other.end))
        return same and alike and dates


def overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[tuple[int, int]]:
    """Yield the positions of two schedules that may apply to the same purchase."""
    alike = grouped(((schedule.of, schedule.id), position) for position, schedule in enumerate(schedules))
    for one, other in (pair for group in alike.values() for pair in combinations(group, 2)):
        if schedules[one].overlaps(schedules[other]):
            yield one, other


def overlap_fault(schedule: PriceSchedule) -> Fault:
    """Return the fault of a schedule that applies to the same purchases as another."""
    return Fault(
        "id",
        f"another price schedule of {schedule.of} `{schedule.id}` bears on the same purchases",
        "one schedule for a purchase of the same offer, facility or supplier",
        "delete one, or keep their materials or dates apart",
    )
