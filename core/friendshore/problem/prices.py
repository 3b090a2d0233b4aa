"""Derived shortage penalties and holding costs, and the dates of all prices of offers.

Without a value in the case, both depend on the most expensive landed kilogram: a shortage costs a multiple of it, and holding stock a
share of it. They follow from the case as given. Later scenarios, losses, and prices don't change them, so that an answer reflects only
the change in question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from ..domain.assumption_codes import SHORTAGE_PRICE, STOCK_COST
from ..domain.base import Groups, exact, rounded
from ..domain.case import Case, FrozenPrices, StoreSpec
from ..domain.facts import Facility
from ..domain.market import Price, Quote
from ..domain.time import Period, Span
from ..domain.used import PriceDate
from ..errors import Diagnostic, InputError
from .decimal_arrays import Scaled
from .demands import Demand
from .merged import CASE_SOURCE, Merged, around, exchange, rate_on
from .network import Arc, Network, Node, final_node, lane_on, lanes_to
from .offers import Assumption, OfferFacts, Paths
from .problem import Problem

SHORTAGE_FACTOR = 10
"""Default shortage penalty, as a multiple of the most expensive landed kilogram that competes with the material."""
PRIORITY_FACTOR = 10
"""Factor between the penalties of an end use and of the next one in priority."""


@dataclass(frozen=True, slots=True)
class DerivedPrices:
    """Prices derived from the most expensive landed kilograms, in the case's currency."""

    shortage: tuple[Decimal, ...]
    """Penalty per kilogram of shortage, by demand."""
    holding: Mapping[Node, Decimal]
    """Money per kilogram and year, for every node whose holding cost the case doesn't state for all dates."""

    def frozen(self, demands: Sequence[Demand]) -> FrozenPrices:
        shortage = {demand.id: price for demand, price in zip(demands, self.shortage, strict=True)}
        stores = (StoreSpec(material=m, place=p, holding=price) for (m, p), price in sorted(self.holding.items()))
        return FrozenPrices(shortage=shortage, stores=tuple(stores))


@dataclass(slots=True)
class PriceDerivation:
    """Derivation of prices that a case doesn't state."""

    case: Case
    merged: Merged
    network: Network
    offers: Sequence[OfferFacts]
    charges: Sequence[Sequence[Decimal]]
    """Money per kilogram that rules charge, by arc and order period."""
    basis: Callable[[str, str], Decimal]
    """Kilograms of a material's basis in one kilogram of a substance."""
    assumptions: list[Assumption]
    """Assumptions, to which the derived prices are added."""

    def prices(self, demands: Sequence[Demand]) -> DerivedPrices:
        """Return all derived prices. Prices that the case has frozen don't change.

        Raises:
            InputError: If a shortage penalty can't be derived.
        """
        dearest = self._dearest()
        return DerivedPrices(self._shortage(demands, dearest), self._holding(dearest))

    def _dearest(self) -> dict[Node, Decimal]:
        """Return the price of the most expensive landed offer or benchmark at each node, in any period."""
        dearest: dict[Node, Decimal] = {}
        most = _Most()
        benchmarks = self._benchmarks()
        for node in self.network.nodes:
            prices = [benchmarks.get(node[0], Decimal(0))]
            for index in self.network.into.get(node, ()):
                arc = self.network.arcs[index]
                if arc.offer >= 0:
                    landed = _dearest_landed(self.offers[arc.offer], self.charges[index], most)
                    prices.append(landed + most(arc.freight))
            dearest[node] = exact(max(prices))
        return dearest

    def _benchmarks(self) -> dict[str, Decimal]:
        """Return the most expensive accepted benchmark of each material, in the case's currency. Materials without one are left out."""
        found: dict[str, Decimal] = {}
        rate_of = cache(lambda c: exchange(self.merged.rates, c, self.case.currency, self.case.horizon.start))
        for rows in self.merged.prices.values():
            for row in rows:
                rate = rate_of(row.currency)
                if rate is not None and self.merged.confidence(row.source).reaches(self.case.accept.confidence):
                    found[row.material] = max(found.get(row.material, Decimal(0)), row.amount * rate)
        return found

    def _holding(self, dearest: Mapping[Node, Decimal]) -> dict[Node, Decimal]:
        share = self.case.assume.holding or Decimal(0)
        if share:
            text = (
                f"holding stock costs {(share * 100).normalize():f} % a year of the dearest landed offer or benchmark"
            )
            self.assumptions.append(Assumption("stock", text, STOCK_COST))
        stated = [(s, (s.material, s.place or self.case.place)) for s in self.case.stores if s.holding is not None]
        always = {node for store, node in stated if store.start is None and store.end is None}
        frozen = self.case.frozen.stores if self.case.frozen is not None else ()
        found = {node: exact(share * price) for node, price in dearest.items() if node not in always}
        return found | {
            (s.material, s.place): s.holding for s in frozen if s.holding is not None and (s.material, s.place) in found
        }

    def _shortage(self, demands: Sequence[Demand], dearest: Mapping[Node, Decimal]) -> tuple[Decimal, ...]:
        feeds = {node for nodes in self.network.feeds.values() for node in nodes}
        wanted = feeds | {final_node(demand.use) for demand in demands}
        references = self._references({node: price for node, price in dearest.items() if node in wanted})
        ranks = self._ranks(demands)
        frozen = self.case.frozen.shortage if self.case.frozen is not None else {}
        found = []
        missing: list[Diagnostic] = []
        for demand in demands:
            given = demand.spec.shortage_price
            if given is not None:
                found.append(exact(given / self.basis(demand.use.material.id, demand.spec.substance)))
                continue
            reference = references[demand.use.material.id]
            factor = SHORTAGE_FACTOR * PRIORITY_FACTOR ** ranks[demand.use.end_use]
            price = frozen.get(demand.id) or exact(factor * reference.per_kg)
            if not price:
                missing.append(_unpriced(demand))
            found.append(price)
            text = self._said(demand, reference, price, factor)
            self.assumptions.append(Assumption(demand.id, text, SHORTAGE_PRICE))
        if missing:
            raise InputError(missing)
        return tuple(found)

    def _references(self, dearest: Mapping[Node, Decimal]) -> dict[str, _Reference]:
        """Return, by material, the most expensive landed kilogram among its competitors and itself. Ties go to the material itself.

        `dearest` contains only nodes that are demanded or feed others. Material that is only in stock doesn't count.
        """
        reaching = sorted({arc.offer for arc in self.network.arcs if arc.offer >= 0})
        groups = _competing([self.offers[i] for i in reaching], self.merged.facilities)
        own: dict[str, _Reference] = {}
        for (material, _), price in dearest.items():
            own[material] = max(own.get(material, _Reference(price, material)), _Reference(price, material))
        most: dict[str, _Reference] = {}
        for material in sorted(own):
            group = groups.get(material, material)
            most[group] = max(most.get(group, own[material]), own[material], key=lambda each: each.per_kg)
        return {name: max(one, most[groups.get(name, name)], key=lambda each: each.per_kg) for name, one in own.items()}

    def _ranks(self, demands: Sequence[Demand]) -> dict[str, int]:
        """Return, by end use, the number of the case's end uses that come after it. End uses without a priority count as one."""
        order = self.case.assume.priority
        places = {d.use.end_use: order.index(d.use.end_use) if d.use.end_use in order else len(order) for d in demands}
        present = sorted(set(places.values()), reverse=True)
        return {use: present.index(place) for use, place in places.items()}

    def _said(self, demand: Demand, reference: _Reference, price: Decimal, factor: int) -> str:
        text = f"a shortage is priced at {price:,.2f} {self.case.currency}/kg, "
        if self.case.frozen is not None and demand.id in self.case.frozen.shortage:
            return text + "what it is in the case as given: no scenario and no change moves it"
        text += f"{factor} times the dearest landed offer or benchmark"
        if reference.material != demand.use.material.id:
            text += f" of {reference.material}, which shares plants or inputs with it"
        if factor > SHORTAGE_FACTOR:
            text += f" ({demand.use.end_use} comes before other end uses)"
        return text


@dataclass(frozen=True, slots=True, order=True)
class _Reference:
    per_kg: Decimal
    material: str


def _unpriced(demand: Demand) -> Diagnostic:
    return Diagnostic(
        f"nothing says what a shortage of `{demand.id}` costs: no offer and no benchmark has a price above zero",
        column="demand.shortage_price",
        found=f"`{demand.id}`",
        expected="money per mass, like `500 USD/kg`",
        fix="give the demand a `shortage_price`",
    )


class _Most:
    """Maximum of a list of numbers, computed once for shared lists."""

    def __init__(self) -> None:
        self._known: dict[int, Decimal] = {}

    def __call__(self, numbers: Sequence[Decimal]) -> Decimal:
        if isinstance(numbers, Scaled) and numbers.factor >= 0:
            return rounded(self(numbers.numbers) * numbers.factor)
        if id(numbers) not in self._known:
            self._known[id(numbers)] = max(numbers)
        return self._known[id(numbers)]


def _dearest_landed(facts: OfferFacts, charges: Sequence[Decimal], most: _Most) -> Decimal:
    """Return the maximum cost of a kilogram of an offer in any period, without freight."""
    mass = facts.mass_per_unit
    if charges.count(charges[0]) == len(charges):
        return most(facts.price) / mass + charges[0]
    return max(price / mass + charge for price, charge in zip(facts.price, charges, strict=True))


def _competing(offers: Sequence[OfferFacts], facilities: Mapping[str, Facility]) -> dict[str, str]:
    """Return, by material, the first name in its group of competing materials.

    Two materials compete if an offer takes or gives both, or if offers of both use one stated capacity.
    """
    bonds = _bonds(offers, facilities)
    groups = Groups(name for names in bonds for name in names)
    for names in bonds:
        groups.join(names)
    return {name: groups.first(name) for name in groups.names}


def _bonds(offers: Sequence[OfferFacts], facilities: Mapping[str, Facility]) -> set[frozenset[str]]:
    """Return the sets of materials that one offer takes or gives, or that use one capacity."""
    found: dict[frozenset[str], frozenset[str]] = {}
    made: dict[str, frozenset[str]] = {}
    for facts in offers:
        lines = frozenset([line.material for line in (*facts.offer.inputs, *facts.offer.outputs)])
        lines, name = found.setdefault(lines, lines), facts.offer.facility
        made[name] = made[name] | lines if name in made else lines
    at: dict[str, frozenset[str]] = {}
    for name, materials in made.items():
        for facility in around(name, facilities):
            if facility.capacity:
                at[facility.id] = at[facility.id] | materials if facility.id in at else materials
    return {*found, *at.values()}


class PriceDates:
    """Lookup of the dates of offers' prices and freights by period."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._paths = Paths(problem.merged, problem.case)

    def all(self) -> list[PriceDate]:
        """Return the dates for all offers that may serve a demand, even as an input, and be ordered. They are sorted by name."""
        problem, found = self._problem, set[PriceDate]()
        periods = problem.case.horizon.periods
        for arc in problem.network.arcs:
            if arc.offer < 0:
                continue
            for period, most in zip(periods, problem.offers[arc.offer].most, strict=True):
                if most != 0 and arc.arrival(period.index) < len(periods):
                    found.update(self.of(arc, period.index, arc.arrival(period.index)))
        return sorted(found, key=PriceDate.order)

    def of(self, arc: Arc, ordered: int, delivered: int) -> Iterator[PriceDate]:
        """Yield the price, and any freight, of goods that use an arc, ordered and delivered in two periods."""
        facts, periods = self._problem.offers[arc.offer], self._problem.case.horizon.periods
        material = facts.offer.outputs[arc.output].material
        yield from self._price(facts, material, periods[ordered])
        lane = lane_on(lanes_to(facts.offer, arc.move.to.id), periods[delivered].start)
        if lane is not None and lane.freight is not None:
            yield from self._dated(
                PriceDate(
                    offer=facts.offer.id,
                    material=material,
                    of="freight",
                    given_by=lane.source,
                    amount=lane.freight,
                    currency=lane.currency or self._problem.case.currency,
                    day=_day(self._problem.merged, lane.source),
                ),
                self._problem.case.horizon.start,
            )

    def _price(self, facts: OfferFacts, material: str, period: Period) -> Iterator[PriceDate]:
        offer, price = facts.offer, facts.offer.price
        named = {"offer": offer.id, "material": material, "of": "price"}
        stated: Price | Quote | None = price
        if offer.quotes:
            held = [one for one in offer.quotes if Span(start=one.start, end=one.end).covers(period.span)]
            stated = held[0] if held and held[0].end is None else None
        elif price is not None and price.benchmark:
            row = self._paths.rows(price.benchmark)[period.index]
            given = {
                "given_by": price.benchmark if row.source != CASE_SOURCE else CASE_SOURCE,
                "day": self._known(row.date, row.source),
            }
            found = PriceDate.model_validate({**named, **given, "amount": row.amount, "currency": row.currency})
            yield from self._dated(found, period.start)
            return
        if stated is not None and stated.amount is not None:
            given = {"given_by": stated.source, "day": _day(self._problem.merged, stated.source)}
            found = PriceDate.model_validate({**named, **given, "amount": stated.amount, "currency": stated.currency})
            yield from self._dated(found, period.start)

    def _dated(self, found: PriceDate, day: date) -> Iterator[PriceDate]:
        """Yield a price with the date of its exchange rate. Prices that the case states are left out."""
        if found.given_by == CASE_SOURCE:
            return
        case = self._problem.case
        if found.currency == case.currency:
            yield found
            return
        rate = rate_on(self._problem.merged.rates, found.currency, case.currency, day)
        yield found if rate is None else found.but(exchanged=self._known(rate.start, rate.source))

    def _known(self, day: date | None, source: str) -> date | None:
        """Return the date of a row of a series. A forecast has the date of its source, not the date that it is about."""
        known = _day(self._problem.merged, source)
        return min(day, known) if day and known else day


def _day(merged: Merged, source: str) -> date | None:
    return merged.sources[source].date if source in merged.sources else None
