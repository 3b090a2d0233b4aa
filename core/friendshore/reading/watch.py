"""How far reading has come, told to whoever watches: tables of a hundred thousand rows take their time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

Watcher = Callable[[int, int, float, str], None]
"""Told how many rows are done, of how many, after how many seconds, and of which file."""

_told: ContextVar[Callable[[int, int, str], None] | None] = ContextVar("told", default=None)


@contextmanager
def watched(by: Watcher | None) -> Iterator[None]:
    """While this lasts, what is read is told.

    Args:
        by: who watches; None: nobody.
    """
    began = monotonic()
    token = _told.set(None if by is None else lambda done, of, file: by(done, of, monotonic() - began, file))
    try:
        yield
    finally:
        _told.reset(token)


def tell(done: int, of: int, file: str) -> None:
    """Tells how many rows of a table are done.

    Args:
        done: rows done.
        of: all of them.
        file: where they stand.
    """
    told = _told.get()
    if told is not None:
        told(done, of, file)
