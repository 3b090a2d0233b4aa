"""Compliance classes: uses that no rule in force distinguishes, and the classes whose stock may serve a demand.

Deliveries with equal signatures are in one compliance class. A signature states permitted origins, charges, and counted end uses.

Stock of a material at a place may be delivered in a later period, for its own compliance class or a less strict one. Several
demands draw on the same stock, so it isn't enough that each of them alone finds its quantity. By Gale's theorem on supply and
demand (Hall's condition for quantities), all can be served at once if and only if every set of demands finds enough stock. The
stock that may serve any demand of the set must be at least their total. Only the sets served entirely by some union of such stocks
matter. If the classes are ordered by strictness, that is one set per class.

Source: D. Gale, A theorem on flows in networks, Pacific Journal of Mathematics 7 (1957), 1073-1082.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

from ..domain.base import grouped
from ..domain.case import Case, WaiverSpec
from ..domain.runtime import cached_method
from ..domain.time import Period, Span
from ..domain.use import Use, Verdict
from ..errors import InputError
from ..plugins import attributed
from ..rules.base import Rule
from .demands import Demand, Lot
from .law import Judgement, Law, Surcharges, rules_to_waive, sets_of_waivers, waiver_id
from .network import Network, Node, final_node

Cell = tuple[int, int]
"""An arc and an arrival period."""
Permits = tuple[tuple[str, ...], ...]
"""Licenses that a move needs: one from every inner tuple."""


@dataclass(frozen=True, slots=True)
class CountedUses:
    """End uses that limits count separately. Each has its own compliance classes, so that a purchase is either for it or not."""

    named: frozenset[str]

    @staticmethod
    def of(rules: Iterable[Rule]) -> CountedUses:
        return CountedUses(frozenset().union(*(rule.counted_end_uses for rule in rules)))

    def ends(self, end_use: str) -> frozenset[str]:
        """Return the end use that a delivery counts as: "" if limits don't count it. Empty if they count none."""
        return frozenset({end_use if end_use in self.named else ""} if self.named else ())


@dataclass(frozen=True, slots=True)
class Signature:
    """Prohibitions and charges on the way to a delivery, and the end uses that it counts as."""

    blocked: frozenset[int]
    blocked_cells: frozenset[Cell]
    permits: tuple[tuple[Cell, Permits], ...]
    surcharges: Surcharges | None
    final: Node | None
    order_periods: frozenset[int] | None
    ends: frozenset[str]
    free_of: frozenset[str] = frozenset()

    def same_law(self, other: Signature) -> bool:
        return replace(self, ends=other.ends) == other


def meet(first: Signature, second: Signature) -> Signature | None:
    """Return the signature that prohibits everything that either prohibits. None if their licenses or charges differ."""
    signatures, ends = (first, second), first.ends | second.ends
    if first.same_law(second):
        return replace(first, ends=ends)
    if first.surcharges != second.surcharges:
        return None
    blocked = frozenset().union(*(signature.blocked for signature in signatures))
    blocked_cells = frozenset().union(*(signature.blocked_cells for signature in signatures))
    permits: dict[Cell, Permits] = {}
    for signature in signatures:
        for cell, licenses in signature.permits:
            if permits.setdefault(cell, licenses) != licenses:
                return None
    return Signature(
        blocked=blocked,
        blocked_cells=frozenset(cell for cell in blocked_cells if cell[0] not in blocked),
        permits=tuple(
            sorted(
                (cell, licenses)
                for cell, licenses in permits.items()
                if cell[0] not in blocked and cell not in blocked_cells
            )
        ),
        surcharges=first.surcharges,
        final=None,
        order_periods=None,
        ends=ends,
        free_of=first.free_of | second.free_of,
    )


def meets(signatures: Sequence[Signature]) -> list[Signature]:
    """Return the signatures that prohibit everything that any of two or more prohibit, each once, starting with pairs."""
    joint_signatures: dict[Signature, None] = {}
    latest = [both for first, second in combinations(signatures, 2) if (both := meet(first, second)) is not None]
    while latest:
        new = [both for both in dict.fromkeys(latest) if both not in joint_signatures]
        joint_signatures.update(dict.fromkeys(new))
        latest = [both for first in new for second in signatures if (both := meet(first, second)) is not None]
    return list(joint_signatures)


class Outlet(NamedTuple):
    """Way to serve a demand in a period, with the waivers that it uses."""

    demand: int
    period: int
    waivers: tuple[str, ...]


@dataclass(slots=True)
class ComplianceClass:
    """Class of uses with equal verdicts for every arc and arrival that can reach them."""

    index: int
    blocked: frozenset[int]
    """Arcs prohibited in every arrival period."""
    blocked_cells: frozenset[Cell]
    """Arcs prohibited in some arrival periods."""
    permits: dict[Cell, Permits]
    """Licenses by arc and arrival period. Other arcs need none."""
    surcharges: dict[tuple[int, int], Decimal] | None
    """Charges by arc and order period, if rules make them depend on the use. None means the common charges."""
    final: Node | None
    """Node where the final good is bought, if a rule is dated by its order. Otherwise None."""
    order_periods: frozenset[int] | None
    """Periods in which the final good may be ordered, if a rule is dated by its order. Otherwise None."""
    ends: frozenset[str] = frozenset()
    """Separately counted end uses that its purchases may serve. An empty name means any other end use. Empty if no limit counts by end use."""
    free_of: frozenset[str] = frozenset()
    """Rules whose tainted offers it excludes, among rules that keep apart the products of such offers."""
    outlets: list[Outlet] = field(default_factory=list)
    nodes: set[Node] = field(default_factory=set)

    @property
    def label(self) -> str:
        return f"R{self.index + 1}"

    @property
    def _law(self) -> tuple[object, ...]:
        return (
            self.blocked, self.blocked_cells, self.permits, self.surcharges, self.final, self.order_periods
        )  # fmt: skip

    def admits(self, arc: int, arrival: int) -> bool:
        """Return True if an arc may serve it on arrival in a period. The arc may still need a license."""
        return arc not in self.blocked and (arc, arrival) not in self.blocked_cells

    def at_least_as_strict(self, other: ComplianceClass, arcs: frozenset[int], nodes: frozenset[Node], by: int) -> bool:
        """Return True if, up a chain and up to period `by`, the other class admits everything that this one admits, on no worse terms."""
        if not (other.ends <= self.ends and other.free_of <= self.free_of):
            return False
        if self._law == other._law:
            return True
        if self.surcharges != other.surcharges or {self.final, other.final} & nodes:
            return False
        covers_arcs = other.blocked & arcs <= self.blocked
        relevant_cells = {c for c in other.blocked_cells if c[0] in arcs and c[1] <= by and c[0] not in self.blocked}
        covers_cells = relevant_cells <= self.blocked_cells
        covers_permits = all(
            self.permits.get(cell) == licenses or not self.admits(*cell)
            for cell, licenses in other.permits.items()
            if cell[0] in arcs and cell[1] <= by
        )
        return covers_arcs and covers_cells and covers_permits


class _InForce(NamedTuple):
    """Origin rules that apply to a delivery. Equal ones give equal signatures."""

    by_delivery: tuple[int, ...]
    by_order: tuple[int, ...]
    """Rules dated by the order of the final good, in force or not."""
    period: int | None
    """Period of delivery, if rules are dated by order."""


class Grouping:
    """Grouping of the uses of all demands into compliance classes."""

    def __init__(
        self,
        network: Network,
        law: Law,
        demands: Sequence[Demand],
        lots: Sequence[Lot],
        judgements: Mapping[Use, Judgement],
        surcharges: Mapping[Use, Surcharges],
    ) -> None:
        self.network = network
        self.law = law
        self.case: Case = law.case
        self.demands = demands
        self.lots = lots
        self.judgements = judgements
        self.surcharges = surcharges
        self.apart = CountedUses.of(law.rules)
        self.periods = self.case.horizon.periods
        self.tainted = {rule.id: self._tainted(rule) for rule in law.rules if rule.keeps_apart}

    def compliance_classes(self) -> list[ComplianceClass]:
        class_by_signature: dict[Signature, ComplianceClass] = {}
        for number, demand in enumerate(self.demands):
            judgement = self.judgements[demand.use]
            nodes = self.network.reach(final_node(demand.use))[1]
            signatures_by_force: dict[_InForce, list[Signature]] = {}
            # By the identity of a signature. `signatures_by_force` keeps these alive.
            class_by_id: dict[int, ComplianceClass] = {}
            for period in self.periods:
                if not demand.quantity[period.index]:
                    continue
                waivers_by_class: dict[int, list[frozenset[str]]] = {}
                for waivers in self._waiver_sets(demand, judgement, period):
                    waiver_ids = tuple(waiver_id(w) for w in waivers)
                    in_force = self._in_force(judgement, period.index, waivers)
                    if in_force not in signatures_by_force:
                        signatures_by_force[in_force] = [
                            variant
                            for signature in self._signatures(demand.use, judgement, in_force)
                            for variant in self._with_taints_excluded(signature, judgement)
                        ]
                    for signature in signatures_by_force[in_force]:
                        if id(signature) not in class_by_id:
                            class_by_id[id(signature)] = class_by_signature.get(signature) or self._new(
                                class_by_signature, signature
                            )
                        compliance_class = class_by_id[id(signature)]
                        waiver_sets = waivers_by_class.setdefault(compliance_class.index, [])
                        if any(used <= set(waiver_ids) for used in waiver_sets):
                            continue  # The same is possible with fewer waivers.
                        waiver_sets.append(frozenset(waiver_ids))
                        compliance_class.outlets.append(Outlet(number, period.index, waiver_ids))
                        compliance_class.nodes |= nodes
        self._add_joint_outputs(class_by_signature)
        if any(rule.watches_stock for rule in self.law.rules):
            self._add_joint_stock(class_by_signature)
        return list(class_by_signature.values())

    def _add_joint_outputs(self, class_by_signature: dict[Signature, ComplianceClass]) -> None:
        """Add compliance classes for co-products that serve different uses, since their inputs must be lawful for all of these."""
        nodes_by_offer = grouped((arc.offer, arc.node) for arc in self.network.arcs)
        for offer, feeds in self.network.feeds.items():
            outputs = set(nodes_by_offer[offer])
            if len({material for material, _ in outputs}) < 2:
                continue
            nodes: frozenset[Node] = frozenset()
            for feed in feeds:
                nodes |= self.network.reach(feed)[1]
            signatures = [
                signature
                for signature, compliance_class in class_by_signature.items()
                if compliance_class.nodes & outputs
            ]
            for signature in meets(signatures):
                compliance_class = class_by_signature.get(signature) or self._new(class_by_signature, signature)
                compliance_class.nodes |= nodes

    def _add_joint_stock(self, class_by_signature: dict[Signature, ComplianceClass]) -> None:
        """Add compliance classes for stock that is lawful for several uses, if a rule limits usable stock."""
        for node in sorted({final_node(demand.use) for demand in self.demands}):
            nodes = self.network.reach(node)[1]
            signatures = [
                signature
                for signature, compliance_class in class_by_signature.items()
                if node in compliance_class.nodes
            ]
            for second, signature in enumerate(signatures):  # The list grows until it contains every meet.
                for other in signatures[:second]:
                    joint = meet(other, signature)
                    if joint is None or (joint.final is None and {other.final, signature.final} & nodes):
                        continue
                    compliance_class = class_by_signature.get(joint) or self._new(class_by_signature, joint)
                    compliance_class.nodes |= nodes
                    if joint not in signatures:
                        signatures.append(joint)

    @staticmethod
    def _new(class_by_signature: dict[Signature, ComplianceClass], signature: Signature) -> ComplianceClass:
        compliance_class = ComplianceClass(
            index=len(class_by_signature),
            blocked=signature.blocked,
            blocked_cells=signature.blocked_cells,
            permits=dict(signature.permits),
            surcharges={(arc, t): amount for arc, t, amount in signature.surcharges}
            if signature.surcharges is not None
            else None,
            final=signature.final,
            order_periods=signature.order_periods,
            ends=signature.ends,
            free_of=signature.free_of,
        )
        class_by_signature[signature] = compliance_class
        return compliance_class

    def _waiver_sets(self, demand: Demand, judgement: Judgement, period: Period) -> list[tuple[WaiverSpec, ...]]:
        """Return the sets of waivers for a delivery: none, and every set that covers it and that some chain needs."""
        if not self.case.waivers:
            return [()]
        position_by_rule = {self.law.rules[i].id: i for i in judgement.chain}
        applicable = [
            waiver
            for waiver in self.case.waivers
            if waiver.rule in position_by_rule
            and waiver.demand in ("", demand.id, demand.use.material.id)
            and Span(start=waiver.start, end=waiver.end).covers(period.span)
        ]
        if not applicable:
            return [()]
        in_force = self._in_force(judgement, period.index, ())
        rule_sets = self._waivable_rule_sets(
            demand.use, in_force, frozenset(position_by_rule[waiver.rule] for waiver in applicable)
        )
        return sets_of_waivers(
            applicable, [frozenset(self.law.rules[i].id for i in positions) for positions in rule_sets]
        )

    @cached_method
    def _waivable_rule_sets(self, use: Use, force: _InForce, waivable: frozenset[int]) -> set[frozenset[int]]:
        judgement, final = self.judgements[use], final_node(use)
        rule_sets: set[frozenset[int]] = set()
        for rules, _ in self._epochs(force):
            broken = self._broken(judgement, (*force.by_delivery, *rules))
            rule_sets |= rules_to_waive(self.network, judgement.reach, final, broken, waivable)
        lots = [i for i in self.network.into.get(final, ()) if self.network.arcs[i].lot >= 0 and force.by_order]
        for lot in lots:
            broken_by_lot = self._broken(judgement, self._dated(force, lot)).get(lot, frozenset())
            rule_sets |= {broken_by_lot} if broken_by_lot <= waivable else set()
        return rule_sets

    def _broken(self, judgement: Judgement, rules: Sequence[int]) -> dict[int, frozenset[int]]:
        rules_by_arc: dict[int, set[int]] = {}
        for rule in rules:
            for arc, verdict in judgement.chain[rule].items():
                if self.law.forbids(verdict, self.network.arcs[arc]):
                    rules_by_arc.setdefault(arc, set()).add(rule)
        return {arc: frozenset(rules) for arc, rules in rules_by_arc.items()}

    def _dated(self, force: _InForce, lot: int) -> tuple[int, ...]:
        acquired = self.lots[self.network.arcs[lot].lot].acquired
        return (*force.by_delivery, *(i for i in force.by_order if self.law.in_force(i, acquired)))

    def _in_force(self, judgement: Judgement, period: int, waivers: tuple[WaiverSpec, ...]) -> _InForce:
        if not judgement.chain:
            return _InForce((), (), None)
        waived = {w.rule for w in waivers}
        chain = [i for i in judgement.chain if self.law.rules[i].id not in waived]
        span = self.periods[period].span
        by_delivery = [i for i in chain if self.law.rules[i].dated_by == "delivery" and self.law.in_force(i, span)]
        by_order = [i for i in chain if self.law.rules[i].dated_by == "order"]
        return _InForce(tuple(by_delivery), tuple(by_order), period if by_order else None)

    def _signatures(self, use: Use, judgement: Judgement, force: _InForce) -> list[Signature]:
        """Return the signatures of a delivery: one for each set of order periods that rules dated by order distinguish."""
        cells, permits = self._trade_terms(judgement.use)
        final: Node = final_node(use)
        signatures = []
        for rules, orders in self._epochs(force):
            blocked = self._blocked(judgement, rules, force, final)
            signatures.append(
                Signature(
                    blocked=blocked,
                    blocked_cells=frozenset(c for c in cells if c[0] not in blocked),
                    permits=tuple((cell, ids) for cell, ids in permits if cell[0] not in blocked),
                    surcharges=self.surcharges.get(use),
                    final=final if orders is not None else None,
                    order_periods=orders,
                    ends=self.apart.ends(use.end_use),
                )
            )
        return signatures

    def _tainted(self, rule: Rule) -> frozenset[int]:
        with attributed(rule):
            return frozenset(arc.index for arc in self.network.arcs if rule.taints(arc.chained))

    def _with_taints_excluded(self, signature: Signature, judgement: Judgement) -> list[Signature]:
        """Return a signature, with variants that exclude the tainted offers of each rule that keeps products apart. Only makers need variants."""
        variants = [signature]
        offers = {self.network.arcs[index].offer for index in judgement.reach}
        if not any(self.network.feeds.get(offer) for offer in offers):
            return variants
        for name, arcs in self.tainted.items():
            without_tainted = [self._without(variant, name, arcs & judgement.reach) for variant in variants]
            variants = [variant for variant in variants if not arcs & judgement.reach <= variant.blocked]
            variants += without_tainted
        return variants

    @staticmethod
    def _without(signature: Signature, rule: str, arcs: frozenset[int]) -> Signature:
        blocked = signature.blocked | arcs
        return replace(
            signature,
            blocked=blocked,
            blocked_cells=frozenset(cell for cell in signature.blocked_cells if cell[0] not in blocked),
            permits=tuple((cell, ids) for cell, ids in signature.permits if cell[0] not in blocked),
            free_of=signature.free_of | {rule},
        )

    def _epochs(self, force: _InForce) -> list[tuple[tuple[int, ...], frozenset[int] | None]]:
        """Return the sets of rules dated by order that are in force together, each with its order periods (None means all)."""
        if force.period is None:
            return [((), None)]
        epochs: dict[tuple[int, ...], set[int]] = {}
        for order in self.periods:
            rules = tuple(i for i in force.by_order if self.law.in_force(i, order.span))
            epochs.setdefault(rules, set()).add(order.index)
        if len(epochs) == 1:
            return [(rules, None) for rules in epochs]
        return [(rules, frozenset(orders)) for rules, orders in epochs.items() if min(orders) <= force.period]

    def _blocked(
        self, judgement: Judgement, rules_by_order: Sequence[int], force: _InForce, final: Node
    ) -> frozenset[int]:
        blocked = frozenset(self._broken(judgement, (*force.by_delivery, *rules_by_order)))
        if not force.by_order:
            return blocked
        for index in self.network.into.get(final, ()):
            if self.network.arcs[index].lot >= 0:  # A lot has its own order date.
                forbidden = index in self._broken(judgement, self._dated(force, index))
                blocked = blocked | {index} if forbidden else blocked - {index}
        return blocked

    @cached_method
    def _trade_terms(self, use: Use) -> tuple[frozenset[Cell], tuple[tuple[Cell, Permits], ...]]:
        judgement = self.judgements[use]
        blocked: set[Cell] = set()
        permits: dict[Cell, Permits] = {}
        for i, verdicts in judgement.trade.items():
            for period in self.periods:
                if self.law.in_force(i, period.span):
                    for arc, verdict in verdicts.items():
                        self._trade_cell(judgement, (arc, period.index), verdict, blocked, permits)
        needed = {cell: ids for cell, ids in permits.items() if cell not in blocked}
        return frozenset(blocked), tuple(sorted(needed.items()))

    def _trade_cell(
        self, judgement: Judgement, cell: Cell, verdict: Verdict, blocked: set[Cell], permits: dict[Cell, Permits]
    ) -> None:
        arc = self.network.arcs[cell[0]]
        if not self.law.forbids(verdict, arc):
            return
        licenses = None
        if verdict.license:
            licenses = self.law.licenses(verdict, arc, judgement.use, self.periods[cell[1]].span)
        if licenses is None:
            blocked.add(cell)
        elif licenses:
            permits[cell] = tuple(sorted({*permits.get(cell, ()), licenses}))


# A case with more sets is rejected, since checking only some would be wrong.
MAX_SETS = 200

Delivered = tuple[int, int, Decimal]
"""Position of a demand, period of delivery, and kilograms."""


def servers(
    compliance_classes: Sequence[ComplianceClass], network: Network, node: Node, by: int
) -> dict[int, frozenset[int]]:
    """Return, for each compliance class, the classes whose stock at `node` at the end of period `by` may be delivered for it."""
    arcs, nodes = network.reach(node)
    classes_here = [compliance_class for compliance_class in compliance_classes if node in compliance_class.nodes]
    return {
        served.index: frozenset(
            serving.index
            for serving in classes_here
            if serving is served or serving.at_least_as_strict(served, arcs, nodes, by)
        )
        for served in classes_here
    }


def share_with_less_strict(
    compliance_classes: Sequence[ComplianceClass], network: Network, demands: Sequence[Demand]
) -> None:
    """Let stock of a stricter compliance class be delivered for every less strict one. This matters only with a rule on usable stock."""
    added: list[tuple[ComplianceClass, Outlet]] = []
    for compliance_class in compliance_classes:
        for outlet in compliance_class.outlets:
            node = final_node(demands[outlet.demand].use)
            if not outlet.waivers:
                indices = servers(compliance_classes, network, node, outlet.period)[compliance_class.index]
                added += [(compliance_classes[i], outlet) for i in sorted(indices - {compliance_class.index})]
    for compliance_class, outlet in added:
        if outlet not in compliance_class.outlets:
            compliance_class.outlets.append(outlet)


def classes_by_delivery(compliance_classes: Iterable[ComplianceClass]) -> dict[tuple[int, int], frozenset[int]]:
    indices_by_cell: dict[tuple[int, int], set[int]] = {}
    for compliance_class in compliance_classes:
        for outlet in compliance_class.outlets:
            if not outlet.waivers:
                indices_by_cell.setdefault((outlet.demand, outlet.period), set()).add(compliance_class.index)
    return {cell: frozenset(indices) for cell, indices in indices_by_cell.items()}


def min_stock_by_classes(
    deliveries: Iterable[Delivered],
    own_classes: dict[tuple[int, int], frozenset[int]],
    serving: dict[int, frozenset[int]],
) -> list[tuple[frozenset[int], Decimal]]:
    """Return sets of compliance classes, each with the minimum of their total stock of a material at a place, so that it covers all deliveries."""
    need_by_set: dict[frozenset[int], Decimal] = {}
    for demand, period, quantity in deliveries:
        classes = frozenset[int]().union(*(serving[index] for index in own_classes.get((demand, period), ())))
        need_by_set[classes] = need_by_set.get(classes, Decimal(0)) + quantity
    sets: set[frozenset[int]] = set()
    for classes in need_by_set:
        sets |= {classes} | {classes | other for other in sets}
        if len(sets) > MAX_SETS:
            raise InputError(
                "the demands for one material at one place have too many combinations of lawful stock to check their cover",
                found=f"more than {MAX_SETS} sets of compliance classes",
                fix="name fewer `end_uses` in each rule on stock cover",
                code="FS267",
            )
    cuts = [(classes, sum((q for inner, q in need_by_set.items() if inner <= classes), Decimal(0))) for classes in sets]
    return sorted(((classes, need) for classes, need in cuts if need), key=lambda cut: (len(cut[0]), sorted(cut[0])))
