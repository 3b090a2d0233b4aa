"""Commands: `case to-xlsx`, `case from-xlsx`, and `catalogs convert`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from friendshore.case import load_case
from friendshore.catalog import read_catalogs
from friendshore.catalog.convert import Texts, check_writable, put
from friendshore.catalog.convert import convert as converted
from friendshore.catalog.review import missing_bases
from friendshore.cli.catalogs import read_catalog, read_with_required, required_catalog
from friendshore.cli.options import AsJson, Blocked, CasePath, installed
from friendshore.cli.output import bare, wrote
from friendshore.domain.basis import Factors
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.plugins import CatalogRef, Registry
from friendshore.readers import CatalogRows
from friendshore.reading.workbook import is_workbook
from friendshore.writing import replace_file

from .bid_sheets import BidSheet, is_bid_sheet, overlaps


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FROM", help="An installed catalog, a folder, a workbook, or (with --map) a spreadsheet."
        ),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="TO", help="Workbook (x.xlsx) or folder to write. It must not exist yet.")
    ],
    by: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="File that maps the columns of your spreadsheet.")
    ] = None,
    case: Annotated[
        Path | None, typer.Option("--case", metavar="CASE", help="Case for which a bid sheet was written.")
    ] = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a catalog in another form, and verify the copy by reading it again.

    A workbook has one sheet per table with the same columns, and a sheet `catalog` with the keys of catalog.toml.

    With --map, FROM is a spreadsheet (.csv or .xlsx) with any columns, and the map assigns them to the columns of a catalog.

    A bid sheet of `ask --bid-sheets` that a supplier filled in becomes a catalog of evidence `quoted`. --case names its case.
    """
    registry = installed(block)
    if by is None and is_bid_sheet(Path(source)):
        return _convert_bid_sheet(Path(source), target, case, registry, as_json=as_json)
    if by is not None:
        return _convert_by_map(Path(source), target, by, registry, as_json=as_json)
    read, ref = read_with_required(source, registry)
    catalog, place = read[ref.name], ref.place
    unstated = list(missing_bases(catalog, _factors(read.values())))
    files = converted(
        place,
        target,
        lambda path: catalog if path == place else read_catalog(str(path), registry, target)[0],
        ref.columns,
    )
    wrote(as_json, files, digest=catalog.digest, doubts=[asdict(doubt) for doubt in unstated])
    if not as_json:
        for doubt in unstated:
            bare(str(doubt))
        bare(f"same facts as {source} (digest {catalog.digest})")
    return 0


def _convert_bid_sheet(source: Path, target: Path, case: Path | None, registry: Registry, *, as_json: bool) -> int:
    from friendshore.recommend import gather

    if case is None:
        fix = f"friendshore catalogs convert {source} {target} --case CASE"
        raise InputError("a bid sheet needs the case for which it was written", str(source), fix=fix, code="FS910")
    gathered = gather(load_case(case), registry)
    sheet = BidSheet(source, gathered.case.name, gathered.catalogs)
    rows = sheet.rows(target.stem)

    def find(name: str) -> CatalogRef:
        return gathered.find(gathered.named.get(name, name))

    bid = CatalogRef(name=target.stem, folder=source, rows=rows, columns=registry.fact_columns)

    def read(place: Path | CatalogRows) -> Catalog:
        ref = bid if place is rows else find(str(Path(str(place)).resolve()))
        return next(catalog for catalog in read_catalogs([ref], find) if catalog.name == target.stem)

    digest = read(rows).digest
    written = converted(rows, target, read, registry.fact_columns)
    entry = overlaps(target.stem, rows, gathered.catalogs)
    wrote(as_json, written, digest=digest, overlaps=entry)
    if not as_json:
        bare(
            f"To use the bid in place of the earlier facts, add the catalog to [use] catalogs of the case, and add:\n\n{entry}"
        )
    return 0


def _convert_by_map(source: Path, target: Path, by: Path, registry: Registry, *, as_json: bool) -> int:
    from .column_map import required_by
    from .spreadsheets import convert_spreadsheet

    facts = registry.fact_columns
    find = partial(required_catalog, dependent=target, registry=registry)
    required = read_catalogs([find(name) for name in required_by(by, facts)], find)
    conversion = convert_spreadsheet(source, by, required, facts)
    texts = Texts(conversion.head, conversion.tables, facts)
    written = put(texts, conversion.catalog.digest, target, lambda path: read_catalog(str(path), registry, target)[0])
    left_out = [{"row": row.row, "why": row.why} for row in conversion.left_out]
    warnings = [*conversion.doubts, *missing_bases(conversion.catalog, _factors([*required, conversion.catalog]))]
    doubts = [asdict(warning) for warning in warnings]
    wrote(as_json, written, digest=conversion.catalog.digest, rows=conversion.rows, left_out=left_out, doubts=doubts)
    if as_json:
        return 0
    for warning in warnings:
        bare(str(warning))
    bare(f"read {conversion.rows} rows of {source.name}, left out {len(left_out)}")
    for why in dict.fromkeys(row.why for row in conversion.left_out):
        rows = [str(row.row) for row in conversion.left_out if row.why == why]
        bare(f"  left out: {why} (row{'s' if len(rows) > 1 else ''} {', '.join(rows)})")
    return 0


def _factors(catalogs: Iterable[Catalog]) -> Factors:
    return Factors(factor for catalog in catalogs for factor in catalog.factors)


def to_xlsx(
    case: CasePath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Workbook to write. It must not exist yet.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a whole case as one workbook: demand, orders, rules, scenarios, settings, and the tables of its catalogs.

    Editable cells are colored. `friendshore case from-xlsx` reads the edits back as a scenario. The same case gives the same bytes.
    """
    from friendshore.recommend import gather

    from .case_tables import case_tables, case_workbook

    check_writable(out)
    if not is_workbook(out):
        fix = f"write `--out {out.with_suffix('.xlsx')}`"
        raise InputError(
            "isn't the name of a workbook", str(out), expected="a name that ends in .xlsx", fix=fix, code="FS918"
        )
    tables = case_tables(gather(load_case(case), installed(block)))
    replace_file(out, case_workbook(tables, out.name))
    wrote(as_json, [out], sheets=list(tables.tables))
    return 0


def from_xlsx(
    workbook: Annotated[Path, typer.Argument(metavar="FILE", help="An edited workbook of `case to-xlsx`.")],
    case: CasePath,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="Name of the new scenario.")],
    write: Annotated[bool, typer.Option("--write", help="Add the scenario to the case file.")] = False,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Read the edits in the workbook of a case, and print them as a scenario of the current case. --write adds it to the case file.

    Cells that you didn't edit have the current values of the case. A cell that you edited and that has also changed in the case is a conflict.
    Edits that no change of a scenario can express are rejected. All errors are reported by cell, and with an error nothing is written.
    """
    from friendshore.recommend import gather

    from .scenario import add_scenario, edits_of

    gathered = gather(load_case(case), installed(block))
    edits = edits_of(workbook, gathered, scenario)
    case_file = gathered.case.file
    written = [case_file] if write and edits.toml and case_file is not None else []
    for path in written:
        add_scenario(path, edits)
    if as_json:
        changes = [change.text for change in edits.scenario.change]
        wrote(as_json, written, scenario=scenario, changes=changes, toml=edits.toml)
    else:
        bare(edits.toml.rstrip() or "no changes")
        wrote(as_json, written)
    return 0
