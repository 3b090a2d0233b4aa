"""Orders, capacities, prices, stocks and moves."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

from tests import building as b
from tests.building import case, catalog, chain, demand, facility, maker, offer, rule, source, store, unstored

from friendshore.domain.case import Case, OrderSpec
from friendshore.domain.facts import CapacityStep, Lane, Status
from friendshore.domain.market import Rate
from friendshore.rules.kinds.trade import Tariff

from .framework import METAL, OXIDE, THREE, metal, plants, rows, worked

US = facility("us", "US")
NOTHING_HELD = (store("metal", 0, limit=0),)
STRICT = b.ban(*METAL, start=None)


def defence_and_civil(defence: float, civil: float, **more: Any) -> Case:
    """Metal for two uses."""
    return case(demand("metal", "defense", defence), demand("metal", "civil", civil), **more)


rows(
    *plants(), source("AU", 10, min_order=100), source("JP", 20),
    # Neither use alone orders 100 kg, both together do: 120 x 10.
    two_uses_share_a_minimum=(defence_and_civil(60, 60), STRICT, 1200),
    # 100 kg must be ordered for 90: 1000, and 10 kg are held for a year at 1; the other offer would cost 1800.
    more_than_needed_is_ordered=(defence_and_civil(60, 30, stores=(store("metal", 1),)), STRICT, 1010),
)  # fmt: skip

rows(
    *plants(), US, source("AU", 10, "oxide", min_order=30), maker("US", 1, 1),
    # 30 kg of oxide must be ordered for 10 of metal. Held as oxide the rest costs 4, made into metal 1: 300 + 30.
    surplus_is_made_into_what_is_cheaper_to_hold=(metal(10, stores=(store("oxide", 4), store("metal", 0))), (), 330),
)  # fmt: skip

rows(
    facility("plant", "AU", 10), facility("line", "AU", 8, within="plant"),
    source("AU", 10, name="a", plant="plant"), source("AU", 5, name="b", plant="line"), source("JP", 100, name="c"),
    # The line makes 8 at 5; its plant 10 in all, so 2 at 10; 2 more at 100.
    joint_capacity=(metal(12), (), 260),
)  # fmt: skip

RAMP = (
    CapacityStep(per_year=Decimal(365), status=Status.CONSTRUCTION, source=b.SOURCE),
    CapacityStep(start=date(2026, 7, 1), per_year=Decimal(365), status=Status.RAMPING, source=b.SOURCE),
)
LATE = 200 * 184 / 365
rows(
    facility("au", "AU", capacity=RAMP), source("AU", 1),
    # Construction (0) until 1 July 2026, ramping (0.8) of 365 a year from then: 184 x 0.8 = 147.2 at 1; the rest short.
    # Demand 400: 147.2 + 252.8 x 1000. Of 400, 201.6 are used from 1 July on.
    capacity_counts_by_days_and_status=(metal(400), (), 147.2 + 252800),
    # Of 200 kg only what is used on the 184 days from July on can come from it, though it makes more.
    a_plant_that_begins_in_july_is_of_use_from_then=(metal(200), (), LATE + (200 - LATE) * 1000),
)  # fmt: skip


@worked
def an_order_of_a_plant_that_begins_waits_for_it() -> Any:
    """Three months away: what is ordered on 1 August, when the plant begins, is there on 1 November, and of use on 61 of the 92 days of the quarter."""
    steps = (CapacityStep(start=date(2026, 8, 1), per_year=Decimal(3650), status=Status.OPERATING, source=b.SOURCE),)
    facts = catalog(facility("au", "AU", capacity=steps), source("AU", 1, lead_time=3))
    return metal(0, 92, start=date(2026, 7, 1), length="quarter"), facts, (), 61 + 31 * 1000.0


rows(
    *plants(), source("AU", 10, name="a", onboarding=500, onboarding_currency="USD"), source("JP", 60, name="b"),
    # 500 once and 10 a kilogram for 11 kg, against 60 a kilogram.
    onboarding_pays=(metal(5, 6), (), 610),
)  # fmt: skip

rows(
    *plants(), source("AU", 10, name="a", total=9, max_order=5), source("JP", 20, name="b"),
    # A parcel of 9, at most 5 a period, at 10; 20 elsewhere: 12 kg in two years, 9 x 10 + 3 x 20.
    total_and_max_order=(metal(6, 6), (), 150),
)  # fmt: skip

TENTH = Decimal("0.1")
rows(
    *plants(), source("AU", 100, name="a", end=date(2026, 12, 31)),
    # Offered in 2026 only: 10 x 100, and a year's holding at 3; the money is not discounted, it is of the first year.
    bought_early_and_held=(metal(0, 10, discount=TENTH, stores=(store("metal", 3),)), (), 1030),
    # Store full: only 4 kg can be held, 6 are short at 1000 a year later: 400 + 12 + 6000 / 1.1.
    shortage_is_discounted=(metal(0, 10, discount=TENTH, stores=(store("metal", 3, limit=4),)), (), 412 + 6000 / 1.1),
)  # fmt: skip


@worked
def duty_of_the_dearest_origin() -> Any:
    """Melted in China or Australia, sold from Australia: 25% of 40 on Chinese origin for 184 of 365 days, 1 on all."""
    good = offer("a", "au", "metal", 40, chain("AU", *OXIDE) + chain("CN/AU", "melted"))
    half = [{"from": "2026-07-01", "until": "2026-12-31"}]
    section = rule(Tariff, id="s", origins=["CN"], rate="0.25", phases=half)
    flat = rule(Tariff, id="f", specific=1, specific_currency="USD")
    return metal(10), catalog(*plants(), good), (section, flat), 400.0 + 10 * (10 * 184 / 365 + 1)


@worked
def duty_on_an_input() -> Any:
    """A US maker's oxide pays 10% of 40 on entry: 10 x (100 + 0.5 x 44); what he makes pays nothing."""
    magnet = offer("us-magnet", "us", "magnet", 100, chain("US", "melted", "produced"), inputs=b.lines(oxide=0.5))
    facts = catalog(*plants(), magnet, source("AU", 40, "oxide"))
    return case(demand("magnet", "civil", 10)), facts, (rule(Tariff, rate="0.1"),), 1220.0


@worked
def lanes_freight_and_lead() -> Any:
    """The only lane takes a year and 2 of freight; nothing for 2026: 10 x 1000 short, then 10 x (20 + 2), some discounted."""
    lanes = (Lane(to="US", freight=Decimal(2), currency="USD", lead_time=Decimal(12), source=b.SOURCE),)
    facts = catalog(*plants(), source("AU", 20, name="a", lanes=lanes))
    return metal(10, 10, discount=Decimal("0.25")), facts, (), 10000 + 200 + 20 / 1.25


rows(
    *plants(), US, source("AU", 20, name="a"), source("US", 22, name="b"),
    # 3 a kilogram across a border, nothing within the country: 10 x min(20 + 3, 22).
    assumed_freight_across_borders=(metal(10, assume={"freight": 3}), (), 220),
)  # fmt: skip


def ordered(offer: str, kilograms: int, arrives: date, day: date, **more: Any) -> OrderSpec:
    """An order already placed."""
    return OrderSpec(offer=offer, quantity=Decimal(kilograms), arrives=arrives, ordered=day, **more)


ONLY_ORDERED = (*plants(), source("CN", 20, name="a", start=date(2030, 1, 1)))
AT_2 = (store("metal", 2),)


@worked
def order_already_placed() -> Any:
    """20 kg arrive on 5 May 2027, paid for: 10 are short in 2026, and of 15 in 2027 what is used on the 124 days before; the rest is held at 2.

    Short are 10 + 15 x 124 / 365, used of the order 15 x 241 / 365.
    """
    made = metal(10, 15, orders=(ordered("a", 20, date(2027, 5, 5), date(2026, 2, 2)),), stores=AT_2)
    short, used = 10 + 15 * 124 / 365, 15 * 241 / 365
    return made, catalog(*ONLY_ORDERED), (), 1000 * short + 2 * (20 - used)


@worked
def two_orders_and_a_demand_from_march() -> Any:
    """Civil use of 61 kg from March 2026 on, 306 days; 20 kg arrive on 1 May, 100 kg on 1 July. 12 kg in hand last for 60 days and 12/61.

    Before 1 May 61 days are wanted, before 1 July 122: 61 x 61 / 306 = 12.16 are used before May, of which 0.16 are short, and as much from
    May to June, out of the 20. What is left is held at 2.
    """
    orders = tuple(ordered("a", n, date(2026, month, 1), date(2025, 2, 2)) for n, month in ((20, 5), (100, 7)))
    wanted = demand("metal", "civil", 61).but(start=date(2026, 3, 1))
    made = case(wanted, orders=orders, stocks=(b.stock("metal", 12, chain("CN", *METAL)),), stores=AT_2)
    short = 61 * 61 / 306 - 12
    return made, catalog(*ONLY_ORDERED), (), 1000 * short + 2 * (132 - 61 + short)


def for_a_melter(day: int) -> Case:
    """10 kg of metal are wanted in the third quarter, and their oxide arrives on a day of June."""
    order = ordered("o", 10, date(2026, 6, day), date(2025, 2, 2), place="US")
    return metal(0, 10, 0, start=date(2026, 4, 1), length="quarter", orders=(order,))


# A melter a month away must be given the oxide by 1 June, when its metal is ordered.
rows(
    *plants(), US, source("CN", 1, "oxide", name="o", start=date(2030, 1, 1)), maker("US", 5, 1, lead_time=1),
    # The oxide arrives on the day of the order: 10 kg at 5.
    inputs_of_an_order_come_in_time=(for_a_melter(1), (), 50),
    # The oxide arrives a day later, and is of use only in the quarter after: 10 kg are short.
    inputs_of_an_order_come_a_day_late=(for_a_melter(2), (), 10000),
)  # fmt: skip


@worked
def benchmark_and_rates() -> Any:
    """A benchmark of 10 EUR and 50% on it; nothing can be held. The euro is 1.5 from 2 January 2027 on, so 1.2 on 1 January.

    20 x 15 x 1.2 + 10 x 15 x 1.5.
    """
    good = source("AU", b.price(benchmark="bench", premium=Decimal("0.5")))
    rates = tuple(
        Rate(currency="EUR", to="USD", rate=Decimal(rate), start=start, source=b.SOURCE)
        for rate, start in (("1.2", date(2025, 1, 1)), ("1.5", date(2027, 1, 2)))
    )
    quoted = b.benchmark(10, date(2025, 12, 1), currency="EUR")
    return unstored(10, 10, 10), catalog(*plants(), good, quoted, rates=rates), (), 585.0


rows(
    *plants(), US, source("AU", 4, "oxide", min_order=30), maker("JP", 10, 1, max_order=10), maker("US", 10, 1),
    # 30 kg of oxide at 4 are ordered for 20: two makers in two countries share the order. 10 kg too many are held at 1.
    minimum_of_an_input_over_two_makers=(metal(20, stores=(store("oxide", 1, "JP"), store("oxide", 1, "US"))), (), 120 + 200 + 10),
)  # fmt: skip

rows(
    *THREE,
    # 20 kg in hand, 15 wanted, and nothing may be held: it cannot hold.
    stock_that_must_lie_where_nothing_may=(
        metal(15, stocks=(b.stock("metal", 20, chain("AU", *METAL)),), stores=NOTHING_HELD), (), math.inf,
    ),
    # 15 kg in hand serve defense at once, since nothing may be held, and the civil use buys 10 at 10.
    stock_that_is_used_at_once=(
        defence_and_civil(15, 10, stocks=(b.stock("metal", 15, chain("AU", *METAL)),), stores=NOTHING_HELD), b.ban("mined", start=None), 100,
    ),
)  # fmt: skip
