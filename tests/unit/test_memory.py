"""The search for reference cycles is off while very many objects are made, and on again after, whatever threads do."""

from __future__ import annotations

import gc
from threading import Barrier, Thread

import pytest

from friendshore.domain.memory import uncollected


def test_on_again_after_the_last_thread_is_out() -> None:
    """Two threads that overlap leave the search as it was; it is off as long as either is within."""
    both_in, one_out = Barrier(3), Barrier(3)

    def first() -> None:
        with uncollected():
            both_in.wait()
        one_out.wait()

    def second() -> None:
        with uncollected():
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
    with pytest.raises(ValueError, match="bad"), uncollected():
        raise ValueError("bad")
    assert gc.isenabled()


def test_left_off_where_it_was_off() -> None:
    """Whoever switched it off before finds it off."""
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
