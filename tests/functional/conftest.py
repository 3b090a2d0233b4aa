"""Shared by tests of commands: the command line, made of its functions once, and the wheels of all distributions."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import typer.testing

from .program import made_once

typer.testing._get_command = cache(typer.testing._get_command)


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
