"""Facilities and their dated capacities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial

from ..domain.facts import CapacityStep, Facility, Material
from ..domain.quantities import UNLIMITED
from ..reading.csvfile import Table, TableRow
from . import columns
from .known import elsewhere, within_itself
from .state import Alike, CatalogReading


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
        }
        facility = table.made(row, Facility, given)
        if facility is not None:
            facilities.append(facility)
    return tuple(sorted(facilities, key=lambda f: f.id))


def read_capacity(reading: CatalogReading, made: Mapping[str, frozenset[str]]) -> dict[str, tuple[CapacityStep, ...]]:
    """Capacity steps by facility, in order of date.

    Args:
        reading: the catalog.
        made: what the offers of each facility deliver.
    """
    table = reading.table(columns.CAPACITY)
    own = {row.values["id"] for row in reading.table(columns.FACILITIES).rows if "id" in row.values}
    steps: dict[str, list[CapacityStep]] = {}
    inside: dict[str, set[str]] = {}
    for facility, around in reading.known.facilities.items():
        inside.setdefault(around, set()).update(made.get(facility, ()))
    alike = Alike(table)
    for row in table.unique("facility", "from", last=True):
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
