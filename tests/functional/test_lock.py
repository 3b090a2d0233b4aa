"""A locked case: what decides its result is recorded, and anything else is refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from friendshore.case import load_case
from friendshore.errors import Diagnostic, InputError, PluginError
from friendshore.plugins import Registry
from friendshore.recommend import (
    LOCK_FILE,
    Lock,
    Recommendation,
    check_lock,
    gather,
    lock_of,
    plan,
    read_lock,
    write_lock,
)

from ..unit import tin_case
from .sample_plugins import RULE
from .test_cli import answer, friendshore

if TYPE_CHECKING:
    from conftest import Site

CATALOG = {
    "catalog.toml": 'schema = 1\nname = "acme"\ntitle = "A"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n',
    "materials.csv": "id,element,form,basis,stages\ntin,Sn,metal,gross,\n",
    "facilities.csv": "id,country\nmill,MY\n",
    "capacity.csv": "facility,per_year,status,source\nmill,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,source\ntin-my,mill,tin,30 USD/kg,s\n",
    "sources.csv": "id,reference,date,confidence\ns,somebody,2026-11-01,verified\n",
}
CASE = tin_case.CASE.replace("./ours", "acme")


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """Return a locked case on a catalog of an installed distribution."""
    site.plugin("acme-tin", 'api = 1\ncatalogs = ["c"]\n', files={f"c/{name}": text for name, text in CATALOG.items()})
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text(CASE)
    write_lock(folder / LOCK_FILE, locked(folder))
    return folder


def locked(case: Path) -> Lock:
    """Return the lock of a case as things are."""
    return lock_of(gather(load_case(case), Registry.discover()))


def planned(case: Path, lock: Path | None = None) -> Recommendation:
    """Return the plan of a case with what is installed."""
    return plan(load_case(case), registry=Registry.discover(), lock=lock)


def refused(call: Callable[..., object], *given: object) -> Sequence[Diagnostic]:
    """Return the problems that a call reports of plugins."""
    with pytest.raises(PluginError) as error:
        call(*given)
    return error.value.problems


def test_a_locked_case_is_planned_while_nothing_changes(case: Path) -> None:
    """The lock isn't written again."""
    assert planned(case, case / LOCK_FILE).verified
    assert not write_lock(case / LOCK_FILE, locked(case))


def test_row_order_of_a_folder_beside_the_case_is_no_change(tmp_path: Path) -> None:
    """The lock holds facts of the planner's own folders, not bytes."""
    (tmp_path / "mine").mkdir()
    for name, text in CATALOG.items():
        (tmp_path / "mine" / name).write_text(text)
    (tmp_path / "case.toml").write_text(CASE.replace('"acme"', '"./mine"'))
    lock = locked(tmp_path)
    (tmp_path / "mine" / "facilities.csv").write_text("country,id\nMY,mill\n")
    check_lock(lock, locked(tmp_path), tmp_path / LOCK_FILE)


def test_a_changed_row_of_an_installed_catalog_is_refused_by_name(case: Path, site: Site) -> None:
    """With the catalog, the distribution, and the record; without `--locked` it is planned."""
    offers = site.folder / "acme_tin" / "c" / "offers.csv"
    offers.write_text(offers.read_text().replace("30 USD/kg", "3 USD/kg"))
    with pytest.raises(PluginError, match=r"catalog `acme` \(acme-tin 1\.0\).*: offer tin-my changed"):
        planned(case, case / LOCK_FILE)
    assert planned(case).verified


HOUSE_CASE = CASE.replace('["acme"]', "[]") + '[[rule]]\nkind = "house"\n'


def test_a_plugin_that_is_locked_and_not_installed_is_named_with_its_version(site: Site, tmp_path: Path) -> None:
    """Two rules need it: one problem, and the command that installs what was locked."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', code=RULE, version="1.2")
    (tmp_path / "case.toml").write_text(f'{HOUSE_CASE}[[rule]]\nkind = "house"\n')
    write_lock(tmp_path / LOCK_FILE, locked(tmp_path))
    shutil.rmtree(next(site.folder.glob("acme_house-*")))
    (problem,) = refused(planned, tmp_path / "case.toml")
    assert (problem.code, problem.message.partition(" is ")[0]) == ("FS623", "acme-house 1.2")
    assert problem.fix == "pip install 'acme-house==1.2'"
    (tmp_path / LOCK_FILE).unlink()
    problems = refused(planned, tmp_path / "case.toml")
    assert all("no kind of rule `house` is installed" in one.message for one in problems)
    assert not [one for one in problems if "one of none" in one.expected or len(one.expected) > 80]


def test_changed_code_of_a_kind_of_rule_is_refused(site: Site, tmp_path: Path) -> None:
    """Also under the same version."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', code=RULE)
    (tmp_path / "case.toml").write_text(HOUSE_CASE)
    lock = locked(tmp_path)
    assert [(one.kind, one.distribution) for one in lock.locked] == [
        ("plugin", "acme-house 1.0"),
        ("rule kind", "acme-house 1.0"),
    ]
    (site.folder / "acme_house" / "__init__.py").write_text(RULE.replace("60", "61"))
    with pytest.raises(PluginError, match=r"plugin `acme-house`.*: acme_house/__init__\.py changed"):
        check_lock(lock, locked(tmp_path), tmp_path / LOCK_FILE)


def test_new_and_missing_and_other_versions_are_refused_all_at_once(case: Path) -> None:
    """Every difference is reported."""
    was = read_lock(case / LOCK_FILE)
    (mine,) = (one for one in was.locked if one.kind == "catalog")
    changed = (mine.but(distribution="acme-tin 0.9"), mine.but(name="gone"))
    given = was.but(locked=changed, versions={**was.versions, "ortools": "1.0"})
    told = " / ".join(one.message for one in refused(check_lock, given, was, case / LOCK_FILE))
    for words in ("`gone` is locked, but no longer used", "comes from acme-tin 1.0", "ortools"):
        assert words in told


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "[" * 9_000, "9" * 5_000, '{"schema": 1}', '{"schema": 2, "case": "c", "versions": {}}', None],
)
def test_a_damaged_or_missing_lock_is_refused(case: Path, text: str | None) -> None:
    """The message names the file, or the command that writes it."""
    (case / LOCK_FILE).unlink()
    if text is not None:
        (case / LOCK_FILE).write_text(text)
    with pytest.raises(InputError, match="friendshore lock" if text is None else LOCK_FILE):
        planned(case, case / LOCK_FILE)


def test_lock_and_plan_locked_on_the_command_line(tmp_path: Path) -> None:
    """Write, plan, change a row beside the case, and be refused with the exit code of plugins."""
    case = tmp_path / "first"
    assert friendshore("init", "--start", "2026-10-01", str(case)).returncode == 0
    wrote = friendshore("lock", str(case))
    assert (wrote.returncode, wrote.stderr, LOCK_FILE in wrote.stdout) == (0, "", True)
    assert json.loads((case / LOCK_FILE).read_text())["schema"] == 2
    assert answer(friendshore("lock", str(case), "--json"))["wrote"] == ""
    assert friendshore("plan", str(case), "--locked", "-q").returncode == 0
    (offers,) = case.rglob("offers.csv")
    offers.write_text(offers.read_text().replace(" USD/kg", "1 USD/kg", 1))
    done = friendshore("plan", str(case), "--locked", "-q")
    assert (done.returncode, done.stdout, "FS620" in done.stderr) == (3, "", True)


@pytest.mark.parametrize("text", ["my notes", '{"case": "tin"}', "<<<<<<< mine"])
def test_what_is_no_lock_is_not_overwritten(text: str, case: Path) -> None:
    """A file that friendshore didn't write stays as it is."""
    (case / LOCK_FILE).write_text(text)
    with pytest.raises(InputError, match="FS622"):
        write_lock(case / LOCK_FILE, locked(case))
    assert (case / LOCK_FILE).read_text() == text
