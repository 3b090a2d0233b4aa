"""Records by column: the same records, and the same bytes in files."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from friendshore.domain.base import Number, Record
from friendshore.domain.change import Change
from friendshore.domain.record_table import RecordTable
from friendshore.domain.run import Run
from friendshore.recommend import Recommendation
from friendshore.run.json_files import json_pieces
from friendshore.run.tables import PURCHASES, table_pieces
from friendshore.solve import solving

from ..building import case, catalog, demand, facility, offer, planned


class Sale(Record):
    """A record with every kind of field that tables have."""

    name: str
    day: date | None = None
    late: bool = False
    amount: Number
    rate: Number | None = None
    words: list[str] = []


NUMBERS = (
    "0",
    "1",
    "-1",
    "5000",
    "5000.0",
    "0.001",
    "-0.25",
    "123456789012.345",
    "999999999999999",
    "1e-10",
    "1e18",
    "1e-15",
)


def sales() -> Iterator[Sale]:
    shared = ["x", "y"]
    for position, number in enumerate(NUMBERS):
        rate = None if position % 3 == 0 else number
        day = None if position % 2 else date(2027, 1, 1 + position)
        words = shared if position % 4 else ["x", "y"]
        yield Sale(name=f"n{position % 5}", day=day, late=position == 3, amount=number, rate=rate, words=words)


def table_of(records: list[Sale]) -> RecordTable[Sale]:
    return RecordTable(Sale, (record.__dict__ for record in records))


def test_records_come_back_as_they_were() -> None:
    """With the digits and trailing zeros of each number, in order, and by position."""
    records = list(sales())
    table = table_of(records)
    assert list(table) == records == table
    assert [str(record.amount) for record in table] == [str(record.amount) for record in records]
    assert [str(record.rate) for record in table] == [str(record.rate) for record in records]
    assert (len(table), table[3], table[-1], table[2:4]) == (len(records), records[3], records[-1], tuple(records[2:4]))
    assert pickle.loads(pickle.dumps(table)) == records
    assert table != records[:-1]
    assert table_of([]) == []


def test_mapped_converts_what_is_stored_once_only_once() -> None:
    seen: list[Any] = []
    table = table_of(list(sales()))
    assert list(table.mapped("name", lambda value: seen.append(value) or f"<{value}>")) == [
        f"<n{position % 5}>" for position in range(len(NUMBERS))
    ]
    assert seen == [f"n{number}" for number in range(5)]


def two_suppliers() -> Recommendation:
    plants = facility("pit", "AU", 60), facility("hole", "CA", 500)
    facts = catalog(*plants, offer("au", "pit", "metal", 7), offer("ca", "hole", "metal", 9.25))
    return planned(case(demand("metal", "civil", 100, 100)), facts)


@pytest.fixture(scope="module")
def plan() -> Recommendation:
    return two_suppliers()


def test_files_are_the_same_bytes(plan: Recommendation) -> None:
    """Purchases by column and purchases as a list give equal files."""
    by_column = plan.run
    assert isinstance(by_column.purchases, RecordTable)
    as_list = by_column.but(purchases=list(by_column.purchases))
    assert len(as_list.purchases) > 2
    for pieces in (json_pieces, lambda run: table_pieces(PURCHASES, run, ())):
        assert b"".join(pieces(by_column)) == b"".join(pieces(as_list))
    assert by_column == as_list == Run.model_validate(as_list.model_dump())
    assert by_column.model_dump(mode="json") == as_list.model_dump(mode="json")
    assert f"purchases=<{len(as_list.purchases)}>" in repr(by_column)


def test_a_large_session_answers_as_a_small_one(plan: Recommendation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is dropped once the run is described, and compiled again for the next question."""
    monkeypatch.setattr(solving, "_LARGE", 0)
    large = two_suppliers()
    assert large.run == plan.run
    before = large.session.program
    with large.session.explaining() as explained:
        assert explained.program is before
        assert explained.answers is not large.session.answers
    again = large.session.program
    assert again is not before
    assert (again.linear.cost == before.linear.cost).all()
    assert (again.linear.entries.data == before.linear.entries.data).all()
    lost = Change(remove="au")
    assert large.session.what_if(lost).cost == plan.session.what_if(lost).cost
