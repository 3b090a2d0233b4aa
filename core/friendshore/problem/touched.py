"""Which parts of a case some changes touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..domain.change import Change
from ..plugins import attributed
from ..rules.amend import amended
from ..rules.base import Rule
from .changes import removes, reprices, resizes, with_bills
from .limiting import rows_of
from .merged import around
from .parts import Members, Parts


@dataclass(frozen=True, slots=True)
class Touched:
    """Parts that some changes touch, taken together where the changes join them."""

    members: Members
    """Materials."""
    changes: tuple[Change, ...]
    """Those of the changes that bear on them, bills spelt out."""
    rules: frozenset[str]
    """Limit rules that the changes let bear on them."""


def touched(parts: Parts, changes: Sequence[Change]) -> tuple[Touched, ...]:
    """The parts whose facts differ after the changes, in canonical order.

    Raises:
        InputError: for every change that names nothing in the case.
        PluginError: if a plugin's rule raises.
    """
    spelt_out = with_bills(changes, parts.inputs.bills)
    reach = _Reach(parts, spelt_out)
    hit = [reach.of(change) for change in spelt_out]
    if not all(hit):
        parts.inputs.after(changes)  # refuses what names nothing; what is known, and wanted nowhere, touches nothing
    joined = _joined(parts, reach.bonds)
    found = []
    for members in joined:
        bearing = tuple(change for change, materials in zip(spelt_out, hit, strict=True) if materials & members)
        if bearing:
            rules = frozenset(name for name, bond in reach.bonds if bond & members)
            found.append(Touched(members, bearing, rules))
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


class _Reach:
    """Materials whose plan a change may alter."""

    def __init__(self, parts: Parts, changes: Sequence[Change]) -> None:
        self.parts = parts
        self.problem = parts.problem
        self.wanted = frozenset(parts.of_material)
        self.rules = {rule.id: rule for rule in parts.inputs.rules}
        self.changes = [change for change in changes if change.subject in ("enable", "disable", "move")]
        self.bonds: list[tuple[str, frozenset[str]]] = []
        """Limit rules that change, with what each counts in one row."""

    def of(self, change: Change) -> frozenset[str]:
        """The materials; none if it names nothing that is wanted."""
        if change.accept is not None:
            return self.wanted
        if change.demand:
            demands = (d.spec for d in self.problem.demands)
            return frozenset(spec.material for spec in demands if resizes(change, spec, self.problem.case))
        if change.subject in ("enable", "disable", "move"):
            rule = self.rules.get(change.enable or change.disable or change.move)
            return self._of_rule(rule) if rule is not None else frozenset()
        return frozenset(self._of_offers(change)) & self.wanted

    def _of_offers(self, change: Change) -> Iterator[str]:
        facilities = self.problem.merged.facilities
        for offer in self.parts.offers:
            facility = facilities[offer.facility]
            if change.remove:
                hit = removes(change, offer, facility)
            elif change.price:
                benchmark = offer.price.benchmark if offer.price is not None else ""
                hit = reprices(change, offer) or change.price == benchmark
            else:
                hit = any(f.id == change.capacity for f in around(facility.id, facilities))
            if hit:
                yield from (line.material for line in (*offer.inputs, *offer.outputs))
        if change.price:  # what nobody can deliver is priced by its benchmark
            rows = self.problem.merged.prices.get(change.price, ())
            yield from (row.material for row in rows)

    def _of_rule(self, rule: Rule) -> frozenset[str]:
        found: set[str] = set()
        if rule.verbs - {"rows"}:
            found |= self.parts.covered(rule)
        if "rows" in rule.verbs:
            found |= self.parts.counted.get(rule.id, set()) | self._counts_after(rule)
        return frozenset(found)

    def _counts_after(self, rule: Rule) -> set[str]:
        """What the rows of a limit rule count once it is changed."""
        (after,) = amended((rule,), [c for c in self.changes if rule.id in (c.enable, c.disable, c.move)])
        found: set[str] = set()
        with attributed(after):
            for row in rows_of(self.problem, after):
                bond = self.parts.bond(row)
                self.bonds.append((rule.id, bond))
                found |= bond
        return found
