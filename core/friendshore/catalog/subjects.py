"""What rows are about that bear on an offer, a facility or a supplier."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..domain.facts import Material
from ..domain.quantities import UnitPrice
from ..reading.csvfile import Table, TableRow
from .known import not_among
from .state import CatalogReading


def read_subject(reading: CatalogReading, table: Table, row: TableRow) -> list[Material]:
    """The materials that a row is about, as far as one can tell; problems are recorded if what it names does not exist."""
    known = reading.known
    names: dict[str, Collection[str]] = {
        "offer": known.offers,
        "facility": known.facilities,
        "supplier": known.suppliers,
    }
    of = row.values.get("of", "offer")
    found = reading.refers(table, row, "id", names[of], of)
    named = row.values.get("materials", ())
    for name in named:
        if name not in known.materials and "material" not in known.unsure:
            table.entry(row).tell([not_among("material", name)], {"": "materials"})
    given = known.offers[row.values["id"]] if found and of == "offer" and not named else named
    return [material for material in map(known.materials.get, given) if material is not None]


def one_output(table: Table, row: TableRow, delivered: Sequence[Material | None], column: str) -> Material | None:
    """The one material that an offer delivers, whose substance a figure may be in; a problem is recorded if there are several."""
    if len(delivered) < 2:
        return delivered[0] if delivered else None
    if isinstance(row.values[column], UnitPrice):
        message, expected = "the offer has several outputs", "money per unit of run, like `9 USD/kg`"
    else:
        message = "the offer has several outputs, so that no one substance is meant"
        expected = "units of run, written as kilograms without a substance"
    table.problem(row, column, message, expected)
    return None


def one_material(table: Table, row: TableRow, materials: Sequence[Material], column: str) -> Material | None:
    """The one material whose substance a figure may be in; a problem is recorded if there are several, or may be."""
    named = row.values.get("materials", ())
    if max(len(materials), len(named)) > 1 or (not named and row.values.get("of") != "offer"):
        table.problem(
            row,
            column,
            "the row is about several materials, so that no one substance is meant",
            expected="a figure without a substance",
            fix="name one material, or leave the substance out",
        )
    return materials[0] if len(materials) == 1 else None
