"""Rows of limit rules, for which the verifier asks plugins' rules itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from itertools import zip_longest

import numpy as np

from ..domain.base import grouped
from ..plugins import attributed
from ..plugins.interface import is_own
from ..problem import Problem
from ..problem.rule_facts import ask_limits
from ..rules.answers import WrongAnswer
from ..rules.base import Rule
from ..rules.rows import Row, Rows


def limit_rows(problem: Problem) -> list[tuple[Rule, Row | Rows]]:
    """Return every row of every limit rule, in the order of the problem's own.

    Rules of plugins are asked once more: what they answered first is in the program that was solved, and a rule that answers
    differently the second time limits nothing. friendshore's own kinds are pure functions, which its tests show.

    Raises:
        PluginError: if a plugin's rule raises, or answers differently.
    """
    foreign = [rule for rule in problem.rules if "rows" in rule.verbs and not is_own(type(rule))]
    if not foreign:
        return problem.limit_rows
    first = grouped((id(rule), row) for rule, row in problem.limit_rows)
    again = grouped(
        (id(rule), row) for rule, row in ask_limits(foreign, problem.case.horizon.periods, problem.law, problem.facts)
    )
    for rule in foreign:
        with attributed(rule):
            _refuse_difference(first.get(id(rule), ()), again.get(id(rule), ()))
    asked = {**first, **again}
    return [(rule, row) for rule in problem.rules for row in asked.get(id(rule), ())]


def _refuse_difference(first: Sequence[Row | Rows], again: Sequence[Row | Rows]) -> None:
    """Refuse what a rule answers if it is not what it answered before.

    Raises:
        WrongAnswer: naming the first row that differs.
    """
    for before, after in zip_longest(first, again):
        if contents(before) != contents(after):
            raise WrongAnswer(
                f"`rows` answers differently when it is asked again: {_in_words(before)} the first time, {_in_words(after)} the second. "
                "A rule may depend on nothing but what it is given"
            )


def contents(value: object) -> object:
    """Return what a row says, as a value that is equal to that of a row which says the same."""
    if is_dataclass(value):
        return type(value), *(contents(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(contents, value))
    return value


def _in_words(rows: Row | Rows | None) -> str:
    if rows is None or (isinstance(rows, Rows) and not len(rows)):
        return "no further row"
    row, named = (rows, "row `{}`") if isinstance(rows, Row) else (rows[0], "rows `{}` and on")
    ends = (("at least", row.at_least), ("at most", row.at_most))
    bounds = [f"{words} {end.normalize():f}" for words, end in ends if end is not None]
    return f"{named.format(row.label)} with {' and '.join(bounds) or 'no bound'}"
