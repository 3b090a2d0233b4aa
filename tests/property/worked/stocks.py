"""What is lost in store, and what rules ask of stock."""

from __future__ import annotations

from datetime import date

from tests.building import chain, source, stock, store

from .framework import METAL, metal, plants, rows

LOSSY = (store("metal", 2, loss=0.2),)
UNTIL_2027, LATER = ({"end": date(2026, 12, 31)}, {"start": date(2027, 1, 1)})
CHANGING = (store("metal", 2, limit=80).but(**UNTIL_2027), store("metal", 5).but(**LATER))

# Metal at 10 that can be ordered in the first year only; 100 are wanted in the third.
rows(
    *plants(), source("CN", 10, **UNTIL_2027),
    # A fifth is lost each year: 156.25 are bought, 156.25 and 125 held at 2.
    loss_is_bought_beforehand=(metal(0, 0, 100, stores=LOSSY), (), 1562.5 + 562.5),
    # 80 may lie there at the end of the first year, at 2, any number at the end of the second, at 5.
    # 80 are bought at 10 in the first, and held at 2 and 5; the other 20 are short.
    store_that_fills_up_and_gets_dearer=(metal(0, 0, 100, price=50, stores=CHANGING), (), 800 + 160 + 400 + 1000),
    # Of 50 in hand 32 are left in the third year; for the other 68 of 100, 106.25 are bought: held 156.25 and 125 at 2.
    loss_of_stock_in_hand=(metal(0, 0, 100, stocks=(stock("metal", 50, chain("AU", *METAL)),), stores=LOSSY), (), 1062.5 + 562.5),
    # 500 in hand: 500, 400 and 320 - 100 are held at 2.
    loss_of_what_nobody_takes=(metal(0, 0, 100, stocks=(stock("metal", 500, chain("AU", *METAL)),), stores=LOSSY), (), 2240),
    # No more than 200 held at the end of a year, a half lost in each: 200, then 100, left of it 50; 50 of 100 short at 60.
    loss_that_makes_room=(metal(0, 0, 100, price=60, stores=(store("metal", 0, limit=200, loss=0.5),)), (), 2000 + 3000),
)  # fmt: skip
