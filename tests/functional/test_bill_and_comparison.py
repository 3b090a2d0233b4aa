"""`ledger` and `compare` as a planner runs them: the text, the JSON, exit codes, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from friendshore.program.matrix import Floats, Linear
from friendshore.solve.engine import TO_THE_END, Ask, SolverAnswer, SolverOutcome
from friendshore.solve.engines import highs

from .program import call, here

ROOT = Path(__file__).parents[2]
STEEL = "docs/cases/published/multmip3"
THREE = "fixed-cost,minimum-load,max-served"


def friendshore(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a program of its own, at the root of the repository."""
    return call(list(arguments), {**os.environ, "COLUMNS": "100"}, ROOT)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The case that `init` writes."""
    folder = str(tmp_path_factory.mktemp("first") / "case")
    assert friendshore("init", "--start", "2026-10-01", folder).returncode == 0
    return folder


ENDED = (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
SEARCHED: dict[int, list[tuple[Linear, Ask, SolverAnswer]]] = {}
"""Searches that came to their end, by how many entries their matrix has."""


@pytest.fixture
def steel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process, at the root of the repository, and what several of them search is searched once: it takes seconds each."""
    search = highs.solve_with_highs

    def once(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True) -> SolverAnswer:
        searched = SEARCHED.setdefault(linear.matrix.nnz, [])
        for other, by, answer in searched:
            if (by.gap, by.tight) == (ask.gap, ask.tight) and same(linear, other):
                return answer
        answer = search(linear, ask, hint, presolve)
        if answer.outcome in ENDED:
            searched.append((linear, ask, answer))
        return answer

    monkeypatch.setattr(highs, "solve_with_highs", once)
    monkeypatch.chdir(ROOT)


def same(one: Linear, other: Linear) -> bool:
    """Whether two programs are the same to the last bit."""
    plain = ("cost", "lower", "upper", "integer", "row_lower", "row_upper")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in plain) and all(
        np.array_equal(getattr(one.matrix, name), getattr(other.matrix, name)) for name in ("data", "indices", "indptr")
    )


def told(page: str, command: str) -> str:
    """The output that a reference page shows of a command."""
    text = ROOT.joinpath("docs/reference/questions", page).read_text(encoding="utf-8")
    return text.split(f"$ friendshore {command}\n", 1)[1].split("```", 1)[0]


@pytest.mark.deep
@pytest.mark.usefixtures("steel")
def test_the_bill_in_order_is_the_one_of_the_page() -> None:
    """The published steps, and nothing on stderr."""
    run = here("ledger", STEEL, "--order", THREE, "--full")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == told("ledger.md", f"ledger {STEEL} --order {THREE} --full")
    assert "max-served    –       +2,475.00      +2,475.00        –" in run.stdout


@pytest.mark.deep
def test_the_bill_as_json(first: str) -> None:
    """One object with tables of items, parts and cells, and what the items add is what all of them add."""
    found = json.loads(friendshore("ledger", first, "--items", "defense-origin,not-all-from-one", "--json").stdout)
    adds = {item["name"]: item["adds"]["amount"] for item in found["items"]}
    assert adds.keys() == {"defense-origin", "not-all-from-one"}
    assert round(100 * sum(adds.values())) == round(100 * (found["after"]["amount"] - found["before"]["amount"])) > 0
    assert found["method"] == "exact"


@pytest.mark.deep
@pytest.mark.usefixtures("steel")
def test_the_bill_of_a_published_problem_as_json() -> None:
    """Items add what the published optima differ by."""
    found = json.loads(here("ledger", STEEL, "--items", THREE, "--json").stdout)
    assert {item["name"]: item["adds"]["amount"] for item in found["items"]} == {
        "fixed-cost": 29350, "max-served": 4237.5, "minimum-load": 2537.5,
    }  # fmt: skip
    assert (found["before"]["amount"], found["after"]["amount"], found["method"]) == (199500, 235625, "exact")


@pytest.mark.nightly
def test_the_whole_bill_of_the_worked_case_adds_up() -> None:
    """Cent by cent, item by item and part by part, with what one more unit would save."""
    run = friendshore("ledger", "docs/cases/us-2027", "--json", "--exact", "2", "--samples", "3")
    found = json.loads(run.stdout)
    cents = [round(100 * item["adds"]["amount"]) for item in found["items"]]
    assert sum(cents) == round(100 * found["adds"]["amount"])
    assert found["method"] == "sampled"
    assert found["margins"]["capacities"]
    assert found["effort"]["reused"] > found["effort"]["solved"]


def test_an_order_and_items_exclude_each_other(first: str) -> None:
    """So do two cases and scenarios; a comparison needs something to compare with; and an item needs its right name."""
    assert friendshore("ledger", STEEL, "--order", "lot", "--items", "lot").returncode == 2
    assert friendshore("compare", STEEL).returncode == 2
    assert friendshore("compare", STEEL, STEEL, "--scenario", "x").returncode == 2
    run = friendshore("ledger", first, "--items", "defense-orgin")
    assert run.returncode == 2
    assert "did you mean `defense-origin`" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_comparison_with_a_scenario_that_moves_nothing(first: str) -> None:
    """The Canadian plant is lost after it has delivered: said as a step that costs nothing, proved."""
    found = json.loads(friendshore("compare", first, "--scenario", "no-canada", "--json").stdout)
    assert not [line for line in found["mix"] if line["moved_kg"]]
    assert (found["difference"]["value"], found["difference"]["proved"]) == (0, True)
    assert [step["title"] for step in found["steps"]] == ["remove country:CA, from 2027-07-01"]


@pytest.mark.deep
def test_a_comparison_with_a_scenario() -> None:
    """The repeal moves magnets and what they are made of; nothing else moves."""
    run = friendshore("compare", "docs/cases/us-2027", "--scenario", "s1803", "--json")
    found = json.loads(run.stdout)
    assert {line["material"] for line in found["mix"] if line["moved_kg"]} == {
        "dy-oxide",
        "ndfeb-magnet-dy",
        "ndpr-oxide",
    }
    assert found["difference"]["proved"]
    assert found["least_moved"]
    assert [step["title"] for step in found["steps"]] == ["enable us-p-1803"]


@pytest.mark.deep
def test_two_runs_side_by_side(first: str, tmp_path: Path) -> None:
    """Planned again from their own facts; what differs in them is named."""
    stricter = Path(shutil.copytree(first, tmp_path / "stricter"))
    text = (stricter / "case.toml").read_text(encoding="utf-8")
    (stricter / "case.toml").write_text(text.replace("share = 0.8\n", "share = 0.5\n"), encoding="utf-8")
    for name, case in (("first", first), ("stricter", str(stricter))):
        run = str(tmp_path / f"{name}-run")
        assert friendshore("plan", case, "--quiet", "--out", run).returncode == 0
        assert friendshore("verify", run).returncode == 0
    run = friendshore("compare", str(tmp_path / "first-run"), str(tmp_path / "stricter-run"))
    assert run.returncode == 0
    assert "spends USD" in run.stdout
    assert "more cash" in " ".join(run.stdout.split())
    assert "not-all-from-one" in run.stdout


@pytest.mark.nightly
@pytest.mark.usefixtures("steel")
def test_two_published_runs_side_by_side(tmp_path: Path) -> None:
    """The difference of the published optima, and the rule that makes it."""
    for name in ("multmip2", "multmip3"):
        run = str(tmp_path / name)
        assert here("plan", f"docs/cases/published/{name}", "--quiet", "--out", run).returncode == 0
    compared = here("compare", str(tmp_path / "multmip2"), str(tmp_path / "multmip3"))
    assert "B is short of nothing, as A, and spends USD 2,475 more cash" in " ".join(compared.stdout.split())
    assert "max-served" in compared.stdout
