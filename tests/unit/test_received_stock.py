"""Stock with the offer that it was bought from: every rule judges it as it judges an order of that offer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from friendshore.domain.case import OrderSpec, StockSpec
from friendshore.domain.facts import Offer
from friendshore.domain.held import RunHolding
from friendshore.errors import InputError
from friendshore.rules.kinds.exclude import Exclude

from .building import GUESS, METAL, ban, case, chain, demand, lines, maker, metals, offer, planned, rule, source

ORDERED = date(2025, 6, 1)


def received(of: str, quantity: int = 8, **more: Any) -> StockSpec:
    """Metal of an offer that has arrived."""
    return StockSpec.model_validate(
        {"id": "lot", "material": "metal", "offer": of, "quantity": quantity, "acquired": ORDERED, **more}
    )


def on_order(of: str, quantity: int = 8) -> OrderSpec:
    """The same metal, arriving on the first day of the plan."""
    return OrderSpec.model_validate(
        {"id": "lot", "offer": of, "quantity": quantity, "ordered": ORDERED, "arrives": date(2026, 1, 1)}
    )


def holding(offers: list[Offer], rules: list[Any], **lots: Any) -> RunHolding:
    """What a plan says of the lot, where defense wants 5 kg a year."""
    return planned(case(demand("metal", "defense", 5, 5), **lots), metals(*offers), *rules).run.holdings[0]


def guessed(country: str) -> tuple[Any, ...]:
    """A chain that rests on a guess."""
    return tuple(one.but(source=GUESS) for one in chain(country, *METAL))


OFFERS = {
    "proved, lawful": source("AU", 50, name="of"),
    "proved, barred": source("CN", 10, name="of"),
    "origin unknown": offer("of", "au", "metal", 50, chain("?", *METAL)),
    "origin guessed": offer("of", "au", "metal", 50, guessed("AU")),
    "a stage is missing": offer("of", "au", "metal", 50, chain("AU", "mined", "refined")),
    "of inputs": maker("JP", 80).but(id="of", inputs=lines(oxide=2)),
}


@pytest.mark.parametrize("name", OFFERS)
def test_it_is_judged_as_an_order_of_the_offer(name: str) -> None:
    """Verdicts and reasons on received stock are those on the order: nothing unknown becomes known by arriving."""
    rules = [ban("melted"), ban("mined", id="mined")]
    stock, order = (
        holding([OFFERS[name]], rules, **lots) for lots in ({"stocks": [received("of")]}, {"orders": [on_order("of")]})
    )
    assert (stock.kind, order.kind, stock.offer) == ("stock", "order", "of")
    assert [(use.verdict, [(bar.rule, bar.unproven, bar.reason) for bar in use.bars]) for use in stock.uses] == [
        (use.verdict, [(bar.rule, bar.unproven, bar.reason) for bar in use.bars]) for use in order.uses
    ]


def test_a_chain_that_rests_on_a_guess_stays_unproven() -> None:
    """The case accepts no guesses, whether the metal is still to come or has arrived."""
    lot = holding([OFFERS["origin guessed"]], [ban("melted")], stocks=[received("of")])
    assert lot.uses[0].periods == ["2026"]
    assert [(bar.rule, bar.unproven, bar.start) for bar in lot.uses[0].bars] == [("ban", True, date(2027, 1, 1))]


def test_a_supplier_that_is_excluded_stays_excluded() -> None:
    """Metal of a company that defense may not buy from doesn't become usable by arriving."""
    lots = ({"stocks": [received("of")]}, {"orders": [on_order("of")]})
    found = [
        holding([OFFERS["proved, lawful"]], [rule(Exclude, facilities=["au"], id="listed")], **one) for one in lots
    ]
    assert [[use.verdict for use in one.uses] for one in found] == [["barred"], ["barred"]]


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        pytest.param({"offer": "nowhere"}, "nowhere", id="no such offer"),
        pytest.param({"offer": "au-metal", "material": "oxide"}, "au-metal", id="not what it delivers"),
    ],
)
def test_an_offer_that_cannot_be_meant_is_refused(stated: dict[str, str], found: str) -> None:
    """A stock of an unknown offer, or of a material that the offer doesn't deliver."""
    with pytest.raises(InputError) as refused:
        planned(case(demand("metal", "civil", 5), stocks=[received(of=stated.pop("offer"), **stated)]), metals())
    assert [(one.column, one.found) for one in refused.value.problems] == [("stock.offer", found)]


def test_one_chain_for_one_stock() -> None:
    """The chain of the offer, or another one, but not both."""
    with pytest.raises(ValueError, match="are both given"):
        received("au-metal", chain=chain("AU", *METAL))
