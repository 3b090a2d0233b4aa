"""Capacities that nobody published, or not well enough: of facilities whose offers are shown and never counted, and of some that count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change
from friendshore.domain.facts import CapacityStep, Facility, Offer, Status
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.offers import Lead

from .drafts import Doubts, Draft, Try, goods, percent, tonnes
from .records import Unasked, UnknownKind

_SLACK = 2
"""How many times all that the case can use a bound on a capacity is: what is held in stock is made too."""


def capacities(doubts: Doubts, enough: EnoughCapacity) -> Iterator[Draft]:
    """One for each facility, in order of ids."""
    problem = doubts.session.problem
    lacking = grouped((lead.offer.facility, lead) for lead in doubts.leads() if _lacks(doubts, lead))
    counting = grouped((facts.facility.id, facts.offer) for facts in doubts.counting())
    for name in sorted({*lacking, *counting}):
        facility, leads = problem.merged.facilities[name], lacking.get(name, [])
        if any(lacks_capacity(lead) and not lacks_price(lead) for lead in leads):
            yield _unpublished(doubts, facility, leads, enough)
        steps = accepted_steps(facility, problem.merged, problem.case) if name in counting else ()
        doubted = [step for step in steps if step.per_year and doubts.doubted(step.source)]
        if doubted:
            yield _assumed(doubts, facility, counting[name], doubted[-1])


def lacks_capacity(lead: Lead) -> bool:
    """Whether nobody published the capacity of an offer's facility, or not well enough."""
    return any("capacity" in reason for reason in lead.reasons)


def lacks_price(lead: Lead) -> bool:
    """Whether something else than a capacity keeps an offer from counting: its price, or a rate to turn that by."""
    return any("capacity" not in reason for reason in lead.reasons)


def _lacks(doubts: Doubts, lead: Lead) -> bool:
    for reason in lead.reasons:
        if "exchange rate" in reason or ("quantity" in reason and len(lead.reasons) > 1):
            doubts.unasked.append(Unasked(subject=lead.offer.id, why=f"{reason}, which no change of a case states"))
    return lacks_capacity(lead)


def quantities(doubts: Doubts) -> Iterator[Draft]:
    """Of every offer that says itself how much it gives, not well enough founded to count, or doubted; in order of ids."""
    for lead in doubts.leads():
        if [reason for reason in lead.reasons if "quantity" in reason] == list(lead.reasons):
            yield _own_quantity(doubts, lead.offer, _stated_again(doubts, lead))
    for facts in doubts.counting():
        offer = facts.offer
        if (offer.max_per_year is not None or offer.total is not None) and doubts.doubted(offer.source):
            yield _own_quantity(doubts, offer, _multiplied(doubts, offer.id))


def _multiplied(doubts: Doubts, name: str) -> tuple[Try, ...]:
    """What an offer gives, less and more by the spread."""
    by = percent(doubts.spread)
    return doubts.either_way(
        lambda factor: f"{by} {'more' if factor > 1 else 'less'}",
        lambda factor: Change(capacity=f"offer:{name}", factor=factor),
    )


def _stated_again(doubts: Doubts, lead: Lead) -> tuple[Try, ...]:
    """What is told taken to hold, less and more by the spread, and with all origins proved."""
    offer = lead.offer
    changes = [
        Change(
            capacity=f"offer:{offer.id}",
            per_year=None if offer.max_per_year is None else exact(offer.max_per_year * factor),
            quantity=None if offer.total is None else exact(offer.total * factor),
        )
        for factor in (1 - doubts.spread, 1 + doubts.spread)
    ]
    by = percent(doubts.spread)
    less, more = Try(f"{by} less than is told", (changes[0],)), Try(f"{by} more than is told", (changes[1],))
    return less, more, _proved(more.answer, more.changes, [lead])


def _own_quantity(doubts: Doubts, offer: Offer, tries: tuple[Try, ...]) -> Draft:
    told = [
        *([] if offer.max_per_year is None else [f"{tonnes(offer.max_per_year)} a year"]),
        *([] if offer.total is None else [f"{tonnes(offer.total)} over the plan"]),
    ]
    facility = doubts.session.problem.merged.facilities[offer.facility]
    return doubts.draft(
        UnknownKind.CAPACITY,
        offer,
        f"Can {facility.supplier} deliver {' and '.join(told)} of {goods(offer)}?",
        doubts.known(offer.source),
        doubts.by_spread,
        tries,
    )


def _unpublished(doubts: Doubts, facility: Facility, leads: Sequence[Lead], enough: EnoughCapacity) -> Draft:
    materials = sorted({line.material for lead in leads for line in lead.offer.outputs})
    stated = any(step.per_year for step in facility.capacity) and all(s.per_year is not None for s in facility.capacity)
    if stated:
        told = tonnes(max(step.per_year or Decimal(0) for step in facility.capacity))
        known = doubts.known(facility.capacity[-1].source, f"{told} a year: ")
        taken = f"{doubts.by_spread}, running from the day that is told"
        tries = _confirmed(doubts, facility, told, leads)
    else:
        large = (enough.change(facility, [lead.offer for lead in leads]),)
        known = doubts.known(leads[0].offer.source)
        taken = (
            f"a bound: {tonnes(large[0].per_year)} a year from the start, more than the case can use, at the price asked; "
            "beside that, every origin of it that is not proved turns out to be what the rules ask for"
        )
        tries = (Try("large", large, bound=True), _proved("large", large, leads))
    return Draft(
        kind=UnknownKind.CAPACITY,
        subject=facility.id,
        material=", ".join(materials),
        question=f"How much {' and '.join(materials)} can {facility.name or facility.id} deliver a year, from when, and of what origin?",
        whom=facility.supplier,
        country=facility.country,
        known=known,
        taken=taken,
        tries=tries,
        never_full="" if stated else facility.id,
    )


def _confirmed(doubts: Doubts, facility: Facility, told: str, leads: Sequence[Lead]) -> tuple[Try, ...]:
    """What is told taken to hold, less and more by the spread, and running from the days that are told."""

    def held(factor: Decimal) -> Iterator[Change]:
        for step in facility.capacity:  # each holds up to the next
            rate = exact((step.per_year or Decimal(0)) * factor)
            stated = {"capacity": facility.id, "per_year": rate, "status": Status.OPERATING, "from": step.start}
            yield Change.model_validate(stated)

    less, more = tuple(held(1 - doubts.spread)), tuple(held(1 + doubts.spread))
    by = percent(doubts.spread)
    largest = f"{by} more than {told} a year"
    return Try(f"{by} less than {told} a year", less), Try(largest, more), _proved(largest, more, leads)


def _proved(answer: str, changes: tuple[Change, ...], leads: Sequence[Lead]) -> Try:
    """The same, and all origins of the offers proved: who is asked how much he can deliver is asked where it comes from."""
    proofs = tuple(Change(prove=lead.offer.id) for lead in leads)
    return Try(f"{answer}, and its origins proved", (*changes, *proofs), bound=True, further=True)


def _assumed(doubts: Doubts, facility: Facility, offers: Sequence[Offer], step: CapacityStep) -> Draft:
    materials = sorted({line.material for offer in offers for line in offer.outputs})
    rate = step.per_year or Decimal(0)
    name = facility.name or facility.id
    return Draft(
        kind=UnknownKind.CAPACITY,
        subject=facility.id,
        material=", ".join(materials),
        question=f"Can {name} deliver {tonnes(rate)} of {' and '.join(materials)} a year?",
        whom=facility.supplier,
        country=facility.country,
        known=doubts.known(step.source),
        taken=doubts.by_spread,
        tries=doubts.either_way(
            lambda factor: f"{tonnes(exact(rate * factor))} a year",
            lambda factor: Change(capacity=facility.id, factor=factor),
        ),
    )


class EnoughCapacity:
    """How much a year is more than a case can use of what a facility makes."""

    def __init__(self, problem: Problem) -> None:
        self._shortest = min(as_decimal(period.years) for period in problem.case.horizon.periods)
        self._needs = _needs(problem)

    def change(self, facility: Facility, offers: Iterable[Offer]) -> Change:
        """So much a year, running from the start, that the shortest period gives twice all that is wanted over the plan, for each of its offers."""
        most = Decimal(0)
        for offer in offers:
            units = [self._needs.get(line.material, Decimal(0)) / line.per_unit for line in offer.outputs]
            most += max(units) * max(offer.capacity_use, Decimal(1))
        rate = max(_SLACK * most / self._shortest, Decimal(1))
        step = Decimal(1).scaleb(rate.adjusted() - 1)  # two digits, rounded up
        per_year = exact((rate / step).to_integral_value(ROUND_CEILING) * step)
        return Change(capacity=facility.id, per_year=per_year, status=Status.OPERATING)


def _needs(problem: Problem) -> dict[str, Decimal]:
    """Kilograms of each material that a case can use over the plan, by whichever recipe takes most."""
    demanded: dict[str, Decimal] = {}
    for demand in problem.demands:
        name = demand.use.material.id
        demanded[name] = demanded.get(name, Decimal(0)) + sum(demand.quantity, Decimal(0))
    takes: dict[tuple[str, str], Decimal] = {}
    for offer in problem.merged.offers.values():
        for given in offer.inputs:
            for made in offer.outputs:
                key = (given.material, made.material)
                takes[key] = max(takes.get(key, Decimal(0)), given.per_unit / made.per_unit)
    found = dict(demanded)
    for _ in problem.merged.materials:  # no way up the chain has more steps
        more = dict(demanded)
        for (given_id, made_id), ratio in takes.items():
            more[given_id] = exact(more.get(given_id, Decimal(0)) + ratio * found.get(made_id, Decimal(0)))
        if more == found:
            break
        found = more
    return found
