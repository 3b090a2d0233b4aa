"""Repairs as scenarios of a case file."""

from __future__ import annotations

import re

from ...reading.tomlfile import toml_text
from .records import Repair, Repairs

_NO_NAME = re.compile(r"[^\w.+-]")
"""What the name of a scenario cannot hold."""


def repairs_toml(found: Repairs) -> str:
    """Every repair as a scenario of a case file."""
    scenarios = [
        {"name": _scenario(found, repair), "change": [change.as_written(found.currency) for change in repair.changes]}
        for repair in found.repairs
    ]
    return toml_text({"scenario": scenarios}) if scenarios else ""


def _scenario(found: Repairs, repair: Repair) -> str:
    """A name that a case file may hold, whatever the material is called."""
    material = found.gaps[repair.gap - 1].material
    plain = _NO_NAME.sub("-", material)
    about = (plain if plain == material else f"{plain}-{repair.gap}") if material else f"conflict-{repair.gap}"
    return f"repair-{about}-{repair.rank}"
