"""Random plants, offers, demands, lots and stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any, TypeVar

from hypothesis import strategies as st
from tests.building import GUESS, SOURCE, chain, demand, facility, lines, offer, stock, store, terms

from friendshore.domain.case import DemandSpec, OrderSpec, StockSpec, StoreSpec
from friendshore.domain.facts import ChainEntry, Facility, Lane, Offer, Price, Quote, Status
from friendshore.domain.market import Rate
from friendshore.domain.quantities import parse_duration
from friendshore.domain.terms import Terms

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[T]], T]

COUNTRIES = ("AU", "CN", "JP", "US")
WHERE = ("AU", "AU", "CN", "JP", "AU/CN", "AU/JP", "AU?")
"""Where a stage may have happened; `?`: the list may not be complete."""
STARTS = (None, "2026-07-01", "2027-01-01", "2027-01-01", "2027-02-15")
STAGES = {"oxide": ("mined", "refined"), "salt": ("mined", "refined"), "metal": ("mined", "refined", "melted")}
STAGES["magnet"] = (*STAGES["metal"], "produced")


def sometimes(draw: Draw[Any], strategy: st.SearchStrategy[T], one_in: int = 3) -> T | None:
    """A value in one of so many cases."""
    return draw(strategy) if draw(st.integers(1, one_in)) == one_in else None


def in_days(number: int) -> Decimal:
    """A duration in days, as it is stored."""
    return parse_duration(f"{number} days")


def a_chain(draw: Draw[Any], stages: tuple[str, ...]) -> tuple[ChainEntry, ...]:
    """All in one country, or each stage somewhere; now and then nobody says anything about one."""
    if draw(st.booleans()):
        return chain(draw(st.sampled_from(("AU", "CN", "JP"))), *stages)
    left_out = sometimes(draw, st.sampled_from(stages), 8)
    parts = [chain(draw(st.sampled_from(WHERE)), s) for s in stages if s != left_out]
    guessed = sometimes(draw, st.sampled_from(stages), 8)
    entries = tuple(entry for part in parts for entry in part)
    return tuple(e.but(source=GUESS) if e.stage == guessed else e for e in entries)


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
        place = "harbour" if country == "JP" and sometimes(draw, st.just(True), 5) else ""
        plants.append(facility(country.lower(), country, per_year, status, within=within, place=place))
        if grown := sometimes(draw, st.integers(20, 300), 6):
            start = draw(st.sampled_from((date(2026, 11, 15), date(2027, 1, 1))))
            step = plants[-1].capacity[0].but(start=start, per_year=Decimal(grown))
            status = Status(draw(st.sampled_from(("operating", "construction", "ramping"))))
            steps = (*plants[-1].capacity, step.but(status=status))
            plants[-1] = plants[-1].but(capacity=steps)
    return tuple(plants)


RATES = tuple(
    Rate(currency="EUR", to="USD", rate=Decimal(rate), start=start, source=SOURCE)
    for rate, start in (("1.1", date(2025, 1, 1)), ("1.25", date(2027, 1, 1)), ("1.3", date(2027, 1, 2)))
)


def euros(amount: int) -> Price:
    """A price in euros, whose rate changes at the new year and on the day after it."""
    return Price(amount=Decimal(amount), currency="EUR", source=SOURCE)


@st.composite
def quotations(draw: Draw[Any]) -> tuple[Quote, ...]:
    """One quotation, or two with or without a gap between them, in dollars or euros."""
    dates = [(None, date(2026, 12, 31)), (draw(st.sampled_from((date(2027, 1, 1), date(2027, 4, 1)))), None)]
    kept = draw(st.sampled_from((dates, dates[:1], [(None, None)])))
    amounts, currencies = st.integers(5, 90).map(Decimal), st.sampled_from(("USD", "EUR"))
    return tuple(
        Quote(start=start, end=end, amount=draw(amounts), currency=draw(currencies), source=SOURCE)
        for start, end in kept
    )


@st.composite
def lanes(draw: Draw[Any]) -> Lane:
    """A way to one of the places, with its own freight and time in some cases."""
    freight = sometimes(draw, st.integers(0, 9), 2)
    return Lane(
        to=draw(st.sampled_from(("US", "US", "JP", "AU"))),
        freight=freight,
        currency="" if freight is None else "USD",
        lead_time=sometimes(draw, st.sampled_from((Decimal(0), Decimal(3), in_days(45))), 2),
        source=SOURCE,
    )


def order_terms(draw: Draw[Any], count: int, minima: list[int]) -> dict[str, Any]:
    """What may be said of an offer beside its price; a case has only so many minima."""
    given: dict[str, Any] = {}
    if minima[0] >= count and (least := sometimes(draw, st.integers(5, 60))):
        given["min_order"] = least
        minima[0] -= count
    if most := sometimes(draw, st.integers(5, 60), 6):
        given["max_order"] = max(most, given.get("min_order", 0))
    if lot := sometimes(draw, st.integers(4, 30), 8):
        given["lot"] = lot
        given["max_lots"] = sometimes(draw, st.integers(-(-given.get("min_order", 1) // lot), 15), 3)
    given["total"] = sometimes(draw, st.integers(10, 90), 6)
    given["max_per_year"] = sometimes(draw, st.integers(20, 200), 8)
    given["lead_time"] = sometimes(draw, st.sampled_from((1, 3, 12, in_days(45), in_days(91))), 5)
    given["start"] = sometimes(draw, st.sampled_from((date(2026, 11, 1), date(2027, 1, 1))), 8)
    last = (date(2026, 12, 31), date(2027, 3, 1)) if given["start"] is None else (date(2027, 3, 1),)
    given["end"] = sometimes(draw, st.sampled_from(last), 8)
    if minima[0] > 0 and (cost := sometimes(draw, st.integers(50, 900), 6)):
        given["onboarding"], given["onboarding_currency"] = cost, "USD"
        minima[0] -= 1
    given["qualification"] = sometimes(draw, st.sampled_from((2, 3, 12)), 12)
    if minima[0] > 0 and (least := sometimes(draw, st.integers(5, 80), 8)):
        given["take_or_pay"], given["take_or_pay_share"] = least, draw(st.sampled_from(("1", "0.5")))
        minima[0] -= 1
    given["lanes"] = sometimes(draw, st.lists(lanes(), min_size=1, max_size=3, unique_by=lambda lane: lane.to), 8)
    given["customs_origin"] = sometimes(draw, st.sampled_from(("AU", "CN")), 10)
    given["capacity_use"] = draw(st.sampled_from(("1", "1", "1.5")))
    return {key: value for key, value in given.items() if value is not None}


@st.composite
def bearing_terms(draw: Draw[Any], offers: tuple[Offer, ...], plants: tuple[Facility, ...], count: int) -> Terms:
    """Terms of trade of an offer, a plant with those within it, or a supplier; they make two choices or one."""
    of = draw(st.sampled_from(("offer", "offer", "facility", "supplier")))
    name = draw(st.sampled_from([o.id for o in offers] if of == "offer" else [p.id for p in plants]))
    per = draw(st.sampled_from(("period", "year", "horizon") if count < 3 else ("year", "horizon")))
    figures: dict[str, Any] = {
        "fixed": sometimes(draw, st.integers(20, 600), 2),
        "least": sometimes(draw, st.integers(5, 40)),
        "most": sometimes(draw, st.integers(40, 90), 4),
    }
    if per == "period" and of != "supplier":
        figures["setup_use"] = sometimes(draw, st.integers(5, 30), 2)
    if all(figure is None for figure in figures.values()):
        figures["fixed"] = 100
    single = [o for o in offers if len(o.outputs) == 1]
    alone = len(single) == len(offers)
    words = {"materials": sometimes(draw, st.sampled_from((["oxide"], ["metal", "oxide"])), 4) or ()}
    words["places"] = (sometimes(draw, st.sampled_from((["US"], ["JP", "US"])), 4) or ()) if alone else ()
    words["start"] = sometimes(draw, st.just(date(2027, 1, 1)), 6)
    if not words["start"]:
        words["end"] = sometimes(draw, st.sampled_from((date(2026, 12, 31), date(2027, 2, 1))), 6)
    return terms(name, of=of, per=per, **{k: v for k, v in {**figures, **words}.items() if v is not None})


def some_terms(
    draw: Draw[Any], offers: tuple[Offer, ...], plants: tuple[Facility, ...], count: int
) -> tuple[Terms, ...]:
    """Now and then one row of terms."""
    found = sometimes(draw, bearing_terms(offers, plants, count), 4)
    return () if found is None else (found,)


def some_offers(draw: Draw[Any], count: int, good: str) -> tuple[Offer, ...]:
    """Sources of oxide or metal, and makers of what is wanted in the end."""
    minima = [4]
    plant = st.sampled_from([c.lower() for c in COUNTRIES])
    price = st.integers(5, 90).map(lambda amount: amount if amount % 6 else euros(amount))

    def source(name: str, material: str, **more: Any) -> Offer:
        links = a_chain(draw, STAGES[material])
        given = {**order_terms(draw, count, minima), **more}
        made = offer(name, draw(plant), material, draw(price), links, **given)
        quotes = sometimes(draw, quotations(), 8)
        return made if quotes is None else made.but(price=None, quotes=quotes)

    def maker(name: str, material: str, stages: tuple[str, ...], **inputs: float) -> Offer:
        given = order_terms(draw, count, minima)
        return offer(name, draw(plant), material, draw(price), a_chain(draw, stages), inputs=lines(**inputs), **given)

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
        offers.append(both.but(outputs=lines(metal=1, magnet=draw(st.sampled_from((0.5, 1))))))
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
    """Defense wants the good; civil use wants it too, or something on the way to it, or what is made beside it."""

    def wanted(material: str, end_use: str, **more: Any) -> DemandSpec:
        quantities = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count).filter(any))
        made = demand(material, end_use, *quantities, price=draw(st.sampled_from((60, 200, 1000))), **more)
        if draw(st.integers(1, 6)) == 6:
            rate = {"quantities": (), "per_year": Decimal(draw(st.integers(10, 90)))}
            made = made.but(**rate, start=draw(st.sampled_from((None, date(2026, 12, 1)))))
        if draw(st.integers(1, 8)) == 8 and any(_goes(o, material, more.get("place", "US")) for o in offers):
            made = made.but(shortage_price=None)
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


def some_lots(
    draw: Draw[Any], good: str, offers: tuple[Offer, ...], count: int
) -> tuple[tuple[StockSpec, ...], tuple[OrderSpec, ...]]:
    """Stock of the good or of what it is made from, and orders on their way."""
    stocks: list[StockSpec] = []
    orders: list[OrderSpec] = []
    if held := sometimes(draw, st.integers(5, 60)):
        material = draw(st.sampled_from((good, good, "oxide")))
        place = "US" if material == good else draw(st.sampled_from(("US", "JP")))
        stocks.append(stock(material, held, a_chain(draw, STAGES[material]), place, acquired=date(2025, 3, 1)))
    sources = [o.id for o in offers if not o.inputs]
    for coming in sometimes(draw, st.lists(st.integers(5, 40), min_size=1, max_size=2), 3) or ():
        arrives = draw(st.sampled_from((date(2026, 10, 1), date(2026, 11, 3), date(2026, 12, 15))))
        arrives = date(2027, 2, 1) if count > 1 and draw(st.integers(1, 3)) == 1 else arrives
        chosen = draw(st.sampled_from(sources))
        place = draw(st.sampled_from(("", "", "JP")))
        spec = {"offer": chosen, "quantity": Decimal(coming), "arrives": arrives, "ordered": date(2025, 9, 1)}
        orders.append(OrderSpec.model_validate({**spec, "place": place}))
    return tuple(stocks), tuple(orders)


def some_stores(draw: Draw[Any]) -> tuple[StoreSpec, ...]:
    """What holding costs, and now and then how much can be held."""
    stores = []
    for material, place in product(("oxide", "salt", "metal", "magnet"), COUNTRIES):
        limit = sometimes(draw, st.sampled_from((0, 20)), 8) if place == "US" else None
        stores.append(store(material, draw(st.sampled_from((0, 1, 4))), place, limit))
    return tuple(stores)
