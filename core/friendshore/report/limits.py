"""Limits of a run: how many are kept, which are missed, by how much and when; and floors that cannot hold yet."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..document.elements import Section, notes, section
from ..document.figures import count, large_money, mass, number
from ..domain.run import Run, RunLimit
from ..domain.unmet import RunConflict


def limits(run: Run) -> Section | None:
    """Limits: those that the plan misses, one line a rule, and how many it keeps."""
    if not run.limits:
        return None
    missed: dict[str, list[RunLimit]] = {}
    for limit in run.limits:
        if limit.missed_by:
            missed.setdefault(limit.rule, []).append(limit)
    kept = len(run.limits) - sum(map(len, missed.values()))
    texts = [_missed(run, rows) for rows in missed.values()]
    return section("Limits", notes([*texts, f"{count(kept, 'limit')} kept, of {len(run.limits)}"]))


def _missed(run: Run, rows: list[RunLimit]) -> str:
    """A rule that is missed: in how many of its rows, in which periods, at most by how much, and what that is priced at."""
    worst = max(rows, key=lambda row: row.missed_by)
    of = sum(1 for limit in run.limits if limit.rule == worst.rule)
    text = f"{worst.rule}: {worst.sentence or 'no sentence'}"
    text = text if text.endswith(".") else f"{text}."
    text += f" Missed in {len(rows)} of {count(of, 'row')}{_when(run, rows)}"
    text += (
        f", by {_amount(run, worst)} ({worst.label})"
        if len(rows) == 1
        else f", by up to {_amount(run, worst)} ({worst.label})"
    )
    priced = sum((row.penalty for row in rows), Decimal(0))
    if priced:
        text += f", priced at {large_money(priced, run.currency)}"
    if any(worst.rule in part.rules for part in run.conflicts):
        text += "; nothing is planned where it conflicts, so that all of it is missed there"
    return text


def _when(run: Run, rows: list[RunLimit]) -> str:
    """The first and the last period that the rows name, if they name any."""
    order = {period.label: i for i, period in enumerate(run.periods)}
    found = sorted({order[word] for row in rows for word in row.label.split()[-1:] if word in order})
    if not found:
        return ""
    first, last = run.periods[found[0]].label, run.periods[found[-1]].label
    return f", {first}" if first == last else f", {first} to {last}"


def _amount(run: Run, row: RunLimit) -> str:
    if row.unit == "kg":
        return mass(row.missed_by)
    return large_money(row.missed_by, run.currency) if row.unit == run.currency else number(row.missed_by)


def floor_lines(part: RunConflict) -> Iterator[str]:
    """Floors that can hold later, with what to write into the rule."""
    for rule, day in part.holds_from.items():
        yield (
            f"{rule} can first be kept from {day} on, if nothing is asked of it before: write "
            f"`phases = [{{ from\u00a0=\u00a0{day} }}]` into the rule, and this conflict is gone"
        )
