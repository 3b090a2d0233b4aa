"""`[plugin.NAME]` of a case: checked against the plugin's model, handed to its rules, kept with the run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from friendshore.case import load_case
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import Blocker, Registry
from friendshore.recommend import gather, plan, verdicts
from friendshore.recommend.check import check
from friendshore.recommend.verify_run import verify_run
from friendshore.run import write_run
from friendshore.testing import checks_of

from . import tin_case
from .tin_case import write_case, write_catalog

if TYPE_CHECKING:
    from conftest import Site

CODE = '''
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from friendshore.domain.base import Record
from friendshore.domain.use import PASS, Chained, Move, Result, Use, Verdict
from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class Settings(Record):
    model_config = {"json_schema_extra": {"examples": [{"names": ["Example Trading"]}]}}

    names: tuple[str, ...]
    threshold: Decimal = Decimal("0.85")


class Listed(Rule):
    """Nothing is bought from whoever is named in the settings."""

    kind: Literal["listed"] = "listed"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        if offer.facility.supplier not in self.settings.names:
            return PASS
        return Verdict(result=Result.FAIL, rule=self.id, clause=self.citation, reason="is listed")

    def sentence(self) -> str:
        return "Nothing is bought from whoever is listed."


@hookimpl
def friendshore_settings() -> Iterator[type[Settings]]:
    yield Settings


@hookimpl
def friendshore_rules() -> Iterator[type[Rule]]:
    yield Listed
'''
MANIFEST = 'api = 1\nkinds = ["listed"]\nsettings = true\n'
TABLES = {
    "facilities.csv": "id,operator,country\nmill,Mill Ltd,MY\nhill,Hill Ltd,AU\n",
    "capacity.csv": "facility,per_year,status,source\nmill,9 t/year,operating,s\nhill,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,source\nfrom-mill,mill,tin,30 USD/kg,s\nfrom-hill,hill,tin,40 USD/kg,s\n",
}
CASE = (
    tin_case.CASE.replace("[[demand]]", '[plugin.acme-lists]\nnames = ["Mill Ltd"]\n[[demand]]')
    + '[[rule]]\nkind = "listed"\n'
)


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """The file of a case that sets something for an installed plugin."""
    site.plugin("acme-lists", MANIFEST, CODE)
    write_catalog(tmp_path, TABLES)
    return write_case(tmp_path, CASE)


def bought(file: Path) -> set[str]:
    """Offers in the plan of a case."""
    return {line.offer for line in plan(load_case(file), registry=Registry.discover()).run.purchases}


def test_rules_of_the_plugin_know_what_is_set(case: Path) -> None:
    """Whoever is named in the settings is not bought from; the next best is."""
    assert bought(case) == {"from-hill"}
    assert bought(write_case(case.parent, CASE.replace("Mill Ltd", "Hill Ltd"))) == {"from-mill"}


def test_names_of_every_sort_are_taken(case: Path) -> None:
    """Distribution, entry point or package: any of them means the plugin."""
    assert bought(write_case(case.parent, CASE.replace("plugin.acme-lists", "plugin.acme_lists"))) == {"from-hill"}


@pytest.mark.parametrize(
    ("old", "new", "row", "column", "message"),
    [
        ("names =", "nams =", 11, "plugin.acme-lists.nams", "no such key"),
        ('["Mill Ltd"]', "7", 11, "plugin.acme-lists.names", "cannot be read"),
        ("plugin.acme-lists", "plugin.acme-list", 10, "plugin.acme-list", "no plugin `acme-list` is installed"),
        ('names = ["Mill Ltd"]', 'names = ["x"]\nthreshold = "much"', 12, "plugin.acme-lists.threshold", ""),
    ],
)
def test_mistakes_have_their_line(case: Path, old: str, new: str, row: int, column: str, message: str) -> None:
    """An unknown plugin, an unknown key and a value that the model refuses."""
    found = check(write_case(case.parent, CASE.replace(old, new)), Registry.discover()).errors
    assert [p for p in found if (p.row, p.column) == (row, column) and message in p.message], found


def test_a_setting_that_is_needed_and_missing_is_told(case: Path) -> None:
    """By the rule that would have read it."""
    text = CASE.replace('[plugin.acme-lists]\nnames = ["Mill Ltd"]\n', "")
    with pytest.raises(InputError, match="a needed key is missing"):
        gather(load_case(write_case(case.parent, text)), Registry.discover())


def test_the_kit_sets_the_example_of_the_settings(site: Site, case: Path) -> None:
    """A rule that reads a setting which is needed is tried with it; an example that the model refuses is told."""
    named = {check.name: check for check in checks_of("acme-lists")}
    for name in ("settings", "made", "json"):
        assert named[name].outcome().found == (), name
    code = CODE.replace('"listed"', '"slip"').replace('examples": [{"names', 'examples": [{"nams')
    site.plugin("acme-slip", MANIFEST.replace("listed", "slip"), code)
    (slip,) = [check for check in checks_of("acme-slip") if check.name == "settings"]
    assert "no such key" in str(slip.outcome().found)


@pytest.mark.deep
@pytest.mark.usefixtures("case")
def test_the_kit_sets_the_example_in_other_processes() -> None:
    """A rule is asked there with the settings that it has here."""
    (seeds,) = [check for check in checks_of("acme-lists") if check.name == "seeds"]
    assert (seeds.outcome().found, seeds.outcome().left_out) == ((), "")


def test_a_plugin_that_takes_no_settings_is_told(site: Site, case: Path) -> None:
    """What would be read by nobody is a mistake."""
    site.plugin("acme-plain")
    text = CASE + "[plugin.acme-plain]\nx = 1\n"
    with pytest.raises(FriendshoreError, match="takes no settings"):
        gather(load_case(write_case(case.parent, text)), Registry.discover())


@pytest.mark.parametrize(
    ("manifest", "column", "fix"),
    [
        (MANIFEST.replace("settings", "setting"), "setting", "did you mean `settings`?"),
        (MANIFEST.replace("kinds", "kind"), "kind", "did you mean `kinds`?"),
        (MANIFEST.replace("api = 1", "api = 2"), "api", "upgrade friendshore"),
    ],
)
def test_a_broken_manifest_comes_first(site: Site, case: Path, manifest: str, column: str, fix: str) -> None:
    """A case that needs the plugin is told what is wrong with its manifest before all else, and not to do without it."""
    site.plugin("acme-lists", manifest, CODE)
    write_case(case.parent, CASE + '[[rule]]\nkind = "max-share"\nmst = 1\n')
    with pytest.raises(PluginError) as error:
        gather(load_case(case), Registry.discover())
    first, *others = error.value.problems
    assert (Path(first.file).name, first.column) == ("friendshore.toml", column)
    assert "acme-lists 1.0" in first.message
    assert fix in first.fix
    assert not [one for one in others if "delete the table" in one.fix or "install" in one.fix]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("    yield Settings\n", "    yield Settings\n    yield Settings\n", "yields something else"),
        (
            "    yield Settings\n",
            "    raise RuntimeError('x')\n    yield\n",
            "failed in its hook `friendshore_settings`",
        ),
        (
            "    names: tuple[str, ...]\n",
            "    names: tuple[str, ...]\n\n    def model_post_init(self, _):\n        raise OSError(1)\n",
            "failed to read",
        ),
    ],
)
def test_a_plugin_whose_settings_fail_is_named(site: Site, case: Path, before: str, after: str, message: str) -> None:
    """What goes wrong in its code is laid at its door."""
    site.plugin("acme-lists", MANIFEST, CODE.replace(before, after))
    with pytest.raises(FriendshoreError, match=message):
        gather(load_case(case), Registry.discover())


def test_settings_are_kept_with_the_run_and_compared(case: Path) -> None:
    """A run is verified by what was set for it; against a case that sets something else it fails."""
    made = plan(load_case(case), registry=Registry.discover())
    run = case.parent / "run"
    write_run(run, made.run, made.facts(), verdicts(made.plan))
    assert made.facts()["case"]["settings"] == {"acme-lists": {"names": ["Mill Ltd"]}}
    assert verify_run(run, Registry.discover(), case).verified
    write_case(case.parent, CASE.replace("Mill Ltd", "Nobody"))
    found = verify_run(run, Registry.discover(), case)
    assert [f for f in found.findings if "settings" in f.message], found
    assert verify_run(run, Registry.discover()).findings == ()


def test_a_registry_keeps_what_is_set(case: Path) -> None:
    """Through further blocks, and in another process."""
    registry, errors = Registry.discover().setting({"acme-lists": {"names": ["a"]}})
    assert not errors
    for one in (registry.blocking(["other"], Blocker.CALL), pickle.loads(pickle.dumps(registry))):
        assert one.settings_of("acme-lists").names == ("a",)
    assert Registry.discover().setting({})[0].settings_of("friendshore") is None
