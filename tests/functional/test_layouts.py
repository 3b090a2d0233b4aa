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
    """Return the session of a worked case."""
    return reopen(SMALL / case).session


def minimum(layout: PartLayout) -> float:
    """Return the minimum that another solver finds."""
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
    """Also with wider bounds; every column has a name of its own."""
    session = session_of(case)
    layouts = [part.layout(Decimal(up_to)) for part in session.parts_after()]
    assert {name for part in session.parts_after() for name in part.materials} == set(session.parts.of_material)
    assert sum(map(minimum, layouts)) == pytest.approx(float(session.verified.cost.objective), rel=1e-6)
    for layout in layouts:
        assert len(set(layout.columns)) == len(layout.columns) == len(layout.linear.cost)


def test_a_change_moves_numbers_of_the_parts_that_it_touches() -> None:
    """Where a demand grows, links grow with it; within given bounds they stay, and only the demand moves."""
    session = session_of("money")
    (part,) = session.parts_after()
    wide = part.layout(Decimal(4))
    change = Change(demand="demand:tantalum/civil/US", factor=Decimal(2))
    (after,) = session.parts_after(change)
    assert (part.changes, after.changes) == ((), (change,))
    assert not np.array_equal(after.layout().linear.entries.data, part.layout().linear.entries.data)
    moved = after.layout_within(wide)
    assert moved.columns == wide.columns
    assert np.array_equal(moved.linear.entries.data, wide.linear.entries.data)
    assert not np.array_equal(moved.linear.row_lower, wide.linear.row_lower)
    assert minimum(moved) == pytest.approx(float(session.what_if(change).cost.objective), rel=1e-6)


@pytest.mark.parametrize(("factor", "fits"), [(4, True), (5, False)])
def test_bounds_hold_as_far_as_they_were_asked_to(factor: int, fits: bool) -> None:
    """Beyond, a plan would be missed."""
    session = session_of("orders")
    (part,) = session.parts_after()
    (after,) = session.parts_after(Change(demand="antimony/civil/US", factor=Decimal(factor)))
    assert after.stays_within(part.layout(Decimal(4)), Decimal(1)) is fits


def test_a_rule_that_is_disabled_changes_one_part() -> None:
    """The part of its materials comes to what the session says."""
    session, off = session_of("stock"), Change(disable="by-order")
    (part,) = session.parts_after(off)
    assert minimum(part.layout()) == pytest.approx(float(session.what_if(off).cost.objective), rel=1e-6)
