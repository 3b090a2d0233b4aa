"""Limit kinds as the oracle reads them: rows and choices over what trees come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from .patterns import Bound, Choice, Count
from .world import World


@dataclass
class Limits:
    """What the limit rules of a case add to its linear programmes."""

    bounds: list[Bound] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)


def read(world: World) -> Limits:
    """All limit rules of a case."""
    return Limits()


def have_floors(world: World) -> bool:
    """Whether some limit asks for purchases, so that buying beyond need may help."""
    return False
