"""Memory: Python's search for reference cycles, put off while very many lasting objects are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Search:
    """Python's search for reference cycles, of which a process has one for all threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._was_on = False

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Off while any thread is within; then on again, if it was on before the first came in."""
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside and self._was_on:
                    gc.enable()


uncollected = _Search().put_off
"""For code that makes very many objects that stay, and no cycles: the search would look at all of them again and again, for
nothing. Objects outside cycles are freed as ever."""
