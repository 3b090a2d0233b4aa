"""The pack is read, and its rules say what the Act says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from friendshore.domain.countries import GROUPS
from friendshore.plugins import Registry
from friendshore.rules.kinds import MaxShare, MinShare
from friendshore.rules.pack import read_pack

ROOT = Path(__file__).parents[2]
PACK = read_pack(ROOT / "plugins/friendshore-eu-crma/src/friendshore_eu_crma/packs/eu-crma")


def test_the_rules_can_be_made() -> None:
    """Every rule is of a kind that friendshore knows, soft, and holds from 2030."""
    rules = Registry.of().pack_rules(PACK)
    assert len(rules) == 8
    assert all(rule.phases[0].start == date(2030, 1, 1) for rule in rules)
    assert all("rows" in rule.verbs for rule in rules)


def test_the_benchmarks_are_those_of_the_act() -> None:
    """10 % mined, 40 % processed and 25 % recycled in the Union, at most 65 % from any one other country at any stage."""
    shares = {rule["id"]: rule["share"] for rule in PACK.rules}
    floors = {"eu-crma-extraction": 0.10, "eu-crma-processing": 0.40, "eu-crma-recycling": 0.25}
    assert {name: shares[name] for name in floors} == floors
    assert {share for name, share in shares.items() if name not in floors} == {0.65}
    for rule in Registry.of().pack_rules(PACK):
        assert isinstance(rule, MaxShare | MinShare)
        assert rule.counts == "used"  # the Act speaks of consumption
        members = rule.except_countries if isinstance(rule, MaxShare) else rule.countries
        assert members == rule.places == GROUPS["EU"]
        assert rule.penalty is not None
        assert rule.penalty > 0
