"""Command line of the benchmark."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from .folders import write
from .goals import goals
from .instances import INSTANCES
from .job import Job, JobResult, alone, perform_alone
from .suite import QUICK, Suite
from .table import Section, lines, written
from .warm import GAPS, Warm, measure
from .warm import line as warm_line
from .warm import written as warm_written

LIBRARIES = ("friendshore", "ortools", "highspy", "linopy", "pyomo", "pulp", "numpy")


def main() -> int:
    """Run the benchmark. Return 1 if friendshore and a peer find different optima."""
    options = _arguments()
    if options.write is not None:
        return _write(options)
    suite = QUICK if options.quick else Suite()
    suite = Suite(
        scale=options.scale or suite.scale,
        seconds=options.seconds or suite.seconds,
        short=min(suite.short, options.seconds or suite.short),
        only=tuple(options.only.upper().split(",")) if options.only else (),
    )
    machine = {"python": platform.python_version(), "machine": platform.machine(), "processors": _processors()}
    versions = {**machine, **{name: version(name) for name in LIBRARIES}}
    _say(sys.stdout, "  ".join(f"{name} {value}" for name, value in versions.items()))
    started, sections = time.perf_counter(), list[Section]()
    for section in suite.sections(_reported):
        sections.append(section)
        if options.json:
            _append(options.json, lines(section), versions, first=len(sections) == 1)
    warm = _warm(suite)
    if options.json:
        _append(options.json, map(warm_line, warm), versions, first=not sections)
    if sections:
        _say(sys.stdout, "", written(sections))
    if warm:
        _say(sys.stdout, "", warm_written(warm))
    _say(sys.stdout, "")
    if suite.scale == 1.0:
        _say(sys.stdout, *(goal.written() for goal in goals(sections, warm)), "")
    _say(sys.stdout, f"{time.perf_counter() - started:.0f} s in all, scale {suite.scale:g}")
    verdicts = [line.get("agree") for section in sections for line in lines(section)] + [
        measurement.agrees for measurement in warm
    ]
    return int(any(verdict is False for verdict in verdicts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="a tenth of the size, seconds instead of minutes")
    add("--json", type=Path, metavar="FILE", help="write the results as JSON lines")
    add("--scale", type=float, metavar="SHARE", help="share of the full size")
    add("--seconds", type=float, help="limit of every search on D and J")
    only = 'instances to run, or sections by name, like "J cut off"; W: answers of an open session'
    add("--only", metavar="L,D,J,X,W", help=only)
    files = "run nothing; write the instances as cases that friendshore plans"
    add("--write", type=Path, metavar="FOLDER", help=files)
    return parser.parse_args()


def _write(options: argparse.Namespace) -> int:
    for name in options.only.upper().split(",") if options.only else INSTANCES:
        folder = options.write / name
        write(INSTANCES[name](options.scale or (QUICK.scale if options.quick else 1.0)), folder)
        _say(sys.stdout, f"friendshore plan {folder}")
    return 0


def _reported(job: Job) -> JobResult:
    budget = f", budget {job.budget:,.0f}" if job.budget is not None else ""
    limit = f", at most {job.stop.seconds:g} s" if job.solve and job.stop.seconds is not None else ""
    action = "" if job.solve else " builds"
    name = f"{job.instance} x {job.scale:g}: {job.who}{action}"
    _say(sys.stderr, f"{name}, gap {job.stop.gap:g}{budget}{limit} …")
    done = perform_alone(job)
    _say(sys.stderr, f"{name}: " + ", ".join(f"{phase} {value:.2f} s" for phase, value in done.answer.seconds.items()))
    return done


def _warm(suite: Suite) -> list[Warm]:
    """Measure the answers of an open session."""
    measurements: list[Warm] = []
    for name in GAPS if not suite.only or "W" in suite.only else ():
        _say(sys.stderr, f"{name} x {suite.scale:g}: an open session, asked about changes of one material …")
        measurements += alone(measure, name, suite.scale)
    return measurements


def _append(path: Path, records: Iterable[dict[str, Any]], versions: dict[str, object], first: bool) -> None:
    with path.open("w" if first else "a", encoding="utf-8") as file:
        for line in records:
            file.write(json.dumps({**line, "versions": versions}) + "\n")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(where: TextIO, *texts: str, end: str = "\n") -> None:
    where.write("\n".join(texts) + end)
    where.flush()


if __name__ == "__main__":
    sys.exit(main())
