"""The parts of an .xlsx file, read as a stream: what is there is counted while it is read, and never more than that is kept.

A library that makes an object of every cell would be told of a sheet's size by the sheet, and of a zip's by the zip.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from ..errors import InputError

FILES = 2_000
"""Files in the zip."""
UNZIPPED = 100_000_000
"""Bytes of the parts that are read, unzipped."""
TEXTS = 1_000_000
"""Texts that cells share."""
ROWS = 200_000
"""Rows of a sheet that hold something."""
CELLS = 2_000_000
"""Cells of a workbook that hold something."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Where the sheets of every spreadsheet program end: XFD1048576."""
MERGED = 100
"""Ranges of cells that are merged into one, each of which is told."""
LONGEST = 32_767
"""Characters of a cell: as many as every spreadsheet program keeps."""
_LONGEST_TEXT = 1_000_000
"""Characters between two tags: no more are kept of what only a trickster writes."""
_CHUNK = 1 << 16
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})\Z", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}\Z", re.ASCII)
_TRUE = frozenset({"1", "true", "on"})

Attributes = Mapping[str, str]


@dataclass(slots=True)
class RawCell:
    """A cell that holds something, as the file says it."""

    column: int
    sort: str
    """What its value is: `s`, `str`, `inlineStr`, `n`, `b`, `e`, `d`."""
    style: int
    value: str | None = None
    """None: none is saved."""
    formula: str | None = None
    """None: it is no formula."""


@dataclass(slots=True)
class RawRow:
    """A row that holds something."""

    number: int
    hidden: bool
    cells: list[RawCell]


@dataclass(slots=True)
class SheetLayout:
    """What a sheet says beside its cells."""

    hidden: list[tuple[int, int]] = field(default_factory=list)
    """First and last column of those that are hidden."""
    merged: list[tuple[int, int, int, int, str]] = field(default_factory=list)
    """First row and column, last row and column, and the range as it is written."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of the workbook, and the part of the zip that holds it."""

    name: str
    visible: bool
    part: str


def position(reference: str) -> tuple[int, int]:
    """Row and column of a cell such as `B3`.

    Raises:
        ValueError: if it is no cell that a sheet has.
    """
    found = _REFERENCE.match(reference)
    column = 0
    for letter in found[1] if found else "":
        column = column * 26 + ord(letter) - 64
    if found is None or column > LAST_COLUMN or int(found[2]) > LAST_ROW:
        raise ValueError(f"`{reference[:40]}` is no cell: the last is XFD{LAST_ROW}")
    return int(found[2]), column


def letters(column: int) -> str:
    """The letters of a column: 28 is `AB`."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


class WorkbookParts:
    """The parts of a workbook, each unzipped only while all that was unzipped stays within the limit."""

    def __init__(self, path: Path, archive: ZipFile) -> None:
        self._path, self._archive = path, archive
        self._read = 0
        self._cells = 0
        if len(archive.infolist()) > FILES:
            raise self.too_much("holds too many files", len(archive.infolist()), FILES, "files")

    def too_much(self, message: str, found: int, limit: int, what: str, sheet: str = "") -> InputError:
        """What is said where a limit is passed."""
        place = f"{self._path}, sheet {sheet}" if sheet else str(self._path)
        fix = "delete what is not needed, or keep the tables as CSV files in a folder"
        more = f"{found:,} {what}" if found > limit + 1 else f"more than {limit:,} {what}"
        return InputError(message, place, found=more, expected=f"no more than {limit:,} {what}", fix=fix)

    def has(self, part: str) -> bool:
        """Return True if there is such a part."""
        return part in self._archive.NameToInfo

    def parse(
        self, part: str, start: Callable[[str, Attributes], object], end: Callable[[str, str], object], sheet: str = ""
    ) -> Iterator[None]:
        """Read a part piece by piece; after each piece the caller may take what came of it.

        Args:
            part: its name in the zip.
            start: told of each element that begins, by its name without prefix.
            end: told of each element that ends, with the text directly before that.
            sheet: the sheet it is of, for messages.

        Raises:
            InputError: if more would be unzipped than the limit.
            ValueError: if it is no XML, or XML that declares entities.
        """
        self._read += self._archive.getinfo(part).file_size
        if self._read > UNZIPPED:
            raise self.too_much("is too large when it is unzipped", self._read, UNZIPPED, "bytes", sheet)
        parser = ParserCreate()
        text: list[str] = []

        def begins(name: str, attributes: dict[str, str]) -> None:
            text.clear()
            start(name.rpartition(":")[2], attributes)

        def ends(name: str) -> None:
            end(name.rpartition(":")[2], "".join(text))
            text.clear()

        def doctype(*_: object) -> None:
            raise ValueError("it declares a document type, which no spreadsheet program does")

        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = begins, ends
        parser.CharacterDataHandler = text.append
        parser.StartDoctypeDeclHandler = doctype
        with self._archive.open(part) as stream:
            size = _CHUNK
            while piece := stream.read(size):
                before = parser.CurrentByteIndex
                parser.Parse(piece, False)
                # A tag that is not yet whole is read again from its beginning with every piece.
                size = size * 2 if parser.CurrentByteIndex == before else _CHUNK
                if sum(map(len, text)) > _LONGEST_TEXT:
                    raise ValueError(f"a text in it has more than {_LONGEST_TEXT:,} characters")
                yield
        parser.Parse(b"", True)
        yield

    def rows(self, sheet: SheetPart, layout: SheetLayout) -> Iterator[RawRow]:
        """The rows of a sheet that hold something, in order; `layout` is filled as the sheet is read.

        Raises:
            InputError: if there are more rows or cells than the limits; if it is no sheet, or a cell is where no sheet has one.
        """
        try:
            yield from self._counted(sheet, _SheetReader(layout))
        except (ValueError, LookupError, ExpatError) as error:
            why = f"it says no `{error.args[0]}`" if isinstance(error, KeyError) else error
            fix = "open it in a spreadsheet program, mend it, and save it again"
            raise InputError(f"cannot be read: {why}", f"{self._path}, sheet {sheet.name}", fix=fix) from error

    def _counted(self, sheet: SheetPart, reader: _SheetReader) -> Iterator[RawRow]:
        count = 0
        for _ in self.parse(sheet.part, reader.start, reader.end, sheet.name):
            for row in reader.done:
                count += 1
                self._cells += len(row.cells)
                if count > ROWS:
                    raise self.too_much("has too many rows", count, ROWS, "rows with a value", sheet.name)
                if self._cells > CELLS:
                    raise self.too_much("has too many cells", self._cells, CELLS, "cells with a value", sheet.name)
                yield row
            reader.done.clear()


class _SheetReader:
    """Makes rows of the elements of a sheet. A cell that is only formatted is nothing."""

    def __init__(self, layout: SheetLayout) -> None:
        self.layout = layout
        self.done: list[RawRow] = []
        self._row = RawRow(0, False, [])
        self._cell = RawCell(0, "n", 0)
        self._aloud = True
        """Whether text is the cell's own, not how it is pronounced."""

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            number = _number(attributes.get("r", str(self._row.number + 1)))
            if not self._row.number < number <= LAST_ROW:
                raise ValueError(f"row {number} comes after row {self._row.number}: the last is {LAST_ROW}")
            self._row = RawRow(number, _hidden(attributes, "ht"), [])
            self._cell = RawCell(0, "n", 0)
        elif name == "col" and _hidden(attributes, "width") and len(self.layout.hidden) < LAST_COLUMN:
            self.layout.hidden.append((_number(attributes["min"]), _number(attributes["max"])))
        elif name == "mergeCell":
            if len(self.layout.merged) == MERGED:
                raise ValueError(f"more than {MERGED} ranges of cells are merged: undo that")
            first, _, last = attributes["ref"].partition(":")
            self.layout.merged.append((*position(first), *position(last or first), attributes["ref"]))
        elif name == "rPh":
            self._aloud = False

    def _begin_cell(self, attributes: Attributes) -> None:
        column = self._cell.column + 1
        if "r" in attributes:
            row, column = position(attributes["r"])
            if row != self._row.number or column <= self._cell.column:
                raise ValueError(f"cell {attributes['r']} is not where it says: in row {self._row.number}")
        self._cell = RawCell(column, attributes.get("t", "n"), _number(attributes.get("s", "0")))

    def end(self, name: str, text: str) -> None:
        """An element ends."""
        cell = self._cell
        if len(text) > LONGEST:
            raise ValueError(
                f"a cell in row {self._row.number} holds {len(text):,} characters: no more than {LONGEST:,} are read"
            )
        if name == "v":
            cell.value = text
        elif name == "f":
            cell.formula = text
        elif name == "t" and self._aloud:
            cell.value = (cell.value or "") + text
        elif name == "rPh":
            self._aloud = True
        elif name == "c" and (cell.value or cell.formula is not None):
            self._row.cells.append(cell)
        elif name == "row" and self._row.cells:
            self.done.append(self._row)


def _number(text: str) -> int:
    if not _WHOLE.match(text):
        raise ValueError(f"`{text[:40]}` is no number of a row, column or style")
    return int(text)


def _hidden(attributes: Attributes, size: str) -> bool:
    """Return True if a row or column is hidden, or so small that nobody sees it."""
    return attributes.get("hidden", "") in _TRUE or attributes.get(size, "").strip("0.") == "" != attributes.get(
        size, ""
    )


def targets(parts: WorkbookParts, of: str) -> dict[str, tuple[str, str]]:
    """What a part refers to, by id: the sort and the name of another part. `of` names the part; empty: the zip as a whole."""
    folder, name = posixpath.split(of)
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, attributes: Attributes) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            part = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
            found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], part)

    for _ in parts.parse(posixpath.join(folder, "_rels", f"{name}.rels"), start, lambda *_: None):
        pass
    return found


def sheets(parts: WorkbookParts, workbook: str, related: Mapping[str, tuple[str, str]]) -> tuple[list[SheetPart], bool]:
    """The sheets with cells, in order, and whether days are counted from 1904, as the part `workbook` says, which refers to `related`."""
    found: list[SheetPart] = []
    settings: dict[str, str] = {}

    def start(element: str, attributes: Attributes) -> None:
        if element == "sheet":
            link = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            sort, part = related.get(link, ("", ""))
            if sort == "worksheet":
                found.append(SheetPart(attributes["name"], attributes.get("state", "visible") == "visible", part))
        elif element == "workbookPr":
            settings.update(attributes)

    for _ in parts.parse(workbook, start, lambda *_: None):
        pass
    return found, settings.get("date1904", "") in _TRUE


def shared_texts(parts: WorkbookParts, part: str) -> list[str]:
    """The texts that cells refer to by number.

    Raises:
        InputError: if there are more than the limit.
    """
    texts: list[str] = []
    pieces: list[str] = []
    aloud = [True]

    def start(element: str, _: Attributes) -> None:
        if element == "si":
            pieces.clear()
        elif element == "rPh":
            aloud[0] = False

    def end(element: str, text: str) -> None:
        if element == "t" and aloud[0]:
            if len(text) > LONGEST:
                raise ValueError(f"a cell holds {len(text):,} characters: no more than {LONGEST:,} are read")
            pieces.append(text)
        elif element == "rPh":
            aloud[0] = True
        elif element == "si":
            texts.append("".join(pieces).replace("x005F_", ""))  # how an underscore is written that would begin a code

    for _ in parts.parse(part, start, end):
        if len(texts) > TEXTS:
            raise parts.too_much("has too many texts", len(texts), TEXTS, "texts")
    return texts


def number_formats(parts: WorkbookParts, part: str, built_in: Mapping[int, str]) -> list[str]:
    """The number format of each style of cells that a part holds; `built_in` ones have a number, and are not written out."""
    own: dict[int, str] = {}
    used: list[int] = []
    of_cells = [False]

    def start(element: str, attributes: Attributes) -> None:
        if element == "numFmt" and "formatCode" in attributes:
            own.setdefault(_number(attributes["numFmtId"]), attributes["formatCode"])
        elif element == "cellXfs":
            of_cells[0] = True
        elif element == "xf" and of_cells[0]:
            used.append(_number(attributes.get("numFmtId", "0")))

    def end(element: str, _: str) -> None:
        if element == "cellXfs":
            of_cells[0] = False

    for _ in parts.parse(part, start, end):
        pass
    return [own.get(number) or built_in.get(number, "General") for number in used]
