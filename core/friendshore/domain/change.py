"""One change of a case's facts. Scenarios, bills, repairs, and stress tests are lists of changes."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import model_validator

from .base import CheckedRecord, Fault, FieldValues, Number, date_order_faults
from .evidence import Why
from .facts import Status
from .naming import Names
from .quantities import (
    Mass,
    UnitPrice,
    parse_duration,
    parse_mass,
    parse_number,
    parse_rate,
    parse_share,
    parse_unit_price,
)
from .time import From, Until
from .values import (
    FACTOR,
    MONTHS,
    CountryCodes,
    CurrencyOrBlank,
    EndUse,
    Kilograms,
    KilogramsPerYear,
    LabelOrBlank,
    MoneyPerKilogram,
    NonNegative,
    SignedMoneyPerKilogram,
    SiteOrBlank,
)
from .written import Written


class TermKind(StrEnum):
    """A kind of term of trade, as named by `lift`."""

    FIXED_COST = "fixed-cost"
    """Money due in a span if anything is ordered."""
    MINIMUM_LOAD = "minimum-load"
    """Minimum quantities of one order, and of a span."""
    MAXIMUM_LOAD = "maximum-load"
    """Maximum quantities of one order, of a span, of a year, and over the plan."""
    LOT = "lot"
    ONBOARDING = "onboarding"
    """One-off cost of the first use of an offer."""
    QUALIFICATION = "qualification"
    DATES = "dates"
    """First and last day of orders."""
    LEAD_TIME = "lead-time"
    """Months from order to delivery, on every lane."""
    TAKE_OR_PAY = "take-or-pay"
    SETUP = "setup"
    """Capacity that the setup of a campaign takes."""
    TIERS = "tiers"
    """Prices that depend on the quantity."""


class SubjectKeys(NamedTuple):
    """Keys that go with a subject of a change. Any other key is rejected, because it would have no effect."""

    needs: tuple[tuple[str, ...], ...]
    """Groups of keys, with at least one required key in each."""
    reads: frozenset[str]


def _keys(needs: str = "", reads: str = "") -> SubjectKeys:
    groups = tuple(tuple(group.split("|")) for group in needs.split())
    return SubjectKeys(groups, frozenset((*chain(*groups), *reads.split())))


_SUBJECT = "One of the subjects; a change has exactly one."
Subject = Annotated[str, Written("…", meaning=_SUBJECT)]


class Change(CheckedRecord):
    """One change. It names exactly one subject, and the other fields say how the subject changes."""

    enable: Subject = ""
    """Rule or bill to switch on. A rule's pending and unknown phases then apply, and so do a bill's changes."""
    disable: Subject = ""
    """Rule to switch off, entirely or within `from` and `until`."""
    move: Subject = ""
    """Rule whose phases start no earlier than `from`, or end no later than `until`."""
    remove: Annotated[Subject, Names("offer"), Names("facility")] = ""
    """Offer, facility, supplier, parent company, country (`country:CN`), or catalog (`catalog:world`) to remove, from `from` on. If a name is
    ambiguous, put a word before it: `offer:name`, `facility:name`, `supplier:name`, or `parent:name`."""
    price: Annotated[Subject, Names("offer"), Names("material"), Names("benchmark")] = ""
    """Offer, material, benchmark, or all offers of `country:CN` or `outside:CN`, whose price is multiplied by `factor`. Or offers, including
    leads, or a benchmark, whose price becomes `amount`, on every date or on `date` only. If a name is ambiguous: `offer:name`,
    `material:name`, or `benchmark:name`."""
    capacity: Annotated[Subject, Names("facility"), Names("offer")] = ""
    """Facility whose capacity is multiplied by `factor`, becomes `per_year`, gets the status `status`, or starts `delay` later. With `offer:`
    before the name: offer whose `max_per_year` and `total` are multiplied by `factor`, or become `per_year` and `quantity`."""
    demand: Annotated[Subject, Names("material"), Names("demand")] = ""
    """Demand, material, or end use whose quantity is multiplied by `factor`, becomes `per_year` or `quantities`, moves `delay` later, or has
    the shortage price `shortage_price`. If a name is ambiguous: `demand:name`, `material:name`, or `end_use:name`."""
    prove: Annotated[Subject, Names("offer")] = ""
    """Offer whose unproved stages turn out to satisfy the rules."""
    waive: Subject = ""
    """Rule of origin that is waived for `quantity` of the demand or material `of`, within `from` and `until`."""
    grant: Subject = ""
    """Export control under which a license is granted to the facility or country `of`, or to anyone if it is blank."""
    revoke: Subject = ""
    """End use whose export licenses are no longer assumed (`[assume.license]`). Licenses in hand still count."""
    loosen: Subject = ""
    """Limit rule whose bounds are relaxed by `by`, in the bound's own unit: those of the row `of`, such as `2028`, or all."""
    stock: Annotated[Subject, Names("material")] = ""
    """Material with `quantity` more in stock at the case's place from the start, all stages performed in `countries`."""
    want: Annotated[Subject, Names("material")] = ""
    """Material with one more demand, for `end_use` at `place`: `per_year` within `from` and `until`, or `quantities`."""
    order: Subject = ""
    """Open order that delivers `quantity`, in units of its offer, instead of its stated quantity."""
    limit: Subject = ""
    """Limit rule whose figure becomes `at`: the amount of a budget, or the share, mass, number, or days of any other limit with one figure."""
    lead_time: Annotated[Subject, Names("offer"), Names("facility")] = ""
    """Offer, or all offers of a facility, supplier, parent, country, or catalog (named as in `remove`), whose lead time is multiplied by
    `factor` on every lane. An offer without a lead time uses the case's."""
    recipe: Annotated[Subject, Names("offer")] = ""
    """Offer that takes `factor` times as much of its input `of` per unit, or gives `factor` times as much of its output `of`."""
    lift: Annotated[TermKind | None, Written("fixed-cost", meaning=_SUBJECT)] = None
    """Kind of term of trade that no longer applies, to `of` (named as in `remove`) or to everyone."""
    accept: Annotated[Status | None, Written("announced", meaning=_SUBJECT)] = None
    """Status of capacity that counts with the share `factor`.

    From now on."""
    of: Annotated[str, Names("offer"), Names("facility"), Names("material"), Names("demand"), Written("…")] = ""
    """Demand or material of a waiver, exporter of a license, party whose terms are relaxed, material of a recipe, or row of a limit."""
    factor: Annotated[NonNegative | None, Written(1.5, sort=FACTOR)] = None
    """Multiplier."""
    amount: Annotated[SignedMoneyPerKilogram | None, Written("500 USD/kg")] = None
    """New price of an offer (also of a lead) or of a benchmark.

    Money per unit (a kilogram, unless the offer gives several goods), at all times."""
    date: Annotated[datetime.date | None, Written("2026-06-30")] = None
    """Day of the only benchmark price that changes. Blank means all of them."""
    shortage_price: Annotated[MoneyPerKilogram | None, Written("5000 USD/kg")] = None
    """New shortage price of a demand, in the case's currency.

    Money per kilogram of the demand's basis. It replaces a stated price, or one derived from the case."""
    currency: CurrencyOrBlank = ""
    """Currency of `amount` and `shortage_price` (ISO 4217). Empty means the case's."""
    by: Annotated[NonNegative | None, Written(1000)] = None
    """Amount by which the bounds of a limit are relaxed, in their own unit.

    Kilograms, money, or a count."""
    at: Annotated[str, Written("60%")] = ""
    """New figure of a limit, written as in its rule."""
    called: Annotated[LabelOrBlank, Written("gallium-radar")] = ""
    """Name of a new demand. Blank means material/end_use/place."""
    end_use: Annotated[EndUse, Written("defense")] = ""
    """End use of a new demand."""
    place: Annotated[SiteOrBlank, Written("US")] = ""
    """Place of a new demand. Blank means the case's place."""
    buyer: Annotated[str, Written("Acme Aerospace")] = ""
    """Buyer of a new demand, for rules that name buyers."""
    quantity: Annotated[Kilograms | None, Written("5 t")] = None
    """Quantity of a waiver, a license, a stock, or an order, or the maximum that an offer gives over the plan."""
    per_year: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """New yearly capacity of a facility, or yearly quantity of an existing or new demand.

    For a demand, in its own basis."""
    quantities: Annotated[tuple[Kilograms, ...], Written(["500 kg", "0", "1 t"])] = ()
    """Quantities of a demand in each period of the plan, replacing the stated ones.

    In the demand's own basis."""
    countries: Annotated[CountryCodes, Written(["US"])] = frozenset()
    """Countries where all stages of a stock were performed."""
    status: Annotated[Status | None, Written("idle")] = None
    """New status of a capacity."""
    delay: Annotated[Number | None, Written("2 quarters", sort=MONTHS)] = None
    """Time by which a capacity or a demand is postponed.

    In months. Below 0 means earlier, but a demand never moves before its date in the unchanged case. Demand that would move past the end of
    the plan falls in the last period."""
    start: From = None
    end: Until = None
    why: Why = ""

    SUBJECTS: ClassVar[Mapping[str, SubjectKeys]] = {
        "enable": _keys(reads="start end"),
        "disable": _keys(reads="start end"),
        "move": _keys("start|end"),
        "remove": _keys(reads="start"),
        "price": _keys("factor|amount", "date currency"),
        "capacity": _keys("factor|per_year|status|delay|quantity", "start end"),
        "demand": _keys("factor|per_year|quantities|delay|shortage_price", "currency"),
        "prove": _keys(),
        "waive": _keys("quantity of", "start end"),
        "grant": _keys(reads="of quantity start end"),
        "revoke": _keys(),
        "loosen": _keys("by", "of"),
        "stock": _keys("quantity countries"),
        "want": _keys("per_year|quantities end_use", "called place buyer shortage_price currency start end"),
        "order": _keys("quantity"),
        "limit": _keys("at"),
        "lead_time": _keys("factor"),
        "recipe": _keys("factor of"),
        "lift": _keys(reads="of"),
        "accept": _keys("factor"),
    }
    """Subject -> keys allowed with it."""

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, data: Any) -> Any:
        """Parse amounts in text: `5 t`, `20 t/year`, `500 USD/kg`, `150%`, `2 quarters`."""
        if not isinstance(data, dict):
            return data
        values = dict(data)
        if isinstance(values.get("at"), int | float | Decimal) and not isinstance(values["at"], bool):
            values["at"] = str(values["at"])
        for name, parse in _PARSERS.items():
            if isinstance(values.get(name), str):
                try:
                    value = parse(values[name])
                except ValueError as error:
                    raise ValueError(f"`{name}` is `{values[name]}`: expected {error}") from None
                if getattr(value, "substance", None):
                    raise ValueError(f"`{name}` is `{values[name]}`, but can't name a substance")
                if isinstance(value, UnitPrice):
                    values["currency"] = value.currency
                values[name] = value if isinstance(value, Decimal) else value[0]
        return values

    @property
    def subject(self) -> str:
        fields = self.__dict__  # a frequent call, so without attribute lookups
        return next(name for name in self.SUBJECTS if fields[name])

    def as_written(self, currency: str) -> dict[str, Any]:
        """Return the change as a case file states it, with units. Amounts without a currency are in `currency`."""
        keys = self.model_dump(by_alias=True, exclude_defaults=True)
        for name in _PRICES & keys.keys():
            keys[name] = f"{keys[name].normalize():f} {keys.pop('currency', currency)}/kg"
        if self.quantities:
            keys["quantities"] = [f"{quantity.normalize():f} kg" for quantity in self.quantities]
        return {key: f"{value.normalize():f} {_UNITS[key]}" if key in _UNITS else value for key, value in keys.items()}

    @property
    def text(self) -> str:
        """The change in the words of a case file, without its reason."""
        texts = {key: _as_text(value) for key, value in self.as_written(self.currency).items() if key != "why"}
        other_keys = [f"{key} {text}" for key, text in texts.items() if key != self.subject]
        return ", ".join([f"{self.subject} {texts[self.subject]}", *other_keys])

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        subjects = [name for name in cls.SUBJECTS if values.get(name)]
        if len(subjects) != 1:
            message = f"a change needs exactly one of {', '.join(cls.SUBJECTS)}; found {', '.join(subjects) or 'none'}"
            yield Fault("", message, "one change", code="FS030")
            return
        subject, keys = subjects[0], cls.SUBJECTS[subjects[0]]
        for group in keys.needs:
            if all(values.get(name) in _BLANK for name in group):
                message = f"`{subject}` requires {' or '.join(f'`{_KEYS.get(name, name)}`' for name in group)}"
                yield Fault("", message, "one change", code="FS026")
        for name in cls.model_fields:
            # Dates that the subject doesn't use are reported when the change is applied.
            if name not in _COMMON and name not in keys.reads and values.get(name) not in _BLANK:
                yield Fault("", f"`{name}` has no effect on `{subject}`", "one change", "delete it", code="FS029")
        factor, accept = values.get("factor"), values.get("accept")
        if values.get("amount") is not None and factor is not None:
            yield Fault("", "`factor` and `amount` are both given", "one change", "delete one", code="FS027")
        if subject in ("demand", "want") and sum(values.get(name) not in _BLANK for name in _DEMAND_QUANTITIES) > 1:
            message = f"more than one of {', '.join(f'`{name}`' for name in _DEMAND_QUANTITIES)} is given"
            yield Fault("", message, "one change", "delete all but one", code="FS027")
        for fault in date_order_faults(values):
            yield Fault("", f"`until` ({values['end']}) {fault.message}", "one change", code="FS020")
        if values.get("recipe") and factor is not None and not factor:
            yield Fault("", "the `factor` of a recipe must be above 0", "one change", code="FS013")
        if accept in (Status.SUPERSEDED, Status.EVENT):
            yield Fault("", f"`{accept}` capacity never counts", "one change", code="FS012")
        if accept is not None and factor is not None and factor > 1:
            message = f"at most all of a capacity can count, but `factor` is {factor.normalize():f}"
            yield Fault("", message, "one change", code="FS013")


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return " and ".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


_PARSERS: dict[str, Callable[[str], Decimal | Mass | UnitPrice]] = {
    "factor": parse_share,
    "amount": parse_unit_price,
    "shortage_price": parse_unit_price,
    "quantity": parse_mass,
    "per_year": parse_rate,
    "delay": parse_duration,
    "by": parse_number,
}
_UNITS = {"quantity": "kg", "per_year": "kg/year", "delay": "months"}
_PRICES = frozenset(("amount", "shortage_price"))  # a change has at most one of them
_BLANK: tuple[object, ...] = (None, "", frozenset(), ())
_DEMAND_QUANTITIES = ("factor", "per_year", "quantities")
_KEYS = {"start": "from", "end": "until"}
_COMMON = frozenset((*Change.SUBJECTS, "start", "end", "why"))
