"""Compliance of every kilogram: verdicts of each rule on each purchase for each delivery it may end in, and compliance classes."""

# Verdicts on purchases are derived from deliveries. Classes are labels of the plan's entries, and their meaning follows from the facts.
# Limits by end use, stock reserved for some uses, and readers of a run rely on the labels, so each delivery must be one that its class
# serves.

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
from ..plugins.interface import is_own
from ..problem import Problem
from ..problem.law import Law, license_id, waiver_id
from ..problem.network import Arc, Node, final_node
from ..rules.answers import InvalidResult, as_verdict
from ..rules.base import PhaseStatus, Rule
from .plan_entries import Bought, PlanEntries


@dataclass(frozen=True, slots=True)
class FinalDelivery:
    """A delivery that the flow of a compliance class ends in."""

    number: int
    """Number of its use. Equal uses share a number."""
    use: Use = field(compare=False)
    period: int
    compliance_class: str
    """Compliance class of the delivery. Co-products may come from another class."""
    waived: frozenset[str]
    """Rules waived for the delivery."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Verdict of a rule on a purchase, for one use."""

    item: Bought
    use: Use
    rule: str
    verdict: Verdict
    days: Span
    """Days on which the rule was checked."""


_Check: TypeAlias = tuple[str, int, date | None, date | None]
"""Check of a purchase: rule, number of the use, first and last day."""
_Applicable: TypeAlias = tuple[Rule, Span, _Check]


class Compliance:
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
        self._verdicts: dict[tuple[str, int, int], Verdict] = {}
        self._waivers = {waiver_id(w): w for w in self.problem.case.waivers}
        self._rules = [
            rule
            for rule in self.problem.rules
            if "judge" in rule.verbs and any(phase.status in self.statuses for phase in rule.phases)
        ]
        self._applicable_rules: dict[object, list[_Applicable]] = {}
        self._rules_by_sort: dict[object, list[tuple[int, _Applicable]]] = {}
        self._in_force: dict[tuple[str, date | None, date | None], bool] = {}

    @cached_property
    def rulings(self) -> tuple[Ruling, ...]:
        return tuple([ruling for item in self._judged for ruling in self._verdicts_on(item)])

    @property
    def _judged(self) -> Sequence[Bought]:
        return self.ledger.bought if self._rules else ()

    def violations(self) -> list[Ruling]:
        """Return the rulings that prohibit something bought. Only purchases with adverse verdicts need a check of days."""
        verdicts: list[Ruling] = []
        for item in self._judged:
            adverse = self._adverse(item)
            verdicts += [
                ruling for ruling in (self._verdicts_of(item, adverse) if adverse else ()) if self.is_violation(ruling)
            ]
        return verdicts

    def violated_rules(self) -> set[str]:
        rules: set[str] = set()
        for item in self._judged:
            adverse = {(rule, number) for rule, number in self._adverse(item) if rule not in rules}
            if adverse:
                rules |= {ruling.rule for ruling in self._verdicts_of(item, adverse) if self.is_violation(ruling)}
        return rules

    def _verdicts_on(self, item: Bought) -> Iterator[Ruling]:
        seen: set[_Check] = set()
        for delivery in self.deliveries_of(item):
            for rule, day, check in self._applicable(item, delivery):
                if check not in seen:
                    seen.add(check)
                    yield Ruling(item, delivery.use, rule.id, self._ask(rule, item.arc, delivery), day)

    def _verdicts_of(self, item: Bought, adverse: Collection[tuple[str, int]]) -> Iterator[Ruling]:
        seen: set[_Check] = set()
        moves = item.arc.moves
        numbers = {number for _, number in adverse}
        for delivery in self.deliveries_of(item):
            if delivery.number not in numbers:
                continue
            rules = [
                rule
                for rule in self._rules_for_delivery(delivery.number, delivery.waived)
                if (rule.id, delivery.number) in adverse
            ]
            is_final = item.arc.node == final_node(delivery.use)
            days = self._days(item, delivery, moves=moves, is_final=is_final) if rules else {}
            for rule in rules:
                for day in days["trade" if rule.judge_scope == "trade" else rule.dated_by]:
                    check = (rule.id, delivery.number, day.start, day.end)
                    if check not in seen and self._applies(rule, day):
                        seen.add(check)
                        yield Ruling(item, delivery.use, rule.id, self._ask(rule, item.arc, delivery), day)

    def _adverse(self, item: Bought) -> frozenset[tuple[str, int]]:
        """Return rule and number of a use for each adverse verdict on a purchase, on any day."""
        deliveries = self._deliveries(item.compliance_class, item.arc.node)
        return self._adverse_for_arc(
            item.compliance_class,
            item.arc.index,
            any(min(delivery.period, latest) >= item.delivered for delivery, latest in deliveries),
        )

    @cached_method
    def _adverse_for_arc(self, compliance_class: str, index: int, is_delivered: bool) -> frozenset[tuple[str, int]]:
        """Return `_adverse` of all purchases by an arc for a compliance class that end in a delivery, or of those that don't."""
        arc = self.problem.network.arcs[index]
        deliveries = [delivery for delivery, _ in self._deliveries(compliance_class, arc.node)]
        delivery_by_number = {
            delivery.number: delivery
            for delivery in (deliveries if is_delivered else self._possible_deliveries(compliance_class, arc.node))
        }
        return frozenset(
            (rule.id, number)
            for number, final_delivery in delivery_by_number.items()
            for rule in self._rules_for_use(number)
            if (rule.judge_scope == "chain" or arc.moves)
            and self.law.forbids(self._ask(rule, arc, final_delivery), arc)
        )

    def _applicable(self, item: Bought, delivery: FinalDelivery) -> list[_Applicable]:
        """Return the rules that apply to a purchase for a delivery, with their days. All purchases that arrive together share them."""
        moves = item.arc.moves
        is_final = item.arc.node == final_node(delivery.use)
        key = (delivery, item.delivered if moves else None, (item.arc.lot, item.ordered) if is_final else None)
        if key not in self._applicable_rules:
            days = self._days(item, delivery, moves=moves, is_final=is_final)
            positioned = chain.from_iterable(
                self._rules_by_date_kind(delivery, date_kind, spans) for date_kind, spans in days.items()
            )
            self._applicable_rules[key] = [applicable for _, applicable in sorted(positioned, key=itemgetter(0))]
        return self._applicable_rules[key]

    def _rules_by_date_kind(
        self, delivery: FinalDelivery, date_kind: str, days: Sequence[Span]
    ) -> list[tuple[int, _Applicable]]:
        key = (delivery.number, delivery.waived, date_kind, tuple((day.start, day.end) for day in days))
        if key not in self._rules_by_sort:
            self._rules_by_sort[key] = [
                (position, (rule, day, (rule.id, delivery.number, day.start, day.end)))
                for position, rule in enumerate(
                    self._rules_for_delivery(delivery.number, delivery.waived) if days else ()
                )
                if date_kind == ("trade" if rule.judge_scope == "trade" else rule.dated_by)
                for day in days
                if self._applies(rule, day)
            ]
        return self._rules_by_sort[key]

    @cached_method
    def _rules_for_delivery(self, number: int, waived: frozenset[str]) -> list[Rule]:
        return [rule for rule in self._rules_for_use(number) if not (rule.id in waived and rule.judge_scope == "chain")]

    @cached_method
    def _rules_for_use(self, number: int) -> list[Rule]:
        return [rule for rule in self._rules if self._concerns(rule, self._uses[number])]

    def _applies(self, rule: Rule, day: Span) -> bool:
        key = (rule.id, day.start, day.end)
        if key not in self._in_force:
            self._in_force[key] = rule.applies(day, self.statuses)
        return self._in_force[key]

    @staticmethod
    def _concerns(rule: Rule, use: Use) -> bool:
        with attributed(rule):
            return rule.concerns(use)

    def is_violation(self, ruling: Ruling) -> bool:
        verdict = ruling.verdict
        if not self.law.forbids(verdict, ruling.item.arc):
            return False
        if not verdict.license:
            return True
        arrival = self.periods[ruling.item.delivered].span
        licenses = self.law.licenses(verdict, ruling.item.arc, ruling.use, arrival)
        if licenses is None:
            return True
        return bool(licenses) and not set(licenses) & set(ruling.item.licenses)

    def _ask(self, rule: Rule, arc: Arc, final_delivery: FinalDelivery) -> Verdict:
        key = (rule.id, arc.index, final_delivery.number)
        if key not in self._verdicts:
            answers = self._answers.verdicts(rule, final_delivery.use) if self._answers is not None else {}
            key_of_move = id(arc.chained), id(arc.move)
            if arc.is_lot_with_inputs:
                with attributed(rule):
                    self._verdicts[key] = self.law.lot_verdict(rule, arc, final_delivery.use, answers)
                return self._verdicts[key]
            if key_of_move not in answers:
                with attributed(rule):
                    answers[key_of_move] = _verdict_of(rule, arc, final_delivery.use)
            self._verdicts[key] = answers[key_of_move]
        return self._verdicts[key]

    def _days(self, item: Bought, delivery: FinalDelivery, *, moves: bool, is_final: bool) -> dict[str, list[Span]]:
        final = final_node(delivery.use)
        return {
            "trade": [self.periods[item.delivered].span] if moves else [],
            "delivery": [self.periods[delivery.period].span],
            "order": [self._order_span(item)]
            if is_final
            else self._final_orders.get((delivery.compliance_class, final), []),
        }

    def _order_span(self, item: Bought) -> Span:
        if item.arc.lot >= 0:
            return self.problem.lots[item.arc.lot].acquired
        return self.periods[item.ordered].span

    @cached_property
    def _final_orders(self) -> dict[tuple[str, Node], list[Span]]:
        spans: defaultdict[tuple[str, Node], set[Span]] = defaultdict(set)
        for item in self.ledger.bought:
            spans[item.compliance_class, item.arc.node].add(self._order_span(item))
        return {key: sorted(days, key=str) for key, days in spans.items()}

    @cached_property
    def _deliveries_by_flow(self) -> dict[tuple[str, Node], list[FinalDelivery]]:
        deliveries: defaultdict[tuple[str, Node], dict[FinalDelivery, None]] = defaultdict(dict)
        for delivery, demand in self.ledger.deliveries:
            final_delivery = self._delivery(demand, delivery.period, delivery.compliance_class, delivery.waivers)
            deliveries[delivery.compliance_class, final_node(final_delivery.use)][final_delivery] = None
        return {key: list(unique) for key, unique in deliveries.items()}

    def _delivery(self, demand: int, period: int, compliance_class: str, waivers: Collection[str]) -> FinalDelivery:
        facts = self.problem.demands[demand]
        waived = frozenset(
            self._waivers[name].rule
            for name in waivers
            if name in self._waivers and self._fits(self._waivers[name], facts.id, facts.use.material.id, period)
        )
        return FinalDelivery(self._numbers[facts.use], facts.use, period, compliance_class, waived)

    @cached_property
    def _finals(self) -> dict[Node, list[Node]]:
        finals = sorted({node for _, node in self._deliveries_by_flow})
        return grouped((node, final) for final in finals for node in self._upstream(final))

    def _fits(self, waiver: WaiverSpec, demand: str, material: str, period: int) -> bool:
        dates = Span(start=waiver.start, end=waiver.end)
        return waiver.demand in ("", demand, material) and dates.covers(self.periods[period].span)

    def deliveries_of(self, item: Bought) -> list[FinalDelivery]:
        """Return the deliveries that a purchase may end in, or if there are none, everything that its compliance class serves."""
        return self._deliveries_of(item.compliance_class, item.arc.node, item.delivered)

    @cached_method
    def _deliveries_of(self, compliance_class: str, node: Node, delivered: int) -> list[FinalDelivery]:
        deliveries = [
            delivery
            for delivery, latest in self._deliveries(compliance_class, node)
            if min(delivery.period, latest) >= delivered
        ]
        return deliveries or self._possible_deliveries(compliance_class, node)

    @cached_method
    def _deliveries(self, compliance_class: str, node: Node) -> list[tuple[FinalDelivery, int]]:
        """Return the deliveries down the chain of a purchase, each with the latest arrival period of its material."""
        latest: dict[FinalDelivery, int] = {}
        for delivery, period in self._outlets(compliance_class, node, frozenset(), self.problem.case.horizon.count):
            latest[delivery] = max(period, latest.get(delivery, period))
        in_order = sorted(latest, key=lambda delivery: (delivery.number, delivery.period, delivery.compliance_class))
        return [(delivery, latest[delivery]) for delivery in in_order]

    @cached_method
    def _possible_deliveries(self, compliance_class: str, node: Node) -> list[FinalDelivery]:
        """Return everything that a compliance class serves down the chain of a node."""
        named_class, demands = self.problem.class_of.get(compliance_class), self.problem.demands
        outlets = [
            self._delivery(outlet.demand, outlet.period, compliance_class, outlet.waivers)
            for outlet in (named_class.outlets if named_class is not None else ())
            if node in self._upstream(final_node(demands[outlet.demand].use))
        ]
        return list(dict.fromkeys(outlets))

    def _outlets(
        self, compliance_class: str, node: Node, seen: frozenset[str], latest: int
    ) -> list[tuple[FinalDelivery, int]]:
        """Return the deliveries from a class and from the classes that its co-products were lent to, each with the latest arrival period."""
        deliveries = [
            (delivery, latest)
            for final in self._finals.get(node, ())
            for delivery in self._deliveries_by_flow.get((compliance_class, final), ())
        ]
        for transfer, offer in self.ledger.transfers:
            is_loan = transfer.from_compliance_class == compliance_class and transfer.to_compliance_class not in seen
            if is_loan and any(node in self._upstream(feed) for feed in self.problem.network.feeds.get(offer, ())):
                loan_period = min(latest, transfer.period)
                deliveries += self._outlets(transfer.to_compliance_class, node, seen | {compliance_class}, loan_period)
        return deliveries

    @cached_method
    def _upstream(self, node: Node) -> frozenset[Node]:
        return self.problem.network.reach(node)[1]


def _verdict_of(rule: Rule, arc: Arc, use: Use) -> Verdict:
    """Return a rule's verdict. Raise `InvalidResult` if a plugin's rule gives another one when it is asked again."""
    verdict = as_verdict(rule.judge(arc.chained, arc.move, use))
    if not is_own(type(rule)):
        second = as_verdict(rule.judge(arc.chained, arc.move, use))
        if second != verdict:
            raise InvalidResult(
                f"`judge` gave two different answers for {arc.chained.offer.id}: first {verdict.result}, then "
                f"{second.result}. A rule must depend only on its arguments"
            )
    return verdict


def check_law(ledger: PlanEntries) -> Compliance:
    compliance = Compliance(ledger)
    if any("judge" in rule.verbs for rule in ledger.problem.rules):
        for ruling in compliance.violations():
            _report_prohibited(ledger, ruling)
    _check_licenses(ledger)
    return compliance


def _report_prohibited(ledger: PlanEntries, ruling: Ruling) -> None:
    verdict = ruling.verdict
    ledger.report(
        "FS628",
        f"{ruling.item} may not serve {ruling.use.material.id} for {ruling.use.end_use} use: "
        f"{'unproven' if verdict.result is Result.UNPROVEN else 'prohibited'} by `{ruling.rule}`"
        + (f" at {verdict.stage}" if verdict.stage else "")
        + (f" ({', '.join(verdict.countries)})" if verdict.countries else ""),
        found=verdict.reason,
    )


def _check_licenses(ledger: PlanEntries) -> None:
    permits = {license_id(permit): permit for permit in ledger.problem.case.licenses}
    periods = ledger.problem.case.horizon.periods
    for item in ledger.licensed:
        for name in item.licenses:
            permit = permits.get(name)
            if permit is None:
                ledger.report("FS624", f"{item} moves under a license `{name}` that the case lacks")
            elif not Span(start=permit.start, end=permit.end).covers(periods[item.delivered].span):
                ledger.report("FS628", f"{item} arrives outside the days of license `{name}`")


def check_classes(ledger: PlanEntries) -> None:
    outlets = {
        each.label: {(outlet.demand, outlet.period, frozenset(outlet.waivers)) for outlet in each.outlets}
        for each in ledger.problem.compliance_classes
    }
    plan = ledger.plan
    labels = {*ledger.columns.labels, *(stock.compliance_class for stock in plan.stocks)}
    labels |= {make.compliance_class for make in plan.makes} - {""}
    labels |= {
        label for transfer in plan.transfers for label in (transfer.from_compliance_class, transfer.to_compliance_class)
    }
    labels |= {delivery.compliance_class for delivery in plan.deliveries}
    for label in sorted(labels - outlets.keys()):
        ledger.report("FS629", "the plan names a compliance class that its facts do not give", found=label)
    for delivery, number in ledger.deliveries:
        outlets_of_class = outlets.get(delivery.compliance_class)
        if (
            outlets_of_class is not None
            and (number, delivery.period, frozenset(delivery.waivers)) not in outlets_of_class
        ):
            period = ledger.problem.case.horizon.label(delivery.period)
            waiver_text = f" under {' and '.join(delivery.waivers)}" if delivery.waivers else ""
            ledger.report(
                "FS629",
                f"`{delivery.demand}` is served in {period}{waiver_text} from compliance class {delivery.compliance_class}, which does not serve it",
                found=f"{delivery.quantity} kg",
            )


def check_end_uses(ledger: PlanEntries) -> None:
    problem = ledger.problem
    counted = frozenset[str]().union(*(rule.counted_end_uses for rule in problem.rules))
    if not counted:
        return
    for delivery, number in ledger.deliveries:
        use = problem.demands[number].use.end_use
        if (use if use in counted else "") not in ends_of(problem, delivery.compliance_class):
            ledger.report(
                "FS629",
                f"`{delivery.demand}` is served by goods that were bought for other end uses",
                found=f"{delivery.quantity} kg of {delivery.compliance_class}, which is {_end_use_text(ends_of(problem, delivery.compliance_class))}",
                expected=f"goods for {use}",
            )
    for transfer, _ in ledger.transfers:
        giver, taker = (
            ends_of(problem, label) for label in (transfer.from_compliance_class, transfer.to_compliance_class)
        )
        if not taker <= giver:
            ledger.report(
                "FS629",
                f"output of `{transfer.offer}` is lent to other end uses than it was made for",
                found=f"{transfer.quantity} kg of {transfer.material}, made {_end_use_text(giver)}, "
                f"lent to a class {_end_use_text(taker)}",
            )


def check_tainted_goods(ledger: PlanEntries) -> None:
    rules = {rule.id: rule for rule in ledger.problem.rules if rule.keeps_apart}
    free_of = {each.label: each.free_of for each in ledger.problem.compliance_classes if each.free_of}
    for item in ledger.bought if free_of else ():
        for name in sorted(free_of.get(item.compliance_class, ())):
            if name not in rules or rules[name].taints(item.arc.chained):
                message = (
                    f"{item} is bought for a compliance class that must be free of goods that rule `{name}` taints"
                )
                ledger.report("FS629", message)
    for transfer, _ in ledger.transfers if free_of else ():
        free = frozenset[str]()
        if not free_of.get(transfer.to_compliance_class, free) <= free_of.get(transfer.from_compliance_class, free):
            ledger.report(
                "FS629",
                f"output of `{transfer.offer}` is lent to a compliance class that must be free of goods that a rule taints",
                found=f"{transfer.quantity} kg of {transfer.material}, from {transfer.from_compliance_class} to {transfer.to_compliance_class}",
            )


def ends_of(problem: Problem, label: str) -> frozenset[str]:
    """Return the end uses of a compliance class, among those that limits count."""
    compliance_class = problem.class_of.get(label)
    return compliance_class.ends if compliance_class is not None else frozenset()


def _end_use_text(ends: frozenset[str]) -> str:
    return f"for {' and '.join(sorted(use or 'another use' for use in ends)) or 'no use at all'}"
