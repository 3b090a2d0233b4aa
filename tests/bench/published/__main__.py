"""Published problems: friendshore, and raw HiGHS with a weak and with the textbook's strong formulation.

uv run --group bench python -m tests.bench.published --only ufl,holmberg_p1
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TextIO

from ..answer import Stop
from .neutral import names
from .table import WHO, table


def main() -> None:
    """Print the table. Progress goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.published", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="A,B", help="problems whose names contain one of these (default: all)"
    )
    parser.add_argument(
        "--who", default="", metavar="A,B", help="solvers whose names contain one of these (default: all three)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of every search")
    parser.add_argument("--gap", type=float, default=1e-6, help="relative distance from the bound that ends a search")
    parser.add_argument(
        "--orlib", type=Path, metavar="FOLDER", help="folder with OR-Library's capa.txt, capb.txt, and capc.txt"
    )
    options = parser.parse_args()
    chosen, solvers = _chosen(names(options.orlib), options.only), _chosen(list(WHO), options.who)
    text = table(chosen, solvers, Stop(options.gap, options.seconds), lambda line: _say(sys.stderr, line))
    _say(sys.stdout, text)


def _chosen(names: list[str], parts: str) -> list[str]:
    return [name for name in names if any(part in name for part in parts.split(","))]


def _say(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
