"""Fixtures for tests of plugins."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from friendshore.cli.cases import write_starter


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case that `init` writes; no test changes it."""
    folder = tmp_path_factory.mktemp("case") / "first"
    write_starter(folder, date(2026, 10, 1))
    return folder
