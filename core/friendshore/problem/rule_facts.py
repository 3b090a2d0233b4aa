"""Facts of a case for limit rules (the `Facts` protocol over the tables of a problem), and the rows of every limit rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..domain.base import grouped, totals
from ..domain.case import Case
from ..domain.facts import Material, Place
from ..domain.time import Horizon, Period, stretches
from ..domain.use import Chained
from ..errors import Diagnostic, InputError
from ..plugins import attributed
from ..plugins.interface import is_own
from ..rules.answers import MOST_ROWS, as_rows
from ..rules.base import Counting, CountingDemand, CountingStock, DemandLine, Rule
from ..rules.rows import Purchases, Row, Rows, single_rows
from ..rules.terms import (
    BoughtTerm,
    DeliveredTerm,
    DiscountsTerm,
    FixedTerm,
    ForUses,
    HoldingTerm,
    MakingTerm,
    OnboardingTerm,
    ReservedTerm,
    ShortTerm,
    SpentTerm,
    StockTerm,
    Term,
    UntakenTerm,
    UsedTerm,
)
from .compliance_classes import ComplianceClass, classes_by_delivery, min_stock_by_classes, servers
from .demands import Demand, Incumbent
from .law import Law
from .merged import Merged
from .network import Arc, Moves, Network, final_node, ranges
from .offers import OfferFacts
from .trade import Trade

if TYPE_CHECKING:
    from ..rules.terms import Index, Weights


Count = Callable[[Chained, Place], Decimal | int]
"""Function that returns the weight of a kilogram of a purchase."""


class Dues:
    """Onboarding costs, differences by price schedules, fixed money by terms of trade, and take-or-pay."""

    def __init__(self, network: Network, counted: Sequence[OfferFacts], trade: Trade) -> None:
        self._counted, self._trade = counted, trade
        bound = {offer for spans in (trade.price_spans, trade.term_spans) for span in spans for offer in span.offers}
        bound |= {commitment.offer for commitment in trade.commitments}
        self._arcs: dict[int, list[Arc]] = {offer: [] for offer in bound}
        for arc in network.arcs:
            if arc.offer in bound:
                self._arcs[arc.offer].append(arc)

    def terms(self, count: Count, max_weights: Sequence[float], periods: Collection[int]) -> list[Term]:
        """Return the money due in some periods. `count` weighs a kilogram of a purchase, and `max_weights` has the maximum weight for each offer."""
        terms: list[Term] = []
        if 0 in periods:
            once = [(i, share) for i, share in enumerate(max_weights) if self._counted[i].onboarding]
            terms.append(OnboardingTerm(*_weighted(once)))
        if self._trade.price_spans:
            terms.append(DiscountsTerm(*_weighted(self._settlements(count, periods))))
        if self._trade.term_spans:
            terms.append(FixedTerm(*_weighted(self._fixed(count, periods))))
        if self._trade.commitments:
            terms.append(UntakenTerm(*_weighted(self._untaken(count, periods))))
        return terms

    def refuse(self, offers: Collection[int]) -> None:
        """Reject counting by end use if the cost of some offers doesn't depend on the use."""
        trade, counted = self._trade, self._counted
        offers_by_cost: list[tuple[str, Iterable[int]]] = [
            ("onboarding", (i for i in offers if counted[i].onboarding)),
            ("price schedules", (i for span in trade.price_spans for i in span.offers)),
            ("terms of trade", (i for span in trade.term_spans if span.fixed for i in span.offers)),
            ("take-or-pay", (commitment.offer for commitment in trade.commitments)),
            ("runs", (i for i in offers if not counted[i].has_one_output and not counted[i].offer.inputs)),
        ]
        costs = {
            (counted[i].offer.id, cost): None for cost, positions in offers_by_cost for i in positions if i in offers
        }
        if costs:
            raise InputError(
                Diagnostic(
                    f"the {cost} of `{name}` can't be counted by end use, since the cost is the same for every use",
                    expected="no `end_uses`, or materials whose offers have no such costs",
                    fix="delete `end_uses`, or name other `materials`",
                    code="FS266",
                )
                for name, cost in costs
            )

    def _settlements(self, count: Count, periods: Collection[int]) -> Iterable[tuple[int, float]]:
        for position, span in enumerate(self._trade.price_spans):
            if span.settlement_period in periods:
                yield position, min(_counts(count, (arc for offer in span.offers for arc in self._arcs[offer])))

    def _fixed(self, count: Count, periods: Collection[int]) -> Iterable[tuple[int, float]]:
        for position, span in enumerate(self._trade.term_spans):
            if span.fixed and span.due_period in periods:
                arcs = (arc for offer in span.offers for arc in self._arcs[offer] if span.covers_place(arc.node[1]))
                yield position, max(_counts(count, arcs), default=0.0)

    def _untaken(self, count: Count, periods: Collection[int]) -> Iterable[tuple[int, float]]:
        for position, commitment in enumerate(self._trade.commitments):
            if commitment.due_period in periods:
                yield position, max(_counts(count, self._arcs[commitment.offer]))


def _counts(count: Count, arcs: Iterable[Arc]) -> Iterable[float]:
    return (float(count(arc.chained, arc.move.to)) for arc in arcs)


def _weighted(weights: Iterable[tuple[int, float]]) -> tuple[Index, Weights]:
    nonzero = [(position, weight) for position, weight in weights if weight]
    return np.array([p for p, _ in nonzero], dtype=np.intp), np.array([w for _, w in nonzero], dtype=np.float64)


K = TypeVar("K", bound=Hashable)
Mask = NDArray[np.bool_]
_DATED: Mapping[str, str] = {"delivery": "delivered", "order": "ordered"}


class ProblemFacts:
    """Facts of a case that a limit rule may query. `friendshore.rules.base.Facts` defines them."""

    def __init__(
        self,
        case: Case,
        merged: Merged,
        network: Network,
        moves: Moves,
        counted: Sequence[OfferFacts],
        demands: Sequence[Demand],
        compliance_classes: Sequence[ComplianceClass],
        incumbents: Sequence[Incumbent],
        trade: Trade,
    ) -> None:
        self.case = case
        self.horizon: Horizon = case.horizon
        self.resolution = case.resolution
        self.place: Place = merged.place(case.place)
        self.offers: Sequence[Chained] = tuple(c for facts in counted for c in facts.chained)
        self.demands: Sequence[Demand] = demands
        self._all_offers, self._all_demands = self.offers, demands
        self.incumbents = incumbents
        self._compliance_classes = compliance_classes
        self._own = classes_by_delivery(compliance_classes)
        self._demand_positions = {demand.id: i for i, demand in enumerate(demands)}
        self._merged = merged
        self._network = network
        self._moves = moves
        self._counted = counted
        self._dues = Dues(network, counted, trade)
        self.materials: Sequence[Material] = tuple(
            merged.materials[name] for name in sorted({material for material, _ in network.nodes})
        )
        self.places: Sequence[Place] = self._places(place for _, place in network.nodes)
        self._arcs: Sequence[Arc] = network.arcs
        self._positions: Sequence[int] = range(len(demands))
        self._in_force = frozenset(range(self.horizon.count))
        self._dated_by = _DATED["delivery"]
        self._index = _Index.of(network, self.offers, demands, self.materials)
        # At most one entry, added by the first query and shared by narrowed copies.
        self._ends: list[dict[tuple[str, str, str], frozenset[str]]] = []

    def within(self, periods: frozenset[int], dated_by: Literal["delivery", "order"] = "delivery") -> ProblemFacts:
        """Return the facts for only some periods: those in which a rule applies, by delivery or order of purchases."""
        narrowed = copy(self)
        narrowed.__dict__.update(_in_force=periods, _dated_by=_DATED[dated_by])
        return narrowed

    def about(self, materials: Collection[str]) -> ProblemFacts:
        narrowed = copy(self)
        positions = sorted(i for name in materials for i in self._index.demands.get(name, ()))
        narrowed.__dict__.update(
            offers=[self._all_offers[i] for i in sorted(i for m in materials for i in self._index.offers.get(m, ()))],
            demands=[self._all_demands[i] for i in positions],
            materials=[self._index.materials[name] for name in sorted(self._index.materials.keys() & set(materials))],
            places=self._places(place for name in materials for place in self._index.places.get(name, ())),
            _arcs=[self._network.arcs[i] for i in sorted(i for m in materials for i in self._index.arcs.get(m, ()))],
            _positions=positions,
        )
        return narrowed

    def _places(self, names: Iterable[str]) -> list[Place]:
        return [self._merged.place(name) for name in sorted(set(names))]

    def spans(self, per: Literal["period", "year", "horizon"]) -> Sequence[tuple[str, tuple[int, ...]]]:
        periods = [period for period in self.horizon.periods if period.index in self._in_force]
        return stretches(periods, per) or ([("horizon", ())] if per == "horizon" else [])

    def bought(
        self, count: Counting, periods: Sequence[int], stock: bool = False, for_uses: ForUses | None = None
    ) -> BoughtTerm:
        return BoughtTerm(*self._moves_that(count, periods, stock=stock), for_uses=for_uses)

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        return [(arc.chained, arc.move.to) for arc in self._arcs if stock or arc.offer >= 0]

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        index = np.array([arc.index for arc in self._arcs if stock or arc.offer >= 0], dtype=np.intp)
        first, last = self._moves.first[index], self._moves.first[index + 1]
        moves = ranges(first, last)
        stretch = self._stretch_of(stretches)[getattr(self._moves, self._dated_by)[moves]]
        dated = np.flatnonzero(stretch >= 0)
        dated = dated[np.argsort(stretch[dated], kind="stable")]
        share = np.array(counts, dtype=np.float64).reshape(len(counts), len(index))
        weight = share[:, np.repeat(np.arange(len(index)), last - first)[dated]]
        row = np.add.outer(np.arange(len(counts)), stretch[dated] * len(counts))
        # The rows of each count ascend, so a stable sort only merges as many lists as there are counts.
        order = np.argsort(row, axis=None, kind="stable")
        order = order[weight.ravel()[order] != 0]
        return Purchases(
            first=np.searchsorted(row.ravel()[order], np.arange(len(stretches) * len(counts) + 1)),
            moves=np.tile(moves[dated], len(counts))[order],
            weight=weight.ravel()[order],
            for_uses=for_uses,
        )

    def _stretch_of(self, stretches: Sequence[Sequence[int]]) -> Index:
        """Return the stretch of each period in which the rule applies. -1 means none."""
        stretch_by_period = [-1] * self.horizon.count
        for number, periods in enumerate(stretches):
            for t in self._in_force.intersection(periods):
                stretch_by_period[t] = number
        return np.array(stretch_by_period, dtype=np.intp)

    def used(
        self, count: Counting, periods: Sequence[int], at_least: Decimal | int = 0, for_uses: ForUses | None = None
    ) -> UsedTerm:
        return UsedTerm(*self._moves_that(count, periods), for_uses=for_uses, at_least=float(at_least))

    def used_in_each(
        self,
        counts: Callable[[Chained, Place], Iterable[tuple[K, Decimal | int]]],
        stretches: Sequence[Sequence[int]],
        for_uses: ForUses | None = None,
    ) -> Sequence[Mapping[K, UsedTerm]]:
        arcs: dict[K, list[int]] = {}
        shares: dict[K, list[float]] = {}
        for arc in self._arcs:
            for key, share in counts(arc.chained, arc.move.to) if arc.offer >= 0 else ():
                if share:
                    arcs.setdefault(key, []).append(arc.index)
                    shares.setdefault(key, []).append(float(share))
        terms_by_stretch: list[dict[K, UsedTerm]] = [{} for _ in stretches]
        for key, arc_indices in arcs.items():
            index, weight = self._moves_of(arc_indices, shares[key])
            for terms, periods in zip(terms_by_stretch, stretches, strict=True):
                in_stretch = self._dated(index, periods, self._dated_by)
                if in_stretch.any():
                    terms[key] = UsedTerm(index[in_stretch], weight[in_stretch], for_uses=for_uses)
        return terms_by_stretch

    def spent(self, count: Counting, periods: Sequence[int], for_uses: ForUses | None = None) -> Sequence[Term]:
        """Return the money on moves that count, by order date, and onboarding of their offers if `periods` contain the first.

        Other money counts when it is due: price schedules at settlement, with the minimum weight of their offers (a discount shared with other goods
        reduces no counted money); fixed money in the first period of its span, and take-or-pay in the last of its year, with the maximum weight.
        """
        counts = [0.0] * len(self._counted)
        for arc in self._arcs:
            if arc.offer >= 0:
                counts[arc.offer] = max(counts[arc.offer], float(count(arc.chained, arc.move.to)))
        several = [0.0 if facts.has_one_output else c for facts, c in zip(self._counted, counts, strict=True)]
        terms: list[Term] = [SpentTerm(*self._moves_that(count, periods, dated="ordered"), for_uses=for_uses)]
        terms.append(MakingTerm(*self._cells(enumerate(several), periods), for_uses=for_uses))
        if for_uses is not None and for_uses.not_free_of:
            return terms
        if for_uses is not None:
            self._dues.refuse({i for i, counted in enumerate(counts) if counted})
            return terms
        return terms + self._dues.terms(count, counts, {t for t in periods if t in self._in_force})

    def delivered(self, count: CountingDemand, periods: Sequence[int]) -> DeliveredTerm:
        return DeliveredTerm(*self._cells(self._by_demand(count), periods))

    def short(self, count: CountingDemand, periods: Sequence[int]) -> ShortTerm:
        return ShortTerm(*self._cells(self._by_demand(count), periods))

    def stock(self, count: CountingStock, periods: Sequence[int], for_uses: ForUses | None = None) -> StockTerm:
        counts = [float(count(self._merged.materials[m], self._merged.place(p))) for m, p in self._network.nodes]
        return StockTerm(*self._cells(enumerate(counts), periods), for_uses=for_uses)

    def carried_in(
        self, held: CountingStock, making: Counting, period: int, for_uses: ForUses | None = None
    ) -> tuple[StockTerm, BoughtTerm]:
        before = self.within(frozenset({period - 1} if period else ()))
        index, weight = self._moves_counted(making)
        in_transit = (self._moves.ordered[index] < period) & (self._moves.delivered[index] >= period)
        stock = before.stock(held, [period - 1], for_uses)
        return stock, BoughtTerm(index[in_transit], weight[in_transit], for_uses=for_uses)

    def usable(
        self, deliveries: Sequence[tuple[DemandLine, int, Decimal]], period: int
    ) -> Sequence[tuple[str, ReservedTerm, Decimal]]:
        if not deliveries:
            return []
        node = final_node(deliveries[0][0].use)
        cells = [(self._demand_positions[demand.id], t, quantity) for demand, t, quantity in deliveries]
        serving = servers(self._compliance_classes, self._network, node, period)
        place = self._network.nodes.index(node)
        covers: list[tuple[str, ReservedTerm, Decimal]] = []
        for classes, quantity in min_stock_by_classes(cells, self._own, serving):
            stock = ReservedTerm(
                classes=np.array(sorted(classes), dtype=np.intp),
                nodes=np.full(len(classes), place),
                periods=np.full(len(classes), period),
                weight=np.ones(len(classes)),
            )
            served = [d.id for d, t, _ in deliveries if self._servers(serving, d, t) <= classes]
            name = f"for {' + '.join(dict.fromkeys(served))}"
            if any(name == other for other, _, _ in covers):  # the same demands with other dates or waivers
                name += f" ({'+'.join(self._compliance_classes[r].label for r in sorted(classes))})"
            covers.append((name, stock, quantity))
        return covers

    def _servers(self, serving: Mapping[int, frozenset[int]], demand: DemandLine, period: int) -> frozenset[int]:
        classes = self._own.get((self._demand_positions[demand.id], period), frozenset())
        return frozenset[int]().union(*(serving[index] for index in classes))

    def holding(self, periods: Sequence[int]) -> HoldingTerm:
        return HoldingTerm(*self._cells(enumerate([1.0] * len(self._network.nodes)), periods))

    def demanded(self, count: CountingDemand, periods: Sequence[int]) -> Decimal:
        return sum(
            (Decimal(count(d)) * d.quantity[t] for d in self.demands for t in periods if t in self._in_force),
            Decimal(0),
        )

    def ends(self, offer: Chained, place: Place) -> frozenset[str]:
        if not self._ends:
            self._ends.append(_ends(self._network, self._all_demands))
        return self._ends[0].get((offer.offer.id, offer.material.id, place.id), frozenset())

    def _moves_that(
        self,
        count: Counting,
        periods: Sequence[int],
        dated: Literal["", "ordered", "delivered"] = "",
        stock: bool = False,
    ) -> tuple[Index, Weights]:
        index, weight = self._moves_counted(count, stock)
        in_force = self._dated(index, periods, dated or self._dated_by)
        return index[in_force], weight[in_force]

    def _dated(self, moves: Index, periods: Sequence[int], dated: str) -> Mask:
        is_counted = np.zeros(self.horizon.count, dtype=bool)
        is_counted[[t for t in periods if t in self._in_force]] = True
        mask: Mask = is_counted[getattr(self._moves, dated)[moves]]
        return mask

    def _moves_counted(self, count: Counting, stock: bool = False) -> tuple[Index, Weights]:
        counts = [(a.index, float(count(a.chained, a.move.to))) for a in self._arcs if stock or a.offer >= 0]
        return self._moves_of([arc for arc, share in counts if share], [share for _, share in counts if share])

    def _moves_of(self, arcs: Sequence[int], shares: Sequence[float]) -> tuple[Index, Weights]:
        position = np.array(arcs, dtype=np.intp)
        first, last = self._moves.first[position], self._moves.first[position + 1]
        return ranges(first, last), np.repeat(np.array(shares, dtype=np.float64), last - first)

    def _by_demand(self, count: CountingDemand) -> list[tuple[int, float]]:
        return [(i, float(count(d))) for i, d in zip(self._positions, self.demands, strict=True)]

    def _cells(self, counts: Iterable[tuple[int, float]], periods: Sequence[int]) -> tuple[Index, Index, Weights]:
        weights = [(i, c) for i, c in counts if c]
        in_force = [t for t in periods if t in self._in_force]
        index = np.repeat(np.array([i for i, _ in weights], dtype=np.intp), len(in_force))
        weight = np.repeat(np.array([c for _, c in weights], dtype=np.float64), len(in_force))
        return index, np.tile(np.array(in_force, dtype=np.intp), len(weights)), weight


@dataclass(frozen=True, slots=True)
class _Index:
    arcs: Mapping[str, Sequence[int]]
    offers: Mapping[str, Sequence[int]]
    demands: Mapping[str, Sequence[int]]
    places: Mapping[str, Sequence[str]]
    materials: Mapping[str, Material]

    @staticmethod
    def of(
        network: Network, offers: Sequence[Chained], demands: Sequence[Demand], materials: Sequence[Material]
    ) -> _Index:
        return _Index(
            arcs=_positions(arc.node[0] for arc in network.arcs),
            offers=_positions(offer.material.id for offer in offers),
            demands=_positions(demand.use.material.id for demand in demands),
            places=grouped(network.nodes),
            materials={material.id: material for material in materials},
        )


def _positions(names: Iterable[str]) -> dict[str, list[int]]:
    return grouped((name, position) for position, name in enumerate(names))


def _ends(network: Network, demands: Sequence[Demand]) -> dict[tuple[str, str, str], frozenset[str]]:
    """Return, by offer, material, and place, the countries of the demands that they can serve."""
    countries_by_arc: dict[int, set[str]] = {}
    for node, country in {(final_node(d.use), d.use.place.country) for d in demands}:
        for index in network.reach(node)[0]:
            countries_by_arc.setdefault(index, set()).add(country)
    arcs = [(network.arcs[index], countries) for index, countries in countries_by_arc.items()]
    return {(a.chained.offer.id, a.chained.material.id, a.move.to.id): frozenset(c) for a, c in arcs}


T = TypeVar("T")


def query_limit_rules(
    rules: Sequence[Rule], periods: Sequence[Period], law: Law, facts: ProblemFacts
) -> list[tuple[Rule, Row | Rows]]:
    rows: list[tuple[Rule, Row | Rows]] = []
    problems: list[Diagnostic] = []
    for rule in rules:
        if "rows" in rule.verbs:
            rows.extend(
                (rule, row) for row in collect_errors(partial(_rows_of_rule, rule, periods, law, facts), problems) or ()
            )
    if problems:
        raise InputError(problems)
    return rows


def _rows_of_rule(rule: Rule, periods: Sequence[Period], law: Law, facts: ProblemFacts) -> list[Row | Rows]:
    try:
        with attributed(rule):
            return rows_of(rule, periods, law, facts)
    except InputError as error:
        raise attributed_to_rule(rule, error) from error


def attributed_to_rule(rule: Rule, error: InputError) -> InputError:
    return InputError(replace(problem, column=f"rule `{rule.id}`") for problem in error.problems)


def collect_errors(compute: Callable[[], T], problems: list[Diagnostic]) -> T | None:
    """Return `compute()`, or add its errors to `problems` and return None."""
    try:
        return compute()
    except InputError as error:
        problems.extend(error.problems)
        return None


def rows_of(rule: Rule, periods: Sequence[Period], law: Law, facts: ProblemFacts) -> list[Row | Rows]:
    in_force = frozenset(p.index for p in periods if rule.applies(p.span, law.statuses))
    if not in_force:
        return []
    max_rows = None if is_own(type(rule)) else MOST_ROWS
    rows = as_rows(rule.rows(facts.within(in_force, rule.dated_by)), rule.counted_end_uses, max_rows)
    rows = [row.loosened(rule.loosened) for row in rows] if rule.loosened else rows
    if rule.loosened_rows:
        amounts = totals(rule.loosened_rows)
        singles = [row for each in rows for row in single_rows(each)]
        rows = [row.loosened(amounts.get(row.label, Decimal(0))) for row in singles]
    carried = {
        carryover.row: carryover.allowed - carryover.used
        for carryover in facts.case.carryovers
        if carryover.rule == rule.id
    }
    return [row.shifted(carried) for row in rows] if carried else rows
