"""`[plugin.NAME]` of a case and the facts of the case make rules: they are a pack like any other, in the plan, in the run, and where a run is verified."""

from __future__ import annotations

import os
import re
import textwrap
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from friendshore import hookspecs
from friendshore.case import load_case
from friendshore.errors import FriendshoreError, InputError, PluginError
from friendshore.plugins import Registry
from friendshore.plugins.isolated import CallResult, OtherProcess
from friendshore.recommend import check_lock, gather, lock_of, plan, verdicts
from friendshore.recommend.check import check
from friendshore.recommend.facts import facts_file
from friendshore.recommend.verify_run import verify_run
from friendshore.rules.pack import digest_of_case_pack
from friendshore.run import write_run
from friendshore_testing.hooks import case_pack_checks

from ..unit import tin_case
from .case_books import friendshore
from .forging import forge

if TYPE_CHECKING:
    from conftest import Site

DEEP = pytest.mark.deep
MANIFEST = "api = 1\nsettings = true\ncase_packs = true\n"
CODE = re.findall(
    r"```python\n(.*?)```", textwrap.dedent("    " + (hookspecs.friendshore_case_packs.__doc__ or "")), re.DOTALL
)[0]
"""The plugin that the documentation of the hook shows."""
CATALOG = {
    "facilities.csv": "id,operator,country,source\nmill,Mill Ltd,MY,s\nhill,Hill Ltd,AU,s\n",
    "capacity.csv": "facility,from,per_year,status,source\nmill,,9 t/year,operating,s\nhill,,9 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,price_source,lead_time,source\nfrom-mill,mill,tin,30 USD/kg,s,0,s\nfrom-hill,hill,tin,40 USD/kg,s,0,s\n",
}
CASE = (
    tin_case.CASE
    + """[plugin.acme-debarred]
names = "debarred.txt"
day = 2026-11-20
"""
)
RULE = "acme-debarred"


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """The file of a case whose cheapest supplier is debarred."""
    site.plugin("acme-debarred", MANIFEST, CODE)
    tin_case.write_catalog(tmp_path, CATALOG)
    tin_case.write_case(tmp_path, CASE)
    (tmp_path / "debarred.txt").write_text("Mill Ltd\n")
    return tmp_path / "case.toml"


def bought(case: Path, **asked: Any) -> dict[str, float]:
    """What is planned."""
    made = plan(load_case(case), registry=Registry.discover(), **asked)
    return {line.offer: float(line.quantity_kg) for line in made.run.purchases}


def test_rules_follow_from_what_a_case_sets(case: Path) -> None:
    """They bar as those of any pack do, may be disabled by name, are kept with the run, and are not there without the table."""
    made = plan(load_case(case), registry=Registry.discover())
    assert {line.offer for line in made.run.purchases} == {"from-hill"}
    (rule,) = made.run.rules
    assert (rule.id, rule.pack, rule.citation) == (RULE, RULE, "our terms, 4.2")
    used = {(one.kind, one.name): one for one in made.run.plugins}
    assert (used["pack", RULE].distribution, str(used["pack", RULE].as_of)) == ("acme-debarred 1.0", "2026-11-20")
    assert ("plugin", "acme-debarred") in used
    (case.parent / "debarred.txt").write_text("Nobody\n")
    assert bought(case) == {"from-mill": 1000}
    (case.parent / "debarred.txt").unlink()
    case.write_text(CASE.partition("[plugin")[0])
    assert bought(case) == {"from-mill": 1000}


def test_a_change_names_such_a_rule(case: Path) -> None:
    """A scenario disables it, and a name that is misspelt is told."""
    scenario = '[[scenario]]\nname = "free"\nchange = [{ disable = "acme-debarred" }]\n'
    case.write_text(CASE + scenario)
    assert bought(case, scenario="free") == {"from-mill": 1000}
    assert not check(case, Registry.discover()).errors
    case.write_text(CASE + scenario.replace('"acme-debarred"', '"acme-debared"'))
    assert "acme-debared" in str(check(case, Registry.discover()).errors)


def test_a_lock_refuses_other_rules(case: Path) -> None:
    """The pack is locked like one that is installed."""
    before = lock_of(gather(load_case(case), Registry.discover()))
    (case.parent / "debarred.txt").write_text("Hill Ltd\n")
    with pytest.raises(PluginError, match=r"FS620 pack `acme-debarred` .*rule acme-debarred"):
        check_lock(before, lock_of(gather(load_case(case), Registry.discover())), Path("lock"))


OLD = CODE.replace(
    "as_of=facts.settings.day,", "as_of=facts.settings.day, good_until=facts.settings.day, notes=('one name',),"
)


def command(*words: str | Path) -> tuple[int, str]:
    """Exit code and output on 2026-11-27."""
    done = friendshore(*words, SOURCE_DATE_EPOCH="1795737600", COLUMNS="300")
    return done.exit_code, " ".join(done.output.split())


@DEEP
def test_what_is_older_than_the_case_allows(site: Site, case: Path) -> None:
    """It is told with its age by plan and check, and refused by both where they are strict."""
    site.plugin("acme-debarred", MANIFEST, OLD)
    for words in (["plan"], ["check"]):
        code, told = command(*words, case)
        assert code == 0, told
        assert all(one in told for one in ("as of 2026-11-20, 7 days old", "one name", "older than the case allows"))
        code, told = command(*words, case, "--strict")
        assert (code, "`acme-debarred` is older than the case allows" in told) == (2, True), told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", "failed in its hook `friendshore_case_packs`: ZeroDivisionError"),
        ("import os; os._exit(0)", "ended its process with exit code 0 during its hook `friendshore_case_packs`"),
        pytest.param("import time; time.sleep(600)", "did not finish its hook `friendshore_case_packs` within 3 s", marks=DEEP),
        pytest.param("return [1]", "must yield rule packs; found 1", marks=DEEP),
        ("return [RulePack(id='p', title='t', as_of=facts.settings.day, rules=({'kind': 'exclude', 'id': 'x', 'facilities': ['mill']},))]", "whose rule x has no citation"),
        pytest.param("return [RulePack(id='p', title='t', as_of=facts.settings.day)] * 2", "two rule packs of the same name", marks=DEEP),
        pytest.param("return [RulePack(id='p', title='t', as_of=facts.settings.day, rules=({'a': object()},))]", "contains values that aren't plain data", marks=DEEP),
        ("return [RulePack(id='p', title='t', as_of=facts.settings.day, rules=({'kind': 'exclud', 'id': 'x', 'citation': 'c'},))]", "acme-debarred 1.0, pack p, rule `x`.*`exclud`"),
        ("pass", "its hook `friendshore_case_packs` returns None"),
        pytest.param("return []\n\n\ndel friendshore_case_packs", "it has no hook `friendshore_case_packs`", marks=DEEP),
        ("from friendshore.errors import InputError; raise InputError('is of no use', 'debarred.txt', 1)", r"^debarred\.txt:1: is of no use$"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(
    site: Site, case: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    """What raises, hangs, ends its process or yields what is no pack: named, and this process is well; a mistake in the case is told as the plugin says."""
    monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "3")
    head, _, _ = CODE.partition("    debarred = set(")
    site.plugin("acme-debarred", MANIFEST, f"{head}    {body}\n")
    with pytest.raises(FriendshoreError, match=message):
        gather(load_case(case), Registry.discover())


def test_two_packs_of_one_name(case: Path) -> None:
    """A pack that the case names must not be taken for one that follows from it."""
    (case.parent / "law").mkdir()
    text = 'schema = 1\nid = "acme-debarred"\ntitle = "T"\nas_of = 2026-01-01\n'
    (case.parent / "law" / "pack.toml").write_text(text)
    case.write_text(CASE.replace("[use]\n", '[use]\npacks = ["./law"]\n'))
    with pytest.raises(InputError, match="two rule packs are called `acme-debarred`"):
        gather(load_case(case), Registry.discover())


def test_a_manifest_without_settings(site: Site) -> None:
    """There would be nothing for rules to follow from."""
    site.plugin("acme-debarred", "api = 1\ncase_packs = true\n", CODE)
    assert "takes no settings" in "".join(one.error for one in Registry.discover().plugins)


def test_two_editions_of_what_a_case_sets(case: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """`watch` puts each in the place of the case's own, key by key; paths in it start where it lies."""
    site.official("friendshore-watch")
    monkeypatch.setenv("FRIENDSHORE_PLUGIN_LIMIT", "0")
    for name, who in (("old", "Hill Ltd"), ("new", "Mill Ltd")):
        (case.parent / name).mkdir()
        (case.parent / name / "names.txt").write_text(f"{who}\n")
        (case.parent / name / "edition.toml").write_text('[plugin.acme-debarred]\nnames = "names.txt"\n')
    (case.parent / "debarred.txt").unlink()
    code, told = command(
        "watch", case.parent / "old" / "edition.toml", case.parent / "new" / "edition.toml", case, "--full"
    )
    assert code == 7, told
    assert "2 verdicts change in 1 of 1 case; 1 of them was lawful before." in told
    assert "New edition: settings acme-debarred.names" in told
    assert "tin civil 2027-01-01 to 2027-12-31 lawful prohibited 1 t 30,000 acme-debarred" in told


# ------------------------------------------------------------------------------------------------ runs


@pytest.fixture
def run(case: Path) -> Path:
    """A run of the case."""
    found = plan(load_case(case), registry=Registry.discover())
    write_run(case.parent / "run", found.run, found.facts(), verdicts(found.plan))
    return case.parent / "run"


def test_a_run_is_verified_with_and_without_its_list(case: Path, run: Path) -> None:
    """By the rules that it carries; with the case they are made again and compared; without the plugin they are asked all the same."""
    alone = verify_run(run, Registry.discover())
    assert alone.verified
    assert any(
        "pack acme-debarred, 1 rule, made by acme-debarred 1.0 of [plugin.acme-debarred]: give --case" in one
        for one in alone.unvouched
    )
    again = verify_run(run, Registry.discover(), case)
    assert again.verified
    assert any(line == "pack acme-debarred, 1 rule: as the case has it" for line in again.vouched)
    assert verify_run(run, Registry.of()).verified
    (case.parent / "debarred.txt").write_text("Mill Ltd\nHill Ltd\n")
    assert any("facilities" in one.message for one in verify_run(run, Registry.discover(), case).findings)


def bent(facts: dict[str, Any], how: str) -> None:
    """`weakened`: the rule is about another plant; `struck`: it is not there; `gone`: nor is its pack; `unset`: nor did the case set anything."""
    if how == "weakened":
        facts["rules"][0]["data"]["facilities"] = ["other"]
        return
    facts["rules"] = []
    if how in ("gone", "unset"):
        facts["packs"] = []
        facts["plugins"] = [one for one in facts["plugins"] if one["kind"] == "catalog"]
        del facts["named"]["pack acme-debarred"]
    if how == "unset":
        del facts["case"]["settings"]


def resealed(facts: dict[str, Any]) -> None:
    """The digest of the pack is that of what is left of it."""
    if facts.get("packs"):
        file = facts_file(facts)
        made = digest_of_case_pack(file.packs[0], [rule.data for rule in file.rules])
        facts["packs"][0]["digest"] = made
        next(one for one in facts["plugins"] if one["kind"] == "pack")["digest"] = made


@DEEP
@pytest.mark.parametrize("how", ["struck", "weakened", "gone", "unset"])
def test_a_run_without_its_rule_is_refused(case: Path, run: Path, how: str) -> None:
    """Planned from facts whose rule was deleted or weakened, and written as friendshore writes it, it does not hold beside the case, by whatever hash; and by
    its own hash it does not hold without the case, nor is it vouched for where that hash is made anew.
    """
    registry = Registry.discover()
    assert verify_run(run, registry, case).verified
    simple = forge(run, case.parent / "simple", lambda facts: bent(facts, how), registry)
    clever = forge(run, case.parent / "clever", lambda facts: (bent(facts, how), resealed(facts))[0], registry)
    for forged in (simple, clever):
        assert not verify_run(forged, registry, case).verified
    if how in ("struck", "weakened"):
        assert "FS616" in [finding.code for finding in verify_run(simple, registry).findings]
    if how != "unset":
        assert any("[plugin.acme-debarred]" in one for one in verify_run(clever, registry).unvouched)


def test_another_process_is_asked_one_thing_after_another() -> None:
    """The same one, until it ends of what it is asked or is given up: then another is asked what comes next, and the last ends with who asks."""
    with closing(OtherProcess()) as process:
        pids = [process.call("builtins:eval", "__import__('os').getpid()").answer for _ in range(2)]
        assert pids[0] == pids[1] != os.getpid()
        assert process.call("os:_exit", 3) == CallResult(3)
        assert process.call("builtins:eval", "__import__('time').sleep(600)", 0.05) == CallResult(None)
        assert process.call("builtins:eval", "input()", 30) == CallResult(1)  # nothing of what is asked can be read
        assert process.call("builtins:eval", "1 + 1") == CallResult(0, 2)


# ------------------------------------------------------------------------------------------------ the conformance kit


EASY = [
    ("names: str\n", 'names: str = "none.txt"\n'),
    ("day: date\n", "day: date = date(2026, 11, 20)\n"),
    ('set((facts.folder_of("names") / facts.settings.names).read_text(encoding="utf-8").splitlines())', "set()"),
]
"""What makes a plugin of it that needs no settings."""


@DEEP
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "needs settings"),
        (EASY, ""),
        ([*EASY, ('title="Debarred suppliers"', "title=__import__('random').random().hex()")], "something else"),
    ],
)
def test_the_kit_asks_for_packs(site: Site, changes: list[tuple[str, str]], said: str) -> None:
    """Of made-up cases, with nothing set: what is not the same twice is told; a plugin that needs settings is not asked."""
    code = CODE
    for old, new in changes:
        assert old in code
        code = code.replace(old, new)
    site.plugin("acme-debarred", MANIFEST, code)
    registry = Registry.discover()
    (info,) = [one for one in registry.plugins if one.distribution == "acme-debarred"]
    (check_,) = case_pack_checks(info, registry)
    outcome = check_.outcome()
    told = outcome.skip_reason or "; ".join(map(str, outcome.problems))
    assert said in told
    assert bool(said) is bool(told)
