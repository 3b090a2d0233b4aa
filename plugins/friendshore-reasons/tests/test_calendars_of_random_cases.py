"""A calendar says of every day what planning the facts of that day says, and cuts time where they differ and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases

from friendshore.domain.time import Span
from friendshore.session import Session
from friendshore_reasons.calendar.search import calendar
from friendshore_reasons.calendar.stretches import Snapshot, StretchPlan


@given(tiny_cases(), st.data())
@examples(40)
def test_every_day_is_as_its_stretch_says(tiny: Tiny, data: st.DataObject) -> None:
    """A day taken at random, planned on its own from the facts of that day alone; and the two sides of every date differ."""
    session = tiny.priced().session()
    answer = calendar(session)
    standing = Snapshot.of(session.inputs, session.problem, answer.until)
    for before, after in pairwise(answer.intervals):
        assert after.start == before.end + timedelta(days=1)
        spans = [Span(start=day, end=day) for day in (before.end, after.start)]
        one, other = (StretchPlan(span, standing.on(span), session) for span in spans)
        assert not all(one.has_same_facts(other, demand.id) for demand in session.problem.demands)
    for interval in answer.intervals:
        day = data.draw(st.dates(interval.start, interval.end))
        alone = Session.open(standing.on(Span(start=day, end=day))).verified
        assert abs(alone.cost.total - interval.spent) <= Decimal("0.01") + abs(interval.spent) * Decimal("1e-6")
        short = {entry.demand for entry in alone.plan.shorts if entry.quantity > tiny.case.resolution}
        short |= {name for part in alone.plan.infeasible for name in part.demands}
        assert short >= set(interval.short)


@given(tiny_cases())
@examples(60)
def test_a_year_without_dates_is_planned_as_a_year(tiny: Tiny) -> None:
    """Where a plan is one calendar year, with nothing in stock or on its way and no lead times, the calendar is that plan."""
    priced = tiny.priced()
    assume(priced.case.horizon.count == 1 and priced.case.horizon.length.value == "year")
    offers = tuple(
        o.but(lead_time=Decimal(0), qualification=None, lanes=tuple(lane.but(lead_time=None) for lane in o.lanes))
        for o in priced.catalog.offers
    )
    bare = priced.case.assume.but(lead_time=Decimal(0), safety_lead=Decimal(0))
    case = priced.case.but(stocks=(), orders=(), assume=bare)
    session = Tiny(case, priced.catalog.but(offers=offers), priced.rules).session()
    answer = calendar(session)
    assume(len(answer.intervals) == 1 and not answer.rules_not_considered)
    assert abs(answer.intervals[0].spent - session.verified.cost.total) <= Decimal("0.01")
