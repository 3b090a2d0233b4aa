"""What must not change a plan: the order of rows, the unit of masses, the form of catalogs, the names of things."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.building import planned

from friendshore.catalog import load_catalog, validated_catalog
from friendshore.catalog.convert import convert
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.domain.naming import Alias, Sort
from friendshore.errors import InputError
from friendshore.recommend import Recommendation

from .compare import RELATIVE
from .disk import write
from .renaming import renamed
from .scaling import sized_cases
from .settings import examples
from .strategies import Tiny, tiny_cases


def text(found: Recommendation) -> str:
    """A run as it is written."""
    return json.dumps(found.to_dict(), sort_keys=False)


def shuffled(record: Any, order: Random, *fields: str) -> Any:
    """A record with the entries of some fields in another order."""
    rows = {field: getattr(record, field) for field in fields}
    return record.model_copy(update={field: tuple(order.sample(some, len(some))) for field, some in rows.items()})


def halves(catalog: Catalog, order: Random) -> list[Catalog]:
    """The same facts in two catalogs, in any order."""
    offers, rest = catalog.offers[::2], catalog.offers[1::2]
    other = Catalog(name="other", license=catalog.license, as_of=catalog.as_of, requires=("tiny",), offers=rest)
    return order.sample([catalog.but(offers=offers), other], 2)


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_byte(tiny: Tiny, order: Random) -> None:
    """Materials, facilities, offers, sources, demands, stocks, papers and rules in another order give the same run, to the byte."""
    catalog = shuffled(tiny.catalog, order, "materials", "facilities", "offers", "terms", "schedules", "sources")
    case = shuffled(tiny.case, order, "demands", "stocks", "orders", "licenses", "waivers", "stores")
    rules = order.sample(tiny.rules, len(tiny.rules))
    try:
        first = tiny.planned()
    except InputError:
        return  # facts that make no sense together
    assert text(planned(case, catalog, *rules)) == text(first)


@examples(30)
@given(tiny_cases(), st.randoms(use_true_random=False))
def test_order_of_catalogs_changes_no_byte(tiny: Tiny, order: Random) -> None:
    """Two catalogs given the other way round give the same run, to the byte."""
    both = halves(tiny.catalog, order)
    assert text(planned(tiny.case, both, *tiny.rules)) == text(planned(tiny.case, both[::-1], *tiny.rules))


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_the_unit_of_masses_changes_no_byte(tiny: Tiny, order: Random) -> None:
    """The same catalog written in grams, kilograms and tonnes, rows in any order, gives the same run, to the byte."""
    with tempfile.TemporaryDirectory() as folder:
        read = [load_catalog(write(tiny.catalog, Path(folder, unit), unit, order)) for unit in ("g", "kg", "t")]
    assert read[0] == read[1] == read[2]
    try:
        grams, kilograms, tonnes = (text(planned(tiny.case, catalog, *tiny.rules)) for catalog in read)
    except InputError:
        return  # facts that make no sense together
    assert grams == kilograms == tonnes


@examples(30)
@given(tiny_cases(), st.randoms(use_true_random=False), st.sampled_from(["kg", "t"]))
def test_a_workbook_holds_the_same_facts(tiny: Tiny, order: Random, unit: str) -> None:
    """A catalog as a folder, as a workbook and as a folder again is the same catalog, record by record."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, book, again = (Path(scratch, name) for name in ("first", "first.xlsx", "again"))
        write(tiny.catalog, folder, unit, order)
        convert(folder, book, load_catalog)
        convert(book, again, load_catalog)
        assert load_catalog(folder) == load_catalog(book) == load_catalog(again)


@examples(300)
@given(sized_cases(), st.randoms(use_true_random=False))
def test_names_change_neither_cost_nor_shortage_nor_verdicts(tiny: Tiny, order: Random) -> None:
    """With every offer, facility, material and demand named anew, cost, shortage and verdicts are the same but for the names."""
    odd = without_ties(tiny)
    other, back = renamed(odd, order)
    try:
        first, second = (t.planned() for t in (odd, other))
    except InputError:
        return  # facts that make no sense together
    assert second.status is first.status
    if first.run.conflicts or second.run.conflicts:
        return
    allowed = RELATIVE * max(1.0, first.objective)
    assert abs(second.objective - first.objective) <= allowed
    assert abs(float(second.cost.total - first.cost.total)) <= 10 * allowed
    assert shortage(second, back) == pytest.approx(shortage(first, {}), abs=0.01)
    assert verdicts(second, back) == verdicts(first, {})


@examples(60)
@given(tiny_cases(), st.randoms(use_true_random=False))
def test_a_case_with_old_names_is_that_of_today(tiny: Tiny, order: Random) -> None:
    """With every offer, facility and material of the catalog named anew, and aliases that say so, case and rules of before become those of today."""
    other, back = renamed(tiny, order, demands=False)
    names = other.catalog
    sorts: dict[Sort, Any] = {"material": names.materials, "facility": names.facilities, "offer": names.offers}
    more = {"date": date(2026, 5, 1), "reason": "anew"}
    aliases = [Alias(of=of, old=back[one.id], new=one.id, **more) for of, some in sorts.items() for one in some]
    catalog = names.but(aliases=tuple(aliases))
    assert validated_catalog(catalog)[1] == []
    followed = replace(tiny, catalog=catalog).inputs.followed()
    assert followed.case.but(followed=()) == other.case
    assert followed.rules == other.rules
    assert replace(other, catalog=catalog).inputs.followed().case == other.case


def without_ties(tiny: Tiny) -> Tiny:
    """The same case with odd cents on every price, and a discount, so that one plan alone is cheapest."""
    tiny = tiny.priced()
    odd = Random(len(tiny.catalog.offers))

    def more(record: Any, field: str) -> Any:
        return record.but(**{field: getattr(record, field) + Decimal(odd.randrange(1, 10**6)) / 10**6})

    offers = tuple(
        o.but(price=more(o.price, "amount")) if o.price else o.but(quotes=tuple(more(q, "amount") for q in o.quotes))
        for o in tiny.catalog.offers
    )
    demands = tuple(more(d, "shortage_price") for d in tiny.case.demands)
    stores = tuple(more(s, "holding") for s in tiny.case.stores)
    case: Case = tiny.case.but(demands=demands, stores=stores, discount=Decimal("0.0731"))
    return Tiny(case, tiny.catalog.but(offers=offers), tiny.rules)


def shortage(found: Recommendation, names: dict[str, str]) -> dict[tuple[str, str], float]:
    """Kilograms short by demand and period, zeros included."""
    short = {(names.get(d.id, d.id), p.label): 0.0 for d in found.run.demands for p in found.run.periods}
    return short | {(names.get(s.demand, s.demand), s.period): float(s.quantity_kg) for s in found.run.shortages}


def verdicts(found: Recommendation, names: dict[str, str]) -> set[str]:
    """What is kept out and what is not proved, with the rule and stage that decided."""
    keys = {"offer", "material", "demand_material", "end_use", "rule", "stage", "countries"}
    rows = [row.model_dump(mode="json", include=keys) for row in (*found.run.blocked, *found.run.unproven)]
    return {json.dumps({k: _plain(v, names) for k, v in row.items()}, sort_keys=True) for row in rows}


def _plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return sorted(_plain(v, names) for v in value)
    return names.get(value, value) if isinstance(value, str) else value
