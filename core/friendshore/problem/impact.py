"""Which parts of a case some changes touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..domain.change import Change
from ..errors import CHANGES, RULES, InputError, each_of
from ..plugins import attributed
from ..rules.amend import amended
from ..rules.base import Rule
from .change_kinds import benchmark_named, has_term, names_offer, removes, reprices, resizes
from .changes import with_bills
from .limiting import rows_of
from .merged import around
from .parts import Members, Parts


@dataclass(frozen=True, slots=True)
class Impact:
    """Parts that some changes touch, taken together where the changes join them."""

    members: Members
    """Materials."""
    changes: tuple[Change, ...]
    """Those of the changes that bear on them, bills spelt out."""
    rules: frozenset[str]
    """Limit rules that the changes let bear on them."""
    imposed: tuple[Rule, ...] = ()
    """Rules beyond those of the case that bear on them."""


def impact(parts: Parts, changes: Sequence[Change], imposed: Sequence[Rule] = ()) -> tuple[Impact, ...]:
    """The parts whose facts differ after the changes, in canonical order; `imposed` rules limit beside those of the case.

    Raises:
        InputError: for every change that names nothing in the case, and for what is no change or rule.
        PluginError: if a plugin's rule raises.
    """
    changes, imposed = each_of(changes, Change, "changes", CHANGES), each_of(imposed, Rule, "rules", RULES)
    spelt_out = with_bills(changes, parts.inputs.bills)
    reach = _Reach(parts, spelt_out)
    hit = [reach.of(change) for change in spelt_out]
    if not all(hit):
        parts.inputs.after(changes)  # refuses what names nothing; what is known, and wanted nowhere, touches nothing
    counted = [(rule, reach.counts(rule)) for rule in imposed]
    joined = _joined(parts, reach.bonds)
    found = []
    for members in joined:
        bearing = tuple(change for change, materials in zip(spelt_out, hit, strict=True) if materials & members)
        extra = tuple(rule for rule, materials in counted if materials & members)
        if bearing or extra:
            rules = frozenset(name for name, bond in reach.bonds if bond & members)
            found.append(Impact(members, bearing, rules, extra))
    return tuple(found)


def _joined(parts: Parts, bonds: Sequence[tuple[str, frozenset[str]]]) -> list[Members]:
    """All parts, those that a changed limit rule counts together as one."""
    groups = [set(members) for members in parts.members]
    for _, bond in bonds:
        meeting = [group for group in groups if group & bond]
        if len(meeting) > 1:
            meeting[0].update(*meeting[1:])
            groups = [group for group in groups if not any(group is other for other in meeting[1:])]
    return [frozenset(group) for group in groups]


_OF_RULES = ("enable", "disable", "move", "loosen", "limit")
"""Subjects that name a rule, and alter it."""
_OF_LAW = ("waive", "grant")
"""Subjects that name a rule, and alter what it does not bear on."""


class _Reach:
    """Materials whose plan a change may alter."""

    def __init__(self, parts: Parts, changes: Sequence[Change]) -> None:
        self.parts = parts
        self.problem = parts.problem
        self.wanted = frozenset(parts.of_material)
        self.rules = {rule.id: rule for rule in parts.inputs.rules}
        self.changes = [change for change in changes if change.subject in _OF_RULES]
        self.bonds: list[tuple[str, frozenset[str]]] = []
        """Limit rules that change, with what each counts in one row."""

    def of(self, change: Change) -> frozenset[str]:
        """The materials; none if it names nothing that is wanted."""
        if change.accept is not None:
            return self.wanted
        if change.demand:
            demands = (d.spec for d in self.problem.demands)
            return frozenset(spec.material for spec in demands if resizes(change, spec, self.problem.case))
        if change.revoke:
            demands = (d.spec for d in self.problem.demands)
            return frozenset(spec.material for spec in demands if spec.end_use == change.revoke)
        if change.stock:
            return frozenset({change.stock}) & self.wanted
        if change.want:
            return self._of_new_demand(change)
        if change.order:
            return self._of_order(change)
        if change.subject in (*_OF_RULES, *_OF_LAW):
            rule = self.rules.get(getattr(change, change.subject))
            return self._of_rule(rule, change) if rule is not None else frozenset()
        return frozenset(self._of_offers(change)) & self.wanted

    def _of_new_demand(self, change: Change) -> frozenset[str]:
        """One more demand may join any parts: they are taken as one.

        Raises:
            InputError: if no part has its material or its place, so that the demand would be lost.
        """
        case = self.problem.case
        places = {case.place, *(demand.use.place.id for demand in self.problem.demands)}
        if change.want in self.wanted and (change.place or case.place) in places:
            self.bonds.append(("", self.wanted))
            return self.wanted
        self.parts.inputs.after([change])  # refuses what names nothing
        message = "a question cannot add a demand for a material, or at a place, that the plan doesn't have"
        fix = "plan the scenario itself with `friendshore plan CASE --scenario NAME`, or write the demand into the case"
        raise InputError(message, column="want", found=change.told, fix=fix)

    def _of_order(self, change: Change) -> frozenset[str]:
        case, offers = self.problem.case, self.problem.merged.offers
        named = [order.offer for name, order in zip(case.order_names, case.orders, strict=True) if name == change.order]
        return frozenset(line.material for name in named for line in offers[name].outputs) & self.wanted

    def _of_offers(self, change: Change) -> Iterator[str]:
        facilities = self.problem.merged.facilities
        for offer in self.parts.offers:
            facility = facilities[offer.facility]
            if change.remove:
                hit = removes(change, offer, facility)
            elif change.price:
                benchmark = offer.price.benchmark if offer.price is not None else ""
                hit = reprices(change, offer, facility) or benchmark_named(change) == benchmark
            elif change.prove:
                hit = offer.id == change.prove
            elif change.recipe:
                hit = offer.id == change.recipe
            elif change.lead_time:
                hit = names_offer(change.lead_time, offer, facility)
            elif change.lift is not None:
                hit = has_term(change, offer, facility)
            else:
                hit = change.capacity == f"offer:{offer.id}" or any(
                    f.id == change.capacity for f in around(facility.id, facilities)
                )
            if hit:
                yield from (line.material for line in (*offer.inputs, *offer.outputs))
        if change.price:  # what nobody can deliver is priced by its benchmark
            rows = self.problem.merged.prices.get(benchmark_named(change), ())
            yield from (row.material for row in rows)

    def _of_rule(self, rule: Rule, change: Change) -> frozenset[str]:
        if change.waive:
            specs = [d.spec for d in self.problem.demands if change.of in (d.id, d.spec.material)]
            return frozenset(spec.material for spec in specs)
        if change.grant:
            return self._of_licence(rule, change)
        found: set[str] = set()
        if rule.verbs - {"rows"}:
            found |= self.parts.covered(rule)
        if "rows" in rule.verbs:
            found |= self.parts.counted.get(rule.id, set()) | self._counts_after(rule)
        return frozenset(found)

    def _of_licence(self, rule: Rule, change: Change) -> frozenset[str]:
        """A licence of a stated quantity is one for all materials that it may be used for."""
        found = frozenset(self.parts.covered(rule))
        if change.quantity is not None:
            self.bonds.append((rule.id, found))
        return found

    def _counts_after(self, rule: Rule) -> set[str]:
        """What the rows of a limit rule count once it is changed."""
        (after,) = amended((rule,), [c for c in self.changes if rule.id == getattr(c, c.subject)])
        return self.counts(after)

    def counts(self, rule: Rule) -> set[str]:
        """What the rows of a limit rule count; each row binds what it counts together."""
        found: set[str] = set()
        with attributed(rule):
            for row in rows_of(rule, self.problem.case.horizon.periods, self.problem.law, self.problem.facts):
                bond = self.parts.bond(row)
                self.bonds.append((rule.id, bond))
                found |= bond
        return found
