"""Orders that go out on their printed days keep every line running, but for what the plan says is short."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from tests.building import METAL, OXIDE, case, catalog, chain, demand, facility, lines, offer, stock, store

from friendshore.domain.case import OrderSpec
from friendshore.recommend import Recommendation
from friendshore.verify.again import order_days_again

from .compare import planned
from .daily import arrives_late, lacking
from .random_cases.facts import in_days
from .settings import examples
from .strategies import Tiny, tiny_cases

METALS = catalog(
    *(facility(country.lower(), country) for country in ("AU", "CN", "US")),
    offer("au-metal", "au", "metal", 10, chain("AU", *METAL), lead_time=in_days(140)),
    offer(
        "us-melt", "us", "metal", 5, chain("US", "melted"), inputs=lines(oxide=2), lead_time=in_days(40), max_order=30
    ),
    offer("cn-oxide", "cn", "oxide", 2, chain("CN", *OXIDE), lead_time=4),
)


def quarters() -> tuple[Recommendation, Tiny]:
    """Three years by quarters: 140 days from Australia, a melter 40 days away that takes oxide four months away, stock, and open orders of both."""
    orders = (
        OrderSpec(offer="au-metal", quantity=Decimal(35), arrives=date(2027, 2, 15), ordered=date(2026, 9, 1)),
        OrderSpec(offer="au-metal", quantity=Decimal(10), arrives=date(2027, 3, 3), ordered=date(2026, 9, 1)),
        OrderSpec(offer="cn-oxide", quantity=Decimal(50), arrives=date(2027, 2, 25), ordered=date(2026, 9, 1)),
    )
    given = case(
        demand("metal", "civil", per_year=Decimal(160), quantities=(), start=date(2026, 11, 17)),
        start=date(2026, 10, 1), length="quarter", count=13, orders=orders, stores=(store("metal", 1, loss=0.1),),
        stocks=(stock("metal", 50, chain("AU", *METAL)), stock("oxide", 20, chain("CN", *OXIDE))),
    )  # fmt: skip
    tiny = Tiny(given, METALS, ())
    return planned(given, [METALS], ()), tiny


def test_orders_that_go_out_on_their_day_keep_a_line_running() -> None:
    """No day lacks metal or oxide. Had the same orders gone out on the last days of their periods, as used to be printed, more than 30 would."""
    found, tiny = quarters()
    run = found.run
    assert run.purchases
    assert run.draws
    assert arrives_late(run, tiny.case, [tiny.catalog]) == []
    assert lacking(run, tiny.case, [tiny.catalog]) == []
    ends = {period.label: period.end for period in run.periods}
    late = [one.model_copy(update={"order_by": ends[one.ordered]}) for one in run.purchases]
    assert len(lacking(run.model_copy(update={"purchases": late}), tiny.case, [tiny.catalog])) > 30


def _keeps_running(tiny: Tiny) -> None:
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    run = found.run
    assert order_days_again(found.plan.ledger, found.plan.costing, run.purchases) == []
    assert arrives_late(run, tiny.case, [tiny.catalog]) == []
    assert run.conflicts or lacking(run, tiny.case, [tiny.catalog]) == []


@examples(8)
@given(tiny_cases())
def test_nothing_runs_out(tiny: Tiny) -> None:
    """Every order goes out on its day and arrives its lead time later: nothing is used that is not there."""
    _keeps_running(tiny)


@pytest.mark.deep
@examples(300)
@given(tiny_cases())
def test_nothing_runs_out_in_many(tiny: Tiny) -> None:
    """The same for many."""
    _keeps_running(tiny)
