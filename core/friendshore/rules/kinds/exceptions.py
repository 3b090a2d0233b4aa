"""Exceptions of a rule of origin: facts of the item, recycled material, and goods made in some countries."""

from __future__ import annotations

from pydantic import Field, model_validator

from ...domain.base import Record
from ...domain.facts import ChainEntry
from ...domain.stages import STEPS, Route, Stage
from ...domain.use import Chained, Fact, Result
from ..base import FactTest
from ..verdicts import Barred, result_of
from .shared import Countries, Stages


def all_hold(tests: tuple[FactTest, ...], stated: dict[str, Fact]) -> bool | None:
    """Whether every test holds; None if none fails, but one hangs on a fact that is not stated."""
    answers = [test.holds(stated) for test in tests]
    if False in answers:
        return False
    return None if None in answers else True


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
    """What to know: doubts, what was not read."""

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

    It takes effect if at least one of the exempted stages is recorded, all that are recorded of them have recycled feed,
    and the conditions below are proved. The stages are exempt whether recorded or not: they belong to the scrap's
    earlier life, which nobody records. The other stages stay under the ban, and so does what is done to the scrap again.
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
    when: tuple[FactTest, ...] = ()
    """What the demand must state beside; a fact that is not stated leaves the exception unproven."""
    lifts: Stages = (Stage.MINED, Stage.REFINED, Stage.SEPARATED)
    """Stages that the ban then no longer asks about."""
    note: str = ""
    """What to know: doubts, what was not read."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The steps among `needs`: of their stage the law asks for no others."""
        steps = tuple(need for need in self.needs if need in STEPS)
        return (steps,) if steps else ()

    def proved_by(self, offer: Chained, barred: Barred) -> bool:
        """Whether the chain of `offer` proves it, facts that the demand must state apart."""
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
        """The facts it hangs on."""
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
    """An exception for goods that are made in some countries, of material that may then come from there too.

    It is judged offer by offer. The good itself must be known to be `produced` in these countries. What is bought on the
    way to it must go to a maker in one of them: where that maker stands is where the purchase leads to. A good without
    the stage `produced` is material bought as such, which the exception does not reach.
    """

    id: str
    """Name, like `qualifying-country`."""
    citation: str = ""
    """The clause."""
    where: str = ""
    """The countries in words, like `a qualifying country`."""
    countries: Countries = frozenset()
    """Countries in which the good must be made, all of it; none: any one country."""
    material: Countries = frozenset()
    """Countries in which the barred stages may then have happened, beside the one in which the good is made; none: `countries`."""
    when: tuple[FactTest, ...] = ()
    """What the demand must state; a fact that is not stated claims nothing."""
    note: str = ""
    """What to know: doubts, what was not read."""

    def made(self, countries: frozenset[str], complete: bool) -> Result:
        """Whether a good made in these countries is made where it must be."""
        if not self.countries:
            return Result.PASS if complete and len(countries) == 1 else Result.UNPROVEN
        return result_of(countries, complete, Barred(self.countries, all_but=True))

    def of(self, entry: ChainEntry, maker: frozenset[str], allow: frozenset[str]) -> Result:
        """Whether a barred stage happened where a maker in `maker` may take it from."""
        free = allow | (self.material or self.countries) | (maker if len(maker) == 1 else frozenset())
        return result_of(entry.countries, entry.complete, Barred(free, all_but=True))

    def reaches(self, country: str) -> bool:
        """Whether a maker in this country may take material from elsewhere than the ban allows."""
        return not self.countries or country in self.countries
