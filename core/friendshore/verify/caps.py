"""Does every cap on shares count what it names? Rows are what the rule asks for, and program and verifier read the same ones.

A row that is left out is missed by both. So for caps on shares, of which most is asked by law, it is worked out here what has to be counted: every
purchase from someone that the rule names, in a period in which the rule is in force.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from ..problem.network import Arc
from ..rules.base import Facts
from ..rules.kinds.limits import MaxShare
from ..rules.rows import Row, Rows
from ..rules.terms import BoughtTerm, ForUses
from .columns import Ints
from .ledger import PlanEntries


def check_caps(ledger: PlanEntries) -> None:
    """Find purchases that a cap on shares names and no row of it counts."""
    problem, columns = ledger.problem, ledger.columns
    # What may be used counts with the stock that is carried into the time, whoever it came from.
    caps = [r for r in problem.rules if isinstance(r, MaxShare) and r.share < 1 and r.counts == "bought"]
    moves = problem.moves.slots[columns.arc, columns.ordered] if caps else np.array([], dtype=np.intp)
    for rule in caps:
        periods = problem.case.horizon.periods
        in_force = np.array([rule.applies(period.span, problem.law.statuses) for period in periods], dtype=bool)
        demanded = {rule.group(demand.use.material) for demand in problem.demands if rule.is_here(demand)}
        named = np.array([_is_named(rule, arc, demanded, problem.facts) for arc in problem.network.arcs], dtype=bool)
        uses = ForUses(rule.end_uses, surely=False) if rule.end_uses else None
        ends = {each.label: each.ends for each in problem.compliance_classes}
        taken = [uses is None or uses.takes(ends.get(label, frozenset())) for label in columns.labels]
        day = columns.ordered if rule.dated_by == "order" else columns.delivered
        wanted = named[columns.arc] & in_force[day] & np.array(taken, dtype=bool)[columns.requirement]
        asked = [row for of, row in problem.limit_rows if of is rule]
        counted = np.concatenate([np.array([], dtype=np.intp), *map(np.asarray, _counted(asked))])
        for position in np.flatnonzero(wanted & ~np.isin(moves, counted)).tolist():
            ledger.find(f"no row of rule `{rule.id}` counts {ledger.bought[position]}, which it names")


def _is_named(rule: MaxShare, arc: Arc, demanded: Collection[str], facts: Facts) -> bool:
    """Return True if a cap names whoever a purchase may come from."""
    offer, place = arc.chained, arc.move.to
    group = rule.group(offer.material) if arc.offer >= 0 else ""
    if not group or not (rule.selects or group in demanded) or not rule.is_at(place):
        return False
    if not (rule.takes_part(offer) and rule.selected(offer) and rule.ends_here(facts, offer, place, surely=False)):
        return False
    names, complete = rule.may_be(offer)
    return not complete or bool(rule.about(sorted(names)))


def _counted(asked: list[Row | Rows]) -> Iterator[Ints]:
    """Yield the moves that some rows count."""
    for row in asked:
        if isinstance(row, Rows):
            yield row.bought.moves[row.bought.weight != 0]
        else:
            yield from (term.moves[term.weight != 0] for term in row.terms if isinstance(term, BoughtTerm))
