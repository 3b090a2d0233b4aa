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

from ..domain.base import as_decimal, exact, grouped
from ..domain.case import Case, LicenceSpec, WaiverSpec
from ..domain.facts import Material
from ..domain.runtime import cached_method, with_progress
from ..domain.time import Horizon, Span
from ..domain.use import PASS, Result, Use, Verdict
from ..plugins import attributed
from ..rules.answers import as_charge, as_verdict
from ..rules.base import Phase, PhaseStatus, Rule, share_in_force
from ..rules.verdicts import is_origin_unknown, possible_origins, told_apart
from .kept import Answers, ByRule, Charged, Delivery
from .network import Arc, Network, Node, final_node
from .offers import OfferFacts


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts of every rule on the arcs that can reach one kind of use.

    A kind of use is a demand's material, end use, place, buyer, and facts, without its dates.
    """

    use: Use
    reach: frozenset[int]
    chain: Mapping[int, Mapping[int, Verdict]]
    """Origin rule -> arc -> verdict, if it doesn't pass."""
    trade: Mapping[int, Mapping[int, Verdict]]
    """Export control -> arc -> verdict, if it doesn't pass."""


def judge_all(network: Network, law: Law, uses: Sequence[Use], answers: Answers | None = None) -> dict[Use, Judgement]:
    """Return the judgement of each use. Verdicts in `answers` aren't queried again, and rules without phases are never in force."""
    judges = [(i, rule) for i, rule in enumerate(law.rules) if "judge" in rule.verbs and rule.phases]
    return {use: _judge_use(network, law, judges, use, answers) for use in uses}


def _judge_use(
    network: Network, law: Law, judges: Sequence[tuple[int, Rule]], use: Use, answers: Answers | None
) -> Judgement:
    reach, _ = network.reach(final_node(use))
    arcs = [network.arcs[index] for index in sorted(reach)]
    ways = {"chain": _ways(arcs), "trade": _ways([arc for arc in arcs if arc.moves])}
    found: dict[str, dict[int, dict[int, Verdict]]] = {"chain": {}, "trade": {}}
    for number, rule in judges:
        with attributed(rule):
            if not rule.concerns(use):
                continue
            known = answers.verdicts(rule, use) if answers is not None else {}
            asked = ways[rule.bears_on]
            unknown = [arc for key, arc in asked if key not in known]
            for arc in with_progress(unknown, f"asking rule {rule.id}", "ways"):
                key = id(arc.chained), id(arc.move)
                if key not in known:
                    known[key] = as_verdict(rule.judge(arc.chained, arc.move, use))
            own = {arc.index: law.of_lot(rule, arc, use, known) for _, arc in asked if arc.is_made_lot}
        against = {
            arc.index: verdict
            for key, arc in asked
            if (verdict := own.get(arc.index, known[key])) is not PASS and not verdict.passes
        }
        if against:
            found[rule.bears_on][number] = against
    return Judgement(use=use, reach=reach, chain=found["chain"], trade=found["trade"])


def _ways(arcs: Sequence[Arc]) -> list[tuple[Delivery, Arc]]:
    """Return arcs with the identities of the delivered good and its move."""
    return [((id(arc.chained), id(arc.move)), arc) for arc in arcs]


class Law:
    """Application of rules and their verdicts, given the case's accepted statuses and licenses."""

    def __init__(self, rules: Sequence[Rule], case: Case) -> None:
        self.rules = rules
        self.case = case
        self.statuses = frozenset(PhaseStatus(status) for status in case.accept.rule_status)

    def in_force(self, rule: int, span: Span) -> bool:
        """Return True if a rule applies on any day of `span`."""
        return self.rules[rule].applies(span, self.statuses)

    def forbids(self, verdict: Verdict, arc: Arc) -> bool:
        """Return True if a verdict on an arc prohibits it, regardless of licenses."""
        if verdict.result is not Result.UNPROVEN:
            return verdict.result is Result.FAIL
        accept = self.case.accept
        return not accept.unproven and (verdict.licence or (verdict.offer or arc.chained.offer.id) not in accept.proven)

    def of_lot(self, rule: Rule, arc: Arc, use: Use, known: dict[Delivery, Verdict]) -> Verdict:
        """Return a rule's verdict on a lot that is made from inputs: the worst on its maker and on each stated input.

        Unconfirmed inputs count against the lot, but never for it. The case's acceptance of the maker doesn't extend to them.
        `known` contains verdicts of the rule for the use, to look up and to add to.
        """
        found = []
        chain, confirmed = arc.stated or ((), False)
        judged = [*(() if confirmed else ((arc.chained, arc.move),)), *chain]
        for number, (chained, move) in enumerate(judged):
            key = id(chained), id(move)
            if key not in known:
                known[key] = as_verdict(rule.judge(chained, move, use))
            unknown = not (number or confirmed or rule.bears_on == "trade")
            about = f"inputs of {chained.offer.id}" if unknown else chained.offer.id
            found.append(known[key] if known[key].passes else known[key].but(offer=about))
        return max(found, key=lambda verdict: (self.forbids(verdict, arc), verdict.result.rank))

    def licences(self, verdict: Verdict, arc: Arc, use: Use, arrival: Span) -> tuple[str, ...] | None:
        """Return the limited licenses of which a move that needs one, on the days of `arrival`, must use one.

        Empty if the license is unlimited or assumed as granted. None if there is no license.
        """
        if self.case.assume.licence.get(use.end_use) == "granted":
            return ()
        fitting = [
            licence
            for licence in self.case.licences
            if licence.rule == verdict.rule
            and licence.exporter in ("", arc.chained.facility.id, arc.chained.facility.country)
            and Span(start=licence.start, end=licence.end).covers(arrival)
        ]
        if not fitting:
            return None
        if any(licence.quantity is None for licence in fitting):
            return ()
        return tuple(sorted(licence_id(licence) for licence in fitting))


def licence_id(licence: LicenceSpec) -> str:
    """Return the name of a license: its own, or its rule's and exporter's."""
    return licence.id or f"licence:{licence.rule}:{licence.exporter or '*'}"


Broken = Mapping[int, frozenset[int]]
"""Arc -> rules in force that prohibit it."""


def waiver_id(waiver: WaiverSpec) -> str:
    """Return the name of a waiver: its own, or its rule's and demand's."""
    return waiver.id or f"waiver:{waiver.rule}:{waiver.demand or '*'}"


def rules_to_waive(
    network: Network, reach: frozenset[int], final: Node, broken: Broken, waivable: frozenset[int]
) -> frozenset[frozenset[int]]:
    """Return every set of rules such that some chain up from `final` breaks exactly these.

    Arcs in `reach` lead up the chain. An arc that isn't in `broken` breaks nothing. Chains that break a rule without a waiver don't count.
    """
    none: frozenset[int] = frozenset()
    open_ = [index for index in sorted(reach) if broken.get(index, none) <= waivable]
    found: dict[Node, set[frozenset[int]]] = {}
    grown = True
    while grown:  # until no chain is new: chains may come back to where they began, sets of rules are finitely many
        grown = False
        for index in open_:
            arc = network.arcs[index]
            sets = {broken.get(index, none)}
            for feed in network.feeds.get(arc.offer, ()):
                sets = {some | more for some in sets for more in found.get(feed, ())}
            known = found.setdefault(arc.node, set())
            if not sets <= known:
                known |= sets
                grown = True
    return frozenset(found.get(final, ()))


def sets_of_waivers(waivers: Iterable[WaiverSpec], wanted: Iterable[frozenset[str]]) -> list[tuple[WaiverSpec, ...]]:
    """Return the sets of waivers with one waiver for each rule of a wanted set, in every combination. Small sets come first, starting with none."""
    of_rule = grouped((waiver.rule, waiver) for waiver in sorted(waivers, key=waiver_id))
    drawn = {
        tuple(sorted(some, key=waiver_id)) for rules in wanted for some in product(*(of_rule[r] for r in sorted(rules)))
    }
    return sorted({(), *drawn}, key=lambda some: (len(some), [waiver_id(waiver) for waiver in some]))


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
        self._weights = list(zip(*weights, strict=True)) or [()] * self.horizon.count
        """By period, the share of days on which each rule is in force."""
        first: dict[tuple[Decimal, ...], int] = {}
        self._alike = [first.setdefault(weights, t) for t, weights in enumerate(self._weights)]
        """By period, the first one in which all rules have equal shares."""
        self._told: dict[tuple[int, Use, Decimal, int], dict[str, Decimal]] = {}
        self._told_before: dict[tuple[int, int, str], dict[Charged, ByRule]] = {}
        self._asked: dict[tuple[int, int, str], list[tuple[Rule, Decimal, dict[Charged, Decimal]]]] = {}
        self._may_charge: dict[tuple[int, str], list[tuple[Rule, Decimal]]] = {}
        self._others: Sequence[str] | None = None
        """Countries that represent all others. None before the first query."""
        self.by_use = any(rule.charge_reads_use for rule in self.rules)

    def common(self, judgements: Mapping[Use, Judgement]) -> list[tuple[Decimal, ...]]:
        """Return each arc's charge by order period, for any use that it can reach. Zeros if charges depend on the use."""
        nothing = (Decimal(0),) * self.horizon.count
        found = [nothing] * len(self.network.arcs)
        if self.by_use or not self.rules:
            return found
        for use, judgement in judgements.items():
            for index in judgement.reach:
                if found[index] is nothing:
                    found[index] = self.of_arc(self.network.arcs[index], use)
        return found

    def surcharges(self, judgements: Mapping[Use, Judgement]) -> dict[Use, Surcharges]:
        """Return all charges of every use. Empty if no rule makes them depend on the use."""
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
        known: dict[tuple[Decimal, int], Decimal] = {}
        charges: list[Decimal] = []
        last: tuple[Decimal | None, int] = None, -1
        charge = Decimal(0)
        for t, value in enumerate(self._values_of(arc.offer)):
            arrival = arc.arrival(t)
            if arrival >= self.horizon.count:
                charges.append(Decimal(0))
                continue
            alike = self._alike[arrival]
            if value is not last[0] or alike != last[1]:  # most prices are one object for all periods
                last = key = value, alike
                if key not in known:
                    known[key] = exact(sum(self._dearest_parts(arc, use, *key).values(), Decimal(0)))
                charge = known[key]
            charges.append(charge)
        return tuple(charges)

    def value(self, arc: Arc, t: int) -> Decimal:
        """Return the price of one kilogram of an arc ordered in period `t`, as rules see it: 0 if it is negative."""
        return self._values_of(arc.offer)[t]

    @cached_method
    def _values_of(self, offer: int) -> Sequence[Decimal]:
        facts, nothing = self.offers[offer], Decimal(0)
        mass = facts.mass_per_unit
        found = facts.price if facts.single else tuple([exact(price / mass) for price in facts.price])
        return tuple([max(price, nothing) for price in found]) if min(found) < nothing else found

    def parts(self, arc: Arc, use: Use, t: int) -> dict[str, Decimal]:
        """Return the charge of each rule, if any, on one kilogram of an arc ordered in period `t`. `of_arc` returns their sum."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        key = arc.index, use, self.value(arc, t), self._alike[arrival]
        if key not in self._told:
            found = self._dearest_parts(arc, use, *key[2:])
            self._told[key] = {rule: amount for rule, amount in found.items() if amount}
        return self._told[key]

    def parts_at(self, arc: Arc, use: Use, t: int, value: Decimal) -> Mapping[str, Decimal]:
        """Return the charge of each rule for another price of a kilogram."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return {}
        return self._dearest_parts(arc, use, value, self._alike[arrival])

    def charging(self, arc: Arc, use: Use, t: int) -> set[str]:
        """Return the rules that charge anything on an arc ordered in period `t`, for any possible origin."""
        arrival = arc.arrival(t)
        if arc.offer < 0 or arrival >= self.horizon.count or not self.rules:
            return set()
        value, alike = self.value(arc, t), self._alike[arrival]
        found = (self._parts(arc, use, origin, value, alike) for origin in self._origins(arc))
        return {rule for parts in found for rule, amount in parts.items() if amount}

    def _dearest_parts(self, arc: Arc, use: Use, value: Decimal, arrival: int) -> ByRule:
        found = [self._parts(arc, use, origin, value, arrival) for origin in self._origins(arc)]
        if len(found) == 1:
            return found[0]
        return max(found, key=lambda parts: sum(parts.values(), Decimal(0)))

    def _origins(self, arc: Arc) -> Sequence[str]:
        """Return the customs origins that a purchase may have: any country if the chain leaves it open."""
        if not is_origin_unknown(arc.chained):
            return sorted(arc.chained.origins[0])
        if self._others is None:
            self._others = told_apart(self.rules)
        return possible_origins(arc.chained, self._others)

    def _parts(self, arc: Arc, use: Use, origin: str, value: Decimal, arrival: int) -> ByRule:
        material = arc.chained.material
        told = self._known_parts(use, arrival, material)
        key = id(arc.chained), id(arc.move), origin, str(value)
        found = told.get(key)
        if found is None:
            found = told[key] = {}
            for rule, weight, known in self._answered(use, arrival, material):
                charge = known.get(key)
                if charge is None:
                    with attributed(rule):
                        charge = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
                    known[key] = charge
                found[rule.id] = charge * weight if charge else _NOTHING
        return found

    def _answered(
        self, use: Use, arrival: int, material: Material
    ) -> list[tuple[Rule, Decimal, dict[Charged, Decimal]]]:
        """Return the rules that may charge on a material in a period, with their share of days and their known charges."""
        if self.answers is None:
            return [(rule, part, {}) for rule, part in self._holding(arrival, material)]
        key = id(use), arrival, material.id
        if key not in self._asked:
            charges = self.answers.charges
            self._asked[key] = [(rule, part, charges(rule, use)) for rule, part in self._holding(arrival, material)]
        return self._asked[key]

    def _holding(self, arrival: int, material: Material) -> list[tuple[Rule, Decimal]]:
        """Return the rules that may charge on a material in a period, with their share of days."""
        key = arrival, material.id
        if key not in self._may_charge:
            held = [(rule, part) for rule, part in zip(self.rules, self._weights[arrival], strict=True) if part]
            self._may_charge[key] = [(rule, part) for rule, part in held if self._charges_on(rule, material)]
        return self._may_charge[key]

    @staticmethod
    def _charges_on(rule: Rule, material: Material) -> bool:
        with attributed(rule):
            return rule.charges_on(material)

    def _known_parts(self, use: Use, arrival: int, material: Material) -> dict[Charged, ByRule]:
        if self.answers is None:
            return {}
        key = id(use), arrival, material.id
        if key not in self._told_before:
            self._told_before[key] = self.answers.parts(self._holding(arrival, material), use)
        return self._told_before[key]


@lru_cache(maxsize=4096)
def _weights(phases: tuple[Phase, ...], horizon: Horizon, statuses: frozenset[PhaseStatus]) -> tuple[Decimal, ...]:
    """Return the share of days in each period on which some phases are in force, as a stored number. Cached across problems."""
    return tuple(as_decimal(share_in_force(phases, period.span, statuses)) for period in horizon.periods)
