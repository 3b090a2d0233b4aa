"""Orders that go out on their printed days keep every line running, but for what the plan says is short."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from tests.building import METAL, OXIDE, case, catalog, chain, demand, maker, source, stock, store

from friendshore.domain.case import OrderSpec
from friendshore.orders.lines import order_lines
from friendshore.verify.second_derivation import check_order_days

from .daily import arrives_late, lacking
from .random_cases.facts import in_days
from .settings import examples
from .strategies import Tiny, tiny_cases

METALS = catalog(
    source("AU", 10, lead_time=in_days(140)),
    maker("US", 5, lead_time=in_days(40), max_order=30),
    source("CN", 2, "oxide", lead_time=4),
)


def quarters() -> Tiny:
    """Three years by quarters: 140 days from Australia, a melter 40 days away that takes oxide four months away, stock, and open orders of both."""
    open_orders = (
        ("au-metal", 35, date(2027, 2, 15)),
        ("au-metal", 10, date(2027, 3, 3)),
        ("cn-oxide", 50, date(2027, 2, 25)),
    )
    orders = [
        OrderSpec(offer=name, quantity=Decimal(kilograms), arrives=day, ordered=date(2026, 9, 1))
        for name, kilograms, day in open_orders
    ]
    given = case(
        demand("metal", "civil", per_year=Decimal(160), quantities=(), start=date(2026, 11, 17)),
        start=date(2026, 10, 1), length="quarter", count=13, orders=orders, stores=(store("metal", 1, loss=0.1),),
        stocks=(stock("metal", 50, chain("AU", *METAL)), stock("oxide", 20, chain("CN", *OXIDE))),
    )  # fmt: skip
    return Tiny(given, METALS, ())


def test_orders_that_go_out_on_their_day_keep_a_line_running() -> None:
    """No day lacks metal or oxide. Had the same orders gone out on the last days of their periods, as used to be printed, more than 30 would."""
    tiny = quarters()
    run = tiny.planned().run
    assert run.purchases
    assert run.draws
    assert arrives_late(run, tiny.case, [tiny.catalog]) == []
    assert lacking(run, tiny.case, [tiny.catalog]) == []
    ends = {period.label: period.end for period in run.periods}
    late = [one.model_copy(update={"order_by": ends[one.ordered]}) for one in run.purchases]
    assert len(lacking(run.model_copy(update={"purchases": late}), tiny.case, [tiny.catalog])) > 30


@examples(300, least=8)
@given(tiny_cases())
def test_nothing_runs_out(tiny: Tiny) -> None:
    """Every order goes out on its day and arrives its lead time later: nothing is used that is not there."""
    found = tiny.planned()
    run = found.run
    assert check_order_days(found.plan.ledger, found.plan.costing, run.purchases) == []
    assert arrives_late(run, tiny.case, [tiny.catalog]) == []
    assert run.conflicts or lacking(run, tiny.case, [tiny.catalog]) == []
    lines = [line for line in order_lines(found.session.verified) if line.placed is None]
    assert run.conflicts or lacking(run, tiny.case, [tiny.catalog], lines) == []
