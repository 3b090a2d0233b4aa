"""Terms of orders beyond a unit price, in the case's currency: capacity, price schedules, terms of trade, and take-or-pay (due on the untaken part of a year)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from ..domain.assumption_codes import OFFER_FIGURE
from ..domain.base import as_decimal, exact, grouped
from ..domain.case import Case
from ..domain.evidence import Confidence
from ..domain.facts import Facility, Offer, negative_price_faults
from ..domain.quantities import readable
from ..domain.terms import SPANS, OrderCondition, PriceSchedule, Terms, Tier, TierKind, overlap_fault, overlapping
from ..domain.time import Span, stretches
from ..errors import Diagnostic, InputError
from .capacity import Capacities, Pool
from .merged import Merged, enclosing_facilities, exchange, missing_rate
from .network import Moves, Network
from .offers import Assumption, OfferFacts

Subject = tuple[str, str]
"""Kind (`offer`, `facility`, or `supplier`) and id."""


def subjects_of(offer: Offer, facilities: Mapping[str, Facility]) -> list[Subject]:
    """Return the subjects whose terms apply to an offer: itself, its supplier, its facility, and those that contain it."""
    sites = enclosing_facilities(offer.facility, facilities)
    return [("offer", offer.id), ("supplier", sites[0].supplier), *(("facility", site.id) for site in sites)]


def covers(terms: OrderCondition, offer: Offer, facilities: Mapping[str, Facility]) -> bool:
    """Return True if terms apply to purchases from an offer. With several outputs, they must apply to all of them."""
    covers_materials = not terms.materials or all(line.material in terms.materials for line in offer.outputs)
    return covers_materials and (terms.of, terms.id) in subjects_of(offer, facilities)


class Sellers:
    """Offers that can reach a demand, by the subjects of their terms."""

    def __init__(self, merged: Merged, counted: Sequence[OfferFacts], reached: Collection[int]) -> None:
        self.facilities = merged.facilities
        self.counted = counted
        self.reached = reached

    @cached_property
    def _offers_by_subject(self) -> dict[Subject, list[int]]:
        offers = ((i, self.counted[i].offer) for i in sorted(self.reached))
        return grouped((subject, i) for i, offer in offers for subject in subjects_of(offer, self.facilities))

    def under(self, terms: OrderCondition) -> tuple[int, ...]:
        candidates = self._offers_by_subject.get((terms.of, terms.id), ())
        return tuple(i for i in candidates if covers(terms, self.counted[i].offer, self.facilities))


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """Price schedule over one span, in the case's currency. Purchases in the span decide the tier, and are settled in its last period."""

    schedule: PriceSchedule
    label: str
    """Span: a period, a calendar year, or `horizon`."""
    offers: tuple[int, ...]
    periods: tuple[int, ...]
    tiers: tuple[Tier, ...]

    @property
    def settlement_period(self) -> int:
        return self.periods[-1]

    @property
    def by_money(self) -> bool:
        """False if units are summed."""
        return self.schedule.measure == "money"

    @property
    def all_units(self) -> bool:
        return self.schedule.kind is TierKind.ALL_UNITS

    def __str__(self) -> str:
        return f"{self.schedule.name} in {self.label}"

    def weight(self, list_price: Decimal) -> Decimal:
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
    """Return every price schedule, over every span in which an offer that counts may be ordered under it."""
    problems = list(_overlapping(merged.schedules))
    assumptions: list[Assumption] = []
    spans: list[PriceSpan] = []
    for schedule in merged.schedules:
        offers = sellers.under(schedule)
        if not offers:
            continue
        schedule_spans = list(_price_spans(schedule, offers, merged, case, problems))
        confidence = merged.confidence(schedule.source)
        accepted = confidence.reaches(case.accept.confidence)
        counts = accepted or confidence in (Confidence.ASSUMED, Confidence.COMPUTED)
        counts = counts or not _is_discount(schedule_spans, counted)
        if not accepted or confidence is Confidence.ASSUMED:
            text = f"price schedule of {schedule.name} ({schedule.kind}, {SPANS[schedule.per]}) is {confidence.value}"
            text += "" if counts else " and doesn't count, so list prices apply"
            assumptions += [Assumption(counted[i].offer.id, text, OFFER_FIGURE) for i in offers]
        if not counts:
            continue
        spans += schedule_spans
    for span in spans:
        problems += _ambiguous_discounts(span, counted)
    problems += _excessive_discounts(spans, counted, case)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return tuple(spans), assumptions


def _price_spans(
    schedule: PriceSchedule, offers: tuple[int, ...], merged: Merged, case: Case, problems: list[Diagnostic]
) -> Iterator[PriceSpan]:
    dates = Span(start=schedule.start, end=schedule.end)
    periods = [period for period in case.horizon.periods if dates.covers(period.span)]
    for label, indices in stretches(periods, schedule.per):
        currency = schedule.currency or case.currency
        day = case.horizon.periods[indices[-1]].start
        rate = exchange(merged.rates, currency, case.currency, day)
        if rate is None:
            problems.append(missing_rate(currency, case, f"the price schedule of {schedule.name}", "tiers.price"))
            return
        tiers = tuple(_in_case_currency(tier, rate, schedule) for tier in schedule.tiers)
        yield PriceSpan(schedule, label, offers, indices, tiers)


def _in_case_currency(tier: Tier, rate: Decimal, schedule: PriceSchedule) -> Tier:
    amounts: dict[str, Decimal | None] = {"lump": exact(tier.lump * rate)}
    if schedule.measure == "money":
        amounts |= {"least": exact(tier.least * rate), "most": None if tier.most is None else exact(tier.most * rate)}
    if tier.price is not None:
        amounts["price"] = exact(tier.price * rate)
    return tier.but(**amounts)


def _is_discount(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts]) -> bool:
    """Return True if some tier is cheaper than the list price. More expensive tiers count with any evidence."""
    return any(
        span.rate(tier, counted[i].price[t]) > 0
        for span in spans
        for tier in span.tiers
        for i in span.offers
        for t in span.periods
    )


def _overlapping(schedules: Sequence[PriceSchedule]) -> Iterator[Diagnostic]:
    """Yield an error for each overlap of schedules from different catalogs."""
    for _, position in overlapping(schedules):
        fault = overlap_fault(schedules[position])
        code = fault.code or "FS261"
        yield Diagnostic(fault.message, column="tiers.id", expected=fault.expected, fix=fault.fix, code=code)


def _ambiguous_discounts(span: PriceSpan, counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    if span.all_units or span.by_money or all(tier.price is not None for tier in span.tiers):
        return
    orders = ((counted[i], t) for i in span.offers for t in span.periods)
    prices = sorted({facts.price[t] for facts, t in orders if facts.max_units[t] != 0})
    if len(prices) > 1:
        yield Diagnostic(
            f"the incremental discount of {span} applies to several list prices, so the units in each tier are ambiguous",
            column="tiers.discount",
            found=f"{readable(prices[0])} to {readable(prices[-1])} a unit",
            expected="one list price for all offers and periods",
            fix="state thresholds in money, a price for each tier, or the kind `all-units`",
            code="FS262",
        )


def _excessive_discounts(spans: Sequence[PriceSpan], counted: Sequence[OfferFacts], case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each offer whose discounts exceed its price, since a plan would buy for the discount's sake."""
    spans_by_offer = grouped((offer, span) for span in spans for offer in span.offers)
    for offer, offer_spans in spans_by_offer.items():
        for t, price in enumerate(counted[offer].price):
            current_spans = [span for span in offer_spans if t in span.periods]
            max_discount = sum(
                (max(span.rate(tier, price) for tier in span.tiers) for span in current_spans), Decimal(0)
            )
            if len(current_spans) > 1 and max_discount > price:
                yield Diagnostic(
                    f"the discounts on offer `{counted[offer].offer.id}` exceed its price",
                    column="tiers.discount",
                    found=f"up to {readable(max_discount)} off {readable(price)} in {case.horizon.label(t)}",
                    fix="each discount is a share of the list price, so check "
                    + " and ".join(sorted({span.schedule.name for span in current_spans})),
                    code="FS263",
                )
                break


@dataclass(frozen=True, slots=True)
class TermSpan:
    """Terms of trade over one span. They apply to all orders in it."""

    terms: Terms
    label: str
    offers: tuple[int, ...]
    periods: tuple[int, ...]
    fixed: Decimal
    """Money due if anything is ordered, in the case's currency."""
    pools: tuple[int, ...] = ()

    @property
    def due_period(self) -> int:
        return self.periods[0]

    def covers_place(self, place: str) -> bool:
        return not self.terms.places or place in self.terms.places

    def __str__(self) -> str:
        return f"{self.terms.name} in {self.label}"


def resolve_terms(
    merged: Merged, case: Case, counted: Sequence[OfferFacts], sellers: Sellers, pools: Sequence[Pool]
) -> tuple[tuple[TermSpan, ...], list[Assumption]]:
    """Return all terms of trade, by span. They count with any evidence, since they only add restrictions."""
    problems: list[Diagnostic] = []
    assumptions: list[Assumption] = []
    spans: list[TermSpan] = []
    for terms in merged.terms:
        offers = sellers.under(terms)
        if not offers:
            continue
        problems += _ambiguous_places(terms, offers, counted)
        spans += _term_spans(terms, offers, _setup_pools(terms, offers, merged, pools), merged, case, problems)
        confidence = merged.confidence(terms.source)
        if confidence is Confidence.ASSUMED or not confidence.reaches(case.accept.confidence):
            text = f"terms of {terms.name} ({SPANS[terms.per]}) are {confidence.value}"
            assumptions += [Assumption(counted[i].offer.id, text, OFFER_FIGURE) for i in offers]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return tuple(spans), assumptions


def _term_spans(
    terms: Terms,
    offers: tuple[int, ...],
    pools: tuple[int, ...],
    merged: Merged,
    case: Case,
    problems: list[Diagnostic],
) -> Iterator[TermSpan]:
    dates = Span(start=terms.start, end=terms.end)
    periods = [period for period in case.horizon.periods if dates.meets(period.span)]
    for label, indices in stretches(periods, terms.per):
        currency = terms.currency or case.currency
        rate = exchange(merged.rates, currency, case.currency, case.horizon.periods[indices[0]].start)
        if rate is None:
            problems.append(missing_rate(currency, case, f"the terms of {terms.name}", "terms.fixed"))
            return
        yield TermSpan(terms, label, offers, indices, exact((terms.fixed or Decimal(0)) * rate), pools)


def _setup_pools(terms: Terms, offers: Sequence[int], merged: Merged, pools: Sequence[Pool]) -> tuple[int, ...]:
    if not terms.setup_use:
        return ()
    facility = merged.offers[terms.id].facility if terms.of == "offer" else terms.id
    sites = {site.id for site in enclosing_facilities(facility, merged.facilities)}
    return tuple(i for i, pool in enumerate(pools) if pool.facility in sites and set(pool.offers) & set(offers))


def _ambiguous_places(terms: Terms, offers: Sequence[int], counted: Sequence[OfferFacts]) -> Iterator[Diagnostic]:
    for offer in offers:
        if terms.places and not counted[offer].has_one_output:
            yield Diagnostic(
                f"the terms of {terms.name} are for some places, but `{counted[offer].offer.id}` makes several materials in one run, "
                "which may go to different places",
                column="terms.places",
                expected="no `places`, or offers with one output each",
                fix="leave `places` empty, or name the materials of other offers",
                code="FS264",
            )


@dataclass(frozen=True, slots=True)
class Commitment:
    """Take-or-pay commitment of an offer for a year, due only if the offer is used at all."""

    offer: int
    label: str
    periods: tuple[int, ...]
    """Order periods of the year in which it may be ordered."""
    quantity: Decimal
    rate: Decimal
    """Money due per untaken unit, in the case's currency."""

    @property
    def due_period(self) -> int:
        return self.periods[-1]


def resolve_commitments(
    case: Case, counted: Sequence[OfferFacts], network: Network, moves: Moves
) -> tuple[Commitment, ...]:
    """Return the commitments of every take-or-pay offer by year, over the periods in which an order arrives within the plan."""
    take_or_pay_offers = {index for index, facts in enumerate(counted) if facts.offer.take_or_pay}
    commitments = []
    for index, open_periods in sorted(_open_periods(take_or_pay_offers, network, moves).items()):
        facts = counted[index]
        periods = [period for period in case.horizon.periods if period.index in open_periods]
        for label, indices in stretches(periods, "year"):
            years = sum((case.horizon.periods[t].years for t in indices), Fraction(0))
            quantity = as_decimal(Fraction(facts.offer.take_or_pay or 0) * years)
            rate = exact(facts.offer.take_or_pay_share * facts.price[indices[-1]])
            if quantity and rate:
                commitments.append(Commitment(index, label, indices, quantity, rate))
    return tuple(commitments)


def _open_periods(offers: Collection[int], network: Network, moves: Moves) -> dict[int, set[int]]:
    periods_by_offer: dict[int, set[int]] = {}
    for arc in network.arcs if offers else ():
        if arc.offer in offers:
            ordered = moves.ordered[moves.first[arc.index] : moves.first[arc.index + 1]]
            periods_by_offer.setdefault(arc.offer, set()).update(ordered.tolist())
    return periods_by_offer


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
    usable_offers = sorted({arc.offer for arc in network.arcs if arc.offer >= 0})
    pools = _pools(capacities, counted, usable_offers)
    sellers = Sellers(merged, counted, usable_offers)
    price_spans, schedule_assumptions = resolve_schedules(merged, case, counted, sellers)
    term_spans, term_assumptions = resolve_terms(merged, case, counted, sellers, pools)
    commitments = resolve_commitments(case, counted, network, moves)
    scheduled_offers = {offer for span in price_spans for offer in span.offers}
    negative_price_offers = [i for i in usable_offers if counted[i].offer.has_negative_price]
    problems = [
        problem
        for i in negative_price_offers
        for problem in _negative_price_conflicts(counted[i], i in scheduled_offers, case)
    ]
    if problems:
        raise InputError(problems)
    return Trade(pools, price_spans, term_spans, commitments), schedule_assumptions + term_assumptions


def _negative_price_conflicts(facts: OfferFacts, scheduled: bool, case: Case) -> Iterator[Diagnostic]:
    """Yield an error for each conflict with a price below zero: missing limits, take-or-pay, or a price schedule that applies to it."""
    periods = facts.negative_price_periods
    if not periods:
        return
    offer = facts.offer.id
    price_found = f"{readable(facts.price[periods[0]])} {case.currency} in {case.horizon.label(periods[0])}"
    faults = (
        replace(fault, field="price", entry=None) if fault.entry else fault
        for fault in negative_price_faults(dict(facts.offer))
    )
    for fault in dict.fromkeys(faults):
        column = f"offers.{fault.field}"
        message, code = f"`{offer}`: {fault.message}", fault.code or "FS265"
        yield Diagnostic(message, "", None, column, price_found, fault.expected, fault.fix, code)
    if scheduled:
        yield Diagnostic(
            f"a price schedule applies to `{offer}`, whose price is below zero, so its discount would be a surcharge",
            column="tiers.id",
            found=price_found,
            expected="prices of zero or more",
            fix="exclude the offer from the schedule, for example with `materials`",
            code="FS265",
        )


def _pools(capacities: Capacities, counted: Sequence[OfferFacts], reached: Sequence[int]) -> tuple[Pool, ...]:
    users = grouped((name, index) for index in reached for name in counted[index].pools)
    return tuple(Pool(name, capacities.of(name), tuple(users[name])) for name in sorted(users))
