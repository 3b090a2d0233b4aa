"""Edits of a case file: the text says what the data say, and every other line stays as it is."""

from __future__ import annotations

import datetime

import pytest

from friendshore.orders.case_text import CaseText
from friendshore.reading.tomltext import toml_data

TEXT = """# Head of the file
schema = 1

[case]
start = 2026-10-01  # first day
periods = 4

# The first stock.
[[stock]]
id = "one"
quantity = "3 t"
chain = [
    { stage = "mined", countries = ["AU"] },
]

# The second stock.
[[stock]]
id = "two"
why = \"\"\"
[[stock]]
not a table\"\"\"

# The rest.
[[rule]]
id = "last"
"""


def edited(text: str = TEXT) -> CaseText:
    """A file with an edit of each kind."""
    made = CaseText(text, "case.toml")
    made.set(("case", "start"), datetime.date(2026, 11, 1))
    made.set(("stock", 1, "quantity"), "1 kg")
    made.remove("stock", 0)
    made.add("order", {"id": "new", "quantity": "5 kg"})
    return made


def test_edits_keep_every_other_line() -> None:
    """A value, a new key, a table that goes with the lines of its lists, and a new table at the end."""
    text, kept = edited().text()
    assert kept
    assert toml_data(text, "case.toml") == edited().result
    assert "start = 2026-11-01  # first day" in text
    gone = [line for line in TEXT.splitlines() if line not in text.splitlines()]
    assert gone == [
        "start = 2026-10-01  # first day", 'id = "one"', 'quantity = "3 t"', "chain = [", '    { stage = "mined", countries = ["AU"] },', "]",
    ]  # fmt: skip
    assert "# The second stock." in text


@pytest.mark.parametrize(
    "text",
    [
        'stock = [{ id = "one" }, { id = "two" }]\n\n[case]\nstart = 2026-10-01\n',
        'case = { start = 2026-10-01 }\n[[stock]]\nid = "one"\n[[stock]]\nid = "two"\n',
        '[case]\nstart = """2026-\\\n10-01"""\n[[stock]]\nid = "one"\n[[stock]]\nid = "two"\n',
    ],
)
def test_a_layout_that_cannot_be_followed_is_written_again(text: str) -> None:
    """What the edits say always holds, with or without the comments."""
    made = edited(text)
    written, kept = made.text()
    assert not kept
    assert toml_data(written, "case.toml") == made.result


def test_line_ends_and_a_mark_of_unicode_stay() -> None:
    """As a file has them that was saved on Windows."""
    text, kept = edited("\ufeff" + TEXT.replace("\n", "\r\n")).text()
    assert kept
    assert text.startswith("\ufeff# Head")
    assert text.count("\r\n") == text.count("\n")
