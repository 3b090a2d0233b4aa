"""All levers for some demands: first those that let plants count, since law and terms bear on these as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...errors import InputError
from ...problem import Problem
from ...session import Session
from . import demand_levers, supply_levers
from .levers import Lever, LeverBounds, LeverKind, Need
from .supply_levers import UpstreamSupply


def levers_for(session: Session, need: Need, bounds: LeverBounds) -> list[Lever]:
    """All levers within their bounds, in the order of their kinds.

    Args:
        session: the plan.
        need: the demands.
        bounds: how far levers may go.
    """
    problem = session.problem
    candidates = _that_fit(session, supply_levers.leads(UpstreamSupply(problem, need, bounds)))
    world = _with(session, candidates)
    leads = [lever for lever in candidates if _counts(world, lever)]
    planned = supply_levers.planned(UpstreamSupply(world, need, bounds))
    leads = [replace(lever, note=_why_lead(problem, lever.subjects[0])) for lever in leads]
    given = {lever.subjects for lever in leads}
    planned = [lever for lever in planned if lever.subjects not in given]
    up = UpstreamSupply(_with(session, [*leads, *planned]), need, bounds)
    others = [*demand_levers.later(up), *demand_levers.law(up), *demand_levers.loosened(up), *demand_levers.terms(up)]
    others += [*supply_levers.stocks(up), *supply_levers.capacities(up)]
    others = [lever for lever in others if lever.kind is not LeverKind.CAPACITY or lever.subjects not in given]
    order = list(LeverKind)
    return sorted([*leads, *planned, *others], key=lambda lever: order.index(lever.kind))


def _that_fit(session: Session, leads: Sequence[Lever]) -> list[Lever]:
    """Leads whose recipes fit the others': those that would close a loop which makes something of nothing are left out."""
    try:
        _with(session, leads)
    except InputError:
        fitting: list[Lever] = []
        for lead in leads:
            try:
                _with(session, [*fitting, lead])
            except InputError:
                continue
            fitting.append(lead)
        return fitting
    return list(leads)


def _with(session: Session, levers: Sequence[Lever]) -> Problem:
    changes = [change for lever in levers for change in lever.make(lever.most)]
    return session.inputs.after(changes).problem() if changes else session.problem


def _counts(problem: Problem, lever: Lever) -> bool:
    return any(facts.facility.id in lever.subjects for facts in problem.offers)


def _why_lead(problem: Problem, facility: str) -> str:
    """Why the offers of a plant do not count, as the plan says."""
    reasons = [reason for lead in problem.leads if lead.offer.facility == facility for reason in lead.reasons]
    return reasons[0] if reasons else ""
