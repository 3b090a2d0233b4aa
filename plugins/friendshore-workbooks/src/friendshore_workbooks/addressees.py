"""Who may be written to: a company that a catalog names as the operator, and that no sanction in use bars."""

from __future__ import annotations

import re

from friendshore.domain.facts import Facility, Offer
from friendshore.domain.use import Chained
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude, OriginBan
from friendshore.session import Session

_SEVERAL = re.compile(r";|\bothers?\b|\bmakers\b", re.IGNORECASE)
"""Signs that an operator is no one company: a list, or a word for a trade."""


def unaddressed(session: Session, facility: Facility) -> str:
    """Return why nobody may be asked for a bid at a facility; empty if somebody may.

    A total of a country has no operator, so nobody could receive a letter. Whom a list bars, or in whose country a sanction bars goods, gets
    none either: under sanctions an enquiry may itself be a dealing. A rule counts whatever is known of its status, and for any use.
    """
    if not facility.operator or _SEVERAL.search(facility.operator):
        return "no company is named"
    merged = session.problem.merged
    offers = [offer for offer in merged.offers.values() if offer.facility == facility.id]
    barring = [
        rule.id for rule in session.problem.rules if any(_bars(session, rule, offer, facility) for offer in offers)
    ]
    return f"barred by {', '.join(barring)}" if barring else ""


def _bars(session: Session, rule: Rule, offer: Offer, facility: Facility) -> bool:
    """Return True if a sanction bars what an offer delivers, for any use."""
    materials = [session.problem.merged.materials[line.material] for line in offer.outputs]
    if isinstance(rule, Exclude):
        return any(
            rule.covers(one)
            and rule.names(Chained(offer=offer, material=one, facility=facility, performed=offer.chain))
            for one in materials
        )
    if isinstance(rule, OriginBan) and not rule.asks_proof:
        return bool(rule.barred.among(frozenset({facility.country}))) and any(map(rule.covers, materials))
    return False
