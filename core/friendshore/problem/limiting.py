"""The rows of every limit rule, each asked only about the periods in which it bites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plugins import attributed
from ..rules.base import Rule
from ..rules.rows import Row

if TYPE_CHECKING:
    from .build import Problem


def limit_rows(problem: Problem) -> list[tuple[Rule, Row]]:
    """Every row, in the order of rules: what the program compiles, and what the verifier reads on the plan.

    Raises:
        PluginError: if a plugin's rule raises.
    """
    found: list[tuple[Rule, Row]] = []
    for rule in problem.rules:
        if "rows" not in rule.verbs:
            continue
        periods = problem.case.horizon.periods
        in_force = frozenset(p.index for p in periods if rule.bites(p.span, problem.law.statuses))
        if in_force:
            with attributed(rule):
                found.extend((rule, row) for row in rule.rows(problem.facts.within(in_force)))
    return found


def materials_of(problem: Problem, row: Row) -> frozenset[str]:
    """Materials that a row speaks of."""
    count = problem.case.horizon.count
    materials: set[str] = set()
    for term in row.terms:
        for position in term.index.tolist():
            if term.question in ("bought", "used", "spent"):
                materials.add(problem.network.arcs[int(problem.moves.arc[position])].node[0])
            elif term.question in ("delivered", "short"):
                materials.add(problem.demands[position // count].use.material.id)
            elif term.question in ("stock", "holding"):
                materials.add(problem.network.nodes[position // count][0])
            else:
                offer = position if term.question == "onboarding" else position // count
                materials |= {line.material for line in problem.offers[offer].offer.outputs}
    return frozenset(materials)
