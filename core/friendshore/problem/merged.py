"""Facts of several catalogs, indexed by id, with the case's own evidence."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from ..catalog import clashes, merge_facilities
from ..domain.base import grouped
from ..domain.basis import Factors, content_of
from ..domain.case import Case
from ..domain.countries import is_country
from ..domain.evidence import Confidence, Source
from ..domain.facts import Catalog, ChainEntry, Facility, Material, Offer, Place
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..domain.terms import PriceSchedule, Terms
from ..errors import Diagnostic, InputError

T = TypeVar("T", Material, Facility, Offer)

CASE_SOURCE = "case"
"""Source id of all figures that the case states."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All facts of the catalogs, by id."""

    materials: dict[str, Material]
    facilities: dict[str, Facility]
    offers: dict[str, Offer]
    schedules: tuple[PriceSchedule, ...]
    terms: tuple[Terms, ...]
    prices: dict[str, tuple[BenchmarkPrice, ...]]
    rates: tuple[Rate, ...]
    factors: tuple[Factor, ...]
    sources: dict[str, Source]
    places: dict[str, Place]
    """Sites of facilities. Countries are places too, but need no entry."""

    def place(self, name: str) -> Place:
        return self.places.get(name) or Place(id=name, country=name)

    def is_place(self, name: str) -> bool:
        return name in self.places or is_country(name)

    def confidence(self, source: str) -> Confidence:
        """Return the confidence in a source. A figure without a source is an assumption."""
        record = self.sources.get(source)
        return record.confidence if record else Confidence.ASSUMED

    def accepted(self, entry: ChainEntry, min_confidence: Confidence) -> ChainEntry:
        """Return an entry as the case accepts it. Evidence below `min_confidence` proves nothing, so its list counts as incomplete."""
        if entry.complete and not self.confidence(entry.source).reaches(min_confidence):
            return entry.but(complete=False)
        return entry


def merge(catalogs: Sequence[Catalog], case: Case) -> Merged:
    catalogs = merge_facilities(catalogs, case.overlaps)
    problems = clashes(catalogs)
    if problems:
        raise InputError(problems)
    factors = tuple(sorted({f for c in catalogs for f in c.factors}, key=lambda f: (f.element, f.compound)))
    contents = Factors(factors)
    materials = _by_id(m for catalog in catalogs for m in catalog.materials)
    for name, material in materials.items():
        content = content_of(material, contents)
        if content is not material.content:
            materials[name] = material.but(content=content)
    facilities = _by_id(f for catalog in catalogs for f in catalog.facilities)
    offers = _by_id(_with_ordered_lines(o) for catalog in catalogs for o in catalog.offers)
    prices = grouped((row.id, row) for catalog in catalogs for row in catalog.prices)
    sources = {source.id: source for catalog in catalogs for source in catalog.sources}
    sources[CASE_SOURCE] = Source(id=CASE_SOURCE, reference=f"the case {case.name}", confidence=Confidence.VERIFIED)
    return Merged(
        materials=materials,
        facilities=facilities,
        offers=offers,
        schedules=tuple(sorted({s for c in catalogs for s in c.schedules}, key=lambda s: s.order)),
        terms=tuple(sorted({t for c in catalogs for t in c.terms}, key=lambda t: t.order)),
        prices={k: tuple(sorted(set(v), key=lambda r: (r.date, r.amount))) for k, v in sorted(prices.items())},
        rates=tuple(sorted({r for c in catalogs for r in c.rates}, key=lambda r: (r.currency, r.to, r.start))),
        factors=factors,
        sources=sources,
        places=_sites(facilities.values()),
    )


def _with_ordered_lines(offer: Offer) -> Offer:
    """Return an offer whose inputs and outputs are sorted by material, so that the order of its lines decides nothing."""
    if len(offer.outputs) < 2 and len(offer.inputs) < 2:
        return offer
    lines = {
        name: tuple(sorted(getattr(offer, name), key=lambda line: line.material)) for name in ("inputs", "outputs")
    }
    return offer if lines == {"inputs": offer.inputs, "outputs": offer.outputs} else offer.but(**lines)


def _sites(facilities: Iterable[Facility]) -> dict[str, Place]:
    facilities_by_site = grouped((f.place, f) for f in facilities if f.place and f.place != f.country)
    # Deliveries to a site may go to any of its operators.
    return {
        site: Place(id=site, country=group[0].country, operator="; ".join(sorted({f.operator for f in group} - {""})))
        for site, group in facilities_by_site.items()
    }


def enclosing_facilities(name: str, facilities: Mapping[str, Facility]) -> list[Facility]:
    """Return a facility and those that contain it, innermost first."""
    enclosing: list[Facility] = []
    facility = facilities.get(name)
    while facility is not None:
        enclosing.append(facility)
        facility = facilities.get(facility.within)
    return enclosing


def up_the_chain(names: set[str], offers: Iterable[Offer]) -> set[str]:
    """Return some materials and everything that offers can turn into them, including offers with unknown figures."""
    inputs_by_output: dict[str, set[str]] = defaultdict(set)
    for offer in offers:
        for line in offer.outputs:
            inputs_by_output[line.material] |= {input_line.material for input_line in offer.inputs}
    reached, pending = set(names), sorted(names)
    while pending:
        new = inputs_by_output[pending.pop()] - reached
        reached |= new
        pending += sorted(new)
    return reached


def _by_id(records: Iterable[T]) -> dict[str, T]:
    record_by_id: dict[str, T] = {}
    for record in records:
        record_by_id.setdefault(record.id, record)
    return {key: record_by_id[key] for key in sorted(record_by_id)}


@dataclass(frozen=True, slots=True)
class RowDiagnostic(Diagnostic):
    """A diagnostic about a row of a catalog whose line isn't known yet. `found` is the subject of the row until then."""

    cell: str = ""
    """Text of a cell of the row, which tells it from other rows of the same subject."""
    found_in_row: str = ""
    """Value for `found` once the line is known. Empty keeps `found`."""

    def at(self, file: str, row: int, column: str) -> Diagnostic:
        """Return the diagnostic at its line."""
        found = self.found_in_row or self.found
        return Diagnostic(self.message, file, row, column, found, self.expected, self.fix, self.code)

    def without_cell(self) -> Diagnostic:
        """Return the diagnostic without the fields that find its line."""
        return Diagnostic(
            self.message, self.file, self.row, self.column, self.found, self.expected, self.fix, self.code
        )


def missing_rate(currency: str, case: Case, amount: str, column: str) -> Diagnostic:
    expected, fix = f"a row for {currency} in rates.csv", "add the rate to a catalog of the case, with its source"
    message = f"no exchange rate from {currency} to {case.currency} for {amount}"
    return Diagnostic(message, column=column, expected=expected, fix=fix, code="FS251")


def exchange(rates: Sequence[Rate], currency: str, to: str, day: datetime.date) -> Decimal | None:
    """Return one unit of `currency` in `to` by the last rate up to `day`, or else the first, in either direction but not through a third currency. None without one."""
    if currency == to:
        return Decimal(1)
    rate = rate_on(rates, currency, to, day)
    if rate is None:
        return None
    return rate.rate if rate.currency == currency else 1 / rate.rate


def rate_on(rates: Sequence[Rate], currency: str, to: str, day: datetime.date) -> Rate | None:
    """Return the exchange rate of two currencies, in either direction. See `exchange`."""
    pairs = ((currency, to), (to, currency))
    dated_rates = [
        (r.start, r.rate if r.currency == currency else 1 / r.rate, r) for r in rates if (r.currency, r.to) in pairs
    ]
    dated_rates.sort(key=lambda entry: entry[:2])
    past = [rate for start, _, rate in dated_rates if start <= day]
    return past[-1] if past else dated_rates[0][2] if dated_rates else None
