"""The rows of every limit rule, each asked only about the periods in which it applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..rules.answers import as_rows
from ..rules.base import Rule
from ..rules.rows import Row, Rows

if TYPE_CHECKING:
    from .build import Problem

T = TypeVar("T")


def ask_limits(problem: Problem) -> list[tuple[Rule, Row | Rows]]:
    """Every row, in the order of rules.

    Raises:
        InputError: with all that keeps any of them from being asked.
        PluginError: if a plugin's rule raises.
    """
    found: list[tuple[Rule, Row | Rows]] = []
    wrong: list[Diagnostic] = []
    for rule in problem.rules:
        if "rows" in rule.verbs:
            found.extend((rule, row) for row in tried(partial(_asked, problem, rule), wrong) or ())
    if wrong:
        raise InputError(wrong)
    return found


def _asked(problem: Problem, rule: Rule) -> list[Row | Rows]:
    try:
        with attributed(rule):
            return rows_of(problem, rule)
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


def rows_of(problem: Problem, rule: Rule) -> list[Row | Rows]:
    """The rows of one limit rule in the periods in which it applies."""
    periods = problem.case.horizon.periods
    in_force = frozenset(p.index for p in periods if rule.applies(p.span, problem.law.statuses))
    if not in_force:
        return []
    found = as_rows(rule.rows(problem.facts.within(in_force)))
    return [row.loosened(rule.loosened) for row in found] if rule.loosened else found


def materials_of(problem: Problem, row: Row | Rows) -> frozenset[str]:
    """Materials that a row, or any of many, speaks of."""
    count = problem.case.horizon.count
    materials: set[str] = set()
    for term in row.asked:
        if term.question in ("bought", "used", "spent"):
            arcs = np.unique(problem.moves.arc[term.index])
            materials |= {problem.network.arcs[arc].node[0] for arc in arcs.tolist()}
            continue
        if term.question == "untaken":
            offers = {problem.commitments[position].offer for position in term.index.tolist()}
            materials |= {line.material for offer in offers for line in problem.offers[offer].offer.outputs}
            continue
        if term.question in ("discounts", "fixed"):
            spans = problem.price_spans if term.question == "discounts" else problem.term_spans
            offers = {offer for position in term.index.tolist() for offer in spans[position].offers}
            materials |= {line.material for offer in offers for line in problem.offers[offer].offer.outputs}
            continue
        places = np.unique(term.index if term.question == "onboarding" else term.index // count).tolist()
        if term.question == "reserved":
            materials |= {problem.network.nodes[place % len(problem.network.nodes)][0] for place in places}
        elif term.question in ("delivered", "short"):
            materials |= {problem.demands[place].use.material.id for place in places}
        elif term.question in ("stock", "holding"):
            materials |= {problem.network.nodes[place][0] for place in places}
        else:
            materials |= {line.material for place in places for line in problem.offers[place].offer.outputs}
    return frozenset(materials)
