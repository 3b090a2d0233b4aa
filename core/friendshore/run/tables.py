"""The tables of a run folder: which records each holds, what tells its rows apart, and how a value is written in a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from ..domain.run import Run, RunDelivery, RunDiscount, RunDraw, RunPurchase, RunStock
from ..domain.unmet import RunShortage
from ..inert import cell_inert

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
