"""Very many offers: memory that grows with them is bounded, by counts and not by the clock."""

from __future__ import annotations

import gc
import hashlib
import re
import sys
import tracemalloc
from pathlib import Path

import pytest

from friendshore import load_case
from friendshore.catalog import folder, load_catalog, reading
from friendshore.domain.base import Record, SharedValues
from friendshore.explain import replans
from friendshore.plugins import Registry
from friendshore.problem import Problem
from friendshore.program import compile_program
from friendshore.reading import csvfile
from friendshore.recommend import gather, plan

from ..building import refused
from .large import large_case

FEW, MANY = 400, 1_200


@pytest.mark.deep
def test_memory_by_offer_is_bounded(tmp_path: Path) -> None:
    """An offer with its plant, capacity, price and origin takes about 3.2 kB once it is resolved, and up to 3.6 kB while it is read.

    What every case takes, however small, is left out: two cases are compared.
    """
    used = [_used(large_case(tmp_path / str(offers), offers)) for offers in (10, FEW, MANY)]
    kept, most = ((used[2][i] - used[1][i]) / (MANY - FEW) for i in (0, 1))
    assert kept < 3_200
    assert most < 3_600


def _used(case: Path) -> tuple[int, int]:
    """Bytes that a resolved case takes, and the most that it took on the way."""
    loaded, registry = load_case(case), Registry.of()
    tracemalloc.start()
    try:
        problem = gather(loaded, registry).inputs.problem()
        assert problem.offers
        gc.collect()  # what nothing holds any more is not kept, whenever it would have been taken away
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def test_compact_records_share_field_names_whatever_was_read_before() -> None:
    """Python stops sharing the names of a class after some 30 records that pydantic makes, unless it has seen all names by then."""

    class Fact(Record):
        id: str
        place: str
        price: int
        note: str = ""

    fields = {"id": "1", "place": "AU", "price": 5, "note": "sample"}
    for _ in range(40):
        Fact.model_construct(**fields)
    record = SharedValues().unchecked_record(Fact, fields)
    assert sys.getsizeof(record.__dict__) < sys.getsizeof(dict(fields))


def test_records_of_a_table_share_what_they_hold_alike(tmp_path: Path) -> None:
    """Prices, capacities, outputs and chains of the same content are one record."""
    catalog = load_catalog(large_case(tmp_path, MANY) / "catalog")
    offers = catalog.offers
    assert len({id(step) for facility in catalog.facilities for step in facility.capacity}) == 50
    assert len({id(line) for offer in offers for line in offer.outputs}) == 1
    shared = {"price": 777, "chain": 10, "model_fields_set": 1}
    assert {name: len({id(getattr(offer, name)) for offer in offers}) for name in shared} == shared
    copied = offers[0].but(note="another")
    assert ("note" in copied.model_fields_set, "note" in offers[1].model_fields_set) == (True, False)


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000])
def test_facts_are_summed_up_alike_in_pieces(piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest is that of the whole JSON, whatever the length of the pieces it is made of."""
    catalog = load_catalog(large_case(tmp_path, 20) / "catalog")
    whole = catalog.model_dump_json(exclude={"digest", "distribution"}, exclude_defaults=True)
    monkeypatch.setattr(folder, "_RECORDS_PER_CHUNK", piece)
    assert folder.digest(catalog) == catalog.digest == hashlib.sha256(whole.encode()).hexdigest()


def test_causes_take_as_many_plans_however_many_offers_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offers are left out of account together, and not one by one."""
    compiled: list[Problem] = []
    monkeypatch.setattr(
        replans, "compile_program", lambda problem: compiled.append(problem) or compile_program(problem)
    )
    counts = []
    for offers in (20, 40):
        folder = large_case(tmp_path / str(offers), offers)
        sites = folder / "catalog" / "offers.csv"
        sites.write_text(re.sub(r"plant-\d+", "plant-1", sites.read_text(encoding="utf-8")), encoding="utf-8")
        compiled.clear()
        assert all(row.causes for row in plan(load_case(folder), registry=Registry.of()).run.shortages)
        counts.append(len(compiled))
    assert counts[1] == counts[0] > 0


@pytest.mark.parametrize(
    ("most", "table", "found"), [(30, "chain", "more than 30"), (45, "chain", "82"), (100, "capacity", "102")]
)
def test_more_rows_than_are_held_are_one_mistake(
    most: int, table: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a table alone, or of all tables of a catalog: told once, with nothing else that would follow from it."""
    monkeypatch.setattr(csvfile, "MAX_TABLE_ROWS", most)
    monkeypatch.setattr(reading, "MAX_TABLE_ROWS", most if most > 30 else 100)
    (problem,) = refused(load_catalog, large_case(tmp_path, 20) / "catalog")
    assert (Path(problem.file).name, problem.code) == (f"{table}.csv", "FS051")
    assert (problem.found, problem.expected) == (found, f"at most {most}")
