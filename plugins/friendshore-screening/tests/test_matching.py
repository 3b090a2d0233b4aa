"""Which entries of a list count, for whom, and how far."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from friendshore_screening.lists import ListEntry, ScreeningList
from friendshore_screening.matching import Party, screen
from friendshore_screening.names import Band, Bands

DAY = date(2027, 1, 1)


def found(entry: ListEntry, *roles: str) -> list[Band]:
    """Bands of what is found of `Hentzau Metals` in one entry."""
    party = Party("Hentzau Metals", roles or ("supplier",), ("works",), ("works",))
    return [hit.band for hit in screen([party], [ScreeningList("x.csv", "table", DAY, (entry,))], Bands(), (), DAY)]


def test_an_entry_counts_while_it_stands_on_its_list() -> None:
    """To the last day on it, that day included."""
    assert found(ListEntry("us-sdn", "1", "Hentzau Metals", end=DAY)) == [Band.MATCH]
    assert found(ListEntry("us-sdn", "1", "Hentzau Metals", end=date(2026, 12, 31))) == []


@pytest.mark.parametrize(
    ("kind", "roles", "bands"),
    [
        ("entity", ("supplier",), [Band.MATCH]),
        ("vessel", ("supplier",), []),
        ("aircraft", ("owner",), []),
        ("individual", ("supplier", "parent"), []),
        ("individual", ("owner",), [Band.MATCH]),
    ],
)
def test_who_is_compared_with_whom(kind: str, roles: tuple[str, ...], bands: list[Band]) -> None:
    """No company is a ship; a person may be an owner, and runs no plant."""
    assert found(ListEntry("us-sdn", "1", "Hentzau Metals", kind=kind), *roles) == bands


def test_a_weak_alias_is_looked_at() -> None:
    """A weak alias is never a match, however similar. The best name of an entry counts."""
    other = ListEntry("us-sdn", "1", "Rupert Works")
    assert found(replace(other, weak=("Hentzau Metals",))) == [Band.REVIEW]
    assert found(replace(other, aliases=("Hentzau Metals Ltd",), weak=("Hentzau",))) == [Band.MATCH]
    assert found(other) == []


def test_a_joint_venture_is_asked_for_by_its_partners() -> None:
    """Names that a stroke parts are names of their own."""
    party = Party("Acme Holding / Hentzau Metals", ("parent",), (), ("works",))
    listed = ScreeningList("x.csv", "table", DAY, (ListEntry("us-sdn", "1", "HENTZAU METALS JSC"),))
    (hit,) = screen([party], [listed], Bands(), (), DAY)
    assert (hit.band, hit.why) == (Band.MATCH, "agree: hentzau, metal")


def test_the_hash_of_an_entry_is_of_all_that_it_says() -> None:
    """And not of the line at which it stands."""
    entry = ListEntry("us-sdn", "1", "Hentzau Metals", line=3)
    assert entry.digest == ListEntry("us-sdn", "1", "Hentzau Metals", line=9).digest
    assert entry.digest != ListEntry("us-sdn", "1", "Hentzau Metals", programs=("RURITANIA",), line=3).digest
