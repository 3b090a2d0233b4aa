"""What rule packs and cases state alike: rules, and scenarios with their changes, made from the records that stand in them."""

from __future__ import annotations

from ..domain.case import Scenario
from ..domain.change import Change
from ..reading import kinds as k
from ..reading.entry import Entry
from ..reading.fields import Field
from ..reading.layouts import layout

CHANGE = layout(
    "change = [{ … }]",
    "One change of the facts: one subject, and how it changes.",
    Change,
    columns=" ".join(Change.SUBJECTS) + " factor amount status of quantity per_year by countries delay from until why",
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
    """A scenario; None, once what is wrong has been recorded, if it cannot be read."""
    return entry.record(Scenario, change=changes(entry)) if "name" in entry.values else None


def changes(entry: Entry) -> tuple[Change, ...]:
    """The changes within a scenario or a bill, those left out that cannot be read; what their own rules refuse is said in their words."""
    return tuple(filter(None, [None if part.bad else part.record(Change) for part in entry.parts("change")]))
