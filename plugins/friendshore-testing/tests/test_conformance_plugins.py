"""`friendshore plugins check` on plugins written outside the workspace: good ones conform, and each broken one is told what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .made_plugins import RULE, catalog_plugin, checked, forgotten, rule_plugin
    from .program import call
else:
    from tests.functional.made_plugins import RULE, catalog_plugin, checked, forgotten, rule_plugin
    from tests.functional.program import call

__all__ = ["forgotten"]


def friendshore(*arguments: object, site: Path | None = None, block: str = "") -> subprocess.CompletedProcess[str]:
    """The command line as a program of its own, with a folder of installed plugins beside what is installed."""
    path = os.pathsep.join(filter(None, [str(site or ""), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "FRIENDSHORE_BLOCK": block, "COLUMNS": "100"}
    done = call([*map(str, arguments)], environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.nightly
def test_a_good_rule_plugin_conforms(tmp_path: Path) -> None:
    """A kind of rule that keeps to the rules is tried in made-up cases, and nothing is found."""
    done = friendshore("plugins", "check", rule_plugin(tmp_path / "good-rule"))
    assert done.returncode == 0, done.stdout
    assert "conforms: no mistake" in done.stdout
    assert "kind of rule `house`" in done.stdout


def test_a_good_catalog_plugin_conforms(tmp_path: Path) -> None:
    """A catalog that is complete, founded and of the right order passes."""
    code, mistakes = checked(catalog_plugin(tmp_path / "good-catalog"))
    assert (code, mistakes) == (0, {})


def test_a_catalog_that_is_in_no_plugin_is_checked_too(tmp_path: Path) -> None:
    """A folder beside a case is looked at like a plugin's, and file, line and way out are told."""
    plugin = catalog_plugin(tmp_path / "bare", chain=("tin-au,mined,AU,yes,quote\n", ""))
    done = friendshore("plugins", "check", plugin / "src" / "acme_bare" / "catalog", "--json")
    assert done.returncode == 3
    (mistake,) = [check for check in json.loads(done.stdout)["checks"] if check["result"] == "mistake"]
    (found,) = mistake["found"]
    assert found["message"] == "offer `tin-au` says nothing of the stage mined"
    assert (Path(found["file"]).name, found["row"], found["column"]) == ("chain.csv", 2, "stage")
    assert found["fix"] == "add the row; leave `countries` blank where nobody knows"


PACK = """
schema = 1
id = "tin-law"
title = "Tin"
as_of = 2026-11-01
[[rule]]
kind = "origin-ban"
id = "no-cn-tin"
title = "No tin refined in China."
citation = "Tin Act s. 1"
source = "a text"
elements = ["Ga"]
stages = ["refined"]
countries = ["CN"]
end_uses = ["defense"]
"""
VECTORS = """
schema = 1
[[vector]]
id = "cn"
why = "Refined in China."
use = { material = "gallium-metal-4n" }
offer = { country = "CN", chain = { mined = "CN", refined = "CN" } }
delivered = 2027-01-01
expect = "fail"
"""


deep = partial(pytest.param, marks=pytest.mark.deep)


@pytest.mark.parametrize(
    ("pack", "vectors", "check", "words"),
    [
        deep(PACK, VECTORS, "", ""),
        deep(PACK, "", "vectors", "there is no vectors.toml"),
        (
            PACK.replace('source = "a text"', ""),
            VECTORS.replace('"fail"', '"pass"'),
            "citations vectors",
            "has no source; expected verdict pass, got fail",
        ),
        deep(PACK, VECTORS.replace('"fail"', '"pass"'), "vectors", "expected verdict pass, got fail"),
        deep(PACK.replace('source = "a text"', ""), VECTORS, "citations", "has no source"),
        (PACK.replace("origin-ban", "orign-ban"), VECTORS, "read", "did you mean"),
        deep(PACK.replace('title = "Tin"', ""), VECTORS, "read", "a needed key is missing"),
        deep(PACK, VECTORS.replace('why = "Refined in China."', ""), "citations", "neither reason nor citation"),
        deep(PACK, VECTORS.replace("delivered", "deliverd"), "vectors", "did you mean `delivered`"),
    ],
)
def test_a_pack_folder_is_checked(tmp_path: Path, pack: str, vectors: str, check: str, words: str) -> None:
    """A good pack conforms; one without examples, reasons or sources, or with a wrong example, does not."""
    (tmp_path / "pack.toml").write_text(pack)
    if vectors:
        (tmp_path / "vectors.toml").write_text(vectors)
    code, mistakes = checked(tmp_path)
    assert set(mistakes) == set(check.split()), mistakes
    assert code == (3 if check else 0)
    assert all(said in "".join(mistakes.values()) for said in words.split("; "))


@pytest.mark.parametrize("subject", ["nowhere", "./nowhere", "."])
def test_what_cannot_be_checked_is_refused(tmp_path: Path, subject: str) -> None:
    """A name that nobody has, and a folder that is none of the three, are told with what would do."""
    done = friendshore("plugins", "check", tmp_path if subject == "." else subject)
    assert done.returncode in (2, 3)
    assert done.stderr.strip()


@pytest.mark.deep
def test_kinds_that_cannot_be_made_want_an_example(tmp_path: Path) -> None:
    """A kind with needed fields is tried by the examples in its schema, and says so where it has none."""
    needed = ("most: Decimal = Decimal(60)", "most: Decimal")
    code, mistakes = checked(rule_plugin(tmp_path / "needy", *needed))
    assert (code, set(mistakes)) == (3, {"made"})
    assert "json_schema_extra" in mistakes["made"]
    example = 'most: Decimal\n    model_config = {"json_schema_extra": {"examples": [{"most": 60}]}}'
    assert checked(rule_plugin(tmp_path / "shown", needed[0], example)) == (0, {})


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty installed plugins, of which one hangs when it is imported, one raises, and one ends the process."""
    site = tmp_path_factory.mktemp("site")
    code = {3: "import time\ntime.sleep(1000)\n", 7: "1 / 0\n", 11: "import os\nos._exit(9)\n"}
    for number in range(20):
        package = site / f"crowd_{number:02d}"
        info = site / f"{package.name}-1.0.dist-info"
        package.mkdir()
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: crowd-{number:02d}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[friendshore]\ncrowd-{number:02d} = {package.name}\n")
        (package / "__init__.py").write_text(
            code.get(number, textwrap.dedent(RULE).replace("house", f"house-{number}"))
        )
        (package / "friendshore.toml").write_text(f'api = 1\nkinds = ["house-{number}"]\n')
    return site


def test_listing_and_help_work_beside_plugins_that_hang(crowd: Path) -> None:
    """Nothing of twenty plugins is run to show help, to list them, or to show one that hangs."""
    assert friendshore("--help", site=crowd).returncode == 0
    listed = friendshore("plugins", "list", "--json", site=crowd)
    assert listed.returncode == 0
    assert sum(plugin["distribution"].startswith("crowd-") for plugin in json.loads(listed.stdout)["plugins"]) == 20
    shown = friendshore("plugins", "show", "crowd-03", site=crowd)
    assert shown.returncode == 0
    assert "house-3" in shown.stdout


@pytest.mark.nightly
def test_loading_all_tells_which_hang_raise_or_end(crowd: Path) -> None:
    """Each is imported in a process of its own: time for the sound ones, what is wrong for the others; not those ruled out."""
    block = ",".join(f"crowd-{number:02d}" for number in range(12, 20))
    done = friendshore("plugins", "list", "--load", "--limit", "20", "--json", site=crowd, block=block)
    assert done.returncode == 0, done.stderr
    found = {plugin["distribution"]: plugin for plugin in json.loads(done.stdout)["plugins"]}
    wrong = {name for name, plugin in found.items() if name.startswith("crowd-") and plugin.get("import_error")}
    assert wrong == {"crowd-03", "crowd-07", "crowd-11"}
    assert "was not imported within 20 s" in found["crowd-03"]["import_error"]
    ends = {number: found[f"crowd-{number:02d}"]["imported"] for number in (3, 7, 11, 12)}
    assert ends == {3: "hung", 7: "failed", 11: "ended the process", 12: "not tried"}
    assert "ZeroDivisionError" in found["crowd-07"]["import_error"]
    assert "exit code 9" in found["crowd-11"]["import_error"]
    assert found["crowd-00"]["seconds"] > 0
    assert "seconds" not in found["crowd-12"]


def test_checking_a_plugin_that_raises_says_so(crowd: Path) -> None:
    """The check of its code finds it, and nothing else is tried."""
    done = friendshore("plugins", "check", "crowd-07", "--json", site=crowd)
    assert done.returncode == 3
    answer = json.loads(done.stdout)
    assert [check["check"] for check in answer["checks"] if check["found"]] == ["code"]
    assert "ZeroDivisionError" in done.stdout


TEST = """
from pathlib import Path

import pytest

from friendshore_testing import checks_of


@pytest.mark.parametrize("check", checks_of(Path(__file__).parents[1]), ids=str)
def test_conforms(check):
    check.require()
"""


@pytest.mark.deep
def test_the_kit_runs_in_pytest(tmp_path: Path) -> None:
    """An author's own test, and the plugin for pytest on request, run each check as a test and name the one that fails."""
    good = catalog_plugin(tmp_path / "sound")
    (good / "tests").mkdir()
    (good / "tests" / "test_it.py").write_text(TEST)
    bad = catalog_plugin(tmp_path / "unsound", chain=("tin-au,mined,AU,yes,quote\n", ""))
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    own = subprocess.run([*pytest_, "-c", os.devnull, "tests"], cwd=good, capture_output=True, text=True, check=False)
    assert own.returncode == 0, own.stdout
    asked = [*pytest_, "-c", os.devnull, "-p", "friendshore_testing.pytest_plugin", "--friendshore", "."]
    done = subprocess.run(asked, cwd=bad, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "catalog-acme-tin-stages" in done.stdout
    assert "says nothing of the stage mined" in done.stdout
    assert "1 failed" in done.stdout
