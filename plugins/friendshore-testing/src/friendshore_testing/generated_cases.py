"""Generated cases with random facts."""

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
SOURCE = f"{NAME}:drawn"


def random_price(rng: Random) -> Decimal:
    """Return a price with odd cents, so that no two plans cost the same."""
    return Decimal(rng.randint(10, 90)) + Decimal(rng.randrange(1, 10**4)) / 10**4


def random_plant(rng: Random, name: str, country: str) -> Facility:
    per_year = rng.choice((None, Decimal(rng.randint(20, 120))))
    step = CapacityStep(per_year=per_year, status=Status.OPERATING, source=SOURCE)
    return Facility(id=name, country=country, operator=f"{name} company", capacity=(step,), source=SOURCE)


def random_chain(rng: Random, stages: Sequence[Stage], places: Sequence[str]) -> tuple[ChainEntry, ...]:
    """Return a chain in one country, or with stages in several. Some stages have two possible countries, or an incomplete list."""
    main_country = rng.choice(list(places))
    feed = Feed.RECYCLED if rng.random() < 0.15 else Feed.PRIMARY
    entries = []
    for stage in stages:
        countries = {main_country} if rng.random() < 0.6 else set(rng.sample(list(places), rng.choice((1, 1, 2))))
        complete = rng.random() < 0.9
        entries.append(
            ChainEntry(stage=stage, countries=frozenset(countries), complete=complete, feed=feed, source=SOURCE)
        )
    return tuple(entries)


def make_offer(name: str, plant: str, good: Material, price: Decimal, chain: tuple[ChainEntry, ...]) -> Offer:
    return Offer(
        id=name,
        facility=plant,
        outputs=(RecipeLine(material=good.id, per_unit=Decimal(1), source=SOURCE),),
        price=Price(amount=price, currency="USD", source=SOURCE),
        chain=chain,
        source=SOURCE,
        catalog=NAME,
    )


def offer_without_inputs(rng: Random, number: int, good: Material, places: Sequence[str]) -> Offer:
    chain = random_chain(rng, good.stages, places)
    country = min(chain[-1].countries)
    return make_offer(f"source-{number}", f"plant-{country.lower()}", good, random_price(rng), chain)


def offer_with_inputs(rng: Random, good: Material, feed: Material, places: Sequence[str]) -> Offer:
    chain = random_chain(rng, good.stages[-1:], places)
    country = min(chain[-1].countries)
    offer = make_offer("maker", f"plant-{country.lower()}", good, random_price(rng), chain)
    input_line = RecipeLine(material=feed.id, per_unit=Decimal(rng.choice(("0.8", "1", "1.3"))), source=SOURCE)
    return offer.but(inputs=(input_line,))


def random_fact(rng: Random, column: FactColumn, words: Sequence[str], places: Sequence[str]) -> FactValue:
    """Return a value for a column of facts. A text is the column's example or a word that a rule mentions."""
    texts = [column.example or "made-up", *words]
    match column.type:
        case FactSort.TEXT:
            return rng.choice(texts)
        case FactSort.NUMBER:
            return Decimal(rng.randint(0, 500)) / 10
        case FactSort.SHARE:
            return Decimal(rng.randint(0, 100)) / 100
        case FactSort.YES_NO:
            return rng.random() < 0.5
        case FactSort.DATE:
            return date(rng.randint(2020, 2030), rng.randint(1, 12), 1)
        case FactSort.COUNTRY:
            return rng.choice(list(places))
        case FactSort.WORDS:
            return frozenset(word for text in rng.sample(texts, min(2, len(texts))) for word in text.split(";"))
        case _:
            assert_never(column.type)


def with_stock_and_orders(
    case: Case, catalog: Catalog, rng: Random, material: Material, places: Sequence[str]
) -> tuple[Case, Catalog]:
    start, offers = case.horizon.start, catalog.offers
    stock = StockSpec(
        id="held", material=material.id, quantity=Decimal(rng.randint(5, 30)), acquired=start - timedelta(days=200),
        chain=random_chain(rng, material.stages, places),
    )  # fmt: skip
    order = OrderSpec(
        id="placed", offer=rng.choice(offers).id, quantity=Decimal(rng.randint(5, 30)), ordered=start - timedelta(days=90),
        arrives=date(start.year + 1, start.month, 1),
    )  # fmt: skip
    onboarding = {"onboarding": random_price(rng), "onboarding_currency": "USD"}
    changed_case = case.but(stocks=(stock,), orders=(order,))
    return changed_case, catalog.but(offers=_with_one_changed(offers, rng, onboarding))


def with_terms_and_schedules(
    case: Case, catalog: Catalog, rng: Random, material: Material, places: Sequence[str]
) -> tuple[Case, Catalog]:
    first_offer, second_offer = (
        offer.id for offer in rng.sample([offer for offer in catalog.offers if not offer.inputs], 2)
    )
    tiers = (
        Tier(least=Decimal(0)),
        Tier(least=Decimal(rng.randint(10, 40)), discount=Decimal("0.05"), lump=random_price(rng)),
    )
    schedule = PriceSchedule(
        of="offer",
        id=first_offer,
        per="year",
        kind=rng.choice(list(TierKind)),
        tiers=tiers,
        currency="USD",
        source=SOURCE,
    )
    terms = Terms(
        of="offer",
        id=second_offer,
        per="year",
        fixed=random_price(rng),
        currency="USD",
        least=Decimal(5),
        source=SOURCE,
    )
    commitment = {"take_or_pay": Decimal(rng.randint(5, 20)), "take_or_pay_share": Decimal("0.5")}
    offers = _with_one_changed(catalog.offers, rng, commitment)
    other_material = next(other for other in catalog.materials if other.id != material.id)
    base_offer = make_offer(
        "pair", catalog.facilities[0].id, material, random_price(rng), random_chain(rng, material.stages, places)
    )
    second_output = RecipeLine(material=other_material.id, per_unit=Decimal("0.5"), source=SOURCE)
    two_product_offer = base_offer.but(outputs=(*base_offer.outputs, second_output))
    changes = {"offers": (*offers, two_product_offer), "schedules": (schedule,), "terms": (terms,)}
    return case, catalog.but(**changes)


def _with_one_changed(offers: Sequence[Offer], rng: Random, changes: Mapping[str, object]) -> tuple[Offer, ...]:
    name = rng.choice([offer.id for offer in offers if not offer.inputs])
    return tuple(offer.but(**changes) if offer.id == name else offer for offer in offers)


USUAL_COUNTRIES = ("AU", "CN", "JP", "US")
"""Countries in every case, besides those that the rule names."""
DEFAULT_STAGES = (Stage.MINED, Stage.REFINED, Stage.MELTED)
DEFAULT_MATERIAL = Material(
    id="made-up-metal",
    name="metal",
    element="Mm",
    form="metal",
    basis="gross",
    content=Decimal(1),
    stages=DEFAULT_STAGES,
)
"""Good of the demand if no known material fits the rule."""
_NEXT_YEAR = date(2027, 1, 1)
Variation = Callable[[Case, Catalog, Random, Material, Sequence[str]], tuple[Case, Catalog]]
VARIATIONS: tuple[Variation | None, ...] = (None, with_stock_and_orders, with_terms_and_schedules)
"""Further parts of cases besides plants and offers, used in turn."""


@dataclass(frozen=True)
class GeneratedCase:
    """A small case with its only catalog."""

    case: Case
    catalog: Catalog
    seed: int

    @property
    def names(self) -> frozenset[str]:
        catalog = self.catalog
        return frozenset(
            thing.id for group in (catalog.facilities, catalog.offers, self.case.demands) for thing in group
        )

    def with_offers(self, offers: Iterable[Offer]) -> GeneratedCase:
        return GeneratedCase(self.case, self.catalog.but(offers=tuple(offers)), self.seed)


@dataclass(frozen=True)
class RuleWords:
    """All texts in the data of rules, by key."""

    rules: tuple[Rule, ...]
    texts: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        texts_by_key: dict[str, set[str]] = {}
        for rule in self.rules:
            for key, text in _texts_by_key(rule.model_dump(mode="json", by_alias=True), ""):
                texts_by_key.setdefault(key, set()).add(text)
        object.__setattr__(self, "texts", {key: frozenset(texts) for key, texts in texts_by_key.items()})

    def under(self, *parts: str) -> list[str]:
        """Return all texts under keys that contain one of these parts, in order."""
        return sorted({t for key, texts in self.texts.items() if any(p in key for p in parts) for t in texts})

    @cached_property
    def all(self) -> frozenset[str]:
        return frozenset().union(*self.texts.values())

    @cached_property
    def countries(self) -> list[str]:
        return sorted(text for text in self.all if len(text) == 2 and text.isupper() and is_country(text))

    @cached_property
    def currencies(self) -> list[str]:
        return sorted(text for text in self.all if len(text) == 3 and text.isupper() and is_currency(text))

    def dates(self) -> list[date]:
        return sorted({phase.start for rule in self.rules for phase in rule.phases if phase.start})

    def material(self, materials: Sequence[Material], rng: Random) -> Material:
        """Return the material that most of the words mention, or a generated one if they mention none."""
        scored = [(self._score(material), material) for material in materials if material.stages]
        best_score = max((score for score, _ in scored), default=0)
        best_matches = [material for score, material in scored if score == best_score]
        return rng.choice(best_matches) if best_score else DEFAULT_MATERIAL

    def _score(self, material: Material) -> int:
        words = {material.id, material.element, material.form, *material.tags} - {""}
        codes = sum(bool(material.hs) and material.hs.startswith(code) for code in self.under("hs") if code)
        return len(words & self.all) + codes


def generate_cases(
    rules: Sequence[Rule],
    known: Sequence[Material] = (),
    count: int = 8,
    seed: int = 1,
    columns: Sequence[DeclaredColumn] = (),
) -> Iterator[GeneratedCase]:
    """Yield small cases, each generated for one of the rules. `known` are materials that the rules may mention, `columns` are declared by plugins."""
    shuffled_rules = list(rules)
    Random(seed).shuffle(shuffled_rules)
    rule_words = [RuleWords((rule,)) for rule in shuffled_rules] or [RuleWords(())]
    for number in range(count):
        words = rule_words[number % len(rule_words)]
        yield _with_facts(
            _generate_case(words, known, seed * 1000 + number, VARIATIONS[number % len(VARIATIONS)]), words, columns
        )


def declared_in(registry: Registry) -> tuple[DeclaredColumn, ...]:
    known = registry.fact_columns.columns
    return tuple(DeclaredColumn.model_validate({"table": t, "name": n, "column": c}) for t, n, c, _ in known)


def _with_facts(generated: GeneratedCase, words: RuleWords, columns: Sequence[DeclaredColumn]) -> GeneratedCase:
    if not columns:
        return generated
    rng, countries = Random(generated.seed + 900), _countries(words)
    texts = [word for word in sorted(words.all) if word.strip() == word != ""]

    def facts(table: FactTable) -> tuple[StatedFact, ...]:
        own_columns = sorted(
            (declared for declared in columns if declared.table == table), key=lambda declared: declared.name
        )
        chosen = [declared for declared in own_columns if rng.random() < 0.8]
        return tuple(
            StatedFact.of(declared.name, declared.column, random_fact(rng, declared.column, texts, countries))
            for declared in chosen
        )

    catalog = generated.catalog
    plants = tuple(plant.but(facts=facts("facilities")) for plant in catalog.facilities)
    offers = tuple(
        offer.but(facts=facts("offers"), lanes=tuple(lane.but(facts=facts("lanes")) for lane in offer.lanes))
        for offer in catalog.offers
    )
    return GeneratedCase(generated.case, catalog.but(facilities=plants, offers=offers), generated.seed)


def another_offer(generated: GeneratedCase, rules: Sequence[Rule]) -> Offer:
    rng = Random(generated.seed + 500)
    model = rng.choice([offer for offer in generated.catalog.offers if not offer.inputs])
    material = next(m for m in generated.catalog.materials if m.id == model.outputs[0].material)
    countries = _countries(RuleWords(tuple(rules)))
    return make_offer(
        "one-more", model.facility, material, random_price(rng), random_chain(rng, material.stages, countries)
    )


def without_optional_facts(generated: GeneratedCase) -> GeneratedCase:
    """Return the case without optional facts: origins, owners, codes, and facts of columns. One demand is 0."""
    catalog, case = generated.catalog, generated.case
    unknown = {"countries": frozenset(), "complete": False}
    offers = []
    for index, offer in enumerate(catalog.offers):
        entries = tuple(entry.but(**unknown) for entry in offer.chain) if index % 2 else ()
        lanes = tuple(lane.but(facts=()) for lane in offer.lanes)
        offers.append(offer.but(chain=entries, facts=(), lanes=lanes))
    materials = tuple(m.but(hs="", tags=frozenset(), form="") for m in catalog.materials)
    facilities = tuple(f.but(operator="", parent="", facts=()) for f in catalog.facilities)
    zeros = tuple(Decimal(0) for _ in range(case.horizon.count))
    demand_changes: list[dict[str, object]] = [{"quantities": zeros}, *({} for _ in case.demands[1:])]
    demands = tuple(
        d.but(buyer="", facts=(), **changed) for d, changed in zip(case.demands, demand_changes, strict=True)
    )
    stocks = (*case.stocks, StockSpec(id="in-hand", material=case.demands[0].material, quantity=Decimal(7)))
    return GeneratedCase(
        case.but(name=f"{case.name}-without_optional_facts", demands=demands, stocks=stocks),
        catalog.but(materials=materials, facilities=facilities, offers=tuple(offers)),
        generated.seed,
    )


def without_offers(generated: GeneratedCase) -> GeneratedCase:
    case = generated.case.but(name=f"{generated.case.name}-empty", incumbents=(), orders=())
    return GeneratedCase(case, generated.catalog.but(offers=(), schedules=(), terms=()), generated.seed)


def _texts_by_key(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts_by_key(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_by_key(inner, key)


def _generate_case(
    words: RuleWords, known: Sequence[Material], seed: int, variation: Variation | None
) -> GeneratedCase:
    rng = Random(seed)
    material = words.material(known, rng)
    input_material = Material(
        id="made-up-feed",
        element=material.element,
        basis="gross",
        content=material.content,
        stages=material.stages[:-1],
    )
    countries = _countries(words)
    plants = tuple(random_plant(rng, f"plant-{place.lower()}", place) for place in countries)
    offers = [offer_without_inputs(rng, number, material, countries) for number in range(rng.randint(3, 4))]
    if input_material.stages:
        offers += [
            offer_without_inputs(rng, 8, input_material, countries),
            offer_with_inputs(rng, material, input_material, countries),
        ]
    rates = tuple(
        Rate(currency=c, to="USD", rate=Decimal("1.1"), start=date(2000, 1, 1), source=SOURCE)
        for c in words.currencies
        if c != "USD"
    )
    catalog = Catalog(
        name=NAME,
        license="CC0-1.0",
        as_of=date(2026, 1, 1),
        materials=(material, input_material),
        facilities=plants,
        offers=tuple(sorted(offers, key=lambda offer: offer.id)),
        rates=rates,
        sources=(Source(id=SOURCE, reference="drawn by lot", confidence=Confidence.VERIFIED),),
    )
    case = _generated_case(rng, material, catalog.offers, words, seed)
    if variation is not None:
        case, catalog = variation(case, catalog, Random(seed + 700), material, countries)
    return GeneratedCase(case, catalog, seed)


def _countries(words: RuleWords) -> list[str]:
    return sorted({*USUAL_COUNTRIES, *words.countries[:3]})


def _generated_case(rng: Random, material: Material, offers: Sequence[Offer], words: RuleWords, seed: int) -> Case:
    count = rng.randint(2, 3)
    rule_date = rng.choice([*words.dates(), _NEXT_YEAR])
    start = date(max(rule_date.year - 1, 1900), rng.choice((1, 7)), 1)
    end_uses = sorted({"civil", "defense", *words.under("end_use")})
    named_places = [
        text for text in words.under("place", "destination", "importer") if len(text) == 2 and is_country(text)
    ]
    facts = tuple(sorted((name, rng.random() < 0.5) for name in words.under("fact") if rng.random() < 0.6))
    buyer = rng.choice(["", *words.under("buyer")])
    demands = tuple(
        DemandSpec(
            id=f"need-{end_use}",
            material=material.id,
            end_use=end_use,
            place=rng.choice(("", "", "JP")),
            buyer=buyer,
            facts=facts,
            quantities=tuple(Decimal(rng.randint(20, 90)) for _ in range(count)),
            shortage_price=random_price(rng) + 900,
        )
        for end_use in (*rng.sample(end_uses, min(2, len(end_uses))),)
    )
    horizon = Horizon(start=start, periods=count, period=PeriodLength.YEAR)
    place = rng.choice(["US", *named_places])
    case = Case(name=f"made-up-{seed}", horizon=horizon, place=place, demands=demands)
    if rng.random() < 0.4:
        incumbent = IncumbentSpec(offer=rng.choice(offers).id, per_year=Decimal(rng.randint(20, 60)))
        case = case.but(incumbents=(incumbent,))
    return case
