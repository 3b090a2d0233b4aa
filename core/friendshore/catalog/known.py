"""The ids that a catalog may refer to, and the checks of its records against one another.

Readers of tables check each row as far as it can be read. `sound` and `unfit` check finished catalogs. All of them ask `CrossChecks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from ..domain.base import Fault, Given, UnreadableError
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
"""Table -> the sorts of ids that its rows define."""
_NAMED = {
    "material": "materials",
    "facility": "facilities",
    "supplier": "suppliers",
    "offer": "offers",
    "place": "places",
    "benchmark": "benchmarks",
    "source": "sources",
}
"""Fields of `KnownIds` by the sort of id."""
ALL_IDS = frozenset(sort for sorts in IDS_IN.values() for sort in sorts)


@dataclass(slots=True)
class KnownIds:
    """Ids that exist. A row with an error still defines its id, so that one error is reported once."""

    unsure: set[str] = field(default_factory=set)
    """Sorts of ids of which some may not have been read. Unknown ids of these aren't errors."""

    materials: dict[str, Material | None] = field(default_factory=dict)
    """Material by id. None if its row has an error."""
    facilities: dict[str, str] = field(default_factory=dict)
    """Facility -> enclosing facility, or an empty string."""
    suppliers: set[str] = field(default_factory=set)
    """Suppliers with a facility."""
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Offer -> outputs, as far as known."""
    places: dict[str, str] = field(default_factory=dict)
    """Site -> its country."""
    benchmarks: dict[str, str] = field(default_factory=dict)
    """Benchmark -> its material. Empty if its row has an error."""
    sources: set[str] = field(default_factory=set)
    """Ids with the catalog's name in front."""
    factors: dict[tuple[str, str], Factor] = field(default_factory=dict)
    """By element and compound."""
    rates: set[frozenset[str]] = field(default_factory=set)
    """Pairs of currencies with an exchange rate."""
    aliases: dict[tuple[str, str], Alias] = field(default_factory=dict)
    """Renamed and retired ids, by sort and old id."""

    def take(self, catalog: Catalog) -> None:
        """Add all ids of a catalog."""
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
        """Add all ids of `other`."""
        for held in fields(self):
            getattr(self, held.name).update(getattr(other, held.name))

    def conversions(self) -> Factors:
        """Return the factors as a converter."""
        return Factors(self.factors.values())

    def named(self, what: str) -> Collection[str]:
        """Return all ids of a sort, such as `material`."""
        ids: Collection[str] = getattr(self, _NAMED[what])
        return ids

    def renamed(self, what: str, name: str) -> str:
        """Return the new id of a name, as the end of a message. Empty if it wasn't renamed."""
        way = Aliases(self.aliases.values()).way(what, name)
        if not way:
            return ""
        return f"write `{way[-1].new}`: {way[0].told}" if way[-1].new else way[-1].told


def known_from(catalogs: Iterable[Catalog]) -> KnownIds:
    """Return the ids that catalogs define."""
    known = KnownIds()
    for catalog in catalogs:
        known.take(catalog)
    return known


_FORMULA = re.compile(r"[A-Z(]")
_HOW_TO_ADD = {
    "material": "add it to materials.csv, or its catalog to `requires`",
    "facility": "add it to facilities.csv",
    "offer": "add it to offers.csv",
    "benchmark": "add it to prices.csv",
    "place": "name a country, or a site of facilities.csv",
}
_IN_MEMORY = "case"
"""Source of facts that a case or a change gives. Catalogs in memory may contain them."""


def is_formula(compound: str) -> bool:
    """Return True if a word can be a formula. Otherwise, it is the id of a material."""
    return _FORMULA.match(compound) is not None


def no_such(what: str, field: str, fix: str) -> Fault:
    """Return the fault for an unknown name. `fix` suggests the right name or where to add this one."""
    return Fault(field, f"no such {what}", f"the id of {_article(what)} {what}", fix)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


class CrossChecks:
    """Checks of one catalog's records against its other records and those of the catalogs that it may refer to."""

    def __init__(self, name: str, known: KnownIds) -> None:
        self.name = name
        self.known = known
        self.sites = dict[str, str]()
        """Countries by site, as the records checked so far have them."""
        self.series = dict[str, str]()
        """Materials by benchmark, as the prices checked so far have them."""
        self._suggestions = Suggestions()
        self._more: Mapping[type, Callable[[Any], Iterator[Fault]]] = {
            BenchmarkPrice: self._series,
            Facility: self._site,
            Factor: self._compound,
            PriceSchedule: self._subject,
            Terms: self._subject,
        }

    def faults(self, model: type[BaseModel], given: Given) -> list[Fault]:
        """Return the faults of a record with these fields. Fields that can't be read are missing."""
        found: list[Fault] = []
        for name, what, held, needed in _references(model):
            value, ids = given.get(name), getattr(self.known, held)
            if not value:
                if needed and what == "source":
                    found.append(unsourced("this figure", name))
                elif needed:
                    found += self.unknown(what, "", name, ids)
            elif not isinstance(value, str):
                found += self._not_among(name, what, value, ids)
            elif value not in ids:
                found += self.unknown(what, value, name, ids)
        if model in self._more:
            found += self._more[model](given)
        return found

    def unknown(self, what: str, name: str, field: str, ids: Collection[str], fix: str = "") -> Iterator[Fault]:
        """Yield the fault for a name that is none of `ids`, unless it may be in a row that can't be read."""
        if what in self.known.unsure or (what == "place" and len(name) == 2):  # a country
            return
        if what == "source":
            if name != _IN_MEMORY:
                yield self._no_source(name, field)
            return
        meant = self.known.renamed(what, name) or self._suggestions.of(what, name, ids)
        yield no_such(what, field, meant or fix or _HOW_TO_ADD.get(what, ""))

    def _no_source(self, name: str, field: str) -> Fault:
        own = f"{self.name}:"
        word = name.removeprefix(own)
        near = self._suggestions.of("source", word, [source.removeprefix(own) for source in self.known.sources])
        expected = "the id of a row of sources.csv, or catalog:id of a required catalog"
        return Fault(field, "no such source", expected, near or f"add a row `{word}` to sources.csv")

    def _not_among(self, field: str, what: str, names: Iterable[str], ids: Collection[str]) -> Iterator[Fault]:
        """Yield a fault for each unknown name in a set."""
        expected, fix = {
            "material": ("ids of materials", ""),
            "place": ("countries, or sites of facilities", "name countries, or sites of facilities.csv"),
        }[what]
        for name in sorted(names) if what not in self.known.unsure else ():
            if name not in ids and not (what == "place" and len(name) == 2):
                yield Fault(field, f"no such {what} as `{name}`", expected, fix)

    def _compound(self, factor: Given) -> Iterator[Fault]:
        compound, materials = factor.get("compound", ""), self.known.materials
        if not is_formula(compound) and compound not in materials:
            yield from self.unknown("material", compound, "compound", materials, "write a formula such as WO3")

    def _series(self, price: Given) -> Iterator[Fault]:
        """Yield a fault if a benchmark has prices of two materials."""
        name, material = price.get("id"), price.get("material")
        if name and material in self.known.materials:
            first = self.series.setdefault(name, material)
            if first != material:
                fix = "give each material its own benchmark id"
                yield Fault("material", f"benchmark `{name}` is a price of `{first}`", fix=fix)

    def _site(self, facility: Given) -> Iterator[Fault]:
        """Yield faults of a site in two countries, and of a facility within itself."""
        site, country, within = (facility.get(name, "") for name in ("place", "country", "within"))
        if site and country and len(site) != 2 and self.sites.setdefault(site, country) != country:
            message = f"`{site}` lies in {self.sites[site]} by another row"
            yield Fault("place", message, fix="give it another name")
        around = within_itself(facility.get("id", ""), within, self.known.facilities) if within else None
        if around:
            yield around

    def _subject(self, bearing: Given) -> Iterator[Fault]:
        what, name = bearing.get("of", "offer"), bearing.get("id", "")
        ids = self.known.named(what)
        if name not in ids:
            yield from self.unknown(what, name, "id", ids)


@cache
def _references(model: type[BaseModel]) -> tuple[tuple[str, str, str, bool], ...]:
    """Return the fields of a record that name things: what they name, the field of `KnownIds` with the ids, and True if it can't be blank."""
    found = []
    for name, info in model.model_fields.items():
        marks = [mark.what for mark in info.metadata if isinstance(mark, Names)]
        needed = info.is_required() or any(isinstance(mark, Written) and mark.needed for mark in info.metadata)
        found += [(name, what, _NAMED[what], needed) for what in marks]
    return tuple(found)


def alias_faults(alias: Alias, known: KnownIds) -> Iterator[Fault]:
    """Yield faults of an alias whose old id is still used, or that leads nowhere or back to itself."""
    if alias.of in known.unsure:
        return
    if alias.old in known.named(alias.of):
        fix = "delete the row, or give what has the id now another"
        message = f"`{alias.old}` is the id of {_article(alias.of)} {alias.of} still, so that both could be meant"
        yield Fault("old", message, fix=fix)
    if Aliases(known.aliases.values()).circle(alias.of, alias.old):
        message = f"`{alias.old}` leads back to itself"
        yield Fault("new", message, f"the id of {_article(alias.of)} {alias.of} of today")
    elif alias.new and alias.new not in known.named(alias.of) and (alias.of, alias.new) not in known.aliases:
        yield no_such(alias.of, "new", did_you_mean(alias.new, known.named(alias.of)))


def unknown_stage(stage: Stage, materials: Sequence[Material]) -> Iterator[Fault]:
    """Yield a fault if an offer performs a stage that none of the materials it delivers has."""
    if any(stage in material.stages for material in materials):
        return
    stages = sorted({s for m in materials for s in m.stages}, key=lambda s: s.rank)
    yield Fault(
        "stage",
        f"the chain of {', '.join(f'`{m.id}`' for m in materials)} has no such stage",
        "one of " + ", ".join(stages) if stages else "a material whose stages are given",
        "delete the row, or add the stage to the material in materials.csv",
    )


def unsourced(what: str, field: str) -> Fault:
    """Return the fault for a figure without a source."""
    return Fault(field, f"{what} has no source", "the id of a row of sources.csv")


def unsourced_line(line: Given, *, output: bool) -> Iterator[Fault]:
    """Yield a fault for a line of a recipe without a source. Only an output of 1 needs none."""
    if not line.get("source") and not (output and line.get("per_unit") == 1):
        yield unsourced("this figure", "source")


DEEPEST = 100
"""Maximum depth of facilities within one another."""


def circle(name: str, inside: str, within: Mapping[str, str]) -> list[str]:
    """Return the circle of facilities that contains `name`. Empty if there is none, or if another member reports it."""
    seen = {name: None}
    while inside and inside not in seen and len(seen) <= DEEPEST:
        seen[inside] = None
        inside = within.get(inside, "")
    return [*seen, inside] if inside and inside == name == min(seen) else []  # once for each circle


def within_itself(name: str, inside: str, within: Mapping[str, str]) -> Fault | None:
    """Return the fault of a facility that is within itself, directly or through others, or None."""
    around = circle(name, inside, within)
    if around:
        message = "the facility lies within itself: " + " in ".join(around)
        return Fault("within", message, fix="leave one of them blank")
    seen: set[str] = set()
    while inside and inside not in seen and len(seen) <= DEEPEST:
        seen.add(inside)
        inside = within.get(inside, "")
    if len(seen) <= DEEPEST:
        return None
    return Fault(
        "within", f"the facility lies within more than {DEEPEST} others, one in the other", fix="leave some of them out"
    )


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
"""Noun and table of each list of a catalog."""
_WITHIN: Mapping[type[BaseModel], Layout] = {
    RecipeLine: columns.RECIPE,
    ChainEntry: columns.CHAIN,
    Lane: columns.LANES,
}
"""Tables of records within an offer that no two of its rows may repeat."""
_ODD = (TypeError, ValueError, AttributeError, LookupError)
"""Errors from checks of records whose values are wrong, which has been reported."""


def sound(catalog: Catalog, others: Sequence[Catalog] = ()) -> tuple[Catalog, list[Diagnostic]]:
    """Return a catalog made in memory as readers would have made it, and all that they would have refused.

    Countries become codes, and numbers become decimals. The catalog may refer to ids of `others`, which are used beside it.
    """
    again = RecordChecker()
    lists = {name: tuple(_remade(again, catalog, name)) for name in _TABLES}
    head = again.record(catalog.but(**dict.fromkeys(_TABLES, ())), f"catalog {catalog.name}")
    checked = head.but(**lists)
    return checked, [*again.found, *_Finished(checked, known_from([*others, checked]), again.wrong).problems()]


def unfit(catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """Return what doesn't fit together in catalogs whose records are right by themselves: unknown names, circles."""
    known = known_from(catalogs)
    return [problem for catalog in catalogs for problem in _Finished(catalog, known, ()).problems()]


def _remade(again: RecordChecker, catalog: Catalog, name: str) -> Iterator[object]:
    """Yield the records of a list, validated again. Leave out a record that lacks a field, once that is reported."""
    for position, record in enumerate(getattr(catalog, name)):
        strange = name == "offers" and getattr(record, "catalog", "") != catalog.name
        own = record.but(catalog=catalog.name) if strange else record
        made = again.record(own, _place(catalog, name, record, position))
        if id(made) not in again.wrong or all(hasattr(made, field) for field in type(made).model_fields):
            yield made


def _place(catalog: Catalog, name: str, record: BaseModel, position: int) -> str:
    """Return the name of a record for messages, like `catalog ours, offer acme`."""
    called = getattr(record, "id", "") or position + 1
    return f"catalog {catalog.name}, {_TABLES[name][0]} {called}"


class _Finished(CrossChecks):
    """Checks of all records of a finished catalog."""

    def __init__(self, catalog: Catalog, known: KnownIds, wrong: Collection[int]) -> None:
        super().__init__(catalog.name, known)
        self.catalog = catalog
        self.wrong = wrong
        """Records with wrong values, by `id`."""
        self.right = set[tuple[str, int]]()
        """Records without faults in others, by field and `id`: many offers share them."""

    def problems(self) -> Iterator[Diagnostic]:
        """Yield the faults of all records."""
        for name, (_, table) in _TABLES.items():
            seen: set[object] = set()
            for position, record in enumerate(getattr(self.catalog, name)):
                faults: list[Fault] = []
                with suppress(*(_ODD if id(record) in self.wrong else ())):
                    faults += _repeated(record, table, seen)
                    faults += self._all_faults(record)
                yield from (self._told(fault, name, record, position) for fault in faults)
        schedules = [schedule for schedule in self.catalog.schedules if id(schedule) not in self.wrong]
        for _, position in overlapping(schedules):
            yield self._told(overlap_fault(schedules[position]), "schedules", schedules[position], position)

    def _told(self, fault: Fault, name: str, record: BaseModel, position: int) -> Diagnostic:
        held = getattr(record, fault.field, None)
        found = "" if held in (None, "", (), frozenset()) else shown(held)
        place = _place(self.catalog, name, record, position)
        return Diagnostic(fault.message, place, None, fault.field, found, fault.expected, fault.fix)

    def _all_faults(self, record: BaseModel) -> list[Fault]:
        """Return the faults of a record and of the records in it."""
        found = self.faults(type(record), vars(record))
        delivered: list[Material] = []
        if isinstance(record, Alias):
            found += alias_faults(record, self.known)
        elif isinstance(record, Facility | Offer):
            found += _called(record)
            delivered = self._delivered(record) if isinstance(record, Offer) else []
        for name in _holding(type(record)):
            held = getattr(record, name)
            if isinstance(held, tuple):
                seen: set[object] = set()
                for position, one in enumerate(held, 1):
                    faults = self._faults_within(one, name)
                    if type(one) is ChainEntry and delivered:
                        faults = [*faults, *unknown_stage(one.main_stage, delivered)]
                    if len(held) > 1 and type(one) in _WITHIN:
                        faults = [*faults, *_repeated(one, _WITHIN[type(one)], seen)]
                    found += [replace(fault, field=f"{name}[{position}].{fault.field}") for fault in faults]
            elif held is not None:
                found += [replace(fault, field=f"{name}.{fault.field}") for fault in self._faults_within(held, name)]
        return found

    def _faults_within(self, record: BaseModel, name: str) -> Sequence[Fault]:
        """Return the faults of a record in another, by itself. Many offers share one."""
        if (name, id(record)) in self.right:
            return ()
        faults = self.faults(type(record), vars(record))
        if isinstance(record, RecipeLine):
            faults += unsourced_line(vars(record), output=name == "outputs")
        elif isinstance(record, Price) and record.amount is not None and not record.source:
            faults.append(unsourced("the price", "source"))
        if not faults:
            self.right.add((name, id(record)))
        return faults

    def _delivered(self, offer: Offer) -> list[Material]:
        """Return the materials of an offer. Return none if one of them is unknown."""
        materials = [material for line in offer.outputs if (material := self.known.materials.get(line.material))]
        return materials if len(materials) == len(offer.outputs) else []


@cache
def _holding(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a record that contain records."""
    return tuple(name for name, info in model.model_fields.items() if record_in(info.annotation))


def _called(record: Facility | Offer) -> Iterator[Fault]:
    """Yield a fault for an id that files could not refer to. Stock in hand is an offer, too, and takes any id."""
    try:
        ident(record.id)
    except UnreadableError as error:
        yield Fault("id", "cannot be read", error.expected, error.fix)


def _repeated(record: BaseModel, table: Layout, seen: set[object]) -> list[Fault]:
    """Return a fault if an earlier record has the same key."""
    attributes, names = key_of(type(record), table)
    key = tuple([getattr(record, attribute) for attribute in attributes])
    if key not in seen:
        seen.add(key)
        return []
    message = f"an earlier one already has the same {names}"
    return [Fault(attributes[0], message, fix="delete or rename one of the two")]


@cache
def key_of(model: type[BaseModel], table: Layout) -> tuple[tuple[str, ...], str]:
    """Return the fields of a record that are its key in a table, and the names of the columns of the key."""
    columns_of = [table.by_name[name] for name in table.key if table.by_name[name].record in (None, model)]
    return tuple(one.attribute for one in columns_of if one.record), ", ".join(one.name for one in columns_of)
