"""`datapackage.json` beside a catalog: what the tables hold, as other tools read it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from friendshore.catalog import read_catalog
from friendshore.catalog.columns import TABLES
from friendshore.catalog.datapackage import FILE, stale, write_datapackage
from friendshore.errors import InputError

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
    (folder / FILE).write_text(json.dumps({**told, "contributors": [{"title": "Us"}]}))
    assert stale(folder) == []
    (folder / "tiers.csv").unlink()
    [remark] = stale(folder)
    assert "no longer describes" in str(remark)
    assert described(folder)["contributors"] == [{"title": "Us"}]
    assert stale(folder) == []


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 9_000])
def test_what_is_no_data_package_is_not_overwritten(text: str, folder: Path) -> None:
    """A file of that name that cannot be read is told, and left as it is."""
    (folder / FILE).write_text(text)
    assert stale(folder)
    with pytest.raises(InputError, match="datapackage"):
        write_datapackage(folder)
    assert (folder / FILE).read_text() == text


@pytest.mark.parametrize("key", ["title", "resources"])
def test_what_others_say_of_the_catalog_is_not_overwritten(key: str, folder: Path) -> None:
    """A file made by hand, or changed in what friendshore writes, is refused and left as it is."""
    told = described(folder)
    for text in (json.dumps({"name": "mine", key: []}), json.dumps({**told, key: ["mine"]})):
        (folder / FILE).write_text(text)
        with pytest.raises(InputError, match="did not write"):
            write_datapackage(folder)
        assert (folder / FILE).read_text() == text
