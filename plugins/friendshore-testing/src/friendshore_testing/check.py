"""Checks, their outcomes, and the test failures that they cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from friendshore.errors import Diagnostic, FriendshoreError


class CheckSkipped(Exception):  # noqa: N818 - a reason for skipping a check, not an error
    """A check that can't run, with the reason: an earlier check failed, or it has no subject."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of one rule, rule pack, catalog, or plugin."""

    subject: str
    """Subject, such as ``catalog `kazakhstan` ``."""
    name: str
    requirement: str
    """The rule, in one sentence."""
    find_problems: Callable[[], Iterable[Diagnostic]]
    """Function that returns the findings."""
    note: bool = False
    """True if findings are only notes, not errors."""

    def __str__(self) -> str:
        return f"{self.subject.replace('`', '').replace(' ', '-')}-{self.name}"

    def outcome(self) -> Outcome:
        """Run the check. An error in an input also counts as a finding."""
        try:
            return Outcome(self, tuple(self.find_problems()))
        except CheckSkipped as reason:
            return Outcome(self, (), str(reason))
        except FriendshoreError as error:
            return Outcome(self, error.problems)

    def require(self) -> None:
        """Run the check. Raises AssertionError with all errors. Notes are ignored."""
        require_all([self])


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a check."""

    check: Check
    problems: tuple[Diagnostic, ...]
    skip_reason: str = ""
    """Reason for skipping the check. Empty if it ran."""

    @property
    def passed(self) -> bool:
        return self.check.note or not self.problems


def outcomes_of(checks: Sequence[Check], progress: Callable[[int, int, float], None] | None = None) -> list[Outcome]:
    """Run checks in order. `progress` is called with completed checks, all checks, and seconds."""
    start = time.monotonic()
    outcomes = []
    for check in checks:
        outcomes.append(check.outcome())
        if progress is not None:
            progress(len(outcomes), len(checks), time.monotonic() - start)
    return outcomes


def require_all(checks: Sequence[Check]) -> None:
    """Run checks. Raises AssertionError with the errors of all of them."""
    failed = [outcome for outcome in outcomes_of([check for check in checks if not check.note]) if outcome.problems]
    if failed:
        raise AssertionError("\n".join(line for outcome in failed for line in _finding_lines(outcome)))


def _finding_lines(outcome: Outcome) -> list[str]:
    check = outcome.check
    return [
        f"{check.subject}, check `{check.name}`: {check.requirement}",
        *(f"  {problem}" for problem in outcome.problems),
    ]
