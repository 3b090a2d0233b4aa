"""Arguments and options that several commands share, exit codes, and the registry of a command."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from .output import warn

if TYPE_CHECKING:
    from ..plugins import Registry

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
MAX_WORKERS = 1_024
CasePath = Annotated[
    Path, typer.Argument(help="Case file, the folder that holds case.toml, or a workbook of a case.", metavar="CASE")
]
RunPath = Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")]
OfCase = Annotated[
    Path | None,
    typer.Option(
        "--case",
        metavar="CASE",
        help="Case file, its folder, or a workbook of it, that the run is said to be of: its facts are compared with it.",
    ),
]
PlanPath = Annotated[
    Path,
    typer.Argument(
        help="Case file, its folder, a workbook of a case, or a folder written by `plan --out`.", metavar="CASE|RUN"
    ),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option("--scenario", metavar="NAME", help="Scenario of the case to apply first; may repeat."),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--change",
        metavar="CHANGE",
        help="Change of the case to apply after the scenarios, in the words of a `change` table of a case file, like "
        "'disable=RULE' or 'capacity=PLANT, factor=50 %, from=2027-07-01'; may repeat.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Enforce rules of unknown status too, of which nobody knows whether they hold; refuse prices and lists that are older than the case allows, and end uses that are nearly one that a rule names.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Seconds for all of it, reading included. What is not proved by then is given as an interval, and what was not asked is said.",
        min=0,
        max=MAX_SECONDS,
    ),
]
Gap = Annotated[
    float,
    typer.Option(
        "--gap",
        metavar="SHARE",
        help="Relative distance from the bound at which a plan is taken as cheapest.",
        min=0,
        max=1_000,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="How many parts, scenarios of a sweep or cases of `watch` are worked on at once; if not given, as many as processors. Without --time-limit the result is the same.",
        min=1,
        max=MAX_WORKERS,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Print every table, not what one screen of 40 lines holds.")]
AnswerFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Also write the whole answer to a new file. Its extension is the format: .html, .md, .xlsx, or one of a plugin.",
    ),
]
Html = Annotated[Path | None, typer.Option("--html", hidden=True)]
"""Former name of `--out`, for one version."""
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
DEFAULT_GAP = 1e-6


Blocked = Annotated[
    list[str] | None,
    typer.Option(
        "--block",
        metavar="NAME",
        help="Plugin (distribution or entry point) that counts as not installed, or PLUGIN:NAME for one thing of it; may repeat.",
    ),
]


_ALONE: ContextVar[bool] = ContextVar("_ALONE", default=False)


def alone(program: Callable[[], int]) -> int:
    """Run a program that has its process to itself, and return its exit code."""
    token = _ALONE.set(True)
    try:
        return program()
    finally:
        _ALONE.reset(token)


def installed(block: list[str] | None) -> Registry:
    """Return the registry without blocked plugins.

    A name in the environment that blocks nothing gives a warning on stderr, since one setting may serve several installations.

    Raises:
        PluginError: If `--block` names something that isn't installed.
    """
    from ..errors import PluginError
    from ..plugins import Blocker, Registry
    from ..plugins.attribution import forbid_exit

    if _ALONE.get():
        forbid_exit()
    registry = Registry.discover().blocking(block or (), Blocker.FLAG)
    wrong = registry.idle_blocks(Blocker.FLAG)
    if wrong:
        raise PluginError(wrong)
    for problem in registry.idle_blocks(Blocker.ENVIRONMENT):
        warn(str(problem))
    return registry


FAILED = 1
"""Friendshore itself failed."""
CONFLICT = 6
"""Hard rules conflict."""
TURNED = 7
"""`watch` found changed verdicts."""
CLOSED_PIPE = 141
"""128 plus the number of SIGPIPE: the shell's code for a program whose reader has gone."""

EXIT_CODES: tuple[tuple[int, str, str], ...] = (
    (
        0,
        "done",
        "A plan was found, a check found no mistake, a run is verified. A shortage is a result, and ends in 0 too.",
    ),
    (FAILED, "failed", "Friendshore itself failed, which is a bug: a traceback on stderr and nothing on stdout."),
    (
        2,
        "bad input",
        "A case, catalog, rule pack, run folder or the command line has mistakes; all of them are listed. So is what cannot "
        "be read or written: a folder that you may not read, a full disk, also behind stdout.",
    ),
    (3, "plugin", "A plugin that is needed is missing, broken, ambiguous, or not the one that was used."),
    (4, "verification failed", "A plan does not hold, or a run folder says something that its facts do not give."),
    (
        5,
        "solver",
        "The solver broke down, or a limit ended the search before there was a plan that keeps the rules. Never plain infeasibility.",
    ),
    (
        CONFLICT,
        "rules conflict",
        "Hard rules cannot hold together: the plan is printed in full, without what they touch.",
    ),
    (
        TURNED,
        "verdicts turn",
        "`watch` found that a new edition of rules, data or screening lists turns verdicts in a case.",
    ),
    (130, "stopped", "Ctrl-C was pressed twice, or before there was a plan. Once returns the best plan found so far."),
    (
        CLOSED_PIPE,
        "closed pipe",
        "Whoever read the answer went before all of it was written, as may be with `head -1`. What `--out` writes is written.",
    ),
)
"""Code, name, and meaning."""

EPILOG = "Exit codes: " + ", ".join(f"{code} {name}" for code, name, _ in EXIT_CODES) + "."
