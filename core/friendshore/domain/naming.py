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

    kind: Literal[
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
    def text(self) -> str:
        now = f"is called `{self.new}` since {self.date}" if self.new else f"was retired on {self.date}"
        return f"{self.of} `{self.old}` {now}: {self.reason}"


class Aliases:
    """Aliases of some catalogs."""

    def __init__(self, aliases: Iterable[Alias]) -> None:
        self.by_name: Mapping[tuple[str, str], Alias] = {(alias.of, alias.old): alias for alias in aliases}

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def path(self, sort: str, name: str) -> tuple[Alias, ...]:
        """Return the aliases that lead from a name to the current one, in order. Empty if it is current."""
        steps: list[Alias] = []
        alias = self.by_name.get((sort, name))
        while alias is not None and alias not in steps:
            steps.append(alias)
            alias = self.by_name.get((sort, alias.new))
        return tuple(steps)

    def is_cyclic(self, sort: str, name: str) -> bool:
        path = self.path(sort, name)
        return bool(path) and path[-1].new == name

    def retirement(self, name: str) -> Alias | None:
        """Return the alias that retired a name of any kind. None if it isn't retired."""
        paths = (self.path(sort, name) for sort in SORTS)
        return next((path[-1] for path in paths if path and not path[-1].new), None)

    def follower(self, other_names: Collection[str] = ()) -> AliasFollower:
        """Return a renamer of records. If a field can name several kinds of things, names in `other_names` refer to something else."""
        return AliasFollower(self, other_names)


class AliasFollower:
    """Renamer of names in records, with a list of the aliases used."""

    def __init__(self, aliases: Aliases, other_names: Collection[str]) -> None:
        self.aliases = aliases
        self.other_names = other_names
        self.followed: dict[Alias, None] = {}
        """Aliases that renamed anything."""

    def record(self, record: R) -> R:
        """Return the record with current names, or the record itself if they are current. Retired names stay."""
        update: dict[str, object] = {}
        for field, info in type(record).model_fields.items():
            value = getattr(record, field)
            sorts = [mark.kind for mark in info.metadata if isinstance(mark, Names)]
            renamed = self._renamed_words(value, sorts) if sorts else self._renamed_within(value)
            if renamed is not value:
                update[field] = renamed
        if not update:
            return record
        copy = record.model_copy(update=update)
        # Cached properties of the original would still have the old names.
        for name in [name for name in vars(copy) if name not in type(copy).model_fields]:
            del vars(copy)[name]
        return copy

    def _renamed_within(self, value: object) -> object:
        if isinstance(value, BaseModel):
            return self.record(value)
        if isinstance(value, tuple) and any(isinstance(entry, BaseModel) for entry in value):
            renamed = tuple(self._renamed_within(entry) for entry in value)
            return renamed if any(new is not old for new, old in zip(renamed, value, strict=True)) else value
        return value

    def _renamed_words(self, value: object, sorts: Sequence[str]) -> object:
        """Return a word, a list, a set, or pairs whose first entry is a word, with current names."""
        if isinstance(value, str):
            return self._renamed(value, sorts)
        if not isinstance(value, tuple | list | frozenset):
            return value
        words = [
            (self._renamed(entry[0], sorts), *entry[1:]) if isinstance(entry, tuple) else self._renamed(entry, sorts)
            for entry in value
        ]
        renamed = type(value)(words)
        return renamed if renamed != value else value

    def _renamed(self, name: str, sorts: Sequence[str]) -> str:
        if len(sorts) > 1 and name in self.other_names:
            return name
        word, colon, rest = name.partition(":")
        if colon and word in sorts:
            return f"{word}:{self._renamed(rest, [word])}"
        for sort in sorts:
            current: str
            if sort == "demand":
                current = self._renamed_demand(name)
            elif sort == "facility of a catalog":
                current = self._renamed_facility(name)
            else:
                current = self._renamed_id(sort, name)
            if current != name:
                return current
        return name

    def _renamed_id(self, sort: str, name: str) -> str:
        path = self.aliases.path(sort, name)
        if not path or not path[-1].new:
            return name
        self.followed |= dict.fromkeys(path)
        return path[-1].new

    def _renamed_demand(self, name: str) -> str:
        """Return the current name of a demand. One without a name of its own is called `material/end_use/place`."""
        material, slash, rest = name.partition("/")
        return f"{self._renamed_id('material', material)}/{rest}" if slash else name

    def _renamed_facility(self, name: str) -> str:
        catalog, colon, facility = name.partition(":")
        return f"{catalog}:{self._renamed_id('facility', facility)}" if colon else name
