"""Limits that ask for nothing, or admit nothing, because the case has no demand that they are about."""

from __future__ import annotations

from collections.abc import Iterator

from ..domain.time import Period
from ..problem import Problem
from ..rules.base import Rule
from ..rules.kinds.limits import Cover, MaxChurn, MaxShare, MinDelivered, MinShare, MinSuppliers, StockLevel
from ..rules.kinds.shared import listed


def idle_limits(problem: Problem) -> Iterator[tuple[Rule, str]]:
    """Yield every rule in force that asks for something of which the case has nothing, with a sentence that says so.

    A cap of which nothing could count is kept whatever is bought, and is left out.
    """
    asked = {rule.id for rule, _ in problem.limit_rows}
    for rule in problem.rules:
        if rule.id not in asked and _asks(rule) and _in_force(problem, rule):
            what = "bought today" if isinstance(rule, MaxChurn) else "demanded"
            later = " later" if isinstance(rule, Cover) else ""
            yield rule, f"rule `{rule.id}` limits nothing: nothing that it is about is {what}{later}"
    for rule, groups in _shares_of_nothing(problem):
        if rule.id in asked:
            capped = isinstance(rule, MaxShare) and rule.counts == "bought"
            then = "what it caps may not be bought" if capped else "it asks for none of it"
            of = f"rule `{rule.id}` takes a share of the demand for {listed(groups)}"
            yield rule, f"{of}, and the case demands none: so {then}"


def _shares_of_nothing(problem: Problem) -> Iterator[tuple[Rule, list[str]]]:
    """Yield every rule on a share of the demand, with the groups of materials that it is about and nobody demands."""
    for rule in problem.rules:
        share = isinstance(rule, MaxShare | MinShare) and rule.of == "demand"
        if not (share or isinstance(rule, MinSuppliers)):
            continue
        assert isinstance(rule, MaxShare | MinShare | MinSuppliers)
        periods = [period.index for period in _in_force(problem, rule)]
        facts = problem.facts.within(frozenset(periods), rule.dated_by)
        groups = [name for name, part in rule.groups(facts) if not rule.demanded(part, name, periods)]
        if periods and groups:
            yield rule, groups


def _asks(rule: Rule) -> bool:
    if isinstance(rule, StockLevel):
        return bool(rule.exactly or rule.at_least)
    return isinstance(rule, Cover | MaxChurn | MinDelivered | MinShare | MinSuppliers)


def _in_force(problem: Problem, rule: Rule) -> list[Period]:
    return [p for p in problem.case.horizon.periods if rule.applies(p.span, problem.law.statuses)]
