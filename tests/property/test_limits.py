"""Limits of every kind, with all that may be said of whom they count, against brute force."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.building import planned

from friendshore.domain.case import IncumbentSpec, Level
from friendshore.domain.time import Horizon
from friendshore.errors import InputError
from friendshore.rules.base import Rule

from .compare import as_cheap_as_brute_force
from .random_cases.levels import about_these, levels
from .random_cases.limits import budgets_by_use, by_order, deliveries, limits, of_end_uses, of_one_site, soft_limits
from .settings import examples
from .strategies import Tiny, tiny_cases


def with_limit(tiny: Tiny, limit: Rule) -> tuple[Rule, ...]:
    """The rules of a case with a limit in place of its own."""
    return (*(rule for rule in tiny.rules if "rows" not in rule.verbs), limit)


def under(tiny: Tiny, limit: Rule) -> None:
    """Asserts the same under a limit, unless it pins an offer that does not count: it is refused, and another case is drawn."""
    try:
        as_cheap_as_brute_force(tiny, with_limit(tiny, limit))
    except InputError as error:
        assume("FS310" not in str(error))
        raise


LIMITS: dict[str, Any] = {
    "any": limits,
    "of end uses": lambda offers: limits(offers).flatmap(of_end_uses),
    "at some places": lambda offers: limits(offers).filter(lambda rule: rule.kind != "pin").flatmap(of_one_site),
}


@pytest.mark.parametrize("kind", LIMITS)
@examples(120)
@given(data=st.data())
def test_plan_under_a_limit_is_as_cheap_as_brute_force(kind: str, data: st.DataObject) -> None:
    """What is bought for an end use counts where it ends; what is delivered elsewhere, or demanded there, does not count."""
    tiny = data.draw(tiny_cases())
    if kind == "of end uses":  # runs of several goods for several uses at once are worked out by hand
        assume(all(len(offer.outputs) == 1 or not offer.inputs for offer in tiny.catalog.offers))
    under(tiny, data.draw(LIMITS[kind](tiny.catalog.offers)))


@examples(120)
@given(st.data())
def test_plan_under_a_limit_on_orders_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """What counts in a period, or year, is what is ordered in it, whenever it arrives."""
    tiny = data.draw(tiny_cases())
    under(tiny, by_order(data.draw(limits(tiny.catalog.offers).filter(lambda rule: rule.kind != "min-suppliers"))))


@examples(60)
@given(tiny_cases(), budgets_by_use())
def test_plan_under_a_budget_of_an_end_use_is_as_cheap_as_brute_force(tiny: Tiny, budget: Rule) -> None:
    """Money that is spent for an end use is price, freight and charges of what ends in it; where some cannot be told apart, it is refused."""
    try:
        planned(tiny.case, tiny.catalog, *with_limit(tiny, budget))
    except InputError as error:
        if error.problems[0].code == "FS266":
            return
        raise
    assume(all(len(offer.outputs) == 1 for offer in tiny.catalog.offers))
    under(tiny, budget)


@examples(120)
@given(tiny_cases(), deliveries())
def test_plan_that_must_deliver_is_as_cheap_as_brute_force(tiny: Tiny, must: Rule) -> None:
    """What must be delivered is, at the least cost; where that cannot be, or not with the other rules, nothing is planned."""
    as_cheap_as_brute_force(tiny, (*tiny.rules, must))


@examples(2000)
@given(tiny_cases(), st.lists(levels(within=True), max_size=2), st.data())
def test_plan_under_soft_limits_is_verified(tiny: Tiny, some: list[Level], data: st.DataObject) -> None:
    """Penalties multiply what rounding to the resolution changes: no plan is refused for it, whatever counts in which period."""
    offers, horizon = tiny.catalog.offers, tiny.case.horizon
    wanted = {name for d in tiny.case.demands for name in (d.id, d.material, d.end_use)}
    in_months, resolution = data.draw(st.booleans()), data.draw(st.sampled_from(("0.001", "0.001", "0.1")))
    case = tiny.case.but(
        horizon=Horizon(start=horizon.start, periods=horizon.count, period="month") if in_months else horizon,
        orders=() if in_months else tiny.case.orders,
        objectives=tuple(level if level.minimize == "concentration" else about_these(level, wanted) for level in some),
        incumbents=(IncumbentSpec(offer=offers[0].id, per_year=Decimal(20)),),
        resolution=Decimal(resolution),
    )
    kept = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    try:
        planned(case, tiny.catalog, *kept, *data.draw(soft_limits(offers)))
    except InputError as error:
        assume(error.problems[0].code not in ("FS266", "FS310"))
        raise
