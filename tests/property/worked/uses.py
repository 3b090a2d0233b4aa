"""Limits that count by end use: what is bought for one, of supply that serves several."""

from __future__ import annotations

from typing import Any

from tests.building import ban, case, catalog, chain, demand, lines, offer, source

from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin, SingleSource

from .framework import METAL, plants, three, worked


def both(*quantities: float, **more: Any) -> Any:
    """Metal for defence and for civil use, of the same supply."""
    return case(demand("metal", "defense", *quantities), demand("metal", "civil", *quantities), **more)


@worked
def suppliers_for_defence() -> Any:
    """Two for defence, with a fifth of its demand each: China 180 at 10, Australia 20 at 50."""
    rule = MinSuppliers.model_validate({"id": "two", "count": 2, "least_share": "0.2", "end_uses": ["defense"]})
    return both(100), catalog(*three()), (rule,), 1800.0 + 1000


@worked
def one_supplier_for_defence_and_another_cap() -> Any:
    """China has half of civil metal at most; one supplier alone for defence, which is China: 150 at 10, 50 at 50."""
    cap = MaxShare.model_validate({"id": "cap", "by": "supplier", "share": "0.5", "end_uses": ["civil"]})
    one = SingleSource.model_validate({"id": "one", "end_uses": ["defense"]})
    return both(100), catalog(*three()), (cap, one), 1500.0 + 2500


@worked
def most_suppliers_of_two_uses_together() -> Any:
    """Two uses that a rule names count together, a third by itself: one source for both at 80, China's 10 kg at 10."""
    one = MaxSuppliers.model_validate({"id": "one", "count": 1, "end_uses": ["defense", "space"]})
    least = Pin.model_validate({"id": "pin", "offer": "jp-metal", "at_least": 5, "end_uses": ["space"]})
    made = case(*(demand("metal", use, 10) for use in ("civil", "defense", "space")))
    return made, catalog(*three()), (one, least), 100.0 + 20 * 80


@worked
def floor_for_defence() -> Any:
    """Australia has 30 kg at 50: of 40 % of defence the other 10 are Japan's at 80; 160 are China's."""
    au = source("AU", 50, total=30)
    others = [thing for thing in three() if thing.id != "au-metal"]
    words = {"id": "floor", "countries": ["AU", "JP"], "stage": "mined", "share": "0.4"}
    floor = MinShare.model_validate({**words, "end_uses": ["defense"]})
    return both(100), catalog(*others, au), (floor,), 160 * 10.0 + 30 * 50 + 10 * 80


@worked
def ore_for_defence() -> Any:
    """Ore counts for what is made of it: half of that for defence is not Chinese, 50 of 200 kg at 30 where China's is 20."""
    melt = offer("melt", "us", "metal", 5, chain("US", "melted"), inputs=lines(oxide=1))
    ores = (source("CN", 20, "oxide"), source("AU", 30, "oxide"))
    words = {"id": "cap", "materials": ["oxide"], "countries": ["CN"], "share": "0.5", "of": "purchases"}
    cap = MaxShare.model_validate({**words, "end_uses": ["defense"]})
    us = plants()[0].but(id="us", country="US")
    return both(100), catalog(*plants(), us, melt, *ores), (cap,), 200 * 5.0 + 150 * 20 + 50 * 30


@worked
def pin_of_one_use() -> Any:
    """Exactly 30 of Japan's for defence, none of which serves civil use: 30 at 80, 170 at 10."""
    pin = Pin.model_validate({"id": "pin", "offer": "jp-metal", "exactly": 30, "end_uses": ["defense"]})
    return both(100), catalog(*three()), (pin,), 2400.0 + 1700


@worked
def budget_of_one_use() -> Any:
    """600 for civil metal buy 60 of its 100 at 10; 40 are short at 1000. Defence has what it wants."""
    budget = Budget.model_validate({"id": "budget", "amount": 600, "end_uses": ["civil"]})
    return both(100), catalog(*three()), (budget,), 1600.0 + 40000


@worked
def a_use_that_law_tells_apart_already() -> Any:
    """Chinese metal is banned for defence; two suppliers for it, a fifth each: 80 at 50, 20 at 80, civil 100 at 10."""
    rule = MinSuppliers.model_validate({"id": "two", "count": 2, "least_share": "0.2", "end_uses": ["defense"]})
    return both(100), catalog(*three()), (ban(*METAL, start="2026-01-01"), rule), 4000.0 + 1600 + 1000
