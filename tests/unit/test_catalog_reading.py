"""Catalog folders: read into facts in kilograms, with a list of all mistakes, whatever their order, units, and encoding."""

from __future__ import annotations

import codecs
import csv
import io
import random
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.case import load_case
from friendshore.catalog import read_catalog
from friendshore.domain.facts import Catalog, Feed, Offer
from friendshore.domain.quantities import KILOGRAMS
from friendshore.domain.stages import Stage
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins.registry import Registry
from friendshore.reading.textfile import json_object
from friendshore.reading.tomltext import toml_data
from friendshore.rules.pack import read_pack

from ..building import refused
from ..property.settings import examples

# --------------------------------------------------------------------------------------------------------------- reading


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
    problems = refused(read_catalog, folder)
    assert len(problems) == 1, [str(p) for p in problems]
    assert problems[0].file.endswith(file)
    return problems[0]


def test_figures_are_in_the_basis_of_their_material() -> None:
    """Ton units of WO3, pounds and contained metal all become kilograms of what the material is weighed in."""
    catalog = read_catalog(GOOD)
    ore, powder, stock = offer(catalog, "ore"), offer(catalog, "powder"), offer(catalog, "stock")
    assert ore.price.amount == Decimal("8.45")  # 13 USD/kg WO3, 65 % of the concentrate
    assert (stock.price.amount, stock.price.currency) == (Decimal(100), "USD")
    assert powder.max_per_year == Decimal(200_000)
    capacity = {f.id: f.capacity for f in catalog.facilities}
    assert capacity["sangdong"][1].per_year == Decimal("5076923.07692308")  # 3,300 t WO3 / 0.65
    assert capacity["powder-works"][0].per_year is None
    dy = offer(catalog, "separated").outputs[0]
    assert dy.material == "dy-oxide"
    assert abs(dy.per_unit - Decimal("0.02") / Decimal("0.8713")) < Decimal("1e-12")


def test_contents_follow_from_factors() -> None:
    """What is not stated of a material's content is worked out, over several factors if need be."""
    contents = {m.id: m.content for m in read_catalog(GOOD).materials}
    assert contents["tungsten-concentrate"] == Decimal("0.65") * Decimal("0.793")
    assert contents["ndpr-oxide"] == Decimal("0.857")
    assert contents["tungsten-powder"] == 1


def test_facts_are_complete_and_named() -> None:
    """Countries by name, stages by step, sources by catalog: all become what rules and reports speak of."""
    catalog = read_catalog(GOOD, "friendshore-small 1.0")
    assert catalog.distribution == "friendshore-small 1.0"
    assert {s.id for s in catalog.sources} == {"small:paper", "small:weights", "small:guess"}
    powder = offer(catalog, "powder")
    assert powder.catalog == "small"
    assert [(e.stage, e.main_stage) for e in powder.chain] == [("reduction", "refined"), ("produced", "produced")]
    assert {"US", "DE", "IE"} <= powder.chain[0].countries
    assert powder.chain[0].source == "small:paper"
    assert offer(catalog, "stock").chain[0].feed is Feed.RECYCLED
    places = {f.id: (f.country, f.place) for f in catalog.facilities}
    assert places["powder-works"] == ("US", "towanda")
    assert places["korea"] == ("KR", "KR")
    assert next(m for m in catalog.materials if m.id == "tungsten-powder").stages == (
        Stage.MINED,
        Stage.REFINED,
        Stage.PRODUCED,
    )
    assert [s.start for s in next(f for f in catalog.facilities if f.id == "sangdong").capacity] == [
        date(2026, 1, 1),
        date(2027, 1, 1),
    ]


def test_an_offer_without_a_price_is_read() -> None:
    """Nobody has to invent a price: such an offer is kept, without one."""
    catalog = read_catalog(GOOD)
    assert all(o.price is not None or o.quotes for o in catalog.offers)


def test_a_lead_has_no_price(folder: Path, change: Change) -> None:
    """An offer whose price cell is blank has no price at all, never a price of zero."""
    change("offers.csv", "13 USD/kg WO3", "")
    assert offer(read_catalog(folder), "ore").price is None


SPOILED = [
    ("catalog.toml", 'name = "small"', "", "name", "needed"),
    ("catalog.toml", "licence", "license", "license", "no such key"),
    ("catalog.toml", "2026-06-30", '"mid 2026"', "as_of", "cannot be read"),
    ("sources.csv", "computed", "calculated", "confidence", "cannot be read"),
    ("sources.csv", "guess,", "paper,Again,,verified,\nguess,", "id", "line 2 already has the same id"),
    ("materials.csv", "mined;refined,tungsten", "mined;smelted,tungsten", "stages", "cannot be read"),
    ("materials.csv", "2841.80", "chapter 28", "hs", "cannot be read"),
    ("materials.csv", "0.857", "85.7", "content", "cannot be read"),
    ("factors.csv", "65 %", "0", "kg_per_kg", "cannot be read"),
    ("factors.csv", "tungsten-concentrate", "tungsten-concentrat", "compound", "no such material"),
    ("prices.csv", "2026-06-30", "2026-03-31", "id", "line 2 already has the same id, date"),
    ("prices.csv", "tungsten-apt,2026-06-30", "tungsten-powder,2026-06-30", "material", "is a price of `tungsten-apt`"),
    ("prices.csv", "tungsten-apt,2026-03-31", "tungsten-atp,2026-03-31", "material", "no such material"),
    ("rates.csv", "EUR,USD", "EUR,EUR", "to", "not exchanged for itself"),
    ("rates.csv", "EUR,USD", "EURO,USD", "currency", "cannot be read"),
    ("rates.csv", "1.10", "nan", "rate", "cannot be read"),
    ("facilities.csv", "Malaysia", "Malaysai", "country", "cannot be read"),
    ("facilities.csv", "KR,,korea", "KR,,coria", "within", "no such facility"),
    ("facilities.csv", "South Korea,,,", "South Korea,,sangdong,", "within", "within itself"),
    ("facilities.csv", "Malaysia,,", "Malaysia,AU,", "place", "lies in MY"),
    ("capacity.csv", "sangdong,2027-01-01", "sangdong,2026-01-01", "facility", "already has the same facility, from"),
    ("capacity.csv", "circuit,2026", "circuits,2026", "facility", "no such facility"),
    ("capacity.csv", "1500 t/year", "-1500 t/year", "per_year", "cannot be read"),
    ("capacity.csv", "1500 t/year", "1500", "per_year", "cannot be read"),
    ("capacity.csv", "1500 t/year", "1500 t Nd/year", "per_year", "different bases"),
    ("capacity.csv", "commissioning,,paper", "commissioning,,", "source", "needed"),
    ("offers.csv", "separated,circuit", "separated,circus", "facility", "no such facility"),
    ("offers.csv", "separated,c", "separated,circuit,,9 EUR/kg" + "," * 15 + "paper,,,,,\nseparated,c", "id", "the same id"),
    ("offers.csv", "apt-rotterdam", "apt-rotterdm", "benchmark", "no such benchmark"),
    ("offers.csv", ",,apt-rotterdam,25 %", "5 USD/kg,,apt-rotterdam,25 %", "price", "both given"),
    ("offers.csv", "apt-rotterdam,25 %", ",25 %", "premium", "no benchmark"),
    ("offers.csv", "13 USD/kg WO3", "13 USD/kg Sb", "price", "cannot be converted"),
    ("offers.csv", "9 EUR/kg", "9 EUR/kg Dy", "price", "several outputs"),
    ("offers.csv", "2026-10-01", "2031-10-01", "until", "is before `from`"),
    ("offers.csv", "1 t,50 t", "100 t,50 t", "min_order", "more than max_order"),
    ("offers.csv", "separated,circuit,,", "separated,circuit,ndpr-oxide,", "material", "output lines"),
    ("offers.csv", "lead_time,", "leadtime,", "leadtime", "no such column"),
    ("offers.csv", "lead_time,", "note,", "note", "two columns"),
    ("offers.csv", "45 days", "some days", "lead_time", "cannot be read"),
    ("recipe.csv", "powder,input", "powdr,input", "offer", "no such offer"),
    ("recipe.csv", "2.1,paper", "2.1,", "source", "no source"),
    ("recipe.csv", "0.8,", "0,", "per_unit", "cannot be read"),
    ("chain.csv", "ore,mined", "ore,produced", "stage", "no such stage"),
    ("chain.csv", "separated,mined,AU", "separated,mined,", "complete", "empty"),
    ("chain.csv", "separated,mined,AU", "separated,mined,XX", "countries", "cannot be read"),
    ("chain.csv", "powder,produced,United States,yes,,paper", "powder,produced,US,yes,,papr", "source", "no such source"),
    ("lanes.csv", "powder,towanda", "powder,towand", "to", "no such place"),
    ("lanes.csv", "0.5 USD/lb", "0.5 USD", "freight", "cannot be read"),
    ("lanes.csv", "powder,US,0.5 USD/lb", "separated,US,0.5 USD/lb Dy", "freight", "several outputs"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "column", "message"), SPOILED)
def test_one_mistake_gives_one_message_at_its_place(
    folder: Path, change: Change, file: str, old: str, new: str, column: str, message: str
) -> None:
    """Each mistake is reported once, with its file, line and column, and in words."""
    line = (folder / file).read_text(encoding="utf-8").split(old)[0].count("\n") + 1
    change(file, old, new)
    problem = one(folder, file)
    assert problem.column == column
    assert message in problem.message
    assert problem.row is None or problem.row - line in (0, 1)
    assert problem.expected or problem.fix


@pytest.mark.parametrize(
    ("file", "old", "new", "fix"),
    [
        ("offers.csv", "ore,sangdong", "ore,sandong", "`sangdong`"),
        ("chain.csv", "reduction", "reducton", "`reduction`"),
        ("facilities.csv", "Malaysia", "Malaysya", "`Malaysia`"),
        ("prices.csv", "1100 USD", "1100 USX", "`USD`"),
        ("chain.csv", "US; EU", '"US, EU"', "by `;`"),
        ("offers.csv", "13 USD/kg WO3", "13 USD/kg Mo", "factors.csv: W,Mo,<kg per kg>,<source>"),
    ],
)
def test_a_fix_is_offered(folder: Path, change: Change, file: str, old: str, new: str, fix: str) -> None:
    """A slip of the pen is answered with what was probably meant, a missing factor with the row to add."""
    change(file, old, new)
    assert fix in one(folder, file).fix


def test_a_column_that_is_missing_is_said_once(folder: Path) -> None:
    """A missing needed column is one mistake, not one a row."""
    (folder / "factors.csv").write_text("element,compound,source\nW,WO3,weights\nDy,Dy2O3,weights\n", encoding="utf-8")
    missing = [p for p in refused(read_catalog, folder) if p.file.endswith("factors.csv")]
    assert [(p.row, p.column) for p in missing] == [(1, "kg_per_kg")]


def test_a_row_of_the_wrong_width_is_one_mistake(folder: Path, change: Change) -> None:
    """A row with a cell too many is reported by itself; rows that refer to its id are not."""
    change("offers.csv", "separated,circuit,", "separated,circuit,,")
    problem = one(folder, "offers.csv")
    assert "too many cells" in problem.message
    assert problem.row == 5


def test_files_that_would_not_be_read_are_mistakes(folder: Path) -> None:
    """A table under a wrong name is never passed over in silence."""
    (folder / "offer.csv").write_text("id\n", encoding="utf-8")
    (folder / "README.md").write_text("about", encoding="utf-8")
    assert "`offers.csv`" in one(folder, "offer.csv").fix


NO_FILES: list[tuple[str, Callable[[Path], object]]] = [
    ("leads to no file", lambda path: path.symlink_to("gone.csv")),
    ("in a circle", lambda path: path.symlink_to(path.name)),
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
    told = [problem for problem in refused(read_catalog, folder) if problem.file.endswith(file)]
    assert [message in problem.message for problem in told] == [True]
    assert told[0].fix


def test_a_table_of_very_many_columns_is_one_mistake(folder: Path) -> None:
    """Not as many as it has columns."""
    (folder / "rates.csv").write_text("x," * 100_000 + "\n", encoding="utf-8")
    assert (told := one(folder, "rates.csv")).message == "has too many columns"
    assert (told.found, told.expected) == ("100,001", "no more than 1,000")


@pytest.mark.parametrize(
    ("row", "said"), [('plant,"' + "x" * 200_000 + '"', "131,072"), ("plant," * 200_000, "a line of 1,200,00")]
)
def test_a_cell_or_line_that_is_too_long_is_a_mistake_of_its_row(folder: Path, row: str, said: str) -> None:
    """What a quote that nobody closed makes of the rest of a file."""
    (folder / "rates.csv").write_text(f"currency,to\nEUR,USD\n{row}\n", encoding="utf-8")
    told = [
        problem
        for problem in refused(read_catalog, folder)
        if "no CSV table" in problem.message or "not a CSV" in problem.message
    ]
    assert [(problem.row, said in problem.message) for problem in told] == [(3, True)]


def test_unreadable_tables_are_mistakes_of_their_line(folder: Path) -> None:
    """Wrong encoding, semicolons for commas, a stray quote and an empty file each say what to do."""
    latin = (folder / "sources.csv").read_text(encoding="utf-8").replace("A paper", "Z\u00fcrich")
    (folder / "sources.csv").write_bytes(latin.encode("latin-1"))
    (folder / "rates.csv").write_text("currency;to;rate;from\nEUR;USD;1.1;2026-01-01\n", encoding="utf-8")
    (folder / "lanes.csv").write_text('offer,to,freight\npowder,US,"2 USD/kg\n', encoding="utf-8")
    (folder / "recipe.csv").write_text("", encoding="utf-8")
    found = {Path(p.file).name: p for p in reversed(refused(read_catalog, folder)) if Path(p.file).name != "prices.csv"}
    assert found["sources.csv"].row == 2
    assert "UTF-8" in found["sources.csv"].message
    assert "commas" in found["rates.csv"].message
    assert found["lanes.csv"].row == 2
    assert "empty" in found["recipe.csv"].message


def test_a_byte_order_mark_and_blank_lines_do_no_harm(folder: Path) -> None:
    """A table saved by a spreadsheet reads like any other."""
    before = read_catalog(folder).digest
    text = (folder / "offers.csv").read_text(encoding="utf-8")
    (folder / "offers.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n,,,\r\n\r\n")
    assert read_catalog(folder).digest == before


def test_a_folder_without_its_head_says_so(tmp_path: Path) -> None:
    """A missing folder, a missing catalog.toml and one that is not TOML are told apart."""
    assert "no such folder" in refused(read_catalog, tmp_path / "nowhere")[0].message
    (tmp_path / "catalogue.toml").write_text("", encoding="utf-8")
    assert "rename `catalogue.toml`" in refused(read_catalog, tmp_path)[0].fix
    (tmp_path / "catalog.toml").write_text("schema = \n", encoding="utf-8")
    broken = refused(read_catalog, tmp_path)[0]
    assert "not valid TOML" in broken.message
    assert broken.row == 1


def test_what_a_required_catalog_defines_may_be_referred_to(folder: Path, tmp_path: Path) -> None:
    """Materials, factors, benchmarks, sources and sites of the context count as known."""
    context = (read_catalog(folder),)
    other = tmp_path / "other"
    other.mkdir()
    (other / "catalog.toml").write_text('schema = 1\nname = "other"\nrequires = ["small"]\n', encoding="utf-8")
    (other / "facilities.csv").write_text("id,country,within\nshaft,KR,korea\n", encoding="utf-8")
    (other / "offers.csv").write_text(
        "id,facility,material,benchmark,premium,max_per_year,source\n"
        "shaft-apt,shaft,tungsten-apt,apt-rotterdam,5 %,79.3 t W/year,small:paper\n",
        encoding="utf-8",
    )
    (other / "lanes.csv").write_text("offer,to\nshaft-apt,towanda\n", encoding="utf-8")
    catalog = read_catalog(other, context=context)
    assert catalog.offers[0].max_per_year == Decimal(100_000)
    assert catalog.offers[0].source == "small:paper"
    alone = refused(read_catalog, other)
    assert any("requires catalogs" in p.message for p in alone)


@pytest.mark.parametrize(
    ("file", "row", "column"),
    [
        ("recipe.csv", "separated,input,dy-oxide,1e6 kg Dy,paper\n", "per_unit"),
        ("prices.csv", "far,tungsten-powder,2026-01-01,1e11 USD/kg WO3,,,paper\n", "price"),
    ],
)
def test_a_figure_that_is_too_large_once_converted_is_told(folder: Path, file: str, row: str, column: str) -> None:
    """A million kilograms of a metal are more than a million of its oxide: the limit holds for what is kept."""
    with (folder / file).open("a", encoding="utf-8") as table:
        table.write(row)
    assert [(p.column, p.expected[:12]) for p in refused(read_catalog, folder)] == [(column, "no more than")]


def test_the_root_of_the_file_system_is_no_catalog() -> None:
    """It has no name of its own to be called by."""
    with pytest.raises(InputError, match=r"catalog\.toml"):
        read_catalog(Path("/"))


# ------------------------------------------------------------------------------------------------------- order and units


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
    """Shuffled tables give the same catalog and the same digest."""
    before = read_catalog(GOOD)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(GOOD, Path(scratch) / "small"))
        for table in folder.glob("*.csv"):
            table.write_text(shuffled(table.read_text(encoding="utf-8"), seed), encoding="utf-8", newline="")
        after = read_catalog(folder)
    assert after == before
    assert after.digest == before.digest


def with_figures(mass: str, price: str) -> Catalog:
    """A catalog of one offer with these masses and prices."""
    tables = {
        "catalog.toml": 'schema = 1\nname = "one"\n',
        "sources.csv": "id,reference,confidence\ns,a paper,verified\n",
        "materials.csv": "id,basis\nm,X\n",
        "facilities.csv": "id,country\nf,AU\n",
        "capacity.csv": f"facility,per_year,status,source\nf,{mass}/year,operating,s\n",
        "offers.csv": f"id,facility,material,price,total,max_per_year,source\no,f,m,{price},{mass},{mass}/year,s\n",
        "prices.csv": f"id,material,date,price,source\nb,m,2026-01-01,{price},s\n",
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in tables.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        return read_catalog(Path(scratch))


@examples(50)
@given(st.integers(min_value=1, max_value=10**6), st.sampled_from(["g", "t", "kt", "lb", "st", "mtu"]))
def test_units_change_nothing(count: int, unit: str) -> None:
    """A figure in tonnes, pounds or ton units is the same fact as in kilograms, to the digest."""
    each = KILOGRAMS[unit]
    there = with_figures(f"{count} {unit} X", f"{count * each:f} USD/{unit} X")
    assert there == with_figures(f"{count * each:f} kg X", f"{count} USD/kg X")


def test_digests_tell_facts_apart() -> None:
    """Another figure is another digest; another distribution is not."""
    assert with_figures("1 kg", "1 USD/kg").digest != with_figures("2 kg", "1 USD/kg").digest
    assert read_catalog(GOOD, "a 1").digest == read_catalog(GOOD, "b 2").digest


def test_a_catalog_survives_json() -> None:
    """A catalog written as JSON and read back is the same."""
    catalog = read_catalog(GOOD)
    assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog


# ------------------------------------------------------------------------------------------------------------- encodings


TABLES = sorted(path.name for path in GOOD.iterdir())
PACK = 'schema = 1\nid = "house"\ntitle = "Дом"\nas_of = 2026-01-31\n'
CASE = 'schema = 1\n[case]\nname = "c"\nstart = 2026-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n# Дом\n'


@pytest.fixture
def encoded(tmp_path: Path) -> Path:
    """A copy of the good catalog."""
    return Path(shutil.copytree(GOOD, tmp_path / "mine"))


def problems(error: pytest.ExceptionInfo[InputError]) -> str:
    """What is told, a line each."""
    return "\n".join(map(str, error.value.problems))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1251", "Windows-1251 (Cyrillic)"), ("utf-16", "is UTF-16 text"), ("utf-16-le", "UTF-16")]
)
def test_another_encoding_is_the_one_mistake(name: str, encoding: str, said: str, encoded: Path) -> None:
    """Whichever file of a catalog it is, no row that refers to it is blamed."""
    path = encoded / name
    comment = "\n# Дом\n" if name.endswith(".toml") else "\nДом,Гора\n"
    path.write_bytes((path.read_text() + comment).encode(encoding))
    with pytest.raises(InputError) as error:
        read_catalog(encoded)
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
def test_a_table_that_cannot_be_read_blames_no_other(content: bytes, said: str, encoded: Path) -> None:
    """Rows of other tables that name its rows may well be right."""
    (encoded / "sources.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_catalog(encoded)
    told = problems(error)
    assert said in told
    assert {line.split(":")[0] for line in told.splitlines()} == {str(encoded / "sources.csv")}


def test_a_mark_at_the_beginning_of_utf_8_does_no_harm(encoded: Path) -> None:
    """Spreadsheets and editors put it there: tables, heads, packs and cases read the same with it."""
    for path in encoded.iterdir():
        path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert read_catalog(encoded) == read_catalog(GOOD)
    assert Registry.of().catalog_folder("./mine", encoded.parent).name == "small"
    (encoded / "pack.toml").write_bytes(codecs.BOM_UTF8 + PACK.encode())
    assert read_pack(encoded).id == "house"
    (encoded / "case.toml").write_bytes(codecs.BOM_UTF8 + CASE.encode())
    assert load_case(encoded).name == "c"


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


def test_half_of_a_character_in_a_cell_is_named(encoded: Path) -> None:
    """A cell may be written as a JSON string, escapes included."""
    path = encoded / "facilities.csv"
    lines = path.read_text().splitlines()
    column = lines[0].split(",").index("name")
    cells = lines[1].split(",")
    cells[column] = r'"""half \ud800"""'
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert [(p.row, p.column, p.expected) for p in refused(read_catalog, encoded)] == [
        (2, "name", "text of whole characters")
    ]


def test_half_of_a_character_in_toml_text_is_named() -> None:
    """No file can hold it, but a program that hands text over can."""
    assert [(p.row, p.message) for p in refused(toml_data, 'a = 1\nb = "\ud800"\n', "case.toml")] == [
        (2, "contains half of a character")
    ]
