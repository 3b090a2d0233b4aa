"""Levers that let something go: demand wanted later, limits, terms of trade, law. And all levers for some demands.

First those that let plants count come in, since law and terms bear on these as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from friendshore.domain.base import exact
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Offer
from friendshore.domain.use import Result, Use, Verdict
from friendshore.errors import InputError
from friendshore.plugins import sentence_of
from friendshore.problem import Problem
from friendshore.problem.capacity import accepted_steps
from friendshore.problem.network import Arc
from friendshore.problem.parts import materials_of
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.rows import one_by_one
from friendshore.rules.waivers import longest_run
from friendshore.session import Session

from . import supply_levers
from .lever_facts import facts_about
from .levers import Lever, LeverBounds, LeverKind, Need, yes_no
from .supply_levers import UpstreamSupply


def levers_for(session: Session, need: Need, bounds: LeverBounds) -> list[Lever]:
    """All levers within their bounds, in the order of their kinds."""
    problem = session.problem
    candidates, world = _that_fit(session, need, supply_levers.leads(UpstreamSupply(problem, need, bounds)))
    leads = [lever for lever in candidates if any(facts.facility.id in lever.subjects for facts in world.offers)]
    planned = supply_levers.planned(UpstreamSupply(world, need, bounds))
    leads = [replace(lever, note=_why_lead(problem, lever.subjects[0])) for lever in leads]
    given = {lever.subjects for lever in leads}
    planned = [lever for lever in planned if lever.subjects not in given]
    up = UpstreamSupply(_with(session, need, [*leads, *planned]), need, bounds)
    others = [*later(up), *law(up), *loosened(up), *terms(up)]
    others += [*supply_levers.stocks(up), *supply_levers.capacities(up)]
    others = [lever for lever in others if lever.kind is not LeverKind.CAPACITY or lever.subjects not in given]
    order = list(LeverKind)
    return sorted([*leads, *planned, *others], key=lambda lever: order.index(lever.kind))


def _that_fit(session: Session, need: Need, leads: Sequence[Lever]) -> tuple[list[Lever], Problem]:
    """Leads whose recipes fit the others', with the facts that they make: those that would close a loop which makes something of nothing are left
    out.
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
    """What the demands have to do with, with some levers at their bounds."""
    changes = [change for lever in levers for change in lever.make(lever.most)]
    return facts_about(session, need, changes).after(changes).problem() if changes else session.problem


def _why_lead(problem: Problem, facility: str) -> str:
    """Why the offers of a plant do not count, as the plan says."""
    reasons = [reason for lead in problem.leads if lead.offer.facility == facility for reason in lead.reasons]
    return reasons[0] if reasons else ""


INFINITE = Decimal("Infinity")


def later(up: UpstreamSupply) -> list[Lever]:
    """The demands wanted later: one lever, with an amount for each of them."""
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


def loosened(up: UpstreamSupply) -> Iterator[Lever]:
    """Hard limits that count anything upstream: as much again as the largest of their bounds; of kilograms at least what is short."""
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


def terms(up: UpstreamSupply) -> Iterator[Lever]:
    """Terms that keep kilograms away; what only costs money can be paid."""
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


def law(up: UpstreamSupply) -> list[Lever]:
    """Proofs, waivers and licences: one for whatever forbids something upstream."""
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
    """Every verdict that forbids, of rules in force when anything is wanted: whether it is one on origin, arc, verdict."""
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
    """A waiver for what a demand is short of; several, one after another, where the law bounds how long one runs."""
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
    """Kinds of terms that an offer states and may do without; `limited`: its plant has a capacity, without which its own quantity is what lets it count."""
    if offer.min_order:
        yield TermKind.MINIMUM_LOAD
    most = (offer.max_order, offer.max_lots, offer.max_per_year, offer.total)
    if any(figure is not None for figure in (most if limited and not offer.paid else ())):
        yield TermKind.MAXIMUM_LOAD
    if offer.lot is not None:
        yield TermKind.LOT
    if offer.qualification:
        yield TermKind.QUALIFICATION
