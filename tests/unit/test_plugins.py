"""The registry: what plugins bring by name, and what is said when one cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import PluginStatus, Registry
from friendshore.plugins.interface import __version__
from friendshore.rules.base import Rule

if TYPE_CHECKING:
    from conftest import Site


CATALOG = 'schema = 1\nname = "{}"\ntitle = "A catalog"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n'
PACK = 'schema = 1\nid = "{}"\ntitle = "A pack"\nas_of = 2026-11-01\n'
EXPLODES = "raise RuntimeError('discovery must not run this')\n"


class Home(Rule):
    """A kind given in memory."""

    kind: Literal["home"] = "home"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Lets everything pass."""
        return PASS


def message(error: pytest.ExceptionInfo[FriendshoreError]) -> str:
    """All that an error says, on one line."""
    return " ".join(str(error.value).split())


def status(registry: Registry, distribution: str) -> tuple[PluginStatus, str]:
    """What `plugins list` says of a distribution."""
    info = next(p for p in registry.plugins if p.distribution == distribution)
    return info.status, info.error


# ------------------------------------------------------------------------------------------------ discovery


def test_data_plugin_is_found_without_being_imported(site: Site) -> None:
    """Catalogs and packs of a plugin are at hand though its code would fail, for it is never run."""
    files = {"catalog/catalog.toml": CATALOG.format("ours"), "packs/law/pack.toml": PACK.format("law")}
    package = site.plugin(
        "acme-data", 'api = 1\ncatalogs = ["catalog"]\npacks = ["packs/law"]\n', EXPLODES, files=files
    )
    registry = Registry.discover()
    assert registry.catalogs == {"ours": "acme-data 1.0"}
    assert registry.packs == {"law": "acme-data 1.0"}
    assert registry.catalog_folder("ours").folder == site.folder / package / "catalog"
    assert registry.pack("law").title == "A pack"
    assert package not in sys.modules


def test_built_in_kinds_come_through_the_same_door(site: Site) -> None:
    """An installation without plugins has friendshore's own kinds, listed like everybody's."""
    registry = Registry.discover()
    assert "origin-ban" in registry.kinds
    assert registry.owner("origin-ban").startswith("friendshore")
    assert registry.plugins[0].name == "built-in"


def test_first_of_two_copies_counts(site: Site) -> None:
    """A distribution found twice on the path is one plugin, not a clash with itself."""
    site.plugin("acme-twice", version="1.0")
    site.plugin("acme-twice", version="2.0")
    assert len([p for p in Registry.discover().plugins if p.distribution == "acme-twice"]) == 1


BROKEN = {
    "missing manifest": (None, "there is no manifest", "add the file to the package"),
    "not TOML": ("api = \n", "is not valid TOML", "mend this line"),
    "unknown key": ('api = 1\ncatalog = ["x"]\n', "no such key", "did you mean `catalogs`?"),
    "no version": ("catalogs = []\n", "a needed key is missing", "add `api`"),
    "newer version": (
        "api = 99\nfuture = true\n",
        "is written for version 99 of the plugin interface",
        "upgrade friendshore",
    ),
    "older version": ("api = 0\n", "is written for version 0 of the plugin interface", "upgrade acme-broken"),
    "missing folder": ('api = 1\ncatalogs = ["gone"]\n', "`gone` holds no catalog.toml", "take it out of the manifest"),
    "broken catalog": ('api = 1\ncatalogs = ["bad"]\n', "is not valid TOML", "mend the end of the file"),
    "nameless catalog": ('api = 1\ncatalogs = ["nameless"]\n', "states no `name`", "add name"),
    "name twice": ('api = 1\nkinds = ["a", "a"]\n', "brings two kinds of the name `a`", "rename one"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_plugin_is_recorded_with_its_fix(site: Site, case: str) -> None:
    """Whatever is wrong with a plugin's files, discovery goes on and says what it is and how to mend it."""
    manifest, said, fix = BROKEN[case]
    files = {"bad/catalog.toml": "schema =", "nameless/catalog.toml": "schema = 1\n"}
    site.plugin("acme-broken", manifest, EXPLODES, files=files)
    state, error = status(Registry.discover(), "acme-broken")
    assert state is PluginStatus.BROKEN
    assert said in error
    assert fix in error
    assert str(site.folder) in error


@pytest.mark.parametrize(
    ("required", "found"),
    [
        ("friendshore>=7", f"friendshore {__version__}"),
        ("Friendshore[xlsx]<0.1", f"Friendshore {__version__}"),
        ("acme-not-there>=2", "no acme-not-there"),
        ("pluggy<1; python_version >= '3'", f"pluggy {metadata.version('pluggy')}"),
        ("friendshore>=", "friendshore>="),
    ],
)
def test_unmet_dependency_is_refused(site: Site, required: str, found: str) -> None:
    """A plugin that was installed without what it requires is broken: it may compute anything."""
    site.plugin("acme-needs", 'api = 1\nkinds = ["house"]\n', EXPLODES, requires=["friendshore", required])
    with pytest.raises(PluginError, match=r"acme-needs 1\.0") as error:
        Registry.discover().kind("house")
    (problem,) = error.value.problems
    assert problem.found == found
    assert problem.fix


def test_met_dependencies_are_no_matter(site: Site) -> None:
    """Versions that fit, other Pythons and extras of the plugin itself do not keep it from being used."""
    needs = ["friendshore>=0.1,<9", "acme-not-there; python_version < '3'", "acme-not-there; extra == 'fast'", "pluggy"]
    site.plugin("acme-needs", requires=needs)
    assert status(Registry.discover(), "acme-needs")[0] is PluginStatus.OK


def test_package_that_is_gone_is_recorded(site: Site) -> None:
    """An entry point whose package was deleted does not stop the others."""
    site.plugin("acme-gone", entry="not_there_at_all")
    site.plugin("acme-fine")
    registry = Registry.discover()
    assert status(registry, "acme-gone")[0] is PluginStatus.BROKEN
    assert "`not_there_at_all` is not there" in status(registry, "acme-gone")[1]
    assert status(registry, "acme-fine") == (PluginStatus.OK, "")


def test_single_module_is_told_to_become_a_package(site: Site) -> None:
    """A plugin that is one module has no place for a manifest."""
    (site.folder / "acme_module.py").write_text(EXPLODES)
    site.plugin("acme-mod", entry="acme_module")
    assert "is a single module" in status(Registry.discover(), "acme-mod")[1]


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_blocked_plugin_is_listed_and_left_out(site: Site, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin can be ruled out by the call or the environment; asking for what it brings says so."""
    site.plugin("acme-data", 'api = 1\ncatalogs = ["c"]\n', files={"c/catalog.toml": CATALOG.format("ours")})
    monkeypatch.setenv("FRIENDSHORE_BLOCK", "other, Acme_Data" if how == "environment" else "")
    registry = Registry.discover(blocked=["acme-data"] if how == "argument" else [])
    assert status(registry, "acme-data")[0] is PluginStatus.BLOCKED
    assert not registry.catalogs
    with pytest.raises(PluginError, match=r"`ours` comes with acme-data 1\.0, which is blocked"):
        registry.catalog_folder("ours")


# ------------------------------------------------------------------------------------------------ names


def test_unknown_name_is_answered_with_what_there_is(site: Site) -> None:
    """A misspelt name gets a suggestion, the list, and the plugins that could not be read."""
    site.plugin("acme-data", 'api = 1\ncatalogs = ["c"]\n', files={"c/catalog.toml": CATALOG.format("australia")})
    site.plugin("acme-broken", None, version="2.1")
    with pytest.raises(PluginError) as error:
        Registry.discover().catalog_folder("austrlia")
    for part in ("did you mean `australia`?", "one of australia", "acme-broken 2.1 (broken)", "./austrlia"):
        assert part in message(error)


def test_same_catalog_from_two_plugins_names_both(site: Site) -> None:
    """Two plugins with one name are both named, when that name is asked for and in the list, and only then."""
    for name, version in (("acme-one", "1.0"), ("acme-two", "2.0")):
        files = {"c/catalog.toml": CATALOG.format("ours"), "d/catalog.toml": CATALOG.format(name)}
        site.plugin(name, 'api = 1\ncatalogs = ["c", "d"]\n', version=version, files=files)
    registry = Registry.discover()
    assert registry.catalog_folder("acme-two").distribution == "acme-two 2.0"
    with pytest.raises(
        PluginError, match=r"`ours` is brought by acme-one 1\.0 .* and acme-two 2\.0 .*; fix: uninstall"
    ):
        registry.catalog_folder("ours")
    state, error = status(registry, "acme-one")
    assert state is PluginStatus.CLASH
    assert "acme-two 2.0" in error
    assert Registry.discover(blocked=["acme-two"]).catalog_folder("ours").distribution == "acme-one 1.0"


def test_broken_plugin_still_takes_part_in_a_clash(site: Site) -> None:
    """Which of two plugins is meant never turns on which of them works."""
    files = {"c/catalog.toml": CATALOG.format("ours")}
    site.plugin("acme-fine", 'api = 1\ncatalogs = ["c"]\n', files=files)
    site.plugin("acme-half", 'api = 1\ncatalogs = ["c", "gone"]\n', files=files)
    with pytest.raises(PluginError, match=r"acme-fine .* and acme-half"):
        Registry.discover().catalog_folder("ours")


def test_kind_that_friendshore_has_already_is_a_clash(site: Site) -> None:
    """A plugin cannot quietly replace a kind of friendshore's own."""
    site.plugin("acme-cuckoo", 'api = 1\nkinds = ["origin-ban"]\n', EXPLODES)
    with pytest.raises(PluginError, match="acme-cuckoo"):
        Registry.discover().kind("origin-ban")


def test_name_of_a_broken_plugin_says_what_broke(site: Site) -> None:
    """Asking for a catalog of a broken plugin repeats what is wrong with it."""
    files = {"c/catalog.toml": CATALOG.format("ours")}
    site.plugin("acme-half", 'api = 1\ncatalogs = ["c", "gone"]\n', files=files)
    with pytest.raises(PluginError, match=r"acme-half 1\.0, which is broken.*`gone` holds no catalog\.toml"):
        Registry.discover().catalog_folder("ours")


def test_folder_is_meant_by_a_slash_or_a_dot(tmp_path: Path) -> None:
    """A catalog beside the case is named by its path, from the folder of the case."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "catalog.toml").write_text(CATALOG.format("my quotes"))
    (folder / "pack.toml").write_text(PACK.format("my-law"))
    registry = Registry.of()
    assert registry.catalog_folder("./mine", tmp_path).name == "my quotes"
    assert registry.catalog_folder("./mine", tmp_path).distribution == ""
    assert registry.pack("./mine", tmp_path).id == "my-law"
    with pytest.raises(InputError, match="there is no folder for the catalog"):
        registry.catalog_folder("./yours", tmp_path)


def test_sealed_registry_knows_only_what_it_is_given(tmp_path: Path) -> None:
    """A registry made in memory asks nothing of the installation."""
    registry = Registry.of(kinds=[Home], catalogs={"mine": tmp_path}, packs={"law": tmp_path})
    assert registry.kind("home") is Home
    assert registry.catalog_folder("mine").folder == tmp_path
    assert registry.packs == {"law": "given in memory"}
    assert "origin-ban" in registry.kinds


DAMAGED = {
    "no metadata": (None, b"[friendshore]\nx = acme_damaged\n", PluginStatus.OK),
    "metadata that is no text": (b"Name: \xe9\n", b"[friendshore]\nx = acme_damaged\n", PluginStatus.OK),
    "entry points that are no text": (
        b"Name: acme\n",
        b"[friendshore]\nx = acme_damaged # \xe9\n",
        PluginStatus.BROKEN,
    ),
    "entry point without a value": (b"Name: acme\n", b"[friendshore]\nx\n", PluginStatus.BROKEN),
    "entry point that is no name": (b"Name: acme\n", b"[friendshore]\nx = a-b c!\n", PluginStatus.BROKEN),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_metadata_stops_nobody(site: Site, case: str) -> None:
    """A distribution whose metadata is damaged is listed as well as can be, and the others work."""
    metadata, entry_points, expected = DAMAGED[case]
    site.plugin("acme-damaged")
    site.plugin("acme-fine")
    info = site.folder / "acme_damaged-1.0.dist-info"
    (info / "entry_points.txt").write_bytes(entry_points)
    (info / "METADATA").unlink() if metadata is None else (info / "METADATA").write_bytes(metadata)
    found = {p.distribution: p.status for p in Registry.discover().plugins if p.name != "built-in"}
    assert found.pop("acme-fine") is PluginStatus.OK
    assert list(found.values()) == [expected]


@pytest.mark.deep
def test_backport_of_metadata_changes_nothing(site: Site) -> None:
    """A tool that imports `importlib_metadata` replaces the standard finder for good, and the new one fails in
    other ways where metadata is missing; as that is for the whole process, it is tried in one of its own.
    """
    pytest.importorskip("importlib_metadata", reason="newer Pythons need it for none of our dependencies")
    site.plugin("acme-damaged")
    (site.folder / "acme_damaged-1.0.dist-info" / "METADATA").unlink()
    program = (
        "import importlib_metadata\n"
        "from friendshore.plugins import Registry\n"
        "print([p.status.value for p in Registry.discover().plugins if p.package == 'acme_damaged'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(site.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("['ok']", "")
