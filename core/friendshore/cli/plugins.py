"""`friendshore plugins`."""

from __future__ import annotations

import typer

from .options import AsJson
from .output import answering, show, show_json, width

app = typer.Typer(help="List plugins, with what is wrong with them.", no_args_is_help=True)


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
