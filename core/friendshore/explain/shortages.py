"""Why a demand is short: because nobody can supply it, or because supply costs more than the shortage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from ..domain.base import grouped
from ..domain.case import Case
from ..domain.change import Change
from ..domain.watch import told_each
from ..problem import Problem
from ..problem.network import final_node
from ..problem.parts import materials_of
from ..program import compile_program
from ..rules.rows import one_by_one
from ..session import Session
from ..solve import least
from .causes import SupplyCauses


class Reason(Enum):
    """Why a demand is short."""

    NO_SUPPLY = "no supply"
    """No admissible plan delivers more to it."""
    DEARER = "dearer than its price"
    """One does, for more money than the shortage is priced at, or by taking from other demand."""
    OUTRANKED = "dearer or ranked lower"
    """The same, where the case ranks objectives: or by giving up some of what ranks higher."""
    CONFLICT = "rules conflict"
    UNPROVED = "not proved"
    """A limit ended the search."""


def shortage_reasons(session: Session) -> dict[str, Reason]:
    """The reason of every demand that is short, by its id: found by solving again for the least that it can be short of."""
    plan = session.verified.plan
    conflicting = {name for part in plan.infeasible for name in part.demands}
    short = plan.short_by_demand
    positions = {demand.id: i for i, demand in enumerate(session.problem.demands)}
    return {
        name: Reason.CONFLICT if name in conflicting else _reason(session, positions[name], float(kilograms))
        for name, kilograms in told_each(sorted(short.items()), "finding out why demands are short", "demands", 1)
    }


def _reason(session: Session, demand: int, kilograms: float) -> Reason:
    best = session.least_short(demand)
    if best is None:
        return Reason.UNPROVED
    more = Reason.OUTRANKED if session.problem.objectives else Reason.DEARER
    return more if _less(best, kilograms, session.problem.case) else Reason.NO_SUPPLY


def limiting_rules(session: Session, reasons: Mapping[str, Reason]) -> dict[str, tuple[str, ...]]:
    """Limit rules that keep supply from demands which no plan serves better: without one of them, or else without all, more would be available.

    Asked only where something lawful is there in time and is not used up: everything else is read off the facts.
    """
    causes = SupplyCauses(session.verified, {})
    positions = {demand.id: i for i, demand in enumerate(session.problem.demands)}
    periods = grouped((entry.demand, entry.period) for entry in session.verified.plan.shorts)
    short = {name: float(kilograms) for name, kilograms in session.verified.plan.short_by_demand.items()}
    found = {}
    for name, reason in told_each(list(reasons.items()), "looking for limits that keep supply out", "demands", 1):
        if reason is Reason.NO_SUPPLY and any(causes.spare(positions[name], t) for t in periods[name]):
            rules = list(_upstream_limits(session.problem, positions[name]))
            alone = tuple(rule for rule in rules if _better_without(session, name, [rule], short[name]))
            together = rules if not alone and _better_without(session, name, rules, short[name]) else ()
            if alone or together:
                found[name] = alone or tuple(together)
    return found


def _upstream_limits(problem: Problem, demand: int) -> Iterator[str]:
    """Hard limit rules that speak of a material up the chain of a demand."""
    _, nodes = problem.network.reach(final_node(problem.demands[demand].use))
    materials = {material for material, _ in nodes}
    asked = {
        rule.id
        for rule, rows in problem.limit_rows
        if materials & materials_of(problem, rows) and any(row.penalty is None for row in one_by_one(rows))
    }
    yield from sorted(asked)


def _better_without(session: Session, demand: str, rules: list[str], kilograms: float) -> bool:
    """Whether a demand could be less short if some rules did not hold."""
    if not rules:
        return False
    use = next(one.use for one in session.problem.demands if one.id == demand)
    members = session.parts.members[session.parts.of_material[use.material.id]]
    inputs = session.parts.part(members)
    here = {rule.id for rule in inputs.rules}
    if not here & set(rules):
        return False
    program = compile_program(inputs.after([Change(disable=rule) for rule in rules if rule in here]).problem())
    best = least(program, program.short_of({demand}), session.left(), session.cancel)
    return best is not None and _less(best, kilograms, program.problem.case)


def _less(best: float, kilograms: float, case: Case) -> bool:
    """Whether a demand could be short of less than it is: below a resolution a period, rounding alone tells the two apart."""
    return kilograms - best > float(case.resolution) * case.horizon.count + 1e-6 * kilograms
