"""`facts.json`: the facts of a case before scenarios and changes, the changes, and the resulting plan."""

# Ids that catalogs have renamed are compared under their current names, and the new names are reported.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from ..catalog import catalog_contradictions, merge_facilities
from ..domain.base import Record, Tables
from ..domain.case import Case, Scenario
from ..domain.facts import Catalog, Facility, Material, Offer
from ..domain.market import BenchmarkPrice
from ..domain.naming import Alias, Aliases
from ..domain.plan import Plan
from ..domain.used import RunPlugin
from ..errors import FriendshoreError, InputError, PluginError
from ..problem.inputs import Applied, Inputs
from ..reading.records import record
from ..rules.base import Rule
from ..rules.pack import KEPT, LegislativeBill, RulePack, as_data
from .gather import Gathered, with_scenarios

FACTS = "facts.json"
FORMAT = 2
"""Version of the written facts. Format 1, before the first release, contained catalogs and rules after scenarios and changes."""


class RuleFacts(Record):
    """A rule as data, before any changes."""

    kind: str
    owner: str
    """Distribution and version that the rule's kind comes from."""
    pack: str = ""
    """Pack of the rule. Empty if it is the case's own or was given in memory."""
    data: dict[str, object]


class PackFacts(Record):
    """A rule pack without its rules."""

    id: str
    distribution: str = ""
    digest: str
    as_of: date
    good_until: date | None = None
    notes: tuple[str, ...] = ()
    bills: tuple[LegislativeBill, ...] = ()
    scenarios: tuple[Scenario, ...] = ()

    @classmethod
    def of(cls, pack: RulePack, distribution: str) -> PackFacts:
        return cls(distribution=distribution, **{name: getattr(pack, name) for name in ("digest", *KEPT)})


class FactsFile(Tables):
    """Everything that a plan follows from, by origin."""

    format: Literal[2]
    case: Case
    """The case as declared, before scenarios, strictness, and changes, and without the scenarios of packs. Its rules are in `rules`."""
    catalogs: tuple[Catalog, ...]
    """Catalogs as read, before changes and before duplicate facilities are united."""
    packs: tuple[PackFacts, ...] = ()
    named: dict[str, str] = {}
    """Catalog or `pack NAME` -> its name in the case. Without catalogs that are only required or were given in memory."""
    rules: tuple[RuleFacts, ...] = ()
    plugins: tuple[RunPlugin, ...] = ()
    """Origins of all facts, with the hash of each."""
    applied: Applied = Applied()
    plan: Plan

    @property
    def written(self) -> dict[str, object]:
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def inputs(self, rules: Sequence[Rule]) -> Inputs:
        """Return the facts after the changes, applied by the code that `plan` uses. Unavailable rules are left out."""
        errors: list[FriendshoreError] = []
        case = with_scenarios(self.case, [(pack.id, pack.scenarios) for pack in self.packs], errors)
        if errors:
            raise InputError(problem for error in errors for problem in error.problems)
        bills = tuple(bill for pack in self.packs for bill in pack.bills)
        inputs = Inputs(case, merge_facilities(self.catalogs, case.overlaps), tuple(rules), bills).followed()
        return inputs.apply(self.applied)

    @property
    def pack_of(self) -> dict[str, str]:
        return {str(rule.data.get("id")): rule.pack for rule in self.rules if rule.pack}


def facts_of(gathered: Gathered, applied: Applied, plan: Plan) -> FactsFile:
    return FactsFile(
        format=FORMAT,
        case=gathered.declared.but(rules=()),
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
        owner = type(rule).__module__  # a kind given in memory, which isn't in any registry
    return RuleFacts(kind=rule.kind, owner=owner, pack=gathered.pack_of.get(rule.id, ""), data=as_data(rule))


def facts_file(data: Mapping[str, object]) -> FactsFile:
    """Return the facts of a run as records. Facts of another format are an error, since they can't be compared with their origins."""
    if data.get("format") != FORMAT:
        message = "the facts have another format, which can't be compared with its sources"
        shown = f"format {data['format']}" if "format" in data else "no format"
        fix = "plan the case again"
        raise InputError(message, FACTS, column="format", found=shown, expected=str(FORMAT), fix=fix, code="FS607")
    Catalog.model_rebuild()  # builds the validator of catalogs once, not a second time as a part of the file's
    file = record(FactsFile, data, FACTS)
    problems = catalog_contradictions(file.catalogs)  # these checks happen in readers of files, and nowhere later
    if problems:
        raise InputError([replace(problem, file=f"{FACTS}, {problem.file}") for problem in problems])
    return file


Entries = Mapping[str, Mapping[str, object]]
"""Records of the facts by name, as JSON-ready data."""
RECORD_NAMES: Mapping[str, Callable[[Any], str]] = {
    "materials": lambda record: f"material {record.id}",
    "facilities": lambda record: f"facility {record.id}",
    "offers": lambda record: f"offer {record.id}",
    "schedules": lambda record: f"price schedule of {record.name}",
    "terms": lambda record: f"terms of {record.name}",
    "prices": lambda record: f"price {record.id} of {record.date}",
    "rates": lambda record: f"rate {record.currency} to {record.to} of {record.start}",
    "factors": lambda record: f"factor {record.element} in {record.compound}",
    "sources": lambda record: f"source {record.id}",
    "aliases": lambda record: f"alias {record.of} {record.old}",
}
"""Table of a catalog -> function that returns the name of a record."""


def renamed_since(file: FactsFile, current: Iterable[Catalog]) -> list[Alias]:
    return [alias for catalog in current for recorded in file.catalogs for alias in _newer_aliases(recorded, catalog)]


def _newer_aliases(recorded: Catalog, current: Catalog) -> Iterator[Alias]:
    if recorded.name != current.name:
        return
    records: dict[str, tuple[Offer | Facility | Material | BenchmarkPrice, ...]] = {
        "offer": recorded.offers,
        "facility": recorded.facilities,
        "material": recorded.materials,
        "benchmark": recorded.prices,
    }
    ids = {(of, record.id) for of, listed in records.items() for record in listed}
    for alias in current.aliases:
        if alias not in recorded.aliases and (alias.of, alias.old) in ids:
            yield alias


def under_current_names(stated: Entries, original: Entries, renamed: Iterable[Alias]) -> tuple[Entries, Entries]:
    """Return two versions of the facts, both under current names. Aliases that are newer than the facts aren't a difference."""
    aliases = Aliases(renamed)
    if not aliases:
        return stated, original
    names = {old: steps[-1].new for of, old in aliases.by_name if (steps := aliases.path(of, old))[-1].new}
    new_aliases = {*map(RECORD_NAMES["aliases"], aliases.by_name.values())}
    remaining = {key: data for key, data in original.items() if key not in new_aliases or key in stated}
    return _renamed(stated, names), _renamed(remaining, names)


def _renamed(entries: Entries, names: Mapping[str, str]) -> Entries:
    return {
        " ".join(_renamed_word(word, names) for word in key.split(" ")): _renamed_table(data, names)
        for key, data in entries.items()
    }


def _renamed_word(word: str, names: Mapping[str, str]) -> str:
    head, slash, rest = word.partition("/")
    return names.get(word, f"{names.get(head, head)}{slash}{rest}")


def _renamed_table(table: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    return {names.get(key, key): _renamed_value(inner, names) for key, inner in table.items()}


def _renamed_value(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _renamed_word(value, names)
    if isinstance(value, Mapping):
        return _renamed_table(value, names)
    return [_renamed_value(inner, names) for inner in value] if isinstance(value, list) else value
