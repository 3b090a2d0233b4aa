"""Demands, stock in hand and orders already placed, as a case states them; and all that does not fit, told at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.facts import Catalog
from friendshore.domain.market import Factor
from friendshore.errors import InputError
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
    changed,
    demand,
    facility,
    maker,
    metals,
    planned,
    refused,
    short,
    source,
    stock,
    store,
    told,
)
from ..building import lines as recipe


@pytest.mark.parametrize(
    ("words", "start", "length", "kilograms"),
    [
        pytest.param({"per_year": 365}, date(2027, 1, 1), "quarter", [90, 91, 92, 92], id="quarters"),
        # 92 + 273 days of 365; 92 days of 365 and 274 of 366
        pytest.param({"per_year": 365}, date(2026, 10, 1), "year", [365, 365.251], id="over new year"),
        pytest.param({"per_year": 366}, date(2028, 1, 1), "month", [31, 29], id="leap"),
        pytest.param({"per_year": 365, "start": date(2027, 2, 1)}, date(2027, 1, 1), "quarter", [59, 91], id="from"),
        pytest.param({"per_year": 365, "end": date(2027, 1, 31)}, date(2027, 1, 1), "quarter", [31, 0], id="until"),
        # 90 / 365 = 0.24658, 91 / 365 = 0.24932
        pytest.param({"per_year": 1}, date(2027, 1, 1), "quarter", [0.247, 0.249], id="to the gram"),
        pytest.param({"quantities": [5, 7]}, date(2027, 1, 1), "year", [5, 7], id="listed"),
        pytest.param({"quantities": [5, 7], "start": date(2027, 12, 31)}, date(2027, 1, 1), "year", [5, 7], id="listed from"),
        pytest.param({"quantities": [5, 7], "start": date(2028, 1, 1)}, date(2027, 1, 1), "year", [0, 7], id="listed later"),
    ],
)  # fmt: skip
def test_what_is_wanted_in_each_period(words: dict[str, Any], start: date, length: str, kilograms: list[float]) -> None:
    """A rate by the days on which it is wanted; listed quantities in the periods that hold such a day."""
    spec = DemandSpec.model_validate({"material": "metal", "end_use": "civil", "shortage_price": 1000, **words})
    problem = built(case(spec, start=start, length=length, count=len(kilograms)), metals())
    assert [float(q) for q in problem.demands[0].quantity] == pytest.approx(kilograms, abs=0.0005)


@pytest.mark.parametrize(
    ("quantities", "resolution", "rounded"), [([4000, 4000], 10_000, 0), ([25, 35], 10, 20), ([14], 10, 10)]
)
def test_a_demand_that_is_rounded_away_is_a_mistake(quantities: list[float], resolution: float, rounded: float) -> None:
    """A plan that meets all of nothing would be called a plan."""
    (problem,) = refused(built, case(demand("metal", "civil", *quantities), resolution=resolution), metals())
    found = f"{quantities[0]:,} kg, which would be rounded to {rounded} kg"
    assert (problem.column, problem.found) == ("case.resolution", found)


def test_a_stock_that_the_resolution_rounds_away_is_a_mistake() -> None:
    """4 kg in hand are neither 0 nor 10."""
    given = case(demand("metal", "civil", 100), resolution=10, stocks=(stock("metal", 4, ()),))
    with pytest.raises(InputError, match="too coarse for stock"):
        built(given, metals())


def bare(material: str, end_use: str = "civil") -> DemandSpec:
    """10 kg a year without a price on what is short."""
    return demand(material, end_use, 10).but(shortage_price=None)


def priced(found: Recommendation) -> dict[str, float]:
    """What a kilogram short costs, by demand."""
    return {d.id: float(d.shortage_price) for d in found.run.demands}


def test_where_no_shortage_price_is_given_it_is_ten_times_the_dearest() -> None:
    """Japan at 80 is the dearest of three, its freight of 3 lands it at 83: 830, and it is said."""
    found = planned(case(bare("metal"), assume={"freight": 3}), metals(cn=1, au=0, jp=1))
    assert priced(found) == {"metal-civil": 830}
    assert "830.00 USD/kg, 10 times the most expensive" in told(found, "metal-civil")
    assert float(found.cost.shortage) == 8 * 830


def test_defence_comes_before_civil_use_whatever_the_metal_costs() -> None:
    """One plant makes 10 kg a year of metal at 1 for defense, or of salt at 300 for others. By the metal alone the one would be priced at 10."""
    facts = catalog(facility("au", "AU", 10), source("AU", 1), source("AU", 300, "salt"), source("CN", 2, "oxide"))
    found = planned(case(bare("metal", "defense"), bare("salt")), facts)
    assert short(found) == {"salt-civil": 10}
    assert priced(found) == {"metal-defense": 100 * 300, "salt-civil": 10 * 300}
    assert "100 times the most expensive landed offer or benchmark of salt, which shares" in told(
        found, "metal-defense"
    )


@pytest.mark.parametrize(
    ("given", "facts", "prices"),
    [
        pytest.param(case(bare("metal"), bare("oxide")), metals(source("NZ", 2, "oxide")), {"metal-civil": 800, "oxide-civil": 20},
                     id="what competes with nothing is priced by itself"),
        pytest.param(case(bare("metal")), catalog(maker("JP", 1), source("AU", 40, "oxide")), {"metal-civil": 400},
                     id="what goes into a good counts: melting at 1 takes 2 kg at 40"),
        pytest.param(case(bare("metal"), stocks=(stock("salt", 5, chain("AU")),)),
            catalog(facility("au", "AU", 40), source("AU", 10), source("AU", 300, "salt")),
                     {"metal-civil": 100}, id="what merely lies in stock prices nothing"),
    ],
)  # fmt: skip
def test_what_prices_a_shortage(given: Case, facts: Catalog, prices: dict[str, float]) -> None:
    """Ten times the dearest of what shares plants or inputs; nothing is short at such a price."""
    found = planned(given, facts)
    assert (priced(found), short(found)) == (prices, {})


@pytest.mark.parametrize(
    ("assume", "prices"),
    [
        ({"priority": ["space", "defense"]}, [800, 8000, 800, 80000]), ({"priority": []}, [800] * 4), ({}, [800, 8000, 800, 800]),
    ],
)  # fmt: skip
def test_a_case_puts_its_end_uses_in_order(assume: dict[str, Any], prices: list[float]) -> None:
    """Space first, then defense, then all others alike; without priority, all alike."""
    wanted = [bare("metal", use) for use in ("civil", "defense", "medical", "space")]
    accept = {"end_uses": ["medical", "space"]}
    assert list(priced(planned(case(*wanted, assume=assume, accept=accept), metals())).values()) == prices


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["defnse"], "did you mean `defense`"), (["space"], "unknown end use `space`"), (["defense", "defense"], "FS243"),
    ],
)  # fmt: skip
def test_an_end_use_that_nothing_is_wanted_for_has_no_priority(order: list[str], message: str) -> None:
    """A slip of the pen would put everything last."""
    with pytest.raises((ValueError, InputError), match=message):
        planned(case(bare("metal", "defense"), assume={"priority": order}), metals())


def test_a_shortage_price_that_nothing_tells_is_asked_for() -> None:
    """Neither an offer nor a benchmark has a price."""
    with pytest.raises(InputError, match="shortage_price"):
        built(case(bare("metal")), catalog())


STOCK = {"stocks": (stock("metal", 50, chain("CN", *METAL)),), "stores": (store("metal", 2),)}


ALL_SHORT = catalog(
    facility("cn", "CN", 0), source("CN", 1, "oxide"), factors=(Factor(element="Dy", compound="oxide", kg_per_kg=Decimal("0.8"), source=SOURCE),)
)  # fmt: skip
CIRCUIT = catalog(source("AU", 9, "oxide", name="au-run", outputs=recipe(oxide=1, salt=3)))
BOTH_GOODS = (demand("oxide", "civil", 0, 20), demand("salt", "civil", 0, 60))
IN_2026 = changed(metals(cn=0, au=0), "jp-metal", end="2026-12-31")


def row(name: str, given: Case, facts: Catalog, kilograms: dict[str, float], *rules: Rule, **cost: float) -> Any:
    """What is bought, and what it costs."""
    return pytest.param(given, facts, rules, kilograms, cost, id=name)


@pytest.mark.parametrize(
    ("given", "facts", "rules", "kilograms", "cost"),
    [
        row("whole tens of kilograms, half to even", case(demand("metal", "civil", 205, 345), resolution=10), metals(), {"cn-metal": 540}, total=5400),
        # The oxide holds 0.8 of the element: 8 kg of Dy are 10 kg of oxide, and 100 a kilogram of Dy short are 80 of oxide.
        row("in another substance", case(demand("oxide", "civil", 8, price=100, substance="Dy")), ALL_SHORT, {}, shortage=10 * 80),
        # 30 of 50 kg in hand serve 2026, 20 are held a year at 2 and serve 2027, with 10 bought at 10.
        row("stock is used first and the rest is held", case(demand("metal", "civil", 30, 30), **STOCK), metals(), {"cn-metal": 10}, price=100,
            holding=40),
        row("stock that nobody may use stays", case(demand("metal", "defense", 30, 30), **STOCK), metals(), {"au-metal": 60},
            ban(*METAL, start=None), holding=200),
        # 10% a year of the dearest offer, 80: 20 kg held over 2026.
        row("holding as a share of the price", case(demand("metal", "civil", 0, 20), assume={"holding": Decimal("0.1")}), IN_2026,
            {"jp-metal": 20}, holding=160),
        row("what is on order is paid for", case(*BOTH_GOODS, orders=[{"offer": "au-run", "quantity": 20, "arrives": "2027-01-01"}]), CIRCUIT, {},
            objective=0),
        row("a demand of nothing", case(demand("metal", "civil", 0)), metals(), {}, objective=0),
    ],
)  # fmt: skip
def test_what_demands_come_to(
    given: Case, facts: Catalog, rules: tuple[Rule, ...], kilograms: dict[str, float], cost: dict[str, float]
) -> None:
    """Kilograms to the gram, and money."""
    found = planned(given, facts, *rules)
    assert bought(found) == kilograms
    assert {part: float(getattr(found.cost, part)) for part in cost} == cost


def test_holding_as_a_share_of_the_price_is_told() -> None:
    """10% a year of the dearest offer."""
    given = case(demand("metal", "civil", 0, 20), assume={"holding": Decimal("0.1")})
    assert "holding stock costs 10% a year" in told(planned(given, IN_2026), "stock")


def test_an_order_of_several_goods_is_a_lot_of_each() -> None:
    """20 units of a circuit arrive in 2027, with all that a unit gives."""
    given = case(*BOTH_GOODS, orders=[{"offer": "au-run", "quantity": 20, "arrives": "2027-01-01"}])
    lots = {(lot.lot, lot.available): float(lot.quantity_kg) for lot in planned(given, CIRCUIT).run.lots}
    assert lots == {("order-1:au-run:oxide", "2027"): 20, ("order-1:au-run:salt", "2027"): 60}


@pytest.mark.parametrize("turn", [1, -1])
def test_lots_without_names_are_numbered_whatever_the_order_of_rows(turn: int) -> None:
    """Orders count for each offer, the first to arrive first; a name of one changes no number of another."""
    orders = [
        {"offer": "au-metal", "quantity": 5, "arrives": "2027-03-01"},
        {"offer": "cn-metal", "quantity": 4, "arrives": "2027-02-01"},
        {"offer": "au-metal", "quantity": 7, "arrives": "2026-02-01"},
        {"offer": "au-metal", "quantity": 9, "arrives": "2026-01-01", "id": "afloat"},
    ]
    stocks = [stock("metal", n, chain(of, "mined")).but(id="") for n, of in ((3, "AU"), (2, "JP"))]
    given = case(demand("metal", "civil", 90, 90), orders=orders[::turn], stocks=stocks[::turn])
    assert {lot.lot: float(lot.quantity_kg) for lot in planned(given, metals(cn=9, au=9)).run.lots} == {
        "afloat": 9, "order-1:au-metal": 7, "order-2:au-metal": 5, "order-1:cn-metal": 4, "stock-1": 2, "stock-2": 3,
    }  # fmt: skip


def test_a_stock_without_a_name_takes_no_name_that_is_stated() -> None:
    """Two lots of one name would be one, and the other would be lost without a word."""
    orders = [{"offer": "cn-metal", "quantity": 2, "arrives": "2026-01-01", "id": "stock-1"}]
    held = [stock("metal", n, chain("CN", "mined")).but(id=name) for n, name in ((3, ""), (4, "stock-2"))]
    found = planned(case(demand("metal", "civil", 90), orders=orders, stocks=held), metals(cn=9)).run.lots
    assert {lot.lot: float(lot.quantity_kg) for lot in found} == {"stock-1": 2, "stock-2": 4, "stock-3": 3}


def test_names_that_nothing_answers_to_are_all_told() -> None:
    """Offers assumed or bought from today, rules of a license and of a waiver: every wrong name of one step at once, each with a suggestion."""
    given = case(
        demand("metal", "civil", 1),
        assume={"offer": [{"id": "cn-metall", "capacity": 1}]},
        incumbents=[{"offer": "cn-mettal", "per_year": 1}],
        licenses=[{"rule": "bann"}],
        waivers=[{"rule": "bam", "quantity": 1}],
    )
    problems = refused(built, given, metals(), ban("mined"))
    assert {p.found for p in problems} == {"cn-metall", "cn-mettal", "bann", "bam"}
    assert all("cn-metal" in p.fix or "ban" in p.fix for p in problems)


NOBODY = {"stocks": [stock("gold", 1, ())], "orders": [{"offer": "nobody", "quantity": 1, "arrives": "2026-02-01"}]}


@pytest.mark.parametrize(
    ("wanted", "more", "found"), [(["metall", "oxid"], {}, {"metall", "oxid"}), (["metal"], NOBODY, {"gold", "nobody"})]
)
def test_unknown_goods_are_all_told(wanted: list[str], more: dict[str, Any], found: set[str]) -> None:
    """Two materials, or a material and an offer."""
    given = case(*(demand(material, "civil", 1) for material in wanted), **more)
    assert {p.found for p in refused(built, given, metals())} == found


@pytest.mark.parametrize(
    ("day", "message"), [("2030-02-01", "after the plan ends"), ("2025-12-31", "before the plan starts")]
)
def test_an_order_arrives_within_the_plan(day: str, message: str) -> None:
    """A case of 2026 and 2027 takes no order of another year, however it is made."""
    orders = [{"offer": "cn-metal", "quantity": 1, "arrives": day}]
    with pytest.raises(ValueError, match=f"arrives: FS035 the order arrives {message}"):
        case(demand("metal", "civil", 1), orders=orders)


def test_two_rules_of_one_name_are_refused() -> None:
    """Which of them a license or a change means could not be told."""
    with pytest.raises(InputError, match="FS243"):
        built(case(demand("metal", "civil", 1)), metals(), ban("mined"), ban("refined"))


def test_figures_without_evidence_are_refused() -> None:
    """A source that nobody describes is a slip, in memory as in a file."""
    steps = tuple(step.but(source="nowhere") for step in facility("cn", "CN", 10).capacity)
    with pytest.raises(InputError, match="no such source"):
        planned(case(demand("metal", "civil", 1)), catalog(facility("cn", "CN", capacity=steps), source("CN", 1)))


def test_a_case_that_wants_nothing_is_refused() -> None:
    """Before anything else is made of it, and with what to do."""
    (problem,) = refused(built, case(count=1), metals())
    assert (problem.column, "[[demand]]" in problem.expected) == ("demand", True)


@pytest.mark.parametrize("more", [{"place": "Utopia"}, {"stocks": (stock("metal", 1, (), place="Utopia"),)}])
def test_stock_at_a_place_that_nobody_knows_is_told_once(more: dict[str, Any]) -> None:
    """Whether it says the place itself, or lies at the case's: as a mistake, with the place, and not as a breakdown."""
    held = stock("metal", 1, ()).but(place="") if "place" in more else stock("metal", 1, ())
    given = case(demand("metal", "civil", 1), **{"stocks": (held,), **more})
    assert [p.found for p in refused(built, given, metals())] == ["Utopia"]
