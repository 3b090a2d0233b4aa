"""Whether the plan of a run is as good as the run says: proved from its facts and, if asked, planned again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import Diagnostic, FriendshoreError
from ..plugins import Registry
from ..proof import SECONDS, Proof, aims_of, beaten, prove_optimality
from ..solve import Cancel, Limits, Progress
from ..verify import VerifiedPlan
from .reopen import reopen


@dataclass(frozen=True, slots=True)
class ProofEffort:
    """What a check of a run does about its optimality."""

    prove: bool = True
    """Whether to prove a bound; else nothing is said of optimality."""
    seconds: float | None = SECONDS
    """Time for the proof; None: there is no such limit."""
    solve: bool = False
    """Whether to plan the facts again too, in as much time as it takes, and to compare."""
    progress: Progress | None = None
    """Told how far it is."""
    cancel: Cancel | None = None
    """Ends it once it is set; what is not proved by then is told as such."""


ALL_THAT_IS_USUAL = ProofEffort()
"""A proof, and no plan made again."""


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
