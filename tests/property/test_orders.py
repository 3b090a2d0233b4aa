"""Lots, minima, tiers, terms of trade, quotations and take-or-pay together, against plain enumeration."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import terms

from friendshore.domain.terms import Terms

from .bills import SUBJECTS, World, basics, check, schedules
from .settings import examples


@st.composite
def some_terms(draw: st.DrawFn, subject: tuple[str, str]) -> Terms:
    """Any terms of trade of a subject."""
    of, name = subject
    per = draw(st.sampled_from(("period", "horizon")))
    figures: dict[str, Any] = {}
    if draw(st.booleans()):
        figures["fixed"] = draw(st.sampled_from((1, 6, 20)))
    if draw(st.booleans()):
        figures["least"] = draw(st.integers(1, 6))
    if draw(st.integers(1, 3)) == 3:
        figures["most"] = figures.get("least", 0) + draw(st.integers(0, 4))
    if (per == "period" and of != "supplier" and draw(st.booleans())) or not figures:
        per, of, name = "period", *(subject if of != "supplier" else ("facility", "north"))
        figures["setup_use"] = draw(st.integers(1, 4))
    materials = draw(st.sampled_from(((), ("metal",)))) if of != "offer" else ()
    return terms(name, of=of, per=per, materials=materials, **figures)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any small world."""
    count = draw(st.sampled_from((1, 1, 2)))
    lot = st.sampled_from((None, None, 2, 3))
    quoted, least = st.sampled_from((None, 2, 5, 9)), st.sampled_from((None, None, None, 2, 4))
    bearing = draw(st.lists(st.sampled_from(SUBJECTS), max_size=2))
    tiered = draw(st.lists(st.sampled_from(SUBJECTS), max_size=1))
    return World(
        **basics(draw, count),
        schedules=tuple(draw(schedules(subject)) for subject in tiered),
        lots=(draw(lot), draw(lot), draw(lot)),
        max_lots=draw(st.sampled_from((None, None, 1, 2))),
        quoted=tuple(draw(quoted) for _ in range(count)) if draw(st.integers(1, 3)) == 3 else (),
        unqualified=draw(st.sampled_from((0, 0, 0, 1))),
        paid_for=(draw(least), draw(least), draw(least)),
        share=draw(st.sampled_from((Decimal(1), Decimal("0.5")))),
        terms=tuple(dict.fromkeys(draw(some_terms(subject)) for subject in bearing)),
    )


def sellable(world: World) -> bool:
    """Whether the least order of the first offer fits in the lots that it may be ordered in: else it is refused."""
    lot, most = world.lots[0], world.max_lots
    return not (world.least and lot and most) or world.least <= lot * most


@examples(300)
@given(worlds().filter(sellable))
def test_no_whole_plan_is_cheaper(world: World) -> None:
    """Any lots, minima, tiers, terms, quotations and commitments: the plan is as cheap as the best of all whole ones, by the bill worked out there."""
    check(world)
