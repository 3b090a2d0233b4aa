"""The plugin holds to the conformance kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from friendshore_testing import Check, checks_of


@pytest.mark.deep(whole=True)
@pytest.mark.parametrize("check", checks_of(Path(__file__).parents[1]), ids=str)
def test_conforms(check: Check) -> None:
    """Nothing is found against it."""
    check.require()
