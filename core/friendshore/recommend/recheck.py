"""A run checked again from its facts: the plan derived again, the run told anew, the facts compared with what stands elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from ..domain.plan import Plan
from ..domain.run import Run, RunPurchase
from ..domain.used import RunPlugin
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..explain import RankPrice
from ..explain.causes import causes_as_told
from ..plugins import Block, Blocker, Registry
from ..plugins.manifest import normal
from ..problem import Problem
from ..problem.inputs import Inputs
from ..rules.base import Rule
from ..verify import VerifiedPlan, examine
from ..verify.compliance import Judging
from ..verify.ledger import PlanEntries
from ..verify.money import Costing
from .describe import RunContext, purchases, run_of
from .facts import FACTS, FactsFile, RuleFacts, facts_file
from .gather import Gathered, with_scenarios
from .law import describe_compliance_classes
from .run_parts import by_months_as_told
from .vouch import OWN, Vouching, other_kind, vouch


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The facts of a run, as records."""

    file: FactsFile
    inputs: Inputs
    """After all that was applied to them."""
    problem: Problem
    rules: tuple[Rule, ...]
    """Those that can be asked here."""
    unchecked: tuple[Diagnostic, ...]
    """Rules that cannot be asked here: their plugin is missing, or not the one used."""
    complete: bool
    """True if every rule of the run is in the problem."""
    by_others: bool
    """True if some of them are asked by other code than the run's."""

    @property
    def plan(self) -> Plan:
        """The plan that is said to follow from them."""
        return self.file.plan


@dataclass(frozen=True, slots=True)
class Rechecked:
    """Results that follow from the facts of a run."""

    verified: VerifiedPlan | None
    """None: the plan does not hold."""
    run: Run | None
    """The run that the facts give; None where the plan does not hold, or a rule cannot be asked."""
    purchases: tuple[RunPurchase, ...]
    """Its purchases, even of a plan that does not hold."""
    findings: tuple[Diagnostic, ...]
    """All that failed verification."""
    unchecked: tuple[Diagnostic, ...]
    """Rules left unverified."""
    vouching: Vouching
    """What stands for the facts, and what does not."""
    by_others: bool
    """Whether some rules were asked by other code than the run's: what then fails verification may be that code's doing."""
    left_out: frozenset[str]
    """Rules that were not asked."""
    applied: Mapping[str, Any]
    """What was applied to the facts before they were planned, by the fields of `run.json` that tell it: `scenario`, `changes`, `strict`."""


def reverify(
    facts: Mapping[str, object], registry: Registry
) -> tuple[VerifiedPlan | None, list[Diagnostic], list[Diagnostic]]:
    """Checks a plan again from the facts of its run alone: the plan, if it holds; all that failed verification; and what could not be
    checked here: rules whose plugin is missing or differs from the one used.

    Raises:
        InputError: if the facts cannot be read.
        PluginError: if they cannot be put together for want of a plugin.
    """
    read = read_facts(facts, registry)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    return verified, findings, list(read.unchecked)


def recheck(
    facts: Mapping[str, object], told: Run, registry: Registry, case: Gathered | None = None, *, ask_others: bool = True
) -> Rechecked:
    """Checks a run again from its facts, tells it anew for comparison, and compares the facts with what stands elsewhere.

    Args:
        facts: what `facts.json` holds.
        told: the run as it was told; what takes further solves to find out (why something is short) is taken from it.
        registry: what is installed here.
        case: the case that is said to have been planned, with all that it names; None: it is not at hand.
        ask_others: see `read_facts`.

    Raises:
        InputError, PluginError: as `read_facts` does.
    """
    registry = as_run(registry, told)
    read = read_facts(facts, registry, ask_others=ask_others)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    run = run_of(verified, _as_told(told, read)) if verified is not None and read.complete else None
    ledger = verified.ledger if verified is not None else PlanEntries.of(read.problem, read.plan)
    lines = verified.lines if verified is not None else Costing(ledger).lines
    unclassed = list(_unclassed(told, read, findings))
    findings = [] if unclassed else findings
    located = [replace(one, file=one.file or FACTS) for one in findings]
    vouching = vouch(read.file, registry, case)
    vouching.unvouched += _changes(read.file)
    vouching.differs[:0] = _own_version(told, read)
    return Rechecked(
        verified=verified,
        run=run,
        purchases=tuple(
            run.purchases if run is not None else purchases(read.problem, lines, Judging(ledger), read.file.plugins)
        ),
        findings=(*located, *_used_though_blocked(told, registry), *vouching.findings),
        unchecked=(*read.unchecked, *unclassed),
        vouching=vouching,
        by_others=read.by_others,
        left_out=frozenset(str(rule.data.get("id")) for rule in read.file.rules) - {rule.id for rule in read.rules},
        applied=_applied(read),
    )


def _unclassed(told: Run, read: RunFacts, findings: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Where rules are left out that decided what goes into which compliance class, what does not hold says nothing of the run."""
    here = [(one.label, one.uses) for one in describe_compliance_classes(read.problem)]
    if findings and not read.complete and here != [(one.label, one.uses) for one in told.requirements]:
        message = f"the plan is left unverified: without these rules its compliance classes are others, and {len(findings):,} things fail verification"
        yield Diagnostic(message, FACTS, fix="install what judged them")


def _changes(file: FactsFile) -> Iterator[str]:
    """What was changed of the facts that no scenario holds: whoever made the run stands for it, and nobody else."""
    told = [change.told for change in file.applied.changes]
    if told:
        what = "a change" if len(told) == 1 else f"{len(told):,} changes"
        yield f"{what} of the facts that no scenario holds: {'; '.join(told)}"


def _applied(read: RunFacts) -> dict[str, Any]:
    """Return the fields of `run.json` about the changes applied to the facts."""
    applied = read.file.applied
    case = with_scenarios(read.file.case, [(pack.id, pack.scenarios) for pack in read.file.packs], [])
    return {"scenario": list(applied.scenario), "changes": applied.told(case), "strict": applied.strict}


def as_run(registry: Registry, told: Run) -> Registry:
    """What is installed here, without what counted as not installed when a run was made."""
    return registry.blocking([block.name for block in told.plugins_blocked], Blocker.RUN)


def read_facts(facts: Mapping[str, object], registry: Registry, *, ask_others: bool = True) -> RunFacts:
    """The facts of a run as records, with what was applied to them; rules that are unavailable are left out and named.

    A rule whose code is another here is named too, and asked all the same if `ask_others` says so; else it is left out.

    Raises:
        InputError: if the facts cannot be read.
        PluginError: if they cannot be put together for want of a plugin.
    """
    file = facts_file(facts)
    known, _ = registry.blocking(file.case.blocked, Blocker.CASE).setting(file.case.settings, FACTS)
    rules, unchecked = _rules(file, known, ask_others)
    complete = len(rules) == len(file.rules)
    by_others = len(unchecked) > len(file.rules) - len(rules)
    try:
        inputs = file.inputs(rules)
        problem = inputs.problem()
    except InputError as error:
        found = [problem if problem.file else replace(problem, file=FACTS) for problem in error.problems]
        if complete:
            raise InputError(found) from error
        raise PluginError([*unchecked, *found]) from error
    return RunFacts(file, inputs, problem, tuple(rules), tuple(unchecked), complete, by_others)


def _rules(file: FactsFile, registry: Registry, ask_others: bool) -> tuple[list[Rule], list[Diagnostic]]:
    rules: list[Rule] = []
    unchecked: list[Diagnostic] = []
    kinds = {plugin.name: plugin for plugin in file.plugins if plugin.kind == "rule kind" and plugin.digest}
    for entry in file.rules:
        kind, owner, name = entry.kind, entry.owner, entry.data.get("id")
        try:
            made = registry.rule(entry.data, FACTS)
        except FriendshoreError as error:
            why = "; ".join(problem.message for problem in error.problems)
            if isinstance(error, InputError):
                here = registry.owner(kind)
                if _distribution(here) == _distribution(owner):
                    raise
                # The facts may be well, and the kind that goes by the name here another one.
                why = f"it was judged by {owner}, and `{kind}` of {here} cannot read it: {why}"
            unchecked.append(_left(name, why, owner))
            continue
        why = _asked_by_others(entry, kinds.get(kind), registry)
        if why:
            unchecked.append(_left(name, why, owner))
        if ask_others or not why:
            rules.append(made)
    return rules, unchecked


def _left(name: object, why: str, owner: str) -> Diagnostic:
    return Diagnostic(f"rule `{name}` is left unverified: {why}", FACTS, fix=f"install {owner}, which judged it")


def _asked_by_others(rule: RuleFacts, used: RunPlugin | None, registry: Registry) -> str:
    """Why a rule is not asked here by the code that judged by it; empty: it is."""
    here = registry.owner(rule.kind)
    # Another version of friendshore's own kinds is worth a note; its kind in the place of a plugin's is another rule.
    if here != rule.owner and not _distribution(here) == _distribution(rule.owner) == OWN:
        return f"it was judged by {rule.owner}, and {here} is installed"
    return other_kind(used, registry) if used is not None else ""


def _distribution(label: str) -> str:
    return label.partition(" ")[0]


def _own_version(told: Run, read: RunFacts) -> list[str]:
    """Built-in kinds are part of what checks: another version of it is worth a note, no more."""
    judged = (rule.owner.partition(" ") for rule in read.file.rules)
    used = {told.versions.get(OWN, ""), *(number for name, _, number in judged if name == OWN)}
    here = version(OWN)
    return [
        f"it was made by {OWN} {one or 'of no version'}, and is checked by {OWN} {here}"
        for one in sorted(used - {here})
    ]


def _as_told(run: Run, read: RunFacts) -> RunContext:
    """Return what doesn't follow from the plan: from the facts if they contain it, else from the run."""
    file = read.file
    return RunContext(
        made=run.made,
        **_applied(read),
        causes=causes_as_told(read.inputs, read.problem, run.shortages, run.conflicts),
        packs=file.packs,
        pack_of=file.pack_of,
        components=run.components,
        holds_from=[part.holds_from for part in run.conflicts],
        ranks={level.rank: RankPrice(level.gained, level.raised_objective) for level in run.levels},
        plugins=file.plugins,
        plugins_blocked=run.plugins_blocked,
        versions=run.versions,
        by_months=by_months_as_told(run.by_months),
    )


def _used_though_blocked(told: Run, registry: Registry) -> Iterator[Diagnostic]:
    """What a run says that it was made with and without: else a block would keep its data from being compared with what is installed."""
    blocks = [Block(name=block.name, by=Blocker.RUN) for block in told.plugins_blocked]
    for plugin in told.plugins:
        of = normal(_distribution(plugin.distribution))
        bringing = [i for i in registry.plugins if of and normal(i.distribution) == of and plugin.name in i.brings]
        for block in blocks:
            if any(block.meets(info, plugin.name) for info in bringing):
                yield Diagnostic(
                    f"the run says that it was made without `{block.name}`, and with {plugin.kind} {plugin.name} of it",
                    "run.json",
                    column="plugins_blocked",
                    found=block.name,
                    expected=f"nothing of {plugin.distribution}",
                )
