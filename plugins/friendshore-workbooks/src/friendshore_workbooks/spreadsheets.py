"""Conversion of spreadsheets with arbitrary columns to catalogs, by a map. Errors have their place in the spreadsheet or the map."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from pathlib import Path
from typing import Any

from friendshore.catalog import columns
from friendshore.catalog.folder import read_draft
from friendshore.catalog.known import known_from
from friendshore.catalog.review import Cell, ambiguous_amounts
from friendshore.catalog.tables import NO_FACTS, UnrecognizedTable
from friendshore.domain.base import UnreadableError
from friendshore.domain.facts import Catalog
from friendshore.domain.quantities import ambiguous
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import ident
from friendshore.errors import Diagnostic, all_of
from friendshore.reading import kinds as k
from friendshore.reading.csvfile import BAD_CELL, NumberCell, Table, fill, read_table
from friendshore.reading.fields import FactColumns, Field, Layout
from friendshore.reading.records import Entry
from friendshore.reading.textfile import non_file_diagnostic
from friendshore.reading.tomlfile import read_section
from friendshore.reading.workbook import Workbook, is_workbook, read_workbook

from .column_map import CellText, Map, MapEntry, Row, read_map, table_name


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the spreadsheet."""

    line: int
    cells: Row
    """Texts by column. Words that mean unknown are blank."""
    bad: frozenset[str]


def read_sheet(path: Path, column_map: Map, problems: list[Diagnostic]) -> tuple[str, list[SheetRow]]:
    """Return the name of a spreadsheet for messages, and its rows. Errors go to `problems`."""
    names = tuple(dict.fromkeys(column for entry in column_map.entries for _, column in entry.keys_and_columns))
    if not names:
        fix = "add an entry such as `[[offers]]`, with the name of a column"
        column_map.toml.problem((), "the map names no column of the spreadsheet", fix=fix, code="FS915")
        return str(path), []
    layout = Layout(path.name, "", tuple(Field(name, k.TEXT, "A column of the map.") for name in names), others="kept")
    number_cells: set[tuple[int, int]] = set()
    if is_workbook(path):
        table = _from_workbook(path, layout, column_map, problems, number_cells)
    else:
        not_a_file = non_file_diagnostic(path)
        if not_a_file is not None or not path.is_file():
            fix, expected = "check the path", "a CSV file or a workbook"
            problem = Diagnostic("file not found", str(path), expected=expected, fix=fix, code="FS919")
            problems.append(not_a_file or problem)
            return str(path), []
        table = read_table(
            path, layout, problems, column_map.sheet.get("separator", ","), column_map.sheet.get("header", 1)
        )
    if table is None:
        return str(path), []
    _report_missing_columns(table, column_map, problems)
    blank = {word.casefold() for word in column_map.sheet.get("blank", ())}
    return table.file, list(_rows(table, blank, number_cells)) if set(names) <= table.columns.keys() else []


def _rows(table: Table, unknown_words: set[str], number_cells: Container[tuple[int, int]]) -> Iterator[SheetRow]:
    for row in table.rows:
        bad = {name for name, position in table.columns.items() if row.cells[position] == BAD_CELL}
        texts = {
            name: (NumberCell if (row.line, position) in number_cells else str)(row.cells[position])
            for name, position in table.columns.items()
        }
        cells = {name: "" if name in bad or text.casefold() in unknown_words else text for name, text in texts.items()}
        yield SheetRow(row.line, cells, frozenset(bad | (set(table.columns) & row.bad)))


def _from_workbook(
    path: Path, layout: Layout, column_map: Map, problems: list[Diagnostic], number_cells: set[tuple[int, int]]
) -> Table | None:
    book = read_workbook(path, problems)
    name = _chosen_sheet(book, column_map)
    if name is None:
        return None
    lines = list(dropwhile(lambda line: line[0] < column_map.sheet.get("header", 1), book.sheets[name]))
    number_cells |= {
        (row, position) for row, cells in lines for position, cell in enumerate(cells) if isinstance(cell, NumberCell)
    }
    table = Table(layout, book.place(name), problems)
    width = max((len(cells) for _, cells in lines[:1]), default=0)
    fill(table, iter([(number, cells + [""] * (width - len(cells))) for number, cells in lines]))
    problems.extend(p for p in book.problems.get(name, ()) if p.row is None or p.row >= table.head_line)
    return table


def _chosen_sheet(book: Workbook, column_map: Map) -> str | None:
    sheet_name = column_map.sheet.get("name", "")
    name = book.named(sheet_name) if sheet_name else next(iter(book.sheets)) if len(book.sheets) == 1 else None
    if name is None and book.sheets:
        expected = "one of " + ", ".join(book.sheets)
        message = f"the workbook has no sheet `{sheet_name}`" if sheet_name else "the workbook has several sheets"
        fix = did_you_mean(sheet_name, list(book.sheets)) or 'name one in the map: `[sheet]` with `name = "…"`'
        column_map.toml.problem(("sheet", "name"), message, expected=expected, fix=fix, code="FS916")
    return name


def _report_missing_columns(table: Table, column_map: Map, problems: list[Diagnostic]) -> None:
    if not table.columns and not table.others:
        return  # the reader has reported why
    unknown_columns = [p for p in problems if p.file == table.file and p.code == "FS001"]
    problems[:] = [p for p in problems if p not in unknown_columns]
    existing = [*table.columns, *table.others, *(p.column for p in unknown_columns)]
    reported: set[str] = set()
    for entry in column_map.entries:
        for key, column in entry.keys_and_columns:
            if column not in table.columns and column not in reported:
                reported.add(column)
                message = f"the spreadsheet has no column `{column}`"
                expected = "one of " + ", ".join(existing)
                fix = did_you_mean(column, existing) or "correct the name in the map"
                column_map.toml.problem((entry.table, entry.number, key), message, "", expected, fix, "FS915")


_AMOUNT_KINDS = (k.MASS, k.MASS_RATE, k.CAPACITY, k.MONEY, k.UNIT_PRICE, k.SIGNED_PRICE, k.MASS_OR_MONEY, k.DURATION)
_MAX_SHOWN = 60

Cells = dict[str, tuple[str, tuple[str, ...]]]
"""Column of the catalog's table -> its text, and the source columns of the spreadsheet."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of the spreadsheet that isn't in the catalog."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class MappedCatalog:
    """Catalog from a spreadsheet."""

    catalog: Catalog
    head: Mapping[str, Any]
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    rows: int
    left_out: tuple[LeftOut, ...]
    doubts: tuple[Diagnostic, ...] = ()
    """Amounts that could be a thousand times larger, because the map doesn't state the decimal sign."""


@dataclass(slots=True)
class _DraftTable:
    rows: list[tuple[int, Cells, MapEntry]] = field(default_factory=list)
    seen: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def add(self, line: int, cells: Cells, entry: MapEntry) -> None:
        """Add a row. Duplicates count once, for example if a plant has several rows in the spreadsheet."""
        filled = tuple((name, text) for name, (text, _) in cells.items() if text)
        if filled not in self.seen or any(text == BAD_CELL for text, _ in cells.values()):
            self.seen.add(filled)
            self.rows.append((line, cells, entry))


def convert_spreadsheet(
    source: Path, map_file: Path, required: Sequence[Catalog] | None = None, facts: FactColumns = NO_FACTS
) -> MappedCatalog:
    """Convert a CSV file or a workbook with a map of its columns. `required` are the catalogs that the map requires."""
    problems: list[Diagnostic] = []
    column_map = read_map(map_file, problems, facts)
    if column_map is None:
        raise all_of(problems)
    file, rows = read_sheet(source, column_map, problems)
    if problems and not rows:
        raise all_of(problems)
    left_out: list[LeftOut] = []
    builder = _CatalogBuilder(column_map, file, problems)
    for row in rows:
        skip = next((entry for entry in column_map.skips if entry.where.matches(row.cells)), None)
        if skip is not None:
            left_out.append(LeftOut(row.line, skip.why))
        else:
            builder.add_row(row)
    tables = _MappedTables(source, builder)
    table_problems: list[Diagnostic] = []
    draft = read_draft(tables, dict(column_map.head), "", known_from(required or ()), table_problems)
    problems += dict.fromkeys(tables.placed(problem) for problem in table_problems)
    if problems:
        raise all_of(problems)
    fix = 'state the decimal sign in the map: `[sheet]` with `decimal = "."` or `decimal = ","`'
    doubts = [replace(doubt, fix=fix) for doubt in ambiguous_amounts(builder.doubtful)]
    return MappedCatalog(draft.catalog, column_map.head, tables.texts(), len(rows), tuple(left_out), tuple(doubts))


class _CatalogBuilder:
    def __init__(self, column_map: Map, file: str, problems: list[Diagnostic]) -> None:
        self.column_map = column_map
        self.file = file
        self.problems = problems
        self.tables: dict[str, _DraftTable] = {name: _DraftTable() for name in column_map.tables}
        self.doubtful: dict[Cell, None] = {}
        self.material_of: dict[str, str] = {}

    def add_row(self, row: SheetRow) -> None:
        materials = self._materials(row)
        ids: dict[str, list[str]] = {}
        for layout in (columns.SOURCES, columns.FACILITIES, columns.OFFERS, *columns.TABLES):
            name = table_name(layout)
            if name in ids:
                continue  # its rows are already made, because other tables need its ids
            ids[name] = []
            for entry in self.column_map.tables.get(name, ()):
                if entry.where.matches(row.cells):
                    for cells in self._cells(row, layout, entry, materials, ids):
                        self.tables[name].add(row.line, cells, entry)
                        if "id" in cells:
                            ids[name].append(cells["id"][0])
                        if layout is columns.OFFERS and "id" in cells and "material" in cells:
                            self.material_of[cells["id"][0]] = cells["material"][0]

    def _materials(self, row: SheetRow) -> dict[str, tuple[str, ...]]:
        matching = [entry for entry in self.column_map.makes if entry.where.matches(row.cells)]
        makes_columns = {column for entry in self.column_map.makes for _, column in entry.keys_and_columns}
        if not row.bad.isdisjoint(makes_columns):
            return {}  # an unreadable cell has been reported
        if self.column_map.makes and not matching:
            key_columns = dict.fromkeys(column for entry in self.column_map.makes for column in entry.where.when)
            shown = ", ".join(row.cells[column] for column in key_columns)
            fix = "add a `[[makes]]` entry that matches it, or a `[[skip]]` with the reason for leaving it out"
            expected = f"a row that a `[[makes]]` entry of {self.column_map.toml.file} matches"
            message = "the map has no material for this row"
            found = f"`{shown[:_MAX_SHOWN]}`"
            column = ", ".join(key_columns)
            self.problems.append(Diagnostic(message, self.file, row.line, column, found, expected, fix, "FS917"))
        columns_of_material: dict[str, tuple[str, ...]] = {}
        for entry in matching:
            text = entry.texts["material"]
            columns_of_material |= dict.fromkeys(text.parts(row.cells), text.source_columns or tuple(entry.where.when))
        for word in list(columns_of_material):
            try:
                ident(word)
            except UnreadableError:
                fix = f'add it to `words` of the `[[makes]]` entry: "{word}" = "MATERIAL"'
                place, message = ", ".join(columns_of_material.pop(word)), "the map has no material for this word"
                found, expected = f"`{word[:_MAX_SHOWN]}`", "the id of a material, or a word that the map replaces"
                self.problems.append(Diagnostic(message, self.file, row.line, place, found, expected, fix, "FS917"))
        return columns_of_material

    def _cells(
        self,
        row: SheetRow,
        layout: Layout,
        entry: MapEntry,
        materials: Mapping[str, tuple[str, ...]],
        ids: Mapping[str, list[str]],
    ) -> Iterator[Cells]:
        """Yield the cells of an entry's rows: one row, or one per material or offer if the entry doesn't name it."""
        cells: Cells = {}
        for column in self.column_map.facts.extended(layout).fields:
            text = entry.texts.get(column.name)
            if text is not None:
                cells[column.name] = (self._text(row, column, text, layout), text.source_columns)
        facility = (ids.get("facilities") or [""])[0]
        for name, owner in (("source", "sources"), ("facility", "facilities")):
            if name in layout.names and name not in cells and ids.get(owner):
                cells[name] = (ids[owner][0], ())
        if layout is columns.OFFERS and "material" not in cells and self.column_map.makes:
            for material in filter(entry.applies_to, materials):
                name = facility if facility == BAD_CELL else f"{facility}-{material}"
                offer_id: Cells = {"id": (name, ())} if facility else {}
                yield {**offer_id, **cells, "material": (material, materials[material])}
        elif "offer" in layout.names and "offer" not in cells:
            for offer in ids.get("offers", ()):
                if entry.applies_to(self.material_of.get(offer, "")):
                    yield {"offer": (offer, ()), **cells}
        else:
            yield cells

    def _text(self, row: SheetRow, column: Field, text: CellText, layout: Layout) -> str:
        if not row.bad.isdisjoint(text.source_columns):
            return BAD_CELL
        try:
            if column.kind is k.DATE:
                return text.day(row.cells)
            if column.kind in _AMOUNT_KINDS or column.kind.number:
                amount = text.amount(row.cells, self.column_map.sheet.get("decimal", ""))
                if ambiguous(amount) is not None:
                    self.doubtful[self.file, row.line, ", ".join(text.source_columns), amount] = None
                return amount
        except UnreadableError as error:
            shown = f"`{text.raw(row.cells)[:_MAX_SHOWN]}`"
            message = f"cannot be read as `{column.name}` of {layout.name}"
            place = ", ".join(text.source_columns)
            self.problems.append(
                Diagnostic(message, self.file, row.line, place, shown, error.expected, error.fix, error.code)
            )
            return BAD_CELL
        is_list = column.kind.is_list
        return ";".join(text.parts(row.cells)) if is_list else text.single(row.cells)


class _MappedTables:
    def __init__(self, path: Path, builder: _CatalogBuilder) -> None:
        self.path = path
        self._builder = builder

    @property
    def head_file(self) -> str:
        return self._builder.column_map.toml.file

    def head(self, problems: list[Diagnostic]) -> Entry | None:
        del problems
        toml = self._builder.column_map.toml
        return read_section(toml, columns.HEAD, {"schema": 1, **toml.data["catalog"]})

    def table(self, layout: Layout, problems: list[Diagnostic]) -> Table | None:
        """Return a table. Its file name is that of the spreadsheet and the table, until `placed` corrects the place of an error."""
        draft = self._builder.tables.get(table_name(layout))
        if draft is None:
            return None
        table = Table(self._builder.column_map.facts.extended(layout), str(self.path / layout.name), problems)
        names = self._names(layout)
        lines = [(line, [cells[name][0] if name in cells else "" for name in names]) for line, cells, _ in draft.rows]
        if draft.rows:
            fill(table, iter([(0, list(names)), *lines]))
        return table

    def unrecognized_tables(self) -> Sequence[UnrecognizedTable]:
        return ()

    def texts(self) -> dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
        texts = {}
        for layout in columns.TABLES:
            draft = self._builder.tables.get(table_name(layout))
            if draft is not None and draft.rows:
                names = self._names(layout)
                rows = tuple(tuple(cells[n][0] if n in cells else "" for n in names) for _, cells, _ in draft.rows)
                texts[layout.name] = (names, rows)
        return texts

    def placed(self, problem: Diagnostic) -> Diagnostic:
        name = next((layout.name for layout in columns.TABLES if str(self.path / layout.name) == problem.file), "")
        if not name:
            return problem
        message = f"{problem.message} (`{problem.column}` of {name})" if problem.column else problem.message
        entries = self._builder.column_map.tables[name.removesuffix(".csv")]
        rows = [row for row in self._builder.tables[entries[0].table].rows if row[0] == problem.row]
        if not rows:
            return self._in_map(replace(problem, message=message), entries[0])
        # A row of the spreadsheet may give several rows of a table. The error is about the row with the value.
        with_value = [row for row in rows if problem.column in row[1] and row[1][problem.column][0] in problem.found]
        _, cells, entry = (with_value or rows)[0]
        _, source_columns = cells.get(problem.column, ("", ()))
        if problem.column in entry.texts and not source_columns:
            return self._in_map(replace(problem, message=message), entry)
        return replace(problem, message=message, file=self._builder.file, column=", ".join(source_columns))

    def _in_map(self, problem: Diagnostic, entry: MapEntry) -> Diagnostic:
        toml = self._builder.column_map.toml
        key = (entry.table, entry.number, problem.column)
        place = f"{entry.table}[{entry.number + 1}].{problem.column}"
        return replace(problem, file=toml.file, row=toml.line(key), column=place)

    def _names(self, layout: Layout) -> tuple[str, ...]:
        filled = {name for _, cells, _ in self._builder.tables[table_name(layout)].rows for name in cells}
        return tuple(name for name in self._builder.column_map.facts.extended(layout).names if name in filled)
