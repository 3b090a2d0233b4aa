"""Tasks of whoever works on friendshore: `uv run nox -l` lists them, `uv run nox -s lint types` runs some, `uv run nox` what to run before a commit.

Each runs in the environment that `uv run` has made, so that nothing is installed twice. `.ci/run` and the workflows in `.github` call the same tasks.
"""

from __future__ import annotations

import os

import nox

nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False
nox.options.sessions = ["lint", "types", "layers", "tests"]

UNIT = ["tests/unit", "tests/property", "-m", "not deep and not wheels and not browser"]
"""What coverage is counted of: tests that start no process, in which lines would not be seen."""


@nox.session
def lint(session: nox.Session) -> None:
    """Style and form of the code; `-- --fix` mends what can be mended."""
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *(() if "--fix" in session.posargs else ("--check",)))


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.run("mypy", *session.posargs)


@nox.session
def layers(session: nox.Session) -> None:
    """Who may import whom."""
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests that are run all day; arguments after `--` go to pytest."""
    session.run("pytest", *session.posargs)


@nox.session
def deep(session: nox.Session) -> None:
    """What is slow by its nature, and properties on a tenth of all cases, or on as large a share as FRIENDSHORE_EXAMPLES says."""
    env = {"FRIENDSHORE_EXAMPLES": os.environ.get("FRIENDSHORE_EXAMPLES", "0.1")}
    session.run("pytest", "-m", "deep or wheels or hypothesis", *session.posargs, env=env)


@nox.session
def browser(session: nox.Session) -> None:
    """Pages in a real Chromium, if there is one."""
    session.run("uv", "run", "--group", "browser", "pytest", "-n0", "-m", "browser", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines and branches of the core the unit and property tests reach: those that are not reached, file by file, and the share in all."""
    session.run("pytest", "--cov", *UNIT, *session.posargs)


@nox.session
def hostile(session: nox.Session) -> None:
    """A thousand hostile inputs; `-- --count 20000 --seed 7` for more and others."""
    session.run("python", "-m", "tests.fuzz", *(session.posargs or ("--count", "1000")))


@nox.session
def site(session: nox.Session) -> None:
    """The documentation site, in `site/`; `-- serve` shows it while you write."""
    session.run("uv", "run", "--group", "docs", "mkdocs", *(session.posargs or ("build",)))


@nox.session
def bench(session: nox.Session) -> None:
    """The bench at a tenth of its size; arguments after `--` in place of that."""
    session.run("uv", "run", "--group", "bench", "python", "-m", "tests.bench", *(session.posargs or ("--quick",)))


@nox.session
def wheels(session: nox.Session) -> None:
    """Wheels of all distributions and the source distribution of the core, in `dist/`."""
    session.run("uv", "build", "--all-packages", "--out-dir", "dist", *session.posargs)


@nox.session
def ci(session: nox.Session) -> None:
    """All that must hold before a change lands."""
    session.run("bash", ".ci/run")
