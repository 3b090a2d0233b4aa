"""What each loss costs, as a planner reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ...document.elements import (
    NOTHING,
    Amount,
    Cell,
    Column,
    DataTable,
    Document,
    Element,
    Section,
    Tone,
    apart,
    figures,
    notes,
    section,
    sentence,
    table,
)
from ...document.figures import count, large_money, mass
from ..told import difference, effort
from .search import Stress, Stressed

SHOWN = 15
"""Losses that are shown of each kind, unless more are asked for."""
MATERIALS_SHOWN = 3


def stress_document(found: Stress, shown: int = SHOWN) -> Document:
    """All losses in order of what they cost, and what it took to find out.

    Args:
        found: the losses.
        shown: losses shown of each table; 0: all.
    """
    who = "everyone who could deliver" if found.everything else "everyone the plan buys from"
    head = (
        f"{who[0].upper()}{who[1:]}, taken away in turn from {found.start} to the end of the plan. "
        f"As it is, the plan comes to {large_money(found.objective, found.currency)}, shortage included."
    )
    parts: list[Element] = [sentence(head), _losses("Without each of them alone", found.losses, found, shown)]
    if found.pairs:
        parts.append(_losses("Without two countries together", found.pairs, found, shown))
    if found.unasked:
        stopped = f"the search was ended: {count(found.unasked, 'loss', 'losses')} not asked about"
        parts.append(apart(notes([stopped], Tone.DOUBTFUL)))
    return Document("What each loss costs", (*parts, effort(found.effort)))


def _losses(title: str, losses: Sequence[Stressed], found: Stress, shown: int) -> Section:
    felt = [loss for loss in losses if loss.conflict or not _harmless(loss)]
    pairs = any(len(loss.loss.names) > 1 for loss in losses)
    more = [loss for loss in felt if not shown or not pairs or _more_than_apart(loss)]
    kept = more[: shown or None]
    told = []
    if len(kept) < len(more):
        told.append(f"{count(len(more) - len(kept), 'more loss', 'more losses')} that cost less: --top 0 shows all")
    if len(more) < len(felt):
        told.append(
            f"{count(len(felt) - len(more), 'pair costs', 'pairs cost')} what the two cost alone: --top 0 shows all"
        )
    unfelt = [loss.loss.name for loss in losses if not loss.conflict and _harmless(loss)]
    if unfelt:
        rest = f"; and {len(unfelt) - shown} more (--top 0)" if shown and len(unfelt) > shown else ""
        told.append(f"costs nothing: {'; '.join(unfelt[: shown or None])}{rest}")
    if any(loss.tied for loss in kept):
        told.append("~ for what is proved, it may rank below the next")
    nothing = "no loss costs anything" if losses else "the plan buys from nobody"
    empty = sentence("none costs more" if felt else nothing)
    return section(title, _table(kept, found.currency, pairs) if kept else empty, notes(told))


def _table(losses: Sequence[Stressed], currency: str, pairs: bool) -> DataTable:
    proved = all(loss.rise.proved for loss in losses)  # an interval is broken over lines
    columns = [
        Column("Without"),
        Column("Beyond the two alone", align="right") if pairs else Column("Which is"),
        Column("Dearer by", currency, "right", whole=proved),
        figures("Money spent"),
        Column("Short in addition"),
    ]
    return table(columns, map(_row, losses))


def _harmless(loss: Stressed) -> bool:
    return loss.rise.proved and not loss.short and abs(loss.rise.value) < 1


def _more_than_apart(loss: Stressed) -> bool:
    """Whether two countries together cost something else than both alone: where each can stand in for the other."""
    return loss.beyond is None or not loss.rise.proved or abs(loss.beyond) >= 1


def _row(loss: Stressed) -> list[Cell]:
    if loss.conflict:
        return [loss.loss.name, _what(loss), "rules conflict", NOTHING, ", ".join(loss.conflict)]
    short = sorted(loss.short, key=lambda each: (-each.kilograms, each.material))
    told = [f"{each.material} {mass(each.kilograms)}" for each in short[:MATERIALS_SHOWN]]
    if len(short) > MATERIALS_SHOWN:
        told.append(f"{len(short) - MATERIALS_SHOWN} more")
    name = loss.loss.name + (" ~" if loss.tied else "")
    spent = Amount(loss.spent, form="signed")
    return [name, _what(loss), difference(loss.rise), spent, ", ".join(told) or NOTHING]


def _what(loss: Stressed) -> Cell:
    """What is lost; of a pair, what it costs beyond both alone."""
    if len(loss.loss.names) > 1:
        return NOTHING if loss.beyond is None else Amount(loss.beyond, form="signed")
    return ", ".join([" and ".join(loss.loss.by), *loss.loss.also])
