"""Parsers of entries that packs and cases share: scenarios and changes."""

from __future__ import annotations

from ..domain.case import Scenario
from ..domain.change import Change
from ..reading import kinds as k
from ..reading.fields import Field, layout
from ..reading.records import Entry

CHANGE = layout(
    "change = [{ … }]",
    "One change of the facts: one subject, and how it changes.",
    Change,
    first=" ".join(Change.SUBJECTS)
    + " factor amount date status of quantity per_year quantities shortage_price by countries delay from until why",
)

RULE = layout(
    "[[rule]]",
    "A rule of any kind, in the same form as in a rule pack.",
    Field("kind", k.IDENT, "Kind of rule: built in, or of a plugin.", "max-share", required=True),
    Field("id", k.IDENT, "Name; blank: the kind and its number, like `max-share-1`.", "no-single-mine"),
    others="Every other key belongs to the kind; `docs/reference/rules.md` lists them.",
)

SCENARIO = layout(
    "[[scenario]]",
    "A named list of changes.",
    Scenario,
    Field("change", k.TABLES, "The changes, in order.", inside=CHANGE, repeated=True),
)


def scenario(entry: Entry) -> Scenario | None:
    """Return a scenario, or None after recording its errors."""
    return entry.record(Scenario, change=changes(entry)) if "name" in entry.values else None


def changes(entry: Entry) -> tuple[Change, ...]:
    return tuple(filter(None, map(change, entry.parts("change"))))


def change(entry: Entry) -> Change | None:
    """Return one change, or None if any of its keys is invalid."""
    return None if entry.bad else entry.record(Change)
