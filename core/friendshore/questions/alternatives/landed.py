"""What a kilogram of an offer costs where it is wanted, in a plan that uses it."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from ...domain.base import Number, Record, exact
from ...verify import VerifiedPlan


class Landed(Record):
    """Undiscounted money per kilogram bought of an offer in one plan, in the case's currency; figures add up to `total`."""

    kilograms: Number
    """What the plan buys of it: what the money is divided by."""
    price: Number
    """At list prices; of an offer with several outputs its part of what making them costs, by mass."""
    discounts: Number
    """What price schedules of this offer alone add (negative: take off)."""
    charges: Number
    """Tariffs and other charges of rules."""
    freight: Number
    once: Number
    """One-off cost, fixed costs of ordering from this offer alone, and what is paid for and not taken."""
    total: Number


def landed(verified: VerifiedPlan, offer: str, material: str) -> Landed | None:
    """The cost of a kilogram of an offer in a plan; None if the plan buys none.

    Money that an offer with several outputs costs as a whole is spread over the kilograms of all of them. What a supplier's or a
    facility's schedules and terms come to belongs to no single offer and is left out.
    """
    problem = verified.problem
    of_offer = [line for line in verified.lines if line.item.arc.chained.offer.id == offer]
    lines = [line for line in of_offer if line.item.entry.material == material]
    kilograms = sum((line.item.entry.quantity for line in lines), Decimal(0))
    if not kilograms:
        return None
    everything = sum((line.item.entry.quantity for line in of_offer), Decimal(0))
    position = lines[0].item.arc.offer
    own = (position,)
    discounts = -sum((s.off for s in verified.settled if s.span.offers == own), Decimal(0))
    once = problem.offers[position].onboarding
    once += sum((p.span.fixed for p in verified.costing.placed if p.span.offers == own), Decimal(0))
    once += sum((u.due for u in verified.costing.untaken if u.commitment.offer == position), Decimal(0))
    figures = {
        "price": sum((line.price for line in lines), Decimal(0)) / kilograms,
        "discounts": discounts / everything,
        "charges": sum((line.charges for line in lines), Decimal(0)) / kilograms,
        "freight": sum((line.freight for line in lines), Decimal(0)) / kilograms,
        "once": once / everything,
    }
    parts = {name: exact(figure) for name, figure in figures.items()}
    return Landed(kilograms=kilograms, total=exact(sum(parts.values(), Decimal(0))), **parts)


def bought(verified: VerifiedPlan, offer: str, material: str, places: Collection[str]) -> Decimal:
    """Kilograms of a material that a plan buys of an offer for some places."""
    entries = verified.plan.purchases
    own = (e.quantity for e in entries if (e.offer, e.material) == (offer, material) and e.place in places)
    return sum(own, Decimal(0))
