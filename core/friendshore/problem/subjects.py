"""Whose orders a price schedule or terms of trade are about: an offer's, a facility's, a supplier's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from ..domain.bearing import Bearing
from ..domain.facts import Facility, Offer
from .merged import Merged, around
from .offers import OfferFacts

Subject = tuple[str, str]
"""`offer`, `facility` or `supplier`, and which."""


def subjects_of(offer: Offer, facilities: Mapping[str, Facility]) -> list[Subject]:
    """What may bear on an offer: what is said of itself, its supplier, its facility, and those around that."""
    sites = around(offer.facility, facilities)
    return [("offer", offer.id), ("supplier", sites[0].supplier), *(("facility", site.id) for site in sites)]


def covers(bearing: Bearing, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    """Whether something is about what is bought from an offer: with several outputs, only if it is about all of them."""
    meant = not bearing.materials or all(line.material in bearing.materials for line in offer.outputs)
    return meant and (bearing.of, bearing.id) in subjects_of(offer, facilities)


class Sellers:
    """The offers that can reach a demand, by what may bear on them."""

    def __init__(self, merged: Merged, counted: Sequence[OfferFacts], reached: Collection[int]) -> None:
        self.facilities = merged.facilities
        self.counted = counted
        self.reached = reached

    @cached_property
    def _found(self) -> dict[Subject, list[int]]:
        found: dict[Subject, list[int]] = {}
        for i in sorted(self.reached):
            for subject in subjects_of(self.counted[i].offer, self.facilities):
                found.setdefault(subject, []).append(i)
        return found

    def under(self, bearing: Bearing) -> tuple[int, ...]:
        """Positions of those that something is about."""
        candidates = self._found.get((bearing.of, bearing.id), ())
        return tuple(i for i in candidates if covers(bearing, self.counted[i].offer, self.facilities))
