"""What the planner fixes by name: so much from an offer, or from several by weight."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ....domain.facts import Place
from ....domain.suggest import did_you_mean
from ....domain.time import Span
from ....domain.use import Chained
from ....errors import Diagnostic, InputError
from ...base import Facts, Names, Rule
from ...rows import Row
from ..shared import EndUses, InMoney, Kilograms, PerKilogram, WeightTable, for_use, listed
from .grouped import STRETCH, Per, ends, in_words, must_bound, row_of


class Pin(InMoney):
    """What the planner has decided: so much from an offer, or from several by weight, over some deliveries."""

    kind: Literal["pin"] = "pin"
    offer: Annotated[str, Names("offer")] = ""
    """The offer."""
    offers: Annotated[WeightTable, Names("offer")] = ()
    """Or several: a table of offers, each with what a kilogram from it counts, like `{ a = 1, b = 0.5 }`."""
    place: Annotated[str, Names("place")] = ""
    """Where it is delivered; empty: anywhere."""
    places: Annotated[tuple[str, ...], Names("place")] = ()
    """Or several places, counted together."""
    material: Annotated[str, Names("material")] = ""
    """Which of its outputs; empty: all."""
    exactly: Kilograms | None = None
    """So much, in kilograms (times their weights)."""
    at_least: Kilograms | None = None
    """No less than so much."""
    at_most: Kilograms | None = None
    """No more than so much."""
    end_uses: EndUses = frozenset()
    """End uses that it is bought for; none: whatever it is for. What is bought for several uses at once counts where it may be too much,
    and not where it may be too little."""
    per: Per = "horizon"
    """Over which stretch of the deliveries it is about: all of them, each calendar year, or each period."""
    start: datetime.date | None = Field(default=None, alias="from")
    """First day of the deliveries, or orders, it is about."""
    end: datetime.date | None = Field(default=None, alias="until")
    """Last day."""
    penalty: PerKilogram | None = Field(default=None, gt=0)
    """Money per kilogram, a number or like `5 USD/kg`, by which it may be missed; none: it must hold."""

    may_count_orders: ClassVar[bool] = True

    model_config = {
        **Rule.model_config,
        "json_schema_extra": {"examples": [{"offer": "acme-metal", "at_most": "10 t"}]},
    }

    @model_validator(mode="after")
    def _says_how_much(self) -> Pin:
        must_bound(self)
        if bool(self.offer) == bool(self.offers):
            raise ValueError("give either `offer`, or a table of `offers` with what a kilogram from each counts")
        if self.place and self.places:
            raise ValueError("give either `place` or `places`")
        return self

    @property
    def counted_end_uses(self) -> frozenset[str]:
        return self.end_uses

    @property
    def weights(self) -> dict[str, Decimal]:
        """Offer -> what a kilogram from it counts."""
        return dict(self.offers) or {self.offer: Decimal(1)}

    def rows(self, facts: Facts) -> Iterable[Row]:
        """One row for each stretch of the deliveries it is about.

        Raises:
            InputError: if no offer that counts has one of the names.
        """
        known = {offer.offer.id for offer in facts.offers}
        unknown = [self._unknown(name, known) for name in self.weights if name not in known]
        if unknown:
            raise InputError(unknown)
        dates = Span(start=self.start, end=self.end)
        about = {p.index for p in facts.horizon.periods if dates.meets(p.span)}
        for label, periods in facts.spans(self.per):
            here = [t for t in periods if t in about]
            for end in ends(self) if here or self.per == "horizon" else ():
                name = listed(self.weights) + ("" if self.per == "horizon" else f" {label}") + end.name
                bought = facts.bought(self._counts, here, for_uses=end.for_uses)
                reads = frozenset(o.material.id for o in facts.offers if o.offer.id in self.weights)
                yield row_of(self, name, (bought,), end.at_least, end.at_most, reads)

    def _unknown(self, name: str, known: set[str]) -> Diagnostic:
        return Diagnostic(
            f"rule `{self.id}` pins an offer that does not count in this case",
            column="rule.offer",
            found=name,
            expected="an offer with a capacity and a price (a lead has none)",
            fix=did_you_mean(name, known) or "give the lead its figures with [[assume.offer]]",
        )

    def _counts(self, offer: Chained, place: Place) -> Decimal:
        here = place.id in (self.places or (self.place or place.id,))
        named = here and self.material in ("", offer.material.id)
        return self.weights.get(offer.offer.id, Decimal(0)) if named else Decimal(0)

    def sentence(self) -> str:
        told = [name if weight == 1 else f"{name} (times {weight:f})" for name, weight in self.weights.items()]
        span = Span(start=self.start, end=self.end)
        day = "ordered" if self.dated_by == "order" else "delivered"
        when = f", {day} {span}" if self.start or self.end else ", by day of order" if day == "ordered" else ""
        every = "" if self.per == "horizon" else f" {STRETCH[self.per]}"
        where = f" to {listed(self.places or (self.place,), 'or')}" if self.place or self.places else ""
        return f"Buy {in_words(self)} from {listed(told)}{for_use(self.end_uses)}{where}{every}{when}."
