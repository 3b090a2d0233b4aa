"""`friendshore plugins`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson
from .output import answering, bare, show, show_json, width

if TYPE_CHECKING:
    from .scaffold import Scaffold

app = typer.Typer(help="List plugins, with what is wrong with them, and begin a new one.", no_args_is_help=True)


@app.command("list")
@answering
def list_(as_json: AsJson = False) -> int:
    """List all plugins, the broken ones too, without running any of them."""
    from ..plugins import Registry
    from ..report import plugin_listing

    listing = plugin_listing(Registry.discover().plugins)
    if as_json:
        show_json(listing.data())
    else:
        show([listing.text(width())])
    return 0


@app.command("new", short_help="Write the project of a new plugin.")
@answering
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its distribution, such as friendshore-acme.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there. Default: ./NAME."),
    ] = None,
    catalog: Annotated[bool, typer.Option("--catalog", help="Only a catalog, of invented suppliers.")] = False,
    rule: Annotated[bool, typer.Option("--rule", help="Only a kind of rule.")] = False,
    given: Annotated[
        str,
        typer.Option("--from", metavar="CATALOG", help="A catalog of yours to ship: a folder; no code is written."),
    ] = "",
    as_json: AsJson = False,
) -> int:
    """Write a project that installs, type-checks and passes its own tests: a catalog and a kind of rule, or either.

    Overwrites nothing.
    """
    from .writing import write_new

    target = Path(name) if folder is None else folder
    written = write_new(target, _scaffold(name, catalog, rule, given, target).files())
    if as_json:
        show_json({"wrote": [str(path) for path in written]})
        return 0
    for path in written:
        bare(f"wrote {path}")
    bare(f"now: pip install --group dev --editable {target}, then pytest {target}; {target / 'README.md'} says more")
    return 0


def _scaffold(name: str, catalog: bool, rule: bool, given: str, target: Path) -> Scaffold:
    """What is asked for: both parts if none is named.

    Raises:
        InputError: if the name will not do, the target is there, or the given catalog has a mistake.
    """
    from ..errors import InputError, Problem
    from .catalogs import read_one
    from .scaffold import Scaffold, catalog_files

    plain = Scaffold(name, rule=rule or not catalog, catalog=catalog or not rule)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name another folder, or one that is empty"
        if (target / "catalog.toml").is_file():
            fix = f"to ship this catalog: friendshore plugins new {name} --from {target}"
        raise InputError(Problem("is there already, and is left as it is", str(target), fix=fix))
    if not given:
        return plain
    read, place = read_one(given)
    return Scaffold(name, rule=rule, catalog=True, given=catalog_files(place), given_name=read.name)
