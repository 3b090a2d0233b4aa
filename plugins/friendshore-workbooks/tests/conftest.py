"""A first case for tests of commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def case(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the case that `init` writes, as the current folder."""
    monkeypatch.chdir(shutil.copytree(first, tmp_path / "case"))
    return tmp_path / "case"
