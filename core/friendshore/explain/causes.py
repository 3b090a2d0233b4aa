"""Causes of shortages: minimal sets of restrictions without which a shortage would be smaller, found by planning without them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar, get_args

from ..domain.base import exact, grouped
from ..domain.plan import Short
from ..domain.runtime import cached_method, with_progress
from ..domain.unmet import CauseKind, RunConflict, RunRestriction, RunShortage, RunSupplyCause
from ..domain.use import Use
from ..problem import Problem
from ..problem.compliance_classes import ComplianceClass
from ..problem.inputs import Inputs
from ..problem.network import Arc, final_node
from ..problem.parts import Members, Parts
from ..session import Session
from ..verify import VerifiedPlan
from .eligibility import IsPossible, first_arrivals
from .replans import Cell, PartReplans, search_deadline
from .restrictions import Removed, Restriction, Upstream, leads, prohibited_by, unproven_offers

Causes = Mapping[Cell, tuple[RunSupplyCause, ...]]
# Kilograms served without some restrictions.
_ServedBySet = Mapping[Removed, Mapping[Cell, float]]
_UNDETERMINED = RunSupplyCause(restrictions=[RunRestriction.of("undetermined")], served_kg=None)
_ROUNDING = RunSupplyCause(restrictions=[RunRestriction.of("rounding")], served_kg=None)
_NO_OFFER = RunSupplyCause(restrictions=[RunRestriction.of("no offer")], served_kg=None)
_ORDER: tuple[CauseKind, ...] = (
    "no offer", "proof", "law", "limit", "capacity", "lead time", "date", "storage", "terms", "inputs", "competition", "price",
)  # fmt: skip
"""Preference among restrictions that are causes only together. Those of many offers come first, so that the sets are small."""


_KINDS = get_args(CauseKind)
_OF_OFFERS = frozenset({"lead time", "date", "capacity", "law", "proof", "no offer"})
# These may exclude supply only from some periods.
_OF_PERIODS: tuple[CauseKind, ...] = ("lead time", "date", "capacity")
_MAX_COMBINED = 2  # sets to combine with each restriction of periods
_LEGAL = frozenset({"no offer", "proof", "law"})


def counted_shorts(verified: VerifiedPlan) -> tuple[Short, ...]:
    """Return the shortages that count. Those below the resolution of quantities don't, unless nothing at all is delivered."""
    problem = verified.problem
    demand_kg = {demand.id: demand.quantity for demand in problem.demands}
    return tuple(
        short
        for short in verified.plan.shorts
        if short.quantity >= min(problem.case.resolution, demand_kg[short.demand][short.period])
    )


def shortage_causes(session: Session) -> Causes:
    plan, deadline = session.verified.plan, search_deadline(session)
    causes: dict[Cell, tuple[RunSupplyCause, ...]] = {}
    conflicting = {name: part.rules for part in plan.infeasible for name in part.demands}
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    by_part: dict[int, dict[Cell, Decimal]] = {}
    for short in counted_shorts(session.verified):
        cell = short.demand, short.period
        if short.demand in conflicting:
            rules = RunRestriction.of("conflict", names=list(conflicting[short.demand]))
            causes[cell] = (RunSupplyCause(restrictions=[rules], served_kg=None),)
        else:
            by_part.setdefault(session.parts.of_material[material[short.demand]], {})[cell] = short.quantity
    for part, part_cells in with_progress(sorted(by_part.items()), "finding out why demands are short", "parts", 1):
        causes |= _PartCauses.of(session, part, part_cells, deadline).search()
    return causes


def competing(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Return for each demand the demands that the same supply can serve: same material, same place, and legally equivalent."""
    serving: dict[str, set[int]] = {demand.id: set() for demand in problem.demands}
    for group in problem.compliance_classes:
        for outlet in group.outlets:
            serving[problem.demands[outlet.demand].id].add(group.index)
    by_node = grouped((final_node(demand.use), demand.id) for demand in problem.demands)
    group_of: dict[str, tuple[str, ...]] = {}
    for names in by_node.values():
        for name in names:
            if name not in group_of:
                connected = _connected(name, names, serving)
                group_of |= dict.fromkeys(connected, connected)
    return group_of


def _connected(name: str, names: Sequence[str], serving: Mapping[str, set[int]]) -> tuple[str, ...]:
    connected, classes = {name}, set(serving[name])
    while more := {other for other in names if other not in connected and serving[other] & classes}:
        connected |= more
        classes |= set[int]().union(*(serving[other] for other in more))
    return tuple(other for other in names if other in connected)


@dataclass(frozen=True, slots=True, eq=False)
class _PartCauses:
    replans: PartReplans
    without_search: Causes
    """Causes of shortages that plans without a restriction can't explain, since they exist only after rounding."""
    # Sets of one restriction, and minimal sets of several found so far.
    single: list[Removed]
    combined: list[Removed]

    @classmethod
    def of(cls, session: Session, part: int, cells: Mapping[Cell, Decimal], deadline: float) -> _PartCauses:
        replans, problem = PartReplans(session, session.parts.members[part], cells, deadline), session.problem
        wanted_kg = {demand.id: demand.quantity for demand in problem.demands}
        without_search = {
            # Rounding can also gather small shortages of several periods into one.
            cell: (_ROUNDING if kg <= _rounding_kg(problem, wanted_kg[cell[0]][cell[1]]) else _UNDETERMINED,)
            for cell, kg in cells.items()
            if cell not in replans.short
        }
        return cls(replans, without_search, [], [])

    def search(self) -> Causes:
        replans, short, causes = self.replans, self.replans.short, dict(self.without_search)
        if not short:
            return causes
        if replans.replan() is None:
            return causes | dict.fromkeys(short, (_UNDETERMINED,))
        upstream = replans.upstream(replans.uses, with_leads=False)
        has_supply = upstream.can_supply(frozenset())
        for each in upstream.restrictions():
            # If law leaves usable offers, the excluded ones are no cause by themselves.
            is_skipped = (
                has_supply if each.kind == "no offer" else each.kind in ("law", "proof") and not upstream.decides(each)
            )
            self.single.extend([] if is_skipped else [frozenset({each})])
        group_by_demand = competing(replans.problem)
        lacking = {name for name, _ in short}
        for group in dict.fromkeys(group_by_demand[name] for name in sorted(lacking)):
            short_demands = tuple(name for name in group if name in lacking)
            causes |= self._group_causes(short_demands, sorted(cell for cell in short if cell[0] in short_demands))
        return causes

    def _group_causes(self, group: tuple[str, ...], cells: Sequence[Cell]) -> Causes:
        served = {
            removed: {cell: kg for cell, kg in self.replans.served(removed).items() if cell in cells}
            for removed in (*self.single, frozenset({Restriction("price", group)}))
        }
        while unexplained := [cell for cell in cells if not any(cell in by_cell for by_cell in served.values())]:
            removed = self._minimal_set(group, unexplained, served)
            if removed is None:
                break
            self.combined.append(removed)
            # A smaller set may be enough for the other shortages.
            served[removed] = {cell: kg for cell, kg in self.replans.served(removed).items() if cell in unexplained}
        fallback = (_UNDETERMINED,) if self.replans.ended or self.replans.is_gap_too_wide else (_NO_OFFER,)
        causes = self._describe(served, group, cells)
        return {cell: tuple(causes[cell]) or fallback for cell in cells}

    def _minimal_set(
        self, group: tuple[str, ...], cells: Sequence[Cell], served_by_set: _ServedBySet
    ) -> Removed | None:
        demands = self.replans.problem.demands
        uses = tuple(dict.fromkeys(demand.use for demand in demands if any(name == demand.id for name, _ in cells)))

        def helps(restrictions: Collection[Restriction]) -> bool:
            with_leads = any(each.kind == "no offer" for each in restrictions)
            if not self.replans.upstream(uses, with_leads=with_leads).can_supply(frozenset(restrictions)):
                return False
            served = self.replans.served(frozenset(restrictions))
            return any(cell in served for cell in cells)

        candidates = self._candidates(group, uses)
        of_periods = [each for kind in _OF_PERIODS for each in candidates if each.kind == kind]
        likely_sets = [
            *self.combined,
            *(removed | {more} for more in of_periods for removed in _most_effective(served_by_set)),
        ]
        # An offer without a known capacity is usually not lawful or not proved either.
        likely_sets += [
            frozenset({Restriction("no offer"), each}) for each in candidates if each.kind in ("proof", "law")
        ]
        likely_sets = [removed for removed in likely_sets if len(removed) > 1]
        first = next((sorted(removed, key=_preference) for removed in likely_sets if helps(removed)), candidates)
        legal = sum(each.kind in _LEGAL for each in first)
        minimal = minimal_set(first, helps, (2, 4, legal, len(first) - legal))
        # If a limit ended the search, the set may be larger than necessary.
        return None if minimal is None or self.replans.ended else frozenset(minimal)

    def _candidates(self, group: tuple[str, ...], uses: tuple[Use, ...]) -> list[Restriction]:
        upstream = self.replans.upstream(uses, with_leads=False)
        has_supply = upstream.can_supply(frozenset())
        restrictions = {*upstream.restrictions(), *upstream.inputs()}
        if leads(self.replans.problem):
            upstream_with_leads = self.replans.upstream(uses, with_leads=True)
            restrictions |= {*upstream_with_leads.restrictions(), *upstream_with_leads.inputs()}
        restrictions |= {Restriction("competition", group), Restriction("price", group)}
        return sorted(
            restrictions, key=lambda restriction: (restriction.kind in _LEGAL and has_supply, *_preference(restriction))
        )

    def _describe(
        self, served: _ServedBySet, group: tuple[str, ...], cells: Sequence[Cell]
    ) -> dict[Cell, list[RunSupplyCause]]:
        direct: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        indirect: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        details = _RestrictionDetails(self.replans, group)
        for removed in sorted(
            (each for each in served if served[each]),
            key=lambda each: (-round(sum(served[each].values())), len(each), sorted(map(_shown_order, each))),
        ):
            restrictions = details.describe(sorted(removed, key=_shown_order), served[removed])
            is_indirect = any(
                each.kind in _OF_OFFERS and not (each.offers if each.kind == "law" else each.names)
                for each in restrictions
            )
            names = {name for name, _ in served[removed]}
            with_first_periods = {
                name: details.with_first_periods(restrictions, removed, name) for name in sorted(names)
            }
            for cell, kilograms in served[removed].items():
                cause = RunSupplyCause(restrictions=with_first_periods[cell[0]], served_kg=exact(kilograms))
                (indirect if is_indirect else direct)[cell].append(cause)
        # A restriction of other demands' supply counts only without a direct cause.
        return {cell: causes or indirect[cell] for cell, causes in direct.items()}


def _most_effective(served: _ServedBySet) -> list[Removed]:
    total_kg = {removed: sum(by_cell.values()) for removed, by_cell in served.items() if by_cell}
    return sorted(total_kg, key=lambda removed: (-total_kg[removed], sorted(removed)))[:_MAX_COMBINED]


def _shown_order(restriction: Restriction) -> tuple[int, Restriction]:
    return _KINDS.index(restriction.kind), restriction


def _preference(restriction: Restriction) -> tuple[int, Restriction]:
    return _ORDER.index(restriction.kind), restriction


def _rounding_kg(problem: Problem, wanted_kg: Decimal) -> Decimal:
    """Return twice the kilograms that rounding can explain, since two quantities are rounded."""
    return 2 * (2 * problem.case.resolution + wanted_kg / 10**6)


Member = TypeVar("Member")
Suffices = Callable[[Sequence[Member]], bool]


def minimal_set(
    members: Sequence[Member], suffices: Suffices[Member], sizes: Sequence[int] = ()
) -> list[Member] | None:
    """Return a minimal sufficient set with as few as possible of the last members. None if all members together aren't sufficient.

    QuickXplain (Junker, Preferred explanations and relaxations for over-constrained problems, AAAI 2004, 167-172), on the first members that suffice,
    after trying the numbers in `sizes`.
    """
    tried_sizes = sorted({size for size in sizes if 0 < size < len(members)} | {len(members)})
    size = next((size for size in tried_sizes if suffices(members[:size])), None)
    return None if size is None else _without_redundant(_quickxplain([], False, members[:size], suffices), suffices)


def _quickxplain(
    background: Sequence[Member], has_grown: bool, members: Sequence[Member], suffices: Suffices[Member]
) -> list[Member]:
    if has_grown and suffices(background):
        return []
    if len(members) == 1:
        return list(members)
    half = len(members) // 2
    last = _quickxplain([*background, *members[:half]], True, members[half:], suffices)
    return _quickxplain([*background, *last], bool(last), members[:half], suffices) + last


def _without_redundant(members: list[Member], suffices: Suffices[Member]) -> list[Member]:
    """Drop redundant members, even if sufficiency isn't monotone."""
    for member in members:
        fewer = [other for other in members if other != member]
        if fewer and suffices(fewer):
            return _without_redundant(fewer, suffices)
    return members


class _RestrictionDetails:
    def __init__(self, replans: PartReplans, group: tuple[str, ...]) -> None:
        self.replans, self.group = replans, group

    def describe(self, removed: Sequence[Restriction], served: Mapping[Cell, float]) -> list[RunRestriction]:
        problem = self._problem(removed)
        before, after = self.replans.supply(), self.replans.supply(frozenset(removed))
        upstream = {arc.name for arc in _arcs_to(problem, self.group)}
        increased = [
            name for name in after if name in upstream and after[name] > before.get(name, 0.0) * (1 + 1e-6) + 1e-6
        ]
        increased.sort(key=lambda name: (before.get(name, 0.0) - after[name], name))
        details = []
        for each in removed:
            if each.kind == "price":
                details.append(self._price(frozenset(removed) - {each}, served))
            elif each.kind == "competition":
                details.append(RunRestriction.of("competition", names=self._losers(frozenset(removed))))
            elif each.kind == "law":
                forbidden = prohibited_by(problem, each.names[0])
                offers = [name for name in increased if name in forbidden]
                details.append(RunRestriction.of("law", names=list(each.names), offers=offers))
            elif each.kind in ("limit", "inputs"):
                details.append(RunRestriction.of(each.kind, names=list(each.names), offers=increased))
            else:
                details.append(self._of_offers(each.kind, problem, increased, frozenset(removed)))
        return details

    def _problem(self, removed: Collection[Restriction]) -> Problem:
        return (
            self.replans.problem_with_leads
            if any(each.kind == "no offer" for each in removed)
            else self.replans.problem
        )

    def _of_offers(
        self, kind: CauseKind, problem: Problem, increased: Sequence[str], removed: Removed
    ) -> RunRestriction:
        if kind == "no offer":
            lead_ids = {lead.id for lead in leads(self.replans.problem)}
            names = [name for name in increased if name in lead_ids]
            reasons = [why for lead in self.replans.problem.leads if lead.offer.id in names for why in lead.texts]
            return RunRestriction.of(kind, names=names, reasons=list(dict.fromkeys(reasons)))
        arcs = _arcs_to(problem, self.group)
        named = (
            self.replans.over_capacity(removed) if kind == "capacity" else names_with_restriction(kind, problem, arcs)
        )
        names = [name for name in increased if name in named]
        return RunRestriction.of(kind, names=names)

    def with_first_periods(
        self, restrictions: Sequence[RunRestriction], removed: Collection[Restriction], demand: str
    ) -> list[RunRestriction]:
        problem = self._problem(removed)
        return [
            each.but(first=first_delivery(problem, demand, each.names)) if each.kind in ("lead time", "date") else each
            for each in restrictions
        ]

    def _losers(self, removed: frozenset[Restriction]) -> list[str]:
        after = self.replans.replan(removed)
        assert after is not None
        before = self.replans.before
        short_kg = after.short(before)
        return sorted(
            {
                cell[0]
                for cell, kilograms in short_kg.items()
                if cell[0] not in self.group and kilograms > before[cell] + self.replans.tolerance(cell)
            }
        )

    def _price(self, removed: frozenset[Restriction], served: Mapping[Cell, float]) -> RunRestriction:
        problem = self.replans.problem
        if problem.objectives:
            ranked = [objective.level.minimize.value for objective in problem.objectives if not objective.implied]
            return RunRestriction.of("rank", names=ranked)
        names = {name for name, _ in served}
        prices = zip(problem.demands, problem.shortage_price, strict=True)
        price = min(price for demand, price in prices if demand.id in names)
        cost = self.replans.marginal_cost(removed, self.group, served)
        marginal_cost = price if cost is None else exact(cost)
        currency = problem.case.currency
        return RunRestriction.of("price", marginal_cost=marginal_cost, shortage_price=price, currency=currency)


def _arcs_to(problem: Problem, demands: Collection[str]) -> list[Arc]:
    nodes = {final_node(demand.use) for demand in problem.demands if demand.id in demands}
    reach = frozenset[int]().union(*(problem.network.reach(node)[0] for node in nodes))
    return [problem.network.arcs[index] for index in sorted(reach)]


def names_with_restriction(kind: CauseKind, problem: Problem, arcs: Sequence[Arc]) -> set[str]:
    offers = {problem.offers[arc.offer].offer.id: problem.offers[arc.offer] for arc in arcs if arc.offer >= 0}
    pools = {pool.facility: pool.capacity for pool in problem.pools}
    match kind:
        case "lead time":
            return {arc.name for arc in arcs if arc.offer >= 0 and any(arc.lags)}
        case "date":
            late = {lot.id for lot in problem.lots if lot.period > 0}
            return late | {
                name
                for name, facts in offers.items()
                if 0 in facts.max_units or any(0 in pools.get(pool, ()) for pool in facts.pools)
            }
        case "proof":
            return unproven_offers(problem)
        case _:
            return {arc.name for arc in arcs}


def first_delivery(problem: Problem, demand: str, names: Collection[str]) -> str:
    """Return the first period in which some offers or lots can supply a demand, also through makers. Without a lawful supply, law is ignored."""
    arcs = _arcs_to(problem, (demand,))
    (number,) = (number for number, entry in enumerate(problem.demands) if entry.id == demand)
    finals = {final_node(problem.demands[number].use)}
    named_arcs = {arc.index for arc in arcs if arc.name in names}
    final_arcs = [arc for arc in arcs if arc.node in finals]
    final_arcs = [arc for arc in final_arcs if arc.index in named_arcs or _input_arcs(problem, arc) & named_arcs]
    capacity = {pool.facility: pool.capacity for pool in problem.pools}
    serving = [
        (each, min(outlet.period for outlet in each.outlets if outlet.demand == number))
        for each in problem.compliance_classes
        if any(outlet.demand == number for outlet in each.outlets)
    ]
    attempts_by_class: list[tuple[IsPossible, int]] = [
        (partial(_is_possible, problem, capacity, each), first_period) for each, first_period in serving
    ]
    # If no supply is lawful, ignore the law. If the plants never run, ignore their capacity, too.
    for attempts in (
        attempts_by_class,
        [(partial(_is_possible, problem, capacity, None), 0)],
        [(partial(_is_possible, problem, {}, None), 0)],
    ):
        periods = []
        for is_possible, first_period in attempts:
            first = first_arrivals(problem, arcs, is_possible, named_arcs)
            periods += [max(first[arc.index], first_period) for arc in final_arcs if arc.index in first]
        if periods:
            return problem.case.horizon.label(min(periods))
    return ""


def _is_possible(
    problem: Problem,
    capacity: Mapping[str, Sequence[Decimal | None]],
    compliance_class: ComplianceClass | None,
    arc: Arc,
    ordered: int,
    arrival: int,
) -> bool:
    pools = problem.offers[arc.offer].pools if arc.offer >= 0 else ()
    runs = all(capacity[name][ordered] != 0 for name in pools if name in capacity)
    return runs and (compliance_class is None or compliance_class.admits(arc.index, arrival))


def _input_arcs(problem: Problem, arc: Arc) -> frozenset[int]:
    feeds = problem.network.feeds.get(arc.offer, ())
    return frozenset[int]().union(*(problem.network.reach(feed)[0] for feed in feeds))


def consistent_causes(
    inputs: Inputs, problem: Problem, rows: Iterable[RunShortage], conflicts: Sequence[RunConflict]
) -> Causes:
    """Return the causes in a run without those that contradict the facts. A complete check would take further plans."""
    periods = {period.label: period.index for period in problem.case.horizon.periods}
    with_causes = [row for row in rows if row.causes and row.period in periods]
    if not with_causes:
        return {}
    check = _CauseCheck(inputs, problem, conflicts)
    return {
        (row.demand, periods[row.period]): tuple(cause for cause in row.causes if check.is_consistent(cause, row))
        for row in with_causes
    }


@dataclass(frozen=True, slots=True)
class _Part:
    materials: Members
    restrictions: frozenset[Restriction]
    verdicts: tuple[tuple[str, str, bool], ...]
    """Rule, offer, and True if a proof would reverse the verdict."""
    inputs: frozenset[str]


class _CauseCheck:
    def __init__(self, inputs: Inputs, problem: Problem, conflicts: Sequence[RunConflict]) -> None:
        self.problem, self.conflicts = problem, conflicts
        ranked = (row for objective in problem.objectives for row in objective.rows)
        self.parts = Parts(inputs, problem, problem.limit_rows, ranked)
        self.demands = {demand.id: demand for demand in problem.demands}
        self.groups = competing(problem)
        self.ranked = [each.level.minimize.value for each in problem.objectives if not each.implied]
        self.names = {rule.id for rule in problem.rules} | {lot.id for lot in problem.lots} | self.demands.keys()
        self.names |= problem.merged.offers.keys() | problem.merged.materials.keys() | set(self.ranked)
        self.names |= {name for conflict in conflicts for name in conflict.rules}

    def is_consistent(self, cause: RunSupplyCause, row: RunShortage) -> bool:
        names = {name for each in cause.restrictions for name in (*each.names, *each.offers)}
        served = cause.served_kg
        if row.demand not in self.demands or not names <= self.names:
            return False
        if served is not None and not 0 < served <= row.quantity_kg + _rounding_kg(self.problem, row.wanted_kg):
            return False
        # The facts don't say what an offer without a known capacity could do.
        involves_leads = any(each.kind == "no offer" for each in cause.restrictions)
        return involves_leads or all(self._can_cause(each, row) for each in cause.restrictions)

    def _part_number(self, demand: str) -> int:
        return self.parts.of_material[self.demands[demand].use.material.id]

    @cached_method
    def _part(self, number: int) -> _Part:
        uses = dict.fromkeys(demand.use for demand in self.problem.demands if self._part_number(demand.id) == number)
        upstream = Upstream(self.problem, list(uses))
        feeds = (self.problem.network.feeds.get(offer, ()) for offer in upstream.offers)
        return _Part(
            materials=self.parts.members[number],
            restrictions=frozenset(upstream.restrictions()),
            verdicts=tuple(upstream.verdicts()),
            inputs=frozenset(material for feed in feeds for material, _ in feed),
        )

    def _can_cause(self, restriction: RunRestriction, row: RunShortage) -> bool:
        problem, group, number = self.problem, self.groups[row.demand], self._part_number(row.demand)
        part, arcs, names = self._part(number), _arcs_to(problem, group), set(restriction.names)
        if not set(restriction.offers) <= {arc.name for arc in arcs}:
            return False
        match restriction.kind:
            case "limit":
                return bool(names) and all(self.parts.counted.get(name, set()) & part.materials for name in names)
            case "law":
                forbidden = {offer for rule, offer, _ in part.verdicts if rule in names}
                laws = {Restriction("law", (name,)) for name in names}
                return bool(names) and laws <= part.restrictions and set(restriction.offers) <= forbidden
            case "proof":
                unproven = {offer for _, offer, provable in part.verdicts if provable}
                return bool(unproven) and names <= unproven
            case "inputs":
                return bool(names) and names <= part.inputs
            case "competition":
                others = self.demands.keys() - group
                return names <= others and all(self._part_number(name) == number for name in names)
            case "price":
                prices = zip(problem.demands, problem.shortage_price, strict=True)
                own = {exact(price) for demand, price in prices if demand.id in group}
                return restriction.currency == problem.case.currency and restriction.shortage_price in own
            case "rank":
                return bool(self.ranked) and restriction.names == self.ranked
            case "conflict":
                return any(
                    row.demand in conflict.demands and names == set(conflict.rules) for conflict in self.conflicts
                )
            case "rounding":
                return row.quantity_kg <= _rounding_kg(problem, row.wanted_kg)
            case "lead time" | "date" | "capacity" | "storage" | "terms":
                first = first_delivery(problem, row.demand, names) if restriction.kind in ("lead time", "date") else ""
                are_plausible = names <= names_with_restriction(restriction.kind, problem, arcs)
                return (
                    are_plausible and Restriction(restriction.kind) in part.restrictions and restriction.first == first
                )
            case _:
                return True
