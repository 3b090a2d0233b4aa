"""What a run says of what is held: stock in hand and orders already placed, which are paid for, used or not, and stock by period."""

from __future__ import annotations

import datetime
from typing import Literal

from .base import Number, Record


class RunHoldingBar(Record):
    """A rule that keeps stock in hand, or an order already placed, from a use."""

    rule: str
    start: datetime.date
    """First day of the plan on which it does."""
    end: datetime.date | None = None
    """Last day; None: to the end of the plan."""
    unproven: bool
    """Whether something is only not proved, or a licence is wanting."""
    stage: str
    countries: list[str]
    clause: str
    reason: str
    heals: str
    """What would let it pass this rule."""


class RunHoldingUse(Record):
    """One kind of use that stock in hand or an order already placed could end in."""

    demand_material: str
    end_use: str
    place: str
    verdict: Literal["may be used", "may be used in part of the time", "barred", "not wanted"]
    """Over the periods in which it is there and such use is wanted."""
    periods: list[str]
    """Periods in which it may be used so."""
    bars: list[RunHoldingBar] = []


class RunHolding(Record):
    """Stock in hand, or an order already placed, used or not: it is paid for."""

    lot: str
    kind: Literal["stock", "order"]
    offer: str
    """Offer that it was bought from. Empty if unknown."""
    material: str
    place: str
    arrives: datetime.date | None = None
    """Day on which an order arrives."""
    available: str
    """Period from which it is there."""
    quantity_kg: Number
    used_kg: Number
    """What deliveries, or goods made of it, have taken by the end of the plan, first in, first out; what was lost in stock too."""
    left_kg: Number
    """Left over: set aside for no use, or still in stock at the end of the plan."""
    uses: list[RunHoldingUse]


class RunLot(Record):
    """Stock in hand, or an order already placed, set aside for a compliance class."""

    lot: str
    material: str
    place: str
    requirement: str
    available: str
    """Period from which it is there."""
    quantity_kg: Number


class RunStock(Record):
    """Material held at the end of a period."""

    material: str
    place: str
    requirement: str
    period: str
    quantity_kg: Number
