"""All commands under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from . import cases, catalogs, orders, plan, plugins, rules, runs
from .announced import own_questions
from .groups import Commands, announced
from .options import EPILOG
from .output import bare

app = typer.Typer(
    cls=Commands,
    name="friendshore",
    help="The cheapest compliant supplier mix for critical materials: per material and period, with proof.",
    epilog=EPILOG,
    no_args_is_help=True,
    # Plain help: without rich it is shown in half the time.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        bare(f"friendshore {version('friendshore')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The cheapest compliant supplier mix for critical materials: per material and period, with proof."""


app.command("plan", short_help="Find the cheapest compliant mix of a case.")(plan.plan)
app.command("check", short_help="List every mistake of a case; solve nothing.")(cases.check)
app.command("verify", short_help="Check a run folder from its own files.")(runs.verify)
for _name, _answers in own_questions().items():
    app.command(_name, short_help=_answers)(announced)
app.command("report", short_help="Print a run on one page, or write it as HTML.")(runs.report)
app.command("orders", short_help="Write what a plan buys as an order sheet, or read it back.")(orders.orders)
app.command("lock", short_help="Record what a case's result rests on, for plan --locked.")(cases.lock)
app.command("init", short_help="Write a small case that can be planned.")(cases.init)
cases.app.command("roll", short_help="Write a case as of a later day: arrived orders become stock.")(orders.roll)
app.add_typer(cases.app, name="case")
app.add_typer(catalogs.app, name="catalogs")
app.add_typer(rules.app, name="rules")
app.add_typer(plugins.app, name="plugins")
