"""A published problem as a case: the question comes to what its program does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore_risk.risk import risk_document
from friendshore_risk.risk_answer import Risk
from friendshore_risk.twostage import RiskMeasure, solve_recourse, solver_within

from . import warehouses
from .test_published_recourse import cap41


def asked(folder: Path, count: int, weight: float) -> dict[str, float]:
    case = warehouses.write(folder / "warehouses", count, 1)
    done = CliRunner().invoke(app, ["risk", str(case), "--weight", str(weight), "--most", "1000", "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.output)
    return {name: float(data[name]) for name in ("minimized", "bound", "expected", "cvar", "any_short")}


@pytest.mark.parametrize("weight", [pytest.param(0.0, marks=pytest.mark.deep), 1.0])
def test_warehouses_for_three_demands(tmp_path: Path, weight: float) -> None:
    """Demands are rounded to the gram, and nothing else is different."""
    program = solve_recourse(cap41(3, 1), RiskMeasure(weight, 0.9), solver_within())
    answer = asked(tmp_path, 3, weight)
    assert answer["minimized"] == pytest.approx(program.objective, rel=1e-7)
    assert answer["any_short"] == 0


@pytest.mark.deep
def test_a_plan_is_told_with_its_bound_though_time_was_up_before_one_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan as it is, or what its cuts lead to, followed in every scenario; what there was no time for is not told."""
    monkeypatch.setattr("friendshore_risk.twostage.solving.LARGE", 0)
    monkeypatch.setattr("friendshore_risk.risk_answer.FALLBACK_SECONDS", 60.0)  # however slow the machine is
    case = str(warehouses.write(tmp_path / "warehouses", 2, 1))
    done = CliRunner().invoke(app, ["risk", case, "--time-limit", "0.001", "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    best = solve_recourse(cap41(2, 1), RiskMeasure(0.0, 0.9), solver_within())
    assert 0.5 * best.objective < float(data["bound"]) <= best.objective <= float(data["minimized"])
    assert data["evpi"] is None
    assert {scenario["known_in_advance"] for scenario in data["scenarios"]} == {None}
    answer = {name: value for name, value in data.items() if name not in ("made", "version")}
    told = repr(risk_document(Risk.model_validate(answer), 0))
    assert "The best plan found in time" in told
    assert "lower bound on the cost of any plan" in told


@pytest.mark.nightly
def test_warehouses_for_the_worst_tenth_of_a_hundred_demands_as_a_case(tmp_path: Path) -> None:
    """Published: 643,401.317969, to a gap of 0.01%."""
    answer = asked(tmp_path, 100, 1.0)
    assert answer["minimized"] == pytest.approx(643401.317969, abs=0.01)
    assert answer["bound"] <= answer["minimized"]
