"""Order sheets, which a buyer fills in, as a workbook or a CSV file."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..catalog.sheets import Sheet, workbook
from ..domain.base import grouped
from ..domain.case import Case, OrderSpec
from ..domain.values import label
from ..errors import Diagnostic
from ..inert import cell_inert
from ..problem.demands import input_problems
from ..problem.merged import Merged
from ..reading import kinds as k
from ..reading.csvfile import Table, TableRow, read_table
from ..reading.fields import Field, Layout
from ..reading.workbook import is_workbook, read_workbook, sheet_table
from .lines import OrderLine, plan_id

SHEET = "orders"
PLAN = "plan"
NUMBER, PLACED, ARRIVES, CONFIRMED = "order_number", "date_placed", "confirmed_arrival", "confirmed_kg"
_FILL_IN: Mapping[str, Field] = {
    NUMBER: Field(NUMBER, k.kind_of(label), "Number of the purchase order. It must be unique, so add the item number.", "4711-10"),
    PLACED: Field(PLACED, k.DATE, "Day on which the order was placed.", "2026-11-02"),
    ARRIVES: Field(ARRIVES, k.DATE, "Day of arrival that the supplier has confirmed, or day on which it arrived.", "2027-01-25"),
    CONFIRMED: Field(CONFIRMED, k.NON_NEGATIVE, "Kilograms that the supplier has confirmed, or that arrived.", "12000"),
}  # fmt: skip
INPUTS, DOCUMENT, SIGNED = "confirmed_inputs", "inputs_document", "inputs_date"
CONFIRM: Mapping[str, Field] = {
    INPUTS: Field(INPUTS, k.TEXTS, "`yes` if the supplier confirms the planned inputs, otherwise ids of the confirmed offers, separated by `;`. Blank: unproven.", "yes"),
    DOCUMENT: Field(DOCUMENT, k.TEXT, "Document in which the supplier confirms them.", "AB-4711"),
    SIGNED: Field(SIGNED, k.DATE, "Date of this document.", "2026-11-05"),
}  # fmt: skip
NO_DOCUMENT = frozenset({"yes", "no", "none", "na", "tbd", "tba", "pending", "unknown", "later", ""})
"""Words that don't name a document, without punctuation."""
YES = ("yes",)
_COLUMNS: Mapping[str, Field] = {
    "supplier": Field("supplier", k.TEXT, "Company to order from.", "Acme Metals"),
    "facility": Field("facility", k.TEXT, "Plant that delivers.", "Acme smelter"),
    "item": Field("item", k.TEXT, "Name of the material.", "Gallium metal 4N"),
    "quantity_kg": Field("quantity_kg", k.NON_NEGATIVE, "Kilograms to order.", "12000"),
    "kilograms_of": Field("kilograms_of", k.TEXT, "Basis of these kilograms.", "Sb in it"),
    "destination": Field("destination", k.TEXT, "Place of delivery.", "US"),
    "incoterm": Field("incoterm", k.TEXT, "Incoterm of the benchmark that the price follows. Blank: unknown.", "CIF"),
    "order_by": Field("order_by", k.DATE, "Last day to order, or first day if the note says to order at once. Blank: it has been placed.", "2026-11-06"),
    "needed_on": Field("needed_on", k.DATE, "Day on which stock and dated arrivals no longer suffice, or the last day of its period. If an earlier arrival reduces a shortage, the day on which it can arrive.", "2027-01-01"),
    "price_per_kg": Field("price_per_kg", k.TEXT, "Price before discounts. Blank: see the run.", "41.9"),
    "total": Field("total", k.TEXT, "Price of the whole line before discounts.", "929835.62"),
    "currency": Field("currency", k.TEXT, "Currency of price and total.", "EUR"),
    "note": Field("note", k.TEXT, "Notes on the line.", "processing fee"),
    "made_from": Field("made_from", k.TEXT, "Planned inputs: plant, and country of each stage.", "NdPr oxide from Acme mine, AU (mined AU)"),
    **_FILL_IN,
    **CONFIRM,
    "offer": Field("offer", k.TEXT, "Id of the offer.", "acme-gallium"),
    "material": Field("material", k.TEXT, "Id of the material.", "gallium-metal-4n"),
    "inputs": Field("inputs", k.TEXT, "Ids of the offers of these inputs.", "acme-oxide"),
    "line": Field("line", k.TEXT, "Line number.", "12", required=True),
    PLAN: Field(PLAN, k.TEXT, "Identifier of the plan.", "3f2a9c01d7be", required=True),
}  # fmt: skip
"""Columns in order. Names come before ids."""
LAYOUT = Layout(SHEET, "Purchases to order, and placed orders.", tuple(_COLUMNS.values()))
_SIGNED_NUMBERS = frozenset(("price_per_kg", "total"))
"""Numeric columns, which may be negative."""
_WRITE_AGAIN = "write the sheet again with `friendshore orders RUN --out FILE`"
_BEYOND_PLAN = "state an order that differs from the plan as an [[order]] of the case file"


def order_sheet(lines: Sequence[OrderLine], case: str, file: Path) -> bytes:
    """Return the bytes of a sheet, as a workbook or as CSV by the extension of the file."""
    rows = [[_cells(line, plan_id(case, lines))[column] for column in LAYOUT.names] for line in lines]
    if is_workbook(file):
        numbers = {name: Field(name, k.NON_NEGATIVE, _COLUMNS[name].doc) for name in _SIGNED_NUMBERS}
        inputs = dict.fromkeys((*_FILL_IN, *CONFIRM), "read back as an open order.")
        return workbook(
            file.name, [Sheet(SHEET, LAYOUT.names, rows, {**_COLUMNS, **numbers}, typed=True, inputs=inputs)]
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LAYOUT.names)
    writer.writerows([cell_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cells(line: OrderLine, plan: str) -> dict[str, str]:
    """Return every cell of a line. The cells to fill in are blank unless the order has been placed."""
    order, cells = line.placed, dict.fromkeys((*_FILL_IN, *CONFIRM), "")
    if order is not None:
        confirmed = f"{order.quantity.normalize():f}"
        cells |= {NUMBER: order.id, PLACED: str(order.ordered or ""), ARRIVES: str(order.arrives), CONFIRMED: confirmed}
        confirmed_inputs = "; ".join(order.inputs) if order.confirmed_by else ""
        cells |= {INPUTS: confirmed_inputs, DOCUMENT: order.confirmed_by, SIGNED: str(order.confirmed_on or "")}
    return {**line.texts, **cells, PLAN: plan}


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A row of a sheet with an order."""

    line: OrderLine
    number: str
    placed: date | None
    """Date of the order. None if the case states the order without a date."""
    arrives: date
    quantity: Decimal
    row: int
    inputs: tuple[str, ...] = ()
    """Offers of its inputs. Empty unless the supplier has confirmed them."""
    confirmed_by: str = ""
    confirmed_on: date | None = None
    file: str = ""
    """Sheet, for messages."""


@dataclass(slots=True)
class FilledSheet:
    """Reader of a filled-in sheet."""

    path: Path
    case: str
    lines: Sequence[OrderLine]
    merged: Merged
    until: date
    problems: list[Diagnostic] = field(default_factory=list)

    def read(self) -> tuple[PlacedLine, ...]:
        table = self._table()
        for name in LAYOUT.names if table.columns else ():
            if name not in table.columns and not _COLUMNS[name].required:
                expected = _COLUMNS[name].expected
                message = "a required column is missing"
                table.report(message, table.head_line, name, expected=expected, fix=_WRITE_AGAIN, code="FS002")
        by_line = {line.line: line for line in self.lines}
        all_placed: list[PlacedLine] = []
        own_id = plan_id(self.case, self.lines)
        foreign_rows = [row for row in table.rows if row.values.get(PLAN, own_id) != own_id]
        for row in foreign_rows[:1]:
            fix = "name the run that it was written from, or write the sheet again"
            row.problem(PLAN, "the sheet belongs to another plan", f"`{own_id}`", fix, "FS214")
        for row in [] if foreign_rows else table.rows:
            line = by_line.get(str(row.values.get("line", "")))
            if line is not None:
                self._check_planned_cells(row, line)
                placed = self._placed(row, line)
                all_placed += [] if placed is None else [placed]
            elif "line" in row.values:
                expected = f"1 to {len(self.lines)}, or `open-` and the number of an order"
                row.problem(
                    "line", "the plan has no such line", expected, f"delete the row, and {_BEYOND_PLAN}", "FS214"
                )
        self._check_numbers(table, all_placed)
        self._check_quantities(table, all_placed)
        return tuple(all_placed)

    def _table(self) -> Table:
        if not is_workbook(self.path):
            return read_table(self.path, LAYOUT, self.problems)
        book = read_workbook(self.path, self.problems)
        sheet = book.named(SHEET)
        if sheet is not None:
            return sheet_table(book, sheet, LAYOUT, self.problems)
        table = Table(LAYOUT, book.place(SHEET), self.problems)
        if not self.problems:
            table.report(f"the workbook has no sheet `{SHEET}`", fix=_WRITE_AGAIN, code="FS214")
        return table

    def _check_planned_cells(self, row: TableRow, line: OrderLine) -> None:
        """Report each cell that differs from the plan, because its row may be about another purchase."""
        for column, planned in line.texts.items():
            text = row.text(column)
            is_number = column in _SIGNED_NUMBERS and not planned.startswith("-")
            kind = k.NON_NEGATIVE if is_number else _COLUMNS[column].kind
            if column in row.table.columns and column not in row.bad and not kind.same(text, planned):
                expected, fix = f"`{planned}`" if planned else "a blank cell", f"restore the cell, and {_BEYOND_PLAN}"
                row.problem(column, "this cell differs from the plan", expected, fix, "FS215")

    def _placed(self, row: TableRow, line: OrderLine) -> PlacedLine | None:
        """Return the order in a row. None if the row is blank or invalid."""
        filled = [name for name in (*_FILL_IN, *CONFIRM) if row.text(name)]
        if not filled:
            return None
        before = len(self.problems)
        confirmed = self._confirmed(row, line)
        may_lack_date = line.placed is not None and line.placed.ordered is None
        for name in _FILL_IN:
            if not row.text(name) and not (name == PLACED and may_lack_date):
                fix = "fill in this cell, or leave all of " + ", ".join(_FILL_IN) + " blank"
                row.problem(name, "the order is incomplete", _FILL_IN[name].expected, fix, "FS216")
        values: dict[str, Any] = row.values
        day, arrives, quantity = values.get(PLACED), values.get(ARRIVES), values.get(CONFIRMED)
        if day is not None and arrives is not None and arrives < day:
            fix = "correct one of the two days"
            row.problem(ARRIVES, "the order arrives before it was placed", f"{day} or later", fix, "FS217")
        if arrives is not None and arrives > self.until:
            fix = "correct the day, or plan more `periods`"
            row.problem(ARRIVES, "the order arrives after the plan ends", f"a day up to {self.until}", fix, "FS218")
        if quantity is not None and not quantity:
            # A blank row of an open order keeps the order of the case.
            cancel = "if the order was canceled, delete its [[order]] from the case, and leave the row blank"
            fix = "leave the row blank if nothing was ordered" if line.placed is None else cancel
            row.problem(CONFIRMED, "the confirmed quantity is 0", "above 0", fix, "FS219")
        if line.is_part:
            fix = f"state an [[order]] of `{line.offer}` in units of the offer, and leave the row blank"
            message = "this is one of several goods that the offer delivers together, so it can't be ordered separately"
            row.problem(NUMBER, message, "", fix, "FS222")
        if row.bad & {*_FILL_IN, *CONFIRM} or len(self.problems) > before or arrives is None or quantity is None:
            return None
        return PlacedLine(line, str(values[NUMBER]), day, arrives, quantity, row.line, *confirmed, row.table.file)

    def _confirmed(self, row: TableRow, line: OrderLine) -> tuple[tuple[str, ...], str, date | None]:
        """Return the confirmed inputs of a row, the document, and its date, and report errors."""
        blank = [name for name in CONFIRM if not row.text(name)]
        if len(blank) == len(CONFIRM):
            return (), "", None
        for name in blank:
            fix = "fill in this cell, or leave all of " + ", ".join(CONFIRM) + " blank, so that the inputs are unproven"
            row.problem(name, "the confirmation of the inputs is incomplete", CONFIRM[name].expected, fix, "FS216")
        values: dict[str, Any] = row.values
        inputs, placed, signed = values.get(INPUTS) or (), values.get(PLACED), values.get(SIGNED)
        names = tuple(str(name).strip() for name in inputs)
        if not line.takes_inputs:
            row.problem(INPUTS, "the offer has no inputs", "a blank cell", "leave the three cells blank", "FS220")
        elif tuple(map(str.casefold, names)) == YES:
            names = self._planned_inputs(row, line)
        elif names:
            for problem in input_problems(line.offer, names, self.merged, INPUTS, complete=True):
                row.problem(INPUTS, problem.message, problem.expected, problem.fix, problem.code)
        document = str(values.get(DOCUMENT) or "")
        if document and "".join(filter(str.isalnum, document)).casefold() in NO_DOCUMENT:
            fix = "name the document, or leave the three cells blank, so that the inputs are unproven"
            row.problem(DOCUMENT, "this isn't the name of a document", CONFIRM[DOCUMENT].expected, fix, "FS220")
        if placed is not None and signed is not None and signed < placed:
            fix = "name the document in which the supplier confirms this order"
            message = "the document is older than the order"
            row.problem(SIGNED, message, f"{placed} or later", fix, "FS217")
        if signed is not None and signed > self.until:
            message = "the document is dated after the plan ends"
            row.problem(SIGNED, message, f"a day up to {self.until}", "correct the day", "FS218")
        return tuple(dict.fromkeys(names)), document, signed

    def _planned_inputs(self, row: TableRow, line: OrderLine) -> tuple[str, ...]:
        """Return the planned inputs of a line, and report an error if a confirmation can't name all of them."""
        fix = "name the offers that the supplier confirms, separated by `;`, or leave the three cells blank"
        if line.unnamed:
            message = f"the planned inputs include {', '.join(line.unnamed)}, whose origin no offer states"
            row.problem(INPUTS, message, "the offers of all inputs", fix, "FS220")
        elif not line.inputs:
            row.problem(INPUTS, "the plan has no inputs to confirm", "the offers of all inputs", fix, "FS220")
        else:
            for problem in input_problems(line.offer, line.inputs, self.merged, INPUTS, complete=True):
                row.problem(INPUTS, problem.message, problem.expected, fix, problem.code)
        return line.inputs

    def _check_numbers(self, table: Table, all_placed: Iterable[PlacedLine]) -> None:
        seen: dict[str, int] = {}
        line_by_order = {line.placed.id: line.line for line in self.lines if line.placed is not None}
        rows = {row.line: row for row in table.rows}
        for placed in all_placed:
            fix = "give each row its own number by adding the item number, like `4711-10`"
            if placed.number in seen:
                message = f"row {seen[placed.number]} has the same order number"
                rows[placed.row].problem(NUMBER, message, "different numbers", fix, "FS221")
            elif line_by_order.get(placed.number, placed.line.line) != placed.line.line:
                message = "another order of the case has this number"
                rows[placed.row].problem(NUMBER, message, "an unused number", fix, "FS221")
            seen.setdefault(placed.number, placed.row)

    def _check_quantities(self, table: Table, all_placed: Sequence[PlacedLine]) -> None:
        rows = {row.line: row for row in table.rows}
        for line, orders in grouped((placed.line.line, placed) for placed in all_placed).items():
            planned, total = orders[0].line.quantity, sum((placed.quantity for placed in orders), Decimal(0))
            if total > planned and (orders[0].line.placed is None or len(orders) > 1):
                numbers = ", ".join(str(placed.row) for placed in orders)
                subject = "the confirmed quantity is" if len(orders) == 1 else f"rows {numbers} together confirm"
                expected, fix = f"at most {planned.normalize():f} in all", f"correct the quantity, or {_BEYOND_PLAN}"
                rows[orders[-1].row].problem(CONFIRMED, f"{subject} more than line {line}", expected, fix, "FS219")


@dataclass(frozen=True, slots=True)
class CurrentOrder:
    """A placed order of the case or of the sheet, with the latest information."""

    order: OrderSpec
    position: int | None
    """Position among the orders of the case. None if the case doesn't have it yet."""
    line: OrderLine | None
    """None if the plan doesn't have it."""
    is_changed: bool


def current_orders(
    case: Case, lines: Sequence[OrderLine], all_placed: Sequence[PlacedLine], problems: list[Diagnostic]
) -> list[CurrentOrder]:
    """Return every order of the case and of the sheet. A row of the sheet replaces its order in the case."""
    by_line = {line.line: line for line in lines}
    rows_by_order = defaultdict(list)
    for placed in all_placed:
        rows_by_order[placed.line.placed.id if placed.line.placed is not None else placed.number].append(placed)
    orders = []
    for position, (name, order) in enumerate(zip(case.order_names, case.orders, strict=True)):
        rows = rows_by_order.pop(name, [])
        for row in rows:
            if (row.line.offer, row.line.place) != (order.offer, order.place or case.place):
                message = f"another order of the case, of `{order.offer}`, has this number"
                fix = "give the order its own number by adding the item number, like `4711-10`"
                expected = "an unused number"
                problems.append(
                    Diagnostic(message, row.file, row.row, "order_number", row.number, expected, fix, "FS221")
                )
        if not rows:
            orders.append(CurrentOrder(order.but(id=name), position, by_line.get(f"open-{name}"), is_changed=False))
        for number, row in enumerate(rows):
            order_of_row = order_spec(row, order)
            is_same = order_of_row.but(id="") == order.but(id="", place=order.place or case.place)
            position_of_row = position if number == 0 else None
            is_changed = not is_same or row.number != name
            orders.append(CurrentOrder(order_of_row, position_of_row, row.line, is_changed))
    for rows in rows_by_order.values():
        orders += [CurrentOrder(order_spec(row, row.line.placed), None, row.line, is_changed=True) for row in rows]
    return orders


def order_spec(placed: PlacedLine, before: OrderSpec | None) -> OrderSpec:
    """Return a row of the sheet as an order of the case. `before` is the order that it replaces."""
    return OrderSpec(
        id=placed.number,
        offer=placed.line.offer,
        quantity=placed.quantity,
        substance=before.substance if before is not None else "",
        arrives=placed.arrives,
        ordered=placed.placed,
        place=placed.line.place,
        inputs=placed.inputs or placed.line.inputs,
        confirmed_by=placed.confirmed_by,
        confirmed_on=placed.confirmed_on,
        why=before.why if before is not None else "",
    )
