"""Memory: Python's search for reference cycles, kept away from very many objects that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_MANY = 500_000
"""New objects from which on a search for young cycles among them takes a noticeable time."""


class _Search:
    """Python's search for reference cycles, of which a process has one for all threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._making = 0
        self._was_on = False
        self._beside = 0
        self._frozen = False

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Off while any thread is within; then on again, if it was on before the first came in."""
        with self._lock:
            if not self._making:
                self._was_on = gc.isenabled()
                gc.disable()
            self._making += 1
        try:
            yield
        finally:
            with self._lock:
                self._making -= 1
                if not self._making and self._was_on:
                    self._age()
                    gc.enable()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Without what was there before the first thread came in, until the last is out."""
        with self._lock:
            if not self._beside and not gc.get_freeze_count():  # what somebody else has frozen is theirs to thaw
                gc.freeze()
                self._frozen = True
            self._beside += 1
        try:
            yield
        finally:
            with self._lock:
                self._beside -= 1
                if not self._beside and self._frozen:
                    gc.unfreeze()
                    self._frozen = False

    def _age(self) -> None:
        """Counts very many new objects as old, so that the next search for young cycles does not begin with all of them.

        Not fewer: of what is counted as old at once, Python does not know how much it is, and would put off its full search.
        """
        if gc.get_count()[0] >= _MANY and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()


_SEARCH = _Search()
uncollected = _SEARCH.put_off
"""For code that makes very many objects that stay, and no cycles: the search would look at all of them again and again, for
nothing. Objects outside cycles are freed as ever."""
set_aside = _SEARCH.set_aside
"""For long work beside very many objects that stay: the search looks at what is made meanwhile alone, and afterwards at all again."""
