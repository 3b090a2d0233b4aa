"""Random tiny cases: up to two end uses, three periods around 2027-01-01 and three stages of making, one or more traps each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.building import case, catalog, offer, planned, rule

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Offer
from friendshore.problem.inputs import Inputs
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers
from friendshore.rules.kinds.trade import Tariff
from friendshore.session import Session
from friendshore.solve import Limits

from .random_cases import facts as parts
from .random_cases.facts import Draw
from .random_cases.rules import a_control, some_limits, some_papers, some_rules


@dataclass(frozen=True)
class Tiny:
    """A case with its facts and rules."""

    case: Case
    catalog: Catalog
    rules: tuple[Rule, ...]

    def priced(self) -> Tiny:
        """The same case with a price on every shortage, which offers then cannot change."""
        given = tuple(d.but(shortage_price=d.shortage_price or Decimal(500)) for d in self.case.demands)
        return replace(self, case=self.case.but(demands=given))

    @property
    def inputs(self) -> Inputs:
        """The same as a session takes it."""
        return Inputs(self.case, (self.catalog,), self.rules)

    def session(self) -> Session:
        """The session of the solved case."""
        return Session.open(self.inputs, ONE)

    def planned(self) -> Recommendation:
        """Its plan; nothing that is installed plays a part."""
        return planned(self.case, self.catalog, *self.rules)


ONE = Limits(workers=1)


def _to_harbour(offer: Offer) -> Offer:
    """The same offer, its lane to Japan leading to the site there."""
    lanes = tuple(lane.but(to="harbour") if lane.to == "JP" else lane for lane in offer.lanes)
    return offer.but(lanes=lanes)


@st.composite
def more_rules(draw: Draw[Any]) -> Rule:
    """One more rule of any kind; its name is new."""
    choices = [one for one in some_rules(draw) if one.kind != "tariff"] or [a_control(draw)]
    cap = {"stage": draw(st.sampled_from((None, "mined"))), "share": draw(st.sampled_from(("0.2", "0.5")))}
    choices.append(rule(Tariff, origins=draw(st.sampled_from((["CN"], ["AU"], []))), rate="0.3"))
    choices.append(rule(MaxShare, **cap, of=draw(st.sampled_from(("demand", "purchases")))))
    choices.append(rule(MinShare, **cap, countries=["AU"]))
    choices.append(rule(draw(st.sampled_from((MinSuppliers, MaxSuppliers))), count=1, per="horizon"))
    choices.append(rule(Budget, amount=draw(st.integers(0, 1500)), per="period"))
    one: Rule = draw(st.sampled_from(choices))
    return one.but(id="one-more")


@st.composite
def more_offers(draw: Draw[Any]) -> Offer:
    """One more offer of any material, from any of the plants."""
    material = draw(st.sampled_from(("oxide", "metal", "magnet")))
    terms = parts.order_terms(draw, 1, [1])
    plant = draw(st.sampled_from([c.lower() for c in parts.COUNTRIES]))
    links, price = parts.a_chain(draw, parts.STAGES[material]), draw(st.integers(5, 90))
    return offer("one-more", plant, material, price, links, **terms)


@st.composite
def tiny_cases(draw: Draw[Any]) -> Tiny:
    """A tiny case of any kind."""
    good = draw(st.sampled_from(("oxide", "metal", "metal", "magnet")))
    count = draw(st.sampled_from((1, 2, 2) if good == "magnet" else (1, 2, 3, 3)))
    plants = parts.some_plants(draw)
    offers = parts.some_offers(draw, count, good)
    if any(plant.place for plant in plants):
        offers = tuple(_to_harbour(o) for o in offers)
    demands = parts.some_demands(draw, count, good, offers)
    stocks, orders = parts.some_lots(draw, good, offers, count)
    rules = some_rules(draw)
    papers = some_papers(draw, rules, good)
    length = draw(st.sampled_from(("year", "quarter")))
    assume = {"freight": draw(st.sampled_from((0, 1))), "lead_time": draw(st.sampled_from((0, 0, 0, 3)))}
    assume["safety_lead"] = draw(st.sampled_from((0, 0, 0, parts.in_days(14))))
    assume["license"] = papers.pop("assume_license", {})
    start = date(2026, 1, 1) if length == "year" else date(2026, 10, 1)
    more = {"discount": Decimal(draw(st.sampled_from(("0", "0.08")))), "assume": assume}
    more["accept"] = {"unproven": draw(st.integers(1, 10)) == 10}
    lots = {"stocks": stocks, "orders": orders, "stores": parts.some_stores(draw)}
    made = case(*demands, start=start, length=length, count=count, **lots, **more, **papers)
    bearing = parts.some_terms(draw, offers, plants, count)
    return Tiny(made, catalog(*plants, *offers, *bearing, rates=parts.RATES), (*rules, *some_limits(draw, offers)))
