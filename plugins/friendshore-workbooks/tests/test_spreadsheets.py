"""A spreadsheet of anybody's own columns becomes a catalog, and what is wrong is told where it stands."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.building import refused
from tests.functional.program import here

from friendshore.catalog import load_catalog
from friendshore.catalog.convert import Texts, put
from friendshore.catalog.review import ambiguous_cells
from friendshore.domain.base import UnreadableError
from friendshore.domain.facts import Feed, Status
from friendshore.errors import Diagnostic, InputError
from friendshore_workbooks.column_map import as_id, read_cell_text, with_point
from friendshore_workbooks.spreadsheets import MappedCatalog, convert_spreadsheet

HEAD = """schema = 1
[catalog]
name = "ours"
[[materials]]
id = "material"
basis = { value = "Ga" }
stages = { value = "mined;refined" }
[[sources]]
id = { id = ["firm"] }
reference = "firm"
confidence = { value = "reported" }
[[facilities]]
id = { id = ["firm", "town"] }
operator = "firm"
country = "country"
"""
MAP = (
    HEAD
    + """
[[capacity]]
when = { made = "?*" }
per_year = { column = "made", unit = "t/year" }
from = { column = "since", span = "last" }
status = { column = "state", words = { "run*" = "operating" } }
[[offers]]
id = { id = ["firm", "material"] }
material = "material"
price = { column = "price", unit = { text = "{money}/kg" } }
[[chain]]
unless = { mine = ["scrap", ""] }
stage = { value = "mined" }
countries = { column = "mine", split = "/", words = { down = "AU" } }
[[chain]]
when = { mine = "scrap" }
stage = { value = "collection" }
"""
)
LIST = """firm,town,country,material,made,since,state,price,money,mine
Ärzte & Co,Ort,Austria,metal,2.5,2027-Q1,running,600,EUR,down/NZ
Ärzte & Co,Ort,Austria,oxide,2.5,2027-Q1,running,300,EUR,scrap
"""


def made(tmp_path: Path, text: str = MAP, rows: str = LIST) -> MappedCatalog:
    (tmp_path / "columns.toml").write_text(text, encoding="utf-8")
    (tmp_path / "list.csv").write_text(rows, encoding="utf-8")
    return convert_spreadsheet(tmp_path / "list.csv", tmp_path / "columns.toml")


def wrong(tmp_path: Path, text: str = MAP, rows: str = LIST) -> list[tuple[str, int | None, str, str]]:
    """Return file, line, column, and message of each error."""
    return [(Path(p.file).name, p.row, p.column, p.message) for p in refused(made, tmp_path, text, rows)]


def line_of(part: str) -> int:
    """The line of the map that holds some text."""
    return next(number for number, line in enumerate(MAP.splitlines(), 1) if part in line)


def workbook(tmp_path: Path, merged: str = "", **cells: object) -> Path:
    """The list as a workbook, with other cells and some that are merged."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in LIST.splitlines():
        book.active.append(row.split(","))
    for cell, value in cells.items():
        book.active[cell] = value
    if merged:
        book.active.merge_cells(merged)
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


def test_a_capacity_of_each_product_is_told_how_to_be_stated(tmp_path: Path) -> None:
    """Two rows of one plant with a capacity each: the message names both ways, and both work."""
    rows = LIST.replace("oxide,2.5", "oxide,4")
    [problem] = [one for one in refused(made, tmp_path, MAP, rows) if "same facility" in one.message]
    assert "its own facility" in problem.fix
    assert "`max_per_year`" in problem.fix
    apart = MAP.replace('id = { id = ["firm", "town"] }', 'id = { id = ["firm", "town", "material"] }')
    plants = made(tmp_path, apart, rows).catalog.facilities
    assert [step.per_year for plant in plants for step in plant.capacity] == [2500, 4000]
    start, end = MAP.index("[[capacity]]"), MAP.index("[[offers]]")
    most = 'max_per_year = { column = "made", unit = "t/year" }\n[[chain]]\nunless'
    of_offers = (MAP[:start] + MAP[end:]).replace("[[chain]]\nunless", most)
    assert [offer.max_per_year for offer in made(tmp_path, of_offers, rows).catalog.offers] == [2500, 4000]


def test_a_list_becomes_a_catalog(tmp_path: Path) -> None:
    """Units, words, spans, parts of lists and ids are as the map says; what two rows say alike is one; and it reads back as the same."""
    one = made(tmp_path)
    (plant,) = one.catalog.facilities
    assert (plant.id, plant.country) == ("arzte-co-ort", "AT")
    (step,) = plant.capacity
    assert (step.per_year, step.start, step.status) == (Decimal(2500), date(2027, 3, 31), Status.OPERATING)
    first, second = one.catalog.offers
    assert (first.id, first.source) == ("arzte-co-metal", "ours:arzte-co")
    assert (first.price.amount, first.price.currency) == (Decimal(600), "EUR")
    assert (first.chain[0].countries, second.chain[0].feed) == ({"AU", "NZ"}, Feed.RECYCLED)
    put(Texts(one.head, one.tables), one.catalog.digest, tmp_path / "ours", load_catalog)
    assert load_catalog(tmp_path / "ours").digest == one.catalog.digest


def test_all_mistakes_are_told_at_once_where_they_stand(tmp_path: Path) -> None:
    """Those of cells name the list's row and column, though other words of the catalog's were wanted."""
    rows = LIST.replace("2.5,2027-Q1,running,300", "much,2027-Q5,asleep,cheap").replace(
        "Austria,oxide", "Nowhere,oxide"
    )
    found = wrong(tmp_path, MAP.replace("reported", "rumoured"), rows)
    assert {(column, message) for file, row, column, message in found if (file, row) == ("list.csv", 3)} >= {
        ("made", "cannot be read (`per_year` of capacity.csv)"), ("since", "cannot be read (`from` of capacity.csv)"),
        ("state", "cannot be read (`status` of capacity.csv)"), ("price, money", "cannot be read (`price` of offers.csv)"),
        ("country", "cannot be read (`country` of facilities.csv)"),
    }  # fmt: skip
    line = line_of('confidence = { value = "reported" }')
    told = ("columns.toml", line, "sources[1].confidence", "cannot be read (`confidence` of sources.csv)")
    assert [one for one in found if one[0] == "columns.toml"] == [told]


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        pytest.param(MAP, LIST.replace("Austria,oxide", "Germany,oxide"),
            ("list.csv", 3, "firm, town", "line 2 already has the same id (`id` of facilities.csv)"), id="a plant in two rows that differ"),
        pytest.param(MAP.replace(', span = "last"', ""), LIST, ("list.csv", 2, "since", "cannot be read as `from` of capacity.csv"),
            id="a quarter that is no day"),
        pytest.param(MAP.replace('operator = "firm"', 'operator = "Firma"'), LIST,
            ("columns.toml", line_of('operator = "firm"'), "facilities[1].operator", "the spreadsheet has no column `Firma`"), id="a column that is not there"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place(tmp_path: Path, text: str, rows: str, expected: tuple[str, int, str, str]) -> None:
    """Which of two is meant is not guessed."""
    assert expected in wrong(tmp_path, text, rows)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('country = "country"', 'kountry = "country"', "unknown key"),
        ('{ id = ["firm"] }', '{ id = ["firm"], value = "x" }', "cannot be read"),
        ('{ value = "Ga" }', "7", "cannot be read"),
        ('span = "last"', 'span = "middle"', "cannot be read"),
        ('when = { made = "?*" }', 'when = "made"', "cannot be read"),
    ],
)
def test_a_map_that_makes_no_sense_is_told_by_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A key that is none, a text made of two things, and what is no text at all."""
    found = wrong(tmp_path, MAP.replace(old, new, 1))
    assert ("columns.toml", line_of(old), message) in [(file, row, told) for file, row, _, told in found]


def test_rows_that_nothing_is_made_of_are_told_or_left_out_with_a_reason(tmp_path: Path) -> None:
    """A row that no entry is about is a mistake; one that is skipped is counted."""
    makes = '[[makes]]\nwhen = { material = "metal" }\nmaterial = { value = "metal" }\n'
    text = MAP.replace('material = "material"\nprice', "price") + makes
    assert wrong(tmp_path, text)[0][:3] == ("list.csv", 3, "material")
    skip = '[[skip]]\nwhen = { material = "ox*" }\nwhy = "no metal"\n'
    one = made(tmp_path, text + skip)
    assert [(left.row, left.why) for left in one.left_out] == [(3, "no metal")]
    assert [offer.id for offer in one.catalog.offers] == ["arzte-co-metal"]


def test_each_material_of_a_row_is_an_offer(tmp_path: Path) -> None:
    """They share the plant and its one capacity; an entry may be about some of them alone."""
    makes = '[[makes]]\nmaterial = { value = "metal;oxide" }\n'
    text = MAP.replace('id = { id = ["firm", "material"] }\nmaterial = "material"\n', "") + makes
    text = text.replace("[[chain]]\nunless", '[[chain]]\nabout = ["metal"]\nunless', 1)
    text += '[[materials]]\nid = { value = "oxide" }\nbasis = { value = "Ga" }\nstages = { value = "mined" }\n'
    catalog = made(tmp_path, text, "".join(LIST.splitlines(keepends=True)[:2])).catalog
    assert [offer.id for offer in catalog.offers] == ["arzte-co-ort-metal", "arzte-co-ort-oxide"]
    assert [len(offer.chain) for offer in catalog.offers] == [1, 0]
    assert len(catalog.facilities[0].capacity) == 1


def test_a_workbook_is_a_list_too(tmp_path: Path) -> None:
    """Its sheet is the one that the map names, below a title; its numbers need no decimal sign."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "About us"
    book.active.append(["a list of suppliers"])
    sheet = book.create_sheet("Suppliers")
    sheet.append(["Our suppliers"])
    for row in LIST.splitlines():
        sheet.append([float(cell) if cell in ("2.5", "600", "300") else cell for cell in row.split(",")])
    book.save(tmp_path / "list.xlsx")
    (tmp_path / "columns.toml").write_text(MAP + '[sheet]\nname = "suppliers"\nheader = 2\n', encoding="utf-8")
    catalog = convert_spreadsheet(tmp_path / "list.xlsx", tmp_path / "columns.toml").catalog
    assert catalog.digest == made(tmp_path).catalog.digest
    (tmp_path / "columns.toml").write_text(MAP, encoding="utf-8")
    with pytest.raises(InputError, match="FS916"):
        convert_spreadsheet(tmp_path / "list.xlsx", tmp_path / "columns.toml")


@pytest.mark.parametrize(("decimal", "kilograms"), [("", 2500), (".", 2500), (",", 2_500_000)])
def test_a_map_with_its_decimal_sign_leaves_no_amount_ambiguous(tmp_path: Path, decimal: str, kilograms: int) -> None:
    """`2.500` t is 2.5 t or 2,500 t: without a decimal sign in the map it is pointed out, with one it is written clearly."""
    text = MAP + (f'[sheet]\ndecimal = "{decimal}"\n' if decimal else "")
    one = made(tmp_path, text, LIST.replace("2.5,", "2.500,"))
    (step,) = one.catalog.facilities[0].capacity
    assert step.per_year == kilograms
    assert [(p.row, p.column) for p in one.doubts] == ([] if decimal else [(2, "made")])
    put(Texts(one.head, one.tables), one.catalog.digest, tmp_path / "ours", load_catalog)
    assert bool(ambiguous_cells(tmp_path / "ours")) == (not decimal)


def test_texts_in_a_workbook_may_have_decimal_commas(tmp_path: Path) -> None:
    """The decimal sign is that of cells that are text; a number has none, though others in its column are text."""
    book = workbook(tmp_path, E2=2.5, H2="600,5", E3="2,5")
    (tmp_path / "columns.toml").write_text(MAP + '[sheet]\ndecimal = ","\n', encoding="utf-8")
    catalog = convert_spreadsheet(book, tmp_path / "columns.toml").catalog
    assert [step.per_year for step in catalog.facilities[0].capacity] == [2500]
    assert [str(offer.price.amount) for offer in catalog.offers if offer.price] == ["600.5", "300"]


@pytest.mark.parametrize("cells", ["A2:A3", "D2:D3", "F2:F3"])
def test_a_merged_cell_is_the_only_mistake_of_its_rows(tmp_path: Path, cells: str) -> None:
    """Ids, sources and materials made from a cell that cannot be read are no further mistakes."""
    makes = '[[makes]]\nmaterial = { column = "material", words = { met = "metal" } }\n'
    text = MAP.replace('id = { id = ["firm", "material"] }\nmaterial = "material"\n', "") + makes
    (tmp_path / "columns.toml").write_text(text, encoding="utf-8")
    problems = refused(convert_spreadsheet, workbook(tmp_path, cells), tmp_path / "columns.toml")
    assert [(p.message, p.row, p.column) for p in problems] == [("cells are merged", 2, cells)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.250,5", "1250.5"), ("1250,5 t", "1250.5 t"), ("1 250", "1250"), ("-3,5", "-3.5"), ("12.345.678", "12345678"),
        ("1.5", None), ("1.2500", None), ("1,250.5", None), ("many", None), ("1,2,3", None),
    ],
)  # fmt: skip
def test_decimal_commas(text: str, number: str | None) -> None:
    """Points and blanks set off thousands alone; a point that sets off none is no decimal sign here, and is refused."""
    if number is None:
        with pytest.raises(UnreadableError):
            with_point(text)
    else:
        assert with_point(text) == number


def test_ids_are_made_of_words() -> None:
    """Signs and accents go, and words stay."""
    assert as_id("  São Tomé & Söhne (GmbH) ") == "sao-tome-sohne-gmbh"
    assert read_cell_text({"id": "firm"}).raw({"firm": "A  b"}) == "a-b"


def test_problems_are_diagnostics(tmp_path: Path) -> None:
    """A list that is not there is one problem."""
    (tmp_path / "columns.toml").write_text(MAP, encoding="utf-8")
    assert [type(p) for p in refused(convert_spreadsheet, tmp_path / "none.csv", tmp_path / "columns.toml")] == [
        Diagnostic
    ]


BASE = {
    "catalog.toml": 'schema = 1\nname = "base"\n',
    "sources.csv": "id,reference,confidence\nown,Our list,verified\n",
    "materials.csv": "id,element,form,stages,source\nmetal,Ga,metal,mined;refined,own\noxide,Ga,oxide,mined;refined,own\n",
}


def test_a_required_folder_is_read_beside_the_new_catalog(tmp_path: Path) -> None:
    """Following the fix makes convert, check, and show accept the catalog."""
    text = MAP.replace('name = "ours"', 'name = "ours"\nrequires = ["base"]')
    text = text.replace(text[text.index("[[materials]]") : text.index("[[sources]]")], "")
    (tmp_path / "columns.toml").write_text(text, encoding="utf-8")
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    convert = ("catalogs", "convert", tmp_path / "list.csv", tmp_path / "ours", "--map", tmp_path / "columns.toml")
    refusal = here(*convert)
    assert (refusal.returncode, "FS118" in refusal.stderr) == (2, True)
    assert f"move the folder of `base` to {tmp_path / 'base'}" in refusal.stderr
    (tmp_path / "base").mkdir()
    for name, content in BASE.items():
        (tmp_path / "base" / name).write_text(content, encoding="utf-8")
    assert here(*convert).returncode == 0
    assert here("catalogs", "check", tmp_path / "ours").returncode == 0
    assert here("catalogs", "convert", tmp_path / "ours", tmp_path / "ours.xlsx").returncode == 0
