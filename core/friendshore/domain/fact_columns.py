"""Facts of offers, facilities and lanes that friendshore itself has no column for: a port, emissions, owners. Plugins declare the columns, and read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from .base import Fault, Fitting, Given, Record, exact

FactValue = str | Decimal | bool | date | frozenset[str]
V = TypeVar("V", str, Decimal, bool, date, frozenset[str])
FactTable = Literal["offers", "facilities", "lanes"]
"""Tables that may have columns of facts."""
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]


class FactSort(StrEnum):
    """What values a fact takes, and as what rules read them."""

    TEXT = "text"
    """Any text: `str`."""
    NUMBER = "number"
    """A plain number, in the unit of the column: `Decimal`."""
    SHARE = "share"
    """`65 %` or `0.65`, from 0 to 1: `Decimal`."""
    YES_NO = "yes or no"
    """`bool`."""
    DATE = "date"
    """`date`."""
    COUNTRY = "country"
    """ISO 3166 alpha-2 code, also written by its name: `str`."""
    WORDS = "words"
    """Words set apart by `;`: `frozenset[str]`."""


class FactColumn(Fitting):
    """A column of `offers.csv`, `facilities.csv` or `lanes.csv` of any catalog, as the manifest of a plugin declares it."""

    type: FactSort = FactSort.TEXT
    """What its values are."""
    unit: str = ""
    """What numbers are in, like `kg CO2e/kg`; a cell may state it after the number."""
    meaning: Annotated[str, Field(min_length=1)]
    """What it means, in a planner's words."""
    example: str = ""
    """A value as it would be written."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A unit of what is no number."""
        if given.get("unit") and given.get("type") is not FactSort.NUMBER:
            yield Fault(
                "unit", "only a number has a unit", "no unit", 'write `type = "number"`, or delete it', ("type",)
            )


class StatedFact(Fitting):
    """One fact that a catalog states of an offer, a facility or a lane in a column that a plugin declares."""

    name: ColumnName
    """The column."""
    type: FactSort = FactSort.TEXT
    unit: str = ""
    """What a number is in."""
    value: str
    """As text: `yes` or `no`, a plain number, a day like `2027-01-31`, words set apart by `;`."""

    @classmethod
    def of(cls, name: str, column: FactColumn, value: FactValue) -> StatedFact:
        """A fact of its value, as a column has it."""
        return cls(name=name, type=column.type, unit=column.unit, value=_text(value))

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A text that is not what its type says, or not as it is written once read."""
        sort, text = given.get("type", FactSort.TEXT), given.get("value", "")
        try:
            fine = _text(_read(sort, text)) == text != ""
        except (LookupError, ValueError, ArithmeticError):
            fine = False
        if not fine:
            yield Fault("value", f"is no {sort}", f"a {sort} as it is written once read", "", ("type",))

    @property
    def read(self) -> FactValue:
        """Its value."""
        return _read(self.type, self.value)


class Stating(Fitting):
    """What catalogs state facts of: an offer, a facility or a lane."""

    facts: tuple[StatedFact, ...] = ()
    """What is stated in columns that plugins declare, sorted by name."""

    def fact(self, name: str, sort: type[V]) -> V | None:
        """A fact by the name of its column; None: it is not stated, and so unknown.

        Args:
            name: the column.
            sort: what its values are: `str`, `Decimal`, `bool`, `date` or `frozenset`.

        Raises:
            TypeError: if the column has other values.
        """
        found = next((one for one in self.facts if one.name == name), None)
        if found is None:
            return None
        value: Any = found.read
        if type(value) is not sort:
            raise TypeError(f"`{name}` holds {found.type}, and no {sort.__name__}")
        read: V = value
        return read


class DeclaredColumn(Record):
    """A column of facts that a plugin declares."""

    table: FactTable
    name: str
    column: FactColumn


def _read(sort: FactSort, text: str) -> FactValue:
    if sort in (FactSort.NUMBER, FactSort.SHARE):
        return exact(text)
    if sort is FactSort.YES_NO:
        return {"yes": True, "no": False}[text]
    if sort is FactSort.DATE:
        return date.fromisoformat(text)
    return frozenset(text.split(";")) if sort is FactSort.WORDS else text


def _text(value: FactValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return ";".join(sorted(value)) if isinstance(value, frozenset) else value
