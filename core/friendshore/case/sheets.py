"""The file of a case as data: a case file, or a workbook of the case as it stands now, each value with the cell that it is from.

What nobody edited is what stood in the case file, digit by digit; what was edited is read as the cell of a table is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Diagnostic, InputError
from ..plugins import Registry
from ..readers import CatalogRows, TableRows
from ..reading.csvfile import BAD_CELL
from ..reading.fields import Layout
from ..reading.records import path_of
from ..reading.tomlfile import Key, TomlFile, toml_data
from . import keys
from .book import CaseWorkbook, Texts, read_case_workbook
from .formats import CaseFormat, FindCatalog

if TYPE_CHECKING:
    from ..domain.case import Case

OFFERED = frozenset(("facilities", "offers", "capacity", "recipe", "chain", "lanes", "quotes", "tiers", "terms"))
"""Tables that a catalog contributes only if the case names it."""
CATALOG_SHEET, OF = "catalog", "catalog"
"""The sheet of the heads of catalogs, and the column of every other sheet of theirs that says whose a row is."""
_OWN = ("rule", "scenario")
"""Sheets that say what the case file says at more length."""


class WorkbookCase(CaseFormat):
    """A case as one workbook, written by `case to-xlsx`."""

    name = "xlsx"

    def read(self, file: Path, problems: list[Diagnostic]) -> TomlFile | None:
        """Return the data of the case as the cells of the workbook say it.

        Raises:
            InputError: If it isn't a workbook of a case, or openpyxl isn't installed.
        """
        return CaseSheets.of(read_case_workbook(file, problems), problems)

    def catalogs(self, case: Case, registry: Registry) -> FindCatalog:
        """Return what finds the catalogs of a case: in the workbook, which holds them all.

        Raises:
            InputError: If the workbook can't be read any more.
        """
        from .named import NamedCatalogs

        return NamedCatalogs(case, registry)


OWN_FORMATS: Mapping[str, CaseFormat] = {"xlsx": WorkbookCase()}
"""The kernel's own formats beside TOML, by name."""


@dataclass(slots=True)
class CaseSheets(TomlFile):
    """A workbook of a case as the data of its case file."""

    book: CaseWorkbook
    cells: dict[Key, tuple[str, int, str]] = field(default_factory=dict)
    """Where tables and keys stand: sheet, row, and column, if it is one cell."""

    @classmethod
    def of(cls, book: CaseWorkbook, found: list[Diagnostic]) -> CaseSheets:
        """The data that a workbook holds now; edits that no case file could say go to `found`."""
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
        """Sheet and row of a key."""
        sheet, row, _ = self._cell(key)
        return (self.book.place(sheet) if sheet else self.file), row

    def told(self, problems: list[Diagnostic]) -> list[Diagnostic]:
        """Mistakes by their cells."""
        return self.book.sorted(problems)

    def problem(self, key: Key, message: str, found: str = "", expected: str = "", fix: str = "") -> None:
        """Records a mistake at the cell of a key; what cannot be read as a cell has been told."""
        sheet, row, column = self._cell(key)
        if found != f"`{BAD_CELL}`":
            file = self.book.place(sheet) if sheet else self.file
            self.found.append(Diagnostic(message, file, row, column, found, expected, fix))

    def _cell(self, key: Key) -> tuple[str, int | None, str]:
        for length in range(len(key), 0, -1):
            if key[:length] in self.cells:
                sheet, row, column = self.cells[key[:length]]
                return sheet, row, column or path_of(key[length:])
        return "", None, path_of(key)

    def _list(self, name: str, layout: Layout) -> None:
        """A list of tables, as the rows of its sheet say it."""
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
        """What is edited in the sections that are no lists."""
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
        """Where the case file says what a row of the settings says."""
        name, _, rest = section.partition(" ")
        if name == "assume.offer":
            known = self.data.setdefault("assume", {}).setdefault("offer", [])
            at = next((number for number, one in enumerate(known) if one.get("id") == rest), len(known))
            known += [{"id": rest}] if at == len(known) else []
            return ("assume", "offer", at, key)
        name, _, rest = section.partition(".")
        return (name, rest, key) if rest else (name, key)

    def _set(self, path: Key, text: str) -> None:
        """Puts the value of a cell in the place of what the case file says; a blank one takes it out."""
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


def _cells(texts: Texts, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts[column] for column in columns)


def _setting(texts: Texts) -> tuple[str, str]:
    return texts["section"], texts["key"]


def _table(texts: Texts, layout: Layout) -> dict[str, object]:
    """A table of the case file as a row of a sheet says it."""
    tables = {one.name for one in layout.fields if one.inside is not None}
    return {column: _value(text) if column in tables else text for column, text in texts.items() if text}


def _value(text: str) -> object:
    """What a cell says in the words of a case file; a text, if it is nothing of the kind."""
    try:
        return toml_data(f"x = {text}", "")["x"]
    except (InputError, KeyError):
        return text


def _changed(book: CaseWorkbook, name: str) -> Iterator[Diagnostic]:
    """Edits of a sheet that no case file could say: what a rule or a scenario is stands in the case file, or in a pack."""
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
    """The catalogs whose tables stand in the workbook of a case, by name; rows of no catalog go to `found`."""
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
