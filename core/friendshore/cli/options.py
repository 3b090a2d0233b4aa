"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")]
CasePath = Annotated[Path, typer.Argument(help="Case file, or the folder that holds case.toml.", metavar="CASE")]
