"""What a kilogram costs beside its price: duties by days and origin, freight, discount; and what limits make of money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, ChainEntry
from friendshore.domain.market import Rate
from friendshore.errors import InputError
from friendshore.questions.alternatives.alternatives_document import alternatives_document
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.questions.why_not.why_not_document import why_not_document
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MaxSuppliers, MinShare, MinSuppliers, Pin
from friendshore.rules.kinds.trade import Tariff

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
    opened,
    ordered,
    planned,
    rule,
    source,
    store,
    told,
    unstored,
    unwrapped,
)


def duty(**more: Any) -> Rule:
    """A quarter of the value of Chinese goods that enter the United States."""
    return rule(Tariff, **{"id": "duty", "rate": "0.25", "origins": ["CN"], **more})


TEN = case(demand("metal", "civil", 10))
CHINESE = catalog(source("CN", 40))
FROM_JULY = [{"from": "2026-07-01"}]
MELTED_IN_CHINA = (*chain("AU", "mined", "refined"), *chain("CN", "melted"))
SAID_KOREAN = catalog(source("CN", 40, customs_origin="KR"))
EURO = Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1))
IN_EURO = duty(rate=0, specific=2, specific_currency="EUR")


@pytest.mark.parametrize(
    ("facts", "rules", "charges"),
    [
        pytest.param(CHINESE, [duty()], [100], id="a quarter of 40 on 10 kg"),
        pytest.param(CHINESE, [duty(phases=FROM_JULY)], [100 * 184 / 365], id="from 1 July on"),
        pytest.param(CHINESE, [duty(phases=FROM_JULY), duty(id="more", rate="0.1")], [100 * 184 / 365 + 40], id="two add up"),
        *(pytest.param(CHINESE, [duty(phases=[{"status": status}])], [0], id=status) for status in ("suspended", "pending", "unknown")),
        pytest.param(catalog(source("AU", 40, chain=MELTED_IN_CHINA)), [duty()], [100], id="of the country of the last stage"),
        pytest.param(catalog(source("AU", 40, chain=MELTED_IN_CHINA, customs_origin="AU")), [duty()], [0], id="unless the offer says"),
        pytest.param(SAID_KOREAN, [duty()], [100], id="of no country where nothing is done"),
        pytest.param(SAID_KOREAN, [duty(), duty(id="kr", rate="0.5", origins=["KR"])], [200], id="unless that is dearer"),
        pytest.param(catalog(maker("CN", 7, customs_origin="JP"), source("JP", 20, "oxide")), [duty()], [0, 0],
            id="where the input may have been mined"),
        pytest.param(CHINESE.but(rates=(EURO,)), [IN_EURO], [24], id="2 EUR a kilogram at 1.2"),
    ],
)  # fmt: skip
def test_duties(facts: Catalog, rules: list[Rule], charges: list[float]) -> None:
    """By days, status, customs origin and currency."""
    assert [float(p.charges) for p in planned(TEN, facts, *rules).run.purchases] == pytest.approx(charges)


def test_an_unknown_duty_is_paid_if_strict() -> None:
    """It may be in force."""
    assert float(planned(TEN, CHINESE, duty(phases=[{"status": "unknown"}]), strict=True).cost.charges) == 100


def test_a_duty_without_a_rate_is_refused() -> None:
    """Nothing tells what it comes to."""
    with pytest.raises(InputError, match="EUR"):
        planned(TEN, CHINESE, IN_EURO)


@pytest.mark.parametrize(
    ("countries", "complete", "charged"), [({"KR"}, False, 120), (set(), False, 120), ({"KR"}, True, 0)]
)
def test_an_unknown_country_pays_the_most_that_any_pays(countries: set[str], complete: bool, charged: float) -> None:
    """Melted in Korea or elsewhere, or nobody says where: charged like Chinese metal, 25% of 40, and marked. Korea itself is free."""
    melted = ChainEntry(stage="melted", source=SOURCE, countries=countries, complete=complete)
    facts = catalog(source("AU", 40, chain=(*chain("AU", "mined", "refined"), melted)))
    rules = [
        duty(), duty(id="jp", rate="0.1", origins=["JP"]), duty(id="most", rate="0.05", origins=[], except_origins=["KR"]),
    ]  # fmt: skip
    found = planned(TEN, facts, *rules)
    assert [float(p.charges) for p in found.run.purchases] == [charged]
    assert told(found, "highest duty charged").startswith("au-metal: its customs origin" if charged else "")
    assert bool(told(found, "highest duty charged")) is bool(charged)


@pytest.mark.parametrize("stages", [(), ("mined",)], ids=["no stage", "the last stage missing"])
def test_an_offer_that_omits_its_last_stage_is_of_unknown_origin(stages: tuple[str, ...]) -> None:
    """Its seller is in Korea, and so may be its mine. It pays no less than Chinese metal, until the offer states its customs origin."""
    found = planned(TEN, catalog(source("KR", 40, chain=chain("KR", *stages) if stages else ())), duty())
    assert [float(p.charges) for p in found.run.purchases] == [100]
    assert told(found, "highest duty charged").startswith("kr-metal: its customs origin")
    assert "state `customs_origin`" in told(found, "highest duty charged")
    assert found.run.duty_estimated == {"kr-metal"}
    stated = catalog(source("KR", 40, chain=(), customs_origin="KR"))
    assert [float(p.charges) for p in planned(TEN, stated, duty()).run.purchases] == [0]


@pytest.mark.parametrize(
    "rules",
    [[duty(materials=["salt"])], [duty(rate=0)], [duty(origins=[])], [duty(phases=[{"status": "suspended"}])]],
    ids=["other goods", "free", "the same for all", "suspended"],
)
def test_a_duty_that_depends_on_no_origin_is_not_estimated(rules: list[Rule]) -> None:
    """The origin is unknown, but it changes no charge."""
    assert not planned(TEN, catalog(source("KR", 40, chain=())), *rules).run.duty_estimated


def test_alternatives_and_why_not_tell_an_estimated_duty() -> None:
    """Beside the price, and with what settles it."""
    session = opened(TEN, metals(source("KR", 60, chain=()), facility("kr", "KR")), duty())
    others, answer = alternatives(session), why_not(session, "kr-metal")
    assert [offer.offer for offer in others.offers if offer.estimated_duty] == ["kr-metal"]
    for document, price in ((alternatives_document(others), "75, duty estimated"), (why_not_document(answer), "")):
        words = unwrapped(document)
        assert price in words
        assert "duty estimated: kr-metal: its customs origin is not known" in words
        assert "state customs_origin of the offer" in words


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ({"hs": ["8110"]}, True), ({"forms": ["metal"]}, True), ({"hs": ["2617"], "also": [{"elements": ["Dy"]}]}, True),
        ({"hs": ["28.05"]}, False), ({"materials": ["metal"]}, False), ({}, False),
    ],
)  # fmt: skip
def test_goods_without_a_duty_of_their_own_are_listed(words: dict[str, Any], listed: bool) -> None:
    """A rule about another line, a form or the element states no duty of a line that it lacks; one about the goods or about all goods does."""
    said = told(planned(TEN, CHINESE, duty(**words)), "no duty charged")
    assert said.startswith("metal: no rule in use names its tariff line, 2805" if listed else "")
    assert bool(said) is listed
    assert not told(planned(TEN, catalog(source("US", 40)), duty(**words)), "no duty charged")


def test_a_stated_origin_where_nothing_is_done_is_told() -> None:
    """Whole in China and said to be Korean."""
    said = told(planned(TEN, SAID_KOREAN, duty()), "cn-metal")
    assert (
        "states KR as its customs origin, where none of its stages takes place, so CN counts as an origin too" in said
    )


def test_money_is_discounted_by_its_own_period() -> None:
    """25% a year; ordered in 2027 at 10: price / 1.25; there in 2028 with a duty of 2.5 and a freight of 3: / 1.25 squared; onboarding is due at once."""
    slow = source("CN", 10, lead_time=12, onboarding=8, onboarding_currency="USD")
    stores = (store("metal", 1),)
    given = case(demand("metal", "civil", 0, 0, 100), discount="0.25", assume={"freight": 3}, stores=stores)
    cost = planned(given, catalog(slow), duty()).cost
    assert (cost.price, cost.charges, cost.freight, cost.onboarding) == (800, 160, 192, 8)
    assert (cost.total, cost.nominal) == (1160, 1000 + 250 + 300 + 8)


def test_quarters_are_discounted_by_quarters() -> None:
    """Five quarters on, (1.21)^-1.25."""
    wanted = demand("metal", "civil", 0, 0, 0, 0, 0, 100)
    given = case(wanted, length="quarter", discount="0.21", stores=(store("metal", 9),))
    assert float(planned(given, catalog(source("CN", 10))).cost.price) == pytest.approx(1000 * 1.21**-1.25)


def test_the_parts_come_to_the_total() -> None:
    """Total = price + charges + freight + onboarding + holding; objective = total + penalties + shortage."""
    wanted = demand("metal", "civil", 30, 45, price=300)
    given = case(wanted, discount="0.07", assume={"freight": 3}, stores=(store("metal", 1),))
    floor = rule(MinShare, countries=["AU"], share="0.5", penalty=1)
    cost = planned(given, metals(cn=25, au=10, jp=0), duty(), floor).cost
    parts = cost.price + cost.charges + cost.freight + cost.onboarding + cost.holding
    assert float(cost.total) == pytest.approx(float(parts), rel=1e-14)
    assert float(cost.objective) == pytest.approx(float(cost.total + cost.penalties + cost.shortage), rel=1e-14)
    assert min(cost.price, cost.charges, cost.freight, cost.shortage, cost.penalties) > 0


@pytest.mark.parametrize("per", ["year", "period"])
def test_a_budget_leaves_the_rest_short(per: str) -> None:
    """500 in every year buy 50 kg; the rest is short, for want of money."""
    found = planned(unstored(100, 100), catalog(source("CN", 10)), rule(Budget, amount=500, per=per))
    assert ordered(found) == {("cn-metal", "2026"): 50, ("cn-metal", "2027"): 50}
    assert [(row.label, float(row.value)) for row in found.run.limits] == [("2026", 500), ("2027", 500)]


def test_a_budget_counts_charges_freight_onboarding_and_holding() -> None:
    """Over the plan 1000: 100 of onboarding, and for every kilogram 10 + 2.5 of duty + 3 of freight + 2 of holding: 900 / 17.5."""
    given = case(demand("metal", "civil", 0, 100), assume={"freight": 3}, stores=(store("metal", 2),))
    facts = catalog(source("CN", 10, end=date(2026, 12, 31), onboarding=100, onboarding_currency="USD"))
    found = planned(given, facts, duty(), rule(Budget, amount=1000, per="horizon"))
    assert bought(found)["cn-metal"] == pytest.approx(900 / 17.5, abs=0.001)
    assert float(found.run.limits[0].value) <= 1000.01


def test_a_budget_counts_runs_of_several_outputs() -> None:
    """10 a unit, each giving 1 kg of oxide and 2 of salt: 50 buy 5 units."""
    run = source("AU", 10, "oxide", name="au-run", outputs=lines(oxide=1, salt=2))
    given = case(demand("oxide", "civil", 20), demand("salt", "civil", 20))
    found = planned(given, catalog(run), rule(Budget, amount=50, per="horizon"))
    assert (bought(found), [float(m.units) for m in found.run.makes]) == ({"au-run": 15}, [5])
    assert float(found.run.limits[0].value) == 50


def hundred(price: float = 1000) -> Case:
    """100 kg of metal, with a price of a shortage."""
    return case(demand("metal", "civil", 100, price=price))


def pin(**more: Any) -> Rule:
    """A pin on the Japanese offer."""
    return rule(Pin, **{"offer": "jp-metal", **more})


@pytest.mark.parametrize(
    ("given", "facts", "limit", "kilograms"),
    [
        pytest.param(hundred(), metals(), rule(MinSuppliers, count=2), {"cn-metal": 95, "au-metal": 5}, id="a second supplier gives 5%"),
        pytest.param(hundred(), metals(), rule(MinSuppliers, count=2, least_share="20%"), {"cn-metal": 80, "au-metal": 20},
            id="or what the rule says"),
        # A gram short costs 1, Australian metal 4,000 more.
        pytest.param(hundred(), metals(cn=99.999), rule(MaxSuppliers, count=1), {"cn-metal": 99.999}, id="one supplier leaves a gram short"),
        pytest.param(hundred(10_000_000), metals(cn=99.999), rule(MaxSuppliers, count=1), {"au-metal": 100}, id="or a dearer one gives all"),
        pytest.param(hundred(), metals(), pin(exactly=30), {"jp-metal": 30, "cn-metal": 70}, id="pin: exactly"),
        pytest.param(hundred(), metals(), pin(at_least=30, at_most=60), {"jp-metal": 30, "cn-metal": 70}, id="pin: between"),
        pytest.param(hundred(), metals(), pin(offer="cn-metal", at_most=60), {"cn-metal": 60, "au-metal": 40}, id="pin: at most"),
        pytest.param(hundred(), metals(), pin(exactly=0), {"cn-metal": 100}, id="pin: none"),
    ],
)  # fmt: skip
def test_what_is_bought_under_a_limit(given: Case, facts: Catalog, limit: Rule, kilograms: dict[str, float]) -> None:
    """Chinese metal at 10 and Australian at 50, whatever is cheaper."""
    assert bought(planned(given, facts, limit)) == kilograms


def test_a_pin_that_cannot_be_kept_is_a_conflict() -> None:
    """Nothing goes to Germany."""
    found = planned(hundred(), metals(), pin(exactly=30, place="DE"))
    assert (found.status.value, found.run.conflicts[0].rules) == ("infeasible", ["pin"])


def test_a_pin_is_about_deliveries_within_its_dates() -> None:
    """30 from Japan delivered in 2027."""
    found = planned(unstored(50, 50), metals(), pin(exactly=30, **{"from": "2027-03-01"}))
    assert ordered(found) == {("cn-metal", "2026"): 50, ("cn-metal", "2027"): 20, ("jp-metal", "2027"): 30}


def test_a_pin_on_what_does_not_count_is_refused() -> None:
    """A misspelt offer is suggested."""
    with pytest.raises(InputError, match="cn-metal"):
        planned(TEN, metals(), pin(offer="cn-metall", exactly=1))


@pytest.mark.parametrize(
    ("penalty", "kilograms", "missed"), [(3, {"cn-metal": 100}, 50), (41, {"cn-metal": 50, "au-metal": 50}, 0)]
)
def test_soft_rows_cost_what_they_say(penalty: float, kilograms: dict[str, float], missed: float) -> None:
    """Half from Australia, for 40 a kilogram more, or the penalty for each that is missed."""
    found = planned(hundred(), metals(), rule(MinShare, countries=["AU"], share="0.5", penalty=penalty))
    (row,) = found.run.limits
    assert (bought(found), float(row.missed_by)) == (kilograms, missed)
    assert float(row.penalty) == float(found.cost.penalties) == penalty * missed
    assert found.cost.objective == found.cost.total + found.cost.penalties


def test_limits_are_asked_only_while_they_hold() -> None:
    """A cap that ends with 2026: one row, for that year."""
    found = planned(unstored(100, 100), metals(cn=60), rule(MaxSuppliers, count=1, phases=[{"until": "2026-12-31"}]))
    assert [row.label for row in found.run.limits] == ["metal 2026"]
    assert ordered(found) == {("au-metal", "2026"): 100, ("cn-metal", "2027"): 60, ("au-metal", "2027"): 40}


def test_what_a_purchase_costs() -> None:
    """The cost of a purchase is price, charges and freight, and nothing else."""
    (found,) = planned(case(demand("metal", "civil", 10), assume={"freight": 3}), CHINESE, duty()).run.purchases
    assert (found.price, found.charges, found.freight, found.cost) == (400, 100, 30, 530)
    assert found.share_of_demand == 1
