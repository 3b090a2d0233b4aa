"""Records built in Python and the same written to files: the same diagnostics, and the same plan."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import SOURCE, planned, refused

from friendshore.case import load_case
from friendshore.domain.case import Case, IncumbentSpec
from friendshore.domain.facts import Catalog, Price
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.recommend import check, plan

from .disk import write, write_case
from .scaling import sized_cases
from .settings import examples
from .strategies import Tiny, tiny_cases

Break = Callable[[Case, Catalog], tuple[Case, Catalog]]


def _in_catalog(field: str, at: int, **update: Any) -> Break:
    """One record of a catalog with other values, which nobody has looked at: `model_copy` does not."""

    def apply(case: Case, catalog: Catalog) -> tuple[Case, Catalog]:
        records = list(getattr(catalog, field))
        records[at] = _changed(records[at], update)
        return case, catalog.model_copy(update={field: tuple(records)})

    return apply


def _changed(record: Any, update: dict[str, Any]) -> Any:
    return record.model_copy(update={k: value(record) if callable(value) else value for k, value in update.items()})


def _again(field: str, at: int) -> Break:
    """One record of a catalog twice."""

    def again(catalog: Catalog) -> Any:
        return (*getattr(catalog, field), getattr(catalog, field)[at])

    return lambda case, catalog: (case, _changed(catalog, {field: again}))


def _in_case(**update: Any) -> Break:
    """A case with other values."""
    return lambda case, catalog: (_changed(case, update), catalog)


def _first(field: str, **update: Any) -> Callable[[Any], Any]:
    """The records of a field, the first of them with other values."""
    return lambda record: (getattr(record, field)[0].model_copy(update=update), *getattr(record, field)[1:])


BREAKS: dict[str, Break] = {
    "offer twice": _again("offers", 0),
    "plant twice": _again("facilities", -1),
    "material twice": _again("materials", 0),
    "rate twice": _again("rates", 0),
    "no such plant": _in_catalog("offers", 0, facility="nowhere"),
    "no such material": _in_catalog("offers", 0, outputs=_first("outputs", material="oxid"), chain=()),
    "no such country": _in_catalog("facilities", -1, country="Atlantis", place=""),
    "no such origin": _in_catalog("offers", 0, customs_origin="Chyna"),
    "no such currency": _in_catalog("rates", 0, currency="EURO"),
    "no such source": _in_catalog("materials", 1, source="tiny:nobody"),
    "rate of nothing": _in_catalog("rates", 1, rate=Decimal(0)),
    "rate for itself": _in_catalog("rates", 2, to="EUR"),
    "negative price": _in_catalog("offers", 1, quotes=(), price=Price.model_construct(amount=Decimal(-5), currency="USD", source=SOURCE)),
    "negative order": _in_catalog("offers", 1, max_per_year=Decimal(-1)),
    "more than at most": _in_catalog("offers", 0, min_order=Decimal(50), max_order=Decimal(40), lot=None, max_lots=None),
    "lot of nothing": _in_catalog("offers", 0, lot=Decimal(0), max_lots=None),
    "lots of no lot": _in_catalog("offers", 1, lot=None, max_lots=3),
    "ends before it begins": _in_catalog("offers", 1, start=date(2027, 1, 1), end=date(2026, 1, 1)),
    "share of none": _in_catalog("offers", 1, take_or_pay=Decimal(5), take_or_pay_share=Decimal(2)),
    "within itself": _in_catalog("facilities", -1, within=lambda f: f.id),
    "within none": _in_catalog("facilities", -1, within="nowhere"),
    "negative capacity": _in_catalog("facilities", -1, capacity=_first("capacity", per_year=Decimal(-10))),
    "all of no countries": _in_catalog("offers", 0, chain=_first("chain", countries=frozenset(), complete=True)),
    "nowhere made": _in_catalog("offers", 0, chain=_first("chain", countries=frozenset({"Mordor"}))),
    "stage of another": _in_catalog("offers", 0, chain=_first("chain", stage="sintering")),
    "content above one": _in_catalog("materials", 2, content=Decimal(2)),
    "tariff code": _in_catalog("materials", 3, hs="magnets"),
    "demand twice": _in_case(demands=lambda c: (*c.demands, c.demands[0])),
    "demand of nothing": _in_case(demands=_first("demands", quantities=(), per_year=None)),
    "negative demand": _in_case(demands=_first("demands", quantities=(), per_year=Decimal(-3))),
    "periods missed": _in_case(demands=_first("demands", per_year=None, quantities=(Decimal(1),) * 9)),
    "end use misspelt": _in_case(demands=_first("demands", end_use="Defence")),
    "no such country of demand": _in_case(demands=_first("demands", place="QQ")),
    "no such place of demand": _in_case(demands=_first("demands", place="moon-base")),
    "no such good": _in_case(demands=_first("demands", material="metl")),
    "case in no currency": _in_case(currency="USX", demands=lambda c: tuple(d.but(shortage_price=None) for d in c.demands), stores=(), assume=lambda c: c.assume.but(freight=None)),
    "discount above one": _in_case(discount=Decimal(2)),
    "no resolution": _in_case(resolution=Decimal(0)),
    "more lost than held": _in_case(stores=_first("stores", loss=Decimal(3))),
    "no such store": _in_case(stores=_first("stores", material="mettal")),
    "store twice": _in_case(stores=lambda c: (*c.stores, c.stores[0])),
    "nobody sells today": _in_case(incumbents=(IncumbentSpec(offer="oxide-z", per_year=Decimal(1)),)),
}  # fmt: skip
"""What may be wrong, by name; each in a record of its own where two of them would hide one another."""


def said(problems: Sequence[Diagnostic]) -> set[tuple[str, str]]:
    """What problems say, wherever they stand; a currency that is none is not also said to have no rate."""
    again = re.compile(r"^(line \d+ already|an earlier record) has")
    some = [p for p in problems if not p.message.startswith("no exchange rate")]
    return {(again.sub("another has", p.message), p.expected) for p in some}


def in_files(case: Case, catalog: Catalog, tiny: Tiny, folder: Path) -> Path:
    """The case and its catalog on disk."""
    write(catalog, folder / "tiny", "kg", Random(4))
    return write_case(case, tiny.rules, folder, "tiny")


def as_files_say(tiny: Tiny) -> Case:
    """The case as a file can say it: what it says of its stock has no source but the case."""
    stocks = tuple(s.but(chain=tuple(e.but(source="") for e in s.chain)) for s in tiny.case.stocks)
    return tiny.case.but(stocks=stocks)


LATER = ("no such place of demand", "no such good", "no such store", "nobody sells today")
"""What is found once the records by themselves are right."""
SOME = [*[st.sampled_from(sorted(BREAKS.keys() - set(LATER)))] * 3, st.sampled_from(LATER)]


@examples(50)
@given(tiny_cases(), st.sampled_from(SOME).flatmap(lambda some: st.lists(some, min_size=1, max_size=2, unique=True)))
def test_what_is_wrong_is_said_alike_of_records_and_of_files(tiny: Tiny, names: list[str]) -> None:
    """Duplicates, unknown names, countries, currencies, negative figures, dates, circles: the same problems, all at once."""
    case, catalog = as_files_say(tiny), tiny.catalog
    for name in names:
        case, catalog = BREAKS[name](case, catalog)
    with tempfile.TemporaryDirectory() as folder:
        found = check(in_files(case, catalog, tiny, Path(folder)), Registry.of())
    assert found.errors
    assert said(refused(planned, case, catalog, *tiny.rules)) == said(found.errors)


@examples(300)
@given(sized_cases())
def test_records_and_files_give_the_same_plan(tiny: Tiny) -> None:
    """Status, cost, purchases and what is short are the same to the byte."""
    case = as_files_say(tiny)
    try:
        ours = planned(case, tiny.catalog, *tiny.rules).run
    except InputError:
        return  # facts that make no sense together
    with tempfile.TemporaryDirectory() as folder:
        read = load_case(in_files(case, tiny.catalog, tiny, Path(folder)))
        theirs = plan(read, registry=Registry.of(), workers=1, strict_limits=True).run
    assert (ours.status, ours.cost, ours.objective) == (theirs.status, theirs.cost, theirs.objective)
    assert [p.model_dump() for p in ours.purchases] == [p.model_dump() for p in theirs.purchases]
    assert [d.model_dump() for d in ours.demands] == [d.model_dump() for d in theirs.demands]
