"""What a plan makes of days and durations that do not fill whole periods, as records of a run."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from .base import Number, Record


class RunRounded(Record):
    """A date that lies within a period, or a duration that is no whole number of periods, and what it counts as."""

    kind: Literal["rule", "offer", "quotation", "waiver", "licence", "lead time"]
    name: str
    """Rule, offer, waiver or licence."""
    stated: str
    """As it stands in the facts: `from 2027-03-01`, `until 2027-03-31`, `4 months`."""
    counted: str
    """As the plan counts it, in the same words."""


class RunByMonths(Record):
    """A demand that is short: what the plan leaves short, and what a plan of the same facts in months does."""

    demand: str
    short_kg: Number
    """Kilograms short over the plan as it is."""
    by_months_kg: Number | None
    """Kilograms short in the cheapest plan of the same facts with months as periods, verified like this one; None: not looked at."""
    only_kg: Number = Decimal(0)
    """Kilograms that only the length of the periods makes short: by how much the plan in months is short of less."""
    note: str = ""
    """Why it was not looked at."""
