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

_TOLERANCE = Decimal("0.01")
_FORMS_BY_CONTENT = frozenset(("oxide", "concentrate", "carbonate", "apt"))
"""Forms that are also traded by content, even if no factor is known."""


def review(catalog: Catalog, context: Sequence[Catalog] = ()) -> list[Diagnostic]:
    """Return notes on leads, unused evidence, and contradictory figures. `context` are the catalogs that the catalog requires."""
    known = known_from([*context, catalog])
    materials = {name: m for name, m in known.materials.items() if m is not None}
    return [
        *suspicious_zeros(catalog),
        *_leads(catalog),
        *_unused_sources(catalog),
        *missing_bases(catalog, known.conversions()),
        *_contents(catalog, known.conversions()),
        *_benchmarks(catalog, known.benchmarks, materials),
    ]


def suspicious_zeros(catalog: Catalog) -> Iterator[Diagnostic]:
    """Yield a note for each 0 that probably means a missing value. Such a 0 is used as it is."""
    for offer in catalog.offers:
        amounts = [quote.amount for quote in offer.quotes]
        if offer.price is not None and offer.price.amount is not None:
            amounts.append(offer.price.amount)
        if Decimal(0) in amounts:
            yield Diagnostic(
                f"the price of `{offer.id}` is 0, so that it is free",
                file=f"{catalog.name}/offers.csv",
                column="price",
                fix="leave the price blank if it is unknown, so that the offer isn't bought",
                code="FS130",
            )
        for column in ("max_order", "max_per_year", "total"):
            if getattr(offer, column) == 0:
                yield Diagnostic(
                    f"`{column}` of `{offer.id}` is 0, so that it can never be bought",
                    f"{catalog.name}/offers.csv",
                    column=column,
                    fix="leave the cell blank if there is no such limit",
                    code="FS130",
                )
    for facility in catalog.facilities:
        if facility.capacity and all(step.per_year == 0 for step in facility.capacity):
            yield Diagnostic(
                f"the capacity of `{facility.id}` is 0 on every day, so that its offers can't be bought",
                file=f"{catalog.name}/capacity.csv",
                column="per_year",
                fix="delete the row if the capacity is unknown; its offers are then leads",
                code="FS130",
            )
    for price in catalog.prices:
        if price.amount == 0:
            message = f"benchmark `{price.id}` is 0 on {price.date}, so that offers priced by it are free"
            fix = "correct the price, or delete the row"
            yield Diagnostic(message, f"{catalog.name}/prices.csv", column="price", fix=fix, code="FS130")


def missing_bases(catalog: Catalog, factors: Factors) -> Iterator[Diagnostic]:
    """Yield a note for each material without a basis that is traded in more than one basis."""
    for material in catalog.materials:
        if material.basis != GROSS or "basis" in material.model_fields_set:
            continue
        weights = equal_weights(material.but(basis=material.element or GROSS), factors)
        if weights or (material.element and material.form in _FORMS_BY_CONTENT):
            choices = ", ".join(f"`{name}`" for name in (material.element, *weights, GROSS))
            yield Diagnostic(
                f"`{material.id}` has no basis, so its kilograms may be of {material.element}, of a compound, or gross",
                file=f"{catalog.name}/materials.csv",
                column="basis",
                found="a blank cell, read as `gross`",
                expected=choices,
                fix="state the basis; `gross` is the weight of the goods",
                code="FS131",
            )


def _leads(catalog: Catalog) -> Iterator[Diagnostic]:
    bounded = {o.facility for o in catalog.offers if o.max_per_year is not None or o.total is not None}
    unbounded = {o.facility for o in catalog.offers if o.max_per_year is None and o.total is None}
    for facility in catalog.facilities:
        # A site without offers, such as one for deliveries, needs no capacity.
        if not facility.capacity and facility.id in unbounded:
            exception = " unless they state `max_per_year` or `total`" if facility.id in bounded else ""
            yield Diagnostic(
                f"`{facility.id}` has no capacity, so its offers are leads, which plans never buy{exception}",
                file=f"{catalog.name}/capacity.csv",
                fix="add a row, or assume a capacity in the case",
                code="FS132",
            )
    for offer in catalog.offers:
        if offer.price is None and not offer.quotes:
            yield Diagnostic(
                f"`{offer.id}` has no price and no benchmark, so it is a lead, which plans never buy",
                file=f"{catalog.name}/offers.csv",
                column="price",
                fix="add a price, or a benchmark and a premium",
                code="FS132",
            )
        if not offer.chain:
            yield Diagnostic(
                f"`{offer.id}` has no chain, so its origin is unproven under every rule of origin",
                file=f"{catalog.name}/chain.csv",
                fix="add the stages that it performs, with their countries",
                code="FS133",
            )


def _unused_sources(catalog: Catalog) -> Iterator[Diagnostic]:
    used = {m.source for m in catalog.materials} | {p.source for p in catalog.prices}
    used |= {r.source for r in catalog.rates} | {f.source for f in catalog.factors}
    used |= {record.source for record in (*catalog.schedules, *catalog.terms)}
    for facility in catalog.facilities:
        used.update(
            (
                facility.source,
                *(step.source for step in facility.capacity),
                *(owner.source for owner in facility.owners),
            )
        )
    for offer in catalog.offers:
        used.update((offer.source, offer.price.source if offer.price else ""))
        used.update(quote.source for quote in offer.quotes)
        used.update(line.source for line in (*offer.outputs, *offer.inputs))
        used.update((*(entry.source for entry in offer.chain), *(lane.source for lane in offer.lanes)))
    for source in catalog.sources:
        if source.id not in used:
            message, file = f"source `{source.id}` is not used", f"{catalog.name}/sources.csv"
            yield Diagnostic(message, file, fix="delete it", code="FS134")


def _contents(catalog: Catalog, factors: Factors) -> Iterator[Diagnostic]:
    for material in catalog.materials:
        by_factor = content_of(material.but(content=None), factors)
        if material.content is None or by_factor is None:
            continue
        if abs(material.content - by_factor) > _TOLERANCE * by_factor:
            yield Diagnostic(
                f"the content of `{material.id}` differs by more than 1% from the factors",
                file=f"{catalog.name}/materials.csv",
                column="content",
                found=str(material.content),
                expected=f"about {by_factor}",
                fix="correct the content or the factor",
                code="FS135",
            )


def _benchmarks(catalog: Catalog, benchmarks: dict[str, str], materials: dict[str, Material]) -> Iterator[Diagnostic]:
    for offer in catalog.offers:
        if offer.price is None or not offer.price.benchmark or len(offer.outputs) != 1:
            continue
        sold = materials.get(offer.outputs[0].material)
        priced = materials.get(benchmarks.get(offer.price.benchmark, ""))
        if sold is None or priced is None or sold.id == priced.id or sold.basis == priced.basis != GROSS:
            continue
        if sold.element != priced.element or sold.content is None or priced.content is None:
            yield Diagnostic(
                f"`{offer.id}` can't be priced, because the content of {sold.element or 'the element'} in `{sold.id}` or "
                f"`{priced.id}` is unknown",
                file=f"{catalog.name}/offers.csv",
                column="benchmark",
                found=f"`{offer.price.benchmark}`",
                fix="give both materials a content, or name another benchmark",
                code="FS136",
            )


Cell = tuple[str, int, str, str]
"""File or sheet, row, column, and text."""
_MAX_ROWS = 5


def ambiguous_cells(place: Path) -> list[Diagnostic]:
    """Return a warning for each table with ambiguous amounts in a catalog's folder or workbook, or in a CSV file."""
    return ambiguous_amounts(_cells(place))


def ambiguous_amounts(cells: Iterable[Cell]) -> list[Diagnostic]:
    cells_by_file = grouped((cell[0], cell) for cell in cells if ambiguous(cell[3]) is not None)
    return [_warning(cells_of_file) for cells_of_file in cells_by_file.values()]


def _warning(cells: list[Cell]) -> Diagnostic:
    file, row, column, text = cells[0]
    readings = ambiguous(text)
    assert readings is not None
    return Diagnostic(
        f"`{text.strip()}` is ambiguous: it means {readings.read} here, but could mean {readings.other}{_other_rows(cells[1:])}",
        file,
        row,
        column,
        found=text.strip(),
        fix=f"write `{readings.read}` or `{readings.other}`",
        code="FS137",
    )


def _other_rows(cells: list[Cell]) -> str:
    rows = list(dict.fromkeys(str(row) for _, row, _, _ in cells))
    if not rows:
        return ""
    more = len(rows) - _MAX_ROWS
    listed = ", ".join(rows[:_MAX_ROWS]) + (f" and {more} more" if more > 0 else "")
    return f" (also row{'s' if len(rows) > 1 else ''} {listed})"


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
    header: list[str] = []
    for row, cells in lines:
        if not header:
            header = cells
            continue
        for position, text in enumerate(cells):
            yield file, row, header[position] if position < len(header) else "", text
