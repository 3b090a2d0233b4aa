"""Columns of facts on offers and facilities: declared by plugins, read in any catalog, typed for rules, kept with the run."""

from __future__ import annotations

import json
import shutil
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.catalog import read_catalogs
from friendshore.cli import app
from friendshore.domain.facts import Catalog, FactSort, StatedFact
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import FriendshoreError, InputError
from friendshore.plugins import PluginStatus, Registry
from friendshore.recommend import plan, verdicts
from friendshore.recommend.verify_run import verify_run
from friendshore.rules.base import Rule
from friendshore.run import write_run
from friendshore_testing.check import outcomes_of
from friendshore_testing.generated_cases import declared_in, generate_cases, without_optional_facts
from friendshore_testing.rules import rule_checks
from friendshore_testing.subjects import checks_of

from ..building import refused
from . import tin_case
from .tin_case import write_case, write_catalog

if TYPE_CHECKING:
    from conftest import Site

MANIFEST = """api = 1
kinds = ["no-port"]

[facts.offers]
port = { meaning = "Port of loading.", example = "AUFRE" }
emissions = { type = "number", unit = "kg CO2e/kg", meaning = "Greenhouse gases of its own stages." }
recycled = { type = "share", meaning = "Share of recycled feed." }
audited = { type = "yes or no", meaning = "Whether somebody looked." }
looked = { type = "date", meaning = "When." }
sold_to = { type = "words", meaning = "Who buys." }

[facts.facilities]
flag = { type = "country", meaning = "Flag that its owner sails under." }
"""
CODE = '''
from decimal import Decimal
from typing import Literal

from friendshore.domain.use import PASS, Result, Verdict
from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class NoPort(Rule):
    """Nothing is bought that is loaded in some port, or of which nobody says what it emits."""

    kind: Literal["no-port"] = "no-port"
    port: str

    def judge(self, offer, move, use):
        if offer.offer.fact("port", str) == self.port:
            return Verdict(result=Result.FAIL, rule=self.id, clause=self.citation, reason="is loaded there")
        emitted = offer.offer.fact("emissions", Decimal)
        if emitted is None or emitted > 20 or offer.facility.fact("flag", str) == "LR":
            return Verdict(result=Result.UNPROVEN, rule=self.id, clause=self.citation, reason="emits too much")
        return PASS

    def sentence(self):
        return "Nothing is bought that is loaded in some port."


@hookimpl
def friendshore_rules():
    return [NoPort]
'''
OFFERS = """id,facility,material,price,source,port,emissions,recycled,audited,looked,sold_to
from-mill,mill,tin,30 USD/kg,s,MYPKG,4.50 kg CO2e/kg,60%,no,2026-10-01,navy;army
from-hill,hill,tin,40 USD/kg,s,AUFRE,12,,yes,,
from-dell,dell,tin,20 USD/kg,s,,,,,,
"""
TWO = 'api = 1\n[facts.offers]\nport = { meaning = "Where it is loaded." }\n'
OTHERWISE = TWO.replace("{ ", '{ type = "words", ')
TABLES = {
    "facilities.csv": "id,operator,country,flag\nmill,Mill Ltd,MY,Panama\nhill,Hill Ltd,AU,\ndell,Dell Ltd,AU,\n",
    "capacity.csv": "facility,per_year,status,source\nmill,9 t/year,operating,s\nhill,9 t/year,operating,s\ndell,9 t/year,operating,s\n",
    "offers.csv": OFFERS,
}
CASE = tin_case.CASE + '[[rule]]\nkind = "no-port"\nport = "MYPKG"\n'


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """The file of a case whose catalog states facts in columns that an installed plugin declares."""
    site.plugin("acme-ports", MANIFEST, CODE)
    site.official("friendshore-workbooks")
    write_catalog(tmp_path, TABLES)
    return write_case(tmp_path, CASE)


def read(case: Path, registry: Registry | None = None, folder: str = "./ours") -> Catalog:
    """A catalog beside the case."""
    known = registry or Registry.discover()
    (catalog,) = read_catalogs([known.catalog_folder(folder, case.parent)], known.catalog_folder)
    return catalog


def command(folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command that is given in a folder says, in lines as long as need be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = CliRunner(env={"COLUMNS": "1000"}).invoke(app, [*arguments])
    assert told.exit_code == code, told.output
    return told.output


def test_facts_are_read_by_their_types(case: Path) -> None:
    """As text, decimal in the column's unit, share, yes or no, day, words and country; what is blank is not stated."""
    catalog = read(case)
    _, hill, mill = catalog.offers
    facts = {
        "port": "MYPKG", "emissions": Decimal("4.5"), "recycled": Decimal("0.6"), "audited": False, "looked": date(2026, 10, 1),
        "sold_to": frozenset({"army", "navy"}),
    }  # fmt: skip
    assert {name: mill.fact(name, type(value)) for name, value in facts.items()} == facts
    assert hill.fact("recycled", Decimal) is None
    assert [fact.unit for fact in mill.facts if fact.name == "emissions"] == ["kg CO2e/kg"]
    assert {f.id: f.fact("flag", str) for f in catalog.facilities} == {"dell": None, "hill": None, "mill": "PA"}
    with pytest.raises(TypeError, match="`emissions` contains values of type number, not str"):
        mill.fact("emissions", str)


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ("4.50 kg CO2e/kg", "4.5 t CO2e/kg", "emissions", "a number, or one in kg CO2e/kg"), ("60%", "160%", "recycled", "0 to 1"),
        (",no,", ",perhaps,", "audited", "yes or no"), ("2026-10-01", "soon", "looked", "a date like 2027-01-31"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_such_fact_is_told(case: Path, old: str, new: str, column: str, expected: str) -> None:
    """Like a cell of friendshore's own columns."""
    (case.parent / "ours" / "offers.csv").write_text(OFFERS.replace(old, new))
    (found,) = refused(read, case)
    assert (found.row, found.column) == (2, column)
    assert expected in str(found)


@pytest.mark.parametrize(
    ("cells", "losses", "sold"), [(";,;", None, None), ("3 1/year,;", 3, None), ("3, ;navy;", 3, {"navy"}), ("31/year,navy", None, None)]
)  # fmt: skip
def test_a_cell_says_what_it_says(site: Site, tmp_path: Path, cells: str, losses: int | None, sold: object) -> None:
    """A list without a word states nothing; a number whose unit begins with a digit needs a blank before it."""
    columns = (
        'losses = { type = "number", unit = "1/year", meaning = "x" }\nsold_to = { type = "words", meaning = "x" }\n'
    )
    site.plugin("acme-ports", f"api = 1\n[facts.offers]\n{columns}")
    offers = f"id,facility,material,source,losses,sold_to\nfrom-mill,mill,tin,s,{cells}\n"
    write_catalog(tmp_path, {"facilities.csv": "id,operator,country\nmill,Mill Ltd,MY\n", "offers.csv": offers})
    if losses is None:
        (problem, *_) = refused(read, tmp_path / "case.toml")
        assert (Path(problem.file).name, problem.row, problem.column) == ("offers.csv", 2, "losses")
    else:
        (offer,) = read(tmp_path / "case.toml").offers
        assert (offer.fact("losses", Decimal), offer.fact("sold_to", frozenset)) == (losses, sold)


def test_a_column_that_nobody_declares_is_refused(case: Path) -> None:
    """As ever; where a plugin that cannot be used declares it, that is named."""
    with pytest.raises(InputError, match=r"offers\.csv:1 \[port\]: FS001 .*fix: "):
        read(case, Registry.of())
    with pytest.raises(InputError, match=r"fix: acme-ports 1\.0 declares it, but is blocked"):
        read(case, Registry.discover(blocked=["acme-ports"]))
    (case.parent / "ours" / "capacity.csv").write_text(TABLES["capacity.csv"].replace("status", "status,port"))
    with pytest.raises(InputError, match=r"capacity\.csv:1 \[port\]: FS001"):
        read(case)


def test_two_plugins_may_declare_a_column_alike(site: Site, case: Path) -> None:
    """The same type and unit are one column; others are refused until one of the two is blocked."""
    site.plugin("acme-two", TWO)
    assert read(case).offers[2].fact("port", str) == "MYPKG"
    assert all(outcome.passed for outcome in outcomes_of(checks_of("acme-two", Registry.discover())))
    site.plugin("acme-two", OTHERWISE)
    with pytest.raises(
        InputError, match=r"acme-ports 1\.0 and acme-two 1\.0 declare it with different types, so block one"
    ):
        read(case)
    assert read(case, Registry.discover(blocked=["acme-two"])).offers


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ('[facts.offers]\nprice = { meaning = "x" }', "declares a column `price`, which offers.csv already has"),
        ('[facts.offers]\nabout = { meaning = "x" }', "declares a column `about`, which a map of a spreadsheet already has"),
        ('[facts.offers]\nport = { type = "integer", meaning = "x" }', "facts.offers.port.type"),
        ("[facts.offers]\nport = {}", "FS002"),
        ('[facts.offers]\nport = { unit = "kg", meaning = "x" }', "FS029"),
        ('[facts.recipes]\nport = { meaning = "x" }', "facts"),
        ('[facts.offers]\nPort = { meaning = "x" }', "facts"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_breaks_its_plugin_alone(site: Site, facts: str, message: str) -> None:
    """With the manifest, and what is wrong in it."""
    site.plugin("acme-bad", f"api = 1\n{facts}\n")
    (found,) = [plugin for plugin in Registry.discover().plugins if plugin.distribution == "acme-bad"]
    assert found.status is PluginStatus.BROKEN
    assert message in found.error


def test_rules_read_facts_and_runs_keep_them(site: Site, case: Path) -> None:
    """The plan goes by them; a run is verified by them where neither catalog nor declaration is; a changed one is found."""
    made = plan(load_case(case), registry=Registry.discover())
    assert {line.offer for line in made.run.purchases} == {"from-hill"}
    write_case(case.parent, CASE.replace("MYPKG", "AUFRE"))
    assert {line.offer for line in plan(load_case(case), registry=Registry.discover()).run.purchases} == {"from-mill"}
    write_case(case.parent, CASE)
    run = case.parent / "run"
    write_run(run, made.run, made.facts(), verdicts(made.plan))
    assert verify_run(run, Registry.discover(), case).verified
    (case.parent / "ours" / "offers.csv").write_text(OFFERS.replace("12,", "13,"))
    assert any("offer from-hill" in str(found) for found in verify_run(run, Registry.discover(), case).findings)
    site.plugin("acme-ports", MANIFEST.split("[facts", maxsplit=1)[0], CODE)
    assert verify_run(run, Registry.discover()).findings == ()


def test_the_meaning_of_declared_columns_is_shown(case: Path) -> None:
    """With their type and unit."""
    told = command(case.parent, "plugins", "show", "acme-ports")
    assert "offers.csv emissions: number in kg CO2e/kg, Greenhouse gases of its own stages." in told


@pytest.mark.parametrize(
    ("sort", "value"),
    [("number", "a"), ("number", "1e3"), ("date", "2027-1-1"), ("yes or no", "true"), ("words", "b;a"), ("text", "")],
)
def test_a_fact_made_in_memory_is_looked_at(sort: str, value: str) -> None:
    """Its text is what its type says, as it is written once read."""
    with pytest.raises((FriendshoreError, ValidationError), match="FS011"):
        StatedFact(name="port", type=FactSort(sort), value=value)


MAP = """schema = 1
[catalog]
name = "ours"
[sheet]
separator = ";"
decimal = ","
blank = ["n/a"]
[[materials]]
id = { value = "tin" }
element = { value = "Sn" }
form = { value = "metal" }
basis = { value = "gross" }
[[sources]]
id = { value = "s" }
reference = { value = "somebody" }
confidence = { value = "verified" }
[[facilities]]
id = "mill"
operator = "mill"
country = { value = "MY" }
flag = "registered in"
[[capacity]]
per_year = { value = "9 t/year" }
status = { value = "operating" }
[[offers]]
id = { text = "from-{mill}" }
material = { value = "tin" }
price = { column = "price", unit = "USD/kg" }
port = "loaded at"
emissions = { column = "CO2", unit = "kg CO2e/kg" }
recycled = "scrap"
audited = { column = "seen", words = { ja = "yes", nein = "no" } }
looked = { column = "seen on", dates = ["%d.%m.%Y"] }
sold_to = { column = "buyers", split = "+" }
"""
LIST = """mill;registered in;price;loaded at;CO2;scrap;seen;seen on;buyers
mill;Panama;30;MYPKG;4,50;60%;nein;01.10.2026;navy+army
hill;;40;AUFRE;1.250;n/a;ja;;
dell;;20;;;;;;
"""


def by_map(folder: Path, text: str = MAP, *more: str, code: int = 0) -> str:
    """What is said where the list is converted by the map, into the folder `made`."""
    (folder / "columns.toml").write_text(text)
    (folder / "list.csv").write_text(LIST)
    return command(folder, "catalogs", "convert", "list.csv", "made", "--map", "columns.toml", *more, code=code)


def test_a_map_fills_columns_of_facts(case: Path) -> None:
    """With units, decimal commas, days, words and lists, as it fills friendshore's own; what is blank is not stated."""
    by_map(case.parent)
    catalog = read(case, folder="./made")
    offers = {offer.id: offer for offer in catalog.offers}
    assert {fact.name: fact.value for fact in offers["from-mill"].facts} == {
        "audited": "no", "emissions": "4.5", "looked": "2026-10-01", "port": "MYPKG", "recycled": "0.6", "sold_to": "army;navy",
    }  # fmt: skip
    assert offers["from-hill"].fact("emissions", Decimal) == 1250
    assert offers["from-hill"].fact("recycled", Decimal) is None
    assert offers["from-dell"].facts == ()
    assert {one.id: one.fact("flag", str) for one in catalog.facilities} == {"mill": "PA", "hill": None, "dell": None}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"kg CO2e/kg"', '"t CO2e/t"', "list.csv:2 [CO2]: FS011 "),
        ('port = "loaded at"', 'prot = "loaded at"', "columns.toml:29 [offers[1].prot]: FS001 "),
        ('port = "loaded at"', 'port = "laden at"', "the spreadsheet has no column `laden at`"),
        ('port = "loaded at"', 'vessel = "loaded at"', "fix:      delete it, or install the plugin that declares `vessel`"),
        ("ja = ", "da = ", "list.csv:3 [seen]: FS011 "),
        ('"registered in"', '{ value = "Atlantis" }', "columns.toml:21 [facilities[1].flag]: FS015 "),
        (', dates = ["%d.%m.%Y"]', "", "list.csv:2 [seen on]: FS011 "),
    ],
)  # fmt: skip
def test_a_mistake_about_a_mapped_fact_stands_where_it_was_made(case: Path, old: str, new: str, said: str) -> None:
    """In the list by row and column, or in the map by line, as for friendshore's own columns; nothing is written."""
    assert old in MAP
    told = by_map(case.parent, MAP.replace(old, new, 1), code=2)
    assert said in told
    assert "prot" not in new or "did you mean `port`?" in told
    assert not (case.parent / "made").exists()


def test_a_map_of_a_column_that_nobody_can_declare_is_refused(site: Site, case: Path) -> None:
    """Two plugins declare it otherwise, or the one that does is blocked: what to do is told."""
    told = by_map(case.parent, MAP, "--block", "acme-ports", code=2)
    assert "acme-ports 1.0 declares it, but is blocked" in told
    site.plugin("acme-two", OTHERWISE)
    told = by_map(case.parent, code=2)
    assert "columns.toml:29 [offers[1].port]" in told
    assert "acme-ports 1.0 and acme-two 1.0 declare it with different types, so block one of them" in told
    by_map(case.parent, MAP, "--block", "acme-two")


def test_a_data_package_tells_of_facts(site: Site, case: Path) -> None:
    """Type, unit, meaning and who declares it, of the columns that are there; `check` says when it no longer fits."""
    package = case.parent / "ours" / "datapackage.json"
    command(case.parent, "catalogs", "datapackage", "ours")
    resources = json.loads(package.read_text())["resources"]
    fields = {
        (one["name"], field["name"]): field for one in resources for field in one["schema"]["fields"] if "fact" in field
    }
    assert fields["offers", "emissions"] == {
        "name": "emissions",
        "type": "string",  # a cell states the unit
        "description": "Greenhouse gases of its own stages, in kg CO2e/kg.",
        "fact": {"type": "number", "unit": "kg CO2e/kg", "declaredBy": "acme-ports"},
    }
    assert {name: field["type"] for (_, name), field in fields.items()} == {
        "emissions": "string", "looked": "date", "audited": "boolean", "port": "string", "recycled": "string", "sold_to": "string",
        "flag": "string",
    }  # fmt: skip
    assert fields["offers", "port"]["example"] == "AUFRE"
    assert "is out of date" not in command(case.parent, "catalogs", "check", "./ours")
    (case.parent / "ours" / "offers.csv").write_text(OFFERS.replace("4.50 kg CO2e/kg", "4.50"))
    assert "datapackage.json: is out of date" in command(case.parent, "catalogs", "check", "./ours")
    command(case.parent, "catalogs", "datapackage", "ours")
    assert '"type": "number",\n' in package.read_text()
    site.plugin("acme-two", TWO)
    assert "is out of date" not in command(case.parent, "catalogs", "check", "./ours")


def test_a_workbook_with_facts_is_shipped_with_what_declares_them(case: Path, site: Site) -> None:
    """`plugins new --from` keeps the columns, and the package needs the plugin that declares them; without it nothing is written."""
    pytest.importorskip("openpyxl")
    site.official("friendshore-testing")
    for given, target in (("./ours", "ours.xlsx"), ("./ours.xlsx", "again")):
        command(case.parent, "catalogs", "convert", given, target)
    assert read(case, folder="./again").digest == read(case).digest
    new = ("plugins", "new", "acme-data", "--from")
    told = command(case.parent, *new, "ours.xlsx", "--block", "acme-ports", code=2)
    assert "ours.xlsx, sheet facilities:1 [flag]: FS001 " in told
    assert "acme-ports 1.0 declares it, but is blocked" in told
    assert not (case.parent / "acme-data").exists()
    shipped = case.parent / "data"
    for given in ("ours.xlsx", "./ours"):
        command(case.parent, *new, given, str(shipped))
        assert read(case, folder="./data/src/acme_data/catalog").digest == read(case).digest
        project = tomllib.loads((shipped / "pyproject.toml").read_text())["project"]
        assert "acme-ports>=1.0" in project["dependencies"]
        assert all(outcome.passed for outcome in outcomes_of(checks_of(shipped)) if outcome.check.name == "read")
        shutil.rmtree(shipped)
    told = command(case.parent, "plugins", "new", "Acme.Ports", "--from", "ours.xlsx", code=2)
    assert "would replace the installed Acme.Ports" in told


def test_a_run_outlives_what_declared_its_columns(site: Site, case: Path) -> None:
    """Uninstalled, the plugin leaves an installed catalog that cannot be read: check says where, verify why it compares with nothing."""
    files = {f"ours/{name}": text for name, text in {**tin_case.TABLES, **TABLES}.items()}
    site.plugin("acme-ours", 'api = 1\ncatalogs = ["ours"]\n', files=files)
    write_case(case.parent, tin_case.CASE.replace("./ours", "ours"))
    command(case.parent, "plan", "case.toml", "--out", "run", "--quiet")
    assert "as acme-ours 1.0 has it here" in command(case.parent, "verify", "run", "--quiet")
    site.plugin("acme-ports", "api = 1\n")
    told = command(case.parent, "check", "case.toml", code=2)
    assert "facilities.csv:1 [flag]: FS001 " in told
    assert "install the plugin that declares `emissions`" in told
    told = command(case.parent, "verify", "run", "--quiet")
    assert "facilities.csv:1 [flag]: FS001 unknown column, and 6 more errors" in told


@pytest.mark.usefixtures("case")
def test_made_up_cases_state_facts_of_every_declared_column() -> None:
    """Of each type, most offers and plants, what a rule speaks of among them; the same each time, and none where nothing is known."""
    registry = Registry.discover()
    columns = declared_in(registry)
    rule = registry.rule({"id": "no-port", "kind": "no-port", "port": "MYPKG"}, "a test")
    made = list(generate_cases([rule], count=6, columns=columns))
    things = [thing for world in made for thing in (*world.catalog.offers, *world.catalog.facilities)]
    assert {(fact.name, type(fact.read)) for thing in things for fact in thing.facts} == {
        ("audited", bool), ("emissions", Decimal), ("flag", str), ("looked", date), ("port", str), ("recycled", Decimal),
        ("sold_to", frozenset),
    }  # fmt: skip
    assert {offer.fact("port", str) for world in made for offer in world.catalog.offers} >= {"MYPKG", "AUFRE", None}
    assert made == list(generate_cases([rule], count=6, columns=columns))
    assert not any(offer.facts for world in made for offer in without_optional_facts(world).catalog.offers)


class Misread(Rule):
    """A rule that takes a column of numbers for one of texts, and so breaks where the fact is stated."""

    kind: Literal["misread"] = "misread"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        assert offer.offer.fact("emissions", str) is None
        return PASS

    def sentence(self) -> str:
        return "Nothing is looked at rightly."


@pytest.mark.usefixtures("case")
def test_the_conformance_kit_tries_a_rule_on_facts() -> None:
    """What reads a column as what it is not breaks in a made-up case; in none, where no column is declared."""
    for columns, found in (((), 0), (declared_in(Registry.discover()), 1)):
        checks = {check.name: check for check in rule_checks(Misread(id="wrong"), columns=columns)}
        assert len(list(checks["answers"].find_problems())) == found
