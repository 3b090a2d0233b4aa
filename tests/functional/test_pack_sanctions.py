"""The rule packs alone keep sanctioned goods out of civil use, and say what may be."""

from __future__ import annotations

from pathlib import Path

import friendshore

CASE = """
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
    """All the world's tungsten ore is wanted: what North Korea mines is kept out by law, what Russia mines may be lawful."""
    path = tmp_path / "case.toml"
    path.write_text(CASE, encoding="utf-8")
    run = friendshore.plan(friendshore.load_case(path)).run
    bought = {purchase.offer for purchase in run.purchases}
    assert "ru-tungsten-concentrate" in bought
    assert "kp-tungsten-concentrate" not in bought
    kept_out = {row.offer: row for row in run.blocked}
    assert "EO 13570" in kept_out["kp-tungsten-concentrate"].clause
    exposed = {row.rule: row for row in run.exposed}
    assert exposed["us-russia-blocked-sellers"].offers == ["ru-tungsten-concentrate"]
    assert "blocked person" in exposed["us-russia-blocked-sellers"].unknown[0].note
