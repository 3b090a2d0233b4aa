"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
LONGEST_SECONDS = 10_000_000
"""A time limit of some months: longer ones a solver cannot be told."""
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
