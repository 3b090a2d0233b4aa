"""What each loss costs, as a planner reads it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import RenderableType

from ..explain.results import CENT, Difference, Effort
from ..explain.stress import Stress, Stressed
from .figures import NOTHING, count, large_money, mass, money, percent
from .tables import Column, Text, figures, lines, section, table

SHOWN = 15
"""Losses that are shown of each kind, unless more are asked for."""
MATERIALS_SHOWN = 3


def stress_report(found: Stress, width: int, shown: int = SHOWN) -> list[RenderableType]:
    """All losses in order of what they cost, and what it took to find out.

    Args:
        found: the losses.
        width: characters of a line.
        shown: losses shown of each table; 0: all.
    """
    who = "everyone who could deliver" if found.everything else "everyone the plan buys from"
    head = (
        f"{who[0].upper()}{who[1:]}, taken away in turn from {found.start} to the end of the plan. "
        f"As it is, the plan comes to {large_money(found.objective, found.currency)}, shortage included."
    )
    parts: list[RenderableType] = [Text(head)]
    parts += _losses("Without each of them alone", found.losses, found, width, shown)
    if found.pairs:
        parts += _losses("Without two countries together", found.pairs, found, width, shown)
    stopped = f"the search was ended: {count(found.unasked, 'loss', 'losses')} not asked about"
    parts += ["", lines([stopped], style="yellow")] if found.unasked else []
    return [*parts, Text(""), Text(effort_line(found.effort), style="dim")]


def _losses(title: str, losses: Sequence[Stressed], found: Stress, width: int, shown: int) -> list[RenderableType]:
    felt = [loss for loss in losses if loss.conflict or not _harmless(loss)]
    pairs = any(len(loss.loss.names) > 1 for loss in losses)
    more = [loss for loss in felt if not shown or not pairs or _more_than_apart(loss)]
    kept = more[: shown or None]
    notes = []
    if len(kept) < len(more):
        notes.append(f"{count(len(more) - len(kept), 'more loss', 'more losses')} that cost less: --top 0 shows all")
    if len(more) < len(felt):
        notes.append(
            f"{count(len(felt) - len(more), 'pair costs', 'pairs cost')} what the two cost alone: --top 0 shows all"
        )
    unfelt = [_who(loss) for loss in losses if not loss.conflict and _harmless(loss)]
    if unfelt:
        rest = f"; and {len(unfelt) - shown} more (--top 0)" if shown and len(unfelt) > shown else ""
        notes.append(f"costs nothing: {'; '.join(unfelt[: shown or None])}{rest}")
    if any(loss.tied for loss in kept):
        notes.append("~ for what is proved, it may rank below the next")
    columns = [Column("Without"), Column("Beyond the two alone", "right") if pairs else Column("Which is")]
    proved = all(loss.rise.proved for loss in kept)  # an interval is broken over lines
    columns += [Column(f"Dearer by, {found.currency}", "right", whole=proved)]
    columns += [figures("Money spent"), Column("Short in addition")]
    nothing = "no loss costs anything" if losses else "the plan buys from nobody"
    body = (
        table(columns, [_row(loss) for loss in kept], width) if kept else Text("none costs more" if felt else nothing)
    )
    return [section(title, body, lines(notes) if notes else None)]


def _harmless(loss: Stressed) -> bool:
    return loss.rise.proved and not loss.short and abs(loss.rise.value) < 1


def _more_than_apart(loss: Stressed) -> bool:
    """Whether two countries together cost something else than both alone: where each can stand in for the other."""
    return loss.beyond is None or not loss.rise.proved or abs(loss.beyond) >= 1


def _row(loss: Stressed) -> list[str]:
    if loss.conflict:
        return [_who(loss), _what(loss), "rules conflict", NOTHING, ", ".join(loss.conflict)]
    short = sorted(loss.short, key=lambda each: (-each.kilograms, each.material))
    told = [f"{each.material} {mass(each.kilograms)}" for each in short[:MATERIALS_SHOWN]]
    if len(short) > MATERIALS_SHOWN:
        told.append(f"{len(short) - MATERIALS_SHOWN} more")
    mark = " ~" if loss.tied else ""
    return [_who(loss) + mark, _what(loss), rise(loss.rise), signed(loss.spent), ", ".join(told) or NOTHING]


def _who(loss: Stressed) -> str:
    return loss.loss.name


def _what(loss: Stressed) -> str:
    """What is lost; of a pair, what it costs beyond both alone."""
    if len(loss.loss.names) > 1:
        return NOTHING if loss.beyond is None else signed(loss.beyond)
    return ", ".join([" and ".join(loss.loss.by), *loss.loss.also])


def rise(found: Difference) -> str:
    """A difference in words: one number where it is proved, else where it lies."""
    if found.proved:
        return money(found.value)
    if found.low is None or found.high is None:
        return f"{money(found.value)}, not proved"
    return f"between {money(found.low)} and {money(found.high)}, not proved"


def signed(amount: Decimal) -> str:
    """Money that may be saved as well as spent."""
    return f"{'+' if amount > 0 else ''}{money(amount)}" if abs(amount) >= CENT / 2 else NOTHING


def effort_line(effort: Effort) -> str:
    """What an answer took."""
    known = percent(Decimal(str(effort.share_reused)))
    return (
        f"{count(effort.questions, 'question')} asked, {count(effort.solved, 'independent part')} solved, "
        f"{known} of the parts known already"
    )
