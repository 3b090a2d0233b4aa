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
from .counting import NOUN, NOUNS, By, ByCountries, Per, end_use_filter, row_of

# Counted entity and place of delivery. An empty place means all together.
Key = tuple[str, str]


class _Counted(ByCountries):
    """A number of suppliers (or countries, blocs, parents, sites) of each material."""

    by: By = "supplier"
    """Counted entities."""
    penalty: Amount | None = Field(default=None, gt=0)
    """Money per missing or excess supplier, or like `5000 USD`. None means that it must be satisfied."""
    surely: ClassVar[bool]
    """True to count only purchases that can't end elsewhere."""

    def used(self, facts: Facts, group: str, stretches: Sequence[Sequence[int]]) -> Sequence[Mapping[Key, UsedTerm]]:
        """Return, per stretch, terms that are 1 if anything of a group is bought from an entity (at a place, if each counts separately)."""
        weight = self.counted(facts, group, self.surely)
        names_by_offer: dict[int, Sequence[str]] = {}

        def counts(offer: Chained, place: Place) -> Iterable[tuple[Key, Decimal]]:
            kilograms = weight(offer, place)
            if not kilograms:
                return ()
            if id(offer) not in names_by_offer:
                names_by_offer[id(offer)] = self.counts_for(offer) if self.selected(offer) else ()
            place_id = place.id if self.by_place else ""
            return [((name, place_id), kilograms) for name in names_by_offer[id(offer)]]

        return facts.used_in_each(counts, stretches, end_use_filter(self.end_uses, self.surely))

    @property
    def by_place(self) -> bool:
        return self.each_place

    def counts_for(self, offer: Chained) -> Sequence[str]:
        return sorted(self.possible_entities(offer)[0])

    def scope_text(self) -> str:
        together = ", all together" if self.grouping == "all" else ""
        return f"{self.subject()}{for_use(self.end_uses)}{self.sellers_text()}{together}{self.place_and_time_text()}"


class MinSuppliers(_Counted):
    """At least a number of suppliers of each material. A supplier counts from a minimum share of the demand. A purchase that may come from several
    counts for none of them, since a minimum needs certainty.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 2}]}}

    kind: Literal["min-suppliers"] = "min-suppliers"
    surely: ClassVar[bool] = True
    count: int = Field(ge=1)
    """Minimum number."""
    least_share: Share = Decimal("0.05")
    """Share of the demand from which a supplier counts."""

    def counts_for(self, offer: Chained) -> Sequence[str]:
        names, complete = self.possible_entities(offer)
        return sorted(names) if complete and len(names) == 1 else ()

    def rows(self, facts: Facts) -> Iterable[Row]:
        for group, part in self.groups(facts):
            names = self.about(self.entities(part, group))
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            empty_term = part.used(lambda _offer, _place: 0, (), for_uses=end_use_filter(self.end_uses, self.surely))
            for at in self.separate_places(part):
                for (period_label, periods), used_by_key in zip(spans, used, strict=True):
                    base = self.demanded(part, group, periods, at)
                    if base:
                        min_kilograms = float(self.least_share * base)
                        terms = tuple(
                            replace(used_by_key.get((name, at), empty_term), at_least=min_kilograms) for name in names
                        )
                        name, reads = _label(group, at, period_label), self.reads(part)
                        yield row_of(self, name, terms, at_least=Decimal(self.count), reads=reads)

    def sentence(self) -> str:
        share = f"{(self.least_share * 100).normalize():f}%"
        whom = f"{NOUNS[self.by]}{self.countries_text()}"
        return f"At least {self.count} {whom} of {self.scope_text()}, each with {share} of the demand."


class _Capped(_Counted):
    """A maximum number. See `MaxSuppliers` for what counts."""

    may_count_orders: ClassVar[bool] = True
    surely: ClassVar[bool] = False

    def counts_for(self, offer: Chained) -> Sequence[str]:
        return [*super().counts_for(offer), _unknown_origin(offer)]

    def sellers(self, facts: Facts, group: str) -> list[str]:
        """Return all entities to which it applies, and a name for every offer with an incomplete list of countries."""
        hidden = [
            _unknown_origin(offer)
            for offer in facts.offers
            if self.group(offer.material) == group
            and self.takes_part(offer)
            and self.selected(offer)
            and not self.possible_entities(offer)[1]
        ]
        return self.about(self.entities(facts, group)) + hidden

    def cap_rows(self, facts: Facts, max_count: int) -> Iterator[Row]:
        """Yield one row for every group, place (if each counts separately), and time, if more than the maximum are available."""
        for group, part in self.groups(facts):
            names = self.sellers(part, group)
            if len(names) <= max_count:
                continue
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            for at in self.separate_places(part):
                for (label, _), used_by_key in zip(spans, used, strict=True):
                    terms = tuple(used_by_key[name, at] for name in names if (name, at) in used_by_key)
                    if len(terms) > max_count:
                        yield self.cap_row(part, _label(group, at, label), terms, max_count)

    def cap_row(self, facts: Facts, label: str, terms: tuple[Term, ...], max_count: int) -> Row:
        return row_of(self, label, terms, at_most=Decimal(max_count), reads=self.reads(facts))


class MaxSuppliers(_Capped):
    """At most a number of suppliers of each material. A supplier counts from the first kilogram. A purchase that may come from several counts for
    each of them. With an incomplete list of countries, it also counts for a country of its own.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-suppliers"] = "max-suppliers"
    count: int = Field(ge=1)
    """Maximum number."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        return self.cap_rows(facts, self.count)

    def sentence(self) -> str:
        return f"At most {self.count} {NOUNS[self.by]}{self.countries_text()} of {self.scope_text()}."


class SingleSource(_Capped):
    """A single supplier for each material at each place, over a period of time. Shortages, stock on hand, and orders already placed don't count.
    Demands for the same material at the same place have the same supplier.
    """

    kind: Literal["single-source"] = "single-source"
    by: By = "supplier"
    """Entity that is single: supplier, site, parent company, country, or bloc."""
    per: Per = "horizon"
    """Time with the same source: the whole plan, every calendar year, or every period."""
    each_place: bool = True
    """True if every place of delivery has a source of its own, false if all have the same."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        return self.cap_rows(facts, 1)

    def sentence(self) -> str:
        return f"A single {NOUN[self.by]}{self.countries_text()} of {self.scope_text()}."


class MaxPlaces(_Capped):
    """At most a number of places that a seller delivers to. A place counts from the first kilogram."""

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-places"] = "max-places"
    by: By = "facility"
    """Entities whose places count: sites, suppliers, parent companies, countries, or blocs."""
    count: int = Field(ge=1)
    """Maximum number."""

    @model_validator(mode="after")
    def _check_each_place(self) -> MaxPlaces:
        if self.each_place:
            raise ValueError("`max-places` counts places together, so it can't have `each_place`")
        return self

    @property
    def by_place(self) -> bool:
        return True

    def rows(self, facts: Facts) -> Iterable[Row]:
        for group, part in self.groups(facts):
            spans = part.spans(self.per)
            used = self.used(part, group, [periods for _, periods in spans])
            for name in self.sellers(part, group):
                for (label, _), used_by_key in zip(spans, used, strict=True):
                    terms = tuple(
                        used_by_key[name, place.id] for place in part.places if (name, place.id) in used_by_key
                    )
                    if len(terms) > self.count:
                        yield self.cap_row(part, _label(group, name, label), terms, self.count)

    def sentence(self) -> str:
        return f"No {NOUN[self.by]}{self.countries_text()} may deliver to more than {self.count} places of {self.scope_text()}."


def _label(*words: str) -> str:
    return " ".join(word for word in words if word)


def _unknown_origin(offer: Chained) -> str:
    return f"unknown origin of {offer.offer.id}"
