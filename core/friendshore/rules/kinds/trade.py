"""Rules on moves of goods: exclusions, export controls, and tariffs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ...domain.base import Words, exact
from ...domain.facts import Material
from ...domain.use import PASS, Chained, Move, Result, Use, Verdict
from ...errors import InputError
from ..base import FactTest, Names, Rule
from ..verdicts import METAL_STAGES, Prohibited, result_of
from .shared import (
    Countries,
    Covering,
    EndUses,
    Parties,
    PerKilogram,
    Rate,
    Stages,
    country_list,
    is_party,
    listed,
    named_currency,
)


class Exclude(Covering, Rule):
    """Prohibits every move of goods that match any of the lists, final goods and inputs."""

    model_config = {"json_schema_extra": {"examples": [{"countries": ["CN"]}]}}

    kind: Literal["exclude"] = "exclude"
    offers: Annotated[Words, Names("offer")] = frozenset()
    """Offer ids."""
    facilities: Annotated[Words, Names("facility")] = frozenset()
    """Facility ids."""
    suppliers: Parties = ()
    """Companies that operate the facility."""
    parents: Parties = ()
    """Companies that own them."""
    countries: Countries = frozenset()
    """Countries of the facility. Where its inputs were processed is a matter of origin."""
    catalogs: Annotated[Words, Names("catalog")] = frozenset()
    """Catalogs that contain the offer."""
    end_uses: EndUses = frozenset()
    """End uses to which it applies. Empty means all."""
    places: Countries = frozenset()
    """Countries of the final use to which it applies. Empty means all."""
    why: str = ""
    """Reason, shown with every verdict, such as the list that contains the party."""

    judge_scope: ClassVar[Literal["chain", "trade"]] = "trade"
    judge_reads_terms: ClassVar[bool] = False

    @model_validator(mode="after")
    def _check_lists(self) -> Exclude:
        if not any(words for _, words in self._named_lists()):
            raise ValueError("name at least one of " + ", ".join(word for word, _ in self._named_lists()))
        return self

    def _named_lists(self) -> list[tuple[str, list[str]]]:
        return [
            ("offers", sorted(self.offers)),
            ("facilities", sorted(self.facilities)),
            ("suppliers", list(self.suppliers)),
            ("parents", list(self.parents)),
            ("countries", sorted(self.countries)),
            ("catalogs", sorted(self.catalogs)),
        ]

    def concerns(self, use: Use) -> bool:
        return (not self.end_uses or use.end_use in self.end_uses) and (
            not self.places or use.place.country in self.places
        )

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        del move
        if not self.concerns(use) or not self.covers(offer.material):
            return PASS
        match = self.names(offer)
        if not match:
            return PASS
        country = (offer.facility.country,) if offer.facility.country in self.countries else ()
        reason = f"{offer.material.id} of {offer.offer.id} is excluded: {match}"
        reason += f": {self.why}" if self.why else ""
        return Verdict(result=Result.FAIL, rule=self.id, countries=country, clause=self.citation, reason=reason)

    def names(self, offer: Chained) -> str:
        """Return what matches an offer, in words. Empty if nothing does."""
        facility = offer.facility
        matches = {
            f"offer {offer.offer.id}": offer.offer.id in self.offers,
            f"facility {facility.id}": facility.id in self.facilities,
            f"supplier {facility.supplier}": is_party(facility.supplier, self.suppliers),
            f"parent {facility.owner}": is_party(facility.owner, self.parents),
            f"country {facility.country}": facility.country in self.countries,
            f"catalog {offer.offer.catalog}": offer.offer.catalog in self.catalogs,
        }
        return next((words for words, is_match in matches.items() if is_match), "")

    def sentence(self) -> str:
        used = f" in {country_list(self.places, 'or')}" if self.places else ""
        uses = f", for {listed(sorted(self.end_uses), 'or')} use{used}," if self.end_uses else ""
        uses = uses or (f", for use{used}," if used else "")
        named = [f"{word} {listed(names)}" for word, names in self._named_lists() if names]
        text = f"{self.subject()}{uses} must not come from {listed(named, 'or')}."
        return text[0].upper() + text[1:]


class ExportControl(Covering, Rule):
    """Prohibits moves of controlled goods out of a country, or requires a license. A move within a country isn't an export, nor is a move of its goods back into it."""

    model_config = {"json_schema_extra": {"examples": [{"exporters": ["CN"], "effect": "license"}]}}

    kind: Literal["export-control"] = "export-control"
    exporters: Countries = Field(min_length=1)
    """Countries that control these exports."""
    effect: Literal["prohibit", "license"]
    """`prohibit`: prohibited. `license`: unproven until the case records or assumes a license."""
    destinations: Countries = frozenset()
    """Prohibited destinations. Empty means all."""
    judged_on: Literal["use", "move", "either"] = "move"
    """Meaning of the destination: the place of the final use, the place that the move leads to, or either."""
    end_uses: EndUses = frozenset()
    """Final end uses to which it applies. Empty means all."""
    buyers: Parties = ()
    """Parties to which it applies: the buyer of the final good, or the operator of the place that the goods go to. Empty means all."""
    reach: Literal["export", "origin", "content", "technology"] = "export"
    """`export`: moves that leave the exporting country. `origin`: also every move across another border of goods whose customs origin may be the exporting country, wherever they are. `content`: moves between other countries of goods of which one of `stages` may have taken place in the exporting country. `technology`: every move between other countries, since the goods may be made with technology of the exporting country."""
    stages: Stages = ()
    """Stages that count as content. A stage of which a country is unknown, or that the material must have and nothing states, leaves a move unproven."""
    within: bool = False
    """True if moves within a country count too, since the law also covers transfers there."""

    unless: tuple[FactTest, ...] = ()
    """Facts that exempt a use if the demand states all of them, such as relief for people in need. A missing fact claims nothing."""

    judge_scope: ClassVar[Literal["chain", "trade"]] = "trade"
    judge_reads_terms: ClassVar[bool] = False

    @model_validator(mode="after")
    def _check_stages(self) -> ExportControl:
        if bool(self.stages) != (self.reach == "content"):
            raise ValueError('`stages` and `reach = "content"` need each other')
        return self

    def concerns(self, use: Use) -> bool:
        if self.end_uses and use.end_use not in self.end_uses:
            return False
        if self.unless and all(test.succeeds(dict(use.facts)) for test in self.unless):
            return False
        return self.judged_on != "use" or self._is_destination(use.place.country)

    def concerns_move(self, move: Move) -> bool:
        if not (move.crosses or self.within) or (self.reach == "export" and move.origin.country not in self.exporters):
            return False
        return self.judged_on != "move" or self._is_destination(move.to.country)

    def judge(self, offer: Chained, move: Move, use: Use) -> Verdict:
        if not self.concerns_move(move) or not self.concerns(use) or not self.covers(offer.material):
            return PASS
        if not self._reaches_destination(move, use):
            return PASS
        if self.buyers and not (is_party(use.buyer, self.buyers) or is_party(move.to.operator, self.buyers)):
            return PASS
        result, countries = self._origin_result(offer, move)
        if result is Result.PASS:
            return PASS
        return Verdict(
            result=Result.UNPROVEN if self.effect == "license" else result,
            rule=self.id,
            countries=countries,
            clause=self.citation,
            reason=self._reason(result, offer, move, use, countries),
            license=self.effect == "license",
        )

    def _is_destination(self, country: str) -> bool:
        return not self.destinations or country in self.destinations

    def _reaches_destination(self, move: Move, use: Use) -> bool:
        by_use, by_move = self._is_destination(use.place.country), self._is_destination(move.to.country)
        return {"use": by_use, "move": by_move, "either": by_use or by_move}[self.judged_on]

    def _origin_result(self, offer: Chained, move: Move) -> tuple[Result, tuple[str, ...]]:
        """Return the result for the possible customs origins or the content of the goods, and the countries behind it."""
        leaves_exporter = move.origin.country in self.exporters
        if leaves_exporter and self.reach in ("export", "origin"):
            return Result.FAIL, (move.origin.country,)
        controlled = self.exporters - {move.to.country}
        if not controlled or leaves_exporter:
            return Result.PASS, ()
        possible, complete = offer.origins
        barred = Prohibited(controlled)
        if self.reach == "content":
            return self._content_result(offer, barred)
        if self.reach == "technology":  # goods of the exporting country itself aren't made abroad
            is_made_there = result_of(possible, complete, barred) is Result.FAIL
            return Result.PASS if is_made_there else Result.FAIL, tuple(sorted(controlled))
        if offer.origin_contradicted and (prohibited := barred.among(possible)):
            return Result.FAIL, tuple(sorted(prohibited))
        return result_of(possible, complete, barred), tuple(sorted(barred.among(possible) or possible))

    def _content_result(self, offer: Chained, controlled: Prohibited) -> tuple[Result, tuple[str, ...]]:
        entries = [entry for entry in offer.performed if entry.main_stage in self.stages]
        results = [result_of(entry.countries, entry.complete, controlled) for entry in entries]
        recorded = {entry.main_stage for entry in offer.stage_entries}
        expected = set(METAL_STAGES) if offer.source and not offer.material.stages else set()
        if not frozenset(self.stages).isdisjoint(offer.missing | (expected - recorded)):
            results.append(Result.UNPROVEN)
        result = max(results, key=lambda each: each.rank, default=Result.PASS)
        countries = frozenset[str]().union(*(controlled.among(entry.countries) for entry in entries))
        return result, tuple(sorted(countries))

    def _reason(self, result: Result, offer: Chained, move: Move, use: Use, countries: tuple[str, ...]) -> str:
        law = self.citation or self.title or self.id or "this control"
        goods = f"{offer.material.id} of {offer.offer.id}"
        route = f"{move.origin.country} to {move.to.country} for {use.end_use} use in {use.place.country}"
        verb = "needs a license under" if self.effect == "license" else "is prohibited by"
        if self.reach == "technology":
            return f"{goods} may be made with technology of {listed(countries, 'or')}. If so, moving it from {route} {verb} {law}"
        if self.reach == "content" and not countries:
            stages, exporters = listed([stage.value for stage in self.stages], "or"), country_list(self.exporters, "or")
            return f"it is unclear where {goods} was {stages}. If in {exporters}, moving it from {route} {verb} {law}"
        if self.reach == "content":
            contains = "contains" if result is Result.FAIL else "may contain"
            return f"{goods} {contains} material of {listed(countries, 'or')}, so moving it from {route} {verb} {law}"
        if result is Result.FAIL:
            origin = "" if move.origin.country in self.exporters else f"of {listed(countries, 'or')} origin "
            return f"moving {goods} {origin}from {route} {verb} {law}"
        if self.exporters.isdisjoint(countries):
            return f"the customs origin of {goods} is unclear. If it is {country_list(self.exporters, 'or')}, moving it from {route} {verb} {law}"
        return f"{goods} may be of {listed(countries, 'or')} origin. If so, moving it from {route} {verb} {law}"

    def sentence(self) -> str:
        exporters = country_list(self.exporters, "or")
        link = {
            "export": "leaving", "origin": "of", "content": f"{listed([s.value for s in self.stages], 'or')} in",
            "technology": "made with technology of",
        }[self.reach]  # fmt: skip
        goods = f"{self.subject()}, {link} {exporters}"
        uses = f" for {listed(sorted(self.end_uses), 'or')} use" if self.end_uses else ""
        parties = f" to {listed(self.buyers, 'or')}" if self.buyers else ""
        verb = "may move only under a license" if self.effect == "license" else "must not move"
        border = "" if self.reach == "export" or self.within else " across any border"
        unless = f", unless the demand states {listed(test.fact for test in self.unless)}" if self.unless else ""
        text = f"{goods}, {verb}{border}{uses}{self._destination_text()}{parties}{unless}."
        return text[0].upper() + text[1:]

    def _destination_text(self) -> str:
        if not self.destinations:
            return ""
        where = country_list(self.destinations, "or")
        return {"use": f" in {where}", "move": f" to {where}", "either": f" to or for use in {where}"}[self.judged_on]


class Tariff(Covering, Rule):
    """Duty on a move into a customs territory, for inputs and final goods. Several tariffs on one move add up."""

    model_config = {"json_schema_extra": {"examples": [{"origins": ["CN"], "rate": 0.25}]}}

    kind: Literal["tariff"] = "tariff"
    territory: Countries = frozenset({"PR", "US"})
    """Countries of the customs territory. That of the United States includes Puerto Rico (19 CFR 101.1)."""
    origins: Countries = frozenset()
    """Customs origins that pay it. Empty means all."""
    except_origins: Countries = frozenset()
    """Customs origins that don't pay it."""
    rate: Rate = Decimal(0)
    """Share of the value, like `25%`. 0 records that the tariff line is free."""
    basis: Literal["fob"] = "fob"
    """Customs value: the price without international freight, as in the United States. A territory that adds freight (`cif`) is rejected rather than computed incorrectly."""
    specific: PerKilogram | None = None
    """Additional money per kilogram: a number, or text like `1.5 USD/kg`."""
    specific_currency: str = ""
    """Currency of `specific` (ISO 4217), if it names none."""
    specific_per: Literal["basis", "element"] = "basis"
    """Weight that `specific` applies to: the material's basis, or the element in it. If its content is unknown, the whole weight counts, which is the maximum that can be due."""

    judge_scope: ClassVar[Literal["chain", "trade"]] = "trade"
    charge_reads_use: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _find_currency(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        named = named_currency(data.get("specific"))
        if named and data.get("specific_currency", named) != named:
            raise ValueError(f"`specific` is in {named}, but `specific_currency` is {data['specific_currency']}")
        return {**data, "specific_currency": named} if named else data

    @model_validator(mode="after")
    def _check_amounts(self) -> Tariff:
        if self.specific is not None and len(self.specific_currency) != 3:
            raise ValueError("`specific` needs `specific_currency`, such as USD")
        if self.rate < 0 or (self.specific or 0) < 0:
            raise ValueError("a duty cannot be negative")
        if not self.territory:
            raise ValueError("`territory` must name at least one country")
        return self

    @property
    def charged_origins(self) -> tuple[frozenset[str], ...]:
        return self.origins, self.except_origins

    def in_currency(self, currency: str, exchange: Callable[[str], Decimal | None]) -> Tariff:
        if not self.specific or currency == self.specific_currency:
            return self
        rate = exchange(self.specific_currency)
        if rate is None:
            raise InputError(
                f"the specific duty can't be converted to {currency}",
                found=f"an amount in {self.specific_currency}",
                expected=f"an exchange rate from {self.specific_currency} to {currency}",
                fix="add a catalog with that rate, or plan in the currency of the duty",
                code="FS306",
            )
        return self.but(specific=exact(self.specific * rate), specific_currency=currency)

    def charges_on(self, material: Material) -> bool:
        return self.covers(material)

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        del use  # customs duties depend on goods and origin, not on the end use
        if move.origin.country in self.territory or move.to.country not in self.territory:
            return Decimal(0)
        if (
            (self.origins and origin not in self.origins)
            or origin in self.except_origins
            or not self.covers(offer.material)
        ):
            return Decimal(0)
        duty = value * self.rate
        if self.specific:
            content = offer.material.content if self.specific_per == "element" else None
            duty += self.specific * (Decimal(1) if content is None else content)
        return duty

    def sentence(self) -> str:
        parts = [f"{(self.rate * 100).normalize():f}% of the value"] if self.rate else []
        if self.specific:
            per = "kg of element" if self.specific_per == "element" else "kg"
            parts.append(f"{self.specific:f} {self.specific_currency} per {per}")
        origin = f" of {country_list(self.origins, 'or')} origin" if self.origins else ""
        others = f" not of {country_list(self.except_origins, 'or')} origin" if self.except_origins else ""
        duty = f"a duty of {listed(parts, 'plus')}" if parts else "no duty"
        text = f"{self.subject()}{origin}{others} entering {country_list(self.territory, 'or')}: {duty}."
        return text[0].upper() + text[1:]
