"""What a reader meets: figures that are rounded, names that are whole, sentences that say what they mean."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.document.elements import Column, document, figures, table
from friendshore.document.figures import percent
from friendshore.document.terminal import plain_text
from friendshore.domain.quantities import readable
from friendshore.rules.kinds.limits import Budget
from friendshore.run import read_run

from ..building import GUESS, case, catalog, demand, facility, planned, price, refused, rule, source, told


@pytest.mark.parametrize(
    ("share", "text"), [("0.5", "50 %"), ("2.5", "250 %"), ("937.25", "937 times"), ("-150", "-150 times")]
)
def test_a_share_that_no_percentage_tells_is_a_multiple(share: str, text: str) -> None:
    """93,725 % says nothing to anybody."""
    assert percent(Decimal(share)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("186.633039092055", "186.6"),
        ("1234567.891", "1,234,568"),
        ("0.0091234", "0.009123"),
        ("2.50", "2.5"),
        ("0", "0"),
    ],
)
def test_a_figure_in_a_message_has_the_digits_that_say_something(amount: str, text: str) -> None:
    """Not all fifteen that a conversion leaves."""
    assert readable(Decimal(amount)) == text


def test_an_assumed_price_is_told_rounded() -> None:
    """A price that was converted from another unit."""
    facts = catalog(facility("cn", "CN"), source("CN", price(186.633039092055, source=GUESS)))
    found = planned(case(demand("metal", "civil", 5)), facts)
    assert told(found, "cn-metal").startswith("price 186.6 USD/kg is assumed")


@pytest.mark.parametrize("width", [80, 100])
def test_a_name_is_broken_only_where_the_table_does_not_fit_else(width: int) -> None:
    """Sentences are broken before names: `ndfeb-block-stockpile` stays whole beside a long text."""
    rows = [
        ["ndfeb-block-stockpile", "lynas-new-heavy-oxides", "a sentence of many words that may be broken anywhere", "1"]
    ]
    made = table([Column("Demand"), Column("Offer"), Column("Why"), figures("kg")], rows)
    shown = plain_text(document("", made), width)
    assert "ndfeb-block-stockpile" in shown
    assert "lynas-new-heavy-oxides" in shown
    assert max(map(len, shown.splitlines())) <= width


def test_a_budget_over_all_materials_says_so() -> None:
    """Not that each of them may cost so much."""
    sentence = rule(Budget, amount=60000000).sentence()
    assert (
        sentence
        == "No more than 60,000,000, in the case's currency, may be spent in all, holding included, in any year."
    )
    assert "on metal in any year" in rule(Budget, amount=5, materials=["metal"]).sentence()


def test_a_case_is_no_run_and_a_run_no_case(tmp_path: Path) -> None:
    """Each is told what it is and what to do, in the place of a list of files that are not there."""
    (tmp_path / "case.toml").write_text("schema = 1\n", encoding="utf-8")
    for path in (tmp_path, tmp_path / "case.toml"):
        (problem,) = refused(read_run, path)
        assert problem.message == "this is a case, and not yet a run of it"
        assert "--out" in problem.fix
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}", encoding="utf-8")
    assert refused(load_case, run)[0].message == "this is a run, made by `plan --out`, and no case"
