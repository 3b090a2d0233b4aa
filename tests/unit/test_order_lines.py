"""Order lines of a plan, and what the plan takes out of stock before a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.market import Rate
from friendshore.orders.carryover import PlannedUse, RolledLot, node_totals, planned_use, use_lots
from friendshore.orders.lines import UNITS, OrderLine, order_lines
from friendshore.orders.sheet import PlacedLine
from friendshore.recommend import Recommendation

from ..building import (
    SOURCE,
    benchmark,
    case,
    catalog,
    demand,
    lines,
    maker,
    metals,
    offer,
    planned,
    price,
    source,
    store,
)

JULY = date(2026, 7, 2)
"""The middle of 2026: 182 of 365 days are over."""


def lines_of(found: Recommendation) -> list[OrderLine]:
    """The order lines of a plan."""
    return list(order_lines(found.session.verified))


def placed(line: OrderLine, quantity: float) -> PlacedLine:
    """A line that was ordered and has arrived."""
    return PlacedLine(line, f"po-{line.line}", date(2026, 1, 1), date(2026, 1, 2), Decimal(str(quantity)), 2)


def test_use_is_even_over_the_days_of_a_period() -> None:
    """Half of 2026 is over: 182 of 365 days, whatever was ordered."""
    found = planned(case(demand("metal", "civil", 365, 365)), metals())
    uses = planned_use(found.session.verified, JULY, [])
    assert [(use.node, use.period, use.quantity) for use in uses] == [(("metal", "US"), 0, 182)]
    assert sum(use.quantity for use in planned_use(found.session.verified, date(2027, 1, 1), [])) == 365


def test_inputs_are_taken_by_the_orders_that_were_placed() -> None:
    """A maker confirms half of what the plan orders, and takes half of the oxide; nothing, if it wasn't ordered."""
    facts = metals(maker("JP", 1), source("AU", 1, "oxide"), jp=100, cn=0, au=1000)
    found = planned(case(demand("metal", "civil", 40, price=5000)), facts)
    made = next(line for line in lines_of(found) if line.offer == "jp-melt")
    assert (made.is_fee, made.quantity) == (True, 40)
    assert made.texts["note"].startswith("processing fee")
    taken = [use for use in planned_use(found.session.verified, JULY, [placed(made, 20)]) if use.node[0] == "oxide"]
    assert [(use.node, use.quantity) for use in taken] == [(("oxide", "JP"), 40)]
    assert not [use for use in planned_use(found.session.verified, JULY, []) if use.node[0] == "oxide"]


@pytest.mark.parametrize(("held", "second"), [(None, "au-oxide"), (0, "cn-oxide")])
def test_inputs_are_what_may_lie_in_the_stock_that_the_maker_takes(held: int | None, second: str) -> None:
    """Cheap oxide of 2026 is kept for 2027, or if it can't be kept, that of 2027 is taken alone."""
    oxides = source("AU", 1, "oxide", end=date(2026, 12, 31)), source("CN", 100, "oxide", start=date(2027, 1, 1))
    stores = (store("oxide", 0, "JP", held), store("metal", 500))
    found = planned(case(demand("metal", "civil", 40, 40, price=5000), stores=stores), catalog(maker("JP", 1), *oxides))
    made = [line for line in lines_of(found) if line.offer == "jp-melt"]
    assert [line.inputs for line in sorted(made, key=lambda line: line.ordered)] == [("au-oxide",), (second,)]


def test_goods_of_one_run_are_one_line() -> None:
    """A unit gives 1 kg of oxide and 3 kg of salt: 20 units are ordered, not 20 kg and 60 kg."""
    run = offer("au-run", "au", "oxide", 10, outputs=lines(oxide=1, salt=3))
    found = planned(case(demand("oxide", "civil", 20), demand("salt", "civil", 60)), metals(run))
    (line,) = [line for line in lines_of(found) if line.offer == "au-run"]
    assert (line.quantity, line.basis, line.is_part) == (20, UNITS, False)
    assert line.by_class.keys() == {"oxide", "salt"}
    assert "1 kg of oxide, 3 kg of salt" in line.texts["note"]


def test_a_price_is_told_in_the_currency_of_the_offer() -> None:
    """A benchmark in euros and a premium of a quarter, not the dollars of the plan."""
    day = date(2025, 1, 1)
    rate = Rate(currency="EUR", to="USD", rate=Decimal("1.5"), start=day, source=SOURCE)
    follows = source("AU", price(benchmark="press", premium=Decimal("0.25")), name="follows")
    press = benchmark(8, day, name="press", currency="EUR", incoterm="CIF")
    found = planned(case(demand("metal", "civil", 3)), metals(follows, press, cn=0, jp=0).but(rates=(rate,)))
    (line,) = lines_of(found)
    assert line.price == (Decimal(10), "EUR", "CIF")
    assert (line.texts["total"], line.texts["currency"], line.texts["incoterm"]) == ("30.00", "EUR", "CIF")
    assert found.run.purchases[0].price == 45


NODES = st.sampled_from([("metal", "US"), ("oxide", "US")])
CLASSES = st.sampled_from(["R1", "R2", "R3"])
KILOGRAMS = st.integers(0, 50).map(Decimal)


@st.composite
def lots(draw: st.DrawFn) -> list[RolledLot]:
    """Some lots, each with parts set aside for compliance classes."""
    made = []
    for number in range(draw(st.integers(0, 4))):
        quantity = draw(KILOGRAMS)
        aside, rest = {}, quantity
        for compliance_class in draw(st.sets(CLASSES)):
            aside[compliance_class] = min(rest, draw(KILOGRAMS))
            rest -= aside[compliance_class]
        since = date(2026, 1, draw(st.integers(1, 28)))
        made.append(RolledLot(f"lot-{number}", draw(NODES), quantity, since, draw(st.booleans()), aside))
    return made


USES = st.lists(st.builds(PlannedUse, NODES, CLASSES, st.just(0), KILOGRAMS), max_size=5)


@given(
    held=lots(),
    uses=USES,
    lends=st.dictionaries(st.tuples(st.sampled_from(["metal", "oxide"]), CLASSES), st.sets(CLASSES)),
)
def test_what_is_used_and_what_is_left_add_up(held: list[RolledLot], uses: list[PlannedUse], lends: Any) -> None:
    """No kilogram is lost or made, no lot falls below zero, and no class takes what is set aside for a class that doesn't serve it."""
    uncovered = use_lots(held, uses, lends)
    for total in node_totals(held, uncovered):
        node = (total.material, total.place)
        assert total.used + total.uncovered == sum(use.quantity for use in uses if use.node == node)
        assert total.opening + total.received - total.used == total.left
    assert all(0 <= lot.used <= lot.quantity for lot in held)
    for lot in held:
        wanted = {use.compliance_class for use in uses if use.node == lot.node}
        served = wanted | {one for name in wanted for one in lends.get((lot.node[0], name), ())}
        assert lot.used <= sum(part for name, part in lot.by_class.items() if name in served)


@pytest.mark.parametrize("early", [True, False])
def test_what_came_first_is_used_first(early: bool) -> None:
    """Two lots for one class: the one that arrived first is empty before the other one is touched."""
    days = (date(2026, 1, 1), date(2026, 2, 1)) if early else (date(2026, 2, 1), date(2026, 1, 1))
    node, part = ("metal", "US"), {"R1": Decimal(10)}
    held = [RolledLot(name, node, Decimal(10), day, True, part) for name, day in zip("ab", days, strict=True)]
    use_lots(held, [PlannedUse(node, "R1", 0, Decimal(12))], {})
    assert [lot.used for lot in held] == ([10, 2] if early else [2, 10])
