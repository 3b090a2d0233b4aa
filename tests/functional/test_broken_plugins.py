"""Broken and blocked plugins: listing always works, a plan that needs one stops and says why, and a run says what it was made without."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from friendshore import load_case, plan
from friendshore.cli import app
from friendshore.cli.groups import own_questions
from friendshore.cli.questions import command_for
from friendshore.plugins import Blocker, Registry

from .depth import few
from .forging import resum
from .starter import commands
from .test_cli import answer
from .test_cli import friendshore as command

CATALOG = 'schema = 1\nname = "{}"\ntitle = "Quotes"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n'
TABLES = {
    "sources.csv": "id,reference,date,confidence\nquote,a quote,2026-10-01,verified\n",
    "materials.csv": "id,name,element,form,basis,content,stages\ntin,Tin,Sn,metal,gross,1,mined;refined\n",
    "facilities.csv": "id,name,country\nsmelter,Smelter,AU\n",
    "capacity.csv": "facility,from,per_year,status,source\nsmelter,2020-01-01,100 t/year,operating,quote\n",
    "offers.csv": "id,facility,material,price,price_source,source\ntin-au,smelter,tin,10 USD/kg,quote,quote\n",
    "chain.csv": "offer,stage,countries,complete,source\ntin-au,mined,AU,yes,quote\ntin-au,refined,AU,yes,quote\n",
}
CASE = """schema = 1
case = { name = "tiny", start = 2027-01-01, periods = 1, period = "year", currency = "USD", place = "US" }
use = { catalogs = ["CATALOG"], block = [] }
demand = [{ material = "tin", end_use = "civil", per_year = "5 t" }]
"""
CODE = """
from typing import Literal

from friendshore.domain.use import Result, Verdict
from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house"] = "house"
    title: str = "Nothing from Australia"

    def judge(self, offer, move, use):
        raise LookupError("no such shed")


@hookimpl
def friendshore_rules():
    return [House]
"""
LOUD = CODE.replace(
    'raise LookupError("no such shed")',
    """os.write(1, b"a word of a library\\n")
        os.system("echo a word of a process")
        print("a word for the screen", file=sys.__stdout__, flush=True)
        return Verdict(result=Result.PASS)""",
).replace("from typing", "import os\nimport sys\nfrom typing", 1)
BAN = CODE.replace("house", "origin-ban").replace(
    'raise LookupError("no such shed")',
    'result = Result.FAIL if offer.facility.country == "AU" else Result.PASS\n'
    '        return Verdict(result=result, rule=self.id, clause="ours", reason="our ban")',
)


def install(site: Path, name: str, manifest: str | None, code: str = "", catalog: str = "") -> None:
    """A plugin as `pip` would leave it, in a folder that is put on the path."""
    package = site / name.replace("-", "_")
    info = site / f"{package.name}-1.5.dist-info"
    for folder in (package, info):
        folder.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[friendshore]\n{name} = {package.name}\n")
    (package / "__init__.py").write_text(code)
    if manifest is not None:
        (package / "friendshore.toml").write_text(manifest)
    if catalog:
        write_catalog(package / "catalog", catalog)


def write_catalog(folder: Path, name: str) -> None:
    """A catalog with one offer of tin."""
    folder.mkdir()
    (folder / "catalog.toml").write_text(CATALOG.format(name))
    for file, text in TABLES.items():
        (folder / file).write_text(text)


RULE = '[[rule]]\nkind = "{}"\nid = "r"\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a plugin for every way to be broken or to clash, also with a kind of friendshore's own, and cases that need them."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "site").mkdir()
    for name, manifest, code, catalog in (
        ("acme-import", 'api = 1\nkinds = ["shed"]\n', "import not_there_at_all\n", ""),
        ("acme-raises", 'api = 1\nkinds = ["house"]\n', CODE, ""),
        ("acme-one", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin"),
        ("acme-two", 'api = 1\ncatalogs = ["catalog"]\n', "1 / 0\n", "tin"),
        ("acme-bans", 'api = 1\nkinds = ["origin-ban"]\n', BAN, ""),
        ("acme-mute", None, "1 / 0\n", ""),
    ):
        install(folder / "site", name, manifest, code, catalog)
    write_catalog(folder / "mine", "mine")
    for name, catalog, blocks, rules in (
        ("fine", "./mine", [], ""),
        ("clash", "tin", [], ""),
        ("raises", "./mine", [], RULE.format("house")),
        ("import", "./mine", [], RULE.format("shed")),
        ("unknown", "./mine", [], RULE.format("hous")),
        ("settled", "tin", ["acme-two"], ""),
        ("refused", "tin", ["acme-one", "acme-two"], ""),
        ("slip", "./mine", ["acme-tow"], ""),
        ("slip-clash", "tin", ["acme-tow"], ""),
        ("ban", "./mine", [], RULE.format("origin-ban")),
        ("own-ban", "./mine", [], RULE.format("origin-ban") + 'countries = ["CN"]\nstages = ["mined"]\n'),
        (
            "both",
            "./mine",
            ["built-in:origin-ban"],
            RULE.format("origin-ban") + '[[rule]]\nkind = "budget"\nid = "b"\namount = 1000000\n',
        ),
    ):
        text = CASE.replace("CATALOG", catalog).replace("block = []", f"block = {blocks}")
        (folder / f"{name}.toml").write_text(text + rules)
    return folder


def friendshore(world: Path, *arguments: str, block: str = "", site: str = "site") -> subprocess.CompletedProcess[str]:
    """Runs the command line with the world's plugins beside what is installed."""
    env = {"PYTHONPATH": str(world / site), "FRIENDSHORE_BLOCK": block, "COLUMNS": "400"}
    return command(*arguments, cwd=world, env=env)


def said(done: subprocess.CompletedProcess[str], code: int = 3) -> str:
    """All that it says, on one line."""
    assert done.returncode == code, done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_help_and_list_work_whatever_is_broken(world: Path) -> None:
    """`--help` and `plugins list` never run a plugin, and the list says what is wrong with each."""
    assert friendshore(world, "--help").returncode == 0
    listed = answer(friendshore(world, "plugins", "list", "--json"))["plugins"]
    found = {plugin["distribution"]: plugin["status"] for plugin in listed}
    assert {name: found[name] for name in ("acme-mute", "acme-one", "acme-two")} == {
        "acme-mute": "broken", "acme-one": "clashing", "acme-two": "clashing",
    }  # fmt: skip


def test_what_a_plugin_writes_to_the_descriptor_of_stdout_is_in_no_answer(world: Path, tmp_path: Path) -> None:
    """It goes to stderr, like what it prints."""
    install(tmp_path / "site", "acme-loud", 'api = 1\nkinds = ["house"]\n', LOUD)
    done = friendshore(world, "plan", "raises.toml", "--json", site=str(tmp_path / "site"))
    assert done.returncode == 0, done.stderr
    assert answer(done)["status"]
    assert all(f"a word {words}" in done.stderr for words in ("of a library", "of a process", "for the screen"))


def test_plan_that_needs_none_of_them_is_made(world: Path) -> None:
    """Broken plugins do not stop a case that names nothing of theirs."""
    assert answer(friendshore(world, "plan", "fine.toml", "--json"))["verified"] is True


NEEDS = {
    "import": ("acme-import 1.5", "cannot be imported: ModuleNotFoundError", "acme_import"),
    "raises": ("acme-raises 1.5", "LookupError: no such shed", "`house`", "acme_raises"),
    "clash": ("acme-one 1.5", "acme-two 1.5", "several plugins bring catalog `tin`", "FRIENDSHORE_BLOCK"),
    "unknown": ("`hous`", "did you mean `house`?", "acme-mute 1.5 (broken)"),
}


@pytest.mark.parametrize("case", NEEDS)
def test_plan_that_needs_one_stops_and_names_it(world: Path, case: str) -> None:
    """Distribution, version, what is wrong and the fix are on the error stream; exit code 3, and no traceback."""
    told = said(friendshore(world, "plan", f"{case}.toml"))
    for part in (*NEEDS[case], "fix: "):
        assert part in told
    assert "Traceback" not in told


SETTLES = {
    "flag": (("clash.toml", "--block", "acme-two"), "", "--block"),
    "environment": (("clash.toml",), "acme-two", "FRIENDSHORE_BLOCK"),
    "case": (("settled.toml",), "", "[use] block"),
}


@pytest.mark.parametrize("how", SETTLES)
def test_a_blocked_plugin_counts_as_not_installed(world: Path, tmp_path: Path, how: str) -> None:
    """Whichever way one of two is ruled out, the plan is made with the other, and the run says what was ruled out by whom."""
    arguments, block, by = SETTLES[how]
    done = friendshore(world, "plan", *arguments, "--out", str(tmp_path / "run"), block=block)
    assert f"(acme-two 1.5), blocked by {by}" in said(done, 0)
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert {plugin["distribution"] for plugin in run["plugins"]} == {"acme-one 1.5"}
    assert [(one["by"], one["plugins"]) for one in run["plugins_blocked"]] == [([by], ["acme-two 1.5"])]


BOTH = ("clash.toml", "--block", "acme-one", "--block", "acme-two")
ALL = ("refused.toml", "--block", "acme-one")
BY_ALL = "blocked by FRIENDSHORE_BLOCK and by --block and by [use] block"


@pytest.mark.parametrize(
    ("verb", "arguments", "block", "by", "undo"),
    [
        ("plan", BOTH, "", "blocked by --block", "omit `--block acme-one`"),
        ("plan", ("clash.toml",), "acme-one,acme-two", "blocked by FRIENDSHORE_BLOCK", "remove `acme-one` from the environment variable FRIENDSHORE_BLOCK"),
        ("plan", ("refused.toml",), "", "blocked by [use] block", "remove `acme-one` from `block` under [use] in the case"),
        *((verb, ALL, "acme-one", BY_ALL, "and omit `--block acme-one`, and remove") for verb in ("plan", "check", "why-not", "lock")),
    ],
)  # fmt: skip
def test_what_comes_with_a_blocked_plugin_is_refused(
    world: Path, verb: str, arguments: tuple[str, ...], block: str, by: str, undo: str
) -> None:
    """Distribution, version, manifest, who blocks it and how that is undone are said; exit code 3."""
    case, *flags = arguments
    done = friendshore(world, verb, case, *(["tin-au"] if verb == "why-not" else []), *flags, block=block)
    for part in ("catalog `tin` belongs to acme-one 1.5", by, undo, "acme_one/friendshore.toml"):
        assert part in said(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("settled.toml", "--block", "acme-tow"), ("nothing of that name is installed", "`acme-two`?", "found: `acme-tow`")),
        (("clash.toml", "--block", "acme-two:tni"), ("did you mean `acme-two:tin`?",)),
        (("clash.toml", "--block", ""), ("--block names ``",)),
        (("slip-clash.toml",), ("several plugins bring catalog `tin`", "did you mean `acme-two`?")),
    ],
)  # fmt: skip
def test_a_slip_in_the_flag_is_refused(world: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """A name that rules out nothing does not pass for done, and the nearest one is told; so it is beside a clash that it leaves."""
    done = friendshore(world, "plan", *arguments)
    assert done.stdout == ""
    assert all(one in said(done) for one in words), done.stderr


@pytest.mark.deep
def test_a_slip_in_the_case_or_the_environment_is_told(world: Path) -> None:
    """Case and environment serve several installations: the plan is made, a note is on stderr, and the run says it too."""
    done = friendshore(world, "plan", "slip.toml", "--json", block="acme-noe")
    assert done.returncode == 0
    for part in ("[use] block names `acme-tow`", "FRIENDSHORE_BLOCK names `acme-noe`", "did you mean `acme-one`?"):
        assert part in done.stderr
    blocked = {block["name"]: block["plugins"] for block in answer(done)["plugins_blocked"]}
    assert blocked == {"acme-tow": [], "acme-noe": []}
    assert "no plugin of that name" in friendshore(world, "plan", "slip.toml").stdout
    for asked in (("why-not", "slip.toml", "tin-au"), ("check", "slip.toml")):
        assert "[use] block names acme-tow" in said(friendshore(world, *asked), 0).replace("`", "")


def test_friendshore_own_kinds_can_be_blocked(world: Path) -> None:
    """A plugin's kind stands in for the built-in one of its name only where the built-in ones are blocked."""
    assert "several plugins bring kind of rule `origin-ban`: friendshore" in said(
        friendshore(world, "plan", "ban.toml")
    )
    done = friendshore(world, "plan", "ban.toml", "--block", "built-in", "--json")
    assert answer(done)["shortage_kg"] == {"tin": {"civil": 5000}}, "their ban keeps the Australian smelter out"
    refused = said(friendshore(world, "plan", "own-ban.toml", "--block", "friendshore", "--block", "acme-bans"))
    assert "kind of rule `origin-ban` belongs to friendshore" in refused
    assert "omit `--block friendshore`" in refused


@pytest.mark.deep
def test_one_kind_of_friendshore_can_be_blocked(world: Path) -> None:
    """A plugin's kind stands in for one built-in kind while the case uses the others; only that name is refused."""
    done = friendshore(world, "plan", "both.toml", "--json", "--out", "both")
    assert answer(done)["shortage_kg"] == {"tin": {"civil": 5000}}
    (blocked,) = answer(done)["plugins_blocked"]
    assert (blocked["name"], blocked["by"]) == ("built-in:origin-ban", ["[use] block"])
    assert [label.split()[0] for label in blocked["plugins"]] == ["friendshore"]
    assert friendshore(world, "verify", "both").returncode == 0
    refused = friendshore(world, "plan", "both.toml", "--block", "acme-bans:origin-ban")
    assert "kind of rule `origin-ban` belongs to" in said(refused)


def test_one_name_of_two_can_be_blocked(world: Path) -> None:
    """A clash of one name costs neither plugin the rest of what it brings, and the list says what is left out."""
    flag = ("--block", "acme-two:tin")
    assert friendshore(world, "plan", "clash.toml", *flag).returncode == 0
    assert "acme-two 1.5: tin blocked" in said(friendshore(world, "plugins", "list", *flag), 0)
    for shown in (("plugins", "list"), ("plugins", "show", "acme-two")):
        whole = said(friendshore(world, *shown, "--block", "acme-two"), 0)
        assert "blocked by --block; fix: omit --block acme-two" in whole


def test_the_flag_is_on_all_commands_but_those_that_look_for_no_plugin() -> None:
    """A new command that looks for plugins cannot leave it out unseen."""
    every = (command_for(one.name) if one.name in own_questions() else one for one in commands(get_command(app)))
    without = {one.name for one in every if not any("--block" in parameter.opts for parameter in one.params)}
    assert without == {"init"}


def test_a_program_that_blocks_has_it_in_its_run(tmp_path: Path) -> None:
    """What the call rules out is told like the rest, and a name that rules out nothing is left to the caller to look at."""
    write_catalog(tmp_path / "mine", "mine")
    (tmp_path / "case.toml").write_text(CASE.replace("CATALOG", "./mine"))
    registry = Registry.of().blocking(["built-in:tariff", "nobody"], Blocker.CALL)
    run = plan(load_case(tmp_path), registry=registry).run
    told = [(block.name, block.by) for block in run.plugins_blocked]
    assert told == [("built-in:tariff", ["blocked="]), ("nobody", ["blocked="])]
    (idle,) = registry.idle_blocks(Blocker.CALL)
    assert idle.message.startswith("blocked= names `nobody`")


@pytest.fixture(scope="module")
def run(world: Path) -> Path:
    """A run made with the plugin's kind in the place of the built-in one."""
    said(friendshore(world, "plan", "ban.toml", "--block", "built-in", "--out", "run"), 0)
    return world / "run"


@pytest.mark.deep
def test_a_run_is_verified_and_asked_with_the_same_blocks(world: Path, run: Path) -> None:
    """Nothing need be said again: the run knows what it was made without."""
    said(friendshore(world, "verify", str(run)), 0)
    assert "our ban" in said(friendshore(world, "why-not", str(run), "tin-au"), 0)
    without = friendshore(world, "verify", str(run), "--block", "acme-bans")
    assert "rule `r` is left unverified: kind of rule `origin-ban` belongs to" in said(without)


@pytest.mark.parametrize("name", few(["acme-one", "Acme_One", "acme-one:tin"], 1))
def test_a_run_cannot_block_what_it_was_made_with(world: Path, tmp_path: Path, name: str) -> None:
    """Nobody who changes a run keeps its data from being compared with what is installed by calling that blocked."""
    out = tmp_path / "run"
    said(friendshore(world, "plan", "settled.toml", "--out", str(out)), 0)
    said(friendshore(world, "verify", str(out)), 0)
    told = json.loads((out / "run.json").read_text())
    told["plugins_blocked"].append({"name": name, "by": ["--block"], "plugins": []})
    (out / "run.json").write_text(json.dumps(told))
    assert f"FS615 the run states that it was made without `{name}`, but uses catalog tin of it" in said(
        friendshore(world, "verify", str(out)), 4
    )


def test_a_run_is_left_unverified_where_its_blocks_are_taken_out(world: Path, run: Path, tmp_path: Path) -> None:
    """Without the block the name is a clash again; and friendshore's own kind is never taken for the plugin's."""
    bare = shutil.copytree(run, tmp_path / "bare")
    told = json.loads((bare / "run.json").read_text())
    (bare / "run.json").write_text(json.dumps({**told, "plugins_blocked": []}))
    resum(bare)
    assert "several plugins bring kind of rule `origin-ban`: friendshore" in said(
        friendshore(world, "verify", str(bare))
    )
    elsewhere = friendshore(world, "verify", str(bare), site="empty")
    assert "rule `r` is left unverified: it was evaluated by acme-bans 1.5" in said(elsewhere)
