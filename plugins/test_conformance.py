"""All plugins of the repository hold to the conformance kit."""

from __future__ import annotations

from pathlib import Path

import pytest

from friendshore.testing import checks_of

PLUGINS = sorted(path.parent for path in Path(__file__).parent.glob("*/pyproject.toml"))
WHOLE = "friendshore-us-defense"
"""Plugin whose checks all run by default."""
PLANNED = frozenset({"more-rules", "more-offers", "wider", "rows-of-tables", "names", "halves", "applies"})
"""Checks that plan many random cases. The rules of other plugins are of friendshore's own kinds, which the core's tests check in the same way."""

PARTS = 4
"""Tests of each plugin. Workers share them, since the checks of one plugin may take half a minute."""

each_part = pytest.mark.parametrize("part", range(PARTS))
each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


@pytest.mark.deep(whole=True)
@each_part
@each_plugin
def test_conforms(plugin: Path, part: int) -> None:
    """Nothing is found against a plugin, except perhaps by plans of random cases."""
    for check in checks_of(plugin)[part::PARTS]:
        if plugin.name == WHOLE or check.name not in PLANNED:
            check.require()


@pytest.mark.nightly
@each_part
@each_plugin
def test_conforms_in_random_cases(plugin: Path, part: int) -> None:
    for check in checks_of(plugin)[part::PARTS]:
        if plugin.name != WHOLE and check.name in PLANNED:
            check.require()
