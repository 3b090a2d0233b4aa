"""Checks that the parts of a record fit one another: names given once, dates and lists within the plan, orders that can be met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Protocol

from .base import Fault, Given, grouped
from .suggest import did_you_mean
from .time import Horizon, Span


class Inheriting(Protocol):
    """A scenario: its name, and whose changes come before its own."""

    @property
    def name(self) -> str: ...

    @property
    def inherits(self) -> Sequence[str]: ...


class Lasting(Protocol):
    """A quotation: the days on which it holds."""

    @property
    def start(self) -> date | None: ...

    @property
    def end(self) -> date | None: ...


def named_twice(given: Given) -> Iterator[Fault]:
    """Records of one sort that answer to one name, which nothing that refers to them could tell apart."""
    place = given.get("place", "")
    for field, (column, name) in _NAMES.items():
        seen: set[object] = set()
        for number, entry in enumerate(given.get(field, ())):
            called = name(entry, place)
            if called and called in seen:
                message, fix = f"there are two called `{called}`", f"give each its own `{column}`"
                yield Fault(column, message, "different names", fix, entry=(field, number))
            seen.add(called)
    apart: dict[str, int] = {}
    for number, overlap in enumerate(given.get("overlaps", ())):
        for name_ in overlap.facilities if overlap.keep else ():
            if apart.setdefault(name_, number) != number:
                message, fix = f"`{name_}` is one with others in two places", "put all of them in one [[overlap]]"
                yield Fault("facilities", message, "", fix, entry=("overlaps", number))


def stored_twice(given: Given) -> Iterator[Fault]:
    """Stores of a material at a place that hold on the same day: how it is held must not be open."""
    seen: dict[tuple[str, str], list[Span]] = {}
    for number, store in enumerate(given.get("stores", ())):
        named = (store.material, store.place or given.get("place", ""))
        span = Span(start=store.start, end=store.end)
        if any(span.meets(other) for other in seen.get(named, ())):
            message, fix = f"there are two called `{'/'.join(named)}`", "give each its own `place`, or days of its own"
            yield Fault("place", message, "different names, or days that do not meet", fix, entry=("stores", number))
        seen.setdefault(named, []).append(span)


def _text(value: object) -> str:
    """A rule's id; one that is no text is refused where the rule is read by its kind."""
    return value if isinstance(value, str) else ""


def _own(field: str) -> Callable[[Any, str], object]:
    return lambda entry, _: getattr(entry, field)


_NAMES: Mapping[str, tuple[str, Callable[[Any, str], object]]] = {
    "demands": ("id", lambda d, place: d.id or f"{d.material}/{d.end_use}/{d.place or place}"),
    "stocks": ("id", _own("id")),
    "orders": ("id", _own("id")),
    "incumbents": ("offer", _own("offer")),
    "licences": ("id", _own("id")),
    "waivers": ("id", _own("id")),
    "carryovers": ("row", lambda c, _: f"{c.rule}: {c.row}"),
    "scenarios": ("name", _own("name")),
    "rules": ("id", lambda rule, _: _text(rule.get("id"))),
}
"""Field of a case -> the field of its records that a second name is told at, and what each answers to."""


def off_the_plan(given: Given) -> Iterator[Fault]:
    """Yield faults of demands, stocks, and orders that do not fit the periods of the plan."""
    horizon = given.get("horizon")
    if horizon is None:
        return
    for field in ("demands", "stocks", "orders"):
        for number, record in enumerate(given.get(field, ())):
            yield from (replace(fault, entry=(field, number)) for fault in misfits(vars(record), horizon))


def misfits(given: Given, horizon: Horizon) -> Iterator[Fault]:
    """Yield faults of one demand, stock, or order that does not fit the periods of the plan."""
    listed = len(given.get("quantities", ()))
    if listed and listed != horizon.count:
        message, expected = f"{listed} masses are listed", f"{horizon.count}, one for each period"
        yield Fault("quantities", message, expected)
    acquired, arrives = given.get("acquired"), given.get("arrives")
    if acquired is not None and acquired > horizon.start:
        message = f"stock in hand cannot have been acquired after the plan's start ({horizon.start})"
        yield Fault("acquired", message, "an earlier day", "write what is still to come as [[order]]")
    if arrives is not None and horizon.find(arrives) is None:
        early = arrives < horizon.start
        message = f"the order arrives {'before the plan starts' if early else 'after the plan ends'}"
        fix = "state what has arrived as [[stock]]" if early else "plan more `periods`, or delete the order"
        yield Fault("arrives", message, f"a day of {horizon.span}", fix)


def circles(scenarios: Sequence[Inheriting]) -> Iterator[Fault]:
    """Scenarios that inherit from none, or from themselves."""
    known = {scenario.name: scenario.inherits for scenario in scenarios}
    for number, scenario in enumerate(scenarios):
        at = ("scenarios", number)
        for parent in scenario.inherits:
            if parent not in known:
                message, fix = f"there is no scenario `{parent}`", did_you_mean(parent, known)
                yield Fault("inherits", message, "the name of a scenario of the case", fix, entry=at)
        reached: set[str] = set()
        waiting = list(scenario.inherits)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += known.get(name, ())
        if scenario.name in reached:
            fix = "delete one of the scenarios in the circle"
            yield Fault("inherits", "the scenario inherits from itself", "", fix, entry=at)


def ranked(given: Given) -> Iterator[Fault]:
    """Yield a fault for each field that has no meaning for what an objective minimizes. A field at its default is fine."""
    minimise = given.get("minimise")
    counted = minimise == "concentration"
    usual = {"by": "country", "stage": None, "per": "year"}
    for name in () if counted or minimise is None else usual:
        if given.get(name, usual[name]) != usual[name]:
            yield Fault(name, f"says nothing of `{minimise}`", "only with `concentration`", "delete the line")
    if given.get("of") and minimise in ("cost", "spend"):
        expected = "only with `shortage` or `concentration`"
        yield Fault("of", f"`{minimise}` is that of the whole plan", expected, "delete the line")
    if counted and given.get("stage") is not None and given.get("by", "country") != "country":
        fix = "delete one of the two lines"
        yield Fault("stage", "a stage is performed in a country", 'by = "country"', fix, turns_on=("by",))


def apart(given: Given) -> Iterator[Fault]:
    """An overlap that names no facility of a catalog, two of one catalog, or keeps one that is none of them."""
    facilities, keep = given.get("facilities", ()), given.get("keep", "")
    for name in (*facilities, *filter(None, (keep,))):
        if name.count(":") != 1 or not all(name.split(":")):
            message = f"`{name}` does not say which facility of which catalog"
            yield Fault("facilities", message, "`catalog:facility`")
    catalogs = {name.partition(":")[0] for name in facilities}
    if len(catalogs) < max(2, len(facilities)):
        yield Fault(
            "facilities",
            "an overlap is of facilities of different catalogs",
            "two or more, each of a catalog of its own",
            "put lines of one plant in it by `within`, in the catalog itself",
        )
    if keep and keep not in facilities:
        yield Fault("keep", "the one kept is none of the facilities", "one of " + ", ".join(facilities))


PRICED_TWICE = Fault(
    "quotes",
    "the offer has a price of its own as well",
    "a price, or quotations",
    "leave out its price and benchmark, or its quotations",
)
"""An offer with a price and with quotations."""


def quoted_twice(quotes: Sequence[Lasting]) -> Iterator[tuple[int, Fault]]:
    """Quotations that hold on a day of the one before them in time, each by its position: which is the price must not be open."""
    order = sorted(range(len(quotes)), key=lambda i: quotes[i].start or date.min)
    for i, j in pairwise(order):
        before = Span(start=quotes[i].start, end=quotes[i].end)
        if before.meets(Span(start=quotes[j].start, end=quotes[j].end)):
            message, fix = (
                f"on some days the quotation of {before} holds as well",
                "let one end before the other begins",
            )
            yield j, Fault("quotes", message, "one price for a day", fix)


class Leading(Protocol):
    """A row of a lane: where it leads, and from when on."""

    @property
    def to(self) -> str: ...

    @property
    def start(self) -> date | None: ...


def lane_rows(lanes: Sequence[Leading]) -> Iterator[tuple[int, Fault]]:
    """Rows of a lane, by position, none of which holds since ever: what is paid, and how long it takes, must not be open."""
    for to, rows in grouped((lane.to, position) for position, lane in enumerate(lanes)).items():
        starts = [start for row in rows if (start := lanes[row].start) is not None]
        if len(starts) == len(rows):
            message = f"nothing says what the lane to {to} costs, or takes, before {min(starts)}"
            yield rows[0], Fault("lanes", message, "a row without `from`", "leave `from` blank in one row")


class Priced(Protocol):
    """A price or a quotation."""

    @property
    def amount(self) -> Decimal | None: ...


ENDS = ("max_order", "max_per_year", "total")
"""Fields that limit the quantity ordered of an offer."""


def below_zero(prices: Iterable[Priced]) -> bool:
    """Return True if any of some prices is below zero."""
    return any(price.amount is not None and price.amount < 0 for price in prices)


def paid_without_end(given: Given, prices: Sequence[Priced]) -> Iterator[Fault]:
    """A price below zero of an offer that states no limit of its own, or take-or-pay: a plan would order without end, or earn by taking nothing."""
    if not below_zero(prices):
        return
    if all(given.get(name) is None for name in ENDS) and given.get("max_lots") is None:
        yield Fault(
            "price",
            "the price is below zero, and the offer does not limit what is ordered: a plan would buy without end",
            f"one of {', '.join(ENDS)}",
            "state how much of it is given away",
            (*ENDS, "max_lots"),
        )
    if given.get("take_or_pay") is not None:
        message = "nothing is owed for what is not taken at a price below zero"
        yield Fault("take_or_pay", message, "blank", "leave it out", ("price",))


def order_terms(given: Given) -> Iterator[Fault]:
    """Least, most and lots of an order that no order meets, and shares of what is not asked for."""
    least, most, lot, count = (given.get(name) for name in ("min_order", "max_order", "lot", "max_lots"))
    if least is not None and most is not None and least > most:
        yield Fault("min_order", "is more than max_order", "", "exchange the two, or mend one")
    if lot is not None and not lot:
        yield Fault("lot", "a lot of nothing", "a mass above 0", "leave it blank for any quantity")
    if count is not None and lot is None:
        fix = "give `lot`, or `max_order` in place of this"
        yield Fault("max_lots", "there is no lot to count", "", fix, ("lot",))
    if lot and count is not None and least is not None and least > lot * count:
        yield Fault("min_order", "is more than `max_lots` lots", "", "mend one of the three")
    if given.get("take_or_pay_share", 1) != 1 and given.get("take_or_pay") is None:
        fix = "give `take_or_pay`, or leave it blank"
        yield Fault("take_or_pay_share", "a share of no take-or-pay", "", fix, ("take_or_pay",))


def lying(given: Given) -> Iterator[Fault]:
    """A facility with the code of another country for its site, or with two capacities from one day on."""
    country, place = given.get("country"), given.get("place")
    if country and place and len(place) == 2 and place != country:
        yield Fault("place", f"the facility lies in {country}", fix="name a site, or leave it blank")
    starts = [step.start for step in given.get("capacity", ())]
    for earlier, later in pairwise(sorted(start or date.min for start in starts)):
        if earlier == later:
            day = "since ever" if earlier == date.min else f"from {earlier}"
            yield Fault("capacity", f"there are two capacities {day}", fix="delete one of the two")


def half_assumed(given: Given) -> Iterator[Fault]:
    """Licences that are neither granted nor not assumed."""
    for end_use, state in given.get("licence", {}).items():
        if state != "granted":
            fix = 'write "granted" or delete the line'
            yield Fault(
                f"licence.{end_use}", "a licence is either assumed or not", '"granted"', fix, turns_on=("licence",)
            )
