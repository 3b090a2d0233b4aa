"""Bans, controls, licences and waivers, along chains and across dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.building import ban, case, catalog, chain, demand, facility, lines, offer, source, stock, store

from friendshore.domain.case import LicenceSpec, WaiverSpec
from friendshore.rules.kinds.exclude import Exclude

from .framework import ALL, METAL, OXIDE, control, plants, worked


@worked
def stock_held_across_a_ban() -> Any:
    """100 kg of Chinese metal serve 60 before the ban; after it only 30 of civil use. Defence buys 60 at 50 = 3000.

    At the end of 2026 40 kg are held, at the end of 2027 10 kg: 2 x 50 = 100.
    """
    dear = source("AU", 50)
    cheap = source("CN", 10)
    wanted = demand("metal", "defense", 60, 60), demand("metal", "civil", 0, 30)
    held = stock("metal", 100, chain("CN", *METAL), acquired=date(2025, 5, 1))
    made = case(*wanted, stocks=(held,), stores=(store("metal", 2),))
    return made, catalog(*plants(), dear, cheap), (ban("mined"),), 3100.0


@worked
def banned_input_in_a_clean_magnet() -> Any:
    """The magnet costs 100 and half a kilogram of oxide: 40 from Australia for defence (120), 10 from China else (105)."""
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    wanted = demand("magnet", "defense", 10), demand("magnet", "civil", 10)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*plants(), *oxides, magnet), (ban(*ALL),), 2250.0


@worked
def stages_of_inputs_are_not_missing() -> Any:
    """A metal maker who says where he melts, and whose oxide says the rest, proves all: 10 x (30 + 1.25 x 40)."""
    oxide = source("AU", 40, "oxide")
    metal = offer("jp-metal", "jp", "metal", 30, chain("JP", "melted"), inputs=lines(oxide=1.25))
    silent = offer("au-metal", "au", "metal", 5, chain("AU", "refined", "melted"))
    made = case(demand("metal", "defense", 10))
    return made, catalog(*plants(), oxide, metal, silent), (ban(*METAL, start=None),), 800.0


@worked
def coproduct_for_defence_serves_civil() -> Any:
    """10 units at 60 give the oxide for defence, and 30 of salt: the civil 20 are free, the Chinese salt is not bought."""
    circuit = source("AU", 60, "oxide", name="au-circuit", outputs=lines(oxide=1, salt=3))
    salt = source("CN", 5, "salt")
    wanted = demand("oxide", "defense", 10), demand("salt", "civil", 20)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*plants(), circuit, salt), (ban(*OXIDE),), 600.0


@worked
def coproduct_with_inputs() -> Any:
    """A Japanese plant makes metal and magnets from one oxide. Defence metal needs Australian oxide: 10 units at 50 + 2 x 40.

    The magnets of these units serve civil use (10 of 30); 20 more units from Chinese oxide at 50 + 2 x 10 make the rest.
    The metal of those is left.
    """
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    links = chain("JP", "melted")
    both = offer("jp-both", "jp", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 10), demand("magnet", "civil", 30)
    made = case(*wanted, start=date(2027, 1, 1))
    return made, catalog(*plants(), *oxides, both), (ban(*METAL),), 1300.0 + 1400.0


@worked
def coproducts_for_uses_with_different_bans() -> Any:
    """Defence bars Chinese oxide, civil use Japanese; each bars what the other takes. Australian oxide serves both from one
    run: 10 x (50 + 2 x 40). Two runs with the cheapest that each may take cost 10 x (50 + 2 x 12) + 10 x (50 + 2 x 10).
    """
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"), source("JP", 12, "oxide"))
    links = chain("AU", "melted", "produced")
    both = offer("au-both", "au", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 10), demand("magnet", "civil", 10)
    rules = ban("mined"), ban("mined", countries="JP", id="ban-2", end_uses=["civil"])
    return case(*wanted, start=date(2027, 1, 1)), catalog(*plants(), *oxides, both), rules, 1300.0


@worked
def coproduct_of_a_good_dated_by_order() -> Any:
    """Ordered in 2026 the metal escapes the ban. Its run's magnets are civil: one run of 10 from Chinese oxide, 10 x 70.

    The metal is held from 2026 to 2027, at 1.
    """
    oxide = source("CN", 10, "oxide")
    links = chain("AU", "melted", "produced")
    both = offer("au-both", "au", "metal", 50, links, inputs=lines(oxide=2), outputs=lines(metal=1, magnet=1))
    wanted = demand("metal", "defense", 0, 10), demand("magnet", "civil", 10, 0)
    made = case(*wanted, stores=(store("metal", 1),))
    return made, catalog(*plants(), oxide, both), (ban("mined", dated_by="order"),), 710.0


@worked
def input_moved_to_japan_is_controlled() -> Any:
    """China lets nothing out for foreign defence use: the oxide for its magnets comes from Australia all the same."""
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    wanted = demand("magnet", "defense", 10), demand("magnet", "civil", 10)
    return case(*wanted), catalog(*plants(), *oxides, magnet), (control(),), 2250.0


@worked
def licence_of_three_kilograms() -> Any:
    """A licence for 3 kg of oxide makes 6 magnets at 105; the other 4 cost 120."""
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    licence = LicenceSpec(id="lic", rule="control", exporter="CN", quantity=Decimal(3))
    made = case(demand("magnet", "defense", 10), licences=(licence,))
    return made, catalog(*plants(), *oxides, magnet), (control(effect="licence"),), 1110.0


@worked
def licence_that_covers_part_of_a_period() -> Any:
    """A licence from 2 January on covers no yearly period: 10 x 120."""
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    licence = LicenceSpec(id="lic", rule="control", quantity=Decimal(3), start=date(2026, 1, 2))
    made = case(demand("magnet", "defense", 10), licences=(licence,))
    return made, catalog(*plants(), *oxides, magnet), (control(effect="licence"),), 1200.0


@worked
def lead_time_across_a_ban() -> Any:
    """Ordered before the ban, delivered after it: barred, so 10 x 50."""
    cheap = source("CN", 10, lead_time=3)
    dear = source("AU", 50)
    made = case(demand("metal", "defense", 0, 10), start=date(2026, 10, 1), length="quarter")
    return made, catalog(*plants(), cheap, dear), (ban("mined"),), 500.0


@worked
def ban_dated_by_order() -> Any:
    """The same ban, asked by the day of the order: 10 x 10."""
    cheap = source("CN", 10, lead_time=3)
    dear = source("AU", 50)
    made = case(demand("metal", "defense", 0, 10), start=date(2026, 10, 1), length="quarter")
    return made, catalog(*plants(), cheap, dear), (ban("mined", dated_by="order"),), 100.0


@worked
def magnet_ordered_before_a_ban_from_later_oxide() -> Any:
    """Dated by order: the order of the magnet counts, in 2026 with Chinese oxide at 105; it is held one year at 4."""
    oxides = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    magnet = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
    made = case(demand("magnet", "defense", 0, 10), stores=(store("magnet", 4),))
    return made, catalog(*plants(), *oxides, magnet), (ban(*ALL, dated_by="order"),), 1090.0


@worked
def waiver_of_four_kilograms() -> Any:
    """4 kg of Chinese metal under the waiver, 6 of Australian: 40 + 300."""
    offers = (source("CN", 10), source("AU", 50))
    waiver = WaiverSpec(id="w", rule="ban", quantity=Decimal(4))
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), waivers=(waiver,))
    return made, catalog(*plants(), *offers), (ban("mined"),), 340.0


@worked
def two_waivers_of_one_rule() -> Any:
    """Two waivers of 4 kg each: 8 x 10 + 2 x 50."""
    offers = (source("CN", 10), source("AU", 50))
    waivers = tuple(WaiverSpec(id=name, rule="ban", quantity=Decimal(4)) for name in ("v", "w"))
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), waivers=waivers)
    return made, catalog(*plants(), *offers), (ban("mined"),), 180.0


@worked
def exclusion_of_a_facility() -> Any:
    """The cheap plant is kept out for defence, inputs included."""
    oxides = (source("AU", 40, "oxide"), source("JP", 10, "oxide"))
    metal = offer("us-metal", "us", "metal", 100, chain("US", "melted"), inputs=lines(oxide=1))
    kept_out = Exclude.model_validate({"id": "x", "facilities": ["jp"], "end_uses": ["defense"]})
    made = case(demand("metal", "defense", 10), demand("metal", "civil", 10))
    return made, catalog(*plants(), facility("us", "US"), *oxides, metal), (kept_out,), 1400.0 + 1100.0


@worked
def possible_countries_are_not_proof() -> Any:
    """May be Chinese, or list not known complete: unproven, so barred; 10 x 90."""
    offers = (
        offer("a", "au", "metal", 10, chain("AU/CN", *METAL)),
        offer("b", "au", "metal", 20, chain("AU?", *METAL)),
        offer("c", "au", "metal", 90, chain("AU/JP", *METAL)),
    )
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1))
    return made, catalog(*plants(), *offers), (ban("mined"),), 900.0


@worked
def unproven_may_be_accepted() -> Any:
    """The same where the case lets unproven pass: 10 x 10."""
    offers = (offer("a", "au", "metal", 10, chain("AU/CN", *METAL)), source("CN", 5, name="b"))
    made = case(demand("metal", "defense", 10), start=date(2027, 1, 1), accept={"unproven": True})
    return made, catalog(*plants(), *offers), (ban("mined"),), 100.0
