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
from ..domain.facts import CapacityStep, Catalog, Facility, Material, Owner
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

_RECORDS_PER_CHUNK = 1_000


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
    problems: list[Diagnostic] = []
    place = _tables_in(source) if isinstance(source, Mapping) or is_text(source) else Path(source)
    tables = tables_at(place, problems, facts)
    head = read_head(tables, problems)
    missing = set(head.keys.get("requires", ())) - {c.name for c in context}
    if missing:
        problems.append(
            Diagnostic(
                "required catalogs are missing",
                file=tables.head_file,
                column="requires",
                found=", ".join(sorted(missing)),
                fix="read them first and pass them as `context`",
                code="FS118",
            )
        )
    known = known_from(context)
    if missing or not head.is_complete:
        known.unsure |= ALL_IDS
    draft = read_draft(tables, head.keys, distribution, known, problems)
    if problems:
        raise all_of(problems)
    return draft.catalog


def _tables_in(source: str | Mapping[str, object]) -> CatalogRows:
    """Return the tables of a catalog in a text or a dict, or raise an InputError if the text isn't TOML or JSON."""
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
    is_complete: bool
    """True if its name and its required catalogs are known."""


def read_head(tables: CatalogTables, problems: list[Diagnostic]) -> Head:
    entry = tables.head(problems)
    if entry is None:
        return Head({}, is_complete=False)
    return Head(entry.values, is_complete="requires" not in entry.bad and "name" in entry.values)


def read_draft(
    tables: CatalogTables, head: Mapping[str, Any], distribution: str, known: KnownIds, problems: list[Diagnostic]
) -> CatalogDraft:
    """Return the readable part of a catalog. Its ids are added to `known`, which has those of the catalogs that it requires."""
    name = head.get("name", "catalog")  # the head's reader reports a missing name
    reading = CatalogReading(name, tables, known, problems)
    # Other tables are read when they are needed, so that not all rows are in memory at once.
    for layout in columns.TABLES:
        if layout.name in IDS_IN:
            reading.table(layout)
    for unrecognized in tables.unrecognized_tables():
        problems.append(unrecognized.problem)
        if (
            reading.table_by_name.get(unrecognized.similar_table) is None
        ):  # other tables may refer to ids of a misnamed table
            known.unsure.update(IDS_IN.get(unrecognized.similar_table, ()))
    facts = _read_tables(reading)
    metadata = {key: value for key, value in head.items() if key not in ("schema", "name", "requires")}
    for table in filter(None, reading.table_by_name.values()):
        table.drop_rows()
    requires = tuple(sorted(head.get("requires", ())))
    catalog = Catalog(name=name, requires=requires, distribution=distribution, **metadata, **facts)
    return CatalogDraft(catalog.but(digest=digest(catalog)), known)


def _read_tables(reading: CatalogReading) -> dict[str, object]:
    # Ids become known before other tables refer to them.
    aliases = read_aliases(reading)
    sources = read_sources(reading)
    add_material_ids(reading)
    factors = read_factors(reading)
    reading.factors = reading.known.conversions()
    factors_file = reading.table(columns.FACTORS).file
    reading.factors_broken = any(problem.file == factors_file for problem in reading.problems)
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
        "facilities": read_facilities(reading, capacity, read_owners(reading)),
    }


def digest(catalog: Catalog) -> str:
    """Return the SHA-256 of the catalog's parsed, sorted facts. The order of rows and the choice of units don't affect it."""
    sha256 = hashlib.sha256()
    for chunk in _json_chunks(catalog):
        sha256.update(chunk.encode())
    return sha256.hexdigest()


def _json_chunks(catalog: Catalog) -> Iterator[str]:
    """Yield the facts as JSON in chunks, since the whole text of a large catalog takes as much memory as the catalog."""
    prefix = "{"
    for name in Catalog.model_fields:
        value = getattr(catalog, name)
        if name in ("digest", "distribution"):
            continue
        table = value if isinstance(value, tuple) else ()
        for start in range(0, len(table) or 1, _RECORDS_PER_CHUNK):
            chunk = {name: table[start : start + _RECORDS_PER_CHUNK]} if table else {}
            text = catalog.but(**chunk).model_dump_json(include={name}, exclude_defaults=True)[1:-1]
            if start:
                text = text.removeprefix(f'"{name}":[')
            if start + _RECORDS_PER_CHUNK < len(table):
                text = text.removesuffix("]")
            if text:
                yield prefix + text
                prefix = ","
    yield "}"


def read_sources(reading: CatalogReading) -> tuple[Source, ...]:
    rows = reading.table(columns.SOURCES).rows
    reading.known.sources |= {f"{reading.name}:{row.values['id']}" for row in rows if "id" in row.values}
    return tuple(
        source.but(id=f"{reading.name}:{source.id}", states=tuple(sorted(set(source.states))))
        for source in reading.records(columns.SOURCES, Source)
    )


def read_factors(reading: CatalogReading) -> tuple[Factor, ...]:
    factors = []
    for row, factor in reading.rows_with_records(columns.FACTORS, Factor):
        key = (factor.element, factor.compound)
        other = reading.known.factors.get(key)
        if other is not None and other.kg_per_kg != factor.kg_per_kg:
            message = f"this factor contradicts the factor {other.kg_per_kg} from `{other.source}`"
            row.problem("kg_per_kg", message, fix="delete this row, or correct one of the factors", code="FS114")
        reading.known.factors[key] = factor
        factors.append(factor)
    return tuple(sorted(factors, key=lambda f: (f.element, f.compound)))


def add_material_ids(reading: CatalogReading) -> None:
    for row in reading.table(columns.MATERIALS).rows:
        if "id" in row.values:
            reading.known.materials[row.values["id"]] = None


def read_materials(reading: CatalogReading) -> tuple[Material, ...]:
    stated = reading.records(columns.MATERIALS, Material)
    materials = tuple(material.but(content=content_of(material, reading.factors)) for material in stated)
    reading.known.materials |= {material.id: material for material in materials}
    return materials


def read_prices(reading: CatalogReading) -> tuple[BenchmarkPrice, ...]:
    table = reading.table(columns.PRICES)
    prices = []
    for row in table.unique():
        material = reading.material(row)
        price = row.record_from(BenchmarkPrice, reading.fields(row, BenchmarkPrice, material))
        prices += [price] if price and material else []
        if "id" in row.values:
            name = row.values["id"]
            reading.known.benchmarks[name] = reading.checks.material_by_benchmark.get(name, "")
    return tuple(sorted(prices, key=lambda p: (p.id, p.date)))


def read_rates(reading: CatalogReading) -> tuple[Rate, ...]:
    rows = reading.table(columns.RATES).rows
    reading.known.rates |= {frozenset((row.values.get("currency", ""), row.values.get("to", ""))) for row in rows}
    if any(not {"currency", "to"} <= row.values.keys() for row in rows):
        reading.known.unsure.add("rate")
    return reading.records(columns.RATES, Rate)


def add_facility_ids(reading: CatalogReading) -> None:
    table = reading.table(columns.FACILITIES)
    for row in table.rows:
        if "id" in row.values:
            reading.known.facilities[row.values["id"]] = row.values.get("within", "")
            seller = row.values.get("operator") or row.values.get("name") or row.values["id"]
            reading.known.suppliers.add(seller)
        site, country = row.values.get("place"), row.values.get("country")
        if site and country and site != country:
            reading.known.places.setdefault(site, country)


def read_owners(reading: CatalogReading) -> dict[str, tuple[Owner, ...]]:
    """Return owners by facility, sorted by name."""
    own = {row.values["id"] for row in reading.table(columns.FACILITIES).rows if "id" in row.values}
    owners: dict[str, list[Owner]] = {}
    for row in reading.table(columns.OWNERS).unique(last=True):
        is_known = reading.check_reference(row, "facility", "facility", own)
        owner = row.shared_record(Owner, reading.fields(row, Owner))
        if owner is not None and is_known:
            owners.setdefault(row.values["facility"], []).append(owner)
    return {name: tuple(sorted(rows, key=lambda owner: owner.owner)) for name, rows in owners.items()}


def read_facilities(
    reading: CatalogReading,
    capacity: Mapping[str, tuple[CapacityStep, ...]],
    owners: Mapping[str, tuple[Owner, ...]],
) -> tuple[Facility, ...]:
    table = reading.table(columns.FACILITIES)
    facilities = []
    for row in table.unique(last=True):
        fields = reading.fields(row, Facility)
        fields |= {
            "place": fields.get("place", fields.get("country", "")),
            "capacity": capacity.get(fields.get("id", ""), ()),
        }
        if fields.get("id", "") in owners:
            fields["owners"] = owners[fields["id"]]
        facility = row.record_from(Facility, fields)
        if facility is not None:
            facilities.append(facility)
    return tuple(sorted(facilities, key=lambda f: f.id))


def read_capacity(
    reading: CatalogReading, materials_by_facility: Mapping[str, frozenset[str]]
) -> dict[str, tuple[CapacityStep, ...]]:
    """Return capacity steps by facility, in order of date."""
    table = reading.table(columns.CAPACITY)
    own = {row.values["id"] for row in reading.table(columns.FACILITIES).rows if "id" in row.values}
    steps: dict[str, list[CapacityStep]] = {}
    materials_within: dict[str, set[str]] = {}
    for facility, outer in reading.known.facilities.items():
        materials_within.setdefault(outer, set()).update(materials_by_facility.get(facility, ()))
    fix = "delete one of the rows, or give each product its own facility, or set `max_per_year` of its offer"
    for row in table.unique(last=True, fix=fix):
        reading.check_reference(row, "material", "material")
        material = reading.material(row)
        is_known = reading.check_reference(row, "facility", "facility", own)
        facility = row.values.get("facility", "")
        products = materials_by_facility.get(facility) or materials_within.get(facility, set())
        basis = partial(_basis, reading, row, material, products) if is_known else None
        fields = reading.fields(row, CapacityStep, basis)
        fields["per_year"] = None if fields.get("per_year") == UNLIMITED else fields.get("per_year")
        step = row.shared_record(CapacityStep, fields)
        if step is not None and is_known:
            steps.setdefault(facility, []).append(step)
    return {name: tuple(sorted(rows, key=lambda s: s.start or date.min)) for name, rows in steps.items()}


def _basis(
    reading: CatalogReading,
    row: TableRow,
    stated: Material | None,
    products: frozenset[str] | set[str],
    column: str,
) -> Material | None:
    """Return a material in whose basis a capacity can be given. If there is none, or `products` have different ones, report it."""
    if row.bad or "material" in row.values:
        return stated
    candidates = [m for m in (reading.known.materials.get(name) for name in sorted(products)) if m is not None]
    if len(candidates) == 1:
        return candidates[0]
    substance = row.values[column].substance
    ratios = {reading.ratio(candidate, substance) for candidate in candidates}
    if len(ratios) == 1 and None not in ratios:
        return candidates[0]
    unsure = reading.known.unsure or reading.factors_broken or reading.offers_broken
    if unsure or (products and not candidates):
        return None  # the facility's products are unknown because of errors that are already reported
    cause = "the facility makes materials with different bases" if products else "the facility has no offer"
    row.problem(
        column,
        f"kilograms of {substance} can't be converted, because {cause}",
        expected="a material in the column `material`"
        + (f": one of {', '.join(sorted(products))}" if products else ""),
        fix="name the material in whose basis the capacity is",
        code="FS113",
    )
    return None


def read_aliases(reading: CatalogReading) -> tuple[Alias, ...]:
    for row in reading.table(columns.ALIASES).rows:
        row.values.setdefault("of", "offer")
    aliases = reading.records(columns.ALIASES, Alias)
    reading.known.aliases |= {(alias.of, alias.old): alias for alias in aliases}
    return aliases


def check_aliases(reading: CatalogReading) -> None:
    table = reading.table(columns.ALIASES)
    for row in table.rows:
        alias = reading.known.aliases.get((row.values["of"], row.values.get("old", "")))
        if alias is not None and not row.bad:
            row.report(alias_faults(alias, reading.known))
