"""One word for one thing: names that went have a successor, and every term of the glossary leads somewhere."""

from __future__ import annotations

import ast
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

import friendshore
from friendshore import errors, explain
from friendshore.domain.time import Span
from friendshore.rules.base import Phase, PhaseStatus
from friendshore.rules.kinds import Exclude

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


def test_a_rule_is_asked_by_its_old_name_whether_it_applies() -> None:
    """For one version, told."""
    always = Exclude(id="not-them", citation="own choice", catalogs=("x",), phases=(Phase(),))
    day = Span(start=date(2027, 1, 1), end=date(2027, 1, 1))
    with pytest.warns(DeprecationWarning, match="Rule.applies"):
        old = always.bites(day, frozenset(PhaseStatus))
    assert old is always.applies(day, frozenset(PhaseStatus))
