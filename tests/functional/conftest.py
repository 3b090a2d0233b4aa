"""Shared by tests of commands: the command line, made of its functions once, a first case, and the wheels of all distributions."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from .program import here, made_once

typer.testing._get_command = cache(typer.testing._get_command)


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case that `init` writes, which no test changes."""
    folder = tmp_path_factory.mktemp("first") / "case"
    assert here("init", "--start", "2026-10-01", folder).returncode == 0
    return folder


@pytest.fixture
def case(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    monkeypatch.chdir(shutil.copytree(first, tmp_path / "case"))
    return tmp_path / "case"


@pytest.fixture(scope="session")
def wheels() -> Path:
    """The wheels of all distributions of the workspace, built once for all workers."""
    if shutil.which("uv") is None:
        pytest.skip("wheels are built by uv, which is not installed")
    return made_once("wheels", _build)[0]


def _build(folder: Path) -> str:
    command = ["uv", "build", "--quiet", "--all-packages", "--wheel", "--out-dir", str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr
