"""Options that several commands share, exit codes, and the registry of a command."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from .host import host
from .output import warn

if TYPE_CHECKING:
    from ..plugins import Registry

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
MAX_WORKERS = 1_024
CasePath = Annotated[
    Path, typer.Argument(help="Case file, folder with case.toml, or workbook of a case.", metavar="CASE")
]
RunPath = Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")]
OfCase = Annotated[
    Path | None,
    typer.Option(
        "--case",
        metavar="CASE",
        help="Compare the facts of the run with this case (file, folder, or workbook).",
    ),
]
PlanPath = Annotated[
    Path,
    typer.Argument(
        help="Case file, folder with case.toml, workbook of a case, or folder written by `plan --out`.",
        metavar="CASE|RUN",
    ),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", metavar="NAME", help="Scenario of the case to apply first. Repeatable."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--change",
        metavar="CHANGE",
        help="Change to apply after the scenarios, written like a `change` table of a case file, such as "
        "'disable=RULE' or 'capacity=PLANT, factor=50%, from=2027-07-01'. Repeatable.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Also enforce rules of unknown status. Refuse prices and lists that are older than the case allows.",
    ),
]
StrictLimits = Annotated[
    bool,
    typer.Option(
        "--strict-limits",
        help="Plan nothing for materials whose hard limits can't be kept together. Otherwise, the smallest set of the case's own limits is relaxed.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Seconds for the whole command, including reading. Results not proved by then are intervals, and anything left out is listed.",
        min=0,
        max=MAX_SECONDS,
    ),
]
Gap = Annotated[
    float,
    typer.Option(
        "--gap",
        metavar="SHARE",
        help="Relative distance from the bound at which the search stops.",
        min=0,
        max=1_000,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Number of parts, scenarios of a sweep, or cases of `watch` to work on at once. Default: the number of processors. Without --time-limit, the result doesn't depend on it.",
        min=1,
        max=MAX_WORKERS,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Print all tables instead of one screen of 50 lines.")]
AnswerFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Also write the whole answer to a new file. Its extension is the format: .html, .md, .xlsx, or one of a plugin.",
    ),
]
# Former name of `--out`, for one version.
Html = Annotated[Path | None, typer.Option("--html", hidden=True)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Don't show progress.")]
DEFAULT_GAP = 1e-6


Blocked = Annotated[
    list[str] | None,
    typer.Option(
        "--block",
        metavar="NAME",
        help="Ignore a plugin (distribution or entry point), or with PLUGIN:NAME one item of it. Repeatable.",
    ),
]


_OWNS_PROCESS: ContextVar[bool] = ContextVar("_OWNS_PROCESS", default=False)


def alone(program: Callable[[], int]) -> int:
    """Run a program that has its process to itself, and return its exit code."""
    token = _OWNS_PROCESS.set(True)
    try:
        return program()
    finally:
        _OWNS_PROCESS.reset(token)


def installed(block: list[str] | None) -> Registry:
    """Return the registry without blocked plugins. Raise `PluginError` if `--block` names something that isn't installed."""
    from ..errors import PluginError
    from ..plugins import Blocker
    from ..plugins.attribution import forbid_exit

    if _OWNS_PROCESS.get():
        forbid_exit()
    registry = host().registry().blocking(block or (), Blocker.FLAG)
    unmatched = registry.idle_blocks(Blocker.FLAG)
    if unmatched:
        raise PluginError(unmatched)
    # Only a warning, since one setting of the environment may serve several installations.
    for problem in registry.idle_blocks(Blocker.ENVIRONMENT):
        warn(str(problem))
    return registry


FAILED = 1
LIMITS_RELAXED = 1
CONFLICT = 6
TURNED = 7
STOPPED = 130
CLOSED_PIPE = 141
"""128 plus the number of SIGPIPE: the shell's code for a program whose reader has gone."""

EXIT_CODES: tuple[tuple[int, str, str], ...] = (
    (
        0,
        "done",
        "A plan was found, a check found no errors, or a run was verified. A shortage is a result, so its code is 0 too.",
    ),
    (
        FAILED,
        "limits not kept, or failed",
        "`plan` printed a plan that relaxes hard limits, because they can't be kept. If stdout is empty and a traceback is on stderr: "
        "a bug in friendshore.",
    ),
    (
        2,
        "bad input",
        "A case, catalog, rule pack, run folder, or the command line has errors. All are listed. Also used if something can't "
        "be read or written, such as a folder without permission or a full disk, including a full disk behind stdout.",
    ),
    (3, "plugin", "A required plugin is missing, broken, ambiguous, or not the one that was used."),
    (
        4,
        "verification failed",
        "A plan fails verification, or a run folder states something that doesn't follow from its facts.",
    ),
    (
        5,
        "solver",
        "The solver failed, or a limit ended the search before it found a plan that satisfies the rules. Never plain infeasibility.",
    ),
    (
        CONFLICT,
        "rules conflict",
        "Hard rules can't be satisfied together, and relaxing the case's own limits doesn't help or `--strict-limits` excludes it. "
        "The plan is printed in full, without the parts that they affect.",
    ),
    (
        TURNED,
        "verdicts changed",
        "`watch` found that a new edition of rules, data, or screening lists changes verdicts in a case.",
    ),
    (
        STOPPED,
        "stopped",
        "Ctrl-C was pressed twice, or before there was a plan. Once returns the best plan found so far.",
    ),
    (
        CLOSED_PIPE,
        "closed pipe",
        "The reader of the answer closed the pipe before the end, as `head -1` may do. Files of `--out` are complete.",
    ),
)

EPILOG = """\b
Examples:
  friendshore init first && friendshore plan first
  friendshore repairs first
  friendshore plan first --out run && friendshore report run --out report.html
"""
