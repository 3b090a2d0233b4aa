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

from ..domain.differences import Steps, paired
from ..domain.differences import differences as record_differences
from ..domain.run import Run, RunDelivery, RunDiscount, RunDraw, RunPurchase, RunStock
from ..domain.unmet import RunShortage
from ..errors import Diagnostic
from ..inert import cell_inert
from ..reading.csvfile import Table
from ..reading.records import path_of, shown

RUN_FILE = "run.json"
FACTS_FILE = "facts.json"


class RunVerdict(NamedTuple):
    """A table row with the verdict of a rule on a purchase, for one use that it may end in. A tuple, since a plan has tens of thousands."""

    offer: str
    """Id of an offer, stock lot, or open order."""
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
    """A table of a run folder."""

    file: str
    field: str
    """Field of `Run` with the rows. Empty for verdicts, which aren't in `run.json`."""
    columns: tuple[str, ...]
    """Header: the fields of its records."""
    noun: str
    """Noun for one row."""
    key: tuple[str, ...]
    """Columns that identify a row."""


Cells = tuple[str, ...]
"""Cells of a row, in the order of the columns."""

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
    """Return the rows of a table as text."""
    if not table.field:
        return list(verdicts)
    values = attrgetter(*table.columns)
    return [tuple([cell(value) for value in values(record)]) for record in getattr(run, table.field)]


def table_text(table: RunTable, rows: Iterable[Cells]) -> str:
    """Return a table as CSV without cells that a spreadsheet would evaluate (see `inert.cell_inert`)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    inert = cache(cell_inert)  # most cells of a table are equal to many others
    writer.writerows(map(inert, row) for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """Return a value as text of a cell: numbers without an exponent, and lists separated by `;`."""
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
    """Return a number with all its digits, without an exponent or trailing zeros."""
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
"""Field of a run -> noun for its entries, and the fields that identify one. Entries of other lists are identified by position."""
_FACTS_GIVE = "the facts give"
"""Reference of a comparison, for messages."""


def differences(told: Mapping[str, object], expected: Mapping[str, object], file: Path) -> list[Diagnostic]:
    """Return the differences between `run.json` and the run that the facts give."""
    found: list[Diagnostic] = []
    for field in expected:
        if field not in _LISTS:
            for path, ours, theirs in record_differences(told.get(field), expected[field], path=(field,)):
                message, place = f"`{path_of(path)}` is not what {_FACTS_GIVE}", path_of(path)
                found.append(Diagnostic(message, str(file), None, place, shown(ours), shown(theirs)))
        else:
            mine, right = _entries(told.get(field)), _entries(expected[field])
            found += differences_in_rows(mine, right, field, file) or _out_of_order(mine, right, field, file)
    return found


def _entries(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else ()


def _out_of_order(
    told: Sequence[Mapping[str, object]], expected: Sequence[Mapping[str, object]], field: str, file: Path
) -> list[Diagnostic]:
    """Return the first entry in another order than the facts give. Charts and summaries depend on the order."""
    pairs = enumerate(zip(told, expected, strict=False))
    number = next((number for number, (ours, theirs) in pairs if ours != theirs), None)
    if number is None:
        return []
    noun, key = _LISTS[field]
    names = (_named(_key_of(entry, key)) for entry in (told[number], expected[number]))
    message, place = f"{noun}s stand in another order than the facts give", path_of((field, number))
    return [Diagnostic(message, str(file), column=place, found=next(names), expected=next(names))]


def differences_in_rows(
    told: Sequence[Mapping[str, object]],
    expected: Sequence[Mapping[str, object]],
    field: str,
    file: Path,
    only: Collection[str] = (),
) -> list[Diagnostic]:
    """Return the differences between the entries of one list of a run, matched by key. If `only` is given, compare just those fields."""
    found = []
    for one in _row_differences(list(enumerate(told)), expected, *_LISTS[field], only=only):
        place = path_of((field, *((one.place, *one.path) if one.place is not None else ())))
        found.append(Diagnostic(one.message, str(file), None, place, one.found, one.expected))
    return found


def differences_in_table(
    table: RunTable, told: Table, expected: Sequence[Cells], source: str = _FACTS_GIVE
) -> list[Diagnostic]:
    """Return the differences between a table of the folder and the `source`, each with file, row, and column."""
    columns = tuple(sorted(told.columns, key=told.columns.__getitem__))
    if columns == table.columns and [tuple(row.cells) for row in told.rows] == expected:
        return []  # letter by letter, as it is written
    rows = [(row.line, {column: row.text(column) for column in table.columns}) for row in told.rows]
    right = [dict(zip(table.columns, cells, strict=True)) for cells in expected]
    return [
        Diagnostic(one.message, told.file, one.place, path_of(one.path), one.found, one.expected)
        for one in _row_differences(rows, right, table.noun, table.key, source, same)
    ]


class _RowDifference(NamedTuple):
    """A row that is on one side only, or a value that differs."""

    message: str
    place: int | None = None
    """Place of the row. None if it is missing."""
    path: Steps = ()
    found: str = ""
    expected: str = ""


def _row_differences(
    told: Iterable[tuple[int, Mapping[str, object]]],
    expected: Iterable[Mapping[str, object]],
    noun: str,
    key: tuple[str, ...],
    source: str = _FACTS_GIVE,
    equal: Callable[[Any, Any], bool] = eq,
    only: Collection[str] = (),
) -> Iterator[_RowDifference]:
    """Yield the differences between rows, and the rows that are on one side only."""
    ours = ((_key_of(row, key), (place, row)) for place, row in told)
    for name, mine, right in paired(ours, ((_key_of(row, key), row) for row in expected)):
        subject = f"{noun} {_named(name)}"
        if mine is None:
            yield _RowDifference(f"{subject}: is missing, though {source} it")
        elif right is None:
            yield _RowDifference(f"{subject}: {source} no such {noun}", mine[0])
        else:
            for path, one, other in record_differences(_part(mine[1], only), _part(right, only), equal=equal):
                value = ".".join(step for step in path if isinstance(step, str))
                message = f"{subject}: `{value}` is not what {source}"
                yield _RowDifference(message, mine[0], path, shown(one), shown(other))


def _part(entry: Mapping[str, object], only: Collection[str]) -> Mapping[str, object]:
    return {name: value for name, value in entry.items() if name in only} if only else entry


def _key_of(entry: Mapping[str, object], key: tuple[str, ...]) -> Key:
    values = map(entry.get, key)
    return tuple(" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in values)


def _named(key: Key) -> str:
    return "/".join(part for part in key if part)


def same(one: str, other: str) -> bool:
    """Return True if two cells are equal as text, or as numbers in any format that a spreadsheet may write."""
    if one.strip() == other.strip():
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
