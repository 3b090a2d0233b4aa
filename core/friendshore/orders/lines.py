"""Order lines: purchases of a plan, and open orders of the case."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ..domain.base import exact, grouped
from ..domain.basis import weighed
from ..domain.case import OrderSpec
from ..domain.facts import Offer
from ..domain.plan import Plan
from ..domain.runtime import cached_method
from ..domain.time import Span
from ..explain import OrderDay, order_days
from ..problem import Problem
from ..problem.merged import Merged
from ..problem.network import Arc
from ..problem.offers import Paths
from ..verify import Bought, VerifiedPlan

AT_ONCE = "short until it arrives: order at once"
"""Note on an order whose goods are short before they arrive."""
UNITS = "units of the offer"
"""Basis of quantities of an offer of several goods."""


class StatedPrice(NamedTuple):
    """Price per unit of an offer, as its catalog states it."""

    amount: Decimal
    currency: str
    incoterm: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order of a material from one offer for one place."""

    line: str
    """Line number in the plan, or `open-` and the name of an open order."""
    offer: str
    material: str
    supplier: str
    facility: str
    item: str
    """Name of the material, or of all goods of a run."""
    basis: str
    """Basis of its kilograms, in words."""
    place: str
    quantity: Decimal
    order_by: date | None
    """Last day to order. None if it has been placed."""
    needed_on: date
    price: StatedPrice | None
    """Price per unit. None if goods of several lines share one price, or if the order has been placed."""
    ordered: int = -1
    """Period of the order in the plan."""
    delivered: int = -1
    """Period of its arrival."""
    by_class: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Material -> kilograms by the compliance class that they are bought for."""
    is_part: bool = False
    """True if it is one of several goods that one run makes for several places. It isn't a separate order."""
    gives: str = ""
    """Goods in a unit of an offer of several goods, in words."""
    is_fee: bool = False
    """True if the price is a fee for processing. The inputs have their own lines."""
    is_at_once: bool = False
    """True if the demand that it serves is short until it arrives."""
    placed: OrderSpec | None = None
    """Order as the case states it. None if it hasn't been placed."""
    takes_inputs: bool = False
    inputs: tuple[str, ...] = ()
    """Offers of its inputs, up the whole chain: as planned, or as confirmed if the order has been placed."""
    made_from: str = ""
    """Inputs in words, with the countries of each step."""
    unnamed: tuple[str, ...] = ()
    """Stock and open orders among its planned inputs whose origin isn't fully known from offers, so that a confirmation can't name them."""

    @property
    def texts(self) -> dict[str, str]:
        """Text of the cells, by column."""
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
            "made_from": self.made_from,
            "offer": self.offer,
            "material": self.material,
            "inputs": "; ".join(self.inputs),
            "line": self.line,
        }

    @property
    def _note(self) -> str:
        placed = "placed already: correct what has changed" if self.placed is not None else ""
        part = "one of several goods of one order for several places: see the run for its price" if self.is_part else ""
        fee = "processing fee: the inputs are lines of their own" if self.is_fee else ""
        soon = AT_ONCE if self.is_at_once else ""
        return "; ".join(filter(None, (soon, placed, part, fee, self.gives)))


def order_lines(verified: VerifiedPlan) -> tuple[OrderLine, ...]:
    """Return an order line for each purchase of a plan, by the last day to order, and for each open order of the case.

    Purchases of an offer in one period for one place form one line for all compliance classes.
    """
    return (*_of_plan(verified), *_already_placed(verified.problem))


def edition(case: str, lines: Sequence[OrderLine]) -> str:
    """Return a short identifier of some lines, different for the sheet of another plan."""
    text = "\n".join([case, *("\t".join(line.texts.values()) for line in lines)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _of_plan(verified: VerifiedPlan) -> Iterator[OrderLine]:
    problem, plan = verified.problem, verified.plan
    units: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for make in plan.makes:
        units[make.offer, make.period] += make.units
    runs: defaultdict[tuple[str, int], list[Bought]] = defaultdict(list)
    days: defaultdict[tuple[str, str, str, int], list[OrderDay]] = defaultdict(list)
    for one, day in zip(verified.lines, order_days(verified.ledger), strict=True):
        runs[one.name, one.ordered].append(one)
        days[one.name, one.material, one.place, one.ordered].append(day)
    paths, found, origins = Paths(problem.merged, problem.case), list[OrderLine](), _Origins(problem, plan)
    for (offer, ordered), purchases in runs.items():
        stated = problem.merged.offers[offer]
        single = len(stated.outputs) == 1
        ways = grouped(
            ((one.place, one.delivered, one.material if single else "", origins.apart(stated, one)), one)
            for one in purchases
        )
        # A run of several goods for several places is no order that could be stated: its goods are listed one by one.
        whole = single or len(ways) == 1
        if not whole:
            ways = grouped(((one.place, one.delivered, one.material, None), one) for one in purchases)
        for (place, delivered, _, _), some in ways.items():
            arc = some[0].arc
            line = _line(problem, some, problem.case.horizon.begins(delivered))
            own = [day for one in some for day in days[offer, one.material, place, ordered]]
            line = replace(line, order_by=min(day.day for day in own), is_at_once=any(day.at_once for day in own))
            if whole:
                line = replace(line, price=stated_price(paths, arc, ordered))
            if whole and not single:
                line = replace(line, quantity=units[offer, ordered], **_of_run(problem, arc.chained.offer))
            if stated.inputs:
                needed = {one.requirement for one in some} if single else {None}
                names, unnamed = origins.union(offer, ordered, needed)
                line = replace(
                    line,
                    takes_inputs=True,
                    inputs=names,
                    unnamed=unnamed,
                    made_from=made_from(problem.merged, names, unnamed),
                )
            found.append(replace(line, is_part=not whole))
    found.sort(
        key=lambda one: (
            str(one.order_by),
            one.supplier,
            one.item,
            one.place,
            one.offer,
            one.ordered,
            one.inputs,
            one.unnamed,
        )
    )
    for number, line in enumerate(found, 1):
        yield replace(line, line=str(number))


def _line(problem: Problem, purchases: Sequence[Bought], arrives: date) -> OrderLine:
    by_class: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in purchases:
        by_class[one.material][one.requirement] += one.quantity
    arc, ordered = purchases[0].arc, purchases[0].ordered
    facility = arc.chained.facility
    return OrderLine(
        line="",
        offer=arc.chained.offer.id,
        material="+".join(sorted(by_class)),
        supplier=facility.supplier,
        facility=facility.name or facility.id,
        item=_names(problem, sorted(by_class)),
        basis=weighed(arc.chained.material),
        place=arc.node[1],
        quantity=sum((one.quantity for one in purchases), Decimal(0)),
        order_by=None,
        needed_on=arc.arrives[ordered] or arrives,
        price=None,
        ordered=ordered,
        delivered=purchases[0].delivered,
        by_class={material: dict(classes) for material, classes in by_class.items()},
        is_fee=bool(arc.chained.offer.inputs),
    )


def _of_run(problem: Problem, offer: Offer) -> dict[str, Any]:
    """Return the wording of an order of several goods. Its quantity counts runs, and each run gives all goods."""
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
            takes_inputs=bool(offer.inputs),
            inputs=order.inputs,
            made_from=made_from(merged, order.inputs, ()),
        )
        yield line if len(offer.outputs) == 1 else replace(line, **_of_run(problem, offer))


class _Origins:
    """Possible source offers of the inputs of each order."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._merged = problem.merged
        self._single = {name for name, offer in problem.merged.offers.items() if len(offer.outputs) == 1}
        lots = {lot.id: lot for lot in problem.lots}
        case = problem.case
        stated = {name: one.inputs for name, one in zip(case.stock_names, case.stocks, strict=True)}
        stated |= {name: one.inputs for name, one in zip(case.order_names, case.orders, strict=True)}
        self._into: defaultdict[tuple[str, str, str], list[tuple[int, str, int, str]]] = defaultdict(list)
        """Material, place, and compliance class -> arrival, offer, period of the order, and class of its inputs, of each purchase."""
        self._held: defaultdict[tuple[str, str, str], list[tuple[int, str, frozenset[str], bool]]] = defaultdict(list)
        """Material, place, and compliance class -> arrival, name, offers up its chain, and True if these are complete, of each stock and open order."""
        for one in plan.purchases:
            self._into[one.material, one.place, one.requirement].append(
                (one.delivered, one.offer, one.ordered, one.requirement)
            )
        for used in plan.lots:
            lot = lots[used.lot]
            inputs = stated[used.lot if used.lot in stated else used.lot.rpartition(":")[0]]
            makes = bool(lot.offer and problem.merged.offers[lot.offer].inputs)
            known = bool(lot.offer) and (not makes or lot.confirmed)
            self._held[used.material, used.place, used.requirement].append(
                (used.period, used.lot, frozenset({lot.offer, *inputs} - {""}), known)
            )
        self._stocked = {(one.material, one.place, one.requirement, one.period) for one in plan.stocks if one.quantity}
        self._makes = grouped(((make.offer, make.period), make.requirement) for make in plan.makes)

    def apart(self, offer: Offer, purchase: Bought) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return the inputs that make a purchase a separate order. None if all purchases of the offer are one order.

        An order with a minimum size isn't divided, because its parts might not reach it.
        """
        if not offer.inputs or len(offer.outputs) > 1 or offer.lot is not None or offer.min_order:
            return None
        return self.of(offer.id, purchase.ordered, purchase.requirement)

    @cached_method
    def of(self, offer: str, ordered: int, requirement: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the offers up the chain of an order, and the lots among them without a fully known origin. Without a class, for all classes."""
        names, unnamed, seen = set[str](), set[str](), set[tuple[str, int, str]]()
        waiting = [(offer, ordered, label) for label in self._labels(offer, ordered, requirement)]
        while waiting:
            maker, at, label = waiting.pop()
            if (maker, at, label) in seen:
                continue
            seen.add((maker, at, label))
            stated = self._merged.offers[maker]
            facility = self._merged.facilities[stated.facility]
            for line in stated.inputs:
                node = line.material, facility.place or facility.country, label
                first = at  # what arrived before the stock was last used up is in none of it
                while (*node, first - 1) in self._stocked:
                    first -= 1
                for arrival, source, period, needed in self._into[node]:
                    if first <= arrival <= at:
                        names.add(source)
                        waiting += [(source, period, each) for each in self._labels(source, period, needed)]
                for arrival, lot, offers, known in self._held[node]:
                    if first <= arrival <= at:
                        names |= offers
                        unnamed |= set() if known else {lot}
        return tuple(sorted(names)), tuple(sorted(unnamed))

    def union(
        self, offer: str, ordered: int, requirements: Iterable[str | None]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the offers and lots for several compliance classes together."""
        found = [self.of(offer, ordered, requirement) for requirement in requirements]
        return tuple(sorted({one for names, _ in found for one in names})), tuple(
            sorted({one for _, lots in found for one in lots})
        )

    def _labels(self, offer: str, ordered: int, requirement: str | None) -> Sequence[str]:
        """Return the compliance classes of an order's inputs: the class of the purchase, or those of the runs of several goods."""
        if requirement is not None and offer in self._single:
            return [requirement]
        return self._makes.get((offer, ordered), [])


def made_from(merged: Merged, offers: Iterable[str], unnamed: Iterable[str]) -> str:
    """Return inputs in words: each material, its plant, and the countries of its steps."""
    texts = []
    for name in offers:
        offer = merged.offers[name]
        facility = merged.facilities[offer.facility]
        what = " + ".join(merged.materials[line.material].name or line.material for line in offer.outputs)
        steps = [
            f"{entry.stage} {'/'.join(sorted(entry.countries)) or 'unknown'}{'' if entry.complete else ' or elsewhere'}"
            for entry in offer.chain
        ]
        texts.append(
            f"{what} from {facility.name or facility.id}, {facility.country} ({', '.join(steps) or 'no step stated'})"
        )
    return "; ".join([*texts, *(f"stock or order {name}, of unknown origin" for name in unnamed)])


def stated_price(paths: Paths, arc: Arc, period: int) -> StatedPrice | None:
    """Return the price of an offer for orders in a period, in the currency of its catalog. None if it has no price then."""
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
    found, rows = paths.benchmarked(price.benchmark, material.id), paths.rows(price.benchmark)
    if found is None or not rows:
        return None
    amount = exact(found.amounts[period] * (1 + price.premium))
    return StatedPrice(amount, found.currencies[period], rows[period].incoterm)
