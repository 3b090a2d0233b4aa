"""Order lines: what a plan buys, and the orders that the case has placed already."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ..catalog.bids import weighed
from ..domain.base import exact, grouped
from ..domain.case import OrderSpec
from ..domain.facts import Offer
from ..domain.plan import Plan, Purchase
from ..domain.time import Span
from ..problem import Problem
from ..problem.network import Arc
from ..problem.rates import Paths

UNITS = "units of the offer"
"""What the quantity of an offer of several goods is of."""


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
    """Name of the material, or of all that a run delivers."""
    basis: str
    """What its kilograms are of, in words."""
    place: str
    quantity: Decimal
    order_by: date | None
    """None: it has been placed."""
    needed_on: date
    price: StatedPrice | None
    """None if goods of several lines share one price, or the order has been placed."""
    ordered: int = -1
    """Period of the order in the plan."""
    by_class: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Material -> kilograms by the compliance class that the plan buys them for."""
    is_part: bool = False
    """True if it is one of several goods that one run makes for several places, and no order by itself."""
    gives: str = ""
    """What a unit of an offer of several goods gives, in words."""
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
        placed = "placed already: correct what has changed" if self.placed is not None else ""
        part = "one of several goods of one order for several places: see the run for its price" if self.is_part else ""
        fee = "processing fee: the inputs are lines of their own" if self.is_fee else ""
        return "; ".join(filter(None, (placed, part, fee, self.gives)))


def order_lines(problem: Problem, plan: Plan) -> tuple[OrderLine, ...]:
    """Return an order line for each purchase of a plan, by the last day of its order, and for each open order of the case.

    Purchases of an offer in one period for one place are one line, whatever compliance classes they are for.
    """
    return (*_of_plan(problem, plan), *_already_placed(problem))


def edition(case: str, lines: Sequence[OrderLine]) -> str:
    """Return a short name of some lines: a sheet of another plan has another."""
    text = "\n".join([case, *("\t".join(line.texts.values()) for line in lines)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _of_plan(problem: Problem, plan: Plan) -> Iterator[OrderLine]:
    arcs = {(arc.chained.offer.id, *arc.node): arc for arc in problem.network.arcs if arc.lot < 0}
    units: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for make in plan.makes:
        units[make.offer, make.period] += make.units
    runs: defaultdict[tuple[str, int], list[Purchase]] = defaultdict(list)
    for one in plan.purchases:
        runs[one.offer, one.ordered].append(one)
    paths, found = Paths(problem.merged, problem.case), list[OrderLine]()
    for (offer, ordered), purchases in runs.items():
        single = len(problem.merged.offers[offer].outputs) == 1
        ways = grouped(((one.place, one.delivered, one.material if single else ""), one) for one in purchases)
        # A run of several goods for several places is no order that could be stated: its goods are listed one by one.
        whole = single or len(ways) == 1
        if not whole:
            ways = grouped(((one.place, one.delivered, one.material), one) for one in purchases)
        for (place, delivered, _), some in ways.items():
            arc = arcs[offer, some[0].material, place]
            line = _line(problem, arc, place, some, problem.case.horizon.begins(delivered))
            if whole:
                line = replace(line, price=stated_price(paths, arc, ordered))
            if whole and not single:
                line = replace(line, quantity=units[offer, ordered], **_of_run(problem, arc.chained.offer))
            found.append(replace(line, is_part=not whole))
    found.sort(key=lambda one: (str(one.order_by), one.supplier, one.item, one.place, one.offer, one.ordered))
    for number, line in enumerate(found, 1):
        yield replace(line, line=str(number))


def _line(problem: Problem, arc: Arc, place: str, purchases: Sequence[Purchase], arrives: date) -> OrderLine:
    by_class: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in purchases:
        by_class[one.material][one.requirement] += one.quantity
    facility, ordered = arc.chained.facility, purchases[0].ordered
    return OrderLine(
        line="",
        offer=arc.chained.offer.id,
        material="+".join(sorted(by_class)),
        supplier=facility.supplier,
        facility=facility.name or facility.id,
        item=_names(problem, sorted(by_class)),
        basis=weighed(arc.chained.material),
        place=place,
        quantity=sum((one.quantity for one in purchases), Decimal(0)),
        order_by=arc.order_by[ordered],
        needed_on=arc.arrives[ordered] or arrives,
        price=None,
        ordered=ordered,
        by_class={material: dict(classes) for material, classes in by_class.items()},
        is_fee=bool(arc.chained.offer.inputs),
    )


def _of_run(problem: Problem, offer: Offer) -> dict[str, Any]:
    """Return how an order of several goods is worded: its quantity counts runs, and each run gives all of them."""
    outputs = sorted(offer.outputs, key=lambda line: line.material)
    gives = ", ".join(f"{line.per_unit.normalize():f} kg of {line.material}" for line in outputs)
    materials = [line.material for line in outputs]
    return {
        "material": "+".join(materials),
        "item": _names(problem, materials),
        "basis": UNITS,
        "gives": f"a unit gives {gives}",
    }


def _names(problem: Problem, materials: Iterable[str]) -> str:
    known = problem.merged.materials
    return " + ".join(known[material].name or material for material in materials)


def _already_placed(problem: Problem) -> Iterator[OrderLine]:
    case, merged = problem.case, problem.merged
    for name, order in zip(case.order_names, case.orders, strict=True):
        offer = merged.offers[order.offer]
        facility, material = merged.facilities[offer.facility], merged.materials[offer.outputs[0].material]
        line = OrderLine(
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
            placed=order.but(id=name),
        )
        yield line if len(offer.outputs) == 1 else replace(line, **_of_run(problem, offer))


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
