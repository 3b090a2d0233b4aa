"""Plugins, facts, and prices used by a run, and their age.

A case may limit the age of prices. The limit changes no plan: older prices are reported, and only `--strict` refuses to plan with them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from .base import Number, Record

_DAY = datetime.timedelta(days=1)
STALE = datetime.timedelta(days=90)
"""Age since the last review above which catalogs and packs are reported before all else."""


def days_since(day: datetime.date, today: datetime.date) -> str:
    """Return the age of a day in words, or that it is after today."""
    days = (today - day).days
    return "after today" if days < 0 else f"{days:,} {'day' if days == 1 else 'days'}"


def dated(day: datetime.date, today: datetime.date | None) -> str:
    """Return a day and its age in words. If `today` is None, it is unknown."""
    if today is None:
        return str(day)
    return f"{day}, which is after {today}" if day > today else f"{day}, {days_since(day, today)} old"


def aged(as_of: datetime.date | None, today: datetime.date | None) -> str:
    """Return the age of data in words, from the last review `as_of` to `today`. Either is None if unknown."""
    return "as of an unknown day" if as_of is None else f"as of {dated(as_of, today)}"


def is_stale(as_of: datetime.date | None, today: datetime.date | None) -> bool:
    """Return True if the last review of data is too old to use them without a warning."""
    return as_of is not None and today is not None and today - as_of > STALE


class DatedStatus(NamedTuple):
    """The status of a rule on a range of days. An open end is None."""

    start: datetime.date | None
    end: datetime.date | None
    status: str

    @staticmethod
    def read(text: str) -> DatedStatus:
        """Return the status in a text such as `2027-01-01..2030-12-31 enacted`, as a run has it."""
        days, _, status = text.rpartition(" ")
        start, end = (datetime.date.fromisoformat(day) if day else None for day in days.split(".."))
        return DatedStatus(start, end, status)


class PackedRule(NamedTuple):
    """A rule of a pack, with its status over time."""

    id: str
    pack: str
    phases: Sequence[DatedStatus]


class RunPlugin(Record):
    """A used catalog, rule pack, reader, or rule kind, or the plugin that contains some of them, with its hash."""

    name: str
    """For a plugin, its distribution. For a reader, with its argument and purpose: `acme-erp:orders-2027 (demand)`."""
    kind: Literal["catalog", "pack", "reader", "rule kind", "plugin"]
    distribution: str
    """Distribution and version that contains it. Empty if it was beside the case."""
    digest: str
    """SHA-256 hash of the facts of a catalog or pack, of the data that a reader returned, or of all files of a plugin (also for its rule kinds). Empty if
    it was given in memory."""
    files: dict[str, str] = {}
    """For a plugin: all its files, each with the beginning of its hash."""
    as_of: datetime.date | None = None
    """Date of the last review of its facts. None if not stated."""

    @property
    def has_facts(self) -> bool:
        """True for a catalog or a pack. Code has no date."""
        return self.kind in ("catalog", "pack")


def earliest_action_date(used: Iterable[RunPlugin], start: datetime.date) -> datetime.date:
    """Return the first day on which a plan can be acted on: its own first day, or the latest review date of its facts."""
    return max([start, *(one.as_of for one in used if one.has_facts and one.as_of is not None)])


class ChangedRule(NamedTuple):
    """A rule with a phase that began or ended after its pack was last reviewed."""

    rule: str
    change: str

    def __str__(self) -> str:
        return f"{self.rule}, {self.change}"


def rule_changes_since_review(
    rules: Iterable[PackedRule], used: Iterable[RunPlugin], today: datetime.date | None
) -> Iterator[ChangedRule]:
    """Yield the changes of rules between the review of their packs and today: phases that began, and those that ended without a successor."""
    looked_at = {one.name: one.as_of for one in used if one.kind == "pack"}
    for rule in rules:
        as_of = looked_at.get(rule.pack)
        if as_of is None or today is None:
            continue
        starts = {phase.start for phase in rule.phases}
        for phase in rule.phases:
            if phase.start is not None and as_of < phase.start <= today:
                yield ChangedRule(rule.id, f"looked at on {as_of}: {phase.status} from {phase.start} on")
            if phase.end is not None and as_of <= phase.end < today and phase.end + _DAY not in starts:
                yield ChangedRule(rule.id, f"looked at on {as_of}: over since {phase.end}")


class RunBlock(Record):
    """A plugin that was treated as not installed, also when the run is verified or planned again."""

    name: str
    """Name in the block list: distribution, entry point, or package. With `:name`, one item of it."""
    by: list[str]
    """Sources of the block: `FRIENDSHORE_BLOCK`, `--block`, `[use] block`, or `blocked=`."""
    plugins: list[str]
    """Installed distributions and versions of that name. Empty if the block had no effect."""


class PriceDate(Record):
    """A price of an offer, or its freight to a place, with its date.

    Prices of the case itself are as of the day of planning, and a quotation is valid until its stated day. Neither is included here.
    """

    offer: str
    material: str
    of: Literal["price", "freight"]
    given_by: str
    """Benchmark, or evidence of the price or freight: `catalog:id`. Empty if none is named."""
    amount: Number
    """Money per kilogram, or per unit of run, as stated: before a premium and currency conversion."""
    currency: str
    day: datetime.date | None
    """Date of a benchmark's price, or of the facts of its source. For a forecast, whose date is after its source's, that of the source. None if unknown."""
    exchanged: datetime.date | None = None
    """First day of the exchange rate to the case's currency. None if it needs no conversion."""

    def order(self) -> tuple[str, ...]:
        """Return the sort key."""
        told = (self.day, self.exchanged, self.amount, self.currency)
        return (self.offer, self.material, self.of, self.given_by, *map(str, told))

    @property
    def oldest(self) -> datetime.date | None:
        """The older of its own date and its exchange rate's. None if it has no date."""
        return self.day if self.day is None or self.exchanged is None else min(self.day, self.exchanged)

    def to_come(self, today: datetime.date | None) -> datetime.date | None:
        """Return the later of its two dates that is after today. None if neither is, or today is unknown."""
        days = [day for day in (self.day, self.exchanged) if day is not None and today is not None and day > today]
        return max(days, default=None)

    def age(self, today: datetime.date) -> int | None:
        """Return its age in days. None if it has no date, or one after today."""
        return None if self.oldest is None or self.to_come(today) else (today - self.oldest).days

    def is_older(self, days: int, today: datetime.date | None) -> bool:
        """Return True if it is older than some days. Without a date, or with one after today, it counts as old. If today is unknown, others don't."""
        if self.oldest is None or self.to_come(today):
            return True
        return today is not None and (today - self.oldest).days > days

    def dated(self, today: datetime.date | None) -> str:
        """Return its date and age in words: the date after today, or the older one."""
        told = self.to_come(today) or self.oldest
        if told is None:
            return "of no stated day"
        what = "" if told == self.day else "exchanged at a rate "
        return f"{what}of {dated(told, today)}"


class RunPriceDate(PriceDate):
    """A price or freight of the plan's purchases, with the money paid."""

    quantity_kg: Number
    cost: Number
    """Money at this price or freight, in the case's currency, not discounted, without duties and price schedules."""
