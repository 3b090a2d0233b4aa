"""Plugins that are broken in one thing each: `plugins check` names the one check, its place and what to do, and nothing else."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from friendshore.cli import app

if TYPE_CHECKING:
    from .depth import few
    from .made_plugins import COUNTS, RULE, TABLES, catalog_plugin, checked, forgotten, rule_plugin, source
else:
    from tests.functional.depth import few
    from tests.functional.made_plugins import (
        COUNTS,
        RULE,
        TABLES,
        catalog_plugin,
        checked,
        forgotten,
        rule_plugin,
        source,
    )

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


SPANS = 'for label, periods in facts.spans("period"):'
# What is changed of a good rule; the check; the text in its source at whose line it is found (the class, if that is where);
# and words of what is said.
RULES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "product of limits": ({"old": "(bought,)", "new": "(bought * bought,)"}, "linear", "(bought * bought,)", "unsupported operand"),
    "bound by purchases": ({"old": "at_most=self.most", "new": "at_most=bought"}, "linear", "class House", "`at_most` is what is bought in the plan"),
    "span of no length": ({"old": 'spans("period")', "new": 'spans("month")'}, "linear", 'spans("month")', "there are no stretches of a month"),
    "remembers": ({"old": COUNTS, "new": "lambda offer, place: 1 + next(numbers)"}, "pure", "class House", "other rows"),
    "reads the clock": (forbids(first="import time; time.time()"), "pure", "time.time()", "it reads the clock"),
    "reads the day": ({"old": SPANS, "new": f"from datetime import date; date.today()\n        {SPANS}"}, "pure", "date.today()", "it reads the clock"),
    "throws dice": (forbids(first="import random; random.choice([1, 2])"), "pure", "random.choice", "it reads dice"),
    "reads the environment": (forbids(first="import os; os.environ.get('HOUSE')"), "pure", "os.environ.get", "it reads the environment"),
    "reads a file": (forbids(first="open(__file__).close()"), "pure", "open(__file__)", "it reads files"),
    "changes what it is shown": (forbids(first="object.__setattr__(offer.offer, 'note', 'seen')"), "pure", "class House", "it changes what it is shown"),
    "changes with the order": ({"old": COUNTS, "new": "lambda offer, place: int(offer is facts.offers[0])"}, "order", "class House", "change with the order"),
    "changes with the process": ({"old": SPANS, "new": 'for label, periods in sorted(facts.spans("period"), key=lambda s: hash(s[0])):'}, "seeds", "class House", "in another process"),
    "breaks down": (forbids("self.nothing"), "answers", "self.nothing", "AttributeError"),
    "breaks down where nothing is known": (forbids(first="[min(e.countries) for e in offer.performed]"), "gaps", "min(e.countries)", "min() arg is an empty sequence"),
    "breaks down where nothing is offered": ({"old": SPANS, "new": f"facts.offers[0]\n        {SPANS}"}, "gaps", "facts.offers[0]", "IndexError"),
    "answers nothing": ({"old": LIMIT, "new": "    def judge(self, offer, move, use):\n        return None\n\n\n"}, "answers", "class House", "`judge` answers None, no verdict"),
    "ends the program": (forbids(first="raise SystemExit(0)"), "answers", "raise SystemExit(0)", "SystemExit: 0"),
    "speaks for another": ({"old": LIMIT, "new": FORBID.format(first="pass", result="Result.FAIL").replace("self.id", "'other'")}, "answers", "class House", "by the rule `other`, not its own"),
    "turns into nothing": ({"old": "    most:", "new": "    def in_currency(self, currency, exchange):\n        return None\n\n    most:"}, "answers", "class House", "`in_currency` answers None"),
    "sentence of no text": ({"old": "    most:", "new": "    def sentence(self):\n        return 17\n\n    most:"}, "sentence", "class House", "`sentence` answers 17, no text"),
    "takes no use": ({"old": LIMIT, "new": "    def judge(self, offer, move):\n        return None\n\n\n"}, "answers", "class House", "takes 3 positional arguments"),
    "pays the buyer": ({"old": LIMIT, "new": "    def charge(self, offer, move, use, origin, value):\n        return Decimal(-5)\n\n\n"}, "answers", "class House", "`charge` answers -5"),
    "pays for a miss": ({"old": "at_most=self.most", "new": "at_most=self.most, penalty=Decimal(-1)"}, "linear", "class House", "it pays for being missed"),
    "trusts the unknown": (forbids(first="if not offer.performed: return PASS"), "doubt", "class House", "(nothing said of its stages) to AU for civil, and says unproven where mined was surely in"),
    "cheap in doubt": ({"old": LIMIT, "new": CHARGE}, "doubt", "class House", ", and 50 where "),
    "row without a sentence": (says(""), "sentence", "class House", "has no sentence"),
    "row that is told nothing": (says("Rule."), "sentence", "class House", "no sentence"),
    "rule that is told nothing": ({"old": "No more than 60 kg are bought in a period.", "new": ""}, "sentence", "class House", "is not told in a sentence"),
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
    assert f'"file": "{file}", "row": {line}' in mistakes[check]


# The table that is changed, from what to what; the check; file, line and column; and words of what is said.
CATALOGS: dict[str, tuple[dict[str, tuple[str, str]], str, str, str]] = {
    "missing stage": ({"chain": ("tin-au,mined,AU,yes,quote\n", "")}, "stages", "chain.csv:2 [stage]", "says nothing of the stage mined"),
    "mass without a unit": ({"capacity": ("100 t/year", "100")}, "read", "capacity.csv:2 [per_year]", "a number with a unit"),
    "price for no mass": ({"offers": ("30 USD/kg", "30 USD")}, "read", "offers.csv:2 [price]", "money per mass"),
    "oxide for contained": ({"offers": ("30 USD/kg", "30 USD/kg SnO2")}, "read", "offers.csv:2 [price]", "how much Sn is in a kilogram of SnO2"),
    "unit of another metal": ({"offers": ("30 USD/kg", "300 USD/mtu")}, "read", "offers.csv:2 [price]", "cannot be converted to the basis of `tin`"),
    "per tonne for per kilogram": ({"offers": ("30 USD/kg", "33000 USD/kg")}, "prices", "offers.csv:2 [price]", "1,000 times dearer"),
    "per kilogram for per tonne": ({"offers": ("30 USD/kg", "33 USD/t")}, "prices", "offers.csv:2 [price]", "1,000 times cheaper"),
    "figure without a source": ({"capacity": ("operating,quote", "operating,")}, "read", "capacity.csv:2 [source]", "a blank cell"),
    "price without a source": ({"offers": (",quote,quote", ",,")}, "read", "offers.csv:2 [price_source]", "the price has no source"),
    "content without a source": ({"materials": ("mined;refined,quote", "mined;refined,")}, "evidence", "materials.csv:2 [source]", "a figure of `tin` has no source"),
    "stage that no source states": ({"sources": ("mined;refined", "mined")}, "stated", "chain.csv:3 [complete]", "its source does not state where"),
    "stale price": ({"sources": ("2026-10-01", "2021-10-01")}, "dates", "offers.csv:2 [price]", "5.1 years before"),
    "source of tomorrow": ({"sources": ("2026-10-01", "2027-10-01")}, "dates", "sources.csv:2 [date]", "after the catalog's day"),
}  # fmt: skip


@pytest.mark.parametrize("name", few(CATALOGS, whole=True))
def test_a_broken_catalog_is_told_with_its_cell(tmp_path: Path, name: str) -> None:
    """One check alone finds it, by file, row and column, and the exit code is 3."""
    change, check, place, words = CATALOGS[name]
    folder = catalog_plugin(tmp_path / name.replace(" ", "-"), **change)
    code, mistakes = checked(folder)
    assert (code, set(mistakes)) == (3, {check}), mistakes
    assert words in mistakes[check]
    file, row, column = place.replace(":", " ").replace("[", "").replace("]", "").split()
    assert f'/{file}", "row": {row}, "column": "{column}"' in mistakes[check]


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
    "kind that is not there": (announcing('api = 1\nkinds = ["house", "garden"]\n'), "code", "does not yield garden"),
    "kind that is not announced": (announcing('api = 1\nkinds = ["garden"]\n'), "code", "yields house, which the manifest does not announce"),
    "verb of no subject": (lambda folder: rule_plugin(folder, "    most:", '    bears_on: __import__("typing").ClassVar[str] = "moon"\n    most:'), "code", "bears on something else"),
    "folder that is not there": (announcing('api = 1\nkinds = ["house"]\ncatalogs = ["catalog"]\n'), "manifest", "`catalog` holds no catalog.toml"),
    "unknown key": (announcing('api = 1\nkind = ["house"]\n'), "manifest", "did you mean `kinds`"),
    "plant of another catalog": (repeated, "clashes", 'facilities.csv", "row": 2, "column": "id"'),
    "wheel without its catalog": (lambda folder: wheel(catalog_plugin(folder), *TABLES), "manifest", "`catalog` holds no catalog.toml"),
    "wheel without its sources": (lambda folder: wheel(catalog_plugin(folder), "sources.csv"), "read", "there is no sources.csv"),
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
def test_a_kind_that_takes_a_mass_for_a_text_is_told(tmp_path: Path) -> None:
    """An example of it with tonnes written as kilograms makes another rule, so that the unit would decide what it asks."""
    kept = '    cap: str = ""\n    model_config = {"json_schema_extra": {"examples": [{"cap": "5 t"}]}}\n\n    most:'
    code, mistakes = checked(rule_plugin(tmp_path / "unread-mass", "    most:", kept))
    assert (code, set(mistakes)) == (3, {"masses"})
    assert "parse_mass" in mistakes["masses"]


@pytest.mark.deep
def test_what_a_plugin_prints_is_in_no_answer(tmp_path: Path) -> None:
    """Its code prints when it is imported and when it is asked; the one JSON object on stdout stays whole."""
    noisy = rule_plugin(tmp_path / "noisy", SPANS, f"print('asked')\n        {SPANS}")
    (file,) = noisy.glob("src/*/__init__.py")
    file.write_text("print('imported')\n" + file.read_text())
    assert checked(noisy) == (0, {})


@pytest.mark.deep
def test_a_whole_wheel_conforms(tmp_path: Path) -> None:
    """A wheel is checked before it is installed anywhere, with what will be installed of it."""
    assert checked(wheel(rule_plugin(tmp_path / "whole-rule"))) == (0, {})
    assert checked(wheel(catalog_plugin(tmp_path / "whole-catalog"))) == (0, {})


@pytest.mark.deep
def test_all_wheels_of_a_folder_are_checked_at_once(tmp_path: Path) -> None:
    """`dist/*.whl` may be more than one: each has its own checks, and a mistake in any of them is one."""
    whole = wheel(catalog_plugin(tmp_path / "whole-one"))
    short = wheel(rule_plugin(tmp_path / "short-one"), "__init__.py")
    done = CliRunner().invoke(app, ["plugins", "check", str(whole), str(short), "--json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 3
    assert {c["subject"] for c in found["checks"] if c["result"] == "mistake"} == {"plugin `acme_short_one`"}
    assert "plugin `acme_whole_one`" in {c["subject"] for c in found["checks"]}


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that only has the name of a wheel is told so."""
    (tmp_path / "acme-1.0-py3-none-any.whl").write_bytes(content)
    done = CliRunner().invoke(app, ["plugins", "check", str(tmp_path / "acme-1.0-py3-none-any.whl")])
    assert done.exit_code == 2
    assert "is no wheel" in done.output
