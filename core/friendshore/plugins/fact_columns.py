"""Columns of facts that plugins declare: data of their manifests, so that a catalog is read without a line of their code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from ..domain.base import Record
from ..domain.fact_columns import FactColumn, FactTable
from ..errors import Diagnostic

if TYPE_CHECKING:
    from ..reading.layouts import FactColumns


class DeclaredColumn(Record):
    """A column of facts that a plugin declares."""

    table: FactTable
    name: str
    column: FactColumn


class Declaring(Protocol):
    """A plugin as far as its columns are concerned."""

    @property
    def label(self) -> str:
        """Distribution and version."""

    @property
    def status(self) -> str:
        """Whether it can be used."""

    @property
    def columns(self) -> tuple[DeclaredColumn, ...]:
        """What it declares."""


def taken(columns: Sequence[DeclaredColumn], file: str) -> list[Diagnostic]:
    """What is said of columns that friendshore has itself."""
    if not columns:
        return []
    from ..domain.facts import Facility, Offer
    from ..reading.layouts import fields_of

    own = {
        "offers": {"material", *(f.name for f in fields_of(Offer))},
        "facilities": {f.name for f in fields_of(Facility)},
    }
    return [
        Diagnostic(
            f"declares a column `{one.name}`, which {one.table}.csv has",
            file,
            None,
            f"facts.{one.table}",
            fix="rename it",
        )
        for one in columns
        if one.name in own[one.table]
    ]


def fact_columns(plugins: Iterable[Declaring]) -> FactColumns:
    """All columns that plugins declare: those of plugins that can be used, and what to do about the others.

    Args:
        plugins: what is installed, the broken and the blocked too.
    """
    from ..reading.layouts import FactColumns

    declared: dict[tuple[str, str], list[tuple[Declaring, FactColumn]]] = {}
    for info in plugins:
        for one in info.columns:
            declared.setdefault((one.table, one.name), []).append((info, one.column))
    known, elsewhere = [], []
    for (table, name), owners in sorted(declared.items(), key=lambda item: item[0]):
        usable = [(info, column) for info, column in owners if info.status in ("ok", "clashing")]
        if len({(column.type, column.unit) for _, column in usable}) == 1:
            known.append((table, name, usable[0][1]))
        else:
            elsewhere.append((table, name, _why_not([info for info, _ in usable], [info for info, _ in owners])))
    return FactColumns(tuple(known), tuple(elsewhere))


def _why_not(usable: Sequence[Declaring], owners: Sequence[Declaring]) -> str:
    if usable:
        both = " and ".join(info.label for info in usable)
        return f"{both} declare it, and otherwise: block one of them"
    return "; ".join(
        f"{info.label} declares it, and is {info.status}: see `friendshore plugins list`" for info in owners
    )
