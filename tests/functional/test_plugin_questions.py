"""Questions of plugins as commands: asked like friendshore's own, listed without being run, and none takes another's command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from friendshore.cli import announced, app
from friendshore.cli.announced import own_questions
from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.errors import PluginError
from friendshore.plugins import Registry
from friendshore.plugins.manifest import COMMANDS
from friendshore.questions import friendshore_questions
from friendshore.questions.base import faults, question_named
from friendshore.recommend import reopen

if TYPE_CHECKING:
    from conftest import Site

CODE = '''
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from friendshore.document.elements import Document, sentence
from friendshore.hookspecs import hookimpl
from friendshore.questions import OptionsError, Question, Setting


@dataclass(frozen=True)
class Options:
    words: Annotated[tuple[str, ...], Setting("What to say.", argument=True)] = ()
    times: Annotated[int, Setting("How often.", "N", least=1, most=3)] = 1
    loud: Annotated[bool, Setting("Whether to shout.")] = False


class Echo(Question[Options, str]):
    """Says of a plan what it comes to, and what it is told.

    More on it.
    """

    name = "{name}"
    options = Options

    def check(self, options):
        if options.loud and options.times > 1:
            raise OptionsError("--loud and --times exclude each other")

    def ask(self, opened, options, progress):
        print("a word on stdout, which is no answer")
        {ask}
        return f"{{opened.session.verified.cost.total:.0f}} {{' '.join(options.words)}}" * options.times

    def document(self, result, options):
        return Document(self.name, (sentence(result),))

    def data(self, result, options):
        return {{"says": result}}


@hookimpl
def friendshore_questions():
    return [Echo()]
'''


def friendshore(*arguments: str | Path) -> Result:
    """A command, in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def bring(site: Site, plugin: str, name: str, code: str | None = None, *, ask: str = "pass") -> str:
    """Installs a plugin with a question; the name of its package."""
    manifest = f'api = 1\n[questions]\n{name} = "What {name} says."\n'
    return site.plugin(plugin, manifest, CODE.format(name=name, ask=ask) if code is None else code)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init` writes."""
    folder = tmp_path_factory.mktemp("case") / "first"
    assert friendshore("init", "--start", "2026-10-01", folder).exit_code == 0
    return folder


def test_a_question_of_a_plugin_is_a_command(site: Site, case: Path) -> None:
    """Its own options and those that all have, text and JSON; what its code prints is no answer."""
    bring(site, "acme-echo", "echo")
    plain = friendshore("echo", case, "one", "two")
    assert plain.exit_code == 0, plain.output
    assert plain.stdout.strip().endswith("one two")
    changed = friendshore("echo", case, "x", "--change", "price=quebec-gallium, factor=200 %", "--json")
    says = json.loads(changed.stdout)["says"]
    assert says.endswith(" x")
    assert says.split()[0] != plain.stdout.split()[0]


MANY = """
from dataclasses import dataclass

from friendshore.document.elements import Column, Document, section, sentence, table
from friendshore.hookspecs import hookimpl
from friendshore.questions import Question


@dataclass(frozen=True)
class Options:
    pass


class Many(Question[Options, int]):
    "Counts."

    name = "many"
    options = Options

    def ask(self, opened, options, progress):
        return 300

    def document(self, result, options):
        rows = [[f"row-{number}"] for number in range(result)]
        return Document(self.name, (sentence("the answer"), section("All of them", table([Column("Row")], rows))))


@hookimpl
def friendshore_questions():
    return [Many()]
"""


def test_a_question_of_a_plugin_has_a_screen_for_nothing(
    site: Site, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer stands first, what 40 lines do not hold is counted, and `--full` prints all of it."""
    monkeypatch.setenv("COLUMNS", "100")
    bring(site, "acme-many", "many", MANY)
    lines = friendshore("many", case).stdout.splitlines()
    assert (len(lines), lines[0], lines[-1]) == (40, "the answer", "266 more (--full)")
    assert friendshore("many", case, "--full").stdout.count("row-") == 300
    assert "--full" in friendshore("many", "--help").stdout


@pytest.mark.deep
def test_every_answer_is_a_screen_with_what_matters_most(case: Path) -> None:
    """Of each question of friendshore: 40 lines at most, none longer than there is room for, and how to see all of it."""
    opened = reopen(case)
    given = {"why-not": {"offer": "guangxi-gallium"}, "compare": {"change": ("remove=guangxi-gallium",)}}
    for question in friendshore_questions():
        options = question.options(**given.get(question.name, {}))
        found = question.ask(opened, options, None)
        lines = plain_text(question.screen(found, options), 100, most=LINES).splitlines()
        assert 0 < len(lines) <= LINES, question.name
        assert max(map(len, lines)) <= 100, question.name
        assert "--full" in "\n".join(lines) or question.screen(found, options) == question.document(found, options)


def test_what_is_typed_wrong_is_told_before_anything_is_planned(site: Site, case: Path) -> None:
    """Numbers out of bounds and options that exclude each other: exit code 2."""
    bring(site, "acme-echo", "echo", ask="raise AssertionError('asked all the same')")
    for wrong, told in (
        (("--times", "4"), "less than or equal to 3"),
        (("--loud", "--times", "2"), "exclude each other"),
    ):
        done = friendshore("echo", case, *wrong)
        assert (done.exit_code, told in done.output) == (2, True), done.output
    text = friendshore("echo", "--help").output
    assert "Says of a plan what it comes to" in text
    assert "How often." in text


BROKEN = {
    "raises": ("raise OSError('gone')\n", "cannot be imported: OSError: gone"),
    "exits": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "hook": ("from friendshore.hookspecs import hookimpl\n@hookimpl\ndef friendshore_questions():\n    1 / 0\n", "failed in its hook"),
    "nothing": ("", "it has no hook `friendshore_questions`"),
    "no question": (
        "from friendshore.hookspecs import hookimpl\n@hookimpl\ndef friendshore_questions():\n    return [3]\n",
        "yields something else",
    ),
    "another class": (
        "from types import SimpleNamespace\nfrom friendshore.hookspecs import hookimpl\n@hookimpl\ndef friendshore_questions():\n"
        "    return [SimpleNamespace(name='another-class')]\n",
        "its question `another-class` is none",
    ),
    "options": (CODE.format(name="options", ask="pass").replace("options = Options", "options = None"), "has no record of options"),
    "setting": (
        CODE.format(name="setting", ask="pass").replace('Annotated[int, Setting("How often.", "N", least=1, most=3)]', "int"),
        "has an option `times` without a Setting",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_question_that_cannot_be_had_takes_no_other_command(site: Site, what: str) -> None:
    """Its own command says why, exit code 3, also as JSON; lists, help and other questions go on."""
    code, told = BROKEN[what]
    name = what.replace(" ", "-")
    bring(site, "acme-broken", name, code)
    done = friendshore(name, "case", "--whatever", "--json")
    assert done.exit_code == 3, done.output
    error = json.loads(done.stdout)["errors"][0]["message"]
    assert "acme-broken 1.0" in error
    assert told in error
    assert told in friendshore(name, "case").stderr
    assert friendshore("alternatives", "--help").exit_code == 0


def test_what_a_question_raises_is_told_as_its_plugins(site: Site, case: Path) -> None:
    """With file and line; exit code 3, and no traceback."""
    package = bring(site, "acme-echo", "echo", ask="1 / 0")
    error = json.loads(friendshore("echo", case, "--json").stdout)["errors"][0]
    assert error["message"].startswith("acme-echo 1.0 failed: its question `echo` raised: ZeroDivisionError")
    assert error["file"].endswith(f"{package}/__init__.py")
    assert error["row"] > 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("'x'", "a str is no document"),
        pytest.param("Document('x', (table([Column('a')], [('a', 'b')]),))", "a row has 2 cells", marks=pytest.mark.deep),
        pytest.param("Document('x', (table([Column('a')], [(object(),)]),))", "raised", marks=pytest.mark.deep),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_shown_is_told_as_its_plugins(
    site: Site, case: Path, document: str, told: str
) -> None:
    """On a screen, on a page, in a report and as data: exit code 3, and no traceback."""
    imports = "from friendshore.document.elements import Column, table"
    bring(
        site, "acme-echo", "echo", ask=f"{imports}; self.document = lambda *_: {document}; self.data = lambda *_: {{1}}"
    )
    for options, words in (((), told), (("--full",), told), (("--json",), "raised: TypeError")):
        done = friendshore("echo", case, "--quiet", *options)
        assert done.exit_code == 3, done.output
        assert "acme-echo 1.0 failed: its question `echo`" in done.output
        assert words in done.output


def test_help_and_lists_read_manifests_and_run_nothing(site: Site) -> None:
    """All questions with a line each, the code of none of them imported."""
    package = bring(site, "acme-echo", "echo", "raise SystemExit('nobody asked')\n")
    text = friendshore("--help").output
    assert "What echo says." in text
    data = json.loads(friendshore("plugins", "show", "acme-echo", "--json").stdout)
    assert data["plugins"][0]["questions"] == [{"name": "echo", "answers": "What echo says."}]
    assert "questions       echo" in friendshore("plugins", "show", "acme-echo").output
    assert package not in sys.modules


def test_a_name_that_two_bring_is_settled_by_a_block(site: Site, case: Path) -> None:
    """Neither is asked until one is blocked; so it is with a name of friendshore's own."""
    bring(site, "acme-one", "echo")
    bring(site, "acme-two", "echo", "raise SystemExit('the other')\n")
    done = friendshore("echo", case)
    assert done.exit_code == 3
    assert "question `echo` is brought by acme-one 1.0" in " ".join(done.stderr.split())
    assert friendshore("echo", case, "--block", "acme-two").exit_code == 0
    assert friendshore("echo", case, "--block=acme-two:echo").exit_code == 0
    bring(site, "acme-three", "compare")
    done = friendshore("compare", case, "--json")
    assert "question `compare` is brought by friendshore" in json.loads(done.stdout)["errors"][0]["message"]


def test_a_blocked_question_says_by_whom(site: Site, case: Path) -> None:
    """What blocks it, and how that is undone."""
    bring(site, "acme-echo", "echo")
    for blocked, name in (("acme-echo", "echo"), ("built-in:alternatives", "alternatives")):
        done = friendshore(name, case, "--block", blocked)
        assert (done.exit_code, f"leave out `--block {blocked}`" in done.stderr) == (3, True), done.output


def test_no_question_is_called_as_a_command_is(site: Site) -> None:
    """A plugin that would take the name of `plan` is broken, and says so; the names are those of all commands."""
    bring(site, "acme-plan", "plan")
    info = next(info for info in Registry.discover().plugins if info.distribution == "acme-plan")
    assert "brings a question `plan`" in info.error
    commands: Any = get_command(app)
    names = set(commands.commands) - set(own_questions())
    for name in sorted(names):
        names |= {f"{name} {inner}" for inner in getattr(commands.commands[name], "commands", ())}
    assert names == COMMANDS


def test_own_questions_are_those_of_the_manifest() -> None:
    """The hook yields what `friendshore.toml` announces, in that order; each can be asked."""
    own = list(friendshore_questions())
    assert [question.name for question in own] == list(own_questions())
    assert [fault for question in own for fault in faults(question)] == []


def test_an_unknown_command_is_told_with_what_is_meant(site: Site) -> None:
    """Questions are among what is meant."""
    bring(site, "acme-echo", "echo")
    for typed, meant in (("alternativez", "alternatives"), ("ecco", "echo")):
        done = friendshore(typed)
        assert done.exit_code == 2
        assert f"'{meant}'" in done.output


def test_a_command_of_an_official_plugin_that_is_missing_names_the_plugin(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message contains the line that installs it; so does the one of a question that a report asks."""
    monkeypatch.setattr(announced, "distributions", list)
    done = friendshore("repairs", "case.toml", "--json")
    assert done.exit_code == 2
    assert "The command 'repairs' is in the plugin friendshore-reasons: pip install friendshore-reasons" in " ".join(
        done.output.split()
    )
    with pytest.raises(PluginError, match="pip install friendshore-reasons"):
        question_named(Registry.discover(), "ledger")
