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

_MOST_ROUNDED = Fraction(1, 20)
"""Maximum share of a stated amount that rounding to the resolution may remove or add."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand with its quantity in each period."""

    id: str
    spec: DemandSpec
    use: Use
    quantity: tuple[Decimal, ...]
    """Kilograms in each period, to the resolution."""

    def share_from(self, period: Period, day: datetime.date) -> Fraction:
        """Return the share of a period's demand that is used from a day on. Use is even over the days of the demand.

        A delayed demand is used as many months later. Demand delayed beyond the plan is spread over the last period.
        """
        start, end = (
            None if one is None else add_months(one, self.spec.later) for one in (self.spec.start, self.spec.end)
        )
        wanted = Span(start=start, end=end) if Span(start=start, end=end).meets(period.span) else period.span
        first = max(day, wanted.start) if wanted.start is not None else day
        late = Span(start=first, end=wanted.end)
        if self.spec.quantities:
            return Fraction(late.days_within(period.span), wanted.days_within(period.span))
        return period.years_within(late) / period.years_within(wanted)


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
    """True if its supplier has confirmed these inputs."""


def round_to(value: Decimal | Fraction, resolution: Decimal) -> Decimal:
    """Return the multiple of `resolution` nearest to `value`, with ties to even."""
    if isinstance(value, Fraction):
        steps = value / Fraction(resolution)
        return Decimal(round(steps)) * resolution
    return (value / resolution).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * resolution


def demand_name(spec: DemandSpec, case: Case) -> str:
    """Return the name of a demand: its id, or its material, end use, and place."""
    return spec.id or f"{spec.material}/{spec.end_use}/{spec.place or case.place}"


def resolve_demands(merged: Merged, case: Case, basis: Callable[[str, str], Decimal]) -> list[Demand]:
    """Return all demands in canonical order. `basis` gives the kilograms of a material's basis in one kilogram of a substance.

    Raises:
        InputError: For unknown materials, duplicate ids, delays or lists that don't fit the periods, or amounts lost by rounding.
    """
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
                    f"two demands are called `{name}`", fix="give each its own `id`", column="demand.id", found=name
                )
            )
            continue
        if spec.later % case.horizon.length.months:
            problems.append(
                Diagnostic(
                    f"demand `{name}` is to be wanted {spec.later} months later",
                    column="later",
                    expected=f"whole periods of {case.horizon.length.months} months",
                )
            )
            continue
        if spec.quantities and len(spec.quantities) != case.horizon.count:
            problems.append(
                Diagnostic(
                    f"demand `{name}` lists {len(spec.quantities)} quantities",
                    column="demand.quantities",
                    expected=f"{case.horizon.count}, one a period",
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
        wanted, quantity, rounded_off = _quantities(
            spec, basis(spec.material, spec.substance), case.horizon, case.resolution
        )
        if rounded_off:
            problems.append(_too_coarse(f"what demand `{name}` wants", wanted, quantity, case))
        demands[name] = Demand(name, spec, use, _delayed(quantity, spec.later // case.horizon.length.months))
    if problems:
        raise InputError(problems)
    return [demands[name] for name in sorted(demands)]


@lru_cache(maxsize=1024)
def _quantities(
    spec: DemandSpec, factor: Decimal, horizon: Horizon, resolution: Decimal
) -> tuple[tuple[Decimal | Fraction, ...], tuple[Decimal, ...], bool]:
    """Return the kilograms wanted in each period, the rounded kilograms, and True if these differ too much. Cached across problems."""
    wanted = _wanted(spec, horizon, Fraction(factor))
    quantity = tuple([round_to(amount, resolution) for amount in wanted])
    return wanted, quantity, _rounded_off(wanted, quantity)


def _rounded_off(amounts: Sequence[Decimal | Fraction], rounded: Sequence[Decimal]) -> bool:
    """Return True if rounding changes the amounts by more than `_MOST_ROUNDED` of their sum."""
    moved = [(a, r) for a, r in zip(amounts, rounded, strict=True) if a != r]
    if not moved:
        return False
    lost = sum((abs(Fraction(a) - Fraction(r)) for a, r in moved), Fraction(0))
    return lost > _MOST_ROUNDED * sum((Fraction(a) for a in amounts), Fraction(0))


def _too_coarse(what: str, amounts: Sequence[Decimal | Fraction], rounded: Sequence[Decimal], case: Case) -> Diagnostic:
    """Return the error for a coarse resolution, with the amount that rounding changes most."""
    pairs = [(Fraction(a), Fraction(r)) for a, r in zip(amounts, rounded, strict=True)]
    before, after = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
    found = (readable(Decimal(n.numerator) / n.denominator) for n in (before, after))
    return Diagnostic(
        f"the resolution of {readable(case.resolution)} kg is too coarse for {what}",
        column="case.resolution",
        found=" kg, which would be rounded to ".join(found) + " kg",
        expected="a resolution by which no more than 5 % is lost or added",
        fix="plan to a finer `resolution`, or leave it out: it is then 1 g",
    )


def _wanted(spec: DemandSpec, horizon: Horizon, factor: Fraction) -> tuple[Decimal | Fraction, ...]:
    """Return the kilograms wanted in each period, before rounding and delay."""
    wanted = Span(start=spec.start, end=spec.end)
    listed = spec.quantities or (None,) * horizon.count

    def one(period: Period, years: Fraction, quantity: Decimal | None) -> Decimal | Fraction:
        if quantity is not None and factor == 1 and wanted.covers(period.span):
            return quantity
        if quantity is None:
            amount = Fraction(spec.per_year or 0) * years
        else:
            amount = Fraction(quantity) if wanted.meets(period.span) else Fraction(0)
        return amount * factor

    return tuple(map(one, horizon.periods, horizon.years_within(wanted), listed))


def demand_at_rate(demand: Demand, rate: Decimal | None) -> Decimal | None:
    """Return a demand's kilograms over the plan at another yearly rate, in proportion. None if either rate is unknown."""
    stated = demand.spec.per_year
    return None if rate is None or not stated else exact(sum(demand.quantity, Decimal(0)) * rate / stated)


def _delayed(quantities: tuple[Decimal, ...], periods: int) -> tuple[Decimal, ...]:
    """Return the quantities delayed by some periods. Quantities delayed beyond the plan go to its last period."""
    if not periods:
        return quantities
    kept_count = max(0, len(quantities) - periods)
    kept, pushed = quantities[:kept_count], quantities[kept_count:]
    later = [*[Decimal(0)] * min(periods, len(quantities)), *kept]
    later[-1] += sum(pushed, Decimal(0))
    return tuple(later)


def resolve_lots(merged: Merged, case: Case, basis: Callable[[str, str], Decimal]) -> list[Lot]:
    """Return stock on hand and open orders, in canonical order.

    Raises:
        InputError: For unknown materials or offers, unfit inputs, or amounts lost by rounding.
    """
    problems: list[Diagnostic] = []
    lots: dict[str, Lot] = {}

    def take(what: str, made: Sequence[Lot], stated: Sequence[Decimal]) -> None:
        lots.update((lot.id, lot) for lot in made)
        rounded = [lot.quantity for lot in made]
        if _rounded_off(stated, rounded):
            problems.append(_too_coarse(what, stated, rounded, case))

    for name, stock in zip(case.stock_names, case.stocks, strict=True):
        if stock.material not in merged.materials:
            problems.append(_unknown("material", stock.material, "stock.material", merged.materials))
        elif not merged.is_place(stock.place or case.place):
            continue  # the check of names tells it
        elif stock.offer and (fault := _not_of_offer(stock, merged)) is not None:
            problems.append(fault)
        elif _has_fit_inputs(stock, merged, "stock.inputs", problems):
            quantity = stock.quantity * basis(stock.material, stock.substance)
            take(f"stock `{name}`", [_stock_lot(stock, name, quantity, merged, case)], [quantity])
    for name, order in zip(case.order_names, case.orders, strict=True):
        known = merged.offers.get(order.offer)
        if known is None:
            problems.append(_unknown("offer", order.offer, "order.offer", merged.offers))
        elif _has_fit_inputs(order, merged, "order.inputs", problems):
            units = order.quantity * basis(known.outputs[0].material, order.substance)
            stated = [units * line.per_unit for line in known.outputs]
            take(f"the order of `{order.offer}`", _order_lots(order, name, known, stated, merged, case), stated)
    if problems:
        raise InputError(problems)
    return [lots[name] for name in sorted(lots)]


def _has_fit_inputs(spec: StockSpec | OrderSpec, merged: Merged, column: str, problems: list[Diagnostic]) -> bool:
    """Return True if the stated inputs of a stock or an order can be its inputs. Otherwise, add the problems."""
    wrong = unfit_inputs(spec.offer, spec.inputs, merged, column, whole=bool(spec.confirmed_by)) if spec.inputs else ()
    before = len(problems)
    problems.extend(wrong)
    return len(problems) == before


def _not_of_offer(stock: StockSpec, merged: Merged) -> Diagnostic | None:
    """Return the error for a stock whose offer is unknown or doesn't deliver its material. None if the offer fits."""
    offer = merged.offers.get(stock.offer)
    if offer is None:
        return _unknown("offer", stock.offer, "stock.offer", merged.offers)
    materials = [line.material for line in offer.outputs]
    if stock.material in materials:
        return None
    message = f"the offer `{stock.offer}` doesn't deliver {stock.material}"
    expected = f"an offer of {stock.material}"
    fix = f"correct the offer, or the material: the offer delivers {', '.join(materials)}"
    return Diagnostic(message, column="stock.offer", found=stock.offer, expected=expected, fix=fix)


def _stock_lot(stock: StockSpec, name: str, quantity: Decimal, merged: Merged, case: Case) -> Lot:
    place = merged.place(stock.place or case.place)
    if stock.offer:
        # As an order of this offer is judged: with its evidence, its company and its customs origin, and with the gaps in its chain.
        offer = merged.offers[stock.offer]
        facility = merged.facilities[offer.facility]
    else:
        line = RecipeLine(material=stock.material, per_unit=Decimal(1))
        own = tuple(e if e.source else e.but(source=CASE_SOURCE) for e in stock.chain)
        offer = Offer(id=name, facility=name, outputs=(line,), chain=own)
        facility = Facility(id=name, name=name, country=place.country, place=place.id)
    return Lot(
        id=name,
        material=stock.material,
        place=place,
        period=0,
        quantity=round_to(quantity, case.resolution),
        acquired=_day_or_before(stock.acquired, case),
        chained=_judged(offer, merged.materials[stock.material], facility, merged, case),
        on_order=False,
        offer=stock.offer,
        chain=_chain_of(offer, stock.material, stock.inputs, place, merged, case),
        confirmed=bool(stock.confirmed_by),
    )


def _order_lots(
    order: OrderSpec, name: str, offer: Offer, stated: Sequence[Decimal], merged: Merged, case: Case
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
            chained=_judged(offer, merged.materials[line.material], facility, merged, case),
            on_order=True,
            arrives=order.arrives,
            offer=order.offer,
            chain=_chain_of(offer, line.material, order.inputs, place, merged, case),
            confirmed=bool(order.confirmed_by),
        )
        for line, quantity in zip(offer.outputs, stated, strict=True)
    ]


def unfit_inputs(
    offer: str, inputs: Sequence[str], merged: Merged, column: str, *, whole: bool
) -> Iterator[Diagnostic]:
    """Yield an error for each unknown or unused input and, if they are the `whole`, for each needed material that none of them delivers."""
    unknown = [name for name in dict.fromkeys(inputs) if name not in merged.offers]
    for name in unknown:
        yield _unknown("offer", name, column, merged.offers)
    known = [merged.offers[name] for name in dict.fromkeys(inputs) if name in merged.offers]
    delivered = {line.material for one in known for line in one.outputs}
    reached, waiting = set[str](), [merged.offers[offer]]
    while waiting:
        maker = waiting.pop()
        for line in maker.inputs:
            if whole and line.material not in delivered and not unknown:
                message = f"`{offer}` is confirmed to be made from inputs, but none of them is {line.material}, which `{maker.id}` takes"
                fix = f"add the offer that the {line.material} came from, or leave the inputs unconfirmed"
                yield Diagnostic(
                    message,
                    column=column,
                    found="; ".join(inputs),
                    expected=f"an offer of {line.material} too",
                    fix=fix,
                )
            takers = [
                one
                for one in known
                if one.id not in reached and any(made.material == line.material for made in one.outputs)
            ]
            reached |= {one.id for one in takers}
            waiting += takers
    for name in [one.id for one in known if one.id not in reached] if not unknown else ():
        message = f"`{name}` delivers nothing that goes into `{offer}`"
        yield Diagnostic(message, column=column, found=name, expected="an offer of one of its inputs", fix="remove it")


def _chain_of(
    offer: Offer, material: str, inputs: Sequence[str], place: Place, merged: Merged, case: Case
) -> tuple[tuple[Chained, Place], ...]:
    """Return an offer and its inputs as rules judge them in a plan: separately, with the place that its goods went to. Empty without inputs."""
    if not inputs:
        return ()
    makers = [offer, *(merged.offers[name] for name in sorted(set(inputs)))]
    found = dict.fromkeys([(offer.id, material, place)])
    for maker in makers:
        facility = merged.facilities[maker.facility]
        at = merged.place(facility.place or facility.country)
        taken = {line.material for line in maker.inputs}
        found |= dict.fromkeys(
            (one.id, made.material, at) for one in makers[1:] for made in one.outputs if made.material in taken
        )
    bought = [(merged.offers[name], merged.materials[made], at) for name, made, at in found]
    return tuple(
        (_judged(one, made, merged.facilities[one.facility], merged, case, in_plan=True), at)
        for one, made, at in bought
    )


def _judged(
    offer: Offer, material: Material, facility: Facility, merged: Merged, case: Case, *, in_plan: bool = False
) -> Chained:
    """Return an offer as rules judge it. A lot accounts for its whole chain. In a plan, inputs account for the stages of their materials."""
    performed = tuple(merged.accepted(entry, case.accept.confidence) for entry in offer.chain)
    inputs = offer.inputs if in_plan else ()
    supplied = frozenset(stage for line in inputs for stage in merged.materials[line.material].stages)
    covered = {entry.main_stage for entry in performed} | supplied
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
    """Return the order date of a lot. If unknown, return all days up to the end of the first period."""
    return Span(start=day, end=day) if day is not None else Span(end=case.horizon.periods[0].end)


def _unknown(what: str, name: str, column: str, known: Collection[str]) -> Diagnostic:
    return Diagnostic(
        f"unknown {what} `{name}`",
        column=column,
        found=name,
        expected="one that a catalog of the case defines",
        fix=did_you_mean(name, known) or "add the catalog that defines it to [use]",
    )


@dataclass(frozen=True, slots=True)
class Incumbent:
    """Output of an offer that is bought today."""

    offer: str
    material: Material
    quantity: tuple[Decimal, ...]
    """Kilograms in each period at today's rate, rounded to the resolution."""
    placed: tuple[Decimal, ...]
    """Kilograms from open orders with the offer in each period."""


def resolve_incumbents(
    merged: Merged, case: Case, lots: Sequence[Lot], basis: Callable[[str, str], Decimal]
) -> list[Incumbent]:
    """Return all incumbents by offer, one per output. `basis` gives the kilograms of a material's basis in one kilogram of a substance."""
    periods = case.horizon.periods
    ordered = (lot for lot in lots if lot.on_order)
    placed = totals(((lot.chained.offer.id, lot.material, lot.period), lot.quantity) for lot in ordered)
    found = []
    for spec in sorted((s for s in case.incumbents if s.offer in merged.offers), key=lambda s: s.offer):
        outputs = merged.offers[spec.offer].outputs
        units = Fraction(spec.per_year * basis(outputs[0].material, spec.substance))
        for line in outputs:
            rate = units * Fraction(line.per_unit)
            found.append(
                Incumbent(
                    offer=spec.offer,
                    material=merged.materials[line.material],
                    quantity=tuple(round_to(rate * period.years, case.resolution) for period in periods),
                    placed=tuple(
                        placed.get((spec.offer, line.material, period.index), Decimal(0)) for period in periods
                    ),
                )
            )
    return found
