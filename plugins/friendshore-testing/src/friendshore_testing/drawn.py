"""Facts drawn by lot, of which made-up cases consist: plants, chains, offers, and what else orders come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import assert_never

from friendshore.domain.case import Case, OrderSpec, StockSpec
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    ChainEntry,
    Facility,
    FactColumn,
    FactSort,
    FactValue,
    Feed,
    Material,
    Offer,
    Price,
    RecipeLine,
    Status,
)
from friendshore.domain.stages import Stage
from friendshore.domain.terms import PriceSchedule, Terms, Tier, TierKind

NAME = "made-up"
"""The catalog of a made-up case."""
SOURCE = f"{NAME}:drawn"
"""The one source of its figures."""


def a_price(dice: Random) -> Decimal:
    """A price with odd cents, so that no two plans cost the same."""
    return Decimal(dice.randint(10, 90)) + Decimal(dice.randrange(1, 10**4)) / 10**4


def a_plant(dice: Random, name: str, country: str) -> Facility:
    """A plant, of some capacity or of any."""
    per_year = dice.choice((None, Decimal(dice.randint(20, 120))))
    step = CapacityStep(per_year=per_year, status=Status.OPERATING, source=SOURCE)
    return Facility(id=name, country=country, operator=f"{name} company", capacity=(step,), source=SOURCE)


def a_chain(dice: Random, stages: Sequence[Stage], places: Sequence[str]) -> tuple[ChainEntry, ...]:
    """All in one country, or each stage somewhere, now and then in one of two, or in one that may not be the only one."""
    home = dice.choice(list(places))
    feed = Feed.RECYCLED if dice.random() < 0.15 else Feed.PRIMARY
    entries = []
    for stage in stages:
        where = {home} if dice.random() < 0.6 else set(dice.sample(list(places), dice.choice((1, 1, 2))))
        complete = dice.random() < 0.9
        entries.append(ChainEntry(stage=stage, countries=frozenset(where), complete=complete, feed=feed, source=SOURCE))
    return tuple(entries)


def an_offer(name: str, plant: str, good: Material, price: Decimal, chain: tuple[ChainEntry, ...]) -> Offer:
    """An offer of one good."""
    return Offer(
        id=name,
        facility=plant,
        outputs=(RecipeLine(material=good.id, per_unit=Decimal(1), source=SOURCE),),
        price=Price(amount=price, currency="USD", source=SOURCE),
        chain=chain,
        source=SOURCE,
        catalog=NAME,
    )


def a_source(dice: Random, number: int, good: Material, places: Sequence[str]) -> Offer:
    """An offer of a good that takes nothing in."""
    chain = a_chain(dice, good.stages, places)
    country = min(chain[-1].countries)
    return an_offer(f"source-{number}", f"plant-{country.lower()}", good, a_price(dice), chain)


def a_maker(dice: Random, good: Material, feed: Material, places: Sequence[str]) -> Offer:
    """An offer that makes the good of its feed."""
    chain = a_chain(dice, good.stages[-1:], places)
    country = min(chain[-1].countries)
    offer = an_offer("maker", f"plant-{country.lower()}", good, a_price(dice), chain)
    needs = RecipeLine(material=feed.id, per_unit=Decimal(dice.choice(("0.8", "1", "1.3"))), source=SOURCE)
    return offer.but(inputs=(needs,))


def a_fact(dice: Random, column: FactColumn, words: Sequence[str], places: Sequence[str]) -> FactValue:
    """A value of a column of facts: texts and words are the column's example, and now and then what a rule speaks of."""
    texts = [column.example or "made-up", *words]
    match column.type:
        case FactSort.TEXT:
            return dice.choice(texts)
        case FactSort.NUMBER:
            return Decimal(dice.randint(0, 500)) / 10
        case FactSort.SHARE:
            return Decimal(dice.randint(0, 100)) / 100
        case FactSort.YES_NO:
            return dice.random() < 0.5
        case FactSort.DATE:
            return date(dice.randint(2020, 2030), dice.randint(1, 12), 1)
        case FactSort.COUNTRY:
            return dice.choice(list(places))
        case FactSort.WORDS:
            return frozenset(word for text in dice.sample(texts, min(2, len(texts))) for word in text.split(";"))
        case _:
            assert_never(column.type)


def with_lots(
    case: Case, catalog: Catalog, dice: Random, good: Material, places: Sequence[str]
) -> tuple[Case, Catalog]:
    """The case with stock in hand and an order placed, and one offer that has to be onboarded."""
    start, offers = case.horizon.start, catalog.offers
    held = StockSpec(
        id="held", material=good.id, quantity=Decimal(dice.randint(5, 30)), acquired=start - timedelta(days=200),
        chain=a_chain(dice, good.stages, places),
    )  # fmt: skip
    placed = OrderSpec(
        id="placed", offer=dice.choice(offers).id, quantity=Decimal(dice.randint(5, 30)), ordered=start - timedelta(days=90),
        arrives=date(start.year + 1, start.month, 1),
    )  # fmt: skip
    once = {"onboarding": a_price(dice), "onboarding_currency": "USD"}
    changed = case.but(stocks=(held,), orders=(placed,))
    return changed, catalog.but(offers=_one_with(offers, dice, once))


def with_bonds(
    case: Case, catalog: Catalog, dice: Random, good: Material, places: Sequence[str]
) -> tuple[Case, Catalog]:
    """The case with a price schedule, terms of trade and take-or-pay, each of one offer; and one whose runs give two goods."""
    one, other = (offer.id for offer in dice.sample([offer for offer in catalog.offers if not offer.inputs], 2))
    tiers = (
        Tier(least=Decimal(0)),
        Tier(least=Decimal(dice.randint(10, 40)), discount=Decimal("0.05"), lump=a_price(dice)),
    )
    schedule = PriceSchedule(
        of="offer", id=one, per="year", kind=dice.choice(list(TierKind)), tiers=tiers, currency="USD", source=SOURCE
    )
    fixed = Terms(
        of="offer", id=other, per="year", fixed=a_price(dice), currency="USD", least=Decimal(5), source=SOURCE
    )
    paid = {"take_or_pay": Decimal(dice.randint(5, 20)), "take_or_pay_share": Decimal("0.5")}
    offers = _one_with(catalog.offers, dice, paid)
    feed = next(material for material in catalog.materials if material.id != good.id)
    several = an_offer("pair", catalog.facilities[0].id, good, a_price(dice), a_chain(dice, good.stages, places))
    line = RecipeLine(material=feed.id, per_unit=Decimal("0.5"), source=SOURCE)
    pair = several.but(outputs=(*several.outputs, line))
    bonds = {"offers": (*offers, pair), "schedules": (schedule,), "terms": (fixed,)}
    return case, catalog.but(**bonds)


def _one_with(offers: Sequence[Offer], dice: Random, update: Mapping[str, object]) -> tuple[Offer, ...]:
    """The offers, one that takes nothing changed."""
    name = dice.choice([offer.id for offer in offers if not offer.inputs])
    return tuple(offer.but(**update) if offer.id == name else offer for offer in offers)
