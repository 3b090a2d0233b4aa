"""How many random cases are tried."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


import os
from hypothesis import Phase
MORE = {"phases": [Phase.generate]} if os.environ.get("NOSHRINK") else {}

def examples(count: int) -> settings:
    """So many examples, however long each takes."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), **MORE)
