"""What the rules say of every arc for every kind of use: asked once, dates apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..domain.case import Case, LicenceSpec
from ..domain.time import Span
from ..domain.use import Result, Use, Verdict
from ..domain.watch import told_each
from ..plugins import attributed
from ..rules.answers import as_verdict
from ..rules.base import PhaseStatus, Rule
from .network import Arc, Network, final_node


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


def judge_all(network: Network, rules: Sequence[Rule], uses: Sequence[Use]) -> dict[Use, Judgement]:
    """Asks every rule about every arc up the chain of every use; one without phases never holds, and is not asked."""
    judges = [(i, rule) for i, rule in enumerate(rules) if "judge" in rule.verbs and rule.phases]
    return {use: _judge_use(network, judges, use) for use in uses}


def _judge_use(network: Network, judges: Sequence[tuple[int, Rule]], use: Use) -> Judgement:
    reach, _ = network.reach(final_node(use))
    arcs = [network.arcs[index] for index in sorted(reach)]
    chain: dict[int, dict[int, Verdict]] = {}
    trade: dict[int, dict[int, Verdict]] = {}
    for number, rule in judges:
        with attributed(rule):
            if not rule.concerns(use):
                continue
            asked = [arc for arc in arcs if rule.bears_on == "chain" or _is_move(arc)]
            told = told_each(asked, f"asking rule {rule.id}", "ways")
            found = {arc.index: as_verdict(rule.judge(arc.chained, arc.move, use)) for arc in told}
        against = {index: verdict for index, verdict in found.items() if not verdict.passes}
        if against:
            (chain if rule.bears_on == "chain" else trade)[number] = against
    return Judgement(use=use, reach=reach, chain=chain, trade=trade)


def _is_move(arc: Arc) -> bool:
    """Stock in hand lies where it is: no rule on moves bears on it. Orders placed still have to come."""
    return arc.offer >= 0 or arc.move.crosses


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
        return not accept.unproven and (verdict.licence or arc.chained.offer.id not in accept.proven)

    def licences(self, verdict: Verdict, arc: Arc, use: Use, arrival: Span) -> tuple[str, ...] | None:
        """Licences under which a move that wants one may go on the days of `arrival`.

        Returns:
            Nothing needs counting: an empty tuple. Ids of licences, each bounded in quantity: one of them must be
            drawn on. None: there is no licence.
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
