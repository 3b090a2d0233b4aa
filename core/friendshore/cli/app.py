"""The command line. Commands collect arguments, call the library, and print the answer.

Slow imports are inside the commands, so that `--help` is fast and works with any installation.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import Annotated, Any

import typer

from ..errors import Diagnostic, InputError
from ..writing import system_input_error
from . import cases, catalogs, orders, plan, plugins, rules, runs
from .groups import Commands, own_questions, placeholder
from .options import CLOSED_PIPE, EPILOG, alone
from .output import StdoutError, bare, complain, let_go, tell

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
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The program `friendshore`: all commands, and their process."""


app.command("plan", short_help="Find the cheapest compliant mix of a case.")(plan.plan)
app.command("check", short_help="List every mistake of a case; solve nothing.")(cases.check)
app.command("verify", short_help="Check a run folder from its own files.")(runs.verify)
for _name, _answers in own_questions().items():
    app.command(_name, short_help=_answers)(placeholder)
app.command("report", short_help="Print a run on one page, or write it as HTML.")(runs.report)
app.command("orders", short_help="Write what a plan buys as an order sheet, or read it back.")(orders.orders)
app.command("lock", short_help="Record what a case's result rests on, for plan --locked.")(cases.lock)
app.command("init", short_help="Write a small case that can be planned.")(cases.init)
cases.app.command("roll", short_help="Write a case as of a later day: arrived orders become stock.")(orders.roll)
app.add_typer(cases.app, name="case")
app.add_typer(catalogs.app, name="catalogs")
app.add_typer(rules.app, name="rules")
app.add_typer(plugins.app, name="plugins")


_MISTYPED: Any = typer.BadParameter.__mro__[2]
"""Exception class of typer's usage errors, which has no public name in all versions."""
_WRITES = {"--output": "--out", "--html": "--out"}
"""Exception class of typer's usage errors, which has no public name in all versions."""
_OBJECTS = 300_000
"""Options that name an output file -> the option of other commands."""
_STOPPED = 130
"""New objects between garbage collections. Python's 700 would cost a tenth of a short command."""
_OF_LIBRARIES = {
    "OPENBLAS_NUM_THREADS": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""Exit code after Ctrl-C without an answer."""


def main() -> int:
    """Runs the command that the command line names, in a process that ends with it, and returns its exit code."""
    gc.set_threshold(_OBJECTS)
    for name, value in _OF_LIBRARIES.items():
        os.environ.setdefault(name, value)
    open_streams()
    try:
        return alone(_run)
    except KeyboardInterrupt:  # Typer ends quietly while a command runs; this is before and after it
        return _STOPPED
    finally:
        gc.freeze()  # else Python looks for cycles among all that a plan is made of, just before it ends


def _run() -> int:
    try:
        code = app(prog_name="friendshore", standalone_mode=False)
    except _MISTYPED as error:
        _suggest(error)
        text = io.StringIO()
        error.show(text)
        tell(text.getvalue().rstrip("\n"))
        code = error.exit_code
    except StdoutError as error:
        code = _without_stdout(error)
    except OSError as error:  # of a help text, which Typer prints itself; any other is a bug of ours, and raised again
        system_input_error(error)
        code = _without_stdout(StdoutError(error))
    except SystemExit as ended:
        gone = ended.__context__  # Typer ends in 1 where the reader of a help text has gone
        code = _without_stdout(StdoutError(gone)) if isinstance(gone, BrokenPipeError) else ended.code
    return code if isinstance(code, int) else int(code is not None)


def _suggest(error: Any) -> None:
    """Run the command line in a process of its own, and return its exit code."""
    meant = _WRITES.get(getattr(error, "option_name", ""))
    if meant and error.ctx is not None and any(meant in param.opts for param in error.ctx.command.params):
        error.possibilities = [meant]


def _without_stdout(error: StdoutError) -> int:
    """Suggest the equivalent of another command's option: `--out` of one is `--html` of another."""
    let_go(sys.stdout)
    if error.closed:
        return CLOSED_PIPE
    complain([Diagnostic(error.reason, "standard output", fix="make room, or write elsewhere")])
    return InputError.exit_code


def open_streams() -> None:
    """Return the exit code for a closed stdout. Report it only if it is an error."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(opened, True)
            setattr(sys, name, os.fdopen(opened, "w" if number else "r", encoding="utf-8", closefd=False))
