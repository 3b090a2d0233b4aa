"""Verdicts on where goods come from, dependence on countries of concern, and customs origins.

The verdict table says what possible countries C and prohibited countries B make of a stage:

- nothing is known of C: unproven
- none of C is prohibited and the list is complete: pass
- all of C are prohibited and the list is complete: fail
- anything else: unproven

A prohibited set may also be given by the countries that it leaves free. Over stages and steps, fail beats unproven beats pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..domain.base import grouped
from ..domain.countries import country_names
from ..domain.stages import Stage, covers_stage
from ..domain.use import PASS, Chained, Result, Verdict
from .base import Rule


@dataclass(frozen=True, slots=True)
class Barred:
    """Countries that a rule prohibits: those listed, or all others."""

    countries: frozenset[str]
    all_but: bool = False
    """True if `countries` are the ones that are allowed."""

    def among(self, possible: frozenset[str]) -> frozenset[str]:
        """Return the prohibited ones of `possible`."""
        return possible - self.countries if self.all_but else possible & self.countries


def result_of(possible: frozenset[str], complete: bool, barred: Barred) -> Result:
    """Return the result of an origin check for one stage.

    Args:
        possible: Countries where the stage may have taken place. Empty if unknown.
        complete: True if `possible` is known to be the full list.
        barred: Countries that the rule prohibits.
    """
    if not possible or not complete:
        return Result.UNPROVEN
    hit = barred.among(possible)
    if not hit:
        return Result.PASS
    return Result.FAIL if hit == possible else Result.UNPROVEN


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first of the worst verdicts, or pass if there are none."""
    return max(verdicts, key=lambda verdict: verdict.result.rank, default=PASS)


METAL_STAGES = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
"""Stages that a material may have if it states none."""


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
    """A few words, like `refined in CN`."""


def dependence_of(offer: Chained, countries: frozenset[str]) -> Dependence:
    """Return the dependence of an offer on some countries, by its seller and the steps of its own chain."""
    return worst_of(reason.dependence for reason in reasons(offer, countries))


def worst_of(found: Iterable[Dependence]) -> Dependence:
    """Return the worst of several dependences, or `NO` if there are none."""
    return max(found, key=lambda each: each.rank, default=Dependence.NO)


def reasons(offer: Chained, countries: frozenset[str]) -> Iterator[Reason]:
    """Yield the reasons why an offer's goods are of concern: its seller, its steps, and stages with an unknown step."""
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
    """Yield the stages for which neither the offer nor its inputs state all steps.

    Every good comes out of a mine, even if its material doesn't state that stage. The chain of scrap doesn't say where its metal was mined.
    """
    recorded = grouped((entry.main_stage, entry.stage) for entry in offer.performed)
    if offer.recycled:
        yield "scrap: mine unknown"
    had = (Stage.MINED,) if offer.material.stages else METAL_STAGES
    required = {*offer.missing, *(had if offer.source else ())}
    for stage in Stage:
        if stage in offer.supplied:
            continue
        if stage not in recorded:
            if stage in required:
                yield f"{stage} unknown"
        elif not covers_stage(stage, recorded[stage], begun=stage not in offer.material.stages):
            yield f"{stage} only in part ({', '.join(sorted(recorded[stage]))})"


def told_apart(rules: Iterable[Rule]) -> Sequence[str]:
    """Return one country for every group of countries that no rule charges differently."""
    kept: dict[tuple[bool, ...], str] = {}
    sets: list[frozenset[str]] = []
    for rule in rules:
        named = rule.charged_origins
        if named is None:
            return sorted(country_names())
        sets += named
    distinct = sorted(set(sets), key=sorted)
    for country in sorted(country_names()):
        kept.setdefault(tuple(country in some for some in distinct), country)
    return sorted(kept.values())


def possible_origins(offer: Chained, others: Sequence[str]) -> list[str]:
    """Return the customs origins for which an offer may be charged, in order.

    If the list of countries of its last stage isn't complete, any country may be the origin. An offer without recorded stages originates at
    its facility.

    Args:
        offer: The offer.
        others: Countries that stand for all, from `told_apart`.
    """
    countries, _ = offer.origins
    return sorted({*countries, *others} if is_origin_unknown(offer) else countries)


def is_origin_unknown(offer: Chained) -> bool:
    """Return True if the recorded stages leave open in which country an offer was last worked."""
    return bool(offer.performed) and not offer.origins[1]
