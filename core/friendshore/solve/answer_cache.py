"""Answers that are known already: a component that is the same as one solved before is not solved again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from threading import Lock

import numpy as np

from ..domain.runtime import SESSION_BYTES, Recent
from ..program.matrix import Linear
from ..program.objectives import Goal
from .engine import SolverAnswer, SolverOutcome

MOST_BYTES = SESSION_BYTES // 4
"""Default for the memory that cached answers may take, in bytes. The least recently used answers beyond it are dropped and solved again."""


class AnswerCache:
    """Answers by the content of what they answer. Safe to use from several threads."""

    def __init__(self, known: Iterable[tuple[bytes, SolverAnswer, int]] = (), most: int = MOST_BYTES) -> None:
        """Start with some answers, each with its key and size in bytes. All answers may take `most` bytes."""
        self._known = Recent[bytes, SolverAnswer](most)
        for key, answer, size in known:
            self._known.keep(key, answer, size)
        self._lock = Lock()
        self.solved = 0
        """How often something had to be solved."""
        self.reused = 0
        """How often the answer was known."""

    def peek(self, key: bytes) -> SolverAnswer | None:
        """Return the answer that is known for a key (`digest`), if any, without counting that it was reused."""
        return self._known.get(key)

    def find(self, key: bytes) -> SolverAnswer | None:
        """Return the answer that is known for a key (`digest`), if any."""
        known = self._known.get(key)
        if known is not None:
            with self._lock:
                self.reused += 1
        return known

    def keep(self, key: bytes, answer: SolverAnswer) -> None:
        """Store an answer that was just found for a key."""
        with self._lock:
            self.solved += 1
        if answer.outcome is not SolverOutcome.NOTHING:  # that nothing was found in time may be otherwise the next time
            self._known.keep(key, answer, _bytes(answer))

    def __reduce__(self) -> tuple[type[AnswerCache], tuple[list[tuple[bytes, SolverAnswer, int]], int]]:
        return AnswerCache, (self._known.items(), self._known.most)


def _bytes(answer: SolverAnswer) -> int:
    """About what an answer takes."""
    return 512 + sum(array.nbytes for array in (answer.x, answer.duals) if array is not None)


def digest(linear: Linear, goals: Sequence[Goal] = ()) -> bytes:
    """A short name for a program under ranked objectives: two that have the same are the same, number by number."""
    arrays = [
        linear.cost, linear.lower, linear.upper, linear.integer, linear.row_lower, linear.row_upper,
        linear.entries.indptr, linear.entries.indices, linear.entries.data, *(goal.cost for goal in goals),
        np.array([(goal.within, goal.whole) for goal in goals]),
    ]  # fmt: skip
    found = blake2b("".join([f"{array.shape}{array.dtype.char}" for array in arrays]).encode(), digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.digest()
