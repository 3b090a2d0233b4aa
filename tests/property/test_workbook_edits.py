"""Drawn edits of figures in the workbook of a case: the scenario they come to gives the facts of the case with these figures in its files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.case import load_case
from friendshore.cli.cases import write_starter
from friendshore.domain.facts import Catalog
from friendshore.plugins import Registry
from friendshore.problem.changes import apply_changes
from friendshore.recommend import gather
from friendshore.workbook import case_tables, case_workbook, edits_of

from .settings import examples

FIGURES = {
    ("demand", "radar", "per_year"): ("case.toml", '"2 t"', "t"),
    ("demand", "lighting", "per_year"): ("case.toml", '"6 t"', "t"),
    ("demand", "radar", "shortage_price"): ("case.toml", '"5000 USD/kg"', "USD/kg"),
    ("demand", "lighting", "shortage_price"): ("case.toml", '"900 USD/kg"', "USD/kg"),
    ("offers", "quebec-gallium", "price"): ("catalog/offers.csv", "700 USD/kg", "USD/kg"),
    ("offers", "guangxi-gallium", "price"): ("catalog/offers.csv", "260 USD/kg", "USD/kg"),
    ("capacity", "quebec", "per_year"): ("catalog/capacity.csv", ",3 t/year", "t/year"),
    ("capacity", "kwinana", "per_year"): ("catalog/capacity.csv", ",20 t/year", "t/year"),
}
"""Cell -> file, what stands there, and its unit."""
NUMBERS = st.decimals(min_value=0, max_value=10_000, places=4, allow_nan=False)


@pytest.fixture(scope="module")
def case() -> Iterator[Path]:
    """A starter case and its workbook."""
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        write_starter(case)
        tables = case_tables(gather(load_case(case), Registry.of()))
        (case / "case.xlsx").write_bytes(case_workbook(tables, "case.xlsx"))
        yield case


def edited(case: Path, figures: Mapping[tuple[str, str, str], Decimal]) -> Path:
    """The workbook with some figures edited, as numbers in the unit of their head."""
    from openpyxl import load_workbook

    book = load_workbook(case / "case.xlsx")
    for (sheet, name, column), value in figures.items():
        heads = {str(head.value).partition(" [")[0]: head.column for head in book[sheet][1]}
        of = heads["facility" if sheet == "capacity" else "id"]
        row = next(row for row in range(2, book[sheet].max_row + 1) if book[sheet].cell(row, of).value == name)
        book[sheet].cell(row, heads[column]).value = float(value)
    book.save(case / "edited.xlsx")
    return case / "edited.xlsx"


def by_hand(case: Path, figures: Mapping[tuple[str, str, str], Decimal]) -> Path:
    """A copy of the case with the figures in its files."""
    copy = case.with_name("by-hand")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(case, copy)
    for cell, value in figures.items():
        name, before, unit = FIGURES[cell]
        text = (copy / name).read_text()
        assert before in text
        mark = before[:1].strip("0123456789")
        end = '"' if mark == '"' else ""
        (copy / name).write_text(text.replace(before, f"{mark}{value} {unit}{end}"))
    return copy


def facts(catalogs: tuple[Catalog, ...]) -> list[Any]:
    """What catalogs say, whatever it rests on."""
    return [
        [[(o.id, o.price.amount if o.price else None) for o in c.offers] for c in catalogs],
        [
            [
                (f.id, [(s.start, s.per_year, s.status) for s in f.capacity if s.per_year or s.start])
                for f in c.facilities
            ]
            for c in catalogs
        ],
    ]


@examples(100)
@given(figures=st.dictionaries(st.sampled_from(sorted(FIGURES)), NUMBERS))
def test_the_scenario_gives_the_facts_of_the_case_with_these_figures(
    case: Path, figures: dict[tuple[str, str, str], Decimal]
) -> None:
    """Quantities, prices and capacities, to the last digit; figures that are as they were come to no change."""
    given = gather(load_case(case), Registry.of())
    changes = edits_of(edited(case, figures), given, "mine").scenario.change
    wanted = gather(load_case(by_hand(case, figures)), Registry.of())
    after, catalogs, _ = apply_changes(changes, given.case, given.catalogs, given.rules)
    assert after.demands == wanted.case.demands
    assert facts(catalogs) == facts(wanted.catalogs)
    assert len(changes) <= len(figures)
