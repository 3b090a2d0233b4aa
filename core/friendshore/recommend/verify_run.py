"""Check of a run folder, and the checks that plugins add.

Charges of unavailable rules are taken from the run if its figures are consistent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from ..case import load_case
from ..document.figures import count
from ..domain.base import grouped
from ..domain.plan import Infeasible
from ..domain.run import Run, RunPurchase
from ..errors import Diagnostic, InputError, PluginError, VerificationError
from ..plugins import Registry, asked_of
from ..plugins.attribution import owner_of_package, packages_run, wrong
from ..plugins.manifest import PluginInfo
from ..run import (
    PURCHASES,
    RUN_FILE,
    TABLES,
    RunFolder,
    differences,
    differences_in_rows,
    differences_in_table,
    read_run,
    rows_of,
)
from ..run.folder import CERTIFICATE_FILE, SIGNATURE_FILE, other_files
from ..session import Session
from ..solve import Cancel, Progress
from ..verify import VerifiedPlan
from ..verify.again import derived_again, order_days_again
from .facts import FACTS
from .gather import gather
from .law import verdicts
from .recheck import Rechecked, as_run, recheck

SECONDS = 30.0
"""Default time limit of a proof."""
CHECKED_BY: Mapping[str, str] = {CERTIFICATE_FILE: "optimality", SIGNATURE_FILE: "signature"}
"""File of a run -> the check that reads it. A run with such a file fails verification if the check isn't installed."""


@dataclass(frozen=True, slots=True)
class ProofEffort:
    """Effort of a verification to prove the optimality of the plan."""

    prove: bool = True
    """Prove a bound. Otherwise optimality isn't checked."""
    seconds: float | None = SECONDS
    """Time limit of the proof. None means no limit."""
    solve: bool = False
    """Plan the facts again too, without a time limit, and compare."""
    progress: Progress | None = None
    cancel: Cancel | None = None
    """Ends the proof when it is set. The answer then covers what was proved by then."""


USUAL_EFFORT = ProofEffort()
"""A proof in 30 seconds, and no second plan."""


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A request to check a run."""

    stored: RunFolder
    verified: VerifiedPlan | None
    """Plan derived from the run's facts. None if that failed or if a rule is unavailable."""
    findings: Sequence[Diagnostic]
    """Everything that failed verification before this check."""
    registry: Registry
    effort: ProofEffort = field(default_factory=ProofEffort)
    signed_by: Path | None = None
    """Public key of the alleged signer. None skips the signature."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Result of a check."""

    findings: tuple[Diagnostic, ...] = ()
    """Failures. With any of them, the run isn't verified."""
    unvouched: tuple[str, ...] = ()
    """Facts that nothing proves."""
    sentences: tuple[str, ...] = ()
    """Results for people, each without a final period."""
    data: Mapping[str, object] = field(default_factory=dict)
    """Results as JSON, under keys that the check defines."""
    proves_optimality: bool = False
    """True if the plan is proved to be as good as the run says."""
    conflicts: tuple[Infeasible, ...] = ()
    """Conflicts of rules that the plan names and that are proved."""


class RunChecker(ABC):
    """A check of a run. Define a subclass and yield an object of it from the hook `friendshore_checks`."""

    name: ClassVar[str]
    """Name of the check in the manifest."""

    @abstractmethod
    def check(self, asked: CheckRequest) -> CheckAnswer:
        """Check a run.

        Raises:
            InputError: If an option of the verification, such as a key, can't be used.
        """

    def evidence(self, session: Session, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return the file that this check reads later, for a plan that will be written. `plan --certify` uses `optimality`.

        Returns:
            None if there is nothing to write, which is the default.
        """
        return None

    def signer(self, key: Path) -> Callable[[bytes], bytes]:
        """Return a function from the bytes of `SHA256SUMS` to the content of the signature's file. `plan --sign` uses `signature`.

        Raises:
            InputError: If the key can't be used. By default, no key can.
        """
        raise InputError(f"the check `{self.name}` signs nothing", str(key))


def _run_checkers(registry: Registry) -> Iterator[RunChecker]:
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
        PluginError: If no plugin or several plugins have it, or if it can't be used.
    """
    found, info = registry.thing("check", name)
    if not isinstance(found, RunChecker):
        raise wrong(info, f"its check `{name}` can't be asked", repr(found), "an object of a subclass of RunChecker")
    return found


def answer_of(checker: RunChecker, asked: CheckRequest) -> CheckAnswer:
    """Return the answer of a check.

    Raises:
        InputError: As in `RunChecker.check`.
        PluginError: If a plugin's check raises or returns anything else.
    """
    with asked_of(checker, checker.name, "check"):
        answer = checker.check(asked)
        if not isinstance(answer, CheckAnswer):
            raise TypeError(f"a check returns a CheckAnswer, and this one returned a {type(answer).__name__}")
        return answer


def _unreadable_files(stored: RunFolder, names: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield an error for each file of a run that can be read only by a check that isn't among the available `names`."""
    for file, check in CHECKED_BY.items():
        path = stored.folder / file
        if check not in names and path.exists():
            yield Diagnostic(
                f"the run has {file}, which only the check `{check}` can read",
                str(path),
                expected=f"the check `{check}`, from friendshore-proof",
                fix="install friendshore-proof",
            )


_ROUNDING = Decimal("1e-9")
"""Relative difference that sums of 15-digit figures may have."""


def _taken_as_recorded(run: Run, left_out: Collection[str]) -> Iterator[str]:
    """Yield the figures that are taken from the run since a rule is unavailable: its charges, and everything except purchases and changes."""
    for rule in run.rules:
        if rule.id in left_out and rule.charges:
            yield f"what rule {rule.id} charges: {rule.charges.normalize():,f} {run.currency}, since it could not be asked again"
    if left_out:
        yield "all totals, full prices, demands, deliveries, shortages, limits, verdicts and bounds, since not every rule could be asked"


def _unlike_recorded(run: Run, derived: Iterable[RunPurchase], left_out: Collection[str]) -> Iterator[Diagnostic]:
    """Yield recorded charges that contradict one another, or the charges of the available rules."""
    file = "run.json"
    known = grouped((_key(purchase), purchase.charges) for purchase in derived)
    added = Decimal(0)
    for number, purchase in enumerate(run.purchases, 1):
        parts = purchase.price + purchase.charges + purchase.freight
        if _differ(purchase.cost, parts):
            message = f"purchase {purchase.offer}: its cost is not its price, charges and freight"
            yield Diagnostic(message, file, None, f"purchases[{number}].cost", f"{purchase.cost}", f"{parts}")
        whole = purchase.cost + purchase.inputs_cost
        if purchase.full_price_per_kg is not None and _differ(purchase.full_price_per_kg * purchase.quantity_kg, whole):
            message = f"purchase {purchase.offer}: its full price is not its cost and that of its inputs"
            place = f"purchases[{number}].full_price_per_kg"
            expected = f"{whole / purchase.quantity_kg}" if purchase.quantity_kg else ""
            yield Diagnostic(message, file, None, place, f"{purchase.full_price_per_kg}", expected)
        others = known.get(_key(purchase))
        if others:
            added += purchase.charges - others.pop(0)
    stated = sum((rule.charges for rule in run.rules if rule.id in left_out), Decimal(0))
    if _differ(added, stated, sum((purchase.charges for purchase in run.purchases), Decimal(0))):
        message = (
            "what purchases are charged beyond the rules that can be asked is not what the others are said to charge"
        )
        yield Diagnostic(message, file, None, "rules", f"{stated}", f"{added}")


def _key(purchase: RunPurchase) -> tuple[str, ...]:
    return purchase.offer, purchase.material, purchase.place, purchase.ordered, purchase.requirement


def _differ(one: Decimal, other: Decimal, size: Decimal = Decimal(0)) -> bool:
    return abs(one - other) > _ROUNDING * max(abs(one), abs(other), abs(size), Decimal(1))


_FREE_OF_RULES = (
    "quantity_kg", "price", "freight", "countries", "country", "facility", "supplier", "delivered", "order_by", "at_once", "late_days",
)  # fmt: skip
"""Fields of a purchase that no rule affects."""
_OF_FACTS = (*_FREE_OF_RULES, "cost", "charges", "share_of_demand", "confidence", "catalog")
"""Fields of a purchase that follow from the facts, even if the plan fails verification."""


PROVES_NOT = (
    "This does not prove that the facts are true, nor who made the run, unless a signature was checked: whoever can write the folder can "
    "write another that follows from other facts."
)
"""Limits of every verification."""

NOT_PROVED = "optimality: not checked, since friendshore-proof is not installed"
"""Result if no installed check proves bounds."""


@dataclass(frozen=True, slots=True)
class RunCheck:
    """Result of a check of a run folder."""

    case: str
    findings: tuple[Diagnostic, ...]
    """Everything that failed verification."""
    unchecked: tuple[Diagnostic, ...]
    """Rules left unverified, since their plugin is missing here or different."""
    differs: tuple[str, ...]
    """Installed data and code that differ from the run's. This isn't an error of the run."""
    vouched: tuple[str, ...]
    """Facts that were compared completely with another source, and are equal."""
    unvouched: tuple[str, ...]
    """Facts that nothing here can confirm."""
    applied: tuple[str, ...]
    """Changes applied to the facts before planning: scenarios, changes, strictness."""
    as_told: tuple[str, ...]
    """Figures that weren't derived again, since they take further solves."""
    answers: Mapping[str, CheckAnswer]
    """Answers of further checks, by name."""

    @property
    def verified(self) -> bool:
        """True if everything that follows from the facts of the run was derived again, and is equal. The facts themselves may be wrong (see `unvouched`)."""
        return not self.findings and not self.unchecked

    @property
    def optimality_proved(self) -> bool:
        """True if the plan is proved to be as good as the run says."""
        return any(answer.proves_optimality for answer in self.answers.values())

    @property
    def sentences(self) -> tuple[str, ...]:
        """Results of further checks, in sentences."""
        told = [text for answer in self.answers.values() for text in answer.sentences]
        return tuple(told) if "optimality" in self.answers else (NOT_PROVED, *told)

    @property
    def proves_not(self) -> str:
        """Limits of every verification, as a statement."""
        return PROVES_NOT

    @property
    def exit_code(self) -> int:
        """Exit code of the worst finding."""
        if self.findings:
            return VerificationError.exit_code
        return PluginError.exit_code if self.unchecked else 0


def verify_run(
    folder: Path,
    registry: Registry,
    case: Path | None = None,
    effort: ProofEffort = USUAL_EFFORT,
    signed_by: Path | None = None,
) -> RunCheck:
    """Check a run folder from its own files, and compare its facts with the installed data and, if given, the case.

    Args:
        folder: The run.
        registry: Installed plugins.
        case: File or folder of the case that was allegedly planned. None skips the comparison.
        effort: Effort to prove the plan's optimality.
        signed_by: Public key of the alleged signer. None skips the signature.

    Raises:
        InputError: If a file of the run or the case is missing or can't be read.
        PluginError: If the facts or the case can't be assembled because a plugin is missing, or if a plugin has changed friendshore's own code.
    """
    return verify_stored(read_run(folder), registry, case, effort, signed_by)


def verify_stored(
    stored: RunFolder,
    registry: Registry,
    case: Path | None = None,
    effort: ProofEffort = USUAL_EFFORT,
    signed_by: Path | None = None,
) -> RunCheck:
    """Check a run that was already read, so that exactly the data shown later are checked. See `verify_run`."""
    folder = stored.folder
    gathered = gather(load_case(case), as_run(registry, stored.run)) if case is not None else None
    again = recheck(stored.facts, stored.run, registry, gathered)
    told = _told(stored, again)
    if again.by_others and (again.findings or told):
        # What failed verification may be the doing of code that judged nothing of this run: once more, without its rules.
        again = recheck(stored.facts, stored.run, registry, gathered, ask_others=False)
        told = _told(stored, again)
    vouching = again.vouching
    found = list(dict.fromkeys((*again.findings, *_derived_again(again), *told)))
    others, saved = other_files(folder, {Path(one.file).name for one in found})
    found += others
    checkers = list(_run_checkers(registry))
    if signed_by is not None:
        checker_named("signature", registry)
    answers, extra = _answers(stored, again, found, registry, checkers, effort, signed_by)
    return RunCheck(
        case=stored.run.case,
        findings=tuple(found),
        unchecked=again.unchecked,
        differs=(*vouching.differs, *saved),
        vouched=tuple(vouching.vouched),
        unvouched=(*vouching.unvouched, *extra, *_unseen(registry)),
        applied=tuple(_applied(again.applied)),
        as_told=(*_taken_as_recorded(stored.run, again.left_out), *_as_told(stored.run)),
        answers=answers,
    )


def _answers(
    stored: RunFolder,
    again: Rechecked,
    found: list[Diagnostic],
    registry: Registry,
    checkers: Sequence[RunChecker],
    effort: ProofEffort,
    signed_by: Path | None,
) -> tuple[dict[str, CheckAnswer], list[str]]:
    """Run all further checks, add their findings to `found`, and return the answers and the facts that nothing proves.

    Raises:
        InputError, PluginError: If a check can't be run.
    """
    found += _unreadable_files(stored, [checker.name for checker in checkers])
    whole = again.run is not None and not again.unchecked
    answers: dict[str, CheckAnswer] = {}
    for checker in checkers:
        verified = again.verified if whole else None
        asked = CheckRequest(stored, verified, tuple(found), registry, effort, signed_by)
        answers[checker.name] = answer_of(checker, asked)
        found += answers[checker.name].findings
    unproved = [text for answer in answers.values() for text in answer.unvouched]
    return answers, [*unproved, *_conflicts(again, [one for answer in answers.values() for one in answer.conflicts])]


def _conflicts(again: Rechecked, proved: Collection[Infeasible]) -> Iterator[str]:
    """Yield the conflicts of rules that the run names without a proof. The plan isn't required to serve anything that they affect."""
    for part in again.verified.plan.infeasible if again.verified is not None else ():
        if part not in proved:
            about = ", ".join(part.materials)
            yield f"that rules conflict ({', '.join(part.rules)}), so that nothing is asked to hold of {about}: it is not proved"


def _derived_again(again: Rechecked) -> list[Diagnostic]:
    """Return the plan's figures whose second derivation differs."""
    if again.run is None or again.verified is None:
        return []
    ledger, costing = again.verified.ledger, again.verified.costing
    found = [*derived_again(ledger, costing), *order_days_again(ledger, costing, again.run.purchases)]
    return [replace(one, file=FACTS) for one in found]


def _applied(applied: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"scenario {name}" for name in applied["scenario"])
    yield from applied["changes"]
    if applied["strict"]:
        yield "rules of unknown status are enforced"


def _unseen(registry: Registry) -> Iterator[str]:
    """Yield the plugins whose code ran in this process and can affect a plan. No check can detect everything that it does."""
    affecting = {info.package for info in registry.plugins if _affects_plans(info)}
    for package in packages_run():
        if package in affecting:
            yield f"what code of {owner_of_package(package).label}, which runs in the same process, may do unseen"


def _affects_plans(info: PluginInfo) -> bool:
    return bool(
        info.catalogs
        or info.packs
        or info.kinds
        or info.readers
        or info.case_formats
        or info.settings
        or info.case_packs
    )


def _as_told(run: Run) -> Iterator[str]:
    """Yield the figures that are taken from the run, since they take further solves."""
    if run.shortages:
        short = len({entry.demand for entry in run.shortages})
        yield f"why {count(short, 'demand')} {'is' if short == 1 else 'are'} short, and which limits make it so"
    if run.conflicts:
        yield "from when conflicting rules could be kept"
    if any(level.gained is not None for level in run.levels):
        yield "what each ranked objective costs"
    if run.by_months:
        yield "what plans in months leave short"
    if run.confirmed_by:
        yield "what confirms that its plan is optimal"
    if run.exchangeable:
        yield "which offers could replace one another at the same cost"
    yield "the day on which the run was made, the versions that made it, and the number of its independent parts"


def _told(stored: RunFolder, again: Rechecked) -> list[Diagnostic]:
    return _whole(stored, again) if again.run is not None else _purchases(stored, again)


def _whole(stored: RunFolder, again: Rechecked) -> list[Diagnostic]:
    assert again.run is not None and again.verified is not None
    found = _in_run(stored.told, again.run, stored.folder / RUN_FILE)
    judged = verdicts(again.verified)
    for table in TABLES:
        found += differences_in_table(table, stored.tables[table.file], rows_of(table, again.run, judged))
    return found


def _in_run(told: Mapping[str, object], run: Run, file: Path) -> list[Diagnostic]:
    return list(differences(told, run.model_dump(mode="json", by_alias=True), file))


def _purchases(stored: RunFolder, again: Rechecked) -> list[Diagnostic]:
    """Compare purchases, and the tables with `run.json`, if the plan fails verification or a rule is missing."""
    only = _OF_FACTS if again.verified is None and not again.left_out else _FREE_OF_RULES
    expected = [purchase.model_dump(mode="json", by_alias=True) for purchase in again.purchases]
    file = stored.folder / RUN_FILE
    found = differences_in_rows(stored.told["purchases"], expected, PURCHASES.field, file, only)
    found += differences({name: stored.told.get(name) for name in again.applied}, again.applied, file)
    if again.left_out:
        found += _unlike_recorded(stored.run, again.purchases, again.left_out)
    for table in TABLES:
        if table.field:
            rows = rows_of(table, stored.run, ())
            found += differences_in_table(table, stored.tables[table.file], rows, f"{RUN_FILE} gives")
    return found
