"""Catalogs made in memory: whether each record can be what it says, is named once, and refers to what exists.

Readers of tables find the same as they read, row by row, and say it in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from ..domain.base import Fault, UnreadableError
from ..domain.facts import Catalog, Facility, Material, Offer
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..domain.naming import Alias
from ..domain.suggest import Suggestions
from ..domain.terms import PriceSchedule, Terms, bears_too, overlapping
from ..domain.values import ident
from ..errors import Diagnostic
from ..reading.records import Again, shown
from .folder import is_formula
from .known import (
    Known,
    alias_faults,
    elsewhere,
    known_from,
    no_source,
    no_such,
    not_among,
    other_benchmark,
    stage_of_none,
    unsourced,
    within_itself,
)

GIVEN = "case"
"""The source of what a case gives: catalogs that a change made may hold it."""
_LISTS = ("sources", "materials", "factors", "prices", "rates", "facilities", "offers", "schedules", "terms", "aliases")


def sound(catalog: Catalog, others: Sequence[Catalog] = ()) -> tuple[Catalog, list[Diagnostic]]:
    """A catalog made in memory with values as readers leave them (countries by code, numbers as decimals, offers that say which catalog they are
    of), and all that a reader of files would have refused in it. It may refer to ids of the others, beside which it is used.
    """
    again = Again()
    lists = {name: tuple(_remade(again, catalog, name)) for name in _LISTS}
    head = again.record(catalog.but(**dict.fromkeys(_LISTS, ())), f"catalog {catalog.name}")
    checked = head.but(**lists)
    return checked, [*again.found, *_Catalog(checked, known_from([*others, checked]), again.wrong).problems()]


def unfit(catalogs: Sequence[Catalog]) -> list[Diagnostic]:
    """What of catalogs whose records are all right by themselves does not fit together: names that nothing answers to, circles."""
    known = known_from(catalogs)
    return [problem for catalog in catalogs for problem in _Catalog(catalog, known, ()).problems()]


def _remade(again: Again, catalog: Catalog, name: str) -> Iterator[object]:
    """The records of a list, made again; one of which a field is missing altogether is told, and left out."""
    for position, record in enumerate(getattr(catalog, name)):
        strange = name == "offers" and getattr(record, "catalog", "") != catalog.name
        own = record.but(catalog=catalog.name) if strange else record
        made = again.record(own, _place(catalog, name, record, position))
        if id(made) not in again.wrong or all(hasattr(made, field) for field in type(made).model_fields):
            yield made


def _place(catalog: Catalog, name: str, record: BaseModel, position: int) -> str:
    """A record as messages name it: `catalog ours, offer acme`."""
    called = getattr(record, "id", "") or position + 1
    return f"catalog {catalog.name}, {_NOUNS[name]} {called}"


_NOUNS = {
    "sources": "source", "materials": "material", "factors": "factor", "prices": "benchmark", "rates": "rate",
    "facilities": "facility", "offers": "offer", "schedules": "price schedule", "terms": "terms",
    "aliases": "alias",
}  # fmt: skip


_ODD = (TypeError, ValueError, AttributeError)
"""What asking a record of wrong values may end in: what is wrong with it has been told."""


class _Catalog:
    """One catalog, and what it may refer to."""

    def __init__(self, catalog: Catalog, known: Known, wrong: Collection[int]) -> None:
        self.catalog = catalog
        self.wrong = wrong
        """Records with values that are wrong, and may be anything, by `id`."""
        self.known = known
        self.sites: dict[str, str] = {}
        self.series: dict[str, str] = {}
        self._suggestions = Suggestions()

    def problems(self) -> Iterator[Diagnostic]:
        """All that does not fit together, record by record."""
        for name in _LISTS:
            ask: Callable[[Any], Iterable[Fault]] = getattr(self, f"_{name}")
            seen: set[object] = set()
            for position, record in enumerate(getattr(self.catalog, name)):
                place = _place(self.catalog, name, record, position)
                faults: list[Fault] = []
                with suppress(*(_ODD if id(record) in self.wrong else ())):
                    faults += _repeated(record, seen)
                    faults += ask(record)
                for fault in faults:
                    found = _held(record, fault.field)
                    yield Diagnostic(fault.message, place, None, fault.field, found, fault.expected, fault.fix)
        schedules = [schedule for schedule in self.catalog.schedules if id(schedule) not in self.wrong]
        for _, position in overlapping(schedules):
            fault = bears_too(schedules[position])
            place = _place(self.catalog, "schedules", schedules[position], position)
            yield Diagnostic(fault.message, place, None, fault.field, "", fault.expected, fault.fix)

    def _refers(
        self, what: str, word: str, known: Collection[str], field: str, fix: str = "", *, blank: bool = False
    ) -> Iterator[Fault]:
        """A name that must exist; one that may be blank, if it is given."""
        if word not in known and not (blank and not word):
            meant = self.known.renamed(what, word) or self._suggestions.of(what, word, known)
            yield replace(no_such(what, meant or fix), field=field)

    def _source(self, source: str, field: str = "source", *, needed: bool = False) -> Iterator[Fault]:
        if source and source not in self.known.sources and source != GIVEN:
            name = source.removeprefix(f"{self.catalog.name}:")
            own = [s.removeprefix(f"{self.catalog.name}:") for s in self.known.sources]
            yield replace(
                no_source(self._suggestions.of("source", name, own) or f"add a row `{name}` to sources.csv"),
                field=field,
            )
        elif needed and not source:
            yield unsourced("this figure", field)

    def _sources(self, source: object) -> Iterator[Fault]:
        del source
        return iter(())

    def _materials(self, material: Material) -> Iterator[Fault]:
        return self._source(material.source)

    def _factors(self, factor: Factor) -> Iterator[Fault]:
        if not is_formula(factor.compound):
            fix = "write a formula such as WO3"
            yield from self._refers("material", factor.compound, self.known.materials, "compound", fix)
        yield from self._source(factor.source, needed=True)

    def _prices(self, price: BenchmarkPrice) -> Iterator[Fault]:
        yield from self._material(price.material, "material")
        first = self.series.setdefault(price.id, price.material)
        if first != price.material:
            yield other_benchmark(price.id, first)
        yield from self._source(price.source, needed=True)

    def _rates(self, rate: Rate) -> Iterator[Fault]:
        return self._source(rate.source)

    def _facilities(self, facility: Facility) -> Iterator[Fault]:
        yield from _called(facility)
        yield from self._refers("facility", facility.within, self.known.facilities, "within", blank=True)
        around = within_itself(facility.id, facility.within, self.known.facilities)
        if around:
            yield around
        site, country = facility.place, facility.country
        if site and site != country and self.sites.setdefault(site, country) != country:
            yield elsewhere(site, self.sites[site])
        yield from self._source(facility.source)
        for position, step in enumerate(facility.capacity, 1):
            yield from self._source(step.source, f"capacity[{position}].source", needed=True)

    def _offers(self, offer: Offer) -> Iterator[Fault]:
        yield from _called(offer)
        fix = "add it to facilities.csv"
        yield from self._refers("facility", offer.facility, self.known.facilities, "facility", fix)
        yield from self._source(offer.source)
        yield from self._recipe(offer)
        yield from self._cost(offer)
        materials = [m for m in (self.known.materials.get(line.material) for line in offer.outputs) if m]
        steps: set[object] = set()
        for position, entry in enumerate(offer.chain, 1):
            at = f"chain[{position}]"
            fault = stage_of_none(entry.main_stage, materials) if len(materials) == len(offer.outputs) else None
            if fault:
                yield replace(fault, field=f"{at}.stage")
            yield from _again((entry.stage, entry.feed), steps, "offer, stage, feed", f"{at}.stage")
            yield from self._source(entry.source, f"{at}.source", needed=True)
        ways: set[object] = set()
        for position, lane in enumerate(offer.lanes, 1):
            at = f"lanes[{position}]"
            if len(lane.to) != 2:
                fix = "name a country, or a site of facilities.csv"
                yield from self._refers("place", lane.to, self.known.places, f"{at}.to", fix)
            yield from _again((lane.to, lane.start), ways, "offer, to, from", f"{at}.to")
            yield from self._source(lane.source, f"{at}.source")

    def _recipe(self, offer: Offer) -> Iterator[Fault]:
        for role, lines in (("outputs", offer.outputs), ("inputs", offer.inputs)):
            taken: set[object] = set()
            for position, line in enumerate(lines, 1):
                at = f"{role}[{position}]"
                yield from self._material(line.material, f"{at}.material")
                yield from _again(line.material, taken, "offer, role, material", f"{at}.material")
                plain = role == "outputs" and line.per_unit == 1
                yield from self._source(line.source, f"{at}.source", needed=not plain)

    def _cost(self, offer: Offer) -> Iterator[Fault]:
        price = offer.price
        if price is not None:
            fix = "add it to prices.csv"
            yield from self._refers(
                "benchmark", price.benchmark, self.known.benchmarks, "price.benchmark", fix, blank=True
            )
            if price.amount is not None and not price.source:
                yield unsourced("the price", "price.source")
            yield from self._source(price.source, "price.source")
        for position, quote in enumerate(offer.quotes, 1):
            yield from self._source(quote.source, f"quotes[{position}].source", needed=True)

    def _material(self, name: str, field: str) -> Iterator[Fault]:
        fix = "add it to materials.csv, or its catalog to `requires`"
        return self._refers("material", name, self.known.materials, field, fix)

    def _schedules(self, schedule: PriceSchedule) -> Iterator[Fault]:
        return self._bearing(schedule)

    def _aliases(self, alias: Alias) -> Iterator[Fault]:
        return alias_faults(alias, self.known)

    def _terms(self, terms: Terms) -> Iterator[Fault]:
        yield from self._bearing(terms)
        for place in sorted(terms.places):
            if len(place) != 2 and place not in self.known.places:
                yield replace(not_among("place", place), field="places")

    def _bearing(self, bearing: PriceSchedule | Terms) -> Iterator[Fault]:
        subjects: dict[str, Collection[str]] = {
            "offer": self.known.offers,
            "facility": self.known.facilities,
            "supplier": self.known.suppliers,
        }
        yield from self._refers(bearing.of, bearing.id, subjects[bearing.of], "id")
        for name in sorted(bearing.materials):
            if name not in self.known.materials:
                yield replace(not_among("material", name), field="materials")
        yield from self._source(bearing.source, needed=True)


def _called(record: Facility | Offer) -> Iterator[Fault]:
    """A name that files could not refer to; stock in hand, which is an offer too, may be called anything."""
    try:
        ident(record.id)
    except UnreadableError as error:
        yield Fault("id", "cannot be read", error.expected, error.fix)


def _repeated(record: BaseModel, seen: set[object]) -> Iterator[Fault]:
    """A record that says the same as one before it."""
    key = _KEYS.get(type(record), ("id",))
    columns = ", ".join({"start": "from", "end": "until"}.get(name, name) for name in key)
    return _again(tuple(getattr(record, name) for name in key), seen, columns, key[0])


def _again(key: object, seen: set[object], columns: str, field: str) -> Iterator[Fault]:
    if key in seen:
        message = f"an earlier one already has the same {columns}"
        yield Fault(field, message, fix="delete or rename one of the two")
    seen.add(key)


_KEYS: dict[type[BaseModel], tuple[str, ...]] = {
    Factor: ("element", "compound"),
    BenchmarkPrice: ("id", "date"),
    Rate: ("currency", "to", "start"),
    PriceSchedule: ("of", "id", "materials", "kind", "per", "start", "end"),
    Terms: ("of", "id", "materials", "places", "per", "start", "end"),
    Alias: ("of", "old"),
}
"""What tells records of a sort apart, where it is not their id."""


def _held(record: object, field: str) -> str:
    """What stands in a field of a record; empty for one further within."""
    value = getattr(record, field, None)
    return "" if value in (None, "", (), frozenset()) else shown(value)
