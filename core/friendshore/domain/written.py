"""How a field of a record stands in files: said once, where the record is stated, and read by readers, schemas and pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """Said of a field: it is a column of tables, or a key of a TOML file.

    `Annotated[Kilograms | None, Written("5 t")]`. What it means, with default, is the first paragraph of the text under the field;
    its sort, unit and range are those of its type.
    """

    example: object = ""
    """A value as it would be written."""
    name: str = ""
    """What it is called there; empty: as in the record."""
    sort: object = None
    """What values it takes there, where its type does not tell: a range or check of `values`, a type, or a word for both."""
    needed: bool | None = None
    """Whether it must be given there; None: if the record has no default for it."""
    meaning: str = ""
    """What it means, where fields of many records are of one type that means the same in all; empty: the text under the field says."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Said of a field that holds a record: the fields of that stand beside those around it, in the same row or table."""


BESIDE = Beside()
