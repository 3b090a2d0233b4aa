"""Tables of a run folder, how a value is written in a cell, and every difference between a run and its facts."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, TypeGuard

from ..domain.base import grouped
from ..domain.run import Run, RunDelivery, RunDiscount, RunDraw, RunPurchase, RunStock
from ..domain.unmet import RunShortage
from ..errors import Diagnostic
from ..inert import cell_inert
from ..reading.csvfile import Table, TableRow
from ..reading.records import path_of, shown

RUN_FILE = "run.json"
FACTS_FILE = "facts.json"


class RunVerdict(NamedTuple):
    """One verdict of a rule on something bought, for one use it may end in, as it stands in the table. A plan has ten thousands of them."""

    offer: str
    """Offer, stock or order."""
    material: str
    place: str
    requirement: str
    ordered: str
    delivered: str
    demand_material: str
    """Material of the final use."""
    end_use: str
    rule: str
    result: str
    """`pass`, `fail` or `unproven`."""
    stage: str
    countries: str
    """Countries that decided, as a cell tells a list."""
    clause: str
    days: str
    """Days on which the rule was asked to hold."""
    reason: str


@dataclass(frozen=True, slots=True)
class RunTable:
    """A table of a run folder."""

    file: str
    field: str
    """Field of `Run` that it holds; empty: verdicts, which are not in `run.json`."""
    columns: tuple[str, ...]
    """Its header: the fields of its records."""
    noun: str
    """What one row is."""
    key: tuple[str, ...]
    """Columns that tell its rows apart."""


Cells = tuple[str, ...]
"""A row of a table, in the order of its columns."""

PURCHASES = RunTable(
    "purchases.csv",
    "purchases",
    tuple(RunPurchase.model_fields),
    "purchase",
    ("offer", "material", "place", "ordered", "requirement"),
)
VERDICTS = RunTable(
    "verdicts.csv",
    "",
    RunVerdict._fields,
    "verdict",
    ("offer", "material", "place", "requirement", "ordered", "demand_material", "end_use", "rule", "days"),
)
TABLES: tuple[RunTable, ...] = (
    PURCHASES,
    RunTable(
        "discounts.csv", "discounts", tuple(RunDiscount.model_fields), "settled price schedule", ("schedule", "span")
    ),
    RunTable(
        "inputs.csv",
        "draws",
        tuple(RunDraw.model_fields),
        "input",
        ("offer", "material", "place", "requirement", "period"),
    ),
    RunTable(
        "stock.csv", "stocks", tuple(RunStock.model_fields), "stock", ("material", "place", "requirement", "period")
    ),
    RunTable(
        "deliveries.csv",
        "deliveries",
        tuple(RunDelivery.model_fields),
        "delivery",
        ("demand", "period", "requirement", "waivers"),
    ),
    RunTable("shortages.csv", "shortages", tuple(RunShortage.model_fields), "shortage", ("demand", "period")),
    VERDICTS,
)
"""All tables, in the order in which they are written."""


def rows_of(table: RunTable, run: Run, verdicts: Sequence[RunVerdict]) -> list[Cells]:
    """The rows of a table as texts of cells."""
    if not table.field:
        return list(verdicts)
    values = attrgetter(*table.columns)
    return [tuple([cell(value) for value in values(record)]) for record in getattr(run, table.field)]


def table_text(table: RunTable, rows: Iterable[Cells]) -> str:
    """A table as CSV, in which no spreadsheet computes anything: see `inert.cell_inert`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    inert = cache(cell_inert)  # most cells of a table are equal to many others
    writer.writerows(map(inert, row) for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """A value as it stands in a cell: numbers without an exponent, lists set apart by `;`."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return "; ".join(f"{name}: {' '.join(words) or '?'}" for name, words in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)


def plain(number: Decimal) -> str:
    """A number with all its digits, no exponent and no zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
    """Return True if it is a list of records; a list of words is compared as one figure."""
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
        here[tuple(row.text(column) for column in table.key)].append(row)
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
        text = row.text(column)
        if not same(text, right):
            message = f"{subject}: `{column}` is not what {source}"
            yield Diagnostic(message, told.file, row.line, column, found=shown(text), expected=shown(right))


def same(one: str, other: str) -> bool:
    """Return True if two cells say the same: equal texts, or equal numbers, however a spreadsheet writes them."""
    if one.strip() == other.strip():
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
