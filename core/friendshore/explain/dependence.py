"""Dependence of a plan on countries of concern: each purchase by its whole chain, and the cash that depends on it.

A purchase is of concern because of its seller, its own steps, or the inputs that its maker takes. Goods of one material, place, and compliance
class form a pool. A maker that takes from a pool with some goods of concern may use them. If the pool contains nothing else, it does use them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, reduce

from ..domain.base import as_decimal, grouped
from ..domain.use import Chained
from ..rules.verdicts import Dependence, Reason, reasons, worst_of
from ..verify import VerifiedPlan
from .full_prices import trace_cash

Pool = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PurchaseDependence:
    """Dependence of a purchase on countries of concern."""

    own: Dependence
    """By its seller and own steps."""
    whole: Dependence
    """By its inputs too."""
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DependentSums:
    """Cash and kilograms by their dependence on countries of concern."""

    cash: Decimal = Decimal(0)
    is_cash: Decimal = Decimal(0)
    may_be_cash: Decimal = Decimal(0)
    by_inputs_cash: Decimal = Decimal(0)
    """Part of the two that is of concern only because of inputs."""
    kilograms: Decimal | None = None
    """None for several materials."""
    is_kilograms: Decimal | None = None
    may_be_kilograms: Decimal | None = None

    def plus(self, other: DependentSums) -> DependentSums:
        names = ("cash", "is_cash", "may_be_cash", "by_inputs_cash")
        return DependentSums(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def of_concern(self) -> Decimal:
        return self.is_cash + self.may_be_cash

    @property
    def share(self) -> Decimal:
        return self.of_concern / self.cash if self.cash else Decimal(0)


@dataclass(frozen=True, slots=True)
class PlanDependence:
    """Dependence of a plan on countries of concern."""

    purchases: Sequence[PurchaseDependence]
    plan: DependentSums
    by_material: Mapping[str, DependentSums]
    by_end_use: Mapping[str, DependentSums]
    """By end use of the demands where the cash ends. Under an empty name, cash for stock at the end and for unused goods."""


def plan_dependence(verified: VerifiedPlan, countries: frozenset[str]) -> PlanDependence | None:
    """Return the dependence on some countries: undiscounted cash of the purchases, each counted once. None if there are no countries."""
    if not countries:
        return None
    dependences = judge_purchases(verified, countries)
    by_material = _by_material(verified, dependences)
    end_use = {demand.id: demand.use.end_use for demand in verified.problem.demands}
    traced = trace_cash(
        verified, lambda number, _: (dependences[number].whole, dependences[number].own is Dependence.NO)
    )
    by_use: defaultdict[str, list[tuple[PurchaseDependence, Decimal]]] = defaultdict(list)
    for demand, money in (*traced.by_demand.items(), ("", traced.stock), ("", traced.unused)):
        for (whole, clean), amount in money.items():
            own = Dependence.NO if clean else whole
            by_use[end_use.get(demand, "")].append((PurchaseDependence(own, whole, ()), as_decimal(amount)))
    return PlanDependence(
        purchases=dependences,
        plan=sum_of(by_material.values()),
        by_material=by_material,
        by_end_use={name: _sums(by_use[name]) for name in sorted(by_use)},
    )


def material_dependence(verified: VerifiedPlan, countries: frozenset[str]) -> Mapping[str, DependentSums]:
    return _by_material(verified, judge_purchases(verified, countries))


def sum_of(parts: Iterable[DependentSums]) -> DependentSums:
    return reduce(DependentSums.plus, parts, DependentSums())


def _by_material(verified: VerifiedPlan, dependences: Sequence[PurchaseDependence]) -> Mapping[str, DependentSums]:
    rows = grouped(
        (line.material, (each, line.total, line.quantity))
        for line, each in zip(verified.lines, dependences, strict=True)
    )
    return {name: _sums_with_kilograms(rows[name]) for name in sorted(rows)}


def judge_purchases(verified: VerifiedPlan, countries: frozenset[str]) -> list[PurchaseDependence]:
    """Return the dependence of each purchase, in the order of `VerifiedPlan.lines`."""
    sellers = _Sellers(countries)
    offers = verified.problem.offers

    @cache
    def maker(offer: int, compliance_class: str) -> tuple[str, str]:
        return offers[offer].offer.id, compliance_class

    # A co-product may be made for one class and bought for another.
    lenders: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for transfer in verified.plan.transfers:
        lenders[transfer.offer, transfer.to_compliance_class].add((transfer.offer, transfer.from_compliance_class))
    drawn: defaultdict[tuple[str, str], set[Pool]] = defaultdict(set)
    for (material, place), compliance_class, _, kilograms, offer in verified.ledger.draws():
        if kilograms:
            drawn[maker(offer, compliance_class)].add((material, place, compliance_class))
    items = verified.lines
    makers = [maker(item.arc.offer, item.compliance_class) for item in items]
    inputs = {name: drawn[name].union(*(drawn[lender] for lender in lenders[name])) for name in dict.fromkeys(makers)}
    dependences = [sellers.dependence(item.arc.chained) for item in items]
    lots = defaultdict[Pool, set[Dependence]](set)
    for item in verified.ledger.bought:
        if item.arc.lot >= 0 and item.quantity:
            lots[item.material, item.place, item.compliance_class].add(sellers.dependence(item.arc.chained))
    while True:
        pools = defaultdict[Pool, set[Dependence]](set, {pool: set(of_lots) for pool, of_lots in lots.items()})
        for item, dependence in zip(items, dependences, strict=True):
            pools[item.material, item.place, item.compliance_class].add(dependence)
        of_inputs = {
            name: worst_of(_dependence_of_mix(pools[pool]) for pool in input_pools)
            for name, input_pools in inputs.items()
        }
        updated = [
            worst_of((dependence, of_inputs.get(name, Dependence.NO)))
            for name, dependence in zip(makers, dependences, strict=True)
        ]
        if updated == dependences:
            break
        dependences = updated
    input_reasons = {name: tuple(_input_reasons(input_pools, pools)) for name, input_pools in inputs.items()}
    known: dict[tuple[int, tuple[str, str], Dependence], PurchaseDependence] = {}

    def judged(offer: Chained, name: tuple[str, str], whole: Dependence) -> PurchaseDependence:
        key = id(offer), name, whole
        if key not in known:
            texts = _texts((*sellers.reasons(offer), *input_reasons.get(name, ())))
            known[key] = PurchaseDependence(sellers.dependence(offer), whole, texts)
        return known[key]

    rows = zip(items, makers, dependences, strict=True)
    return [judged(item.arc.chained, name, whole) for item, name, whole in rows]


class _Sellers:
    """Dependence of offers by their sellers and own steps. Offers are looked up by identity, since comparing them takes long."""

    def __init__(self, countries: frozenset[str]) -> None:
        self.countries = countries
        self._reasons: dict[int, Sequence[Reason]] = {}
        self._dependences: dict[int, Dependence] = {}

    def reasons(self, offer: Chained) -> Sequence[Reason]:
        if id(offer) not in self._reasons:
            self._reasons[id(offer)] = tuple(reasons(offer, self.countries))
        return self._reasons[id(offer)]

    def dependence(self, offer: Chained) -> Dependence:
        if id(offer) not in self._dependences:
            self._dependences[id(offer)] = worst_of(reason.dependence for reason in self.reasons(offer))
        return self._dependences[id(offer)]


def _dependence_of_mix(dependences: Collection[Dependence]) -> Dependence:
    if dependences == {Dependence.IS}:
        return Dependence.IS
    return Dependence.MAY_BE if worst_of(dependences) is not Dependence.NO else Dependence.NO


def _input_reasons(inputs: Iterable[Pool], pools: Mapping[Pool, Collection[Dependence]]) -> Iterator[Reason]:
    for name, dependence in sorted({(pool[0], _dependence_of_mix(pools[pool])) for pool in inputs}):
        if dependence is not Dependence.NO:
            yield Reason(dependence, f"made of {name}")


def _texts(reasons: Iterable[Reason]) -> tuple[str, ...]:
    ordered = sorted(reasons, key=lambda reason: -reason.dependence.rank)
    return tuple(each.text if each.dependence is Dependence.IS else f"possibly {each.text}" for each in ordered)


def _sums(rows: Iterable[tuple[PurchaseDependence, Decimal]]) -> DependentSums:
    cash, by_inputs = {each: Decimal(0) for each in Dependence}, Decimal(0)
    for dependence, amount in rows:
        cash[dependence.whole] += amount
        if dependence.own is Dependence.NO and dependence.whole is not Dependence.NO:
            by_inputs += amount
    return DependentSums(sum(cash.values(), Decimal(0)), cash[Dependence.IS], cash[Dependence.MAY_BE], by_inputs)


def _sums_with_kilograms(rows: Sequence[tuple[PurchaseDependence, Decimal, Decimal]]) -> DependentSums:
    sums = _sums((dependence, cash) for dependence, cash, _ in rows)
    kilograms = {each: Decimal(0) for each in Dependence}
    for dependence, _, quantity in rows:
        kilograms[dependence.whole] += quantity
    return DependentSums(
        sums.cash,
        sums.is_cash,
        sums.may_be_cash,
        sums.by_inputs_cash,
        sum(kilograms.values(), Decimal(0)),
        kilograms[Dependence.IS],
        kilograms[Dependence.MAY_BE],
    )
