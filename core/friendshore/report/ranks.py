"""Lexicographic objectives: what each comes to, how surely, and what ranking it costs."""

from __future__ import annotations

from decimal import Decimal

from rich.console import RenderableType

from ..domain.run import Run, RunLevel
from .figures import NOTHING, mass, money, percent
from .tables import Column, figures, section, table


def ranks(run: Run, width: int) -> RenderableType | None:
    """Every level with its value and gap, what it gains, and by how much it raises the objective."""
    if not run.levels:
        return None
    rows = [
        [
            str(level.rank),
            _what(level, run),
            _amount(level, level.value, run),
            percent(level.gap),
            NOTHING if level.gained is None else _amount(level, level.gained, run),
            NOTHING if level.raised_objective is None else money(level.raised_objective),
        ]
        for level in run.levels
    ]
    columns = [figures("#"), Column("As small as those above it allow"), figures("Comes to"), figures("Gap")]
    columns += [figures("Ranking it saves"), figures(f"and adds, {run.currency}")]
    return section("Lexicographic objectives", table(columns, rows, width))


def _what(level: RunLevel, run: Run) -> str:
    """What it is about; where later levels may make it worse, from where on."""
    if not level.within:
        return level.sentence
    return f"{level.sentence} (least {_amount(level, level.least, run)}; later ones may add {percent(level.within)})"


def _amount(level: RunLevel, amount: Decimal, run: Run) -> str:
    if level.unit == run.currency:
        return f"{run.currency} {money(amount)}"
    return mass(amount) if amount else "0 kg"
