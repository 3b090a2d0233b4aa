"""What every run, of friendshore or a peer, is told and answers."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stop:
    """When a search may end."""

    gap: float
    """Relative distance from the bound."""
    seconds: float | None = None


@dataclass(slots=True)
class Answer:
    """What a run found, and the seconds it took by phase."""

    seconds: dict[str, float] = field(default_factory=dict)
    objective: float | None = None
    """None: not solved, or no plan found."""
    bound: float | None = None
    status: str = ""
    """In the library's own words."""
    notes: dict[str, float | int | str] = field(default_factory=dict)
    """What else is worth telling."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time of what happens within to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def cpu_seconds() -> float:
    """Seconds of the processors, of this process and those that it started: other work on the machine does not change them."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)
