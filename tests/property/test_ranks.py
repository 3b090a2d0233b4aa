"""Ranked objectives against brute force: level by level over every supply tree and binary pattern."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.case import Level
from friendshore.domain.plan import PlanStatus
from friendshore.recommend import Recommendation

from .compare import rounding
from .random_cases.levels import about_these, levels
from .ranks import least_of_each
from .settings import examples
from .strategies import Tiny, tiny_cases

RELATIVE = 5e-6
"""The gap that is asked for in each level (1e-6), the tolerance by which the levels before it are held, and as much again; of the
largest of them, since what a level before may give up goes to those after it."""


def ranked(tiny: Tiny, some: list[Level]) -> Tiny:
    """A case that ranks objectives; without soft rules on numbers, whose price stands outside of the oracle's columns."""
    rules = tuple(r for r in tiny.rules if getattr(r, "penalty", None) is None or "count" not in type(r).model_fields)
    wanted = {name for d in tiny.case.demands for name in (d.id, d.material, d.end_use)}
    named = [level if level.minimize == "concentration" else about_these(level, wanted) for level in some]
    return Tiny(tiny.case.but(objectives=tuple(named)), tiny.catalog, rules)


def keeps(found: Recommendation, wanted: list[float], allowed: float) -> None:
    """Asserts that each level comes to what brute force says, by the solver's account and by the verifier's."""
    largest = 1.0
    for rank, (reading, least) in enumerate(zip(found.plan.levels, wanted, strict=False), 1):
        largest = max(largest, abs(least))
        slack = RELATIVE * largest
        assert abs(float(reading.least) - least) <= slack, f"level {rank}: {reading.least}, oracle {least}"
        assert float(reading.bound) <= least + slack
        assert abs(float(reading.value) - least) <= slack + allowed


@examples(150)
@given(tiny_cases(), st.lists(levels(), min_size=1, max_size=3))
def test_each_level_is_as_small_as_those_before_it_allow(tiny: Tiny, some: list[Level]) -> None:
    """On random tiny cases no plan of the oracle's that keeps the levels before one comes to less in it."""
    tiny = ranked(tiny, some)
    found = tiny.planned()
    wanted = least_of_each(tiny.case, [tiny.catalog], tiny.rules)
    if not wanted:
        assert found.status is PlanStatus.INFEASIBLE
        return
    assert found.status is PlanStatus.OPTIMAL
    keeps(found, wanted, rounding(tiny.case, [tiny.catalog], found))


@examples(40)
@given(tiny_cases(), levels(within=True), levels())
def test_what_a_level_may_give_up_is_used_and_no_more(tiny: Tiny, first: Level, second: Level) -> None:
    """The level after one that may be made worse lies between what giving up nothing and giving up the whole share allow."""
    tiny = ranked(tiny, [first, second])
    found = tiny.planned()
    loose = least_of_each(tiny.case, [tiny.catalog], tiny.rules)
    if not loose:
        return
    strict = ranked(tiny, [first.but(within=Decimal(0)), second])
    tight = least_of_each(strict.case, [tiny.catalog], strict.rules)
    given_up, after = found.plan.levels[0], found.plan.levels[1]
    allowed = rounding(tiny.case, [tiny.catalog], found)
    slack = RELATIVE * max(1.0, abs(loose[0]), abs(tight[1])) * 10
    assert float(given_up.value) <= loose[0] + float(first.within) * abs(loose[0]) + slack + allowed
    assert loose[1] - slack - allowed <= float(after.value) <= tight[1] + slack + allowed
