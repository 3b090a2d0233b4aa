"""Plugins, facts, and prices used by a run, and their age. A limit on the age of prices changes no plan; only `--strict` refuses older ones."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from .base import Number, Record

STALE = datetime.timedelta(days=90)
"""Age since the last review above which catalogs and packs are reported before all else."""


def days_since(day: datetime.date, today: datetime.date) -> str:
    days = (today - day).days
    return "after today" if days < 0 else f"{days:,} {'day' if days == 1 else 'days'}"


def dated(day: datetime.date, today: datetime.date | None) -> str:
    """Return a day and its age in words. `today` is None if unknown."""
    if today is None:
        return str(day)
    return f"{day}, which is after {today}" if day > today else f"{day}, {days_since(day, today)} old"


def aged(as_of: datetime.date | None, today: datetime.date | None) -> str:
    """Return the age of data in words. Either day is None if unknown."""
    return "as of an unknown day" if as_of is None else f"as of {dated(as_of, today)}"


def is_stale(as_of: datetime.date | None, today: datetime.date | None) -> bool:
    return as_of is not None and today is not None and today - as_of > STALE


class DatedStatus(NamedTuple):
    """The status of a rule on a range of days. An open end is None."""

    start: datetime.date | None
    end: datetime.date | None
    status: str

    @staticmethod
    def read(text: str) -> DatedStatus:
        """Return the status in a text of a run, such as `2027-01-01..2030-12-31 enacted`."""
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
    """SHA-256 hash of the facts of a catalog or pack, of the data that a reader returned, or of all files of a plugin (also for its rule kinds). Empty if it was given in memory."""
    files: dict[str, str] = {}
    """For a plugin: all its files, each with the beginning of its hash."""
    as_of: datetime.date | None = None
    """Date of the last review of its facts. None if not stated."""

    @property
    def has_facts(self) -> bool:
        return self.kind in ("catalog", "pack")


def earliest_action_date(used: Iterable[RunPlugin], start: datetime.date) -> datetime.date:
    """Return the first day on which a plan can be acted on: its own first day, or the latest review date of its facts."""
    return max([start, *(source.as_of for source in used if source.has_facts and source.as_of is not None)])


class ChangedRule(NamedTuple):
    """A rule with a phase that began or ended after its pack was last reviewed."""

    rule: str
    change: str

    def __str__(self) -> str:
        return f"{self.rule}, {self.change}"


def rule_changes_since_review(
    rules: Iterable[PackedRule], used: Iterable[RunPlugin], today: datetime.date | None
) -> Iterator[ChangedRule]:
    """Yield the rule phases that began, or ended without a successor, between the review of their packs and today."""
    reviews = {source.name: source.as_of for source in used if source.kind == "pack"}
    for rule in rules:
        as_of = reviews.get(rule.pack)
        if as_of is None or today is None:
            continue
        starts = {phase.start for phase in rule.phases}
        for phase in rule.phases:
            if phase.start is not None and as_of < phase.start <= today:
                yield ChangedRule(rule.id, f"{phase.status} from {phase.start} (reviewed on {as_of})")
            if (
                phase.end is not None
                and as_of <= phase.end < today
                and phase.end + datetime.timedelta(days=1) not in starts
            ):
                yield ChangedRule(rule.id, f"ended on {phase.end} (reviewed on {as_of})")


class RunBlock(Record):
    """A plugin that was treated as not installed, also when the run is verified or planned again."""

    name: str
    """Name in the block list: distribution, entry point, or package. With `:name`, one item of it."""
    by: list[str]
    """Sources of the block: `FRIENDSHORE_BLOCK`, `--block`, `[use] block`, or `blocked=`."""
    plugins: list[str]
    """Installed distributions and versions of that name. Empty if the block had no effect."""


class PriceDate(Record):
    """A dated price of an offer, or its freight to a place. Excluded: prices of the case itself, as of the day of planning, and quotations, valid to their day."""

    offer: str
    material: str
    of: Literal["price", "freight"]
    source: str
    """Benchmark, or evidence of the price or freight: `catalog:id`. Empty if none is named."""
    amount: Number
    """Money per kilogram, or per unit of run, as stated: before a premium and currency conversion."""
    currency: str
    day: datetime.date | None
    """Date of a benchmark's price, or of the facts of its source. For a forecast, whose date is after its source's, that of the source. None if unknown."""
    exchange_rate_day: datetime.date | None = None
    """First day of the exchange rate to the case's currency. None if it needs no conversion."""

    def order(self) -> tuple[str, ...]:
        details = map(str, (self.day, self.exchange_rate_day, self.amount, self.currency))
        return (self.offer, self.material, self.of, self.source, *details)

    @property
    def oldest(self) -> datetime.date | None:
        """The older date of its own and its exchange rate's. None if it has no date."""
        return self.day if self.day is None or self.exchange_rate_day is None else min(self.day, self.exchange_rate_day)

    def future_date(self, today: datetime.date | None) -> datetime.date | None:
        """Return the later of its two dates that is after today. None if neither is, or today is unknown."""
        days = [
            day for day in (self.day, self.exchange_rate_day) if day is not None and today is not None and day > today
        ]
        return max(days, default=None)

    def age(self, today: datetime.date) -> int | None:
        """Return its age in days. None if it has no date, or one after today."""
        return None if self.oldest is None or self.future_date(today) else (today - self.oldest).days

    def is_older(self, days: int, today: datetime.date | None) -> bool:
        """Return True if it is older than some days. Without a date, or with one after today, it counts as old. If today is unknown, others don't."""
        if self.oldest is None or self.future_date(today):
            return True
        return today is not None and (today - self.oldest).days > days

    def dated(self, today: datetime.date | None) -> str:
        day = self.future_date(today) or self.oldest
        if day is None:
            return "without a date"
        return f"{'' if day == self.day else 'exchanged at a rate '}of {dated(day, today)}"


class RunPriceDate(PriceDate):
    """A price or freight of the plan's purchases, with the money paid."""

    quantity_kg: Number
    cost: Number
    """Money at this price or freight, in the case's currency, not discounted, without duties and price schedules."""
