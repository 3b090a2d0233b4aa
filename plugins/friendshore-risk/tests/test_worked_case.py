"""The worked case of the page on risk comes to what the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from friendshore.cli.app import app

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "explanation" / "risk.md").read_text(encoding="utf-8")


@pytest.mark.deep
def test_the_worked_case_comes_to_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its events at the end of the case of the repository; every line of the page is printed, in its order."""
    events = re.search(r"```toml\n(\[plugin.*?)```", PAGE, re.DOTALL)
    hits = re.search(r"```text\n(The plan with the lowest expected cost.*?)```", PAGE, re.DOTALL)
    shutil.copytree(DOCS / "cases" / "us-2027", tmp_path / "us-2027")
    with (tmp_path / "us-2027" / "case.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + events[1])
    monkeypatch.setenv("COLUMNS", "100")
    done = CliRunner().invoke(app, ["risk", str(tmp_path / "us-2027"), "--frontier", "--full", "--quiet"])
    assert done.exit_code == 0, done.output
    printed = iter([line.rstrip() for line in done.stdout.splitlines()])
    for line in hits[1].splitlines():
        assert line == "..." or line in printed, line
