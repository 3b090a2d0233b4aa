"""Reading of everything that a case names (catalogs, rule packs, and rules), with the places of errors in their files."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from ..case.formats import FindCatalog, case_format, read_case_file
from ..case.load import Mention, mentions, with_demands, words_of
from ..catalog import Once, ambiguous, misfits, overridden, read_catalogs, sound, united
from ..catalog.known import KnownIds
from ..catalog.tables import place_of
from ..document.figures import count
from ..domain.base import grouped
from ..domain.case import Case, Scenario
from ..domain.countries import is_country
from ..domain.elements import elements_in, form_words
from ..domain.facts import Catalog
from ..domain.suggest import did_you_mean
from ..domain.time import today
from ..domain.used import PriceDate, RunBlock, RunPlugin, aged
from ..errors import CATALOGS, RULES, Diagnostic, FriendshoreError, InputError, PluginError, attempt, each_of
from ..plugins import Blocker, Registry, digest_of, is_folder, plugin_files
from ..plugins.files import SHORT
from ..plugins.interface import OWN
from ..plugins.isolated import CatalogRef, OtherProcess, Reading
from ..plugins.settings import nowhere, table_of
from ..problem.case_checks import end_uses
from ..problem.inputs import Applied, Inputs
from ..problem.merged import Merged
from ..problem.prices import PriceDates
from ..readers import CatalogRows
from ..reading.records import RecordChecker
from ..reading.tomlfile import TomlFile
from ..rules.base import Names, Rule
from ..rules.pack import LegislativeBill, RulePack, identified_rules
from .lock_file import absent


@dataclass(frozen=True, slots=True)
class Gathered:
    """A case with everything that it names."""

    case: Case
    """The case with the scenarios of its packs."""
    declared: Case
    """The case as given, without them."""
    catalogs: tuple[Catalog, ...]
    """Catalogs with a single record of each facility that the case unites."""
    read: tuple[Catalog, ...]
    """Catalogs as read or given."""
    named: Mapping[str, str]
    """Catalog or `pack NAME` -> its name in the case. Without catalogs that are only required or were given in memory."""
    rules: tuple[Rule, ...]
    bills: tuple[LegislativeBill, ...]
    packs: tuple[tuple[RulePack, str], ...]
    """Rule packs, each with its distribution."""
    pack_of: dict[str, str]
    """Rule -> pack that contains it."""
    plugins: tuple[RunPlugin, ...]
    """Everything used, with the hash of its data."""
    overridden: tuple[Diagnostic, ...]
    """Records of facilities that the case replaces by others."""
    registry: Registry
    """Everything that could be named, without the plugins that the case blocks."""
    find: FindCatalog
    """Finder of its catalogs."""
    idle: tuple[Diagnostic, ...]
    """Blocks of the case without an effect, since nothing of that name is installed."""
    places: Places
    """Places of errors."""

    @property
    def inputs(self) -> Inputs:
        """The facts before any changes."""
        slips = self.places(told for told in end_uses(self.case, self.rules) if told.fix)
        old = (*doubts(pack for pack, _ in self.packs), *slips)
        return Inputs(self.case, self.catalogs, self.rules, self.bills, doubts=old, where=self.places).followed()

    def __repr__(self) -> str:
        return f"<Gathered {self.case.name}: {len(self.catalogs):,} catalogs, {len(self.packs):,} packs, {len(self.rules):,} rules>"


def gather(
    case: Case,
    registry: Registry | None = None,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    ids: KnownIds | None = None,
    once: Once | None = None,
    process: OtherProcess | None = None,
) -> Gathered:
    """Read everything that a case names.

    Args:
        ids: Collects the ids that the catalogs define, even if there are errors.
        once: Cache of catalogs read for other cases.
        process: Process in which plugins are asked for their rule packs. None starts a new one.

    Raises:
        InputError: With all errors.
        PluginError: If all errors are about plugins.
    """
    catalogs, rules = each_of(catalogs, Catalog, "catalogs", CATALOGS), each_of(rules, Rule, "rules", RULES)
    known = registry if registry is not None else _registry(case, catalogs)
    known = known.blocking(case.blocked, Blocker.CASE)
    try:
        return _gathered(case, known, catalogs, rules, ids, once, process)
    except FriendshoreError:
        missing = absent(case, known)
        if not missing:
            raise
        # It fails again, and says what is to be installed.
        return _gathered(case, known.lacking(missing), catalogs, rules, ids, once, process)


def _gathered(
    case: Case,
    known: Registry,
    catalogs: Sequence[Catalog],
    rules: Sequence[Rule],
    ids: KnownIds | None,
    once: Once | None,
    process: OtherProcess | None,
) -> Gathered:
    idle = known.idle_blocks(Blocker.CASE)
    known, errors = _with_settings(case, known)
    case, rules = _looked_at(case, rules, errors)
    find = case_format(case.file, known).catalogs(case, known)
    refs = named_catalogs(case, find, [catalog.name for catalog in catalogs], errors)
    readings = [ref.reading for ref in refs if ref.reading is not None]
    case, words = _with_demands(case, known, readings, errors)
    read = _catalogs(case, catalogs, errors, partial(read_catalogs, refs, find, case.overlaps, ids, once))
    case_packs = [] if errors else _case_packs(case, known, read, process, errors)
    named_packs = _packs(case, known, errors)
    packs = [*named_packs, *(pack for _, pack in case_packs)]
    _told_apart(packs, errors)
    found: list[Rule] = list(rules)
    pack_of: dict[str, str] = {}
    for pack, _ in packs:
        made = attempt(partial(known.pack_rules, pack), errors)
        found.extend(made or ())
        pack_of |= {rule.id: pack.id for rule in made or ()}
    own = [*rules, *(attempt(partial(_own_rules, case, known), errors) or ())]
    found.extend(own[len(rules) :])
    declared = case
    case = with_scenarios(case, [(pack.id, pack.scenarios) for pack, _ in packs], errors)
    places = Places(case.file, {ref.name: ref.place for ref in refs}, _of_packs(packs), words, find.told)
    if not errors:
        followed = Inputs(case, read, tuple(own), where=places).followed()
        wrong = _misnamed(followed.rules, followed.case, read)
        if wrong:
            errors.append(followed.told(wrong))
    if errors:
        # A slip in the name of what is blocked may be why.
        raise _all_of([*errors, *map(PluginError, idle)], find, known.broken)
    return Gathered(
        case=case,
        declared=declared,
        catalogs=united(read, case.overlaps),
        read=read,
        named=_named(case, [ref.name for ref in refs], [catalog.name for catalog in catalogs], named_packs)
        | {f"pack {pack.id}": table for table, (pack, _) in case_packs},
        rules=tuple(found),
        bills=tuple(bill for pack, _ in packs for bill in pack.bills),
        packs=tuple(packs),
        pack_of=pack_of,
        plugins=_plugins_used(read, packs, found, readings, known),
        overridden=tuple(overridden(read, case.overlaps)),
        registry=known,
        find=find,
        idle=idle,
        places=places,
    )


def _named(
    case: Case, found: Sequence[str], given: Collection[str], packs: Sequence[tuple[RulePack, str]]
) -> dict[str, str]:
    """Return catalog or `pack NAME` -> its name in the case."""
    called = [name for name in case.catalogs if name not in given]
    catalogs = dict(zip(found, called, strict=True))
    return catalogs | {f"pack {pack.id}": name for (pack, _), name in zip(packs, case.packs, strict=True)}


def _of_packs(packs: Sequence[tuple[RulePack, str]]) -> dict[str, tuple[str, int | None]]:
    """Return file and line of every rule of the packs."""
    return {
        str(rule["id"]): (pack.file, pack.lines[number] if number < len(pack.lines) else None)
        for pack, _ in packs
        for number, rule in enumerate(pack.rules)
    }


def _looked_at(case: Case, rules: Sequence[Rule], errors: list[FriendshoreError]) -> tuple[Case, tuple[Rule, ...]]:
    """Check a case and rules given in memory as a reader of files would."""
    again = RecordChecker()
    case = again.record(case, f"case {case.name}")
    checked = tuple(again.record(rule, f"rule {rule.id}") for rule in rules)
    if again.found:
        errors.append(InputError(again.found))
    return case, checked


def blocks_of(registry: Registry) -> list[RunBlock]:
    """Return the blocks of plugins for the run, by name."""
    by = grouped((block.name, block) for block in registry.blocks)
    return [
        RunBlock(
            name=name,
            by=[block.by.value for block in blocks],
            plugins=[info.label for info in registry.plugins if blocks[0].meets(info)],
        )
        for name, blocks in sorted(by.items())
    ]


def with_scenarios(case: Case, packs: Iterable[tuple[str, Sequence[Scenario]]], errors: list[FriendshoreError]) -> Case:
    """Return the case with the scenarios of its packs after its own. Duplicate names are added to `errors`."""
    owners = {scenario.name: "the case" for scenario in case.scenarios}
    brought: list[Scenario] = []
    for pack, scenarios in packs:
        for scenario in scenarios:
            before = owners.setdefault(scenario.name, f"rule pack {pack}")
            if before == f"rule pack {pack}":
                brought.append(scenario)
                continue
            message = f"the scenario `{scenario.name}` is given by {before} and by rule pack {pack}"
            errors.append(InputError(message, column="scenario.name", fix="rename the one in the case"))
    return case.but(scenarios=(*case.scenarios, *brought)) if brought else case


def _registry(case: Case, given: Sequence[Catalog]) -> Registry:
    """Return the installed plugins, or an empty registry if the case names only data given in memory."""
    names = {catalog.name for catalog in given}
    others = any(name not in names for name in case.catalogs)
    needed = others or case.packs or case.rules or case.blocked or case.settings or case.demand_from
    return Registry.discover() if needed else Registry.of()


def named_catalogs(
    case: Case, find: FindCatalog, given: Collection[str], errors: list[FriendshoreError]
) -> list[CatalogRef]:
    """Return the places of the catalogs that a case names, without those given in memory."""
    names = [name for name in case.catalogs if name not in given]
    found = [attempt(partial(find, name), errors) for name in names]
    return [ref for ref in found if ref is not None]


def _catalogs(
    case: Case,
    given: Sequence[Catalog],
    errors: list[FriendshoreError],
    reading: Callable[[], tuple[Catalog, ...]],
) -> tuple[Catalog, ...]:
    read = attempt(reading, errors)
    checked = []
    for catalog in given:
        others = [other for other in (*given, *(read or ())) if other is not catalog]
        one, wrong = sound(catalog, others)
        checked.append(one)
        if wrong and read is not None:
            errors.append(InputError(wrong))
    if read is None or errors:
        return tuple(checked)
    found = (*checked, *read)
    troubles = [*misfits(found, case.overlaps), *(ambiguous(found) if given else ())]
    if troubles:
        errors.append(InputError(troubles))
    return found


def _packs(case: Case, registry: Registry, errors: list[FriendshoreError]) -> list[tuple[RulePack, str]]:
    packs = []
    for name in case.packs:
        pack = attempt(partial(registry.pack, name, case.folder), errors)
        if pack is not None:
            packs.append((pack, registry.packs.get(name, "")))
        elif is_folder(name):
            # A mistake in a pack does not keep those of its rules from being found.
            file, rules, lines = identified_rules((case.folder or Path()) / name)
            attempt(partial(registry.rules, rules, file, lines), errors)
    return packs


def _case_packs(
    case: Case,
    registry: Registry,
    catalogs: Sequence[Catalog],
    process: OtherProcess | None,
    errors: list[FriendshoreError],
) -> list[tuple[str, tuple[RulePack, str]]]:
    """Return the rule packs that follow from the case's plugin settings, each with its table in the case."""
    return [
        (table_of(name), pack)
        for name in sorted(filter(registry.makes_packs, case.settings))
        for pack in attempt(partial(registry.case_packs, name, case, catalogs, process), errors) or ()
    ]


def _told_apart(packs: Sequence[tuple[RulePack, str]], errors: list[FriendshoreError]) -> None:
    """Add an error for each name that two packs share."""
    names = [pack.id for pack, _ in packs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        fix = "leave one of the two, or name it otherwise"
        errors.append(InputError(f"two rule packs are called `{name}`", column="use.packs", fix=fix))


def _with_settings(case: Case, registry: Registry) -> tuple[Registry, list[FriendshoreError]]:
    """Return the registry with the case's plugin settings, and their errors by line."""
    toml = read_case_file(case.file, []) if case.settings and case.file is not None else None
    where = str(case.file) if case.file is not None else f"case {case.name}"
    return registry.setting(case.settings, where, nowhere if toml is None else toml.line)


def _with_demands(
    case: Case, registry: Registry, readings: list[Reading], errors: list[FriendshoreError]
) -> tuple[Case, Sequence[Mention]]:
    """Return the case with the demands from a reader, and each of their words with its place. Add the reading to `readings`."""
    if not case.demand_from:
        return case, ()
    reading = attempt(partial(registry.read, case.demand_from, "demand", case.folder), errors)
    if reading is None:
        return case, ()
    readings.append(reading)
    made = attempt(partial(with_demands, case, reading.rows.tables["demand"], reading.name), errors)
    return (case, ()) if made is None else (made[0], words_of(made[1]))


def _own_rules(case: Case, registry: Registry) -> tuple[Rule, ...]:
    """Return the case's own rules, or none if they aren't a list, which was reported when the case was checked."""
    tables: object = case.rules
    if not isinstance(tables, tuple | list):
        return ()
    try:
        return registry.rules(case.rules, f"case {case.name}")
    except FriendshoreError:
        if case.file is None:
            raise
        toml = read_case_file(case.file, [])
        if toml is None:
            raise
        rows = [toml.line(("rule", number)) for number in range(len(case.rules))]
        try:
            return registry.rules(case.rules, str(case.file), rows)
        except FriendshoreError as error:
            raise type(error)([_at_its_key(problem, toml, rows) for problem in error.problems]) from error


def _at_its_key(problem: Diagnostic, toml: TomlFile, rows: Sequence[int | None]) -> Diagnostic:
    """Return an error in a rule of the case at the line of its key."""
    if problem.row not in rows or not problem.column:
        return problem
    number, key = rows.index(problem.row), re.split(r"[.\[]", problem.column)[0]
    return replace(problem, row=toml.line(("rule", number, key)))


def _all_of(errors: Sequence[FriendshoreError], find: FindCatalog, broken: Collection[Diagnostic]) -> FriendshoreError:
    """Return one error with all problems. Those of `broken` plugins come first, since they may cause the others."""
    problems = tuple(find.told(problem for error in errors for problem in error.problems))
    if causes := [problem for problem in problems if problem in broken]:
        return PluginError([*causes, *problems])
    return PluginError(problems) if all(isinstance(error, PluginError) for error in errors) else InputError(problems)


def _misnamed(rules: Sequence[Rule], case: Case, catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """Return the unknown names in the case's own rules and in those given in memory.

    Rules of packs aren't checked, since laws name more than the catalogs of one case contain.
    """
    if not rules:
        return []
    known = _known(case, catalogs)
    return [
        Diagnostic(
            f"rule `{rule.id}` names the {what} `{name}`, which is not there",
            column=f"rule.{field}",
            found=name,
            expected=_expected(what, known[what]),
            fix=did_you_mean(name, known[what]),
        )
        for rule in rules
        for field, what, name in _names(rule)
        if name not in known[what] and not _elsewhere(what, name, known[what])
    ]


def _elsewhere(what: str, name: str, known: Collection[str]) -> bool:
    """Return True if a name may refer to something outside the catalogs: a country, or an end use of other cases that isn't a misspelling."""
    return is_country(name) if what == "place" else what == "end use" and not did_you_mean(name, known)


def _expected(what: str, known: Iterable[str]) -> str:
    if what == "end use":
        return "defense, civil, or an end use of a demand: one of " + ", ".join(sorted(known))
    return f"a{'n' if what[0] in 'aeiou' else ''} {what} of the case's catalogs" + (
        ", or a country" * (what == "place")
    )


def _known(case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
    materials = [material for catalog in catalogs for material in catalog.materials]
    facilities = [facility for catalog in catalogs for facility in catalog.facilities]
    return {
        "material": frozenset(material.id for material in materials),
        "element": frozenset().union(*(elements_in(material.element) for material in materials)),
        "form": frozenset().union(*(form_words(material.form) for material in materials)),
        "tag": frozenset(tag for material in materials for tag in material.tags),
        "offer": frozenset(offer.id for catalog in catalogs for offer in catalog.offers),
        "facility": frozenset(facility.id for facility in facilities),
        "place": frozenset(facility.place for facility in facilities),
        "catalog": frozenset(catalog.name for catalog in catalogs),
        "end use": frozenset({"defense", "civil", *(demand.end_use for demand in case.demands)}),
    }


def _names(record: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Yield field, sort, and value of each name in a rule and in its nested records."""
    for column, info in type(record).model_fields.items():
        value: object = getattr(record, column)
        for mark in info.metadata:
            if isinstance(mark, Names):
                yield from ((column, mark.what, name) for name in _words(value))
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                yield from ((f"{column}.{within}", what, name) for within, what, name in _names(one))


def _words(value: object) -> list[str]:
    words = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    return sorted(filter(None, (word if isinstance(word, str) else word[0] for word in words)))


_CATALOG = re.compile(r"catalog (\S+)\Z")
_RULE = re.compile(r"rule `(.+)`\Z")
_HELD = re.compile(r"no exchange rate from ([A-Z]{3})|older than the case allows: of (\d{4}-\d{2}-\d{2})")
"""Pattern for the text of a cell in the row that an error is about: a currency, or the date of a price."""


@dataclass(frozen=True, slots=True)
class Places:
    """The files that a case was read from."""

    case: Path | None = None
    """Case file. None if it was made in memory."""
    catalogs: Mapping[str, Path | CatalogRows] = field(default_factory=dict)
    """Folder or workbook of each catalog, or the rows from a reader."""
    rules: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    """File and line of each rule of a pack."""
    read: Sequence[Mention] = ()
    """Words of demands from a reader."""
    told: Callable[[Iterable[Diagnostic]], list[Diagnostic]] = list
    """Function that translates problems for display."""

    def __call__(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return the problems at every place of the names that they are about. Those without a known place are unchanged."""
        found = list(problems)
        words = mentions(self.case) if self.case is not None and any(not p.file for p in found) else []
        words += self.read
        placed = dict.fromkeys(one for problem in found for one in self._placed(problem, words))
        return self.told(sorted(placed, key=lambda problem: (problem.file, problem.row or 0)))

    def _placed(self, problem: Diagnostic, words: list[Mention]) -> Iterator[Diagnostic]:
        rule = _RULE.match(problem.column)
        if problem.file:
            yield self._in_catalog(problem)
        elif rule is not None and rule[1] in self.rules:
            file, row = self.rules[rule[1]]
            yield replace(problem, file=file, row=row)
        else:
            named = rule[1] if rule is not None else problem.found.strip("`")
            column = "rule.id" if rule is not None else problem.column
            at = _mentioned(words, column, named) if named else []
            for word in at:
                column = problem.column if rule is not None or problem.column else word.column
                yield replace(problem, file=word.file, row=word.row, column=column)
            if not at:
                yield replace(problem, file=str(self.case)) if self.case is not None else problem

    def _in_catalog(self, problem: Diagnostic) -> Diagnostic:
        catalog = _CATALOG.match(problem.file)
        table, dot, column = problem.column.partition(".")
        if catalog is None or not dot or catalog[1] not in self.catalogs:
            return problem
        held = _HELD.search(problem.message)
        path, holding = self.catalogs[catalog[1]], (held[1] or held[2]) if held else ""
        place = place_of(path, table, problem.found.strip("`"), holding)
        found = f"an amount in {held[1]}" if held is not None and held[1] else problem.found
        return problem if place is None else replace(problem, file=place[0], row=place[1], column=column, found=found)


def _mentioned(words: Iterable[Mention], column: str, name: str) -> list[Mention]:
    """Return the mentions of a name under a key. If there are none, use ids in its section and mentions in rules, or without a section those in scenarios."""
    section, _, key = column.rpartition(".")
    here = [word for word in words if word.word == name]
    exact = [word for word in here if word.column == key and (word.section == section or not section)]
    within = [word for word in here if word.section.startswith("scenario")] if not section else []
    of_rule = [word for word in here if section == "rule" and word.section.startswith("rule")]
    itself = [word for word in here if (word.section, word.column) == (section, "id")] if section else []
    return exact or within or itself or of_rule


_NAMED = 3
"""Maximum number of offers named per price. `check --json` prints all."""
_NEWER = "bring a newer price to the catalog, state one in [[assume.offer]], allow older ones, or plan without --strict"


def refuse_old_prices(inputs: Inputs, applied: Applied, day: datetime.date | None = None) -> None:
    """Reject prices that are older than the case allows on a day (None means today) in the changed facts. Only with `strict` and an age limit.

    Raises:
        InputError: With every such price of a possible purchase for the demands.
        PluginError: If a plugin's rule raises.
    """
    limit = inputs.case.accept.oldest_price_days
    if limit is None or not applied.strict:
        return
    now = today() if day is None else day
    problem = inputs.problem()
    old = [one for one in PriceDates(problem).all() if one.is_older(limit, now)]
    if old:
        raise InputError(inputs.where(list(_told(old, limit, now, problem.merged))))


def _told(old: list[PriceDate], limit: int, now: datetime.date, merged: Merged) -> Iterator[Diagnostic]:
    """Yield an error for every old benchmark, price, or freight, with the offers that use it."""
    for one, offers in grouped((one.but(offer="", material=""), one.offer) for one in old).items():
        names = [f"`{name}`" for name in dict.fromkeys(offers)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        followed = one.of == "price" and merged.prices.get(one.given_by)
        source = followed[0].source if followed else one.given_by
        ahead = one.to_come(now) is not None
        yield Diagnostic(
            f"the {one.of} of {', '.join(names[:_NAMED])}{more} is {'of a day to come' if ahead else 'older than the case allows'}: {one.dated(now)}",
            file=f"catalog {source.partition(':')[0]}" if source in merged.sources else "",
            column="lanes.freight" if one.of == "freight" else "prices.date" if followed else "sources.date",
            found=f"`{offers[0] if one.of == 'freight' else one.given_by.rpartition(':')[2]}`",
            expected=f"{'a day that has been, ' if ahead else ''}at most {count(limit, 'day')} old on {now}, by `oldest_price` of [accept]",
            fix="write down on which day it was looked at" if ahead else _NEWER,
        )


def doubts(packs: Iterable[RulePack]) -> Iterator[Diagnostic]:
    """Yield the rule packs that are older today than the case allows."""
    day = today()
    for pack in packs:
        if pack.good_until is not None and pack.good_until < day:
            expected = f"one that is good on {day}: this was until {pack.good_until}"
            fix = "fetch it once more, and say of which day it is"
            message = f"`{pack.id}` is older than the case allows"
            yield Diagnostic(message, found=aged(pack.as_of, day), expected=expected, fix=fix)


def _plugins_used(
    catalogs: Sequence[Catalog],
    packs: Sequence[tuple[RulePack, str]],
    rules: Sequence[Rule],
    readings: Sequence[Reading],
    registry: Registry,
) -> tuple[RunPlugin, ...]:
    """Return all plugins, and folders beside the case, that it uses, each with its hash."""
    found = [
        RunPlugin(name=c.name, kind="catalog", distribution=c.distribution, digest=c.digest, as_of=c.as_of)
        for c in catalogs
    ]
    found += [
        RunPlugin(name=pack.id, kind="pack", distribution=owner, digest=pack.digest, as_of=pack.as_of)
        for pack, owner in packs
    ]
    found += [
        RunPlugin(name=f"{one.name} ({one.what})", kind="reader", distribution=one.distribution, digest=one.digest)
        for one in readings
    ]
    kinds = {kind: owner for kind in {rule.kind for rule in rules} if (owner := _owner(registry, kind))}
    digests: dict[str, str] = {}
    for label in sorted({*(plugin.distribution for plugin in found), *kinds.values()}):
        name = label.partition(" ")[0]
        files = plugin_files(registry, name) if name != OWN else {}
        digests[label] = digest_of(files)
        if files:
            short = {file: digest[:SHORT] for file, digest in files.items()}
            found.append(RunPlugin(name=name, kind="plugin", distribution=label, digest=digests[label], files=short))
    found += [
        RunPlugin(name=kind, kind="rule kind", distribution=label, digest=digests[label])
        for kind, label in kinds.items()
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.kind, plugin.name)))


def _owner(registry: Registry, kind: str) -> str:
    """Return the plugin with a kind of rule. Empty for friendshore's own, and for a class given in memory."""
    owner = registry.owner(kind) if kind in registry.kinds else ""
    return "" if owner.partition(" ")[0] == OWN else owner
