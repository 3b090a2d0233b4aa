"""A floor that cannot hold yet: the answer is one line with units, the first day on which it can, and what to write into the rule."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from friendshore.document.markdown import markdown
from friendshore.domain.plan import PlanStatus
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation
from friendshore.recommend.recheck import recheck
from friendshore.report import page_document, plan_document
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import Cover, MinDelivered, StockLevel

from ..building import ban, case, catalog, demand, facility, planned, rule, source, text

WANTED = [demand("metal", use, *[5] * 8, id=f"{use}-metal") for use in ("civil", "defense")]
LATE = catalog(facility("au", "AU"), source("AU", 50, lead_time=3))
"""Metal that comes a quarter after it is ordered: nothing can lie in stock at the end of the first."""


def quarters(*rules: Rule, **more: Any) -> Recommendation:
    """Two years by quarters."""
    return planned(case(*WANTED, length="quarter", **more), LATE, *rules)


def test_a_floor_from_the_first_day_is_answered_with_the_first_day_on_which_it_can_hold() -> None:
    """90 days of cover from the first day: they can lie there at the end of the second quarter at the earliest."""
    found = quarters(rule(Cover, id="safety-stock", days=90))
    assert found.status is PlanStatus.INFEASIBLE
    (conflict,) = found.run.conflicts
    assert conflict.holds_from == {"safety-stock": date(2026, 4, 1)}
    shown = re.sub(r"\s+", " ", text(plan_document(found.run)))
    assert "safety-stock can first be kept from 2026-04-01 on" in shown
    assert "phases = [{ from = 2026-04-01 }]" in shown
    assert ".." not in shown
    assert "phases = [{ from" in re.sub(r"\s+", " ", markdown(page_document(found.run)).replace("\\", ""))
    assert shown.count("Missed in") == 1, "one line a rule"
    assert re.search(r"Missed in \d+ of \d+ rows, 2026-Q1 to 2027-Q4, by up to [\d.]+ kg", shown), shown


def test_demand_that_must_be_met_is_answered_with_the_first_day_on_which_it_can_be() -> None:
    """What is ordered on the first day comes a quarter later; the rest of the run says that nothing is planned for it."""
    found = quarters(rule(MinDelivered, id="must"))
    assert [conflict.rules for conflict in found.run.conflicts] == [["must"]]
    assert found.run.conflicts[0].holds_from == {"must": date(2026, 4, 1)}
    kept = quarters(rule(MinDelivered, id="must", phases=[{"from": "2026-04-01"}]))
    assert kept.status is PlanStatus.OPTIMAL
    assert {limit.value for limit in kept.run.limits} == {Decimal(0)}


def test_the_fix_that_is_told_is_one() -> None:
    """With the phase written as told, the case has a plan; a period earlier it has none."""
    phases = [{"from": "2026-04-01"}]
    assert quarters(rule(Cover, id="safety-stock", days=90, phases=phases)).status is PlanStatus.OPTIMAL


def test_a_floor_that_never_holds_names_no_day() -> None:
    """More kilograms in stock than the store takes."""
    level = rule(StockLevel, id="reserve", at_least="50 kg")
    most = rule(StockLevel, id="room", at_most="20 kg")
    (conflict,) = quarters(level, most).run.conflicts
    assert conflict.holds_from == {}


def test_what_covers_is_named_by_the_demands_that_it_covers() -> None:
    """Not by the number of a compliance class, which means nothing to a reader; the class itself says what it admits."""
    found = quarters(rule(Cover, id="cover", days=30, phases=[{"from": "2027-01-01"}]), ban("melted", countries="CN"))
    labels = {limit.label for limit in found.run.limits}
    assert all(re.fullmatch(r"metal US for civil-metal \+ defense-metal 2027-Q\d", label) for label in labels), labels
    assert {limit.unit for limit in found.run.limits} == {"kg"}
    assert [requirement.name for requirement in found.run.requirements] == ["civil and defense: whatever there is"]


def test_the_day_is_kept_when_a_run_is_checked_again() -> None:
    """Finding it takes further solves: a check takes it as told, and the rest is derived."""
    found = quarters(rule(Cover, id="safety-stock", days=90))
    again = recheck(found.facts(), found.run, Registry.of())
    assert again.run.conflicts == found.run.conflicts
