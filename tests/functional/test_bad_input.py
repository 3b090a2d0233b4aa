"""A planner's bad files: one run tells every mistake, with its place and its fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.catalog import load_catalog
from friendshore.errors import InputError

DATA = Path(__file__).parents[1] / "data"

BAD_CATALOG = {
    "catalog.toml": "schema:1 licenze:3 as_of:4",
    "sources.csv": "confidence:3 id:4",
    "materials.csv": "stages:3 hs:4",
    "factors.csv": "kg_per_kg:2",
    "prices.csv": "date:2 price:3 price:4",
    "rates.csv": "rate:2",
    "facilities.csv": "country:2 country:3 within:4 within:6",
    "capacity.csv": "per_year:2 facility:3 per_year:4 status:5 facility:5 source:7",
    "offer.csv": ":None",
    "offers.csv": "lead_tiem:1 price:2 price:3 max_lots:3 qualification:3 take_or_pay:3 source:4 take_or_pay_share:4 material:5 "
    "benchmark:5 until:6 min_order:6 premium:6 :7 material:8 price_source:9 lot:9",
    "recipe.csv": "offer:2 per_unit:4",
    "chain.csv": "complete:3 countries:4 stage:5 complete:6",
    "lanes.csv": "to:2 freight:3",
    "quotes.csv": "from:3 offer:4 offer:5 offer:6 until:6 price:6 source:6",
    "terms.csv": "materials:2 fixed:2 of:3 id:4 least:4 setup_use:5 until:5 source:5 places:6 setup_use:6 fixed:7",
}
"""Columns and lines with mistakes, by file."""
BAD_CASE = {
    "case.name", "case.periods", "case.period", "case.currency", "case.place", "case.discount", "use.demand",
    "use.pakcs", "accept.confidence", "accept.rule_status", "accept.capacity.superseded", "accept.capacity.ramping",
    "assume.lead_time", "assume.freight", "assume.holding", "assume.license.civil", "assume.offer[1].capacity",
    "demand[1].end_use", "demand[1].per_year", "demand[2].quantity", "demand[2].untill", "demand[3].material",
    "stock[1].quantity", "stock[1].chain[1].stage", "stock[1].chain[1].countries", "order[1].arrives",
    "license[1].until", "waivers", "rule[1].kind", "scenario[1].inherits", "scenario[1].change[1]",
    "scenario[1].change[2]", "scenario[1].change[3].prize", "scenario[2].name",
}  # fmt: skip


def problems(read: Callable[[], object]) -> InputError:
    """The one error that reading ends in."""
    with pytest.raises(InputError) as caught:
        read()
    return caught.value


def test_every_mistake_of_a_bad_catalog_is_told_at_once() -> None:
    """Some seventy mistakes in fifteen files: each is told once, at its line and column, and nothing else is."""
    found: dict[str, list[str]] = {}
    for problem in problems(lambda: load_catalog(DATA / "bad-catalog")).problems:
        found.setdefault(Path(problem.file).name, []).append(f"{problem.column}:{problem.row}")
    assert {file: sorted(places) for file, places in found.items()} == {
        file: sorted(places.split()) for file, places in BAD_CATALOG.items()
    }


def test_every_mistake_of_a_bad_case_is_told_at_once() -> None:
    """Some thirty mistakes in one case: each is told once, at its key and line, and nothing else is."""
    error = problems(lambda: load_case(DATA / "bad-case"))
    assert sorted(p.column for p in error.problems) == sorted(BAD_CASE)
    assert all(p.row for p in error.problems)


@pytest.mark.parametrize("read", [lambda: load_catalog(DATA / "bad-catalog"), lambda: load_case(DATA / "bad-case")])
def test_every_message_helps(read: Callable[[], object]) -> None:
    """Each message says what was expected or how to mend it, in order of file and line, with the exit code of bad input."""
    error = problems(read)
    assert error.exit_code == 2
    assert all(p.expected or p.fix for p in error.problems)
    places = [(p.file, p.row or 0) for p in error.problems]
    assert places == sorted(places)
    assert len(str(error).splitlines()) == len(error.problems)
