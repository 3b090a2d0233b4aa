"""One word for one thing: names that went have a successor, and every term of the glossary leads somewhere."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import friendshore
from friendshore import errors, explain

SOURCES = sorted(Path(friendshore.__file__).parent.rglob("*.py"))


def test_a_diagnostic_can_be_imported_by_its_old_name() -> None:
    """For one version, told."""
    with pytest.warns(DeprecationWarning, match="errors.Diagnostic"):
        old = errors.Problem
    assert old is errors.Diagnostic


@pytest.mark.parametrize(
    ("old", "new"), [("Entering", "BreakEven"), ("Lifted", "Relaxed"), ("Share", "UsageShare"), ("Use", "LeverUse")]
)
def test_answers_can_be_imported_by_their_old_names(old: str, new: str) -> None:
    """Likewise."""
    with pytest.warns(DeprecationWarning, match=f"explain.{new}"):
        found = getattr(explain, old)
    assert found is getattr(explain, new)


def test_a_class_name_is_public_once() -> None:
    """Who reads `Answer` or `Ledger` knows which: no two modules have a public class of one name."""
    homes = defaultdict(list)
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(str(path))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}
