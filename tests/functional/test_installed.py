"""The main job as users have friendshore: from wheels alone, and from an editable installation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
pytestmark = pytest.mark.wheels


def run(*command: object, cwd: Path) -> str:
    """Return what a command prints; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_plans(programs: Path, folder: Path) -> None:
    """Plan the worked case in a folder with an installation."""
    shutil.copytree(ROOT / "docs" / "cases" / "us-2027", folder / "case")
    listed = run(programs / "friendshore", "plugins", "list", cwd=folder)
    assert [plugin.name for plugin in PLUGINS if plugin.name not in listed] == []
    plan = json.loads(run(programs / "friendshore", "plan", "case", "--json", cwd=folder))
    assert (plan["verified"], plan["status"]) == (True, "optimal")
    assert plan["purchases"]


def imported_from(programs: Path, folder: Path) -> Path:
    """Return the folder from which an installation imports friendshore."""
    return Path(run(programs / "python", "-c", "import friendshore; print(friendshore.__file__)", cwd=folder).strip())


def test_wheels_alone_make_a_verified_plan(wheels: Path, tmp_path: Path) -> None:
    """All distributions install from their wheels, and nothing is taken from the repository."""
    run("uv", "venv", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    run("uv", "pip", "install", "--python", tmp_path / "venv", *wheels.glob("*.whl"), cwd=tmp_path)
    programs = tmp_path / "venv" / "bin"
    assert ROOT not in imported_from(programs, tmp_path).parents
    assert_plans(programs, tmp_path)


@pytest.mark.parametrize("installer", ["uv", pytest.param("pip", marks=pytest.mark.nightly)])
def test_an_editable_installation_makes_a_verified_plan(installer: str, tmp_path: Path) -> None:
    """The repository and all plugins, installed as they are, give a working program."""
    run("uv", "venv", "--seed", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / "bin"
    # Most of what is installed is never used, so compiling it would only take time.
    install: tuple[object, ...] = (programs / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    if installer == "uv":
        install = ("uv", "pip", "install", "--quiet", "--python", programs / "python")
    run(*install, *(word for folder in (ROOT, *PLUGINS) for word in ("-e", folder)), cwd=tmp_path)
    assert ROOT in imported_from(programs, tmp_path).parents
    assert_plans(programs, tmp_path)
