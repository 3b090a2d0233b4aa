"""Code of plugins that hangs, ends its process, swallows Ctrl-C or leaves things behind: it is ended and named, and others are told all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from friendshore.case import load_case
from friendshore.cli import app
from friendshore.errors import PluginError
from friendshore.plugins import Registry
from friendshore.plugins.loading import places
from friendshore.problem.judging import Law
from friendshore.recommend import plan, verdicts, verify_run
from friendshore.recommend.reopen import reopen
from friendshore.run import write_run

from .program import call
from .test_lock import CASE, CATALOG
from .test_plugin_edits import CODE, HOUSE_RULE

if TYPE_CHECKING:
    from conftest import Site

PATIENCE = 120.0
"""Seconds after which a program that does not end is a failure; nothing is asserted about how long it takes."""
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot split a process")

PROGRAM = """
import sys

import acme_house
from friendshore.errors import FriendshoreError
from friendshore.plugins import watching
from friendshore.plugins.running import running

watching.start()
code = 0
try:
    with running("acme_house", "its rule `r` of kind `house`"):
        acme_house.judge()
    print("answered", flush=True)
except FriendshoreError as error:
    print(error)
    code = error.exit_code
except KeyboardInterrupt:
    code = 130
watching.finish(code)
sys.exit(code)
"""
"""What the command line does around code of a plugin, and nothing else."""
HANGS = {
    "loop": ("while True:\n        pass", 4),
    "loop that catches everything": (
        "while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass",
        6,
    ),
    "loop that Python does not see": ("sum(itertools.count())", 3),
}
ENDS = {
    "exit": ("os._exit(0)", "with exit code 0"),
    "exit that Python does not see": ("ctypes.CDLL(None)._exit(0)", "with exit code 0"),
    "crash": ("os.kill(os.getpid(), signal.SIGSEGV)", "with signal SIGSEGV"),
}


def program(folder: Path, body: str, limit: str) -> subprocess.Popen[str]:
    """A program that asks a plugin for something."""
    (folder / "acme_house.py").write_text(
        f"import ctypes, itertools, os, signal, threading, time\ndef judge():\n    {body}\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder), "FRIENDSHORE_PLUGIN_LIMIT": limit}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    "how", ["loop that Python does not see", *(pytest.param(h, marks=pytest.mark.deep) for h in list(HANGS)[:2])]
)
def test_code_that_hangs_is_ended_with_file_and_line(tmp_path: Path, how: str) -> None:
    """Whatever it does meanwhile: exit code 3, and whose rule stood where."""
    body, line = HANGS[how]
    with program(tmp_path, body, "0.5") as done:
        out, _ = done.communicate(timeout=PATIENCE)
    assert done.returncode == 3
    assert f"{tmp_path / 'acme_house.py'}:" in out
    assert int(out.partition("acme_house.py:")[2].partition(":")[0]) <= line
    assert "its rule `r` of kind `house` had not come to its end after 0.5 s" in out


@pytest.mark.deep
def test_code_that_hangs_between_things_that_are_done_for_it_is_ended(tmp_path: Path) -> None:
    """While friendshore carries out what a question asks for, that takes its time; what the question does with each is the plugin's again."""
    body = (
        "from collections import deque\n    from types import SimpleNamespace\n    from friendshore.plugins.running import resting\n"
        "    with resting():\n        from friendshore.questions.pools import carried_out, here\n"
        "    task = SimpleNamespace(number=0, limit=None)\n"
        "    for _ in carried_out(here(1, 1), lambda *_: None, lambda _: [task], deque(), lambda: False):\n"
        "        sum(itertools.count())"
    )
    with program(tmp_path, body, "0.5") as done:
        out, _ = done.communicate(timeout=PATIENCE)
    assert done.returncode == 3
    assert "acme_house.py:10" in out


@pytest.mark.deep
def test_a_time_limit_that_is_said_once_code_of_plugins_runs_already_holds_for_it(tmp_path: Path) -> None:
    """A command that a plugin brings is its code: it runs before the options of the command are read."""
    body = "from friendshore.plugins import watching\n    watching.LEAST = 0.5\n    watching.limited(0.5)\n    sum(itertools.count())"
    with program(tmp_path, body, "") as done:
        out, _ = done.communicate(timeout=PATIENCE)
    assert done.returncode == 3
    assert "had not come to its end after 0.5 s" in out


@pytest.mark.parametrize(
    "how", ["exit that Python does not see", *(pytest.param(h, marks=pytest.mark.deep) for h in ("exit", "crash"))]
)
def test_code_that_ends_the_process_is_named(tmp_path: Path, how: str) -> None:
    """It does not pass for a finished work, whatever exit code it gives."""
    body, said = ENDS[how]
    with program(tmp_path, body, "60") as done:
        out, _ = done.communicate(timeout=PATIENCE)
    assert done.returncode == 3
    assert f"its rule `r` of kind `house` ended the process {said}" in out
    assert str(tmp_path / "acme_house.py") in out


def test_the_first_ctrl_c_ends_code_that_does_not_hear_it(tmp_path: Path) -> None:
    """One press: exit code 130, and where it stood."""
    body = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n    os.write(2, b'begun\\n')\n    while True:\n        time.sleep(1)"
    with program(tmp_path, body, "1000") as done:
        assert done.stderr is not None
        assert done.stderr.readline() == "begun\n"
        done.send_signal(signal.SIGINT)
        _, told = done.communicate(timeout=PATIENCE)
    assert done.returncode == 130
    assert f"{tmp_path / 'acme_house.py'}:6" in told
    assert "its rule `r` of kind `house` was running when Ctrl-C ended it" in told


@pytest.mark.deep
def test_threads_left_behind_and_prints_harm_nothing(tmp_path: Path) -> None:
    """A thread that never ends keeps no command alive, and what is printed, by whatever way, never gets among the answers."""
    body = "threading.Thread(target=time.sleep, args=(10**6,)).start()\n    os.write(1, b'raw')\n    os.system('echo more')"
    with program(tmp_path, body, "60") as done:
        out, told = done.communicate(timeout=PATIENCE)
    assert (done.returncode, out) == (0, "answered\n")
    assert "raw" in told
    assert "more" in told


def test_exit_at_import_is_no_plan(site: Site, tmp_path: Path) -> None:
    """`os._exit(0)` when a plugin is imported: exit code 3, one JSON object that says whose it is."""
    case(site, tmp_path, f"import os\nos._exit(0)\n{CODE}")
    done = call(["plan", str(tmp_path), "--json"], {**os.environ, "PYTHONPATH": str(site.folder)})
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"].startswith("acme-house 1.0: its import ended the process with exit code 0")


def case(site: Site, folder: Path, code: str) -> None:
    """A case that needs a plugin's kind of rule, and the plugin."""
    files = {f"catalog/{name}": text for name, text in CATALOG.items()}
    site.plugin(
        "acme-house",
        'api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n',
        code=code,
        files={**files, "data/rates.csv": "x"},
    )
    (folder / "case.toml").write_text(CASE + HOUSE_RULE)


HOOK = """
from pathlib import Path

from friendshore.hookspecs import hookimpl


@hookimpl
def friendshore_{hook}():
    {body}
"""


def test_a_list_tells_every_catalog_whatever_one_plugin_does(site: Site) -> None:
    """A hook that raises, one that loops, one that ends its process: a row each with its error; those of others as ever."""
    bodies = {
        "raises": "raise OSError('no quotes')",
        "loops": "__import__('time').sleep(10**6)",
        "ends": "__import__('os')._exit(0)",
    }
    for name, body in bodies.items():
        site.plugin(
            f"acme-{name}", f'api = 1\nhook_catalogs = ["{name}"]\n', code=HOOK.format(hook="catalogs", body=body)
        )
    made = HOOK.format(hook="catalogs", body="return [Path(__file__).parent / 'c']")
    files = {f"c/{name}": text for name, text in CATALOG.items()}
    site.plugin("acme-made", 'api = 1\nhook_catalogs = ["acme"]\n', code=made, files=files)
    found = {place.name: place for place in places(Registry.discover(), "catalog", limit=2)}
    assert set(found) == {"acme", *bodies}
    assert found["acme"].folder == site.folder / "acme_made" / "c"
    for name, said in {"raises": "OSError: no quotes", "loops": "within 2 s", "ends": "ended the process"}.items():
        assert said in str(found[name].problem)
        assert f"acme-{name} 1.0" in str(found[name].problem)


def test_rules_and_catalogs_are_listed_though_a_hook_raises(site: Site) -> None:
    """`rules list` and `catalogs list`: exit code 0, with the error in the row of the one that fails."""
    site.plugin(
        "acme-law", 'api = 1\nhook_packs = ["law"]\n', code=HOOK.format(hook="rules", body="raise OSError('gone')")
    )
    site.plugin(
        "acme-tin",
        'api = 1\npacks = ["p"]\n',
        files={
            "p/pack.toml": 'schema = 1\nid = "tin-law"\ntitle = "T"\nas_of = 2026-11-01\n[[rule]]\nkind = "origin-ban"\nid = "no-cn"\ncitation = "x"\ncountries = ["CN"]\nstages = ["mined"]\n'
        },
    )
    done = CliRunner().invoke(app, ["rules", "list", "--json"])
    rows = {row["pack"]: row for row in json.loads(done.stdout)["rules"]}
    assert (done.exit_code, rows["tin-law"]["id"]) == (0, "no-cn")
    assert "acme-law 1.0 failed in its hook `friendshore_rules`: OSError: gone" in rows["law"]["error"]


PATCH = "import friendshore.problem.judging as judging\njudging.Law.forbids = lambda *_: False"


def test_a_plugin_that_changes_friendshore_when_imported_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What decides is told by name, and no plan is made."""
    monkeypatch.setattr(Law, "forbids", Law.forbids)  # so that it is put back
    case(site, tmp_path, f"{PATCH}\n{CODE}")
    with pytest.raises(
        PluginError,
        match=r"acme-house 1\.0 changes code that is not its own: `friendshore\.problem\.judging\.Law\.forbids`",
    ):
        plan(load_case(tmp_path), registry=Registry.discover())


def test_a_rule_that_changes_facts_when_asked_is_refused(site: Site, tmp_path: Path) -> None:
    """A parent company written into a facility would pass every later question about who owns it."""
    meddling = "        offer.facility.__dict__['parent'] = 'somebody'\n        return PASS"
    case(site, tmp_path, CODE.replace("        return PASS", meddling))
    told = r"facts were changed by code of a plugin while rules .*acme-house 1\.0"
    with pytest.raises(PluginError, match=told):
        plan(load_case(tmp_path), registry=Registry.discover())
    with pytest.raises(PluginError, match=told):
        reopen(tmp_path, registry=Registry.discover())


def test_a_rule_that_changes_friendshore_when_asked_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, as late as that."""
    monkeypatch.setattr(Law, "forbids", Law.forbids)
    late = "\n".join(f"        {line}" for line in PATCH.splitlines())
    case(site, tmp_path, CODE.replace("        return PASS", f"{late}\n        return PASS"))
    with pytest.raises(PluginError, match=r"acme-house 1\.0 changes code that is not its own: .*Law\.forbids"):
        plan(load_case(tmp_path), registry=Registry.discover())


def test_a_plugin_that_takes_itself_from_the_modules_is_named(site: Site, tmp_path: Path) -> None:
    """Whose code ran is kept by friendshore, not by what the plugin leaves behind."""
    hide = "        import sys\n        sys.modules.pop('acme_house', None)\n        return PASS"
    case(site, tmp_path, CODE.replace("        return PASS", hide))
    found = plan(load_case(tmp_path), registry=Registry.discover())
    write_run(tmp_path / "run", found.run, found.facts(), verdicts(found.plan))
    (named,) = (text for text in verify_run(tmp_path / "run", Registry.discover()).unvouched if "unseen" in text)
    assert "acme-house 1.0" in named


def test_an_object_of_a_plugin_in_the_place_of_a_function_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is called need not be a function: an object of the plugin's class decides as well."""
    monkeypatch.setattr(Law, "forbids", Law.forbids)
    quiet = "class Quiet:\n    def __call__(self, *_):\n        return False\n"
    late = "        import friendshore.problem.judging as judging\n        judging.Law.forbids = Quiet()\n        return PASS"
    case(site, tmp_path, quiet + CODE.replace("        return PASS", late))
    with pytest.raises(PluginError, match=r"acme-house 1\.0 changes code that is not its own: .*Law\.forbids"):
        plan(load_case(tmp_path), registry=Registry.discover())
