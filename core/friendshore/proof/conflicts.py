"""Conflicts of rules that a run names: each proved by itself, as a part of the program that no plan keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from ..domain.plan import Infeasible
from ..program import Program
from ..program.matrix import Ints
from ..solve import Component, Conflict, Progress, Watch, infeasible
from ..solve.components import empty_rows
from ..verify import VerifiedPlan
from .better import derived
from .certificate import Certificate, Certified
from .claims import Proof, any_plan, no_certificate, no_conflict, not_checked
from .search import ProofSearch

_PROVED = "rules conflict, which is proved: what they leave unplanned has no cost to compare"
_ANY = Decimal("Infinity")


def prove_conflicts(
    verified: VerifiedPlan,
    program: Program,
    watch: Watch,
    progress: Progress | None,
    given: Certificate | None,
) -> Proof:
    """Whether rules conflict as the run says: each part proved by itself, as one that no plan keeps; refuted by a plan that keeps them all.

    Raises:
        NoCertificateError: if what is given is none of such a program.
    """
    named = verified.plan.infeasible
    if given is not None:
        found = Certified(any_plan(program), given, watch)
        if wrong := found.findings(Decimal(0), (_ANY, _ANY)):
            return no_certificate(wrong)
        if len(_proved(verified, program, found.parts, found.empty)) == len(named):
            return replace(not_checked(_PROVED), conflicts=named)
    search = ProofSearch(any_plan(program), watch, progress)
    proved = _proved(verified, program, search.parts, [tree.empty for tree in search.trees])
    if len(proved) == len(named):
        return replace(not_checked(_PROVED), conflicts=proved)
    x = search.best()
    if x is not None and derived(verified, program, x) is not None:
        return no_conflict(verified)
    rules = ", ".join(dict.fromkeys(rule for part in named if part not in proved for rule in part.rules))
    return replace(not_checked(f"the run says that rules conflict ({rules}), which is not proved"), conflicts=proved)


def _proved(
    verified: VerifiedPlan, program: Program, parts: Sequence[Component], empty: Sequence[bool]
) -> tuple[Infeasible, ...]:
    """The conflicts that a run names and that lie in parts which no plan keeps."""
    conflicts = list(_without_plan(program, parts, empty))
    if not _excused(verified) <= {row for conflict in conflicts for row in _labels(program, conflict)}:
        return ()
    told = [infeasible(program, conflict) for conflict in conflicts]
    return tuple(part for part in verified.plan.infeasible if any(_is_within(part, one) for one in told))


def _without_plan(program: Program, parts: Sequence[Component], empty: Sequence[bool]) -> Iterator[Conflict]:
    """The parts of a program that no plan keeps, each with all rules that have a row in it."""
    for part, none in zip(parts, empty, strict=True):
        if none:
            yield Conflict(part.columns, _rules(program, part.rows), tuple(part.rows.tolist()))
    for row in empty_rows(program.linear):
        yield Conflict(np.array([], dtype=np.intp), _rules(program, np.array([row])), (int(row),))


def _excused(verified: VerifiedPlan) -> set[tuple[str, str]]:
    """The rows of limit rules that the plan misses, since rules conflict: rule and label."""
    return {
        (one.rule.id, one.row.label)
        for one in verified.readings
        if one.unplanned and one.row.penalty is None and one.miss > one.tolerance
    }


def _labels(program: Program, conflict: Conflict) -> Iterator[tuple[str, str]]:
    """The rows of limit rules in a part of a program: rule and label."""
    within = set(conflict.rows)
    for position, (rule, row) in zip(program.limits.program_rows, program.limits.rows, strict=True):
        if position in within:
            yield rule.id, row.label


def _rules(program: Program, rows: Ints) -> tuple[str, ...]:
    return tuple({owner.removeprefix("rule ") for owner in program.owners_of(rows)})


def _is_within(named: Infeasible, empty: Infeasible) -> bool:
    """Whether a conflict that a plan names is of a part that no plan keeps: nothing else is left unplanned in its name."""
    return (
        set(named.materials) <= set(empty.materials)
        and set(named.demands) <= set(empty.demands)
        and set(named.rules) <= set(empty.rules)
    )
