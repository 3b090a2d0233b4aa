"""A check: one thing that a plugin must hold to, what was found against it, and how to make a test fail for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from friendshore.errors import Diagnostic, FriendshoreError


class NotLookedAt(Exception):  # noqa: N818 - no error: the reason why a check says nothing
    """A check that cannot be made, with the reason: an earlier one failed, or there is nothing that it could look at."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One thing that is looked at, of one rule, rule pack, catalog or plugin."""

    subject: str
    """What it is about, like ``catalog `kazakhstan` ``."""
    name: str
    """Its name, like `stages`."""
    says: str
    """What must hold, in one sentence."""
    look: Callable[[], Iterable[Diagnostic]]
    """Finds what is against it."""
    note: bool = False
    """Whether what it finds is worth knowing, and no mistake."""

    def __str__(self) -> str:
        return f"{self.subject.replace('`', '').replace(' ', '-')}-{self.name}"

    def outcome(self) -> Outcome:
        """Makes the check; what friendshore refuses to read is found too."""
        try:
            return Outcome(self, tuple(self.look()))
        except NotLookedAt as reason:
            return Outcome(self, (), str(reason))
        except FriendshoreError as error:
            return Outcome(self, error.problems)

    def require(self) -> None:
        """Nothing, if it holds, or if what it finds is no mistake.

        Raises:
            AssertionError: with everything that was found.
        """
        required([self])


@dataclass(frozen=True, slots=True)
class Outcome:
    """A check that was made."""

    check: Check
    found: tuple[Diagnostic, ...]
    left_out: str = ""
    """Why it could not be made; empty if it was."""

    @property
    def holds(self) -> bool:
        """Whether no mistake was found."""
        return self.check.note or not self.found


def outcomes_of(checks: Sequence[Check], progress: Callable[[int, int, float], None] | None = None) -> list[Outcome]:
    """Makes checks, one after the other; `progress` is called with checks made, checks in all, and seconds."""
    began = time.monotonic()
    made = []
    for check in checks:
        made.append(check.outcome())
        if progress is not None:
            progress(len(made), len(checks), time.monotonic() - began)
    return made


def required(checks: Sequence[Check]) -> None:
    """Nothing, if all checks hold.

    Raises:
        AssertionError: with everything that any of them found; notes are left out.
    """
    failed = [outcome for outcome in outcomes_of([check for check in checks if not check.note]) if outcome.found]
    if failed:
        raise AssertionError("\n".join(line for outcome in failed for line in _told(outcome)))


def _told(outcome: Outcome) -> list[str]:
    check = outcome.check
    return [f"{check.subject}, check `{check.name}`: {check.says}", *(f"  {problem}" for problem in outcome.found)]
