"""Documents as pages: what stands in them, that no name does anything, and that the policy of a page allows it alone."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from tests.html_pages import Node, page, read

from friendshore.document.charts import Bars, Series
from friendshore.document.elements import (
    NOTHING,
    Amount,
    Between,
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
    section,
    sentence,
    table,
)
from friendshore_pages.html import Working, html
from friendshore_pages.html.tables import value

D = Decimal


def bars(title: str = "Mix over time") -> Drawing:
    """A chart of two bars."""
    shown = table([Column("Year"), figures("tin", "t")], [["2027", "1"], ["2028", "2"]])
    return Drawing(title, "More in 2028.", Bars(("2027", "2028"), (Series("tin", (D(1), D(2))),), "t"), shown)


def everything() -> Document:
    """A document with every element but charts, and every kind of cell."""
    rows = [
        DataRow(("a", Amount(D("1234.5"), "USD"))), DataRow((Phrase("b", Tone.BAD), Between(D(1), None, D(2)))),
        DataRow((NOTHING, Kilograms(D(3)))), DataRow((date(2027, 1, 1), Share(D("0.5")))), DataRow(("c", Count(2, "offer"))),
        DataRow(("", "more of c")), DataRow(("part", "1"), level=1), DataRow(("sum", "5"), strong=True),
    ]  # fmt: skip
    return Document(
        "All",
        (
            sentence("It is ", Phrase("optimal", Tone.GOOD, strong=True), ": see ", Phrase("friendshore verify", code=True)),
            KeyFigures((KeyFigure("Cost", Amount(D(12), "USD"), "of which 3 % freight", Tone.GOOD),)),
            section("Figures", table([Column("Name"), figures("Figure", "USD")], rows), notes(["first", Quoted("in\ntwo lines")], Tone.DOUBTFUL),
                    section("Figures", sentence("below")), section("Empty", section("Empty too"))),
            apart(Verbatim(("as it", "  stands")), Pairs((("name", "text"),))),
        ),
    )  # fmt: skip


def test_a_page_says_what_the_document_says() -> None:
    """Title, sentences with their looks, key figures, notes, lines as they are, pairs."""
    root = read(everything())
    assert root.one("title").text == root.one("h1").text == "All"
    main = root.one("main")
    first = main.all("p")[0]
    assert first.text == "It is optimal: see friendshore verify"
    assert [(first.one(name).text, first.one(name).attributes) for name in ("strong", "code")] == [
        ("optimal", {"class": "good"}),
        ("friendshore verify", {}),
    ]
    assert [(node.name, node.text) for node in main.walk() if node.name in ("dt", "dd")] == [
        ("dt", "Cost"), ("dd", "USD 12"), ("dd", "of which 3 % freight"), ("dt", "name"), ("dd", "text"),
    ]  # fmt: skip
    assert [node.text for node in main.all("li")] == ["first", "in\ntwo lines"]
    assert main.one("ul").attributes["class"] == "notes doubtful"
    assert main.one("pre").text == "as it\n  stands"


def test_a_small_page_is_as_it_was() -> None:
    """Every tag of it, but style and script. If it is meant to change, look at the difference, and write what the page is now into the file."""
    found = html(everything())
    for name in ("style", "script"):
        found = re.sub(rf"<{name}>.*?</{name}>", f"<{name}></{name}>", found, flags=re.DOTALL)
    found = re.sub(r"sha256-[^&]+", "sha256-", found)
    assert found == (Path(__file__).with_name("page.html")).read_text(encoding="utf-8")


def test_a_table_has_scopes_and_the_values_that_it_is_sorted_by() -> None:
    """Headings and names of rows say what they head; a figure is kept in full beside how it is written; what is left out as the same is there unseen."""
    found = read(everything()).one("table")
    assert found.one("caption").text == "Figures"
    assert [(node.text, node.attributes["scope"]) for node in found.one("thead").all("th")] == [
        ("Name", "col"),
        ("Figure, USD", "col"),
    ]
    body = found.one("tbody")
    assert {node.attributes["scope"] for node in body.all("th")} == {"row"}
    shown = [
        [(cell.text, cell.attributes.get("data-v")) for cell in row.inside if isinstance(cell, Node)]
        for row in body.all("tr")
    ]
    assert shown == [
        [("a", None), ("USD 1,234", "1234.5")], [("b", None), ("1, not proved", "1")], [("–", ""), ("3 kg", "3")],
        [("2027-01-01", None), ("50 %", "0.5")], [("c", None), ("2 offers", "2")], [("c", None), ("more of c", None)],
        [("part", None), ("1", None)], [("sum", None), ("5", None)],
    ]  # fmt: skip
    assert [row.attributes.get("class") for row in body.all("tr")][5:] == [None, "in1", "strong"]


def test_a_figure_that_its_text_says_in_full_is_not_written_twice() -> None:
    """The script reads `1,234` as 1234. A figure that is rounded, or has a unit, is kept in full beside its text."""
    cells = Amount(D(1234)), Amount(D("1234.5")), Amount(D(1234), "USD"), Kilograms(D(3))
    assert [value(cell) for cell in cells] == [None, "1234.5", "1234", "3"]


def test_headings_are_in_order_and_listed() -> None:
    """No level is left out, no id is given twice, sections without anything have no heading, and the table of contents leads to each."""
    root = read(everything())
    levels = [int(node.name[1]) for node in root.walk() if re.fullmatch(r"h[1-6]", node.name)]
    assert levels == [1, 2, 2, 3]
    ids = [node.attributes["id"] for node in root.walk() if "id" in node.attributes]
    assert len(set(ids)) == len(ids)
    links = [(link.text, link.attributes["href"]) for link in root.one("nav").all("a")]
    assert links == [("Figures", "#figures"), ("Figures", "#figures-2")]
    assert {target.removeprefix("#") for _, target in links} <= set(ids)


def test_a_short_page_has_no_table_of_contents() -> None:
    """One section needs none."""
    assert page(section("Only", sentence("x"))).all("nav") == []


def test_the_policy_allows_the_page_alone() -> None:
    """Nothing is loaded; the one style sheet and the one script are allowed by what they hold; nothing else in the page is style or script."""
    root = read(everything())
    policy = next(node.attributes["content"] for node in root.all("meta") if "http-equiv" in node.attributes)
    said = dict(part.split(" ", 1) for part in policy.split("; "))
    assert said["default-src"] == "'none'"
    for name in ("style", "script"):
        held = sha256(root.one(name).text.encode()).digest()
        assert said[f"{name}-src"] == f"'sha256-{b64encode(held).decode()}'"
    attributes = {name for node in root.walk() for name in node.attributes}
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    assert {node.attributes["href"][0] for node in root.walk() if "href" in node.attributes} == {"#"}
    assert not {"src", "srcset", "action", "xlink:href"} & attributes


HOSTILE = (
    "<script>x</script>", "</script><script>x</script>", "</style>", "<!--", "]]>", "'\" onload='x' onerror=\"x", "&lt;", "&", "<img src=http://b.example>",
    "javascript:x", "\u202egnp", "\x1b[31mred", "a\nb", "{}", "{0}", "%s", "a" * 2000,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_does_anything(name: str) -> None:
    """Whatever is written in any place is shown as it was, signs that cannot be seen by their number, and makes no element and no attribute."""

    def made(of: str) -> Node:
        return read(Document(of, (
            sentence(of, Phrase(of, Tone.BAD), Phrase(of, code=True), Phrase(of, strong=True)),
            section(of, table([Column(of, of)], [[of], [Phrase(of)]]), notes([of, Quoted(of)]), Verbatim((of,)), Pairs(((of, of),)),
                    KeyFigures((KeyFigure(of, of, of),))),
            section(of, Drawing(of, of, Bars((of,), (Series(of, (D(1),)),), of, Series(of, (D(2),))), table([Column(of)], [[of]]))),
        )))  # fmt: skip

    hostile, tame = made(name), made("name")
    looks = {"table": {"class"}}  # whether names in a column may be broken
    assert [(node.name, sorted(set(node.attributes) - looks.get(node.name, set()))) for node in hostile.walk()] == [
        (node.name, sorted(set(node.attributes) - looks.get(node.name, set()))) for node in tame.walk()
    ]
    assert hostile.one("h1").text in (name, name.replace("\u202e", "\\u202e"), name.replace("\x1b", "\\x1b"), "a\\nb")


def test_what_stands_between_backticks_is_code() -> None:
    """In sentences, notes and cells, as on a terminal; what it holds stays text; a single backtick is one."""
    root = page(sentence("ask `--full`"), notes(["from `<b>` on", "a ` alone"]), table([Column("a")], [["`x y` z"]]))
    assert [node.text for node in root.all("code")] == ["--full", "<b>", "x y"]
    assert "a ` alone" in [node.text for node in root.all("li")]
    assert not root.all("b")


def test_a_long_heading_is_listed_by_what_stands_before_its_colon() -> None:
    """The heading itself is whole, and what leads to it short."""
    root = page(
        section("antimony-metal: 11,840 t wanted, 1 % dearer", sentence("a")), section("tin: all", sentence("b"))
    )
    assert [node.text for node in root.one("nav").all("a")] == ["antimony-metal", "tin: all"]
    assert "antimony-metal: 11,840 t wanted, 1 % dearer" in [node.text for node in root.all("h2")]


def test_ids_are_not_broken_and_sentences_are() -> None:
    """A column of single words keeps each on its line, unless one is very long."""
    rows = [["us-4872-ndfeb-2027", "a sentence", "a" * 31], ["cn-46-1-us-military", "word", "b"]]
    assert page(table(map(Column, "abc"), rows)).one("table").attributes["class"] == "w1"
    told = page(
        sentence(
            "barred by ",
            Phrase("us-4872-ndfeb", code=True),
            " from 2027-01-01 on, hard- and software, 1,200.5 t, 3 tins, ",
            "a-" * 20,
        )
    )
    assert [node.text for node in told.all("i")] == ["us-4872-ndfeb", "2027-01-01", "1,200.5 t"]


@pytest.mark.parametrize(("letters", "whole"), [(7, 9), (13, 6), (29, 0)])
def test_ids_of_many_columns_are_not_broken_as_long_as_the_page_has_room(letters: int, whole: int) -> None:
    """Nine columns of ids, each in two halves: as many as fit stay on their line, from the left."""
    half = "a" * (letters // 2)
    row = [f"{half}-{half}"] * 9
    looks = page(table(map(Column, "abcdefghi"), [row])).one("table").attributes.get("class", "")
    assert looks == " ".join(f"w{place}" for place in range(1, whole + 1))


def test_a_chart_stands_beside_its_table() -> None:
    """With its title and what is to be seen in it."""
    figure = page(bars()).one("figure")
    assert figure.one("figcaption").text == "Mix over timeMore in 2028."
    assert [row.text for row in figure.one("table").one("tbody").all("tr")] == ["20271", "20282"]


def test_equal_documents_give_equal_bytes() -> None:
    """Whatever was written in between."""
    first = html(everything())
    html(Document("Other", (bars(),)))
    assert html(everything()) == first


def test_a_part_that_works_is_allowed_its_own_script_and_no_other() -> None:
    """The policy names the hash of every script and style; data that could end its element are refused."""
    working = Working(
        "Plan anew",
        "anew",
        "With scripts on, this plans.",
        "#anew{margin:0}",
        "void 0;",
        {"numbers": "MTIz"},
        solves=True,
    )
    made = html(document("A plan"), working)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)
    for held in ("void 0;", "#anew{margin:0}"):
        assert b64encode(sha256(held.encode()).digest()).decode() in policy[1]
    assert "worker-src blob:" in policy[1]
    assert "worker-src" not in html(document("A plan"))
    assert '<script id="numbers" type="text/plain">MTIz</script>' in made
    with pytest.raises(ValueError, match="could end its element"):
        html(document("A plan"), replace(working, data={"numbers": "</script>"}))
