"""A run told: numbers that can be read, tables that fit their width, and everything that a planner must not miss."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from markdown_it import MarkdownIt

from friendshore.document.elements import Document
from friendshore.document.figures import large_money, mass, money, number, percent
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text
from friendshore.domain.run import Run
from friendshore.errors import Diagnostic, InputError
from friendshore.report import (
    by_cause,
    errors_data,
    page_document,
    plan_document,
    problem_lines,
    summary_document,
)
from friendshore_pages.report import report_document

PERIODS = [("2026-Q4", "2026-10-01", "2026-12-31")] + [
    (f"{year}-Q{q + 1}", f"{year}-{q * 3 + 1:02}-01", f"{year}-{q * 3 + 3:02}-28")
    for year in (2027, 2028, 2029, 2030)
    for q in range(4)
]
OXIDE = {"material": "dysprosium-oxide", "end_use": "defense", "place": "US"}
PURCHASE: dict[str, Any] = OXIDE | {
    "offer": "example-dysprosium-oxide", "facility": "Example heavy rare-earth circuit", "supplier": "Example Rare Earths",
    "country": "MY", "countries": {"mined": ["AU", "MM"], "refined": ["MY"], "separated": ["MY"]}, "ordered": "2026-Q4",
    "order_by": "2026-12-31", "delivered": "2027-Q1", "compliance_class": "R1", "quantity_kg": 1234567.5, "cost": 1234567500,
    "price": 1234567500, "charges": 0, "freight": 0,
}  # fmt: skip
SHORT: dict[str, Any] = OXIDE | {
    "demand": "fighters", "quantity_kg": 250, "wanted_kg": 500,
    "causes": [{"restrictions": [{"kind": "capacity", "names": ["dy-1"]}], "served_kg": 200}],
}  # fmt: skip
COST = {
    "price": 1000000, "charges": 25000, "freight": 0, "onboarding": 0, "holding": 0.1581, "total": 1025000.1581,
    "nominal": 1100000, "penalties": 0, "shortage": 250000, "objective": 1275000.1581,
}  # fmt: skip


DEMAND: dict[str, Any] = OXIDE | {
    "id": "fighters", "wanted_kg": 8500, "delivered_kg": 8000, "short_kg": 500, "shortage_price": 500, "first_met": "2027-Q2",
}  # fmt: skip
LISTS = (
    "makes", "lots", "draws", "stocks", "deliveries", "exposed", "rules", "compliance_classes", "limits", "conflicts", "unproven", "blocked",
    "leads", "assumptions", "plugins",
)  # fmt: skip


def run(**changed: Any) -> Run:
    """A run of one demand, made by hand."""
    data: dict[str, Any] = {
        "case": "by-hand", "status": "optimal", "verified": True, "currency": "USD", "place": "US", "objective": 1275000.1581,
        "bound": 1275000, "gap": 1e-7, "cost": COST, "shortage_kg": {"dysprosium-oxide": {"defense": 500}},
        "periods": [{"label": label, "start": start, "end": end} for label, start, end in PERIODS],
        "materials": [{"id": "dysprosium-oxide", "name": "Dysprosium oxide", "basis": "Dy2O3"}], "demands": [DEMAND], "purchases": [PURCHASE],
        "shortages": [SHORT | {"period": "2026-Q4"}, SHORT | {"period": "2027-Q1"}], "largest_miss_kg": 0, "components": 1,
        "versions": {"friendshore": "0.1.0"},
    }  # fmt: skip
    return Run.model_validate({**{name: [] for name in LISTS}, **data, **changed})


def told(width: int = 100, **changed: Any) -> str:
    """The report as it stands on a terminal of some width."""
    return plain_text(plan_document(run(**changed)), width)


def said(width: int = 200, **changed: Any) -> str:
    """The same in one line."""
    return " ".join(told(width, **changed).split())


def page_of(**changed: Any) -> str:
    """The page of a run."""
    return markdown(page_document(run(**changed)))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (lambda: [mass(Decimal(kg)) for kg in ("0", "0.05", "12.345", "999")], ["0 kg", "0.05 kg", "12.3 kg", "999 kg"]),
        (lambda: [mass(Decimal(kg)) for kg in ("1000", "12345", "1234567", "109022500")], ["1 t", "12.3 t", "1,235 t", "109,022 t"]),
        (lambda: [money(Decimal(usd)) for usd in ("0.1581", "2.924", "55.125", "1234567.8")], ["0.158", "2.92", "55.12", "1,234,568"]),
        (lambda: [percent(Decimal(share)) for share in ("0.0586", "0.0000001")], ["5.9%", "below 0.001%"]),
        (lambda: [large_money(Decimal(12195642420), "USD"), number(Decimal("-1234.56"))], ["USD 12.2 billion", "-1,235"]),
    ],
    ids=["kilograms", "tonnes", "money", "shares", "numbers"],
)  # fmt: skip
def test_figures_have_no_more_digits_than_say_something(written: Callable[[], list[str]], text: list[str]) -> None:
    """Masses in kilograms or tonnes, money in whole units once it reaches a hundred, millions and percentages as words."""
    assert written() == text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(width: int) -> None:
    """At any usual width every table fits, and its figures stand there whole."""
    text = told(width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert all(figure in text for figure in ("8.5 t", "8 t", "1,235", "1,234,567,500", "1,000"))


def test_a_wide_terminal_is_told_more() -> None:
    """Quarters become years, and what does not fit is one column to the end; stages that share their countries are told together."""
    assert "2030" in told(120)
    assert re.search(r"20\d\d–30", told(60))
    assert "AU/MM → MY" in told(100)
    assert "mined Australia/Myanmar →" in told(130)


def test_the_report_says_what_is_short_when_and_why() -> None:
    """Demand, the stretch of its shortage, the cause with the kilograms that it keeps out, and the day it is met."""
    text = said(120)
    assert "met only later, from 2027-Q2 on" in text
    assert "2026-Q4 to 2027-Q1" in text
    assert "capacity (dy-1) (without it 400 kg would be served)" in text


def test_a_cause_of_many_shortages_names_the_first_demands_and_counts_the_rest() -> None:
    """The table of shortages names all of them; beside their cause, twelve, so that a report of hundreds stays readable."""
    many = [f"oxide-{k}" for k in range(15)]
    text = said(
        demands=[DEMAND | {"id": name, "material": name} for name in many],
        shortages=[SHORT | {"demand": name, "material": name, "period": "2027-Q1"} for name in many],
    )
    assert "oxide-11 for defense, 2027-Q1; 3 more demands: capacity (dy-1) (without it 3 t would be served)" in text
    assert "oxide-12 for defense, 2027-Q1;" not in text
    assert "oxide-14" in text


def test_the_heading_counts_demands_and_never_adds_kilograms_of_different_goods() -> None:
    """How many are never met in full, and how many from when on."""

    def one(name: str, short: float, delivered: float, first: str) -> dict[str, Any]:
        sums = {"wanted_kg": short + delivered, "short_kg": short, "delivered_kg": delivered, "first_met": first}
        return DEMAND | sums | {"id": name, "material": name}

    rest = [
        one("tin", 1000, 5, "2026-Q4"),
        one("lead", 300, 5, "2027-Q2"),
        one("zinc", 70, 5, ""),
        one("gold", 9, 0, ""),
    ]
    text = said(demands=[one("ore", 0, 5, "2026-Q4"), *rest], shortages=[])
    assert "2 of 5 needs, all defense, are not met in full; 2 more are met only from 2027-Q2 on" in text
    assert "1.38 t" not in text
    assert "2 of 4 needs, all defense, are not met in full" in said(demands=rest, shortages=[])
    assert "8 of 8 needs" in said(demands=[one(f"m{n}", 9, 0, "") for n in range(8)], shortages=[])


EXPOSED: dict[str, Any] = {
    "rule": "stayed", "title": "A stayed rule", "kg": 5, "cost": 7, "materials": {"dysprosium-oxide": 5}, "offers": ["a"],
    "first": "2027-Q1",
}  # fmt: skip
CONFLICT = {"rules": ["cap"], "sentences": ["At most 1 kg"], "materials": ["tin"], "demands": []}


def test_exposure_and_conflicts_stand_above_the_mix() -> None:
    """What could overturn the plan is read before the plan."""
    text = told(status="infeasible", exposed=[EXPOSED], conflicts=[CONFLICT])
    assert text.index("stayed") < text.index("Mix")
    assert text.index("At most 1 kg") < text.index("Mix")
    assert "hard rules conflict" in text


def test_every_assumption_is_told_and_what_is_said_twice_is_said_once() -> None:
    """Assumptions with the same words share a line that names all they are about."""
    rows = [{"subject": name, "text": "no price was published"} for name in ("first-offer", "second-offer")]
    text = told(assumptions=rows)
    assert text.count("no price was published") == 1
    assert "first-offer, second-offer" in text


def test_the_page_says_the_verdict_what_is_short_who_supplies_and_how_to_check() -> None:
    """What a manager must see, in the order of its weight."""
    page = page_of()
    order = [
        "# by-hand", "**Not verified**", "`friendshore verify`", "**optimal**", "## Demand", "## Shortages", "2026-Q4 to 2027-Q1 | capacity",
        "## Suppliers", "100%", "mined Australia/Myanmar → refined, separated Malaysia", "## Orders by last day", "| 2026-12-31 |", "## Proof",
    ]  # fmt: skip
    places = [page.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("report", [page_document, report_document, plan_document])
def test_every_report_ends_in_what_it_is_not(report: Callable[[Run], Document]) -> None:
    """Whoever reads a plan to its end reads that it is no legal advice."""
    assert "Not legal advice" in " ".join(plain_text(report(run()), 80).split())[-150:]


def test_the_page_has_tables_that_are_read_as_such() -> None:
    """What is needed, who supplies it, what to order and what it costs; figures stand right."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page_of())
    assert [token.type for token in tokens].count("table_open") == 6
    assert "style" in next(token for token in reversed(tokens) if token.type == "th_open").attrs


def test_the_page_is_not_broken_by_what_the_data_hold() -> None:
    """Signs that make tables and markup stand as they are."""
    page = page_of(purchases=[PURCHASE | {"facility": "Pipe | <b>Works</b> `x`"}])
    named = [line for line in page.splitlines() if "Works" in line]
    assert all("Pipe \\| \\<b\\>Works\\</b\\> \\`x\\`" in line for line in named)
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in named] == [7, 10, 10]
    assert "[red]plant" in told(purchases=[PURCHASE | {"facility": "[red]plant"}]), "no markup of a terminal"


def test_a_plan_that_buys_nothing_says_so() -> None:
    """Without purchases no orders, no error; conflicting rules stand first."""
    met = DEMAND | {"short_kg": 0, "delivered_kg": 8500}
    text = told(purchases=[], shortages=[], shortage_kg={}, demands=[met])
    assert "nothing is bought" in text
    assert "The only need is met" in text
    page = page_of(status="infeasible", purchases=[], conflicts=[CONFLICT])
    for words in ("infeasible: hard rules conflict", "nothing is bought", "Nothing is planned for tin"):
        assert words in page


def test_the_summary_is_the_heading_alone() -> None:
    """`--quiet` still says what the plan costs and what is short."""
    assert len(plain_text(summary_document(run()), 140).splitlines()) == 4


def test_what_is_wrong_for_one_cause_is_told_once_with_all_its_places() -> None:
    """A misspelt id is named in many rows: the same words once, then the other rows by file and column; other problems stay apart."""
    places = [(file, row) for file in "ab" for row in (2, 3)]
    same = [Diagnostic("no such source", f"{file}.csv", row, "source", "`s`", fix="`t`?") for file, row in places]
    other = Diagnostic("no such source", "b.csv", 4, "source", "`u`", fix="`t`?")
    blank = [Diagnostic("this cell is needed", "c.csv", row, "price") for row in (2, 3)]
    lines = problem_lines([*same, other, *blank])
    assert [line.split(":")[:2] for line in lines if not line.startswith(" ")] == [
        ["a.csv", "2 [source]"],
        ["b.csv", "4 [source]"],
        ["c.csv", "2 [price]"],
    ]
    assert "    also:     a.csv:3 [source]; b.csv:2, 3 [source]" in lines
    assert "    also:     c.csv:3 [price]" in lines
    assert len(by_cause([*same, other, *blank])) == 3


def test_a_problem_is_told_with_its_place_and_fix() -> None:
    """Text and JSON of an error hold the same: place, what was found, what was expected, how to mend it."""
    told = {"message": "cannot be read", "file": "offers.csv", "row": 3, "column": "price", "found": "`x`"}
    problem = Diagnostic(**told, expected="money per mass", fix="write `5 USD/kg`")
    lines = problem_lines([problem])
    assert lines[0] == "offers.csv:3 [price]: cannot be read"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["found", "expected", "fix"]
    (data,) = errors_data(InputError(problem))["errors"]
    assert data == told | {"expected": "money per mass", "fix": "write `5 USD/kg`"}


def test_a_run_that_added_up_what_is_exposed_is_still_read() -> None:
    """Runs written before hold kilograms of all materials together: they are read past."""
    assert "kg" not in run(exposed=[EXPOSED]).exposed[0].model_dump()
