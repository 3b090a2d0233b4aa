"""`friendshore catalogs`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .groups import Commands
from .options import AsJson, Blocked, installed
from .output import answer, answering, bare, wrote

if TYPE_CHECKING:
    from ..domain.facts import Catalog
    from ..domain.market import Factors
    from ..errors import Diagnostic
    from ..plugins import CatalogRef, Registry
    from ..readers import CatalogRows

app = typer.Typer(cls=Commands, help="List, show, check and convert catalogs.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="An installed catalog, a folder, a workbook, or READER:ARGUMENT.")
]


@app.command("list")
@answering
def list_(block: Blocked = None, as_json: AsJson = False) -> int:
    """List the installed catalogs."""
    from ..domain.time import today
    from ..report import catalog_listing

    listing = catalog_listing(_heads(installed(block)), today())
    return answer(as_json, listing.data, listing.document)


@app.command("show")
@answering
def show_(name: Name, block: Blocked = None, as_json: AsJson = False) -> int:
    """Show what a catalog holds."""
    from ..domain.time import today
    from ..report import catalog_data, catalog_document

    catalog, _ = read_one(name, installed(block))
    return answer(as_json, lambda: catalog_data(catalog), lambda: catalog_document(catalog, today()))


@app.command("check", short_help="List every mistake of a catalog.")
@answering
def check(name: Name, block: Blocked = None, as_json: AsJson = False) -> int:
    """List every mistake of a catalog, and what is worth knowing though nothing is wrong."""
    from ..catalog.convert import stale
    from ..catalog.review import ambiguous_cells
    from ..recommend.check import Checked
    from ..report import check_data, check_document

    _, remarks, ref = _read(name, installed(block))
    if isinstance(ref.place, Path):
        remarks = [*ambiguous_cells(ref.place), *remarks]
    if isinstance(ref.place, Path) and ref.place.is_dir():
        remarks += stale(ref.place, ref.columns)
    found = Checked(errors=(), only_plugins=False, suggestions=tuple(remarks))
    return answer(as_json, lambda: check_data(found), lambda: check_document(found))


@app.command("convert", short_help="Write a catalog as a workbook, or as a folder; or a spreadsheet as a catalog.")
@answering
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
    """Write a catalog in another form, and prove that it holds the same facts by reading it again.

    A workbook has one sheet a table, of the same columns, and a sheet `catalog` with the keys of catalog.toml.

    With --map FROM is a spreadsheet (.csv or .xlsx) of any columns, and the map says which of them is what.

    A bid sheet of `ask --bid-sheets` that a supplier filled in becomes a catalog of evidence `quoted`; --case names the case it was written for.
    """
    from ..catalog.bids import is_bid_sheet
    from ..catalog.convert import convert as converted
    from ..catalog.review import missing_bases

    registry = installed(block)
    if by is None and is_bid_sheet(Path(source)):
        return _bid(Path(source), target, case, registry, as_json=as_json)
    if by is not None:
        return _by_map(Path(source), target, by, registry, as_json=as_json)
    read, ref = _read_along(source, registry)
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
    """Writes what a supplier bids as a catalog, and says what makes it count in the case."""
    from ..case import load_case
    from ..catalog import read_catalogs
    from ..catalog.bid_tables import BidPlace, overlaps
    from ..catalog.bids import BidSheet
    from ..catalog.convert import convert as converted
    from ..errors import InputError
    from ..recommend import gather

    if case is None:
        fix = f"friendshore catalogs convert {source} {target} --case CASE"
        raise InputError("is a bid sheet, which is read beside the case that it was written for", str(source), fix=fix)
    gathered = gather(load_case(case), registry)
    sheet = BidSheet(source, gathered.case.name, gathered.catalogs)
    rows = sheet.rows(target.stem)

    def find(name: str) -> CatalogRef:
        return gathered.find(gathered.named.get(name, name))

    def read(place: Path | CatalogRows) -> Catalog:
        ref = BidPlace(rows, registry.fact_columns) if place is rows else find(str(Path(str(place)).resolve()))
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
    """Writes a spreadsheet as a catalog."""
    from ..catalog import read_catalogs
    from ..catalog.convert import Texts, put
    from ..catalog.mapping import mapped, required_by
    from ..catalog.review import missing_bases

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


@app.command("datapackage", short_help="Describe a catalog folder for other tools.")
@answering
def datapackage(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A catalog folder of yours.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write datapackage.json into a catalog folder: its tables and columns, as Frictionless Data tools read them.

    One that friendshore wrote is written anew, and keys that it does not write, such as contributors, are kept; any other is left as it is.
    """
    from ..catalog.convert import write_datapackage
    from ..errors import InputError

    if folder.is_file():
        fix = f"friendshore catalogs convert {folder} {folder.with_suffix('')}, then describe that folder"
        raise InputError("only a folder can be described", str(folder), expected="a catalog folder", fix=fix)
    registry = installed(block)
    read_one(str(folder), registry)
    wrote(as_json, [write_datapackage(folder, registry.fact_columns)])
    return 0


def _factors(catalogs: Iterable[Catalog]) -> Factors:
    """Return the conversion factors of some catalogs together."""
    from ..domain.market import Factors

    return Factors(factor for catalog in catalogs for factor in catalog.factors)


def read_one(name: str, registry: Registry) -> tuple[Catalog, Path]:
    """A catalog by its name or folder, and where it is.

    Raises:
        InputError: with every mistake of it and of the catalogs that it requires.
        PluginError: if no plugin brings it, or the one that does is broken.
    """
    read, ref = _read_along(name, registry)
    return read[ref.name], ref.folder


def _read_along(name: str, registry: Registry) -> tuple[dict[str, Catalog], CatalogRef]:
    """A catalog and those that it requires, by name, and where it is."""
    from ..catalog import read_catalogs

    beside = name not in registry.catalogs and Path(name).exists() and not Path(name).is_absolute()
    ref = registry.catalog_folder(f"./{name}" if beside else name)
    return {catalog.name: catalog for catalog in read_catalogs([ref], registry.catalog_folder)}, ref


def _read(name: str, registry: Registry) -> tuple[Catalog, list[Diagnostic], CatalogRef]:
    """A catalog, what a review of it finds, and where it is."""
    from ..catalog import review

    read, ref = _read_along(name, registry)
    catalog = read[ref.name]
    return catalog, review(catalog, [other for other in read.values() if other is not catalog]), ref


def _heads(registry: Registry) -> Iterator[dict[str, object]]:
    """What each installed catalog says of itself, without its tables being read; a plugin that fails to make its own keeps none from being told."""
    from ..catalog.folder import read_head
    from ..catalog.tables import tables_at
    from ..plugins.loading import places

    for place in places(registry, "catalog"):
        found: list[Diagnostic] = [] if place.problem is None else [place.problem]
        head = read_head(tables_at(place.folder, found), found).keys if place.folder is not None else {}
        row = {key: str(head[key]) if key in head else "" for key in ("title", "as_of", "licence", "note")}
        requires = list(head.get("requires", ()))
        error = "; ".join(map(str, found))
        yield {"name": place.name, **row, "requires": requires, "from": place.owner, "error": error}
