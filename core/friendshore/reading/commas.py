"""Numbers that others read a thousandfold smaller: `1,250` is read with its comma as a thousands mark, and that is told."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from ..domain.quantities import either
from ..errors import Diagnostic
from .textfile import read_bytes
from .workbook import is_workbook, read_workbook

_AMOUNT = re.compile(r"\s*\S+(\s*[%A-Za-z][\w/%-]*){0,3}\s*")
"""A number with its unit and no sentence after it."""
_TEXT = re.compile(r'"([^"\n]*)"')


def told_commas(path: Path) -> list[Diagnostic]:
    """What is told of a case file, a catalog's folder or a workbook that can be read: one entry a file or sheet with such numbers."""
    return [
        _told(place, found) for place, texts in _texts(path) if (found := [one for one in texts if _is_one(one[1])])
    ]


def _is_one(text: str) -> bool:
    return bool(either(text)) and _AMOUNT.fullmatch(text) is not None


def _texts(path: Path) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """File or sheet, and the texts in it with their rows."""
    if is_workbook(path):
        book = read_workbook(path, [])
        for sheet, lines in book.sheets.items():
            yield book.place(sheet), [(row, cell) for row, cells in lines for cell in cells if "," in cell]
    elif path.is_dir():
        for file in filter(Path.is_file, sorted(path.glob("*.csv"))):  # a pipe would be read for ever
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = csv.reader(stream)
                yield str(file), [(rows.line_num, cell) for cells in rows for cell in cells if "," in cell]
    else:
        written = enumerate(read_bytes(path).decode("utf-8-sig").splitlines(), 1)
        yield str(path), [(row, match[1]) for row, line in written for match in _TEXT.finditer(line)]


def _told(place: str, found: list[tuple[int, str]]) -> Diagnostic:
    row, text = found[0]
    number = either(text)
    whole, part = number.replace(",", ""), number.replace(",", ".")
    more = f", and {len(found) - 1} more numbers in this file alike" if len(found) > 1 else ""
    return Diagnostic(
        f"`{text.strip()}` is read as {whole}: a comma sets off thousands{more}",
        place,
        row,
        found=number,
        fix=f"if it means {part}, write {part}; without its comma nobody can take it for the other",
    )
