"""What stood elsewhere until version 0.1: found by its old name, which says where it is now."""

from __future__ import annotations

from importlib import import_module

import pytest

from friendshore.domain.assumptions import CAPACITY_COUNTS, OfferAssumption
from friendshore.explain.break_even import BreakEven
from friendshore.questions.alternatives.search import Alternatives, alternatives
from friendshore.questions.repairs.records import LeverUse
from friendshore.questions.stress.losses import first_day

MOVED = {
    ("friendshore.explain", "Alternatives"): Alternatives,
    ("friendshore.explain", "alternatives"): alternatives,
    ("friendshore.explain", "Use"): LeverUse,
    ("friendshore.explain", "Entering"): BreakEven,
    ("friendshore.domain.case", "CAPACITY_COUNTS"): CAPACITY_COUNTS,
    ("friendshore.domain.case", "OfferAssumption"): OfferAssumption,
    ("friendshore.explain.alternatives", "alternatives"): alternatives,
    ("friendshore.explain.repaired", "LeverUse"): LeverUse,
    ("friendshore.explain.losses", "first_day"): first_day,
}


@pytest.mark.parametrize(("module", "name"), MOVED)
def test_an_old_name_leads_to_the_new_one(module: str, name: str) -> None:
    """The same thing, with a notice."""
    import_module("friendshore.explain")
    with pytest.warns(DeprecationWarning, match=r"is now friendshore\."):
        assert getattr(import_module(module), name) is MOVED[module, name]


def test_what_never_was_there_is_not_there() -> None:
    """No name is made up."""
    with pytest.raises(AttributeError):
        getattr(import_module("friendshore.explain"), "NoSuchThing")  # noqa: B009 - a type checker knows better
