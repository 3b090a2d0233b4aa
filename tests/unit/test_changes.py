"""Changes: what every subject does, how scenarios and bills apply them, how they are stated in a line, and what they make of rules and limits."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from friendshore.case import stated_changes
from friendshore.domain.assumptions import Assume
from friendshore.domain.case import Scenario
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import CapacityStep, Catalog, Status
from friendshore.domain.time import Span
from friendshore.errors import InputError
from friendshore.problem.changes import apply_changes, scenario_changes
from friendshore.rules.amend import amended
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxChurn
from friendshore.rules.kinds.limits.shares import MaxShare
from friendshore.rules.kinds.limits.spending import Budget
from friendshore.rules.kinds.limits.stocks import StockLevel
from friendshore.rules.pack import LegislativeBill

from ..building import (
    METAL,
    SOURCE,
    altered,
    ban,
    benchmark,
    bought,
    case,
    catalog,
    demand,
    facility,
    metals,
    planned,
    price,
    refused,
    rule,
    short,
    source,
    store,
    unstored,
)

# ---------------------------------------------------------------------------------------- subjects, scenarios, and bills


def after(given: Any, facts: Catalog, *changes: dict[str, Any], rules: Any = ()) -> dict[str, float]:
    """Kilograms bought by offer after some changes."""
    return bought(planned(given, facts, *rules, changes=[Change.model_validate(c) for c in changes]))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("cn-metal", "au-metal"), ("cn", "au-metal"), ("Cheap Ltd", "au-metal"), ("Cheap Group", "au-metal"),
        ("country:CN", "au-metal"), ("catalog:tiny", ""),
    ],
    ids=["offer", "facility", "supplier", "parent", "country", "catalog"],
)  # fmt: skip
def test_remove_takes_away_what_it_names(name: str, left: str) -> None:
    """An offer, a site, a company, its parent, a country or a catalog: the next best takes its place, or nobody does."""
    sites = [facility("cn", "CN", operator="Cheap Ltd", parent="Cheap Group"), facility("au", "AU")]
    facts = catalog(*sites, source("CN", 10), source("AU", 50))
    assert after(unstored(100), facts) == {"cn-metal": 100}
    assert after(unstored(100), facts, {"remove": name}) == ({left: 100} if left else {})


def test_remove_from_a_day_on_leaves_orders_before_it() -> None:
    """Removed from 2027-01-01 on: still bought in 2026; removed from within 2026 on, not for 2026 as a whole either."""
    assert after(unstored(100, 100), metals(), {"remove": "cn", "from": "2027-01-01"}) == {
        "cn-metal": 100,
        "au-metal": 100,
    }
    assert after(unstored(100, 100), metals(), {"remove": "cn", "from": "2026-12-31"}) == {"au-metal": 200}


def test_an_offer_that_the_case_assumes_figures_of_can_be_removed() -> None:
    """A scenario without a lead that the case gives a price: what is assumed of it is then no matter."""
    lead = source("CN", 1).but(price=None)
    facts = catalog(facility("cn", "CN"), lead, source("AU", 50))
    given = unstored(100, assume={"offer": [{"id": "cn-metal", "price": price(10)}]})
    assert after(given, facts) == {"cn-metal": 100}
    assert after(given, facts, {"remove": "cn-metal"}) == {"au-metal": 100}


def test_an_offer_that_is_bought_from_today_can_be_removed() -> None:
    """What is bought of it today is then lost, all of it, and a limit on churn says so."""
    given = unstored(100, incumbents=[{"offer": "cn-metal", "per_year": 50}])
    churn = MaxChurn(id="c", share=Decimal("0.5"), per="horizon", penalty=Decimal(1))
    gone = [Change(remove="cn-metal")]
    assert bought(planned(given, metals(), changes=gone)) == {"au-metal": 100}
    assert planned(given, metals(), churn, changes=gone).cost.penalties == 25


def test_an_order_already_placed_still_comes() -> None:
    """The offer is removed, its order of 30 kg is on its way: 70 kg are bought elsewhere."""
    order = {"offer": "cn-metal", "quantity": 30, "arrives": "2026-03-01"}
    assert after(unstored(100, orders=[order]), metals(), {"remove": "country:CN"}) == {"au-metal": 70}


@pytest.mark.parametrize("name", ["cn-metal", "metal", "bench"], ids=["offer", "material", "benchmark"])
def test_price_multiplies_what_it_names(name: str) -> None:
    """Six times dearer. The offer: 60, so that Australia at 50 is bought. All metal: China is still the cheapest, at 60.

    The benchmark of 8, at which China sells with a premium of 25 %: 8 x 6 x 1.25 = 60.
    """
    by_benchmark = price(None, benchmark="bench", premium=Decimal("0.25"))
    facts = catalog(source("CN", by_benchmark), source("AU", 50), benchmark())
    found = planned(unstored(100), facts, changes=[Change.model_validate({"price": name, "factor": 6})])
    assert bought(found) == ({"cn-metal": 100} if name == "metal" else {"au-metal": 100})
    assert float(found.cost.price) == (6000 if name == "metal" else 5000)


@pytest.mark.parametrize("how", [{"amount": "40 USD/kg"}, {"factor": 5}], ids=["stated", "multiplied"])
def test_one_price_of_a_benchmark_changes_from_its_day_on(how: dict[str, Any]) -> None:
    """China sells at the benchmark of the day: 8, and 10 from 2027 on. With 40 in the place of 10 only the second year is dearer; Australia sells at 50."""
    rows = [benchmark(8, date(year, 1, 1)) for year in (2026, 2027)]
    facts = catalog(source("CN", price(None, benchmark="bench")), source("AU", 50), *rows)
    found = planned(
        unstored(100, 100), facts, changes=[Change.model_validate({"price": "bench", "date": "2027-01-01", **how})]
    )
    assert bought(found) == {"cn-metal": 200}
    assert float(found.cost.price) == 800 + 4000
    with pytest.raises(InputError, match=r"has no price of that day.*expected one of 2026-01-01, 2027-01-01"):
        planned(unstored(100), facts, changes=[Change.model_validate({"price": "bench", "date": "2028-01-01", **how})])
    with pytest.raises(InputError, match="expected a benchmark"):
        planned(
            unstored(100), facts, changes=[Change.model_validate({"price": "cn-metal", "date": "2027-01-01", **how})]
        )


@pytest.mark.parametrize(("stated", "missing"), [(51, 0), (49, 100)])
def test_a_stated_price_of_shortage_says_what_is_not_worth_buying(stated: int, missing: float) -> None:
    """At 50 Australia's metal is bought for who would pay 51 rather than go without, and not for who would pay 49."""
    facts = catalog(source("AU", 50))
    change = Change.model_validate({"demand": "metal", "shortage_price": f"{stated} USD/kg"})
    found = planned(unstored(100), facts, changes=[change])
    assert sum(short(found).values()) == missing
    assert float(found.cost.shortage) == missing * stated
    with pytest.raises(InputError, match=r"the case is in USD.*5 EUR/kg.*convert the price"):
        planned(
            unstored(100), facts, changes=[Change.model_validate({"demand": "metal", "shortage_price": "5 EUR/kg"})]
        )


def test_licences_that_were_taken_as_granted_can_be_revoked() -> None:
    """China's metal at 10 needs a licence that the case takes as granted for civil use; without it Australia's at 50 is bought."""
    control = ExportControl.model_validate({"id": "control", "exporters": ["CN"], "effect": "licence"})
    granted = unstored(100, assume=Assume(licence={"civil": "granted"}))
    assert after(granted, metals(), rules=[control]) == {"cn-metal": 100}
    assert after(granted, metals(), {"revoke": "civil"}, rules=[control]) == {"au-metal": 100}
    with pytest.raises(InputError, match=r"an end use of \[assume.licence\]: civil"):
        after(granted, metals(), {"revoke": "defense"}, rules=[control])


def test_an_offer_s_own_quantity_is_multiplied_or_stated() -> None:
    """China's metal at 10 is bought before Australia's at 50, as much of it as it gives: 30 a year, of a plant that makes more."""
    offers = [source("CN", 10, max_per_year=30), source("AU", 50)]
    facts = catalog(facility("cn", "CN", per_year=1000), facility("au", "AU"), *offers)

    def from_china(**change: Any) -> float:
        return after(unstored(100, 100), facts, {"capacity": "offer:cn-metal", **change}).get("cn-metal", 0)

    assert from_china(factor=1) == 60
    assert from_china(factor=2) == 120
    assert from_china(per_year=10) == 20
    assert from_china(quantity=45) == 45
    assert from_china(per_year=40, quantity=45) == 45
    assert after(unstored(100), facts, {"capacity": "cn", "per_year": 20}) == {"cn-metal": 20, "au-metal": 80}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"capacity": "offer:nobody", "factor": 2}, "expected an offer"),
        ({"capacity": "offer:au-metal", "factor": 2}, "has no quantity of its own"),
        ({"capacity": "offer:cn-metal", "status": "idle"}, "has no `status`"),
        ({"capacity": "offer:cn-metal", "factor": 2, "from": "2027-01-01"}, "has no `from`"),
        ({"capacity": "cn", "quantity": 5}, "is that of an offer over the plan"),
    ],
    ids=str,
)
def test_what_an_offer_s_quantity_has_not_is_refused(change: dict[str, Any], told: str) -> None:
    """Status, delay and dates are those of a facility."""
    facts = catalog(source("CN", 10, max_per_year=30), source("AU", 50))
    with pytest.raises(InputError, match=told):
        after(unstored(100), facts, change)


def alike() -> Catalog:
    """An offer that is called as the metal is, beside another of the metal; both sell at a benchmark of that name."""
    sites = [facility("cn", "CN", operator="metal"), facility("au", "AU")]
    cheap = source("CN", 10).but(id="metal")
    return catalog(
        *sites, cheap, source("AU", price(None, benchmark="metal", premium=Decimal("0.5"))), benchmark(name="metal")
    )


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        ({"price": "offer:metal", "factor": 3}, 1200),  # Australia at 8 x 1.5
        ({"price": "material:metal", "factor": 3}, 3000),  # both three times as dear: China at 30
        ({"price": "benchmark:metal", "factor": "0.5"}, 600),  # Australia at 4 x 1.5
        ({"price": "benchmark:metal", "date": "2026-01-01", "amount": "4 USD/kg"}, 600),
        ({"price": "benchmark:metal", "amount": "4 USD/kg"}, 600),
        ({"remove": "offer:metal"}, 1200),
        ({"remove": "supplier:metal"}, 1200),
        ({"demand": "demand:metal-civil", "factor": 2}, 2000),
        ({"demand": "material:metal", "factor": 2}, 2000),
        ({"demand": "end_use:civil", "factor": 2}, 2000),
        ({"demand": "metal", "factor": 2}, 2000),  # whatever is meant, it is the same
        ({"remove": "metal"}, 1200),
    ],
    ids=str,
)
def test_a_word_before_a_name_says_what_is_meant(change: dict[str, Any], cost: int) -> None:
    """One demand of 100 kg, one offer of China's at 10 and one of Australia's at 12."""
    found = planned(unstored(100), alike(), changes=[Change.model_validate(change)])
    assert float(found.cost.price) == cost


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"price": "metal", "factor": 3},
            "`metal` is the name of an offer and a material and a benchmark.*`offer:metal` or `material:metal` or `benchmark:metal`",
        ),
        ({"price": "metal", "amount": "3 USD/kg"}, "an offer and a material and a benchmark"),
        ({"remove": "lead", "from": "2027-01-01"}, "a facility and a supplier.*`facility:lead` or `supplier:lead`"),
        ({"lead_time": "lead", "factor": 2}, "a facility and a supplier"),
        ({"lift": "lot", "of": "lead"}, "a facility and a supplier"),
        ({"demand": "civil", "factor": 2}, "a demand and an end use.*`demand:civil` or `end_use:civil`"),
    ],
    ids=str,
)
def test_a_name_of_several_things_is_refused_with_what_to_write(change: dict[str, Any], expected: str) -> None:
    """`lead` is a plant, and who runs it and another; `civil` is one of two civil demands."""
    sites = [facility("lead", "CA", operator="lead"), facility("other", "MX", operator="lead")]
    more = [source("CA", 90).but(id="ca-metal", facility="lead"), source("MX", 95).but(id="mx-metal", facility="other")]
    facts = alike()
    facts = facts.but(facilities=(*facts.facilities, *sites), offers=(*facts.offers, *more))
    given = case(demand("metal", "civil", 100).but(id="civil"), demand("metal", "civil", 50).but(id="other"))
    with pytest.raises(InputError, match=expected):
        planned(given, facts, changes=[Change.model_validate(change)])


def test_price_by_one_changes_nothing_and_is_no_mistake() -> None:
    """A benchmark times one is named all the same."""
    facts = catalog(source("CN", 10), benchmark())
    assert after(unstored(100), facts, {"price": "bench", "factor": 1}) == {"cn-metal": 100}


@pytest.mark.parametrize(
    ("change", "kilograms"),
    [
        # Two years of 60 kg each, from 2026-01-01 on.
        ({"factor": 0.5}, {2026: 30, 2027: 30}),
        ({"status": "ramping"}, {2026: 48, 2027: 48}),  # ramping counts for 0.8
        ({"status": "construction"}, {2026: 0, 2027: 0}),
        ({"delay": 12}, {2026: 0, 2027: 60}),
        ({"delay": 6}, {2026: 60 * 184 / 365, 2027: 60}),  # from 1 July on
        ({"factor": 0.5, "from": "2027-01-01"}, {2026: 60, 2027: 30}),  # from that day on, and until then as it was
        ({"status": "idle", "until": "2026-06-30"}, {2026: 60 * 184 / 365, 2027: 60}),  # and after it as before
        ({"factor": 0, "from": "2026-07-01", "until": "2026-12-31"}, {2026: 60 * 181 / 365, 2027: 60}),
        ({"factor": 2, "status": "ramping"}, {2026: 96, 2027: 96}),
    ],
    ids=["factor", "status", "construction", "delay", "half a year", "from", "until", "within", "factor and status"],
)
def test_capacity_is_multiplied_derated_or_delayed(change: dict[str, Any], kilograms: dict[int, float]) -> None:
    """The capacity of a site as the change says, in each of two years."""
    step = CapacityStep(start=date(2026, 1, 1), per_year=Decimal(60), status=Status.OPERATING, source=SOURCE)
    facts = catalog(facility("cn", "CN", capacity=(step,)), source("CN", 10))
    found = planned(unstored(100, 100), facts, changes=[Change.model_validate({"capacity": "cn", **change})])
    by_year = dict.fromkeys(kilograms, 0.0) | {int(p.ordered): float(p.quantity_kg) for p in found.run.purchases}
    assert by_year == pytest.approx(kilograms, abs=0.0005)


@pytest.mark.parametrize(
    ("name", "hit"),
    [("metal-civil", {"metal-civil"}), ("metal", {"metal-civil", "metal-defense"}), ("civil", {"metal-civil"})],
    ids=["demand", "material", "end use"],
)
def test_demand_is_multiplied(name: str, hit: set[str]) -> None:
    """One demand, all of a material, or all of an end use: three times as much."""
    given = case(demand("metal", "civil", 10), demand("metal", "defense", 20))
    found = planned(given, metals(), changes=[Change(demand=name, factor=Decimal(3))])
    expected = {"metal-civil": 10, "metal-defense": 20}
    assert {d.id: float(d.wanted_kg) for d in found.run.demands} == {
        key: value * (3 if key in hit else 1) for key, value in expected.items()
    }


def test_demand_a_year_is_multiplied_too() -> None:
    """A yearly rate is scaled like quantities."""
    given = unstored(1).but(demands=(demand("metal", "civil", per_year=Decimal(40)).but(quantities=()),))
    assert after(given, metals(), {"demand": "metal", "factor": 1.5}) == {"cn-metal": 60}


def test_demand_is_stated_anew() -> None:
    """A rate a year or a list takes the place of whatever a demand states; a list of another length than the plan is told."""
    assert after(unstored(10), metals(), {"demand": "metal", "per_year": "40 kg/year"}) == {"cn-metal": 40}
    given, _, _ = altered(unstored(10, 20), metals(), (), Change(demand="metal", quantities=(Decimal(3), Decimal(4))))
    assert given.demands[0].quantities == (3, 4)
    with pytest.raises(InputError, match="the plan has 2 periods"):
        altered(unstored(10, 20), metals(), (), Change(demand="metal", quantities=(Decimal(3),)))
    with pytest.raises(ValueError, match="give one of `factor`, `per_year`, `quantities`"):
        Change(demand="metal", factor=Decimal(2), per_year=Decimal(2))


def test_a_benchmark_is_stated_anew() -> None:
    """What follows it costs what it then comes to: at 40 and a quarter on top of it, 50."""
    by_benchmark = price(None, benchmark="bench", premium=Decimal("0.25"))
    facts = catalog(source("CN", by_benchmark), benchmark())
    found = planned(unstored(100), facts, changes=[Change.model_validate({"price": "bench", "amount": "40 USD/kg"})])
    assert float(found.cost.price) == 5000


def test_accept_restates_what_a_status_counts_for() -> None:
    """Construction counts for nothing; accepted at a quarter, 100 a year are 25."""
    facts = catalog(facility("cn", "CN", 100, status="construction"), source("CN", 10))
    assert after(unstored(100), facts) == {}
    assert after(unstored(100), facts, {"accept": "construction", "factor": 0.25}) == {"cn-metal": 25}


@pytest.mark.parametrize(
    ("phases", "change", "chinese"),
    [
        # Defence metal for 2026, 2027 and 2028; years in which Chinese metal may be bought.
        ([{"status": "pending"}], {"enable": "ban"}, set()),
        ([{"status": "unknown"}], {"enable": "ban"}, set()),
        ([{"status": "suspended"}], {"enable": "ban"}, {"2026", "2027", "2028"}),
        ([{"status": "pending"}], {"enable": "ban", "from": "2028-01-01"}, {"2026", "2027"}),
        ([{}], {"disable": "ban"}, {"2026", "2027", "2028"}),
        ([{}], {"disable": "ban", "from": "2027-01-01", "until": "2027-12-31"}, {"2027"}),
        ([{}], {"move": "ban", "from": "2028-01-01"}, {"2026", "2027"}),
        ([{"from": "2026-01-01"}], {"move": "ban", "until": "2026-12-31"}, {"2027", "2028"}),
    ],
    ids=["pending", "unknown", "suspended", "enable from", "disable", "disable within", "move from", "move until"],
)
def test_rules_are_switched_and_moved(phases: list[dict[str, str]], change: dict[str, str], chinese: set[str]) -> None:
    """`enable`, `disable` and `move` decide in which years a ban applies."""
    rule = ban(*METAL, phases=phases)
    given = case(demand("metal", "defense", 10, 10, 10), stores=(store("metal", 0, limit=0),))
    found = planned(given, metals(), rule, changes=[Change.model_validate(change)])
    assert {p.delivered for p in found.run.purchases if p.offer == "cn-metal"} == chinese


def test_changes_apply_in_order() -> None:
    """A demand doubled and then halved is as before; a status changed twice is the last one."""
    given, _, _ = altered(
        unstored(7),
        metals(),
        (),
        Change(demand="metal", factor=Decimal(2)),
        Change(demand="metal", factor=Decimal("0.5")),
    )
    assert given.demands[0].quantities == (Decimal(7),)
    steps = [Change(capacity="cn", status=status) for status in (Status.IDLE, Status.RAMPING)]
    _, facts, _ = altered(unstored(7), metals(), (), *steps)
    assert [f.capacity[0].status for f in facts.facilities if f.id == "cn"] == [Status.RAMPING]


def test_all_unknown_names_are_told_at_once() -> None:
    """One of every subject that names nothing: each is found, none hides another."""
    names = {
        "remove": "no-offer", "price": "no-price", "capacity": "no-site", "demand": "no-use", "enable": "no-bill",
        "disable": "no-rule", "move": "no-law",
    }  # fmt: skip
    more = {"move": {"from": "2027-01-01"}} | {name: {"factor": 2} for name in ("price", "capacity", "demand")}
    changes = [Change.model_validate({k: v, **more.get(k, {})}) for k, v in names.items()]
    problems = refused(altered, unstored(1), metals(), (ban(*METAL),), *changes)
    assert {p.found for p in problems} == set(names.values())
    assert len(problems) == len(names)


def test_a_capacity_that_nobody_states_cannot_be_changed() -> None:
    """Half of what is not known, or that half a year later, would be no change: it is told; a figure may be stated."""
    facts = metals()
    sites = tuple(f.but(capacity=()) if f.id == "cn" else f for f in facts.facilities)
    facts = facts.but(facilities=sites)
    for change in ({"factor": "0.5"}, {"delay": 6}, {"status": "idle"}):
        with pytest.raises(InputError, match="no capacity that could be changed"):
            altered(unstored(1), facts, (), Change.model_validate({"capacity": "cn", **change}))
    _, stated, _ = altered(unstored(1), facts, (), Change(capacity="cn", per_year=Decimal(4)))
    assert [step.per_year for f in stated.facilities if f.id == "cn" for step in f.capacity] == [Decimal(4)]


@pytest.mark.parametrize(
    "change",
    [
        {"price": "metal", "factor": 2, "from": "2027-01-01"},
        {"demand": "metal", "factor": 2, "until": "2027-01-01"},
        {"accept": "idle", "factor": 1, "from": "2027-01-01"},
        {"remove": "cn", "until": "2027-01-01"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_date_that_would_be_read_past_is_refused(change: dict[str, Any]) -> None:
    """What holds for the whole plan takes no dates: it is said, rather than another plan made than was asked for."""
    with pytest.raises(InputError, match="2027-01-01"):
        altered(unstored(1), metals(), (), Change.model_validate(change))


def test_scenarios_inherit_parents_first_and_each_once() -> None:
    """A diamond: the grandparent's changes come first and are not applied twice."""

    def scenario(name: str, *inherits: str) -> Scenario:
        return Scenario(name=name, inherits=inherits, change=(Change(demand="metal", factor=Decimal(2), why=name),))

    given = unstored(5, scenarios=(scenario("d", "b", "c"), scenario("b", "a"), scenario("c", "a"), scenario("a")))
    assert [c.why for c in scenario_changes(given, ("d",))] == ["a", "b", "c", "d"]
    assert [c.why for c in scenario_changes(given, ("c", "d"))] == ["a", "c", "b", "d"]
    assert bought(planned(given, metals(), scenario="d")) == {"cn-metal": 80}  # 5 x 2^4


def test_a_scenario_that_inherits_itself_is_refused() -> None:
    """In memory as in a file."""
    circle = (Scenario(name="a", inherits=("b",)), Scenario(name="b", inherits=("a",)))
    with pytest.raises(ValidationError, match="the scenario inherits from itself"):
        unstored(1, scenarios=circle)


def test_an_unknown_scenario_is_suggested() -> None:
    """A misspelt name is a mistake with the right one beside it."""
    given = unstored(1, scenarios=(Scenario(name="no-china"),))
    assert "no-china" in refused(scenario_changes, given, ("no-chian",))[0].fix


def bill(name: str, *changes: dict[str, Any]) -> LegislativeBill:
    """A bill of some changes."""
    return LegislativeBill(id=name, title=name, change=tuple(Change.model_validate(c) for c in changes))


def test_a_bill_changes_rules_and_other_facts() -> None:
    """`enable` with a bill's id moves the ban to 2026 and doubles the price of what is left, through a bill within a bill."""
    outer = bill("outer", {"enable": "inner"}, {"price": "au-metal", "factor": 2})
    inner = bill("inner", {"enable": "ban"}, {"demand": "metal", "factor": 3})
    given = case(demand("metal", "defense", 10))
    rule = ban(*METAL, phases=[{"status": "pending"}])
    changed, catalogs, rules = apply_changes([Change(enable="outer")], given, [metals()], [rule], [outer, inner])
    assert changed.demands[0].quantities == (Decimal(30),)
    assert [o.price.amount for o in catalogs[0].offers if o.id == "au-metal" and o.price] == [Decimal(100)]
    assert [p.status for p in rules[0].phases] == [PhaseStatus.ENACTED]
    found = planned(changed, catalogs, *rules)
    assert bought(found) == {"jp-metal": 30}


def test_a_bill_that_enables_itself_is_refused() -> None:
    """Directly or through another: told in words."""
    bills = [bill("a", {"enable": "b"}), bill("b", {"enable": "a"})]
    with pytest.raises(InputError, match="enables itself"):
        apply_changes([Change(enable="a")], unstored(1), [metals()], [], bills)


def test_nothing_given_is_changed_in_place() -> None:
    """The case and catalogs stay as they were: the same ones may be planned again."""
    given, facts = unstored(100), metals()
    before = given.model_dump_json(), facts.model_dump_json()
    assert after(given, facts, {"remove": "cn"}, {"demand": "metal", "factor": 2}) == {"au-metal": 200}
    assert (given.model_dump_json(), facts.model_dump_json()) == before
    assert short(planned(given, facts)) == {}


def test_a_demand_without_a_name_goes_by_the_one_that_reports_print() -> None:
    """`metal/civil/US`, for a demand of the library that was given no id."""
    nameless = demand("metal", "civil", 100).but(id="")
    given, _, _ = altered(case(nameless), metals(), (), Change(demand="metal/civil/US", factor=Decimal(2)))
    assert given.demands[0].quantities == (200,)


# ---------------------------------------------------------------------------------------------- changes stated in a line


READ = {
    "disable=china-halt": Change(disable="china-halt"),
    " capacity = plant , factor = 50 %, from=2027-07-01 ": Change(
        capacity="plant", factor=Decimal("0.5"), start=date(2027, 7, 1)
    ),
    "price=bench, amount=5 USD/kg, date=2026-06-30": Change(
        price="bench", amount=Decimal(5), currency="USD", date=date(2026, 6, 30)
    ),
    "demand=radar, shortage_price=500 EUR/kg": Change(demand="radar", shortage_price=Decimal(500), currency="EUR"),
    "price=outside:CN, amount=500 EUR/kg": Change(price="outside:CN", amount=Decimal(500), currency="EUR"),
    "stock=tungsten, quantity=5 t, countries=US;CA": Change(
        stock="tungsten", quantity=Decimal(5000), countries=frozenset({"US", "CA"})
    ),
    "remove=supplier:Acme, Inc., from=2027-01-01": Change(remove="supplier:Acme, Inc.", start=date(2027, 1, 1)),
    "lift=lot, why=as if, for once": Change(lift=TermKind.LOT, why="as if, for once"),
    "accept=announced,factor=1": Change(accept=Status.ANNOUNCED, factor=Decimal(1)),
    "demand=defense, delay=2 quarters": Change(demand="defense", delay=Decimal(6)),
}
REFUSED = {
    "disable": "expected SUBJECT=NAME, KEY=VALUE",
    "disable=": "expected SUBJECT=NAME, KEY=VALUE",
    "": "cannot be read",
    "disabel=x": "did you mean `disable`?",
    "capacity=x, factor=a lot": "expected a share",
    "factor=2": "exactly one of enable",
    "remove=a, price=b, factor=2": "exactly one of enable",
    "price=x": "`price` needs `factor` or `amount`",
    "capacity=x, factor=2, date=2026-06-30": "`capacity` does not read `date`",
    "price=x, factor=2, shortage_price=5 USD/kg": "`price` does not read `shortage_price`",
    "disable=x, factor=2": "`disable` does not read `factor`",
    "disable=x, disable=y": "is given twice",
    "disable=x, from=2028-01-01, until=2027-01-01": "`until` (2027-01-01)",
}


@pytest.mark.parametrize("text", READ)
def test_a_line_is_read_as_a_table_of_a_case_file_is(text: str) -> None:
    """Keys, amounts with units, lists and dates are those of a scenario's `change` tables; a comma within a name is no end of it."""
    assert stated_changes([text]) == (READ[text],)


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_change_is_refused_with_its_line(text: str) -> None:
    """The same diagnostics as of a file, told of the option."""
    with pytest.raises(InputError) as caught:
        stated_changes([text])
    assert f"--change '{text}'" in str(caught.value)
    assert REFUSED[text] in str(caught.value)


def test_all_mistakes_of_all_lines_are_told_at_once() -> None:
    """One mistake does not hide another."""
    assert len(refused(stated_changes, ["disable=fine", "capacity=x, factor=a, from=b", "nothing"])) == 3


# ----------------------------------------------------------------------------------------------------------------- rules


ENACTED = frozenset({PhaseStatus.ENACTED})
FIRST = date(2026, 1, 1)


def phased(*phases: dict[str, Any], name: str = "r") -> Rule:
    """A rule with phases."""
    return Rule(kind="test", id=name, phases=tuple(Phase.model_validate(phase) for phase in phases))


def change(**fields: Any) -> Change:
    """A change."""
    return Change.model_validate(fields)


def applies(of: Rule, day: str) -> bool:
    """Whether an enacted phase holds on a day."""
    when = date.fromisoformat(day)
    return of.applies(Span(start=when, end=when), ENACTED)


def test_moving_a_start() -> None:
    """A rule moved to a later start holds from then on, and keeps its end."""
    (after,) = amended(
        [phased({"from": "2027-01-01", "until": "2040-12-31"})], [change(move="r", **{"from": "2032-01-01"})]
    )
    assert [applies(after, day) for day in ("2031-12-31", "2032-01-01", "2040-12-31", "2041-01-01")] == [
        False,
        True,
        True,
        False,
    ]


def test_enabling_wakes_pending_and_unknown_phases() -> None:
    """Pending and unknown phases apply once enabled; a suspension stays one."""
    phases = (
        {"until": "2026-06-30", "status": "suspended"},
        {"from": "2026-07-01", "until": "2026-12-31", "status": "unknown"},
        {"from": "2027-01-01", "status": "pending"},
    )
    (after,) = amended([phased(*phases)], [change(enable="r")])
    assert [applies(after, day) for day in ("2026-06-30", "2026-07-01", "2027-01-01")] == [False, True, True]


def test_a_bill_applies_its_own_changes() -> None:
    """Enabling a bill does what the bill says, to the rules it names and to no others."""
    bill = LegislativeBill(id="bill", title="A bill", change=(change(disable="a"),))
    first, second = amended([phased({}, name="a"), phased({}, name="b")], [change(enable="bill")], [bill])
    assert not applies(first, "2027-01-01")
    assert applies(second, "2027-01-01")


def test_unknown_names_are_all_told() -> None:
    """Every change that names no rule is an error, and the rules there are come with it."""
    problems = refused(amended, [phased({})], [change(disable="x"), change(enable="y")])
    assert [problem.found for problem in problems] == ["x", "y"]
    assert "r" in problems[0].expected


def test_other_changes_are_left_alone() -> None:
    """Changes of prices, capacities and offers do not touch the rules."""
    before = (phased({}),)
    assert amended(before, [change(price="gallium", factor=2), change(remove="country:CN")]) == before


DAY = st.one_of(st.none(), st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n)))


@given(start=DAY, end=DAY, cut_start=DAY, cut_end=DAY)
def test_disabling_takes_just_the_days_named(
    start: date | None, end: date | None, cut_start: date | None, cut_end: date | None
) -> None:
    """On each single day the rule holds after the change if it held before and the day was not named."""
    if (start and end and start > end) or (cut_start and cut_end and cut_start > cut_end):
        return
    before = phased({"from": start, "until": end})
    (after,) = amended([before], [change(disable="r", **{"from": cut_start, "until": cut_end})])
    cut = Span(start=cut_start, end=cut_end)
    for number in range(-2, 24):
        day = FIRST + timedelta(days=number)
        named = cut.covers(Span(start=day, end=day))
        assert applies(after, str(day)) is (applies(before, str(day)) and not named)


# ------------------------------------------------------------------------------ limits, order quantities, and new demand


CAP = rule(MaxShare, id="cap", by="country", share="60 %", of="purchases")
PURSE = rule(Budget, id="purse", amount=3000)
FLOOR = rule(StockLevel, id="floor", materials=["metal"], at_least="1 kg", at_most="9 kg")
GIVEN = case(
    demand("metal", "civil", 20, 30), orders=[{"id": "po", "offer": "au-metal", "quantity": 5, "arrives": "2026-01-01"}]
)


@pytest.mark.parametrize(
    "altered",
    [
        change(limit="cap", at="80 %"),
        change(limit="cap", at=0.5),
        change(limit="purse", at="400 USD"),
        change(order="po", quantity="9 kg"),
        change(want="metal", end_use="defense", per_year="7 kg", shortage_price="500 USD/kg"),
        change(want="metal", end_use="civil", called="more", quantities=[3, 0], shortage_price="500 USD/kg"),
    ],
    ids=lambda one: one.told,
)
def test_what_changes_costs_what_the_changed_case_costs(altered: Change) -> None:
    """Asked of a session, and planned from the start."""
    found = planned(GIVEN, metals(), CAP, PURSE)
    wanted = planned(GIVEN, metals(), CAP, PURSE, changes=[altered])
    assert float(found.session.after(altered).cost.objective) == pytest.approx(float(wanted.cost.objective))
    assert float(found.cost.objective) != pytest.approx(float(wanted.cost.objective))


@pytest.mark.parametrize(
    ("altered", "message"),
    [
        (change(limit="cap", at="160 %"), "is no figure of rule `cap`"),
        (change(limit="purse", at="5 EUR"), "are in EUR"),
        (change(limit="floor", at="5 kg"), "states no figure of its own, or several"),
        (change(limit="none", at="5 kg"), "names no rule in use"),
        (change(order="none", quantity="5 kg"), "names nothing in the case"),
        (change(want="unobtainium", end_use="civil", per_year="5 kg"), "names nothing in the case"),
        (change(want="metal", end_use="civil", called="metal-civil", per_year="5 kg"), "the case has a demand"),
        (change(want="metal", end_use="civil", quantities=[5]), "the plan has 2 periods"),
    ],
)
def test_what_cannot_be_is_refused(altered: Change, message: str) -> None:
    """With what is wrong."""
    assert message in refused(planned, GIVEN, metals(), CAP, PURSE, FLOOR, changes=[altered])[0].message


def test_a_question_refuses_a_demand_that_no_part_of_the_plan_has() -> None:
    """Nothing in the plan reaches salt: the demand would be lost without a word."""
    found = planned(GIVEN, metals())
    with pytest.raises(InputError, match="a question cannot add a demand"):
        found.session.after(change(want="salt", end_use="civil", per_year="5 kg", shortage_price="500 USD/kg"))


def test_a_rule_stays_what_it_is_but_for_its_figure() -> None:
    """Phases, scope and penalty."""
    from friendshore.rules.amend import with_figure

    given: Rule = rule(MaxShare, id="cap", by="supplier", share="60 %", penalty=5, phases=[{"from": "2027-01-01"}])
    assert with_figure(given, "25 %") == given.but(share=with_figure(given, "25 %").share)
    assert float(with_figure(given, "25 %").share) == 0.25
