"""Slips that would make a plan call lawful what is not, or leave unsaid what it does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore.recommend.check import check

from .program import here

BAN = 'phases = [{ from = 2027-01-01, status = "enacted" }]'
RECIPE = "offer,role,material,per_unit,source\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the starter case: Canadian gallium for defense, Chinese for lamps."""
    write_starter(tmp_path / "case")
    return tmp_path / "case"


def edit(folder: Path, *changes: tuple[str, str], file: str = "case.toml") -> Path:
    """Replace texts of a file. An empty first text appends."""
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new) if old else f"{text}\n{new}\n"
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def plan(folder: Path) -> dict[str, Any]:
    """Return the plan as JSON."""
    done = here("plan", folder, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def chinese_for_defense(run: dict[str, Any]) -> bool:
    """Return True if Chinese gallium serves defense."""
    return any(p["offer"] == "guangxi-gallium" and "defense" in p["end_use"] for p in run["purchases"])


def accepted(run: dict[str, Any]) -> str:
    """Return what the case accepts beyond the usual."""
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
    "license for a rule of origin": (("", '[[license]]\nrule = "defense-origin"'), "FS244"),
    "change that ends before it begins": (
        ("", '[[scenario]]\nname = "x"\nchange = [{ move = "defense-origin", from = 2029-01-01, until = 2028-01-01 }]'),
        "before",
    ),
    "more than all capacity": (
        ("", '[[scenario]]\nname = "x"\nchange = [{ accept = "construction", factor = 5 }]'),
        "at most all",
    ),
    "mass that no plan can add up": (('per_year = "2 t"', 'per_year = "1e400 t"'), "FS013"),
    "price that hides every other": (('"5000 USD/kg"', '"1e30 USD/kg"'), "FS013"),
    "store of nothing": (("", '[[store]]\nmaterial = "galium-4n"\nlimit = "0"'), "did you mean `gallium-4n`"),
    "ten thousand periods": (("periods = 6 ", "periods = 10000 "), "1,200"),
}


@pytest.mark.parametrize("slip", REFUSED)
def test_slips_are_refused(folder: Path, slip: str) -> None:
    """What would silently disable a rule, or end in a wrong figure, is refused with a way out."""
    change, words = REFUSED[slip]
    assert any(words in str(error) for error in check(edit(folder, change), Registry.of()).errors)


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
    """With `unproven = true` the plan says so above the mix and on the screen, and names offer, kilograms, and rule."""
    edit(folder, ("refined,CN,yes", "refined,CN;JP,yes"), file="catalog/chain.csv")
    edit(folder, ("[accept]", "[accept]\nunproven = true"))
    run = plan(folder)
    assert chinese_for_defense(run)
    assert "unproven origins, and exports" in accepted(run)
    told = [a["text"] for a in run["assumptions"] if a["subject"] == "guangxi-gallium"]
    assert any("without proof" in text and "kg" in text and "defense-origin" in text for text in told)
    text = here("plan", folder, "--full").stdout
    assert text.index("unproven origins, and exports") < text.index("Mix, by time")
    assert "unproven origins, and exports" in here("plan", folder).stdout


def test_departures_from_enacted_law_are_told(folder: Path) -> None:
    """Disabled law, weak evidence, and a declared end use that no rule names are assumptions."""
    run = plan(edit(folder, ("[accept]", '[accept]\nrule_status = ["pending"]')))
    assert "enacted law doesn't apply" in accepted(run)
    assert "evidence rated `assumed` or better" in accepted(run)
    edit(
        folder, ('rule_status = ["pending"]', 'end_uses = ["lamps"]'), ('end_use = "defense"\n', 'end_use = "lamps"\n')
    )
    assert "no rule names the end use `lamps`" in accepted(plan(folder))


def test_a_license_in_hand_is_not_asked_for(folder: Path) -> None:
    """A use whose license the case records is not unproven."""
    edit(folder, ("", '[[rule]]\nkind = "export-control"\nid = "cn"\nexporters = ["CN"]\neffect = "license"'))
    assert any(row["rule"] == "cn" for row in plan(folder)["unproven"])
    assert not any(row["rule"] == "cn" for row in plan(edit(folder, ("", '[[license]]\nrule = "cn"')))["unproven"])


def test_a_wide_gap_is_not_called_optimal(folder: Path) -> None:
    """Whoever accepts a wide gap is not told that the plan is the cheapest."""
    done = json.loads(here("plan", folder, "--json", "--gap", "2").stdout)
    assert (done["status"] == "optimal") == (done["gap"] <= 1e-4)


LISTED = """
[[rule]]
kind = "export-control"
id = "listed"
exporters = ["CN"]
effect = "prohibit"
buyers = ["Example Metals"]
"""


def test_a_listed_maker_gets_nothing_from_who_listed_it(folder: Path) -> None:
    """A control that names the maker applies to inputs at its site; without a site, the plan says that it doesn't apply."""
    recipe = folder / "catalog" / "recipe.csv"
    recipe.write_text(f"{RECIPE}quebec-gallium,input,gallium-4n,1.1,invented\n", encoding="utf-8")
    edit(folder, ("", LISTED))
    assert "Example Metals, but doesn't apply to purchases for its plant `quebec`" in accepted(plan(folder))
    places = (
        ("country,source", "country,place,source"),
        (",CA,", ",CA,becancour,"),
        (",CN,", ",CN,,"),
        (",AU,", ",AU,,"),
    )
    run = plan(edit(folder, *places, file="catalog/facilities.csv"))
    assert "no `place`" not in accepted(run)
    assert not any(p["place"] == "becancour" and p["offer"] == "guangxi-gallium" for p in run["purchases"])


def test_chinese_dysprosium_does_not_go_to_a_listed_magnet_maker(tmp_path: Path) -> None:
    """MP Materials is on China's list of 2026-06-22; its plants have sites, so the list applies to their inputs."""
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
[assume.license]
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


def test_a_rule_that_never_applies_is_pointed_out(folder: Path) -> None:
    """A rule without a phase is no mistake."""
    rule = '[[rule]]\nkind = "origin-ban"\nid = "timeless"\nstages = ["mined"]\ncountries = ["CN"]\nphases = []'
    found = check(edit(folder, ("", rule)), Registry.of())
    assert found.errors == ()
    assert any("rule `timeless` has no phase" in one.message for one in found.suggestions)


def test_a_pack_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    """As a Windows editor saves it."""
    (folder / "pack").mkdir()
    text = (
        '\ufeffschema = 1\nid = "mine"\ntitle = "x"\nauthority = "x"\nas_of = 2026-01-01\nlicense = "x"\n'
        '[[rule]]\nkind = "origin-ban"\nid = "r1"\ntitle = "x"\ncitation = "x"\nsource = "x"\nstages = ["refined"]\n'
        'countries = ["CN"]\n'
    )
    (folder / "pack" / "pack.toml").write_text(text, encoding="utf-8")
    assert here("check", edit(folder, ("packs = []", 'packs = ["./pack"]'))).returncode == 0


@pytest.mark.parametrize(("ore", "code"), [(True, 6), (False, 0)], ids=["mixed", "scrap alone"])
def test_a_floor_on_recycled_feed_counts_no_mixed_feed(folder: Path, ore: bool, code: int) -> None:
    """A maker that takes both scrap and ore doesn't meet the floor."""
    floor = '[[rule]]\nkind = "min-share"\nfeed = "recycled"\nstage = "mined"\nshare = "1%"\nper = "horizon"'
    edit(folder, ("", floor))
    chain = folder / "catalog" / "chain.csv"
    text = chain.read_text(encoding="utf-8").replace("complete,source", "complete,feed,source")
    rows = [row if "feed" in row else row.replace(",invented", ",,invented") for row in text.splitlines()]
    rows = [row for row in rows if ore or not row.startswith("quebec-gallium,mined")]
    chain.write_text("\n".join([*rows, "quebec-gallium,collection,CA,yes,recycled,invented\n"]), encoding="utf-8")
    assert here("plan", folder, "--strict-limits", "-q").returncode == code


def test_what_is_assumed_of_makers_is_told(folder: Path) -> None:
    """That a maker separates what it makes for different uses, and outputs that nobody published, are assumptions."""
    lines = (("input", "gallium-4n", 2), ("output", "gallium-4n", 1), ("output", "slag", 0.5))
    rows = (f"quebec-gallium,{role},{material},{amount},invented\n" for role, material, amount in lines)
    (folder / "catalog" / "recipe.csv").write_text(RECIPE + "".join(rows), encoding="utf-8")
    edit(folder, ("quebec,gallium-4n,700", "quebec,,700"), file="catalog/offers.csv")
    slag = "mined;refined,invented\nslag,Slag,Ga,oxide,,gross,0.1,,,invented"
    edit(folder, ("mined;refined,invented", slag), file="catalog/materials.csv")
    pin = '[[rule]]\nkind = "pin"\noffer = "quebec-gallium"\nmaterial = "gallium-4n"\nat_least = "60 kg"'
    texts = [a["text"] for a in plan(edit(folder, ("", pin)))["assumptions"]]
    assert any("separates its products" in text for text in texts)
    assert any("gives 0.5 kg of slag" in text for text in texts)


def test_amounts_that_some_read_a_thousandfold_larger_are_pointed_out(folder: Path) -> None:
    """`5,000 USD/kg` is five thousand here and five elsewhere, `1.200 t` the reverse; the plan is made all the same."""
    edit(folder, ('"5000 USD/kg"', '"5,000 USD/kg"'))
    edit(folder, ("540 USD/kg", '"1,540 USD/kg"'), file="catalog/offers.csv")
    (folder / "demand.csv").write_text("id,material,end_use,per_year\nmore,gallium-4n,civil,1.200 t\n")
    unnamed = [one for one in check(folder, Registry.of()).suggestions if one.code == "FS647"]
    assert [Path(one.file).name for one in unnamed] == ["demand.csv"]
    edit(folder, ("catalogs = ", 'demand = "demand.csv"\ncatalogs = '))
    suggestions = check(folder, Registry.of()).suggestions
    assert not any(one.code == "FS647" for one in suggestions)
    found = {Path(one.file).name: one for one in suggestions if "ambiguous" in one.message}
    line = next(n for n, text in enumerate((folder / "case.toml").read_text().splitlines(), 1) if "5,000" in text)
    assert (found["case.toml"].row, found["case.toml"].fix) == (line, "write `5000 USD/kg` or `5 USD/kg`")
    assert (found["offers.csv"].column, found["offers.csv"].fix) == ("price", "write `1540 USD/kg` or `1.54 USD/kg`")
    demand = found["demand.csv"]
    assert (demand.row, demand.column, demand.fix) == (2, "demand.per_year", "write `1.2 t` or `1200 t`")
    assert {demand["shortage_price"] for demand in plan(folder)["demands"]} >= {5000}
