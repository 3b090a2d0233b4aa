"""Tables that are shortened to the room there is: rows, columns and lists are left out whole, and counted."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from friendshore.document.elements import (
    NOTHING,
    Column,
    DataTable,
    Document,
    Several,
    apart,
    excerpt,
    section,
    sentence,
    table,
)
from friendshore.document.excerpts import listed
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text


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
