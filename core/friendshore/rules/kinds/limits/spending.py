"""Money that may be spent at most."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...dependence import Dependence, dependence_of
from ...rows import Row
from ..shared import Amount, Countries, Covering, EndUses, InMoney, Parties, Rate, for_use, is_party, lands, listed
from .grouped import STRETCH, Per, only, row_of


class Budget(Covering, InMoney):
    """No more money than so much: price less discounts, charges, freight, onboarding, fixed costs and holding, not discounted, by day of order.

    What a price schedule takes off or adds counts when it is settled, if all that the schedule bears on is covered; what terms of
    trade make due at once, and what is paid for and not taken, when it is due, if anything that they are about is covered.
    """

    model_config = {
        "json_schema_extra": {"examples": [{"amount": 5000}, {"amount": "2,000,000 USD", "countries": ["CN"]}]}
    }

    kind: Literal["budget"] = "budget"
    amount: Amount = Field(ge=0)
    """Money: a number in the case's currency, or like `60,000,000 USD`."""
    end_uses: EndUses = frozenset()
    """End uses that it is spent for; none: whatever it is for. Holding is not counted then. Refused where something that is covered costs
    the same whatever it is bought for: onboarding, price schedules, fixed costs, take-or-pay, runs of several goods made of nothing."""
    countries: Countries = frozenset()
    """Countries of concern: only purchases count whose seller, or any step of whose own chain, is or may be in one of them; none: all purchases.
    A step whose country is unknown may be in any. What is made of such goods elsewhere is counted by those goods, not again by what making
    it costs. Holding is not counted then."""
    suppliers: Parties = ()
    """Only purchases from these companies, or from companies that they own; none: from all. Holding is not counted then."""
    per: Per = "year"
    """For every period, every calendar year, or the whole plan."""
    penalty: Rate | None = Field(default=None, gt=0)
    """Money per unit of money by which it may be overdrawn, or like `10 %`; none: it must hold."""

    amounts: ClassVar[tuple[str, ...]] = ("amount",)

    @property
    def is_in_all(self) -> bool:
        """Whether it is about all money that is spent, holding included."""
        return self.subject() == "any material" and not (self.end_uses or self.countries or self.suppliers)

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every stretch."""
        counted: dict[int, Decimal] = {}

        def counts(offer: Chained, _place: Place) -> Decimal:
            if id(offer) not in counted:
                counted[id(offer)] = Decimal(self.counts(offer))
            return counted[id(offer)]

        reads = frozenset(material.id for material in facts.materials if self.covers(material))
        for label, periods in facts.spans(self.per):
            terms = tuple(facts.spent(counts, periods, only(self.end_uses, surely=False)))
            if self.is_in_all:
                terms = (*terms, facts.holding(periods))
            yield row_of(self, label, terms, at_most=self.amount, reads=reads)

    def counts(self, offer: Chained) -> bool:
        """Return True if what is paid for purchases from an offer counts."""
        if not self.covers(offer.material):
            return False
        sellers = (offer.facility.supplier, offer.facility.owner)
        if self.suppliers and not any(is_party(name, self.suppliers) for name in sellers):
            return False
        return not self.countries or dependence_of(offer, self.countries) is not Dependence.NO

    def sentence(self) -> str:
        stretch = STRETCH[self.per].replace("every", "any")
        on = "in all, holding included," if self.is_in_all else f"on {self.subject()}{for_use(self.end_uses)}"
        on += f" from {listed(self.suppliers, 'or')}" if self.suppliers else ""
        on += f", sold or made, or possibly made, in {lands(self.countries, 'or')}," if self.countries else ""
        return f"No more than {self.amount:,f}, in the case's currency, may be spent {on} {stretch}."
