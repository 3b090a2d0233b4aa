"""Cover, stock levels and churn against linear programs of their own: every history of a kilogram, and what it is promised to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import METAL, ban, case, catalog, chain, demand, facility, source, stock, store

from friendshore.domain.case import IncumbentSpec
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Cover, MaxChurn, StockLevel

from .compare import agrees
from .patterns import Amount, Answer, Bound, Column, Enumeration
from .settings import examples
from .strategies import Tiny

SELLERS = {"CN": 10, "AU": 50, "JP": 80}
USES = ("civil", "defense")
DAYS = {2026: 365, 2027: 365, 2028: 366}
PENALTY = 30


@dataclass(frozen=True)
class Held:
    """A case on one material: who sells until when, what is barred for whom, and one rule on stock or suppliers."""

    wanted: dict[str, tuple[int, ...]]
    until: dict[str, int]
    """Seller -> last year of its offer."""
    most: dict[str, int | None]
    """Seller -> kilograms a year."""
    barred: frozenset[tuple[str, str]]
    """Use and country whose metal it may not have from 2027 on."""
    loss: str
    lot: int
    """Australian metal in hand."""
    rule: Rule

    def tiny(self) -> Tiny:
        """As friendshore reads it."""
        demands = [demand("metal", use, *quantities, price=300) for use, quantities in self.wanted.items()]
        held = (stock("metal", self.lot, chain("AU", *METAL), acquired=date(2025, 1, 1)),) if self.lot else ()
        today = (IncumbentSpec(offer="au", per_year=Decimal(20)), IncumbentSpec(offer="jp", per_year=Decimal(10)))
        stores = (store("metal", 2, loss=float(self.loss)),)
        sites = [facility(c.lower(), c, self.most[c]) for c in SELLERS]
        until = {c: date(year, 12, 31) for c, year in self.until.items()}
        goods = [source(c, price, name=c.lower(), end=until[c]) for c, price in SELLERS.items()]
        bans = [ban("mined", countries=c, end_uses=[use], id=f"{use}-{c}") for use, c in sorted(self.barred)]
        given_case = case(*demands, stores=stores, stocks=held, incumbents=today)
        return Tiny(given_case, catalog(*sites, *goods), (*bans, self.rule))

    def lawful(self, country: str, use: str, year: int) -> bool:
        """Whether metal of a country may be delivered for a use in a year."""
        return year == 2026 or (use, country) not in self.barred


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Cover, a level of stock, or churn."""
    words: dict[str, Any] = {"id": "rule", "penalty": draw(st.sampled_from((None, PENALTY)))}
    kind: type[Rule] = draw(st.sampled_from((Cover, Cover, StockLevel, MaxChurn)))
    if kind is Cover:
        words["days"] = draw(st.sampled_from(("30", "91.5", "365", "500")))
        words["end_uses"] = draw(st.sampled_from(([], ["defense"], ["civil"])))
    elif kind is StockLevel:
        words[draw(st.sampled_from(("at_least", "at_most", "exactly")))] = draw(st.integers(0, 20))
        words["when"] = draw(st.sampled_from(("every-period", "end")))
    else:
        words |= {"share": draw(st.sampled_from(("0", "0.3"))), "per": draw(st.sampled_from(("period", "horizon")))}
    return kind.model_validate(words)


@st.composite
def helds(draw: st.DrawFn) -> Held:
    """A case."""
    quantity = st.integers(0, 20)
    wanted = {use: tuple(draw(quantity) for _ in DAYS) for use in USES}
    if not any(any(quantities) for quantities in wanted.values()):
        wanted["civil"] = (0, 10, 0)
    return Held(
        wanted=wanted,
        until={c: draw(st.sampled_from((2026, 2027, 2028, 2028))) for c in SELLERS},
        most={c: draw(st.sampled_from((None, None, 15))) for c in SELLERS},
        barred=frozenset(pair for pair in product(USES, ("CN", "JP")) if draw(st.sampled_from((True, False, False)))),
        loss=draw(st.sampled_from(("0", "0.1"))),
        lot=draw(st.sampled_from((0, 0, 25))),
        rule=draw(rules()),
    )


class Histories:
    """Every kilogram by where and when it was bought and what becomes of it; soft rules by what is missed."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.years = list(DAYS)
        self.columns: list[Column] = []
        self.bounds: list[Bound] = []
        self.kept = 1 - float(held.loss)

    def optimum(self) -> Answer:
        """The cheapest of all plans."""
        for country, year in product(SELLERS, self.years):
            if year <= self.held.until[country]:
                self._histories(country, country, year, SELLERS[country])
            most = self.held.most[country]
            self.bounds += [] if most is None else [Bound({("bought", country, year): 1.0}, at_most=float(most))]
        self._histories("lot", "AU", 2026, 0)
        for use, year in product(USES, self.years):
            self.columns.append(Column(300, {("wanted", use, year): 1.0}))
            quantity = float(self.held.wanted[use][year - 2026])
            self.bounds.append(Bound({("wanted", use, year): 1.0}, quantity, quantity))
        self.bounds.append(Bound({("bought", "lot", 2026): 1.0}, float(self.held.lot), float(self.held.lot)))
        {"cover": self._cover, "stock-level": self._level, "max-churn": self._churn}[self.held.rule.kind]()
        return Enumeration(self.columns, self.bounds).optimum([], [])

    def _histories(self, seller: str, origin: str, bought: int, price: float) -> None:
        ends = [(use, y) for use in USES for y in self.years if y >= bought and self.held.lawful(origin, use, y)]
        lying = [("", 2029)] if seller == "lot" else []
        spare = [("spare", 2029)] if self._may_be_bought(origin) else []
        for use, until in [*ends, *lying, *spare]:
            amounts: dict[Amount, float] = {("bought", seller, bought): 1.0}
            cost = float(price)
            for year in range(bought, min(until, 2029)):
                left = self.kept ** (year - bought)
                cost += 2 * left
                amounts["held", year] = left
                if use:  # what lies in a lot untaken is set aside for nobody
                    amounts["shelf", origin, bought, year] = left
            if until < 2029:
                amounts["wanted", use, until] = self.kept ** (until - bought)
            self.columns.append(Column(cost, amounts))

    def _may_be_bought(self, origin: str) -> bool:
        """Whether some demand may be served by metal of a country: what none may have is never bought."""
        cells = product(USES, self.years)
        return any(self.held.wanted[use][year - 2026] and self.held.lawful(origin, use, year) for use, year in cells)

    def _miss(self, amount: Amount, sign: float = 1.0) -> None:
        if self.held.rule.model_dump()["penalty"] is not None:
            self.columns.append(Column(PENALTY, {amount: sign}))

    def _cover(self) -> None:
        """Each shelf is promised to what it may serve, and no more of it than there is."""
        rule: Any = self.held.rule
        for year in self.years:
            shelves = [(c, b) for c in SELLERS for b in self.years if b <= year]
            promised: dict[Any, dict[Amount, float]] = {shelf: {("shelf", *shelf, year): -1.0} for shelf in shelves}
            for use, later, quantity in self._coming(rule, year):
                cover = ("cover", year, use, later)
                self._miss(cover)
                for country, bought in shelves:
                    if self.held.lawful(country, use, later):
                        promise = ("promise", year, country, bought, use, later)
                        self.columns.append(Column(0, {promise: 1.0, cover: 1.0}))
                        promised[country, bought][promise] = 1.0
                self.bounds.append(Bound({cover: 1.0}, at_least=quantity))
            self.bounds += [Bound(weights, at_most=0.0) for weights in promised.values()]

    def _coming(self, rule: Any, year: int) -> list[tuple[str, int, float]]:
        """What is wanted on the days after a year; what lies beyond the plan is wanted like the last year's."""
        wanted: dict[tuple[str, int], float] = {}
        for use in rule.end_uses or USES:
            left, at = float(rule.days), year + 1
            while left > 0:
                known = min(at, 2028)
                part = min(left, DAYS[known]) if at <= 2028 else left
                share = part / DAYS[known] * self.held.wanted[use][known - 2026]
                wanted[use, known] = wanted.get((use, known), 0.0) + share
                left, at = left - part, at + 1
        return [(use, later, quantity) for (use, later), quantity in wanted.items() if quantity]

    def _level(self) -> None:
        rule: Any = self.held.rule
        ends = [(rule.exactly, 1.0), (rule.exactly, -1.0), (rule.at_least, 1.0), (rule.at_most, -1.0)]
        for year in self.years if rule.when == "every-period" else [2028]:
            for bound, sign in [(bound, sign) for bound, sign in ends if bound is not None]:
                missed = ("missed", year, sign)
                self._miss(missed)
                self.bounds.append(Bound({("held", year): sign, missed: 1.0}, at_least=sign * float(bound)))

    def _churn(self) -> None:
        rule: Any = self.held.rule
        for years in [[y] for y in self.years] if rule.per == "period" else [self.years]:
            moved: dict[Amount, float] = {("over", years[0]): -1.0}
            self._miss(("over", years[0]))
            for country, rate in (("AU", 20.0), ("JP", 10.0)):
                lost = ("lost", country, years[0])
                self.columns.append(Column(0, {lost: 1.0}))
                moved[lost] = 1.0
                bought: dict[Amount, float] = {("bought", country, year): 1.0 for year in years}
                self.bounds.append(Bound({**bought, lost: 1.0}, at_least=rate * len(years)))
            self.bounds.append(Bound(moved, at_most=float(rule.share) * 30 * len(years)))


@examples(200)
@given(helds())
def test_plan_is_as_cheap_as_the_best_of_all_histories(held: Held) -> None:
    """No choice of what is bought when, held, delivered and promised that keeps the rule is cheaper than the plan."""
    tiny = held.tiny()
    agrees(tiny.case, [tiny.catalog], tiny.planned(), Histories(held).optimum())
