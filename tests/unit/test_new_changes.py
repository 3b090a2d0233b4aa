"""The figure of a limit, the quantity of an order, and one more demand, as changes of a solved plan: as in a plan of the changed case."""

from __future__ import annotations

from typing import Any

import pytest

from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits.shares import MaxShare
from friendshore.rules.kinds.limits.spending import Budget
from friendshore.rules.kinds.limits.stocks import StockLevel

from ..building import case, demand, metals, planned, refused, rule

CAP = rule(MaxShare, id="cap", by="country", share="60 %", of="purchases")
PURSE = rule(Budget, id="purse", amount=3000)
FLOOR = rule(StockLevel, id="floor", materials=["metal"], at_least="1 kg", at_most="9 kg")
GIVEN = case(
    demand("metal", "civil", 20, 30), orders=[{"id": "po", "offer": "au-metal", "quantity": 5, "arrives": "2026-01-01"}]
)


def change(**stated: Any) -> Change:
    """A change as a case file states it."""
    return Change.model_validate(stated)


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
