"""Terms of trade: what ordering costs and asks for, row by row."""

from __future__ import annotations

from decimal import Decimal

from ..domain.base import exact
from ..domain.facts import Material
from ..domain.quantities import Mass
from ..domain.terms import Terms
from ..reading.csvfile import Row, Table
from . import columns
from .state import Reading, pick
from .subjects import one_material, read_subject

_FIGURES = ("fixed", "least", "most", "setup_use")


def read_terms(reading: Reading) -> tuple[Terms, ...]:
    """The terms of trade of the catalog."""
    table = reading.table(columns.TERMS)
    for row in table.rows:
        row.values.setdefault("of", "offer")
    made = []
    for row in table.unique("of", "id", "materials", "places", "per", "from", "until"):
        terms = _terms(reading, table, row)
        if terms is not None:
            made.append(terms)
    return tuple(sorted(made, key=lambda terms: terms.order))


def _terms(reading: Reading, table: Table, row: Row) -> Terms | None:
    """The terms of a row; None if it has a mistake."""
    before = len(reading.found)
    source = reading.source(table, row)
    materials = read_subject(reading, table, row)
    _check_places(reading, table, row)
    masses = {column: _kilograms(reading, table, row, column, materials) for column in _FIGURES[1:]}
    if not any(column in row.values or column in row.bad for column in _FIGURES):
        table.problem(
            row,
            "fixed",
            "the terms say nothing",
            expected=f"one of {', '.join(_FIGURES)}",
            fix="fill one in, or delete the row",
        )
    _check_setup(table, row)
    least, most = masses["least"], masses["most"]
    if least is not None and most is not None and least > most:
        table.problem(row, "least", "is more than `most`", fix="exchange the two, or mend one")
    unread = [column for column, kilograms in masses.items() if kilograms is None and column in row.values]
    if row.bad or unread or len(reading.found) > before:
        return None
    money = row.values.get("fixed")
    return Terms(
        **pick(row, of="of", id="id", per="per", start="from", end="until"),
        materials=frozenset(row.values.get("materials", ())),
        places=frozenset(row.values.get("places", ())),
        fixed=None if money is None else money.amount,
        currency="" if money is None else money.currency,
        **masses,
        source=source,
    )


def _check_places(reading: Reading, table: Table, row: Row) -> None:
    for place in row.values.get("places", ()):
        if len(place) != 2 and place not in reading.known.places and "place" not in reading.known.unsure:
            table.problem(
                row,
                "places",
                f"no such place as `{place}`",
                expected="countries, or sites of facilities",
                fix="name countries, or sites of facilities.csv",
            )


def _check_setup(table: Table, row: Row) -> None:
    """A set-up takes the capacity of one facility in one period."""
    if "setup_use" not in row.values:
        return
    if row.values["of"] == "supplier":
        table.problem(row, "setup_use", "a supplier has no capacity to set up", fix="name an offer or a facility")
    if row.values.get("per", "period") != "period":
        table.problem(
            row,
            "setup_use",
            f"a set-up is for a period, not for a {row.values['per']}",
            expected="per = period",
            fix="write the set-up in a row of its own",
        )


def _kilograms(reading: Reading, table: Table, row: Row, column: str, materials: list[Material]) -> Decimal | None:
    mass: Mass | None = row.values.get(column)
    if mass is None:
        return None
    if mass.substance is None:
        return exact(mass.kg)
    return reading.kg(table, row, column, one_material(table, row, column, materials))
