"""What a run rests on: leads, assumptions, and the confidence of its evidence."""

from __future__ import annotations

from decimal import Decimal

from ..domain.quantities import readable
from ..domain.run import RunAssumption, RunLead
from ..domain.use import Result
from ..problem import Problem
from ..verify import Bought, VerifiedPlan


def describe_leads(problem: Problem) -> list[RunLead]:
    """Offers that could deliver something wanted, but whose figures nobody published well enough."""
    found = []
    for lead in problem.leads:
        facility = problem.merged.facilities[lead.offer.facility]
        found.append(
            RunLead(
                offer=lead.offer.id,
                materials=[line.material for line in lead.offer.outputs],
                facility=facility.name or facility.id,
                facility_id=facility.id,
                country=facility.country,
                reasons=list(dict.fromkeys(lead.reasons)),
            )
        )
    return found


def describe_assumptions(verified: VerifiedPlan) -> list[RunAssumption]:
    """Everything taken as given: by the case, and by the offers that the plan buys from."""
    problem = verified.problem
    used = {item.arc.chained.offer.id for item in verified.ledger.bought} | {m.offer for m, _ in verified.ledger.makes}
    offers = {facts.offer.id for facts in problem.offers}
    given = {assumption.id for assumption in problem.case.assume.offer}
    found = [
        RunAssumption(subject=a.subject, text=a.text)
        for a in problem.assumptions
        if a.subject not in offers or a.subject in used or a.subject in given
    ]
    return found + _let_pass(verified)


def _let_pass(verified: VerifiedPlan) -> list[RunAssumption]:
    """What the plan takes though a rule in force finds it unproven, because the case accepts that."""
    problem = verified.problem
    accept = problem.case.accept
    if not accept.unproven and not accept.proven:
        return []
    found: dict[tuple[str, str, str], dict[int, Bought]] = {}
    for judged in verified.judged:
        item, verdict = judged.item, judged.verdict
        if verdict.result is not Result.UNPROVEN or problem.law.forbids(verdict, item.arc):
            continue
        arrival = problem.case.horizon.periods[item.delivered].span
        if verdict.licence and problem.law.licences(verdict, item.arc, judged.use, arrival) is not None:
            continue
        key = (item.arc.chained.offer.id, verdict.rule, verdict.reason)
        found.setdefault(key, {})[id(item)] = item
    return [
        RunAssumption(subject=offer, text=f"{_kilograms(items)} kg let pass by `{rule}` without proof: {reason}")
        for (offer, rule, reason), items in sorted(found.items())
    ]


def _kilograms(items: dict[int, Bought]) -> str:
    return readable(sum((item.entry.quantity for item in items.values()), Decimal(0)))
