"""What keeps supply from a demand that no plan serves better: a rule, a date, a lead time, a capacity, a limit or an input, by name.

Everything but limits is read off the facts and the plan: which offers could bring the material, which of them the rules admit, when what they
admit can be there at the earliest, and whether anything of it is left. Which limits matter is found by solving without them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import Literal, NamedTuple, get_args

from ..domain.base import grouped
from ..domain.use import Result, Use
from ..problem import Problem
from ..problem.capacity import Pool
from ..problem.compliance_classes import ComplianceClass
from ..problem.network import Arc, Node, final_node
from ..verify import VerifiedPlan
from .eligibility import Eligibilities

CauseKind = Literal["no offer", "rule", "lead time", "date", "inputs", "capacity", "limit", "terms"]


class SupplyCause(NamedTuple):
    """One thing that keeps supply out, with the offers it keeps out."""

    kind: CauseKind
    text: str
    offers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}: {_named(self.offers)}" if self.offers else self.text


_NAMED = 2
"""Offers that are named of those with the same cause, within a sentence on what is made of them."""
_NEVER = SupplyCause("date", "gives nothing in time")
_STEPS = 50
"""Steps up a chain of makers at which the search for causes ends."""
_FAR = SupplyCause("inputs", f"more than {_STEPS} steps up the chain, where no cause is looked for")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about: a kind of use, the period of its delivery, and the classes of uses that may serve it."""

    use: Use
    period: int
    serving: Sequence[ComplianceClass]
    told: dict[tuple[Node, int], tuple[Node, list[SupplyCause]]] = field(default_factory=dict)
    """What is lacking of a material by the end of a period, and where that is told first: elsewhere it is not told again."""


class SupplyCauses:
    """Why nothing more is available for a demand in a period."""

    def __init__(self, verified: VerifiedPlan, limiting: Mapping[str, Sequence[str]]) -> None:
        """Looks at a plan; `limiting`: demand -> limit rules without which it would be less short, as solving without them shows."""
        self.problem: Problem = verified.problem
        self.verified, self.limiting = verified, limiting
        self.standings = Eligibilities(self.problem)
        self._earliest: dict[int, dict[Node, int]] = {}
        self._known_moves: dict[int, list[tuple[int, int]]] = {}
        self._known_admitted: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._known_drawn: dict[tuple[str, int], Decimal] = {}
        self._known_open: dict[int, frozenset[int]] = {}
        self._pools = {pool.facility: pool for pool in self.problem.pools}

    def of(self, demand: int, period: int) -> list[SupplyCause]:
        """What keeps supply from a demand in a period, what the law says first."""
        wanted = self.problem.demands[demand]
        serving = [
            compliance_class
            for compliance_class in self.problem.compliance_classes
            if any(outlet.demand == demand and outlet.period == period for outlet in compliance_class.outlets)
        ]
        asked = _Asked(wanted.use, period, serving)
        found = self._node(asked, final_node(wanted.use), period, frozenset())
        rules = self.limiting.get(wanted.id, ())
        if rules:
            named = " or ".join(f"`{rule}`" for rule in rules)
            found = [cause for cause in found if cause.kind != "terms"]
            found.append(SupplyCause("limit", f"without {named} more would be available over the plan"))
        return found

    def spare(self, demand: int, period: int) -> bool:
        """Whether something lawful is there in time and not used up: only a limit or terms can then keep it out."""
        return any(cause.kind == "terms" for cause in self.of(demand, period))

    def _node(self, asked: _Asked, node: Node, period: int, seen: frozenset[Node]) -> list[SupplyCause]:
        """Causes at a material and place by the end of a period, offers with the same told together."""
        offers: dict[SupplyCause, list[str]] = {}
        for index in self.problem.network.into.get(node, ()):
            arc = self.problem.network.arcs[index]
            if arc.offer >= 0:
                for against in self._against(asked, arc, period, seen | {node}):
                    offers.setdefault(against, []).append(arc.chained.offer.id)
        if len(offers) > 1:
            offers.pop(_NEVER, None)  # of no use to anybody, where something else is
        if not offers:
            return self._leads(node[0])
        order = list(get_args(CauseKind))
        ranked = sorted(offers.items(), key=lambda item: (order.index(item[0].kind), item[0].text))
        return [against._replace(offers=tuple(dict.fromkeys(names))) for against, names in ranked]

    def _leads(self, material: str) -> list[SupplyCause]:
        """A material of which no offer counts, with those that might, by what is not known of them."""
        leads = (lead for lead in self.problem.leads if any(o.material == material for o in lead.offer.outputs))
        by_reason = grouped((lead.reasons[0], lead.offer.id) for lead in leads)
        none = f"no offer of {material} counts"
        found = [
            SupplyCause("no offer", f"{none}, {reason}", tuple(names)) for reason, names in sorted(by_reason.items())
        ]
        return found or [SupplyCause("no offer", none)]

    def _against(self, asked: _Asked, arc: Arc, period: int, seen: frozenset[Node]) -> list[SupplyCause]:
        """Why one offer brings no more by the end of a period."""
        moves = self._moves(arc)
        admitted = [self._admitted(compliance_class, arc) for compliance_class in asked.serving]
        if moves and not any(admitted):
            return self._law(asked, arc, period)
        if not moves:
            lawful = any(compliance_class.admits(arc.index, period) for compliance_class in asked.serving)
            return [_NEVER] if lawful else self._law(asked, arc, period)
        first = min(moves, key=itemgetter(1))
        if first[1] > period:
            return [self._late(arc, first, moves[0][0])]
        latest = [
            (compliance_class, some, _latest(some, period))
            for compliance_class, some in zip(asked.serving, admitted, strict=True)
        ]
        in_time = [order for _, _, order in latest if order is not None]
        if not in_time:
            return self._law(asked, arc, period)
        fed = [(r, some) for r, some, order in latest if order is not None and self._fed(r, arc, order)]
        if not fed:
            return self._inputs(asked, arc, max(in_time), seen)
        left = self._open_in(arc.offer)
        if left and any(o in left and a <= period and self._fed(r, arc, o) for r, some in fed for o, a in some):
            causes = self._inputs(asked, arc, max(in_time), seen)
            return causes or [SupplyCause("terms", "other limits or terms leave no room")]
        return [SupplyCause("capacity", "already gives all it can")]

    def _admitted(self, compliance_class: ComplianceClass, arc: Arc) -> list[tuple[int, int]]:
        """Of the moves of an offer, those that a class of uses admits."""
        key = (compliance_class.index, arc.index)
        if key not in self._known_admitted:
            self._known_admitted[key] = [(o, a) for o, a in self._moves(arc) if compliance_class.admits(arc.index, a)]
        return self._known_admitted[key]

    def _moves(self, arc: Arc) -> list[tuple[int, int]]:
        """Periods of order and of arrival in which anything may be ordered, in order."""
        if arc.index not in self._known_moves:
            moves = self.problem.moves
            found = range(int(moves.first[arc.index]), int(moves.first[arc.index + 1]))
            pairs = [(int(moves.ordered[move]), int(moves.delivered[move])) for move in found]
            self._known_moves[arc.index] = [(o, a) for o, a in pairs if self.standings.units(arc.offer, o) != 0]
        return self._known_moves[arc.index]

    def _law(self, asked: _Asked, arc: Arc, period: int) -> list[SupplyCause]:
        """The rules that keep an offer out: all that bar it; where none does, all that it is not proved to pass."""
        judgement, law = self.problem.judgements[asked.use], self.problem.law
        periods = self.problem.case.horizon.periods
        until = [p.span for p in periods[: period + 1]]
        found: dict[str, list[str]] = {}
        for table in (judgement.chain, judgement.trade):
            for position, verdicts in table.items():
                verdict, rule = verdicts.get(arc.index), self.problem.rules[position]
                by_delivery = rule.bears_on == "chain" and rule.dated_by == "delivery"
                spans = [periods[asked.period].span] if by_delivery else until
                if (
                    verdict is None
                    or not law.forbids(verdict, arc)
                    or not any(law.in_force(position, s) for s in spans)
                ):
                    continue
                unproven = verdict.result is Result.UNPROVEN
                how = (
                    "wanting a licence under" if verdict.licence else "not proved to pass" if unproven else "barred by"
                )
                found.setdefault(how, []).append(f"`{rule.id}`")
        if "barred by" in found:
            found = {"barred by": found["barred by"]}
        causes = [SupplyCause("rule", f"{how} {' and '.join(rules)}") for how, rules in found.items()]
        return causes or [SupplyCause("rule", "barred in this combination of uses")]

    def _late(self, arc: Arc, first: tuple[int, int], earliest: int) -> SupplyCause:
        """Why the first that may arrive comes too late; of what may be ordered from an `earliest` period on."""
        horizon = self.problem.case.horizon
        ordered, arrival = first
        if ordered > earliest:
            text = f"the lead time is shorter from {horizon.label(ordered)} on; what is ordered then arrives first, {horizon.label(arrival)}"
            return SupplyCause("lead time", text)
        if not ordered:
            text = f"earliest order, placed {horizon.start}, arrives {horizon.label(arrival)}"
            return SupplyCause("lead time", text)
        facts = self.problem.offers[arc.offer]
        why = "its capacity begins then"
        if all(most == 0 for most in facts.most[:ordered]):
            said = "qualified" if facts.offer.qualification and facts.offer.start is None else "offered"
            why = f"not {said} before"
        return SupplyCause(
            "date", f"can be ordered from {horizon.label(ordered)} on ({why}), arrives {horizon.label(arrival)}"
        )

    def _inputs(self, asked: _Asked, arc: Arc, ordered: int, seen: frozenset[Node]) -> list[SupplyCause]:
        """What a maker lacks, and why that is; nothing if more of all that it takes in were available."""
        found = []
        for feed in self.problem.network.feeds.get(arc.offer, ()):
            if feed in seen:
                continue
            if (feed, ordered) not in asked.told:
                causes = self._node(asked, feed, ordered, seen) if len(seen) < _STEPS else [_FAR]
                asked.told[feed, ordered] = arc.node, causes
            where, causes = asked.told[feed, ordered]
            if causes and not any(cause.kind == "terms" for cause in causes):
                told = "; ".join(map(str, causes)) if where == arc.node else "as told"
                found.append(
                    SupplyCause("inputs", f"no more {feed[0]} to make it of by {self._label(ordered)} ({told})")
                )
        return found

    def _label(self, period: int) -> str:
        return self.problem.case.horizon.label(period)

    def _fed(self, compliance_class: ComplianceClass, arc: Arc, ordered: int) -> bool:
        """Whether all that an offer takes in may be there when it is ordered, quantities apart."""
        first = self._first(compliance_class)
        count = self.problem.case.horizon.count
        return all(first.get(feed, count) <= ordered for feed in self.problem.network.feeds.get(arc.offer, ()))

    def _first(self, compliance_class: ComplianceClass) -> dict[Node, int]:
        """Material and place -> first period in which anything that a compliance class admits can be there."""
        if compliance_class.index not in self._earliest:
            network, first = self.problem.network, dict[Node, int]()
            self._earliest[compliance_class.index] = first
            arcs = [network.arcs[i] for node in sorted(compliance_class.nodes) for i in network.into.get(node, ())]
            changed = True
            while changed:  # each round lets some node be reached sooner, or is the last
                changed = False
                for arc in arcs:
                    arrival = self._arrival(compliance_class, arc)
                    if arrival is not None and arrival < first.get(arc.node, arrival + 1):
                        first[arc.node] = arrival
                        changed = True
        return self._earliest[compliance_class.index]

    def _arrival(self, compliance_class: ComplianceClass, arc: Arc) -> int | None:
        if arc.lot >= 0:
            there = self.problem.lots[arc.lot].period
            return there if compliance_class.admits(arc.index, there) else None
        return min(
            (
                a
                for o, a in self._moves(arc)
                if compliance_class.admits(arc.index, a) and self._fed(compliance_class, arc, o)
            ),
            default=None,
        )

    def _open_in(self, offer: int) -> frozenset[int]:
        """Periods in which more of an offer could be ordered than the plan orders."""
        if offer not in self._known_open:
            periods = range(self.problem.case.horizon.count)
            self._known_open[offer] = frozenset(t for t in periods if self._room(offer, t))
        return self._known_open[offer]

    def _room(self, offer: int, period: int) -> bool:
        """Whether more of an offer could be ordered in a period than the plan orders: a whole order of it, and more than rounding explains."""
        facts = self.problem.offers[offer]
        ordered = self._ordered
        left = [facts.offer.total - sum(ordered[offer].values(), Decimal(0))] if facts.offer.total is not None else []
        most = facts.most[period]
        left += [most - ordered[offer].get(period, Decimal(0))] if most is not None else []
        for pool in (self._pools[name] for name in facts.pools if name in self._pools):
            limit = pool.capacity[period]
            if limit is not None and facts.offer.capacity_use:
                left.append((limit - self._drawn(pool, period)) / facts.offer.capacity_use)
        step = self.problem.case.resolution * 2
        # A least order may come on top of one that is placed already.
        least = Decimal(0) if ordered[offer].get(period) else facts.least
        return not left or min(left) > max(step, least, facts.offer.lot or Decimal(0))

    def _drawn(self, pool: Pool, period: int) -> Decimal:
        """What the plan draws on a capacity; asked by every offer that shares it, of which there may be very many."""
        key = (pool.facility, period)
        if key not in self._known_drawn:
            offers, ordered = self.problem.offers, self._ordered
            uses = (offers[o].offer.capacity_use * ordered[o].get(period, Decimal(0)) for o in pool.offers)
            self._known_drawn[key] = sum(uses, Decimal(0))
        return self._known_drawn[key]

    @cached_property
    def _ordered(self) -> Mapping[int, Mapping[int, Decimal]]:
        """Offer -> period -> units ordered."""
        positions = {facts.offer.id: i for i, facts in enumerate(self.problem.offers)}
        found: defaultdict[int, defaultdict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for make in self.verified.plan.makes:
            found[positions[make.offer]][make.period] += make.units
        for bought in self.verified.plan.purchases:
            offer = positions[bought.offer]
            if self.problem.offers[offer].single:
                found[offer][bought.ordered] += bought.quantity
        return found


def _latest(moves: Sequence[tuple[int, int]], period: int) -> int | None:
    """Of moves in order of time, the last order that arrives by the end of a period."""
    return next((ordered for ordered, arrival in reversed(moves) if arrival <= period), None)


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
