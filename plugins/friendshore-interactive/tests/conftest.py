"""A worked case in which nothing is whole: what a linear program alone settles."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from friendshore.recommend import Opened, reopen

SOURCE = Path(__file__).parents[3] / "docs/cases/small/recipes"


def _made(folder: Path, rules: str = "") -> Opened:
    """The worked case of recipes without scenarios, rules and costs of onboarding, so that nothing in it is whole; with other rules."""
    shutil.copytree(SOURCE / "catalog", folder / "catalog")
    offers = folder / "catalog" / "offers.csv"
    offers.write_text(re.sub(r",\d+ USD,", ",,", offers.read_text()))
    text = re.sub(r"(?ms)^\[\[rule\]\].*\Z", "", (SOURCE / "case.toml").read_text())
    (folder / "case.toml").write_text(text + rules)
    return reopen(folder)


@pytest.fixture(scope="session")
def recipes_without_choices() -> Callable[..., Opened]:
    """What makes and opens it in a folder, with rules of its own."""
    return _made
