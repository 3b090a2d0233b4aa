"""Money and quantities that the planner fixes: budgets and pins."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from ....domain.base import Number
from ....domain.facts import Place
from ....domain.time import Span
from ....domain.use import Chained
from ....errors import InputError, Problem
from ....reading.suggest import did_you_mean
from ...base import Facts, Rule
from ...rows import Row
from ..shared import Covering
from .amounts import Kilograms
from .counting import Per


class Budget(Covering, Rule):
    """No more money than so much: price, charges, freight, onboarding and holding, not discounted, by day of order."""

    kind: Literal["budget"] = "budget"
    amount: Number = Field(ge=0)
    """Money in the case's currency."""
    per: Per = "year"
    """For every period, every calendar year, or the whole plan."""
    penalty: Number | None = Field(default=None, gt=0)
    """Money per unit of money by which it may be overdrawn; none: it must hold."""

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
        stretch = {"period": "in any period", "year": "in any year", "horizon": "over the plan"}[self.per]
        return f"No more than {self.amount:,f} may be spent on {self.subject()} {stretch}."


class Pin(Rule):
    """What the planner has decided: so much from an offer, over some deliveries."""

    kind: Literal["pin"] = "pin"
    offer: str
    """The offer."""
    place: str = ""
    """Where it is delivered; empty: anywhere."""
    material: str = ""
    """Which of its outputs; empty: all."""
    exactly: Kilograms | None = None
    at_least: Kilograms | None = None
    at_most: Kilograms | None = None
    start: datetime.date | None = Field(default=None, alias="from")
    """First day of the deliveries it is about."""
    end: datetime.date | None = Field(default=None, alias="until")
    """Last day."""
    penalty: Number | None = Field(default=None, gt=0)
    """Money per kilogram by which it may be missed; none: it must hold."""

    model_config = {**Rule.model_config, "populate_by_name": True, "serialize_by_alias": True}

    @model_validator(mode="after")
    def _says_how_much(self) -> Pin:
        bounds = (self.at_least, self.at_most)
        if (self.exactly is None) == (bounds == (None, None)):
            raise ValueError("give either `exactly`, or `at_least` or `at_most` or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("`at_least` is more than `at_most`")
        return self

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row over all deliveries it is about.

        Raises:
            InputError: if no offer that counts has this name.
        """
        known = {offer.offer.id for offer in facts.offers}
        if self.offer not in known:
            raise InputError(
                Problem(
                    f"rule `{self.id}` pins an offer that does not count in this case",
                    column="rule.offer",
                    found=self.offer,
                    expected="an offer with a capacity and a price (a lead has none)",
                    fix=did_you_mean(self.offer, known) or "give the lead its figures with [[assume.offer]]",
                )
            )
        dates = Span(start=self.start, end=self.end)
        periods = [p.index for p in facts.horizon.periods if dates.meets(p.span)]
        term = facts.bought(self._counts, periods)
        lower = self.exactly if self.exactly is not None else self.at_least
        upper = self.exactly if self.exactly is not None else self.at_most
        yield Row(
            label=self.offer,
            terms=(term,),
            at_least=lower,
            at_most=upper,
            sentence=self.sentence(),
            penalty=self.penalty,
            reads=frozenset(offer.material.id for offer in facts.offers if offer.offer.id == self.offer),
        )

    def _counts(self, offer: Chained, place: Place) -> Decimal:
        named = offer.offer.id == self.offer and self.material in ("", offer.material.id)
        return Decimal(1) if named and self.place in ("", place.id) else Decimal(0)

    def sentence(self) -> str:
        """The pin in one sentence."""
        parts = [
            f"exactly {self.exactly:,f} kg" if self.exactly is not None else "",
            f"at least {self.at_least:,f} kg" if self.at_least is not None else "",
            f"at most {self.at_most:,f} kg" if self.at_most is not None else "",
        ]
        when = f", delivered {Span(start=self.start, end=self.end)}" if self.start or self.end else ""
        where = f" to {self.place}" if self.place else ""
        return f"Buy {' and '.join(part for part in parts if part)} from {self.offer}{where}{when}."
