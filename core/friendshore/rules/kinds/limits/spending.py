"""Money that may be spent at most."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ....domain.facts import Place
from ....domain.use import Chained
from ...base import Facts
from ...rows import Row
from ..amounts import Amount, Rate
from ..shared import Covering, InMoney
from .grouped import STRETCH, Per


class Budget(Covering, InMoney):
    """No more money than so much: price less discounts, charges, freight, onboarding, fixed costs and holding, not discounted, by day of order.

    What a price schedule takes off or adds counts when it is settled, if all that the schedule bears on is covered; what terms of
    trade make due at once, and what is paid for and not taken, when it is due, if anything that they are about is covered.
    """

    model_config = {"json_schema_extra": {"examples": [{"amount": 5000}]}}

    kind: Literal["budget"] = "budget"
    amount: Amount = Field(ge=0)
    """Money: a number in the case's currency, or like `60,000,000 USD`."""
    per: Per = "year"
    """For every period, every calendar year, or the whole plan."""
    penalty: Rate | None = Field(default=None, gt=0)
    """Money per unit of money by which it may be overdrawn, or like `10 %`; none: it must hold."""

    amounts: ClassVar[tuple[str, ...]] = ("amount",)

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for every stretch."""

        def counts(offer: Chained, _place: Place) -> Decimal:
            return Decimal(1) if self.covers(offer.material) else Decimal(0)

        reads = frozenset(material.id for material in facts.materials if self.covers(material))
        for label, periods in facts.spans(self.per):
            terms = tuple(facts.spent(counts, periods))
            if self.subject() == "any material":
                terms = (*terms, facts.holding(periods))
            yield Row(
                label=label,
                terms=terms,
                at_most=self.amount,
                sentence=self.sentence(),
                penalty=self.penalty,
                reads=reads,
            )

    def sentence(self) -> str:
        """The budget in one sentence."""
        stretch = STRETCH[self.per].replace("every", "any")
        everything = self.subject() == "any material"
        on = "in all, holding included," if everything else f"on {self.subject()}"
        return f"No more than {self.amount:,f}, in the case's currency, may be spent {on} {stretch}."
