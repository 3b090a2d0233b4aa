"""Minimal sets: all of them, none else, whatever levers do together, and with few trials of the members that are preferred."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.explain.causes import minimal_set
from friendshore_reasons.repairs.levers import Lattice

from ..property.settings import examples

# ------------------------------------------------------------------------------------------------------ all minimal sets


SETS = st.lists(st.frozensets(st.integers(0, 7), max_size=5), max_size=9)


@examples(300)
@given(SETS, st.integers(0, 8))
def test_all_minimal_sets_are_found_and_none_else(doing: list[frozenset[int]], most: int) -> None:
    """Sets that do it are those that hold one of some sets; each question is asked once at most."""
    asked: list[frozenset[int]] = []

    def does(members: frozenset[int]) -> bool:
        asked.append(members)
        return any(one <= members for one in doing)

    found = list(Lattice(8, does).minimal(most))
    every = [frozenset(some) for size in range(most + 1) for some in combinations(range(8), size)]
    minimal = [one for one in every if one in doing and not any(other < one for other in doing)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, minimal))
    assert [len(one) for one in found] == sorted(len(one) for one in found)
    assert len(asked) == len(set(asked))


@examples(300)
@given(SETS, st.integers(0, 8), st.lists(st.frozensets(st.integers(0, 7)), max_size=9))
def test_sets_that_are_refuted_need_not_be_asked(
    doing: list[frozenset[int]], most: int, some: list[frozenset[int]]
) -> None:
    """Whatever is known beforehand not to do it: the minimal sets are the same, and nothing that is refuted is asked about."""
    refuted = [one for one in some if not any(known <= one for known in doing)]

    def widened(members: frozenset[int], far: bool) -> frozenset[int] | None:
        held = [one for one in refuted if members <= one]
        return (max(held, key=len) if far else min(held, key=len)) if held else None

    def does(members: frozenset[int]) -> bool:
        assert widened(members, True) is None
        return any(one <= members for one in doing)

    plain = Lattice(8, lambda members: any(one <= members for one in doing))
    assert set(Lattice(8, does, widened).minimal(most)) == set(plain.minimal(most))


def test_many_levers_that_do_nothing_cost_little() -> None:
    """Of sixty levers two pairs do it: far fewer questions than the 1,770 pairs there are."""
    doing = (frozenset({3, 41}), frozenset({17, 50}))
    asked = 0

    def does(members: frozenset[int]) -> bool:
        nonlocal asked
        asked += 1
        return any(one <= members for one in doing)

    assert list(Lattice(60, does).minimal(3)) == [frozenset({3, 41}), frozenset({17, 50})]
    assert asked < 200


# ----------------------------------------------------------------------------------------------------- preferred members


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
