"""Commands: `case to-xlsx`, `case from-xlsx`, and `catalogs convert`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from friendshore.case import load_case
from friendshore.catalog import read_catalogs
from friendshore.catalog.convert import Texts, may_be_written, put
from friendshore.catalog.convert import convert as converted
from friendshore.catalog.review import missing_bases
from friendshore.cli.catalogs import read_along, read_one
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
        typer.Argument(metavar="FROM", help="An installed catalog, a folder, or a workbook; with --map a spreadsheet."),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="TO", help="What to write: x.xlsx, or a folder. Overwrites nothing.")
    ],
    by: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="What the columns of a spreadsheet of yours are.")
    ] = None,
    case: Annotated[
        Path | None, typer.Option("--case", metavar="CASE", help="The case that a bid sheet was written for.")
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
        return _bid(Path(source), target, case, registry, as_json=as_json)
    if by is not None:
        return _by_map(Path(source), target, by, registry, as_json=as_json)
    read, ref = read_along(source, registry)
    catalog, place = read[ref.name], ref.place
    unstated = list(missing_bases(catalog, _factors(read.values())))
    written = converted(
        place, target, lambda path: catalog if path == place else read_one(str(path), registry)[0], ref.columns
    )
    wrote(as_json, written, digest=catalog.digest, doubts=[asdict(one) for one in unstated])
    if not as_json:
        for one in unstated:
            bare(str(one))
        bare(f"the same facts as {source}: {catalog.digest}")
    return 0


def _bid(source: Path, target: Path, case: Path | None, registry: Registry, *, as_json: bool) -> int:
    """Write a supplier's bid as a catalog, and print the entry that makes it count in the case."""
    from friendshore.recommend import gather

    if case is None:
        fix = f"friendshore catalogs convert {source} {target} --case CASE"
        raise InputError("is a bid sheet, which is read beside the case that it was written for", str(source), fix=fix)
    gathered = gather(load_case(case), registry)
    sheet = BidSheet(source, gathered.case.name, gathered.catalogs)
    rows = sheet.rows(target.stem)

    def find(name: str) -> CatalogRef:
        return gathered.find(gathered.named.get(name, name))

    bid = CatalogRef(name=target.stem, folder=source, rows=rows, columns=registry.fact_columns)

    def read(place: Path | CatalogRows) -> Catalog:
        ref = bid if place is rows else find(str(Path(str(place)).resolve()))
        return next(one for one in read_catalogs([ref], find) if one.name == target.stem)

    digest = read(rows).digest
    written = converted(rows, target, read, registry.fact_columns)
    said = overlaps(target.stem, rows, gathered.catalogs)
    wrote(as_json, written, digest=digest, overlaps=said)
    if not as_json:
        bare(
            f"to count in place of what was known, the case names the catalog under [use] catalogs, and says:\n\n{said}"
        )
    return 0


def _by_map(source: Path, target: Path, by: Path, registry: Registry, *, as_json: bool) -> int:
    from .column_map import required_by
    from .spreadsheets import mapped

    facts = registry.fact_columns
    refs = [registry.catalog_folder(name) for name in required_by(by, facts)]
    required = read_catalogs(refs, registry.catalog_folder)
    made = mapped(source, by, required, facts)
    texts = Texts(made.head, made.tables, facts)
    written = put(texts, made.catalog.digest, target, lambda path: read_one(str(path), registry)[0])
    left = [{"row": one.row, "why": one.why} for one in made.left_out]
    made_doubts = [*made.doubts, *missing_bases(made.catalog, _factors([*required, made.catalog]))]
    doubts = [asdict(one) for one in made_doubts]
    wrote(as_json, written, digest=made.catalog.digest, rows=made.rows, left_out=left, doubts=doubts)
    if as_json:
        return 0
    for one in made_doubts:
        bare(str(one))
    bare(f"{made.rows} rows of {source.name}, {len(left)} left out")
    for why in dict.fromkeys(one.why for one in made.left_out):
        rows = [str(one.row) for one in made.left_out if one.why == why]
        bare(f"  left out: {why} (row{'s' if len(rows) > 1 else ''} {', '.join(rows)})")
    return 0


def _factors(catalogs: Iterable[Catalog]) -> Factors:
    return Factors(factor for catalog in catalogs for factor in catalog.factors)


def to_xlsx(
    case: CasePath,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The workbook to write. Overwrites nothing.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write a whole case as one workbook: demand, orders, rules, scenarios, settings, and the tables of its catalogs.

    Editable cells are colored. `friendshore case from-xlsx` reads the edits back as a scenario. The same case gives the same bytes.
    """
    from friendshore.recommend import gather

    from .case_tables import case_tables, case_workbook

    may_be_written(out)
    if not is_workbook(out):
        raise InputError("is no name of a workbook", str(out), expected="a name that ends in .xlsx")
    tables = case_tables(gather(load_case(case), installed(block)))
    replace_file(out, case_workbook(tables, out.name))
    wrote(as_json, [out], sheets=list(tables.tables))
    return 0


def from_xlsx(
    workbook: Annotated[Path, typer.Argument(metavar="FILE", help="A workbook written by `case to-xlsx`, and edited.")],
    case: CasePath,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="What the scenario is to be called.")],
    write: Annotated[bool, typer.Option("--write", help="Write the scenario at the end of the case file.")] = False,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Read the edits in the workbook of a case, and print them as a scenario of the current case. --write adds it to the case file.

    Cells that weren't edited take the current values of the case. An edited cell that the case changed too is a conflict. Edits that no change of a
    scenario can state are refused. All errors are reported by cell, and with an error nothing is written.
    """
    from friendshore.recommend import gather

    from .scenario import add_scenario, edits_of

    gathered = gather(load_case(case), installed(block))
    found = edits_of(workbook, gathered, scenario)
    file = gathered.case.file
    written = [file] if write and found.toml and file is not None else []
    for one in written:
        add_scenario(one, found)
    if as_json:
        changes = [change.told for change in found.scenario.change]
        wrote(as_json, written, scenario=scenario, changes=changes, toml=found.toml)
    else:
        bare(found.toml.rstrip() or "no change")
        wrote(as_json, written)
    return 0
