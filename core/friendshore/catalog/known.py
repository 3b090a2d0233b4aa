"""Known ids, and checks of a catalog's records against one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from ..domain.base import Fault, FieldValues, UnreadableError
from ..domain.basis import Factors
from ..domain.facts import Catalog, ChainEntry, Facility, Lane, Material, Offer, Price, RecipeLine
from ..domain.market import BenchmarkPrice, Factor
from ..domain.naming import Alias, Aliases, Names
from ..domain.stages import Stage
from ..domain.suggest import Suggestions, did_you_mean
from ..domain.terms import PriceSchedule, Terms, overlap_fault, overlapping
from ..domain.values import ident
from ..domain.written import Written, record_in
from ..errors import Diagnostic
from ..reading.fields import Layout
from ..reading.records import RecordChecker, shown
from . import columns

IDS_IN = {
    columns.SOURCES.name: ("source",),
    columns.MATERIALS.name: ("material",),
    columns.PRICES.name: ("benchmark",),
    columns.FACILITIES.name: ("facility", "place", "supplier"),
    columns.OFFERS.name: ("offer",),
    columns.RECIPE.name: ("recipe",),
    columns.RATES.name: ("rate",),
}
"""Table -> sorts of ids that its rows define."""
_FIELD_BY_SORT = {
    "material": "materials",
    "facility": "facilities",
    "supplier": "suppliers",
    "offer": "offers",
    "place": "places",
    "benchmark": "benchmarks",
    "source": "sources",
}
ALL_IDS = frozenset(sort for sorts in IDS_IN.values() for sort in sorts)


@dataclass(slots=True)
class KnownIds:
    """Ids that exist. A row with an error still defines its id, so that one error is reported once."""

    unsure: set[str] = field(default_factory=set)
    """Sorts of ids of which some may be unread. Unknown ids of these aren't errors."""

    materials: dict[str, Material | None] = field(default_factory=dict)
    """Material by id. None if its row has an error."""
    facilities: dict[str, str] = field(default_factory=dict)
    """Facility -> enclosing facility, or an empty string."""
    suppliers: set[str] = field(default_factory=set)
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    benchmarks: dict[str, str] = field(default_factory=dict)
    """Benchmark -> its material. Empty if its row has an error."""
    sources: set[str] = field(default_factory=set)
    """Full ids, with the catalog's name in front."""
    factors: dict[tuple[str, str], Factor] = field(default_factory=dict)
    rates: set[frozenset[str]] = field(default_factory=set)
    aliases: dict[tuple[str, str], Alias] = field(default_factory=dict)
    """Renamed and retired ids, by sort and old id."""

    def take(self, catalog: Catalog) -> None:
        self.materials.update((m.id, m) for m in catalog.materials)
        self.facilities.update((f.id, f.within) for f in catalog.facilities)
        self.suppliers.update(f.supplier for f in catalog.facilities)
        self.offers.update((o.id, tuple(line.material for line in o.outputs)) for o in catalog.offers)
        self.places.update((f.place, f.country) for f in catalog.facilities if f.place and f.place != f.country)
        self.benchmarks.update((p.id, p.material) for p in catalog.prices)
        self.sources.update(s.id for s in catalog.sources)
        self.factors.update(((f.element, f.compound), f) for f in catalog.factors)
        self.rates.update(frozenset((r.currency, r.to)) for r in catalog.rates)
        self.aliases.update(((a.of, a.old), a) for a in catalog.aliases)

    def merge(self, other: KnownIds) -> None:
        for field_ in fields(self):
            getattr(self, field_.name).update(getattr(other, field_.name))

    def conversions(self) -> Factors:
        return Factors(self.factors.values())

    def named(self, sort: str) -> Collection[str]:
        ids: Collection[str] = getattr(self, _FIELD_BY_SORT[sort])
        return ids

    def fix_for_old_id(self, sort: str, name: str) -> str:
        """Return the fix for a renamed or retired id. Empty if it is neither."""
        aliases = Aliases(self.aliases.values()).path(sort, name)
        if not aliases:
            return ""
        return f"write `{aliases[-1].new}`: {aliases[0].text}" if aliases[-1].new else aliases[-1].text


def known_from(catalogs: Iterable[Catalog]) -> KnownIds:
    known = KnownIds()
    for catalog in catalogs:
        known.take(catalog)
    return known


_FORMULA = re.compile(r"[A-Z(]")
_HOW_TO_ADD = {
    "material": "add it to materials.csv, or add its catalog to `requires`",
    "facility": "add it to facilities.csv",
    "offer": "add it to offers.csv",
    "benchmark": "add it to prices.csv",
    "place": "name a country, or a site of facilities.csv",
}
_CASE_SOURCE = "case"
"""Source of facts that a case or a change states. Catalogs in memory may contain them."""


def is_formula(compound: str) -> bool:
    """Return True if a word can be a formula. Otherwise, it is the id of a material."""
    return _FORMULA.match(compound) is not None


def unknown_id(sort: str, field: str, fix: str) -> Fault:
    return Fault(field, f"no such {sort}", f"the id of {_article(sort)} {sort}", fix, code="FS102")


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


class CrossChecks:
    """Checks of one catalog's records against its other records and those of the catalogs that it may refer to."""

    def __init__(self, name: str, known: KnownIds) -> None:
        self.name = name
        self.known = known
        self.country_by_site = dict[str, str]()
        self.material_by_benchmark = dict[str, str]()
        self._suggestions = Suggestions()
        self._special_checks: Mapping[type, Callable[[Any], Iterator[Fault]]] = {
            BenchmarkPrice: self._check_benchmark,
            Facility: self._check_facility,
            Factor: self._check_compound,
            PriceSchedule: self._check_subject,
            Terms: self._check_subject,
        }

    def faults(self, model: type[BaseModel], values: FieldValues) -> list[Fault]:
        """Return the faults of a record with these fields. Fields that can't be read are missing."""
        faults: list[Fault] = []
        for name, sort, ids_field, is_required in _reference_fields(model):
            value, ids = values.get(name), getattr(self.known, ids_field)
            if not value:
                if is_required and sort == "source":
                    faults.append(unsourced("this figure", name))
                elif is_required:
                    faults += self.unknown(sort, "", name, ids)
            elif not isinstance(value, str):
                faults += self._unknown_in_set(name, sort, value, ids)
            elif value not in ids:
                faults += self.unknown(sort, value, name, ids)
        if model in self._special_checks:
            faults += self._special_checks[model](values)
        return faults

    def unknown(self, sort: str, name: str, field: str, ids: Collection[str], fix: str = "") -> Iterator[Fault]:
        """Yield the fault for a name that isn't in `ids`, unless it may be in a row that can't be read."""
        if sort in self.known.unsure or (sort == "place" and len(name) == 2):  # a country
            return
        if sort == "source":
            if name != _CASE_SOURCE:
                yield self._unknown_source(name, field)
            return
        correction = self.known.fix_for_old_id(sort, name) or self._suggestions.of(sort, name, ids)
        yield unknown_id(sort, field, correction or fix or _HOW_TO_ADD.get(sort, ""))

    def _unknown_source(self, name: str, field: str) -> Fault:
        own = f"{self.name}:"
        word = name.removeprefix(own)
        near = self._suggestions.of("source", word, [source.removeprefix(own) for source in self.known.sources])
        expected = "the id of a row of sources.csv, or catalog:id of a required catalog"
        return Fault(field, "no such source", expected, near or f"add a row `{word}` to sources.csv", code="FS103")

    def _unknown_in_set(self, field: str, sort: str, names: Iterable[str], ids: Collection[str]) -> Iterator[Fault]:
        expected, fix = {
            "material": ("ids of materials", ""),
            "place": ("countries, or sites of facilities", "name countries, or sites of facilities.csv"),
        }[sort]
        for name in sorted(names) if sort not in self.known.unsure else ():
            if name not in ids and not (sort == "place" and len(name) == 2):
                yield Fault(field, f"no such {sort} as `{name}`", expected, fix, code="FS102")

    def _check_compound(self, factor: FieldValues) -> Iterator[Fault]:
        compound, materials = factor.get("compound", ""), self.known.materials
        if not is_formula(compound) and compound not in materials:
            yield from self.unknown("material", compound, "compound", materials, "write a formula such as WO3")

    def _check_benchmark(self, price: FieldValues) -> Iterator[Fault]:
        name, material = price.get("id"), price.get("material")
        if name and material in self.known.materials:
            first = self.material_by_benchmark.setdefault(name, material)
            if first != material:
                fix = "give each material its own benchmark id"
                message = f"benchmark `{name}` is also a price of `{first}`"
                yield Fault("material", message, fix=fix, code="FS106")

    def _check_facility(self, facility: FieldValues) -> Iterator[Fault]:
        site, country, within = (facility.get(name, "") for name in ("place", "country", "within"))
        if site and country and len(site) != 2 and self.country_by_site.setdefault(site, country) != country:
            message = f"site `{site}` is in {self.country_by_site[site]} according to another row"
            yield Fault("place", message, fix="correct the country, or rename one of the sites", code="FS107")
        if within:
            yield from nesting_faults(facility.get("id", ""), within, self.known.facilities)

    def _check_subject(self, record: FieldValues) -> Iterator[Fault]:
        sort, name = record.get("of", "offer"), record.get("id", "")
        ids = self.known.named(sort)
        if name not in ids:
            yield from self.unknown(sort, name, "id", ids)


@cache
def _reference_fields(model: type[BaseModel]) -> tuple[tuple[str, str, str, bool], ...]:
    """Return the fields of a record that refer to ids: name, sort, field of `KnownIds`, and True if it can't be blank."""
    references = []
    for name, info in model.model_fields.items():
        sorts = [mark.kind for mark in info.metadata if isinstance(mark, Names)]
        is_required = info.is_required() or any(isinstance(mark, Written) and mark.needed for mark in info.metadata)
        references += [(name, sort, _FIELD_BY_SORT[sort], is_required) for sort in sorts]
    return tuple(references)


def alias_faults(alias: Alias, known: KnownIds) -> Iterator[Fault]:
    if alias.of in known.unsure:
        return
    noun = f"{_article(alias.of)} {alias.of}"
    if alias.old in known.named(alias.of):
        fix = f"delete the row, or change the current {alias.of}'s id"
        message = f"`{alias.old}` is ambiguous: it is still the id of {noun}"
        yield Fault("old", message, fix=fix, code="FS109")
    if Aliases(known.aliases.values()).is_cyclic(alias.of, alias.old):
        message = f"alias `{alias.old}` leads back to itself"
        yield Fault("new", message, f"the current id of {noun}", "name the current id in the last row", code="FS110")
    elif alias.new and alias.new not in known.named(alias.of) and (alias.of, alias.new) not in known.aliases:
        yield unknown_id(alias.of, "new", did_you_mean(alias.new, known.named(alias.of)))


def unknown_stage(stage: Stage, materials: Sequence[Material]) -> Iterator[Fault]:
    if any(stage in material.stages for material in materials):
        return
    stages = sorted({s for m in materials for s in m.stages}, key=lambda s: s.rank)
    yield Fault(
        "stage",
        f"the chain of {', '.join(f'`{m.id}`' for m in materials)} has no such stage",
        "one of " + ", ".join(stages) if stages else "a material with stages",
        "delete the row, or add the stage to the material in materials.csv",
        code="FS111",
    )


def unsourced(figure: str, field: str) -> Fault:
    fix = "add a row to sources.csv, and name its id here"
    return Fault(field, f"{figure} has no source", "the id of a row of sources.csv", fix, code="FS104")


def unsourced_line(line: FieldValues, *, output: bool) -> Iterator[Fault]:
    """Yield a fault for a line of a recipe without a source. Only an output of 1 needs none."""
    if not line.get("source") and not (output and line.get("per_unit") == 1):
        yield unsourced("this figure", "source")


MAX_NESTING = 100


def nesting_cycle(name: str, outer: str, within: Mapping[str, str]) -> list[str]:
    """Return the circle of facilities that contains `name`. Empty if there is none, or if another member reports it."""
    seen = {name: None}
    while outer and outer not in seen and len(seen) <= MAX_NESTING:
        seen[outer] = None
        outer = within.get(outer, "")
    return [*seen, outer] if outer and outer == name == min(seen) else []  # once for each circle


def nesting_faults(name: str, outer: str, within: Mapping[str, str]) -> Iterator[Fault]:
    facilities = nesting_cycle(name, outer, within)
    if facilities:
        message = "the facility is within itself: " + " in ".join(facilities)
        yield Fault("within", message, fix="leave one of these cells blank", code="FS108")
        return
    seen: set[str] = set()
    while outer and outer not in seen and len(seen) <= MAX_NESTING:
        seen.add(outer)
        outer = within.get(outer, "")
    if len(seen) > MAX_NESTING:
        message = f"the facility is nested in more than {MAX_NESTING} others"
        yield Fault("within", message, fix="leave some of these cells blank", code="FS108")


_TABLES = {
    "sources": ("source", columns.SOURCES),
    "materials": ("material", columns.MATERIALS),
    "factors": ("factor", columns.FACTORS),
    "prices": ("benchmark", columns.PRICES),
    "rates": ("rate", columns.RATES),
    "facilities": ("facility", columns.FACILITIES),
    "offers": ("offer", columns.OFFERS),
    "schedules": ("price schedule", columns.TIERS),
    "terms": ("terms", columns.TERMS),
    "aliases": ("alias", columns.ALIASES),
}
_TABLES_IN_OFFERS: Mapping[type[BaseModel], Layout] = {
    RecipeLine: columns.RECIPE,
    ChainEntry: columns.CHAIN,
    Lane: columns.LANES,
}
"""Tables of records in an offer, which must be unique there."""
_CHECK_ERRORS = (TypeError, ValueError, AttributeError, LookupError)
"""Exceptions of checks of records with invalid values, which are already reported."""


def validated_catalog(catalog: Catalog, others: Sequence[Catalog] = ()) -> tuple[Catalog, list[Diagnostic]]:
    """Return a catalog from memory with converted values, such as codes of countries, and everything that readers of files would report."""
    checker = RecordChecker()
    lists = {name: tuple(_valid_records(checker, catalog, name)) for name in _TABLES}
    head = checker.record(catalog.but(**dict.fromkeys(_TABLES, ())), f"catalog {catalog.name}")
    checked = head.but(**lists)
    finished = _FinishedCatalog(checked, known_from([*others, checked]), checker.invalid)
    return checked, [*checker.problems, *finished.problems()]


def catalog_contradictions(catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """Return contradictions between the records of catalogs whose records are valid by themselves, such as unknown ids."""
    known = known_from(catalogs)
    return [problem for catalog in catalogs for problem in _FinishedCatalog(catalog, known, ()).problems()]


def _valid_records(checker: RecordChecker, catalog: Catalog, name: str) -> Iterator[object]:
    """Yield the records of a list, validated again. Leave out a record that lacks a field, which is reported."""
    for position, record in enumerate(getattr(catalog, name)):
        is_foreign = name == "offers" and getattr(record, "catalog", "") != catalog.name
        own = record.but(catalog=catalog.name) if is_foreign else record
        valid = checker.record(own, _place(catalog, name, record, position))
        if id(valid) not in checker.invalid or all(hasattr(valid, field) for field in type(valid).model_fields):
            yield valid


def _place(catalog: Catalog, name: str, record: BaseModel, position: int) -> str:
    """Return the place of a record for messages, like `catalog ours, offer acme`."""
    return f"catalog {catalog.name}, {_TABLES[name][0]} {getattr(record, 'id', '') or position + 1}"


class _FinishedCatalog(CrossChecks):
    def __init__(self, catalog: Catalog, known: KnownIds, invalid: Collection[int]) -> None:
        super().__init__(catalog.name, known)
        self.catalog = catalog
        self.invalid = invalid
        """Records with invalid values, by `id`."""
        self.checked = set[tuple[str, int]]()
        """Faultless records in other records, by field and `id`. Many offers share them."""

    def problems(self) -> Iterator[Diagnostic]:
        for name, (_, table) in _TABLES.items():
            seen: set[object] = set()
            for position, record in enumerate(getattr(self.catalog, name)):
                faults: list[Fault] = []
                with suppress(*(_CHECK_ERRORS if id(record) in self.invalid else ())):
                    faults += _repeated(record, table, seen)
                    faults += self._all_faults(record)
                yield from (self._diagnostic(fault, name, record, position) for fault in faults)
        schedules = [schedule for schedule in self.catalog.schedules if id(schedule) not in self.invalid]
        for _, position in overlapping(schedules):
            yield self._diagnostic(overlap_fault(schedules[position]), "schedules", schedules[position], position)

    def _diagnostic(self, fault: Fault, name: str, record: BaseModel, position: int) -> Diagnostic:
        value = getattr(record, fault.field, None)
        found = "" if value in (None, "", (), frozenset()) else shown(value)
        place = _place(self.catalog, name, record, position)
        return Diagnostic(fault.message, place, None, fault.field, found, fault.expected, fault.fix, fault.code)

    def _all_faults(self, record: BaseModel) -> list[Fault]:
        all_faults = self.faults(type(record), vars(record))
        delivered: list[Material] = []
        if isinstance(record, Alias):
            all_faults += alias_faults(record, self.known)
        elif isinstance(record, Facility | Offer):
            all_faults += _id_faults(record)
            delivered = self._delivered(record) if isinstance(record, Offer) else []
        for name in _fields_with_records(type(record)):
            value = getattr(record, name)
            if isinstance(value, tuple):
                seen: set[object] = set()
                for position, inner in enumerate(value, 1):
                    faults = self._inner_faults(inner, name)
                    if type(inner) is ChainEntry and delivered:
                        faults = [*faults, *unknown_stage(inner.main_stage, delivered)]
                    if len(value) > 1 and type(inner) in _TABLES_IN_OFFERS:
                        faults = [*faults, *_repeated(inner, _TABLES_IN_OFFERS[type(inner)], seen)]
                    all_faults += [replace(fault, field=f"{name}[{position}].{fault.field}") for fault in faults]
            elif value is not None:
                faults = self._inner_faults(value, name)
                all_faults += [replace(fault, field=f"{name}.{fault.field}") for fault in faults]
        return all_faults

    def _inner_faults(self, record: BaseModel, name: str) -> Sequence[Fault]:
        if (name, id(record)) in self.checked:
            return ()
        faults = self.faults(type(record), vars(record))
        if isinstance(record, RecipeLine):
            faults += unsourced_line(vars(record), output=name == "outputs")
        elif isinstance(record, Price) and record.amount is not None and not record.source:
            faults.append(unsourced("the price", "source"))
        if not faults:
            self.checked.add((name, id(record)))
        return faults

    def _delivered(self, offer: Offer) -> list[Material]:
        """Return the materials of an offer. Empty if one of them is unknown."""
        materials = [material for line in offer.outputs if (material := self.known.materials.get(line.material))]
        return materials if len(materials) == len(offer.outputs) else []


@cache
def _fields_with_records(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name, info in model.model_fields.items() if record_in(info.annotation))


def _id_faults(record: Facility | Offer) -> Iterator[Fault]:
    """Yield a fault for an id that files can't refer to. The type allows it, because stock is an offer with any id."""
    try:
        ident(record.id)
    except UnreadableError as error:
        yield Fault("id", "the id is invalid", error.expected, error.fix, code=error.code)


def _repeated(record: BaseModel, table: Layout, seen: set[object]) -> list[Fault]:
    attributes, names = key_fields(type(record), table)
    key = tuple([getattr(record, attribute) for attribute in attributes])
    if key not in seen:
        seen.add(key)
        return []
    message = f"an earlier record has the same {names}"
    return [Fault(attributes[0], message, fix="delete or rename one of the two", code="FS105")]


@cache
def key_fields(model: type[BaseModel], table: Layout) -> tuple[tuple[str, ...], str]:
    """Return the fields of a record that are its key in a table, and the names of the columns of the key."""
    key = [table.by_name[name] for name in table.key if table.by_name[name].record in (None, model)]
    return tuple(column.attribute for column in key if column.record), ", ".join(column.name for column in key)
