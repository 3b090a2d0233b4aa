"""Questions of plugins as commands: asked like friendshore's own, listed without being run, and none takes another's command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from friendshore.cli import app, groups
from friendshore.cli.cases import write_starter
from friendshore.cli.groups import own_questions
from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.errors import PluginError
from friendshore.plugins import Registry
from friendshore.plugins.manifest import COMMANDS
from friendshore.questions import friendshore_questions
from friendshore.questions.base import faults, question_named
from friendshore.recommend import reopen

from .program import here

if TYPE_CHECKING:
    from conftest import Site

CODE = '''
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from friendshore.document.elements import Column, Document, section, sentence, table
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


def bring(site: Site, plugin: str, name: str, code: str | None = None, *, ask: str = "pass") -> str:
    """Install a plugin with a question, and return the name of its package."""
    manifest = f'api = 1\n[questions]\n{name} = "What {name} says."\n'
    return site.plugin(plugin, manifest, CODE.format(name=name, ask=ask) if code is None else code)


def error_of(*arguments: object) -> dict[str, Any]:
    """Return the first error of a command that fails for a plugin, as JSON."""
    done = here(*arguments, "--json")
    assert done.returncode == 3, done.stdout
    error: dict[str, Any] = json.loads(done.stdout)["errors"][0]
    return error


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the starter case."""
    folder = tmp_path_factory.mktemp("case") / "first"
    write_starter(folder)
    return folder


def test_a_question_of_a_plugin_is_a_command(site: Site, case: Path) -> None:
    """With its own options and those of all questions, text, JSON, and help; what its code prints is no answer."""
    bring(site, "acme-echo", "echo")
    plain = here("echo", case, "one", "two")
    assert (plain.returncode, plain.stdout.partition("\nMade ")[0].strip().endswith("one two")) == (0, True), (
        plain.stderr
    )
    says = json.loads(here("echo", case, "x", "--change", "price=quebec-gallium, factor=200%", "--json").stdout)["says"]
    assert says.endswith(" x")
    assert says.split()[0] != plain.stdout.split()[0]
    text = here("echo", "--help").stdout
    assert all(words in text for words in ("Says of a plan what it comes to", "How often.", "--full"))


def test_a_question_of_a_plugin_has_a_screen_for_nothing(site: Site, case: Path) -> None:
    """The answer stands first, what 50 lines don't hold is counted, and `--full` prints all of it."""
    rows = "table([Column('Row')], [[f'row-{number}'] for number in range(300)])"
    many = f"Document('x', (sentence('the answer'), section('All of them', {rows})))"
    bring(site, "acme-echo", "echo", ask=f"self.document = lambda *_: {many}")
    lines = here("echo", case).stdout.splitlines()
    rows_shown = sum("row-" in line for line in lines)
    assert (len(lines), lines[0], lines[-2]) == (LINES, "the answer", f"{300 - rows_shown} more (--full)")
    assert here("echo", case, "--full").stdout.count("row-") == 300


@pytest.mark.parametrize(
    "answer",
    [
        "friendshore.questions.alternatives.find_alternatives:Alternatives", "friendshore.questions.compare.comparison:Comparison",
        "friendshore.questions.why_not.find_why_not:WhyNot", "friendshore_reasons.calendar.search:Calendar", "friendshore_reasons.ledger.search:Ledger",
        "friendshore_reasons.repairs.search:Repairs", "friendshore_risk.frontier:Frontier", "friendshore_risk.stress_answer:Insurance",
        "friendshore_risk.stress_answer:Stress", "friendshore_workbooks.unknowns:Unknowns",
    ],
)  # fmt: skip
def test_a_notebook_finds_the_function_that_shows_an_answer(answer: str) -> None:
    """Each answer names it as text, which no import checks."""
    assert callable(resolve_name(resolve_name(answer).DOCUMENT_FUNCTION))


@pytest.mark.deep
def test_every_answer_is_a_screen_with_what_matters_most(case: Path) -> None:
    """Of each question of friendshore: at most 50 lines of at most 100 characters, and how to see the rest."""
    opened = reopen(case)
    given = {"why-not": {"offer": "guangxi-gallium"}, "compare": {"change": ("remove=guangxi-gallium",)}}
    for question in friendshore_questions():
        options = question.options(**given.get(question.name, {}))
        document = question.document(question.ask(opened, options, None), options)
        lines = plain_text(document, 100, max_lines=LINES).splitlines()
        assert 0 < len(lines) <= LINES, question.name
        assert max(map(len, lines)) <= 100, question.name
        parts = document.whole().parts
        without_effort = parts[:-1]  # how many plans the answer took
        assert "--full" in "\n".join(lines) or document.on_screen().parts in (parts, without_effort)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(("--times", "4"), "less than or equal to 3"), (("--loud", "--times", "2"), "exclude each other")],
)
def test_what_is_typed_wrong_is_told_before_anything_is_planned(
    site: Site, case: Path, wrong: tuple[str, ...], told: str
) -> None:
    """Numbers out of bounds, and options that exclude each other."""
    bring(site, "acme-echo", "echo", ask="raise AssertionError('asked all the same')")
    done = here("echo", case, *wrong)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


HOOK = "from friendshore.hookspecs import hookimpl\n@hookimpl\ndef friendshore_questions():\n    {}\n"
BROKEN = {
    "raises": ("raise OSError('gone')\n", "cannot be imported: OSError: gone"),
    "exits": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "hook": (HOOK.format("1 / 0"), "failed in its hook"),
    "nothing": ("", "it has no hook `friendshore_questions`"),
    "no question": (HOOK.format("return [3]"), "yields an object without a name"),
    "another class": (
        HOOK.format("return [__import__('types').SimpleNamespace(name='another-class')]"),
        "acme-broken 1.0: `another-class`",
    ),
    "options": (CODE.format(name="options", ask="pass").replace("options = Options", "options = None"), "acme-broken 1.0: its question `options` has no options record"),
    "setting": (
        CODE.format(name="setting", ask="pass").replace('Annotated[int, Setting("How often.", "N", least=1, most=3)]', "int"),
        "acme-broken 1.0: its question `setting` has an option `times`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_question_takes_no_other_command(site: Site, what: str) -> None:
    """Its own command says why, also as JSON; other questions go on."""
    code, told = BROKEN[what]
    name = what.replace(" ", "-")
    bring(site, "acme-broken", name, code)
    error = error_of(name, "case", "--whatever")
    assert "acme-broken 1.0" in error["message"]
    assert told in error["message"]
    assert (error.get("code") == "FS526") == (what in ("another class", "options", "setting"))
    assert told in here(name, "case").stderr
    assert here("compare", "--help").returncode == 0


def test_what_a_question_raises_is_told_as_its_plugins(site: Site, case: Path) -> None:
    """With file and line."""
    package = bring(site, "acme-echo", "echo", ask="1 / 0")
    error = error_of("echo", case)
    assert error["message"].startswith("acme-echo 1.0 failed: its question `echo` raised: ZeroDivisionError")
    assert error["file"].endswith(f"{package}/__init__.py")
    assert error["row"] > 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("'x'", "a str isn't a `Document`"),
        pytest.param("Document('x', (table([Column('a')], [('a', 'b')]),))", "a row has 2 cells", marks=pytest.mark.deep),
        pytest.param("Document('x', (table([Column('a')], [(object(),)]),))", "raised", marks=pytest.mark.deep),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_shown_is_told_as_its_plugins(
    site: Site, case: Path, document: str, told: str
) -> None:
    """On a screen, in full, and as data."""
    bring(site, "acme-echo", "echo", ask=f"self.document = lambda *_: {document}; self.data = lambda *_: {{1}}")
    for options, words in (((), told), (("--full",), told), (("--json",), "raised: TypeError")):
        done = here("echo", case, "--quiet", *options)
        assert done.returncode == 3
        assert "acme-echo 1.0 failed: its question `echo`" in done.stdout + done.stderr
        assert words in done.stdout + done.stderr


def test_help_and_lists_read_manifests_and_run_nothing(site: Site) -> None:
    """No code of a question is imported."""
    package = bring(site, "acme-echo", "echo", "raise SystemExit('nobody asked')\n")
    assert "What echo says." in here("--help").stdout
    data = json.loads(here("plugins", "show", "acme-echo", "--json").stdout)
    assert data["plugins"][0]["questions"] == [{"name": "echo", "answers": "What echo says."}]
    assert "questions       echo" in here("plugins", "show", "acme-echo").stdout
    assert package not in sys.modules


def test_a_name_that_two_bring_is_settled_by_a_block(site: Site, case: Path) -> None:
    """Neither is asked until one is blocked, also if one of them is friendshore's own."""
    bring(site, "acme-one", "echo")
    bring(site, "acme-two", "echo", "raise SystemExit('the other')\n")
    assert "several plugins bring question `echo`: acme-one 1.0" in error_of("echo", case)["message"]
    assert here("echo", case, "--block", "acme-two").returncode == 0
    assert here("echo", case, "--block=acme-two:echo").returncode == 0
    bring(site, "acme-three", "compare")
    assert "several plugins bring question `compare`: friendshore" in error_of("compare", case)["message"]


@pytest.mark.parametrize(("blocked", "name"), [("acme-echo", "echo"), ("built-in:compare", "compare")])
def test_a_blocked_question_says_by_whom(site: Site, case: Path, blocked: str, name: str) -> None:
    """With the fix."""
    bring(site, "acme-echo", "echo")
    done = here(name, case, "--block", blocked)
    assert (done.returncode, f"omit `--block {blocked}`" in done.stderr) == (3, True), done.stderr


def test_no_question_is_called_as_a_command_is(site: Site) -> None:
    """A plugin that would take the name of `plan` is broken; the taken names are those of all commands."""
    bring(site, "acme-plan", "plan")
    info = next(info for info in Registry.discover().plugins if info.distribution == "acme-plan")
    assert "brings a question `plan`" in info.error
    commands: Any = get_command(app)
    names = set(commands.commands) - set(own_questions())
    for name in sorted(names):
        names |= {f"{name} {inner}" for inner in getattr(commands.commands[name], "commands", ())}
    assert names == COMMANDS


def test_own_questions_are_those_of_the_manifest() -> None:
    """The hook yields what `friendshore.toml` announces, in that order."""
    own = list(friendshore_questions())
    assert [question.name for question in own] == list(own_questions())
    assert [fault for question in own for fault in faults(question)] == []


def test_an_unknown_command_suggests_a_question() -> None:
    """Exit code 2."""
    done = here("comparo")
    assert (done.returncode, "'compare'" in done.stderr) == (2, True)


@pytest.mark.usefixtures("site")
def test_a_command_of_an_official_plugin_that_is_missing_names_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message contains the command that installs it, as does that of a question that a report asks."""
    monkeypatch.setattr(groups, "distributions", list)
    done = here("repairs", "case.toml", "--json")
    assert done.returncode == 2
    assert "pip install friendshore-reasons" in " ".join(done.stderr.split())
    with pytest.raises(PluginError, match="pip install friendshore-reasons"):
        question_named(Registry.discover(), "ledger")
