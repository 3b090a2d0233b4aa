"""Suggestions for words that are not known, and the lines of keys in a TOML file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.suggest import did_you_mean, nearest
from friendshore.domain.values import CountryCodes
from friendshore.errors import Diagnostic
from friendshore.reading.cells import plain
from friendshore.reading.fields import UnreadableError
from friendshore.reading.kinds import CAPACITY, DATE, PER_UNIT, YES_NO, kind_of
from friendshore.reading.tomlfile import read_toml


def test_the_nearest_word_is_suggested() -> None:
    """A slip finds its word, whatever the case of its letters; a stranger finds none."""
    assert nearest("gallium-metl", ["gallium-metal", "germanium-metal"]) == "gallium-metal"
    assert nearest("AUSTRALIA", ["Australia"]) == "Australia"
    assert nearest("zzz", ["gallium"]) is None
    assert did_you_mean("offer", ["offers"]) == "did you mean `offers`?"
    assert did_you_mean("zzz", []) == ""


@given(
    st.lists(st.text("abcd", min_size=1, max_size=4), min_size=1, unique=True), st.text("abcd", min_size=1, max_size=4)
)
def test_a_suggestion_does_not_depend_on_order(known: list[str], word: str) -> None:
    """The same words in another order give the same suggestion."""
    assert nearest(word, known) == nearest(word, list(reversed(known)))


def test_a_suggestion_among_very_many_words_is_found() -> None:
    """Among a hundred thousand ids the search is narrowed, and still finds a slip at the end of a word."""
    known = {f"offer-{n}" for n in range(100_000)}
    assert nearest("offer-4711x", known) is not None


def test_lines_of_keys(tmp_path: Path) -> None:
    """Keys of tables, of repeated tables and of tables within them know their lines; others take the line around them."""
    (tmp_path / "x.toml").write_text(
        'a = 1\n[t]\nb = 2\n[[r]]\nc = 3\n[[r]]\n"c" = 4\n[r.sub]\nd = 5\ne = [\n  { f = 1 },\n  { f = 2 },\n]\n',
        encoding="utf-8",
    )
    found: list[Diagnostic] = []
    toml = read_toml(tmp_path / "x.toml", found)
    assert toml.line(("a",)) == 1
    assert toml.line(("t", "b")) == 3
    assert toml.line(("r", 0, "c")) == 5
    assert toml.line(("r", 1, "c")) == 7
    assert toml.line(("r", 1, "sub", "d")) == 9
    assert toml.line(("r", 1, "sub", "e", 1, "f")) == 12
    assert toml.line(("t", "nothing")) == 2
    assert toml.line(("nothing",)) is None


def test_cells_of_every_kind() -> None:
    """Lists, unlimited capacity and plain numbers per unit are read in the forms the reference page lists."""
    assert kind_of(CountryCodes).read("CN; Japan;JP") == {"CN", "JP"}
    assert kind_of(CountryCodes).read(["EU"]) >= {"DE", "FR"}
    assert CAPACITY.read("Unlimited") == "unlimited"
    assert PER_UNIT.read("1.2").kg == PER_UNIT.read("1.2 kg").kg == PER_UNIT.read("1200 g").kg
    assert YES_NO.read("Yes") is YES_NO.read(True) is True


@pytest.mark.parametrize("text", ["20270101", "2027-1-1", "2027-02-30", "2027-W01-1", "01.02.2027", ""])
def test_dates_are_written_in_one_way(text: str) -> None:
    """Only year-month-day with dashes is a date, so that no day is mistaken for a month."""
    with pytest.raises(UnreadableError):
        DATE.read(text)


def test_plain_data_is_what_json_holds(tmp_path: Path) -> None:
    """Numbers and dates of a TOML file become what a JSON file would give back."""
    (tmp_path / "x.toml").write_text("a = 0.65\nb = [2027-01-01, { c = 1 }]\n", encoding="utf-8")
    toml = read_toml(tmp_path / "x.toml", [])
    assert plain(toml.data) == {"a": 0.65, "b": ["2027-01-01", {"c": 1}]}
