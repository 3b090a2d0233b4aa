"""How many suppliers: at least so many, at most so many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...rows import Row, Term
from .amounts import Share
from .counting import By, ByCountries, read_by


class _Counted(ByCountries):
    """A number of suppliers (or countries, parents, sites) of each material."""

    by: By = "supplier"
    """Who is counted."""
    count: int = Field(ge=1)
    """How many."""
    surely: ClassVar[bool]
    """Whether only purchases count that cannot end elsewhere."""

    def used(self, facts: Facts, group: str, name: str, periods: Sequence[int], at_least: Decimal) -> Term:
        """1 if enough is bought of a group from one of them."""
        everything = self.counted(facts, group, self.surely)

        def counts(offer: Chained, place: Place) -> Decimal:
            return everything(offer, place) if self.is_from(offer, name) else Decimal(0)

        return facts.used(counts, periods, at_least)

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase counts for `name`."""
        return name in self.may_be(offer)[0]

    def noun(self) -> str:
        """Who is counted, in words."""
        return {"country": "countries", "supplier": "suppliers", "parent": "parent companies", "facility": "sites"}[
            self.by
        ]

    def stretch(self) -> str:
        """Over which time, in words."""
        return {"period": "in every period", "year": "in every year", "horizon": "over the plan"}[self.per]


class MinSuppliers(_Counted):
    """At least so many suppliers of each material; one counts from a least share of the demand on.

    A purchase that may come from several counts for none of them: a floor needs certainty.
    """

    kind: Literal["min-suppliers"] = "min-suppliers"
    surely: ClassVar[bool] = True
    least_share: Share = Decimal("0.05")
    """Share of the demand from which a supplier counts."""

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase surely comes from `name`."""
        names, complete = self.may_be(offer)
        return complete and names == {name}

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group and stretch with a demand."""
        for group, part in self.groups(facts):
            names = self.about(self.everyone(part, group))
            for label, periods in facts.spans(self.per):
                base = self.demanded(part, group, periods)
                if base:
                    least = self.least_share * base
                    terms = tuple(self.used(part, group, name, periods, least) for name in names)
                    yield Row(
                        label=f"{group} {label}",
                        terms=terms,
                        at_least=Decimal(self.count),
                        sentence=self.sentence(),
                        penalty=self.penalty,
                        reads=read_by(part),
                    )

    def sentence(self) -> str:
        """The floor in one sentence."""
        share = f"{(self.least_share * 100).normalize():f} %"
        return f"At least {self.count} {self.noun()} of {self.subject()}, each with {share} of the demand, {self.stretch()}."


class MaxSuppliers(_Counted):
    """At most so many suppliers of each material; one counts from the first kilogram on.

    A purchase that may come from several counts for each of them; one whose list of countries is not complete counts for a
    country of its own besides.
    """

    kind: Literal["max-suppliers"] = "max-suppliers"
    surely: ClassVar[bool] = False

    def is_from(self, offer: Chained, name: str) -> bool:
        """Whether a purchase may come from `name`, or from where nobody knows."""
        return super().is_from(offer, name) or name == _unknown(offer)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every group and stretch in which there are more to choose from."""
        for group, part in self.groups(facts):
            names = self.about(self.everyone(part, group)) + self._hidden(part, group)
            if len(names) <= self.count:
                continue
            for label, periods in facts.spans(self.per):
                terms = tuple(self.used(part, group, name, periods, Decimal(0)) for name in names)
                yield Row(
                    label=f"{group} {label}",
                    terms=terms,
                    at_most=Decimal(self.count),
                    sentence=self.sentence(),
                    penalty=self.penalty,
                    reads=read_by(part),
                )

    def _hidden(self, facts: Facts, group: str) -> list[str]:
        """A name for every offer whose list is not complete."""
        return [
            _unknown(offer)
            for offer in facts.offers
            if self.group(offer.material) == group and self.takes_part(offer) and not self.may_be(offer)[1]
        ]

    def sentence(self) -> str:
        """The cap in one sentence."""
        return f"At most {self.count} {self.noun()} of {self.subject()}, {self.stretch()}."


def _unknown(offer: Chained) -> str:
    return f"unknown origin of {offer.offer.id}"
