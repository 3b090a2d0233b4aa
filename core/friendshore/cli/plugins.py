"""`friendshore plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .groups import Commands
from .options import AsJson, Blocked, installed
from .output import answer, answering, show, show_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..plugins import PluginInfo, Registry
    from ..plugins.loading import Loaded

app = typer.Typer(cls=Commands, help="List, show, and check plugins, and create new ones.", no_args_is_help=True)


@app.command("list")
@answering
def list_(
    load: Annotated[
        bool, typer.Option("--load", help="Import each plugin in a separate process, and print its time and errors.")
    ] = False,
    limit: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="With --load: time limit of each import.")
    ] = 10.0,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """List all plugins, including broken ones. Runs none of them without --load."""
    from ..report import plugin_listing

    registry = installed(block)
    listing = plugin_listing(registry.plugins, _loaded(registry, registry.plugins, limit) if load else ())
    return answer(as_json, listing.data, listing.document)


@app.command("show")
@answering
def show_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Distribution, entry point, or package.")],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Show the manifest of a plugin without running it."""
    from ..report import plugin_data, plugin_document

    infos = installed(block).named(name)
    if as_json:
        show_json({"plugins": [plugin_data(info) for info in infos]})
    else:
        show(*(plugin_document(info) for info in infos))
    return 0


def _loaded(registry: Registry, plugins: Sequence[PluginInfo], limit: float) -> list[Loaded]:
    from ..plugins.loading import load_all

    entries = [(info, registry.code(info)) for info in plugins]
    return load_all([(info, entry) for info, entry in entries if entry is not None], limit)
