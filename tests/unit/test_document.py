"""Documents: cells, columns, and excerpts on a terminal, as Markdown, as JSON, and as workbooks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from friendshore.case import load_case
from friendshore.document import charts as c
from friendshore.document import elements as doc
from friendshore.document.excerpts import listed
from friendshore.document.figures import percent, written
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text
from friendshore.domain.quantities import readable
from friendshore.run import read_run
from friendshore_pages.workbook import workbook

from ..building import refused

D = Decimal


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("a name", "a name"), (doc.Phrase("a name", strong=True), "a name"), (doc.NOTHING, "–"), (date(2027, 1, 31), "2027-01-31"),
        (doc.Amount(D("1234.5")), "1,234"), (doc.Amount(D("2.924"), "USD"), "USD 2.92"), (doc.Amount(D(5), form="signed"), "+5"),
        (doc.Amount(D("-5"), form="signed"), "-5"), (doc.Amount(D("0.004"), form="signed"), "–"), (doc.Amount(D(12345), form="cents"), "+12,345.00"),
        (doc.Between(D(3), D(1), D(4)), "between 1 and 4, not proved"), (doc.Between(D(3), None, None), "3, not proved"),
        (doc.Kilograms(D(1500)), "1.5 t"), (doc.Kilograms(D(1500), "kg"), "1,500 kg"), (doc.Kilograms(D(1500), "t", bare=True), "1.5"),
        (doc.Kilograms(D(0)), "0 kg"), (doc.Kilograms(D(0), "t"), "–"), (doc.Kilograms(D(20), least=D("0.05")), "+20 kg"),
        (doc.Kilograms(D("-0.01"), least=D("0.05")), "–"), (doc.Kilograms(D(20), per="year"), "20 kg a year"),
        (doc.Share(D("0.25")), "25%"), (doc.Count(3), "3"), (doc.Count(1, "offer"), "1 offer"), (doc.Count(1200, "loss", "losses"), "1,200 losses"),
    ],
)  # fmt: skip
def test_a_cell_is_written_with_its_unit(cell: doc.Cell, text: str) -> None:
    """Each kind of figure as a planner reads it."""
    assert written(cell) == text


def quarters(count: int) -> doc.Document:
    """A table of so many quarters, 600 kg in each."""
    labels = [(f"{2027 + i // 4}-Q{i % 4 + 1}", str(2027 + i // 4)) for i in range(count)]
    periods = [doc.Column(label, align="right", whole=True, year=year, over="Short", room=9) for label, year in labels]
    cells = [doc.Kilograms(D(600), "t") for _ in labels]
    columns = [doc.Column("Material"), *periods, doc.Column("What for", from_width=60)]
    return doc.Document("Quarters", (doc.table(columns, [["tin", *cells, "all"]]),))


@pytest.mark.parametrize(
    ("count", "width", "words", "sums"),
    [
        (3, 100, "Material Short 2027-Q1 2027-Q2 2027-Q3 What for", ["0.6 t"] * 3),
        (8, 100, "Material Short 2027 2028 What for", ["2.4 t"] * 2),
        (16, 36, "Material Short 2027 2028 2029–30", ["2.4 t", "2.4 t", "4.8 t"]),
    ],
)
def test_columns_of_periods_are_added_up_where_there_is_no_room(
    count: int, width: int, words: str, sums: list[str]
) -> None:
    """Few periods stand one by one, many by years, and the last years together on a narrow line; kilograms are added up."""
    shown = plain_text(quarters(count), width)
    assert shown.splitlines()[0].split() == words.split()
    assert re.findall(r"[\d.]+ t\b", shown) == sums
    if count == 8:  # Markdown is as a line that is wide enough.
        assert "| Material | Short 2027 | 2028 | What for |" in markdown(quarters(count))


def test_what_only_a_wide_line_has_is_left_out_of_a_narrow_one() -> None:
    """Columns and phrases say so themselves."""
    assert "What for" not in plain_text(quarters(3), 59)
    told = doc.Document(
        "", (doc.table([doc.Column("Chain")], [[doc.Phrase("mined AU → refined MY", brief="AU → MY")]]),)
    )
    assert "AU → MY" in plain_text(told, 100)
    assert "mined AU → refined MY" in plain_text(told, 110)


@pytest.mark.parametrize(
    ("name", "sizes", "above"),
    [("tin", ["1,234,567.89", "890,123.45", "67,890.12"], False), ("all together", ["1,234,567.89", "890,123,000.45", "67,890,000.12"], True)],
)  # fmt: skip
def test_a_name_that_a_column_has_no_room_for_stands_above_its_row(name: str, sizes: list[str], above: bool) -> None:
    """Whole, so that it can be typed; a name that has room stands beside its figures, none of which is cut for the sake of a name."""
    columns = [doc.Column("Item"), doc.figures("A"), doc.figures("B"), doc.figures("C")]
    made = doc.table(columns, [[name, *sizes], ["us-301-tungsten-minerals", *sizes]])
    shown = plain_text(doc.Document("", (made,)), 50).splitlines()[1:]
    first = [name.split(), sizes] if above else [[name, *sizes]]
    assert [line.split() for line in shown] == [*first, ["us-301-tungsten-minerals"], sizes]
    assert [shown[-3].index(size) for size in sizes] == [shown[-1].index(size) for size in sizes]


def everything() -> doc.Document:
    """A document with every element and every kind of cell."""
    cells: list[list[doc.Cell]] = [
        ["a", doc.Amount(D("1.5"), "USD")], [doc.Phrase("b", doc.Tone.BAD), doc.Between(D(1), None, D(2))], [doc.NOTHING, doc.Kilograms(D(3))],
        [date(2027, 1, 1), doc.Share(D("0.5"))], ["c", doc.Count(2, "offer")],
    ]  # fmt: skip
    return doc.Document(
        "All",
        (
            doc.sentence("It is ", doc.Phrase("optimal", doc.Tone.GOOD, strong=True), ": see ", doc.Phrase("friendshore verify", code=True)),
            doc.section("Figures", doc.table([doc.Column("Name"), doc.figures("Figure", "USD")], [*cells, doc.DataRow(("sum", "5"), strong=True, level=1)]),
                    doc.notes(["first", doc.Quoted("in\ntwo lines")], doc.Tone.DOUBTFUL)),
            doc.apart(doc.Verbatim(("as it", "  stands")), doc.Pairs((("name", "text"),))),
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
        "It is optimal: see friendshore verify", "", "Figures", "Name          Figure, USD",
        "a                 USD 1.5", "b           1, not proved", "–                    3 kg", "2027-01-01            50%",
        "c                2 offers", "  sum                   5", "! first", "· in two lines", "", "as it", "  stands", "name  text",
    ]  # fmt: skip


def test_markdown_shows_every_element() -> None:
    """Headings by depth, lists, tables whose figures stand right, lines as they are; a name is no markup."""
    assert markdown(everything()).splitlines() == [
        "# All", "", "It is **optimal**: see `friendshore verify`", "", "## Figures", "", "| Name | Figure, USD |", "| --- | ---: |",
        "| a | USD 1.5 |", "| b | 1, not proved |", "| – | 3 kg |", "| 2027-01-01 | 50% |", "| c | 2 offers |", "| **sum** | **5** |", "",
        "- first", "- in two lines", "", "    as it", "      stands", "", "- name: text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ("barred by `ban`: x", ("barred by ", doc.Phrase("ban", code=True), ": x")),
        ("`a` and `b`", (doc.Phrase("a", code=True), " and ", doc.Phrase("b", code=True))),
        ("a ` alone", ("a ` alone",)),
        ("``", ()),
        ("", ()),
    ],
)
def test_what_stands_between_backticks_is_typed(told: str, parts: tuple[str | doc.Phrase, ...]) -> None:
    """In pairs; a sign that is left over is what somebody wrote."""
    assert doc.prose(told) == parts


@pytest.mark.parametrize("name", ["| x |", "<b>", "[a](http://b.example)", "`x`", "**x**", "1. x"])
def test_no_name_is_markup(name: str) -> None:
    """Wherever it stands in a document."""
    parts = doc.notes([name]), doc.table([doc.Column(name)], [[name]])
    first, pairs = doc.sentence(doc.Phrase(name, strong=True)), doc.Pairs(((name, name),))
    told = doc.document(name, first, doc.section(name, *parts), pairs)
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(told))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}
    assert [token.type for token in tokens].count("td_open") == 1


def test_where_nothing_is_drawn_a_chart_is_its_table_and_key_figures_are_names_with_figures() -> None:
    """Nothing that a chart shows is lost on a terminal or in Markdown."""
    bars = c.Bars(("2027",), (c.Series("Acme", (D(5),)),), "kg")
    supplies = doc.table([doc.Column("supplier"), doc.figures("2027", "kg")], [["Acme", "5"]])
    spent = doc.KeyFigure("spent", doc.Amount(D(1200), "USD"), "of which 3% freight")
    shown = doc.document(
        "Mix", doc.KeyFigures((spent,)), doc.Drawing("Mix", "Acme supplies all of it.", bars, supplies)
    )
    first, *rest = plain_text(shown, 80).split("\n")
    assert first == "spent  USD 1,200, of which 3% freight"
    assert rest == ["supplier  2027, kg", "Acme             5"]
    tokens = [token.content for token in MarkdownIt().enable("table").parse(markdown(shown)) if token.type == "inline"]
    assert tokens == ["Mix", "spent: USD 1,200, of which 3% freight", "supplier", "2027, kg", "Acme", "5"]
    assert json.loads(json.dumps(shown.to_dict()))["parts"][1]["chart"]["series"][0]["name"] == "Acme"


def rows(name: str, count: int, part: int) -> doc.DataTable:
    """So many rows, shortened with as many words."""
    columns = [doc.Column(name), doc.Column("Where", from_width=60), doc.Column("Who")]
    made = [[f"{name}-{i}", "somewhere-far-away", doc.Several(("alpha", "beta", "gamma"))] for i in range(count)]
    rests = [
        doc.Several((f"{count - shown} more of {name}",)) if shown < count else doc.NOTHING
        for shown in range(count + 1)
    ]
    return doc.excerpt(columns, made, rests, part)


def lines(document: doc.Document, width: int, most: int | None) -> list[str]:
    """The document as it stands on a terminal."""
    return plain_text(document, width, max_lines=most).splitlines()


def test_rows_are_left_out_by_the_part_of_the_room_that_a_table_has() -> None:
    """Two heads, two lines on what is left out, and six rows, twice as many of the one that has twice the part. What fits is told whole."""
    told = lines(doc.Document("", (rows("ab", 30, 2), rows("cd", 30, 1))), 80, 10)
    assert len(told) == 10
    assert [sum(line.startswith(name) for line in told) for name in ("ab-", "cd-")] == [4, 2]
    assert (told[5], told[9]) == ("26 more of ab", "28 more of cd")
    whole = doc.Document("", (rows("ab", 5, 1),)).on_screen()
    assert lines(whole, 80, 6) == lines(whole, 80, None)
    assert len(lines(whole, 80, 6)) == 6


def test_the_first_section_stays_and_tables_go_with_their_heading() -> None:
    """Of sections without excerpts the last go first, with the tables set apart under them; what is said apart stays, and the first section always."""
    long = doc.table([doc.Column("Name")], [[f"row-{number}"] for number in range(50)])
    sections = [part for name in "abc" for part in (doc.section(name, long), doc.apart(long))]
    whole = doc.Document("", (doc.sentence("answer"), *sections, doc.apart(doc.sentence("last"))))
    told = lines(whole, 80, 30)
    assert len(told) == 30
    assert [line for line in told if line in tuple("abc")] == ["a"]
    assert [told[0], *told[-2:]] == ["answer", "last", "2 more sections (--full): b; c"]
    counted = [int(line.split()[0]) for line in told if line.endswith("more (--full)")]
    assert sum(line.startswith("row-") for line in told) + sum(counted) == 100
    short = doc.Document("", (doc.sentence("answer"), doc.section("a", long)))
    assert lines(short, 80, 3)[-1] == "49 more (--full)"


@pytest.mark.parametrize(("name", "width", "has"), [("ab", 60, True), ("ab", 59, False), ("ab" * 20, 68, False)])
def test_columns_for_which_there_is_no_room_are_left_out_whole(name: str, width: int, has: bool) -> None:
    """On a line that is narrower than they ask for, and on a wide one that other columns fill."""
    head, row = lines(doc.Document("", (rows(name, 1, 1),)), width, 9)
    assert ("Where" in head, "alpha, beta, gamma" in row) == (has, True)


def test_a_page_has_all_rows_and_what_stands_for_those_that_are_not_there() -> None:
    """Markdown has no screen; a table that was made of the first rows alone still says so."""
    whole = rows("ab", 3, 1)
    cut = doc.DataTable(whole.columns, whole.rows[:2], whole.excerpt)
    assert ["1 more of ab" in markdown(doc.Document("x", (one,), "screen")) for one in (whole, cut)] == [False, True]


def two_forms() -> doc.Document:
    """A document whose screen and whole form differ in every way that they may."""
    columns = [doc.Column("Offer"), doc.figures("Kilograms", from_width=200), doc.Column("Why", on="whole")]
    names = [doc.Several(("a", "b", "c"), named=2), doc.Either("second offer", "second"), "third offer"]
    made: list[doc.DataRow] = [doc.DataRow((name, doc.Kilograms(D(5)), "law"), level=1) for name in names]
    made.append(doc.DataRow(("sum", doc.Kilograms(D(15)), ""), strong=True, on="whole"))
    rests = [*(doc.Several((f"{left} more",)) for left in (3, 2, 1)), doc.NOTHING]
    table = doc.excerpt(columns, made, rests, 1, top=2, left="2 more rows")
    return doc.document(
        "Offers",
        doc.for_screen(doc.sentence("three offers")),
        doc.for_whole(doc.sentence("three offers, at length")),
        doc.section("Offers that count", table, doc.for_whole(doc.notes(["a note"])), column="Offer that counts"),
        doc.section("Nothing of the screen", doc.for_whole(doc.sentence("only here"))),
    )


def test_a_screen_and_the_whole_document_are_forms_of_one() -> None:
    """Each has its parts, columns, rows, and cells; a screen names a section in the first heading of its table, and no empty section is left."""
    assert plain_text(two_forms(), 80, max_lines=40).splitlines() == [
        "three offers", "", "Offer that counts", "a, b, c", "second", "third offer",
    ]  # fmt: skip
    assert plain_text(two_forms(), 80).splitlines() == [
        "three offers, at length", "", "Offers that count", "Offer           Kilograms  Why",
        "  a, b, 1 more       5 kg  law", "  second offer       5 kg  law", "· 2 more rows", "· a note", "", "Nothing of the screen", "only here",
    ]  # fmt: skip
    assert plain_text(two_forms().on_screen().whole(), 80) == plain_text(two_forms().on_screen(), 80)
    assert "three offers, at length" in markdown(two_forms())
    assert not {"three offers", "second"} & set(markdown(two_forms()).splitlines())


LONG = ("first-offer 50% at 12", "second-offer 30% at 9", "third 20%")
BRIEF = ("first-offer 50%", "second-offer 30%", "third 20%")


@pytest.mark.parametrize(
    ("several", "room", "told"),
    [
        (doc.Several(LONG, BRIEF), 100, "first-offer 50% at 12, second-offer 30% at 9, third 20%"),
        (doc.Several(LONG, BRIEF), 52, "first-offer 50% at 12, second-offer 30%, third 20%"),
        (doc.Several(LONG, BRIEF), 43, "first-offer 50%, second-offer 30%, 1 more"),
        (doc.Several(LONG, BRIEF), 30, "first-offer 50% at 12, 2 more"),
        (doc.Several(LONG, BRIEF), 24, "first-offer 50%, 2 more"),
        # Things with a name of their kind are counted; a sentence ends after a word, not at a hyphen.
        (doc.Several(("a-long-offer 100%", "b"), one="offer"), 10, "2 offers"),
        (doc.Several(("barred: some-long-rule", "b")), 23, "barred: some-long-rule, 1 more"),
        (doc.Several(()), 5, ""),
    ],
)
def test_a_list_says_how_many_more_there_are(several: doc.Several, room: int, told: str) -> None:
    """As many as fit, told shorter where more of them fit so, and at length from the first on where there is room left."""
    assert listed(several, room) == told


@given(st.lists(st.text("abc-", min_size=1, max_size=12), min_size=1, max_size=9), st.integers(12, 80))
def test_a_list_holds_its_first_things_whole_and_counts_the_others(items: list[str], room: int) -> None:
    """What is told and what is counted are all there are, and no thing is broken."""
    told = listed(doc.Several(tuple(items), one="thing"), room)
    assert len(told) <= room
    if told == f"{len(items)} things" or told == "1 thing":
        return
    *named, last = told.split(", ")
    more = re.fullmatch(r"(\d+) more", last)
    named = named if more else [*named, last]
    assert named == items[: len(named)]
    assert len(named) + (int(more[1]) if more else 0) == len(items)


@pytest.mark.parametrize(
    ("write", "figure", "text"),
    [
        # 93,725% says nothing to anybody.
        (percent, "0.5", "50%"), (percent, "2.5", "250%"), (percent, "937.25", "937 times"), (percent, "-150", "-150 times"),
        # Nor do all fifteen digits that a conversion leaves.
        (readable, "186.633039092055", "186.6"), (readable, "1234567.891", "1,234,568"), (readable, "0.0091234", "0.009123"),
        (readable, "2.50", "2.5"), (readable, "0", "0"),
    ],
)  # fmt: skip
def test_a_figure_in_a_message_has_the_digits_that_say_something(
    write: Callable[[Decimal], str], figure: str, text: str
) -> None:
    """Shares as a multiple where no percentage tells them."""
    assert write(Decimal(figure)) == text


@pytest.mark.parametrize("width", [80, 100])
def test_a_name_is_broken_only_where_the_table_does_not_fit_else(width: int) -> None:
    """Sentences are broken before names: `ndfeb-block-stockpile` stays whole beside a long text."""
    names = ["ndfeb-block-stockpile", "lynas-new-heavy-oxides"]
    columns = [doc.Column("Demand"), doc.Column("Offer"), doc.Column("Why"), doc.figures("kg")]
    made = doc.table(columns, [[*names, "a sentence of many words that may be broken anywhere", "1"]])
    shown = plain_text(doc.document("", made), width)
    assert all(name in shown for name in names)
    assert max(map(len, shown.splitlines())) <= width


def test_a_case_is_no_run_and_a_run_no_case(tmp_path: Path) -> None:
    """Each is told what it is and what to do, in the place of a list of files that are not there."""
    (tmp_path / "case.toml").write_text("schema = 1\n", encoding="utf-8")
    for path in (tmp_path, tmp_path / "case.toml"):
        (problem,) = refused(read_run, path)
        assert problem.message == "is a case, not a run"
        assert "--out" in problem.fix
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}", encoding="utf-8")
    assert refused(load_case, tmp_path / "run")[0].code == "FS200"


TABLE = doc.table(
    [doc.Column("offer"), doc.figures("quantity"), doc.figures("cost", "USD"), doc.figures("share"), doc.Column("day")],
    [
        ["=1+1", doc.Kilograms(D("1234567.8"), "t"), doc.Amount(D("1234.5")), doc.Share(D("0.125")), date(2027, 1, 31)],
        ["http://x.example/", doc.Kilograms(D(5), "kg"), doc.Amount(D(-3), form="signed"), doc.NOTHING, "@SUM(A1)"],
    ],
)
BARS = c.Bars(
    ("2027", "2028"),
    (c.Series("=cmd", (D(1), D(2))), c.Series("b", (D(3), D(4)))),
    "t",
    line=c.Series("wanted", (D(5), D(6))),
)
LADDER = c.Ladder((c.Rung("now", D(10), "", target=D(8)), c.Rung("none", None, "no price")), "USD/kg")
SAMPLE = doc.document(
    "sample",
    doc.sentence("Said first."),
    doc.section(
        "Who: a/b?", TABLE, doc.Drawing("=Mix", "Two years.", BARS, TABLE), doc.Drawing("Prices", "", LADDER, TABLE)
    ),
    doc.section(
        "Who: a/b?",
        doc.notes(["+a note", "barred by `ban`"]),
        doc.Pairs((("one", "-two"),)),
        doc.table([doc.Column("Offer")], [["a`b`"]]),
    ),
)


def opened(document: doc.Document, name: str = "x.xlsx") -> Any:
    """A document as openpyxl opens it."""
    from openpyxl import load_workbook

    return load_workbook(BytesIO(workbook(document, name)))


@pytest.fixture(scope="module")
def book() -> Any:
    """The sample."""
    return opened(SAMPLE)


def cell_rows(sheet: Any) -> list[list[Any]]:
    """Values of the rows that hold something."""
    lines = ([cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows())
    return [line for line in lines if line]


def test_there_is_a_sheet_for_each_section(book: Any) -> None:
    """Named as far as a sheet may be named so; what is said first stands on the first. The same document gives the same bytes."""
    assert book.sheetnames == ["Summary", "Who  a b", "Who  a b 2", "Chart data"]
    assert cell_rows(book["Summary"]) == [["sample"], ["Said first."], ["Sheets"], ["Who  a b"], ["Who  a b 2"]]
    # Backticks of a sentence set nothing apart in a cell; those of a name in a table are the name's.
    notes = [["+a note"], ["barred by ban"], ["one", "-two"], ["Offer"], ["a`b`"]]
    assert cell_rows(book["Who  a b 2"]) == [["Who: a/b?"], *notes]
    assert workbook(SAMPLE, "x.xlsx") == workbook(SAMPLE, "y.xlsx")


FIGURE = doc.KeyFigures((doc.KeyFigure("Needs", doc.Count(1)),))
"""A summary, with which a document has a sheet for each section."""


def test_figures_are_numbers_with_their_unit_as_format(book: Any) -> None:
    """Masses in the unit that is told, shares in percent, days as days; what is nothing is blank."""
    head, first, second = list(book["Who  a b"].iter_rows(min_row=2, max_row=4))
    assert [cell.value for cell in head] == ["offer", "quantity", "cost, USD", "share", "day"]
    assert [cell.value for cell in first][:4] == ["=1+1", 1234.5678, 1234.5, 0.125]
    assert [cell.number_format for cell in first[1:]] == ['#,##0" t"_)', "#,##0_)", "0.0%_)", "yyyy-mm-dd"]
    assert first[4].value.date() == date(2027, 1, 31)
    assert (second[1].value, second[2].value, second[3].value) == (5, -3, None)
    assert second[2].number_format == "+#,##0.00_);-#,##0.00_)"


def test_no_text_is_a_formula_or_a_link() -> None:
    """Whatever it looks like, in cells, titles of charts and names of series. Only the list of sheets has links, each to a sheet."""
    with ZipFile(BytesIO(workbook(SAMPLE, "x.xlsx"))) as parts:
        xml = {name: parts.read(name).decode() for name in parts.namelist()}
    barred = {"xl/worksheets/": ("<f>",), "xl/charts/": ("<c:f>cmd", "<c:f>Mix")}
    for name, text in xml.items():
        found = (word for folder, words in barred.items() if name.startswith(folder) for word in words)
        assert not [word for word in ('TargetMode="External"', *found) if word in text], name
        targets = re.findall(r"<hyperlink [^>]*location=\"'([^\"]+)'!A1\"[^>]*/>", text)
        assert len(targets) == text.count("<hyperlink ")
        assert name.endswith("/sheet1.xml") or not targets


def test_bars_and_ladders_are_native_charts(book: Any) -> None:
    """Bars are stacked, what they are held against is a line; a ladder is a bar for each price; their figures stand in a sheet of their own."""
    mix, prices = book["Who  a b"]._charts
    assert (mix.grouping, prices.barDir) == ("stacked", "bar")
    data = cell_rows(book["Chart data"])
    assert data[:4] == [["=Mix"], ["t", "=cmd", "b", "wanted"], ["2027", 1, 3, 5], ["2028", 2, 4, 6]]
    assert data[4:] == [["Prices"], ["USD/kg", "Prices", "required"], ["now", 10, 8], ["none"]]


def test_charts_cover_nothing(book: Any) -> None:
    """A chart is at the right of its table, or below a wide one. Every row has an explicit height, since programs measure wrapped text differently."""
    sheet = book["Who  a b"]
    for chart in sheet._charts:
        top, bottom, left = chart.anchor._from.row, chart.anchor.to.row, chart.anchor._from.col
        covered = [cell.value for row in sheet.iter_rows(top + 1, bottom + 1, left + 1) for cell in row]
        assert not any(covered)
    assert all(sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1))
    columns = [doc.Column("x" * 20 + str(number)) for number in range(8)]
    wide = doc.table(columns, [["y" * 20] * 8] * 3)
    drawn = opened(doc.document("x", doc.section("a", doc.Drawing("b", "", BARS, wide))))["a"]
    (chart,) = drawn._charts
    assert (chart.anchor._from.col, chart.anchor._from.row > 5) == (0, True)


def test_every_table_has_a_filter_and_a_long_one_its_own_sheet() -> None:
    long = doc.table(TABLE.columns, [TABLE.rows[0].cells] * 20)
    found = opened(doc.document("x", FIGURE, doc.section("all", TABLE, doc.section("each", long))))
    assert [(sheet.title, sheet.freeze_panes) for sheet in found] == [("Summary", None), ("all", "A3"), ("each", "A3")]
    for name in ("all", "each"):
        (table,) = found[name].tables.values()
        assert table.autoFilter.ref == table.ref
    with_gaps = doc.table([doc.Column(""), doc.Column("a"), doc.Column("A")], [["1", "2", "3"]] * 2)
    head = next(opened(doc.document("x", FIGURE, doc.section("s", with_gaps)))["s"].iter_rows(min_row=2))
    assert [cell.value for cell in head] == ["–", "a", "A 2"]


def test_a_short_answer_without_a_summary_is_one_sheet() -> None:
    """A long one, or one with charts, has a sheet for each section."""
    sections = [doc.section("one", TABLE), doc.section("two", TABLE, doc.sentence("said"))]
    assert [sheet.title for sheet in opened(doc.document("x", *sections))] == ["Summary"]
    long = doc.section("three", doc.table(TABLE.columns, [TABLE.rows[0].cells] * 50))
    assert [sheet.title for sheet in opened(doc.document("x", *sections, long))] == ["Summary", "one", "two", "three"]
    drawn = doc.section("three", doc.Drawing("b", "", BARS, TABLE))
    assert "three" in [sheet.title for sheet in opened(doc.document("x", *sections, drawn))]


def test_a_rounded_text_is_its_number_and_a_count_keeps_its_noun() -> None:
    rounded = doc.Phrase("15.2 million", doc.Tone.ASIDE, value=D(15_171_636))
    table = doc.table(
        [doc.figures("a"), doc.figures("b"), doc.figures("c")],
        [[rounded, doc.Count(6, "demand"), doc.Share(D("0.00007"))]],
    )
    cells = next(opened(doc.document("x", table))["Summary"].iter_rows(min_row=3))
    assert [cell.value for cell in cells] == [15_171_636, 6, pytest.approx(0.00007)]
    assert [cell.number_format for cell in cells] == ["#,##0_)", '#,##0" demands"_)', "0.0000%_)"]


def test_a_curve_is_lines_over_its_measure() -> None:
    """The largest amount is at the left, and the first line is the total."""
    curve = c.Curve((D(10), D(0)), "cap", "USD", (c.Series("one", (D(3), D(1))), c.Series("two", (D(2), D(2)))), "USD")
    found = opened(doc.document("x", doc.section("a", doc.Drawing("b", "", curve, TABLE))))
    (drawn,) = found["a"]._charts
    assert drawn.x_axis.scaling.orientation == "maxMin"
    assert cell_rows(found["Chart data"])[2:4] == [[10, 5, 3, 2], [0, 3, 1, 2]]


def test_masses_of_a_column_are_in_one_unit() -> None:
    """500 kg below 2 t are half a tonne: who adds up the column adds tonnes."""
    table = doc.table([doc.figures("quantity")], [[doc.Kilograms(D(2000))], [doc.Kilograms(D(500))]])
    sheet = opened(doc.document("x", FIGURE, doc.section("a", table)))["a"]
    cells = [row[0] for row in sheet.iter_rows(min_row=3, max_row=4)]
    assert [(cell.value, cell.number_format[-4:]) for cell in cells] == [(2, 't"_)'), (0.5, 't"_)')]


def test_a_sheet_is_set_up_to_be_read_and_printed(book: Any) -> None:
    """Across, as wide as a page; the head of a sheet's one table stays; a long line of text is broken and not cut."""
    sheets = [sheet for sheet in book if sheet.title != "Chart data"]
    assert {(sheet.page_setup.orientation, sheet.page_setup.fitToWidth or 1) for sheet in sheets} == {("landscape", 1)}
    for sheet in sheets:  # one with charts is one page, so that none of them is cut
        height = sheet.page_setup.fitToHeight
        assert (1 if height is None else height) == int(bool(sheet._charts))
    said = doc.sentence("a long sentence " * 30)
    found = opened(doc.document("x", FIGURE, doc.section("one", said, TABLE), doc.section("two", said)))
    assert (found["one"].freeze_panes, found["one"].print_title_rows) == ("A5", "$4:$4")
    assert found["one"].merged_cells.ranges
    for name in ("one", "two"):
        assert found[name]["A2"].alignment.wrap_text
        assert found[name].row_dimensions[2].height > 30
    assert book["Who  a b"].freeze_panes is None
    drawn = opened(doc.document("x", doc.section("a", doc.Drawing("b", "", BARS, TABLE))))["a"]
    assert (drawn.freeze_panes, bool(drawn.print_title_rows)) == ("A5", True)
