"""The worked scenarios: the table in the docs is what planning each of them gives, and what the paragraphs claim is so."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import friendshore
from friendshore.domain.run import Run

CASE = Path(__file__).parents[2] / "docs" / "cases" / "us-2027"
PAGE = CASE / "scenarios.md"
ROW = re.compile(r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
BROUGHT = "cn-suspensions-lapse"
"""Brought by a rule pack."""
TOGETHER = ("minerals-ban", "wagerup-on-time")

Runs = dict[tuple[str, ...], Run]


@pytest.fixture(scope="module")
def runs() -> Runs:
    """The run under enacted law and that of every scenario."""
    case = friendshore.load_case(CASE)
    names = [(scenario.name,) for scenario in case.scenarios]
    return {name: friendshore.plan(case, scenario=name).run for name in ((), *names, (BROUGHT,), TOGETHER)}


def rows(runs: Runs) -> list[tuple[str, ...]]:
    """The table of the page."""
    base = runs[()]
    found = []
    for names, run in runs.items():
        if names:
            spent, objective = run.cost.total - base.cost.total, run.objective - base.objective
            told = ", ".join(f"`{name}`" for name in names)
            found.append((told, money(float(spent)), money(float(objective)), tonnes(short(run) - short(base))))
    return found


def short(run: Run) -> float:
    """Tonnes short over the plan."""
    return float(sum(demand.short_kg for demand in run.demands)) / 1000


def money(amount: float) -> str:
    """Millions, with a sign."""
    return f"{amount / 1e6:+,.1f}" if abs(amount) >= 5e4 else "0"


def tonnes(amount: float) -> str:
    """Tonnes, with a sign."""
    return f"{amount:+,.1f}" if abs(amount) >= 0.05 else "0"


def test_the_table_is_what_the_scenarios_give(runs: Runs) -> None:
    """`SCENARIOS=write pytest` writes it anew."""
    text = PAGE.read_text(encoding="utf-8")
    now = rows(runs)
    if os.environ.get("SCENARIOS") == "write":
        table = "\n".join(f"| {' | '.join(row)} |" for row in now)
        head = "|---|---:|---:|---:|\n"
        before, _, after = text.partition(head)
        PAGE.write_text(before + head + table + "\n\n" + after.split("\n\n", 1)[1], encoding="utf-8")
    assert ROW.findall(PAGE.read_text(encoding="utf-8")) == now


def test_every_plan_is_optimal_and_verified(runs: Runs) -> None:
    """Each is the cheapest, proved, and checked by the verifier."""
    assert {(run.status.value, run.verified) for run in runs.values()} == {("optimal", True)}


def shorter(runs: Runs, *names: str) -> dict[str, float]:
    """Tonnes by which demands are shorter than under enacted law."""
    before = {demand.id: demand.short_kg for demand in runs[()].demands}
    moved = {demand.id: float(demand.short_kg - before[demand.id]) / 1000 for demand in runs[names].demands}
    return {name: round(t, 1) for name, t in moved.items() if abs(t) >= 0.05}


def test_gallium_is_what_the_ban_makes_short_and_wagerup_heals_it(runs: Runs) -> None:
    """64 t short with the ban; beside Wagerup on time 3.7 t, before it delivers."""
    gallium = shorter(runs, "minerals-ban")
    assert set(gallium) == {"gallium-civil", "gallium-defense"}
    assert sum(gallium.values()) == pytest.approx(64)
    together = runs[TOGETHER]
    assert sum(shorter(runs, *TOGETHER).values()) == pytest.approx(3.7)
    late = {row.period for row in together.shortages if row.material == "gallium-metal-4n"}
    assert late == {"2026-Q4", "2027-Q1"}


def test_the_substitute_sets_metal_free(runs: Runs) -> None:
    """Metal is short without it and not with it; 13 t more dioxide are there."""
    dry, glass = shorter(runs, "germanium-dry"), shorter(runs, "germanium-substitute")
    assert {"germanium-civil", "germanium-defense"} <= set(dry)
    assert not {"germanium-civil", "germanium-defense"} & set(glass)
    assert round(dry["germanium-dioxide-civil"] - glass["germanium-dioxide-civil"]) == 13


@pytest.mark.parametrize("name", ["october-package", "tariff-145", "prices-x5", "kazakh-tungsten", "wagerup-late"])
def test_nobody_is_shorter(runs: Runs, name: str) -> None:
    """Prices, duties and new mines move suppliers and money."""
    assert shorter(runs, name) == {}
