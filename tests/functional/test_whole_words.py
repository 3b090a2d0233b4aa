"""First screens of all example cases show whole words."""

from __future__ import annotations

from pathlib import Path

import pytest

import friendshore
from friendshore.cli.cases import write_starter
from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.report import plan_document

CASES = Path(__file__).parents[2] / "docs" / "cases"
EXAMPLES = sorted(file.parent for file in CASES.rglob("case.toml"))


@pytest.mark.deep
@pytest.mark.parametrize("folder", [Path("starter"), *EXAMPLES], ids=lambda folder: folder.name)
def test_no_word_is_cut(folder: Path, tmp_path: Path) -> None:
    """At 100 columns, reasons, rules, materials, and suppliers are whole."""
    if not folder.is_dir():
        folder = tmp_path / "case"
        write_starter(folder)
    screen = plain_text(
        plan_document(friendshore.plan(friendshore.load_case(folder)).run).on_screen(), 100, max_lines=LINES
    )
    assert "…" not in screen
    assert all(len(line) <= 100 for line in screen.splitlines())
