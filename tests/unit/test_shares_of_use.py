"""Limits on shares of what is used: they are not met by buying early, whichever lots are used first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from friendshore.domain.plan import PlanStatus
from friendshore.recommend import Recommendation
from friendshore.rules.kinds.limits import MaxShare, MinShare, StockLevel

from ..building import bought, case, catalog, demand, facility, maker, metals, planned, rule, source, stock

LATER = [{"from": "2027-01-01"}]


def cap(**more: Any) -> Any:
    """No more than 40 % of the demand from any one country, China above all."""
    return rule(MaxShare, **{"id": "cap", "countries": ["CN"], "share": "40 %", "phases": LATER, **more})


def test_a_cap_on_what_is_bought_is_met_by_buying_early() -> None:
    """10 kg a year, Chinese at 10: all 20 come in the year before the cap. A cap on what is used leaves 4 of the second year's."""
    wanted = case(demand("metal", "civil", 10, 10))
    assert bought(planned(wanted, metals(), cap())) == {"cn-metal": 20}
    found = planned(wanted, metals(), cap(counts="used"))
    assert bought(found) == {"cn-metal": 14, "au-metal": 6}


def test_a_cap_counts_stock_in_hand_and_what_is_in_the_making() -> None:
    """Chinese stock of 30, and metal that is a year in the making of Chinese oxide: neither slips past the first capped year."""
    wanted = case(demand("metal", "civil", 10, 10), stocks=(stock("metal", 30, source("CN", 1).chain),))
    found = planned(wanted, metals(), cap(counts="used"))
    assert found.status is PlanStatus.INFEASIBLE  # what is there may be used, and nothing says that it is not
    soft = planned(wanted, metals(), cap(counts="used", penalty=1))
    assert [float(row.missed_by) for row in soft.run.limits if row.rule == "cap"] == [16]
    made = catalog(
        facility("cn", "CN"), facility("jp", "JP"), facility("au", "AU"),
        source("CN", 1, "oxide"), maker("JP", 1, 1, lead_time=12), source("AU", 500),
    )  # fmt: skip
    later = case(demand("metal", "civil", 0, 10))
    words: dict[str, Any] = {"stage": "mined", "group_by": "element"}
    assert bought(planned(later, made, cap(**words)))["jp-melt"] == 10
    kept = planned(later, made, cap(**words, counts="used"))
    assert {name: round(kg, 3) for name, kg in bought(kept).items() if name != "cn-oxide"} == {
        "jp-melt": 4,
        "au-metal": 6,
    }


def test_a_floor_does_not_count_what_is_carried_out() -> None:
    """Half of 10 kg must be Australian, and 5 kg must lie in stock at the end: these may be the Australian ones, so 10 are bought."""
    wanted = case(demand("metal", "civil", 10))
    held = rule(StockLevel, id="held", at_least=5)
    words: dict[str, Any] = {"id": "floor", "countries": ["AU"], "share": "50 %"}
    assert bought(planned(wanted, metals(), held, rule(MinShare, **words))) == {"cn-metal": 10, "au-metal": 5}
    found = planned(wanted, metals(), held, rule(MinShare, **words, counts="used"))
    assert bought(found) == {"cn-metal": 5, "au-metal": 10}


def test_what_nobody_can_have_sold_is_in_no_stock() -> None:
    """A cap on Kazakhstan, which sells nothing, counts no stock; of a year without demand nothing is capped."""
    wanted = case(demand("metal", "civil", 10, 0, 10), stocks=(stock("metal", 8, source("AU", 1).chain),))
    found = planned(wanted, metals(), cap(counts="used", countries=["KZ"], share=0, phases=[{}]))
    assert found.status is PlanStatus.OPTIMAL
    none = planned(case(demand("metal", "civil", 10, 0)), metals(), cap(counts="used", phases=LATER))
    assert [row.label for row in none.run.limits] == []


def test_a_share_of_purchases_is_no_share_of_use() -> None:
    """What is used is measured by what is wanted."""
    with pytest.raises(ValueError, match="what is used is a share of what is wanted"):
        cap(counts="used", of="purchases")


@settings(deadline=None, max_examples=12)
@given(
    st.lists(st.integers(0, 20), min_size=3, max_size=4),
    st.integers(0, 30),
    st.integers(1, 3),
    st.sampled_from([20, 50, 80]),
    st.integers(0, 25),
)
def test_whatever_is_used_first_the_cap_is_kept(
    wanted: list[int], in_hand: int, dear: int, percent: int, most: int
) -> None:
    """As much Chinese metal as can be in stock and is bought never exceeds the cap, if the limit is said to be kept."""
    stocks = (stock("metal", in_hand, source("CN", 1).chain),) if in_hand else ()
    given_case = case(demand("metal", "civil", *wanted), stocks=stocks)
    found = planned(
        given_case, metals(cn=most or None, au=15 * dear), cap(counts="used", share=f"{percent} %", penalty=1000)
    )
    for t, quantity in enumerate(wanted):
        missed = sum(float(r.missed_by) for r in found.run.limits if r.rule == "cap" and str(2026 + t) in r.label)
        if t and quantity and not missed:
            assert _most_used(found, t, in_hand) <= percent / 100 * quantity + 1e-6


def _most_used(found: Recommendation, year: int, in_hand: int) -> float:
    """The most Chinese metal that may be used in a year: all of it that can be in stock, and all that is bought, up to what is delivered."""
    plan = found.run
    before = [p for p in plan.purchases if int(p.delivered) < 2026 + year]
    used = sum(float(d.quantity_kg) for d in plan.deliveries if int(d.period) < 2026 + year)
    there = in_hand + sum(float(p.quantity_kg) for p in before) - used
    chinese = in_hand + sum(float(p.quantity_kg) for p in before if p.offer == "cn-metal")
    now = sum(float(p.quantity_kg) for p in plan.purchases if p.offer == "cn-metal" and int(p.delivered) == 2026 + year)
    delivered = sum((d.quantity_kg for d in plan.deliveries if int(d.period) == 2026 + year), Decimal(0))
    return min(float(delivered), min(there, chinese) + now)
