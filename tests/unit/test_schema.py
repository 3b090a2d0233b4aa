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
from friendshore.catalog import load_catalog
from friendshore.catalog.columns import HEAD, TABLES
from friendshore.catalog.convert import FILE as PACKAGE
from friendshore.catalog.convert import stale, write_datapackage
from friendshore.domain.case import CAPACITY_COUNTS
from friendshore.domain.written import meanings
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


def test_every_field_is_documented_by_an_example_that_reads() -> None:
    """Each column and key says what it means, and its example is one that the reader accepts."""
    for layout, field in ALL:
        assert field.meaning.endswith("."), (layout, field.name)
        if field.inside is None and field.example != "":
            field.kind.read(field.example)


OF_NO_RECORD = {
    "schema", "material", "facility", "offer", "role",  # whose a row is
    "case", "use", "accept", "assume", "concern", "capacity", "license", "chain", "change", "kind", "id", "plugin",  # tables within, and rules
    *("demand", "stock", "order", "incumbent", "waiver", "store", "carryover", "overlap", "rule", "objective", "scenario"),
    "quantity", "distinct",  # said otherwise in the record
    *CAPACITY_COUNTS,
}  # fmt: skip


def test_what_a_record_states_is_described_there_alone() -> None:
    """A column that is a field of a record has its kind and range from the type, and its meaning from the text under the field."""
    for layout, field in ALL:
        # A type that means the same in all records, such as `Evidence`, has its text in `doc`.
        described = field.record is not None and (meanings(field.record).get(field.attribute) or field.doc)
        assert described or (field.record is None and field.name in OF_NO_RECORD), (layout, field.name)


# --------------------------------------------------------------------------------------------------------- data packages


GOOD = Path(__file__).parents[1] / "data" / "good-catalog"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good catalog."""
    return Path(shutil.copytree(GOOD, tmp_path / "mine"))


def described(folder: Path) -> dict[str, Any]:
    """What is written for a catalog."""
    return dict(json.loads(write_datapackage(folder).read_text(encoding="utf-8")))


def test_every_table_is_described_as_it_stands(folder: Path) -> None:
    """One resource a file, its fields in the order of the header, each with the meaning that friendshore reads it by."""
    resources = {one["path"]: one["schema"]["fields"] for one in described(folder)["resources"]}
    assert set(resources) == {path.name for path in folder.glob("*.csv")}
    layouts = {layout.name: {field.name: field for field in layout.fields} for layout in TABLES}
    for path, told in resources.items():
        with (folder / path).open(newline="", encoding="utf-8") as file:
            assert [field["name"] for field in told] == next(csv.reader(file))
        for field in told:
            meant = layouts[path][field["name"]]
            assert field["description"] == meant.meaning
            assert field.get("constraints", {}).get("required", False) is meant.required


def test_dates_words_and_keys_are_said_in_the_formats_own_terms(folder: Path) -> None:
    """A date is a date, a fixed set of words an enumeration, an id a primary key; the catalog is read as before."""
    by_name = {one["name"]: one["schema"] for one in described(folder)["resources"]}
    fields = {(name, field["name"]): field for name, schema in by_name.items() for field in schema["fields"]}
    assert (fields["sources", "date"]["type"], fields["chain", "complete"]["type"]) == ("date", "boolean")
    assert "verified" in fields["sources", "confidence"]["constraints"]["enum"]
    assert (by_name["offers"]["primaryKey"], "primaryKey" in by_name["prices"]) == (["id"], False)
    assert load_catalog(folder).digest == load_catalog(GOOD).digest


def test_one_that_no_longer_fits_is_noticed_and_written_anew(folder: Path) -> None:
    """A table that is gone makes it stale; written anew it fits, and keys of the owner's are kept."""
    assert stale(folder) == []
    told = {**described(folder), "contributors": [{"title": "Us"}]}
    (folder / PACKAGE).write_text(json.dumps(told))
    assert stale(folder) == []
    (folder / "tiers.csv").unlink()
    assert len(stale(folder)) == 1
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
@pytest.mark.parametrize("own", [True, False])
def test_what_others_say_of_the_catalog_is_not_overwritten(own: bool, key: str, folder: Path) -> None:
    """A file made by hand, or changed in what friendshore writes, is refused and left as it is."""
    text = json.dumps({"name": "mine", key: []} if own else {**described(folder), key: ["mine"]})
    (folder / PACKAGE).write_text(text)
    with pytest.raises(InputError, match="FS144"):
        write_datapackage(folder)
    assert (folder / PACKAGE).read_text() == text
