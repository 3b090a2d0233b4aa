"""Search for the levers that could serve some demands."""

# The search starts with plants that count only by a lever, since law and terms apply to these too.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change, TermKind
from friendshore.domain.countries import country_name
from friendshore.domain.facts import CapacityStep, Facility, Offer, Status
from friendshore.domain.time import add_months
from friendshore.domain.use import Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.plugins import sentence_of
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.demands import round_to
from friendshore.problem.network import Arc, final_node
from friendshore.problem.parts import materials_of
from friendshore.rules.base import Rule, longest_run
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.rows import single_rows
from friendshore.session import Session

from .levers import Lever, LeverBounds, LeverKind, Need, affected_facts, yes_no


def levers_for(session: Session, need: Need, bounds: LeverBounds) -> list[Lever]:
    problem = session.problem
    candidates, problem_with_leads = _fitting_leads(session, need, lead_levers(UpstreamSupply(problem, need, bounds)))
    leads = [
        lever for lever in candidates if any(facts.facility.id in lever.subjects for facts in problem_with_leads.offers)
    ]
    planned = plant_levers(UpstreamSupply(problem_with_leads, need, bounds))
    leads = [replace(lever, note=_why_lead(problem, lever.subjects[0])) for lever in leads]
    lead_subjects = {lever.subjects for lever in leads}
    planned = [lever for lever in planned if lever.subjects not in lead_subjects]
    supply = UpstreamSupply(_problem_with(session, need, [*leads, *planned]), need, bounds)
    others = [*delay_levers(supply), *law_levers(supply), *limit_levers(supply), *term_levers(supply)]
    others += [*stock_levers(supply), *capacity_levers(supply)]
    others = [lever for lever in others if lever.kind is not LeverKind.CAPACITY or lever.subjects not in lead_subjects]
    kind_order = list(LeverKind)
    return sorted([*leads, *planned, *others], key=lambda lever: kind_order.index(lever.kind))


def _fitting_leads(session: Session, need: Need, leads: Sequence[Lever]) -> tuple[list[Lever], Problem]:
    """Return leads with recipes that fit the others', and the facts with them. A loop must not make something out of nothing."""
    try:
        return list(leads), _problem_with(session, need, leads)
    except InputError:
        fitting: list[Lever] = []
        problem = _problem_with(session, need, fitting)
        for lead in leads:
            try:
                problem = _problem_with(session, need, [*fitting, lead])
            except InputError:
                continue
            fitting.append(lead)
        return fitting, problem


def _problem_with(session: Session, need: Need, levers: Sequence[Lever]) -> Problem:
    changes = [change for lever in levers for change in lever.changes(lever.max_amounts)]
    return affected_facts(session, need, changes).after(changes).problem() if changes else session.problem


def _why_lead(problem: Problem, facility: str) -> str:
    reasons = [reason for lead in problem.leads if lead.offer.facility == facility for reason in lead.texts]
    return reasons[0] if reasons else ""


INFINITE = Decimal("Infinity")


def delay_levers(supply: UpstreamSupply) -> list[Lever]:
    horizon = supply.case.horizon
    months_per_period, max_periods = horizon.length.months, min(supply.bounds.later, horizon.count - 1)
    names = [d.id for d in supply.demands]
    if not max_periods:
        return []

    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return tuple(
            Change(demand=f"demand:{name}", delay=months) for name, months in zip(names, amounts, strict=True) if months
        )

    max_amounts = (Decimal(max_periods * months_per_period),) * len(names)
    return [Lever(LeverKind.LATER, tuple(names), changes, max_amounts, "months", Decimal(months_per_period))]


def limit_levers(supply: UpstreamSupply) -> Iterator[Lever]:
    """Yield hard limits that count anything upstream. Each may grow by the largest of its bounds, and one of kilograms by at least the shortage."""
    max_by_rule: dict[str, Decimal] = {}
    base_by_rule: dict[str, Decimal] = {}
    rules = {rule.id: rule for rule in supply.problem.rules}
    for rule, rows in supply.problem.limit_rows:
        if not materials_of(supply.problem, rows) & supply.per_kg.keys():
            continue
        for row in single_rows(rows):
            bounds = [abs(bound) for bound in (row.at_least, row.at_most) if bound is not None]
            if isinstance(rule, MaxShare | MinShare) and rule.of == "demand" and rule.share and any(bounds):
                sign = 1 if row.at_least is None else -1
                base_by_rule[rule.id] = sign * min(
                    abs(base_by_rule.get(rule.id, INFINITE)), exact(bounds[0] / rule.share)
                )
            if all(term.unit == "kg" for term in row.all_terms):
                bounds.append(supply.need.kilograms)
            if row.penalty is None:
                max_by_rule[rule.id] = max(max_by_rule.get(rule.id, Decimal(0)), *bounds)
    for name, bound in sorted(max_by_rule.items()):
        yield _limit_lever(supply, rules[name], supply.rounded(exact(bound)), base_by_rule.get(name, Decimal(0)))


def term_levers(supply: UpstreamSupply) -> Iterator[Lever]:
    """Yield terms that reduce supply. Terms that only cost money are left out, since they can be paid."""
    for offer in sorted(supply.problem.merged.offers.values(), key=lambda o: o.id):
        if not any(line.material in supply.per_kg for line in offer.outputs):
            continue
        facility = supply.problem.merged.facilities[offer.facility]
        for kind in _removable_terms(offer, bool(accepted_steps(facility, supply.problem.merged, supply.case))):
            yield yes_no(LeverKind.TERM, kind.value, Change(lift=kind, of=f"offer:{offer.id}"), kind.value, offer.id)
    shared_terms: dict[tuple[str, TermKind, str], None] = {}
    for span in supply.problem.term_spans:
        for kind, field in (
            (TermKind.MINIMUM_LOAD, "least"),
            (TermKind.MAXIMUM_LOAD, "most"),
            (TermKind.SETUP, "setup_use"),
        ):
            if getattr(span.terms, field) is not None and span.terms.of != "offer":
                shared_terms[span.terms.id, kind, span.terms.of] = None
    for priced in supply.problem.price_spans:
        if any(tier.most is not None for tier in priced.tiers):
            shared_terms[priced.schedule.id, TermKind.TIERS, priced.schedule.of] = None
    for name, kind, owner in sorted(shared_terms):
        yield yes_no(LeverKind.TERM, kind.value, Change(lift=kind, of=f"{owner}:{name}"), kind.value, name)


def law_levers(supply: UpstreamSupply) -> list[Lever]:
    verdict_by_offer: dict[str, Verdict] = {}
    verdict_by_rule: dict[str, Verdict] = {}
    verdict_by_export: dict[tuple[str, str], Verdict] = {}
    for use in dict.fromkeys(d.use for d in supply.demands):
        failing = {arc.index for _, arc, verdict in _prohibitions(supply, use) if verdict.result is Result.FAIL}
        for is_chain, arc, verdict in _prohibitions(supply, use):
            if not is_chain:
                if verdict.license and not _is_licensed(supply, verdict, arc, use):
                    verdict_by_export.setdefault((verdict.rule, arc.chained.facility.country), verdict)
                continue
            verdict_by_rule.setdefault(verdict.rule, verdict)
            if verdict.result is Result.UNPROVEN and arc.lot < 0 and arc.index not in failing:
                verdict_by_offer.setdefault(arc.chained.offer.id, verdict)
    levers = [_proof_lever(name, verdict) for name, verdict in sorted(verdict_by_offer.items())]
    for rule, verdict in sorted(verdict_by_rule.items()):
        for name, short in _short_by_waived(supply):
            levers += _waiver_levers(supply, rule, name, short, verdict) if any(short) else ()
    for (rule, country), verdict in sorted(verdict_by_export.items()):
        levers.append(yes_no(LeverKind.LICENSE, rule, Change(grant=rule, of=country), rule, country, verdict.clause))
    return levers


def _limit_lever(supply: UpstreamSupply, rule: Rule, max_amount: Decimal, base: Decimal) -> Lever:
    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change(loosen=rule.id, by=amounts[0]),)

    today = getattr(rule, "share", None) if base else None
    return Lever(
        LeverKind.LOOSEN, (rule.id,), changes, (max_amount,), "", supply.case.resolution,
        name=sentence_of(rule), today=today, base=base,
    )  # fmt: skip


def _prohibitions(supply: UpstreamSupply, use: Use) -> Iterator[tuple[bool, Arc, Verdict]]:
    """Yield every verdict that prohibits, of rules in force when anything is wanted: True if it concerns origin, arc, verdict."""
    judgement, law = supply.problem.judgements[use], supply.problem.law
    periods = supply.case.horizon.periods
    spans = [p.span for p in periods if any(d.use == use and d.quantity[p.index] for d in supply.demands)]
    for is_chain, table in ((True, judgement.chain), (False, judgement.trade)):
        for rule, verdicts in table.items():
            if not any(law.in_force(rule, span) for span in spans):
                continue
            for index, verdict in verdicts.items():
                arc = supply.problem.network.arcs[index]
                if law.forbids(verdict, arc):
                    yield is_chain, arc, verdict


def _is_licensed(supply: UpstreamSupply, verdict: Verdict, arc: Arc, use: Use) -> bool:
    periods = supply.case.horizon.periods
    return all(supply.problem.law.licenses(verdict, arc, use, period.span) is not None for period in periods)


def _proof_lever(offer: str, verdict: Verdict) -> Lever:
    return yes_no(LeverKind.PROOF, offer, Change(prove=offer), offer, note=verdict.reason)


def _short_by_waived(supply: UpstreamSupply) -> Iterator[tuple[str, Sequence[Decimal]]]:
    """Yield what a waiver may name, with its shortage: a material if all demand for it has one use, as that of a part split over years, or a demand."""
    short_by_demand = supply.need.short
    materials = {demand.use.material.id for demand in supply.demands}
    uses = {demand.use for demand in supply.problem.demands if demand.use.material.id in materials}
    if len(uses) == len(materials) == 1 and len(supply.demands) > 1:
        columns = zip(*(short_by_demand[demand.id] for demand in supply.demands), strict=True)
        yield min(materials), [sum(column, Decimal(0)) for column in columns]
    else:
        yield from ((demand.id, short_by_demand[demand.id]) for demand in supply.demands)


def _waiver_levers(
    supply: UpstreamSupply, rule: str, waived: str, short: Sequence[Decimal], verdict: Verdict
) -> Iterator[Lever]:
    """Yield a waiver for a shortage, or several in succession if the law bounds the length of one."""
    periods = supply.case.horizon.periods
    terms = next(each.waivers for each in supply.problem.rules if each.id == rule)
    bounded = bool(terms) and terms[0].longest is not None
    last = max(t for t, kg in enumerate(short) if kg)
    first = next(t for t, kg in enumerate(short) if kg)
    while first <= last:
        run = longest_run(terms, periods[first].start, periods[last].end)
        covered = [t for t in range(first, last + 1) if run.covers(periods[t].span)]
        if not covered:
            return  # not even one period: a waiver counts only in periods that it covers
        if any(short[t] for t in covered):
            max_amount = supply.rounded(sum((short[t] for t in covered), Decimal(0)))
            yield _waiver_lever(supply, rule, waived, max_amount, verdict, covered, bounded)
        first = covered[-1] + 1


def _waiver_lever(
    supply: UpstreamSupply,
    rule: str,
    waived: str,
    max_amount: Decimal,
    verdict: Verdict,
    covered: Sequence[int],
    bounded: bool,
) -> Lever:
    periods = supply.case.horizon.periods
    first_day, until = periods[covered[0]].start if bounded else None, periods[covered[-1]].end
    days = {"until": until, **({"from": first_day} if first_day else {})}

    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change.model_validate({"waive": rule, "of": waived, "quantity": amounts[0], **days}),)

    return Lever(
        LeverKind.WAIVER, (rule,), changes, (max_amount,), "kg", supply.case.resolution,
        of=waived, name=rule, note=verdict.clause, since=first_day, until=until,
    )  # fmt: skip


def _removable_terms(offer: Offer, limited: bool) -> Iterator[TermKind]:
    """Yield the kinds of terms of an offer that it can do without. A maximum counts only if its plant has a capacity (`limited`), since it is the capacity otherwise."""
    if offer.min_order:
        yield TermKind.MINIMUM_LOAD
    maxima = (offer.max_order, offer.max_lots, offer.max_per_year, offer.total)
    if any(maximum is not None for maximum in (maxima if limited and not offer.has_negative_price else ())):
        yield TermKind.MAXIMUM_LOAD
    if offer.lot is not None:
        yield TermKind.LOT
    if offer.qualification:
        yield TermKind.QUALIFICATION


class UpstreamSupply:
    """Some demands and their upstream supply."""

    def __init__(self, problem: Problem, need: Need, bounds: LeverBounds) -> None:
        self.problem = problem
        self.need = need
        self.bounds = bounds
        self.case = problem.case
        self.demands = [d for d in problem.demands if d.id in need.demands]
        self.per_kg = _per_kg(problem, {d.use.material.id for d in self.demands})
        """Material upstream -> maximum kilograms that a kilogram of a demand may need."""
        periods = self.case.horizon.periods
        self.peak = sum(
            (max(Fraction(q) / p.years for q, p in zip(d.quantity, periods, strict=True)) for d in self.demands),
            Fraction(0),
        )
        """Kilograms per year of the demands at their peaks."""

    def plants(self) -> list[Facility]:
        arc_numbers: set[int] = set()
        for demand in self.demands:
            arc_numbers |= self.problem.network.reach(final_node(demand.use))[0]
        arcs = self.problem.network.arcs
        offers = {arcs[index].offer for index in arc_numbers} - {-1}
        names = {name for offer in offers for name in self.problem.offers[offer].pools}
        return [self.problem.merged.facilities[name] for name in sorted(names)]

    def rounded(self, amount: Decimal) -> Decimal:
        return max(round_to(amount, self.case.resolution), self.case.resolution)


def _per_kg(problem: Problem, materials: Iterable[str]) -> dict[str, Decimal]:
    """Return the materials upstream of some, including leads, with the maximum kilograms that a kilogram of those may need."""
    processing = [offer for offer in problem.merged.offers.values() if offer.inputs]
    makers = grouped((line.material, (offer, line.per_unit)) for offer in processing for line in offer.outputs)
    kg_by_material = dict.fromkeys(sorted(materials), Decimal(1))
    queue = list(kg_by_material)
    while queue:
        material = queue.pop(0)
        for offer, made_per_unit in makers.get(material, ()):
            for line in offer.inputs:
                needed = exact(kg_by_material[material] * line.per_unit / made_per_unit)
                # Of several ways, the first is the shortest, which is enough for a bound.
                if line.material not in kg_by_material:
                    kg_by_material[line.material] = needed
                    queue.append(line.material)
    return kg_by_material


def lead_levers(supply: UpstreamSupply) -> list[Lever]:
    max_by_facility: dict[str, Decimal] = {}
    counted = {facts.offer.id for facts in supply.problem.offers}
    running = {facts.facility.id for facts in supply.problem.offers}
    facilities = supply.problem.merged.facilities
    for lead in supply.problem.merged.offers.values():
        if lead.id in counted or (lead.price is None and not lead.quotes):
            continue
        needed = [supply.per_kg[o.material] / o.per_unit for o in lead.outputs if o.material in supply.per_kg]
        if needed and supply.bounds.lead and lead.facility not in running:
            max_amount = exact(max(needed) * as_decimal(supply.peak) * supply.bounds.lead * lead.capacity_use)
            max_by_facility[lead.facility] = max(
                max_by_facility.get(lead.facility, Decimal(0)), supply.rounded(max_amount)
            )
    return [_lead_lever(supply, facilities[name], max_amount) for name, max_amount in sorted(max_by_facility.items())]


def plant_levers(supply: UpstreamSupply) -> list[Lever]:
    levers = []
    span = supply.case.horizon.span
    assert span.start is not None and span.end is not None
    for facility in supply.plants():
        steps = [s for s in facility.capacity if s.start is None or s.start <= span.end]
        waiting = [s for s in steps if supply.case.accept.counts(s.status) < 1]
        statuses = ", ".join(dict.fromkeys(s.status.value for s in waiting))
        if waiting and all(s.status not in (Status.SUPERSEDED, Status.EVENT) for s in waiting):
            change = Change(capacity=facility.id, status=Status.OPERATING)
            levers.append(yes_no(LeverKind.PLANNED, facility.id, change, _facility_name(facility), note=statuses))
        if supply.bounds.later and steps and steps[0].start is not None and steps[0].start > span.start:
            levers.append(_earlier_lever(supply, facility, steps[0], steps[0].start))
    return levers


def stock_levers(supply: UpstreamSupply) -> list[Lever]:
    place = supply.problem.merged.place(supply.case.place)
    levers = []
    for material, per_kg in sorted(supply.per_kg.items()):
        if not supply.bounds.stock or (material, place.id) not in supply.problem.network.nodes:
            continue
        max_amount = supply.rounded(exact(per_kg * as_decimal(supply.peak) * supply.bounds.stock))
        levers.append(_stock_lever(supply, material, place.country, max_amount))
    return levers


def capacity_levers(supply: UpstreamSupply) -> list[Lever]:
    return [
        _capacity_lever(supply, facility)
        for facility in supply.plants()
        if supply.bounds.capacity and all(step.per_year is not None for step in facility.capacity)
    ]


def _lead_lever(supply: UpstreamSupply, facility: Facility, max_amount: Decimal) -> Lever:
    is_idle = facility.capacity and any(supply.case.accept.counts(s.status) < 1 for s in facility.capacity)

    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_capacity_change(facility, amounts[0], Status.OPERATING if is_idle else None),)

    return Lever(
        LeverKind.LEAD,
        (facility.id,),
        changes,
        (max_amount,),
        "kg/year",
        supply.case.resolution,
        name=_facility_name(facility),
    )


def _earlier_lever(supply: UpstreamSupply, facility: Facility, step: CapacityStep, first: date) -> Lever:
    length = supply.case.horizon.length.months

    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        if not amounts[0]:
            return ()
        days = {"from": add_months(first, -int(amounts[0])), "until": first - timedelta(days=1)}
        capacity = {"capacity": facility.id, "per_year": step.per_year, "status": Status.OPERATING}
        return (Change.model_validate({**capacity, **days}),)

    max_amounts = (Decimal(supply.bounds.later * length),)
    unit, step_months = "months", Decimal(length)
    return Lever(
        LeverKind.EARLIER,
        (facility.id,),
        changes,
        max_amounts,
        unit,
        step_months,
        name=_facility_name(facility),
        note=first.isoformat(),
    )


def _stock_lever(supply: UpstreamSupply, material: str, country: str, max_amount: Decimal) -> Lever:
    def changes(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change(stock=material, quantity=amounts[0], countries=frozenset({country})),)

    return Lever(
        LeverKind.STOCK, (material,), changes, (max_amount,), "kg", supply.case.resolution, of=country, name=material
    )


def _capacity_lever(supply: UpstreamSupply, facility: Facility) -> Lever:
    accepted = accepted_steps(facility, supply.problem.merged, supply.case)
    rates = {step.per_year or Decimal(0) for step in facility.capacity}
    resolution = supply.case.resolution
    if len(rates) > 1 or len(accepted) < len(facility.capacity):

        def multiply(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
            return (Change(capacity=facility.id, factor=1 + amounts[0]),)

        max_share, step = supply.bounds.capacity, Decimal("0.0001")
        return Lever(
            LeverKind.CAPACITY, (facility.id,), multiply, (max_share,), "", step, name=_facility_name(facility)
        )
    (rate,) = rates

    def raise_to(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_capacity_change(facility, rate + amounts[0], None),)

    max_increase = supply.rounded(exact(rate * supply.bounds.capacity))
    return Lever(
        LeverKind.CAPACITY,
        (facility.id,),
        raise_to,
        (max_increase,),
        "kg/year",
        resolution,
        name=_facility_name(facility),
        today=rate,
    )


def _capacity_change(facility: Facility, per_year: Decimal, status: Status | None) -> Change:
    start = facility.capacity[0].start if facility.capacity else None
    return Change.model_validate({"capacity": facility.id, "per_year": per_year, "status": status, "from": start})


def _facility_name(facility: Facility) -> str:
    return f"{facility.name or facility.id} ({country_name(facility.country)})"
