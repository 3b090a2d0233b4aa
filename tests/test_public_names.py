"""The public interface: at most 150 names, each on a page of the library with a docstring."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import friendshore
import friendshore_testing

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "docs/reference/library"
MOST = 150
WITHOUT_DOCSTRING = {"friendshore.__version__", "friendshore.PASS", "friendshore.solve.ENGINES", "friendshore.hookimpl"}
"""Values that are documented where they are defined."""


def documented() -> list[str]:
    """Return the names on the pages of the library."""
    text = "\n".join(page.read_text("utf-8") for page in sorted(LIBRARY.glob("*.md")))
    names = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    return [name for name in names if name != "friendshore_testing"]


def load(name: str) -> Any:
    """Return the object with a dotted name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_there_are_few_public_names() -> None:
    """A name that is public can't be changed, so there are at most 150."""
    names = documented()
    assert len(set(names)) == len(names)
    assert len(names) + len(friendshore_testing.__all__) <= MOST


def test_the_library_pages_list_all_names_of_the_package() -> None:
    """Each name of `friendshore` is on a page."""
    assert {f"friendshore.{name}" for name in friendshore.__all__} <= set(documented())


def test_every_public_name_has_a_docstring() -> None:
    """Ruff asks for none on functions, so this does for those that are public."""
    empty = [name for name in documented() if not (getattr(load(name), "__doc__", None) or "").strip()]
    assert set(empty) <= WITHOUT_DOCSTRING


def test_examples_for_programs_import_public_names() -> None:
    """The page on embedding needs nothing else."""
    page = (ROOT / "docs/how-to/embed.md").read_text("utf-8")
    imported = {
        f"{module}.{name.strip()}"
        for module, names in re.findall(r"^from (friendshore[\w.]*) import (.+)$", page, re.MULTILINE)
        for name in names.split(",")
    }
    assert imported <= set(documented())
