"""Verdicts and charges of rules on every arc, queried once per kind of use, and the waivers for a delivery.

Waivers can form 2^n sets. But a kilogram needs only one waiver for each rule in force that prohibits a step of its chain, and more
would be used up for nothing. A product of several inputs can be regarded as made in parts, each from one chain. So the sets are
found by walking up the chains. Their number is at most that of chains that break different rules.

Charges are weighted by days. If several customs origins are possible, the highest charge applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from ..domain.base import as_decimal, exact, grouped
from ..domain.case import Case, LicenseSpec, WaiverSpec
from ..domain.facts import Material
from ..domain.runtime import cached_method, with_progress
from ..domain.time import Horizon, Span
from ..domain.use import PASS, Chained, Move, Result, Use, Verdict
from ..plugins import attributed
from ..rules.answers import as_charge, as_verdict
from ..rules.base import Phase, PhaseStatus, Rule, share_in_force
from ..rules.verdicts import is_origin_unknown, possible_origins, representative_countries
from .network import Arc, Network, Node, final_node
from .offers import OfferFacts
from .shared import Answers, ByRule, Charged, Delivery, SharedData


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts of every rule on the arcs that can reach a use: a demand's material, end use, place, buyer, and facts, without its dates."""

    use: Use
    reach: frozenset[int]
    chain: Mapping[int, Mapping[int, Verdict]]
    """Origin rule -> arc -> verdict, if it doesn't pass."""
    trade: Mapping[int, Mapping[int, Verdict]]
    """Export control -> arc -> verdict, if it doesn't pass."""


def judge_all(
    network: Network, law: Law, uses: Sequence[Use], shared: SharedData | None = None
) -> dict[Use, Judgement]:
    """Return the judgement of each use. Known verdicts of `shared` aren't queried again, and rules without phases are never in force."""
    moves = {id(arc.move): arc.move for arc in network.arcs}
    judges = [
        (i, rule, _concerned_moves(rule, moves, {} if shared is None else shared.planned.concerned(rule)))
        for i, rule in enumerate(law.rules)
        if "judge" in rule.verbs and rule.phases
    ]
    return {use: _judge_use(network, law, judges, use, shared) for use in uses}


_Judge = tuple[int, Rule, frozenset[int]]
"""Position of a rule, the rule, and the identities of the moves that it concerns."""


def _concerned_moves(rule: Rule, moves: Mapping[int, Move], known: dict[int, tuple[Move, bool]]) -> frozenset[int]:
    with attributed(rule):
        for number, move in moves.items():
            if number not in known:
                known[number] = move, rule.concerns_move(move)
    return frozenset([number for number in moves if known[number][1]])


def _judge_use(network: Network, law: Law, judges: Sequence[_Judge], use: Use, shared: SharedData | None) -> Judgement:
    reach, _ = network.reach(final_node(use))
    arcs = [network.arcs[index] for index in sorted(reach)]
    goods = {True: [_Goods.of(arc, arc.chained) for arc in arcs]}
    goods[False] = (
        goods[True] if shared is None else [_Goods.of(arc, shared.without_terms(arc.chained)) for arc in arcs]
    )
    moved_goods = {reads_terms: [each for each in every if each.arc.moves] for reads_terms, every in goods.items()}
    goods_by_scope = {"chain": goods, "trade": moved_goods}
    verdicts_by_subject: dict[str, dict[int, dict[int, Verdict]]] = {"chain": {}, "trade": {}}
    for position, rule, moves in judges:
        with attributed(rule):
            if not rule.concerns(use):
                continue
            verdicts = shared.planned.verdicts(rule, use) if shared is not None else {}
            # Lots with stated inputs are also judged by the moves of these.
            judged_goods = [
                each
                for each in goods_by_scope[rule.judge_scope][rule.judge_reads_terms]
                if each.key[1] in moves or each.is_lot_with_inputs
            ]
            if not judged_goods:
                continue
            unjudged = [each for each in judged_goods if each.key not in verdicts]
            for each in with_progress(unjudged, f"checking rule {rule.id}", "ways"):
                if each.key not in verdicts:
                    verdicts[each.key] = as_verdict(rule.judge(each.chained, each.arc.move, use))
            lot_verdicts = {
                each.arc.index: law.lot_verdict(rule, each.arc, use, verdicts)
                for each in judged_goods
                if each.is_lot_with_inputs
            }
        verdict_by_arc = {
            each.arc.index: verdict
            for each in judged_goods
            if (verdict := lot_verdicts.get(each.arc.index, verdicts[each.key])) is not PASS and not verdict.passes
        }
        if verdict_by_arc:
            verdicts_by_subject[rule.judge_scope][position] = verdict_by_arc
    return Judgement(use=use, reach=reach, chain=verdicts_by_subject["chain"], trade=verdicts_by_subject["trade"])


class _Goods(NamedTuple):
    """Goods on an arc, as a rule judges them."""

    key: Delivery
    arc: Arc
    chained: Chained
    is_lot_with_inputs: bool

    @classmethod
    def of(cls, arc: Arc, chained: Chained) -> _Goods:
        return cls((id(chained), id(arc.move)), arc, chained, arc.is_lot_with_inputs)


class Law:
    """Application of rules and their verdicts, given the case's accepted statuses and licenses."""

    def __init__(self, rules: Sequence[Rule], case: Case) -> None:
        self.rules = rules
        self.case = case
        self.statuses = frozenset(PhaseStatus(status) for status in case.accept.rule_status)

    def in_force(self, rule: int, span: Span) -> bool:
        return self.rules[rule].applies(span, self.statuses)

    def forbids(self, verdict: Verdict, arc: Arc) -> bool:
        """Return True if a verdict on an arc prohibits it, regardless of licenses."""
        if verdict.result is not Result.UNPROVEN:
            return verdict.result is Result.FAIL
        accept = self.case.accept
        return not accept.unproven and (verdict.license or (verdict.offer or arc.chained.offer.id) not in accept.proven)

    def lot_verdict(self, rule: Rule, arc: Arc, use: Use, verdicts: dict[Delivery, Verdict]) -> Verdict:
        """Return a rule's verdict on a lot made from inputs: the worst on its maker and on each stated input. Unconfirmed inputs count only against it. Fills `verdicts`."""
        lot_verdicts = []
        chain, confirmed = arc.stated or ((), False)
        makers = [*(() if confirmed else ((arc.chained, arc.move),)), *chain]
        for number, (chained, move) in enumerate(makers):
            key = id(chained), id(move)
            if key not in verdicts:
                verdicts[key] = as_verdict(rule.judge(chained, move, use))
            is_unstated = not (number or confirmed or rule.judge_scope == "trade")
            subject = f"inputs of {chained.offer.id}" if is_unstated else chained.offer.id
            lot_verdicts.append(verdicts[key] if verdicts[key].passes else verdicts[key].but(offer=subject))
        return max(lot_verdicts, key=lambda verdict: (self.forbids(verdict, arc), verdict.result.rank))

    def licenses(self, verdict: Verdict, arc: Arc, use: Use, arrival: Span) -> tuple[str, ...] | None:
        """Return the limited licenses of which a move must use one. Empty if the license is unlimited or assumed as granted. None without a license."""
        if self.case.assume.license.get(use.end_use) == "granted":
            return ()
        matching = [
            license
            for license in self.case.licenses
            if license.rule == verdict.rule
            and license.exporter in ("", arc.chained.facility.id, arc.chained.facility.country)
            and Span(start=license.start, end=license.end).covers(arrival)
        ]
        if not matching:
            return None
        if any(license.quantity is None for license in matching):
            return ()
        return tuple(sorted(license_id(license) for license in matching))


def license_id(license: LicenseSpec) -> str:
    return license.id or f"license:{license.rule}:{license.exporter or '*'}"


Broken = Mapping[int, frozenset[int]]
"""Arc -> rules in force that prohibit it."""


def waiver_id(waiver: WaiverSpec) -> str:
    return waiver.id or f"waiver:{waiver.rule}:{waiver.demand or '*'}"


def rules_to_waive(
    network: Network, reach: frozenset[int], final: Node, broken: Broken, waivable: frozenset[int]
) -> frozenset[frozenset[int]]:
    """Return every set of rules such that some chain up from `final` breaks exactly these. Arcs in `reach` lead up the chain. Chains that break a rule that isn't `waivable` don't count."""
    no_rules: frozenset[int] = frozenset()
    passable = [index for index in sorted(reach) if broken.get(index, no_rules) <= waivable]
    sets_by_node: dict[Node, set[frozenset[int]]] = {}
    has_grown = True
    while has_grown:  # Chains may be circular, but there are finitely many sets of rules.
        has_grown = False
        for index in passable:
            arc = network.arcs[index]
            sets = {broken.get(index, no_rules)}
            for feed in network.feeds.get(arc.offer, ()):
                sets = {rules | feed_rules for rules in sets for feed_rules in sets_by_node.get(feed, ())}
            node_sets = sets_by_node.setdefault(arc.node, set())
            if not sets <= node_sets:
                node_sets |= sets
                has_grown = True
    return frozenset(sets_by_node.get(final, ()))


def sets_of_waivers(waivers: Iterable[WaiverSpec], rule_sets: Iterable[frozenset[str]]) -> list[tuple[WaiverSpec, ...]]:
    """Return the sets of waivers with one waiver for each rule of a set, in every combination. Small sets come first, starting with none."""
    waivers_by_rule = grouped((waiver.rule, waiver) for waiver in sorted(waivers, key=waiver_id))
    combinations = {
        tuple(sorted(waiver_set, key=waiver_id))
        for rules in rule_sets
        for waiver_set in product(*(waivers_by_rule[r] for r in sorted(rules)))
    }
    return sorted(
        {(), *combinations}, key=lambda waiver_set: (len(waiver_set), [waiver_id(waiver) for waiver in waiver_set])
    )


_NOTHING = Decimal(0)


Surcharges = tuple[tuple[int, int, Decimal], ...]
"""Arc, order period, and charge, if charges depend on the use."""


class Charges:
    """Charges per kilogram by arc and order period, in the case's currency, undiscounted."""

    def __init__(
        self, network: Network, law: Law, offers: Sequence[OfferFacts], answers: Answers | None = None
    ) -> None:
        self.answers = answers
        self.network = network
        self.law = law
        self.offers = offers
        self.horizon: Horizon = law.case.horizon
        self.rules: list[Rule] = [rule for rule in law.rules if "charge" in rule.verbs]
        weights = [_weights(rule.phases, self.horizon, law.statuses) for rule in self.rules]
        # By period, the share of days on which each rule is in force.
        self._weights = list(zip(*weights, strict=True)) or [()] * self.horizon.count
        first: dict[tuple[Decimal, ...], int] = {}
        # By period, the first one in which all rules have equal shares.
        self._alike = [first.setdefault(weights, t) for t, weights in enumerate(self._weights)]
        self._parts_by_purchase: dict[tuple[int, Use, Decimal, int], dict[str, Decimal]] = {}
        self._parts_of_session: dict[tuple[int, int, str], dict[Charged, ByRule]] = {}
        self._charges_by_rule: dict[tuple[int, int, str], list[tuple[Rule, Decimal, dict[Charged, Decimal]]]] = {}
        self._charging_by_material: dict[str, list[tuple[int, Rule]]] = {}
        # Countries that represent all others. None before the first query.
        self._others: Sequence[str] | None = None
        self.by_use = any(rule.charge_reads_use for rule in self.rules)

    def common(self, judgements: Mapping[Use, Judgement]) -> list[tuple[Decimal, ...]]:
        """Return each arc's charge by order period. Zeros if charges depend on the use."""
        nothing = (Decimal(0),) * self.horizon.count
        charges = [nothing] * len(self.network.arcs)
        if self.by_use or not self.rules:
            return charges
        for use, judgement in judgements.items():
            for index in judgement.reach:
                if charges[index] is nothing:
                    charges[index] = self.of_arc(self.network.arcs[index], use)
        return charges

    def surcharges(self, judgements: Mapping[Use, Judgement]) -> dict[Use, Surcharges]:
        if not self.by_use:
            return {}
        return {
            use: tuple(
                (index, t, amount)
                for index in sorted(judgement.reach)
                for t, amount in enumerate(self.of_arc(self.network.arcs[index], use))
                if amount
            )
            for use, judgement in judgements.items()
        }

    def of_arc(self, arc: Arc, use: Use) -> tuple[Decimal, ...]:
        """Return the charge on one kilogram of an arc, by order period. Lots are already paid for, and have none."""
        if arc.offer < 0 or not self.rules:
            return (Decimal(0),) * self.horizon.count
        charge_by_key: dict[tuple[Decimal, int], Decimal] = {}
        charges: list[Decimal] = []
        last: tuple[Decimal | None, int] = None, -1
        charge = Decimal(0)
        for t, value in enumerate(self._values_of(arc.offer)):
            arrival = arc.arrival(t)
            if arrival >= self.horizon.count:
                charges.append(Decimal(0))
                continue
            alike = self._alike[arrival]
            if value is not last[0] or alike != last[1]:  # Most prices are one object for all periods.
                last = key = value, alike
                if key not in charge_by_key:
                    charge_by_key[key] = exact(sum(self._highest_parts(arc, use, *key).values(), Decimal(0)))
                charge = charge_by_key[key]
            charges.append(charge)
        return tuple(charges)

    def value(self, arc: Arc, t: int) -> Decimal:
        """Return the price of one kilogram of an arc ordered in period `t`, as rules see it: 0 if it is negative."""
        return self._values_of(arc.offer)[t]

    @cached_method
    def _values_of(self, offer: int) -> Sequence[Decimal]:
        facts, nothing = self.offers[offer], Decimal(0)
        mass = facts.mass_per_unit
        prices = facts.price if facts.has_one_output else tuple([exact(price / mass) for price in facts.price])
        return tuple([max(price, nothing) for price in prices]) if min(prices) < nothing else prices

    def parts(self, arc: Arc, use: Use, t: int) -> dict[str, Decimal]:
        """Return the charge of each rule, if any, on one kilogram of an arc ordered in period `t`."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        key = arc.index, use, self.value(arc, t), self._alike[arrival]
        if key not in self._parts_by_purchase:
            amounts = self._highest_parts(arc, use, *key[2:])
            self._parts_by_purchase[key] = {rule: amount for rule, amount in amounts.items() if amount}
        return self._parts_by_purchase[key]

    def parts_at(self, arc: Arc, use: Use, t: int, value: Decimal) -> Mapping[str, Decimal]:
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        return self._highest_parts(arc, use, value, self._alike[arrival])

    def charging(self, arc: Arc, use: Use, t: int) -> set[str]:
        """Return the rules that charge anything on an arc ordered in period `t`, for any possible origin."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return set()
        value, alike = self.value(arc, t), self._alike[arrival]
        parts_by_origin = (self._parts(arc, use, origin, value, alike) for origin in self._origins(arc))
        return {rule for parts in parts_by_origin for rule, amount in parts.items() if amount}

    def _highest_parts(self, arc: Arc, use: Use, value: Decimal, arrival: int) -> ByRule:
        parts_by_origin = [self._parts(arc, use, origin, value, arrival) for origin in self._origins(arc)]
        if len(parts_by_origin) == 1:
            return parts_by_origin[0]
        return max(parts_by_origin, key=lambda parts: sum(parts.values(), Decimal(0)))

    def _origins(self, arc: Arc) -> Sequence[str]:
        """Return the customs origins that a purchase may have: any country if the chain leaves it open."""
        if not is_origin_unknown(arc.chained):
            return sorted(arc.chained.origins[0])
        if self._others is None:
            self._others = representative_countries(self.rules)
        return possible_origins(arc.chained, self._others)

    def _parts(self, arc: Arc, use: Use, origin: str, value: Decimal, arrival: int) -> ByRule:
        material = arc.chained.material
        cached_parts = self._session_parts(use, arrival, material)
        key = id(arc.chained), id(arc.move), origin, str(value)
        parts = cached_parts.get(key)
        if parts is None:
            parts = cached_parts[key] = {}
            for rule, weight, charges in self._rules_with_charges(use, arrival, material):
                charge = charges.get(key)
                if charge is None:
                    with attributed(rule):
                        charge = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
                    charges[key] = charge
                parts[rule.id] = charge * weight if charge else _NOTHING
        return parts

    def _rules_with_charges(
        self, use: Use, arrival: int, material: Material
    ) -> list[tuple[Rule, Decimal, dict[Charged, Decimal]]]:
        if self.answers is None:
            return [(rule, share, {}) for rule, share in self._rules_in_force(arrival, material)]
        key = id(use), arrival, material.id
        if key not in self._charges_by_rule:
            charges = self.answers.charges
            self._charges_by_rule[key] = [
                (rule, share, charges(rule, use)) for rule, share in self._rules_in_force(arrival, material)
            ]
        return self._charges_by_rule[key]

    def _rules_in_force(self, arrival: int, material: Material) -> list[tuple[Rule, Decimal]]:
        weights = self._weights[arrival]
        return [(rule, share) for position, rule in self._charging(material) if (share := weights[position])]

    def _charging(self, material: Material) -> list[tuple[int, Rule]]:
        """Return the rules that may charge something on a material, with their positions."""
        if material.id not in self._charging_by_material:
            known = {} if self.answers is None else self.answers.charging(material)
            for rule in self.rules:
                if id(rule) not in known:
                    with attributed(rule):
                        known[id(rule)] = rule, rule.charges_on(material)
            charging = [(position, rule) for position, rule in enumerate(self.rules) if known[id(rule)][1]]
            self._charging_by_material[material.id] = charging
        return self._charging_by_material[material.id]

    def _session_parts(self, use: Use, arrival: int, material: Material) -> dict[Charged, ByRule]:
        if self.answers is None:
            return {}
        key = id(use), arrival, material.id
        if key not in self._parts_of_session:
            self._parts_of_session[key] = self.answers.parts(self._rules_in_force(arrival, material), use)
        return self._parts_of_session[key]


@lru_cache(maxsize=4096)
def _weights(phases: tuple[Phase, ...], horizon: Horizon, statuses: frozenset[PhaseStatus]) -> tuple[Decimal, ...]:
    """Return the share of days in each period on which some phases are in force, as a stored number. Cached across problems."""
    return tuple(as_decimal(share_in_force(phases, period.span, statuses)) for period in horizon.periods)
