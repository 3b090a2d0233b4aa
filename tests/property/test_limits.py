"""Limits of every kind, with all that may be said of whom they count, against brute force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from .compare import agrees, planned
from .oracle import optimum
from .random_cases.limits import limits
from .settings import examples
from .strategies import tiny_cases


@examples(120)
@given(st.data())
def test_plan_under_a_limit_is_as_cheap_as_brute_force(data: st.DataObject) -> None:
    """No supply tree, binary pattern or mix that keeps the limit is cheaper than the plan, and the plan is one of them."""
    tiny = data.draw(tiny_cases())
    others = tuple(rule for rule in tiny.rules if "rows" not in rule.verbs)
    rules = (*others, data.draw(limits(tiny.catalog.offers)))
    found = planned(tiny.case, [tiny.catalog], rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], rules))
