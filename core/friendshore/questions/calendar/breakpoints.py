"""The finitely many days on which facts of a case change, and what changes on each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import BaseModel

from ...domain.time import Span
from ...problem.demands import demand_name
from ...problem.judging import licence_id, waiver_id
from ...problem.merged import around
from .snapshot import Snapshot, Subject

_DAY = timedelta(days=1)


def breakpoints(standing: Snapshot) -> dict[date, tuple[Subject, ...]]:
    """Every day after the first on which something that may bear on what is wanted begins or is over, in order.

    Rules are asked for all dates they hold, whatever kind they are of.
    """
    first = standing.inputs.case.horizon.start
    found: dict[date, set[Subject]] = {}
    for day, subject in _turns(standing):
        if first < day <= standing.until:
            found.setdefault(day, set()).add(subject)
    return {day: tuple(sorted(subjects)) for day, subjects in sorted(found.items())}


def stretches_between(first: date, until: date, days: list[date]) -> list[Span]:
    """The stretches that some days cut a longer one into; each of the days begins one."""
    starts = [first, *days]
    ends = [*(day - _DAY for day in days), until]
    return [Span(start=start, end=end) for start, end in zip(starts, ends, strict=True)]


def _turns(standing: Snapshot) -> Iterator[tuple[date, Subject]]:
    inputs, problem = standing.inputs, standing.problem
    statuses = problem.law.statuses
    for rule in inputs.rules:
        for phase in rule.phases:
            if phase.status in statuses:
                yield from _ends(phase.start, phase.end, ("rule", rule.id))
        for day in _dates_in({name: getattr(rule, name) for name in type(rule).model_fields if name != "phases"}):
            yield day, ("rule", rule.id)
            yield day + _DAY, ("rule", rule.id)
    yield from _of_offers(standing)
    for spec in inputs.case.demands:
        name = ("demand", demand_name(spec, inputs.case))
        if spec.quantities or spec.later:
            yield from ((period.start, name) for period in inputs.case.horizon.periods)
        else:
            yield from _ends(spec.start, spec.end, name)
    for waiver in inputs.case.waivers:
        yield from _ends(waiver.start, waiver.end, ("waiver", waiver_id(waiver)))
    for licence in inputs.case.licences:
        yield from _ends(licence.start, licence.end, ("licence", licence_id(licence)))


def _of_offers(standing: Snapshot) -> Iterator[tuple[date, Subject]]:
    """Dates of offers that make a material of the case, of the capacities they draw on, and of what bears on their prices."""
    merged = standing.problem.merged
    wanted = {material for material, _ in standing.problem.network.nodes}
    offers = [o for o in merged.offers.values() if any(line.material in wanted for line in o.outputs)]
    given = {assumption.id: assumption.start for assumption in standing.inputs.case.assume.offer}
    for offer in offers:
        subject = ("offer", offer.id)
        yield from _ends(offer.start, offer.end, subject)
        for quote in offer.quotes:
            yield from _ends(quote.start, quote.end, subject)
        yield from _ends(standing.qualified(offer), None, subject)
        yield from _ends(given.get(offer.id), None, subject)
    sites = {site.id: site for offer in offers for site in around(offer.facility, merged.facilities)}
    for name, site in sites.items():
        for step in site.capacity:
            yield from _ends(step.start, None, ("facility", name))
    benchmarks = {offer.price.benchmark for offer in offers if offer.price is not None}
    for name, rows in merged.prices.items():
        yield from ((row.date, ("price", name)) for row in rows if name in benchmarks)
    yield from ((rate.start, ("exchange rate", f"{rate.currency}/{rate.to}")) for rate in merged.rates)
    for schedule in merged.schedules:
        yield from _ends(schedule.start, schedule.end, ("price schedule", schedule.name))
    for terms in merged.terms:
        yield from _ends(terms.start, terms.end, ("terms", terms.name))


def _ends(start: date | None, end: date | None, subject: Subject) -> Iterator[tuple[date, Subject]]:
    if start is not None:
        yield start, subject
    if end is not None and end < date.max:
        yield end + _DAY, subject


def _dates_in(value: object) -> Iterator[date]:
    """Every date in what a rule holds, however deep."""
    if isinstance(value, date):
        yield value
    elif isinstance(value, BaseModel):
        yield from _dates_in({name: getattr(value, name) for name in type(value).model_fields})
    elif isinstance(value, dict):
        for item in value.values():
            yield from _dates_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _dates_in(item)
