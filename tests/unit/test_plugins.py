"""The registry: what plugins bring by name, and what is said when one cannot be used."""

from __future__ import annotations

import re
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from friendshore import hookspecs
from friendshore.domain.facts import Facility, Material, Offer, Place, RecipeLine
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import PluginStatus, Registry, attributed
from friendshore.rules.base import Rule

if TYPE_CHECKING:
    from friendshore.rules.base import Facts

    from ..conftest import Site

CATALOG = 'schema = 1\nname = "{}"\ntitle = "A catalog"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n'
PACK = 'schema = 1\nid = "{}"\ntitle = "A pack"\nas_of = 2026-11-01\n'
EXPLODES = "raise RuntimeError('discovery must not run this')\n"
KIND = """
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house"] = "house"
    least: int = 0

    def judge(self, offer, move, use):
        return 1 / 0

    def rows(self, facts):
        yield 1 / 0


@hookimpl
def friendshore_rules():
    return [House]
"""


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


def test_entry_point_may_name_a_submodule(site: Site) -> None:
    """The manifest is that of the top-level package, found without importing it."""
    files = {"hooks.py": KIND}
    site.plugin("acme-sub", 'api = 1\nkinds = ["house"]\n', files=files, entry="acme_sub.hooks")
    assert Registry.discover().kind("house").__name__ == "House"


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
    "newer version": ("api = 99\nfuture = true\n", "another version of the plugin interface", "upgrade friendshore"),
    "older version": ("api = 0\n", "another version of the plugin interface", "upgrade the plugin"),
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
    with pytest.raises(PluginError, match="acme-fine .* and acme-half"):
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


# ------------------------------------------------------------------------------------------------ code


def test_plugin_is_imported_when_its_kind_is_asked_for(site: Site) -> None:
    """Nothing runs at discovery; the kind that a case names brings in its plugin, and only that one."""
    package = site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND)
    site.plugin("acme-other", 'api = 1\nkinds = ["other"]\n', EXPLODES)
    registry = Registry.discover()
    assert package not in sys.modules
    assert registry.rule({"kind": "house", "id": "r", "least": 3}).model_dump()["least"] == 3
    assert registry.kind("house") is registry.kind("house")


BAD_CODE = {
    "import": ("import not_there_at_all\n", "cannot be imported: ModuleNotFoundError"),
    "syntax": ("def (:\n", "cannot be imported: SyntaxError"),
    "exit": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "misspelt hook": (KIND.replace("friendshore_rules", "friendshore_rule"), "implements a hook that there is not"),
    "argument": (KIND.replace("friendshore_rules()", "friendshore_rules(case)"), "implements a hook that there is not"),
    "raises": (
        KIND.replace("return [House]", "raise OSError('disk')"),
        "failed in its hook `friendshore_rules`: OSError",
    ),
    "late": (KIND.replace("return [House]", "yield House\n    1 / 0"), "failed in its hook"),
    "not a rule": (KIND.replace("return [House]", "return [int]"), "yields something else"),
    "nothing": ("", "does not yield house"),
    "more": (
        KIND.replace(
            "return [House]", "return [House, type('B', (House,), {'__annotations__': {'kind': str}, 'kind': 'b'})]"
        ),
        "yields b, which the manifest does not announce",
    ),
    "no kind": (KIND.replace('kind: Literal["house"] = "house"', "limit: int = 0"), "sets no kind"),
}


@pytest.mark.parametrize("case", BAD_CODE)
def test_plugin_whose_code_fails_is_named(site: Site, case: str) -> None:
    """Distribution, version, file and fix are said of every way in which a plugin's code can fail."""
    code, said = BAD_CODE[case]
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', code, version="3.2")
    registry = Registry.discover()
    with pytest.raises(PluginError) as error:
        registry.rule({"kind": "house", "id": "r"}, "case.toml", 7)
    for part in ("acme-house 3.2", said, str(site.folder), "fix: "):
        assert part in message(error)


def test_hooks_deliver_what_the_manifest_announces(site: Site) -> None:
    """Catalogs and packs that code makes are had by the names announced for them."""
    code = """
    from pathlib import Path

    from friendshore.hookspecs import hookimpl

    HERE = Path(__file__).parent


    @hookimpl
    def friendshore_catalogs():
        yield HERE / "made"


    @hookimpl
    def friendshore_rules():
        yield HERE / "law"
    """
    files = {"made/catalog.toml": CATALOG.format("live"), "law/pack.toml": PACK.format("made-law")}
    manifest = 'api = 1\nhook_catalogs = ["live"]\nhook_packs = ["made-law"]\n'
    package = site.plugin("acme-live", manifest, textwrap.dedent(code), files=files)
    registry = Registry.discover()
    assert registry.catalogs == {"live": "acme-live 1.0"}
    assert package not in sys.modules
    assert registry.catalog_folder("live").folder.name == "made"
    assert registry.pack("made-law").id == "made-law"


def examples() -> list[tuple[str, dict[str, str]]]:
    """The plugins in the docstrings of the hooks: name of the hook, and files by path."""
    found = []
    for hook in (hookspecs.friendshore_catalogs, hookspecs.friendshore_rules):
        text = textwrap.dedent("    " + (hook.__doc__ or ""))
        blocks = re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
        found.append((hook.__name__, dict(blocks)))
    return found


@pytest.mark.parametrize(("hook", "files"), examples())
def test_plugin_in_the_docstring_of_each_hook_works(site: Site, hook: str, files: dict[str, str]) -> None:
    """The complete plugin that a hook's documentation shows does what it says."""
    name = re.findall(r'name = "([\w-]+)"', files["pyproject.toml"])[0]
    package = name.replace("-", "_")
    site.plugin(name, files[f"{package}/friendshore.toml"], files[f"{package}/__init__.py"])
    registry = Registry.discover()
    assert status(registry, name) == (PluginStatus.OK, "")
    if hook == "friendshore_catalogs":
        assert (registry.catalog_folder("quotes").folder / "catalog.toml").is_file()
    else:
        assert registry.rule({"kind": "no-traders", "id": "r", "end_use": "defense"}).verbs == {"judge"}


# ------------------------------------------------------------------------------------------------ rules


def test_every_mistake_in_a_rule_is_reported_at_once() -> None:
    """Unknown fields, bad words and missing keys come together, each with file, line, key and fix."""
    data = {"kind": "origin-ban", "id": "r", "citatoin": "x", "phases": [{"status": "enactd"}, {"form": "2027-01-01"}]}
    with pytest.raises(InputError) as error:
        Registry.of().rule(data, "case.toml", 12)
    said = message(error)
    assert all(p.file == "case.toml" and p.row == 12 for p in error.value.problems)
    assert "did you mean `citation`?" in said
    assert "[phases[1].status]" in said
    assert "did you mean `enacted`?" in said
    assert "did you mean `from`?" in said


def test_rule_without_a_kind_or_with_an_unknown_one_is_told_which_there_are() -> None:
    """The kinds are listed, and the nearest one is suggested."""
    registry = Registry.of()
    with pytest.raises(InputError, match="a rule needs `kind`.*one of .*origin-ban"):
        registry.rule({"id": "r"}, "case.toml", 3)
    with pytest.raises(PluginError, match=r"case\.toml:3 \[kind\].*did you mean `origin-ban`"):
        registry.rule({"kind": "orign-ban"}, "case.toml", 3)


def test_rules_of_a_list_are_made_together() -> None:
    """All mistakes of all rules come at once; a rule without an id is named by its kind and position."""
    registry = Registry.of(kinds=[Home])
    made = registry.rules([{"kind": "home", "id": "first"}, {"kind": "home"}])
    assert [rule.id for rule in made] == ["first", "home-2"]
    with pytest.raises(InputError) as error:
        registry.rules([{"kind": "home", "x": 1}, {"kind": "hom"}, {"id": "r"}], "case.toml", [1, 5, 9])
    assert [p.row for p in error.value.problems] == [1, 5, 9]


def chained() -> tuple[Chained, Move, Use]:
    """An offer, a move and a use, of no interest in themselves."""
    material, place = Material(id="m"), Place(id="AU", country="AU")
    offer = Offer(id="o", facility="f", outputs=(RecipeLine(material="m", per_unit=Decimal(1)),))
    facility = Facility(id="f", country="AU")
    use = Use(material=material, end_use="civil", place=place)
    return Chained(offer=offer, material=material, facility=facility, performed=()), Move(origin=place, to=place), use


@pytest.mark.parametrize("verb", ["judge", "rows"])
def test_plugin_rule_that_raises_is_named(site: Site, verb: str) -> None:
    """Rule, kind, distribution, version, file, line and fix are said when a plugin's rule raises."""
    package = site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND, version="3.2")
    rule = Registry.discover().rule({"kind": "house", "id": "no-sheds"})
    offer, move, use = chained()
    with pytest.raises(PluginError) as error, attributed(rule):
        if verb == "judge":
            rule.judge(offer, move, use)
        else:
            list(rule.rows(cast("Facts", None)))  # it raises before it asks
    said = message(error)
    for part in ("acme-house 3.2", "`no-sheds`", "`house`", "ZeroDivisionError", "fix: "):
        assert part in said
    line = 1 + KIND.splitlines().index("        return 1 / 0" if verb == "judge" else "        yield 1 / 0")
    assert f"{site.folder / package / '__init__.py'}:{line}" in said


def test_bug_of_a_built_in_rule_is_not_laid_at_a_plugins_door(site: Site) -> None:
    """What a rule of friendshore's own raises is let through, with its traceback."""
    rule = Registry.discover().rule({"kind": "origin-ban", "id": "r", "countries": ["CN"], "stages": ["mined"]})
    with pytest.raises(KeyError), attributed(rule):
        raise KeyError("ours")


def test_input_error_of_a_rule_is_let_through(site: Site) -> None:
    """A rule may say that the case makes no sense to it, in its own words."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND)
    rule = Registry.discover().rule({"kind": "house", "id": "r"})
    with pytest.raises(InputError, match="what the rule says"), attributed(rule):
        raise InputError("what the rule says")
