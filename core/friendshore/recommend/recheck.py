"""Check of a run from its facts: a second derivation of the plan, and a comparison of the facts with installed data and with the case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from ..catalog import as_required, digest, read_catalogs
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
from ..plugins.manifest import normal
from ..plugins.settings import table_of
from ..problem import Problem
from ..problem.inputs import Inputs
from ..readers import reader_in
from ..reading.records import shown
from ..rules.base import Rule
from ..rules.pack import as_data, digest_of_made
from ..verify import VerifiedPlan, examine
from ..verify.compliance import Judging
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
    by_others: bool
    """True if some rules are checked by other code than the run's."""

    @property
    def plan(self) -> Plan:
        """Plan that the run claims."""
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
    by_others: bool
    """True if some rules were checked by other code than the run's, which may be the cause of failures."""
    left_out: frozenset[str]
    """Rules that weren't checked."""
    applied: Mapping[str, Any]
    """Changes applied to the facts before planning, as fields of `run.json`: `scenario`, `changes`, `strict`."""


def reverify(
    facts: Mapping[str, object], registry: Registry
) -> tuple[VerifiedPlan | None, list[Diagnostic], list[Diagnostic]]:
    """Check a plan again from the facts of its run alone.

    Returns:
        The plan, or None if it fails verification.
        Everything that failed verification.
        Rules that can't be checked here, since their plugin is missing or different.

    Raises:
        InputError: If the facts can't be read.
        PluginError: If they can't be assembled because a plugin is missing.
    """
    read = read_facts(facts, registry)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    return verified, findings, list(read.unchecked)


def recheck(
    facts: Mapping[str, object], told: Run, registry: Registry, case: Gathered | None = None, *, ask_others: bool = True
) -> Rechecked:
    """Check a run again from its facts, derive it again for comparison, and compare the facts with other sources.

    Args:
        facts: Content of `facts.json`.
        told: The run. Results of further solves, such as reasons for shortages, are taken from it.
        registry: Installed plugins.
        case: The case that was allegedly planned, with everything that it names. None if it isn't available.
        ask_others: See `read_facts`.

    Raises:
        InputError, PluginError: As in `read_facts`.
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
    """Yield a note if omitted rules decide the compliance classes, so that failures say nothing about the run."""
    here = [(one.label, one.uses) for one in describe_compliance_classes(read.problem)]
    if findings and not read.complete and here != [(one.label, one.uses) for one in told.requirements]:
        message = f"the plan is left unverified: without these rules its compliance classes are others, and {len(findings):,} things fail verification"
        yield Diagnostic(message, FACTS, fix="install what judged them")


def _changes(file: FactsFile) -> Iterator[str]:
    """Yield the changes of the facts that no scenario contains. Only the author of the run vouches for them."""
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
    """Return the installed plugins without those that were blocked when the run was made."""
    return registry.blocking([block.name for block in told.plugins_blocked], Blocker.RUN)


def read_facts(facts: Mapping[str, object], registry: Registry, *, ask_others: bool = True) -> RunFacts:
    """Return the facts of a run as records, with the changes. Unavailable rules are left out and reported.

    Rules with different code here are also reported, and checked only with `ask_others`.

    Raises:
        InputError: If the facts can't be read.
        PluginError: If they can't be assembled because a plugin is missing.
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
    """Return the reason why other code judges a rule here. Empty if it is the same code."""
    here = registry.owner(rule.kind)
    # Another version of friendshore's own kinds is worth a note; its kind in the place of a plugin's is another rule.
    if here != rule.owner and not _distribution(here) == _distribution(rule.owner) == OWN:
        return f"it was judged by {rule.owner}, and {here} is installed"
    return _other_kind(used, registry) if used is not None else ""


def _distribution(label: str) -> str:
    return label.partition(" ")[0]


def _own_version(told: Run, read: RunFacts) -> list[str]:
    """Return notes on other versions of friendshore, whose own kinds are part of the verification."""
    judged = (rule.owner.partition(" ") for rule in read.file.rules)
    used = {told.versions.get(OWN, ""), *(number for name, _, number in judged if name == OWN)}
    here = version(OWN)
    return [
        f"it was made by {OWN} {one or 'of no version'}, and is checked by {OWN} {here}"
        for one in sorted(used - {here})
    ]


def _as_told(run: Run, read: RunFacts) -> RunContext:
    """Return the parts of a run that don't follow from the plan: from the facts if they contain it, else from the run."""
    file = read.file
    return RunContext(
        made=run.made,
        **_applied(read),
        causes=consistent_causes(read.inputs, read.problem, run.shortages, run.conflicts),
        packs=file.packs,
        pack_of=file.pack_of,
        components=run.components,
        holds_from=[part.holds_from for part in run.conflicts],
        ranks={level.rank: RankPrice(level.gained, level.raised_objective) for level in run.levels},
        plugins=file.plugins,
        plugins_blocked=run.plugins_blocked,
        versions=run.versions,
        by_months=by_months_of_run(run.by_months),
    )


def _used_though_blocked(told: Run, registry: Registry) -> Iterator[Diagnostic]:
    """Yield everything that a run claims to have both used and blocked. Otherwise a block would keep its data from being compared."""
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


OWN = "friendshore"
_LABELS = frozenset({"digest", "distribution"})
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

    def compare(self, what: str, told: Entries, right: Entries, source: str, standing: str) -> None:
        """Compare a part of the facts with its origin.

        Args:
            what: Name of the part, with its size.
            told: The part in the facts.
            right: The part that the origin gives.
            source: Alleged origin, for messages.
            standing: What vouches for the part if all is equal.
        """
        found = list(_differences(*under_current_names(told, right, self.since), source))
        self.findings += found
        if not found:
            self.vouched.append(f"{what}: {standing}")


def vouch(file: FactsFile, registry: Registry, case: Gathered | None = None) -> Vouching:
    """Compare all facts before changes with the installed data, and with the case that was allegedly planned."""
    since = tuple(renamed_since(file, case.read)) if case is not None else ()
    found = Vouching(findings=list(_out_of_place(file)), differs=[alias.told for alias in since], since=since)
    installed = _installed(file, registry)
    for catalog in file.catalogs:
        _catalog(catalog, file, registry, case, installed, found)
    for pack in file.packs:
        _pack(pack, file, registry, case, found)
    none = {table_of(name) for name in file.case.settings if case is None and registry.makes_packs(name)}
    none -= {*file.named.values()}
    found.unvouched += [f"that no rule pack follows from [{one}]: {GIVE_CASE}" for one in sorted(none)]
    _kinds(file, found)
    for plugin in file.plugins:
        if plugin.kind == "rule kind":
            _kind(plugin, registry, found)
        elif plugin.kind == "reader":
            _reader(plugin, case, found)
        elif plugin.kind == "plugin" and (edits := changes(plugin.files, plugin_files(registry, plugin.name))):
            found.differs.append(f"{plugin.distribution} is not as it was: {'; '.join(edits)}")
    _own(file, case, found)
    return found


def _kinds(file: FactsFile, found: Vouching) -> None:
    """Report rule kinds of the run that have no hash."""
    listed = {(plugin.name, plugin.distribution) for plugin in file.plugins if plugin.kind == "rule kind"}
    used = {(rule.kind, rule.owner) for rule in file.rules if rule.owner.partition(" ")[0] != OWN}
    found.unvouched += [
        f"kind of rule {kind} ({owner}): the run keeps no hash of it" for kind, owner in sorted(used - listed)
    ]


def _kind(used: RunPlugin, registry: Registry, found: Vouching) -> None:
    """Report a plugin's rule kind as confirmed or as different here."""
    what = f"kind of rule {used.name} ({used.distribution or 'of no plugin'})"
    if not used.digest:
        found.unvouched.append(f"{what}: it was given in memory by a program")
    elif error := _other_kind(used, registry):
        found.differs.append(f"{what}: {error}")
        found.unvouched.append(f"{what}: the code that judged by it is not here")
    else:
        found.vouched.append(f"{what}: its code is the one that is here")


def _reader(used: RunPlugin, case: Gathered | None, found: Vouching) -> None:
    """Report a reader's data as confirmed, different, or unconfirmed."""
    what = f"reader {used.name} ({used.distribution})"
    if case is None:
        found.unvouched.append(f"{what}: what it reads was not read again; give --case CASE to do so")
        return
    here = next((one for one in case.plugins if (one.kind, one.name) == ("reader", used.name)), None)
    if here is not None and here.digest == used.digest:
        found.vouched.append(f"{what}: read again, it gives the same")
    else:
        found.differs.append(f"{what}: {'it gives something else now' if here else 'the case does not name it'}")


def _other_kind(used: RunPlugin, registry: Registry) -> str:
    """Return the reason why a kind of rule differs here, by the digest of its plugin. Empty if it is the same."""
    try:
        here = kind_digest(registry, used.name)
    except PluginError as error:
        return _why(error)
    return "" if here == used.digest else f"the files of {registry.owner(used.name)} here are not those that were used"


def _installed(file: FactsFile, registry: Registry) -> Mapping[str, Catalog]:
    """Return the catalogs of plugins as installed here, by name. Empty if they can't be read together."""
    names = [one.name for one in file.catalogs if _comes_with_a_plugin(one, file.named.get(one.name, ""))]
    try:
        read = read_catalogs([registry.catalog_folder(name) for name in names], registry.catalog_folder)
    except FriendshoreError:
        return {}  # what is wrong with which of them is told where each is read alone
    return {one.name: one for one in read if one.name in names}


def _comes_with_a_plugin(catalog: Catalog, called: str) -> bool:
    return bool(catalog.distribution) and not is_folder(called) and reader_in(called) is None


def _catalog(
    catalog: Catalog,
    file: FactsFile,
    registry: Registry,
    case: Gathered | None,
    installed: Mapping[str, Catalog],
    found: Vouching,
) -> None:
    name, called = catalog.name, file.named.get(catalog.name, "")
    before, source = len(found.findings), f"catalog {catalog.name}"
    what = f"{source}, {count(len(catalog.offers), 'offer')}"
    told = _of_catalog(catalog)
    if _comes_with_a_plugin(catalog, called):
        try:
            right = installed[name] if name in installed else _read_alone(name, registry)
        except FriendshoreError as error:
            found.unvouched.append(f"{what}: {_why(error)}")
        else:
            told_since = (alias.told for alias in renamed_since(file, [right]))
            found.differs += [text for text in told_since if text not in found.differs]
            if _same_digest(catalog, right, found, what):
                whole = _of_catalog(right if called else as_required(right))
                found.compare(what, told, whole, source, f"as {right.distribution} has it here")
    elif not is_folder(called) and reader_in(called) is None:
        found.unvouched.append(f"{what}: it was given in memory by a program")
    elif case is None:
        by = f"beside the case ({called})" if is_folder(called) else f"as {catalog.distribution} read it ({called})"
        found.unvouched.append(f"{what}, {by}: {GIVE_CASE if is_folder(called) else READ_AGAIN}")
    else:
        here = next((one for one in case.read if one.name == name), None)
        found.compare(what, told, _of_catalog(here) if here else {}, f"{source} of the case", "as the case has it")
    if called and catalog.digest and len(found.findings) == before and digest(catalog) != catalog.digest:
        found.findings.append(
            Diagnostic(
                f"{source} is not what its own digest says",
                FACTS,
                column="catalogs",
                found=digest(catalog),
                expected=catalog.digest,
            )
        )


def _read_alone(name: str, registry: Registry) -> Catalog:
    read = read_catalogs([registry.catalog_folder(name)], registry.catalog_folder)
    return next(one for one in read if one.name == name)


def _pack(pack: PackFacts, file: FactsFile, registry: Registry, case: Gathered | None, found: Vouching) -> None:
    source, called = f"pack {pack.id}", file.named.get(f"pack {pack.id}", "")
    rules = {str(rule.data.get("id")): rule.data for rule in file.rules if rule.pack == pack.id}
    what = f"{source}, {count(len(rules), 'rule')}"
    told = _of_pack(pack, rules)
    follows = called in map(table_of, file.case.settings)
    if follows and digest_of_made(pack, rules.values()) != pack.digest:
        found.findings.append(Diagnostic(f"{source} is not what its own digest says", FACTS, column="packs"))
    if not is_folder(called) and not follows:
        try:
            here = registry.pack(pack.id)
            made = {rule.id: as_data(rule) for rule in registry.pack_rules(here)}
        except FriendshoreError as error:
            found.unvouched.append(f"{what}: {_why(error)}")
            return
        right = PackFacts.of(here, registry.packs[pack.id])
        if _same_digest(pack, right, found, what):
            found.compare(what, told, _of_pack(right, made), source, f"as {right.distribution} has it here")
    elif case is None:
        by = f"made by {pack.distribution} of [{called}]" if follows else f"beside the case ({called})"
        found.unvouched.append(f"{what}, {by}: {GIVE_CASE}")
    else:
        mine = next((PackFacts.of(one, owner) for one, owner in case.packs if one.id == pack.id), None)
        made = {rule.id: as_data(rule) for rule in case.rules if case.pack_of.get(rule.id) == pack.id}
        standing = _of_pack(mine, made) if mine else {}
        found.compare(what, told, standing, f"{source} of the case", "as the case has it")


def _own(file: FactsFile, case: Gathered | None, found: Vouching) -> None:
    """Compare the facts and rules that the case itself states."""
    rules = {str(rule.data.get("id")): rule.data for rule in file.rules if not rule.pack}
    many = [count(len(file.case.demands), "demand"), count(len(rules), "rule")]
    many += [count(len(file.case.scenarios), "scenario")] if file.case.scenarios else []
    what = f"the case {file.case.name} itself ({', '.join(many)}, and all else that it states)"
    if case is None:
        found.unvouched.append(f"{what}: {GIVE_CASE}")
        return
    made = {rule.id: as_data(rule) for rule in case.rules if rule.id not in case.pack_of}
    declared = case.declared.but(rules=())
    told, right = (
        _of_record(one) | _rules_by_name(own) | {"what the case names": dict(named)}
        for one, own, named in ((file.case, rules, file.named), (declared, made, case.named))
    )
    found.compare(what, told, right, "the case", "as the case says")


def _same_digest(told: Catalog | PackFacts, here: Catalog | PackFacts, found: Vouching, what: str) -> bool:
    """Return True if the installed data are the data that were used. Otherwise nothing can be compared with them."""
    if told.digest == here.digest:
        if told.distribution != here.distribution:
            found.differs.append(
                f"{what}: {told.distribution} was used, {here.distribution} is here; its data are alike"
            )
        return True
    found.differs.append(f"{what}: {told.distribution} was used, and {here.distribution} here holds other data")
    found.unvouched.append(f"{what}: what is installed here is not what was used, so it could not be compared")
    return False


def _why(error: FriendshoreError) -> str:
    first, *others = error.problems
    told = str(replace(first, found="", expected="", fix="")) if first.column else first.message
    more = f", and {len(others)} more mistake{'s' if len(others) > 1 else ''}" if others else ""
    return f"it is not here to compare with: {told}{more}"


def _out_of_place(file: FactsFile) -> Iterator[Diagnostic]:
    """Yield everything that the case names and the facts lack, and facts under an unknown name."""
    held = {catalog.name for catalog in file.catalogs} | {f"pack {pack.id}" for pack in file.packs}
    called = {*file.named.values(), *(catalog.name for catalog in file.catalogs)}
    for kind, names in (("catalog", file.case.catalogs), ("pack", file.case.packs)):
        for name in names:
            if name not in called:
                yield Diagnostic(
                    f"the case names the {kind} {name}, which the facts do not hold", FACTS, column=f"{kind}s"
                )
    named = {*file.case.catalogs, *file.case.packs, *map(table_of, file.case.settings)}
    for name, call in file.named.items():
        if name not in held or call not in named:
            yield Diagnostic(f"{name} is said to be what the case calls {call}, and is not", FACTS, column="named")
    yield from _unnamed(file)
    yield from _unlisted(file)


def _unnamed(file: FactsFile) -> Iterator[Diagnostic]:
    required = {name for catalog in file.catalogs for name in catalog.requires}
    packs = {pack.id for pack in file.packs}
    for catalog in file.catalogs:
        if catalog.distribution and catalog.name not in file.named and catalog.name not in required:
            yield Diagnostic(f"nothing names catalog {catalog.name}, which the facts hold", FACTS, column="catalogs")
        for offer in catalog.offers:
            if offer.catalog != catalog.name:
                message = f"offer {offer.id} stands in catalog {catalog.name}, and says that it is of another"
                yield Diagnostic(message, FACTS, column="catalogs", found=offer.catalog, expected=catalog.name)
    for pack in file.packs:
        if f"pack {pack.id}" not in file.named:
            yield Diagnostic(f"nothing names pack {pack.id}, which the facts hold", FACTS, column="packs")
    for rule in file.rules:
        name = rule.data.get("id")
        if rule.kind != rule.data.get("kind"):
            message = f"rule {name} is said to be of another kind than it is"
            yield Diagnostic(message, FACTS, column="rules", found=rule.kind, expected=str(rule.data.get("kind")))
        if rule.pack and rule.pack not in packs:
            message = f"rule {name} is said to come from pack {rule.pack}, which the facts do not hold"
            yield Diagnostic(message, FACTS, column="rules")


def _unlisted(file: FactsFile) -> Iterator[Diagnostic]:
    """Yield catalogs and packs that aren't listed as used, and listed ones without data."""
    expected: dict[tuple[str, str], tuple[object, ...]] = {
        ("catalog", c.name): (c.distribution, c.digest, c.as_of) for c in file.catalogs
    }
    expected |= {("pack", p.id): (p.distribution, p.digest, p.as_of) for p in file.packs}
    listed: dict[tuple[str, str], tuple[object, ...]] = {
        (p.kind, p.name): (p.distribution, p.digest, p.as_of) for p in file.plugins if p.has_facts
    }
    if len({*expected}) < len(file.catalogs) + len(file.packs):
        yield Diagnostic("two catalogs or packs of the facts have one name", FACTS)
    for key in sorted({*expected, *listed}):
        if expected.get(key) != listed.get(key):
            message = f"what was used says of {' '.join(key)} what the facts do not"
            yield Diagnostic(
                message, FACTS, column="plugins", found=_text(listed.get(key)), expected=_text(expected.get(key))
            )


def _text(entry: Iterable[object] | None) -> str:
    return ", ".join(str(part) for part in entry if part) if entry else "nothing"


def _differences(told: Entries, right: Entries, source: str) -> Iterator[Diagnostic]:
    for (name, *fields), one, other in sorted(differences(told, right, depth=2)):
        if fields:
            message = f"`{fields[0]}` of {name} is not what {source} says"
            yield Diagnostic(message, FACTS, found=_shown(one), expected=_shown(other))
        elif one is None:
            yield Diagnostic(f"{name} of {source} is missing from the facts", FACTS)
        else:
            yield Diagnostic(f"{name} is said to come from {source}, which has none of that name", FACTS)


def _shown(value: object) -> str:
    text = "nothing" if value is None else shown(value) if not isinstance(value, dict) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _of_catalog(catalog: Catalog) -> dict[str, Mapping[str, object]]:
    about = catalog.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={*RECORD_NAMES, *_LABELS})
    found: dict[str, Mapping[str, object]] = {f"the heading of catalog {catalog.name}": about}
    for table, name in RECORD_NAMES.items():
        found |= _by_name((name(one), one) for one in getattr(catalog, table))
    return found


def _of_pack(pack: PackFacts, rules: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    found = _by_name((f"bill {bill.id}", bill) for bill in pack.bills)
    found |= _by_name((f"scenario {one.name}", one) for one in pack.scenarios)
    heading = pack.model_dump(mode="json", exclude_defaults=True, include={"as_of", "good_until", "notes"})
    return {f"the heading of pack {pack.id}": heading} | found | _rules_by_name(rules)


def _rules_by_name(rules: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {f"rule `{name}`": data for name, data in rules.items()}


def _of_record(record: Record) -> dict[str, Mapping[str, object]]:
    """Return a record as named parts: its lists of records by position and name, and everything else as its heading."""
    found: dict[str, Mapping[str, object]] = {}
    rest: dict[str, object] = {}
    for key, value in record.model_dump(mode="json", by_alias=True, exclude_defaults=True).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, one in enumerate(value, 1):
                name = one.get("id") or one.get("name") or ""
                found[f"{key}[{number}] {name}".rstrip()] = one
        else:
            rest[key] = value
    return {"the heading": rest} | found


def _by_name(records: Iterable[tuple[str, Record]]) -> dict[str, Mapping[str, object]]:
    """Return records by name. If several share a name, number the later ones."""
    found: dict[str, Mapping[str, object]] = {}
    for name, one in records:
        number, key = 2, name
        while key in found:
            number, key = number + 1, f"{name} ({number})"
        found[key] = one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return found
