"""Dependence of a run on countries of concern."""

from __future__ import annotations

from typing import Literal

from .base import Number, Record


class RunDependence(Record):
    """Money that depends on countries of concern: cash paid for purchases, not discounted. Each purchase counts once."""

    scope: Literal["plan", "material", "end use", "stock"]
    """What it is about. `stock`: what is in stock at the end."""
    name: str = ""
    """Material or end use; empty: all of it."""
    cost: Number
    """All purchases. By end use: cash traced along the flow of kilograms to the deliveries."""
    is_cost: Number
    """Purchases that are of concern."""
    may_be_cost: Number
    """Purchases that may be of concern, because the country of some step is unknown or one of several."""
    by_inputs_cost: Number
    """Part of the two that is of concern only because of the inputs it is made of."""
    share: Number
    """(is_cost + may_be_cost) / cost; 0 where nothing is paid."""
    quantity_kg: Number | None = None
    """Bought; None: several materials."""
    is_kg: Number | None = None
    may_be_kg: Number | None = None
