"""Terms of trade: what ordering at all costs, and how much must or may be ordered."""

from __future__ import annotations

from pydantic import model_validator

from .base import Number, Words
from .bearing import Bearing


class Terms(Bearing):
    """What ordering at all costs and asks for: from an offer, a facility or a supplier, for all it delivers or a part of that.

    A period takes part if any of its days lies within the dates: terms ask for money and quantities, and are not escaped by
    ordering in a period that begins before them.
    """

    places: Words = frozenset()
    """Places of delivery it is about; none: all."""
    fixed: Number | None = None
    """Money due in every span in which anything is ordered, in the span's first period."""
    currency: str = ""
    """ISO 4217, of `fixed`."""
    least: Number | None = None
    """Least units ordered in a span, if any are."""
    most: Number | None = None
    """Most units ordered in a span."""
    setup_use: Number | None = None
    """Kilograms of the facility's capacity that any order in a period takes, whatever its size: a campaign's set-up."""

    @model_validator(mode="after")
    def _say_something(self) -> Terms:
        figures = (self.fixed, self.least, self.most, self.setup_use)
        if all(figure is None for figure in figures):
            raise ValueError("terms say what is due, at least or at most ordered, or taken to set up")
        if any(figure is not None and figure < 0 for figure in figures):
            raise ValueError("no terms are negative")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("no more is asked for than may be ordered")
        if self.setup_use is not None and (self.per != "period" or self.of == "supplier"):
            raise ValueError("a set-up is of an offer or a facility, in a period")
        return self

    @property
    def name(self) -> str:
        """What messages and tables call it."""
        to = f" to {', '.join(sorted(self.places))}" if self.places else ""
        return super().name + to

    @property
    def switches(self) -> bool:
        """Whether it makes a difference that anything is ordered at all."""
        return bool(self.fixed or self.least or self.setup_use)
