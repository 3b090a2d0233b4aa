"""Progress bars on a terminal, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

from .output import console_on

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 2.0
"""Seconds before a bar appears."""


class Interrupt:
    """Handler of Ctrl-C: the first asks for the best plan so far, the second ends the command."""

    def __init__(self) -> None:
        self._asked = Event()

    def __enter__(self) -> Event:
        self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self._asked

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._asked.set()
        if sys.stderr.isatty():
            # Past the buffer of sys.stderr: the signal may have come while the bar writes to it, and it cannot be entered twice.
            os.write(sys.stderr.fileno(), b"\nstopping with the best plan found; Ctrl-C again ends at once\n")


@contextmanager
def progress_bar(
    quiet: bool, doing: str = "solving", of: str = "parts"
) -> Iterator[Callable[[int, int, float], None] | None]:
    """Return a callback that shows progress on stderr, on a terminal only, or None.

    Args:
        quiet: True for no bar.
        doing: Activity.
        of: Counted things.
    """
    from ..domain.runtime import report_progress_to

    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = ProgressBar(doing, of)
    try:
        with report_progress_to(bar.show):
            yield bar
    finally:
        bar.stop()


class ProgressBar:
    """State of the bar: the activity, its progress, and the time left."""

    def __init__(self, doing: str, of: str) -> None:
        self._doing, self._of = doing, of
        self._shown: tuple[Progress, TaskID] | None = None
        self.shown = ""
        """Displayed activity. Empty before the first."""
        self._counts = False
        """True if the whole task has reported progress."""
        self._since: dict[str, float] = {}
        """Nested activity -> its start."""

    def __call__(self, solved: int, total: int, seconds: float) -> None:
        self._counts = True
        self.show(solved, total, seconds, self._doing, self._of)

    def show(self, done: int, total: int, seconds: float, doing: str, of: str) -> None:
        """Show progress. A nested activity appears only if it takes long by itself."""
        if done == 0 or doing not in self._since:
            self._since[doing] = seconds
        if self._counts and doing != self._doing and seconds - self._since[doing] < PATIENCE:
            return
        if self._shown is None:
            if seconds < PATIENCE:
                return
            self._shown = _start(doing, of, total)
        progress, task = self._shown
        if doing != self.shown:  # what is left of it is reckoned by its own pace
            progress.reset(task)
            self.shown = doing
        progress.update(task, completed=done, total=total, description=doing, of=of)

    def stop(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()


def _start(doing: str, of: str, total: int) -> tuple[Progress, TaskID]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[of]}"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console_on(sys.stderr), transient=True)
    progress.start()
    return progress, progress.add_task(doing, total=total, of=of)
