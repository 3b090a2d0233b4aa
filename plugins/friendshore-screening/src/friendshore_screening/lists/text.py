"""Text and rows of a file that a publisher hands out, in one encoding from its beginning to its end."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from friendshore.errors import Diagnostic

from .entries import refused

LARGEST = 400_000_000
"""Bytes of the largest file that is read."""
LONGEST = 1_000_000
"""Characters of the longest cell."""
END = "\x1a"
"""What ends the files of OFAC."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row of a CSV file."""

    line: int
    """Where it begins."""
    cells: tuple[str, ...]


def file_text(path: Path) -> str:
    """The whole text of a file: UTF-8, or Windows-1252 where no line of it is UTF-8 with other than ASCII letters.

    Raises:
        InputError: if it is not there, too large, or of mixed encodings, with each line that does not fit.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            problem = Diagnostic(
                "is too large", str(path), found=f"{size:,} bytes", expected=f"no more than {LARGEST:,}"
            )
            raise refused([problem])
        data = path.read_bytes()
    except OSError as error:
        fix = "fetch the list, and name its file in the settings of the case"
        raise refused([Diagnostic(f"cannot be read: {error.strerror or error}", str(path), fix=fix)]) from error
    if not data.strip():
        raise refused([Diagnostic("is empty", str(path), expected="a list", fix="fetch the file once more")])
    if b"\0" in data[:4096]:
        raise refused([Diagnostic("is no text", str(path), expected="text in UTF-8 or Windows-1252")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    odd, fine = [], False
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            fine = fine or not line.isascii() and bool(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            odd.append((number, line[error.start]))
    if fine:
        raise refused([_odd(path, number, byte) for number, byte in odd])
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise refused([_odd(path, number, data[error.start])]) from error


def _odd(path: Path, line: int, byte: int) -> Diagnostic:
    message = "is not UTF-8, as other lines of the file are"
    fix = "fetch the file once more, and do not save it from a spreadsheet program"
    return Diagnostic(message, str(path), line, found=f"byte 0x{byte:02x}", expected="UTF-8", fix=fix)


def csv_rows(path: Path, columns: int, delimiter: str = ",") -> list[TextRow]:
    """All rows of a CSV file that has no header and so many columns.

    Raises:
        InputError: with every row that has another number of cells; and for a quotation that never ends, as in a file that is cut off.
    """
    found: list[Diagnostic] = []
    rows = []
    for row in _rows(path, delimiter, found):
        if row.cells == (END,):
            continue
        if len(row.cells) != columns:
            found.append(_cells(path, row, columns))
        rows.append(row)
    if found:
        raise refused(found)
    return rows


def csv_table(path: Path, needed: Sequence[str], delimiter: str = ",") -> list[tuple[int, dict[str, str]]]:
    """All rows of a CSV file with a header, by column: their lines and cells.

    Raises:
        InputError: for columns that are needed and not there, and for every row that has another number of cells than the header.
    """
    found: list[Diagnostic] = []
    rows = list(_rows(path, delimiter, found))
    head = [name.strip() for name in rows[0].cells] if rows else []
    missing = [name for name in needed if name not in head]
    if missing:
        expected = "columns " + ", ".join(needed)
        problem = Diagnostic(
            f"has no column `{missing[0]}`", str(path), 1, found=", ".join(head)[:120], expected=expected
        )
        raise refused([problem])
    twice = sorted({name for name in head if name and head.count(name) > 1 and name in needed})
    if twice:
        raise refused([Diagnostic(f"has column `{twice[0]}` twice", str(path), 1)])
    found += [_cells(path, row, len(head)) for row in rows[1:] if len(row.cells) != len(head)]
    if found:
        raise refused(found)
    return [(row.line, dict(zip(head, row.cells, strict=True))) for row in rows[1:]]


def _cells(path: Path, row: TextRow, columns: int) -> Diagnostic:
    expected = f"{columns}, as every row of this format has"
    fix = "fetch the file once more: it may have been cut off"
    return Diagnostic("has another number of cells", str(path), row.line, "", str(len(row.cells)), expected, fix)


def _rows(path: Path, delimiter: str, found: list[Diagnostic]) -> Iterator[TextRow]:
    """Rows that are not blank; what cannot be read is recorded, and ends them."""
    lines = StringIO(file_text(path), newline="")  # of what Unicode calls ends of lines, only those that CSV does
    before = csv.field_size_limit(LONGEST)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fix = "fetch the file once more: it may have been cut off"
                found.append(Diagnostic(f"cannot be read from here on: {error}", str(path), line, fix=fix))
                return
            if cells and any(cell.strip() for cell in cells):
                yield TextRow(line, tuple(cell.strip() for cell in cells))
    finally:
        csv.field_size_limit(before)
