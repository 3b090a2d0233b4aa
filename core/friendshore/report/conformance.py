"""What the checks of a plugin, a catalog or a rule pack say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from ..errors import Diagnostic
from .figures import count
from .problems import problem_data, problem_lines
from .tables import Column, Text, block, table

if TYPE_CHECKING:
    from ..testing import Outcome

MOST = 5
"""Findings of one check told as text."""


def conformance_data(outcomes: Sequence[Outcome]) -> dict[str, Any]:
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


def conformance_report(outcomes: Sequence[Outcome], width: int, here: Path | None = None) -> RenderableType:
    """Checks as text: how many hold of each subject, the mistakes, then what is worth knowing.

    Args:
        outcomes: checks that were made.
        width: characters of a line.
        here: folder below which files are told by what leads there from it; None: whole paths.
    """
    mistakes = [outcome for outcome in outcomes if not outcome.holds]
    notes = [outcome for outcome in outcomes if outcome.holds and outcome.found]
    left = [outcome for outcome in outcomes if outcome.left_out]
    parts: list[RenderableType] = [_verdict(outcomes), "", _summary(outcomes, width)]
    for title, style, listed in (("Mistakes", "bold red", mistakes), ("Worth knowing", "bold yellow", notes)):
        if listed:
            parts += ["", Text(title, style=style), *(_told(outcome, here) for outcome in listed)]
    if left:
        parts += ["", Text("Not looked at", style="bold"), block(_left_out(left))]
    return Group(*parts)


def _result(outcome: Outcome) -> str:
    if outcome.left_out:
        return "left out"
    if not outcome.found:
        return "holds"
    return "note" if outcome.check.note else "mistake"


def _verdict(outcomes: Sequence[Outcome]) -> Text:
    mistakes = sum(len(outcome.found) for outcome in outcomes if not outcome.holds)
    if mistakes:
        return Text(
            f"does not conform: {count(mistakes, 'mistake')} in {count(len(outcomes), 'check')}", style="bold red"
        )
    return Text(f"conforms: no mistake in {count(len(outcomes), 'check')}", style="bold green")


def _summary(outcomes: Sequence[Outcome], width: int) -> RenderableType:
    """One line a subject: how its checks went."""
    columns = [
        Column("Checked"),
        *(Column(title, "right", whole=True) for title in ("Hold", "Fail", "Notes", "Left out")),
    ]
    rows = []
    for subject in dict.fromkeys(outcome.check.subject for outcome in outcomes):
        results = [_result(outcome) for outcome in outcomes if outcome.check.subject == subject]
        rows.append([subject, *(str(results.count(word) or "–") for word in ("holds", "mistake", "note", "left out"))])
    return table(columns, rows, width)


def _told(outcome: Outcome, here: Path | None) -> RenderableType:
    check = outcome.check
    lines = ["", f"{check.subject}, {check.name}: {check.says}"]
    lines += [f"  {line}" for line in problem_lines(_from(here, problem) for problem in outcome.found[:MOST])]
    if len(outcome.found) > MOST:
        lines.append(f"  and {len(outcome.found) - MOST} more: all with --json")
    return block(lines)


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
