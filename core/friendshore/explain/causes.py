"""Causes of shortages: minimal sets of restrictions without which the plan would be short of less, found by planning without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from ..domain.base import exact, grouped
from ..domain.plan import Short
from ..domain.runtime import told_each
from ..domain.unmet import CauseKind, RunRestriction, RunSupplyCause
from ..domain.use import Use
from ..problem import Problem
from ..problem.network import final_node
from ..session import Session
from ..verify import VerifiedPlan
from .minimal_sets import minimal_set
from .replans import Cell, PartReplans, end_of_search
from .restricted import RestrictionDetails
from .restrictions import Removed, Restriction, leads

Causes = Mapping[Cell, tuple[RunSupplyCause, ...]]
"""Causes of what is short, by demand and period."""
_Served = Mapping[Removed, Mapping[Cell, float]]
"""Kilograms that are served without some restrictions."""
_UNDETERMINED = RunSupplyCause(restrictions=[RunRestriction(kind="undetermined")], served_kg=None)
_ROUNDING = RunSupplyCause(restrictions=[RunRestriction(kind="rounding")], served_kg=None)
_NO_OFFER = RunSupplyCause(restrictions=[RunRestriction(kind="no offer")], served_kg=None)
_ORDER: tuple[CauseKind, ...] = (
    "no offer", "proof", "law", "limit", "capacity", "lead time", "date", "storage", "terms", "inputs", "competition", "price",
)  # fmt: skip
"""Order in which restrictions are preferred as causes where only several together help: those of many offers first, so that the sets are small."""


_SHOWN = get_args(CauseKind)
_OF_OFFERS = frozenset({"lead time", "date", "capacity", "law", "proof", "no offer"})
"""Restrictions that offers have."""
_OF_PERIODS: tuple[CauseKind, ...] = ("lead time", "date", "capacity")
"""Restrictions that may keep supply from some periods alone."""
_TRIED = 2
"""Number of sets that are tried together with each of these."""
_LEGAL = frozenset({"no offer", "proof", "law"})


def counted_shorts(verified: VerifiedPlan) -> tuple[Short, ...]:
    """Return the shortages that count: those below the resolution, to which quantities are rounded, do not, unless nothing at all is delivered."""
    problem = verified.problem
    wanted = {demand.id: demand.quantity for demand in problem.demands}
    return tuple(
        short
        for short in verified.plan.shorts
        if short.quantity >= min(problem.case.resolution, wanted[short.demand][short.period])
    )


def shortage_causes(session: Session) -> Causes:
    """Return the causes of everything that is short.

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
    for part, cells in told_each(sorted(by_part.items()), "finding out why demands are short", "parts", 1):
        found |= PartCauses.of(session, part, cells, ends).found()
    return found


def competing(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Return the demands that the same supply can serve, by demand, itself included: of the same material at the same place, and alike before the law."""
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
class PartCauses:
    """Causes of everything that is short in a part of a case."""

    replans: PartReplans
    crumbs: Sequence[Cell]
    """What only rounding leaves short."""
    alone: list[Removed]
    """Restrictions that may be causes by themselves."""
    several: list[Removed]
    """Minimal sets of several, of what was looked at before."""

    @classmethod
    def of(cls, session: Session, part: int, cells: Sequence[Cell], ends: float) -> PartCauses:
        """Look at what is short in a part, given by its number, until some time."""
        replans = PartReplans(session, session.parts.members[part], cells, ends)
        crumbs = [cell for cell in cells if cell not in replans.short]
        return cls(replans, crumbs, [], [])

    def found(self) -> Causes:
        """Return the causes."""
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
        """Return the causes of what demands are short of that compete for the same supply."""
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
        """Return a minimal set of several restrictions without which some cells are less short. None if there is none.

        What helps in other periods is tried first, together with what may keep it from these.
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
        """Return all restrictions of demands that compete, those first that are preferred as causes: few of them are to suffice."""
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
        """Return the causes of each cell, those first that serve most of the group."""
        found: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        indirect: dict[Cell, list[RunSupplyCause]] = {cell: [] for cell in cells}
        details = RestrictionDetails(self.replans, group)
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
    """Return the sets that serve most."""
    much = {removed: sum(by_cell.values()) for removed, by_cell in served.items() if by_cell}
    return sorted(much, key=lambda removed: (-much[removed], sorted(removed)))[:_TRIED]


def _place(restriction: Restriction) -> tuple[int, Restriction]:
    """Return the place among restrictions that are shown together."""
    return _SHOWN.index(restriction.kind), restriction


def _preference(restriction: Restriction) -> tuple[int, Restriction]:
    return _ORDER.index(restriction.kind), restriction
