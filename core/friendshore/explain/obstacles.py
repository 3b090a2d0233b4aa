"""What keeps an offer out of a plan, whatever it costs: missing figures, capacity, time and law; each with the change that relaxes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from ..domain.base import Record, grouped
from ..domain.change import Change, TermKind
from ..domain.facts import CapacityStep, Facility, Offer, Status
from ..domain.quantities import readable
from ..domain.time import Delay, Span
from ..problem import Problem
from ..problem.capacity import accepted_steps
from ..problem.merged import around
from ..problem.offers import Lead, OfferFacts
from .eligibility import Eligibilities, KeptOut

_NO_CAPACITY = "its capacity counts for nothing in the plan"
_TOLD = {Status.CONSTRUCTION: "under construction", Status.ANNOUNCED: "only announced"}


class BarredDays(Record):
    """Days on which a rule holds, inclusive."""

    start: date | None
    """None: since ever."""
    end: date | None
    """None: no last day is set."""


class Obstacle(Record):
    """One thing that keeps an offer out."""

    kind: Literal["figure", "capacity", "dates", "time", "inputs", "licence", "unproven", "forbidden", "no room"]
    """`figure`: something is not published well enough. `dates`: when it may be ordered. `time`: qualification and lead time. `no room`:
    nothing else is found, and yet no plan that keeps the rules can have any."""
    text: str
    """What it is, and what would have to become of it."""
    rule: str = ""
    clause: str = ""
    stage: str = ""
    countries: list[str] = []
    days: list[BarredDays] = []
    """Of a rule: the days on which it is in force, as far as they reach into the plan."""
    end_uses: list[str] = []
    """Uses that it is kept out of: material and end use. None: all."""
    lifted_by: list[Change] = []
    """What relaxes it; none: no change of the case can."""


def obstacles(standings: Eligibilities, offer: Offer, lead: Lead | None) -> list[Obstacle]:
    """Everything that keeps an offer out of some use or of all, in the order in which one would look; a lead is given as both."""
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
    """Why nothing of an offer is available though nothing is found against it: what it takes in, as far as that can be told."""
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
    """What nobody published, with the figure that would let it count."""
    for reason in dict.fromkeys(lead.reasons):
        changes = []
        text = reason
        if "capacity" in reason or "quantity" in reason:
            published = max((step.per_year for step in facility.capacity if step.per_year is not None), default=None)
            rate = published if published is not None else _yearly_need(standings, lead.offer)
            changes = [Change(capacity=facility.id, per_year=rate, status=Status.OPERATING)]
            source = "as stated there" if published is not None else "all that is wanted"
            text = f"{reason}: a figure is needed; asked about with {_number(rate)} kg a year, {source}"
        elif "price" in reason or "quotation" in reason:
            told = lead.offer.price
            known = told is not None and told.amount is not None
            amount, currency = (told.amount, told.currency) if told is not None and known else (Decimal(1), "")
            changes = [Change(price=f"offer:{lead.offer.id}", amount=amount, currency=currency)]
            of = currency or standings.problem.case.currency
            as_stated = ", as stated there" if known else ""
            text = f"{reason}: a price is needed; asked about with {_number(amount)} {of} a unit{as_stated}"
        yield Obstacle(kind="figure", text=text, lifted_by=changes)


def _number(amount: Decimal | None) -> str:
    return "" if amount is None else readable(amount)


def _yearly_need(standings: Eligibilities, offer: Offer) -> Decimal:
    """Kilograms a year that are wanted at most of what an offer delivers."""
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
    """A capacity that comes to nothing within the plan: it starts too late, or its status does not count."""
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
    """Whether a step stands on some day of the plan."""
    span = problem.case.horizon.span
    assert span.start is not None and span.end is not None
    following = [other.start for other in steps[steps.index(step) + 1 :] if other.start is not None]
    begun = step.start is None or step.start <= span.end
    return begun and (not following or following[0] > span.start)


def _dates(problem: Problem, facts: OfferFacts) -> Iterator[Obstacle]:
    """Days on which it may be ordered that no period of the plan lies within."""
    offer, periods = facts.offer, problem.case.horizon.periods
    lifting = Change(lift=TermKind.DATES, of=f"offer:{offer.id}")
    if offer.start is not None and not any(offer.start <= period.start for period in periods):
        text = f"it may be ordered from {offer.start} on, and would have to be from {periods[-1].start} at the latest"
        yield Obstacle(kind="dates", text=text, lifted_by=[lifting])
    if offer.end is not None and not any(period.end <= offer.end for period in periods):
        text = f"it may be ordered until {offer.end}, and would have to be until {periods[0].end} at the earliest"
        yield Obstacle(kind="dates", text=text, lifted_by=[lifting])


def _time(standings: Eligibilities, facts: OfferFacts) -> Iterator[Obstacle]:
    """Qualification and lead time that end after the plan does."""
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
    """What it takes in and nobody offers where it is made."""
    for line in facts.offer.inputs:
        if not problem.network.into.get((line.material, facts.place)):
            leads = [lead.offer.id for lead in problem.leads if gives(lead.offer, line.material)]
            named = f"; leads that might: {', '.join(leads)}" if leads else ""
            yield Obstacle(
                kind="inputs", text=f"it takes in {line.material}, of which no offer counts in the case{named}"
            )


def gives(offer: Offer, material: str) -> bool:
    """Whether a material is among what an offer delivers."""
    return any(line.material == material for line in offer.outputs)


def _days(problem: Problem, name: str) -> list[BarredDays]:
    """Return the days on which a rule is in force, phases that follow one another as one."""
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
    """Rules in force against it, each once for all uses it bears on."""
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
