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

from .claims import Proof, aims_of, beaten, not_checked
from .proving import certify, prove_optimality
from .signing import signature, signer


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
        return CheckAnswer(
            proof.findings, sentences=tuple(told), data=data, proves_optimality=proof.proved, conflicts=proof.conflicts
        )

    def evidence(self, session: Session, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return the certificate of a plan's bound: multipliers of the rows and, for integer variables, the leaves of a search.

        It takes at most the time that is left of the plan's time limit. What isn't proved by then is left out.

        Returns:
            None if the program is too large to prove anything of.

        Raises:
            SolverError: If the solver fails.
        """
        limit = session.limits.seconds
        seconds = None if limit is None else max(0.0, limit - (monotonic() - session.opened))
        return certify(session.verified, session.program, session.solution.x, seconds, progress, cancel)


class SignatureCheck(RunChecker):
    """Checks a run's signature against a public key, if one is given."""

    name = "signature"

    def check(self, asked: CheckRequest) -> CheckAnswer:
        """Check the signature.

        Raises:
            InputError: If the key can't be read, or `cryptography` isn't installed.
        """
        text, findings = signature(asked.stored.folder, asked.signed_by)
        return CheckAnswer(tuple(findings), sentences=(text,), data={"signature": text})

    def signer(self, key: Path) -> Callable[[bytes], bytes]:
        """Return a function that signs with a private key.

        Raises:
            InputError: If the key can't be read, or `cryptography` isn't installed.
        """
        return signer(key)


def _proof(asked: CheckRequest) -> Proof:
    """Return what is proved of how good the plan is. Nothing is tried for a run that failed verification."""
    if not asked.effort.prove:
        return Proof("optimality: not checked", proved=False)
    if asked.findings:
        return not_checked("the run is not what it says")
    if asked.verified is None:
        return not_checked("rules are left unverified")
    return optimality(asked.stored.folder, asked.verified, asked.registry, asked.effort, asked.stored.certificate)


def optimality(
    folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, certificate: Mapping[str, Any] | None
) -> Proof:
    """Return the result of proving a plan from the facts of its run, with its certificate if it has one."""
    try:
        proof = prove_optimality(verified, effort.seconds, effort.progress, effort.cancel, certificate)
        return _solved_again(folder, verified, registry, effort, proof) if effort.solve else proof
    except FriendshoreError as error:  # the run is no worse for it: that is told, and nothing is vouched for
        return Proof(f"optimality: not proved: {'; '.join(one.message for one in error.problems)}", proved=False)


def _solved_again(folder: Path, verified: VerifiedPlan, registry: Registry, effort: ProofEffort, proof: Proof) -> Proof:
    """Solve the same facts again, and add a better plan to the result."""
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
    if wrong and not proof.findings:
        again = f"optimality: VERIFICATION FAILED: {wrong[0].message}; {again.removeprefix('optimality: ')}"
    return replace(proof, text=again, findings=proof.findings or wrong, proved=proof.proved and not wrong)
