"""Terms of trade: what ordering at all costs, and how much must or may be ordered."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated

from .base import Fault, Given
from .bearing import Bearing
from .values import CurrencyOrBlank, Kilograms, Money, Sites
from .written import Written

FIGURES = ("fixed", "least", "most", "setup_use")
"""What terms may say."""


class Terms(Bearing):
    """What ordering at all costs and asks for: from an offer, a facility or a supplier, for all it delivers or a part of that.

    A period takes part if any of its days lies within the dates: terms ask for money and quantities, and are not escaped by
    ordering in a period that begins before them.
    """

    places: Annotated[Sites, Written("US;JP")] = frozenset()
    """Places of delivery it is about; blank: all."""
    fixed: Annotated[Money | None, Written("12000 USD")] = None
    """Due in every span in which anything is ordered, in its first period."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of `fixed`."""
    least: Annotated[Kilograms | None, Written("2 t")] = None
    """Least ordered in a span, if anything is."""
    most: Annotated[Kilograms | None, Written("40 t")] = None
    """Most ordered in a span."""
    setup_use: Annotated[Kilograms | None, Written("500 kg")] = None
    """Capacity of the facility that any order in a period takes, whatever its size; only with `per` = `period`."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day: a period counts if any of its days lies within."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Terms that say nothing, or what nobody can keep."""
        yield from super().faults(given)
        least, most = given.get("least"), given.get("most")
        if all(given.get(name) is None for name in FIGURES):
            yield Fault(
                "fixed",
                "the terms say nothing",
                f"one of {', '.join(FIGURES)}",
                "fill one in, or delete the row",
                turns_on=FIGURES,
            )
        if least is not None and most is not None and least > most:
            yield Fault("least", "is more than `most`", "", "exchange the two, or mend one")
        if given.get("setup_use") is None:
            return
        if given.get("of") == "supplier":
            yield Fault("setup_use", "a supplier has no capacity to set up", "", "name an offer or a facility")
        if given.get("per", "period") != "period":
            message = f"a set-up is for a period, not for a {given['per']}"
            yield Fault("setup_use", message, "per = period", "write the set-up in a row of its own")

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        to = f" to {', '.join(sorted(self.places))}" if self.places else ""
        return super().name + to

    @property
    def switches(self) -> bool:
        """Whether it makes a difference that anything is ordered at all."""
        return bool(self.fixed or self.least or self.setup_use)
