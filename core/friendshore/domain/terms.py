"""Terms of trade and price schedules: costs, limits, and prices that depend on how much is ordered."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import combinations, pairwise
from typing import Annotated, Literal

from .base import Dated, Fault, Fitting, Given, grouped
from .evidence import Cited
from .naming import Names
from .time import Span
from .values import CurrencyOrBlank, Discount, Idents, Kilograms, Money, MoneyPerKilogram, NonNegative, Sites
from .written import Written

SPANS = {"period": "per period", "year": "per year", "horizon": "over the plan"}
"""Spans over which purchases are added up, in words."""


class Bearing(Dated):
    """Something said of all that is ordered from an offer, a facility or a supplier, or of a part of that."""

    of: Annotated[Literal["offer", "facility", "supplier"], Written("supplier", needed=False)]
    """What `id` names; blank: an offer."""
    id: Annotated[str, Written("Acme")]
    """The offer, facility (with those within it) or supplier, of this catalog or one it requires."""
    materials: Annotated[Idents, Names("material"), Written("dy-oxide;tb-oxide")] = frozenset()
    """Materials it is about; blank: all.

    Of an offer with several outputs the runs are counted, and only if all its outputs are meant."""
    per: Annotated[Literal["period", "year", "horizon"], Written("year")]
    """Span over which orders are added up: a period, a calendar year, or the whole plan."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day of the orders it is about."""
    end: Annotated[datetime.date | None, Written("2029-12-31", "until")] = None
    """Last day."""
    source: Cited = ""

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        about = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{about}"

    @property
    def order(self) -> tuple[str, ...]:
        """What they are sorted by: what they are about, then all the rest."""
        return (self.of, self.id, self.model_dump_json())


FIGURES = ("fixed", "least", "most", "setup_use")
"""What terms may say."""


class Terms(Bearing):
    """What ordering at all costs and asks for: from an offer, a facility or a supplier, for all it delivers or a part of that.

    A period takes part if any of its days lies within the dates: terms ask for money and quantities, and are not escaped by
    ordering in a period that begins before them.
    """

    places: Annotated[Sites, Names("place"), Written("US;JP")] = frozenset()
    """Places of delivery it is about; blank: all."""
    fixed: Annotated[Money | None, Written("12000 USD")] = None
    """Due in every span in which anything is ordered, in its first period."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of `fixed`."""
    least: Annotated[Kilograms | None, Written("2 t")] = None
    """Least ordered in a span, if anything is."""
    most: Annotated[Kilograms | None, Written("40 t")] = None
    """Most ordered in a span."""
    setup_use: Annotated[Kilograms | None, Written("500 kg")] = None
    """Capacity of the facility that any order in a period takes, whatever its size; only with `per` = `period`."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day: a period counts if any of its days lies within."""

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
                turns_on=FIGURES,
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
        """True if it makes a difference that anything is ordered at all."""
        return bool(self.fixed or self.least or self.setup_use)


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

    materials: Annotated[Idents, Names("material"), Written("dy-oxide;tb-oxide")] = frozenset()
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
        """Return True if both are about the same thing, and may bear on the same purchase."""
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
