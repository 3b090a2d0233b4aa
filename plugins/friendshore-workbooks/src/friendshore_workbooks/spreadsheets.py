"""Spreadsheets with arbitrary columns as catalogs, by a map of their columns.

The readers of catalogs read the mapped rows. Each error is reported at its place in the spreadsheet or in the map.
"""

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
from friendshore.catalog.tables import NO_FACTS, Stranger
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

_STRANGER = "no such column"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the spreadsheet."""

    line: int
    cells: Row
    """Texts by column. Words that mean unknown are blank."""
    bad: frozenset[str]
    """Columns with a cell that is already reported as unreadable."""


def read_sheet(path: Path, by: Map, found: list[Diagnostic]) -> tuple[str, list[SheetRow]]:
    """Return the rows of a spreadsheet and its name in messages. Errors in it and in the columns that the map names go to `found`."""
    names = tuple(dict.fromkeys(column for block in by.blocks for _, column in block.named))
    if not names:
        by.toml.problem((), "the map names no column of the spreadsheet")
        return str(path), []
    layout = Layout(path.name, "", tuple(Field(name, k.TEXT, "A column of the map.") for name in names), others="kept")
    numbers: set[tuple[int, int]] = set()
    if is_workbook(path):
        table = _from_workbook(path, layout, by, found, numbers)
    else:
        other = non_file_diagnostic(path)
        if other is not None or not path.is_file():
            fix = "check the path"
            found.append(other or Diagnostic("there is no such file", str(path), expected="a spreadsheet", fix=fix))
            return str(path), []
        table = read_table(path, layout, found, by.sheet.get("separator", ","), by.sheet.get("header", 1))
    if table is None:
        return str(path), []
    _tell_missing(table, by, found)
    blank = {word.casefold() for word in by.sheet.get("blank", ())}
    return table.file, list(_rows(table, blank, numbers)) if set(names) <= table.columns.keys() else []


def _rows(table: Table, blank: set[str], numbers: Container[tuple[int, int]]) -> Iterator[SheetRow]:
    """Yield the rows of a table. `numbers` are rows and positions of cells with a number, regardless of its text."""
    for row in table.rows:
        bad = {name for name, position in table.columns.items() if row.cells[position] == BAD_CELL}
        texts = {
            name: (NumberCell if (row.line, position) in numbers else str)(row.cells[position])
            for name, position in table.columns.items()
        }
        cells = {name: "" if name in bad or text.casefold() in blank else text for name, text in texts.items()}
        yield SheetRow(row.line, cells, frozenset(bad | (set(table.columns) & row.bad)))


def _from_workbook(
    path: Path, layout: Layout, by: Map, found: list[Diagnostic], numbers: set[tuple[int, int]]
) -> Table | None:
    """Return a sheet as a table. Rows and positions of its cells with a number go to `numbers`."""
    book = read_workbook(path, found)
    name = _sheet_of(book, by)
    if name is None:
        return None
    lines = list(dropwhile(lambda line: line[0] < by.sheet.get("header", 1), book.sheets[name]))
    numbers |= {(row, at) for row, cells in lines for at, cell in enumerate(cells) if isinstance(cell, NumberCell)}
    table = Table(layout, book.place(name), found)
    width = max((len(cells) for _, cells in lines[:1]), default=0)
    fill(table, iter([(number, cells + [""] * (width - len(cells))) for number, cells in lines]))
    found.extend(p for p in book.found.get(name, ()) if p.row is None or p.row >= table.head_line)
    return table


def _sheet_of(book: Workbook, by: Map) -> str | None:
    """Return the sheet that the map names, or the only one."""
    wanted = by.sheet.get("name", "")
    name = book.named(wanted) if wanted else next(iter(book.sheets)) if len(book.sheets) == 1 else None
    if name is None and book.sheets:
        listed = "one of " + ", ".join(book.sheets)
        message = f"the workbook has no sheet `{wanted}`" if wanted else "the workbook has several sheets"
        by.toml.problem(("sheet", "name"), message, expected=listed, fix=did_you_mean(wanted, list(book.sheets)))
    return name


def _tell_missing(table: Table, by: Map, found: list[Diagnostic]) -> None:
    """Report columns that the map names and the spreadsheet lacks, once, as errors of the map."""
    if not table.columns and not table.others:
        return  # what keeps it from being read has been told
    strangers = [p for p in found if p.file == table.file and p.message == _STRANGER]
    found[:] = [p for p in found if p not in strangers]
    there = [*table.columns, *table.others, *(p.column for p in strangers)]
    told: set[str] = set()
    for block in by.blocks:
        for key, column in block.named:
            if column not in table.columns and column not in told:
                told.add(column)
                message = f"the spreadsheet has no column `{column}`"
                expected = "one of " + ", ".join(there)
                fix = did_you_mean(column, there)
                by.toml.problem((block.table, block.number, key), message, "", expected, fix)


_AMOUNTS = (k.MASS, k.MASS_RATE, k.CAPACITY, k.MONEY, k.UNIT_PRICE, k.SIGNED_PRICE, k.MASS_OR_MONEY, k.DURATION)
"""Kinds of columns that contain numbers with units."""
_SHOWN = 60

Cells = dict[str, tuple[str, tuple[str, ...]]]
"""Column of the catalog's table -> its text, and the source columns of the spreadsheet."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of the spreadsheet that isn't part of the catalog."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """Catalog from a spreadsheet."""

    catalog: Catalog
    head: Mapping[str, Any]
    """Keys of `catalog.toml`."""
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    """Header and rows by the table's file name."""
    rows: int
    """Rows of the spreadsheet."""
    left_out: tuple[LeftOut, ...]
    doubts: tuple[Diagnostic, ...] = ()
    """Amounts that some readers would take for a thousand times more, because the map does not state the decimal sign."""


@dataclass(slots=True)
class _Made:
    """A table in progress."""

    rows: list[tuple[int, Cells, MapEntry]] = field(default_factory=list)
    seen: set[tuple[tuple[str, str], ...]] = field(default_factory=set)

    def add(self, line: int, cells: Cells, block: MapEntry) -> None:
        """Add a row. Duplicates, such as a plant in several rows of the spreadsheet, count once."""
        said = tuple((name, text) for name, (text, _) in cells.items() if text)
        if said not in self.seen or any(text == BAD_CELL for text, _ in cells.values()):
            self.seen.add(said)
            self.rows.append((line, cells, block))


def mapped(
    source: Path, map_file: Path, required: Sequence[Catalog] | None = None, facts: FactColumns = NO_FACTS
) -> Mapped:
    """Convert a spreadsheet, a CSV file or a workbook, by a map of its columns.

    Args:
        source: The spreadsheet.
        map_file: The map.
        required: Catalogs in the map's `requires`. None if it names none.
        facts: Columns that plugins declare, which the map may fill.

    Raises:
        InputError: With every error of the map and of the spreadsheet.
    """
    found: list[Diagnostic] = []
    by = read_map(map_file, found, facts)
    if by is None:
        raise all_of(found)
    file, rows = read_sheet(source, by, found)
    if found and not rows:
        raise all_of(found)
    left_out: list[LeftOut] = []
    making = _Making(by, file, found)
    for row in rows:
        skip = next((block for block in by.skips if block.where.holds(row.cells)), None)
        if skip is not None:
            left_out.append(LeftOut(row.line, skip.why))
        else:
            making.row(row)
    tables = _MappedTables(source, making)
    wrong: list[Diagnostic] = []
    draft = read_draft(tables, dict(by.head), "", known_from(required or ()), wrong)
    found += dict.fromkeys(tables.placed(problem) for problem in wrong)
    if found:
        raise all_of(found)
    fix = 'state the decimal sign in the map, under [sheet]: decimal = "." or decimal = ","'
    doubts = [replace(one, fix=fix) for one in ambiguous_amounts(making.doubtful)]
    return Mapped(draft.catalog, by.head, tables.texts(), len(rows), tuple(left_out), tuple(doubts))


class _Making:
    """The rows of all tables in progress."""

    def __init__(self, by: Map, file: str, found: list[Diagnostic]) -> None:
        self.by = by
        self.file = file
        self.found = found
        self.made: dict[str, _Made] = {name: _Made() for name in by.tables}
        self.doubtful: dict[Cell, None] = {}
        """Amounts that some readers would take for a thousand times more."""
        self.material_of: dict[str, str] = {}
        """Material of offers that deliver a single one."""

    def row(self, row: SheetRow) -> None:
        """Add the contents of a row of the spreadsheet."""
        materials = self._materials(row)
        ids: dict[str, list[str]] = {}
        for layout in (columns.SOURCES, columns.FACILITIES, columns.OFFERS, *columns.TABLES):
            name = table_name(layout)
            if name in ids:
                continue  # its ids were needed before the others
            ids[name] = []
            for block in self.by.tables.get(name, ()):
                if block.where.holds(row.cells):
                    for cells in self._cells(row, layout, block, materials, ids):
                        self.made[name].add(row.line, cells, block)
                        if "id" in cells:
                            ids[name].append(cells["id"][0])
                        if layout is columns.OFFERS and "id" in cells and "material" in cells:
                            self.material_of[cells["id"][0]] = cells["material"][0]

    def _materials(self, row: SheetRow) -> dict[str, tuple[str, ...]]:
        """Return the materials of the row, with their source columns."""
        holding = [block for block in self.by.makes if block.where.holds(row.cells)]
        read = {column for block in self.by.makes for _, column in block.named}
        if not row.bad.isdisjoint(read):
            return {}  # an unreadable cell has been reported
        if self.by.makes and not holding:
            named = dict.fromkeys(column for block in self.by.makes for column in block.where.when)
            shown = ", ".join(row.cells[column] for column in named)
            fix = "add an entry for it, or a [[skip]] that says why it is left out"
            expected = f"a row that an entry [[makes]] of {self.by.toml.file} is about"
            message = "the map does not say what this row is about"
            found = f"`{shown[:_SHOWN]}`"
            self.found.append(Diagnostic(message, self.file, row.line, ", ".join(named), found, expected, fix))
        said: dict[str, tuple[str, ...]] = {}
        for block in holding:
            text = block.texts["material"]
            said |= dict.fromkeys(text.parts(row.cells), text.named or tuple(block.where.when))
        for word in list(said):
            try:
                ident(word)
            except UnreadableError:
                fix = f'give it one in the words of [[makes]]: "{word}" = "…"'
                place, message = ", ".join(said.pop(word)), "the map has no material for this"
                found, expected = f"`{word[:_SHOWN]}`", "a word that stands for the id of a material"
                self.found.append(Diagnostic(message, self.file, row.line, place, found, expected, fix))
        return said

    def _cells(
        self,
        row: SheetRow,
        layout: Layout,
        block: MapEntry,
        materials: Mapping[str, tuple[str, ...]],
        ids: Mapping[str, list[str]],
    ) -> Iterator[Cells]:
        """Yield the rows that an entry makes: one, or one for each material or offer if it doesn't name one itself."""
        cells: Cells = {}
        for column in self.by.facts.extended(layout).fields:
            text = block.texts.get(column.name)
            if text is not None:
                cells[column.name] = (self._text(row, column, text, layout), text.named)
        facility = (ids.get("facilities") or [""])[0]
        for name, owner in (("source", "sources"), ("facility", "facilities")):
            if name in layout.names and name not in cells and ids.get(owner):
                cells[name] = (ids[owner][0], ())
        if layout is columns.OFFERS and "material" not in cells and self.by.makes:
            for material in filter(block.of, materials):
                name = facility if facility == BAD_CELL else f"{facility}-{material}"
                own: Cells = {"id": (name, ())} if facility else {}
                yield {**own, **cells, "material": (material, materials[material])}
        elif "offer" in layout.names and "offer" not in cells:
            for offer in ids.get("offers", ()):
                if block.of(self.material_of.get(offer, "")):
                    yield {"offer": (offer, ()), **cells}
        else:
            yield cells

    def _text(self, row: SheetRow, column: Field, text: CellText, layout: Layout) -> str:
        """Return the text of a cell. An unreadable one is reported and keeps its place."""
        if not row.bad.isdisjoint(text.named):
            return BAD_CELL
        try:
            if column.kind is k.DATE:
                return text.day(row.cells)
            if column.kind in _AMOUNTS or column.kind.number:
                amount = text.amount(row.cells, self.by.sheet.get("decimal", ""))
                if ambiguous(amount) is not None:
                    self.doubtful[self.file, row.line, ", ".join(text.named), amount] = None
                return amount
        except UnreadableError as error:
            shown = f"`{text.raw(row.cells)[:_SHOWN]}`"
            message = f"cannot be read as `{column.name}` of {layout.name}"
            place = ", ".join(text.named)
            self.found.append(Diagnostic(message, self.file, row.line, place, shown, error.expected, error.fix))
            return BAD_CELL
        listed = "set apart by" in column.kind.name
        return ";".join(text.parts(row.cells)) if listed else text.single(row.cells)


class _MappedTables:
    """The tables in progress, in the form for a catalog's readers."""

    def __init__(self, path: Path, making: _Making) -> None:
        self.path = path
        self._making = making

    @property
    def head_file(self) -> str:
        return self._making.by.toml.file

    def head(self, found: list[Diagnostic]) -> Entry | None:
        """Return the keys of the map's `[catalog]`."""
        del found
        toml = self._making.by.toml
        return read_section(toml, columns.HEAD, {"schema": 1, **toml.data["catalog"]})

    def table(self, layout: Layout, found: list[Diagnostic]) -> Table | None:
        """Return a table. Its file is named by the spreadsheet and the table, until `placed` corrects the place of an error."""
        made = self._making.made.get(table_name(layout))
        if made is None:
            return None
        table = Table(self._making.by.facts.extended(layout), str(self.path / layout.name), found)
        names = self._names(layout)
        lines = [(line, [cells[name][0] if name in cells else "" for name in names]) for line, cells, _ in made.rows]
        if made.rows:
            fill(table, iter([(0, list(names)), *lines]))
        return table

    def strangers(self) -> Sequence[Stranger]:
        """Return an empty sequence, since there are no other tables."""
        return ()

    def texts(self) -> dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
        """Return header and rows of each table with rows."""
        found = {}
        for layout in columns.TABLES:
            made = self._making.made.get(table_name(layout))
            if made is not None and made.rows:
                names = self._names(layout)
                rows = tuple(tuple(cells[n][0] if n in cells else "" for n in names) for _, cells, _ in made.rows)
                found[layout.name] = (names, rows)
        return found

    def placed(self, problem: Diagnostic) -> Diagnostic:
        """Return an error at its place in the spreadsheet, or in the map if it applies to all rows."""
        name = next((layout.name for layout in columns.TABLES if str(self.path / layout.name) == problem.file), "")
        if not name:
            return problem
        as_what = f"{problem.message} (`{problem.column}` of {name})" if problem.column else problem.message
        blocks = self._making.by.tables[name.removesuffix(".csv")]
        rows = [one for one in self._making.made[blocks[0].table].rows if one[0] == problem.row]
        if not rows:
            return self._in_map(replace(problem, message=as_what), blocks[0])
        # A row of the spreadsheet may have made several: it is the one in which stands what was found.
        shown = [one for one in rows if problem.column in one[1] and one[1][problem.column][0] in problem.found]
        _, cells, block = (shown or rows)[0]
        _, came_from = cells.get(problem.column, ("", ()))
        if problem.column in block.texts and not came_from:
            return self._in_map(replace(problem, message=as_what), block)
        return replace(problem, message=as_what, file=self._making.file, column=", ".join(came_from))

    def _in_map(self, problem: Diagnostic, block: MapEntry) -> Diagnostic:
        toml = self._making.by.toml
        key = (block.table, block.number, problem.column)
        place = f"{block.table}[{block.number + 1}].{problem.column}"
        return replace(problem, file=toml.file, row=toml.line(key), column=place)

    def _names(self, layout: Layout) -> tuple[str, ...]:
        """Return the columns of the table that any row has, in order."""
        given = {name for _, cells, _ in self._making.made[table_name(layout)].rows for name in cells}
        return tuple(name for name in self._making.by.facts.extended(layout).names if name in given)
