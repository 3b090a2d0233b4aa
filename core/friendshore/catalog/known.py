"""What the rows of a catalog may refer to: its own ids and those of the catalogs it requires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..domain.basis import Factors
from ..domain.facts import Catalog, Factor, Material
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
ALL_IDS = frozenset(sort for sorts in IDS_IN.values() for sort in sorts)


@dataclass(slots=True)
class Known:
    """Ids that exist. A row with a mistake in it still makes its id known, so that one mistake is reported once."""

    unsure: set[str] = field(default_factory=set)
    """Sorts of ids of which there may be more than could be read: then none that is not found is a mistake of its own."""

    materials: dict[str, Material | None] = field(default_factory=dict)
    """None: its row has a mistake."""
    facilities: dict[str, str] = field(default_factory=dict)
    """Facility -> the one it is within, or nothing."""
    suppliers: set[str] = field(default_factory=set)
    """Who sells from some facility."""
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Offer -> what it delivers, as far as that is known."""
    places: dict[str, str] = field(default_factory=dict)
    """Site -> its country."""
    benchmarks: dict[str, str] = field(default_factory=dict)
    """Benchmark -> its material; empty where that has a mistake."""
    sources: set[str] = field(default_factory=set)
    """Ids with the catalog's name before them."""
    factors: dict[tuple[str, str], Factor] = field(default_factory=dict)
    """By element and compound."""
    rates: set[frozenset[str]] = field(default_factory=set)
    """Pairs of currencies that are exchanged for one another."""

    def take(self, catalog: Catalog) -> None:
        """Adds all that a catalog defines."""
        self.materials.update((m.id, m) for m in catalog.materials)
        self.facilities.update((f.id, f.within) for f in catalog.facilities)
        self.suppliers.update(f.supplier for f in catalog.facilities)
        self.offers.update((o.id, tuple(line.material for line in o.outputs)) for o in catalog.offers)
        self.places.update((f.place, f.country) for f in catalog.facilities if f.place and f.place != f.country)
        self.benchmarks.update((p.id, p.material) for p in catalog.prices)
        self.sources.update(s.id for s in catalog.sources)
        self.factors.update(((f.element, f.compound), f) for f in catalog.factors)
        self.rates.update(frozenset((r.currency, r.to)) for r in catalog.rates)

    def merge(self, other: Known) -> None:
        """Adds all that is known elsewhere."""
        self.unsure |= other.unsure
        self.materials.update(other.materials)
        self.facilities.update(other.facilities)
        self.suppliers.update(other.suppliers)
        self.offers.update(other.offers)
        self.places.update(other.places)
        self.benchmarks.update(other.benchmarks)
        self.sources.update(other.sources)
        self.factors.update(other.factors)
        self.rates |= other.rates

    def conversions(self) -> Factors:
        """The factors, ready to convert by."""
        return Factors(self.factors.values())


def known_from(catalogs: Iterable[Catalog]) -> Known:
    """What a set of catalogs defines."""
    known = Known()
    for catalog in catalogs:
        known.take(catalog)
    return known
