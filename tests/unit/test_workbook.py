"""Catalogs as workbooks: the same facts as a folder, and what a spreadsheet hides is told."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl  # noqa: TID253 (what it writes is what is tested)
import pytest

from friendshore.catalog import read_catalog
from friendshore.catalog.convert import convert
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.reading import sheetxml
from friendshore.reading.numberformat import adds
from friendshore.reading.workbook import as_text

from ..building import refused

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
ODD = ["=1+1", "+1", "-", "1/2", "0012", "2841.80", "1e5", "TRUE", "true", "#N/A", "2027-01-31", "'", '"', "a;b", "µ – ≥ 漢字", "12.50",
       "_x0041_", "@", "123456789012345678", "two\nlines", "<&>", "\u00a0x"]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good catalog as a workbook, which nobody changes."""
    path = tmp_path_factory.mktemp("made") / "mine.xlsx"
    convert(GOOD, path, read_catalog)
    return path


@pytest.fixture
def book(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copy(made, tmp_path))


def edited(path: Path, edit: Callable[[Any], object]) -> Path:
    """A workbook after an edit, saved as a spreadsheet program would."""
    opened = openpyxl.load_workbook(path)
    edit(opened)
    opened.save(path)
    return path


def mistakes(path: Path) -> str:
    """All that is wrong with a catalog."""
    return "\n".join(map(str, refused(read_catalog, path)))


def test_a_workbook_holds_the_same_facts(book: Path) -> None:
    """Read as it is, it is the catalog that the folder is, name and digest included."""
    assert read_catalog(book) == read_catalog(GOOD)


def test_there_and_back_every_table_is_the_same(book: Path, tmp_path: Path) -> None:
    """Folder, workbook, folder: the same rows and columns in the same order, cell by cell."""
    back = tmp_path / "back"
    written = convert(book, back, read_catalog)
    assert {path.name for path in written} == {path.name for path in GOOD.iterdir() if path.suffix in (".csv", ".toml")}
    again = tmp_path / "again.xlsx"
    convert(back, again, read_catalog)
    assert read_catalog(back).digest == read_catalog(again).digest == read_catalog(GOOD).digest
    first, second = (openpyxl.load_workbook(path) for path in (book, again))
    for sheet in first:
        assert list(sheet.values) == list(second[sheet.title].values)


@pytest.mark.parametrize("text", ODD)
def test_texts_that_spreadsheets_take_for_something_else_stay_what_they_are(text: str, tmp_path: Path) -> None:
    """A note may look like a formula, a number, a date or an error, and is still that text after both ways."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "catalog.toml").write_text('schema = 1\nname = "odd"\n')
    cell = '"' + text.replace('"', '""') + '"'
    (folder / "facilities.csv").write_text(f"id,country,note\nplant,AU,{cell}\n", encoding="utf-8")
    convert(folder, tmp_path / "odd.xlsx", read_catalog)
    convert(tmp_path / "odd.xlsx", tmp_path / "back", read_catalog)
    assert read_catalog(tmp_path / "back").facilities[0].note == text.strip()
    assert read_catalog(tmp_path / "back").digest == read_catalog(folder).digest


def test_numbers_and_dates_are_cells_that_a_spreadsheet_computes_with(book: Path) -> None:
    """Shares and days are numbers and dates, codes and amounts with a unit are texts."""
    opened = openpyxl.load_workbook(book)
    kinds = {
        (sheet.title, head.value): {type(row[head.column - 1].value) for row in sheet.iter_rows(min_row=2)}
        for sheet in opened
        for head in sheet[1]
    }
    assert float in kinds["factors", "kg_per_kg"]
    assert all(kind.__name__ in ("datetime", "NoneType") for kind in kinds["sources", "date"])
    assert kinds["materials", "hs"] <= {str, type(None)}
    assert kinds["capacity", "per_year"] == {str}


def test_heads_say_what_columns_are_and_words_can_be_chosen(book: Path) -> None:
    """Who edits the workbook needs no manual beside it: a note on each head, and a list where few words are allowed."""
    opened = openpyxl.load_workbook(book)
    for sheet in opened:
        assert all(head.comment and head.comment.text for head in sheet[1])
    lists = {str(choice.sqref)[0]: choice.formula1 for choice in opened["sources"].data_validations.dataValidation}
    assert any("verified" in words for words in lists.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), (0.1, "0.1"), (1e-7, "0.0000001"), (1e21, "1000000000000000000000"), (True, "yes"), (False, "no"), (None, ""),
     (date(2027, 1, 31), "2027-01-31"), (" a ", "a"), (-2.5, "-2.5")],
)  # fmt: skip
def test_what_is_typed_into_a_cell_is_read_as_it_is_shown(value: object, text: str) -> None:
    """Numbers have no exponent and no `.0`, dates are ISO, yes and no are words."""
    assert as_text(value) == text


def test_mistakes_name_sheet_row_and_column(book: Path) -> None:
    """All of them at once, as for a folder."""

    def spoil(opened: Any) -> None:
        opened["offers"]["A3"].value = "no name"
        opened["sources"].cell(1, 9, "remarks")
        opened["catalog"].append(["as-of", "2026-01-01"])
        opened["facilities"].append(["new-plant", "New plant"])

    told = mistakes(edited(book, spoil))
    assert f"{book}, sheet offers:3 [id]: cannot be read; found `no name`" in told
    assert f"{book}, sheet sources:1 [remarks]: no such column" in told
    assert "sheet catalog:" in told
    assert "[as-of]: no such key" in told
    assert "sheet facilities:" in told
    assert "[country]: this cell is needed" in told


SPOILT: dict[str, tuple[Callable[[Any], object], str]] = {
    "formula without a value": (lambda b: b["factors"].__setitem__("C2", "=1/2"), "no value saved with it"),
    "stranger": (lambda b: b.create_sheet("ofers").append(["id"]), "did you mean `offers`?"),
    "notes": (lambda b: b.create_sheet("what we asked").append(["x"]), "begin its name with `_`"),
    "no head": (lambda b: b.remove(b["catalog"]), "has no sheet `catalog`"),
    "a time": (lambda b: b["sources"].__setitem__("C2", __import__("datetime").datetime(2026, 1, 1, 12)), "sheet sources:2 [date]"),
    "key twice": (lambda b: b["catalog"].append(["name", "other"]), "already has the same key"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_what_a_spreadsheet_hides_is_a_mistake(name: str, book: Path) -> None:
    """None of it passes for a blank cell or a missing table."""
    edit, said = SPOILT[name]
    assert said in mistakes(edited(book, edit))


def hide_row(book: Any) -> None:
    """As a filter does."""
    book["offers"].row_dimensions[3].hidden = True


def hide_columns(book: Any) -> None:
    """Two neighbours, which a spreadsheet stores as one."""
    book["offers"].column_dimensions.group("C", "D", hidden=True)


def styled(sheet: str, cell: str, value: object, number_format: str) -> Callable[[Any], None]:
    """A cell with a value and a number format."""

    def edit(book: Any) -> None:
        book[sheet][cell].value = value
        if isinstance(value, float):
            book[sheet][cell].data_type = "n"
        book[sheet][cell].number_format = number_format

    return edit


def put_title(book: Any) -> None:
    """A merged title and a blank row above the header."""
    book["offers"].insert_rows(1, 2)
    book["offers"]["A1"] = "Offers of Acme, in 2026"
    book["offers"].merge_cells("A1:D1")


ONE_PROBLEM: dict[str, tuple[Callable[[Any], object], tuple[str, ...]]] = {
    "hidden sheet": (lambda b: setattr(b["sources"], "sheet_state", "hidden"), ("sheet sources: the sheet is hidden",)),
    "hidden row": (hide_row, ("sheet offers:3: a row is hidden", "found row 3", "clear the filter")),
    "hidden columns": (hide_columns, ("sheet offers [C]: a column is hidden",)),
    "title": (put_title, ("sheet offers:1: looks like a title", "Offers of Acme", "delete what stands above row 3")),
    "thousands": (styled("factors", "C2", 0.5, '0.0,"k"'), ("sheet factors:2 [C2]", "its format adds `k (in thousands)`")),
    "euro": (styled("factors", "C2", 0.5, "#,##0.00 [$€-407]"), ("adds `€`", "as text")),
    "unit": (styled("factors", "C2", 0.5, "0.0\\ \\t"), ("adds `t`",)),
    "invisible": (styled("factors", "C2", 0.5, ";;;"), ("the number is hidden",)),
    "date for a name": (styled("offers", "A3", date(2026, 3, 1), "mmm yy"), ("sheet offers:3 [id]: the cell holds a date",)),
    "error": (lambda b: b["factors"].__setitem__("C2", "#N/A"), ("the cell holds an error",)),
    "merged": (lambda b: b["sources"].merge_cells("D2:D3"), ("cells are merged into one",)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_PROBLEM)
def test_what_does_not_meet_the_eye_is_one_mistake(name: str, book: Path) -> None:
    """Nothing is read that nobody sees, and no number that the sheet shows otherwise; it is said once, without what follows of it."""
    edit, said = ONE_PROBLEM[name]
    told = mistakes(edited(book, edit))
    assert all(words in told for words in said), told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("number_format", "value", "added"),
    [("General", "5", ""), ("0", "5", ""), ("#,##0.00", "5", ""), ("0.00E+00", "5", ""), ("# ?/?", "0.5", ""), ("@", "5", ""),
     ("0.00_);[Red](0.00)", "-5", ""), ('_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', "0", "-"), ("[$-409]0.0", "5", ""), ("0.0%", "0.5", "%"),
     ("0,", "5", "(in thousands)"), ('0 "kg"', "5", "kg"), ("$0", "5", "$"), ("[>=1000]0", "5", "[>=1000]"), ('0;0 "short"', "-5", "short"),
     ('0;0 "short"', "5", ""), ('"none"', "5", "none")],
)  # fmt: skip
def test_number_formats_that_add_something(number_format: str, value: str, added: str) -> None:
    """Digits, signs, colours and languages add nothing; units, currencies, thousands and hundredths do."""
    assert adds(number_format, Decimal(value)) == added


def test_a_share_in_percent_is_read_as_it_is_shown(book: Path) -> None:
    """0.5 that the sheet shows as 50 % is a half, however it is stored."""
    before = read_catalog(book).factors[0].kg_per_kg
    row = 2 + [r.kg_per_kg for r in read_catalog(book).factors].index(before)
    sheet = openpyxl.load_workbook(book)["factors"]
    value = sheet.cell(row, 3).value
    edited(book, styled("factors", f"C{row}", value, "0.00%"))
    assert read_catalog(book).digest == read_catalog(GOOD).digest


@pytest.mark.parametrize("name", ["Notes", "README", "read me"])
def test_notes_for_people_are_no_table(name: str, book: Path) -> None:
    """A sheet called notes may hold anything, formulas and merged cells as well."""

    def add(opened: Any) -> None:
        sheet = opened.create_sheet(name)
        sheet.append(["What we asked", "=A1"])
        sheet.merge_cells("A3:C3")

    assert read_catalog(edited(book, add)).digest == read_catalog(GOOD).digest


def test_an_unknown_sheet_is_told_once(book: Path) -> None:
    """Not what is in it."""

    def add(opened: Any) -> None:
        sheet = opened.create_sheet("prices 2025")
        sheet.append(["=A1", "#N/A"])
        sheet.merge_cells("A3:C3")

    told = mistakes(edited(book, add))
    assert "a catalog has no such table" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("name", ["mine.xls", "mine.ods", "mine.xlsm"])
def test_a_workbook_of_another_format_is_told_with_the_fix(name: str, tmp_path: Path) -> None:
    """Not as a folder that is missing."""
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(InputError, match=r"workbook of another format.*save it as .xlsx, and name mine.xlsx"):
        Registry.of().catalog_folder(f"./{name}", tmp_path)


def test_sheets_of_the_planners_own_and_blank_ones_are_left_alone(book: Path) -> None:
    """A name that begins with `_` keeps a sheet private; case and blanks of the other names do not matter."""

    def add(opened: Any) -> None:
        opened.create_sheet("_sums").append(["=SUM(offers!A1:A9)"])
        opened.create_sheet("Sheet1")
        opened["offers"].title = "passing"  # openpyxl takes a name that differs in case alone for taken
        opened["passing"].title = "Offers"

    assert read_catalog(edited(book, add)).digest == read_catalog(GOOD).digest


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04nonsense", b"id,name\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_a_file_that_is_no_workbook_is_told(content: bytes, tmp_path: Path) -> None:
    """Empty, damaged, renamed or with a password: one problem, and what to do."""
    path = tmp_path / "mine.xlsx"
    path.write_bytes(content)
    told = mistakes(path)
    assert "is no workbook that can be read" in told
    assert "save it as .xlsx" in told


def test_without_openpyxl_the_fix_is_told(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing say what to install."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert 'pip install "friendshore[xlsx]"' in mistakes(book)
    with pytest.raises(InputError, match="openpyxl"):
        convert(GOOD, book.with_name("other.xlsx"), read_catalog)
    assert sorted(path.name for path in book.parent.iterdir()) == ["mine.xlsx"]


def test_a_catalog_with_mistakes_is_not_converted(book: Path) -> None:
    """Its mistakes are told, and nothing is left behind."""
    edited(book, lambda b: b["offers"].__setitem__("A3", "no name"))
    with pytest.raises(InputError, match="no name"):
        convert(book, book.parent / "back", read_catalog)
    assert sorted(path.name for path in book.parent.iterdir()) == ["mine.xlsx"]


@pytest.mark.parametrize("name", ["mine.xlsx", "there"])
def test_conversion_overwrites_nothing(name: str, book: Path) -> None:
    """A target that is there is left as it is."""
    (book.parent / "there").mkdir(exist_ok=True)
    before = book.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        convert(GOOD, book.parent / name, read_catalog)
    assert book.read_bytes() == before


def test_signs_that_no_workbook_can_hold_are_refused(tmp_path: Path) -> None:
    """A control character, or a line break that XML does not keep, is told before anything is written."""
    folder = tmp_path / "odd"
    shutil.copytree(GOOD, folder)
    for sign in ("\x07", "\r\n"):
        text = f'schema = 1\nname = "odd"\nnote = "a{"".join(f"u{ord(c):04x}" for c in sign).replace("u", chr(92) + "u")}b"\n'
        (folder / "catalog.toml").write_text(text)
        with pytest.raises(InputError, match=r"control character|same facts"):
            convert(folder, tmp_path / "odd.xlsx", read_catalog)
        assert not (tmp_path / "odd.xlsx").exists()


def test_a_head_with_odd_signs_is_written_so_that_it_reads_back(tmp_path: Path) -> None:
    """Quotes, line breaks, backslashes and control characters in `catalog.toml` are escaped when it is written anew."""
    folder = tmp_path / "odd"
    shutil.copytree(GOOD, folder)
    note = r"a \"b\"\"\" \\ [c] # d\r\ne\t\u0007\u007f é 鎵"
    head = f'schema = 1\nname = "odd"\nas_of = 2026-01-31\nnote = "{note}"\nlicence = "\'"\n'
    (folder / "catalog.toml").write_text(head, encoding="utf-8")
    convert(folder, tmp_path / "back", read_catalog)
    assert read_catalog(tmp_path / "back") == read_catalog(folder)


def test_a_registry_finds_a_workbook_by_its_path(book: Path) -> None:
    """`./mine.xlsx` in a case means the workbook, by the name it states; a wrong path is told."""
    ref = Registry.of().catalog_folder("./mine.xlsx", book.parent)
    assert (ref.name, ref.folder) == (read_catalog(GOOD).name, book.parent / "./mine.xlsx")
    with pytest.raises(InputError, match="there is no such workbook"):
        Registry.of().catalog_folder("./yours.xlsx", book.parent)


def part_edited(path: Path, old: bytes, new: bytes, more: int = 0) -> Path:
    """A workbook whose sheet of facilities says something else, as no spreadsheet program would write it."""
    made = path.with_name("made.xlsx")
    part = "xl/worksheets/sheet5.xml"
    with ZipFile(path) as before, ZipFile(made, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            if name == part:
                assert b"plant" in data or b"<sheetData>" in data
                assert old in data
                data = data.replace(old, new, 1)
            after.writestr(name, data)
        for number in range(more):
            after.writestr(f"more/{number}", b"")
    return made


def test_a_cell_that_is_only_formatted_is_nothing_however_far_away(book: Path) -> None:
    """It is neither a row nor a column of the table."""

    def far_away(opened: Any) -> None:
        opened["offers"]["XFD20000"].number_format = "0.00"

    assert read_catalog(edited(book, far_away)).digest == read_catalog(GOOD).digest


END = b"</sheetData>"
HOSTILE = {
    "row": (b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>' + END, "row 99999999999 comes after row"),
    "column": (b'<row r="9999"><c r="ZZZ9999"><v>1</v></c></row>' + END, "`ZZZ9999` is no cell"),
    "backwards": (b'<row r="1"><c r="A1"><v>1</v></c></row>' + END, "row 1 comes after row"),
    "elsewhere": (b'<row r="9999"><c r="A3"><v>1</v></c></row>' + END, "cell A3 is not where it says"),
    "merged": (END + b"<mergeCells>" + b'<mergeCell ref="Z1:AA2"/>' * 101 + b"</mergeCells>", "more than 100 ranges"),
    "broken": (b"<row>" + END, "mismatched tag"),
    "long": (b'<row r="9999"><c r="A9999" t="str"><v>' + b"x" * 40_000 + b"</v></c></row>" + END, "40,000 characters"),
    "endless": (b"x" * 2_000_000 + END, "a text in it has more than 1,000,000 characters"),
    "unzipped": (b" " * 100_000_001 + END, "is too large when it is unzipped"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sheet_that_no_program_writes_is_one_mistake(name: str, book: Path) -> None:
    """It names the sheet, and ends before memory or time do."""
    new, message = HOSTILE[name]
    told = mistakes(part_edited(book, END, new))
    assert told.count("\n") == 0
    assert "sheet " in told
    assert message in told


def test_a_merge_of_a_whole_sheet_is_one_mistake(book: Path) -> None:
    """As many cells as no memory holds are never listed."""
    merged = b'<mergeCells><mergeCell ref="ZZ2:XFD1048576"/></mergeCells>'
    assert "cells are merged" in mistakes(part_edited(book, END, END + merged))


def test_a_document_type_is_refused(book: Path) -> None:
    """Entities that stand for one another fill a memory from some lines of text."""
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet '
    assert "declares a document type" in mistakes(part_edited(book, b"<worksheet ", entities))


def test_a_zip_of_very_many_files_is_not_read(book: Path) -> None:
    """Its directory is looked at before anything is unzipped."""
    assert "no more than 2,000 files" in mistakes(part_edited(book, END, END, more=2_000))


def with_shared_texts(path: Path) -> Path:
    """A workbook whose shared texts stand in pieces, and with how they are pronounced, as Excel writes some."""
    made = path.with_name("shared.xlsx")

    def in_pieces(found: re.Match[str]) -> str:
        text = found[1]
        if "&" in text:
            return f"<si><t>{text}</t></si>"
        return f"<si><r><t>{text[:2]}</t></r><r><t>{text[2:]}</t></r><rPh><t>no</t></rPh></si>"

    with ZipFile(path) as before, ZipFile(made, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name).decode()
            if name == "xl/sharedStrings.xml":
                data, count = re.subn(r"<si><t[^>]*>(.*?)</t></si>", in_pieces, data)
                assert count > 3
            after.writestr(name, data)
    return made


def test_texts_that_cells_share_are_read(book: Path) -> None:
    """The same facts, however a program keeps its texts."""
    assert read_catalog(with_shared_texts(book)).digest == read_catalog(GOOD).digest


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [("ROWS", 1, "too many rows"), ("CELLS", 20, "too many cells"), ("TEXTS", 3, "too many texts")],
)
def test_limits_are_said_with_what_was_found(
    limit: str, value: int, message: str, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workbook of more rows, cells or texts than are read is refused as a whole; the limit is made small here to be cheap."""
    monkeypatch.setattr(sheetxml, limit, value)
    told = mistakes(with_shared_texts(book))
    assert message in told
    assert f"no more than {value} " in told


def test_a_pipe_in_place_of_a_workbook_is_told(tmp_path: Path) -> None:
    """It would be read for ever."""
    os.mkfifo(tmp_path / "mine.xlsx")
    assert "is a pipe, not a file" in mistakes(tmp_path / "mine.xlsx")
