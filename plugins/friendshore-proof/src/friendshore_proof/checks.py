"""The checks of runs: whether the plan is as good as the run says, and who signed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic
from typing import Any

from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.recommend import CheckAnswer, CheckRequest, ProofEffort, RunChecker, reopen
from friendshore.session import Session
from friendshore.solve import Cancel, Limits, Progress
from friendshore.verify import VerifiedPlan

from .claims import Proof, claims_of, not_checked, refutation
from .proving import certify, prove_optimality
from .signing import signature, signer


class OptimalityCheck(RunChecker):
    """Check of how much cheaper than the run's plan any plan can be, with the run's certificate if it has one."""

    name = "optimality"

    def check(self, request: CheckRequest) -> CheckAnswer:
        proof = _proof(request)
        parts = proof.parts
        sentences = [proof.text]
        if parts is not None and (parts.certified or not proof.proved):
            sentences.append(parts.text)
        data = {
            "optimality": proof.text,
            "optimality_proved": proof.proved,
            "proved_parts": None if parts is None else asdict(parts),
        }
        return CheckAnswer(
            proof.findings,
            sentences=tuple(sentences),
            data=data,
            proves_optimality=proof.proved,
            conflicts=proof.conflicts,
        )

    def evidence(self, session: Session, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return the certificate of a plan's bound. None if the program is too large. What isn't proved within the plan's time limit is left out."""
        limit = session.limits.seconds
        seconds = None if limit is None else max(0.0, limit - (monotonic() - session.opened))
        return certify(session.verified, session.program, session.solution.x, seconds, progress, cancel)


class SignatureCheck(RunChecker):
    """Check of a run's signature against a public key, if one is given."""

    name = "signature"

    def check(self, request: CheckRequest) -> CheckAnswer:
        text, findings = signature(request.stored.folder, request.signed_by)
        return CheckAnswer(tuple(findings), sentences=(text,), data={"signature": text})

    def signer(self, key: Path) -> Callable[[bytes], bytes]:
        return signer(key)


def _proof(request: CheckRequest) -> Proof:
    if not request.effort.prove:
        return Proof("optimality: not checked", proved=False)
    if request.findings:
        return not_checked("the run failed verification")
    if request.verified is None:
        return not_checked("some rules are unverified")
    return optimality(
        request.stored.folder, request.verified, request.registry, request.effort, request.stored.certificate
    )


def optimality(
    folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, certificate: Mapping[str, Any] | None
) -> Proof:
    try:
        proof = prove_optimality(verified, effort.seconds, effort.progress, effort.cancel, certificate)
        return _solved_again(folder, verified, registry, effort, proof) if effort.solve else proof
    except FriendshoreError as error:  # the run isn't wrong because of that, only unproved
        return Proof(
            f"optimality: not proved: {'; '.join(problem.message for problem in error.problems)}", proved=False
        )


def _solved_again(folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, proof: Proof) -> Proof:
    session = reopen(folder, registry=registry, limits=Limits(), progress=effort.progress, cancel=effort.cancel).session
    findings: tuple[Diagnostic, ...] = ()
    comparison = ""
    for claim in claims_of(verified, session.program):
        new_value, value = claim.of(session.verified), claim.value
        name = f"{claim.name}: " if claim.name else ""
        unit = verified.problem.case.currency if claim.in_money else "kg"
        if claim.is_refuted_by(session.verified, verified):
            findings = (refutation(claim, session.verified, verified.problem.case.currency),)
        if abs(new_value - value) > claim.slack:
            comparison = f"{name}{new_value:,.2f} {unit} instead of {value:,.2f}"
            break
    comparison = comparison or "same value"
    text = f"{proof.text}; planned again ({session.solution.status.value}), {comparison}"
    if findings and not proof.findings:
        text = f"optimality: VERIFICATION FAILED: {findings[0].message}; {text.removeprefix('optimality: ')}"
    return replace(proof, text=text, findings=proof.findings or findings, proved=proof.proved and not findings)
