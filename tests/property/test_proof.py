"""What is proved of a plan's bound, against brute force: it never lies above the optimum."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given

from friendshore.proof import prove_optimality

from .compare import RELATIVE, planned, planned_once, rounding
from .oracle import optimum
from .settings import examples
from .strategies import Tiny, tiny_cases
from .worked import Worked, cases


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_what_was_worked_out_by_hand_is_proved_and_no_more(worked: Worked) -> None:
    """The proved bound is the objective that the working beside the case gives, and not above it."""
    if math.isinf(worked.objective):
        return
    found = planned_once(worked)
    proof = prove_optimality(found.plan, seconds=60)
    assert proof.findings == ()
    assert proof.proved, proof.text
    assert proof.bound is not None
    assert proof.bound <= Fraction(worked.objective) + Fraction(1e-9 * max(1.0, abs(worked.objective)))


def _holds(tiny: Tiny) -> None:
    answer = optimum(tiny.case, [tiny.catalog], tiny.rules).objective
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    proof = prove_optimality(found.plan, seconds=60)
    assert proof.findings == ()
    if not math.isinf(answer):
        assert proof.bound is not None
        assert float(proof.bound) <= answer + RELATIVE * max(1.0, abs(answer))
        slack = rounding(tiny.case, [tiny.catalog], found) + RELATIVE * max(1.0, abs(answer))
        assert proof.proved or float(proof.bound) >= answer - slack, proof.text


@examples(15)
@given(tiny_cases())
def test_no_bound_lies_above_the_optimum(tiny: Tiny) -> None:
    """On random tiny cases the bound is at most what brute force finds, and the plan is proved to be optimal."""
    _holds(tiny)


@pytest.mark.deep
@examples(300)
@given(tiny_cases())
def test_no_bound_lies_above_the_optimum_of_many(tiny: Tiny) -> None:
    """The same for many."""
    _holds(tiny)
