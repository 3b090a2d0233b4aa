"""The small case of price schedules: the plans are what the reference page tells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Registry

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "model" / "tiers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("scenario", "bought", "settled", "spent"),
    [
        (
            "",
            {("anvil-gallium", "2027"): "900", ("anvil-gallium", "2028"): "900"},
            {
                ("offer anvil-gallium", "2027"): "40000",
                ("offer anvil-gallium", "2028"): "40000",
                ("supplier Anvil", "horizon"): "148320",
            },
            "968,618.18",
        ),
        (
            "no-anvil-germanium",
            {("anvil-gallium", "2027"): "900", ("anvil-gallium", "2028"): "1023.077"},
            {
                ("offer anvil-gallium", "2027"): "40000",
                ("offer anvil-gallium", "2028"): "52307.7",
                ("supplier Anvil", "horizon"): "120000.0048",
            },
            "761,706.32",
        ),
        (
            "no-anvil-gallium",
            {("bauxite-gallium", "2027"): "1000", ("bauxite-gallium", "2028"): "800"},
            {
                ("offer bauxite-gallium", "2027"): "60000",
                ("offer bauxite-gallium", "2028"): "0",
                ("supplier Anvil", "horizon"): "0",
            },
            "1,096,000.00",
        ),
    ],
)
def test_the_page_tells_what_the_case_gives(
    scenario: str, bought: dict[tuple[str, str], str], settled: dict[tuple[str, str], str], spent: str
) -> None:
    """Orders, settlements and money of each scenario, which the page's table names."""
    case = friendshore.load_case(DOCS / "cases" / "small" / "tiers")
    found = friendshore.plan(case, registry=Registry.of(), scenario=scenario or ())
    assert found.status.value == "optimal"
    gallium = {(p.offer, p.ordered): p.quantity_kg for p in found.run.purchases if p.material == "gallium"}
    assert gallium == {key: Decimal(quantity) for key, quantity in bought.items()}
    assert {(d.schedule, d.span): d.discount for d in found.run.discounts} == {
        key: Decimal(money) for key, money in settled.items()
    }
    assert f"{found.cost.total:,.2f}" == spent
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {f'`{scenario}`' if scenario else '(none)'} |")]
    assert row.endswith(f"| {spent} |")
