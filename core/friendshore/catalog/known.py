"""The ids that a catalog may refer to, its state while it is read, and the faults of references.

Readers of tables report faults with the row, the check of catalogs made in memory with the record, in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.base import Fault, exact
from ..domain.basis import Factors, basis_factor, missing_factor
from ..domain.facts import Catalog, Material, RecipeLine
from ..domain.market import Factor
from ..domain.naming import Alias, Aliases
from ..domain.quantities import Mass, UnitPrice
from ..domain.stages import Stage
from ..domain.suggest import Suggestions, did_you_mean
from ..errors import Diagnostic
from ..reading.csvfile import TABLE_ROWS, Table, TableRow
from ..reading.fields import Layout
from . import columns
from .columns import SOURCES
from .tables import CatalogTables

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
        """Add all that a catalog defines."""
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
        """Add all that is known elsewhere."""
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


M = TypeVar("M", bound=BaseModel)

_ENDS = frozenset(("price_low", "price_high"))
"""Columns of the ends of a price's range, which has one currency with it."""
_WEIGHED = frozenset({Mass, UnitPrice})
"""What is of a substance, or of a material's basis."""


@dataclass(slots=True)
class CatalogReading:
    """The state of reading one catalog."""

    name: str
    tables: CatalogTables
    """Where its tables are."""
    known: Known
    found: list[Diagnostic]
    read: dict[str, Table | None] = field(default_factory=dict)
    """File name -> table as far as they have been read; None: there is no such file."""
    factors: Factors = field(default_factory=Factors)
    factors_broken: bool = False
    """Whether a factor row has a mistake: then a conversion that fails is no mistake of its own."""
    _full: dict[str, str] = field(default_factory=dict)
    """What cells call a source -> its full id."""
    _rows: int = 0
    """Rows of all tables read so far."""
    _too_many: bool = False
    _kilograms: dict[str, RecipeLine] = field(default_factory=dict)
    _ratios: dict[tuple[str, str], Decimal | None] = field(default_factory=dict)
    _suggestions: Suggestions = field(default_factory=Suggestions)

    def table(self, layout: Layout) -> Table:
        """The table of this layout, read when it is first asked for; without rows if there is no such file."""
        if layout.name not in self.read:
            table = None if self._too_many else self.tables.table(layout, self.found)
            self.read[layout.name] = table
            if table is not None:
                self._count(table)
                if not table.whole:
                    self.known.unsure.update(IDS_IN.get(layout.name, ()))
        return self.read[layout.name] or Table(layout, layout.name, self.found)

    def _count(self, table: Table) -> None:
        """Add a table's rows to those of the others; where they are too many in all, none is looked at any more."""
        self._rows += len(table.rows)
        if self._rows > TABLE_ROWS:
            table.too_many(f"{self._rows:,}", "rows, together with the catalog's other tables")
            self._too_many = True
            self.known.unsure |= ALL_IDS
            for other in filter(None, self.read.values()):
                other.let_go()

    def refers(
        self, table: Table, row: TableRow, column: str, known: Collection[str], what: str, fix: str = ""
    ) -> bool:
        """Return True if a cell names something that exists; a blank cell does not, and is no mistake here."""
        word = row.values.get(column)
        if word is None:
            return False
        if word in known:
            return True
        if what in self.known.unsure:
            return False  # what keeps it from being found has been said
        became = self.known.renamed(what, word)
        table.entry(row).tell([no_such(what, became or self._suggestions.of(what, word, known) or fix)], {"": column})
        return False

    def source(self, table: Table, row: TableRow, column: str = "source") -> str:
        """Full id of the evidence that a cell names; empty for none."""
        word: str = row.values.get(column, "")
        if not word:
            return ""
        known = self._full.get(word)
        if known is not None:
            return known
        full = word if ":" in word else f"{self.name}:{word}"
        if full in self.known.sources:
            self._full[word] = full
            return full
        if "source" in self.known.unsure:
            return ""
        if ":" not in word and self.read[SOURCES.name] is None:
            self._sources_missing(table)
            return ""
        own = f"{self.name}:"
        names = [s.removeprefix(own) for s in self.known.sources]
        fix = self._suggestions.of("source", word, names) or f"add a row `{word}` to sources.csv"
        table.entry(row).tell([no_source(fix)], {"": column})
        return ""

    def _sources_missing(self, table: Table) -> None:
        """Report once that there are no sources at all, in place of once for every figure."""
        file = str(Path(table.file).with_name(SOURCES.name)) if table.file.endswith(".csv") else table.file
        problem = Diagnostic(
            f"there is no {SOURCES.name}, which rows of {Path(table.file).name} and others name sources of",
            file,
            expected="a row for every source, with its id, reference, date and confidence",
            fix="add the file; if it is there, see that it comes into the package",
        )
        if not any(one.expected == problem.expected for one in self.found):
            self.found.append(problem)

    def material(self, table: Table, row: TableRow, column: str = "material") -> Material | None:
        """The material that a cell names; None for none, for one that does not exist, or one with a mistake in its row."""
        materials = self.known.materials
        if self.refers(
            table, row, column, materials, "material", "add it to materials.csv, or its catalog to `requires`"
        ):
            return materials[row.values[column]]
        return None

    def kilogram(self, material: Material) -> RecipeLine:
        """A kilogram of a material, as the one output of an offer; the same for all that deliver it."""
        if material.id not in self._kilograms:
            self._kilograms[material.id] = RecipeLine(material=material.id, per_unit=Decimal(1))
        return self._kilograms[material.id]

    def ratio(self, material: Material, substance: str) -> Decimal | None:
        """Kilograms of the material's basis per kilogram of `substance`."""
        key = (material.id, substance)
        if key not in self._ratios:
            self._ratios[key] = basis_factor(material, substance, self.factors)
        return self._ratios[key]

    def _in_basis(
        self, table: Table, row: TableRow, column: str, amount: Mass | UnitPrice, material: Material
    ) -> Mass | UnitPrice | None:
        """A mass or a price by mass of a material's basis that a cell says of another substance; None, once told, if that cannot be
        converted.
        """
        assert amount.substance is not None
        ratio = self.ratio(material, amount.substance)
        if ratio is not None:
            if isinstance(amount, UnitPrice):
                return UnitPrice(exact(amount.amount / ratio), amount.currency, None)
            return Mass(exact(amount.kg * ratio), None)
        if not self.factors_broken:
            element, compound = missing_factor(material, amount.substance, self.factors)
            table.problem(
                row,
                column,
                f"kilograms of {amount.substance} cannot be converted to the basis of `{material.id}` ({material.basis})",
                expected=f"a factor that says how much {element} is in a kilogram of {compound}",
                fix=f"add to factors.csv: {element},{compound},<kg per kg>,<source>",
            )
        return None

    def given(
        self,
        table: Table,
        row: TableRow,
        record: type[BaseModel],
        one: Material | Callable[[str], Material | None] | None = None,
    ) -> dict[str, Any]:
        """The fields of a record that a row states, amounts in the material's basis, sources by their full id.

        Where an amount cannot be converted, that has been told, and its column is bad. `one` is the material in whose basis amounts are to
        be, or finds it for a column that names a substance, and tells if there is none.
        """
        values = row.values
        for column in [c for c, value in values.items() if type(value) in _WEIGHED and value.substance is not None]:
            material = one(column) if callable(one) else one
            amount = values.pop(column)
            converted = None if material is None else self._in_basis(table, row, column, amount, material)
            if converted is None:
                row.bad |= {column}
            else:
                values[column] = converted
        for column in _ENDS & values.keys() if "price" in values else ():
            if values[column].currency != values["price"].currency:
                expected = f"an amount in {values['price'].currency}, as the price"
                table.problem(row, column, "the range is in another currency than the price", expected)
                row.bad |= {column}
                del values[column]
        found = table.layout.stated(record, values)
        source = table.layout.columns(record).get("source")
        return found if source is None else found | {"source": self.source(table, row, source)}


class Alike:
    """Records of rows that give the same, made once: very many rows of a large table are alike in all but their names."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._known: dict[tuple[object, ...], BaseModel] = {}

    def made(self, row: TableRow, model: type[M], given: Mapping[str, object]) -> M | None:
        """The record of a row, or that of an earlier one that gives the same: see `Table.made`."""
        if row.bad:
            return self.table.made(row, model, given)
        key = (model, *given, *given.values())
        known = self._known.get(key)
        if not isinstance(known, model):  # new, or wrong: that is told of every row
            known = self.table.made(row, model, given)
            if known is not None:
                self._known[key] = known
        return known
