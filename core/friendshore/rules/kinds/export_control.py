"""Export control: what a country does not let out, or only under licence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ...domain.use import PASS, Chained, Move, Result, Use, Verdict
from ..base import FactTest, Rule
from ..verdicts import Barred, result_of
from .shared import Countries, Covering, EndUses, Parties, is_party, lands, listed


class ExportControl(Covering, Rule):
    """Forbids moves of controlled goods out of a country, or makes them wait for a licence.

    A move within a country is no export of it, nor is a move of its goods back into it.
    """

    model_config = {"json_schema_extra": {"examples": [{"exporters": ["CN"], "effect": "licence"}]}}

    kind: Literal["export-control"] = "export-control"
    exporters: Countries = Field(min_length=1)
    """Countries whose control it is."""
    effect: Literal["prohibit", "licence"]
    """`prohibit`: it forbids. `licence`: it is unproven until the case records or assumes a licence."""
    destinations: Countries = frozenset()
    """Countries for which the goods must not be; none: all."""
    judged_on: Literal["use", "move", "either"] = "move"
    """What tells the destination: the place of the final use, the place the move leads to, or either."""
    end_uses: EndUses = frozenset()
    """Final end uses it bears on; none: all."""
    buyers: Parties = ()
    """Parties it bears on: the buyer of the final good, or who runs the place the goods go to; none: all."""
    reach: Literal["export", "origin"] = "export"
    """`export`: moves that leave the exporting country. `origin`: also every move across another border of goods whose
    customs origin may be the exporting country, wherever they are."""

    unless: tuple[FactTest, ...] = ()
    """Facts that take a use out of the control if the demand states all of them, such as relief for people in need. What is
    not stated claims nothing."""

    bears_on: ClassVar[Literal["chain", "trade"]] = "trade"

    def concerns(self, use: Use) -> bool:
        """Whether it can bear on the use: end use, facts, and destination where the use alone tells it."""
        if self.end_uses and use.end_use not in self.end_uses:
            return False
        if self.unless and all(test.holds(dict(use.facts)) for test in self.unless):
            return False
        return self.judged_on != "use" or self._is_destination(use.place.country)

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Whether the goods may go there for this use."""
        if not move.crosses or not self.concerns(use) or not self.covers(offer.material):
            return PASS
        if not self._bound_for(move, use) or not self._party(move, use):
            return PASS
        result, countries = self._from(offer, move)
        if result is Result.PASS:
            return PASS
        return Verdict(
            result=Result.UNPROVEN if self.effect == "licence" else result,
            rule=self.id,
            countries=countries,
            clause=self.citation,
            reason=self._reason(result, offer, move, use, countries),
            licence=self.effect == "licence",
        )

    def _is_destination(self, country: str) -> bool:
        return not self.destinations or country in self.destinations

    def _bound_for(self, move: Move, use: Use) -> bool:
        by_use, by_move = self._is_destination(use.place.country), self._is_destination(move.to.country)
        return {"use": by_use, "move": by_move, "either": by_use or by_move}[self.judged_on]

    def _party(self, move: Move, use: Use) -> bool:
        return not self.buyers or is_party(use.buyer, self.buyers) or is_party(move.to.operator, self.buyers)

    def _from(self, offer: Chained, move: Move) -> tuple[Result, tuple[str, ...]]:
        """Whether the goods come out of an exporting country, by the verdict table on their possible customs origins."""
        if move.origin.country in self.exporters:
            return Result.FAIL, (move.origin.country,)
        controlled = self.exporters - {move.to.country}
        if self.reach == "export" or not controlled:
            return Result.PASS, ()
        possible, complete = offer.origins
        barred = Barred(controlled)
        if offer.origin_contradicted and (named := barred.among(possible)):
            return Result.FAIL, tuple(sorted(named))
        return result_of(possible, complete, barred), tuple(sorted(barred.among(possible) or possible))

    def _reason(self, result: Result, offer: Chained, move: Move, use: Use, countries: tuple[str, ...]) -> str:
        law = self.citation or self.title or self.id or "this control"
        goods = f"{offer.material.id} of {offer.offer.id}"
        way = f"{move.origin.country} to {move.to.country} for {use.end_use} use in {use.place.country}"
        verb = "needs a licence under" if self.effect == "licence" else "is barred by"
        if result is Result.FAIL:
            origin = "" if move.origin.country in self.exporters else f"of {listed(countries, 'or')} origin "
            return f"{goods} {origin}moved from {way} {verb} {law}"
        if self.exporters.isdisjoint(countries):
            return f"the customs origin of {goods} is not known well enough: if it is {lands(self.exporters, 'or')}, its move from {way} {verb} {law}"
        return f"{goods} may be of {listed(countries, 'or')} origin: then its move from {way} {verb} {law}"

    def sentence(self) -> str:
        exporters = lands(self.exporters, "or")
        goods = f"{self.subject()}, {'leaving' if self.reach == 'export' else 'of'} {exporters}"
        uses = f" for {listed(sorted(self.end_uses), 'or')} use" if self.end_uses else ""
        parties = f" to {listed(self.buyers, 'or')}" if self.buyers else ""
        verb = "may move only under licence" if self.effect == "licence" else "must not move"
        border = " across any border" if self.reach == "origin" else ""
        unless = f", unless the demand states {listed(test.fact for test in self.unless)}" if self.unless else ""
        text = f"{goods}, {verb}{border}{uses}{self._goal()}{parties}{unless}."
        return text[0].upper() + text[1:]

    def _goal(self) -> str:
        if not self.destinations:
            return ""
        where = lands(self.destinations, "or")
        return {"use": f" in {where}", "move": f" to {where}", "either": f" to or for use in {where}"}[self.judged_on]
