"""Tasks for working on friendshore, the single definition of every check.

`uv run nox -l` lists the tasks, `uv run nox -s lint types` runs some, and `uv run nox` runs what a commit needs. `.ci/run` and the workflows in
`.github` call these tasks too. Tasks run in the environment that `uv run` has made, so that nothing is installed twice.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False
nox.options.sessions = ["lint", "types", "layers", "tests"]

SEALED = ["tests/unit", "tests/property", "-m", "not nightly"]
"""Tests that coverage counts: they start no processes, in which lines wouldn't be seen."""
SAMPLE = "0.01"
"""Share of the cases of each property that `deep` tries unless FRIENDSHORE_EXAMPLES gives another."""
PAGES = ["uv", "run", "--group", "browser", "pytest", "-n0", "-m"]
"""Command for tests in a browser, up to their marks; each drives one browser, so they run one after another."""
BESIDE = ["types", "layers", "chromium", "browser", "hostile"]
"""Tasks that `ci` runs beside its tests: one process each, and nothing that the tests need."""


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; `-- --fix` corrects what it can."""
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *(() if "--fix" in session.posargs else ("--check",)))


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    session.run("mypy", *session.posargs)


@nox.session
def layers(session: nox.Session) -> None:
    """Check who imports whom."""
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the quick tests; arguments after `--` go to pytest."""
    session.run("pytest", *session.posargs)


@nox.session
def deep(session: nox.Session) -> None:
    """Run the deep tests, with a sample of the cases of each property."""
    _sampled(session, "(deep or wheels) and not nightly and not browser")


def _sampled(session: nox.Session, marks: str) -> None:
    env = {"FRIENDSHORE_EXAMPLES": os.environ.get("FRIENDSHORE_EXAMPLES", SAMPLE)}
    session.run("pytest", "-m", marks, *session.posargs, env=env)


@nox.session
def nightly(session: nox.Session) -> None:
    """Run every test at full depth in the random order of the day, and 20,000 hostile inputs; takes hours."""
    patience = ["--timeout=3600", "-o", "faulthandler_timeout=4000"]
    order = f"--shuffle={time.strftime('%F', time.gmtime())}"
    session.run("pytest", "-m", "not browser", *patience, order, *session.posargs, env={"FRIENDSHORE_EXAMPLES": "1"})
    session.run(*PAGES, "browser", *session.posargs)
    session.run("python", "-m", "tests.fuzz", "--count", "20000")


@nox.session
def browser(session: nox.Session) -> None:
    """Check pages in a real Chromium, if there is one."""
    session.run(*PAGES, "browser and not nightly", *session.posargs)


@nox.session
def chromium(session: nox.Session) -> None:
    """Install Chromium and the font that the pages are checked with, if missing and this is root on a system with apt-get."""
    has_font = any(Path("/usr/share/fonts").rglob("LiberationSans-Regular.*"))
    packages = [*([] if shutil.which("chromium") else ["chromium"]), *([] if has_font else ["fonts-liberation"])]
    if packages and shutil.which("apt-get") and os.getuid() == 0:
        install = f"apt-get update -qq && apt-get install -qq --no-install-recommends {' '.join(packages)}"
        session.run(
            "sh", "-c", install, env={"DEBIAN_FRONTEND": "noninteractive"}, silent=True, success_codes=range(256)
        )


@nox.session
def coverage(session: nox.Session) -> None:
    """Report the lines and branches of the core that unit and property tests don't reach."""
    session.run("pytest", "--cov", *SEALED, *session.posargs)


@nox.session
def hostile(session: nox.Session) -> None:
    """Try 200 hostile inputs; `-- --count 20000 --seed 7` for more and others."""
    session.run("python", "-m", "tests.fuzz", *(session.posargs or ("--count", "200")))


@nox.session
def site(session: nox.Session) -> None:
    """Build the documentation site in `site/`; `-- serve` shows it while you write."""
    session.run("uv", "run", "--group", "docs", "mkdocs", *(session.posargs or ("build",)))


@nox.session
def bench(session: nox.Session) -> None:
    """Run the bench at a tenth of its size; arguments after `--` replace that."""
    session.run("uv", "run", "--group", "bench", "python", "-m", "tests.bench", *(session.posargs or ("--quick",)))


@nox.session
def wheels(session: nox.Session) -> None:
    """Build wheels of all distributions and the source distribution of the core in `dist/`."""
    session.run("uv", "build", "--all-packages", "--out-dir", "dist", *session.posargs)


@nox.session
def ci(session: nox.Session) -> None:
    """Run everything that must pass before a change lands; each task says how long it took."""
    with tempfile.TemporaryDirectory() as scratch:
        # Shared by the hundreds of processes that tests start: what Python compiles, kept for the next run, and what several tests need made.
        bytecode = Path(".pytest_cache", "bytecode").absolute()
        os.environ.update(PYTHONPYCACHEPREFIX=str(bytecode), FRIENDSHORE_MADE=f"{scratch}/made")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        lint(session)
        log = Path(scratch, "beside.log")
        with log.open("wb") as output:
            command = [sys.executable, "-m", "nox", "-s", *BESIDE]
            beside = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)  # noqa: S603
        try:
            # Quick and deep tests in one run, so that they are collected and their cases planned once.
            _sampled(session, "not nightly and not browser")
            failed = beside.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(beside.pid, signal.SIGTERM)
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
        if failed:
            session.error("a task beside the tests failed")
