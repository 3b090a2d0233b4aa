"""The dates on which compliance changes: stretches, cliffs, and what heals them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
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
    offer,
    rule,
    source,
    stock,
)

from friendshore.document.terminal import plain_text
from friendshore.domain.case import OrderSpec, WaiverSpec
from friendshore.domain.facts import CapacityStep, Quote, Status
from friendshore.domain.time import Horizon, PeriodLength, Span
from friendshore.domain.use import Chained, Move, Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds.limits import Budget, Cover, MaxShare, MinShare
from friendshore.session import Session
from friendshore_reasons.calendar.document import calendar_document
from friendshore_reasons.calendar.search import Calendar, Cause, calendar, day_of


def opened(given: Any, facts: Any, *rules: Rule) -> Session:
    """A solved case."""
    return Session.open(Inputs(given, (facts,), rules))


def a_year(amount: float, end_use: str = "defense", **more: Any) -> Any:
    """Three years from 2026 on of a steady demand for metal."""
    steady = demand("metal", end_use, **{"per_year": Decimal(str(amount)), **more})
    return case(steady, count=3)


def steps(**from_: float) -> tuple[CapacityStep, ...]:
    """Capacities by first day: `steps(d2027_03_01=5)`; the first since ever."""
    found = []
    for word, amount in from_.items():
        start = date.fromisoformat(word[1:].replace("_", "-")) if word != "ever" else None
        found.append(CapacityStep(start=start, per_year=Decimal(str(amount)), status=Status.OPERATING, source=SOURCE))
    return tuple(found)


def grown(name: str, country: str, **from_: float) -> Any:
    """A plant whose capacity changes."""
    return facility(name, country).model_copy(update={"capacity": steps(**from_)})


def spells(found: Calendar) -> list[tuple[str, str | None]]:
    """First day short and first day met of every cliff."""
    return [(str(cliff.start), cliff.healed and str(cliff.healed)) for cliff in found.cliffs]


def causes(some: Sequence[Cause]) -> list[tuple[str, str, bool]]:
    """Kind, name, and whether it does alone."""
    return [(cause.kind, cause.name, cause.alone) for cause in some]


def text(found: Calendar, *, every: bool = False) -> str:
    """The report as it is printed."""
    return plain_text(calendar_document(found, every=every), 100)


def test_a_ban_is_a_cliff_and_new_capacity_heals_it() -> None:
    """China may deliver until the ban; 4 of 10 kg can then be had, and all once Australia has grown."""
    sites = facility("cn", "CN"), grown("au", "AU", ever=4, d2028_04_01=30)
    facts = catalog(*sites, source("CN", 10), source("AU", 50))
    found = calendar(opened(a_year(10), facts, ban(*METAL)))
    assert [(str(one.start), str(one.end), bool(one.short)) for one in found.intervals] == [
        ("2026-01-01", "2026-12-31", False),
        ("2027-01-01", "2028-03-31", True),
        ("2028-04-01", "2028-12-31", False),
    ]
    assert [float(one.spent) for one in found.intervals] == [100, 200, 500]
    (cliff,) = found.cliffs
    assert spells(found) == [("2027-01-01", "2028-04-01")]
    assert (cliff.short, cliff.wanted, [cause.kinds for cause in cliff.causes]) == (6, 10, ["law", "capacity"])
    assert causes(cliff.because) == [("rule", "ban", True)]
    assert causes(cliff.by) == [("facility", "au", True)]
    told = text(found)
    assert "6 kg of 10 kg" in told
    assert "2028-04-01, by facility au" in told
    assert max(map(len, text(found, every=True).splitlines())) <= 100


def test_a_date_names_the_offers_orders_and_stock_that_it_bars_and_frees() -> None:
    """A ban for defence from 2027, lifted in 2028: the offer with what is bought of it, an order and stock with all their kilograms."""
    on_way = OrderSpec(id="po", offer="cn-metal", quantity=Decimal(7), arrives=date(2026, 5, 1))
    shelf = stock("metal", 3, chain("CN", *METAL), id="shelf")
    given = a_year(10).model_copy(update={"orders": (on_way,), "stocks": (shelf,)})
    phases = [{"from": "2027-01-01", "until": "2027-12-31"}]
    found = calendar(opened(given, metals(cn=4), ban(*METAL, phases=phases)))
    assert [(str(c.day), c.effect, c.kind, c.id, float(c.kilograms), c.end_uses) for c in found.concerned] == [
        ("2027-01-01", "bars", "order", "po", 7, ("defense",)),
        ("2027-01-01", "bars", "stock", "shelf", 3, ("defense",)),
        ("2027-01-01", "bars", "offer", "cn-metal", 4, ("defense",)),
        ("2028-01-01", "frees", "order", "po", 7, ("defense",)),
        ("2028-01-01", "frees", "stock", "shelf", 3, ("defense",)),
        ("2028-01-01", "frees", "offer", "cn-metal", pytest.approx(4, abs=0.02), ("defense",)),
    ]
    assert "bars order po" in text(found)


def test_a_shortage_may_be_there_from_the_start_and_to_the_end() -> None:
    """Nothing began it within the calendar, and nothing ends it."""
    found = calendar(opened(a_year(10), catalog(facility("au", "AU", 4), source("AU", 50))))
    (cliff,) = found.cliffs
    assert (cliff.from_start, cliff.because, cliff.healed, cliff.by) == (True, (), None, ())
    assert found.days == 0
    assert "not by 2028-12-31" in text(found)


def test_an_offer_that_ends_and_one_that_begins() -> None:
    """China's ends in mid-2026; Japan's begins in 2027, and its quotation is the one of that year."""
    quotes = tuple(
        Quote(start=date(year, 1, 1), end=date(year, 12, 31), amount=Decimal(amount), currency="USD", source=SOURCE)
        for year, amount in ((2027, 70), (2028, 90))
    )
    facts = changed(metals(au=0), "cn-metal", end=date(2026, 6, 30))
    facts = changed(facts, "jp-metal", price=None, quotes=quotes)
    found = calendar(opened(a_year(10), facts))
    assert spells(found) == [("2026-07-01", "2027-01-01")]
    assert causes(found.cliffs[0].because) == [("offer", "cn-metal", True)]
    assert causes(found.cliffs[0].by) == [("offer", "jp-metal", True)]
    assert [float(one.spent) for one in found.intervals] == [100, 0, 700, 900]


def test_two_changes_that_only_do_together() -> None:
    """Two bans begin on one day, each against the same plant: both would have to go."""
    facts = catalog(facility("cn", "CN"), source("CN", 10))
    found = calendar(opened(a_year(10), facts, ban(*METAL), ban(*METAL, id="second")))
    assert causes(found.cliffs[0].because) == [("rule", "ban", False), ("rule", "second", False)]
    assert "rule ban with rule second" in text(found)


def test_qualification_a_waiver_and_a_demand_are_dates_too() -> None:
    """Qualified after 18 months; a waiver for a year; a demand that is over."""
    au = source("AU", 50, qualification=Decimal(18))
    facts = catalog(facility("cn", "CN"), facility("au", "AU"), source("CN", 10), au)
    given = a_year(10, end=date(2028, 6, 30))
    waiver = WaiverSpec(rule="ban", quantity=Decimal(30), start=date(2026, 3, 1), end=date(2026, 9, 30))
    given = given.model_copy(update={"waivers": (waiver,)})
    found = calendar(opened(given, facts, ban(*METAL, start=None)))
    assert spells(found) == [("2026-01-01", "2026-03-01"), ("2026-10-01", "2027-07-01")]
    assert causes(found.cliffs[0].by) == [("waiver", "waiver:ban:*", True)]
    assert causes(found.cliffs[1].because) == [("waiver", "waiver:ban:*", True)]
    assert causes(found.cliffs[1].by) == [("offer", "au-metal", True)]
    assert str(found.stretches[-1].end) == "2028-06-30"


def test_what_is_listed_by_periods_becomes_a_yearly_rate() -> None:
    """5 kg in a quarter are 20 a year, by its days; the last rate goes on after the plan."""
    given = case(demand("metal", "civil", 5, 10), start=date(2026, 1, 1), length="quarter")
    found = calendar(opened(given, metals()), until=date(2026, 12, 31))
    rates = [(str(one.start), round(float(one.wanted), 3)) for one in found.stretches]
    assert rates == [("2026-01-01", round(5 * 365 / 90, 3)), ("2026-04-01", round(10 * 365 / 91, 3))]
    assert str(found.stretches[-1].end) == "2026-12-31"


def test_nothing_is_in_stock_or_on_its_way_and_everything_comes_at_once() -> None:
    """Stock that would last for years, and a plant a year away."""
    far = source("AU", 50, lead_time=12)
    given = case(demand("metal", "civil", 10, 10), stocks=(stock("metal", 99, chain("US", *METAL)),))
    found = calendar(opened(given, catalog(facility("au", "AU", 40), far)))
    assert [(float(one.short), float(one.spent)) for one in found.stretches] == [(0.0, 500.0)]
    assert [str(one.end) for one in found.stretches] == ["2027-12-31"]


def test_rules_about_stock_are_left_out_and_named() -> None:
    """No stock is carried."""
    cover = Cover.model_validate({"id": "cover", "materials": ["metal"], "days": 90})
    found = calendar(opened(a_year(10), metals(), cover))
    assert found.left_out == ("cover",)
    assert "cover" in text(found)


def test_a_limit_on_use_is_kept_in_every_stretch() -> None:
    """A cap of 40 % on Chinese use from 2027 leaves 6 of 10 kg to Australia at 50. A floor of 20 % on Australian use leaves it 2 kg."""
    cap = rule(MaxShare, id="cap", countries=["CN"], share="40 %", counts="used", phases=[{"from": "2027-01-01"}])
    found = calendar(opened(a_year(10), metals(), cap))
    assert found.left_out == ()
    costs = [(str(one.start), float(one.spent)) for one in found.intervals]
    assert costs == [("2026-01-01", 100), ("2027-01-01", 4 * 10 + 6 * 50)]
    floor = rule(MinShare, id="floor", countries=["AU"], share="20 %", counts="used")
    found = calendar(opened(a_year(10), metals(), floor))
    assert (found.left_out, [float(one.spent) for one in found.intervals]) == ((), [2 * 50 + 8 * 10])


@pytest.mark.parametrize(
    ("amount", "per", "length", "count"),
    [
        (60, "year", "year", 3),
        (15, "period", "quarter", 12),
        (180, "horizon", "year", 3),
        (20, "period", "quarter", 12),
    ],
)
def test_a_budget_holds_in_each_stretch_at_what_it_is_a_year(amount: int, per: str, length: str, count: int) -> None:
    """10 kg a year at 10 each are wanted, and no more may be spent than what comes to 60, or 80, a year."""
    given = case(demand("metal", "civil", per_year=Decimal(10)), count=count, length=length)
    found = calendar(opened(given, metals(), rule(Budget, id="money", amount=amount, per=per)))
    yearly = {"year": amount, "period": 4 * amount, "horizon": amount / 3}[per]
    assert found.left_out == ()
    assert [(float(one.wanted), float(one.short)) for one in found.stretches] == [(10, 10 - yearly / 10)]


def test_where_other_rules_cannot_hold_together_budgets_are_left_out_and_the_days_named() -> None:
    """Half must be Australian, where nothing is made before 2027: that alone is not planned, and oxide is not drawn into it."""
    plants = (grown("au", "AU", d2027_03_01=100), facility("cn", "CN"))
    facts = catalog(*plants, source("AU", 10), source("CN", 5, "oxide", plant="cn"))
    share = rule(MinShare, id="half", countries=["AU"], stage="mined", share="50 %", materials=["metal"])
    wanted = [demand(name, "civil", per_year=Decimal(10), start=date(2026, 1, 1)) for name in ("metal", "oxide")]
    found = calendar(opened(case(*wanted, count=3), facts, share, rule(Budget, id="money", amount=120)))
    assert [(str(span.start), str(span.end)) for span in found.beyond_budget] == [("2026-01-01", "2027-02-28")]
    assert [(str(one.start), sorted(one.short), float(one.spent)) for one in found.intervals] == [
        ("2026-01-01", ["metal-civil"], 50),
        ("2027-03-01", ["metal-civil"], 120),
    ]
    assert "planned without budgets, since other rules cannot hold together then: 2026-01-01 to 2027-02-28" in " ".join(
        plain_text(calendar_document(found), 300).split()
    )


def test_dates_that_bear_on_nothing_wanted_are_no_dates() -> None:
    """A ban on what nobody sells, another metal's plant, a phase that does not apply."""
    more = offer("salt-x", "x", "salt", 5, chain("AU", "mined", "refined"), start=date(2027, 5, 1))
    facts = metals(facility("x", "AU"), more)
    pending = ban(*METAL, id="bill", phases=(Phase(start=date(2027, 2, 2), status="pending"),))
    found = calendar(opened(a_year(10), facts, ban(*METAL, countries="RU"), pending))
    assert found.days == 0


class Season(Rule):
    """A plugin's kind: nobody but one country may deliver, while it holds."""

    kind: Literal["season"] = "season"
    country: str = "AU"

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails all others."""
        passes = offer.facility.country == self.country
        return Verdict(rule=self.id, result=Result.PASS if passes else Result.FAIL)


def test_a_plugins_dated_phases_are_found_and_asked_about() -> None:
    """While it holds Australia's 4 kg are all there is; it ends by its own date."""
    season = Season(id="season", phases=(Phase(start=date(2026, 5, 1), end=date(2027, 1, 31)),))
    found = calendar(opened(a_year(10), metals(au=4), season))
    assert spells(found) == [("2026-05-01", "2027-02-01")]
    assert causes(found.cliffs[0].because) == [("rule", "season", True)]
    assert causes(found.cliffs[0].by) == [("rule", "season", True)]


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
    found = calendar(opened(a_year(10), metals(), *rules))
    told = [
        (str(one.day), one.rule, one.title, one.clause, one.effect, one.until and str(one.until)) for one in found.law
    ]
    assert told == [
        ("2026-01-01", "new", "New law", "clause 1", "in force", "2026-12-31"),
        ("2027-01-01", "new", "New law", "clause 1", "unknown", "2027-06-30"),
        ("2027-07-01", "new", "New law", "clause 1", "over", None),
    ]
    line = "2027-01-01: new, New law (clause 1): unknown from that day on, until 2027-06-30: no notice found"
    assert line in " ".join(text(found).split())
    assert "(2027-01-01)" in text(found).partition("Between the dates")[0]


def test_beyond_the_plan() -> None:
    """Capacity that comes after it heals, if one looks so far; a day before it begins is refused."""
    facts = catalog(grown("au", "AU", ever=4, d2031_01_01=30), source("AU", 50))
    session = opened(a_year(10), facts)
    assert spells(calendar(session)) == [("2026-01-01", None)]
    assert spells(calendar(session, until=date(2031, 12, 31))) == [("2026-01-01", "2031-01-01")]
    with pytest.raises(InputError, match="before the plan begins"):
        calendar(session, until=date(2025, 1, 1))
    with pytest.raises(InputError, match="2031-12-31"):
        day_of("soon")


def test_a_stretch_stands_for_a_year() -> None:
    """However many days it has; any wait leads beyond it."""
    horizon = Horizon(start=date(2027, 2, 1), count=1, length=PeriodLength.QUARTER, until=date(2027, 2, 10))
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
    session = Session.open(Inputs(a_year(10), (metals(au=4, jp=0),), (ban(*METAL),)), cancel=stop)
    found = calendar(session, progress=lambda *_: stop.set())
    assert (found.stopped, str(found.until), found.cliffs) == (True, "2026-12-31", ())
    assert "nothing is said of what comes after 2026-12-31" in text(found)


def test_the_text_of_a_calendar() -> None:
    """Word for word."""
    sites = facility("cn", "CN"), grown("au", "AU", ever=4, d2028_04_01=30)
    facts = catalog(*sites, source("CN", 10), source("AU", 50))
    told = text(calendar(opened(a_year(10), facts, ban(*METAL))), every=True)
    assert [line.rstrip() for line in told.strip().splitlines()] == GOLDEN.strip().splitlines()


GOLDEN = """
From 2026-01-01 to 2028-12-31, as if each stretch lasted: quantities and money a year, nothing
carried in stock, nothing on its way, no time from order to delivery. 2 dates change what is
available or what it costs from 2026-01-01 to 2028-12-31 (2027-01-01, 2028-04-01).

Between the dates
From        Until       What changes  USD a year     Short
──────────────────────────────────────────────────────────
2026-01-01  2026-12-31  –                    100         –
2027-01-01  2028-03-31  rule ban             200  1 demand
2028-04-01  2028-12-31  facility au          500         –

Changes of law
· 2027-01-01: ban (ban (a)): in force from that day on

What the dates bar and free: orders, stock, and offers that are bought
On          Rule  Bars or frees        Of     For         Kilograms
───────────────────────────────────────────────────────────────────
2027-01-01  ban   bars offer cn-metal  metal  defense  10 kg a year

Demands that are short
Material  Demand         Short from         A year  Because   Met again
────────────────────────────────────────────────────────────────────────────────────────
metal     metal-defense  2027-01-01  6 kg of 10 kg  rule ban  2028-04-01, by facility au

metal: metal-defense
From        Until       Wanted a year  Short a year  Cause               USD a year  for it and
───────────────────────────────────────────────────────────────────────────────────────────────
2026-01-01  2026-12-31          10 kg             –  –                          100  –
2027-01-01  2028-03-31          10 kg          6 kg  law: ban; capacity         200  –
2028-04-01  2028-12-31          10 kg             –  –                          500  –

6 questions asked, 7 independent parts solved, 22 % of the parts known already
"""
