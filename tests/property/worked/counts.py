"""Whom a limit counts: blocs, chosen sellers, each place on its own, several offers by weight, makers of a stand-in."""

from __future__ import annotations

from typing import Any

from tests.building import case, catalog, chain, demand, facility, lines, offer, rule, source, unstored

from friendshore.rules.kinds.limits import MaxPlaces, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin, SingleSource

from .framework import THREE, metal, plants, rows, worked

PLACES = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
"""100 in the US and 50 in Japan."""

rows(
    *THREE,
    # China and Australia are one bloc with 65%: 65 x 10 + 35 x 80.
    share_cap_of_a_bloc=(metal(100), rule(MaxShare, by="bloc", blocs={"near": ["CN", "AU"]}, share="0.65"), 3450),
    # China and Australia sell 40 together at most, China being cheaper: 40 x 10 + 60 x 80.
    share_cap_of_named_sellers_together=(metal(100), rule(MaxShare, facilities=["cn", "au"], each=False, share="0.4"), 5200),
    # Australia and Japan 20 each: 60 x 10 + 20 x 50 + 20 x 80.
    share_floor_of_each=(metal(100), rule(MinShare, by="facility", facilities=["au", "jp"], each=True, share="0.2"), 3200),
    # China 65% at each of two places, though it might have all of one: 65 and 32.5 at 10, 35 and 17.5 at 50.
    share_cap_at_each_place=(PLACES, rule(MaxShare, by="facility", each_place=True, share="0.65"), 97.5 * 10 + 52.5 * 50),
    # China no more than 40% of what is delivered in Japan: 20 at 10 and 30 at 50; the US is free, 100 at 10.
    share_cap_at_one_site=(PLACES, rule(MaxShare, countries=["CN"], at=["JP"], share="0.4"), 1000 + 200 + 1500),
    # China may serve one place, the larger: 100 x 10 + 50 x 50.
    one_place_a_site=(PLACES, rule(MaxPlaces, count=1), 3500),
    # A second supplier from 10% on costs 10 x 40 more; doing without costs 150.
    soft_number_of_suppliers=(metal(100), rule(MinSuppliers, count=2, least_share="0.1", penalty=150), 1150),
    # China takes 1 and Australia 0.25 a kilogram of a resource of 40: x + 0.25 (100 - x) = 40, so 20 x 10 + 80 x 50.
    pin_of_a_resource=(metal(100), rule(Pin, offers={"cn-metal": 1, "au-metal": "0.25"}, at_most=40), 4200),
    # At most 60 from China in each of two years, nothing held: 120 x 10 + 80 x 50.
    pin_in_every_period=(unstored(100, 100), rule(Pin, offer="cn-metal", places=["US"], per="period", at_most=60), 5200),
)  # fmt: skip

rows(
    *plants(), source("CN", 10, lead_time=12), source("AU", 50),
    # Chinese metal comes a year after its order; of what is ordered from 2027 on no more than 30: 100 in 2027, 30 in 2028, 70 at 50.
    quota_by_day_of_order=(
        unstored(0, 100, 100), rule(Pin, offer="cn-metal", at_most=30, dated_by="order", **{"from": "2027-01-01"}), 1000 + 300 + 3500,
    ),
)  # fmt: skip


@worked
def one_supplier_a_year_by_day_of_order() -> Any:
    """In 2026 China gets the order for 2027, so that Australia gets none in that year: 100 are short in 2026 at 60, then 10."""
    goods = (source("CN", 10, lead_time=12), source("AU", 50))
    made = metal(100, 100, price=60, stores=unstored(0).stores)
    return made, catalog(*plants(), *goods), (rule(MaxSuppliers, count=1, dated_by="order"),), 6000 + 1000.0


@worked
def share_cap_on_all_materials_together() -> Any:
    """Metal and oxide, 150 kg: China 60 of both. Metal saves 40 a kilogram, oxide 10: 60 and 40 of metal, oxide at 30."""
    oxide = (source("CN", 20, "oxide"), source("AU", 30, "oxide"))
    cap = rule(MaxShare, countries=["CN"], group_by="all", share="0.4")
    made = case(demand("metal", "civil", 100), demand("oxide", "civil", 50))
    return made, catalog(*THREE, *oxide), (cap,), 600.0 + 2000 + 1500


rows(
    facility("cn", "CN", 60), facility("au", "AU"), source("CN", 10), source("AU", 50),
    # China makes 60 of 150; Japan wants 50 of one supplier alone, the US 100 of any: all 50 of China, and 10 and 90 for the US.
    one_supplier_at_one_site=(PLACES, rule(MaxSuppliers, count=1, at=["JP"]), 600 + 4500),
)  # fmt: skip

rows(
    facility("cn", "CN", 120), facility("au", "AU"), source("CN", 10), source("AU", 50),
    # The cheap plant makes 120 and may serve one place alone: 100 x 10 + 50 x 50, not 120 x 10 + 30 x 50.
    one_source_at_each_place=(PLACES, rule(SingleSource), 3500),
)  # fmt: skip


@worked
def stand_in_for_a_fifth() -> Any:
    """Metal of salt: 1.5 kg at 1 and 5 to melt it, 6.5 in all, for 20 of the 100, after 50 of onboarding: 130 + 800 + 50."""
    melt = {"inputs": lines(salt=1.5), "onboarding": 50, "onboarding_currency": "USD"}
    of_salt = offer("of-salt", "jp", "metal", 5, chain("JP", "melted"), **melt)
    cap = rule(MaxShare, inputs=["salt"], each=False, share="0.2")
    return metal(100), catalog(*plants(), source("CN", 10), source("CN", 1, "salt"), of_salt), (cap,), 980.0


@worked
def sites_of_one_supplier() -> Any:
    """Acme runs two sites of 60 at 10, of which one may be used: 60 x 10 + 40 x 50."""
    acme = [facility(name, "CN", 60, operator="Acme") for name in ("one", "two")]
    goods = [source("CN", 10, name=f"{s.id}-metal", plant=s.id) for s in acme]
    one = rule(MaxSuppliers, by="facility", suppliers=["Acme"], count=1)
    return metal(100), catalog(*acme, facility("au", "AU"), *goods, source("AU", 50)), (one,), 2600.0
