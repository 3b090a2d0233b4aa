"""Limits by end use: what is bought, held and spent for one, where supply serves several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

import pytest

from friendshore.domain.facts import RecipeLine
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.recommend import Recommendation
from friendshore.rules.answers import WrongAnswer, as_rows
from friendshore.rules.base import Facts, Rule
from friendshore.rules.kinds.limits import Budget, Cover, MaxChurn, MaxShare, MinShare, MinSuppliers, Pin, StockLevel
from friendshore.rules.rows import ForUses, Row
from friendshore.verify import examine

from ..building import METAL, SOURCE, built, case, catalog, chain, demand, facility, metals, offer, planned, rule

DEFENSE = {"end_uses": ["defense"]}


def both(*quantities: float, **more: Any) -> Any:
    """Metal for defence and for civil use."""
    return case(demand("metal", "defense", *quantities), demand("metal", "civil", *quantities), **more)


def by_use(found: Recommendation) -> dict[tuple[str, str], float]:
    """Kilograms bought by offer and by what they are for."""
    totals: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for purchase in found.run.purchases:
        totals[purchase.offer, purchase.end_use] += purchase.quantity_kg
    return {key: float(kilograms) for key, kilograms in sorted(totals.items())}


def test_three_suppliers_for_defence() -> None:
    """Said of defence, a number of suppliers asks for nothing of what civil use is bought."""
    three = rule(MinSuppliers, count=3, least_share="0.1", **DEFENSE)
    found = planned(both(100), metals(), three)
    assert by_use(found) == {
        ("au-metal", "defense"): 10,
        ("cn-metal", "civil"): 100,
        ("cn-metal", "defense"): 80,
        ("jp-metal", "defense"): 10,
    }
    assert "At least 3 suppliers of any material for defense use" in three.sentence()


def test_classes_are_told_apart_only_where_a_limit_counts_by_use() -> None:
    """Without such a rule one class serves both uses; with one each has its own, of an offer, its ore and all."""
    facts = metals()
    assert [r.ends for r in built(both(100), facts).compliance_classes] == [frozenset()]
    apart = built(both(100), facts, rule(MaxShare, share="0.5", **DEFENSE)).compliance_classes
    assert sorted(sorted(r.ends) for r in apart) == [[""], ["defense"]]


@pytest.mark.parametrize(("words", "extra"), [({"at_least": 30}, 30), ({"at_most": 0}, 0), ({"exactly": 20}, 20)])
def test_stock_of_one_use(words: dict[str, Any], extra: float) -> None:
    """What is set aside for defence at the end is so much; nothing is asked of civil stock."""
    found = planned(both(100), metals(), rule(StockLevel, when="end", **words, **DEFENSE))
    assert found.status is PlanStatus.OPTIMAL
    assert sum(by_use(found).values()) == 200 + extra
    assert sum(float(s.quantity) for s in found.plan.plan.stocks) == extra


def made_together() -> Any:
    """A plant that makes metal, for defence, and salt, for civil use, of one kilogram of oxide; and oxide at 10 and 20."""
    out = tuple(RecipeLine(material=m, per_unit=Decimal(1), source=SOURCE) for m in ("metal", "salt"))
    into = (RecipeLine(material="oxide", per_unit=Decimal(1), source=SOURCE),)
    run = offer("run", "us", "metal", 5, chain("US", "melted"), outputs=out, inputs=into)
    ores = [offer(f"{c}-oxide", c, "oxide", p, chain(c.upper(), *METAL[:2])) for c, p in (("cn", 10), ("au", 20))]
    return catalog(*(facility(c, c.upper()) for c in ("us", "cn", "au")), run, *ores)


class TestMadeTogether:
    """What is made for several uses in one run is for both: counted where it may be too much, not where it may be too little."""

    given = case(demand("metal", "defense", 50), demand("salt", "civil", 50))
    words = {"materials": ["oxide"], "of": "purchases", "share": "0.5", **DEFENSE}

    def test_counts_for_a_cap(self) -> None:
        """Half of the ore of a shared run is not Chinese: 50 x 5 + 25 x 10 + 25 x 20."""
        found = planned(self.given, made_together(), rule(MaxShare, countries=["CN"], **self.words))
        assert float(found.cost.total) == pytest.approx(1000)

    def test_does_not_count_for_a_floor(self) -> None:
        """Least kilograms for defence alone are bought beside what 50 runs for both take: 50 x 5 + 50 x 10 + 10 x 20."""
        pin = rule(Pin, offer="au-oxide", at_least=10, **DEFENSE)
        found = planned(self.given, made_together(), pin)
        assert float(found.cost.total) == pytest.approx(950)

    def test_money_of_runs_counts(self) -> None:
        """What defence may spend on runs pays for what is made for both."""
        budget = rule(Budget, amount=250, materials=["metal", "salt"], **DEFENSE)
        found = planned(self.given, made_together(), budget)
        assert float(found.cost.total) == pytest.approx(50 * 15)


def test_what_costs_the_same_for_any_use_is_no_money_of_one() -> None:
    """Onboarding is due whatever an offer is bought for: a budget of one use that would count it is refused, and says so."""
    costly = offer("cn-metal", "cn", "metal", 10, chain("CN", *METAL), onboarding=5, onboarding_currency="USD")
    facts = catalog(facility("cn", "CN"), costly)
    with pytest.raises(
        InputError, match=r"`cn-metal` is not spent for one end use or another: its onboarding"
    ) as caught:
        planned(both(100), facts, rule(Budget, amount=1, **DEFENSE))
    assert caught.value.problems[0].column.startswith("rule")


def test_churn_knows_no_end_use() -> None:
    """What is bought today is not told apart by end use, so that churn cannot be: the key is refused."""
    with pytest.raises(ValueError, match="end_uses"):
        rule(MaxChurn, share="0.5", **DEFENSE)


def test_stock_for_both_uses_covers_both_and_counts_for_neither_alone() -> None:
    """Where stock is watched, what is kept for several uses is a class of its own: a floor asks for stock of its own."""
    cover = rule(Cover, days=73)
    level = rule(StockLevel, at_least=10, when="end", **DEFENSE)
    found = planned(both(100, 100), metals(), cover, level)
    assert found.verified
    held = {s.requirement: float(s.quantity) for s in found.plan.plan.stocks if s.period == 1}
    ends = {r.label: r.ends for r in found.plan.problem.compliance_classes}
    assert sum(kg for label, kg in held.items() if ends[label] == {"defense"}) >= 10


class Undeclared(Rule):
    """It counts by an end use that it does not name."""

    kind: Literal["undeclared"] = "undeclared"

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row."""
        uses = ForUses(frozenset({"defense"}), surely=False)
        yield Row(
            "all", (facts.bought(lambda *_: 1, (0,), for_uses=uses),), at_most=Decimal(1), sentence="It is little."
        )


def test_a_kind_must_name_what_it_counts_by() -> None:
    """Classes are told apart for the end uses that a kind names: one that counts by another is told so."""
    rows = list(Undeclared(id="u").rows(built(both(100), metals()).facts))
    with pytest.raises(WrongAnswer, match="counts what is for defense, which `counted_end_uses`"):
        as_rows(rows, frozenset({"civil"}))
    assert as_rows(rows, frozenset({"civil", "defense"})) == rows


class TestTampered:
    """A plan whose kilograms end elsewhere than they were bought for is no plan."""

    def test_deliveries_of_another_class(self) -> None:
        """Defence is served by what was bought for civil use."""
        floor = rule(MinShare, countries=["AU"], share="0.5", **DEFENSE)
        found = planned(both(100), metals(), floor)
        plan = found.plan.plan
        swap = {"R1": "R2", "R2": "R1"}
        deliveries = tuple(d.model_copy(update={"requirement": swap[d.requirement]}) for d in plan.deliveries)
        wrong = examine(found.plan.problem, plan.model_copy(update={"deliveries": deliveries}))[1]
        assert "`metal-defense` is served by what was bought for other end uses" in " ".join(map(str, wrong))

    def test_purchases_of_another_class(self) -> None:
        """Australian metal is said to be for civil use: the floor of defence does not hold."""
        floor = rule(MinShare, countries=["AU"], share="0.5", **DEFENSE)
        found = planned(both(100), metals(), floor)
        plan = found.plan.plan
        swap = {"R1": "R2", "R2": "R1"}
        purchases = tuple(p.model_copy(update={"requirement": swap[p.requirement]}) for p in plan.purchases)
        deliveries = tuple(d.model_copy(update={"requirement": swap[d.requirement]}) for d in plan.deliveries)
        changed = plan.model_copy(update={"purchases": purchases, "deliveries": deliveries})
        wrong = " ".join(map(str, examine(found.plan.problem, changed)[1]))
        assert "does not hold: At least 50 % of the demand for any material for defense use" in wrong
