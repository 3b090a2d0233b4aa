"""Sources, materials, factors, benchmark prices and exchange rates, the tables that stand on their own; facilities and their dated capacities; ids that are no longer used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import partial

from ..domain.evidence import Source
from ..domain.facts import CapacityStep, Facility, Material
from ..domain.market import BenchmarkPrice, Factor, Rate, content_of
from ..domain.naming import Alias
from ..domain.quantities import UNLIMITED
from ..reading.csvfile import Table, TableRow
from ..reading.fields import facts_of
from . import columns
from .known import alias_faults, elsewhere, other_benchmark, within_itself
from .state import Alike, CatalogReading

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
        material = material.but(content=content_of(material, reading.factors))
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


def name_facilities(reading: CatalogReading) -> None:
    """Makes this catalog's facilities and their sites known, before anything refers to them."""
    table = reading.table(columns.FACILITIES)
    for row in table.rows:
        if "id" in row.values:
            reading.known.facilities[row.values["id"]] = row.values.get("within", "")
            seller = row.values.get("operator") or row.values.get("name") or row.values["id"]
            reading.known.suppliers.add(seller)
        site, country = row.values.get("place"), row.values.get("country")
        if site and country and site != country:
            first = reading.known.places.setdefault(site, country)
            if first != country and len(site) != 2:
                table.entry(row).tell([elsewhere(site, first)])


def read_facilities(reading: CatalogReading, capacity: Mapping[str, tuple[CapacityStep, ...]]) -> tuple[Facility, ...]:
    """The facilities with their capacities."""
    table = reading.table(columns.FACILITIES)
    facilities = []
    for row in table.unique("id", last=True):
        if reading.refers(table, row, "within", reading.known.facilities, "facility"):
            inside = row.values["within"]
            around = within_itself(row.values.get("id", ""), inside, reading.known.facilities)
            table.entry(row).tell([around] if around else [])
        given = reading.given(table, row, Facility)
        given |= {
            "place": given.get("place", given.get("country", "")),
            "capacity": capacity.get(given.get("id", ""), ()),
            "facts": facts_of(table, row),
        }
        facility = table.made(row, Facility, given)
        if facility is not None:
            facilities.append(facility)
    return tuple(sorted(facilities, key=lambda f: f.id))


def read_capacity(reading: CatalogReading, made: Mapping[str, frozenset[str]]) -> dict[str, tuple[CapacityStep, ...]]:
    """Capacity steps by facility, in order of date; `made` is what the offers of each facility deliver."""
    table = reading.table(columns.CAPACITY)
    own = {row.values["id"] for row in reading.table(columns.FACILITIES).rows if "id" in row.values}
    steps: dict[str, list[CapacityStep]] = {}
    inside: dict[str, set[str]] = {}
    for facility, around in reading.known.facilities.items():
        inside.setdefault(around, set()).update(made.get(facility, ()))
    alike = Alike(table)
    fix = "delete one of the two; if each is of another product, give each a facility of its own, or state `max_per_year` of its offer"
    for row in table.unique("facility", "from", last=True, fix=fix):
        material = reading.material(table, row)
        known = reading.refers(table, row, "facility", own, "facility", "add it to facilities.csv")
        facility = row.values.get("facility", "")
        makes = made.get(facility) or inside.get(facility, set())
        basis = partial(_basis, reading, table, row, material, makes) if known else None
        given = reading.given(table, row, CapacityStep, basis)
        given["per_year"] = None if given.get("per_year") == UNLIMITED else given.get("per_year")
        step = alike.made(row, CapacityStep, given)
        if step is not None and known:
            steps.setdefault(facility, []).append(step)
    return {name: tuple(sorted(rows, key=lambda s: s.start or date.min)) for name, rows in steps.items()}


def _basis(
    reading: CatalogReading,
    table: Table,
    row: TableRow,
    named: Material | None,
    made: frozenset[str] | set[str],
    column: str,
) -> Material | None:
    """A material in whose basis a capacity can be told; None with a problem recorded if there is none, or they differ."""
    if row.bad or "material" in row.values:
        return named
    candidates = [m for m in (reading.known.materials.get(name) for name in sorted(made)) if m is not None]
    if len(candidates) == 1:
        return candidates[0]
    substance = row.values[column].substance
    ratios = {reading.ratio(candidate, substance) for candidate in candidates}
    if len(ratios) == 1 and None not in ratios:
        return candidates[0]
    offers = reading.table(columns.OFFERS).file
    unsure = reading.known.unsure or reading.factors_broken
    if unsure or (made and not candidates) or any(problem.file == offers for problem in reading.found):
        return None  # what the facility makes is known once the mistakes already reported are mended
    table.problem(
        row,
        column,
        f"kilograms of {substance} cannot be converted: "
        + ("no offer says what the facility makes" if not made else "the facility makes materials of different bases"),
        expected="a material in the column `material`" + (f": one of {', '.join(sorted(made))}" if made else ""),
        fix="name the material whose basis is meant",
    )
    return None


def read_aliases(reading: CatalogReading) -> tuple[Alias, ...]:
    """The aliases of a catalog; what they lead to is looked at by `check_aliases`, once all its ids are known."""
    table = reading.table(columns.ALIASES)
    made = []
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique("of", "old"):
        alias = table.made(row, Alias, reading.given(table, row, Alias))
        if alias is not None:
            reading.known.aliases[alias.of, alias.old] = alias
            made.append(alias)
    return tuple(sorted(made, key=lambda a: (a.of, a.old)))


def check_aliases(reading: CatalogReading) -> None:
    """Records aliases that lead nowhere, back to themselves, or away from what is still there."""
    table = reading.table(columns.ALIASES)
    for row in table.rows:
        alias = reading.known.aliases.get((row.values["of"], row.values.get("old", "")))
        if alias is not None and not row.bad:
            table.entry(row).tell(alias_faults(alias, reading.known))
