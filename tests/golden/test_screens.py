"""Screens of `plan` for small cases, compared with reviewed texts: shortages with causes, conflicts, and a full store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import friendshore
from friendshore.cli.cases import write_starter

from .screens import WIDTHS, held

CHEAP = """
[[rule]]
kind = "pin"
id = "take-some"
offer = "quebec-gallium"
at_least = "300 kg"

[[rule]]
kind = "budget"
id = "for-nothing"
amount = 1
"""
STORED = """
[[stock]]
id = "vault"
material = "gallium-4n"
quantity = "20 t"
acquired = 2024-05-01
chain = [{ stage = "mined", countries = ["CA"], complete = true }, { stage = "refined", countries = ["CA"], complete = true }]
"""
NEVER = """
[[demand]]
id = "sensors"
material = "indium-5n"
end_use = "civil"
per_year = "300 kg"
from = 2027-01-01
shortage_price = "900 USD/kg"
why = "invented"
"""
INDIUM = "indium-5n,Indium metal,In,metal,5N,In,1,8112.92,mined;refined,invented\n"


def starter(folder: Path) -> Path:
    """The case that `init` writes."""
    write_starter(folder)
    return folder


def add(folder: Path, file: str, text: str) -> None:
    """Adds to a file of the case."""
    with (folder / file).open("a", encoding="utf-8") as opened:
        opened.write(text)


def conflict(folder: Path) -> None:
    """Two hard rules that cannot hold together."""
    add(folder, "case.toml", CHEAP)


def relaxed(folder: Path) -> None:
    """The same, with the limit relaxed that is further from what can be kept."""
    conflict(folder)


def short(folder: Path) -> None:
    """Without Canada defense waits for Australia; of indium there is no offer at all."""
    capacity = folder / "catalog" / "capacity.csv"
    rows = capacity.read_text(encoding="utf-8").splitlines()
    capacity.write_text("\n".join(row for row in rows if not row.startswith("quebec")) + "\n", encoding="utf-8")
    add(folder, "case.toml", NEVER)
    add(folder, "catalog/materials.csv", INDIUM)


def stored(folder: Path) -> None:
    """All that is wanted lies in a store."""
    add(folder, "case.toml", STORED)


def plain(_folder: Path) -> None:
    """As it is."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("change", [plain, conflict, relaxed, short, stored])
def test_screen(change: Callable[[Path], None], width: int, tmp_path: Path) -> None:
    """A screen shows what its text shows."""
    folder = starter(tmp_path / "case")
    change(folder)
    run = friendshore.plan(friendshore.load_case(folder), strict_limits=change is conflict).run
    held(run, change.__name__, date(2026, 11, 27), width)
