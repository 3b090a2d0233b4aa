"""Shortages in a run and their causes, conflicts of hard rules, and rounding of dates and durations to whole periods."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Literal

from .base import Number, Record
from .quantities import readable

CauseKind = Literal[
    "law", "proof", "limit", "lead time", "date", "capacity", "storage", "terms", "no offer", "inputs",
    "competition", "price", "rank", "conflict", "rounding", "undetermined",
]  # fmt: skip
# Multiple of a shortage price above which a cost counts as more. A smaller difference may come from the solver.
_MORE = Decimal("1.000001")
# Maximum number of names in a sentence. The JSON form has all of them.
_MAX_NAMES = 2
_UNPROVEN = "unproven"
_BRIEF = {
    "proof": "origin unproven",
    "terms": "order terms",
    "competition": "other demand takes the supply",
    "conflict": "hard rules conflict",
    "undetermined": "undetermined within the time limit",
}


class RunRestriction(Record):
    """A restriction that keeps supply from a demand."""

    kind: CauseKind
    """`lead time`: from order to delivery. `date`: start or end of an offer or a capacity, qualification of a supplier, or arrival of an open order.
    `capacity`: of plants and offers. `storage`: maximum stock. `terms`: minimum orders, lots, fixed costs, and the like. `limit`: a limit rule, such
    as a cap or a budget. `law`: a rule that prohibits an offer, or that requires a license. `proof`: an origin that isn't proved. `no offer`: no offer
    of the material has a known capacity and price. `inputs`: a maker lacks an input. `competition`: other demand takes the supply. `price`: more
    supply costs at least as much as the shortage. `rank`: the case ranks other objectives first. `conflict`: hard rules conflict. `rounding`: a few
    grams, from rounding to the case's resolution. `undetermined`: the time limit ended the search."""
    names: list[str] = []
    """Ids of rules (`limit`, `law`, `conflict`), demands (`competition`), or materials (`inputs`). Otherwise, ids of offers and open orders that would
    deliver more without the restriction."""
    offers: list[str] = []
    """Offers and open orders that would deliver more without it, if they aren't in `names`."""
    first: str = ""
    """First period in which these can deliver (`lead time`, `date`). Empty if they can't within the plan."""
    reasons: list[str] = []
    """Figures that the offers lack (`no offer`)."""
    marginal_cost: Number | None = None
    """Cost of the next kilogram, in money of its period (`price`)."""
    shortage_price: Number | None = None
    """Shortage price that it exceeds (`price`)."""
    currency: str = ""
    """Currency of both."""

    @property
    def brief(self) -> str:
        match self.kind:
            case "limit" | "law":
                return f"{self.kind}: {_first_names(self.names)}"
            case "price":
                return f"costs {self._compared} its shortage price"
            case "rank":
                return f"ranked lower than {_first_names(self.names)}"
            case "inputs":
                return f"no input: {_first_names(self.names)}"
            case "no offer":
                return "no usable offer"
            case _:
                return _BRIEF.get(self.kind, self.kind)

    @property
    def short_name(self) -> str:
        if self.kind in ("limit", "law") and self.names:
            return _first_names(self.names)
        return _UNPROVEN if self.kind == "proof" else self.brief

    @property
    def as_shown(self) -> str:
        """The restriction with its figures, and the offers that it excludes only if it concerns offers."""
        match self.kind:
            case "lead time" | "date":
                return f"{self.kind}: arrives {self.first or 'after the plan'}"
            case "no offer":
                return f"no usable offer: {', '.join(self.reasons)}" if self.reasons else "no offer"
            case "price":
                cost, price = (readable(money or Decimal(0)) for money in (self.marginal_cost, self.shortage_price))
                return f"costs {self.currency} {cost}/kg, {self._compared} its shortage price of {price}"
            case "capacity" | "storage" | "terms" | "competition" | "conflict":
                return f"{self.brief} ({_first_names(self.names)})" if self.names else self.brief
            case _:
                return self.brief

    @property
    def _compared(self) -> str:
        return "more than" if (self.marginal_cost or 0) > (self.shortage_price or 0) * _MORE else "as much as"

    def __str__(self) -> str:
        offers = self.offers if self.kind in ("limit", "law") else self.names
        concerns_offers = self.kind in ("limit", "law", "lead time", "date", "no offer", "proof")
        return f"{self.as_shown} ({_first_names(offers)})" if concerns_offers and offers else self.as_shown


def _first_names(names: list[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


class RunSupplyCause(Record):
    """A cause of a shortage: a minimal set of restrictions. Without them, the cheapest plan reduces the shortage, and no other in any period grows."""

    restrictions: list[RunRestriction]
    served_kg: Number | None
    """Kilograms of this shortage that the plan without them serves. None if no restriction can be removed, or if unknown."""

    @property
    def key(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Kinds and names, equal for the same cause of other shortages."""
        return tuple((restriction.kind, tuple(restriction.names)) for restriction in self.restrictions)

    @property
    def kinds(self) -> str:
        return " and ".join(dict.fromkeys(restriction.kind for restriction in self.restrictions))

    @property
    def short_kinds(self) -> str:
        return " + ".join(
            dict.fromkeys(
                _UNPROVEN if restriction.kind == "proof" else restriction.kind for restriction in self.restrictions
            )
        )

    @property
    def brief(self) -> str:
        return " and ".join(restriction.brief for restriction in self.restrictions)

    @property
    def as_shown(self) -> str:
        return " and ".join(restriction.as_shown for restriction in self.restrictions)

    def __str__(self) -> str:
        return " and ".join(map(str, self.restrictions))


class RunShortage(Record):
    """Shortage of a demand in a period."""

    demand: str
    material: str
    end_use: str
    place: str
    period: str
    quantity_kg: Number
    wanted_kg: Number
    causes: list[RunSupplyCause]
    """Causes, the one with the most kilograms first. Each is a cause by itself: removing any one of them reduces the shortage."""
    competes_with: list[str] = []
    """Other demands with a shortage that the same supply can serve. Supply for one is taken from the others."""


class RunConflict(Record):
    """Conflict of hard rules."""

    rules: list[str]
    sentences: list[str]
    materials: list[str]
    demands: list[str]
    holds_from: dict[str, datetime.date] = {}
    """Rule with a minimum, among these rules -> first day of a period from which all rules can be satisfied, if the minimum doesn't apply before."""


class RunRounded(Record):
    """A date within a period, or a duration that isn't a whole number of periods, with the value that the plan uses."""

    kind: Literal["rule", "offer", "quotation", "waiver", "licence", "store", "lane", "lead time"]
    name: str
    """Rule, offer, waiver, or license. Material and place of a store. Offer and place of a lane."""
    stated: str
    """Value in the facts: `from 2027-03-01`, `until 2027-03-31`, `4 months`."""
    counted: str
    """Value in the plan, in the same words."""


class RunByMonths(Record):
    """Shortage of a demand in the plan, and in a plan of the same facts in months."""

    demand: str
    short_kg: Number
    """Kilograms short in the plan."""
    by_months_kg: Number | None
    """Kilograms short in the cheapest plan of the same facts with months as periods, verified in the same way. None if it wasn't planned."""
    only_kg: Number = Decimal(0)
    """Kilograms short only because of the length of the periods: the reduction in the monthly plan."""
    note: str = ""
    """Reason why it wasn't planned in months."""
