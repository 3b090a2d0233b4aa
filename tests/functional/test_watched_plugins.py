"""Code of plugins that ends its process, prints, or fails in a list: it is named, never looks like success, and others are listed all the same."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from friendshore.cli.options import STOPPED
from friendshore.errors import PluginError
from friendshore.plugins import Registry
from friendshore.plugins.attribution import running
from friendshore.plugins.loading import data_locations
from friendshore.plugins.processes import ProcessEndedError, WatchedProcesses

from .program import call, here
from .test_lock import CASE, CATALOG
from .test_plugin_edits import CODE, HOUSE_RULE

if TYPE_CHECKING:
    from conftest import Site


def plan_with(site: Site, folder: Path, code: str) -> CompletedProcess[str]:
    """Plan a case that needs a kind of rule of a plugin with some code."""
    files = {"data/rates.csv": "x", **{f"catalog/{name}": text for name, text in CATALOG.items()}}
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n', code=code, files=files)
    (folder / "case.toml").write_text(CASE + HOUSE_RULE)
    return call(["plan", str(folder), "--json"], {**os.environ, "PYTHONPATH": str(site.folder)})


HIDDEN = """
        try:
            os._exit(0)
        except BaseException:
            raise SystemExit(0)"""
RAISED = "failed: its rule `r` of kind `house` raised: SystemExit"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param(CODE.replace("return PASS", "os._exit(0)"), RAISED, id="exit"),
        pytest.param(CODE.replace("return PASS", HIDDEN), RAISED, id="exit that the rule tries to hide"),
        pytest.param(CODE.replace("return PASS", "raise SystemExit(0)"), RAISED, id="system exit"),
        pytest.param(
            f"os._exit(0)\n{CODE}", "cannot be imported: SystemExit", id="exit at import", marks=pytest.mark.deep
        ),
    ],
)
def test_a_plugin_that_ends_the_process_is_no_plan(site: Site, tmp_path: Path, code: str, said: str) -> None:
    """Exit code 3, and one JSON object that names the plugin, whatever exit code it asked for."""
    done = plan_with(site, tmp_path, f"import os\n{code}")
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"].startswith(f"acme-house 1.0 {said}")


@pytest.mark.parametrize(
    ("code", "exit_code", "place"),
    [
        pytest.param("os.abort()", -signal.SIGABRT, '__init__.py", line 2 in <module>', id="crash"),
        pytest.param("raise KeyboardInterrupt", STOPPED, "acme_house: its import", id="Ctrl-C"),
    ],
)
def test_a_plugin_that_kills_the_process_leaves_no_answer(
    site: Site, tmp_path: Path, code: str, exit_code: int, place: str
) -> None:
    done = plan_with(site, tmp_path, f"import os\n{code}")
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert place in done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import atexit; atexit.register(print, '{')",
        "import atexit, os; atexit.register(os._exit, 0)",
        "import os, threading; main = threading.main_thread()\n"
        "threading.Thread(target=lambda: (main.join(), print('{'), os._exit(0))).start()",
    ],
    ids=["prints at exit", "exits at exit", "thread"],
)
def test_code_that_runs_after_the_answer_changes_neither_it_nor_the_exit_code(
    site: Site, tmp_path: Path, code: str
) -> None:
    done = plan_with(site, tmp_path, f"{code}\n{CODE.replace('return PASS', 'return None')}")
    assert done.returncode == 3
    assert [error["code"] for error in json.loads(done.stdout)["errors"]] == ["FS422"]


def test_what_a_rule_prints_is_not_among_the_answers(site: Site, tmp_path: Path) -> None:
    """It goes to stderr."""
    printed = CODE.replace("return PASS", "print(chr(97) * 5); return PASS")
    done = plan_with(site, tmp_path, f"print('imported')\n{printed}")
    assert json.loads(done.stdout)["status"] == "optimal"
    assert "imported" in done.stderr
    assert "aaaaa" in done.stderr


HOOK = """
from pathlib import Path

from friendshore.hookspecs import hookimpl


@hookimpl
def friendshore_{hook}():
    {body}
"""


def test_a_list_tells_every_catalog_whatever_one_plugin_does(site: Site) -> None:
    """A hook that raises, one that hangs, and one that ends its process get a row each with the error."""
    said = {
        "raises": ("raise OSError('no quotes')", "OSError: no quotes"),
        "loops": ("__import__('time').sleep(10**6)", "within 2 s"),
        "ends": ("__import__('os')._exit(0)", "ended its process"),
    }
    for name, (body, _) in said.items():
        code = HOOK.format(hook="catalogs", body=body)
        site.plugin(f"acme-{name}", f'api = 1\nhook_catalogs = ["{name}"]\n', code=code)
    made = HOOK.format(hook="catalogs", body="return [Path(__file__).parent / 'c']")
    files = {f"c/{name}": text for name, text in CATALOG.items()}
    site.plugin("acme-made", 'api = 1\nhook_catalogs = ["acme"]\n', code=made, files=files)
    found = {place.name: place for place in data_locations(Registry.discover(), "catalog", limit=2)}
    assert set(found) == {"acme", *said}
    assert found["acme"].folder == site.folder / "acme_made" / "c"
    for name, (_, words) in said.items():
        assert words in str(found[name].problem)
        assert f"acme-{name} 1.0" in str(found[name].problem)


PACK = """schema = 1
id = "tin-law"
title = "T"
as_of = 2026-11-01
[[rule]]
kind = "origin-ban"
id = "no-cn"
citation = "x"
countries = ["CN"]
stages = ["mined"]
"""


def test_rules_are_listed_though_a_hook_raises(site: Site) -> None:
    """The error stands in the row of the pack that fails."""
    code = HOOK.format(hook="rules", body="raise OSError('gone')")
    site.plugin("acme-law", 'api = 1\nhook_packs = ["law"]\n', code=code)
    site.plugin("acme-tin", 'api = 1\npacks = ["p"]\n', files={"p/pack.toml": PACK})
    done = here("rules", "list", "--json")
    rows = {row["pack"]: row for row in json.loads(done.stdout)["rules"]}
    assert (done.returncode, rows["tin-law"]["id"]) == (0, "no-cn")
    assert "acme-law 1.0 failed in its hook `friendshore_rules`: OSError: gone" in rows["law"]["error"]


def doubled(number: int) -> int:
    """Double a number. Plugin code hangs at 1, ends the process at 2, and is killed at 3; what can't be sent back is raised at 4."""
    with running("acme", "its rule `r`"):
        if number == 1:
            sum(itertools.count())
        if number == 2:
            os._exit(7)
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        raise ValueError(Lock())
    return 2 * number


WRONG = {
    1: (PluginError, r"its rule `r` was still running after 2 s"),
    2: (PluginError, "its rule `r` ended the process with exit code 7"),
    3: (ProcessEndedError, "SIGKILL"),
    4: (RuntimeError, "ValueError: <unlocked"),
}


@pytest.mark.deep
@pytest.mark.parametrize("numbers", [(2, 4), (1, 3, 2, 4)])
def test_whatever_becomes_of_one_the_next_is_done(numbers: Sequence[int]) -> None:
    """Another process takes the place of one that hangs or ended."""
    with WatchedProcesses(1, limit=2) as processes:
        wrong = {number: processes.submit(doubled, number) for number in numbers}
        assert processes.submit(doubled, 5).result() == 10
        for number, future in wrong.items():
            kind, told = WRONG[number]
            with pytest.raises(kind, match=told):
                future.result()
