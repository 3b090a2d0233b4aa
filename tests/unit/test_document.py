"""Documents: cells, columns, and excerpts on a terminal, as Markdown, as JSON, and as workbooks."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from friendshore.case import load_case
from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.charts import Bars, Series
from friendshore.document.elements import (
    NOTHING,
    Amount,
    Between,
    Cell,
    Column,
    Count,
    DataRow,
    DataTable,
    Document,
    Drawing,
    KeyFigure,
    KeyFigures,
    Kilograms,
    Pairs,
    Phrase,
    Quoted,
    Several,
    Share,
    Tone,
    Verbatim,
    apart,
    document,
    excerpt,
    figures,
    notes,
    prose,
    section,
    sentence,
    table,
)
from friendshore.document.excerpts import listed
from friendshore.document.figures import percent, written
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text
from friendshore.domain.quantities import readable
from friendshore.rules.kinds.limits import Budget
from friendshore.run import read_run
from friendshore_pages.workbook import workbook

from ..building import GUESS, case, catalog, demand, planned, price, refused, rule, source, told

# -------------------------------------------------------------------------------------------------------------- elements


D = Decimal


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("a name", "a name"), (Phrase("a name", strong=True), "a name"), (NOTHING, "–"), (date(2027, 1, 31), "2027-01-31"),
        (Amount(D("1234.5")), "1,234"), (Amount(D("2.924"), "USD"), "USD 2.92"), (Amount(D(5), form="signed"), "+5"),
        (Amount(D("-5"), form="signed"), "-5"), (Amount(D("0.004"), form="signed"), "–"), (Amount(D(12345), form="cents"), "+12,345.00"),
        (Between(D(3), D(1), D(4)), "between 1 and 4, not proved"), (Between(D(3), None, None), "3, not proved"),
        (Kilograms(D(1500)), "1.5 t"), (Kilograms(D(1500), "kg"), "1,500 kg"), (Kilograms(D(1500), "t", bare=True), "1.5"),
        (Kilograms(D(0)), "0 kg"), (Kilograms(D(0), "t"), "–"), (Kilograms(D(20), least=D("0.05")), "+20 kg"),
        (Kilograms(D("-0.01"), least=D("0.05")), "–"), (Kilograms(D(20), per="year"), "20 kg a year"),
        (Share(D("0.25")), "25 %"), (Count(3), "3"), (Count(1, "offer"), "1 offer"), (Count(1200, "loss", "losses"), "1,200 losses"),
    ],
)  # fmt: skip
def test_a_cell_is_written_with_its_unit(cell: Cell, text: str) -> None:
    """Each kind of figure as a planner reads it."""
    assert written(cell) == text


def quarters(count: int) -> Document:
    """A table of so many quarters, 600 kg in each."""
    labels = [(f"{2027 + i // 4}-Q{i % 4 + 1}", str(2027 + i // 4)) for i in range(count)]
    periods = [Column(label, align="right", whole=True, year=year, over="Short", room=9) for label, year in labels]
    cells = [Kilograms(D(600), "t") for _ in labels]
    columns = [Column("Material"), *periods, Column("What for", from_width=60)]
    return Document("Quarters", (table(columns, [["tin", *cells, "all"]]),))


def header(document: Document, width: int) -> list[str]:
    """Words of the first line."""
    return plain_text(document, width).splitlines()[0].split()


def test_columns_of_periods_are_added_up_where_there_is_no_room() -> None:
    """Few periods stand one by one, many by years, and the last years together on a narrow line; kilograms are added up."""
    assert header(quarters(3), 100) == ["Material", "Short", "2027-Q1", "2027-Q2", "2027-Q3", "What", "for"]
    assert header(quarters(8), 100) == ["Material", "Short", "2027", "2028", "What", "for"]
    assert plain_text(quarters(8), 100).count("2.4 t") == 2
    assert header(quarters(16), 36) == ["Material", "Short", "2027", "2028", "2029–30"]
    assert "4.8 t" in plain_text(quarters(16), 36)


def test_what_only_a_wide_line_has_is_left_out_of_a_narrow_one() -> None:
    """Columns and phrases say so themselves."""
    assert "What for" not in plain_text(quarters(3), 59)
    told = Document("", (table([Column("Chain")], [[Phrase("mined AU → refined MY", brief="AU → MY")]]),))
    assert "AU → MY" in plain_text(told, 100)
    assert "mined AU → refined MY" in plain_text(told, 110)


def test_a_name_that_a_column_has_no_room_for_stands_above_its_row() -> None:
    """Whole, so that it can be typed; a name that has room stands beside its figures."""
    sizes = ["1,234,567.89", "890,123.45", "67,890.12"]
    rows = [["tin", *sizes], ["us-301-tungsten-minerals", *sizes]]
    told = plain_text(Document("", (table([Column("Item"), figures("A"), figures("B"), figures("C")], rows),)), 50)
    first, second, third = told.splitlines()[2:]
    assert first.split() == rows[0]
    assert (second, third.split()) == (rows[1][0], sizes)
    assert [first.index(size) for size in sizes] == [third.index(size) for size in sizes]


def test_no_figure_is_cut_for_the_sake_of_a_name() -> None:
    """Where the table fits with all names above their rows, figures stand whole."""
    sizes = ["1,234,567.89", "890,123,000.45", "67,890,000.12"]
    rows = [["all together", *sizes], ["us-301-tungsten-minerals", *sizes]]
    told = plain_text(Document("", (table([Column("Item"), figures("A"), figures("B"), figures("C")], rows),)), 50)
    assert [line.split() for line in told.splitlines()[2:]] == [["all", "together"], sizes, [rows[1][0]], sizes]


def everything() -> Document:
    """A document with every element and every kind of cell."""
    cells: list[list[Cell]] = [
        ["a", Amount(D("1.5"), "USD")], [Phrase("b", Tone.BAD), Between(D(1), None, D(2))], [NOTHING, Kilograms(D(3))],
        [date(2027, 1, 1), Share(D("0.5"))], ["c", Count(2, "offer")],
    ]  # fmt: skip
    return Document(
        "All",
        (
            sentence("It is ", Phrase("optimal", Tone.GOOD, strong=True), ": see ", Phrase("friendshore verify", code=True)),
            section("Figures", table([Column("Name"), figures("Figure", "USD")], [*cells, DataRow(("sum", "5"), strong=True, level=1)]),
                    notes(["first", Quoted("in\ntwo lines")], Tone.DOUBTFUL)),
            apart(Verbatim(("as it", "  stands")), Pairs((("name", "text"),))),
        ),
    )  # fmt: skip


def test_a_document_is_json() -> None:
    """Every element, phrase and figure says what it is, and numbers are numbers."""
    data = everything().to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["is"] == "document"
    assert [part["is"] for part in data["parts"]] == ["sentence", "section", "section"]
    rows = data["parts"][1]["parts"][0]["rows"]
    assert rows[0]["cells"] == ["a", {"is": "amount", "value": 1.5, "currency": "USD"}]
    assert [row["cells"][1].get("is") for row in rows[1:5]] == ["between", "kilograms", "share", "count"]
    assert rows[3]["cells"][0] == {"is": "date", "value": "2027-01-01"}
    assert rows[5] == {"is": "datarow", "cells": ["sum", "5"], "strong": True, "level": 1}


def test_a_terminal_shows_every_element() -> None:
    """Titles set apart, notes as a list, lines as they are."""
    assert plain_text(everything(), 60).splitlines() == [
        "It is optimal: see `friendshore verify`", "", "Figures", "Name          Figure, USD", "─────────────────────────",
        "a                 USD 1.5", "b           1, not proved", "–                    3 kg", "2027-01-01           50 %",
        "c                2 offers", "  sum                   5", "· first", "· in", "  two lines", "", "as it", "  stands", "name  text",
    ]  # fmt: skip


def test_markdown_shows_every_element() -> None:
    """Headings by depth, lists, tables whose figures stand right, lines as they are; a name is no markup."""
    assert markdown(everything()).splitlines() == [
        "# All", "", "It is **optimal**: see `friendshore verify`", "", "## Figures", "", "| Name | Figure, USD |", "| --- | ---: |",
        "| a | USD 1.5 |", "| b | 1, not proved |", "| – | 3 kg |", "| 2027-01-01 | 50 % |", "| c | 2 offers |", "| **sum** | **5** |", "",
        "- first", "- in two lines", "", "    as it", "      stands", "", "- name: text",
    ]  # fmt: skip


def test_markdown_of_a_long_plan_is_by_years() -> None:
    """As on a line that is wide enough."""
    assert "| Material | Short 2027 | 2028 | What for |" in markdown(quarters(8))
    assert "| tin | 2.4 t | 2.4 t | all |" in markdown(quarters(8))


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ("barred by `ban`: x", ("barred by ", Phrase("ban", code=True), ": x")),
        ("`a` and `b`", (Phrase("a", code=True), " and ", Phrase("b", code=True))),
        ("a ` alone", ("a ` alone",)),
        ("``", ()),
        ("", ()),
    ],
)
def test_what_stands_between_backticks_is_typed(told: str, parts: tuple[str | Phrase, ...]) -> None:
    """In pairs; a sign that is left over is what somebody wrote."""
    assert prose(told) == parts


@pytest.mark.parametrize("name", ["| x |", "<b>", "[a](http://b.example)", "`x`", "**x**", "1. x"])
def test_no_name_is_markup(name: str) -> None:
    """Wherever it stands in a document."""
    told = document(
        name,
        sentence(Phrase(name, strong=True)),
        section(name, notes([name]), table([Column(name)], [[name]])),
        Pairs(((name, name),)),
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(told))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
    assert [token.type for token in tokens].count("td_open") == 1


def test_where_nothing_is_drawn_a_chart_is_its_table_and_key_figures_are_names_with_figures() -> None:
    """Nothing that a chart shows is lost on a terminal or in Markdown."""
    bars = Bars(("2027",), (Series("Acme", (D(5),)),), "kg")
    shown = document(
        "Mix",
        KeyFigures((KeyFigure("spent", Amount(D(1200), "USD"), "of which 3 % freight"),)),
        Drawing(
            "Mix", "Acme supplies all of it.", bars, table([Column("supplier"), figures("2027", "kg")], [["Acme", "5"]])
        ),
    )
    assert plain_text(shown, 80).split("\n") == [
        "spent  USD 1,200, of which 3 % freight",
        "supplier  2027, kg",
        "──────────────────",
        "Acme             5",
    ]
    tokens = [token.content for token in MarkdownIt().enable("table").parse(markdown(shown)) if token.type == "inline"]
    assert tokens == ["Mix", "spent: USD 1,200, of which 3 % freight", "supplier", "2027, kg", "Acme", "5"]
    assert json.loads(json.dumps(shown.to_dict()))["parts"][1]["chart"]["series"][0]["name"] == "Acme"


# -------------------------------------------------------------------------------------------------------------- excerpts


def rows(name: str, count: int, part: int) -> DataTable:
    """So many rows, shortened with as many words."""
    columns = [Column(name), Column("Where", from_width=60), Column("Who")]
    made = [[f"{name}-{i}", "somewhere-far-away", Several(("alpha", "beta", "gamma"))] for i in range(count)]
    rests = [Several((f"{count - shown} more of {name}",)) if shown < count else NOTHING for shown in range(count + 1)]
    return excerpt(columns, made, rests, part)


def lines(document: Document, width: int, most: int | None) -> list[str]:
    """The document as it stands on a terminal."""
    return plain_text(document, width, most=most).splitlines()


def test_rows_are_left_out_by_the_part_of_the_room_that_a_table_has() -> None:
    """Two heads, two lines on what is left out, and six rows, twice as many of the one that has twice the part."""
    told = lines(Document("", (rows("ab", 30, 2), rows("cd", 30, 1))), 80, 10)
    assert len(told) == 10
    assert [sum(line.startswith(name) for line in told) for name in ("ab-", "cd-")] == [4, 2]
    assert told[5] == "26 more of ab"
    assert told[9] == "28 more of cd"


def test_what_fits_is_told_whole() -> None:
    """Nothing is left out, and nothing said of it, where there is room; without a limit, there is room."""
    document = Document("", (rows("ab", 5, 1),))
    assert lines(document, 80, 6) == lines(document, 80, None)
    assert len(lines(document, 80, 6)) == 6


def test_nothing_but_rows_is_left_out() -> None:
    """Sentences stay, and one row of each table, though they take more than the lines there are."""
    told = lines(Document("", (sentence("first"), rows("ab", 5, 1), sentence("last"))), 80, 2)
    assert told == [
        "first",
        "ab    Where               Who",
        "ab-0  somewhere-far-away  alpha, beta, gamma",
        "4 more of ab",
        "last",
    ]


def test_the_first_section_stays_and_tables_go_with_their_heading() -> None:
    """Of sections without excerpts the last go first, with the tables set apart under them; what is said apart stays, and the first section always."""
    long = table([Column("Name")], [[f"row-{number}"] for number in range(50)])
    parts = (
        sentence("answer"),
        *(part for name in "abc" for part in (section(name, long), apart(long))),
        apart(sentence("last")),
    )
    told = lines(Document("", parts), 80, 30)
    assert len(told) == 30
    assert [line for line in told if line in tuple("abc")] == ["a"]
    assert told[0] == "answer"
    assert told[-2:] == ["last", "2 more sections (--full): b; c"]
    assert (
        sum(line.startswith("row-") for line in told)
        + sum(int(line.split()[0]) for line in told if line.endswith("more (--full)"))
        == 100
    )
    assert lines(Document("", (sentence("answer"), section("a", long))), 80, 3)[-1] == "49 more (--full)"


def test_columns_for_which_there_is_no_room_are_left_out_whole() -> None:
    """On a line that is narrower than they ask for, and on a wide one that other columns fill."""
    assert "Where" in lines(Document("", (rows("ab", 1, 1),)), 60, 9)[0]
    assert "Where" not in lines(Document("", (rows("ab", 1, 1),)), 59, 9)[0]
    long = rows("ab" * 20, 1, 1)
    told = lines(Document("", (long,)), 70, 9)
    assert "Where" not in told[0]
    assert "alpha, beta, gamma" in told[1]


def test_a_page_has_all_rows_and_what_stands_for_those_that_are_not_there() -> None:
    """Markdown has no screen; a table that was made of the first rows alone still says so."""
    whole = rows("ab", 3, 1)
    assert "more of ab" not in markdown(Document("x", (whole,)))
    cut = DataTable(whole.columns, whole.rows[:2], whole.excerpt)
    assert "1 more of ab" in markdown(Document("x", (cut,)))
    assert "alpha, beta, gamma" in markdown(Document("x", (cut,)))


def test_a_list_says_how_many_more_there_are() -> None:
    """As many as fit, told shorter where more of them fit so, and at length from the first on where there is room left."""
    found = Several(
        ("first-offer 50 % at 12", "second-offer 30 % at 9", "third 20 %"),
        ("first-offer 50 %", "second-offer 30 %", "third 20 %"),
    )
    assert listed(found, 100) == "first-offer 50 % at 12, second-offer 30 % at 9, third 20 %"
    assert listed(found, 55) == "first-offer 50 % at 12, second-offer 30 %, third 20 %"
    assert listed(found, 43) == "first-offer 50 %, second-offer 30 %, 1 more"
    assert listed(found, 30) == "first-offer 50 % at 12, 2 more"
    assert listed(found, 24) == "first-offer 50 %, 2 more"


def test_what_has_no_room_at_all_is_counted_or_cut_between_words() -> None:
    """Things with a name of their kind are counted; a sentence ends after a word."""
    assert listed(Several(("a-long-offer 100 %", "b"), one="offer"), 10) == "2 offers"
    assert listed(Several(("barred: some-long-rule", "b")), 23) == "barred: …, 1 more", "not at a hyphen"
    assert listed(Several(()), 5) == ""


@given(st.lists(st.text("abc-", min_size=1, max_size=12), min_size=1, max_size=9), st.integers(12, 80))
def test_a_list_holds_its_first_things_whole_and_counts_the_others(items: list[str], room: int) -> None:
    """What is told and what is counted are all there are, and no thing is broken."""
    told = listed(Several(tuple(items), one="thing"), room)
    assert len(told) <= room
    if told == f"{len(items)} things" or told == "1 thing":
        return
    *named, last = told.split(", ")
    more = re.fullmatch(r"(\d+) more", last)
    named = named if more else [*named, last]
    assert named == items[: len(named)]
    assert len(named) + (int(more[1]) if more else 0) == len(items)


# --------------------------------------------------------------------------------------------------------------- wording


@pytest.mark.parametrize(
    ("share", "text"), [("0.5", "50 %"), ("2.5", "250 %"), ("937.25", "937 times"), ("-150", "-150 times")]
)
def test_a_share_that_no_percentage_tells_is_a_multiple(share: str, text: str) -> None:
    """93,725 % says nothing to anybody."""
    assert percent(Decimal(share)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("186.633039092055", "186.6"),
        ("1234567.891", "1,234,568"),
        ("0.0091234", "0.009123"),
        ("2.50", "2.5"),
        ("0", "0"),
    ],
)
def test_a_figure_in_a_message_has_the_digits_that_say_something(amount: str, text: str) -> None:
    """Not all fifteen that a conversion leaves."""
    assert readable(Decimal(amount)) == text


def test_an_assumed_price_is_told_rounded() -> None:
    """A price that was converted from another unit."""
    facts = catalog(source("CN", price(186.633039092055, source=GUESS)))
    found = planned(case(demand("metal", "civil", 5)), facts)
    assert told(found, "cn-metal").startswith("price 186.6 USD/kg is assumed")


@pytest.mark.parametrize("width", [80, 100])
def test_a_name_is_broken_only_where_the_table_does_not_fit_else(width: int) -> None:
    """Sentences are broken before names: `ndfeb-block-stockpile` stays whole beside a long text."""
    rows = [
        ["ndfeb-block-stockpile", "lynas-new-heavy-oxides", "a sentence of many words that may be broken anywhere", "1"]
    ]
    made = table([Column("Demand"), Column("Offer"), Column("Why"), figures("kg")], rows)
    shown = plain_text(document("", made), width)
    assert "ndfeb-block-stockpile" in shown
    assert "lynas-new-heavy-oxides" in shown
    assert max(map(len, shown.splitlines())) <= width


def test_a_budget_over_all_materials_says_so() -> None:
    """Not that each of them may cost so much."""
    sentence = rule(Budget, amount=60000000).sentence()
    assert (
        sentence
        == "No more than 60,000,000, in the case's currency, may be spent in all, holding included, in any year."
    )
    assert "on metal in any year" in rule(Budget, amount=5, materials=["metal"]).sentence()


def test_a_case_is_no_run_and_a_run_no_case(tmp_path: Path) -> None:
    """Each is told what it is and what to do, in the place of a list of files that are not there."""
    (tmp_path / "case.toml").write_text("schema = 1\n", encoding="utf-8")
    for path in (tmp_path, tmp_path / "case.toml"):
        (problem,) = refused(read_run, path)
        assert problem.message == "this is a case, and not yet a run of it"
        assert "--out" in problem.fix
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}", encoding="utf-8")
    assert refused(load_case, run)[0].message == "this is a run, made by `plan --out`, and no case"


# ------------------------------------------------------------------------------------------------------------- workbooks


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


def cell_rows(sheet: Any) -> list[list[Any]]:
    """Values of the rows that hold something."""
    lines = ([cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows())
    return [line for line in lines if line]


def test_there_is_a_sheet_for_each_section(book: Any) -> None:
    """Named as far as a sheet may be named so; what is said first stands on the first."""
    assert book.sheetnames == ["Summary", "Who  a b", "Who  a b 2", "Chart data"]
    assert cell_rows(book["Summary"]) == [["sample"], ["Said first."]]
    assert cell_rows(book["Who  a b 2"]) == [["Who: a/b?"], ["+a note"], ["another"], ["one", "-two"]]


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
    assert cell_rows(sheet) == [["x"], ["barred by ban"], ["Offer"], ["a`b`"]]


def test_bars_and_ladders_are_native_charts(book: Any) -> None:
    """Bars are stacked, what they are held against is a line; a ladder is a bar for each price; their figures stand in a sheet of their own."""
    mix, prices = book["Who  a b"]._charts
    assert (mix.grouping, prices.barDir) == ("stacked", "bar")
    data = cell_rows(book["Chart data"])
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
