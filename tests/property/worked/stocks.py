"""What is lost in store, and what rules ask of stock."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.building import case, catalog, chain, demand, source, stock, store

from .framework import METAL, plants, worked


def early() -> Any:
    """Metal at 10 that can be ordered in the first year only."""
    return catalog(*plants(), source("CN", 10, end=date(2026, 12, 31)))


@worked
def loss_is_bought_beforehand() -> Any:
    """A fifth is lost each year, 100 are wanted in the third: 156.25 are bought, 156.25 and 125 held at 2."""
    made = case(demand("metal", "civil", 0, 0, 100), stores=(store("metal", 2, loss=0.2),))
    return made, early(), (), 1562.5 + 562.5


@worked
def store_that_fills_up_and_gets_dearer() -> Any:
    """100 are wanted in the third year; 80 may lie there at the end of the first, at 2, any number at the end of the second, at 5.

    80 are bought at 10 in the first, and held at 2 and 5; the other 20 are short.
    """
    until, later = {"end": date(2026, 12, 31)}, {"start": date(2027, 1, 1)}
    stores = (store("metal", 2, limit=80).model_copy(update=until), store("metal", 5).model_copy(update=later))
    made = case(demand("metal", "civil", 0, 0, 100, price=50), stores=stores)
    return made, early(), (), 800 + 160 + 400 + 1000.0


@worked
def loss_of_stock_in_hand() -> Any:
    """Of 50 in hand 32 are left in the third year; for the other 68 of 100, 106.25 are bought: held 156.25 and 125 at 2."""
    held = stock("metal", 50, chain("AU", *METAL))
    made = case(demand("metal", "civil", 0, 0, 100), stocks=(held,), stores=(store("metal", 2, loss=0.2),))
    return made, early(), (), 1062.5 + 562.5


@worked
def loss_of_what_nobody_takes() -> Any:
    """500 in hand, 100 wanted in the third year: 500, 400 and 320 - 100 are held at 2."""
    held = stock("metal", 500, chain("AU", *METAL))
    made = case(demand("metal", "civil", 0, 0, 100), stocks=(held,), stores=(store("metal", 2, loss=0.2),))
    return made, early(), (), 2240.0


@worked
def loss_that_makes_room() -> Any:
    """No more than 200 held at the end of a year, a half lost in each: 200, then 100, left of it 50; 50 of 100 short at 60."""
    made = case(demand("metal", "civil", 0, 0, 100, price=60), stores=(store("metal", 0, limit=200, loss=0.5),))
    return made, early(), (), 2000.0 + 3000
