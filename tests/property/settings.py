"""How many random cases are tried."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def examples(count: int) -> settings:
    """So many examples, however long each takes; found again from one run to the next, so that a failure can be mended."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
