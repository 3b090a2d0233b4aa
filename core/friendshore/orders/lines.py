"""Order lines: what a plan buys, and the orders that the case has placed already."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ..catalog.bids import weighed
from ..domain.base import exact
from ..domain.case import OrderSpec
from ..domain.plan import Plan, Purchase
from ..domain.time import Span
from ..problem import Problem
from ..problem.network import Arc
from ..problem.rates import Paths


class StatedPrice(NamedTuple):
    """A price per unit of an offer, as its catalog states it."""

    amount: Decimal
    currency: str
    incoterm: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order: a material of one offer for one place."""

    line: str
    """Number among the lines of the plan; `open-` and the name of an order that the case has placed already."""
    offer: str
    material: str
    supplier: str
    facility: str
    item: str
    """Name of the material."""
    basis: str
    """What its kilograms are of, in words."""
    place: str
    quantity: Decimal
    order_by: date | None
    """None: it has been placed."""
    needed_on: date
    price: StatedPrice | None
    """None if several goods share one price, or the order has been placed."""
    ordered: int = -1
    """Period of the order in the plan."""
    by_class: Mapping[str, Decimal] = field(default_factory=dict)
    """Kilograms by the compliance class that the plan buys them for."""
    shares_run: bool = False
    """True if the offer delivers several goods at once."""
    is_fee: bool = False
    """True if the price is that of processing: the inputs are lines of their own."""
    placed: OrderSpec | None = None
    """The order as the case states it, if it has been placed already."""

    @property
    def texts(self) -> dict[str, str]:
        """What the sheet says of it, by column."""
        price, total = self.price, None
        if price is not None:
            total = (price.amount * self.quantity).quantize(Decimal("0.01"))
        return {
            "supplier": self.supplier,
            "facility": self.facility,
            "item": self.item,
            "quantity_kg": f"{self.quantity.normalize():f}",
            "kilograms_of": self.basis,
            "destination": self.place,
            "incoterm": price.incoterm if price is not None else "",
            "order_by": str(self.order_by or ""),
            "needed_on": str(self.needed_on),
            "price_per_kg": f"{price.amount.normalize():f}" if price is not None else "",
            "total": f"{total:f}" if total is not None else "",
            "currency": price.currency if price is not None else "",
            "note": self._note,
            "offer": self.offer,
            "material": self.material,
            "line": self.line,
        }

    @property
    def _note(self) -> str:
        if self.placed is not None:
            return "placed already: correct what has changed"
        if self.shares_run:
            return "one of several goods of one order: see the run for its price"
        return "processing fee: the inputs are lines of their own" if self.is_fee else ""


def order_lines(problem: Problem, plan: Plan) -> tuple[OrderLine, ...]:
    """Return an order line for each purchase of a plan, by the last day of its order, and for each open order of the case.

    Purchases of an offer in one period for one place are one line, whatever compliance classes they are for.
    """
    return (*_of_plan(problem, plan), *_already_placed(problem))


def edition(case: str, lines: Sequence[OrderLine]) -> str:
    """Return a short name of some lines: a sheet of another plan has another."""
    told = "\n".join([case, *("\t".join(line.texts.values()) for line in lines)])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _of_plan(problem: Problem, plan: Plan) -> Iterator[OrderLine]:
    arcs = {(arc.chained.offer.id, *arc.node): arc for arc in problem.network.arcs if arc.lot < 0}
    sums: defaultdict[tuple[str, str, str, int, int], list[Purchase]] = defaultdict(list)
    for one in plan.purchases:
        sums[one.offer, one.material, one.place, one.ordered, one.delivered].append(one)
    paths, found = Paths(problem.merged, problem.case), list[OrderLine]()
    for (offer, material, place, ordered, delivered), purchases in sums.items():
        arc = arcs[offer, material, place]
        by_class: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in purchases:
            by_class[one.requirement] += one.quantity
        single = len(arc.chained.offer.outputs) == 1
        found.append(
            OrderLine(
                line="",
                offer=offer,
                material=material,
                supplier=arc.chained.facility.supplier,
                facility=arc.chained.facility.name or arc.chained.facility.id,
                item=arc.chained.material.name or material,
                basis=weighed(arc.chained.material),
                place=place,
                quantity=sum(by_class.values(), Decimal(0)),
                order_by=arc.order_by[ordered],
                needed_on=arc.arrives[ordered] or problem.case.horizon.begins(delivered),
                price=stated_price(paths, arc, ordered) if single else None,
                ordered=ordered,
                by_class=dict(by_class),
                shares_run=not single,
                is_fee=bool(arc.chained.offer.inputs),
            )
        )
    found.sort(key=lambda one: (str(one.order_by), one.supplier, one.item, one.place, one.offer, one.ordered))
    for number, line in enumerate(found, 1):
        yield replace(line, line=str(number))


def _already_placed(problem: Problem) -> Iterator[OrderLine]:
    case, merged = problem.case, problem.merged
    for name, order in zip(case.order_names, case.orders, strict=True):
        offer = merged.offers[order.offer]
        facility, material = merged.facilities[offer.facility], merged.materials[offer.outputs[0].material]
        yield OrderLine(
            line=f"open-{name}",
            offer=offer.id,
            material=material.id,
            supplier=facility.supplier,
            facility=facility.name or facility.id,
            item=material.name or material.id,
            basis=order.substance or weighed(material),
            place=order.place or case.place,
            quantity=order.quantity,
            order_by=None,
            needed_on=order.arrives,
            price=None,
            shares_run=len(offer.outputs) > 1,
            placed=order.but(id=name),
        )


def stated_price(paths: Paths, arc: Arc, period: int) -> StatedPrice | None:
    """Return the price of an offer for orders in a period, in the currency in which its catalog states it."""
    offer, span = arc.chained.offer, paths.case.horizon.periods[period].span
    for quote in offer.quotes:
        if Span(start=quote.start, end=quote.end).covers(span):
            return StatedPrice(quote.amount, quote.currency)
    price = offer.price
    if price is None:
        return None
    if price.amount is not None:
        return StatedPrice(price.amount, price.currency)
    material = paths.merged.materials[offer.outputs[0].material]
    found, rows = paths.benchmarked(price.benchmark, material), paths.rows(price.benchmark)
    if found is None or not rows:
        return None
    amount = exact(found.amounts[period] * (1 + price.premium))
    return StatedPrice(amount, found.currencies[period], rows[period].incoterm)
