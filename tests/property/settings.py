"""How many random cases are tried, and which."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FRIENDSHORE_EXAMPLES", "0"))
"""0: the same cases in every run, so that a change is judged by itself; 20: 20 times as many, others each time, to look for what is
still wrong."""


def examples(count: int) -> settings:
    """So many examples, however long each takes."""
    return settings(
        max_examples=count * max(TIMES, 1),
        derandomize=not TIMES,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
