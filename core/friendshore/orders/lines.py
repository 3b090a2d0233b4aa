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
from ..problem.network import Arc, arrival_of
from ..problem.offers import Paths
from ..verify import Bought, VerifiedPlan
from ..verify.daily_balance import DailyBalance

AT_ONCE = "short until it arrives: order at once"
UNITS = "units of the offer"


class StatedPrice(NamedTuple):
    """Price per unit of an offer, as in its catalog."""

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
    basis: str
    place: str
    quantity: Decimal
    order_by: date | None
    """Last day to order. None if it has been placed."""
    needed_on: date
    price: StatedPrice | None
    """Price per unit. None if goods of several lines share one price, or if the order has been placed."""
    ordered: int = -1
    delivered: int = -1
    by_class: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Material -> kilograms by the compliance class that they are bought for."""
    is_part: bool = False
    """True for one of several goods that one run makes for several places. It isn't a separate order."""
    gives: str = ""
    is_fee: bool = False
    """True if the price is a fee for processing. The inputs have their own lines."""
    is_at_once: bool = False
    """True if the demand that it serves is short until it arrives."""
    placed: OrderSpec | None = None
    """Order in the case. None if it hasn't been placed."""
    takes_inputs: bool = False
    inputs: tuple[str, ...] = ()
    """Offers of its inputs, up the whole chain: as planned, or as confirmed if the order has been placed."""
    made_from: str = ""
    unnamed: tuple[str, ...] = ()
    """Stock and open orders among its planned inputs without a fully known origin, which a confirmation can't name."""

    @property
    def texts(self) -> dict[str, str]:
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
        at_once = AT_ONCE if self.is_at_once else ""
        placed = "placed already: correct what has changed" if self.placed is not None else ""
        part = "one of several goods of one order for several places: see the run for its price" if self.is_part else ""
        fee = "processing fee: the inputs have their own lines" if self.is_fee else ""
        return "; ".join(filter(None, (at_once, placed, part, fee, self.gives)))


def order_lines(verified: VerifiedPlan) -> tuple[OrderLine, ...]:
    """Return a line for each purchase, for all classes together, by the last day to order, and for each open order of the case."""
    return (*_planned_lines(verified), *_open_lines(verified.problem))


_IN_WORDS = ("note", "made_from")
"""Columns with sentences, which a later version may write in other words."""


def plan_id(case: str, lines: Sequence[OrderLine]) -> str:
    """Return the identifier of a plan in its order sheet. It depends on figures, ids, and names, but not on notes."""
    rows = ([text for name, text in line.texts.items() if name not in _IN_WORDS] for line in lines)
    text = "\n".join([case, *map("\t".join, rows)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _planned_lines(verified: VerifiedPlan) -> Iterator[OrderLine]:
    problem, plan = verified.problem, verified.plan
    units: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for make in plan.makes:
        units[make.offer, make.period] += make.units
    runs: defaultdict[tuple[str, int], list[Bought]] = defaultdict(list)
    days: defaultdict[tuple[str, str, str, int], list[OrderDay]] = defaultdict(list)
    for purchase, day in zip(verified.lines, order_days(verified.ledger), strict=True):
        runs[purchase.name, purchase.ordered].append(purchase)
        days[purchase.name, purchase.material, purchase.place, purchase.ordered].append(day)
    paths, lines, origins = Paths(problem.merged, problem.case), list[OrderLine](), _Origins(problem, plan)
    balance = DailyBalance(verified.ledger)
    for (offer_id, ordered), purchases in runs.items():
        offer = problem.merged.offers[offer_id]
        is_single = len(offer.outputs) == 1
        groups = grouped(
            (
                (each.place, each.delivered, each.material if is_single else "", origins.separate_inputs(offer, each)),
                each,
            )
            for each in purchases
        )
        # A case can't state a run of several goods for several places as one order, so its goods get separate lines.
        is_whole = is_single or len(groups) == 1
        if not is_whole:
            groups = grouped(((each.place, each.delivered, each.material, None), each) for each in purchases)
        for (place, delivered, _, _), group in groups.items():
            arc = group[0].arc
            pools = {(each.arc.node, each.compliance_class) for each in group}
            needed_on = arc.arrives[ordered] or min(balance.needed_day(pool, delivered) for pool in pools)
            line = _line(problem, group, needed_on)
            own_days = [day for each in group for day in days[offer_id, each.material, place, ordered]]
            order_by = min(day.day for day in own_days)
            at_once = any(day.at_once for day in own_days)
            line = replace(line, order_by=order_by, is_at_once=at_once)
            if (
                order_by < arc.order_by[ordered]
            ):  # it reduces a shortage before its period, and can't arrive earlier than this
                line = replace(
                    line, needed_on=min(problem.case.horizon.begins(delivered), arrival_of(arc, order_by, problem.case))
                )
            if is_whole:
                line = replace(line, price=stated_price(paths, arc, ordered))
            if is_whole and not is_single:
                line = replace(line, quantity=units[offer_id, ordered], **_run_fields(problem, arc.chained.offer))
            if offer.inputs:
                classes = {each.compliance_class for each in group} if is_single else {None}
                names, unnamed = origins.union(offer_id, ordered, classes)
                line = replace(
                    line,
                    takes_inputs=True,
                    inputs=names,
                    unnamed=unnamed,
                    made_from=made_from(problem.merged, names, unnamed),
                )
            lines.append(replace(line, is_part=not is_whole))
    lines.sort(key=_order_key)
    for number, line in enumerate(lines, 1):
        yield replace(line, line=str(number))


def _order_key(line: OrderLine) -> tuple[object, ...]:
    first = str(line.order_by), line.supplier, line.item, line.place
    return *first, line.offer, line.ordered, line.inputs, line.unnamed


def _line(problem: Problem, purchases: Sequence[Bought], needed_on: date) -> OrderLine:
    by_class: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for purchase in purchases:
        by_class[purchase.material][purchase.compliance_class] += purchase.quantity
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
        quantity=sum((purchase.quantity for purchase in purchases), Decimal(0)),
        order_by=None,
        needed_on=needed_on,
        price=None,
        ordered=ordered,
        delivered=purchases[0].delivered,
        by_class={material: dict(classes) for material, classes in by_class.items()},
        is_fee=bool(arc.chained.offer.inputs),
    )


def _run_fields(problem: Problem, offer: Offer) -> dict[str, Any]:
    """Return the fields of an order of several goods. Its quantity counts runs, and each run gives all goods."""
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
    return " + ".join(problem.merged.materials[material].name or material for material in materials)


def _open_lines(problem: Problem) -> Iterator[OrderLine]:
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
        yield line if len(offer.outputs) == 1 else replace(line, **_run_fields(problem, offer))


class _Origins:
    def __init__(self, problem: Problem, plan: Plan) -> None:
        self._merged = problem.merged
        self._single = {name for name, offer in problem.merged.offers.items() if len(offer.outputs) == 1}
        lots = {lot.id: lot for lot in problem.lots}
        case = problem.case
        inputs_by_lot = {name: stock.inputs for name, stock in zip(case.stock_names, case.stocks, strict=True)}
        inputs_by_lot |= {name: order.inputs for name, order in zip(case.order_names, case.orders, strict=True)}
        self._arrivals: defaultdict[tuple[str, str, str], list[tuple[int, str, int, str]]] = defaultdict(list)
        """Material, place, and compliance class -> arrival, offer, period of the order, and class of its inputs, of each purchase."""
        self._lots: defaultdict[tuple[str, str, str], list[tuple[int, str, frozenset[str], bool]]] = defaultdict(list)
        """Material, place, and compliance class -> arrival, name, offers up its chain, and True if these are complete, of each stock and open order."""
        for purchase in plan.purchases:
            self._arrivals[purchase.material, purchase.place, purchase.compliance_class].append(
                (purchase.delivered, purchase.offer, purchase.ordered, purchase.compliance_class)
            )
        for lot_use in plan.lots:
            lot = lots[lot_use.lot]
            inputs = inputs_by_lot[lot_use.lot if lot_use.lot in inputs_by_lot else lot_use.lot.rpartition(":")[0]]
            has_inputs = bool(lot.offer and problem.merged.offers[lot.offer].inputs)
            is_complete = bool(lot.offer) and (not has_inputs or lot.confirmed)
            self._lots[lot_use.material, lot_use.place, lot_use.compliance_class].append(
                (lot_use.period, lot_use.lot, frozenset({lot.offer, *inputs} - {""}), is_complete)
            )
        self._stocked = {
            (stock.material, stock.place, stock.compliance_class, stock.period)
            for stock in plan.stocks
            if stock.quantity
        }
        self._makes = grouped(((make.offer, make.period), make.compliance_class) for make in plan.makes)

    def separate_inputs(self, offer: Offer, purchase: Bought) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Return the inputs that separate a purchase from others of its offer. None if all are one order, which may need its minimum size."""
        if not offer.inputs or len(offer.outputs) > 1 or offer.lot is not None or offer.min_order:
            return None
        return self.inputs(offer.id, purchase.ordered, purchase.compliance_class)

    @cached_method
    def inputs(self, offer: str, ordered: int, compliance_class: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the offers up the chain of an order, and the lots among them without a fully known origin. A class of None means all."""
        names, unnamed, seen = set[str](), set[str](), set[tuple[str, int, str]]()
        waiting = [(offer, ordered, label) for label in self._input_classes(offer, ordered, compliance_class)]
        while waiting:
            maker, at, label = waiting.pop()
            if (maker, at, label) in seen:
                continue
            seen.add((maker, at, label))
            maker_offer = self._merged.offers[maker]
            facility = self._merged.facilities[maker_offer.facility]
            for line in maker_offer.inputs:
                node = line.material, facility.place or facility.country, label
                first = at  # goods that arrived before the stock was last empty are used up
                while (*node, first - 1) in self._stocked:
                    first -= 1
                for arrival, source, period, needed in self._arrivals[node]:
                    if first <= arrival <= at:
                        names.add(source)
                        waiting += [(source, period, each) for each in self._input_classes(source, period, needed)]
                for arrival, lot, offers, is_complete in self._lots[node]:
                    if first <= arrival <= at:
                        names |= offers
                        unnamed |= set() if is_complete else {lot}
        return tuple(sorted(names)), tuple(sorted(unnamed))

    def union(
        self, offer: str, ordered: int, compliance_classes: Iterable[str | None]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        pairs = [self.inputs(offer, ordered, compliance_class) for compliance_class in compliance_classes]
        names, lots = {name for names, _ in pairs for name in names}, {lot for _, lots in pairs for lot in lots}
        return tuple(sorted(names)), tuple(sorted(lots))

    def _input_classes(self, offer: str, ordered: int, compliance_class: str | None) -> Sequence[str]:
        """Return the compliance classes of an order's inputs: that of the purchase, or those of the runs of several goods."""
        if compliance_class is not None and offer in self._single:
            return [compliance_class]
        return self._makes.get((offer, ordered), [])


def made_from(merged: Merged, offers: Iterable[str], unnamed: Iterable[str]) -> str:
    texts = []
    for name in offers:
        offer = merged.offers[name]
        facility = merged.facilities[offer.facility]
        materials = " + ".join(merged.materials[line.material].name or line.material for line in offer.outputs)
        stages = [
            f"{entry.stage} {'/'.join(sorted(entry.countries)) or 'unknown'}{'' if entry.complete else ' or elsewhere'}"
            for entry in offer.chain
        ]
        texts.append(
            f"{materials} from {facility.name or facility.id}, {facility.country} ({', '.join(stages) or 'no stage stated'})"
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
    benchmark, rows = paths.benchmarked(price.benchmark, material.id), paths.rows(price.benchmark)
    if benchmark is None or not rows:
        return None
    amount = exact(benchmark.amounts[period] * (1 + price.premium))
    return StatedPrice(amount, benchmark.currencies[period], rows[period].incoterm)
