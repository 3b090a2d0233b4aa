"""Facilities and their dated capacities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from ..domain.base import exact
from ..domain.facts import CapacityStep, Facility, Material
from ..domain.quantities import UNLIMITED
from ..reading.csvfile import Row, Table
from . import columns
from .state import Reading, pick


def name_facilities(reading: Reading) -> None:
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
            if len(site) == 2:
                table.problem(row, "place", f"the facility lies in {country}", fix="name a site, or leave it blank")
            elif first != country:
                table.problem(row, "place", f"`{site}` lies in {first} by another row", fix="give it another name")


def read_facilities(reading: Reading, capacity: Mapping[str, tuple[CapacityStep, ...]]) -> tuple[Facility, ...]:
    """The facilities with their capacities."""
    table = reading.table(columns.FACILITIES)
    facilities = []
    for row in table.unique("id"):
        source = reading.source(table, row)
        if reading.refers(table, row, "within", reading.known.facilities, "facility"):
            _refuse_circle(reading, table, row)
        if row.bad:
            continue
        values = row.values
        kept = {name: value for name, value in values.items() if name != "source"}
        kept["place"] = values.get("place", values["country"])
        facilities.append(Facility(**kept, capacity=capacity.get(values["id"], ()), source=source))
    return tuple(sorted(facilities, key=lambda f: f.id))


def _refuse_circle(reading: Reading, table: Table, row: Row) -> None:
    """A facility must not lie within itself, over however many others."""
    around = circle(row.values.get("id", ""), row.values["within"], reading.known.facilities)
    if around:
        message = "the facility lies within itself: " + " in ".join(around)
        table.problem(row, "within", message, fix="leave one of them blank")


def circle(name: str, inside: str, within: Mapping[str, str]) -> list[str]:
    """The facilities from one round to itself again; nothing if it lies in no circle, or another of the circle tells it.

    Args:
        name: where to begin.
        inside: what that lies within.
        within: the same of every facility.
    """
    seen = [name]
    while inside and inside not in seen:
        seen.append(inside)
        inside = within.get(inside, "")
    return [*seen, inside] if inside and inside == name == min(seen) else []  # once for each circle


def read_capacity(reading: Reading, made: Mapping[str, frozenset[str]]) -> dict[str, tuple[CapacityStep, ...]]:
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
    for row in table.unique("facility", "from"):
        source = reading.source(table, row)
        material = reading.material(table, row)
        known = reading.refers(table, row, "facility", own, "facility", "add it to facilities.csv")
        if row.bad or not known:
            continue
        facility = row.values["facility"]
        per_year = _per_year(reading, table, row, material, made.get(facility) or inside.get(facility, set()))
        if per_year is not None:
            value = None if per_year == UNLIMITED else per_year
            kept = pick(row, start="from", status="status")
            steps.setdefault(facility, []).append(CapacityStep(**kept, per_year=value, source=source))
    return {name: tuple(sorted(rows, key=lambda s: s.start or date.min)) for name, rows in steps.items()}


def _per_year(
    reading: Reading, table: Table, row: Row, material: Material | None, made: frozenset[str] | set[str]
) -> Decimal | str | None:
    """Kilograms a year, or `unlimited`; None with a problem recorded if it cannot be told."""
    rate = row.values["per_year"]
    if rate == UNLIMITED:
        return UNLIMITED
    if rate.substance is None:
        return exact(rate.kg)
    if "material" in row.values:
        return reading.kg(table, row, "per_year", material)
    candidates = [m for m in (reading.known.materials.get(name) for name in sorted(made)) if m is not None]
    if len(candidates) == 1:
        return reading.kg(table, row, "per_year", candidates[0])
    ratios = {reading.ratio(candidate, rate.substance) for candidate in candidates}
    if len(ratios) == 1 and None not in ratios:
        return reading.kg(table, row, "per_year", candidates[0])
    offers = reading.table(columns.OFFERS).file
    if reading.known.unsure or (made and not candidates) or any(problem.file == offers for problem in reading.found):
        return None  # what the facility makes is known once the mistakes already reported are mended
    table.problem(
        row,
        "per_year",
        f"kilograms of {rate.substance} cannot be converted: "
        + ("no offer says what the facility makes" if not made else "the facility makes materials of different bases"),
        expected="a material in the column `material`" + (f": one of {', '.join(sorted(made))}" if made else ""),
        fix="name the material whose basis is meant",
    )
    return None
