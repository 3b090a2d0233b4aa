"""The small case of order terms: the plans are what the reference page tells."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Registry
from friendshore.recommend.check import check

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "model" / "orders.md").read_text(encoding="utf-8")
FORGE = {("forge-antimony", "2027-Q3"): "900", ("forge-antimony", "2027-Q4"): "900"}


@pytest.mark.parametrize(
    ("scenario", "bought", "fixed", "untaken", "spent"),
    [
        (
            "",
            {("spot-antimony", "2027-Q1"): "1000", ("mill-antimony", "2027-Q2"): "800", **FORGE},
            "7,000",
            "8,646.58",
            "108,942.47",
        ),
        (
            "no-forge",
            {("mill-antimony", "2027-Q1"): "2000", ("mill-antimony", "2027-Q3"): "1600"},
            "10,000",
            "0.00",
            "124,575.34",
        ),
        (
            "no-mill",
            {("spot-antimony", "2027-Q1"): "1200", ("depot-antimony", "2027-Q2"): "600", **FORGE},
            "2,000",
            "8,646.58",
            "114,134.25",
        ),
        (
            "half-more",
            {
                ("spot-antimony", "2027-Q1"): "1200",
                ("depot-antimony", "2027-Q1"): "150",
                ("mill-antimony", "2027-Q2"): "1600",
                ("forge-antimony", "2027-Q3"): "1212.329",
                ("forge-antimony", "2027-Q4"): "1212.329",
                ("depot-antimony", "2027-Q4"): "25.342",
            },
            "7,000",
            "1,150.68",
            "153,221.93",
        ),
    ],
)
def test_the_page_tells_what_the_case_gives(
    scenario: str, bought: dict[tuple[str, str], str], fixed: str, untaken: str, spent: str
) -> None:
    """Orders and money of each scenario, which the page's table names."""
    case = friendshore.load_case(DOCS / "cases" / "small" / "orders")
    found = friendshore.plan(case, registry=Registry.of(), scenario=scenario or ())
    assert found.status.value == "optimal"
    assert {(p.offer, p.ordered): p.quantity_kg for p in found.run.purchases} == {
        key: Decimal(quantity) for key, quantity in bought.items()
    }
    cost = found.cost
    assert (f"{cost.fixed:,.0f}", f"{cost.untaken:,.2f}", f"{cost.total:,.2f}") == (fixed, untaken, spent)
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {f'`{scenario}`' if scenario else '(none)'} |")]
    assert row.endswith(f"| {fixed} | {untaken} | {spent} |")


def test_the_check_names_dates_within_a_period() -> None:
    """A quotation for most of a quarter is not counted on, terms for most of one hold for all of it, and both are said."""
    found = check(DOCS / "cases" / "small" / "orders", Registry.of())
    told = " ".join(str(suggestion) for suggestion in found.suggestions)
    assert "2027-06-16 falls within 2027-Q2: a quotation of `spot-antimony` ends" in told
    assert "2027-12-01 falls within 2027-Q4: terms of offer mill-antimony end: they hold for the whole period" in told
