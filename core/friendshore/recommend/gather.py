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
from ..catalog import (
    CatalogCache,
    ambiguous,
    ignored_figures,
    merge_facilities,
    overlap_problems,
    read_catalogs,
    validated_catalog,
)
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
from ..errors import CATALOGS, RULES, Diagnostic, FriendshoreError, InputError, PluginError, attempt, tuple_of
from ..plugins import Blocker, Registry, digest_of, is_folder, plugin_files
from ..plugins.files import SHORT_HASH_LENGTH
from ..plugins.interface import OWN
from ..plugins.isolated import CatalogRef, OtherProcess, Reading
from ..plugins.settings import no_line, table_of
from ..problem.case_checks import end_use_problems
from ..problem.inputs import Applied, Inputs
from ..problem.merged import Merged, RowDiagnostic
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
    ignored_figures: tuple[Diagnostic, ...]
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
        all_doubts = tuple(doubts(pack for pack, _ in self.packs))
        return Inputs(self.case, self.catalogs, self.rules, self.bills, doubts=all_doubts, where=self.places).followed()

    def __repr__(self) -> str:
        return f"<Gathered {self.case.name}: {len(self.catalogs):,} catalogs, {len(self.packs):,} packs, {len(self.rules):,} rules>"


def gather(
    case: Case,
    registry: Registry | None = None,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    ids: KnownIds | None = None,
    cache: CatalogCache | None = None,
    process: OtherProcess | None = None,
) -> Gathered:
    """Read everything that a case names. `ids` collects the ids that the catalogs define, even if there are errors. Plugins make their packs in `process`."""
    catalogs, rules = tuple_of(catalogs, Catalog, "catalogs", CATALOGS), tuple_of(rules, Rule, "rules", RULES)
    plugins = registry if registry is not None else _registry(case, catalogs)
    plugins = plugins.blocking(case.blocked, Blocker.CASE)
    try:
        return _gathered(case, plugins, catalogs, rules, ids, cache, process)
    except FriendshoreError:
        missing = absent(case, plugins)
        if not missing:
            raise
        # It fails again, now with an error that says what to install.
        return _gathered(case, plugins.lacking(missing), catalogs, rules, ids, cache, process)


def _gathered(
    case: Case,
    plugins: Registry,
    catalogs: Sequence[Catalog],
    rules: Sequence[Rule],
    ids: KnownIds | None,
    cache: CatalogCache | None,
    process: OtherProcess | None,
) -> Gathered:
    idle = plugins.idle_blocks(Blocker.CASE)
    plugins, errors = _with_settings(case, plugins)
    case, rules = _checked_in_memory(case, rules, errors)
    find_catalog = case_format(case.file, plugins).catalogs(case, plugins)
    refs = named_catalogs(case, find_catalog, [catalog.name for catalog in catalogs], errors)
    readings = [ref.reading for ref in refs if ref.reading is not None]
    case, words = _with_demands(case, plugins, readings, errors)
    read = _catalogs(case, catalogs, errors, partial(read_catalogs, refs, find_catalog, case.overlaps, ids, cache))
    case_packs = [] if errors else _case_packs(case, plugins, read, process, errors)
    named_packs = _packs(case, plugins, errors)
    packs = [*named_packs, *(pack for _, pack in case_packs)]
    _check_pack_names(packs, errors)
    all_rules: list[Rule] = list(rules)
    pack_of: dict[str, str] = {}
    for pack, _ in packs:
        rules_of_pack = attempt(partial(plugins.pack_rules, pack), errors)
        all_rules.extend(rules_of_pack or ())
        pack_of |= {rule.id: pack.id for rule in rules_of_pack or ()}
    own_rules = [*rules, *(attempt(partial(_own_rules, case, plugins), errors) or ())]
    all_rules.extend(own_rules[len(rules) :])
    declared = case
    case = with_scenarios(case, [(pack.id, pack.scenarios) for pack, _ in packs], errors)
    places = Places(
        case.file, {ref.name: ref.place for ref in refs}, _rule_places(packs), words, find_catalog.printable
    )
    if not errors:
        followed = Inputs(case, read, tuple(own_rules), where=places).followed()
        wrong = _unknown_names(followed.rules, followed.case, read)
        uses = [("demand.end_use", demand.end_use) for demand in case.demands]
        uses += [(f"assume.license.{use}", use) for use in case.assume.license]
        wrong += end_use_problems(uses, case, all_rules)
        if wrong:
            errors.append(followed.located_error(wrong))
    if errors:
        # A misspelled block may be the cause, so blocks without an effect are errors too.
        raise _combined([*errors, *map(PluginError, idle)], find_catalog, plugins.broken)
    return Gathered(
        case=case,
        declared=declared,
        catalogs=merge_facilities(read, case.overlaps),
        read=read,
        named=_names_in_case(case, [ref.name for ref in refs], [catalog.name for catalog in catalogs], named_packs)
        | {f"pack {pack.id}": table for table, (pack, _) in case_packs},
        rules=tuple(all_rules),
        bills=tuple(bill for pack, _ in packs for bill in pack.bills),
        packs=tuple(packs),
        pack_of=pack_of,
        plugins=_used_plugins(read, packs, all_rules, readings, plugins),
        ignored_figures=tuple(ignored_figures(read, case.overlaps)),
        registry=plugins,
        find=find_catalog,
        idle=idle,
        places=places,
    )


def _names_in_case(
    case: Case, names: Sequence[str], in_memory: Collection[str], packs: Sequence[tuple[RulePack, str]]
) -> dict[str, str]:
    names_in_case = [name for name in case.catalogs if name not in in_memory]
    catalogs = dict(zip(names, names_in_case, strict=True))
    return catalogs | {f"pack {pack.id}": name for (pack, _), name in zip(packs, case.packs, strict=True)}


def _rule_places(packs: Sequence[tuple[RulePack, str]]) -> dict[str, tuple[str, int | None]]:
    return {
        str(rule["id"]): (pack.file, pack.lines[number] if number < len(pack.lines) else None)
        for pack, _ in packs
        for number, rule in enumerate(pack.rules)
    }


def _checked_in_memory(
    case: Case, rules: Sequence[Rule], errors: list[FriendshoreError]
) -> tuple[Case, tuple[Rule, ...]]:
    checker = RecordChecker()
    case = checker.record(case, f"case {case.name}")
    checked = tuple(checker.record(rule, f"rule {rule.id}") for rule in rules)
    if checker.problems:
        errors.append(InputError(checker.problems))
    return case, checked


def blocks_of(registry: Registry) -> list[RunBlock]:
    blocks_by_name = grouped((block.name, block) for block in registry.blocks)
    return [
        RunBlock(
            name=name,
            by=[block.by.value for block in blocks],
            plugins=[info.label for info in registry.plugins if blocks[0].meets(info)],
        )
        for name, blocks in sorted(blocks_by_name.items())
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
            message = f"the scenario `{scenario.name}` is defined by {before} and by rule pack {pack}"
            fix = "rename the one in the case"
            errors.append(InputError(message, column="scenario.name", fix=fix, code="FS640"))
    return case.but(scenarios=(*case.scenarios, *brought)) if brought else case


def _registry(case: Case, in_memory: Sequence[Catalog]) -> Registry:
    names = {catalog.name for catalog in in_memory}
    others = any(name not in names for name in case.catalogs)
    needed = others or case.packs or case.rules or case.blocked or case.settings or case.demand_from
    return Registry.discover() if needed else Registry.of()


def named_catalogs(
    case: Case, find: FindCatalog, in_memory: Collection[str], errors: list[FriendshoreError]
) -> list[CatalogRef]:
    names = [name for name in case.catalogs if name not in in_memory]
    refs = [attempt(partial(find, name), errors) for name in names]
    return [ref for ref in refs if ref is not None]


def _catalogs(
    case: Case, in_memory: Sequence[Catalog], errors: list[FriendshoreError], reading: Callable[[], tuple[Catalog, ...]]
) -> tuple[Catalog, ...]:
    read = attempt(reading, errors)
    checked = []
    for catalog in in_memory:
        others = [other for other in (*in_memory, *(read or ())) if other is not catalog]
        checked_catalog, problems = validated_catalog(catalog, others)
        checked.append(checked_catalog)
        if problems and read is not None:
            errors.append(InputError(problems))
    if read is None or errors:
        return tuple(checked)
    all_catalogs = (*checked, *read)
    problems_together = [
        *overlap_problems(all_catalogs, case.overlaps),
        *(ambiguous(all_catalogs) if in_memory else ()),
    ]
    if problems_together:
        errors.append(InputError(problems_together))
    return all_catalogs


def _packs(case: Case, registry: Registry, errors: list[FriendshoreError]) -> list[tuple[RulePack, str]]:
    packs = []
    for name in case.packs:
        pack = attempt(partial(registry.pack, name, case.folder), errors)
        if pack is not None:
            packs.append((pack, registry.packs.get(name, "")))
        elif is_folder(name):
            # Report the errors of its rules even if the pack itself has one.
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
    return [
        (table_of(name), pack)
        for name in sorted(filter(registry.makes_packs, case.settings))
        for pack in attempt(partial(registry.case_packs, name, case, catalogs, process), errors) or ()
    ]


def _check_pack_names(packs: Sequence[tuple[RulePack, str]], errors: list[FriendshoreError]) -> None:
    names = [pack.id for pack, _ in packs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        fix = "remove one of them, or rename it"
        errors.append(InputError(f"two rule packs are called `{name}`", column="use.packs", fix=fix, code="FS640"))


def _with_settings(case: Case, registry: Registry) -> tuple[Registry, list[FriendshoreError]]:
    toml = read_case_file(case.file, []) if case.settings and case.file is not None else None
    where = str(case.file) if case.file is not None else f"case {case.name}"
    return registry.setting(case.settings, where, no_line if toml is None else toml.line)


def _with_demands(
    case: Case, registry: Registry, readings: list[Reading], errors: list[FriendshoreError]
) -> tuple[Case, Sequence[Mention]]:
    """Return the case with the demands from a reader, and their words with places. Add the reading to `readings`."""
    if not case.demand_from:
        return case, ()
    reading = attempt(partial(registry.read, case.demand_from, "demand", case.folder), errors)
    if reading is None:
        return case, ()
    readings.append(reading)
    case_and_words = attempt(partial(with_demands, case, reading.rows.tables["demand"], reading.name), errors)
    return (case, ()) if case_and_words is None else (case_and_words[0], words_of(case_and_words[1]))


def _own_rules(case: Case, registry: Registry) -> tuple[Rule, ...]:
    tables: object = case.rules
    if not isinstance(tables, tuple | list):
        return ()  # reported when the case was checked
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
            raise type(error)([_at_line_of_key(problem, toml, rows) for problem in error.problems]) from error


def _at_line_of_key(problem: Diagnostic, toml: TomlFile, rows: Sequence[int | None]) -> Diagnostic:
    if problem.row not in rows or not problem.column:
        return problem
    number, key = rows.index(problem.row), re.split(r"[.\[]", problem.column)[0]
    return replace(problem, row=toml.line(("rule", number, key)))


def _combined(
    errors: Sequence[FriendshoreError], find: FindCatalog, broken: Collection[Diagnostic]
) -> FriendshoreError:
    """Return one error with all problems. Those of `broken` plugins come first, since they may cause the others."""
    problems = tuple(find.printable(problem for error in errors for problem in error.problems))
    if causes := [problem for problem in problems if problem in broken]:
        return PluginError([*causes, *problems])
    return PluginError(problems) if all(isinstance(error, PluginError) for error in errors) else InputError(problems)


def _unknown_names(rules: Sequence[Rule], case: Case, catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """Return the unknown names in rules outside of packs. Laws name more than the catalogs of one case contain."""
    if not rules:
        return []
    known_names = _names_by_sort(case, catalogs)
    return [
        Diagnostic(
            f"rule `{rule.id}` names the {sort} `{name}`, which doesn't exist",
            column=f"rule.{field}",
            found=name,
            expected=_expected(sort, known_names[sort]),
            fix=did_you_mean(name, known_names[sort]),
            code="FS641",
        )
        for rule in rules
        for field, sort, name in _names_in(rule)
        if name not in known_names[sort] and not _may_be_elsewhere(sort, name, known_names[sort])
    ]


def _may_be_elsewhere(sort: str, name: str, known_names: Collection[str]) -> bool:
    """Return True if a name may refer to something outside the catalogs: a country, or an end use that isn't a misspelling."""
    return is_country(name) if sort == "place" else sort == "end use" and not did_you_mean(name, known_names)


def _expected(sort: str, known_names: Iterable[str]) -> str:
    if sort == "end use":
        return "defense, civil, or an end use of a demand: one of " + ", ".join(sorted(known_names))
    return f"a{'n' if sort[0] in 'aeiou' else ''} {sort} of the case's catalogs" + (
        ", or a country" * (sort == "place")
    )


def _names_by_sort(case: Case, catalogs: Sequence[Catalog]) -> Mapping[str, frozenset[str]]:
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


def _names_in(record: BaseModel) -> Iterator[tuple[str, str, str]]:
    """Yield field, sort, and value of each name in a rule and in its nested records."""
    for column, info in type(record).model_fields.items():
        value: object = getattr(record, column)
        for mark in info.metadata:
            if isinstance(mark, Names):
                yield from ((column, mark.kind, name) for name in _words(value))
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, BaseModel):
                yield from ((f"{column}.{inner_field}", sort, name) for inner_field, sort, name in _names_in(inner))


def _words(value: object) -> list[str]:
    words = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    return sorted(filter(None, (word if isinstance(word, str) else word[0] for word in words)))


_CATALOG = re.compile(r"catalog (\S+)\Z")
_RULE = re.compile(r"rule `(.+)`\Z")


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
    translate: Callable[[Iterable[Diagnostic]], list[Diagnostic]] = list
    """Function that translates problems for display."""

    def __call__(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Return the problems at every place of the names that they are about. Those without a known place are unchanged."""
        problem_list = list(problems)
        words = mentions(self.case) if self.case is not None and any(not p.file for p in problem_list) else []
        words += self.read
        placed = dict.fromkeys(
            _without_cell(placed_problem) for problem in problem_list for placed_problem in self._placed(problem, words)
        )
        return self.translate(sorted(placed, key=lambda problem: (problem.file, problem.row or 0)))

    def _placed(self, problem: Diagnostic, words: list[Mention]) -> Iterator[Diagnostic]:
        rule = _RULE.match(problem.column)
        if problem.file:
            yield self._in_catalog(problem)
        elif rule is not None and rule[1] in self.rules:
            file, row = self.rules[rule[1]]
            yield replace(problem, file=file, row=row)
        else:
            name = rule[1] if rule is not None else problem.found.strip("`")
            column = "rule.id" if rule is not None else problem.column
            mentions_of_name = _mentioned(words, column, name) if name else []
            for word in mentions_of_name:
                column = problem.column if rule is not None or problem.column else word.column
                yield replace(problem, file=word.file, row=word.row, column=column)
            if not mentions_of_name:
                yield replace(problem, file=str(self.case)) if self.case is not None else problem

    def _in_catalog(self, problem: Diagnostic) -> Diagnostic:
        catalog = _CATALOG.match(problem.file)
        table, dot, column = problem.column.partition(".")
        if catalog is None or not dot or catalog[1] not in self.catalogs:
            return problem
        cell = problem.cell if isinstance(problem, RowDiagnostic) else ""
        place = place_of(self.catalogs[catalog[1]], table, problem.found.strip("`"), cell)
        if place is None:
            return problem
        file, row = place
        if isinstance(problem, RowDiagnostic):
            return problem.at(file, row, column)
        return replace(problem, file=file, row=row, column=column)


def _without_cell(problem: Diagnostic) -> Diagnostic:
    # Reports show all fields of a diagnostic, and these only find its line.
    return problem.without_cell() if isinstance(problem, RowDiagnostic) else problem


def _mentioned(words: Iterable[Mention], column: str, name: str) -> list[Mention]:
    """Return the mentions of a name under a key, else of ids in its section, else in rules. Without a section, those in scenarios come second."""
    section, _, key = column.rpartition(".")
    same_word = [word for word in words if word.word == name]
    exact = [word for word in same_word if word.column == key and (word.section == section or not section)]
    in_scenarios = [word for word in same_word if word.section.startswith("scenario")] if not section else []
    in_rules = [word for word in same_word if section == "rule" and word.section.startswith("rule")]
    ids = [word for word in same_word if (word.section, word.column) == (section, "id")] if section else []
    return exact or in_scenarios or ids or in_rules


_MAX_OFFERS = 3
"""Maximum number of offers named per price. `check --json` prints all."""
_FIX_OLD_PRICE = (
    "add a newer price to the catalog, state one in [[assume.offer]], allow older ones, or plan without --strict"
)


def refuse_old_prices(inputs: Inputs, applied: Applied, day: datetime.date | None = None) -> None:
    """Reject prices in the changed facts that are older than the case allows on a day (None means today). Only with `strict` and an age limit."""
    limit = inputs.case.accept.oldest_price_days
    if limit is None or not applied.strict:
        return
    planning_day = today() if day is None else day
    problem = inputs.problem()
    old_prices = [price for price in PriceDates(problem).all() if price.is_older(limit, planning_day)]
    if old_prices:
        raise InputError(inputs.where(list(_old_price_errors(old_prices, limit, planning_day, problem.merged))))


def _old_price_errors(
    old_prices: list[PriceDate], limit: int, planning_day: datetime.date, merged: Merged
) -> Iterator[Diagnostic]:
    for price, offers in grouped((price.but(offer="", material=""), price.offer) for price in old_prices).items():
        names = [f"`{name}`" for name in dict.fromkeys(offers)]
        others = f" and {len(names) - _MAX_OFFERS} more" if len(names) > _MAX_OFFERS else ""
        benchmark = price.of == "price" and merged.prices.get(price.source)
        source = benchmark[0].source if benchmark else price.source
        is_future = price.future_date(planning_day) is not None
        yield RowDiagnostic(
            f"the {price.of} of {', '.join(names[:_MAX_OFFERS])}{others} is {'dated in the future' if is_future else 'older than the case allows'}: {price.dated(planning_day)}",
            file=f"catalog {source.partition(':')[0]}" if source in merged.sources else "",
            column="lanes.freight" if price.of == "freight" else "prices.date" if benchmark else "sources.date",
            found=f"`{offers[0] if price.of == 'freight' else price.source.rpartition(':')[2]}`",
            expected=f"{'a date in the past, ' if is_future else ''}at most {count(limit, 'day')} old on {planning_day}, by `oldest_price` of [accept]",
            fix="correct the date" if is_future else _FIX_OLD_PRICE,
            code="FS642",
            cell=str(price.day) if price.day is not None and price.day == price.oldest and not is_future else "",
        )


def doubts(packs: Iterable[RulePack]) -> Iterator[Diagnostic]:
    day = today()
    for pack in packs:
        if pack.good_until is not None and pack.good_until < day:
            expected = f"one that is valid on {day}; this one was valid until {pack.good_until}"
            fix = "download its data again, and state their date"
            message = f"rule pack `{pack.id}` is older than the case allows"
            yield Diagnostic(message, found=aged(pack.as_of, day), expected=expected, fix=fix, code="FS643")


def _used_plugins(
    catalogs: Sequence[Catalog],
    packs: Sequence[tuple[RulePack, str]],
    rules: Sequence[Rule],
    readings: Sequence[Reading],
    registry: Registry,
) -> tuple[RunPlugin, ...]:
    used = [
        RunPlugin(name=c.name, kind="catalog", distribution=c.distribution, digest=c.digest, as_of=c.as_of)
        for c in catalogs
    ]
    used += [
        RunPlugin(name=pack.id, kind="pack", distribution=owner, digest=pack.digest, as_of=pack.as_of)
        for pack, owner in packs
    ]
    used += [
        RunPlugin(
            name=f"{reading.name} ({reading.what})",
            kind="reader",
            distribution=reading.distribution,
            digest=reading.digest,
        )
        for reading in readings
    ]
    kinds = {kind: owner for kind in {rule.kind for rule in rules} if (owner := _owner(registry, kind))}
    digests: dict[str, str] = {}
    for label in sorted({*(plugin.distribution for plugin in used), *kinds.values()}):
        name = label.partition(" ")[0]
        files = plugin_files(registry, name) if name != OWN else {}
        digests[label] = digest_of(files)
        if files:
            short_digests = {file: digest[:SHORT_HASH_LENGTH] for file, digest in files.items()}
            used.append(
                RunPlugin(name=name, kind="plugin", distribution=label, digest=digests[label], files=short_digests)
            )
    used += [
        RunPlugin(name=kind, kind="rule kind", distribution=label, digest=digests[label])
        for kind, label in kinds.items()
    ]
    return tuple(sorted(used, key=lambda plugin: (plugin.kind, plugin.name)))


def _owner(registry: Registry, kind: str) -> str:
    """Return the plugin with a kind of rule. Empty for friendshore's own, and for a class given in memory."""
    owner = registry.owner(kind) if kind in registry.kinds else ""
    return "" if owner.partition(" ")[0] == OWN else owner
