"""Why a demand is short: because nobody can supply it, or because supply costs more than the shortage."""

from __future__ import annotations

from enum import Enum

from ..session import Session


class Reason(Enum):
    """Why a demand is short."""

    NO_SUPPLY = "no supply"
    """No admissible plan delivers more to it."""
    DEARER = "dearer than its price"
    """One does, for more money than the shortage is priced at, or by taking from other demand."""
    OUTRANKED = "dearer or ranked lower"
    """The same, where the case ranks objectives: or by giving up some of what ranks higher."""
    CONFLICT = "rules conflict"
    UNPROVED = "not proved"
    """A limit ended the search."""


def shortage_reasons(session: Session) -> dict[str, Reason]:
    """The reason of every demand that is short, by its id: found by solving again for the least that it can be short of."""
    plan = session.verified.plan
    conflicting = {name for part in plan.infeasible for name in part.demands}
    short: dict[str, float] = {}
    for entry in plan.shorts:
        short[entry.demand] = short.get(entry.demand, 0.0) + float(entry.quantity)
    positions = {demand.id: i for i, demand in enumerate(session.problem.demands)}
    return {
        name: Reason.CONFLICT if name in conflicting else _reason(session, positions[name], kilograms)
        for name, kilograms in sorted(short.items())
    }


def _reason(session: Session, demand: int, kilograms: float) -> Reason:
    best = session.least_short(demand)
    if best is None:
        return Reason.UNPROVED
    # Below a resolution a period, rounding alone tells the two apart.
    slack = float(session.problem.case.resolution) * session.problem.case.horizon.count + 1e-6 * kilograms
    more = Reason.OUTRANKED if session.problem.objectives else Reason.DEARER
    return more if kilograms - best > slack else Reason.NO_SUPPLY
