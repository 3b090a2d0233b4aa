"""Drawn edits in the workbook of a case: the scenario they come to gives the facts of the case with the same edits in its files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.disk import write, write_case
from tests.property.scaling import sized_cases
from tests.property.settings import examples
from tests.property.strategies import Tiny
from tests.property.test_metamorphic import costs_as_much, outcome, priced
from tests.property.test_records import as_files_say

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.domain.facts import Catalog, Offer
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.problem.changes import apply_changes
from friendshore.recommend import gather, plan
from friendshore_workbooks.case_tables import case_tables, case_workbook
from friendshore_workbooks.scenario import add_scenario, edits_of

FIGURES = {
    ("demand", "radar", "per_year"): ("case.toml", '"2 t"', "t"),
    ("demand", "lighting", "per_year"): ("case.toml", '"6 t"', "t"),
    ("demand", "radar", "shortage_price"): ("case.toml", '"5000 USD/kg"', "USD/kg"),
    ("demand", "lighting", "shortage_price"): ("case.toml", '"900 USD/kg"', "USD/kg"),
    ("offers", "quebec-gallium", "price"): ("catalog/offers.csv", "700 USD/kg", "USD/kg"),
    ("offers", "guangxi-gallium", "price"): ("catalog/offers.csv", "260 USD/kg", "USD/kg"),
    ("capacity", "quebec", "per_year"): ("catalog/capacity.csv", ",3 t/year", "t/year"),
    ("capacity", "kwinana", "per_year"): ("catalog/capacity.csv", ",20 t/year", "t/year"),
    ("rule", "not-all-from-one", "limit"): ("case.toml", "share = 0.8", ""),
    ("rule", "purse", "limit"): ("case.toml", "amount = 7000000", ""),
    ("order", "afloat", "quantity"): ("case.toml", '"700 kg"', "kg"),
}
"""Cell -> file, what stands there, and its unit."""
MORE = """
[[rule]]
kind = "budget"
id = "purse"
amount = 7000000

[[order]]
id = "afloat"
offer = "quebec-gallium"
quantity = "700 kg"
arrives = 2027-02-01
"""
"""Tables that the starter case lacks."""
SHARES = st.decimals(min_value=0, max_value=1, places=4, allow_nan=False)
NUMBERS = st.decimals(min_value=0, max_value=10_000, places=4, allow_nan=False)
FIGURE_OF = {cell: SHARES if cell[1] == "not-all-from-one" else NUMBERS for cell in FIGURES}
EDITS = st.lists(st.sampled_from(sorted(FIGURES)), unique=True).flatmap(
    lambda cells: st.fixed_dictionaries({cell: FIGURE_OF[cell] for cell in cells})
)
DEMANDS = st.lists(NUMBERS, max_size=2)
"""Tonnes a year of new demand lines."""


@pytest.fixture(scope="module")
def case() -> Iterator[Path]:
    """A starter case and its workbook."""
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        write_starter(case)
        with (case / "case.toml").open("a") as file:
            file.write(MORE)
        tables = case_tables(gather(load_case(case), Registry.of()))
        (case / "case.xlsx").write_bytes(case_workbook(tables, "case.xlsx"))
        yield case


def place_of(book: Any, sheet: str, name: str, column: str, key: str = "id") -> Any:
    """The cell of a column in the row of a name; without one, in the row below the last."""
    heads = {str(head.value).partition(" [")[0]: head.column for head in book[sheet][1]}
    last = book[sheet].max_row
    rows = [row for row in range(2, last + 1) if book[sheet].cell(row, heads[key]).value == name]
    return book[sheet].cell(rows[0] if name else last + 1, heads[column])


def edited(case: Path, figures: Mapping[tuple[str, str, str], Decimal], demands: Sequence[Decimal] = ()) -> Path:
    """The workbook with some figures edited, as numbers in the unit of their head, and with more demand lines."""
    from openpyxl import load_workbook

    book = load_workbook(case / "case.xlsx")
    for (sheet, name, column), value in figures.items():
        place_of(book, sheet, name, column, "facility" if sheet == "capacity" else "id").value = float(value)
    for number, per_year in enumerate(demands):
        line = new_demand(number, per_year)
        place_of(book, "demand", "", "id").value = line["id"]
        for column, text in line.items():
            place_of(book, "demand", line["id"], column).value = text
    book.save(case / "edited.xlsx")
    return case / "edited.xlsx"


def new_demand(number: int, per_year: Decimal) -> dict[str, str]:
    """A demand line, as texts."""
    return {
        "id": f"more-{number}", "material": "gallium-4n", "end_use": "civil", "place": "US",
        "per_year": f"{per_year} t", "from": "2027-04-01", "shortage_price": "700 USD/kg", "why": "a new line",
    }  # fmt: skip


def copied(case: Path, name: str) -> Path:
    """A copy of the case beside it."""
    shutil.rmtree(case.with_name(name), ignore_errors=True)
    return shutil.copytree(case, case.with_name(name))


def by_hand(case: Path, figures: Mapping[tuple[str, str, str], Decimal], demands: Sequence[Decimal] = ()) -> Path:
    """A copy of the case with the figures and the demand lines in its files."""
    copy = copied(case, "by-hand")
    for cell, value in figures.items():
        name, before, unit = FIGURES[cell]
        text = (copy / name).read_text()
        assert before in text
        mark = before.rpartition(" = ")[0]
        mark = f"{mark} = " if mark else before[:1].strip("0123456789")
        end = '"' if mark == '"' else ""
        (copy / name).write_text(text.replace(before, f"{mark}{value} {unit}".rstrip() + end))
    for number, per_year in enumerate(demands):
        told = new_demand(number, per_year).items()
        lines = [f"{key} = {text}" if key == "from" else f'{key} = "{text}"' for key, text in told]
        with (copy / "case.toml").open("a") as file:
            file.write("\n".join(["", "[[demand]]", *lines, ""]))
    return copy


def facts(catalogs: tuple[Catalog, ...]) -> Iterator[Any]:
    for catalog in catalogs:
        yield from ((o.id, o.price.amount if o.price else None) for o in catalog.offers)
        for site in catalog.facilities:
            yield site.id, [(s.start, s.per_year, s.status) for s in site.capacity if s.per_year or s.start]


@examples(100)
@given(figures=EDITS, demands=DEMANDS)
def test_the_scenario_gives_the_facts_of_the_case_with_these_edits(
    case: Path, figures: dict[tuple[str, str, str], Decimal], demands: list[Decimal]
) -> None:
    """Quantities, prices, capacities, limits, orders, and new demand, to the last digit; figures that are as they were come to no change."""
    given, wanted = (gather(load_case(one), Registry.of()) for one in (case, by_hand(case, figures, demands)))
    changes = edits_of(edited(case, figures, demands), given, "mine").scenario.change
    after, catalogs, rules = apply_changes(changes, given.case, given.catalogs, given.rules)
    assert after.demands == wanted.case.demands
    assert after.orders == wanted.case.orders
    assert list(facts(catalogs)) == list(facts(wanted.catalogs))
    assert rules == wanted.rules
    assert len(changes) <= len(figures) + len(demands)


@examples(12)
@given(figures=EDITS, demands=DEMANDS)
def test_the_plan_is_that_of_the_case_with_these_edits(
    case: Path, figures: dict[tuple[str, str, str], Decimal], demands: list[Decimal]
) -> None:
    """The scenario, read back from the case file that it is written into, gives the plan of the case that was edited by hand."""
    made = edits_of(edited(case, figures, demands), gather(load_case(case), Registry.of()), "mine")
    copy = copied(case, "with-scenario")
    if made.toml:
        add_scenario(copy / "case.toml", made)
    recommendation = plan(load_case(copy), scenario=["mine"] if made.toml else (), registry=Registry.of(), workers=1)
    wanted = plan(load_case(by_hand(case, figures, demands)), registry=Registry.of(), workers=1)
    assert float(recommendation.cost.objective) == pytest.approx(float(wanted.cost.objective), rel=1e-6, abs=1e-2)
    assert [demand.wanted_kg for demand in recommendation.run.demands] == [
        demand.wanted_kg for demand in wanted.run.demands
    ]


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_an_edit_in_the_workbook_of_a_case_costs_what_the_edited_files_cost(tiny: Tiny, order: Random) -> None:
    """Unedited, the workbook comes to no change; with another price it comes to a scenario, which costs what the edited files cost."""
    tiny = Tiny(as_files_say(tiny), tiny.catalog, tiny.rules)
    _, edited = priced(tiny, order)
    (changed,) = [new for new in edited.catalog.offers if not any(new is old for old in tiny.catalog.offers)]
    with tempfile.TemporaryDirectory() as scratch:
        case, other = (_in_files(one, Path(scratch, name)) for one, name in ((tiny, "a"), (edited, "b")))
        first, second = load_case(case), load_case(other)
        book, gathered = Path(scratch, "case.xlsx"), gather(first, Registry.of())
        try:
            tables = case_tables(gathered)
        except InputError:
            return  # facts that make no sense together have no workbook
        book.write_bytes(case_workbook(tables, "case.xlsx"))
        assert edits_of(book, gathered, "mine").scenario.change == ()
        _edit_price(book, changed)
        changes = edits_of(book, gathered, "mine").scenario.change
        plans = [outcome(first, *changes), outcome(second)]
    costs_as_much(edited, plans[1], plans[0])


def _in_files(tiny: Tiny, folder: Path) -> Path:
    folder.mkdir()
    write(tiny.catalog, folder / "tiny", "kg", Random(4))
    return write_case(tiny.case, tiny.rules, folder, "tiny")


def _edit_price(book: Path, offer: Offer) -> None:
    from openpyxl import load_workbook

    sheets = load_workbook(book)
    place_of(sheets, "offers", offer.id, "price").value = f"{offer.price.amount} USD/kg"
    sheets.save(book)
