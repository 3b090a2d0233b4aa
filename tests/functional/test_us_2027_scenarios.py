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
PAGE = CASE / "README.md"
ROW = re.compile(r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
BROUGHT = "cn-suspensions-lapse"
"""Brought by a rule pack."""
TOGETHER = ("minerals-ban", "wagerup-on-time")

pytestmark = pytest.mark.nightly
Runs = dict[tuple[str, ...], Run]


@pytest.fixture(scope="module")
def runs() -> Runs:
    """Return the run under enacted law and that of every scenario."""
    case = friendshore.load_case(CASE)
    names = [(scenario.name,) for scenario in case.scenarios]
    return {name: friendshore.plan(case, scenario=name).run for name in ((), *names, (BROUGHT,), TOGETHER)}


def rows(runs: Runs) -> list[tuple[str, ...]]:
    """Return the table of the page."""
    base = runs[()]
    found: list[tuple[str, ...]] = []
    for names, run in runs.items():
        if names:
            spent, objective = run.cost.total - base.cost.total, run.objective - base.objective
            told = ", ".join(f"`{name}`" for name in names)
            found.append((told, money(float(spent)), money(float(objective)), tonnes(shorter(runs, names, "material"))))
    return found


def shorter(runs: Runs, names: tuple[str, ...], by: str = "id") -> dict[str, float]:
    """Return the tonnes by which demands are shorter than under enacted law, by their id or material."""
    found: defaultdict[str, float] = defaultdict(float)
    for demand, before in zip(runs[names].demands, runs[()].demands, strict=True):
        assert demand.id == before.id
        found[getattr(demand, by)] += float(demand.short_kg - before.short_kg) / 1000
    return {name: amount for name, amount in sorted(found.items()) if abs(amount) >= 0.05}


def money(amount: float) -> str:
    """Return millions, with a sign."""
    return f"{amount / 1e6:+,.1f}" if abs(amount) >= 5e4 else "0"


def tonnes(more: dict[str, float]) -> str:
    """Return tonnes of each material, with a sign."""
    return ", ".join(f"{name} {amount:+,.1f}" for name, amount in more.items()) or "nothing"


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
    """At the same prices of shortages: duties, prices, and bans don't change them."""
    assert {(run.status.value, run.verified) for run in runs.values()} == {("optimal", True)}
    prices = {names: {demand.id: demand.shortage_price for demand in run.demands} for names, run in runs.items()}
    assert all(found == prices[()] for found in prices.values())


def test_gallium_is_what_the_ban_makes_short_and_wagerup_heals_it(runs: Runs) -> None:
    """56.4 t more are short, all of them civil; 3.4 t with Wagerup on time, until it delivers on 2027-03-31."""
    ban = shorter(runs, ("minerals-ban",))
    assert round(ban["gallium-civil"], 1) == 56.4
    assert "gallium-defense" not in ban
    assert round(shorter(runs, TOGETHER)["gallium-civil"], 1) == 3.4
    late = {row.period for row in runs[TOGETHER].shortages if row.material == "gallium-metal-4n"}
    assert late == {"2027-Q1"}


@pytest.mark.parametrize("name", ["october-package", "tariff-145", "prices-x5", "kazakh-tungsten", "wagerup-late"])
def test_nobody_is_shorter(runs: Runs, name: str) -> None:
    """Prices, duties, and new mines change suppliers and money."""
    assert shorter(runs, (name,)) == {}


def test_defence_is_never_short_of_what_civil_buyers_get(runs: Runs) -> None:
    """A kilogram short costs ten times as much for defense, whichever metal can replace it in a plant."""
    for run in runs.values():
        by_material: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for demand in run.demands:
            kept = by_material[demand.material].setdefault(demand.end_use, float(demand.shortage_price))
            by_material[demand.material][demand.end_use] = min(kept, float(demand.shortage_price))
        both = [found for found in by_material.values() if len(found) > 1]
        assert both
        assert all(found["defense"] >= 10 * found["civil"] * (1 - 1e-9) for found in both)
