"""Which edits a scenario cannot say, told by their cells before anything is read."""

from __future__ import annotations

from collections.abc import Iterator

from ..case.book import CaseWorkbook
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic
from .edits import CELLS, ROWS_ADDED, ROWS_DELETED, editable
from .facts import goes_along
from .merge import AddedRow, Differences, Edit
from .tables import CATALOG, CaseTables

LIFTED = frozenset(
    (
        "min_order",
        "max_order",
        "max_lots",
        "max_per_year",
        "total",
        "lot",
        "onboarding",
        "qualification",
        "from",
        "take_or_pay",
    )
)
"""Columns of offers that can only be made blank."""


def refused(book: CaseWorkbook, today: CaseTables, merged: Differences) -> Iterator[Diagnostic]:
    """Everything that no change of a scenario says, whatever is written there."""
    for edit in merged.edits:
        if not _may(edit, today):
            yield Diagnostic(
                "no scenario can say this",
                str(book.path),
                column=book.at(edit.sheet, edit.line, edit.column),
                found=f"`{edit.after}`" if edit.after else "a blank cell",
                expected=f"`{edit.before}`, as it was" if edit.before else "a blank cell, as it was",
                fix=f"undo it, or edit the case itself; what can be edited: {editable(edit.sheet)}",
            )
    for row in merged.added:
        yield from _row(row, book)
        yield from _of_no_catalog(row, book, today)
    for sheet, rows in merged.deleted.items():
        for number in rows:
            if sheet not in ROWS_DELETED and not goes_along(sheet, number, today, merged):
                yield Diagnostic(
                    "no scenario can delete this row",
                    str(book.path),
                    column=sheet,
                    found=f"no row of `{today.tables[sheet].called(number)}`",
                    fix=f"take it back, or edit the case itself; what can be edited: {editable(sheet)}",
                )


def _may(edit: Edit, today: CaseTables) -> bool:
    """Whether a change can say it, as far as that is seen from where it stands."""
    table = today.tables[edit.sheet]
    if edit.column not in CELLS.get(edit.sheet, {}):
        return False
    if edit.sheet == "settings":
        section, key = table.text(edit.row, "section"), table.text(edit.row, "key")
        return section == "accept.capacity" or (section, key) == ("accept", "proven")
    if edit.sheet == "offers":
        blank_only = edit.column in LIFTED or edit.column == "take_or_pay_share"
        return not (blank_only and edit.after)
    if edit.sheet == "rule":
        bill = table.text(edit.row, "kind") == "bill"
        return edit.after in ("yes", "no") if edit.column == "on" else not bill
    return edit.sheet != "terms" or not edit.after


def _row(row: AddedRow, book: CaseWorkbook) -> Iterator[Diagnostic]:
    filled = [column for column, text in row.texts.items() if text]
    may, _ = ROWS_ADDED.get(row.sheet, ((), ""))
    for column in filled[:1] if not may else filled:
        if column not in may:
            yield Diagnostic(
                f"no scenario can say this of a row added to `{row.sheet}`" if may else "no scenario can add this row",
                str(book.path),
                column=book.at(row.sheet, row.line, column),
                found=f"`{row.texts[column]}`",
                expected=f"cells in {', '.join(may)}" if may else "",
                fix=f"delete it, or edit the case itself; what can be edited: {editable(row.sheet)}",
            )


def _of_no_catalog(row: AddedRow, book: CaseWorkbook, today: CaseTables) -> Iterator[Diagnostic]:
    """A row that is to be added to a catalog, and says none that the case names: nobody would read it."""
    name = row.texts.get(CATALOG.name, "")
    if row.sheet in ROWS_ADDED and CATALOG.name in row.texts and name not in today.gathered.named:
        yield Diagnostic(
            "no such catalog in the case" if name else "this cell is needed",
            str(book.path),
            column=book.at(row.sheet, row.line, CATALOG.name),
            found=f"`{name}`" if name else "a blank cell",
            expected="one of " + ", ".join(sorted(today.catalogs.keys() & today.gathered.named.keys())),
            fix=did_you_mean(name, today.catalogs),
        )
