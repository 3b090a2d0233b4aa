"""The rows of every limit rule, each asked only about the periods in which it applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar, assert_never

import numpy as np

from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..rules.answers import as_rows
from ..rules.base import Rule
from ..rules.rows import Row, Rows
from ..rules.terms import Table

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
    found = as_rows(rule.rows(problem.facts.within(in_force)), rule.counted_end_uses)
    return [row.loosened(rule.loosened) for row in found] if rule.loosened else found


def materials_of(problem: Problem, row: Row | Rows) -> frozenset[str]:
    """Materials that a row, or any of many, speaks of."""
    return frozenset(
        material
        for term in row.asked
        for table, positions in term.positions.items()
        for material in _materials(problem, table, np.unique(positions).tolist())
    )


def _materials(problem: Problem, table: Table, positions: Sequence[int]) -> set[str]:
    """Materials that some entries of a table are about."""
    nodes = problem.network.nodes
    match table:
        case "moves":
            arcs = np.unique(problem.moves.arc[positions]).tolist()
            return {problem.network.arcs[arc].node[0] for arc in arcs}
        case "demands":
            return {problem.demands[demand].use.material.id for demand in positions}
        case "nodes":
            return {nodes[node][0] for node in positions}
        case "offers":
            return _made(problem, positions)
        case "price_spans":
            return _made(problem, (offer for span in positions for offer in problem.price_spans[span].offers))
        case "term_spans":
            return _made(problem, (offer for span in positions for offer in problem.term_spans[span].offers))
        case "commitments":
            return _made(problem, (problem.commitments[commitment].offer for commitment in positions))
        case "classes" | "periods":
            return set()
        case _:
            assert_never(table)


def _made(problem: Problem, offers: Iterable[int]) -> set[str]:
    return {line.material for offer in set(offers) for line in problem.offers[offer].offer.outputs}
