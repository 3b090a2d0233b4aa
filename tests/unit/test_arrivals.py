"""Open orders that arrive within a period: what is used before comes from what is there by then, and a plan that says otherwise does not hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.case import Case
from friendshore.domain.facts import CapacityStep, Status
from friendshore.orders.lines import order_lines
from friendshore.recommend import Recommendation
from friendshore.rules.kinds import ExportControl, Tariff
from friendshore.verify import examine
from friendshore.verify.second_derivation import check_order_days

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
    planned,
    rule,
    short,
    source,
    stock,
    store,
)
from ..property.random_cases.facts import in_days

FIRST = date(2027, 1, 1)
LATER = date(2027, 3, 15)
"""73 days of the year, a fifth of it, lie before."""
RULES = (ban("mined", start=None),)


def facts(**more: Any) -> Any:
    """Chinese oxide and metal that can no longer be ordered, and a melter."""
    gone = {"end": date(2025, 1, 1)}
    return catalog(source("CN", 10, **gone), source("CN", 2, "oxide", **gone), maker("AU", 5, needs=1, **more))


def coming(material: str, *arrivals: tuple[float, date], place: str = "") -> list[dict[str, Any]]:
    """Open orders of some kilograms on some days."""
    spec = {"offer": f"cn-{material}", "place": place, "ordered": "2025-01-01"}
    return [{**spec, "quantity": kilograms, "arrives": day} for kilograms, day in arrivals]


def year(*demands: Any, **more: Any) -> Case:
    """The year 2027."""
    return case(*demands, start=FIRST, **more)


def held(kilograms: float) -> Any:
    """Stock that may serve any use."""
    return (stock("metal", kilograms, chain("AU", *METAL)),)


def findings(given: Case, found: Recommendation) -> list[str]:
    """What does not hold of a plan in another case."""
    return [one.message for one in examine(built(given, facts(), *RULES), found.plan.plan)[1]]


@pytest.mark.parametrize(
    ("kilograms", "order", "lacking", "more"),
    [
        (20, (100, LATER), 0, {}),
        (19, (100, LATER), 1, {}),
        (0, (100, LATER), 20, {}),
        (0, (100, FIRST), 0, {}),
        (100 * 72 / 365, (100, date(2027, 3, 14)), 0, {}),
        (0, (50, LATER), 50, {}),  # Nothing is used early; only what is not delivered at all is short.
        (0, (100, LATER), 0, {"start": date(2027, 4, 1)}),  # An order of March is there in time.
    ],
)
def test_what_is_there_lasts_until_an_order_arrives(
    kilograms: float, order: tuple[float, date], lacking: float, more: dict[str, date]
) -> None:
    """100 kg a year, of which a fifth is used in the first 73 days: what stock does not hold of it is short."""
    given = year(demand("metal", "civil", 100, **more), stocks=held(kilograms), orders=coming("metal", order))
    assert sum(short(planned(given, facts())).values()) == pytest.approx(lacking, abs=0.002)


@pytest.mark.parametrize(("day", "lacking"), [(date(2027, 5, 15), 0), (date(2027, 5, 20), 5)])
def test_a_demand_that_is_put_off_is_used_as_much_later(day: date, lacking: float) -> None:
    """A kilogram a day from 15 February to 31 March, three months later: what arrives on 20 May is five days late."""
    dates = {"per_year": Decimal(365), "quantities": (), "start": date(2027, 2, 15), "end": date(2027, 3, 31)}
    orders = coming("metal", (100, day))
    given = case(demand("metal", "civil", **dates, later=3), start=FIRST, length="quarter", count=2, orders=orders)
    spread = 45 / 47  # what 45 days ask for is used on the 47 to the end of June
    assert sum(short(planned(given, facts(), *RULES)).values()) == pytest.approx(lacking * spread, abs=0.01)


def test_a_plan_that_uses_an_order_before_it_arrives_does_not_hold() -> None:
    """The plan for an order of 1 January, of which 20 kg are used by 15 March: 19 kg are there by then, or 20."""

    def asked(kilograms: float, day: date) -> Case:
        orders = coming("metal", (100 - kilograms, day))
        return year(demand("metal", "civil", 100), stocks=held(kilograms), orders=orders)

    assert findings(asked(20, LATER), planned(asked(20, FIRST), facts(), *RULES)) == []
    late = planned(asked(19, FIRST), facts(), *RULES)
    assert findings(asked(19, FIRST), late) == []
    assert findings(asked(19, LATER), late) == [
        "more metal at US (R1) is used before 2027-03-15 than is available by then"
    ]


@pytest.mark.parametrize(("second", "lacking"), [(date(2027, 5, 27), 0), (date(2027, 5, 28), 0.274)])
def test_each_of_several_orders_is_waited_for(second: date, lacking: float) -> None:
    """20 kg last for 73 days, and 20 more to 26 May: what comes on 27 May is in time, and a day later a day's use is short."""
    wanted = demand("metal", "civil", 100)
    given = year(wanted, stocks=held(20), orders=coming("metal", (20, LATER), (60, second)))
    found = planned(given, facts(), *RULES)
    assert sum(short(found).values()) == pytest.approx(lacking, abs=0.001)
    early = planned(year(wanted, stocks=held(20), orders=coming("metal", (20, LATER), (60, LATER))), facts(), *RULES)
    assert (findings(given, early) == []) == (not lacking)


@pytest.mark.parametrize(("kilograms", "lacking"), [(24, 0), (23, 1)])
def test_uses_that_share_stock_are_split_so_that_both_last(kilograms: float, lacking: float) -> None:
    """Stock that defense may use too lasts for it alone, if civil use waits for the Chinese metal: 24 kg of stock, of which 20 are for defense."""
    wanted = demand("metal", "defense", 20), demand("metal", "civil", 20)
    given = year(*wanted, stocks=held(kilograms), orders=coming("metal", (20, LATER)))
    assert sum(short(planned(given, facts(), *RULES)).values()) == pytest.approx(lacking)


def test_a_waiver_lets_one_demand_take_of_two_classes() -> None:
    """Of 40 kg for defense a waiver lets 20 be Chinese, which come in March; 20 kg of stock last for the fifth that is used before."""
    waiver = [{"id": "W", "rule": "ban", "quantity": 20, "demand": "metal-defense"}]

    def asked(day: date) -> Case:
        orders = coming("metal", (20, day))
        return year(demand("metal", "defense", 40), stocks=held(20), orders=orders, waivers=waiver)

    found = planned(asked(LATER), facts(), *RULES)
    assert short(found) == {}
    assert len({one.compliance_class for one in found.run.deliveries}) == 2
    assert findings(asked(date(2027, 7, 2)), found) == []  # half of the year
    assert findings(asked(date(2027, 7, 3)), found) != []


def test_makers_take_their_inputs_when_the_order_goes_out() -> None:
    """A melter three months away is ordered on 1 January for what is wanted from April on: the oxide must be there on that day."""

    def asked(day: date) -> Case:
        orders = coming("oxide", (10, day), place="AU")
        return case(demand("metal", "civil", 0, 10), start=FIRST, length="quarter", orders=orders)

    found = planned(asked(FIRST), facts(lead_time=3))
    assert bought(found) == {"au-melt": 10}
    assert [str(one.order_by) for one in found.run.purchases] == ["2027-01-01"]
    for day, lead, lacking in ((date(2027, 1, 2), 3, 10), (date(2027, 3, 1), 1, 0), (date(2027, 3, 2), 1, 10)):
        assert sum(short(planned(asked(day), facts(lead_time=lead))).values()) == lacking
    problem = built(asked(date(2027, 1, 2)), facts(lead_time=3))
    told = [one.message for one in examine(problem, found.plan.plan)[1]]
    assert told == ["more oxide at AU (R1) is used before 2027-01-02 than is available by then"]


def test_one_class_that_lasts_until_the_arrival_needs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most cases need no linear program to be verified."""
    monkeypatch.setattr("friendshore.verify.arrivals._Stretches._optimal_split", None)
    given = year(demand("metal", "civil", 100, price=100), stocks=held(20), orders=coming("metal", (80, LATER)))
    found = planned(given, facts())
    assert found.verified
    assert not short(found)


def quarters(*quantities: float, **more: Any) -> Case:
    """Quarters of 2027 and later in which metal is wanted for civil use."""
    return case(demand("metal", "civil", *quantities), start=FIRST, length="quarter", **more)


def slow(**more: Any) -> Any:
    """Chinese metal that is 120 days under way."""
    return catalog(source("CN", 10, lead_time=in_days(120), **more))


def days_of(found: Recommendation) -> list[tuple[str, str, bool]]:
    """Offer and day of every order, and whether it is to be placed at once. The plan is checked again from its facts."""
    assert check_order_days(found.plan.ledger, found.plan.costing, found.run.purchases) == []
    return sorted((one.offer, str(one.order_by), one.at_once) for one in found.run.purchases)


def test_what_is_short_already_is_ordered_at_once() -> None:
    """120 days from 1 January are 1 May: two months earlier than for an order of 3 March, which is there on 1 July. What follows can wait."""
    found = planned(quarters(0, 10, 10, 10), slow())
    assert short(found) == {"metal-civil": 10}
    assert days_of(found) == [("cn-metal", "2027-01-01", True), ("cn-metal", "2027-06-03", False)]
    assert [one.late_days for one in found.run.purchases] == [0, 0]
    told = [(str(one.order_by), one.texts["note"]) for one in order_lines(found.session.verified)]
    assert told == [("2027-01-01", "short until it arrives: order at once"), ("2027-06-03", "")]
    assert [str(one.needed_on) for one in order_lines(found.session.verified)] == ["2027-05-01", "2027-10-01"]


FORTY = in_days(40)
CHAINED = catalog(source("CN", 2, "oxide", lead_time=FORTY), maker("AU", 5, needs=1, lead_time=FORTY))
OXIDE_COMES = coming("oxide", (10, date(2027, 2, 10)), place="AU")
BEGINS = CapacityStep(start=date(2027, 2, 1), per_year=Decimal(1000), status=Status.OPERATING, source=SOURCE)
NEW_PLANT = catalog(facility("cn", "CN", capacity=(BEGINS,)), source("CN", 10, lead_time=in_days(28)))
DUTY = rule(Tariff, rate="0.25", origins=["CN"], phases=[{"until": "2027-05-15"}])
EXPORT_BAN = rule(ExportControl, exporters=["CN"], effect="prohibit", phases=[{"until": "2027-05-15"}])
TWO_USES = case(
    demand("metal", "civil", 10, 10, 10, price=1), demand("metal", "defense", 0, 0, 10), start=FIRST, length="quarter"
)
DAYS = {
    # Civil use pays less than the price, so it stays short. The order is for defense, which lacks nothing before July.
    "another demand is short": (TWO_USES, slow(), [], 30, [("cn-metal", "2027-03-03", False)]),
    # An order of 1 January arrives on 1 May. Stock for half of the second quarter lasts until 16 May, for three tenths until 28 April.
    "stock covers the days before": (
        quarters(10, 10, 10, stocks=held(15)), slow(), [], 5, [("cn-metal", "2027-01-01", False)],
    ),
    "stock runs out before": (quarters(10, 10, 10, stocks=held(13)), slow(), [], 7, [("cn-metal", "2027-01-01", True)]),
    "nothing is wanted before July": (quarters(0, 0, 10), slow(), [], 0, [("cn-metal", "2027-03-03", False)]),
    # What is short ended long before the arrival.
    "it can wait": (quarters(10, 0, 0, 10, stores=(store("metal", 0, limit=0),)), slow(), [], 10, [("cn-metal", "2027-06-03", False)]),
    # Oxide reaches a melter; both are counted in quarters, and both go out as soon as they can.
    "inputs of what is short": (
        quarters(10, 10, 10), CHAINED, [], 20, [("au-melt", "2027-04-01", True), ("cn-oxide", "2027-01-01", True)],
    ),
    # The melter is ordered on that day at the earliest, though metal is short.
    "inputs that arrive on 10 February": (
        quarters(10, 10, orders=OXIDE_COMES), facts(lead_time=FORTY), [], 10, [("au-melt", "2027-02-10", True)],
    ),
    # What is short is ordered then, not on 4 March, nor on 1 January.
    "a plant that begins on 1 February": (quarters(10, 10), NEW_PLANT, [], 10, [("cn-metal", "2027-02-01", True)]),
    # Until 15 May either would apply to what arrives on 1 May: the plan, which has neither, keeps the later day.
    "a duty": (quarters(0, 10, 10), slow(), [DUTY], 10, [("cn-metal", "2027-03-03", False)]),
    "an export ban": (quarters(0, 10, 10), slow(), [EXPORT_BAN], 10, [("cn-metal", "2027-03-03", False)]),
}  # fmt: skip


@pytest.mark.parametrize(("given", "facts", "rules", "lacking", "days"), DAYS.values(), ids=DAYS)
def test_the_day_of_an_order(given: Case, facts: Any, rules: list[Any], lacking: float, days: list[Any]) -> None:
    """Offer and day of every order, and whether it is to be placed at once, since something is short until it arrives."""
    found = planned(given, facts, *rules)
    assert sum(short(found).values()) == lacking
    assert days_of(found) == days


@pytest.mark.parametrize(
    ("kilograms", "needed"), [(0, "2027-04-01"), (10, "2027-04-01"), (15, "2027-05-16"), (19.9, "2027-06-30")]
)
def test_an_order_is_needed_when_stock_runs_out(kilograms: float, needed: str) -> None:
    """10 kg a quarter: beyond the first quarter, 5 kg last for 45.5 days. The order goes out for the first day all the same."""
    found = planned(quarters(10, 10, stocks=held(kilograms)), catalog(source("CN", 10, lead_time=3)))
    lines = [(str(line.order_by), str(line.needed_on)) for line in order_lines(found.session.verified)]
    assert lines == [("2027-01-01", needed)]


@pytest.mark.parametrize(("day", "late"), [(date(2027, 2, 1), 0), (date(2027, 3, 4), 62)])
def test_a_day_on_which_the_facts_were_not_known_yet_makes_no_order_late(day: date, late: int) -> None:
    """The catalog is of 1 February: the order of 1 January can wait until 3 March, so it is not late. Looked at on 4 March it is, by 62 days."""
    assert planned(quarters(0, 10, 10), slow().but(as_of=day)).run.purchases[0].late_days == late


def test_a_day_of_order_that_the_records_do_not_give_is_found() -> None:
    """The run says that an order can wait, or that one is to be placed at once that can wait."""
    found = planned(quarters(0, 10, 10, 10), slow())
    for number, told in ((0, {"order_by": date(2027, 3, 3)}), (0, {"at_once": False}), (1, {"at_once": True})):
        forged = list(found.run.purchases)
        forged[number] = forged[number].model_copy(update=told)
        assert len(check_order_days(found.plan.ledger, found.plan.costing, forged)) == 1
