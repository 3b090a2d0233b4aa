"""What the length of the periods makes short: dates within a period, odd lead times, and the same facts planned by months."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.markdown import markdown
from friendshore.domain.case import StoreSpec, WaiverSpec
from friendshore.domain.facts import Lane
from friendshore.domain.quantities import parse_duration
from friendshore.explain.replanned import UNPROVED
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, recheck
from friendshore.report import page_document, plan_document
from friendshore.rules.kinds.limits import Budget, MaxShare

from ..building import ban, case, catalog, demand, facility, planned, rule, source, store, text

YEAR = date(2027, 1, 1)


def yearly(per_year: float = 365, **more: Any) -> Any:
    """A kilogram a day for defense in the four quarters of 2027, of which nothing can be held."""
    wanted = demand("metal", "defense", per_year=Decimal(str(per_year)))
    given = {"start": YEAR, "length": "quarter", "count": 4, "stores": (store("metal", 0, limit=0),)}
    return case(wanted, **{**given, **more})


def chinese(**more: Any) -> Any:
    """Chinese metal alone."""
    return catalog(facility("cn", "CN"), source("CN", 10, **more))


def months(found: Recommendation) -> list[tuple[str, float, float | None, float]]:
    """Demand, kilograms short, short by months, and short only by the length of the periods."""
    return [(row.demand, row.short_kg, row.monthly_short_kg, row.due_to_periods_kg) for row in found.run.by_months]


def counted(found: Recommendation) -> list[tuple[str, str, str, str]]:
    """What is counted otherwise than it is stated."""
    return [(row.kind, row.name, row.stated, row.counted) for row in found.run.rounded]


@pytest.mark.deep
def test_the_longest_plan_in_quarters_is_planned_again_by_months() -> None:
    """Its 400 quarters are 1,200 months, as many periods as a plan may have."""
    found = planned(yearly(count=400), chinese(), ban("mined", start="2126-03-01"))
    assert [row[2] is not None for row in months(found)] == [True]


def test_a_ban_from_march_applies_from_january_and_the_plan_says_so() -> None:
    """31 + 28 kg of January and February are lawful and short all the same: only because the plan counts in quarters."""
    found = planned(yearly(), chinese(), ban("mined", start="2027-03-01"))
    assert months(found) == [("metal-defense", 365, 306, 59)]
    assert counted(found) == [("rule", "ban", "from 2027-03-01", "from 2027-01-01")]
    told = text(plan_document(found.run), 200)
    assert "metal-defense 59 kg of 365 kg" in told
    assert "rule ban: from 2027-03-01, counted from 2027-01-01" in told
    page = markdown(page_document(found.run))
    assert "Short only because the plan counts in whole periods: metal for metal-defense 59 kg of 365 kg" in page
    assert found.to_frame("by_months").due_to_periods_kg.tolist() == [59]


@pytest.mark.parametrize(
    ("lead", "safety", "stated", "short"),
    [
        (4, "0", "4 months", (181, 120, 61)),
        (Decimal(16 * 7 * 12) / 365, "0", "112 days", None),
        (3, "14 days", "3 months and 14 days to be safe", None),
    ],
)
def test_a_lead_time_is_rounded_up(lead: Any, safety: str, stated: str, short: tuple[int, ...] | None) -> None:
    """Four months are six by quarters: 181 days without metal, by months 120."""
    found = planned(yearly(assume={"safety_lead": parse_duration(safety)}), chinese(lead_time=lead))
    assert short is None or months(found) == [("metal-defense", *short)]
    assert [row[2:] for row in counted(found)] == [(stated, "as 2 quarters, to the first day of one")]


MAY = date(2027, 5, 15)
UNTIL = StoreSpec.model_validate({"material": "metal", "holding": 1, "until": "2027-05-14"})
LATER = StoreSpec.model_validate({"material": "metal", "holding": 1, "limit": 0, "from": "2027-05-15"})
LANES = (Lane(to="US", source="tiny:s"), Lane(to="US", start=MAY, freight=Decimal(1), currency="USD", source="tiny:s"))
WAIVER = WaiverSpec(id="w", rule="ban", quantity=Decimal(1000), start=date(2027, 2, 1))
COUNTED = {
    # Nothing may be held: not at the end of June, and what was held until then is sold by the end of March.
    "a store": (
        {"stores": (UNTIL, LATER)}, {}, [("store", "metal at US", "until 2027-05-14", "until 2027-03-31"), ("store", "metal at US", "from 2027-05-15", "from 2027-04-01")], [], 0,
    ),
    # What arrives in the second quarter pays as before.
    "freight": ({}, {"lanes": LANES}, [("lane", "cn-metal to US", "from 2027-05-15", "from 2027-07-01")], [], 92 + 92),
    # The third quarter is lost, and the first; by months two and one.
    "an offer, and a waiver": (
        {"waivers": (WAIVER,)}, {"end": date(2027, 8, 15)}, [("offer", "cn-metal", "until 2027-08-15", "until 2027-06-30"), ("waiver", "w", "from 2027-02-01", "from 2027-04-01")],
        [("metal-defense", 90 + 184, 31 + 153, 90)], 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("more", "offer", "expected", "lacking", "freight"), COUNTED.values(), ids=COUNTED)
def test_what_a_date_within_a_period_counts_for(
    more: dict[str, Any], offer: dict[str, Any], expected: list[Any], lacking: list[Any], freight: float
) -> None:
    """A store is what it is on the last day of a period, freight changes in the next, and what permits counts in whole periods within it."""
    rules = [ban("mined", start=None)] if "waivers" in more else []
    found = planned(yearly(**more), chinese(**offer), *rules)
    assert (counted(found), months(found), found.cost.freight) == (expected, lacking, freight)


def test_a_lead_time_that_grows_within_a_period_counts_for_all_of_it_and_one_that_shrinks_from_the_next() -> None:
    """From mid-May on three months, from mid-August on none again: orders of the second and third quarter come one later."""
    days = ((None, None), (date(2027, 5, 15), Decimal(3)), (date(2027, 8, 15), None))
    lanes = tuple(Lane(to="US", start=day, lead_time=lead, source="tiny:s") for day, lead in days)
    found = planned(yearly(), chinese(lanes=lanes))
    assert counted(found) == [
        ("lead time", "cn-metal to US", "3 months from 2027-05-15", "from 2027-04-01"),
        ("lead time", "cn-metal to US", "0 months from 2027-08-15", "from 2027-10-01"),
    ]
    orders = {entry.ordered: entry.delivered for entry in found.run.purchases}
    assert orders == {"2027-Q1": "2027-Q1", "2027-Q2": "2027-Q3", "2027-Q3": "2027-Q4", "2027-Q4": "2027-Q4"}


def test_a_plant_that_begins_within_a_quarter_is_of_use_from_that_day() -> None:
    """500 kg a year from March on, of which nothing can be held: January and February are short in quarters as in months."""
    step = facility("cn", "CN", 500).capacity[0].but(start=date(2027, 3, 1))
    late = source("CN", 11, name="slow", lead_time=1, max_per_year=0.1)
    found = planned(yearly(), catalog(facility("cn", "CN", capacity=(step,)), source("CN", 10), late))
    ((_, quarters, by_month, only),) = months(found)
    assert [float(quarters), float(by_month), only] == [pytest.approx(59, abs=0.1), pytest.approx(59, abs=0.1), 0]


def test_by_months_it_may_be_short_of_more() -> None:
    """A kilogram a day is made, and two are wanted in February and March: in quarters those of January are there for it, though none can be held."""
    given = yearly()
    wanted = demand("metal", "defense", per_year=Decimal(730), start=date(2027, 2, 1), end=date(2027, 3, 31))
    late = source("CN", 11, name="slow", lead_time=1, max_per_year=0.1)
    found = planned(given.but(demands=(wanted,)), catalog(facility("cn", "CN", 365), source("CN", 10), late))
    ((_, quarters, by_month, only),) = months(found)
    assert (quarters, only) == (118 - 90, 0)
    assert float(by_month) == pytest.approx(59, abs=0.1)
    assert "Short only because" not in text(plan_document(found.run), 200)


def test_nothing_is_planned_again_where_no_date_lies_within_a_period() -> None:
    """A ban from April on, no lead time: all that is short is short by months too, and nothing is asked."""
    found = planned(yearly(), chinese(), ban("mined", start="2027-04-01"))
    assert (months(found), counted(found)) == ([], [])
    assert "Effect of whole periods" not in text(plan_document(found.run), 200)
    by_month = planned(yearly(length="month", count=12), chinese(), ban("mined", start="2027-04-10"))
    assert (months(by_month), len(counted(by_month))) == ([], 1)
    met = planned(yearly(), catalog(source("AU", 10)), ban("mined", start="2027-03-01"))
    assert months(met) == []


@pytest.mark.parametrize(
    ("why", "given", "facts", "rules"),
    [
        ("its demand is stated by period", case(demand("metal", "defense", 90, 90), start=YEAR, length="quarter"), chinese(), ()),
        ("`max_order` of cn-metal is stated by period", yearly(), chinese(max_order=500), ()),
        ("rule budget states amounts by period", yearly(), chinese(), (rule(Budget, amount=900, per="period"),)),
    ],
    ids=["quantities", "max-order", "budget"],
)  # fmt: skip
def test_what_is_stated_by_period_is_not_looked_at_by_months(why: str, given: Any, facts: Any, rules: Any) -> None:
    """By months it would be another amount: the reason is told, and nothing is claimed."""
    found = planned(given, facts, ban("mined", start="2027-03-01"), *rules)
    assert [(row.monthly_short_kg, row.due_to_periods_kg, row.note) for row in found.run.by_months] == [(None, 0, why)]
    why = why.replace("`", "")  # a terminal has bold words instead
    assert f"Not compared by months ({why}): metal-defense" in text(plan_document(found.run), 200)


def test_a_share_by_period_is_a_share_by_month_too() -> None:
    """No more than all of it from one country: a limit that is no amount does not keep a case from being looked at."""
    cap = rule(MaxShare, by="country", share=1, per="period", of="purchases")
    found = planned(yearly(), chinese(), ban("mined", start="2027-03-01"), cap)
    assert months(found) == [("metal-defense", 365, 306, 59)]


def test_without_time_nothing_is_claimed() -> None:
    """Cheaper plans in the same periods may deliver more: what is short is not laid on the periods."""
    (row,) = planned(yearly(), chinese(), ban("mined", start="2027-03-01"), time_limit=0).run.by_months
    assert row.monthly_short_kg is None
    assert row.note == UNPROVED


def test_a_run_that_is_checked_again_works_out_what_only_the_periods_do() -> None:
    """The dates follow from the facts; the figure by months is taken as told, and the difference is worked out from it."""
    found = planned(yearly(), chinese(), ban("mined", start="2027-03-01"))
    again = recheck(found.facts(), found.run, Registry.of())
    assert again.run == found.run
    (row,) = found.run.by_months
    wrong = found.run.but(by_months=[row.but(due_to_periods_kg=Decimal(300))], rounded=[])
    told = recheck(found.facts(), wrong, Registry.of()).run
    assert (told.by_months, told.rounded) == (found.run.by_months, found.run.rounded)
