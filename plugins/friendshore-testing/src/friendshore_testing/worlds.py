"""Random facts for generated cases: plants, chains, offers, and other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import assert_never

from friendshore.domain.case import Case, DemandSpec, IncumbentSpec, OrderSpec, StockSpec
from friendshore.domain.countries import is_country, is_currency
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    ChainEntry,
    DeclaredColumn,
    Facility,
    FactColumn,
    FactSort,
    FactTable,
    FactValue,
    Feed,
    Material,
    Offer,
    Price,
    RecipeLine,
    StatedFact,
    Status,
)
from friendshore.domain.market import Rate
from friendshore.domain.stages import Stage
from friendshore.domain.terms import PriceSchedule, Terms, Tier, TierKind
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.plugins import Registry
from friendshore.rules.base import Rule

NAME = "made-up"
"""Catalog of a generated case."""
SOURCE = f"{NAME}:drawn"
"""The only source of its figures."""


def a_price(dice: Random) -> Decimal:
    """Return a price with odd cents, so that no two plans cost the same."""
    return Decimal(dice.randint(10, 90)) + Decimal(dice.randrange(1, 10**4)) / 10**4


def a_plant(dice: Random, name: str, country: str) -> Facility:
    """Return a plant, with or without a limited capacity."""
    per_year = dice.choice((None, Decimal(dice.randint(20, 120))))
    step = CapacityStep(per_year=per_year, status=Status.OPERATING, source=SOURCE)
    return Facility(id=name, country=country, operator=f"{name} company", capacity=(step,), source=SOURCE)


def a_chain(dice: Random, stages: Sequence[Stage], places: Sequence[str]) -> tuple[ChainEntry, ...]:
    """Return a chain in one country, or with stages in several. Some stages have two possible countries, or an incomplete list."""
    home = dice.choice(list(places))
    feed = Feed.RECYCLED if dice.random() < 0.15 else Feed.PRIMARY
    entries = []
    for stage in stages:
        where = {home} if dice.random() < 0.6 else set(dice.sample(list(places), dice.choice((1, 1, 2))))
        complete = dice.random() < 0.9
        entries.append(ChainEntry(stage=stage, countries=frozenset(where), complete=complete, feed=feed, source=SOURCE))
    return tuple(entries)


def an_offer(name: str, plant: str, good: Material, price: Decimal, chain: tuple[ChainEntry, ...]) -> Offer:
    """Return an offer of one good."""
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
    """Return an offer without inputs."""
    chain = a_chain(dice, good.stages, places)
    country = min(chain[-1].countries)
    return an_offer(f"source-{number}", f"plant-{country.lower()}", good, a_price(dice), chain)


def a_maker(dice: Random, good: Material, feed: Material, places: Sequence[str]) -> Offer:
    """Return an offer that makes a good from a feed."""
    chain = a_chain(dice, good.stages[-1:], places)
    country = min(chain[-1].countries)
    offer = an_offer("maker", f"plant-{country.lower()}", good, a_price(dice), chain)
    needs = RecipeLine(material=feed.id, per_unit=Decimal(dice.choice(("0.8", "1", "1.3"))), source=SOURCE)
    return offer.but(inputs=(needs,))


def a_fact(dice: Random, column: FactColumn, words: Sequence[str], places: Sequence[str]) -> FactValue:
    """Return a value for a column of facts: the column's example for texts and words, and sometimes a word that a rule mentions."""
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
    """Return the case with stock, an open order, and an offer that needs onboarding."""
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
    """Return the case with a price schedule, terms of trade, and take-or-pay, each for one offer, and an offer with two products."""
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
    """Return the offers, with one of those without inputs changed."""
    name = dice.choice([offer.id for offer in offers if not offer.inputs])
    return tuple(offer.but(**update) if offer.id == name else offer for offer in offers)


USUAL = ("AU", "CN", "JP", "US")
"""Countries in every case, besides those that the rule names."""
STAGES = (Stage.MINED, Stage.REFINED, Stage.MELTED)
METAL = Material(
    id="made-up-metal", name="metal", element="Mm", form="metal", basis="gross", content=Decimal(1), stages=STAGES
)
"""Good of the demand if no known material fits the rule."""
_NEXT_YEAR = date(2027, 1, 1)
Extra = Callable[[Case, Catalog, Random, Material, Sequence[str]], tuple[Case, Catalog]]
EXTRAS: tuple[Extra | None, ...] = (None, with_lots, with_bonds)
"""Further parts of cases besides plants and offers, used in turn."""


@dataclass(frozen=True)
class World:
    """A small case with its only catalog."""

    case: Case
    catalog: Catalog
    seed: int

    @property
    def names(self) -> frozenset[str]:
        """Names of its plants, offers, and demands."""
        catalog = self.catalog
        return frozenset(
            thing.id for group in (catalog.facilities, catalog.offers, self.case.demands) for thing in group
        )

    def with_offers(self, offers: Iterable[Offer]) -> World:
        """Return the case with other offers."""
        return World(self.case, self.catalog.but(offers=tuple(offers)), self.seed)


@dataclass(frozen=True)
class Words:
    """Every text in the data of rules, by key."""

    rules: tuple[Rule, ...]
    texts: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, set[str]] = {}
        for rule in self.rules:
            for key, text in _texts(rule.model_dump(mode="json", by_alias=True), ""):
                found.setdefault(key, set()).add(text)
        object.__setattr__(self, "texts", {key: frozenset(texts) for key, texts in found.items()})

    def under(self, *parts: str) -> list[str]:
        """Return all texts under keys that contain one of these words, in order."""
        return sorted({t for key, texts in self.texts.items() if any(p in key for p in parts) for t in texts})

    @cached_property
    def all(self) -> frozenset[str]:
        """All texts."""
        return frozenset().union(*self.texts.values())

    @cached_property
    def countries(self) -> list[str]:
        """Country codes, in order."""
        return sorted(text for text in self.all if len(text) == 2 and text.isupper() and is_country(text))

    @cached_property
    def currencies(self) -> list[str]:
        """Currency codes, in order."""
        return sorted(text for text in self.all if len(text) == 3 and text.isupper() and is_currency(text))

    def dates(self) -> list[date]:
        """First days of phases, in order."""
        return sorted({phase.start for rule in self.rules for phase in rule.phases if phase.start})

    def material(self, known: Sequence[Material], dice: Random) -> Material:
        """Return the known material that most of the words mention, or a generated one if they mention none."""
        scored = [(self._spoken_of(material), material) for material in known if material.stages]
        best = max((score for score, _ in scored), default=0)
        fitting = [material for score, material in scored if score == best]
        return dice.choice(fitting) if best else METAL

    def _spoken_of(self, material: Material) -> int:
        words = {material.id, material.element, material.form, *material.tags} - {""}
        codes = sum(bool(material.hs) and material.hs.startswith(code) for code in self.under("hs") if code)
        return len(words & self.all) + codes


def worlds(
    rules: Sequence[Rule],
    known: Sequence[Material] = (),
    count: int = 8,
    seed: int = 1,
    columns: Sequence[DeclaredColumn] = (),
) -> Iterator[World]:
    """Yield small cases, each generated for one of the rules, or plain ones without rules.

    `known` are materials that the rules may mention by id, element, form, tag, or tariff code. `columns` are declared by plugins, and most offers
    and plants state a fact in them.
    """
    order = list(rules)
    Random(seed).shuffle(order)
    spoken = [Words((rule,)) for rule in order] or [Words(())]
    for number in range(count):
        words = spoken[number % len(spoken)]
        yield _stating(_world(words, known, seed * 1000 + number, EXTRAS[number % len(EXTRAS)]), words, columns)


def declared_in(registry: Registry) -> tuple[DeclaredColumn, ...]:
    """Return all columns of facts that installed plugins declare."""
    known = registry.fact_columns.known
    return tuple(DeclaredColumn.model_validate({"table": t, "name": n, "column": c}) for t, n, c, _ in known)


def _stating(world: World, words: Words, columns: Sequence[DeclaredColumn]) -> World:
    """Return the case with facts in columns that plugins declare."""
    if not columns:
        return world
    dice, places = Random(world.seed + 900), _places(words)
    spoken = [word for word in sorted(words.all) if word.strip() == word != ""]

    def facts(table: FactTable) -> tuple[StatedFact, ...]:
        own = sorted((one for one in columns if one.table == table), key=lambda one: one.name)
        stated = [one for one in own if dice.random() < 0.8]
        return tuple(StatedFact.of(o.name, o.column, a_fact(dice, o.column, spoken, places)) for o in stated)

    catalog = world.catalog
    plants = tuple(plant.but(facts=facts("facilities")) for plant in catalog.facilities)
    offers = tuple(
        offer.but(facts=facts("offers"), lanes=tuple(lane.but(facts=facts("lanes")) for lane in offer.lanes))
        for offer in catalog.offers
    )
    return World(world.case, catalog.but(facilities=plants, offers=offers), world.seed)


def more_offers(world: World, rules: Sequence[Rule]) -> Offer:
    """Return one more offer for a case, from one of its plants."""
    dice = Random(world.seed + 500)
    like = dice.choice([offer for offer in world.catalog.offers if not offer.inputs])
    material = next(m for m in world.catalog.materials if m.id == like.outputs[0].material)
    names = _places(Words(tuple(rules)))
    return an_offer("one-more", like.facility, material, a_price(dice), a_chain(dice, material.stages, names))


def bare(world: World) -> World:
    """Return the case without anything optional: origins, owners, codes, and facts, and with a demand of 0."""
    catalog, case = world.catalog, world.case
    unknown = {"countries": frozenset(), "complete": False}
    offers = []
    for number, offer in enumerate(catalog.offers):
        entries = tuple(entry.but(**unknown) for entry in offer.chain) if number % 2 else ()
        lanes = tuple(lane.but(facts=()) for lane in offer.lanes)
        offers.append(offer.but(chain=entries, facts=(), lanes=lanes))
    materials = tuple(m.but(hs="", tags=frozenset(), form="") for m in catalog.materials)
    facilities = tuple(f.but(operator="", parent="", facts=()) for f in catalog.facilities)
    nothing = tuple(Decimal(0) for _ in range(case.horizon.count))
    given: list[dict[str, object]] = [{"quantities": nothing}, *({} for _ in case.demands[1:])]
    demands = tuple(d.but(buyer="", facts=(), **changed) for d, changed in zip(case.demands, given, strict=True))
    stocks = (*case.stocks, StockSpec(id="in-hand", material=case.demands[0].material, quantity=Decimal(7)))
    return World(
        case.but(name=f"{case.name}-bare", demands=demands, stocks=stocks),
        catalog.but(materials=materials, facilities=facilities, offers=tuple(offers)),
        world.seed,
    )


def empty(world: World) -> World:
    """Return the case without any offers."""
    named = world.case.but(name=f"{world.case.name}-empty", incumbents=(), orders=())
    return World(named, world.catalog.but(offers=(), schedules=(), terms=()), world.seed)


def _texts(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, key)


def _world(words: Words, known: Sequence[Material], seed: int, extra: Extra | None) -> World:
    dice = Random(seed)
    good = words.material(known, dice)
    feed = Material(
        id="made-up-feed", element=good.element, basis="gross", content=good.content, stages=good.stages[:-1]
    )
    places = _places(words)
    plants = tuple(a_plant(dice, f"plant-{place.lower()}", place) for place in places)
    offers = [a_source(dice, number, good, places) for number in range(dice.randint(3, 4))]
    if feed.stages:
        offers += [a_source(dice, 8, feed, places), a_maker(dice, good, feed, places)]
    rates = tuple(
        Rate(currency=c, to="USD", rate=Decimal("1.1"), start=date(2000, 1, 1), source=SOURCE)
        for c in words.currencies
        if c != "USD"
    )
    catalog = Catalog(
        name=NAME,
        licence="CC0-1.0",
        as_of=date(2026, 1, 1),
        materials=(good, feed),
        facilities=plants,
        offers=tuple(sorted(offers, key=lambda offer: offer.id)),
        rates=rates,
        sources=(Source(id=SOURCE, reference="drawn by lot", confidence=Confidence.VERIFIED),),
    )
    case = _case(dice, good, catalog.offers, words, seed)
    if extra is not None:
        case, catalog = extra(case, catalog, Random(seed + 700), good, places)
    return World(case, catalog, seed)


def _places(words: Words) -> list[str]:
    """Return the countries of a case: the usual ones, and some that the rule names."""
    return sorted({*USUAL, *words.countries[:3]})


def _case(dice: Random, good: Material, offers: Sequence[Offer], words: Words, seed: int) -> Case:
    count = dice.randint(2, 3)
    around = dice.choice([*words.dates(), _NEXT_YEAR])
    start = date(max(around.year - 1, 1900), dice.choice((1, 7)), 1)
    ends = sorted({"civil", "defense", *words.under("end_use")})
    named = [text for text in words.under("place", "destination", "importer") if len(text) == 2 and is_country(text)]
    facts = tuple(sorted((name, dice.random() < 0.5) for name in words.under("fact") if dice.random() < 0.6))
    buyer = dice.choice(["", *words.under("buyer")])
    demands = tuple(
        DemandSpec(
            id=f"need-{end}",
            material=good.id,
            end_use=end,
            place=dice.choice(("", "", "JP")),
            buyer=buyer,
            facts=facts,
            quantities=tuple(Decimal(dice.randint(20, 90)) for _ in range(count)),
            shortage_price=a_price(dice) + 900,
        )
        for end in (*dice.sample(ends, min(2, len(ends))),)
    )
    horizon = Horizon(start=start, periods=count, period=PeriodLength.YEAR)
    place = dice.choice(["US", *named])
    case = Case(name=f"made-up-{seed}", horizon=horizon, place=place, demands=demands)
    if dice.random() < 0.4:
        today = IncumbentSpec(offer=dice.choice(offers).id, per_year=Decimal(dice.randint(20, 60)))
        case = case.but(incumbents=(today,))
    return case
