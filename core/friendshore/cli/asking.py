"""What all commands that ask something of a plan share: options, opening the case or run, progress and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import LONGEST_SECONDS, MOST_WORKERS
from .output import warn
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..plugins import Registry
    from ..recommend import Opened

PlanPath = Annotated[
    Path, typer.Argument(help="Case file, its folder, or a folder written by `plan --out`.", metavar="CASE|RUN")
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
        "--strict", help="Enforce rules of unknown status too: those of which nobody knows whether they hold."
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Seconds for each plan that is made; what is then not proved is given as an interval.",
        min=0,
        max=LONGEST_SECONDS,
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
        "--workers", metavar="N", help="Parts solved at once; the processors, if not given.", min=1, max=MOST_WORKERS
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
DEFAULT_GAP = 1e-6


@contextmanager
def asking(
    path: Path,
    registry: Registry,
    *,
    doing: str,
    of: str,
    scenario: list[str] | None = None,
    change: list[str] | None = None,
    strict: bool = False,
    time_limit: float | None = None,
    gap: float = DEFAULT_GAP,
    workers: int | None = None,
    quiet: bool = False,
) -> Iterator[tuple[Opened, Callable[[int, int, float], None] | None]]:
    """A case or run solved, with what to tell progress to. Ctrl-C ends what is being solved; what is not proved by then is an interval.

    Args:
        path: case file or folder, or run folder.
        registry: what is installed.
        doing: what is done with it, for the bar.
        of: what is counted, for the bar.
        scenario: scenarios to apply first.
        change: changes to apply after them, as stated.
        strict: enforce phases of unknown status.
        time_limit: seconds for each plan.
        gap: relative distance from the bound at which a plan is taken as cheapest.
        workers: components solved at once.
        quiet: show no progress.
    """
    from ..case import changes_stated
    from ..plugins.watching import limited
    from ..recommend import reopen
    from ..solve import Limits

    limited(time_limit)
    with Interrupt() as cancel:
        with changes_stated(change or ()) as changes, progress_bar(quiet) as progress:
            opened = reopen(
                path,
                registry=registry,
                scenario=scenario or (),
                changes=changes,
                strict=strict,
                limits=Limits(gap, time_limit, workers),
                progress=progress,
                cancel=cancel,
            )
        for note in opened.notes:
            warn(note)
        with progress_bar(quiet, doing, of) as progress:
            yield opened, progress
