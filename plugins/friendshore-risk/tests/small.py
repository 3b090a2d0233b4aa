"""Small cases in memory: one metal, a few offers of it, yearly periods, and a ban that an event may bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NamedTuple

from tests import building
from tests.building import OXIDE, case, catalog, demand, facility, rule, source, store

from friendshore.domain.facts import Place
from friendshore.domain.use import Chained
from friendshore.explain.results import QuestionCounter
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits.amounts import Cover
from friendshore.rules.kinds.limits.shares import MaxShare
from friendshore.rules.rows import Row
from friendshore.session import Session
from friendshore_risk.events import Event, enumerate_scenarios
from friendshore_risk.risk_answer import RiskSearch

START = 2026
BAN = building.ban(*OXIDE, phases=[{"status": "pending"}])
"""Nothing mined or refined in China for defense, once an event brings it."""
APART = rule(MaxShare, id="cap", end_uses=["defense"], share=1, of="purchases")
"""A limit that never binds: compliance classes are told apart by end use for it."""
COVER = rule(Cover, days=1, penalty="0.01 USD/kg")
"""Stock for a day, missed at next to no price: a rule that watches stock."""


class Seller(NamedTuple):
    """An offer of the metal, of a plant of its own: kilograms a year, and years from order to delivery."""

    country: str
    price: int
    capacity: int | None = None
    lead: int = 0
    onboarding: int = 0


class Floor(Rule):
    """A plugin's kind: at least so many kilograms of metal from one plant, from a day on."""

    kind: Literal["floor"] = "floor"
    plant: str = "cn"
    least: Decimal = Decimal(5)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over all periods in which it applies."""

        def counts(offer: Chained, place: Place) -> int:
            return int(offer.facility.id == self.plant)

        for label, periods in facts.spans("horizon"):
            yield Row(label, (facts.bought(counts, periods),), at_least=self.least)


def opened(
    sellers: Sequence[Seller],
    wanted: Mapping[str, Sequence[int]],
    short: Mapping[str, int],
    holding: int,
    places: Mapping[str, str] = MappingProxyType({}),
    rules: Sequence[Rule] = (),
) -> Session:
    """The case, solved: `wanted` by end use and year, at prices of a shortage, held at so much a kilogram and year; in the US where nothing is said."""
    things = []
    for country, price, capacity, lead, onboarding in sellers:
        plant = country.lower()
        things.append(facility(plant, country, capacity, operator=plant))
        once = {"onboarding": onboarding, "onboarding_currency": "USD" if onboarding else ""}
        things.append(source(country, price, lead_time=12 * lead, **once))
    demands = [
        demand("metal", use, *quantities, price=short[use], id=use, place=places.get(use, ""))
        for use, quantities in wanted.items()
    ]
    stores = [store("metal", holding, place) for place in sorted({"US", *places.values()})]
    return building.opened(case(*demands, stores=stores), catalog(*things), BAN, *rules)


def searching(session: Session, events: Sequence[Event], day: date) -> RiskSearch:
    """All that may happen, laid out."""
    scenarios = enumerate_scenarios(events, day, session.problem.case.horizon)
    return RiskSearch(session, events, scenarios, day, QuestionCounter(session))
