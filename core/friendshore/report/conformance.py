"""What the checks of a plugin, a catalog or a rule pack say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..document.elements import (
    NOTHING,
    Cell,
    Column,
    Count,
    DataTable,
    Document,
    Section,
    Sentence,
    Tone,
    Verbatim,
    apart,
    document,
    figures,
    section,
    section_if_any,
    sentence,
    table,
)
from ..document.figures import count
from ..errors import Diagnostic
from .problems import problem_data, problem_lines

if TYPE_CHECKING:
    from ..testing import Outcome

MOST = 5
"""Findings of one check told as text."""


def conformance_data(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Checks as JSON-ready data."""
    return {
        "ok": all(outcome.holds for outcome in outcomes),
        "checks": [
            {
                "subject": outcome.check.subject,
                "check": outcome.check.name,
                "says": outcome.check.says,
                "result": _result(outcome),
                **({"left_out": outcome.left_out} if outcome.left_out else {}),
                "found": [problem_data(problem) for problem in outcome.found],
            }
            for outcome in outcomes
        ],
    }


def conformance_document(outcomes: Sequence[Outcome], here: Path | None = None) -> Document:
    """Checks told: how many hold of each subject, the mistakes, then what is worth knowing.

    Args:
        outcomes: checks that were made.
        here: folder below which files are told by what leads there from it; None: whole paths.
    """
    mistakes = [_told(outcome, here) for outcome in outcomes if not outcome.holds]
    worth = [_told(outcome, here) for outcome in outcomes if outcome.holds and outcome.found]
    left = [outcome for outcome in outcomes if outcome.left_out]
    return document(
        "Conformance",
        _verdict(outcomes),
        apart(_summary(outcomes)),
        section_if_any("Mistakes", *mistakes, tone=Tone.BAD),
        section_if_any("Worth knowing", *worth, tone=Tone.DOUBTFUL),
        section("Not looked at", Verbatim(tuple(_left_out(left))), tone=Tone.PLAIN) if left else None,
    )


def _result(outcome: Outcome) -> str:
    if outcome.left_out:
        return "left out"
    if not outcome.found:
        return "holds"
    return "note" if outcome.check.note else "mistake"


def _verdict(outcomes: Sequence[Outcome]) -> Sentence:
    mistakes = sum(len(outcome.found) for outcome in outcomes if not outcome.holds)
    if mistakes:
        text = f"does not conform: {count(mistakes, 'mistake')} in {count(len(outcomes), 'check')}"
        return sentence(text, tone=Tone.BAD, strong=True)
    return sentence(f"conforms: no mistake in {count(len(outcomes), 'check')}", tone=Tone.GOOD, strong=True)


def _summary(outcomes: Sequence[Outcome]) -> DataTable:
    """One line a subject: how its checks went."""
    rows: list[list[Cell]] = []
    for subject in dict.fromkeys(outcome.check.subject for outcome in outcomes):
        results = [_result(outcome) for outcome in outcomes if outcome.check.subject == subject]
        numbers = [results.count(word) for word in ("holds", "mistake", "note", "left out")]
        rows.append([subject, *(Count(number) if number else NOTHING for number in numbers)])
    return table([Column("Checked"), *map(figures, ("Hold", "Fail", "Notes", "Left out"))], rows)


def _told(outcome: Outcome, here: Path | None) -> Section:
    check = outcome.check
    lines = [f"{check.subject}, {check.name}: {check.says}"]
    lines += [f"  {line}" for line in problem_lines(_from(here, problem) for problem in outcome.found[:MOST])]
    if len(outcome.found) > MOST:
        lines.append(f"  and {len(outcome.found) - MOST} more: all with --json")
    return apart(Verbatim(tuple(lines)))


def _from(here: Path | None, problem: Diagnostic) -> Diagnostic:
    """A problem whose file is told from a folder, if it lies below it."""
    file = Path(problem.file)
    if here is None or not file.is_absolute() or not file.is_relative_to(here):
        return problem
    return replace(problem, file=str(file.relative_to(here)))


def _left_out(outcomes: Sequence[Outcome]) -> list[str]:
    """Checks that were not made, those with one reason together."""
    together: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        together.setdefault((outcome.check.subject, outcome.left_out), []).append(outcome.check.name)
    return [f"{subject}: {', '.join(names)} ({reason})" for (subject, reason), names in together.items()]
