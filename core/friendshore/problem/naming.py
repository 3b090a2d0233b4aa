"""What the words of a change mean: which offers, demands and prices it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..domain.case import Case, DemandSpec
from ..domain.change import Change
from ..domain.facts import Facility, Offer
from ..errors import Diagnostic
from .demands import demand_name

OFFERS: Final = (
    "an offer, facility, supplier or parent (if need be `supplier:name`, `parent:name`), `country:XX`, `outside:XX` or "
    "`catalog:name`"
)
"""What may name offers, for messages."""


def names_offer(name: str, offer: Offer, facility: Facility) -> bool:
    """Whether a change's word for offers means one: its id, facility, supplier or owner, or a kind and a value."""
    kind, colon, value = name.partition(":")
    if colon and kind in _KINDS:
        return _KINDS[kind](offer, facility, value)
    return name in (offer.id, facility.id, facility.supplier, facility.owner)


_KINDS: dict[str, Callable[[Offer, Facility, str], bool]] = {
    "country": lambda _, facility, value: facility.country == value,
    "outside": lambda _, facility, value: facility.country != value,
    "catalog": lambda offer, _, value: offer.catalog == value,
    "supplier": lambda _, facility, value: facility.supplier == value,
    "parent": lambda _, facility, value: facility.owner == value,
}
"""What stands before a colon, and whom it means; a supplier and a parent may be called as an offer or a plant is, so they have a word."""


def removes(change: Change, offer: Offer, facility: Facility) -> bool:
    """Whether a change takes away an offer of a facility."""
    return names_offer(change.remove, offer, facility)


def reprices(change: Change, offer: Offer, facility: Facility) -> bool:
    """Whether a change names an offer, a material that it delivers or where it sells from, to change its price."""
    by_place = ":" in change.price and names_offer(change.price, offer, facility)
    return by_place or change.price == offer.id or any(change.price == line.material for line in offer.outputs)


def resizes(change: Change, demand: DemandSpec, case: Case) -> bool:
    """Whether a change names a demand as reports do, its material or its end use."""
    return change.demand in (demand_name(demand, case), demand.material, demand.end_use)


def unknown(change: Change, name: str, expected: str, troubles: list[Diagnostic]) -> None:
    """Notes a name that nothing in the case answers to."""
    troubles.append(
        Diagnostic(
            f"`{change.subject}` names nothing in the case", column=change.subject, found=name, expected=expected
        )
    )
