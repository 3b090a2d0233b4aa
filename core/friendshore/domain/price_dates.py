"""Of which day the prices are that a plan pays or could pay, and which are older than the case allows.

The limit changes no plan: what is older is told. Only `--strict` refuses to plan with it.
"""

from __future__ import annotations

import datetime
from typing import Literal

from .base import Number, Record
from .used import dated


class PriceDate(Record):
    """A price, or the freight to a place, at which an offer may be bought, and the day that it is of.

    What the case itself states is of the day of planning, and a quotation holds until the day that it says: neither is here.
    """

    offer: str
    material: str
    of: Literal["price", "freight"]
    given_by: str
    """The benchmark, or the evidence of the price or freight: `catalog:id`; empty: none is named."""
    amount: Number
    """Money per kilogram, or per unit of run, as it is stated: before a premium and exchange."""
    currency: str
    day: datetime.date | None
    """Day of a benchmark's price, or of the facts of its source; of a forecast, which is of a day after its source, that of its source; None: nobody says."""
    exchanged: datetime.date | None = None
    """First day of the rate by which it comes into the case's currency; None: it is in it already."""

    def order(self) -> tuple[str, ...]:
        """In what order several are told."""
        told = (self.day, self.exchanged, self.amount, self.currency)
        return (self.offer, self.material, self.of, self.given_by, *map(str, told))

    @property
    def oldest(self) -> datetime.date | None:
        """The older of its own day and its exchange rate's; None: it has no day."""
        return self.day if self.day is None or self.exchanged is None else min(self.day, self.exchanged)

    def to_come(self, today: datetime.date | None) -> datetime.date | None:
        """Which of its two days lies after today, so that nobody can have looked at the price then; None: neither, or today is unknown."""
        days = [day for day in (self.day, self.exchanged) if day is not None and today is not None and day > today]
        return max(days, default=None)

    def age(self, today: datetime.date) -> int | None:
        """Days from then until today; None: it has no day, or one that is to come."""
        return None if self.oldest is None or self.to_come(today) else (today - self.oldest).days

    def is_older(self, days: int, today: datetime.date | None) -> bool:
        """Whether it is more than so many days old; without a day, and of a day to come, it counts as old, and on an unknown day nothing else does."""
        if self.oldest is None or self.to_come(today):
            return True
        return today is not None and (today - self.oldest).days > days

    def dated(self, today: datetime.date | None) -> str:
        """Its day and age in words: the day to come, or the older one."""
        told = self.to_come(today) or self.oldest
        if told is None:
            return "of no stated day"
        what = "" if told == self.day else "exchanged at a rate "
        return f"{what}of {dated(told, today)}"


class RunPriceDate(PriceDate):
    """The same of what a plan buys, with what it pays."""

    quantity_kg: Number
    cost: Number
    """Money at this price or freight, in the case's currency, not discounted, without duties and what price schedules take off."""
