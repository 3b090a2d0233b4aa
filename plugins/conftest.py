"""Which checks of the conformance kit are made of the plugins by default."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from friendshore.cli.cases import write_starter

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
        if item.path.parent != HERE or not isinstance(item, pytest.Function):
            continue
        asked = item.callspec.params
        if asked["plugin"] != WHOLE and asked["check"].name in PLANNED:
            item.add_marker(pytest.mark.nightly)


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case that `init` writes; no test changes it."""
    folder = tmp_path_factory.mktemp("case") / "first"
    write_starter(folder, date(2026, 10, 1))
    return folder
