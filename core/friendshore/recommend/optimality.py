"""Whether the plan of a run is as good as the run says: proved from its facts and, if asked, planned again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..errors import Diagnostic, FriendshoreError
from ..plugins import Registry
from ..proof import Proof, aims_of, beaten, not_checked, prove_optimality
from ..solve import Limits
from ..verify import VerifiedPlan
from .checks import CheckAnswer, CheckRequest, ProofEffort, RunChecker
from .reopen import reopen


class OptimalityCheck(RunChecker):
    """Proves how much cheaper than the run's plan any plan can be, with the run's certificate if it has one."""

    name = "optimality"

    def check(self, asked: CheckRequest) -> CheckAnswer:
        """Prove the bound, and plan again if that was asked for."""
        proof = _proof(asked)
        parts = proof.parts
        told = [proof.text]
        if parts is not None and (parts.certified or not proof.proved):
            told.append(parts.text)
        data = {
            "optimality": proof.text,
            "optimality_proved": proof.proved,
            "proved_parts": None if parts is None else asdict(parts),
        }
        return CheckAnswer(proof.findings, tuple(_conflicts(asked, proof)), tuple(told), data, proof.proved)


def _proof(asked: CheckRequest) -> Proof:
    """Return what is proved of how good the plan is. Nothing is tried for a run that failed verification."""
    if not asked.effort.prove:
        return Proof("optimality: not checked", proved=False)
    if asked.findings:
        return not_checked("the run is not what it says")
    if asked.verified is None:
        return not_checked("rules are left unverified")
    return optimality(asked.stored.folder, asked.verified, asked.registry, asked.effort, asked.stored.certificate)


def _conflicts(asked: CheckRequest, proof: Proof) -> Iterator[str]:
    """Yield the conflicts of rules that the run names and that aren't proved: nothing is required of what they touch."""
    for part in asked.verified.plan.infeasible if asked.verified is not None else ():
        if part not in proof.conflicts:
            about = ", ".join(part.materials)
            yield f"that rules conflict ({', '.join(part.rules)}), so that nothing is asked to hold of {about}: it is not proved"


def optimality(
    folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, certificate: Mapping[str, Any] | None
) -> Proof:
    """What is to be said of how good the plan of a run is, derived again from its facts; with its certificate, if it has one."""
    try:
        proof = prove_optimality(verified, effort.seconds, effort.progress, effort.cancel, certificate)
        return _solved_again(folder, verified, registry, effort, proof) if effort.solve else proof
    except FriendshoreError as error:  # the run is no worse for it: that is told, and nothing is vouched for
        return Proof(f"optimality: not proved: {'; '.join(one.message for one in error.problems)}", proved=False)


def _solved_again(folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, proof: Proof) -> Proof:
    """The same, with what another plan of the same facts comes to."""
    session = reopen(folder, registry=registry, limits=Limits(), progress=effort.progress, cancel=effort.cancel).session
    wrong: tuple[Diagnostic, ...] = ()
    told = ""
    for aim in aims_of(verified, session.program):
        here, this = aim.of(session.verified), aim.value
        name, unit = (f"{aim.name}: " if aim.name else ""), (verified.problem.case.currency if aim.in_money else "kg")
        if aim.is_beaten(session.verified, verified):
            wrong = (beaten(aim, session.verified, verified.problem.case.currency),)
        if abs(here - this) > aim.slack:
            told = f"{name}it comes to {here:,.2f} {unit}, and this one to {this:,.2f}"
            break
    told = told or "it comes to the same"
    again = f"{proof.text}; planned again ({session.solution.status.value}), {told}"
    return replace(proof, text=again, findings=proof.findings or wrong, proved=proof.proved and not wrong)
