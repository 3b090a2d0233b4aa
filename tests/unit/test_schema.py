"""What is published about files: schemas, the reference page, and `datapackage.json`."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.reference.schema import files_page, schema_text, schemas

from friendshore.case.keys import FILE
from friendshore.catalog import read_catalog
from friendshore.catalog.columns import HEAD, TABLES
from friendshore.catalog.datapackage import FILE as PACKAGE
from friendshore.catalog.datapackage import stale, write_datapackage
from friendshore.domain.assumptions import CAPACITY_COUNTS
from friendshore.domain.facts import Offer
from friendshore.domain.meanings import meanings
from friendshore.errors import InputError
from friendshore.reading.fields import Field, Layout

# --------------------------------------------------------------------------------------------------------------- schemas


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


# --------------------------------------------------------------------------------------------------------- data packages


GOOD = Path(__file__).parents[1] / "data" / "good-catalog"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good catalog."""
    shutil.copytree(GOOD, tmp_path / "mine")
    return tmp_path / "mine"


def described(folder: Path) -> dict[str, Any]:
    """What is written for a catalog."""
    told = json.loads(write_datapackage(folder).read_text(encoding="utf-8"))
    assert isinstance(told, dict)
    return told


def test_every_table_is_described_as_it_stands(folder: Path) -> None:
    """One resource a file, its fields in the order of the header, each with the meaning that friendshore reads it by."""
    resources = described(folder)["resources"]
    assert {one["path"] for one in resources} == {path.name for path in folder.glob("*.csv")}
    layouts = {layout.name: {field.name: field for field in layout.fields} for layout in TABLES}
    for one in resources:
        with (folder / one["path"]).open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        assert [field["name"] for field in one["schema"]["fields"]] == header
        for field in one["schema"]["fields"]:
            meant = layouts[one["path"]][field["name"]]
            assert field["description"] == meant.meaning
            assert field.get("constraints", {}).get("required", False) is meant.required


def test_dates_words_and_keys_are_said_in_the_formats_own_terms(folder: Path) -> None:
    """A date is a date, a fixed set of words an enumeration, an id a primary key."""
    by_name = {one["name"]: one["schema"] for one in described(folder)["resources"]}
    fields = {(name, field["name"]): field for name, schema in by_name.items() for field in schema["fields"]}
    assert fields["sources", "date"]["type"] == "date"
    assert "verified" in fields["sources", "confidence"]["constraints"]["enum"]
    assert fields["chain", "complete"]["type"] == "boolean"
    assert by_name["offers"]["primaryKey"] == ["id"]
    assert "primaryKey" not in by_name["prices"]


def test_it_changes_nothing_of_the_catalog(folder: Path) -> None:
    """A catalog is read as before with the file beside it."""
    write_datapackage(folder)
    assert read_catalog(folder).digest == read_catalog(GOOD).digest


def test_one_that_no_longer_fits_is_noticed_and_written_anew(folder: Path) -> None:
    """A table that is gone makes it stale; written anew it fits, and keys of the owner's are kept."""
    assert stale(folder) == []
    told = described(folder)
    (folder / PACKAGE).write_text(json.dumps({**told, "contributors": [{"title": "Us"}]}))
    assert stale(folder) == []
    (folder / "tiers.csv").unlink()
    [remark] = stale(folder)
    assert "no longer describes" in str(remark)
    assert described(folder)["contributors"] == [{"title": "Us"}]
    assert stale(folder) == []


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 9_000])
def test_what_is_no_data_package_is_not_overwritten(text: str, folder: Path) -> None:
    """A file of that name that cannot be read is told, and left as it is."""
    (folder / PACKAGE).write_text(text)
    assert stale(folder)
    with pytest.raises(InputError, match="datapackage"):
        write_datapackage(folder)
    assert (folder / PACKAGE).read_text() == text


@pytest.mark.parametrize("key", ["title", "resources"])
def test_what_others_say_of_the_catalog_is_not_overwritten(key: str, folder: Path) -> None:
    """A file made by hand, or changed in what friendshore writes, is refused and left as it is."""
    told = described(folder)
    for text in (json.dumps({"name": "mine", key: []}), json.dumps({**told, key: ["mine"]})):
        (folder / PACKAGE).write_text(text)
        with pytest.raises(InputError, match="did not write"):
            write_datapackage(folder)
        assert (folder / PACKAGE).read_text() == text
