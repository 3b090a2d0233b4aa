"""Figures of offers that nobody published or that are assumed: prices, lead times, conversions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from friendshore.domain.base import exact
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import Offer, RecipeLine
from friendshore.domain.quantities import readable
from friendshore.domain.time import Delay
from friendshore.problem.offers import Lead, OfferFacts

from .capacities import EnoughCapacity, lacks_capacity
from .drafts import NOT_KNOWN, Doubts, Draft, Try, goods
from .records import EvidenceToday, Unasked, UnknownKind


def prices(doubts: Doubts, enough: EnoughCapacity) -> Iterator[Draft]:
    """Of every offer whose price nobody published, or which counts though its price is assumed."""
    for lead in doubts.leads():
        if any("price" in r or "quotation" in r for r in lead.reasons):
            yield _unpublished(doubts, lead, enough)
    for facts in doubts.counting():
        known = _assumed_price(doubts, facts.offer)
        if known is not None and any(facts.price):
            yield _assumed(doubts, facts, known)


def _unpublished(doubts: Doubts, lead: Lead, enough: EnoughCapacity) -> Draft:
    offer, price = lead.offer, lead.offer.price
    facility = doubts.session.problem.merged.facilities[offer.facility]
    also = (enough.change(facility, [offer]),) if lacks_capacity(lead) else ()
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
    """The evidence of a price that is assumed; None: it is not. One that follows a benchmark is, since nobody said that the offer does."""
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


def _assumed(doubts: Doubts, facts: OfferFacts, known: EvidenceToday) -> Draft:
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
    """Of every offer that counts and states none, or of which what is stated is doubted."""
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
    """Of every maker that counts and of which a line of the recipe is assumed or recalled."""
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
    """Kilograms of an input that hold as much of its element as comes out; nothing where that is not known."""
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
