"""Random tiny cases: up to two end uses, three periods around 2027-01-01 and three stages of making, one or more traps each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any, TypeVar

from hypothesis import strategies as st

from friendshore.domain.case import Case, DemandSpec, LicenceSpec, OrderSpec, StockSpec, StoreSpec, WaiverSpec
from friendshore.domain.facts import Catalog, ChainEntry, Facility, Lane, Offer, Status
from friendshore.rules.base import Rule
from friendshore.rules.kinds.exclude import Exclude
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.tariff import Tariff

from .tiny import GUESS, SOURCE, ban, case, catalog, chain, demand, facility, lines, offer, stock, store

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

COUNTRIES = ("AU", "CN", "JP", "US")
WHERE = ("AU", "AU", "CN", "JP", "AU/CN", "AU/JP", "AU?")
"""Where a stage may have happened; `?`: the list may not be complete."""
STARTS = (None, "2026-07-01", "2027-01-01", "2027-01-01", "2027-02-15")
STAGES = {"oxide": ("mined", "refined"), "salt": ("mined", "refined"), "metal": ("mined", "refined", "melted")}
STAGES["magnet"] = (*STAGES["metal"], "produced")


@dataclass(frozen=True)
class Tiny:
    """A case with its facts and rules."""

    case: Case
    catalog: Catalog
    rules: tuple[Rule, ...]


def sometimes(draw: Draw[Any], strategy: st.SearchStrategy[T], one_in: int = 3) -> T | None:
    """A value in one of so many cases."""
    return draw(strategy) if draw(st.integers(1, one_in)) == one_in else None


def a_chain(draw: Draw[Any], stages: tuple[str, ...]) -> tuple[ChainEntry, ...]:
    """All in one country, or each stage somewhere; now and then nobody says anything about one."""
    if draw(st.booleans()):
        return chain(draw(st.sampled_from(("AU", "CN", "JP"))), *stages)
    left_out = sometimes(draw, st.sampled_from(stages), 8)
    parts = [chain(draw(st.sampled_from(WHERE)), s) for s in stages if s != left_out]
    guessed = sometimes(draw, st.sampled_from(stages), 8)
    entries = tuple(entry for part in parts for entry in part)
    return tuple(e.model_copy(update={"source": GUESS}) if e.stage == guessed else e for e in entries)


def some_plants(draw: Draw[Any]) -> tuple[Facility, ...]:
    """A plant a country; one may share the capacity of another or of a group."""
    plants = []
    group = sometimes(draw, st.integers(20, 150), 4)
    if group is not None:
        plants.append(facility("group", "AU", group))
    for country in COUNTRIES:
        per_year = sometimes(draw, st.integers(20, 300))
        status = draw(st.sampled_from((*["operating"] * 6, "ramping", "commissioning", "announced")))
        within = "group" if group is not None and country in ("AU", "JP") else ""
        place = "harbour" if country == "JP" and sometimes(draw, st.just(1), 5) else ""
        plants.append(facility(country.lower(), country, per_year, status, within=within, place=place))
        if grown := sometimes(draw, st.integers(20, 300), 6):
            start = draw(st.sampled_from((date(2026, 11, 15), date(2027, 1, 1))))
            step = plants[-1].capacity[0].model_copy(update={"start": start, "per_year": Decimal(grown)})
            status = Status(draw(st.sampled_from(("operating", "construction", "ramping"))))
            steps = (*plants[-1].capacity, step.model_copy(update={"status": status}))
            plants[-1] = plants[-1].model_copy(update={"capacity": steps})
    return tuple(plants)


@st.composite
def lanes(draw: Draw[Any]) -> Lane:
    """A way to one of the places, with its own freight and time in some cases."""
    freight = sometimes(draw, st.integers(0, 9), 2)
    return Lane(
        to=draw(st.sampled_from(("US", "US", "JP", "AU", "harbour"))),
        freight=freight,
        currency="" if freight is None else "USD",
        lead_time=sometimes(draw, st.sampled_from((0, 3)), 2),
        source=SOURCE,
    )


def _terms(draw: Draw[Any], count: int, minima: list[int]) -> dict[str, Any]:
    """What may be said of an offer beside its price; a case has only so many minima."""
    terms: dict[str, Any] = {}
    if minima[0] >= count and (least := sometimes(draw, st.integers(5, 60))):
        terms["min_order"] = least
        minima[0] -= count
    if most := sometimes(draw, st.integers(5, 60), 6):
        terms["max_order"] = max(most, terms.get("min_order", 0))
    terms["total"] = sometimes(draw, st.integers(10, 90), 6)
    terms["max_per_year"] = sometimes(draw, st.integers(20, 200), 8)
    terms["lead_time"] = sometimes(draw, st.sampled_from((1, 3, 12)), 5)
    terms["start"] = sometimes(draw, st.sampled_from((date(2026, 11, 1), date(2027, 1, 1))), 8)
    terms["end"] = sometimes(draw, st.sampled_from((date(2026, 12, 31), date(2027, 3, 1))), 8)
    if minima[0] > 0 and (cost := sometimes(draw, st.integers(50, 900), 6)):
        terms["onboarding"], terms["onboarding_currency"] = cost, "USD"
        minima[0] -= 1
    terms["lanes"] = sometimes(draw, st.lists(lanes(), min_size=1, max_size=3, unique_by=lambda lane: lane.to), 8)
    terms["customs_origin"] = sometimes(draw, st.sampled_from(("AU", "CN")), 10)
    terms["capacity_use"] = draw(st.sampled_from(("1", "1", "1.5")))
    return {key: value for key, value in terms.items() if value is not None}


def some_offers(draw: Draw[Any], count: int, good: str) -> tuple[Offer, ...]:
    """Sources of oxide or metal, and makers of what is wanted in the end."""
    minima = [4]
    plant = st.sampled_from([c.lower() for c in COUNTRIES])
    price = st.integers(5, 90)

    def source(name: str, material: str, **more: Any) -> Offer:
        links = a_chain(draw, STAGES[material])
        terms = {**_terms(draw, count, minima), **more}
        return offer(name, draw(plant), material, draw(price), links, **terms)

    def maker(name: str, material: str, stages: tuple[str, ...], **inputs: float) -> Offer:
        terms = _terms(draw, count, minima)
        return offer(name, draw(plant), material, draw(price), a_chain(draw, stages), inputs=lines(**inputs), **terms)

    offers = [source("oxide-a", "oxide"), source("oxide-b", "oxide")]
    if good != "magnet" and draw(st.booleans()):
        offers.append(source("oxide-c", "oxide"))
    if draw(st.booleans()):
        salt = draw(st.sampled_from((0.5, 2, 3)))
        offers.append(source("circuit", "oxide", outputs=lines(oxide=1, salt=salt)))
    if good == "oxide":
        return tuple(offers)
    offers.append(maker("metal-m", "metal", ("melted",), oxide=draw(st.sampled_from((1, 1.25, 2)))))
    if good == "metal" and draw(st.integers(1, 3)) == 1:
        both = maker("both", "metal", ("melted", "produced"), oxide=draw(st.sampled_from((1, 2))))
        offers.append(both.model_copy(update={"outputs": lines(metal=1, magnet=draw(st.sampled_from((0.5, 1))))}))
    if draw(st.integers(1, 3)) > 1:
        offers.append(source("metal-s", "metal"))
    if good == "magnet":
        inputs = draw(st.sampled_from(({"metal": 0.5}, {"oxide": 0.5}, {"metal": 0.5, "oxide": 0.25})))
        stages = ("produced",) if "metal" in inputs else ("melted", "produced")
        offers.append(maker("magnet-m", "magnet", stages, **inputs))
        if draw(st.integers(1, 3)) == 1:
            offers.append(maker("magnet-n", "magnet", stages, **inputs))
    return tuple(offers)


def _goes(offer: Offer, material: str, place: str) -> bool:
    """Whether an offer brings a material to a place, so that a shortage there has a price by default."""
    ways = [lane.to for lane in offer.lanes] or [place]
    return place in ways and material in [line.material for line in offer.outputs]


def some_demands(draw: Draw[Any], count: int, good: str, offers: tuple[Offer, ...]) -> tuple[DemandSpec, ...]:
    """Defence wants the good; civil use wants it too, or something on the way to it, or what is made beside it."""

    def wanted(material: str, end_use: str, **more: Any) -> DemandSpec:
        quantities = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count).filter(any))
        made = demand(material, end_use, *quantities, price=draw(st.sampled_from((60, 200, 1000))), **more)
        if draw(st.integers(1, 6)) == 6:
            rate = {"quantities": (), "per_year": Decimal(draw(st.integers(10, 90)))}
            made = made.model_copy(update={**rate, "start": draw(st.sampled_from((None, date(2026, 12, 1))))})
        if draw(st.integers(1, 8)) == 8 and any(_goes(o, material, more.get("place", "US")) for o in offers):
            made = made.model_copy(update={"shortage_price": None})
        return made

    demands = [wanted(good, "defense")]
    if draw(st.integers(1, 4)) > 1:
        others = [good, good, *(["oxide"] if good == "metal" else [])]
        others += [line.material for o in offers for line in o.outputs[1:] * 2]
        place = draw(st.sampled_from(("US", "US", "US", "JP")))
        demands.append(wanted(draw(st.sampled_from(others)), "civil", place=place))
    if draw(st.integers(1, 6)) == 6:
        demands.append(wanted(good, "defense", id="excepted", facts=(("cots", True),)))
    return tuple(demands)


def some_rules(draw: Draw[Any]) -> tuple[Rule, ...]:
    """A ban in most cases, an export control in many, duties and exclusions in some."""
    rules: list[Rule] = []
    stages = st.sets(st.sampled_from(STAGES["magnet"]), min_size=1)
    if draw(st.integers(1, 5)) > 1:
        dated = draw(st.sampled_from(("delivery", "delivery", "order")))
        found = sorted(draw(stages))
        when = [{"fact": "cots", "equals": True}]
        more: dict[str, Any] = {"exceptions": [{"id": "cots", "when": when}]} if draw(st.booleans()) else {}
        more |= draw(st.sampled_from(({}, {}, {"forms": ["magnet", "metal"]}, {"materials": ["oxide"]}, {"elements": ["Dy"]})))
        rules.append(ban(*found, start=draw(st.sampled_from(STARTS)), dated_by=dated, **more))
    if sometimes(draw, st.just(1), 4):
        found = sorted(draw(stages))
        rules.append(ban(*found, start=draw(st.sampled_from(STARTS)), countries="JP", id="ban-2", end_uses=["civil"]))
    if draw(st.booleans()):
        rules.append(_control(draw))
    if sometimes(draw, st.just(1), 4):
        given = {"id": "kept-out", "facilities": [draw(st.sampled_from(("au", "jp")))], "end_uses": ["civil"]}
        rules.append(Exclude.model_validate({**given, "phases": [{"from": draw(st.sampled_from(STARTS))}]}))
    if sometimes(draw, st.just(1)):
        duty = {"id": "duty", "origins": ["CN"], "rate": "0.25", "phases": [{"from": draw(st.sampled_from(STARTS))}]}
        rules.append(Tariff.model_validate(duty))
        rules.append(Tariff.model_validate({"id": "flat", "specific": 2, "specific_currency": "USD", "origins": ["AU"]}))
    return tuple(rules)


def some_limits(draw: Draw[Any], offers: tuple[Offer, ...]) -> tuple[Rule, ...]:
    """Shares, numbers of suppliers, budgets, pins: none in half of the cases, else one or two."""
    kinds = draw(st.sampled_from([()] * 3 + [("share",), ("floor",), ("number",), ("budget",), ("pin",), ("share", "pin")]))
    per = draw(st.sampled_from(("period", "year", "horizon")))
    phases = [{"from": draw(st.sampled_from((None, None, "2027-01-01")))}]
    stage = draw(st.sampled_from((None, "mined", "refined", "melted")))
    given = {"per": per, "phases": phases}
    penalty = draw(st.sampled_from((None, None, 7)))
    rules: list[Rule] = []
    if "share" in kinds:
        share = draw(st.sampled_from(("0.25", "0.5", "0.65")))
        words = {"id": "cap", "share": share, "stage": stage, "of": draw(st.sampled_from(("demand", "purchases")))}
        some = draw(st.sampled_from(({}, {"countries": ["CN"]}, {"countries": ["AU", "CN"], "each": False})))
        rules.append(MaxShare.model_validate({**given, **words, **some, "penalty": penalty}))
    if "floor" in kinds:
        words = {"id": "floor", "share": draw(st.sampled_from(("0.1", "0.5"))), "stage": stage, "countries": ["AU", "JP"]}
        words["of"] = draw(st.sampled_from(("demand", "purchases")))
        rules.append(MinShare.model_validate({**given, **words, "penalty": penalty}))
    if "number" in kinds:
        kind = draw(st.sampled_from((MinSuppliers, MaxSuppliers)))
        words = {"id": "number", "count": draw(st.integers(1, 2)), "per": draw(st.sampled_from(("year", "horizon")))}
        words["by"] = draw(st.sampled_from(("supplier", "country")))
        rules.append(kind.model_validate({**given, **words, "stage": stage if words["by"] == "country" else None}))
    if "budget" in kinds:
        amount = draw(st.integers(0, 2500))
        rules.append(Budget.model_validate({**given, "id": "budget", "amount": amount}))
    if "pin" in kinds:
        words = {"id": "pin", "offer": draw(st.sampled_from([o.id for o in offers]))}
        words[draw(st.sampled_from(("exactly", "at_least", "at_most")))] = draw(st.integers(0, 20))
        words["from"] = draw(st.sampled_from((None, "2027-01-01")))
        rules.append(Pin.model_validate({**words, "penalty": draw(st.sampled_from((None, 40)))}))
    return tuple(rules)


def _control(draw: Draw[Any]) -> ExportControl:
    return ExportControl.model_validate(
        {
            "id": "control",
            "exporters": draw(st.sampled_from((["CN"], ["AU"], ["AU", "JP"]))),
            "effect": draw(st.sampled_from(("prohibit", "licence", "licence", "licence"))),
            "end_uses": draw(st.sampled_from((["defense"], ["defense"], []))),
            "destinations": draw(st.sampled_from(([], ["US"], ["JP"]))),
            "judged_on": draw(st.sampled_from(("use", "move", "either"))),
            "reach": draw(st.sampled_from(("export", "origin"))),
            "phases": [{"from": draw(st.sampled_from(STARTS))}],
        }
    )


def some_lots(
    draw: Draw[Any], good: str, offers: tuple[Offer, ...], count: int
) -> tuple[tuple[StockSpec, ...], tuple[OrderSpec, ...]]:
    """Stock of the good or of what it is made from, and an order on its way."""
    stocks: list[StockSpec] = []
    orders: list[OrderSpec] = []
    if held := sometimes(draw, st.integers(5, 60)):
        material = draw(st.sampled_from((good, good, "oxide")))
        place = "US" if material == good else draw(st.sampled_from(("US", "JP")))
        stocks.append(stock(material, held, a_chain(draw, STAGES[material]), place, acquired=date(2025, 3, 1)))
    sources = [o.id for o in offers if not o.inputs]
    if coming := sometimes(draw, st.integers(5, 40), 5):
        arrives = draw(st.sampled_from((date(2026, 12, 15), date(2027, 2, 1))[:count]))
        chosen = draw(st.sampled_from(sources))
        orders.append(OrderSpec(offer=chosen, quantity=Decimal(coming), arrives=arrives, ordered=date(2025, 9, 1)))
    return tuple(stocks), tuple(orders)


def some_papers(draw: Draw[Any], rules: tuple[Rule, ...]) -> dict[str, Any]:
    """Waivers, licences and assumed licences that fit the rules."""
    ids = [rule.id for rule in rules]
    papers: dict[str, Any] = {}
    day = st.sampled_from((None, date(2026, 10, 1), date(2027, 1, 2)))
    late = st.sampled_from((None, None, None, date(2026, 10, 1), date(2027, 1, 2)))
    if "ban" in ids and (waived := sometimes(draw, st.integers(1, 20))):
        papers["waivers"] = (WaiverSpec(id="w", rule="ban", quantity=Decimal(waived), start=draw(day)),)
        other = draw(st.sampled_from(("ban", "ban-2")))
        if other in ids and draw(st.booleans()):
            more = WaiverSpec(id="v", rule=other, demand="metal", quantity=Decimal(waived), end=date(2027, 6, 30))
            papers["waivers"] = (*papers["waivers"], more)
    if "control" in ids and draw(st.integers(1, 4)) > 1:
        licensed = draw(st.integers(1, 30))
        exporter = draw(st.sampled_from(("", "", "CN", "cn", "AU")))
        papers["licences"] = (
            LicenceSpec(id="l", rule="control", exporter=exporter, quantity=Decimal(licensed), start=draw(late)),
        )
        if draw(st.integers(1, 4)) == 4:
            quantity = draw(st.sampled_from((None, Decimal(5))))
            more = LicenceSpec(id="m", rule="control", exporter="cn", quantity=quantity, end=date(2026, 12, 31))
            papers["licences"] = (*papers["licences"], more)
    if "control" in ids and (use := sometimes(draw, st.sampled_from(("civil", "defense")), 4)):
        papers["assume_licence"] = {use: "granted"}
    return papers


def some_stores(draw: Draw[Any]) -> tuple[StoreSpec, ...]:
    """What holding costs, and now and then how much can be held."""
    stores = []
    for material, place in product(("oxide", "salt", "metal", "magnet"), COUNTRIES):
        limit = sometimes(draw, st.sampled_from((0, 20)), 8) if place == "US" else None
        stores.append(store(material, draw(st.sampled_from((0, 1, 4))), place, limit))
    return tuple(stores)


@st.composite
def more_rules(draw: Draw[Any]) -> Rule:
    """One more rule of any kind; its name is new."""
    choices = [rule for rule in some_rules(draw) if rule.kind != "tariff"] or [_control(draw)]
    duty = {"id": "duty", "origins": draw(st.sampled_from((["CN"], ["AU"], []))), "rate": "0.3"}
    cap = {"id": "cap", "stage": draw(st.sampled_from((None, "mined"))), "share": draw(st.sampled_from(("0.2", "0.5")))}
    one = {"id": "number", "count": 1, "per": "horizon"}
    choices.append(Tariff.model_validate(duty))
    choices.append(MaxShare.model_validate({**cap, "of": draw(st.sampled_from(("demand", "purchases")))}))
    choices.append(MinShare.model_validate({**cap, "countries": ["AU"]}))
    choices.append(draw(st.sampled_from((MinSuppliers, MaxSuppliers))).model_validate(one))
    choices.append(Budget.model_validate({"id": "budget", "amount": draw(st.integers(0, 1500)), "per": "period"}))
    rule = draw(st.sampled_from(choices))
    return rule.model_copy(update={"id": "one-more"})


@st.composite
def more_offers(draw: Draw[Any]) -> Offer:
    """One more offer of any material, from any of the plants."""
    material = draw(st.sampled_from(("oxide", "metal", "magnet")))
    terms = _terms(draw, 1, [1])
    plant = draw(st.sampled_from([c.lower() for c in COUNTRIES]))
    return offer("one-more", plant, material, draw(st.integers(5, 90)), a_chain(draw, STAGES[material]), **terms)


@st.composite
def tiny_cases(draw: Draw[Any]) -> Tiny:
    """A tiny case of any kind."""
    good = draw(st.sampled_from(("oxide", "metal", "metal", "magnet")))
    count = draw(st.sampled_from((1, 2, 2) if good == "magnet" else (1, 2, 3, 3)))
    plants = some_plants(draw)
    offers = some_offers(draw, count, good)
    demands = some_demands(draw, count, good, offers)
    stocks, orders = some_lots(draw, good, offers, count)
    rules = some_rules(draw)
    papers = some_papers(draw, rules)
    length = draw(st.sampled_from(("year", "quarter")))
    assume = {"freight": draw(st.sampled_from((0, 1))), "lead_time": draw(st.sampled_from((0, 0, 0, 3)))}
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
    return Tiny(made, catalog(*plants, *offers), (*rules, *some_limits(draw, offers)))
