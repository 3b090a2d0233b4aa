"""What a column or key is: its name, kind, meaning and example. One definition serves reader, schema and docs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..domain.base import UnreadableError
from ..domain.meanings import meanings

__all__ = ["Field", "Kind", "Layout", "UnreadableError"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sort of cell or value is read."""

    name: str
    """What the docs call it."""
    read: Callable[[Any], Any]
    """Text of a cell, or value of a TOML key -> parsed value; raises `UnreadableError`."""
    text: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    """JSON schema of the text form, all there is in a table."""
    also: tuple[Mapping[str, Any], ...] = ()
    """JSON schemas of the other forms that a TOML key may take."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of a TOML value."""
        return {"anyOf": [dict(self.text), *map(dict, self.also)]} if self.also else dict(self.text)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table or key of a file."""

    name: str
    kind: Kind
    doc: str
    """What it is, with unit and default, in a planner's words; `meaning` is the whole of it."""
    example: Any = ""
    """A value as it would be written."""
    required: bool = False
    inside: Layout | None = None
    """Keys of the table, or of each table of the list, that it is; None: a plain value."""
    repeated: bool = False
    """Whether it is a list of tables."""
    record: type | None = None
    """Record of whose field of the same name the text says the rest of the meaning."""

    @property
    def meaning(self) -> str:
        """What it means, with unit and default, in a planner's words."""
        return self.doc if self.record is None else f"{self.doc} {meanings(self.record).get(self.name, '')}".rstrip()

    @property
    def wanted(self) -> str:
        """What is expected where nothing stands: its meaning, as the end of a sentence."""
        doc = self.meaning.rstrip(".")
        return doc[0].lower() + doc[1:] if doc[1:2].islower() else doc


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, or the keys of one section of a file."""

    name: str
    """File or section, like `offers.csv` or `[[demand]]`."""
    doc: str
    fields: tuple[Field, ...]
    others: Literal["refused", "kept"] = "refused"
    """What happens to a key that is none of the fields."""
    others_doc: str = ""
    """What other keys mean, where they are kept."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields."""
        return tuple(f.name for f in self.fields)
