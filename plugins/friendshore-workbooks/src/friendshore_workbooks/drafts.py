"""Drafts of unknowns: possible questions about capacities, prices, lead times, conversions, origins, licenses, and rules before any planning.

No figure is invented. A stated figure is tried better and worse by a share that is reported as an assumption. Without a stated figure, the best
case is a bound that no answer can beat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import CapacityStep, Facility, Offer, RecipeLine, Status
from friendshore.domain.quantities import readable
from friendshore.domain.time import Delay
from friendshore.explain.eligibility import Eligibilities, KeptOut
from friendshore.plugins import sentence_of
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.offers import Lead, OfferFacts, resolve_offers
from friendshore.recommend.law import goods_without_duty, offers_of_unknown_origin
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.session import Session

from .unknowns import EvidenceToday, Unasked, UnknownKind

NOT_KNOWN = EvidenceToday(reference="", date=None, confidence="")
"""Absent evidence."""


@dataclass(frozen=True, slots=True)
class Try:
    """One answer, and the changes of the case with it."""

    answer: str
    changes: tuple[Change, ...]
    bound: bool = False
    """True if no answer could save more."""
    same: bool = False
    """True if it keeps the facts of the plan."""
    further: bool = False
    """True if it goes beyond the answer before it. It is then reported only if it makes a difference."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An unknown with the answers to try. Its fields are those of `Unknown`."""

    kind: UnknownKind
    subject: str
    material: str
    question: str
    whom: str
    country: str
    known: EvidenceToday
    taken: str
    tries: tuple[Try, ...]
    never_full: str = ""
    """Facility whose capacity is assumed to be never used up. Empty if none."""
    unpriced: str = ""
    """Offer without a published price. Empty for other unknowns."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """Data for the unknowns of a session."""

    session: Session
    spread: Decimal
    """Share by which a figure without a stated range is varied."""
    unasked: list[Unasked] = field(default_factory=list)
    """Unknowns that can't be tried, collected along the way."""

    def wanted(self, offer: Offer) -> bool:
        """Return True if any good of an offer may be wanted."""
        return any(line.material in self.session.parts.of_material for line in offer.outputs)

    def leads(self) -> list[Lead]:
        """Return unusable offers that may be wanted, including those whose goods only other leads could take."""
        problem = self.session.problem
        _, leads, _ = resolve_offers(problem.merged, problem.case)
        return [lead for lead in leads if self.wanted(lead.offer)]

    def counting(self) -> list[OfferFacts]:
        """Return usable offers that may be wanted."""
        return [facts for facts in self.session.problem.offers if self.wanted(facts.offer)]

    def doubted(self, source: str) -> bool:
        """Return True if evidence is at best assumed or recalled, or less than the case requires."""
        problem = self.session.problem
        confidence = problem.merged.confidence(source)
        return not (confidence.reaches(Confidence.REPORTED) and confidence.reaches(problem.case.accept.confidence))

    def known(self, source: str, prefix: str = "") -> EvidenceToday:
        """Return the evidence behind a figure."""
        found = self.session.problem.merged.sources.get(source)
        if found is None:
            return NOT_KNOWN
        return EvidenceToday(reference=f"{prefix}{found.reference}", date=found.date, confidence=found.confidence.value)

    def draft(
        self,
        kind: UnknownKind,
        offer: Offer,
        question: str,
        known: EvidenceToday,
        taken: str,
        tries: tuple[Try, ...],
        unpriced: bool = False,
    ) -> Draft:
        """Return an unknown about one offer, to ask its supplier."""
        facility = self.session.problem.merged.facilities[offer.facility]
        return Draft(
            kind=kind,
            subject=offer.id,
            material=goods(offer),
            question=question,
            whom=facility.supplier,
            country=facility.country,
            known=known,
            taken=taken,
            tries=tries,
            unpriced=offer.id if unpriced else "",
        )

    def named(self, offer: Offer) -> str:
        """Return an offer in words: its goods, and their source."""
        facility = self.session.problem.merged.facilities[offer.facility]
        return f"{goods(offer)} of {facility.name or facility.id}"

    def either_way(self, told: Callable[[Decimal], str], change: Callable[[Decimal], Change]) -> tuple[Try, ...]:
        """Return a figure varied down and up by the spread, described and changed by a factor."""
        return tuple(Try(told(factor), (change(factor),)) for factor in (1 - self.spread, 1 + self.spread))

    @property
    def by_spread(self) -> str:
        """Assumption about the spread, in words."""
        return f"assumption: no range is stated, {percent(self.spread)} less and more are tried"


def goods(offer: Offer) -> str:
    """Return the goods of an offer."""
    return " and ".join(sorted(line.material for line in offer.outputs))


def percent(share: Decimal) -> str:
    """Return a share in words."""
    return f"{readable(share * 100)} %"


def tonnes(kilograms: Decimal | None) -> str:
    """Return a mass in words."""
    size = kilograms or Decimal(0)
    return f"{readable(size / 1000)} t" if size >= 1000 else f"{readable(size)} kg"


_SLACK = 2
"""Factor of the maximum use of the case in a bound on a capacity, since stock is made too."""


def capacities(doubts: Doubts, enough: EnoughCapacity) -> Iterator[Draft]:
    """Yield a draft for each facility by id."""
    problem = doubts.session.problem
    lacking = grouped((lead.offer.facility, lead) for lead in doubts.leads() if _lacks(doubts, lead))
    counting = grouped((facts.facility.id, facts.offer) for facts in doubts.counting())
    for name in sorted({*lacking, *counting}):
        facility, leads = problem.merged.facilities[name], lacking.get(name, [])
        if any({reason.lacks for reason in lead.reasons} == {"capacity"} for lead in leads):
            yield _unpublished_capacity(doubts, facility, leads, enough)
        steps = accepted_steps(facility, problem.merged, problem.case) if name in counting else ()
        doubted = [step for step in steps if step.per_year and doubts.doubted(step.source)]
        if doubted:
            yield _doubted_capacity(doubts, facility, counting[name], doubted[-1])


def _lacks(doubts: Doubts, lead: Lead) -> bool:
    for reason in lead.reasons:
        if reason.lacks == "rate" or (reason.lacks == "quantity" and len(lead.reasons) > 1):
            why = f"{reason.text}, which no change of a case states"
            doubts.unasked.append(Unasked(subject=lead.offer.id, why=why))
    return lead.lacks("capacity")


def quantities(doubts: Doubts) -> Iterator[Draft]:
    """Yield a draft for each offer with its own quantity whose evidence is insufficient or doubted, by id."""
    for lead in doubts.leads():
        if all(reason.lacks == "quantity" for reason in lead.reasons):
            yield _own_quantity(doubts, lead.offer, _stated_again(doubts, lead))
    for facts in doubts.counting():
        offer = facts.offer
        if (offer.max_per_year is not None or offer.total is not None) and doubts.doubted(offer.source):
            yield _own_quantity(doubts, offer, _multiplied(doubts, offer.id))


def _multiplied(doubts: Doubts, name: str) -> tuple[Try, ...]:
    """Return the quantity of an offer, varied down and up by the spread."""
    by = percent(doubts.spread)
    return doubts.either_way(
        lambda factor: f"{by} {'more' if factor > 1 else 'less'}",
        lambda factor: Change(capacity=f"offer:{name}", factor=factor),
    )


def _stated_again(doubts: Doubts, lead: Lead) -> tuple[Try, ...]:
    """Return the stated quantity as true, varied down and up by the spread, and with all origins proved."""
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


def _unpublished_capacity(doubts: Doubts, facility: Facility, leads: Sequence[Lead], enough: EnoughCapacity) -> Draft:
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
    """Return the stated capacity as true, varied down and up by the spread, and running from the stated days."""

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
    """Return an answer with all origins of the offers proved too, since a supplier who is asked for quantities is also asked for origins."""
    proofs = tuple(Change(prove=lead.offer.id) for lead in leads)
    return Try(f"{answer}, and its origins proved", (*changes, *proofs), bound=True, further=True)


def _doubted_capacity(doubts: Doubts, facility: Facility, offers: Sequence[Offer], step: CapacityStep) -> Draft:
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
    """Yearly output of a facility that is more than a case can use."""

    def __init__(self, problem: Problem) -> None:
        self._shortest = min(as_decimal(period.years) for period in problem.case.horizon.periods)
        self._needs = _needs(problem)

    def change(self, facility: Facility, offers: Iterable[Offer]) -> Change:
        """Return a capacity from the start that in the shortest period gives twice the total demand of the plan, for each of its offers."""
        most = Decimal(0)
        for offer in offers:
            units = [self._needs.get(line.material, Decimal(0)) / line.per_unit for line in offer.outputs]
            most += max(units) * max(offer.capacity_use, Decimal(1))
        rate = max(_SLACK * most / self._shortest, Decimal(1))
        step = Decimal(1).scaleb(rate.adjusted() - 1)  # two digits, rounded up
        per_year = exact((rate / step).to_integral_value(ROUND_CEILING) * step)
        return Change(capacity=facility.id, per_year=per_year, status=Status.OPERATING)


def _needs(problem: Problem) -> dict[str, Decimal]:
    """Return the kilograms of each material that a case can use over the plan, by the recipe that takes most."""
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


def prices(doubts: Doubts, enough: EnoughCapacity) -> Iterator[Draft]:
    """Yield a draft for every offer without a published price, and for usable ones with an assumed price."""
    for lead in doubts.leads():
        if lead.lacks("price"):
            yield _unpublished_price(doubts, lead, enough)
    for facts in doubts.counting():
        known = _assumed_price(doubts, facts.offer)
        if known is not None and any(facts.price):
            yield _doubted_price(doubts, facts, known)


def _unpublished_price(doubts: Doubts, lead: Lead, enough: EnoughCapacity) -> Draft:
    offer, price = lead.offer, lead.offer.price
    facility = doubts.session.problem.merged.facilities[offer.facility]
    also = (enough.change(facility, [offer]),) if lead.lacks("capacity") else ()
    large = ", and a capacity that is never used up" if also else ""
    if price is not None and price.amount is not None:
        amount, currency = price.amount, price.currency
        return doubts.draft(
            UnknownKind.PRICE,
            offer,
            f"At what price does {facility.supplier} sell {doubts.named(offer)}?",
            doubts.known(price.source, f"{readable(amount)} {currency}/kg: "),
            doubts.by_spread + large,
            tuple(
                Try(
                    f"at {readable(exact(amount * factor))} {currency}/kg",
                    (*also, Change(price=f"offer:{offer.id}", amount=exact(amount * factor), currency=currency)),
                )
                for factor in (1 - doubts.spread, 1 + doubts.spread)
            ),
        )
    free = Change(price=f"offer:{offer.id}", amount=Decimal(0), currency=doubts.session.problem.case.currency)
    how_much = ", and how much of it a year" if also else ""
    return doubts.draft(
        UnknownKind.PRICE,
        offer,
        f"At what price does {facility.supplier} sell {doubts.named(offer)}{how_much}?",
        doubts.known(offer.source),
        f"a bound: a price of nothing{large}; no price saves more",
        (Try("for nothing", (*also, free), bound=True),),
        unpriced=True,
    )


def _assumed_price(doubts: Doubts, offer: Offer) -> EvidenceToday | None:
    """Return the evidence of an assumed price. None if it isn't assumed. A price that follows a benchmark is, since no source links the offer to it."""
    merged = doubts.session.problem.merged
    for quote in offer.quotes:
        if doubts.doubted(quote.source):
            return doubts.known(quote.source)
    price = offer.price
    if price is None:
        return None
    if price.amount is None:
        rows = merged.prices.get(price.benchmark, ())
        if not rows:
            return None
        premium = f"{readable(price.premium * 100)} % on " if price.premium else ""
        found = doubts.known(rows[-1].source, f"assumed to follow {premium}benchmark {price.benchmark}: ")
        return found.but(date=rows[-1].date, confidence=Confidence.ASSUMED.value)
    given = {one.id for one in doubts.session.problem.case.assume.offer if one.price is not None}
    if offer.id in given:
        return EvidenceToday(reference="the case assumes it", date=None, confidence=Confidence.ASSUMED.value)
    return doubts.known(price.source) if doubts.doubted(price.source) else None


def _doubted_price(doubts: Doubts, facts: OfferFacts, known: EvidenceToday) -> Draft:
    first = next((t for t, most in enumerate(facts.most) if most != 0), 0)
    today, currency = facts.price[first], doubts.session.problem.case.currency
    return doubts.draft(
        UnknownKind.PRICE,
        facts.offer,
        f"Is {readable(today)} {currency}/kg what {facts.facility.supplier} asks for {doubts.named(facts.offer)}?",
        known,
        doubts.by_spread,
        doubts.either_way(
            lambda factor: f"at {readable(exact(today * factor))} {currency}/kg",
            lambda factor: Change(price=f"offer:{facts.offer.id}", factor=factor),
        ),
    )


def lead_times(doubts: Doubts) -> Iterator[Draft]:
    """Yield a draft for every usable offer without a lead time, or with a doubted one."""
    problem = doubts.session.problem
    for facts in doubts.counting():
        offer = facts.offer
        own = problem.case.assume.lead_time if offer.lead_time is None else offer.lead_time
        if offer.lead_time is not None and not doubts.doubted(offer.source):
            continue
        if any(lane.lead_time is not None for lane in offer.lanes):
            if not all(lane.lead_time is not None for lane in offer.lanes):
                why = "some of its ways state a lead time and some do not, which one change cannot tell apart"
                doubts.unasked.append(Unasked(subject=offer.id, why=why))
            continue
        if not own:
            doubts.unasked.append(
                Unasked(subject=offer.id, why="its lead time is taken as none, of which no share is more")
            )
            continue
        yield _lead_time(doubts, offer, own)


def _lead_time(doubts: Doubts, offer: Offer, own: Decimal) -> Draft:
    problem = doubts.session.problem
    horizon = problem.case.horizon
    stated = offer.lead_time is not None
    known = (
        doubts.known(offer.source)
        if stated
        else EvidenceToday(reference="the case assumes it", date=None, confidence=Confidence.ASSUMED.value)
    )

    def arrivals(lead_time: Decimal) -> list[int]:
        delay = Delay.of(lead_time, problem.case.assume.safety_lead)
        return [horizon.arrival(t, delay) for t in range(horizon.count)]

    def tried(factor: Decimal) -> Try:
        months = exact(own * factor)
        same = arrivals(months) == arrivals(own)
        told = f"{readable(months)} months{', the same in whole periods' if same else ''}"
        return Try(told, (Change(lead_time=f"offer:{offer.id}", factor=factor),), same=same)

    return doubts.draft(
        UnknownKind.LEAD_TIME,
        offer,
        f"How many months pass from order to delivery of {doubts.named(offer)}? Taken are {readable(own)}.",
        known,
        doubts.by_spread,
        (tried(1 - doubts.spread), tried(1 + doubts.spread)),
    )


def conversions(doubts: Doubts) -> Iterator[Draft]:
    """Yield a draft for every usable maker with an assumed or recalled line in its recipe."""
    for facts in doubts.counting():
        offer = facts.offer
        lines = (*offer.inputs, *(offer.outputs if len(offer.outputs) > 1 else ()))
        for line in lines:
            confidence = doubts.session.problem.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                yield _conversion(doubts, offer, line, takes=line in offer.inputs)


def _conversion(doubts: Doubts, offer: Offer, line: RecipeLine, *, takes: bool) -> Draft:
    least = _lossless(doubts, offer, line) if takes else Decimal(0)
    low = max(1 - doubts.spread, min(exact(least / line.per_unit), Decimal(1)))
    verb = "take" if takes else "give"
    unit = "a kilogram" if len(offer.outputs) == 1 else "a unit"
    facility = doubts.session.problem.merged.facilities[offer.facility]
    bounded = f"; less than {readable(least)} kg would make something of nothing" if low > 1 - doubts.spread else ""
    tries = tuple(
        Try(
            f"{readable(exact(line.per_unit * factor))} kg",
            (Change(recipe=offer.id, of=line.material, factor=factor),),
        )
        for factor in (low, 1 + doubts.spread)
        if factor != 1
    )
    return doubts.draft(
        UnknownKind.CONVERSION,
        offer,
        f"How many kilograms of {line.material} does {facility.name or facility.id} {verb} for {unit} of {goods(offer) if takes else offer.id}? "
        f"Taken are {readable(line.per_unit)}.",
        doubts.known(line.source) if line.source else NOT_KNOWN,
        doubts.by_spread + bounded,
        tries,
    )


def _lossless(doubts: Doubts, offer: Offer, line: RecipeLine) -> Decimal:
    """Return the kilograms of an input that contain as much of its element as the output. Zero if unknown."""
    materials = doubts.session.problem.merged.materials
    given = materials[line.material]
    if not given.content or not given.element:
        return Decimal(0)
    held = Decimal(0)
    for out in offer.outputs:
        made = materials[out.material]
        if made.element == given.element and made.content:
            held += out.per_unit * made.content
    return held / given.content


def origins(doubts: Doubts) -> Iterator[Draft]:
    """Yield offers that are excluded from a use only because an origin is unproved, then those that a license would admit."""
    out = Eligibilities(doubts.session.problem).out
    for _, kept in sorted(out.items()):
        unproven = [one for one in kept if one.unproven and not one.verdict.licence]
        if unproven:
            yield _origin(doubts, unproven)
    licensed = grouped(
        ((one.verdict.rule, one.arc.chained.facility.id), one)
        for kept in out.values()
        for one in kept
        if one.verdict.licence
    )
    for (rule, facility), some in sorted(licensed.items()):
        yield _licence(doubts, rule, facility, some)


def _uses(kept: list[KeptOut]) -> str:
    return ", ".join(sorted({f"{one.use.end_use} {one.use.material.id}" for one in kept}))


def _origin(doubts: Doubts, kept: list[KeptOut]) -> Draft:
    offer = kept[0].arc.chained.offer
    stages = sorted({one.verdict.stage for one in kept} - {""})
    rules = sorted({one.verdict.rule for one in kept})
    what = (
        f"Where is {doubts.named(offer)} {' and '.join(stages)}"
        if stages
        else f"Where does {doubts.named(offer)} come from"
    )
    return doubts.draft(
        UnknownKind.ORIGIN,
        offer,
        f"{what}, and what proves it? {', '.join(rules)} asks, for {_uses(kept)}.",
        _stated_origin(doubts, offer, stages),
        "every stage that is not proved turns out to be what the rules ask for; if not, the plan stays what it is",
        (Try("it is proved", (Change(prove=offer.id),), bound=True),),
    )


def _stated_origin(doubts: Doubts, offer: Offer, stages: list[str]) -> EvidenceToday:
    """Return the best evidence of the stages in question."""
    entries = [
        entry for entry in offer.chain if not stages or entry.main_stage.value in stages or entry.stage in stages
    ]
    if not entries:
        return NOT_KNOWN
    merged = doubts.session.problem.merged
    best = max(entries, key=lambda entry: merged.confidence(entry.source).rank)
    where = "/".join(sorted(best.countries)) or "no country"
    return doubts.known(best.source, f"{best.stage} {where}{'' if best.complete else ', maybe elsewhere'}: ")


def _licence(doubts: Doubts, name: str, facility: str, kept: list[KeptOut]) -> Draft:
    problem = doubts.session.problem
    rule = next(one for one in problem.rules if one.id == name)
    plant = problem.merged.facilities[facility]
    materials = sorted({line.material for one in kept for line in one.arc.chained.offer.outputs})
    return Draft(
        kind=UnknownKind.LICENCE,
        subject=f"{name} for {facility}",
        material=", ".join(materials),
        question=f"Is {' and '.join(materials)} of {plant.name or facility} licensed under {name} ({_title(rule)}), for {_uses(kept)}?",
        whom=f"{plant.supplier}, and whoever licenses under {rule.citation or name}",
        country=plant.country,
        known=NOT_KNOWN,
        taken="a licence without a limit for all of the plan; if there is none, the plan stays what it is",
        tries=(Try("it is licensed", (Change(grant=name, of=facility),), bound=True),),
    )


def assumed_licences(doubts: Doubts) -> Iterator[Draft]:
    """Yield end uses with licenses that the case assumes to be granted, if a rule requires any."""
    problem = doubts.session.problem
    asking = sorted(rule.id for rule in problem.rules if rule.bears_on == "trade")
    for use in sorted(problem.case.assume.licence) if asking else ():
        materials = sorted({demand.use.material.id for demand in problem.demands if demand.use.end_use == use})
        yield Draft(
            kind=UnknownKind.LICENCE,
            subject=f"{use}, taken as granted",
            material="",
            question=f"Is all that is exported for {use} use licensed, as the case takes it: {', '.join(materials)}, and what goes into them?",
            whom=f"suppliers, and whoever licenses under {', '.join(asking)}",
            country="",
            known=EvidenceToday(reference="the case assumes it", date=None, confidence=Confidence.ASSUMED.value),
            taken="today's plan takes every licence as granted; if none is, only licences in hand count",
            tries=(Try("none is granted", (Change(revoke=use),), bound=True),),
        )


def rules(doubts: Doubts) -> Iterator[Draft]:
    """Yield rules with a phase of unknown status within the plan, by id."""
    problem = doubts.session.problem
    span = problem.case.horizon.span
    for rule in sorted(problem.rules, key=lambda one: one.id):
        open_ = [p for p in rule.phases if p.status is PhaseStatus.UNKNOWN and p.span.meets(span)]
        if open_:
            yield _rule(doubts, rule, open_)


def _rule(doubts: Doubts, rule: Rule, phases: list[Phase]) -> Draft:
    enforced = PhaseStatus.UNKNOWN in doubts.session.problem.law.statuses
    verb, answer = ("disable", "it does not hold") if enforced else ("enable", "it holds")
    changes = tuple(Change.model_validate({verb: rule.id, "from": one.start, "until": one.end}) for one in phases)
    since = f" from {phases[0].start} on" if phases[0].start else ""
    note = " ".join(one.note for one in phases if one.note) or rule.source
    taken = "today's plan enforces it" if enforced else "today's plan takes it not to hold"
    return Draft(
        kind=UnknownKind.RULE,
        subject=rule.id,
        material="",
        question=f"Does {rule.id} ({_title(rule)}) hold{since}?",
        whom=f"whoever made it: {rule.citation or rule.source or rule.id}",
        country="",
        known=EvidenceToday(reference=note, date=None, confidence="unknown" if note else ""),
        taken=taken,
        tries=(Try(answer, changes, bound=True),),
    )


def _title(rule: Rule) -> str:
    return sentence_of(rule).rstrip(".")


def duties(doubts: Doubts) -> Iterator[Unasked]:
    """Yield purchasable goods whose tariff line or customs origin is unknown. No rate of duty is known to try."""
    problem = doubts.session.problem
    arcs = [arc for arc in problem.network.arcs if arc.offer >= 0]
    for material, text in goods_without_duty(problem, arcs).items():
        yield Unasked(
            subject=material, why=f"duty: {_about(text, material)}. Ask a customs broker for the line and its rate"
        )
    for offer, text in offers_of_unknown_origin(problem, arcs).items():
        yield Unasked(subject=offer, why=f"duty: {_about(text, offer)}. Ask the supplier where it was last worked")


def _about(text: str, subject: str) -> str:
    return text.removeprefix(f"{subject}: ")
