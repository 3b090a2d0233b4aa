"""Price schedules: prices that depend on how much is bought."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from pydantic import model_validator

from .base import Number, Record
from .bearing import Bearing
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


class PriceSchedule(Bearing):
    """Prices that fall (or rise) with what is bought from an offer, a facility or a supplier.

    Every order is paid at its list price (the offer's own in the period of the order); the difference is settled in the last
    period of the span. A period counts if all of it lies within the dates.
    """

    kind: TierKind
    measure: Literal["quantity", "money"] = "quantity"
    """What is added up: units (kilograms), or money at list prices, undiscounted."""
    currency: str = ""
    """ISO 4217, of prices, lumps and thresholds in money; empty: the case's."""
    tiers: tuple[Tier, ...]
    """In order of `least`."""

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

    def overlaps(self, other: PriceSchedule) -> bool:
        """Whether both are about the same thing, and may bear on the same purchase."""
        same = (self.of, self.id) == (other.of, other.id)
        alike = not self.materials or not other.materials or bool(self.materials & other.materials)
        dates = Span(start=self.start, end=self.end).meets(Span(start=other.start, end=other.end))
        return same and alike and dates
