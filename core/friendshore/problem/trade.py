"""Terms of orders beyond a unit price: capacity, price schedules, terms of trade, and take-or-pay, in the case's currency.

Take-or-pay is due each year on the untaken part, if an offer is used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from ..domain.base import as_decimal, exact, grouped
from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import Facility, Offer, unlimited_payment_faults
from ..domain.quantities import readable
from ..domain.terms import SPANS, OrderCondition, PriceSchedule, Terms, Tier, TierKind, overlap_fault, overlapping
from ..domain.time import Span, stretches
from ..errors import Diagnostic, InputError
from .capacity import Capacities, Pool
from .merged import Merged, around, exchange, missing_rate
from .network import Moves, Network
from .offers import Assumption, OfferFacts

Subject = tuple[str, str]
"""Kind (`offer`, `facility`, or `supplier`) and id."""


def subjects_of(offer: Offer, facilities: Mapping[str, Facility]) -> list[Subject]:
    """Return the subjects whose terms apply to an offer: itself, its supplier, its facility, and those around it."""
    sites = around(offer.facility, facilities)
    return [("offer", offer.id), ("supplier", sites[0].supplier), *(("facility", site.id) for site in sites)]


def covers(bearing: OrderCondition, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    """Return True if terms apply to purchases from an offer. With several outputs, they must apply to all of them."""
    meant = not bearing.materials or all(line.material in bearing.materials for line in offer.outputs)
    return meant and (bearing.of, bearing.id) in subjects_of(offer, facilities)


class Sellers:
    """Offers that can reach a demand, by the subjects of their terms."""

    def __init__(self, merged: Merged, counted: Sequence[OfferFacts], reached: Collection[int]) -> None:
        self.facilities = merged.facilities
        self.counted = counted
        self.reached = reached

    @cached_property
    def _found(self) -> dict[Subject, list[int]]:
        offers = ((i, self.counted[i].offer) for i in sorted(self.reached))
        return grouped((subject, i) for i, offer in offers for subject in subjects_of(offer, self.facilities))

    def under(self, bearing: OrderCondition) -> tuple[int, ...]:
        """Return the positions of the offers that terms apply to."""
        candidates = self._found.get((bearing.of, bearing.id), ())
        return tuple(i for i in candidates if covers(bearing, self.counted[i].offer, self.facilities))


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """Price schedule over one span. Purchases in the span decide the tier, and are settled in its last period."""

    schedule: PriceSchedule
    label: str
    """Span: a period, a calendar year, or `horizon`."""
    offers: tuple[int, ...]
    """Offers whose orders are summed."""
    periods: tuple[int, ...]
    """Order periods that are summed."""
    tiers: tuple[Tier, ...]
    """Tiers in the case's currency."""

    @property
    def settled(self) -> int:
        """Period in which the difference to list prices is settled."""
        return self.periods[-1]

    @property
    def by_money(self) -> bool:
        """True if money is summed, and False for units."""
        return self.schedule.measure == "money"

    @property
    def all_units(self) -> bool:
        """True if the reached tier applies to all units."""
        return self.schedule.kind is TierKind.ALL_UNITS

    def __str__(self) -> str:
        return f"{self.schedule.name} in {self.label}"

    def weight(self, list_price: Decimal) -> Decimal:
        """Return the contribution of one unit to the sum that decides the tier."""
        return list_price if self.by_money else Decimal(1)

    @staticmethod
    def rate(tier: Tier, list_price: Decimal) -> Decimal:
        """Return the money that a tier takes off one unit of a list price. Negative values add to it."""
        if tier.price is not None:
            return list_price - tier.price
        return (tier.discount or Decimal(0)) * list_price

    @property
    def jumps(self) -> bool:
        """True if a tier may be required, or may lower the whole bill, so that buying more than needed may pay."""
        return self.all_units or any(tier.lump or tier.most is not None for tier in self.tiers)

    def reach(self, list_price: Decimal) -> Decimal:
        """Return the maximum units that may be bought at a list price to reach the last tier, needed or not."""
        weight = self.weight(list_price)
        return self.tiers[-1].least / weight if self.jumps and weight else Decimal(0)


def resolve_schedules(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], sellers: Sellers
) -> tuple[tuple[PriceSpan, ...], list[Assumption]]:
    """Return every price schedule, over every span in which an offer that counts may be ordered under it.

    Raises:
        InputError: If two schedules of one subject overlap, a discount applies to several list prices, discounts exceed the price, or a
            currency has no rate.
    """
    troubles = list(_overlapping(merged.schedules))
    assumptions: list[Assumption] = []
    spans: list[PriceSpan] = []
    for schedule in merged.schedules:
        about = sellers.under(schedule)
        if not about:
            continue
        found = list(_price_spans(schedule, about, merged, case, troubles))
        confidence = merged.confidence(schedule.source)
        accepted = confidence.reaches(case.accept.confidence)
        counts = accepted or confidence in (Confidence.ASSUMED, Confidence.COMPUTED) or not _takes_off(found, counted)
        if not accepted or confidence is Confidence.ASSUMED:
            text = f"price schedule of {schedule.name} ({schedule.kind}, {SPANS[schedule.per]}) is {confidence.value}"
            text += "" if counts else " and does not count: list prices do"
            assumptions += [Assumption(counted[i].offer.id, text) for i in about]
        if not counts:
            continue
        spans += found
    for span in spans:
        troubles += _without_price(span, counted)
    troubles += _more_than_the_price(spans, counted, case)
    if troubles:
        raise InputError(list(dict.fromkeys(troubles)))
    return tuple(spans), assumptions


def _price_spans(
    schedule: PriceSchedule, offers: tuple[int, ...], merged: Merged, case: Case, troubles: list[Diagnostic]
) -> Iterator[PriceSpan]:
    dates = Span(start=schedule.start, end=schedule.end)
    periods = [period for period in case.horizon.periods if dates.covers(period.span)]
    for label, indices in stretches(periods, schedule.per):
        currency = schedule.currency or case.currency
        day = case.horizon.periods[indices[-1]].start
        rate = exchange(merged.rates, currency, case.currency, day)
        if rate is None:
            troubles.append(missing_rate(currency, case, f"the price schedule of {schedule.name}", "tiers.price"))
            return
        tiers = tuple(_in_case_currency(tier, rate, schedule) for tier in schedule.tiers)
        yield PriceSpan(schedule, label, offers, indices, tiers)


def _in_case_currency(tier: Tier, rate: Decimal, schedule: PriceSchedule) -> Tier:
    money: dict[str, Decimal | None] = {"lump": exact(tier.lump * rate)}
    if schedule.measure == "money":
        money |= {"least": exact(tier.least * rate), "most": None if tier.most is None else exact(tier.most * rate)}
    if tier.price is not None:
        money["price"] = exact(tier.price * rate)
    return tier.but(**money)


def _takes_off(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts]) -> bool:
    """Return True if some tier is cheaper than the list price. More expensive tiers count with any evidence."""
    return any(
        span.rate(tier, counted[i].price[t]) > 0
        for span in spans
        for tier in span.tiers
        for i in span.offers
        for t in span.periods
    )


def _overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[Diagnostic]:
    """Yield an error for each overlap of schedules, which no catalog alone can detect."""
    for _, position in overlapping(schedules):
        fault = overlap_fault(schedules[position])
        yield Diagnostic(fault.message, column="tiers.id", expected=fault.expected, fix=fault.fix)


def _without_price(span: PriceSpan, counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    """Yield an error for an incremental discount that applies to several list prices."""
    if span.all_units or span.by_money or all(tier.price is not None for tier in span.tiers):
        return
    orders = ((counted[i], t) for i in span.offers for t in span.periods)
    prices = sorted({facts.price[t] for facts, t in orders if facts.most[t] != 0})
    if len(prices) > 1:
        yield Diagnostic(
            f"the incremental discount of {span} is off several list prices: which of the units lie in which tier?",
            column="tiers.discount",
            found=f"{readable(prices[0])} to {readable(prices[-1])} a unit",
            expected="one list price for all that is added up",
            fix="give thresholds in money, a price for each tier, or kind all-units",
        )


def _more_than_the_price(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts], case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each offer whose discounts exceed its price, since a plan would buy for the discount's sake."""
    bearing = grouped((offer, span) for span in spans for offer in span.offers)
    for offer, found in bearing.items():
        for t, price in enumerate(counted[offer].price):
            here = [span for span in found if t in span.periods]
            most = sum((max(span.rate(tier, price) for tier in span.tiers) for span in here), Decimal(0))
            if len(here) > 1 and most > price:
                yield Diagnostic(
                    f"the discounts on offer `{counted[offer].offer.id}` come to more than its price",
                    column="tiers.discount",
                    found=f"up to {readable(most)} off {readable(price)} in {case.horizon.label(t)}",
                    fix="each discount is off the list price: check "
                    + " and ".join(sorted({span.schedule.name for span in here})),
                )
                break


@dataclass(frozen=True, slots=True)
class TermSpan:
    """Terms of trade over one span. They apply to all orders in it."""

    terms: Terms
    label: str
    """Span: a period, a calendar year, or `horizon`."""
    offers: tuple[int, ...]
    """Offers whose orders are summed."""
    periods: tuple[int, ...]
    """Order periods that are summed."""
    fixed: Decimal
    """Money due if anything is ordered, in the case's currency."""
    pools: tuple[int, ...] = ()
    """Pools whose capacity a setup uses."""

    @property
    def due(self) -> int:
        """Period in which the fixed money is due."""
        return self.periods[0]

    def goes(self, place: str) -> bool:
        """Return True if deliveries to a place count."""
        return not self.terms.places or place in self.terms.places

    def __str__(self) -> str:
        return f"{self.terms.name} in {self.label}"


def resolve_terms(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], sellers: Sellers, pools: Sequence[Pool]
) -> tuple[tuple[TermSpan, ...], list[Assumption]]:
    """Return all terms of trade, over every span in which an offer that counts may be ordered under them.

    They count with any evidence, since they only add restrictions.

    Raises:
        InputError: If a currency has no rate, or terms for some places apply to an offer with several outputs.
    """
    troubles: list[Diagnostic] = []
    assumptions: list[Assumption] = []
    spans: list[TermSpan] = []
    for terms in merged.terms:
        about = sellers.under(terms)
        if not about:
            continue
        troubles += _without_place(terms, about, counted)
        spans += _term_spans(terms, about, _drawn_on(terms, about, merged, pools), merged, case, troubles)
        confidence = merged.confidence(terms.source)
        if confidence is Confidence.ASSUMED or not confidence.reaches(case.accept.confidence):
            text = f"terms of {terms.name} ({SPANS[terms.per]}) are {confidence.value}"
            assumptions += [Assumption(counted[i].offer.id, text) for i in about]
    if troubles:
        raise InputError(list(dict.fromkeys(troubles)))
    return tuple(spans), assumptions


def _term_spans(
    terms: Terms,
    offers: tuple[int, ...],
    pools: tuple[int, ...],
    merged: Merged,
    case: Case,
    troubles: list[Diagnostic],
) -> Iterator[TermSpan]:
    dates = Span(start=terms.start, end=terms.end)
    periods = [period for period in case.horizon.periods if dates.meets(period.span)]
    for label, indices in stretches(periods, terms.per):
        currency = terms.currency or case.currency
        rate = exchange(merged.rates, currency, case.currency, case.horizon.periods[indices[0]].start)
        if rate is None:
            troubles.append(missing_rate(currency, case, f"the terms of {terms.name}", "terms.fixed"))
            return
        yield TermSpan(terms, label, offers, indices, exact((terms.fixed or Decimal(0)) * rate), pools)


def _drawn_on(terms: Terms, about: Sequence[int], merged: Merged, pools: Sequence[Pool]) -> tuple[int, ...]:
    """Return the pools whose capacity a setup uses: of its facility, and of those around it."""
    if not terms.setup_use:
        return ()
    name = merged.offers[terms.id].facility if terms.of == "offer" else terms.id
    sites = {site.id for site in around(name, merged.facilities)}
    return tuple(i for i, pool in enumerate(pools) if pool.facility in sites and set(pool.offers) & set(about))


def _without_place(terms: Terms, about: Sequence[int], counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    for offer in about:
        if terms.places and not counted[offer].single:
            yield Diagnostic(
                f"terms of {terms.name} are about some places, but `{counted[offer].offer.id}` makes several goods in one run: "
                "for which place is a run?",
                column="terms.places",
                expected="no places, or offers with one output each",
                fix="leave `places` blank, or name the materials of other offers",
            )


@dataclass(frozen=True, slots=True)
class Commitment:
    """Take-or-pay commitment of an offer for a year, due only if the offer is used at all."""

    offer: int
    label: str
    """Calendar year."""
    periods: tuple[int, ...]
    """Order periods of the year in which it may be ordered."""
    quantity: Decimal
    """Units paid for, taken or not."""
    rate: Decimal
    """Money due per untaken unit, in the case's currency."""

    @property
    def due(self) -> int:
        """Period in which the untaken units are paid."""
        return self.periods[-1]


def resolve_commitments(
    case: Case, counted: Sequence[OfferFacts], network: Network, moves: Moves
) -> tuple[Commitment, ...]:
    """Return the commitments of every take-or-pay offer by year, over the periods in which an order arrives within the plan."""
    binding = {index for index, facts in enumerate(counted) if facts.offer.take_or_pay}
    found = []
    for index, open_in in sorted(_open_periods(binding, network, moves).items()):
        facts = counted[index]
        periods = [period for period in case.horizon.periods if period.index in open_in]
        for label, indices in stretches(periods, "year"):
            years = sum((case.horizon.periods[t].years for t in indices), Fraction(0))
            quantity = as_decimal(Fraction(facts.offer.take_or_pay or 0) * years)
            rate = exact(facts.offer.take_or_pay_share * facts.price[indices[-1]])
            if quantity and rate:
                found.append(Commitment(index, label, indices, quantity, rate))
    return tuple(found)


def _open_periods(offers: Collection[int], network: Network, moves: Moves) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for arc in network.arcs if offers else ():
        if arc.offer in offers:
            ordered = moves.ordered[moves.first[arc.index] : moves.first[arc.index + 1]]
            found.setdefault(arc.offer, set()).update(ordered.tolist())
    return found


@dataclass(frozen=True, slots=True)
class Trade:
    """Terms of the orders of offers that can reach a demand."""

    pools: tuple[Pool, ...]
    price_spans: tuple[PriceSpan, ...]
    term_spans: tuple[TermSpan, ...]
    commitments: tuple[Commitment, ...]


def resolve_trade(
    merged: Merged,
    case: Case,
    counted: Sequence[OfferFacts],
    network: Network,
    moves: Moves,
    capacities: Capacities,
) -> tuple[Trade, list[Assumption]]:
    """Return the terms of orders in the case's currency, and their assumptions.

    Raises:
        InputError: For contradictory or ambiguous terms, or a currency without a rate.
    """
    reached = sorted({arc.offer for arc in network.arcs if arc.offer >= 0})
    pools = _pools(capacities, counted, reached)
    sellers = Sellers(merged, counted, reached)
    price_spans, assumed = resolve_schedules(merged, case, counted, sellers)
    term_spans, also_assumed = resolve_terms(merged, case, counted, sellers, pools)
    commitments = resolve_commitments(case, counted, network, moves)
    bound = {offer for span in price_spans for offer in span.offers}
    paid = [i for i in reached if counted[i].offer.paid]
    wrong = [trouble for i in paid for trouble in _paid_for(counted[i], i in bound, case)]
    if wrong:
        raise InputError(wrong)
    return Trade(pools, price_spans, term_spans, commitments), assumed + also_assumed


def _paid_for(facts: OfferFacts, scheduled: bool, case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each conflict with a price below zero: missing limits, take-or-pay, or a price schedule that applies to it."""
    below = facts.paid_periods
    if not below:
        return
    name, found = facts.offer.id, f"{readable(facts.price[below[0]])} {case.currency} in {case.horizon.label(below[0])}"
    faults = (
        replace(one, field="price", entry=None) if one.entry else one
        for one in unlimited_payment_faults(dict(facts.offer))
    )
    for fault in dict.fromkeys(faults):
        column = f"offers.{fault.field}"
        yield Diagnostic(f"`{name}`: {fault.message}", "", None, column, found, fault.expected, fault.fix)
    if scheduled:
        yield Diagnostic(
            f"a price schedule bears on `{name}`, whose price is below zero: a share of that is no discount",
            column="tiers.id",
            found=found,
            expected="prices of zero or more",
            fix="leave the offer out of the schedule, by `materials` for instance",
        )


def _pools(capacities: Capacities, counted: Sequence[OfferFacts], reached: Sequence[int]) -> tuple[Pool, ...]:
    users = grouped((name, index) for index in reached for name in counted[index].pools)
    return tuple(Pool(name, capacities.of(name), tuple(users[name])) for name in sorted(users))
