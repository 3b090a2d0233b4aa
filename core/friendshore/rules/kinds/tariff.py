"""Tariff: duty on goods that enter a customs territory."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import model_validator

from ...domain.base import exact
from ...domain.facts import Material
from ...domain.use import Chained, Move, Use
from ...errors import InputError
from ..base import Rule
from .shared import Countries, Covering, PerKilogram, Rate, lands, listed, named_currency


class Tariff(Covering, Rule):
    """Duty on a move that enters a customs territory, input or final good alike. Several tariffs on one move add up."""

    model_config = {"json_schema_extra": {"examples": [{"origins": ["CN"], "rate": 0.25}]}}

    kind: Literal["tariff"] = "tariff"
    territory: Countries = frozenset({"PR", "US"})
    """The customs territory: the countries it consists of. That of the United States holds Puerto Rico (19 CFR 101.1)."""
    origins: Countries = frozenset()
    """Customs origins that pay it; none: all."""
    except_origins: Countries = frozenset()
    """Customs origins that do not."""
    rate: Rate = Decimal(0)
    """Share of the value, like `25 %`. 0 records that the line is free."""
    basis: Literal["fob"] = "fob"
    """What the value is: the price without international freight, as in the United States. A territory that adds freight
    (`cif`) is refused rather than computed wrongly."""
    specific: PerKilogram | None = None
    """Money per kilogram on top of it: a number, or like `1.5 USD/kg`."""
    specific_currency: str = ""
    """Currency of `specific`, ISO 4217, where it names none."""
    specific_per: Literal["basis", "element"] = "basis"
    """What the kilograms of `specific` weigh: the material's basis, or the element in it. Where its content is not known
    all of it counts, which is the most that can be due."""

    bears_on: ClassVar[Literal["chain", "trade"]] = "trade"
    charge_reads_use: ClassVar[bool] = False

    @model_validator(mode="before")
    @classmethod
    def _names_its_currency(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        named = named_currency(data.get("specific"))
        if named and data.get("specific_currency", named) != named:
            raise ValueError(f"`specific` is in {named}, and `specific_currency` says {data['specific_currency']}")
        return {**data, "specific_currency": named} if named else data

    @model_validator(mode="after")
    def _sensible(self) -> Tariff:
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
        """The same tariff with its specific duty in another currency, the one in which `charge` is to answer.

        Raises:
            InputError: if there is a specific duty to convert and no rate.
        """
        if not self.specific or currency == self.specific_currency:
            return self
        rate = exchange(self.specific_currency)
        if rate is None:
            raise InputError(
                f"the specific duty of rule `{self.id}` cannot be charged in {currency}",
                found=f"{self.specific} {self.specific_currency}/kg",
                expected=f"an exchange rate from {self.specific_currency} to {currency}",
                fix="add a catalog with that rate, or plan in the duty's own currency",
            )
        return self.but(specific=exact(self.specific * rate), specific_currency=currency)

    def charges_on(self, material: Material) -> bool:
        return self.covers(material)

    def charge(self, offer: Chained, move: Move, use: Use, origin: str, value: Decimal) -> Decimal:
        """Duty per kilogram of the material's basis; the specific part in `specific_currency` (see `in_currency`)."""
        del use  # customs ask what enters and from where, not what for
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
        parts = [f"{(self.rate * 100).normalize():f} % of the value"] if self.rate else []
        if self.specific:
            per = "kg of element" if self.specific_per == "element" else "kg"
            parts.append(f"{self.specific:f} {self.specific_currency} per {per}")
        origin = f" of {lands(self.origins, 'or')} origin" if self.origins else ""
        others = f" not of {lands(self.except_origins, 'or')} origin" if self.except_origins else ""
        duty = f"a duty of {listed(parts, 'plus')}" if parts else "no duty"
        text = f"{self.subject()}{origin}{others} entering {lands(self.territory, 'or')}: {duty}."
        return text[0].upper() + text[1:]
