"""Drafts of unknowns, before planning: questions about capacities, prices, lead times, conversions, origins, licenses, and rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from functools import cached_property

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change
from friendshore.domain.elements import declaration_form, element_name
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import CapacityStep, Facility, Offer, RecipeLine, Status
from friendshore.domain.quantities import readable
from friendshore.domain.shown_names import ShownNames
from friendshore.domain.stages import Stage
from friendshore.domain.time import Delay
from friendshore.explain.eligibility import Eligibilities, Exclusion
from friendshore.explain.results import names_of
from friendshore.plugins import sentence_of
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.offers import Lead, OfferFacts, OfferResolver
from friendshore.recommend.law import goods_without_duty, offers_of_unknown_origin
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.kinds import OriginBan
from friendshore.session import Session

from .unknowns import EvidenceToday, Unasked, UnknownKind

NO_EVIDENCE = EvidenceToday(reference="", date=None, confidence="")


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """One answer, with the changes of the case that it means."""

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
    trials: tuple[TrialAnswer, ...]
    never_full: str = ""
    unpriced: str = ""
    """Offer without a published price. Empty for other unknowns."""


@dataclass(frozen=True)
class Doubts:
    """Facts of a session whose evidence is missing or doubtful."""

    session: Session
    spread: Decimal
    unasked: list[Unasked] = field(default_factory=list)

    def has_use(self, offer: Offer) -> bool:
        return any(line.material in self.session.parts.of_material for line in offer.outputs)

    def leads(self) -> list[Lead]:
        """Return unusable offers that may be wanted, even if only other leads can use their goods."""
        problem = self.session.problem
        leads = OfferResolver(problem.merged, problem.case).leads()
        return [lead for lead in leads if self.has_use(lead.offer)]

    def usable_offers(self) -> list[OfferFacts]:
        return [facts for facts in self.session.problem.offers if self.has_use(facts.offer)]

    def is_doubtful(self, source: str) -> bool:
        """Return True if evidence is at best assumed or recalled, or less than the case requires."""
        problem = self.session.problem
        confidence = problem.merged.confidence(source)
        return not (confidence.reaches(Confidence.REPORTED) and confidence.reaches(problem.case.accept.confidence))

    def evidence(self, source: str, prefix: str = "") -> EvidenceToday:
        record = self.session.problem.merged.sources.get(source)
        if record is None:
            return NO_EVIDENCE
        return EvidenceToday(
            reference=f"{prefix}{record.reference}", date=record.date, confidence=record.confidence.value
        )

    def draft(
        self,
        kind: UnknownKind,
        offer: Offer,
        question: str,
        known: EvidenceToday,
        taken: str,
        trials: tuple[TrialAnswer, ...],
        unpriced: bool = False,
    ) -> Draft:
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
            trials=trials,
            unpriced=offer.id if unpriced else "",
        )

    def in_words(self, offer: Offer) -> str:
        facility = self.session.problem.merged.facilities[offer.facility]
        return f"{self.names.in_text(goods(offer))} of {facility.name or facility.id}"

    @cached_property
    def names(self) -> ShownNames:
        return names_of(self.session.problem, ())

    def lower_and_higher(
        self, answer: Callable[[Decimal], str], change: Callable[[Decimal], Change]
    ) -> tuple[TrialAnswer, ...]:
        return tuple(TrialAnswer(answer(factor), (change(factor),)) for factor in (1 - self.spread, 1 + self.spread))

    @property
    def spread_assumption(self) -> str:
        return f"assumption: {percent(self.spread)} lower and higher, since no range is stated"


def goods(offer: Offer) -> str:
    return " and ".join(sorted(line.material for line in offer.outputs))


def percent(share: Decimal) -> str:
    return f"{readable(share * 100)}%"


def tonnes(kilograms: Decimal | None) -> str:
    size = kilograms or Decimal(0)
    return f"{readable(size / 1000)} t" if size >= 1000 else f"{readable(size)} kg"


_SLACK = 2
"""Factor of the maximum use of the case in a bound on a capacity, because output may also go to stock."""


def capacities(doubts: Doubts, sufficient_capacity: SufficientCapacity) -> Iterator[Draft]:
    problem = doubts.session.problem
    leads_by_facility = grouped((lead.offer.facility, lead) for lead in doubts.leads() if _lacks_capacity(doubts, lead))
    usable_by_facility = grouped((facts.facility.id, facts.offer) for facts in doubts.usable_offers())
    for name in sorted({*leads_by_facility, *usable_by_facility}):
        facility, leads = problem.merged.facilities[name], leads_by_facility.get(name, [])
        if any({reason.lacks for reason in lead.reasons} == {"capacity"} for lead in leads):
            yield _missing_capacity(doubts, facility, leads, sufficient_capacity)
        steps = accepted_steps(facility, problem.merged, problem.case) if name in usable_by_facility else ()
        doubtful = [step for step in steps if step.per_year and doubts.is_doubtful(step.source)]
        if doubtful:
            yield _doubtful_capacity(doubts, facility, usable_by_facility[name], doubtful[-1])


def _lacks_capacity(doubts: Doubts, lead: Lead) -> bool:
    for reason in lead.reasons:
        if reason.lacks == "rate" or (reason.lacks == "quantity" and len(lead.reasons) > 1):
            why = f"{reason.text}, which no change of a case can state"
            doubts.unasked.append(Unasked(subject=lead.offer.id, why=why))
    return lead.lacks("capacity")


def quantities(doubts: Doubts) -> Iterator[Draft]:
    for lead in doubts.leads():
        if all(reason.lacks == "quantity" for reason in lead.reasons):
            yield _quantity_draft(doubts, lead.offer, _stated_quantity(doubts, lead))
    for facts in doubts.usable_offers():
        offer = facts.offer
        if (offer.max_per_year is not None or offer.total is not None) and doubts.is_doubtful(offer.source):
            yield _quantity_draft(doubts, offer, _multiplied_quantity(doubts, offer.id))


def _multiplied_quantity(doubts: Doubts, name: str) -> tuple[TrialAnswer, ...]:
    by = percent(doubts.spread)
    return doubts.lower_and_higher(
        lambda factor: f"{by} {'more' if factor > 1 else 'less'}",
        lambda factor: Change(capacity=f"offer:{name}", factor=factor),
    )


def _stated_quantity(doubts: Doubts, lead: Lead) -> tuple[TrialAnswer, ...]:
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
    lower, higher = (
        TrialAnswer(f"{by} less than stated", (changes[0],)),
        TrialAnswer(f"{by} more than stated", (changes[1],)),
    )
    return lower, higher, _with_origins_proved(higher.answer, higher.changes, [lead])


def _quantity_draft(doubts: Doubts, offer: Offer, trials: tuple[TrialAnswer, ...]) -> Draft:
    stated = [
        *([] if offer.max_per_year is None else [f"{tonnes(offer.max_per_year)} a year"]),
        *([] if offer.total is None else [f"{tonnes(offer.total)} over the plan"]),
    ]
    facility = doubts.session.problem.merged.facilities[offer.facility]
    return doubts.draft(
        UnknownKind.CAPACITY,
        offer,
        f"Can {facility.supplier} deliver {' and '.join(stated)} of {goods(offer)}?",
        doubts.evidence(offer.source),
        doubts.spread_assumption,
        trials,
    )


def _missing_capacity(
    doubts: Doubts, facility: Facility, leads: Sequence[Lead], sufficient_capacity: SufficientCapacity
) -> Draft:
    materials = sorted({line.material for lead in leads for line in lead.offer.outputs})
    is_stated = any(step.per_year for step in facility.capacity) and all(
        s.per_year is not None for s in facility.capacity
    )
    if is_stated:
        rate = tonnes(max(step.per_year or Decimal(0) for step in facility.capacity))
        evidence = doubts.evidence(facility.capacity[-1].source, f"{rate} a year: ")
        assumption = f"{doubts.spread_assumption}; the capacity starts on the stated day"
        trials = _multiplied_capacity(doubts, facility, rate, leads)
    else:
        unlimited = (sufficient_capacity.change(facility, [lead.offer for lead in leads]),)
        evidence = doubts.evidence(leads[0].offer.source)
        assumption = (
            f"upper bound: {tonnes(unlimited[0].per_year)} a year from the start, more than the case can use, at the stated price; "
            "in a second trial, all unproved origins also satisfy the rules"
        )
        trials = (TrialAnswer("unlimited", unlimited, bound=True), _with_origins_proved("unlimited", unlimited, leads))
    return Draft(
        kind=UnknownKind.CAPACITY,
        subject=facility.id,
        material=", ".join(materials),
        question=f"How much {' and '.join(materials)} can {facility.name or facility.id} deliver a year, from what day, and of what origin?",
        whom=facility.supplier,
        country=facility.country,
        known=evidence,
        taken=assumption,
        trials=trials,
        never_full="" if is_stated else facility.id,
    )


def _multiplied_capacity(
    doubts: Doubts, facility: Facility, stated_rate: str, leads: Sequence[Lead]
) -> tuple[TrialAnswer, ...]:
    def changes(factor: Decimal) -> Iterator[Change]:
        for step in facility.capacity:  # each step lasts until the next one
            rate = exact((step.per_year or Decimal(0)) * factor)
            change = {"capacity": facility.id, "per_year": rate, "status": Status.OPERATING, "from": step.start}
            yield Change.model_validate(change)

    lower, higher = tuple(changes(1 - doubts.spread)), tuple(changes(1 + doubts.spread))
    by = percent(doubts.spread)
    largest = f"{by} more than {stated_rate} a year"
    return (
        TrialAnswer(f"{by} less than {stated_rate} a year", lower),
        TrialAnswer(largest, higher),
        _with_origins_proved(largest, higher, leads),
    )


def _with_origins_proved(answer: str, changes: tuple[Change, ...], leads: Sequence[Lead]) -> TrialAnswer:
    """Return an answer with all origins proved too, because a supplier who is asked for quantities is also asked for origins."""
    proofs = tuple(Change(prove=lead.offer.id) for lead in leads)
    return TrialAnswer(f"{answer}, with its origins proved", (*changes, *proofs), bound=True, further=True)


def _doubtful_capacity(doubts: Doubts, facility: Facility, offers: Sequence[Offer], step: CapacityStep) -> Draft:
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
        known=doubts.evidence(step.source),
        taken=doubts.spread_assumption,
        trials=doubts.lower_and_higher(
            lambda factor: f"{tonnes(exact(rate * factor))} a year",
            lambda factor: Change(capacity=facility.id, factor=factor),
        ),
    )


class SufficientCapacity:
    """Yearly output of a facility that is more than a case can use."""

    def __init__(self, problem: Problem) -> None:
        self._shortest = min(as_decimal(period.years) for period in problem.case.horizon.periods)
        self._needs = _needs(problem)

    def change(self, facility: Facility, offers: Iterable[Offer]) -> Change:
        max_use = Decimal(0)
        for offer in offers:
            units = [self._needs.get(line.material, Decimal(0)) / line.per_unit for line in offer.outputs]
            max_use += max(units) * max(offer.capacity_use, Decimal(1))
        rate = max(_SLACK * max_use / self._shortest, Decimal(1))
        rounding_step = Decimal(1).scaleb(rate.adjusted() - 1)  # two digits, rounded up
        per_year = exact((rate / rounding_step).to_integral_value(ROUND_CEILING) * rounding_step)
        return Change(capacity=facility.id, per_year=per_year, status=Status.OPERATING)


def _needs(problem: Problem) -> dict[str, Decimal]:
    """Return the kilograms of each material that a case can use over the plan, with the recipe that needs the most input."""
    demanded: dict[str, Decimal] = {}
    for demand in problem.demands:
        name = demand.use.material.id
        demanded[name] = demanded.get(name, Decimal(0)) + sum(demand.quantity, Decimal(0))
    input_per_output: dict[tuple[str, str], Decimal] = {}
    for offer in problem.merged.offers.values():
        for input_line in offer.inputs:
            for output_line in offer.outputs:
                key = (input_line.material, output_line.material)
                input_per_output[key] = max(
                    input_per_output.get(key, Decimal(0)), input_line.per_unit / output_line.per_unit
                )
    needs = dict(demanded)
    for _ in problem.merged.materials:  # no chain has more steps than materials
        updated = dict(demanded)
        for (input_id, output_id), ratio in input_per_output.items():
            updated[input_id] = exact(updated.get(input_id, Decimal(0)) + ratio * needs.get(output_id, Decimal(0)))
        if updated == needs:
            break
        needs = updated
    return needs


def prices(doubts: Doubts, sufficient_capacity: SufficientCapacity) -> Iterator[Draft]:
    for lead in doubts.leads():
        if lead.lacks("price"):
            yield _missing_price(doubts, lead, sufficient_capacity)
    for facts in doubts.usable_offers():
        evidence = _assumed_price_evidence(doubts, facts.offer)
        if evidence is not None and any(facts.price):
            yield _doubtful_price(doubts, facts, evidence)


def _missing_price(doubts: Doubts, lead: Lead, sufficient_capacity: SufficientCapacity) -> Draft:
    offer, price = lead.offer, lead.offer.price
    facility = doubts.session.problem.merged.facilities[offer.facility]
    capacity_change = (sufficient_capacity.change(facility, [offer]),) if lead.lacks("capacity") else ()
    assumed_capacity = ", with unlimited capacity" if capacity_change else ""
    if price is not None and price.amount is not None:
        amount, currency = price.amount, price.currency
        return doubts.draft(
            UnknownKind.PRICE,
            offer,
            f"At what price does {facility.supplier} sell {doubts.in_words(offer)}?",
            doubts.evidence(price.source, f"{readable(amount)} {currency}/kg: "),
            doubts.spread_assumption + assumed_capacity,
            tuple(
                TrialAnswer(
                    f"at {readable(exact(amount * factor))} {currency}/kg",
                    (
                        *capacity_change,
                        Change(price=f"offer:{offer.id}", amount=exact(amount * factor), currency=currency),
                    ),
                )
                for factor in (1 - doubts.spread, 1 + doubts.spread)
            ),
        )
    free = Change(price=f"offer:{offer.id}", amount=Decimal(0), currency=doubts.session.problem.case.currency)
    how_much = ", and how much of it a year" if capacity_change else ""
    return doubts.draft(
        UnknownKind.PRICE,
        offer,
        f"At what price does {facility.supplier} sell {doubts.in_words(offer)}{how_much}?",
        doubts.evidence(offer.source),
        f"upper bound: a price of 0{assumed_capacity}",
        (TrialAnswer("free of charge", (*capacity_change, free), bound=True),),
        unpriced=True,
    )


def _assumed_price_evidence(doubts: Doubts, offer: Offer) -> EvidenceToday | None:
    """Return the evidence of an assumed price. None if it isn't assumed. A price that follows a benchmark is, since no source links the offer to it."""
    merged = doubts.session.problem.merged
    for quote in offer.quotes:
        if doubts.is_doubtful(quote.source):
            return doubts.evidence(quote.source)
    price = offer.price
    if price is None:
        return None
    if price.amount is None:
        rows = merged.prices.get(price.benchmark, ())
        if not rows:
            return None
        premium = f"{readable(price.premium * 100)}% on " if price.premium else ""
        evidence = doubts.evidence(rows[-1].source, f"assumed to follow {premium}benchmark {price.benchmark}: ")
        return evidence.but(date=rows[-1].date, confidence=Confidence.ASSUMED.value)
    assumed_offers = {
        assumption.id for assumption in doubts.session.problem.case.assume.offer if assumption.price is not None
    }
    if offer.id in assumed_offers:
        return EvidenceToday(reference="assumption of the case", date=None, confidence=Confidence.ASSUMED.value)
    return doubts.evidence(price.source) if doubts.is_doubtful(price.source) else None


def _doubtful_price(doubts: Doubts, facts: OfferFacts, evidence: EvidenceToday) -> Draft:
    first = next((t for t, max_quantity in enumerate(facts.max_units) if max_quantity != 0), 0)
    current_price, currency = facts.price[first], doubts.session.problem.case.currency
    return doubts.draft(
        UnknownKind.PRICE,
        facts.offer,
        f"Does {facts.facility.supplier} sell {doubts.in_words(facts.offer)} at {readable(current_price)} {currency}/kg?",
        evidence,
        doubts.spread_assumption,
        doubts.lower_and_higher(
            lambda factor: f"at {readable(exact(current_price * factor))} {currency}/kg",
            lambda factor: Change(price=f"offer:{facts.offer.id}", factor=factor),
        ),
    )


def lead_times(doubts: Doubts) -> Iterator[Draft]:
    problem = doubts.session.problem
    for facts in doubts.usable_offers():
        offer = facts.offer
        months = problem.case.assume.lead_time if offer.lead_time is None else offer.lead_time
        if offer.lead_time is not None and not doubts.is_doubtful(offer.source):
            continue
        if any(lane.lead_time is not None for lane in offer.lanes):
            if not all(lane.lead_time is not None for lane in offer.lanes):
                why = "some of its lanes have a lead time of their own, which a change of the offer can't vary"
                doubts.unasked.append(Unasked(subject=offer.id, why=why))
            continue
        if not months:
            doubts.unasked.append(
                Unasked(subject=offer.id, why="its lead time is assumed to be 0, so no share of it is longer")
            )
            continue
        yield _lead_time(doubts, offer, months)


def _lead_time(doubts: Doubts, offer: Offer, months: Decimal) -> Draft:
    problem = doubts.session.problem
    horizon = problem.case.horizon
    is_stated = offer.lead_time is not None
    evidence = (
        doubts.evidence(offer.source)
        if is_stated
        else EvidenceToday(reference="assumption of the case", date=None, confidence=Confidence.ASSUMED.value)
    )

    def arrivals(lead_time: Decimal) -> list[int]:
        delay = Delay.of(lead_time, problem.case.assume.safety_lead)
        return [horizon.arrival(t, delay) for t in range(horizon.count)]

    def trial(factor: Decimal) -> TrialAnswer:
        varied = exact(months * factor)
        is_same = arrivals(varied) == arrivals(months)
        answer = f"{readable(varied)} months{', the same in whole periods' if is_same else ''}"
        return TrialAnswer(answer, (Change(lead_time=f"offer:{offer.id}", factor=factor),), same=is_same)

    return doubts.draft(
        UnknownKind.LEAD_TIME,
        offer,
        f"How many months pass from order to delivery of {doubts.in_words(offer)}? The plan assumes {readable(months)}.",
        evidence,
        doubts.spread_assumption,
        (trial(1 - doubts.spread), trial(1 + doubts.spread)),
    )


def conversions(doubts: Doubts) -> Iterator[Draft]:
    for facts in doubts.usable_offers():
        offer = facts.offer
        lines = (*offer.inputs, *(offer.outputs if len(offer.outputs) > 1 else ()))
        for line in lines:
            confidence = doubts.session.problem.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                yield _conversion(doubts, offer, line, takes=line in offer.inputs)


def _conversion(doubts: Doubts, offer: Offer, line: RecipeLine, *, takes: bool) -> Draft:
    min_input = _min_input(doubts, offer, line) if takes else Decimal(0)
    low = max(1 - doubts.spread, min(exact(min_input / line.per_unit), Decimal(1)))
    verb = "take" if takes else "give"
    unit = "a kilogram" if len(offer.outputs) == 1 else "a unit"
    facility = doubts.session.problem.merged.facilities[offer.facility]
    bound_note = (
        f"; at least {readable(min_input)} kg, since less would contain less of the element than the output"
        if low > 1 - doubts.spread
        else ""
    )
    trials = tuple(
        TrialAnswer(
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
        f"The plan assumes {readable(line.per_unit)}.",
        doubts.evidence(line.source) if line.source else NO_EVIDENCE,
        doubts.spread_assumption + bound_note,
        trials,
    )


def _min_input(doubts: Doubts, offer: Offer, line: RecipeLine) -> Decimal:
    """Return the kilograms of an input that contain as much of its element as the output. Zero if unknown."""
    materials = doubts.session.problem.merged.materials
    input_material = materials[line.material]
    if not input_material.content or not input_material.element:
        return Decimal(0)
    element_kg = Decimal(0)
    for output in offer.outputs:
        output_material = materials[output.material]
        if output_material.element == input_material.element and output_material.content:
            element_kg += output.per_unit * output_material.content
    return element_kg / input_material.content


def origins(doubts: Doubts) -> Iterator[Draft]:
    """Yield offers that are excluded from a use only because an origin is unproved, then those that a license would admit."""
    excluded_by_offer = Eligibilities(doubts.session.problem).exclusions_by_offer
    for _, exclusions in sorted(excluded_by_offer.items()):
        unproven = [exclusion for exclusion in exclusions if exclusion.unproven and not exclusion.verdict.license]
        if unproven:
            yield _origin(doubts, unproven)
    licensable_by_subject = grouped(
        ((exclusion.verdict.rule, exclusion.arc.chained.facility.id), exclusion)
        for exclusions in excluded_by_offer.values()
        for exclusion in exclusions
        if exclusion.verdict.license
    )
    for (rule, facility), licensable in sorted(licensable_by_subject.items()):
        yield _license_draft(doubts, rule, facility, licensable)


def _uses(exclusions: list[Exclusion]) -> str:
    return ", ".join(sorted({f"{exclusion.use.end_use} {exclusion.use.material.id}" for exclusion in exclusions}))


def _origin(doubts: Doubts, exclusions: list[Exclusion]) -> Draft:
    offer = exclusions[0].arc.chained.offer
    stages = sorted({exclusion.verdict.stage for exclusion in exclusions} - {""})
    rules = sorted({doubts.names.rule(exclusion.verdict.rule) for exclusion in exclusions})
    question = (
        f"Where is {doubts.in_words(offer)} {' and '.join(stages)}"
        if stages
        else f"Where does {doubts.in_words(offer)} come from"
    )
    return doubts.draft(
        UnknownKind.ORIGIN,
        offer,
        f"{question}, and how can it be proved? Required by {', '.join(rules)} for {doubts.names.in_text(_uses(exclusions))}."
        f"{_element_request(doubts, exclusions)}{_declaration_request(exclusions[0].arc.chained.material.element, stages)}",
        _stated_origin(doubts, offer, stages),
        "every unproved stage satisfies the rules; otherwise, the plan doesn't change",
        (TrialAnswer("it is proved", (Change(prove=offer.id),), bound=True),),
    )


def _element_request(doubts: Doubts, exclusions: Sequence[Exclusion]) -> str:
    """Return a request for the origins of other elements that a rule asks for and the chain doesn't state. Empty if there is none."""
    stated = {entry.element for entry in exclusions[0].arc.chained.performed}
    ids = {exclusion.verdict.rule for exclusion in exclusions}
    rules = [rule for rule in doubts.session.problem.rules if isinstance(rule, OriginBan) and rule.id in ids]
    missing = sorted({element for rule in rules for element, _ in rule.by_element} - stated)
    names = " and ".join(element_name(element) for element in missing)
    return f" Ask for the origins of its {names} too: rows of chain.csv with `element`." if missing else ""


def _declaration_request(element: str, stages: Collection[str]) -> str:
    """Return a request for the form that answers a question on mines or smelters. Empty if there is none."""
    form = declaration_form(element)
    if not form or not {Stage.MINED, Stage.REFINED} & set(stages):
        return ""
    # No form asks whether all mines are listed, and an AMRT doesn't ask it of smelters either.
    letter = ", and a letter that its lists are complete" if form == "AMRT" or Stage.MINED in stages else ""
    article = "a" if form == "CMRT" else "an"
    return f" Ask for {article} {form} about the product (scope B){letter}."


def _stated_origin(doubts: Doubts, offer: Offer, stages: list[str]) -> EvidenceToday:
    entries = [
        entry for entry in offer.chain if not stages or entry.main_stage.value in stages or entry.stage in stages
    ]
    if not entries:
        return NO_EVIDENCE
    merged = doubts.session.problem.merged
    best = max(entries, key=lambda entry: merged.confidence(entry.source).rank)
    where = "/".join(sorted(best.countries)) or "no country"
    return doubts.evidence(best.source, f"{best.stage} {where}{'' if best.complete else ', possibly elsewhere'}: ")


def _license_draft(doubts: Doubts, rule_id: str, facility: str, exclusions: list[Exclusion]) -> Draft:
    problem = doubts.session.problem
    rule = next(rule for rule in problem.rules if rule.id == rule_id)
    plant = problem.merged.facilities[facility]
    materials = sorted({line.material for exclusion in exclusions for line in exclusion.arc.chained.offer.outputs})
    return Draft(
        kind=UnknownKind.LICENSE,
        subject=f"{rule_id} for {facility}",
        material=", ".join(materials),
        question=f"Is {' and '.join(materials)} of {plant.name or facility} licensed under {rule_id} ({_title(rule)}), for {_uses(exclusions)}?",
        whom=f"{plant.supplier}, and the licensing authority under {rule.citation or rule_id}",
        country=plant.country,
        known=NO_EVIDENCE,
        taken="an unlimited license for the whole plan; without a license, the plan doesn't change",
        trials=(TrialAnswer("it is licensed", (Change(grant=rule_id, of=facility),), bound=True),),
    )


def assumed_licenses(doubts: Doubts) -> Iterator[Draft]:
    problem = doubts.session.problem
    controls = sorted(rule.id for rule in problem.rules if rule.judge_scope == "trade")
    for use in sorted(problem.case.assume.license) if controls else ():
        materials = sorted({demand.use.material.id for demand in problem.demands if demand.use.end_use == use})
        yield Draft(
            kind=UnknownKind.LICENSE,
            subject=f"{use}, assumed to be granted",
            material="",
            question=f"Are all exports for {use} use licensed, as the case assumes? Materials: {', '.join(materials)}, and their inputs.",
            whom=f"suppliers, and the licensing authorities under {', '.join(controls)}",
            country="",
            known=EvidenceToday(reference="assumption of the case", date=None, confidence=Confidence.ASSUMED.value),
            taken="the plan assumes that every license is granted; otherwise, only licenses in hand count",
            trials=(TrialAnswer("none is granted", (Change(revoke=use),), bound=True),),
        )


def rules(doubts: Doubts) -> Iterator[Draft]:
    problem = doubts.session.problem
    span = problem.case.horizon.span
    for rule in sorted(problem.rules, key=lambda rule: rule.id):
        unknown_phases = [p for p in rule.phases if p.status is PhaseStatus.UNKNOWN and p.span.meets(span)]
        if unknown_phases:
            yield _rule_draft(doubts, rule, unknown_phases)


def _rule_draft(doubts: Doubts, rule: Rule, phases: list[Phase]) -> Draft:
    enforced = PhaseStatus.UNKNOWN in doubts.session.problem.law.statuses
    verb, answer = ("disable", "it doesn't apply") if enforced else ("enable", "it applies")
    changes = tuple(Change.model_validate({verb: rule.id, "from": phase.start, "until": phase.end}) for phase in phases)
    from_day = f" from {phases[0].start}" if phases[0].start else ""
    note = " ".join(phase.note for phase in phases if phase.note) or rule.source
    taken = "the plan enforces it" if enforced else "the plan assumes that it doesn't apply"
    return Draft(
        kind=UnknownKind.RULE,
        subject=rule.id,
        material="",
        question=f"Does {rule.id} ({_title(rule)}) apply{from_day}?",
        whom=f"the author of {rule.citation or rule.source or rule.id}",
        country="",
        known=EvidenceToday(reference=note, date=None, confidence="unknown" if note else ""),
        taken=taken,
        trials=(TrialAnswer(answer, changes, bound=True),),
    )


def _title(rule: Rule) -> str:
    return sentence_of(rule).rstrip(".")


def duties(doubts: Doubts) -> Iterator[Unasked]:
    """Yield purchasable goods whose tariff line or customs origin is unknown. They can't be tried, because no rate is known."""
    problem = doubts.session.problem
    arcs = [arc for arc in problem.network.arcs if arc.offer >= 0]
    for material, text in goods_without_duty(problem, arcs).items():
        yield Unasked(
            subject=material,
            why=f"unknown duty, since {_without_subject(text, material)}. Ask a customs broker for the tariff line and its rate",
        )
    for offer, text in offers_of_unknown_origin(problem, arcs).items():
        yield Unasked(subject=offer, why=f"unknown duty, since {_without_subject(text, offer)}")


def _without_subject(text: str, subject: str) -> str:
    return text.removeprefix(f"{subject}: ")
