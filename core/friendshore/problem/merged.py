"""Facts of several catalogs, indexed by id, with the case's own evidence."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from ..catalog import clashes, united
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
"""Source id of all figures that the case itself gives."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All facts of the catalogs, by id."""

    materials: dict[str, Material]
    facilities: dict[str, Facility]
    offers: dict[str, Offer]
    schedules: tuple[PriceSchedule, ...]
    terms: tuple[Terms, ...]
    prices: dict[str, tuple[BenchmarkPrice, ...]]
    """Benchmark -> its rows by date."""
    rates: tuple[Rate, ...]
    factors: tuple[Factor, ...]
    sources: dict[str, Source]
    places: dict[str, Place]
    """Sites of facilities. Countries are places too, but need no entry."""

    def place(self, name: str) -> Place:
        """Return the place with a name: a site, or else a country."""
        return self.places.get(name) or Place(id=name, country=name)

    def is_place(self, name: str) -> bool:
        """Return True if a name is a site of a facility or a country."""
        return name in self.places or is_country(name)

    def confidence(self, source: str) -> Confidence:
        """Return the confidence in a source. A figure without a source is an assumption."""
        found = self.sources.get(source)
        return found.confidence if found else Confidence.ASSUMED

    def accepted(self, entry: ChainEntry, least: Confidence) -> ChainEntry:
        """Return an entry as the case accepts it. Evidence below `least` proves nothing, so its list counts as incomplete."""
        if entry.complete and not self.confidence(entry.source).reaches(least):
            return entry.but(complete=False)
        return entry


def merge(catalogs: Sequence[Catalog], case: Case) -> Merged:
    """Merge catalogs.

    Raises:
        InputError: If two of them define an id differently, naming both.
    """
    catalogs = united(catalogs, case.overlaps)
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
    offers = _by_id(o for catalog in catalogs for o in catalog.offers)
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


def _sites(facilities: Iterable[Facility]) -> dict[str, Place]:
    """Return sites by name, each with all operators there, since deliveries to a site may go to any of them."""
    found = grouped((f.place, f) for f in facilities if f.place and f.place != f.country)
    return {
        site: Place(id=site, country=here[0].country, operator="; ".join(sorted({f.operator for f in here} - {""})))
        for site, here in found.items()
    }


def around(name: str, facilities: Mapping[str, Facility]) -> list[Facility]:
    """Return a facility and those around it, innermost first."""
    found: list[Facility] = []
    facility = facilities.get(name)
    while facility is not None:
        found.append(facility)
        facility = facilities.get(facility.within)
    return found


def up_the_chain(names: set[str], offers: Iterable[Offer]) -> set[str]:
    """Return some materials, and all that any offer may turn into them. Offers with unknown figures count."""
    feeds: dict[str, set[str]] = defaultdict(set)
    for offer in offers:
        for line in offer.outputs:
            feeds[line.material] |= {taken.material for taken in offer.inputs}
    found, waiting = set(names), sorted(names)
    while waiting:
        more = feeds[waiting.pop()] - found
        found |= more
        waiting += sorted(more)
    return found


def _by_id(records: Iterable[T]) -> dict[str, T]:
    """Return records by id, in canonical order. Of records with equal ids, the first one counts."""
    found: dict[str, T] = {}
    for record in records:
        found.setdefault(record.id, record)
    return {key: found[key] for key in sorted(found)}


def missing_rate(currency: str, case: Case, of: str, column: str) -> Diagnostic:
    """Return the error for money without an exchange rate to the case's currency."""
    expected, fix = f"a row for {currency} in rates.csv", "add the rate to a catalog of the case, with its source"
    message = f"no exchange rate from {currency} to {case.currency} for {of}"
    return Diagnostic(message, column=column, expected=expected, fix=fix)


def exchange(rates: Sequence[Rate], currency: str, to: str, day: datetime.date) -> Decimal | None:
    """Return the value of one unit of `currency` in `to`, by the last rate up to `day` or else the first. None without a rate.

    Rates apply in both directions, but aren't chained through a third currency.
    """
    if currency == to:
        return Decimal(1)
    found = rate_on(rates, currency, to, day)
    if found is None:
        return None
    return found.rate if found.currency == currency else 1 / found.rate


def rate_on(rates: Sequence[Rate], currency: str, to: str, day: datetime.date) -> Rate | None:
    """Return the exchange rate of two currencies, in either direction: the last one up to `day`, or else the first. None without a rate."""
    pairs = ((currency, to), (to, currency))
    known = [
        (r.start, r.rate if r.currency == currency else 1 / r.rate, r) for r in rates if (r.currency, r.to) in pairs
    ]
    known.sort(key=lambda one: one[:2])
    past = [rate for start, _, rate in known if start <= day]
    return past[-1] if past else known[0][2] if known else None
