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
from friendshore.domain.facts import Catalog, Offer
from friendshore.domain.run import RunHolding
from friendshore.rules.kinds.trade import Exclude

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
    done,
    facility,
    lines,
    maker,
    metals,
    offer,
    planned,
    refused,
    rule,
    source,
)  # fmt: skip
from ..property.settings import examples

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


def holding(facts: Catalog, rules: list[Any], **lots: Any) -> RunHolding:
    """What a plan says of the lot, where defense wants 5 kg a year."""
    return planned(case(demand("metal", "defense", 5, 5), **lots), facts, *rules).run.holdings[0]


def judged(of: str, rules: list[Any]) -> tuple[RunHolding, RunHolding]:
    """What a plan says of the lot of such an offer, as stock and as an order."""
    facts = metals(OFFERS[of])
    return holding(facts, rules, stocks=[received("of")]), holding(facts, rules, orders=[on_order("of")])


OFFERS = {
    "proved, lawful": source("AU", 50, name="of"),
    "proved, barred": source("CN", 10, name="of"),
    "origin unknown": offer("of", "au", "metal", 50, chain("?", *METAL)),
    "origin guessed": offer("of", "au", "metal", 50, tuple(one.but(source=GUESS) for one in chain("AU", *METAL))),
    "a stage is missing": offer("of", "au", "metal", 50, chain("AU", "mined", "refined")),
    "of inputs": maker("JP", 80).but(id="of", inputs=lines(oxide=2)),
}


@pytest.mark.parametrize("name", OFFERS)
def test_it_is_judged_as_an_order_of_the_offer(name: str) -> None:
    """Verdicts and reasons on received stock are those on the order: nothing unknown becomes known by arriving."""
    stock, order = judged(name, [ban("melted"), ban("mined", id="mined")])
    assert (stock.kind, order.kind, stock.offer) == ("stock", "order", "of")
    of_stock, of_order = (
        [(use.verdict, [(bar.rule, bar.unproven, bar.reason) for bar in use.prohibitions]) for use in lot.uses]
        for lot in (stock, order)
    )
    assert of_stock == of_order


def test_a_chain_that_rests_on_a_guess_stays_unproven() -> None:
    """The case accepts no guesses, whether the metal is still to come or has arrived."""
    use = judged("origin guessed", [ban("melted")])[0].uses[0]
    assert use.periods == ["2026"]
    assert [(bar.rule, bar.unproven, bar.start) for bar in use.prohibitions] == [("ban", True, date(2027, 1, 1))]


def test_a_supplier_that_is_excluded_stays_excluded() -> None:
    """Metal of a company that defense may not buy from doesn't become usable by arriving."""
    found = judged("proved, lawful", [rule(Exclude, facilities=["au"], id="listed")])
    assert [[use.verdict for use in one.uses] for one in found] == [["barred"], ["barred"]]


@pytest.mark.parametrize(("of", "material"), [("nowhere", "metal"), ("au-metal", "oxide")])
def test_an_offer_that_cannot_be_meant_is_refused(of: str, material: str) -> None:
    """A stock of an unknown offer, or of a material that the offer doesn't deliver."""
    stock = received(of, material=material)
    (problem,) = refused(planned, case(demand("metal", "civil", 5), stocks=[stock]), metals())
    assert (problem.column, problem.found) == ("stock.offer", of)


def test_one_chain_for_one_stock() -> None:
    """The chain of the offer, or another one, but not both."""
    with pytest.raises(ValueError, match="are both given"):
        received("au-metal", chain=chain("AU", *METAL))


# ------------------------------------------------------------------------------------------------- goods made from inputs

CONFIRMED = {"confirmed_by": "AB-17", "confirmed_on": date(2025, 6, 2)}
BANS = [ban("mined", id="mined"), ban("refined", id="refined"), ban("melted", id="melted")]


def made(inputs: Sequence[str], kind: str = "order", *, signed: bool = True, **more: Any) -> dict[str, Any]:
    """An order of metal that is melted in Japan, or the same received: its supplier confirms the inputs."""
    confirmed = {"inputs": inputs, **(CONFIRMED if signed else {})} if inputs else {}
    lot = received("jp-melt") if kind == "stock" else on_order("jp-melt")
    return {"stocks" if kind == "stock" else "orders": [lot.but(**confirmed)], **more}


def smelters(*oxides: Offer) -> Catalog:
    """The Japanese plant, and what delivers oxide."""
    return catalog(facility("jp", "JP"), facility("au", "AU"), facility("cn", "CN"), maker("JP", 80), *oxides)


def usable_in(facts: Catalog, rules: list[Any], **more: Any) -> bool:
    """Return True if no rule keeps the lot from defense on any day; the bans begin in 2027."""
    (use,) = holding(facts, rules, **more).uses
    return not use.prohibitions


def oxide(*stages: str, country: str = "AU", name: str = "au-oxide") -> Offer:
    """Oxide of a plant in Australia, with these stages."""
    return offer(name, "au", "oxide", 1, chain(country, *stages))


UNKNOWN = oxide("mined", "refined", country="?")
REFINED, CALCINED = oxide("mined", "refining", name="refined"), oxide("mined", "calcination", name="calcined")


@pytest.mark.parametrize("kind", ["order", "stock"])
@pytest.mark.parametrize(
    ("oxides", "proven", "usable"),
    [
        ([oxide("mined", "refined")], [], True),
        ([oxide("mined", "refined", country="CN")], [], False),
        ([UNKNOWN], [], False),
        ([oxide("mined")], [], False),
        ([REFINED], [], True),
        ([REFINED, CALCINED], [], False),
        ([UNKNOWN], ["jp-melt"], False),
        ([UNKNOWN], ["jp-melt", "au-oxide"], True),
    ],
    ids=["lawful", "barred", "unknown", "no stage", "a step", "a step of one of two", "word for the maker", "for both"],
)
def test_confirmed_inputs_prove_what_their_offers_prove(
    oxides: list[Offer], proven: list[str], usable: bool, kind: str
) -> None:
    """No more, and no less; without a confirmation nothing, whatever the case says of the maker."""
    facts, accept = smelters(*oxides), {"proven": proven}
    assert usable_in(facts, BANS, **made([one.id for one in oxides], kind, accept=accept)) == usable
    (use,) = holding(facts, BANS, **made([], kind, accept=accept)).uses
    assert {bar.unproven for bar in use.prohibitions} == {True}
    assert all(f"`confirmed_on` of the [[{kind}]]" in bar.fix for bar in use.prohibitions)


@pytest.mark.parametrize("kind", ["order", "stock"])
def test_inputs_that_nobody_confirmed_prove_nothing_and_count_against(kind: str) -> None:
    """Planned inputs without a document: lawful ones leave it unproven, and a ban that asks for no proof finds the barred ones."""
    facts = smelters(source("AU", 1, "oxide"), source("CN", 1, "oxide"))
    lawful, barred = (made([name], kind, signed=False) for name in ("au-oxide", "cn-oxide"))
    (use,) = holding(facts, BANS, **lawful).uses
    assert {bar.unproven for bar in use.prohibitions} == {True}
    unasked = [ban("mined", id="unasked", asks_proof=False)]
    assert usable_in(facts, unasked, **lawful)
    (use,) = holding(facts, unasked, **barred).uses
    assert [(bar.unproven, bar.countries) for bar in use.prohibitions] == [(False, ["CN"])]


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
        entries = []
        for step in draw(st.lists(st.sampled_from(steps), max_size=3, unique=True)):
            countries = draw(st.sets(st.sampled_from(["AU", "CN"]), max_size=2))
            known = bool(countries) and draw(st.booleans())
            entries.append(done(step, *countries, complete=known).but(source=draw(st.sampled_from([SOURCE, GUESS]))))
        oxides.append(offer(name, draw(st.sampled_from(["au", "cn"])), "oxide", 1, tuple(entries)))
    names = draw(st.lists(st.sampled_from(["one", "two"]), min_size=1, unique=True))
    proven = draw(st.lists(st.sampled_from(["one", "two", "jp-melt"]), unique=True))
    return smelters(*oxides), names, proven


@examples(100, least=8)
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
    ("inputs", "code"),
    [(["nowhere"], "FS241"), (["au-metal", "au-oxide"], "FS253"), (["au-metal"], "FS254"), (["jp-melt"], "FS254")],
    ids=["unknown", "no input", "incomplete", "itself"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["order", "stock"])
def test_inputs_that_cannot_be_are_refused(kind: str, inputs: list[str], code: str) -> None:
    """An offer that nobody knows, one that goes into nothing, and a chain with a gap."""
    facts = smelters(source("AU", 1, "oxide"), source("AU", 1))
    problems = refused(holding, facts, [], **made(inputs, kind))
    assert [one for one in problems if (one.code, one.column) == (code, f"{kind}.inputs")]


@pytest.mark.parametrize("left_out", ["inputs", "confirmed_by", "confirmed_on"])
@pytest.mark.parametrize("lot", [received("jp-melt"), on_order("jp-melt")], ids=["stock", "order"])
def test_inputs_need_the_document_that_confirms_them(lot: StockSpec | OrderSpec, left_out: str) -> None:
    """And its date; a document alone confirms nothing."""
    stated = {"inputs": ["au-oxide"], **CONFIRMED}
    del stated[left_out]
    with pytest.raises(ValueError, match=f"without `{left_out}`"):
        type(lot).model_validate({**lot.model_dump(), **stated})
