"""What bears on orders from an offer, a facility or a supplier, added up over spans of time."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .base import Fault, Fitting, Words, days_in_order

SPANS = {"period": "per period", "year": "per year", "horizon": "over the plan"}
"""Spans over which purchases are added up, in words."""


class Bearing(Fitting):
    """Something said of all that is ordered from an offer, a facility or a supplier, or of a part of that."""

    of: Literal["offer", "facility", "supplier"]
    id: str
    """The offer, facility or supplier."""
    materials: Words = frozenset()
    """Materials whose purchases it is about; none: all. Of an offer with several outputs the runs are counted, and only if all
    its outputs are meant."""
    per: Literal["period", "year", "horizon"]
    """Over which span purchases are added up: all that is ordered in one period, a calendar year, or the whole plan."""
    start: datetime.date | None = None
    """First day of the orders it is about. None: since ever."""
    end: datetime.date | None = None
    """Last day; None: for good."""
    source: str = ""

    @classmethod
    def faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A last day before the first."""
        return days_in_order(given)

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        about = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{about}"

    @property
    def order(self) -> tuple[str, ...]:
        """What they are sorted by: what they are about, then all the rest."""
        return (self.of, self.id, self.model_dump_json())
