"""Eligibility of offers, and the obstacles of those that the plan can't buy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Literal

from pydantic import Field

from ..domain.base import Record, exact, grouped, totals
from ..domain.change import Change, TermKind
from ..domain.evidence import Confidence
from ..domain.facts import CapacityStep, Facility, Offer, Status
from ..domain.quantities import readable
from ..domain.run import RunDoubt, RunExposed
from ..domain.time import Delay, Span
from ..domain.use import Chained, Result, Use, Verdict
from ..problem import Problem
from ..problem.capacity import Pool, accepted_steps, max_units
from ..problem.compliance_classes import ComplianceClass
from ..problem.merged import Merged, around
from ..problem.network import Arc, Node, final_node
from ..problem.offers import Lead, OfferFacts
from ..rules.base import PhaseStatus
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import Judging


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A verdict that excludes an offer from one kind of use."""

    arc: Arc
    use: Use
    verdict: Verdict

    @property
    def unproven(self) -> bool:
        """True if only a proof is missing."""
        return self.verdict.result is Result.UNPROVEN


def kept_out(problem: Problem) -> list[KeptOut]:
    """Return every prohibiting verdict of rules in force in some period of the plan, without repeats, in canonical order.

    An offer that one rule prohibits isn't also listed as unproven under another, because no proof would help.
    """
    spans = [period.span for period in problem.case.horizon.periods]
    in_force = {i: [s for s in spans if problem.law.in_force(i, s)] for i in range(len(problem.rules))}
    found: dict[tuple[int, Use, str], KeptOut] = {}
    for use, judgement in problem.judgements.items():
        for table in (judgement.chain, judgement.trade):
            for rule, verdicts in table.items():
                if not in_force[rule]:
                    continue
                for index, verdict in verdicts.items():
                    arc = problem.network.arcs[index]
                    licensed = verdict.licence and all(
                        problem.law.licences(verdict, arc, use, span) is not None for span in in_force[rule]
                    )
                    if problem.law.forbids(verdict, arc) and not licensed:
                        found.setdefault((index, use, problem.rules[rule].id), KeptOut(arc, use, verdict))
    forbidden = {(k.arc.index, k.use) for k in found.values() if not k.unproven}
    kept = [k for k in found.values() if not k.unproven or (k.arc.index, k.use) not in forbidden]
    return sorted(kept, key=lambda k: (k.use.material.id, k.use.end_use, k.arc.index, k.verdict.rule))


def exposed(verified: VerifiedPlan) -> list[RunExposed]:
    """Return the effect of each rule with a phase of unknown status on the plan, if it were in force, sorted by id."""
    problem = verified.problem
    if PhaseStatus.UNKNOWN in problem.law.statuses:
        return []
    judging = Judging(verified.ledger, frozenset({PhaseStatus.UNKNOWN}))
    forbidden: dict[str, dict[int, Bought]] = {}
    for judged in judging.forbidden():
        forbidden.setdefault(judged.rule, {})[id(judged.item)] = judged.item
    rules, found = {rule.id: rule for rule in problem.rules}, []
    for name, items in sorted(forbidden.items()):
        of_unknown = [phase for phase in rules[name].phases if phase.status is PhaseStatus.UNKNOWN]
        found.append(
            RunExposed(
                rule=name,
                title=rules[name].title,
                cost=exact(
                    sum(
                        (verified.costing.line(item).total for item in items.values() if item.arc.offer >= 0),
                        Decimal(0),
                    )
                ),
                materials=totals((item.material, item.quantity) for item in items.values()),
                offers=sorted({item.arc.chained.offer.id for item in items.values()}),
                first=problem.case.horizon.label(min(item.delivered for item in items.values())),
                unknown=[
                    RunDoubt(start=phase.start, end=phase.end, note=phase.note)
                    for phase in of_unknown
                    if phase.span.meets(problem.case.horizon.span)
                ],
            )
        )
    return found


Key = tuple[int, str]
"""Position of an offer, and the demanded material that it delivers."""


@dataclass(slots=True)
class Eligibility:
    """Lawful deliveries of a demanded material from an offer."""

    first: int | None = None
    """Period of its first lawful delivery. None if there is none."""
    cells: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """Demand and period -> kilograms of demand that it can lawfully serve."""

    @property
    def reachable(self) -> Decimal:
        """Kilograms of all demand that it can lawfully serve on time."""
        return sum(self.cells.values(), Decimal(0))


class Eligibilities:
    """Possible deliveries of all offers to the demands of a case, derived only from its facts."""

    def __init__(self, problem: Problem, inputs: Mapping[str, Decimal] | None = None) -> None:
        """Prepare the analysis of a case.

        Args:
            problem: The case.
            inputs: Materials to include without a demand of their own, with the kilograms that makers buy as their demand.
        """
        self.problem = problem
        self.inputs = inputs or {}
        self._ready: dict[tuple[int, Node], int | None] = {}
        """Compliance class and node of inputs -> the first period in which they may be available. None if never."""

    @cached_property
    def wanted(self) -> Mapping[str, Decimal]:
        """Demanded material, or included input -> kilograms of demand over the plan."""
        found: defaultdict[str, Decimal] = defaultdict(Decimal, self.inputs)
        for demand in self.problem.demands:
            found[demand.use.material.id] += sum(demand.quantity, Decimal(0))
        return dict(sorted(found.items()))

    @cached_property
    def places(self) -> Mapping[str, list[str]]:
        """Demanded material -> places with demand for it. Included input -> all places where it can be taken in."""
        return {name: sorted(place for material, place in self._ends if material == name) for name in self.wanted}

    @cached_property
    def _ends(self) -> frozenset[Node]:
        ends = {final_node(demand.use) for demand in self.problem.demands}
        return frozenset(ends | {node for node in self.problem.network.nodes if node[0] in self.inputs})

    @cached_property
    def arcs(self) -> Mapping[Key, list[Arc]]:
        """Arcs of every offer to places with demand, by offer and material."""
        arcs = (arc for arc in self.problem.network.arcs if arc.offer >= 0 and arc.node in self._ends)
        return grouped(((arc.offer, arc.node[0]), arc) for arc in arcs)

    @cached_property
    def standing(self) -> Mapping[Key, Eligibility]:
        """Lawful deliveries by offer and material. Those without any are left out."""
        found: defaultdict[Key, Eligibility] = defaultdict(Eligibility)
        for compliance_class in self.problem.compliance_classes:
            for node, cells in self._wanted_by(compliance_class).items():
                for index in self.problem.network.into.get(node, ()):
                    arc = self.problem.network.arcs[index]
                    arrival = self._first(compliance_class, arc) if arc.offer >= 0 else None
                    if arrival is None:
                        continue
                    standing = found[arc.offer, node[0]]
                    standing.first = arrival if standing.first is None else min(arrival, standing.first)
                    standing.cells.update((cell, kg) for cell, kg in cells.items() if cell[1] >= arrival)
        return dict(found)

    @cached_property
    def out(self) -> Mapping[str, list[KeptOut]]:
        """Offer -> prohibiting verdicts of the rules in force."""
        return grouped((kept.arc.chained.offer.id, kept) for kept in kept_out(self.problem) if kept.arc.offer >= 0)

    @cached_property
    def uses(self) -> Mapping[str, list[Use]]:
        """Demanded material -> its kinds of use. Included input -> the kinds of use that it may end in."""
        found: defaultdict[str, list[Use]] = defaultdict(list)
        for use in dict.fromkeys(demand.use for demand in self.problem.demands):
            found[use.material.id].append(use)
            _, nodes = self.problem.network.reach(final_node(use))
            for material in sorted({material for material, _ in nodes if material in self.inputs}):
                found[material].append(use)
        return dict(found)

    def could_give(self, offer: int, material: str) -> Decimal | None:
        """Return the maximum in kilograms over the plan by its own limits and its facilities' capacities, ignoring inputs and rules. None if unlimited."""
        facts = self.problem.offers[offer]
        gives = sum((line.per_unit for line in facts.offer.outputs if line.material == material), Decimal(0))
        count, arcs = self.problem.case.horizon.count, self.arcs.get((offer, material), ())
        in_time = [t for t in range(count) if not arcs or any(arc.arrival(t) < count for arc in arcs)]
        by_period = [self.units(offer, t) for t in in_time]
        limits = [total for total in (facts.offer.total,) if total is not None]
        if None not in by_period:
            limits.append(sum((units for units in by_period if units is not None), Decimal(0)))
        return min(limits) * gives if limits else None

    def units(self, offer: int, period: int) -> Decimal | None:
        """Return the maximum number of units that can be ordered from an offer in a period. None if unlimited."""
        facts = self.problem.offers[offer]
        pools = [self._pools[name] for name in facts.pools if name in self._pools]
        return max_units(pools, facts.offer.capacity_use, facts.most[period], period)

    @cached_property
    def _pools(self) -> Mapping[str, Pool]:
        return {pool.facility: pool for pool in self.problem.pools}

    def _wanted_by(self, compliance_class: ComplianceClass) -> dict[Node, dict[tuple[int, int], Decimal]]:
        """Return the final nodes of a compliance class, with the demand there. For an input, it is the quantity that makers buy."""
        found: defaultdict[Node, dict[tuple[int, int], Decimal]] = defaultdict(dict)
        for node in compliance_class.nodes & self._ends:
            if node[0] in self.inputs:
                found[node][-1, self.problem.case.horizon.count] = self.inputs[node[0]]
        for outlet in compliance_class.outlets:
            demand = self.problem.demands[outlet.demand]
            if demand.quantity[outlet.period]:
                found[final_node(demand.use)][outlet.demand, outlet.period] = demand.quantity[outlet.period]
        return found

    def _first(self, compliance_class: ComplianceClass, arc: Arc) -> int | None:
        """Return the first period of a lawful arrival for a compliance class, after its own inputs. None if there is none."""

        def may(arc: Arc, ordered: int, arrival: int) -> bool:
            in_time = compliance_class.final != arc.node or ordered in (compliance_class.order_periods or ())
            runs = arc.offer < 0 or self.units(arc.offer, ordered) != 0
            return in_time and runs and compliance_class.admits(arc.index, arrival)

        feeds = self.problem.network.feeds.get(arc.offer, ())
        for feed in feeds:
            if (compliance_class.index, feed) not in self._ready:
                up = [self.problem.network.arcs[index] for index in sorted(self.problem.network.reach(feed)[0])]
                first = first_arrivals(self.problem, up, may)
                known = [first[one.index] for one in up if one.node == feed and one.index in first]
                self._ready[compliance_class.index, feed] = min(known, default=None)
        ready = [self._ready[compliance_class.index, feed] for feed in feeds]
        since = max((t for t in ready if t is not None), default=0)
        return None if None in ready else _first_of(_orders(self.problem, arc, may), since)


May = Callable[[Arc, int, int], bool]
"""Function that returns True if an arc, ordered in one period and arriving in another, can be used."""


def first_arrivals(problem: Problem, arcs: Sequence[Arc], may: May, only: Collection[int] = ()) -> dict[int, int]:
    """Return the first period of an arrival by each of some arcs, after its inputs. Arcs without one are left out.

    Args:
        problem: The facts.
        arcs: All arcs up some chains.
        may: Function that returns True if an order can be placed.
        only: Preferred arcs of inputs, used alone if any of them brings the input.
    """
    orders = {arc.index: _orders(problem, arc, may) for arc in arcs}
    into = grouped((arc.node, arc.index) for arc in arcs if orders[arc.index])
    into = {node: [index for index in found if index in only] or found for node, found in into.items()}
    first: dict[int, int] = {}
    waiting = list(arcs)
    while waiting:  # a period at least earlier each time, and no earlier than the first
        before = dict(first)
        for arc in waiting:
            since = 0
            for feed in problem.network.feeds.get(arc.offer, ()):
                ready = [first[index] for index in into.get(feed, ()) if index in first]
                since = max(since, min(ready, default=problem.case.horizon.count))
            arrival = _first_of(orders[arc.index], since)
            if arrival is not None:
                first[arc.index] = arrival
        made = [arc for arc in arcs if arc.offer in problem.network.feeds]
        waiting = made if first != before else []
    return first


def _orders(problem: Problem, arc: Arc, may: May) -> list[tuple[int, int]]:
    moves = problem.moves
    every = range(int(moves.first[arc.index]), int(moves.first[arc.index + 1]))
    orders = ((int(moves.ordered[move]), int(moves.delivered[move])) for move in every)
    return [(ordered, arrival) for ordered, arrival in orders if may(arc, ordered, arrival)]


def _first_of(orders: Iterable[tuple[int, int]], since: int) -> int | None:
    """Return the first arrival of an order in a period or a later one. None if there is none."""
    return min((arrival for ordered, arrival in orders if ordered >= since), default=None)


def least_confidence(problem: Problem, chained: Chained) -> Confidence:
    """Return the lowest confidence among the evidence of an offer's capacity, price, and chain."""
    steps = accepted_steps(chained.facility, problem.merged, problem.case)
    sources = [step.source for step in steps] + _figures(problem.merged, chained.offer)
    return min((problem.merged.confidence(s) for s in sources), key=lambda c: c.rank, default=Confidence.ASSUMED)


def references(merged: Merged, offer: Offer, facility: Facility) -> list[str]:
    """Return the sources of an offer's figures, without repeats: title, address, or document."""
    sources = [step.source for step in facility.capacity] + _figures(merged, offer)
    return list(dict.fromkeys(merged.sources[name].reference for name in sources if name in merged.sources))


def _figures(merged: Merged, offer: Offer) -> list[str]:
    """Return the sources of an offer's chain, quantity, and price."""
    sources = [entry.source for entry in offer.chain]
    if offer.max_per_year is not None or offer.total is not None:
        sources.append(offer.source)
    sources += [quote.source for quote in offer.quotes]
    if offer.price is not None and offer.price.amount is not None:
        sources.append(offer.price.source)
    elif offer.price is not None:
        sources += [row.source for row in merged.prices.get(offer.price.benchmark, ())][-1:]
    return sources


_NO_CAPACITY = "its capacity counts for nothing in the plan"
_TOLD = {Status.CONSTRUCTION: "under construction", Status.ANNOUNCED: "only announced"}


class BarredDays(Record):
    """Days on which a rule is in force, inclusive."""

    start: date | None
    """First day. None means from the beginning."""
    end: date | None
    """Last day. None if none is set."""


class Obstacle(Record):
    """An obstacle that excludes an offer."""

    kind: Literal["figure", "capacity", "dates", "time", "inputs", "licence", "unproven", "forbidden", "no room"]
    """`figure`: a figure is unknown, or its evidence is too weak. `dates`: order dates. `time`: qualification and lead time. `no room`: no other
    obstacle, but no feasible plan can buy it."""
    text: str
    """The obstacle, and the change that would remove it."""
    reason: str = Field(default="", exclude=True)
    """The obstacle alone, if it is a part of the text. It groups offers, and isn't in the JSON form."""
    rule: str = ""
    clause: str = ""
    stage: str = ""
    countries: list[str] = []
    days: list[BarredDays] = []
    """Days on which the rule is in force, in ranges that overlap the plan."""
    end_uses: list[str] = []
    """Excluded uses: material and end use. Empty means all."""
    lifted_by: list[Change] = []
    """Changes that remove it. Empty if no change of the case can."""


def obstacles(standings: Eligibilities, offer: Offer, lead: Lead | None) -> list[Obstacle]:
    """Return all obstacles of an offer to some or all uses, in the order of a review. A lead is given as both an offer and a lead."""
    problem = standings.problem
    facility = problem.merged.facilities[offer.facility]
    found: list[Obstacle] = []
    if lead is not None:
        found += _missing(standings, lead, facility)
    facts = next((f for f in problem.offers if f.offer.id == offer.id), None)
    if facts is not None:
        found += [*_capacity(problem, facts), *_dates(problem, facts), *_time(standings, facts)]
        found += _inputs(problem, facts)
    elif not any("capacity" in one.text for one in found):
        found += _capacity_steps(problem, facility)
    return [*found, *_law(problem, standings.out.get(offer.id, []))]


def no_room(standings: Eligibilities, offer: Offer) -> Obstacle:
    """Return the obstacle of an offer that can't be bought though no other obstacle was found. It names the inputs, if they are the reason."""
    problem = standings.problem
    told = []
    for line in offer.inputs:
        makers = [facts for facts in problem.offers if gives(facts.offer, line.material)]
        against = [(facts.offer.id, obstacles(standings, facts.offer, None)) for facts in makers]
        if all(found for _, found in against):
            named = "; ".join(f"{name}: {found[0].text}" for name, found in against)
            told.append(f"each that offers {line.material} is kept out of something itself ({named})")
    why = ", and ".join(told) or "what it takes in is unavailable, or other rules leave no room for it"
    return Obstacle(kind="no room", text=f"no plan that keeps the rules can have any: {why}")


def _missing(standings: Eligibilities, lead: Lead, facility: Facility) -> Iterator[Obstacle]:
    """Yield the unknown figures of a lead, each with an assumed figure that would make it count."""
    for lacks, reason in dict.fromkeys(lead.reasons):
        changes, text = [], reason
        if lacks in ("capacity", "quantity"):
            published = max((step.per_year for step in facility.capacity if step.per_year is not None), default=None)
            rate = published if published is not None else _yearly_need(standings, lead.offer)
            changes = [Change(capacity=facility.id, per_year=rate, status=Status.OPERATING)]
            source = "as stated there" if published is not None else "all that is wanted"
            text = f"{reason}: a figure is needed; asked about with {_number(rate)} kg a year, {source}"
        elif lacks == "price":
            told = lead.offer.price
            known = told is not None and told.amount is not None
            amount, currency = (told.amount, told.currency) if told is not None and known else (Decimal(1), "")
            changes = [Change(price=f"offer:{lead.offer.id}", amount=amount, currency=currency)]
            of = currency or standings.problem.case.currency
            as_stated = ", as stated there" if known else ""
            text = f"{reason}: a price is needed; asked about with {_number(amount)} {of} a unit{as_stated}"
        yield Obstacle(kind="figure", text=text, reason=reason, lifted_by=changes)


def _number(amount: Decimal | None) -> str:
    return "" if amount is None else readable(amount)


def _yearly_need(standings: Eligibilities, offer: Offer) -> Decimal:
    """Return the highest demand in kilograms per year for the outputs of an offer."""
    problem = standings.problem
    names = {line.material for line in offer.outputs}
    by_period = [
        sum((d.quantity[p.index] for d in problem.demands if d.use.material.id in names), Decimal(0))
        * p.years.denominator
        / p.years.numerator
        for p in problem.case.horizon.periods
    ]
    return max(by_period).quantize(Decimal(1)) or Decimal(1)


def _capacity(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    for site in around(facts.facility.id, problem.merged.facilities):
        if site.id in facts.pools:
            yield from _capacity_steps(problem, site)


def _capacity_steps(problem: Problem, facility: Facility) -> Iterator[Obstacle]:
    """Yield the obstacle of a capacity that never counts in the plan, because of its start or its status."""
    span, accept = problem.case.horizon.span, problem.case.accept
    steps = accepted_steps(facility, problem.merged, problem.case)
    within = [step for step in steps if _meets(step, steps, problem)]
    if not steps or any(step.per_year != 0 and accept.counts(step.status) for step in within):
        return
    assert span.start is not None
    later = [step for step in steps if step.start is not None and step not in within]
    idle = [step for step in within if step.per_year != 0]
    if idle:
        named = " and ".join(dict.fromkeys(_TOLD.get(step.status, step.status.value) for step in idle))
        text = f"{_NO_CAPACITY}: {facility.id} is {named}, and would have to be operating"
        yield Obstacle(kind="capacity", text=text, lifted_by=[Change(capacity=facility.id, status=Status.OPERATING)])
    elif later:
        start = min(step.start for step in later if step.start is not None)
        months = (start.year - span.start.year) * 12 + start.month - span.start.month + (start.day > span.start.day)
        text = f"{_NO_CAPACITY}: {facility.id} starts on {start}, after its end"
        sooner = Change(capacity=facility.id, delay=Decimal(-months), status=Status.OPERATING)
        yield Obstacle(kind="capacity", text=text, lifted_by=[sooner])
    else:
        yield Obstacle(kind="capacity", text=f"{_NO_CAPACITY}: that of {facility.id} is nothing")


def _meets(step: CapacityStep, steps: tuple[CapacityStep, ...], problem: Problem) -> bool:
    """Return True if a step applies on some day of the plan."""
    span = problem.case.horizon.span
    assert span.start is not None and span.end is not None
    following = [other.start for other in steps[steps.index(step) + 1 :] if other.start is not None]
    begun = step.start is None or step.start <= span.end
    return begun and (not following or following[0] > span.start)


def _dates(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    """Yield the order dates of an offer that don't fit any period of the plan."""
    offer, periods = facts.offer, problem.case.horizon.periods
    lifting = Change(lift=TermKind.DATES, of=f"offer:{offer.id}")
    if offer.start is not None and not any(offer.start <= period.start for period in periods):
        text = f"it may be ordered from {offer.start} on, and would have to be from {periods[-1].start} at the latest"
        yield Obstacle(kind="dates", text=text, lifted_by=[lifting])
    if offer.end is not None and not any(period.end <= offer.end for period in periods):
        text = f"it may be ordered until {offer.end}, and would have to be until {periods[0].end} at the earliest"
        yield Obstacle(kind="dates", text=text, lifted_by=[lifting])


def _time(standings: Eligibilities, facts: OfferFacts) -> Iterator[Obstacle]:
    """Yield the qualification and lead times that end after the plan."""
    problem = standings.problem
    horizon = problem.case.horizon
    arcs = [arc for arc in problem.network.arcs if arc.offer >= 0]
    own = [arc for arc in arcs if problem.offers[arc.offer] is facts]
    if not own:
        return
    months = horizon.length.months
    arrival, ordered = min((arc.arrival(t), t) for arc in own for t in range(horizon.count))
    lag = min(min(arc.lags) for arc in own)
    if arrival >= horizon.count:
        most, lag = (horizon.count - 1 - ordered) * months, arrival - ordered
        text = f"it arrives {lag * months} months after it is ordered, and would have to within {most} to arrive in the plan"
        yield Obstacle(
            kind="time", text=text, lifted_by=[Change(lift=TermKind.LEAD_TIME, of=f"offer:{facts.offer.id}")]
        )
        lag = 0  # whether qualification outlasts the plan by itself as well
    if (
        facts.offer.qualification is not None
        and horizon.arrival(0, Delay.of(facts.offer.qualification)) + lag >= horizon.count
    ):
        wait = facts.offer.qualification.normalize()
        most = (horizon.count - 1 - lag) * months
        text = f"qualifying it takes {wait:f} months, and would have to take no more than {most} for it to arrive in the plan"
        lifting = Change(lift=TermKind.QUALIFICATION, of=f"offer:{facts.offer.id}")
        yield Obstacle(kind="time", text=text, lifted_by=[lifting])


def _inputs(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    """Yield the inputs without any supply at the maker."""
    for line in facts.offer.inputs:
        if not problem.network.into.get((line.material, facts.place)):
            leads = [lead.offer.id for lead in problem.leads if gives(lead.offer, line.material)]
            named = f"; leads that might: {', '.join(leads)}" if leads else ""
            yield Obstacle(
                kind="inputs", text=f"it takes in {line.material}, of which no offer counts in the case{named}"
            )


def gives(offer: Offer, material: str) -> bool:
    """Return True if a material is among the outputs of an offer."""
    return any(line.material == material for line in offer.outputs)


def _days(problem: Problem, name: str) -> list[BarredDays]:
    """Return the days on which a rule is in force. Consecutive phases are merged."""
    rule = next(one for one in problem.rules if one.id == name)
    span, found = problem.case.horizon.span, list[BarredDays]()
    phases = [phase for phase in rule.phases if phase.status in problem.law.statuses]
    for phase in sorted(phases, key=lambda one: one.start or date.min):
        last = found[-1] if found else None
        if last is not None and last.end is not None and last.end + timedelta(1) == phase.start:
            found[-1] = BarredDays(start=last.start, end=phase.end)
        else:
            found.append(BarredDays(start=phase.start, end=phase.end))
    return [one for one in found if Span(start=one.start, end=one.end).meets(span)]


def _law(problem: Problem, out: list[KeptOut]) -> Iterator[Obstacle]:
    """Yield the rules in force that exclude an offer, each once for all uses."""
    found = grouped(((kept.verdict.rule, kept.verdict.stage, kept.verdict.reason), kept) for kept in out)
    for (rule, stage, reason), several in found.items():
        first = several[0]
        offer, facility = first.arc.chained.offer.id, first.arc.chained.facility.id
        kind: Literal["licence", "unproven", "forbidden"] = "forbidden"
        lifting = Change(disable=rule)
        if first.verdict.licence:
            kind, lifting = "licence", Change(grant=rule, of=facility)
        elif first.unproven:
            kind, lifting = "unproven", Change(prove=offer)
        yield Obstacle(
            kind=kind,
            text=reason,
            rule=rule,
            clause=first.verdict.clause,
            stage=stage,
            countries=list(first.verdict.countries),
            days=_days(problem, rule),
            end_uses=sorted({f"{kept.use.material.id} for {kept.use.end_use}" for kept in several}),
            lifted_by=[lifting],
        )
