"""Processes that work for this one: what hangs in them, ends them or cannot be sent is told of what they were doing, and the next thing is done all the same."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Sequence
from threading import Lock

import pytest

from friendshore.errors import PluginError
from friendshore.plugins.processes import ProcessEndedError, WatchedProcesses
from friendshore.plugins.running import running


def doubled(number: int) -> int:
    """Twice the number; plugin code that hangs at 1, ends the process at 2 and is killed at 3; what cannot be sent back is raised at 4."""
    with running("acme", "its rule `r`"):
        if number == 1:
            sum(itertools.count())
        if number == 2:
            os._exit(7)
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        raise ValueError(Lock())
    return 2 * number


WRONG = {
    1: (PluginError, r"its rule `r` was still running after 2 s"),
    2: (PluginError, "its rule `r` ended the process with exit code 7"),
    3: (ProcessEndedError, "SIGKILL"),
    4: (RuntimeError, "ValueError: <unlocked"),
}


@pytest.mark.deep
@pytest.mark.parametrize("numbers", [(2, 4), (1, 3, 2, 4)])
def test_whatever_becomes_of_one_the_next_is_done(numbers: Sequence[int]) -> None:
    """A process that hangs, and one that ended, have others in their place; each says what was wrong with what it did."""
    with WatchedProcesses(1, limit=2) as processes:
        wrong = {number: processes.submit(doubled, number) for number in numbers}
        assert processes.submit(doubled, 5).result() == 10
        for number, future in wrong.items():
            kind, told = WRONG[number]
            with pytest.raises(kind, match=told):
                future.result()
