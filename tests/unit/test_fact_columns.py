"""Columns of facts on offers and facilities: declared by plugins, read in any catalog, typed for rules, kept with the run."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.catalog import read_catalogs
from friendshore.cli import app
from friendshore.domain.fact_columns import FactSort, StatedFact
from friendshore.domain.facts import Catalog
from friendshore.errors import FriendshoreError, InputError
from friendshore.plugins import PluginStatus, Registry
from friendshore.recommend import plan, verdicts
from friendshore.recommend.verify_run import verify_run
from friendshore.run import write_run

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
from-mill,mill,tin,30 USD/kg,s,MYPKG,4.50 kg CO2e/kg,60 %,no,2026-10-01,navy;army
from-hill,hill,tin,40 USD/kg,s,AUFRE,12,,yes,,
from-dell,dell,tin,20 USD/kg,s,,,,,,
"""
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
    write_catalog(tmp_path, TABLES)
    return write_case(tmp_path, CASE)


def read(case: Path, registry: Registry | None = None) -> Catalog:
    """The catalog beside the case."""
    known = registry or Registry.discover()
    (catalog,) = read_catalogs([known.catalog_folder("./ours", case.parent)], known.catalog_folder)
    return catalog


def test_facts_are_read_by_their_types(case: Path) -> None:
    """As text, decimal in the column's unit, share, yes or no, day, words and country; what is blank is not stated."""
    catalog = read(case)
    _, hill, mill = catalog.offers
    assert mill.fact("port", str) == "MYPKG"
    assert mill.fact("emissions", Decimal) == Decimal("4.5")
    assert mill.fact("recycled", Decimal) == Decimal("0.6")
    assert mill.fact("audited", bool) is False
    assert mill.fact("looked", date) == date(2026, 10, 1)
    assert mill.fact("sold_to", frozenset) == {"army", "navy"}
    assert hill.fact("recycled", Decimal) is None
    assert [fact.unit for fact in mill.facts if fact.name == "emissions"] == ["kg CO2e/kg"]
    assert {f.id: f.fact("flag", str) for f in catalog.facilities} == {"dell": None, "hill": None, "mill": "PA"}
    with pytest.raises(TypeError, match="`emissions` holds number, and no str"):
        mill.fact("emissions", str)


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        ("4.50 kg CO2e/kg", "4.5 t CO2e/kg", "emissions", "a number, or one in kg CO2e/kg"),
        ("60 %", "160 %", "recycled", "0 to 1"),
        (",no,", ",perhaps,", "audited", "yes or no"),
        ("2026-10-01", "soon", "looked", "a date like 2027-01-31"),
    ],
)
def test_a_cell_that_is_no_such_fact_is_told_at_its_place(
    case: Path, old: str, new: str, column: str, expected: str
) -> None:
    """Like a cell of friendshore's own columns."""
    (case.parent / "ours" / "offers.csv").write_text(OFFERS.replace(old, new))
    with pytest.raises(InputError) as caught:
        read(case)
    (found,) = caught.value.problems
    assert (found.row, found.column) == (2, column)
    assert expected in str(found)


def test_a_column_that_nobody_declares_is_refused(case: Path) -> None:
    """As ever; where a plugin that cannot be used declares it, that is named."""
    with pytest.raises(InputError, match=r"offers\.csv:1 \[port\]: no such column.*fix: "):
        read(case, Registry.of())
    with pytest.raises(InputError, match=r"fix: acme-ports 1\.0 declares it, and is blocked"):
        read(case, Registry.discover(blocked=["acme-ports"]))
    (case.parent / "ours" / "capacity.csv").write_text(TABLES["capacity.csv"].replace("status", "status,port"))
    with pytest.raises(InputError, match=r"capacity\.csv:1 \[port\]: no such column"):
        read(case)


def test_two_plugins_may_declare_a_column_alike(site: Site, case: Path) -> None:
    """The same type and unit are one column; others are refused until one of the two is blocked."""
    site.plugin("acme-two", 'api = 1\n[facts.offers]\nport = { meaning = "Where it is loaded." }\n')
    assert read(case).offers[2].fact("port", str) == "MYPKG"
    site.plugin("acme-two", 'api = 1\n[facts.offers]\nport = { type = "words", meaning = "Where it is loaded." }\n')
    with pytest.raises(InputError, match=r"acme-ports 1\.0 and acme-two 1\.0 declare it, and otherwise: block one"):
        read(case)
    assert read(case, Registry.discover(blocked=["acme-two"])).offers


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ('[facts.offers]\nprice = { meaning = "x" }', "declares a column `price`, which offers.csv has"),
        ('[facts.offers]\nport = { type = "integer", meaning = "x" }', "facts.offers.port.type"),
        ("[facts.offers]\nport = {}", "a needed key is missing"),
        ('[facts.recipes]\nport = { meaning = "x" }', "facts"),
        ('[facts.offers]\nPort = { meaning = "x" }', "facts"),
    ],
)
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
    told = {offer["id"]: offer.get("facts", []) for offer in made.facts()["catalogs"][0]["offers"]}
    assert told["from-dell"] == []
    assert {"name": "port", "value": "AUFRE"} in told["from-hill"]
    assert verify_run(run, Registry.discover(), case).verified
    (case.parent / "ours" / "offers.csv").write_text(OFFERS.replace("12,", "13,"))
    assert any("offer from-hill" in str(found) for found in verify_run(run, Registry.discover(), case).findings)
    site.plugin("acme-ports", MANIFEST.split("[facts", maxsplit=1)[0], CODE)
    assert verify_run(run, Registry.discover()).findings == ()


def test_facts_are_kept_where_a_catalog_is_converted(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a workbook and back to a folder: the same facts, in columns with their meaning."""
    monkeypatch.chdir(case.parent)
    for source, target in (("ours", "ours.xlsx"), ("ours.xlsx", "again")):
        told = CliRunner().invoke(app, ["catalogs", "convert", f"./{source}", target])
        assert told.exit_code == 0, told.output
    assert (case.parent / "again" / "offers.csv").read_text().splitlines()[1].endswith("navy;army")
    told = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["plugins", "show", "acme-ports"])
    assert "offers.csv emissions: number in kg CO2e/kg, Greenhouse gases of its own stages." in told.output


@pytest.mark.parametrize(
    ("sort", "value"),
    [("number", "a"), ("number", "1e3"), ("date", "2027-1-1"), ("yes or no", "true"), ("words", "b;a"), ("text", "")],
)
def test_a_fact_made_in_memory_is_looked_at(sort: str, value: str) -> None:
    """Its text is what its type says, as it is written once read."""
    with pytest.raises((FriendshoreError, ValidationError), match=f"is no {sort}"):
        StatedFact(name="port", type=FactSort(sort), value=value)
