"""Problems, as text and as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from ..errors import Diagnostic, FriendshoreError
from ..inert import visible


def problem_data(problem: Diagnostic) -> dict[str, object]:
    """A problem as JSON-ready data; what it does not say is left out."""
    return {name: value for name, value in asdict(problem).items() if value not in ("", None)}


def errors_data(error: FriendshoreError) -> dict[str, object]:
    """What is printed with `--json` in place of an answer."""
    return {"errors": [problem_data(problem) for problem in error.problems]}


def problem_lines(problems: Iterable[Diagnostic]) -> list[str]:
    """Problems as text: the place and what is wrong on one line, then what was found, expected, and how to mend it."""
    lines: list[str] = []
    for problem in problems:
        lines.append(_first_line(problem))
        details = (("found", problem.found), ("expected", problem.expected), ("fix", problem.fix))
        lines += [f"    {name + ':':<10}{text}" for name, text in details if text]
    return [*map(visible, lines)]


def _first_line(problem: Diagnostic) -> str:
    place = problem.file + (f":{problem.row}" if problem.row is not None else "")
    if problem.column:
        place += f" [{problem.column}]"
    return f"{place.strip()}: {problem.message}" if place.strip() else problem.message
