"""The built-in kinds of rules, one module each."""

from __future__ import annotations

from ..base import Rule
from .exclude import Exclude
from .export_control import ExportControl
from .limits import (
    Budget,
    Cover,
    MaxChurn,
    MaxPlaces,
    MaxShare,
    MaxSuppliers,
    MinShare,
    MinSuppliers,
    Pin,
    SingleSource,
    StockLevel,
)
from .origin_ban import OriginBan
from .tariff import Tariff

JUDGING: tuple[type[Rule], ...] = (OriginBan, ExportControl, Exclude)
"""Kinds that forbid."""
CHARGING: tuple[type[Rule], ...] = (Tariff,)
"""Kinds that charge."""
LIMITING: tuple[type[Rule], ...] = (
    MaxShare,
    MinShare,
    MinSuppliers,
    MaxSuppliers,
    SingleSource,
    MaxPlaces,
    MaxChurn,
    Cover,
    StockLevel,
    Budget,
    Pin,
)
"""Kinds that limit the plan as a whole."""


def builtin_kinds() -> tuple[type[Rule], ...]:
    """All kinds that come with friendshore."""
    return JUDGING + CHARGING + LIMITING


__all__ = [
    "Budget",
    "Cover",
    "Exclude",
    "ExportControl",
    "MaxChurn",
    "MaxPlaces",
    "MaxShare",
    "MaxSuppliers",
    "MinShare",
    "MinSuppliers",
    "OriginBan",
    "Pin",
    "SingleSource",
    "StockLevel",
    "Tariff",
    "builtin_kinds",
]
