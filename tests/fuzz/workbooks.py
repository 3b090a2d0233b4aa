"""Workbooks bent by lot: their cells as a spreadsheet types them, and the parts of the archive that an .xlsx file is."""

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
"""Characters of a text that a cell may hold."""
BOMB = 256 * 2**20
"""Bytes that a bomb unpacks to."""
_PART = "xl/worksheets/sheet1.xml"


def workbook(sheets: Mapping[str, tables.Rows], lot: Random) -> bytes:
    """Sheets of rows by name, which are changed in place, as a workbook with some things done to it."""
    tables.bend(sheets[lot.choice(sorted(sheets))], lot, lot.randint(0, 3))
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([_typed(cell, lot) for cell in row])
    for _ in range(lot.randint(0, 2)):
        _bend_sheet(book, lot)
    if not book.sheetnames:
        book.create_sheet("empty")
    return _saved(book, lot)


def bent(data: bytes, lot: Random) -> bytes:
    """A workbook with some things done to its cells and sheets, the hidden ones too, and to the archive."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for _ in range(lot.choice((0, 1, 1, 2, 4))):
        if lot.random() < 0.6:
            _edit(lot.choice(book.worksheets), lot)
        else:
            _bend_sheet(book, lot)
    if not any(sheet.sheet_state == "visible" for sheet in book.worksheets):
        book.create_sheet("empty")
    return _saved(book, lot)


def _saved(book: Any, lot: Random) -> bytes:
    """The bytes of a workbook; as often as not something is done to these too."""
    file = io.BytesIO()
    book.save(file)
    data = file.getvalue()
    draw = lot.random()
    if draw < 0.6:
        return data
    return texts.bend_bytes(data, lot) if draw < 0.7 else _archive(data, lot)


def _edit(sheet: Any, lot: Random) -> None:
    """Types something into a cell, or deletes or doubles a row, as a planner might."""
    row, column = lot.randint(1, sheet.max_row), lot.randint(1, sheet.max_column)
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        return
    match lot.randrange(6):
        case 0:
            sheet.delete_rows(row)
        case 1:
            sheet.append([one.value for one in sheet[row]])
        case 2:
            cell.value = None
        case 3:  # a day as text, a number as text, another row's word, a figure nearly as it was
            other = sheet.cell(lot.randint(1, sheet.max_row), column).value
            cell.value = lot.choice(("2027-13-01", "31.12.2027", "1e5", "½", other, nasty.near(str(cell.value), lot)))
        case 4:
            cell.value = lot.choice(("x" * LIMIT, "\n" * 300, "9" * 400, "=" * 50))
        case _:
            text = nasty.text(lot)[:LIMIT]
            cell.value = "".join(s for s in text if s in "\t\n\r" or (s >= " " and not "\ud800" <= s <= "\udfff"))
    if isinstance(cell.value, str) and cell.value.startswith("="):
        cell.data_type = "s"


def _typed(cell: Any, lot: Random) -> Any:
    """A cell as a spreadsheet may hold it: text, or the number or day that it looks like."""
    if not isinstance(cell, str):
        return cell
    kept = "".join(sign for sign in cell if sign >= " " or sign in "\t\n\r")[:LIMIT]
    if kept and kept.isascii() and kept.isdigit() and len(kept) < 15 and lot.random() < 0.5:
        return int(kept)
    if len(kept) == 10 and kept[4] == kept[7] == "-" and lot.random() < 0.5:
        try:
            return date.fromisoformat(kept)
        except ValueError:
            return kept
    return kept


def _bend_sheet(book: Any, lot: Random) -> None:
    """Does one thing to a sheet, or to one of its cells, as somebody who works with it might."""
    if not book.worksheets:
        return
    sheet = lot.choice(book.worksheets)
    row, column = lot.randint(1, sheet.max_row), lot.randint(1, sheet.max_column)
    match lot.randrange(16):
        case 0:
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + 1, end_column=column + 1)
        case 1:
            lot.choice((sheet.row_dimensions[row], sheet.column_dimensions["B"])).hidden = True
        case 2:
            sheet.sheet_state = lot.choice(("hidden", "veryHidden"))
            book.create_sheet("seen")
        case 3:
            ends = ((1_048_576, 1), (20_000, 16_384), (1, 16_384), (1_048_576, 16_384), (5_000, 60))
            far = sheet.cell(*lot.choice(ends))
            far.value, far.number_format = lot.choice((None, None, "x", 1)), "0.00"
        case 4:
            sheet.title = lot.choice(("Sheet", "_own", "notes", "offers2", "OFFERS ", "x" * 31, "é"))
        case 5:
            lot.choice((sheet.insert_rows, sheet.insert_cols))(1, lot.choice((1, 3, 60)))
        case 6:
            book.copy_worksheet(sheet)
        case 7:
            book.remove(sheet)
        case _:
            _bend_cell(sheet.cell(row, column), lot)


def _bend_cell(cell: Any, lot: Random) -> None:
    if isinstance(cell, MergedCell):
        return  # merged into another by an earlier change: it holds nothing of its own
    match lot.randrange(4):
        case 0:
            cell.value = lot.choice(_FORMULAS)
        case 1:
            cell.value = lot.choice(_VALUES)
        case 2:
            cell.number_format = lot.choice(_FORMATS)
        case _:
            cell.comment = Comment(lot.choice(("x", "a\nb", "x" * 5000)), "y")


_FORMULAS = (
    "=1+1", "=A1", "=1/0", "=RAND()", "=cmd|'/c calc'!A1", '=HYPERLINK("http://x","y")', "#N/A", "#REF!", "='[http://x/y.xlsx]a'!A1",
)  # fmt: skip
_NIGHT = datetime.combine(date(2027, 1, 1), time(5))
_VALUES = (0.1 + 0.2, 1e300, -0.0, True, 2**60, time(1, 2), _NIGHT, timedelta(3), 0.5)
_FORMATS = ("0%", "0.00E+00", "#,##0", "yyyy-mm", "General;General", '"x"0', "0 %%", "@", ";;;", "\\", "[h]:mm")


def _archive(data: bytes, lot: Random) -> bytes:
    """The archive with one of its parts changed, taken away, doubled or blown up."""
    with zipfile.ZipFile(io.BytesIO(data)) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    name = lot.choice(sorted(parts))
    match lot.randrange(8):
        case 0:
            del parts[name]
        case 7:
            parts |= _LINKED
        case 1 | 2 | 3:
            parts[name] = texts.bend_bytes(parts[name], lot)
        case 4:
            parts[_PART] = lot.choice(_SHEETS)(lot)
        case 5:
            parts[lot.choice((name, _PART, "xl/sharedStrings.xml", "xl/media/x.bin"))] = b" " * BOMB
        case _:
            head = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            head += b"".join(b'<!ENTITY %c "%s">' % (97 + n, b"&%c;" % (96 + n) * 10) for n in range(1, 9)) + b"]>"
            parts[name] = head + b"<x>&i;</x>"
    return _zipped(parts, lot)


_LINKED = {
    "xl/externalLinks/externalLink1.xml": b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>',
    "xl/externalLinks/_rels/externalLink1.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="rId1" Type="x/externalLinkPath" Target="http://x.example/y.xlsx" TargetMode="External"/></Relationships>',
}
"""Parts that lead to another workbook, which nobody may ask for."""


def _zipped(parts: Mapping[str, bytes], lot: Random) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        if lot.random() < 0.1:
            archive.writestr(lot.choice(("../../escaped.txt", "/tmp/escaped.txt", "x" * 300)), b"x")
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
    lambda lot: _sheet(f'<row r="{lot.choice(_ROWS)}">{_ID}</row>'),
    lambda lot: _sheet(f'<row r="1"><c r="{lot.choice(_CELLS)}" s="1"/></row>'),
    lambda lot: _sheet(f"<row>{_ID * lot.choice((20, 20_000))}</row>"),
    lambda lot: _sheet(f"<row>{_ID}</row>" * lot.choice((3, 100_000))),
    lambda lot: _sheet("<row/>" * lot.choice((3, 300_000))),
    lambda lot: _sheet(f'<row r="1"><c t="{lot.choice("sbneqd")}"><v>{lot.choice((*nasty.NUMBERS[:20], "99999999"))}</v></c></row>'),
    lambda lot: _sheet('<row r="2"><c t="inlineStr"/></row><row r="1"><c/></row>'),
    lambda lot: b"<worksheet>" + b"<a>" * lot.choice((10, 100_000)),
)  # fmt: skip
"""Sheets that no spreadsheet program writes."""
