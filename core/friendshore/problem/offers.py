"""Offers as the case accepts them: evidence, prices and limits by period, and leads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from ..domain.assumption_codes import OFFER_FIGURE
from ..domain.base import SharedValues, as_decimal, exact, rounded
from ..domain.basis import Factors, basis_factor, content_of
from ..domain.case import Case, OfferAssumption
from ..domain.evidence import Confidence
from ..domain.facts import CapacityStep, ChainEntry, Facility, Material, Offer
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.quantities import readable
from ..domain.runtime import cached_method
from ..domain.stages import Stage
from ..domain.time import Delay, Period, Span
from ..domain.use import Chained
from ..errors import Diagnostic, InputError
from .capacity import accepted_steps
from .decimal_arrays import Scaled
from .merged import CASE_SOURCE, Merged, RowDiagnostic, enclosing_facilities, exchange, up_the_chain


class _Stages(NamedTuple):
    """Stages of an offer. See `Chained`. `of` keeps its chain and inputs alive, so that no other object gets their identities."""

    performed: tuple[ChainEntry, ...]
    missing: frozenset[Stage]
    supplied: frozenset[Stage]
    of: tuple[object, object]


class Benchmarked(NamedTuple):
    """Benchmark prices by period."""

    amounts: tuple[Decimal, ...]
    currencies: tuple[str, ...]
    at_home: bool
    """True if all are in the case's currency."""
    steady: bool


class Paths:
    """Components of prices by period."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case
        self.factors = Factors(merged.factors)
        self.unlimited: tuple[Decimal | None, ...] = (None,) * case.horizon.count
        self.incumbents = frozenset(today.offer for today in case.incumbents)
        self.sharing = SharedValues()
        # By price as written, since equal prices may differ in trailing zeros.
        self._level: dict[str, tuple[Decimal, ...]] = {}
        self._stages: dict[tuple[int, int, str], _Stages] = {}

    def level(self, price: Decimal) -> tuple[Decimal, ...]:
        written = str(price)
        if written not in self._level:
            self._level[written] = (price,) * self.case.horizon.count
        return self._level[written]

    @cached_method
    def steps(self, facility: str) -> tuple[CapacityStep, ...]:
        return accepted_steps(self.merged.facilities[facility], self.merged, self.case)

    @cached_method
    def pools(self, facility: str) -> tuple[str, ...]:
        """Return the facility and those that contain it, as far as their capacity is accepted."""
        return tuple(
            [site.id for site in enclosing_facilities(facility, self.merged.facilities) if self.steps(site.id)]
        )

    def stages(self, offer: Offer, material: Material) -> _Stages:
        key = id(offer.chain), id(offer.inputs), material.id
        if key not in self._stages:
            performed = tuple([self.merged.accepted(entry, self.case.accept.confidence) for entry in offer.chain])
            supplied = frozenset([s for line in offer.inputs for s in self.merged.materials[line.material].stages])
            covered = {entry.main_stage for entry in performed if not entry.element} | supplied
            missing = frozenset([stage for stage in material.stages if stage not in covered])
            self._stages[key] = _Stages(performed, missing, supplied, (offer.chain, offer.inputs))
        return self._stages[key]

    @cached_method
    def rates(self, currency: str) -> tuple[Decimal, ...] | None:
        """Return the value of one unit of a currency in the case's on the first day of each period. None without a rate."""
        rates, to = self.merged.rates, self.case.currency
        rate_by_period = [exchange(rates, currency, to, period.start) for period in self.case.horizon.periods]
        known_rates = tuple(rate for rate in rate_by_period if rate is not None)
        return known_rates if len(known_rates) == len(rate_by_period) else None

    @cached_method
    def rows(self, benchmark: str) -> tuple[BenchmarkPrice, ...]:
        """Return the accepted price of a benchmark for each period: the last one by its first day, or else the first. Empty without any."""
        min_confidence = self.case.accept.confidence
        rows = self.merged.prices.get(benchmark, ())
        accepted = [row for row in rows if self.merged.confidence(row.source).reaches(min_confidence)]
        dates = [row.date for row in accepted]
        periods = self.case.horizon.periods if accepted else ()
        return tuple([accepted[max(0, bisect_right(dates, p.start) - 1)] for p in periods])

    @cached_method
    def benchmarked(self, benchmark: str, name: str) -> Benchmarked | None:
        """Return the benchmark in each period, per kilogram of a material's basis. None if some row can't be converted."""
        rows, material = self.rows(benchmark), self.merged.materials[name]
        factors = [self.basis(self.merged.materials[row.material], material) for row in rows]
        known_factors = [factor for factor in factors if factor is not None]
        if len(known_factors) < len(rows):
            return None
        amounts = tuple([row.amount * factor for row, factor in zip(rows, known_factors, strict=True)])
        currencies = tuple([row.currency for row in rows])
        at_home = currencies.count(self.case.currency) == len(currencies)
        return Benchmarked(amounts, currencies, at_home, amounts.count(amounts[0]) == len(amounts))

    def basis(self, quoted: Material, target: Material) -> Decimal | None:
        """Return the kilograms of the quoted basis with as much of the element as one kilogram of the target's. None if unknown."""
        if quoted.id == target.id or (quoted.basis == target.basis != "gross"):
            return Decimal(1)
        quoted_content, target_content = content_of(quoted, self.factors), content_of(target, self.factors)
        if quoted.element != target.element or not quoted_content or not target_content:
            return None
        return exact(target_content / quoted_content)

    def without_rate(self, currencies: Sequence[str]) -> str | None:
        return next((currency for currency in dict.fromkeys(currencies) if self.rates(currency) is None), None)

    def in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...]:
        """Return the money of each period in the case's currency. Every currency must have a rate."""
        if currencies.count(self.case.currency) == len(currencies):
            return tuple(amounts)
        rates = [(self.rates(currency) or ())[t] for t, currency in enumerate(currencies)]
        return tuple([rounded(amount * rate) for amount, rate in zip(amounts, rates, strict=True)])


def missing_rates(merged: Merged, case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each currency without a rate to the case's. Otherwise, the offer would be left out silently, or its freight be free."""
    price_by_offer = {entry.id: entry.price for entry in case.assume.offer if entry.price is not None}
    missing = {
        currency
        for currency in _currencies(merged, price_by_offer.values()) - {""}
        if exchange(merged.rates, currency, case.currency, case.horizon.start) is None
    }
    if not missing:
        return
    amounts_by_currency: dict[str, list[ForeignAmount]] = {}

    def record(currency: str, item: str, file: str, column: str, subject: str) -> None:
        if currency in missing:
            amounts_by_currency.setdefault(currency, []).append(ForeignAmount(item, file, column, subject))

    offers = list(_usable_offers(merged, case))
    paths = Paths(merged, case)
    incumbents = {today.offer for today in case.incumbents}
    for offer in offers:
        costs = _prices(paths, offer, price_by_offer.get(offer.id))
        for column, currency in (*costs, *_other_costs(offer, onboarded=offer.id in incumbents)):
            file = "" if column.startswith("assume") else f"catalog {offer.catalog}"
            record(currency, f"the offer `{offer.id}`", file, column, offer.id)
    subjects: dict[str, set[str]] = {"offer": {offer.id for offer in offers}, "facility": set(), "supplier": set()}
    for offer in offers:
        for facility in enclosing_facilities(offer.facility, merged.facilities):
            subjects["facility"].add(facility.id)
            subjects["supplier"].add(facility.supplier)
    for table, entries in (("tiers", merged.schedules), ("terms", merged.terms)):
        column = "terms.fixed" if table == "terms" else "tiers.price"
        for entry in entries:
            if entry.id in subjects[entry.of]:
                file = f"catalog {entry.source.partition(':')[0]}" if entry.source in merged.sources else ""
                record(entry.currency, f"the {table} of {entry.name}", file, column, entry.id)
    for currency, amounts in sorted(amounts_by_currency.items()):
        yield missing_rate_error(currency, case.currency, amounts)


class ForeignAmount(NamedTuple):
    """An amount of money in a currency other than the case's."""

    of: str
    file: str
    column: str
    subject: str


_MAX_NAMED = 8


def missing_rate_error(currency: str, to: str, amounts: Sequence[ForeignAmount]) -> RowDiagnostic:
    """Return one error for a missing exchange rate, at the first amount that needs it."""
    first, items = amounts[0], list(dict.fromkeys(amount.of for amount in amounts))
    extra = len(items) - _MAX_NAMED
    text = ", ".join(items[:_MAX_NAMED]) + (f" and {extra} more" if extra > 0 else "")
    places = f", needed in {len(items)} places: " if len(items) > 1 else " for "
    return RowDiagnostic(
        f"no exchange rate from {currency} to {to}{places}{text}",
        file=first.file if first.file != "catalog " else "",
        column=first.column,
        found=f"`{first.subject}`",
        expected=f"a row for {currency} in rates.csv",
        fix=f"add the rate of {currency} to a catalog of the case, with its source, or state the amount in {to}",
        code="FS251",
        cell=currency,
        found_in_row=f"an amount in {currency}",
    )


def _currencies(merged: Merged, case_prices: Iterable[Price]) -> set[str]:
    currencies = {row.currency for rows in merged.prices.values() for row in rows}
    currencies |= {entry.currency for entries in (merged.schedules, merged.terms) for entry in entries}
    currencies |= {price.currency for price in case_prices}
    for offer in merged.offers.values():
        currencies.add(offer.onboarding_currency)
        if offer.price is not None:
            currencies.add(offer.price.currency)
        currencies.update(quote.currency for quote in offer.quotes)
        currencies.update(lane.currency for lane in offer.lanes)
    return currencies


def _usable_offers(merged: Merged, case: Case) -> Iterator[Offer]:
    names = up_the_chain({demand.material for demand in case.demands}, merged.offers.values())
    return (offer for offer in merged.offers.values() if any(line.material in names for line in offer.outputs))


def _prices(paths: Paths, offer: Offer, case_price: Price | None) -> Iterator[tuple[str, str]]:
    """Yield the column and currency of an offer's prices that count. `case_price` replaces them."""
    case, merged = paths.case, paths.merged
    price = offer.price if case_price is None else case_price
    if price is not None and price.amount is not None:
        if case_price is not None or _counts(merged, case, price.source):
            yield ("offers.price" if case_price is None else "assume.offer.id"), price.currency
    elif price is not None:
        rows = paths.rows(price.benchmark)
        yield from (("offers.benchmark", currency) for currency in sorted({row.currency for row in rows}))
    quotes = offer.quotes if case_price is None else ()
    currencies = {q.currency for q in quotes if _counts(merged, case, q.source) and _is_valid(q, case)}
    yield from (("quotes.price", currency) for currency in sorted(currencies))


def _other_costs(offer: Offer, *, onboarded: bool) -> Iterator[tuple[str, str]]:
    if offer.onboarding and not onboarded:
        yield "offers.onboarding", offer.onboarding_currency
    lanes = {lane.currency for lane in offer.lanes if lane.freight is not None}
    yield from (("lanes.freight", currency) for currency in sorted(lanes))


def _is_valid(quote: Quote, case: Case) -> bool:
    dates = Span(start=quote.start, end=quote.end)
    return any(dates.covers(period.span) for period in case.horizon.periods)


def _counts(merged: Merged, case: Case, source: str) -> bool:
    """Return True if the evidence for a price suffices. Assumed and computed prices count too, and are reported as such."""
    confidence = merged.confidence(source)
    return confidence.reaches(case.accept.confidence) or confidence in (Confidence.ASSUMED, Confidence.COMPUTED)


_NOTHING = Decimal(0)


class OfferFacts(NamedTuple):
    """Offer that counts, with everything that the model needs."""

    offer: Offer
    facility: Facility
    place: str
    """Place where it takes its inputs."""
    chained: tuple[Chained, ...]
    price: Sequence[Decimal]
    """Money per unit in each order period, in the case's currency."""
    max_units: tuple[Decimal | None, ...]
    """Maximum units ordered in each period by its own limits. None means no limit, 0 that it can't be ordered."""
    pools: tuple[str, ...]
    onboarding: Decimal
    """One-off cost in the case's currency."""

    @property
    def min_units(self) -> Decimal:
        """Minimum units of an order, in whole lots. 0 means no minimum."""
        return self.in_lots(self.offer.min_order or Decimal(0))

    def in_lots(self, units: Decimal) -> Decimal:
        lot = self.offer.lot
        return units if lot is None else exact((units / lot).to_integral_value(ROUND_CEILING) * lot)

    @property
    def has_one_output(self) -> bool:
        """True if its unit is a kilogram of its one output."""
        return len(self.offer.outputs) == 1

    @property
    def has_limit(self) -> bool:
        return (
            bool(self.offer.min_order)
            or self.offer.total is not None
            or self.max_units.count(None) < len(self.max_units)
        )

    @property
    def negative_price_periods(self) -> tuple[int, ...]:
        """Order periods in which it may be ordered at a price below zero."""
        if not self.offer.has_negative_price:
            return ()
        periods = enumerate(zip(self.price, self.max_units, strict=True))
        return tuple(t for t, (price, limit) in periods if price < 0 and limit != 0)

    @property
    def mass_per_unit(self) -> Decimal:
        mass = _NOTHING
        for line in self.offer.outputs:
            mass += line.per_unit
        return mass


class LeadReason(NamedTuple):
    """A reason why an offer doesn't count."""

    lacks: Literal["capacity", "quantity", "price", "content", "rate"]
    """Missing or unproven figure. `content` is that of the benchmark's material."""
    text: str


@dataclass(frozen=True, slots=True)
class Lead:
    """Offer that is shown but never counts."""

    offer: Offer
    reasons: tuple[LeadReason, ...]

    @property
    def texts(self) -> list[str]:
        return list(dict.fromkeys(reason.text for reason in self.reasons))

    def lacks(self, *figures: str) -> bool:
        return any(reason.lacks in figures for reason in self.reasons)


class Assumption(NamedTuple):
    """Assumption, in a planner's words. The fields are those of `RunAssumption`."""

    subject: str
    text: str
    code: str
    short: str = ""


ResolvedOffer = tuple[OfferFacts | Lead, Sequence[Assumption]]


class OfferResolver:
    """Resolution of offers by a case and all facts of its catalogs except the offers."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged, self.case = merged, case
        self.paths = Paths(merged, case)
        self.assumption_by_offer = {assumption.id: assumption for assumption in case.assume.offer}

    def resolved(self, offer: Offer) -> ResolvedOffer:
        """Return the facts of an offer and the assumptions about it, or why it can't be used."""
        reader = OfferReader(self.merged, self.paths, self.case, offer, self.assumption_by_offer.get(offer.id))
        facts = reader.read()
        return facts, () if isinstance(facts, Lead) else reader.assumptions

    def leads(self) -> list[Lead]:
        """Return all offers that can't be used."""
        resolved = (self.resolved(offer)[0] for offer in self.merged.offers.values())
        return [facts for facts in resolved if isinstance(facts, Lead)]


class OfferReader:
    """Reader of one offer that collects assumptions, and reasons to make it a lead."""

    def __init__(
        self, merged: Merged, paths: Paths, case: Case, offer: Offer, assumption: OfferAssumption | None
    ) -> None:
        self.merged = merged
        self.paths = paths
        self.case = case
        self.assumption = assumption
        self.offer = self._with_assumption(offer)
        self.facility = merged.facilities[offer.facility]
        self.incumbent = offer.id in paths.incumbents
        self.qualified = self._qualified()
        # Periods throughout which a quote is valid. None without quotes.
        self.open: frozenset[int] | None = None
        self.reasons: list[LeadReason] = []
        self.assumptions: list[Assumption] = []

    def _lack(self, figure: Literal["capacity", "quantity", "price", "content", "rate"], text: str) -> None:
        self.reasons.append(LeadReason(figure, text))

    def read(self) -> OfferFacts | Lead:
        price = self.prices()
        limits = self._limits()
        onboarding_cost = Decimal(0) if self.incumbent else self.offer.onboarding
        onboarding = self._money(onboarding_cost, self.offer.onboarding_currency, "onboarding cost")
        self._note_assumed_recipe()
        if self.reasons or price is None:
            return Lead(self.offer, tuple(self.reasons))
        return OfferFacts(
            offer=self.offer,
            facility=self.facility,
            place=self.facility.place or self.facility.country,
            chained=tuple(self._chained(self.merged.materials[line.material]) for line in self.offer.outputs),
            price=price,
            max_units=limits,
            pools=self._pools(),
            onboarding=onboarding,
        )

    def _with_assumption(self, offer: Offer) -> Offer:
        assumption = self.assumption
        if assumption is None:
            return offer
        changes: dict[str, object] = {}
        factor = self._basis_of_assumption(offer, assumption)
        if assumption.capacity is not None:
            changes |= {
                "max_per_year": exact(assumption.capacity * factor),
                "start": assumption.start or offer.start,
                "source": CASE_SOURCE,
            }
        if assumption.price is not None:
            amount = assumption.price.amount
            per_unit = exact(amount / factor) if amount is not None else None
            changes["price"] = assumption.price.but(amount=per_unit, source=CASE_SOURCE)
            changes["quotes"] = ()
        if assumption.chain:
            stages = {(entry.stage, entry.element) for entry in assumption.chain}
            remaining = tuple(entry for entry in offer.chain if (entry.stage, entry.element) not in stages)
            changes["chain"] = remaining + tuple(entry.but(source=CASE_SOURCE) for entry in assumption.chain)
        return offer.but(**changes)

    def _basis_of_assumption(self, offer: Offer, assumption: OfferAssumption) -> Decimal:
        factor = basis_factor(
            self.merged.materials[offer.outputs[0].material], assumption.substance, self.paths.factors
        )
        if factor is None:
            raise InputError(
                f"the figure stated for `{offer.id}` is in {assumption.substance}, which can't be converted to {offer.outputs[0].material}",
                column="assume.offer",
                found=assumption.substance,
                fix="state it in the material's own basis, or add a row to factors.csv with its source",
                code="FS252",
            )
        return factor

    def _pools(self) -> tuple[str, ...]:
        """Return the facility and those that contain it. If the case states the capacity of the offer, the facility itself is left out."""
        pools = self.paths.pools(self.facility.id)
        if self.assumption is None or self.assumption.capacity is None:
            return pools
        return tuple(name for name in pools if name != self.facility.id)

    def _limits(self) -> tuple[Decimal | None, ...]:
        offer, min_confidence = self.offer, self.case.accept.confidence
        has_own_limit = offer.max_per_year is not None or offer.total is not None
        if has_own_limit and not self.merged.confidence(offer.source).reaches(min_confidence):
            self._lack("quantity", f"its quantity is only {self.merged.confidence(offer.source)}")
        if not has_own_limit:
            steps = self.paths.steps(self.facility.id)
            if not self.facility.capacity:
                self._lack("capacity", "no source gives its capacity")
            elif not steps:
                best = max((self.merged.confidence(s.source) for s in self.facility.capacity), key=lambda c: c.rank)
                self._lack("capacity", f"its capacity is only {best}")
        if not self._limited():
            return self.paths.unlimited
        return tuple(self._limit_in(period) for period in self.case.horizon.periods)

    def _limited(self) -> bool:
        offer = self.offer
        dates = (offer.start, offer.end, offer.qualification)
        quantities = (offer.max_per_year, offer.max_order, offer.total, offer.lot, offer.max_lots)
        terms = (*dates, *quantities)
        return bool(offer.quotes) or terms.count(None) < len(terms)

    def _limit_in(self, period: Period) -> Decimal | None:
        if not Span(start=self.offer.start, end=self.offer.end).covers(period.span):
            return Decimal(0)
        if period.index < self.qualified or (self.open is not None and period.index not in self.open):
            return Decimal(0)
        limits = []
        if self.offer.max_per_year is not None:
            limits.append(as_decimal(Fraction(self.offer.max_per_year) * period.years))
        if self.offer.max_order is not None:
            limits.append(self.offer.max_order)
        if self.offer.lot is not None and self.offer.max_lots is not None:
            limits.append(exact(self.offer.lot * self.offer.max_lots))
        if self.offer.total is not None:
            limits.append(self.offer.total)
        return min(limits) if limits else None

    def _qualified(self) -> int:
        months = self.offer.qualification
        if months is None or self.incumbent:
            return 0
        return self.case.horizon.arrival(0, Delay.of(months))

    def prices(self) -> Sequence[Decimal] | None:
        """Return its price in each period, in the case's currency. If no price counts, add the reason and return None."""
        price = self.offer.price
        if self.offer.quotes:
            return self._prices_by_quotes()
        if price is None:
            self._lack("price", "no source gives its price")
            return None
        if price.amount is None:
            return self._benchmarked(price)
        return self._shared_if_level(self._quoted(price))

    def _shared_if_level(self, prices: tuple[Decimal, ...] | None) -> tuple[Decimal, ...] | None:
        if prices is not None and prices.count(prices[0]) == len(prices):
            return self.paths.level(prices[0])
        return prices

    def _prices_by_quotes(self) -> tuple[Decimal, ...] | None:
        """Return the price of the quote valid throughout each period. Without one, the offer is closed, at the price of the previous or first quote."""
        quote_by_period: dict[int, Quote] = {}
        reasons: list[str] = []
        for quote in self.offer.quotes:
            dates = Span(start=quote.start, end=quote.end)
            periods = [p.index for p in self.case.horizon.periods if dates.covers(p.span)]
            reason = self._reason_against(quote.amount, quote.currency, quote.source) if periods else ""
            if reason:
                reasons.append(reason)
                continue
            quote_by_period |= dict.fromkeys(periods, quote)
        if not quote_by_period:
            for reason in reasons or ["no quotation is valid throughout a period of the plan"]:
                self._lack("price", reason)
            return None
        self.open = frozenset(quote_by_period)
        latest = quote_by_period[min(quote_by_period)]
        quotes = [latest := quote_by_period.get(t, latest) for t in range(self.case.horizon.count)]
        return self._in_case_currency([quote.amount for quote in quotes], [quote.currency for quote in quotes])

    def _quoted(self, price: Price) -> tuple[Decimal, ...] | None:
        assert price.amount is not None
        reason = self._reason_against(price.amount, price.currency, price.source)
        if reason:
            self._lack("price", reason)
        count = self.case.horizon.count
        return self._in_case_currency([price.amount] * count, [price.currency] * count)

    def _reason_against(self, amount: Decimal, currency: str, source: str) -> str:
        """Return the reason why a price doesn't count. Empty if it does."""
        confidence = self.merged.confidence(source)
        accepted = confidence.reaches(self.case.accept.confidence)
        price = f"price {readable(amount)} {currency}/kg"
        if confidence is Confidence.ASSUMED or (confidence is Confidence.COMPUTED and not accepted):
            reference = self.merged.sources[source].reference if source in self.merged.sources else ""
            self._assume(
                f"{price} is {confidence.value}"
                + (f": {reference.removeprefix(f'{confidence.value.capitalize()}: ')}" if reference else "")
            )
        elif not accepted:
            return f"its price is only {confidence}"
        elif source == CASE_SOURCE:
            self._assume(f"{price} is stated by the case")
        return ""

    def _benchmarked(self, price: Price) -> Sequence[Decimal] | None:
        rows = self.paths.rows(price.benchmark)
        if not rows:
            self._lack("price", f"no price of benchmark `{price.benchmark}` has sufficient evidence")
            return None
        materials = self.merged.materials
        material = materials[self.offer.outputs[0].material]
        benchmark = self.paths.benchmarked(price.benchmark, material.id)
        if benchmark is None:
            unconvertible = next(r.material for r in rows if self.paths.basis(materials[r.material], material) is None)
            text = f"benchmark `{price.benchmark}` is for {unconvertible}, whose content is unknown, so it can't be converted"
            self._lack("content", text)
            return None
        if price.premium:
            premium = f"{(price.premium * 100).normalize():+f}%"
            self._assume(f"priced at benchmark {price.benchmark} {premium}")
        else:
            self._assume(f"priced at benchmark {price.benchmark}, without a premium")
        factor = 1 + price.premium
        if not benchmark.at_home:
            return self._shared_if_level(
                self._in_case_currency(list(Scaled(benchmark.amounts, factor)), benchmark.currencies)
            )
        if benchmark.steady:
            return self.paths.level(rounded(benchmark.amounts[0] * factor))
        return Scaled(benchmark.amounts, factor)

    def _in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...] | None:
        unknown = self.paths.without_rate(currencies)
        if unknown is not None:
            self._lack("rate", f"no exchange rate from {unknown} to {self.case.currency}")
            return None
        return self.paths.in_case_currency(amounts, currencies)

    def _money(self, amount: Decimal | None, currency: str, item: str) -> Decimal:
        if not amount:
            return _NOTHING
        rate = exchange(self.merged.rates, currency or self.case.currency, self.case.currency, self.case.horizon.start)
        if rate is None:
            self._lack("rate", f"no exchange rate from {currency} to {self.case.currency} for its {item}")
            return Decimal(0)
        return exact(amount * rate)

    def _chained(self, material: Material) -> Chained:
        stages = self.paths.stages(self.offer, material)
        fields = {
            "offer": self.offer,
            "material": material,
            "facility": self.facility,
            "performed": stages.performed,
            "missing": stages.missing,
            "supplied": stages.supplied,
            "source": not self.offer.inputs,
        }
        chained = self.paths.sharing.unchecked_record(Chained, fields)
        if chained.origin_contradicted:
            countries = " and ".join(sorted(chained.last_countries[0]))
            text = f"states {self.offer.customs_origin} as its customs origin, where none of its stages takes place, so {countries} counts as an origin too"
            self._assume(text)
        return chained

    def _note_assumed_recipe(self) -> None:
        outputs = self.offer.outputs if len(self.offer.outputs) > 1 else ()
        for verb, lines in (("takes", self.offer.inputs), ("gives", outputs)):
            for line in lines:
                confidence = self.merged.confidence(line.source)
                if not confidence.reaches(Confidence.REPORTED):
                    self._assume(f"{verb} {line.per_unit.normalize():f} kg of {line.material} per unit ({confidence})")
        if self.assumption is None:
            return
        why = f": {self.assumption.why}" if self.assumption.why else ""
        if self.assumption.capacity is not None:
            self._assume(f"capacity {self.assumption.capacity.normalize():f} kg/year is stated by the case{why}")
        if self.assumption.chain:
            stages = ", ".join(sorted(e.stage for e in self.assumption.chain))
            self._assume(f"origin of {stages} is stated by the case{why}")

    def _assume(self, text: str) -> None:
        self.assumptions.append(Assumption(self.offer.id, text, OFFER_FIGURE))


P = TypeVar("P", Price, Quote, BenchmarkPrice)
End = Literal["low", "high"]


def has_range(facts: OfferFacts, merged: Merged) -> bool:
    price = facts.offer.price
    rows = merged.prices.get(price.benchmark, ()) if price is not None else ()
    return any(priced.low is not None for priced in (*facts.offer.prices, *rows))


def prices_at(end: End, offers: Sequence[OfferFacts], merged: Merged, case: Case) -> dict[str, Sequence[Decimal]]:
    """Return each offer's price in each period with every price at one end of its range, in the case's currency."""
    rows = {name: tuple([_at(row, end) for row in rows]) for name, rows in merged.prices.items()}
    shifted = replace(merged, prices=rows)
    paths = Paths(shifted, case)
    prices_by_offer = {}
    for facts in offers:
        offer = facts.offer
        price = None if offer.price is None else _at(offer.price, end)
        shifted_offer = offer.but(price=price, quotes=tuple(_at(quote, end) for quote in offer.quotes))
        prices = OfferReader(shifted, paths, case, shifted_offer, None).prices()
        if prices is not None:
            prices_by_offer[offer.id] = prices
    return prices_by_offer


def _at(price: P, end: End) -> P:
    amount = price.low if end == "low" else price.high
    return price if amount is None else price.but(amount=amount)
