"""Verdicts on where goods come from, dependence on countries of concern, and customs origins.

For possible countries C of a stage and prohibited countries B, a stage gets the verdict

- unproven, if nothing is known of C
- pass, if none of C is prohibited and the list is complete
- fail, if all of C are prohibited and the list is complete
- unproven, in any other case

Over stages and steps, fail overrides unproven, and unproven overrides pass.
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
class Prohibited:
    """Countries that a rule prohibits: those listed, or all others."""

    countries: frozenset[str]
    all_but: bool = False
    """True if `countries` are the ones that are allowed."""

    def among(self, possible: frozenset[str]) -> frozenset[str]:
        return possible - self.countries if self.all_but else possible & self.countries


def result_of(possible: frozenset[str], complete: bool, barred: Prohibited) -> Result:
    """Return the result of an origin check for one stage. `possible` is empty if unknown; `complete` means that it is the full list."""
    if not possible or not complete:
        return Result.UNPROVEN
    prohibited = barred.among(possible)
    if not prohibited:
        return Result.PASS
    return Result.FAIL if prohibited == possible else Result.UNPROVEN


def worst(verdicts: Iterable[Verdict]) -> Verdict:
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
        return _RANKS[self]


_RANKS = {dependence: rank for rank, dependence in enumerate(Dependence)}
_BY_RESULT = {Result.PASS: Dependence.NO, Result.UNPROVEN: Dependence.MAY_BE, Result.FAIL: Dependence.IS}


@dataclass(frozen=True, slots=True)
class Reason:
    """A seller or step that makes an offer's goods of concern."""

    dependence: Dependence
    text: str
    """Like `refined in CN`."""


def dependence_of(offer: Chained, countries: frozenset[str]) -> Dependence:
    """Return an offer's dependence on some countries, by its seller and the steps of its own chain."""
    return worst_of(reason.dependence for reason in reasons(offer, countries))


def worst_of(dependences: Iterable[Dependence]) -> Dependence:
    return max(dependences, key=lambda dependence: dependence.rank, default=Dependence.NO)


def reasons(offer: Chained, countries: frozenset[str]) -> Iterator[Reason]:
    """Yield the reasons why an offer's goods are of concern: its seller, its steps, and stages with an unknown step."""
    if offer.facility.country in countries:
        yield Reason(Dependence.IS, f"sold from {offer.facility.country}")
    if offer.offer.customs_origin in countries:
        yield Reason(Dependence.MAY_BE, f"customs origin {offer.offer.customs_origin}")
    for entry in offer.performed:
        dependence = _BY_RESULT[result_of(entry.countries, entry.complete, Prohibited(countries))]
        if dependence is not Dependence.NO:
            prohibited, others = sorted(entry.countries & countries), sorted(entry.countries - countries)
            where = " or ".join(
                [*prohibited, *others, *([] if entry.complete else ["elsewhere"] if entry.countries else [])]
            )
            step = f"{entry.element} {entry.stage}" if entry.element else entry.stage
            yield Reason(dependence, f"{step} in {where}" if where else f"{step} in an unknown country")
    yield from (Reason(Dependence.MAY_BE, text) for text in _open_steps(offer))


def _open_steps(offer: Chained) -> Iterator[str]:
    """Yield the stages of which a step is stated by neither the offer nor its inputs. Every good was mined; scrap's chain doesn't say where."""
    recorded = grouped((entry.main_stage, entry.stage) for entry in offer.stage_entries)
    if offer.recycled:
        yield "scrap: mine unknown"
    expected = (Stage.MINED,) if offer.material.stages else METAL_STAGES
    required = {*offer.missing, *(expected if offer.source else ())}
    for stage in Stage:
        if stage in offer.supplied:
            continue
        if stage not in recorded:
            if stage in required:
                yield f"{stage} unknown"
        elif not covers_stage(stage, recorded[stage], begun=stage not in offer.material.stages):
            yield f"{stage} only in part ({', '.join(sorted(recorded[stage]))})"


def representative_countries(rules: Iterable[Rule]) -> Sequence[str]:
    """Return one country for every group of countries that no rule charges differently."""
    country_by_charges: dict[tuple[bool, ...], str] = {}
    origin_sets: list[frozenset[str]] = []
    for rule in rules:
        charged = rule.charged_origins
        if charged is None:
            return sorted(country_names())
        origin_sets += charged
    distinct = sorted(set(origin_sets), key=sorted)
    for country in sorted(country_names()):
        country_by_charges.setdefault(tuple(country in origins for origins in distinct), country)
    return sorted(country_by_charges.values())


def possible_origins(offer: Chained, others: Sequence[str]) -> list[str]:
    """Return the customs origins by which an offer may be charged. `others` stand for all countries if its last stage is open."""
    countries, _ = offer.origins
    return sorted({*countries, *others} if is_origin_unknown(offer) else countries)


def is_origin_unknown(offer: Chained) -> bool:
    """Return True if neither its stages nor a statement say in which country an offer was last worked. Its facility may only sell it."""
    return not offer.origins[1]
