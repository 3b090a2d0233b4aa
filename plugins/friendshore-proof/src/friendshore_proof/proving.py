"""Proofs of a run's claims of optimality, from its facts and in exact arithmetic."""

# The program is compiled again from the facts. Solvers only give hints: multipliers for a bound by duality (`exact`), leaves to search (`search`), and
# plans, which count once `verify` has derived them from the facts. So no solver is trusted. `friendshore.program` is trusted to contain every plan worth
# having, and to price it correctly.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from friendshore.domain.plan import Infeasible, PlanStatus
from friendshore.program import Program, compile_program
from friendshore.program.matrix import Floats, Ints
from friendshore.solve import Cancel, Component, Conflict, Progress, Solution, Watch, conflict_record, plan_of
from friendshore.solve.components import empty_rows
from friendshore.solve.engine import LevelResult
from friendshore.verify import VerifiedPlan, examine

from .certificate import (
    Certificate,
    CertificateError,
    Certified,
    certified,
    count_proved_parts,
    read,
    stated_as,
    text_of,
)
from .claims import (
    Claim,
    ClaimProof,
    Proof,
    ProvedParts,
    any_plan,
    claims_of,
    no_certificate,
    no_conflict,
    not_checked,
    refutation,
    summary,
    total_parts,
)
from .search import ProofSearch

__all__ = ["SECONDS", "Proof", "ProvedParts", "certify", "claims_of", "not_checked", "prove_optimality", "refutation"]

SECONDS = 30.0
"""Default time limit of a proof."""
MAX_ENTRIES = 2_000_000
"""Maximum number of coefficients. More would take over half a gigabyte as fractions."""


def prove_optimality(
    verified: VerifiedPlan,
    seconds: float | None = SECONDS,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    certificate: Mapping[str, object] | None = None,
) -> Proof:
    """Prove how much cheaper than a plan any other can be, and compare this with what its run claims.

    If the run's certificate (made by `certify`) suffices, nothing is searched and no solver runs. None means no time limit.

    Raises:
        SolverError: If the cost of the program is unbounded.
        PluginError: If a plugin's limit rule raises.
    """
    program = compile_program(verified.problem)
    if program.linear.entries.nnz > MAX_ENTRIES:
        return not_checked(f"the program has {program.linear.entries.nnz:,} coefficients, too many for a proof")
    watch = Watch(seconds, cancel)
    try:
        certificates = [] if certificate is None else read(certificate)
        if verified.plan.infeasible:
            return prove_conflicts(verified, program, watch, progress, certificates[0] if certificates else None)
        return _proved(verified, program, watch, progress, certificates)
    except CertificateError as error:
        return no_certificate([str(error)])


def _proved(
    verified: VerifiedPlan,
    program: Program,
    watch: Watch,
    progress: Progress | None,
    certificates: Sequence[Certificate],
) -> Proof:
    claims: list[ClaimProof] = []
    parts: list[ProvedParts] = []
    for rank, claim in enumerate(claims_of(verified, program)):
        result = Certified(claim, certificates[rank], watch) if rank < len(certificates) else None
        if result is not None and (problems := result.findings(*_stated(claim, verified))):
            return no_certificate(problems)
        if result is not None and (claim_proof := ClaimProof(claim, result.bound, None)).suffices:
            claims.append(claim_proof)
            part_counts = result.counts
            if claim_proof.is_optimal:
                part_counts = replace(part_counts, linear_proved=part_counts.linear, integer_proved=part_counts.integer)
            parts.append(part_counts)
            continue
        search = ProofSearch(claim, watch, progress)
        better_plan = better(verified, program, claim, search.best())
        bounds = [bound for bound in (search.bound, result.bound if result is not None else None) if bound is not None]
        claims.append(ClaimProof(claim, max(bounds, default=None), better_plan))
        candidates = [_counts(search, claims[-1]), *([result.counts] if result is not None else [])]
        parts.append(max(candidates, key=lambda each: each.proved))
        if better_plan is not None or not bounds:
            break  # later objectives are about plans that keep it
    return replace(summary(claims, verified, timed_out=watch.stopped()), parts=total_parts(parts))


def certify(
    verified: VerifiedPlan,
    program: Program,
    x: Floats,
    seconds: float | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> str | None:
    """Return a certificate with which `prove_optimality` needs no solver. None if the program is too large.

    `x` has values of all columns of the program. What isn't proved in time is left out. Raises SolverError if the cost is unbounded.
    """
    if program.linear.entries.nnz > MAX_ENTRIES:
        return None
    watch = Watch(seconds, cancel)
    if verified.plan.infeasible:
        return text_of([certified(ProofSearch(any_plan(program), watch, progress), None)])
    searches = (ProofSearch(claim, watch, progress, x) for claim in claims_of(verified, program))
    return text_of([certified(search, x) for search in searches])


def _stated(claim: Claim, verified: VerifiedPlan) -> tuple[Decimal, tuple[Decimal, Decimal]]:
    """Return the total value of a plan's parts with its lower and upper tolerance: unused leftovers may have been dropped."""
    value = claim.of(verified)
    return value, (claim.slack, claim.slack + max(claim.value - claim.claimed, Decimal(0)))


def _counts(search: ProofSearch, shown: ClaimProof) -> ProvedParts:
    """Return the number of parts that a search proved. A proof of the total counts for all parts."""
    bounds = [tree.bound for tree in search.trees]
    best = [None if tree.best is None else Decimal(repr(tree.best[0])) for tree in search.trees]
    if shown.is_optimal:
        best = [None if bound is None else stated_as(bound) for bound in bounds]
    return count_proved_parts(search.parts, bounds, best, certified=False)


def better(verified: VerifiedPlan, program: Program, claim: Claim, x: Floats | None) -> VerifiedPlan | None:
    if x is None or float(claim.linear.cost @ x) + claim.linear.constant >= float(claim.claimed - claim.slack):
        return None
    plan = derived(verified, program, x)
    return plan if plan is not None and claim.is_refuted_by(plan, verified) else None


def derived(verified: VerifiedPlan, program: Program, x: Floats) -> VerifiedPlan | None:
    cost = float(program.linear.cost @ x) + program.linear.constant
    levels = tuple(LevelResult(value, value, value) for value in (float(goal.cost @ x) for goal in program.goals))
    # The bound of this plan doesn't matter. A trivial one lets `examine` accept it.
    plan = plan_of(program, Solution(x, PlanStatus.FEASIBLE, cost, min(0.0, 2 * cost), (), 1, levels))
    return examine(verified.problem, plan)[0]


_PROVED = "the rules provably conflict, so the plan is incomplete and its cost can't be compared"
_ANY = Decimal("Infinity")


def prove_conflicts(
    verified: VerifiedPlan, program: Program, watch: Watch, progress: Progress | None, certificate: Certificate | None
) -> Proof:
    """Prove or refute the conflicts of rules that the run names. A part without a plan proves one, a plan that satisfies all rules refutes it."""
    named = verified.plan.infeasible
    if certificate is not None:
        result = Certified(any_plan(program), certificate, watch)
        if problems := result.findings(Decimal(0), (_ANY, _ANY)):
            return no_certificate(problems)
        if len(_proved_conflicts(verified, program, result.parts, result.empty)) == len(named):
            return replace(not_checked(_PROVED), conflicts=named)
    search = ProofSearch(any_plan(program), watch, progress)
    proved = _proved_conflicts(verified, program, search.parts, [tree.empty for tree in search.trees])
    if len(proved) == len(named):
        return replace(not_checked(_PROVED), conflicts=proved)
    x = search.best()
    if x is not None and derived(verified, program, x) is not None:
        return no_conflict(verified)
    rules = ", ".join(dict.fromkeys(rule for part in named if part not in proved for rule in part.rules))
    return replace(not_checked(f"the run claims that rules conflict ({rules}), which is unproved"), conflicts=proved)


def _proved_conflicts(
    verified: VerifiedPlan, program: Program, parts: Sequence[Component], empty: Sequence[bool]
) -> tuple[Infeasible, ...]:
    """Return the named conflicts in parts that provably have no plan."""
    conflicts = list(_without_plan(program, parts, empty))
    if not _excused(verified) <= {row for conflict in conflicts for row in _labels(program, conflict)}:
        return ()
    proved_conflicts = [conflict_record(program, conflict) for conflict in conflicts]
    return tuple(
        part for part in verified.plan.infeasible if any(_is_within(part, conflict) for conflict in proved_conflicts)
    )


def _without_plan(program: Program, parts: Sequence[Component], empty: Sequence[bool]) -> Iterator[Conflict]:
    for part, is_empty in zip(parts, empty, strict=True):
        if is_empty:
            yield Conflict(part.columns, _rules(program, part.rows), tuple(part.rows.tolist()))
    for row in empty_rows(program.linear):
        yield Conflict(np.array([], dtype=np.intp), _rules(program, np.array([row])), (int(row),))


def _excused(verified: VerifiedPlan) -> set[tuple[str, str]]:
    """Return the rows of limits that the plan violates because rules conflict: rule and label."""
    return {
        (reading.rule.id, reading.row.label)
        for reading in verified.readings
        if reading.unplanned and reading.row.penalty is None and reading.miss > reading.tolerance
    }


def _labels(program: Program, conflict: Conflict) -> Iterator[tuple[str, str]]:
    within = set(conflict.rows)
    for position, (rule, row) in zip(program.limits.program_rows, program.limits.rows, strict=True):
        if position in within:
            yield rule.id, row.label


def _rules(program: Program, rows: Ints) -> tuple[str, ...]:
    return tuple({owner.removeprefix("rule ") for owner in program.owners_of(rows)})


def _is_within(named: Infeasible, empty: Infeasible) -> bool:
    return (
        set(named.materials) <= set(empty.materials)
        and set(named.demands) <= set(empty.demands)
        and set(named.rules) <= set(empty.rules)
    )
