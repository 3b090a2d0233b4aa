"""Check of a run folder, and the checks that plugins add."""

# Charges of unavailable rules are taken from the run if its figures are consistent.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from ..case import load_case
from ..document.figures import count, relaxation_texts
from ..domain.base import grouped
from ..domain.plan import Infeasible
from ..domain.run import Run, RunPurchase
from ..errors import Diagnostic, InputError, PluginError, VerificationError
from ..official import is_official
from ..plugins import Registry, attributed_object
from ..plugins.attribution import defect_error, owner_of_package, packages_run
from ..plugins.manifest import PluginInfo
from ..run import (
    PURCHASES,
    RUN_FILE,
    TABLES,
    RunFolder,
    added_files,
    differences,
    differences_in_rows,
    differences_in_table,
    read_run,
    read_sums,
    rows_of,
)
from ..run.folder import CERTIFICATE_FILE, SIGNATURE_FILE, other_files
from ..session import Session
from ..solve import Cancel, Progress
from ..verify import VerifiedPlan
from ..verify.second_derivation import check_run_again
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
    """Effort to prove the optimality of a plan."""

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
    files: ClassVar[tuple[str, ...]] = ()
    """Files that it reads in a run folder, besides those of every run. `friendshore.run.add_to_run` writes them."""

    @abstractmethod
    def check(self, request: CheckRequest) -> CheckAnswer:
        """Check a run. An option of the verification that can't be used, such as a key, raises an `InputError`."""

    def evidence(self, session: Session, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return the content of a file for `check` to read later, or None if there is nothing to write. `plan --certify` uses `optimality`."""
        return None

    def signer(self, key: Path) -> Callable[[bytes], bytes]:
        """Return a function from the bytes of `SHA256SUMS` to the content of the signature, for `plan --sign`. By default, no key can be used."""
        fix = "install friendshore-proof, whose check `signature` signs runs"
        raise InputError(f"the check `{self.name}` can't sign a run", str(key), fix=fix, code="FS612")


def _run_checkers(registry: Registry) -> Iterator[RunChecker]:
    usable = registry.names("check")
    for name in (check.name for info in registry.plugins for check in info.checks if check.name in usable):
        yield checker_named(name, registry)


def checker_named(name: str, registry: Registry) -> RunChecker:
    checker, info = registry.thing("check", name)
    if not isinstance(checker, RunChecker):
        raise defect_error(
            info, f"its check `{name}` isn't a RunChecker", repr(checker), "an object of a subclass of RunChecker"
        )
    return checker


def answer_of(checker: RunChecker, request: CheckRequest) -> CheckAnswer:
    with attributed_object(checker, checker.name, "check"):
        answer = checker.check(request)
        if not isinstance(answer, CheckAnswer):
            raise TypeError(f"a check returns a CheckAnswer, and this one returned a {type(answer).__name__}")
        return answer


def _unreadable_files(stored: RunFolder, checkers: Sequence[RunChecker]) -> Iterator[Diagnostic]:
    readable = {file for checker in checkers for file in checker.files}
    for file in added_files(read_sums(stored.folder) or {}):
        if file not in readable:
            message, expected = f"the run has {file}, which no installed check reads", "the plugin whose check reads it"
            fix = "install friendshore-dossier" if file.startswith("form-") else "install the plugin that wrote it"
            yield Diagnostic(message, str(stored.folder / file), expected=expected, fix=fix, code="FS612")
    names = [checker.name for checker in checkers]
    for file, check in CHECKED_BY.items():
        path = stored.folder / file
        if check not in names and path.exists():
            yield Diagnostic(
                f"the run has {file}, which only the check `{check}` can read",
                str(path),
                expected=f"the check `{check}`, from friendshore-proof",
                fix="install friendshore-proof",
                code="FS612",
            )


_ROUNDING = Decimal("1e-9")
"""Relative difference that sums of 15-digit figures may have."""


def _unevaluated_figures(run: Run, skipped_rules: Collection[str]) -> Iterator[str]:
    for rule in run.rules:
        if rule.id in skipped_rules and rule.charges:
            yield f"charges of rule {rule.id}, {rule.charges.normalize():,f} {run.currency}, since it couldn't be evaluated"
    if skipped_rules:
        yield "all totals, full prices, demands, deliveries, shortages, limits, verdicts, and bounds, since some rules couldn't be evaluated"


def _contradictory_charges(
    run: Run, derived: Iterable[RunPurchase], skipped_rules: Collection[str]
) -> Iterator[Diagnostic]:
    file = "run.json"
    charges_by_purchase = grouped((_purchase_key(purchase), purchase.charges) for purchase in derived)
    charged_by_missing = Decimal(0)
    for number, purchase in enumerate(run.purchases, 1):
        parts = purchase.price + purchase.charges + purchase.freight
        if _are_different(purchase.cost, parts):
            message = f"purchase {purchase.offer}: the cost isn't the sum of price, charges, and freight"
            column = f"purchases[{number}].cost"
            yield Diagnostic(message, file, None, column, f"{purchase.cost}", f"{parts}", code="FS613")
        cost_with_inputs = purchase.cost + purchase.inputs_cost
        if purchase.full_price_per_kg is not None and _are_different(
            purchase.full_price_per_kg * purchase.quantity_kg, cost_with_inputs
        ):
            message = f"purchase {purchase.offer}: the full price isn't the sum of its cost and that of its inputs"
            column = f"purchases[{number}].full_price_per_kg"
            expected = f"{cost_with_inputs / purchase.quantity_kg}" if purchase.quantity_kg else ""
            yield Diagnostic(message, file, None, column, f"{purchase.full_price_per_kg}", expected, code="FS613")
        charges = charges_by_purchase.get(_purchase_key(purchase))
        if charges:
            charged_by_missing += purchase.charges - charges.pop(0)
    stated = sum((rule.charges for rule in run.rules if rule.id in skipped_rules), Decimal(0))
    if _are_different(charged_by_missing, stated, sum((purchase.charges for purchase in run.purchases), Decimal(0))):
        message = "the charges of the rules that can't be evaluated aren't what the purchases leave for them"
        yield Diagnostic(message, file, None, "rules", f"{stated}", f"{charged_by_missing}", code="FS613")


def _purchase_key(purchase: RunPurchase) -> tuple[str, ...]:
    return purchase.offer, purchase.material, purchase.place, purchase.ordered, purchase.compliance_class


def _are_different(first: Decimal, second: Decimal, scale: Decimal = Decimal(0)) -> bool:
    return abs(first - second) > _ROUNDING * max(abs(first), abs(second), abs(scale), Decimal(1))


_FIELDS_WITHOUT_RULES = (
    "quantity_kg", "price", "freight", "countries", "country", "facility", "supplier", "delivered", "order_by", "at_once", "late_days",
)  # fmt: skip
"""Fields of a purchase that no rule affects."""
_FIELDS_OF_FACTS = (*_FIELDS_WITHOUT_RULES, "cost", "charges", "share_of_demand", "confidence", "catalog")
"""Fields of a purchase that follow from the facts, even if the plan fails verification."""


PROVES_NOT = (
    "This does not prove that the facts are true. Only a checked signature proves who made the run: anyone who can write the folder can "
    "write another run, with other facts."
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
    relaxed: tuple[str, ...]
    """Hard limits that the plan doesn't keep, with the bounds that it keeps instead."""
    as_told: tuple[str, ...]
    """Figures that weren't derived again, since they take further solves."""
    answers: Mapping[str, CheckAnswer]
    """Answers of further checks, by name."""

    @property
    def verified(self) -> bool:
        """True if everything that follows from the facts of the run was derived again and is equal. The facts may be wrong (see `unvouched`)."""
        return not self.findings and not self.unchecked

    @property
    def optimality_proved(self) -> bool:
        return any(answer.proves_optimality for answer in self.answers.values())

    @property
    def sentences(self) -> tuple[str, ...]:
        texts = [text for answer in self.answers.values() for text in answer.sentences]
        return tuple(texts) if "optimality" in self.answers else (NOT_PROVED, *texts)

    @property
    def proves_not(self) -> str:
        return PROVES_NOT

    @property
    def exit_code(self) -> int:
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
    """Check a run folder from its own files, and compare its facts with the installed data and the case, if any. `signed_by` is a public key."""
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
    rechecked = recheck(stored.facts, stored.run, registry, gathered)
    problems = _differences(stored, rechecked)
    if rechecked.used_other_code and (rechecked.findings or problems):
        # Another version of a rule may have caused the failures. Check once more without those rules.
        rechecked = recheck(stored.facts, stored.run, registry, gathered, use_other_code=False)
        problems = _differences(stored, rechecked)
    vouching = rechecked.vouching
    findings = list(dict.fromkeys((*rechecked.findings, *_differing_derivations(rechecked), *problems)))
    file_problems, file_notes = other_files(folder, {Path(finding.file).name for finding in findings})
    findings += file_problems
    checkers = list(_run_checkers(registry))
    if signed_by is not None:
        checker_named("signature", registry)
    answers, unproved = _run_checks(stored, rechecked, findings, registry, checkers, effort, signed_by)
    return RunCheck(
        case=stored.run.case,
        findings=tuple(findings),
        unchecked=rechecked.unchecked,
        differs=(*vouching.differs, *file_notes),
        vouched=tuple(vouching.vouched),
        unvouched=(*vouching.unvouched, *unproved, *_plugin_code_in_process(registry)),
        applied=tuple(_change_texts(rechecked.applied)),
        relaxed=tuple(relaxation_texts(stored.run.relaxed)),
        as_told=(*_unevaluated_figures(stored.run, rechecked.skipped_rules), *_figures_of_further_solves(stored.run)),
        answers=answers,
    )


def _run_checks(
    stored: RunFolder,
    rechecked: Rechecked,
    findings: list[Diagnostic],
    registry: Registry,
    checkers: Sequence[RunChecker],
    effort: ProofEffort,
    signed_by: Path | None,
) -> tuple[dict[str, CheckAnswer], list[str]]:
    """Run all further checks, add their findings to `findings`, and return the answers and the facts that nothing proves."""
    findings += _unreadable_files(stored, checkers)
    is_complete = rechecked.run is not None and not rechecked.unchecked
    answers: dict[str, CheckAnswer] = {}
    for checker in checkers:
        verified = rechecked.verified if is_complete else None
        request = CheckRequest(stored, verified, tuple(findings), registry, effort, signed_by)
        answers[checker.name] = answer_of(checker, request)
        findings += answers[checker.name].findings
    unproved = [text for answer in answers.values() for text in answer.unvouched]
    return answers, [
        *unproved,
        *_unproved_conflicts(rechecked, [conflict for answer in answers.values() for conflict in answer.conflicts]),
    ]


def _unproved_conflicts(rechecked: Rechecked, proved: Collection[Infeasible]) -> Iterator[str]:
    """Yield the conflicts of rules that the run names without a proof. Nothing that they affect is required of the plan."""
    for part in rechecked.verified.plan.infeasible if rechecked.verified is not None else ():
        if part not in proved:
            yield f"that rules conflict ({', '.join(part.rules)}), so that {', '.join(part.materials)} can't be planned: not proved"


def _differing_derivations(rechecked: Rechecked) -> list[Diagnostic]:
    if rechecked.run is None or rechecked.verified is None:
        return []
    ledger, costing = rechecked.verified.ledger, rechecked.verified.costing
    problems = check_run_again(ledger, costing, rechecked.run.purchases)
    return [replace(problem, file=FACTS) for problem in problems]


def _change_texts(applied: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"scenario {name}" for name in applied["scenario"])
    yield from applied["changes"]
    if applied["strict"]:
        yield "rules of unknown status are enforced"


def _plugin_code_in_process(registry: Registry) -> Iterator[str]:
    """Yield the plugins of others whose code ran in this process and can affect a plan. No check can detect all of its effects."""
    affecting = {
        info.package for info in registry.plugins if _affects_plans(info) and not is_official(info.distribution)
    }
    for package in packages_run():
        if package in affecting:
            yield f"effects of the code of {owner_of_package(package).label}, which runs in the same process"


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


def _figures_of_further_solves(run: Run) -> Iterator[str]:
    if run.shortages:
        short = len({entry.demand for entry in run.shortages})
        yield f"causes of the shortage of {count(short, 'demand')}"
    if run.conflicts:
        yield "the days from which conflicting rules could be satisfied"
    if any(level.reduction is not None for level in run.levels):
        yield "the cost of each ranked objective"
    if run.by_months:
        yield "shortages of plans in months"
    if run.confirmed_by:
        yield "confirmations that the plan is optimal"
    if run.exchangeable:
        yield "offers that could replace one another at the same cost"
    yield "the date of the run, the versions that made it, and the number of its independent parts"


_NEW_IN_ASSUMPTIONS = ("code", "short")
"""Fields that assumptions don't have in runs written before they had codes."""


def _differences_in_run_file(data: Mapping[str, Any], run: Run, file: Path) -> list[Diagnostic]:
    expected = run.model_dump(mode="json", by_alias=True)
    if not any(field in row for row in data["assumptions"] for field in _NEW_IN_ASSUMPTIONS):
        # An older run. Its subjects and texts say the same.
        for row in expected["assumptions"]:
            for field in _NEW_IN_ASSUMPTIONS:
                del row[field]
    return differences(data, expected, file)


def _differences(stored: RunFolder, rechecked: Rechecked) -> list[Diagnostic]:
    if rechecked.run is None or rechecked.verified is None:
        return _differences_in_part(stored, rechecked)
    problems = _differences_in_run_file(stored.data, rechecked.run, stored.folder / RUN_FILE)
    verdict_rows = verdicts(rechecked.verified)
    for table in TABLES:
        problems += differences_in_table(table, stored.tables[table.file], rows_of(table, rechecked.run, verdict_rows))
    return problems


def _differences_in_part(stored: RunFolder, rechecked: Rechecked) -> list[Diagnostic]:
    """Compare purchases, and the tables with `run.json`, if the plan fails verification or a rule is missing."""
    fields = _FIELDS_OF_FACTS if rechecked.verified is None and not rechecked.skipped_rules else _FIELDS_WITHOUT_RULES
    expected = [purchase.model_dump(mode="json", by_alias=True) for purchase in rechecked.purchases]
    file = stored.folder / RUN_FILE
    problems = differences_in_rows(stored.data["purchases"], expected, PURCHASES.field, file, fields)
    problems += differences({name: stored.data.get(name) for name in rechecked.applied}, rechecked.applied, file)
    if rechecked.skipped_rules:
        problems += _contradictory_charges(stored.run, rechecked.purchases, rechecked.skipped_rules)
    for table in TABLES:
        if table.field:
            rows = rows_of(table, stored.run, ())
            problems += differences_in_table(table, stored.tables[table.file], rows, f"{RUN_FILE} gives")
    return problems
