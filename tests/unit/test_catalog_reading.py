"""Catalog folders: read into facts in kilograms, with a list of all mistakes, whatever their order, units, and encoding."""

from __future__ import annotations

import codecs
import csv
import io
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from friendshore.case import load_case
from friendshore.catalog import catalog_contradictions, load_catalog, validated_catalog
from friendshore.domain.facts import Catalog, Feed, Offer
from friendshore.domain.naming import Names
from friendshore.domain.stages import Stage
from friendshore.errors import Diagnostic
from friendshore.plugins.registry import Registry
from friendshore.reading.textfile import json_object
from friendshore.reading.tomlfile import toml_data
from friendshore.rules.pack import read_pack

from ..building import refused
from ..property.settings import examples

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"

Change = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good catalog that a test may spoil."""
    return Path(shutil.copytree(GOOD, tmp_path / "small"))


@pytest.fixture
def change(folder: Path) -> Change:
    """Replaces a piece of one file, once."""

    def replace(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def offer(catalog: Catalog, name: str) -> Offer:
    """The offer called `name`."""
    return next(o for o in catalog.offers if o.id == name)


def one(folder: Path, file: str) -> Diagnostic:
    """The only thing that is wrong, and that it is in `file`."""
    problems = refused(load_catalog, folder)
    assert len(problems) == 1, [str(p) for p in problems]
    assert problems[0].file.endswith(file)
    return problems[0]


def test_figures_are_in_the_basis_of_their_material() -> None:
    """Ton units of WO3, pounds and contained metal all become kilograms of what the material is weighed in. Contents follow from factors."""
    catalog = load_catalog(GOOD)
    ore, powder, stock = offer(catalog, "ore"), offer(catalog, "powder"), offer(catalog, "stock")
    assert ore.price.amount == Decimal("8.45")  # 13 USD/kg WO3, 65% of the concentrate
    assert (stock.price.amount, stock.price.currency) == (Decimal(100), "USD")
    assert powder.max_per_year == Decimal(200_000)
    capacity = {f.id: f.capacity for f in catalog.facilities}
    assert capacity["sangdong"][1].per_year == Decimal("5076923.07692308")  # 3,300 t WO3 / 0.65
    assert capacity["powder-works"][0].per_year is None
    dy = offer(catalog, "separated").outputs[0]
    assert dy.material == "dy-oxide"
    assert abs(dy.per_unit - Decimal("0.02") / Decimal("0.8713")) < Decimal("1e-12")
    contents = {m.id: m.content for m in catalog.materials}
    assert contents["tungsten-concentrate"] == Decimal("0.65") * Decimal("0.793")
    assert (contents["ndpr-oxide"], contents["tungsten-powder"]) == (Decimal("0.857"), 1)


def test_facts_are_complete_and_named() -> None:
    """Countries by name, stages by step, sources by catalog: all become what rules and reports speak of, and stay so as JSON."""
    catalog = load_catalog(GOOD, "friendshore-small 1.0")
    assert catalog.distribution == "friendshore-small 1.0"
    assert {s.id for s in catalog.sources} == {"small:paper", "small:weights", "small:guess"}
    powder = offer(catalog, "powder")
    assert powder.catalog == "small"
    assert [(e.stage, e.main_stage) for e in powder.chain] == [("reduction", "refined"), ("produced", "produced")]
    assert {"US", "DE", "IE"} <= powder.chain[0].countries
    assert powder.chain[0].source == "small:paper"
    assert offer(catalog, "stock").chain[0].feed is Feed.RECYCLED
    facilities = {f.id: f for f in catalog.facilities}
    works, korea = facilities["powder-works"], facilities["korea"]
    assert (works.country, works.place, korea.country, korea.place) == ("US", "towanda", "KR", "KR")
    assert [str(step.start) for step in facilities["sangdong"].capacity] == ["2026-01-01", "2027-01-01"]
    stages = {m.id: m.stages for m in catalog.materials}
    assert stages["tungsten-powder"] == (Stage.MINED, Stage.REFINED, Stage.PRODUCED)
    assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog


# Further ones stand in tests/data/bad-catalog.
SPOILED = [
    ("catalog.toml", 'name = "small"', "", "name", "FS002"),
    # A slip of the pen is answered with what was probably meant, a missing factor with the row to add.
    ("offers.csv", "ore,sangdong", "ore,sandong", "facility", "`sangdong`"),
    ("chain.csv", "reduction", "reducton", "stage", "`reduction`"),
    ("facilities.csv", "Malaysia", "Malaysya", "country", "`Malaysia`"),
    ("prices.csv", "1100 USD", "1100 USX", "price", "`USD`"),
    ("chain.csv", "US; EU", '"US, EU"', "countries", "by `;`"),
    ("offers.csv", "13 USD/kg WO3", "13 USD/kg Mo", "price", "factors.csv: W,Mo,<kg per kg>,<source>"),
    # What is paid for without an end would be bought without end.
    ("offers.csv", "13 USD/kg WO3", "-13 USD/kg WO3", "price", "max_per_year"),
    ("quotes.csv", "1000 USD/mtu", "-1000 USD/mtu", "price", "max_per_year"),
    # A million kilograms of a metal are more than a million of its oxide: the limit holds for what is kept.
    ("recipe.csv", "0.02 kg Dy,", "1e6 kg Dy,", "per_unit", "FS013"),
    ("prices.csv", "CIF,paper\n", "CIF,paper\nfar,tungsten-powder,2026-01-01,1e11 USD/kg WO3,,,paper\n", "price", "FS013"),
    ("catalog.toml", "2026-06-30", '"mid 2026"', "as_of", "FS011"),
    ("materials.csv", "0.857", "85.7", "content", "FS013"),
    ("factors.csv", "65%", "0", "kg_per_kg", "FS013"),
    ("factors.csv", "tungsten-concentrate", "tungsten-concentrat", "compound", "FS102"),
    ("prices.csv", "2026-06-30", "2026-03-31", "id", "line 2 already has the same id, date"),
    ("prices.csv", "tungsten-apt,2026-06-30", "tungsten-powder,2026-06-30", "material", "FS106"),
    ("prices.csv", "tungsten-apt,2026-03-31", "tungsten-atp,2026-03-31", "material", "FS102"),
    ("rates.csv", "EUR,USD", "EUR,EUR", "to", "FS012"),
    ("rates.csv", "EUR,USD", "EURO,USD", "currency", "FS015"),
    ("rates.csv", "1.10", "nan", "rate", "FS011"),
    ("rates.csv", "currency,", "x," * 100_000 + "currency,", "", "has too many columns"),
    ("facilities.csv", "KR,,korea", "KR,,coria", "within", "FS102"),
    ("facilities.csv", "Malaysia,,", "Malaysia,AU,", "place", "FS012"),
    ("capacity.csv", "sangdong,2027-01-01", "sangdong,2026-01-01", "facility", "already has the same facility, from"),
    ("capacity.csv", "1500 t/year", "1500", "per_year", "FS011"),
    ("offers.csv", "separated,c", "separated,circuit,,9 EUR/kg" + "," * 15 + "paper,,,,,\nseparated,c", "id", "the same id"),
    ("offers.csv", ",,apt-rotterdam,25%", "5 USD/kg,,apt-rotterdam,25%", "price", "both given"),
    ("offers.csv", "13 USD/kg WO3", "13 USD/kg Sb", "price", "FS112"),
    ("offers.csv", "9 EUR/kg", "9 EUR/kg Dy", "price", "FS113"),
    ("offers.csv", "separated,circuit,,", "separated,circuit,ndpr-oxide,", "material", "FS117"),
    ("offers.csv", "lead_time,", "leadtime,", "leadtime", "FS001"),
    ("offers.csv", "lead_time,", "note,", "note", "two columns"),
    ("offers.csv", "45 days", "some days", "lead_time", "FS011"),
    ("offers.csv", "separated,circuit,", "separated,circuit,,", "", "too many cells"),
    ("recipe.csv", "2.1,paper", "2.1,", "source", "FS104"),
    ("chain.csv", "ore,mined", "ore,produced", "stage", "FS111"),
    ("chain.csv", "separated,mined,AU", "separated,mined,XX", "countries", "FS015"),
    ("chain.csv", "powder,produced,United States,yes,,paper", "powder,produced,US,yes,,papr", "source", "FS103"),
    ("lanes.csv", "powder,US,0.5 USD/lb", "separated,US,0.5 USD/lb Dy", "freight", "FS113"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "column", "message"), SPOILED, ids=lambda text: text[:30])
def test_one_mistake_gives_one_message_at_its_place(
    folder: Path, change: Change, file: str, old: str, new: str, column: str, message: str
) -> None:
    """Each mistake is reported once, with its file, line and column, and in words; rows that refer to its row are not."""
    line = (folder / file).read_text(encoding="utf-8").split(old)[0].count("\n") + 1
    change(file, old, new)
    problem = one(folder, file)
    assert (problem.column, message in str(problem)) == (column, True), str(problem)
    assert problem.row is None or problem.row - line in (0, 1)
    assert problem.expected or problem.fix


def test_files_that_would_not_be_read_are_mistakes(folder: Path) -> None:
    """A table under a wrong name is never passed over in silence. A column that is missing is one mistake, not one a row."""
    (folder / "offer.csv").write_text("id\n", encoding="utf-8")
    (folder / "README.md").write_text("about", encoding="utf-8")
    assert "`offers.csv`" in one(folder, "offer.csv").fix
    (folder / "factors.csv").write_text("element,compound,source\nW,WO3,weights\nDy,Dy2O3,weights\n", encoding="utf-8")
    missing = [p for p in refused(load_catalog, folder) if p.file.endswith("factors.csv")]
    assert [(p.row, p.column) for p in missing] == [(1, "kg_per_kg")]


NO_FILES: list[tuple[str, Callable[[Path], object]]] = [
    ("a link to a missing file", lambda path: path.symlink_to("gone.csv")),
    ("leads back to itself", lambda path: path.symlink_to(path.name)),
    ("is a folder", lambda path: path.mkdir()),
    ("is a device", lambda path: path.symlink_to("/dev/null")),
]


@pytest.mark.parametrize(("message", "put"), NO_FILES, ids=["dangling", "circle", "folder", "device"])
@pytest.mark.parametrize("file", ["terms.csv", "capacity.csv", "catalog.toml"])
def test_what_stands_in_place_of_a_table_is_a_mistake(
    folder: Path, file: str, message: str, put: Callable[[Path], object]
) -> None:
    """A table that a broken link stands for would be taken for one that is not there, and its terms for none."""
    (folder / file).unlink(missing_ok=True)
    put(folder / file)
    told = [problem for problem in refused(load_catalog, folder) if problem.file.endswith(file)]
    assert [message in problem.message for problem in told] == [True]
    assert told[0].fix


@pytest.mark.parametrize(
    ("row", "said"), [('plant,"' + "x" * 200_000 + '"', "131,072"), ("plant," * 200_000, "a line has 1,200,00")], ids=["cell", "line"]
)  # fmt: skip
def test_a_cell_or_line_that_is_too_long_is_a_mistake_of_its_row(folder: Path, row: str, said: str) -> None:
    """What a quote that nobody closed makes of the rest of a file."""
    (folder / "rates.csv").write_text(f"currency,to\nEUR,USD\n{row}\n", encoding="utf-8")
    told = [p for p in refused(load_catalog, folder) if p.code == "FS057"]
    assert [(problem.row, said in problem.message) for problem in told] == [(3, True)]


def test_a_folder_without_its_head_says_so(tmp_path: Path) -> None:
    """A missing folder, a missing catalog.toml and one that is not TOML are told apart; so is the root, which has no name to be called by."""
    assert "no such folder" in refused(load_catalog, tmp_path / "nowhere")[0].message
    assert "catalog.toml" in str(refused(load_catalog, Path("/"))[0])
    (tmp_path / "catalogue.toml").write_text("", encoding="utf-8")
    assert "rename `catalogue.toml`" in refused(load_catalog, tmp_path)[0].fix
    (tmp_path / "catalog.toml").write_text("schema = \n", encoding="utf-8")
    broken = refused(load_catalog, tmp_path)[0]
    assert (broken.code, broken.row) == ("FS056", 1)


def test_what_a_required_catalog_defines_may_be_referred_to(folder: Path, tmp_path: Path) -> None:
    """Materials, factors, benchmarks, sources and sites of the context count as known."""
    tables = {
        "catalog.toml": 'schema = 1\nname = "other"\nrequires = ["small"]\n',
        "facilities.csv": "id,country,within\nshaft,KR,korea\n",
        "offers.csv": "id,facility,material,benchmark,premium,max_per_year,source\n"
        "shaft-apt,shaft,tungsten-apt,apt-rotterdam,5%,79.3 t W/year,small:paper\n",
        "lanes.csv": "offer,to\nshaft-apt,towanda\n",
    }
    (tmp_path / "other").mkdir()
    for name, text in tables.items():
        (tmp_path / "other" / name).write_text(text, encoding="utf-8")
    (apt,) = load_catalog(tmp_path / "other", context=(load_catalog(folder),)).offers
    assert (apt.max_per_year, apt.source) == (Decimal(100_000), "small:paper")
    assert any(p.code == "FS118" for p in refused(load_catalog, tmp_path / "other"))


ALIASES = "of,old,new,date,reason\n,mud,ore,2026-01-01,x\nfacility,seoul,korea,2026-01-02,y\n,gone,,2026-01-03,z\n"


def shuffled(text: str, seed: int) -> str:
    """A table with its rows and columns in another order."""
    shuffle = random.Random(seed)
    header, *rows = list(csv.reader(io.StringIO(text)))
    order = list(range(len(header)))
    shuffle.shuffle(order)
    shuffle.shuffle(rows)
    out = io.StringIO()
    csv.writer(out).writerows([[row[i] for i in order] for row in [header, *rows]])
    return out.getvalue()


@examples(25)
@given(st.integers())
def test_the_order_of_rows_and_columns_changes_nothing(seed: int) -> None:
    """Shuffled tables give the same catalog and the same digest, aliases included."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(GOOD, Path(scratch) / "small"))
        (folder / "aliases.csv").write_text(ALIASES, encoding="utf-8")
        before = load_catalog(folder)
        for table in folder.glob("*.csv"):
            table.write_text(shuffled(table.read_text(encoding="utf-8"), seed), encoding="utf-8", newline="")
        after = load_catalog(folder)
    assert after == before
    assert after.digest == before.digest


def test_digests_tell_facts_apart(folder: Path, change: Change) -> None:
    """Another figure is another digest; another distribution is not. A blank price is none, never one of zero."""
    before = load_catalog(folder, "a 1").digest
    assert load_catalog(folder, "b 2").digest == before
    change("offers.csv", "13 USD/kg WO3", "")
    after = load_catalog(folder, "a 1")
    assert (after.digest == before, offer(after, "ore").price) == (False, None)


TABLES = sorted(path.name for path in GOOD.iterdir())
PACK = 'schema = 1\nid = "house"\ntitle = "Дом"\nas_of = 2026-01-31\n'
CASE = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n# Дом\n'


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1251", "Windows-1251 (Cyrillic)"), ("utf-16", "is UTF-16 text"), ("utf-16-le", "UTF-16")]
)
def test_another_encoding_is_the_one_mistake(name: str, encoding: str, said: str, folder: Path) -> None:
    """Whichever file of a catalog it is, no row that refers to it is blamed."""
    comment = "\n# Дом\n" if name.endswith(".toml") else "\nДом,Гора\n"
    (folder / name).write_bytes(((folder / name).read_text() + comment).encode(encoding))
    told = str(one(folder, name))
    assert said in told
    assert "encoding UTF-8" in told


@pytest.mark.parametrize(
    ("content", "row", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 99, None, "is a workbook or an archive, not text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, None, "is a workbook or an archive, not text"),
        ("id,reference\npaper,Münchner Häuser\n".encode("cp1252"), 2, "looks like Windows-1252"),
        (b"", None, "is empty"),
        (b"Sources of Acme\n\nid,reference,date,confidence\n", 1, "a title; the header is in row 3"),
        (b"id;reference;date;confidence\npaper;A;;verified\n", 1, "aren't separated by commas"),
        (b'id,reference,date,confidence\npaper,"A" b,,verified\n', 2, "isn't valid CSV from here on"),
        (b"name,reference,date,confidence\npaper,A,,verified\n", 1, "sources.csv:1 ["),
    ],
)
def test_a_table_that_cannot_be_read_blames_no_other(content: bytes, row: int | None, said: str, folder: Path) -> None:
    """Rows of other tables that name its rows may well be right."""
    (folder / "sources.csv").write_bytes(content)
    told = refused(load_catalog, folder)
    assert {problem.row for problem in told if said in str(problem)} == {row}
    assert {problem.file for problem in told} == {str(folder / "sources.csv")}


def test_what_spreadsheets_and_editors_add_does_no_harm(folder: Path) -> None:
    """Tables, heads, packs and cases read the same with a byte order mark, ends of lines of Windows, and blank rows."""
    for path in folder.iterdir():
        blank = b",,,\r\n\r\n" if path.name == "offers.csv" else b""
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes().replace(b"\n", b"\r\n") + blank)
    assert load_catalog(folder) == load_catalog(GOOD)
    assert Registry.of().catalog_folder(f"./{folder.name}", folder.parent).name == "small"
    (folder / "pack.toml").write_bytes(codecs.BOM_UTF8 + PACK.encode())
    assert read_pack(folder).id == "house"
    (folder / "case.toml").write_bytes(codecs.BOM_UTF8 + CASE.encode())
    assert load_case(folder).name == "c"


@pytest.mark.parametrize(("encoding", "said"), [("cp1251", "Windows-1251"), ("utf-16", "is UTF-16 text")])
@pytest.mark.parametrize(("read", "name", "text"), [(read_pack, "pack.toml", PACK), (load_case, "case.toml", CASE)])
def test_cases_and_packs_in_another_encoding(
    read: Callable[[Path], object], name: str, text: str, encoding: str, said: str, tmp_path: Path
) -> None:
    """One mistake, with the fix."""
    (tmp_path / name).write_bytes(text.encode(encoding))
    (problem,) = refused(read, tmp_path)
    assert said in str(problem)
    assert "encoding UTF-8" in str(problem)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (r'{"a": "x\ud800"}', ["a"]),
        (r'{"a": [{"b": 1}, {"b": "\udc00\ud83d"}]}', ["a[2].b"]),
        (r'{"a": {"\udfff": 1}}', ["a"]),
        ('{"a": "\ud800"}', ["a"]),
        (r'{"a": "\ud83d\ude00"}', []),  # a whole one, written in two halves
        (r'{"a": "\\ud800"}', []),  # a backslash before what only looks like half of one
    ],
)
def test_half_of_a_character_in_json_is_named(text: str, columns: list[str]) -> None:
    """JSON can escape what no file, screen or digest can write."""
    found: list[Diagnostic] = []
    assert (json_object(text, "facts.json", found) is None) is bool(columns)
    assert [(one.message, one.column) for one in found] == [("contains half of a character", name) for name in columns]


def test_half_of_a_character_in_a_cell_or_in_toml_text_is_named(folder: Path) -> None:
    """A cell may be written as a JSON string, escapes included; no file of TOML can hold it, but a program that hands text over can."""
    path = folder / "facilities.csv"
    head, first, *others = path.read_text().splitlines()
    cells = first.split(",")
    cells[head.split(",").index("name")] = r'"""half \ud800"""'
    path.write_text("\n".join([head, ",".join(cells), *others]) + "\n")
    (problem,) = refused(load_catalog, folder)
    assert (problem.row, problem.column, problem.expected) == (2, "name", "text of whole characters")
    (problem,) = refused(toml_data, 'a = 1\nb = "\ud800"\n', "case.toml")
    assert (problem.row, problem.message) == (2, "contains half of a character")


def misnamed(record: BaseModel, word: str, path: str = "") -> Iterator[tuple[str, BaseModel]]:
    """A record with an unknown name in each of its fields that name something, one at a time, and the path of the field.

    A blank word is no name for fields that cannot be blank.
    """
    for name, info in type(record).model_fields.items():
        value = getattr(record, name)
        if any(isinstance(mark, Names) for mark in info.metadata):
            if not word and not info.is_required():
                continue
            unknown = frozenset({word}) if isinstance(value, frozenset) else word
            yield f"{path}{name}", record.model_copy(update={name: unknown})
        elif isinstance(value, BaseModel):
            yield from (
                (at, record.model_copy(update={name: one})) for at, one in misnamed(value, word, f"{path}{name}.")
            )
        elif isinstance(value, tuple):
            for number, within in enumerate(value):
                inside = f"{path}{name}[{number + 1}]." if path or name not in Catalog.model_fields else ""
                for at, one in misnamed(within, word, inside) if isinstance(within, BaseModel) else ():
                    yield at, record.model_copy(update={name: (*value[:number], one, *value[number + 1 :])})


def test_unknown_names_are_refused_in_memory_as_in_files() -> None:
    """Each field that names something is checked, in records within others too, in a catalog made in memory and in the facts of a run."""
    catalog = load_catalog(GOOD)
    fields = set()
    for path, changed in (*misnamed(catalog, "nowhere"), *misnamed(catalog, "")):
        assert isinstance(changed, Catalog)
        fields.add(re.sub(r"\[\d+\]", "", path))
        for problems in (validated_catalog(changed)[1], catalog_contradictions([changed])):
            told = [problem for problem in problems if problem.column == path]
            assert [problem.message.startswith("no such ") for problem in told] == [True], path
            assert told[0].fix or told[0].expected
    assert fields >= {
        "source",
        "material",
        "facility",
        "within",
        "price.benchmark",
        "price.source",
        "inputs.material",
        "lanes.to",
    }
    assert fields >= {
        "chain.source",
        "quotes.source",
        "capacity.source",
        "materials",
        "places",
        "outputs.source",
        "inputs.source",
    }


def test_capacities_of_an_offer_with_a_mistake_are_not_blamed(folder: Path, change: Change) -> None:
    """What the facility makes is unknown until the offer can be read, whichever table has the mistake."""
    change("materials.csv", "mined,", "mind,")
    assert one(folder, "materials.csv").column == "stages"
