"""The workbook of a case read back: what stood in it when it was written, what stands in it now, and where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..catalog.sheets import LONGEST_TEXT, NUMBER
from ..domain.base import UnreadableError
from ..domain.suggest import did_you_mean
from ..errors import Diagnostic, InputError
from ..inert import UNSEEN
from ..reading.csvfile import BAD_CELL
from ..reading.fields import Field
from ..reading.sheetxml import letters
from ..reading.tomlfile import toml_data
from ..reading.workbook import Workbook, read_workbook

BASELINE = "_baseline"
"""The hidden sheet that says what stood in every cell."""
FORMAT = "friendshore case 1"
"""What the baseline begins with."""
HEAD, ROW = "head", "row"
CASE, CALLED = "case.toml", "called"
"""What else the baseline holds: the case file, in pieces that are written as JSON does, and what the case calls each catalog."""
PIECE = 4_000
"""Characters of a piece."""

Texts = Mapping[str, str]
"""What stands in a row, by column."""
_HEAD = re.compile(r"(.*?)(?: \[(.+)\])?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class WrittenSheet:
    """A sheet as it was written."""

    columns: tuple[str, ...]
    rows: tuple[Texts, ...]


@dataclass(frozen=True, slots=True)
class EditedSheet:
    """A sheet as it is now."""

    letters: Mapping[str, str]
    """Column -> its letters."""
    rows: tuple[tuple[int, Texts], ...]
    """Number of each row that holds something, and what."""


@dataclass(frozen=True, slots=True)
class CaseWorkbook:
    """The workbook of a case."""

    path: Path
    case: str
    """Name of the case that it was written of."""
    written: Mapping[str, WrittenSheet]
    edited: Mapping[str, EditedSheet]
    data: dict[str, Any]
    """What stood in the case file, without what its other tables say."""
    called: Mapping[str, str]
    """Catalog -> what the case calls it; one that is only required is not there."""
    order: list[str] = field(default_factory=list)
    """The sheets as they stand there."""

    def place(self, sheet: str) -> str:
        """A sheet, as readers of tables call it."""
        return f"{self.path}, sheet {sheet}"

    def at(self, sheet: str, row: int | None = None, column: str = "") -> str:
        """A cell as spreadsheets call it: `demand!C7`."""
        letter = self.edited[sheet].letters.get(column, "") if sheet in self.edited else ""
        return sheet if row is None else f"{sheet}!{letter}{row}" if letter else f"{sheet}!{row}"

    def told(self, problem: Diagnostic) -> Diagnostic:
        """A mistake that a reader found in a sheet, told by its cell."""
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
        """Mistakes in the order of sheets and rows, each once."""

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
    """Reads the workbook of a case; what is wrong with its sheets goes to `found`.

    Raises:
        InputError: if it is no workbook that was written by `case to-xlsx`, or openpyxl is not installed.
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
    """A case file as cells hold it: no sign is lost, and none is too many."""
    return [json.dumps(text[at : at + PIECE]) for at in range(0, len(text), PIECE)]


def _case_file(said: list[list[str]]) -> dict[str, Any] | None:
    """What stood in the case file; None: nothing that makes sense."""
    try:
        pieces = [json.loads(cells[1]) for cells in said if cells[0] == CASE]
        return toml_data("".join(pieces), BASELINE) if pieces else None
    except (ValueError, TypeError, IndexError, RecursionError, InputError):
        return None


def plain(text: str) -> str:
    """A text as a cell holds it: without what no workbook keeps."""
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    text = UNSEEN.sub(lambda sign: sign[0] if sign[0] in "\n\t" else sign[0].encode("unicode_escape").decode(), text)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def same(said: Field, one: str, other: str) -> bool:
    """Whether two texts of a column mean the same."""
    if one == other:
        return True
    if not one or not other or BAD_CELL in (one, other):
        return False
    try:
        return bool(said.kind.read(one) == said.kind.read(other))
    except UnreadableError:
        return False


def _split(head: str) -> tuple[str, str]:
    """Column and unit."""
    match = _HEAD.fullmatch(head)
    assert match is not None
    return match[1], match[2] or ""


def _written(lines: list[list[str]]) -> dict[str, WrittenSheet] | None:
    """What the hidden sheet says; None: nothing that makes sense."""
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[Texts]] = {}
    for line in lines:
        name, what, cells = line[0], "".join(line[1:2]), line[2:]
        if what == HEAD:
            columns[name] = tuple(_split(head)[0] for head in cells if head)
        elif what != ROW or name not in columns:
            return None
        else:
            padded = cells + [""] * (len(columns[name]) - len(cells))
            rows.setdefault(name, []).append(dict(zip(columns[name], padded, strict=False)))
    return {name: WrittenSheet(names, tuple(rows.get(name, ()))) for name, names in columns.items()}


def _edited(book: Workbook, name: str, written: WrittenSheet, found: list[Diagnostic]) -> EditedSheet | None:
    """A sheet as it is now; None, with a problem recorded, if it is not there."""
    place, lines = book.place(name), book.sheets.get(name)
    if lines is None:
        fix = "write the workbook anew, or take it back from a copy; rows that are not wanted are deleted one by one"
        found.append(Diagnostic("the sheet is gone", str(book.file), column=name, fix=fix))
        return None
    found.extend(book.found.get(name, ()))
    line, heads = lines[0]
    columns: dict[int, tuple[str, str]] = {}
    for position, head in enumerate(heads):
        column, unit = _split(head)
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


def _texts(cells: list[str], columns: Mapping[int, tuple[str, str]]) -> Texts:
    """What stands in the columns of a row; a number without a unit is in that of its head."""
    found = {}
    for position, (column, unit) in columns.items():
        text = cells[position] if position < len(cells) else ""
        found[column] = f"{text} {unit}" if unit and re.fullmatch(NUMBER, text) else text
    return found
