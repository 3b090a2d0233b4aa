"""Price schedules: prices that depend on how much is bought."""

from __future__ import annotations

import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from pydantic import model_validator

from .base import Number, Record, Words
from .time import Span


class TierKind(StrEnum):
    """What a tier's terms bear on."""

    INCREMENTAL = "incremental"
    """Only on what lies within the tier."""
    ALL_UNITS = "all-units"
    """On everything, once the tier is reached."""


class Tier(Record):
    """Terms from a quantity on."""

    least: Number
    """Where the tier begins: units, or money where the schedule measures money; the first begins at 0. What comes to exactly
    this is in the tier."""
    price: Number | None = None
    """Money per unit in the schedule's currency, in place of the list price."""
    discount: Number | None = None
    """Or share off the list price; negative: on top of it. Neither: the list price."""
    lump: Number = Decimal(0)
    """Money due once in a span that ends in this tier, if anything is bought in it."""


class PriceSchedule(Record):
    """Prices that fall (or rise) with what is bought from an offer, a facility or a supplier.

    Every order is paid at its list price (the offer's own in the period of the order); the difference is settled in the last
    period of the span. Of an offer with several outputs the runs are counted, and only if all its outputs are meant.
    """

    of: Literal["offer", "facility", "supplier"]
    id: str
    """The offer, facility or supplier."""
    materials: Words = frozenset()
    """Materials whose purchases are added up and priced by it; none: all."""
    kind: TierKind
    per: Literal["period", "year", "horizon"]
    """Over which span purchases are added up: all that is ordered in one period, a calendar year, or the whole plan."""
    measure: Literal["quantity", "money"] = "quantity"
    """What is added up: units (kilograms), or money at list prices, undiscounted."""
    currency: str = ""
    """ISO 4217, of prices, lumps and thresholds in money; empty: the case's."""
    tiers: tuple[Tier, ...]
    """In order of `least`."""
    start: datetime.date | None = None
    """First day of the orders it is about: a period counts if all of it lies within the dates. None: since ever."""
    end: datetime.date | None = None
    """Last day; None: for good."""
    source: str = ""

    @model_validator(mode="after")
    def _tiers_in_order(self) -> PriceSchedule:
        if not self.tiers or self.tiers[0].least != 0:
            raise ValueError("the first tier begins at 0")
        if any(later.least <= tier.least for tier, later in pairwise(self.tiers)):
            raise ValueError("each tier begins above the one before")
        for tier in self.tiers:
            if tier.price is not None and (tier.discount is not None or self.measure == "money"):
                raise ValueError("a tier has a price or a discount, and only a discount where money is measured")
            if (tier.price or 0) < 0 or tier.lump < 0 or (tier.discount or 0) > 1:
                raise ValueError("no tier pays the buyer: prices and lumps are 0 or more, discounts at most 100 %")
        return self

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        about = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{about}"

    @property
    def order(self) -> tuple[str, ...]:
        """What schedules are sorted by: what they are about, then all the rest."""
        return (self.of, self.id, self.model_dump_json())

    def overlaps(self, other: PriceSchedule) -> bool:
        """Whether both are about the same thing, and may bear on the same purchase."""
        same = (self.of, self.id) == (other.of, other.id)
        alike = not self.materials or not other.materials or bool(self.materials & other.materials)
        dates = Span(start=self.start, end=self.end).meets(Span(start=other.start, end=other.end))
        return same and alike and dates
