"""The facts as the workbook says them: tables of today with the edits in them, read by the readers of cases and catalogs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..case import keys
from ..case.book import CaseWorkbook
from ..case.keys import About
from ..catalog import read_catalogs, united
from ..catalog.convert import Texts
from ..catalog.tables import read_rows
from ..domain.case import DemandSpec, OrderSpec
from ..domain.facts import Catalog
from ..errors import Diagnostic, InputError
from ..plugins.elsewhere import CatalogRef
from ..readers import CatalogRows, TableRows
from ..reading.fields import FactColumns, Layout
from ..reading.records import Entry
from .edits import AFTER
from .merge import AddedRow, Differences, Edit
from .tables import CATALOG, CaseTables


@dataclass(frozen=True, slots=True)
class _Place:
    """A catalog as the workbook has it, where the case has one of its name."""

    folder: Path
    distribution: str
    place: Path | CatalogRows
    columns: FactColumns


@dataclass(frozen=True, slots=True)
class EditedFacts:
    """What the case would be if the edits stood in its own files."""

    demands: Mapping[int, DemandSpec]
    """Number of the demand -> what it would be; those that are edited."""
    more_demands: tuple[DemandSpec, ...]
    """Those of the rows that are added."""
    orders: Mapping[int, OrderSpec]
    """Number of the order -> what it would be; those that are edited."""
    catalogs: tuple[Catalog, ...]
    """As read, those that are not edited included."""
    united: tuple[Catalog, ...]


def edited_facts(
    book: CaseWorkbook, today: CaseTables, merged: Differences, found: list[Diagnostic]
) -> EditedFacts | None:
    """The facts with the edits; None, with every mistake recorded by its cell, if they cannot be read."""
    before = len(found)
    demands = _demands(book, today, merged, found)
    more = _more_demands(book, today, merged, found)
    orders = _orders(book, today, merged, found)
    read: tuple[Catalog, ...] = today.gathered.read
    edited = {*_edited_catalogs(today, merged)}
    if edited:
        refs = {name: _ref(name, book, today, merged) if name in edited else ref for name, ref in _refs(today)}
        named = [refs[name] for name in refs if name in today.gathered.named]
        try:
            read = read_catalogs(named, lambda name: refs[name], today.gathered.case.overlaps)
        except InputError as error:
            found.extend(error.problems)
    if len(found) > before:
        return None
    return EditedFacts(demands, more, orders, read, united(read, today.gathered.case.overlaps))


def about(today: CaseTables) -> About:
    """What the tables of the case must know of it."""
    case = today.gathered.case
    return About(case.currency, case.place, case.horizon)


def entry_of(
    book: CaseWorkbook, layout: Layout, sheet: str, line: int, texts: Mapping[str, str], found: list[Diagnostic]
) -> Entry | None:
    """A row of a sheet by itself, read as a layout says; None if nothing stands in it."""
    cells = {name: text for name, text in texts.items() if text or name in layout.names}
    rows = TableRows(tuple(cells), [(line, tuple(cells.values()))], book.place(sheet))
    table = read_rows(rows, layout, book.place(sheet), found)
    return table.entry(table.rows[0]) if table.rows else None


def _demands(
    book: CaseWorkbook, today: CaseTables, merged: Differences, found: list[Diagnostic]
) -> dict[int, DemandSpec]:
    table = today.tables["demand"]
    made = {}
    for row in sorted({edit.row for edit in merged.edits if edit.sheet == "demand"}):
        after = _after(merged, "demand", row)
        texts = {**dict(zip(table.columns, table.rows[row], strict=True)), **_without_range("per_year", after), **after}
        entry = entry_of(book, keys.DEMAND, "demand", merged.lines["demand", row], texts, found)
        record = keys.demand(entry, about(today)) if entry is not None else None
        if record is not None:
            made[row] = record
    return made


def _more_demands(
    book: CaseWorkbook, today: CaseTables, merged: Differences, found: list[Diagnostic]
) -> tuple[DemandSpec, ...]:
    rows = [row for row in merged.added if row.sheet == "demand"]
    demands = []
    for row in rows:
        entry = entry_of(book, keys.DEMAND, "demand", row.line, row.texts, found)
        record = keys.demand(entry, about(today)) if entry is not None else None
        if record is not None and record.substance and entry is not None:
            stated = next(
                column for column in ("per_year", "quantity", "quantities", "shortage_price") if row.texts.get(column)
            )
            entry.problem(stated, "a substance cannot be named here", "kilograms of the material's basis")
        elif record is not None:
            demands.append(record)
    return tuple(demands)


def _orders(
    book: CaseWorkbook, today: CaseTables, merged: Differences, found: list[Diagnostic]
) -> dict[int, OrderSpec]:
    made = {}
    for row in sorted({edit.row for edit in merged.edits if (edit.sheet, edit.column) == ("order", "quantity")}):
        table, before = today.tables["order"], today.gathered.case.orders[row]
        texts = {**dict(zip(table.columns, table.rows[row], strict=True)), **_after(merged, "order", row)}
        entry = entry_of(book, keys.ORDER, "order", merged.lines["order", row], texts, found)
        record = keys.made(entry, OrderSpec, about(today)) if entry is not None else None
        if record is not None and entry is not None and record.substance != before.substance:
            fix = "state it of the same, or edit the case itself"
            entry.problem(
                "quantity",
                "is stated of something else than the order",
                before.substance or "kilograms of the material's basis",
                fix,
            )
        elif record is not None:
            made[row] = record
    return made


def _without_range(column: str, edited: Collection[str]) -> dict[str, str]:
    """What a range becomes whose figure is edited: it was that of the figure before."""
    return dict.fromkeys((f"{column}_low", f"{column}_high"), "") if column in edited else {}


def _after(merged: Differences, sheet: str, row: int) -> dict[str, str]:
    return {edit.column: edit.after for edit in merged.edits if (edit.sheet, edit.row) == (sheet, row)}


def _refs(today: CaseTables) -> Iterator[tuple[str, CatalogRef | _Place]]:
    for name, (ref, _) in today.catalogs.items():
        yield name, ref


def _edited_catalogs(today: CaseTables, merged: Differences) -> Iterator[str]:
    """Catalogs of which a row says something else."""
    for sheet, row in [*((e.sheet, e.row) for e in merged.edits), *_left_out(merged)]:
        table = today.tables[sheet]
        if table.origins:
            yield table.origins[row][0]
    for added in merged.added:
        if added.texts.get(CATALOG.name) in today.catalogs:
            yield added.texts[CATALOG.name]


def _left_out(merged: Differences) -> list[tuple[str, int]]:
    """Rows that are deleted, and are no part of what the case then says: what goes with an offer stays until a change takes that away."""
    return [("tiers", row) for row in merged.deleted.get("tiers", ())]


def _ref(name: str, book: CaseWorkbook, today: CaseTables, merged: Differences) -> _Place:
    ref, texts = today.catalogs[name]
    tables = {table: _rows(name, table, book, today, merged) for table in _names(texts)}
    for sheet in {one.sheet for one in merged.added if one.texts.get(CATALOG.name) == name} - tables.keys():
        tables[sheet] = _rows(name, sheet, book, today, merged)
    head = {key: list(value) if isinstance(value, tuple) else value for key, value in texts.head.items()}
    rows = CatalogRows(head, tables, str(book.path))
    return _Place(ref.folder, ref.distribution, rows, ref.columns)


def _names(texts: Texts) -> Iterator[str]:
    for file in texts.tables:
        yield file.removesuffix(".csv")


def _priced(today: CaseTables, merged: Differences) -> set[str]:
    """Offers that state a price now: it takes the place of what they followed or quoted."""
    edited = [edit for edit in merged.edits if (edit.sheet, edit.column) == ("offers", "price") and edit.after]
    return {today.tables["offers"].text(edit.row, "id") for edit in edited}


def _rows(catalog: str, sheet: str, book: CaseWorkbook, today: CaseTables, merged: Differences) -> TableRows:
    """A table of a catalog with the edits in it, each row with its number in the sheet."""
    table, (_, texts) = today.tables.get(sheet), today.catalogs[catalog]
    header, given = texts.tables.get(f"{sheet}.csv", ((), ()))
    records: list[tuple[int, dict[str, str]]] = [(0, dict(zip(header, row, strict=True))) for row in given]
    numbers = {} if table is None else {row: at for row, (name, at) in enumerate(table.origins) if name == catalog}
    for row, at in numbers.items():
        records[at] = (merged.lines.get((sheet, row), 0), records[at][1])
    touched = [edit for edit in merged.edits if edit.sheet == sheet and edit.row in numbers]
    for edit in touched:
        record = records[numbers[edit.row]][1]
        blank = _without_range("price", (edit.column,))
        record.update({end: text for end, text in blank.items() if end in record}, **{edit.column: edit.after})
    priced = _priced(today, merged)
    for edit in touched:
        record = _with_evidence(sheet, records[numbers[edit.row]][1], texts)
        if sheet == "offers" and record["id"] in priced:
            record |= dict.fromkeys(("benchmark", "premium"), "")
    gone = {numbers[row] for where, row in _left_out(merged) if where == sheet and row in numbers}
    kept = [
        one
        for at, one in enumerate(records)
        if at not in gone and not (sheet == "quotes" and one[1]["offer"] in priced)
    ]
    for one in merged.added:
        if one.sheet == sheet and one.texts.get(CATALOG.name) == catalog:
            record = {column: text for column, text in one.texts.items() if column != CATALOG.name and text}
            kept.append((one.line, _with_evidence(sheet, record, texts)))
    columns = tuple(dict.fromkeys((*header, *(name for _, record in kept for name in record))))
    rows = [(line, tuple(record.get(column, "") for column in columns)) for line, record in kept]
    return TableRows(columns, rows, book.place(sheet))


def _with_evidence(sheet: str, record: dict[str, str], texts: Texts) -> dict[str, str]:
    """A row whose figure rests on a source: what a scenario states rests on the case, which no table can name."""
    header, rows = texts.tables.get("sources.csv", ((), ()))
    if rows and not record.get("source") and sheet in ("capacity", "offers"):
        record["price_source" if sheet == "offers" else "source"] = rows[0][header.index("id")]
    return record


def goes_along(sheet: str, row: int, today: CaseTables, merged: Differences) -> bool:
    """Whether a deleted row is of an offer or a facility that is deleted too."""
    column = AFTER.get(sheet)
    if column is None:
        return False
    gone = {today.tables[of].text(one, "id") for of in ("offers", "facilities") for one in merged.deleted.get(of, ())}
    offers = (
        {
            today.tables["offers"].text(one, "id"): today.tables["offers"].text(one, "facility")
            for one in range(len(today.tables["offers"].rows))
        }
        if "offers" in today.tables
        else {}
    )
    named = today.tables[sheet].text(row, column)
    return named in gone or offers.get(named) in gone


__all__ = ["AddedRow", "Edit", "EditedFacts", "about", "edited_facts", "entry_of", "goes_along"]
