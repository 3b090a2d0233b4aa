"""The search for reference cycles is off while very many objects are made; results of methods make no cycles."""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace
from threading import Barrier, Thread
from weakref import ref

import pytest

from friendshore.domain.runtime import cached_method, set_aside, without_gc

pytestmark = pytest.mark.usefixtures("thawed")


def test_on_again_after_the_last_thread_is_out() -> None:
    """Two threads that overlap leave the search as it was; it is off as long as either is within."""
    both_in, one_out = Barrier(3), Barrier(3)

    def first() -> None:
        with without_gc():
            both_in.wait()
        one_out.wait()

    def second() -> None:
        with without_gc():
            both_in.wait()
            one_out.wait()
            assert not gc.isenabled()

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    both_in.wait()
    assert not gc.isenabled()
    one_out.wait()
    for thread in threads:
        thread.join()
    assert gc.isenabled()


def test_an_error_puts_it_on_again() -> None:
    """Bad input that is refused in the middle leaves nothing switched off."""
    with pytest.raises(ValueError, match="bad"), without_gc():
        raise ValueError("bad")
    assert gc.isenabled()


def test_left_off_where_it_was_off() -> None:
    """Whoever switched it off before finds it off."""
    gc.disable()
    try:
        with without_gc():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class Node:
    """A thing that can be part of a cycle."""

    def __init__(self) -> None:
        self.other = self


@pytest.mark.deep
def test_what_was_there_is_left_alone_and_what_is_made_meanwhile_is_not() -> None:
    """A cycle from before outlasts a full search within, one made within does not; afterwards neither does."""
    gc.collect()
    before = Node()
    old = ref(before)
    del before
    with set_aside():
        young = ref(Node())
        gc.collect()
        assert old() is not None
        assert young() is None
        with set_aside():
            pass
        assert gc.get_freeze_count(), "the inner one does not thaw what the outer one set aside"
    gc.collect()
    assert old() is None
    assert not gc.get_freeze_count()


def test_what_somebody_else_froze_stays_frozen() -> None:
    """A server that froze its start-up objects before it forked keeps them so."""
    gc.freeze()
    try:
        with set_aside(), without_gc():
            pass
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_cycles_among_few_new_objects_are_found_soon() -> None:
    """Nothing that a small plan makes is taken for old."""
    with without_gc():
        young = ref(Node())
    gc.collect(0)
    assert young() is None


@pytest.mark.deep
def test_cycles_among_many_new_objects_are_found_in_the_end() -> None:
    """Objects that are taken for old, some at a time, are searched once they are very many, though Python does not count them."""
    kept, before = list[list[int]](), gc.get_threshold()
    gc.set_threshold(before[0], before[1], 1_000_000)  # Python's own full search would hide it
    try:
        with without_gc():
            old = ref(Node())
            kept += [[] for _ in range(30_000)]
        gc.collect(0)
        assert old() is not None, "it was taken for old with what was made beside it"
        for _ in range(20):
            with without_gc():
                kept += [[] for _ in range(30_000)]
        assert old() is None
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True)
class Counter:
    """Counts the calls of a method whose results are kept."""

    factor: int
    calls: list[int]

    @cached_method
    def times(self, number: int) -> list[int]:
        """Return a product in a list, so that two calls can be told apart."""
        self.calls.append(number)
        return [number * self.factor]


def test_results_of_a_method_are_kept_in_its_object() -> None:
    """By arguments, for that object alone: a changed copy starts again, and the object is freed without a search for cycles."""
    counter = Counter(2, [])
    assert counter.times(3) is counter.times(number=3) is counter.times(3)
    assert (counter.times(4), counter.calls) == ([8], [3, 4])
    assert replace(counter, factor=5).times(3) == [15]
    freed = ref(counter)
    with without_gc():
        del counter
        assert freed() is None
