"""Random tiny cases: up to two end uses, three periods around 2027-01-01 and three stages of making, one or more traps each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.building import case, catalog, offer

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Offer
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers
from friendshore.rules.kinds.tariff import Tariff

from .random_cases.facts import (
    COUNTRIES,
    RATES,
    STAGES,
    Draw,
    a_chain,
    in_days,
    order_terms,
    some_demands,
    some_lots,
    some_offers,
    some_plants,
    some_stores,
    some_terms,
)
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
        return Tiny(self.case.but(demands=given), self.catalog, self.rules)


def _to_harbour(offer: Offer) -> Offer:
    """The same offer, its lane to Japan leading to the site there."""
    lanes = tuple(lane.but(to="harbour") if lane.to == "JP" else lane for lane in offer.lanes)
    return offer.but(lanes=lanes)


@st.composite
def more_rules(draw: Draw[Any]) -> Rule:
    """One more rule of any kind; its name is new."""
    choices = [rule for rule in some_rules(draw) if rule.kind != "tariff"] or [a_control(draw)]
    duty = {"id": "duty", "origins": draw(st.sampled_from((["CN"], ["AU"], []))), "rate": "0.3"}
    cap = {"id": "cap", "stage": draw(st.sampled_from((None, "mined"))), "share": draw(st.sampled_from(("0.2", "0.5")))}
    one = {"id": "number", "count": 1, "per": "horizon"}
    choices.append(Tariff.model_validate(duty))
    choices.append(MaxShare.model_validate({**cap, "of": draw(st.sampled_from(("demand", "purchases")))}))
    choices.append(MinShare.model_validate({**cap, "countries": ["AU"]}))
    choices.append(draw(st.sampled_from((MinSuppliers, MaxSuppliers))).model_validate(one))
    choices.append(Budget.model_validate({"id": "budget", "amount": draw(st.integers(0, 1500)), "per": "period"}))
    rule: Rule = draw(st.sampled_from(choices))
    return rule.but(id="one-more")


@st.composite
def more_offers(draw: Draw[Any]) -> Offer:
    """One more offer of any material, from any of the plants."""
    material = draw(st.sampled_from(("oxide", "metal", "magnet")))
    terms = order_terms(draw, 1, [1])
    plant = draw(st.sampled_from([c.lower() for c in COUNTRIES]))
    return offer("one-more", plant, material, draw(st.integers(5, 90)), a_chain(draw, STAGES[material]), **terms)


@st.composite
def tiny_cases(draw: Draw[Any]) -> Tiny:
    """A tiny case of any kind."""
    good = draw(st.sampled_from(("oxide", "metal", "metal", "magnet")))
    count = draw(st.sampled_from((1, 2, 2) if good == "magnet" else (1, 2, 3, 3)))
    plants = some_plants(draw)
    offers = some_offers(draw, count, good)
    if any(plant.place for plant in plants):
        offers = tuple(_to_harbour(o) for o in offers)
    demands = some_demands(draw, count, good, offers)
    stocks, orders = some_lots(draw, good, offers, count)
    rules = some_rules(draw)
    papers = some_papers(draw, rules, good)
    length = draw(st.sampled_from(("year", "quarter")))
    assume = {"freight": draw(st.sampled_from((0, 1))), "lead_time": draw(st.sampled_from((0, 0, 0, 3)))}
    assume["safety_lead"] = draw(st.sampled_from((0, 0, 0, in_days(14))))
    assume["licence"] = papers.pop("assume_licence", {})
    made = case(
        *demands,
        start=date(2026, 1, 1) if length == "year" else date(2026, 10, 1),
        length=length,
        count=count,
        stocks=stocks,
        orders=orders,
        stores=some_stores(draw),
        discount=Decimal(draw(st.sampled_from(("0", "0.08")))),
        assume=assume,
        accept={"unproven": draw(st.integers(1, 10)) == 10},
        **papers,
    )
    bearing = some_terms(draw, offers, plants, count)
    return Tiny(made, catalog(*plants, *offers, *bearing, rates=RATES), (*rules, *some_limits(draw, offers)))
