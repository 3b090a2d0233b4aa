"""`alternatives` and `why-not` from the command line: a case and its run folder, text and JSON, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .program import here as friendshore

CASE = str(Path(__file__).parents[2] / "docs" / "cases" / "us-2027")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The case that `init` writes."""
    folder = str(tmp_path_factory.mktemp("first") / "case")
    assert friendshore("init", "--start", "2026-10-01", folder).returncode == 0
    return folder


def alternatives(path: str, material: str) -> dict[str, Any]:
    """The one JSON object that stdout holds."""
    done = friendshore("alternatives", path, material, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("material", "must", "out", "rule"),
    [
        ("gallium-4n", "quebec-gallium", "guangxi-gallium", "defense-origin"),
        pytest.param(
            "gallium-metal-4n",
            "jp-gallium-4n",
            "ru-gallium-4n",
            "sanctions-policy",
            marks=pytest.mark.nightly,
            id="us-2027",
        ),
    ],
)
def test_a_case_and_its_run_give_the_same_alternatives(
    first: str, tmp_path: Path, material: str, must: str, out: str, rule: str
) -> None:
    """Ranks, shares and what is kept out."""
    case, run = first if material == "gallium-4n" else CASE, str(tmp_path / "run")
    done = friendshore("plan", case, "--out", run, "--quiet")
    assert done.returncode == 0, done.stderr
    told = [alternatives(path, material) for path in (case, run)]
    offers = {one["offer"]: one for one in told[0]["offers"]}
    assert offers[must]["rank"] is not None
    assert offers[must]["share"]["role"] == "must"
    assert offers[out]["obstacles"][0]["rule"] == rule
    ranked = [[(one["offer"], one["rank"]) for one in each["offers"] if one["rank"]] for each in told]
    assert ranked[0] == ranked[1]


def test_why_not_says_what_keeps_an_offer_out(first: str) -> None:
    """Chinese gallium: barred for defence by one rule, which is named with what it would give and save without it."""
    done = friendshore("why-not", first, "guangxi-gallium")
    assert done.returncode == 0, done.stderr
    for words in (
        "What keeps it out",
        "forbidden [defense-origin]",
        "without defense-origin altogether",
        "questions asked",
    ):
        assert words in done.stdout
    assert "every cheapest plan buys it" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.deep
def test_why_not_says_at_what_price_and_why() -> None:
    """Chinese tungsten powder: kept out by two rules, which must be relaxed together."""
    done = friendshore("why-not", CASE, "cn-tungsten-powder")
    assert done.returncode == 0, done.stderr
    for words in (
        "It is kept out",
        "us-4872-tungsten-2027",
        "All of these relaxed",
        "every cheapest plan buys it",
        "questions asked",
    ):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_is_not_there_is_refused_in_one_line_of_json(first: str) -> None:
    """An offer and a material that are misspelt, each with what was meant."""
    done = friendshore("why-not", first, "quebec-galium", "--json")
    assert done.returncode == 2
    assert "quebec-gallium" in json.loads(done.stdout)["errors"][0]["fix"]
    done = friendshore("alternatives", first, "galium-4n")
    assert done.returncode == 2
    assert "did you mean `gallium-4n`" in done.stderr
