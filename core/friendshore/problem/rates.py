"""Benchmarks, exchange rates and accepted capacities, looked up once for all offers; and rates that a plan would need and no catalog gives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..domain.base import Sharing, exact, grouped, rounded
from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import CapacityStep, ChainEntry, Facility, Material, Offer, Price, Quote
from ..domain.market import BenchmarkPrice, Factors, content_of
from ..domain.stages import Stage
from ..domain.terms import PriceSchedule, Terms
from ..domain.time import Span
from ..errors import Diagnostic
from .capacity import accepted_steps
from .merged import Merged, around, exchange


class _Stages(NamedTuple):
    """What an offer does of the stages of its material; see `Chained`."""

    performed: tuple[ChainEntry, ...]
    missing: frozenset[Stage]
    supplied: frozenset[Stage]
    of: tuple[object, object]
    """Chain and inputs that it follows from: while they are held, nothing else has their identity."""


class Benchmarked(NamedTuple):
    """What a benchmark comes to in each period."""

    amounts: tuple[Decimal, ...]
    currencies: tuple[str, ...]
    at_home: bool
    """Whether all are in the case's currency."""
    steady: bool
    """Whether all amounts are the same."""


class Paths:
    """What prices are made of, period by period."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case
        self.factors = Factors(merged.factors)
        self.unlimited: tuple[Decimal | None, ...] = (None,) * case.horizon.count
        """Most units in each period of an offer without limits of its own."""
        self.incumbents = frozenset(today.offer for today in case.incumbents)
        """Offers that are bought from today."""
        self.sharing = Sharing()
        self._level: dict[str, tuple[Decimal, ...]] = {}
        """By the price as it is written: equal ones may differ in their zeros."""
        self._steps: dict[str, tuple[CapacityStep, ...]] = {}
        self._rates: dict[str, tuple[Decimal, ...] | None] = {}
        self._rows: dict[str, tuple[BenchmarkPrice, ...]] = {}
        self._benchmarked: dict[tuple[str, str], Benchmarked | None] = {}
        self._stages: dict[tuple[int, int, str], _Stages] = {}
        self._pools: dict[str, tuple[str, ...]] = {}

    def level(self, price: Decimal) -> tuple[Decimal, ...]:
        """A price that is the same in every period."""
        written = str(price)
        if written not in self._level:
            self._level[written] = (price,) * self.case.horizon.count
        return self._level[written]

    def steps(self, facility: Facility) -> tuple[CapacityStep, ...]:
        """The capacity steps of a facility that the case accepts."""
        if facility.id not in self._steps:
            self._steps[facility.id] = accepted_steps(facility, self.merged, self.case)
        return self._steps[facility.id]

    def pools(self, facility: Facility) -> tuple[str, ...]:
        """The facility and those around it, as far as the case accepts a capacity of theirs."""
        if facility.id not in self._pools:
            sites = around(facility.id, self.merged.facilities)
            self._pools[facility.id] = tuple([site.id for site in sites if self.steps(site)])
        return self._pools[facility.id]

    def stages(self, offer: Offer, material: Material) -> _Stages:
        """The stages that an offer performs, leaves open, and has covered by its inputs; offers with the same chain and inputs share them."""
        key = id(offer.chain), id(offer.inputs), material.id
        if key not in self._stages:
            performed = tuple([self.merged.accepted(e, self.case.accept.confidence) for e in offer.chain])
            supplied = frozenset([s for line in offer.inputs for s in self.merged.materials[line.material].stages])
            covered = {entry.main_stage for entry in performed} | supplied
            missing = frozenset([stage for stage in material.stages if stage not in covered])
            self._stages[key] = _Stages(performed, missing, supplied, (offer.chain, offer.inputs))
        return self._stages[key]

    def rates(self, currency: str) -> tuple[Decimal, ...] | None:
        """What one unit of a currency is worth in the case's on the first day of each period; None without a rate."""
        if currency not in self._rates:
            rates, to = self.merged.rates, self.case.currency
            found = [exchange(rates, currency, to, period.start) for period in self.case.horizon.periods]
            known = tuple(rate for rate in found if rate is not None)
            self._rates[currency] = known if len(known) == len(found) else None
        return self._rates[currency]

    def rows(self, benchmark: str) -> tuple[BenchmarkPrice, ...]:
        """The accepted price of a benchmark that holds in each period: the last before it, else the first; empty without any."""
        if benchmark not in self._rows:
            least = self.case.accept.confidence
            known = self.merged.prices.get(benchmark, ())
            usable = [row for row in known if self.merged.confidence(row.source).reaches(least)]
            dates = [row.date for row in usable]
            periods = self.case.horizon.periods if usable else ()
            self._rows[benchmark] = tuple([usable[max(0, bisect_right(dates, p.start) - 1)] for p in periods])
        return self._rows[benchmark]

    def benchmarked(self, benchmark: str, material: Material) -> Benchmarked | None:
        """The benchmark in each period, per kilogram of a material's basis; None if some row cannot be converted to it."""
        key = benchmark, material.id
        if key not in self._benchmarked:
            self._benchmarked[key] = self._benchmark(self.rows(benchmark), material)
        return self._benchmarked[key]

    def _benchmark(self, rows: Sequence[BenchmarkPrice], material: Material) -> Benchmarked | None:
        factors = [self.basis(self.merged.materials[row.material], material) for row in rows]
        known = [factor for factor in factors if factor is not None]
        if len(known) < len(rows):
            return None
        amounts = tuple([row.amount * factor for row, factor in zip(rows, known, strict=True)])
        currencies = tuple([row.currency for row in rows])
        at_home = currencies.count(self.case.currency) == len(currencies)
        return Benchmarked(amounts, currencies, at_home, amounts.count(amounts[0]) == len(amounts))

    def basis(self, quoted: Material, wanted: Material) -> Decimal | None:
        """Kilograms of the quoted material's basis that hold as much of the element as one of the wanted one's."""
        if quoted.id == wanted.id or (quoted.basis == wanted.basis != "gross"):
            return Decimal(1)
        have, want = content_of(quoted, self.factors), content_of(wanted, self.factors)
        if quoted.element != wanted.element or not have or not want:
            return None
        return exact(want / have)

    def without_rate(self, currencies: Sequence[str]) -> str | None:
        """The first of some currencies that cannot be turned into the case's."""
        return next((currency for currency in dict.fromkeys(currencies) if self.rates(currency) is None), None)

    def in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...]:
        """Money of each period, as stored numbers, in the case's currency; every currency has a rate."""
        if currencies.count(self.case.currency) == len(currencies):
            return tuple(amounts)
        rates = [(self.rates(currency) or ())[t] for t, currency in enumerate(currencies)]
        return tuple([rounded(amount * rate) for amount, rate in zip(amounts, rates, strict=True)])


def missing_rates(merged: Merged, case: Case) -> Iterator[Diagnostic]:
    """Amounts in a currency that cannot be turned into the case's, of all offers that may be bought for what is wanted.

    Without the rate the amount is as good as unknown: an offer would silently be none, or freight be free.
    """
    assumed = {one.id: one.price for one in case.assume.offer if one.price is not None}
    lacking = {currency for currency in _currencies(merged, assumed.values()) if _lacks(merged, case, currency)}
    if not lacking:
        return
    needed: dict[str, list[InCurrency]] = {}

    def need(currency: str, of: str, file: str, column: str, subject: str) -> None:
        if currency in lacking:
            needed.setdefault(currency, []).append(InCurrency(of, file, column, subject))

    offers = list(_wanted(merged, case))
    paths = Paths(merged, case)
    onboarded = {today.offer for today in case.incumbents}
    for offer in offers:
        stated = _prices(paths, offer, assumed.get(offer.id))
        for column, currency in (*stated, *_other_costs(offer, onboarded=offer.id in onboarded)):
            home = "" if column.startswith("assume") else f"catalog {offer.catalog}"
            need(currency, f"the offer `{offer.id}`", home, column, offer.id)
    subjects: dict[str, set[str]] = {"offer": {offer.id for offer in offers}, "facility": set(), "supplier": set()}
    for offer in offers:
        for facility in around(offer.facility, merged.facilities):
            subjects["facility"].add(facility.id)
            subjects["supplier"].add(facility.supplier)
    for table, some in (("tiers", merged.schedules), ("terms", merged.terms)):
        for one in _about(some, subjects):
            column = "terms.fixed" if table == "terms" else "tiers.price"
            need(one.currency, f"the {table} of {one.name}", _home(one, merged), column, one.id)
    for currency, amounts in sorted(needed.items()):
        yield no_rate(currency, case.currency, amounts)


class InCurrency(NamedTuple):
    """An amount of money in a currency other than the case's."""

    of: str
    """What it is the price or cost of, in words."""
    file: str
    column: str
    subject: str
    """Id of the offer, or of what else it is of."""


_NAMED = 8
"""Amounts that a message about a missing rate names."""


def no_rate(currency: str, to: str, amounts: Sequence[InCurrency]) -> Diagnostic:
    """One problem for a missing exchange rate, at the first of the amounts that need it; all are named, as far as they fit in a sentence."""
    first, names = amounts[0], list(dict.fromkeys(amount.of for amount in amounts))
    left = len(names) - _NAMED
    named = ", ".join(names[:_NAMED]) + (f" and {left} more" if left > 0 else "")
    return Diagnostic(
        f"no exchange rate from {currency} to {to} for {named}",
        file=first.file if first.file != "catalog " else "",
        column=first.column,
        found=f"`{first.subject}`",
        expected=f"a row for {currency} in rates.csv",
        fix=f"add the rate of {currency} to a catalog of the case, with its source, or state the amount in {to}",
    )


def _lacks(merged: Merged, case: Case, currency: str) -> bool:
    return bool(currency) and exchange(merged.rates, currency, case.currency, case.horizon.start) is None


def _currencies(merged: Merged, assumed: Iterable[Price]) -> set[str]:
    """Every currency in which any amount is stated, of whatever offer; `assumed` are prices that the case gives."""
    found = {row.currency for rows in merged.prices.values() for row in rows}
    found |= {one.currency for some in (merged.schedules, merged.terms) for one in some}
    found |= {price.currency for price in assumed}
    for offer in merged.offers.values():
        found.add(offer.onboarding_currency)
        if offer.price is not None:
            found.add(offer.price.currency)
        found.update(quote.currency for quote in offer.quotes)
        found.update(lane.currency for lane in offer.lanes)
    return found


def _wanted(merged: Merged, case: Case) -> Iterator[Offer]:
    """Offers of what the case wants, and of what goes into that, in order of their ids."""
    makers = grouped((line.material, offer) for offer in merged.offers.values() for line in offer.outputs)
    found: dict[str, Offer] = {}
    materials = [demand.material for demand in case.demands]
    seen = set(materials)
    while materials:
        for offer in makers.get(materials.pop(), ()):
            found[offer.id] = offer
            more = {line.material for line in offer.inputs} - seen
            seen |= more
            materials += more
    return (found[name] for name in sorted(found))


def _prices(paths: Paths, offer: Offer, given: Price | None) -> Iterator[tuple[str, str]]:
    """Column and currency of the prices of an offer, as far as they count; `given`: what the case assumes in their place."""
    case, merged = paths.case, paths.merged
    price = offer.price if given is None else given
    if price is not None and price.amount is not None:
        if given is not None or _counts(merged, case, price.source):
            yield ("offers.price" if given is None else "assume.offer.id"), price.currency
    elif price is not None:
        rows = paths.rows(price.benchmark)
        yield from (("offers.benchmark", currency) for currency in sorted({row.currency for row in rows}))
    quotes = offer.quotes if given is None else ()
    held = {q.currency for q in quotes if _counts(merged, case, q.source) and _holds(q, case)}
    yield from (("quotes.price", currency) for currency in sorted(held))


def _other_costs(offer: Offer, *, onboarded: bool) -> Iterator[tuple[str, str]]:
    """Column and currency of what else it costs."""
    if offer.onboarding and not onboarded:
        yield "offers.onboarding", offer.onboarding_currency
    lanes = {lane.currency for lane in offer.lanes if lane.freight is not None}
    yield from (("lanes.freight", currency) for currency in sorted(lanes))


def _holds(quote: Quote, case: Case) -> bool:
    dates = Span(start=quote.start, end=quote.end)
    return any(dates.covers(period.span) for period in case.horizon.periods)


def _counts(merged: Merged, case: Case, source: str) -> bool:
    """Whether a price counts on its evidence; what is assumed does, and is shown so."""
    confidence = merged.confidence(source)
    return confidence.reaches(case.accept.confidence) or confidence in (Confidence.ASSUMED, Confidence.COMPUTED)


def _about(
    some: Iterable[PriceSchedule] | Iterable[Terms], subjects: dict[str, set[str]]
) -> Iterator[PriceSchedule | Terms]:
    return (one for one in some if one.id in subjects[one.of])


def _home(one: PriceSchedule | Terms, merged: Merged) -> str:
    """The catalog that a schedule or terms come from: that of their source."""
    return f"catalog {one.source.partition(':')[0]}" if one.source in merged.sources else ""
