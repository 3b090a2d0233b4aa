"""The rows of every limit rule, each asked only about the periods in which it applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ..domain.time import Period
from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..plugins.interface import is_own
from ..rules.answers import MOST_ROWS, as_rows
from ..rules.base import Rule
from ..rules.rows import Row, Rows
from .judging import Law
from .rule_facts import ProblemFacts

T = TypeVar("T")


def ask_limits(
    rules: Sequence[Rule], periods: Sequence[Period], law: Law, facts: ProblemFacts
) -> list[tuple[Rule, Row | Rows]]:
    """Every row that rules ask for, in their order; those that limit nothing are left out.

    Raises:
        InputError: with all that keeps any of them from being asked.
        PluginError: if a plugin's rule raises.
    """
    found: list[tuple[Rule, Row | Rows]] = []
    wrong: list[Diagnostic] = []
    for rule in rules:
        if "rows" in rule.verbs:
            found.extend((rule, row) for row in tried(partial(_asked, rule, periods, law, facts), wrong) or ())
    if wrong:
        raise InputError(wrong)
    return found


def _asked(rule: Rule, periods: Sequence[Period], law: Law, facts: ProblemFacts) -> list[Row | Rows]:
    try:
        with attributed(rule):
            return rows_of(rule, periods, law, facts)
    except InputError as error:
        raise of_rule(rule, error) from error


def of_rule(rule: Rule, error: InputError) -> InputError:
    """The same mistakes, told of the rule that finds them."""
    return InputError(replace(problem, column=f"rule `{rule.id}`") for problem in error.problems)


def tried(make: Callable[[], T], wrong: list[Diagnostic]) -> T | None:
    """What `make` returns; None, with its mistakes kept, if it refuses."""
    try:
        return make()
    except InputError as error:
        wrong.extend(error.problems)
        return None


def rows_of(rule: Rule, periods: Sequence[Period], law: Law, facts: ProblemFacts) -> list[Row | Rows]:
    """The rows of one limit rule in the periods in which it applies."""
    in_force = frozenset(p.index for p in periods if rule.applies(p.span, law.statuses))
    if not in_force:
        return []
    most = None if is_own(type(rule)) else MOST_ROWS
    found = as_rows(rule.rows(facts.within(in_force, rule.dated_by)), rule.counted_end_uses, most)
    found = [row.loosened(rule.loosened) for row in found] if rule.loosened else found
    carried = {one.row: one.allowed - one.used for one in facts.case.carryovers if one.rule == rule.id}
    return [row.shifted(carried) for row in found] if carried else found
