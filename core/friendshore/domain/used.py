"""What a run was made of, and without."""

from __future__ import annotations

import datetime
from typing import Literal

from .base import Record

STALE = datetime.timedelta(days=90)
"""Catalogs and packs that were looked at longer ago than this are told before all else."""


def aged(as_of: datetime.date | None, today: datetime.date | None) -> str:
    """How old data are, in words: last looked at on `as_of` (None: nobody says), used `today` (None: it was not recorded)."""
    if as_of is None:
        return "as of an unknown day"
    if today is None:
        return f"as of {as_of}"
    days = (today - as_of).days
    if days < 0:
        return f"as of {as_of}, which is after {today}"
    return f"as of {as_of}, {days:,} {'day' if days == 1 else 'days'} old"


def is_stale(as_of: datetime.date | None, today: datetime.date | None) -> bool:
    """Whether data were looked at too long ago to be used without a word."""
    return as_of is not None and today is not None and today - as_of > STALE


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
        """Whether it is a catalog or a pack; code has no day."""
        return self.kind in ("catalog", "pack")


class RunBlock(Record):
    """A plugin that counted as not installed when the run was made; it does so again where the run is verified or asked anew."""

    name: str
    """As it was ruled out: distribution, entry point or package; with `:name`, one thing that it brings."""
    by: list[str]
    """Who ruled it out: `FRIENDSHORE_BLOCK`, `--block`, `[use] block` or `blocked=`."""
    plugins: list[str]
    """Distributions and versions of that name that were installed; none: it ruled out nothing."""
