"""The parts of a case laid out as data: what is solved for a plan, for whoever brings a solver of his own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from friendshore.domain.change import Change
from friendshore.recommend import reopen
from friendshore.session import PartLayout, Session

SMALL = Path(__file__).parents[2] / "docs/cases/small"


def session_of(case: str) -> Session:
    """A worked case, solved."""
    return reopen(SMALL / case).session


def minimum(layout: PartLayout) -> float:
    """What another solver makes of it."""
    linear = layout.linear
    found = milp(
        linear.cost,
        constraints=LinearConstraint(linear.matrix, linear.row_lower, linear.row_upper),
        bounds=(linear.lower, linear.upper),
        integrality=linear.integer,
        options={"mip_rel_gap": 1e-9},
    )
    assert found.success, found.message
    return float(found.fun) + linear.constant


@pytest.mark.parametrize("up_to", [1, 4])
@pytest.mark.parametrize("case", ["orders", "stock", "recipes"])
def test_the_parts_together_come_to_the_plan(case: str, up_to: int) -> None:
    """Also with bounds that leave room for more; every column says what it is, and no two the same."""
    session = session_of(case)
    layouts = [part.layout(Decimal(up_to)) for part in session.parts_after()]
    cost = float(session.verified.cost.objective)
    assert sum(map(minimum, layouts)) == pytest.approx(cost, rel=1e-6)
    for layout in layouts:
        assert len(set(layout.columns)) == len(layout.columns) == len(layout.linear.cost)


def test_a_change_moves_numbers_of_the_parts_that_it_touches_and_of_no_others() -> None:
    """Where a demand grows, links that follow from it grow; with the bounds of the case as it is, they stay, and what is wanted moves alone."""
    session = session_of("money")
    (part,) = session.parts_after()
    wide = part.layout(Decimal(4))
    change = Change(demand="demand:tantalum/civil/US", factor=Decimal(2))
    (after,) = session.parts_after(change)
    assert after.changes == (change,)
    assert not np.array_equal(after.layout().linear.entries.data, part.layout().linear.entries.data)
    moved = after.layout_within(wide)
    assert moved.columns == wide.columns
    assert np.array_equal(moved.linear.entries.data, wide.linear.entries.data)
    assert not np.array_equal(moved.linear.row_lower, wide.linear.row_lower)
    assert minimum(moved) == pytest.approx(float(session.after(change).cost.objective), rel=1e-6)


def test_bounds_hold_as_far_as_they_were_asked_to() -> None:
    """And no further: where choices allow too little, a plan would be missed, and whoever lays it out is told."""
    session = session_of("orders")
    (part,) = session.parts_after()
    wide = part.layout(Decimal(4))

    def fits(factor: int) -> bool:
        (after,) = session.parts_after(Change(demand="antimony/civil/US", factor=Decimal(factor)))
        return after.stays_within(wide, Decimal(1))

    assert fits(4)
    assert not fits(5)


def test_what_touches_nothing_changes_no_part() -> None:
    """A rule that is switched off again touches what it bears on; without changes there are all parts."""
    session = session_of("stock")
    assert {name for part in session.parts_after() for name in part.materials} == set(session.parts.of_material)
    assert all(part.changes == () for part in session.parts_after())
    (off,) = session.parts_after(Change(disable="by-order"))
    assert minimum(off.layout()) == pytest.approx(
        float(session.after(Change(disable="by-order")).cost.objective), rel=1e-6
    )
