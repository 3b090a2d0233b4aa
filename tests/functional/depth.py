"""How many of many like tests are run by default."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest


def few(names: Iterable[str | Path], count: int = 4) -> list[object]:
    """The first of some parameters, and the others with the mark `deep`."""
    return [pytest.param(name, marks=pytest.mark.deep) if place >= count else name for place, name in enumerate(names)]
