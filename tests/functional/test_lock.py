"""A locked case: what decides its result is recorded, and anything else is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from friendshore.case import load_case
from friendshore.errors import InputError, PluginError
from friendshore.plugins import Registry
from friendshore.recommend import LOCK_FILE, Lock, check_lock, gather, lock_of, plan, read_lock, write_lock

from ..unit import tin_case
from .test_cli import answer, friendshore

if TYPE_CHECKING:
    from conftest import Site

CATALOG = {
    "catalog.toml": 'schema = 1\nname = "acme"\ntitle = "A"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n',
    "materials.csv": "id,element,form,basis,stages\ntin,Sn,metal,gross,\n",
    "facilities.csv": "id,country\nmill,MY\n",
    "capacity.csv": "facility,per_year,status,source\nmill,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,source\ntin-my,mill,tin,30 USD/kg,s\n",
    "sources.csv": "id,reference,date,confidence\ns,somebody,2026-11-01,verified\n",
}
CASE = tin_case.CASE.replace("./ours", "acme")


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """A case on a catalog that an installed distribution brings, locked."""
    site.plugin("acme-tin", 'api = 1\ncatalogs = ["c"]\n', files={f"c/{name}": text for name, text in CATALOG.items()})
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text(CASE)
    write_lock(folder / LOCK_FILE, locked(folder))
    return folder


def locked(case: Path) -> Lock:
    """The lock of a case as things are."""
    return lock_of(gather(load_case(case), Registry.discover()))


def edit(site: Site, name: str, before: str, after: str) -> None:
    """Changes a table of the installed catalog."""
    path = site.folder / "acme_tin" / "c" / name
    path.write_text(path.read_text().replace(before, after))


def test_a_locked_case_is_planned_while_nothing_changes(case: Path) -> None:
    """The same data: the same plan; the lock is not written again."""
    lock = case / LOCK_FILE
    assert plan(load_case(case), registry=Registry.discover(), lock=lock).verified
    assert not write_lock(lock, locked(case))


def test_row_order_of_a_folder_beside_the_case_is_no_change(tmp_path: Path) -> None:
    """What the lock holds of the planner's own folders is facts, not bytes: another order of columns says the same."""
    (tmp_path / "mine").mkdir()
    for name, text in CATALOG.items():
        (tmp_path / "mine" / name).write_text(text)
    (tmp_path / "case.toml").write_text(CASE.replace('"acme"', '"./mine"'))
    lock = locked(tmp_path)
    (tmp_path / "mine" / "facilities.csv").write_text("country,id\nMY,mill\n")
    check_lock(lock, locked(tmp_path), tmp_path / LOCK_FILE)


def test_a_changed_row_of_an_installed_catalog_is_refused_by_name(case: Path, site: Site) -> None:
    """The refusal names the catalog, the distribution and the record."""
    edit(site, "offers.csv", "30 USD/kg", "3 USD/kg")
    with pytest.raises(
        PluginError, match=r"catalog `acme` \(acme-tin 1\.0\) is not what was locked: offer tin-my changed"
    ):
        plan(load_case(case), registry=Registry.discover(), lock=case / LOCK_FILE)
    assert plan(load_case(case), registry=Registry.discover()).verified, "without --locked it is planned"


KIND = """
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house"] = "house"

    def rows(self, facts):
        return ()


@hookimpl
def friendshore_rules():
    return [House]
"""


def test_a_plugin_that_is_locked_and_not_installed_is_named_with_its_version(site: Site, tmp_path: Path) -> None:
    """Two rules and a table of settings need it: one problem, and the command that installs what was locked."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', code=KIND, version="1.2")
    (tmp_path / "case.toml").write_text(
        CASE.replace('["acme"]', "[]") + '[[rule]]\nkind = "house"\n[[rule]]\nkind = "house"\n'
    )
    write_lock(tmp_path / LOCK_FILE, locked(tmp_path))
    shutil.rmtree(next(site.folder.glob("acme_house-*")))
    with pytest.raises(PluginError) as error:
        plan(load_case(tmp_path / "case.toml"), registry=Registry.discover())
    (problem,) = error.value.problems
    assert "acme-house 1.2 is not installed" in problem.message
    assert problem.fix == "pip install 'acme-house==1.2'"
    (tmp_path / LOCK_FILE).unlink()
    with pytest.raises(PluginError) as error:
        plan(load_case(tmp_path / "case.toml"), registry=Registry.discover())
    assert all("no kind of rule `house` is installed" in one.message for one in error.value.problems)
    assert not [one for one in error.value.problems if "one of none" in one.expected or len(one.expected) > 80]


def test_changed_code_of_a_kind_of_rule_is_refused(site: Site, tmp_path: Path) -> None:
    """The code of a plugin decides results as its data do, under whatever version number."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', code=KIND)
    (tmp_path / "case.toml").write_text(CASE.replace('["acme"]', "[]") + '[[rule]]\nkind = "house"\n')
    lock = locked(tmp_path)
    assert [(one.kind, one.distribution) for one in lock.locked] == [
        ("plugin", "acme-house 1.0"),
        ("rule kind", "acme-house 1.0"),
    ]
    code = site.folder / "acme_house" / "__init__.py"
    code.write_text(KIND.replace("return ()", "return []"))
    with pytest.raises(PluginError, match=r"plugin `acme-house`.*: acme_house/__init__\.py changed"):
        check_lock(lock, locked(tmp_path), tmp_path / LOCK_FILE)


def test_new_and_missing_and_other_versions_are_refused_all_at_once(case: Path) -> None:
    """Everything that differs is told, not the first alone."""
    was = read_lock(case / LOCK_FILE)
    (mine,) = (one for one in was.locked if one.kind == "catalog")
    other = mine.model_copy(update={"name": "gone"})
    older = mine.model_copy(update={"distribution": "acme-tin 0.9"})
    given = was.model_copy(update={"locked": (older, other), "versions": {**was.versions, "ortools": "1.0"}})
    with pytest.raises(PluginError) as caught:
        check_lock(given, was, case / LOCK_FILE)
    told = " / ".join(problem.message for problem in caught.value.problems)
    assert "`gone` is locked, and no longer used" in told
    assert "comes from acme-tin 1.0" in told
    assert "ortools" in told


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 9_000, "9" * 5_000, '{"schema": 1}', '{"schema": 2, "case": "c", "versions": {}}']
)
def test_a_damaged_lock_is_refused_in_words(case: Path, text: str) -> None:
    """Neither a traceback nor a plan."""
    (case / LOCK_FILE).write_text(text)
    with pytest.raises(InputError, match=LOCK_FILE):
        plan(load_case(case), registry=Registry.discover(), lock=case / LOCK_FILE)


def test_a_missing_lock_is_refused_with_the_fix(case: Path) -> None:
    """`--locked` without a lock plans nothing."""
    (case / LOCK_FILE).unlink()
    with pytest.raises(InputError, match="friendshore lock"):
        plan(load_case(case), registry=Registry.discover(), lock=case / LOCK_FILE)


def test_lock_and_plan_locked_on_the_command_line(tmp_path: Path) -> None:
    """Write, plan, change a row beside the case, be refused with the code of plugins."""
    case = tmp_path / "first"
    assert friendshore("init", "--start", "2026-10-01", str(case)).returncode == 0
    wrote = friendshore("lock", str(case))
    assert (wrote.returncode, wrote.stderr) == (0, "")
    assert LOCK_FILE in wrote.stdout
    assert json.loads((case / LOCK_FILE).read_text())["schema"] == 2
    assert answer(friendshore("lock", str(case), "--json"))["wrote"] == ""
    assert friendshore("plan", str(case), "--locked", "-q").returncode == 0
    (offers,) = case.rglob("offers.csv")
    offers.write_text(offers.read_text().replace(" USD/kg", "1 USD/kg", 1))
    refused = friendshore("plan", str(case), "--locked", "-q")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "is not what was locked" in refused.stderr


@pytest.mark.parametrize("text", ["my notes", '{"case": "tin"}', "<<<<<<< mine"])
def test_what_is_no_lock_is_not_overwritten(text: str, case: Path) -> None:
    """A file of that name that friendshore did not write is refused, and left as it is."""
    (case / LOCK_FILE).write_text(text)
    with pytest.raises(InputError, match="left as it is"):
        write_lock(case / LOCK_FILE, locked(case))
    assert (case / LOCK_FILE).read_text() == text
