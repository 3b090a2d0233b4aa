"""Sources, materials, factors, benchmark prices and exchange rates: the tables that stand on their own."""

from __future__ import annotations

import re

from ..domain.basis import content_of
from ..domain.evidence import Source
from ..domain.facts import Material
from ..domain.market import BenchmarkPrice, Factor, Rate
from ..reading.csvfile import Table, TableRow
from . import columns
from .known import other_benchmark
from .state import CatalogReading

_FORMULA = re.compile(r"[A-Z(]")


def is_formula(compound: str) -> bool:
    """Whether a word can be a formula; else it is the id of a material."""
    return _FORMULA.match(compound) is not None


def read_sources(reading: CatalogReading) -> tuple[Source, ...]:
    """The evidence, with the catalog's name before each id."""
    table = reading.table(columns.SOURCES)
    sources = []
    for row in table.unique("id"):
        if "id" in row.values:
            reading.known.sources.add(f"{reading.name}:{row.values['id']}")
        if row.bad:
            continue
        values = reading.given(table, row, Source)
        values |= {"id": f"{reading.name}:{values['id']}", "states": tuple(sorted(set(values.get("states", ()))))}
        source = table.made(row, Source, values)
        sources += [source] if source else []
    return tuple(sorted(sources, key=lambda s: s.id))


def read_factors(reading: CatalogReading) -> tuple[Factor, ...]:
    """The conversion factors; they also become known for conversions."""
    table = reading.table(columns.FACTORS)
    factors = []
    for row in table.unique("element", "compound"):
        values = reading.given(table, row, Factor)
        if row.bad:
            continue
        compound: str = values["compound"]
        if not is_formula(compound):
            reading.refers(table, row, "compound", reading.known.materials, "material", "write a formula such as WO3")
        factor = table.made(row, Factor, values)
        if factor is None:
            continue
        key = (factor.element, factor.compound)
        other = reading.known.factors.get(key)
        if other is not None and other.kg_per_kg != factor.kg_per_kg:
            table.problem(
                row,
                "kg_per_kg",
                f"the catalog of `{other.source}` says {other.kg_per_kg}",
                fix="delete this row or mend one",
            )
        reading.known.factors[key] = factor
        factors.append(factor)
    return tuple(sorted(factors, key=lambda f: (f.element, f.compound)))


def name_materials(reading: CatalogReading) -> None:
    """Makes the ids of this catalog's materials known, before anything refers to them."""
    for row in reading.table(columns.MATERIALS).rows:
        if "id" in row.values:
            reading.known.materials[row.values["id"]] = None


def read_materials(reading: CatalogReading) -> tuple[Material, ...]:
    """The materials; a content that is not given is worked out from the factors where they allow it."""
    table = reading.table(columns.MATERIALS)
    materials = []
    for row in table.unique("id"):
        material = table.made(row, Material, reading.given(table, row, Material))
        if material is None:
            continue
        material = material.model_copy(update={"content": content_of(material, reading.factors)})
        reading.known.materials[material.id] = material
        materials.append(material)
    return tuple(sorted(materials, key=lambda m: m.id))


def read_prices(reading: CatalogReading) -> tuple[BenchmarkPrice, ...]:
    """The benchmark prices, per kilogram of the material's basis."""
    table = reading.table(columns.PRICES)
    prices = []
    for row in table.unique("id", "date"):
        material = reading.material(table, row)
        if "id" in row.values and row.values.get("material") in reading.known.materials:
            _same_material(reading, table, row)
        elif "id" in row.values:
            reading.known.benchmarks.setdefault(row.values["id"], "")
        given = reading.given(table, row, BenchmarkPrice, material)
        quoted = table.made(row, BenchmarkPrice, given)
        prices += [quoted] if quoted and material else []
    return tuple(sorted(prices, key=lambda p: (p.id, p.date)))


def _same_material(reading: CatalogReading, table: Table, row: TableRow) -> None:
    """A benchmark is one series of one material."""
    name, material = row.values["id"], row.values["material"]
    first = reading.known.benchmarks.get(name) or material
    reading.known.benchmarks[name] = first
    if first != material:
        table.entry(row).tell([other_benchmark(name, first)])


def read_rates(reading: CatalogReading) -> tuple[Rate, ...]:
    """The exchange rates."""
    table = reading.table(columns.RATES)
    rates = []
    for row in table.unique("currency", "to", "from"):
        reading.known.rates.add(frozenset((row.values.get("currency", ""), row.values.get("to", ""))))
        rate = table.made(row, Rate, reading.given(table, row, Rate))
        if rate is not None:
            rates.append(rate)
    return tuple(sorted(rates, key=lambda r: (r.currency, r.to, r.start)))
