"""All commands under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from . import (
    alternatives,
    calendar,
    catalogs,
    check,
    compare,
    init,
    ledger,
    lock,
    plan,
    plugins,
    repairs,
    report,
    rules,
    sign,
    stress,
    verify,
    why_not,
)
from .exits import EPILOG
from .output import bare

app = typer.Typer(
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
app.command("check", short_help="List every mistake of a case; solve nothing.")(check.check)
app.command("verify", short_help="Check a run folder from its own files.")(verify.verify)
app.command("alternatives", short_help="Every offer of a material, ranked by what using it costs.")(
    alternatives.alternatives
)
app.command("why-not", short_help="The break-even price of an offer, and what keeps it out.")(why_not.why_not)
app.command("repairs", short_help="What would serve what is short: every minimal set of steps.")(repairs.repairs)
app.command("ledger", short_help="What each rule adds to the cost, adding up to the cent.")(ledger.ledger)
app.command("calendar", short_help="On which dates compliance changes, and what heals a shortage.")(calendar.calendar)
app.command("compare", short_help="Two plans side by side, and which change moved what.")(compare.compare)
app.command("stress", short_help="What it costs to lose each supplier, company, country or catalog.")(stress.stress)
app.command("report", short_help="Print a run on one page.")(report.report)
app.command("sign", short_help="Sign a run folder with a key.")(sign.sign)
app.command("lock", short_help="Record what a case's result rests on, for plan --locked.")(lock.lock)
app.command("init", short_help="Write a small case that can be planned.")(init.init)
app.add_typer(catalogs.app, name="catalogs")
app.add_typer(rules.app, name="rules")
app.add_typer(plugins.app, name="plugins")
