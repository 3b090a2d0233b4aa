"""Review of a valid catalog: notes on probable gaps and contradictions."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from ..domain.base import grouped
from ..domain.basis import GROSS, Factors, content_of, equal_weights
from ..domain.facts import Catalog, Material
from ..domain.quantities import ambiguous
from ..errors import Diagnostic
from ..reading.workbook import is_workbook, read_workbook
from .known import known_from

_FAR_APART = Decimal("0.01")
_WEIGHED_BY_CONTENT = frozenset(("oxide", "concentrate", "carbonate", "apt"))
"""Forms that trade also weighs by content, even without known factors."""


def review(catalog: Catalog, context: Sequence[Catalog] = ()) -> list[Diagnostic]:
    """Return notes on leads, unused evidence, and contradictory figures. `context` are the catalogs that the catalog requires."""
    known = known_from([*context, catalog])
    materials = {name: m for name, m in known.materials.items() if m is not None}
    return [
        *nothings(catalog),
        *_leads(catalog),
        *_unused_sources(catalog),
        *missing_bases(catalog, known.conversions()),
        *_contents(catalog, known.conversions()),
        *_benchmarks(catalog, known.benchmarks, materials),
    ]


def nothings(catalog: Catalog) -> Iterator[Diagnostic]:
    """Yield a note for each 0 that probably means a missing value. It is used as given."""
    for offer in catalog.offers:
        amounts = [quote.amount for quote in offer.quotes]
        if offer.price is not None and offer.price.amount is not None:
            amounts.append(offer.price.amount)
        if Decimal(0) in amounts:
            yield Diagnostic(
                f"`{offer.id}` costs nothing: its price is 0",
                file=f"{catalog.name}/offers.csv",
                column="price",
                fix="leave the price blank if it is not known: then nothing is bought at it",
            )
        for column in ("max_order", "max_per_year", "total"):
            if getattr(offer, column) == 0:
                fix = "leave the cell blank if there is no such limit"
                yield Diagnostic(
                    f"`{offer.id}` can never be bought: its {column} is 0",
                    f"{catalog.name}/offers.csv",
                    column=column,
                    fix=fix,
                )
    for facility in catalog.facilities:
        if facility.capacity and all(step.per_year == 0 for step in facility.capacity):
            yield Diagnostic(
                f"`{facility.id}` can make nothing: its capacity is 0 on every day",
                file=f"{catalog.name}/capacity.csv",
                column="per_year",
                fix="delete the row if the capacity is not known: its offers are then leads",
            )
    for price in catalog.prices:
        if price.amount == 0:
            message = f"benchmark `{price.id}` of {price.date} is 0: what follows it costs nothing"
            yield Diagnostic(
                message, f"{catalog.name}/prices.csv", column="price", fix="delete the row, or mend its price"
            )


def missing_bases(catalog: Catalog, factors: Factors) -> Iterator[Diagnostic]:
    """Yield the materials that trade weighs in more than one way and that do not state what their kilograms weigh."""
    for material in catalog.materials:
        if material.basis != GROSS or "basis" in material.model_fields_set:
            continue
        weights = equal_weights(material.but(basis=material.element or GROSS), factors)
        if weights or (material.element and material.form in _WEIGHED_BY_CONTENT):
            choices = ", ".join(f"`{name}`" for name in (material.element, *weights, GROSS))
            yield Diagnostic(
                f"`{material.id}` has no basis: is a kilogram of it a kilogram of {material.element}, of a compound, or of the goods?",
                file=f"{catalog.name}/materials.csv",
                column="basis",
                found="a blank cell, read as the goods as they are",
                expected=choices,
                fix="state what its kilograms weigh; `gross` is the goods as they are",
            )


def _leads(catalog: Catalog) -> Iterator[Diagnostic]:
    bounded = {o.facility for o in catalog.offers if o.max_per_year is not None or o.total is not None}
    for facility in catalog.facilities:
        if not facility.capacity:
            but = (
                ", but for those that state `max_per_year` or `total`: these count up to that"
                if facility.id in bounded
                else ""
            )
            yield Diagnostic(
                f"`{facility.id}` has no capacity: its offers are leads, shown but never counted{but}",
                file=f"{catalog.name}/capacity.csv",
                fix="add a row, or let the case assume a figure",
            )
    for offer in catalog.offers:
        if offer.price is None and not offer.quotes:
            yield Diagnostic(
                f"`{offer.id}` has no price and no benchmark: it is a lead, shown but never offered",
                file=f"{catalog.name}/offers.csv",
                column="price",
                fix="give a price, or a benchmark and a premium",
            )
        if not offer.chain:
            yield Diagnostic(
                f"`{offer.id}` has no chain: where it was made is unproven under every rule of origin",
                file=f"{catalog.name}/chain.csv",
                fix="add the stages it performs, with their countries",
            )


def _unused_sources(catalog: Catalog) -> Iterator[Diagnostic]:
    used = {m.source for m in catalog.materials} | {p.source for p in catalog.prices}
    used |= {r.source for r in catalog.rates} | {f.source for f in catalog.factors}
    used |= {bearing.source for bearing in (*catalog.schedules, *catalog.terms)}
    for facility in catalog.facilities:
        used.update((facility.source, *(step.source for step in facility.capacity)))
    for offer in catalog.offers:
        used.update((offer.source, offer.price.source if offer.price else ""))
        used.update(quote.source for quote in offer.quotes)
        used.update(line.source for line in (*offer.outputs, *offer.inputs))
        used.update((*(entry.source for entry in offer.chain), *(lane.source for lane in offer.lanes)))
    for source in catalog.sources:
        if source.id not in used:
            yield Diagnostic(f"source `{source.id}` is not used", file=f"{catalog.name}/sources.csv", fix="delete it")


def _contents(catalog: Catalog, factors: Factors) -> Iterator[Diagnostic]:
    for material in catalog.materials:
        by_factor = content_of(material.but(content=None), factors)
        if material.content is None or by_factor is None:
            continue
        if abs(material.content - by_factor) > _FAR_APART * by_factor:
            yield Diagnostic(
                f"the content of `{material.id}` and the factors disagree by more than 1 %",
                file=f"{catalog.name}/materials.csv",
                column="content",
                found=str(material.content),
                expected=f"about {by_factor}",
            )


def _benchmarks(catalog: Catalog, benchmarks: dict[str, str], materials: dict[str, Material]) -> Iterator[Diagnostic]:
    """Yield notes on benchmarks of another basis, which are converted by content and need both contents."""
    for offer in catalog.offers:
        if offer.price is None or not offer.price.benchmark or len(offer.outputs) != 1:
            continue
        sold = materials.get(offer.outputs[0].material)
        priced = materials.get(benchmarks.get(offer.price.benchmark, ""))
        if sold is None or priced is None or sold.id == priced.id or sold.basis == priced.basis != GROSS:
            continue
        if sold.element != priced.element or sold.content is None or priced.content is None:
            yield Diagnostic(
                f"`{offer.id}` cannot be priced: how much {sold.element or 'of the element'} is in a kilogram of "
                f"`{sold.id}` and of `{priced.id}` is not known",
                file=f"{catalog.name}/offers.csv",
                column="benchmark",
                found=f"`{offer.price.benchmark}`",
                fix="give both materials a content, or name another benchmark",
            )


Cell = tuple[str, int, str, str]
"""File or sheet, row, column, and text."""
_ROWS = 5
"""Maximum number of rows named per file with ambiguous amounts."""


def ambiguous_cells(place: Path) -> list[Diagnostic]:
    """Return a warning for each table with ambiguous amounts: of a catalog's folder or workbook, or of one CSV file."""
    return ambiguous_amounts(_cells(place))


def ambiguous_amounts(cells: Iterable[Cell]) -> list[Diagnostic]:
    """Return a warning for each file or sheet in which an amount is ambiguous."""
    found = grouped((cell[0], cell) for cell in cells if ambiguous(cell[3]) is not None)
    return [_warning(those) for those in found.values()]


def _warning(cells: list[Cell]) -> Diagnostic:
    file, row, column, text = cells[0]
    both = ambiguous(text)
    assert both is not None
    return Diagnostic(
        f"`{text.strip()}` is ambiguous: it is read as {both.read}, but some read {both.other}{_others(cells[1:])}",
        file,
        row,
        column,
        found=text.strip(),
        fix=f"write `{both.read}` or `{both.other}`",
    )


def _others(cells: list[Cell]) -> str:
    """Return the rows of a file's other ambiguous amounts."""
    rows = list(dict.fromkeys(str(row) for _, row, _, _ in cells))
    if not rows:
        return ""
    left = len(rows) - _ROWS
    shown = ", ".join(rows[:_ROWS]) + (f" and {left} more" if left > 0 else "")
    return f"; see also row{'s' if len(rows) > 1 else ''} {shown}"


def _cells(place: Path) -> Iterator[Cell]:
    if is_workbook(place):
        book = read_workbook(place, [])
        for sheet, lines in book.sheets.items():
            yield from _data_cells(book.place(sheet), lines)
    else:
        files = [place] if place.is_file() else sorted(place.glob("*.csv"))
        for file in filter(Path.is_file, files):  # reading a pipe would never end
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = csv.reader(stream)
                yield from _data_cells(str(file), ((rows.line_num, cells) for cells in rows))


def _data_cells(file: str, lines: Iterable[tuple[int, list[str]]]) -> Iterator[Cell]:
    """Yield the cells of a table below its header, each with its column."""
    header: list[str] = []
    for row, cells in lines:
        if not header:
            header = cells
            continue
        for position, text in enumerate(cells):
            yield file, row, header[position] if position < len(header) else "", text
