"""`ask` on the worked case, and on the case that `init` writes: what is printed, and that a change of its JSON gives the plan it tells of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.functional.program import here as friendshore

ROOT = Path(__file__).parents[3]
CASE = str(ROOT / "docs" / "cases" / "us-2027")
PAGE = ROOT / "docs" / "reference" / "questions" / "ask.md"


@pytest.mark.nightly
def test_the_page_shows_what_is_printed() -> None:
    """One screen of a hundred columns, the same as on the page."""
    done = friendshore("ask", CASE, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) <= 40
    _, example = PAGE.read_text(encoding="utf-8").split("```text\n")
    assert example.split("```")[0] == done.stdout


@pytest.mark.deep
def test_a_change_that_is_told_gives_the_plan_that_is_told(first: Path) -> None:
    """`plan --change` saves as much as `ask` reports for the best answer to the first unknown."""
    done = friendshore("ask", str(first), "--json", "--spread", "40%")
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    unknown = data["unknowns"][0]
    assert (unknown["rank"], data["spread"]) == (1, 0.4)
    (change,) = unknown["possibilities"][unknown["best"]]["changes"]
    factor = f"price={change['price']}, factor={change['factor']}"
    planned = json.loads(friendshore("plan", str(first), "--json", "--change", factor).stdout)
    assert planned["objective"] == pytest.approx(data["objective"] - unknown["saving"]["value"], abs=0.01)


def test_words_that_rank_nothing_are_refused() -> None:
    """With what would have been understood, before anything is planned."""
    done = friendshore("ask", CASE, "--by", "guesses")
    assert done.returncode == 2
    assert "expected: money or kilograms" in done.stderr
