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
    Verbatim,
    apart,
    document,
    figures,
    notes,
    section,
    sentence,
    table,
)
from friendshore.document.tones import Tone
from friendshore_pages.html import InteractivePart, html
from friendshore_pages.html.markup import sort_value

D = Decimal


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
            KeyFigures((KeyFigure("Cost", Amount(D(12), "USD"), "of which 3% freight", Tone.GOOD),)),
            section("Figures", table([Column("Name"), figures("Figure", "USD")], rows), notes(["first", Quoted("in\ntwo lines")], Tone.DOUBTFUL),
                    section("Figures", sentence("below")), section("Empty", section("Empty too"))),
            apart(Verbatim(("as it", "  stands")), Pairs((("name", "text"),))),
        ),
    )  # fmt: skip


def test_a_small_page_is_as_it_was() -> None:
    """Every tag of it, but style and script. If it is meant to change, look at the difference, and write what the page is now into the file."""
    found = html(everything())
    for name in ("style", "script"):
        found = re.sub(rf"<{name}>.*?</{name}>", f"<{name}></{name}>", found, flags=re.DOTALL)
    found = re.sub(r"sha256-[^&]+", "sha256-", found)
    assert found == (Path(__file__).with_name("page.html")).read_text(encoding="utf-8")


def test_a_figure_that_its_text_says_in_full_is_not_written_twice() -> None:
    """The script reads `1,234` as 1234. A figure that is rounded, or has a unit, is kept in full beside its text."""
    cells = Amount(D(1234)), Amount(D("1234.5")), Amount(D(1234), "USD"), Kilograms(D(3))
    assert [sort_value(cell) for cell in cells] == [None, "1234.5", "1234", "3"]


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

    def shape(root: Node) -> list[tuple[str, set[str]]]:
        # Whether names in a column may be broken is the class of a table.
        return [(one.name, set(one.attributes) - {"class" * (one.name == "table")}) for one in root.walk()]

    hostile = made(name)
    assert shape(hostile) == shape(made("name"))
    assert hostile.one("h1").text in (name, name.replace("\u202e", "\\u202e"), name.replace("\x1b", "\\x1b"), "a\\nb")


def test_what_stands_between_backticks_is_code() -> None:
    """In sentences, notes and cells, as on a terminal; what it holds stays text; a single backtick is one."""
    root = page(sentence("ask `--full`"), notes(["from `<b>` on", "a ` alone"]), table([Column("a")], [["`x y` z"]]))
    assert [node.text for node in root.all("code")] == ["--full", "<b>", "x y"]
    assert "a ` alone" in [node.text for node in root.all("li")]
    assert not root.all("b")


def test_a_long_heading_is_listed_by_what_stands_before_its_colon() -> None:
    """The heading itself is whole, and what leads to it short; a page of one section has no list."""
    long = section("antimony-metal: 11,840 t wanted, 1% dearer", sentence("a"))
    root = page(long, section("tin: all", sentence("b")))
    assert [node.text for node in root.one("nav").all("a")] == ["antimony-metal", "tin: all"]
    assert "antimony-metal: 11,840 t wanted, 1% dearer" in [node.text for node in root.all("h2")]
    assert page(long).all("nav") == []


def test_ids_are_not_broken_and_sentences_are() -> None:
    """A column of single words keeps each on its line, unless one is very long."""
    rows = [["us-4872-ndfeb-2027", "a sentence", "a" * 31], ["cn-46-1-us-military", "word", "b"]]
    assert page(table(map(Column, "abc"), rows)).one("table").attributes["class"] == "w1"
    rest = " from 2027-01-01 on, hard- and software, 1,200.5 t, 3 tins, "
    told = page(sentence("barred by ", Phrase("us-4872-ndfeb", code=True), rest, "a-" * 20))
    assert [node.text for node in told.all("i")] == ["us-4872-ndfeb", "2027-01-01", "1,200.5 t"]


@pytest.mark.parametrize(("letters", "whole"), [(3, 9), (6, 6), (14, 0)])
def test_ids_of_many_columns_are_not_broken_as_long_as_the_page_has_room(letters: int, whole: int) -> None:
    """Nine columns of ids, each in two halves: as many as fit stay on their line, from the left."""
    cell = "-".join(["a" * letters] * 2)
    looks = page(table(map(Column, "abcdefghi"), [[cell] * 9])).one("table").attributes.get("class", "")
    assert looks == " ".join(f"w{place}" for place in range(1, whole + 1))


def test_a_part_that_works_is_allowed_its_own_script_and_no_other() -> None:
    """The policy names the hash of every script and style; data that could end its element are refused."""
    texts = ("Plan anew", "anew", "With scripts on, this plans.", "#anew{margin:0}", "void 0;")
    working = InteractivePart(*texts, {"numbers": "MTIz"}, solves=True)
    made = html(document("A plan"), working)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)
    for held in ("void 0;", "#anew{margin:0}"):
        assert b64encode(sha256(held.encode()).digest()).decode() in policy[1]
    assert "worker-src blob:" in policy[1]
    assert "worker-src" not in html(document("A plan"))
    assert '<script id="numbers" type="text/plain">MTIz</script>' in made
    with pytest.raises(ValueError, match="could end its element"):
        html(document("A plan"), replace(working, data={"numbers": "</script>"}))
