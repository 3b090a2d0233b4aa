"""Conformance checks as tests, on request: `pytest -p friendshore_testing.pytest_plugin --friendshore PATH`.

Installing friendshore registers nothing. `--friendshore` may repeat, and takes the same arguments as `friendshore plugins check`: a folder, or
the name of an installed plugin. In `pyproject.toml`:

    [tool.pytest.ini_options]
    addopts = ["-p", "friendshore_testing.pytest_plugin"]
    friendshore = ["."]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from friendshore.errors import FriendshoreError

from .check import Check
from .subjects import checks_of

OPTION = "friendshore"


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "plugin, catalog, or rule pack to check: a folder, or the name of an installed plugin"
    parser.getgroup(OPTION).addoption("--friendshore", action="append", default=[], metavar="NAME", help=help_text)
    parser.addini(OPTION, help_text, type="args", default=[])


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add one test for each check. Folders are relative to pytest's configuration file."""
    for subject in (*config.getoption(OPTION), *config.getini(OPTION)):
        folder = config.rootpath / subject
        items.extend(_items(session, folder if folder.is_dir() else subject))


def _items(session: pytest.Session, subject: str | Path) -> Iterator[pytest.Item]:
    try:
        checks = checks_of(subject)
    except FriendshoreError as error:
        raise pytest.UsageError(str(error)) from error
    for check in checks:
        yield Conformance.from_parent(session, name=str(check), check=check)


class Conformance(pytest.Item):
    """One check as a test."""

    def __init__(self, *, check: Check, **pytest_arguments: Any) -> None:
        super().__init__(**pytest_arguments)
        self.check = check

    def runtest(self) -> None:
        """Run the check. A check with only notes passes, and a check that can't run is skipped."""
        outcome = self.check.outcome()
        if outcome.skip_reason:
            pytest.skip(outcome.skip_reason)
        if not outcome.passed:
            raise AssertionError("\n".join((self.check.requirement, *map(str, outcome.problems))))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        del style
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
