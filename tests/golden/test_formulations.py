"""The rows and columns that every piece of the model makes, beside a text that a reader has checked.

Each piece is one thing more on the same three offers (Chinese metal at 10, Australian at 50, Japanese at 80) and one demand of
100 kg in 2026. Its text holds what it adds to `base.txt`, and what it takes the place of. After a wanted change, write the
texts anew with `GOLDEN=write pytest tests/golden`, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from friendshore.domain.facts import Lane
from friendshore.domain.market import BenchmarkPrice, Rate
from friendshore.problem import Problem
from friendshore.rules.kinds import CHARGING, JUDGING, LIMITING
from friendshore.rules.kinds.limits import (
    Budget,
    Cover,
    MaxChurn,
    MaxPlaces,
    MaxShare,
    MaxSuppliers,
    MinDelivered,
    MinShare,
    MinSuppliers,
    Pin,
    SingleSource,
    StockLevel,
)
from friendshore.rules.kinds.trade import Exclude, ExportControl, Tariff

from ..building import (
    METAL,
    SOURCE,
    ban,
    built,
    case,
    chain,
    changed,
    demand,
    facility,
    lines,
    maker,
    metals,
    offer,
    price,
    rule,
    schedule,
    source,
    stock,
    store,
    terms,
    tier,
)
from .formulation import difference, written

HERE = Path(__file__).parent
CIVIL = demand("metal", "civil", 100)
DEFENSE = demand("metal", "defense", 40)
PIECES: dict[str, Callable[[], Problem]] = {}


def piece(build: Callable[[], Problem]) -> Callable[[], Problem]:
    """Adds a piece under the name of its function."""
    PIECES[build.__name__.replace("_", "-")] = build
    return build


def model(*demands: Any, facts: Any = None, rules: Any = (), **more: Any) -> Problem:
    """The base, or what a piece makes of it."""
    return built(case(*(demands or (CIVIL,)), **more), facts or metals(), *rules)


@piece
def discount() -> Problem:
    """A second year, in which all money counts less."""
    return model(demand("metal", "civil", 100, 60), discount="0.25")


@piece
def price_below_zero() -> Problem:
    """120 kg a year of Chinese metal at -4: the bound is what it can give, whatever is needed."""
    cheap = changed(metals(), "cn-metal", price=price(-4).model_dump(), max_per_year=120)
    return model(demand("metal", "civil", 100, 60), facts=cheap)


@piece
def benchmark_path() -> Problem:
    """Australian metal follows an index in euros that rises, with a tenth on top; the euro falls from 1.5 to 1."""
    years = [(date(2026, 1, 1), 30, "1.5"), (date(2027, 1, 1), 40, "1")]
    update = {
        "prices": tuple(
            BenchmarkPrice(
                id="index", material="metal", date=day, amount=Decimal(amount), currency="EUR", source=SOURCE
            )
            for day, amount, _ in years
        ),
        "rates": tuple(Rate(currency="EUR", to="USD", rate=Decimal(rate), start=day) for day, _, rate in years),
    }
    facts = changed(metals(), "au-metal", price=price(benchmark="index", premium=Decimal("0.1")))
    facts = facts.model_copy(update=update)
    return model(demand("metal", "civil", 100, 60), facts=facts)


@piece
def holding() -> Problem:
    """Stock costs 2 a kilogram and year, and no more than 30 kg may be held."""
    return model(stores=(store("metal", 2, limit=30),))


@piece
def store_by_dates() -> Problem:
    """Three years: 30 kg at 2; from December 2027 on any number at 3, less a fifth; in the last nothing."""
    stores = (
        store("metal", 2, limit=30).model_copy(update={"end": date(2027, 11, 30)}),
        store("metal", 3, loss=0.2).model_copy(update={"start": date(2027, 12, 1), "end": date(2028, 6, 30)}),
        store("metal", 3, limit=0).model_copy(update={"start": date(2028, 7, 1)}),
    )
    held = (stock("metal", 12, chain("AU", *METAL)),)
    return model(demand("metal", "civil", 100, 60, 40), stocks=held, stores=stores)


@piece
def nothing_held() -> Problem:
    """No stock at all: no column for it."""
    return model(stores=(store("metal", 2, limit=0),))


@piece
def stock_in_hand() -> Problem:
    """12 kg lie there."""
    return model(stocks=(stock("metal", 12, chain("AU", *METAL)),), stores=(store("metal", 2, limit=30),))


@piece
def loss() -> Problem:
    """A fifth of the metal held is lost in a year, of the 12 kg in hand as well; three years, no more than 30 held."""
    stores = (store("metal", 2, limit=30, loss=0.2),)
    return model(
        demand("metal", "civil", 100, 60, 40), stocks=(stock("metal", 12, chain("AU", *METAL)),), stores=stores
    )


@piece
def order_placed() -> Problem:
    """12 kg are on their way: of 100 kg, 67.12 are used on the 245 days from their arrival on, and no more than the others before."""
    return model(orders=[{"offer": "cn-metal", "quantity": 12, "arrives": "2026-05-01"}])


@piece
def order_placed_at_once() -> Problem:
    """12 kg arrive on the first day of the year, and are there for all of it."""
    return model(orders=[{"offer": "cn-metal", "quantity": 12, "arrives": "2026-01-01"}])


@piece
def orders_placed_on_two_days() -> Problem:
    """12 kg arrive in May and 8 in October, for two demands and a melter, who takes what he needs on the first day."""
    orders = [
        {"offer": "cn-oxide", "quantity": 12, "arrives": "2026-05-01"},
        {"offer": "cn-oxide", "quantity": 8, "arrives": "2026-10-01"},
    ]
    wanted = demand("metal", "civil", 10), demand("oxide", "civil", 60), demand("oxide", "defense", 40)
    facts = metals(facility("us", "US"), maker("US", 5), source("CN", 10, "oxide"), source("AU", 30, "oxide"))
    return model(*wanted, orders=orders, facts=facts, rules=[ban("mined", start=None)])


@piece
def plant_that_begins() -> Problem:
    """The Chinese plant begins to work on 1 July: what it makes is of use on 184 of 365 days."""
    facts = metals(cn=60)
    begins = tuple(
        site.but(capacity=tuple(step.but(start=date(2026, 7, 1)) for step in site.capacity))
        if site.id == "cn"
        else site
        for site in facts.facilities
    )
    return model(facts=facts.but(facilities=begins))


@piece
def lead_time() -> Problem:
    """Chinese metal takes a year."""
    return model(demand("metal", "civil", 100, 60), facts=changed(metals(), "cn-metal", lead_time=12))


@piece
def freight() -> Problem:
    """3 across a border."""
    return model(assume={"freight": 3})


@piece
def freight_by_dates() -> Problem:
    """Three years: 3 across the border, from mid-2027 on 1, which arrivals of 2028 pay."""
    lanes = [Lane(to="US", freight=3, currency="USD"), Lane(to="US", start=date(2027, 7, 1), freight=1, currency="USD")]
    return model(demand("metal", "civil", 100, 100, 100), facts=changed(metals(), "cn-metal", lanes=tuple(lanes)))


@piece
def lead_time_by_dates() -> Problem:
    """Three years: at once, and from mid-2027 on in a year: what is ordered in 2027 arrives in 2028, and what in 2028 after the plan."""
    lanes = [Lane(to="US"), Lane(to="US", start=date(2027, 7, 1), lead_time=12)]
    return model(demand("metal", "civil", 100, 100, 100), facts=changed(metals(), "cn-metal", lanes=tuple(lanes)))


@piece
def recipe() -> Problem:
    """A Japanese melter takes 2 kg of Chinese oxide at 10."""
    return model(facts=metals(maker("JP", 5), source("CN", 10, "oxide")))


@piece
def several_outputs() -> Problem:
    """A circuit gives a kilogram of metal and three of salt a unit, for 60."""
    run = offer("au-run", "au", "metal", 60, chain("AU", *METAL), outputs=lines(metal=1, salt=3))
    return model(CIVIL, demand("salt", "civil", 20), facts=metals(run))


@piece
def several_outputs_with_inputs() -> Problem:
    """A plant makes metal and salt of oxide; defense metal may not be mined in China, so its salt may serve civil use."""
    run = offer(
        "jp-run", "jp", "metal", 50, chain("JP", "melted"), inputs=lines(oxide=2), outputs=lines(metal=1, salt=1)
    )
    facts = metals(run, source("AU", 40, "oxide"), source("CN", 10, "oxide"))
    return model(DEFENSE, demand("salt", "civil", 20), facts=facts, rules=(ban("mined", start=None),))


@piece
def capacity() -> Problem:
    """China makes 60."""
    return model(facts=metals(cn=60))


@piece
def joint_capacity() -> Problem:
    """China makes 60 of metal and salt together; salt takes half as much of it."""
    facts = metals(source("CN", 3, "salt", capacity_use=Decimal("0.5")), cn=60)
    return model(CIVIL, demand("salt", "civil", 20), facts=facts)


@piece
def own_limits() -> Problem:
    """At most 70 kg in an order, 90 a year, 120 in all."""
    limits = {"max_order": 70, "max_per_year": 90, "total": 120}
    return model(demand("metal", "civil", 100, 60), facts=changed(metals(), "cn-metal", **limits))


@piece
def order_minimum() -> Problem:
    """None or 25 kg at least."""
    return model(facts=changed(metals(cn=60), "cn-metal", min_order=25))


@piece
def onboarding() -> Problem:
    """500 once, if used at all."""
    facts = changed(metals(cn=60), "cn-metal", onboarding=500, onboarding_currency="USD")
    return model(demand("metal", "civil", 100, 60), facts=facts)


@piece
def lots() -> Problem:
    """25 kg a lot, no more than three of them, or none; China makes 60."""
    facts = metals(cn=60)
    return model(facts=changed(facts, "cn-metal", lot=25, max_lots=3))


@piece
def lots_and_a_minimum() -> Problem:
    """25 kg a lot; an order of 30 kg at least is two lots."""
    return model(facts=changed(metals(), "cn-metal", lot=25, min_order=30))


@piece
def fixed_cost_of_an_order() -> Problem:
    """Every order from China costs 40, counted less in the second year."""
    facts = metals(terms("cn-metal", fixed=40), cn=60)
    return model(demand("metal", "civil", 100, 60), facts=facts, discount="0.25")


@piece
def fixed_cost_of_a_supplier() -> Problem:
    """Whatever is bought of the Chinese plant, metal or salt, in either year, costs 300 once, and comes to 30 to 150 kg."""
    rows = terms("cn", of="supplier", per="horizon", fixed=300, least=30, most=150)
    facts = metals(source("CN", 3, "salt"), rows)
    return model(demand("metal", "civil", 100, 60), demand("salt", "civil", 20, 0), facts=facts)


@piece
def most_to_a_place() -> Problem:
    """No more than 80 kg a year to the United States: no binary variable."""
    return model(facts=metals(terms("cn-metal", places=["US"], most=80)))


@piece
def set_up() -> Problem:
    """Each campaign of metal, and each of salt, takes 10 of the 60 that China makes before anything comes of it."""
    facts = metals(source("CN", 3, "salt"), terms("cn-metal", setup_use=10), terms("cn-salt", setup_use=10), cn=60)
    return model(CIVIL, demand("salt", "civil", 20), facts=facts)


@piece
def fixed_cost_and_minimum() -> Problem:
    """An order has a minimum and costs 40 by itself: one binary variable for both."""
    return model(facts=changed(metals(terms("cn-metal", fixed=40)), "cn-metal", min_order=25))


@piece
def qualification() -> Problem:
    """Japanese metal may be ordered from the second year on."""
    return model(demand("metal", "civil", 100, 60), facts=changed(metals(), "jp-metal", qualification=9))


@piece
def take_or_pay() -> Problem:
    """If anything is bought from China, 40 a year are paid for in both years, at three quarters of the price."""
    facts = changed(metals(cn=60), "cn-metal", take_or_pay=40, take_or_pay_share="0.75")
    return model(demand("metal", "civil", 100, 60), facts=facts, discount="0.25")


@piece
def quotations() -> Problem:
    """Chinese metal is quoted at 10 for the first year, and at 12 for most of the second: not offered in that."""
    rows = [
        {"end": "2026-12-31", "amount": 10, "currency": "USD", "source": SOURCE},
        {"start": "2027-01-02", "amount": 12, "currency": "USD", "source": SOURCE},
    ]
    facts = changed(metals(), "cn-metal", price=None, quotes=rows)
    return model(demand("metal", "civil", 100, 60), facts=facts)


@piece
def tiers_incremental_falling() -> Problem:
    """The first 30 kg of a year at 10, the next 40 at 8, the rest at 7: all of it lies in the tier that is reached."""
    terms = schedule("cn-metal", tier(0, 10), tier(30, 8), tier(70, 7), kind="incremental", per="year")
    return model(facts=metals(terms))


@piece
def tiers_incremental_rising() -> Problem:
    """The first 30 kg at 10, the rest at 12: convex, so that no binary variable is needed."""
    return model(facts=metals(schedule("cn-metal", tier(0, 10), tier(30, 12), kind="incremental")))


@piece
def tiers_all_units() -> Problem:
    """From 120 kg on, more than is needed, everything at 7; a fixed cost of 20 below."""
    return model(facts=metals(schedule("cn-metal", tier(0, lump=20), tier(120, 7))))


@piece
def tiers_all_units_rising() -> Problem:
    """From 60 kg on everything at 12: a plan stays below, or pays it."""
    return model(facts=metals(schedule("cn-metal", tier(0, 10), tier(60, 12))))


@piece
def tiers_of_a_supplier() -> Problem:
    """A tenth off all that is bought of a plant, metal and salt, from 50 kg on: list prices differ."""
    facts = metals(source("CN", 3, "salt"), schedule("cn", tier(0), tier(50, discount=0.1), of="facility"))
    return model(CIVIL, demand("salt", "civil", 20), facts=facts)


@piece
def tiers_in_place_of_list_prices() -> Problem:
    """Whatever is bought of a plant, the first 50 kg at 9, the rest at 8: what list prices came to is given back."""
    terms = schedule("cn", tier(0, 9), tier(50, 8), of="facility", kind="incremental")
    return model(CIVIL, demand("salt", "civil", 20), facts=metals(source("CN", 3, "salt"), terms))


@piece
def tiers_with_a_gap() -> Problem:
    """Up to 60 kg or from 120 kg on, nothing between; no more than 150 kg."""
    return model(facts=metals(schedule("cn-metal", tier(0, most=60), tier(120, most=150))))


@piece
def tiers_of_money() -> Problem:
    """A fifth off what is spent above 400, over two years, settled at the end."""
    terms = schedule("cn-metal", tier(0), tier(400, discount=0.2), kind="incremental", per="horizon", measure="money")
    return model(demand("metal", "civil", 100, 60), facts=metals(terms), discount="0.25")


@piece
def origin_ban() -> Problem:
    """Defense metal may not be mined in China: a compliance class of its own."""
    return model(CIVIL, DEFENSE, rules=(ban("mined", start=None),))


@piece
def ban_dated_by_order() -> Problem:
    """Orders from 2027 on must not be mined in China."""
    law = ban("mined", dated_by="order")
    return model(demand("metal", "defense", 40, 40), rules=(law,))


@piece
def waiver() -> Problem:
    """4 kg under a waiver."""
    waivers = [{"id": "W", "rule": "ban", "quantity": 4}]
    return model(DEFENSE, rules=(ban("mined", start=None),), waivers=waivers)


@piece
def export_control() -> Problem:
    """Chinese metal only under license: 7 kg under one, 5 under another."""
    control = rule(ExportControl, exporters=["CN"], effect="license")
    papers = [{"id": name, "rule": "export-control", "quantity": q} for name, q in (("L", 7), ("M", 5))]
    return model(rules=(control,), licenses=papers)


@piece
def exclude() -> Problem:
    """Nothing from Japan."""
    return model(rules=(rule(Exclude, countries=["JP"]),))


@piece
def tariff() -> Problem:
    """A quarter of the value on Chinese goods."""
    return model(rules=(rule(Tariff, rate="0.25", origins=["CN"]),))


@piece
def max_share() -> Problem:
    """No country mines more than 65%, in contained element."""
    return model(rules=(rule(MaxShare, by="country", stage="mined", share="0.65"),))


@piece
def max_share_of_use() -> Problem:
    """Two years, and no more than 60% of the second one's demand from one country: what is bought in it, and all stock of the first."""
    later = [{"from": "2027-01-01"}]
    return model(
        demand("metal", "civil", 100, 60),
        rules=[rule(MaxShare, id="cap", share="0.6", counts="used", phases=later)],
        stores=(store("metal", 2, limit=30),),
    )


@piece
def max_share_of_purchases() -> Problem:
    """No site sells more than 65% of what is bought."""
    return model(rules=(rule(MaxShare, by="facility", share="0.65", of="purchases"),))


@piece
def min_share() -> Problem:
    """At least 40% from Australia."""
    return model(rules=(rule(MinShare, countries=["AU"], share="0.4"),))


@piece
def min_share_soft() -> Problem:
    """The same, or 3 a kilogram that is missed."""
    return model(rules=(rule(MinShare, countries=["AU"], share="0.4", penalty=3),))


@piece
def min_suppliers() -> Problem:
    """Two suppliers with 5% each at least."""
    return model(rules=(rule(MinSuppliers, count=2),))


@piece
def max_share_of_one_use() -> Problem:
    """No more than half of what is bought for defense from one country: each use has a class of its own."""
    return model(CIVIL, DEFENSE, rules=(rule(MaxShare, share="0.5", end_uses=["defense"]),))


@piece
def max_suppliers() -> Problem:
    """Two suppliers at most."""
    return model(rules=(rule(MaxSuppliers, count=2),))


@piece
def budget() -> Problem:
    """500 of money, onboarding, duty and holding included."""
    facts = changed(metals(cn=60), "cn-metal", onboarding=70, onboarding_currency="USD")
    duty = rule(Tariff, rate="0.25", origins=["CN"])
    return model(facts=facts, rules=(rule(Budget, amount=500), duty), stores=(store("metal", 2),))


@piece
def pin() -> Problem:
    """30 to 40 kg from Japan."""
    return model(rules=(rule(Pin, offer="jp-metal", at_least=30, at_most=40),))


@piece
def min_delivered() -> Problem:
    """At least 90% of the civil demand of each period, and all of that for defense."""
    rules = rule(MinDelivered, id="most", share="0.9", end_uses=["civil"]), rule(MinDelivered, end_uses=["defense"])
    return model(CIVIL, DEFENSE, rules=rules)


@piece
def pin_of_several() -> Problem:
    """No more than 60 of a resource, of which Chinese metal takes 1 a kilogram and Australian half as much."""
    return model(rules=(rule(Pin, offers={"cn-metal": 1, "au-metal": "0.5"}, places=["US"], at_most=60),))


@piece
def max_share_by_bloc() -> Problem:
    """No more than 65% from Australia and Japan together, nor from China."""
    return model(rules=(rule(MaxShare, by="bloc", blocs={"quad": ["AU", "JP", "US"]}, share="0.65"),))


@piece
def max_share_of_one_supplier() -> Problem:
    """No more than 30% of all materials together from the site `cn`."""
    cap = rule(MaxShare, by="supplier", suppliers=["cn"], group_by="all", share="0.3")
    return model(CIVIL, demand("salt", "civil", 20), facts=metals(source("CN", 3, "salt")), rules=(cap,))


@piece
def substitution_cap() -> Problem:
    """No more than 20% of the metal is made of salt, 1.5 kg of it a kilogram, after 70 of onboarding."""
    stand_in = maker("JP", 5, inputs=lines(salt="1.5"), onboarding=70, onboarding_currency="USD")
    cap = rule(MaxShare, inputs=["salt"], each=False, share="0.2")
    return model(facts=metals(stand_in, source("CN", 1, "salt")), rules=(cap,))


@piece
def min_share_of_each() -> Problem:
    """At least 20% from each of two suppliers."""
    return model(rules=(rule(MinShare, by="supplier", suppliers=["au", "jp"], each=True, share="0.2"),))


@piece
def single_source() -> Problem:
    """One supplier alone at each of two places."""
    return model(CIVIL, demand("metal", "civil", 50, id="jp", place="JP"), rules=(rule(SingleSource),))


@piece
def max_places() -> Problem:
    """No site delivers to more than one of two places."""
    return model(CIVIL, demand("metal", "civil", 50, id="jp", place="JP"), rules=(rule(MaxPlaces, count=1),))


@piece
def max_churn() -> Problem:
    """60 are bought of Australia today and 40 of Japan: no more than 30 of these may move away."""
    today = [{"offer": "au-metal", "per_year": 60}, {"offer": "jp-metal", "per_year": 40}]
    return model(rules=(rule(MaxChurn, share="0.3"),), incumbents=today)


@piece
def cover() -> Problem:
    """Stock for 73 days of next year's demand, a fifth of it; defense metal may not be mined in China."""
    wanted = demand("metal", "civil", 100, 60), demand("metal", "defense", 40, 20)
    return model(*wanted, rules=(rule(Cover, days=73), ban("mined", start=None)))


@piece
def cover_soft() -> Problem:
    """The same, or 3 a kilogram that is missing."""
    wanted = demand("metal", "civil", 100, 60), demand("metal", "defense", 40, 20)
    return model(*wanted, rules=(rule(Cover, days=73, penalty=3), ban("mined", start=None)))


@piece
def stock_level() -> Problem:
    """Exactly 15 kg are left at the end of the plan, of 12 in hand."""
    level = rule(StockLevel, exactly=15, when="end")
    return model(demand("metal", "civil", 100, 60), stocks=(stock("metal", 12, chain("AU", *METAL)),), rules=(level,))


@piece
def joint_store() -> Problem:
    """Metal and salt share a store of 30, of which salt takes twice as much room."""
    room = rule(StockLevel, at_most=30, together=True, places=["US"], weights={"salt": 2})
    return model(CIVIL, demand("salt", "civil", 20), facts=metals(source("CN", 3, "salt")), rules=(room,))


@piece
def ranked_objectives() -> Problem:
    """Least shortage of defense first; then the largest country of each year, but for a tenth; then the cost of everything."""
    levels = [
        {"minimize": "shortage", "of": ["defense"]},
        {"minimize": "concentration", "within": "0.1"},
    ]
    return model(CIVIL, DEFENSE, objectives=levels)


@pytest.mark.parametrize("name", ["base", *PIECES])
def test_formulation(name: str) -> None:
    """A piece makes the rows and columns that its text shows, and no others."""
    base = written(model())
    found = "".join(f"{line}\n" for line in base) if name == "base" else difference(written(PIECES[name]()), base)
    file = HERE / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def test_no_kind_of_rule_lacks_a_text() -> None:
    """Every built-in kind that limits, forbids or charges has a piece of its name, and no text is left over."""
    kinds = {str(kind.model_fields["kind"].default) for kind in (*LIMITING, *JUDGING, *CHARGING)}
    assert kinds <= set(PIECES)
    assert {file.stem for file in HERE.glob("*.txt")} == {"base", *PIECES}
