"""Versions of the plugin interface: the newest two are accepted, and every other is refused with the reason."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.hookspecs import API
from friendshore.plugins import Interface, PluginStatus, Registry, interface, newest, supported_versions
from friendshore_testing.check import outcomes_of
from friendshore_testing.subjects import checks_of

if TYPE_CHECKING:
    from conftest import Site

CATALOG = 'schema = 1\nname = "{}"\ntitle = "A catalog"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n'
THREE = (
    Interface(version=7, since="1.0", gone_in="3.0", not_before=date(2029, 1, 31)),
    Interface(version=8, since="2.0", gone_in="4.0", not_before=date(2030, 6, 30)),
    Interface(version=9, since="3.0"),
)
END = "unsupported from friendshore 4.0, not before 2030-06-30"


@pytest.fixture
def three(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site of a friendshore with three versions of the interface, with a catalog plugin for each and its neighbors."""
    monkeypatch.setattr(interface, "INTERFACES", THREE)
    for api in (6, 7, 8, 9, 10):
        files = {"c/catalog.toml": CATALOG.format(f"quotes-{api}")}
        site.plugin(f"acme-{api}", f'api = {api}\ncatalogs = ["c"]\n', files=files)
    return site


def said(*arguments: str) -> tuple[int, str]:
    """Return exit code and output of a command, on one line."""
    done = CliRunner(env={"COLUMNS": "400"}).invoke(app, list(arguments))
    return done.exit_code, " ".join(done.output.split())


def test_the_newest_two_versions_are_taken(three: Site) -> None:
    """The older one is told its end."""
    found = {plugin.api: plugin for plugin in Registry.discover().plugins if plugin.name != "built-in"}
    assert {api for api, plugin in found.items() if plugin.status is PluginStatus.OK} == {8, 9}
    assert {api: plugin.api_end for api, plugin in found.items()} == {6: "", 7: "", 8: END, 9: "", 10: ""}
    assert Registry.discover().catalog_folder("quotes-8").distribution == "acme-8 1.0"


@pytest.mark.parametrize(
    ("api", "why", "fix"),
    [
        (6, "which never existed", "upgrade acme-6, or report this to its author"),
        (7, "no longer supports", "upgrade acme-7, or report this to its author, or use friendshore before 3.0"),
        (10, "which is newer than friendshore", "upgrade friendshore, or install an earlier release of acme-10"),
    ],
)
def test_a_version_that_is_not_taken_is_refused_with_the_side_to_upgrade(
    three: Site, api: int, why: str, fix: str
) -> None:
    """Also with the file, what was found, and what is accepted."""
    code, text = said("plugins", "show", f"acme-{api}")
    assert code == 0
    assert (
        f"{three.folder}/acme_{api}/friendshore.toml [api]: FS410 acme-{api} 1.0 is written for version {api}" in text
    )
    assert why in text
    assert f"found {api}; expected 9 (since friendshore 3.0) or 8 ({END}); fix: {fix}" in text
    (outcome, *_) = outcomes_of(checks_of(f"acme-{api}", Registry.discover()))
    assert f"written for version {api} of the plugin interface" in outcome.problems[0].message


def test_the_end_of_an_earlier_version_is_told_wherever_the_plugin_is(three: Site) -> None:
    """`list`, `show`, and `check` say it; nothing is said of the newest version, nor to those who use the catalog."""
    assert f"acme-8 1.0 is written for version 8 of the plugin interface, {END}" in said("plugins", "list")[1]
    assert f"interface version 8, {END}" in said("plugins", "show", "acme-8")[1]
    listed = {plugin["distribution"]: plugin for plugin in json.loads(said("plugins", "list", "--json")[1])["plugins"]}
    assert (listed["acme-8"]["api_end"], listed["acme-8"]["status"]) == (END, "ok")
    assert (listed["acme-9"]["api_end"], listed["acme-9"]["notice"]) == ("", "")
    old, new = (
        next(one.outcome() for one in checks_of(name, Registry.discover()) if one.name == "interface")
        for name in ("acme-8", "acme-9")
    )
    assert (old.check.note, END in old.problems[0].message) == (True, True)
    assert not new.problems
    code, text = said("catalogs", "show", "quotes-8")
    assert (code, "interface" in text) == (0, False)


def test_only_one_version_is_taken_while_there_has_been_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first version has no predecessor."""
    monkeypatch.setattr(interface, "INTERFACES", THREE[:1])
    site.plugin("acme-old", "api = 6\n")
    assert [one.version for one in supported_versions()] == [7]
    assert Registry.discover().plugins[1].status is PluginStatus.BROKEN


@pytest.mark.parametrize("written", ['"9"', "9.0", "true"])
def test_a_version_is_a_whole_number(three: Site, written: str) -> None:
    """Anything else breaks the plugin."""
    three.plugin("acme-odd", f"api = {written}\n")
    (plugin,) = Registry.discover().named("acme-odd")
    assert plugin.status is PluginStatus.BROKEN
    assert "[api]" in plugin.error


def test_the_table_of_versions_is_whole_and_documented() -> None:
    """The hooks have the newest, none is left out, and each but the newest has an end."""
    assert newest().version == API
    assert [one.version for one in interface.INTERFACES] == list(range(1, API + 1))
    assert all(one.gone_in and one.not_before for one in interface.INTERFACES[:-1])
    page = (Path(__file__).parents[2] / "docs" / "reference" / "plugin-interface.md").read_text(encoding="utf-8")
    for one in interface.INTERFACES:
        assert f"| {one.version} | friendshore {one.since} | {one.end or 'the newest'} |" in page
