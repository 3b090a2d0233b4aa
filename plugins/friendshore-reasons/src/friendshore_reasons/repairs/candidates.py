"""Search for the levers that could serve some demands.

Levers of supply are stock, plants that don't run yet, more capacity, and plants of unknown capacity. The others delay demand or relax limits,
terms of trade, and law. The search starts with plants that count only by a lever, since law and terms apply to these too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from friendshore.domain.base import as_decimal, exact, grouped
from friendshore.domain.change import Change, TermKind
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
from friendshore.rules.rows import one_by_one
from friendshore.session import Session

from .levers import Lever, LeverBounds, LeverKind, Need, facts_about, yes_no


def levers_for(session: Session, need: Need, bounds: LeverBounds) -> list[Lever]:
    """Return all levers within their bounds, in the order of their kinds."""
    problem = session.problem
    candidates, world = _that_fit(session, need, lead_levers(UpstreamSupply(problem, need, bounds)))
    leads = [lever for lever in candidates if any(facts.facility.id in lever.subjects for facts in world.offers)]
    planned = plant_levers(UpstreamSupply(world, need, bounds))
    leads = [replace(lever, note=_why_lead(problem, lever.subjects[0])) for lever in leads]
    given = {lever.subjects for lever in leads}
    planned = [lever for lever in planned if lever.subjects not in given]
    up = UpstreamSupply(_with(session, need, [*leads, *planned]), need, bounds)
    others = [*delay_levers(up), *law_levers(up), *limit_levers(up), *term_levers(up)]
    others += [*stock_levers(up), *capacity_levers(up)]
    others = [lever for lever in others if lever.kind is not LeverKind.CAPACITY or lever.subjects not in given]
    order = list(LeverKind)
    return sorted([*leads, *planned, *others], key=lambda lever: order.index(lever.kind))


def _that_fit(session: Session, need: Need, leads: Sequence[Lever]) -> tuple[list[Lever], Problem]:
    """Return leads with recipes that fit the others', and the facts with them.

    Leads that close a loop that makes something out of nothing are left out.
    """
    try:
        return list(leads), _with(session, need, leads)
    except InputError:
        fitting: list[Lever] = []
        world = _with(session, need, fitting)
        for lead in leads:
            try:
                world = _with(session, need, [*fitting, lead])
            except InputError:
                continue
            fitting.append(lead)
        return fitting, world


def _with(session: Session, need: Need, levers: Sequence[Lever]) -> Problem:
    """Return the facts that concern the demands, with some levers at their bounds."""
    changes = [change for lever in levers for change in lever.make(lever.most)]
    return facts_about(session, need, changes).after(changes).problem() if changes else session.problem


def _why_lead(problem: Problem, facility: str) -> str:
    """Return the reason why the offers of a plant don't count, or an empty string."""
    reasons = [reason for lead in problem.leads if lead.offer.facility == facility for reason in lead.texts]
    return reasons[0] if reasons else ""


INFINITE = Decimal("Infinity")


def delay_levers(up: UpstreamSupply) -> list[Lever]:
    """Return the delay of the demands: one lever, with an amount for each of them."""
    horizon = up.case.horizon
    length, most = horizon.length.months, min(up.bounds.later, horizon.count - 1)
    names = [d.id for d in up.demands]
    if not most:
        return []

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return tuple(
            Change(demand=f"demand:{n}", delay=months) for n, months in zip(names, amounts, strict=True) if months
        )

    bounds = (Decimal(most * length),) * len(names)
    return [Lever(LeverKind.LATER, tuple(names), make, bounds, "months", Decimal(length))]


def limit_levers(up: UpstreamSupply) -> Iterator[Lever]:
    """Yield hard limits that count anything upstream. Each may grow by the largest of its bounds. A limit of kilograms may grow by at least the shortage."""
    most: dict[str, Decimal] = {}
    bases: dict[str, Decimal] = {}
    rules = {rule.id: rule for rule in up.problem.rules}
    for rule, rows in up.problem.limit_rows:
        if not materials_of(up.problem, rows) & up.per_kg.keys():
            continue
        for row in one_by_one(rows):
            bounds = [abs(bound) for bound in (row.at_least, row.at_most) if bound is not None]
            if isinstance(rule, MaxShare | MinShare) and rule.of == "demand" and rule.share and any(bounds):
                sign = 1 if row.at_least is None else -1
                bases[rule.id] = sign * min(abs(bases.get(rule.id, INFINITE)), exact(bounds[0] / rule.share))
            if all(term.unit == "kg" for term in row.asked):
                bounds.append(up.need.kilograms)
            if row.penalty is None:
                most[rule.id] = max(most.get(rule.id, Decimal(0)), *bounds)
    for name, bound in sorted(most.items()):
        yield _loosen(up, rules[name], up.whole(exact(bound)), bases.get(name, Decimal(0)))


def term_levers(up: UpstreamSupply) -> Iterator[Lever]:
    """Yield terms that reduce supply. Terms that only cost money are left out, since they can be paid."""
    for offer in sorted(up.problem.merged.offers.values(), key=lambda o: o.id):
        if not any(line.material in up.per_kg for line in offer.outputs):
            continue
        facility = up.problem.merged.facilities[offer.facility]
        for kind in _kinds(offer, bool(accepted_steps(facility, up.problem.merged, up.case))):
            yield yes_no(LeverKind.TERM, kind.value, Change(lift=kind, of=f"offer:{offer.id}"), kind.value, offer.id)
    known: dict[tuple[str, TermKind, str], None] = {}
    for span in up.problem.term_spans:
        for kind, figure in (
            (TermKind.MINIMUM_LOAD, "least"),
            (TermKind.MAXIMUM_LOAD, "most"),
            (TermKind.SETUP, "setup_use"),
        ):
            if getattr(span.terms, figure) is not None and span.terms.of != "offer":
                known[span.terms.id, kind, span.terms.of] = None
    for priced in up.problem.price_spans:
        if any(tier.most is not None for tier in priced.tiers):
            known[priced.schedule.id, TermKind.TIERS, priced.schedule.of] = None
    for name, kind, of in sorted(known):
        yield yes_no(LeverKind.TERM, kind.value, Change(lift=kind, of=f"{of}:{name}"), kind.value, name)


def law_levers(up: UpstreamSupply) -> list[Lever]:
    """Return proofs, waivers, and licenses: one for every prohibition upstream."""
    proofs: dict[str, Verdict] = {}
    waived: dict[str, Verdict] = {}
    licences: dict[tuple[str, str], Verdict] = {}
    for use in dict.fromkeys(d.use for d in up.demands):
        failing = {arc.index for _, arc, verdict in _against(up, use) if verdict.result is Result.FAIL}
        for chain, arc, verdict in _against(up, use):
            if not chain:
                if verdict.licence and not _licensed(up, verdict, arc, use):
                    licences.setdefault((verdict.rule, arc.chained.facility.country), verdict)
                continue
            waived.setdefault(verdict.rule, verdict)
            if verdict.result is Result.UNPROVEN and arc.lot < 0 and arc.index not in failing:
                proofs.setdefault(arc.chained.offer.id, verdict)
    found = [_proof(name, verdict) for name, verdict in sorted(proofs.items())]
    for rule, verdict in sorted(waived.items()):
        for demand in up.demands:
            found += _waivers(up, rule, demand.id, verdict) if any(up.need.short[demand.id]) else ()
    for (rule, country), verdict in sorted(licences.items()):
        found.append(yes_no(LeverKind.LICENCE, rule, Change(grant=rule, of=country), rule, country, verdict.clause))
    return found


def _loosen(up: UpstreamSupply, rule: Rule, most: Decimal, base: Decimal) -> Lever:
    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change(loosen=rule.id, by=amounts[0]),)

    today = getattr(rule, "share", None) if base else None
    return Lever(
        LeverKind.LOOSEN, (rule.id,), make, (most,), "", up.case.resolution,
        name=sentence_of(rule), today=today, base=base,
    )  # fmt: skip


def _against(up: UpstreamSupply, use: Use) -> Iterator[tuple[bool, Arc, Verdict]]:
    """Yield every verdict that prohibits, of rules in force when anything is wanted: True if it concerns origin, arc, verdict."""
    judgement, law = up.problem.judgements[use], up.problem.law
    periods = up.case.horizon.periods
    wanted = [p.span for p in periods if any(d.use == use and d.quantity[p.index] for d in up.demands)]
    for chain, table in ((True, judgement.chain), (False, judgement.trade)):
        for rule, verdicts in table.items():
            if not any(law.in_force(rule, span) for span in wanted):
                continue
            for index, verdict in verdicts.items():
                arc = up.problem.network.arcs[index]
                if law.forbids(verdict, arc):
                    yield chain, arc, verdict


def _licensed(up: UpstreamSupply, verdict: Verdict, arc: Arc, use: Use) -> bool:
    periods = up.case.horizon.periods
    return all(up.problem.law.licences(verdict, arc, use, period.span) is not None for period in periods)


def _proof(offer: str, verdict: Verdict) -> Lever:
    return yes_no(LeverKind.PROOF, offer, Change(prove=offer), offer, note=verdict.reason)


def _waivers(up: UpstreamSupply, rule: str, demand: str, verdict: Verdict) -> Iterator[Lever]:
    """Yield a waiver for the shortage of a demand, or several in succession if the law bounds the length of one."""
    short, periods = up.need.short[demand], up.case.horizon.periods
    terms = next(one.waivers for one in up.problem.rules if one.id == rule)
    bounded = bool(terms) and terms[0].longest is not None
    last = max(t for t, kilograms in enumerate(short) if kilograms)
    first = next(t for t, kilograms in enumerate(short) if kilograms)
    while first <= last:
        run = longest_run(terms, periods[first].start, periods[last].end)
        covered = [t for t in range(first, last + 1) if run.covers(periods[t].span)]
        if not covered:
            return  # not even one period: a waiver counts only in periods that it covers
        if any(short[t] for t in covered):
            yield _waiver(up, rule, demand, verdict, covered, bounded)
        first = covered[-1] + 1


def _waiver(
    up: UpstreamSupply, rule: str, demand: str, verdict: Verdict, covered: Sequence[int], bounded: bool
) -> Lever:
    periods = up.case.horizon.periods
    since, until = periods[covered[0]].start if bounded else None, periods[covered[-1]].end
    days = {"until": until, **({"from": since} if since else {})}

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change.model_validate({"waive": rule, "of": demand, "quantity": amounts[0], **days}),)

    most = up.whole(sum((up.need.short[demand][t] for t in covered), Decimal(0)))
    return Lever(
        LeverKind.WAIVER, (rule,), make, (most,), "kg", up.case.resolution,
        of=demand, name=rule, note=verdict.clause, since=since, until=until,
    )  # fmt: skip


def _kinds(offer: Offer, limited: bool) -> Iterator[TermKind]:
    """Yield the kinds of terms of an offer that it can do without. `limited` means that its plant has a capacity. Without one, the offer needs its own quantity."""
    if offer.min_order:
        yield TermKind.MINIMUM_LOAD
    most = (offer.max_order, offer.max_lots, offer.max_per_year, offer.total)
    if any(figure is not None for figure in (most if limited and not offer.paid else ())):
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
        """Return the facilities whose capacity affects upstream supply, by id."""
        reach: set[int] = set()
        for demand in self.demands:
            reach |= self.problem.network.reach(final_node(demand.use))[0]
        arcs = self.problem.network.arcs
        offers = {arcs[index].offer for index in reach} - {-1}
        names = {name for offer in offers for name in self.problem.offers[offer].pools}
        return [self.problem.merged.facilities[name] for name in sorted(names)]

    def whole(self, amount: Decimal) -> Decimal:
        """Return an amount rounded to whole steps of the resolution, at least one."""
        return max(round_to(amount, self.case.resolution), self.case.resolution)


def _per_kg(problem: Problem, materials: Iterable[str]) -> dict[str, Decimal]:
    """Return the materials upstream of some, including leads, with the maximum kilograms that a kilogram of those may need."""
    made = [offer for offer in problem.merged.offers.values() if offer.inputs]
    makers = grouped((line.material, (offer, line.per_unit)) for offer in made for line in offer.outputs)
    found = dict.fromkeys(sorted(materials), Decimal(1))
    waiting = list(found)
    while waiting:
        material = waiting.pop(0)
        for offer, given in makers.get(material, ()):
            for line in offer.inputs:
                needed = exact(found[material] * line.per_unit / given)
                if line.material not in found:  # of several ways the first, which is the shortest: enough for a bound
                    found[line.material] = needed
                    waiting.append(line.material)
    return found


def lead_levers(up: UpstreamSupply) -> list[Lever]:
    """Return the capacities of plants without a published or accepted one."""
    found: dict[str, Decimal] = {}
    counted = {facts.offer.id for facts in up.problem.offers}
    running = {facts.facility.id for facts in up.problem.offers}
    facilities = up.problem.merged.facilities
    for lead in up.problem.merged.offers.values():
        if lead.id in counted or (lead.price is None and not lead.quotes):
            continue
        needed = [up.per_kg[o.material] / o.per_unit for o in lead.outputs if o.material in up.per_kg]
        if needed and up.bounds.lead and lead.facility not in running:
            most = exact(max(needed) * as_decimal(up.peak) * up.bounds.lead * lead.capacity_use)
            found[lead.facility] = max(found.get(lead.facility, Decimal(0)), up.whole(most))
    return [_lead(up, facilities[name], most) for name, most in sorted(found.items())]


def plant_levers(up: UpstreamSupply) -> list[Lever]:
    """Return the plants that don't run yet: to run as stated, and to start earlier."""
    found = []
    span = up.case.horizon.span
    assert span.start is not None and span.end is not None
    for facility in up.plants():
        steps = [s for s in facility.capacity if s.start is None or s.start <= span.end]
        waiting = [s for s in steps if up.case.accept.counts(s.status) < 1]
        words = ", ".join(dict.fromkeys(s.status.value for s in waiting))
        if waiting and all(s.status not in (Status.SUPERSEDED, Status.EVENT) for s in waiting):
            change = Change(capacity=facility.id, status=Status.OPERATING)
            found.append(yes_no(LeverKind.PLANNED, facility.id, change, _named(facility), note=words))
        if up.bounds.later and steps and steps[0].start is not None and steps[0].start > span.start:
            found.append(_earlier(up, facility, steps[0], steps[0].start))
    return found


def stock_levers(up: UpstreamSupply) -> list[Lever]:
    """Return more initial stock of every material that is used at the case's place."""
    place = up.problem.merged.place(up.case.place)
    found = []
    for material, per_kg in sorted(up.per_kg.items()):
        if not up.bounds.stock or (material, place.id) not in up.problem.network.nodes:
            continue
        most = up.whole(exact(per_kg * as_decimal(up.peak) * up.bounds.stock))
        found.append(_stock(up, material, place.country, most))
    return found


def capacity_levers(up: UpstreamSupply) -> list[Lever]:
    """Return more capacity of every plant with a limited one."""
    return [
        _more(up, facility)
        for facility in up.plants()
        if up.bounds.capacity and all(step.per_year is not None for step in facility.capacity)
    ]


def _lead(up: UpstreamSupply, facility: Facility, most: Decimal) -> Lever:
    idle = facility.capacity and any(up.case.accept.counts(s.status) < 1 for s in facility.capacity)

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_stated(facility, amounts[0], Status.OPERATING if idle else None),)

    return Lever(LeverKind.LEAD, (facility.id,), make, (most,), "kg/year", up.case.resolution, name=_named(facility))


def _earlier(up: UpstreamSupply, facility: Facility, step: CapacityStep, first: date) -> Lever:
    """Return the lever that starts the first capacity of a plant some months earlier."""
    length = up.case.horizon.length.months

    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        if not amounts[0]:
            return ()
        days = {"from": add_months(first, -int(amounts[0])), "until": first - timedelta(days=1)}
        made = {"capacity": facility.id, "per_year": step.per_year, "status": Status.OPERATING}
        return (Change.model_validate({**made, **days}),)

    most = (Decimal(up.bounds.later * length),)
    unit, apart = "months", Decimal(length)
    return Lever(
        LeverKind.EARLIER, (facility.id,), make, most, unit, apart, name=_named(facility), note=first.isoformat()
    )


def _stock(up: UpstreamSupply, material: str, country: str, most: Decimal) -> Lever:
    def make(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (Change(stock=material, quantity=amounts[0], countries=frozenset({country})),)

    return Lever(LeverKind.STOCK, (material,), make, (most,), "kg", up.case.resolution, of=country, name=material)


def _more(up: UpstreamSupply, facility: Facility) -> Lever:
    """Return the lever for more capacity. It raises a single yearly figure, and multiplies one that changes or that the case accepts only in part."""
    accepted = accepted_steps(facility, up.problem.merged, up.case)
    rates = {step.per_year or Decimal(0) for step in facility.capacity}
    resolution = up.case.resolution
    if len(rates) > 1 or len(accepted) < len(facility.capacity):

        def multiply(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
            return (Change(capacity=facility.id, factor=1 + amounts[0]),)

        most, step = up.bounds.capacity, Decimal("0.0001")
        return Lever(LeverKind.CAPACITY, (facility.id,), multiply, (most,), "", step, name=_named(facility))
    (rate,) = rates

    def raise_to(amounts: Sequence[Decimal]) -> tuple[Change, ...]:
        return (_stated(facility, rate + amounts[0], None),)

    more = up.whole(exact(rate * up.bounds.capacity))
    return Lever(
        LeverKind.CAPACITY,
        (facility.id,),
        raise_to,
        (more,),
        "kg/year",
        resolution,
        name=_named(facility),
        today=rate,
    )


def _stated(facility: Facility, per_year: Decimal, status: Status | None) -> Change:
    """Return the change that states a capacity, from the start of its first step if it has any."""
    first = facility.capacity[0].start if facility.capacity else None
    return Change.model_validate({"capacity": facility.id, "per_year": per_year, "status": status, "from": first})


def _named(facility: Facility) -> str:
    return f"{facility.name or facility.id} ({facility.country})"
