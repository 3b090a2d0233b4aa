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

from .host import host
from .output import console_on

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BEFORE_BAR = 2.0


class Interrupt:
    """Handler of Ctrl-C: the first asks for the best plan so far, the second ends the command."""

    def __init__(self) -> None:
        self._stop_requested = Event()

    def __enter__(self) -> Event:
        self._previous_handler = signal.signal(signal.SIGINT, self._on_signal)
        return self._stop_requested

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous_handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stop_requested.is_set():
            raise KeyboardInterrupt
        self._stop_requested.set()
        if sys.stderr.isatty():
            # Not through sys.stderr: the signal may arrive while the bar writes to it, and its buffer isn't reentrant.
            os.write(sys.stderr.fileno(), b"\nstopping with the best plan found; press Ctrl-C again to end at once\n")


@contextmanager
def progress_bar(
    quiet: bool, doing: str = "solving", counted: str = "parts"
) -> Iterator[Callable[[int, int, float], None] | None]:
    """Yield a callback that shows progress on stderr, or to a server's watcher. None if `quiet`, or without a terminal."""
    from ..domain.runtime import report_progress_to

    watcher = host().watcher
    if watcher is not None:
        with report_progress_to(watcher):
            yield lambda done, total, seconds: watcher(done, total, seconds, doing, counted)
        return
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = ProgressBar(doing, counted)
    try:
        with report_progress_to(bar.show):
            yield bar
    finally:
        bar.stop()


class ProgressBar:
    """State of the bar. A nested activity appears only if it takes long by itself."""

    def __init__(self, doing: str, counted: str) -> None:
        self._doing, self._counted = doing, counted
        self._shown: tuple[Progress, TaskID] | None = None
        self.shown = ""
        self._has_reported = False
        self._since: dict[str, float] = {}
        """Nested activity -> its start."""

    def __call__(self, solved: int, total: int, seconds: float) -> None:
        self._has_reported = True
        self.show(solved, total, seconds, self._doing, self._counted)

    def show(self, done: int, total: int, seconds: float, doing: str, counted: str) -> None:
        if done == 0 or doing not in self._since:
            self._since[doing] = seconds
        if self._has_reported and doing != self._doing and seconds - self._since[doing] < SECONDS_BEFORE_BAR:
            return
        if self._shown is None:
            if seconds < SECONDS_BEFORE_BAR:
                return
            self._shown = _start(doing, counted, total)
        progress, task = self._shown
        if doing != self.shown:  # so that the time left is estimated from its own pace
            progress.reset(task)
            self.shown = doing
        progress.update(task, completed=done, total=total, description=doing, counted=counted)

    def stop(self) -> None:
        if self._shown is not None:
            self._shown[0].stop()


def _start(doing: str, counted: str, total: int) -> tuple[Progress, TaskID]:
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
        TextColumn("{task.fields[counted]}"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=console_on(sys.stderr), transient=True)
    progress.start()
    return progress, progress.add_task(doing, total=total, counted=counted)
