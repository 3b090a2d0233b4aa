"""Terms of trade: what ordering at all costs, and how much must or may be ordered; and what that bears on, added up over spans of time."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated, Literal

from .base import Dated, Fault, Given
from .evidence import Cited
from .values import CurrencyOrBlank, Idents, Kilograms, Money, Sites
from .written import Written

SPANS = {"period": "per period", "year": "per year", "horizon": "over the plan"}
"""Spans over which purchases are added up, in words."""


class Bearing(Dated):
    """Something said of all that is ordered from an offer, a facility or a supplier, or of a part of that."""

    of: Annotated[Literal["offer", "facility", "supplier"], Written("supplier", needed=False)]
    """What `id` names; blank: an offer."""
    id: Annotated[str, Written("Acme")]
    """The offer, facility (with those within it) or supplier, of this catalog or one it requires."""
    materials: Annotated[Idents, Written("dy-oxide;tb-oxide")] = frozenset()
    """Materials it is about; blank: all.

    Of an offer with several outputs the runs are counted, and only if all its outputs are meant."""
    per: Annotated[Literal["period", "year", "horizon"], Written("year")]
    """Span over which orders are added up: a period, a calendar year, or the whole plan."""
    start: Annotated[datetime.date | None, Written("2027-01-01", "from")] = None
    """First day of the orders it is about."""
    end: Annotated[datetime.date | None, Written("2029-12-31", "until")] = None
    """Last day."""
    source: Cited = ""

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        about = f" ({', '.join(sorted(self.materials))})" if self.materials else ""
        return f"{self.of} {self.id}{about}"

    @property
    def order(self) -> tuple[str, ...]:
        """What they are sorted by: what they are about, then all the rest."""
        return (self.of, self.id, self.model_dump_json())


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
