"""`sweep` with rules of a plugin that hang, end their process or are other ones where a worker is."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import friendshore
from friendshore.errors import InputError
from friendshore.problem.inputs import Applied
from friendshore.recommend import gather
from friendshore.solve import AnswerCache, Limits
from friendshore_sweep.planning import ScenarioTask, SweptCase, case_hash, plan_scenario

from .test_lock import CASE, CATALOG
from .test_plugin_edits import CODE, HOUSE_RULE

if TYPE_CHECKING:
    from conftest import Site

CHARGE = """def charge(self, offer, move, use, origin, value):
        if value == 60:
            sum(itertools.count())
        if value == 90:
            os._exit(0)
        return Decimal(0)


@hookimpl"""
HOUSE = re.sub(
    r"def judge.*?@hookimpl", CHARGE, f"import itertools, os\nfrom decimal import Decimal\n{CODE}", flags=re.DOTALL
)
"""A kind of rule that hangs at one price, whatever Python sees of it, and ends the process at another."""


def house(site: Site, folder: Path) -> Path:
    """Write a case on its rule and a catalog of the same plugin."""
    tables = {f"catalog/{name}": text for name, text in CATALOG.items()}
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n', code=HOUSE, files=tables)
    (folder / "case.toml").write_text(CASE + HOUSE_RULE)
    own = distribution("friendshore-sweep")  # whoever sends a case is software that a worker must have too
    info = site.folder / f"friendshore_sweep-{own.version}.dist-info"
    info.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (info / name).write_text(own.read_text(name) or "")
    return folder


@pytest.mark.deep
def test_a_rule_that_hangs_in_a_worker_is_ended_and_the_sweep_goes_on(site: Site, tmp_path: Path) -> None:
    """So is one that ends its process: the row names the rule, and the others are planned."""
    words = [sys.executable, "-m", "friendshore", "sweep", str(house(site, tmp_path)), "--workers", "2"]
    words += ["--vary", "price:tin-my=1,2,3,4", "--folder", str(tmp_path / "out")]
    env = {**os.environ, "PYTHONPATH": str(site.folder), "FRIENDSHORE_PLUGIN_LIMIT": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "out" / "totals.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["status"] for row in rows] == ["optimal", "error", "error", "optimal"]
    assert "its rule `r` of kind `house` was still running after 1 s" in rows[1]["message"]
    assert "acme-house 1.0" in rows[1]["message"]
    assert "ended the process with exit code 0" in rows[2]["message"]


@pytest.mark.parametrize(
    "how",
    ["a file", *(pytest.param(how, marks=pytest.mark.deep) for how in ("its version", "the version of who asks"))],
)
def test_a_worker_with_another_plugin_is_refused(how: str, site: Site, tmp_path: Path) -> None:
    """It is named with both versions, or with both digests if the versions are the same."""
    gathered = gather(friendshore.load_case(house(site, tmp_path)))
    swept = SweptCase(gathered.inputs, AnswerCache(), Limits(workers=1))
    sent = swept.packed()
    asked = ScenarioTask(0, Applied(), case_hash(sent), packed=sent)
    assert plan_scenario(asked) is not None
    told = r"found acme-house 1\.1; expected acme-house 1\.0"
    if how == "a file":
        (site.folder / "acme_house" / "rates.csv").write_text("MY,0.05")
        told = r"acme-house 1\.0 with files \w+; expected acme-house 1\.0 with files"
    elif how == "its version":
        metadata = site.folder / "acme_house-1.0.dist-info" / "METADATA"
        metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    else:
        (metadata,) = site.folder.glob("friendshore_sweep-*/METADATA")
        metadata.write_text(re.sub(r"^Version: .*", "Version: 7", metadata.read_text(), flags=re.MULTILINE))
        told = "found friendshore-sweep 7; expected friendshore-sweep 0"
    with pytest.raises(InputError, match=told):
        plan_scenario(replace(asked, case="again"))
