"""Shares, numbers of suppliers, budgets and pins."""

from __future__ import annotations

import math
from typing import Any

from tests.building import ban, case, catalog, chain, demand, facility, offer, source, store

from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinDelivered, MinShare, MinSuppliers, Pin

from .framework import ALL, METAL, plants, three, worked


@worked
def share_cap_at_a_stage() -> Any:
    """No country mines more than 65 %: 65 x 10 + 35 x 50."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "65 %"})
    return case(demand("metal", "civil", 100)), catalog(*three()), (cap,), 2400.0


@worked
def share_cap_from_2027() -> Any:
    """The cap holds from 2027 on; nothing can be held: 100 x 10 + 65 x 10 + 35 x 50."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65", "phases": [{"from": "2027-01-01"}]})
    made = case(demand("metal", "civil", 100, 100), stores=(store("metal", 0, limit=0),))
    return made, catalog(*three()), (cap,), 3400.0


@worked
def share_cap_counts_every_possible_country() -> Any:
    """Metal that may be Chinese or Australian counts for both: 20 of it leave room for 40 of each, 20 x 5 + 40 x 10 + 40 x 50.

    One more kilogram of it would take the place of one of each, and want a Japanese one at 80.
    """
    mixed = offer("mixed", "cn", "metal", 5, chain("CN/AU", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.6"})
    return case(demand("metal", "civil", 100)), catalog(*three(), mixed), (cap,), 2500.0


@worked
def share_cap_of_an_unknown_country() -> Any:
    """A list that may not be complete counts everywhere: with 30 % a country a kilogram of it takes the place of three.

    So none is bought; 30 of each of the three, and 10 are short.
    """
    vague = offer("vague", "us", "metal", 5, chain("US?", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.3"})
    made = case(demand("metal", "civil", 100))
    return made, catalog(*three(), facility("us", "US"), vague), (cap,), 300.0 + 1500 + 2400 + 10000


@worked
def share_cap_of_a_country_that_nobody_lists() -> Any:
    """No offer lists China, but the list of the cheap one is not complete: 30 of it at 5, and 70 at 80."""
    vague = offer("vague", "us", "metal", 5, chain("AU?", *METAL))
    sure = source("JP", 80)
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.3", "countries": ["CN"]})
    made = case(demand("metal", "civil", 100))
    return made, catalog(*plants(), facility("us", "US"), vague, sure), (cap,), 5750.0


@worked
def share_cap_where_nobody_knows_a_country() -> Any:
    """All that is offered comes from nobody knows where, which may be one country: 65 at 5, the rest short."""
    vague = offer("vague", "us", "metal", 5, chain("?", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65"})
    made = case(demand("metal", "civil", 100))
    return made, catalog(facility("us", "US"), vague), (cap,), 325.0 + 35000


@worked
def share_cap_in_contained_element() -> Any:
    """Oxide holds 0.8 of the element, bought magnets half; both are wanted, 80 + 50 kg of element. China may mine 65 of it.

    Magnets at 10 and 100, oxide at 20 and 30: Australian magnets cost 90 more for 0.5 of element, oxide 10 for 0.8. So all
    100 magnets are Chinese (50 of element), 15 more are oxide: 18.75 kg at 20 and 81.25 at 30.
    """
    goods = (
        offer("cn-magnet", "cn", "magnet", 10, chain("CN", *ALL)),
        offer("au-magnet", "au", "magnet", 100, chain("AU", *ALL)),
        source("CN", 20, "oxide"),
        source("AU", 30, "oxide"),
    )
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.5", "countries": ["CN"]})
    made = case(demand("magnet", "civil", 100), demand("oxide", "civil", 100))
    return made, catalog(*plants(), *goods), (cap,), 1000.0 + 18.75 * 20 + 81.25 * 30


@worked
def floor_counts_what_is_certain() -> Any:
    """40 % surely Australian: 40 x 50. The vague ones at 5 do not count for it, and serve the rest."""
    vague = offer("vague", "au", "metal", 5, chain("AU?", *METAL))
    floor = MinShare.model_validate({"id": "floor", "stage": "mined", "share": "0.4", "countries": ["AU"]})
    return case(demand("metal", "civil", 100)), catalog(*three(), vague), (floor,), 2000.0 + 300.0


@worked
def floor_above_the_need_is_stored() -> Any:
    """At least half of what is bought comes from Australia, whose order is 80 at least: 80 x 50, 20 Chinese; nothing beyond."""
    big = source("AU", 50, min_order=80)
    small = source("CN", 10)
    floor = MinShare.model_validate({"id": "f", "share": "0.5", "countries": ["AU"], "of": "purchases"})
    return case(demand("metal", "civil", 100)), catalog(*plants(), big, small), (floor,), 4200.0


@worked
def two_suppliers_at_least() -> Any:
    """The second counts from 10 %: 90 x 10 + 10 x 50."""
    rule = MinSuppliers.model_validate({"id": "two", "count": 2, "least_share": "0.1"})
    return case(demand("metal", "civil", 100)), catalog(*three()), (rule,), 1400.0


@worked
def one_supplier_at_most() -> Any:
    """The cheap one makes 60: all 100 come from the other at 50."""
    plants = facility("cn", "CN", 60), facility("au", "AU")
    offers = (source("CN", 10), source("AU", 50))
    rule = MaxSuppliers.model_validate({"id": "one", "count": 1})
    return case(demand("metal", "civil", 100)), catalog(*plants, *offers), (rule,), 5000.0


@worked
def four_suppliers_where_three_are() -> Any:
    """It cannot hold."""
    rule = MinSuppliers.model_validate({"id": "four", "count": 4})
    return case(demand("metal", "civil", 100)), catalog(*three()), (rule,), math.inf


@worked
def pin_of_what_is_barred() -> Any:
    """Chinese metal is pinned and barred from the only use: it cannot hold."""
    pin = Pin.model_validate({"id": "p", "offer": "cn-metal", "at_least": 14})
    return case(demand("metal", "defense", 100)), catalog(*three()), (pin, ban("mined", start=None)), math.inf


@worked
def budget_for_half() -> Any:
    """500 buy 50 at 10; the other 50 are short at 60."""
    budget = Budget.model_validate({"id": "b", "amount": 500, "per": "horizon"})
    return case(demand("metal", "civil", 100, price=60)), catalog(*three()), (budget,), 3500.0


@worked
def demand_that_must_be_met() -> Any:
    """Metal at 10 is dearer than being short at 5; all of it must be delivered all the same."""
    must = MinDelivered.model_validate({"id": "must"})
    return case(demand("metal", "civil", 100, price=5)), catalog(*three()), (must,), 1000.0


@worked
def demand_that_cannot_be_met() -> Any:
    """60 can be made of the 100 that must be delivered: it cannot hold."""
    few = facility("cn", "CN", 60), source("CN", 10)
    must = MinDelivered.model_validate({"id": "must"})
    return case(demand("metal", "civil", 100)), catalog(*few), (must,), math.inf


@worked
def ninety_per_cent_over_the_plan() -> Any:
    """60 a year can be made at 10, 60 and 40 are wanted, nothing is held: 90 of 100 in all, 10 of them are short at 5."""
    few = facility("cn", "CN", 60), source("CN", 10)
    most = MinDelivered.model_validate({"id": "most", "share": "90 %", "per": "horizon"})
    made = case(demand("metal", "civil", 60, 40, price=5), stores=(store("metal", 0, limit=0),))
    return made, catalog(*few), (most,), 950.0


@worked
def two_demands_served_together() -> Any:
    """80 can be made of 100 + 100, 40 % of both together: all 80 for defence, though civil use would rather be short."""
    few = facility("cn", "CN", 80), source("CN", 10)
    half = MinDelivered.model_validate({"id": "half", "share": "0.4", "together": True})
    made = case(demand("metal", "civil", 100, price=5), demand("metal", "defense", 100, price=100))
    return made, catalog(*few), (half,), 80 * 10 + 20 * 100 + 100 * 5.0


@worked
def soft_delivery_is_paid_for() -> Any:
    """Metal at 10, short at 5, a miss at 4: all are short, which is cheaper than metal: 100 x (5 + 4)."""
    soft = MinDelivered.model_validate({"id": "soft", "penalty": 4})
    return case(demand("metal", "civil", 100, price=5)), catalog(*three()), (soft,), 900.0


@worked
def pinned_purchase() -> Any:
    """30 are to come from Japan: 30 x 80 + 70 x 10."""
    pin = Pin.model_validate({"id": "p", "offer": "jp-metal", "at_least": 30})
    return case(demand("metal", "civil", 100)), catalog(*three()), (pin,), 3100.0


@worked
def pinned_beyond_need() -> Any:
    """Exactly 130 from Japan: 30 are held at 1."""
    pin = Pin.model_validate({"id": "p", "offer": "jp-metal", "exactly": 130})
    made = case(demand("metal", "civil", 100), stores=(store("metal", 1),))
    return made, catalog(*three()), (pin,), 130 * 80 + 30.0


@worked
def soft_cap_is_paid_for() -> Any:
    """35 above the cap at 5 each are cheaper than Australian metal: 100 x 10 + 35 x 5."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65", "penalty": 5})
    return case(demand("metal", "civil", 100)), catalog(*three()), (cap,), 1175.0
