"""Published problems: friendshore beside raw HiGHS, from a weak and from the textbook's strong formulation.

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
    """Reads the command line, and writes the table; what is being done goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.published", description=__doc__)
    parser.add_argument("--only", default="", metavar="A,B", help="problems whose names hold one of these; none: all")
    parser.add_argument("--who", default="", metavar="A,B", help="those whose names hold one of these; none: all three")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of every search")
    parser.add_argument("--gap", type=float, default=1e-6, help="relative distance from the bound that ends a search")
    parser.add_argument(
        "--orlib", type=Path, metavar="FOLDER", help="where OR-Library's capa.txt, capb.txt and capc.txt lie"
    )
    asked = parser.parse_args()
    chosen, who = _chosen(names(asked.orlib), asked.only), _chosen(list(WHO), asked.who)
    found = table(chosen, who, Stop(asked.gap, asked.seconds), lambda line: _say(sys.stderr, line))
    _say(sys.stdout, found)


def _chosen(every: list[str], asked: str) -> list[str]:
    return [name for name in every if any(part in name for part in asked.split(","))]


def _say(stream: TextIO, line: str) -> None:
    stream.write(line + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
