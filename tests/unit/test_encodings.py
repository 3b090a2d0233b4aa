"""Files that are not what they should be: the cause is told first and alone, with the fix, and nothing of what follows of it."""

from __future__ import annotations

import codecs
import shutil
from pathlib import Path

import pytest

from friendshore.case import load_case
from friendshore.catalog import read_catalog
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins.registry import Registry
from friendshore.reading.textfile import json_object
from friendshore.reading.tomltext import toml_data
from friendshore.rules.pack import read_pack

from ..building import refused

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
TABLES = sorted(path.name for path in GOOD.iterdir())
PACK = 'schema = 1\nid = "house"\ntitle = "Дом"\nas_of = 2026-01-31\n'
CASE = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n# Дом\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good catalog."""
    return Path(shutil.copytree(GOOD, tmp_path / "mine"))


def problems(error: pytest.ExceptionInfo[InputError]) -> str:
    """What is told, a line each."""
    return "\n".join(map(str, error.value.problems))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1251", "Windows-1251 (Cyrillic)"), ("utf-16", "is UTF-16 text"), ("utf-16-le", "UTF-16")]
)
def test_another_encoding_is_the_one_mistake(name: str, encoding: str, said: str, folder: Path) -> None:
    """Whichever file of a catalog it is, no row that refers to it is blamed."""
    path = folder / name
    comment = "\n# Дом\n" if name.endswith(".toml") else "\nДом,Гора\n"
    path.write_bytes((path.read_text() + comment).encode(encoding))
    with pytest.raises(InputError) as error:
        read_catalog(folder)
    told = problems(error)
    assert len(told.splitlines()) == 1, told
    assert told.startswith(str(path))
    assert said in told
    assert "encoding UTF-8" in told


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 99, "is a workbook or an archive, not text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "is a workbook or an archive, not text"),
        ("id,reference\npaper,Münchner Häuser\n".encode("cp1252"), "looks like Windows-1252"),
        (b"", "is empty"),
        (b"Sources of Acme\n\nid,reference,date,confidence\n", "looks like a title: the header of the table is row 3"),
        (b"id;reference;date;confidence\npaper;A;;verified\n", "not set off by commas"),
        (b'id,reference,date,confidence\npaper,"A" b,,verified\n', "is not a CSV table from here on"),
        (b"name,reference,date,confidence\npaper,A,,verified\n", "sources.csv:1 ["),
    ],
)
def test_a_table_that_cannot_be_read_blames_no_other(content: bytes, said: str, folder: Path) -> None:
    """Rows of other tables that name its rows may well be right."""
    (folder / "sources.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_catalog(folder)
    told = problems(error)
    assert said in told
    assert {line.split(":")[0] for line in told.splitlines()} == {str(folder / "sources.csv")}


def test_a_mark_at_the_beginning_of_utf_8_does_no_harm(folder: Path) -> None:
    """Spreadsheets and editors put it there: tables, heads, packs and cases read the same with it."""
    for path in folder.iterdir():
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert read_catalog(folder) == read_catalog(GOOD)
    assert Registry.of().catalog_folder("./mine", folder.parent).name == "small"
    (folder / "pack.toml").write_bytes(codecs.BOM_UTF8 + PACK.encode())
    assert read_pack(folder).id == "house"
    (folder / "case.toml").write_bytes(codecs.BOM_UTF8 + CASE.encode())
    assert load_case(folder).name == "c"


@pytest.mark.parametrize(("encoding", "said"), [("cp1251", "Windows-1251"), ("utf-16", "is UTF-16 text")])
def test_cases_and_packs_in_another_encoding(encoding: str, said: str, tmp_path: Path) -> None:
    """One mistake, with the fix."""
    (tmp_path / "pack.toml").write_bytes(PACK.encode(encoding))
    (tmp_path / "case.toml").write_bytes(CASE.encode(encoding))
    for read in (read_pack, load_case):
        with pytest.raises(InputError) as error:
            read(tmp_path)
        assert len(error.value.problems) == 1
        assert said in problems(error)
        assert "encoding UTF-8" in problems(error)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (r'{"a": "x\ud800"}', "a"),
        (r'{"a": [{"b": 1}, {"b": "\udc00\ud83d"}]}', "a[2].b"),
        (r'{"a": {"\udfff": 1}}', "a"),
        ('{"a": "\ud800"}', "a"),
    ],
)
def test_half_of_a_character_in_json_is_named(text: str, column: str) -> None:
    """JSON can escape what no file, screen or digest can write."""
    found: list[Diagnostic] = []
    assert json_object(text, "facts.json", found) is None
    assert [(one.message, one.column) for one in found] == [("contains half of a character", column)]


@pytest.mark.parametrize("text", [r'{"a": "\ud83d\ude00"}', r'{"a": "\\ud800"}'])
def test_a_whole_character_written_in_two_halves_is_read(text: str) -> None:
    """As is a backslash before what only looks like half of one."""
    found: list[Diagnostic] = []
    assert json_object(text, "facts.json", found) is not None
    assert found == []


def test_half_of_a_character_in_a_cell_is_named(folder: Path) -> None:
    """A cell may be written as a JSON string, escapes included."""
    path = folder / "facilities.csv"
    lines = path.read_text().splitlines()
    column = lines[0].split(",").index("name")
    cells = lines[1].split(",")
    cells[column] = r'"""half \ud800"""'
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert [(p.row, p.column, p.expected) for p in refused(read_catalog, folder)] == [
        (2, "name", "text of whole characters")
    ]


def test_half_of_a_character_in_toml_text_is_named() -> None:
    """No file can hold it, but a program that hands text over can."""
    assert [(p.row, p.message) for p in refused(toml_data, 'a = 1\nb = "\ud800"\n', "case.toml")] == [
        (2, "contains half of a character")
    ]
