"""The one form of all text tables, and the columns that stand for stretches of time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.box import Box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as RichText

from ..inert import visible, visible_lines

if TYPE_CHECKING:
    from ..domain.run import Run

_RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
"""A line under the header, and nothing else."""
MOST_PERIODS = 6
"""Periods that are shown one by one; a longer plan is shown by calendar years."""


class Text(RichText):
    """One line of a report: no name that stands in it takes a line of its own, or does anything to a terminal."""

    def __init__(self, text: str = "", style: str = "") -> None:
        super().__init__(visible(text), style)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a text table."""

    title: str
    align: Literal["left", "right"] = "left"
    whole: bool = False
    """Whether its cells are never broken, as numbers and dates."""


Column = _Column


def figures(title: str) -> Column:
    """A column of numbers, which are never broken."""
    return Column(title, "right", whole=True)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str | RichText]], width: int) -> Table:
    """A table without frames, no wider than `width` if its whole columns leave room: words wrap within their column."""
    cells = [[cell if isinstance(cell, RichText) else Text(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells, width)
    made = Table(box=_RULED, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for column, room in zip(columns, widths, strict=True):
        title = Text(column.title) if column.whole else _wrapped(Text(column.title), room)
        made.add_column(title, justify=column.align, no_wrap=True, width=room)
    for row in cells:
        made.add_row(
            *(cell if c.whole else _wrapped(cell, room) for c, cell, room in zip(columns, row, widths, strict=True))
        )
    return made


def _wrapped(cell: RichText, width: int) -> RichText:
    """A cell broken at spaces and hyphens; what is indented stays so."""
    indent = " " * (len(cell.plain) - len(cell.plain.lstrip()))
    fits = widest([cell.plain]) + len(indent) <= width
    lines = textwrap.wrap(
        cell.plain.strip(), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=not fits
    )
    return RichText("\n".join(lines), style=cell.style)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[RichText]], width: int) -> list[int]:
    """Width of every column: all that it would take, or its part of what there is."""
    texts = [[column.title, *(row[i].plain for row in rows)] for i, column in enumerate(columns)]
    natural = [max(len(text.rstrip()) for text in column) for column in texts]
    widths, room = list(natural), width - 2 * (len(columns) - 1)
    for hyphens in (False, True):  # names are broken at their hyphens only where the table does not fit else
        least = [
            full if column.whole else min(full, _least(column_texts, hyphens))
            for column, full, column_texts in zip(columns, natural, texts, strict=True)
        ]
        while sum(widths) > room:
            able = [i for i in range(len(columns)) if widths[i] > least[i]]
            if not able:
                break  # rather too wide than figures cut
            widths[max(able, key=lambda i: (widths[i], -i))] -= 1
    return widths


def _least(texts: Sequence[str], hyphens: bool) -> int:
    """Characters of the longest word of a column, with its indent."""
    return (
        max((len(text) - len(text.lstrip()) + widest([text], hyphens=hyphens) for text in texts), default=0) + hyphens
    )


def widest(texts: Iterable[str], *, hyphens: bool = False) -> int:
    """Characters of the longest word, or part of a word up to a hyphen, that a column must hold if none is to be broken."""
    breaks = re.compile(r"(?<=-)|\s+" if hyphens else r"\s+")
    return max((len(word) for text in texts for word in breaks.split(text)), default=0)


def section(title: str, *parts: RenderableType | None) -> Group:
    """A heading and what belongs under it."""
    return Group("", Text(title, style="bold cyan"), *(part for part in parts if part is not None))


def lines(texts: Iterable[str | RichText], style: str = "") -> Group:
    """Sentences, one a line, or notes; what is too long goes on with an indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for text in texts:
        grid.add_row(Text("·"), Text(text, style=style) if isinstance(text, str) else text)
    return Group(grid)


def note(text: str) -> RichText:
    """What somebody says of their data at length, broken where they broke it."""
    return RichText(visible_lines(text.strip()))


def block(texts: Iterable[str]) -> RichText:
    """Lines as they are, one below the other."""
    return RichText("\n".join(map(visible, texts)))


def pairs(rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Names with a text each."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=34)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(Text(name), RichText(visible_lines(text)))
    return grid


@dataclass(frozen=True, slots=True)
class PeriodSpan:
    """Periods that share a column."""

    title: str
    periods: frozenset[str]


def stretches(run: Run, most: int) -> list[PeriodSpan]:
    """The columns that a plan's time is told in: its periods if they are few, else calendar years; never more than `most`."""
    if len(run.periods) <= min(MOST_PERIODS, max(most, 1)):
        return [PeriodSpan(period.label, frozenset({period.label})) for period in run.periods]
    years: dict[str, set[str]] = {}
    for period in run.periods:
        years.setdefault(str(period.start.year), set()).add(period.label)
    found = [PeriodSpan(year, frozenset(labels)) for year, labels in years.items()]
    if len(found) <= most:
        return found
    kept, rest = found[: most - 1], found[most - 1 :]
    title = f"{rest[0].title}–{rest[-1].title[-2:]}"
    return [*kept, PeriodSpan(title, frozenset().union(*(part.periods for part in rest)))]
