"""Minimal sets: all of them, none else, whatever levers do together."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from friendshore.questions.repairs.levers import Lattice

from ..property.settings import examples

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
