"""Demands, stock in hand and orders already placed, as a case states them; and all that does not fit, told at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.case import DemandSpec
from friendshore.domain.market import Factor
from friendshore.errors import InputError
from friendshore.recommend import Recommendation

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    built,
    case,
    catalog,
    chain,
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


def rate(per_year: float | None, **more: Any) -> DemandSpec:
    """A civil demand for metal at a steady rate."""
    given = {"material": "metal", "end_use": "civil", "shortage_price": 1000, "per_year": per_year}
    return DemandSpec.model_validate({**given, **more})


def wanted(spec: DemandSpec, periods: int, start: date, length: str) -> list[float]:
    """Kilograms of a demand in each period."""
    given = case(demand("metal", "civil", *([0] * periods)), start=start, length=length)
    problem = built(given.but(demands=(spec,)), metals())
    return [float(q) for q in problem.demands[0].quantity]


@pytest.mark.parametrize(
    ("spec", "start", "length", "kilograms"),
    [
        (rate(365), date(2027, 1, 1), "quarter", [90, 91, 92, 92]),
        (rate(365), date(2026, 10, 1), "year", [365, 365.251]),  # 92 + 273 days of 365; 92 days of 365 and 274 of 366
        (rate(366), date(2028, 1, 1), "month", [31, 29]),
        (rate(365, start=date(2027, 2, 1)), date(2027, 1, 1), "quarter", [59, 91]),
        (rate(365, end=date(2027, 1, 31)), date(2027, 1, 1), "quarter", [31, 0]),
        (rate(1), date(2027, 1, 1), "quarter", [0.247, 0.249]),  # 90 / 365 = 0.24658, 91 / 365 = 0.24932, to the gram
        (rate(None, quantities=[5, 7]), date(2027, 1, 1), "year", [5, 7]),
        (rate(None, quantities=[5, 7], start=date(2027, 12, 31)), date(2027, 1, 1), "year", [5, 7]),
        (rate(None, quantities=[5, 7], start=date(2028, 1, 1)), date(2027, 1, 1), "year", [0, 7]),
    ],
    ids=["quarters", "over new year", "leap", "from", "until", "to the gram", "listed", "listed from", "listed later"],
)
def test_what_is_wanted_in_each_period(spec: DemandSpec, start: date, length: str, kilograms: list[float]) -> None:
    """A rate by the days on which it is wanted; listed quantities in the periods that hold such a day."""
    assert wanted(spec, len(kilograms), start, length) == pytest.approx(kilograms, abs=0.0005)


def test_a_coarser_resolution_rounds_what_is_wanted() -> None:
    """To whole tens of kilograms, half to even: 205 are 200, 355 are 360; and no purchase is finer."""
    found = planned(case(demand("metal", "civil", 205, 355), resolution=10), metals())
    assert [float(d.quantity_kg) for d in found.run.deliveries] == [200, 360]
    assert all(p.quantity_kg % 10 == 0 for p in found.run.purchases)


@pytest.mark.parametrize(
    ("wanted", "resolution", "found"),
    [
        ([4000, 4000], 10_000, "4,000 kg, which would be rounded to 0 kg"),
        ([25, 35], 10, "25 kg, which would be rounded to 20 kg"),
        ([14], 10, "14 kg, which would be rounded to 10 kg"),
    ],
)
def test_a_demand_that_the_resolution_rounds_away_is_a_mistake(
    wanted: list[float], resolution: float, found: str
) -> None:
    """A plan that meets all of nothing would be called a plan."""
    (told,) = refused(built, case(demand("metal", "civil", *wanted), resolution=resolution), metals())
    assert (told.column, told.found) == ("case.resolution", found)


def test_a_stock_that_the_resolution_rounds_away_is_a_mistake() -> None:
    """4 kg in hand are neither 0 nor 10."""
    given = case(demand("metal", "civil", 100), resolution=10, stocks=(stock("metal", 4, ()),))
    with pytest.raises(InputError, match="too coarse for stock"):
        built(given, metals())


def test_quantities_of_another_substance_are_converted() -> None:
    """The oxide holds 0.8 of the element: 8 kg of Dy are 10 kg of oxide, and 100 a kilogram of Dy short are 80 of oxide."""
    factor = Factor(element="Dy", compound="oxide", kg_per_kg=Decimal("0.8"), source=SOURCE)
    facts = catalog(facility("cn", "CN", 0), source("CN", 1, "oxide"), factors=(factor,))
    found = planned(case(demand("oxide", "civil", 8, price=100, substance="Dy")), facts)
    assert short(found) == {"oxide-civil": 10}
    assert float(found.cost.shortage) == 800


def test_where_no_shortage_price_is_given_it_is_ten_times_the_dearest() -> None:
    """Japan at 80 is the dearest of three, its freight of 3 lands it at 83: 830, and it is said."""
    given = case(demand("metal", "civil", 10), assume={"freight": 3})
    spec = given.demands[0].but(shortage_price=None)
    found = planned(given.but(demands=(spec,)), metals(cn=1, au=0, jp=1))
    assert [float(d.shortage_price) for d in found.run.demands] == [830]
    assert "830.00 USD/kg, 10 times the dearest" in told(found, "metal-civil")
    assert float(found.cost.shortage) == 8 * 830


def bare(material: str, end_use: str) -> DemandSpec:
    """10 kg a year without a price on what is short."""
    return demand(material, end_use, 10).but(shortage_price=None)


def priced(found: Recommendation) -> dict[str, float]:
    """What a kilogram short costs, by demand."""
    return {d.id: float(d.shortage_price) for d in found.run.demands}


def test_defence_comes_before_civil_use_whatever_the_metal_costs() -> None:
    """One plant makes 10 kg a year of metal at 1, wanted for defence, or of salt at 300, wanted by others: defence is served.

    A price by the metal alone would be 10 for the one and 3,000 for the other.
    """
    facts = catalog(
        facility("au", "AU", 10), source("AU", 1), source("AU", 300, "salt"), source("AU", 2, "oxide", plant="cn"),
        facility("cn", "CN"),
    )  # fmt: skip
    found = planned(case(bare("metal", "defense"), bare("salt", "civil")), facts)
    assert short(found) == {"salt-civil": 10}
    assert priced(found) == {"metal-defense": 100 * 300, "salt-civil": 10 * 300}
    assert "100 times the dearest landed offer or benchmark of salt, which shares plants or inputs with it" in told(
        found, "metal-defense"
    )


def test_a_good_that_competes_with_nothing_is_priced_by_itself() -> None:
    """Oxide of another plant at 2 has nothing to do with metal at 80."""
    facts = metals(facility("nz", "NZ"), source("NZ", 2, "oxide"))
    found = planned(case(bare("metal", "civil"), bare("oxide", "civil")), facts)
    assert priced(found) == {"metal-civil": 800, "oxide-civil": 20}


def test_what_goes_into_a_good_counts_for_its_price() -> None:
    """Melting costs 1 and takes 2 kg of oxide at 40: at ten times the 1 no plan would make any."""
    facts = catalog(maker("JP", 1), source("AU", 40, "oxide"))
    found = planned(case(bare("metal", "civil")), facts)
    assert priced(found) == {"metal-civil": 400}
    assert not short(found)


def test_what_merely_lies_in_stock_prices_nothing() -> None:
    """Salt at 300 comes out of the plant that makes the metal at 10; nobody wants it, though some is in hand."""
    facts = catalog(facility("au", "AU", 40), source("AU", 10), source("AU", 300, "salt"))
    found = planned(case(bare("metal", "civil"), stocks=(stock("salt", 5, chain("AU")),)), facts)
    assert priced(found) == {"metal-civil": 100}


def test_a_case_puts_its_end_uses_in_order() -> None:
    """Space first, then defence, then all others alike; without priority, all alike."""
    wanted = [bare("metal", use) for use in ("civil", "defense", "medical", "space")]

    def prices(*order: str) -> list[float]:
        return list(priced(planned(case(*wanted, assume={"priority": order}), metals())).values())

    assert prices("space", "defense") == [800, 8000, 800, 80000]
    assert prices() == [800] * 4
    assert list(priced(planned(case(*wanted), metals())).values()) == [800, 8000, 800, 800]


def test_an_end_use_that_nothing_is_wanted_for_has_no_priority() -> None:
    """A slip of the pen would put everything last."""
    with pytest.raises(ValueError, match="did you mean `defense`"):
        case(bare("metal", "defense"), assume={"priority": ["defnse"]})
    with pytest.raises(InputError, match="unknown end use `space`"):
        planned(case(bare("metal", "defense"), assume={"priority": ["space"]}), metals())
    with pytest.raises(InputError, match="twice"):
        planned(case(bare("metal", "defense"), assume={"priority": ["defense", "defense"]}), metals())


def test_a_shortage_price_that_nothing_tells_is_asked_for() -> None:
    """Neither an offer nor a benchmark has a price."""
    spec = demand("metal", "civil", 10).but(shortage_price=None)
    with pytest.raises(InputError, match="shortage_price"):
        built(case(spec), catalog())


def test_stock_is_used_first_and_the_rest_is_held() -> None:
    """50 kg in hand cost nothing but holding: 30 serve 2026, 20 are held a year at 2 and serve 2027, with 10 bought at 10."""
    given = case(
        demand("metal", "civil", 30, 30), stocks=(stock("metal", 50, chain("CN", *METAL)),), stores=(store("metal", 2),)
    )
    found = planned(given, metals())
    assert bought(found) == {"cn-metal": 10}
    assert [(s.period, float(s.quantity_kg)) for s in found.run.stocks] == [("2026", 20)]
    assert (float(found.cost.price), float(found.cost.holding)) == (100, 40)


def test_stock_that_nobody_may_use_stays_where_it_lies() -> None:
    """Chinese stock is barred from defence: it is held for both years, 50 kg at 2."""
    given = case(
        demand("metal", "defense", 30, 30),
        stocks=(stock("metal", 50, chain("CN", *METAL)),),
        stores=(store("metal", 2),),
    )
    found = planned(given, metals(), ban(*METAL, start=None))
    assert bought(found) == {"au-metal": 60}
    assert found.run.lots == []
    assert float(found.cost.holding) == 200


def test_holding_as_a_share_of_the_price_is_told() -> None:
    """10 % a year of the dearest offer, 80: 8 a kilogram. 20 kg held over 2026 cost 160."""
    facts = metals(cn=0, au=0)
    given = case(demand("metal", "civil", 0, 20), assume={"holding": Decimal("0.1")})
    made = facts.but(offers=tuple(o.but(end=date(2026, 12, 31)) for o in facts.offers))
    found = planned(given, made)
    assert float(found.cost.holding) == 160
    assert "holding stock costs 10 % a year" in told(found, "stock")


def test_an_order_already_placed_arrives_and_is_paid_for() -> None:
    """20 units of a circuit arrive in 2027, with all that a unit gives: 20 kg of oxide and 60 of salt, at no cost."""
    circuit = source("AU", 9, "oxide", name="au-run", outputs=recipe(oxide=1, salt=3))
    order = {"offer": "au-run", "quantity": 20, "arrives": "2027-01-01"}
    given = case(demand("oxide", "civil", 0, 20), demand("salt", "civil", 0, 60), orders=[order])
    found = planned(given, catalog(facility("au", "AU"), circuit))
    assert bought(found) == {}
    assert {(lot.lot, lot.available): float(lot.quantity_kg) for lot in found.run.lots} == {
        ("order-1:au-run:oxide", "2027"): 20,
        ("order-1:au-run:salt", "2027"): 60,
    }
    assert float(found.cost.total) == 0


def test_lots_without_names_are_numbered_whatever_the_order_of_rows() -> None:
    """Orders count for each offer, the first to arrive first; a name of one changes no number of another."""
    orders = [
        {"offer": "au-metal", "quantity": 5, "arrives": "2027-03-01"},
        {"offer": "cn-metal", "quantity": 4, "arrives": "2027-02-01"},
        {"offer": "au-metal", "quantity": 7, "arrives": "2026-02-01"},
        {"offer": "au-metal", "quantity": 9, "arrives": "2026-01-01", "id": "afloat"},
    ]
    stocks = [stock("metal", n, chain(of, "mined")).but(id="") for n, of in ((3, "AU"), (2, "JP"))]
    facts = metals(cn=9, au=9)
    runs = [
        planned(case(demand("metal", "civil", 90, 90), orders=lots, stocks=held), facts).run.lots
        for lots, held in ((orders, stocks), (orders[::-1], stocks[::-1]))
    ]
    assert runs[0] == runs[1]
    assert {lot.lot: float(lot.quantity_kg) for lot in runs[0]} == {
        "afloat": 9, "order-1:au-metal": 7, "order-2:au-metal": 5, "order-1:cn-metal": 4, "stock-1": 2, "stock-2": 3,
    }  # fmt: skip


def test_a_stock_without_a_name_takes_no_name_that_is_stated() -> None:
    """Two lots of one name would be one, and the other would be lost without a word."""
    orders = [{"offer": "cn-metal", "quantity": 2, "arrives": "2026-01-01", "id": "stock-1"}]
    held = [stock("metal", n, chain("CN", "mined")).but(id=name) for n, name in ((3, ""), (4, "stock-2"))]
    found = planned(case(demand("metal", "civil", 90), orders=orders, stocks=held), metals(cn=9)).run.lots
    assert {lot.lot: float(lot.quantity_kg) for lot in found} == {"stock-1": 2, "stock-2": 4, "stock-3": 3}


def test_names_that_nothing_answers_to_are_all_told() -> None:
    """Offers assumed or bought from today, rules of a licence and of a waiver: every wrong name of one step at once, each with a suggestion."""
    given = case(
        demand("metal", "civil", 1),
        assume={"offer": [{"id": "cn-metall", "capacity": 1}]},
        incumbents=[{"offer": "cn-mettal", "per_year": 1}],
        licences=[{"rule": "bann"}],
        waivers=[{"rule": "bam", "quantity": 1}],
    )
    problems = refused(built, given, metals(), ban("mined"))
    assert {p.found for p in problems} == {"cn-metall", "cn-mettal", "bann", "bam"}
    assert all("cn-metal" in p.fix or "ban" in p.fix for p in problems)


@pytest.mark.parametrize(
    ("wanted", "more", "found"),
    [
        (["metall", "oxid"], {}, {"metall", "oxid"}),
        (["metal"], {"stocks": [stock("gold", 1, ())], "orders": [{"offer": "nobody", "quantity": 1, "arrives": "2026-02-01"}]}, {"gold", "nobody"}),
    ],
    ids=["demands", "stocks and orders"],
)  # fmt: skip
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
    with pytest.raises(ValueError, match=f"arrives: the order arrives {message}"):
        case(demand("metal", "civil", 1), orders=orders)


def test_two_rules_of_one_name_are_refused() -> None:
    """Which of them a licence or a change means could not be told."""
    with pytest.raises(InputError, match="two rules are called `ban`"):
        built(case(demand("metal", "civil", 1)), metals(), ban("mined"), ban("refined"))


def test_a_demand_of_nothing_has_a_plan() -> None:
    """Nothing is bought, and the plan is optimal."""
    found = planned(case(demand("metal", "civil", 0)), metals())
    assert (bought(found), found.status.value, found.objective) == ({}, "optimal", 0)


def test_figures_without_evidence_are_refused() -> None:
    """A source that nobody describes is a slip, in memory as in a file."""
    site = facility("cn", "CN", 10)
    unknown = site.but(capacity=tuple(s.but(source="nowhere") for s in site.capacity))
    with pytest.raises(InputError, match="no such source"):
        planned(case(demand("metal", "civil", 1)), catalog(unknown, source("CN", 1)))


def test_a_case_that_wants_nothing_is_refused() -> None:
    """Before anything else is made of it, and with what to do."""
    with pytest.raises(InputError, match="the case wants nothing") as caught:
        built(case(count=1), metals())
    assert caught.value.problems[0].column == "demand"
    assert "[[demand]]" in caught.value.problems[0].expected


def test_stock_at_a_place_that_nobody_knows_is_told_once() -> None:
    """Whether it says the place itself, or lies at the case's: as a mistake, with the place, and not as a breakdown."""
    for given in (
        case(demand("metal", "civil", 1), stocks=(stock("metal", 1, ()),), place="Utopia"),
        case(demand("metal", "civil", 1), stocks=(stock("metal", 1, ()).but(place="Utopia"),)),
    ):
        assert [p.found for p in refused(built, given, metals())] == ["Utopia"]
