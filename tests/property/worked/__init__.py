"""Tiny cases whose optimum can be worked out by hand; the working stands beside each."""

from __future__ import annotations

from . import counts, law, limits, stocks, supply, uses
from .framework import CASES, Worked

__all__ = ["Worked", "cases", "counts", "law", "limits", "stocks", "supply", "uses"]


def cases() -> tuple[Worked, ...]:
    """All worked cases."""
    return tuple(CASES)
