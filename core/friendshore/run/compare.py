"""What a run says against what its facts give: every difference by its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeGuard

from ..domain.base import grouped
from ..errors import Diagnostic
from ..reading.csvfile import Table, TableRow
from ..reading.records import path_of, shown
from .tables import TABLES, Cells, RunTable

Key = tuple[str, ...]

_LISTS = {
    **{table.field: (table.noun, table.key) for table in TABLES if table.field},
    "materials": ("material", ("id",)),
    "demands": ("demand", ("id",)),
    "cash": ("sum of cash", ("period", "on", "place")),
    "dependence": ("dependence", ("scope", "name")),
    "ranges": ("range of a price", ("offer", "material")),
    "rules": ("rule", ("id",)),
    "makes": ("production", ("offer", "ordered", "requirement")),
    "lots": ("lot", ("lot", "requirement")),
    "holdings": ("stock or order", ("lot",)),
    "exposed": ("exposed rule", ("rule",)),
    "requirements": ("requirement", ("label",)),
    "leads": ("lead", ("offer",)),
    "unproven": ("unproven offer", ("offer", "material", "end_use", "demand_material", "rule", "stage")),
    "blocked": ("blocked offer", ("offer", "material", "end_use", "demand_material", "rule")),
    "limits": ("limit", ("rule", "label")),
    "levels": ("level", ("rank",)),
    "by_months": ("shortage by months", ("demand",)),
    "rounded": ("rounded date or lead time", ("kind", "name", "stated")),
    "periods": ("period", ("label",)),
    "plugins": ("source", ("kind", "name")),
}
"""Field of a run -> what one of its entries is called, and what tells them apart; entries of other lists are told apart by position."""


def differences(told: Mapping[str, object], expected: Mapping[str, object], file: Path) -> list[Diagnostic]:
    """Where a run as JSON says something else than the facts give."""
    found: list[Diagnostic] = []
    for field in expected:
        if field not in _LISTS:
            found += _values(told.get(field), expected[field], (field,), file, "")
        else:
            ours, theirs = _entries(told.get(field)), _entries(expected[field])
            found += differences_in_rows(ours, theirs, field, file) or _out_of_order(ours, theirs, field, file)
    return found


def _out_of_order(
    told: Sequence[Mapping[str, object]], expected: Sequence[Mapping[str, object]], field: str, file: Path
) -> list[Diagnostic]:
    """The first of the same entries that stands where another belongs: charts and first lines go by their order."""
    pairs = enumerate(zip(told, expected, strict=False))
    number = next((number for number, (ours, theirs) in pairs if ours != theirs), None)
    if number is None:
        return []
    noun, key = _LISTS[field]
    names = (_named(tuple(_text(entry.get(column)) for column in key)) for entry in (told[number], expected[number]))
    message, place = f"{noun}s stand in another order than the facts give", path_of((field, number))
    return [Diagnostic(message, str(file), column=place, found=next(names), expected=next(names))]


def differences_in_rows(
    told: Sequence[Mapping[str, object]],
    expected: Sequence[Mapping[str, object]],
    field: str,
    file: Path,
    only: Collection[str] = (),
) -> list[Diagnostic]:
    """Differences between the entries of one list of a run, told apart by what names them; `only` in some fields, if any are given."""
    noun, key = _LISTS[field]
    here = _by_key([(number, entry) for number, entry in enumerate(told)], key)
    there = _by_key(list(enumerate(expected)), key)
    found: list[Diagnostic] = []
    for name in [*there, *(name for name in here if name not in there)]:
        subject = f"{noun} {_named(name)}"
        ours, theirs = here.get(name, []), there.get(name, [])
        for (number, entry), (_, right) in zip(ours, theirs, strict=False):
            found += _values(_part(entry, only), _part(right, only), (field, number), file, subject)
        for number, _ in ours[len(theirs) :]:
            found.append(
                Diagnostic(f"{subject}: the facts give no such {noun}", str(file), column=path_of((field, number)))
            )
        for _ in theirs[len(ours) :]:
            found.append(Diagnostic(f"{subject}: is missing, though the facts give it", str(file), column=field))
    return found


def _part(entry: Mapping[str, object], only: Collection[str]) -> Mapping[str, object]:
    return {name: value for name, value in entry.items() if name in only} if only else entry


def _by_key(
    entries: Sequence[tuple[int, Mapping[str, object]]], key: tuple[str, ...]
) -> dict[Key, list[tuple[int, Mapping[str, object]]]]:
    return grouped((tuple(_text(entry.get(column)) for column in key), (number, entry)) for number, entry in entries)


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _named(key: Key) -> str:
    return "/".join(part for part in key if part)


def _values(
    told: object, expected: object, path: tuple[str | int, ...], file: Path, subject: str
) -> Iterator[Diagnostic]:
    """Differences between two JSON values, down to the single figure."""
    if isinstance(told, dict) and isinstance(expected, dict):
        for name in [*expected, *(name for name in told if name not in expected)]:
            yield from _values(told.get(name), expected.get(name), (*path, name), file, subject)
    elif _records(told) and _records(expected) and len(told) == len(expected):
        for number, (ours, theirs) in enumerate(zip(told, expected, strict=True)):
            yield from _values(ours, theirs, (*path, number), file, subject)
    elif told != expected:
        name = ".".join(str(step) for step in path[2:] if isinstance(step, str)) if subject else path_of(path)
        message = f"{subject}: " if subject else ""
        message += f"`{name or path_of(path)}` is not what the facts give"
        yield Diagnostic(message, str(file), column=path_of(path), found=shown(told), expected=shown(expected))


def _entries(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else ()


def _records(value: object) -> TypeGuard[list[dict[str, object]]]:
    """Whether it is a list of records; a list of words is compared as one figure."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def differences_in_table(
    table: RunTable, told: Table, expected: Sequence[Cells], source: str = "the facts give"
) -> list[Diagnostic]:
    """Where a table of the folder says something else than the `source`: file, row and column of each."""
    columns = tuple(sorted(told.columns, key=told.columns.__getitem__))
    if columns == table.columns and [tuple(row.cells) for row in told.rows] == expected:
        return []  # letter by letter, as it is written
    here: defaultdict[Key, list[TableRow]] = defaultdict(list)
    there: defaultdict[Key, list[Mapping[str, str]]] = defaultdict(list)
    for row in told.rows:
        here[tuple(told.text(row, column) for column in table.key)].append(row)
    for cells in expected:
        right = dict(zip(table.columns, cells, strict=True))
        there[tuple(right[column] for column in table.key)].append(right)
    found: list[Diagnostic] = []
    for key in [*there, *(key for key in here if key not in there)]:
        rows, entries = here.get(key, []), there.get(key, [])
        subject = f"{table.noun} {_named(key)}"
        for row, entry in zip(rows, entries, strict=False):
            found += _cells(told, row, entry, subject, source)
        for row in rows[len(entries) :]:
            found.append(Diagnostic(f"{subject}: {source} no such {table.noun}", told.file, row.line))
        for _ in entries[len(rows) :]:
            found.append(Diagnostic(f"{subject}: is missing, though {source} it", told.file))
    return found


def _cells(told: Table, row: TableRow, expected: Mapping[str, str], subject: str, source: str) -> Iterator[Diagnostic]:
    for column, right in expected.items():
        text = told.text(row, column)
        if not same(text, right):
            message = f"{subject}: `{column}` is not what {source}"
            yield Diagnostic(message, told.file, row.line, column, found=shown(text), expected=shown(right))


def same(one: str, other: str) -> bool:
    """Whether two cells say the same: equal texts, or equal numbers, however a spreadsheet writes them."""
    if one.strip() == other.strip():
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
