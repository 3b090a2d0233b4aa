"""Code of plugins: run when something of it is asked for, and named with file and fix when it fails."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal, getcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from friendshore import hookspecs
from friendshore.domain.facts import Facility, Material, Offer, Place, RecipeLine
from friendshore.domain.use import PASS, Chained, Move, Use, Verdict
from friendshore.errors import Diagnostic, FriendshoreError, InputError, PluginError
from friendshore.plugins import PluginStatus, Registry, attributed
from friendshore.rules.base import Rule
from friendshore.testing.questions import question_checks

from ..building import refused

if TYPE_CHECKING:
    from conftest import Site

    from friendshore.rules.base import Facts

CATALOG = 'schema = 1\nname = "{}"\ntitle = "A catalog"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n'
PACK = 'schema = 1\nid = "{}"\ntitle = "A pack"\nas_of = 2026-11-01\n'
EXPLODES = "raise RuntimeError('nothing asked for this')\n"
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


def test_plugin_is_imported_when_its_kind_is_asked_for(site: Site) -> None:
    """Nothing runs at discovery; the kind that a case names brings in its plugin, and only that one."""
    package = site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND)
    site.plugin("acme-other", 'api = 1\nkinds = ["other"]\n', EXPLODES)
    registry = Registry.discover()
    assert package not in sys.modules
    assert registry.rule({"kind": "house", "id": "r", "least": 3}).model_dump()["least"] == 3
    assert registry.kind("house") is registry.kind("house")


def test_entry_point_may_name_a_submodule(site: Site) -> None:
    """The manifest is that of the top-level package, found without importing it."""
    files = {"hooks.py": KIND}
    site.plugin("acme-sub", 'api = 1\nkinds = ["house"]\n', files=files, entry="acme_sub.hooks")
    assert Registry.discover().kind("house").__name__ == "House"


BAD_CODE = {
    "import": ("import not_there_at_all\n", "cannot be imported: ModuleNotFoundError"),
    "syntax": ("def (:\n", "cannot be imported: SyntaxError"),
    "exit": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "no words": (
        "class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd\n",
        "cannot be imported: Odd: an error that",
    ),
    "misspelt hook": (KIND.replace("friendshore_rules", "friendshore_rule"), "implements a hook that there is not"),
    "argument": (KIND.replace("friendshore_rules()", "friendshore_rules(case)"), "implements a hook that there is not"),
    "raises": (
        KIND.replace("return [House]", "raise OSError('disk')"),
        "failed in its hook `friendshore_rules`: OSError",
    ),
    "late": (KIND.replace("return [House]", "yield House\n    1 / 0"), "failed in its hook"),
    "not a rule": (KIND.replace("return [House]", "return [int]"), "yields something else"),
    "nothing": ("", "it has no hook `friendshore_rules`"),
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


def test_what_fails_once_is_reported_once(site: Site) -> None:
    """Three rules of a plugin that cannot be imported are one problem, and it is imported once."""
    times = site.folder / "times"
    code = f"with open({str(times)!r}, 'a') as file:\n    file.write('x')\n1 / 0\n"
    site.plugin("acme-fails", 'api = 1\nkinds = ["a", "b"]\n', code)
    with pytest.raises(PluginError, match="division by zero") as error:
        Registry.discover().rules([{"kind": "a"}, {"kind": "a"}, {"kind": "b"}])
    assert len(error.value.problems) == 1
    assert times.read_text() == "x"


def test_one_cause_is_one_problem() -> None:
    """What hangs or ends the process is met by every rule that needs it, and said once, as text and as JSON."""
    hung, other = Diagnostic("its import had not come to its end", "acme.py", 3), Diagnostic("another")
    assert PluginError([hung, other, hung]).problems == (hung, other)


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
    for hook in (
        hookspecs.friendshore_catalogs,
        hookspecs.friendshore_rules,
        hookspecs.friendshore_questions,
        hookspecs.friendshore_readers,
    ):
        text = textwrap.dedent("    " + (hook.__doc__ or ""))
        blocks = re.findall(r"`([\w./-]+)`:\n\n```\w+\n(.*?)```", text, re.DOTALL)
        found.append((hook.__name__, dict(blocks)))
    return found


@pytest.mark.parametrize(("hook", "files"), examples())
def test_plugin_in_the_docstring_of_each_hook_works(
    site: Site, tmp_path: Path, hook: str, files: dict[str, str]
) -> None:
    """The complete plugin that a hook's documentation shows does what it says."""
    package = next(iter(files)).partition("/")[0]
    name = package.replace("_", "-")
    site.plugin(name, files[f"{package}/friendshore.toml"], files[f"{package}/__init__.py"])
    registry = Registry.discover()
    assert [p.status for p in registry.plugins if p.distribution == name] == [PluginStatus.OK]
    if hook == "friendshore_catalogs":
        assert (registry.catalog_folder("quotes").folder / "catalog.toml").is_file()
    elif hook == "friendshore_questions":
        assert {check.name: check.outcome().found for check in question_checks("largest", registry)} == {
            "written": (),
            "answers": (),
        }
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
    with pytest.raises(InputError, match=r"a rule needs `kind`.*one of .*origin-ban"):
        registry.rule({"id": "r"}, "case.toml", 3)
    with pytest.raises(PluginError, match=r"case\.toml:3 \[kind\].*did you mean `origin-ban`"):
        registry.rule({"kind": "orign-ban"}, "case.toml", 3)


def test_rules_of_a_list_are_made_together() -> None:
    """All mistakes of all rules come at once; a rule without an id is named by its kind and position."""
    registry = Registry.of(kinds=[Home])
    made = registry.rules([{"kind": "home", "id": "first"}, {"kind": "home"}])
    assert [rule.id for rule in made] == ["first", "home-2"]
    assert [
        p.row
        for p in refused(
            registry.rules, [{"kind": "home", "x": 1}, {"kind": "hom"}, {"id": "r"}], "case.toml", [1, 5, 9]
        )
    ] == [1, 5, 9]


def chained() -> tuple[Chained, Move, Use]:
    """An offer, a move and a use, of no interest in themselves."""
    material, place = Material(id="m"), Place(id="AU", country="AU")
    offer = Offer(id="o", facility="f", outputs=(RecipeLine(material="m", per_unit=Decimal(1)),))
    facility = Facility(id="f", country="AU")
    use = Use(material=material, end_use="civil", place=place)
    return Chained(offer=offer, material=material, facility=facility, performed=()), Move(origin=place, to=place), use


CALLS: dict[str, Callable[[Rule], object]] = {
    "        return 1 / 0": lambda rule: rule.judge(*chained()),
    "        yield 1 / 0": lambda rule: list(rule.rows(cast("Facts", None))),  # it raises before it asks
}


@pytest.mark.parametrize("culprit", CALLS)
def test_plugin_rule_that_raises_is_named(site: Site, culprit: str) -> None:
    """Rule, kind, distribution, version, file, line and fix are said when a plugin's rule raises."""
    package = site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND, version="3.2")
    rule = Registry.discover().rule({"kind": "house", "id": "no-sheds"})
    with pytest.raises(PluginError) as error, attributed(rule):
        CALLS[culprit](rule)
    said = message(error)
    for part in ("acme-house 3.2", "`no-sheds`", "`house`", "ZeroDivisionError", "fix: "):
        assert part in said
    line = 1 + KIND.splitlines().index(culprit)
    assert f"{site.folder / package / '__init__.py'}:{line}" in said


def test_author_of_a_plugin_sees_the_traceback_on_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the switch; with it the traceback is on stderr, and only there."""
    site.plugin("acme-house", 'api = 1\nkinds = ["house"]\n', KIND)
    rule = Registry.discover().rule({"kind": "house", "id": "no-sheds"})
    said = []
    for switch in ("0", "1"):
        monkeypatch.setenv("FRIENDSHORE_PLUGIN_TRACEBACK", switch)
        with pytest.raises(PluginError) as error, attributed(rule):
            rule.judge(*chained())
        said.append((message(error), capsys.readouterr()))
    (named, silent), (short, (out, err)) = said
    assert "FRIENDSHORE_PLUGIN_TRACEBACK=1" in named
    assert silent == ("", "")
    assert "FRIENDSHORE_PLUGIN_TRACEBACK" not in short
    assert out == ""
    assert "Traceback" in err
    assert "return 1 / 0" in err


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


@pytest.mark.usefixtures("site")
def test_a_rule_that_changes_decimal_arithmetic_is_refused() -> None:
    """Figures were worked out within, perhaps with three digits; those of others are not."""
    rule = Registry.of(kinds=[Home]).rule({"kind": "home", "id": "r"})
    with pytest.raises(PluginError, match="`r` of kind `home`: it changed the decimal arithmetic"), attributed(rule):
        getcontext().prec = 3
    assert getcontext().prec == 28


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("raised", [BaseException("no"), SystemExit(0), MemoryError(), RecursionError()])
def test_whatever_a_rule_raises_is_the_rules(raised: BaseException) -> None:
    """Nothing that a rule raises ends the program as if all were well."""
    rule = Registry.of(kinds=[Home]).rule({"kind": "home", "id": "r"})
    with pytest.raises(PluginError, match=f"rule `r` of kind `home` raised: {type(raised).__name__}"), attributed(rule):
        raise raised


def test_ctrl_c_within_a_rule_is_let_through() -> None:
    """In a program that uses friendshore, Ctrl-C is the program's."""
    rule = Registry.of(kinds=[Home]).rule({"kind": "home", "id": "r"})
    with pytest.raises(KeyboardInterrupt), attributed(rule):
        raise KeyboardInterrupt
