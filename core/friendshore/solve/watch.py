"""The clock and the user: when a search has to stop."""

from __future__ import annotations

import time
from typing import Protocol


class Cancel(Protocol):
    """Anything that can say that the user has had enough: a `threading.Event` does."""

    def is_set(self) -> bool: ...


class Watch:
    """Shared by all searches of one solve; asked between the steps of each."""

    def __init__(self, seconds: float | None = None, cancel: Cancel | None = None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._cancel = cancel
        self.interrupted = False
        """Whether the user has been heard."""

    def cancelled(self) -> bool:
        """Whether the user has had enough."""
        if self._cancel is not None and self._cancel.is_set():
            self.interrupted = True
        return self.interrupted

    def left(self) -> float | None:
        """Seconds until the time is up; None: there is no such limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def stopped(self) -> bool:
        """Whether to stop now."""
        if self.cancelled():
            return True
        left = self.left()
        return left is not None and left <= 0.0
