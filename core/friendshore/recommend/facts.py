"""`facts.json`: what a case rested on before anything was applied to it, what was applied, and the plan that came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from ..catalog import unfit, united
from ..domain.base import Record, Tables
from ..domain.case import Case, Scenario
from ..domain.facts import Catalog
from ..domain.plan import Plan
from ..domain.used import RunPlugin
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..problem.inputs import Applied, Inputs
from ..reading.records import record
from ..rules.base import Rule
from ..rules.pack import LegislativeBill, RulePack
from .gather import Gathered, with_scenarios

FACTS = "facts.json"
FORMAT = 2
"""Of the facts that are written. Format 1, of before the first release, held what was left of catalogs and rules after scenarios and changes."""


class RuleFacts(Record):
    """A rule as data, as it was before anything was applied."""

    kind: str
    owner: str
    """Distribution and version that brought its kind."""
    pack: str = ""
    """Pack that it comes from; empty: the case's own, or given in memory."""
    data: dict[str, object]


class PackFacts(Record):
    """A rule pack without its rules."""

    id: str
    distribution: str = ""
    digest: str
    as_of: date
    bills: tuple[LegislativeBill, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    @classmethod
    def of(cls, pack: RulePack, distribution: str) -> PackFacts:
        """Those of a pack that a distribution brings."""
        names = ("id", "digest", "as_of", "bills", "scenarios")
        return cls(distribution=distribution, **{name: getattr(pack, name) for name in names})


class FactsFile(Tables):
    """Everything that a plan follows from, each under the name of what it comes from."""

    format: Literal[2]
    case: Case
    """As declared: before scenarios, strictness and changes, without the scenarios that packs bring. Its rules stand in `rules`."""
    catalogs: tuple[Catalog, ...]
    """As read: before changes, and before facilities that are one are made one."""
    packs: tuple[PackFacts, ...] = ()
    named: dict[str, str] = {}
    """Catalog -> what the case calls it, and `pack NAME` likewise; one that is only required, or given in memory, is not there."""
    rules: tuple[RuleFacts, ...] = ()
    plugins: tuple[RunPlugin, ...] = ()
    """What all of it comes from, with the hash of each."""
    applied: Applied = Applied()
    plan: Plan

    @property
    def written(self) -> dict[str, object]:
        """As it stands in the file."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def inputs(self, rules: Sequence[Rule]) -> Inputs:
        """The facts after what was applied, by the code that `plan` applies it with.

        Args:
            rules: its rules as records; those that are unavailable are left out.

        Raises:
            InputError: with everything that does not fit together.
            PluginError: if a plugin's rule raises.
        """
        errors: list[FriendshoreError] = []
        case = with_scenarios(self.case, [(pack.id, pack.scenarios) for pack in self.packs], errors)
        if errors:
            raise InputError(problem for error in errors for problem in error.problems)
        bills = tuple(bill for pack in self.packs for bill in pack.bills)
        given = Inputs(case, united(self.catalogs, case.overlaps), tuple(rules), bills).followed()
        return given.apply(self.applied)

    @property
    def pack_of(self) -> dict[str, str]:
        """Rule -> the pack that it comes from."""
        return {str(rule.data.get("id")): rule.pack for rule in self.rules if rule.pack}


def facts_of(gathered: Gathered, applied: Applied, plan: Plan) -> FactsFile:
    """The facts of a gathered case and its plan."""
    return FactsFile(
        format=FORMAT,
        case=gathered.declared.model_copy(update={"rules": ()}),
        catalogs=gathered.read,
        packs=tuple(PackFacts.of(pack, owner) for pack, owner in gathered.packs),
        named=dict(gathered.named),
        rules=tuple(_rule(rule, gathered) for rule in sorted(gathered.rules, key=lambda rule: rule.id)),
        plugins=gathered.plugins,
        applied=applied,
        plan=plan,
    )


def _rule(rule: Rule, gathered: Gathered) -> RuleFacts:
    try:
        owner = gathered.registry.owner(rule.kind)
    except PluginError:
        owner = type(rule).__module__  # a kind given in memory, that no registry knows
    return RuleFacts(kind=rule.kind, owner=owner, pack=gathered.pack_of.get(rule.id, ""), data=as_data(rule))


def as_data(rule: Rule) -> dict[str, object]:
    """A rule as JSON-ready data, from which a registry makes it again."""
    data = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {**data, "kind": rule.kind, "id": rule.id}


def facts_file(data: Mapping[str, object]) -> FactsFile:
    """The facts of a run as records.

    Raises:
        InputError: with everything that cannot be read, or that no reader of catalogs would have let pass; for facts of another format,
            of which nothing could be compared with what they are said to come from.
    """
    if data.get("format") != FORMAT:
        message = "its facts are not kept in the format that is read here, in which they can be compared with what they come from"
        shown = f"format {data['format']}" if "format" in data else "no format"
        raise InputError(
            Diagnostic(message, FACTS, column="format", found=shown, expected=str(FORMAT), fix="plan the case again")
        )
    file = record(FactsFile, data, FACTS)
    wrong = unfit(file.catalogs)  # what readers of files refuse is refused here: no code behind this asks again
    if wrong:
        raise InputError([replace(problem, file=f"{FACTS}, {problem.file}") for problem in wrong])
    return file
