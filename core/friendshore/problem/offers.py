"""Offers as the case accepts them: evidence, prices and limits by period, and leads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from ..domain.base import SharedValues, as_decimal, exact, rounded
from ..domain.basis import Factors, basis_factor, content_of
from ..domain.case import Case, OfferAssumption
from ..domain.evidence import Confidence
from ..domain.facts import CapacityStep, ChainEntry, Facility, Material, Offer
from ..domain.market import BenchmarkPrice, Price, Quote
from ..domain.quantities import readable
from ..domain.runtime import cached_method, with_progress
from ..domain.stages import Stage
from ..domain.time import Delay, Period, Span
from ..domain.use import Chained
from ..errors import Diagnostic, InputError
from .capacity import accepted_steps
from .decimal_arrays import Scaled
from .merged import CASE_SOURCE, Merged, around, exchange, up_the_chain


class _Stages(NamedTuple):
    """Stages that an offer performs, leaves open, and covers by inputs. See `Chained`."""

    performed: tuple[ChainEntry, ...]
    missing: frozenset[Stage]
    supplied: frozenset[Stage]
    of: tuple[object, object]
    """Chain and inputs of the offer, referenced so that no other object gets their identities."""


class Benchmarked(NamedTuple):
    """Benchmark prices by period."""

    amounts: tuple[Decimal, ...]
    currencies: tuple[str, ...]
    at_home: bool
    """True if all are in the case's currency."""
    steady: bool
    """True if all amounts are equal."""


class Paths:
    """Components of prices by period."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case
        self.factors = Factors(merged.factors)
        self.unlimited: tuple[Decimal | None, ...] = (None,) * case.horizon.count
        """Limits of an offer without own limits."""
        self.incumbents = frozenset(today.offer for today in case.incumbents)
        """Offers that are bought from today."""
        self.sharing = SharedValues()
        self._level: dict[str, tuple[Decimal, ...]] = {}
        """Price as written -> prices by period. Equal prices may differ in trailing zeros."""
        self._stages: dict[tuple[int, int, str], _Stages] = {}

    def level(self, price: Decimal) -> tuple[Decimal, ...]:
        """Return a price for all periods, as a shared tuple."""
        written = str(price)
        if written not in self._level:
            self._level[written] = (price,) * self.case.horizon.count
        return self._level[written]

    @cached_method
    def steps(self, facility: str) -> tuple[CapacityStep, ...]:
        return accepted_steps(self.merged.facilities[facility], self.merged, self.case)

    @cached_method
    def pools(self, facility: str) -> tuple[str, ...]:
        """Return the facility and those around it that have an accepted capacity."""
        return tuple([site.id for site in around(facility, self.merged.facilities) if self.steps(site.id)])

    def stages(self, offer: Offer, material: Material) -> _Stages:
        """Return the stages that an offer performs, leaves open, and covers by inputs. Offers with one chain and inputs share the result."""
        key = id(offer.chain), id(offer.inputs), material.id
        if key not in self._stages:
            performed = tuple([self.merged.accepted(e, self.case.accept.confidence) for e in offer.chain])
            supplied = frozenset([s for line in offer.inputs for s in self.merged.materials[line.material].stages])
            covered = {entry.main_stage for entry in performed} | supplied
            missing = frozenset([stage for stage in material.stages if stage not in covered])
            self._stages[key] = _Stages(performed, missing, supplied, (offer.chain, offer.inputs))
        return self._stages[key]

    @cached_method
    def rates(self, currency: str) -> tuple[Decimal, ...] | None:
        """Return the value of one unit of a currency in the case's on the first day of each period. None without a rate."""
        rates, to = self.merged.rates, self.case.currency
        found = [exchange(rates, currency, to, period.start) for period in self.case.horizon.periods]
        known = tuple(rate for rate in found if rate is not None)
        return known if len(known) == len(found) else None

    @cached_method
    def rows(self, benchmark: str) -> tuple[BenchmarkPrice, ...]:
        """Return the accepted price of a benchmark for each period: the last one by its first day, or else the first. Empty without any."""
        least = self.case.accept.confidence
        known = self.merged.prices.get(benchmark, ())
        usable = [row for row in known if self.merged.confidence(row.source).reaches(least)]
        dates = [row.date for row in usable]
        periods = self.case.horizon.periods if usable else ()
        return tuple([usable[max(0, bisect_right(dates, p.start) - 1)] for p in periods])

    @cached_method
    def benchmarked(self, benchmark: str, name: str) -> Benchmarked | None:
        """Return the benchmark in each period, per kilogram of a material's basis. None if some row can't be converted."""
        rows, material = self.rows(benchmark), self.merged.materials[name]
        factors = [self.basis(self.merged.materials[row.material], material) for row in rows]
        known = [factor for factor in factors if factor is not None]
        if len(known) < len(rows):
            return None
        amounts = tuple([row.amount * factor for row, factor in zip(rows, known, strict=True)])
        currencies = tuple([row.currency for row in rows])
        at_home = currencies.count(self.case.currency) == len(currencies)
        return Benchmarked(amounts, currencies, at_home, amounts.count(amounts[0]) == len(amounts))

    def basis(self, quoted: Material, wanted: Material) -> Decimal | None:
        """Return the kilograms of the quoted material's basis with as much of the element as one of the wanted material's. None if unknown."""
        if quoted.id == wanted.id or (quoted.basis == wanted.basis != "gross"):
            return Decimal(1)
        have, want = content_of(quoted, self.factors), content_of(wanted, self.factors)
        if quoted.element != wanted.element or not have or not want:
            return None
        return exact(want / have)

    def without_rate(self, currencies: Sequence[str]) -> str | None:
        """Return the first currency without a rate to the case's. None if all have one."""
        return next((currency for currency in dict.fromkeys(currencies) if self.rates(currency) is None), None)

    def in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...]:
        """Return the money of each period in the case's currency, as stored numbers. Every currency must have a rate."""
        if currencies.count(self.case.currency) == len(currencies):
            return tuple(amounts)
        rates = [(self.rates(currency) or ())[t] for t, currency in enumerate(currencies)]
        return tuple([rounded(amount * rate) for amount, rate in zip(amounts, rates, strict=True)])


def missing_rates(merged: Merged, case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each currency without a rate to the case's, among amounts of offers that may be bought.

    Without a rate, an amount is as good as unknown. The offer would silently be left out, or its freight be free.
    """
    assumed = {one.id: one.price for one in case.assume.offer if one.price is not None}
    lacking = {
        currency
        for currency in _currencies(merged, assumed.values()) - {""}
        if exchange(merged.rates, currency, case.currency, case.horizon.start) is None
    }
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
        column = "terms.fixed" if table == "terms" else "tiers.price"
        for one in some:
            if one.id in subjects[one.of]:
                home = f"catalog {one.source.partition(':')[0]}" if one.source in merged.sources else ""
                need(one.currency, f"the {table} of {one.name}", home, column, one.id)
    for currency, amounts in sorted(needed.items()):
        yield no_rate(currency, case.currency, amounts)


class InCurrency(NamedTuple):
    """An amount of money in a currency other than the case's."""

    of: str
    """Priced item, in words."""
    file: str
    column: str
    subject: str
    """Id of the offer, price schedule, or terms of trade."""


_NAMED = 8
"""Maximum number of amounts named in a message."""


def no_rate(currency: str, to: str, amounts: Sequence[InCurrency]) -> Diagnostic:
    """Return one error for a missing exchange rate, at the first amount that needs it. It names as many amounts as fit in a sentence."""
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


def _currencies(merged: Merged, assumed: Iterable[Price]) -> set[str]:
    """Return every currency in which an amount of any offer is stated. `assumed` are prices from the case."""
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
    """Return the offers of materials in demand and of their inputs, in order of their ids."""
    names = up_the_chain({demand.material for demand in case.demands}, merged.offers.values())
    return (offer for offer in merged.offers.values() if any(line.material in names for line in offer.outputs))


def _prices(paths: Paths, offer: Offer, given: Price | None) -> Iterator[tuple[str, str]]:
    """Yield the column and currency of an offer's prices that count. `given` is the case's price in their place."""
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
    """Yield the column and currency of an offer's onboarding cost and freight."""
    if offer.onboarding and not onboarded:
        yield "offers.onboarding", offer.onboarding_currency
    lanes = {lane.currency for lane in offer.lanes if lane.freight is not None}
    yield from (("lanes.freight", currency) for currency in sorted(lanes))


def _holds(quote: Quote, case: Case) -> bool:
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
    """Outputs as rules see them."""
    price: Sequence[Decimal]
    """Money per unit in each order period, in the case's currency."""
    most: tuple[Decimal | None, ...]
    """Maximum units ordered in each period by its own limits. None means no limit, 0 that it can't be ordered."""
    pools: tuple[str, ...]
    """Facilities whose capacity it uses, its own first."""
    onboarding: Decimal
    """One-off cost in the case's currency."""

    @property
    def least(self) -> Decimal:
        """Minimum units of an order, in whole lots. 0 means no minimum."""
        return self.in_lots(self.offer.min_order or Decimal(0))

    def in_lots(self, units: Decimal) -> Decimal:
        """Return units rounded up to whole lots."""
        lot = self.offer.lot
        return units if lot is None else exact((units / lot).to_integral_value(ROUND_CEILING) * lot)

    @property
    def single(self) -> bool:
        """True if its unit is a kilogram of its one output."""
        return len(self.offer.outputs) == 1

    @property
    def limited(self) -> bool:
        """True if it limits the quantity of an order, of a period, or in total."""
        return bool(self.offer.min_order) or self.offer.total is not None or self.most.count(None) < len(self.most)

    @property
    def paid_periods(self) -> tuple[int, ...]:
        """Order periods in which it may be ordered at a price below zero."""
        if not self.offer.paid:
            return ()
        periods = enumerate(zip(self.price, self.most, strict=True))
        return tuple(t for t, (price, most) in periods if price < 0 and most != 0)

    @property
    def mass_per_unit(self) -> Decimal:
        """Kilograms of all outputs per unit."""
        mass = _NOTHING
        for line in self.offer.outputs:
            mass += line.per_unit
        return mass


class LeadReason(NamedTuple):
    """A reason why an offer doesn't count."""

    lacks: Literal["capacity", "quantity", "price", "content", "rate"]
    """Missing or unproven figure: facility capacity, offer quantity, price, content of the benchmark's material, or exchange rate."""
    text: str


@dataclass(frozen=True, slots=True)
class Lead:
    """Offer that is shown but never counts."""

    offer: Offer
    reasons: tuple[LeadReason, ...]

    @property
    def texts(self) -> list[str]:
        """Reasons in words, without repeats."""
        return list(dict.fromkeys(reason.text for reason in self.reasons))

    def lacks(self, *figures: str) -> bool:
        return any(reason.lacks in figures for reason in self.reasons)


class Assumption(NamedTuple):
    """Assumption, in a planner's words."""

    subject: str
    text: str


def resolve_offers(merged: Merged, case: Case) -> tuple[list[OfferFacts], list[Lead], list[Assumption]]:
    """Return the offers that count, the leads, and the assumptions about offers, in order of ids."""
    given = {assumption.id: assumption for assumption in case.assume.offer}
    paths = Paths(merged, case)
    counted: list[OfferFacts] = []
    leads: list[Lead] = []
    assumptions: list[Assumption] = []
    for offer in with_progress(list(merged.offers.values()), "pricing offers", "offers"):
        reader = OfferReader(merged, paths, case, offer, given.get(offer.id))
        facts = reader.read()
        if isinstance(facts, Lead):
            leads.append(facts)
        else:
            counted.append(facts)
            assumptions.extend(reader.assumptions)
    return counted, leads, assumptions


class OfferReader:
    """Reader of one offer that collects assumptions, and reasons to make it a lead."""

    def __init__(self, merged: Merged, paths: Paths, case: Case, offer: Offer, given: OfferAssumption | None) -> None:
        self.merged = merged
        self.paths = paths
        self.case = case
        self.given = given
        self.offer = self._with_assumption(offer)
        self.facility = merged.facilities[offer.facility]
        self.incumbent = offer.id in paths.incumbents
        """True if it is bought from today."""
        self.qualified = self._qualified()
        """First period in which it may be ordered. An incumbent is already qualified."""
        self.open: frozenset[int] | None = None
        """Periods throughout which a quote is valid. None if it has no quotes."""
        self.reasons: list[LeadReason] = []
        self.assumptions: list[Assumption] = []

    def _lack(self, figure: Literal["capacity", "quantity", "price", "content", "rate"], text: str) -> None:
        self.reasons.append(LeadReason(figure, text))

    def read(self) -> OfferFacts | Lead:
        price = self.prices()
        most = self._most()
        once = Decimal(0) if self.incumbent else self.offer.onboarding
        onboarding = self._money(once, self.offer.onboarding_currency, "onboarding cost")
        self._note_assumed_recipe()
        if self.reasons or price is None:
            return Lead(self.offer, tuple(self.reasons))
        return OfferFacts(
            offer=self.offer,
            facility=self.facility,
            place=self.facility.place or self.facility.country,
            chained=tuple(self._chained(self.merged.materials[line.material]) for line in self.offer.outputs),
            price=price,
            most=most,
            pools=self._pools(),
            onboarding=onboarding,
        )

    def _with_assumption(self, offer: Offer) -> Offer:
        given = self.given
        if given is None:
            return offer
        update: dict[str, object] = {}
        factor = self._given_basis(offer, given)
        if given.capacity is not None:
            update |= {
                "max_per_year": exact(given.capacity * factor),
                "start": given.start or offer.start,
                "source": CASE_SOURCE,
            }
        if given.price is not None:
            amount = given.price.amount
            per_unit = exact(amount / factor) if amount is not None else None
            update["price"] = given.price.but(amount=per_unit, source=CASE_SOURCE)
            update["quotes"] = ()
        if given.chain:
            stated = {entry.stage for entry in given.chain}
            kept = tuple(entry for entry in offer.chain if entry.stage not in stated)
            update["chain"] = kept + tuple(e.but(source=CASE_SOURCE) for e in given.chain)
        return offer.but(**update)

    def _given_basis(self, offer: Offer, given: OfferAssumption) -> Decimal:
        factor = basis_factor(self.merged.materials[offer.outputs[0].material], given.substance, self.paths.factors)
        if factor is None:
            raise InputError(
                f"the figure given for `{offer.id}` is of {given.substance}, which cannot be turned into {offer.outputs[0].material}",
                column="assume.offer",
                found=given.substance,
                fix="state it in the material's own basis, or add a row to factors.csv with its source",
            )
        return factor

    def _pools(self) -> tuple[str, ...]:
        """Return the facility and those around it. If the case gives the offer a capacity, the facility itself is left out."""
        pools = self.paths.pools(self.facility.id)
        if self.given is None or self.given.capacity is None:
            return pools
        return tuple(name for name in pools if name != self.facility.id)

    def _most(self) -> tuple[Decimal | None, ...]:
        offer, least = self.offer, self.case.accept.confidence
        own = offer.max_per_year is not None or offer.total is not None
        if own and not self.merged.confidence(offer.source).reaches(least):
            self._lack("quantity", f"its quantity is only {self.merged.confidence(offer.source)}")
        if not own:
            steps = self.paths.steps(self.facility.id)
            if not self.facility.capacity:
                self._lack("capacity", "nobody published its capacity")
            elif not steps:
                best = max((self.merged.confidence(s.source) for s in self.facility.capacity), key=lambda c: c.rank)
                self._lack("capacity", f"its capacity is only {best}")
        if not self._limited():
            return self.paths.unlimited
        return tuple(self._most_in(period) for period in self.case.horizon.periods)

    def _limited(self) -> bool:
        offer = self.offer
        dates = (offer.start, offer.end, offer.qualification)
        quantities = (offer.max_per_year, offer.max_order, offer.total, offer.lot, offer.max_lots)
        said = (*dates, *quantities)
        return bool(offer.quotes) or said.count(None) < len(said)

    def _most_in(self, period: Period) -> Decimal | None:
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
            return self._by_quotes()
        if price is None:
            self._lack("price", "nobody published its price")
            return None
        if price.amount is None:
            return self._benchmarked(price)
        return self._leveled(self._quoted(price))

    def _leveled(self, prices: tuple[Decimal, ...] | None) -> tuple[Decimal, ...] | None:
        """Return the prices. Offers with one price in all periods share a tuple."""
        if prices is not None and prices.count(prices[0]) == len(prices):
            return self.paths.level(prices[0])
        return prices

    def _by_quotes(self) -> tuple[Decimal, ...] | None:
        """Return the price of the quote valid throughout each period. Without one, the offer is closed, at the price of the previous or first quote."""
        found: dict[int, Quote] = {}
        refused: list[str] = []
        for quote in self.offer.quotes:
            dates = Span(start=quote.start, end=quote.end)
            within = [p.index for p in self.case.horizon.periods if dates.covers(p.span)]
            reason = self._weighed(quote.amount, quote.currency, quote.source) if within else ""
            if reason:
                refused.append(reason)
                continue
            found |= dict.fromkeys(within, quote)
        if not found:
            for reason in refused or ["no quotation holds throughout a period of the plan"]:
                self._lack("price", reason)
            return None
        self.open = frozenset(found)
        last = found[min(found)]
        held = [last := found.get(t, last) for t in range(self.case.horizon.count)]
        return self._in_case_currency([quote.amount for quote in held], [quote.currency for quote in held])

    def _quoted(self, price: Price) -> tuple[Decimal, ...] | None:
        assert price.amount is not None
        reason = self._weighed(price.amount, price.currency, price.source)
        if reason:
            self._lack("price", reason)
        count = self.case.horizon.count
        return self._in_case_currency([price.amount] * count, [price.currency] * count)

    def _weighed(self, amount: Decimal, currency: str, source: str) -> str:
        """Return the reason why a price doesn't count. Empty if it does, and assumptions are noted."""
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
            self._assume(f"{price} is given by the case")
        return ""

    def _benchmarked(self, price: Price) -> Sequence[Decimal] | None:
        rows = self.paths.rows(price.benchmark)
        if not rows:
            self._lack("price", f"no price of benchmark `{price.benchmark}` is well enough founded")
            return None
        materials = self.merged.materials
        material = materials[self.offer.outputs[0].material]
        found = self.paths.benchmarked(price.benchmark, material.id)
        if found is None:
            other = next(r.material for r in rows if self.paths.basis(materials[r.material], material) is None)
            text = f"benchmark `{price.benchmark}` is of {other}, which has no known content to convert by"
            self._lack("content", text)
            return None
        if price.premium:
            self._assume(
                f"priced at benchmark {price.benchmark} {'+' if price.premium > 0 else ''}{(price.premium * 100).normalize():f} %"
            )
        else:
            self._assume(f"priced at benchmark {price.benchmark}, without a premium")
        factor = 1 + price.premium
        if not found.at_home:
            return self._leveled(self._in_case_currency(list(Scaled(found.amounts, factor)), found.currencies))
        if found.steady:
            return self.paths.level(rounded(found.amounts[0] * factor))
        return Scaled(found.amounts, factor)

    def _in_case_currency(self, amounts: Sequence[Decimal], currencies: Sequence[str]) -> tuple[Decimal, ...] | None:
        unknown = self.paths.without_rate(currencies)
        if unknown is not None:
            self._lack("rate", f"no exchange rate from {unknown} to {self.case.currency}")
            return None
        return self.paths.in_case_currency(amounts, currencies)

    def _money(self, amount: Decimal | None, currency: str, what: str) -> Decimal:
        if not amount:
            return _NOTHING
        rate = exchange(self.merged.rates, currency or self.case.currency, self.case.currency, self.case.horizon.start)
        if rate is None:
            self._lack("rate", f"no exchange rate from {currency} to {self.case.currency} for its {what}")
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
        made = self.paths.sharing.made(Chained, fields)
        if made.origin_contradicted:
            told = " and ".join(sorted(made.last_countries[0]))
            text = f"states {self.offer.customs_origin} as its customs origin, where none of its stages is done: counted as of {told} too"
            self._assume(text)
        return made

    def _note_assumed_recipe(self) -> None:
        for line in self.offer.inputs:
            confidence = self.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                self._assume(f"takes {line.per_unit.normalize():f} kg of {line.material} a unit ({confidence})")
        for line in self.offer.outputs if len(self.offer.outputs) > 1 else ():
            confidence = self.merged.confidence(line.source)
            if not confidence.reaches(Confidence.REPORTED):
                self._assume(f"gives {line.per_unit.normalize():f} kg of {line.material} a unit ({confidence})")
        if self.given is not None and self.given.capacity is not None:
            self._assume(
                f"capacity {self.given.capacity.normalize():f} kg/year given by the case"
                + (f": {self.given.why}" if self.given.why else "")
            )
        if self.given is not None and self.given.chain:
            stages = ", ".join(sorted(e.stage for e in self.given.chain))
            self._assume(f"origin of {stages} given by the case" + (f": {self.given.why}" if self.given.why else ""))

    def _assume(self, text: str) -> None:
        self.assumptions.append(Assumption(self.offer.id, text))


P = TypeVar("P", Price, Quote, BenchmarkPrice)
End = Literal["low", "high"]


def has_range(facts: OfferFacts, merged: Merged) -> bool:
    """Return True if a price of an offer, or its benchmark, has a range."""
    price = facts.offer.price
    rows = merged.prices.get(price.benchmark, ()) if price is not None else ()
    return any(one.low is not None for one in (*facts.offer.prices, *rows))


def prices_at(end: End, offers: Sequence[OfferFacts], merged: Merged, case: Case) -> dict[str, Sequence[Decimal]]:
    """Return each offer's price in each period with every price at one end of its range, in the case's currency."""
    rows = {name: tuple([_at(row, end) for row in rows]) for name, rows in merged.prices.items()}
    shifted = replace(merged, prices=rows)
    paths = Paths(shifted, case)
    found = {}
    for facts in offers:
        offer = facts.offer
        price = None if offer.price is None else _at(offer.price, end)
        moved = offer.but(price=price, quotes=tuple(_at(quote, end) for quote in offer.quotes))
        prices = OfferReader(shifted, paths, case, moved, None).prices()
        if prices is not None:
            found[offer.id] = prices
    return found


def _at(price: P, end: End) -> P:
    stated = price.low if end == "low" else price.high
    return price if stated is None else price.but(amount=stated)
