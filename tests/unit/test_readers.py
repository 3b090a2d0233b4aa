"""`prefix:argument` of a case: what a plugin's reader reads is looked at like a file, and what goes wrong in its code is laid at its door."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.cli import app
from friendshore.domain.base import Record
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import Registry
from friendshore.readers import TableRows, read_record_rows, reader_in
from friendshore.recommend import check_lock, gather, lock_of, plan, verdicts
from friendshore.recommend.check import check
from friendshore.recommend.gather import Gathered
from friendshore.recommend.verify_run import verify_run
from friendshore.run import write_run
from friendshore_testing.hooks import reader_checks

from ..building import refused

if TYPE_CHECKING:
    from conftest import Site

DEEP = pytest.mark.deep
MANIFEST = 'api = 1\nreaders = ["acme-erp"]\n'
CODE = '''
from decimal import Decimal

from friendshore.errors import Diagnostic, InputError
from friendshore.hookspecs import hookimpl
from friendshore.readers import ReadRequest, CatalogRows, Reader, TableRows


def table(lines):
    names = list(dict.fromkeys(key for _, cells, _ in lines for key in cells))
    return TableRows(names, [(line, [cells.get(name) for name in names]) for line, cells, _ in lines], lines[0][2])


class Erp(Reader):
    """Exports of an ERP system: `table;column=value;column=value`, one row a line."""

    name = "acme-erp"
    example = "example"

    def tables(self, asked):
        file = asked.path.with_suffix(".erp")
        if not file.is_file():
            raise InputError(Diagnostic("there is no such export", str(file), fix="export it again"))
        tables = {}
        for line, text in enumerate(file.read_text().splitlines(), 1):
            name, *cells = text.split(";")
            tables.setdefault(name, []).append((line, dict(cell.split("=", 1) for cell in cells), str(file)))
        return tables

    def demand(self, asked):
        return table(self.tables(asked)["demand"])

    def catalog(self, asked):
        read = self.tables(asked)
        (_, head, place), = read.pop("catalog")
        return CatalogRows(head, {name: table(lines) for name, lines in read.items() if name != "demand"}, place)


@hookimpl
def friendshore_readers():
    return [Erp()]
'''
SUPPLIERS = """catalog;name=erp;title=What the ERP knows;as_of=2026-11-01
sources;id=s;reference=the ERP;date=2026-11-01;confidence=verified
materials;id=tin;element=Sn;form=metal;basis=gross
facilities;id=mill;operator=Mill Ltd;country=MY
facilities;id=hill;operator=Hill Ltd;country=AU
capacity;facility=mill;per_year=9 t/year;status=operating;source=s
capacity;facility=hill;per_year=9 t/year;status=operating;source=s
offers;id=from-mill;facility=mill;material=tin;price=30 USD/kg;source=s
offers;id=from-hill;facility=hill;material=tin;price=40 USD/kg;source=s
"""
EXAMPLE = SUPPLIERS + "demand;material=tin;end_use=civil;per_year=1 t\n"
ORDERS = "demand;material=tin;end_use=civil;per_year=1 t\ndemand;material=tin;end_use=defense;per_year=2 t\n"
CASE = """schema = 1
[case]
name = "c"
start = 2027-01-01
periods = 1
period = "year"
place = "US"
[use]
catalogs = ["acme-erp:suppliers"]
demand = "acme-erp:orders-2027"
"""


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """The file of a case, all of whose data a reader reads."""
    site.plugin("acme-erp-plugin", MANIFEST, CODE)
    (tmp_path / "suppliers.erp").write_text(SUPPLIERS)
    (tmp_path / "orders-2027.erp").write_text(ORDERS)
    (tmp_path / "case.toml").write_text(CASE)
    return tmp_path / "case.toml"


def with_text(file: Path, old: str, new: str) -> None:
    """Replaces some text of a file."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def gathered(case: Path, **options: Any) -> Gathered:
    """What the case is planned of, with all that is installed."""
    return gather(load_case(case), Registry.discover(**options))


def test_a_name_is_a_readers_where_it_begins_with_one() -> None:
    """`C:` is a drive, `./a:b` a folder, and what stands behind the colon is the reader's."""
    assert reader_in("acme-erp:lists/a:b.csv") == ("acme-erp", "lists/a:b.csv")
    assert [reader_in(name) for name in ("C:/data", "./acme-erp:a", "Acme:a", "acme-erp", "a_b:c", "")] == [None] * 6


def test_rows_of_records_have_all_their_columns() -> None:
    """A key that a record lacks is blank in its row."""
    rows = TableRows.of([{"a": 1}, {"b": "x"}], "f", first=7)
    assert (rows.columns, rows.rows) == (("a", "b"), [(7, [1, None]), (8, [None, "x"])])


def test_a_case_is_planned_of_what_a_reader_reads(case: Path) -> None:
    """Catalog and demands come from it; run and lock say who read them, with a hash."""
    made = plan(load_case(case), registry=Registry.discover())
    assert {line.offer: line.quantity_kg for line in made.run.purchases} == {"from-mill": 3000}
    used = {(one.kind, one.name): one for one in made.run.plugins}
    assert {kind for kind, _ in used} == {"catalog", "reader", "plugin"}
    orders, suppliers = (used["reader", f"acme-erp:{name}"] for name in ("orders-2027 (demand)", "suppliers (catalog)"))
    assert orders.distribution == made.run.plugins[0].distribution == "acme-erp-plugin 1.0"
    assert orders.digest != suppliers.digest
    before = lock_of(gathered(case))
    assert {one.name for one in before.locked if one.kind == "reader"} == {orders.name, suppliers.name}
    with_text(case.parent / "orders-2027.erp", "1 t", "3 t")
    with pytest.raises(PluginError, match=r"FS620 .*orders-2027 \(demand\)` .*: its data changed"):
        check_lock(before, lock_of(gathered(case)), Path("lock"))


@pytest.mark.parametrize(
    ("file", "old", "new", "row", "column", "message"),
    [
        ("suppliers.erp", "30 USD/kg", "30 USD/pood", 8, "price", ""),
        pytest.param("suppliers.erp", "facility=hill;material", "facility=hil;material", 9, "facility", "no such facility", marks=DEEP),
        pytest.param("suppliers.erp", "offers;id=from-mill;", "offers;id=from-mill;colour=red;", 1, "colour", "FS001", marks=DEEP),
        pytest.param("suppliers.erp", "name=erp;", "nam=erp;", None, "nam", "FS001", marks=DEEP),
        ("orders-2027.erp", "2 t", "two", 2, "per_year", ""),
        pytest.param("orders-2027.erp", "defense", "civil", 2, "", "", marks=DEEP),
        ("orders-2027.erp", "material=tin;end_use=defense", "material=tyn;end_use=defense", 2, "material", "tyn"),
    ],
)  # fmt: skip
def test_mistakes_stand_where_the_reader_says(
    case: Path, file: str, old: str, new: str, row: int | None, column: str, message: str
) -> None:
    """In a table of a catalog and among demands: at the line of the file that was read, seen alone or with the rest."""
    with_text(case.parent / file, old, new)
    found = check(case, Registry.discover()).errors
    here = [p for p in found if p.row == row and p.file.endswith(file) and message in str(p)]
    assert any(column in p.column for p in here), found


@pytest.mark.parametrize("file", [pytest.param("suppliers", marks=DEEP), "orders-2027"])
def test_what_a_reader_says_is_wrong_is_told_as_it_says(case: Path, file: str) -> None:
    """An `InputError` of the reader is a mistake in what the user gave, and none of the plugin."""
    (case.parent / f"{file}.erp").unlink()
    (problem,) = refused(gathered, case)
    assert problem.file.endswith(f"{file}.erp")
    assert (problem.message, problem.fix) == ("there is no such export", "export it again")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", r"failed: its reader `acme-erp`, called with `suppliers`, raised: ZeroDivisionError"),
        pytest.param("raise SystemExit(0)", r"its reader `acme-erp`, called with `suppliers`, raised: SystemExit", marks=DEEP),
        ("import os; os._exit(0)", "ended its process with exit code 0 during the reading of `acme-erp:suppliers`"),
        pytest.param("import os; os.abort()", "ended its process", marks=DEEP),
        pytest.param("import time; time.sleep(600)", r"did not finish the reading of `acme-erp:suppliers` within 3 s", marks=DEEP),
        ("return {'offers': []}", r"must return tables; found a dict"),
        pytest.param("return CatalogRows({}, {'offers': [['id']]})", "must return tables; found a list for a table", marks=DEEP),
        pytest.param("return CatalogRows({}, {'offers': TableRows(['id'], [(1, [object()])])})", "must return tables; found a object in a cell", marks=DEEP),
        pytest.param("return CatalogRows({'name': 'x'}, {'offer': TableRows(['id'], [])})", "FS101", marks=DEEP),
        pytest.param("return CatalogRows({}, {})", "FS002", marks=DEEP),
    ],
)  # fmt: skip
def test_a_hostile_reader_is_told_with_its_distribution(
    site: Site, case: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    """What raises, hangs, ends its process or yields what is no table: named, and this process is well."""
    monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "3")
    code = CODE.replace("    def catalog(self, asked):\n", f"    def catalog(self, asked):\n        {body}\n")
    site.plugin("acme-erp-plugin", MANIFEST, code)
    with pytest.raises(FriendshoreError, match=message) as caught:
        gathered(case)
    assert "acme-erp" in str(caught.value)


def test_one_name_may_be_read_as_a_catalog_and_as_demands(case: Path) -> None:
    """Run and lock keep both apart."""
    (case.parent / "suppliers.erp").write_text(EXAMPLE)
    case.write_text(CASE.replace("orders-2027", "suppliers"))
    read = [one for one in lock_of(gathered(case)).locked if one.kind == "reader"]
    assert [one.name for one in read] == ["acme-erp:suppliers (catalog)", "acme-erp:suppliers (demand)"]
    assert read[0].digest != read[1].digest


@pytest.mark.deep
def test_a_reader_that_says_what_it_likes_takes_nothing_from_others(site: Site, case: Path) -> None:
    """Its output goes nowhere, and a list of plugins runs none of it."""
    site.plugin("acme-erp-plugin", MANIFEST, "print('hello'); import os; os._exit(0)\n")
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["plugins", "list"])
    assert (told.exit_code, "acme-erp" in told.output, "Readers" in told.output) == (0, True, True)
    with pytest.raises(PluginError, match=r"acme-erp-plugin 1\.0 ended its process"):
        gathered(case)


@pytest.mark.parametrize(
    ("readers", "match"),
    [(None, "no reader `acme-erp` is installed"), ("acme-other", "no reader"), ("C", "no reader"), ('acme-erp", "acme-more', "yield acme-more")],
)  # fmt: skip
def test_readers_are_what_the_manifest_says(site: Site, case: Path, readers: str | None, match: str) -> None:
    """No more, no less, and under names that no drive has."""
    site.plugin("acme-erp-plugin", "api = 1\n" + (f'readers = ["{readers}"]\n' if readers else ""), CODE)
    with pytest.raises(PluginError, match=match):
        gathered(case)


@pytest.mark.deep
def test_two_readers_of_one_name_clash(site: Site, case: Path) -> None:
    """Neither is asked; one of them is to be blocked."""
    site.plugin("acme-two", MANIFEST, CODE)
    with pytest.raises(PluginError, match="several plugins bring reader `acme-erp`"):
        gathered(case)
    assert gathered(case, blocked=["acme-two"]).plugins


def test_a_reader_reads_what_it_overrides(site: Site, case: Path) -> None:
    """One that reads demands alone says so where a catalog is wanted."""
    site.plugin("acme-erp-plugin", MANIFEST, CODE.replace("def catalog(", "def other("))
    with pytest.raises(InputError, match="FS426 the reader `acme-erp` can't read a catalog"):
        gathered(case)


def test_a_reader_knows_what_a_case_sets_for_its_plugin(site: Site, case: Path) -> None:
    """`[plugin.NAME]` reaches it, checked against the model."""
    model = (
        "from friendshore.domain.base import Record\n\n\nclass Settings(Record):\n    ending: str = '.erp'\n\n\n"
        "@hookimpl\ndef friendshore_settings():\n    return [Settings]\n"
    )
    code = CODE.replace('with_suffix(".erp")', "with_suffix(asked.settings.ending)")
    site.plugin("acme-erp-plugin", MANIFEST + "settings = true\n", code + model)
    assert len(gathered(case).case.demands) == 2
    case.write_text(CASE + '[plugin.acme-erp-plugin]\nending = ".txt"\n')
    for name in ("suppliers", "orders-2027"):
        (case.parent / f"{name}.erp").rename(case.parent / f"{name}.txt")
    assert len(gathered(case).case.demands) == 2


def test_a_run_is_verified_with_and_without_reading_again(site: Site, case: Path) -> None:
    """Without the case it says that nothing was read again; with it, that it gives the same, or what became of it; the plugin may be gone."""
    folder = case.parent / "run"
    done = plan(load_case(case), registry=Registry.discover())
    write_run(folder, done.run, done.facts(), verdicts(done.plan))
    alone = verify_run(folder, Registry.discover())
    assert alone.verified
    assert any("its data were not read again; give --case CASE" in line for line in alone.unvouched)
    assert any("catalog erp" in line and "as acme-erp-plugin 1.0 read it" in line for line in alone.unvouched)
    again = verify_run(folder, Registry.discover(), case)
    assert again.verified
    assert any(
        line.startswith("reader acme-erp:orders-2027") and "the same when read again" in line for line in again.vouched
    )
    with_text(case.parent / "orders-2027.erp", "2 t", "3 t")
    changed = verify_run(folder, Registry.discover(), case)
    assert any("its data have changed" in line for line in changed.differs)
    assert any("tin/defense/US" in finding.message for finding in changed.findings)
    assert verify_run(folder, Registry.of()).verified


def kit(site: Site, code: str, example: str = EXAMPLE) -> dict[str, str]:
    """What the conformance kit finds of a reader, by check."""
    site.plugin("acme-erp-plugin", MANIFEST, code, files={"example.erp": example})
    registry = Registry.discover()
    (info,) = [plugin for plugin in registry.plugins if plugin.readers]
    outcomes = [check.outcome() for check in reader_checks("acme-erp", info, registry)]
    return {one.check.name: one.skip_reason or "; ".join(map(str, one.problems)) for one in outcomes}


def test_the_kit_tells_mistakes_of_an_example_where_they_stand(site: Site) -> None:
    """As a case would; a reader with text and example, that says what is not there, is told nothing."""
    assert kit(site, CODE) == {"written": "", "reads": "", "missing": ""}
    assert "example.erp:8 [price]" in kit(site, CODE, EXAMPLE.replace("30 USD/kg", "30 USD/pood"))["reads"]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("old", "new", "check", "message"),
    [
        ('"""Exports of an ERP system: `table;column=value;column=value`, one row a line."""', "", "written", "has no text"),
        ('    example = "example"\n', "", "reads", "its class has no `example`"),
        ("        read = self.tables(asked)\n", "        import random\n        return CatalogRows({'name': str(random.random())})\n", "reads", "FS955"),
        ("            raise InputError(", "            raise OSError(", "missing", "report a missing"),
    ],
)  # fmt: skip
def test_the_kit_finds_what_is_wrong_with_a_reader(site: Site, old: str, new: str, check: str, message: str) -> None:
    """Each thing by the check that looks for it."""
    assert old in CODE
    assert message in kit(site, CODE.replace(old, new))[check]


def test_a_record_without_columns_is_told_to_whoever_wrote_it(tmp_path: Path) -> None:
    """It could read no table, and no header of one is to blame for that."""

    class Entry(Record):
        name: str

    (tmp_path / "list.csv").write_text("name\nx\n")
    with pytest.raises(TypeError, match="Entry has no column"):
        read_record_rows(tmp_path / "list.csv", Entry, "a list")
