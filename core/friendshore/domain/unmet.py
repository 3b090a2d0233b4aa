"""Records of a run about shortages, their causes, conflicts of hard rules, and rounding to whole periods."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from .base import Number, Record
from .quantities import readable
from .shown_names import ShownNames

CauseKind = Literal[
    "law", "proof", "limit", "lead time", "date", "capacity", "storage", "terms", "no offer", "inputs",
    "competition", "price", "rank", "conflict", "rounding", "undetermined",
]  # fmt: skip
CAUSE_CODES: Mapping[CauseKind, str] = {
    "law": "FS750",
    "proof": "FS751",
    "limit": "FS752",
    "lead time": "FS753",
    "date": "FS754",
    "capacity": "FS755",
    "storage": "FS756",
    "terms": "FS757",
    "no offer": "FS758",
    "inputs": "FS759",
    "competition": "FS760",
    "price": "FS761",
    "rank": "FS762",
    "conflict": "FS763",
    "rounding": "FS764",
    "undetermined": "FS765",
}
# Solvers compute costs only to about a millionth. A smaller difference doesn't count as more.
_MIN_RATIO = Decimal("1.000001")
# The JSON form has all names, a sentence only the first.
_MAX_NAMES = 2
_BRIEF = {
    "proof": "origin not proven",
    "terms": "order terms",
    "competition": "other demand takes the supply",
    "conflict": "hard rules conflict",
    "undetermined": "undetermined within the time limit",
}


_SETTLED_BY: Mapping[CauseKind, str] = {
    "law": "rule: an offer of another origin, or a [[waiver]]",
    "limit": "limit: its [[rule]]",
    "proof": "origin not proven: chain.csv, with complete = yes for every stage",
    "lead time": "lead time: offers.csv or lanes.csv",
    "date": "date: offers.csv or capacity.csv",
    "capacity": "capacity: capacity.csv",
    "storage": "storage: [[store]]",
    "terms": "order terms: terms.csv",
    "inputs": "no input: offers.csv",
    "price": "costs: shortage_price of the demand",
}
"""Record that settles a cause. Kinds without a record are missing."""
_FILE_OF_FIGURE = {"capacity": "capacity.csv", "price": "offers.csv or quotes.csv", "exchange rate": "rates.csv"}


class RunRestriction(Record):
    """A restriction that keeps supply from a demand."""

    kind: CauseKind
    """`lead time`: from order to delivery. `date`: start or end of an offer or a capacity, qualification of a supplier, or arrival of an open order.
    `capacity`: of plants and offers. `storage`: maximum stock. `terms`: minimum orders, lots, fixed costs, and the like. `limit`: a limit rule, such
    as a cap or a budget. `law`: a rule that prohibits an offer, or that requires a license. `proof`: an origin that isn't proved. `no offer`: no offer
    of the material has a known capacity and price. `inputs`: a maker lacks an input. `competition`: other demand takes the supply. `price`: more
    supply costs at least as much as the shortage. `rank`: the case ranks other objectives first. `conflict`: hard rules conflict. `rounding`: a few
    grams, from rounding to the case's resolution. `undetermined`: the time limit ended the search."""
    code: str = Field(default="", exclude_if=lambda code: not code)
    """Stable code of the kind, such as `FS753`. Missing in runs of earlier versions."""
    names: list[str] = []
    """Ids of rules (`limit`, `law`, `conflict`), demands (`competition`), or materials (`inputs`). Otherwise, ids of offers and open orders that would
    deliver more without the restriction."""
    offers: list[str] = []
    """Offers and open orders that would deliver more without it, if they aren't in `names`."""
    first: str = ""
    """First period that these can serve from its first day (`lead time`, `date`). They may arrive in the one before. Empty if there is none."""
    reasons: list[str] = []
    """Figures that the offers lack (`no offer`)."""
    marginal_cost: Number | None = None
    """Cost of the next kilogram, in money of its period (`price`)."""
    shortage_price: Number | None = None
    """Shortage price that it exceeds (`price`)."""
    currency: str = ""
    """Currency of both."""

    @classmethod
    def of(cls, kind: CauseKind, **details: Any) -> Self:
        return cls(kind=kind, code=CAUSE_CODES[kind], **details)

    @model_validator(mode="after")
    def _check_code(self) -> Self:
        if self.code not in ("", CAUSE_CODES[self.kind]):
            raise ValueError(f"the code of `{self.kind}` is {CAUSE_CODES[self.kind]}, not {self.code}")
        return self

    def brief(self, names: ShownNames) -> str:
        match self.kind:
            case "law":
                return f"prohibited by {_first_names(self.names, names.rule)}"
            case "limit":
                return f"limited by {_first_names(self.names, names.rule)}"
            case "price":
                return f"costs {self._compared} its shortage price"
            case "rank":
                return f"ranked lower than {_first_names(self.names)}"
            case "inputs":
                return f"no input: {_first_names(self.names, names.material)}"
            case "no offer":
                return "no usable offer"
            case _:
                return _BRIEF.get(self.kind, self.kind)

    def short_name(self, names: ShownNames) -> str:
        """Return the text for a narrow column."""
        if self.kind not in ("limit", "law"):
            return self.brief(names)
        rules = _first_names(self.names, names.rule)
        return f"rule {rules}" if rules.startswith('"') else rules

    def as_shown(self, names: ShownNames) -> str:
        """Return the text with figures. It has the excluded offers only if the restriction is of offers."""
        match self.kind:
            case "lead time" | "date":
                return f"{self.kind}: " + (f"counts from {self.first}" if self.first else "arrives after the plan")
            case "no offer":
                return f"no usable offer: {', '.join(self.reasons)}" if self.reasons else "no offer"
            case "price":
                cost, price = (readable(money or Decimal(0)) for money in (self.marginal_cost, self.shortage_price))
                return f"costs {self.currency} {cost}/kg, {self._compared} its shortage price of {price}"
            case "capacity" | "storage" | "terms" | "competition" | "conflict":
                return f"{self.brief(names)} ({_first_names(self.names)})" if self.names else self.brief(names)
            case _:
                return self.brief(names)

    @property
    def settled_by(self) -> str:
        """The record that settles it. Empty if none does."""
        if self.kind != "no offer":
            return _SETTLED_BY.get(self.kind, "")
        lacks = [figure for figure in _FILE_OF_FIGURE if any(figure in reason for reason in self.reasons)]
        if not lacks:
            return "no usable offer: an offer in offers.csv"
        return f"no usable offer: {', '.join(f'{figure} in {_FILE_OF_FIGURE[figure]}' for figure in lacks)}"

    @property
    def _compared(self) -> str:
        return "more than" if (self.marginal_cost or 0) > (self.shortage_price or 0) * _MIN_RATIO else "as much as"

    def in_full(self, names: ShownNames) -> str:
        offers = self.offers if self.kind in ("limit", "law") else self.names
        has_offers = self.kind in ("limit", "law", "lead time", "date", "no offer", "proof") and bool(offers)
        return f"{self.as_shown(names)} ({_first_names(offers)})" if has_offers else self.as_shown(names)

    def __str__(self) -> str:
        return self.in_full(ShownNames())


def _first_names(names: list[str], shown: Callable[[str], str] = str) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(map(shown, names[:_MAX_NAMES])) + (f" and {more} more" if more > 0 else "")


class RunSupplyCause(Record):
    """A cause of a shortage: a minimal set of restrictions. Without them, the cheapest plan reduces the shortage, and no other in any period grows."""

    restrictions: list[RunRestriction]
    served_kg: Number | None
    """Kilograms of this shortage that the plan without them serves. None if no restriction can be removed, or if unknown."""

    @property
    def key(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Equal for the same cause of other shortages."""
        return tuple((each.kind, tuple(each.names)) for each in self.restrictions)

    @property
    def kinds(self) -> str:
        return " and ".join(dict.fromkeys(each.kind for each in self.restrictions))

    def brief(self, names: ShownNames) -> str:
        return " and ".join(each.brief(names) for each in self.restrictions)

    def short_name(self, names: ShownNames) -> str:
        return " and ".join(each.short_name(names) for each in self.restrictions)

    def as_shown(self, names: ShownNames) -> str:
        return " and ".join(each.as_shown(names) for each in self.restrictions)

    def in_full(self, names: ShownNames) -> str:
        return " and ".join(each.in_full(names) for each in self.restrictions)

    def __str__(self) -> str:
        return self.in_full(ShownNames())


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


class RunRelaxation(Record):
    """A row of a hard limit that the plan doesn't keep, with its stated bound and the one that the plan keeps instead."""

    rule: str
    limit: str
    """Kind of limit, such as `yearly budget`."""
    label: str
    """Row of the limit, such as `2028`."""
    unit: str
    """Unit of the bounds: `kg`, the case's currency, or nothing for a count."""
    stated: Number
    """Bound in the rule."""
    relaxed: Number
    """Bound that the plan keeps."""
    is_balance: bool = False
    """True if the bound is that of a difference or a shortage, which says little by itself."""

    @property
    def by(self) -> Decimal:
        return abs(self.relaxed - self.stated)


class RunConflict(Record):
    """Conflict of hard rules."""

    rules: list[str]
    sentences: list[str]
    materials: list[str]
    demands: list[str]
    feasible_from: dict[str, datetime.date] = {}
    """Rule with a minimum, among these rules -> first day of a period from which all rules can be satisfied, if the minimum doesn't apply before."""


class RunRounded(Record):
    """A date within a period, or a duration that isn't a whole number of periods, with the value that the plan uses."""

    kind: Literal["rule", "offer", "quotation", "waiver", "license", "store", "lane", "lead time"]
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
    monthly_short_kg: Number | None
    """Kilograms short in the cheapest plan of the same facts with months as periods, verified in the same way. None if it wasn't planned."""
    due_to_periods_kg: Number = Decimal(0)
    """Kilograms short only because of the length of the periods: the reduction in the monthly plan."""
    note: str = ""
    """Reason why it wasn't planned in months."""
