"""The worked scenarios: the table in the docs is what planning each of them gives, and what the paragraphs claim is so."""

from __future__ import annotations

import os
import re
from collections import defaultdict
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

pytestmark = pytest.mark.nightly
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
            found.append((told, money(float(spent)), money(float(objective)), tonnes(short(run), short(base))))
    return found


def short(run: Run) -> dict[str, float]:
    """Tonnes short over the plan, by material."""
    found: defaultdict[str, float] = defaultdict(float)
    for demand in run.demands:
        found[demand.material] += float(demand.short_kg) / 1000
    return found


def money(amount: float) -> str:
    """Millions, with a sign."""
    return f"{amount / 1e6:+,.1f}" if abs(amount) >= 5e4 else "0"


def tonnes(after: dict[str, float], before: dict[str, float]) -> str:
    """Tonnes by which each material is shorter, with a sign; those of different materials are not added up."""
    more = {name: amount - before[name] for name, amount in after.items()}
    return (
        ", ".join(f"{name} {amount:+,.1f}" for name, amount in sorted(more.items()) if abs(amount) >= 0.05) or "nothing"
    )


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
    """64 t short with the ban, all of it civil: defence comes first; beside Wagerup on time 3.9 t, until it delivers on 2027-03-31."""
    ban = shorter(runs, "minerals-ban")
    assert ban["gallium-civil"] == 64
    assert "gallium-defense" not in ban
    together = runs[TOGETHER]
    assert shorter(runs, *TOGETHER)["gallium-civil"] == 3.9
    late = {row.period for row in together.shortages if row.material == "gallium-metal-4n"}
    assert late == {"2027-Q1"}


@pytest.mark.parametrize("name", ["october-package", "tariff-145", "prices-x5", "kazakh-tungsten", "wagerup-late"])
def test_nobody_is_shorter(runs: Runs, name: str) -> None:
    """Prices, duties and new mines move suppliers and money."""
    assert shorter(runs, name) == {}


def test_no_scenario_moves_the_price_of_a_shortage(runs: Runs) -> None:
    """Duties, fivefold prices and a ban weigh what is short alike."""
    prices = {names: {demand.id: demand.shortage_price for demand in run.demands} for names, run in runs.items()}
    assert all(found == prices[()] for found in prices.values())


def test_defence_is_never_short_of_what_civil_buyers_get(runs: Runs) -> None:
    """A kilogram short costs more for defence than for civil use, of whatever metal that can take its place in a plant."""
    for run in runs.values():
        by_material: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for demand in run.demands:
            kept = by_material[demand.material].setdefault(demand.end_use, float(demand.shortage_price))
            by_material[demand.material][demand.end_use] = min(kept, float(demand.shortage_price))
        both = [found for found in by_material.values() if len(found) > 1]
        assert both
        assert all(found["defense"] >= 10 * found["civil"] * (1 - 1e-9) for found in both)
