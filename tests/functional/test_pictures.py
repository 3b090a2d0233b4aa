"""The README's pictures show what the commands print today."""

from __future__ import annotations

import importlib.util
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
pytestmark = pytest.mark.deep


@pytest.fixture(scope="module")
def site() -> Iterator[ModuleType]:
    pytest.importorskip("mkdocs", reason="pictures are drawn by a hook of mkdocs, which is not installed")
    spec = importlib.util.spec_from_file_location("site_pictures", ROOT / "docs" / "_site" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_drawings_are_what_the_commands_print(site: ModuleType) -> None:
    """`uv run python docs/_site/pictures.py --screenshots` refreshes them."""
    drawn = dict(site.of_readme())
    assert set(drawn) == {"plan.svg", "frontier.svg"}
    outdated = [name for name, content in drawn.items() if (PICTURES / name).read_bytes() != content]
    assert outdated == []


@pytest.mark.parametrize("name", ["report.png", "interactive.png", "workbook.png"])
def test_screenshots_are_small_and_of_the_same_size(name: str) -> None:
    content = (PICTURES / name).read_bytes()
    assert struct.unpack(">II", content[16:24]) == (1000, 700)
    assert len(content) < 200_000
