"""A run's workbook: rows for pivot tables, orders with their verdicts, and the summary as numbers."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from friendshore import load_case, plan
from friendshore.domain.run import Run
from friendshore.report.headline import headline_of
from friendshore_pages.run_workbook import run_workbook
from friendshore_pages.workbook import workbook


@pytest.fixture(scope="module")
def stock_run() -> Run:
    return plan(load_case(Path(__file__).parents[3] / "docs/cases/small/stock")).run


@pytest.fixture(scope="module")
def book(stock_run: Run) -> Any:
    from openpyxl import load_workbook

    return load_workbook(BytesIO(workbook(run_workbook(stock_run, None, ()), "run.xlsx")))


def records(sheet: Any) -> list[dict[str, Any]]:
    """The rows of the one table of a sheet."""
    (table,) = sheet.tables.values()
    head, *rows = ([cell.value for cell in row] for row in sheet[table.ref])
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_purchase_is_a_row_with_plain_numbers(book: Any, stock_run: Run) -> None:
    rows = records(book["Purchases"])
    assert len(rows) == len(stock_run.purchases) > 1
    for row, purchase in zip(rows, stock_run.purchases, strict=True):
        assert row["Quantity, kg"] == pytest.approx(float(purchase.quantity_kg))
        assert row["Spend, USD"] == pytest.approx(float(purchase.cost))
        assert (row["Offer"], row["Arrives"], row["Basis"]) == (purchase.offer, purchase.delivered, purchase.basis)
        assert row["Order by"].date() == purchase.order_by


def test_orders_add_up_and_an_unverified_run_has_no_verdict(book: Any, stock_run: Run) -> None:
    rows = records(book["Orders"])
    assert sum(row["Spend, USD"] for row in rows) == pytest.approx(float(sum(p.cost for p in stock_run.purchases)))
    assert [row["Order by"] for row in rows] == sorted(row["Order by"] for row in rows)
    assert {row["Verdict"] for row in rows} == {"not verified"}
    rules = {rule for compliance_class in stock_run.compliance_classes for rule in compliance_class.excluding_rules}
    assert {rule for row in rows for rule in (row["Rules that it must meet"] or "").split(", ") if rule} <= rules


def test_the_summary_has_the_figures_of_the_headline_as_numbers(book: Any, stock_run: Run) -> None:
    headline = headline_of(stock_run, is_verified=False)
    figures = {row[0].value: row[1].value for row in book["Summary"].iter_rows(max_col=2)}
    assert figures["Needs"] == headline.needs
    assert figures["Needs not met in full"] == headline.needs_unmet
    assert figures["Spend"] == pytest.approx(float(headline.spend))
    assert book["Summary"]["A2"].value == headline.text
