"""The headline of a run: its figures agree with the tables, and it never praises a plan that isn't proved and verified."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.document.tones import Tone
from friendshore.report.headline import Headline, headline_of

from .test_report import CONFLICT, DEMAND, EXPOSED, PURCHASE, SHORT, run

MET: dict[str, Any] = {
    "demands": [DEMAND | {"short_kg": 0, "delivered_kg": 8500, "first_met": "2026-Q4"}],
    "shortages": [],
    "shortage_kg": {},
}
NEVER = DEMAND | {"first_met": ""}
DEPENDENCE = {
    "scope": "plan", "name": "", "cost": 1000, "known_concern_cost": 700, "possible_concern_cost": 200, "input_concern_cost": 0, "share": 0.9,
}  # fmt: skip
CHINESE = PURCHASE | {"country": "CN", "concern": "is"}


def told(**changed: Any) -> Headline:
    return headline_of(run(**{"planned_on": "2026-11-30", **changed}))


def test_a_plan_without_shortages_is_green_only_if_it_is_proved_and_verified() -> None:
    """Needs, money, and the next deadline. Any doubt is stated first."""
    assert (told(**MET).tone, told(**MET).trust) == (Tone.GOOD, "proved")
    for status in ("feasible", "interrupted", "unconfirmed"):
        doubtful = told(**MET, status=status, gap=0.03)
        assert (doubtful.tone, doubtful.trust) == (Tone.DOUBTFUL, "not proved")
        assert "isn't proved cheapest" in doubtful.sentences[0]
    unproved = headline_of(run(**MET), is_proved=False)
    assert (unproved.tone, unproved.trust) == (Tone.DOUBTFUL, "not proved")
    unverified = headline_of(run(**MET), is_verified=False)
    assert (unverified.tone, unverified.trust) == (Tone.DOUBTFUL, "not verified")


def test_a_failed_run_has_no_figures() -> None:
    """Nothing of a run that failed verification is repeated."""
    failed = headline_of(run(**MET), has_failed=True)
    assert (failed.tone, failed.trust, failed.needs, failed.spend) == (Tone.BAD, "failed", 0, 0)
    assert headline_of(run(**MET, verified=False)).trust == "failed"


def test_a_conflict_comes_first() -> None:
    """The materials without a plan are named before everything else."""
    conflict = told(**MET, status="infeasible", conflicts=[CONFLICT])
    assert (conflict.tone, conflict.trust) == (Tone.BAD, "conflict")
    assert "tin" in conflict.sentences[0]


@pytest.mark.parametrize(
    ("kind", "status", "impossible"),
    [("capacity", "optimal", True), ("price", "optimal", False), ("capacity", "feasible", False)],
)
def test_only_a_proved_plan_says_that_a_need_cannot_be_met(kind: str, status: str, *, impossible: bool) -> None:
    """A shortage that money could end, or of a plan that isn't proved, is no impossibility."""
    short = SHORT | {"period": "2026-Q4", "causes": [{"restrictions": [{"kind": kind}], "served_kg": None}]}
    headline = told(demands=[NEVER], shortages=[short], status=status)
    assert (headline.needs, headline.needs_unmet, headline.needs_never_met) == (1, 1, 1)
    assert (headline.tone, "cannot be met" in headline.text) == (Tone.BAD, impossible)
    unverified = headline_of(run(demands=[NEVER], shortages=[short], status=status), is_verified=False)
    assert "cannot be met" not in unverified.text


def test_needs_that_are_met_later_are_not_called_unmet() -> None:
    """The last of the periods from which they are met is given."""
    headline = told()
    assert (headline.needs_unmet, headline.needs_never_met) == (1, 0)
    assert "from 2027-Q2 on" in headline.text


def test_dependence_has_a_certain_and_a_possible_share() -> None:
    """A country is named only if it sells everything that certainly depends on a country of concern."""
    concern = {"dependence": [DEPENDENCE], "countries_of_concern": ["CN", "RU"]}
    headline = told(**concern, purchases=[CHINESE])
    assert (headline.concern_share, headline.concern_share_max) == (Decimal("0.7"), Decimal("0.9"))
    assert (headline.concern_spend, headline.concern_spend_max) == (700, 900)
    assert headline.concern_country == "CN"
    assert told(**concern, purchases=[CHINESE, CHINESE | {"country": "RU"}]).concern_country == ""
    assert told(purchases=[CHINESE]).concern_share is None
    none = told(
        dependence=[DEPENDENCE | {"known_concern_cost": 0, "possible_concern_cost": 0, "share": 0}],
        countries_of_concern=["CN"],
    )
    assert (none.concern_share, none.concern_share_max) == (0, 0)


def test_overdue_orders_come_before_the_next_deadline() -> None:
    """An order is overdue if its day passed before the plan was made, or before anybody could act."""
    later = PURCHASE | {"order_by": "2027-03-31", "delivered": "2027-Q3", "cost": 5}
    headline = told(purchases=[PURCHASE, later])
    assert (headline.overdue_orders, headline.next_order_by) == (0, date(2026, 12, 31))
    assert headline.next_order_spend == PURCHASE["cost"]
    for purchase, made in ((PURCHASE | {"late_days": 3}, "2026-11-30"), (PURCHASE, "2027-01-01")):
        overdue = told(purchases=[purchase, later], planned_on=made)
        assert (overdue.overdue_orders, overdue.overdue_spend) == (1, PURCHASE["cost"])
        assert (overdue.next_order_by, overdue.next_order_spend) == (date(2027, 3, 31), 5)
        assert "now" in overdue.text


def test_the_largest_exposure_is_at_risk_and_amounts_are_never_added() -> None:
    """Rules may prohibit the same purchases."""
    headline = told(exposed=[EXPOSED, EXPOSED | {"rule": "other", "cost": 9}])
    assert (headline.at_risk_spend, headline.at_risk_rule, headline.rules_of_unknown_status) == (9, "other", 2)


def test_a_plan_that_buys_nothing() -> None:
    """No money, no deadline, and no risk are mentioned."""
    headline = told(**MET, purchases=[], cost=run().cost.model_dump() | {"nominal": 0, "total": 0})
    assert len(headline.sentences) == 1
    assert (headline.next_order_by, headline.spend) == (None, 0)


def test_the_title_of_the_case_and_the_origin_are_part_of_it() -> None:
    """Without a title, the case's name stands for it."""
    assert (told().title, told(title="A title", scenario=["ban"]).title) == ("by-hand", "A title with ban")
    assert "2026-11-30" in told().origin
    assert told().model_dump(mode="json")["made"] == "2026-11-30"
