"""Builders of small cases, catalogs, and plans for all tests. Each takes what matters to a test, and everything else is at its plainest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from friendshore.document.elements import Document
from friendshore.document.terminal import plain_text
from friendshore.domain.case import Case, DemandSpec, StockSpec, StoreSpec
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    ChainEntry,
    Facility,
    Material,
    Offer,
    Price,
    RecipeLine,
    Status,
)
from friendshore.domain.market import BenchmarkPrice
from friendshore.domain.stages import Stage
from friendshore.domain.terms import PriceSchedule, Terms, Tier, TierKind
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.errors import Diagnostic, InputError
from friendshore.plugins import Registry
from friendshore.problem import Problem, build_problem
from friendshore.problem.changes import apply_changes
from friendshore.problem.inputs import Inputs
from friendshore.recommend import Recommendation, plan
from friendshore.rules.base import Rule
from friendshore.rules.kinds.origin_ban import OriginBan
from friendshore.session import Session
from friendshore.solve import Cancel, Limits

# ---------------------------------------------------------------------------------------------------------------- records

SOURCE = "tiny:s"
"""The one source of all figures: verified."""
GUESS = "tiny:g"
"""A source that is only assumed."""
OXIDE = (Stage.MINED, Stage.REFINED)
METAL = (*OXIDE, Stage.MELTED)
MAGNET = (*METAL, Stage.PRODUCED)
MATERIALS = (
    Material(id="oxide", element="Dy", form="oxide", basis="gross", content=Decimal("0.8"), hs="2846", stages=OXIDE),
    Material(id="salt", element="La", form="oxide", basis="gross", content=Decimal("0.5"), hs="2846", stages=OXIDE),
    Material(id="metal", element="Dy", form="metal", basis="gross", content=Decimal(1), hs="2805", stages=METAL),
    Material(id="magnet", element="Dy", form="magnet", basis="gross", content=Decimal("0.5"), hs="8505", stages=MAGNET),
)


def done(stage: str, *countries: str, complete: bool = True, **more: Any) -> ChainEntry:
    """Return a stage performed in one of these countries."""
    return ChainEntry(stage=stage, countries=frozenset(countries), complete=complete, source=SOURCE, **more)


def chain(countries: str, *stages: str) -> tuple[ChainEntry, ...]:
    """Return stages performed in the same countries. `CN/AU` means either; a `?` at the end means that the list may be incomplete."""
    complete = not countries.endswith("?")
    words = [word for word in countries.rstrip("?").split("/") if word]
    return tuple(done(stage, *words, complete=complete) for stage in stages)


def facility(
    name: str, country: str, per_year: float | None = None, status: str = "operating", **more: Any
) -> Facility:
    """Return a plant with one capacity, on every day. None is unlimited."""
    amount = None if per_year is None else Decimal(str(per_year))
    step = CapacityStep(per_year=amount, status=Status(status), source=SOURCE)
    return Facility(**{"id": name, "country": country, "capacity": (step,), "source": SOURCE, **more})


def offer(
    name: str, plant: str, material: str, price: float | Price, links: tuple[ChainEntry, ...] = (), **more: Any
) -> Offer:
    """Return an offer of one material, in USD by default."""
    if not isinstance(price, Price):
        price = Price(amount=Decimal(str(price)), currency="USD", source=SOURCE)
    fields = {
        "id": name,
        "facility": plant,
        "outputs": (RecipeLine(material=material, per_unit=Decimal(1), source=SOURCE),),
        "price": price,
        "chain": links,
        "source": SOURCE,
        "catalog": "tiny",
    }
    return Offer.model_validate({**fields, **more})


def lines(**per_unit: float) -> tuple[RecipeLine, ...]:
    """Return recipe lines, for example `lines(oxide=1.25)`."""
    return tuple(RecipeLine(material=m, per_unit=Decimal(str(x)), source=SOURCE) for m, x in per_unit.items())


def schedule(subject: str, *tiers: Tier, kind: str = "all-units", per: str = "period", **more: Any) -> PriceSchedule:
    """Return a price schedule in USD, of an offer unless `of` says otherwise."""
    fields = {"of": "offer", "id": subject, "kind": TierKind(kind), "per": per, "tiers": tiers, "currency": "USD"}
    return PriceSchedule.model_validate({**fields, "source": SOURCE, **more})


def tier(
    least: float, price: float | None = None, discount: float | None = None, lump: float = 0, most: float | None = None
) -> Tier:
    """Return a tier with a price or a discount, from one amount to another or without an end."""
    fields = {"least": least, "most": most, "price": price, "discount": discount, "lump": lump}
    return Tier.model_validate(fields)


def terms(subject: str, *, of: str = "offer", per: str = "period", **more: Any) -> Terms:
    """Return terms of trade in USD, of an offer unless `of` says otherwise."""
    money = {"currency": "USD"} if "fixed" in more else {}
    return Terms.model_validate({"of": of, "id": subject, "per": per, "source": SOURCE, **money, **more})


def catalog(*things: Facility | Offer | BenchmarkPrice | PriceSchedule | Terms, **more: Any) -> Catalog:
    """Return a catalog of these things. Plants that offers need and that are called like their country are there without limit."""
    offers = tuple(x for x in things if isinstance(x, Offer))
    plants = tuple(x for x in things if isinstance(x, Facility))
    missing = sorted({x.facility for x in offers if len(x.facility) == 2} - {x.id for x in plants})
    return Catalog(
        name="tiny",
        license="CC0-1.0",
        as_of=date(2026, 1, 1),
        materials=MATERIALS,
        facilities=(*plants, *(facility(name, name.upper()) for name in missing)),
        offers=offers,
        schedules=tuple(x for x in things if isinstance(x, PriceSchedule)),
        terms=tuple(x for x in things if isinstance(x, Terms)),
        prices=tuple(x for x in things if isinstance(x, BenchmarkPrice)),
        sources=(
            Source(id=SOURCE, reference="made up", confidence=Confidence.VERIFIED),
            Source(id=GUESS, reference="guessed", confidence=Confidence.ASSUMED),
        ),
        **more,
    )


def demand(material: str, end_use: str, *quantities: float, price: float = 1000, **more: Any) -> DemandSpec:
    """Return a demand by period, with the price of a shortage."""
    fields = {"quantities": tuple(Decimal(str(q)) for q in quantities), "shortage_price": Decimal(str(price))}
    return DemandSpec(**{"id": f"{material}-{end_use}", "material": material, "end_use": end_use, **fields, **more})


def case(
    *demands: DemandSpec, start: date = date(2026, 1, 1), length: str = "year", count: int = 0, **more: Any
) -> Case:
    """Return a case in the US, with as many periods as its first demand has quantities."""
    horizon = Horizon(start=start, periods=count or len(demands[0].quantities), period=PeriodLength(length))
    return Case(**{"name": "tiny", "horizon": horizon, "place": "US", "demands": demands, **more})


def store(material: str, holding: float, place: str = "US", limit: float | None = None, loss: float = 0) -> StoreSpec:
    """Return a store, with what it costs and loses per kilogram and year."""
    max_quantity = None if limit is None else Decimal(str(limit))
    holding_rate, loss_rate = Decimal(str(holding)), Decimal(str(loss))
    return StoreSpec(material=material, place=place, holding=holding_rate, limit=max_quantity, loss=loss_rate)


def stock(material: str, quantity: float, links: tuple[ChainEntry, ...], place: str = "US", **more: Any) -> StockSpec:
    """Return a stock in hand."""
    fields = {"id": f"stock-{material}-{place}", "material": material, "place": place, "chain": links}
    return StockSpec(**{**fields, "quantity": Decimal(str(quantity)), **more})


def ban(*stages: str, countries: str = "CN", start: str | None = "2027-01-01", **more: Any) -> OriginBan:
    """Return a ban on defense goods with these stages in a country, from a day on."""
    fields = {
        "id": "ban",
        "stages": stages,
        "countries": countries.split("/"),
        "end_uses": ["defense"],
        "phases": [{"from": start}],
        "citation": "ban (a)",
    }
    return OriginBan.model_validate({**fields, **more})


def rule(kind: type[Rule], **fields: Any) -> Rule:
    """Return a rule of a kind, read as from a case."""
    return kind.model_validate({"id": kind.model_fields["kind"].default, **fields})


def price(amount: float | None = None, source: str = SOURCE, currency: str = "USD", **more: Any) -> Price:
    """Return a price, quoted or by a benchmark."""
    quoted = {} if amount is None else {"amount": Decimal(str(amount)), "currency": currency}
    return Price(**quoted, source=source, **more)


def benchmark(amount: float = 8, day: date = date(2026, 1, 1), name: str = "bench", **more: Any) -> BenchmarkPrice:
    """Return a price of a benchmark of metal, in USD."""
    fields = {"id": name, "material": "metal", "date": day, "amount": Decimal(str(amount)), "currency": "USD"}
    return BenchmarkPrice(**{**fields, "source": SOURCE, **more})


def source(country: str, cost: float | Price, material: str = "metal", **more: Any) -> Offer:
    """Return an offer that performs the whole chain of a material in one country: `cn-metal` of the plant `cn`."""
    stages = {"oxide": OXIDE, "salt": OXIDE, "metal": METAL, "magnet": (*METAL, "produced")}[material]
    fields = {"name": f"{country.lower()}-{material}", "plant": country.lower(), **more}
    name, plant = fields.pop("name"), fields.pop("plant")
    return offer(name, plant, material, cost, chain(country, *stages), **fields)


def maker(country: str, cost: float, needs: float = 2, **more: Any) -> Offer:
    """Return an offer that melts metal from oxide in one country: `jp-melt` of the plant `jp`."""
    name = f"{country.lower()}-melt"
    return offer(
        name, country.lower(), "metal", cost, chain(country, "melted"), **{"inputs": lines(oxide=needs), **more}
    )


def metals(*more: Any, **plants: Any) -> Catalog:
    """Return Chinese metal at 10, Australian at 50, Japanese at 80, and more. `cn=30` is a yearly capacity."""
    countries = {"CN": 10, "AU": 50, "JP": 80}
    sites = [facility(c.lower(), c, plants.get(c.lower())) for c in countries]
    return catalog(*sites, *(source(c, cost) for c, cost in countries.items()), *more)


def named_metals() -> Catalog:
    """Return the same with names for all: `Works of CN`, and metal called antimony trioxide that is weighed as contained antimony."""
    facts = metals()
    name = {"name": "Antimony trioxide, below 99.99%", "basis": "Sb", "element": "Sb"}
    materials = (m.but(**name) if m.id == "metal" else m for m in facts.materials)
    sites = (f.but(name=f"Works of {f.country}") for f in facts.facilities)
    return facts.but(materials=tuple(materials), facilities=tuple(sites))


def changed(facts: Catalog, name: str, **update: Any) -> Catalog:
    """Return the catalog with one offer changed."""
    offers = tuple(Offer.model_validate({**o.model_dump(), **update}) if o.id == name else o for o in facts.offers)
    return facts.model_copy(update={"offers": offers})


def unstored(*quantities: float, end_use: str = "civil", **more: Any) -> Case:
    """Return a case that wants metal and cannot store it, so that no period depends on another."""
    return case(demand("metal", end_use, *quantities), stores=(store("metal", 0, limit=0),), **more)


LONGER = (0.5, 1.0, 4.0, 16.0, 64.0)
"""Seconds to try for a search of minutes, until it has a plan and a bound. The first ones suffice unless the machine is busy."""


def hard_case(offers: int = 40, periods: int = 8, seed: int = 4) -> tuple[Case, Catalog]:
    """Return one component whose search takes minutes: 40 offers, all or nothing in every period, each giving three goods.

    Onboarding costs as much as the goods, so that it pays to cover three demands with few offers; nothing can be held.
    """
    rng = Random(seed)
    goods = ("metal", "oxide", "salt")
    sites = [facility("all", "AU", 60 * offers)]
    offers_of_plants = []
    for i in range(offers):
        sites.append(facility(f"p{i:02}", "AU", 1000, within="all"))
        output_per_unit = {good: (20 + rng.randrange(80)) / 100 for good in goods}
        order = 60 + rng.randrange(60)
        recipe: dict[str, Any] = {
            "outputs": lines(**output_per_unit),
            "min_order": order,
            "max_order": order,
            "onboarding": 2000 + rng.randrange(2000),
            "onboarding_currency": "USD",
        }
        cost = round(100 * sum(output_per_unit.values())) + rng.randrange(20)
        offers_of_plants.append(source("AU", cost, name=f"p{i:02}-run", plant=f"p{i:02}", **recipe))
    demands = [
        demand(good, "civil", *(offers * 15 + rng.randrange(offers * 5) for _ in range(periods))) for good in goods
    ]
    return case(*demands, stores=[store(good, 1, limit=0) for good in goods]), catalog(*sites, *offers_of_plants)


# ---------------------------------------------------------------------------------------------------------------- plans


def built(base: Case, facts: Catalog | Sequence[Catalog], *rules: Rule) -> Problem:
    """Return the problem of a case."""
    return build_problem(base, (facts,) if isinstance(facts, Catalog) else facts, rules)


def planned(base: Case, facts: Catalog | Sequence[Catalog], *rules: Rule, **options: Any) -> Recommendation:
    """Return the plan of a case, without installed plugins. Limits are strict unless the options say otherwise."""
    catalogs = (facts,) if isinstance(facts, Catalog) else facts
    defaults = {"registry": Registry.of(), "workers": 1, "strict_limits": True}
    return plan(base, catalogs=catalogs, rules=rules, **{**defaults, **options})


def opened(
    base: Case, facts: Catalog | Sequence[Catalog], *rules: Rule, cancel: Cancel | None = None, **limits: Any
) -> Session:
    """Return the session of a solved case."""
    catalogs = (facts,) if isinstance(facts, Catalog) else tuple(facts)
    return Session.open(Inputs(base, catalogs, rules), Limits(**limits), cancel=cancel)


def altered(
    base: Case, facts: Catalog, rules: Iterable[Rule], *changes: Change
) -> tuple[Case, Catalog, tuple[Rule, ...]]:
    """Return case, catalog, and rules after some changes."""
    case_, catalogs, new_rules = apply_changes(changes, base, (facts,), tuple(rules))
    return case_, catalogs[0], new_rules


def refused(call: Callable[..., object], *args: Any, **kwargs: Any) -> list[Diagnostic]:
    """Return the problems that a call reports with its InputError."""
    with pytest.raises(InputError) as error:
        call(*args, **kwargs)
    return list(error.value.problems)


def bought(recommendation: Recommendation) -> dict[str, float]:
    """Return the kilograms bought by offer, over periods, places, and compliance classes."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for purchase in recommendation.run.purchases:
        totals[purchase.offer] += purchase.quantity_kg
    return {name: float(quantity) for name, quantity in totals.items()}


def ordered(recommendation: Recommendation) -> dict[tuple[str, str], float]:
    """Return the kilograms bought by offer and period of order."""
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for purchase in recommendation.run.purchases:
        totals[purchase.offer, purchase.ordered] += purchase.quantity_kg
    return {key: float(quantity) for key, quantity in totals.items()}


def short(recommendation: Recommendation) -> dict[str, float]:
    """Return the kilograms short by demand, over periods."""
    return {d.id: float(d.short_kg) for d in recommendation.run.demands if d.short_kg}


def told(found: Recommendation, subject: str) -> str:
    """Return the texts of the assumptions about a subject."""
    return "; ".join(a.text for a in found.run.assumptions if a.subject == subject)


def text(document: Document, width: int = 100) -> str:
    """Return a document as a terminal of some width prints it."""
    return plain_text(document, width)


def unwrapped(document: Document, width: int = 100) -> str:
    """Return the same in one line, to look for sentences that a terminal breaks."""
    return " ".join(plain_text(document, width).split())
