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
        """Return the end use that a delivery counts as, or an empty name if limits don't count it. The set is empty if they count none."""
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
    """Rules whose tainted offers are prohibited."""

    def same_law(self, other: Signature) -> bool:
        """Return True if the signatures differ at most in end uses."""
        return replace(self, ends=other.ends) == other


def meet(one: Signature, other: Signature) -> Signature | None:
    """Return the signature that prohibits everything that either prohibits. None if their licenses or charges differ."""
    together, ends = (one, other), one.ends | other.ends
    if one.same_law(other):
        return replace(one, ends=ends)
    if one.surcharges != other.surcharges:
        return None
    blocked = frozenset().union(*(terms.blocked for terms in together))
    cells = frozenset().union(*(terms.blocked_cells for terms in together))
    permits: dict[Cell, Permits] = {}
    for terms in together:
        for cell, licences in terms.permits:
            if permits.setdefault(cell, licences) != licences:
                return None
    return Signature(
        blocked=blocked,
        blocked_cells=frozenset(c for c in cells if c[0] not in blocked),
        permits=tuple(sorted((c, p) for c, p in permits.items() if c[0] not in blocked and c not in cells)),
        surcharges=one.surcharges,
        final=None,
        order_periods=None,
        ends=ends,
        free_of=one.free_of | other.free_of,
    )


def meets(of: Sequence[Signature]) -> list[Signature]:
    """Return the signatures that prohibit everything that any of two or more prohibit, each once, starting with pairs."""
    found: dict[Signature, None] = {}
    latest = [terms for one, other in combinations(of, 2) if (terms := meet(one, other)) is not None]
    while latest:
        new = [terms for terms in dict.fromkeys(latest) if terms not in found]
        found.update(dict.fromkeys(new))
        latest = [terms for one in new for other in of if (terms := meet(one, other)) is not None]
    return list(found)


class Outlet(NamedTuple):
    """Way to serve a demand in a period."""

    demand: int
    period: int
    waivers: tuple[str, ...]
    """Waivers that it uses."""


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
        """Name in plans and tables."""
        return f"R{self.index + 1}"

    @property
    def _law(self) -> tuple[object, ...]:
        """Everything that distinguishes it except end uses and excluded taints."""
        return (
            self.blocked, self.blocked_cells, self.permits, self.surcharges, self.final, self.order_periods
        )  # fmt: skip

    def admits(self, arc: int, arrival: int) -> bool:
        """Return True if an arc may serve it on arrival in a period. The arc may still need a license."""
        return arc not in self.blocked and (arc, arrival) not in self.blocked_cells

    def at_least_as_strict(self, other: ComplianceClass, arcs: frozenset[int], nodes: frozenset[Node], by: int) -> bool:
        """Return True if, up a chain of `arcs` and `nodes`, the other class admits everything that this one admits, on no worse terms.

        Only arrivals up to period `by` matter. A class for some end uses serves only these.
        """
        if not (other.ends <= self.ends and other.free_of <= self.free_of):
            return False
        if self._law == other._law:
            return True
        if self.surcharges != other.surcharges or {self.final, other.final} & nodes:
            return False
        blocked = other.blocked & arcs <= self.blocked
        relevant = {c for c in other.blocked_cells if c[0] in arcs and c[1] <= by and c[0] not in self.blocked}
        cells = relevant <= self.blocked_cells
        permits = all(
            self.permits.get(cell) == licences or not self.admits(*cell)
            for cell, licences in other.permits.items()
            if cell[0] in arcs and cell[1] <= by
        )
        return blocked and cells and permits


class _InForce(NamedTuple):
    """Origin rules that apply to a delivery. Equal ones give equal signatures."""

    by_delivery: tuple[int, ...]
    """Rules dated by delivery that are in force then."""
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
        """Rule that keeps products of tainted offers apart -> arcs of these offers."""

    def compliance_classes(self) -> list[ComplianceClass]:
        """Return all compliance classes, numbered in the order in which demands first need them."""
        found: dict[Signature, ComplianceClass] = {}
        for number, demand in enumerate(self.demands):
            judgement = self.judgements[demand.use]
            nodes = self.network.reach(final_node(demand.use))[1]
            known: dict[_InForce, list[Signature]] = {}
            classes: dict[int, ComplianceClass] = {}  # by signature, each of which `known` holds: by identity
            for period in self.periods:
                if not demand.quantity[period.index]:
                    continue
                served: dict[int, list[frozenset[str]]] = {}
                for waivers in self._waiver_sets(demand, judgement, period):
                    ids = tuple(waiver_id(w) for w in waivers)
                    force = self._in_force(judgement, period.index, waivers)
                    if force not in known:
                        known[force] = [
                            each
                            for terms in self._terms(demand.use, judgement, force)
                            for each in self._kept_apart(terms, judgement)
                        ]
                    for terms in known[force]:
                        if id(terms) not in classes:
                            classes[id(terms)] = found.get(terms) or self._new(found, terms)
                        compliance_class = classes[id(terms)]
                        fewer = served.setdefault(compliance_class.index, [])
                        if any(some <= set(ids) for some in fewer):
                            continue  # the same is available with fewer waivers
                        fewer.append(frozenset(ids))
                        compliance_class.outlets.append(Outlet(number, period.index, ids))
                        compliance_class.nodes |= nodes
        self._addmeets(found)
        if any(rule.watches_stock for rule in self.law.rules):
            self._add_shelves(found)
        return list(found.values())

    def _addmeets(self, found: dict[Signature, ComplianceClass]) -> None:
        """Add compliance classes for co-products that serve different uses, since their inputs must be lawful for all of these.

        An offer with inputs and several outputs may be run for several compliance classes at once. If none of them is at least as strict as
        the others, the inputs are bought for a class that prohibits everything that any of them prohibits.
        """
        made = grouped((arc.offer, arc.node) for arc in self.network.arcs)
        for offer, feeds in self.network.feeds.items():
            outputs = set(made[offer])
            if len({material for material, _ in outputs}) < 2:
                continue
            nodes: frozenset[Node] = frozenset()
            for feed in feeds:
                nodes |= self.network.reach(feed)[1]
            served = [terms for terms, compliance_class in found.items() if compliance_class.nodes & outputs]
            for terms in meets(served):
                compliance_class = found.get(terms) or self._new(found, terms)
                compliance_class.nodes |= nodes

    def _add_shelves(self, found: dict[Signature, ComplianceClass]) -> None:
        """Add compliance classes for stock that may serve different uses, if a rule limits usable stock.

        Material that is lawful for several uses covers each of them and may serve any. It is bought for a class that prohibits everything
        that any of them prohibits.
        """
        for node in sorted({final_node(demand.use) for demand in self.demands}):
            nodes = self.network.reach(node)[1]
            here = [terms for terms, compliance_class in found.items() if node in compliance_class.nodes]
            for second, terms in enumerate(here):  # grows while it is walked, until every meet is in it
                for other in here[:second]:
                    both = meet(other, terms)
                    if both is None or (both.final is None and {other.final, terms.final} & nodes):
                        continue
                    compliance_class = found.get(both) or self._new(found, both)
                    compliance_class.nodes |= nodes
                    if both not in here:
                        here.append(both)

    @staticmethod
    def _new(found: dict[Signature, ComplianceClass], terms: Signature) -> ComplianceClass:
        compliance_class = ComplianceClass(
            index=len(found),
            blocked=terms.blocked,
            blocked_cells=terms.blocked_cells,
            permits=dict(terms.permits),
            surcharges={(arc, t): amount for arc, t, amount in terms.surcharges}
            if terms.surcharges is not None
            else None,
            final=terms.final,
            order_periods=terms.order_periods,
            ends=terms.ends,
            free_of=terms.free_of,
        )
        found[terms] = compliance_class
        return compliance_class

    def _waiver_sets(self, demand: Demand, judgement: Judgement, period: Period) -> list[tuple[WaiverSpec, ...]]:
        """Return the sets of waivers for a delivery: none, and every set that covers it and that some chain needs."""
        if not self.case.waivers:
            return [()]
        index = {self.law.rules[i].id: i for i in judgement.chain}
        useful = [
            w
            for w in self.case.waivers
            if w.rule in index
            and w.demand in ("", demand.id, demand.use.material.id)
            and Span(start=w.start, end=w.end).covers(period.span)
        ]
        if not useful:
            return [()]
        force = self._in_force(judgement, period.index, ())
        needed = self._needs(demand.use, force, frozenset(index[w.rule] for w in useful))
        return sets_of_waivers(useful, [frozenset(self.law.rules[i].id for i in some) for some in needed])

    @cached_method
    def _needs(self, use: Use, force: _InForce, waivable: frozenset[int]) -> set[frozenset[int]]:
        """Return the sets of rules that some chain breaks, whenever the final good may be ordered."""
        judgement, final = self.judgements[use], final_node(use)
        found: set[frozenset[int]] = set()
        for rules, _ in self._epochs(force):
            broken = self._broken(judgement, (*force.by_delivery, *rules))
            found |= rules_to_waive(self.network, judgement.reach, final, broken, waivable)
        lots = [i for i in self.network.into.get(final, ()) if self.network.arcs[i].lot >= 0 and force.by_order]
        for lot in lots:
            own = self._broken(judgement, self._dated(force, lot)).get(lot, frozenset())
            found |= {own} if own <= waivable else set()
        return found

    def _broken(self, judgement: Judgement, rules: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the prohibiting rules of each arc, among some rules."""
        found: dict[int, set[int]] = {}
        for rule in rules:
            for arc, verdict in judgement.chain[rule].items():
                if self.law.forbids(verdict, self.network.arcs[arc]):
                    found.setdefault(arc, set()).add(rule)
        return {arc: frozenset(some) for arc, some in found.items()}

    def _dated(self, force: _InForce, lot: int) -> tuple[int, ...]:
        """Return the rules that apply to a lot of the final good, which has its own order date."""
        acquired = self.lots[self.network.arcs[lot].lot].acquired
        return (*force.by_delivery, *(i for i in force.by_order if self.law.in_force(i, acquired)))

    def _in_force(self, judgement: Judgement, period: int, waivers: tuple[WaiverSpec, ...]) -> _InForce:
        """Return the origin rules that apply to a delivery in a period, without the waived ones."""
        if not judgement.chain:
            return _InForce((), (), None)
        waived = {w.rule for w in waivers}
        chain = [i for i in judgement.chain if self.law.rules[i].id not in waived]
        span = self.periods[period].span
        by_delivery = [i for i in chain if self.law.rules[i].dated_by == "delivery" and self.law.in_force(i, span)]
        by_order = [i for i in chain if self.law.rules[i].dated_by == "order"]
        return _InForce(tuple(by_delivery), tuple(by_order), period if by_order else None)

    def _terms(self, use: Use, judgement: Judgement, force: _InForce) -> list[Signature]:
        """Return the signatures of a delivery: one for each set of order periods that rules dated by order distinguish."""
        cells, permits = self._trade_terms(judgement.use)
        final: Node = final_node(use)
        terms = []
        for rules, orders in self._epochs(force):
            blocked = self._blocked(judgement, rules, force, final)
            terms.append(
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
        return terms

    def _tainted(self, rule: Rule) -> frozenset[int]:
        with attributed(rule):
            return frozenset(arc.index for arc in self.network.arcs if rule.taints(arc.chained))

    def _kept_apart(self, terms: Signature, judgement: Judgement) -> list[Signature]:
        """Return a signature, with variants that exclude the tainted offers of each rule that keeps products apart.

        Only makers need the variants. A good that is bought directly is either tainted or not.
        """
        found = [terms]
        offers = {self.network.arcs[index].offer for index in judgement.reach}
        if not any(self.network.feeds.get(offer) for offer in offers):
            return found
        for name, arcs in self.tainted.items():
            free = [self._free(each, name, arcs & judgement.reach) for each in found]
            found = [each for each in found if not arcs & judgement.reach <= each.blocked] + free
        return found

    @staticmethod
    def _free(terms: Signature, rule: str, arcs: frozenset[int]) -> Signature:
        blocked = terms.blocked | arcs
        return replace(
            terms,
            blocked=blocked,
            blocked_cells=frozenset(cell for cell in terms.blocked_cells if cell[0] not in blocked),
            permits=tuple((cell, ids) for cell, ids in terms.permits if cell[0] not in blocked),
            free_of=terms.free_of | {rule},
        )

    def _epochs(self, force: _InForce) -> list[tuple[tuple[int, ...], frozenset[int] | None]]:
        """Return the sets of rules dated by order that are in force together, with the order periods of each that begins by `period`."""
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
            if self.network.arcs[index].lot >= 0:  # ordered on its own day, whatever the epoch
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
        kept = {cell: ids for cell, ids in permits.items() if cell not in blocked}
        return frozenset(blocked), tuple(sorted(kept.items()))

    def _trade_cell(
        self, judgement: Judgement, cell: Cell, verdict: Verdict, blocked: set[Cell], permits: dict[Cell, Permits]
    ) -> None:
        arc = self.network.arcs[cell[0]]
        if not self.law.forbids(verdict, arc):
            return
        licences = None
        if verdict.licence:
            licences = self.law.licences(verdict, arc, judgement.use, self.periods[cell[1]].span)
        if licences is None:
            blocked.add(cell)
        elif licences:
            permits[cell] = tuple(sorted({*permits.get(cell, ()), licences}))


MOST_SETS = 200
"""Maximum number of sets of compliance classes at one place. A case with more is rejected, since checking only some would be wrong."""

Wanted = tuple[int, int, Decimal]
"""Position of a demand, period of delivery, and kilograms."""


def servers(
    compliance_classes: Sequence[ComplianceClass], network: Network, node: Node, by: int
) -> dict[int, frozenset[int]]:
    """Return, for each compliance class, the classes whose stock at `node` at the end of period `by` may be delivered for it."""
    arcs, nodes = network.reach(node)
    here = [compliance_class for compliance_class in compliance_classes if node in compliance_class.nodes]
    return {
        own.index: frozenset(
            other.index for other in here if other is own or other.at_least_as_strict(own, arcs, nodes, by)
        )
        for own in here
    }


def share_with_less_strict(
    compliance_classes: Sequence[ComplianceClass], network: Network, demands: Sequence[Demand]
) -> None:
    """Let stock of a stricter compliance class be delivered for every less strict one.

    Without a rule on usable stock this changes nothing, since deliveries for the less strict class can be bought for it directly. With
    one, a kilogram may cover the stricter use in one period and serve the other in the next.
    """
    more: list[tuple[ComplianceClass, Outlet]] = []
    for own in compliance_classes:
        for outlet in own.outlets:
            node = final_node(demands[outlet.demand].use)
            if not outlet.waivers:
                may = servers(compliance_classes, network, node, outlet.period)[own.index] - {own.index}
                more += [(compliance_classes[index], outlet) for index in sorted(may)]
    for compliance_class, outlet in more:
        if outlet not in compliance_class.outlets:
            compliance_class.outlets.append(outlet)


def classes_by_delivery(compliance_classes: Iterable[ComplianceClass]) -> dict[tuple[int, int], frozenset[int]]:
    """Return, by demand and period, the compliance classes that deliver to it without a waiver."""
    found: dict[tuple[int, int], set[int]] = {}
    for compliance_class in compliance_classes:
        for outlet in compliance_class.outlets:
            if not outlet.waivers:
                found.setdefault((outlet.demand, outlet.period), set()).add(compliance_class.index)
    return {cell: frozenset(indices) for cell, indices in found.items()}


def min_stock_by_classes(
    wanted: Iterable[Wanted], own: dict[tuple[int, int], frozenset[int]], serving: dict[int, frozenset[int]]
) -> list[tuple[frozenset[int], Decimal]]:
    """Return sets of compliance classes with the minimum of their total stock of a material at a place, so that it covers all `wanted`.

    `own` and `serving` are the results of `classes_by_delivery` and `servers`.

    Raises:
        InputError: If there are more than `MOST_SETS` sets.
    """
    needs: dict[frozenset[int], Decimal] = {}
    for demand, period, quantity in wanted:
        may = frozenset[int]().union(*(serving[index] for index in own.get((demand, period), ())))
        needs[may] = needs.get(may, Decimal(0)) + quantity
    sets: set[frozenset[int]] = set()
    for may in needs:
        sets |= {may} | {may | other for other in sets}
        if len(sets) > MOST_SETS:
            raise InputError(
                "the demands for one material at one place may be served from too many different stocks to watch their cover",
                found=f"more than {MOST_SETS} sets of compliance classes",
                fix="name fewer `end_uses` in each rule on cover",
            )
    found = [(may, sum((q for inner, q in needs.items() if inner <= may), Decimal(0))) for may in sets]
    return sorted(((may, need) for may, need in found if need), key=lambda shelf: (len(shelf[0]), sorted(shelf[0])))
