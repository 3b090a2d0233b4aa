"""The workbook of a case, read back as edits, as a format of cases, and as the place of the catalogs of the case."""

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
from friendshore.inert import INVISIBLE
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
HEAD, ROW = "head", "row"
CASE, CALLED = "case.toml", "called"
PIECE_LENGTH = 4_000
"""Characters of a piece. Its JSON is longer, and a cell has at most 32,767 characters."""

RowTexts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """A sheet as friendshore wrote it."""

    columns: tuple[str, ...]
    rows: tuple[RowTexts, ...]


@dataclass(frozen=True, slots=True)
class EditedSheet:
    """A sheet as it is now."""

    letters: Mapping[str, str]
    rows: tuple[tuple[int, RowTexts], ...]


@dataclass(frozen=True, slots=True)
class CaseWorkbook:
    """The workbook of a case, as written and as edited."""

    path: Path
    case: str
    written: Mapping[str, WrittenSheet]
    edited: Mapping[str, EditedSheet]
    data: dict[str, Any]
    name_in_case: Mapping[str, str]
    """Name of each catalog in the case. Catalogs that are only required aren't included."""
    order: list[str] = field(default_factory=list)

    def place(self, sheet: str) -> str:
        return f"{self.path}, sheet {sheet}"

    def cell_name(self, sheet: str, row: int | None = None, column: str = "") -> str:
        """Return the name of a cell, such as `demand!C7`. Without a column, return a row, and without a row, the sheet."""
        letter = self.edited[sheet].letters.get(column, "") if sheet in self.edited else ""
        return sheet if row is None else f"{sheet}!{letter}{row}" if letter else f"{sheet}!{row}"

    def at_cell(self, problem: Diagnostic) -> Diagnostic:
        sheet = problem.file.removeprefix(self.place(""))
        if sheet == problem.file or sheet not in self.edited:
            return problem
        if re.fullmatch(r"[A-Z]{1,3}\d+", problem.column):
            cell = f"{sheet}!{problem.column}"
        else:
            letters = self.edited[sheet].letters
            column = problem.column if problem.column in letters else problem.column.rpartition(".")[2]
            cell = self.cell_name(sheet, problem.row, column)
            cell += f" {problem.column}" if problem.column and column not in letters else ""
        return replace(problem, file=str(self.path), row=None, column=cell)

    def sorted(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        def position(problem: Diagnostic) -> tuple[int, int, str]:
            sheet, _, cell = problem.column.partition("!")
            number = re.search(r"\d+", cell)
            return (
                self.order.index(sheet) if sheet in self.order else -1,
                int(number[0]) if number else 0,
                problem.column,
            )

        return sorted(dict.fromkeys(map(self.at_cell, problems)), key=position)


def read_case_workbook(path: Path, problems: list[Diagnostic]) -> CaseWorkbook:
    """Read the workbook of a case. Errors in its sheets go to `problems`. Raise an `InputError` if it isn't one."""
    unreadable: list[Diagnostic] = []
    book = read_workbook(path, unreadable, also=(BASELINE,))
    if unreadable:
        raise InputError(unreadable)
    lines = [cells for _, cells in book.sheets.get(BASELINE, [])]
    case_lines = [cells for cells in lines[1:] if cells[0] in (CASE, CALLED)]
    written = _written([cells for cells in lines[1:] if cells[0] not in (CASE, CALLED)])
    data = _case_file(case_lines)
    if written is None or data is None or not lines or lines[0][0] != FORMAT or len(lines[0]) < 3:
        is_other_version = bool(lines) and lines[0][0].startswith(FORMAT.rpartition(" ")[0]) and lines[0][0] != FORMAT
        message = (
            "was written by another version of friendshore" if is_other_version else "isn't the workbook of a case"
        )
        fix = "write it again: `friendshore case to-xlsx CASE --out FILE`"
        expected = f"a workbook with the hidden sheet `{BASELINE}`"
        raise InputError(message, str(path), expected=expected, fix=fix, code="FS900")
    edited = {
        name: sheet
        for name, as_written in written.items()
        if (sheet := _edited(book, name, as_written, problems)) is not None
    }
    for name in book.sheets:
        if name not in written and name != BASELINE:
            fix = (
                did_you_mean(name, written)
                or "rename it to `notes`, or to a name that starts with `_`: such sheets are ignored"
            )
            message = "unknown sheet, which would not be read"
            problems.append(Diagnostic(message, book.place(name), fix=fix, code="FS902"))
    name_in_case = {cells[1]: cells[2] for cells in case_lines if cells[0] == CALLED and len(cells) > 2}
    return CaseWorkbook(path, lines[0][2], written, edited, data, name_in_case, list(book.sheets))


def case_pieces(text: str) -> list[str]:
    return [json.dumps(text[start : start + PIECE_LENGTH]) for start in range(0, len(text), PIECE_LENGTH)]


def _case_file(case_lines: list[list[str]]) -> dict[str, Any] | None:
    try:
        pieces = [json.loads(cells[1]) for cells in case_lines if cells[0] == CASE]
        return toml_data("".join(pieces), BASELINE) if pieces else None
    except (ValueError, TypeError, IndexError, RecursionError, InputError):
        return None


def plain(text: str) -> str:
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    text = INVISIBLE.sub(lambda sign: sign[0] if sign[0] in "\n\t" else sign[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _written(lines: list[list[str]]) -> dict[str, WrittenSheet] | None:
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[RowTexts]] = {}
    for line in lines:
        name, line_kind, cells = line[0], "".join(line[1:2]), line[2:]
        if line_kind == HEAD:
            columns[name] = tuple(split_head(head)[0] for head in cells if head)
        elif line_kind != ROW or name not in columns:
            return None
        else:
            padded = cells + [""] * (len(columns[name]) - len(cells))
            rows.setdefault(name, []).append(dict(zip(columns[name], padded, strict=False)))
    return {name: WrittenSheet(names, tuple(rows.get(name, ()))) for name, names in columns.items()}


def _edited(book: Workbook, name: str, written: WrittenSheet, problems: list[Diagnostic]) -> EditedSheet | None:
    from openpyxl.utils import get_column_letter as letters  # an extra

    place, sheet_rows = book.place(name), book.sheets.get(name)
    if sheet_rows is None:
        fix = "restore it from a copy, or write the workbook again. To remove rows, delete them one by one"
        problems.append(Diagnostic("the sheet is missing", str(book.file), column=name, fix=fix, code="FS901"))
        return None
    problems.extend(book.problems.get(name, ()))
    line, heads = sheet_rows[0]
    columns: dict[int, tuple[str, str]] = {}
    for position, head in enumerate(heads):
        column, unit = split_head(head)
        if column in written.columns and column not in [name for name, _ in columns.values()]:
            columns[position] = (column, unit)
        elif head and head != BAD_CELL:
            cell = f"{letters(position + 1)}{line}"
            expected = ", ".join(written.columns)
            fix = did_you_mean(column, written.columns) or "delete the column"
            message = "duplicate column" if column in written.columns else "unknown column"
            problems.append(Diagnostic(message, place, line, cell, f"`{head}`", expected, fix, "FS001"))
    missing = [column for column in written.columns if column not in [name for name, _ in columns.values()]]
    fix = "restore the column. To remove values, clear their cells"
    problems += [Diagnostic("the column is missing", place, line, column, fix=fix, code="FS901") for column in missing]
    rows = () if missing else tuple((number, _texts(cells, columns)) for number, cells in sheet_rows[1:])
    return EditedSheet({column: letters(position + 1) for position, (column, _) in columns.items()}, rows)


def _texts(cells: list[str], columns: Mapping[int, tuple[str, str]]) -> RowTexts:
    texts = {}
    for position, (column, unit) in columns.items():
        text = cells[position] if position < len(cells) else ""
        texts[column] = f"{text} {unit}" if unit and re.fullmatch(NUMBER, text) else text
    return texts


OFFER_TABLES = frozenset(
    ("facilities", "offers", "capacity", "owners", "recipe", "chain", "lanes", "quotes", "tiers", "terms")
)
"""Tables that a catalog contributes only if the case names it."""
CATALOG_SHEET, CATALOG_COLUMN = "catalog", "catalog"
"""Sheet with the heads of catalogs, and the column of their other sheets with the name of a row's catalog."""
_SUMMARIES = ("rule", "scenario")


class WorkbookCase(CaseFormat):
    """A case as one workbook, written by `case to-xlsx`."""

    name = "xlsx"

    def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
        return CaseSheets.from_book(read_case_workbook(file, problems), problems)

    def catalogs(self, case: Case, registry: Registry) -> FindCatalog:
        return NamedCatalogs(case, registry)


@dataclass(slots=True)
class CaseSheets(TomlFile):
    """A workbook of a case as the data of its case file."""

    book: CaseWorkbook
    cells: dict[Key, tuple[str, int, str]] = field(default_factory=dict)
    """Sheet, row, and column of each table and key. The column is empty for a whole row."""

    @classmethod
    def from_book(cls, book: CaseWorkbook, problems: list[Diagnostic]) -> CaseSheets:
        sheets = cls(str(book.path), book.data, {}, problems, book)
        for layout in (key.inside for key in keys.FILE.fields if key.repeated and key.inside is not None):
            name = layout.name.strip("[]")
            if name not in _SUMMARIES and name in book.edited:
                sheets._read_list(name, layout)
        sheets._apply_settings()
        for name in _SUMMARIES:
            problems.extend(_summary_edit_problems(book, name))
        return sheets

    def place(self, key: Key) -> tuple[str, int | None]:
        sheet, row, _ = self._position(key)
        return (self.book.place(sheet) if sheet else self.file), row

    def printable(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        return self.book.sorted(problems)

    def problem(
        self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "", code: str = ""
    ) -> None:
        sheet, row, column = self._position(key)
        if found != f"`{BAD_CELL}`":  # otherwise, the cell is already reported as unreadable
            file = self.book.place(sheet) if sheet else self.file
            self.problems.append(Diagnostic(message, file, row, column, found, expected, fix, code))

    def _position(self, key: Key) -> tuple[str, int | None, str]:
        for length in range(len(key), 0, -1):
            if key[:length] in self.cells:
                sheet, row, column = self.cells[key[:length]]
                return sheet, row, column or path_of(key[length:])
        return "", None, path_of(key)

    def _read_list(self, name: str, layout: Layout) -> None:
        """Read a list of tables from the rows of its sheet. An unedited row is the table of the case file."""
        columns, tables_before = self.book.written[name].columns, self.data.get(name, [])
        unedited = dict(
            zip((_cells(texts, columns) for texts in self.book.written[name].rows), tables_before, strict=False)
        )
        tables = []
        for number, (line, texts) in enumerate(self.book.edited[name].rows):
            tables.append(unedited.get(_cells(texts, columns)) or _table(texts, layout))
            self.cells[name, number] = (name, line, "")
        if tables or name in self.data:
            self.data[name] = tables
        if name == "demand":  # the sheet also contains the demands of a demand table or reader
            self.data.get("use", {}).pop("demand", None)

    def _apply_settings(self) -> None:
        if "settings" not in self.book.edited:
            return
        texts_before = {_section_and_key(texts): texts["value"] for texts in self.book.written["settings"].rows}
        seen: set[tuple[str, str]] = set()
        for line, texts in self.book.edited["settings"].rows:
            section, key = setting = _section_and_key(texts)
            path = self._path_of_setting(section, key)
            self.cells[path] = ("settings", line, "value")
            if setting in seen:
                self.problem(path, "the key has two rows", fix="delete one of the two", code="FS903")
            seen.add(setting)
            if texts["value"] == texts_before.get(setting):
                continue
            if setting == ("use", "demand"):
                message = "demands of a workbook are in its sheet `demand`"
                self.problem(path, message, f"`{texts['value']}`", fix="undo the edit", code="FS903")
            else:
                self._set(path, texts["value"])
        for section, key in texts_before.keys() - seen:
            self._set(self._path_of_setting(section, key), "")

    def _path_of_setting(self, section: str, key: str) -> Key:
        name, _, rest = section.partition(" ")
        if name == "assume.offer":
            assumptions = self.data.setdefault("assume", {}).setdefault("offer", [])
            position = next(
                (number for number, entry in enumerate(assumptions) if entry.get("id") == rest), len(assumptions)
            )
            assumptions += [{"id": rest}] if position == len(assumptions) else []
            return ("assume", "offer", position, key)
        name, _, rest = section.partition(".")
        return (name, rest, key) if rest else (name, key)

    def _set(self, path: Key, text: str) -> None:
        table: Any = self.data
        for step in path[:-1]:
            table = table.setdefault(step, {}) if isinstance(table, dict) else table[step]
            if not isinstance(table, dict | list):
                self.problem(path, "a case has no such section", fix="undo the edit", code="FS001")
                return
        last = str(path[-1])
        if isinstance(table, list):
            self.problem(path, "this list has its own sheet", fix="edit that sheet", code="FS903")
            return
        table.pop(last, None)
        if text:
            table[last] = _value(text) if path[0] == "plugin" or last == "chain" else text


def _cells(texts: RowTexts, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts[column] for column in columns)


def _section_and_key(texts: RowTexts) -> tuple[str, str]:
    return texts["section"], texts["key"]


def _table(texts: RowTexts, layout: Layout) -> dict[str, object]:
    tables = {field.name for field in layout.fields if field.inside is not None}
    return {column: _value(text) if column in tables else text for column, text in texts.items() if text}


def _value(text: str) -> object:
    try:
        return toml_data(f"x = {text}", "")["x"]
    except (InputError, KeyError):
        return text


def _summary_edit_problems(book: CaseWorkbook, name: str) -> Iterator[Diagnostic]:
    fix = (
        "undo the edit, and plan with `--change CHANGE`, or with a scenario that "
        "`friendshore case from-xlsx FILE CASE --scenario NAME` reads from the workbook"
    )
    written = list(book.written[name].rows) if name in book.edited else []
    key = book.written[name].columns[0] if name in book.written else ""
    rows_before = {texts[key]: texts for texts in written}
    seen = set()
    for line, texts in book.edited[name].rows if name in book.edited else ():
        before = rows_before.get(texts[key])
        seen.add(texts[key])
        if before is None:
            found = f"`{texts[key]}`"
            message = f"a row of this sheet can't add a {name}"
            yield Diagnostic(message, book.place(name), line, key, found, fix=fix, code="FS903")
            continue
        for column, text in texts.items():
            if text not in (before[column], BAD_CELL):
                expected = f"`{before[column]}`, as it was" if before[column] else "a blank cell, as it was"
                message, found = f"only a scenario can change a {name}", f"`{text}`" if text else "a blank cell"
                yield Diagnostic(message, book.place(name), line, column, found, expected, fix, "FS903")
    for name_before in rows_before.keys() - seen:
        message = f"deleting its row doesn't remove a {name}"
        yield Diagnostic(message, book.place(name), found=f"`{name_before}`", fix=fix, code="FS903")


def catalogs_in(book: CaseWorkbook, tables: Mapping[str, Layout], problems: list[Diagnostic]) -> dict[str, CatalogRows]:
    """Return the catalogs in the workbook by name. Errors go to `problems`."""
    heads = book.edited[CATALOG_SHEET].rows if CATALOG_SHEET in book.edited else ()
    names = {
        texts["name"]: {key: text for key, text in texts.items() if text and key != "schema"} for _, texts in heads
    }
    tables_by_catalog: dict[str, dict[str, TableRows]] = {name: {} for name in names}
    for sheet in tables.keys() & book.edited.keys():
        rows = book.edited[sheet].rows
        for line, texts in rows:
            if texts[CATALOG_COLUMN] not in names:
                expected, shown = (
                    "one of " + ", ".join(sorted(names)),
                    f"`{texts[CATALOG_COLUMN]}`" if texts[CATALOG_COLUMN] else "",
                )
                message = "the sheet `catalog` has no catalog of this name"
                fix = "correct the name, or add the catalog to that sheet"
                place = book.place(sheet)
                problems.append(Diagnostic(message, place, line, CATALOG_COLUMN, shown, expected, fix, "FS908"))
        for name in names:
            own_rows = [(line, texts) for line, texts in rows if texts[CATALOG_COLUMN] == name]
            columns = [
                column
                for column in book.written[sheet].columns
                if column != CATALOG_COLUMN and any(t[column] for _, t in own_rows)
            ]
            if own_rows:
                cells = [(line, [texts[column] for column in columns]) for line, texts in own_rows]
                tables_by_catalog[name][sheet] = TableRows(columns, cells, book.place(sheet))
    return {name: CatalogRows(head, tables_by_catalog[name], book.place(CATALOG_SHEET)) for name, head in names.items()}


_TABLES: Mapping[str, Layout] = {sheet_name(layout): layout for layout in columns.TABLES}


class NamedCatalogs:
    """Finder of the catalogs of a case in its workbook. A catalog with the rows of the installed catalog of its name is the installed one."""

    def __init__(self, case: Case, registry: Registry) -> None:
        assert case.file is not None  # the case was read from it
        self._registry, self._folder = registry, case.folder
        problems: list[Diagnostic] = []
        self._book = read_case_workbook(case.file, problems)
        self._rows = catalogs_in(self._book, _TABLES, problems)
        if problems:
            raise InputError(self.printable(problems))

    def __call__(self, name: str) -> CatalogRef:
        catalog_by_name = {name_in_case: catalog for catalog, name_in_case in self._book.name_in_case.items()}
        catalog = catalog_by_name.get(name, name)
        if catalog not in self._rows:
            return self._registry.catalog_folder(name, self._folder)
        rows = self._rows[catalog]
        ref = CatalogRef(name=catalog, folder=self._book.path, rows=rows, columns=self._registry.fact_columns)
        if catalog not in self._registry.catalogs or name != catalog:
            return ref
        installed = self._registry.catalog_folder(catalog)
        return installed if _have_same_rows(ref, installed, catalog in self._book.name_in_case) else ref

    @property
    def printable(self) -> Callable[[Iterable[Diagnostic]], list[Diagnostic]]:
        return self._book.sorted


def _have_same_rows(first: CatalogRef, second: CatalogRef, is_named_by_case: bool) -> bool:
    """Return True if two catalogs have the same rows, in any order and notation. The tables of offers count only if the case names the catalog."""
    try:
        first_texts, second_texts = (texts_of(ref.place, ref.columns) for ref in (first, second))
    except InputError:
        return False  # reading it in full reports the error
    tables = [name for name in _TABLES if is_named_by_case or name not in OFFER_TABLES]
    heads = [
        {key: value for key, value in texts.head.items() if key != "schema"} for texts in (first_texts, second_texts)
    ]
    return heads[0] == heads[1] and all(_rows(first_texts, name) == _rows(second_texts, name) for name in tables)


def _rows(texts: Texts, name: str) -> Counter[tuple[tuple[str, object], ...]]:
    header, rows = texts.tables.get(_TABLES[name].name, ((), ()))
    fields = texts.facts.extended(_TABLES[name]).by_name

    def values(row: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        for column, text in zip(header, map(plain, row), strict=True):
            if text:
                try:
                    yield column, fields[column].kind.read(text)
                except UnreadableError:
                    yield column, text

    return Counter(tuple(sorted(values(row), key=lambda cell: cell[0])) for row in rows)
