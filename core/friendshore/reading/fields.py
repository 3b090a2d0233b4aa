"""Definition of a column or key: name, kind, meaning, and example. One definition serves reader, schema, and docs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ..domain.base import UnreadableError
from ..domain.quantities import Mass, Money, UnitPrice
from ..domain.written import meanings

if TYPE_CHECKING:
    from ..domain.facts import FactColumn

__all__ = ["Field", "Kind", "Layout", "UnreadableError"]


_MONEYS = (Money, UnitPrice)


@dataclass(frozen=True, slots=True)
class Kind:
    """Reader of one sort of cell or value."""

    name: str
    """Name in the docs."""
    read: Callable[[Any], Any]
    """Text of a cell, or value of a TOML key -> parsed value; raises `UnreadableError`."""
    text: Mapping[str, object] = dataclasses.field(default_factory=lambda: {"type": "string"})
    """JSON schema of the text form, all there is in a table."""
    also: tuple[Mapping[str, object], ...] = ()
    """JSON schemas of the other forms that a TOML key may take."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that there are to choose from; none: it is no choice."""
        words = self.text.get("enum")
        return tuple(words) if isinstance(words, list) else ()

    @property
    def number(self) -> bool:
        """Return True if it may be a number without a unit, although a table contains it as text."""
        return any(form.get("type") in ("number", "integer") for form in self.also)

    @property
    def schema(self) -> dict[str, object]:
        """JSON schema of a TOML value."""
        return {"anyOf": [dict(self.text), *map(dict, self.also)]} if self.also else dict(self.text)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table or key of a file."""

    name: str
    kind: Kind
    doc: str = ""
    """What it is, with unit and default, in a planner's words; `meaning` is the whole of it."""
    example: object = ""
    """A value as it would be written."""
    required: bool = False
    inside: Layout | None = None
    """Keys of the table, or of each table of the list, that it is; None: a plain value."""
    repeated: bool = False
    """True if it is a list of tables."""
    record: type | None = None
    """Record in which it is stated, and where the text under it says the rest of its meaning; None: it is none of a record's."""
    attribute: str = ""
    """What it is called there."""
    currency: str = ""
    """Field there for the currency of an amount of money; empty: the case's, or that of others beside it."""
    by: str = ""
    """Distribution of the plugin that declares it; empty: it is friendshore's own."""

    @property
    def meaning(self) -> str:
        """Return the meaning, with unit and default, in a planner's words."""
        text = "" if self.record is None else meanings(self.record).get(self.attribute, "")
        return " ".join([self.doc, *text.partition("\n\n")[0].split("\n")]).strip()

    @property
    def wanted(self) -> str:
        """Return the meaning as the end of a sentence, for a message about a missing value."""
        doc = self.meaning.rstrip(".")
        return doc[0].lower() + doc[1:] if doc[1:2].islower() else doc


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The columns of a table, or the keys of one section of a file."""

    name: str
    """File or section, like `offers.csv` or `[[demand]]`."""
    doc: str
    fields: tuple[Field, ...]
    others: Literal["refused", "kept", "declared"] = "refused"
    """What happens to a key that is none of the fields; `declared`: plugins may bring more columns, and what is none of those is refused."""
    others_doc: str = ""
    """What other keys mean, where they are kept or declared."""
    declared: Mapping[str, FactColumn] = dataclasses.field(default_factory=dict)
    """Fields that plugins declare, by name."""
    elsewhere: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Columns that a plugin declares which cannot be used, with what to do about it."""
    headings: Mapping[str, str] | None = None
    """Columns by other headings, like `part_no`. None if headings must be the names of columns to the letter."""

    def heading(self, cell: str) -> str:
        """Return the column that the heading of a table means. `Part No.` is `part_no`, if headings need not match to the letter."""
        name = "_".join(re.findall(r"\w+", cell.casefold()))
        return self.headings.get(name, name) if self.headings is not None and name else cell

    def stranger(self, name: str, near: str) -> str:
        """What to do about a column or key that is none of the fields; `near` is what is said of a field of almost that name, if there is one."""
        if self.others == "declared" and name:
            return self.elsewhere.get(name) or near or f"delete it, or install the plugin that declares `{name}`"
        return near

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields."""
        return tuple(f.name for f in self.fields)

    @property
    def by_name(self) -> Mapping[str, Field]:
        """All fields by their names."""
        return {f.name: f for f in self.fields}

    @cache  # noqa: B019 - layouts are never let go
    def of(self, record: type) -> Mapping[str, Field]:
        """The columns or keys that state fields of a record, by name."""
        return {f.name: f for f in self.fields if f.record is record}

    @cache  # noqa: B019
    def columns(self, record: type) -> Mapping[str, str]:
        """Field of a record -> the column or key that states it."""
        stated = self.of(record).values()
        return {f.currency: f.name for f in stated if f.currency} | {f.attribute: f.name for f in stated}

    def stated(self, record: type, values: Mapping[str, object]) -> dict[str, object]:
        """The fields of a record, by name, that a row or a table states: parsed values by column or key.

        Masses are in kilograms; money is an amount, with its currency in the field for that. What else a mass or a price is of has been looked at.
        """
        found: dict[str, object] = {}
        fields = self.of(record)
        for name, value in values.items():
            field = fields.get(name)
            if field is None:
                continue
            if isinstance(value, _MONEYS):
                if field.currency:
                    found[field.currency] = value.currency
                found[field.attribute] = value.amount
            elif type(value) is tuple and value and type(value[0]) is Mass:
                found[field.attribute] = tuple(mass.kg for mass in value)
            else:
                found[field.attribute] = value.kg if isinstance(value, Mass) else value
        return found
