"""What tests of problem, program, solve, verify, explain and recommend build on: tiny cases in memory, planned without plugins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from friendshore.document.elements import Document
from friendshore.document.terminal import plain_text
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog, Offer, Price
from friendshore.plugins import Registry
from friendshore.problem import Problem, build_problem
from friendshore.problem.changes import apply_changes
from friendshore.recommend import Recommendation, plan
from friendshore.rules.base import Rule

from ..property.tiny import (
    GUESS,
    METAL,
    OXIDE,
    SOURCE,
    ban,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    offer,
    schedule,
    stock,
    store,
    terms,
    tier,
)

__all__ = [
    "GUESS", "METAL", "SOURCE", "altered", "ban", "bought", "built", "case", "catalog", "chain",
    "changed", "demand", "facility", "hard_case", "lines", "maker", "metals", "offer", "ordered", "planned", "price",
    "rule", "schedule", "short", "source", "stock", "store", "terms", "text", "tier", "told",
]  # fmt: skip


def built(given: Case, facts: Catalog | Sequence[Catalog], *rules: Rule) -> Problem:
    """The problem of a case."""
    return build_problem(given, (facts,) if isinstance(facts, Catalog) else facts, rules)


def planned(given: Case, facts: Catalog | Sequence[Catalog], *rules: Rule, **options: Any) -> Recommendation:
    """The plan of a case; nothing that is installed plays a part."""
    catalogs = (facts,) if isinstance(facts, Catalog) else facts
    return plan(given, catalogs=catalogs, rules=rules, **{"registry": Registry.of(), "workers": 1, **options})


def bought(found: Recommendation) -> dict[str, float]:
    """Kilograms bought by offer, over periods, places and compliance classes."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for purchase in found.run.purchases:
        totals[purchase.offer] += purchase.quantity_kg
    return {name: float(quantity) for name, quantity in totals.items()}


def ordered(found: Recommendation) -> dict[tuple[str, str], float]:
    """Kilograms bought by offer and period of order."""
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for purchase in found.run.purchases:
        totals[purchase.offer, purchase.ordered] += purchase.quantity_kg
    return {key: float(quantity) for key, quantity in totals.items()}


def short(found: Recommendation) -> dict[str, float]:
    """Kilograms short by demand, over periods."""
    return {d.id: float(d.short_kg) for d in found.run.demands if d.short_kg}


def told(found: Recommendation, subject: str) -> str:
    """All that is assumed of a subject, in words."""
    return "; ".join(a.text for a in found.run.assumptions if a.subject == subject)


def text(document: Document, width: int = 100) -> str:
    """What stands on a terminal of some width."""
    return plain_text(document, width)


def rule(kind: type[Rule], **fields: Any) -> Rule:
    """A rule of a kind, as a case would write it."""
    return kind.model_validate({"id": kind.model_fields["kind"].default, **fields})


def price(amount: float | None = None, source: str = SOURCE, currency: str = "USD", **more: Any) -> Price:
    """A price, quoted or by a benchmark."""
    quoted = {} if amount is None else {"amount": Decimal(str(amount)), "currency": currency}
    return Price(**quoted, source=source, **more)


def source(country: str, cost: float | Price, material: str = "metal", **more: Any) -> Offer:
    """An offer that performs the whole chain of a material in one country: `cn-metal` of the plant `cn`."""
    stages = {"oxide": OXIDE, "salt": OXIDE, "metal": METAL, "magnet": (*METAL, "produced")}[material]
    given = {"name": f"{country.lower()}-{material}", "plant": country.lower(), **more}
    name, plant = given.pop("name"), given.pop("plant")
    return offer(name, plant, material, cost, chain(country, *stages), **given)


def maker(country: str, cost: float, needs: float = 2, **more: Any) -> Offer:
    """An offer that melts metal in one country from oxide: `jp-melt` of the plant `jp`."""
    name = f"{country.lower()}-melt"
    return offer(
        name, country.lower(), "metal", cost, chain(country, "melted"), **{"inputs": lines(oxide=needs), **more}
    )


def metals(*more: Any, **plants: Any) -> Catalog:
    """Chinese metal at 10, Australian at 50, Japanese at 80, and what else is given; `cn=30` is a capacity a year."""
    countries = {"CN": 10, "AU": 50, "JP": 80}
    sites = [facility(c.lower(), c, plants.get(c.lower())) for c in countries]
    return catalog(*sites, *(source(c, cost) for c, cost in countries.items()), *more)


def named_metals() -> Catalog:
    """The same, with names for all: `Works of CN`, and metal called antimony trioxide that is weighed as contained antimony."""
    facts = metals()
    name = {"name": "Antimony trioxide, below 99.99 %", "basis": "Sb", "element": "Sb"}
    materials = (m.but(**name) if m.id == "metal" else m for m in facts.materials)
    sites = (f.but(name=f"Works of {f.country}") for f in facts.facilities)
    return facts.but(materials=tuple(materials), facilities=tuple(sites))


def changed(facts: Catalog, name: str, **update: Any) -> Catalog:
    """The same catalog with one offer changed."""
    offers = tuple(Offer.model_validate({**o.model_dump(), **update}) if o.id == name else o for o in facts.offers)
    return facts.model_copy(update={"offers": offers})


LONGER = (0.5, 1.0, 4.0, 16.0, 64.0)
"""Seconds for a search of minutes, until they suffice for a first plan and a bound: the first ones do, but where the machine is busy."""


def hard_case(offers: int = 40, periods: int = 8, seed: int = 4) -> tuple[Case, Catalog]:
    """One component whose search takes minutes: 40 offers, all or nothing in every period, each giving three goods.

    Onboarding costs as much as the goods, so that it pays to cover three demands with few offers; nothing can be held.
    """
    dice = Random(seed)
    goods = ("metal", "oxide", "salt")
    sites = [facility("all", "AU", 60 * offers)]
    sold = []
    for i in range(offers):
        sites.append(facility(f"p{i:02}", "AU", 1000, within="all"))
        gives = {good: (20 + dice.randrange(80)) / 100 for good in goods}
        order = 60 + dice.randrange(60)
        run: dict[str, Any] = {
            "outputs": lines(**gives),
            "min_order": order,
            "max_order": order,
            "onboarding": 2000 + dice.randrange(2000),
            "onboarding_currency": "USD",
        }
        cost = round(100 * sum(gives.values())) + dice.randrange(20)
        sold.append(source("AU", cost, name=f"p{i:02}-run", plant=f"p{i:02}", **run))
    wanted = [
        demand(good, "civil", *(offers * 15 + dice.randrange(offers * 5) for _ in range(periods))) for good in goods
    ]
    return case(*wanted, stores=[store(good, 1, limit=0) for good in goods]), catalog(*sites, *sold)


def altered(
    given: Case, facts: Catalog, rules: Iterable[Rule], *changes: Change
) -> tuple[Case, Catalog, tuple[Rule, ...]]:
    """The facts after some changes."""
    case_, catalogs, found = apply_changes(changes, given, (facts,), tuple(rules))
    return case_, catalogs[0], found
