"""Commands of the program and their process."""

from __future__ import annotations

import faulthandler
import gc
import io
import os
import sys
from typing import Annotated, Any

import typer

# Slow imports are inside the commands, so that `--help` is fast and works with any installation.
from ..errors import Diagnostic, InputError
from ..writing import system_input_error
from . import cases, catalogs, orders, plan, plugins, rules, runs
from .groups import Commands, own_questions, placeholder
from .options import CLOSED_PIPE, EPILOG, STOPPED, alone
from .output import STDERR_NUMBER, StdoutError, bare, discard_unwritten, print_error, print_problems, reserve_stdout

app = typer.Typer(
    cls=Commands,
    name="friendshore",
    help="The cheapest compliant supplier mix for critical materials: per material and period, with proof.",
    epilog=EPILOG,
    no_args_is_help=True,
    # Without rich, help appears in half the time.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(is_requested: bool) -> None:
    if is_requested:
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
app.command("check", short_help="List all errors of a case without solving it.")(cases.check)
app.command("verify", short_help="Check a run folder from its own files.")(runs.verify)
for _name, _answers in own_questions().items():
    app.command(_name, short_help=_answers)(placeholder)
app.command("report", short_help="Print a run on one page, or write it as HTML.")(runs.report)
app.command("orders", short_help="Write the orders of a plan as an order sheet, or read it back.")(orders.orders)
app.command("lock", short_help="Record everything that a case's result depends on, for plan --locked.")(cases.lock)
app.command("init", short_help="Write a small case that can be planned.")(cases.init)
cases.app.command("roll", short_help="Roll a case forward to a later day. Orders that have arrived become stock.")(
    orders.roll
)
app.add_typer(cases.app, name="case")
app.add_typer(catalogs.app, name="catalogs")
app.add_typer(rules.app, name="rules")
app.add_typer(plugins.app, name="plugins")


# Base of typer's usage errors, which has no public name in all versions.
_UsageError: Any = typer.BadParameter.__mro__[2]
# Options that name an output file -> the option of other commands.
_OUTPUT_OPTION_ELSEWHERE = {"--output": "--out", "--html": "--out"}
# Python's 700 new objects between garbage collections would cost a tenth of a short command.
_OBJECTS_BETWEEN_COLLECTIONS = 300_000
# Threads of OpenBLAS and plugins of pydantic would only cost time.
_LIBRARY_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def main() -> int:
    """Run the command that the command line names, in a process that ends with it, and return its exit code."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    for name, value in _LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    open_streams()
    faulthandler.enable(STDERR_NUMBER)  # a crash, in a plugin or a solver, then prints the line that ran
    reserve_stdout()
    try:
        return alone(_run)
    except KeyboardInterrupt:  # Typer handles it while a command runs. This is before and after.
        return STOPPED
    finally:
        sys.stdout = sys.stderr  # for threads and exit handlers of plugins, so that nothing follows the answer
        gc.freeze()  # otherwise Python would search all objects of the plan for cycles just before it ends


def _run() -> int:
    try:
        code = app(prog_name="friendshore", standalone_mode=False)
    except _UsageError as error:
        _suggest(error)
        text = io.StringIO()
        error.show(text)
        print_error(text.getvalue().rstrip("\n"))
        code = error.exit_code
    except StdoutError as error:
        code = _without_stdout(error)
    except OSError as error:  # from a help text, which Typer prints itself; any other is a bug and raised again
        system_input_error(error)
        code = _without_stdout(StdoutError(error))
    except SystemExit as exit_:
        cause = exit_.__context__  # Typer exits with 1 if the reader of a help text is gone
        code = _without_stdout(StdoutError(cause)) if isinstance(cause, BrokenPipeError) else exit_.code
    return code if isinstance(code, int) else int(code is not None)


def _suggest(error: Any) -> None:
    equivalent = _OUTPUT_OPTION_ELSEWHERE.get(getattr(error, "option_name", ""))
    if equivalent and error.ctx is not None and any(equivalent in param.opts for param in error.ctx.command.params):
        error.possibilities = [equivalent]


def _without_stdout(error: StdoutError) -> int:
    discard_unwritten(sys.stdout)
    if error.closed:
        return CLOSED_PIPE
    print_problems(
        [Diagnostic(error.reason, "standard output", fix="free some space, or write elsewhere", code="FS500")]
    )
    return InputError.exit_code


def open_streams() -> None:
    """Open closed standard streams on the null device. Otherwise the next file would get the number of a closed stream."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "w" if number else "r", encoding="utf-8", closefd=False))
