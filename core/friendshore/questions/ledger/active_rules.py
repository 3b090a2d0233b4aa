"""Which rules do anything at all in a problem: what a rule that does nothing is proved by, whatever other rules do."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...domain.base import exact
from ...domain.use import Use
from ...plugins import attributed
from ...problem.network import Arc
from ...problem.problem import Problem
from ...rules.answers import as_charge
from ...rules.base import Rule
from ...rules.rows import Row, Rows, one_by_one


def active_rules(problem: Problem) -> frozenset[str]:
    """Ids of the rules that find against any arc, charge anything or limit anything, in a period in which they apply.

    Verdicts, charges and rows are asked of facts alone, never of what other rules say: a rule that is not among these changes no
    plan, whichever other rules hold.

    Raises:
        PluginError: if a plugin's rule raises.
    """
    law, periods = problem.law, problem.case.horizon.periods
    applying = [i for i, _ in enumerate(problem.rules) if any(law.in_force(i, period.span) for period in periods)]
    against = {i for judged in problem.judgements.values() for table in (judged.chain, judged.trade) for i in table}
    asking = {rule.id for rule, row in problem.limit_rows if not _empty(row)}
    found = {problem.rules[i].id for i in applying if i in against or _charges(problem, problem.rules[i])}
    return frozenset(found | asking)


def _empty(row: Row | Rows) -> bool:
    """Whether a row counts nothing at all, and holds: what may be counted is a matter of facts, so that it always does."""
    if not all(term.is_empty for term in row.asked):
        return False
    return all((one.at_least or 0) <= 0 and (one.at_most is None or one.at_most >= 0) for one in one_by_one(row))


def _charges(problem: Problem, rule: Rule) -> bool:
    """Whether a rule charges anything on any arc, for any possible customs origin."""
    if "charge" not in rule.verbs:
        return False
    with attributed(rule):
        return any(
            as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            for arc, use in _moves(problem, rule)
            for origin in sorted(arc.chained.origins[0])
            for value in _values(problem, arc)
        )


def _values(problem: Problem, arc: Arc) -> list[Decimal]:
    """Prices per kilogram of an arc in all periods, without repeats."""
    facts = problem.offers[arc.offer]
    prices = sorted(set(facts.price))
    return prices if facts.single else [exact(price / facts.mass_per_unit) for price in prices]


def _moves(problem: Problem, rule: Rule) -> Iterator[tuple[Arc, Use]]:
    """Every arc that is bought, for every use that it can reach; for one of them where the rule does not read the use."""
    seen: set[int] = set()
    for use, judged in problem.judgements.items():
        for index in sorted(judged.reach - seen):
            if problem.network.arcs[index].offer >= 0:
                yield problem.network.arcs[index], use
        if not rule.charge_reads_use:
            seen |= judged.reach
