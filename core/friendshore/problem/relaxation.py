"""Terms of trade taken away: what a plan would cost if they did not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from ..domain.bearing import Bearing
from ..domain.case import Case
from ..domain.change import Change, TermKind
from ..domain.facts import Catalog, Facility, Offer
from ..domain.terms import Terms
from ..errors import Diagnostic
from .additions import Facts
from .naming import OFFERS, names_offer, unknown
from .subjects import covers

_OF_OFFERS: dict[TermKind, dict[str, Any]] = {
    TermKind.MINIMUM_LOAD: {"min_order": None},
    TermKind.MAXIMUM_LOAD: {"max_order": None, "max_lots": None, "max_per_year": None, "total": None},
    TermKind.LOT: {"lot": None, "max_lots": None},
    TermKind.ONBOARDING: {"onboarding": None},
    TermKind.QUALIFICATION: {"qualification": None},
    TermKind.DATES: {"start": None, "end": None},
    TermKind.LEAD_TIME: {"lead_time": Decimal(0)},
    TermKind.TAKE_OR_PAY: {"take_or_pay": None, "take_or_pay_share": Decimal(1)},
}
"""Fields of an offer that a kind of term is stated in, each with what stands for none."""
_OF_TERMS: dict[TermKind, str] = {
    TermKind.FIXED_COST: "fixed",
    TermKind.MINIMUM_LOAD: "least",
    TermKind.MAXIMUM_LOAD: "most",
    TermKind.SETUP: "setup_use",
}
"""Field of `Terms` that a kind of term is stated in."""


def relax(change: Change, case: Case, catalogs: tuple[Catalog, ...], troubles: list[Diagnostic]) -> Facts:
    """Takes away a kind of term of trade, from everyone or from what the change names."""
    facilities = {f.id: f for catalog in catalogs for f in catalog.facilities}
    if change.of and not any(_meant(change, o, facilities) for catalog in catalogs for o in catalog.offers):
        unknown(change, change.of, OFFERS, troubles)
    offers = [offer for catalog in catalogs for offer in catalog.offers]
    return case, tuple(_without(change, catalog, offers, facilities) for catalog in catalogs)


def has_term(change: Change, offer: Offer, facility: Facility) -> bool:
    """Whether a change that relaxes names an offer."""
    return not change.of or names_offer(change.of, offer, facility)


def _meant(change: Change, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    return has_term(change, offer, facilities[offer.facility])


def _without(change: Change, catalog: Catalog, offers: list[Offer], facilities: Mapping[str, Facility]) -> Catalog:
    kind = change.lift
    assert kind is not None
    gone = _OF_OFFERS.get(kind)
    update: dict[str, object] = {}
    if gone is not None:
        update["offers"] = tuple(
            _free_of(offer, kind, gone) if _meant(change, offer, facilities) else offer for offer in catalog.offers
        )

    def bears(bearing: Bearing) -> bool:
        """Whether all that it is about is meant; what is about more than that is left alone."""
        about = [offer for offer in offers if covers(bearing, offer, facilities)]
        return not change.of or (bool(about) and all(_meant(change, offer, facilities) for offer in about))

    if kind is TermKind.TIERS:
        update["schedules"] = tuple(schedule for schedule in catalog.schedules if not bears(schedule))
    if kind in _OF_TERMS:
        update["terms"] = tuple(_lifted(catalog.terms, _OF_TERMS[kind], bears))
    return catalog.model_copy(update=update)


def _free_of(offer: Offer, kind: TermKind, gone: Mapping[str, Any]) -> Offer:
    lanes = offer.lanes
    if kind is TermKind.LEAD_TIME:
        lanes = tuple(lane.model_copy(update={"lead_time": None}) for lane in lanes)
    return offer.model_copy(update={**gone, "lanes": lanes})


def _lifted(terms: tuple[Terms, ...], name: str, bears: Callable[[Bearing], bool]) -> Iterator[Terms]:
    """Terms without one of their figures; those that then say nothing are left out."""
    for one in terms:
        if not bears(one):
            yield one
            continue
        left = one.model_copy(update={name: None})
        if any(getattr(left, figure) is not None for figure in _OF_TERMS.values()):
            yield left
