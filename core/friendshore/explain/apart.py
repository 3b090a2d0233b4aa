"""Questions about independent parts of a case, asked at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from ..session import Session

Asked = TypeVar("Asked")
Found = TypeVar("Found")
Progress = Callable[[int, int, float], None]
"""Told what is done, what there is in all, and seconds."""


def ask_apart(
    session: Session,
    groups: Sequence[Sequence[Asked]],
    asking: Callable[[], Callable[[Asked], Found]],
    progress: Progress | None = None,
) -> list[list[Found]]:
    """The answers group by group, as many groups at once as the session has workers.

    Args:
        session: what is asked; no part of its case may be touched by the questions of two groups.
        groups: questions, those that touch the same parts together.
        asking: makes what answers the questions of one group, one after the other.
        progress: told how far it is, from the thread that calls.

    Raises:
        Exception: what the first group that fails raises.
    """
    started, total = time.monotonic(), sum(map(len, groups))
    done: SimpleQueue[None] = SimpleQueue()

    def answered(group: Sequence[Asked]) -> list[Found]:
        ask, found = asking(), []
        for question in group:
            found.append(ask(question))
            done.put(None)
        return found

    with ThreadPoolExecutor(session.limits.workers or os.cpu_count() or 1) as pool:
        futures = [pool.submit(answered, group) for group in groups]
        try:
            answers = 0
            while not all(future.done() for future in futures):
                try:
                    done.get(timeout=0.2)
                except Empty:
                    continue
                answers += 1
                if progress is not None:
                    progress(answers, total, time.monotonic() - started)
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
