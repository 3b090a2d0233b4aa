"""Dependence of a plan on countries of concern: the line of the headline, and the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import large_money, percent
from ..domain.countries import COVERED_NATIONS, country_names
from ..domain.dependence import RunDependence
from ..domain.run import Run
from ..questions.cells import weighed

MATERIALS = 12
"""Materials that the table shows, those with most money of concern first."""
_FIRST = "defense"
"""End use that comes first."""


def dependence_line(run: Run) -> doc.Sentence | None:
    """Return the share of purchases of concern in one line. None if nothing is bought, or the case names no country of concern."""
    whole = _whole(run)
    if whole is None:
        return None
    amounts = ((whole.is_cost, "surely"), (whole.may_be_cost, "possibly"))
    parts = ", ".join(f"{large_money(cost, run.currency)} {how}" for cost, how in amounts if cost)
    if not parts:
        return doc.sentence("no purchase depends on countries of concern")
    uses = [f"{row.name} {percent(row.share)}" for row in _rows(run, "end use")]
    told = f"{percent(whole.share)} of purchases depend on countries of concern: {parts}"
    return doc.sentence("; ".join([told, *([", ".join(uses)] if len(uses) > 1 else [])]))


def dependence_figure(run: Run) -> doc.KeyFigure | None:
    """Return the same as a key figure."""
    whole = _whole(run)
    if whole is None:
        return None
    money = large_money(whole.is_cost + whole.may_be_cost, run.currency)
    tone = doc.Tone.DOUBTFUL if whole.share else doc.Tone.GOOD
    return doc.KeyFigure("From countries of concern", doc.Share(whole.share), f"{money} of purchases", tone)


def dependence_section(run: Run) -> doc.Section | None:
    """Return the table: the plan, each end use, and each material, with what counts."""
    whole = _whole(run)
    if whole is None:
        return None
    by_inputs = any(row.by_inputs_cost for row in run.dependence)
    materials = sorted(_rows(run, "material"), key=lambda row: (-row.is_cost - row.may_be_cost, row.name))
    rest = [f"{len(materials) - MATERIALS} more materials are in the run"] if len(materials) > MATERIALS else []
    kilograms = [
        [row.name, *(_mass(run, row.name, kg) for kg in (row.quantity_kg, row.is_kg, row.may_be_kg))]
        for row in materials[:MATERIALS]
    ]
    columns = [doc.Column("Material"), doc.figures("Bought"), doc.figures("Is of concern"), doc.figures("May be")]
    return doc.section(
        "Dependence on countries of concern",
        _money(run, whole, materials[:MATERIALS], by_inputs=by_inputs),
        doc.apart(doc.table(columns, kilograms)),
        doc.notes([*_notes(run), *rest]),
    )


def _money(run: Run, whole: RunDependence, materials: Sequence[RunDependence], *, by_inputs: bool) -> doc.DataTable:
    rows = [doc.DataRow(_cells("all", whole, by_inputs=by_inputs), strong=True)]
    rows += [doc.DataRow(_cells(f"{row.name} use", row, by_inputs=by_inputs)) for row in _rows(run, "end use")]
    stock = [row for row in _rows(run, "stock") if row.cost]
    rows += [doc.DataRow(_cells("in stock at the end", row, by_inputs=by_inputs)) for row in stock]
    rows += [doc.DataRow(_cells(row.name, row, by_inputs=by_inputs)) for row in materials]
    columns = [doc.Column("Purchases"), doc.figures("Paid", run.currency), doc.figures("Share of concern")]
    columns += [doc.figures("Is", run.currency), doc.figures("May be", run.currency)]
    columns += [doc.figures("By inputs alone", run.currency)] if by_inputs else []
    return doc.table(columns, rows)


def _notes(run: Run) -> Iterator[str]:
    names = country_names()
    countries = ", ".join(names.get(code, code) for code in run.countries_of_concern)
    default = (
        "the covered nations of 10 USC 4872(f)(2)"
        if set(run.countries_of_concern) == COVERED_NATIONS
        else "as the case says"
    )
    yield f"{countries}: {default}"
    yield "a purchase is of concern if its seller, a step of its chain, or an input is in one of them, and may be if that is not ruled out"
    yield "money is cash, not discounted, and each purchase counts once; by end use it follows the kilograms"


def _cells(name: str, row: RunDependence, *, by_inputs: bool) -> tuple[doc.Cell, ...]:
    parts = (row.is_cost, row.may_be_cost, *([row.by_inputs_cost] if by_inputs else []))
    amounts = (doc.Amount(part) if part else doc.NOTHING for part in parts)
    return name, doc.Amount(row.cost), doc.Share(row.share), *amounts


def _mass(run: Run, material: str, kilograms: Decimal | None) -> doc.Cell:
    return weighed(run.names, material, kilograms) if kilograms else doc.NOTHING


def _whole(run: Run) -> RunDependence | None:
    """Return the row of the plan. None if nothing is paid."""
    return next((row for row in run.dependence if row.scope == "plan" and row.cost), None)


def _rows(run: Run, scope: str) -> list[RunDependence]:
    found = [row for row in run.dependence if row.scope == scope]
    return sorted(found, key=lambda row: (row.name != _FIRST, row.name))
