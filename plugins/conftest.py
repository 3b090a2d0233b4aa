"""Which checks of the conformance kit are made of the plugins by default."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
WHOLE = "friendshore-us-defense"
"""The plugin of which every check is made by default."""
PLANNED = frozenset({"more-rules", "more-offers", "wider", "rows-of-tables", "names", "halves", "applies"})
"""Checks that plan many made-up cases. Rules of the plugins here are of friendshore's own kinds, which its own tests hold to the same: of the
other plugins these are made every night."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them."""
    for item in items:  # of the whole run, other folders' too
        if HERE not in item.path.parents or WHOLE in item.path.parts or not isinstance(item, pytest.Function):
            continue
        callspec = getattr(item, "callspec", None)
        if callspec is not None and getattr(callspec.params.get("check"), "name", "") in PLANNED:
            item.add_marker(pytest.mark.nightly)
