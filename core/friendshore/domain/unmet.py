"""What a run says of what is unavailable: demand that is not met, what keeps supply from it, and hard rules that cannot hold together.

And what a plan makes of days and durations that do not fill whole periods.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Literal

from .base import Number, Record


class RunSupplyCause(Record):
    """One thing that keeps supply from a demand in a period, with the offers it keeps out."""

    kind: Literal["no offer", "rule", "lead time", "date", "inputs", "capacity", "limit", "terms"]
    """`no offer`: none counts. `rule`: law, or a rule of the case. `lead time`: ordered on the first day, it arrives later. `date`: it can be
    ordered only later. `inputs`: what it is made of is wanting. `capacity`: it gives all it can. `limit`: a limit rule. `terms`: something
    is left that terms of trade, stores or several rules together keep out."""
    text: str
    """In words."""
    offers: list[str]

    def __str__(self) -> str:
        return f"{self.text}: {', '.join(self.offers)}" if self.offers else self.text


class RunShortage(Record):
    """Demand that is not met in a period."""

    demand: str
    material: str
    end_use: str
    place: str
    period: str
    quantity_kg: Number
    wanted_kg: Number
    reason: Literal["no supply", "dearer than its price", "dearer or ranked lower", "rules conflict", "not proved"]
    """`no supply`: no admissible plan delivers more to this demand over the plan. `dearer than its price`: one does, for more
    money than the shortage is priced at, or by taking from other demand. `dearer or ranked lower`: the same where the case
    ranks objectives, or it would give up some of what ranks higher. `rules conflict`: hard rules cannot hold together.
    `not proved`: a limit ended the search for the reason."""
    causes: list[RunSupplyCause] = []
    """Where there is no supply, what keeps it out in this period."""
    limited_by: list[str] = []
    """Limit rules without which more would be available, as solving without them shows."""


class RunConflict(Record):
    """Hard rules that cannot hold together."""

    rules: list[str]
    sentences: list[str]
    materials: list[str]
    demands: list[str]
    holds_from: dict[str, datetime.date] = {}
    """Floor among these rules -> first day of a period from which it can be kept with all the others, if nothing is asked of it before."""


class RunRounded(Record):
    """A date that lies within a period, or a duration that is no whole number of periods, and what it counts as."""

    kind: Literal["rule", "offer", "quotation", "waiver", "licence", "store", "lane", "lead time"]
    name: str
    """Rule, offer, waiver, licence, material and place of a store, offer and place of a lane."""
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
