"""Limits and results of one run of friendshore or of a peer."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stop:
    """Limits of a search."""

    gap: float
    """Relative distance from the bound."""
    seconds: float | None = None


@dataclass(slots=True)
class Answer:
    """Result of a run, with seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)
    objective: float | None = None
    """None if no plan was found, or nothing was solved."""
    bound: float | None = None
    status: str = ""
    """Status, in the solver's words."""
    notes: dict[str, float | int | str] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a `with` block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and its children, which other work on the machine doesn't change."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)
