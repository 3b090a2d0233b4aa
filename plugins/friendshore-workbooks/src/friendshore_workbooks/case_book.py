"""The workbook of a case, read back: as the edits in its cells, as a format of cases, and as the place of the catalogs of the case.

Values without an edit are those of the case file, digit by digit. Edited cells are read like the cells of a table.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from friendshore.case import keys
from friendshore.case.formats import CaseFormat, FindCatalog
from friendshore.catalog import columns
from friendshore.catalog.convert import Texts, texts_of
from friendshore.catalog.sheets import LONGEST_TEXT, NUMBER, split_head
from friendshore.catalog.tables import sheet_name
from friendshore.domain.base import UnreadableError
from friendshore.domain.case import Case
from friendshore.domain.suggest import did_you_mean
from friendshore.errors import Diagnostic, InputError
from friendshore.inert import UNSEEN
from friendshore.plugins import Registry
from friendshore.plugins.isolated import CatalogRef
from friendshore.readers import CatalogRows, TableRows
from friendshore.reading.csvfile import BAD_CELL
from friendshore.reading.fields import Layout
from friendshore.reading.records import path_of
from friendshore.reading.tomlfile import Key, TomlFile, toml_data
from friendshore.reading.workbook import Workbook, read_workbook

BASELINE = "_baseline"
"""Hidden sheet with the original text of every cell."""
FORMAT = "friendshore case 1"
"""First text of the baseline."""
HEAD, ROW = "head", "row"
CASE, CALLED = "case.toml", "called"
"""Other parts of the baseline: the case file, in pieces written as JSON, and the case's name for each catalog."""
PIECE = 4_000
"""Characters of a piece."""

RowTexts = Mapping[str, str]
"""Texts of a row by column."""


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """A sheet as it was written."""

    columns: tuple[str, ...]
    rows: tuple[RowTexts, ...]


@dataclass(frozen=True, slots=True)
class EditedSheet:
    """A sheet as it is now."""

    letters: Mapping[str, str]
    """Column -> its letters."""
    rows: tuple[tuple[int, RowTexts], ...]
    """Number and texts of each row that isn't blank."""


@dataclass(frozen=True, slots=True)
class CaseWorkbook:
    """The workbook of a case."""

    path: Path
    case: str
    """Name of its case."""
    written: Mapping[str, WrittenSheet]
    edited: Mapping[str, EditedSheet]
    data: dict[str, Any]
    """Data of the case file, without the tables of other sheets."""
    called: Mapping[str, str]
    """Catalog -> the case's name for it, without catalogs that are only required."""
    order: list[str] = field(default_factory=list)

    def place(self, sheet: str) -> str:
        """Return the name of a sheet for errors."""
        return f"{self.path}, sheet {sheet}"

    def at(self, sheet: str, row: int | None = None, column: str = "") -> str:
        """Return the name of a cell in a spreadsheet, such as `demand!C7`."""
        letter = self.edited[sheet].letters.get(column, "") if sheet in self.edited else ""
        return sheet if row is None else f"{sheet}!{letter}{row}" if letter else f"{sheet}!{row}"

    def told(self, problem: Diagnostic) -> Diagnostic:
        """Return a reader's error with the name of its cell."""
        sheet = problem.file.removeprefix(self.place(""))
        if sheet == problem.file or sheet not in self.edited:
            return problem
        if re.fullmatch(r"[A-Z]{1,3}\d+", problem.column):
            where = f"{sheet}!{problem.column}"
        else:
            known = self.edited[sheet].letters
            column = problem.column if problem.column in known else problem.column.rpartition(".")[2]
            where = self.at(sheet, problem.row, column)
            where += f" {problem.column}" if problem.column and column not in known else ""
        return replace(problem, file=str(self.path), row=None, column=where)

    def sorted(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return errors in the order of sheets and rows, without duplicates."""

        def where(problem: Diagnostic) -> tuple[int, int, str]:
            sheet, _, cell = problem.column.partition("!")
            number = re.search(r"\d+", cell)
            return (
                self.order.index(sheet) if sheet in self.order else -1,
                int(number[0]) if number else 0,
                problem.column,
            )

        return sorted(dict.fromkeys(map(self.told, problems)), key=where)


def read_case_workbook(path: Path, found: list[Diagnostic]) -> CaseWorkbook:
    """Read the workbook of a case. Errors in its sheets go to `found`.

    Raises:
        InputError: If it wasn't written by `case to-xlsx`, or openpyxl is not installed.
    """
    unread: list[Diagnostic] = []
    book = read_workbook(path, unread, also=(BASELINE,))
    if unread:
        raise InputError(unread)
    lines = [cells for _, cells in book.sheets.get(BASELINE, [])]
    said = [cells for cells in lines[1:] if cells[0] in (CASE, CALLED)]
    written = _written([cells for cells in lines[1:] if cells[0] not in (CASE, CALLED)])
    data = _case_file(said)
    if written is None or data is None or not lines or lines[0][0] != FORMAT or len(lines[0]) < 3:
        known = bool(lines) and lines[0][0].startswith(FORMAT.rpartition(" ")[0]) and lines[0][0] != FORMAT
        message = "was written by another version of friendshore" if known else "is no workbook of a case"
        fix = "write it anew: friendshore case to-xlsx CASE --out FILE"
        raise InputError(message, str(path), expected=f"one with the hidden sheet `{BASELINE}`", fix=fix)
    edited = {name: sheet for name, one in written.items() if (sheet := _edited(book, name, one, found)) is not None}
    for name in book.sheets:
        if name not in written and name != BASELINE:
            fix = (
                did_you_mean(name, written)
                or "call it `notes`, or begin its name with `_`: such a sheet is yours alone"
            )
            found.append(Diagnostic("is no sheet of a case, so it would not be read", book.place(name), fix=fix))
    called = {cells[1]: cells[2] for cells in said if cells[0] == CALLED and len(cells) > 2}
    return CaseWorkbook(path, lines[0][2], written, edited, data, called, list(book.sheets))


def case_pieces(text: str) -> list[str]:
    """Return a case file in pieces that fit into cells without loss."""
    return [json.dumps(text[at : at + PIECE]) for at in range(0, len(text), PIECE)]


def _case_file(said: list[list[str]]) -> dict[str, Any] | None:
    """Return the data of the case file in the hidden sheet. None if it can't be read."""
    try:
        pieces = [json.loads(cells[1]) for cells in said if cells[0] == CASE]
        return toml_data("".join(pieces), BASELINE) if pieces else None
    except (ValueError, TypeError, IndexError, RecursionError, InputError):
        return None


def plain(text: str) -> str:
    """Return a text without the characters that a workbook can't keep."""
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    text = UNSEEN.sub(lambda sign: sign[0] if sign[0] in "\n\t" else sign[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _written(lines: list[list[str]]) -> dict[str, WrittenSheet] | None:
    """Return the sheets as the hidden sheet records them. None if it can't be read."""
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[RowTexts]] = {}
    for line in lines:
        name, what, cells = line[0], "".join(line[1:2]), line[2:]
        if what == HEAD:
            columns[name] = tuple(split_head(head)[0] for head in cells if head)
        elif what != ROW or name not in columns:
            return None
        else:
            padded = cells + [""] * (len(columns[name]) - len(cells))
            rows.setdefault(name, []).append(dict(zip(columns[name], padded, strict=False)))
    return {name: WrittenSheet(names, tuple(rows.get(name, ()))) for name, names in columns.items()}


def _edited(book: Workbook, name: str, written: WrittenSheet, found: list[Diagnostic]) -> EditedSheet | None:
    """Return a sheet as it is now. None, with an error in `found`, if it is missing."""
    from openpyxl.utils import get_column_letter as letters  # an extra

    place, lines = book.place(name), book.sheets.get(name)
    if lines is None:
        fix = "write the workbook anew, or take it back from a copy; rows that are not wanted are deleted one by one"
        found.append(Diagnostic("the sheet is gone", str(book.file), column=name, fix=fix))
        return None
    found.extend(book.problems.get(name, ()))
    line, heads = lines[0]
    columns: dict[int, tuple[str, str]] = {}
    for position, head in enumerate(heads):
        column, unit = split_head(head)
        if column in written.columns and column not in [known for known, _ in columns.values()]:
            columns[position] = (column, unit)
        elif head and head != BAD_CELL:
            at = f"{letters(position + 1)}{line}"
            expected = ", ".join(written.columns)
            fix = did_you_mean(column, written.columns) or "delete the column"
            found.append(Diagnostic("no such column, or twice", place, line, at, f"`{head}`", expected, fix))
    gone = [column for column in written.columns if column not in [known for known, _ in columns.values()]]
    found += [
        Diagnostic("the column is gone", place, line, column, fix="take it back: blank cells are deleted one by one")
        for column in gone
    ]
    rows = () if gone else tuple((number, _texts(cells, columns)) for number, cells in lines[1:])
    return EditedSheet({column: letters(at + 1) for at, (column, _) in columns.items()}, rows)


def _texts(cells: list[str], columns: Mapping[int, tuple[str, str]]) -> RowTexts:
    """Return the texts of a row by column. A number without a unit gets the unit of its head."""
    found = {}
    for position, (column, unit) in columns.items():
        text = cells[position] if position < len(cells) else ""
        found[column] = f"{text} {unit}" if unit and re.fullmatch(NUMBER, text) else text
    return found


OFFERED = frozenset(("facilities", "offers", "capacity", "recipe", "chain", "lanes", "quotes", "tiers", "terms"))
"""Tables that a catalog contributes only if the case names it."""
CATALOG_SHEET, OF = "catalog", "catalog"
"""Sheet of the heads of catalogs, and the column of their other sheets with the name of a row's catalog."""
_OWN = ("rule", "scenario")
"""Sheets that summarize tables of the case file."""


class WorkbookCase(CaseFormat):
    """A case as one workbook, written by `case to-xlsx`."""

    name = "xlsx"

    def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
        """Return the data of the case in the cells of the workbook.

        Raises:
            InputError: If it isn't a workbook of a case, or openpyxl isn't installed.
        """
        return CaseSheets.of(read_case_workbook(file, problems), problems)

    def catalogs(self, case: Case, registry: Registry) -> FindCatalog:
        """Return what finds the catalogs of a case in its workbook, which contains all of them.

        Raises:
            InputError: If the workbook can't be read any more.
        """
        return NamedCatalogs(case, registry)


@dataclass(slots=True)
class CaseSheets(TomlFile):
    """A workbook of a case as the data of its case file."""

    book: CaseWorkbook
    cells: dict[Key, tuple[str, int, str]] = field(default_factory=dict)
    """Position of tables and keys: sheet, row, and column, if it is one cell."""

    @classmethod
    def of(cls, book: CaseWorkbook, found: list[Diagnostic]) -> CaseSheets:
        """Return the data in a workbook. Edits that no case file can state go to `found`."""
        sheets = cls(str(book.path), book.data, {}, found, book)
        for layout in (one.inside for one in keys.FILE.fields if one.repeated and one.inside is not None):
            name = layout.name.strip("[]")
            if name not in _OWN and name in book.edited:
                sheets._list(name, layout)
        sheets._settings()
        for name in _OWN:
            found.extend(_changed(book, name))
        return sheets

    def place(self, key: Key) -> tuple[str, int | None]:
        """Return the sheet and row of a key."""
        sheet, row, _ = self._cell(key)
        return (self.book.place(sheet) if sheet else self.file), row

    def told(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        """Return errors with the names of their cells."""
        return self.book.sorted(problems)

    def problem(
        self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "", code: str = ""
    ) -> None:
        """Record an error at the cell of a key, unless the cell is reported as unreadable already."""
        sheet, row, column = self._cell(key)
        if found != f"`{BAD_CELL}`":
            file = self.book.place(sheet) if sheet else self.file
            self.found.append(Diagnostic(message, file, row, column, found, expected, fix, code))

    def _cell(self, key: Key) -> tuple[str, int | None, str]:
        for length in range(len(key), 0, -1):
            if key[:length] in self.cells:
                sheet, row, column = self.cells[key[:length]]
                return sheet, row, column or path_of(key[length:])
        return "", None, path_of(key)

    def _list(self, name: str, layout: Layout) -> None:
        """Read a list of tables from the rows of its sheet."""
        columns, given = self.book.written[name].columns, self.data.get(name, [])
        stated = dict(zip((_cells(texts, columns) for texts in self.book.written[name].rows), given, strict=False))
        tables = []
        for number, (line, texts) in enumerate(self.book.edited[name].rows):
            tables.append(stated.get(_cells(texts, columns)) or _table(texts, layout))
            self.cells[name, number] = (name, line, "")
        if tables or name in self.data:
            self.data[name] = tables
        if name == "demand":  # the sheet holds those of the table of demands and of a reader too
            self.data.get("use", {}).pop("demand", None)

    def _settings(self) -> None:
        """Apply edits of the sections that aren't lists."""
        if "settings" not in self.book.edited:
            return
        before = {_setting(texts): texts["value"] for texts in self.book.written["settings"].rows}
        now: set[tuple[str, str]] = set()
        for line, texts in self.book.edited["settings"].rows:
            section, key = at = _setting(texts)
            path = self._path(section, key)
            self.cells[path] = ("settings", line, "value")
            if at in now:
                self.problem(path, "is said twice", fix="delete one of the two rows")
            now.add(at)
            if texts["value"] == before.get(at):
                continue
            if at == ("use", "demand"):
                self.problem(path, "demands stand in the sheet `demand`", f"`{texts['value']}`", fix="undo it")
            else:
                self._set(path, texts["value"])
        for section, key in before.keys() - now:
            self._set(self._path(section, key), "")

    def _path(self, section: str, key: str) -> Key:
        """Return the place in the case file of a row of the settings."""
        name, _, rest = section.partition(" ")
        if name == "assume.offer":
            known = self.data.setdefault("assume", {}).setdefault("offer", [])
            at = next((number for number, one in enumerate(known) if one.get("id") == rest), len(known))
            known += [{"id": rest}] if at == len(known) else []
            return ("assume", "offer", at, key)
        name, _, rest = section.partition(".")
        return (name, rest, key) if rest else (name, key)

    def _set(self, path: Key, text: str) -> None:
        """Replace a value of the case file by that of a cell. A blank cell removes it."""
        table: Any = self.data
        for step in path[:-1]:
            table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
            if not isinstance(table, dict | list):
                self.problem(path, "no section of a case", fix="undo it")
                return
        last = str(path[-1])
        if isinstance(table, list):
            self.problem(path, "a list, which has a sheet of its own", fix="undo it")
            return
        table.pop(last, None)
        if text:
            table[last] = _value(text) if path[0] == "plugin" or last == "chain" else text


def _cells(texts: RowTexts, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts[column] for column in columns)


def _setting(texts: RowTexts) -> tuple[str, str]:
    return texts["section"], texts["key"]


def _table(texts: RowTexts, layout: Layout) -> dict[str, object]:
    """Return a table of the case file, from a row of a sheet."""
    tables = {one.name for one in layout.fields if one.inside is not None}
    return {column: _value(text) if column in tables else text for column, text in texts.items() if text}


def _value(text: str) -> object:
    """Return the value of a cell in the notation of a case file, or its text if it has none."""
    try:
        return toml_data(f"x = {text}", "")["x"]
    except (InputError, KeyError):
        return text


def _changed(book: CaseWorkbook, name: str) -> Iterator[Diagnostic]:
    """Yield errors for edits that no case file can state: rules and scenarios are defined in the case file or in a pack."""
    fix = (
        "undo it, and name it when you plan: --change CHANGE, or --scenario NAME of one that "
        "`friendshore case from-xlsx FILE CASE --scenario NAME` reads from the workbook"
    )
    written = list(book.written[name].rows) if name in book.edited else []
    key = book.written[name].columns[0] if name in book.written else ""
    named = {texts[key]: texts for texts in written}
    seen = set()
    for line, texts in book.edited[name].rows if name in book.edited else ():
        before = named.get(texts[key])
        seen.add(texts[key])
        if before is None:
            found = f"`{texts[key]}`"
            yield Diagnostic(f"no {name} is added by a row", book.place(name), line, key, found, fix=fix)
            continue
        for column, text in texts.items():
            if text not in (before[column], BAD_CELL):
                expected = f"`{before[column]}`, as it was" if before[column] else "a blank cell, as it was"
                message, found = f"only a scenario says this of a {name}", f"`{text}`" if text else "a blank cell"
                yield Diagnostic(message, book.place(name), line, column, found, expected, fix)
    for called in named.keys() - seen:
        yield Diagnostic(f"no {name} is taken away with its row", book.place(name), found=f"`{called}`", fix=fix)


def catalogs_in(book: CaseWorkbook, tables: Mapping[str, Layout], found: list[Diagnostic]) -> dict[str, CatalogRows]:
    """Return the catalogs in the workbook of a case by name. Rows without a catalog go to `found`."""
    heads = book.edited[CATALOG_SHEET].rows if CATALOG_SHEET in book.edited else ()
    names = {
        texts["name"]: {key: text for key, text in texts.items() if text and key != "schema"} for _, texts in heads
    }
    held: dict[str, dict[str, TableRows]] = {name: {} for name in names}
    for sheet in tables.keys() & book.edited.keys():
        rows = book.edited[sheet].rows
        for line, texts in rows:
            if texts[OF] not in names:
                expected, named = "one of " + ", ".join(sorted(names)), f"`{texts[OF]}`" if texts[OF] else ""
                message = "the sheet `catalog` has no such catalog"
                found.append(Diagnostic(message, book.place(sheet), line, OF, named, expected))
        for name in names:
            own = [(line, texts) for line, texts in rows if texts[OF] == name]
            columns = [one for one in book.written[sheet].columns if one != OF and any(t[one] for _, t in own)]
            if own:
                cells = [(line, [texts[column] for column in columns]) for line, texts in own]
                held[name][sheet] = TableRows(columns, cells, book.place(sheet))
    return {name: CatalogRows(head, held[name], book.place(CATALOG_SHEET)) for name, head in names.items()}


_TABLES: Mapping[str, Layout] = {sheet_name(layout): layout for layout in columns.TABLES}


class NamedCatalogs:
    """Finds the catalogs of a case in its workbook, which contains all of them.

    A catalog with the rows of the installed catalog of its name is the installed one.
    """

    def __init__(self, case: Case, registry: Registry) -> None:
        """Read the workbook of the case again.

        Raises:
            InputError: If it can no longer be read.
        """
        assert case.file is not None  # the case was read from it
        self._registry, self._folder = registry, case.folder
        found: list[Diagnostic] = []
        self._book = read_case_workbook(case.file, found)
        self._rows = catalogs_in(self._book, _TABLES, found)
        if found:
            raise InputError(self.told(found))

    def __call__(self, name: str) -> CatalogRef:
        """Return where a catalog is.

        Raises:
            FriendshoreError: As `Registry.catalog_folder` does.
        """
        called = {said: catalog for catalog, said in self._book.called.items()}
        held = called.get(name, name)
        if held not in self._rows:
            return self._registry.catalog_folder(name, self._folder)
        rows = self._rows[held]
        ref = CatalogRef(name=held, folder=self._book.path, rows=rows, columns=self._registry.fact_columns)
        if held not in self._registry.catalogs or name != held:
            return ref
        installed = self._registry.catalog_folder(held)
        return installed if _alike(ref, installed, held in self._book.called) else ref

    @property
    def told(self) -> Callable[[Iterable[Diagnostic]], list[Diagnostic]]:
        """Function that sorts errors and gives them the names of their cells."""
        return self._book.sorted


def _alike(one: CatalogRef, other: CatalogRef, offered: bool) -> bool:
    """Return True if two catalogs have the same rows, in any order and notation. Unless `offered`, only the tables of a required catalog count."""
    try:
        said, there = (texts_of(ref.place, ref.columns) for ref in (one, other))
    except InputError:
        return False  # what is wrong with it is told by whoever reads it in full
    tables = [name for name in _TABLES if offered or name not in OFFERED]
    heads = [{key: value for key, value in texts.head.items() if key != "schema"} for texts in (said, there)]
    return heads[0] == heads[1] and all(_rows(said, name) == _rows(there, name) for name in tables)


def _rows(texts: Texts, name: str) -> Counter[tuple[tuple[str, object], ...]]:
    """Return the values of each row of a table by column, without blank cells."""
    header, rows = texts.tables.get(_TABLES[name].name, ((), ()))
    known = texts.facts.extended(_TABLES[name]).by_name

    def said(row: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        for column, text in zip(header, map(plain, row), strict=True):
            if text:
                try:
                    yield column, known[column].kind.read(text)
                except UnreadableError:
                    yield column, text

    return Counter(tuple(sorted(said(row), key=lambda cell: cell[0])) for row in rows)
