"""The oracle itself, on cases worked out by hand."""

from __future__ import annotations

import pytest

from .oracle import optimum
from .worked import Worked, cases


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_oracle_finds_what_was_worked_out_by_hand(worked: Worked) -> None:
    """Brute force gives the objective that the working beside the case gives."""
    assert optimum(worked.case, [worked.catalog], worked.rules).objective == pytest.approx(worked.objective, rel=1e-9)
