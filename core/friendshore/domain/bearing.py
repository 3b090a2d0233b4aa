"""What bears on orders from an offer, a facility or a supplier, added up over spans of time."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from .base import Dated
from .evidence import Cited
from .values import Idents
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
