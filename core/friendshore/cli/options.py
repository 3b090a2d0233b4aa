"""Arguments and options that several commands share: what each is called, may be, and means, stated once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..domain.watch import LONGEST_SECONDS

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
MOST_WORKERS = 1_024
CasePath = Annotated[Path, typer.Argument(help="Case file, or the folder that holds case.toml.", metavar="CASE")]
RunPath = Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")]
OfCase = Annotated[
    Path | None,
    typer.Option(
        "--case",
        metavar="CASE",
        help="Case file, or its folder, that the run is said to be of: its facts are compared with it.",
    ),
]
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
        "--workers",
        metavar="N",
        help="Parts solved at once; the processors, if not given. The result is the same.",
        min=1,
        max=MOST_WORKERS,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
DEFAULT_GAP = 1e-6
