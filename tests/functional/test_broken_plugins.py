"""Broken plugins, met from the command line: listing always works, and a plan that needs one stops and says why."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from .program import call

NOTHING = "api = 1\n"
CATALOG = 'schema = 1\nname = "{}"\ntitle = "Quotes"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n'
TABLES = {
    "sources.csv": "id,reference,date,confidence\nquote,a quote,2026-10-01,verified\n",
    "materials.csv": "id,name,element,form,basis,content,stages\ntin,Tin,Sn,metal,gross,1,mined;refined\n",
    "facilities.csv": "id,name,country\nsmelter,Smelter,AU\n",
    "capacity.csv": "facility,from,per_year,status,source\nsmelter,2020-01-01,100 t/year,operating,quote\n",
    "offers.csv": "id,facility,material,price,price_source,source\ntin-au,smelter,tin,10 USD/kg,quote,quote\n",
    "chain.csv": "offer,stage,countries,complete,source\ntin-au,mined,AU,yes,quote\ntin-au,refined,AU,yes,quote\n",
}
CASE = """
schema = 1
[case]
name = "tiny"
start = 2027-01-01
periods = 1
period = "year"
currency = "USD"
place = "US"
[use]
catalogs = ["{}"]
packs = []
[[demand]]
material = "tin"
end_use = "civil"
per_year = "5 t"
"""
RAISES = """
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house"] = "house"

    def judge(self, offer, move, use):
        raise LookupError("no such shed")


@hookimpl
def friendshore_rules():
    return [House]
"""


def install(site: Path, name: str, manifest: str | None, code: str = "", catalog: str = "") -> None:
    """A plugin as `pip` would leave it, in a folder that is put on the path."""
    package = site / name.replace("-", "_")
    info = site / f"{package.name}-1.5.dist-info"
    for folder in (package, info):
        folder.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[friendshore]\n{name} = {package.name}\n")
    (package / "__init__.py").write_text(code)
    if manifest is not None:
        (package / "friendshore.toml").write_text(manifest)
    if catalog:
        write_catalog(package / "catalog", catalog)


def write_catalog(folder: Path, name: str) -> None:
    """A catalog with one offer of tin."""
    folder.mkdir()
    (folder / "catalog.toml").write_text(CATALOG.format(name))
    for file, text in TABLES.items():
        (folder / file).write_text(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a plugin for every way to be broken, and cases that need them."""
    folder = tmp_path_factory.mktemp("world")
    site = folder / "site"
    site.mkdir()
    install(site, "acme-import", 'api = 1\nkinds = ["shed"]\n', "import not_there_at_all\n")
    install(site, "acme-raises", 'api = 1\nkinds = ["house"]\n', RAISES)
    install(site, "acme-one", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin")
    install(site, "acme-two", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin")
    install(site, "acme-mute", None, "1 / 0\n")
    write_catalog(folder / "mine", "mine")
    rule = '[[rule]]\nkind = "{}"\nid = "r"\n'
    (folder / "fine.toml").write_text(CASE.format("./mine"))
    (folder / "clash.toml").write_text(CASE.format("tin"))
    (folder / "raises.toml").write_text(CASE.format("./mine") + rule.format("house"))
    (folder / "import.toml").write_text(CASE.format("./mine") + rule.format("shed"))
    (folder / "unknown.toml").write_text(CASE.format("./mine") + rule.format("hous"))
    return folder


def friendshore(world: Path, *arguments: str, block: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command line with the world's plugins beside what is installed."""
    path = os.pathsep.join(filter(None, [str(world / "site"), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "FRIENDSHORE_BLOCK": block, "COLUMNS": "400", "NO_COLOR": "1"}
    return call(list(arguments), environment, world)


def test_help_and_list_work_whatever_is_broken(world: Path) -> None:
    """`--help` and `plugins list` never run a plugin, and the list says what is wrong with each."""
    assert friendshore(world, "--help").returncode == 0
    run = friendshore(world, "plugins", "list", "--json")
    assert run.returncode == 0, run.stderr
    json.loads(run.stdout)
    for part in ("acme-mute", "there is no manifest", "acme-one", "acme-two", "is brought by", "clash", "broken"):
        assert part in run.stdout


def test_plan_that_needs_none_of_them_is_made(world: Path) -> None:
    """Broken plugins do not stop a case that names nothing of theirs."""
    run = friendshore(world, "plan", "fine.toml", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["verified"] is True


NEEDS = {
    "import": ("acme-import 1.5", "cannot be imported: ModuleNotFoundError", "acme_import"),
    "raises": ("acme-raises 1.5", "LookupError: no such shed", "`house`", "acme_raises"),
    "clash": ("acme-one 1.5", "acme-two 1.5", "`tin` is brought by", "FRIENDSHORE_BLOCK"),
    "unknown": ("`hous`", "did you mean `house`?", "acme-mute 1.5 (broken)"),
}


@pytest.mark.parametrize("case", NEEDS)
def test_plan_that_needs_one_stops_and_names_it(world: Path, case: str) -> None:
    """Distribution, version, what is wrong and the fix are on the error stream; exit code 3, and no traceback."""
    run = friendshore(world, "plan", f"{case}.toml")
    assert run.returncode == 3, run.stderr
    said = " ".join(run.stderr.split())
    for part in (*NEEDS[case], "fix: "):
        assert part in said
    assert "Traceback" not in said


def test_blocking_one_of_two_settles_a_clash(world: Path) -> None:
    """The environment can rule a plugin out, and the plan is made with the other."""
    run = friendshore(world, "plan", "clash.toml", "--json", block="acme-two")
    assert run.returncode == 0, run.stderr
