"""Restrictions of a part of a case, and the part without some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from ..domain.base import exact, grouped
from ..domain.change import Change, TermKind
from ..domain.facts import Catalog, Offer, Price
from ..domain.runtime import cached_method
from ..domain.unmet import CauseKind
from ..domain.use import Result, Use
from ..errors import InputError
from ..problem import Problem
from ..problem.capacity import Pool, accepted_steps
from ..problem.inputs import Inputs
from ..problem.merged import CASE_SOURCE
from ..problem.network import Node, final_node
from ..problem.offers import OfferFacts

_Prohibition = tuple[str, bool]
"""Rule, and True if a proof would let the item pass."""
AMPLE = 1000
"""Multiple of all demand that is as good as an unlimited supply."""
_TERMS = (
    TermKind.MINIMUM_LOAD, TermKind.LOT, TermKind.FIXED_COST, TermKind.ONBOARDING, TermKind.TAKE_OR_PAY, TermKind.SETUP, TermKind.TIERS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Restriction:
    """Something that may keep supply from demand."""

    kind: CauseKind
    names: tuple[str, ...] = ()
    """Rule (`limit`, `law`), material (`inputs`), or demands with a shortage (`price`, `competition`). Empty means all of the kind in the part."""


Removed = frozenset[Restriction]
_SUPPLY: frozenset[CauseKind] = frozenset({"lead time", "date", "terms", "no offer"})
_IN_FACTS = _SUPPLY | {"law", "proof"}
"""Restrictions that are removed from the facts before they are resolved."""


class Upstream:
    """Everything upstream of some uses, and the restrictions on its supply."""

    def __init__(self, problem: Problem, uses: Collection[Use], periods: Collection[int] = ()) -> None:
        self.problem, self.uses = problem, list(uses)
        self.periods = frozenset(periods or range(problem.case.horizon.count))
        self.until = frozenset(range(max(self.periods) + 1))
        self.reach = {use: problem.network.reach(final_node(use)) for use in uses}
        self.arcs = frozenset[int]().union(*(arcs for arcs, _ in self.reach.values()))
        self.nodes = frozenset[Node]().union(*(nodes for _, nodes in self.reach.values()))
        self.offers = sorted({problem.network.arcs[arc].offer for arc in self.arcs} - {-1})

    def restrictions(self) -> list[Restriction]:
        """Return all restrictions, except those that depend on which demands are short."""
        restrictions: list[Restriction] = []
        restrictions += [Restriction("no offer")] if leads(self.problem) else []
        restrictions += [Restriction("proof")] if self.unproven() else []
        restrictions += [
            Restriction("law", (rule,)) for rule in sorted({r for r, _, provable in self.verdicts() if not provable})
        ]
        rules = dict.fromkeys(rule.id for rule, _ in self.problem.limit_rows)
        restrictions += [Restriction("limit", (rule,)) for rule in rules]
        restrictions += [Restriction("capacity")] if self.has_capacities() else []
        restrictions += [Restriction("lead time")] if self.has_lead_times() else []
        restrictions += [Restriction("date")] if self.has_dates() else []
        restrictions += [Restriction("storage")] if self.has_stores() else []
        restrictions += [Restriction("terms")] if self.has_terms() else []
        return restrictions

    def inputs(self) -> list[Restriction]:
        demanded = {use.material.id for use in self.uses}
        materials = {feed[0] for offer in self.offers for feed in self.problem.network.feeds.get(offer, ())}
        return [Restriction("inputs", (material,)) for material in sorted(materials - demanded)]

    def can_supply(self, removed: Removed) -> bool:
        """Return True if a use can lawfully be supplied, regardless of times and quantities."""
        legal = frozenset(each for each in removed if each.kind in ("law", "proof", "inputs"))
        return self._can_supply(legal)

    @cached_method
    def _can_supply(self, removed: Removed) -> bool:
        return any(self._is_supplied(use, removed) for use in self.uses)

    def _is_supplied(self, use: Use, removed: Removed) -> bool:
        network, (indices, nodes) = self.problem.network, self.reach[use]
        free = {each.names[0] for each in removed if each.kind == "inputs"}
        forbidden = {
            index
            for index, against in self.prohibitions_by_use[use].items()
            if self.until <= self._blocked_periods(against, removed)
        }
        arcs = [network.arcs[index] for index in sorted(indices - forbidden)]
        supplied = {node for node in nodes if node[0] in free}
        while more := {
            arc.node
            for arc in arcs
            if arc.node not in supplied and supplied.issuperset(network.feeds.get(arc.offer, ()))
        }:
            supplied |= more
        return final_node(use) in supplied

    def _blocked_periods(self, prohibitions: Mapping[_Prohibition, frozenset[int]], removed: Removed) -> frozenset[int]:
        # A waiver or a license may permit the item, so their rules don't count.
        case = self.problem.case
        rules = {each.names[0] for each in removed if each.kind == "law"}
        rules |= {waiver.rule for waiver in case.waivers} | {license.rule for license in case.licenses}
        proved = Restriction("proof") in removed
        remaining = (
            periods for (rule, proof), periods in prohibitions.items() if rule not in rules and not (proof and proved)
        )
        return frozenset[int]().union(*remaining)

    @cached_property
    def prohibitions_by_use(self) -> dict[Use, dict[int, dict[_Prohibition, frozenset[int]]]]:
        """Rules that prohibit each arc, with the periods in which its goods can't come."""
        prohibitions_by_use: dict[Use, dict[int, dict[_Prohibition, frozenset[int]]]] = {use: {} for use in self.uses}
        for use, index, position, provable in self._prohibiting_verdicts():
            rule = self.problem.rules[position]
            periods = self._in_force(position) & self.until
            if rule.judge_scope == "chain" and rule.dated_by == "delivery" and self.periods <= periods:
                periods = self.until  # whenever it came, it couldn't be delivered
            prohibitions = prohibitions_by_use[use].setdefault(index, {})
            prohibitions[rule.id, provable] = prohibitions.get((rule.id, provable), frozenset()) | periods
        return prohibitions_by_use

    def decides(self, restriction: Restriction) -> bool:
        """Return True if in some period, only this rule, or only missing proofs, exclude an item."""
        removed = frozenset({restriction})
        all_prohibitions = (
            prohibitions for by_arc in self.prohibitions_by_use.values() for prohibitions in by_arc.values()
        )
        return any(
            self._blocked_periods(prohibitions, removed) != self._blocked_periods(prohibitions, frozenset())
            for prohibitions in all_prohibitions
        )

    @property
    def facts(self) -> Iterator[OfferFacts]:
        return (self.problem.offers[offer] for offer in self.offers)

    def has_lead_times(self) -> bool:
        arcs = self.problem.network.arcs
        return any(arcs[arc].offer >= 0 and any(arcs[arc].lags) for arc in self.arcs)

    def has_dates(self) -> bool:
        names = {name for facts in self.facts for name in facts.pools}
        pools = (pool for pool in self.problem.pools if pool.facility in names)
        lots = (
            self.problem.lots[self.problem.network.arcs[arc].lot]
            for arc in self.arcs
            if self.problem.network.arcs[arc].lot >= 0
        )
        return (
            any(0 in facts.max_units for facts in self.facts)
            or any(0 in pool.capacity for pool in pools)
            or any(lot.period > 0 for lot in lots)
        )

    def has_capacities(self) -> bool:
        names = {name for facts in self.facts for name in facts.pools}
        pools = (pool for pool in self.problem.pools if pool.facility in names)
        own = any(facts.offer.total is not None or any(facts.max_units) for facts in self.facts)
        return own or any(each is not None for pool in pools for each in pool.capacity) or bool(self.problem.term_spans)

    def has_stores(self) -> bool:
        stores = (self.problem.stores[node] for node in self.nodes if node in self.problem.stores)
        return any(limit is not None for store in stores for limit in store.limit)

    def has_terms(self) -> bool:
        problem = self.problem
        own = any(o.min_order or o.lot or o.onboarding or o.take_or_pay for o in (facts.offer for facts in self.facts))
        return own or bool(problem.term_spans or problem.commitments or problem.price_spans)

    def unproven(self) -> set[str]:
        return {offer for _, offer, unproven in self.verdicts() if unproven}

    def verdicts(self) -> Iterator[tuple[str, str, bool]]:
        """Yield the rule and offer of every prohibiting verdict, and True if a proof would reverse it."""
        for _, index, position, provable in self._prohibiting_verdicts():
            yield self.problem.rules[position].id, self.problem.network.arcs[index].chained.offer.id, provable

    def _prohibiting_verdicts(self) -> Iterator[tuple[Use, int, int, bool]]:
        problem = self.problem
        for use, (arcs, _) in self.reach.items():
            judgement = problem.judgements[use]
            for table in (judgement.chain, judgement.trade):
                for position, verdicts in table.items():
                    if not self._in_force(position):
                        continue
                    for index in sorted(verdicts.keys() & arcs):
                        verdict = verdicts[index]
                        granted = verdict.license and problem.case.assume.license.get(use.end_use) == "granted"
                        if not granted and problem.law.forbids(verdict, problem.network.arcs[index]):
                            provable = verdict.result is Result.UNPROVEN and not verdict.license
                            yield use, index, position, provable

    @cached_method
    def _in_force(self, position: int) -> frozenset[int]:
        periods = self.problem.case.horizon.periods
        return frozenset(p.index for p in periods if self.problem.law.in_force(position, p.span))


def unproven_offers(problem: Problem) -> set[str]:
    return Upstream(problem, list(problem.judgements)).unproven()


def prohibited_by(problem: Problem, rule: str) -> set[str]:
    return {offer for name, offer, _ in Upstream(problem, list(problem.judgements)).verdicts() if name == rule}


def leads(problem: Problem) -> list[Offer]:
    """Return the offers without a usable capacity or price that deliver demanded goods, or possible inputs of them."""
    usable = {facts.offer.id for facts in problem.offers}
    makers = grouped((line.material, offer) for offer in problem.merged.offers.values() for line in offer.outputs)
    materials = {node[0] for node in problem.network.nodes}
    waiting = sorted(materials)
    lead_by_id: dict[str, Offer] = {}
    while waiting:
        for offer in makers.get(waiting.pop(), ()):
            if offer.id not in usable and offer.id not in lead_by_id:
                lead_by_id[offer.id] = offer
                new_materials = {line.material for line in offer.inputs} - materials
                materials |= new_materials
                waiting += sorted(new_materials)
    return [offer for _, offer in sorted(lead_by_id.items())]


class Relaxations:
    """Facts of a part without some of its restrictions."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.problem = inputs.problem()
        self._disabled: dict[str, Change] = {}

    @cached_property
    def problem_with_leads(self) -> Problem:
        return self._with_leads[1]

    @cached_property
    def _with_leads(self) -> tuple[Inputs, Problem]:
        try:
            return _with_leads(self.inputs, self.problem)
        except InputError:  # the facts with leads are invalid
            return self.inputs, self.problem

    def without(self, removed: Removed) -> Problem:
        """Return the facts without some restrictions, except those of the program (limits, inputs, competition, prices). Raises `InputError` if invalid."""
        kinds = frozenset(each.kind for each in removed)
        # Unchanged offers stay the same objects, so that their cached results remain valid.
        relaxed = self._relaxed_inputs(kinds & _SUPPLY)
        changes = [
            self._disabled.setdefault(each.names[0], Change(disable=each.names[0]))
            for each in sorted(removed)
            if each.kind == "law"
        ]
        relaxed = relaxed.after(changes)
        if "proof" in kinds:
            problem = self.problem_with_leads if "no offer" in kinds else self.problem
            proven = tuple(sorted({*relaxed.case.accept.proven, *unproven_offers(problem)}))
            relaxed = replace(relaxed, case=relaxed.case.but(accept=relaxed.case.accept.but(proven=proven)))
        if relaxed is self.inputs:
            problem = self.problem
        elif kinds & _IN_FACTS == {"no offer"}:
            problem = self.problem_with_leads
        else:
            problem = relaxed.problem()
        if kinds & {"capacity", "date"}:
            problem = _with_larger_capacity(problem, capacity="capacity" in kinds, dated="date" not in kinds)
        if "storage" in kinds:
            stores = {node: replace(store, limit=(None,) * len(store.limit)) for node, store in problem.stores.items()}
            problem = replace(problem, stores=stores)
        return problem

    @cached_method
    def _relaxed_inputs(self, kinds: frozenset[CauseKind]) -> Inputs:
        changes = [Change(lift=TermKind.LEAD_TIME)] if "lead time" in kinds else []
        changes += [Change(lift=TermKind.DATES), Change(lift=TermKind.QUALIFICATION)] if "date" in kinds else []
        changes += [Change(lift=kind) for kind in _TERMS] if "terms" in kinds else []
        inputs = self._with_leads[0] if "no offer" in kinds else self.inputs
        relaxed = inputs.after(changes)
        return _without_dates(relaxed) if "date" in kinds else relaxed


def _without_dates(inputs: Inputs) -> Inputs:
    start = inputs.case.horizon.start
    orders = tuple(
        order.but(
            id=name,  # the default id depends on the day of arrival
            arrives=start,
            ordered=None if order.ordered is None else min(order.ordered, start),
        )
        for name, order in zip(inputs.case.order_names, inputs.case.orders, strict=True)
    )

    def without_dates(catalog: Catalog) -> Catalog:
        return catalog.but(offers=tuple(_always_quoted(offer) if offer.quotes else offer for offer in catalog.offers))

    return replace(inputs, case=inputs.case.but(orders=orders), catalogs=tuple(map(without_dates, inputs.catalogs)))


def _always_quoted(offer: Offer) -> Offer:
    quotes = sorted(offer.quotes, key=lambda quote: quote.start or date.min)
    starts = [None, *(quote.start for quote in quotes[1:])]
    ends = [None if start is None else start - timedelta(days=1) for start in (*starts[1:], None)]
    return offer.but(quotes=tuple(quote.but(start=s, end=e) for quote, s, e in zip(quotes, starts, ends, strict=True)))


def _with_leads(inputs: Inputs, problem: Problem) -> tuple[Inputs, Problem]:
    total_demand = sum((sum(demand.quantity, Decimal(0)) for demand in problem.demands), Decimal(1))
    ample = exact(min(total_demand * AMPLE, Decimal(10) ** 12))
    free = Price(amount=Decimal(0), currency=inputs.case.currency, source=CASE_SOURCE)
    lead_offers = leads(problem)
    names = {lead.id for lead in lead_offers}

    def usable_leads(unpriced: Collection[str]) -> Inputs:
        def with_figures(offer: Offer) -> Offer:
            larger = offer.but(max_per_year=ample, total=None, source=CASE_SOURCE)
            return larger.but(price=free, quotes=()) if offer.id in unpriced else larger

        catalogs = tuple(
            catalog.but(offers=tuple(with_figures(offer) if offer.id in names else offer for offer in catalog.offers))
            for catalog in inputs.catalogs
        )
        return replace(inputs, catalogs=catalogs)

    relaxed = usable_leads([lead.id for lead in lead_offers if lead.price is None and not lead.quotes])
    resolved = relaxed.problem()
    unpriced = names & {lead.id for lead in leads(resolved)}
    if unpriced:
        relaxed = usable_leads(unpriced)
        resolved = relaxed.problem()
    return relaxed, resolved


def _with_larger_capacity(problem: Problem, *, capacity: bool, dated: bool) -> Problem:
    paid = {index for index, facts in enumerate(problem.offers) if facts.offer.has_negative_price}
    pools = tuple(
        pool if paid & set(pool.offers) else _larger_pool(problem, pool, capacity=capacity, dated=dated)
        for pool in problem.pools
    )
    offers, spans = problem.offers, problem.term_spans
    if capacity:
        offers = tuple(facts if facts.offer.has_negative_price else _unlimited(facts) for facts in problem.offers)
        spans = tuple(
            span if paid & set(span.offers) else replace(span, terms=span.terms.but(most=None)) for span in spans
        )
    return replace(problem, pools=pools, offers=offers, term_spans=spans)


def _unlimited(facts: OfferFacts) -> OfferFacts:
    offer = facts.offer.but(max_order=None, max_lots=None, max_per_year=None, total=None)
    return facts._replace(offer=offer, max_units=tuple(most if most == 0 else None for most in facts.max_units))


def _larger_pool(problem: Problem, pool: Pool, *, capacity: bool, dated: bool) -> Pool:
    case = problem.case
    steps = accepted_steps(problem.merged.facilities[pool.facility], problem.merged, case)
    first = next((each for each in pool.capacity if each is None or each), Decimal(0))
    starts = steps[0].start if steps else None
    capacities: list[Decimal | None] = []
    for period, each in zip(case.horizon.periods, pool.capacity, strict=True):
        has_begun = not dated or starts is None or starts <= period.end
        larger = first if not dated and each == 0 else each
        capacities.append(None if capacity and has_begun else larger)
    return pool._replace(capacity=tuple(capacities))
