"""The dates on which compliance changes: stretches, cliffs, and what heals them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from threading import Event
from typing import Any, Literal

import pytest
from tests.building import (
    METAL,
    SOURCE,
    ban,
    case,
    catalog,
    chain,
    changed,
    demand,
    facility,
    metals,
    opened,
    rule,
    source,
    stock,
    unwrapped,
)

from friendshore.document.terminal import plain_text
from friendshore.domain.case import OrderSpec, WaiverSpec
from friendshore.domain.facts import CapacityStep, Quote, Status
from friendshore.domain.time import Horizon, PeriodLength, Span
from friendshore.domain.use import Chained, Move, Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds.limits import Budget, Cover, MaxShare, MinDelivered, MinShare
from friendshore_reasons.calendar.document import calendar_document
from friendshore_reasons.calendar.search import Calendar, Cause, calendar, day_of


def a_year(amount: float, end_use: str = "defense", **more: Any) -> Any:
    """Three years from 2026 on of a steady demand for metal."""
    steady = demand("metal", end_use, **{"per_year": Decimal(str(amount)), **more})
    return case(steady, count=3)


def cliffs(found: Calendar) -> list[tuple[str, str, str, str]]:
    """First day short, first day met, and what causes and heals it, with a `+` where it takes all of them, of every cliff."""

    def words(causes: Sequence[Cause]) -> str:
        return " ".join(f"{'' if cause.alone else '+'}{cause.kind}:{cause.name}" for cause in causes)

    return [
        (str(cliff.start), str(cliff.resolved), words(cliff.caused_by), words(cliff.resolved_by))
        for cliff in found.cliffs
    ]


def grown(name: str, country: str, *steps: tuple[str, float]) -> Any:
    """A plant whose capacity changes: first days and kilograms a year; the first since ever."""
    found = (
        CapacityStep(start=day or None, per_year=Decimal(str(amount)), status=Status.OPERATING, source=SOURCE)
        for day, amount in steps
    )
    return facility(name, country, capacity=tuple(found))


def text(found: Calendar, *, every: bool = False) -> str:
    """The report as it is printed."""
    return plain_text(calendar_document(found, every=every), 100)


GROWING = catalog(grown("au", "AU", ("", 4), ("2028-04-01", 30)), source("CN", 10), source("AU", 50))


def test_a_ban_is_a_cliff_and_new_capacity_heals_it() -> None:
    """China may deliver until the ban; 4 of 10 kg can then be had, and all once Australia has grown."""
    answer = calendar(opened(a_year(10), GROWING, ban(*METAL)))
    assert [(str(interval.start), str(interval.end), bool(interval.short)) for interval in answer.intervals] == [
        ("2026-01-01", "2026-12-31", False),
        ("2027-01-01", "2028-03-31", True),
        ("2028-04-01", "2028-12-31", False),
    ]
    assert [float(interval.spent) for interval in answer.intervals] == [100, 200, 500]
    (cliff,) = answer.cliffs
    assert (cliff.short, cliff.wanted, [cause.kinds for cause in cliff.causes]) == (6, 10, ["law", "capacity"])
    assert cliffs(answer) == [("2027-01-01", "2028-04-01", "rule:ban", "facility:au")]
    assert [line.rstrip() for line in text(answer, every=True).strip().splitlines()] == GOLDEN.strip().splitlines()


class Season(Rule):
    """A plugin's kind: nobody but one country may deliver, while it holds."""

    kind: Literal["season"] = "season"
    country: str = "AU"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        passes = offer.facility.country == self.country
        return Verdict(rule=self.id, result=Result.PASS if passes else Result.FAIL)


QUOTES = [
    Quote(start=date(year, 1, 1), end=date(year, 12, 31), amount=Decimal(amount), currency="USD", source=SOURCE)
    for year, amount in ((2027, 70), (2028, 90))
]
CN_ENDS = changed(metals(au=0), "cn-metal", end=date(2026, 6, 30))
WAIVER = WaiverSpec(rule="ban", quantity=Decimal(30), start=date(2026, 3, 1), end=date(2026, 9, 30))
CLIFFS = {
    "from the start to the end": (
        a_year(10), catalog(facility("au", "AU", 4), source("AU", 50)), [], [("2026-01-01", "None", "", "")], [200],
    ),
    "an offer that ends, and one that begins, with its quotation of each year": (
        a_year(10), changed(CN_ENDS, "jp-metal", price=None, quotes=QUOTES), [],
        [("2026-07-01", "2027-01-01", "offer:cn-metal", "offer:jp-metal")], [100, 0, 700, 900],
    ),
    "two bans against one plant": (
        a_year(10), catalog(source("CN", 10)), [ban(*METAL), ban(*METAL, id="second")],
        [("2027-01-01", "None", "+rule:ban +rule:second", "")], [100, 0],
    ),
    "a waiver, and qualification after 18 months": (
        a_year(10, end=date(2028, 6, 30)).but(waivers=(WAIVER,)), catalog(source("CN", 10), source("AU", 50, qualification=Decimal(18))), [ban(*METAL, start=None)],
        [("2026-01-01", "2026-03-01", "", "waiver:waiver:ban:*"), ("2026-10-01", "2027-07-01", "waiver:waiver:ban:*", "offer:au-metal")], [0, 100, 0, 500, 0],
    ),
    "a plugin's dated phases": (
        a_year(10), metals(au=4), [Season(id="season", phases=(Phase(start=date(2026, 5, 1), end=date(2027, 1, 31)),))],
        [("2026-05-01", "2027-02-01", "rule:season", "rule:season")], [100, 200, 100],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "facts", "rules", "expected", "spent"), CLIFFS.values(), ids=CLIFFS)
def test_what_causes_and_heals_a_shortage(
    given: Any, facts: Any, rules: list[Rule], expected: list[Any], spent: list[float]
) -> None:
    """Each date, with what does it alone or only together. What was there from the start has no cause."""
    answer = calendar(opened(given, facts, *rules))
    assert (cliffs(answer), [float(interval.spent) for interval in answer.intervals]) == (expected, spent)
    assert [cliff.from_start for cliff in answer.cliffs] == [start == "2026-01-01" for start, *_ in expected]
    assert str(answer.stretches[-1].end) == str(given.demands[0].end or "2028-12-31")


@pytest.mark.parametrize(
    ("law", "left_out", "costs"),
    [
        (rule(Cover, id="cover", materials=["metal"], days=90), ("cover",), [("2026-01-01", 100)]),
        # A cap of 40% on Chinese use from 2027 leaves 6 of 10 kg to Australia at 50; a floor of 20% on Australian use leaves it 2 kg.
        (rule(MaxShare, countries=["CN"], share="40%", counts="used", phases=[{"from": "2027-01-01"}]), (), [("2026-01-01", 100), ("2027-01-01", 4 * 10 + 6 * 50)]),
        (rule(MinShare, countries=["AU"], share="20%", counts="used"), (), [("2026-01-01", 2 * 50 + 8 * 10)]),
    ],
    ids=["a rule about stock, which is not carried", "cap", "floor"],
)  # fmt: skip
def test_limits_are_kept_in_every_stretch_or_left_out_and_named(
    law: Rule, left_out: tuple[str, ...], costs: list[tuple[str, float]]
) -> None:
    """Those about stock are left out."""
    answer = calendar(opened(a_year(10), metals(), law))
    assert (
        answer.rules_not_considered,
        [(str(interval.start), float(interval.spent)) for interval in answer.intervals],
    ) == (
        left_out,
        costs,
    )
    assert all(name in text(answer) for name in left_out)


@pytest.mark.parametrize(
    ("amount", "per", "length", "count", "yearly"),
    [(60, "year", "year", 3, 60), (15, "period", "quarter", 12, 60), (180, "horizon", "year", 3, 60), (20, "period", "quarter", 12, 80)],
)  # fmt: skip
def test_a_budget_holds_in_each_stretch_at_what_it_is_a_year(
    amount: int, per: str, length: str, count: int, yearly: int
) -> None:
    """10 kg a year at 10 each are wanted, and no more may be spent than what comes to 60, or 80, a year."""
    given = case(demand("metal", "civil", per_year=Decimal(10)), count=count, length=length)
    answer = calendar(opened(given, metals(), rule(Budget, id="money", amount=amount, per=per)))
    assert answer.rules_not_considered == ()
    assert [(float(stretch.wanted), float(stretch.short)) for stretch in answer.stretches] == [(10, 10 - yearly / 10)]


def test_a_date_names_the_offers_orders_and_stock_that_it_bars_and_frees() -> None:
    """A ban for defense from 2027, lifted in 2028: the offer with what is bought of it, an order and stock with all their kilograms."""
    on_way = OrderSpec(id="po", offer="cn-metal", quantity=Decimal(7), arrives=date(2026, 5, 1))
    shelf = stock("metal", 3, chain("CN", *METAL), id="shelf")
    phases = [{"from": "2027-01-01", "until": "2027-12-31"}]
    given = a_year(10).but(orders=(on_way,), stocks=(shelf,))
    answer = calendar(opened(given, metals(cn=4), ban(*METAL, phases=phases)))
    assert [(str(c.day), c.effect, c.kind, c.id, float(c.kilograms), c.end_uses) for c in answer.affected] == [
        (day, effect, *what, ("defense",))
        for day, effect in (("2027-01-01", "bars"), ("2028-01-01", "frees"))
        for what in (("order", "po", 7), ("stock", "shelf", 3), ("offer", "cn-metal", pytest.approx(4, abs=0.02)))
    ]
    assert "prohibits order po" in text(answer)


def test_what_is_listed_by_periods_becomes_a_yearly_rate() -> None:
    """5 kg in a quarter are 20 a year, by its days; the last rate goes on after the plan."""
    given = case(demand("metal", "civil", 5, 10), start=date(2026, 1, 1), length="quarter")
    answer = calendar(opened(given, metals()), until=date(2026, 12, 31))
    assert [str(stretch.start) for stretch in answer.stretches] == ["2026-01-01", "2026-04-01"]
    assert [float(stretch.wanted) for stretch in answer.stretches] == pytest.approx(
        [5 * 365 / 90, 10 * 365 / 91], abs=0.001
    )
    assert str(answer.stretches[-1].end) == "2026-12-31"


def test_nothing_is_in_stock_or_on_its_way_and_everything_comes_at_once() -> None:
    """Stock that would last for years, and a plant a year away."""
    given = case(demand("metal", "civil", 10, 10), stocks=(stock("metal", 99, chain("US", *METAL)),))
    (only,) = calendar(opened(given, catalog(facility("au", "AU", 40), source("AU", 50, lead_time=12)))).stretches
    assert (float(only.short), float(only.spent), str(only.end)) == (0, 500, "2027-12-31")


def test_where_other_rules_cannot_hold_together_budgets_are_left_out_and_the_days_named() -> None:
    """Half must be Australian, where nothing is made before 2027: that alone is not planned, and oxide is not drawn into it."""
    facts = catalog(grown("au", "AU", ("2027-03-01", 100)), source("AU", 10), source("CN", 5, "oxide"))
    share = rule(MinShare, id="half", countries=["AU"], stage="mined", share="50%", materials=["metal"])
    wanted = [demand(name, "civil", per_year=Decimal(10), start=date(2026, 1, 1)) for name in ("metal", "oxide")]
    answer = calendar(opened(case(*wanted, count=3), facts, share, rule(Budget, id="money", amount=120)))
    assert [(str(span.start), str(span.end)) for span in answer.beyond_budget] == [("2026-01-01", "2027-02-28")]
    assert [(str(interval.start), sorted(interval.short), float(interval.spent)) for interval in answer.intervals] == [
        ("2026-01-01", ["metal-civil"], 50),
        ("2027-03-01", ["metal-civil"], 120),
    ]
    told = "planned without budgets, because other rules conflict: 2026-01-01 to 2027-02-28"
    assert told in unwrapped(calendar_document(answer))


def test_dates_that_bear_on_nothing_wanted_are_no_dates() -> None:
    """A ban on what nobody sells, another metal's plant, a phase that does not apply."""
    facts = metals(source("CA", 5, "salt", start=date(2027, 5, 1)))
    pending = ban(*METAL, id="bill", phases=(Phase(start=date(2027, 2, 2), status="pending"),))
    assert calendar(opened(a_year(10), facts, ban(*METAL, countries="RU"), pending)).days == 0


def test_each_change_of_law_is_told_by_day_title_and_clause() -> None:
    """That of the first day too, what nobody knows, what is over, and nothing of rules about other goods or other days."""
    phases = (
        Phase(start=date(2026, 1, 1), end=date(2026, 12, 31)),
        Phase(start=date(2027, 1, 1), end=date(2027, 6, 30), status=PhaseStatus.UNKNOWN, note="no notice found"),
    )
    rules = [
        ban("melted", start=None).but(id="new", title="New law", citation="clause 1", phases=phases),
        ban("melted", start=date(2040, 1, 1)).but(id="far"),
        ban("melted", start=date(2027, 1, 1)).but(id="other", forms=("oxide",)),
    ]
    answer = calendar(opened(a_year(10), metals(), *rules))
    assert {(one.rule, one.title, one.clause) for one in answer.law} == {("new", "New law", "clause 1")}
    assert [(str(one.day), one.effect, str(one.until)) for one in answer.law] == [
        ("2026-01-01", "in force", "2026-12-31"),
        ("2027-01-01", "unknown", "2027-06-30"),
        ("2027-07-01", "over", "None"),
    ]
    line = "2027-01-01: new, New law (clause 1): unknown from that day on, until 2027-06-30: no notice found"
    assert line in unwrapped(calendar_document(answer))
    assert "(2027-01-01)" in text(answer).partition("Between the dates")[0]


@pytest.mark.parametrize(("share", "lack"), [("1", 6), ("0.5", 1)])
def test_a_floor_that_is_kept_late_is_no_demand(share: str, lack: float) -> None:
    """4 of 10 kg can be had from the ban to the new capacity: 6 kg are short, not all, and the floor lacks what is below it."""
    floor = MinDelivered(id="floor", title="Deliver", share=Decimal(share))
    answer = calendar(opened(a_year(10), GROWING, ban(*METAL), floor))
    assert [(str(each.start), str(each.end), each.rule, each.lack) for each in answer.floors] == [
        ("2027-01-01", "2028-03-31", "floor", lack)
    ]
    assert [(cliff.short, cliff.wanted) for cliff in answer.cliffs] == [(6, 10)]
    assert "all 10 kg" not in text(answer)
    assert "Floor not kept" in text(answer)


def test_a_suspension_that_lapses_is_dated() -> None:
    """Its end is a date of the calendar though the case doesn't apply what is unknown, and one before the first day is still listed."""

    def suspended(until: date, status: PhaseStatus, **more: Any) -> Rule:
        phases = (Phase(end=until, status=PhaseStatus.SUSPENDED), Phase(start=until + timedelta(1), status=status))
        return ban(*METAL, start=None, **more).but(id=f"lapse-{until.year}", phases=phases)

    before = suspended(date(2025, 11, 27), PhaseStatus.UNKNOWN)
    later = suspended(date(2027, 1, 10), PhaseStatus.UNKNOWN)
    resumes = suspended(date(2028, 1, 10), PhaseStatus.ENACTED, countries="RU")
    answer = calendar(opened(a_year(10), metals(), before, later, resumes))
    assert [(str(change.day), change.rule, change.effect) for change in answer.law] == [
        ("2025-11-28", "lapse-2025", "unknown"),
        ("2027-01-11", "lapse-2027", "unknown"),
        ("2028-01-11", "lapse-2028", "in force"),
    ]
    assert [(str(interval.start), interval.changed) for interval in answer.intervals] == [
        ("2026-01-01", ()),
        ("2027-01-11", ("rule lapse-2027",)),
        ("2028-01-11", ("rule lapse-2028",)),
    ]
    assert "(2027-01-11, 2028-01-11)" in text(answer)


def test_beyond_the_plan() -> None:
    """Capacity that comes after it heals, if one looks so far; a day before it begins is refused."""
    session = opened(a_year(10), catalog(grown("au", "AU", ("", 4), ("2031-01-01", 30)), source("AU", 50)))
    assert [cliff.resolved for cliff in calendar(session).cliffs] == [None]
    assert [cliff.resolved for cliff in calendar(session, until=date(2031, 12, 31)).cliffs] == [date(2031, 1, 1)]
    with pytest.raises(InputError, match="before the plan begins"):
        calendar(session, until=date(2025, 1, 1))
    with pytest.raises(InputError, match="2031-12-31"):
        day_of("soon")


def test_a_stretch_stands_for_a_year() -> None:
    """However many days it has; any wait leads beyond it."""
    horizon = Horizon(start=date(2027, 2, 1), periods=1, period=PeriodLength.QUARTER, until=date(2027, 2, 10))
    (period,) = horizon.periods
    assert (period.years, period.days, horizon.steps(Decimal(0)), horizon.steps(Decimal("0.1"))) == (1, 10, 0, 1)
    assert period.years_within(Span(start=date(2027, 2, 6))) == Decimal("0.5")
    assert (str(horizon.span), horizon.find(date(2027, 2, 11))) == ("2027-02-01..2027-02-10", None)
    for wrong in ({"count": 2}, {"until": date(2027, 1, 31)}):
        with pytest.raises(ValueError, match="one period"):
            Horizon.model_validate({**horizon.model_dump(), **wrong})


def test_a_calendar_that_is_ended_early_says_how_far_it_came() -> None:
    """After the first stretch: nothing is claimed of the others."""
    stop = Event()
    session = opened(a_year(10), metals(au=4, jp=0), ban(*METAL), cancel=stop)
    answer = calendar(session, progress=lambda *_: stop.set())
    assert (answer.stopped, str(answer.until), answer.cliffs) == (True, "2026-12-31", ())
    assert "days after 2026-12-31 are not planned" in text(answer)


GOLDEN = """
From 2026-01-01 to 2028-12-31. Each stretch is planned as a year at its own rates, without stock,
open orders, and lead times. 2 dates change supply, cost, or law from 2026-01-01 to 2028-12-31
(2027-01-01, 2028-04-01).

Shortages
Material  Demand         From               A year  Met again                   Why
metal     metal-defense  2027-01-01  6 kg of 10 kg  2028-04-01, by facility au  rule ban

Between the dates
From        Until       Costs a year, USD     Short  What changes
2026-01-01  2026-12-31                100         –  –
2027-01-01  2028-03-31                200  1 demand  rule ban
2028-04-01  2028-12-31                500         –  facility au

Changes of law
· 2027-01-01: ban (ban (a)): in force from that day on

Orders, stock, and purchases that the dates prohibit or allow
Prohibits or allows       On          By   Of         Quantity  For
prohibits offer cn-metal  2027-01-01  ban  metal  10 kg a year  defense

metal: metal-defense
From        Until       Wanted a year  Short a year  Cause                   USD a year  shared with
2026-01-01  2026-12-31          10 kg             –  –                              100  –
2027-01-01  2028-03-31          10 kg          6 kg  prohibited by ban;             200  –
                                                     capacity
2028-04-01  2028-12-31          10 kg             –  –                              500  –

6 questions asked, 7 independent parts solved, 22% of the parts reused
"""
