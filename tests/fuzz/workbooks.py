"""Random mutations of workbooks: cells, sheets, and parts of the .xlsx archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment

from . import nasty, tables, texts

LIMIT = 32_000
"""Maximum number of characters in a cell."""
BOMB = 256 * 2**20
"""Unpacked size of a bomb in bytes."""
_PART = "xl/worksheets/sheet1.xml"


def workbook(sheets: Mapping[str, tables.Rows], rng: Random) -> bytes:
    """Mutate sheets in place, and return them as a mutated workbook."""
    tables.mutate(sheets[rng.choice(sorted(sheets))], rng, rng.randint(0, 3))
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_typed(cell, rng) for cell in row])
    for _ in range(rng.randint(0, 2)):
        _mutate_sheet(book, rng)
    if not book.sheetnames:
        book.create_sheet("empty")
    return _saved(book, rng)


def mutated(data: bytes, rng: Random) -> bytes:
    """Mutate cells, sheets (including hidden ones), and the archive of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        if rng.random() < 0.6:
            _edit(rng.choice(book.worksheets), rng)
        else:
            _mutate_sheet(book, rng)
    if not any(sheet.sheet_state == "visible" for sheet in book.worksheets):
        book.create_sheet("empty")
    return _saved(book, rng)


def _saved(book: Any, rng: Random) -> bytes:
    """Return the bytes of a workbook, sometimes mutated."""
    file = io.BytesIO()
    book.save(file)
    data = file.getvalue()
    draw = rng.random()
    if draw < 0.6:
        return data
    return texts.mutate_bytes(data, rng) if draw < 0.7 else _archive(data, rng)


def _edit(sheet: Any, rng: Random) -> None:
    """Edit a cell, or delete or repeat a row, as a planner might."""
    row, column = rng.randint(1, sheet.max_row), rng.randint(1, sheet.max_column)
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        return
    match rng.randrange(6):
        case 0:
            sheet.delete_rows(row)
        case 1:
            sheet.append([cell_of_row.value for cell_of_row in sheet[row]])
        case 2:
            cell.value = None
        case 3:  # a day as text, a number as text, another row's word, a figure nearly as it was
            other = sheet.cell(rng.randint(1, sheet.max_row), column).value
            cell.value = rng.choice(("2027-13-01", "31.12.2027", "1e5", "½", other, nasty.near(str(cell.value), rng)))
        case 4:
            cell.value = rng.choice(("x" * LIMIT, "\n" * 300, "9" * 400, "=" * 50))
        case _:
            text = nasty.text(rng)[:LIMIT]
            cell.value = "".join(s for s in text if s in "\t\n\r" or (s >= " " and not "\ud800" <= s <= "\udfff"))
    if isinstance(cell.value, str) and cell.value.startswith("="):
        cell.data_type = "s"


def _typed(cell: Any, rng: Random) -> Any:
    """Return a cell as a spreadsheet may store it: text, number, or date."""
    if not isinstance(cell, str):
        return cell
    text = "".join(sign for sign in cell if sign >= " " or sign in "\t\n\r")[:LIMIT]
    if text and text.isascii() and text.isdigit() and len(text) < 15 and rng.random() < 0.5:
        return int(text)
    if len(text) == 10 and text[4] == text[7] == "-" and rng.random() < 0.5:
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    return text


def _mutate_sheet(book: Any, rng: Random) -> None:
    """Mutate a sheet or one of its cells, as a user might."""
    if not book.worksheets:
        return
    sheet = rng.choice(book.worksheets)
    row, column = rng.randint(1, sheet.max_row), rng.randint(1, sheet.max_column)
    match rng.randrange(16):
        case 0:
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + 1, end_column=column + 1)
        case 1:
            rng.choice((sheet.row_dimensions[row], sheet.column_dimensions["B"])).hidden = True
        case 2:
            sheet.sheet_state = rng.choice(("hidden", "veryHidden"))
            book.create_sheet("seen")
        case 3:
            ends = ((1_048_576, 1), (20_000, 16_384), (1, 16_384), (1_048_576, 16_384), (5_000, 60))
            far = sheet.cell(*rng.choice(ends))
            far.value, far.number_format = rng.choice((None, None, "x", 1)), "0.00"
        case 4:
            sheet.title = rng.choice(("Sheet", "_own", "notes", "offers2", "OFFERS ", "x" * 31, "é"))
        case 5:
            rng.choice((sheet.insert_rows, sheet.insert_cols))(1, rng.choice((1, 3, 60)))
        case 6:
            book.copy_worksheet(sheet)
        case 7:
            book.remove(sheet)
        case _:
            _mutate_cell(sheet.cell(row, column), rng)


def _mutate_cell(cell: Any, rng: Random) -> None:
    if isinstance(cell, MergedCell):
        return  # merged into another by an earlier change: it holds nothing of its own
    match rng.randrange(4):
        case 0:
            cell.value = rng.choice(_FORMULAS)
        case 1:
            cell.value = rng.choice(_VALUES)
        case 2:
            cell.number_format = rng.choice(_FORMATS)
        case _:
            cell.comment = Comment(rng.choice(("x", "a\nb", "x" * 5000)), "y")


_FORMULAS = (
    "=1+1", "=A1", "=1/0", "=RAND()", "=cmd|'/c calc'!A1", '=HYPERLINK("http://x","y")', "#N/A", "#REF!", "='[http://x/y.xlsx]a'!A1",
)  # fmt: skip
_NIGHT = datetime.combine(date(2027, 1, 1), time(5))
_VALUES = (0.1 + 0.2, 1e300, -0.0, True, 2**60, time(1, 2), _NIGHT, timedelta(3), 0.5)
_FORMATS = ("0%", "0.00E+00", "#,##0", "yyyy-mm", "General;General", '"x"0', "0%%", "@", ";;;", "\\", "[h]:mm")


def _archive(data: bytes, rng: Random) -> bytes:
    """Change, remove, repeat, or inflate a part of the archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(parts))
    match rng.randrange(8):
        case 0:
            del parts[name]
        case 7:
            parts |= _LINKED
        case 1 | 2 | 3:
            parts[name] = texts.mutate_bytes(parts[name], rng)
        case 4:
            parts[_PART] = rng.choice(_SHEETS)(rng)
        case 5:
            parts[rng.choice((name, _PART, "xl/sharedStrings.xml", "xl/media/x.bin"))] = b" " * BOMB
        case _:
            head = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            head += b"".join(b'<!ENTITY %c "%s">' % (97 + n, b"&%c;" % (96 + n) * 10) for n in range(1, 9)) + b"]>"
            parts[name] = head + b"<x>&i;</x>"
    return _zipped(parts, rng)


_LINKED = {
    "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
    "xl/externalLinks/_rels/externalLink1.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="x/externalLinkPath" Target="http://x.example/y.xlsx" TargetMode="External"/></Relationships>',
}
"""Parts with a link to another workbook, which must not be followed."""


def _zipped(parts: Mapping[str, bytes], rng: Random) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        if rng.random() < 0.1:
            archive.writestr(rng.choice(("../../escaped.txt", "/tmp/escaped.txt", "x" * 300)), b"x")
    return file.getvalue()


def _sheet(rows: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def _word(text: str) -> str:
    return f"<is><t>{text.replace('&', '&amp;').replace('<', '&lt;')}</t></is>"


_ID = f'<c t="inlineStr">{_word("id")}</c>'
_ROWS = ("99999999999", "0", "-1", "x", "1048577", "")
_CELLS = ("XFD20000", "A0", "ZZZZ1", "", "1A", "A99999999999")
_SHEETS = (
    lambda rng: _sheet(f'<row r="{rng.choice(_ROWS)}">{_ID}</row>'),
    lambda rng: _sheet(f'<row r="1"><c r="{rng.choice(_CELLS)}" s="1"/></row>'),
    lambda rng: _sheet(f"<row>{_ID * rng.choice((20, 20_000))}</row>"),
    lambda rng: _sheet(f"<row>{_ID}</row>" * rng.choice((3, 100_000))),
    lambda rng: _sheet("<row/>" * rng.choice((3, 300_000))),
    lambda rng: _sheet(f'<row r="1"><c t="{rng.choice("sbneqd")}"><v>{rng.choice((*nasty.NUMBERS[:20], "99999999"))}</v></c></row>'),
    lambda rng: _sheet('<row r="2"><c t="inlineStr"/></row><row r="1"><c/></row>'),
    lambda rng: b"<worksheet>" + b"<a>" * rng.choice((10, 100_000)),
)  # fmt: skip
"""Sheets that no spreadsheet program writes."""
