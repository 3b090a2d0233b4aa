"""The bundled catalogs hold to the conformance kit, like everybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from friendshore_testing import Check, checks_of

CATALOGS = Path(__file__).parents[3] / "catalogs" / "friendshore_catalogs"


@pytest.mark.parametrize("check", checks_of(CATALOGS), ids=str)
def test_conforms(check: Check) -> None:
    """Nothing is found against them."""
    check.require()
