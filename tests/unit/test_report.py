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
PURCHASE: dict[str, Any] = {
    "offer": "example-dysprosium-oxide",
    "material": "dysprosium-oxide",
    "facility": "Example heavy rare-earth circuit",
    "supplier": "Example Rare Earths",
    "country": "MY",
    "countries": {"mined": ["AU", "MM"], "refined": ["MY"], "separated": ["MY"]},
    "place": "US",
    "ordered": "2026-Q4",
    "order_by": "2026-12-31",
    "delivered": "2027-Q1",
    "end_use": "defense",
    "requirement": "R1",
    "quantity_kg": 1234567.5,
    "cost": 1234567500,
    "price": 1234567500,
    "charges": 0,
    "freight": 0,
}
SHORT: dict[str, Any] = {
    "demand": "fighters",
    "material": "dysprosium-oxide",
    "end_use": "defense",
    "place": "US",
    "quantity_kg": 250,
    "wanted_kg": 500,
    "causes": [{"restrictions": [{"kind": "capacity", "names": ["dy-1"]}], "served_kg": 200}],
}
COST = {
    "price": 1000000, "charges": 25000, "freight": 0, "onboarding": 0, "holding": 0.1581, "total": 1025000.1581,
    "nominal": 1100000, "penalties": 0, "shortage": 250000, "objective": 1275000.1581,
}  # fmt: skip


DEMAND: dict[str, Any] = {
                "id": "fighters", "material": "dysprosium-oxide", "end_use": "defense", "place": "US", "wanted_kg": 8500,
                "delivered_kg": 8000, "short_kg": 500, "shortage_price": 500, "first_met": "2027-Q2",
            }  # fmt: skip


def run(**changed: Any) -> Run:
    """A run of one demand, made by hand."""
    data: dict[str, Any] = {
        "case": "by-hand",
        "status": "optimal",
        "verified": True,
        "currency": "USD",
        "place": "US",
        "objective": 1275000.1581,
        "bound": 1275000,
        "gap": 1e-7,
        "cost": COST,
        "shortage_kg": {"dysprosium-oxide": {"defense": 500}},
        "periods": [{"label": label, "start": start, "end": end} for label, start, end in PERIODS],
        "materials": [{"id": "dysprosium-oxide", "name": "Dysprosium oxide", "basis": "Dy2O3"}],
        "demands": [DEMAND],
        "purchases": [PURCHASE],
        "shortages": [SHORT | {"period": "2026-Q4"}, SHORT | {"period": "2027-Q1"}],
        "largest_miss_kg": 0,
        "components": 1,
        "versions": {"friendshore": "0.1.0"},
    }  # fmt: skip
    lists = (
        "makes",
        "lots",
        "draws",
        "stocks",
        "deliveries",
        "exposed",
        "rules",
        "requirements",
        "limits",
        "conflicts",
    )
    lists += ("unproven", "blocked", "leads", "assumptions", "plugins")
    return Run.model_validate({**{name: [] for name in lists}, **data, **changed})


def told(a_run: Run, width: int = 100) -> str:
    """The report as it stands on a terminal of some width."""
    return plain_text(plan_document(a_run), width)


def page_of(a_run: Run) -> str:
    """The page of a run."""
    return markdown(page_document(a_run))


@pytest.mark.parametrize(
    ("kilograms", "text"),
    [("0", "0 kg"), ("0.05", "0.05 kg"), ("12.345", "12.3 kg"), ("999", "999 kg"), ("1000", "1 t"),
     ("12345", "12.3 t"), ("1234567", "1,235 t"), ("109022500", "109,022 t")],
)  # fmt: skip
def test_masses_change_their_unit_and_keep_three_digits(kilograms: str, text: str) -> None:
    """A mass is told in kilograms or tonnes, never with more digits than say something."""
    assert mass(Decimal(kilograms)) == text


@pytest.mark.parametrize(
    ("amount", "text"), [("0.1581", "0.158"), ("2.924", "2.92"), ("55.125", "55.12"), ("1234567.8", "1,234,568")]
)
def test_money_has_cents_only_where_they_matter(amount: str, text: str) -> None:
    """Money is told in whole units once it reaches a hundred."""
    assert money(Decimal(amount)) == text


def test_numbers_in_sentences_are_short() -> None:
    """Millions and percentages are words."""
    assert large_money(Decimal(12195642420), "USD") == "USD 12.2 billion"
    assert percent(Decimal("0.0586")) == "5.9 %"
    assert percent(Decimal("0.0000001")) == "below 0.001 %"
    assert number(Decimal("-1234.56")) == "-1,235"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(width: int) -> None:
    """At any usual width every table fits, and its figures stand there whole."""
    text = told(run(), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for figure in ("8.5 t", "8 t", "1,235", "1,234,567,500", "1,000"):
        assert figure in text


def test_a_long_plan_is_told_by_years_and_a_narrow_terminal_joins_the_last_ones() -> None:
    """Seventeen quarters become calendar years; what does not fit is one column to the end."""
    assert "2030" in told(run(), 120)
    assert re.search(r"20\d\d–30", told(run(), 60))


def test_the_report_says_what_is_short_when_and_why() -> None:
    """Demand, the stretch of its shortage, the cause with the kilograms that it keeps out, the price, and the day it is met."""
    text = told(run(), 120)
    assert "1 of 1 demand met from 2027-Q2 on" in text
    assert "2026-Q4 to 2027-Q1" in text
    assert "capacity (dy-1) (without it 400 kg would be served)" in " ".join(text.split())
    assert "2027-Q2" in text


def test_a_cause_of_many_shortages_names_the_first_demands_and_counts_the_rest() -> None:
    """The table of shortages names all of them; beside their cause, twelve, so that a report of hundreds stays readable."""
    many = [f"oxide-{k}" for k in range(15)]
    text = told(
        run(
            demands=[DEMAND | {"id": name, "material": name} for name in many],
            shortages=[SHORT | {"demand": name, "material": name, "period": "2027-Q1"} for name in many],
        ),
        200,
    )
    said = " ".join(text.split())
    assert "oxide-11 for defense, 2027-Q1; 3 more demands: capacity (dy-1) (without it 3 t would be served)" in said
    assert "oxide-12 for defense, 2027-Q1;" not in said
    assert "oxide-14" in said


def test_the_heading_counts_demands_and_never_adds_kilograms_of_different_goods() -> None:
    """How many are met in full, how many from when, which not to the end, and which never."""

    def one(name: str, short: float, delivered: float, first: str) -> dict[str, Any]:
        given = DEMAND | {"id": name, "material": name, "wanted_kg": short + delivered}
        return given | {"short_kg": short, "delivered_kg": delivered, "first_met": first}

    def said(*demands: dict[str, Any]) -> str:
        return " ".join(told(run(demands=demands, shortages=[]), 200).split())

    later = [one("tin", 1000, 5, "2026-Q4"), one("lead", 300, 5, "2027-Q2")]
    rest = [one("zinc", 70, 5, ""), one("gold", 9, 0, "")]
    text = said(one("ore", 0, 5, "2026-Q4"), *later, *rest)
    assert (
        "1 of 5 demands met in full; 2 from 2027-Q2 on; 1 not to the end: zinc for defense; 1 never: gold for defense"
        in text
    )
    assert "1.38 t" not in text
    assert "2 of 4 demands met from 2027-Q2 on; 1 not to the end" in said(*later, *rest)
    text = said(*(one(f"m{n}", 9, 0, "") for n in range(8)))
    assert "0 of 8 demands met in full; 8 never: m0 for defense," in text
    assert "m5 for defense, 2 more" in text


def test_a_chain_is_told_by_countries_and_by_stages_where_there_is_room() -> None:
    """Stages that share their countries are told together; several possible countries all stand there."""
    assert "AU/MM → MY" in told(run(), 100)
    assert "mined AU/MM →" in told(run(), 130)


def test_exposure_and_conflicts_stand_above_the_mix() -> None:
    """What could overturn the plan is read before the plan."""
    exposed = {
        "rule": "stayed", "title": "A stayed rule", "kg": 5, "cost": 7, "materials": {"dysprosium-oxide": 5}, "offers": ["a"],
        "first": "2027-Q1",
    }  # fmt: skip
    conflict = {
        "rules": ["cap", "pin"],
        "sentences": ["At most 1 kg", "Exactly 2 kg"],
        "materials": ["tin"],
        "demands": [],
    }
    text = told(run(status="infeasible", exposed=[exposed], conflicts=[conflict]))
    assert text.index("stayed") < text.index("Mix")
    assert text.index("At most 1 kg") < text.index("Mix")
    assert "hard rules conflict" in text


def test_every_assumption_is_told_and_what_is_said_twice_is_said_once() -> None:
    """Assumptions with the same words share a line that names all they are about."""
    rows = [{"subject": name, "text": "no price was published"} for name in ("first-offer", "second-offer")]
    text = told(run(assumptions=rows))
    assert text.count("no price was published") == 1
    assert "first-offer, second-offer" in text


def test_names_with_brackets_are_told_as_they_are() -> None:
    """A name that looks like markup is not taken for it."""
    assert "[red]plant" in told(run(purchases=[PURCHASE | {"facility": "[red]plant"}]))


def test_a_plan_that_buys_nothing_can_be_told() -> None:
    """No purchases, no orders, no error."""
    met = DEMAND | {"short_kg": 0, "delivered_kg": 8500}
    text = told(run(purchases=[], shortages=[], shortage_kg={}, demands=[met]))
    assert "nothing is bought" in text
    assert "all demand is met" in text


def test_the_page_says_the_verdict_what_is_short_who_supplies_and_how_to_check() -> None:
    """What a manager must see, in the order of its weight."""
    page = page_of(run())
    order = [
        "# by-hand",
        "**Not verified**",
        "`friendshore verify`",
        "**optimal**",
        "## What is needed",
        "capacity, 2026-Q4 to 2027-Q1",
        "## Who supplies it",
    ]
    order += ["AU/MM → MY", "100 %", "## What to order next", "| 2026-12-31 |", "## How sure this is"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.parametrize("report", [page_document, report_document, plan_document])
def test_every_report_ends_in_what_it_is_not(report: Callable[[Run], Document]) -> None:
    """Whoever reads a plan to its end reads that it is no legal advice."""
    text = " ".join(plain_text(report(run()), 80).split())
    assert text.endswith(
        "Not legal advice: the rules are a reading of the law, as of the days stated. Ask counsel before you rely on them."
    )


def test_the_page_has_tables_that_are_read_as_such() -> None:
    """What is needed, who supplies it, what to order and what it costs; figures stand right."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page_of(run()))
    assert [token.type for token in tokens].count("table_open") == 4
    assert "style" in next(token for token in reversed(tokens) if token.type == "th_open").attrs


def test_the_page_is_not_broken_by_what_the_data_hold() -> None:
    """Signs that make tables and markup stand as they are."""
    page = page_of(run(purchases=[PURCHASE | {"facility": "Pipe | <b>Works</b> `x`"}]))
    supplier, order = [line for line in page.splitlines() if "Works" in line]
    assert all("Pipe \\| \\<b\\>Works\\</b\\> \\`x\\`" in line for line in (supplier, order))
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in (supplier, order)] == [7, 9]


def test_the_page_of_a_plan_that_buys_nothing_says_so() -> None:
    """Conflicting rules leave nothing to buy, and stand first."""
    conflict = {"rules": ["a"], "sentences": ["no"], "materials": ["dysprosium-oxide"], "demands": ["fighters"]}
    page = page_of(run(status="infeasible", purchases=[], conflicts=[conflict]))
    assert "infeasible: hard rules conflict" in page
    assert "Nothing is bought." in page
    assert "Nothing is planned for dysprosium-oxide" in page


def test_the_summary_is_the_heading_alone() -> None:
    """`--quiet` still says what the plan costs and what is short."""
    assert len(plain_text(summary_document(run()), 80).splitlines()) == 4


def test_what_is_wrong_for_one_cause_is_told_once_with_all_its_places() -> None:
    """A misspelt id is named in many rows: the same words once, then the other rows by file and column; other problems stay apart."""
    same = [
        Diagnostic("no such source", f"{name}.csv", row, "source", "`s`", fix="`t`?") for name in "ab" for row in (2, 3)
    ]
    other = Diagnostic("no such source", "b.csv", 4, "source", "`u`", fix="`t`?")
    blank = [Diagnostic("this cell is needed", "c.csv", row, "price") for row in (2, 3)]
    lines = problem_lines([*same, other, *blank])
    firsts = [line for line in lines if not line.startswith(" ")]
    assert firsts == [
        "a.csv:2 [source]: no such source",
        "b.csv:4 [source]: no such source",
        "c.csv:2 [price]: this cell is needed",
    ]
    assert "    also:     a.csv:3 [source]; b.csv:2, 3 [source]" in lines
    assert "    also:     c.csv:3 [price]" in lines
    assert len(by_cause([*same, other, *blank])) == 3


def test_a_problem_is_told_with_its_place_and_fix() -> None:
    """Text and JSON of an error hold the same: place, what was found, what was expected, how to mend it."""
    problem = Diagnostic("cannot be read", "offers.csv", 3, "price", "`x`", "money per mass", "write `5 USD/kg`")
    lines = problem_lines([problem])
    assert lines[0] == "offers.csv:3 [price]: cannot be read"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["found", "expected", "fix"]
    assert errors_data(InputError(problem))["errors"][0] == {
        "message": "cannot be read", "file": "offers.csv", "row": 3, "column": "price", "found": "`x`",
        "expected": "money per mass", "fix": "write `5 USD/kg`",
    }  # fmt: skip


def test_a_run_that_added_up_what_is_exposed_is_still_read() -> None:
    """Runs written before hold kilograms of all materials together: they are read past."""
    row = {
        "rule": "stayed",
        "title": "",
        "kg": 5,
        "cost": 7,
        "materials": {"tin": 5},
        "offers": ["a"],
        "first": "2027-Q1",
    }
    assert "kg" not in run(exposed=[row]).exposed[0].model_dump()
