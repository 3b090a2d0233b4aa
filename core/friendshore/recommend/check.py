"""All errors of a case and everything that it names, and suggestions of additions, without solving."""

# Unknown names and currencies are reported even if errors of the case, a catalog, or a pack keep it from being assembled.

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ..case import load_case
from ..case.formats import case_format, read_case_file
from ..case.load import CASE_FILE, Mention, mentions
from ..catalog.known import ALL_IDS, KnownIds
from ..catalog.tables import amounts_in
from ..domain.base import UnreadableError
from ..domain.case import Case
from ..domain.countries import is_country
from ..domain.elements import elements_in
from ..domain.naming import Names
from ..domain.time import Horizon, PeriodLength
from ..domain.used import DatedStatus, PackedRule, PriceDate, RunPlugin
from ..domain.values import place
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError, attempt
from ..plugins import Blocker, CatalogRef, Registry, is_folder, sentence_of
from ..problem import Problem
from ..problem.case_checks import PLACE, place_suggestion, unknown_name
from ..problem.changes import scenario_changes
from ..problem.inputs import Applied, Inputs
from ..problem.offers import ForeignAmount, missing_rate_error
from ..problem.prices import PriceDates
from ..reading.kinds import plain_table
from ..rules.pack import identified_rules
from .gather import gather, named_catalogs, refuse_old_prices
from .suggest import suggestions

_PLACES = {
    "material": "demand.material stock.material store.material scenario.change.stock scenario.change.want",
    "offer": "order.offer stock.offer incumbent.offer assume.offer.id scenario.change.prove",
    "facility": "scenario.change.capacity",
    "rule": "license.rule waiver.rule "
    + " ".join(f"scenario.change.{subject}" for subject in ("disable", "move", "loosen", "limit", "waive", "grant")),
    "place": "case.place demand.place stock.place order.place store.place",
}
_SORT_BY_KEY = {tuple(place.rsplit(".", 1)): sort for sort, places in _PLACES.items() for place in places.split()}
"""Section and key of a case -> sort of name that its values must match."""
_IN_RULES = ("material", "element", "offer", "facility", "place")
"""Sorts of names in rules that are known even if the case can't be assembled."""


def _unknown_names(file: Path, case: Case, registry: Registry, ids: KnownIds) -> list[Diagnostic]:
    """Return unknown names and currencies by line, except those that an invalid row may define. `ids` are those of the catalogs."""
    ignored: list[FriendshoreError] = []
    plugins = registry.blocking(case.blocked, Blocker.CASE)
    find = attempt(partial(case_format(case.file, plugins).catalogs, case, plugins), ignored)
    if find is None:
        return []
    refs = named_catalogs(case, find, (), ignored)
    words = mentions(file)
    rules = _rules(words, case, plugins)
    names_by_sort: dict[str, Collection[str]] = {
        "material": ids.materials, "offer": ids.offers, "facility": ids.facilities, "place": ids.places,
        "rule": rules or (),
    }  # fmt: skip
    materials = [material for material in ids.materials.values() if material is not None]
    names_by_sort["element"] = frozenset().union(*(elements_in(material.element) for material in materials))
    for sort, old in ids.aliases:  # old names are replaced by current ones
        names_by_sort[sort] = {*names_by_sort.get(sort, ()), old}
    uncertain = set(ids.unsure)
    if "material" in uncertain or len(materials) < len(ids.materials):
        uncertain.add("element")
    if len(refs) < len(case.catalogs):
        uncertain |= {"material", "element", "offer", "facility", "place", "rate"}
    if rules is None:
        uncertain.add("rule")
    sorts = {**_SORT_BY_KEY, **_named_by_rules(words, plugins)}
    problems = list(_unknown(words, sorts, names_by_sort, uncertain))
    if "rate" not in uncertain:
        problems += _without_rate(words, refs, ids)
    return problems


def _rules(words: list[Mention], case: Case, registry: Registry) -> set[str] | None:
    """Return the names of all rules, including invalid ones. None if there may be more."""
    names = {word.word for word in words if (word.section, word.column) == ("rule", "id")}
    kinds = [word.word for word in words if (word.section, word.column) == ("rule", "kind")]
    names |= {f"{kind}-{number}" for kind in kinds for number in range(1, len(kinds) + 1)}  # ids of rules without one
    if any(map(registry.makes_packs, case.settings)):
        return None
    for name in case.packs:
        pack = attempt(partial(registry.pack, name, case.folder), [])
        rules = pack.rules if pack is not None else ()
        if pack is None and is_folder(name):
            _, rules, _ = identified_rules((case.folder or Path()) / name)
        if not rules:
            return None
        names |= {str(rule.get("id")) for rule in rules}
    return names


def _without_rate(words: list[Mention], refs: Sequence[CatalogRef], ids: KnownIds) -> Iterator[Diagnostic]:
    currencies = [word.word for word in words if (word.section, word.column) == ("case", "currency")]
    own_currency = currencies[0] if currencies else "USD"
    amounts_by_currency: dict[str, list[tuple[int, ForeignAmount]]] = {}
    for ref in refs:
        for table, row, column, currency in amounts_in(ref.place) if not ref.distribution else ():
            if currency != own_currency and frozenset((currency, own_currency)) not in ids.rates:
                subject = row.text("id") or row.text("offer")
                amount = ForeignAmount(f"{column} of `{subject}`", table.file, column, subject)
                amounts_by_currency.setdefault(currency, []).append((row.line, amount))
    for currency, amounts in sorted(amounts_by_currency.items()):
        problem = missing_rate_error(currency, own_currency, [amount for _, amount in amounts])
        yield problem.at(problem.file, amounts[0][0], problem.column)


def _named_by_rules(words: list[Mention], registry: Registry) -> dict[tuple[str, ...], str]:
    sort_by_key: dict[tuple[str, ...], str] = {}
    for kind in dict.fromkeys(word.word for word in words if (word.section, word.column) == ("rule", "kind")):
        rule_class = attempt(partial(registry.kind, kind), [])
        for name, field in rule_class.model_fields.items() if rule_class is not None else ():
            sorts = [mark.kind for mark in field.metadata if isinstance(mark, Names)]
            if len(sorts) == 1 and sorts[0] in _IN_RULES:
                sort_by_key["rule", field.alias or name] = sorts[0]
    return sort_by_key


def _unknown(
    words: list[Mention],
    sorts: Mapping[tuple[str, ...], str],
    names_by_sort: Mapping[str, Collection[str]],
    uncertain: Collection[str],
) -> Iterator[Diagnostic]:
    for word in words:
        sort = sorts.get((word.section, word.column), "")
        if sort == "facility" and word.word.startswith("offer:"):
            continue  # reported when the change is applied
        if (
            not sort
            or sort in uncertain
            or word.word in names_by_sort[sort]
            or (sort == "place" and _is_country_word(word.word))
        ):
            continue
        problem = unknown_name(sort, word.word, f"{word.section}.{word.column}", names_by_sort[sort])
        if sort == "place":
            fix = place_suggestion(word.word, names_by_sort[sort], names_by_sort["facility"])
            problem = replace(problem, expected=PLACE, fix=fix, code="FS242")
        yield replace(problem, file=word.file, row=word.row)


def _is_country_word(word: str) -> bool:
    """Return True if a word is a country, or can't be read as a place, which is reported elsewhere."""
    try:
        return is_country(place(word))
    except UnreadableError:
        return True


@dataclass(frozen=True, slots=True)
class Checked:
    """Results of a check."""

    errors: tuple[Diagnostic, ...]
    only_plugins: bool
    """True if only plugins are wrong."""
    suggestions: tuple[Diagnostic, ...]
    """Suggestions for a case without errors."""
    data: tuple[RunPlugin, ...] = ()
    """Catalogs and packs in use, with their dates."""
    law: tuple[PackedRule, ...] = ()
    """Rules of those packs, with their phases."""
    oldest_price_days: int | None = None
    """Maximum age of prices that the case allows, in days. None if it sets no limit."""
    prices: tuple[PriceDate, ...] = ()
    """Prices and freight of possible purchases for the demands, if the case limits their age."""

    def old_prices(self, day: date | None) -> list[PriceDate]:
        limit = self.oldest_price_days
        old = [] if limit is None else [price for price in self.prices if price.is_older(limit, day)]
        return sorted(old, key=lambda price: (str(price.oldest or ""), price.order()))

    @property
    def exit_code(self) -> int:
        if not self.errors:
            return 0
        return PluginError.exit_code if self.only_plugins else InputError.exit_code


def check(path: Path, registry: Registry, *, strict: bool = False) -> Checked:
    """Read a case and everything that it names, and assemble it, also with each scenario. With `strict`, what `--strict` rejects is an error."""
    errors: list[FriendshoreError] = []
    case = attempt(partial(load_case, path), errors)
    named_case = case or _names_of(path)
    ids = KnownIds(unsure=set(ALL_IDS))  # any id may exist until the catalogs are read
    gathered = attempt(partial(gather, named_case, registry, ids=ids), errors)
    if case is None or gathered is None:
        file = path / CASE_FILE if path.is_dir() else path
        reported = {(p.file, p.row, p.column) for error in errors for p in error.problems}
        unknown = [
            p for p in _unknown_names(file, named_case, registry, ids) if (p.file, p.row, p.column) not in reported
        ]
        return _checked([*errors, *([InputError(unknown)] if unknown else [])], path, ())
    inputs = gathered.inputs
    if strict and inputs.doubts:
        errors.append(InputError(inputs.doubts))
    problem = attempt(inputs.problem, errors)
    if strict and problem is not None:
        attempt(partial(refuse_old_prices, inputs, Applied(strict=True)), errors)
    for scenario in case.scenarios:
        attempt(partial(_apply, inputs, gathered.case, scenario.name), errors)
    if problem is not None:
        attempt(partial(_check_limits, problem, inputs), errors)
        for rule in problem.rules:
            attempt(partial(sentence_of, rule), errors)
    suggested = suggestions(gathered, problem, registry) if problem is not None and not errors else ()
    law = tuple(
        PackedRule(
            rule.id, gathered.pack_of[rule.id], tuple(DatedStatus(p.start, p.end, p.status) for p in rule.phases)
        )
        for rule in gathered.rules
        if rule.id in gathered.pack_of
    )
    used = tuple(plugin for plugin in gathered.plugins if plugin.has_facts)
    limit = case.accept.oldest_price_days
    prices = () if problem is None or limit is None else tuple(PriceDates(problem).all())
    notes = (Diagnostic(note, pack.id, code="FS808") for pack, _ in gathered.packs for note in pack.notes)
    checked = _checked(errors, path, (*gathered.idle, *notes, *inputs.doubts, *suggested))
    return replace(checked, data=used, law=law, oldest_price_days=limit, prices=prices)


def _check_limits(problem: Problem, inputs: Inputs) -> None:
    try:
        problem.limit_rows  # noqa: B018 (a cached property)
    except InputError as error:
        raise InputError(inputs.where(error.problems)) from error


def _apply(inputs: Inputs, case: Case, scenario: str) -> None:
    changes = scenario_changes(case, (scenario,))
    try:
        inputs.after(changes)
    except InputError as error:
        problems = [
            replace(p, column=p.column or "change", message=f"{p.message} (scenario `{scenario}`)")
            for p in error.problems
        ]
        raise InputError(problems) from error


def _checked(errors: Iterable[FriendshoreError], path: Path, suggested: Iterable[Diagnostic]) -> Checked:
    file = str(path / CASE_FILE if path.is_dir() else path)
    problems = [p if p.file else replace(p, file=file) for error in errors for p in error.problems]
    only_plugins = all(isinstance(error, PluginError) for error in errors)
    sorted_problems = sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.row or 0))
    return Checked(tuple(sorted_problems), only_plugins, tuple(suggested))


def _names_of(path: Path) -> Case:
    """Return a case with only the names and rules that can be read from an invalid file."""
    file = path / CASE_FILE if path.is_dir() else path
    toml = read_case_file(file, [])  # its errors are already reported
    data: dict[str, Any] = {} if toml is None else toml.data
    use, rules = data.get("use", {}), data.get("rule", [])

    def names(key: str) -> tuple[str, ...]:
        listed = use.get(key, ()) if isinstance(use, dict) else ()
        return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()

    rule_tables = [plain_table(rule) for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    rule_tables = [rule for rule in rule_tables if isinstance(rule.get("kind"), str)]
    rules_by_id = {str(rule.get("id", number)): rule for number, rule in enumerate(rule_tables)}
    horizon = Horizon(start=date(2000, 1, 1), periods=1, period=PeriodLength.YEAR)
    # Not validated: its errors are already reported, and must not hide those of catalogs and packs.
    return Case.model_construct(
        name="case", horizon=horizon, place="", catalogs=names("catalogs"), packs=names("packs"), blocked=names("block"),
        folder=file.parent, file=file, rules=tuple(rules_by_id.values()),
    )  # fmt: skip
