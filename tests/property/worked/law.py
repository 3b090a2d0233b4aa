"""Bans, controls, licenses and waivers, along chains and across dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.building import ban, case, catalog, chain, demand, lines, maker, offer, rule, source, stock, store

from friendshore.domain.case import Case, LicenseSpec, WaiverSpec
from friendshore.rules.kinds.trade import Exclude, ExportControl

from .framework import ALL, METAL, OXIDE, plants, rows, worked

OXIDES = (source("AU", 40, "oxide"), source("CN", 10, "oxide"))
JAPANESE = offer("jp-magnet", "jp", "magnet", 100, chain("JP", "melted", "produced"), inputs=lines(oxide=0.5))
MAGNETS = (*plants(), *OXIDES, JAPANESE)
"""A magnet costs 100 and half a kilogram of oxide: 120 with Australian oxide, 105 with Chinese."""
METALS = (*plants(), source("CN", 10), source("AU", 50))
IN_HAND = {
    "stocks": (stock("metal", 100, chain("CN", *METAL), acquired=date(2025, 5, 1)),), "stores": (store("metal", 2),),
}  # fmt: skip
NEW_YEAR = date(2027, 1, 1)
TEN_EACH = (demand("magnet", "defense", 10), demand("magnet", "civil", 10))


def control(effect: str) -> ExportControl:
    """China lets nothing out for defense use, wherever it is."""
    return rule(ExportControl, id="control", exporters=["CN"], effect=effect, end_uses=["defense"])


def licensed(**more: Any) -> Case:
    """Ten magnets for defense, and a license for 3 kg of oxide."""
    license = LicenseSpec(id="lic", rule="control", quantity=Decimal(3), **more)
    return case(demand("magnet", "defense", 10), licenses=(license,))


def waived(*names: str) -> Case:
    """Ten of metal for defense, and waivers of 4 kg each."""
    waivers = tuple(WaiverSpec(id=name, rule="ban", quantity=Decimal(4)) for name in names)
    return case(demand("metal", "defense", 10), start=NEW_YEAR, waivers=waivers)


rows(
    *MAGNETS,
    # Australian oxide for defense (120), Chinese else (105).
    banned_input_in_a_clean_magnet=(case(*TEN_EACH, start=NEW_YEAR), ban(*ALL), 2250),
    # China lets nothing out for foreign defense use: the oxide for its magnets comes from Australia all the same.
    input_moved_to_japan_is_controlled=(case(*TEN_EACH), control("prohibit"), 2250),
    # A license for 3 kg of oxide makes 6 magnets at 105; the other 4 cost 120.
    license_of_three_kilograms=(licensed(exporter="CN"), control("license"), 1110),
    # A license from 2 January on covers no yearly period: 10 x 120.
    license_that_covers_part_of_a_period=(licensed(start=date(2026, 1, 2)), control("license"), 1200),
    # Dated by order: the order of the magnet counts, in 2026 with Chinese oxide at 105; it is held one year at 4.
    magnet_ordered_before_a_ban_from_later_oxide=(
        case(demand("magnet", "defense", 0, 10), stores=(store("magnet", 4),)), ban(*ALL, dated_by="order"), 1090,
    ),
)  # fmt: skip

rows(
    *METALS,
    # 100 kg of Chinese metal serve 60 before the ban; after it only 30 of civil use. Defense buys 60 at 50 = 3000.
    # At the end of 2026 40 kg are held, at the end of 2027 10 kg: 2 x 50 = 100.
    stock_held_across_a_ban=(case(demand("metal", "defense", 60, 60), demand("metal", "civil", 0, 30), **IN_HAND), ban("mined"), 3100),
    # 4 kg of Chinese metal under the waiver, 6 of Australian: 40 + 300.
    waiver_of_four_kilograms=(waived("w"), ban("mined"), 340),
    # Two waivers of 4 kg each: 8 x 10 + 2 x 50.
    two_waivers_of_one_rule=(waived("v", "w"), ban("mined"), 180),
)  # fmt: skip

LATER = case(demand("metal", "defense", 0, 10), start=date(2026, 10, 1), length="quarter")
rows(
    *plants(), source("CN", 10, lead_time=3), source("AU", 50),
    # Ordered before the ban, delivered after it: barred, so 10 x 50.
    lead_time_across_a_ban=(LATER, ban("mined"), 500),
    # The same ban, asked by the day of the order: 10 x 10.
    ban_dated_by_order=(LATER, ban("mined", dated_by="order"), 100),
)  # fmt: skip

DEFENCE = case(demand("metal", "defense", 10), start=NEW_YEAR)
rows(
    *plants(), offer("a", "au", "metal", 10, chain("AU/CN", *METAL)), offer("b", "au", "metal", 20, chain("AU?", *METAL)),
    offer("c", "au", "metal", 90, chain("AU/JP", *METAL)),
    # May be Chinese, or list not known complete: unproven, so barred; 10 x 90.
    possible_countries_are_not_proof=(DEFENCE, ban("mined"), 900),
)  # fmt: skip

rows(
    *plants(), offer("a", "au", "metal", 10, chain("AU/CN", *METAL)), source("CN", 5, name="b"),
    # The same where the case lets unproven pass: 10 x 10.
    unproven_may_be_accepted=(DEFENCE.but(accept=DEFENCE.accept.but(unproven=True)), ban("mined"), 100),
)  # fmt: skip


@worked
def stages_of_inputs_are_not_missing() -> Any:
    """A metal maker who says where he melts, and whose oxide says the rest, proves all: 10 x (30 + 1.25 x 40)."""
    silent = offer("au-metal", "au", "metal", 5, chain("AU", "refined", "melted"))
    facts = catalog(*plants(), source("AU", 40, "oxide"), maker("JP", 30, 1.25), silent)
    return case(demand("metal", "defense", 10)), facts, (ban(*METAL, start=None),), 800.0


@worked
def exclusion_of_a_facility() -> Any:
    """The cheap plant is kept out for defense, inputs included."""
    facts = catalog(*plants(), source("AU", 40, "oxide"), source("JP", 10, "oxide"), maker("US", 100, 1))
    kept_out = rule(Exclude, facilities=["jp"], end_uses=["defense"])
    return case(demand("metal", "defense", 10), demand("metal", "civil", 10)), facts, (kept_out,), 1400.0 + 1100.0


@worked
def coproduct_for_defence_serves_civil() -> Any:
    """10 units at 60 give the oxide for defense, and 30 of salt: the civil 20 are free, the Chinese salt is not bought."""
    circuit = source("AU", 60, "oxide", name="au-circuit", outputs=lines(oxide=1, salt=3))
    wanted = demand("oxide", "defense", 10), demand("salt", "civil", 20)
    return case(*wanted, start=NEW_YEAR), catalog(*plants(), circuit, source("CN", 5, "salt")), (ban(*OXIDE),), 600.0


def both(country: str, *stages: str) -> Any:
    """A maker of metal and magnets at once from 2 kg of oxide, at 50."""
    made = {"inputs": lines(oxide=2), "outputs": lines(metal=1, magnet=1)}
    return offer("both", country.lower(), "metal", 50, chain(country, *stages), **made)


@worked
def coproduct_with_inputs() -> Any:
    """A Japanese plant makes metal and magnets from one oxide. Defense metal needs Australian oxide: 10 units at 50 + 2 x 40.

    The magnets of these units serve civil use (10 of 30); 20 more units from Chinese oxide at 50 + 2 x 10 make the rest.
    The metal of those is left.
    """
    made = case(demand("metal", "defense", 10), demand("magnet", "civil", 30), start=NEW_YEAR)
    return made, catalog(*plants(), *OXIDES, both("JP", "melted")), (ban(*METAL),), 1300.0 + 1400.0


@worked
def coproducts_for_uses_with_different_bans() -> Any:
    """Defense bars Chinese oxide, civil use Japanese; each bars what the other takes. Australian oxide serves both from one
    run: 10 x (50 + 2 x 40). Two runs with the cheapest that each may take cost 10 x (50 + 2 x 12) + 10 x (50 + 2 x 10).
    """
    facts = catalog(*plants(), *OXIDES, source("JP", 12, "oxide"), both("AU", "melted", "produced"))
    wanted = demand("metal", "defense", 10), demand("magnet", "civil", 10)
    rules = ban("mined"), ban("mined", countries="JP", id="ban-2", end_uses=["civil"])
    return case(*wanted, start=NEW_YEAR), facts, rules, 1300.0


@worked
def coproduct_of_a_good_dated_by_order() -> Any:
    """Ordered in 2026 the metal escapes the ban. Its run's magnets are civil: one run of 10 from Chinese oxide, 10 x 70.

    The metal is held from 2026 to 2027, at 1.
    """
    wanted = demand("metal", "defense", 0, 10), demand("magnet", "civil", 10, 0)
    facts = catalog(*plants(), source("CN", 10, "oxide"), both("AU", "melted", "produced"))
    return case(*wanted, stores=(store("metal", 1),)), facts, (ban("mined", dated_by="order"),), 710.0
