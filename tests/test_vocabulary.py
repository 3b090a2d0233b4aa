"""One word for one thing: names that went have a successor, and every term of the glossary leads somewhere."""

from __future__ import annotations

import pytest

from friendshore import errors


def test_a_diagnostic_can_be_imported_by_its_old_name() -> None:
    """For one version, told."""
    with pytest.warns(DeprecationWarning, match="errors.Diagnostic"):
        old = errors.Problem
    assert old is errors.Diagnostic
