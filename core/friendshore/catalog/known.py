"""What a catalog may refer to, its own ids and those of the catalogs it requires, and what is said where it refers to nothing.

The readers of tables say so with the row, the check of catalogs made in memory with the record: in the same words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from ..domain.base import Fault
from ..domain.facts import Catalog, Material
from ..domain.market import Factor, Factors
from ..domain.naming import Alias, Aliases
from ..domain.stages import Stage
from ..domain.suggest import did_you_mean
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
    aliases: dict[tuple[str, str], Alias] = field(default_factory=dict)
    """Ids that are not used any more, by what they named."""

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
        self.aliases.update(((a.of, a.old), a) for a in catalog.aliases)

    def merge(self, other: Known) -> None:
        """Adds all that is known elsewhere."""
        for held in fields(self):
            getattr(self, held.name).update(getattr(other, held.name))

    def conversions(self) -> Factors:
        """The factors, ready to convert by."""
        return Factors(self.factors.values())

    def ids(self, of: str) -> Collection[str]:
        """All ids of a sort of things that may be renamed."""
        held: dict[str, Collection[str]] = {
            "offer": self.offers,
            "facility": self.facilities,
            "material": self.materials,
            "benchmark": self.benchmarks,
        }
        return held[of]

    def renamed(self, what: str, name: str) -> str:
        """What became of a name, as the end of a message; empty where it is none of before."""
        way = Aliases(self.aliases.values()).way(what, name)
        if not way:
            return ""
        return f"write `{way[-1].new}`: {way[0].told}" if way[-1].new else way[-1].told


def known_from(catalogs: Iterable[Catalog]) -> Known:
    """What a set of catalogs defines."""
    known = Known()
    for catalog in catalogs:
        known.take(catalog)
    return known


def no_such(what: str, fix: str) -> Fault:
    """What is said where something is named that is no such `what`: what was perhaps meant, or where it would have to be added."""
    return Fault("", f"no such {what}", f"the id of {'an' if what[0] in 'aeiou' else 'a'} {what}", fix)


def alias_faults(alias: Alias, known: Known) -> Iterator[Fault]:
    """An id that is still used, one that leads nowhere, and one that leads back to itself."""
    noun = f"{'an' if alias.of[0] in 'aeiou' else 'a'} {alias.of}"
    if alias.of in known.unsure:
        return
    if alias.old in known.ids(alias.of):
        fix = "delete the row, or give what has the id now another"
        yield Fault("old", f"`{alias.old}` is the id of {noun} still, so that both could be meant", fix=fix)
    if Aliases(known.aliases.values()).circle(alias.of, alias.old):
        yield Fault("new", f"`{alias.old}` leads back to itself", f"the id of {noun} of today")
    elif alias.new and alias.new not in known.ids(alias.of) and (alias.of, alias.new) not in known.aliases:
        yield replace(no_such(alias.of, did_you_mean(alias.new, known.ids(alias.of))), field="new")


def no_source(fix: str) -> Fault:
    """What is said where a source is named that does not exist."""
    return Fault("", "no such source", "the id of a row of sources.csv, or catalog:id of a required catalog", fix)


def not_among(what: str, name: str) -> Fault:
    """What is said of one of several names that does not exist."""
    expected = "ids of materials" if what == "material" else "countries, or sites of facilities"
    fix = "" if what == "material" else "name countries, or sites of facilities.csv"
    return Fault("", f"no such {what} as `{name}`", expected, fix)


def other_benchmark(name: str, first: str) -> Fault:
    """A benchmark is one series of one material."""
    fix = "give each material its own benchmark id"
    return Fault("material", f"benchmark `{name}` is a price of `{first}`", fix=fix)


def elsewhere(site: str, country: str) -> Fault:
    """A site lies in one country."""
    return Fault("place", f"`{site}` lies in {country} by another row", fix="give it another name")


def stage_of_none(stage: Stage, materials: Sequence[Material]) -> Fault | None:
    """An offer can only perform stages that what it delivers must have."""
    if any(stage in material.stages for material in materials):
        return None
    stages = sorted({s for m in materials for s in m.stages}, key=lambda s: s.rank)
    return Fault(
        "stage",
        f"the chain of {', '.join(f'`{m.id}`' for m in materials)} has no such stage",
        "one of " + ", ".join(stages) if stages else "a material whose stages are given",
        "delete the row, or add the stage to the material in materials.csv",
    )


def unsourced(what: str, field: str) -> Fault:
    """A figure that rests on nothing."""
    return Fault(field, f"{what} has no source", "the id of a row of sources.csv")


DEEPEST = 100
"""Facilities that may lie one in the other."""


def circle(name: str, inside: str, within: Mapping[str, str]) -> list[str]:
    """The facilities from one, which lies `inside` another, round to itself; nothing if it lies in no circle, or another of the circle tells it."""
    seen = {name: None}
    while inside and inside not in seen and len(seen) <= DEEPEST:
        seen[inside] = None
        inside = within.get(inside, "")
    return [*seen, inside] if inside and inside == name == min(seen) else []  # once for each circle


def within_itself(name: str, inside: str, within: Mapping[str, str]) -> Fault | None:
    """A facility must not lie within itself, over however many others."""
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
