"""Numbers of suppliers: a minimum, a maximum, or a single source; and a maximum number of places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...rows import Row, Term
from ...terms import UsedTerm
from ..shared import Amount, Share, for_use
from .counting import NOUN, NOUNS, By, ByCountries, Per, only, row_of

Key = tuple[str, str]
"""Counted entity and place of delivery. An empty place means all together."""


class _Counted(ByCountries):
    """A number of suppliers (or countries, blocs, parents, sites) of each material."""

    by: By = "supplier"
    """Counted entities."""
    penalty: Amount | None = Field(default=None, gt=0)
    """Money per missing or excess supplier, or like `5000 USD`. None means that it must be satisfied."""
    surely: ClassVar[bool]
    """True to count only purchases that can't end elsewhere."""

    def used(self, facts: Facts, group: str, stretches: Sequence[Sequence[int]]) -> Sequence[Mapping[Key, UsedTerm]]:
        """Return, for each time, a term that is 1 if anything of a group is bought from an entity, at a place of delivery if each counts separately."""
        everything = self.counted(facts, group, self.surely)
        names: dict[int, Sequence[str]] = {}

        def counts(offer: Chained, place: Place) -> Iterable[tuple[Key, Decimal]]:
            each = everything(offer, place)
            if not each:
                return ()
            if id(offer) not in names:
                names[id(offer)] = self.counts_for(offer) if self.selected(offer) else ()
            at = place.id if self.by_place else ""
            return [((name, at), each) for name in names[id(offer)]]

        return facts.used_in_each(counts, stretches, only(self.end_uses, self.surely))

    @property
    def by_place(self) -> bool:
        """True if each place of delivery counts separately."""
        return self.each_place

    def counts_for(self, offer: Chained) -> Sequence[str]:
        """Return all entities that a purchase counts for."""
        return sorted(self.may_be(offer)[0])

    def where(self) -> str:
        """Separate places, in words."""
        together = ", all together" if self.grouping == "all" else ""
        return f"{self.subject()}{for_use(self.end_uses)}{self.from_whom()}{together}{self.where_and_when()}"


class MinSuppliers(_Counted):
    """At least a number of suppliers of each material. A supplier counts from a minimum share of the demand.

    A purchase that may come from several counts for none of them, since a minimum needs certainty.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 2}]}}

    kind: Literal["min-suppliers"] = "min-suppliers"
    surely: ClassVar[bool] = True
    count: int = Field(ge=1)
    """Minimum number."""
    least_share: Share = Decimal("0.05")
    """Share of the demand from which a supplier counts."""

    def counts_for(self, offer: Chained) -> Sequence[str]:
        names, complete = self.may_be(offer)
        return sorted(names) if complete and len(names) == 1 else ()

    def rows(self, facts: Facts) -> Iterable[Row]:
        for group, part in self.groups(facts):
            names = self.about(self.everyone(part, group))
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            nothing = part.used(lambda _offer, _place: 0, (), for_uses=only(self.end_uses, self.surely))
            for at in self.at_each(part):
                for (label, periods), found in zip(spans, used, strict=True):
                    base = self.demanded(part, group, periods, at)
                    if base:
                        least = float(self.least_share * base)
                        terms = tuple(replace(found.get((name, at), nothing), at_least=least) for name in names)
                        name, reads = _label(group, at, label), self.reads(part)
                        yield row_of(self, name, terms, at_least=Decimal(self.count), reads=reads)

    def sentence(self) -> str:
        share = f"{(self.least_share * 100).normalize():f} %"
        whom = f"{NOUNS[self.by]}{self.whom()}"
        return f"At least {self.count} {whom} of {self.where()}, each with {share} of the demand."


class _Capped(_Counted):
    """A maximum number. A supplier counts from the first kilogram.

    A purchase that may come from several counts for each of them. With an incomplete list of countries, it also counts for a country of its own.
    """

    may_count_orders: ClassVar[bool] = True
    surely: ClassVar[bool] = False

    def counts_for(self, offer: Chained) -> Sequence[str]:
        return [*super().counts_for(offer), _unknown(offer)]

    def sellers(self, facts: Facts, group: str) -> list[str]:
        """Return all entities to which it applies, and a name for every offer with an incomplete list."""
        hidden = [
            _unknown(offer)
            for offer in facts.offers
            if self.group(offer.material) == group
            and self.takes_part(offer)
            and self.selected(offer)
            and not self.may_be(offer)[1]
        ]
        return self.about(self.everyone(facts, group)) + hidden

    def most_sellers(self, facts: Facts, most: int) -> Iterator[Row]:
        """Yield one row for every group, place (if each counts separately), and time in which more are available."""
        for group, part in self.groups(facts):
            names = self.sellers(part, group)
            if len(names) <= most:
                continue
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            for at in self.at_each(part):
                for (label, _), found in zip(spans, used, strict=True):
                    asked = tuple(found[name, at] for name in names if (name, at) in found)
                    if len(asked) > most:
                        yield self.at_most(part, _label(group, at, label), asked, most)

    def at_most(self, facts: Facts, label: str, terms: tuple[Term, ...], most: int) -> Row:
        """Return the row that limits the number."""
        return row_of(self, label, terms, at_most=Decimal(most), reads=self.reads(facts))


class MaxSuppliers(_Capped):
    """At most a number of suppliers of each material. A supplier counts from the first kilogram.

    A purchase that may come from several counts for each of them. With an incomplete list of countries, it also counts for a country of its own.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-suppliers"] = "max-suppliers"
    count: int = Field(ge=1)
    """Maximum number."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        return self.most_sellers(facts, self.count)

    def sentence(self) -> str:
        return f"At most {self.count} {NOUNS[self.by]}{self.whom()} of {self.where()}."


class SingleSource(_Capped):
    """A single supplier for each material at each place, over a period of time.

    Shortages, stock on hand, and orders already placed don't count. Demands for the same material at the same place have the same supplier.
    """

    kind: Literal["single-source"] = "single-source"
    by: By = "supplier"
    """Entity that is single: supplier, site, parent company, country, or bloc."""
    per: Per = "horizon"
    """Time with the same source: the whole plan, every calendar year, or every period."""
    each_place: bool = True
    """True if every place of delivery has a source of its own, false if all have the same."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        return self.most_sellers(facts, 1)

    def sentence(self) -> str:
        return f"One {NOUN[self.by]}{self.whom()} alone of {self.where()}."


class MaxPlaces(_Capped):
    """At most a number of places that a seller delivers to. A place counts from the first kilogram."""

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-places"] = "max-places"
    by: By = "facility"
    """Entities whose places count: sites, suppliers, parent companies, countries, or blocs."""
    count: int = Field(ge=1)
    """Maximum number."""

    @model_validator(mode="after")
    def _counts_places(self) -> MaxPlaces:
        if self.each_place:
            raise ValueError("`each_place` counts one place on its own, and `max-places` counts places")
        return self

    @property
    def by_place(self) -> bool:
        return True

    def rows(self, facts: Facts) -> Iterable[Row]:
        for group, part in self.groups(facts):
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            for name in self.sellers(part, group):
                for (label, _), found in zip(spans, used, strict=True):
                    terms = tuple(found[name, p.id] for p in part.places if (name, p.id) in found)
                    if len(terms) > self.count:
                        yield self.at_most(part, _label(group, name, label), terms, self.count)

    def sentence(self) -> str:
        return f"No {NOUN[self.by]}{self.whom()} may deliver to more than {self.count} places of {self.where()}."


def _label(*words: str) -> str:
    return " ".join(word for word in words if word)


def _unknown(offer: Chained) -> str:
    return f"unknown origin of {offer.offer.id}"
