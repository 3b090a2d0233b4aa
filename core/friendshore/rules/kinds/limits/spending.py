"""Money that may be spent at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...dependence import Dependence, dependence_of
from ...rows import ForUses, Row
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
    """Countries of concern: only purchases count whose seller, or any step of whose chain, is or may be in one of them, and what is made of
    such goods; none: all purchases. A step whose country is unknown may be in any. Holding is not counted then, nor are one-off costs of
    makers elsewhere."""
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

    @property
    def keeps_apart(self) -> bool:
        return bool(self.countries)

    def taints(self, offer: Chained) -> bool:
        return dependence_of(offer, self.countries) is not Dependence.NO

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every stretch."""
        reads = frozenset(material.id for material in facts.materials if self.covers(material))
        uses, made_of = only(self.end_uses, surely=False), ForUses(self.end_uses, surely=False, not_free_of=self.id)
        counts, makers = _asked_once(self.counts), _asked_once(self.counts_if_tainted)
        for label, periods in facts.spans(self.per):
            terms = tuple(facts.spent(counts, periods, uses))
            if self.is_in_all:
                terms = (*terms, facts.holding(periods))
            if self.countries:
                terms = (*terms, *facts.spent(makers, periods, made_of))
            yield row_of(self, label, terms, at_most=self.amount, reads=reads)

    def counts(self, offer: Chained) -> bool:
        """Return True if what is paid for purchases from an offer counts, whatever the offer takes in."""
        return self._is_about(offer) and (not self.countries or self.taints(offer))

    def counts_if_tainted(self, offer: Chained) -> bool:
        """Return True if what is paid for purchases from an offer counts where its inputs are, or may be, of concern."""
        return bool(self.countries and offer.offer.inputs) and self._is_about(offer) and not self.taints(offer)

    def _is_about(self, offer: Chained) -> bool:
        sellers = (offer.facility.supplier, offer.facility.owner)
        sold = not self.suppliers or any(is_party(name, self.suppliers) for name in sellers)
        return sold and self.covers(offer.material)

    def sentence(self) -> str:
        stretch = STRETCH[self.per].replace("every", "any")
        on = "in all, holding included," if self.is_in_all else f"on {self.subject()}{for_use(self.end_uses)}"
        on += f" from {listed(self.suppliers, 'or')}" if self.suppliers else ""
        on += (
            f" that is, or may be, sold or made in {lands(self.countries, 'or')}, or made of such inputs,"
            if self.countries
            else ""
        )
        return f"No more than {self.amount:,f}, in the case's currency, may be spent {on} {stretch}."


def _asked_once(counts: Callable[[Chained], bool]) -> Callable[[Chained, Place], Decimal]:
    """Return what a purchase counts, asking once for each offer."""
    known: dict[int, Decimal] = {}

    def count(offer: Chained, _place: Place) -> Decimal:
        if id(offer) not in known:
            known[id(offer)] = Decimal(counts(offer))
        return known[id(offer)]

    return count
