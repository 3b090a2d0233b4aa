"""Orders as they are known now: those of the case, and what a filled-in sheet says of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.case import Case, OrderSpec
from ..errors import Diagnostic
from .lines import OrderLine
from .sheet import PlacedLine


@dataclass(frozen=True, slots=True)
class OrderNow:
    """An order that has been placed, as it is known on the day of the new plan."""

    order: OrderSpec
    position: int | None
    """Its place among the orders of the case. None if the case doesn't have it yet."""
    line: OrderLine | None
    """None if the plan knows nothing of it."""
    changed: bool
    """True if the sheet says something else of it than the case."""


def orders_now(
    case: Case, lines: Sequence[OrderLine], placed: Sequence[PlacedLine], found: list[Diagnostic]
) -> list[OrderNow]:
    """Return every order of the case and of the sheet; a row of the sheet takes the place of the order that it is about."""
    known = {line.line: line for line in lines}
    waiting = defaultdict(list)
    for one in placed:
        waiting[one.line.placed.id if one.line.placed is not None else one.number].append(one)
    orders = []
    for position, (name, order) in enumerate(zip(case.order_names, case.orders, strict=True)):
        rows = waiting.pop(name, [])
        for one in rows:
            if (one.line.offer, one.line.place) != (order.offer, order.place or case.place):
                message = f"the case has another order of this number, of `{order.offer}`"
                found.append(Diagnostic(message, "", one.row, "order_number", one.number, "a number of its own"))
        line = known.get(f"open-{name}")
        if not rows:
            orders.append(OrderNow(order.but(id=name), position, line, changed=False))
        for number, one in enumerate(rows):
            order_now = stated(one, order)
            first = position if number == 0 else None
            same = order_now.but(id="") == order.but(id="", place=order.place or case.place)
            orders.append(OrderNow(order_now, first, one.line, changed=not same or one.number != name))
    for rows in waiting.values():
        orders += [OrderNow(stated(one, one.line.placed), None, one.line, changed=True) for one in rows]
    return orders


def stated(one: PlacedLine, before: OrderSpec | None) -> OrderSpec:
    """Return a row of the sheet as an order of the case."""
    return OrderSpec(
        id=one.number,
        offer=one.line.offer,
        quantity=one.quantity,
        substance=before.substance if before is not None else "",
        arrives=one.arrives,
        ordered=one.placed,
        place=one.line.place,
        inputs=one.inputs or one.line.inputs,
        confirmed_by=one.confirmed_by,
        confirmed_on=one.confirmed_on,
        why=before.why if before is not None else "",
    )
