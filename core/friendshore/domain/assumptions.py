"""What a case takes as given of capacities, rules and offers, and what it assumes where nobody published a figure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from .base import Fault, Fitting, Given, Record
from .countries import COVERED_NATIONS
from .evidence import Confidence, Why
from .facts import ChainEntry, Price, Status
from .fitting import half_assumed
from .naming import Names
from .values import CountryCodes, EndUse, Fraction, KilogramsPerYear, MoneyPerKilogram, Months, YearlyShare, ident
from .written import BESIDE, Written

CAPACITY_COUNTS: dict[Status, Decimal] = {
    Status.OPERATING: Decimal(1),
    Status.RAMPING: Decimal("0.8"),
    Status.COMMISSIONING: Decimal("0.5"),
    Status.CONSTRUCTION: Decimal(0),
    Status.ANNOUNCED: Decimal(0),
    Status.IDLE: Decimal(0),
    Status.SUPERSEDED: Decimal(0),
    Status.EVENT: Decimal(0),
}
"""What a capacity of each status counts for, unless the case says otherwise. `superseded` and `event` never count."""


class Accept(Record):
    """What the case takes as given."""

    confidence: Annotated[Confidence, Written("verified")] = Confidence.VERIFIED
    """Least confidence that counts; blank: verified.

    Of a capacity, price or chain entry."""
    rule_status: Annotated[tuple[str, ...], Written(["enacted"])] = ("enacted",)
    """Statuses of rules that apply; blank: only enacted."""
    unproven: Annotated[bool, Written(False)] = False
    """Whether an unproven verdict is let pass; blank: no."""
    proven: Annotated[tuple[str, ...], Names("offer")] = ()
    """Offers whose unproven origins are let pass, as if the proof had been brought."""
    oldest_price: Annotated[Months | None, Written("180 days")] = None
    """Greatest age of a price or freight on the day of planning; blank: no limit.

    An older one, or one without a day or of a day to come, is planned with and told; `--strict` refuses it. A month is 365/12 days."""
    capacity: dict[Status, Fraction] = Field(default_factory=dict)
    """What a status counts for, where it differs from the default."""

    @property
    def oldest_price_days(self) -> int | None:
        """The same in whole days."""
        return None if self.oldest_price is None else round(self.oldest_price * 365 / 12)

    def counts(self, status: Status) -> Decimal:
        """The share of a capacity of this status that counts."""
        if status in (Status.SUPERSEDED, Status.EVENT):
            return Decimal(0)
        return self.capacity.get(status, CAPACITY_COUNTS[status])


class Concern(Record):
    """Countries on which the case doesn't want to depend."""

    countries: Annotated[CountryCodes, Written(["CN", "RU"])] = COVERED_NATIONS
    """Countries of concern. Blank: the covered nations of 10 USC 4872 (China with Hong Kong and Macau, Iran, North Korea, and Russia)."""


class OfferAssumption(Fitting):
    """A figure that the case gives to a lead, or puts in the place of a published one."""

    id: Annotated[str, Names("offer"), Written("acme-gallium", sort=ident)]
    """The offer."""
    capacity: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """Mass per time.

    From `start` on."""
    start: Annotated[date | None, Written("2027-07-01")] = Field(default=None, alias="from")
    """First day of the capacity; blank: since ever."""
    price: Annotated[Price | None, BESIDE] = None
    substance: str = ""
    """What `capacity` and `price` are of, where the case names a substance; empty: the basis of what it delivers."""
    chain: tuple[ChainEntry, ...] = ()
    """Entries that take the place of the offer's own at the same stage."""
    why: Why = ""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Nothing that is assumed."""
        if given.get("capacity") is None and given.get("price") is None and not given.get("chain"):
            wanted = ("capacity", "price", "chain")
            yield Fault("", "nothing is assumed of the offer", "a capacity, a price or a chain", turns_on=wanted)


class Assume(Fitting):
    """What the case assumes; printed in every output."""

    lead_time: Annotated[Months, Written("1 quarter")] = Decimal(0)
    """From order to delivery where an offer gives none; blank: 0."""
    safety_lead: Annotated[Months, Written("14 days")] = Decimal(0)
    """Time by which every purchase is ordered earlier than its lead time asks; blank: 0.

    Added to the lead time before it is rounded up to whole periods."""
    freight: Annotated[MoneyPerKilogram | None, Written("2 USD/kg")] = None
    """Freight across a border where none is given, in the case's currency."""
    holding: Annotated[YearlyShare | None, Written("5 %/year")] = None
    """Cost of holding stock, as a share of its value.

    A year; of the material's benchmark or dearest price."""
    priority: Annotated[tuple[EndUse, ...], Written(["defense", "civil"])] = ("defense",)
    """End uses whose shortage is priced above that of those after them, where no `shortage_price` is given; end uses not named come
    last, all alike. Blank: `["defense"]`. `[]`: no priority."""
    licence: dict[str, str] = Field(default_factory=dict)
    """End use -> `granted`: licences that are taken as given."""
    offer: tuple[OfferAssumption, ...] = ()

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Licences that are half assumed."""
        return half_assumed(given)
