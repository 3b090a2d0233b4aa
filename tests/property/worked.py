"""Tiny cases whose optimum can be worked out by hand; the working stands beside each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from friendshore.domain.case import Case, LicenceSpec, OrderSpec, WaiverSpec
from friendshore.domain.facts import BenchmarkPrice, CapacityStep, Catalog, Facility, Lane, Price, Rate, Status
from friendshore.rules.base import Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.tariff import Tariff

from .tiny import SOURCE, ban, case, catalog, chain, demand, facility, lines, offer, stock, store

ALL = ("mined", "refined", "melted", "produced")
METAL = ("mined", "refined", "melted")
OXIDE = ("mined", "refined")


@dataclass(frozen=True)
class Worked:
    """A case and the objective worked out by hand."""

    name: str
    case: Case
    catalog: Catalog
    rules: tuple[Rule, ...]
    objective: float


_CASES: list[Callable[[], Worked]] = []


def _worked(build: Callable[[], tuple[Case, Catalog, tuple[Rule, ...], float]]) -> Callable[[], Worked]:
    def made() -> Worked:
        return Worked(build.__name__, *build())

    _CASES.append(made)
    return made


def cases() -> list[Worked]:
    """All worked cases."""
    return [made() for made in _CASES]


def _plants(**more: Any) -> tuple[Facility, ...]:
    return tuple(facility(country.lower(), country, **more) for country in ("AU", "CN", "JP"))


def _control(**more: Any) -> ExportControl:
    given = {"id": "control", "exporters": ["CN"], "effect": "prohibit", "end_uses": ["defense"]}
    return ExportControl.model_validate({**given, **more})


@_worked
def two_uses_share_a_minimum() -> Any:
    """Neither use alone orders 100 kg, both together do: 120 x 10."""
    cheap = offer("au-metal", "au", "metal", 10, chain("AU", *METAL), min_order=100)
    dear = offer("jp-metal", "jp", "metal", 20, chain("JP", *METAL))
    wanted = demand("metal", "defense", 60), demand("metal", "civil", 60)
    return case(*wanted), catalog(*_plants(), cheap, dear), (ban(*METAL, start=None),), 1200.0


@_worked
def more_than_needed_is_ordered() -> Any:
    """100 kg must be ordered for 90: 1000, and 10 kg are held for a year at 1; the other offer would cost 1800."""
    cheap = offer("au-metal", "au", "metal", 10, chain("AU", *METAL), min_order=100)
    dear = offer("jp-metal", "jp", "metal", 20, chain("JP", *METAL))
    wanted = demand("metal", "defense", 60), demand("metal", "civil", 30)
    made = case(*wanted, stores=(store("metal", 1),))
    return made, catalog(*_plants(), cheap, dear), (ban(*METAL, start=None),), 1010.0


@_worked
def stock_held_across_a_ban() -> Any:
    """100 kg of Chinese metal serve 60 before the ban; after it only 30 of civil use. Defence buys 60 at 50 = 3000.

    At the end of 2026 40 kg are held, at the end of 2027 10 kg: 2 x 50 = 100.
    """
    dear = offer("au-metal", "au", "metal", 50, chain("AU", *METAL))
    cheap = offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL))
    wanted = demand("metal", "defense", 60, 60), demand("metal", "civil", 0, 30)
    held = stock("metal", 100, chain("CN", *METAL), acquired=date(2025, 5, 1))
    made = case(*wanted, stocks=(held,), stores=(store("metal", 2),))
    return made, catalog(*_plants(), dear, cheap), (ban("mined"),), 3100.0


@_worked
def banned_input_in_a_clean_magnet() -> Any:
    """The magnet costs 100 and half a kilogram of oxide: 40 from Australia for defence (120), 10 from China else (105)."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    wanted = demand("magnet", "defense", 10), demand("magnet", "civil", 10)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*_plants(), *oxides, magnet), (ban(*ALL),), 2250.0


@_worked
def stages_of_inputs_are_not_missing() -> Any:
    """A metal maker who says where he melts, and whose oxide says the rest, proves all: 10 x (30 + 1.25 x 40)."""
    oxide = offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE))
    metal = offer("jp-metal", "jp", "metal", 30, chain("JP", "melted"), inputs=lines(oxide=1.25))
    silent = offer("au-metal", "au", "metal", 5, chain("AU", "refined", "melted"))
    made = case(demand("metal", "defense", 10))
    return made, catalog(*_plants(), oxide, metal, silent), (ban(*METAL, start=None),), 800.0


@_worked
def coproduct_for_defence_serves_civil() -> Any:
    """10 units at 60 give the oxide for defence, and 30 of salt: the civil 20 are free, the Chinese salt is not bought."""
    circuit = offer("au-circuit", "au", "oxide", 60, chain("AU", *OXIDE), outputs=lines(oxide=1, salt=3))
    salt = offer("cn-salt", "cn", "salt", 5, chain("CN", *OXIDE))
    wanted = demand("oxide", "defense", 10), demand("salt", "civil", 20)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*_plants(), circuit, salt), (ban(*OXIDE),), 600.0


@_worked
def coproduct_with_inputs() -> Any:
    """A Japanese plant makes metal and magnets from one oxide. Defence metal needs Australian oxide: 10 units at 50 + 2 x 40.

    The magnets of these units serve civil use (10 of 30); 20 more units from Chinese oxide at 50 + 2 x 10 make the rest.
    The metal of those is left.
    """
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    links = chain("JP", "melted")
    both = offer("jp-both", "jp", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 10), demand("magnet", "civil", 30)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*_plants(), *oxides, both), (ban(*METAL),), 1300.0 + 1400.0


@_worked
def coproducts_for_uses_with_different_bans() -> Any:
    """Defence bars Chinese oxide, civil use Japanese; each bars what the other takes. Australian oxide serves both from one
    run: 10 x (50 + 2 x 40). Two runs with the cheapest that each may take cost 10 x (50 + 2 x 12) + 10 x (50 + 2 x 10).
    """
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
        offer("jp-oxide", "jp", "oxide", 12, chain("JP", *OXIDE)),
    )
    links = chain("AU", "melted", "produced")
    both = offer("au-both", "au", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 10), demand("magnet", "civil", 10)
    rules = ban("mined"), ban("mined", countries="JP", id="ban-2", end_uses=["civil"])
    return case(*wanted, start=date(2027, 1, 1)), catalog(*_plants(), *oxides, both), rules, 1300.0


@_worked
def coproduct_of_a_good_dated_by_order() -> Any:
    """Ordered in 2026 the metal escapes the ban. Its run's magnets are civil: one run of 10 from Chinese oxide, 10 x 70.

    The metal is held from 2026 to 2027, at 1.
    """
    oxide = offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE))
    links = chain("AU", "melted", "produced")
    both = offer("au-both", "au", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 0, 10), demand("magnet", "civil", 10, 0)
    made = case(*wanted, stores=(store("metal", 1),))
    return made, catalog(*_plants(), oxide, both), (ban("mined", dated_by="order"),), 710.0


@_worked
def input_moved_to_japan_is_controlled() -> Any:
    """China lets nothing out for foreign defence use: the oxide for its magnets comes from Australia all the same."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    wanted = demand("magnet", "defense", 10), demand("magnet", "civil", 10)
    return case(*wanted), catalog(*_plants(), *oxides, magnet), (_control(),), 2250.0


@_worked
def licence_of_three_kilograms() -> Any:
    """A licence for 3 kg of oxide makes 6 magnets at 105; the other 4 cost 120."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    licence = LicenceSpec(id="lic", rule="control", exporter="CN", quantity=Decimal(3))
    made = case(demand("magnet", "defense", 10), licences=(licence,))
    return made, catalog(*_plants(), *oxides, magnet), (_control(effect="licence"),), 1110.0


@_worked
def licence_that_covers_part_of_a_period() -> Any:
    """A licence from 2 January on covers no yearly period: 10 x 120."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    licence = LicenceSpec(id="lic", rule="control", quantity=Decimal(3), start=date(2026, 1, 2))
    made = case(demand("magnet", "defense", 10), licences=(licence,))
    return made, catalog(*_plants(), *oxides, magnet), (_control(effect="licence"),), 1200.0


@_worked
def lead_time_across_a_ban() -> Any:
    """Ordered before the ban, delivered after it: barred, so 10 x 50."""
    cheap = offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL), lead_time=3)
    dear = offer("au-metal", "au", "metal", 50, chain("AU", *METAL))
    made = case(demand("metal", "defense", 0, 10), start=date(2026, 10, 1), length="quarter")
    return made, catalog(*_plants(), cheap, dear), (ban("mined"),), 500.0


@_worked
def ban_dated_by_order() -> Any:
    """The same ban, asked by the day of the order: 10 x 10."""
    cheap = offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL), lead_time=3)
    dear = offer("au-metal", "au", "metal", 50, chain("AU", *METAL))
    made = case(demand("metal", "defense", 0, 10), start=date(2026, 10, 1), length="quarter")
    return made, catalog(*_plants(), cheap, dear), (ban("mined", dated_by="order"),), 100.0


@_worked
def magnet_ordered_before_a_ban_from_later_oxide() -> Any:
    """Dated by order: the order of the magnet counts, in 2026 with Chinese oxide at 105; it is held one year at 4."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("cn-oxide", "cn", "oxide", 10, chain("CN", *OXIDE)),
    )
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    made = case(demand("magnet", "defense", 0, 10), stores=(store("magnet", 4),))
    return made, catalog(*_plants(), *oxides, magnet), (ban(*ALL, dated_by="order"),), 1090.0


@_worked
def waiver_of_four_kilograms() -> Any:
    """4 kg of Chinese metal under the waiver, 6 of Australian: 40 + 300."""
    offers = (
        offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL)),
        offer("au-metal", "au", "metal", 50, chain("AU", *METAL)),
    )
    waiver = WaiverSpec(id="w", rule="ban", quantity=Decimal(4))
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), waivers=(waiver,))
    return made, catalog(*_plants(), *offers), (ban("mined"),), 340.0


@_worked
def two_waivers_of_one_rule() -> Any:
    """Two waivers of 4 kg each: 8 x 10 + 2 x 50."""
    offers = (
        offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL)),
        offer("au-metal", "au", "metal", 50, chain("AU", *METAL)),
    )
    waivers = tuple(WaiverSpec(id=name, rule="ban", quantity=Decimal(4)) for name in ("v", "w"))
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), waivers=waivers)
    return made, catalog(*_plants(), *offers), (ban("mined"),), 180.0


@_worked
def surplus_is_made_into_what_is_cheaper_to_hold() -> Any:
    """30 kg of oxide must be ordered for 10 of metal. Held as oxide the rest costs 4, made into metal 1: 300 + 30."""
    oxide = offer("au-oxide", "au", "oxide", 10, chain("AU", *OXIDE), min_order=30)
    metal = offer("us-metal", "us", "metal", 1, chain("US", "melted"), inputs=lines(oxide=1))
    made = case(demand("metal", "civil", 10), stores=(store("oxide", 4), store("metal", 0)))
    return made, catalog(*_plants(), facility("us", "US"), oxide, metal), (), 330.0


@_worked
def joint_capacity() -> Any:
    """The line makes 8 at 5; its plant 10 in all, so 2 at 10; 2 more at 100."""
    plants = facility("plant", "AU", 10), facility("line", "AU", 8, within="plant"), facility("jp", "JP")
    offers = (
        offer("a", "plant", "metal", 10, chain("AU", *METAL)),
        offer("b", "line", "metal", 5, chain("AU", *METAL)),
        offer("c", "jp", "metal", 100, chain("JP", *METAL)),
    )
    return case(demand("metal", "civil", 12)), catalog(*plants, *offers), (), 260.0


@_worked
def capacity_counts_by_days_and_status() -> Any:
    """Construction (0) until 1 July 2026, ramping (0.8) of 365 a year from then: 184 x 0.8 = 147.2 at 1; the rest short.

    Demand 200: 147.2 + 52.8 x 1000.
    """
    steps = (
        CapacityStep(per_year=Decimal(365), status=Status.CONSTRUCTION, source=SOURCE),
        CapacityStep(start=date(2026, 7, 1), per_year=Decimal(365), status=Status.RAMPING, source=SOURCE),
    )
    plant = facility("au", "AU", capacity=steps)
    metal = offer("au-metal", "au", "metal", 1, chain("AU", *METAL))
    return case(demand("metal", "civil", 200)), catalog(plant, metal), (), 147.2 + 52800.0


@_worked
def onboarding_pays() -> Any:
    """500 once and 10 a kilogram for 11 kg, against 60 a kilogram."""
    offers = (
        offer("a", "au", "metal", 10, chain("AU", *METAL), onboarding=500, onboarding_currency="USD"),
        offer("b", "jp", "metal", 60, chain("JP", *METAL)),
    )
    return case(demand("metal", "civil", 5, 6)), catalog(*_plants(), *offers), (), 610.0


@_worked
def total_and_max_order() -> Any:
    """A parcel of 9, at most 5 a period, at 10; 20 elsewhere: 12 kg in two years, 9 x 10 + 3 x 20."""
    offers = (
        offer("a", "au", "metal", 10, chain("AU", *METAL), total=9, max_order=5),
        offer("b", "jp", "metal", 20, chain("JP", *METAL)),
    )
    return case(demand("metal", "civil", 6, 6)), catalog(*_plants(), *offers), (), 150.0


@_worked
def bought_early_and_held() -> Any:
    """Offered in 2026 only: 10 x 100, and a year's holding at 3; the money is not discounted, it is of the first year."""
    metal = offer("a", "au", "metal", 100, chain("AU", *METAL), end=date(2026, 12, 31))
    made = case(demand("metal", "civil", 0, 10), discount=Decimal("0.1"), stores=(store("metal", 3),))
    return made, catalog(*_plants(), metal), (), 1030.0


@_worked
def shortage_is_discounted() -> Any:
    """Store full: only 4 kg can be held, 6 are short at 1000 a year later: 400 + 12 + 6000 / 1.1."""
    metal = offer("a", "au", "metal", 100, chain("AU", *METAL), end=date(2026, 12, 31))
    made = case(demand("metal", "civil", 0, 10), discount=Decimal("0.1"), stores=(store("metal", 3, limit=4),))
    return made, catalog(*_plants(), metal), (), 412.0 + 6000 / 1.1


@_worked
def duty_of_the_dearest_origin() -> Any:
    """Melted in China or Australia, sold from Australia: 25 % of 40 on Chinese origin for 184 of 365 days, 1 on all."""
    metal = offer("a", "au", "metal", 40, chain("AU", *OXIDE) + chain("CN/AU", "melted"))
    section = Tariff.model_validate(
        {"id": "s", "origins": ["CN"], "rate": "0.25", "phases": [{"from": "2026-07-01", "until": "2026-12-31"}]}
    )
    flat = Tariff.model_validate({"id": "f", "specific": 1, "specific_currency": "USD"})
    made = case(demand("metal", "civil", 10))
    return made, catalog(*_plants(), metal), (section, flat), 400.0 + 10 * (10 * 184 / 365 + 1)


@_worked
def duty_on_an_input() -> Any:
    """A US maker's oxide pays 10 % of 40 on entry: 10 x (100 + 0.5 x 44); what he makes pays nothing."""
    oxide = offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE))
    magnet = offer("us-magnet", "us", "magnet", 100, chain("US", "melted", "produced"), inputs=lines(oxide=0.5))
    tariff = Tariff.model_validate({"id": "s", "rate": "0.1"})
    made = case(demand("magnet", "civil", 10))
    return made, catalog(*_plants(), facility("us", "US"), oxide, magnet), (tariff,), 1220.0


@_worked
def lanes_freight_and_lead() -> Any:
    """The only lane takes a year and 2 of freight; nothing for 2026: 10 x 1000 short, then 10 x (20 + 2), some discounted."""
    lanes = (Lane(to="US", freight=Decimal(2), currency="USD", lead_time=Decimal(12), source=SOURCE),)
    metal = offer("a", "au", "metal", 20, chain("AU", *METAL), lanes=lanes)
    made = case(demand("metal", "civil", 10, 10), discount=Decimal("0.25"))
    return made, catalog(*_plants(), metal), (), 10000 + 200 + 20 / 1.25


@_worked
def assumed_freight_across_borders() -> Any:
    """3 a kilogram across a border, nothing within the country: 10 x min(20 + 3, 22)."""
    offers = offer("a", "au", "metal", 20, chain("AU", *METAL)), offer("b", "us", "metal", 22, chain("US", *METAL))
    made = case(demand("metal", "civil", 10), assume={"freight": 3})
    return made, catalog(*_plants(), facility("us", "US"), *offers), (), 220.0


@_worked
def order_already_placed() -> Any:
    """20 kg come in May 2027, paid for: 15 serve the civil use of 2027, 5 are held at 2; 10 are short in 2026."""
    metal = offer("a", "cn", "metal", 20, chain("CN", *METAL), start=date(2030, 1, 1))
    order = OrderSpec(offer="a", quantity=Decimal(20), arrives=date(2027, 5, 5), ordered=date(2026, 2, 2))
    made = case(demand("metal", "civil", 10, 15), orders=(order,), stores=(store("metal", 2),))
    return made, catalog(*_plants(), metal), (), 10000 + 10.0


@_worked
def benchmark_and_rates() -> Any:
    """A benchmark of 10 EUR and 50 % on it; nothing can be held. The euro is 1.5 from 2 January 2027 on, so 1.2 on 1 January.

    20 x 15 x 1.2 + 10 x 15 x 1.5.
    """
    price = Price(benchmark="b", premium=Decimal("0.5"), source=SOURCE)
    metal = offer("a", "au", "metal", price, chain("AU", *METAL))
    quoted = BenchmarkPrice(
        id="b", material="metal", date=date(2025, 12, 1), amount=Decimal(10), currency="EUR", source=SOURCE
    )
    rates = tuple(
        Rate(currency="EUR", to="USD", rate=Decimal(rate), start=start, source=SOURCE)
        for rate, start in (("1.2", date(2025, 1, 1)), ("1.5", date(2027, 1, 2)))
    )
    made = case(demand("metal", "civil", 10, 10, 10), stores=(store("metal", 0, limit=0),))
    return made, catalog(*_plants(), metal, quoted, rates=rates), (), 585.0


@_worked
def exclusion_of_a_facility() -> Any:
    """The cheap plant is kept out for defence, inputs included."""
    oxides = (
        offer("au-oxide", "au", "oxide", 40, chain("AU", *OXIDE)),
        offer("jp-oxide", "jp", "oxide", 10, chain("JP", *OXIDE)),
    )
    metal = offer("us-metal", "us", "metal", 100, chain("US", "melted"), inputs=lines(oxide=1))
    kept_out = Exclude.model_validate({"id": "x", "facilities": ["jp"], "end_uses": ["defense"]})
    made = case(demand("metal", "defense", 10), demand("metal", "civil", 10))
    return made, catalog(*_plants(), facility("us", "US"), *oxides, metal), (kept_out,), 1400.0 + 1100.0


@_worked
def possible_countries_are_not_proof() -> Any:
    """May be Chinese, or list not known complete: unproven, so barred; 10 x 90."""
    offers = (
        offer("a", "au", "metal", 10, chain("AU/CN", *METAL)),
        offer("b", "au", "metal", 20, chain("AU?", *METAL)),
        offer("c", "au", "metal", 90, chain("AU/JP", *METAL)),
    )
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1))
    return made, catalog(*_plants(), *offers), (ban("mined"),), 900.0


@_worked
def unproven_may_be_accepted() -> Any:
    """The same where the case lets unproven pass: 10 x 10."""
    offers = (
        offer("a", "au", "metal", 10, chain("AU/CN", *METAL)),
        offer("b", "cn", "metal", 5, chain("CN", *METAL)),
    )
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), accept={"unproven": True})
    return made, catalog(*_plants(), *offers), (ban("mined"),), 100.0


@_worked
def minimum_of_an_input_over_two_makers() -> Any:
    """30 kg of oxide at 4 are ordered for 20: two makers in two countries share the order. 10 kg too many are held at 1."""
    oxide = offer("au-oxide", "au", "oxide", 4, chain("AU", *OXIDE), min_order=30)
    makers = (
        offer("jp-metal", "jp", "metal", 10, chain("JP", "melted"), inputs=lines(oxide=1), max_order=10),
        offer("us-metal", "us", "metal", 10, chain("US", "melted"), inputs=lines(oxide=1)),
    )
    made = case(demand("metal", "civil", 20), stores=(store("oxide", 1, "JP"), store("oxide", 1, "US")))
    return made, catalog(*_plants(), facility("us", "US"), oxide, *makers), (), 120.0 + 200.0 + 10.0


def _three() -> tuple[Any, ...]:
    """Chinese metal at 10, Australian at 50, Japanese at 80."""
    prices = (("cn", 10), ("au", 50), ("jp", 80))
    return (*_plants(), *(offer(f"{p}-metal", p, "metal", price, chain(p.upper(), *METAL)) for p, price in prices))


@_worked
def share_cap_at_a_stage() -> Any:
    """No country mines more than 65 %: 65 x 10 + 35 x 50."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "65 %"})
    return case(demand("metal", "civil", 100)), catalog(*_three()), (cap,), 2400.0


@_worked
def share_cap_from_2027() -> Any:
    """The cap holds from 2027 on; nothing can be held: 100 x 10 + 65 x 10 + 35 x 50."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65", "phases": [{"from": "2027-01-01"}]})
    made = case(demand("metal", "civil", 100, 100), stores=(store("metal", 0, limit=0),))
    return made, catalog(*_three()), (cap,), 3400.0


@_worked
def share_cap_counts_every_possible_country() -> Any:
    """Metal that may be Chinese or Australian counts for both: 20 of it leave room for 40 of each, 20 x 5 + 40 x 10 + 40 x 50.

    One more kilogram of it would take the place of one of each, and want a Japanese one at 80.
    """
    mixed = offer("mixed", "cn", "metal", 5, chain("CN/AU", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.6"})
    return case(demand("metal", "civil", 100)), catalog(*_three(), mixed), (cap,), 2500.0


@_worked
def share_cap_of_an_unknown_country() -> Any:
    """A list that may not be complete counts everywhere: with 30 % a country a kilogram of it takes the place of three.

    So none is bought; 30 of each of the three, and 10 are short.
    """
    vague = offer("vague", "us", "metal", 5, chain("US?", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.3"})
    made = case(demand("metal", "civil", 100))
    return made, catalog(*_three(), facility("us", "US"), vague), (cap,), 300.0 + 1500 + 2400 + 10000


@_worked
def share_cap_of_a_country_that_nobody_lists() -> Any:
    """No offer lists China, but the list of the cheap one is not complete: 30 of it at 5, and 70 at 80."""
    vague = offer("vague", "us", "metal", 5, chain("AU?", *METAL))
    sure = offer("jp-metal", "jp", "metal", 80, chain("JP", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.3", "countries": ["CN"]})
    made = case(demand("metal", "civil", 100))
    return made, catalog(*_plants(), facility("us", "US"), vague, sure), (cap,), 5750.0


@_worked
def share_cap_where_nobody_knows_a_country() -> Any:
    """All that is offered comes from nobody knows where, which may be one country: 65 at 5, the rest short."""
    vague = offer("vague", "us", "metal", 5, chain("?", *METAL))
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65"})
    made = case(demand("metal", "civil", 100))
    return made, catalog(facility("us", "US"), vague), (cap,), 325.0 + 35000


@_worked
def share_cap_in_contained_element() -> Any:
    """Oxide holds 0.8 of the element, bought magnets half; both are wanted, 80 + 50 kg of element. China may mine 65 of it.

    Magnets at 10 and 100, oxide at 20 and 30: Australian magnets cost 90 more for 0.5 of element, oxide 10 for 0.8. So all
    100 magnets are Chinese (50 of element), 15 more are oxide: 18.75 kg at 20 and 81.25 at 30.
    """
    goods = (
        offer("cn-magnet", "cn", "magnet", 10, chain("CN", *ALL)),
        offer("au-magnet", "au", "magnet", 100, chain("AU", *ALL)),
        offer("cn-oxide", "cn", "oxide", 20, chain("CN", *OXIDE)),
        offer("au-oxide", "au", "oxide", 30, chain("AU", *OXIDE)),
    )
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.5", "countries": ["CN"]})
    made = case(demand("magnet", "civil", 100), demand("oxide", "civil", 100))
    return made, catalog(*_plants(), *goods), (cap,), 1000.0 + 18.75 * 20 + 81.25 * 30


@_worked
def floor_counts_what_is_certain() -> Any:
    """40 % surely Australian: 40 x 50. The vague ones at 5 do not count for it, and serve the rest."""
    vague = offer("vague", "au", "metal", 5, chain("AU?", *METAL))
    floor = MinShare.model_validate({"id": "floor", "stage": "mined", "share": "0.4", "countries": ["AU"]})
    return case(demand("metal", "civil", 100)), catalog(*_three(), vague), (floor,), 2000.0 + 300.0


@_worked
def floor_above_the_need_is_stored() -> Any:
    """At least half of what is bought comes from Australia, whose order is 80 at least: 80 x 50, 20 Chinese; nothing beyond."""
    big = offer("au-metal", "au", "metal", 50, chain("AU", *METAL), min_order=80)
    small = offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL))
    floor = MinShare.model_validate({"id": "f", "share": "0.5", "countries": ["AU"], "of": "purchases"})
    return case(demand("metal", "civil", 100)), catalog(*_plants(), big, small), (floor,), 4200.0


@_worked
def two_suppliers_at_least() -> Any:
    """The second counts from 10 %: 90 x 10 + 10 x 50."""
    rule = MinSuppliers.model_validate({"id": "two", "count": 2, "least_share": "0.1"})
    return case(demand("metal", "civil", 100)), catalog(*_three()), (rule,), 1400.0


@_worked
def one_supplier_at_most() -> Any:
    """The cheap one makes 60: all 100 come from the other at 50."""
    plants = facility("cn", "CN", 60), facility("au", "AU")
    offers = (
        offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL)),
        offer("au-metal", "au", "metal", 50, chain("AU", *METAL)),
    )
    rule = MaxSuppliers.model_validate({"id": "one", "count": 1})
    return case(demand("metal", "civil", 100)), catalog(*plants, *offers), (rule,), 5000.0


@_worked
def four_suppliers_where_three_are() -> Any:
    """It cannot hold."""
    rule = MinSuppliers.model_validate({"id": "four", "count": 4})
    return case(demand("metal", "civil", 100)), catalog(*_three()), (rule,), math.inf


@_worked
def pin_of_what_is_barred() -> Any:
    """Chinese metal is pinned and barred from the only use: it cannot hold."""
    pin = Pin.model_validate({"id": "p", "offer": "cn-metal", "at_least": 14})
    return case(demand("metal", "defense", 100)), catalog(*_three()), (pin, ban("mined", start=None)), math.inf


@_worked
def stock_that_must_lie_where_nothing_may() -> Any:
    """20 kg in hand, 15 wanted, and nothing may be held: it cannot hold."""
    held = stock("metal", 20, chain("AU", *METAL))
    made = case(demand("metal", "civil", 15), stocks=(held,), stores=(store("metal", 0, limit=0),))
    return made, catalog(*_three()), (), math.inf


@_worked
def stock_that_is_used_at_once() -> Any:
    """15 kg in hand serve defence at once, since nothing may be held, and the civil use buys 10 at 10."""
    held = stock("metal", 15, chain("AU", *METAL))
    wanted = demand("metal", "defense", 15), demand("metal", "civil", 10)
    made = case(*wanted, stocks=(held,), stores=(store("metal", 0, limit=0),))
    return made, catalog(*_three()), (ban("mined", start=None),), 100.0


@_worked
def budget_for_half() -> Any:
    """500 buy 50 at 10; the other 50 are short at 60."""
    budget = Budget.model_validate({"id": "b", "amount": 500, "per": "horizon"})
    return case(demand("metal", "civil", 100, price=60)), catalog(*_three()), (budget,), 3500.0


@_worked
def pinned_purchase() -> Any:
    """30 are to come from Japan: 30 x 80 + 70 x 10."""
    pin = Pin.model_validate({"id": "p", "offer": "jp-metal", "at_least": 30})
    return case(demand("metal", "civil", 100)), catalog(*_three()), (pin,), 3100.0


@_worked
def pinned_beyond_need() -> Any:
    """Exactly 130 from Japan: 30 are held at 1."""
    pin = Pin.model_validate({"id": "p", "offer": "jp-metal", "exactly": 130})
    made = case(demand("metal", "civil", 100), stores=(store("metal", 1),))
    return made, catalog(*_three()), (pin,), 130 * 80 + 30.0


@_worked
def soft_cap_is_paid_for() -> Any:
    """35 above the cap at 5 each are cheaper than Australian metal: 100 x 10 + 35 x 5."""
    cap = MaxShare.model_validate({"id": "cap", "stage": "mined", "share": "0.65", "penalty": 5})
    return case(demand("metal", "civil", 100)), catalog(*_three()), (cap,), 1175.0
