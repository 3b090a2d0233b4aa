"""The one form of all text tables, and the columns that stand for stretches of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.box import Box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..domain.run import Run

_RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
"""A line under the header, and nothing else."""
MOST_PERIODS = 6
"""Periods that are shown one by one; a longer plan is shown by calendar years."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a text table."""

    title: str
    align: Literal["left", "right"] = "left"
    whole: bool = False
    """Whether its cells are never broken, as numbers and dates."""
    least: int | None = None
    """Fewest characters that it is squeezed to."""


def figures(title: str) -> Column:
    """A column of numbers, which are never broken."""
    return Column(title, "right", whole=True)


def table(columns: Sequence[Column], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """A table without frames: words wrap within their column, numbers never do."""
    made = Table(box=_RULED, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        made.add_column(
            Text(column.title), justify=column.align, no_wrap=column.whole, overflow="fold", min_width=column.least
        )
    for row in rows:
        made.add_row(*(Text(cell, overflow="fold") if isinstance(cell, str) else cell for cell in row))
    return made


def widest(texts: Iterable[str]) -> int:
    """Characters of the longest word, which a column must hold if none is to be broken."""
    return max((len(word) for text in texts for word in text.split()), default=0)


def section(title: str, *parts: RenderableType | None) -> Group:
    """A heading and what belongs under it."""
    return Group("", Text(title, style="bold cyan"), *(part for part in parts if part is not None))


def lines(texts: Iterable[str], style: str = "") -> Group:
    """Sentences, one a line; what is too long goes on with an indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for text in texts:
        grid.add_row(Text("·"), Text(text, style=style))
    return Group(grid)


def pairs(rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Names with a text each."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=34)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(Text(name), Text(text))
    return grid


@dataclass(frozen=True, slots=True)
class Stretch:
    """Periods that share a column."""

    title: str
    periods: frozenset[str]


def stretches(run: Run, most: int) -> list[Stretch]:
    """The columns that a plan's time is told in: its periods if they are few, else calendar years; never more than `most`."""
    if len(run.periods) <= min(MOST_PERIODS, max(most, 1)):
        return [Stretch(period.label, frozenset({period.label})) for period in run.periods]
    years: dict[str, set[str]] = {}
    for period in run.periods:
        years.setdefault(str(period.start.year), set()).add(period.label)
    found = [Stretch(year, frozenset(labels)) for year, labels in years.items()]
    if len(found) <= most:
        return found
    kept, rest = found[: most - 1], found[most - 1 :]
    title = f"{rest[0].title}–{rest[-1].title[-2:]}"
    return [*kept, Stretch(title, frozenset().union(*(part.periods for part in rest)))]
