"""The price of independence: corners computed by hand, and every point as a plan of the case with the cap as a rule."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import building
from tests.building import case, catalog, demand, facility, maker, metals, planned, rule, source, unstored

from friendshore.document.charts import Curve
from friendshore.document.elements import Drawing, Section
from friendshore.document.figures import written
from friendshore.document.terminal import plain_text
from friendshore.domain.case import Concern
from friendshore.domain.plan import PlanStatus
from friendshore.errors import InputError
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Budget, MinDelivered
from friendshore.session import Session
from friendshore_risk.frontier import (
    Corner,
    Frontier,
    PricedPlan,
    corners,
    frontier,
    frontier_document,
)

CHINA = Concern(countries=frozenset({"CN"}))


def opened(wanted: Any, facts: Any, *rules: Rule, **limits: Any) -> Session:
    """A solved case in which China is of concern."""
    return building.opened(wanted.but(concern=CHINA), facts, *rules, **limits)


def points(found: Frontier) -> list[tuple[float, float, float]]:
    """Capped money, all cash, and kilograms short of each point."""
    return [(float(p.capped), float(p.cost), float(sum(s.kilograms for s in p.short))) for p in found.points]


LADDER = metals(cn=40, au=15, jp=10)
"""40 kg a year of Chinese metal at 10 USD, 15 of Australian at 50, 10 of Japanese at 80; what is short costs 1000."""


def test_a_small_frontier_by_hand() -> None:
    """40 kg. All Chinese: 400. 15 from Australia: 250 Chinese and 750. 10 from Japan: 150, 750, and 800. The last 15 are short.

    Each kilogram moved takes 10 USD of Chinese metal away, so corners lie at 400, 250, 150, and 0 USD.
    """
    answer = frontier(opened(unstored(40), LADDER))
    assert points(answer) == [(400, 400, 0), (250, 1000, 0), (150, 1700, 0), (0, 1550, 15)]
    assert answer.exact
    assert answer.complete
    assert [float(p.objective) for p in answer.points] == [400, 1000, 1700, 16550]
    assert [p.error for p in answer.points] == [None, 0, 0, 0]
    assert [float(round(p.share, 4)) for p in answer.points] == [1, 0.25, 0.0882, 0]
    assert [[s.offer for s in p.added] for p in answer.points] == [[], ["au-metal"], ["jp-metal"], []]
    assert [[s.offer for s in p.removed] for p in answer.points] == [[], [], [], ["cn-metal"]]
    assert all(p.status is PlanStatus.OPTIMAL and p.bound == pytest.approx(p.objective) for p in answer.points)


def test_a_shortage_may_cost_far_more_than_the_goods() -> None:
    """A kilogram short costs 10 million times the money on it, more than the penalty of a budget: all corners are found all the same."""
    wanted = unstored(40)
    answer = frontier(opened(wanted.but(demands=(wanted.demands[0].but(shortage_price=Decimal(10**8)),)), LADDER))
    assert points(answer) == [(400, 400, 0), (250, 1000, 0), (150, 1700, 0), (0, 1550, 15)]
    assert all(p.error is None or p.error <= p.objective for p in answer.points)


def test_fewer_points_say_what_the_straight_line_hides() -> None:
    """With two points of the four, the line from 400 to 0 overstates the objective at 150 by 1,700 less than on the line. Progress ends at its total."""
    seen: list[tuple[int, int]] = []
    answer = frontier(
        opened(unstored(40), LADDER), points=2, progress=lambda done, total, _: seen.append((done, total))
    )
    assert points(answer) == [(400, 400, 0), (0, 1550, 15)]
    assert answer.points[1].error == pytest.approx(16550 - (16550 - 400) * 150 / 400 - 1700)
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_what_is_made_of_inputs_of_concern_counts() -> None:
    """Japanese metal of Chinese oxide is no way around the cap: its fee counts with the oxide. Australian metal is."""
    facts = catalog(
        facility("cn", "CN"), facility("jp", "JP"), facility("au", "AU"),
        source("CN", 10, "oxide"), maker("JP", 5, 1), source("AU", 50), source("CN", 12),
    )  # fmt: skip
    answer = frontier(opened(unstored(10), facts))
    assert points(answer) == [(120, 120, 0), (0, 500, 0)]
    clean = catalog(*facts.facilities, *facts.offers, source("AU", 20, "oxide"))
    assert points(frontier(opened(unstored(10), clean))) == [(120, 120, 0), (0, 250, 0)]


def test_one_country_supplier_or_material() -> None:
    """60 kg of metal and 10 kg of salt, of which China has 50 in all: Chinese metal, and 10 kg of each from Australia for 560 USD.

    A cap on Australia first takes its metal (Japan has more, at 80), then its salt: China then sells 10 kg of salt and 40 kg of metal.
    """
    wanted = case(demand("metal", "civil", 60), demand("salt", "civil", 10))
    session = opened(wanted, metals(source("CN", 3, "salt"), source("AU", 6, "salt"), cn=50))
    assert points(frontier(session))[0] == (500, 1060, 0)
    assert points(frontier(session, countries=["AU"])) == [(560, 1060, 0), (60, 1360, 0), (0, 2030, 0)]
    assert points(frontier(session, countries=["AU"], materials=["metal"])) == [(500, 1060, 0), (0, 1360, 0)]
    answer = frontier(session, suppliers=["cn"])
    assert (points(answer)[0][0], points(answer)[-1][0], answer.countries) == (500, 0, ())
    with pytest.raises(InputError) as refused:
        frontier(session, suppliers=["Nobody"], materials=["tin"])
    assert [problem.found for problem in refused.value.problems] == ["tin", "Nobody"]


def test_whole_numbers_give_evenly_spaced_caps() -> None:
    """With a minimum order the curve has steps: caps fall in equal steps, and the answer says why."""
    facts = metals(source("CA", 30, plant="au", min_order=25))
    answer = frontier(opened(unstored(40), facts), points=5)
    assert not answer.exact
    assert "whole-number" in answer.grid_reason
    assert [p.cap for p in answer.points] == [None, 300, 200, 100, 0]
    assert [p.error for p in answer.points] == [None] * 5
    assert "evenly spaced" in plain_text(frontier_document(answer), 120)


def test_rules_that_conflict_under_low_caps_end_the_curve() -> None:
    """All 40 kg must be delivered, and 15 of them can be Chinese only: no plan spends less than 150 USD there."""
    answer = frontier(opened(unstored(40), LADDER, rule(MinDelivered)))
    assert points(answer) == [(400, 400, 0), (250, 1000, 0), (150, 1700, 0)]
    assert answer.exact
    assert answer.conflict_at_zero == ("cap of the frontier", "min-delivered")
    assert not any(point.conflict for point in answer.points)


def test_nothing_of_concern_is_one_point() -> None:
    """Without Chinese metal there is nothing to cap."""
    answer = frontier(opened(unstored(10), catalog(source("AU", 50))))
    assert points(answer) == [(0, 500, 0)]
    assert "spends nothing" in plain_text(frontier_document(answer).on_screen(), 100)


def test_a_search_that_is_ended_says_so() -> None:
    """Of a search that was ended before it began, the plan as it is remains."""
    ended = Event()
    session = opened(unstored(40), LADDER, cancel=ended)
    ended.set()
    answer = frontier(session)
    assert not answer.complete
    assert len(answer.points) == 1


def test_a_curve_that_is_known_is_found_by_its_corners() -> None:
    """Supporting lines find every corner of a convex curve, and nothing else."""
    known = [Corner(Decimal(x), Decimal(y)) for x, y in ((0, 100), (10, 40), (30, 10), (60, 1), (100, 0))]

    def priced(price: Decimal) -> PricedPlan:
        best = min(known, key=lambda corner: corner.objective + price * corner.capped)
        return PricedPlan(best, best.objective + price * best.capped)

    chords = corners(known[0], known[-1], 9, priced)
    assert [chord.left for chord in chords] == known[:-1]
    assert [chord.error for chord in chords] == [0] * 4


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, Any]:
    """A few plants of metal, and makers of metal from oxide, in China and elsewhere, with capacities, over one or two years."""
    number = st.integers(1, 60)
    sites, offers = [], []
    for country in draw(st.lists(st.sampled_from(["CN", "AU", "JP", "CA"]), min_size=1, max_size=4, unique=True)):
        name = country.lower()
        sites.append(facility(name, country, draw(st.none() | number)))
        offers.append(source(country, draw(number)))
        if draw(st.booleans()):
            offers.append(source(country, draw(number), "oxide"))
        if draw(st.booleans()):
            offers.append(maker(country, draw(number), draw(st.sampled_from([1, 2]))))
    wanted = draw(st.lists(number, min_size=1, max_size=2))
    return case(demand("metal", "civil", *wanted, price=draw(st.integers(50, 500)))), catalog(*sites, *offers)


@settings(max_examples=40, deadline=None)
@given(drawn=cases(), count=st.integers(2, 6))
def test_each_point_is_a_plan_of_the_case_with_the_cap_as_a_rule(drawn: tuple[Any, Any], count: int) -> None:
    """The same objective as of the case with the rule written into it; the curve is convex, and the errors hold halfway between points."""
    wanted, facts = drawn
    answer = frontier(opened(wanted, facts), points=count)

    def least(cap: Decimal) -> float:
        capped = rule(Budget, id="cap", amount=cap, countries=["CN"], per="horizon")
        return float(planned(wanted, facts, capped).run.objective)

    objectives = [float(p.objective) for p in answer.points]
    for point, objective in zip(answer.points[1:], objectives[1:], strict=True):
        assert objective == pytest.approx(least(point.cap), rel=1e-6, abs=0.1)
        assert (
            point.known_concern_cost + point.possible_concern_cost
            <= point.capped + Decimal("0.01")
            <= point.cap + Decimal("0.02")
        )
    assert objectives == sorted(objectives)
    for before, after in pairwise(answer.points):
        half = (before.capped + after.capped) / 2
        line = float(before.objective + after.objective) / 2
        below = line - least(half.quantize(Decimal("0.01")))
        assert -0.5 - 1e-6 * line <= below <= float(after.error or 0) + 1.5 + 1e-6 * line


def test_a_residue_of_rounding_is_no_difference() -> None:
    """Each plan spends the whole budget, to a gram of metal, worth less than USD 1."""
    facts = catalog(
        facility("cn", "CN", 300), facility("au", "AU"), source("CN", 371.13), source("AU", 657.77, min_order=7)
    )
    answer = frontier(
        opened(case(demand("metal", "civil", 900, price=9000)), facts, rule(Budget, amount=300_000, per="horizon")),
        points=5,
    )
    spent = {point.cost for point in answer.points}
    assert len(spent) > 1
    assert max(spent) - min(spent) < 1
    assert [point.added_cost for point in answer.points] == [0] * len(answer.points)


def test_the_document_says_its_unit_and_draws_every_point() -> None:
    """Money of a large plan is in millions, in the table as in the sentence above it; the chart has each point."""
    large = metals(source("CN", 10_000_000, name="gem", plant="cn"), source("AU", 20_000_000, name="stone", plant="au"))
    only = catalog(*large.facilities, *large.offers[-2:])
    document = frontier_document(frontier(opened(case(demand("metal", "civil", 40, price=10**8)), only)))
    assert "in USD million" in plain_text(document, 120)
    (section,) = (part for part in document.parts if isinstance(part, Section) and part.title == "Points")
    (drawing,) = (part for part in section.parts if isinstance(part, Drawing))
    assert [written(row.cells[1]) for row in drawing.table.rows] == ["400", "0"]
    assert isinstance(drawing.chart, Curve)
    assert len(drawing.chart.x) == len(drawing.chart.labels) == 2
