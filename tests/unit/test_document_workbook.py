"""Documents as workbooks: what a spreadsheet reads of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.workbook import workbook

D = Decimal
TABLE = doc.table(
    [doc.Column("offer"), doc.figures("quantity"), doc.figures("cost", "USD"), doc.figures("share"), doc.Column("day")],
    [
        ["=1+1", doc.Kilograms(D("1234567.8"), "t"), doc.Amount(D("1234.5")), doc.Share(D("0.125")), date(2027, 1, 31)],
        ["http://x.example/", doc.Kilograms(D(5), "kg"), doc.Amount(D(-3), form="signed"), doc.NOTHING, "@SUM(A1)"],
    ],
)
BARS = charts.Bars(
    ("2027", "2028"),
    (charts.Series("=cmd", (D(1), D(2))), charts.Series("b", (D(3), D(4)))),
    "t",
    line=charts.Series("wanted", (D(5), D(6))),
)
LADDER = charts.Ladder((charts.Rung("now", D(10), "", target=D(8)), charts.Rung("none", None, "no price")), "USD/kg")
SAMPLE = doc.document(
    "sample",
    doc.sentence("Said first."),
    doc.section(
        "Who: a/b?", TABLE, doc.Drawing("=Mix", "Two years.", BARS, TABLE), doc.Drawing("Prices", "", LADDER, TABLE)
    ),
    doc.section("Who: a/b?", doc.notes(["+a note", "another"]), doc.Pairs((("one", "-two"),))),
)


@pytest.fixture(scope="module")
def book() -> Any:
    """The sample as openpyxl opens it."""
    from openpyxl import load_workbook

    return load_workbook(BytesIO(workbook(SAMPLE, "x.xlsx")))


def rows(sheet: Any) -> list[list[Any]]:
    """Values of the rows that hold something."""
    lines = ([cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows())
    return [line for line in lines if line]


def test_there_is_a_sheet_for_each_section(book: Any) -> None:
    """Named as far as a sheet may be named so; what is said first stands on the first."""
    assert book.sheetnames == ["Summary", "Who  a b", "Who  a b 2", "Chart data"]
    assert rows(book["Summary"]) == [["sample"], ["Said first."]]
    assert rows(book["Who  a b 2"]) == [["Who: a/b?"], ["+a note"], ["another"], ["one", "-two"]]


def test_figures_are_numbers_with_their_unit_as_format(book: Any) -> None:
    """Masses in the unit that is told, shares in percent, days as days; what is nothing is blank."""
    head, first, second = list(book["Who  a b"].iter_rows(min_row=2, max_row=4))
    assert [cell.value for cell in head] == ["offer", "quantity", "cost, USD", "share", "day"]
    assert [cell.value for cell in first][:4] == ["=1+1", 1234.5678, 1234.5, 0.125]
    assert [cell.number_format for cell in first[1:]] == ['#,##0" t"', "#,##0", "0.0%", "yyyy-mm-dd"]
    assert first[4].value.date() == date(2027, 1, 31)
    assert (second[1].value, second[2].value, second[3].value) == (5, -3, None)
    assert second[2].number_format == "+#,##0.00;-#,##0.00"


def test_no_text_is_a_formula_or_a_link() -> None:
    """Whatever it looks like, in cells, titles of charts and names of series."""
    from zipfile import ZipFile

    with ZipFile(BytesIO(workbook(SAMPLE, "x.xlsx"))) as parts:
        xml = {name: parts.read(name).decode() for name in parts.namelist()}
    for name, text in xml.items():
        assert "hyperlink" not in text, name
        if name.startswith("xl/worksheets/"):
            assert "<f>" not in text
        if name.startswith("xl/charts/"):
            assert "<c:f>cmd" not in text
            assert "<c:f>Mix" not in text


def test_a_cell_shows_what_is_typed_without_signs_and_a_name_as_it_is() -> None:
    """Backticks of a sentence set nothing apart in a cell; those of a name in a table are the name's."""
    from openpyxl import load_workbook

    told = doc.document("x", doc.notes(["barred by `ban`"]), doc.table([doc.Column("Offer")], [["a`b`"]]))
    sheet = load_workbook(BytesIO(workbook(told, "x.xlsx")))["Summary"]
    assert rows(sheet) == [["x"], ["barred by ban"], ["Offer"], ["a`b`"]]


def test_bars_and_ladders_are_native_charts(book: Any) -> None:
    """Bars are stacked, what they are held against is a line; a ladder is a bar for each price; their figures stand in a sheet of their own."""
    mix, prices = book["Who  a b"]._charts
    assert (mix.grouping, prices.barDir) == ("stacked", "bar")
    data = rows(book["Chart data"])
    assert data[:4] == [["=Mix"], ["t", "=cmd", "b", "wanted"], ["2027", 1, 3, 5], ["2028", 2, 4, 6]]
    assert data[4:] == [["Prices"], ["USD/kg", "Prices", "would have to be"], ["now", 10, 8], ["none"]]


def test_charts_stand_above_the_table_of_their_figures(book: Any) -> None:
    """At the left, below what is said of them, and on nothing else: a planner sees them before scrolling."""
    sheet = book["Who  a b"]
    texts = [row[0].value for row in sheet.iter_rows()]
    heads = [number for number, text in enumerate(texts) if text == "offer"]
    for chart, title, head in zip(sheet._charts, ("=Mix", "Prices"), heads[1:], strict=True):
        top, rows_high = chart.anchor._from.row, chart.anchor.to.row - chart.anchor._from.row
        assert chart.anchor._from.col == 0
        assert texts.index(title) < top
        assert top + rows_high < head
        assert not any(texts[top : top + rows_high + 1])


def test_masses_of_a_column_are_in_one_unit() -> None:
    """500 kg below 2 t are half a tonne: who adds up the column adds tonnes."""
    from openpyxl import load_workbook

    table = doc.table([doc.figures("quantity")], [[doc.Kilograms(D(2000))], [doc.Kilograms(D(500))]])
    sheet = load_workbook(BytesIO(workbook(doc.document("x", doc.section("a", table)), "x.xlsx")))["a"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3, max_row=4)] == [[2], [0.5]]
    assert {row[0].number_format[-2:] for row in sheet.iter_rows(min_row=3, max_row=4)} == {'t"'}


def test_a_sheet_is_set_up_to_be_read_and_printed(book: Any) -> None:
    """Across, as wide as a page; the head of a sheet's one table stays; a long line of text is broken and not cut."""
    from openpyxl import load_workbook

    assert all(
        (sheet.page_setup.orientation, sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight)
        == ("landscape", 1, 0)
        for sheet in book
        if sheet.title != "Chart data"
    )
    long = "a long sentence " * 30
    document = doc.document("x", doc.section("one", doc.sentence(long), TABLE), doc.section("two", doc.sentence(long)))
    found = load_workbook(BytesIO(workbook(document, "x.xlsx")))
    assert found["one"].freeze_panes == "A5"
    assert found["one"].print_title_rows == "$4:$4"
    assert found["one"].merged_cells.ranges
    assert all(found[name]["A2"].alignment.wrap_text for name in ("one", "two"))
    assert all(found[name].row_dimensions[2].height > 30 for name in ("one", "two"))
    assert book["Who  a b"].freeze_panes is None
    drawn = load_workbook(
        BytesIO(workbook(doc.document("x", doc.section("a", doc.Drawing("b", "", BARS, TABLE))), "x.xlsx"))
    )
    assert (drawn["a"].freeze_panes, bool(drawn["a"].print_title_rows)) == (None, True)


def test_the_same_document_gives_the_same_bytes() -> None:
    """Whenever it is written."""
    assert workbook(SAMPLE, "x.xlsx") == workbook(SAMPLE, "y.xlsx")
