"""The pack's lists of goods agree with one another."""

from __future__ import annotations

from pathlib import Path

from friendshore.catalog import read_catalog
from friendshore.plugins import Registry
from friendshore.rules.kinds import ExportControl
from friendshore.rules.pack import read_pack

ROOT = Path(__file__).parents[2]
PACK = read_pack(ROOT / "plugins/friendshore-china-controls/src/friendshore_china_controls/packs/cn-export-controls")
RULES = {rule.id: rule for rule in Registry.of().pack_rules(PACK) if isinstance(rule, ExportControl)}
MATERIALS = read_catalog(ROOT / "catalogs/friendshore_catalogs/materials").materials
PROHIBITIONS = ("cn-46-1-us-military", "cn-1-japan-military", "cn-el-2026-06-22")


def test_what_needs_a_licence_is_what_military_users_are_refused() -> None:
    """The dual-use items of the prohibitions are those on some licence list, material by material."""
    licences = [rule for rule in RULES.values() if rule.effect == "licence"]
    listed = {m.id for m in MATERIALS if any(rule.covers(m) for rule in licences)}
    for name in PROHIBITIONS:
        assert {m.id for m in MATERIALS if RULES[name].covers(m)} == listed


def test_the_catalog_marks_the_same_goods() -> None:
    """The catalog's mark for dual-use items says the same as the lists by element and form."""
    marked = {m.id for m in MATERIALS if "cn-dual-use" in m.tags}
    assert {m.id for m in MATERIALS if RULES["cn-46-1-us-military"].covers(m)} == marked
