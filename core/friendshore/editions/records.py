"""What two editions of the law or of data do to cases, as records."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import ClassVar

from ..domain.base import Number, Record
from ..domain.plan import Cost
from ..explain.results import QuestionResult
from ..questions.compare.records import Comparison


class Way(Record):
    """An offer, or stock or an order in hand, that comes to a place for a kind of use."""

    offer: str
    """Of stock and orders: what they are called."""
    material: str
    """What it delivers."""
    place: str
    demand_material: str
    """What is demanded in the end."""
    end_use: str
    demand_place: str
    buyer: str
    facts: tuple[tuple[str, str], ...]
    """What the case states of the item."""


class Flip(Way):
    """One verdict that the new edition turns: of a way, on some days."""

    case: str
    start: date
    """First day."""
    end: date
    """Last day."""
    was: str
    """`pass`, `unproven` or `fail` under the old edition."""
    now: str
    """The same under the new edition."""
    was_by: tuple[str, ...]
    """Rules that forbade."""
    now_by: tuple[str, ...]
    """Rules that forbid."""
    reason: str
    """What the first of the rules that forbid says, under the new edition; else under the old one."""
    kg: Number
    """What the plan of the old edition buys this way, of what arrives or is used on such a day."""
    cost: Number
    """Undiscounted money on it."""


class OfferChange(Record):
    """An offer that only one of the two editions has, for a use of the case."""

    case: str
    offer: str
    material: str
    came: bool
    """Whether the new edition brings it; else it is gone."""


class CaseWatched(Record):
    """One case under both editions."""

    case: str
    file: str
    uses: tuple[str, ...] = ()
    """Packs and catalogs with two editions that it uses; none: it is as it was, and not planned."""
    judged: int = 0
    """Offers for uses that were judged under both."""
    kg_at_stake: Number = Decimal(0)
    """What the plan of the old edition buys that the new one forbids, each kilogram once."""
    cost_at_stake: Number = Decimal(0)
    """Undiscounted money on it."""
    comparison: Comparison | None = None
    """The cheapest plan under each edition, side by side: the second is the cheapest repair. None: nothing that the plan follows from differs."""
    error: tuple[str, ...] = ()
    """Why it could not be planned under one of the editions."""


class Watched(QuestionResult):
    """What changing from one edition to the other does to cases."""

    TABLES: ClassVar[tuple[str, ...]] = ("flips", "offers", "cases")

    editions: tuple[str, ...]
    """What there are two editions of."""
    cases: tuple[CaseWatched, ...]
    flips: tuple[Flip, ...]
    """In order of cases, offers, uses and days."""
    offers: tuple[OfferChange, ...]
    """What came and what went."""

    @property
    def rise(self) -> dict[str, Cost]:
        """Case -> what its cheapest plan costs more, line by line."""
        return {
            one.case: one.comparison.cost_after.minus(one.comparison.cost_before)
            for one in self.cases
            if one.comparison is not None
        }
