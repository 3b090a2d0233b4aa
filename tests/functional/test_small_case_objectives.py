"""The small case of ranked objectives: with the first so many of its levels each plan is what the reference page tells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Registry

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "model" / "objectives.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("ranked", range(4))
def test_the_page_tells_what_each_ranking_gives(ranked: int) -> None:
    """Shortage of defence, objective, and kilograms from the largest country, which the page's table names."""
    case = friendshore.load_case(DOCS / "cases" / "small" / "objectives")
    case = case.model_copy(update={"objectives": case.objectives[:ranked]})
    found = friendshore.plan(case, registry=Registry.of())
    assert found.status.value == "optimal"
    short = sum((d.short_kg * d.shortage_price for d in found.run.demands if d.end_use == "defense"), Decimal(0))
    largest = max(purchase.quantity_kg for purchase in found.run.purchases)
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {ranked}: ")]
    assert row.endswith(f"| {short:,.2f} | {found.cost.objective:,.2f} | {largest:,.3f} kg |")


def test_the_run_says_what_each_rank_costs() -> None:
    """The differences of the rows of that table."""
    found = friendshore.plan(friendshore.load_case(DOCS / "cases" / "small" / "objectives"), registry=Registry.of())
    told = [(level.minimise, level.gained, level.raised_objective) for level in found.run.levels]
    assert told == [
        ("shortage", 4_400_000, 400_000),
        ("cost", None, None),
        ("concentration", 736, 368_000),
        ("cost", None, None),
    ]
