"""`friendshore plugins check` on plugins written outside the workspace: good ones conform; of a broken one it names the one check, its place and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.functional.depth import few
from tests.functional.sample_plugins import (
    COUNTS,
    RULE,
    TABLES,
    catalog_plugin,
    checked,
    forgotten,
    rule_plugin,
    source,
)
from tests.functional.test_broken_plugins import install
from tests.functional.test_cli import answer, friendshore

__all__ = ["forgotten"]

LIMIT = RULE[RULE.index("    def rows") : RULE.index("@hookimpl")]
"""The verb of the good rule, in whose place each broken rule has its own."""
FORBID = """
    def judge(self, offer, move, use):
        from friendshore.domain.use import PASS, Result, Verdict
        {first}
        if offer.missing or any("CN" in e.countries or not e.complete for e in offer.performed):
            return Verdict(result={result}, rule=self.id, reason="it may be of China")
        return PASS


"""

CHARGE = """
    def charge(self, offer, move, use, origin, value):
        return Decimal(50 if all(len(e.countries) == 1 for e in offer.performed) else 0)


"""


def forbids(result: str = "Result.UNPROVEN", first: str = "pass") -> dict[str, str]:
    """The change that makes the good rule one that forbids what may be Chinese, with a line before it says so."""
    return {"old": LIMIT, "new": FORBID.format(first=first, result=result)}


def says(text: str) -> dict[str, str]:
    """The change that has a row told by other words."""
    return {"old": 'f"No more than {self.most} kg in {label}."', "new": repr(text)}


BY_TURNS = LIMIT.replace("facts):\n", "facts):\n        turn = next(numbers) % 2\n").replace(
    "self.most,", "self.most + turn,"
)
SPANS = 'for label, periods in facts.spans("period"):'
# What is changed of a good rule; the check; the text in its source at whose line it is found (empty: no line is told);
# and words of what is said.
RULES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "product of limits": ({"old": "(bought,)", "new": "(bought * bought,)"}, "linear", "(bought * bought,)", "unsupported operand"),
    "bound by purchases": ({"old": "at_most=self.most", "new": "at_most=bought"}, "linear", "class House", "`at_most` is a BoughtTerm, which depends on the plan"),
    "span of no length": ({"old": 'spans("period")', "new": 'spans("month")'}, "linear", 'spans("month")', "isn't one of period, year, and horizon"),
    "remembers": ({"old": COUNTS, "new": "lambda offer, place: 1 + next(numbers)"}, "pure", "class House", "FS955"),
    "reads the clock": (forbids(first="import time; time.time()"), "pure", "time.time()", "reads the clock"),
    "reads the day": ({"old": SPANS, "new": f"from datetime import date; date.today()\n        {SPANS}"}, "pure", "date.today()", "reads the clock"),
    "answers by turns": ({"old": LIMIT, "new": BY_TURNS}, "pure", "class House", "different rows when called twice"),
    "differs by process": (forbids(first="import os; os.getpid()"), "pure", "os.getpid()", "reads the process"),
    "throws dice": (forbids(first="import random; random.choice([1, 2])"), "pure", "random.choice", "reads random numbers"),
    "reads the environment": (forbids(first="import os; os.environ.get('HOUSE')"), "pure", "os.environ.get", "reads the environment"),
    "reads a file": (forbids(first="open(__file__).close()"), "pure", "open(__file__)", "reads files"),
    "changes what it is shown": (forbids(first="object.__setattr__(offer.offer, 'note', 'seen')"), "pure", "class House", "changes the facts"),
    "changes with the process": ({"old": SPANS, "new": 'for label, periods in sorted(facts.spans("period"), key=lambda s: hash(s[0])):'}, "seeds", "class House", "FS955"),
    "breaks down": (forbids("self.nothing"), "answers", "self.nothing", "AttributeError"),
    "breaks down where nothing is known": (forbids(first="[min(e.countries) for e in offer.performed]"), "gaps", "min(e.countries)", "min() arg is an empty sequence"),
    "breaks down where nothing is offered": ({"old": SPANS, "new": f"facts.offers[0]\n        {SPANS}"}, "gaps", "facts.offers[0]", "IndexError"),
    "ends the program": (forbids(first="raise SystemExit(0)"), "answers", "raise SystemExit(0)", "SystemExit: 0"),
    "speaks for another": ({"old": LIMIT, "new": FORBID.format(first="pass", result="Result.FAIL").replace("self.id", "'other'")}, "answers", "class House", "by the rule `other` instead of its own"),
    "turns into nothing": ({"old": "    most:", "new": "    def in_currency(self, currency, exchange):\n        return None\n\n    most:"}, "answers", "class House", "`in_currency` returned None"),
    "takes no use": ({"old": LIMIT, "new": "    def judge(self, offer, move):\n        return None\n\n\n"}, "answers", "class House", "takes 3 positional arguments"),
    "pays the buyer": ({"old": LIMIT, "new": "    def charge(self, offer, move, use, origin, value):\n        return Decimal(-5)\n\n\n"}, "answers", "class House", "`charge` returned -5"),
    "pays for a miss": ({"old": "at_most=self.most", "new": "at_most=self.most, penalty=Decimal(-1)"}, "linear", "class House", "negative `penalty`"),
    "trusts the unknown": (forbids(first="if not offer.performed: return PASS"), "doubt", "class House", "(without stages) to AU for civil, but returns unproven if it was definitely mined in"),
    "cheap in doubt": ({"old": LIMIT, "new": CHARGE}, "doubt", "class House", ", but 50 if "),
    "takes a mass for a text": ({"old": "    most:", "new": '    cap: str = ""\n    model_config = {"json_schema_extra": {"examples": [{"cap": "5 t"}]}}\n\n    most:'}, "masses", "", "parse_mass"),
    "row that is told nothing": (says("Rule."), "sentence", "class House", "no sentence"),
    "rule that is told nothing": ({"old": "No more than 60 kg are bought in a period.", "new": ""}, "sentence", "class House", "has no sentence"),
}  # fmt: skip


@pytest.mark.parametrize("name", few(RULES, 2, whole=True))
def test_a_broken_rule_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    """One check alone finds it, at the line of the plugin's own code that is to blame, and the exit code is 3."""
    change, check, place, words = RULES[name]
    folder = rule_plugin(tmp_path / name.replace(" ", "-"), **change)
    code, mistakes = checked(folder)
    assert (code, set(mistakes)) == (3, {check}), mistakes
    assert words in mistakes[check]
    (file,) = folder.glob("src/*/__init__.py")
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if place in text)
    assert not place or f'"file": "{file}", "row": {line}' in mistakes[check]


def repeated(folder: Path) -> Path:
    """A plugin with a plant of an installed catalog, whose name is told."""
    plugin = catalog_plugin(folder)
    for file in plugin.glob("src/*/catalog/*.csv"):
        file.write_text(file.read_text().replace("smelter", "gramercy"))
    return plugin


def announcing(manifest: str) -> Callable[[Path], Path]:
    """A good rule beside a manifest that says something else."""
    return lambda folder: source(folder, {}, manifest, RULE)


def wheel(plugin: Path, *without: str) -> Path:
    """The wheel of a plugin as a build backend writes it, short of some of its files."""
    (package,) = (plugin / "src").iterdir()
    file = plugin / f"{package.name}-2.1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as made:
        for path in sorted(package.rglob("*")):
            if path.is_file() and path.name not in without:
                made.write(path, path.relative_to(plugin / "src"))
        info = f"{package.name}-2.1.dist-info"
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 2.1\n")
        made.writestr(f"{info}/entry_points.txt", f"[friendshore]\nacme = {package.name}\n")
    return file


PLUGINS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "another interface": (announcing('api = 99\nkinds = ["house"]\n'), "manifest", "is written for version 99 of the plugin interface"),
    "kind that is missing": (announcing('api = 1\nkinds = ["house", "garden"]\n'), "code", "does not yield garden"),
    "kind that is not announced": (announcing('api = 1\nkinds = ["garden"]\n'), "code", "yields house, which the manifest doesn't announce"),
    "verb of no subject": (lambda folder: rule_plugin(folder, "    most:", '    judge_scope: __import__("typing").ClassVar[str] = "moon"\n    most:'), "code", "FS423"),
    "folder that is missing": (announcing('api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n'), "manifest", "`catalog` has no catalog.toml"),
    "unknown key": (announcing('api = 1\nkind = ["house"]\n'), "manifest", "did you mean `kinds`"),
    "plant of another catalog": (repeated, "clashes", 'facilities.csv", "row": 2, "column": "id"'),
    "wheel without its catalog": (lambda folder: wheel(catalog_plugin(folder), *TABLES), "manifest", "`catalog` has no catalog.toml"),
    "wheel without its sources": (lambda folder: wheel(catalog_plugin(folder), "sources.csv"), "read", "the catalog has no sources.csv"),
    "wheel without its manifest": (lambda folder: wheel(catalog_plugin(folder), "friendshore.toml"), "manifest", "friendshore.toml"),
    "wheel without its code": (lambda folder: wheel(rule_plugin(folder), "__init__.py"), "code", "it has no hook `friendshore_rules`"),
}  # fmt: skip


@pytest.mark.parametrize("name", few(PLUGINS, 1, whole=True))
def test_a_broken_plugin_is_told_what_it_lacks(tmp_path: Path, name: str) -> None:
    """One check alone finds it, and says what to do."""
    make, check, words = PLUGINS[name]
    code, mistakes = checked(make(tmp_path / name.replace(" ", "-")))
    assert (code, set(mistakes)) == (3, {check}), mistakes
    assert words in mistakes[check]
    assert '"fix": "' in mistakes[check]


@pytest.mark.deep
def test_what_a_plugin_prints_is_in_no_answer(tmp_path: Path) -> None:
    """Its code prints when it is imported and when it is asked; the one JSON object on stdout stays whole."""
    noisy = rule_plugin(tmp_path / "noisy", SPANS, f"print('asked')\n        {SPANS}")
    (file,) = noisy.glob("src/*/__init__.py")
    file.write_text("print('imported')\n" + file.read_text())
    assert checked(noisy) == (0, {})


@pytest.mark.deep
def test_wheels_are_checked_before_they_are_installed(tmp_path: Path) -> None:
    """With what will be installed of them; of several, as `dist/*.whl`, each has its own checks, and a mistake in any of them is one."""
    whole = wheel(catalog_plugin(tmp_path / "whole-one"))
    assert checked(wheel(rule_plugin(tmp_path / "whole-rule"))) == checked(whole) == (0, {})
    short = wheel(rule_plugin(tmp_path / "short-one"), "__init__.py")
    done = friendshore("plugins", "check", whole, short, "--json")
    found = answer(done)["checks"]
    assert done.returncode == 3
    assert {c["subject"] for c in found if c["result"] == "mistake"} == {"plugin `acme_short_one`"}
    assert "plugin `acme_whole_one`" in {c["subject"] for c in found}


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that only has the name of a wheel is told so."""
    (tmp_path / "acme-1.0-py3-none-any.whl").write_bytes(content)
    done = friendshore("plugins", "check", tmp_path / "acme-1.0-py3-none-any.whl")
    assert (done.returncode, "is not a wheel" in done.stderr) == (2, True)


def test_a_catalog_that_is_in_no_plugin_is_checked_too(tmp_path: Path) -> None:
    """A folder beside a case is looked at like a plugin's, and file, line and way out are told."""
    plugin = catalog_plugin(tmp_path / "bare", chain=("tin-au,mined,AU,yes,quote\n", ""))
    done = friendshore("plugins", "check", plugin / "src" / "acme_bare" / "catalog", "--json")
    assert done.returncode == 3
    (mistake,) = [check for check in answer(done)["checks"] if check["result"] == "mistake"]
    (found,) = mistake["problems"]
    place = (Path(found["file"]).name, found["row"], found["column"])
    assert (found["code"], *place) == ("FS950", "chain.csv", 2, "stage")
    assert found["fix"]


PACK = """schema = 1
id = "tin-law"
title = "Tin"
as_of = 2026-11-01
rule = [{ kind = "origin-ban", id = "no-cn-tin", title = "No tin refined in China.", citation = "Tin Act s. 1", source = "a text",
          elements = ["Ga"], stages = ["refined"], countries = ["CN"], end_uses = ["defense"] }]
""".replace("\n          ", " ")
VECTORS = """schema = 1
[[vector]]
id = "cn"
why = "Refined in China."
use = { material = "gallium-metal-4n" }
offer = { country = "CN", chain = { mined = "CN", refined = "CN" } }
delivered = 2027-01-01
expect = "fail"
"""


deep = partial(pytest.param, marks=pytest.mark.deep)
WRONG = VECTORS.replace('"fail"', '"pass"')


@pytest.mark.parametrize(
    ("pack", "vectors", "check", "words"),
    [
        deep(PACK, VECTORS, "", ""),
        deep(PACK, "", "vectors", "FS957"),
        (PACK.replace('source = "a text", ', ""), WRONG, "citations vectors", "FS950; FS957"),
        (PACK.replace("origin-ban", "orign-ban"), VECTORS, "read", "did you mean"),
        deep(PACK.replace('title = "Tin"', ""), VECTORS, "read", "FS002"),
        deep(PACK, VECTORS.replace('why = "Refined in China."', ""), "citations", "FS957"),
        deep(PACK, VECTORS.replace("delivered", "deliverd"), "vectors", "did you mean `delivered`"),
    ],
)  # fmt: skip
def test_a_pack_folder_is_checked(tmp_path: Path, pack: str, vectors: str, check: str, words: str) -> None:
    """A good pack conforms; one without examples, reasons or sources, or with a wrong example, does not."""
    (tmp_path / "pack.toml").write_text(pack)
    if vectors:
        (tmp_path / "vectors.toml").write_text(vectors)
    code, mistakes = checked(tmp_path)
    assert set(mistakes) == set(check.split()), mistakes
    assert code == (3 if check else 0)
    assert all(said in "".join(mistakes.values()) for said in words.split("; "))


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
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Twenty installed plugins, of which one hangs when it is imported, one raises, and one ends the process."""
    site = tmp_path_factory.mktemp("site")
    code = {3: "import time\ntime.sleep(1000)\n", 7: "1 / 0\n", 11: "import os\nos._exit(9)\n"}
    for number in range(20):
        kind = f"house-{number}"
        body = code.get(number, RULE.replace("house", kind))
        install(site, f"crowd-{number:02d}", f'api = 1\nkinds = ["{kind}"]\n', body)
    return {"PYTHONPATH": str(site)}


def test_listing_and_help_work_beside_plugins_that_hang(crowd: Mapping[str, str]) -> None:
    """Nothing of twenty plugins is run to show help, to list them, or to show one that hangs."""
    assert friendshore("--help", env=crowd).returncode == 0
    listed = answer(friendshore("plugins", "list", "--json", env=crowd))["plugins"]
    assert sum(plugin["distribution"].startswith("crowd-") for plugin in listed) == 20
    assert "house-3" in friendshore("plugins", "show", "crowd-03", env=crowd).stdout


@pytest.mark.nightly
def test_loading_all_tells_which_hang_raise_or_end(crowd: Mapping[str, str]) -> None:
    """Each is imported in a process of its own: time for the sound ones, what is wrong for the others; not those ruled out."""
    block = ",".join(f"crowd-{number:02d}" for number in range(12, 20))
    done = friendshore(
        "plugins", "list", "--load", "--limit", "20", "--json", env={**crowd, "FRIENDSHORE_BLOCK": block}
    )
    assert done.returncode == 0, done.stderr
    found = {plugin["distribution"]: plugin for plugin in answer(done)["plugins"]}
    wrong = {name for name, plugin in found.items() if name.startswith("crowd-") and plugin.get("import_error")}
    assert wrong == {"crowd-03", "crowd-07", "crowd-11"}
    assert "did not finish its import within" in found["crowd-03"]["import_error"]
    ends = {number: found[f"crowd-{number:02d}"]["imported"] for number in (3, 7, 11, 12)}
    assert ends == {3: "hung", 7: "failed", 11: "ended the process", 12: "not imported"}
    assert "ZeroDivisionError" in found["crowd-07"]["import_error"]
    assert "exit code 9" in found["crowd-11"]["import_error"]
    assert found["crowd-00"]["seconds"] > 0
    assert "seconds" not in found["crowd-12"]


def test_checking_a_plugin_that_raises_says_so(crowd: Mapping[str, str]) -> None:
    """The check of its code finds it, and nothing else is tried."""
    done = friendshore("plugins", "check", "crowd-07", "--json", env=crowd)
    assert done.returncode == 3
    assert [check["check"] for check in answer(done)["checks"] if check["problems"]] == ["code"]
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
    for words in ("catalog-acme-tin-stages", "FS950", "1 failed"):
        assert words in done.stdout
