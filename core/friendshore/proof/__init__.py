"""Is the plan as good as the run says? A lower bound on what any plan costs, proved from the facts in exact arithmetic.

The program is compiled anew from the facts. Solvers give hints alone: the multipliers of a bound by duality (`exact`), which leaves to look at
(`search`), and plans, which count once `verify` has derived them from the facts. So nothing has to be believed of a solver. That the
program holds every plan worth having, and costs it rightly, is believed of `friendshore.program`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ..program import Program, compile_program
from ..program.matrix import Floats
from ..solve import Cancel, Progress, Watch
from ..verify import VerifiedPlan
from .better import better
from .certificate import Certificate, Certified, NoCertificateError, certified, counts, stated_as
from .certificate_file import read, text_of
from .claims import (
    Aim,
    Proof,
    ProvedParts,
    Shown,
    aims_of,
    any_plan,
    beaten,
    no_certificate,
    not_checked,
    together,
    told,
)
from .conflicts import prove_conflicts
from .search import ProofSearch

__all__ = ["SECONDS", "Proof", "ProvedParts", "aims_of", "beaten", "certify", "not_checked", "prove_optimality"]

SECONDS = 30.0
"""Time for a proof, if nothing else is asked."""
MOST_ENTRIES = 2_000_000
"""Coefficients of a program beyond which no proof is tried: as fractions they would take more than half a gigabyte."""


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
    """What the parts of a plan come to together, and by how much they may come to less or more: what is left on unused may be dropped since."""
    value = aim.of(verified)
    return value, (aim.slack, aim.slack + max(aim.value - aim.claimed, Decimal(0)))


def _counts(search: ProofSearch, shown: Shown) -> ProvedParts:
    """Of how many parts a search proved enough: where all together are proved, of each."""
    bounds = [tree.bound for tree in search.trees]
    best = [None if tree.best is None else Decimal(repr(tree.best[0])) for tree in search.trees]
    if shown.is_optimal:
        best = [None if bound is None else stated_as(bound) for bound in bounds]
    return counts(search.parts, bounds, best, certified=False)
