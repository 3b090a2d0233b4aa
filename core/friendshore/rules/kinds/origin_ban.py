"""Rules of origin: stages of a good's chain that must not have taken place in some countries, with exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from ...domain.base import Record
from ...domain.elements import Element, element_name, symbols_in
from ...domain.facts import ChainEntry
from ...domain.stages import STEPS, Route, Stage, covers_stage, stage_of
from ...domain.use import PASS, Chained, Fact, Move, Result, Use, Verdict
from ..base import FactTest, Rule
from ..verdicts import METAL_STAGES, Prohibited, result_of, worst
from .shared import Countries, Covering, EndUses, Parties, Stages, as_pairs, country_list, is_party, listed


def all_succeed(tests: tuple[FactTest, ...], stated: dict[str, Fact]) -> bool | None:
    """Return whether every test succeeds. None if no test fails, but one depends on a missing fact."""
    results = [test.succeeds(stated) for test in tests]
    if False in results:
        return False
    return None if None in results else True


class Exemption(Record):
    """An exception that depends on facts of the item or contract, which the demand states."""

    id: str
    """Name, like `cots`."""
    citation: str = ""
    """Clause."""
    when: tuple[FactTest, ...] = Field(min_length=1)
    """Tests that must all succeed. A missing fact claims nothing: the exception then doesn't apply."""
    unless: tuple[FactTest, ...] = ()
    """Tests of which none may succeed. A missing fact leaves the exception unproven."""
    note: str = ""
    """Remarks: doubts, and texts that were not read."""

    def applies(self, stated: dict[str, Fact]) -> bool | None:
        """Return whether the exception applies. None if it depends on missing facts."""
        if not all(test.succeeds(stated) for test in self.when):
            return False
        results = [test.succeeds(stated) for test in self.unless]
        if any(results):
            return False
        return None if None in results else True

    def unstated(self, stated: dict[str, Fact]) -> list[str]:
        return sorted({test.fact for test in self.unless if test.succeeds(stated) is None})


class Recycling(Record):
    """An exception for covered goods made from recycled material, judged on the chain of the offer that delivers them. It applies if at least one of
    the exempt stages is recorded, all recorded ones have recycled feed, and the conditions below are proved. The stages are exempt whether recorded
    or not: they belong to the scrap's earlier life, which has no records. The other stages remain prohibited, and so does the processing of the
    scrap.
    """

    citation: str = ""
    """Clause."""
    needs: tuple[str, ...] = Field(min_length=1)
    """Stages or steps that are known to have taken place `within`. A step that isn't recorded is taken to have happened with its stage. A stage that
    the material doesn't have isn't required."""
    within: Countries = Field(min_length=1)
    """Countries."""
    throughout: bool = False
    """True if every other recorded stage after the first must have taken place `within` too."""
    clean_scrap: bool = False
    """True if the scrap itself must be known to come from outside the prohibited countries."""
    when: tuple[FactTest, ...] = ()
    """Facts that the demand must state as well. A missing fact leaves the exception unproven."""
    lifts: Stages = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
    """Stages that the ban then ignores."""
    note: str = ""
    """Remarks: doubts, and texts that were not read."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Steps among `needs`. The law requires no others of their stage."""
        steps = tuple(need for need in self.needs if need in STEPS)
        return (steps,) if steps else ()

    def proved_by(self, offer: Chained, barred: Prohibited) -> bool:
        """Return True if the offer's chain proves it, apart from facts that the demand must state."""
        lifted = [entry for entry in offer.stage_entries if entry.main_stage in self.lifts]
        if not lifted or not all(entry.recycled for entry in lifted):
            return False
        first = min(entry.main_stage.rank for entry in lifted)
        scrap = [entry for entry in lifted if entry.main_stage.rank == first]
        if self.clean_scrap and any(result_of(e.countries, e.complete, barred) is not Result.PASS for e in scrap):
            return False
        later = [entry for entry in offer.stage_entries if entry.main_stage.rank > first]
        if self.throughout and not all(self._is_within(entry) for entry in later):
            return False
        return all(self._is_done_within(need, offer) for need in self.needs)

    def unstated(self, stated: dict[str, Fact]) -> list[str]:
        return sorted({test.fact for test in self.when if test.succeeds(stated) is None})

    def _is_done_within(self, need: str, offer: Chained) -> bool:
        if need in STEPS:
            entries = [e for e in offer.stage_entries if e.stage == need] or [
                e for e in offer.stage_entries if e.stage == STEPS[need].value
            ]
            return bool(entries) and all(self._is_within(entry) for entry in entries)
        stage = Stage(need)
        if stage not in offer.material.stages:
            return True
        entries = [entry for entry in offer.stage_entries if entry.main_stage is stage]
        return bool(entries) and all(self._is_within(entry) for entry in entries)

    def _is_within(self, entry: ChainEntry) -> bool:
        return bool(entry.countries) and entry.complete and entry.countries <= self.within

    @model_validator(mode="after")
    def _check_needs(self) -> Recycling:
        for need in self.needs:
            if need not in STEPS and need not in list(Stage):
                raise ValueError(f"`{need}` is not a stage or a step of a stage")
        return self


class MadeIn(Record):
    """An exception for goods made in some countries, from material that may then come from there too. It is judged offer by offer. The good itself
    must be known to be `produced` in these countries. Anything bought on the way to it must go to a maker in one of them, given by the destination of
    the purchase. A good without the stage `produced` is material bought as such, which the exception doesn't cover.
    """

    id: str
    """Name, like `qualifying-country`."""
    citation: str = ""
    """Clause."""
    where: str = ""
    """The countries in words, like `a qualifying country`."""
    countries: Countries = frozenset()
    """Countries in which the whole good must be made. Empty means any one country."""
    material: Countries = frozenset()
    """Countries in which the prohibited stages may then have taken place, in addition to the country where the good is made. Defaults to `countries`."""
    when: tuple[FactTest, ...] = ()
    """Facts that the demand must state. A missing fact claims nothing."""
    note: str = ""
    """Remarks: doubts, and texts that were not read."""

    def production_result(self, countries: frozenset[str], complete: bool) -> Result:
        if not self.countries:
            return Result.PASS if complete and len(countries) == 1 else Result.UNPROVEN
        return result_of(countries, complete, Prohibited(self.countries, all_but=True))

    def material_result(self, entry: ChainEntry, maker: frozenset[str], allow: frozenset[str]) -> Result:
        """Return the result for a prohibited stage of material that is taken by a maker in one of `maker`."""
        free = allow | (self.material or self.countries) | (maker if len(maker) == 1 else frozenset())
        return result_of(entry.countries, entry.complete, Prohibited(free, all_but=True))

    def may_relax_for(self, country: str) -> bool:
        return not self.countries or country in self.countries


Steps = Annotated[
    tuple[tuple[str, Stage], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(dict, return_type=dict[str, Stage]),
    WithJsonSchema({"type": "object", "additionalProperties": {"enum": [stage.value for stage in Stage]}}),
]


ElementStages = Annotated[
    tuple[tuple[Element, Stages], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(dict, return_type=dict[str, tuple[Stage, ...]]),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"items": {"enum": [stage.value for stage in Stage]}, "type": "array"},
        }
    ),
]


# Maximum number of countries that a sentence names one by one.
_MAX_NAMED_COUNTRIES = 5


class Whole(Record):
    """Steps that together form a whole stage under one rule."""

    steps: Route = Field(min_length=1)
    """The steps, in order."""
    forms: tuple[str, ...] = ()
    """Forms of material to which this applies. Empty means all."""

    @field_validator("steps")
    @classmethod
    def _check_steps(cls, steps: Route) -> Route:
        unknown = [step for step in steps if step not in STEPS]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is not a step of a stage")
        return steps


def _goods_of(offer: Chained, element: str = "") -> str:
    goods = f"{offer.material.id} of {offer.offer.id}"
    return f"the {element_name(element)} in {goods}" if element else goods


class OriginBan(Covering, Rule):
    """Prohibits goods whose chain passed through some countries, by stage and end use.

    It applies to uses whose material it covers, and judges every offer up their chains. An offer of a covered material is judged on all prohibited
    stages. An offer further up is judged on those that it performs, except `produced`, which means making the covered good: an oxide plant
    doesn't produce a magnet. It is judged on `produced` too if it states that stage and contains an element of the good, since a magnet may first
    be sold as a block. A step in `steps` is judged in any offer.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [{"stages": ["mined", "refined"], "countries": ["CN"], "end_uses": ["defense"]}]
        }
    }

    kind: Literal["origin-ban"] = "origin-ban"
    stages: Stages = Field(min_length=1)
    """Prohibited stages."""
    countries: Countries = frozenset()
    """Countries in which they are prohibited."""
    allow: Countries = frozenset()
    """Alternatively, the only countries in which they are allowed."""
    end_uses: EndUses = frozenset()
    """End uses to which it applies. Empty means all."""
    buyers: Parties = ()
    """Buyers to which it applies. Empty means all."""
    places: Countries = frozenset()
    """Countries of the final use to which it applies. Empty means all."""
    asks_proof: bool = True
    """True if missing information leaves it unproven. If false, only a named prohibited country counts, alone or among others: the law prohibits
    goods of that country and requires no proof of the origin of others. Scrap originates where it was collected, so that country counts like the
    mine's."""
    steps: Steps = ()
    """Steps that belong to another stage under this rule than by default: a table of step and stage, like `{ sintering = "produced" }`."""
    whole: tuple[Whole, ...] = ()
    """Steps that together form their whole stage under this rule. By default `mining`, `refining`, `separation`, and `melting` are the whole of their
    stages, and milling, pressing, sintering or bonding, and magnetizing together are the whole of `produced`. A chain that records fewer steps leaves
    the stage unproven."""
    exceptions: tuple[Exemption, ...] = ()
    """Exceptions that depend on facts of the item."""
    recycled: Recycling | None = None
    """Exception for recycled material."""
    scrap: Stages = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
    """Stages that scrap went through before it was scrap, which have no records. With recycled feed they are unproven, wherever it was collected and
    processed; without `asks_proof` only if it may have been collected in a prohibited country."""
    made_in: tuple[MadeIn, ...] = ()
    """Exceptions for goods made in some countries."""
    by_element: ElementStages = ()
    """Stages of other elements in the good that the rule covers too: a table of elements and stages, like `{ Co = ["mined", "refined"] }`. They are
    asked of the offer in which the elements become one alloy. A chain row with the element states them. A row without an element doesn't: what is
    known of the rare earths in a magnet proves nothing about its cobalt."""
    not_asked: str = ""
    """Subject of the law that no chain records, like `where iron and boron were mined`. A pass of this rule alone doesn't prove compliance with the
    law, and every plan for goods that it covers says so."""

    judge_scope: ClassVar[Literal["chain", "trade"]] = "chain"
    judge_reads_terms: ClassVar[bool] = False

    @model_validator(mode="after")
    def _check_countries(self) -> OriginBan:
        if bool(self.countries) == bool(self.allow):
            raise ValueError(
                "give either `countries` (prohibited) or `allow` (all others are prohibited), and not both"
            )
        return self

    @property
    def barred(self) -> Prohibited:
        return Prohibited(self.allow, all_but=True) if self.allow else Prohibited(self.countries)

    def concerns(self, use: Use) -> bool:
        return (
            (not self.end_uses or use.end_use in self.end_uses)
            and (not self.places or use.place.country in self.places)
            and (not self.buyers or is_party(use.buyer, self.buyers))
            and self.covers(use.material)
        )

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        if not self.concerns(use):
            return PASS
        own, stated = self.covers(offer.material), dict(use.facts)
        good, contained = symbols_in(use.material.element), symbols_in(offer.material.element)
        is_part = Stage.PRODUCED in offer.material.stages and not good.isdisjoint(contained)
        is_final = offer.material.id == use.material.id
        verdict = worst(self._stage_verdicts(self.stages, offer, own or is_part, begun=not is_final))
        if verdict.passes and own and is_final and self._states_no_stage(offer):
            verdict = self._stage_not_stated(offer)
        unstated = self._unstated_stage(offer, use) if verdict.passes else None
        if unstated is not None:
            verdict = self._place_unknown(unstated, offer)
        verdict = self._made_in_verdict(verdict, offer, move, use)
        verdict = worst([*self._scrap_verdicts(offer), verdict, *self._element_verdicts(offer, own, good)])
        if not verdict.passes and own and self.recycled and self.recycled.proved_by(offer, self.barred):
            verdict = self._recycling_verdict(self.recycled, verdict, offer, stated)
        return verdict if verdict.passes else self._exempted_verdict(verdict, stated)

    def _stage_of_entry(self, entry: ChainEntry) -> Stage:
        return self._stage_of(entry.stage)

    def _stage_of(self, word: str) -> Stage:
        """Return the stage of a stage or step under this rule."""
        return dict(self.steps).get(word) or stage_of(word)

    def _stage_verdicts(
        self, stages: Iterable[Stage], offer: Chained, own: bool, begun: bool = False, routes: tuple[Route, ...] = ()
    ) -> Iterator[Verdict]:
        """Yield the verdicts on `stages`, and on `produced` with `own`. `begun` accepts first steps, since the maker of the good answers for the rest."""
        for stage in stages:
            entries = self._entries(stage, offer, own)
            yield from (self._entry_verdict(entry, offer) for entry in entries)
            if not entries and self._is_missing(stage, offer, own):
                yield self._place_unknown(stage, offer)
            elif entries and self.asks_proof and stage not in offer.supplied and (own or stage is not Stage.PRODUCED):
                words = [entry.stage for entry in entries]
                if not covers_stage(stage, words, (*self._routes(stage, offer.material.form), *routes), begun):
                    yield self._place_unknown(stage, offer, words)

    def _element_verdicts(self, offer: Chained, own: bool, good: frozenset[str]) -> Iterator[Verdict]:
        """Yield the verdicts on chain rows with an element, and on the elements that the offer melts into the good without a row."""
        asked = dict(self.by_element)
        for entry in offer.performed:
            is_asked = entry.element in asked or entry.element in good or not (asked or self.elements)
            if entry.element and is_asked and self._stage_of_entry(entry) in asked.get(entry.element, self.stages):
                yield self._entry_verdict(entry, offer)
        contained = symbols_in(offer.material.element)
        is_part = own or not good or not contained or not good.isdisjoint(contained)
        stages = offer.material.stages or (self.stages if own else ())
        if not (self.asks_proof and is_part) or Stage.MELTED not in stages or Stage.MELTED in offer.supplied:
            return
        for element, element_stages in self.by_element:
            for stage in element_stages:
                entries = [e for e in offer.performed if e.element == element and self._stage_of_entry(e) is stage]
                steps = [entry.stage for entry in entries]
                if not entries or not covers_stage(stage, steps, self._routes(stage, offer.material.form)):
                    yield self._place_unknown(stage, offer, steps, element)

    def _entries(self, stage: Stage, offer: Chained, own: bool) -> list[ChainEntry]:
        if not self.steps:
            entries = [entry for entry in offer.stage_entries if entry.main_stage is stage]
            return [] if stage is Stage.PRODUCED and not own else entries
        steps = dict(self.steps)
        entries = [entry for entry in offer.stage_entries if steps.get(entry.stage, entry.main_stage) is stage]
        skips_producing = stage is Stage.PRODUCED and not own
        return [entry for entry in entries if entry.stage in steps] if skips_producing else entries

    def _scrap_verdicts(self, offer: Chained) -> Iterator[Verdict]:
        """Yield verdicts on the earlier stages of recycled metal, which have no records."""
        for stage in self.stages if offer.recycled else ():
            is_stage_of_material = not offer.material.stages or stage in offer.material.stages
            if is_stage_of_material and (stage in self.scrap or stage is Stage.MINED):
                yield (
                    self._earlier_unknown(stage, offer)
                    if self.asks_proof
                    else worst(self._collection_verdicts(stage, offer))
                )

    def _earlier_unknown(self, stage: Stage, offer: Chained) -> Verdict:
        goods = f"{offer.material.id} of {offer.offer.id}"
        reason = (
            f"{goods} is made from recycled material. It is unknown where the metal of the scrap was first {stage.value}, but "
            f"{self._law_name} requires proof"
        )
        return self._verdict(Result.UNPROVEN, stage, reason)

    def _collection_verdicts(self, stage: Stage, offer: Chained) -> Iterator[Verdict]:
        """Yield verdicts on scrap if no proof is required. Scrap of a prohibited country remains that country's, wherever it is melted. Scrap is
        wholly obtained where it was collected (Delegated Regulation (EU) 2015/2446, article 31(h); Order 416 of China's State Council, article 4(7),
        (8)). That says nothing about where its metal was refined, so a ban on refining alone neither passes nor fails.
        """
        for entry in offer.stage_entries:
            prohibited = self.barred.among(entry.countries) if entry.unmined else frozenset[str]()
            if prohibited:
                is_certain = result_of(entry.countries, entry.complete, self.barred) is Result.FAIL
                origin = f"{'is' if is_certain else 'may be'} made from scrap collected in {listed(sorted(prohibited))}"
                earlier = "" if stage is Stage.MINED else f", but it is unknown where its metal was first {stage.value}"
                reason = f"{offer.material.id} of {offer.offer.id} {origin}, and {self._law_name} prohibits goods from there{earlier}"
                yield self._verdict(
                    Result.FAIL if is_certain and not earlier else Result.UNPROVEN, stage, reason, prohibited
                )

    def _is_missing(self, stage: Stage, offer: Chained, own: bool) -> bool:
        if not self.asks_proof or (stage is Stage.PRODUCED and not own):
            return False
        required = offer.material.stages or self.stages if own else offer.material.stages
        if stage not in required:
            return False
        # An entry that this rule assigns to another stage no longer covers its default one, but the inputs may.
        is_reassigned = any(entry.main_stage is stage for entry in offer.stage_entries)
        return offer.source or stage in offer.missing or (is_reassigned and stage not in offer.supplied)

    def _routes(self, stage: Stage, form: str) -> Iterator[Route]:
        for whole in self.whole:
            if self._stage_of(whole.steps[0]) is stage and (not whole.forms or form in whole.forms):
                yield whole.steps

    def _unstated_stage(self, offer: Chained, use: Use) -> Stage | None:
        """Return a stage that an input went through although neither it nor its own inputs state it, or None. Everything that contains an element of
        the good, or may contain it, was mined. If nothing is stated, refining and separation are unknown too. Otherwise a trace of stated oxide could
        hide a shipment that is recorded under another name.
        """
        if not self.asks_proof or offer.material.id == use.material.id or offer.recycled:
            return None
        good, contained = symbols_in(use.material.element), symbols_in(offer.material.element)
        if good and contained and good.isdisjoint(contained):
            return None
        expected = (Stage.MINED,) if offer.material.stages else METAL_STAGES
        stated = (
            *offer.material.stages,
            *offer.supplied,
            *(self._stage_of_entry(entry) for entry in offer.stage_entries),
        )
        return next((stage for stage in expected if stage in self.stages and stage not in stated), None)

    def _states_no_stage(self, offer: Chained) -> bool:
        """Return True if the good states none of the prohibited stages, and an input lacks one too. The good's own list is then too short."""
        if not self.asks_proof or not offer.material.stages:
            return False
        if not frozenset(self.stages).isdisjoint((*offer.material.stages, *offer.supplied)):
            return False
        return not any(self._entries(stage, offer, own=True) for stage in self.stages)

    def _stage_not_stated(self, offer: Chained) -> Verdict:
        stages = listed([stage.value for stage in self.stages], "or")
        return self._verdict(
            Result.UNPROVEN,
            self.stages[0],
            f"it is unknown where {offer.material.id} of {offer.offer.id} is {stages}, since the material states no such stage, but "
            f"{self._law_name} requires proof",
        )

    def _entry_verdict(self, entry: ChainEntry, offer: Chained) -> Verdict:
        if entry.unmined and entry.element and self.asks_proof:
            return self._place_unknown(Stage.MINED, offer, element=entry.element)
        if entry.unmined:
            return PASS  # scrap has no mine: `_scrap_verdicts` judges the origin of its metal
        result = result_of(entry.countries, entry.complete, self.barred)
        if result is Result.PASS or not (self.asks_proof or self.barred.among(entry.countries)):
            return PASS
        stage = self._stage_of_entry(entry)
        if not entry.countries:
            return self._place_unknown(stage, offer, element=entry.element)
        prohibited = self.barred.among(entry.countries)
        goods = _goods_of(offer, entry.element)
        step = stage.value if entry.stage == stage.value else f"{stage.value} ({entry.stage})"
        if result is Result.FAIL:
            reason = f"{goods} is {step} in {listed(sorted(prohibited))}, which {self._law_name} prohibits"
        elif prohibited:
            reason = f"{goods} may be {step} in {listed(sorted(prohibited))}, which {self._law_name} prohibits"
        else:
            recorded = listed(sorted(entry.countries), "or")
            reason = f"{goods} is {step} in {recorded} according to its records, but other countries are not ruled out"
        return self._verdict(result, stage, reason, prohibited or entry.countries)

    def _place_unknown(
        self, stage: Stage, offer: Chained, recorded_steps: Iterable[str] = (), element: str = ""
    ) -> Verdict:
        goods = _goods_of(offer, element)
        recorded = f" (only {listed(sorted(recorded_steps))} is recorded)" if recorded_steps else ""
        reason = f"it is unknown where {goods} is {stage.value}{recorded}, but {self._law_name} requires proof"
        return self._verdict(Result.UNPROVEN, stage, reason)

    def _verdict(self, result: Result, stage: Stage, reason: str, countries: Iterable[str] = ()) -> Verdict:
        return Verdict(
            result=result,
            rule=self.id,
            stage=stage.value,
            countries=tuple(sorted(countries)),
            clause=self.citation,
            reason=reason,
        )

    @property
    def _law_name(self) -> str:
        return self.citation or self.title or self.id or "this rule"

    def _recycling_verdict(
        self, recycling: Recycling, verdict: Verdict, offer: Chained, stated: dict[str, Fact]
    ) -> Verdict:
        conditions_met = all_succeed(recycling.when, stated)
        if conditions_met is False:
            return verdict
        remaining = [stage for stage in self.stages if stage not in recycling.lifts]
        # Processing the scrap is not part of its earlier life.
        processing = [
            entry
            for entry in offer.performed
            if entry.main_stage in recycling.lifts and self._stage_of_entry(entry) in self.stages
        ]
        verdict_of_rest = worst(
            [
                *self._stage_verdicts(remaining, offer, own=True, routes=recycling.routes),
                *(self._entry_verdict(entry, offer) for entry in processing),
            ]
        )
        if not verdict_of_rest.passes:
            return verdict_of_rest
        clause = recycling.citation or self.citation
        goods = f"{offer.material.id} of {offer.offer.id} is made from recycled material"
        if conditions_met:
            where = (
                listed(sorted(recycling.within))
                if len(recycling.within) <= _MAX_NAMED_COUNTRIES
                else "countries that the exception names"
            )
            return Verdict(result=Result.PASS, rule=self.id, clause=clause, reason=f"{goods} in {where}")
        reason = f"{goods}, which {clause} exempts if the demand states {listed(recycling.unstated(stated))}"
        return self._verdict(Result.UNPROVEN, self.stages[0], reason)

    def _made_in_verdict(self, verdict: Verdict, offer: Chained, move: Move, use: Use) -> Verdict:
        if not self.made_in or Stage.PRODUCED not in use.material.stages:
            return verdict
        stated = dict(use.facts)
        candidates = [exception for exception in self.made_in if all_succeed(exception.when, stated)]
        by_stage = {stage: self._entries(stage, offer, own=True) for stage in self.stages}
        recorded = [entry for entries in by_stage.values() for entry in entries]
        is_incomplete = any(
            self._is_missing(stage, offer, own=True) for stage, entries in by_stage.items() if not entries
        )
        if is_incomplete or bool(recorded) == verdict.passes:
            return verdict
        if not recorded:
            # Its inputs may contain material that only some makers may take, and passed because this is one of them. That must be proved.
            inputs_have_stage = any(stage in offer.supplied for stage in self.stages)
            candidates = [
                exception
                for exception in candidates
                if inputs_have_stage and exception.may_relax_for(offer.facility.country)
            ]
        results = [(self._made_in_result(exception, recorded, offer, move, use), exception) for exception in candidates]
        best, exception = min(results, key=lambda pair: pair[0].rank, default=(verdict.result, None))
        if exception is None or best.rank > verdict.result.rank > 0:
            return verdict
        clause, where = exception.citation or exception.id, exception.where or "the countries that it names"
        goods = f"{offer.material.id} of {offer.offer.id}"
        if best is Result.PASS:
            return verdict if verdict.passes else Verdict(
                result=best, rule=self.id, clause=clause, reason=f"{goods} is for a good made in {where}"
            )  # fmt: skip
        reason = verdict.reason or f"{goods} may contain material that only a maker in {where} may take"
        best = Result.UNPROVEN if verdict.passes else best  # its inputs may be allowed for every maker
        stage = Stage(verdict.stage) if verdict.stage else self.stages[0]
        reason = f"{reason}. {clause} exempts only goods known to be made in {where}, of material from there"
        return self._verdict(best, stage, reason, verdict.countries)

    def _made_in_result(
        self, exception: MadeIn, recorded: list[ChainEntry], offer: Chained, move: Move, use: Use
    ) -> Result:
        """Return the result of one exception for an offer: for the good by its country of production, for an input by its buyer."""
        if offer.material.id != use.material.id:
            maker, is_known = frozenset({move.to.country}), True
        else:
            entries = self._entries(Stage.PRODUCED, offer, own=True)
            maker = frozenset[str]().union(*(entry.countries for entry in entries))
            is_known = bool(entries) and all(entry.complete and entry.countries for entry in entries)
        prohibited = [
            entry for entry in recorded if result_of(entry.countries, entry.complete, self.barred) is not Result.PASS
        ]
        results = [
            exception.production_result(maker, is_known),
            *(exception.material_result(entry, maker, self.allow) for entry in prohibited),
        ]
        return max(results, key=lambda result: result.rank)

    def _exempted_verdict(self, verdict: Verdict, stated: dict[str, Fact]) -> Verdict:
        open_exceptions = []
        for exemption in self.exceptions:
            is_exempt = exemption.applies(stated)
            if is_exempt:
                clause = exemption.citation or self.citation
                reason = f"exempt under {clause} ({exemption.id})"
                return Verdict(result=Result.PASS, rule=self.id, clause=clause, reason=reason)
            if is_exempt is None:
                open_exceptions.append(exemption)
        if not open_exceptions:
            return verdict
        facts = sorted({fact for exemption in open_exceptions for fact in exemption.unstated(stated)})
        names = listed([exemption.id for exemption in open_exceptions], "or")
        reason = f"{verdict.reason}. It may be exempt ({names}) if the demand states {listed(facts)}"
        return verdict.but(result=Result.UNPROVEN, reason=reason)

    def sentence(self) -> str:
        uses = f", for {listed(sorted(self.end_uses), 'or')} use," if self.end_uses else ""
        buyers = f" bought by {listed(self.buyers, 'or')}" if self.buyers else ""
        places = f" delivered in {country_list(self.places, 'or')}" if self.places else ""
        where = f"outside {country_list(self.allow)}" if self.allow else f"in {country_list(self.countries, 'or')}"
        stages = listed([stage.value for stage in self.stages], "or")
        names = [exemption.id for exemption in self.exceptions] + [exception.id for exception in self.made_in]
        names += ["recycled"] if self.recycled else []
        unless = f", unless exempt ({listed(names, 'or')})" if names else ""
        text = f"{self.subject()}{uses}{buyers}{places} must not be {stages} {where}{unless}."
        return text[0].upper() + text[1:]
