"""What-if: the effect of changes, which is that of planning the changed case."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import friendshore
from friendshore.cli import app
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore_reasons.what_if import what_if

CHANGES = (
    "price=quebec-gallium, factor=2",
    "remove=country:CA",
    "capacity=kwinana, delay=6 months",
    "demand=civil, factor=1.5",
)
RECORDS = (
    Change(price="quebec-gallium", factor="2"),
    Change(remove="country:CA"),
    Change(capacity="kwinana", delay="6 months"),
    Change(demand="civil", factor="1.5"),
)


@pytest.fixture(scope="module")
def recommendation(first: Path) -> friendshore.Recommendation:
    return friendshore.plan(friendshore.load_case(first))


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_the_effect_is_that_of_planning_the_changed_case(first: Path, recommendation: Any, number: int) -> None:
    found = what_if(recommendation.opened, [CHANGES[number]])
    changed = friendshore.plan(friendshore.load_case(first), changes=[RECORDS[number]])
    assert found.objective.proved
    assert abs(found.objective.value - (changed.run.objective - recommendation.run.objective)) < Decimal("0.1")
    assert abs(found.rise.cash - (changed.cost.nominal - recommendation.cost.nominal)) < Decimal("0.1")
    bought: dict[tuple[str, str], Decimal] = {}
    for line in changed.run.purchases:
        bought[line.material, line.offer] = bought.get((line.material, line.offer), Decimal(0)) + line.quantity_kg
    for purchase in found.purchases:
        if (purchase.material, purchase.offer) in bought:
            assert abs(purchase.after_kg - bought[purchase.material, purchase.offer]) < 1
        assert purchase.before_kg != purchase.after_kg


def test_a_change_without_an_effect_changes_nothing(recommendation: Any) -> None:
    found = what_if(recommendation.opened, ["price=quebec-gallium, factor=1"])
    assert (found.objective.value, found.purchases, found.rise.short_kg) == (0, [], {})


@pytest.mark.parametrize(("changes", "code"), [([], "FS501"), (["nonsense"], "FS011"), (["remove=nothing-at-all"], "")])
def test_no_change_or_one_that_matches_nothing_is_refused(recommendation: Any, changes: list[str], code: str) -> None:
    with pytest.raises(InputError) as refused:
        what_if(recommendation.opened, changes)
    assert refused.value.problems[0].code.startswith(code or "FS")


def test_the_command_prints_a_screen_and_json(first: Path) -> None:
    screen = CliRunner().invoke(app, ["what-if", str(first), "--change", CHANGES[1]])
    assert screen.exit_code == 0
    assert "Purchases that change" in screen.stdout
    printed = CliRunner().invoke(app, ["what-if", str(first), "--change", CHANGES[1], "--json"])
    data = json.loads(printed.stdout)
    assert data["changes"] == [CHANGES[1]]
    assert data["verified"] is True
    assert data["rise"]["cash"] > 0 or data["rise"]["short_kg"]


def test_changes_apply_in_order(recommendation: Any) -> None:
    both = what_if(recommendation.opened, [CHANGES[0], CHANGES[3]])
    assert both.objective.value > what_if(recommendation.opened, [CHANGES[0]]).objective.value
