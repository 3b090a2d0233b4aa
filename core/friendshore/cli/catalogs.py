"""`friendshore catalogs`."""

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

app = typer.Typer(cls=Commands, help="List, show, check, and convert catalogs.", no_args_is_help=True)

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
    """Show the description of a catalog and its offers."""
    from ..domain.time import today
    from ..report import catalog_data, catalog_document

    catalog, _ = read_catalog(name, installed(block))
    return answer(as_json, lambda: catalog_data(catalog), lambda: catalog_document(catalog, today()))


@app.command("check", short_help="List all errors of a catalog.")
@answering
def check(name: Name, block: Blocked = None, as_json: AsJson = False) -> int:
    """List all errors of a catalog, and notes on valid figures that look wrong."""
    from ..catalog.convert import stale
    from ..catalog.review import ambiguous_cells
    from ..recommend.check import Checked
    from ..report import check_data, check_document

    _, remarks, ref = _read(name, installed(block))
    if isinstance(ref.place, Path):
        remarks = [*ambiguous_cells(ref.place), *remarks]
    if isinstance(ref.place, Path) and ref.place.is_dir():
        remarks += stale(ref.place, ref.columns)
    checked = Checked(errors=(), only_plugins=False, suggestions=tuple(remarks))
    return answer(as_json, lambda: check_data(checked), lambda: check_document(checked))


@app.command("datapackage", short_help="Describe a catalog folder for other tools.")
@answering
def datapackage(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Catalog folder.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Write datapackage.json into a catalog folder. It describes the tables and columns for Frictionless Data tools.

    A file that friendshore wrote is updated. Keys that friendshore doesn't write, such as contributors, are kept. Any other file is left unchanged.
    """
    from ..catalog.convert import write_datapackage
    from ..errors import InputError

    if folder.is_file():
        fix = f"friendshore catalogs convert {folder} {folder.with_suffix('')}, then describe that folder"
        raise InputError("is a file, not a folder", str(folder), expected="a catalog folder", fix=fix, code="FS506")
    registry = installed(block)
    read_catalog(str(folder), registry)
    wrote(as_json, [write_datapackage(folder, registry.fact_columns)])
    return 0


def read_catalog(name: str, registry: Registry, target: Path | None = None) -> tuple[Catalog, Path]:
    """Return a catalog and its location. Raise `InputError` with all its errors, or `PluginError`. A temporary catalog has a `target`."""
    catalogs, ref = read_with_required(name, registry, target)
    return catalogs[ref.name], ref.folder


def read_with_required(
    name: str, registry: Registry, target: Path | None = None
) -> tuple[dict[str, Catalog], CatalogRef]:
    """Return a catalog with those that it requires, by name, and its location. Raises as `read_catalog` does."""
    from ..catalog import read_catalogs

    is_path = name not in registry.catalogs and Path(name).exists() and not Path(name).is_absolute()
    ref = registry.catalog_folder(f"./{name}" if is_path else name)
    catalogs = read_catalogs([ref], lambda required: required_catalog(required, target or ref.folder, registry))
    return {catalog.name: catalog for catalog in catalogs}, ref


def required_catalog(name: str, dependent: Path, registry: Registry) -> CatalogRef:
    """Return a catalog that the one at `dependent` requires: an installed one, or the folder of its name beside `dependent`."""
    from ..domain.suggest import did_you_mean
    from ..errors import InputError
    from ..official import plugin_bringing

    folder = dependent.resolve().parent / name
    beside = registry.catalog_folder(str(folder)) if name not in registry.catalogs and folder.is_dir() else None
    if beside is not None and beside.name == name:
        return beside
    if name in registry.catalogs or plugin_bringing("catalogs", name) is not None:
        return registry.catalog_folder(name)
    fix = did_you_mean(name, registry.catalogs) or f"install the plugin that contains `{name}`"
    raise InputError(
        f"required catalog `{name}` is missing",
        str(dependent),
        column="requires",
        found=f"`{name}`",
        expected=f"one of {', '.join(sorted(registry.catalogs))}, or a catalog folder in {folder.parent}",
        fix=f"{fix}, or move the folder of `{name}` to {folder}",
        code="FS118",
    )


def _read(name: str, registry: Registry) -> tuple[Catalog, list[Diagnostic], CatalogRef]:
    from ..catalog import review

    catalogs, ref = read_with_required(name, registry)
    catalog = catalogs[ref.name]
    return catalog, review(catalog, [other for other in catalogs.values() if other is not catalog]), ref


def _heads(registry: Registry) -> Iterator[dict[str, object]]:
    """Yield the description of each installed catalog without reading tables. A plugin that fails doesn't hide the others."""
    from ..catalog.folder import read_head
    from ..catalog.tables import tables_at
    from ..plugins.loading import data_locations

    for place in data_locations(registry, "catalog"):
        problems: list[Diagnostic] = [] if place.problem is None else [place.problem]
        head = read_head(tables_at(place.folder, problems), problems).keys if place.folder is not None else {}
        row = {key: str(head[key]) if key in head else "" for key in ("title", "as_of", "license", "note")}
        requires = list(head.get("requires", ()))
        error = "; ".join(map(str, problems))
        yield {"name": place.name, **row, "requires": requires, "from": place.owner, "error": error}
