"""The optimiser against brute force, on worked and on random tiny cases."""

from __future__ import annotations

import pytest
from hypothesis import given

from .compare import agrees, planned, planned_once
from .oracle import optimum
from .patterns import Answer
from .settings import examples
from .strategies import Tiny, tiny_cases
from .worked import Worked, cases


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_plan_costs_what_was_worked_out_by_hand(worked: Worked) -> None:
    """The optimiser gives the objective that the working beside the case gives."""
    found = planned_once(worked)
    agrees(worked.case, [worked.catalog], found, Answer(worked.objective))


@examples(400)
@given(tiny_cases())
def test_plan_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """On random tiny cases no supply tree, binary pattern or mix is cheaper than the plan, and the plan is one of them."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))
