"""Six figures of a plan have the same digits on every surface: terminal, JSON, Markdown, HTML, workbook, and interactive page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from friendshore.document.figures import large_money, money, percent

from ..html_pages import Node, Page
from .program import here

CASES = Path(__file__).parents[2] / "docs" / "cases"
Figures = dict[str, Decimal]


def figures_of(answer: Any) -> Figures:
    """Return the figures of a plan from its tables. Those that it doesn't have are left out."""
    purchases = answer["purchases"]
    cash = sum((row["cost"] for row in purchases), Decimal(0))
    concern = sum((row["cost"] for row in purchases if row["concern"] == "is"), Decimal(0))
    figures = {
        "spend": answer["cost"]["nominal"],
        "needs": Decimal(len(answer["demands"])),
        "unmet": Decimal(sum(row["short_kg"] > 0 for row in answer["demands"])),
        "share": concern / cash,
        "overdue": sum((row["cost"] for row in purchases if row["late_days"]), Decimal(0)),
        "at risk": max((row["cost"] for row in answer["exposed"]), default=Decimal(0)),
    }
    return {name: value for name, value in figures.items() if value or name == "unmet"}


def price_of(answer: Any) -> tuple[str, Decimal]:
    """Return the material with the most spend of those that have one price per kilogram, and that price."""
    rows: dict[str, list[Any]] = {}
    for row in answer["purchases"]:
        rows.setdefault(row["material"], []).append(row)
    same = [own for own in rows.values() if len({round(row["full_price_per_kg"] or 0, 4) for row in own}) == 1]
    own = max(same, key=lambda own: sum(row["cost"] for row in own))
    names = {row["id"]: row["name"] for row in answer["materials"]}
    return names[own[0]["material"]].partition(",")[0], own[0]["full_price_per_kg"]


def as_shown(figures: Figures, currency: str) -> dict[str, str]:
    """Return the figures as readers see them."""
    shown = {name: str(value) for name, value in figures.items() if name in ("needs", "unmet")}
    shown |= {name: percent(value) for name, value in figures.items() if name == "share"}
    return shown | {name: large_money(value, currency) for name, value in figures.items() if name not in shown}


def missing(shown: dict[str, str], text: str) -> list[str]:
    """Return the figures that a text doesn't contain as whole figures."""
    words = " ".join(text.split())
    return [
        name for name, figure in shown.items() if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d,]|\.\d)", words)
    ]


def rows_of(material: str, rows: Iterable[list[Any]]) -> list[list[Any]]:
    """Return the rows that start with the name of a material."""
    return [cells for cells in rows if cells and re.match(rf"{re.escape(material)}\b", str(cells[0]))]


def cells_of(root: Node) -> Iterator[list[str]]:
    for row in root.all("tr"):
        yield [" ".join(cell.text.split()) for cell in row.walk() if cell.name in ("th", "td")]


@pytest.mark.deep(whole=True)
@pytest.mark.parametrize("case", ["small/stock", "us-2027"])
def test_a_figure_has_the_same_digits_everywhere(case: str, tmp_path: Path) -> None:
    """The figures are added up from the tables of `plan --json`."""
    path, run = CASES / case, tmp_path / "run"
    answer = json.loads(here("plan", path, "--json").stdout, parse_float=Decimal, parse_int=Decimal)
    figures, (material, price) = figures_of(answer), price_of(answer)
    shown = as_shown(figures, answer["currency"])
    price_text = money(price)

    headline = answer["headline"]
    fields = {
        "spend": "spend",
        "needs": "needs",
        "unmet": "needs_unmet",
        "share": "concern_share",
        "overdue": "overdue_spend",
        "at risk": "at_risk_spend",
    }
    assert as_shown({name: headline[fields[name]] for name in figures}, answer["currency"]) == shown
    if not figures["unmet"]:  # all needs are met, which needs no figure in a sentence
        shown = {name: text for name, text in shown.items() if name not in ("needs", "unmet")}

    screen = here("plan", path, "--out", run).stdout
    assert missing(shown, screen) == []
    assert any(price_text in row for row in rows_of(material, (re.split(r"  +", line) for line in screen.splitlines())))

    text = here("report", run).stdout
    assert missing(shown, text.partition("\n## ")[0]) == []
    assert any(
        price_text in row for row in rows_of(material, (line.strip("| ").split(" | ") for line in text.splitlines()))
    )

    for suffix in ("html", "xlsx"):
        here("report", run, "--out", tmp_path / f"report.{suffix}")
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8")).root
    main = page.one("main")
    assert missing(shown, main.all("strong")[0].text) == []
    tiles = " ".join(part.text for part in next(one for one in main.all("dl")).all("dd"))
    met = {"met": f"{figures['needs'] - figures['unmet']} of {figures['needs']}"}
    in_tiles = {name: shown[name] for name in ("spend", "share", "overdue") if name in shown}
    assert missing(in_tiles | met, tiles) == []
    assert any(price_text in row for row in rows_of(material, cells_of(main)))

    from openpyxl import load_workbook

    book = load_workbook(tmp_path / "report.xlsx")
    numbers = [row[1].value for row in book["Summary"].iter_rows(max_col=2)]
    assert [name for name, value in figures.items() if pytest.approx(float(value), rel=1e-9) not in numbers] == []
    assert missing(shown, str(book["Summary"]["A2"].value)) == []
    prices = [[cell.value for cell in row] for row in book["Purchases"].iter_rows()]
    titles = next(row for row in prices if "Supplier" in row)
    price_column = [str(title).partition(",")[0] for title in titles].index("Full price")
    of_material = [row[price_column] for row in rows_of(material, prices)]
    assert of_material == [pytest.approx(float(price), rel=1e-4)] * len(of_material) != []

    here("interactive", path, "--quiet", "--out", tmp_path / "interactive.html")
    start = Page((tmp_path / "interactive.html").read_text(encoding="utf-8")).root
    tiles = " ".join(part.text for part in start.one("main").all("dl")[0].all("dd"))
    at_start = {"unmet": f"{figures['unmet']} of {figures['needs']}", "spend": shown["spend"], "share": shown["share"]}
    assert missing(at_start, tiles) == []
