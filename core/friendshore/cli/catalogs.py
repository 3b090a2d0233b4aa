"""Open closed standard streams on the null device.

Otherwise the next file would get the number of the closed stream, and output for the terminal would be written into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .groups import Commands
from .options import AsJson, Blocked, installed
from .output import answer, answering, wrote

if TYPE_CHECKING:
    from ..domain.facts import Catalog
    from ..errors import Diagnostic
    from ..plugins import CatalogRef, Registry

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


def read_one(name: str, registry: Registry) -> tuple[Catalog, Path]:
    """A catalog by its name or folder, and where it is.

    Raises:
        InputError: with every mistake of it and of the catalogs that it requires.
        PluginError: if no plugin brings it, or the one that does is broken.
    """
    read, ref = read_along(name, registry)
    return read[ref.name], ref.folder


def read_along(name: str, registry: Registry) -> tuple[dict[str, Catalog], CatalogRef]:
    """Return a catalog by name or folder, and its location.

    Raises:
        InputError: With all errors in it and in the catalogs that it requires.
        PluginError: If no plugin brings it, or its plugin is broken.
    """
    from ..catalog import read_catalogs

    beside = name not in registry.catalogs and Path(name).exists() and not Path(name).is_absolute()
    ref = registry.catalog_folder(f"./{name}" if beside else name)
    return {catalog.name: catalog for catalog in read_catalogs([ref], registry.catalog_folder)}, ref


def _read(name: str, registry: Registry) -> tuple[Catalog, list[Diagnostic], CatalogRef]:
    """Return a catalog with those that it requires, by name, and its location."""
    from ..catalog import review

    read, ref = read_along(name, registry)
    catalog = read[ref.name]
    return catalog, review(catalog, [other for other in read.values() if other is not catalog]), ref


def _heads(registry: Registry) -> Iterator[dict[str, object]]:
    """Return a catalog, the notes of its review, and its location."""
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
