"""Limits that count by end use: what is bought for one, of supply that serves several."""

from __future__ import annotations

from typing import Any

from tests.building import ban, case, catalog, demand, maker, rule, source

from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin, SingleSource

from .framework import METAL, THREE, plants, rows, worked

BOTH = case(demand("metal", "defense", 100), demand("metal", "civil", 100))
"""Metal for defense and for civil use, of the same supply."""
DEFENSE = {"end_uses": ["defense"]}
CIVIL = {"end_uses": ["civil"]}
TWO = rule(MinSuppliers, count=2, least_share="0.2", **DEFENSE)

rows(
    *THREE,
    # Two for defense, with a fifth of its demand each: China 180 at 10, Australia 20 at 50.
    suppliers_for_defence=(BOTH, TWO, 1800 + 1000),
    # China has half of civil metal at most; one supplier alone for defense, which is China: 150 at 10, 50 at 50.
    one_supplier_for_defence_and_another_cap=(
        BOTH, (rule(MaxShare, by="supplier", share="0.5", **CIVIL), rule(SingleSource, **DEFENSE)), 1500 + 2500,
    ),
    # Two uses that a rule names count together, a third by itself: one source for both at 80, China's 10 kg at 10.
    most_suppliers_of_two_uses_together=(
        case(*(demand("metal", use, 10) for use in ("civil", "defense", "space"))),
        (rule(MaxSuppliers, count=1, end_uses=["defense", "space"]), rule(Pin, offer="jp-metal", at_least=5, end_uses=["space"])),
        100 + 20 * 80,
    ),
    # Exactly 30 of Japan's for defense, none of which serves civil use: 30 at 80, 170 at 10.
    pin_of_one_use=(BOTH, rule(Pin, offer="jp-metal", exactly=30, **DEFENSE), 2400 + 1700),
    # 600 for civil metal buy 60 of its 100 at 10; 40 are short at 1000. Defense has what it wants.
    budget_of_one_use=(BOTH, rule(Budget, amount=600, **CIVIL), 1600 + 40000),
    # Chinese metal is banned for defense; two suppliers for it, a fifth each: 80 at 50, 20 at 80, civil 100 at 10.
    a_use_that_law_tells_apart_already=(BOTH, (ban(*METAL, start="2026-01-01"), TWO), 4000 + 1600 + 1000),
)  # fmt: skip


@worked
def floor_for_defence() -> Any:
    """Australia has 30 kg at 50: of 40% of defense the other 10 are Japan's at 80; 160 are China's."""
    goods = (source("CN", 10), source("AU", 50, total=30), source("JP", 80))
    floor = rule(MinShare, countries=["AU", "JP"], stage="mined", share="0.4", **DEFENSE)
    return BOTH, catalog(*plants(), *goods), (floor,), 160 * 10.0 + 30 * 50 + 10 * 80


@worked
def ore_for_defence() -> Any:
    """Ore counts for what is made of it: half of that for defense is not Chinese, 50 of 200 kg at 30 where China's is 20."""
    ores = (source("CN", 20, "oxide"), source("AU", 30, "oxide"))
    cap = rule(MaxShare, materials=["oxide"], countries=["CN"], share="0.5", of="purchases", **DEFENSE)
    made = maker("US", 5, 1)
    return BOTH, catalog(*plants(), made, *ores), (cap,), 200 * 5.0 + 150 * 20 + 50 * 30
