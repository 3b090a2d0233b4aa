"""Whom a limit counts: blocs, chosen sellers, each place on its own, several offers by weight, makers of a stand-in."""

from __future__ import annotations

from typing import Any

from tests.building import case, catalog, chain, demand, facility, lines, offer, source, store

from friendshore.rules.kinds.limits import MaxPlaces, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin, SingleSource

from .framework import METAL, plants, three, worked


@worked
def share_cap_of_a_bloc() -> Any:
    """China and Australia are one bloc with 65 %: 65 x 10 + 35 x 80."""
    cap = MaxShare.model_validate({"id": "cap", "by": "bloc", "blocs": {"near": ["CN", "AU"]}, "share": "0.65"})
    return case(demand("metal", "civil", 100)), catalog(*three()), (cap,), 3450.0


@worked
def share_cap_of_named_sellers_together() -> Any:
    """China and Australia sell 40 together at most, China being cheaper: 40 x 10 + 60 x 80."""
    cap = MaxShare.model_validate({"id": "cap", "facilities": ["cn", "au"], "each": False, "share": "0.4"})
    return case(demand("metal", "civil", 100)), catalog(*three()), (cap,), 5200.0


@worked
def share_floor_of_each() -> Any:
    """Australia and Japan 20 each: 60 x 10 + 20 x 50 + 20 x 80."""
    words = {"id": "floor", "by": "facility", "facilities": ["au", "jp"], "each": True, "share": "0.2"}
    return (
        case(demand("metal", "civil", 100)), catalog(*three()), (MinShare.model_validate(words),), 3200.0
    )  # fmt: skip


@worked
def share_cap_on_all_materials_together() -> Any:
    """Metal and oxide, 150 kg: China 60 of both. Metal saves 40 a kilogram, oxide 10: 60 and 40 of metal, oxide at 30."""
    oxide = (source("CN", 20, "oxide"), offer("au-oxide", "au", "oxide", 30))
    cap = MaxShare.model_validate({"id": "cap", "countries": ["CN"], "group_by": "all", "share": "0.4"})
    made = case(demand("metal", "civil", 100), demand("oxide", "civil", 50))
    return made, catalog(*three(), *oxide), (cap,), 600.0 + 2000 + 1500


@worked
def share_cap_at_each_place() -> Any:
    """China 65 % at each of two places, though it might have all of one: 65 and 32.5 at 10, 35 and 17.5 at 50."""
    cap = MaxShare.model_validate({"id": "cap", "by": "facility", "each_place": True, "share": "0.65"})
    made = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
    return made, catalog(*three()), (cap,), 97.5 * 10 + 52.5 * 50


@worked
def share_cap_at_one_site() -> Any:
    """China no more than 40 % of what is delivered in Japan, where 50 are wanted: 20 at 10 and 30 at 50; the US is free, 100 at 10."""
    cap = MaxShare.model_validate({"id": "cap", "countries": ["CN"], "at": ["JP"], "share": "0.4"})
    made = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
    return made, catalog(*three()), (cap,), 1000 + 200 + 1500.0


@worked
def one_supplier_at_one_site() -> Any:
    """China makes 60 of 150; Japan wants 50 of one supplier alone, the US 100 of any: all 50 of China, and 10 and 90 for the US."""
    sellers = (facility("cn", "CN", 60), facility("au", "AU"))
    goods = (source("CN", 10), source("AU", 50))
    one = MaxSuppliers.model_validate({"id": "one", "count": 1, "at": ["JP"]})
    made = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
    return made, catalog(*sellers, *goods), (one,), 600 + 4500.0


@worked
def quota_by_day_of_order() -> Any:
    """Chinese metal comes a year after its order; of what is ordered from 2027 on no more than 30: 100 in 2027, 30 in 2028, 70 at 50."""
    goods = (source("CN", 10, lead_time=12), source("AU", 50))
    quota = {"id": "quota", "offer": "cn-metal", "at_most": 30, "from": "2027-01-01", "dated_by": "order"}
    made = case(demand("metal", "civil", 0, 100, 100), stores=(store("metal", 0, limit=0),))
    return made, catalog(*plants(), *goods), (Pin.model_validate(quota),), 1000 + 300 + 3500.0


@worked
def one_supplier_a_year_by_day_of_order() -> Any:
    """In 2026 China gets the order for 2027, so that Australia gets none in that year: 100 are short in 2026 at 60, then 10."""
    goods = (source("CN", 10, lead_time=12), source("AU", 50))
    one = MaxSuppliers.model_validate({"id": "one", "count": 1, "dated_by": "order"})
    made = case(demand("metal", "civil", 100, 100, price=60), stores=(store("metal", 0, limit=0),))
    return made, catalog(*plants(), *goods), (one,), 6000 + 1000.0


@worked
def stand_in_for_a_fifth() -> Any:
    """Metal of salt: 1.5 kg at 1 and 5 to melt it, 6.5 in all, for 20 of the 100, after 50 of onboarding: 130 + 800 + 50."""
    melt = {"inputs": lines(salt=1.5), "onboarding": 50, "onboarding_currency": "USD"}
    goods = (
        source("CN", 10),
        source("CN", 1, "salt"),
        offer("of-salt", "jp", "metal", 5, chain("JP", "melted"), **melt),
    )
    cap = MaxShare.model_validate({"id": "cap", "inputs": ["salt"], "each": False, "share": "0.2"})
    return case(demand("metal", "civil", 100)), catalog(*plants(), *goods), (cap,), 980.0


@worked
def one_source_at_each_place() -> Any:
    """The cheap plant makes 120 and may serve one place alone: 100 x 10 + 50 x 50, not 120 x 10 + 30 x 50."""
    cheap = source("CN", 10)
    dear = source("AU", 50)
    made = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
    rule = SingleSource.model_validate({"id": "one"})
    return made, catalog(facility("cn", "CN", 120), facility("au", "AU"), cheap, dear), (rule,), 3500.0


@worked
def one_place_a_site() -> Any:
    """China may serve one place, the larger: 100 x 10 + 50 x 50."""
    rule = MaxPlaces.model_validate({"id": "one", "count": 1})
    made = case(demand("metal", "civil", 100), demand("metal", "civil", 50, id="jp", place="JP"))
    return made, catalog(*three()), (rule,), 3500.0


@worked
def sites_of_one_supplier() -> Any:
    """Acme runs two sites of 60 at 10, of which one may be used: 60 x 10 + 40 x 50."""
    sites = (
        facility("one", "CN", 60, operator="Acme"),
        facility("two", "CN", 60, operator="Acme"),
        facility("au", "AU"),
    )
    goods = [offer(f"{s.id}-metal", s.id, "metal", 50 if s.id == "au" else 10, chain("CN", *METAL)) for s in sites]
    rule = MaxSuppliers.model_validate({"id": "one", "by": "facility", "suppliers": ["Acme"], "count": 1})
    return case(demand("metal", "civil", 100)), catalog(*sites, *goods), (rule,), 2600.0


@worked
def soft_number_of_suppliers() -> Any:
    """A second supplier from 10 % on costs 10 x 40 more; doing without costs 150."""
    rule = MinSuppliers.model_validate({"id": "two", "count": 2, "least_share": "0.1", "penalty": 150})
    return case(demand("metal", "civil", 100)), catalog(*three()), (rule,), 1150.0


@worked
def pin_of_a_resource() -> Any:
    """China takes 1 and Australia 0.25 a kilogram of a resource of 40: x + 0.25 (100 - x) = 40, so 20 x 10 + 80 x 50."""
    pin = Pin.model_validate({"id": "p", "offers": {"cn-metal": 1, "au-metal": "0.25"}, "at_most": 40})
    return case(demand("metal", "civil", 100)), catalog(*three()), (pin,), 4200.0


@worked
def pin_in_every_period() -> Any:
    """At most 60 from China in each of two years, nothing held: 120 x 10 + 80 x 50."""
    pin = Pin.model_validate({"id": "p", "offer": "cn-metal", "places": ["US"], "per": "period", "at_most": 60})
    made = case(demand("metal", "civil", 100, 100), stores=(store("metal", 0, limit=0),))
    return made, catalog(*three()), (pin,), 5200.0
