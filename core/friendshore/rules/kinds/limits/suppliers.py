"""How many: at least so many suppliers, at most so many, one alone; at most so many places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...rows import Row, Term
from ..amounts import Amount, Share
from ..shared import for_use
from .counting import NOUN, NOUNS, By, ByCountries
from .grouped import STRETCH, Per, only


class _Counted(ByCountries):
    """A number of suppliers (or countries, blocs, parents, sites) of each material."""

    by: By = "supplier"
    """Who is counted."""
    penalty: Amount | None = Field(default=None, gt=0)
    """Money for each by which the number is missed, or like `5000 USD`; none: it must hold."""
    surely: ClassVar[bool]
    """Whether only purchases count that cannot end elsewhere."""

    def used(
        self, facts: Facts, group: str, name: str, periods: Sequence[int], at_least: Decimal, at: str = ""
    ) -> Term:
        """1 if enough is bought of a group from one of them, delivered to a place if `at` names one."""
        everything = self.counted(facts, group, self.surely, at)

        def counts(offer: Chained, place: Place) -> Decimal:
            return everything(offer, place) if self.selected(offer) and self.is_from(offer, name) else Decimal(0)

        return facts.used(counts, periods, at_least, only(self.end_uses, self.surely))

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase counts for `name`."""
        return name in self.may_be(offer)[0]

    def where(self) -> str:
        """What is counted apart, in words."""
        at = ", at each place" if self.each_place else ""
        return f"{self.subject()}{for_use(self.end_uses)}{self.from_whom()}{', all together' if self.grouping == 'all' else ''}, {STRETCH[self.per]}{at}"


class MinSuppliers(_Counted):
    """At least so many suppliers of each material; one counts from a least share of the demand on.

    A purchase that may come from several counts for none of them: a floor needs certainty.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 2}]}}

    kind: Literal["min-suppliers"] = "min-suppliers"
    surely: ClassVar[bool] = True
    count: int = Field(ge=1)
    """How many."""
    least_share: Share = Decimal("0.05")
    """Share of the demand from which a supplier counts."""

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase surely comes from `name`."""
        names, complete = self.may_be(offer)
        return complete and names == {name}

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group, place if each is counted on its own, and stretch with a demand."""
        for group, part in self.groups(facts):
            names = self.about(self.everyone(part, group))
            for at in self.at_each(part):
                for label, periods in part.spans(self.per):
                    base = self.demanded(part, group, periods, at)
                    if base:
                        least = self.least_share * base
                        terms = tuple(self.used(part, group, name, periods, least, at) for name in names)
                        yield Row(
                            label=_label(group, at, label),
                            terms=terms,
                            at_least=Decimal(self.count),
                            sentence=self.sentence(),
                            penalty=self.penalty,
                            reads=self.reads(part),
                        )

    def sentence(self) -> str:
        """The floor in one sentence."""
        share = f"{(self.least_share * 100).normalize():f} %"
        whom = f"{NOUNS[self.by]}{self.whom()}"
        return f"At least {self.count} {whom} of {self.where()}, each with {share} of the demand."


class _Capped(_Counted):
    """A number that may not be exceeded; one counts from the first kilogram on.

    A purchase that may come from several counts for each of them; one whose list of countries is not complete counts for a
    country of its own besides.
    """

    surely: ClassVar[bool] = False

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase may come from `name`, or from where nobody knows."""
        return super().is_from(offer, name) or name == _unknown(offer)

    def sellers(self, facts: Facts, group: str) -> list[str]:
        """All that it is about, and a name for every offer whose list is not complete."""
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
        """One row for every group, place if each is counted on its own, and stretch in which there are more to choose from."""
        for group, part in self.groups(facts):
            names = self.sellers(part, group)
            if len(names) <= most:
                continue
            for at in self.at_each(part):
                for label, periods in part.spans(self.per):
                    terms = [self.used(part, group, name, periods, Decimal(0), at) for name in names]
                    asked = tuple(term for term in terms if not term.is_empty)
                    if len(asked) > most:
                        yield self.at_most(part, _label(group, at, label), asked, most)

    def at_most(self, facts: Facts, label: str, terms: tuple[Term, ...], most: int) -> Row:
        """The row that keeps the number."""
        bound = Decimal(most)
        return Row(
            label=label,
            terms=terms,
            at_most=bound,
            sentence=self.sentence(),
            penalty=self.penalty,
            reads=self.reads(facts),
        )


class MaxSuppliers(_Capped):
    """At most so many suppliers of each material; one counts from the first kilogram on.

    A purchase that may come from several counts for each of them; one whose list of countries is not complete counts for a
    country of its own besides.
    """

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-suppliers"] = "max-suppliers"
    count: int = Field(ge=1)
    """How many."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group and stretch in which there are more to choose from."""
        return self.most_sellers(facts, self.count)

    def sentence(self) -> str:
        """The cap in one sentence."""
        return f"At most {self.count} {NOUNS[self.by]}{self.whom()} of {self.where()}."


class SingleSource(_Capped):
    """One supplier alone for each material at each place, over a stretch of time.

    What is short is from nobody, and stock in hand and orders already placed are not counted. Demands for the same material
    at the same place have the same supplier.
    """

    kind: Literal["single-source"] = "single-source"
    by: By = "supplier"
    """Who is alone: one supplier, site, parent company, country or bloc."""
    per: Per = "horizon"
    """Over which stretch it is the same one: the whole plan, every calendar year, or every period."""
    each_place: bool = True
    """Whether every place of delivery has a source of its own; false: one for all places."""

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group, place and stretch in which there are several to choose from."""
        return self.most_sellers(facts, 1)

    def sentence(self) -> str:
        """The rule in one sentence."""
        return f"One {NOUN[self.by]}{self.whom()} alone of {self.where()}."


class MaxPlaces(_Capped):
    """At most so many places that anyone delivers to; a place counts from the first kilogram on."""

    model_config = {"json_schema_extra": {"examples": [{"count": 1}]}}

    kind: Literal["max-places"] = "max-places"
    by: By = "facility"
    """Whose places are counted: each site's, supplier's, parent company's, country's or bloc's."""
    count: int = Field(ge=1)
    """How many."""

    @model_validator(mode="after")
    def _counts_places(self) -> MaxPlaces:
        if self.each_place:
            raise ValueError("`each_place` counts one place on its own, and `max-places` counts places")
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for everyone who can deliver to more places, for every group and stretch."""
        for group, part in self.groups(facts):
            for name in self.sellers(part, group):
                for label, periods in part.spans(self.per):
                    found = (self.used(part, group, name, periods, Decimal(0), place.id) for place in part.places)
                    terms = tuple(term for term in found if not term.is_empty)
                    if len(terms) > self.count:
                        yield self.at_most(part, _label(group, name, label), terms, self.count)

    def sentence(self) -> str:
        """The cap in one sentence."""
        return f"No {NOUN[self.by]}{self.whom()} may deliver to more than {self.count} places of {self.where()}."


def _label(*words: str) -> str:
    return " ".join(word for word in words if word)


def _unknown(offer: Chained) -> str:
    return f"unknown origin of {offer.offer.id}"
