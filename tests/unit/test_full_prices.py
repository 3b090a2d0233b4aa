"""Full prices and cash of small plans that can be worked out by hand, and how every surface shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.elements import Document
from friendshore.document.markdown import markdown
from friendshore.document.terminal import plain_text
from friendshore.domain.facts import Offer
from friendshore.domain.run import Run, RunPurchase
from friendshore.explain.full_prices import OfferPrice, OfferPrices, trace_cash
from friendshore.questions.alternatives.alternatives_document import alternatives_document
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.questions.why_not.why_not_document import why_not_document
from friendshore.report import page_document, plan_document
from friendshore.rules.kinds import Tariff
from friendshore.rules.kinds.limits import Budget
from friendshore.session import Session
from friendshore_pages.report import report_document

from ..building import (
    METAL,
    ban,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    maker,
    offer,
    opened,
    planned,
    rule,
    source,
    stock,
    store,
)

OXIDE = source("AU", 10, "oxide")
TIGHT = (store("metal", 0, limit=0), store("oxide", 0, limit=0))


def by_offer(run: Run) -> dict[str, RunPurchase]:
    """The purchases of a run with one purchase an offer."""
    return {one.offer: one for one in run.purchases}


def shown(document: Document, width: int = 110) -> str:
    """A document in one line."""
    return " ".join(plain_text(document, width).split())


def price_of(session: Session, name: str = "jp-melt") -> OfferPrice | None:
    """What an offer of metal comes to, with its inputs."""
    return OfferPrices(session.verified).of(name, "metal")


def melted(*demands: Any, fee: float = 5, **more: Any) -> Run:
    """A plan of Japanese metal, of which a kilogram takes 2 kg of Australian oxide at 10."""
    return planned(case(*demands, stores=TIGHT, **more), catalog(OXIDE, maker("JP", fee))).run


def test_a_made_kilogram_costs_its_fee_and_its_inputs() -> None:
    """A fee of 5 and 2 kg of oxide at 10 are 25, and the 4 kg that are delivered cost 100."""
    run = melted(demand("metal", "civil", 4))
    made, oxide = by_offer(run)["jp-melt"], by_offer(run)["au-oxide"]
    assert (made.cost, made.inputs_cost, made.full_price_per_kg, oxide.full_price_per_kg) == (20, 80, 25, 10)
    assert ([one.cash for one in run.demands], run.cost.nominal) == ([100], 100)


@pytest.mark.parametrize(
    ("assume", "inputs", "expected"), [({}, {"oxide": 2, "salt": 3}, 5 + 2 * 10 + 3 * 4), ({"freight": 1}, {"oxide": 2}, 5 + 1 + 2 * 11)]
)  # fmt: skip
def test_every_input_and_its_freight_count(assume: dict[str, Any], inputs: dict[str, float], expected: float) -> None:
    """Oxide costs 10 in Australia, and salt 4."""
    facts = catalog(OXIDE, source("AU", 4, "salt"), maker("JP", 5, inputs=lines(**inputs)))
    run = planned(case(demand("metal", "civil", 4), stores=TIGHT, assume=assume), facts).run
    assert by_offer(run)["jp-melt"].full_price_per_kg == expected


def taxed(*demands: Any, rate: str = "0.07", made: Offer | None = None, **more: Any) -> Run:
    """The same with a duty on what enters the United States in 2026."""
    duty = rule(Tariff, rate=rate, phases=[{"until": "2026-12-31"}])
    return planned(case(*demands, stores=TIGHT, **more), catalog(OXIDE, made or maker("JP", 5)), duty).run


def test_duty_that_leaves_out_the_inputs_is_listed_with_its_amount() -> None:
    """Duty is 7% of the fee of 5. Customs adds 2 kg of oxide at 10: 7% of 80 are 5.60 more on 4 kg, more than a thousandth of all cash."""
    run = taxed(demand("metal", "civil", 4))
    made = by_offer(run)["jp-melt"]
    assert (made.charges, made.duty_on_inputs) == (Decimal("1.4"), Decimal("5.6"))
    assert made.full_price_per_kg == Decimal("25.35")
    assert by_offer(run)["au-oxide"].duty_on_inputs == 0
    (listed,) = [one.text for one in run.assumptions if one.subject == "duty on the fee alone"]
    assert all(part in listed for part in ("jp-melt: ", "80 USD", "6 USD higher"))
    for document in (plan_document(run), page_document(run), plan_document(run).on_screen()):
        assert "Duty on the fee alone" in shown(document)
        assert "25.35*" in shown(document)


def test_duty_on_inputs_counts_freight_to_the_maker_and_the_part_of_the_period() -> None:
    """At 1 a kilogram of freight the oxide is worth 22: 7% of 88 in 2026, and nothing of what arrives in 2027, when the duty is over."""
    run = taxed(demand("metal", "civil", 4, 4), assume={"freight": 1})
    due = {one.ordered: one.duty_on_inputs for one in run.purchases if one.offer == "jp-melt"}
    assert due == {"2026": Decimal("6.16"), "2027": 0}


def test_little_duty_on_inputs_is_not_on_the_first_screen() -> None:
    """A duty of 0.1% on 80 of inputs is 0.08 of a plan of 100: it is listed with all tables alone."""
    run = taxed(demand("metal", "civil", 4), rate="0.001")
    assert by_offer(run)["jp-melt"].duty_on_inputs == Decimal("0.08")
    assert "Duty on the fee" not in shown(plan_document(run).on_screen())
    assert "Duty on the fee alone" in shown(plan_document(run))


@pytest.mark.parametrize("made", [maker("US", 5), source("JP", 5)], ids=["made within", "bought ready"])
def test_what_crosses_no_border_and_what_is_bought_ready_leaves_out_no_duty(made: Offer) -> None:
    """A maker within the territory, and metal that is bought ready."""
    assert {one.duty_on_inputs for one in taxed(demand("metal", "civil", 4), made=made).purchases} == {0}


def test_inputs_from_stock_carry_no_cash() -> None:
    """Of 8 kg of oxide 6 are in stock: the other 2 cost 20, which is 5 for each of 4 kg of metal."""
    held = stock("oxide", 6, place="JP", links=chain("AU", "mined", "refined"))
    run = melted(demand("metal", "civil", 4), stocks=(held,))
    assert by_offer(run)["jp-melt"].full_price_per_kg == 10
    assert "Stock and open orders: 1 of 1 lot used, not in full prices" in shown(plan_document(run).on_screen())
    assert "Full prices exclude inputs in stock or on order: oxide 6 kg" in shown(plan_document(run))


def test_goods_of_one_maker_share_its_inputs_by_the_kilogram() -> None:
    """10 kg of metal and 10 kg of salt are made of 20 kg of oxide at 10: each kilogram carries 10, and half of the fee of 8."""
    both = offer("both", "jp", "metal", 8, chain("JP", *METAL), inputs=lines(oxide=2), outputs=lines(metal=1, salt=1))
    wanted = (demand("metal", "civil", 10), demand("salt", "civil", 10))
    run = planned(case(*wanted, stores=TIGHT), catalog(OXIDE, both)).run
    prices = {one.material: one.full_price_per_kg for one in run.purchases if one.offer == "both"}
    assert prices == {"metal": 14, "salt": 14}
    assert [one.cash for one in run.demands] == [140, 140]


def test_what_belongs_to_no_purchase_stays_apart() -> None:
    """Onboarding of 7 is a line of its own: prices do not hold it, and all lines add up to the cash."""
    facts = catalog(OXIDE, maker("JP", 5, onboarding=7, onboarding_currency="USD"))
    found = planned(case(demand("metal", "civil", 4), stores=TIGHT), facts)
    assert by_offer(found.run)["jp-melt"].full_price_per_kg == 25
    assert {(one.purpose, one.place): one.amount for one in found.run.cash} == {
        ("use", "US"): 100,
        ("onboarding", ""): 7,
    }
    assert trace_cash(found.plan).total == found.cost.nominal == 107


def test_cash_goes_to_the_site_and_the_period_of_the_order() -> None:
    """10 kg for one site this year, and 20 kg for another in the next."""
    wanted = (demand("metal", "civil", 10, 0, place="AU"), demand("metal", "defense", 0, 20))
    found = planned(case(*wanted, stores=TIGHT), catalog(source("AU", 3))).run
    assert [(one.period, one.place, one.amount) for one in found.cash] == [("2026", "AU", 30), ("2027", "US", 60)]


def test_a_budget_is_shown_with_what_is_left_of_it() -> None:
    """Of 50 a year 30 are spent in 2026, and all in 2027, when 60 would be needed."""
    given = case(demand("metal", "civil", 10, 20, price=100), stores=TIGHT)
    found = planned(given, catalog(source("AU", 3)), rule(Budget, amount=50, id="year")).run
    spent = "By year of order: 2026 30, 2027 50; budget year of USD 50 used up in 2027"
    assert spent in shown(plan_document(found).on_screen())
    table = plain_text(plan_document(found), 110).splitlines()
    rows = [" ".join(line.split()[2:]) for line in table if line.startswith("budget year: ")]
    assert rows == ["counted 30 50 –", "limit 50 50 –", "left 20 – –"]


def test_money_leads_with_cash_and_keeps_penalties_apart() -> None:
    """The headline is cash; a penalty is in no table of money, and rounded in a sentence of its own."""
    given = case(demand("metal", "civil", 10, 123456, price=100), stores=TIGHT, discount=Decimal("0.1"))
    found = planned(given, catalog(facility("cn", "CN", 10), source("CN", 3))).run
    assert found.cost.nominal == 60
    whole = plain_text(plan_document(found), 110)
    assert "costs USD 60" in whole
    assert f"{found.cost.shortage:,.0f}" not in whole
    section = whole.split("\nCost\n")[1].split("\n\n")[0]
    assert "shortage" not in section.split("Penalties")[0]
    assert all(line in section for line in ("Cash, USD", "Present value, USD"))
    said = "Penalties, which are not paid: about USD 11.2 million for shortage (present value)"
    assert said in " ".join(section.split())


def test_averages_are_of_full_prices() -> None:
    """3 kg made at 25 and 7 kg of Australian metal at 50 are 42.5 on average on every surface; at the fee of 5 it would be 36.5."""
    facts = catalog(OXIDE, maker("JP", 5, max_per_year=3), source("AU", 50))
    run = planned(case(demand("metal", "civil", 10), stores=TIGHT), facts).run
    for document in (plan_document(run).on_screen(), plan_document(run)):
        assert "42.5" in shown(document, 160)
        assert "36.5" not in shown(document, 160)
    for document in (page_document(run), report_document(run)):
        assert "| 25 | 5 |" in markdown(document)


@pytest.mark.parametrize(("ready", "how"), [(30, "traced"), (12, "marginal")])
def test_an_offer_that_is_bought_has_a_traced_price_and_another_a_marginal_one(ready: float, how: str) -> None:
    """Metal melted for 5 from 2 kg of oxide at 10 is bought beside metal at 30, and not beside metal at 12."""
    given, facts = case(demand("metal", "civil", 10), stores=TIGHT), catalog(source("CN", ready), OXIDE, maker("JP", 5))
    price = price_of(opened(given, facts))
    assert (price.how, price.own, price.inputs, price.full_price) == (how, 5, 20, 25)
    assert (price.ordered == "2026") is (how == "marginal")


@pytest.mark.parametrize(("oxides", "inputs"), [([OXIDE], 20), ([], None)])
def test_a_marginal_price_counts_only_admissible_inputs(oxides: list[Offer], inputs: int | None) -> None:
    """Oxide at 4 is of China, which defense may not use: the other at 10 counts, and without it there is no price."""
    facts = catalog(source("AU", 12), maker("JP", 5), source("CN", 4, "oxide"), *oxides)
    price = price_of(opened(case(demand("metal", "defense", 10), stores=TIGHT), facts, ban("mined", start=None)))
    assert (price and (price.how, price.inputs, price.full_price)) == (inputs and ("marginal", inputs, inputs + 5))


@pytest.mark.parametrize(("limit", "expected"), [(None, 25), (0, None)])
def test_inputs_may_be_stored_before_they_are_needed(limit: float | None, expected: int | None) -> None:
    """Oxide at 10 is sold in 2026 alone, and metal can be made of it in 2027 where it is stored."""
    early = source("AU", 10, "oxide", start="2026-01-01", end="2026-12-31")
    facts = catalog(early, maker("JP", 5, start="2027-01-01"), source("CN", 1))
    stores = (store("oxide", 0, place="JP", limit=limit), store("metal", 0, limit=0))
    price = price_of(opened(case(demand("metal", "civil", 10, 10), stores=stores), facts))
    assert (price and price.full_price) == expected


def test_alternatives_and_why_not_call_a_maker_s_price_a_fee() -> None:
    """China at 12 is bought; Japan's break-even is far below its fee of 5, and its marginal full price is 25."""
    given = case(demand("metal", "civil", 10), demand("oxide", "civil", 1), stores=TIGHT)
    session = opened(given, catalog(source("CN", 24), OXIDE, maker("JP", 5)))
    found = alternatives(session)
    melt = next(one for one in found.offers if one.offer == "jp-melt")
    assert (melt.full_price.how, melt.full_price.full_price) == ("marginal", 25)
    whole = shown(alternatives_document(found), 140)
    assert "Below a fee of USD 4, every cheapest plan buys it. Current fee: 5, with inputs 25 marginal" in whole
    assert "metal jp-melt Japan nothing +0.5 fee 4 fee 5 25 marginal" in shown(
        alternatives_document(found).on_screen(), 140
    )
    asked = shown(why_not_document(why_not(session, "jp-melt")), 140)
    full = "its full price is USD 25/kg (marginal, ordered in 2026): a fee of 5 with duty and freight, and 20 for inputs (oxide)"
    assert all(part in asked for part in (full, "below a fee of USD 4/kg", "20% below today's fee"))
