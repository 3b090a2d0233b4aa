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

from friendshore.catalog import load_catalog
from friendshore.catalog.convert import convert
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.reading import workbook
from friendshore.reading.workbook import added_text, as_text

from ..building import refused

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
ODD = ["=1+1", "+1", "-", "1/2", "0012", "2841.80", "1e5", "TRUE", "true", "#N/A", "2027-01-31", "'", '"', "a;b", "µ – ≥ 漢字", "12.50",
       "_x0041_", "@", "123456789012345678", "two\nlines", "<&>", "\u00a0x"]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The good catalog as a workbook, which nobody changes."""
    path = tmp_path_factory.mktemp("made") / "mine.xlsx"
    convert(GOOD, path, load_catalog)
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


def mistakes(path: Path) -> list[str]:
    """All that is wrong with a catalog."""
    return [str(problem) for problem in refused(load_catalog, path)]


def same_facts(path: Path) -> bool:
    """Return True if a catalog says what the good one says."""
    return load_catalog(path).digest == load_catalog(GOOD).digest


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A copy of the folder."""
    return Path(shutil.copytree(GOOD, tmp_path / "odd"))


def test_there_and_back_every_table_is_the_same(book: Path, tmp_path: Path) -> None:
    """Folder, workbook, folder: the same rows and columns in the same order, cell by cell."""
    assert load_catalog(book) == load_catalog(GOOD)
    back, again = tmp_path / "back", tmp_path / "again.xlsx"
    written = convert(book, back, load_catalog)
    assert {path.name for path in written} == {path.name for path in GOOD.iterdir() if path.suffix in (".csv", ".toml")}
    convert(back, again, load_catalog)
    assert same_facts(back)
    assert same_facts(again)
    first, second = (openpyxl.load_workbook(path) for path in (book, again))
    assert all(list(sheet.values) == list(second[sheet.title].values) for sheet in first)


@pytest.mark.parametrize("text", ODD)
def test_texts_that_spreadsheets_take_for_something_else_stay_what_they_are(text: str, tmp_path: Path) -> None:
    """A note may look like a formula, a number, a date or an error, and is still that text after both ways."""
    folder, back = tmp_path / "odd", tmp_path / "back"
    folder.mkdir()
    (folder / "catalog.toml").write_text('schema = 1\nname = "odd"\n')
    cell = text.replace('"', '""')
    (folder / "facilities.csv").write_text(f'id,country,note\nplant,AU,"{cell}"\n', encoding="utf-8")
    convert(folder, tmp_path / "odd.xlsx", load_catalog)
    convert(tmp_path / "odd.xlsx", back, load_catalog)
    assert load_catalog(back).facilities[0].note == text.strip()
    assert load_catalog(back).digest == load_catalog(folder).digest


def test_numbers_and_dates_are_cells_that_a_spreadsheet_computes_with(book: Path) -> None:
    """Shares and days are numbers and dates, codes and amounts with a unit are texts; heads say what columns are and words can be chosen."""
    opened = openpyxl.load_workbook(book)
    kinds = {
        (sheet.title, head.value): {type(row[head.column - 1].value).__name__ for row in sheet.iter_rows(min_row=2)}
        for sheet in opened
        for head in sheet[1]
    }
    assert "float" in kinds["factors", "kg_per_kg"]
    assert kinds["sources", "date"] <= {"datetime", "NoneType"}
    assert kinds["materials", "hs"] <= {"str", "NoneType"}
    assert kinds["capacity", "per_year"] == {"str"}
    assert all(head.comment and head.comment.text for sheet in opened for head in sheet[1])
    assert any("verified" in choice.formula1 for choice in opened["sources"].data_validations.dataValidation)


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

    told = refused(load_catalog, edited(book, spoil))
    places = {(problem.file.removeprefix(f"{book}, sheet "), problem.column): problem for problem in told}
    assert {("offers", "id"), ("sources", "remarks"), ("catalog", "as-of"), ("facilities", "country")} <= set(places)
    assert [places["offers", "id"].row, places["sources", "remarks"].row] == [3, 1]
    assert places["offers", "id"].found == "`no name`"


SPOILT: dict[str, tuple[Callable[[Any], object], str]] = {
    "formula without a value": (lambda b: b["factors"].__setitem__("C2", "=1/2"), "FS074"),
    "stranger": (lambda b: b.create_sheet("ofers").append(["id"]), "did you mean `offers`?"),
    "notes": (lambda b: b.create_sheet("what we asked").append(["x"]), "FS101"),
    "no head": (lambda b: b.remove(b["catalog"]), "FS100"),
    "a time": (lambda b: b["sources"].__setitem__("C2", __import__("datetime").datetime(2026, 1, 1, 12)), "sheet sources:2 [date]"),
    "key twice": (lambda b: b["catalog"].append(["name", "other"]), "already has the same key"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_what_a_spreadsheet_hides_is_a_mistake(name: str, book: Path) -> None:
    """None of it passes for a blank cell or a missing table."""
    edit, said = SPOILT[name]
    assert any(said in one for one in mistakes(edited(book, edit)))


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


def add_sheet(name: str) -> Callable[[Any], None]:
    """A sheet with formulas, errors, and merged cells."""

    def add(opened: Any) -> None:
        sheet = opened.create_sheet(name)
        sheet.append(["What we asked", "=A1", "#N/A"])
        sheet.merge_cells("A3:C3")

    return add


ONE_PROBLEM: dict[str, tuple[Callable[[Any], object], tuple[str, ...]]] = {
    "hidden sheet": (lambda b: setattr(b["sources"], "sheet_state", "hidden"), ("sheet sources: FS072",)),
    "an unknown sheet": (add_sheet("prices 2025"), ("FS101",)),
    "hidden row": (lambda b: setattr(b["offers"].row_dimensions[3], "hidden", True), ("sheet offers:3: FS072", "found row 3", "clear the filter")),
    "hidden columns": (lambda b: b["offers"].column_dimensions.group("C", "D", hidden=True), ("sheet offers [C]: FS072",)),
    "title": (put_title, ("sheet offers:1: FS059", "Offers of Acme", "delete the rows above row 3")),
    "thousands": (styled("factors", "C2", 0.5, '0.0,"k"'), ("sheet factors:2 [C2]", "FS075 the cell's format adds `k (in thousands)`")),
    "euro": (styled("factors", "C2", 0.5, "#,##0.00 [$€-407]"), ("adds `€`", "as text")),
    "unit": (styled("factors", "C2", 0.5, "0.0\\ \\t"), ("adds `t`",)),
    "invisible": (styled("factors", "C2", 0.5, ";;;"), ("the number is hidden",)),
    "date for a name": (styled("offers", "A3", date(2026, 3, 1), "mmm yy"), ("sheet offers:3 [id]: FS061 ",)),
    "error": (lambda b: b["factors"].__setitem__("C2", "#N/A"), ("FS074 the cell contains an error",)),
    "merged": (lambda b: b["sources"].merge_cells("D2:D3"), ("FS073",)),
    "a long format": (styled("factors", "C2", 0.5, "[" * 1_000_000), ("the text of a format with 1,000,000 characters",)),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_PROBLEM)
def test_what_does_not_meet_the_eye_is_one_mistake(name: str, book: Path) -> None:
    """Nothing is read that nobody sees, and no number that the sheet shows otherwise; it is said once, without what follows of it."""
    edit, said = ONE_PROBLEM[name]
    (told,) = mistakes(edited(book, edit))
    assert all(words in told for words in said), told


@pytest.mark.parametrize(
    ("number_format", "value", "added"),
    [("General", "5", ""), ("0", "5", ""), ("#,##0.00", "5", ""), ("0.00E+00", "5", ""), ("# ?/?", "0.5", ""), ("@", "5", ""),
     ("0.00_);[Red](0.00)", "-5", ""), ('_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', "0", "-"), ("[$-409]0.0", "5", ""), ("0.0%", "0.5", "%"),
     ("0,", "5", "(in thousands)"), ('0 "kg"', "5", "kg"), ("$0", "5", "$"), ("[>=1000]0", "5", "[>=1000]"), ('0;0 "short"', "-5", "short"),
     ('0;0 "short"', "5", ""), ('"none"', "5", "none")],
)  # fmt: skip
def test_number_formats_that_add_something(number_format: str, value: str, added: str) -> None:
    """Digits, signs, colors and languages add nothing; units, currencies, thousands and hundredths do."""
    assert added_text(number_format, Decimal(value)) == added


def in_percent(book: Any) -> None:
    """Shows a share as a percentage."""
    styled("factors", "C2", book["factors"]["C2"].value, "0.00%")(book)


def own_sheets(book: Any) -> None:
    """A private sheet, a blank one, and a name in other letters."""
    book.create_sheet("_sums").append(["=SUM(offers!A1:A9)"])
    book.create_sheet("Sheet1")
    book["offers"].title = "passing"  # openpyxl takes a name that differs in case alone for taken
    book["passing"].title = "Offers"


UNCHANGED: dict[str, Callable[[Any], object]] = {
    "a share in percent": in_percent,
    "notes": add_sheet("Notes"),
    "readme": add_sheet("README"),
    "read me": add_sheet("read me"),
    "own sheets": own_sheets,
    "a format far away": lambda b: setattr(b["offers"]["XFD20000"], "number_format", "0.00"),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_says_nothing_else_changes_nothing(name: str, book: Path) -> None:
    """A half shown as 50% is a half; sheets for people may hold anything; a cell that is only formatted is neither a row nor a column."""
    assert same_facts(edited(book, UNCHANGED[name]))


@pytest.mark.parametrize("name", ["mine.xls", "mine.ods", "mine.xlsm"])
def test_a_workbook_of_another_format_is_told_with_the_fix(name: str, tmp_path: Path) -> None:
    """Not as a folder that is missing."""
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(InputError, match=r"workbook of another format.*save it as .xlsx, and name mine.xlsx"):
        Registry.of().catalog_folder(f"./{name}", tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04nonsense", b"id,name\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_a_file_that_is_no_workbook_is_told(content: bytes, tmp_path: Path) -> None:
    """Empty, damaged, renamed or with a password: one problem, and what to do."""
    (tmp_path / "mine.xlsx").write_bytes(content)
    (told,) = mistakes(tmp_path / "mine.xlsx")
    assert "FS071" in told
    assert "save it as .xlsx" in told


def test_without_openpyxl_the_fix_is_told(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing say what to install."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert any('pip install "friendshore[xlsx]"' in one for one in mistakes(book))
    with pytest.raises(InputError, match="openpyxl"):
        convert(GOOD, book.with_name("other.xlsx"), load_catalog)
    assert [path.name for path in book.parent.iterdir()] == ["mine.xlsx"]


def test_a_catalog_with_mistakes_is_not_converted(book: Path) -> None:
    """Its mistakes are told, and nothing is left behind."""
    edited(book, lambda b: b["offers"].__setitem__("A3", "no name"))
    with pytest.raises(InputError, match="no name"):
        convert(book, book.parent / "back", load_catalog)
    assert [path.name for path in book.parent.iterdir()] == ["mine.xlsx"]


@pytest.mark.parametrize("sign", [r"\u0007", r"\u000d\u000a"])
def test_signs_that_no_workbook_can_hold_are_refused(sign: str, odd: Path) -> None:
    """A control character, or a line break that XML does not keep, is told before anything is written."""
    (odd / "catalog.toml").write_text(f'schema = 1\nname = "odd"\nnote = "a{sign}b"\n')
    with pytest.raises(InputError, match=r"FS146|FS143"):
        convert(odd, odd.with_name("odd.xlsx"), load_catalog)
    assert not odd.with_name("odd.xlsx").exists()


def test_a_head_with_odd_signs_is_written_so_that_it_reads_back(odd: Path) -> None:
    """Quotes, line breaks, backslashes and control characters in `catalog.toml` are escaped when it is written anew."""
    note = r"a \"b\"\"\" \\ [c] # d\r\ne\t\u0007\u007f é 鎵"
    head = f'schema = 1\nname = "odd"\nas_of = 2026-01-31\nnote = "{note}"\nlicense = "\'"\n'
    (odd / "catalog.toml").write_text(head, encoding="utf-8")
    convert(odd, odd.with_name("back"), load_catalog)
    assert load_catalog(odd.with_name("back")) == load_catalog(odd)


def test_a_registry_finds_a_workbook_by_its_path(book: Path) -> None:
    """`./mine.xlsx` in a case means the workbook, by the name it states; a wrong path is told."""
    ref = Registry.of().catalog_folder("./mine.xlsx", book.parent)
    assert (ref.name, ref.folder) == (load_catalog(GOOD).name, book.parent / "./mine.xlsx")
    with pytest.raises(InputError, match="FS307 the workbook doesn't exist"):
        Registry.of().catalog_folder("./yours.xlsx", book.parent)


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes], more: int = 0) -> Path:
    """A workbook of which one part says something else, as no spreadsheet program would write it."""
    made = path.with_name("made.xlsx")
    with ZipFile(path) as before, ZipFile(made, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, change(data) if name == part else data)
        for number in range(more):
            after.writestr(f"more/{number}", b"")
    return made


def part_edited(path: Path, old: bytes, new: bytes, more: int = 0) -> Path:
    """The same of its sheet of facilities."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return rewritten(path, "xl/worksheets/sheet5.xml", change, more)


SHEET, END = b"<worksheet ", b"</sheetData>"
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "row": (b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>' + END, "row 99999999999 is after row"),
    "column": (
        b'<row r="9999"><c r="ZZZ9999"><v>1</v></c></row>' + END,
        "cell `ZZZ9999` isn't in its place in row 9999",
    ),
    "backwards": (b'<row r="1"><c r="A1"><v>1</v></c></row>' + END, "row 1 is after row"),
    "elsewhere": (b'<row r="9999"><c r="A3"><v>1</v></c></row>' + END, "cell `A3` isn't in its place in row 9999"),
    "merged": (END + b"<mergeCells>" + b'<mergeCell ref="Z1:AA2"/>' * 101 + b"</mergeCells>", "more than 100 ranges"),
    "merged whole": (END + b'<mergeCells><mergeCell ref="ZZ2:XFD1048576"/></mergeCells>', "cells are merged"),
    "broken": (b"<row>" + END, "mismatched tag"),
    "long": (b'<row r="9999"><c r="A9999" t="str"><v>' + b"x" * 40_000 + b"</v></c></row>" + END, "40,000 characters"),
    "endless": (b"x" * 2_000_000 + END, "a text in it has more than 1,000,000 characters"),
    "unzipped": (b" " * 100_000_001 + END, "is too large when unzipped"),
    "entities": (ENTITIES + SHEET, "declares a document type"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sheet_that_no_program_writes_is_one_mistake(name: str, book: Path) -> None:
    """It names the sheet, and ends before memory or time do; as many cells as no memory holds are never listed."""
    new, message = HOSTILE[name]
    (told,) = mistakes(part_edited(book, SHEET if new.endswith(SHEET) else END, new))
    assert "sheet " in told
    assert message in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (END, b'<row r="9999"><c r="A9999" t="inlineStr"><v>plant-x</v></c></row>' + END, "9999 [A9999]: FS074 "),
        (END, b'<row r="9999"><c r="A9999" t="x"><is><t>plant x</t></is></c></row>' + END, "found `plant x`"),
        (b"spreadsheetml/2006/main", b"other", "isn't part of a workbook"),
    ],
)  # fmt: skip
def test_a_cell_of_an_unknown_sort_is_not_blank(old: bytes, new: bytes, message: str, book: Path) -> None:
    """The library passes over a value where it expects another, and over elements of another namespace."""
    assert any(message in one for one in mistakes(part_edited(book, old, new)))


def test_a_zip_of_very_many_files_is_not_read(book: Path) -> None:
    """Its directory is looked at before anything is unzipped."""
    (told,) = mistakes(part_edited(book, END, END, more=2_000))
    assert "at most 2,000 files" in told


def with_shared_texts(path: Path) -> Path:
    """A workbook whose shared texts stand in pieces, and with how they are pronounced, as Excel writes some."""

    def in_pieces(found: re.Match[bytes]) -> bytes:
        text = found[1]
        if b"&" in text or not text.isascii():
            return b"<si><t>%s</t></si>" % text
        return b"<si><r><t>%s</t></r><r><t>%s</t></r><rPh><t>no</t></rPh></si>" % (text[:2], text[2:])

    return rewritten(path, "xl/sharedStrings.xml", lambda data: re.sub(rb"<si><t[^>]*>(.*?)</t></si>", in_pieces, data))


def test_a_workbook_saved_as_strict_open_xml_is_read(book: Path) -> None:
    """Excel can save the same workbook with other names for its elements."""
    strict = book.with_name("strict.xlsx")
    usual = re.compile(rb"http://schemas\.openxmlformats\.org/(spreadsheetml|officeDocument)/2006/(main|relationships)")
    with ZipFile(book) as before, ZipFile(strict, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            after.writestr(name, usual.sub(rb"http://purl.oclc.org/ooxml/\1/\2", before.read(name)))
    assert same_facts(strict)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [("MAX_ROWS", 1, "too many rows"), ("MAX_CELLS", 20, "too many cells"), ("MAX_TEXTS", 3, "too many texts")],
)
def test_limits_are_said_with_what_was_found(
    limit: str, value: int, message: str, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that cells share are read however a program keeps them; a workbook of more rows, cells or texts than are read is refused as a whole."""
    shared = with_shared_texts(book)
    assert b"rPh" in ZipFile(shared).read("xl/sharedStrings.xml")
    assert same_facts(shared)
    monkeypatch.setattr(workbook, limit, value)
    told = "\n".join(mistakes(shared))
    assert message in told
    assert f"at most {value} " in told


def test_a_pipe_in_place_of_a_workbook_is_told(tmp_path: Path) -> None:
    """It would be read for ever."""
    os.mkfifo(tmp_path / "mine.xlsx")
    (told,) = mistakes(tmp_path / "mine.xlsx")
    assert "is a pipe, not a file" in told


def test_sheets_of_a_form_are_read_by_position(tmp_path: Path) -> None:
    """Merged and hidden cells are part of a form, and other sheets aren't read. A formula that was never calculated stays an error."""
    made = openpyxl.Workbook()
    form, other = made.active, made.create_sheet("Other")
    form.title, form["A1"], form["C2"], form["D3"], other["A1"] = "Form", "first", "hidden", "=A1", "=1+1"
    form.merge_cells("A1:B1")
    form.row_dimensions[2].hidden, form.column_dimensions["C"].hidden = True, True
    form.sheet_state = "hidden"
    made.save(tmp_path / "form.xlsx")
    problems: list[Any] = []
    read = workbook.read_workbook(tmp_path / "form.xlsx", problems, form=("Form",))
    assert problems == []
    assert read.sheets == {"Form": [(1, ["first"]), (2, ["", "", "hidden"]), (3, ["", "", "", workbook.BAD_CELL])]}
    assert [(problem.code, problem.column) for problem in read.problems["Form"]] == [("FS074", "D3")]


def test_the_empty_text_of_a_formula_is_a_blank_cell(tmp_path: Path) -> None:
    """Excel saves it as an empty value of the type of texts."""
    made = openpyxl.Workbook()
    made.active["A1"], made.active["B1"] = "x", '=IF(A1="","y","")'
    made.save(tmp_path / "raw.xlsx")
    with ZipFile(tmp_path / "raw.xlsx") as old, ZipFile(tmp_path / "saved.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<c r="B1"', b'<c r="B1" t="str"'))
    read = workbook.read_workbook(tmp_path / "saved.xlsx", [])
    assert read.sheets == {"Sheet": [(1, ["x"])]}
    assert read.problems == {"Sheet": []}
