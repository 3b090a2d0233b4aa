"""The tables of a run folder: which records each holds, what tells its rows apart, and how a value is written in a cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..domain.base import Record
from ..domain.held import RunStock
from ..domain.run import Run, RunDelivery, RunDiscount, RunDraw, RunPurchase
from ..domain.unmet import RunShortage
from ..inert import cell_inert

RUN_FILE = "run.json"
FACTS_FILE = "facts.json"


class RunVerdict(Record):
    """One verdict of a rule on something bought, for one use it may end in."""

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
    countries: list[str]
    """Countries that decided."""
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
    record: type[Record]
    noun: str
    """What one row is."""
    key: tuple[str, ...]
    """Columns that tell its rows apart."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its header."""
        return tuple(self.record.model_fields)


PURCHASES = RunTable(
    "purchases.csv", "purchases", RunPurchase, "purchase", ("offer", "material", "place", "ordered", "requirement")
)
VERDICTS = RunTable(
    "verdicts.csv",
    "",
    RunVerdict,
    "verdict",
    ("offer", "material", "place", "requirement", "ordered", "demand_material", "end_use", "rule", "days"),
)
TABLES: tuple[RunTable, ...] = (
    PURCHASES,
    RunTable("discounts.csv", "discounts", RunDiscount, "settled price schedule", ("schedule", "span")),
    RunTable("inputs.csv", "draws", RunDraw, "input", ("offer", "material", "place", "requirement", "period")),
    RunTable("stock.csv", "stocks", RunStock, "stock", ("material", "place", "requirement", "period")),
    RunTable("deliveries.csv", "deliveries", RunDelivery, "delivery", ("demand", "period", "requirement", "waivers")),
    RunTable("shortages.csv", "shortages", RunShortage, "shortage", ("demand", "period")),
    VERDICTS,
)
"""All tables, in the order in which they are written."""


def rows_of(table: RunTable, run: Run, verdicts: Sequence[RunVerdict]) -> list[dict[str, str]]:
    """The rows of a table as texts of cells."""
    records: Iterable[Record] = getattr(run, table.field) if table.field else verdicts
    return [{name: cell(getattr(record, name)) for name in table.columns} for record in records]


def table_text(table: RunTable, rows: Iterable[dict[str, str]]) -> str:
    """A table as CSV, in which no spreadsheet computes anything: see `inert.cell_inert`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, table.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: cell_inert(text) for name, text in row.items()} for row in rows)
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
