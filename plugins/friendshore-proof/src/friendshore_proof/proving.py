"""Is the plan as good as the run says? A lower bound on what any plan costs, proved from the facts in exact arithmetic.

The program is compiled anew from the facts. Solvers give hints alone: the multipliers of a bound by duality (`exact`), which leaves to look at
(`search`), and plans, which count once `verify` has derived them from the facts. So nothing has to be believed of a solver. That the
program holds every plan worth having, and costs it rightly, is believed of `friendshore.program`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from friendshore.domain.plan import Infeasible, PlanStatus
from friendshore.program import Program, compile_program
from friendshore.program.matrix import Floats, Ints
from friendshore.solve import Cancel, Component, Conflict, Progress, Solution, Watch, infeasible, plan_of
from friendshore.solve.components import empty_rows
from friendshore.solve.engine import LevelResult
from friendshore.verify import VerifiedPlan, examine

from .certificate import Certificate, Certified, NoCertificateError, certified, counts, read, stated_as, text_of
from .claims import (
    Aim,
    Proof,
    ProvedParts,
    Shown,
    aims_of,
    any_plan,
    beaten,
    no_certificate,
    no_conflict,
    not_checked,
    together,
    told,
)
from .search import ProofSearch

__all__ = ["SECONDS", "Proof", "ProvedParts", "aims_of", "beaten", "certify", "not_checked", "prove_optimality"]

SECONDS = 30.0
"""Default time limit of a proof."""
MOST_ENTRIES = 2_000_000
"""Maximum number of coefficients. More would take over half a gigabyte as fractions."""


def prove_optimality(
    verified: VerifiedPlan,
    seconds: float | None = SECONDS,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    certificate: Mapping[str, object] | None = None,
) -> Proof:
    """What can be proved of how good a plan is, beside what its run claims.

    Args:
        verified: a plan that holds.
        seconds: time for it; what is not proved by then is told as such. None: there is no such limit.
        progress: told how far it is.
        cancel: ends it once it is set.
        certificate: what the run says to prove it, as `certify` made it: where that is enough, nothing is searched and no solver is asked.

    Raises:
        SolverError: if the cost of the program has no least value.
        PluginError: if a plugin's limit rule raises.
    """
    program = compile_program(verified.problem)
    if program.linear.entries.nnz > MOST_ENTRIES:
        return not_checked(
            f"the program has {program.linear.entries.nnz:,} coefficients, too many to prove anything of"
        )
    watch = Watch(seconds, cancel)
    try:
        given = [] if certificate is None else read(certificate)
        if verified.plan.infeasible:
            return prove_conflicts(verified, program, watch, progress, given[0] if given else None)
        return _proved(verified, program, watch, progress, given)
    except NoCertificateError as error:
        return no_certificate([str(error)])


def _proved(
    verified: VerifiedPlan,
    program: Program,
    watch: Watch,
    progress: Progress | None,
    given: Sequence[Certificate],
) -> Proof:
    shown: list[Shown] = []
    parts: list[ProvedParts] = []
    for rank, aim in enumerate(aims_of(verified, program)):
        found = Certified(aim, given[rank], watch) if rank < len(given) else None
        if found is not None and (wrong := found.findings(*_stated(aim, verified))):
            return no_certificate(wrong)
        if found is not None and (one := Shown(aim, found.bound, None)).holds:
            shown.append(one)
            counted = found.counts
            if one.is_optimal:
                counted = replace(counted, linear_proved=counted.linear, integer_proved=counted.integer)
            parts.append(counted)
            continue
        search = ProofSearch(aim, watch, progress)
        cheaper = better(verified, program, aim, search.best())
        known = [bound for bound in (search.bound, found.bound if found is not None else None) if bound is not None]
        shown.append(Shown(aim, max(known, default=None), cheaper))
        tried = [_counts(search, shown[-1]), *([found.counts] if found is not None else [])]
        parts.append(max(tried, key=lambda one: one.proved))
        if cheaper is not None or not known:
            break  # the objectives after it are about plans that keep it
    return replace(told(shown, verified, late=watch.stopped()), parts=together(parts))


def certify(
    verified: VerifiedPlan,
    program: Program,
    x: Floats,
    seconds: float | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> str | None:
    """The text of a certificate of how good a plan is: with it `prove_optimality` needs no solver. The same plan has the same certificate,
    unless a limit of time ends it.

    Args:
        verified: a plan that holds.
        program: the program that it was found in.
        x: the plan, as values of all columns.
        seconds: time for it; what is not proved by then is left out. None: there is no such limit.
        progress: told how far it is.
        cancel: ends it once it is set.

    Returns:
        None where the program is too large to prove anything of.

    Raises:
        SolverError: if the cost of the program has no least value.
    """
    if program.linear.entries.nnz > MOST_ENTRIES:
        return None
    watch = Watch(seconds, cancel)
    if verified.plan.infeasible:
        return text_of([certified(ProofSearch(any_plan(program), watch, progress), None)])
    searches = (ProofSearch(aim, watch, progress, x) for aim in aims_of(verified, program))
    return text_of([certified(search, x) for search in searches])


def _stated(aim: Aim, verified: VerifiedPlan) -> tuple[Decimal, tuple[Decimal, Decimal]]:
    """Return the total value of a plan's parts with its lower and upper tolerance: unused leftovers may have been dropped."""
    value = aim.of(verified)
    return value, (aim.slack, aim.slack + max(aim.value - aim.claimed, Decimal(0)))


def _counts(search: ProofSearch, shown: Shown) -> ProvedParts:
    """Return the number of parts that a search proved, where the total counts for all."""
    bounds = [tree.bound for tree in search.trees]
    best = [None if tree.best is None else Decimal(repr(tree.best[0])) for tree in search.trees]
    if shown.is_optimal:
        best = [None if bound is None else stated_as(bound) for bound in bounds]
    return counts(search.parts, bounds, best, certified=False)


def better(verified: VerifiedPlan, program: Program, aim: Aim, x: Floats | None) -> VerifiedPlan | None:
    """Return the verified plan of `x` if it beats the claim, or None."""
    if x is None or float(aim.linear.cost @ x) + aim.linear.constant >= float(aim.claimed - aim.slack):
        return None
    found = derived(verified, program, x)
    return found if found is not None and aim.is_beaten(found, verified) else None


def derived(verified: VerifiedPlan, program: Program, x: Floats) -> VerifiedPlan | None:
    """Derive the plan of `x` from the facts. None if it isn't valid."""
    cost = float(program.linear.cost @ x) + program.linear.constant
    levels = tuple(LevelResult(value, value, value) for value in (float(goal.cost @ x) for goal in program.goals))
    # The bound of this plan is not what is asked: that all but nothing is proved of it lets `examine` take it as it is.
    plan = plan_of(program, Solution(x, PlanStatus.FEASIBLE, cost, min(0.0, 2 * cost), (), 1, levels))
    return examine(verified.problem, plan)[0]


_PROVED = "rules conflict, which is proved: what they leave unplanned has no cost to compare"
_ANY = Decimal("Infinity")


def prove_conflicts(
    verified: VerifiedPlan,
    program: Program,
    watch: Watch,
    progress: Progress | None,
    given: Certificate | None,
) -> Proof:
    """Prove or refute the conflicts of rules that the run names: a part without a plan proves one, a plan that keeps all rules refutes it.

    Raises:
        NoCertificateError: If the given certificate doesn't fit such a program.
    """
    named = verified.plan.infeasible
    if given is not None:
        found = Certified(any_plan(program), given, watch)
        if wrong := found.findings(Decimal(0), (_ANY, _ANY)):
            return no_certificate(wrong)
        if len(_proved_conflicts(verified, program, found.parts, found.empty)) == len(named):
            return replace(not_checked(_PROVED), conflicts=named)
    search = ProofSearch(any_plan(program), watch, progress)
    proved = _proved_conflicts(verified, program, search.parts, [tree.empty for tree in search.trees])
    if len(proved) == len(named):
        return replace(not_checked(_PROVED), conflicts=proved)
    x = search.best()
    if x is not None and derived(verified, program, x) is not None:
        return no_conflict(verified)
    rules = ", ".join(dict.fromkeys(rule for part in named if part not in proved for rule in part.rules))
    return replace(not_checked(f"the run says that rules conflict ({rules}), which is not proved"), conflicts=proved)


def _proved_conflicts(
    verified: VerifiedPlan, program: Program, parts: Sequence[Component], empty: Sequence[bool]
) -> tuple[Infeasible, ...]:
    """Return the named conflicts in parts that provably have no plan."""
    conflicts = list(_without_plan(program, parts, empty))
    if not _excused(verified) <= {row for conflict in conflicts for row in _labels(program, conflict)}:
        return ()
    told = [infeasible(program, conflict) for conflict in conflicts]
    return tuple(part for part in verified.plan.infeasible if any(_is_within(part, one) for one in told))


def _without_plan(program: Program, parts: Sequence[Component], empty: Sequence[bool]) -> Iterator[Conflict]:
    """Yield the parts without a plan, each with all rules that have a row in it."""
    for part, none in zip(parts, empty, strict=True):
        if none:
            yield Conflict(part.columns, _rules(program, part.rows), tuple(part.rows.tolist()))
    for row in empty_rows(program.linear):
        yield Conflict(np.array([], dtype=np.intp), _rules(program, np.array([row])), (int(row),))


def _excused(verified: VerifiedPlan) -> set[tuple[str, str]]:
    """Return the rows of limits that the plan violates because rules conflict: rule and label."""
    return {
        (one.rule.id, one.row.label)
        for one in verified.readings
        if one.unplanned and one.row.penalty is None and one.miss > one.tolerance
    }


def _labels(program: Program, conflict: Conflict) -> Iterator[tuple[str, str]]:
    """Yield the rows of limits in a part: rule and label."""
    within = set(conflict.rows)
    for position, (rule, row) in zip(program.limits.program_rows, program.limits.rows, strict=True):
        if position in within:
            yield rule.id, row.label


def _rules(program: Program, rows: Ints) -> tuple[str, ...]:
    return tuple({owner.removeprefix("rule ") for owner in program.owners_of(rows)})


def _is_within(named: Infeasible, empty: Infeasible) -> bool:
    """Return True if a named conflict covers only a part without a plan."""
    return (
        set(named.materials) <= set(empty.materials)
        and set(named.demands) <= set(empty.demands)
        and set(named.rules) <= set(empty.rules)
    )
