"""Check of a run from its facts: a second derivation of the plan, and a comparison of the facts with installed data and with the case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from ..catalog import digest, read_catalogs, required_part
from ..document.figures import count
from ..domain.base import Record
from ..domain.differences import differences
from ..domain.facts import Catalog
from ..domain.naming import Alias
from ..domain.plan import Plan
from ..domain.run import Run, RunPurchase
from ..domain.used import RunPlugin
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..explain import RankPrice
from ..explain.causes import consistent_causes
from ..plugins import Block, Blocker, Registry, changes, is_folder, kind_digest, plugin_files
from ..plugins.manifest import normalized_name
from ..plugins.settings import table_of
from ..problem import Problem
from ..problem.inputs import Inputs
from ..readers import reader_in
from ..reading.records import shown
from ..rules.base import Rule
from ..rules.pack import as_data, digest_of_case_pack
from ..verify import VerifiedPlan, examine
from ..verify.compliance import Compliance
from ..verify.money import Costing
from ..verify.plan_entries import PlanEntries
from .describe import RunContext, by_months_of_run, purchases, run_of
from .facts import (
    FACTS,
    RECORD_NAMES,
    Entries,
    FactsFile,
    PackFacts,
    RuleFacts,
    facts_file,
    renamed_since,
    under_current_names,
)
from .gather import Gathered, with_scenarios
from .law import describe_compliance_classes
from .relaxed import relaxation_findings


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Facts of a run as records."""

    file: FactsFile
    inputs: Inputs
    """Facts after all changes."""
    problem: Problem
    rules: tuple[Rule, ...]
    """Rules that are available here."""
    unchecked: tuple[Diagnostic, ...]
    """Rules that can't be checked here, since their plugin is missing or different."""
    complete: bool
    """True if every rule of the run is in the problem."""
    used_other_code: bool
    """True if some rules are checked by other code than the run's."""

    @property
    def plan(self) -> Plan:
        return self.file.plan


@dataclass(frozen=True, slots=True)
class Rechecked:
    """Results that follow from the facts of a run."""

    verified: VerifiedPlan | None
    """None if the plan fails verification."""
    run: Run | None
    """Run that the facts give. None if the plan fails verification or a rule is unavailable."""
    purchases: tuple[RunPurchase, ...]
    """Purchases, even of a plan that fails verification."""
    findings: tuple[Diagnostic, ...]
    """Everything that failed verification."""
    unchecked: tuple[Diagnostic, ...]
    """Rules left unverified."""
    vouching: Vouching
    """Facts with and without an independent confirmation."""
    used_other_code: bool
    """True if some rules were checked by other code than the run's, which may be the cause of failures."""
    skipped_rules: frozenset[str]
    """Rules that weren't checked."""
    applied: Mapping[str, Any]
    """Changes applied to the facts before planning, as fields of `run.json`: `scenario`, `changes`, `strict`."""


def reverify(
    facts: Mapping[str, object], registry: Registry
) -> tuple[VerifiedPlan | None, list[Diagnostic], list[Diagnostic]]:
    """Check a plan again from facts alone. Return the plan or None, the failures, and the rules that can't be checked here."""
    read = read_facts(facts, registry)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    return verified, findings, list(read.unchecked)


def recheck(
    facts: Mapping[str, object],
    stored: Run,
    registry: Registry,
    case: Gathered | None = None,
    *,
    use_other_code: bool = True,
) -> Rechecked:
    """Derive a run again from its facts, and compare these with other sources. Results of further solves, such as causes of shortages, come from `stored`."""
    registry = as_run(registry, stored)
    run_facts = read_facts(facts, registry, use_other_code=use_other_code)
    verified, findings = examine(run_facts.problem, run_facts.plan, all_rules=run_facts.complete)
    if verified is not None:
        findings += relaxation_findings(verified, run_facts.file.applied.relaxed, run_facts.file.pack_of)
    run = run_of(verified, _context_of(stored, run_facts)) if verified is not None and run_facts.complete else None
    ledger = verified.ledger if verified is not None else PlanEntries.of(run_facts.problem, run_facts.plan)
    lines = verified.lines if verified is not None else Costing(ledger).lines
    unchecked_classes = list(_note_on_classes(stored, run_facts, findings))
    findings = [] if unchecked_classes else findings
    located = [replace(finding, file=finding.file or FACTS) for finding in findings]
    vouching = vouch(run_facts.file, registry, case)
    vouching.unvouched += _changes_without_scenario(run_facts.file)
    vouching.differs[:0] = _version_notes(stored, run_facts)
    return Rechecked(
        verified=verified,
        run=run,
        purchases=tuple(
            run.purchases
            if run is not None
            else purchases(run_facts.problem, lines, Compliance(ledger), run_facts.file.plugins)
        ),
        findings=(*located, *_used_though_blocked(stored, registry), *vouching.findings),
        unchecked=(*run_facts.unchecked, *unchecked_classes),
        vouching=vouching,
        used_other_code=run_facts.used_other_code,
        skipped_rules=frozenset(str(rule.data.get("id")) for rule in run_facts.file.rules)
        - {rule.id for rule in run_facts.rules},
        applied=_change_fields(run_facts),
    )


def _note_on_classes(stored: Run, run_facts: RunFacts, findings: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    classes = [(each.label, each.uses) for each in describe_compliance_classes(run_facts.problem)]
    if (
        findings
        and not run_facts.complete
        and classes != [(each.label, each.uses) for each in stored.compliance_classes]
    ):
        message = f"the plan is left unverified: without these rules, it has other compliance classes, and {len(findings):,} checks fail"
        yield Diagnostic(message, FACTS, fix="install the plugins of these rules", code="FS614")


def _changes_without_scenario(file: FactsFile) -> Iterator[str]:
    """Yield the changes of the facts that no scenario contains. Only the author of the run vouches for them."""
    texts = [change.text for change in file.applied.changes]
    if texts:
        subject = "a change" if len(texts) == 1 else f"{len(texts):,} changes"
        yield f"{subject} of the facts outside of scenarios: {'; '.join(texts)}"


def _change_fields(run_facts: RunFacts) -> dict[str, Any]:
    applied = run_facts.file.applied
    case = with_scenarios(run_facts.file.case, [(pack.id, pack.scenarios) for pack in run_facts.file.packs], [])
    return {"scenario": list(applied.scenario), "changes": applied.change_texts(case), "strict": applied.strict}


def as_run(registry: Registry, run: Run) -> Registry:
    """Return the installed plugins without those that were blocked when the run was made."""
    return registry.blocking([block.name for block in run.plugins_blocked], Blocker.RUN)


def read_facts(facts: Mapping[str, object], registry: Registry, *, use_other_code: bool = True) -> RunFacts:
    """Return facts as records. Unavailable rules are left out and reported. Rules with other code are used only with `use_other_code`."""
    file = facts_file(facts)
    plugins_of_case, _ = registry.blocking(file.case.blocked, Blocker.CASE).setting(file.case.settings, FACTS)
    rules, unchecked = _rules(file, plugins_of_case, use_other_code)
    complete = len(rules) == len(file.rules)
    uses_other_code = len(unchecked) > len(file.rules) - len(rules)
    try:
        inputs = file.inputs(rules)
        problem = inputs.problem()
    except InputError as error:
        problems = [problem if problem.file else replace(problem, file=FACTS) for problem in error.problems]
        if complete:
            raise InputError(problems) from error
        raise PluginError([*unchecked, *problems]) from error
    return RunFacts(file, inputs, problem, tuple(rules), tuple(unchecked), complete, uses_other_code)


def _rules(file: FactsFile, registry: Registry, use_other_code: bool) -> tuple[list[Rule], list[Diagnostic]]:
    rules: list[Rule] = []
    unchecked: list[Diagnostic] = []
    kinds = {plugin.name: plugin for plugin in file.plugins if plugin.kind == "rule kind" and plugin.digest}
    for entry in file.rules:
        kind, owner, name = entry.kind, entry.owner, entry.data.get("id")
        try:
            rule = registry.rule(entry.data, FACTS)
        except FriendshoreError as error:
            reason = "; ".join(problem.message for problem in error.problems)
            if isinstance(error, InputError):
                installed_owner = registry.owner(kind)
                if _distribution(installed_owner) == _distribution(owner):
                    raise
                # The facts may be valid. The kind of this name is another one here.
                reason = f"it was evaluated by {owner}, and `{kind}` of {installed_owner} can't read it: {reason}"
            unchecked.append(_unverified(name, reason, owner))
            continue
        reason = _reason_for_other_code(entry, kinds.get(kind), registry)
        if reason:
            unchecked.append(_unverified(name, reason, owner))
        if use_other_code or not reason:
            rules.append(rule)
    return rules, unchecked


def _unverified(name: object, why: str, owner: str) -> Diagnostic:
    return Diagnostic(f"rule `{name}` is left unverified: {why}", FACTS, fix=f"install {owner}", code="FS614")


def _reason_for_other_code(rule: RuleFacts, used: RunPlugin | None, registry: Registry) -> str:
    """Return the reason why other code judges a rule here. Empty if it is the same code."""
    installed_owner = registry.owner(rule.kind)
    # Another version of friendshore's own kinds is only noted. Its kind in place of a plugin's is another rule.
    if installed_owner != rule.owner and not _distribution(installed_owner) == _distribution(rule.owner) == OWN:
        return f"it was evaluated by {rule.owner}, and {installed_owner} is installed"
    return _difference_of_kind(used, registry) if used is not None else ""


def _distribution(label: str) -> str:
    return label.partition(" ")[0]


def _version_notes(run: Run, run_facts: RunFacts) -> list[str]:
    owners = (rule.owner.partition(" ") for rule in run_facts.file.rules)
    used = {run.versions.get(OWN, ""), *(number for name, _, number in owners if name == OWN)}
    own_version = version(OWN)
    return [
        f"it was made by {OWN} {version_used or 'of unknown version'}, and is checked by {OWN} {own_version}"
        for version_used in sorted(used - {own_version})
    ]


def _context_of(stored: Run, run_facts: RunFacts) -> RunContext:
    """Return the parts of a run that don't follow from the plan: from the facts if they contain it, else from the run."""
    file = run_facts.file
    return RunContext(
        made=stored.planned_on,
        **_change_fields(run_facts),
        causes=consistent_causes(run_facts.inputs, run_facts.problem, stored.shortages, stored.conflicts),
        packs=file.packs,
        pack_of=file.pack_of,
        components=stored.components,
        holds_from=[part.feasible_from for part in stored.conflicts],
        ranks={level.rank: RankPrice(level.reduction, level.objective_increase) for level in stored.levels},
        plugins=file.plugins,
        plugins_blocked=stored.plugins_blocked,
        versions=stored.versions,
        by_months=by_months_of_run(stored.by_months),
        relaxed=file.applied.relaxed,
    )


def _used_though_blocked(run: Run, registry: Registry) -> Iterator[Diagnostic]:
    """Yield everything that a run claims to have both used and blocked. Otherwise a block would keep its data from being compared."""
    blocks = [Block(name=block.name, by=Blocker.RUN) for block in run.plugins_blocked]
    for plugin in run.plugins:
        distribution = normalized_name(_distribution(plugin.distribution))
        providers = [
            i
            for i in registry.plugins
            if distribution and normalized_name(i.distribution) == distribution and plugin.name in i.brings
        ]
        for block in blocks:
            if any(block.meets(info, plugin.name) for info in providers):
                yield Diagnostic(
                    f"the run states that it was made without `{block.name}`, but uses {plugin.kind} {plugin.name} of it",
                    "run.json",
                    column="plugins_blocked",
                    found=block.name,
                    expected=f"nothing of {plugin.distribution}",
                    code="FS615",
                )


OWN = "friendshore"
_ORIGIN_FIELDS = frozenset({"digest", "distribution"})
"""Fields of a catalog about its origin, which are compared apart from its contents."""
GIVE_CASE = "give --case CASE to compare with it"
READ_AGAIN = "give --case CASE to read it again, and compare with that"


@dataclass(slots=True)
class Vouching:
    """Independent confirmation of the facts of a run."""

    findings: list[Diagnostic] = field(default_factory=list)
    """Facts that differ from their alleged origin."""
    vouched: list[str] = field(default_factory=list)
    """Facts that were compared completely, and are equal."""
    unvouched: list[str] = field(default_factory=list)
    """Facts that nothing here can confirm."""
    differs: list[str] = field(default_factory=list)
    """Installed data that differ from the data used."""
    since: tuple[Alias, ...] = ()
    """Names that the catalogs of the case have changed since."""

    def compare(self, part: str, stated: Entries, original: Entries, source: str, confirmation: str) -> None:
        """Compare a named part of the facts with its origin. `confirmation` is the note if all is equal."""
        differing = list(_differences(*under_current_names(stated, original, self.since), source))
        self.findings += differing
        if not differing:
            self.vouched.append(f"{part}: {confirmation}")


def vouch(file: FactsFile, registry: Registry, case: Gathered | None = None) -> Vouching:
    renamed = tuple(renamed_since(file, case.read)) if case is not None else ()
    vouching = Vouching(
        findings=list(_inconsistent_names(file)), differs=[alias.text for alias in renamed], since=renamed
    )
    installed = _installed_catalogs(file, registry)
    for catalog in file.catalogs:
        _vouch_for_catalog(catalog, file, registry, case, installed, vouching)
    for pack in file.packs:
        _vouch_for_pack(pack, file, registry, case, vouching)
    without_packs = {table_of(name) for name in file.case.settings if case is None and registry.makes_packs(name)}
    without_packs -= {*file.named.values()}
    vouching.unvouched += [f"that [{table}] makes no rule pack: {GIVE_CASE}" for table in sorted(without_packs)]
    _check_hashes_of_kinds(file, vouching)
    for plugin in file.plugins:
        if plugin.kind == "rule kind":
            _vouch_for_kind(plugin, registry, vouching)
        elif plugin.kind == "reader":
            _vouch_for_reader(plugin, case, vouching)
        elif plugin.kind == "plugin" and (edits := changes(plugin.files, plugin_files(registry, plugin.name))):
            vouching.differs.append(f"{plugin.distribution} has changed: {'; '.join(edits)}")
    _vouch_for_case(file, case, vouching)
    return vouching


def _check_hashes_of_kinds(file: FactsFile, vouching: Vouching) -> None:
    listed = {(plugin.name, plugin.distribution) for plugin in file.plugins if plugin.kind == "rule kind"}
    used = {(rule.kind, rule.owner) for rule in file.rules if rule.owner.partition(" ")[0] != OWN}
    vouching.unvouched += [
        f"kind of rule {kind} ({owner}): the run has no hash of it" for kind, owner in sorted(used - listed)
    ]


def _vouch_for_kind(used: RunPlugin, registry: Registry, vouching: Vouching) -> None:
    part = f"kind of rule {used.name} ({used.distribution or 'of no plugin'})"
    if not used.digest:
        vouching.unvouched.append(f"{part}: a program gave it in memory")
    elif error := _difference_of_kind(used, registry):
        vouching.differs.append(f"{part}: {error}")
        vouching.unvouched.append(f"{part}: its code is not installed here")
    else:
        vouching.vouched.append(f"{part}: its code is the same here")


def _vouch_for_reader(used: RunPlugin, case: Gathered | None, vouching: Vouching) -> None:
    part = f"reader {used.name} ({used.distribution})"
    if case is None:
        vouching.unvouched.append(f"{part}: its data were not read again; give --case CASE to read them")
        return
    now = next((plugin for plugin in case.plugins if (plugin.kind, plugin.name) == ("reader", used.name)), None)
    if now is not None and now.digest == used.digest:
        vouching.vouched.append(f"{part}: its data are the same when read again")
    else:
        vouching.differs.append(f"{part}: {'its data have changed' if now else 'the case does not name it'}")


def _difference_of_kind(used: RunPlugin, registry: Registry) -> str:
    """Return the reason why a kind of rule differs here, by the digest of its plugin. Empty if it is the same."""
    try:
        digest_here = kind_digest(registry, used.name)
    except PluginError as error:
        return _reason(error)
    return (
        ""
        if digest_here == used.digest
        else f"the files of {registry.owner(used.name)} differ from those that were used"
    )


def _installed_catalogs(file: FactsFile, registry: Registry) -> Mapping[str, Catalog]:
    """Return the catalogs of plugins as installed here, by name. Empty if they can't be read together."""
    names = [
        catalog.name for catalog in file.catalogs if _comes_with_a_plugin(catalog, file.named.get(catalog.name, ""))
    ]
    try:
        catalogs = read_catalogs([registry.catalog_folder(name) for name in names], registry.catalog_folder)
    except FriendshoreError:
        return {}  # each is read alone later, which reports its errors
    return {catalog.name: catalog for catalog in catalogs if catalog.name in names}


def _comes_with_a_plugin(catalog: Catalog, called: str) -> bool:
    return bool(catalog.distribution) and not is_folder(called) and reader_in(called) is None


def _vouch_for_catalog(
    catalog: Catalog,
    file: FactsFile,
    registry: Registry,
    case: Gathered | None,
    installed: Mapping[str, Catalog],
    vouching: Vouching,
) -> None:
    name, name_in_case = catalog.name, file.named.get(catalog.name, "")
    findings_before, source = len(vouching.findings), f"catalog {catalog.name}"
    part = f"{source}, {count(len(catalog.offers), 'offer')}"
    stated = _parts_of_catalog(catalog)
    if _comes_with_a_plugin(catalog, name_in_case):
        try:
            original = installed[name] if name in installed else _read_alone(name, registry)
        except FriendshoreError as error:
            vouching.unvouched.append(f"{part}: {_reason(error)}")
        else:
            renamed = (alias.text for alias in renamed_since(file, [original]))
            vouching.differs += [text for text in renamed if text not in vouching.differs]
            if _can_compare(catalog, original, vouching, part):
                installed_parts = _parts_of_catalog(original if name_in_case else required_part(original))
                vouching.compare(part, stated, installed_parts, source, f"as {original.distribution} has it here")
    elif not is_folder(name_in_case) and reader_in(name_in_case) is None:
        vouching.unvouched.append(f"{part}: a program gave it in memory")
    elif case is None:
        origin = (
            f"beside the case ({name_in_case})"
            if is_folder(name_in_case)
            else f"as {catalog.distribution} read it ({name_in_case})"
        )
        vouching.unvouched.append(f"{part}, {origin}: {GIVE_CASE if is_folder(name_in_case) else READ_AGAIN}")
    else:
        in_case = next((catalog_of_case for catalog_of_case in case.read if catalog_of_case.name == name), None)
        vouching.compare(
            part, stated, _parts_of_catalog(in_case) if in_case else {}, f"{source} of the case", "as the case has it"
        )
    if (
        name_in_case
        and catalog.digest
        and len(vouching.findings) == findings_before
        and digest(catalog) != catalog.digest
    ):
        vouching.findings.append(
            Diagnostic(
                f"{source} doesn't match its digest",
                FACTS,
                column="catalogs",
                found=digest(catalog),
                expected=catalog.digest,
                code="FS616",
            )
        )


def _read_alone(name: str, registry: Registry) -> Catalog:
    catalogs = read_catalogs([registry.catalog_folder(name)], registry.catalog_folder)
    return next(catalog for catalog in catalogs if catalog.name == name)


def _vouch_for_pack(
    pack: PackFacts, file: FactsFile, registry: Registry, case: Gathered | None, vouching: Vouching
) -> None:
    source, name_in_case = f"pack {pack.id}", file.named.get(f"pack {pack.id}", "")
    rules = {str(rule.data.get("id")): rule.data for rule in file.rules if rule.pack == pack.id}
    part = f"{source}, {count(len(rules), 'rule')}"
    stated = _parts_of_pack(pack, rules)
    is_generated = name_in_case in map(table_of, file.case.settings)
    if is_generated and digest_of_case_pack(pack, rules.values()) != pack.digest:
        vouching.findings.append(Diagnostic(f"{source} doesn't match its digest", FACTS, column="packs", code="FS616"))
    if not is_folder(name_in_case) and not is_generated:
        try:
            installed = registry.pack(pack.id)
            rules_here = {rule.id: as_data(rule) for rule in registry.pack_rules(installed)}
        except FriendshoreError as error:
            vouching.unvouched.append(f"{part}: {_reason(error)}")
            return
        original = PackFacts.of(installed, registry.packs[pack.id])
        if _can_compare(pack, original, vouching, part):
            vouching.compare(
                part, stated, _parts_of_pack(original, rules_here), source, f"as {original.distribution} has it here"
            )
    elif case is None:
        origin = (
            f"made by {pack.distribution} of [{name_in_case}]" if is_generated else f"beside the case ({name_in_case})"
        )
        vouching.unvouched.append(f"{part}, {origin}: {GIVE_CASE}")
    else:
        in_case = next(
            (PackFacts.of(pack_of_case, owner) for pack_of_case, owner in case.packs if pack_of_case.id == pack.id),
            None,
        )
        rules_here = {rule.id: as_data(rule) for rule in case.rules if case.pack_of.get(rule.id) == pack.id}
        original_parts = _parts_of_pack(in_case, rules_here) if in_case else {}
        vouching.compare(part, stated, original_parts, f"{source} of the case", "as the case has it")


def _vouch_for_case(file: FactsFile, case: Gathered | None, vouching: Vouching) -> None:
    rules = {str(rule.data.get("id")): rule.data for rule in file.rules if not rule.pack}
    counts = [count(len(file.case.demands), "demand"), count(len(rules), "rule")]
    counts += [count(len(file.case.scenarios), "scenario")] if file.case.scenarios else []
    part = f"the case {file.case.name} itself ({', '.join(counts)}, and all else that it states)"
    if case is None:
        vouching.unvouched.append(f"{part}: {GIVE_CASE}")
        return
    rules_of_case = {rule.id: as_data(rule) for rule in case.rules if rule.id not in case.pack_of}
    declared = case.declared.but(rules=())
    stated, original = (
        _parts_of_record(record) | _rules_by_name(rules_of_record) | {"what the case names": dict(named)}
        for record, rules_of_record, named in ((file.case, rules, file.named), (declared, rules_of_case, case.named))
    )
    vouching.compare(part, stated, original, "the case", "as the case says")


def _can_compare(stated: Catalog | PackFacts, installed: Catalog | PackFacts, vouching: Vouching, part: str) -> bool:
    if stated.digest == installed.digest:
        if stated.distribution != installed.distribution:
            vouching.differs.append(
                f"{part}: {stated.distribution} was used, and {installed.distribution} here has the same data"
            )
        return True
    vouching.differs.append(f"{part}: {stated.distribution} was used, and {installed.distribution} here has other data")
    vouching.unvouched.append(f"{part}: other data are installed here than were used, so it couldn't be compared")
    return False


def _reason(error: FriendshoreError) -> str:
    first, *others = error.problems
    text = str(replace(first, found="", expected="", fix="")) if first.column else first.message
    rest = f", and {len(others)} more error{'s' if len(others) > 1 else ''}" if others else ""
    return f"it can't be compared here: {text}{rest}"


def _inconsistent_names(file: FactsFile) -> Iterator[Diagnostic]:
    names_in_facts = {catalog.name for catalog in file.catalogs} | {f"pack {pack.id}" for pack in file.packs}
    called_in_case = {*file.named.values(), *(catalog.name for catalog in file.catalogs)}
    for kind, names in (("catalog", file.case.catalogs), ("pack", file.case.packs)):
        for name in names:
            if name not in called_in_case:
                message = f"the facts lack the {kind} {name}, which the case names"
                yield Diagnostic(message, FACTS, column=f"{kind}s", code="FS617")
    named = {*file.case.catalogs, *file.case.packs, *map(table_of, file.case.settings)}
    for name, called in file.named.items():
        if name not in names_in_facts or called not in named:
            message = f"the facts state that the case calls {name} {called}, which it doesn't"
            yield Diagnostic(message, FACTS, column="named", code="FS617")
    yield from _unnamed_facts(file)
    yield from _unlisted_facts(file)


def _unnamed_facts(file: FactsFile) -> Iterator[Diagnostic]:
    required = {name for catalog in file.catalogs for name in catalog.requires}
    packs = {pack.id for pack in file.packs}
    for catalog in file.catalogs:
        if catalog.distribution and catalog.name not in file.named and catalog.name not in required:
            message = f"the facts contain catalog {catalog.name}, which nothing names"
            yield Diagnostic(message, FACTS, column="catalogs", code="FS617")
        for offer in catalog.offers:
            if offer.catalog != catalog.name:
                message = f"offer {offer.id} is in catalog {catalog.name}, but names another catalog"
                yield Diagnostic(
                    message, FACTS, column="catalogs", found=offer.catalog, expected=catalog.name, code="FS617"
                )
    for pack in file.packs:
        if f"pack {pack.id}" not in file.named:
            message = f"the facts contain pack {pack.id}, which nothing names"
            yield Diagnostic(message, FACTS, column="packs", code="FS617")
    for rule in file.rules:
        rule_id = rule.data.get("id")
        if rule.kind != rule.data.get("kind"):
            message, kind = f"rule {rule_id} is listed with another kind than its own", str(rule.data.get("kind"))
            yield Diagnostic(message, FACTS, column="rules", found=rule.kind, expected=kind, code="FS617")
        if rule.pack and rule.pack not in packs:
            message = f"rule {rule_id} names pack {rule.pack}, which the facts lack"
            yield Diagnostic(message, FACTS, column="rules", code="FS617")


def _unlisted_facts(file: FactsFile) -> Iterator[Diagnostic]:
    expected: dict[tuple[str, str], tuple[object, ...]] = {
        ("catalog", c.name): (c.distribution, c.digest, c.as_of) for c in file.catalogs
    }
    expected |= {("pack", p.id): (p.distribution, p.digest, p.as_of) for p in file.packs}
    listed: dict[tuple[str, str], tuple[object, ...]] = {
        (p.kind, p.name): (p.distribution, p.digest, p.as_of) for p in file.plugins if p.has_facts
    }
    if len({*expected}) < len(file.catalogs) + len(file.packs):
        yield Diagnostic("two catalogs or packs of the facts have the same name", FACTS, code="FS617")
    for key in sorted({*expected, *listed}):
        if expected.get(key) != listed.get(key):
            message = f"{' '.join(key)} is listed with other data than the facts have"
            listed_text, from_facts = _joined(listed.get(key)), _joined(expected.get(key))
            yield Diagnostic(message, FACTS, column="plugins", found=listed_text, expected=from_facts, code="FS617")


def _joined(entry: Iterable[object] | None) -> str:
    return ", ".join(str(part) for part in entry if part) if entry else "nothing"


def _differences(stated: Entries, original: Entries, source: str) -> Iterator[Diagnostic]:
    for (name, *fields), stated_value, original_value in sorted(differences(stated, original, depth=2)):
        if fields:
            message = f"`{fields[0]}` of {name} differs from {source}"
            yield Diagnostic(
                message, FACTS, found=_short_text(stated_value), expected=_short_text(original_value), code="FS618"
            )
        elif stated_value is None:
            yield Diagnostic(f"{name} of {source} is missing from the facts", FACTS, code="FS618")
        else:
            yield Diagnostic(f"{name} is in the facts, but not in {source}", FACTS, code="FS618")


def _short_text(value: object) -> str:
    text = "nothing" if value is None else shown(value) if not isinstance(value, dict) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _parts_of_catalog(catalog: Catalog) -> dict[str, Mapping[str, object]]:
    heading = catalog.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={*RECORD_NAMES, *_ORIGIN_FIELDS}
    )
    parts: dict[str, Mapping[str, object]] = {f"the heading of catalog {catalog.name}": heading}
    for table, name_of in RECORD_NAMES.items():
        parts |= _by_name((name_of(record), record) for record in getattr(catalog, table))
    return parts


def _parts_of_pack(pack: PackFacts, rules: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    parts = _by_name((f"bill {bill.id}", bill) for bill in pack.bills)
    parts |= _by_name((f"scenario {scenario.name}", scenario) for scenario in pack.scenarios)
    heading = pack.model_dump(mode="json", exclude_defaults=True, include={"as_of", "good_until", "notes"})
    return {f"the heading of pack {pack.id}": heading} | parts | _rules_by_name(rules)


def _rules_by_name(rules: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {f"rule `{name}`": data for name, data in rules.items()}


def _parts_of_record(record: Record) -> dict[str, Mapping[str, object]]:
    parts: dict[str, Mapping[str, object]] = {}
    heading: dict[str, object] = {}
    for key, value in record.model_dump(mode="json", by_alias=True, exclude_defaults=True).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, entry in enumerate(value, 1):
                name = entry.get("id") or entry.get("name") or ""
                parts[f"{key}[{number}] {name}".rstrip()] = entry
        else:
            heading[key] = value
    return {"the heading": heading} | parts


def _by_name(records: Iterable[tuple[str, Record]]) -> dict[str, Mapping[str, object]]:
    """Return records by name. If several share a name, number the later ones."""
    parts: dict[str, Mapping[str, object]] = {}
    for name, record in records:
        number, key = 2, name
        while key in parts:
            number, key = number + 1, f"{name} ({number})"
        parts[key] = record.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return parts
