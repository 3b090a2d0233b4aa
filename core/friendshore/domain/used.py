"""Plugins, facts, and prices that a run was made of, and their age.

A case may limit the age of prices. The limit changes no plan: older prices are reported, and only `--strict` refuses to plan with them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from .base import Number, Record

_DAY = datetime.timedelta(days=1)
STALE = datetime.timedelta(days=90)
"""Catalogs and packs that were looked at longer ago than this are told before all else."""


def days_since(day: datetime.date, today: datetime.date) -> str:
    """How long ago a day is, in words; of a day to come, that it is one."""
    days = (today - day).days
    return "after today" if days < 0 else f"{days:,} {'day' if days == 1 else 'days'}"


def dated(day: datetime.date, today: datetime.date | None) -> str:
    """A day, and how long ago it is (None: nobody recorded when), in words."""
    if today is None:
        return str(day)
    return f"{day}, which is after {today}" if day > today else f"{day}, {days_since(day, today)} old"


def aged(as_of: datetime.date | None, today: datetime.date | None) -> str:
    """How old data are, in words: last looked at on `as_of` (None: nobody says), used `today` (None: it was not recorded)."""
    return "as of an unknown day" if as_of is None else f"as of {dated(as_of, today)}"


def is_stale(as_of: datetime.date | None, today: datetime.date | None) -> bool:
    """Return True if data were looked at too long ago to be used without a word."""
    return as_of is not None and today is not None and today - as_of > STALE


class DatedStatus(NamedTuple):
    """A stretch of days, open where there is no day, and what is known of a rule on them."""

    start: datetime.date | None
    end: datetime.date | None
    status: str

    @staticmethod
    def read(text: str) -> DatedStatus:
        """That of a text such as `2027-01-01..2030-12-31 enacted`, as a run has it."""
        days, _, status = text.rpartition(" ")
        start, end = (datetime.date.fromisoformat(day) if day else None for day in days.split(".."))
        return DatedStatus(start, end, status)


class PackedRule(NamedTuple):
    """A rule of a pack, and what is known of it when."""

    id: str
    pack: str
    phases: Sequence[DatedStatus]


class RunPlugin(Record):
    """A catalog, rule pack, reader or kind of rule used, or the plugin that brings some of them, with the hash of what it is."""

    name: str
    """Of a plugin, its distribution; of a reader, with what it was asked for, and as what: `acme-erp:orders-2027 (demand)`."""
    kind: Literal["catalog", "pack", "reader", "rule kind", "plugin"]
    distribution: str
    """Distribution and version that brought it; empty: it lay beside the case."""
    digest: str
    """SHA-256 of the facts of a catalog or pack; of a reader, of what it read; of a plugin, and of a kind of rule that it brings, of every file of the plugin. Empty: it was
    given in memory."""
    files: dict[str, str] = {}
    """Of a plugin: every file of it, with the beginning of its hash."""
    as_of: datetime.date | None = None
    """Day on which its facts were last looked at; none: it does not say."""

    @property
    def has_facts(self) -> bool:
        """True if it is a catalog or a pack; code has no day."""
        return self.kind in ("catalog", "pack")


def known_by(used: Iterable[RunPlugin], start: datetime.date) -> datetime.date:
    """Return the first day on which a plan can be acted on: its own first day, or the newest day on which any of its facts was looked at."""
    return max([start, *(one.as_of for one in used if one.has_facts and one.as_of is not None)])


class TurnedRule(NamedTuple):
    """A rule with a phase that began or ended after its pack was last reviewed."""

    rule: str
    change: str

    def __str__(self) -> str:
        return f"{self.rule}, {self.change}"


def turned_since(
    rules: Iterable[PackedRule], used: Iterable[RunPlugin], today: datetime.date | None
) -> Iterator[TurnedRule]:
    """Yield the changes of rules between the review of their packs and today: phases that began, and those that ended with none after them."""
    looked_at = {one.name: one.as_of for one in used if one.kind == "pack"}
    for rule in rules:
        as_of = looked_at.get(rule.pack)
        if as_of is None or today is None:
            continue
        starts = {phase.start for phase in rule.phases}
        for phase in rule.phases:
            if phase.start is not None and as_of < phase.start <= today:
                yield TurnedRule(rule.id, f"looked at on {as_of}: {phase.status} from {phase.start} on")
            if phase.end is not None and as_of <= phase.end < today and phase.end + _DAY not in starts:
                yield TurnedRule(rule.id, f"looked at on {as_of}: over since {phase.end}")


class RunBlock(Record):
    """A plugin that counted as not installed when the run was made; it does so again where the run is verified or asked anew."""

    name: str
    """As it was ruled out: distribution, entry point or package; with `:name`, one thing that it brings."""
    by: list[str]
    """Who ruled it out: `FRIENDSHORE_BLOCK`, `--block`, `[use] block` or `blocked=`."""
    plugins: list[str]
    """Distributions and versions of that name that were installed; none: it ruled out nothing."""


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
        """Return True if it is more than so many days old; without a day, and of a day to come, it counts as old, and on an unknown day nothing else does."""
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
