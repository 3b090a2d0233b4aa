"""Origin ban: stages of a good's chain that must not have happened in some countries."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from ...domain.base import Record
from ...domain.facts import ChainEntry, Feed
from ...domain.stages import STEPS, Stage
from ...domain.use import PASS, Chained, Fact, Move, Result, Use, Verdict
from ..base import FactTest, Rule
from ..verdicts import Barred, result_of, worst
from .shared import Countries, Covering, EndUses, as_pairs, is_party, lands, listed


def _in_order(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    return tuple(sorted(set(stages), key=lambda stage: stage.rank))


Stages = Annotated[tuple[Stage, ...], AfterValidator(_in_order)]
"""Stages, each once, in the order of the chain."""
Steps = Annotated[
    tuple[tuple[str, Stage], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(dict, return_type=dict[str, Stage]),
    WithJsonSchema({"type": "object", "additionalProperties": {"enum": [stage.value for stage in Stage]}}),
]
"""Step word -> stage; written as a table."""


class Exemption(Record):
    """An exception that turns on facts of the item or contract, which the demand states."""

    id: str
    """Name, like `cots`."""
    citation: str = ""
    """The clause."""
    when: tuple[FactTest, ...] = Field(min_length=1)
    """All must hold. A fact that is not stated claims nothing: the exception is then no matter."""
    unless: tuple[FactTest, ...] = ()
    """None may hold. A fact that is not stated leaves the exception unproven."""
    note: str = ""

    def holds(self, stated: dict[str, Fact]) -> bool | None:
        """True or false; None if it hangs on facts that are not stated."""
        if not all(test.holds(stated) for test in self.when):
            return False
        answers = [test.holds(stated) for test in self.unless]
        if any(answers):
            return False
        return None if None in answers else True

    def unstated(self, stated: dict[str, Fact]) -> list[str]:
        """The facts it hangs on."""
        return sorted({test.fact for test in self.unless if test.holds(stated) is None})


class Recycling(Record):
    """An exception for covered goods made from recycled material, judged on the chain of the offer that delivers them.

    It takes effect if at least one of the lifted stages is recorded, all that are recorded of them have recycled feed,
    and the conditions below are proved. The stages are lifted whether recorded or not: they belong to the scrap's
    earlier life, which nobody records. The other stages stay under the ban.
    """

    citation: str = ""
    """The clause."""
    needs: tuple[str, ...] = Field(min_length=1)
    """Stages or steps that must be known to have happened `within`. A step that is not recorded is taken to have
    happened where its stage did; a stage that the material has not is not asked for."""
    within: Countries = Field(min_length=1)
    """Where."""
    throughout: bool = False
    """Whether every other recorded stage after the first must have happened `within` too."""
    clean_scrap: bool = False
    """Whether the scrap itself must be known to come from outside the barred countries."""
    lifts: Stages = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
    """Stages that the ban then no longer asks about."""
    note: str = ""

    def holds(self, offer: Chained, barred: Barred) -> bool:
        """Whether the chain of `offer` proves it."""
        lifted = [entry for entry in offer.performed if entry.main_stage in self.lifts]
        if not lifted or any(entry.feed is not Feed.RECYCLED for entry in lifted):
            return False
        first = min(entry.main_stage.rank for entry in lifted)
        scrap = [entry for entry in lifted if entry.main_stage.rank == first]
        if self.clean_scrap and any(result_of(e.countries, e.complete, barred) is not Result.PASS for e in scrap):
            return False
        later = [entry for entry in offer.performed if entry.main_stage.rank > first]
        if self.throughout and not all(self._within(entry) for entry in later):
            return False
        return all(self._done(need, offer) for need in self.needs)

    def _done(self, need: str, offer: Chained) -> bool:
        if need in STEPS:
            found = [e for e in offer.performed if e.stage == need] or [
                e for e in offer.performed if e.stage == STEPS[need].value
            ]
            return bool(found) and all(self._within(entry) for entry in found)
        stage = Stage(need)
        if stage not in offer.material.stages:
            return True
        found = [entry for entry in offer.performed if entry.main_stage is stage]
        return bool(found) and all(self._within(entry) for entry in found)

    def _within(self, entry: ChainEntry) -> bool:
        return bool(entry.countries) and entry.complete and entry.countries <= self.within

    @model_validator(mode="after")
    def _known_needs(self) -> Recycling:
        for need in self.needs:
            if need not in STEPS and need not in list(Stage):
                raise ValueError(f"`{need}` is neither a stage nor a step of one")
        return self


class OriginBan(Covering, Rule):
    """Bars goods whose chain passed through some countries, by stage and end use.

    It applies to uses whose material it covers and is asked about every offer up their chains. An offer that delivers a
    covered material is judged on all stages of the ban. An offer further up is judged on those it performs, except
    `produced`, which means making the covered good: an oxide plant does not produce a magnet. A step that `steps` names is
    judged whoever performs it.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [{"stages": ["mined", "refined"], "countries": ["CN"], "end_uses": ["defense"]}]
        }
    }

    kind: Literal["origin-ban"] = "origin-ban"
    stages: Stages = Field(min_length=1)
    """Stages that are barred."""
    countries: Countries = frozenset()
    """Countries in which they are barred."""
    allow: Countries = frozenset()
    """Or the only countries in which they are not."""
    end_uses: EndUses = frozenset()
    """End uses it applies to; none: all."""
    buyers: tuple[str, ...] = ()
    """Buyers it applies to; none: all."""
    places: Countries = frozenset()
    """Countries of the final use that it applies to; none: all."""
    asks_proof: bool = True
    """Whether what is not known leaves it unproven. If false, only a barred country that is named counts, alone or among
    others: the law bars goods of that country, and asks nobody to prove where others come from."""
    steps: Steps = ()
    """Steps that are part of another stage under this rule than by default."""
    exceptions: tuple[Exemption, ...] = ()
    """Exceptions that turn on facts of the item."""
    recycled: Recycling | None = None
    """Exception for recycled material."""

    bears_on: ClassVar[Literal["chain", "trade"]] = "chain"

    @model_validator(mode="after")
    def _one_list(self) -> OriginBan:
        if bool(self.countries) == bool(self.allow):
            raise ValueError("exactly one of `countries` (barred) and `allow` (all others barred) is needed")
        return self

    @property
    def barred(self) -> Barred:
        """The countries it bars."""
        return Barred(self.allow, all_but=True) if self.allow else Barred(self.countries)

    def concerns(self, use: Use) -> bool:
        """Whether it covers the use's material, end use, place and buyer."""
        return (
            (not self.end_uses or use.end_use in self.end_uses)
            and (not self.places or use.place.country in self.places)
            and (not self.buyers or is_party(use.buyer, self.buyers))
            and self.covers(use.material)
        )

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """The worst verdict over the stages that the offer answers for, exceptions considered."""
        del move  # where the goods go does not change where they were made
        if not self.concerns(use):
            return PASS
        own = self.covers(offer.material)
        verdict = worst(found for stage in self.stages for found in self._of_stage(stage, offer, own))
        if verdict.passes:
            return PASS
        if own and self.recycled and self.recycled.holds(offer, self.barred):
            verdict = self._recycled(self.recycled, offer)
            if verdict.passes:
                return verdict
        return self._excepted(verdict, dict(use.facts))

    def _stage(self, entry: ChainEntry) -> Stage:
        return dict(self.steps).get(entry.stage, entry.main_stage)

    def _of_stage(self, stage: Stage, offer: Chained, own: bool) -> list[Verdict]:
        named = {step for step, _ in self.steps}
        entries = [entry for entry in offer.performed if self._stage(entry) is stage]
        if stage is Stage.PRODUCED and not own:
            entries = [entry for entry in entries if entry.stage in named]
        if entries:
            return [self._of_entry(entry, offer) for entry in entries]
        return [self._unknown(stage, offer)] if self._is_missing(stage, offer, own) else []

    def _is_missing(self, stage: Stage, offer: Chained, own: bool) -> bool:
        """Whether nobody answers for a stage that the offer's material must have."""
        if not self.asks_proof or (stage is Stage.PRODUCED and not own):
            return False
        required = offer.material.stages or self.stages if own else offer.material.stages
        if stage not in required:
            return False
        # An entry that this rule counts to another stage no longer covers its default one; the inputs may.
        moved = any(entry.main_stage is stage for entry in offer.performed)
        return offer.source or stage in offer.missing or (moved and stage not in offer.supplied)

    def _of_entry(self, entry: ChainEntry, offer: Chained) -> Verdict:
        result = result_of(entry.countries, entry.complete, self.barred)
        if result is Result.PASS or not (self.asks_proof or self.barred.among(entry.countries)):
            return PASS
        stage = self._stage(entry)
        if not entry.countries:
            return self._unknown(stage, offer)
        hit = self.barred.among(entry.countries)
        what = f"{offer.material.id} of {offer.offer.id}"
        step = stage.value if entry.stage == stage.value else f"{stage.value} ({entry.stage})"
        if result is Result.FAIL:
            reason = f"{what} is {step} in {listed(sorted(hit))}, which {self._law} bars"
        elif hit:
            reason = f"{what} may be {step} in {listed(sorted(hit))}, which {self._law} bars"
        else:
            known = listed(sorted(entry.countries), "or")
            reason = f"{what} is {step} in {known} as far as known, but other countries are not ruled out"
        return Verdict(
            result=result,
            rule=self.id,
            stage=stage.value,
            countries=tuple(sorted(hit or entry.countries)),
            clause=self.citation,
            reason=reason,
        )

    def _unknown(self, stage: Stage, offer: Chained) -> Verdict:
        return Verdict(
            result=Result.UNPROVEN,
            rule=self.id,
            stage=stage.value,
            clause=self.citation,
            reason=f"nobody says where {offer.material.id} of {offer.offer.id} is {stage.value}, which {self._law} asks",
        )

    @property
    def _law(self) -> str:
        return self.citation or self.title or self.id or "this rule"

    def _recycled(self, recycling: Recycling, offer: Chained) -> Verdict:
        kept = [stage for stage in self.stages if stage not in recycling.lifts]
        verdict = worst(found for stage in kept for found in self._of_stage(stage, offer, own=True))
        if not verdict.passes:
            return verdict
        clause = recycling.citation or self.citation
        reason = f"{offer.material.id} of {offer.offer.id} is made from recycled material in {listed(sorted(recycling.within))}"
        return Verdict(result=Result.PASS, rule=self.id, clause=clause, reason=reason)

    def _excepted(self, verdict: Verdict, stated: dict[str, Fact]) -> Verdict:
        open_exceptions = []
        for exemption in self.exceptions:
            holds = exemption.holds(stated)
            if holds:
                clause = exemption.citation or self.citation
                reason = f"excepted ({exemption.id}) by {clause}"
                return Verdict(result=Result.PASS, rule=self.id, clause=clause, reason=reason)
            if holds is None:
                open_exceptions.append(exemption)
        if not open_exceptions:
            return verdict
        facts = sorted({fact for exemption in open_exceptions for fact in exemption.unstated(stated)})
        names = listed([exemption.id for exemption in open_exceptions], "or")
        reason = f"{verdict.reason}; it may be excepted ({names}) if the demand states {listed(facts)}"
        return verdict.model_copy(update={"result": Result.UNPROVEN, "reason": reason})

    def sentence(self) -> str:
        """The ban in one sentence."""
        uses = f", for {listed(sorted(self.end_uses), 'or')} use," if self.end_uses else ""
        buyers = f" bought by {listed(self.buyers, 'or')}" if self.buyers else ""
        places = f" delivered in {lands(self.places, 'or')}" if self.places else ""
        where = f"outside {lands(self.allow)}" if self.allow else f"in {lands(self.countries, 'or')}"
        stages = listed([stage.value for stage in self.stages], "or")
        names = [exemption.id for exemption in self.exceptions] + (["recycled"] if self.recycled else [])
        unless = f", unless excepted ({listed(names, 'or')})" if names else ""
        text = f"{self.subject()}{uses}{buyers}{places} must not be {stages} {where}{unless}."
        return text[0].upper() + text[1:]
