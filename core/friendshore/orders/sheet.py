"""Order sheets: the order lines of a plan as a workbook or a CSV file, and their reader.

A buyer fills in the orders, and for goods made from inputs, the supplier's confirmation of the inputs. All other cells must match the plan.
"""

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
from ..problem.demands import unfit_inputs
from ..problem.merged import Merged
from ..reading import kinds as k
from ..reading.csvfile import Table, TableRow, read_table
from ..reading.fields import Field, Layout
from ..reading.workbook import is_workbook, read_workbook, sheet_table
from .lines import OrderLine, edition

SHEET = "orders"
PLAN = "plan"
"""Column that identifies the plan of the sheet."""
NUMBER, PLACED, ARRIVES, CONFIRMED = "order_number", "date_placed", "confirmed_arrival", "confirmed_kg"
_FILL_IN: Mapping[str, Field] = {
    NUMBER: Field(NUMBER, k.kind_of(label), "Number of the purchase order: one for each row, so add its item number.", "4711-10"),
    PLACED: Field(PLACED, k.DATE, "Day on which the order was placed.", "2026-11-02"),
    ARRIVES: Field(ARRIVES, k.DATE, "Day of arrival that the supplier has confirmed, or on which it arrived.", "2027-01-25"),
    CONFIRMED: Field(CONFIRMED, k.NON_NEGATIVE, "Kilograms that the supplier has confirmed, or that arrived.", "12000"),
}  # fmt: skip
INPUTS, DOCUMENT, SIGNED = "confirmed_inputs", "inputs_document", "inputs_date"
CONFIRM: Mapping[str, Field] = {
    INPUTS: Field(INPUTS, k.TEXTS, "`yes` if the supplier confirms the planned inputs; other offers, set apart by `;`, if it names others. Blank: unproven.", "yes"),
    DOCUMENT: Field(DOCUMENT, k.TEXT, "Document in which the supplier confirms them.", "AB-4711"),
    SIGNED: Field(SIGNED, k.DATE, "Date of this document.", "2026-11-05"),
}  # fmt: skip
NO_DOCUMENT = frozenset({"yes", "no", "none", "na", "tbd", "tba", "pending", "unknown", "later", ""})
"""Words that don't name a document, without punctuation."""
YES = ("yes",)
"""Confirmation of the planned inputs."""
_GIVEN: Mapping[str, Field] = {
    "supplier": Field("supplier", k.TEXT, "Company to order from.", "Acme Metals"),
    "facility": Field("facility", k.TEXT, "Plant that delivers.", "Acme smelter"),
    "item": Field("item", k.TEXT, "Name of the material.", "Gallium metal 4N"),
    "quantity_kg": Field("quantity_kg", k.NON_NEGATIVE, "Kilograms to order.", "12000"),
    "kilograms_of": Field("kilograms_of", k.TEXT, "What these kilograms weigh.", "Sb in it"),
    "destination": Field("destination", k.TEXT, "Where to deliver.", "US"),
    "incoterm": Field("incoterm", k.TEXT, "Incoterm of the benchmark that the price follows; blank: none is known.", "CIF"),
    "order_by": Field("order_by", k.DATE, "Last day of the order, or the first if the note says to order at once; blank: it has been placed.", "2026-11-06"),
    "needed_on": Field("needed_on", k.DATE, "Day on which it must be there.", "2027-01-01"),
    "price_per_kg": Field("price_per_kg", k.TEXT, "Price before discounts; blank: see the run.", "41.9"),
    "total": Field("total", k.TEXT, "Price of the whole line before discounts.", "929835.62"),
    "currency": Field("currency", k.TEXT, "Of price and total.", "EUR"),
    "note": Field("note", k.TEXT, "What to know of the line.", "processing fee"),
    "made_from": Field("made_from", k.TEXT, "Planned inputs: plant and country of each step.", "NdPr oxide from Acme mine, AU (mined AU)"),
    **_FILL_IN,
    **CONFIRM,
    "offer": Field("offer", k.TEXT, "Id of the offer.", "acme-gallium"),
    "material": Field("material", k.TEXT, "Id of the material.", "gallium-metal-4n"),
    "inputs": Field("inputs", k.TEXT, "Ids of the offers of these inputs.", "acme-oxide"),
    "line": Field("line", k.TEXT, "Number of the line.", "12", required=True),
    PLAN: Field(PLAN, k.TEXT, "Plan that the sheet is of.", "3f2a9c01d7be", required=True),
}  # fmt: skip
"""Columns in order. Names come before ids."""
LAYOUT = Layout(SHEET, "What to buy, and what was ordered.", tuple(_GIVEN.values()))
_NUMBERS = frozenset(("price_per_kg", "total"))
"""Numeric columns, which may be negative."""
_AGAIN = "write the sheet again with `friendshore orders RUN --out FILE`"
_UNCHANGED = "this is not what the plan says: leave it as it was written"
_CORRECT = "restore the cell; what differs from the plan is an [[order]] of the case file"


def order_sheet(lines: Sequence[OrderLine], case: str, file: Path) -> bytes:
    """Return the sheet of some order lines, as a workbook or as CSV by the extension of the file.

    Raises:
        InputError: If XlsxWriter isn't installed, or a text contains characters that a workbook can't store.
    """
    rows = [[_cells(line, edition(case, lines))[column] for column in LAYOUT.names] for line in lines]
    if is_workbook(file):
        numbers = {name: Field(name, k.NON_NEGATIVE, _GIVEN[name].doc) for name in _NUMBERS}
        inputs = dict.fromkeys((*_FILL_IN, *CONFIRM), "read back as an open order.")
        return workbook(file.name, [Sheet(SHEET, LAYOUT.names, rows, {**_GIVEN, **numbers}, typed=True, inputs=inputs)])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LAYOUT.names)
    writer.writerows([cell_inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _cells(line: OrderLine, plan: str) -> dict[str, str]:
    """Return every cell of a line. Those of open orders are already filled in."""
    order, blank = line.placed, dict.fromkeys((*_FILL_IN, *CONFIRM), "")
    if order is not None:
        confirmed = f"{order.quantity.normalize():f}"
        blank |= {NUMBER: order.id, PLACED: str(order.ordered or ""), ARRIVES: str(order.arrives), CONFIRMED: confirmed}
        confirmed_inputs = "; ".join(order.inputs) if order.confirmed_by else ""
        blank |= {INPUTS: confirmed_inputs, DOCUMENT: order.confirmed_by, SIGNED: str(order.confirmed_on or "")}
    return {**line.texts, **blank, PLAN: plan}


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line of a plan that was ordered."""

    line: OrderLine
    number: str
    placed: date | None
    """Date of the order. None if the case states the order without a date."""
    arrives: date
    quantity: Decimal
    row: int
    """Row of the sheet."""
    inputs: tuple[str, ...] = ()
    """Offers of its inputs. Empty unless the supplier has confirmed them."""
    confirmed_by: str = ""
    confirmed_on: date | None = None


@dataclass(slots=True)
class FilledSheet:
    """A filled-in sheet, with all its errors."""

    path: Path
    case: str
    lines: Sequence[OrderLine]
    merged: Merged
    until: date
    """Last day of the plan."""
    found: list[Diagnostic] = field(default_factory=list)

    def read(self) -> tuple[PlacedLine, ...]:
        """Return the lines that were ordered, and add errors to `found`."""
        table = self._table()
        for name in LAYOUT.names if table.columns else ():
            if name not in table.columns and not _GIVEN[name].required:
                table.tell(
                    "a needed column is missing", table.head_line, name, expected=_GIVEN[name].wanted, fix=_AGAIN
                )
        by_line = {line.line: line for line in self.lines}
        placed: list[PlacedLine] = []
        named = edition(self.case, self.lines)
        others = [row for row in table.rows if row.values.get(PLAN, named) != named]
        for row in others[:1]:
            fix = "read it with the run that it was written from, or write the sheet again"
            row.problem(PLAN, "the sheet is of another plan", f"`{named}`", fix)
        for row in [] if others else table.rows:
            line = by_line.get(str(row.values.get("line", "")))
            if line is not None:
                self._check_given(row, line)
                one = self._placed(row, line)
                placed += [] if one is None else [one]
            elif "line" in row.values:
                fix = "delete the row: a purchase that is not in the plan is an [[order]] of the case file"
                row.problem(
                    "line", "the plan has no such line", f"1 to {len(self.lines)}, or `open-` and an order", fix
                )
        self._tell_twice(table, placed)
        self._tell_more(table, placed)
        return tuple(placed)

    def _table(self) -> Table:
        if not is_workbook(self.path):
            return read_table(self.path, LAYOUT, self.found)
        book = read_workbook(self.path, self.found)
        sheet = book.named(SHEET)
        if sheet is not None:
            return sheet_table(book, sheet, LAYOUT, self.found)
        table = Table(LAYOUT, book.place(SHEET), self.found)
        if not self.found:
            table.tell("there is no such sheet", fix=_AGAIN)
        return table

    def _check_given(self, row: TableRow, line: OrderLine) -> None:
        """Add an error for each cell that differs from the plan, because its row would be assigned to another purchase."""
        for column, written in line.texts.items():
            text = row.text(column)
            number = column in _NUMBERS and not written.startswith("-")
            kind = k.NON_NEGATIVE if number else _GIVEN[column].kind
            if column in row.table.columns and column not in row.bad and not kind.same(text, written):
                row.problem(column, _UNCHANGED, f"`{written}`" if written else "a blank cell", _CORRECT)

    def _placed(self, row: TableRow, line: OrderLine) -> PlacedLine | None:
        """Return the entries of a row. None if the row is blank or invalid."""
        filled = [name for name in (*_FILL_IN, *CONFIRM) if row.text(name)]
        if not filled:
            return None
        before = len(self.found)
        confirmed = self._confirmed(row, line)
        unstated = line.placed is not None and line.placed.ordered is None
        for name in _FILL_IN:
            if not row.text(name) and not (name == PLACED and unstated):
                fix = "fill it in, or leave all of " + ", ".join(_FILL_IN) + " blank"
                row.problem(name, "the order is filled in, but not this", _FILL_IN[name].wanted, fix)
        values: dict[str, Any] = row.values
        day, arrives, quantity = values.get(PLACED), values.get(ARRIVES), values.get(CONFIRMED)
        if day is not None and arrives is not None and arrives < day:
            row.problem(ARRIVES, "arrives before it was placed", f"{day} or later", "correct one of the two days")
        if arrives is not None and arrives > self.until:
            fix = "correct the day, or plan more `periods`"
            row.problem(ARRIVES, "arrives after the plan ends", f"a day up to {self.until}", fix)
        if quantity is not None and not quantity:
            # A blank row of an open order keeps the order as the case states it.
            cancel = "if the order was cancelled, delete its [[order]] from the case, and leave the row blank"
            fix = "leave the row blank if nothing was ordered" if line.placed is None else cancel
            row.problem(CONFIRMED, "nothing was confirmed", "above 0", fix)
        if line.is_part:
            fix = f"state it as [[order]] of `{line.offer}` in units of the offer, and leave the row blank"
            message = "the offer delivers several goods at once, so one of them is no order by itself"
            row.problem(NUMBER, message, "", fix)
        if row.bad & {*_FILL_IN, *CONFIRM} or len(self.found) > before or arrives is None or quantity is None:
            return None
        return PlacedLine(line, str(values[NUMBER]), day, arrives, quantity, row.line, *confirmed)

    def _confirmed(self, row: TableRow, line: OrderLine) -> tuple[tuple[str, ...], str, date | None]:
        """Return the inputs that a row confirms, its document, and the document's date, and add errors."""
        blank = [name for name in CONFIRM if not row.text(name)]
        if len(blank) == len(CONFIRM):
            return (), "", None
        for name in blank:
            fix = "fill it in, or leave all of " + ", ".join(CONFIRM) + " blank: the inputs are then unproven"
            row.problem(name, "inputs are confirmed, but not this", CONFIRM[name].wanted, fix)
        values: dict[str, Any] = row.values
        inputs, placed, signed = values.get(INPUTS) or (), values.get(PLACED), values.get(SIGNED)
        stated = tuple(str(name).strip() for name in inputs)
        if not line.takes_inputs:
            row.problem(INPUTS, "the offer takes no inputs", "a blank cell", "leave the three cells blank")
        elif tuple(map(str.casefold, stated)) == YES:
            stated = self._as_planned(row, line)
        elif stated:
            for one in unfit_inputs(line.offer, stated, self.merged, INPUTS, whole=True):
                row.problem(INPUTS, one.message, one.expected, one.fix)
        document = str(values.get(DOCUMENT) or "")
        if document and "".join(filter(str.isalnum, document)).casefold() in NO_DOCUMENT:
            fix = "name the document, or leave the three cells blank: the inputs are then unproven"
            row.problem(DOCUMENT, "names no document", CONFIRM[DOCUMENT].wanted, fix)
        if placed is not None and signed is not None and signed < placed:
            fix = "name the document in which the supplier confirms this order"
            row.problem(SIGNED, "was confirmed before the order was placed", f"{placed} or later", fix)
        if signed is not None and signed > self.until:
            row.problem(SIGNED, "was confirmed after the plan ends", f"a day up to {self.until}", "correct the day")
        return tuple(dict.fromkeys(stated)), document, signed

    def _as_planned(self, row: TableRow, line: OrderLine) -> tuple[str, ...]:
        """Return the planned inputs of a line, and add an error unless a confirmation can name all of them."""
        fix = "name the offers that the supplier confirms, set apart by `;`, or leave the three cells blank"
        if line.unnamed:
            message = f"the plan takes inputs from {', '.join(line.unnamed)}, whose origin no offer states"
            row.problem(INPUTS, message, "the offers of all inputs", fix)
        elif not line.inputs:
            row.problem(INPUTS, "no inputs are planned that could be confirmed", "the offers of all inputs", fix)
        else:
            for one in unfit_inputs(line.offer, line.inputs, self.merged, INPUTS, whole=True):
                row.problem(INPUTS, one.message, one.expected, fix)
        return line.inputs

    def _tell_twice(self, table: Table, placed: Iterable[PlacedLine]) -> None:
        """Add errors for order numbers in two rows, or of another order of the case."""
        seen: dict[str, int] = {}
        theirs = {line.placed.id: line.line for line in self.lines if line.placed is not None}
        rows = {row.line: row for row in table.rows}
        for one in placed:
            fix = "give each row a number of its own: add the item number, like `4711-10`"
            if one.number in seen:
                rows[one.row].problem(NUMBER, f"row {seen[one.number]} has the same number", "different numbers", fix)
            elif theirs.get(one.number, one.line.line) != one.line.line:
                rows[one.row].problem(NUMBER, "the case has another order of this number", "a number of its own", fix)
            seen.setdefault(one.number, one.row)

    def _tell_more(self, table: Table, placed: Sequence[PlacedLine]) -> None:
        """Add errors for lines whose rows confirm more than the ordered quantity."""
        rows = {row.line: row for row in table.rows}
        for line, several in grouped((one.line.line, one) for one in placed).items():
            most, total = several[0].line.quantity, sum((one.quantity for one in several), Decimal(0))
            if total > most and (several[0].line.placed is None or len(several) > 1):
                where = "" if len(several) == 1 else f", by rows {', '.join(str(one.row) for one in several)} together"
                message = f"more was confirmed than line {line} orders{where}"
                fix = "correct it, or state what comes beyond the plan as an [[order]] of the case file"
                rows[several[-1].row].problem(CONFIRMED, message, f"at most {most.normalize():f} in all", fix)


@dataclass(frozen=True, slots=True)
class CurrentOrder:
    """A placed order, as known on the first day of the new plan."""

    order: OrderSpec
    position: int | None
    """Its position among the orders of the case. None if the case doesn't have it yet."""
    line: OrderLine | None
    """None if the plan doesn't have it."""
    changed: bool
    """True if the sheet and the case differ."""


def current_orders(
    case: Case, lines: Sequence[OrderLine], placed: Sequence[PlacedLine], found: list[Diagnostic]
) -> list[CurrentOrder]:
    """Return every order of the case and of the sheet. A row of the sheet replaces its order in the case."""
    known = {line.line: line for line in lines}
    waiting = defaultdict(list)
    for one in placed:
        waiting[one.line.placed.id if one.line.placed is not None else one.number].append(one)
    orders = []
    for position, (name, order) in enumerate(zip(case.order_names, case.orders, strict=True)):
        rows = waiting.pop(name, [])
        for one in rows:
            if (one.line.offer, one.line.place) != (order.offer, order.place or case.place):
                message = f"the case has another order of this number, of `{order.offer}`"
                found.append(Diagnostic(message, "", one.row, "order_number", one.number, "a number of its own"))
        line = known.get(f"open-{name}")
        if not rows:
            orders.append(CurrentOrder(order.but(id=name), position, line, changed=False))
        for number, one in enumerate(rows):
            order_now = stated(one, order)
            first = position if number == 0 else None
            same = order_now.but(id="") == order.but(id="", place=order.place or case.place)
            orders.append(CurrentOrder(order_now, first, one.line, changed=not same or one.number != name))
    for rows in waiting.values():
        orders += [CurrentOrder(stated(one, one.line.placed), None, one.line, changed=True) for one in rows]
    return orders


def stated(one: PlacedLine, before: OrderSpec | None) -> OrderSpec:
    """Return a row of the sheet as an order of the case."""
    return OrderSpec(
        id=one.number,
        offer=one.line.offer,
        quantity=one.quantity,
        substance=before.substance if before is not None else "",
        arrives=one.arrives,
        ordered=one.placed,
        place=one.line.place,
        inputs=one.inputs or one.line.inputs,
        confirmed_by=one.confirmed_by,
        confirmed_on=one.confirmed_on,
        why=before.why if before is not None else "",
    )
