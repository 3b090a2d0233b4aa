"""The verdict table: what possible countries and barred ones make of a stage, and how stages combine.

Possible countries C, barred countries B:

- nothing is known of C: unproven
- none of C is barred and the list is complete: pass
- all of C are barred and the list is complete: fail
- anything else: unproven

A barred set may also be given by what it leaves free: then everything else is barred. Over stages and steps, fail beats
unproven beats pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.use import PASS, Result, Verdict


@dataclass(frozen=True, slots=True)
class Barred:
    """Countries that a rule bars: those listed, or all but those listed."""

    countries: frozenset[str]
    all_but: bool = False
    """Whether `countries` are the ones left free."""

    def among(self, possible: frozenset[str]) -> frozenset[str]:
        """Which of `possible` are barred."""
        return possible - self.countries if self.all_but else possible & self.countries


def result_of(possible: frozenset[str], complete: bool, barred: Barred) -> Result:
    """The verdict table on one stage.

    Args:
        possible: the countries in which it may have happened; none: nobody says.
        complete: whether `possible` is known to be all of them.
        barred: what the rule bars.
    """
    if not possible or not complete:
        return Result.UNPROVEN
    hit = barred.among(possible)
    if not hit:
        return Result.PASS
    return Result.FAIL if hit == possible else Result.UNPROVEN


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that decides: the first of the worst ones; pass if there are none."""
    return max(verdicts, key=lambda verdict: verdict.result.rank, default=PASS)
