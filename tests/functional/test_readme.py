"""What README.md promises is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from friendshore.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The commands in the table, `catalogs list` and its like spelt out."""
    found = []
    for cell in re.findall(r"^\| (`friendshore .*?) \|", README, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        words = [word for word in first.split()[1:] if word.islower()]
        found += [words, *([words[0], other] for other in others)]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_of_the_readme_exist(words: list[str]) -> None:
    """Every command in the table answers to `--help`."""
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, result.output


def test_readme_shows_every_layer() -> None:
    """The table of layers lists all there are in the engine."""
    rows = re.findall(r"^\| (`\w+`(?: \\\| `\w+`)*) \| ", README, re.MULTILINE)
    shown = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    engine = ROOT / "core" / "friendshore"
    there = {path.stem for path in engine.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert there - {"__init__", "__main__", "errors", "hookspecs"} == shown
