"""Price schedules: prices that depend on how much is bought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Annotated, Literal

from .base import Fault, Fitting, Given, Number, Record, grouped
from .terms import Bearing
from .time import Span
from .values import CurrencyOrBlank, Discount, Idents, Money, MoneyPerKilogram, NonNegative
from .written import Written


class TierKind(StrEnum):
    """What a tier's terms bear on."""

    INCREMENTAL = "incremental"
    """Only on what lies within the tier."""
    ALL_UNITS = "all-units"
    """On everything, once the tier is reached."""


class Tier(Fitting):
    """Terms from a quantity on."""

    least: Annotated[NonNegative, Written("10 t", sort="mass or money")]
    """Where the tier begins: a mass, or money at list prices. The first tier of a schedule begins at 0.

    Units, or money where the schedule measures money. What comes to exactly this is in the tier."""
    most: Annotated[NonNegative | None, Written("40 t", sort="mass or money")] = None
    """Where it ends, in what `least` is in; blank: where the next begins. What lies between two tiers cannot be bought.

    Nor more than this in the last one. 0 in the first: nothing, or what reaches the second."""
    price: Annotated[MoneyPerKilogram | None, Written("520 USD/kg")] = None
    """Price in the tier, in place of the list price.

    In the schedule's currency. Neither price nor discount: the list price."""
    discount: Annotated[Discount | None, Written("5 %")] = None
    """Or share off the list price; below 0: on top of it."""
    lump: Annotated[Money, Written("10000 USD")] = Decimal(0)
    """Due once in a span that ends in this tier; blank: nothing.

    If anything is bought in the span."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A price and a share off it; an end before the beginning."""
        if given.get("most") is not None and given["most"] < given.get("least", 0):
            yield Fault(
                "most", "the tier ends before it begins", "no less than `least`", "exchange the two, or mend one"
            )
        if given.get("price") is not None and given.get("discount") is not None:
            yield Fault("discount", "a price and a discount are both given", "one of the two")


class PriceSchedule(Bearing):
    """Prices that fall (or rise) with what is bought from an offer, a facility or a supplier.

    Every order is paid at its list price (the offer's own in the period of the order); the difference is settled in the last
    period of the span. A period counts if all of it lies within the dates.
    """

    materials: Annotated[Idents, Written("dy-oxide;tb-oxide")] = frozenset()
    """Materials that are added up; blank: all."""
    kind: Annotated[TierKind, Written("all-units")]
    """`incremental`: a tier's terms bear on what lies within it; `all-units`: on everything, once it is reached."""
    measure: Literal["quantity", "money"] = "quantity"
    """What is added up: units (kilograms), or money at list prices, undiscounted."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of prices, lumps and thresholds in money; empty: the case's."""
    tiers: tuple[Tier, ...]
    """In order of `least`."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Tiers that do not begin at nothing, or overlap; a price where money is measured."""
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
        """Whether both are about the same thing, and may bear on the same purchase."""
        same = (self.of, self.id) == (other.of, other.id)
        alike = not self.materials or not other.materials or bool(self.materials & other.materials)
        dates = Span(start=self.start, end=self.end).meets(Span(start=other.start, end=other.end))
        return same and alike and dates


def overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[tuple[int, int]]:
    """Positions of two schedules that may bear on the same purchase."""
    alike = grouped(((schedule.of, schedule.id), position) for position, schedule in enumerate(schedules))
    for one, other in (pair for group in alike.values() for pair in combinations(group, 2)):
        if schedules[one].overlaps(schedules[other]):
            yield one, other


def bears_too(schedule: PriceSchedule) -> Fault:
    """What is said of a schedule that bears on the same purchases as another."""
    return Fault(
        "id",
        f"another price schedule of {schedule.of} `{schedule.id}` bears on the same purchases",
        "one schedule for a purchase of the same offer, facility or supplier",
        "delete one, or keep their materials or dates apart",
    )


class RunDiscount(Record):
    """What a price schedule takes off list prices over a span in which something is bought under it."""

    schedule: str
    """Offer, facility or supplier, and the materials it is about if not all."""
    span: str
    """Period, calendar year, or `horizon`."""
    settled: str
    """Period in which the difference to list prices is settled."""
    measure: Literal["quantity", "money"]
    measured: Number
    """What was added up: units, or undiscounted money at list prices."""
    tier: int
    """The tier it comes to, from 1."""
    least: Number
    """Where that tier begins."""
    next: Number | None
    """Where the next begins; none: it is the last."""
    most: Number | None = None
    """Where that tier ends; none: where the next begins."""
    at_list: Number
    """Undiscounted money at list prices."""
    discount: Number
    """Undiscounted money taken off, less lumps; negative: added."""
