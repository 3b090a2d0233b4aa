"""One alteration of a case's facts: what scenarios, bills, repairs and stress tests are lists of."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import model_validator

from .base import Fault, Fitting, Given, Number, days_in_order
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
    """A kind of term of trade, as `lift` names it."""

    FIXED_COST = "fixed-cost"
    """Money due because anything is ordered at all, in a span."""
    MINIMUM_LOAD = "minimum-load"
    """Least quantities: of one order, and of a span."""
    MAXIMUM_LOAD = "maximum-load"
    """Most quantities: of one order, of a span, of a year and over the plan."""
    LOT = "lot"
    ONBOARDING = "onboarding"
    """One-off cost of using an offer at all."""
    QUALIFICATION = "qualification"
    DATES = "dates"
    """First and last day on which it may be ordered."""
    LEAD_TIME = "lead-time"
    """Months from order to delivery, on every lane."""
    TAKE_OR_PAY = "take-or-pay"
    SETUP = "setup"
    """Capacity that a campaign's set-up takes."""
    TIERS = "tiers"
    """Prices that depend on how much is bought."""


class SubjectKeys(NamedTuple):
    """The keys that go with a subject of a change. With any other, it would give another plan than was asked for."""

    needs: tuple[tuple[str, ...], ...]
    """Groups of keys; at least one of each group is needed."""
    reads: frozenset[str]
    """All keys that it reads."""


def _keys(needs: str = "", reads: str = "") -> SubjectKeys:
    groups = tuple(tuple(group.split("|")) for group in needs.split())
    return SubjectKeys(groups, frozenset((*chain(*groups), *reads.split())))


_SUBJECT = "One of the subjects; a change has exactly one."
Subject = Annotated[str, Written("…", meaning=_SUBJECT)]


class Change(Fitting):
    """One alteration. Exactly one of the subjects is named; the other fields say how it changes."""

    enable: Subject = ""
    """Rule or bill to switch on: its pending and unknown phases apply; a bill's changes apply."""
    disable: Subject = ""
    """Rule to switch off, altogether or within `from` and `until`."""
    move: Subject = ""
    """Rule whose phases start no earlier than `from`, or end no later than `until`."""
    remove: Annotated[Subject, Names("offer"), Names("facility")] = ""
    """Offer, facility, supplier, parent company, country (`country:CN`) or catalog (`catalog:world`) taken away, from `from` on. A name that
    means several of them is told by a word before it: `offer:name`, `facility:name`, `supplier:name` or `parent:name`."""
    price: Annotated[Subject, Names("offer"), Names("material"), Names("benchmark")] = ""
    """Offer, material, benchmark or all offers of `country:CN` or `outside:CN`, whose price becomes `factor` times itself; or offers,
    leads among them, or a benchmark, on every date or that of `date` alone, whose price becomes `amount`. A name that means several of them:
    `offer:name`, `material:name` or `benchmark:name`."""
    capacity: Annotated[Subject, Names("facility"), Names("offer")] = ""
    """Facility whose capacity becomes `factor` times itself or `per_year`, takes status `status`, or starts `delay` later. With `offer:` before its
    name: offer whose own `max_per_year` and `total` become `factor` times themselves, `per_year` and `quantity`."""
    demand: Annotated[Subject, Names("material"), Names("demand")] = ""
    """Demand, material or end use whose quantity becomes `factor` times itself, `per_year` or `quantities`, is wanted `delay` later, or costs
    `shortage_price` where it is short. A name that means several of them: `demand:name`, `material:name` or `end_use:name`."""
    prove: Annotated[Subject, Names("offer")] = ""
    """Offer of which every stage that is not proved turns out to be what the rules ask for."""
    waive: Subject = ""
    """Rule of origin that is waived for `quantity` of the demand or material `of`, within `from` and `until`."""
    grant: Subject = ""
    """Export control that a licence is granted under, to the facility or country `of` (anyone, if not given)."""
    revoke: Subject = ""
    """End use for which export licences are no longer taken as granted (`[assume.licence]`); those in hand still count."""
    loosen: Subject = ""
    """Limit rule of which every bound is relaxed by `by`, in the bound's own unit."""
    stock: Annotated[Subject, Names("material")] = ""
    """Material of which `quantity` more lie at the case's place from the start, all stages performed in `countries`."""
    want: Annotated[Subject, Names("material")] = ""
    """Material that one more demand wants, for `end_use` at `place`: `per_year` within `from` and `until`, or `quantities`."""
    order: Subject = ""
    """Order already placed that brings `quantity`, in units of its offer, in place of what it states."""
    limit: Subject = ""
    """Limit rule whose figure becomes `at`: the amount of a budget; the share, mass, number or days of any other limit that states only one."""
    lead_time: Annotated[Subject, Names("offer"), Names("facility")] = ""
    """Offer, or all offers of a facility, supplier, parent, country or catalog (named as in `remove`), whose time from order to delivery
    becomes `factor` times itself, on every lane; where an offer states none, of the case's."""
    recipe: Annotated[Subject, Names("offer")] = ""
    """Offer that takes `factor` times as much of its input `of` a unit, or gives `factor` times as much of its output `of`."""
    lift: Annotated[TermKind | None, Written("fixed-cost", meaning=_SUBJECT)] = None
    """Kind of term of trade that no longer holds: for `of` (named as in `remove`), or for everyone."""
    accept: Annotated[Status | None, Written("announced", meaning=_SUBJECT)] = None
    """Status of capacity that counts for `factor`.

    From now on."""
    of: Annotated[str, Names("offer"), Names("facility"), Names("material"), Names("demand"), Written("…")] = ""
    """Demand or material of a waiver, exporter of a licence, whose terms are relaxed, material of a recipe."""
    factor: Annotated[NonNegative | None, Written(1.5, sort=FACTOR)] = None
    """Multiplier."""
    amount: Annotated[SignedMoneyPerKilogram | None, Written("500 USD/kg")] = None
    """New price of an offer, a lead's as well, or of a benchmark.

    Money per unit (a kilogram, unless it gives several goods), at all times."""
    date: Annotated[datetime.date | None, Written("2026-06-30")] = None
    """Day of the one price of a benchmark that changes; blank: all of them do."""
    shortage_price: Annotated[MoneyPerKilogram | None, Written("5000 USD/kg")] = None
    """Price of what a demand is short of, in the case's currency, in place of what it states or what follows from the case.

    Money per kilogram of what its own kilograms are of."""
    currency: CurrencyOrBlank = ""
    """ISO 4217, of `amount` and `shortage_price`; empty: the case's."""
    by: Annotated[NonNegative | None, Written(1000)] = None
    """By how much the bounds of a limit are relaxed, in their own unit.

    Kilograms, money or a count."""
    at: Annotated[str, Written("60 %")] = ""
    """New figure of a limit, as its rule would state it."""
    called: Annotated[LabelOrBlank, Written("gallium-radar")] = ""
    """Name of a new demand; blank: material/end_use/place."""
    end_use: Annotated[EndUse, Written("defense")] = ""
    """End use of a new demand."""
    place: Annotated[SiteOrBlank, Written("US")] = ""
    """Place of a new demand; blank: the case's place."""
    buyer: Annotated[str, Written("Acme Aerospace")] = ""
    """Buyer of a new demand, where a rule names buyers."""
    quantity: Annotated[Kilograms | None, Written("5 t")] = None
    """Of a waiver, a licence, a stock or an order; most that an offer gives over the plan."""
    per_year: Annotated[KilogramsPerYear | None, Written("20 t/year")] = None
    """New capacity of a facility, or what a demand wants a year in place of what it states, or a new demand.

    Of a demand in what its own kilograms are of."""
    quantities: Annotated[tuple[Kilograms, ...], Written(["500 kg", "0", "1 t"])] = ()
    """What a demand wants in each period of the plan, in place of what it states.

    In what its own kilograms are of."""
    countries: Annotated[CountryCodes, Written(["US"])] = frozenset()
    """Where all stages of a stock were performed."""
    status: Annotated[Status | None, Written("idle")] = None
    """New status of a capacity."""
    delay: Annotated[Number | None, Written("2 quarters", sort=MONTHS)] = None
    """How much later a capacity starts, or a demand is wanted.

    In months; below 0: earlier, though a demand is never wanted earlier than the case says without changes. What it would want after the end of
    the plan it wants in the last period."""
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
        "loosen": _keys("by"),
        "stock": _keys("quantity countries"),
        "want": _keys("per_year|quantities end_use", "called place buyer shortage_price currency start end"),
        "order": _keys("quantity"),
        "limit": _keys("at"),
        "lead_time": _keys("factor"),
        "recipe": _keys("factor of"),
        "lift": _keys(reads="of"),
        "accept": _keys("factor"),
    }
    """Subject -> the keys that go with it."""

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, data: Any) -> Any:
        """Amounts as planners write them, in packs as in cases: `5 t`, `20 t/year`, `500 USD/kg`, `150 %`, `2 quarters`."""
        if not isinstance(data, dict):
            return data
        found = dict(data)
        if isinstance(found.get("at"), int | float | Decimal) and not isinstance(found["at"], bool):
            found["at"] = str(found["at"])
        for name, parse in _WRITTEN_AS.items():
            if isinstance(found.get(name), str):
                try:
                    value = parse(found[name])
                except ValueError as error:
                    raise ValueError(f"`{name}` is `{found[name]}`: expected {error}") from None
                if getattr(value, "substance", None):
                    raise ValueError(f"`{name}` is `{found[name]}`: a substance cannot be named here")
                if isinstance(value, UnitPrice):
                    found["currency"] = value.currency
                found[name] = value if isinstance(value, Decimal) else value[0]
        return found

    @property
    def subject(self) -> str:
        """Which of the subjects it names."""
        fields = self.__dict__  # asked very often
        return next(name for name in self.SUBJECTS if fields[name])

    def as_written(self, currency: str) -> dict[str, Any]:
        """As a case file states it, amounts with their units; one that names no currency is in `currency`."""
        told = self.model_dump(by_alias=True, exclude_defaults=True)
        for name in _PRICES & told.keys():
            told[name] = f"{told[name].normalize():f} {told.pop('currency', currency)}/kg"
        if self.quantities:
            told["quantities"] = [f"{quantity.normalize():f} kg" for quantity in self.quantities]
        return {key: f"{value.normalize():f} {_UNITS[key]}" if key in _UNITS else value for key, value in told.items()}

    @property
    def told(self) -> str:
        """In the words of a case file, without its reason."""
        words = {key: _in_words(value) for key, value in self.as_written(self.currency).items() if key != "why"}
        rest = [f"{key} {value}" for key, value in words.items() if key != self.subject]
        return ", ".join([f"{self.subject} {words[self.subject]}", *rest])

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        for message in cls._senseless(given):
            yield Fault("", message, "one change")

    @classmethod
    def _senseless(cls, given: Given) -> Iterator[str]:
        named = [name for name in cls.SUBJECTS if given.get(name)]
        if len(named) != 1:
            yield f"exactly one of {', '.join(cls.SUBJECTS)} is needed, found {', '.join(named) or 'none'}"
            return
        keys = cls.SUBJECTS[named[0]]
        for group in keys.needs:
            if all(given.get(name) in _BLANK for name in group):
                yield f"`{named[0]}` needs {' or '.join(f'`{_WRITTEN.get(name, name)}`' for name in group)}"
        for name in cls.model_fields:
            # Dates that it doesn't read are reported where it is applied.
            if name not in _COMMON and name not in keys.reads and given.get(name) not in _BLANK:
                yield f"`{named[0]}` does not read `{name}`: leave it out"
        factor, accept = given.get("factor"), given.get("accept")
        if given.get("amount") is not None and factor is not None:
            yield "give either `factor` or `amount`"
        if named[0] in ("demand", "want") and sum(given.get(name) not in _BLANK for name in _WANTED) > 1:
            yield f"give one of {', '.join(f'`{name}`' for name in _WANTED)}"
        for fault in days_in_order(given):
            yield f"`until` ({given['end']}) {fault.message}"
        if given.get("recipe") and factor is not None and not factor:
            yield "a recipe without a line is another recipe: `factor` is above 0"
        if accept in (Status.SUPERSEDED, Status.EVENT):
            yield f"`{accept}` capacity never counts"
        if accept is not None and factor is not None and factor > 1:
            yield f"no more than all of a capacity can count: `factor` is {factor.normalize():f}"


def _in_words(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return " and ".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)


_WRITTEN_AS: dict[str, Callable[[str], Decimal | Mass | UnitPrice]] = {
    "factor": parse_share,
    "amount": parse_unit_price,
    "shortage_price": parse_unit_price,
    "quantity": parse_mass,
    "per_year": parse_rate,
    "delay": parse_duration,
    "by": parse_number,
}
"""How amounts are read that are given as text."""

_UNITS = {"quantity": "kg", "per_year": "kg/year", "delay": "months"}
"""Amounts that a file states with a unit."""
_PRICES = frozenset(("amount", "shortage_price"))
"""Those that a file states by the kilogram; a change has one of them at most."""
_BLANK: tuple[object, ...] = (None, "", frozenset(), ())
_WANTED = ("factor", "per_year", "quantities")
"""How the quantity of a demand changes."""
_WRITTEN = {"start": "from", "end": "until"}
"""Fields whose key in a file is another word."""
_COMMON = frozenset((*Change.SUBJECTS, "start", "end", "why"))
"""Fields that say what a change is about, when it is in force, and why."""
