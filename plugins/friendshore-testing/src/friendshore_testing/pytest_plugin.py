"""Checks of the conformance kit as tests, on request: `pytest -p friendshore_testing.pytest_plugin --friendshore PATH`.

Nothing is registered by installing friendshore. `--friendshore` may be given several times, and takes what
`friendshore plugins check` takes: a folder, or the name of an installed plugin. In `pyproject.toml`:

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
    """Adds the option, and the key of the configuration file."""
    says = "plugin, catalog or rule pack that is checked: a folder, or the name of an installed plugin"
    parser.getgroup(OPTION).addoption("--friendshore", action="append", default=[], metavar="NAME", help=says)
    parser.addini(OPTION, says, type="args", default=[])


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds one test for each check of what was asked for; folders start from where pytest keeps its configuration."""
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

    def __init__(self, *, check: Check, **more: Any) -> None:
        super().__init__(**more)  # pytest's own arguments, passed on
        self.check = check

    def runtest(self) -> None:
        """Makes the check; a note passes, and what cannot be looked at is skipped."""
        outcome = self.check.outcome()
        if outcome.left_out:
            pytest.skip(outcome.left_out)
        if not outcome.holds:
            raise AssertionError("\n".join((self.check.says, *map(str, outcome.found))))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """What was found, without a traceback of ours."""
        del style
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where a report says that it comes from."""
        return self.path, None, self.name
