"""Tables of a run folder: cell formats, and differences between a run and its facts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from operator import attrgetter, eq
from pathlib import Path
from typing import Any, NamedTuple

from ..domain.base import Record
from ..domain.differences import Steps, paired
from ..domain.differences import differences as record_differences
from ..domain.record_table import RecordTable
from ..domain.run import Run, RunDelivery, RunDiscount, RunDraw, RunPurchase, RunStock
from ..domain.unmet import RunShortage
from ..errors import Diagnostic
from ..inert import cell_inert
from ..reading.csvfile import Table
from ..reading.records import path_of, shown

RUN_FILE = "run.json"
FACTS_FILE = "facts.json"


class RunVerdict(NamedTuple):
    """A rule's verdict on a purchase, for one use that it may end in. A tuple, since a plan has tens of thousands."""

    offer: str
    """Id of an offer, stock lot, or open order."""
    material: str
    place: str
    compliance_class: str
    ordered: str
    delivered: str
    demand_material: str
    """Material of the final use."""
    end_use: str
    rule: str
    result: str
    """`pass`, `fail`, or `unproven`."""
    stage: str
    countries: str
    """Decisive countries, as a list in a cell."""
    clause: str
    days: str
    """Days on which the rule was checked."""
    reason: str


@dataclass(frozen=True, slots=True)
class RunTable:
    """Table of a run folder, with a CSV file."""

    file: str
    field: str
    """Field of `Run` with the rows. Empty for verdicts, which aren't in `run.json`."""
    row: type[Any]
    """Record of a row."""
    noun: str
    """Noun for one row."""
    key: tuple[str, ...]
    """Columns that identify a row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Header: the fields of the record."""
        return tuple(self.row.model_fields if issubclass(self.row, Record) else self.row._fields)


_PIECE = 100_000
"""Characters that are written at once."""
Cells = tuple[str, ...]
"""Cells of a row, in the order of the columns."""

PURCHASES = RunTable(
    "purchases.csv",
    "purchases",
    RunPurchase,
    "purchase",
    ("offer", "material", "place", "ordered", "compliance_class"),
)
VERDICTS = RunTable(
    "verdicts.csv",
    "",
    RunVerdict,
    "verdict",
    ("offer", "material", "place", "compliance_class", "ordered", "demand_material", "end_use", "rule", "days"),
)
TABLES: tuple[RunTable, ...] = (
    PURCHASES,
    RunTable("discounts.csv", "discounts", RunDiscount, "settled price schedule", ("schedule", "span")),
    RunTable(
        "inputs.csv",
        "draws",
        RunDraw,
        "input",
        ("offer", "material", "place", "compliance_class", "period"),
    ),
    RunTable(
        "stock.csv",
        "stocks",
        RunStock,
        "stock",
        ("material", "place", "compliance_class", "period"),
    ),
    RunTable(
        "deliveries.csv",
        "deliveries",
        RunDelivery,
        "delivery",
        ("demand", "period", "compliance_class", "waivers"),
    ),
    RunTable("shortages.csv", "shortages", RunShortage, "shortage", ("demand", "period")),
    VERDICTS,
)
"""All tables, in the order in which they are written."""


def rows_of(table: RunTable, run: Run, verdicts: Sequence[RunVerdict]) -> list[Cells]:
    return list(_rows(table, run, verdicts))


def _rows(table: RunTable, run: Run, verdicts: Sequence[RunVerdict]) -> Iterator[Cells]:
    if not table.field:
        yield from verdicts
        return
    records = getattr(run, table.field)
    if isinstance(records, RecordTable):
        yield from zip(*(records.mapped(name, cell) for name in table.columns), strict=True)
        return
    values = attrgetter(*table.columns)
    for record in records:
        yield tuple([cell(value) for value in values(record)])


def table_pieces(table: RunTable, run: Run, verdicts: Sequence[RunVerdict]) -> Iterator[bytes]:
    """Yield the bytes of a table as CSV, without cells that a spreadsheet would evaluate."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    inert = cache(cell_inert)  # Most cells of a table are equal to many others.
    for row in _rows(table, run, verdicts):
        writer.writerow(map(inert, row))
        if text.tell() > _PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def cell(value: object) -> str:
    """Return a value as a cell: numbers without an exponent, and lists separated by `;`."""
    if isinstance(value, str):
        return str(value)
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
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Key = tuple[str, ...]

_LISTS = {
    **{table.field: (table.noun, table.key) for table in TABLES if table.field},
    "materials": ("material", ("id",)),
    "demands": ("demand", ("id",)),
    "cash": ("sum of cash", ("period", "purpose", "place")),
    "dependence": ("dependence", ("scope", "name")),
    "ranges": ("range of a price", ("offer", "material")),
    "rules": ("rule", ("id",)),
    "makes": ("production", ("offer", "ordered", "compliance_class")),
    "lots": ("lot", ("lot", "compliance_class")),
    "holdings": ("stock or order", ("lot",)),
    "exposed": ("exposed rule", ("rule",)),
    "compliance_classes": ("compliance class", ("label",)),
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
"""Field of a run -> noun for its entries, and the fields that identify one. Entries of other lists are identified by position."""
_FACTS_GIVE = "the facts give"
"""Reference of a comparison, for messages."""


def differences(stored: Mapping[str, object], expected: Mapping[str, object], file: Path) -> list[Diagnostic]:
    problems: list[Diagnostic] = []
    for field in expected:
        if field not in _LISTS:
            for path, actual, expected_value in record_differences(stored.get(field), expected[field], path=(field,)):
                column = path_of(path)
                message = f"`{column}` is not what {_FACTS_GIVE}"
                problems.append(
                    Diagnostic(message, str(file), None, column, shown(actual), shown(expected_value), code="FS610")
                )
        else:
            entries, expected_entries = _entries(stored.get(field)), _entries(expected[field])
            problems += differences_in_rows(entries, expected_entries, field, file) or _out_of_order(
                entries, expected_entries, field, file
            )
    return problems


def _entries(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else ()


def _out_of_order(
    stored: Sequence[Mapping[str, object]], expected: Sequence[Mapping[str, object]], field: str, file: Path
) -> list[Diagnostic]:
    """Return an error for the first entry in another position than the facts give. Charts and summaries depend on the order."""
    pairs = enumerate(zip(stored, expected, strict=False))
    number = next((number for number, (entry, expected_entry) in pairs if entry != expected_entry), None)
    if number is None:
        return []
    noun, key = _LISTS[field]
    names = (_key_text(_key_of(entry, key)) for entry in (stored[number], expected[number]))
    message, column = f"{noun}s are in another order than the facts give", path_of((field, number))
    return [Diagnostic(message, str(file), column=column, found=next(names), expected=next(names), code="FS611")]


def differences_in_rows(
    stored: Sequence[Mapping[str, object]],
    expected: Sequence[Mapping[str, object]],
    field: str,
    file: Path,
    only: Collection[str] = (),
) -> list[Diagnostic]:
    """Return the differences between the entries of a list of a run, matched by key. `only` limits the compared fields."""
    problems = []
    for difference in _row_differences(list(enumerate(stored)), expected, *_LISTS[field], only=only):
        column = path_of((field, *((difference.place, *difference.path) if difference.place is not None else ())))
        problems.append(
            Diagnostic(
                difference.message, str(file), None, column, difference.found, difference.expected, code=difference.code
            )
        )
    return problems


def differences_in_table(
    table: RunTable, stored: Table, expected: Sequence[Cells], source: str = _FACTS_GIVE
) -> list[Diagnostic]:
    names = table.columns
    if (
        tuple(sorted(stored.columns, key=stored.columns.__getitem__)) == names
        and [tuple(row.cells) for row in stored.rows] == expected
    ):
        return []  # the cells are exactly as written
    rows = [(row.line, {column: row.text(column) for column in names}) for row in stored.rows]
    expected_rows = [dict(zip(names, cells, strict=True)) for cells in expected]
    return [
        Diagnostic(
            difference.message,
            stored.file,
            difference.place,
            path_of(difference.path),
            difference.found,
            difference.expected,
            code=difference.code,
        )
        for difference in _row_differences(rows, expected_rows, table.noun, table.key, source, same)
    ]


class _RowDifference(NamedTuple):
    message: str
    code: str
    place: int | None = None
    """Place of the row. None if it is missing."""
    path: Steps = ()
    found: str = ""
    expected: str = ""


def _row_differences(
    rows: Iterable[tuple[int, Mapping[str, object]]],
    expected: Iterable[Mapping[str, object]],
    noun: str,
    key: tuple[str, ...],
    source: str = _FACTS_GIVE,
    equal: Callable[[Any, Any], bool] = eq,
    only: Collection[str] = (),
) -> Iterator[_RowDifference]:
    keyed = ((_key_of(row, key), (place, row)) for place, row in rows)
    for name, placed_row, expected_row in paired(keyed, ((_key_of(row, key), row) for row in expected)):
        subject = f"{noun} {_key_text(name)}"
        if placed_row is None:
            yield _RowDifference(f"{subject} is missing, although {source} it", code="FS611")
        elif expected_row is None:
            yield _RowDifference(f"{subject}: {source} no such {noun}", code="FS611", place=placed_row[0])
        else:
            for path, actual, expected_value in record_differences(
                _selected(placed_row[1], only), _selected(expected_row, only), equal=equal
            ):
                value = ".".join(step for step in path if isinstance(step, str))
                message = f"{subject}: `{value}` is not what {source}"
                yield _RowDifference(message, "FS610", placed_row[0], path, shown(actual), shown(expected_value))


def _selected(entry: Mapping[str, object], only: Collection[str]) -> Mapping[str, object]:
    return {name: value for name, value in entry.items() if name in only} if only else entry


def _key_of(entry: Mapping[str, object], key: tuple[str, ...]) -> Key:
    values = map(entry.get, key)
    return tuple(" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in values)


def _key_text(key: Key) -> str:
    return "/".join(part for part in key if part)


def same(first: str, second: str) -> bool:
    """Return True if two cells are equal as text, or as numbers in any format that a spreadsheet may write."""
    if first.strip() == second.strip():
        return True
    try:
        return Decimal(first) == Decimal(second)
    except InvalidOperation:
        return False
