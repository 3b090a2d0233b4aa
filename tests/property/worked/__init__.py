"""Tiny cases whose optimum can be worked out by hand; the working stands beside each."""

from __future__ import annotations

from functools import cache

from . import counts, law, limits, stocks, supply, uses
from .framework import CASES, Worked

__all__ = ["Worked", "cases", "counts", "law", "limits", "stocks", "supply", "uses"]


@cache
def cases() -> tuple[Worked, ...]:
    """All worked cases."""
    return tuple(made() for made in CASES)
