"""What is lost in store, and what rules ask of stock, against brute force."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from .compare import agrees, planned
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


@examples(120)
@given(lossy())
def test_plan_with_loss_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """No supply tree or mix is cheaper than the plan when stock is lost, lots that nobody takes included."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))
