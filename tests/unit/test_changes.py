"""Changes: what every subject does, how scenarios and bills apply them, how they are stated in a line, and what they make of rules and limits."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from friendshore.case import parse_changes
from friendshore.domain.case import Assume, Scenario
from friendshore.domain.change import Change
from friendshore.domain.facts import CapacityStep, Catalog, Status
from friendshore.domain.time import Span
from friendshore.errors import InputError
from friendshore.problem.changes import apply_changes, scenario_changes
from friendshore.rules.amend import amended, with_figure
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds import ExportControl
from friendshore.rules.kinds.limits import Budget, MaxChurn, MaxShare, StockLevel
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


def change(**fields: Any) -> Change:
    """A change."""
    return Change.model_validate(fields)


def after(given: Any, facts: Catalog, *changes: dict[str, Any], rules: Any = ()) -> dict[str, float]:
    """Kilograms bought by offer after some changes."""
    return bought(planned(given, facts, *rules, changes=[change(**one) for one in changes]))


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
    facts = catalog(
        facility("cn", "CN", operator="Cheap Ltd", parent="Cheap Group"), source("CN", 10), source("AU", 50)
    )
    assert after(unstored(100), facts, {"remove": name}) == ({left: 100} if left else {})


LEAD = catalog(source("CN", 1).but(price=None), source("AU", 50))
ASSUMED = unstored(100, assume={"offer": [{"id": "cn-metal", "price": price(10)}]})
ON_ITS_WAY = unstored(100, orders=[{"offer": "cn-metal", "quantity": 30, "arrives": "2026-03-01"}])
YEARLY = unstored(1).but(demands=(demand("metal", "civil", per_year=Decimal(40)).but(quantities=()),))
BUILDING = catalog(facility("cn", "CN", 100, status="construction"), source("CN", 10))
BY_LICENSE = ExportControl.model_validate({"id": "control", "exporters": ["CN"], "effect": "license"})
GRANTED = unstored(100, assume=Assume(license={"civil": "granted"}))
OF_ITS_OWN = catalog(facility("cn", "CN", per_year=1000), source("CN", 10, max_per_year=30), source("AU", 50))


@pytest.mark.parametrize(
    ("given", "facts", "change", "expected"),
    [
        pytest.param(unstored(100, 100), metals(), {"remove": "cn", "from": "2027-01-01"}, {"cn-metal": 100, "au-metal": 100}, id="orders before the day stay"),
        pytest.param(unstored(100, 100), metals(), {"remove": "cn", "from": "2026-12-31"}, {"au-metal": 200}, id="a day within a period"),
        pytest.param(ASSUMED, LEAD, {"price": "metal", "factor": 1}, {"cn-metal": 100}, id="a lead with an assumed price"),
        pytest.param(ASSUMED, LEAD, {"remove": "cn-metal"}, {"au-metal": 100}, id="its assumption is no matter once removed"),
        pytest.param(ON_ITS_WAY, metals(), {"remove": "country:CN"}, {"au-metal": 70}, id="an order already placed still comes"),
        pytest.param(unstored(100), metals(benchmark()), {"price": "bench", "factor": 1}, {"cn-metal": 100}, id="no mistake"),
        pytest.param(YEARLY, metals(), {"demand": "metal", "factor": 1.5}, {"cn-metal": 60}, id="a demand a year"),
        pytest.param(unstored(10), metals(), {"demand": "metal", "per_year": "40 kg/year"}, {"cn-metal": 40}, id="stated anew"),
        pytest.param(unstored(100), BUILDING, {"price": "metal", "factor": 1}, {}, id="construction counts for nothing"),
        pytest.param(unstored(100), BUILDING, {"accept": "construction", "factor": 0.25}, {"cn-metal": 25}, id="accepted at a quarter"),
        pytest.param(GRANTED, metals(), {"price": "metal", "factor": 1}, {"cn-metal": 100}, id="a license taken as granted"),
        pytest.param(GRANTED, metals(), {"revoke": "civil"}, {"au-metal": 100}, id="and revoked"),
        pytest.param(unstored(100), OF_ITS_OWN, {"capacity": "cn", "per_year": 20}, {"cn-metal": 20, "au-metal": 80}, id="a plant"),
        *(
            pytest.param(unstored(100, 100), OF_ITS_OWN, {"capacity": "offer:cn-metal", **how}, {"cn-metal": kilograms, "au-metal": 200 - kilograms}, id=str(how))
            for how, kilograms in (({"factor": 1}, 60), ({"factor": 2}, 120), ({"per_year": 10}, 20), ({"quantity": 45}, 45), ({"per_year": 40, "quantity": 45}, 45))
        ),
    ],
)  # fmt: skip
def test_what_is_bought_after_a_change(
    given: Any, facts: Catalog, change: dict[str, Any], expected: dict[str, float]
) -> None:
    """China sells at 10, in a case of licenses for civil use that the case takes as granted; Australia at 50."""
    rules = [BY_LICENSE] if given is GRANTED else []
    assert after(given, facts, change, rules=rules) == expected


BY_BENCHMARK = catalog(
    source("CN", price(None, benchmark="bench", premium=Decimal("0.25"))), source("AU", 50), benchmark()
)


@pytest.mark.parametrize(
    ("change", "offer", "cost"),
    [
        # China sells at a benchmark of 8 with a premium of 25%, Australia at 50. 8 x 6 x 1.25 = 60.
        ({"price": "cn-metal", "factor": 6}, "au-metal", 5000),
        ({"price": "metal", "factor": 6}, "cn-metal", 6000),
        ({"price": "bench", "factor": 6}, "au-metal", 5000),
        ({"price": "bench", "amount": "32 USD/kg"}, "cn-metal", 4000),
    ],
    ids=["offer", "material", "benchmark", "benchmark stated anew"],
)
def test_price_changes_what_it_names(change: dict[str, Any], offer: str, cost: int) -> None:
    """Six times dearer: Australian metal is bought, or all metal is as much dearer."""
    found = planned(unstored(100), BY_BENCHMARK, changes=[Change.model_validate(change)])
    assert (bought(found), float(found.cost.price)) == ({offer: 100}, cost)


CAP = rule(MaxShare, id="cap", by="country", share="60%", of="purchases")
PURSE = rule(Budget, id="purse", amount=3000)
FLOOR = rule(StockLevel, id="floor", materials=["metal"], at_least="1 kg", at_most="9 kg")
GIVEN = case(
    demand("metal", "civil", 20, 30),
    orders=[{"id": "po", "offer": "au-metal", "quantity": 5, "arrives": "2026-01-01"}],
    assume=Assume(license={"civil": "granted"}),
)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"capacity": "offer:nobody", "factor": 2}, "expected an offer"),
        ({"capacity": "offer:au-metal", "factor": 2}, "FS259"),
        ({"capacity": "offer:cn-metal", "status": "idle"}, r"\[status\]: FS258"),
        ({"capacity": "offer:cn-metal", "factor": 2, "from": "2027-01-01"}, r"\[from\]: FS258"),
        ({"capacity": "cn", "quantity": 5}, r"\[quantity\]: FS258"),
        ({"revoke": "defense"}, r"an end use of \[assume.license\]: civil"),
        ({"demand": "metal", "shortage_price": "5 EUR/kg"}, "FS260.*5 EUR/kg"),
        ({"demand": "metal", "quantities": [3]}, "FS249"),
        ({"price": "cn-metal", "date": "2027-01-01", "factor": 2}, "expected a benchmark"),
        # What holds for the whole plan takes no dates.
        ({"price": "metal", "factor": 2, "from": "2027-01-01"}, "2027-01-01"),
        ({"demand": "metal", "factor": 2, "until": "2027-01-01"}, "2027-01-01"),
        ({"accept": "idle", "factor": 1, "from": "2027-01-01"}, "2027-01-01"),
        ({"remove": "cn", "until": "2027-01-01"}, "2027-01-01"),
        # Limits, orders, and new demand.
        ({"limit": "cap", "at": "160%"}, "FS012 rule `cap`"),
        ({"limit": "purse", "at": "5 EUR"}, "FS305"),
        ({"limit": "floor", "at": "5 kg"}, "FS303"),
        ({"limit": "none", "at": "5 kg"}, "FS302"),
        ({"order": "none", "quantity": "5 kg"}, "FS241"),
        ({"want": "unobtainium", "end_use": "civil", "per_year": "5 kg"}, "FS241"),
        ({"want": "metal", "end_use": "civil", "called": "metal-civil", "per_year": "5 kg"}, "FS243"),
        ({"want": "metal", "end_use": "civil", "quantities": [5]}, "FS249"),
    ],
    ids=str,
)
def test_what_would_be_read_past_is_refused(changed: dict[str, Any], told: str) -> None:
    """It is said, rather than another plan made than was asked for."""
    with pytest.raises(InputError, match=told):
        planned(GIVEN, OF_ITS_OWN, CAP, PURSE, FLOOR, changes=[change(**changed)])


def test_an_offer_without_a_price_has_none_to_multiply() -> None:
    """It exists, so its name isn't called unknown. A price that the change states is accepted."""
    facts = catalog(source("AU", 50), source("JP", 10).but(price=None))
    with pytest.raises(InputError, match=r"\[price\]: FS259"):
        planned(unstored(100), facts, changes=[change(price="jp-metal", factor=2)])
    stated = change(price="jp-metal", amount="20 USD/kg")
    assert bought(planned(unstored(100), facts, changes=[stated])) == {"jp-metal": 100}


def test_a_question_refuses_a_demand_that_no_part_of_the_plan_has() -> None:
    """Nothing in the plan reaches salt: the demand would be lost without a word."""
    salt = change(want="salt", end_use="civil", per_year="5 kg", shortage_price="500 USD/kg")
    with pytest.raises(InputError, match="FS268"):
        planned(GIVEN, metals()).session.what_if(salt)


def test_an_offer_that_is_bought_from_today_can_be_removed() -> None:
    """What is bought of it today is then lost, all of it, and a limit on churn says so."""
    given = unstored(100, incumbents=[{"offer": "cn-metal", "per_year": 50}])
    churn = MaxChurn(id="c", share=Decimal("0.5"), per="horizon", penalty=Decimal(1))
    found = planned(given, metals(), churn, changes=[Change(remove="cn-metal")])
    assert (bought(found), found.cost.penalties) == ({"au-metal": 100}, 25)


@pytest.mark.parametrize("how", [{"amount": "40 USD/kg"}, {"factor": 5}], ids=["stated", "multiplied"])
def test_one_price_of_a_benchmark_changes_from_its_day_on(how: dict[str, Any]) -> None:
    """China sells at the benchmark of the day: 8, and 10 from 2027 on. With 40 in the place of 10 only the second year is dearer; Australia sells at 50."""
    rows = [benchmark(8, date(year, 1, 1)) for year in (2026, 2027)]
    facts = catalog(source("CN", price(None, benchmark="bench")), source("AU", 50), *rows)
    dated = {day: Change.model_validate({"price": "bench", "date": day, **how}) for day in ("2027-01-01", "2028-01-01")}
    found = planned(unstored(100, 100), facts, changes=[dated["2027-01-01"]])
    assert (bought(found), float(found.cost.price)) == ({"cn-metal": 200}, 800 + 4000)
    with pytest.raises(InputError, match=r"FS259.*expected one of 2026-01-01, 2027-01-01"):
        planned(unstored(100), facts, changes=[dated["2028-01-01"]])


@pytest.mark.parametrize(("stated", "missing"), [(51, 0), (49, 100)])
def test_a_stated_price_of_shortage_says_what_is_not_worth_buying(stated: int, missing: float) -> None:
    """At 50 Australia's metal is bought for who would pay 51 rather than go without, and not for who would pay 49."""
    change = Change.model_validate({"demand": "metal", "shortage_price": f"{stated} USD/kg"})
    found = planned(unstored(100), catalog(source("AU", 50)), changes=[change])
    assert sum(short(found).values()) == missing
    assert float(found.cost.shortage) == missing * stated


def alike(*more: Any) -> Catalog:
    """An offer that is called as the metal is, beside another of the metal; both sell at a benchmark of that name."""
    by_benchmark = price(None, benchmark="metal", premium=Decimal("0.5"))
    sold = source("CN", 10).but(id="metal"), source("AU", by_benchmark)
    return catalog(facility("cn", "CN", operator="metal"), *sold, benchmark(name="metal"), *more)


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
            "FS257.* an offer and a material and a benchmark.*`offer:metal` or `material:metal` or `benchmark:metal`",
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
    facts = alike(*sites, source("CA", 90, plant="lead"), source("MX", 95, plant="other"))
    given = case(demand("metal", "civil", 100, id="civil"), demand("metal", "civil", 50, id="other"))
    with pytest.raises(InputError, match=expected):
        planned(given, facts, changes=[Change.model_validate(change)])


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
    ("name", "wanted"),
    [("metal-civil", [30, 20]), ("metal", [30, 60]), ("civil", [30, 20]), ("metal/defense/US", [10, 60])],
    ids=["demand", "material", "end use", "a demand without an id, as reports print it"],
)
def test_demand_is_multiplied(name: str, wanted: list[int]) -> None:
    """One demand, all of a material, or all of an end use: three times as much."""
    given = case(demand("metal", "civil", 10), demand("metal", "defense", 20, id=""))
    given, _, _ = altered(given, metals(), (), Change(demand=name, factor=Decimal(3)))
    assert [one.quantities[0] for one in given.demands] == wanted


@pytest.mark.parametrize(
    ("phases", "change", "chinese"),
    [
        # Defense metal for 2026, 2027 and 2028; years in which Chinese metal may be bought.
        ([{"status": "pending"}], {"enable": "ban"}, set()),
        ([{"status": "unknown"}], {"enable": "ban"}, set()),
        ([{"status": "suspended"}], {"enable": "ban"}, {"2026", "2027", "2028"}),
        ([{"status": "pending"}], {"enable": "ban", "from": "2028-01-01"}, {"2026", "2027"}),
        ([{}], {"disable": "ban"}, {"2026", "2027", "2028"}),
        ([{}], {"disable": "ban", "from": "2027-01-01", "until": "2027-12-31"}, {"2027"}),
        ([{}], {"move": "ban", "from": "2028-01-01"}, {"2026", "2027"}),
        ([{"from": "2026-01-01"}], {"move": "ban", "until": "2026-12-31"}, {"2027", "2028"}),
        ([{"until": "2027-12-31"}], {"move": "ban", "from": "2027-01-01"}, {"2026", "2028"}),
    ],
    ids=[
        "pending", "unknown", "suspended", "enable from", "disable", "disable within", "move from", "move until",
        "a move keeps the end",
    ],
)  # fmt: skip
def test_rules_are_switched_and_moved(phases: list[dict[str, str]], change: dict[str, str], chinese: set[str]) -> None:
    """`enable`, `disable` and `move` decide in which years a ban applies."""
    rule = ban(*METAL, phases=phases)
    given = case(demand("metal", "defense", 10, 10, 10), stores=(store("metal", 0, limit=0),))
    found = planned(given, metals(), rule, changes=[Change.model_validate(change)])
    assert {p.delivered for p in found.run.purchases if p.offer == "cn-metal"} == chinese


def test_changes_apply_in_order() -> None:
    """A demand doubled and then stated anew is as stated; a status changed twice is the last one."""
    twice = [Change(demand="metal", factor=Decimal(2)), Change(demand="metal", quantities=(Decimal(3), Decimal(4)))]
    steps = [Change(capacity="cn", status=status) for status in (Status.IDLE, Status.RAMPING)]
    given, facts, _ = altered(unstored(7, 8), metals(), (), *twice, *steps)
    assert given.demands[0].quantities == (3, 4)
    assert [f.capacity[0].status for f in facts.facilities if f.id == "cn"] == [Status.RAMPING]
    with pytest.raises(ValueError, match="FS027"):
        Change(demand="metal", factor=Decimal(2), per_year=Decimal(2))


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
    facts = catalog(facility("cn", "CN", capacity=()), source("CN", 10))
    for change in ({"factor": "0.5"}, {"delay": 6}, {"status": "idle"}):
        with pytest.raises(InputError, match="FS259"):
            altered(unstored(1), facts, (), Change.model_validate({"capacity": "cn", **change}))
    _, stated, _ = altered(unstored(1), facts, (), Change(capacity="cn", per_year=Decimal(4)))
    assert [step.per_year for step in stated.facilities[0].capacity] == [Decimal(4)]


def scenario(name: str, *inherits: str) -> Scenario:
    """A scenario that doubles the demand."""
    return Scenario(name=name, inherits=inherits, change=(Change(demand="metal", factor=Decimal(2), why=name),))


def test_scenarios_inherit_parents_first_and_each_once() -> None:
    """A diamond: the grandparent's changes come first and are not applied twice."""
    given = unstored(5, scenarios=(scenario("d", "b", "c"), scenario("b", "a"), scenario("c", "a"), scenario("a")))
    assert [c.why for c in scenario_changes(given, ("d",))] == ["a", "b", "c", "d"]
    assert [c.why for c in scenario_changes(given, ("c", "d"))] == ["a", "c", "b", "d"]
    assert bought(planned(given, metals(), scenario="d")) == {"cn-metal": 80}  # 5 x 2^4


def test_circles_and_unknown_scenarios_are_refused() -> None:
    """In memory as in a file; a bill likewise, directly or through another."""
    with pytest.raises(ValidationError, match="the scenario inherits from itself"):
        unstored(1, scenarios=(scenario("a", "b"), scenario("b", "a")))
    given = unstored(1, scenarios=(scenario("no-china"),))
    assert "no-china" in refused(scenario_changes, given, ("no-chian",))[0].fix
    bills = [bill("a", {"enable": "b"}), bill("b", {"enable": "a"})]
    with pytest.raises(InputError, match="enables itself"):
        apply_changes([Change(enable="a")], unstored(1), [metals()], [], bills)


def bill(name: str, *changes: dict[str, Any]) -> LegislativeBill:
    """A bill of some changes."""
    return LegislativeBill(id=name, title=name, change=tuple(Change.model_validate(c) for c in changes))


def test_a_bill_changes_rules_and_other_facts() -> None:
    """`enable` with a bill's id moves the ban to 2026 and doubles the price of what is left, through a bill within a bill; not another rule."""
    outer = bill("outer", {"enable": "inner"}, {"price": "au-metal", "factor": 2})
    inner = bill("inner", {"enable": "ban"}, {"demand": "metal", "factor": 3})
    bans = [ban(*METAL, id=name, phases=[{"status": "pending"}]) for name in ("ban", "other")]
    given = case(demand("metal", "defense", 10))
    changed, catalogs, rules = apply_changes([Change(enable="outer")], given, [metals()], bans, [outer, inner])
    assert changed.demands[0].quantities == (Decimal(30),)
    assert [o.price.amount for o in catalogs[0].offers if o.id == "au-metal"] == [Decimal(100)]
    assert [p.status for rule in rules for p in rule.phases] == [PhaseStatus.ENACTED, PhaseStatus.PENDING]
    assert bought(planned(changed, catalogs, *rules)) == {"jp-metal": 30}


def test_nothing_given_is_changed_in_place() -> None:
    """The case and catalogs stay as they were: the same ones may be planned again."""
    given, facts = unstored(100), metals()
    before = given.model_dump_json(), facts.model_dump_json()
    assert after(given, facts, {"remove": "cn"}, {"demand": "metal", "factor": 2}) == {"au-metal": 200}
    assert (given.model_dump_json(), facts.model_dump_json()) == before


READ = {
    "disable=china-halt": {"disable": "china-halt"},
    " capacity = plant , factor = 50%, from=2027-07-01 ": {"capacity": "plant", "factor": 0.5, "from": "2027-07-01"},
    "price=bench, amount=5 USD/kg, date=2026-06-30": {"price": "bench", "amount": 5, "currency": "USD", "date": "2026-06-30"},
    "demand=radar, shortage_price=500 EUR/kg": {"demand": "radar", "shortage_price": 500, "currency": "EUR"},
    "price=outside:CN, amount=500 EUR/kg": {"price": "outside:CN", "amount": 500, "currency": "EUR"},
    "stock=tungsten, quantity=5 t, countries=US;CA": {"stock": "tungsten", "quantity": 5000, "countries": ["US", "CA"]},
    "remove=supplier:Acme, Inc., from=2027-01-01": {"remove": "supplier:Acme, Inc.", "from": "2027-01-01"},
    "lift=lot, why=as if, for once": {"lift": "lot", "why": "as if, for once"},
    "accept=announced,factor=1": {"accept": "announced", "factor": 1},
    "demand=defense, delay=2 quarters": {"demand": "defense", "delay": 6},
}  # fmt: skip
REFUSED = {
    "disable": "expected SUBJECT=NAME, KEY=VALUE", "disable=": "expected SUBJECT=NAME, KEY=VALUE", "": "FS011",
    "disabel=x": "did you mean `disable`?", "capacity=x, factor=a lot": "expected a share",
    "factor=2": "exactly one of enable", "remove=a, price=b, factor=2": "exactly one of enable",
    "price=x": "FS026 `price` requires `factor` or `amount`",
    "capacity=x, factor=2, date=2026-06-30": "FS029 `date`",
    "price=x, factor=2, shortage_price=5 USD/kg": "FS029 `shortage_price`",
    "disable=x, factor=2": "FS029", "disable=x, disable=y": "FS202",
    "disable=x, from=2028-01-01, until=2027-01-01": "`until` (2027-01-01)",
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_line_is_read_as_a_table_of_a_case_file_is(text: str) -> None:
    """Keys, amounts with units, lists and dates are those of a scenario's `change` tables; a comma within a name is no end of it."""
    assert parse_changes([text]) == (Change.model_validate(READ[text]),)


@pytest.mark.parametrize("text", REFUSED)
def test_what_makes_no_change_is_refused_with_its_line(text: str) -> None:
    """The same diagnostics as of a file, told of the option; one mistake does not hide another."""
    with pytest.raises(InputError) as caught:
        parse_changes([text, "disable=fine", "nothing"])
    assert f"--change '{text}'" in str(caught.value)
    assert REFUSED[text] in str(caught.value)
    assert "--change 'nothing'" in str(caught.value)


FIRST = date(2026, 1, 1)


DAY = st.one_of(st.none(), st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n)))


@given(start=DAY, end=DAY, cut_start=DAY, cut_end=DAY)
def test_disabling_takes_just_the_days_named(
    start: date | None, end: date | None, cut_start: date | None, cut_end: date | None
) -> None:
    """On each single day the rule holds after the change if it held before and the day was not named."""
    assume(not (start and end and start > end) and not (cut_start and cut_end and cut_start > cut_end))
    before = Rule(kind="test", id="r", phases=(Phase(start=start, end=end),))
    (after,) = amended([before], [change(disable="r", **{"from": cut_start, "until": cut_end})])
    cut = Span(start=cut_start, end=cut_end)
    for number in range(-2, 24):
        day = Span(start=FIRST + timedelta(days=number), end=FIRST + timedelta(days=number))
        held, holds = (one.applies(day, frozenset({PhaseStatus.ENACTED})) for one in (before, after))
        assert holds is (held and not cut.covers(day))


@pytest.mark.parametrize(
    "altered",
    [
        change(limit="cap", at="80%"),
        change(limit="cap", at=0.5),
        change(limit="purse", at="400 USD"),
        change(order="po", quantity="9 kg"),
        change(want="metal", end_use="defense", per_year="7 kg", shortage_price="500 USD/kg"),
        change(want="metal", end_use="civil", called="more", quantities=[3, 0], shortage_price="500 USD/kg"),
    ],
    ids=lambda one: one.text,
)
def test_what_changes_costs_what_the_changed_case_costs(altered: Change) -> None:
    """Asked of a session, and planned from the start."""
    found = planned(GIVEN, metals(), CAP, PURSE)
    wanted = planned(GIVEN, metals(), CAP, PURSE, changes=[altered])
    assert float(found.session.what_if(altered).cost.objective) == pytest.approx(float(wanted.cost.objective))
    assert float(found.cost.objective) != pytest.approx(float(wanted.cost.objective))


def test_a_rule_stays_what_it_is_but_for_its_figure() -> None:
    """Phases, scope and penalty."""
    given = rule(MaxShare, id="cap", by="supplier", share="60%", penalty=5, phases=[{"from": "2027-01-01"}])
    assert with_figure(given, "25%") == given.but(share=Decimal("0.25"))
