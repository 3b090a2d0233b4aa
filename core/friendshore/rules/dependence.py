"""Dependence of an offer on countries of concern: its seller, and every step of its own chain.

The inputs of a maker are bought from other offers, which answer for their own steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..domain.base import grouped
from ..domain.stages import Stage, covers_stage
from ..domain.use import Chained, Result
from .verdicts import Barred, result_of

_OF_METAL = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
"""Stages that a material may have had if it states none."""


class Dependence(StrEnum):
    """Dependence of a purchase on countries of concern."""

    NO = "no"
    MAY_BE = "may be"
    """The country of some step is unknown, or one of several."""
    IS = "is"

    @property
    def rank(self) -> int:
        """Position from independent to dependent."""
        return _RANKS[self]


_RANKS = {each: rank for rank, each in enumerate(Dependence)}
_BY_RESULT = {Result.PASS: Dependence.NO, Result.UNPROVEN: Dependence.MAY_BE, Result.FAIL: Dependence.IS}


@dataclass(frozen=True, slots=True)
class Reason:
    """A seller or step that makes an offer's goods of concern."""

    dependence: Dependence
    text: str
    """In a few words, like `refined in CN`."""


def dependence_of(offer: Chained, countries: frozenset[str]) -> Dependence:
    """Return whether an offer's seller or a step of its own chain is, or may be, in one of some countries."""
    return worst_of(reason.dependence for reason in reasons(offer, countries))


def worst_of(found: Iterable[Dependence]) -> Dependence:
    """Return the most dependent of some findings, or `NO` if there are none."""
    return max(found, key=lambda each: each.rank, default=Dependence.NO)


def reasons(offer: Chained, countries: frozenset[str]) -> Iterator[Reason]:
    """Yield everything that makes an offer's goods of concern: its seller first, then its steps, then stages with an open step."""
    if offer.facility.country in countries:
        yield Reason(Dependence.IS, f"sold from {offer.facility.country}")
    if offer.offer.customs_origin in countries:
        yield Reason(Dependence.MAY_BE, f"customs origin {offer.offer.customs_origin}")
    for entry in offer.performed:
        found = _BY_RESULT[result_of(entry.countries, entry.complete, Barred(countries))]
        if found is not Dependence.NO:
            hit, others = sorted(entry.countries & countries), sorted(entry.countries - countries)
            where = " or ".join([*hit, *others, *([] if entry.complete else ["elsewhere"] if entry.countries else [])])
            yield Reason(found, f"{entry.stage} in {where}" if where else f"{entry.stage} in an unknown country")
    yield from (Reason(Dependence.MAY_BE, text) for text in _open_steps(offer))


def _open_steps(offer: Chained) -> Iterator[str]:
    """Yield the stages for which neither the offer nor its inputs give all steps.

    A good comes out of a mine even where its material doesn't state that stage. The chain of scrap doesn't say where its metal was mined.
    """
    recorded = grouped((entry.main_stage, entry.stage) for entry in offer.performed)
    if offer.recycled:
        yield "scrap: mine unknown"
    had = (Stage.MINED,) if offer.material.stages else _OF_METAL
    required = {*offer.missing, *(had if offer.source else ())}
    for stage in Stage:
        if stage in offer.supplied:
            continue
        if stage not in recorded:
            if stage in required:
                yield f"{stage} unknown"
        elif not covers_stage(stage, recorded[stage], begun=stage not in offer.material.stages):
            yield f"{stage} only in part ({', '.join(sorted(recorded[stage]))})"
