"""What the rules say of every arc for every kind of use, asked once, dates apart; and which waivers a delivery may draw on.

With n waivers there are 2^n sets. But a kilogram needs its own alone: one for each rule in force that forbids a step of the chain it
came by, and more would only be used up for nothing. What is made of several inputs may be thought of as made in parts, each of one
chain. So the sets are found by walking up the chains, and there are no more of them than chains that break different rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ..domain.base import grouped
from ..domain.case import Case, LicenceSpec, WaiverSpec
from ..domain.runtime import told_each
from ..domain.time import Span
from ..domain.use import PASS, Result, Use, Verdict
from ..plugins import attributed
from ..rules.answers import as_verdict
from ..rules.base import PhaseStatus, Rule
from .kept import Answers, Delivery
from .network import Arc, Network, Node, final_node


@dataclass(frozen=True, slots=True)
class Judgement:
    """What every rule finds against the arcs that can reach one kind of use.

    A kind of use is a demand's material, end use, place, buyer and facts; its dates are kept apart.
    """

    use: Use
    reach: frozenset[int]
    chain: Mapping[int, Mapping[int, Verdict]]
    """Rule of origin -> arc -> verdict, where it does not pass."""
    trade: Mapping[int, Mapping[int, Verdict]]
    """Export control -> arc -> verdict, where it does not pass."""


def judge_all(network: Network, law: Law, uses: Sequence[Use], answers: Answers | None = None) -> dict[Use, Judgement]:
    """Asks every rule about every arc up the chain of every use, but for what is among `answers`; one without phases never holds, and
    is not asked.
    """
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
            for arc in told_each(unknown, f"asking rule {rule.id}", "ways"):
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
    """Arcs, each with what tells what is delivered by it and how."""
    return [((id(arc.chained), id(arc.move)), arc) for arc in arcs]


class Law:
    """Which verdicts forbid, on which days, given the case's statuses and licences."""

    def __init__(self, rules: Sequence[Rule], case: Case) -> None:
        self.rules = rules
        self.case = case
        self.statuses = frozenset(PhaseStatus(status) for status in case.accept.rule_status)

    def in_force(self, rule: int, span: Span) -> bool:
        """Whether a rule applies on any day of `span`."""
        return self.rules[rule].applies(span, self.statuses)

    def forbids(self, verdict: Verdict, arc: Arc) -> bool:
        """Whether a verdict on an arc forbids, licences apart."""
        if verdict.result is not Result.UNPROVEN:
            return verdict.result is Result.FAIL
        accept = self.case.accept
        return not accept.unproven and (verdict.licence or (verdict.offer or arc.chained.offer.id) not in accept.proven)

    def of_lot(self, rule: Rule, arc: Arc, use: Use, known: dict[Delivery, Verdict]) -> Verdict:
        """Return a rule's verdict on a lot that is made from inputs: the worst on its maker and on each input that it states.

        Inputs that are not confirmed count against the lot, and answer for nothing. Nor does the case's word for its maker answer for them.

        Args:
            rule: The rule.
            arc: The arc of the lot.
            use: The use.
            known: Verdicts of the rule for the use, to look up and to add to.
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
        """Licences, each bounded in quantity, of which one must be drawn on by a move that wants one and goes on the days of `arrival`.

        An empty tuple: nothing needs counting. None: there is no licence.
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
    """Name of a licence: its own, or its rule's and exporter's."""
    return licence.id or f"licence:{licence.rule}:{licence.exporter or '*'}"


Broken = Mapping[int, frozenset[int]]
"""Arc -> rules in force that forbid it."""


def waiver_id(waiver: WaiverSpec) -> str:
    """Name of a waiver: its own, or its rule's and demand's."""
    return waiver.id or f"waiver:{waiver.rule}:{waiver.demand or '*'}"


def rules_to_waive(
    network: Network, reach: frozenset[int], final: Node, broken: Broken, waivable: frozenset[int]
) -> frozenset[frozenset[int]]:
    """Every set of rules such that some chain up from `final` breaks just these.

    Arcs in `reach` lead up the chain; one that `broken` does not tell of breaks nothing. A chain that breaks a rule of which there is no
    waiver is none.
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
    """One waiver for each rule of a set, in every way, for each set that is wanted; small sets first, and none of them before all."""
    of_rule = grouped((waiver.rule, waiver) for waiver in sorted(waivers, key=waiver_id))
    drawn = {
        tuple(sorted(some, key=waiver_id)) for rules in wanted for some in product(*(of_rule[r] for r in sorted(rules)))
    }
    return sorted({(), *drawn}, key=lambda some: (len(some), [waiver_id(waiver) for waiver in some]))
