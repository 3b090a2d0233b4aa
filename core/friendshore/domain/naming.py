"""Renamed and retired ids, and records that refer to them by name."""

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
"""Kinds of things whose ids can be renamed."""


@dataclass(frozen=True, slots=True)
class Names:
    """Mark of a field whose words name things.

    - Unknown names in a catalog or in the case's own rules are rejected.
    - In a case and its rules, names that a catalog has renamed are followed.

    Plugins can mark fields of their own rule kinds with `Annotated[tuple[str, ...], Names("material")]`. A field with several marks may name any of
    these things.
    """

    what: Literal[
        "material", "element", "form", "tag", "offer", "facility", "catalog", "place", "end use",
        "benchmark", "demand", "facility of a catalog", "source",
    ]  # fmt: skip


class Alias(Record):
    """An id that a catalog no longer uses, because it was replaced or retired."""

    of: Annotated[Sort, Written("offer")] = "offer"
    """Kind of the thing. Blank means an offer."""
    old: Annotated[Ident, Written("acme-gallium")]
    """Previous id. The catalog must not use it any more."""
    new: Annotated[IdentOrBlank, Written("acme-gallium-4n")] = ""
    """Current id, or the next one on the way to it. Blank means retired."""
    date: Annotated[datetime.date, Written("2026-11-02")]
    """First day on which the old id isn't used."""
    reason: Annotated[str, Written("a second grade is made now")]
    """Reason."""

    @property
    def told(self) -> str:
        """The alias as a sentence without its period."""
        now = f"is called `{self.new}` since {self.date}" if self.new else f"was retired on {self.date}"
        return f"{self.of} `{self.old}` {now}: {self.reason}"


class Aliases:
    """Aliases of some catalogs."""

    def __init__(self, given: Iterable[Alias]) -> None:
        self.by_name: Mapping[tuple[str, str], Alias] = {(alias.of, alias.old): alias for alias in given}

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def way(self, of: str, name: str) -> tuple[Alias, ...]:
        """Return the aliases that lead from a name to the current one, in order. Empty if it is current."""
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
        """Return the alias that retired a name of any kind. None if it isn't retired."""
        ways = (self.way(of, name) for of in SORTS)
        return next((way[-1] for way in ways if way and not way[-1].new), None)

    def following(self, taken: Collection[str] = ()) -> AliasFollower:
        """Return a renamer of records. If a field can name several kinds of things, names in `taken` refer to something else."""
        return AliasFollower(self, taken)


class AliasFollower:
    """Renaming of names in records, with a list of the aliases used."""

    def __init__(self, aliases: Aliases, taken: Collection[str]) -> None:
        self.aliases = aliases
        self.taken = taken
        self.followed: dict[Alias, None] = {}
        """Aliases that renamed anything."""

    def record(self, record: R) -> R:
        """Return the record with current names, or the record itself if they are current. Retired names stay."""
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
        """Return a word, a list, a set, or pairs whose first entry is a word, with current names."""
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
        """Return the current name of a demand. One without a name of its own is called `material/end_use/place`."""
        material, slash, rest = name.partition("/")
        return f"{self._plain('material', material)}/{rest}" if slash else name

    def _of_a_catalog(self, name: str) -> str:
        catalog, colon, facility = name.partition(":")
        return f"{catalog}:{self._plain('facility', facility)}" if colon else name
