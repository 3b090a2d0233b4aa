"""Orders, capacities, prices, stocks and moves."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

from tests.building import SOURCE, ban, case, catalog, chain, demand, facility, lines, offer, source, stock, store

from friendshore.domain.case import OrderSpec
from friendshore.domain.facts import CapacityStep, Lane, Price, Status
from friendshore.domain.market import BenchmarkPrice, Rate
from friendshore.rules.kinds.tariff import Tariff

from .framework import METAL, OXIDE, plants, three, worked


@worked
def two_uses_share_a_minimum() -> Any:
    """Neither use alone orders 100 kg, both together do: 120 x 10."""
    cheap = source("AU", 10, min_order=100)
    dear = source("JP", 20)
    wanted = demand("metal", "defense", 60), demand("metal", "civil", 60)
    return case(*wanted), catalog(*plants(), cheap, dear), (ban(*METAL, start=None),), 1200.0


@worked
def more_than_needed_is_ordered() -> Any:
    """100 kg must be ordered for 90: 1000, and 10 kg are held for a year at 1; the other offer would cost 1800."""
    cheap = source("AU", 10, min_order=100)
    dear = source("JP", 20)
    wanted = demand("metal", "defense", 60), demand("metal", "civil", 30)
    made = case(*wanted, stores=(store("metal", 1),))
    return made, catalog(*plants(), cheap, dear), (ban(*METAL, start=None),), 1010.0


@worked
def surplus_is_made_into_what_is_cheaper_to_hold() -> Any:
    """30 kg of oxide must be ordered for 10 of metal. Held as oxide the rest costs 4, made into metal 1: 300 + 30."""
    oxide = source("AU", 10, "oxide", min_order=30)
    metal = offer("us-metal", "us", "metal", 1, chain("US", "melted"), inputs=lines(oxide=1))
    made = case(demand("metal", "civil", 10), stores=(store("oxide", 4), store("metal", 0)))
    return made, catalog(*plants(), facility("us", "US"), oxide, metal), (), 330.0


@worked
def joint_capacity() -> Any:
    """The line makes 8 at 5; its plant 10 in all, so 2 at 10; 2 more at 100."""
    plants = facility("plant", "AU", 10), facility("line", "AU", 8, within="plant"), facility("jp", "JP")
    offers = (
        source("AU", 10, name="a", plant="plant"),
        source("AU", 5, name="b", plant="line"),
        source("JP", 100, name="c"),
    )
    return case(demand("metal", "civil", 12)), catalog(*plants, *offers), (), 260.0


@worked
def capacity_counts_by_days_and_status() -> Any:
    """Construction (0) until 1 July 2026, ramping (0.8) of 365 a year from then: 184 x 0.8 = 147.2 at 1; the rest short.

    Demand 400: 147.2 + 252.8 x 1000. Of 400, 201.6 are used from 1 July on.
    """
    return case(demand("metal", "civil", 400)), catalog(*ramping()), (), 147.2 + 252800.0


@worked
def a_plant_that_begins_in_july_is_of_use_from_then() -> Any:
    """Of 200 kg only what is used on the 184 days from July on can come from it, though it makes more."""
    late = 200 * 184 / 365
    return case(demand("metal", "civil", 200)), catalog(*ramping()), (), late + (200 - late) * 1000


@worked
def an_order_of_a_plant_that_begins_waits_for_it() -> Any:
    """Three months away: what is ordered on 1 August, when the plant begins, is there on 1 November, and of use on 61 of the 92 days of the quarter."""
    steps = (CapacityStep(start=date(2026, 8, 1), per_year=Decimal(3650), status=Status.OPERATING, source=SOURCE),)
    metal = source("AU", 1, lead_time=3)
    made = case(demand("metal", "civil", 0, 92), start=date(2026, 7, 1), length="quarter")
    return made, catalog(facility("au", "AU", capacity=steps), metal), (), 61 + 31 * 1000.0


def ramping() -> tuple[Any, ...]:
    """A plant that ramps up from July 2026 on, and its metal."""
    steps = (
        CapacityStep(per_year=Decimal(365), status=Status.CONSTRUCTION, source=SOURCE),
        CapacityStep(start=date(2026, 7, 1), per_year=Decimal(365), status=Status.RAMPING, source=SOURCE),
    )
    return facility("au", "AU", capacity=steps), source("AU", 1)


@worked
def onboarding_pays() -> Any:
    """500 once and 10 a kilogram for 11 kg, against 60 a kilogram."""
    offers = (source("AU", 10, name="a", onboarding=500, onboarding_currency="USD"), source("JP", 60, name="b"))
    return case(demand("metal", "civil", 5, 6)), catalog(*plants(), *offers), (), 610.0


@worked
def total_and_max_order() -> Any:
    """A parcel of 9, at most 5 a period, at 10; 20 elsewhere: 12 kg in two years, 9 x 10 + 3 x 20."""
    offers = (source("AU", 10, name="a", total=9, max_order=5), source("JP", 20, name="b"))
    return case(demand("metal", "civil", 6, 6)), catalog(*plants(), *offers), (), 150.0


@worked
def bought_early_and_held() -> Any:
    """Offered in 2026 only: 10 x 100, and a year's holding at 3; the money is not discounted, it is of the first year."""
    metal = source("AU", 100, name="a", end=date(2026, 12, 31))
    made = case(demand("metal", "civil", 0, 10), discount=Decimal("0.1"), stores=(store("metal", 3),))
    return made, catalog(*plants(), metal), (), 1030.0


@worked
def shortage_is_discounted() -> Any:
    """Store full: only 4 kg can be held, 6 are short at 1000 a year later: 400 + 12 + 6000 / 1.1."""
    metal = source("AU", 100, name="a", end=date(2026, 12, 31))
    made = case(demand("metal", "civil", 0, 10), discount=Decimal("0.1"), stores=(store("metal", 3, limit=4),))
    return made, catalog(*plants(), metal), (), 412.0 + 6000 / 1.1


@worked
def duty_of_the_dearest_origin() -> Any:
    """Melted in China or Australia, sold from Australia: 25 % of 40 on Chinese origin for 184 of 365 days, 1 on all."""
    metal = offer("a", "au", "metal", 40, chain("AU", *OXIDE) + chain("CN/AU", "melted"))
    section = Tariff.model_validate(
        {"id": "s", "origins": ["CN"], "rate": "0.25", "phases": [{"from": "2026-07-01", "until": "2026-12-31"}]}
    )
    flat = Tariff.model_validate({"id": "f", "specific": 1, "specific_currency": "USD"})
    made = case(demand("metal", "civil", 10))
    return made, catalog(*plants(), metal), (section, flat), 400.0 + 10 * (10 * 184 / 365 + 1)


@worked
def duty_on_an_input() -> Any:
    """A US maker's oxide pays 10 % of 40 on entry: 10 x (100 + 0.5 x 44); what he makes pays nothing."""
    oxide = source("AU", 40, "oxide")
    magnet = offer("us-magnet", "us", "magnet", 100, chain("US", "melted", "produced"), inputs=lines(oxide=0.5))
    tariff = Tariff.model_validate({"id": "s", "rate": "0.1"})
    made = case(demand("magnet", "civil", 10))
    return made, catalog(*plants(), facility("us", "US"), oxide, magnet), (tariff,), 1220.0


@worked
def lanes_freight_and_lead() -> Any:
    """The only lane takes a year and 2 of freight; nothing for 2026: 10 x 1000 short, then 10 x (20 + 2), some discounted."""
    lanes = (Lane(to="US", freight=Decimal(2), currency="USD", lead_time=Decimal(12), source=SOURCE),)
    metal = source("AU", 20, name="a", lanes=lanes)
    made = case(demand("metal", "civil", 10, 10), discount=Decimal("0.25"))
    return made, catalog(*plants(), metal), (), 10000 + 200 + 20 / 1.25


@worked
def assumed_freight_across_borders() -> Any:
    """3 a kilogram across a border, nothing within the country: 10 x min(20 + 3, 22)."""
    offers = source("AU", 20, name="a"), source("US", 22, name="b")
    made = case(demand("metal", "civil", 10), assume={"freight": 3})
    return made, catalog(*plants(), facility("us", "US"), *offers), (), 220.0


@worked
def order_already_placed() -> Any:
    """20 kg arrive on 5 May 2027, paid for: 10 are short in 2026, and of 15 in 2027 what is used on the 124 days before; the rest is held at 2.

    Short are 10 + 15 x 124 / 365, used of the order 15 x 241 / 365.
    """
    metal = source("CN", 20, name="a", start=date(2030, 1, 1))
    order = OrderSpec(offer="a", quantity=Decimal(20), arrives=date(2027, 5, 5), ordered=date(2026, 2, 2))
    made = case(demand("metal", "civil", 10, 15), orders=(order,), stores=(store("metal", 2),))
    short, used = 10 + 15 * 124 / 365, 15 * 241 / 365
    return made, catalog(*plants(), metal), (), 1000 * short + 2 * (20 - used)


@worked
def two_orders_and_a_demand_from_march() -> Any:
    """Civil use of 61 kg from March 2026 on, 306 days; 20 kg arrive on 1 May, 100 kg on 1 July. 12 kg in hand last for 60 days and 12/61.

    Before 1 May 61 days are wanted, before 1 July 122: 61 x 61 / 306 = 12.16 are used before May, of which 0.16 are short, and as much from
    May to June, out of the 20. What is left is held at 2.
    """
    metal = source("CN", 20, name="a", start=date(2030, 1, 1))
    wanted = demand("metal", "civil", 61).but(start=date(2026, 3, 1))
    orders = tuple(
        OrderSpec(offer="a", quantity=Decimal(kilograms), arrives=day, ordered=date(2025, 2, 2))
        for kilograms, day in ((20, date(2026, 5, 1)), (100, date(2026, 7, 1)))
    )
    made = case(wanted, orders=orders, stocks=(stock("metal", 12, chain("CN", *METAL)),), stores=(store("metal", 2),))
    short = 61 * 61 / 306 - 12
    return made, catalog(*plants(), metal), (), 1000 * short + 2 * (132 - 61 + short)


def oxide_for_a_melter(arrives: date) -> tuple[Any, ...]:
    """10 kg of metal are wanted in the third quarter. A melter a month away must be given their oxide by 1 June, when it is ordered."""
    oxide = source("CN", 1, "oxide", name="o", start=date(2030, 1, 1))
    melt = offer("m", "us", "metal", 5, chain("US", "melted"), inputs=lines(oxide=1), lead_time=1)
    order = OrderSpec(offer="o", place="US", quantity=Decimal(10), arrives=arrives, ordered=date(2025, 2, 2))
    wanted = demand("metal", "civil", 0, 10, 0)
    made = case(wanted, start=date(2026, 4, 1), length="quarter", orders=(order,))
    return made, catalog(*plants(), facility("us", "US"), oxide, melt), ()


@worked
def inputs_of_an_order_come_in_time() -> Any:
    """The oxide arrives on the day of the order: 10 kg at 5."""
    return *oxide_for_a_melter(date(2026, 6, 1)), 50.0


@worked
def inputs_of_an_order_come_a_day_late() -> Any:
    """The oxide arrives a day later, and is of use only in the quarter after: 10 kg are short."""
    return *oxide_for_a_melter(date(2026, 6, 2)), 10000.0


@worked
def benchmark_and_rates() -> Any:
    """A benchmark of 10 EUR and 50 % on it; nothing can be held. The euro is 1.5 from 2 January 2027 on, so 1.2 on 1 January.

    20 x 15 x 1.2 + 10 x 15 x 1.5.
    """
    price = Price(benchmark="b", premium=Decimal("0.5"), source=SOURCE)
    metal = source("AU", price, name="a")
    quoted = BenchmarkPrice(
        id="b", material="metal", date=date(2025, 12, 1), amount=Decimal(10), currency="EUR", source=SOURCE
    )
    rates = tuple(
        Rate(currency="EUR", to="USD", rate=Decimal(rate), start=start, source=SOURCE)
        for rate, start in (("1.2", date(2025, 1, 1)), ("1.5", date(2027, 1, 2)))
    )
    made = case(demand("metal", "civil", 10, 10, 10), stores=(store("metal", 0, limit=0),))
    return made, catalog(*plants(), metal, quoted, rates=rates), (), 585.0


@worked
def minimum_of_an_input_over_two_makers() -> Any:
    """30 kg of oxide at 4 are ordered for 20: two makers in two countries share the order. 10 kg too many are held at 1."""
    oxide = source("AU", 4, "oxide", min_order=30)
    makers = (
        offer("jp-metal", "jp", "metal", 10, chain("JP", "melted"), inputs=lines(oxide=1), max_order=10),
        offer("us-metal", "us", "metal", 10, chain("US", "melted"), inputs=lines(oxide=1)),
    )
    made = case(demand("metal", "civil", 20), stores=(store("oxide", 1, "JP"), store("oxide", 1, "US")))
    return made, catalog(*plants(), facility("us", "US"), oxide, *makers), (), 120.0 + 200.0 + 10.0


@worked
def stock_that_must_lie_where_nothing_may() -> Any:
    """20 kg in hand, 15 wanted, and nothing may be held: it cannot hold."""
    held = stock("metal", 20, chain("AU", *METAL))
    made = case(demand("metal", "civil", 15), stocks=(held,), stores=(store("metal", 0, limit=0),))
    return made, catalog(*three()), (), math.inf


@worked
def stock_that_is_used_at_once() -> Any:
    """15 kg in hand serve defence at once, since nothing may be held, and the civil use buys 10 at 10."""
    held = stock("metal", 15, chain("AU", *METAL))
    wanted = demand("metal", "defense", 15), demand("metal", "civil", 10)
    made = case(*wanted, stocks=(held,), stores=(store("metal", 0, limit=0),))
    return made, catalog(*three()), (ban("mined", start=None),), 100.0
