"""Stock with the offer that it was bought from: every rule judges it as it judges an order of that offer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from friendshore.domain.case import OrderSpec, StockSpec
from friendshore.domain.facts import Catalog, ChainEntry, Offer
from friendshore.domain.held import RunHolding
from friendshore.errors import InputError
from friendshore.rules.kinds.exclude import Exclude

from ..building import (
    GUESS,
    METAL,
    SOURCE,
    ban,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    maker,
    metals,
    offer,
    planned,
    rule,
    source,
)  # fmt: skip

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


# ------------------------------------------------------------------------------------------------- goods made from inputs

CONFIRMED = {"confirmed_by": "AB-17", "confirmed_on": date(2025, 6, 2)}
BANS = [ban("mined", id="mined"), ban("refined", id="refined"), ban("melted", id="melted")]


def made(inputs: Sequence[str], kind: str = "order", **more: Any) -> dict[str, Any]:
    """An order of metal that is melted in Japan, or the same received: its supplier confirms the inputs."""
    confirmed = {"inputs": inputs, **CONFIRMED} if inputs else {}
    if kind == "stock":
        return {"stocks": [received("jp-melt", **confirmed)], **more}
    return {"orders": [on_order("jp-melt").but(**confirmed)], **more}


def smelters(*oxides: Offer) -> Catalog:
    """The Japanese plant, and what delivers oxide."""
    return catalog(facility("jp", "JP"), facility("au", "AU"), facility("cn", "CN"), maker("JP", 80), *oxides)


def holding_in(facts: Catalog, rules: list[Any], **more: Any) -> RunHolding:
    """What a plan says of the lot."""
    accept = more.pop("accept", {})
    return planned(case(demand("metal", "defense", 5, 5), accept=accept, **more), facts, *rules).run.holdings[0]


def usable_in(facts: Catalog, rules: list[Any], **more: Any) -> bool:
    """Return True if no rule keeps the lot from defense on any day; the bans begin in 2027."""
    (use,) = holding_in(facts, rules, **more).uses
    return not use.bars


@pytest.mark.parametrize("kind", ["order", "stock"])
@pytest.mark.parametrize(
    ("oxide", "usable"),
    [
        pytest.param(source("AU", 1, "oxide"), True, id="lawful"),
        pytest.param(source("CN", 1, "oxide").but(id="au-oxide"), False, id="barred"),
        pytest.param(offer("au-oxide", "au", "oxide", 1, chain("?", "mined", "refined")), False, id="unknown"),
        pytest.param(offer("au-oxide", "au", "oxide", 1, chain("AU", "mined")), False, id="a stage is missing"),
    ],
)
def test_confirmed_inputs_prove_what_their_offers_prove(oxide: Offer, usable: bool, kind: str) -> None:
    """No more, and no less; without a confirmation nothing."""
    facts = smelters(oxide)
    assert usable_in(facts, BANS, **made(["au-oxide"], kind)) == usable
    (use,) = holding_in(facts, BANS, **made([], kind)).uses
    assert {bar.unproven for bar in use.bars} == {True}
    assert all(f"`confirmed_on` of the [[{kind}]]" in bar.heals for bar in use.bars)


@pytest.mark.parametrize("kind", ["order", "stock"])
def test_inputs_that_nobody_confirmed_prove_nothing_and_count_against(kind: str) -> None:
    """Planned inputs without a document: lawful ones leave it unproven, and a ban that asks for no proof finds the barred ones."""
    unsigned = {"confirmed_by": "", "confirmed_on": None}
    facts = smelters(source("AU", 1, "oxide"), source("CN", 1, "oxide"))
    lawful, barred = (made([name], kind) for name in ("au-oxide", "cn-oxide"))
    lawful, barred = (
        {key: [one.but(**unsigned) for one in lots] for key, lots in each.items()} for each in (lawful, barred)
    )
    (use,) = holding_in(facts, BANS, **lawful).uses
    assert {bar.unproven for bar in use.bars} == {True}
    unasked = [ban("mined", id="unasked", asks_proof=False)]
    assert usable_in(facts, unasked, **lawful)
    (use,) = holding_in(facts, unasked, **barred).uses
    assert [(bar.unproven, bar.countries) for bar in use.bars] == [(False, ["CN"])]


def test_a_step_of_one_input_answers_for_no_other() -> None:
    """Oxide that is refined, and oxide that is only calcined: together they aren't refined."""
    refined, calcined = chain("AU", "mined", "refining"), chain("AU", "mined", "calcination")
    oxides = offer("refined", "au", "oxide", 1, refined), offer("calcined", "au", "oxide", 1, calcined)
    facts = smelters(*oxides)
    assert usable_in(facts, BANS, **made(["refined"]))
    assert not usable_in(facts, BANS, **made(["refined", "calcined"]))


@pytest.mark.parametrize("inputs", [[], ["au-oxide"]])
def test_the_word_for_a_maker_answers_for_no_input(inputs: list[str]) -> None:
    """The case lets unproven origins of the maker pass; those of its inputs aren't meant, known or not."""
    oxide = offer("au-oxide", "au", "oxide", 1, chain("?", "mined", "refined"))
    accept = {"proven": ["jp-melt"]}
    assert not usable_in(smelters(oxide), BANS, **made(inputs, accept=accept))
    both = {"proven": ["jp-melt", "au-oxide"]}
    assert usable_in(smelters(oxide), BANS, **made(["au-oxide"], accept=both))


def test_a_company_that_is_excluded_is_excluded_as_an_input() -> None:
    """Goods that are made of its oxide don't become usable since they come from somebody else."""
    rules = [rule(Exclude, facilities=["au"], id="listed")]
    assert not usable_in(smelters(source("AU", 1, "oxide")), rules, **made(["au-oxide"]))


@st.composite
def _worlds(draw: DrawFn) -> tuple[Catalog, list[str], list[str]]:
    """Two offers of oxide with any chain, those that the metal is made of, and those that the case lets pass."""
    steps = ("mined", "mining", "refined", "refining", "calcination", "collection")
    oxides = []
    for name in ("one", "two"):
        entries = [
            ChainEntry(
                stage=step,
                countries=frozenset(draw(st.sets(st.sampled_from(["AU", "CN"]), max_size=2))),
                complete=False,
                source=draw(st.sampled_from([SOURCE, GUESS])),
            )
            for step in draw(st.lists(st.sampled_from(steps), max_size=3, unique=True))
        ]
        entries = [one.but(complete=bool(one.countries) and draw(st.booleans())) for one in entries]
        oxides.append(offer(name, draw(st.sampled_from(["au", "cn"])), "oxide", 1, tuple(entries)))
    names = draw(st.lists(st.sampled_from(["one", "two"]), min_size=1, unique=True))
    proven = draw(st.lists(st.sampled_from(["one", "two", "jp-melt"]), unique=True))
    return smelters(*oxides), names, proven


@given(_worlds())
def test_an_order_is_usable_if_and_only_if_a_plan_could_buy_it_with_each_of_its_inputs(
    world: tuple[Catalog, list[str], list[str]],
) -> None:
    """A confirmation proves just what the plan proved."""
    facts, names, proven = world
    bought_with = []
    for name in names:
        only = facts.but(offers=tuple(one for one in facts.offers if one.id in (name, "jp-melt")))
        passed = {"proven": [one for one in proven if one in (name, "jp-melt")]}
        wanted = case(demand("metal", "defense", 0, 5, price=10_000), accept=passed)
        bought_with.append(bool(bought(planned(wanted, only, *BANS))))
    usable = usable_in(facts, BANS, **made(names, accept={"proven": proven}))
    assert usable == all(bought_with)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        pytest.param(["nowhere"], "unknown offer", id="unknown"),
        pytest.param(["au-metal", "au-oxide"], "delivers nothing that goes into", id="no input"),
        pytest.param(["au-metal"], "none of them is oxide", id="incomplete"),
        pytest.param(["jp-melt"], "none of them is oxide", id="itself"),
    ],
)
@pytest.mark.parametrize("kind", ["order", "stock"])
def test_inputs_that_cannot_be_are_refused(kind: str, inputs: list[str], message: str) -> None:
    """An offer that nobody knows, one that goes into nothing, and a chain with a gap."""
    facts = smelters(source("AU", 1, "oxide"), source("AU", 1))
    with pytest.raises(InputError) as refused:
        holding_in(facts, [], **made(inputs, kind))
    assert [one for one in refused.value.problems if message in one.message and one.column == f"{kind}.inputs"]


@pytest.mark.parametrize("left_out", ["inputs", "confirmed_by", "confirmed_on"])
def test_inputs_need_the_document_that_confirms_them(left_out: str) -> None:
    """And its date; a document alone confirms nothing."""
    stated = {"inputs": ["au-oxide"], **CONFIRMED}
    del stated[left_out]
    with pytest.raises(ValueError, match=f"without `{left_out}`"):
        received("jp-melt", **stated)
    with pytest.raises(ValueError, match=f"without `{left_out}`"):
        OrderSpec.model_validate({**on_order("jp-melt").model_dump(), **stated})
