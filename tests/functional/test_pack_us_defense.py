"""The pack's rules cover what the statute lists, and its bills touch what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from friendshore.catalog import read_catalog
from friendshore.domain.change import Change
from friendshore.plugins import Registry
from friendshore.rules.amend import amended
from friendshore.rules.kinds import OriginBan
from friendshore.rules.pack import read_pack

ROOT = Path(__file__).parents[2]
PACKS = ROOT / "plugins/friendshore-us-defense/src/friendshore_us_defense/packs"
PACK = read_pack(PACKS / "us-10usc4872")
RULES = tuple(rule for rule in Registry.of().pack_rules(PACK) if isinstance(rule, OriginBan))
MATERIALS = read_catalog(ROOT / "catalogs/friendshore_catalogs/materials").materials


def test_the_catalog_marks_the_covered_materials() -> None:
    """The catalog's mark for covered materials says the same as the rules by element and form."""
    marked = {m.id for m in MATERIALS if "covered-4872" in m.tags}
    assert {m.id for m in MATERIALS if any(rule.covers(m) for rule in RULES)} == marked


def test_each_covered_material_has_both_texts() -> None:
    """The text of 2027 covers the same materials as the one before it, for the same countries."""
    before = {rule.id: rule for rule in RULES if not rule.id.endswith("-2027")}
    after = {rule.id.removesuffix("-2027"): rule for rule in RULES if rule.id.endswith("-2027")}
    assert before.keys() == after.keys()
    for name, rule in before.items():
        assert [m for m in MATERIALS if rule.covers(m)] == [m for m in MATERIALS if after[name].covers(m)]
        assert rule.countries == after[name].countries == {"CN", "HK", "IR", "KP", "MO", "RU"}
        assert set(rule.stages) < set(after[name].stages)


@pytest.mark.parametrize("bill", ["us-p-1803", "us-p-hr9073"])
def test_bills_touch_the_extension_alone(bill: str) -> None:
    """Each bill changes every rule of 2027 and leaves melting and production as they are."""
    changed = amended(RULES, [Change(enable=bill)], PACK.bills)
    touched = {before.id for before, after in zip(RULES, changed, strict=True) if before != after}
    assert touched == {rule.id for rule in RULES if rule.id.endswith("-2027")}


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("us-4872-smco-2027", "DFARS 252.225-7052(b)(1)(ii), (b)(2)(i)(B);"),
        ("us-4872-ndfeb-2027", "DFARS 252.225-7052(b)(1)(ii), (b)(3);"),
        ("us-4872-tantalum-2027", "DFARS 252.225-7052(b)(1)(ii), (b)(4)(ii);"),
        ("us-4872-tungsten-2027", "DFARS 252.225-7052(b)(1)(ii), (b)(5)(ii);"),
        ("us-4872-molybdenum-2027", "10 USC 4872(a)(1), (f)(1)(F) "),
    ],
)
def test_the_text_of_2027_names_the_paragraph_of_its_material(name: str, clause: str) -> None:
    """The paragraphs are those of the clause as printed at 89 FR 46821. It doesn't list molybdenum."""
    (rule,) = (rule for rule in RULES if rule.id == name)
    assert rule.citation.startswith(clause)
