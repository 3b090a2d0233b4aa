"""Random cases of middle size, drawn from a seed: too large to enumerate, small enough for a second solver."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from tests import building as b

from friendshore.domain.case import DemandSpec
from friendshore.domain.facts import Facility, Offer
from friendshore.domain.terms import PriceSchedule, Terms
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxShare, MaxSuppliers, MinShare, MinSuppliers, StockLevel
from friendshore.rules.kinds.trade import Tariff

from .strategies import Tiny

COUNTRIES = ("AU", "CA", "CN", "JP", "KZ", "US")
GOODS = {"oxide": b.OXIDE, "salt": b.OXIDE, "metal": b.METAL, "magnet": b.MAGNET}


def mid_size(seed: int) -> Tiny:
    """A case of four materials and twenty offers or so: linear over four to eight quarters, or with choices over two or three."""
    return _Draw(seed).case()


class _Draw:
    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.whole = seed % 2 == 1
        """Whether anything has to be decided by yes or no."""
        self.count = self.dice.randint(2, 3) if self.whole else self.dice.randint(4, 8)

    def sometimes(self, one_in: int) -> bool:
        return self.dice.randrange(one_in) == 0

    def case(self) -> Tiny:
        plants = self.plants()
        offers = self.offers()
        facts = b.catalog(*plants, *offers, *self.bonds(offers))
        stores = [b.store(good, self.dice.randint(0, 6), loss=self.dice.choice((0, 0, 0.1))) for good in GOODS]
        given = b.case(
            *self.demands(), start=date(2026, 4, 1), length="quarter", count=self.count, discount=Decimal(self.dice.choice(("0", "0.08"))),
            stores=stores, stocks=[b.stock("metal", self.dice.randint(5, 60), b.chain("AU", *b.METAL))] if self.sometimes(2) else (),
            assume={"freight": self.dice.choice((0, 2))},
        )  # fmt: skip
        return Tiny(given, facts, tuple(self.rules()))

    def plants(self) -> list[Facility]:
        """Two a country, some of them within a group that shares a capacity."""
        group = b.facility("group", "AU", self.dice.randint(300, 900))
        found = [group]
        for country in COUNTRIES:
            for number in (1, 2):
                most = self.dice.randint(60, 400) if self.dice.random() < 0.8 else None
                within = "group" if self.sometimes(5) else ""
                found.append(b.facility(f"{country.lower()}-{number}", country, most, within=within))
        return found

    def offers(self) -> list[Offer]:
        """Sources of everything, and makers of metal and magnets; a circuit that gives two goods at once."""
        found = [self.offer(good, number, 8) for good in ("oxide", "salt") for number in range(4)]
        found += [self.offer("metal", number, 30) for number in range(4)]
        found += [
            self.offer("metal", number, 12, "melted", oxide=self.dice.choice((1.25, 2))) for number in range(4, 7)
        ]
        found += [self.offer("magnet", number, 90) for number in range(2)]
        found += [self.offer("magnet", number, 20, "produced", metal=0.5) for number in range(2, 5)]
        circuit = self.offer("oxide", 9, 11)
        return [*found, circuit.but(outputs=b.lines(oxide=1, salt=self.dice.choice((0.5, 2))))]

    def offer(self, good: str, number: int, level: int, *stages: str, **inputs: float) -> Offer:
        """An offer with a price around a level, and all that may be said of ordering it."""
        dice, country = self.dice, self.dice.choice(COUNTRIES)
        more: dict[str, Any] = {"inputs": b.lines(**inputs)} if inputs else {}
        if self.sometimes(4):
            more["max_per_year"] = dice.randint(30, 300)
        if self.sometimes(6):
            more["lead_time"] = 3
        if self.whole and self.sometimes(8):
            more["min_order"] = dice.randint(5, 30)
        if self.whole and self.sometimes(6):
            more |= {"onboarding": dice.randint(50, 1500), "onboarding_currency": "USD"}
        if self.whole and self.sometimes(20):
            more["lot"] = dice.randint(4, 20)
        price = level * (1 + dice.randint(0, 80) / 100)
        plant = f"{country.lower()}-{dice.choice((1, 2))}"
        return b.offer(
            f"{good}-{number}", plant, good, round(price, 2), b.chain(country, *(stages or GOODS[good])), **more
        )

    def bonds(self, offers: list[Offer]) -> list[PriceSchedule | Terms]:
        """Price schedules and terms of trade of a few offers."""
        if not self.whole or self.sometimes(2):
            return []
        chosen = self.dice.sample([o for o in offers if len(o.outputs) == 1], 3)
        kind, per = self.dice.choice(("all-units", "incremental")), self.dice.choice(("period", "year"))
        first, second = self.dice.randint(10, 40), self.dice.randint(50, 120)
        price = float(chosen[0].price.amount) if chosen[0].price and chosen[0].price.amount else 10.0
        steps = (b.tier(0), b.tier(first, price=round(price * 0.95, 2)), b.tier(second, price=round(price * 0.85, 2)))
        found: list[PriceSchedule | Terms] = [b.schedule(chosen[0].id, *steps, kind=kind, per=per)]
        if self.sometimes(2):
            found.append(b.terms(chosen[1].id, per="year", fixed=self.dice.randint(20, 400)))
        if self.sometimes(3):
            found.append(b.terms(chosen[2].id, per="horizon", least=self.dice.randint(5, 40)))
        return found

    def demands(self) -> list[DemandSpec]:
        """Defense wants metal and magnets, civil use all goods, some of it in Japan."""
        wanted = [("metal", "defense", "US"), ("magnet", "defense", "US"), ("magnet", "civil", "US")]
        wanted += [("metal", "civil", "JP"), ("oxide", "civil", "US"), ("salt", "civil", "US")]
        return [
            b.demand(good, end_use, *wants, price=self.dice.choice((40, 150, 600)), place=place)
            for good, end_use, place in wanted
            for wants in [[self.dice.randint(0, 40) for _ in range(self.count)]]
        ]

    def rules(self) -> list[Rule]:
        """A ban on what defense buys, duties, and limits of every sort."""
        dice = self.dice
        found: list[Rule] = [b.ban("mined", "refined", countries=dice.choice(("CN", "CN/KZ")))]
        if self.sometimes(2):
            found.append(b.rule(Tariff, id="duty", origins=["CN"], rate="0.25"))
        per = dice.choice(("period", "year", "horizon"))
        if self.sometimes(2):
            share = {"share": dice.choice(("0.5", "0.7")), "materials": ["metal", "oxide"]}
            found.append(b.rule(MaxShare, id="cap", per=per, of=dice.choice(("demand", "purchases")), **share))
        if self.sometimes(4):
            share = {"share": "0.3", "countries": ["AU", "CA"], "materials": ["magnet"]}
            found.append(b.rule(MinShare, id="floor", per="horizon", penalty=40, **share))
        if self.sometimes(4):
            found.append(b.rule(Budget, amount=dice.randint(2000, 60000), per="horizon"))
        if self.sometimes(4):
            found.append(b.rule(StockLevel, id="room", materials=["oxide"], at_most=30))
        if self.whole and self.sometimes(4):
            kind = dice.choice((MinSuppliers, MaxSuppliers))
            found.append(b.rule(kind, id="number", count=2, materials=["metal"], per="horizon", penalty=500))
        return found
