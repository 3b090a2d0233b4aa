"""Minimal sets, with few trials, of the members that are preferred."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

import pytest

from friendshore.explain.minimal_sets import minimal_set


def needs(*sets: str) -> tuple[list[str], Callable[[Sequence[str]], bool]]:
    """Return a list of what was tried, and a function that says whether one of some sets is in it."""
    tried: list[str] = []

    def suffices(members: Sequence[str]) -> bool:
        tried.append("".join(members))
        return any(set(one) <= set(members) for one in sets)

    return tried, suffices


@pytest.mark.parametrize(
    ("sets", "found"),
    [(["c"], "c"), (["ah"], "ah"), (["gh", "bd"], "bd"), (["abcdefgh"], "abcdefgh"), (["fgh", "abh"], "abh")],
)
def test_a_minimal_set_of_preferred_members_is_found(sets: list[str], found: str) -> None:
    """Those that come first are preferred."""
    _, suffices = needs(*sets)
    assert minimal_set("abcdefgh", suffices) == list(found)


def test_what_never_suffices_has_no_minimal_set() -> None:
    """All members together are tried last."""
    tried, suffices = needs("x")
    assert minimal_set("abcd", suffices, (2, 3, 9)) is None
    assert tried == ["ab", "abc", "abcd"]


def test_a_few_first_members_that_suffice_spare_trials_of_all() -> None:
    """The largest programs are those of all restrictions."""
    tried, suffices = needs("ab")
    assert minimal_set("abcdefgh", suffices, (2, 4)) == ["a", "b"]
    assert max(map(len, tried)) == 2


def test_no_member_is_spare_even_where_more_of_them_do_less() -> None:
    """`a` alone suffices, but not with `b`, unless `c` is there as well."""

    def suffices(members: Collection[str]) -> bool:
        return "a" in members and ("b" not in members or "c" in members)

    found = minimal_set("bca", suffices)
    assert found is not None
    assert suffices(found)
    assert not any(suffices(fewer) for fewer in combinations(found, len(found) - 1))
