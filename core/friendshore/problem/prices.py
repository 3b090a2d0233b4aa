"""Derived shortage penalties and holding costs, and dates of prices. Both follow from the most expensive landed kilogram of the case as given, before any change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter

from ..domain.assumption_codes import SHORTAGE_PRICE, STOCK_COST
from ..domain.base import Groups, exact, rounded
from ..domain.case import Case, FrozenPrices, StoreSpec
from ..domain.facts import Facility
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.time import Period, Span
from ..domain.used import PriceDate
from ..errors import Diagnostic, InputError
from .decimal_arrays import Scaled
from .demands import Demand
from .merged import CASE_SOURCE, Merged, enclosing_facilities, exchange, rate_on
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
    """Derivation of prices that a case doesn't state. It adds assumptions about them."""

    case: Case
    merged: Merged
    network: Network
    offers: Sequence[OfferFacts]
    charges: Sequence[Sequence[Decimal]]
    """Money per kilogram that rules charge, by arc and order period."""
    basis: Callable[[str, str], Decimal]
    """Kilograms of a material's basis in one kilogram of a substance."""
    assumptions: list[Assumption]

    def prices(self, demands: Sequence[Demand]) -> DerivedPrices:
        """Return all derived prices. Prices that the case has frozen don't change."""
        max_price_by_node = self._max_prices()
        return DerivedPrices(self._shortage(demands, max_price_by_node), self._holding(max_price_by_node))

    def _max_prices(self) -> dict[Node, Decimal]:
        max_price_by_node: dict[Node, Decimal] = {}
        maximum = _Maximum()
        benchmarks = self._benchmarks()
        for node in self.network.nodes:
            landed_prices = [benchmarks.get(node[0], Decimal(0))]
            for index in self.network.into.get(node, ()):
                arc = self.network.arcs[index]
                if arc.offer >= 0:
                    price = _max_landed_price(self.offers[arc.offer], self.charges[index], maximum)
                    landed_prices.append(price + maximum(arc.freight))
            max_price_by_node[node] = exact(max(landed_prices))
        return max_price_by_node

    def _benchmarks(self) -> dict[str, Decimal]:
        """Return the most expensive accepted benchmark of each material, in the case's currency."""
        max_by_material: dict[str, Decimal] = {}
        rate_of = cache(lambda of: exchange(self.merged.rates, of, self.case.currency, self.case.horizon.start))
        for rows in self.merged.prices.values():
            for row in rows:
                rate = rate_of(row.currency)
                if rate is not None and self.merged.confidence(row.source).reaches(self.case.accept.confidence):
                    price = row.amount * rate
                    max_by_material[row.material] = max(max_by_material.get(row.material, Decimal(0)), price)
        return max_by_material

    def _holding(self, max_price_by_node: Mapping[Node, Decimal]) -> dict[Node, Decimal]:
        share = self.case.assume.holding or Decimal(0)
        if share:
            text = f"holding stock costs {(share * 100).normalize():f}% a year of the most expensive landed offer or benchmark"
            self.assumptions.append(Assumption("stock", text, STOCK_COST))
        node_by_store = [
            (store, (store.material, store.place or self.case.place))
            for store in self.case.stores
            if store.holding is not None
        ]
        fixed_nodes = {node for store, node in node_by_store if store.start is None and store.end is None}
        frozen = self.case.frozen.stores if self.case.frozen is not None else ()
        holding_by_node = {
            node: exact(share * price) for node, price in max_price_by_node.items() if node not in fixed_nodes
        }
        return holding_by_node | {
            (store.material, store.place): store.holding
            for store in frozen
            if store.holding is not None and (store.material, store.place) in holding_by_node
        }

    def _shortage(self, demands: Sequence[Demand], max_price_by_node: Mapping[Node, Decimal]) -> tuple[Decimal, ...]:
        feeds = {node for nodes in self.network.feeds.values() for node in nodes}
        relevant_nodes = feeds | {final_node(demand.use) for demand in demands}
        references = self._references(
            {node: price for node, price in max_price_by_node.items() if node in relevant_nodes}
        )
        ranks = self._ranks(demands)
        frozen_penalties = self.case.frozen.shortage if self.case.frozen is not None else {}
        penalties = []
        problems: list[Diagnostic] = []
        for demand in demands:
            stated_penalty = demand.spec.shortage_price
            if stated_penalty is not None:
                penalties.append(exact(stated_penalty / self.basis(demand.use.material.id, demand.spec.substance)))
                continue
            reference = references[demand.use.material.id]
            factor = SHORTAGE_FACTOR * PRIORITY_FACTOR ** ranks[demand.use.end_use]
            price = frozen_penalties.get(demand.id) or exact(factor * reference.per_kg)
            if not price:
                problems.append(_underivable(demand))
            penalties.append(price)
            text = self._penalty_text(demand, reference, price, factor)
            self.assumptions.append(Assumption(demand.id, text, SHORTAGE_PRICE))
        if problems:
            raise InputError(problems)
        return tuple(penalties)

    def _references(self, max_price_by_node: Mapping[Node, Decimal]) -> dict[str, _Reference]:
        """Return, by material, the most expensive landed kilogram among its competitors and itself. Material that is only in stock doesn't count."""
        reaching = sorted({arc.offer for arc in self.network.arcs if arc.offer >= 0})
        group_by_material = _competing([self.offers[i] for i in reaching], self.merged.facilities)
        own: dict[str, _Reference] = {}
        for (material, _), price in max_price_by_node.items():
            reference = _Reference(price, material)
            own[material] = max(own.get(material, reference), reference)
        highest: dict[str, _Reference] = {}
        per_kg = attrgetter("per_kg")  # Only the price decides, so that the first of equal ones stays.
        for material in sorted(own):
            group = group_by_material.get(material, material)
            highest[group] = max(highest.get(group, own[material]), own[material], key=per_kg)
        return {name: max(ref, highest[group_by_material.get(name, name)], key=per_kg) for name, ref in own.items()}

    def _ranks(self, demands: Sequence[Demand]) -> dict[str, int]:
        """Return, by end use, the number of the case's end uses that come after it. End uses without a priority count as one."""
        priority = self.case.assume.priority
        priority_by_use = {
            d.use.end_use: priority.index(d.use.end_use) if d.use.end_use in priority else len(priority)
            for d in demands
        }
        priorities = sorted(set(priority_by_use.values()), reverse=True)
        return {use: priorities.index(position) for use, position in priority_by_use.items()}

    def _penalty_text(self, demand: Demand, reference: _Reference, price: Decimal, factor: int) -> str:
        text = f"shortage penalty {price:,.2f} {self.case.currency}/kg, "
        if self.case.frozen is not None and demand.id in self.case.frozen.shortage:
            return text + "as in the case without scenarios and changes"
        text += f"{factor} times the most expensive landed offer or benchmark"
        if reference.material != demand.use.material.id:
            text += f" of {reference.material}, which shares plants or inputs with it"
        if factor > SHORTAGE_FACTOR:
            text += f" ({demand.use.end_use} comes before other end uses)"
        return text


@dataclass(frozen=True, slots=True, order=True)
class _Reference:
    per_kg: Decimal
    material: str


def _underivable(demand: Demand) -> Diagnostic:
    return Diagnostic(
        f"the shortage penalty of `{demand.id}` can't be derived, because no offer or benchmark has a price above zero",
        column="demand.shortage_price",
        found=f"`{demand.id}`",
        expected="money per mass, like `500 USD/kg`",
        fix="add a `shortage_price` to the demand",
        code="FS255",
    )


class _Maximum:
    """Maximum of a list of numbers, computed once for shared lists."""

    def __init__(self) -> None:
        self._known: dict[int, Decimal] = {}

    def __call__(self, numbers: Sequence[Decimal]) -> Decimal:
        if isinstance(numbers, Scaled) and numbers.factor >= 0:
            return rounded(self(numbers.numbers) * numbers.factor)
        if id(numbers) not in self._known:
            self._known[id(numbers)] = max(numbers)
        return self._known[id(numbers)]


def _max_landed_price(facts: OfferFacts, charges: Sequence[Decimal], maximum: _Maximum) -> Decimal:
    mass = facts.mass_per_unit
    if charges.count(charges[0]) == len(charges):
        return maximum(facts.price) / mass + charges[0]
    return max(price / mass + charge for price, charge in zip(facts.price, charges, strict=True))


def _competing(offers: Sequence[OfferFacts], facilities: Mapping[str, Facility]) -> dict[str, str]:
    """Return, by material, the first name in its group of competing materials: those of one offer, and those that use one stated capacity."""
    material_sets = _competing_sets(offers, facilities)
    groups = Groups(name for names in material_sets for name in names)
    for names in material_sets:
        groups.join(names)
    return {name: groups.first(name) for name in groups.names}


def _competing_sets(offers: Sequence[OfferFacts], facilities: Mapping[str, Facility]) -> set[frozenset[str]]:
    sets_of_offers: dict[frozenset[str], frozenset[str]] = {}
    materials_by_facility: dict[str, frozenset[str]] = {}
    for facts in offers:
        materials = frozenset([line.material for line in (*facts.offer.inputs, *facts.offer.outputs)])
        materials, name = sets_of_offers.setdefault(materials, materials), facts.offer.facility
        shared = materials_by_facility.get(name, materials)
        materials_by_facility[name] = shared if shared is materials else shared | materials
    materials_by_capacity: dict[str, frozenset[str]] = {}
    for name, materials in materials_by_facility.items():
        for facility in enclosing_facilities(name, facilities):
            if facility.capacity:
                shared = materials_by_capacity.get(facility.id, materials)
                materials_by_capacity[facility.id] = shared if shared is materials else shared | materials
    return {*sets_of_offers, *materials_by_capacity.values()}


class PriceDates:
    """Dates of offers' prices and freights."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._paths = Paths(problem.merged, problem.case)

    def all(self) -> list[PriceDate]:
        """Return the dates for all offers that may serve a demand, even as an input, and be ordered. They are sorted by name."""
        problem, dates = self._problem, set[PriceDate]()
        periods = problem.case.horizon.periods
        for arc in problem.network.arcs:
            if arc.offer < 0:
                continue
            for period, limit in zip(periods, problem.offers[arc.offer].max_units, strict=True):
                if limit != 0 and arc.arrival(period.index) < len(periods):
                    dates.update(self.of(arc, period.index, arc.arrival(period.index)))
        return sorted(dates, key=PriceDate.order)

    def of(self, arc: Arc, ordered: int, delivered: int) -> Iterator[PriceDate]:
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
                    source=lane.source,
                    amount=lane.freight,
                    currency=lane.currency or self._problem.case.currency,
                    day=_day(self._problem.merged, lane.source),
                ),
                self._problem.case.horizon.start,
            )

    def _price(self, facts: OfferFacts, material: str, period: Period) -> Iterator[PriceDate]:
        offer, price = facts.offer, facts.offer.price
        figure: Price | Quote | BenchmarkPrice | None = price
        if offer.quotes:
            valid_quotes = [
                quote for quote in offer.quotes if Span(start=quote.start, end=quote.end).covers(period.span)
            ]
            figure = valid_quotes[0] if valid_quotes and valid_quotes[0].end is None else None
        elif price is not None and price.benchmark:
            figure = self._paths.rows(price.benchmark)[period.index]
        if figure is None or figure.amount is None:
            return
        given_by, day = figure.source, _day(self._problem.merged, figure.source)
        if isinstance(figure, BenchmarkPrice):
            given_by = figure.id if given_by != CASE_SOURCE else given_by
            day = self._date_of_row(figure.date, figure.source)
        price_date = PriceDate(
            offer=offer.id,
            material=material,
            of="price",
            source=given_by,
            amount=figure.amount,
            currency=figure.currency,
            day=day,
        )
        yield from self._dated(price_date, period.start)

    def _dated(self, price_date: PriceDate, day: date) -> Iterator[PriceDate]:
        """Yield a price with the date of its exchange rate. Prices that the case states are left out."""
        if price_date.source == CASE_SOURCE:
            return
        case = self._problem.case
        if price_date.currency == case.currency:
            yield price_date
            return
        rate = rate_on(self._problem.merged.rates, price_date.currency, case.currency, day)
        yield (
            price_date if rate is None else price_date.but(exchange_rate_day=self._date_of_row(rate.start, rate.source))
        )

    def _date_of_row(self, day: date | None, source: str) -> date | None:
        """Return the date of a row of a series. A forecast has the date of its source, not the date that it is about."""
        source_date = _day(self._problem.merged, source)
        return min(day, source_date) if day and source_date else day


def _day(merged: Merged, source: str) -> date | None:
    return merged.sources[source].date if source in merged.sources else None
