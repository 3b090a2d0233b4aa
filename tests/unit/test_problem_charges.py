"""What a kilogram costs beside its price: duties by days and origin, freight, discount; and what limits make of money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.facts import ChainEntry
from friendshore.domain.market import Rate
from friendshore.errors import InputError
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxSuppliers, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.tariff import Tariff

from ..building import (
    SOURCE,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    maker,
    metals,
    planned,
    rule,
    short,
    source,
    store,
)


def duty(**more: Any) -> Rule:
    """A quarter of the value of Chinese goods that enter the United States."""
    return rule(Tariff, **{"id": "duty", "rate": "0.25", "origins": ["CN"], **more})


def one(*offers: Any, **more: Any) -> Any:
    """A catalog of offers from China, Australia, Japan and the United States."""
    return catalog(*(facility(c.lower(), c) for c in ("CN", "AU", "JP", "US")), *offers, **more)


def charges(given: Any, facts: Any, *rules: Rule) -> list[float]:
    """Charges on every purchase."""
    return [float(p.charges) for p in planned(given, facts, *rules).run.purchases]


def test_duties_are_weighted_by_the_days_on_which_they_hold() -> None:
    """A quarter of 40 = 10 a kilogram; from 1 July on, 184 of 365 days: 5.041095890... on 10 kg. Two duties add up."""
    given = case(demand("metal", "civil", 10))
    late = duty(phases=[{"from": "2026-07-01"}])
    assert charges(given, one(source("CN", 40)), duty()) == [100]
    assert charges(given, one(source("CN", 40)), late) == pytest.approx([100 * 184 / 365])
    assert charges(given, one(source("CN", 40)), late, duty(id="more", rate="0.1")) == pytest.approx(
        [100 * 184 / 365 + 40]
    )


def test_only_enacted_duties_are_paid() -> None:
    """One that is suspended, pending or unknown is not; with `strict` the unknown one is."""
    given, facts = case(demand("metal", "civil", 10)), one(source("CN", 40))
    for status in ("suspended", "pending", "unknown"):
        assert charges(given, facts, duty(phases=[{"status": status}])) == [0]
    assert float(planned(given, facts, duty(phases=[{"status": "unknown"}]), strict=True).cost.charges) == 100


@pytest.mark.parametrize("said", [{"countries": {"KR"}, "complete": False}, {"countries": set(), "complete": False}])
def test_an_unknown_country_pays_the_most_that_any_country_pays(said: dict[str, Any]) -> None:
    """Melted in Korea or elsewhere, or nobody says where: charged like Chinese metal, 25 % of 40, and marked. Korea itself is free."""
    last = ChainEntry(stage="melted", source=SOURCE, **said)
    vague = source("AU", 40, chain=(*chain("AU", "mined", "refined"), last))
    rules = (
        duty(),
        duty(id="jp", rate="0.1", origins=["JP"]),
        duty(id="most", rate="0.05", origins=[], except_origins=["KR"]),
    )
    found = planned(case(demand("metal", "civil", 10)), one(vague), *rules)
    assert [float(p.charges) for p in found.run.purchases] == [120]
    (marked,) = (row.text for row in found.run.assumptions if row.subject == "highest duty charged")
    assert marked.startswith("au-metal: its customs origin is not known")
    known = last.but(countries=frozenset({"KR"}), complete=True)
    korean = planned(
        case(demand("metal", "civil", 10)), one(source("AU", 40, chain=(*vague.chain[:-1], known))), *rules
    )
    assert [float(p.charges) for p in korean.run.purchases] == [0]
    assert not [row for row in korean.run.assumptions if row.subject == "highest duty charged"]


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ({"hs": ["8110"]}, True),
        ({"forms": ["metal"]}, True),
        ({"hs": ["2617"], "also": [{"elements": ["Dy"]}]}, True),
        ({"hs": ["28.05"]}, False),
        ({"materials": ["metal"]}, False),
        ({}, False),
    ],
)
def test_goods_without_a_duty_of_their_own_are_listed(words: dict[str, Any], listed: bool) -> None:
    """A rule about another line, a form or the element states no duty of a line that it lacks; one about the goods or about all goods does."""
    found = planned(case(demand("metal", "civil", 10)), one(source("CN", 40)), duty(**words))
    texts = [row.text for row in found.run.assumptions if row.subject == "no duty charged"]
    assert len(texts) == listed
    assert all(text.startswith("metal: no rule in use names its tariff line, 2805") for text in texts)
    at_home = planned(case(demand("metal", "civil", 10)), one(source("US", 40)), duty(**words))
    assert not [row for row in at_home.run.assumptions if row.subject == "no duty charged"]


def test_customs_origin_is_the_last_stages_unless_the_offer_says() -> None:
    """Melted in China, sold from Australia: Chinese; stated to be Australian: not."""
    melted = (*chain("AU", "mined", "refined"), *chain("CN", "melted"))
    given = case(demand("metal", "civil", 10))
    assert charges(given, one(source("AU", 40, chain=melted)), duty()) == [100]
    assert charges(given, one(source("AU", 40, chain=melted, customs_origin="AU")), duty()) == [0]


def test_a_stated_origin_where_nothing_is_done_saves_no_duty() -> None:
    """Whole in China and said to be Korean: the Chinese duty is due, and the plan says why; a Korean one that is dearer is, too. Of inputs nothing is known."""
    given, said = case(demand("metal", "civil", 10)), source("CN", 40, customs_origin="KR")
    assert charges(given, one(said), duty()) == [100]
    assert charges(given, one(said), duty(), duty(id="kr", rate="0.5", origins=["KR"])) == [200]
    (told,) = (row.text for row in planned(given, one(said), duty()).run.assumptions if row.subject == "cn-metal")
    assert "states KR as its customs origin, where none of its stages is done: counted as of CN too" in told
    made = one(maker("CN", 7, customs_origin="JP"), source("JP", 20, "oxide"))
    assert charges(given, made, duty()) == [0, 0]


def test_a_specific_duty_is_converted() -> None:
    """2 EUR a kilogram at 1.2 are 2.4; without a rate the case is refused."""
    law = duty(rate=0, specific=2, specific_currency="EUR")
    euro = Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1))
    given = case(demand("metal", "civil", 10))
    assert charges(given, one(source("CN", 40), rates=(euro,)), law) == [24]
    with pytest.raises(InputError, match="EUR"):
        charges(given, one(source("CN", 40)), law)


def test_money_is_discounted_by_its_own_period() -> None:
    """25 % a year; the metal takes a year. Ordered in 2027 at 10, there in 2028 with a duty of 2.5 and a freight of 3.

    Price / 1.25, charges and freight / 1.25 squared; onboarding of 8 at the start, not discounted.
    """
    slow = source("CN", 10, lead_time=12, onboarding=8, onboarding_currency="USD")
    given = case(
        demand("metal", "civil", 0, 0, 100), discount="0.25", assume={"freight": 3}, stores=(store("metal", 1),)
    )
    cost = planned(given, one(slow), duty()).cost
    assert (cost.price, cost.charges, cost.freight, cost.onboarding) == (800, 160, 192, 8)
    assert (cost.total, cost.nominal) == (1160, 1000 + 250 + 300 + 8)


def test_quarters_are_discounted_by_quarters() -> None:
    """Five quarters on, (1.21)^-1.25."""
    given = case(
        demand("metal", "civil", 0, 0, 0, 0, 0, 100), length="quarter", discount="0.21", stores=(store("metal", 9),)
    )
    cost = planned(given, one(source("CN", 10))).cost
    assert float(cost.price) == pytest.approx(1000 * 1.21**-1.25)


def test_the_parts_come_to_the_total() -> None:
    """Total = price + charges + freight + onboarding + holding; objective = total + penalties + shortage."""
    given = case(
        demand("metal", "civil", 30, 45, price=300), discount="0.07", assume={"freight": 3}, stores=(store("metal", 1),)
    )
    facts = metals(cn=25, au=10, jp=0)
    cost = planned(given, facts, duty(), rule(MinShare, countries=["AU"], share="0.5", penalty=1)).cost
    parts = cost.price + cost.charges + cost.freight + cost.onboarding + cost.holding
    assert float(cost.total) == pytest.approx(float(parts), rel=1e-14)
    assert float(cost.objective) == pytest.approx(float(cost.total + cost.penalties + cost.shortage), rel=1e-14)
    assert min(cost.price, cost.charges, cost.freight, cost.shortage, cost.penalties) > 0


@pytest.mark.parametrize("per", ["year", "period"])
def test_a_budget_leaves_the_rest_short(per: str) -> None:
    """500 in every year buy 50 kg; the rest is short, for want of money."""
    given = case(demand("metal", "civil", 100, 100), stores=(store("metal", 0, limit=0),))
    found = planned(given, one(source("CN", 10)), rule(Budget, amount=500, per=per))
    assert {p.ordered: float(p.quantity_kg) for p in found.run.purchases} == {"2026": 50, "2027": 50}
    assert [(row.label, float(row.value)) for row in found.run.limits] == [("2026", 500), ("2027", 500)]


def test_a_budget_counts_charges_freight_onboarding_and_holding() -> None:
    """Over the plan 1000: 100 of onboarding, and for every kilogram 10 + 2.5 of duty + 3 of freight + 2 of holding: 900 / 17.5."""
    given = case(demand("metal", "civil", 0, 100), assume={"freight": 3}, stores=(store("metal", 2),))
    facts = one(source("CN", 10, end=date(2026, 12, 31), onboarding=100, onboarding_currency="USD"))
    found = planned(given, facts, duty(), rule(Budget, amount=1000, per="horizon"))
    assert bought(found)["cn-metal"] == pytest.approx(900 / 17.5, abs=0.001)
    assert float(found.run.limits[0].value) <= 1000.01


def test_a_budget_counts_runs_of_several_outputs() -> None:
    """10 a unit, each giving 1 kg of oxide and 2 of salt: 50 buy 5 units."""
    run = source("AU", 10, "oxide", name="au-run", outputs=lines(oxide=1, salt=2))
    given = case(demand("oxide", "civil", 20), demand("salt", "civil", 20))
    found = planned(given, one(run), rule(Budget, amount=50, per="horizon"))
    assert [float(m.units) for m in found.run.makes] == [5]
    assert bought(found) == {"au-run": 15}
    assert float(found.run.limits[0].value) == 50


def test_the_second_supplier_counts_from_its_least_share() -> None:
    """5 % of 100 unless the rule says otherwise: 95 Chinese and 5 Australian; with 20 %, 80 and 20."""
    given = case(demand("metal", "civil", 100))
    assert bought(planned(given, metals(), rule(MinSuppliers, count=2))) == {"cn-metal": 95, "au-metal": 5}
    found = planned(given, metals(), rule(MinSuppliers, count=2, least_share="20 %"))
    assert bought(found) == {"cn-metal": 80, "au-metal": 20}
    assert [float(row.value) for row in found.run.limits] == [2]


def test_one_supplier_at_most_is_counted_from_the_first_gram() -> None:
    """China makes 99.999 of 100: with one supplier alone, Australia makes all, or a gram is short."""
    given = case(demand("metal", "civil", 100, price=1000))
    found = planned(given, metals(cn=99.999), rule(MaxSuppliers, count=1))
    assert bought(found) == {"cn-metal": 99.999}  # a gram short costs 1, Australian metal 4000 more
    dear = case(demand("metal", "civil", 100, price=10_000_000))
    assert bought(planned(dear, metals(cn=99.999), rule(MaxSuppliers, count=1))) == {"au-metal": 100}


@pytest.mark.parametrize(
    ("pin", "expected"),
    [
        ({"exactly": 30}, {"jp-metal": 30, "cn-metal": 70}),
        ({"at_least": 30, "at_most": 60}, {"jp-metal": 30, "cn-metal": 70}),
        ({"offer": "cn-metal", "at_most": 60}, {"cn-metal": 60, "au-metal": 40}),
        ({"exactly": 0}, {"cn-metal": 100}),
        ({"exactly": 30, "place": "DE"}, None),
    ],
    ids=["exactly", "between", "at most", "none", "elsewhere"],
)
def test_a_pin_is_kept(pin: dict[str, Any], expected: dict[str, float] | None) -> None:
    """So much from an offer, whatever is cheaper; where it cannot be, the rules conflict."""
    found = planned(case(demand("metal", "civil", 100)), metals(), rule(Pin, **{"offer": "jp-metal", **pin}))
    if expected is None:
        assert (found.status.value, found.run.conflicts[0].rules) == ("infeasible", ["pin"])
    else:
        assert bought(found) == expected


def test_a_pin_is_about_deliveries_within_its_dates() -> None:
    """30 from Japan delivered in 2027."""
    given = case(demand("metal", "civil", 50, 50), stores=(store("metal", 0, limit=0),))
    law = rule(Pin, offer="jp-metal", exactly=30, **{"from": "2027-03-01"})
    found = planned(given, metals(), law)
    assert {(p.offer, p.delivered): float(p.quantity_kg) for p in found.run.purchases} == {
        ("cn-metal", "2026"): 50,
        ("cn-metal", "2027"): 20,
        ("jp-metal", "2027"): 30,
    }


def test_a_pin_on_what_does_not_count_is_refused() -> None:
    """A misspelt offer is suggested."""
    with pytest.raises(InputError, match="cn-metal"):
        planned(case(demand("metal", "civil", 1)), metals(), rule(Pin, offer="cn-metall", exactly=1))


def test_soft_rows_cost_what_they_say() -> None:
    """Half from Australia, or 3 a kilogram missed: 40 more for Australian metal is dearer, so 50 kg are missed at 3."""
    given = case(demand("metal", "civil", 100))
    found = planned(given, metals(), rule(MinShare, countries=["AU"], share="0.5", penalty=3))
    row = found.run.limits[0]
    assert (bought(found), float(row.missed_by), float(row.penalty)) == ({"cn-metal": 100}, 50, 150)
    assert (float(found.cost.penalties), float(found.cost.objective)) == (150, 1150)
    dear = planned(given, metals(), rule(MinShare, countries=["AU"], share="0.5", penalty=41))
    assert bought(dear) == {"cn-metal": 50, "au-metal": 50}
    assert float(dear.cost.penalties) == 0


def test_limits_are_asked_only_while_they_hold() -> None:
    """A cap that ends with 2026: one row, for that year."""
    given = case(demand("metal", "civil", 100, 100), stores=(store("metal", 0, limit=0),))
    law = rule(MaxSuppliers, count=1, phases=[{"until": "2026-12-31"}])
    found = planned(given, metals(cn=60), law)
    assert [row.label for row in found.run.limits] == ["metal 2026"]
    assert {(p.offer, p.ordered): float(p.quantity_kg) for p in found.run.purchases} == {
        ("au-metal", "2026"): 100,
        ("cn-metal", "2027"): 60,
        ("au-metal", "2027"): 40,
    }
    assert short(found) == {}


def test_what_a_purchase_costs() -> None:
    """The cost of a purchase is price, charges and freight, and nothing else."""
    given = case(demand("metal", "civil", 10), assume={"freight": 3})
    purchase = planned(given, one(source("CN", 40)), duty()).run.purchases[0]
    assert (purchase.price, purchase.charges, purchase.freight, purchase.cost) == (400, 100, 30, 530)
    assert purchase.share_of_demand == 1
