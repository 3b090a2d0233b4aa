"""Prices, quantities, capacities, charges and the rest of what a plan rests on, derived twice."""

from __future__ import annotations

import pytest
from hypothesis import given

from friendshore.verify.again import derived_again

from .compare import planned, planned_once
from .settings import examples
from .strategies import Tiny, tiny_cases
from .worked import Worked, cases


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_both_ways_agree_on_what_was_worked_out_by_hand(worked: Worked) -> None:
    """No figure of a worked case comes out otherwise the second time."""
    found = planned_once(worked).plan
    assert derived_again(found.ledger, found.costing) == []


def _agrees(tiny: Tiny) -> None:
    found = planned(tiny.case, [tiny.catalog], tiny.rules).plan
    assert derived_again(found.ledger, found.costing) == []


@examples(15)
@given(tiny_cases())
def test_both_ways_agree(tiny: Tiny) -> None:
    """Nor does any of a random tiny case."""
    _agrees(tiny)


@pytest.mark.deep
@examples(300)
@given(tiny_cases())
def test_both_ways_agree_on_many(tiny: Tiny) -> None:
    """The same for many."""
    _agrees(tiny)
