"""Memory: Python's search for reference cycles, kept away from very many objects that stay; and what is kept of earlier answers."""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Lock, RLock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SESSION_MEGABYTES = 128
"""Memory that the caches of a session may take together, where nobody says how much."""
SESSION_BYTES = SESSION_MEGABYTES * 2**20
"""The same in bytes: a half for what rules answer, a quarter each for plans and for what solvers answer."""

_MANY = 20_000
"""New objects from which on a search for young cycles among them takes a noticeable time."""
_ALL = 500_000
"""Objects counted as old, some at a time, after which all are searched."""


class _Search:
    """Python's search for reference cycles, of which a process has one for all threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._making = 0
        self._was_on = False
        self._beside = 0
        self._frozen = False
        self._aged = 0
        """Objects that were counted as old since all were searched."""

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
        """Counts many new objects as old, so that the next searches for young cycles do not begin with all of them.

        Of what is counted as old at once, Python does not know how much it is, and would put off its full search: that is made here. Very
        many at once are those of one large case, which stay.
        """
        new = gc.get_count()[0]
        if new < _MANY or gc.get_freeze_count():
            return
        gc.freeze()
        gc.unfreeze()
        if new < _ALL:
            self._aged += new
        if self._aged >= _ALL:
            self._aged = 0
            gc.collect()


_SEARCH = _Search()
uncollected = _SEARCH.put_off
"""For code that makes very many objects that stay, and no cycles: the search would look at all of them again and again, for
nothing. Objects outside cycles are freed as ever."""
set_aside = _SEARCH.set_aside
"""For long work beside very many objects that stay: the search looks at what is made meanwhile alone, and afterwards at all again."""


class Recent(Generic[K, V]):
    """Values by key, of which the least recently used are dropped beyond a total size. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        """Makes it empty, for values of a total size of `most`; the newest is kept whatever its size."""
        self.most = most
        self.size = 0
        self._kept: dict[K, tuple[V, int]] = {}
        """In order of use, the least recently used first."""
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value of a key, which is now the most recently used; None: it is not kept."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            return found[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Keeps a value of some size, and drops what then is too much."""
        with self._lock:
            self.size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (value, size)
            while self.size > self.most and len(self._kept) > 1:
                self.size -= self._kept.pop(next(iter(self._kept)))[1]

    def items(self) -> list[tuple[K, V, int]]:
        """All that is kept, with sizes, the least recently used first."""
        with self._lock:
            return [(key, value, size) for key, (value, size) in self._kept.items()]
