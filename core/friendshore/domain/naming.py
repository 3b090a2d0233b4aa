"""Ids that were renamed or retired, and records whose words name things: what is called otherwise today is followed."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel

from .base import Record
from .values import Ident, IdentOrBlank
from .written import Written

R = TypeVar("R", bound=BaseModel)

Sort = Literal["offer", "facility", "material", "benchmark"]
SORTS: tuple[Sort, ...] = ("offer", "facility", "material", "benchmark")
"""Sorts of things whose ids may be renamed."""


@dataclass(frozen=True, slots=True)
class Names:
    """Mark of a field whose words name things.

    - Unknown names in a catalog or in the case's own rules are refused.
    - In a case and its rules, names that a catalog has renamed are followed.

    `Annotated[tuple[str, ...], Names("material")]` in a kind of a plugin's own does the same there. A field with several such marks may name any of
    these things.
    """

    what: Literal[
        "material", "element", "form", "tag", "offer", "facility", "catalog", "place", "end use",
        "benchmark", "demand", "facility of a catalog", "source",
    ]  # fmt: skip


class Alias(Record):
    """An id that a catalog no longer uses: another took its place, or what it named is gone."""

    of: Annotated[Sort, Written("offer")] = "offer"
    """What it named; blank: an offer."""
    old: Annotated[Ident, Written("acme-gallium")]
    """The id of before: none that the catalog still has."""
    new: Annotated[IdentOrBlank, Written("acme-gallium-4n")] = ""
    """The id of today, or the next that led to it; blank: it was retired."""
    date: Annotated[datetime.date, Written("2026-11-02")]
    """Day from which on it is not used."""
    reason: Annotated[str, Written("a second grade is made now")]
    """Why."""

    @property
    def told(self) -> str:
        """In one sentence without its end."""
        now = f"is called `{self.new}` since {self.date}" if self.new else f"was retired on {self.date}"
        return f"{self.of} `{self.old}` {now}: {self.reason}"


class Aliases:
    """Those of some catalogs."""

    def __init__(self, given: Iterable[Alias]) -> None:
        self.by_name: Mapping[tuple[str, str], Alias] = {(alias.of, alias.old): alias for alias in given}

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def way(self, of: str, name: str) -> tuple[Alias, ...]:
        """The aliases that lead from a name to that of today, in order; none where it is that."""
        steps: list[Alias] = []
        alias = self.by_name.get((of, name))
        while alias is not None and alias not in steps:
            steps.append(alias)
            alias = self.by_name.get((of, alias.new))
        return tuple(steps)

    def circle(self, of: str, name: str) -> bool:
        """Return True if a name leads back to itself."""
        way = self.way(of, name)
        return bool(way) and way[-1].new == name

    def retired(self, name: str) -> Alias | None:
        """By what a name, of whatever sort, was retired at last."""
        ways = (self.way(of, name) for of in SORTS)
        return next((way[-1] for way in ways if way and not way[-1].new), None)

    def following(self, taken: Collection[str] = ()) -> Following:
        """Rename records, and keep account of it. Where a field may name several sorts of things, a name in `taken` is that of something else."""
        return Following(self, taken)


class Following:
    """Renames what records name, and keeps account of it."""

    def __init__(self, aliases: Aliases, taken: Collection[str]) -> None:
        self.aliases = aliases
        self.taken = taken
        self.followed: dict[Alias, None] = {}
        """Aliases by which anything was renamed."""

    def record(self, record: R) -> R:
        """The record with names of today; itself where they are that already. What was retired keeps its name."""
        update: dict[str, object] = {}
        for field, info in type(record).model_fields.items():
            value = getattr(record, field)
            sorts = [mark.what for mark in info.metadata if isinstance(mark, Names)]
            now = self._words(value, sorts) if sorts else self._within(value)
            if now is not value:
                update[field] = now
        if not update:
            return record
        copy = record.model_copy(update=update)
        for name in [name for name in vars(copy) if name not in type(copy).model_fields]:
            del vars(copy)[name]  # what was computed of the old names, and kept
        return copy

    def _within(self, value: object) -> object:
        if isinstance(value, BaseModel):
            return self.record(value)
        if isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value):
            made = tuple(self._within(one) for one in value)
            return made if any(now is not one for now, one in zip(made, value, strict=True)) else value
        return value

    def _words(self, value: object, sorts: Sequence[str]) -> object:
        """A word, a list, a set, or pairs whose first is a word."""
        if isinstance(value, str):
            return self._name(value, sorts)
        if not isinstance(value, tuple | list | frozenset):
            return value
        words = [
            (self._name(one[0], sorts), *one[1:]) if isinstance(one, tuple) else self._name(one, sorts) for one in value
        ]
        made = type(value)(words)  # a list or a set, as it was
        return made if made != value else value

    def _name(self, name: str, sorts: Sequence[str]) -> str:
        if len(sorts) > 1 and name in self.taken:
            return name
        word, colon, rest = name.partition(":")
        if colon and word in sorts:
            return f"{word}:{self._name(rest, [word])}"
        for sort in sorts:
            now: str
            if sort == "demand":
                now = self._demand(name)
            elif sort == "facility of a catalog":
                now = self._of_a_catalog(name)
            else:
                now = self._plain(sort, name)
            if now != name:
                return now
        return name

    def _plain(self, sort: str, name: str) -> str:
        way = self.aliases.way(sort, name)
        if not way or not way[-1].new:
            return name
        self.followed |= dict.fromkeys(way)
        return way[-1].new

    def _demand(self, name: str) -> str:
        """A demand that has no name of its own is called by its material: `material/end_use/place`."""
        material, slash, rest = name.partition("/")
        return f"{self._plain('material', material)}/{rest}" if slash else name

    def _of_a_catalog(self, name: str) -> str:
        catalog, colon, facility = name.partition(":")
        return f"{catalog}:{self._plain('facility', facility)}" if colon else name
