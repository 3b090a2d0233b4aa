"""What a check of a case, and of a run folder, says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..domain.used import STALE, aged, is_stale
from ..errors import Problem
from .figures import count
from .problems import problem_data, problem_lines
from .tables import lines

MOST = 30
"""Suggestions told as text."""

if TYPE_CHECKING:  # a list of plugins needs no solver
    from ..recommend import Checked, RunCheck


def check_data(checked: Checked) -> dict[str, Any]:
    """A check of a case as JSON-ready data."""
    return {
        "ok": not checked.errors,
        "errors": [problem_data(problem) for problem in checked.errors],
        "suggestions": [problem_data(problem) for problem in checked.suggestions],
        "data": [{"kind": one.kind, "name": one.name, "as_of": str(one.as_of or "")} for one in checked.data],
    }


def check_report(checked: Checked, day: date | None = None) -> RenderableType:
    """A check of a case as text: how old its data are, its suggestions, and how many mistakes there are; the mistakes go to stderr.

    Args:
        checked: what was found.
        day: today.
    """
    if checked.errors:
        return Text(count(len(checked.errors), "mistake"), style="bold red")
    head = Group(Text("no mistakes", style="bold green"), *_ages(checked, day))
    if not checked.suggestions:
        return head
    texts = [_suggestion(problem) for problem in checked.suggestions[:MOST]]
    if len(checked.suggestions) > MOST:
        texts.append(f"and {len(checked.suggestions) - MOST} more: all with --json")
    return Group(head, "", Text(count(len(checked.suggestions), "suggestion"), style="bold"), lines(texts))


def _ages(checked: Checked, day: date | None) -> Iterator[RenderableType]:
    if checked.data:
        yield lines(f"{one.kind} {one.name}, {aged(one.as_of, day)}" for one in checked.data)
    if old := [f"{one.kind} {one.name}" for one in checked.data if is_stale(one.as_of, day)]:
        yield Text(f"looked at more than {STALE.days} days ago: {', '.join(old)}", style="yellow")


def _suggestion(problem: Problem) -> str:
    place = f"{problem.file}: " if problem.file else ""
    return f"{place}{problem.message}" + (f" ({problem.fix})" if problem.fix else "")


def run_check_data(checked: RunCheck) -> dict[str, Any]:
    """A check of a run as JSON-ready data."""
    return {
        "case": checked.case,
        "verified": checked.verified,
        "findings": [problem_data(problem) for problem in checked.findings],
        "unverified": [problem_data(problem) for problem in checked.unchecked],
        "notes": list(checked.notes),
    }


def run_check_report(checked: RunCheck) -> RenderableType:
    """A check of a run as text."""
    parts: list[RenderableType] = [_verdict(checked)]
    if checked.findings:
        parts += ["", Text("\n".join(problem_lines(checked.findings)))]
    if checked.unchecked:
        title = "Left unverified"
        parts += ["", Text(title, style="bold yellow"), Text("\n".join(problem_lines(checked.unchecked)))]
    if checked.notes:
        parts += ["", lines(checked.notes)]
    return Group(*parts)


def _verdict(checked: RunCheck) -> Text:
    if checked.findings:
        return Text(f"{checked.case}: NOT SO, {count(len(checked.findings), 'finding')}", style="bold red")
    if checked.unchecked:
        told = f"{checked.case}: what could be checked is so; {count(len(checked.unchecked), 'rule')} left unverified"
        return Text(told, style="bold yellow")
    return Text(f"{checked.case}: verified, every figure derived again from the facts", style="bold green")
