"""A case written as one workbook: a sheet a table, what can be edited in colour, and all of it once more in a hidden sheet, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..case.book import BASELINE, CALLED, CASE, FORMAT, HEAD, ROW, case_pieces
from ..catalog.sheets import Sheet, workbook
from ..domain.naming import Names
from ..problem.demands import demand_name
from ..reading.fields import Field
from ..reading.tomlfile import toml_text
from . import edits
from .tables import CaseTable, CaseTables, units_of


def case_workbook(case: CaseTables, file: str) -> bytes:
    """The bytes of the workbook of a case: the same for the same facts.

    Raises:
        InputError: if XlsxWriter is not installed, or a table has more rows than a sheet.
    """
    lists = _lists(case)
    sheets = [_sheet(table, lists) for table in case.tables.values()]
    return workbook(file, [_readme(case), *sheets, _baseline(case, sheets)], lists)


def _sheet(table: CaseTable, lists: Mapping[str, Sequence[str]]) -> Sheet:
    inputs = edits.CELLS.get(table.name, {})
    return Sheet(
        table.name,
        table.columns,
        table.rows,
        table.fields,
        units=units_of(table),
        typed=True,
        inputs={column: told for column, told in inputs.items() if column in table.columns},
        choices={column: of for column in table.columns if (of := _chosen_from(table.fields[column])) in lists},
    )


_NAMED: Mapping[str, str] = {
    "facility": "facility", "offer": "offer", "material": "material", "benchmark": "benchmark", "rule": "rule",
    "within": "facility", "source": "source", "price_source": "source", "catalog": "catalog",
}  # fmt: skip
"""What columns of these names hold ids of, in whatever table."""


def _chosen_from(field: Field) -> str:
    """What a column holds ids of; empty: of nothing that could be listed, or they are what the table defines."""
    if field.name in _NAMED:
        return _NAMED[field.name]
    record = field.record
    info = getattr(record, "model_fields", {}).get(field.attribute)
    marks = [mark.what for mark in info.metadata if isinstance(mark, Names)] if info is not None else []
    return marks[0] if marks and info is not None and info.annotation is str else ""


def _lists(case: CaseTables) -> dict[str, Sequence[str]]:
    """Ids to choose from, by what they name."""
    gathered = case.gathered
    catalogs = gathered.read
    return {
        "material": sorted({one.id for catalog in catalogs for one in catalog.materials}),
        "facility": sorted({one.id for catalog in catalogs for one in catalog.facilities}),
        "offer": sorted({one.id for catalog in catalogs for one in catalog.offers}),
        "benchmark": sorted({one.id for catalog in catalogs for one in catalog.prices}),
        "source": sorted({one.id.rpartition(":")[2] for catalog in catalogs for one in catalog.sources}),
        "demand": sorted({demand_name(one, gathered.case) for one in gathered.case.demands}),
        "rule": sorted(one.id for one in gathered.rules),
        "catalog": sorted(one.name for one in catalogs),
    }


def _readme(case: CaseTables) -> Sheet:
    """What the workbook is, and what can be edited."""
    name = case.gathered.case.name
    lines: list[tuple[str, str, str]] = [
        (f"The case {name}, written by friendshore", "", ""),
        ("Edit the coloured cells, save, and read the edits back as a scenario of the case:", "", ""),
        ("friendshore case from-xlsx FILE CASE --scenario NAME", "", ""),
        (
            "Or plan it as it is, wherever it lies: friendshore plan FILE. Then every cell counts, but for rules and scenarios.",
            "",
            "",
        ),
        (
            "Read as a scenario, every other edit is refused, and told with its cell. A number without a unit is in the unit of its head.",
            "",
            "",
        ),
        ("Sheets of your own begin with `_`, or are called `notes`.", "", ""),
        ("", "", ""),
    ]
    for sheet, cells in edits.CELLS.items():
        if sheet in case.tables:
            lines += [(sheet, column, told) for column, told in cells.items() if column in case.tables[sheet].columns]
    lines += [(sheet, "new row", told) for sheet, (_, told) in edits.ROWS_ADDED.items() if sheet in case.tables]
    lines += [(sheet, "row deleted", told) for sheet, told in edits.ROWS_DELETED.items() if sheet in case.tables]
    return Sheet("readme", ("sheet", "cell", "what an edit comes to"), lines, {})


def _baseline(case: CaseTables, sheets: Sequence[Sheet]) -> Sheet:
    """Every cell as it is written, row by row, with the sheet before it."""
    rows: list[tuple[str, ...]] = [(FORMAT, "case", case.gathered.case.name)]
    rows += [(CASE, piece) for piece in case_pieces(toml_text(case.data))]
    rows += [(CALLED, name, called) for name, called in case.gathered.named.items() if name in case.catalogs]
    for sheet in sheets:
        rows.append((sheet.name, HEAD, *map(sheet.head, sheet.header)))
        rows += [(sheet.name, ROW, *row) for row in sheet.rows]
    width = max(map(len, rows))
    padded = [row + ("",) * (width - len(row)) for row in rows]
    return Sheet(BASELINE, padded[0], padded[1:], {}, hidden=True)
