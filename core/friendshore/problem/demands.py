"""Demands, stock on hand, open orders, and current suppliers, resolved against the catalogs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import lru_cache

from ..domain.base import exact, totals
from ..domain.case import Case, DemandSpec, OrderSpec, StockSpec
from ..domain.facts import Facility, Material, Offer, Place, RecipeLine
from ..domain.quantities import readable
from ..domain.suggest import did_you_mean
from ..domain.time import Horizon, Period, Span, add_months
from ..domain.use import Chained, Use
from ..errors import Diagnostic, InputError
from .merged import CASE_SOURCE, Merged

# Maximum share of an amount that rounding to the resolution may add or remove.
_MAX_ROUNDED_SHARE = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand with its quantity in each period."""

    id: str
    spec: DemandSpec
    use: Use
    quantity: tuple[Decimal, ...]
    """Kilograms in each period, to the resolution."""

    def share_from(self, period: Period, day: datetime.date) -> Fraction:
        """Return the share of a period's demand that is used from a day on. Use is even over the days of the demand, also if it is delayed."""
        start, end = (
            None if bound is None else add_months(bound, self.spec.later) for bound in (self.spec.start, self.spec.end)
        )
        days_of_use = Span(start=start, end=end) if Span(start=start, end=end).meets(period.span) else period.span
        first = max(day, days_of_use.start) if days_of_use.start is not None else day
        remaining = Span(start=first, end=days_of_use.end)
        if self.spec.quantities:
            return Fraction(remaining.days_within(period.span), days_of_use.days_within(period.span))
        return period.years_within(remaining) / period.years_within(days_of_use)


@dataclass(frozen=True, slots=True)
class Lot:
    """Material that needs no purchase: stock on hand or an open order."""

    id: str
    material: str
    place: Place
    period: int
    """First period in which it is available."""
    quantity: Decimal
    acquired: Span
    """Days on which it may have been ordered."""
    chained: Chained
    on_order: bool
    """True if it still has to cross borders, so that export control applies to it."""
    arrives: datetime.date | None = None
    """Day on which an order arrives. None for stock on hand."""
    offer: str = ""
    """Offer that it was bought from. Empty if unknown."""
    chain: tuple[tuple[Chained, Place], ...] = ()
    """Its offer and the offers of its inputs, each with the place that its goods went to. Empty if the inputs are unknown."""
    confirmed: bool = False


def round_to(value: Decimal | Fraction, resolution: Decimal) -> Decimal:
    """Return the multiple of `resolution` nearest to `value`, with ties to even."""
    if isinstance(value, Fraction):
        steps = value / Fraction(resolution)
        return Decimal(round(steps)) * resolution
    return (value / resolution).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * resolution


def demand_name(spec: DemandSpec, case: Case) -> str:
    return spec.id or f"{spec.material}/{spec.end_use}/{spec.place or case.place}"


def resolve_demands(merged: Merged, case: Case, basis: Callable[[str, str], Decimal]) -> list[Demand]:
    """Return all demands, sorted by id. `basis` gives the kilograms of a material's basis in one kilogram of a substance."""
    problems: list[Diagnostic] = []
    demands: dict[str, Demand] = {}
    for spec in case.demands:
        if spec.material not in merged.materials:
            problems.append(_unknown("material", spec.material, "demand.material", merged.materials))
            continue
        place = merged.place(spec.place or case.place)
        name = demand_name(spec, case)
        if name in demands:
            problems.append(
                Diagnostic(
                    f"two demands have the name `{name}`",
                    fix="give each demand its own `id`",
                    column="demand.id",
                    found=name,
                    code="FS243",
                )
            )
            continue
        if spec.later % case.horizon.length.months:
            problems.append(
                Diagnostic(
                    f"demand `{name}` is delayed by {spec.later} months, which isn't a whole number of periods",
                    column="later",
                    expected=f"whole periods of {case.horizon.length.months} months",
                    code="FS250",
                )
            )
            continue
        if spec.quantities and len(spec.quantities) != case.horizon.count:
            problems.append(
                Diagnostic(
                    f"demand `{name}` lists {len(spec.quantities)} quantities, but the plan has {case.horizon.count} periods",
                    column="demand.quantities",
                    expected=f"{case.horizon.count} quantities, one for each period",
                    code="FS249",
                )
            )
            continue
        use = Use(
            material=merged.materials[spec.material],
            end_use=spec.end_use,
            place=place,
            buyer=spec.buyer,
            facts=spec.facts,
        )
        amounts, quantity, is_too_coarse = _quantities(
            spec, basis(spec.material, spec.substance), case.horizon, case.resolution
        )
        if is_too_coarse:
            problems.append(_coarse_resolution(f"demand `{name}`", amounts, quantity, case))
        demands[name] = Demand(name, spec, use, _delayed(quantity, spec.later // case.horizon.length.months))
    if problems:
        raise InputError(problems)
    return [demands[name] for name in sorted(demands)]


@lru_cache(maxsize=1024)
def _quantities(
    spec: DemandSpec, factor: Decimal, horizon: Horizon, resolution: Decimal
) -> tuple[tuple[Decimal | Fraction, ...], tuple[Decimal, ...], bool]:
    """Return the kilograms in each period, the rounded kilograms, and True if these differ too much. Cached across problems."""
    amounts = _amounts(spec, horizon, Fraction(factor))
    quantity = tuple([round_to(amount, resolution) for amount in amounts])
    return amounts, quantity, _is_too_coarse(amounts, quantity)


def _is_too_coarse(amounts: Sequence[Decimal | Fraction], rounded: Sequence[Decimal]) -> bool:
    changed = [(a, r) for a, r in zip(amounts, rounded, strict=True) if a != r]
    if not changed:
        return False
    total_change = sum((abs(Fraction(a) - Fraction(r)) for a, r in changed), Fraction(0))
    return total_change > _MAX_ROUNDED_SHARE * sum((Fraction(a) for a in amounts), Fraction(0))


def _coarse_resolution(
    item: str, amounts: Sequence[Decimal | Fraction], rounded: Sequence[Decimal], case: Case
) -> Diagnostic:
    pairs = [(Fraction(a), Fraction(r)) for a, r in zip(amounts, rounded, strict=True)]
    before, after = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    readable_pair = (readable(Decimal(n.numerator) / n.denominator) for n in (before, after))
    return Diagnostic(
        f"the resolution of {readable(case.resolution)} kg is too coarse for {item}",
        column="case.resolution",
        found=" kg, which would be rounded to ".join(readable_pair) + " kg",
        expected="a resolution that changes amounts by 5% at most",
        fix="choose a smaller `resolution`, or delete it to use 1 g",
        code="FS248",
    )


def _amounts(spec: DemandSpec, horizon: Horizon, factor: Fraction) -> tuple[Decimal | Fraction, ...]:
    span = Span(start=spec.start, end=spec.end)
    quantities = spec.quantities or (None,) * horizon.count

    def amount_in(period: Period, years: Fraction, quantity: Decimal | None) -> Decimal | Fraction:
        if quantity is not None and factor == 1 and span.covers(period.span):
            return quantity
        if quantity is None:
            amount = Fraction(spec.per_year or 0) * years
        else:
            amount = Fraction(quantity) if span.meets(period.span) else Fraction(0)
        return amount * factor

    return tuple(map(amount_in, horizon.periods, horizon.years_within(span), quantities))


def demand_at_rate(demand: Demand, rate: Decimal | None) -> Decimal | None:
    """Return a demand's kilograms over the plan at another yearly rate. None if either rate is unknown."""
    rate_in_case = demand.spec.per_year
    return None if rate is None or not rate_in_case else exact(sum(demand.quantity, Decimal(0)) * rate / rate_in_case)


def _delayed(quantities: tuple[Decimal, ...], periods: int) -> tuple[Decimal, ...]:
    if not periods:
        return quantities
    # Quantities delayed beyond the plan go to its last period.
    remaining_count = max(0, len(quantities) - periods)
    remaining, overdue = quantities[:remaining_count], quantities[remaining_count:]
    later = [*[Decimal(0)] * min(periods, len(quantities)), *remaining]
    later[-1] += sum(overdue, Decimal(0))
    return tuple(later)


def resolve_lots(merged: Merged, case: Case, basis: Callable[[str, str], Decimal]) -> list[Lot]:
    problems: list[Diagnostic] = []
    lots: dict[str, Lot] = {}

    def take(item: str, new_lots: Sequence[Lot], amounts: Sequence[Decimal]) -> None:
        lots.update((lot.id, lot) for lot in new_lots)
        quantities = [lot.quantity for lot in new_lots]
        if _is_too_coarse(amounts, quantities):
            problems.append(_coarse_resolution(item, amounts, quantities, case))

    for name, stock in zip(case.stock_names, case.stocks, strict=True):
        if stock.material not in merged.materials:
            problems.append(_unknown("material", stock.material, "stock.material", merged.materials))
        elif not merged.is_place(stock.place or case.place):
            continue  # `check_names` reports it
        elif stock.offer and (problem := _offer_mismatch(stock, merged)) is not None:
            problems.append(problem)
        elif _has_valid_inputs(stock, merged, "stock.inputs", problems):
            quantity = stock.quantity * basis(stock.material, stock.substance)
            take(f"stock `{name}`", [_stock_lot(stock, name, quantity, merged, case)], [quantity])
    for name, order in zip(case.order_names, case.orders, strict=True):
        offer = merged.offers.get(order.offer)
        if offer is None:
            problems.append(_unknown("offer", order.offer, "order.offer", merged.offers))
        elif _has_valid_inputs(order, merged, "order.inputs", problems):
            units = order.quantity * basis(offer.outputs[0].material, order.substance)
            amounts = [units * line.per_unit for line in offer.outputs]
            take(f"the order from `{order.offer}`", _order_lots(order, name, offer, amounts, merged, case), amounts)
    if problems:
        raise InputError(problems)
    return [lots[name] for name in sorted(lots)]


def _has_valid_inputs(spec: StockSpec | OrderSpec, merged: Merged, column: str, problems: list[Diagnostic]) -> bool:
    is_complete = bool(spec.confirmed_by)
    found = list(input_problems(spec.offer, spec.inputs, merged, column, complete=is_complete)) if spec.inputs else []
    problems.extend(found)
    return not found


def _offer_mismatch(stock: StockSpec, merged: Merged) -> Diagnostic | None:
    offer = merged.offers.get(stock.offer)
    if offer is None:
        return _unknown("offer", stock.offer, "stock.offer", merged.offers)
    materials = [line.material for line in offer.outputs]
    if stock.material in materials:
        return None
    message = f"offer `{stock.offer}` doesn't deliver {stock.material}"
    expected = f"an offer of {stock.material}"
    fix = f"correct the offer or the material: `{stock.offer}` delivers {', '.join(materials)}"
    return Diagnostic(message, column="stock.offer", found=stock.offer, expected=expected, fix=fix, code="FS253")


def _stock_lot(stock: StockSpec, name: str, quantity: Decimal, merged: Merged, case: Case) -> Lot:
    place = merged.place(stock.place or case.place)
    if stock.offer:
        # It is judged like an order from this offer, with its evidence, company, customs origin, and gaps in its chain.
        offer = merged.offers[stock.offer]
        facility = merged.facilities[offer.facility]
    else:
        line = RecipeLine(material=stock.material, per_unit=Decimal(1))
        chain = tuple(entry if entry.source else entry.but(source=CASE_SOURCE) for entry in stock.chain)
        offer = Offer(id=name, facility=name, outputs=(line,), chain=chain)
        facility = Facility(id=name, name=name, country=place.country, place=place.id)
    return Lot(
        id=name,
        material=stock.material,
        place=place,
        period=0,
        quantity=round_to(quantity, case.resolution),
        acquired=_day_or_before(stock.acquired, case),
        chained=_chained_offer(offer, merged.materials[stock.material], facility, merged, case),
        on_order=False,
        offer=stock.offer,
        chain=_chain_of(offer, stock.material, stock.inputs, place, merged, case),
        confirmed=bool(stock.confirmed_by),
    )


def _order_lots(
    order: OrderSpec, name: str, offer: Offer, amounts: Sequence[Decimal], merged: Merged, case: Case
) -> list[Lot]:
    place, facility = merged.place(order.place or case.place), merged.facilities[offer.facility]
    period = case.horizon.find(order.arrives)
    assert period is not None
    return [
        Lot(
            id=name + (f":{line.material}" if len(offer.outputs) > 1 else ""),
            material=line.material,
            place=place,
            period=period,
            quantity=round_to(quantity, case.resolution),
            acquired=_day_or_before(order.ordered, case),
            chained=_chained_offer(offer, merged.materials[line.material], facility, merged, case),
            on_order=True,
            arrives=order.arrives,
            offer=order.offer,
            chain=_chain_of(offer, line.material, order.inputs, place, merged, case),
            confirmed=bool(order.confirmed_by),
        )
        for line, quantity in zip(offer.outputs, amounts, strict=True)
    ]


def input_problems(
    offer: str, inputs: Sequence[str], merged: Merged, column: str, *, complete: bool
) -> Iterator[Diagnostic]:
    """Yield an error for each unknown or unused input and, if they are `complete`, for each material that none of them delivers."""
    unknown_names = [name for name in dict.fromkeys(inputs) if name not in merged.offers]
    for name in unknown_names:
        yield _unknown("offer", name, column, merged.offers)
    input_offers = [merged.offers[name] for name in dict.fromkeys(inputs) if name in merged.offers]
    delivered = {line.material for input_offer in input_offers for line in input_offer.outputs}
    used, pending = set[str](), [merged.offers[offer]]
    while pending:
        maker = pending.pop()
        for line in maker.inputs:
            if complete and line.material not in delivered and not unknown_names:
                message = f"the confirmed inputs of `{offer}` don't include {line.material}, which `{maker.id}` takes"
                fix = f"add the offer that delivered the {line.material}, or leave the inputs unconfirmed"
                yield Diagnostic(
                    message,
                    column=column,
                    found="; ".join(inputs),
                    expected=f"an offer of {line.material} too",
                    code="FS254",
                    fix=fix,
                )
            suppliers = [
                input_offer
                for input_offer in input_offers
                if input_offer.id not in used
                and any(output.material == line.material for output in input_offer.outputs)
            ]
            used |= {input_offer.id for input_offer in suppliers}
            pending += suppliers
    unused = [input_offer.id for input_offer in input_offers if input_offer.id not in used]
    for name in unused if not unknown_names else ():
        message = f"`{name}` delivers no input of `{offer}`"
        yield Diagnostic(
            message, column=column, found=name, expected="an offer of one of its inputs", fix="remove it", code="FS253"
        )


def _chain_of(
    offer: Offer, material: str, inputs: Sequence[str], place: Place, merged: Merged, case: Case
) -> tuple[tuple[Chained, Place], ...]:
    """Return an offer and its inputs as rules judge them separately in a plan, each with the place that its goods went to. Empty without inputs."""
    if not inputs:
        return ()
    makers = [offer, *(merged.offers[name] for name in sorted(set(inputs)))]
    goods = dict.fromkeys([(offer.id, material, place)])
    for maker in makers:
        facility = merged.facilities[maker.facility]
        site = merged.place(facility.place or facility.country)
        input_materials = {line.material for line in maker.inputs}
        goods |= dict.fromkeys(
            (input_offer.id, output.material, site)
            for input_offer in makers[1:]
            for output in input_offer.outputs
            if output.material in input_materials
        )
    goods_by_maker = [(merged.offers[name], merged.materials[output], site) for name, output, site in goods]
    return tuple(
        (_chained_offer(input_offer, output, merged.facilities[input_offer.facility], merged, case, in_plan=True), site)
        for input_offer, output, site in goods_by_maker
    )


def _chained_offer(
    offer: Offer, material: Material, facility: Facility, merged: Merged, case: Case, *, in_plan: bool = False
) -> Chained:
    """Return an offer as rules judge it. A lot accounts for its whole chain. In a plan, inputs account for the stages of their materials."""
    performed = tuple(merged.accepted(entry, case.accept.confidence) for entry in offer.chain)
    inputs = offer.inputs if in_plan else ()
    supplied = frozenset(stage for line in inputs for stage in merged.materials[line.material].stages)
    covered = {entry.main_stage for entry in performed if not entry.element} | supplied
    return Chained(
        offer=offer,
        material=material,
        facility=facility,
        performed=performed,
        missing=frozenset(stage for stage in material.stages if stage not in covered),
        supplied=supplied,
        source=not inputs,
    )


def _day_or_before(day: datetime.date | None, case: Case) -> Span:
    return Span(start=day, end=day) if day is not None else Span(end=case.horizon.periods[0].end)


def _unknown(kind: str, name: str, column: str, names: Collection[str]) -> Diagnostic:
    return Diagnostic(
        f"unknown {kind} `{name}`",
        column=column,
        found=name,
        expected=f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of the case's catalogs",
        fix=did_you_mean(name, names) or "add the catalog that defines it to [use]",
        code="FS241",
    )


@dataclass(frozen=True, slots=True)
class Incumbent:
    """Output of an offer that is bought today."""

    offer: str
    material: Material
    quantity: tuple[Decimal, ...]
    """Kilograms in each period at today's rate, rounded to the resolution."""
    placed: tuple[Decimal, ...]
    """Kilograms from open orders in each period."""


def resolve_incumbents(
    merged: Merged, case: Case, lots: Sequence[Lot], basis: Callable[[str, str], Decimal]
) -> list[Incumbent]:
    periods = case.horizon.periods
    ordered = (lot for lot in lots if lot.on_order)
    placed = totals(((lot.chained.offer.id, lot.material, lot.period), lot.quantity) for lot in ordered)
    incumbents = []
    for spec in sorted((s for s in case.incumbents if s.offer in merged.offers), key=lambda s: s.offer):
        outputs = merged.offers[spec.offer].outputs
        units = Fraction(spec.per_year * basis(outputs[0].material, spec.substance))
        for line in outputs:
            rate = units * Fraction(line.per_unit)
            incumbents.append(
                Incumbent(
                    offer=spec.offer,
                    material=merged.materials[line.material],
                    quantity=tuple(round_to(rate * period.years, case.resolution) for period in periods),
                    placed=tuple(
                        placed.get((spec.offer, line.material, period.index), Decimal(0)) for period in periods
                    ),
                )
            )
    return incumbents
