"""`alternatives` and `why-not` from the command line: a case and its run folder, text and JSON, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .test_cli import friendshore

CASE = str(Path(__file__).parents[2] / "docs" / "cases" / "us-2027")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run folder of the worked case."""
    folder = tmp_path_factory.mktemp("run") / "us-2027"
    done = friendshore("plan", CASE, "--out", str(folder), "--quiet")
    assert done.returncode == 0, done.stderr
    return str(folder)


def test_a_case_and_its_run_give_the_same_alternatives(run: str) -> None:
    """Ranks, shares and what is kept out; stdout holds one JSON object."""
    told = []
    for path in (CASE, run):
        done = friendshore("alternatives", path, "gallium-metal-4n", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        told.append(json.loads(done.stdout))
    offers = {one["offer"]: one for one in told[0]["offers"]}
    assert offers["jp-gallium-4n"]["rank"] is not None
    assert offers["jp-gallium-4n"]["share"]["role"] == "must"
    assert offers["ru-gallium-4n"]["obstacles"][0]["rule"] == "sanctions-policy"
    ranked = [[(one["offer"], one["rank"]) for one in each["offers"] if one["rank"]] for each in told]
    assert ranked[0] == ranked[1]


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


def test_what_is_not_there_is_refused_in_one_line_of_json() -> None:
    """An offer and a material that are misspelt, each with what was meant."""
    done = friendshore("why-not", CASE, "cn-tungsten-powdr", "--json")
    assert done.returncode == 2
    assert "cn-tungsten-powder" in json.loads(done.stdout)["errors"][0]["fix"]
    done = friendshore("alternatives", CASE, "galium-metal-4n")
    assert done.returncode == 2
    assert "did you mean `gallium-metal-4n`" in done.stderr
