"""Shares, numbers of suppliers, budgets and pins."""

from __future__ import annotations

import math

from tests.building import ban, case, chain, demand, facility, offer, rule, source, store, unstored

from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinDelivered, MinShare, MinSuppliers, Pin

from .framework import ALL, METAL, THREE, metal, plants, rows

US = facility("us", "US")

rows(
    *THREE,
    # No country mines more than 65%: 65 x 10 + 35 x 50.
    share_cap_at_a_stage=(metal(100), rule(MaxShare, stage="mined", share="65%"), 2400),
    # The cap holds from 2027 on; nothing can be held: 100 x 10 + 65 x 10 + 35 x 50.
    share_cap_from_2027=(unstored(100, 100), rule(MaxShare, stage="mined", share="0.65", phases=[{"from": "2027-01-01"}]), 3400),
    # The second counts from 10%: 90 x 10 + 10 x 50.
    two_suppliers_at_least=(metal(100), rule(MinSuppliers, count=2, least_share="0.1"), 1400),
    # There are three: it cannot hold.
    four_suppliers_where_three_are=(metal(100), rule(MinSuppliers, count=4), math.inf),
    # Chinese metal is pinned and barred from the only use: it cannot hold.
    pin_of_what_is_barred=(
        case(demand("metal", "defense", 100)), (rule(Pin, offer="cn-metal", at_least=14), ban("mined", start=None)), math.inf,
    ),
    # 500 buy 50 at 10; the other 50 are short at 60.
    budget_for_half=(metal(100, price=60), rule(Budget, amount=500, per="horizon"), 3500),
    # Metal at 10 is dearer than being short at 5; all of it must be delivered all the same.
    demand_that_must_be_met=(metal(100, price=5), rule(MinDelivered), 1000),
    # Metal at 10, short at 5, a miss at 4: all are short, which is cheaper than metal: 100 x (5 + 4).
    soft_delivery_is_paid_for=(metal(100, price=5), rule(MinDelivered, penalty=4), 900),
    # 30 are to come from Japan: 30 x 80 + 70 x 10.
    pinned_purchase=(metal(100), rule(Pin, offer="jp-metal", at_least=30), 3100),
    # Exactly 130 from Japan: 30 are held at 1.
    pinned_beyond_need=(metal(100, stores=(store("metal", 1),)), rule(Pin, offer="jp-metal", exactly=130), 130 * 80 + 30),
    # 35 above the cap at 5 each are cheaper than Australian metal: 100 x 10 + 35 x 5.
    soft_cap_is_paid_for=(metal(100), rule(MaxShare, stage="mined", share="0.65", penalty=5), 1175),
)  # fmt: skip

rows(
    *THREE, offer("mixed", "cn", "metal", 5, chain("CN/AU", *METAL)),
    # Metal that may be Chinese or Australian counts for both: 20 of it leave room for 40 of each, 20 x 5 + 40 x 10 + 40 x 50.
    # One more kilogram of it would take the place of one of each, and want a Japanese one at 80.
    share_cap_counts_every_possible_country=(metal(100), rule(MaxShare, stage="mined", share="0.6"), 2500),
)  # fmt: skip

rows(
    *THREE, US, offer("vague", "us", "metal", 5, chain("US?", *METAL)),
    # A list that may not be complete counts everywhere: with 30% a country a kilogram of it takes the place of three.
    # So none is bought; 30 of each of the three, and 10 are short.
    share_cap_of_an_unknown_country=(metal(100), rule(MaxShare, stage="mined", share="0.3"), 300 + 1500 + 2400 + 10000),
)  # fmt: skip

rows(
    *plants(), US, offer("vague", "us", "metal", 5, chain("AU?", *METAL)), source("JP", 80),
    # No offer lists China, but the list of the cheap one is not complete: 30 of it at 5, and 70 at 80.
    share_cap_of_a_country_that_nobody_lists=(metal(100), rule(MaxShare, stage="mined", share="0.3", countries=["CN"]), 5750),
)  # fmt: skip

rows(
    US, offer("vague", "us", "metal", 5, chain("?", *METAL)),
    # All that is offered comes from nobody knows where, which may be one country: 65 at 5, the rest short.
    share_cap_where_nobody_knows_a_country=(metal(100), rule(MaxShare, stage="mined", share="0.65"), 325 + 35000),
)  # fmt: skip

rows(
    *THREE, offer("vague", "au", "metal", 5, chain("AU?", *METAL)),
    # 40% surely Australian: 40 x 50. The vague ones at 5 do not count for it, and serve the rest.
    floor_counts_what_is_certain=(metal(100), rule(MinShare, stage="mined", share="0.4", countries=["AU"]), 2000 + 300),
)  # fmt: skip

rows(
    *plants(), source("CN", 20, "oxide"), source("AU", 30, "oxide"),
    offer("cn-magnet", "cn", "magnet", 10, chain("CN", *ALL)), offer("au-magnet", "au", "magnet", 100, chain("AU", *ALL)),
    # Oxide holds 0.8 of the element, bought magnets half; both are wanted, 80 + 50 kg of element. China may mine 65 of it.
    # Magnets at 10 and 100, oxide at 20 and 30: Australian magnets cost 90 more for 0.5 of element, oxide 10 for 0.8. So all
    # 100 magnets are Chinese (50 of element), 15 more are oxide: 18.75 kg at 20 and 81.25 at 30.
    share_cap_in_contained_element=(
        case(demand("magnet", "civil", 100), demand("oxide", "civil", 100)),
        rule(MaxShare, stage="mined", share="0.5", countries=["CN"]), 1000 + 18.75 * 20 + 81.25 * 30,
    ),
)  # fmt: skip

rows(
    *plants(), source("AU", 50, min_order=80), source("CN", 10),
    # At least half of what is bought comes from Australia, whose order is 80 at least: 80 x 50, 20 Chinese; nothing beyond.
    floor_above_the_need_is_stored=(metal(100), rule(MinShare, share="0.5", countries=["AU"], of="purchases"), 4200),
)  # fmt: skip

rows(
    facility("cn", "CN", 60), facility("au", "AU"), source("CN", 10), source("AU", 50),
    # The cheap one makes 60: all 100 come from the other at 50.
    one_supplier_at_most=(metal(100), rule(MaxSuppliers, count=1), 5000),
)  # fmt: skip

rows(
    facility("cn", "CN", 60), source("CN", 10),
    # 60 can be made of the 100 that must be delivered: it cannot hold.
    demand_that_cannot_be_met=(metal(100), rule(MinDelivered), math.inf),
    # 60 a year can be made at 10, 60 and 40 are wanted, nothing is held: 90 of 100 in all, 10 of them are short at 5.
    ninety_per_cent_over_the_plan=(
        metal(60, 40, price=5, stores=(store("metal", 0, limit=0),)), rule(MinDelivered, share="90%", per="horizon"), 950,
    ),
)  # fmt: skip

rows(
    facility("cn", "CN", 80), source("CN", 10),
    # 80 can be made of 100 + 100, 40% of both together: all 80 for defense, though civil use would rather be short.
    two_demands_served_together=(
        case(demand("metal", "civil", 100, price=5), demand("metal", "defense", 100, price=100)),
        rule(MinDelivered, share="0.4", together=True), 80 * 10 + 20 * 100 + 100 * 5,
    ),
)  # fmt: skip
