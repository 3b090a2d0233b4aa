"""All plugins of the repository hold to the conformance kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from friendshore.testing import Check, checks_of

PLUGINS = sorted(path.parent for path in Path(__file__).parent.glob("*/pyproject.toml"))


@pytest.mark.deep(whole=True)
@pytest.mark.parametrize(
    ("plugin", "check"), [(plugin.name, check) for plugin in PLUGINS for check in checks_of(plugin)], ids=str
)
def test_conforms(plugin: str, check: Check) -> None:
    """Nothing is found against a plugin."""
    check.require()
