"""Exclude: offers, sites, companies, countries or catalogs that the planner keeps out."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from ...domain.base import Words
from ...domain.use import PASS, Chained, Move, Result, Use, Verdict
from ..base import Names, Rule
from .shared import Countries, Covering, EndUses, Parties, is_party, lands, listed


class Exclude(Covering, Rule):
    """Forbids every move of what it names, final good and input alike: any one of the lists is enough."""

    model_config = {"json_schema_extra": {"examples": [{"countries": ["CN"]}]}}

    kind: Literal["exclude"] = "exclude"
    offers: Annotated[Words, Names("offer")] = frozenset()
    """Offers, by id."""
    facilities: Annotated[Words, Names("facility")] = frozenset()
    """Facilities, by id."""
    suppliers: Parties = ()
    """Companies that run the facility."""
    parents: Parties = ()
    """Companies that own them."""
    countries: Countries = frozenset()
    """Countries in which the facility stands; what happened to its inputs elsewhere is a matter of origin."""
    catalogs: Annotated[Words, Names("catalog")] = frozenset()
    """Catalogs the offer comes from."""
    end_uses: EndUses = frozenset()
    """End uses it bears on; none: all."""
    places: Countries = frozenset()
    """Countries of the final use that it bears on; none: all."""
    why: str = ""
    """Why they are kept out, told with every verdict: who is on which list, say."""

    bears_on: ClassVar[Literal["chain", "trade"]] = "trade"

    @model_validator(mode="after")
    def _names_something(self) -> Exclude:
        if not any(words for _, words in self._lists()):
            raise ValueError("name at least one of " + ", ".join(word for word, _ in self._lists()))
        return self

    def _lists(self) -> list[tuple[str, list[str]]]:
        return [
            ("offers", sorted(self.offers)),
            ("facilities", sorted(self.facilities)),
            ("suppliers", list(self.suppliers)),
            ("parents", list(self.parents)),
            ("countries", sorted(self.countries)),
            ("catalogs", sorted(self.catalogs)),
        ]

    def concerns(self, use: Use) -> bool:
        """Whether it bears on the use's end use and place."""
        return (not self.end_uses or use.end_use in self.end_uses) and (
            not self.places or use.place.country in self.places
        )

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        """Fails what is named."""
        del move
        if not self.concerns(use) or not self.covers(offer.material):
            return PASS
        named = self.names(offer)
        if not named:
            return PASS
        country = (offer.facility.country,) if offer.facility.country in self.countries else ()
        reason = f"{offer.material.id} of {offer.offer.id} is kept out: {named}"
        reason += f": {self.why}" if self.why else ""
        return Verdict(result=Result.FAIL, rule=self.id, countries=country, clause=self.citation, reason=reason)

    def names(self, offer: Chained) -> str:
        """Return what the rule names of an offer, in words; empty if it names nothing of it."""
        facility = offer.facility
        found = {
            f"offer {offer.offer.id}": offer.offer.id in self.offers,
            f"facility {facility.id}": facility.id in self.facilities,
            f"supplier {facility.supplier}": is_party(facility.supplier, self.suppliers),
            f"parent {facility.owner}": is_party(facility.owner, self.parents),
            f"country {facility.country}": facility.country in self.countries,
            f"catalog {offer.offer.catalog}": offer.offer.catalog in self.catalogs,
        }
        return next((words for words, holds in found.items() if holds), "")

    def sentence(self) -> str:
        used = f" in {lands(self.places, 'or')}" if self.places else ""
        uses = f", for {listed(sorted(self.end_uses), 'or')} use{used}," if self.end_uses else ""
        uses = uses or (f", for use{used}," if used else "")
        named = [f"{word} {listed(names)}" for word, names in self._lists() if names]
        text = f"{self.subject()}{uses} must not come from {listed(named, 'or')}."
        return text[0].upper() + text[1:]
