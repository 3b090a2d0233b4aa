"""The published schemas and the reference page are those of the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.reference.schema import files_page, schema_text, schemas

from friendshore.case.keys import FILE
from friendshore.catalog.columns import HEAD, TABLES
from friendshore.domain.assumptions import CAPACITY_COUNTS
from friendshore.domain.facts import Offer
from friendshore.domain.meanings import meanings
from friendshore.reading.fields import Field, Layout

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_published_schema_is_current(name: str) -> None:
    """The file in the docs is what the code would write."""
    assert (REFERENCE / "schemas" / f"{name}.json").read_text(encoding="utf-8") == schema_text(schemas()[name])


def test_the_reference_page_is_current() -> None:
    """The page of all files is what the code would write."""
    assert (REFERENCE / "files.md").read_text(encoding="utf-8") == files_page()


def fields(layout: Layout) -> Iterator[tuple[str, Field]]:
    """All fields of a layout and of the tables within it."""
    for field in layout.fields:
        yield layout.name, field
        if field.inside is not None:
            yield from fields(field.inside)


ALL = [pair for layout in (HEAD, *TABLES, FILE) for pair in fields(layout)]


@pytest.mark.parametrize(("layout", "field"), ALL, ids=[f"{layout} {field.name}" for layout, field in ALL])
def test_every_field_is_documented_by_an_example_that_reads(layout: str, field: Field) -> None:
    """Each column and key says what it means, and its example is one that the reader accepts."""
    assert field.meaning.endswith(".")
    if field.inside is None and field.example != "":
        field.kind.read(field.example)


OF_NO_RECORD = {
    "schema", "material", "facility", "offer", "role",  # whose a row is
    "case", "use", "accept", "assume", "concern", "capacity", "licence", "chain", "change", "kind", "id", "plugin",  # tables within, and rules
    *("demand", "stock", "order", "incumbent", "waiver", "store", "carryover", "overlap", "rule", "objective", "scenario"),
    "quantity", "distinct",  # said otherwise in the record
    *CAPACITY_COUNTS,
}  # fmt: skip


@pytest.mark.parametrize(("layout", "field"), ALL, ids=[f"{layout} {field.name}" for layout, field in ALL])
def test_what_a_record_states_is_described_there_alone(layout: str, field: Field) -> None:
    """A column that is a field of a record has its kind and range from the type, and its meaning from the text under the field."""
    stated = field.record is not None and meanings(field.record).get(field.attribute)
    shared = field.record is not None and not stated  # a type that means the same in all records, as `Evidence`
    assert field.name in OF_NO_RECORD if field.record is None else stated or (shared and field.doc)


def test_records_state_the_unit_of_what_they_count() -> None:
    """Masses, money and durations of an offer carry their unit in their type."""
    kinds = {
        "mass": "kg",
        "mass per time": "kg/year",
        "money": "money",
        "money per mass": "money/kg",
        "duration": "months",
    }
    for layout, field in ALL:
        wanted = kinds.get(field.kind.name)
        if wanted is not None and field.record is not None:
            info = vars(field.record)["__pydantic_fields__"][field.attribute]
            assert f"unit={wanted!r}" in repr((info.annotation, info.metadata)), f"{layout} {field.name}"


def test_every_column_of_an_offer_has_a_place_in_the_record() -> None:
    """What the table of offers holds is what an offer is made of, so that no column is read for nothing."""
    columns = {f.name for layout in TABLES if layout.name == "offers.csv" for f in layout.fields}
    renamed = {"from": "start", "until": "end", "material": "outputs"}
    priced = {"price_source", "price_low", "price_high", "benchmark", "premium"}
    assert {renamed.get(c, c) for c in columns - priced} <= set(Offer.model_fields)
