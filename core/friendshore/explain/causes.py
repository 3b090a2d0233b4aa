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
from .eligibility import May, first_arrivals
from .replans import Cell, PartReplans, end_of_search
from .restrictions import Removed, Restriction, Upstream, forbidden_by, leads, unproven_offers

Causes = Mapping[Cell, tuple[RunSupplyCause, ...]]
"""Causes of shortages, by demand and period."""
_Served = Mapping[Removed, Mapping[Cell, float]]
"""Kilograms served without some restrictions."""
_UNDETERMINED = RunSupplyCause(restrictions=[RunRestriction(kind="undetermined")], served_kg=None)
_ROUNDING = RunSupplyCause(restrictions=[RunRestriction(kind="rounding")], served_kg=None)
_NO_OFFER = RunSupplyCause(restrictions=[RunRestriction(kind="no offer")], served_kg=None)
_ORDER: tuple[CauseKind, ...] = (
    "no offer", "proof", "law", "limit", "capacity", "lead time", "date", "storage", "terms", "inputs", "competition", "price",
)  # fmt: skip
"""Preference among restrictions that are causes only together. Those of many offers come first, so that the sets are small."""


_SHOWN = get_args(CauseKind)
_OF_OFFERS = frozenset({"lead time", "date", "capacity", "law", "proof", "no offer"})
"""Restrictions of offers."""
_OF_PERIODS: tuple[CauseKind, ...] = ("lead time", "date", "capacity")
"""Restrictions that may exclude supply only from some periods."""
_TRIED = 2
"""Number of sets to combine with each of these."""
_LEGAL = frozenset({"no offer", "proof", "law"})


def counted_shorts(verified: VerifiedPlan) -> tuple[Short, ...]:
    """Return the shortages that count. Those below the resolution of quantities don't, unless nothing at all is delivered."""
    problem = verified.problem
    wanted = {demand.id: demand.quantity for demand in problem.demands}
    return tuple(
        short
        for short in verified.plan.shorts
        if short.quantity >= min(problem.case.resolution, wanted[short.demand][short.period])
    )


def shortage_causes(session: Session) -> Causes:
    """Return the causes of all shortages.

    Raises:
        SolverError: If a solver breaks down.
        PluginError: If a plugin's rule raises.
    """
    plan, ends = session.verified.plan, end_of_search(session)
    found: dict[Cell, tuple[RunSupplyCause, ...]] = {}
    conflicting = {name: part.rules for part in plan.infeasible for name in part.demands}
    material = {demand.id: demand.use.material.id for demand in session.problem.demands}
    by_part: dict[int, list[Cell]] = {}
    for short in counted_shorts(session.verified):
        cell = short.demand, short.period
        if short.demand in conflicting:
            rules = RunRestriction(kind="conflict", names=list(conflicting[short.demand]))
            found[cell] = (RunSupplyCause(restrictions=[rules], served_kg=None),)
        else:
            by_part.setdefault(session.parts.of_material[material[short.demand]], []).append(cell)
    for part, cells in with_progress(sorted(by_part.items()), "finding out why demands are short", "parts", 1):
        found |= _PartCauses.of(session, part, cells, ends).found()
    return found


def competing(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Return for each demand the demands that the same supply can serve, itself included: same material, same place, and legally equivalent."""
    serving: dict[str, set[int]] = {demand.id: set() for demand in problem.demands}
    for group in problem.compliance_classes:
        for outlet in group.outlets:
            serving[problem.demands[outlet.demand].id].add(group.index)
    by_node = grouped((final_node(demand.use), demand.id) for demand in problem.demands)
    found: dict[str, tuple[str, ...]] = {}
    for names in by_node.values():
        for name in names:
            if name not in found:
                joined = _joined(name, names, serving)
                found |= dict.fromkeys(joined, joined)
    return found


def _joined(name: str, names: Sequence[str], serving: Mapping[str, set[int]]) -> tuple[str, ...]:
    joined, classes = {name}, set(serving[name])
    while more := {other for other in names if other not in joined and serving[other] & classes}:
        joined |= more
        classes |= set[int]().union(*(serving[other] for other in more))
    return tuple(other for other in names if other in joined)


@dataclass(frozen=True, slots=True, eq=False)
class _PartCauses:
    """Causes of all shortages in a part of a case."""

    replans: PartReplans
    crumbs: Sequence[Cell]
    """Shortages that only result from rounding."""
    alone: list[Removed]
    """Restrictions that may be causes by themselves."""
    several: list[Removed]
    """Minimal sets of several restrictions, found so far."""

    @classmethod
    def of(cls, session: Session, part: int, cells: Sequence[Cell], ends: float) -> _PartCauses:
        """Prepare the search in a part, given by its number, until some time."""
        replans = PartReplans(session, session.parts.members[part], cells, ends)
        crumbs = [cell for cell in cells if cell not in replans.short]
        return cls(replans, crumbs, [], [])

    def found(self) -> Causes:
        replans, short = self.replans, self.replans.short
        found: dict[Cell, tuple[RunSupplyCause, ...]] = dict.fromkeys(self.crumbs, (_ROUNDING,))
        if not short:
            return found
        if replans.replan() is None:
            return found | dict.fromkeys(short, (_UNDETERMINED,))
        upstream = replans.upstream(replans.uses, counted=False)
        usable = upstream.can_supply(frozenset())
        for each in upstream.restrictions():
            # Where law leaves usable offers, those that aren't are no cause by themselves.
            skipped = (
                usable if each.kind == "no offer" else each.kind in ("law", "proof") and not upstream.decides(each)
            )
            self.alone.extend([] if skipped else [frozenset({each})])
        groups = competing(replans.problem)
        lacking = {name for name, _ in short}
        for group in dict.fromkeys(groups[name] for name in sorted(lacking)):
            own = tuple(name for name in group if name in lacking)
            found |= self._of_group(own, sorted(cell for cell in short if cell[0] in own))
        return found

    def _of_group(self, group: tuple[str, ...], cells: Sequence[Cell]) -> Causes:
        """Return the causes of the shortages of demands that compete for the same supply."""
        served = {
            removed: {cell: kg for cell, kg in self.replans.served(removed).items() if cell in cells}
            for removed in (*self.alone, frozenset({Restriction("price", group)}))
        }
        while left := [cell for cell in cells if not any(cell in by_cell for by_cell in served.values())]:
            removed = self._minimal(group, left, served)
            if removed is None:
                break
            self.several.append(removed)
            # For the others a smaller set may do.
            served[removed] = {cell: kg for cell, kg in self.replans.served(removed).items() if cell in left}
        rest = (_UNDETERMINED,) if self.replans.ended or self.replans.unsure else (_NO_OFFER,)
        found = self._described(served, group, cells)
        return {cell: tuple(found[cell]) or rest for cell in cells}

    def _minimal(self, group: tuple[str, ...], cells: Sequence[Cell], known: _Served) -> Removed | None:
        """Return a minimal set of several restrictions without which some shortages are smaller. None if there is none.

        Sets that help in other periods are tried first, together with restrictions that may exclude supply from these.
        """
        demands = self.replans.problem.demands
        uses = tuple(dict.fromkeys(demand.use for demand in demands if any(name == demand.id for name, _ in cells)))

        def helps(some: Collection[Restriction]) -> bool:
            counted = any(each.kind == "no offer" for each in some)
            if not self.replans.upstream(uses, counted=counted).can_supply(frozenset(some)):
                return False
            served = self.replans.served(frozenset(some))
            return any(cell in served for cell in cells)

        every = self._every(group, uses)
        of_periods = [each for kind in _OF_PERIODS for each in every if each.kind == kind]
        likely = [*self.several, *(removed | {more} for more in of_periods for removed in _largest(known))]
        # Most often, an offer whose capacity nobody knows is not lawful or not proved either.
        likely += [frozenset({Restriction("no offer"), each}) for each in every if each.kind in ("proof", "law")]
        likely = [removed for removed in likely if len(removed) > 1]
        first = next((sorted(removed, key=_preference) for removed in likely if helps(removed)), every)
        legal = sum(each.kind in _LEGAL for each in first)
        found = minimal_set(first, helps, (2, 4, legal, len(first) - legal))
        # What a limit ended may have been enough: the set may be larger than it needs to be.
        return None if found is None or self.replans.ended else frozenset(found)

    def _every(self, group: tuple[str, ...], uses: tuple[Use, ...]) -> list[Restriction]:
        """Return all restrictions of competing demands, in order of preference as causes, because a few of the first should be sufficient."""
        upstream = self.replans.upstream(uses, counted=False)
        usable = upstream.can_supply(frozenset())
        found = {*upstream.restrictions(), *upstream.inputs()}
        if leads(self.replans.problem):
            counted = self.replans.upstream(uses, counted=True)
            found |= {*counted.restrictions(), *counted.inputs()}
        found |= {Restriction("competition", group), Restriction("price", group)}
        return sorted(found, key=lambda each: (each.kind in _LEGAL and usable, *_preference(each)))

    def _described(
        self, served: _Served, group: tuple[str, ...], cells: Sequence[Cell]
    ) -> dict[Cell, list[RunSupplyCause]]:
        """Return the causes of each cell, sorted by the kilograms that they serve, the largest first."""
        found: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        indirect: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        details = _RestrictionDetails(self.replans, group)
        for removed in sorted(
            (each for each in served if served[each]),
            key=lambda each: (-round(sum(served[each].values())), len(each), sorted(map(_place, each))),
        ):
            told = details.of(sorted(removed, key=_place), served[removed])
            of_others = any(
                each.kind in _OF_OFFERS and not (each.offers if each.kind == "law" else each.names) for each in told
            )
            names = {name for name, _ in served[removed]}
            dated = {name: details.dated(told, removed, name) for name in sorted(names)}
            for cell, kilograms in served[removed].items():
                cause = RunSupplyCause(restrictions=dated[cell[0]], served_kg=exact(kilograms))
                (indirect if of_others else found)[cell].append(cause)
        # What others are spared is a cause only where nothing of its own is.
        return {cell: causes or indirect[cell] for cell, causes in found.items()}


def _largest(served: _Served) -> list[Removed]:
    much = {removed: sum(by_cell.values()) for removed, by_cell in served.items() if by_cell}
    return sorted(much, key=lambda removed: (-much[removed], sorted(removed)))[:_TRIED]


def _place(restriction: Restriction) -> tuple[int, Restriction]:
    return _SHOWN.index(restriction.kind), restriction


def _preference(restriction: Restriction) -> tuple[int, Restriction]:
    return _ORDER.index(restriction.kind), restriction


Member = TypeVar("Member")
Suffices = Callable[[Sequence[Member]], bool]


def minimal_set(
    members: Sequence[Member], suffices: Suffices[Member], sizes: Sequence[int] = ()
) -> list[Member] | None:
    """Return a minimal sufficient set with as few as possible of the last members. None if all members together aren't sufficient.

    QuickXplain, on the first members that suffice: Junker, Preferred explanations and relaxations for over-constrained problems, AAAI 2004, 167-172.

    Args:
        members: All members, the preferred ones first.
        suffices: Function that returns True if a set is sufficient.
        sizes: Numbers of first members to try before all of them.
    """
    tried = sorted({size for size in sizes if 0 < size < len(members)} | {len(members)})
    size = next((size for size in tried if suffices(members[:size])), None)
    return None if size is None else _without_spare(_explained([], False, members[:size], suffices), suffices)


def _explained(
    background: Sequence[Member], grown: bool, members: Sequence[Member], suffices: Suffices[Member]
) -> list[Member]:
    """Return the members that are needed in addition to the background."""
    if grown and suffices(background):
        return []
    if len(members) == 1:
        return list(members)
    half = len(members) // 2
    last = _explained([*background, *members[:half]], True, members[half:], suffices)
    return _explained([*background, *last], bool(last), members[:half], suffices) + last


def _without_spare(members: list[Member], suffices: Suffices[Member]) -> list[Member]:
    """Return the members without redundant ones, even if sufficiency isn't monotone."""
    for each in members:
        fewer = [other for other in members if other != each]
        if fewer and suffices(fewer):
            return _without_spare(fewer, suffices)
    return members


class _RestrictionDetails:
    """Descriptions of restrictions of demands that compete for the same supply."""

    def __init__(self, replans: PartReplans, group: tuple[str, ...]) -> None:
        self.replans, self.group = replans, group

    def of(self, removed: Sequence[Restriction], served: Mapping[Cell, float]) -> list[RunRestriction]:
        """Return the restrictions of a cause.

        Args:
            removed: The restrictions.
            served: Kilograms that the plan without them serves.
        """
        problem = self._problem(removed)
        before, after = self.replans.supply(), self.replans.supply(frozenset(removed))
        upstream = {arc.name for arc in _arcs_to(problem, self.group)}
        more = [name for name in after if name in upstream and after[name] > before.get(name, 0.0) * (1 + 1e-6) + 1e-6]
        more.sort(key=lambda name: (before.get(name, 0.0) - after[name], name))
        found = []
        for each in removed:
            if each.kind == "price":
                found.append(self._price(frozenset(removed) - {each}, served))
            elif each.kind == "competition":
                found.append(RunRestriction(kind="competition", names=self._losers(frozenset(removed))))
            elif each.kind == "law":
                barred = forbidden_by(problem, each.names[0])
                offers = [name for name in more if name in barred]
                found.append(RunRestriction(kind="law", names=list(each.names), offers=offers))
            elif each.kind in ("limit", "inputs"):
                found.append(RunRestriction(kind=each.kind, names=list(each.names), offers=more))
            else:
                found.append(self._of_offers(each.kind, problem, more, frozenset(removed)))
        return found

    def _problem(self, removed: Collection[Restriction]) -> Problem:
        """Return the facts, with leads that count if they do without the restrictions."""
        return self.replans.counted if any(each.kind == "no offer" for each in removed) else self.replans.problem

    def _of_offers(self, kind: CauseKind, problem: Problem, more: Sequence[str], removed: Removed) -> RunRestriction:
        """Return a restriction of offers, with the offers that would deliver more without it."""
        if kind == "no offer":
            lacking = {lead.id for lead in leads(self.replans.problem)}
            names = [name for name in more if name in lacking]
            reasons = [why for lead in self.replans.problem.leads if lead.offer.id in names for why in lead.texts]
            return RunRestriction(kind=kind, names=names, reasons=list(dict.fromkeys(reasons)))
        arcs = _arcs_to(problem, self.group)
        named = self.replans.over_capacity(removed) if kind == "capacity" else having(kind, problem, arcs)
        names = [name for name in more if name in named]
        return RunRestriction(kind=kind, names=names)

    def dated(
        self, found: Sequence[RunRestriction], removed: Collection[Restriction], demand: str
    ) -> list[RunRestriction]:
        """Return the restrictions of a cause, with the first period in which a demand can get the excluded supply."""
        problem = self._problem(removed)
        return [
            each.but(first=first_delivery(problem, demand, each.names)) if each.kind in ("lead time", "date") else each
            for each in found
        ]

    def _losers(self, removed: frozenset[Restriction]) -> list[str]:
        """Return the demands whose shortage would grow."""
        after = self.replans.replan(removed)
        assert after is not None
        before = self.replans.before
        short = after.short(before)
        return sorted(
            {
                cell[0]
                for cell, kilograms in short.items()
                if cell[0] not in self.group and kilograms > before[cell] + self.replans.tolerance(cell)
            }
        )

    def _price(self, removed: frozenset[Restriction], served: Mapping[Cell, float]) -> RunRestriction:
        """Return the price as a restriction, with the cost of the next kilogram, or the objectives that are ranked first."""
        problem = self.replans.problem
        if problem.objectives:
            ranked = [objective.level.minimise.value for objective in problem.objectives if not objective.implied]
            return RunRestriction(kind="rank", names=ranked)
        names = {name for name, _ in served}
        prices = zip(problem.demands, problem.shortage_price, strict=True)
        price = min(price for demand, price in prices if demand.id in names)
        cost = self.replans.marginal_cost(removed, self.group, served)
        marginal_cost = price if cost is None else exact(cost)
        currency = problem.case.currency
        return RunRestriction(kind="price", marginal_cost=marginal_cost, shortage_price=price, currency=currency)


def _arcs_to(problem: Problem, demands: Collection[str]) -> list[Arc]:
    """Return everything upstream of some demands."""
    nodes = {final_node(demand.use) for demand in problem.demands if demand.id in demands}
    reach = frozenset[int]().union(*(problem.network.reach(node)[0] for node in nodes))
    return [problem.network.arcs[index] for index in sorted(reach)]


def having(kind: CauseKind, problem: Problem, arcs: Sequence[Arc]) -> set[str]:
    """Return the offers and lots along some arcs that have a restriction."""
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
                if 0 in facts.most or any(0 in pools.get(pool, ()) for pool in facts.pools)
            }
        case "proof":
            return unproven_offers(problem)
        case _:
            return {arc.name for arc in arcs}


def first_delivery(problem: Problem, demand: str, names: Collection[str]) -> str:
    """Return the label of the first period in which a demand can get supply from some offers or lots, also through makers.

    A maker's good arrives after its inputs, preferably those among the names. If no supply is lawful for the demand, the law is ignored. If its plants
    never run, so is their capacity.
    """
    arcs = _arcs_to(problem, (demand,))
    (number,) = (number for number, one in enumerate(problem.demands) if one.id == demand)
    finals = {final_node(problem.demands[number].use)}
    own = {arc.index for arc in arcs if arc.name in names}
    last = [arc for arc in arcs if arc.node in finals]
    last = [arc for arc in last if arc.index in own or _feeds_of(problem, arc) & own]
    capacity = {pool.facility: pool.capacity for pool in problem.pools}
    serving = [
        (each, min(outlet.period for outlet in each.outlets if outlet.demand == number))
        for each in problem.compliance_classes
        if any(outlet.demand == number for outlet in each.outlets)
    ]
    ways: list[tuple[May, int]] = [(partial(_may, problem, capacity, each), wanted) for each, wanted in serving]
    for some in (ways, [(partial(_may, problem, capacity, None), 0)], [(partial(_may, problem, {}, None), 0)]):
        found = []
        for may, wanted in some:
            first = first_arrivals(problem, arcs, may, own)
            found += [max(first[arc.index], wanted) for arc in last if arc.index in first]
        if found:
            return problem.case.horizon.label(min(found))
    return ""


def _may(
    problem: Problem,
    capacity: Mapping[str, Sequence[Decimal | None]],
    uses: ComplianceClass | None,
    arc: Arc,
    ordered: int,
    arrival: int,
) -> bool:
    """Return True if all plants of an arc's offer run when it is ordered, and a compliance class admits the arrival."""
    pools = problem.offers[arc.offer].pools if arc.offer >= 0 else ()
    runs = all(capacity[name][ordered] != 0 for name in pools if name in capacity)
    return runs and (uses is None or uses.admits(arc.index, arrival))


def _feeds_of(problem: Problem, arc: Arc) -> frozenset[int]:
    """Return all arcs up the chains of the inputs of an arc's offer."""
    feeds = problem.network.feeds.get(arc.offer, ())
    return frozenset[int]().union(*(problem.network.reach(feed)[0] for feed in feeds))


def consistent_causes(
    inputs: Inputs, problem: Problem, rows: Iterable[RunShortage], conflicts: Sequence[RunConflict]
) -> Causes:
    """Return the causes in a run, whose search takes further plans, without those that contradict the facts."""
    periods = {period.label: period.index for period in problem.case.horizon.periods}
    told = [row for row in rows if row.causes and row.period in periods]
    if not told:
        return {}
    facts = _Facts(inputs, problem, conflicts)
    return {
        (row.demand, periods[row.period]): tuple(cause for cause in row.causes if facts.allow(cause, row))
        for row in told
    }


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a case, and the restrictions on supply for its demands."""

    materials: Members
    restrictions: frozenset[Restriction]
    verdicts: tuple[tuple[str, str, bool], ...]
    """Rule and offer of each prohibiting verdict, and True if a proof would reverse it."""
    inputs: frozenset[str]


class _Facts:
    """Facts that causes must be consistent with."""

    def __init__(self, inputs: Inputs, problem: Problem, conflicts: Sequence[RunConflict]) -> None:
        self.problem, self.conflicts = problem, conflicts
        ranked = (row for objective in problem.objectives for row in objective.rows)
        self.parts = Parts(inputs, problem, problem.limit_rows, ranked)
        self.demands = {demand.id: demand for demand in problem.demands}
        self.groups = competing(problem)
        self.ranked = [each.level.minimise.value for each in problem.objectives if not each.implied]
        self.names = {rule.id for rule in problem.rules} | {lot.id for lot in problem.lots} | self.demands.keys()
        self.names |= problem.merged.offers.keys() | problem.merged.materials.keys() | set(self.ranked)
        self.names |= {name for conflict in conflicts for name in conflict.rules}

    def allow(self, cause: RunSupplyCause, row: RunShortage) -> bool:
        """Return True if a cause only names things in the facts, and each of its restrictions can cause the shortage."""
        named = {name for each in cause.restrictions for name in (*each.names, *each.offers)}
        served = cause.served_kg
        if row.demand not in self.demands or not named <= self.names:
            return False
        if served is not None and not 0 < served <= row.quantity_kg + self._rounding(row):
            return False
        # What an offer without a known capacity could do isn't among the facts.
        leads = any(each.kind == "no offer" for each in cause.restrictions)
        return leads or all(self._bears(each, row) for each in cause.restrictions)

    def _rounding(self, row: RunShortage) -> Decimal:
        """Return twice the kilograms that rounding may explain, in the shortage and in the kilograms served."""
        return 2 * (2 * self.problem.case.resolution + row.wanted_kg / 10**6)

    def _number(self, demand: str) -> int:
        return self.parts.of_material[self.demands[demand].use.material.id]

    @cached_method
    def _part(self, number: int) -> _Part:
        uses = dict.fromkeys(demand.use for demand in self.problem.demands if self._number(demand.id) == number)
        upstream = Upstream(self.problem, list(uses))
        feeds = (self.problem.network.feeds.get(offer, ()) for offer in upstream.offers)
        return _Part(
            materials=self.parts.members[number],
            restrictions=frozenset(upstream.restrictions()),
            verdicts=tuple(upstream.verdicts()),
            inputs=frozenset(material for feed in feeds for material, _ in feed),
        )

    def _bears(self, each: RunRestriction, row: RunShortage) -> bool:
        problem, group, number = self.problem, self.groups[row.demand], self._number(row.demand)
        part, arcs, names = self._part(number), _arcs_to(problem, group), set(each.names)
        if not set(each.offers) <= {arc.name for arc in arcs}:
            return False
        match each.kind:
            case "limit":
                return bool(names) and all(self.parts.counted.get(name, set()) & part.materials for name in names)
            case "law":
                barred = {offer for rule, offer, _ in part.verdicts if rule in names}
                laws = {Restriction("law", (name,)) for name in names}
                return bool(names) and laws <= part.restrictions and set(each.offers) <= barred
            case "proof":
                unproven = {offer for _, offer, provable in part.verdicts if provable}
                return bool(unproven) and names <= unproven
            case "inputs":
                return bool(names) and names <= part.inputs
            case "competition":
                others = self.demands.keys() - group
                return names <= others and all(self._number(name) == number for name in names)
            case "price":
                prices = zip(problem.demands, problem.shortage_price, strict=True)
                own = {exact(price) for demand, price in prices if demand.id in group}
                return each.currency == problem.case.currency and each.shortage_price in own
            case "rank":
                return bool(self.ranked) and each.names == self.ranked
            case "conflict":
                return any(row.demand in found.demands and names == set(found.rules) for found in self.conflicts)
            case "rounding":
                return row.quantity_kg <= self._rounding(row)
            case "lead time" | "date" | "capacity" | "storage" | "terms":
                first = first_delivery(problem, row.demand, names) if each.kind in ("lead time", "date") else ""
                known = names <= having(each.kind, problem, arcs)
                return known and Restriction(each.kind) in part.restrictions and each.first == first
            case _:
                return True
