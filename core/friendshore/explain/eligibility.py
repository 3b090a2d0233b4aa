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
from ..domain.unmet import CAUSE_CODES
from ..domain.use import Chained, Result, Use, Verdict
from ..problem import Problem
from ..problem.capacity import Pool, accepted_steps, max_units
from ..problem.compliance_classes import ComplianceClass
from ..problem.merged import Merged, enclosing_facilities
from ..problem.network import Arc, Node, final_node
from ..problem.offers import Lead, OfferFacts
from ..rules.base import PhaseStatus
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import Compliance


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Verdict that excludes an offer from one kind of use."""

    arc: Arc
    use: Use
    verdict: Verdict

    @property
    def unproven(self) -> bool:
        return self.verdict.result is Result.UNPROVEN


def exclusions(problem: Problem) -> list[Exclusion]:
    """Return every prohibiting verdict of rules in force, in canonical order. Prohibited offers aren't also listed as unproven."""
    spans = [period.span for period in problem.case.horizon.periods]
    spans_in_force = {
        number: [s for s in spans if problem.law.in_force(number, s)] for number in range(len(problem.rules))
    }
    exclusion_by_key: dict[tuple[int, Use, str], Exclusion] = {}
    for use, judgement in problem.judgements.items():
        for table in (judgement.chain, judgement.trade):
            for rule, verdicts in table.items():
                if not spans_in_force[rule]:
                    continue
                for index, verdict in verdicts.items():
                    arc = problem.network.arcs[index]
                    licensed = verdict.license and all(
                        problem.law.licenses(verdict, arc, use, span) is not None for span in spans_in_force[rule]
                    )
                    if problem.law.forbids(verdict, arc) and not licensed:
                        exclusion_by_key.setdefault((index, use, problem.rules[rule].id), Exclusion(arc, use, verdict))
    forbidden = {(item.arc.index, item.use) for item in exclusion_by_key.values() if not item.unproven}
    remaining = [
        item for item in exclusion_by_key.values() if not item.unproven or (item.arc.index, item.use) not in forbidden
    ]
    return sorted(
        remaining, key=lambda item: (item.use.material.id, item.use.end_use, item.arc.index, item.verdict.rule)
    )


def exposed(verified: VerifiedPlan) -> list[RunExposed]:
    """Return the effect of each rule with a phase of unknown status on the plan, if it were in force, sorted by id."""
    problem = verified.problem
    if PhaseStatus.UNKNOWN in problem.law.statuses:
        return []
    compliance = Compliance(verified.ledger, frozenset({PhaseStatus.UNKNOWN}))
    items_by_rule: dict[str, dict[int, Bought]] = {}
    for ruling in compliance.violations():
        items_by_rule.setdefault(ruling.rule, {})[id(ruling.item)] = ruling.item
    rules, exposures = {rule.id: rule for rule in problem.rules}, []
    for name, items in sorted(items_by_rule.items()):
        of_unknown = [phase for phase in rules[name].phases if phase.status is PhaseStatus.UNKNOWN]
        exposures.append(
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
    return exposures


Key = tuple[int, str]
"""Position of an offer, and the demanded material that it delivers."""


@dataclass(slots=True)
class Eligibility:
    """Lawful deliveries of a demanded material from an offer."""

    first: int | None = None
    """None if there is none."""
    cells: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    """Demand and period -> kilograms that it can lawfully serve."""

    @property
    def reachable(self) -> Decimal:
        return sum(self.cells.values(), Decimal(0))


class Eligibilities:
    """Possible deliveries of all offers to the demands of a case, derived only from its facts."""

    def __init__(self, problem: Problem, inputs: Mapping[str, Decimal] | None = None) -> None:
        """Take the facts of a case, and the kilograms of inputs that makers buy, which then count as demanded materials."""
        self.problem = problem
        self.inputs = inputs or {}
        self._ready: dict[tuple[int, Node], int | None] = {}
        """Compliance class and node of inputs -> the first period in which they may be available. None if never."""

    @cached_property
    def demand_kg(self) -> Mapping[str, Decimal]:
        demand_kg: defaultdict[str, Decimal] = defaultdict(Decimal, self.inputs)
        for demand in self.problem.demands:
            demand_kg[demand.use.material.id] += sum(demand.quantity, Decimal(0))
        return dict(sorted(demand_kg.items()))

    @cached_property
    def places(self) -> Mapping[str, list[str]]:
        """Material -> places with demand for it. An included input has all places where it can be taken in."""
        return {name: sorted(place for material, place in self._ends if material == name) for name in self.demand_kg}

    @cached_property
    def _ends(self) -> frozenset[Node]:
        ends = {final_node(demand.use) for demand in self.problem.demands}
        return frozenset(ends | {node for node in self.problem.network.nodes if node[0] in self.inputs})

    @cached_property
    def arcs(self) -> Mapping[Key, list[Arc]]:
        arcs = (arc for arc in self.problem.network.arcs if arc.offer >= 0 and arc.node in self._ends)
        return grouped(((arc.offer, arc.node[0]), arc) for arc in arcs)

    @cached_property
    def by_offer(self) -> Mapping[Key, Eligibility]:
        by_key: defaultdict[Key, Eligibility] = defaultdict(Eligibility)
        for compliance_class in self.problem.compliance_classes:
            for node, cells in self._demand_of_class(compliance_class).items():
                for index in self.problem.network.into.get(node, ()):
                    arc = self.problem.network.arcs[index]
                    arrival = self._first_arrival(compliance_class, arc) if arc.offer >= 0 else None
                    if arrival is None:
                        continue
                    standing = by_key[arc.offer, node[0]]
                    standing.first = arrival if standing.first is None else min(arrival, standing.first)
                    standing.cells.update((cell, kg) for cell, kg in cells.items() if cell[1] >= arrival)
        return dict(by_key)

    @cached_property
    def exclusions_by_offer(self) -> Mapping[str, list[Exclusion]]:
        return grouped(
            (exclusion.arc.chained.offer.id, exclusion)
            for exclusion in exclusions(self.problem)
            if exclusion.arc.offer >= 0
        )

    @cached_property
    def uses(self) -> Mapping[str, list[Use]]:
        uses: defaultdict[str, list[Use]] = defaultdict(list)
        for use in dict.fromkeys(demand.use for demand in self.problem.demands):
            uses[use.material.id].append(use)
            _, nodes = self.problem.network.reach(final_node(use))
            for material in sorted({material for material, _ in nodes if material in self.inputs}):
                uses[material].append(use)
        return dict(uses)

    def max_supply_kg(self, offer: int, material: str) -> Decimal | None:
        """Return the maximum kilograms over the plan, ignoring inputs and rules. None if unlimited."""
        facts = self.problem.offers[offer]
        kg_per_unit = sum((line.per_unit for line in facts.offer.outputs if line.material == material), Decimal(0))
        count, arcs = self.problem.case.horizon.count, self.arcs.get((offer, material), ())
        in_time = [t for t in range(count) if not arcs or any(arc.arrival(t) < count for arc in arcs)]
        units_by_period = [self.units(offer, t) for t in in_time]
        limits = [total for total in (facts.offer.total,) if total is not None]
        if None not in units_by_period:
            limits.append(sum((units for units in units_by_period if units is not None), Decimal(0)))
        return min(limits) * kg_per_unit if limits else None

    def units(self, offer: int, period: int) -> Decimal | None:
        """Return the maximum order in a period. None if unlimited."""
        facts = self.problem.offers[offer]
        pools = [self._pools[name] for name in facts.pools if name in self._pools]
        return max_units(pools, facts.offer.capacity_use, facts.max_units[period], period)

    @cached_property
    def _pools(self) -> Mapping[str, Pool]:
        return {pool.facility: pool for pool in self.problem.pools}

    def _demand_of_class(self, compliance_class: ComplianceClass) -> dict[Node, dict[tuple[int, int], Decimal]]:
        """Return final node -> demand and period -> kilograms."""
        demand_by_node: defaultdict[Node, dict[tuple[int, int], Decimal]] = defaultdict(dict)
        for node in compliance_class.nodes & self._ends:
            if node[0] in self.inputs:
                demand_by_node[node][-1, self.problem.case.horizon.count] = self.inputs[node[0]]
        for outlet in compliance_class.outlets:
            demand = self.problem.demands[outlet.demand]
            if demand.quantity[outlet.period]:
                demand_by_node[final_node(demand.use)][outlet.demand, outlet.period] = demand.quantity[outlet.period]
        return demand_by_node

    def _first_arrival(self, compliance_class: ComplianceClass, arc: Arc) -> int | None:
        """Return the first period of a lawful arrival, after its own inputs. None if there is none."""

        def is_possible(arc: Arc, ordered: int, arrival: int) -> bool:
            in_time = compliance_class.final != arc.node or ordered in (compliance_class.order_periods or ())
            runs = arc.offer < 0 or self.units(arc.offer, ordered) != 0
            return in_time and runs and compliance_class.admits(arc.index, arrival)

        feeds = self.problem.network.feeds.get(arc.offer, ())
        for feed in feeds:
            if (compliance_class.index, feed) not in self._ready:
                upstream = [self.problem.network.arcs[index] for index in sorted(self.problem.network.reach(feed)[0])]
                first = first_arrivals(self.problem, upstream, is_possible)
                arrivals = [
                    first[upstream_arc.index]
                    for upstream_arc in upstream
                    if upstream_arc.node == feed and upstream_arc.index in first
                ]
                self._ready[compliance_class.index, feed] = min(arrivals, default=None)
        ready = [self._ready[compliance_class.index, feed] for feed in feeds]
        ready_from = max((t for t in ready if t is not None), default=0)
        return None if None in ready else _earliest(_orders(self.problem, arc, is_possible), ready_from)


IsPossible = Callable[[Arc, int, int], bool]
"""Arc, period of order, and period of arrival -> True if possible."""


def first_arrivals(
    problem: Problem, arcs: Sequence[Arc], is_possible: IsPossible, preferred: Collection[int] = ()
) -> dict[int, int]:
    """Return the first arrival by each arc, after its inputs. Inputs come by the arcs in `preferred` if any of them brings the input."""
    orders = {arc.index: _orders(problem, arc, is_possible) for arc in arcs}
    into = grouped((arc.node, arc.index) for arc in arcs if orders[arc.index])
    into = {node: [index for index in indices if index in preferred] or indices for node, indices in into.items()}
    first: dict[int, int] = {}
    waiting = list(arcs)
    while waiting:  # ends, because each round makes some arrival earlier
        before = dict(first)
        for arc in waiting:
            ready_from = 0
            for feed in problem.network.feeds.get(arc.offer, ()):
                ready = [first[index] for index in into.get(feed, ()) if index in first]
                ready_from = max(ready_from, min(ready, default=problem.case.horizon.count))
            arrival = _earliest(orders[arc.index], ready_from)
            if arrival is not None:
                first[arc.index] = arrival
        of_makers = [arc for arc in arcs if arc.offer in problem.network.feeds]
        waiting = of_makers if first != before else []
    return first


def _orders(problem: Problem, arc: Arc, is_possible: IsPossible) -> list[tuple[int, int]]:
    moves = problem.moves
    move_range = range(int(moves.first[arc.index]), int(moves.first[arc.index + 1]))
    orders = ((int(moves.ordered[move]), int(moves.delivered[move])) for move in move_range)
    return [(ordered, arrival) for ordered, arrival in orders if is_possible(arc, ordered, arrival)]


def _earliest(orders: Iterable[tuple[int, int]], since: int) -> int | None:
    return min((arrival for ordered, arrival in orders if ordered >= since), default=None)


def least_confidence(problem: Problem, chained: Chained) -> Confidence:
    steps = accepted_steps(chained.facility, problem.merged, problem.case)
    sources = [step.source for step in steps] + _figure_sources(problem.merged, chained.offer)
    return min((problem.merged.confidence(s) for s in sources), key=lambda c: c.rank, default=Confidence.ASSUMED)


def references(merged: Merged, offer: Offer, facility: Facility) -> list[str]:
    sources = [step.source for step in facility.capacity] + _figure_sources(merged, offer)
    return list(dict.fromkeys(merged.sources[name].reference for name in sources if name in merged.sources))


def _figure_sources(merged: Merged, offer: Offer) -> list[str]:
    sources = [entry.source for entry in offer.chain]
    if offer.max_per_year is not None or offer.total is not None:
        sources.append(offer.source)
    sources += [quote.source for quote in offer.quotes]
    if offer.price is not None and offer.price.amount is not None:
        sources.append(offer.price.source)
    elif offer.price is not None:
        sources += [row.source for row in merged.prices.get(offer.price.benchmark, ())][-1:]
    return sources


_STATUS_NAMES = {Status.CONSTRUCTION: "under construction", Status.ANNOUNCED: "only announced"}
ObstacleKind = Literal["figure", "capacity", "dates", "time", "inputs", "license", "unproven", "forbidden", "no room"]
# Obstacles have the codes of the causes of shortages, as far as they mean the same.
_OBSTACLE_CODES: Mapping[ObstacleKind, str] = {
    "figure": CAUSE_CODES["no offer"],
    "capacity": CAUSE_CODES["capacity"],
    "dates": CAUSE_CODES["date"],
    "time": CAUSE_CODES["lead time"],
    "inputs": CAUSE_CODES["inputs"],
    "license": CAUSE_CODES["law"],
    "unproven": CAUSE_CODES["proof"],
    "forbidden": CAUSE_CODES["law"],
    "no room": "FS766",
}


class DaysInForce(Record):
    """Days on which a rule is in force, inclusive."""

    start: date | None
    end: date | None


class Obstacle(Record):
    """Reason that excludes an offer."""

    kind: ObstacleKind
    """`figure`: a figure is unknown, or its evidence is too weak. `dates`: order dates. `time`: qualification and lead time. `no room`: no other
    obstacle, but no feasible plan can buy it."""
    code: str = Field(default_factory=lambda fields: _OBSTACLE_CODES[fields["kind"]])
    """Stable code, such as `FS755`. Causes of shortages have the same codes."""
    text: str
    """The obstacle, and the change that would remove it."""
    reason: str = Field(default="", exclude=True)
    """The obstacle alone, if it is a part of the text. It groups offers, and isn't in the JSON form."""
    rule: str = ""
    clause: str = ""
    stage: str = ""
    countries: list[str] = []
    days: list[DaysInForce] = []
    """Days on which the rule is in force, in ranges that overlap the plan."""
    end_uses: list[str] = []
    """Excluded uses: material and end use. Empty means all."""
    relaxed_by: list[Change] = []
    """Changes that remove it. Empty if no change of the case can."""


def obstacles(eligibilities: Eligibilities, offer: Offer, lead: Lead | None) -> list[Obstacle]:
    problem = eligibilities.problem
    facility = problem.merged.facilities[offer.facility]
    offer_obstacles: list[Obstacle] = []
    if lead is not None:
        offer_obstacles += _missing_figures(eligibilities, lead, facility)
    facts = next((f for f in problem.offers if f.offer.id == offer.id), None)
    if facts is not None:
        offer_obstacles += [
            *_capacity_obstacles(problem, facts),
            *_date_obstacles(problem, facts),
            *_time_obstacles(eligibilities, facts),
        ]
        offer_obstacles += _input_obstacles(problem, facts)
    elif lead is None or not lead.lacks("capacity"):
        offer_obstacles += _capacity_obstacles_of(problem, facility)
    return [*offer_obstacles, *_law_obstacles(problem, eligibilities.exclusions_by_offer.get(offer.id, []))]


def no_feasible_plan(eligibilities: Eligibilities, offer: Offer) -> Obstacle:
    """Return the obstacle of an offer that can't be bought though no other obstacle was found."""
    problem = eligibilities.problem
    unavailable = []
    for line in offer.inputs:
        makers = [facts for facts in problem.offers if delivers(facts.offer, line.material)]
        obstacles_by_maker = [(facts.offer.id, obstacles(eligibilities, facts.offer, None)) for facts in makers]
        if all(excluding for _, excluding in obstacles_by_maker):
            texts = "; ".join(f"{name}: {excluding[0].text}" for name, excluding in obstacles_by_maker)
            unavailable.append(f"every offer of its input {line.material} is excluded ({texts})")
    reason = ", and ".join(unavailable) or "its inputs are unavailable, or other rules leave no room for it"
    return Obstacle(kind="no room", text=f"no plan that follows the rules can buy any: {reason}")


def _missing_figures(eligibilities: Eligibilities, lead: Lead, facility: Facility) -> Iterator[Obstacle]:
    for figure, reason in dict.fromkeys(lead.reasons):
        changes, text = [], reason
        if figure in ("capacity", "quantity"):
            stated_rate = max((step.per_year for step in facility.capacity if step.per_year is not None), default=None)
            rate = stated_rate if stated_rate is not None else _yearly_need(eligibilities, lead.offer)
            changes = [Change(capacity=facility.id, per_year=rate, status=Status.OPERATING)]
            source = "the stated rate" if stated_rate is not None else "the whole demand"
            text = f"{reason}. Calculated with {_number_text(rate)} kg a year, {source}"
        elif figure == "price":
            price = lead.offer.price
            is_stated = price is not None and price.amount is not None
            amount, currency = (price.amount, price.currency) if price is not None and is_stated else (Decimal(1), "")
            changes = [Change(price=f"offer:{lead.offer.id}", amount=amount, currency=currency)]
            of = currency or eligibilities.problem.case.currency
            as_stated = ", the stated price" if is_stated else ""
            text = f"{reason}. Calculated with {_number_text(amount)} {of} a unit{as_stated}"
        yield Obstacle(kind="figure", text=text, reason=reason, relaxed_by=changes)


def _number_text(amount: Decimal | None) -> str:
    return "" if amount is None else readable(amount)


def _yearly_need(eligibilities: Eligibilities, offer: Offer) -> Decimal:
    problem = eligibilities.problem
    names = {line.material for line in offer.outputs}
    by_period = [
        sum((d.quantity[p.index] for d in problem.demands if d.use.material.id in names), Decimal(0))
        * p.years.denominator
        / p.years.numerator
        for p in problem.case.horizon.periods
    ]
    return max(by_period).quantize(Decimal(1)) or Decimal(1)


def _capacity_obstacles(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    for site in enclosing_facilities(facts.facility.id, problem.merged.facilities):
        if site.id in facts.pools:
            yield from _capacity_obstacles_of(problem, site)


def _capacity_obstacles_of(problem: Problem, facility: Facility) -> Iterator[Obstacle]:
    span, accept = problem.case.horizon.span, problem.case.accept
    steps = accepted_steps(facility, problem.merged, problem.case)
    within = [step for step in steps if _applies_during_plan(step, steps, problem)]
    if not steps or any(step.per_year != 0 and accept.counts(step.status) for step in within):
        return
    assert span.start is not None
    later = [step for step in steps if step.start is not None and step not in within]
    idle = [step for step in within if step.per_year != 0]
    if idle:
        statuses = " and ".join(dict.fromkeys(_STATUS_NAMES.get(step.status, step.status.value) for step in idle))
        text = f"{facility.id} is {statuses}, so its capacity doesn't count. It would have to be operating"
        yield Obstacle(kind="capacity", text=text, relaxed_by=[Change(capacity=facility.id, status=Status.OPERATING)])
    elif later:
        start = min(step.start for step in later if step.start is not None)
        months = (start.year - span.start.year) * 12 + start.month - span.start.month + (start.day > span.start.day)
        text = f"{facility.id} starts on {start}, after the end of the plan"
        earlier = Change(capacity=facility.id, delay=Decimal(-months), status=Status.OPERATING)
        yield Obstacle(kind="capacity", text=text, relaxed_by=[earlier])
    else:
        yield Obstacle(kind="capacity", text=f"{facility.id} has no capacity during the plan")


def _applies_during_plan(step: CapacityStep, steps: tuple[CapacityStep, ...], problem: Problem) -> bool:
    span = problem.case.horizon.span
    assert span.start is not None and span.end is not None
    following = [other.start for other in steps[steps.index(step) + 1 :] if other.start is not None]
    has_begun = step.start is None or step.start <= span.end
    return has_begun and (not following or following[0] > span.start)


def _date_obstacles(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    offer, periods = facts.offer, problem.case.horizon.periods
    change = Change(lift=TermKind.DATES, of=f"offer:{offer.id}")
    if offer.start is not None and not any(offer.start <= period.start for period in periods):
        text = f"orders are possible only from {offer.start}. That would have to be {periods[-1].start} or earlier"
        yield Obstacle(kind="dates", text=text, relaxed_by=[change])
    if offer.end is not None and not any(period.end <= offer.end for period in periods):
        text = f"orders are possible only until {offer.end}. That would have to be {periods[0].end} or later"
        yield Obstacle(kind="dates", text=text, relaxed_by=[change])


def _time_obstacles(eligibilities: Eligibilities, facts: OfferFacts) -> Iterator[Obstacle]:
    problem = eligibilities.problem
    horizon = problem.case.horizon
    arcs = [arc for arc in problem.network.arcs if arc.offer >= 0]
    own = [arc for arc in arcs if problem.offers[arc.offer] is facts]
    if not own:
        return
    months = horizon.length.months
    arrival, ordered = min((arc.arrival(t), t) for arc in own for t in range(horizon.count))
    lag = min(min(arc.lags) for arc in own)
    if arrival >= horizon.count:
        max_months, lag = (horizon.count - 1 - ordered) * months, arrival - ordered
        text = f"it arrives {lag * months} months after the order. To arrive during the plan, it may take at most {max_months} months"
        yield Obstacle(
            kind="time", text=text, relaxed_by=[Change(lift=TermKind.LEAD_TIME, of=f"offer:{facts.offer.id}")]
        )
        lag = 0  # qualification is also an obstacle if it ends after the plan without any lead time
    if (
        facts.offer.qualification is not None
        and horizon.arrival(0, Delay.of(facts.offer.qualification)) + lag >= horizon.count
    ):
        duration = facts.offer.qualification.normalize()
        max_months = (horizon.count - 1 - lag) * months
        text = f"qualification takes {duration:f} months. To arrive during the plan, it may take at most {max_months} months"
        change = Change(lift=TermKind.QUALIFICATION, of=f"offer:{facts.offer.id}")
        yield Obstacle(kind="time", code=CAUSE_CODES["date"], text=text, relaxed_by=[change])


def _input_obstacles(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    for line in facts.offer.inputs:
        if not problem.network.into.get((line.material, facts.place)):
            lead_ids = [lead.offer.id for lead in problem.leads if delivers(lead.offer, line.material)]
            lead_note = f". Offers with missing figures: {', '.join(lead_ids)}" if lead_ids else ""
            yield Obstacle(kind="inputs", text=f"its input {line.material} has no usable offer in the case{lead_note}")


def delivers(offer: Offer, material: str) -> bool:
    return any(line.material == material for line in offer.outputs)


def _days_in_force(problem: Problem, name: str) -> list[DaysInForce]:
    rule = next(entry for entry in problem.rules if entry.id == name)
    span, ranges = problem.case.horizon.span, list[DaysInForce]()
    phases = [phase for phase in rule.phases if phase.status in problem.law.statuses]
    for phase in sorted(phases, key=lambda entry: entry.start or date.min):
        previous = ranges[-1] if ranges else None
        if previous is not None and previous.end is not None and previous.end + timedelta(1) == phase.start:
            ranges[-1] = DaysInForce(start=previous.start, end=phase.end)
        else:
            ranges.append(DaysInForce(start=phase.start, end=phase.end))
    return [entry for entry in ranges if Span(start=entry.start, end=entry.end).meets(span)]


def _law_obstacles(problem: Problem, exclusions_of_offer: list[Exclusion]) -> Iterator[Obstacle]:
    by_reason = grouped(
        ((exclusion.verdict.rule, exclusion.verdict.stage, exclusion.verdict.reason), exclusion)
        for exclusion in exclusions_of_offer
    )
    for (rule, stage, reason), same_reason in by_reason.items():
        first = same_reason[0]
        offer, facility = first.arc.chained.offer.id, first.arc.chained.facility.id
        kind: Literal["license", "unproven", "forbidden"] = "forbidden"
        change = Change(disable=rule)
        if first.verdict.license:
            kind, change = "license", Change(grant=rule, of=facility)
        elif first.unproven:
            kind, change = "unproven", Change(prove=offer)
        yield Obstacle(
            kind=kind,
            text=reason,
            rule=rule,
            clause=first.verdict.clause,
            stage=stage,
            countries=list(first.verdict.countries),
            days=_days_in_force(problem, rule),
            end_uses=sorted({f"{exclusion.use.material.id} for {exclusion.use.end_use}" for exclusion in same_reason}),
            relaxed_by=[change],
        )
