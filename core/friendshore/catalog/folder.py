"""Reading of a catalog folder or workbook, with all errors of all tables at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ..domain.basis import content_of
from ..domain.evidence import Source
from ..domain.facts import CapacityStep, Catalog, Facility, Material
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..domain.naming import Alias
from ..domain.quantities import UNLIMITED
from ..errors import Diagnostic, all_of
from ..readers import CatalogRows, TableRows
from ..reading.csvfile import TableRow
from ..reading.fields import FactColumns
from ..reading.tomlfile import is_text, toml_of
from . import columns
from .known import ALL_IDS, IDS_IN, KnownIds, alias_faults, known_from
from .offers import materials_by_facility, read_offers, read_terms, read_tiers, with_list_prices
from .reading import CatalogReading
from .tables import NO_FACTS, CatalogTables, tables_at

_PIECE = 1_000
"""Number of records that are serialized at once for the digest."""


@dataclass(slots=True)
class CatalogDraft:
    """A catalog as far as it could be read, and the ids that others may refer to."""

    catalog: Catalog
    known: KnownIds


def load_catalog(
    source: Path | str | Mapping[str, object],
    distribution: str = "",
    context: Sequence[Catalog] = (),
    facts: FactColumns = NO_FACTS,
) -> Catalog:
    """Read a catalog from a folder, a workbook, a text, or a dict.

    Args:
        source: The folder with its `catalog.toml`, or a workbook. Or TOML text, JSON text, or a dict with the keys of `catalog.toml` and a list of rows
            for each table: `{"name": "ours", "facilities": [{"id": "mill", ...}], "offers": [...]}`.
        distribution: Plugin distribution and version that contains it, for messages.
        context: Catalogs that it requires.
        facts: Columns that plugins declare (`Registry.discover().fact_columns`). Others are errors.

    Raises:
        InputError: With all errors of all tables.
    """
    found: list[Diagnostic] = []
    place = _rows_in(source) if isinstance(source, Mapping) or is_text(source) else Path(source)
    tables = tables_at(place, found, facts)
    head = read_head(tables, found)
    missing = set(head.keys.get("requires", ())) - {c.name for c in context}
    if missing:
        found.append(
            Diagnostic(
                "requires catalogs that were not given",
                file=tables.head_file,
                column="requires",
                found=", ".join(sorted(missing)),
                fix="read them first and hand them over as `context`",
            )
        )
    known = known_from(context)
    if missing or not head.sure:
        known.unsure |= ALL_IDS
    draft = read_draft(tables, head.keys, distribution, known, found)
    if found:
        raise all_of(found)
    return draft.catalog


def _rows_in(source: str | Mapping[str, object]) -> CatalogRows:
    """Return the tables of a catalog in a text or a dict.

    Raises:
        InputError: If the text isn't TOML or JSON.
    """
    problems: list[Diagnostic] = []
    toml = toml_of(source, "catalog", problems)
    if toml is None:
        raise all_of(problems)
    tables = {
        name: TableRows.of(rows, first=1)
        for name, rows in toml.data.items()
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    }
    head = {name: value for name, value in toml.data.items() if name not in tables}
    return CatalogRows(head, tables, "catalog")


@dataclass(frozen=True, slots=True)
class Head:
    """Head of a catalog."""

    keys: dict[str, Any]
    """Keys that could be read."""
    sure: bool
    """True if its name and its required catalogs are known."""


def read_head(tables: CatalogTables, found: list[Diagnostic]) -> Head:
    """Return the head of a catalog, as far as it can be read."""
    entry = tables.head(found)
    if entry is None:
        return Head({}, sure=False)
    return Head(entry.values, sure="requires" not in entry.bad and "name" in entry.values)


def read_draft(
    tables: CatalogTables, head: Mapping[str, Any], distribution: str, known: KnownIds, found: list[Diagnostic]
) -> CatalogDraft:
    """Read what can be read of a catalog, whose `head` is what `read_head` found; mistakes go to `found`.

    To what the catalogs define that it requires, `known`, its own definitions are added.
    """
    name = head.get("name", "catalog")  # what has no name is not read for good: that has been told
    reading = CatalogReading(name, tables, known, found)
    # The others are read when it is their turn, so that not all their rows are held at once.
    for layout in columns.TABLES:
        if layout.name in IDS_IN:
            reading.table(layout)
    for stranger in tables.strangers():
        found.append(stranger.problem)
        if reading.read.get(stranger.meant) is None:  # what the table was to define may be referred to
            known.unsure.update(IDS_IN.get(stranger.meant, ()))
    facts = _assemble(reading)
    about = {key: value for key, value in head.items() if key not in ("schema", "name", "requires")}
    for table in filter(None, reading.read.values()):
        table.let_go()
    requires = tuple(sorted(head.get("requires", ())))
    catalog = Catalog(name=name, requires=requires, distribution=distribution, **about, **facts)
    return CatalogDraft(catalog.but(digest=digest(catalog)), known)


def _assemble(reading: CatalogReading) -> dict[str, object]:
    """Return all records. Referenced tables come first."""
    aliases = read_aliases(reading)
    sources = read_sources(reading)
    add_material_ids(reading)
    factors = read_factors(reading)
    reading.factors = reading.known.conversions()
    factors_file = reading.table(columns.FACTORS).file
    reading.factors_broken = any(problem.file == factors_file for problem in reading.found)
    materials = read_materials(reading)
    prices = read_prices(reading)
    rates = read_rates(reading)
    add_facility_ids(reading)
    offers = read_offers(reading)
    capacity = read_capacity(reading, materials_by_facility(offers))
    schedules = read_tiers(reading)
    check_aliases(reading)
    return {
        "aliases": aliases,
        "sources": sources,
        "factors": factors,
        "materials": materials,
        "prices": prices,
        "rates": rates,
        "offers": with_list_prices(offers, schedules),
        "schedules": schedules,
        "terms": read_terms(reading),
        "facilities": read_facilities(reading, capacity),
    }


def digest(catalog: Catalog) -> str:
    """Return the SHA-256 of the catalog's parsed, sorted facts. The order of rows and the choice of units don't affect it."""
    found = hashlib.sha256()
    for piece in _written(catalog):
        found.update(piece.encode())
    return found.hexdigest()


def _written(catalog: Catalog) -> Iterator[str]:
    """Yield the facts as JSON in pieces, since the whole text of a large catalog takes as much memory as the catalog."""
    before = "{"
    for name in Catalog.model_fields:
        held = getattr(catalog, name)
        if name in ("digest", "distribution"):
            continue
        table = held if isinstance(held, tuple) else ()
        for start in range(0, len(table) or 1, _PIECE):
            some = {name: table[start : start + _PIECE]} if table else {}
            text = catalog.but(**some).model_dump_json(include={name}, exclude_defaults=True)[1:-1]
            if start:
                text = text.removeprefix(f'"{name}":[')
            if start + _PIECE < len(table):
                text = text.removesuffix("]")
            if text:
                yield before + text
                before = ","
    yield "}"


def read_sources(reading: CatalogReading) -> tuple[Source, ...]:
    """Return the evidence, with the catalog's name before each id."""
    rows = reading.table(columns.SOURCES).rows
    reading.known.sources |= {f"{reading.name}:{row.values['id']}" for row in rows if "id" in row.values}
    return tuple(
        source.but(id=f"{reading.name}:{source.id}", states=tuple(sorted(set(source.states))))
        for source in reading.records(columns.SOURCES, Source)
    )


def read_factors(reading: CatalogReading) -> tuple[Factor, ...]:
    """Return the conversion factors, and make them known for conversions."""
    factors = []
    for row, factor in reading.made(columns.FACTORS, Factor):
        key = (factor.element, factor.compound)
        other = reading.known.factors.get(key)
        if other is not None and other.kg_per_kg != factor.kg_per_kg:
            message = f"the catalog of `{other.source}` says {other.kg_per_kg}"
            row.problem("kg_per_kg", message, fix="delete this row or mend one")
        reading.known.factors[key] = factor
        factors.append(factor)
    return tuple(sorted(factors, key=lambda f: (f.element, f.compound)))


def add_material_ids(reading: CatalogReading) -> None:
    """Make the ids of this catalog's materials known, before anything refers to them."""
    for row in reading.table(columns.MATERIALS).rows:
        if "id" in row.values:
            reading.known.materials[row.values["id"]] = None


def read_materials(reading: CatalogReading) -> tuple[Material, ...]:
    """Return the materials. Derive a content that isn't given from the factors, where they allow it."""
    read = reading.records(columns.MATERIALS, Material)
    materials = tuple(material.but(content=content_of(material, reading.factors)) for material in read)
    reading.known.materials |= {material.id: material for material in materials}
    return materials


def read_prices(reading: CatalogReading) -> tuple[BenchmarkPrice, ...]:
    """Return the benchmark prices per kilogram of the material's basis."""
    table = reading.table(columns.PRICES)
    prices = []
    for row in table.unique():
        material = reading.material(row)
        quoted = row.made(BenchmarkPrice, reading.given(row, BenchmarkPrice, material))
        prices += [quoted] if quoted and material else []
        if "id" in row.values:
            name = row.values["id"]
            reading.known.benchmarks[name] = reading.checks.series.get(name, "")
    return tuple(sorted(prices, key=lambda p: (p.id, p.date)))


def read_rates(reading: CatalogReading) -> tuple[Rate, ...]:
    """Return the exchange rates."""
    rows = reading.table(columns.RATES).rows
    reading.known.rates |= {frozenset((row.values.get("currency", ""), row.values.get("to", ""))) for row in rows}
    return reading.records(columns.RATES, Rate)


def add_facility_ids(reading: CatalogReading) -> None:
    """Make this catalog's facilities and their sites known, before anything refers to them."""
    table = reading.table(columns.FACILITIES)
    for row in table.rows:
        if "id" in row.values:
            reading.known.facilities[row.values["id"]] = row.values.get("within", "")
            seller = row.values.get("operator") or row.values.get("name") or row.values["id"]
            reading.known.suppliers.add(seller)
        site, country = row.values.get("place"), row.values.get("country")
        if site and country and site != country:
            reading.known.places.setdefault(site, country)


def read_facilities(reading: CatalogReading, capacity: Mapping[str, tuple[CapacityStep, ...]]) -> tuple[Facility, ...]:
    """Return the facilities with their capacities."""
    table = reading.table(columns.FACILITIES)
    facilities = []
    for row in table.unique(last=True):
        given = reading.given(row, Facility)
        given |= {
            "place": given.get("place", given.get("country", "")),
            "capacity": capacity.get(given.get("id", ""), ()),
        }
        facility = row.made(Facility, given)
        if facility is not None:
            facilities.append(facility)
    return tuple(sorted(facilities, key=lambda f: f.id))


def read_capacity(reading: CatalogReading, made: Mapping[str, frozenset[str]]) -> dict[str, tuple[CapacityStep, ...]]:
    """Return capacity steps by facility in order of date. `made` contains the outputs of each facility's offers."""
    table = reading.table(columns.CAPACITY)
    own = {row.values["id"] for row in reading.table(columns.FACILITIES).rows if "id" in row.values}
    steps: dict[str, list[CapacityStep]] = {}
    inside: dict[str, set[str]] = {}
    for facility, around in reading.known.facilities.items():
        inside.setdefault(around, set()).update(made.get(facility, ()))
    fix = "delete one of the two; if each is of another product, give each a facility of its own, or state `max_per_year` of its offer"
    for row in table.unique(last=True, fix=fix):
        reading.refers(row, "material", "material")
        material = reading.material(row)
        known = reading.refers(row, "facility", "facility", own)
        facility = row.values.get("facility", "")
        makes = made.get(facility) or inside.get(facility, set())
        basis = partial(_basis, reading, row, material, makes) if known else None
        given = reading.given(row, CapacityStep, basis)
        given["per_year"] = None if given.get("per_year") == UNLIMITED else given.get("per_year")
        step = row.alike(CapacityStep, given)
        if step is not None and known:
            steps.setdefault(facility, []).append(step)
    return {name: tuple(sorted(rows, key=lambda s: s.start or date.min)) for name, rows in steps.items()}


def _basis(
    reading: CatalogReading,
    row: TableRow,
    named: Material | None,
    made: frozenset[str] | set[str],
    column: str,
) -> Material | None:
    """Return a material in whose basis a capacity can be stated. If there is none, or they differ, record an error and return None."""
    if row.bad or "material" in row.values:
        return named
    candidates = [m for m in (reading.known.materials.get(name) for name in sorted(made)) if m is not None]
    if len(candidates) == 1:
        return candidates[0]
    substance = row.values[column].substance
    ratios = {reading.ratio(candidate, substance) for candidate in candidates}
    if len(ratios) == 1 and None not in ratios:
        return candidates[0]
    unsure = reading.known.unsure or reading.factors_broken or reading.offers_broken
    if unsure or (made and not candidates):
        return None  # what the facility makes is known once the mistakes already reported are mended
    row.problem(
        column,
        f"kilograms of {substance} cannot be converted: "
        + ("no offer says what the facility makes" if not made else "the facility makes materials of different bases"),
        expected="a material in the column `material`" + (f": one of {', '.join(sorted(made))}" if made else ""),
        fix="name the material whose basis is meant",
    )
    return None


def read_aliases(reading: CatalogReading) -> tuple[Alias, ...]:
    """Return the aliases of a catalog. `check_aliases` checks their targets after all ids are known."""
    for row in reading.table(columns.ALIASES).rows:
        row.values.setdefault("of", "offer")
    aliases = reading.records(columns.ALIASES, Alias)
    reading.known.aliases |= {(alias.of, alias.old): alias for alias in aliases}
    return aliases


def check_aliases(reading: CatalogReading) -> None:
    """Record aliases that lead nowhere or to themselves, or whose old id is still in use."""
    table = reading.table(columns.ALIASES)
    for row in table.rows:
        alias = reading.known.aliases.get((row.values["of"], row.values.get("old", "")))
        if alias is not None and not row.bad:
            row.tell(alias_faults(alias, reading.known))
