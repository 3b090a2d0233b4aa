"""A run checked again from its facts alone: the plan re-derived, the run told anew, the data compared with what is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

from ..catalog import read_catalogs, unfit
from ..domain.case import Case
from ..domain.facts import Catalog
from ..domain.plan import Plan
from ..domain.run import Run, RunPurchase
from ..domain.used import RunPlugin
from ..errors import FriendshoreError, InputError, PluginError
from ..errors import Problem as Finding
from ..explain import RankPrice, Reason
from ..plugins import Block, Blocker, Registry, changes, kind_digest, plugin_files
from ..plugins.manifest import normal
from ..problem import Problem
from ..reading.records import record
from ..rules.base import Rule
from ..verify import VerifiedPlan, examine
from ..verify.ledger import Ledger
from ..verify.money import Costing
from .describe import Told, purchases, run_of
from .installed import altered_catalog, altered_rules
from .months import by_months_as_told

OWN = "friendshore"
_FACTS = "facts.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a run, as records."""

    problem: Problem
    catalogs: tuple[Catalog, ...]
    rules: tuple[Rule, ...]
    plan: Plan
    digests: Mapping[str, str]
    unchecked: tuple[Finding, ...]
    """Rules that cannot be asked here: their plugin is missing, or not the one used."""
    complete: bool
    """Whether every rule of the run is in the problem."""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What the facts of a run give."""

    verified: VerifiedPlan | None
    """None: the plan does not hold."""
    run: Run | None
    """The run that the facts give; None where the plan does not hold, or a rule cannot be asked."""
    purchases: tuple[RunPurchase, ...]
    """Its purchases, even of a plan that does not hold."""
    findings: tuple[Finding, ...]
    """All that is not so."""
    unchecked: tuple[Finding, ...]
    """Rules left unverified."""
    notes: tuple[str, ...]
    """Installed data that is not what was used."""


def reverify(facts: Mapping[str, Any], registry: Registry) -> tuple[VerifiedPlan | None, list[Finding], list[Finding]]:
    """Checks a plan again from the facts of its run alone.

    Returns:
        The verified plan, if it holds; all that is not so; and what could not be checked here: rules whose plugin is missing
        or differs from the one used.

    Raises:
        InputError: if the facts cannot be read.
        PluginError: if they cannot be put together for want of a plugin.
    """
    read = read_facts(facts, registry)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    return verified, findings, list(read.unchecked)


def recheck(facts: Mapping[str, Any], told: Run, registry: Registry) -> Rechecked:
    """Checks a run again from its facts alone, and tells it anew for comparison.

    Args:
        facts: what `facts.json` holds.
        told: the run as it was told; what does not follow from a plan (scenario, versions) is taken from it.
        registry: what is installed here.

    Raises:
        InputError: if the facts cannot be read.
        PluginError: if they cannot be put together for want of a plugin.
    """
    registry = as_run(registry, told)
    read = read_facts(facts, registry)
    verified, findings = examine(read.problem, read.plan, all_rules=read.complete)
    run = run_of(verified, _as_told(told)) if verified is not None and read.complete else None
    lines = verified.lines if verified is not None else Costing(Ledger.of(read.problem, read.plan)).lines
    located = [Finding(f.message, f.file or _FACTS, f.row, f.column, f.found, f.expected, f.fix) for f in findings]
    return Rechecked(
        verified=verified,
        run=run,
        purchases=tuple(run.purchases if run is not None else purchases(read.problem, lines)),
        findings=(
            *located,
            *_digests(read.digests, told),
            *_used_though_blocked(told, registry),
            *_altered(read, told, registry),
        ),
        unchecked=read.unchecked,
        notes=(*_own_version(told), *(note for plugin in told.plugins for note in _installed(plugin, registry))),
    )


def as_run(registry: Registry, told: Run) -> Registry:
    """What is installed here, without what counted as not installed when a run was made."""
    return registry.blocking([block.name for block in told.plugins_blocked], Blocker.RUN)


def read_facts(facts: Mapping[str, Any], registry: Registry) -> Facts:
    """The facts of a run as records; rules that cannot be had are left out and named.

    Raises:
        InputError: if the facts cannot be read.
        PluginError: if they cannot be put together for want of a plugin.
    """
    try:
        case = record(Case, facts["case"], _FACTS)
        catalogs = [record(Catalog, data, _FACTS) for data in facts["catalogs"]]
        plan = record(Plan, facts["plan"], _FACTS)
        entries = [(str(e["kind"]), str(e["owner"]), dict(e["data"])) for e in facts["rules"]]
        digests = {str(name): str(value) for name, value in dict(facts["digests"]).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(Finding(f"the facts of the run cannot be read: {error!r}", file=_FACTS)) from error
    wrong = unfit(catalogs)  # what readers of files refuse is refused here: no code behind this asks again
    if wrong:
        raise InputError([replace(problem, file=f"{_FACTS}, {problem.file}") for problem in wrong])
    rules, unchecked = _rules(entries, registry.blocking(case.blocked, Blocker.CASE))
    try:
        problem = Problem.build(case, catalogs, rules)
    except InputError as error:
        found = [problem if problem.file else replace(problem, file=_FACTS) for problem in error.problems]
        if len(rules) == len(entries):
            raise InputError(found) from error
        raise PluginError([*unchecked, *found]) from error
    return Facts(
        problem, tuple(catalogs), tuple(rules), plan, digests, tuple(unchecked), complete=len(rules) == len(entries)
    )


def _rules(entries: Sequence[tuple[str, str, dict[str, Any]]], registry: Registry) -> tuple[list[Rule], list[Finding]]:
    rules: list[Rule] = []
    unchecked: list[Finding] = []
    for kind, owner, data in entries:
        name = data.get("id")
        try:
            rules.append(registry.rule(data, _FACTS))
        except FriendshoreError as error:
            why = "; ".join(problem.message for problem in error.problems)
            if isinstance(error, InputError):
                here = registry.owner(kind)
                if _distribution(here) == _distribution(owner):
                    raise
                # The facts may be well, and the kind that goes by the name here another one.
                why = f"it was judged by {owner}, and `{kind}` of {here} cannot read it: {why}"
            message = f"rule `{name}` is left unverified: {why}"
            unchecked.append(Finding(message, _FACTS, fix=f"install {owner}, which judged it"))
            continue
        here = registry.owner(kind)
        # Another version of friendshore's own kinds is worth a note; its kind in the place of a plugin's is another rule.
        if here != owner and not _distribution(here) == _distribution(owner) == OWN:
            message = f"rule `{name}` is left unverified: it was judged by {owner}, and {here} is installed"
            unchecked.append(Finding(message, _FACTS, fix=f"install {owner}"))
    return rules, unchecked


def _distribution(label: str) -> str:
    return label.partition(" ")[0]


def _own_version(told: Run) -> list[str]:
    """Built-in kinds are part of what checks: another version of it is worth a note, no more."""
    used, here = told.versions.get(OWN, ""), version(OWN)
    return [f"made by {OWN} {used}, checked by {OWN} {here}"] if used != here else []


def _as_told(run: Run) -> Told:
    return Told(
        made=run.made,
        scenario=run.scenario,
        reasons={short.demand: Reason(short.reason) for short in run.shortages},
        limiting={short.demand: tuple(short.limited_by) for short in run.shortages if short.limited_by},
        pack_of={rule.id: rule.pack for rule in run.rules},
        components=run.components,
        holds_from=[part.holds_from for part in run.conflicts],
        ranks={level.rank: RankPrice(level.gained, level.raised_objective) for level in run.levels},
        plugins=run.plugins,
        plugins_blocked=run.plugins_blocked,
        versions=run.versions,
        by_months=by_months_as_told(run.by_months),
    )


def _digests(digests: Mapping[str, str], told: Run) -> list[Finding]:
    """Whether the facts and the run name the same data."""
    named = {f"{plugin.kind} {plugin.name}": plugin.digest for plugin in told.plugins}
    return [
        Finding(
            f"the data of {name} are not what the facts name",
            "run.json",
            column="plugins",
            found=named.get(name, "nothing"),
            expected=digests.get(name, "nothing"),
        )
        for name in sorted({*digests, *named})
        if digests.get(name) != named.get(name)
    ]


def _used_though_blocked(told: Run, registry: Registry) -> Iterator[Finding]:
    """What a run says that it was made with and without: else a block would keep its data from being compared with what is installed."""
    blocks = [Block(name=block.name, by=Blocker.RUN) for block in told.plugins_blocked]
    for plugin in told.plugins:
        of = normal(_distribution(plugin.distribution))
        bringing = [i for i in registry.plugins if of and normal(i.distribution) == of and plugin.name in i.brings]
        for block in blocks:
            if any(block.meets(info, plugin.name) for info in bringing):
                yield Finding(
                    f"the run says that it was made without `{block.name}`, and with {plugin.kind} {plugin.name} of it",
                    "run.json",
                    column="plugins_blocked",
                    found=block.name,
                    expected=f"nothing of {plugin.distribution}",
                )


def _altered(read: Facts, told: Run, registry: Registry) -> list[Finding]:
    """What the facts say otherwise than the installed data of the very digest that they name."""
    packs = {rule.id: rule.pack for rule in told.rules if rule.pack}
    found: list[Finding] = []
    for plugin in told.plugins:
        if not plugin.distribution or _installed(plugin, registry):
            continue  # not here, or not the same: a note says so
        if plugin.kind == "pack":
            found += altered_rules(plugin, packs, read.rules, registry)
        elif plugin.kind == "catalog":
            found += altered_catalog(plugin, read.catalogs, read.problem.case, registry)
    return list(dict.fromkeys(found))


def _installed(plugin: RunPlugin, registry: Registry) -> list[str]:
    """What to know of the installed data of that name."""
    if not plugin.distribution:
        return [f"{plugin.kind} {plugin.name} lay beside the case: it is not compared with anything installed"]
    if plugin.kind == "plugin":
        found = changes(plugin.files, plugin_files(registry, plugin.name))
        return [f"{plugin.distribution} is not as it was: {'; '.join(found)}"] if found else []
    ask = {"catalog": _catalog_digest, "pack": _pack_digest, "rule kind": _kind_digest}[plugin.kind]
    find = partial(ask, plugin.name, registry)
    try:
        digest = find()
    except FriendshoreError as error:
        why = "; ".join(problem.message for problem in error.problems)
        return [f"{plugin.kind} {plugin.name}, which was used, is not here to compare with: {why}"]
    if digest == plugin.digest:
        return []
    return [f"installed {plugin.kind} {plugin.name} differs from the one used ({plugin.distribution})"]


def _catalog_digest(name: str, registry: Registry) -> str:
    read = read_catalogs([registry.catalog_folder(name)], registry.catalog_folder)
    return next(catalog.digest for catalog in read if catalog.name == name)


def _kind_digest(name: str, registry: Registry) -> str:
    return kind_digest(registry, name)


def _pack_digest(name: str, registry: Registry) -> str:
    return registry.pack(name).digest
