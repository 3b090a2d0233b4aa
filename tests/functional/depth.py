"""Number of similar tests that run by default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def few(names: Iterable[T], count: int = 4, whole: bool = False) -> list[object]:
    """Mark all but the first `count` parameters as `deep`. CI runs two of these, or all if `whole`."""
    deep = pytest.mark.deep(whole=whole)
    return [pytest.param(name, marks=deep) if place >= count else name for place, name in enumerate(names)]
