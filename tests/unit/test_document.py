"""Documents: typed cells written in one place, columns of periods that fit, and the same data as JSON."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from markdown_it import MarkdownIt

from friendshore.document.charts import Bars, Series
from friendshore.document.elements import (
    NOTHING,
    Amount,
    Between,
    Cell,
    Column,
    Count,
    DataRow,
    Document,
    Drawing,
    KeyFigure,
    KeyFigures,
    Kilograms,
    Pairs,
    Phrase,
    Quoted,
    Share,
    Tone,
    Verbatim,
    apart,
    document,
    figures,
    notes,
    prose,
    section,
    sentence,
    table,
)
from friendshore.document.figures import written
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text

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
