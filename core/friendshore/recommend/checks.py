"""Checks of runs beside the kernel's own: what `verify` asks of plugins, through the hook `friendshore_checks`, and what they answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..domain.plan import Infeasible
from ..errors import Diagnostic, InputError
from ..plugins import Registry, asked_of
from ..plugins.attribution import wrong
from ..run import RunFolder
from ..run.folder import CERTIFICATE_FILE, SIGNATURE_FILE
from ..solve import Cancel, Progress
from ..verify import VerifiedPlan

if TYPE_CHECKING:
    from . import Recommendation

SECONDS = 30.0
"""Time limit of a proof if none is given."""
CHECKED_BY: Mapping[str, str] = {CERTIFICATE_FILE: "optimality", SIGNATURE_FILE: "signature"}
"""File of a run -> the check that reads it. A run with such a file fails verification if the check isn't installed."""


@dataclass(frozen=True, slots=True)
class ProofEffort:
    """How much a verification may do about the optimality of the plan."""

    prove: bool = True
    """Prove a bound. Otherwise optimality isn't checked."""
    seconds: float | None = SECONDS
    """Time limit of the proof; None: no limit."""
    solve: bool = False
    """Plan the facts again too, without a time limit, and compare."""
    progress: Progress | None = None
    cancel: Cancel | None = None
    """Ends the proof when it is set. The answer then covers what was proved by then."""


USUAL_EFFORT = ProofEffort()
"""A proof in 30 seconds, and no second plan."""


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A run that a check is asked about."""

    stored: RunFolder
    """The run as it was read."""
    verified: VerifiedPlan | None
    """Its plan, derived again from its facts; None if that failed or if not every rule could be asked."""
    findings: Sequence[Diagnostic]
    """Everything that failed verification before this check."""
    registry: Registry
    effort: ProofEffort = field(default_factory=ProofEffort)
    signed_by: Path | None = None
    """Public key of the alleged signer; None: the signature isn't to be checked."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What a check found."""

    findings: tuple[Diagnostic, ...] = ()
    """Failures: with any of them the run isn't verified."""
    unvouched: tuple[str, ...] = ()
    """Facts that nothing proves."""
    sentences: tuple[str, ...] = ()
    """Results for people, each without a final period."""
    data: Mapping[str, object] = field(default_factory=dict)
    """Results as JSON, under keys of the check's own."""
    proves_optimality: bool = False
    """True if the plan is proved to be as good as the run says."""
    conflicts: tuple[Infeasible, ...] = ()
    """Conflicts of rules that the plan names and that are proved."""


class RunChecker(ABC):
    """A check of a run. Derive a class and yield an object of it from the hook `friendshore_checks`."""

    name: ClassVar[str]
    """Its name, as the manifest announces it."""

    @abstractmethod
    def check(self, asked: CheckRequest) -> CheckAnswer:
        """Check a run.

        Raises:
            InputError: If an option of the verification, such as a key, can't be used.
        """

    def evidence(
        self, made: Recommendation, progress: Progress | None = None, cancel: Cancel | None = None
    ) -> str | None:
        """Return the file that this check reads later, for a plan that is about to be written: `plan --certify` asks `optimality`.

        Returns:
            None if there is nothing to write, which is the default.
        """
        return None

    def signer(self, key: Path) -> Callable[[bytes], bytes]:
        """Return a function from the bytes of `SHA256SUMS` to the content of the signature's file: `plan --sign` asks `signature`.

        Raises:
            InputError: If the key can't be used. By default no key can.
        """
        raise InputError(f"the check `{self.name}` signs nothing", str(key))


def run_checkers(registry: Registry) -> Iterator[RunChecker]:
    """Yield the checks of all plugins, in the order of the manifests.

    Raises:
        PluginError: If a plugin's check can't be used.
    """
    usable = registry.names("check")
    for name in (one.name for info in registry.plugins for one in info.checks if one.name in usable):
        yield checker_named(name, registry)


def checker_named(name: str, registry: Registry) -> RunChecker:
    """Return a check by its name.

    Raises:
        PluginError: If no plugin brings it, several do, or the one that does can't be used.
    """
    found, info = registry.thing("check", name)
    if not isinstance(found, RunChecker):
        raise wrong(info, f"its check `{name}` can't be asked", repr(found), "an object of a subclass of RunChecker")
    return found


def answer_of(checker: RunChecker, asked: CheckRequest) -> CheckAnswer:
    """Return what a check answers.

    Raises:
        InputError: As `RunChecker.check` does.
        PluginError: If a plugin's check raises anything else, or returns something else.
    """
    with asked_of(checker, checker.name, "check"):
        answer = checker.check(asked)
        if not isinstance(answer, CheckAnswer):
            raise TypeError(f"a check returns a CheckAnswer, and this one returned a {type(answer).__name__}")
        return answer


def unreadable_files(stored: RunFolder, names: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield an error for each file of a run that only a check could read which isn't among `names`, those that can be asked."""
    for file, check in CHECKED_BY.items():
        path = stored.folder / file
        if check not in names and path.exists():
            yield Diagnostic(
                f"the run has {file}, which only the check `{check}` can read",
                str(path),
                expected=f"the check `{check}`, from friendshore-proof",
                fix="install friendshore-proof",
            )
