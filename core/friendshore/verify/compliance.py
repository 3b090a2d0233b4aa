"""Compliance of every kilogram: verdicts of each rule on each purchase for each delivery it may end in, and compliance classes.

Verdicts on purchases are derived from deliveries. Classes are labels of the plan's entries, and their meaning follows from the facts. Limits by end
use, stock reserved for some uses, and readers of a run rely on the labels, so each delivery must be one that its class serves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TypeAlias

from ..domain.base import grouped
from ..domain.case import WaiverSpec
from ..domain.runtime import cached_method
from ..domain.time import Span
from ..domain.use import Result, Use, Verdict
from ..plugins import attributed
from ..problem import Problem
from ..problem.law import Law, licence_id, waiver_id
from ..problem.network import Arc, Node, final_node
from ..rules.answers import as_verdict
from ..rules.base import PhaseStatus, Rule
from .plan_entries import Bought, PlanEntries


@dataclass(frozen=True, slots=True)
class FinalDelivery:
    """A delivery that the flow of a compliance class ends in."""

    number: int
    """Number of its use. Equal uses share a number."""
    use: Use = field(compare=False)
    period: int
    requirement: str
    """Compliance class of the delivery. Co-products may come from another class."""
    waived: frozenset[str]
    """Rules waived for the delivery."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdict of a rule on a purchase, for one use."""

    item: Bought
    use: Use
    rule: str
    verdict: Verdict
    day: Span
    """Days on which the rule was checked."""


_Asked: TypeAlias = tuple[str, int, date | None, date | None]
"""Check of a purchase: rule, number of the use, first and last day."""
_Applicable: TypeAlias = tuple[Rule, Span, _Asked]


class Judging:
    """Verdicts from the rules themselves, independent of the grouping into compliance classes."""

    def __init__(self, ledger: PlanEntries, statuses: frozenset[PhaseStatus] | None = None) -> None:
        self.ledger = ledger
        self.problem = ledger.problem
        self.law = Law(self.problem.rules, self.problem.case)
        self.statuses = statuses if statuses is not None else self.law.statuses
        self.periods = self.problem.case.horizon.periods
        self._uses = list(dict.fromkeys(d.use for d in self.problem.demands))
        self._numbers = {use: i for i, use in enumerate(self._uses)}
        self._answers = ledger.answers
        self._asked: dict[tuple[str, int, int], Verdict] = {}
        self._waivers = {waiver_id(w): w for w in self.problem.case.waivers}
        self._rules = [
            rule
            for rule in self.problem.rules
            if "judge" in rule.verbs and any(phase.status in self.statuses for phase in rule.phases)
        ]
        self._known_rules: dict[object, list[_Applicable]] = {}
        self._known_sorts: dict[object, list[tuple[int, _Applicable]]] = {}
        self._applying: dict[tuple[str, date | None, date | None], bool] = {}

    @cached_property
    def verdicts(self) -> tuple[Judged, ...]:
        """All distinct verdicts on the plan, including passes."""
        return tuple([judged for item in self.ledger.bought for judged in self._on(item)])

    def forbidden(self) -> list[Judged]:
        """Return the verdicts that prohibit something bought.

        A rule applies its verdict only on the days on which it is in force. A purchase without adverse verdicts is lawful on any day. For the others, only the
        rules with adverse verdicts need a check of days.
        """
        found: list[Judged] = []
        for item in self.ledger.bought:
            against = self._against(item)
            found += [judged for judged in (self._on_of(item, against) if against else ()) if self.broken(judged)]
        return found

    def forbidding(self) -> set[str]:
        """Return the rules that prohibit something bought."""
        found: set[str] = set()
        for item in self.ledger.bought:
            against = {(rule, number) for rule, number in self._against(item) if rule not in found}
            if against:
                found |= {judged.rule for judged in self._on_of(item, against) if self.broken(judged)}
        return found

    def _on(self, item: Bought) -> Iterator[Judged]:
        """Yield the verdicts on one purchase."""
        seen: set[_Asked] = set()
        for served in self.ends(item):
            for rule, day, asked in self._applicable(item, served):
                if asked not in seen:
                    seen.add(asked)
                    yield Judged(item, served.use, rule.id, self._ask(rule, item.arc, served), day)

    def _on_of(self, item: Bought, only: Collection[tuple[str, int]]) -> Iterator[Judged]:
        """Yield the verdicts of some rules, each for the uses with a number."""
        seen: set[_Asked] = set()
        moves = item.arc.moves
        numbers = {number for _, number in only}
        for served in self.ends(item):
            if served.number not in numbers:
                continue
            rules = [rule for rule in self._bearing(served.number, served.waived) if (rule.id, served.number) in only]
            own = item.arc.node == final_node(served.use)
            days = self._days(item, served, moves=moves, own=own) if rules else {}
            for rule in rules:
                for day in days["trade" if rule.bears_on == "trade" else rule.dated_by]:
                    asked = (rule.id, served.number, day.start, day.end)
                    if asked not in seen and self._applies(rule, day):
                        seen.add(asked)
                        yield Judged(item, served.use, rule.id, self._ask(rule, item.arc, served), day)

    def _against(self, item: Bought) -> frozenset[tuple[str, int]]:
        """Return the rules with an adverse verdict on a purchase on some day, each with the number of a use that the purchase may end in."""
        deliveries = self._deliveries(item.requirement, item.arc.node)
        return self._against_arc(
            item.requirement, item.arc.index, any(min(one.period, by) >= item.delivered for one, by in deliveries)
        )

    @cached_method
    def _against_arc(self, requirement: str, index: int, delivered: bool) -> frozenset[tuple[str, int]]:
        """Return the adverse rules for all purchases by an arc for a compliance class that end in a delivery, or for those that don't."""
        arc = self.problem.network.arcs[index]
        deliveries = [one for one, _ in self._deliveries(requirement, arc.node)]
        ends = {one.number: one for one in (deliveries if delivered else self._kept(requirement, arc.node))}
        return frozenset(
            (rule.id, number)
            for number, served in ends.items()
            for rule in self._concerning(number)
            if (rule.bears_on == "chain" or arc.moves) and self.law.forbids(self._ask(rule, arc, served), arc)
        )

    def _applicable(self, item: Bought, served: FinalDelivery) -> list[_Applicable]:
        """Return the rules that apply to a purchase for a delivery, with their days. All purchases that arrive together share them."""
        moves = item.arc.moves
        own = item.arc.node == final_node(served.use)
        key = (served, item.delivered if moves else None, (item.arc.lot, item.ordered) if own else None)
        if key not in self._known_rules:
            days = self._days(item, served, moves=moves, own=own)
            found = chain.from_iterable(self._of_sort(served, sort, spans) for sort, spans in days.items())
            self._known_rules[key] = [one for _, one in sorted(found, key=itemgetter(0))]
        return self._known_rules[key]

    def _of_sort(self, served: FinalDelivery, sort: str, days: Sequence[Span]) -> list[tuple[int, _Applicable]]:
        """Return the applicable rules that are dated by one sort of day, with their positions among all rules."""
        key = (served.number, served.waived, sort, tuple((day.start, day.end) for day in days))
        if key not in self._known_sorts:
            self._known_sorts[key] = [
                (place, (rule, day, (rule.id, served.number, day.start, day.end)))
                for place, rule in enumerate(self._bearing(served.number, served.waived) if days else ())
                if sort == ("trade" if rule.bears_on == "trade" else rule.dated_by)
                for day in days
                if self._applies(rule, day)
            ]
        return self._known_sorts[key]

    @cached_method
    def _bearing(self, number: int, waived: frozenset[str]) -> list[Rule]:
        """Return the rules that can apply to a delivery on some day, by the number of its use."""
        return [rule for rule in self._concerning(number) if not (rule.id in waived and rule.bears_on == "chain")]

    @cached_method
    def _concerning(self, number: int) -> list[Rule]:
        """Return the rules that can apply to a use, waived or not."""
        return [rule for rule in self._rules if self._concerns(rule, self._uses[number])]

    def _applies(self, rule: Rule, day: Span) -> bool:
        key = (rule.id, day.start, day.end)
        if key not in self._applying:
            self._applying[key] = rule.applies(day, self.statuses)
        return self._applying[key]

    @staticmethod
    def _concerns(rule: Rule, use: Use) -> bool:
        with attributed(rule):
            return rule.concerns(use)

    def broken(self, judged: Judged) -> bool:
        """Return True if a verdict prohibits the purchase despite its licenses."""
        verdict = judged.verdict
        if not self.law.forbids(verdict, judged.item.arc):
            return False
        if not verdict.licence:
            return True
        arrival = self.periods[judged.item.delivered].span
        licences = self.law.licences(verdict, judged.item.arc, judged.use, arrival)
        if licences is None:
            return True
        return bool(licences) and not set(licences) & set(judged.item.licences)

    def _ask(self, rule: Rule, arc: Arc, served: FinalDelivery) -> Verdict:
        key = (rule.id, arc.index, served.number)
        if key not in self._asked:
            known = self._answers.verdicts(rule, served.use) if self._answers is not None else {}
            delivery = id(arc.chained), id(arc.move)
            if arc.is_made_lot:
                with attributed(rule):
                    self._asked[key] = self.law.of_lot(rule, arc, served.use, known)
                return self._asked[key]
            if delivery not in known:
                with attributed(rule):
                    known[delivery] = as_verdict(rule.judge(arc.chained, arc.move, served.use))
            self._asked[key] = known[delivery]
        return self._asked[key]

    def _days(self, item: Bought, served: FinalDelivery, *, moves: bool, own: bool) -> dict[str, list[Span]]:
        """Return the relevant days for each sort of rule: arrival, delivery to the user, or order of the final good."""
        final = final_node(served.use)
        return {
            "trade": [self.periods[item.delivered].span] if moves else [],
            "delivery": [self.periods[served.period].span],
            "order": [self._ordered(item)] if own else self._final_orders.get((served.requirement, final), []),
        }

    def _ordered(self, item: Bought) -> Span:
        if item.arc.lot >= 0:
            return self.problem.lots[item.arc.lot].acquired
        return self.periods[item.ordered].span

    @cached_property
    def _final_orders(self) -> dict[tuple[str, Node], list[Span]]:
        """Order days of the final good, by compliance class and node."""
        found: defaultdict[tuple[str, Node], set[Span]] = defaultdict(set)
        for item in self.ledger.bought:
            found[item.requirement, item.arc.node].add(self._ordered(item))
        return {key: sorted(days, key=str) for key, days in found.items()}

    @cached_property
    def _served(self) -> dict[tuple[str, Node], list[FinalDelivery]]:
        served: defaultdict[tuple[str, Node], dict[FinalDelivery, None]] = defaultdict(dict)
        for delivery, demand in self.ledger.deliveries:
            found = self._delivery(demand, delivery.period, delivery.requirement, delivery.waivers)
            served[delivery.requirement, final_node(found.use)][found] = None
        return {key: list(found) for key, found in served.items()}

    def _delivery(self, demand: int, period: int, requirement: str, waivers: Collection[str]) -> FinalDelivery:
        """Return a delivery to a demand from a compliance class, with the waivers that fit it."""
        facts = self.problem.demands[demand]
        waived = frozenset(
            self._waivers[name].rule
            for name in waivers
            if name in self._waivers and self._fits(self._waivers[name], facts.id, facts.use.material.id, period)
        )
        return FinalDelivery(self._numbers[facts.use], facts.use, period, requirement, waived)

    @cached_property
    def _finals(self) -> dict[Node, list[Node]]:
        """Node -> final nodes down its chains."""
        finals = sorted({node for _, node in self._served})
        return grouped((node, final) for final in finals for node in self._up(final))

    def _fits(self, waiver: WaiverSpec, demand: str, material: str, period: int) -> bool:
        dates = Span(start=waiver.start, end=waiver.end)
        return waiver.demand in ("", demand, material) and dates.covers(self.periods[period].span)

    def ends(self, item: Bought) -> list[FinalDelivery]:
        """Return the deliveries that a purchase may end in: down its chain, and not before it arrives.

        A purchase that ends in none is stock for everything that its compliance class serves.
        """
        return self._ends(item.requirement, item.arc.node, item.delivered)

    @cached_method
    def _ends(self, requirement: str, node: Node, delivered: int) -> list[FinalDelivery]:
        found = [one for one, by in self._deliveries(requirement, node) if min(one.period, by) >= delivered]
        return found or self._kept(requirement, node)

    @cached_method
    def _deliveries(self, requirement: str, node: Node) -> list[tuple[FinalDelivery, int]]:
        """Return the deliveries down the chain of a purchase, each with the latest arrival period of its material."""
        latest: dict[FinalDelivery, int] = {}
        for served, by in self._outlets(requirement, node, frozenset(), self.problem.case.horizon.count):
            latest[served] = max(by, latest.get(served, by))
        in_order = sorted(latest, key=lambda s: (s.number, s.period, s.requirement))
        return [(served, latest[served]) for served in in_order]

    @cached_method
    def _kept(self, requirement: str, node: Node) -> list[FinalDelivery]:
        """Return everything that a compliance class serves down the chain of a node, even if the plan delivers nothing."""
        own, demands = self.problem.class_of.get(requirement), self.problem.demands
        outlets = [
            self._delivery(outlet.demand, outlet.period, requirement, outlet.waivers)
            for outlet in (own.outlets if own is not None else ())
            if node in self._up(final_node(demands[outlet.demand].use))
        ]
        return list(dict.fromkeys(outlets))

    def _outlets(self, requirement: str, node: Node, seen: frozenset[str], by: int) -> list[tuple[FinalDelivery, int]]:
        """Return the deliveries from a compliance class, and from the classes that its co-products were lent to.

        Each has the latest arrival period of its material, since a loan happens in the period of the arrival or later.
        """
        found = [(s, by) for final in self._finals.get(node, ()) for s in self._served.get((requirement, final), ())]
        for transfer, offer in self.ledger.transfers:
            lends = transfer.from_requirement == requirement and transfer.to_requirement not in seen
            if lends and any(node in self._up(feed) for feed in self.problem.network.feeds.get(offer, ())):
                lent = min(by, transfer.period)
                found += self._outlets(transfer.to_requirement, node, seen | {requirement}, lent)
        return found

    @cached_method
    def _up(self, node: Node) -> frozenset[Node]:
        """Return all nodes up the chain of a node, including itself."""
        return self.problem.network.reach(node)[1]


def check_law(ledger: PlanEntries) -> Judging:
    """Ask the rules about the plan. Prohibitions are findings."""
    judging = Judging(ledger)
    if any("judge" in rule.verbs for rule in ledger.problem.rules):
        for judged in judging.forbidden():
            _forbidden(ledger, judged)
    _check_licences(ledger)
    return judging


def _forbidden(ledger: PlanEntries, judged: Judged) -> None:
    verdict = judged.verdict
    ledger.find(
        f"{judged.item} may not serve {judged.use.material.id} for {judged.use.end_use} use: "
        f"{'unproven' if verdict.result is Result.UNPROVEN else 'forbidden'} by `{judged.rule}`"
        + (f" at {verdict.stage}" if verdict.stage else "")
        + (f" ({', '.join(verdict.countries)})" if verdict.countries else ""),
        found=verdict.reason,
    )


def _check_licences(ledger: PlanEntries) -> None:
    known = {licence_id(licence): licence for licence in ledger.problem.case.licences}
    periods = ledger.problem.case.horizon.periods
    for item in ledger.licensed:
        for name in item.licences:
            licence = known.get(name)
            if licence is None:
                ledger.find(f"{item} moves under a licence `{name}` that the case does not hold")
            elif not Span(start=licence.start, end=licence.end).covers(periods[item.delivered].span):
                ledger.find(f"{item} arrives outside the days of licence `{name}`")


def check_classes(ledger: PlanEntries) -> None:
    """Find deliveries that their compliance class doesn't serve, and entries with unknown classes."""
    outlets = {
        each.label: {(outlet.demand, outlet.period, frozenset(outlet.waivers)) for outlet in each.outlets}
        for each in ledger.problem.compliance_classes
    }
    plan = ledger.plan
    used = {*ledger.columns.labels, *(stock.requirement for stock in plan.stocks)}
    used |= {make.requirement for make in plan.makes} - {""}
    used |= {label for one in plan.transfers for label in (one.from_requirement, one.to_requirement)}
    used |= {delivery.requirement for delivery in plan.deliveries}
    for label in sorted(used - outlets.keys()):
        ledger.find("the plan names a compliance class that its facts do not give", found=label)
    for delivery, number in ledger.deliveries:
        served = outlets.get(delivery.requirement)
        if served is not None and (number, delivery.period, frozenset(delivery.waivers)) not in served:
            period = ledger.problem.case.horizon.label(delivery.period)
            under = f" under {' and '.join(delivery.waivers)}" if delivery.waivers else ""
            ledger.find(
                f"`{delivery.demand}` is served in {period}{under} from compliance class {delivery.requirement}, which does not serve it",
                found=f"{delivery.quantity} kg",
            )


def check_ends(ledger: PlanEntries) -> None:
    """Check that deliveries and loans between compliance classes stay within the end uses of the class they come from."""
    problem = ledger.problem
    counted = frozenset[str]().union(*(rule.counted_end_uses for rule in problem.rules))
    if not counted:
        return
    for delivery, number in ledger.deliveries:
        use = problem.demands[number].use.end_use
        if (use if use in counted else "") not in ends_of(problem, delivery.requirement):
            ledger.find(
                f"`{delivery.demand}` is served by what was bought for other end uses",
                found=f"{delivery.quantity} kg of {delivery.requirement}, which is {_in_words(ends_of(problem, delivery.requirement))}",
                expected=f"what is for {use}",
            )
    for transfer, _ in ledger.transfers:
        giver, taker = (ends_of(problem, label) for label in (transfer.from_requirement, transfer.to_requirement))
        if not taker <= giver:
            ledger.find(
                f"what is made by `{transfer.offer}` is lent to other end uses than it is made for",
                found=f"{transfer.quantity} kg of {transfer.material}, made {_in_words(giver)}, "
                f"lent to what is {_in_words(taker)}",
            )


def check_free(ledger: PlanEntries) -> None:
    """Find purchases that a rule taints in compliance classes that must be free of it, and loans to such classes from others."""
    rules = {rule.id: rule for rule in ledger.problem.rules if rule.keeps_apart}
    free_of = {each.label: each.free_of for each in ledger.problem.compliance_classes if each.free_of}
    for item in ledger.bought if free_of else ():
        for name in sorted(free_of.get(item.requirement, ())):
            if name not in rules or rules[name].taints(item.arc.chained):
                ledger.find(f"{item} is bought for a compliance class that is free of what rule `{name}` taints")
    for transfer, _ in ledger.transfers if free_of else ():
        free = frozenset[str]()
        if not free_of.get(transfer.to_requirement, free) <= free_of.get(transfer.from_requirement, free):
            ledger.find(
                f"what is made by `{transfer.offer}` is lent to a compliance class that is free of what a rule taints",
                found=f"{transfer.quantity} kg of {transfer.material}, from {transfer.from_requirement} to {transfer.to_requirement}",
            )


def ends_of(problem: Problem, label: str) -> frozenset[str]:
    """Return the end uses of a compliance class, among those that limits count. Empty if there is no such class."""
    own = problem.class_of.get(label)
    return own.ends if own is not None else frozenset()


def _in_words(ends: frozenset[str]) -> str:
    return f"for {' and '.join(sorted(use or 'another use' for use in ends)) or 'no use at all'}"
