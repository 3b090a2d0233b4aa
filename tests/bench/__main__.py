"""The bench's command line."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from .goals import goals
from .job import Done, Job, perform_alone
from .suite import QUICK, Suite
from .table import Section, lines, written

LIBRARIES = ("friendshore", "ortools", "highspy", "linopy", "pyomo", "pulp", "numpy")


def main() -> int:
    """Runs the bench; 1 if an optimum of friendshore's and a peer's disagree."""
    asked = _arguments()
    suite = QUICK if asked.quick else Suite()
    suite = Suite(
        scale=asked.scale or suite.scale,
        seconds=asked.seconds or suite.seconds,
        short=min(suite.short, asked.seconds or suite.short),
        only=tuple(asked.only.upper().split(",")) if asked.only else (),
    )
    machine = {"python": platform.python_version(), "machine": platform.machine(), "processors": _processors()}
    about = {**machine, **{name: version(name) for name in LIBRARIES}}
    _say(sys.stdout, "  ".join(f"{name} {value}" for name, value in about.items()))
    started, found = time.perf_counter(), list[Section]()
    for section in suite.sections(_reported):
        found.append(section)
        if asked.json:
            _append(asked.json, section, about, first=len(found) == 1)
    _say(sys.stdout, "", written(found), "")
    if suite.scale == 1.0:
        _say(sys.stdout, *(goal.written() for goal in goals(found)), "")
    _say(sys.stdout, f"{time.perf_counter() - started:.0f} s in all, scale {suite.scale:g}")
    return int(any(line.get("agree") is False for section in found for line in lines(section)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, seconds instead of minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON lines")
    parser.add_argument("--scale", type=float, metavar="SHARE", help="share of the full size")
    parser.add_argument("--seconds", type=float, help="limit of every search on D and J")
    parser.add_argument("--only", metavar="L,D,J,X", help="instances to run")
    return parser.parse_args()


def _reported(job: Job) -> Done:
    """Runs a job, and says so on stderr."""
    budget = f", budget {job.budget:,.0f}" if job.budget is not None else ""
    limit = f", at most {job.stop.seconds:g} s" if job.solve and job.stop.seconds is not None else ""
    what = "" if job.solve else " builds"
    _say(sys.stderr, f"{job.instance} x {job.scale:g}: {job.who}{what}, gap {job.stop.gap:g}{budget}{limit} …", end=" ")
    done = perform_alone(job)
    _say(sys.stderr, ", ".join(f"{phase} {value:.2f} s" for phase, value in done.answer.seconds.items()))
    return done


def _append(path: Path, section: Section, about: dict[str, object], first: bool) -> None:
    with path.open("w" if first else "a", encoding="utf-8") as file:
        for line in lines(section):
            file.write(json.dumps({**line, "versions": about}) + "\n")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(where: TextIO, *texts: str, end: str = "\n") -> None:
    where.write("\n".join(texts) + end)
    where.flush()


if __name__ == "__main__":
    sys.exit(main())
