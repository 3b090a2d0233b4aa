"""Slips that would make a plan call lawful what is not, or leave unsaid what it does not know."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from friendshore.cli.cases import write_starter

from .program import CLOSED, call, here

BAN = 'phases = [{ from = 2027-01-01, status = "enacted" }]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter case: Canadian gallium for defence, Chinese for lamps."""
    write_starter(tmp_path / "case")
    return tmp_path / "case"


def edit(folder: Path, *changes: tuple[str, str], file: str = "case.toml") -> Path:
    """Replaces texts of a file; an empty first text appends."""
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new) if old else f"{text}\n{new}\n"
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def friendshore(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line, in this process where it asks for no environment of its own, without a traceback."""
    done = call([*map(str, args)], {**os.environ, **env}) if env else here(*args)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def plan(folder: Path) -> dict[str, Any]:
    """The plan as JSON."""
    done = friendshore("plan", folder, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def chinese_for_defense(run: dict[str, Any]) -> bool:
    """Whether Chinese gallium serves defence."""
    return any(p["offer"] == "guangxi-gallium" and "defense" in p["end_use"] for p in run["purchases"])


def accepted(run: dict[str, Any]) -> str:
    """What the case accepts beyond the usual."""
    return "; ".join(a["text"] for a in run["assumptions"] if a["subject"] == "accepted")


REFUSED = {
    "misspelt country": (('place = "US" ', 'place = "Untied States" '), "did you mean `United States`"),
    "rule for an end use that no demand can have": (('end_uses = ["defense"]', 'end_uses = ["defence"]'), "defense"),
    "export control dated by order": (
        ("", '[[rule]]\nkind = "export-control"\nexporters = ["CN"]\neffect = "prohibit"\ndated_by = "order"'),
        "rule of origin",
    ),
    "waiver for no demand": (
        ("", '[[waiver]]\nrule = "defense-origin"\ndemand = "radr"\nquantity = "1 t"'),
        "did you mean `radar`",
    ),
    "licence for a rule of origin": (("", '[[licence]]\nrule = "defense-origin"'), "no export control"),
    "change that ends before it begins": (
        ("", '[[scenario]]\nname = "x"\nchange = [{ move = "defense-origin", from = 2029-01-01, until = 2028-01-01 }]'),
        "before",
    ),
    "more than all capacity": (
        ("", '[[scenario]]\nname = "x"\nchange = [{ accept = "construction", factor = 5 }]'),
        "more than all",
    ),
    "mass that no plan can add up": (('per_year = "2 t"', 'per_year = "1e400 t"'), "no more than"),
    "price that hides every other": (('"5000 USD/kg"', '"1e30 USD/kg"'), "no more than"),
    "ten thousand periods": (("periods = 6 ", "periods = 10000 "), "1,200"),
}


@pytest.mark.parametrize("slip", REFUSED)
def test_slips_are_refused(folder: Path, slip: str) -> None:
    """What would silently let a rule fall away, or end in a wrong figure, is refused with its place and a way out."""
    change, words = REFUSED[slip]
    done = friendshore("check", edit(folder, change))
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("value", ["true", '"yes"', '"sheet"', "1"])
def test_a_fact_that_does_not_answer_the_test_opens_no_exception(folder: Path, value: str) -> None:
    """`mill_product = "sheet"` is not a no: the exception for off-the-shelf items stays shut."""
    exception = (
        'exceptions = [{ id = "cots", when = [{ fact = "cots", equals = true }], '
        'unless = [{ fact = "mill_product", equals = true }] }]'
    )
    stated = ('end_use = "defense"\n', f'end_use = "defense"\ncots = true\nmill_product = {value}\n')
    assert not chinese_for_defense(plan(edit(folder, (BAN, f"{exception}\n{BAN}"), stated)))


def test_what_is_let_pass_without_proof_is_told(folder: Path) -> None:
    """With `unproven = true` the plan says so above the mix, and names offer, kilograms and reason."""
    edit(folder, ("refined,CN,yes", "refined,CN;JP,yes"), file="catalog/chain.csv")
    edit(folder, ("[accept]", "[accept]\nunproven = true"))
    run = plan(folder)
    assert chinese_for_defense(run)
    assert "not proved is let pass" in accepted(run)
    told = [a["text"] for a in run["assumptions"] if a["subject"] == "guangxi-gallium"]
    assert any("without proof" in text and "kg" in text and "defense-origin" in text for text in told)
    text = friendshore("plan", folder, "--full").stdout
    assert text.index("not proved is let pass") < text.index("Mix, by time")
    assert "not proved is let pass" in friendshore("plan", folder).stdout, "no short form leaves it out"


def test_departures_from_enacted_law_are_told(folder: Path) -> None:
    """Enacted law switched off, weak evidence and an end use that no rule names stand among the assumptions."""
    run = plan(edit(folder, ("[accept]", '[accept]\nrule_status = ["pending"]')))
    assert "enacted law does not apply" in accepted(run)
    assert "from `assumed` on" in accepted(run)
    edit(folder, ('rule_status = ["pending"]\n', ""), ('end_use = "defense"\n', 'end_use = "lamps"\n'))
    assert "no rule names the end use `lamps`" in accepted(plan(folder))


def test_a_licence_in_hand_is_not_asked_for(folder: Path) -> None:
    """A use whose licence the case records is not listed as kept out for want of one."""
    control = '[[rule]]\nkind = "export-control"\nid = "cn"\nexporters = ["CN"]\neffect = "licence"'
    edit(folder, ("", control))
    assert any(row["rule"] == "cn" for row in plan(folder)["unproven"])
    assert not any(row["rule"] == "cn" for row in plan(edit(folder, ("", '[[licence]]\nrule = "cn"')))["unproven"])


def test_nothing_is_made_of_less_of_itself(folder: Path) -> None:
    """Recipes that go round in a circle with a gain are refused: a plan would draw material out of nothing."""
    recipe = folder / "catalog" / "recipe.csv"
    header = "offer,role,material,per_unit,source\n"
    recipe.write_text(header + "quebec-gallium,input,gallium-4n,0.5,invented\n", encoding="utf-8")
    done = friendshore("plan", folder)
    assert done.returncode == 2
    assert "quebec-gallium" in done.stderr
    assert "1 kg of gallium-4n left over" in done.stderr
    recipe.write_text(header + "quebec-gallium,input,gallium-4n,1.1,invented\n", encoding="utf-8")
    assert friendshore("plan", folder, "-q").returncode == 0


def test_a_wide_gap_is_not_called_optimal(folder: Path) -> None:
    """Who asks for any plan within a wide gap is not told that it is the cheapest."""
    done = json.loads(friendshore("plan", folder, "--json", "--gap", "2").stdout)
    assert (done["status"] == "optimal") == (done["gap"] <= 1e-4)


@pytest.mark.parametrize("columns", ["0", "1", "40"])
def test_no_width_swallows_the_answer(folder: Path, columns: str) -> None:
    """However narrow the terminal says it is, the status is read in one piece."""
    assert "optimal" in friendshore("plan", folder, "-q", COLUMNS=columns).stdout


def test_a_closed_stdout_is_no_failure(folder: Path) -> None:
    """Whoever closes stdout gets the exit code alone."""
    done = call(["plan", str(folder)], os.environ, stdout=CLOSED)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def _without_rule(run: dict[str, Any], facts: dict[str, Any]) -> None:
    run["rules"] = [r for r in run["rules"] if r["id"] != "us-232-critical-minerals"]
    facts["rules"] = [r for r in facts["rules"] if r["data"]["id"] != "us-232-critical-minerals"]


def _weaker_rule(run: dict[str, Any], facts: dict[str, Any]) -> None:
    rule = next(r["data"] for r in facts["rules"] if r["data"]["id"] == "us-mfn-gallium")
    rule["note"] = "as I remember it"


@pytest.mark.parametrize("forge", [_without_rule, _weaker_rule])
def test_facts_are_held_against_the_installed_pack(
    folder: Path, tmp_path: Path, forge: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """A rule dropped from run and facts alike, or changed in the facts, is found out by the installed pack of that hash."""
    edit(folder, ("packs = []", 'packs = ["us-tariffs"]'))
    out = tmp_path / "run"
    assert friendshore("plan", folder, "-q", "--out", out).returncode == 0
    assert friendshore("verify", out).returncode == 0
    run, facts = (json.loads((out / name).read_text(encoding="utf-8")) for name in ("run.json", "facts.json"))
    forge(run, facts)
    for name, data in (("run.json", run), ("facts.json", facts)):
        (out / name).write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    done = friendshore("verify", out)
    assert done.returncode == 4
    assert "pack us-tariffs" in done.stdout + done.stderr


def test_files_nested_without_end_are_refused(folder: Path, tmp_path: Path) -> None:
    """Neither TOML nor JSON can be nested so deeply that reading breaks down."""
    (folder / "case.toml").write_text("x = " + "[" * 100_000, encoding="utf-8")
    assert friendshore("check", folder).returncode == 2


LISTED = """
[[rule]]
kind = "export-control"
id = "listed"
exporters = ["CN"]
effect = "prohibit"
buyers = ["Example Metals"]
"""


def test_a_listed_maker_gets_nothing_from_who_listed_it(folder: Path) -> None:
    """A control that names the maker bears on its inputs where it has a site; where it has none, the plan says that it does not."""
    header = "offer,role,material,per_unit,source\n"
    recipe = folder / "catalog" / "recipe.csv"
    recipe.write_text(header + "quebec-gallium,input,gallium-4n,1.1,invented\n", encoding="utf-8")
    edit(folder, ("", LISTED))
    assert "Example Metals, whose plant `quebec` has no `place`" in accepted(plan(folder))
    facilities = folder / "catalog" / "facilities.csv"
    text = facilities.read_text(encoding="utf-8").replace("country,source", "country,place,source")
    text = text.replace(",CA,", ",CA,becancour,").replace(",CN,", ",CN,,").replace(",AU,", ",AU,,")
    facilities.write_text(text, encoding="utf-8")
    run = plan(folder)
    assert "no `place`" not in accepted(run)
    assert not any(p["place"] == "becancour" and p["offer"] == "guangxi-gallium" for p in run["purchases"])


def test_chinese_dysprosium_does_not_go_to_a_listed_magnet_maker(tmp_path: Path) -> None:
    """MP Materials is on China's list of 2026-06-22: its plants have sites, so that the list bears on their inputs."""
    case = """
schema = 1
[case]
name = "mp"
start = 2027-01-01
periods = 1
period = "year"
place = "US"
[use]
catalogs = ["world", "usgs-2026"]
packs = ["cn-export-controls"]
[assume.licence]
civil = "granted"
[[demand]]
material = "ndfeb-magnet-dy"
end_use = "civil"
per_year = "5000 t"
shortage_price = "1,000,000 USD/kg"
"""
    (tmp_path / "case.toml").write_text(case, encoding="utf-8")
    blocked = plan(tmp_path)["blocked"]
    assert any(row["rule"] == "cn-el-2026-06-22" and row["offer"] == "cn-dy-oxide" for row in blocked)


def test_rules_that_bear_on_nothing_are_pointed_out(folder: Path) -> None:
    """A rule of the case without a phase is no mistake, but never applies: `check` says so. One about an element by its name is refused."""
    rule = '[[rule]]\nkind = "origin-ban"\nid = "{}"\nstages = ["mined"]\ncountries = ["CN"]\n{}'
    edit(folder, ("", rule.format("timeless", "phases = []")))
    done = friendshore("check", folder)
    assert done.returncode == 0
    assert "rule `timeless` has no phase" in " ".join(done.stdout.split())
    edit(folder, ("", rule.format("by-name", 'elements = ["Gallium"]')))
    refused = friendshore("check", folder)
    assert refused.returncode == 2
    assert "Gallium" in refused.stderr


def test_a_store_of_nothing_is_refused(folder: Path) -> None:
    """A limit on a material that no catalog knows would limit nothing."""
    done = friendshore("check", edit(folder, ("", '[[store]]\nmaterial = "galium-4n"\nlimit = "0"')))
    assert done.returncode == 2
    assert "did you mean `gallium-4n`" in done.stderr


def test_a_pack_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    """A pack saved by a Windows editor is read like a case or a catalog."""
    pack = folder / "pack"
    pack.mkdir()
    text = (
        'schema = 1\nid = "mine"\ntitle = "x"\nauthority = "x"\nas_of = 2026-01-01\nlicence = "x"\n'
        '[[rule]]\nkind = "origin-ban"\nid = "r1"\ntitle = "x"\ncitation = "x"\nsource = "x"\nstages = ["refined"]\n'
        'countries = ["CN"]\n'
    )
    (pack / "pack.toml").write_text("\ufeff" + text, encoding="utf-8")
    done = friendshore("check", edit(folder, ("packs = []", 'packs = ["./pack"]')))
    assert done.returncode == 0, done.stderr


def test_a_floor_on_recycled_feed_counts_no_mixed_feed(folder: Path) -> None:
    """A maker that takes both scrap and ore does not meet a floor on recycled feed; one that takes scrap alone does."""
    floor = '[[rule]]\nkind = "min-share"\nfeed = "recycled"\nstage = "mined"\nshare = "1 %"\nper = "horizon"'
    edit(folder, ("", floor))
    chain = folder / "catalog" / "chain.csv"
    text = chain.read_text(encoding="utf-8").replace("complete,source", "complete,feed,source")
    rows = [row if "feed" in row else row.replace(",invented", ",,invented") for row in text.splitlines()]
    scrap = "quebec-gallium,collection,CA,yes,recycled,invented"
    chain.write_text("\n".join([*rows, scrap]) + "\n", encoding="utf-8")
    assert friendshore("plan", folder, "-q").returncode == 6
    ore = [row for row in rows if not row.startswith("quebec-gallium,mined")]
    chain.write_text("\n".join([*ore, scrap]) + "\n", encoding="utf-8")
    assert friendshore("plan", folder, "-q").returncode == 0


def test_what_is_assumed_of_makers_is_told(folder: Path) -> None:
    """That a maker keeps apart what it makes for different uses, and outputs that nobody published, are assumptions."""
    recipe = folder / "catalog" / "recipe.csv"
    header = "offer,role,material,per_unit,source\n"
    recipe.write_text(
        header
        + "quebec-gallium,input,gallium-4n,2,invented\n"
        + "quebec-gallium,output,gallium-4n,1,invented\nquebec-gallium,output,slag,0.5,invented\n",
        encoding="utf-8",
    )
    edit(folder, ("quebec,gallium-4n,700", "quebec,,700"), file="catalog/offers.csv")
    edit(
        folder,
        ("mined;refined,invented", "mined;refined,invented\nslag,Slag,Ga,oxide,,gross,0.1,,,invented"),
        file="catalog/materials.csv",
    )
    pin = '[[rule]]\nkind = "pin"\noffer = "quebec-gallium"\nmaterial = "gallium-4n"\nat_least = "60 kg"'
    texts = [a["text"] for a in plan(edit(folder, ("", pin)))["assumptions"]]
    assert any("keep apart" in text for text in texts)
    assert any("gives 0.5 kg of slag" in text for text in texts)


def test_amounts_that_some_read_a_thousandfold_larger_are_pointed_out(folder: Path) -> None:
    """`5,000 USD/kg` is five thousand here and five elsewhere, `1.200 t` the reverse: check gives the place, and the plan is made."""
    edit(folder, ('"5000 USD/kg"', '"5,000 USD/kg"'))
    edit(folder, ("540 USD/kg", '"1,540 USD/kg"'), file="catalog/offers.csv")
    (folder / "demand.csv").write_text("id,material,end_use,per_year\nmore,gallium-4n,civil,1.200 t\n")
    unnamed = json.loads(friendshore("check", folder, "--json").stdout)["suggestions"]
    assert any("names no table of demands" in one["message"] and "demand.csv" in one["file"] for one in unnamed)
    edit(folder, ("catalogs = ", 'demand = "demand.csv"\ncatalogs = '))
    told = json.loads(friendshore("check", folder, "--json").stdout)["suggestions"]
    found = {Path(one["file"]).name: one for one in told if "ambiguous" in one["message"]}
    line = next(n for n, text in enumerate((folder / "case.toml").read_text().splitlines(), 1) if "5,000" in text)
    assert (found["case.toml"]["row"], found["case.toml"]["fix"]) == (line, "write `5000 USD/kg` or `5 USD/kg`")
    assert found["offers.csv"]["column"] == "price"
    assert found["offers.csv"]["fix"] == "write `1540 USD/kg` or `1.54 USD/kg`"
    assert (found["demand.csv"]["row"], found["demand.csv"]["fix"]) == (2, "write `1.2 t` or `1200 t`")
    assert not any("names no table of demands" in one["message"] for one in told)
    assert "demand.csv:2 [demand.per_year]: `1.200 t` is ambiguous" in " ".join(
        friendshore("check", folder).stdout.split()
    )
    assert {demand["shortage_price"] for demand in plan(folder)["demands"]} >= {5000}
