"""Fixtures of tests of commands: a case, and the wheels of all distributions."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from .program import create_once, here

typer.testing._get_command = cache(typer.testing._get_command)


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the case that `init` writes. Tests must not change it."""
    folder = tmp_path_factory.mktemp("first") / "case"
    assert here("init", "--start", "2026-10-01", folder).returncode == 0
    return folder


@pytest.fixture
def case(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of it, as the current folder."""
    monkeypatch.chdir(shutil.copytree(first, tmp_path / "case"))
    return tmp_path / "case"


@pytest.fixture(scope="session")
def wheels() -> Path:
    """Return the folder with wheels of all distributions, built once for all workers."""
    if shutil.which("uv") is None:
        pytest.skip("wheels are built by uv, which is not installed")
    return create_once("wheels", _build)[0]


def _build(folder: Path) -> str:
    command = ["uv", "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr
