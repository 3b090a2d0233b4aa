"""How far long work has come, told to whoever watches: a hundred thousand offers take their time, and nobody should wait unheard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

LONGEST_SECONDS = 10_000_000
"""A time limit of some months: longer ones a solver cannot be told."""

Watcher = Callable[[int, int, float, str, str], None]
"""Told how much is done, of how much, after how many seconds in all; what is being done, and what is counted."""

_told: ContextVar[Callable[[int, int, str, str], None] | None] = ContextVar("told", default=None)


@contextmanager
def watched(by: Watcher | None) -> Iterator[None]:
    """While this lasts, how far work has come is told to who watches; None: nobody does."""
    began = monotonic()
    token = _told.set(
        None if by is None else lambda done, total, doing, of: by(done, total, monotonic() - began, doing, of)
    )
    try:
        yield
    finally:
        _told.reset(token)


def tell(done: int, total: int, doing: str, of: str) -> None:
    """Tells that `done` of `total` are done; `doing` says what is being done, `of` what is counted."""
    told = _told.get()
    if told is not None:
        told(done, total, doing, of)


def told_each(things: Sequence[T], doing: str, of: str, step: int = 1_000) -> Iterator[T]:
    """The things one by one; how many are done is told after every `step` of them, as `tell` does."""
    for number, thing in enumerate(things):
        if number % step == 0:
            tell(number, len(things), doing, of)
        yield thing
