"""What is lost in store, and what rules ask of stock, against brute force."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.case import StoreSpec
from friendshore.domain.plan import PlanStatus

from .compare import agrees, planned
from .mid_size import mid_size
from .oracle import optimum
from .settings import examples
from .strategies import Tiny, tiny_cases


@st.composite
def lossy(draw: st.DrawFn) -> Tiny:
    """A tiny case in which all that is held loses something, at each place at its own rate."""
    tiny = draw(tiny_cases())
    share = st.sampled_from(("0", "0.1", "0.5"))
    stores = tuple(s.model_copy(update={"loss": Decimal(draw(share))}) for s in tiny.case.stores)
    return Tiny(tiny.case.model_copy(update={"stores": stores}), tiny.catalog, tiny.rules)


@st.composite
def changing(draw: st.DrawFn) -> Tiny:
    """A tiny case in which some stores cost more, hold less or lose more from a day on, or are only told of until then."""
    tiny = draw(tiny_cases())
    stores: list[StoreSpec] = []
    for store in tiny.case.stores:
        day = draw(st.sampled_from((None, date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1))))
        if day is None:
            stores.append(store)
            continue
        stores.append(store.model_copy(update={"end": day - timedelta(days=1)}))
        if draw(st.booleans()):
            limit = draw(st.sampled_from((None, None, Decimal(0), Decimal(15))))
            share = Decimal(draw(st.sampled_from(("0", "0.2"))))
            later = {"holding": Decimal(draw(st.sampled_from((0, 3)))), "limit": limit, "loss": share}
            stores.append(store.model_copy(update={**later, "start": day}))
    return Tiny(tiny.case.model_copy(update={"stores": tuple(stores)}), tiny.catalog, tiny.rules)


@examples(120)
@given(changing())
def test_plan_with_stores_that_change_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """What a store costs, takes and loses in a period is what the case says of its last day."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


@examples(120)
@given(lossy())
def test_plan_with_loss_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """No supply tree or mix is cheaper than the plan when stock is lost, lots that nobody takes included."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


def test_rounding_adds_nothing_to_a_stock_that_a_rule_caps() -> None:
    """Grams that are short in a later period were bought earlier, and 30.00175 kg lay in a stock of at most 30 kg: there was no plan."""
    drawn = mid_size(2040)
    case = drawn.case.but(discount=Decimal(0))
    assert [rule.id for rule in drawn.rules if rule.kind == "stock-level"] == ["room"]
    found = planned(case, [drawn.catalog], [rule for rule in drawn.rules if getattr(rule, "penalty", None) is None])
    assert found.status is PlanStatus.OPTIMAL
