"""The built-in kinds of rules."""

from __future__ import annotations

from ..base import Rule
from . import limits
from .limits import *  # noqa: F403 - `limits` lists them
from .limits import LIMITING
from .origin_ban import OriginBan
from .trade import Exclude, ExportControl, Tariff

JUDGING: tuple[type[Rule], ...] = (OriginBan, ExportControl, Exclude)
CHARGING: tuple[type[Rule], ...] = (Tariff,)


def builtin_kinds() -> tuple[type[Rule], ...]:
    return JUDGING + CHARGING + LIMITING


__all__ = ["CHARGING", "JUDGING", "LIMITING", "Exclude", "ExportControl", "OriginBan", "Tariff", "builtin_kinds"]
__all__ += limits.__all__
