"""The built-in kinds of rules, one module each."""

from __future__ import annotations

from ..base import Rule
from .exclude import Exclude
from .export_control import ExportControl
from .origin_ban import OriginBan
from .tariff import Tariff

JUDGING: tuple[type[Rule], ...] = (OriginBan, ExportControl, Exclude)
"""Kinds that forbid."""
CHARGING: tuple[type[Rule], ...] = (Tariff,)
"""Kinds that charge."""
LIMITING: tuple[type[Rule], ...] = ()
"""Kinds that limit the plan as a whole."""


def builtin_kinds() -> tuple[type[Rule], ...]:
    """All kinds that come with friendshore."""
    return JUDGING + CHARGING + LIMITING


__all__ = ["Exclude", "ExportControl", "OriginBan", "Tariff", "builtin_kinds"]
