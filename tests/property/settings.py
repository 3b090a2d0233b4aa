"""How many random cases are tried."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def EXAMPLES(count: int) -> settings:  # noqa: N802
    """So many examples, however long each takes."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
