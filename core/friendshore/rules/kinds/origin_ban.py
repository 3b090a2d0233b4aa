"""Rules of origin: stages of a good's chain that must not have taken place in some countries, with exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator, model_validator

from ...domain.base import Record
from ...domain.elements import symbols_in
from ...domain.facts import ChainEntry
from ...domain.stages import STEPS, Route, Stage, covers_stage, stage_of
from ...domain.use import PASS, Chained, Fact, Move, Result, Use, Verdict
from ..base import FactTest, Rule
from ..verdicts import METAL_STAGES, Barred, result_of, worst
from .shared import Countries, Covering, EndUses, Parties, Stages, as_pairs, is_party, lands, listed


def all_hold(tests: tuple[FactTest, ...], stated: dict[str, Fact]) -> bool | None:
    """Return True if every test holds, or None if none fails and one needs a fact that isn't stated."""
    answers = [test.holds(stated) for test in tests]
    if False in answers:
        return False
    return None if None in answers else True


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

    def holds(self, stated: dict[str, Fact]) -> bool | None:
        """Return whether the exception applies. None if it depends on missing facts."""
        if not all(test.holds(stated) for test in self.when):
            return False
        answers = [test.holds(stated) for test in self.unless]
        if any(answers):
            return False
        return None if None in answers else True

    def unstated(self, stated: dict[str, Fact]) -> list[str]:
        """Return the missing facts that it depends on."""
        return sorted({test.fact for test in self.unless if test.holds(stated) is None})


class Recycling(Record):
    """An exception for covered goods made from recycled material, judged on the chain of the offer that delivers them.

    It applies if at least one of the exempt stages is recorded, all recorded ones have recycled feed, and the conditions below are proved. The
    stages are exempt whether recorded or not: they belong to the scrap's earlier life, which has no records. The other stages remain
    prohibited, and so does the processing of the scrap.
    """

    citation: str = ""
    """Clause."""
    needs: tuple[str, ...] = Field(min_length=1)
    """Stages or steps that are known to have taken place `within`. A step that isn't recorded is taken to have happened with its stage. A
    stage that the material doesn't have isn't required.
    """
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
        """The steps among `needs`: the law requires no others of their stage."""
        steps = tuple(need for need in self.needs if need in STEPS)
        return (steps,) if steps else ()

    def proved_by(self, offer: Chained, barred: Barred) -> bool:
        """Return True if the offer's chain proves it, apart from facts that the demand must state."""
        lifted = [entry for entry in offer.performed if entry.main_stage in self.lifts]
        if not lifted or not all(entry.recycled for entry in lifted):
            return False
        first = min(entry.main_stage.rank for entry in lifted)
        scrap = [entry for entry in lifted if entry.main_stage.rank == first]
        if self.clean_scrap and any(result_of(e.countries, e.complete, barred) is not Result.PASS for e in scrap):
            return False
        later = [entry for entry in offer.performed if entry.main_stage.rank > first]
        if self.throughout and not all(self._within(entry) for entry in later):
            return False
        return all(self._done(need, offer) for need in self.needs)

    def unstated(self, stated: dict[str, Fact]) -> list[str]:
        """Return the missing facts that it depends on."""
        return sorted({test.fact for test in self.when if test.holds(stated) is None})

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


class MadeIn(Record):
    """An exception for goods made in some countries, from material that may then come from there too.

    It is judged offer by offer. The good itself must be known to be `produced` in these countries. Anything bought on the way to it must go to a
    maker in one of them, given by the destination of the purchase. A good without the stage `produced` is material bought as such, which the
    exception doesn't cover.
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

    def made(self, countries: frozenset[str], complete: bool) -> Result:
        """Return the result for a good that is made in these countries."""
        if not self.countries:
            return Result.PASS if complete and len(countries) == 1 else Result.UNPROVEN
        return result_of(countries, complete, Barred(self.countries, all_but=True))

    def of(self, entry: ChainEntry, maker: frozenset[str], allow: frozenset[str]) -> Result:
        """Return the result for a prohibited stage of material that a maker in `maker` takes."""
        free = allow | (self.material or self.countries) | (maker if len(maker) == 1 else frozenset())
        return result_of(entry.countries, entry.complete, Barred(free, all_but=True))

    def reaches(self, country: str) -> bool:
        """Return True if a maker in this country may take material from elsewhere than the ban allows."""
        return not self.countries or country in self.countries


Steps = Annotated[
    tuple[tuple[str, Stage], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(dict, return_type=dict[str, Stage]),
    WithJsonSchema({"type": "object", "additionalProperties": {"enum": [stage.value for stage in Stage]}}),
]
"""Step word -> stage, written as a table."""


_FEW = 5
"""Maximum number of countries that a sentence names one by one."""


class Whole(Record):
    """Steps that together form a whole stage under one rule."""

    steps: Route = Field(min_length=1)
    """The steps, in order."""
    forms: tuple[str, ...] = ()
    """Forms of material to which this applies. Empty means all."""

    @field_validator("steps")
    @classmethod
    def _are_steps(cls, steps: Route) -> Route:
        unknown = [step for step in steps if step not in STEPS]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is no step of a stage")
        return steps


class OriginBan(Covering, Rule):
    """Bars goods whose chain passed through some countries, by stage and end use.

    It applies to uses whose material it covers and is asked about every offer up their chains. An offer that delivers a
    covered material is judged on all stages of the ban. An offer further up is judged on those it performs, except
    `produced`, which means making the covered good: an oxide plant does not produce a magnet. What is stated to be produced
    itself, of an element of the good, is judged on that too: a magnet may be sold as a block first. A step that `steps` names is
    judged whoever performs it.
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
    """True if missing information leaves it unproven. If false, only a named prohibited country counts, alone or among others: the law
    prohibits goods of that country and requires no proof of the origin of others. Scrap originates where it was collected, so that country
    counts like the mine's.
    """
    steps: Steps = ()
    """Steps that belong to another stage under this rule than by default: a table of step and stage, like `{ sintering = "produced" }`."""
    whole: tuple[Whole, ...] = ()
    """Steps that together form their whole stage under this rule. By default `mining`, `refining`, `separation`, and `melting` are the whole
    of their stages, and milling, pressing, sintering or bonding, and magnetizing together are the whole of `produced`. A chain that records
    fewer steps leaves the stage unproven.
    """
    exceptions: tuple[Exemption, ...] = ()
    """Exceptions that depend on facts of the item."""
    recycled: Recycling | None = None
    """Exception for recycled material."""
    scrap: Stages = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
    """Stages that scrap went through before it was scrap, which have no records. With recycled feed they are unproven, wherever it was
    collected and processed; without `asks_proof` only if it may have been collected in a prohibited country.
    """
    made_in: tuple[MadeIn, ...] = ()
    """Exceptions for goods made in some countries."""
    not_asked: str = ""
    """Subject of the law that no chain records, like `where iron and boron were mined`. A pass of this rule alone doesn't prove compliance with
    the law, and every plan for goods that it covers says so.
    """

    bears_on: ClassVar[Literal["chain", "trade"]] = "chain"

    @model_validator(mode="after")
    def _one_list(self) -> OriginBan:
        if bool(self.countries) == bool(self.allow):
            raise ValueError("exactly one of `countries` (barred) and `allow` (all others barred) is needed")
        return self

    @property
    def barred(self) -> Barred:
        """Prohibited countries."""
        return Barred(self.allow, all_but=True) if self.allow else Barred(self.countries)

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
        good, held = symbols_in(use.material.element), symbols_in(offer.material.element)
        part = Stage.PRODUCED in offer.material.stages and not good.isdisjoint(held)
        final = offer.material.id == use.material.id
        verdict = worst(self._on(self.stages, offer, own or part, begun=not final))
        if verdict.passes and own and final and self._asks_nothing_of(offer):
            verdict = self._unasked(offer)
        untold = self._untold(offer, use) if verdict.passes else None
        if untold is not None:
            verdict = self._unknown(untold, offer)
        verdict = worst([*self._of_scrap(offer), self._made_in(verdict, offer, move, use)])
        if not verdict.passes and own and self.recycled and self.recycled.proved_by(offer, self.barred):
            verdict = self._recycled(self.recycled, verdict, offer, stated)
        return verdict if verdict.passes else self._excepted(verdict, stated)

    def _stage(self, entry: ChainEntry) -> Stage:
        return self._stage_of(entry.stage)

    def _stage_of(self, word: str) -> Stage:
        """Return the stage that a stage or step word belongs to under this rule."""
        return dict(self.steps).get(word) or stage_of(word)

    def _on(
        self, stages: Iterable[Stage], offer: Chained, own: bool, begun: bool = False, routes: tuple[Route, ...] = ()
    ) -> Iterator[Verdict]:
        """Yield the verdicts on some stages.

        Args:
            stages: the stages.
            offer: the offer.
            own: judge it on `produced` too.
            begun: accept the first steps of a stage, because the maker of the good does the rest and answers for it.
            routes: steps that are the whole of a stage here, beside those of `whole`.
        """
        for stage in stages:
            entries = self._entries(stage, offer, own)
            yield from (self._of_entry(entry, offer) for entry in entries)
            if not entries and self._is_missing(stage, offer, own):
                yield self._unknown(stage, offer)
            elif entries and self.asks_proof and stage not in offer.supplied and (own or stage is not Stage.PRODUCED):
                words = [entry.stage for entry in entries]
                if not covers_stage(stage, words, (*self._routes(stage, offer.material.form), *routes), begun):
                    yield self._unknown(stage, offer, words)

    def _entries(self, stage: Stage, offer: Chained, own: bool) -> list[ChainEntry]:
        """Return the entries of a stage in the offer's own chain."""
        steps = dict(self.steps)
        entries = [entry for entry in offer.performed if steps.get(entry.stage, entry.main_stage) is stage]
        making = stage is Stage.PRODUCED and not own
        return [entry for entry in entries if entry.stage in steps] if making else entries

    def _of_scrap(self, offer: Chained) -> Iterator[Verdict]:
        """Yield verdicts on the earlier stages of recycled metal, which have no records."""
        for stage in self.stages if offer.recycled else ():
            had = not offer.material.stages or stage in offer.material.stages
            if had and (stage in self.scrap or stage is Stage.MINED):
                yield self._before(stage, offer) if self.asks_proof else worst(self._collected(stage, offer))

    def _before(self, stage: Stage, offer: Chained) -> Verdict:
        what = f"{offer.material.id} of {offer.offer.id}"
        reason = (
            f"{what} is made from recycled material, and nobody says where the metal of the scrap was {stage.value} "
            f"before, which {self._law} asks"
        )
        return self._found(Result.UNPROVEN, stage, reason)

    def _collected(self, stage: Stage, offer: Chained) -> Iterator[Verdict]:
        """Yield verdicts on scrap if no proof is required: scrap of a prohibited country remains that country's, wherever it is melted.

        Scrap is wholly obtained where it was collected (Delegated Regulation (EU) 2015/2446, article 31(h); Order 416 of China's State Council,
        article 4(7), (8)). That says nothing about where its metal was refined, so a ban on refining alone neither passes nor fails.
        """
        for entry in offer.performed:
            hit = self.barred.among(entry.countries) if entry.unmined else frozenset[str]()
            if hit:
                sure = result_of(entry.countries, entry.complete, self.barred) is Result.FAIL
                where = f"{'is' if sure else 'may be'} made from scrap that was collected in {listed(sorted(hit))}"
                before = "" if stage is Stage.MINED else f", and nobody says where its metal was {stage.value} before"
                reason = f"{offer.material.id} of {offer.offer.id} {where}, whose goods {self._law} bars{before}"
                yield self._found(Result.FAIL if sure and not before else Result.UNPROVEN, stage, reason, hit)

    def _is_missing(self, stage: Stage, offer: Chained, own: bool) -> bool:
        """Return True if no offer states a stage that the material must have."""
        if not self.asks_proof or (stage is Stage.PRODUCED and not own):
            return False
        required = offer.material.stages or self.stages if own else offer.material.stages
        if stage not in required:
            return False
        # An entry that this rule counts to another stage no longer covers its default one; the inputs may.
        moved = any(entry.main_stage is stage for entry in offer.performed)
        return offer.source or stage in offer.missing or (moved and stage not in offer.supplied)

    def _routes(self, stage: Stage, form: str) -> Iterator[Route]:
        """Yield the routes of a stage that this rule names for a form of the material."""
        for whole in self.whole:
            if self._stage_of(whole.steps[0]) is stage and (not whole.forms or form in whole.forms):
                yield whole.steps

    def _untold(self, offer: Chained, use: Use) -> Stage | None:
        """Return a stage that an input went through although neither it nor its own inputs state it, or None.

        Everything that contains an element of the good, or may contain it, came out of a mine. If nothing at all is stated, refining and separation
        are unknown too. Otherwise a trace of stated oxide could stand for a charge that is recorded under another name.
        """
        if not self.asks_proof or offer.material.id == use.material.id or offer.recycled:
            return None
        good, held = symbols_in(use.material.element), symbols_in(offer.material.element)
        if good and held and good.isdisjoint(held):
            return None
        had = (Stage.MINED,) if offer.material.stages else METAL_STAGES
        told = (*offer.material.stages, *offer.supplied, *(self._stage(entry) for entry in offer.performed))
        return next((stage for stage in had if stage in self.stages and stage not in told), None)

    def _asks_nothing_of(self, offer: Chained) -> bool:
        """Return True if the good states none of the stages and an input lacks one too: the good's own statement is then too short."""
        had = (*offer.material.stages, *offer.supplied)
        told = any(self._entries(stage, offer, own=True) for stage in self.stages)
        return self.asks_proof and bool(offer.material.stages) and not told and frozenset(self.stages).isdisjoint(had)

    def _unasked(self, offer: Chained) -> Verdict:
        stages = listed([stage.value for stage in self.stages], "or")
        what = f"{offer.material.id} of {offer.offer.id} is {stages}, which {self._law} asks"
        return self._found(
            Result.UNPROVEN,
            self.stages[0],
            f"nobody says where {what}: {offer.material.id} is stated to have no such stage",
        )

    def _of_entry(self, entry: ChainEntry, offer: Chained) -> Verdict:
        if entry.unmined:
            return PASS  # no mine: `_of_scrap` asks where its metal comes from
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
        return self._found(result, stage, reason, hit or entry.countries)

    def _unknown(self, stage: Stage, offer: Chained, but: Iterable[str] = ()) -> Verdict:
        what = f"{offer.material.id} of {offer.offer.id}"
        known = f" (only {listed(sorted(but))} is recorded)" if but else ""
        reason = f"nobody says where {what} is {stage.value}{known}, which {self._law} asks"
        return self._found(Result.UNPROVEN, stage, reason)

    def _found(self, result: Result, stage: Stage, reason: str, countries: Iterable[str] = ()) -> Verdict:
        return Verdict(
            result=result,
            rule=self.id,
            stage=stage.value,
            countries=tuple(sorted(countries)),
            clause=self.citation,
            reason=reason,
        )

    @property
    def _law(self) -> str:
        return self.citation or self.title or self.id or "this rule"

    def _recycled(self, recycling: Recycling, verdict: Verdict, offer: Chained, stated: dict[str, Fact]) -> Verdict:
        """Return the verdict after the exception for recycled material."""
        shown = all_hold(recycling.when, stated)
        if shown is False:
            return verdict
        asked = [stage for stage in self.stages if stage not in recycling.lifts]
        # What is done to the scrap again is no part of its earlier life.
        again = [e for e in offer.performed if e.main_stage in recycling.lifts and self._stage(e) in self.stages]
        kept = worst(
            [
                *self._on(asked, offer, own=True, routes=recycling.routes),
                *(self._of_entry(entry, offer) for entry in again),
            ]
        )
        if not kept.passes:
            return kept
        clause = recycling.citation or self.citation
        what = f"{offer.material.id} of {offer.offer.id} is made from recycled material"
        if shown:
            where = listed(sorted(recycling.within)) if len(recycling.within) <= _FEW else "countries that it names"
            return Verdict(result=Result.PASS, rule=self.id, clause=clause, reason=f"{what} in {where}")
        reason = f"{what}, which {clause} excepts if the demand states {listed(recycling.unstated(stated))}"
        return self._found(Result.UNPROVEN, self.stages[0], reason)

    def _made_in(self, verdict: Verdict, offer: Chained, move: Move, use: Use) -> Verdict:
        """Return the verdict after the exceptions for goods made in some countries."""
        stated = dict(use.facts)
        open_to = [exception for exception in self.made_in if all_hold(exception.when, stated)]
        by_stage = {stage: self._entries(stage, offer, own=True) for stage in self.stages}
        done = [entry for entries in by_stage.values() for entry in entries]
        untold = any(self._is_missing(stage, offer, own=True) for stage, entries in by_stage.items() if not entries)
        if untold or Stage.PRODUCED not in use.material.stages or bool(done) == verdict.passes:
            return verdict
        if not done:
            # Its inputs may hold what only some makers may take, and were let pass because it is one of them.
            holds = any(stage in offer.supplied for stage in self.stages)
            open_to = [exception for exception in open_to if holds and exception.reaches(offer.facility.country)]
        found = [(self._made(exception, done, offer, move, use), exception) for exception in open_to]
        best, exception = min(found, key=lambda each: each[0].rank, default=(verdict.result, None))
        if exception is None or best.rank > verdict.result.rank > 0:
            return verdict
        clause, where = exception.citation or exception.id, exception.where or "the countries it names"
        what = f"{offer.material.id} of {offer.offer.id}"
        if best is Result.PASS:
            return verdict if verdict.passes else Verdict(
                result=best, rule=self.id, clause=clause, reason=f"{what} is for a good made in {where}"
            )  # fmt: skip
        reason = verdict.reason or f"{what} may hold material that only a maker in {where} may take"
        best = Result.UNPROVEN if verdict.passes else best  # its inputs may be such as anybody may take
        stage = Stage(verdict.stage) if verdict.stage else self.stages[0]
        reason = f"{reason}; {clause} excepts only goods known to be made in {where}, of material from there"
        return self._found(best, stage, reason, verdict.countries)

    def _made(self, exception: MadeIn, done: list[ChainEntry], offer: Chained, move: Move, use: Use) -> Result:
        """Return the result of one exception for an offer: for the good by its country of production, for an input by its buyer."""
        if offer.material.id != use.material.id:
            maker, known = frozenset({move.to.country}), True
        else:
            entries = self._entries(Stage.PRODUCED, offer, own=True)
            maker = frozenset[str]().union(*(entry.countries for entry in entries))
            known = bool(entries) and all(entry.complete and entry.countries for entry in entries)
        barred = [e for e in done if result_of(e.countries, e.complete, self.barred) is not Result.PASS]
        results = [exception.made(maker, known), *(exception.of(entry, maker, self.allow) for entry in barred)]
        return max(results, key=lambda result: result.rank)

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
        return verdict.but(result=Result.UNPROVEN, reason=reason)

    def sentence(self) -> str:
        uses = f", for {listed(sorted(self.end_uses), 'or')} use," if self.end_uses else ""
        buyers = f" bought by {listed(self.buyers, 'or')}" if self.buyers else ""
        places = f" delivered in {lands(self.places, 'or')}" if self.places else ""
        where = f"outside {lands(self.allow)}" if self.allow else f"in {lands(self.countries, 'or')}"
        stages = listed([stage.value for stage in self.stages], "or")
        names = [exemption.id for exemption in self.exceptions] + [exception.id for exception in self.made_in]
        names += ["recycled"] if self.recycled else []
        unless = f", unless excepted ({listed(names, 'or')})" if names else ""
        text = f"{self.subject()}{uses}{buyers}{places} must not be {stages} {where}{unless}."
        return text[0].upper() + text[1:]
