"""Rule packs: their lists agree with one another and with the catalog, and their rules are those of the law."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import friendshore
from friendshore.catalog import load_catalog
from friendshore.domain.change import Change
from friendshore.domain.countries import GROUPS
from friendshore.plugins import Registry
from friendshore.rules.amend import amended
from friendshore.rules.base import Rule
from friendshore.rules.kinds import ExportControl, MaxShare, MinShare, OriginBan, Tariff
from friendshore.rules.pack import RulePack, read_pack

from .program import here

ROOT = Path(__file__).parents[2]
MATERIALS = load_catalog(ROOT / "catalogs/friendshore_catalogs/materials").materials


def pack_of(name: str) -> tuple[RulePack, tuple[Rule, ...]]:
    """Return a pack of the repository and its rules."""
    (folder,) = ROOT.glob(f"plugins/*/src/*/packs/{name}")
    pack = read_pack(folder)
    return pack, tuple(Registry.of().pack_rules(pack))


CONTROLS = {rule.id: rule for rule in pack_of("cn-export-controls")[1] if isinstance(rule, ExportControl)}
DEFENSE = pack_of("us-10usc4872")[0]
BANS = {rule.id: rule for rule in pack_of("us-10usc4872")[1] if isinstance(rule, OriginBan)}


def covered(*rules: OriginBan | ExportControl) -> set[str]:
    """Return the materials that any of the rules covers."""
    return {m.id for m in MATERIALS if any(rule.covers(m) for rule in rules)}


def tagged(tag: str) -> set[str]:
    """Return the materials that the catalog marks."""
    return {m.id for m in MATERIALS if tag in m.tags}


@pytest.mark.parametrize("name", ["cn-46-1-us-military", "cn-1-japan-military", "cn-el-2026-06-22"])
def test_what_needs_a_license_is_what_military_users_are_refused(name: str) -> None:
    """A prohibition covers the items of all license lists, which the catalog marks."""
    listed = covered(*(rule for rule in CONTROLS.values() if rule.effect == "license"))
    assert covered(CONTROLS[name]) == listed == tagged("cn-dual-use")


def test_the_shares_are_those_of_the_critical_raw_materials_act() -> None:
    """From 2030, 10% mined, 40% processed, and 25% recycled in the Union; at most 65% from any other country."""
    rules = {rule.id: rule for rule in pack_of("eu-crma")[1]}
    floors = {"eu-crma-extraction": 0.10, "eu-crma-processing": 0.40, "eu-crma-recycling": 0.25}
    assert len(rules) == 8
    for rule in rules.values():
        assert isinstance(rule, MaxShare | MinShare)
        assert float(rule.share) == floors.get(rule.id, 0.65)
        assert (rule.phases[0].start, rule.counts) == (date(2030, 1, 1), "used")
        members = rule.except_countries if isinstance(rule, MaxShare) else rule.countries
        assert members == rule.places == GROUPS["EU"]
        assert rule.penalty is not None
        assert rule.penalty > 0
    assert floors.keys() < rules.keys()


def test_the_catalog_marks_the_materials_that_10_usc_4872_covers() -> None:
    """The text of 2027 covers the same materials and countries as the one before, and more stages."""
    assert covered(*BANS.values()) == tagged("covered-4872")
    before = {name: rule for name, rule in BANS.items() if not name.endswith(("-2019", "-2027"))}
    assert {f"{name}-2027" for name in before} == {name for name in BANS if name.endswith("-2027")}
    earlier = BANS["us-4872-smco-2019"].but(recycled=before["us-4872-smco"].recycled)
    assert (covered(earlier), earlier.stages) == (covered(before["us-4872-smco"]), before["us-4872-smco"].stages)
    for name, rule in before.items():
        after = BANS[f"{name}-2027"]
        assert covered(rule) == covered(after)
        assert rule.countries == after.countries == {"CN", "HK", "IR", "KP", "MO", "RU"}
        assert set(rule.stages) < set(after.stages)


@pytest.mark.parametrize("bill", ["us-p-1803", "us-p-hr9073"])
def test_bills_touch_the_extension_alone(bill: str) -> None:
    """Each bill changes every rule of 2027, and no other."""
    changed = amended(tuple(BANS.values()), [Change(enable=bill)], DEFENSE.bills)
    touched = {before.id for before, after in zip(BANS.values(), changed, strict=True) if before != after}
    assert touched == {name for name in BANS if name.endswith("-2027")}


@pytest.mark.parametrize(
    ("material", "clause"),
    [
        ("smco", "DFARS 252.225-7052(b)(1)(ii), (b)(2)(i)(B);"),
        ("ndfeb", "DFARS 252.225-7052(b)(1)(ii), (b)(3);"),
        ("tantalum", "DFARS 252.225-7052(b)(1)(ii), (b)(4)(ii);"),
        ("tungsten", "DFARS 252.225-7052(b)(1)(ii), (b)(5)(ii);"),
        ("molybdenum", "10 USC 4872(a)(1), (f)(1)(F) "),
    ],
)
def test_the_text_of_2027_names_the_paragraph_of_its_material(material: str, clause: str) -> None:
    """The paragraphs are those of the clause as printed at 89 FR 46821. It doesn't list molybdenum."""
    assert BANS[f"us-4872-{material}-2027"].citation.startswith(clause)


ORE = """
schema = 1
[case]
name = "ore"
start = 2027-01-01
periods = 2
period = "quarter"
currency = "USD"
place = "US"
[use]
catalogs = ["usgs-2026"]
packs = ["sanctions", "us-tariffs"]
[[demand]]
id = "ore"
material = "tungsten-concentrate"
end_use = "civil"
per_year = "80000 t"
shortage_price = "1000 USD/kg"
[assume]
lead_time = "1 quarter"
"""


def test_north_korean_ore_is_not_bought_for_civil_use_and_russian_ore_is_exposed(tmp_path: Path) -> None:
    """All the world's tungsten ore is wanted: the law excludes North Korea's, and Russia's may be lawful."""
    path = tmp_path / "case.toml"
    path.write_text(ORE, encoding="utf-8")
    run = friendshore.plan(friendshore.load_case(path)).run
    bought = {purchase.offer for purchase in run.purchases}
    assert "ru-tungsten-concentrate" in bought
    assert "kp-tungsten-concentrate" not in bought
    kept_out = {row.offer: row for row in run.blocked}
    assert "EO 13570" in kept_out["kp-tungsten-concentrate"].clause
    exposed = {row.rule: row for row in run.exposed}["us-russia-blocked-sellers"]
    assert exposed.offers == ["ru-tungsten-concentrate"]
    assert "blocked person" in exposed.unknown[0].note


WAIVED = """
schema = 1
[case]
name = "waived"
start = 2027-01-01
periods = 5
period = "year"
currency = "USD"
place = "US"
[use]
catalogs = ["usgs-2026", "world"]
packs = ["us-10usc4872"]
[[demand]]
material = "ndfeb-magnet"
end_use = "defense"
per_year = "10 t"
[[waiver]]
rule = "us-4872-ndfeb-2027"
quantity = "50 t"
from = 2027-01-01
until = {until}
{under}
[[scenario]]
name = "longer"
change = [{{ waive = "us-4872-ndfeb-2027", of = "ndfeb-magnet", quantity = "1 t", from = 2027-01-01, until = {later} }}]
"""


@pytest.mark.parametrize(
    ("command", "until", "under", "later", "said"),
    [
        ("check", "2029-12-31", "", "2027-12-31", ()),
        ("check", "2030-12-31", 'under = "national-security"', "2027-12-31", ()),
        *(
            (command, "2030-12-31", "", "2027-12-31", ("36 months", "waiver.until", 'under = "national-security"'))
            for command in ("check", "plan")
        ),
        ("check", "2029-12-31", "", "2030-12-31", ("(scenario `longer`)",)),
    ],
)
def test_a_waiver_runs_as_long_as_the_law_lets_it(
    command: str, until: str, under: str, later: str, said: tuple[str, ...], tmp_path: Path
) -> None:
    """Three years of nonavailability, also in a scenario; an acceptance for national security has no limit."""
    path = tmp_path / "case.toml"
    path.write_text(WAIVED.format(until=until, under=under, later=later), encoding="utf-8")
    done = here(command, path)
    assert done.returncode == (2 if said else 0)
    told = " ".join((done.stdout + done.stderr).split())
    assert [words for words in said if words not in told] == []


def test_a_country_that_a_line_excepts_has_a_rate_of_its_own() -> None:
    """Column 2 countries pay no column 1 duty. Without a rule of their own they would silently pay nothing."""
    tariffs = [rule for rule in pack_of("us-tariffs")[1] if isinstance(rule, Tariff)]
    silent = {
        (rule.id, country)
        for rule in tariffs
        for line in rule.hs
        for country in {"BY", "CU", "KP", "RU"} & rule.except_origins
        if not any(country in other.origins and line.startswith(other.hs) for other in tariffs if other.hs)
    }
    assert silent == set()
