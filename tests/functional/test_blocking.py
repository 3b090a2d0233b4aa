"""Plugins that count as not installed: by flag, by the case, by the environment; the run says so, and is checked the same way."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from friendshore import load_case, plan
from friendshore.cli import app
from friendshore.cli.announced import own_questions
from friendshore.cli.questions import command_for
from friendshore.plugins import Blocker, Registry

from .forging import resum
from .test_broken_plugins import CASE, NOTHING, install, write_catalog
from .test_cli import answer
from .test_cli import friendshore as command

BAN = """
from typing import Literal

from friendshore.domain.use import Chained, Move, Result, Use, Verdict
from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class Ban(Rule):
    \"\"\"Ours: nothing from Australia.\"\"\"

    kind: Literal["origin-ban"] = "origin-ban"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        result = Result.FAIL if offer.facility.country == "AU" else Result.PASS
        return Verdict(result=result, rule=self.id, clause="ours", reason="our ban")


@hookimpl
def friendshore_rules():
    return [Ban]
"""
RULE = '[[rule]]\nkind = "origin-ban"\nid = "r"\n'
BUILT_IN_RULE = RULE + 'countries = ["CN"]\nstages = ["mined"]\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two catalogs of one name and a kind of rule called as one of friendshore's own; and cases."""
    folder = tmp_path_factory.mktemp("world")
    site = folder / "site"
    site.mkdir()
    install(site, "acme-one", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin")
    install(site, "acme-two", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin")
    install(site, "acme-bans", 'api = 1\nkinds = ["origin-ban"]\n', BAN)
    install(site, "acme-idle", NOTHING)
    write_catalog(folder / "mine", "mine")
    (folder / "clash.toml").write_text(CASE.format("tin"))
    (folder / "settled.toml").write_text(CASE.format("tin").replace("packs = []", 'block = ["acme-two"]'))
    (folder / "refused.toml").write_text(CASE.format("tin").replace("packs = []", 'block = ["acme-one", "acme-two"]'))
    (folder / "slip.toml").write_text(CASE.format("./mine").replace("packs = []", 'block = ["acme-tow"]'))
    (folder / "slip-clash.toml").write_text(CASE.format("tin").replace("packs = []", 'block = ["acme-tow"]'))
    (folder / "ban.toml").write_text(CASE.format("./mine") + RULE)
    (folder / "own-ban.toml").write_text(CASE.format("./mine") + BUILT_IN_RULE)
    both = RULE + '[[rule]]\nkind = "budget"\nid = "b"\namount = 1000000\n'
    one = 'block = ["built-in:origin-ban"]'
    (folder / "both.toml").write_text(CASE.format("./mine").replace("packs = []", one) + both)
    return folder


def friendshore(world: Path, *arguments: str, block: str = "", site: str = "site") -> subprocess.CompletedProcess[str]:
    """Runs the command line with the world's plugins beside what is installed."""
    env = {"PYTHONPATH": str(world / site), "FRIENDSHORE_BLOCK": block, "COLUMNS": "400"}
    return command(*arguments, cwd=world, env=env)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What stands on stderr, on one line."""
    return " ".join(done.stderr.split())


SETTLES = {
    "flag": (("clash.toml", "--block", "acme-two"), "", "--block"),
    "flag, by package": (("clash.toml", "--block", "Acme_Two"), "", "--block"),
    "environment": (("clash.toml",), "acme-two", "FRIENDSHORE_BLOCK"),
    "case": (("settled.toml",), "", "[use] block"),
}


@pytest.mark.parametrize("how", SETTLES)
def test_a_blocked_plugin_counts_as_not_installed(world: Path, tmp_path: Path, how: str) -> None:
    """Whichever way one of two is ruled out, the plan is made with the other, and the run says what was ruled out by whom."""
    arguments, block, by = SETTLES[how]
    out = tmp_path / "run"
    done = friendshore(world, "plan", *arguments, "--out", str(out), block=block)
    assert done.returncode == 0, done.stderr
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert {plugin["distribution"] for plugin in run["plugins"]} == {"acme-one 1.5"}
    (blocked,) = run["plugins_blocked"]
    assert (blocked["by"], blocked["plugins"]) == ([by], ["acme-two 1.5"])
    assert f"(acme-two 1.5), blocked by {by}" in done.stdout


REFUSED = {
    "flag": (
        ("clash.toml", "--block", "acme-one", "--block", "acme-two"), "", "blocked by --block", "leave out `--block acme-one`",
    ),
    "environment": (
        ("clash.toml",), "acme-one,acme-two", "blocked by FRIENDSHORE_BLOCK", "take `acme-one` out of FRIENDSHORE_BLOCK",
    ),
    "case": (("refused.toml",), "", "blocked by [use] block", "take `acme-one` out of `block` under [use] in the case"),
    "all": (
        ("refused.toml", "--block", "acme-one"), "acme-one", "blocked by FRIENDSHORE_BLOCK and by --block and by [use] block",
        "and leave out `--block acme-one`, and take",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("how", "verb"), [*((how, "plan") for how in REFUSED), *(("all", verb) for verb in ("check", "why-not", "lock"))]
)
def test_what_comes_with_a_blocked_plugin_is_refused(world: Path, how: str, verb: str) -> None:
    """Distribution, version, manifest, who blocks it and how that is undone are said; exit code 3."""
    arguments, block, by, undo = REFUSED[how]
    case, *flags = arguments
    done = friendshore(world, verb, case, *(["tin-au"] if verb == "why-not" else []), *flags, block=block)
    assert done.returncode == 3, done.stderr
    for part in ("catalog `tin` comes with acme-one 1.5", by, undo, "acme_one/friendshore.toml"):
        assert part in said(done)


@pytest.mark.deep
def test_every_command_that_looks_for_plugins_takes_the_flag(world: Path) -> None:
    """What is blocked is gone from every list, and its own page says why."""
    flag = ("--block", "acme-one")
    assert "acme-two 1.5" in friendshore(world, "catalogs", "list", *flag).stdout
    assert friendshore(world, "catalogs", "show", "tin", *flag).returncode == 0
    assert friendshore(world, "catalogs", "show", "tin").returncode == 3
    listed = json.loads(friendshore(world, "plugins", "list", "--json", *flag).stdout)["plugins"]
    assert {plugin["distribution"]: plugin["status"] for plugin in listed}["acme-one"] == "blocked"
    shown = friendshore(world, "plugins", "show", "acme-one", *flag).stdout
    assert "blocked by --block; fix: leave out `--block acme-one`" in " ".join(shown.split())
    pack = friendshore(world, "rules", "show", "us-10usc4872", "--block", "friendshore-us-defense")
    assert pack.returncode == 3
    assert "rule pack `us-10usc4872` comes with friendshore-us-defense" in said(pack)


def test_a_slip_in_the_flag_is_refused(world: Path) -> None:
    """A name that rules out nothing does not pass for done, and the nearest one is told."""
    done = friendshore(world, "plan", "settled.toml", "--block", "acme-tow")
    assert done.returncode == 3
    assert "--block names `acme-tow`, and nothing of that name is installed" in said(done)
    assert "did you mean `acme-two`?" in said(done)
    assert "found: `acme-tow`" in said(done)
    assert done.stdout == ""


@pytest.mark.deep
def test_a_slip_in_the_case_or_the_environment_is_told(world: Path) -> None:
    """Case and environment serve several installations: the plan is made, a note is on stderr, and the run says it too."""
    done = friendshore(world, "plan", "slip.toml", "--json", block="acme-noe")
    assert done.returncode == 0
    for part in ("[use] block names `acme-tow`", "FRIENDSHORE_BLOCK names `acme-noe`", "did you mean `acme-one`?"):
        assert part in said(done)
    assert {block["name"]: block["plugins"] for block in answer(done)["plugins_blocked"]} == {
        "acme-tow": [],
        "acme-noe": [],
    }
    assert "nothing of that name is installed" in friendshore(world, "plan", "slip.toml").stdout
    assert "[use] block names `acme-tow`" in said(friendshore(world, "why-not", "slip.toml", "tin-au"))
    checked = friendshore(world, "check", "slip.toml")
    assert checked.returncode == 0
    assert "[use] block names `acme-tow`" in " ".join(checked.stdout.split())


def test_a_slip_that_leaves_a_clash_is_told_beside_it(world: Path) -> None:
    """Where the plan is refused, the slip that may be why is among the errors."""
    done = friendshore(world, "plan", "slip-clash.toml")
    assert done.returncode == 3
    assert "`tin` is brought by" in said(done)
    assert "did you mean `acme-two`?" in said(done)


def test_friendshore_own_kinds_can_be_blocked(world: Path) -> None:
    """A plugin's kind stands in for the built-in one of its name only where the built-in ones are blocked."""
    clash = friendshore(world, "plan", "ban.toml")
    assert clash.returncode == 3
    assert "`origin-ban` is brought by friendshore" in said(clash)
    done = friendshore(world, "plan", "ban.toml", "--block", "built-in", "--json")
    assert done.returncode == 0, done.stderr
    assert answer(done)["shortage_kg"] == {"tin": {"civil": 5000}}, "their ban keeps the Australian smelter out"
    refused = friendshore(world, "plan", "own-ban.toml", "--block", "friendshore", "--block", "acme-bans")
    assert refused.returncode == 3
    assert "kind of rule `origin-ban` comes with friendshore" in said(refused)
    assert "leave out `--block friendshore`" in said(refused)


@pytest.mark.deep
def test_one_kind_of_friendshore_can_be_blocked(world: Path) -> None:
    """A plugin's kind stands in for one built-in kind while the case uses the others; only that name is refused."""
    done = friendshore(world, "plan", "both.toml", "--json", "--out", "both")
    assert done.returncode == 0, done.stderr
    assert answer(done)["shortage_kg"] == {"tin": {"civil": 5000}}
    (blocked,) = answer(done)["plugins_blocked"]
    assert (blocked["name"], blocked["by"]) == ("built-in:origin-ban", ["[use] block"])
    assert [label.split()[0] for label in blocked["plugins"]] == ["friendshore"]
    assert friendshore(world, "verify", "both").returncode == 0
    refused = friendshore(world, "plan", "both.toml", "--block", "acme-bans:origin-ban")
    assert refused.returncode == 3
    assert "kind of rule `origin-ban` comes with" in said(refused)


def test_one_name_of_two_can_be_blocked(world: Path) -> None:
    """A clash of one name costs neither plugin the rest of what it brings, and the list says what is left out."""
    assert friendshore(world, "plan", "clash.toml", "--block", "acme-two:tin").returncode == 0
    listed = friendshore(world, "plugins", "list", "--block", "acme-two:tin")
    assert "acme-two 1.5 is without tin: blocked" in listed.stdout
    whole = friendshore(world, "plugins", "list", "--block", "acme-two")
    assert "acme-two 1.5 is blocked by --block; fix: leave out `--block acme-two`" in " ".join(whole.stdout.split())
    slip = friendshore(world, "plan", "clash.toml", "--block", "acme-two:tni")
    assert slip.returncode == 3
    assert "did you mean `acme-two:tin`?" in said(slip)
    empty = friendshore(world, "plan", "clash.toml", "--block", "")
    assert empty.returncode == 3
    assert "--block names ``" in said(empty)


def test_the_flag_is_on_all_commands_but_those_that_look_for_no_plugin() -> None:
    """A new command that looks for plugins cannot leave it out unseen."""
    without = {name for name, one in commands(get_command(app)) if "--block" not in options(one)}
    assert without == {"init"}


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All commands of a group, by their full name."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{prefix}{name} ")
        else:
            yield prefix + name, command_for(name) if name in own_questions() else one


def options(command: Any) -> set[str]:
    """The names of a command's options."""
    return {name for parameter in command.params for name in parameter.opts}


def test_a_program_that_blocks_has_it_in_its_run(tmp_path: Path) -> None:
    """What the call rules out is told like the rest, and a name that rules out nothing is left to the caller to look at."""
    write_catalog(tmp_path / "mine", "mine")
    (tmp_path / "case.toml").write_text(CASE.format("./mine"))
    registry = Registry.of().blocking(["built-in:tariff", "nobody"], Blocker.CALL)
    run = plan(load_case(tmp_path), registry=registry).run
    told = [(block.name, block.by) for block in run.plugins_blocked]
    assert told == [("built-in:tariff", ["blocked="]), ("nobody", ["blocked="])]
    (idle,) = registry.idle_blocks(Blocker.CALL)
    assert idle.message.startswith("blocked= names `nobody`")


@pytest.fixture(scope="module")
def run(world: Path) -> Path:
    """A run made with the plugin's kind in the place of the built-in one."""
    done = friendshore(world, "plan", "ban.toml", "--block", "built-in", "--out", "run")
    assert done.returncode == 0, done.stderr
    return world / "run"


@pytest.mark.deep
def test_a_run_is_verified_and_asked_with_the_same_blocks(world: Path, run: Path) -> None:
    """Nothing need be said again: the run knows what it was made without."""
    done = friendshore(world, "verify", str(run), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = friendshore(world, "why-not", str(run), "tin-au")
    assert asked.returncode == 0, asked.stderr
    assert "our ban" in asked.stdout
    without = friendshore(world, "verify", str(run), "--block", "acme-bans")
    assert without.returncode == 3
    assert "rule `r` is left unverified: kind of rule `origin-ban` comes with" in without.stdout


@pytest.mark.parametrize(
    "name",
    [
        "acme-one",
        pytest.param("Acme_One", marks=pytest.mark.deep),
        pytest.param("acme-one:tin", marks=pytest.mark.deep),
    ],
)
def test_a_run_cannot_block_what_it_was_made_with(world: Path, tmp_path: Path, name: str) -> None:
    """Nobody who changes a run keeps its data from being compared with what is installed by calling that blocked."""
    out = tmp_path / "run"
    assert friendshore(world, "plan", "settled.toml", "--out", str(out)).returncode == 0
    assert friendshore(world, "verify", str(out)).returncode == 0
    told = json.loads((out / "run.json").read_text())
    told["plugins_blocked"].append({"name": name, "by": ["--block"], "plugins": []})
    (out / "run.json").write_text(json.dumps(told))
    done = friendshore(world, "verify", str(out))
    assert done.returncode == 4
    assert f"it was made without `{name}`, and with catalog tin of it" in done.stdout


def test_a_run_is_left_unverified_where_its_blocks_are_taken_out(world: Path, run: Path) -> None:
    """Without the block the name is a clash again; and friendshore's own kind is never taken for the plugin's."""
    told = json.loads((run / "run.json").read_text())
    bare = world / "bare"
    bare.mkdir()
    for path in run.iterdir():
        (bare / path.name).write_bytes(path.read_bytes())
    (bare / "run.json").write_text(json.dumps({**told, "plugins_blocked": []}))
    resum(bare)
    clash = friendshore(world, "verify", str(bare))
    assert clash.returncode == 3
    assert "`origin-ban` is brought by friendshore" in clash.stdout
    elsewhere = friendshore(world, "verify", str(bare), site="empty")
    assert elsewhere.returncode == 3
    assert "rule `r` is left unverified: it was judged by acme-bans 1.5" in elsewhere.stdout
