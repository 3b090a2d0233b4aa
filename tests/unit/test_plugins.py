"""Plugins: how they are found, the code that they bring, and their settings in a case."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from decimal import getcontext
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from friendshore import hookspecs
from friendshore.case import load_case
from friendshore.domain.facts import Place
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import Blocker, PluginStatus, Registry, attributed
from friendshore.plugins.interface import __version__
from friendshore.recommend import gather, plan, verdicts
from friendshore.recommend.check import check
from friendshore.recommend.verify_run import verify_run
from friendshore.rules.base import Rule
from friendshore.run import write_run
from friendshore_testing import checks_of
from friendshore_testing.hooks import question_checks

from ..building import MATERIALS, facility, offer, refused
from . import tin_case
from .tin_case import write_case, write_catalog

if TYPE_CHECKING:
    from conftest import Site

    from friendshore.rules.base import Facts


# ------------------------------------------------------------------------------------------------------------- discovery


CATALOG = 'schema = 1\nname = "{}"\ntitle = "A catalog"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n'
OURS = {"c/catalog.toml": CATALOG.format("ours")}
DATA = 'api = 1\ncatalogs = ["c"]\n'
HOUSE = 'api = 1\nkinds = ["house"]\n'
HALF = 'api = 1\ncatalogs = ["c", "gone"]\n'
PACK = 'schema = 1\nid = "{}"\ntitle = "A pack"\nas_of = 2026-11-01\n'
EXPLODES = "raise RuntimeError('discovery must not run this')\n"


class Home(Rule):
    """A kind given in memory, that lets everything pass."""

    kind: Literal["home"] = "home"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        return PASS


def message(error: pytest.ExceptionInfo[FriendshoreError]) -> str:
    """All that an error says, on one line."""
    return " ".join(str(error.value).split())


def status(registry: Registry, distribution: str) -> tuple[PluginStatus, str]:
    """What `plugins list` says of a distribution."""
    info = next(p for p in registry.plugins if p.distribution == distribution)
    return info.status, info.error


def test_data_plugin_is_found_without_being_imported(site: Site) -> None:
    """Catalogs and packs of a plugin are at hand though its code would fail, for it is never run."""
    files = {**OURS, "packs/law/pack.toml": PACK.format("law")}
    package = site.plugin("acme-data", f'{DATA}packs = ["packs/law"]\n', EXPLODES, files=files)
    registry = Registry.discover()
    assert (registry.catalogs, registry.packs) == ({"ours": "acme-data 1.0"}, {"law": "acme-data 1.0"})
    assert registry.catalog_folder("ours").folder == site.folder / package / "c"
    assert registry.pack("law").title == "A pack"
    assert package not in sys.modules


def test_built_in_kinds_come_through_the_same_door(site: Site) -> None:
    """An installation without plugins has friendshore's own kinds, listed like everybody's."""
    registry = Registry.discover()
    assert registry.owner("origin-ban").startswith("friendshore")
    assert registry.plugins[0].name == "built-in"


def test_first_of_two_copies_counts(site: Site) -> None:
    """A distribution found twice on the path is one plugin, not a clash with itself."""
    site.plugin("acme-twice", version="1.0")
    site.plugin("acme-twice", version="2.0")
    assert len([p for p in Registry.discover().plugins if p.distribution == "acme-twice"]) == 1


@pytest.mark.parametrize(
    ("manifest", "said", "fix"),
    [
        pytest.param(None, "FS412 the manifest is missing", "add the file to the package", id="missing manifest"),
        pytest.param("api = \n", "FS056", "correct this line", id="not TOML"),
        pytest.param('api = 1\ncatalog = ["x"]\n', "FS001", "did you mean `catalogs`?", id="unknown key"),
        pytest.param("catalogs = []\n", "FS002", "add `api`", id="no version"),
        pytest.param("api = 99\nfuture = true\n", "is written for version 99 of the plugin interface", "upgrade friendshore", id="newer version"),
        pytest.param("api = 0\n", "is written for version 0 of the plugin interface", "upgrade acme-broken", id="older version"),
        pytest.param('api = 1\ncatalogs = ["gone"]\n', "FS412 `gone` has no catalog.toml", "remove it from the manifest", id="missing folder"),
        pytest.param('api = 1\ncatalogs = ["bad"]\n', "FS056", "correct the end of the file", id="broken catalog"),
        pytest.param('api = 1\ncatalogs = ["nameless"]\n', "FS002 has no `name`", "add name", id="nameless catalog"),
        pytest.param('api = 1\nkinds = ["a", "a"]\n', "brings two kinds of the name `a`", "rename one", id="name twice"),
    ],
)  # fmt: skip
def test_broken_plugin_is_recorded_with_its_fix(site: Site, manifest: str | None, said: str, fix: str) -> None:
    """Whatever is wrong with a plugin's files, discovery goes on and says what it is and how to mend it."""
    files = {"bad/catalog.toml": "schema =", "nameless/catalog.toml": "schema = 1\n"}
    site.plugin("acme-broken", manifest, EXPLODES, files=files)
    state, error = status(Registry.discover(), "acme-broken")
    assert state is PluginStatus.BROKEN
    assert all(part in error for part in (said, fix, str(site.folder))), error


@pytest.mark.parametrize(
    ("required", "found"),
    [
        ("friendshore>=7", f"friendshore {__version__}"), ("Friendshore[xlsx]<0.1", f"Friendshore {__version__}"), ("friendshore>=", "friendshore>="),
        ("acme-not-there>=2", "no acme-not-there"), ("pluggy<1; python_version >= '3'", f"pluggy {metadata.version('pluggy')}"),
    ],
)  # fmt: skip
def test_unmet_dependency_is_refused(site: Site, required: str, found: str) -> None:
    """A plugin that was installed without what it requires is broken: it may compute anything."""
    site.plugin("acme-needs", HOUSE, EXPLODES, requires=["friendshore", required])
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


@pytest.mark.parametrize(
    ("entry", "said"), [("not_there_at_all", "`not_there_at_all` is missing"), ("acme_module", "is a single module")]
)
def test_entry_point_without_a_package_is_recorded(site: Site, entry: str, said: str) -> None:
    """A package that was deleted does not stop the others; a single module has no place for a manifest."""
    (site.folder / "acme_module.py").write_text(EXPLODES)
    site.plugin("acme-gone", entry=entry)
    site.plugin("acme-fine")
    registry = Registry.discover()
    state, error = status(registry, "acme-gone")
    assert (state, said in error) == (PluginStatus.BROKEN, True)
    assert status(registry, "acme-fine") == (PluginStatus.OK, "")


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_blocked_plugin_is_listed_and_left_out(site: Site, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin can be ruled out by the call or the environment; asking for what it brings says so."""
    site.plugin("acme-data", DATA, files=OURS)
    monkeypatch.setenv("FRIENDSHORE_BLOCK", "other, Acme_Data" if how == "environment" else "")
    registry = Registry.discover(blocked=["acme-data"] if how == "argument" else [])
    assert status(registry, "acme-data")[0] is PluginStatus.BLOCKED
    assert not registry.catalogs
    with pytest.raises(PluginError, match=r"`ours` belongs to acme-data 1\.0, which is blocked"):
        registry.catalog_folder("ours")


# ------------------------------------------------------------------------------------------------ names


def test_unknown_name_is_answered_with_what_there_is(site: Site) -> None:
    """A misspelt name gets a suggestion, the list, and the plugins that could not be read."""
    site.plugin("acme-data", DATA, files={"c/catalog.toml": CATALOG.format("australia")})
    site.plugin("acme-broken", None, version="2.1")
    with pytest.raises(PluginError) as error:
        Registry.discover().catalog_folder("austrlia")
    for part in ("did you mean `australia`?", "one of australia", "acme-broken 2.1 (broken)", "./austrlia"):
        assert part in message(error)


def test_same_catalog_from_two_plugins_names_both(site: Site) -> None:
    """Two plugins with one name are both named, when that name is asked for and in the list, and only then."""
    for name, version in (("acme-one", "1.0"), ("acme-two", "2.0")):
        files = {**OURS, "d/catalog.toml": CATALOG.format(name)}
        site.plugin(name, 'api = 1\ncatalogs = ["c", "d"]\n', version=version, files=files)
    registry = Registry.discover()
    assert registry.catalog_folder("acme-two").distribution == "acme-two 2.0"
    both = r"several plugins bring catalog `ours`: acme-one 1\.0 .* and acme-two 2\.0 .*; fix: uninstall"
    with pytest.raises(PluginError, match=both):
        registry.catalog_folder("ours")
    state, error = status(registry, "acme-one")
    assert (state, "acme-two 2.0" in error) == (PluginStatus.CLASH, True)
    assert Registry.discover(blocked=["acme-two"]).catalog_folder("ours").distribution == "acme-one 1.0"


def test_name_of_a_broken_plugin_says_what_broke(site: Site) -> None:
    """It still takes part in a clash: which of two plugins is meant never turns on which of them works."""
    site.plugin("acme-half", HALF, files=OURS)
    with pytest.raises(PluginError, match=r"acme-half 1\.0 is broken: `gone` has no catalog\.toml"):
        Registry.discover().catalog_folder("ours")
    site.plugin("acme-fine", DATA, files=OURS)
    with pytest.raises(PluginError, match=r"acme-fine .* and acme-half"):
        Registry.discover().catalog_folder("ours")


def test_kind_that_friendshore_has_already_is_a_clash(site: Site) -> None:
    """A plugin cannot quietly replace a kind of friendshore's own."""
    site.plugin("acme-cuckoo", 'api = 1\nkinds = ["origin-ban"]\n', EXPLODES)
    with pytest.raises(PluginError, match="acme-cuckoo"):
        Registry.discover().kind("origin-ban")


def test_folder_is_meant_by_a_slash_or_a_dot(tmp_path: Path) -> None:
    """A catalog beside the case is named by its path, from the folder of the case."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "catalog.toml").write_text(CATALOG.format("my quotes"))
    (tmp_path / "mine" / "pack.toml").write_text(PACK.format("my-law"))
    registry = Registry.of()
    found = registry.catalog_folder("./mine", tmp_path)
    assert (found.name, found.distribution, registry.pack("./mine", tmp_path).id) == ("my quotes", "", "my-law")
    with pytest.raises(InputError, match="FS307 the folder of the catalog doesn't exist"):
        registry.catalog_folder("./yours", tmp_path)


def test_sealed_registry_knows_only_what_it_is_given(tmp_path: Path) -> None:
    """A registry made in memory asks nothing of the installation."""
    registry = Registry.of(kinds=[Home], catalogs={"mine": tmp_path}, packs={"law": tmp_path})
    assert registry.kind("home") is Home
    assert registry.catalog_folder("mine").folder == tmp_path
    assert registry.packs == {"law": "given in memory"}
    assert "origin-ban" in registry.kinds


NAMED = b"[friendshore]\nx = acme_damaged"
DAMAGED = {
    "no metadata": (None, NAMED, PluginStatus.OK),
    "metadata that is no text": (b"Name: \xe9\n", NAMED, PluginStatus.OK),
    "entry points that are no text": (b"Name: acme\n", NAMED + b" # \xe9\n", PluginStatus.BROKEN),
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
    env = {**os.environ, "PYTHONPATH": str(site.folder)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("['ok']", "")


# ------------------------------------------------------------------------------------------------------------------ code


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


def test_plugin_is_imported_when_its_kind_is_asked_for(site: Site) -> None:
    """Nothing runs at discovery; the kind that a case names brings in its plugin, and only that one."""
    package = site.plugin("acme-house", HOUSE, KIND)
    site.plugin("acme-other", 'api = 1\nkinds = ["other"]\n', EXPLODES)
    registry = Registry.discover()
    assert package not in sys.modules
    assert registry.rule({"kind": "house", "id": "r", "least": 3}).model_dump()["least"] == 3
    assert registry.kind("house") is registry.kind("house")


def test_entry_point_may_name_a_submodule(site: Site) -> None:
    """The manifest is that of the top-level package, found without importing it."""
    site.plugin("acme-sub", HOUSE, files={"hooks.py": KIND}, entry="acme_sub.hooks")
    assert Registry.discover().kind("house").__name__ == "House"


MORE = "return [House, type('B', (House,), {'__annotations__': {'kind': str}, 'kind': 'b'})]"


BAD_CODE = [
    ("import not_there_at_all\n", "cannot be imported: ModuleNotFoundError"),
    ("def (:\n", "cannot be imported: SyntaxError"),
    ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    ("class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd\n", "cannot be imported: Odd: an error without"),
    (KIND.replace("friendshore_rules", "friendshore_rule"), "implements an unknown hook"),
    (KIND.replace("friendshore_rules()", "friendshore_rules(case)"), "implements an unknown hook"),
    (KIND.replace("return [House]", "raise OSError('disk')"), "failed in its hook `friendshore_rules`: OSError"),
    (KIND.replace("return [House]", "yield House\n    1 / 0"), "failed in its hook"),
    (KIND.replace("return [House]", "return [int]"), "FS421"),
    ("", "it has no hook `friendshore_rules`"),
    (KIND.replace("return [House]", MORE), "yields b, which the manifest doesn't announce"),
    (KIND.replace('kind: Literal["house"] = "house"', "limit: int = 0"), "has no kind"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "said"), BAD_CODE, ids=[said for _, said in BAD_CODE])
def test_plugin_whose_code_fails_is_named(site: Site, code: str, said: str) -> None:
    """Distribution, version, file and fix are said of every way in which a plugin's code can fail."""
    site.plugin("acme-house", HOUSE, code, version="3.2")
    with pytest.raises(PluginError) as error:
        Registry.discover().rule({"kind": "house", "id": "r"}, "case.toml", 7)
    for part in ("acme-house 3.2", said, str(site.folder), "fix: "):
        assert part in message(error)


def test_what_fails_once_is_reported_once(site: Site) -> None:
    """Three rules of a plugin that cannot be imported are one problem, and it is imported once."""
    times = site.folder / "times"
    code = f"with open({str(times)!r}, 'a') as file:\n    file.write('x')\n1 / 0\n"
    site.plugin("acme-fails", 'api = 1\nkinds = ["a", "b"]\n', code)
    with pytest.raises(PluginError, match="division by zero") as error:
        Registry.discover().rules([{"kind": "a"}, {"kind": "a"}, {"kind": "b"}])
    assert len(error.value.problems) == 1
    assert times.read_text() == "x"


def test_hooks_deliver_what_the_manifest_announces(site: Site) -> None:
    """Catalogs and packs that code makes are had by the names announced for them."""
    code = "from pathlib import Path\nfrom friendshore.hookspecs import hookimpl\n"
    for hook, made in (("friendshore_catalogs", "made"), ("friendshore_rules", "law")):
        code += f"@hookimpl\ndef {hook}():\n    yield Path(__file__).parent / {made!r}\n"
    files = {"made/catalog.toml": CATALOG.format("live"), "law/pack.toml": PACK.format("made-law")}
    manifest = 'api = 1\nhook_catalogs = ["live"]\nhook_packs = ["made-law"]\n'
    package = site.plugin("acme-live", manifest, code, files=files)
    registry = Registry.discover()
    assert registry.catalogs == {"live": "acme-live 1.0"}
    assert package not in sys.modules
    assert registry.catalog_folder("live").folder.name == "made"
    assert registry.pack("made-law").id == "made-law"


HOOKS = ("friendshore_catalogs", "friendshore_rules", "friendshore_questions", "friendshore_readers")


def example(hook: str) -> dict[str, str]:
    """The plugin in the docstring of a hook: files by path."""
    text = textwrap.dedent("    " + (getattr(hookspecs, hook).__doc__ or ""))
    return dict(re.findall(r"`([\w./-]+)`(?: of a complete plugin)?:\n\n```\w+\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize("hook", HOOKS)
def test_plugin_in_the_docstring_of_each_hook_works(site: Site, tmp_path: Path, hook: str) -> None:
    """The complete plugin that a hook's documentation shows does what it says."""
    files = example(hook)
    package = next(iter(files)).partition("/")[0]
    name = package.replace("_", "-")
    site.plugin(name, files[f"{package}/friendshore.toml"], files[f"{package}/__init__.py"])
    registry = Registry.discover()
    assert status(registry, name)[0] is PluginStatus.OK
    if hook == "friendshore_catalogs":
        assert (registry.catalog_folder("quotes").folder / "catalog.toml").is_file()
    elif hook == "friendshore_questions":
        found = {check.name: check.outcome().problems for check in question_checks("largest", registry)}
        assert found == {"written": (), "answers": ()}
    elif hook == "friendshore_readers":
        (tmp_path / "orders-2027.txt").write_text("tin;civil;3\n")
        read = registry.read("acme-erp:orders-2027", "demand", tmp_path)
        assert read.rows.tables["demand"].rows == [[1, ["tin", "civil", "3 t"]]]
    else:
        assert registry.rule({"kind": "no-traders", "id": "r", "end_use": "defense"}).verbs == {"judge"}


# ------------------------------------------------------------------------------------------------ rules


def test_every_mistake_in_a_rule_is_reported_at_once() -> None:
    """Unknown fields, bad words and missing keys come together, each with file, line, key and fix."""
    data = {"kind": "origin-ban", "id": "r", "citatoin": "x", "phases": [{"status": "enactd"}, {"form": "2027-01-01"}]}
    found = refused(Registry.of().rule, data, "case.toml", 12)
    assert {(p.file, p.row) for p in found} == {("case.toml", 12)}
    fixes = " ".join(p.fix for p in found)
    assert all(f"did you mean `{word}`?" in fixes for word in ("citation", "enacted", "from"))
    assert "phases[1].status" in {p.column for p in found}


def test_rule_without_a_kind_or_with_an_unknown_one_is_told_which_there_are() -> None:
    """The kinds are listed, and the nearest one is suggested."""
    registry = Registry.of()
    with pytest.raises(InputError, match=r"FS002 a rule has no `kind`.*one of .*origin-ban"):
        registry.rule({"id": "r"}, "case.toml", 3)
    with pytest.raises(PluginError, match=r"case\.toml:3 \[kind\].*did you mean `origin-ban`"):
        registry.rule({"kind": "orign-ban"}, "case.toml", 3)


def test_rules_of_a_list_are_made_together() -> None:
    """All mistakes of all rules come at once; a rule without an id is named by its kind and position."""
    registry = Registry.of(kinds=[Home])
    made = registry.rules([{"kind": "home", "id": "first"}, {"kind": "home"}])
    assert [rule.id for rule in made] == ["first", "home-2"]
    wrong = [{"kind": "home", "x": 1}, {"kind": "hom"}, {"id": "r"}]
    assert [p.row for p in refused(registry.rules, wrong, "case.toml", [1, 5, 9])] == [1, 5, 9]


def chained() -> tuple[Chained, Move, Use]:
    """An offer, a move and a use, of no interest in themselves."""
    material, place = MATERIALS[0], Place(id="AU", country="AU")
    made = Chained(offer=offer("o", "f", "oxide", 1), material=material, facility=facility("f", "AU"), performed=())
    return made, Move(origin=place, to=place), Use(material=material, end_use="civil", place=place)


CALLS: dict[str, Callable[[Rule], object]] = {
    "        return 1 / 0": lambda rule: rule.judge(*chained()),
    "        yield 1 / 0": lambda rule: list(rule.rows(cast("Facts", None))),  # it raises before it asks
}


@pytest.mark.parametrize("culprit", CALLS)
def test_plugin_rule_that_raises_is_named(site: Site, culprit: str) -> None:
    """Rule, kind, distribution, version, file, line and fix are said when a plugin's rule raises."""
    package = site.plugin("acme-house", HOUSE, KIND, version="3.2")
    rule = Registry.discover().rule({"kind": "house", "id": "no-sheds"})
    with pytest.raises(PluginError) as error, attributed(rule):
        CALLS[culprit](rule)
    place = f"{site.folder / package / '__init__.py'}:{1 + KIND.splitlines().index(culprit)}"
    for part in ("acme-house 3.2", "`no-sheds`", "`house`", "ZeroDivisionError", "fix: ", place):
        assert part in message(error)


def test_author_of_a_plugin_sees_the_traceback_on_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the switch; with it the traceback is on stderr, and only there."""
    site.plugin("acme-house", HOUSE, KIND)
    rule = Registry.discover().rule({"kind": "house", "id": "no-sheds"})
    for switch in ("0", "1"):
        monkeypatch.setenv("FRIENDSHORE_PLUGIN_TRACEBACK", switch)
        with pytest.raises(PluginError) as error, attributed(rule):
            rule.judge(*chained())
        out, err = capsys.readouterr()
        assert out == ""
        assert ("FRIENDSHORE_PLUGIN_TRACEBACK=1" in message(error)) is (switch == "0")
        assert ("Traceback" in err, "return 1 / 0" in err, err != "") == (switch == "1",) * 3


BAN = {"kind": "origin-ban", "id": "r", "countries": ["CN"], "stages": ["mined"]}


@pytest.mark.parametrize(
    ("data", "raised"),
    [
        pytest.param(BAN, KeyError("ours"), id="a bug of a built-in rule is not laid at a plugin's door"),
        pytest.param({"kind": "house", "id": "r"}, InputError("in its own words"), id="a rule may say that a case makes no sense to it"),
        pytest.param({"kind": "house", "id": "r"}, KeyboardInterrupt(), id="Ctrl-C is the program's"),
    ],
)  # fmt: skip
def test_what_is_no_fault_of_a_plugin_is_let_through(
    site: Site, data: dict[str, object], raised: BaseException
) -> None:
    """As it was raised."""
    site.plugin("acme-house", HOUSE, KIND)
    rule = Registry.discover().rule(data)
    with pytest.raises(type(raised)) as caught, attributed(rule):
        raise raised
    assert caught.value is raised


@pytest.fixture
def home(site: Site) -> Rule:
    """A rule of a kind given in memory."""
    return Registry.of(kinds=[Home]).rule({"kind": "home", "id": "r"})


def test_a_rule_that_changes_decimal_arithmetic_is_refused(home: Rule) -> None:
    """Figures were worked out within, perhaps with three digits; those of others are not."""
    with pytest.raises(PluginError, match="`r` of kind `home`: it changed the decimal context"), attributed(home):
        getcontext().prec = 3
    assert getcontext().prec == 28


@pytest.mark.parametrize("raised", [BaseException("no"), SystemExit(0), MemoryError(), RecursionError()])
def test_whatever_a_rule_raises_is_the_rules(home: Rule, raised: BaseException) -> None:
    """Nothing that a rule raises ends the program as if all were well."""
    with pytest.raises(PluginError, match=f"rule `r` of kind `home` raised: {type(raised).__name__}"), attributed(home):
        raise raised


# -------------------------------------------------------------------------------------------------------------- settings


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
SET = '[plugin.acme-lists]\nnames = ["Mill Ltd"]\n'
CASE = tin_case.CASE.replace("[[demand]]", f"{SET}[[demand]]") + '[[rule]]\nkind = "listed"\n'


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """The file of a case that sets something for an installed plugin."""
    site.plugin("acme-lists", MANIFEST, CODE)
    write_catalog(tmp_path, TABLES)
    return write_case(tmp_path, CASE)


def gathered(file: Path, text: str) -> object:
    """What a case file of this text comes to."""
    return gather(load_case(write_case(file.parent, text)), Registry.discover())


@pytest.mark.parametrize(
    ("old", "new", "offer"),
    [("", "", "hill"), ("Mill Ltd", "Hill Ltd", "mill"), ("plugin.acme-lists", "plugin.acme_lists", "hill")],
    ids=["set", "another", "by the name of the package"],
)
def test_rules_of_the_plugin_know_what_is_set(case: Path, old: str, new: str, offer: str) -> None:
    """Whoever is named in the settings is not bought from; the next best is."""
    write_case(case.parent, CASE.replace(old, new))
    run = plan(load_case(case), registry=Registry.discover()).run
    assert {line.offer for line in run.purchases} == {f"from-{offer}"}


@pytest.mark.parametrize(
    ("old", "new", "row", "column", "message"),
    [
        ("names =", "nams =", 11, "plugin.acme-lists.nams", "unknown key"),
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
    with pytest.raises(InputError, match="FS002"):
        gathered(case, CASE.replace(SET, ""))


def test_the_kit_sets_the_example_of_the_settings(site: Site, case: Path) -> None:
    """A rule that reads a setting which is needed is tried with it; an example that the model refuses is told."""
    named = {check.name: check for check in checks_of("acme-lists")}
    for name in ("settings", "made", "json"):
        assert named[name].outcome().problems == (), name
    code = CODE.replace('"listed"', '"slip"').replace('examples": [{"names', 'examples": [{"nams')
    site.plugin("acme-slip", MANIFEST.replace("listed", "slip"), code)
    (slip,) = [check for check in checks_of("acme-slip") if check.name == "settings"]
    assert "FS001" in str(slip.outcome().problems)


@pytest.mark.deep
@pytest.mark.usefixtures("case")
def test_the_kit_sets_the_example_in_other_processes() -> None:
    """A rule is asked there with the settings that it has here."""
    (seeds,) = [check for check in checks_of("acme-lists") if check.name == "seeds"]
    assert (seeds.outcome().problems, seeds.outcome().skip_reason) == ((), "")


def test_a_plugin_that_takes_no_settings_is_told(site: Site, case: Path) -> None:
    """What would be read by nobody is a mistake."""
    site.plugin("acme-plain")
    with pytest.raises(FriendshoreError, match="takes no settings"):
        gathered(case, CASE + "[plugin.acme-plain]\nx = 1\n")


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
    with pytest.raises(PluginError) as error:
        gathered(case, CASE + '[[rule]]\nkind = "max-share"\nmst = 1\n')
    first, *others = error.value.problems
    assert (Path(first.file).name, first.column) == ("friendshore.toml", column)
    assert "acme-lists 1.0" in first.message
    assert fix in first.fix
    assert not [one for one in others if "delete the table" in one.fix or "install" in one.fix]


NAMES = "    names: tuple[str, ...]\n"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("    yield Settings\n", "    yield Settings\n    yield Settings\n", "must yield a single model"),
        ("    yield Settings\n", "    raise RuntimeError('x')\n    yield\n", "failed in its hook `friendshore_settings`"),
        (NAMES, f"{NAMES}\n    def model_post_init(self, _):\n        raise OSError(1)\n", "failed to read"),
    ],
)  # fmt: skip
def test_a_plugin_whose_settings_fail_is_named(site: Site, case: Path, before: str, after: str, message: str) -> None:
    """What goes wrong in its code is laid at its door."""
    site.plugin("acme-lists", MANIFEST, CODE.replace(before, after))
    with pytest.raises(FriendshoreError, match=message):
        gathered(case, CASE)


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
